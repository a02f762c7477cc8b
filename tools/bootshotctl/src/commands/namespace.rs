//! `namespace`: the directories of the object namespace, and those no path leads to.

use bootshot_reader::Snapshot;
use bootshot_reader::records::{Namespace, NamespaceEntry, Opening, UnnamedDirectory};
use bootshot_reader::tables;

use crate::commands::objects;
use crate::error::{Error, Outcome};
use crate::ntstatus::NtStatus;
use crate::output::{self, Align, Table};
use crate::reading::{self, Input};
use crate::selection::Selection;
use crate::shown;

/// Levels the tree indents; what lies deeper stands at the same place.
const MAXIMUM_INDENT: usize = 32;

/// Arguments of `namespace`.
#[derive(clap::Args)]
#[command(after_help = "\
A snapshot and then a path in the namespace. --type, --find and --tree look at everything below the path, without them only \
what the directory itself lists is shown.

Example: bootshotctl namespace FILE '\\KernelObjects' --type Event")]
pub struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    selection: Selection,
    /// The directory to list; without it, \
    path: Option<String>,
    /// Show each directory with everything below it
    #[arg(long, conflicts_with_all = ["json", "sort", "columns"])]
    tree: bool,
    /// Only objects of this type, in any case, wherever they are below the path
    #[arg(long = "type", value_name = "TYPE")]
    object_type: Option<String>,
    /// Only objects whose name contains this, in any case, wherever they are below the path
    #[arg(long, value_name = "TEXT")]
    find: Option<String>,
    /// Show the directories that no path leads to, with who holds them
    #[arg(long, conflicts_with_all = ["path", "tree", "object_type", "find"])]
    unnamed: bool,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
    if args.unnamed {
        return unnamed(args, &snapshot);
    }
    let reading = snapshot.namespace();
    let namespace = &reading.value;
    let Some(listed) = listed(namespace, args.path.as_deref()) else {
        reading::finish(&snapshot, &reading.problems);
        let path = args.path.as_deref().unwrap_or_default();
        return Err(Error::no(format!("there is no {path} in the namespace"))
            .advise("\"bootshotctl namespace FILE --tree\" shows what there is."));
    };
    let everything = args.tree || args.object_type.is_some() || args.find.is_some();
    let mut entries: Vec<&NamespaceEntry> = if everything {
        namespace.below(listed)
    } else {
        listed.iter().collect()
    };
    entries.retain(|entry| {
        let wanted = args.object_type.as_deref();
        wanted.is_none_or(|wanted| entry.object_type.eq_ignore_ascii_case(wanted))
            && shown::contains(Some(entry.path.last()), args.find.as_deref())
    });
    args.selection.apply(&tables::NAMESPACE, &mut entries)?;
    args.selection.show(
        args.input.json,
        &tables::NAMESPACE,
        &entries,
        &entries,
        |entries| table(entries, args.tree).print(),
    )?;
    Ok(reading::finish(&snapshot, &reading.problems))
}

/// The entries of the directory with this path, or the one entry with it. A snapshot without `\` has none there.
fn listed<'a>(namespace: &'a Namespace, path: Option<&str>) -> Option<&'a [NamespaceEntry]> {
    let path = path.unwrap_or("\\");
    namespace
        .directory(path)
        .or_else(|| namespace.entry(path).map(std::slice::from_ref))
        .or_else(|| (path == "\\").then_some(&[]))
}

fn table(entries: &[&NamespaceEntry], tree: bool) -> Table {
    let mut table = Table::new(&[
        ("TYPE", Align::Left),
        ("OPENED", Align::Left),
        ("OBJECT", Align::Left),
        ("HANDLES", Align::Right),
        ("ENTRIES", Align::Right),
        ("PATH", Align::Left),
    ]);
    let least = entries.iter().map(|entry| entry.depth).min().unwrap_or(0);
    for entry in entries {
        let path = if tree {
            let depth = (entry.depth - least).min(MAXIMUM_INDENT);
            format!("{}{}", "  ".repeat(depth), entry.path.last())
        } else {
            entry.path.to_string()
        };
        let details = entry.details.as_deref();
        let listing = entry.contents.map(|contents| match contents.error {
            Some(status) => format!("{} {}", contents.entry_count, NtStatus(status)),
            None => contents.entry_count.to_string(),
        });
        table.row([
            entry.object_type.to_string(),
            opening(entry.opening),
            shown::optional(details.and_then(|details| details.address)),
            shown::optional(details.and_then(|details| details.handle_count)),
            shown::optional(listing),
            path,
        ]);
    }
    table
}

fn opening(opening: Opening) -> String {
    match opening {
        Opening::Opened => "yes".to_owned(),
        Opening::Refused(status) => NtStatus(status).to_string(),
        Opening::NotTried => output::NOTHING.to_owned(),
    }
}

fn unnamed(args: &Args, snapshot: &Snapshot<'_>) -> Result<Outcome, Error> {
    let mut reading = snapshot.unnamed_directories();
    let directories = &mut reading.value;
    let table = &tables::UNNAMED_DIRECTORIES;
    let holders: usize = directories.iter().map(|found| found.holders.len()).sum();
    let total = format!(
        "\n{} that no path leads to, with {}",
        shown::count(directories.len(), "directory", "directories"),
        shown::count(holders, "handle", "handles")
    );
    args.selection.apply(table, directories)?;
    args.selection.show(
        args.input.json,
        table,
        directories,
        directories,
        |directories| {
            unnamed_table(directories).print()?;
            output::line(total)
        },
    )?;
    Ok(reading::finish(snapshot, &reading.problems))
}

fn unnamed_table(directories: &[UnnamedDirectory]) -> Table {
    let mut table = Table::new(&[
        ("OBJECT", Align::Left),
        ("HANDLES", Align::Right),
        ("HOLDERS", Align::Left),
        ("TYPE", Align::Left),
        ("NAME", Align::Left),
    ]);
    for directory in directories {
        table.row([
            shown::optional(directory.address),
            directory.holders.len().to_string(),
            objects::holders(&directory.holders),
            "Directory".to_owned(),
            match &directory.listing_error {
                Some(error) => format!("{}, listing it: {error}", directory.naming),
                None => directory.naming.to_string(),
            },
        ]);
        for entry in directory.entries.iter().flatten() {
            table.row([
                "",
                "",
                "",
                &*entry.object_type,
                &*format!("  {}", entry.name),
            ]);
        }
    }
    table
}
