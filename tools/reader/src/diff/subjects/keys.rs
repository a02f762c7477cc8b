//! Handles to registry keys, counted by key.

use std::collections::BTreeMap;
use std::sync::Arc;

use bootshot_format::{Family, Source};

use super::Side;
use crate::diff::captured;
use crate::diff::item::{Extraction, Gaps, Item, Value};

/// The classes that list handles.
const CLASSES: [u32; 2] = [64, 16];

pub(super) fn extract(side: &Side<'_>) -> Extraction {
    let reading = side.snapshot.key_handle_counts();
    // Of a part of the list the numbers are none.
    let source = Source::SYSTEM_INFORMATION;
    let harm = captured::list(side.snapshot, source, &CLASSES, &reading.problems)
        .or_else(|| captured::harm(side.snapshot, Family::NAMES));
    if let Some(reason) = harm {
        return Extraction::missing(reason);
    }
    let counts = reading.value;
    let mut gaps = Gaps::default();
    // The handles of some processes never tell; where most do not, that a key is not among them says nothing.
    let named: u64 = counts.named.values().sum();
    let unnamed: u64 = counts.unnamed.values().sum();
    if unnamed > named {
        let most = counts.unnamed.iter().max_by_key(|(_, count)| **count);
        gaps.note(most.map(|(reason, _)| {
            format!(
                "{unnamed} of {} key handles have no name: {reason}",
                named + unnamed
            )
        }));
    }
    let mut keys: BTreeMap<Arc<str>, (u64, u64, bool)> = BTreeMap::new();
    for ((pid, key), count) in counts.named {
        let (handles, holders, only_capture) = keys.entry(key).or_insert((0, 0, true));
        *handles += count;
        *holders += 1;
        *only_capture &= side.is_capture(pid);
    }
    let items = keys
        .into_iter()
        .map(|(key, (handles, holders, of_capture))| Item {
            of_capture,
            ..Item::new(side.forms.normal(&key), key)
                .telling("processes", Value::Count(holders))
                .with("handles", Value::Count(handles))
        });
    Extraction {
        items: items.collect(),
        gaps,
    }
}
