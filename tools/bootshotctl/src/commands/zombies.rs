//! `zombies`: processes and threads that have ended and still exist, with who holds them.

use bootshot_reader::records::{ENDED_THREADS, Zombie, Zombies};
use bootshot_reader::tables;
use serde::Serialize;

use crate::commands::objects;
use crate::error::{Error, Outcome};
use crate::ntstatus::NtStatus;
use crate::output::{self, Align, Table};
use crate::reading::{self, Input};
use crate::selection::Selection;
use crate::shown;

/// Arguments of `zombies`.
#[derive(clap::Args)]
#[command(after_help = "\
A process or thread stays behind when it has ended, until the last handle to it is closed and the kernel lets go of it too. \
Those of the process that holds most of them come first.

Example: bootshotctl zombies --threads")]
pub struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    selection: Selection,
    /// Show threads instead of processes
    #[arg(long)]
    threads: bool,
    /// Show those too that ended while the snapshot was taken
    #[arg(long)]
    all: bool,
}

/// A line of the list: with `--all` it says whether it is a zombie at all.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    zombie: &'a Zombie,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_during_capture: Option<bool>,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
    let mut reading = snapshot.zombies();
    if !args.threads {
        reading
            .problems
            .retain(|problem| problem.what != ENDED_THREADS);
    }
    let (mut lines, late) = lines(&reading.value, args);
    args.selection.apply(&tables::ZOMBIES, &mut lines)?;
    let count = |number| match args.threads {
        true => shown::count(number, "thread", "threads"),
        false => shown::count(number, "process", "processes"),
    };
    args.selection
        .show(args.input.json, &tables::ZOMBIES, &lines, &lines, |lines| {
            table(lines).print()?;
            let ended = |line: &&Line<'_>| line.ended_during_capture != Some(true);
            let zombies = lines.iter().filter(ended).count();
            output::line(format!("\nended and still there: {}", count(zombies)))
        })?;
    if late != 0 && !args.all {
        output::warn(format!(
            "{} ended while the snapshot was taken, left out here (--all shows what did)",
            count(late)
        ));
    }
    Ok(reading::finish(&snapshot, &reading.problems))
}

/// What is shown, and how many ended during the capture.
fn lines<'a>(zombies: &'a Zombies, args: &Args) -> (Vec<Line<'a>>, usize) {
    let late: Vec<&Zombie> = zombies
        .ended_during_capture
        .iter()
        .filter(|zombie| zombie.tid.is_some() == args.threads)
        .collect();
    let ended = if args.threads {
        &zombies.threads
    } else {
        &zombies.processes
    };
    let line = |zombie, during| Line {
        zombie,
        ended_during_capture: args.all.then_some(during),
    };
    let mut lines: Vec<Line<'a>> = ended.iter().map(|zombie| line(zombie, false)).collect();
    if args.all {
        lines.extend(late.iter().map(|zombie| line(zombie, true)));
    }
    (lines, late.len())
}

fn table(lines: &[Line<'_>]) -> Table {
    let mut table = Table::new(&[
        ("PID", Align::Right),
        ("TID", Align::Right),
        ("IMAGE", Align::Left),
        ("EXIT STATUS", Align::Left),
        ("STARTED", Align::Left),
        ("ENDED", Align::Left),
        ("USER", Align::Right),
        ("KERNEL", Align::Right),
        ("HANDLES", Align::Right),
        ("HELD BY", Align::Left),
    ]);
    for line in lines {
        let zombie = line.zombie;
        let ticks = |ticks: Option<i64>| {
            shown::optional(ticks.map(|ticks| shown::duration(ticks.unsigned_abs())))
        };
        let exit_status = zombie.exit_status.as_deref().map(|text| {
            let status = u32::from_str_radix(text.trim_start_matches("0x"), 16);
            status.map_or_else(|_| text.to_owned(), |status| NtStatus(status).to_string())
        });
        let held_by = if line.ended_during_capture == Some(true) {
            format!("ended during the capture; {}", holders(zombie))
        } else {
            holders(zombie)
        };
        table.row([
            shown::optional(zombie.pid),
            shown::optional(zombie.tid),
            shown::optional(zombie.image.as_deref()),
            shown::optional(exit_status),
            shown::optional(zombie.create_time.map(shown::moment)),
            shown::optional(zombie.exit_time.map(shown::moment)),
            ticks(zombie.user_time),
            ticks(zombie.kernel_time),
            shown::optional(zombie.holders.as_ref().map(Vec::len)),
            held_by,
        ]);
    }
    table
}

fn holders(zombie: &Zombie) -> String {
    let Some(holders) = &zombie.holders else {
        return "not known: the kernel hides its address".to_owned();
    };
    if holders.is_empty() {
        return "the kernel only".to_owned();
    }
    let mut processes: Vec<(u64, String)> = holders
        .iter()
        .map(|holder| {
            let shown = objects::process(holder.image.as_deref(), holder.pid);
            (holder.pid, shown)
        })
        .collect();
    processes.sort_by_key(|(pid, _)| *pid);
    processes.dedup();
    objects::list(processes.into_iter().map(|(_, shown)| shown).collect())
}
