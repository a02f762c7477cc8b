//! `man`: the manual pages.

use std::fs;
use std::path::PathBuf;

use clap::Command;
use clap_mangen::Man;

use crate::error::{Error, Outcome};
use crate::output;

/// Arguments of `man`.
#[derive(clap::Args)]
#[command(after_help = "\
Without a directory the page about bootshotctl itself is written to standard output.

Examples:
  bootshotctl man | man -l -
  bootshotctl man --to ~/.local/share/man/man1")]
pub struct Args {
    /// Write the pages about bootshotctl and each of its commands into this directory
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

pub fn run(args: &Args, command: Command) -> Result<Outcome, Error> {
    let Some(directory) = &args.to else {
        let mut page = Vec::new();
        Man::new(command)
            .render(&mut page)
            .map_err(|error| Error::failed("cannot write the manual page").because(error))?;
        output::bytes(&page)?;
        return Ok(Outcome::Done);
    };
    fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(command, directory))
        .map_err(|error| {
            Error::failed(format!(
                "cannot write the manual pages to {}",
                directory.display()
            ))
            .because(error)
        })?;
    Ok(Outcome::Done)
}
