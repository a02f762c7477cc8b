//! What each key does: the one list that both the keyboard and the help go by.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Something a key asks for while rows are looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    NextPane,
    PreviousPane,
    Pane(usize),
    NextView,
    PreviousView,
    Open,
    Close,
    OpenAll,
    CloseAll,
    Search,
    SearchOn,
    SearchBack,
    Filter,
    SortRight,
    SortLeft,
    Reverse,
    Follow,
    ToObject,
    ToHandles,
    ToProcess,
    Back,
    Forward,
    Widen,
    Details,
    CopyRow,
    CopyName,
    CopyList,
    Problems,
    Help,
    Redraw,
    Quit,
}

/// A line of the help: keys as people write them, and what they do. An empty one begins with a heading.
pub const HELP: &[(&str, &str)] = &[
    ("", "Moving"),
    ("Up Down, k j", "one row"),
    ("PgUp PgDn", "a screen"),
    ("Home End, g G", "the first row, the last row"),
    ("Tab, Shift-Tab", "the next pane, the one before"),
    ("1 2 3 4", "processes, handles, objects, registry"),
    ("v V", "the next view of the pane, the one before"),
    (
        "Right, Left",
        "open a branch; close it, or go to the row above",
    ),
    ("+ -", "open all branches, close them"),
    ("", "Finding"),
    ("/", "search while you type; Enter stays, Esc goes back"),
    ("n N", "search on, search backwards"),
    ("f", "show only rows with a text; Enter keeps it"),
    ("> <", "sort by the next column, by the one before"),
    ("r", "sort the other way round"),
    ("", "Following"),
    (
        "Enter",
        "process: its handles. Handle: its object. Object: handles to it",
    ),
    ("o", "the object of a handle"),
    ("h", "the handles of a process, or all handles to an object"),
    ("p", "the process of a handle"),
    ("b, Backspace", "back to where you came from"),
    ("B", "forward again"),
    (
        "Esc",
        "take away the filter and the marks, then show all handles",
    ),
    ("", "Looking and copying"),
    ("d, Space", "all details of the row"),
    ("y", "copy the row"),
    ("c", "copy the name (of a process, its image)"),
    ("Y", "copy all rows that are shown"),
    ("!", "what could not be read"),
    ("Ctrl-L", "draw the screen anew"),
    ("?", "this help"),
    ("q, Ctrl-C", "leave"),
];

/// What a key asks for.
pub fn command(key: KeyEvent) -> Option<Command> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => Some(Command::Quit),
            KeyCode::Char('l') => Some(Command::Redraw),
            _ => None,
        };
    }
    if key.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    Some(match key.code {
        KeyCode::Up | KeyCode::Char('k') => Command::Up,
        KeyCode::Down | KeyCode::Char('j') => Command::Down,
        KeyCode::PageUp => Command::PageUp,
        KeyCode::PageDown => Command::PageDown,
        KeyCode::Home | KeyCode::Char('g') => Command::First,
        KeyCode::End | KeyCode::Char('G') => Command::Last,
        KeyCode::Tab => Command::NextPane,
        KeyCode::BackTab => Command::PreviousPane,
        KeyCode::Char('1') => Command::Pane(0),
        KeyCode::Char('2') => Command::Pane(1),
        KeyCode::Char('3') => Command::Pane(2),
        KeyCode::Char('4') => Command::Pane(3),
        KeyCode::Char('v') => Command::NextView,
        KeyCode::Char('V') => Command::PreviousView,
        KeyCode::Right => Command::Open,
        KeyCode::Left => Command::Close,
        KeyCode::Char('+') => Command::OpenAll,
        KeyCode::Char('-') => Command::CloseAll,
        KeyCode::Char('/') => Command::Search,
        KeyCode::Char('n') => Command::SearchOn,
        KeyCode::Char('N') => Command::SearchBack,
        KeyCode::Char('f') => Command::Filter,
        KeyCode::Char('>') => Command::SortRight,
        KeyCode::Char('<') => Command::SortLeft,
        KeyCode::Char('r') => Command::Reverse,
        KeyCode::Enter => Command::Follow,
        KeyCode::Char('o') => Command::ToObject,
        KeyCode::Char('h') => Command::ToHandles,
        KeyCode::Char('p') => Command::ToProcess,
        KeyCode::Backspace | KeyCode::Char('b') => Command::Back,
        KeyCode::Char('B') => Command::Forward,
        KeyCode::Esc => Command::Widen,
        KeyCode::Char('d' | ' ') => Command::Details,
        KeyCode::Char('y') => Command::CopyRow,
        KeyCode::Char('c') => Command::CopyName,
        KeyCode::Char('Y') => Command::CopyList,
        KeyCode::Char('!') => Command::Problems,
        KeyCode::Char('?') => Command::Help,
        KeyCode::Char('q') => Command::Quit,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys that a line of the help names.
    fn named(keys: &str) -> Vec<KeyEvent> {
        keys.split([' ', ','])
            .filter(|word| !word.is_empty())
            .map(|word| {
                let plain = |code| KeyEvent::new(code, KeyModifiers::NONE);
                let control = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
                match word {
                    "Up" => plain(KeyCode::Up),
                    "Down" => plain(KeyCode::Down),
                    "PgUp" => plain(KeyCode::PageUp),
                    "PgDn" => plain(KeyCode::PageDown),
                    "Home" => plain(KeyCode::Home),
                    "End" => plain(KeyCode::End),
                    "Tab" => plain(KeyCode::Tab),
                    "Shift-Tab" => plain(KeyCode::BackTab),
                    "Right" => plain(KeyCode::Right),
                    "Left" => plain(KeyCode::Left),
                    "Enter" => plain(KeyCode::Enter),
                    "Backspace" => plain(KeyCode::Backspace),
                    "Esc" => plain(KeyCode::Esc),
                    "Space" => plain(KeyCode::Char(' ')),
                    "Ctrl-L" => control('l'),
                    "Ctrl-C" => control('c'),
                    word => plain(KeyCode::Char(word.parse().expect("one character"))),
                }
            })
            .collect()
    }

    #[test]
    fn the_help_names_every_key_and_none_that_does_nothing() {
        let listed: Vec<KeyEvent> = HELP.iter().flat_map(|(keys, _)| named(keys)).collect();
        for key in &listed {
            assert!(command(*key).is_some(), "{key:?} does nothing");
        }
        let printable = (' '..='~')
            .map(|character| KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE));
        for key in printable.filter(|key| command(*key).is_some()) {
            assert!(listed.contains(&key), "{key:?} is not in the help");
        }
    }
}
