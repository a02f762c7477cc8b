//! The capture bench: time, memory, calls and bytes on simulated machines of three sizes, and the whole process under Wine.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::page::{self, mebibytes, milliseconds, table};
use super::{Cost, Measure, build};
use crate::image::{self, Image};
use crate::process::{self, step};
use crate::setup::{Need, ensure};
use crate::toolchain;
use crate::wine::Prefix;

/// How many times smaller than the large machine, and how often each is run.
const SIZES: [(u64, u32); 3] = [(1, 7), (10, 30), (100, 200)];

/// Tells glibc to take large pieces of memory from the kernel each time, as pages that cost nothing until they are touched:
/// what a process on Windows only reserves costs nothing either, and bootshot reserves more than the baseline. Left to itself
/// glibc soon hands out what was used before, and clears all of it.
const FRESH_PAGES: (&str, &str) = ("MALLOC_MMAP_THRESHOLD_", "131072");

/// Snapshots taken under Wine.
const WINE_RUNS: u32 = 10;

#[derive(Deserialize)]
struct Size {
    processes: u64,
    threads: u64,
    handles: u64,
    named_objects: u64,
}

#[derive(Deserialize)]
struct Counts {
    calls: u64,
    received: u64,
    file: u64,
    large_received: u64,
    large_file: u64,
    largest_answer: u64,
    peak_commit: u64,
}

#[derive(Deserialize)]
struct Usage {
    wall: f64,
    user: Option<f64>,
}

/// What the measuring program says of one size.
#[derive(Deserialize)]
struct Measured {
    size: Size,
    counts: Counts,
    bootshot: Usage,
    baseline: Usage,
}

/// The job.
pub fn run() -> Result<()> {
    ensure(&[Need::Toolchain, Need::Lld, Need::Wine])?;
    let measure = Measure::build()?;
    let mut sizes = Vec::new();
    for (divisor, rounds) in SIZES {
        step(format!(
            "Capturing a machine {divisor} times smaller than the large one"
        ));
        let mut command = measure.command();
        command
            .arg("capture")
            .arg(format!("--divisor={divisor}"))
            .arg(format!("--rounds={rounds}"))
            .env(FRESH_PAGES.0, FRESH_PAGES.1);
        sizes.push(measure.ask::<Measured>(&mut command)?);
    }
    let wine = under_wine(&measure)?;
    let results = format!("{}\n{}\n{wine}", simulated(&sizes), growth(&sizes)?);
    print!("{results}");
    page::write("capture", &results)
}

fn simulated(sizes: &[Measured]) -> String {
    type Show = fn(&Measured) -> String;
    let rows: [(&str, Show); 15] = [
        ("processes", |of| of.size.processes.to_string()),
        ("threads", |of| of.size.threads.to_string()),
        ("handles", |of| of.size.handles.to_string()),
        ("named objects", |of| of.size.named_objects.to_string()),
        ("system calls", |of| of.counts.calls.to_string()),
        ("wall, bootshot, ms", |of| milliseconds(of.bootshot.wall)),
        ("wall, baseline, ms", |of| milliseconds(of.baseline.wall)),
        ("**wall, ratio** (aim 1.05, limit 1.15)", |of| {
            ratio(of.bootshot.wall, of.baseline.wall)
        }),
        ("user, bootshot, ms", |of| user(&of.bootshot)),
        ("user, baseline, ms", |of| user(&of.baseline)),
        ("**user, ratio** (aim 1.05, limit 1.15)", |of| {
            match of.bootshot.user.zip(of.baseline.user) {
                Some((bootshot, baseline)) => ratio(bootshot, baseline),
                None => "not told".to_owned(),
            }
        }),
        ("largest answer, MiB", |of| {
            mebibytes(of.counts.largest_answer)
        }),
        ("**peak memory above it**, MiB (aim 1)", |of| {
            mebibytes(of.counts.peak_commit - of.counts.largest_answer)
        }),
        (
            "**file over received, answers over 64 KiB** (limit 1.01)",
            |of| {
                format!(
                    "{:.4}",
                    of.counts.large_file as f64 / of.counts.large_received as f64
                )
            },
        ),
        ("**file over received, all** (limit 1.10)", |of| {
            format!("{:.4}", of.counts.file as f64 / of.counts.received as f64)
        }),
    ];
    let rows: Vec<_> = rows
        .iter()
        .map(|(name, show)| {
            let cells = sizes.iter().map(show);
            std::iter::once((*name).to_owned()).chain(cells).collect()
        })
        .collect();
    table(&["simulated machine", "full", "1/10", "1/100"], &rows)
}

/// How much more the large machine costs than the small ones, beside how much larger it is.
fn growth(sizes: &[Measured]) -> Result<String> {
    let full = sizes.first().context("nothing was measured")?;
    let rows: Vec<_> = sizes[1..]
        .iter()
        .map(|small| {
            let times = |of: fn(&Measured) -> f64| format!("{:.1}", of(full) / of(small));
            vec![
                times(|of| of.size.handles as f64),
                times(|of| of.counts.calls as f64),
                times(|of| of.counts.file as f64),
                times(|of| of.bootshot.wall),
                times(|of| of.baseline.wall),
            ]
        })
        .collect();
    let head = [
        "times larger",
        "times the calls",
        "the bytes",
        "the time",
        "the baseline's time",
    ];
    Ok(table(&head, &rows))
}

fn ratio(one: f64, other: f64) -> String {
    format!("{:.3}", one / other)
}

fn user(usage: &Usage) -> String {
    usage
        .user
        .map_or_else(|| "not told".to_owned(), milliseconds)
}

/// The whole process under Wine, as the snapshot and the host's system tell it.
fn under_wine(measure: &Measure) -> Result<String> {
    image::compile(&toolchain::required()?, &[Image::X64])?;
    let companion = build("bootshotctl")?;
    let prefix = Prefix::fresh("bench")?;
    let folder = prefix.drive_c().join("bench");
    step("Capturing under Wine");
    let mut command = prefix.command(&Image::X64.path());
    command.args(["phase=live", r"dir=\??\C:\bench", "quiet"]);
    command.arg(format!("keep={WINE_RUNS}"));
    let cost: Cost = measure.time(WINE_RUNS, None, &command)?;
    let mut durations = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path
            .extension()
            .is_none_or(|extension| extension != "bshot")
        {
            continue;
        }
        let mut summary = Command::new(&companion);
        summary.args(["summary", "--json"]).arg(path);
        let summary: serde_json::Value = serde_json::from_str(&process::output(&mut summary)?)?;
        // 100 ns units.
        let duration = summary["duration"].as_f64();
        durations.push(duration.context("the snapshot has no duration")? / 1e7);
    }
    let duration = durations.into_iter().reduce(f64::min);
    let duration = duration.context("nothing was captured under Wine")?;
    Ok(format!(
        "Under Wine, x86_64, the best of {WINE_RUNS} runs: {} ms from the first instruction to the trailer by the snapshot's own \
         counter; the process as a whole, with Wine's loader before and its end behind, {} ms, of the {} ms computed in it \
         {:.0} % in the host's kernel; exit code {}. What Wine's server computes for it is another process's and not in these.\n",
        milliseconds(duration),
        milliseconds(cost.wall),
        milliseconds(cost.user + cost.system),
        cost.system / (cost.user + cost.system).max(f64::EPSILON) * 100.0,
        cost.exit_code
            .map_or_else(|| "none".to_owned(), |code| code.to_string()),
    ))
}
