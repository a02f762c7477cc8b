//! `handles`: the handles of all processes, one by one or counted.

use bootshot_reader::records::{Handle, OfProcess, OfType};
use bootshot_reader::tables::{self, Column, Kind};

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
    let (selection, json) = (&args.selection, args.input.json);
    let wanted = |pid: u64, object_type: &str| {
        let name = args.object_type.as_deref();
        args.pid.is_none_or(|wanted| wanted == pid)
            && name.is_none_or(|name| object_type.eq_ignore_ascii_case(name))
    };
    let problems = if args.by_type {
        let reading = snapshot.handles_by_type(wanted);
        selection.show_only(json, OF_TYPE, reading.value, |rows| {
            type_table(rows).print()
        })?;
        reading.problems
    } else if args.by_process {
        let reading = snapshot.handles_by_process(wanted);
        selection.show_only(json, OF_PROCESS, reading.value, |rows| {
            process_table(rows).print()
        })?;
        reading.problems
    } else {
        let mut reading = snapshot.handles();
        let handles = &mut reading.value;
        handles.retain(|handle| wanted(handle.pid, &handle.object_type));
        selection.apply(&tables::HANDLES, handles)?;
        selection.show(json, &tables::HANDLES, handles, handles, |handles| {
            table(handles).print()
        })?;
        reading.problems
    };
    Ok(reading::finish(&snapshot, &problems))
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
