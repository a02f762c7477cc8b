//! Shows a fleet's snapshots asked by programs for large data: makes them, exports them, and lets DuckDB and Spark find what
//! is planted in them.

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Map, Value};

use crate::process::{self, host_cargo, step};
use crate::setup::{self, Need};
use crate::{python, workspace};

/// What the job is told.
#[derive(clap::Args, Clone, Copy)]
pub struct Arguments {
    /// How many machines
    #[arg(long, default_value_t = PAGE_HOSTS)]
    hosts: u32,
    /// The same seed makes the same fleet
    #[arg(long, default_value_t = PAGE_SEED)]
    seed: u64,
    /// Export every table, and not only those that the questions are about
    #[arg(long)]
    all_tables: bool,
    /// Write what was found into docs/fleet.md
    #[arg(long)]
    bless: bool,
}

impl Arguments {
    /// Whether this is the fleet of the page.
    const fn is_of_page(self) -> bool {
        self.hosts == PAGE_HOSTS && self.seed == PAGE_SEED
    }
}

/// The fleet that docs/fleet.md shows.
const PAGE_HOSTS: u32 = 1000;
const PAGE_SEED: u64 = 1;

/// Where the run's files are. Folders of people have such names, and what reads them has to bear it.
const FOLDER: &str = "it's a fleet";

/// A machine of it with two snapshots.
const PAGE_HOST: &str = "pc-0020";

/// The oldest Java that Spark 4 runs on.
pub const OLDEST_JAVA: u32 = 17;

/// What the questions are about, besides the summary, which is always exported.
const TABLES: &str = "drivers,zombie_holders,session_manager_lists";

/// The questions: a file of SQL each, and how what is planted is called.
const QUESTIONS: [Question; 3] = [
    Question {
        query: "drivers",
        planted: "drivers",
        columns: &["host", "driver", "module", "state"],
    },
    Question {
        query: "zombies",
        planted: "zombies",
        columns: &["image", "zombies", "hosts"],
    },
    Question {
        query: "boot-lists",
        planted: "boot_lists",
        columns: &["host", "boot_list"],
    },
];

/// The programs that are asked.
const ENGINES: [Engine; 2] = [
    Engine {
        name: "DuckDB",
        script: "with_duckdb.py",
    },
    Engine {
        name: "Spark",
        script: "with_spark.py",
    },
];

struct Question {
    /// The file's name, without `.sql`.
    query: &'static str,
    /// The key of what the generator says it planted: rows, or the row that must be the first.
    planted: &'static str,
    columns: &'static [&'static str],
}

struct Engine {
    name: &'static str,
    script: &'static str,
}

type Row = Map<String, Value>;

/// The rows of one question.
struct Answer {
    query: &'static str,
    rows: Vec<Row>,
}

/// What was done, and how long it took.
struct Run {
    lines: Vec<(String, Duration)>,
}

impl Run {
    /// Does something and keeps its time; what it was is said afterwards.
    fn timed<T>(
        &mut self,
        work: impl FnOnce() -> Result<T>,
        what: impl FnOnce(&T) -> Result<String>,
    ) -> Result<T> {
        let start = Instant::now();
        let done = work()?;
        let taken = start.elapsed();
        self.lines.push((what(&done)?, taken));
        Ok(done)
    }

    fn text(&self) -> String {
        let widest = self.lines.iter().map(|(what, _)| what.len()).max();
        let width = widest.unwrap_or_default();
        let lines = self.lines.iter().map(|(what, taken)| {
            let seconds = taken.as_secs_f64();
            format!("{what:width$}  {seconds:>6.1} s\n")
        });
        lines.collect()
    }
}

/// The job.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    ensure!(
        arguments.is_of_page() || !arguments.bless,
        "docs/fleet.md shows {PAGE_HOSTS} machines of seed {PAGE_SEED}: leave --hosts and --seed out with --bless"
    );
    setup::ensure(&[Need::Python, Need::Java])?;
    let python = python::environment("fleet", |_| true)?;
    let (generator, companion) = build()?;
    let folder = workspace::target().join("fleet").join(FOLDER);
    let (snapshots, data) = (folder.join("snapshots"), folder.join("data"));
    for old in [&snapshots, &data] {
        if old.exists() {
            fs::remove_dir_all(old)
                .with_context(|| format!("could not remove {}", old.display()))?;
        }
    }

    let mut run = Run { lines: Vec::new() };
    step(format!(
        "Making the snapshots of {} machines",
        arguments.hosts
    ));
    let planted = run.timed(
        || generate(&generator, &snapshots, arguments),
        |_| Ok(format!("make {}", contents(&snapshots, "snapshots")?)),
    )?;
    step("Exporting them: bootshotctl export --to parquet");
    run.timed(
        || export(&companion, &snapshots, &data, arguments),
        |()| Ok(format!("export {}", contents(&data, "Parquet files")?)),
    )?;
    let mut answers = Vec::new();
    for engine in &ENGINES {
        step(format!("Asking {}", engine.name));
        let asked = run.timed(
            || ask(engine, &python, &data),
            |_| Ok(format!("ask {} three questions", engine.name)),
        )?;
        compare(engine.name, &asked, &planted)?;
        answers.push(asked);
    }
    let [duckdb, spark] = &answers[..] else {
        bail!("two programs are asked");
    };
    for (one, other) in duckdb.iter().zip(spark) {
        ensure!(
            one.rows == other.rows,
            "DuckDB and Spark answer {} differently",
            one.query
        );
    }

    let mut shown = shown(duckdb);
    for (name, text) in &shown {
        println!("{name}:\n{text}");
    }
    println!("{}", run.text());
    println!("DuckDB and Spark found exactly what is planted.");
    if arguments.is_of_page() {
        let of_one = Path::new("data/table=drivers").join(format!("host={PAGE_HOST}"));
        let snapshots = Path::new("snapshots").join(PAGE_HOST);
        shown.push(("snapshots", listing(&folder, &snapshots)?));
        shown.push(("data", listing(&folder, &of_one)?));
        page(&shown, &run, arguments.bless)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The generator and the companion, as the tests use them: with little to compile.
fn build() -> Result<(PathBuf, PathBuf)> {
    step("Building the generator and bootshotctl");
    process::run(
        host_cargo("build")
            .args(["--locked", "--package=fleet", "--package=bootshotctl"])
            .arg("--target-dir")
            .arg(workspace::target()),
    )?;
    let built = |name: &str| {
        let name = format!("{name}{}", env::consts::EXE_SUFFIX);
        workspace::target().join("debug").join(name)
    };
    Ok((built("fleet"), built("bootshotctl")))
}

/// Where the queries are, and the programs that ask them.
fn queries() -> PathBuf {
    workspace::root().join("tools/fleet/queries")
}

/// Whether there is a Java that is new enough.
pub fn has_java() -> bool {
    // It writes its version to standard error.
    let said = Command::new("java").arg("-version").output();
    said.is_ok_and(|said| {
        let text = String::from_utf8_lossy(&said.stderr).into_owned();
        said.status.success() && java_version(&text).is_some_and(|version| version >= OLDEST_JAVA)
    })
}

/// 17 of `openjdk version "17.0.15" 2025-04-15`; 1.8 was 8.
fn java_version(said: &str) -> Option<u32> {
    let mut numbers = said.split('"').nth(1)?.split(['.', '-', '+']);
    match numbers.next()?.parse().ok()? {
        1 => numbers.next()?.parse().ok(),
        version => Some(version),
    }
}

/// Makes the snapshots; what is planted among them.
fn generate(generator: &Path, snapshots: &Path, arguments: Arguments) -> Result<Row> {
    let said = process::output(
        Command::new(generator)
            .arg(snapshots)
            .args(["--hosts", &arguments.hosts.to_string()])
            .args(["--seed", &arguments.seed.to_string()]),
    )?;
    serde_json::from_str(&said).context("the generator did not say what it planted")
}

fn export(companion: &Path, snapshots: &Path, data: &Path, arguments: Arguments) -> Result<()> {
    let mut command = Command::new(companion);
    command
        .arg("export")
        .arg(snapshots)
        .args(["--to", "parquet"]);
    if !arguments.all_tables {
        command.args(["--tables", TABLES]);
    }
    process::output(command.arg(data)).map(drop)
}

/// How many files there are below a folder, and how much is in them.
fn contents(folder: &Path, what: &str) -> Result<String> {
    let files = files(folder)?;
    let sizes = files.iter().map(|file| Ok(fs::metadata(file)?.len()));
    let bytes = sizes.sum::<Result<u64>>()?;
    let count = files.len();
    Ok(format!("{count} {what}, {:.1} MB", bytes as f64 / 1e6))
}

/// All files below a folder, by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder)
            .with_context(|| format!("could not list {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => folders.push(entry.path()),
                false => files.push(entry.path()),
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The files below a folder of the run, as they are named from its folder on.
fn listing(run: &Path, folder: &Path) -> Result<String> {
    let mut text = String::new();
    for file in files(&run.join(folder))? {
        let parts = file.strip_prefix(run)?.iter();
        let parts: Vec<_> = parts.map(|part| part.to_string_lossy()).collect();
        let _ = writeln!(text, "{}", parts.join("/"));
    }
    Ok(text)
}

/// Asks all questions at once: starting Spark takes longer than its answers.
fn ask(engine: &Engine, python: &Path, data: &Path) -> Result<Vec<Answer>> {
    let files = QUESTIONS.map(|question| queries().join(format!("{}.sql", question.query)));
    let said = process::output(
        Command::new(python)
            .arg(queries().join(engine.script))
            .arg(data)
            .args(files)
            .env("SPARK_LOCAL_IP", "127.0.0.1"),
    )?;
    let mut answers = QUESTIONS.map(|question| Answer {
        query: question.query,
        rows: Vec::new(),
    });
    for line in said.lines() {
        let mut row: Row = serde_json::from_str(line)
            .with_context(|| format!("{} answered no JSON: {line}", engine.name))?;
        let query = row.remove("query");
        let answer = answers
            .iter_mut()
            .find(|answer| query.as_ref().and_then(Value::as_str) == Some(answer.query))
            .with_context(|| format!("{} answered what was not asked: {line}", engine.name))?;
        answer.rows.push(row);
    }
    Ok(answers.into())
}

/// Refuses an answer that lacks an outlier, or that has one that was not planted.
fn compare(engine: &str, answers: &[Answer], planted: &Row) -> Result<()> {
    for (question, answer) in QUESTIONS.iter().zip(answers) {
        let expected = planted.get(question.planted);
        let found: Vec<Value> = answer.rows.iter().cloned().map(Value::Object).collect();
        let fault = match expected {
            Some(Value::Array(expected)) => differences(expected, &found),
            Some(first) => first_is(first, &found),
            None => Some("nothing was planted".to_owned()),
        };
        if let Some(fault) = fault {
            bail!("{engine}, {}.sql: {fault}", question.query);
        }
    }
    Ok(())
}

/// What is in one list only, whatever the order.
fn differences(expected: &[Value], found: &[Value]) -> Option<String> {
    let mut text = String::new();
    for (what, rows, others) in [
        ("not found", expected, found),
        ("found and not planted", found, expected),
    ] {
        for row in rows.iter().filter(|row| !others.contains(row)) {
            let _ = write!(text, "\n  {what}: {row}");
        }
    }
    if text.is_empty() && expected.len() != found.len() {
        let _ = write!(text, "{} rows instead of {}", found.len(), expected.len());
    }
    (!text.is_empty()).then_some(text)
}

/// The first row, ahead of the second.
fn first_is(expected: &Value, found: &[Value]) -> Option<String> {
    let count = |row: &Value| row.get("zombies").and_then(Value::as_u64);
    match found {
        [first, ..] if first != expected => Some(format!("found {first} instead of {expected}")),
        [first, second, ..] if count(first) <= count(second) => {
            Some(format!("{first} is not ahead of {second}"))
        }
        [_, ..] => None,
        [] => Some(format!("found nothing instead of {expected}")),
    }
}

/// The answers as tables, with the names of their questions.
fn shown(answers: &[Answer]) -> Vec<(&'static str, String)> {
    let mut shown = Vec::new();
    for (question, answer) in QUESTIONS.iter().zip(answers) {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(question.columns);
        for row in &answer.rows {
            let cells = question.columns.iter().map(|column| cell(row.get(*column)));
            table.add_row(cells);
        }
        let mut text = String::new();
        for line in table.lines() {
            let line = line.strip_prefix(' ').unwrap_or(&line);
            let _ = writeln!(text, "{}", line.trim_end());
        }
        shown.push((question.query, text));
    }
    shown
}

fn cell(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) => {
            let entries = list.iter().map(|entry| cell(Some(entry)));
            entries.collect::<Vec<_>>().join("\n")
        }
        None | Some(Value::Null) => "-".to_owned(),
        Some(other) => other.to_string(),
    }
}

/// Compares the page with what was found, or writes that into it. Times are written and not compared.
fn page(shown: &[(&'static str, String)], run: &Run, bless: bool) -> Result<()> {
    let path = workspace::root().join("docs/fleet.md");
    let before =
        fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
    let mut after = before.clone();
    for (name, text) in shown {
        after = with_block(&after, name, text)?;
    }
    if bless {
        after = with_block(&after, "run", &run.text())?;
        fs::write(&path, after).with_context(|| format!("could not write {}", path.display()))
    } else {
        ensure!(
            after == before,
            "docs/fleet.md shows something else than what was found: cargo xtask fleet-demo --bless"
        );
        Ok(())
    }
}

/// The page with other text in the block that follows the mark of this name.
fn with_block(page: &str, name: &str, text: &str) -> Result<String> {
    const OPEN: &str = "\n```text\n";
    let mark = format!("<!-- fleet-demo: {name} -->{OPEN}");
    let parts = page.split_once(&mark).and_then(|(before, rest)| {
        let end = match rest.starts_with("```") {
            true => 0,
            false => rest.find("\n```")? + 1,
        };
        Some((before, &rest[end..]))
    });
    let (before, behind) =
        parts.with_context(|| format!("docs/fleet.md has no block for \"{name}\""))?;
    Ok(format!("{before}{mark}{text}{behind}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_of_java_are_read_as_it_tells_them() {
        let version = |text: &str| java_version(&format!("openjdk version \"{text}\" 2025"));
        assert_eq!(version("17.0.15"), Some(17));
        assert_eq!(version("21-ea"), Some(21));
        assert_eq!(version("1.8.0_392"), Some(8));
        assert_eq!(java_version("no such program"), None);
    }

    #[test]
    fn an_outlier_that_is_missing_or_was_not_planted_is_a_fault() {
        let rows = |names: &[&str]| -> Vec<Value> {
            names.iter().map(|name| json!({ "host": name })).collect()
        };
        assert_eq!(differences(&rows(&["a", "b"]), &rows(&["b", "a"])), None);
        for found in [&["a"][..], &["a", "b", "c"], &["a", "a"], &["a", "b", "b"]] {
            assert!(
                differences(&rows(&["a", "b"]), &rows(found)).is_some(),
                "{found:?}"
            );
        }
    }

    #[test]
    fn the_holder_of_most_zombies_has_to_be_the_planted_one_and_ahead() {
        let row = |image: &str, zombies: u64| json!({ "image": image, "zombies": zombies });
        let planted = row("a", 7);
        assert_eq!(first_is(&planted, &[row("a", 7), row("b", 6)]), None);
        for found in [
            &[][..],
            &[row("b", 7), row("a", 7)],
            &[row("a", 6)],
            &[row("a", 7), row("b", 7)],
        ] {
            assert!(first_is(&planted, found).is_some(), "{found:?}");
        }
    }

    #[test]
    fn a_block_of_the_page_is_replaced_and_nothing_else() {
        let page = "a\n<!-- fleet-demo: x -->\n```text\nold\n\nold\n```\nb\n";
        let with = |text| with_block(page, "x", text).unwrap();
        assert_eq!(with("new\n"), page.replace("old\n\nold", "new"));
        assert_eq!(with_block(&with(""), "x", "new\n").unwrap(), with("new\n"));
        assert!(with_block(page, "y", "new\n").is_err());
    }
}
