//! `memory`: where the memory is.

use bootshot_reader::records::{Memory, PageFile, PoolTag, ProcessMemory};
use bootshot_reader::tables;
use serde::Serialize;

use crate::error::{Error, Outcome};
use crate::explain;
use crate::output::{self, Align, Pairs, Table};
use crate::reading::{self, Input};
use crate::selection::Selection;
use crate::shown;

/// Arguments of `memory`.
#[derive(clap::Args)]
#[command(after_help = "Example: bootshotctl memory boot.bshot --explain=4")]
pub struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    selection: Selection,
    /// How many pool tags are shown, the largest first; --json has all
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    pool: usize,
    /// Say in words which number of a process answers which question; without an id, of the one with the most private
    /// commit
    #[arg(long, value_name = "PID", num_args = 0..=1, require_equals = true)]
    explain: Option<Option<u64>>,
}

/// A process's memory in words.
#[derive(Serialize)]
struct Explanation<'a> {
    pid: u64,
    image: Option<&'a str>,
    explanation: String,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    if args.explain.is_some() && args.selection.is_used() {
        return Err(Error::usage(
            "--explain is about one process, in words: --columns, --sort and --filter do not go with it",
        ));
    }
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
    let mut reading = snapshot.memory();
    args.selection
        .apply(&tables::PROCESS_MEMORY, &mut reading.value.processes)?;
    let memory = &reading.value;
    if let Some(pid) = args.explain {
        let mut processes = memory.processes.iter();
        let process = match pid {
            Some(pid) => processes.find(|process| process.pid == pid),
            None => processes.next(),
        };
        let Some(process) = process else {
            return Err(match pid {
                Some(pid) => Error::no(format!("there is no process {pid} in the snapshot"))
                    .advise("\"bootshotctl processes FILE\" shows which there are."),
                None => Error::no("there is no process list in the snapshot")
                    .advise("\"bootshotctl summary FILE\" shows what was captured."),
            });
        };
        let explanation = Explanation {
            pid: process.pid,
            image: process.image.as_deref(),
            explanation: explain::process(process, memory),
        };
        args.input.show(&explanation, |explanation| {
            output::line(shown::visible(&explanation.explanation))
        })?;
    } else {
        args.selection.show(
            args.input.json,
            &tables::PROCESS_MEMORY,
            &memory.processes,
            memory,
            |memory| print(memory, args.pool),
        )?;
    }
    Ok(reading::finish(&snapshot, &reading.problems))
}

fn print(memory: &Memory, tags: usize) -> Result<(), Error> {
    let size = |bytes: Option<u64>| shown::optional(bytes.map(shown::size));
    let mut pairs = Pairs::default();
    pairs.add("physical", size(memory.physical.total));
    pairs.add("  available", size(memory.physical.available));
    pairs.add("commit", size(memory.commit.total));
    pairs.add("  limit", size(memory.commit.limit));
    pairs.add("  peak", size(memory.commit.peak));
    pairs.add("  shared", size(memory.commit.shared));
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
    if let Some(files) = memory.page_files.as_ref().filter(|files| !files.is_empty()) {
        output::line("")?;
        page_files(files).print()?;
    }
    output::line("")?;
    match &memory.pool_tags {
        None => output::line("pool tags: not told")?,
        Some(all) => {
            let shown = all.get(..tags).unwrap_or(all);
            pool_tags(shown).print()?;
            if shown.len() < all.len() {
                output::line(format!("{} more", all.len() - shown.len()))?;
            }
        }
    }
    output::line("")?;
    processes(&memory.processes).print()
}

fn pool_tags(tags: &[PoolTag]) -> Table {
    let mut table = Table::new(&[
        ("POOL TAG", Align::Left),
        ("SIZE", Align::Right),
        ("PAGED", Align::Right),
        ("NONPAGED", Align::Right),
        ("ALLOCATIONS", Align::Right),
    ]);
    for tag in tags {
        table.row([
            tag.tag.clone(),
            shown::size(tag.size),
            shown::size(tag.paged),
            shown::size(tag.nonpaged),
            tag.allocations.to_string(),
        ]);
    }
    table
}

fn processes(processes: &[ProcessMemory]) -> Table {
    let mut table = Table::new(&[
        ("PID", Align::Right),
        ("COMMIT", Align::Right),
        ("PEAK", Align::Right),
        ("WORKING SET", Align::Right),
        ("PRIVATE", Align::Right),
        ("SHARED", Align::Right),
        ("PEAK", Align::Right),
        ("SHARED COMMIT", Align::Right),
        ("VIRTUAL", Align::Right),
        ("PAGED POOL", Align::Right),
        ("NONPAGED", Align::Right),
        ("FAULTS", Align::Right),
        ("HARD", Align::Right),
        ("IMAGE", Align::Left),
    ]);
    let size = |bytes: Option<u64>| shown::optional(bytes.map(shown::size));
    for process in processes {
        table.row([
            process.pid.to_string(),
            shown::size(process.private_commit),
            shown::size(process.peak_private_commit),
            shown::size(process.working_set),
            size(process.private_working_set),
            size(process.shared_working_set),
            shown::size(process.peak_working_set),
            size(process.shared_commit),
            shown::size(process.virtual_size),
            shown::size(process.paged_pool),
            shown::size(process.nonpaged_pool),
            process.page_faults.to_string(),
            shown::optional(process.hard_faults),
            shown::optional(process.image.as_deref()),
        ]);
    }
    table
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
