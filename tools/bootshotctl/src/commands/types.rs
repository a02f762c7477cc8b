//! `types`: the object types with the kernel's statistics of them.

use bootshot_reader::records::ObjectType;
use bootshot_reader::tables;

use crate::error::{Error, Outcome};
use crate::output::{Align, Table};
use crate::reading::{self, Input};
use crate::selection::Selection;
use crate::shown;

/// Arguments of `types`.
#[derive(clap::Args)]
#[command(after_help = "Example: bootshotctl types boot.bshot --sort -handle_count")]
pub struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    selection: Selection,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
    let mut reading = snapshot.types();
    let types = &mut reading.value;
    args.selection.apply(&tables::TYPES, types)?;
    args.selection
        .show(args.input.json, &tables::TYPES, types, types, |types| {
            table(types).print()
        })?;
    Ok(reading::finish(&snapshot, &reading.problems))
}

fn table(types: &[ObjectType]) -> Table {
    let mut table = Table::new(&[
        ("INDEX", Align::Right),
        ("NAME", Align::Left),
        ("OBJECTS", Align::Right),
        ("PEAK", Align::Right),
        ("HANDLES", Align::Right),
        ("PEAK", Align::Right),
        ("VALID", Align::Right),
        ("READ", Align::Right),
        ("WRITE", Align::Right),
        ("EXECUTE", Align::Right),
        ("ALL", Align::Right),
        ("POOL", Align::Left),
    ]);
    for entry in types {
        let mapping = entry.generic_mapping;
        table.row([
            shown::optional(entry.index),
            shown::optional(entry.name.as_deref()),
            shown::optional(entry.object_count),
            shown::optional(entry.peak_object_count),
            shown::optional(entry.handle_count),
            shown::optional(entry.peak_handle_count),
            shown::optional(entry.valid_access_mask),
            shown::optional(mapping.map(|mapping| mapping.read)),
            shown::optional(mapping.map(|mapping| mapping.write)),
            shown::optional(mapping.map(|mapping| mapping.execute)),
            shown::optional(mapping.map(|mapping| mapping.all)),
            shown::optional(entry.pool_type.as_deref()),
        ]);
    }
    table
}
