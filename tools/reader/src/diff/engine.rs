//! Matches the entries of two sides, and tells what came, what went and what changed.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::item::{Extraction, Gap, Item, Name, Value};
use super::names::{self, Forms};
use super::rules::{Effect, Rule};

/// A property that changed.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Change {
    /// Its name.
    pub property: &'static str,
    /// What kind of value it has: `text`, `path`, `texts`, `count`, `bytes`, `duration`, `time`, `mask`, `flag`.
    pub kind: &'static str,
    /// What it was.
    pub from: Value,
    /// What it is.
    pub to: Value,
}

/// Which side something is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The first snapshot, or the baseline.
    First,
    /// The second one.
    Second,
}

/// Entries that one side cannot miss, since it does not know whether it has them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct NotComparable {
    /// The side that does not know.
    pub side: Which,
    /// What it does not know of the subject; none: all of it.
    pub below: Option<String>,
    /// Why.
    pub reason: String,
    /// Entries of the other side that cannot be said to have come or gone.
    pub entries: u64,
}

/// What became of an entry of the second side.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// The first side has it as well.
    Found {
        /// Its place there.
        first: usize,
        /// What changed, with the rule that hides it.
        changes: Vec<(Change, Option<&'static str>)>,
        /// The rule without which it would be another one.
        alias: Option<&'static str>,
    },
    /// It came; with the rule that hides it.
    Added(Option<&'static str>),
    /// Nobody knows.
    NotComparable,
}

/// One subject of two sides.
#[derive(Debug, Default)]
pub(super) struct Matched {
    /// Of each entry of the second side.
    pub second: Vec<Verdict>,
    /// Entries that went, with the rule that hides it.
    pub removed: Vec<(usize, Option<&'static str>)>,
    /// What could not be compared.
    pub not_comparable: Vec<NotComparable>,
}

/// The rules in force.
pub(super) struct Filter<'r> {
    pub subject: &'static str,
    pub rules: &'r [&'static Rule],
}

impl Filter<'_> {
    fn entry(&self, item: &Item) -> Option<&'static str> {
        let hides = |rule: &&&'static Rule| match rule.effect {
            Effect::Entry(hides) => hides(self.subject, item),
            _ => false,
        };
        self.rules.iter().find(hides).map(|rule| rule.name)
    }

    fn change(&self, change: &Change) -> Option<&'static str> {
        let hides = |rule: &&&'static Rule| match rule.effect {
            Effect::Change(hides) => hides(self.subject, change),
            _ => false,
        };
        self.rules.iter().find(hides).map(|rule| rule.name)
    }
}

/// What was not known, and how many entries that keeps from being compared.
#[derive(Default)]
struct Unknown(BTreeMap<(Which, Option<String>, String), u64>);

impl Unknown {
    fn add(&mut self, side: Which, gap: &Gap<'_>) {
        let below = gap.below.map(str::to_owned);
        *self
            .0
            .entry((side, below, gap.reason.to_owned()))
            .or_default() += 1;
    }

    fn whole(&mut self, side: Which, extraction: &Extraction) {
        if let Some(reason) = &extraction.gaps.all {
            self.0.entry((side, None, reason.clone())).or_default();
        }
    }
}

/// The places of the entries by identity, those of one identity in the order in which they were made.
fn by_identity(items: &[Item]) -> HashMap<&str, Vec<usize>> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        places.entry(&item.identity).or_default().push(place);
    }
    for same in places.values_mut().filter(|same| same.len() > 1) {
        same.sort_by_key(|place| items[*place].order);
    }
    places
}

/// Matches the entries of one subject. `forms` are those of the two sides.
pub(super) fn compare(
    first: &Extraction,
    second: &Extraction,
    forms: [&Forms; 2],
    filter: &Filter<'_>,
) -> Matched {
    let mut unknown = Unknown::default();
    unknown.whole(Which::First, first);
    unknown.whole(Which::Second, second);
    let places = by_identity(&first.items);
    let mut partner: Vec<Option<usize>> = vec![None; second.items.len()];
    let mut matched = vec![false; first.items.len()];
    for (identity, same) in by_identity(&second.items) {
        let candidates = places.get(identity).into_iter().flatten();
        for (place, candidate) in same.into_iter().zip(candidates) {
            partner[place] = Some(*candidate);
            matched[*candidate] = true;
        }
    }
    let verdicts = second.items.iter().zip(&partner).map(|(item, partner)| {
        if let Some(place) = *partner {
            return found(place, &first.items[place], item, forms, filter);
        }
        if let Some(gap) = first.gaps.of(item) {
            unknown.add(Which::First, &gap);
            return Verdict::NotComparable;
        }
        Verdict::Added(filter.entry(item))
    });
    let verdicts = verdicts.collect();
    let mut removed = Vec::new();
    for (place, item) in first.items.iter().enumerate() {
        if matched[place] {
            continue;
        }
        match second.gaps.of(item) {
            Some(gap) => unknown.add(Which::Second, &gap),
            None => removed.push((place, filter.entry(item))),
        }
    }
    Matched {
        second: verdicts,
        removed,
        not_comparable: unknown
            .0
            .into_iter()
            .map(|((side, below, reason), entries)| NotComparable {
                side,
                below,
                reason,
                entries,
            })
            .collect(),
    }
}

fn found(
    place: usize,
    first: &Item,
    second: &Item,
    [forms, other_forms]: [&Forms; 2],
    filter: &Filter<'_>,
) -> Verdict {
    let rule_between =
        |one: &str, other: &str| names::rule_between((one, forms), (other, other_forms));
    let mut changes = Vec::new();
    for property in second.properties.iter().filter(|known| known.compared) {
        let former = first
            .properties
            .iter()
            .find(|known| known.property == property.property);
        let Some(former) = former.filter(|former| former.value != property.value) else {
            continue;
        };
        let change = Change {
            property: property.property,
            kind: match &property.value {
                Value::Absent => former.value.kind(),
                value => value.kind(),
            },
            from: former.value.clone(),
            to: property.value.clone(),
        };
        let rule = if let (Value::Path(from), Value::Path(to)) = (&change.from, &change.to) {
            if from.to_lowercase() == to.to_lowercase() {
                continue;
            }
            rule_between(from, to)
        } else {
            None
        };
        let rule = rule
            .or_else(|| filter.change(&change))
            .or_else(|| filter.entry(second))
            .or_else(|| filter.entry(first));
        changes.push((change, rule));
    }
    let alias = match (&first.name, &second.name) {
        (Name::Object(former), Name::Object(name)) => {
            rule_between(&former.to_string(), &name.to_string())
        }
        _ => None,
    };
    changes.shrink_to_fit();
    Verdict::Found {
        first: place,
        changes,
        alias,
    }
}
