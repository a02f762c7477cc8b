//! `handles`: the handles of all processes, one by one or counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bootshot_reader::records::Handle;
use bootshot_reader::tables::{self, Column, Kind};
use serde::Serialize;

use crate::error::{Error, Outcome};
use crate::output::{Align, Table};
use crate::reading::{self, Input};
use crate::selection::Selection;
use crate::shown;

/// Arguments of `handles`.
#[derive(clap::Args)]
#[command(
    after_help = "Example: bootshotctl handles boot.bshot --type Section --sort name --columns image,handle,name"
)]
pub struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    selection: Selection,
    /// Only handles of the process with this id
    #[arg(long)]
    pid: Option<u64>,
    /// Only handles to objects of this type, in any case
    #[arg(long = "type", value_name = "TYPE")]
    object_type: Option<String>,
    /// Count them by type
    #[arg(long, conflicts_with = "by_process")]
    by_type: bool,
    /// Count them by process
    #[arg(long)]
    by_process: bool,
}

/// The handles to objects of one type.
#[derive(Serialize)]
struct OfType {
    #[serde(rename = "type")]
    object_type: Arc<str>,
    handle_count: u64,
    process_count: usize,
}

const OF_TYPE: &[Column] = &[
    Column {
        name: "type",
        kind: Kind::Text,
        meaning: "type of the objects",
    },
    HANDLE_COUNT,
    Column {
        name: "process_count",
        kind: Kind::Integer,
        meaning: "processes that have such handles",
    },
];

const HANDLE_COUNT: Column = Column {
    name: "handle_count",
    kind: Kind::Integer,
    meaning: "handles",
};

/// The handles of one process.
#[derive(Serialize)]
struct OfProcess {
    pid: u64,
    image: Option<Arc<str>>,
    handle_count: u64,
}

const OF_PROCESS: &[Column] = &[
    Column {
        name: "pid",
        kind: Kind::Integer,
        meaning: "process id",
    },
    Column {
        name: "image",
        kind: Kind::Text,
        meaning: "file name of the process's image",
    },
    HANDLE_COUNT,
];

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
    let mut reading = snapshot.handles();
    reading.value.retain(|handle| {
        let wanted = args.object_type.as_deref();
        args.pid.is_none_or(|pid| handle.pid == pid)
            && wanted.is_none_or(|name| handle.object_type.eq_ignore_ascii_case(name))
    });
    let handles = &mut reading.value;
    let (selection, json) = (&args.selection, args.input.json);
    if args.by_type {
        selection.show_only(json, OF_TYPE, by_type(handles), |rows| {
            type_table(rows).print()
        })?;
    } else if args.by_process {
        selection.show_only(json, OF_PROCESS, by_process(handles), |rows| {
            process_table(rows).print()
        })?;
    } else {
        selection.apply(&tables::HANDLES, handles)?;
        selection.show(json, &tables::HANDLES, handles, handles, |handles| {
            table(handles).print()
        })?;
    }
    Ok(reading::finish(&snapshot, &reading.problems))
}

/// The most handles first.
fn by_type(handles: &[Handle]) -> Vec<OfType> {
    let mut types: BTreeMap<&Arc<str>, (u64, BTreeSet<u64>)> = BTreeMap::new();
    for handle in handles {
        let (count, processes) = types.entry(&handle.object_type).or_default();
        *count += 1;
        processes.insert(handle.pid);
    }
    let mut rows: Vec<_> = types
        .into_iter()
        .map(|(object_type, (handle_count, processes))| OfType {
            object_type: object_type.clone(),
            handle_count,
            process_count: processes.len(),
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.handle_count));
    rows
}

/// The most handles first.
fn by_process(handles: &[Handle]) -> Vec<OfProcess> {
    let mut processes: BTreeMap<u64, (u64, &Option<Arc<str>>)> = BTreeMap::new();
    for handle in handles {
        processes.entry(handle.pid).or_insert((0, &handle.image)).0 += 1;
    }
    let mut rows: Vec<_> = processes
        .into_iter()
        .map(|(pid, (handle_count, image))| OfProcess {
            pid,
            image: image.clone(),
            handle_count,
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.handle_count));
    rows
}

fn table(handles: &[Handle]) -> Table {
    let mut table = Table::new(&[
        ("PID", Align::Right),
        ("IMAGE", Align::Left),
        ("HANDLE", Align::Right),
        ("TYPE", Align::Left),
        ("ACCESS", Align::Right),
        ("ATTRIBUTES", Align::Left),
        ("OBJECT", Align::Left),
        ("RIGHTS", Align::Left),
        ("NAME", Align::Left),
    ]);
    for handle in handles {
        table.row([
            handle.pid.to_string(),
            shown::optional(handle.image.as_deref()),
            handle.handle.to_string(),
            handle.object_type.to_string(),
            handle.granted_access.to_string(),
            handle.handle_attributes.join(" "),
            shown::optional(handle.object_address),
            handle.access_names.names().join(" "),
            handle.naming.to_string(),
        ]);
    }
    table
}

fn type_table(rows: &[OfType]) -> Table {
    let mut table = Table::new(&[
        ("TYPE", Align::Left),
        ("HANDLES", Align::Right),
        ("PROCESSES", Align::Right),
    ]);
    for row in rows {
        table.row([
            row.object_type.to_string(),
            row.handle_count.to_string(),
            row.process_count.to_string(),
        ]);
    }
    table
}

fn process_table(rows: &[OfProcess]) -> Table {
    let mut table = Table::new(&[
        ("PID", Align::Right),
        ("IMAGE", Align::Left),
        ("HANDLES", Align::Right),
    ]);
    for row in rows {
        table.row([
            row.pid.to_string(),
            shown::optional(row.image.as_deref()),
            row.handle_count.to_string(),
        ]);
    }
    table
}
