//! `modules`: the kernel modules.

use bootshot_reader::records::Module;
use bootshot_reader::tables;

use crate::error::{Error, Outcome};
use crate::output::{Align, Table};
use crate::reading::{self, Input};
use crate::selection::Selection;
use crate::shown;

/// Arguments of `modules`.
#[derive(clap::Args)]
#[command(after_help = "Example: bootshotctl modules boot.bshot --sort -size")]
pub struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    selection: Selection,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
    let mut reading = snapshot.modules();
    let modules = &mut reading.value;
    args.selection.apply(&tables::MODULES, modules)?;
    args.selection.show(
        args.input.json,
        &tables::MODULES,
        modules,
        modules,
        |modules| table(modules).print(),
    )?;
    Ok(reading::finish(&snapshot, &reading.problems))
}

fn table(modules: &[Module]) -> Table {
    let mut table = Table::new(&[
        ("ORDER", Align::Right),
        ("NAME", Align::Left),
        ("BASE", Align::Left),
        ("SIZE", Align::Right),
        ("LOADS", Align::Right),
        ("CHECKSUM", Align::Left),
        ("TIMESTAMP", Align::Left),
        ("MACHINE", Align::Left),
        ("SUBSYSTEM", Align::Left),
        ("PATH", Align::Left),
    ]);
    for module in modules {
        table.row([
            module.load_order.to_string(),
            module.name.clone(),
            shown::optional(module.base),
            shown::size(module.size.into()),
            module.load_count.to_string(),
            shown::optional(module.checksum),
            shown::optional(module.time_date_stamp),
            shown::optional(module.machine),
            shown::optional(module.subsystem),
            module.path.clone(),
        ]);
    }
    table
}
