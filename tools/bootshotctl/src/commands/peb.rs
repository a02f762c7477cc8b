//! `peb`: the capture's own PEB and process parameters, field by field.

use bootshot_reader::records::{Field, Peb};
use bootshot_reader::tables;

use crate::error::{Error, Outcome};
use crate::output::{self, Align, Table};
use crate::reading::{self, Input};
use crate::selection::Selection;
use crate::shown;

/// Arguments of `peb`.
#[derive(clap::Args)]
#[command(after_help = "Example: bootshotctl peb boot.bshot --filter name~Heap")]
pub struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    selection: Selection,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
    if args.selection.is_used() {
        let problems =
            args.selection
                .show_rows(args.input.json, &tables::PEB, |_| true, &snapshot)?;
        return Ok(reading::finish(&snapshot, &problems));
    }
    let reading = snapshot.peb();
    args.input.show(&reading.value, print)?;
    Ok(reading::finish(&snapshot, &reading.problems))
}

fn print(peb: &Peb) -> Result<(), Error> {
    output::line(format!("PEB at {}", shown::optional(peb.address)))?;
    table(&peb.fields).print()?;
    output::line(format!(
        "\nRTL_USER_PROCESS_PARAMETERS at {}",
        shown::optional(peb.process_parameters_address)
    ))?;
    table(&peb.process_parameters).print()
}

fn table(fields: &[Field]) -> Table {
    let mut table = Table::new(&[
        ("OFFSET", Align::Right),
        ("NAME", Align::Left),
        ("TYPE", Align::Left),
        ("VALUE", Align::Left),
        ("WHAT FOR", Align::Left),
    ]);
    for field in fields {
        table.row([
            field.offset.to_string(),
            field.name.to_owned(),
            field.type_name.clone(),
            shown::optional(field.value.as_deref()),
            field.purpose.to_owned(),
        ]);
    }
    table
}
