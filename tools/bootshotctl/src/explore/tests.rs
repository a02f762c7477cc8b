//! The explorer over made-up snapshots: keys go in, screens come out.

use bootshot_format::Family;
use bootshot_reader::Snapshot;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::{Color, Modifier};
use test_snapshots::machine::{machine_live, pid};
use test_snapshots::objects::{ListedHandle, ListedProcess, handle_list, process_list, type_table};
use test_snapshots::{Builder, example_registry};

use crate::explore::book::Book;
use crate::explore::draw::{self, Look};
use crate::explore::explorer::{Effect, Explorer, LARGEST_COPY, Mode, Scope};
use crate::explore::view::{Pane, View};

/// An explorer, and the terminal that it is shown on.
struct Session {
    explorer: Explorer,
    terminal: Terminal<TestBackend>,
    colours: bool,
}

impl Session {
    fn new(file: &[u8]) -> Self {
        let snapshot = Snapshot::parse(file).expect("a snapshot");
        let book = Book::read("a.bshot".to_owned(), &snapshot);
        let mut session = Self {
            explorer: Explorer::new(book),
            terminal: Terminal::new(TestBackend::new(100, 30)).expect("a terminal"),
            colours: true,
        };
        session.draw();
        session
    }

    /// The invented system with one of everything.
    fn everything() -> Self {
        let mut builder = machine_live();
        builder.batch(Family::REGISTRY, &example_registry());
        Self::new(&builder.finish())
    }

    fn resize(&mut self, width: u16, height: u16) {
        self.terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
        self.draw();
    }

    fn draw(&mut self) {
        let look = Look::new(self.colours);
        let explorer = &mut self.explorer;
        self.terminal
            .draw(|frame| draw::screen(frame, explorer, &look))
            .expect("nothing can fail");
    }

    fn key(&mut self, code: KeyCode) -> Effect {
        let effect = self.explorer.key(KeyEvent::new(code, KeyModifiers::NONE));
        while self.explorer.is_busy() {
            self.explorer.work(7);
        }
        self.draw();
        effect
    }

    fn keys(&mut self, text: &str) {
        for character in text.chars() {
            assert_ne!(self.key(KeyCode::Char(character)), Effect::Quit);
        }
    }

    /// Types a text at a prompt, and ends it with Enter.
    fn type_in(&mut self, prompt: char, text: &str) {
        self.keys(&format!("{prompt}{text}"));
        self.key(KeyCode::Enter);
    }

    fn lines(&self) -> Vec<String> {
        let buffer = self.terminal.backend().buffer();
        let area = buffer.area();
        (0..area.height)
            .map(|y| {
                let line: String = (0..area.width).map(|x| buffer[(x, y)].symbol()).collect();
                line.trim_end().to_owned()
            })
            .collect()
    }

    fn screen(&self) -> String {
        self.lines().join("\n")
    }

    fn shows(&self, text: &str) -> bool {
        self.screen().contains(text)
    }

    /// The cells of the row that one is on.
    fn selected(&self) -> String {
        let list = self.explorer.list();
        let table = self.explorer.book.table(self.explorer.view());
        let Some(row) = list.selected() else {
            return String::new();
        };
        let cells = (0..table.column_count()).map(|column| table.value(row, column).shown());
        cells.collect::<Vec<_>>().join(" ")
    }

    fn message(&self) -> &str {
        self.explorer.message.as_deref().unwrap_or_default()
    }
}

#[test]
fn panes_and_their_views_are_a_key_away() {
    let mut session = Session::everything();
    assert!(session.shows("1 Processes 5") && session.shows("smss.exe"));
    session.keys("2");
    assert!(session.shows("of all processes") && session.shows("0x1f0003"));
    session.keys("3");
    assert!(session.shows("+ KernelObjects"), "{}", session.screen());
    session.keys("v");
    assert!(session.shows("HOLDERS") && session.shows("System 4, smss.exe 300"));
    session.keys("4");
    assert!(session.shows("KEY EXISTS"));
    let pane = |session: &Session| session.explorer.pane();
    session.key(KeyCode::Tab);
    assert_eq!(pane(&session), Pane::Processes);
    session.key(KeyCode::BackTab);
    assert_eq!(pane(&session), Pane::Registry);
    session.keys("1v");
    assert_eq!(session.explorer.view(), View::ProcessList);
    session.keys("V");
    assert_eq!(session.explorer.view(), View::ProcessTree);
    session.keys("2v");
    assert!(session.message().contains("one view only"));
}

#[test]
fn each_view_of_the_registry_has_what_the_command_shows() {
    let mut session = Session::everything();
    session.keys("4");
    let mut shown = Vec::new();
    for view in Pane::Registry.views() {
        assert_eq!(session.explorer.view(), *view);
        let rows = session.explorer.list().len();
        shown.push((view.title(), rows, session.screen()));
        session.keys("v");
    }
    let screen = |title: &str| {
        let (_, rows, screen) = shown.iter().find(|(view, _, _)| *view == title).unwrap();
        assert_ne!(*rows, 0, "{title}: {screen}");
        screen.clone()
    };
    assert!(screen("hives").contains("\\REGISTRY\\MACHINE\\SYSTEM"));
    assert!(screen("services").contains("IMAGE PATH"));
    assert!(screen("session-manager").contains("BootExecute"));
    let empty = shown.iter().filter(|(_, rows, _)| *rows == 0);
    for (title, _, screen) in empty {
        assert!(
            screen.contains("nothing: it was not captured") || screen.contains("not captured"),
            "{title}: {screen}"
        );
    }
}

#[test]
fn from_a_handle_to_its_object_its_other_holders_and_back() {
    let mut session = Session::everything();
    session.keys("2");
    session.type_in('/', "0x20");
    assert!(session.selected().starts_with("300 smss.exe 0x20 Mutant"));
    session.key(KeyCode::Enter);
    assert_eq!(session.explorer.view(), View::Objects);
    assert!(
        session
            .selected()
            .contains("\\KernelObjects\\BcdSyncMutant")
    );
    session.key(KeyCode::Enter);
    assert!(session.shows("to the Mutant \\KernelObjects\\BcdSyncMutant"));
    let list = session.explorer.list();
    let holders: Vec<u64> = list
        .rows()
        .iter()
        .map(|row| session.explorer.book.handles.rows[*row as usize].pid)
        .collect();
    assert_eq!(holders, [pid::SYSTEM, pid::SMSS]);
    session.keys("b");
    assert_eq!(session.explorer.view(), View::Objects);
    assert!(session.selected().contains("BcdSyncMutant"));
    session.key(KeyCode::Backspace);
    assert_eq!(session.explorer.scope(), Scope::All);
    assert!(session.selected().starts_with("300 smss.exe 0x20 Mutant"));
    session.keys("B");
    assert_eq!(session.explorer.view(), View::Objects);
    session.keys("bbb");
    assert!(session.message().contains("where you began"));
}

#[test]
fn an_address_of_another_type_is_another_object() {
    let mut session = Session::everything();
    session.keys("2");
    session.type_in('/', "0x5c");
    assert!(session.selected().contains("holder.exe 0x5c Section"));
    session.keys("h");
    assert_eq!(session.explorer.list().len(), 1, "the mutant's are not its");
}

#[test]
fn a_hidden_address_leads_nowhere_and_that_is_said() {
    let mut session = Session::everything();
    session.keys("2");
    session.type_in('/', "0x3c");
    session.key(KeyCode::Enter);
    assert_eq!(session.explorer.view(), View::Handles);
    assert!(session.message().contains("hides its address"));
}

#[test]
fn from_a_process_to_its_handles_and_from_a_handle_to_its_process() {
    let mut session = Session::everything();
    session.type_in('/', "holder");
    session.key(KeyCode::Enter);
    assert!(session.shows("of holder.exe 400"));
    assert_eq!(session.explorer.list().len(), 7);
    session.keys("p");
    assert_eq!(session.explorer.view(), View::ProcessTree);
    assert!(session.selected().starts_with("400"));
    session.keys("b");
    session.key(KeyCode::Esc);
    assert_eq!(session.explorer.scope(), Scope::All, "Esc widens");
    assert!(session.selected().starts_with("400 holder.exe"));
}

#[test]
fn the_namespace_and_the_list_of_objects_lead_to_each_other() {
    let mut session = Session::everything();
    session.keys("3");
    session.type_in('/', "WorkJob");
    assert!(session.selected().ends_with("\\KernelObjects\\WorkJob"));
    session.keys("v");
    assert_eq!(session.explorer.view(), View::Objects);
    assert!(session.selected().ends_with("\\KernelObjects\\WorkJob"));
    session.type_in('/', "BcdSyncMutant");
    session.keys("V");
    assert_eq!(session.explorer.view(), View::Namespace);
    assert!(
        session
            .selected()
            .ends_with("\\KernelObjects\\BcdSyncMutant")
    );
    session.keys("h");
    assert_eq!(session.explorer.view(), View::Handles);
    assert_eq!(session.explorer.list().len(), 2);
}

#[test]
fn a_search_goes_along_with_what_is_typed_and_escape_takes_it_back() {
    let mut session = Session::everything();
    session.keys("j");
    let before = session.selected();
    session.keys("/h");
    session.keys("olde");
    assert!(session.selected().contains("holder.exe"));
    assert!(session.shows("/holde"));
    session.key(KeyCode::Backspace);
    assert!(session.shows("/hold"));
    session.key(KeyCode::Esc);
    assert_eq!(session.selected(), before);
    session.type_in('/', "exe");
    let first = session.selected();
    session.keys("n");
    assert_ne!(session.selected(), first);
    session.keys("N");
    assert_eq!(session.selected(), first);
    session.type_in('/', "no such thing");
    assert_eq!(session.message(), "not found: no such thing");
}

#[test]
fn a_filter_shows_only_rows_with_its_text() {
    let mut session = Session::everything();
    session.keys("2f");
    session.keys("mutant");
    let filtered = session.explorer.list().len();
    assert!(filtered > 0 && filtered < session.explorer.list().row_count());
    assert!(session.shows("filter \"mutant\""));
    session.key(KeyCode::Esc);
    assert_eq!(session.explorer.list().filter(), "", "as it was before");
    session.type_in('f', "nothing has this");
    assert!(session.shows("no row has this text"));
    session.key(KeyCode::Esc);
    assert_ne!(session.explorer.list().len(), 0);
}

#[test]
fn sorting_goes_through_the_columns_and_both_directions() {
    let mut session = Session::everything();
    session.keys("v>");
    assert_eq!(session.message(), "sorted by PID, ascending");
    assert!(session.shows("PID ▲"));
    assert!(session.lines()[4].trim_start().starts_with("4 "));
    session.keys("r");
    assert!(session.shows("PID ▼"));
    assert!(session.lines()[4].trim_start().starts_with("508"));
    session.keys("<");
    assert!(session.message().contains("as the snapshot has them"));
    session.resize(60, 24);
    session.keys("<");
    assert!(
        session.shows("STARTED ▲"),
        "columns with nothing in them are left out"
    );
    assert!(!session.shows("WORKING SET"));
    session.keys("<");
    assert!(
        session.shows("WORKING SET ▲"),
        "also where it had no room before"
    );
}

#[test]
fn copies_are_text_and_the_message_says_which() {
    let mut session = Session::everything();
    session.type_in('/', "smss");
    let Effect::Copy(row) = session.key(KeyCode::Char('y')) else {
        panic!("{}", session.message());
    };
    assert!(row.starts_with("300\t"), "{row}");
    assert!(session.message().starts_with("copied the row: 300"));
    let name = session.key(KeyCode::Char('c'));
    assert_eq!(name, Effect::Copy("smss.exe".to_owned()));
    assert_eq!(session.message(), "copied IMAGE: smss.exe");
    session.keys("2");
    session.type_in('f', "Mutant");
    let Effect::Copy(list) = session.key(KeyCode::Char('Y')) else {
        panic!("{}", session.message());
    };
    assert_eq!(list.lines().count(), session.explorer.list().len() + 1);
    assert!(list.starts_with("PID\tIMAGE\t"));
    assert!(
        session.message().starts_with("copied 2 rows"),
        "{}",
        session.message()
    );
}

#[test]
fn more_than_terminals_take_is_not_copied_and_that_is_said() {
    let mut session = Session::new(&many_handles(2_000));
    session.keys("2");
    assert_eq!(session.key(KeyCode::Char('Y')), Effect::Nothing);
    assert!(
        session.message().starts_with("not copied"),
        "{}",
        session.message()
    );
    session.type_in('f', "0x7");
    let Effect::Copy(list) = session.key(KeyCode::Char('Y')) else {
        panic!("{}", session.message());
    };
    assert!(list.len() <= LARGEST_COPY);
}

#[test]
fn details_show_what_columns_have_no_room_for() {
    let mut session = Session::everything();
    session.keys("2d");
    assert!(session.shows("Details") && session.shows("RIGHTS"));
    session.key(KeyCode::Esc);
    assert!(matches!(session.explorer.mode, Mode::Browse));
    session.keys("3vd");
    assert!(session.shows("SECURITY") && session.shows("(A;;0x1f0003;;;"));
}

#[test]
fn help_lists_every_key_and_scrolls_where_it_has_no_room() {
    let mut session = Session::everything();
    session.resize(80, 24);
    session.keys("?");
    assert!(session.shows("one row") && !session.shows("q, Ctrl-C"));
    session.key(KeyCode::End);
    assert!(session.shows("q, Ctrl-C"));
    session.key(KeyCode::Char('q'));
    assert!(session.shows("smss.exe"), "a key closes it");
    assert_eq!(session.key(KeyCode::Char('q')), Effect::Quit);
}

#[test]
fn a_key_that_does_nothing_says_where_the_others_are() {
    let mut session = Session::everything();
    session.keys("x");
    assert_eq!(session.message(), "no such key; ? lists them");
}

#[test]
fn every_size_is_drawn_and_the_smallest_say_why_they_are_not() {
    let mut session = Session::everything();
    for view in ["1", "2", "3", "4", "?", " "] {
        session.key(KeyCode::Esc);
        session.keys(view);
        for width in [1, 2, 10, 39, 40, 41, 60, 79, 80, 200] {
            for height in [1, 2, 7, 8, 9, 24, 60] {
                session.resize(width, height);
            }
        }
        session.key(KeyCode::Esc);
        session.key(KeyCode::Esc);
    }
    session.resize(39, 24);
    assert!(session.shows("This terminal is too small"));
    session.keys("1");
    session.resize(80, 24);
    assert!(session.shows("smss.exe") && session.shows("STARTED"));
    session.resize(40, 8);
    assert!(session.shows("System"), "{}", session.screen());
}

#[test]
fn names_that_steer_a_terminal_are_shown_and_copied_escaped() {
    let process = |pid, image| ListedProcess {
        pid,
        create_time: 1,
        image,
        tids: &[],
    };
    let mut builder = Builder::new(8);
    builder.section(
        Family::PROCESSES,
        &process_list(&[
            process(4, "\x1b[2J\x07b.exe"),
            process(8, "\u{202E}gnp.exe"),
        ]),
    );
    let mut session = Session::new(&builder.finish());
    assert!(session.shows("\\u{1b}[2J\\u{7}b.exe"));
    assert!(session.shows("\\u{202e}gnp.exe"));
    assert!(
        session
            .screen()
            .chars()
            .all(|character| !character.is_control() || character == '\n')
    );
    let copied = session.key(KeyCode::Char('c'));
    assert_eq!(copied, Effect::Copy("\\u{1b}[2J\\u{7}b.exe".to_owned()));
    session.type_in('/', "u{202e}");
    assert!(
        session.selected().contains("gnp.exe"),
        "found as it is shown"
    );
}

#[test]
fn wide_characters_and_the_ends_of_paths_stay_within_their_columns() {
    let process = |pid, image| ListedProcess {
        pid,
        create_time: 1,
        image,
        tids: &[],
    };
    let wide = "日本語".repeat(12);
    let mut builder = Builder::new(8);
    builder.section(Family::PROCESSES, &process_list(&[process(4, &wide)]));
    let mut session = Session::new(&builder.finish());
    session.type_in('/', "本語日");
    session.resize(80, 10);
    let lines = session.lines();
    // A wide character takes two cells, the second of which is empty.
    assert!(lines[4].contains("日 本 語 …"), "{}", session.screen());
    let title = lines[3].find("THREADS").expect("the next column");
    let cell: String = lines[4].chars().skip(title).take(7).collect();
    assert_eq!(
        cell,
        "      0",
        "it begins where it does: {}",
        session.screen()
    );
}

#[test]
fn a_damaged_file_has_a_banner_and_lists_what_is_wrong() {
    let mut file = machine_live().finish();
    let middle = file.len() / 2;
    file[middle] ^= 0xFF;
    let mut session = Session::new(&file);
    assert!(
        session.lines()[1].starts_with("DAMAGED"),
        "{}",
        session.screen()
    );
    session.keys("!");
    assert!(session.shows("What could not be read"));
    assert!(session.shows("1  file offset"), "{}", session.screen());
}

#[test]
fn a_capture_that_did_not_end_has_a_banner() {
    let session = Session::new(&machine_live().unfinished());
    assert!(session.lines()[1].starts_with("UNFINISHED"));
    let session = Session::new(&machine_live().finish());
    assert!(!session.shows("UNFINISHED") && !session.shows("DAMAGED"));
}

#[test]
fn without_colours_everything_is_told_apart_all_the_same() {
    let mut session = Session::everything();
    session.colours = false;
    session.type_in('/', "smss");
    let buffer = session.terminal.backend().buffer();
    let cells = buffer.content();
    assert!(
        cells
            .iter()
            .all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset)
    );
    let has = |modifier| cells.iter().any(|cell| cell.modifier.contains(modifier));
    assert!(has(Modifier::REVERSED) && has(Modifier::BOLD) && has(Modifier::UNDERLINED));
}

/// A process with as many handles as that, to half as many events.
fn many_handles(count: u64) -> Vec<u8> {
    let process = ListedProcess {
        pid: 4,
        create_time: 1,
        image: "System",
        tids: &[],
    };
    let handles: Vec<ListedHandle> = (1..=count)
        .map(|number| ListedHandle {
            pid: 4,
            handle: number * 4,
            object: 0xFFFF_8000_0000_0000 + number / 2 * 0x40,
            type_index: 2,
        })
        .collect();
    let mut builder = Builder::new(8);
    builder
        .section(Family::PROCESSES, &process_list(&[process]))
        .section(Family::HANDLES, &handle_list(&handles))
        .section(Family::TYPES, &type_table(&["Event"]));
    builder.finish()
}

#[test]
fn work_on_many_rows_is_done_in_pieces_between_keys() {
    let mut session = Session::new(&many_handles(100_000));
    session.keys("2G");
    assert!(session.shows("100000 of 100000") && session.shows("0x61a80"));
    for key in "f0x61a8".chars() {
        let key = KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE);
        assert_eq!(session.explorer.key(key), Effect::Nothing);
    }
    assert!(session.explorer.is_busy());
    session.explorer.work(10_000);
    session.draw();
    assert!(session.shows("10 %, "), "{}", session.screen());
    // The next letter finds it at work, and need not wait.
    session.keys("0");
    assert_eq!(session.explorer.list().len(), 1);
    assert!(session.selected().contains("0x61a80"));
}
