//! What speaks against a snapshot: damage to the file, and answers that do not agree with each other.
//!
//! Findings are observations, never verdicts: a system that changes between two questions, a clock that was set and an
//! emulator leave them as well as somebody who lies. What is compared, and where a difference is known to mean
//! nothing, stands with each comparison; what could not be compared, or was put down to such a case, is a [`Note`].
//! Only answers that are complete are compared.

mod drivers;
mod evidence;
mod handles;
mod header;
mod moment;
mod processes;
mod repeated;
mod structure;
mod types;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::error::{Problem, ReadError};
use crate::redact::Redaction;
use crate::snapshot::{Answer, Snapshot};
use evidence::Evidence;

/// What speaks against a snapshot.
#[derive(Debug, Default, Serialize)]
pub struct Verification {
    /// Where the file is not as it was written.
    pub damage: Vec<Problem>,
    /// Where what it says does not agree with itself.
    pub findings: Vec<Finding>,
    /// What was not compared, or is known to differ without a reason for concern.
    pub notes: Vec<Note>,
}

/// Two things that do not agree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// What kind of finding: stable, in kebab case.
    pub id: &'static str,
    /// What it is about: a process, a type, a driver object.
    pub subject: String,
    /// The sections that were compared.
    pub sections: Vec<u32>,
    /// What was seen, as a sentence.
    pub observation: String,
    /// The time in which the compared questions were asked, 100 ns units: what changed meanwhile differs rightly. Null
    /// when all of it comes from one answer, or the time is not known.
    pub within: Option<u64>,
}

/// Something to know about the comparisons.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Note {
    /// What kind of note: stable, in kebab case.
    pub id: &'static str,
    /// The note, as a sentence.
    pub text: String,
}

/// Checks every checksum and structure of `file`, and compares its answers with each other.
///
/// # Errors
///
/// When the bytes do not start with a sound header of a version this reader knows.
pub fn verify(file: &[u8]) -> Result<Verification, ReadError> {
    let snapshot = Snapshot::parse(file)?;
    let mut damage = snapshot.problems.clone();
    damage.extend(structure::problems(file, &snapshot));
    let mut report = Report::new(&snapshot);
    if let Some(redaction) = Redaction::of(&snapshot.header) {
        report.note("redacted", redacted(redaction));
    }
    let evidence = Evidence::gather(&snapshot, &mut report);
    processes::check(&evidence, &mut report);
    handles::check(&evidence, &mut report);
    types::check(&evidence, &mut report);
    drivers::check(&evidence, &mut report);
    moment::check(&evidence, &mut report);
    header::check(&evidence, &mut report);
    repeated::check(&evidence, &mut report);
    report.left_out();
    Ok(Verification {
        damage,
        findings: merged(report.findings),
        notes: report.notes,
    })
}

/// What a redacted snapshot cannot tell.
fn redacted(redaction: Redaction) -> String {
    let removed = match redaction.names()[..] {
        [] => String::new(),
        ref names => format!(" ({})", names.join(", ").replace('_', " ")),
    };
    format!(
        "the snapshot was redacted{removed}, and holds nothing that no reader interprets: what is told of it here is told \
         of the redacted file, not of the one that was captured"
    )
}

/// The most findings of one kind that are told: a file can be made to give one for every handle in it.
const MOST_OF_A_KIND: u64 = 1_000;

/// What several answers say in the same words is one finding, of all their sections.
fn merged(findings: Vec<Finding>) -> Vec<Finding> {
    let mut places = BTreeMap::new();
    let mut merged: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        let words = (finding.id, finding.observation.clone());
        match places.entry(words) {
            Entry::Vacant(vacant) => {
                vacant.insert(merged.len());
                merged.push(finding);
            }
            Entry::Occupied(occupied) => merged[*occupied.get()].sections.extend(finding.sections),
        }
    }
    for finding in &mut merged {
        finding.sections.sort_unstable();
        finding.sections.dedup();
    }
    merged
}

/// Findings and notes as they are gathered.
struct Report<'s> {
    snapshot: &'s Snapshot<'s>,
    findings: Vec<Finding>,
    notes: Vec<Note>,
    /// Findings by kind, those beyond [`MOST_OF_A_KIND`] as well.
    counts: BTreeMap<&'static str, u64>,
}

impl<'s> Report<'s> {
    const fn new(snapshot: &'s Snapshot<'s>) -> Self {
        Self {
            snapshot,
            findings: Vec::new(),
            notes: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    /// Adds a finding about the answers it was seen in; when they come from more than one section, the time in which
    /// these were asked is named with it.
    fn finding(
        &mut self,
        id: &'static str,
        subject: impl Into<String>,
        answers: &[&Answer<'_>],
        observation: String,
    ) {
        let sections = answers.iter().map(|answer| answer.section).collect();
        self.finding_in(id, subject.into(), sections, observation);
    }

    fn finding_in(
        &mut self,
        id: &'static str,
        subject: String,
        sections: BTreeSet<u32>,
        observation: String,
    ) {
        let count = self.counts.entry(id).or_default();
        *count += 1;
        if *count > MOST_OF_A_KIND {
            return;
        }
        let within = if sections.len() > 1 {
            self.time_of(&sections)
        } else {
            None
        };
        let asked = within.map_or(String::new(), |time| {
            format!("; they were asked within {:.1} ms", time as f64 / 10_000.0)
        });
        self.findings.push(Finding {
            id,
            subject,
            sections: sections.into_iter().collect(),
            observation: observation + &asked,
            within,
        });
    }

    /// Adds what a decoder met.
    fn malformed(&mut self, problems: Vec<Problem>) {
        for problem in problems {
            self.finding_in(
                "malformed-answer",
                problem.what.to_owned(),
                problem.section.into_iter().collect(),
                problem.to_string(),
            );
        }
    }

    /// Says how many findings of each kind are not told.
    fn left_out(&mut self) {
        for (id, count) in std::mem::take(&mut self.counts) {
            if count > MOST_OF_A_KIND {
                self.note(
                    "findings-left-out",
                    format!("there are {count} findings of the kind {id}; the first {MOST_OF_A_KIND} are listed"),
                );
            }
        }
    }

    fn note(&mut self, id: &'static str, text: impl Into<String>) {
        self.notes.push(Note {
            id,
            text: text.into(),
        });
    }

    /// From the first question of these sections to the last answer, 100 ns units.
    fn time_of(&self, sections: &BTreeSet<u32>) -> Option<u64> {
        let all = &self.snapshot.sections;
        let found = sections.iter().filter_map(|ordinal| {
            let place = all.binary_search_by_key(ordinal, |section| section.ordinal);
            all.get(place.ok()?)
        });
        let begins = found
            .clone()
            .map(|section| section.begin.performance_counter);
        let ends = found.filter_map(|section| Some(section.end?.performance_counter));
        let last = ends.chain(begins.clone()).max()?;
        self.snapshot.ticks(begins.min()?, last)
    }
}

/// `1 handle`, `2 handles`.
fn counted(count: u64, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}
