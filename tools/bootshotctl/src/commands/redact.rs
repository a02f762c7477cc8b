//! `redact`: a snapshot that can be shown to others, without what tells about the machine's kernel and its users.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process;

use bootshot_reader::redact::{self, Keep, Redacted};
use bootshot_reader::{ReadError, Snapshot};

use crate::error::{Error, Outcome};
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
    write(output, &redacted.file)?;
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
    if output.symlink_metadata().is_ok() {
        return Err(Error::failed(format!("cannot write {}", output.display()))
            .because("it exists already")
            .advise("Name another file, or remove this one: nothing is overwritten."));
    }
    Ok(())
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

/// Writes the whole file beside its place first, so that there is never a part of one there.
fn write(path: &Path, snapshot: &[u8]) -> Result<(), Error> {
    let failed = |error| Error::failed(format!("cannot write {}", path.display())).because(error);
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(format!(".{}.part", process::id()));
    let part = path.with_file_name(name);
    let mut file = File::create_new(&part).map_err(|error| {
        failed(error).advise("Name a file in a directory that exists and that you may write to.")
    })?;
    let written = file.write_all(snapshot).and_then(|()| file.sync_all());
    drop(file);
    // Taking the place fails when somebody else has meanwhile; the rename replaces what was put there then.
    let taken = written.and_then(|()| File::create_new(path)).map(drop);
    let placed = taken.and_then(|()| {
        fs::rename(&part, path).inspect_err(|_| {
            // Empty, and ours.
            let _ = fs::remove_file(path);
        })
    });
    placed.map_err(|error| {
        // What was begun is no snapshot; if it cannot be removed either, the first error says more.
        let _ = fs::remove_file(&part);
        failed(error)
    })
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
