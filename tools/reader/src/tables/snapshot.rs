//! The snapshot itself.

use serde::Serialize;

use super::{Table, boolean, duration, integer, list, size, text, time};
use crate::records::ItemSummary;

/// The snapshot at a glance: one row.
pub static SUMMARY: Table = Table {
    name: "summary",
    meaning: "The snapshot at a glance: one row.",
    columns: &[
        integer("schema_version", "of the JSON and of these tables"),
        integer("format_version", "of the file"),
        text("writer_version", "of bootshot.exe"),
        integer("sequence", "grows with every snapshot of a directory"),
        text("phase", "bootexecute, setupexecute or live"),
        text("phase_source", "argument or observed"),
        text(
            "completeness",
            "complete, timed_out, salvaged or unfinished",
        ),
        boolean(
            "redacted_addresses",
            "whether addresses of the kernel are pseudonyms; null for a snapshot as it was taken",
        ),
        boolean(
            "redacted_users",
            "whether names of users, machines and domains, and SIDs, are pseudonyms",
        ),
        boolean(
            "redacted_command_lines",
            "whether command lines were removed",
        ),
        boolean("redacted_environment", "whether environments were removed"),
        time(
            "start_time",
            "when the capture began; the clock can be wrong this early",
        ),
        duration("since_boot", "from the system's start to the capture's"),
        duration("duration", "how long the capture took"),
        integer("pid", "process id of the capture"),
        text("system_nt_version", "version of NT"),
        text("system_machine", "x86, x64 or arm64"),
        size("system_pointer_width", "a pointer"),
        size("system_page_size", "a page"),
        integer("system_processors", "processors in use"),
        text(
            "system_system_root",
            "the system's directory as programs see it",
        ),
        time("system_boot_time", "when the system started"),
        integer("system_boot_id", "the boot's number"),
        list("bad_arguments", "arguments that were not understood"),
        text(
            "output_directory",
            "NT path of the directory it was written to",
        ),
        integer("counts_processes", "processes"),
        integer("counts_threads", "threads"),
        integer("counts_handles", "handles"),
        integer("counts_types", "object types"),
        integer("counts_modules", "kernel modules"),
        duration(
            "cost_boot_to_first_instruction",
            "from the start of the system to the capture's first instruction",
        ),
        duration("cost_duration", "from then to its end"),
        duration("cost_between_sections", "of that, between the sections"),
        size("cost_bytes", "all answers"),
    ],
    references: &[],
    // Every row of every table has the id.
    elsewhere: &[
        text("snapshot_id", "random id of the snapshot"),
        list("privileges", "privileges asked for"),
        list("sections", "the sections"),
        list("cost_families", "the cost of each family"),
        list("cost_skipped", "families that were not captured"),
    ],
    read: |snapshot, rows| {
        let summary = rows.take(snapshot.overview());
        rows.push(&summary);
    },
};

/// What each family of questions cost.
pub static COST: Table = Table {
    name: "cost",
    meaning: "What each family of questions cost.",
    columns: &[
        text("family", "the family"),
        text("skipped", "why it was not captured"),
        integer("sections", "sections"),
        integer("questions", "questions"),
        size("bytes", "answers"),
        duration("duration", "time"),
    ],
    references: &[],
    elsewhere: &[],
    read: |snapshot, rows| {
        #[derive(Serialize)]
        struct Skipped<'a> {
            family: &'a str,
            skipped: &'a str,
        }
        let cost = rows.take(snapshot.overview()).cost;
        cost.families.iter().for_each(|family| rows.push(family));
        for family in &cost.skipped {
            rows.push(&Skipped {
                family: family.family,
                skipped: family.outcome,
            });
        }
    },
};

/// Privileges that the capture asked for.
pub static PRIVILEGES: Table = Table {
    name: "privileges",
    meaning: "Privileges that the capture asked for.",
    columns: &[
        text("name", "name, or number"),
        boolean("held", "whether it got it"),
    ],
    references: &[],
    elsewhere: &[],
    read: |snapshot, rows| {
        let summary = rows.take(snapshot.overview());
        summary
            .privileges
            .iter()
            .for_each(|privilege| rows.push(privilege));
    },
};

/// Questions to the kernel, and what came of them.
pub static RAW: Table = Table {
    name: "raw",
    meaning: "Questions to the kernel, and what came of them.",
    columns: &[
        integer("section", "number of the section"),
        integer("item", "number in a batch; null for the section itself"),
        text("family", "what only= and skip= name"),
        integer("file_offset", "where in the file the section starts"),
        text("condition", "intact, torn or damaged"),
        text("source", "who was asked"),
        integer("class", "information class, or what the source defines"),
        text("class_name", "its name"),
        integer("argument", "a process id, a handle, a LUID"),
        text("name", "object, key or directory"),
        text("value_name", "registry value"),
        text(
            "outcome",
            "complete, failed, truncated, torn, skipped by argument, by budget, by phase",
        ),
        text("status", "NTSTATUS"),
        text("status_name", "its name"),
        integer("count", "entries, where it is a list"),
        size("bytes", "the answer"),
        integer("tries", "calls it took"),
        duration("duration", "how long the section took"),
    ],
    references: &[],
    elsewhere: &[list("items", "the answers in a batch")],
    read: |snapshot, rows| {
        #[derive(Serialize)]
        struct Item<'a> {
            section: u32,
            item: usize,
            family: &'a str,
            #[serde(flatten)]
            answer: &'a ItemSummary,
        }
        rows.take(snapshot.overview());
        snapshot.each_question(|section, item| match item {
            None => rows.push(section),
            Some((item, answer)) => rows.push(&Item {
                section: section.section,
                item,
                family: section.family,
                answer: &answer,
            }),
        });
    },
};
