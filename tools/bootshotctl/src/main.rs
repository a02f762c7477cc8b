//! `bootshotctl` registers, launches and reads bootshot.
//!
//! Exit codes: 0 done, 1 the answer is "no" (not installed, damaged, findings), 2 wrong use, 3 it could not be done.

#![deny(unsafe_code)]

mod commands;
mod error;
mod output;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::check;
use crate::error::{Error, Outcome};

#[derive(Parser)]
#[command(
    name = "bootshotctl",
    version,
    about = "Registers, launches and reads bootshot, the boot-time snapshot"
)]
#[command(
    after_help = "Exit codes: 0 done, 1 the answer is \"no\", 2 wrong use, 3 it could not be done."
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Tell whether an executable is fit to run as a native program at boot
    Check(check::Args),
}

fn run(command: Command) -> Result<Outcome, Error> {
    match command {
        Command::Check(args) => check::run(&args),
    }
}

fn main() -> ExitCode {
    match run(CommandLine::parse().command) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            eprintln!("bootshotctl: {error}");
            error.exit_code()
        }
    }
}
