//! Handles, counted by process and type.

use bootshot_format::Source;

use super::Side;
use crate::diff::captured;
use crate::diff::item::{Extraction, Gaps, Value};

/// The classes that list handles.
const CLASSES: [u32; 2] = [64, 16];

pub(super) fn extract(side: &Side<'_>) -> Extraction {
    let reading = side.snapshot.handle_counts();
    let items = reading.value.by_process.into_iter();
    let items = items.map(|((pid, object_type), count)| {
        side.item_of(pid, &object_type)
            .telling("type", Value::Text(object_type))
            .with("handles", Value::Count(count))
    });
    let mut gaps = Gaps::default();
    gaps.note(captured::list(
        side.snapshot,
        Source::SYSTEM_INFORMATION,
        &CLASSES,
        &reading.problems,
    ));
    Extraction {
        items: items.collect(),
        gaps,
    }
}
