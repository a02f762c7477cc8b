//! `sql`: snapshots asked in SQL.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use crate::commands::schema;
use crate::data::answer::{self, Form};
use crate::data::prompt;
use crate::data::session::Session;
use crate::data::sources;
use crate::error::{Error, Outcome};
use crate::pager;

/// Arguments of `sql`.
#[derive(clap::Args)]
#[command(override_usage = "bootshotctl sql [OPTIONS] [FILE]... [STATEMENT]")]
#[command(after_help = "\
\"bootshotctl schema\" shows the tables. Only those that a statement names are read. Without a statement there is a prompt
on a terminal, and elsewhere the statements are read from standard input.

Example: bootshotctl sql boot.bshot \"SELECT * FROM handles_by_type\"")]
pub struct Args {
    /// Snapshots, and directories for all *.bshot in and below them (without any, the newest of this system); last, the
    /// statement
    #[arg(value_names = ["FILE", "STATEMENT"], num_args = 0..)]
    arguments: Vec<OsString>,
    /// Print JSON: an array with an object for each row
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV, with formulas defused
    #[arg(long)]
    csv: bool,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let form = match (args.json, args.csv) {
        (true, _) => Form::Json,
        (_, true) => Form::Csv,
        _ => Form::Table,
    };
    let (files, statement) = match args.arguments.split_last() {
        Some((last, files)) if !is_file(last) => (files, Some(last.to_string_lossy().into_owned())),
        _ => (args.arguments.as_slice(), None),
    };
    let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
    let sources = sources::find(&files)?;
    let mut session = Session::new(sources).map_err(schema::impossible)?;
    let statement = match statement {
        Some(statement) => statement,
        None if io::stdin().is_terminal() => return prompt::run(&mut session, form),
        None => io::read_to_string(io::stdin()).map_err(|error| {
            Error::failed("cannot read statements from standard input").because(error)
        })?,
    };
    pager::allow();
    let mut answers = 0;
    let findings = session.ask(&statement, |asked| {
        answers += 1;
        answer::print(asked, form)
    })?;
    if answers == 0 {
        return Err(Error::usage("there is no statement")
            .advise("For example: bootshotctl sql boot.bshot \"SELECT * FROM processes\""));
    }
    Ok(findings.finish())
}

/// Whether an argument is a file and no statement: there is one of that name, or it looks like a name.
fn is_file(argument: &OsStr) -> bool {
    let exists = Path::new(argument).exists();
    let argument = argument.to_string_lossy();
    let is_name = !argument.is_empty() && !argument.contains([' ', '\t', '\n', '\r', '(', ';']);
    exists || argument.ends_with(".bshot") || is_name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_argument_is_a_statement_unless_it_can_be_a_file() {
        for statement in ["SELECT 1", "VALUES(1)", "SELECT\n1", ""] {
            assert!(!is_file(statement.as_ref()), "{statement:?}");
        }
        for file in [".", "no such file.bshot", "no-such-file"] {
            assert!(is_file(file.as_ref()), "{file:?}");
        }
    }
}
