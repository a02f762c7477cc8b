//! The answers that list an object directory, by its path.

use std::collections::BTreeMap;

use bootshot_format::{ObjectKind, Source, entry_of, handle_of};

use crate::decode::{self, DirectoryEntry};
use crate::error::Problem;
use crate::snapshot::{Answer, Snapshot};

/// The answers that list one directory, with their entries, in the order of the calls.
pub(crate) type Listing<'s> = Vec<(Answer<'s>, Vec<DirectoryEntry>)>;

const STATUS_NO_MORE_ENTRIES: u32 = 0x8000_001A;

/// Most components of a path that is looked for.
const DEEPEST: usize = 16;

impl Snapshot<'_> {
    /// The answers that list the object directory at `path`; none when it was not listed. Older snapshots name a listing
    /// by the path, newer ones by the handle to the directory, which leads back to its entry in the directory above.
    pub(crate) fn listing(&self, path: &str, problems: &mut Vec<Problem>) -> Option<Listing<'_>> {
        let by_name = self.calls(|answer| answer.name().eq_ignore_ascii_case(path));
        if !by_name.is_empty() {
            return Some(decoded(by_name, problems));
        }
        let root = self.calls(|answer| answer.name() == "\\");
        let mut directory = root.first()?.argument2;
        let mut listing = decoded(root, &mut Vec::new());
        for name in path
            .split('\\')
            .filter(|name| !name.is_empty())
            .take(DEEPEST)
        {
            let entries = listing.iter().flat_map(|(_, entries)| entries);
            let number = entries
                .clone()
                .position(|entry| entry.name.eq_ignore_ascii_case(name))?;
            directory =
                self.directory_opened_for(entry_of(directory, u32::try_from(number).ok()?))?;
            let calls =
                self.calls(|answer| answer.argument2 == directory && answer.name().is_empty());
            if calls.is_empty() {
                return None;
            }
            listing = decoded(calls, problems);
        }
        Some(listing)
    }

    /// The calls that listed a directory and were answered; the same question twice counts once.
    fn calls(&self, is_it: impl Fn(&Answer<'_>) -> bool) -> Vec<Answer<'_>> {
        let mut by_context = BTreeMap::new();
        // The first call on an empty directory says that there is nothing more, which is an answer.
        let answered =
            |answer: &Answer<'_>| answer.succeeded() || answer.status == STATUS_NO_MORE_ENTRIES;
        for answer in self.answers_from(Source::DIRECTORY_OBJECT) {
            if answered(&answer) && is_it(&answer) {
                by_context.entry(answer.argument).or_insert(answer);
            }
        }
        by_context.into_values().collect()
    }

    /// The capture's handle to the directory that it opened for this entry.
    fn directory_opened_for(&self, entry: u64) -> Option<u64> {
        self.answered(Source::OBJECT, ObjectKind::DIRECTORY.0)
            .find(|answer| answer.argument2 == entry && answer.argument != 0)
            .map(|answer| handle_of(0, answer.argument))
    }
}

fn decoded<'s>(calls: Vec<Answer<'s>>, problems: &mut Vec<Problem>) -> Listing<'s> {
    calls
        .into_iter()
        .map(|answer| (answer, answer.decode(problems, decode::directory_entries)))
        .collect()
}
