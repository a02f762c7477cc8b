//! `types`: the object types with the kernel's statistics of them.

use bootshot_reader::records::ObjectType;

use crate::error::{Error, Outcome};
use crate::output::{self, Align, Table};
use crate::reading::{self, Input};

/// Arguments of `types`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    input: Input,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
    let reading = snapshot.types();
    args.input.show(&reading.value, |types| table(types).print())?;
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
        ("POOL", Align::Left),
        ("VALID", Align::Right),
        ("READ", Align::Right),
        ("WRITE", Align::Right),
        ("EXECUTE", Align::Right),
        ("ALL", Align::Right),
    ]);
    for entry in types {
        let mapping = entry.generic_mapping;
        table.row([
            output::optional(entry.index),
            output::optional(entry.name.as_deref()),
            output::optional(entry.object_count),
            output::optional(entry.peak_object_count),
            output::optional(entry.handle_count),
            output::optional(entry.peak_handle_count),
            output::optional(entry.pool_type.as_deref()),
            output::optional(entry.valid_access_mask),
            output::optional(mapping.map(|mapping| mapping.read)),
            output::optional(mapping.map(|mapping| mapping.write)),
            output::optional(mapping.map(|mapping| mapping.execute)),
            output::optional(mapping.map(|mapping| mapping.all)),
        ]);
    }
    table
}
