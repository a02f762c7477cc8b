//! The reader bench: bootshotctl over the snapshot of a million handles, against tools that everybody has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::instructions;
use super::page::{self, mebibytes, milliseconds, table};
use super::{Measure, build};
use crate::process::step;
use crate::python;
use crate::setup::{Need, ensure};

/// How often each program is run; the fastest counts.
const RUNS: u32 = 5;
/// Those that take long.
const FEW_RUNS: u32 = 1;

/// Counts handles by type in the JSON export, one after the other.
const JQ_BY_TYPE: &str = "reduce .[] as $handle ({}; .[$handle.type] += 1)";
const PYTHON_BY_TYPE: &str = "import collections, json, sys\n\
    print(collections.Counter(h['type'] for h in json.load(open(sys.argv[1], encoding='utf-8'))))";
/// How many there are, which is most of what a summary says.
const JQ_COUNT: &str = "length";
const PYTHON_COUNT: &str =
    "import json, sys\nprint(len(json.load(open(sys.argv[1], encoding='utf-8'))))";

const SQL_BY_TYPE: &str = "select type, count(*) from handles group by type order by 2 desc";

/// One line of the table.
struct Line {
    what: String,
    runs: u32,
    command: Command,
    /// Bytes of the snapshots that it reads.
    mapped: u64,
    /// Whether its instructions are counted.
    counted: bool,
    /// What it exits with when all is well.
    expected: i32,
}

impl Line {
    fn new(what: impl Into<String>, program: impl AsRef<std::ffi::OsStr>, mapped: u64) -> Self {
        Self {
            mapped,
            what: what.into(),
            runs: RUNS,
            command: Command::new(program),
            counted: false,
            expected: 0,
        }
    }

    fn with(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    fn rarely(mut self) -> Self {
        self.runs = FEW_RUNS;
        self
    }

    fn counted(mut self) -> Self {
        self.counted = true;
        self
    }
}

/// The job.
pub fn run() -> Result<()> {
    ensure(&[Need::Valgrind, Need::Jq, Need::Python])?;
    let python = python::program().context("the Python that was found a moment ago is gone")?;
    let measure = Measure::build()?;
    let companion = build("bootshotctl")?;
    step("Making the snapshots");
    let file = measure.snapshot(1, 0)?;
    let variant = measure.snapshot(1, 1)?;
    let folder = Measure::folder()?;
    let json = folder.join("handles.json");
    let parquet = folder.join("parquet");
    remove(&parquet)?;
    step("Exporting the handles as JSON");
    let mut export = Command::new(&companion);
    export.args(["handles", "--json"]).arg(&file);
    let exported = measure.time(1, Some(&json), &export)?;

    let bytes = fs::metadata(&file)?.len();
    let bootshotctl = |what: &str, arguments: &[&str]| {
        let mut line = Line::new(format!("`bootshotctl {what}`"), &companion, bytes);
        line.command.args(arguments).arg(&file);
        line
    };
    let mut diff = bootshotctl("diff`, with a variant`", &["diff"]);
    diff.what = "`bootshotctl diff` with a variant".to_owned();
    diff.command.arg(&variant);
    diff.mapped += fs::metadata(&variant)?.len();
    // They differ.
    diff.expected = 1;
    let mut to_parquet = bootshotctl("export --to parquet", &["export", "--to", "parquet"]);
    to_parquet.command.arg(&parquet);
    // It writes to a new directory only.
    to_parquet.runs = 1;
    let mut sql = bootshotctl("sql` counting by type`", &["sql"]);
    sql.what = "`bootshotctl sql` counting by type".to_owned();
    sql.command.arg(SQL_BY_TYPE);
    let mut lines = vec![
        Line::new("`cat`", "cat", bytes).with(&file),
        Line::new("`wc -c`", "wc", bytes).with("-c").with(&file),
        Line::new("`sha256sum`", "sha256sum", bytes).with(&file),
        bootshotctl("summary", &["summary"]).counted(),
        bootshotctl("handles --by-type", &["handles", "--by-type"]).counted(),
        bootshotctl("zombies", &["zombies"]).counted(),
        diff.rarely(),
        to_parquet,
        sql.rarely(),
        Line::new("`jq`, handles by type, over the JSON", "jq", bytes)
            .with(JQ_BY_TYPE)
            .with(&json)
            .rarely(),
        Line::new("`jq`, number of handles", "jq", bytes)
            .with(JQ_COUNT)
            .with(&json)
            .rarely(),
        Line::new("Python's `json`, handles by type", &python, bytes)
            .with("-c")
            .with(PYTHON_BY_TYPE)
            .with(&json)
            .rarely(),
        Line::new("Python's `json`, number of handles", &python, bytes)
            .with("-c")
            .with(PYTHON_COUNT)
            .with(&json)
            .rarely(),
    ];
    let mut rows = Vec::new();
    for line in lines.drain(..) {
        rows.push(measured(&measure, &line)?);
    }
    rows.push(duckdb(&measure, &parquet, bytes)?);
    let results = format!(
        "The snapshot has {} MiB, the JSON export of its handles {} MiB (made in {} ms with {} MiB).\n\n{}",
        mebibytes(bytes),
        mebibytes(fs::metadata(&json)?.len()),
        milliseconds(exported.wall),
        mebibytes(exported.peak),
        table(
            &[
                "program",
                "wall, ms",
                "user, ms",
                "kernel, ms",
                "peak memory, MiB",
                "above the files, MiB",
                "instructions, millions"
            ],
            &rows
        )
    );
    print!("{results}");
    page::write("read", &results)
}

fn measured(measure: &Measure, line: &Line) -> Result<Vec<String>> {
    step(&line.what);
    let cost = measure.time(line.runs, None, &line.command)?;
    if cost.exit_code != Some(line.expected) {
        let why = format!("not measured: exit code {}", cost.exit_code.unwrap_or(-1));
        return Ok(cells(&line.what, &[&why, "", "", "", "", ""]));
    }
    let instructions = match line.counted {
        true => format!(
            "{:.0}",
            instructions::of_program(&line.command)? as f64 / 1e6
        ),
        false => String::new(),
    };
    Ok(cells(
        &line.what,
        &[
            &milliseconds(cost.wall),
            &milliseconds(cost.user),
            &milliseconds(cost.system),
            &mebibytes(cost.peak),
            &mebibytes(cost.peak.saturating_sub(line.mapped)),
            &instructions,
        ],
    ))
}

fn cells(first: &str, rest: &[&str]) -> Vec<String> {
    let rest = rest.iter().map(|&cell| cell.to_owned());
    std::iter::once(first.to_owned()).chain(rest).collect()
}

/// DuckDB over the exported Parquet, from a virtual environment of its own.
fn duckdb(measure: &Measure, parquet: &Path, bytes: u64) -> Result<Vec<String>> {
    const WHAT: &str = "DuckDB, handles by type, over the Parquet";
    let handles = parquet.join("table=handles");
    if !handles.is_dir() {
        return Ok(cells(
            WHAT,
            &["not measured: nothing was exported", "", "", "", "", ""],
        ));
    }
    let python = python::environment("bench", |package| package == "duckdb")?;
    let script = "import duckdb, sys\n\
        files = sys.argv[1].replace(\"'\", \"''\")\n\
        print(duckdb.sql(f\"select type, count(*) from '{files}/**/*.parquet' group by type\").fetchall())";
    let line = Line::new(WHAT, &python, bytes)
        .with("-c")
        .with(script)
        .with(&handles);
    measured(measure, &line)
}

fn remove(folder: &PathBuf) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("could not remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
