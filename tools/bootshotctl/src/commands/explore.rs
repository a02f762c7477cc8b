//! `explore`: a snapshot to walk around in, in the terminal.

use std::env;
use std::path::PathBuf;

use crate::error::{Error, Outcome};
use crate::explore;
use crate::reading;

/// Arguments of `explore`.
#[derive(clap::Args)]
#[command(after_help = "\
? lists the keys. Copying (y, c, Y) asks the terminal to put text on its clipboard (OSC 52), which works over ssh where the \
terminal allows it; in tmux it takes \"set -g set-clipboard on\".

Example: bootshotctl explore boot.bshot")]
pub struct Args {
    /// The snapshot, or a directory for the newest in it; without it, the newest of this system (Windows)
    file: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    if !explore::is_terminal() {
        return Err(Error::usage("explore needs a terminal to draw on and to read keys from")
            .advise("The other commands print tables and JSON; \"bootshotctl report\" writes a page to look at in a browser."));
    }
    let file = reading::open(args.file.as_deref())?;
    let snapshot = file.snapshot()?;
    let name = file.path().file_name().unwrap_or(file.path().as_os_str());
    let colours = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    explore::run(name.to_string_lossy().into_owned(), &snapshot, colours)
        .map_err(|error| Error::failed("the terminal does not do what it should").because(error))?;
    Ok(reading::finish(&snapshot, &[]))
}
