//! `memory`: where the memory is.

use bootshot_reader::records::{Memory, PageFile};

use crate::error::{Error, Outcome};
use crate::output::{self, Align, Pairs, Table};
use crate::reading::{self, Input};
use crate::shown;

/// Arguments of `memory`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    input: Input,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
    let reading = snapshot.memory();
    args.input.show(&reading.value, print)?;
    Ok(reading::finish(&snapshot, &reading.problems))
}

fn print(memory: &Memory) -> Result<(), Error> {
    let size = |bytes: Option<u64>| shown::optional(bytes.map(shown::size));
    let mut pairs = Pairs::default();
    pairs.add("physical", size(memory.physical.total));
    pairs.add("  available", size(memory.physical.available));
    pairs.add("commit", size(memory.commit.total));
    pairs.add("  limit", size(memory.commit.limit));
    pairs.add("  peak", size(memory.commit.peak));
    pairs.add("paged pool", size(memory.paged_pool.size));
    pairs.add("  in RAM", size(memory.paged_pool.resident));
    pairs.add("nonpaged pool", size(memory.nonpaged_pool.size));
    pairs.add("system code in RAM", size(memory.system_code));
    pairs.add("drivers in RAM", size(memory.system_drivers));
    if let Some(cache) = &memory.file_cache {
        pairs.add("system cache", shown::size(cache.size));
        pairs.add("  peak", shown::size(cache.peak));
    }
    if let Some(lists) = &memory.lists {
        pairs.add("zeroed", shown::size(lists.zeroed));
        pairs.add("free", shown::size(lists.free));
        pairs.add("modified", shown::size(lists.modified));
        pairs.add(
            "modified, not written",
            shown::size(lists.modified_no_write),
        );
        let standby = lists.standby_by_priority.iter().copied();
        pairs.add("standby", shown::size(standby.fold(0, u64::saturating_add)));
        pairs.add("bad", shown::size(lists.bad));
    }
    if let Some(registry) = &memory.registry {
        pairs.add("registry", shown::size(registry.used));
        pairs.add("  allowed", shown::size(registry.allowed));
    }
    pairs.add(
        "page files",
        match &memory.page_files {
            None => "not told".to_owned(),
            Some(files) if files.is_empty() => "none".to_owned(),
            Some(files) => files.len().to_string(),
        },
    );
    pairs.print()?;
    match &memory.page_files {
        Some(files) if !files.is_empty() => {
            output::line("")?;
            page_files(files).print()
        }
        _ => Ok(()),
    }
}

fn page_files(files: &[PageFile]) -> Table {
    let mut table = Table::new(&[
        ("PAGE FILE", Align::Left),
        ("SIZE", Align::Right),
        ("IN USE", Align::Right),
        ("PEAK", Align::Right),
        ("MINIMUM", Align::Right),
        ("MAXIMUM", Align::Right),
    ]);
    for file in files {
        table.row([
            shown::optional(file.path.as_deref()),
            shown::size(file.size),
            shown::size(file.in_use),
            shown::size(file.peak),
            shown::optional(file.minimum_size.map(shown::size)),
            shown::optional(file.maximum_size.map(shown::size)),
        ]);
    }
    table
}
