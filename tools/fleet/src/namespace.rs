//! Driver objects: what `\Driver` lists.

use bootshot_format::{ObjectKind, Outcome, Source, entry_of, handle_of};
use bootshot_reader::Snapshot;
use bootshot_reader::decode::directory_entries;
use test_snapshots::{Entry, objects};

use crate::draft::{Answer, Draft, STATUS_NO_MORE_ENTRIES};

/// The capture's handle to `\Driver`, where it opened it.
pub fn driver_directory(snapshot: &Snapshot<'_>) -> Option<u64> {
    let root = snapshot.answers().filter(|answer| {
        answer.source == Source::DIRECTORY_OBJECT && answer.name() == "\\" && answer.succeeded()
    });
    let mut number = 0;
    for answer in root {
        for entry in directory_entries(&answer.buffer(), &mut Vec::new()) {
            if &*entry.name == "Driver" {
                let entry = entry_of(answer.argument2, number);
                return snapshot
                    .answered(Source::OBJECT, ObjectKind::DIRECTORY.0)
                    .find(|opened| opened.argument2 == entry)
                    .map(|opened| opened.argument);
            }
            number += 1;
        }
    }
    None
}

/// Lets the directory behind the capture's handle list these driver objects and nothing else.
pub fn set_drivers(draft: &mut Draft, directory: u64, names: &[String]) {
    let directory = handle_of(0, directory);
    let lists_it = |answer: &Answer| {
        answer.source == Source::DIRECTORY_OBJECT
            && answer.argument2 == directory
            && answer.name.is_empty()
    };
    let Some(answers) = draft.batch_with(lists_it) else {
        return;
    };
    let first = answers.iter().position(lists_it).unwrap_or_default();
    answers.retain(|answer| !lists_it(answer));
    let entries: Vec<(&str, &str)> = names.iter().map(|name| (&**name, "Driver")).collect();
    let end = Entry::new(Source::DIRECTORY_OBJECT, 0, 0, &[])
        .about(names.len() as u64, directory)
        .status(STATUS_NO_MORE_ENTRIES);
    let end = Answer {
        outcome: Outcome::FAILED,
        ..end.into()
    };
    let listing = (!names.is_empty()).then(|| objects::directory(directory, 0, &entries).into());
    answers.splice(first..first, listing.into_iter().chain([end]));
}
