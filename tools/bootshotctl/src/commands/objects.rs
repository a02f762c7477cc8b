//! `objects`: the distinct objects behind all handles, with names, counts and holders.

use bootshot_reader::records::{Holder, Object, Objects};
use bootshot_reader::tables;

use crate::error::{Error, Outcome};
use crate::output::{self, Align, Table};
use crate::reading::{self, Input};
use crate::selection::Selection;
use crate::shown;

/// Holders that a line names; more of them are counted.
const SHOWN_HOLDERS: usize = 4;

/// Arguments of `objects`.
#[derive(clap::Args)]
#[command(after_help = "\
HANDLES and POINTERS are the kernel's counts, told for what bootshot opened; its own handle is taken off where that is \
certain. ENTRIES counts the handle list.

A pointer count marked with * is inflated: since Windows 8.1 every handle keeps references in advance (32,767 of them on \
64-bit Windows, 31 on 32-bit), and gives up one with each use, so the number says little about how many pointers there are.

Example: bootshotctl objects --type Mutant")]
pub struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    selection: Selection,
    /// Only objects of this type, in any case
    #[arg(long = "type", value_name = "TYPE")]
    object_type: Option<String>,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
    let mut reading = snapshot.objects();
    if let Some(wanted) = &args.object_type {
        let objects = &mut reading.value.objects;
        objects.retain(|object| object.object_type.eq_ignore_ascii_case(wanted));
    }
    args.selection
        .apply(&tables::OBJECTS, &mut reading.value.objects)?;
    let objects = &reading.value;
    args.selection.show(
        args.input.json,
        &tables::OBJECTS,
        &objects.objects,
        objects,
        print,
    )?;
    Ok(reading::finish(&snapshot, &reading.problems))
}

fn print(objects: &Objects) -> Result<(), Error> {
    table(&objects.objects).print()?;
    if objects.hidden_handle_entries != 0 {
        output::line(format!(
            "\nNot in this list: the objects of {}, since the kernel hides their addresses",
            shown::count(objects.hidden_handle_entries, "handle", "handles")
        ))?;
    }
    Ok(())
}

fn table(objects: &[Object]) -> Table {
    let mut table = Table::new(&[
        ("TYPE", Align::Left),
        ("OBJECT", Align::Left),
        ("HANDLES", Align::Right),
        ("POINTERS", Align::Right),
        ("ENTRIES", Align::Right),
        ("PERMANENT", Align::Left),
        ("HOLDERS", Align::Left),
        ("NAME", Align::Left),
    ]);
    for object in objects {
        let details = object.details.as_deref();
        let pointers = details.and_then(|details| {
            let inflated = details.pointer_count_inflated == Some(true);
            let mark = if inflated { "*" } else { "" };
            Some(format!("{}{mark}", details.pointer_count?))
        });
        let permanent = details.and_then(|details| details.permanent);
        table.row([
            object.object_type.to_string(),
            shown::optional(object.address),
            shown::optional(details.and_then(|details| details.handle_count)),
            shown::optional(pointers),
            shown::optional(object.holders.as_ref().map(|holders| holders.len())),
            shown::optional(permanent.map(|permanent| if permanent { "yes" } else { "no" })),
            shown::optional(object.holders.as_deref().map(holders)),
            object.naming.to_string(),
        ]);
    }
    table
}

/// The first few processes of these holders, each once: `smss.exe 300, System 4, and 3 more`.
pub fn holders(holders: &[Holder]) -> String {
    let mut processes: Vec<(u64, String)> = holders
        .iter()
        .map(|holder| (holder.pid, process(holder.image.as_deref(), holder.pid)))
        .collect();
    processes.sort_by_key(|(pid, _)| *pid);
    processes.dedup();
    list(processes.into_iter().map(|(_, shown)| shown).collect())
}

/// A process in a list of holders.
pub fn process(image: Option<&str>, pid: u64) -> String {
    format!("{} {pid}", image.unwrap_or("process"))
}

/// The first few of them, and how many more there are.
pub fn list(all: Vec<String>) -> String {
    if all.is_empty() {
        return output::NOTHING.to_owned();
    }
    let more = all.len().saturating_sub(SHOWN_HOLDERS);
    let mut text = all[..all.len() - more].join(", ");
    if more != 0 {
        text += &format!(", and {more} more");
    }
    text
}
