//! Processes.

use std::sync::Arc;

use bootshot_format::Source;

use super::Side;
use crate::diff::captured;
use crate::diff::item::{Gaps, Item, Sink, Value};
use crate::records::{ParentStatus, Process};

/// The classes that list processes.
const CLASSES: [u32; 3] = [148, 57, 5];

pub(super) fn each(side: &Side<'_>, sink: &mut Sink<'_>) -> Gaps {
    for place in 0..side.processes.len() {
        sink.give(|| described(side, place));
    }
    gaps(side)
}

fn described(side: &Side<'_>, place: usize) -> Item {
    let process = &side.processes[place];
    let text = |text: &Option<Arc<str>>| text.clone().map(Value::Text);
    let fixed = |text: Option<&'static str>| text.map(Value::text);
    let mut item = side.process_item(place);
    item.order = process.create_time.map_or(0, |time| time.ticks());
    item.telling("pid", Value::Count(process.pid))
        .telling("parent", parent(side, process))
        .telling("create_time", process.create_time.map(Value::Time))
        .telling("thread_count", Value::Count(process.thread_count.into()))
        .telling("handle_count", Value::Count(process.handle_count.into()))
        // Between two boots it is a part of what the process is.
        .with("image", process.image.clone().map(Value::Path))
        .with("path", process.path.clone().map(Value::Path))
        .with(
            "command_line",
            process.command_line.clone().map(Value::Text),
        )
        .with("session", process.session.map(|id| Value::Count(id.into())))
        .with("user", text(&process.user))
        .with("integrity", text(&process.integrity))
        .with("protection", text(&process.protection))
        .with("machine", fixed(process.machine))
        .with("subsystem", fixed(process.subsystem))
        .with(
            "base_priority",
            Value::text(process.base_priority.to_string()),
        )
        .with(
            "in_job",
            process.job.as_ref().map(|job| Value::Flag(job.in_job)),
        )
        .with("silo", process.silo.map(|id| Value::Count(id.into())))
        .with("private_commit", Value::Bytes(process.private_commit))
        .with("working_set", Value::Bytes(process.working_set))
        .with(
            "user_time",
            Value::Duration(process.user_time.unsigned_abs()),
        )
        .with(
            "kernel_time",
            Value::Duration(process.kernel_time.unsigned_abs()),
        )
        .with("page_faults", Value::Count(process.page_faults.into()))
}

/// What is not known of the list of processes.
pub(super) fn gaps(side: &Side<'_>) -> Gaps {
    let mut gaps = Gaps::default();
    let source = Source::SYSTEM_INFORMATION;
    gaps.note(captured::list(
        side.snapshot,
        source,
        &CLASSES,
        &side.problems,
    ));
    gaps
}

fn parent(side: &Side<'_>, process: &Process) -> Option<Value> {
    match process.parent_status? {
        ParentStatus::Alive => {
            let image = side.image(process.parent_pid)?;
            Some(Value::text(format!("{image} {}", process.parent_pid)))
        }
        ParentStatus::Exited | ParentStatus::PidReused => {
            Some(Value::text(format!("({})", process.parent_pid)))
        }
    }
}
