//! Compares snapshots: the moments of one boot, the same moment of two boots, a boot and the running system, or a snapshot
//! with a baseline of known-good ones.
//!
//! ```no_run
//! # let (one, other) = (Vec::new(), Vec::new());
//! use bootshot_reader::{Snapshot, diff};
//! let (one, other) = (Snapshot::parse(&one)?, Snapshot::parse(&other)?);
//! let comparison = diff::compare(&one, &other, &diff::Options::default());
//! for subject in comparison.subjects {
//!     println!("{}: {} came, {} went", subject.name, subject.added.len(), subject.removed.len());
//! }
//! # Ok::<(), bootshot_reader::ReadError>(())
//! ```
//!
//! Each subject ([`SUBJECTS`]) takes entries from a snapshot's records: an identity, a name to show, properties. Entries of
//! one identity are matched in the order in which they were made. What is only noise is hidden by [`RULES`], and counted.
//! What one side does not know is [`NotComparable`], and never said to have gone.

mod captured;
mod digest;
mod engine;
mod item;
mod names;
mod processes;
mod relation;
mod rules;
mod subjects;

pub use engine::{Change, NotComparable, Which};
pub use item::{Name, Property, Value};
pub use relation::{Boot, Moment, Relation};
pub use rules::{Hidden, RULES, Rule, rule};
pub use subjects::{SUBJECTS, Subject};

use std::collections::BTreeMap;
use std::thread;

use serde::Serialize;

use crate::records::{Process, Reading};
use crate::redact::Redaction;
use crate::snapshot::Snapshot;
use digest::{Digester, Digests};
use engine::{Filter, Matched, Verdict};
use item::{Extraction, Item, Sink};
use names::Forms;
use rules::Effect;
use subjects::{Extract, Side, Walks};

/// What is compared, and what is hidden.
#[derive(Clone)]
pub struct Options {
    /// Rules in force.
    pub rules: Vec<&'static Rule>,
    /// Names of the subjects.
    pub subjects: Vec<&'static str>,
}

impl Default for Options {
    /// Everything, with all rules.
    fn default() -> Self {
        Self {
            rules: RULES.iter().collect(),
            subjects: SUBJECTS.iter().map(|subject| subject.name).collect(),
        }
    }
}

/// What came, what went and what changed.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Comparison {
    /// What the snapshots are to each other.
    pub relation: Relation,
    /// By subject, in the order of [`SUBJECTS`].
    pub subjects: Vec<SubjectComparison>,
}

impl Comparison {
    /// Entries that came, went or changed.
    pub fn difference_count(&self) -> u64 {
        let of = |subject: &SubjectComparison| {
            subject.added.len() + subject.removed.len() + subject.changed.len()
        };
        self.subjects.iter().map(of).sum::<usize>() as u64
    }
}

/// One subject of a comparison.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct SubjectComparison {
    /// Its name in [`SUBJECTS`].
    pub name: &'static str,
    /// What came: the second side has it.
    pub added: Vec<Entry>,
    /// What went: the first side had it.
    pub removed: Vec<Entry>,
    /// What both have, and is not as it was.
    pub changed: Vec<ChangedEntry>,
    /// What rules hid.
    pub hidden: Vec<Hidden>,
    /// What could not be compared.
    pub not_comparable: Vec<NotComparable>,
}

/// An entry that came or went.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Entry {
    /// Its name.
    pub name: Name,
    /// What is known of it.
    pub properties: Vec<Property>,
}

/// An entry that changed.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ChangedEntry {
    /// Its name on the second side.
    pub name: Name,
    /// Its name on the first side, where that is another one.
    pub former_name: Option<Name>,
    /// What tells more of it, on the second side; not what is compared.
    pub properties: Vec<Property>,
    /// What changed.
    pub changes: Vec<Change>,
}

/// Bytes of an answer from which on another thread is worth starting.
const LARGE: usize = 1 << 20;

/// Compares two snapshots.
pub fn compare(first: &Snapshot<'_>, second: &Snapshot<'_>, options: &Options) -> Comparison {
    let pair = Pair::of(
        first,
        second,
        options,
        Entries::Different,
        PairedSubject::compared,
    );
    Comparison {
        relation: Relation {
            boot: pair.boot,
            evidence: pair.evidence,
            first: vec![pair.first],
            second: pair.second,
            baseline: false,
        },
        subjects: pair.subjects,
    }
}

impl From<Item> for Entry {
    fn from(item: Item) -> Self {
        Self {
            name: item.name,
            properties: item.properties,
        }
    }
}

/// The entry as one that changed; none when nothing that is shown did.
fn changed(item: Item, former_name: Option<Name>, changes: Vec<Change>) -> Option<ChangedEntry> {
    let Item {
        name,
        mut properties,
        ..
    } = item;
    properties.retain(|property| !property.compared);
    (!changes.is_empty()).then_some(ChangedEntry {
        name,
        former_name,
        properties,
        changes,
    })
}

/// Counts what is hidden.
#[derive(Default)]
struct Tally(BTreeMap<&'static str, u64>);

impl Tally {
    fn count(&mut self, rule: Option<&'static str>) {
        if let Some(rule) = rule {
            *self.0.entry(rule).or_default() += 1;
        }
    }

    /// The changes that no rule hides.
    fn shown(&mut self, changes: Vec<(Change, Option<&'static str>)>) -> Vec<Change> {
        let shown = changes.into_iter().filter_map(|(change, rule)| {
            self.count(rule);
            rule.is_none().then_some(change)
        });
        shown.collect()
    }

    /// In the order of the rules.
    fn finish(self) -> Vec<Hidden> {
        let count = |rule: &'static Rule| {
            Some(Hidden {
                rule: rule.name,
                count: *self.0.get(rule.name)?,
            })
        };
        RULES.iter().filter_map(count).collect()
    }
}

/// Which entries of two snapshots are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Entries {
    /// All.
    All,
    /// Those that are not the same on both sides.
    Different,
}

/// Two snapshots, with what was made of each subject.
struct Pair<T> {
    boot: Boot,
    evidence: &'static str,
    first: Moment,
    second: Moment,
    subjects: Vec<T>,
}

/// A subject of two snapshots with the verdict on every entry that was kept.
struct PairedSubject {
    subject: &'static Subject,
    first: Vec<Item>,
    second: Vec<Item>,
    matched: Matched,
}

impl PairedSubject {
    fn compared(self) -> SubjectComparison {
        let mut tally = Tally::default();
        let mut made = SubjectComparison {
            name: self.subject.name,
            added: Vec::new(),
            removed: Vec::new(),
            changed: Vec::new(),
            hidden: Vec::new(),
            not_comparable: self.matched.not_comparable,
        };
        for (verdict, item) in self.matched.second.into_iter().zip(self.second) {
            match verdict {
                Verdict::Found {
                    first,
                    changes,
                    alias,
                } => {
                    tally.count(alias);
                    let former = &self.first[first].name;
                    let former = (*former != item.name).then(|| former.clone());
                    made.changed
                        .extend(changed(item, former, tally.shown(changes)));
                }
                Verdict::Added(Some(rule)) => tally.count(Some(rule)),
                Verdict::Added(None) => made.added.push(item.into()),
                Verdict::NotComparable => {}
            }
        }
        let mut first = self.first.into_iter().map(Some).collect::<Vec<_>>();
        for (place, rule) in self.matched.removed {
            match rule {
                Some(rule) => tally.count(Some(rule)),
                None => made.removed.extend(first[place].take().map(Entry::from)),
            }
        }
        made.hidden = tally.finish();
        made
    }
}

/// What was removed from one of the snapshots only is taken for unknown in both: a stand-in is no command line, and would tell
/// processes apart that are the same.
fn leave_out(lacking: Redaction, read: &mut [Reading<Vec<Process>>; 2]) {
    for process in read.iter_mut().flat_map(|reading| &mut reading.value) {
        if lacking.command_lines {
            process.command_line = None;
        }
        if lacking.users {
            process.user = None;
        }
    }
}

impl<T: Send> Pair<T> {
    /// Takes each subject from both and makes something of it, before the next one: all entries of all of them together
    /// would take many times the memory.
    fn of(
        first: &Snapshot<'_>,
        second: &Snapshot<'_>,
        options: &Options,
        entries: Entries,
        make: impl Fn(PairedSubject) -> T + Sync,
    ) -> Self {
        let moments = [Moment::of(first), Moment::of(second)];
        let at_once = is_large(first) && is_large(second);
        let (one, other) = both(
            at_once,
            || first.processes_of_list(),
            || second.processes_of_list(),
        );
        let mut read = [one, other];
        let lacking = Redaction::of_one_only([&first.header, &second.header]);
        leave_out(lacking, &mut read);
        let (boot, evidence) =
            relation::of_boot((&moments[0], &read[0].value), (&moments[1], &read[1].value));
        let same_boot = boot == Boot::Same;
        let (keys, other_keys) = processes::pair(&read[0].value, &read[1].value, same_boot);
        let forms: Vec<(&'static str, names::Form)> = options
            .rules
            .iter()
            .filter_map(|rule| match rule.effect {
                Effect::Name(form) if !same_boot => Some((rule.name, form)),
                _ => None,
            })
            .collect();
        let [one, other] = read;
        let side = |snapshot, processes, keys| {
            Side::new(snapshot, processes, keys, &forms, same_boot, lacking)
        };
        let (one, other) = (side(first, one, keys), side(second, other, other_keys));
        let compared = |subject: &'static Subject, (first, second): (Extraction, Extraction)| {
            let filter = Filter {
                subject: subject.name,
                rules: &options.rules,
            };
            let forms: [&Forms; 2] = [&one.forms, &other.forms];
            make(PairedSubject {
                subject,
                matched: engine::compare(&first, &second, forms, &filter),
                first: first.items,
                second: second.items,
            })
        };
        let of_those = |are_walked: bool| {
            let wanted = |subject: &&Subject| options.subjects.contains(&subject.name);
            let subjects = SUBJECTS.iter().filter(wanted).enumerate();
            subjects.filter(move |(_, subject)| subject.extract.is_walked() == are_walked)
        };
        let walked = || {
            let mut walks = Walks::default();
            let extracted = of_those(true).map(|(place, subject)| {
                let entries = extract([&one, &other], subject, &mut walks, entries);
                (place, subject, entries)
            });
            let extracted: Vec<_> = extracted.collect();
            // Comparing takes memory too, and the walk no more.
            drop(walks);
            let extracted = extracted.into_iter();
            extracted
                .map(|(place, subject, entries)| (place, compared(subject, entries)))
                .collect::<Vec<_>>()
        };
        let rest = || {
            let made = of_those(false).map(|(place, subject)| {
                let entries = extract([&one, &other], subject, &mut Walks::default(), entries);
                (place, compared(subject, entries))
            });
            made.collect()
        };
        // What is found by walking through the namespace takes about as long as all the rest.
        let (mut subjects, rest) = both(at_once, walked, rest);
        subjects.extend(rest);
        subjects.sort_by_key(|(place, _)| *place);
        let [first, second] = moments;
        Self {
            boot,
            evidence,
            first,
            second,
            subjects: subjects.into_iter().map(|(_, made)| made).collect(),
        }
    }
}

/// The entries of a subject on both sides, as far as they are kept: one side after the other, since what is read of one on the
/// way takes much memory.
fn extract<'s>(
    sides: [&'s Side<'s>; 2],
    subject: &Subject,
    walks: &mut Walks<'s>,
    entries: Entries,
) -> (Extraction, Extraction) {
    let [first, second] = sides;
    let mut each = |side: &'s Side<'s>, sink: &mut Sink<'_>| match subject.extract {
        Extract::Few(extract) => extract(side).give(sink),
        Extract::Each(each) => each(side, sink),
        Extract::Walked(each) => each(side, walks.of(side), sink),
    };
    if entries == Entries::All || matches!(subject.extract, Extract::Few(_)) {
        let mut all = |side| {
            let mut items = Vec::new();
            let gaps = each(side, &mut Sink::of_items(None, &mut items));
            Extraction { items, gaps }
        };
        return (all(first), all(second));
    }
    let digester = Digester::default();
    let mut digests = Digests::default();
    let mut add = |digest| digests.add(digest);
    let gaps = each(first, &mut Sink::of_digests(&digester, &mut add));
    let mut partners = digests.partners();
    let mut find = |digest| partners.find(digest);
    let other_gaps = each(second, &mut Sink::of_digests(&digester, &mut find));
    let different = partners.different();
    if different.iter().all(|places| !places.contains(&true)) {
        let nothing = |gaps| Extraction {
            items: Vec::new(),
            gaps,
        };
        return (nothing(gaps), nothing(other_gaps));
    }
    let mut some = |which: Which| {
        let kept = &different[which as usize];
        let mut items = Vec::with_capacity(kept.iter().filter(|kept| **kept).count());
        let mut sink = Sink::of_items(Some(kept), &mut items);
        let gaps = each(sides[which as usize], &mut sink);
        Extraction { items, gaps }
    };
    // What was read of the second side is still there.
    let second = some(Which::Second);
    (some(Which::First), second)
}

/// Whether a snapshot is so large that another thread is worth starting.
fn is_large(snapshot: &Snapshot<'_>) -> bool {
    let mut sections = snapshot.sections.iter();
    sections.any(|section| section.payload.len() >= LARGE)
}

/// Does both, at the same time where that is wanted.
fn both<T: Send>(
    at_once: bool,
    first: impl FnOnce() -> T + Send,
    second: impl FnOnce() -> T,
) -> (T, T) {
    if !at_once {
        return (first(), second());
    }
    thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        match first.join() {
            Ok(first) => (first, second),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// A comparison with a baseline: only what none of the snapshots in it has.
pub struct Baseline<'s> {
    second: &'s Snapshot<'s>,
    options: &'s Options,
    relation: Relation,
    subjects: Vec<BaselineSubject>,
}

struct BaselineSubject {
    name: &'static str,
    /// The entries of the snapshot, with what the baseline says of each.
    entries: Vec<(Item, Standing)>,
    not_comparable: BTreeMap<(Which, Option<String>, String), u64>,
}

/// What a baseline says of an entry.
#[derive(Default)]
struct Standing {
    /// One of the snapshots has it.
    found: bool,
    /// The rule without which none would have it.
    alias: Option<&'static str>,
    /// Its name in the last one that has it.
    former_name: Option<Name>,
    /// One of the snapshots lacks it, and would know; with the rule that hides it.
    missing: Option<Option<&'static str>>,
    /// What changed, and in none of the snapshots is as it is.
    changes: Vec<(Change, Option<&'static str>)>,
}

impl Standing {
    fn take(&mut self, verdict: Verdict, former: &[Item], item: &Item) {
        match verdict {
            Verdict::Found {
                first,
                mut changes,
                alias,
            } => {
                // A value that one of them has is known, and a change that is noise against one of them is noise.
                if self.found {
                    changes.retain_mut(|(change, rule)| {
                        let known = self
                            .changes
                            .iter()
                            .find(|(known, _)| known.property == change.property);
                        *rule = rule.or_else(|| known.and_then(|(_, rule)| *rule));
                        known.is_some()
                    });
                    self.alias = self.alias.and(alias);
                } else {
                    self.alias = alias;
                }
                let former = &former[first].name;
                self.former_name = (*former != item.name).then(|| former.clone());
                self.changes = changes;
                self.found = true;
            }
            Verdict::Added(rule) => self.missing = Some(self.missing.flatten().or(rule)),
            Verdict::NotComparable => {}
        }
    }
}

impl<'s> Baseline<'s> {
    /// What `second` has and the snapshots that will be added have not.
    pub fn new(second: &'s Snapshot<'s>, options: &'s Options) -> Self {
        Self {
            second,
            options,
            relation: Relation {
                boot: Boot::NotKnown,
                evidence: "an empty baseline",
                first: Vec::new(),
                second: Moment::of(second),
                baseline: true,
            },
            subjects: Vec::new(),
        }
    }

    /// Adds a known-good snapshot.
    pub fn add(&mut self, good: &Snapshot<'_>) {
        let all = Entries::All;
        let pair = Pair::of(good, self.second, self.options, all, |subject| subject);
        let is_first = self.relation.first.is_empty();
        if is_first || pair.boot != Boot::Same {
            self.relation.boot = pair.boot;
            self.relation.evidence = pair.evidence;
        }
        self.relation.first.push(pair.first);
        if is_first {
            let empty = |subject: &PairedSubject| BaselineSubject {
                name: subject.subject.name,
                entries: Vec::new(),
                not_comparable: BTreeMap::new(),
            };
            self.subjects = pair.subjects.iter().map(empty).collect();
        }
        for (known, subject) in self.subjects.iter_mut().zip(pair.subjects) {
            for missed in subject.matched.not_comparable {
                let (side, entries) = (missed.side, missed.entries);
                let known = known
                    .not_comparable
                    .entry((side, missed.below, missed.reason))
                    .or_default();
                *known = (*known).max(entries);
            }
            if is_first {
                let new = subject.second.into_iter();
                known.entries = new.map(|item| (item, Standing::default())).collect();
            }
            for (verdict, (item, standing)) in
                subject.matched.second.into_iter().zip(&mut known.entries)
            {
                standing.take(verdict, &subject.first, item);
            }
        }
    }

    /// Only what none of them has.
    pub fn finish(self) -> Comparison {
        let subjects = self.subjects.into_iter().map(BaselineSubject::finish);
        Comparison {
            relation: self.relation,
            subjects: subjects.collect(),
        }
    }
}

impl BaselineSubject {
    fn finish(self) -> SubjectComparison {
        let mut tally = Tally::default();
        let (mut added, mut changes_shown) = (Vec::new(), Vec::new());
        let mut unjudged = 0;
        for (item, standing) in self.entries {
            if standing.found {
                tally.count(standing.alias);
                let changes = tally.shown(standing.changes);
                changes_shown.extend(changed(item, standing.former_name, changes));
                continue;
            }
            match standing.missing {
                Some(Some(rule)) => tally.count(Some(rule)),
                Some(None) => added.push(item.into()),
                None => unjudged += 1,
            }
        }
        let not_comparable = self.not_comparable.into_iter();
        let not_comparable = not_comparable
            // What one of the snapshots does not know, another one may; of what the second does not know only that is told,
            // since nothing is said to have gone.
            .filter(|((side, below, _), _)| match side {
                Which::First => unjudged != 0,
                Which::Second => below.is_none(),
            })
            .map(|((side, below, reason), entries)| NotComparable {
                side,
                below,
                reason,
                entries: match side {
                    Which::First => entries.min(unjudged),
                    Which::Second => 0,
                },
            });
        SubjectComparison {
            name: self.name,
            added,
            removed: Vec::new(),
            changed: changes_shown,
            hidden: tally.finish(),
            not_comparable: not_comparable.collect(),
        }
    }
}
