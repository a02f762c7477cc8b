//! `undo-script`: the commands that take bootshot out of a system that does not start.

use std::path::PathBuf;

use crate::error::{Error, Outcome};
use crate::lists::Current;
use crate::output;
use crate::recovery;
use crate::system;

/// Arguments of `undo-script`.
#[derive(clap::Args)]
#[command(after_help = "Example: bootshotctl undo-script > D:\\undo.cmd")]
pub struct Args {
    /// For the installation in this folder (its Windows folder, or the root of its volume), which does not run
    #[arg(long, value_name = "DIR")]
    offline: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let system = system::of(args.offline.as_deref(), "tell what is registered")?;
    let lists = Current::read_all(&*system)?;
    output::line(recovery::script(system.windows_directory(), &lists))?;
    Ok(Outcome::Done)
}
