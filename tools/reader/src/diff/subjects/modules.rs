//! Kernel modules, by path. Where one is loaded is new in every boot, and tells nothing.

use bootshot_format::Source;

use super::Side;
use crate::diff::captured;
use crate::diff::item::{Extraction, Gaps, Item, Value};

/// The classes that list kernel modules.
const CLASSES: [u32; 2] = [77, 11];

pub(super) fn extract(side: &Side<'_>) -> Extraction {
    let reading = side.snapshot.modules();
    let items = reading.value.into_iter().map(|module| {
        Item {
            order: module.load_order.into(),
            ..Item::new(module.path.to_lowercase(), module.path)
        }
        .with("size", Value::Bytes(module.size.into()))
        .with("checksum", module.checksum.map(Value::Mask))
        .with("time_date_stamp", module.time_date_stamp.map(Value::Mask))
        .with("machine", module.machine.map(Value::text))
        .with("subsystem", module.subsystem.map(Value::text))
        .with("flags", Value::Mask(module.flags))
        .with("load_order", Value::Count(module.load_order.into()))
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
