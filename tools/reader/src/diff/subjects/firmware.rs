//! Variables of the firmware, by owner and name, their values by digest.

use super::Side;
use crate::diff::captured;
use crate::diff::item::{Extraction, Gaps, Item, Value};

/// `EFI_VARIABLE_NON_VOLATILE`.
const NON_VOLATILE: u64 = 1;

pub(super) fn extract(side: &Side<'_>) -> Extraction {
    let reading = side.snapshot.firmware_variables();
    if reading.value.is_empty() {
        return Extraction::missing(captured::no_answer(&reading.problems));
    }
    let mut gaps = Gaps::default();
    gaps.note(captured::harm(
        side.snapshot,
        bootshot_format::Family::FIRMWARE,
    ));
    let items = reading.value.into_iter().map(|variable| {
        let kept = variable
            .attributes
            .map(|attributes| attributes.0 & NON_VOLATILE != 0);
        Item::new(
            format!("{}\0{}", variable.vendor, variable.name),
            variable.name,
        )
        .telling("vendor", Value::text(variable.vendor))
        .telling("kept", kept.map(Value::Flag))
        .with("attributes", variable.attributes.map(Value::Mask))
        .with("size", variable.size.map(Value::Bytes))
        .with("sha256", variable.sha256.map(Value::text))
    });
    Extraction {
        items: items.collect(),
        gaps,
    }
}
