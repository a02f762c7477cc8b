//! What a snapshot has of a subject: what it lacks cannot be missed by anybody.

use bootshot_format::{Family, Outcome, Source};

use crate::error::Problem;
use crate::names;
use crate::snapshot::{Condition, Snapshot};

/// What a problem expects that says that a question has no answer.
const AN_ANSWER: &str = "an answer";

/// Why the answers of a family are not all there; none when they are.
pub(super) fn family(snapshot: &Snapshot<'_>, family: Family) -> Option<String> {
    let mut sections = snapshot.sections.iter();
    if !sections.any(|section| section.begin.family == family) {
        return Some(match lost(snapshot).next() {
            Some((section, _)) => format!("not captured, or in section {section}, which is lost"),
            None => "not captured".to_owned(),
        });
    }
    harm(snapshot, family)
}

/// Why what there is of a family is not whole.
pub(super) fn harm(snapshot: &Snapshot<'_>, family: Family) -> Option<String> {
    let sections = snapshot.sections.iter();
    for section in sections.filter(|section| section.begin.family == family) {
        let outcome = section.outcome();
        if section.condition == Condition::Damaged {
            return Some(format!("section {} is damaged", section.ordinal));
        }
        if !matches!(outcome, Outcome::COMPLETE | Outcome::FAILED) {
            return Some(names::outcome(outcome).to_owned());
        }
    }
    // A family's sections stand side by side.
    let is_of_it = |ordinal: u32| {
        let place = snapshot
            .sections
            .binary_search_by_key(&ordinal, |section| section.ordinal);
        place.is_ok_and(|place| snapshot.sections[place].begin.family == family)
    };
    lost(snapshot)
        .find(|(first, last)| {
            first.checked_sub(1).is_some_and(is_of_it) || is_of_it(last.saturating_add(1))
        })
        .map(|(first, _)| format!("section {first} is lost"))
}

/// Why the list that answers the first of these classes is not whole; none when it is. `problems` are those of reading it.
pub(super) fn list(
    snapshot: &Snapshot<'_>,
    source: Source,
    classes: &[u32],
    problems: &[Problem],
) -> Option<String> {
    let answer = classes.iter().find_map(|class| {
        snapshot
            .answered(source, *class)
            .find(|answer| answer.family != Family::NAMES)
    });
    let Some(answer) = answer else {
        return Some(no_answer(problems));
    };
    if answer.outcome != Outcome::COMPLETE {
        return Some(names::outcome(answer.outcome).to_owned());
    }
    problems
        .iter()
        .find(|problem| problem.section == Some(answer.section))
        .map(ToString::to_string)
}

/// What the problems say of a question without an answer.
pub(super) fn no_answer(problems: &[Problem]) -> String {
    problems
        .iter()
        .find(|problem| problem.expected == AN_ANSWER)
        .map_or_else(
            || "not captured".to_owned(),
            |problem| problem.actual.clone(),
        )
}

/// The problem about `what`, as a reason.
pub(super) fn problem_about(problems: &[Problem], what: &str) -> Option<String> {
    problems
        .iter()
        .find(|problem| problem.what == what)
        .map(|problem| problem.actual.clone())
}

/// Runs of ordinals of sections of which nothing can be read, as the first and the last of each.
fn lost(snapshot: &Snapshot<'_>) -> impl Iterator<Item = (u32, u32)> {
    let mut next = 0;
    snapshot.sections.iter().filter_map(move |section| {
        let lost = (section.ordinal > next).then(|| (next, section.ordinal - 1));
        next = section.ordinal.saturating_add(1);
        lost
    })
}
