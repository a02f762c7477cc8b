//! `summary`: the system, the run, and what came of every question.

use bootshot_reader::Condition;
use bootshot_reader::records::{Cost, Counts, ItemSummary, SectionSummary, Summary};

use crate::error::{Error, Outcome};
use crate::output::{self, Align, Pairs, Table};
use crate::reading::{self, Input};
use crate::shown;

/// Arguments of `summary`.
#[derive(clap::Args)]
#[command(after_help = "Example: bootshotctl summary boot.bshot --json")]
pub struct Args {
    #[command(flatten)]
    input: Input,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
    // The items of batches are shown as JSON only.
    let summary = match args.input.json {
        true => snapshot.summary().value,
        false => snapshot.overview().value,
    };
    args.input.show(&summary, print)?;
    Ok(reading::finish(&snapshot, &[]))
}

fn print(summary: &Summary) -> Result<(), Error> {
    let system = &summary.system;
    let mut pairs = Pairs::default();
    pairs.add(
        "system",
        format!(
            "Windows NT {} {}, {} processors, {}",
            system.nt_version,
            system.machine.unwrap_or("unknown machine"),
            shown::optional(system.processors),
            shown::optional(system.system_root.as_ref())
        ),
    );
    pairs.add(
        "phase",
        format!("{} ({})", summary.phase, summary.phase_source),
    );
    pairs.add(
        "taken",
        shown::optional(summary.start_time.map(shown::moment)),
    );
    pairs.add("after boot", shown::duration(summary.since_boot));
    let duration = summary.duration.map(shown::duration);
    pairs.add("took", shown::optional(duration));
    pairs.add(
        "state",
        match summary.completeness {
            bootshot_reader::Completeness::Complete => "complete",
            bootshot_reader::Completeness::TimedOut => "cut off by its time limit",
            bootshot_reader::Completeness::Salvaged => "salvaged from a file cut short or damaged",
            bootshot_reader::Completeness::Unfinished => "unfinished",
        },
    );
    if let Some(redaction) = summary.redacted {
        let removed = match redaction.names()[..] {
            [] => "what is not interpreted".to_owned(),
            ref names => names.join(", ").replace('_', " "),
        };
        pairs.add("redacted", removed);
    }
    pairs.add(
        "snapshot",
        format!("{}, {}", summary.sequence, summary.snapshot_id),
    );
    pairs.add(
        "bootshot",
        format!("{}, process {}", summary.writer_version, summary.pid),
    );
    let privileges: Vec<_> = summary
        .privileges
        .iter()
        .map(|privilege| {
            let refused = if privilege.held { "" } else { " (refused)" };
            format!("{}{refused}", privilege.name)
        })
        .collect();
    pairs.add("privileges", privileges.join(", "));
    if !summary.bad_arguments.is_empty() {
        pairs.add("not understood", summary.bad_arguments.join(" "));
    }
    pairs.add("counts", counts(&summary.counts));
    cost(&summary.cost, &mut pairs);
    pairs.print()?;
    output::line("")?;
    families(&summary.cost).print()?;
    output::line("")?;
    sections(summary).print()
}

fn counts(counts: &Counts) -> String {
    let of = |count: Option<u64>, what| count.map(|count| format!("{count} {what}"));
    let known = [
        of(counts.processes, "processes"),
        of(counts.threads, "threads"),
        of(counts.handles, "handles"),
        of(counts.types, "object types"),
        of(counts.modules, "kernel modules"),
    ];
    known.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What the capture itself cost, and what it left out.
fn cost(cost: &Cost, pairs: &mut Pairs) {
    let between = cost
        .between_sections
        .map(|between| format!(", {} of it between the sections", shown::duration(between)));
    pairs.add(
        "own cost",
        format!(
            "{}{}, {} of answers",
            shown::optional(cost.duration.map(shown::duration)),
            between.unwrap_or_default(),
            shown::size(cost.bytes)
        ),
    );
    let skipped = cost.skipped.iter();
    let skipped: Vec<_> = skipped
        .map(|family| format!("{} ({})", family.family, family.outcome))
        .collect();
    if !skipped.is_empty() {
        pairs.add("left out", skipped.join(", "));
    }
}

fn families(cost: &Cost) -> Table {
    let mut table = Table::new(&[
        ("FAMILY", Align::Left),
        ("QUESTIONS", Align::Right),
        ("BYTES", Align::Right),
        ("TIME", Align::Right),
        ("SHARE", Align::Right),
    ]);
    for family in &cost.families {
        table.row([
            family.family.to_owned(),
            family.questions.to_string(),
            family.bytes.to_string(),
            shown::optional(family.duration.map(shown::duration)),
            share(family.duration, cost.duration),
        ]);
    }
    table
}

/// A part of a whole in percent.
fn share(part: Option<u64>, whole: Option<u64>) -> String {
    let both = part.zip(whole.filter(|whole| *whole != 0));
    shown::optional(
        both.map(|(part, whole)| format!("{:.0} %", part as f64 / whole as f64 * 100.0)),
    )
}

fn sections(summary: &Summary) -> Table {
    let mut table = Table::new(&[
        ("SECTION", Align::Right),
        ("FAMILY", Align::Left),
        ("RESULT", Align::Left),
        ("COUNT", Align::Right),
        ("BYTES", Align::Right),
        ("TIME", Align::Right),
        ("SHARE", Align::Right),
        ("QUESTION", Align::Left),
    ]);
    for section in &summary.sections {
        table.row([
            section.section.to_string(),
            section.family.to_owned(),
            result(section),
            shown::optional(section.answer.count),
            section.answer.bytes.to_string(),
            shown::optional(section.duration.map(shown::duration)),
            share(section.duration, summary.duration),
            question(&section.answer),
        ]);
    }
    table
}

/// A question in a few words.
pub fn question(answer: &ItemSummary) -> String {
    if answer.source == "batch" {
        return "batch".to_owned();
    }
    let class = match (answer.class_name, answer.class) {
        (Some(name), _) => name.to_owned(),
        (None, 0) => answer.source.clone(),
        (None, class) => format!("{} {class}", answer.source),
    };
    let names = [answer.name.as_deref(), answer.value_name.as_deref()];
    let names: Vec<_> = names.into_iter().flatten().collect();
    if names.is_empty() {
        class
    } else {
        format!("{class} {}", names.join("\\"))
    }
}

fn result(section: &SectionSummary) -> String {
    match section.condition {
        Condition::Damaged => "damaged".to_owned(),
        Condition::Torn => "torn".to_owned(),
        Condition::Intact => outcome(&section.answer),
    }
}

/// What came of a question: its outcome, and the status when that says more.
pub fn outcome(answer: &ItemSummary) -> String {
    if answer.outcome == "failed" {
        answer.status_name.unwrap_or(&answer.status).to_owned()
    } else {
        answer.outcome.to_owned()
    }
}
