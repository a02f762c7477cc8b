//! `bootshotctl` registers, launches and reads bootshot.
//!
//! Exit codes: 0 done, 1 the answer is "no" (not installed, damaged, findings), 2 wrong use, 3 it could not be done.

#![deny(unsafe_code)]

mod commands;
mod data;
mod entry;
mod error;
mod explain;
mod explore;
mod image;
mod lists;
mod multi_sz;
mod new_file;
mod no_snapshot;
mod nt_path;
mod ntstatus;
mod offline;
mod once;
mod output;
mod pager;
mod reading;
mod recovery;
mod reg_file;
#[cfg(any(windows, test))]
mod sddl;
mod selection;
mod shown;
mod snapshots;
mod system;
#[cfg(windows)]
mod windows;
mod wine;

#[cfg(test)]
#[path = "../tests/support/image.rs"]
#[expect(dead_code, reason = "the tests under Wine need more of it")]
mod test_image;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::commands::{
    boot, check, completions, diff, drivers, export, handles, install, jobs, list, man, memory,
    modules, namespace, objects, peb, processes, raw, redact, registry, report, run, salvage,
    schema, simulate_boot, sql, status, summary, symlinks, threads, types, undo_script, uninstall,
    verify, wfp, zombies,
};
use crate::error::{Error, Outcome};

#[derive(Parser)]
#[command(
    name = "bootshotctl",
    version,
    about = "Registers, launches and reads bootshot, the boot-time snapshot"
)]
#[command(
    after_help = "Exit codes: 0 done, 1 the answer is \"no\", 2 wrong use, 3 it could not be done."
)]
struct CommandLine {
    /// Write to the terminal directly, without a pager
    #[arg(long, global = true)]
    no_pager: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the snapshots of a directory, the newest first
    List(list::Args),
    /// Show the system, the run, and what came of every question
    Summary(summary::Args),
    /// Show the processes, as a table or a tree
    Processes(processes::Args),
    /// Show the threads
    Threads(threads::Args),
    /// Show the handles of all processes, one by one or counted
    Handles(handles::Args),
    /// Show the distinct objects, with names, counts and holders
    Objects(objects::Args),
    /// Show the directories of the object namespace
    Namespace(namespace::Args),
    /// Show the symbolic links, and whether their targets are there
    Symlinks(symlinks::Args),
    /// Show what has ended and still exists, with who holds it
    Zombies(zombies::Args),
    /// Show the jobs and silos
    Jobs(jobs::Args),
    /// Show the object types with the kernel's statistics
    Types(types::Args),
    /// Show the kernel modules
    Modules(modules::Args),
    /// Show driver objects, kernel modules and service entries, joined
    Drivers(drivers::Args),
    /// Show the registry: hives, links, keys, services, minifilters, trace sessions, Session Manager
    Registry(registry::Args),
    /// Show the stored policy of the Windows Filtering Platform
    Wfp(wfp::Args),
    /// Show where the memory is
    Memory(memory::Args),
    /// Show how the system was booted, and the Session Manager's lists
    Boot(boot::Args),
    /// Show the PEB that bootshot was given, field by field
    Peb(peb::Args),
    /// List the answers in a snapshot, or write one out as the kernel gave it
    Raw(raw::Args),
    /// Walk around in a snapshot in the terminal: processes, handles, objects, registry
    Explore(commands::explore::Args),
    /// Tell what came, what went and what changed between two snapshots, or since a baseline
    Diff(diff::Args),
    /// Write one HTML file with everything in a snapshot, to look at in a browser
    Report(report::Args),
    /// Write the tables of many snapshots as JSON Lines, CSV, SQLite or Parquet
    Export(export::Args),
    /// Ask snapshots in SQL, by a statement or at a prompt
    Sql(sql::Args),
    /// Show the tables that sql and export work on, with the meaning of their columns
    Schema(schema::Args),
    /// Tell whether snapshots are as they were written, and whether what they say agrees with itself
    Verify(verify::Args),
    /// Make a snapshot to show to others: without kernel addresses, users, command lines, environment
    Redact(redact::Args),
    /// Make a sound snapshot of what is whole in one that was cut short or damaged
    Salvage(salvage::Args),
    /// Tell whether an executable is fit to run as a native program at boot
    Check(check::Args),
    /// Run a native program (through Wine where this is not Windows)
    Run(run::Args),
    /// Register bootshot with the Session Manager: snapshots at every restart (Windows, or --offline)
    Install(install::Args),
    /// Undo what install did; snapshots stay (Windows, or --offline)
    Uninstall(uninstall::Args),
    /// Tell whether bootshot is registered, and whether it ran at the last boot (Windows, or --offline)
    Status(status::Args),
    /// Print the commands that take bootshot out of a system that does not start (Windows, or --offline)
    UndoScript(undo_script::Args),
    /// Run the Session Manager's lists on this running system, by its rules (Windows)
    SimulateBoot(simulate_boot::Args),
    /// Write what a shell needs to complete command lines
    Completions(completions::Args),
    /// Write the manual pages
    Man(man::Args),
}

impl Command {
    /// Whether it shows something to read, and asks nothing.
    const fn is_to_be_read(&self) -> bool {
        matches!(
            self,
            Self::List(_)
                | Self::Summary(_)
                | Self::Processes(_)
                | Self::Threads(_)
                | Self::Handles(_)
                | Self::Objects(_)
                | Self::Namespace(_)
                | Self::Symlinks(_)
                | Self::Zombies(_)
                | Self::Jobs(_)
                | Self::Types(_)
                | Self::Modules(_)
                | Self::Drivers(_)
                | Self::Registry(_)
                | Self::Wfp(_)
                | Self::Memory(_)
                | Self::Boot(_)
                | Self::Peb(_)
                | Self::Raw(_)
                | Self::Diff(_)
                | Self::Schema(_)
                | Self::Verify(_)
        )
    }
}

fn execute(command: Command) -> Result<Outcome, Error> {
    match command {
        Command::List(args) => list::run(&args),
        Command::Summary(args) => summary::run(&args),
        Command::Processes(args) => processes::run(&args),
        Command::Threads(args) => threads::run(&args),
        Command::Handles(args) => handles::run(&args),
        Command::Objects(args) => objects::run(&args),
        Command::Namespace(args) => namespace::run(&args),
        Command::Symlinks(args) => symlinks::run(&args),
        Command::Zombies(args) => zombies::run(&args),
        Command::Jobs(args) => jobs::run(&args),
        Command::Types(args) => types::run(&args),
        Command::Modules(args) => modules::run(&args),
        Command::Drivers(args) => drivers::run(&args),
        Command::Registry(args) => registry::run(&args),
        Command::Wfp(args) => wfp::run(&args),
        Command::Memory(args) => memory::run(&args),
        Command::Boot(args) => boot::run(&args),
        Command::Peb(args) => peb::run(&args),
        Command::Raw(args) => raw::run(&args),
        Command::Explore(args) => commands::explore::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Sql(args) => sql::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Redact(args) => redact::run(&args),
        Command::Salvage(args) => salvage::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Install(args) => install::run(&args),
        Command::Uninstall(args) => uninstall::run(&args),
        Command::Status(args) => status::run(&args),
        Command::UndoScript(args) => undo_script::run(&args),
        Command::SimulateBoot(args) => simulate_boot::run(&args),
        Command::Completions(args) => completions::run(&args, CommandLine::command()),
        Command::Man(args) => man::run(&args, CommandLine::command()),
    }
}

fn main() -> ExitCode {
    let CommandLine { no_pager, command } = CommandLine::parse();
    if no_pager {
        pager::forbid();
    }
    if command.is_to_be_read() {
        pager::allow();
    }
    let done = execute(command);
    output::finish();
    match done {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            output::say(shown::visible_lines(&format!("bootshotctl: {error}")));
            error.exit_code()
        }
    }
}
