//! The program behind `cargo xtask bench`: prints what it measured as JSON.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bootshot_bench::capture::{self, Phase};
use bootshot_bench::machine::Size;
use bootshot_bench::operation::{self, Operation};
use bootshot_bench::usage;
use clap::{Parser, Subcommand};
use test_snapshots::costly;

/// What bootshot and its reader are measured on; started by `cargo xtask bench`.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    job: Job,
}

#[derive(Subcommand)]
enum Job {
    /// Measures a capture against the baseline
    Capture {
        /// How many times smaller than the large machine
        #[arg(long, default_value_t = 1)]
        divisor: u64,
        /// The moment
        #[arg(long, value_enum, default_value_t = Phase::Boot)]
        phase: Phase,
        /// Runs of each
        #[arg(long, default_value_t = 5)]
        rounds: u32,
    },
    /// Writes the snapshot of a capture
    Snapshot {
        /// How many times smaller than the large machine
        #[arg(long, default_value_t = 1)]
        divisor: u64,
        /// The moment
        #[arg(long, value_enum, default_value_t = Phase::Boot)]
        phase: Phase,
        /// Another number, and one handle in a hundred is another
        #[arg(long, default_value_t = 0)]
        variant: u64,
        /// The file
        file: PathBuf,
    },
    /// Writes a snapshot with as many types of objects as handles of the capture's own
    ManyTypes {
        /// How many
        count: u32,
        /// The file
        file: PathBuf,
    },
    /// Does one operation of the reader, for a tool that counts its instructions
    Count {
        /// What
        #[arg(value_enum)]
        operation: Operation,
        /// The snapshot
        file: PathBuf,
    },
    /// Runs a program and says what it cost
    Time {
        /// Where its output goes
        #[arg(long)]
        output: Option<PathBuf>,
        /// It and its arguments
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().job) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(job: Job) -> Result<(), String> {
    match job {
        Job::Capture {
            divisor,
            phase,
            rounds,
        } => {
            let measured = capture::measure(Size::FULL.smaller(divisor), phase, rounds)?;
            let json = serde_json::to_string_pretty(&measured);
            println!("{}", json.map_err(|error| error.to_string())?);
            Ok(())
        }
        Job::Count { operation, file } => {
            let bytes = fs::read(&file)
                .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
            operation::measured(operation, &bytes)
        }
        Job::Time { output, command } => {
            let cost = usage::of_program(&command, output.as_deref())?;
            let json = serde_json::to_string(&cost);
            println!("{}", json.map_err(|error| error.to_string())?);
            Ok(())
        }
        Job::Snapshot {
            divisor,
            phase,
            variant,
            file,
        } => {
            let captured = capture::capture(Size::FULL.smaller(divisor), variant, phase)?;
            write(&file, &captured.snapshot)
        }
        Job::ManyTypes { count, file } => write(&file, &costly::many_types_and_own_handles(count)),
    }
}

fn write(file: &Path, snapshot: &[u8]) -> Result<(), String> {
    let written = fs::write(file, snapshot);
    written.map_err(|error| format!("cannot write {}: {error}", file.display()))
}
