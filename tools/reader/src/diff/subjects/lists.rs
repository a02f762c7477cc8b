//! The Session Manager's lists of programs, entry by entry.

use bootshot_format::Family;

use super::Side;
use crate::diff::captured;
use crate::diff::item::{Extraction, Gaps, Item, Value};
use crate::names::describe_status;
use crate::records::registry::SESSION_MANAGER;

pub(super) fn extract(side: &Side<'_>) -> Extraction {
    let lists = side.snapshot.boot().value.lists;
    let mut gaps = Gaps::default();
    gaps.note(captured::family(side.snapshot, Family::REGISTRY));
    let registry = side.snapshot.registry().value;
    match registry.key(SESSION_MANAGER) {
        Some(key) => gaps.note(key.refusal.or(key.values_cut).map(describe_status)),
        None => gaps.note(Some(
            "the Session Manager's key was not captured".to_owned(),
        )),
    }
    let lists = [
        ("PlatformExecute", lists.platform_execute),
        ("BootExecute", lists.boot_execute),
        ("BootExecuteNoPnpSync", lists.boot_execute_no_pnp_sync),
        ("SetupExecute", lists.setup_execute),
        ("SetupExecuteNoPnpSync", lists.setup_execute_no_pnp_sync),
        ("Execute", lists.execute),
    ];
    let mut items = Vec::new();
    for (list, entries) in lists {
        let entries = entries.unwrap_or_default();
        let length = entries.len();
        for (place, entry) in entries.into_iter().enumerate() {
            // smss splits an entry at white space, and knows no case.
            let words: Vec<&str> = entry.split_whitespace().collect();
            items.push(Item {
                order: place as i64,
                ..Item::new(format!("{list}\0{}", words.join(" ").to_lowercase()), list)
                    .telling("entry", Value::text(entry.as_str()))
                    .with("place", Value::text(format!("{} of {length}", place + 1)))
            });
        }
    }
    Extraction { items, gaps }
}
