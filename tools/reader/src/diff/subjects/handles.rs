//! Handles, counted by process and type.

use bootshot_format::Source;

use super::{Side, processes};
use crate::diff::captured;
use crate::diff::item::{Gaps, Sink, Value};

/// The classes that list handles.
const CLASSES: [u32; 2] = [64, 16];

pub(super) fn each(side: &Side<'_>, sink: &mut Sink<'_>) -> Gaps {
    // Whose they are is not known without the processes.
    if let Some(reason) = processes::gaps(side).all {
        return Gaps::everything(format!("the processes: {reason}"));
    }
    let reading = side.snapshot.handle_counts_by_type();
    // Of a part of the list the numbers are none.
    let source = Source::SYSTEM_INFORMATION;
    if let Some(reason) = captured::list(side.snapshot, source, &CLASSES, &reading.problems) {
        return Gaps::everything(reason);
    }
    let of_unknown_type = reading.value.of_unknown_type();
    for (pid, object_type, count) in reading.value.by_process() {
        sink.give(|| {
            side.item_of(pid, object_type)
                .telling("type", Value::Text(object_type.clone()))
                .with("handles", Value::Count(count))
        });
    }
    let mut gaps = Gaps::default();
    if of_unknown_type != 0 {
        gaps.note(Some(format!(
            "the types of {of_unknown_type} handles are not known"
        )));
    }
    gaps
}
