//! Threads, counted by process.

use super::{Side, processes};
use crate::diff::item::{Extraction, Value};

pub(super) fn extract(side: &Side<'_>) -> Extraction {
    let items = side.processes.iter().map(|process| {
        side.item_of(process.pid, "threads")
            .with("threads", Value::Count(process.thread_count.into()))
    });
    Extraction {
        items: items.collect(),
        gaps: processes::gaps(side),
    }
}
