//! Writes the snapshots of a synthetic fleet, and says what is planted in it.

use std::path::PathBuf;
use std::process::ExitCode;

use fleet::{FEWEST_MACHINES, Fleet};

/// Writes the snapshots of a synthetic fleet, HOST/….bshot, and prints as JSON what is planted in it
#[derive(clap::Parser)]
#[command(name = "fleet")]
struct Arguments {
    /// Where the machines' folders go
    folder: PathBuf,
    /// How many machines
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(i64::from(FEWEST_MACHINES)..=100_000))]
    hosts: u32,
    /// The same seed makes the same fleet
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let arguments = <Arguments as clap::Parser>::parse();
    let fleet = Fleet::new(arguments.seed, arguments.hosts);
    match fleet.write(&arguments.folder) {
        Ok(count) => eprintln!("{count} snapshots in {}", arguments.folder.display()),
        Err(error) => {
            eprintln!(
                "error: could not write into {}: {error}",
                arguments.folder.display()
            );
            return ExitCode::FAILURE;
        }
    }
    println!("{}", serde_json::json!(fleet.planted()));
    ExitCode::SUCCESS
}
