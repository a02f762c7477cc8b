//! Memory: figures of the system, of page files, of pool tags, and of processes.

use std::sync::Arc;

use super::Side;
use crate::diff::item::{Gaps, Groups, Item, Sink, Value};
use crate::records::{Memory, Pool};

/// What the identities of entries of each sort begin with.
const FIGURE: &str = "figure\0";
const PAGE_FILE: &str = "page file\0";
const POOL_TAG: &str = "pool tag\0";

pub(super) fn each(side: &Side<'_>, sink: &mut Sink<'_>) -> Gaps {
    let memory = side.snapshot.memory().value;
    let mut gaps = super::processes::gaps(side);
    // What is not known of processes does not concern the rest.
    let of_processes = gaps.all.take();
    let mut items = figures(&memory, &mut gaps);
    match &memory.page_files {
        Some(files) => items.extend(files.iter().map(|file| {
            let path = file.path.as_deref().unwrap_or_default();
            Item::new(
                format!("{PAGE_FILE}{}", path.to_lowercase()),
                format!("page file {path}"),
            )
            .with("size", Value::Bytes(file.size))
            .with("in_use", Value::Bytes(file.in_use))
            .with("peak", Value::Bytes(file.peak))
            .with("maximum_size", file.maximum_size.map(Value::Bytes))
        })),
        None => gaps
            .below
            .push((PAGE_FILE.to_owned(), "not captured".to_owned())),
    }
    match &memory.pool_tags {
        Some(tags) => items.extend(tags.iter().map(|tag| {
            Item::new(
                format!("{POOL_TAG}{}", tag.tag),
                format!("pool tag {}", tag.tag),
            )
            .with("size", Value::Bytes(tag.size))
            .with("allocations", Value::Count(tag.allocations))
        })),
        None => gaps
            .below
            .push((POOL_TAG.to_owned(), "not captured".to_owned())),
    }
    let group: Arc<str> = "processes".into();
    let mut groups = Groups::default();
    match of_processes {
        Some(reason) => {
            groups.unknown.insert(group.clone(), reason);
        }
        None => {
            groups.known.insert(group.clone());
        }
    }
    gaps.groups = Some(groups);
    for item in items {
        sink.give(|| item);
    }
    for process in &memory.processes {
        sink.give(|| {
            let item = Item {
                group: Some(group.clone()),
                ..side.item_of(process.pid, "memory")
            };
            item.with("private_commit", Value::Bytes(process.private_commit))
                .with("shared_commit", process.shared_commit.map(Value::Bytes))
                .with(
                    "private_working_set",
                    process.private_working_set.map(Value::Bytes),
                )
                .with("working_set", Value::Bytes(process.working_set))
                .with("paged_pool", Value::Bytes(process.paged_pool))
                .with("nonpaged_pool", Value::Bytes(process.nonpaged_pool))
        });
    }
    gaps
}

fn figures(memory: &Memory, gaps: &mut Gaps) -> Vec<Item> {
    let lists = memory.lists.as_ref();
    let cache = memory.file_cache.as_ref();
    let quota = memory.registry.as_ref();
    let sizes: [(&'static str, Option<u64>); 15] = [
        ("physical memory", memory.physical.total),
        ("physical memory available", memory.physical.available),
        ("commit", memory.commit.total),
        ("commit limit", memory.commit.limit),
        ("shared commit", memory.commit.shared),
        ("system code", memory.system_code),
        ("system drivers", memory.system_drivers),
        ("file cache", cache.map(|cache| cache.size)),
        ("registry", quota.map(|quota| quota.used)),
        ("zeroed pages", lists.map(|lists| lists.zeroed)),
        ("free pages", lists.map(|lists| lists.free)),
        ("modified pages", lists.map(|lists| lists.modified)),
        (
            "modified pages not to be written",
            lists.map(|lists| lists.modified_no_write),
        ),
        ("bad pages", lists.map(|lists| lists.bad)),
        (
            "standby pages",
            lists.map(|lists| {
                let of_priorities = lists.standby_by_priority.iter();
                of_priorities.fold(0, |sum: u64, size| sum.saturating_add(*size))
            }),
        ),
    ];
    let mut items = Vec::new();
    let mut known = |name: &'static str, is_known: bool, make: &dyn Fn(Item) -> Item| {
        let identity = format!("{FIGURE}{name}");
        if is_known {
            items.push(make(Item::new(identity, name)));
        } else {
            gaps.single.insert(identity, "not captured".to_owned());
        }
    };
    for (name, size) in sizes {
        known(name, size.is_some(), &|item| {
            item.with("size", size.map(Value::Bytes))
        });
    }
    let pools: [(&'static str, &Pool); 2] = [
        ("paged pool", &memory.paged_pool),
        ("nonpaged pool", &memory.nonpaged_pool),
    ];
    for (name, pool) in pools {
        let count = |count: Option<u32>| count.map(|count| Value::Count(count.into()));
        known(name, pool.size.is_some(), &|item| {
            item.with("size", pool.size.map(Value::Bytes))
                .with("resident", pool.resident.map(Value::Bytes))
                .with("allocations", count(pool.allocations))
                .with("frees", count(pool.frees))
        });
    }
    items
}
