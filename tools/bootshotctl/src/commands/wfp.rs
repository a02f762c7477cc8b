//! `wfp`: the stored policy of the Windows Filtering Platform.

use bootshot_reader::records::Wfp;
use bootshot_reader::tables;

use crate::error::{Error, Outcome};
use crate::output::{self, Align, Pairs, Table};
use crate::reading::{self, Input};
use crate::selection::Selection;
use crate::shown;

/// Arguments of `wfp`.
#[derive(clap::Args)]
#[command(after_help = "Example: bootshotctl wfp boot.bshot --raw\n\n\
    The values are serialized in a way that is not published. Taken from them are only the first string, which is the \
    display name in all published structures, and GUIDs of known layers. BootTime filters are in force until the Base \
    Filtering Engine runs, Persistent ones from then on.")]
pub struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    selection: Selection,
    /// Show the bytes of each value in hexadecimal
    #[arg(long)]
    raw: bool,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
    let mut reading = snapshot.wfp();
    if !args.raw {
        for object in &mut reading.value.objects {
            object.bytes = None;
        }
    }
    let totals = totals(&reading.value);
    let there_are_any = !reading.value.objects.is_empty();
    args.selection
        .apply(&tables::WFP, &mut reading.value.objects)?;
    let wfp = &reading.value;
    args.selection
        .show(args.input.json, &tables::WFP, &wfp.objects, wfp, |wfp| {
            totals.print()?;
            print(wfp, there_are_any)
        })?;
    Ok(reading::finish(&snapshot, &reading.problems))
}

fn totals(wfp: &Wfp) -> Pairs {
    let mut pairs = Pairs::default();
    for store in ["BootTime", "Persistent"] {
        let objects = wfp.objects.iter().filter(|object| object.store == store);
        pairs.add(store, shown::count(objects.count(), "object", "objects"));
    }
    pairs.add(
        "not readable",
        shown::count(wfp.unreadable.len(), "key", "keys"),
    );
    pairs
}

fn print(wfp: &Wfp, there_are_any: bool) -> Result<(), Error> {
    output::line("")?;
    if !there_are_any && wfp.unreadable.is_empty() {
        return output::line("not captured, or there is none (\"bootshotctl raw\" tells)");
    }
    let mut table = Table::new(&[
        ("STORE", Align::Left),
        ("KIND", Align::Left),
        ("GUID", Align::Left),
        ("SIZE", Align::Right),
        ("ENCODING", Align::Left),
        ("SHA-256", Align::Left),
        ("LAYER", Align::Left),
        ("DISPLAY NAME", Align::Left),
    ]);
    for object in &wfp.objects {
        table.row([
            object.store.to_owned(),
            shown::optional(object.kind.as_deref()),
            object.guid.clone(),
            object.size.to_string(),
            shown::optional(object.encoding),
            object.sha256.get(..16).unwrap_or_default().to_owned(),
            shown::optional(object.layer),
            shown::optional(object.display_name.as_deref()),
        ]);
        if let Some(bytes) = &object.bytes {
            table.row(["", "", "", "", "", "", "", bytes]);
        }
    }
    table.print()?;
    for key in &wfp.unreadable {
        output::line(shown::visible(&format!("{}: {}", key.path, key.status)))?;
    }
    Ok(())
}
