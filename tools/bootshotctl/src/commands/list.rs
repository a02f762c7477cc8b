//! `list`: the snapshots of a directory.

use std::fs;
use std::path::{Path, PathBuf};

use bootshot_reader::tables::{Column, Kind};
use bootshot_reader::{Completeness, Snapshot, Time};
use serde::Serialize;

use crate::error::{Error, Outcome};
use crate::output::{self, Align, Table};
use crate::reading::{default_directory, is_damaged};
use crate::selection::Selection;
use crate::shown;
use crate::snapshots::Directory;

/// Arguments of `list`.
#[derive(clap::Args)]
#[command(after_help = "Example: bootshotctl list D:\\evidence --filter phase=bootexecute")]
pub struct Args {
    /// The directory; without it, the one bootshot writes to on this system (Windows)
    directory: Option<PathBuf>,
    /// Print an array of objects as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    selection: Selection,
}

/// A snapshot in the directory.
#[derive(Serialize)]
struct Listed {
    file: String,
    /// Bytes.
    size: u64,
    sequence: Option<u64>,
    start_time: Option<Time>,
    phase: Option<&'static str>,
    nt_version: Option<String>,
    machine: Option<&'static str>,
    completeness: Option<Completeness>,
    damaged: bool,
    /// Why it cannot be read at all.
    error: Option<String>,
}

const COLUMNS: &[Column] = &[
    column("file", Kind::Text, "path"),
    column("size", Kind::Size, "the file"),
    column(
        "sequence",
        Kind::Integer,
        "grows with every snapshot of a directory",
    ),
    column("start_time", Kind::Time, "when the capture began"),
    column("phase", Kind::Text, "bootexecute, setupexecute, live"),
    column("nt_version", Kind::Text, "version of NT"),
    column("machine", Kind::Text, "x86, x64, arm64"),
    column(
        "completeness",
        Kind::Text,
        "complete, timed_out, salvaged, unfinished",
    ),
    column(
        "damaged",
        Kind::Boolean,
        "whether bytes are not as they were written",
    ),
    column("error", Kind::Text, "why it cannot be read at all"),
];

const fn column(name: &'static str, kind: Kind, meaning: &'static str) -> Column {
    Column {
        name,
        kind,
        meaning,
    }
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let directory = match &args.directory {
        Some(path) if !path.is_dir() => {
            return Err(Error::failed(format!(
                "{} is not a directory",
                path.display()
            )));
        }
        Some(path) => Directory::new(path.clone()),
        None => default_directory("list the snapshots")?,
    };
    let listed = directory
        .snapshots()?
        .iter()
        .map(|snapshot| judge(&snapshot.path))
        .collect::<Vec<_>>();
    let nothing = listed.is_empty();
    args.selection
        .show_only(args.json, COLUMNS, listed, |listed| match nothing {
            true => output::line(format!("no snapshots in {}", directory.path().display())),
            false => table(listed).print(),
        })?;
    Ok(Outcome::Done)
}

fn judge(path: &Path) -> Listed {
    let mut listed = Listed {
        file: path.display().to_string(),
        size: path.metadata().map_or(0, |metadata| metadata.len()),
        sequence: None,
        start_time: None,
        phase: None,
        nt_version: None,
        machine: None,
        completeness: None,
        damaged: false,
        error: None,
    };
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            listed.error = Some(error.to_string());
            return listed;
        }
    };
    listed.size = bytes.len() as u64;
    match Snapshot::parse(&bytes) {
        Ok(snapshot) => {
            let header = &snapshot.header;
            listed.sequence = Some(header.sequence);
            listed.start_time = Time::new(header.system_time);
            listed.phase = Some(header.phase.name());
            listed.nt_version = Some(format!(
                "{}.{}.{}",
                header.nt_major, header.nt_minor, header.nt_build
            ));
            listed.machine = bootshot_reader::names::machine(header.machine);
            listed.completeness = Some(snapshot.completeness());
            listed.damaged = is_damaged(&snapshot);
        }
        Err(error) => listed.error = Some(error.to_string()),
    }
    listed
}

fn table(listed: &[Listed]) -> Table {
    let mut table = Table::new(&[
        ("TIME", Align::Left),
        ("STATE", Align::Left),
        ("SIZE", Align::Right),
        ("PHASE", Align::Left),
        ("SYSTEM", Align::Left),
        ("FILE", Align::Left),
    ]);
    for snapshot in listed {
        let system = [snapshot.nt_version.as_deref(), snapshot.machine];
        let system: Vec<_> = system.into_iter().flatten().collect();
        let state = match (&snapshot.error, snapshot.damaged, snapshot.completeness) {
            (Some(error), ..) => error,
            (_, true, _) => "damaged",
            (.., Some(Completeness::Complete)) => "complete",
            (.., Some(Completeness::TimedOut)) => "timed out",
            (.., Some(Completeness::Salvaged)) => "salvaged",
            _ => "unfinished",
        };
        let name = Path::new(&snapshot.file).file_name().unwrap_or_default();
        table.row([
            shown::optional(snapshot.start_time.map(shown::moment)),
            state.to_owned(),
            shown::size(snapshot.size),
            shown::optional(snapshot.phase),
            system.join(" "),
            name.to_string_lossy().into_owned(),
        ]);
    }
    table
}
