//! The same question asked more than once, and answered differently.

use std::collections::{BTreeMap, BTreeSet};

use bootshot_format::{MemoryKind, Source};

use super::Report;
use super::evidence::{Evidence, HandleList, is_complete};
use crate::decode::{HandleClass, ProcessClass};
use crate::names;
use crate::snapshot::Answer;

/// Classes of `NtQuerySystemInformation` that count or measure: no two answers are the same.
const MOVING: [u32; 12] = [2, 3, 8, 18, 21, 22, 23, 33, 37, 45, 80, 144];

/// What makes two questions the same.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Question {
    source: Source,
    class: u32,
    arguments: (u64, u64),
    /// Of memory: its pieces differ by where they stood.
    address: u64,
    names: (String, String),
}

pub(super) fn check(evidence: &Evidence<'_>, report: &mut Report<'_>) {
    for pair in evidence.handle_lists.windows(2) {
        handle_lists(&pair[0], &pair[1], evidence, report);
    }
    let mut asked: BTreeMap<Question, Answer<'_>> = BTreeMap::new();
    for answer in evidence.snapshot.answers().filter(is_complete) {
        if !answer.succeeded() || answer.bytes.is_empty() || is_compared_elsewhere_or_moves(&answer)
        {
            continue;
        }
        let is_memory = matches!(answer.source, Source::OWN_MEMORY | Source::PROCESS_MEMORY);
        let question = Question {
            source: answer.source,
            class: answer.class,
            arguments: (answer.argument, answer.argument2),
            address: if is_memory { answer.buffer_address } else { 0 },
            names: (answer.name(), answer.value_name()),
        };
        let Some(before) = asked.insert(question, answer) else {
            continue;
        };
        let is_same =
            before.bytes.len() == answer.bytes.len() && unplaced(&before).eq(unplaced(&answer));
        if !is_same {
            report.finding(
                "answered-differently",
                subject(&answer),
                &[&before, &answer],
                format!(
                    "{} was asked twice, in sections {} and {}, and the answers of {} and {} bytes differ",
                    subject(&answer),
                    before.section,
                    answer.section,
                    before.bytes.len(),
                    answer.bytes.len()
                ),
            );
        }
    }
}

fn is_compared_elsewhere_or_moves(answer: &Answer<'_>) -> bool {
    let class = answer.class;
    match answer.source {
        Source::SYSTEM_INFORMATION => {
            MOVING.contains(&class)
                || ProcessClass::from_number(class).is_some()
                || HandleClass::from_number(class).is_some()
        }
        // The totals and peaks of object types.
        Source::OBJECT_INFORMATION => class == 3,
        // It holds the clock.
        Source::OWN_MEMORY => class == MemoryKind::USER_SHARED_DATA.0,
        Source::NOTE | Source::OPEN => true,
        _ => false,
    }
}

/// The answer with distances in place of the pointers into itself: the same answer looks the same in another buffer.
fn unplaced<'s>(answer: &Answer<'s>) -> impl Iterator<Item = u64> + use<'s> {
    let (address, length) = (answer.buffer_address, answer.bytes.len() as u64);
    let width = answer.buffer().width().bytes();
    answer.bytes.chunks(width).map(move |bytes| {
        let value = bytes
            .iter()
            .rev()
            .fold(0, |value, byte| value << 8 | u64::from(*byte));
        match value.checked_sub(address) {
            Some(distance) if distance < length && address != 0 => distance,
            _ => value,
        }
    })
}

fn subject(answer: &Answer<'_>) -> String {
    let class = names::information_class(answer.source, answer.class).map_or_else(
        || {
            let source = names::source(answer.source).unwrap_or("a source unknown here");
            format!("{source} class {}", answer.class)
        },
        str::to_owned,
    );
    [class, answer.name(), answer.value_name()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Two handle lists: what other processes hold in one and not in the other. The capture's own handles differ by design:
/// it opens some and asks again.
fn handle_lists(
    first: &HandleList<'_>,
    second: &HandleList<'_>,
    evidence: &Evidence<'_>,
    report: &mut Report<'_>,
) {
    if first.class != second.class {
        return;
    }
    let own = evidence.snapshot.header.process_id;
    let others = |list: &HandleList<'_>| -> BTreeSet<(u64, u64, u64, u32, u32)> {
        let entries = list.handles.iter().filter(|entry| entry.process_id != own);
        entries
            .map(|entry| {
                (
                    entry.process_id,
                    entry.handle,
                    entry.object,
                    entry.type_index,
                    entry.granted_access,
                )
            })
            .collect()
    };
    let (a, b) = (others(first), others(second));
    let (only_first, only_second) = (a.difference(&b).count(), b.difference(&a).count());
    if only_first + only_second != 0 {
        report.finding(
            "answered-differently",
            "handle list",
            &[&first.answer, &second.answer],
            format!(
                "without the capture's own, {only_first} handles stand in the list of section {} only and {only_second} \
                 in that of section {} only",
                first.answer.section, second.answer.section
            ),
        );
    }
}
