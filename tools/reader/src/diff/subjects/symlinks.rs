//! Symbolic links of the namespace, and where they lead.

use super::Side;
use super::objects::{self, Paths};
use crate::diff::item::{Gaps, Sink, Value};
use crate::records::{Reading, TargetStatus, Walked};

pub(super) fn each(side: &Side<'_>, walked: &Reading<Walked<'_>>, sink: &mut Sink<'_>) -> Gaps {
    let mut gaps = objects::gaps(side, walked);
    let is_whole = gaps.all.is_none();
    let mut paths = Paths::new(side);
    let mut is_too_long = false;
    side.snapshot
        .each_symbolic_link(&walked.value, &mut Vec::new(), &mut |link| {
            let Some(mut item) = paths.item(link.path) else {
                is_too_long = true;
                return;
            };
            item.order = link.creation_time.map_or(0, |time| time.ticks());
            // Whether a target is there is not known in a part of the namespace.
            let status = match link.target_status {
                _ if !is_whole => None,
                TargetStatus::Found => Some("found"),
                TargetStatus::Dangling => Some("dangling"),
                TargetStatus::Loop => Some("loop"),
                TargetStatus::Dynamic => Some("dynamic"),
                TargetStatus::NotKnown => None,
            };
            sink.give(|| {
                item.with("target", link.target.map(Value::Path))
                    .with("target_status", status.map(Value::text))
                    .with(
                        "dynamic_type",
                        link.dynamic.map(|dynamic| Value::text(dynamic.object_type)),
                    )
                    .telling("creation_time", link.creation_time.map(Value::Time))
            });
        });
    if is_too_long {
        gaps.note(Some(objects::too_long()));
    }
    gaps
}
