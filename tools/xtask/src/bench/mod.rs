//! The benches: what a capture costs, and what reading one does. Their figures go into `docs/performance.md`.

mod capture;
pub mod instructions;
mod page;
mod read;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::process::{self, host_cargo, step};
use crate::workspace;

/// A bench.
#[derive(Clone, Copy, PartialEq, Eq, clap::Subcommand)]
pub enum Bench {
    /// bootshot on simulated machines of three sizes against a baseline, and under Wine
    Capture,
    /// bootshotctl over the snapshot of a million handles, against other tools
    Read,
    /// Record the numbers of instructions that `cargo xtask test` holds the reader to
    Record,
}

/// The job.
pub fn run(bench: Bench) -> Result<ExitCode> {
    match bench {
        Bench::Capture => capture::run()?,
        Bench::Read => read::run()?,
        Bench::Record => instructions::record()?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds a program of the workspace for this host, as it is released.
fn build(package: &str) -> Result<PathBuf> {
    step(format!("Building {package}"));
    process::run(
        host_cargo("build")
            .args([
                "--locked",
                "--release",
                "--package",
                package,
                "--target-dir",
            ])
            .arg(workspace::target()),
    )?;
    let program = workspace::target().join("release").join(package);
    Ok(program.with_added_extension(std::env::consts::EXE_EXTENSION))
}

/// The program that measures.
struct Measure {
    program: PathBuf,
}

/// What a program cost, as the measuring program says.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Cost {
    /// Seconds.
    wall: f64,
    user: f64,
    system: f64,
    /// Bytes.
    peak: u64,
    exit_code: Option<i32>,
}

impl Measure {
    fn build() -> Result<Self> {
        let program = build("bootshot-bench")?;
        Ok(Self { program })
    }

    fn command(&self) -> Command {
        Command::new(&self.program)
    }

    /// What it says to these arguments.
    fn ask<T: DeserializeOwned>(&self, command: &mut Command) -> Result<T> {
        let said = process::output(command)?;
        serde_json::from_str(&said).with_context(|| process::line(command))
    }

    /// Where snapshots and exports of the benches are.
    fn folder() -> Result<PathBuf> {
        let folder = workspace::target().join("bench");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("could not create {}", folder.display()))?;
        Ok(folder)
    }

    /// Writes the snapshot of a simulated machine.
    fn snapshot(&self, divisor: u64, variant: u64) -> Result<PathBuf> {
        let file = Self::folder()?.join(format!("{divisor}-{variant}.bshot"));
        process::run(
            self.command()
                .arg("snapshot")
                .arg(format!("--divisor={divisor}"))
                .arg(format!("--variant={variant}"))
                .arg(&file),
        )?;
        Ok(file)
    }

    /// Writes a snapshot with as many types of objects as handles of the capture's own.
    fn many_types(&self, count: u32) -> Result<PathBuf> {
        let file = Self::folder()?.join(format!("types-{count}.bshot"));
        process::run(
            self.command()
                .arg("many-types")
                .arg(count.to_string())
                .arg(&file),
        )?;
        Ok(file)
    }

    /// Runs a program as often as that, and says what the fastest run cost.
    fn time(&self, runs: u32, output: Option<&Path>, command: &Command) -> Result<Cost> {
        let mut best: Option<Cost> = None;
        for _ in 0..runs {
            let mut timed = self.command();
            timed.arg("time");
            if let Some(output) = output {
                timed.arg("--output").arg(output);
            }
            timed
                .arg("--")
                .arg(command.get_program())
                .args(command.get_args());
            for (name, value) in command.get_envs() {
                match value {
                    Some(value) => timed.env(name, value),
                    None => timed.env_remove(name),
                };
            }
            let cost: Cost = self.ask(&mut timed)?;
            if best.is_none_or(|best| cost.wall < best.wall) {
                best = Some(cost);
            }
        }
        best.context("a program must be run to be measured")
    }
}
