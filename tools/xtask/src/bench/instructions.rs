//! Numbers of instructions: unlike times they are the same on every run, so a test can hold the reader to them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Measure;
use crate::process::{self, on_path, step};
use crate::setup::{Need, ensure};
use crate::workspace;

/// What the reader is held to, by operation. Written by `cargo xtask bench record`.
const RECORD: &str = "tools/bench/instructions.json";

/// Percent by which an operation may take more than recorded: another compiler gives other numbers.
const TOLERANCE: u64 = 10;

/// A machine of 10,000 handles.
const DIVISOR: u64 = 100;

const OPERATIONS: [&str; 7] = [
    "checksum",
    "parse",
    "summary",
    "handles-by-type",
    "zombies",
    "diff",
    "column",
];

/// What is counted over many types and as many handles of the capture's own: where each is compared with each, it takes many
/// times as much.
const OVER_MANY_TYPES: [&str; 1] = ["types"];
const MANY_TYPES: u32 = 1 << 13;

/// Why no instructions are counted here; none when they are.
pub fn missing() -> Option<&'static str> {
    if !cfg!(target_arch = "x86_64") {
        return Some("the numbers recorded are those of x86_64");
    }
    if ensure(&[Need::Valgrind]).is_err() {
        return Some("valgrind is missing");
    }
    None
}

/// Counts again and compares.
///
/// # Errors
///
/// Names every operation that takes more instructions than recorded, and what to do when that is meant.
pub fn check() -> Result<()> {
    let recorded = fs::read_to_string(record_file()).with_context(|| {
        format!("could not read {RECORD}: `cargo xtask bench record` writes it")
    })?;
    let recorded: BTreeMap<String, u64> =
        serde_json::from_str(&recorded).with_context(|| RECORD.to_owned())?;
    let grown = grown(&recorded, &count()?);
    if !grown.is_empty() {
        bail!(
            "{}\nwhere that is meant, `cargo xtask bench record` records the new numbers in {RECORD}",
            grown.join("\n")
        );
    }
    Ok(())
}

/// Counts, and records the numbers.
pub fn record() -> Result<()> {
    ensure(&[Need::Valgrind])?;
    let counted = count()?;
    let text = serde_json::to_string_pretty(&counted)? + "\n";
    fs::write(record_file(), text).with_context(|| format!("could not write {RECORD}"))?;
    for (operation, instructions) in counted {
        println!("{operation}: {instructions}");
    }
    Ok(())
}

fn record_file() -> PathBuf {
    workspace::root().join(RECORD)
}

fn grown(recorded: &BTreeMap<String, u64>, counted: &BTreeMap<String, u64>) -> Vec<String> {
    counted
        .iter()
        .filter_map(|(operation, now)| match recorded.get(operation) {
            None => Some(format!("{operation} is not recorded")),
            Some(then) if *now > then + then * TOLERANCE / 100 => Some(format!(
                "{operation} takes {now} instructions, more than {TOLERANCE} % above the {then} recorded"
            )),
            Some(_) => None,
        })
        .collect()
}

fn count() -> Result<BTreeMap<String, u64>> {
    let measure = Measure::build()?;
    let machine = measure.snapshot(DIVISOR, 0)?;
    let many_types = measure.many_types(MANY_TYPES)?;
    let over_machine = OPERATIONS.map(|operation| (operation, &machine));
    let over_many_types = OVER_MANY_TYPES.map(|operation| (operation, &many_types));
    over_machine
        .into_iter()
        .chain(over_many_types)
        .map(|(operation, file)| {
            step(format!("Counting the instructions of {operation}"));
            let mut command = measure.command();
            command.arg("count").arg(operation).arg(file);
            Ok((
                operation.to_owned(),
                of_function("*operation*measured*", &command)?,
            ))
        })
        .collect()
}

/// The instructions of a whole program.
pub fn of_program(command: &Command) -> Result<u64> {
    callgrind(&[], command)
}

/// The instructions of a function, those it calls included.
fn of_function(function: &str, command: &Command) -> Result<u64> {
    let toggle = format!("--toggle-collect={function}");
    callgrind(&["--collect-atstart=no".to_owned(), toggle], command)
}

fn callgrind(options: &[String], command: &Command) -> Result<u64> {
    let valgrind = on_path("valgrind").context("valgrind is missing")?;
    let profile = Measure::folder()?.join("callgrind.out");
    let mut counted = Command::new(valgrind);
    counted
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .args(options)
        .arg(command.get_program())
        .args(command.get_args());
    process::output(&mut counted)?;
    total(&profile)
}

/// The total in a file that callgrind wrote.
fn total(profile: &Path) -> Result<u64> {
    let text = fs::read_to_string(profile)
        .with_context(|| format!("could not read {}", profile.display()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("totals:"));
    let total: u64 = line
        .and_then(|total| total.trim().parse().ok())
        .with_context(|| format!("{} has no total", profile.display()))?;
    if total == 0 {
        bail!("callgrind counted nothing: the function it was to count in is not there");
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_operations_that_take_more_than_the_tolerance_are_named() {
        let numbers = |of: &[(&str, u64)]| -> BTreeMap<String, u64> {
            of.iter()
                .map(|(name, number)| ((*name).to_owned(), *number))
                .collect()
        };
        let recorded = numbers(&[("a", 1000), ("b", 1000), ("c", 1000)]);
        let counted = numbers(&[("a", 1100), ("b", 1101), ("c", 10), ("d", 1)]);
        let grown = grown(&recorded, &counted);
        assert_eq!(grown.len(), 2, "{grown:?}");
        assert!(grown[0].starts_with("b takes 1101"));
        assert!(grown[1].starts_with("d is not recorded"));
    }
}
