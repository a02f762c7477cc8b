//! Long output on a terminal goes through the person's pager.

use std::env;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use anstream::AutoStream;

use crate::output;

/// What is done with output.
enum Paging {
    /// It goes to standard output.
    Off,
    /// The same, since the person wants no pager.
    Forbidden,
    /// The first line of it starts the pager.
    Wanted,
    On(Pager),
}

/// Bytes of output after which somebody must have read: no pipe takes as many that nobody reads.
const MOST_UNREAD: usize = 1 << 20;

struct Pager {
    child: Child,
    /// None when it is gone.
    input: Option<AutoStream<Box<dyn Write + Send>>>,
    /// What it was given, as long as it may be that the shell does not find it and nobody reads that.
    unread: Option<String>,
    /// The shell did not find it, or could not start it.
    missing: bool,
    /// Written when the pager is gone: in between they would stand in its picture.
    warnings: Vec<String>,
}

/// What a shell ends with when it cannot start a program, and when there is none of that name (POSIX, 2.8.2).
const NOT_STARTED: i32 = 126;
const NOT_FOUND: i32 = 127;

static PAGING: Mutex<Paging> = Mutex::new(Paging::Off);

fn with<T>(act: impl FnOnce(&mut Paging) -> T) -> T {
    act(&mut PAGING
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner()))
}

/// From now on the output goes through a pager, where it goes to a terminal and the person has one.
pub fn allow() {
    if io::stdout().is_terminal() {
        with(|paging| {
            if matches!(paging, Paging::Off) {
                *paging = Paging::Wanted;
            }
        });
    }
}

/// Whatever is allowed later, there is no pager.
pub fn forbid() {
    with(|paging| *paging = Paging::Forbidden);
}

/// Gives a line to the pager; `None` where there is none.
pub fn line(text: &str) -> Option<io::Result<()>> {
    with(|paging| {
        if matches!(paging, Paging::Wanted) {
            *paging = Pager::start().map_or(Paging::Off, Paging::On);
        }
        match paging {
            Paging::On(pager) if !pager.missing => Some(pager.line(text)),
            _ => None,
        }
    })
}

/// Keeps a warning until the pager is gone. `false` where there is none.
pub fn hold(warning: &str) -> bool {
    with(|paging| match paging {
        Paging::On(pager) => {
            pager.warnings.push(warning.to_owned());
            true
        }
        _ => false,
    })
}

/// Waits until the person has read enough; the warnings that were held.
pub fn finish() -> Vec<String> {
    let paging = with(|paging| std::mem::replace(paging, Paging::Off));
    let Paging::On(mut pager) = paging else {
        return Vec::new();
    };
    // Nobody is left to be told.
    let _ = pager.end();
    pager.warnings
}

impl Pager {
    /// `PAGER` as a command line for the shell, else `less`; none when it is empty, `cat`, or not there.
    fn start() -> Option<Self> {
        let mut command = match env::var("PAGER") {
            Ok(chosen) if matches!(chosen.trim(), "" | "cat") => return None,
            Ok(chosen) if cfg!(windows) => {
                let mut command = Command::new("cmd");
                command.arg("/C").arg(chosen);
                command
            }
            Ok(chosen) => {
                let mut command = Command::new("sh");
                command.arg("-c").arg(chosen);
                command
            }
            Err(_) => Command::new("less"),
        };
        if env::var_os("LESS").is_none() {
            // Leave at once when all of it fits, show colours, and leave what was read on the screen.
            command.env("LESS", "FRX");
        }
        let mut child = command.stdin(Stdio::piped()).spawn().ok()?;
        let colours = AutoStream::choice(&io::stdout());
        let input: Box<dyn Write + Send> = Box::new(child.stdin.take()?);
        let input = AutoStream::new(input, colours);
        // Ctrl+C is for the pager while there is one; that it cannot be kept from us is no reason to show nothing.
        let _ = ctrlc::set_handler(|| {});
        Some(Self {
            child,
            input: Some(input),
            unread: Some(String::new()),
            missing: false,
            warnings: Vec::new(),
        })
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        let Some(input) = &mut self.input else {
            return Ok(());
        };
        if let Some(unread) = &mut self.unread {
            unread.extend([text, "\n"]);
        }
        match writeln!(input, "{text}") {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.end(),
            written => {
                self.unread.take_if(|unread| unread.len() > MOST_UNREAD);
                written
            }
        }
    }

    /// Waits until it is gone. If it was never there, what it was given goes to standard output.
    fn end(&mut self) -> io::Result<()> {
        drop(self.input.take());
        // Nothing is left to be done about a pager that cannot be waited for.
        let code = self.child.wait().ok().and_then(|ended| ended.code());
        match (self.unread.take(), code) {
            (Some(unread), Some(NOT_STARTED | NOT_FOUND)) => {
                self.missing = true;
                output::directly(&unread)
            }
            _ => Ok(()),
        }
    }
}
