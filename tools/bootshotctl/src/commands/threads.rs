//! `threads`: the threads of all processes.

use bootshot_reader::records::Thread;
use bootshot_reader::tables;

use crate::error::{Error, Outcome};
use crate::output::{Align, Table};
use crate::reading::{self, Input};
use crate::selection::Selection;
use crate::shown;

/// Arguments of `threads`.
#[derive(clap::Args)]
#[command(after_help = "Example: bootshotctl threads boot.bshot --pid 4 --sort -kernel_time")]
pub struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    selection: Selection,
    /// Only threads of the process with this id
    #[arg(long)]
    pid: Option<u64>,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
    let mut reading = snapshot.threads();
    reading
        .value
        .retain(|thread| args.pid.is_none_or(|pid| thread.pid == pid));
    let threads = &mut reading.value;
    args.selection.apply(&tables::THREADS, threads)?;
    args.selection.show(
        args.input.json,
        &tables::THREADS,
        threads,
        threads,
        |threads| table(threads).print(),
    )?;
    Ok(reading::finish(&snapshot, &reading.problems))
}

fn table(threads: &[Thread]) -> Table {
    let mut table = Table::new(&[
        ("TID", Align::Right),
        ("PID", Align::Right),
        ("IMAGE", Align::Left),
        ("STATE", Align::Left),
        ("PRIORITY", Align::Right),
        ("USER TIME", Align::Right),
        ("KERNEL TIME", Align::Right),
        ("SWITCHES", Align::Right),
        ("START", Align::Left),
        ("WIN32 START", Align::Left),
    ]);
    for thread in threads {
        let state = match &thread.wait_reason {
            Some(reason) => format!("{}: {reason}", thread.state),
            None => thread.state.to_string(),
        };
        table.row([
            thread.tid.to_string(),
            thread.pid.to_string(),
            shown::optional(thread.image.as_deref()),
            state,
            thread.priority.to_string(),
            shown::duration(thread.user_time.unsigned_abs()),
            shown::duration(thread.kernel_time.unsigned_abs()),
            thread.context_switches.to_string(),
            thread.start_address.to_string(),
            shown::optional(thread.win32_start_address),
        ]);
    }
    table
}
