//! `diff`: what came, what went and what changed between two snapshots, or since a baseline.

use std::fs;
use std::path::{Path, PathBuf};

use bootshot_reader::diff::{
    self, Baseline, Boot, Change, Comparison, Moment, Options, Property, RULES, Rule, SUBJECTS,
    SubjectComparison, Value, Which,
};
use serde::Serialize;

use crate::error::{Error, Outcome};
use crate::output::{self, Align, Table};
use crate::reading::{self, File};
use crate::shown;
use crate::snapshots::is_snapshot;

/// Arguments of `diff`.
#[derive(clap::Args)]
#[command(after_help = "\
Exit codes: 0 no differences, 1 differences (or a damaged file), 2 wrong use, 3 it could not be done. What one side does not \
know is not comparable, and no difference.

Example: bootshotctl diff boot.bshot live.bshot --only processes,drivers
Example: bootshotctl diff --baseline known-good today.bshot")]
pub struct Args {
    /// The earlier snapshot and the later one; with --baseline the one to compare with it. A directory: the newest in it
    #[arg(value_name = "FILE", num_args = 0..=2)]
    files: Vec<PathBuf>,
    /// Compare with a folder of known-good snapshots: show only what none of them has
    #[arg(long, value_name = "DIR", conflicts_with = "rules")]
    baseline: Option<PathBuf>,
    /// Compare these subjects only
    #[arg(long, value_name = "SUBJECT", value_delimiter = ',', value_parser = subject)]
    only: Vec<&'static str>,
    /// Switch a noise rule off
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = rule)]
    no_rule: Vec<&'static str>,
    /// Switch all noise rules off
    #[arg(long)]
    no_rules: bool,
    /// Print the noise rules and what each hides
    #[arg(long, conflicts_with_all = ["files", "only", "no_rule", "no_rules"])]
    rules: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn subject(name: &str) -> Result<&'static str, String> {
    let known = SUBJECTS.iter().find(|subject| subject.name == name);
    known.map(|subject| subject.name).ok_or_else(|| {
        let names: Vec<_> = SUBJECTS.iter().map(|subject| subject.name).collect();
        format!("the subjects are {}", names.join(", "))
    })
}

fn rule(name: &str) -> Result<&'static str, String> {
    let known = diff::rule(name).map(|rule| rule.name);
    known.ok_or_else(|| "\"bootshotctl diff --rules\" lists the rules".to_owned())
}

/// A rule as it is listed.
#[derive(Serialize)]
struct Listed {
    name: &'static str,
    hides: &'static str,
}

/// The document of `--json`.
#[derive(Serialize)]
struct Document<'a> {
    /// Names of the files of the first side.
    first_files: Vec<String>,
    second_file: String,
    difference_count: u64,
    #[serde(flatten)]
    comparison: &'a Comparison,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    if args.rules {
        return rules(args);
    }
    let options = options(args);
    let (comparison, first, second, damaged) = match (&args.baseline, &args.files[..]) {
        (None, [first, second]) => {
            let (first, second) = (reading::open(Some(first))?, reading::open(Some(second))?);
            let (one, other) = (first.snapshot()?, second.snapshot()?);
            let comparison = diff::compare(&one, &other, &options);
            let damaged = [(&first, &one), (&second, &other)]
                .map(|(file, snapshot)| say_what_is_wrong(file, snapshot));
            let damaged = damaged.contains(&Outcome::No);
            (
                comparison,
                vec![name(first.path())],
                name(second.path()),
                damaged,
            )
        }
        (Some(baseline), [file]) => {
            let file = reading::open(Some(file))?;
            let snapshot = file.snapshot()?;
            let mut compared = Baseline::new(&snapshot, &options);
            let mut first = Vec::new();
            let mut damaged = false;
            for path in snapshots_in(baseline, file.path())? {
                let mut add = || -> Result<Outcome, Error> {
                    let good = reading::open(Some(&path))?;
                    let known = good.snapshot()?;
                    compared.add(&known);
                    first.push(name(&path));
                    Ok(say_what_is_wrong(&good, &known))
                };
                damaged |= add().unwrap_or_else(left_out) == Outcome::No;
            }
            if first.is_empty() {
                return Err(no_baseline(baseline));
            }
            damaged |= say_what_is_wrong(&file, &snapshot) == Outcome::No;
            (compared.finish(), first, name(file.path()), damaged)
        }
        (None, _) => {
            return Err(Error::usage("two snapshots are needed")
                .advise("\"bootshotctl diff A B\", or \"bootshotctl diff --baseline DIR FILE\"."));
        }
        (Some(_), _) => {
            return Err(Error::usage("one snapshot is needed beside the baseline")
                .advise("\"bootshotctl diff --baseline DIR FILE\"."));
        }
    };
    let document = Document {
        first_files: first,
        second_file: second,
        difference_count: comparison.difference_count(),
        comparison: &comparison,
    };
    if args.json {
        output::json(&document)?;
    } else {
        print(&document)?;
    }
    Ok(match document.difference_count == 0 && !damaged {
        true => Outcome::Done,
        false => Outcome::No,
    })
}

fn options(args: &Args) -> Options {
    let mut options = Options::default();
    if !args.only.is_empty() {
        options.subjects.retain(|name| args.only.contains(name));
    }
    let is_on = |rule: &&'static Rule| !args.no_rules && !args.no_rule.contains(&rule.name);
    options.rules.retain(is_on);
    options
}

fn rules(args: &Args) -> Result<Outcome, Error> {
    let rules: Vec<Listed> = RULES
        .iter()
        .map(|rule| Listed {
            name: rule.name,
            hides: rule.hides,
        })
        .collect();
    if args.json {
        output::json(&rules)?;
        return Ok(Outcome::Done);
    }
    let mut table = Table::new(&[("RULE", Align::Left), ("HIDES", Align::Left)]);
    for rule in rules {
        table.row([rule.name, rule.hides]);
    }
    table.print()?;
    Ok(Outcome::Done)
}

/// Says on standard error what is wrong with a file; "no" when it is damaged.
fn say_what_is_wrong(file: &File, snapshot: &bootshot_reader::Snapshot<'_>) -> Outcome {
    let outcome = reading::finish(snapshot, &[]);
    if outcome == Outcome::No {
        output::warn(format!(
            "{} is damaged: what stands was compared",
            file.path().display()
        ));
    }
    outcome
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

/// The snapshots of a baseline, without the one that is compared with it, in the order of their names.
fn snapshots_in(folder: &Path, compared: &Path) -> Result<Vec<PathBuf>, Error> {
    let files = fs::read_dir(folder).map_err(|error| reading::unreadable(folder, &error))?;
    let itself = fs::canonicalize(compared).ok();
    let mut found = Vec::new();
    for file in files {
        let path = file
            .map_err(|error| reading::unreadable(folder, &error))?
            .path();
        if is_snapshot(&path) && fs::canonicalize(&path).ok() != itself {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Says on standard error that a file of a baseline tells nothing, which is a "no" as damage is.
fn left_out(error: Error) -> Outcome {
    output::warn(format!("left out of the baseline: {}", error.reason()));
    Outcome::No
}

fn no_baseline(folder: &Path) -> Error {
    Error::failed(format!("there is no snapshot in {}", folder.display()))
        .advise("A baseline is a folder of snapshots of systems that are known to be good.")
}

fn print(document: &Document<'_>) -> Result<(), Error> {
    let comparison = document.comparison;
    let relation = &comparison.relation;
    match (&document.first_files[..], relation.baseline) {
        ([first], false) => side("first ", first, relation.first.first())?,
        (all, _) => output::line(format!(
            "baseline  {}",
            shown::count(all.len(), "snapshot", "snapshots")
        ))?,
    }
    side("second", &document.second_file, Some(&relation.second))?;
    output::line(format!(
        "boots   {} ({})",
        match relation.boot {
            Boot::Same => "the same",
            Boot::Other => "two",
            Boot::NotKnown => "not known, taken as two",
        },
        relation.evidence
    ))?;
    comparison.subjects.iter().try_for_each(subject_as_text)?;
    not_comparable(&comparison.subjects)?;
    hidden(&comparison.subjects)?;
    let differences = usize::try_from(document.difference_count).unwrap_or(usize::MAX);
    output::line(format!(
        "\n{}",
        match differences {
            0 => "no differences".to_owned(),
            count => shown::count(count, "difference", "differences"),
        }
    ))
}

fn side(which: &str, file: &str, moment: Option<&Moment>) -> Result<(), Error> {
    let Some(moment) = moment else {
        return Ok(());
    };
    output::line(shown::visible(&format!(
        "{which}  {file}: {}, {}, NT {} {}{}{}",
        moment.phase,
        shown::optional(moment.start_time.map(shown::moment)),
        moment.nt_version,
        shown::optional(moment.machine),
        if moment.damaged { ", damaged" } else { "" },
        match moment.redacted {
            Some(_) => ", redacted",
            None => "",
        }
    )))
}

fn subject_as_text(subject: &SubjectComparison) -> Result<(), Error> {
    let parts = [
        (subject.added.len(), "came"),
        (subject.removed.len(), "went"),
        (subject.changed.len(), "changed"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count != 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if parts.is_empty() {
        return Ok(());
    }
    output::line(format!("\n{}: {}", subject.name, parts.join(", ")))?;
    for (sign, entries) in [('+', &subject.added), ('-', &subject.removed)] {
        for entry in entries {
            let name = entry.name.to_string();
            entry_line(sign, &name, &entry.properties, "")?;
        }
    }
    for entry in &subject.changed {
        let changes: Vec<String> = entry.changes.iter().map(change).collect();
        let name = match &entry.former_name {
            Some(former) => format!("{} (was {former})", entry.name),
            None => entry.name.to_string(),
        };
        entry_line('~', &name, &entry.properties, &changes.join(", "))?;
    }
    Ok(())
}

/// What is told of an entry in a line: what it is, not figures.
fn entry_line(sign: char, name: &str, properties: &[Property], changes: &str) -> Result<(), Error> {
    let told: Vec<String> = properties
        .iter()
        .filter(|property| is_told(property))
        .map(|property| match property.property {
            // They are the entry, as much as its name is.
            "value" | "entry" | "type" | "kind" => text(&property.value),
            other => format!("{} {}", other.replace('_', " "), text(&property.value)),
        })
        .collect();
    let rest = [told.join(", "), changes.to_owned()];
    let rest: Vec<&str> = rest
        .iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    let line = format!("  {sign} {name}  {}", rest.join(": "));
    output::line(shown::visible(line.trim_end()))
}

/// Properties that a line of text shows of what came or went; JSON has all.
fn is_told(property: &Property) -> bool {
    const TOLD: [&str; 21] = [
        "altitude",
        "command_line",
        "data",
        "entry",
        "exit_status",
        "file",
        "handles",
        "holders",
        "image_path",
        "kind",
        "display_name",
        "parent",
        "processes",
        "sha256",
        "size",
        "start",
        "state",
        "target",
        "threads",
        "type",
        "value",
    ];
    property.value != Value::Absent && TOLD.contains(&property.property)
}

fn change(change: &Change) -> String {
    let (from, to) = (text(&change.from), text(&change.to));
    match change.property {
        // The name of the entry says what the value is of.
        "value" | "data" => format!("{from} → {to}"),
        property => format!("{} {from} → {to}", property.replace('_', " ")),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Absent => "none".to_owned(),
        Value::Text(text) | Value::Path(text) => text.to_string(),
        Value::Texts(texts) if texts.is_empty() => "none".to_owned(),
        Value::Texts(texts) => texts.join("; "),
        Value::Count(count) => count.to_string(),
        Value::Bytes(bytes) => shown::size(*bytes),
        Value::Duration(ticks) => shown::duration(*ticks),
        Value::Time(time) => shown::moment(*time),
        Value::Mask(mask) => mask.to_string(),
        Value::Flag(true) => "yes".to_owned(),
        Value::Flag(false) => "no".to_owned(),
    }
}

fn not_comparable(subjects: &[SubjectComparison]) -> Result<(), Error> {
    let mut all = subjects
        .iter()
        .flat_map(|subject| subject.not_comparable.iter().map(|gap| (subject.name, gap)))
        .peekable();
    if all.peek().is_some() {
        output::line("\nnot comparable")?;
    }
    for (subject, gap) in all {
        let side = match gap.side {
            Which::First => "first",
            Which::Second => "second",
        };
        let below = gap.below.as_deref().unwrap_or_default();
        let what = match below.split('\0').next_back() {
            Some("") | None => subject.to_owned(),
            Some(below) => format!("{subject} {below}"),
        };
        let other = match gap.entries {
            0 => String::new(),
            entries => format!(" ({entries} of the other side)"),
        };
        output::line(shown::visible(&format!(
            "  {what}: {side}: {}{other}",
            gap.reason
        )))?;
    }
    Ok(())
}

fn hidden(subjects: &[SubjectComparison]) -> Result<(), Error> {
    let counts: Vec<String> = RULES
        .iter()
        .filter_map(|rule| {
            let hidden = subjects.iter().flat_map(|subject| &subject.hidden);
            let of_rule = hidden.filter(|hidden| hidden.rule == rule.name);
            let count: u64 = of_rule.map(|hidden| hidden.count).sum();
            (count != 0).then(|| format!("{count} {}", rule.name))
        })
        .collect();
    if counts.is_empty() {
        return Ok(());
    }
    output::line(format!("\nhidden by rules: {}", counts.join(", ")))
}
