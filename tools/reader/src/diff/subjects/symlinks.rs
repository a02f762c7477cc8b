//! Symbolic links of the namespace, and where they lead.

use super::Side;
use super::objects::{self, Paths};
use crate::diff::item::{Extraction, Value};
use crate::records::TargetStatus;

pub(super) fn extract(side: &Side<'_>) -> Extraction {
    let namespace = side.snapshot.namespace();
    let mut gaps = objects::gaps(side, &namespace.value, &namespace.problems);
    drop(namespace);
    let is_whole = gaps.all.is_none();
    let mut paths = Paths::new(side);
    let mut items = Vec::new();
    for link in side.snapshot.symbolic_links().value {
        let Some(mut item) = paths.item(link.path) else {
            gaps.note(Some(objects::too_long()));
            continue;
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
        items.push(
            item.with("target", link.target.map(Value::Path))
                .with("target_status", status.map(Value::text))
                .with(
                    "dynamic_type",
                    link.dynamic.map(|dynamic| Value::text(dynamic.object_type)),
                )
                .telling("creation_time", link.creation_time.map(Value::Time)),
        );
    }
    Extraction { items, gaps }
}
