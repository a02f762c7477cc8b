//! `redact`: a snapshot that can be shown to others, without what tells about the machine's kernel and its users.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use bootshot_reader::redact::{self, Keep, Redacted};
use bootshot_reader::{ReadError, Snapshot};

use crate::error::{Error, Outcome};
use crate::new_file::{require_free, write_new};
use crate::output::{self, Pairs};
use crate::reading::{is_damaged, unreadable};
use crate::shown;

/// Arguments of `redact`.
#[derive(clap::Args)]
#[command(
    after_help = "Example: bootshotctl redact 00000007-live.bshot published.bshot --keep command-lines"
)]
pub struct Args {
    /// The snapshot; it stays as it is
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The new snapshot. Nothing is overwritten
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// What stays; without it, nothing of these does
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    keep: Vec<Kept>,
    /// A file with a secret of at least 16 bytes: snapshots redacted with one secret have the same pseudonyms. Without
    /// it, a secret is drawn, used once and forgotten
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// What can stay.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kept {
    /// Addresses of the kernel, of its modules and objects
    Addresses,
    /// Names of users, machines and domains, and security identifiers
    Users,
    /// Command lines of processes, and the arguments of services
    CommandLines,
    /// Environments, of the capture and of the registry
    Environment,
}

/// Fewest bytes of a secret that nobody tries out.
const SHORTEST_KEY: usize = 16;

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let (input, output) = (&args.input, &args.output);
    refuse(input, output)?;
    let key = key(args.key.as_deref())?;
    let file = fs::read(input).map_err(|error| unreadable(input, &error))?;
    let keep = |what| args.keep.contains(&what);
    let keep = Keep {
        addresses: keep(Kept::Addresses),
        users: keep(Kept::Users),
        command_lines: keep(Kept::CommandLines),
        environment: keep(Kept::Environment),
    };
    let not_read = |error: ReadError| {
        let what = format!("cannot redact {}", input.display());
        match error {
            ReadError::DamagedHeader | ReadError::CutShort { .. } => Error::no(what),
            _ => Error::failed(what),
        }
        .because(error)
    };
    let redacted = redact::redact(&file, &key, keep).map_err(not_read)?;
    write_new(output, |file| file.write_all(&redacted.file))?;
    report(output, &redacted, keep)?;
    let damaged = Snapshot::parse(&file).is_ok_and(|snapshot| is_damaged(&snapshot));
    Ok(if damaged { Outcome::No } else { Outcome::Done })
}

/// Refuses to write to a place where something is.
fn refuse(input: &Path, output: &Path) -> Result<(), Error> {
    let same = fs::canonicalize(input)
        .ok()
        .zip(fs::canonicalize(output).ok());
    if same.is_some_and(|(input, output)| input == output) {
        let what = format!("will not write over {}", input.display());
        return Err(Error::failed(what)
            .because("it is the snapshot that is to be redacted")
            .advise("Name another file: the snapshot as it was captured is the evidence."));
    }
    require_free(output)
}

fn key(file: Option<&Path>) -> Result<Vec<u8>, Error> {
    let Some(file) = file else {
        let mut drawn = vec![0; 32];
        return match getrandom::fill(&mut drawn) {
            Ok(()) => Ok(drawn),
            Err(error) => Err(Error::failed("cannot draw a secret")
                .because(error)
                .advise("Name a file that holds one with --key.")),
        };
    };
    let key = fs::read(file).map_err(|error| {
        Error::failed(format!("cannot read the secret in {}", file.display())).because(error)
    })?;
    if key.len() < SHORTEST_KEY {
        return Err(Error::failed(format!("will not use the secret in {}", file.display()))
            .because(format!("it has {} bytes", key.len()))
            .advise(format!(
                "Whoever tries out all short secrets finds it: use at least {SHORTEST_KEY} random bytes."
            )));
    }
    Ok(key)
}

fn report(output: &Path, redacted: &Redacted, keep: Keep) -> Result<(), Error> {
    let mut pairs = Pairs::default();
    pairs.add("redacted", output.display().to_string());
    let mut row = |what: &str, kept: bool, told: String| {
        pairs.add(what, if kept { "kept".to_owned() } else { told });
    };
    let addresses = shown::count(redacted.addresses, "address", "addresses");
    row("addresses", keep.addresses, format!("{addresses} replaced"));
    let names = shown::count(redacted.names, "name", "names");
    let identifiers = shown::count(redacted.identifiers, "identifier", "identifiers");
    row(
        "users",
        keep.users,
        format!("{names} and {identifiers} replaced"),
    );
    let lines = shown::count(redacted.command_lines, "command line", "command lines");
    row(
        "command lines",
        keep.command_lines,
        format!("{lines} removed"),
    );
    let variables = shown::count(redacted.variables, "variable", "variables");
    row(
        "environment",
        keep.environment,
        format!("{variables} removed"),
    );
    let answers = shown::count(redacted.dropped_answers, "answer", "answers");
    let bytes = shown::size(redacted.dropped_bytes);
    pairs.add(
        "not interpreted",
        format!("{bytes} removed, {answers} among them"),
    );
    if redacted.damaged_sections != 0 {
        let sections = shown::count(redacted.damaged_sections, "section", "sections");
        pairs.add("damaged", format!("{sections} emptied"));
    }
    pairs.print()?;
    if redacted.was_damaged {
        output::warn(
            "the snapshot is unfinished or damaged: the new one holds what could be read and is closed as salvaged",
        );
    }
    Ok(())
}
