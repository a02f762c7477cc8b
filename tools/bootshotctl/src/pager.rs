//! Long output on a terminal goes through the person's pager.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use anstream::AutoStream;

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

struct Pager {
    child: Child,
    input: Option<AutoStream<Box<dyn Write + Send>>>,
    /// Written when the pager is gone: in between they would stand in its picture.
    warnings: Vec<String>,
}

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
            Paging::On(Pager {
                input: Some(input), ..
            }) => Some(writeln!(input, "{text}")),
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
    drop(pager.input.take());
    // Nothing is left to be done about a pager that cannot be waited for.
    let _ = pager.child.wait();
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
            warnings: Vec::new(),
        })
    }
}
