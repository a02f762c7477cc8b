//! Threads, counted by process.

use super::{Side, processes};
use crate::diff::item::{Gaps, Sink, Value};

pub(super) fn each(side: &Side<'_>, sink: &mut Sink<'_>) -> Gaps {
    for process in &side.processes {
        sink.give(|| {
            side.item_of(process.pid, "threads")
                .with("threads", Value::Count(process.thread_count.into()))
        });
    }
    processes::gaps(side)
}
