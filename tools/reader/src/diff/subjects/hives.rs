//! Hives that are loaded, by their place in the registry.

use bootshot_format::Family;

use super::Side;
use crate::diff::captured;
use crate::diff::item::{Extraction, Gaps, Item, Value};

pub(super) fn extract(side: &Side<'_>) -> Extraction {
    let mut gaps = Gaps::default();
    gaps.note(captured::family(side.snapshot, Family::REGISTRY));
    let mut items = Vec::new();
    let mut is_list_known = false;
    for hive in side.snapshot.hives().value.hives {
        is_list_known |= hive.listed.is_some();
        let identity = hive.path.to_lowercase();
        match hive.loaded {
            Some(true) => items.push(
                Item::new(identity, hive.path)
                    .with(
                        "file",
                        hive.file.map_or_else(
                            || hive.listed.map(|_| Value::Absent),
                            |file| Some(Value::path(file)),
                        ),
                    )
                    .with("last_write_time", hive.last_write_time.map(Value::Time)),
            ),
            Some(false) => {}
            None => {
                gaps.single.insert(identity, "not captured".to_owned());
            }
        }
    }
    if !is_list_known {
        gaps.note(Some("the list of hives was not captured".to_owned()));
    }
    Extraction { items, gaps }
}
