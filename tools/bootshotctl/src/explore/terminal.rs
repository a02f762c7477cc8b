//! The terminal: taken, given back whatever happens, and in between fed with screens.

use std::io::{self, IsTerminal, Stdout, Write, stdout};
use std::panic;
use std::sync::Once;
use std::time::Duration;

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::Show;
use crossterm::event::{self, Event, KeyEventKind};
use crossterm::execute;
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use crate::explore::draw::{self, Look};
use crate::explore::explorer::{Effect, Explorer};
#[cfg(unix)]
use crate::explore::signals;

/// Rows that are filtered or searched before a key is looked for again.
const ROWS_AT_A_TIME: usize = 10_000;

/// Whether a person sits at both ends.
pub fn is_terminal() -> bool {
    io::stdin().is_terminal() && stdout().is_terminal()
}

/// The terminal while it is ours: its other screen, without echo.
struct Screen(Terminal<CrosstermBackend<Stdout>>);

impl Screen {
    fn take() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        // The message of a panic would go to the other screen, and be gone with it.
        HOOK.call_once(|| {
            let others = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                give_back();
                others(info);
            }));
        });
        #[cfg(unix)]
        signals::give_back_before_the_end(give_back)?;
        enable_raw_mode()?;
        // From here on, dropping it gives the terminal back.
        let screen = Terminal::new(CrosstermBackend::new(stdout())).map(Self);
        let screen = screen.inspect_err(|_| give_back())?;
        execute!(stdout(), EnterAlternateScreen)?;
        Ok(screen)
    }

    /// Has all of it drawn anew. ratatui's own would ask the terminal where its cursor is, and not every one answers.
    fn clear(&mut self) -> io::Result<()> {
        execute!(stdout(), Clear(ClearType::All))?;
        self.0.swap_buffers();
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Nobody is left to be told when it does not work.
fn give_back() {
    let _ = execute!(stdout(), LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

/// Shows the explorer until the person leaves.
pub fn run(mut explorer: Explorer, look: &Look) -> io::Result<()> {
    let mut screen = Screen::take()?;
    loop {
        screen
            .0
            .draw(|frame| draw::screen(frame, &mut explorer, look))?;
        let mut wait = !explorer.is_busy();
        if !wait {
            explorer.work(ROWS_AT_A_TIME);
        }
        // What has been typed meanwhile is drawn once.
        while wait || event::poll(Duration::ZERO)? {
            wait = false;
            let Event::Key(key) = event::read()? else {
                continue;
            };
            if key.kind == KeyEventKind::Release {
                continue;
            }
            match explorer.key(key) {
                Effect::Nothing => {}
                Effect::Copy(text) => {
                    // Consoles of Windows before 10 know no such thing.
                    if execute!(stdout(), CopyToClipboard::to_clipboard_from(text)).is_err() {
                        explorer.say("not copied: this terminal takes no text for a clipboard");
                    }
                }
                Effect::Redraw => screen.clear()?,
                Effect::Quit => return stdout().flush(),
            }
        }
    }
}

#[cfg(all(test, unix))]
#[path = "../../tests/support/tmux.rs"]
#[expect(dead_code, reason = "the tests of the command need more of it")]
mod tmux;

#[cfg(all(test, unix))]
mod tests {
    use std::env;

    use super::*;

    /// Tells the test below that it is the one in the terminal.
    const IN_TERMINAL: &str = "BOOTSHOT_TEST_IN_TERMINAL";

    #[test]
    #[ignore = "needs tmux: run by cargo xtask test"]
    fn in_tmux_a_panic_gives_the_screen_back_and_can_be_read() {
        const NAME: &str =
            "explore::terminal::tests::in_tmux_a_panic_gives_the_screen_back_and_can_be_read";
        if env::var_os(IN_TERMINAL).is_some() {
            let _screen = Screen::take().expect("a terminal");
            execute!(stdout(), crossterm::style::Print("on the other screen")).unwrap();
            panic!("something that should not be");
        }
        let program = env::current_exe().expect("this program");
        let program = program.to_str().expect("a plain path");
        let line = format!("{program} --exact {NAME} --ignored --nocapture; stty -a");
        let environment = [(IN_TERMINAL, "1"), ("RUST_BACKTRACE", "0")];
        let tmux = super::tmux::Tmux::start(150, 50, &["/bin/sh", "-c", &line], &environment);
        let screen = tmux.wait_until("the settings of the terminal", |screen| {
            screen.contains("echoctl")
        });
        assert!(screen.contains("something that should not be"), "{screen}");
        assert!(!screen.contains("on the other screen"), "{screen}");
        assert!(
            screen.contains(" echo ") && screen.contains(" icanon "),
            "{screen}"
        );
        assert_eq!(
            tmux.tell(&["display-message", "-p", "#{alternate_on}"])
                .trim(),
            "0"
        );
    }
}
