//! `processes`: the processes, as a table or as the tree of who started whom.

use std::collections::{BTreeMap, BTreeSet};

use bootshot_reader::records::{ParentStatus, Process, ProcessJob};
use bootshot_reader::tables;

use crate::error::{Error, Outcome};
use crate::output::{Align, Table};
use crate::reading::{self, Input};
use crate::selection::Selection;
use crate::shown;

/// Generations the tree indents; what lies deeper stands at the same place.
const MAXIMUM_INDENT: usize = 32;

/// Arguments of `processes`.
#[derive(clap::Args)]
#[command(after_help = "Example: bootshotctl processes boot.bshot --tree\n\n\
    A parent in parentheses has ended, and its id may be another's by now. --json shows much more.")]
pub struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    selection: Selection,
    /// Show each process below the one that started it
    #[arg(long, conflicts_with_all = ["json", "sort", "columns"])]
    tree: bool,
    /// Only processes whose image name contains this, in any case
    #[arg(long)]
    name: Option<String>,
    /// Only the process with this id
    #[arg(long)]
    pid: Option<u64>,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
    let reading = snapshot.processes();
    let mut wanted: Vec<&Process> = reading
        .value
        .iter()
        .filter(|process| args.pid.is_none_or(|pid| process.pid == pid))
        .filter(|process| shown::contains(process.image.as_deref(), args.name.as_deref()))
        .collect();
    args.selection.apply(&tables::PROCESSES, &mut wanted)?;
    args.selection.show(
        args.input.json,
        &tables::PROCESSES,
        &wanted,
        &wanted,
        |wanted| {
            if args.tree {
                table(&tree(&reading.value, wanted)).print()
            } else {
                let flat: Vec<_> = wanted.iter().map(|process| (0, *process)).collect();
                table(&flat).print()
            }
        },
    )?;
    Ok(reading::finish(&snapshot, &reading.problems))
}

/// The wanted processes with their descendants, each with its generation. A parent whose id was reused is no parent.
fn tree<'a>(all: &'a [Process], wanted: &[&'a Process]) -> Vec<(usize, &'a Process)> {
    let mut children: BTreeMap<u64, Vec<&Process>> = BTreeMap::new();
    for process in all {
        if process.parent_status == Some(ParentStatus::Alive) && process.parent_pid != process.pid {
            children
                .entry(process.parent_pid)
                .or_default()
                .push(process);
        }
    }
    let pids: BTreeSet<u64> = wanted.iter().map(|process| process.pid).collect();
    let is_root = |process: &Process| {
        process.parent_status != Some(ParentStatus::Alive) || !pids.contains(&process.parent_pid)
    };
    // By their places: an id may stand twice.
    let mut shown = BTreeSet::new();
    let mut lines = Vec::new();
    // Processes that started each other in a circle have no root: they follow after those that have one.
    let roots = wanted.iter().filter(|process| is_root(process));
    for root in roots.chain(wanted) {
        let mut open = vec![(0, *root)];
        while let Some((generation, process)) = open.pop() {
            if !shown.insert(all.element_offset(process)) {
                continue;
            }
            lines.push((generation, process));
            // Once: thousands of one id must not each have the children of all.
            let below = children.remove(&process.pid).into_iter().flatten().rev();
            open.extend(below.map(|child| (generation + 1, child)));
        }
    }
    lines
}

fn table(lines: &[(usize, &Process)]) -> Table {
    let mut table = Table::new(&[
        ("PID", Align::Right),
        ("PARENT", Align::Right),
        ("IMAGE", Align::Left),
        ("THREADS", Align::Right),
        ("HANDLES", Align::Right),
        ("COMMIT", Align::Right),
        ("MACHINE", Align::Left),
        ("SUBSYSTEM", Align::Left),
        ("PROTECTION", Align::Left),
        ("JOB", Align::Left),
        ("USER", Align::Left),
        ("COMMAND LINE", Align::Left),
    ]);
    for (generation, process) in lines {
        let indent = "  ".repeat((*generation).min(MAXIMUM_INDENT));
        let image = shown::optional(process.image.as_deref());
        let parent = match process.parent_status {
            None => "-".to_owned(),
            Some(ParentStatus::Alive) => process.parent_pid.to_string(),
            Some(ParentStatus::Exited | ParentStatus::PidReused) => {
                format!("({})", process.parent_pid)
            }
        };
        let protection = process.protection.as_deref().filter(|name| *name != "none");
        table.row([
            process.pid.to_string(),
            parent,
            format!("{indent}{image}"),
            process.thread_count.to_string(),
            process.handle_count.to_string(),
            shown::size(process.private_commit),
            shown::optional(process.machine),
            shown::optional(process.subsystem),
            shown::optional(protection),
            shown::optional(process.job.as_ref().map(job)),
            shown::optional(process.user.as_deref()),
            shown::optional(process.command_line.as_deref()),
        ]);
    }
    table
}

/// The name of a process's job, else what is known of it.
fn job(job: &ProcessJob) -> String {
    match (&job.name, job.address, job.id) {
        (Some(name), _, _) => name.last().to_string(),
        (None, _, Some(id)) => format!("job {id}"),
        (None, Some(address), None) => address.to_string(),
        (None, None, None) => if job.in_job { "yes" } else { "no" }.to_owned(),
    }
}
