//! Filters: instances of minifilters, and the stored policy of the Windows Filtering Platform.

use bootshot_format::Family;

use super::Side;
use crate::diff::captured;
use crate::diff::item::{Extraction, Gaps, Item, Value};

/// What the identities of objects of the filtering platform begin with.
const POLICY: &str = "wfp\0";

pub(super) fn extract(side: &Side<'_>) -> Extraction {
    let mut gaps = Gaps::default();
    gaps.note(captured::family(side.snapshot, Family::REGISTRY));
    let minifilters = side.snapshot.minifilters().value.into_iter();
    let known = |text: Option<String>| text.map_or(Value::Absent, Value::text);
    let minifilters = minifilters.map(|filter| {
        let name = format!("{}\\{}", filter.service, filter.instance);
        Item::new(format!("minifilter\0{}", name.to_lowercase()), name)
            .telling("kind", Value::text("minifilter"))
            .with("altitude", known(filter.altitude))
            .with("group", filter.group.map_or(Value::Absent, Value::text))
            .with("flags", filter.flags.map_or(Value::Absent, Value::Mask))
            .with("default", filter.default.map(Value::Flag))
    });
    let mut items: Vec<Item> = minifilters.collect();
    let policy = side.snapshot.wfp().value;
    for key in policy.unreadable {
        // `…\Policy\BootTime\Filter`: store and kind are what identities have.
        let below = key
            .path
            .to_lowercase()
            .rsplit_once("\\policy\\")
            .map(|(_, below)| below.replace('\\', "\0"));
        let prefix = below.map_or_else(|| POLICY.to_owned(), |below| format!("{POLICY}{below}\0"));
        gaps.below.push((prefix, key.status));
    }
    items.extend(policy.objects.into_iter().map(|object| {
        let kind = object.kind.as_deref().unwrap_or_default();
        let identity = format!(
            "{POLICY}{}\0{}\0{}",
            object.store.to_lowercase(),
            kind.to_lowercase(),
            object.guid.to_lowercase()
        );
        Item::new(identity, object.guid)
            .telling(
                "kind",
                Value::text(format!("{} {kind}", object.store).trim_end()),
            )
            .with("display_name", object.display_name.map(Value::text))
            .with("layer", object.layer.map(Value::text))
            .with("size", Value::Bytes(object.size))
            .with("sha256", Value::text(object.sha256))
    }));
    Extraction { items, gaps }
}
