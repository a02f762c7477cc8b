//! The type table, against the handle list and the process list.

use std::collections::{BTreeMap, BTreeSet};

use super::evidence::{Evidence, HandleList, ProcessList, TypeTable};
use super::{Report, counted};
use crate::records::ObjectType;

pub(super) fn check(evidence: &Evidence<'_>, report: &mut Report<'_>) {
    let Some(table) = &evidence.types else {
        return;
    };
    twice(table, report);
    if let Some(handles) = evidence.handles() {
        totals(table, handles, evidence, report);
    }
    if let Some(processes) = evidence.processes() {
        objects(table, processes, report);
    }
}

fn label(entry: &ObjectType) -> String {
    match (&entry.name, entry.index) {
        (Some(name), _) => format!("type {name}"),
        (None, Some(index)) => format!("type {index}"),
        (None, None) => "a type without a name".to_owned(),
    }
}

fn twice(table: &TypeTable<'_>, report: &mut Report<'_>) {
    let mut indexes = BTreeSet::new();
    let mut names = BTreeSet::new();
    for entry in &table.types {
        let known_index = entry.index.is_some_and(|index| !indexes.insert(index));
        let known_name = entry.name.as_ref().is_some_and(|name| !names.insert(name));
        if known_index || known_name {
            let what = if known_name { "name" } else { "index" };
            report.finding(
                "type-twice",
                label(entry),
                &[&table.answer],
                format!(
                    "the type table has another type of the {what} of {}",
                    label(entry)
                ),
            );
        }
    }
}

/// What the handle list has of one type.
#[derive(Default)]
struct Held {
    handles: u64,
    objects: BTreeSet<u64>,
}

/// Handles by type, and the objects they point to, against the kernel's own totals. The capture closes its own handles
/// before it asks for the types.
fn totals(
    table: &TypeTable<'_>,
    handles: &HandleList<'_>,
    evidence: &Evidence<'_>,
    report: &mut Report<'_>,
) {
    let mut held: BTreeMap<u32, Held> = BTreeMap::new();
    for entry in &handles.handles {
        let held = held.entry(entry.type_index).or_default();
        held.handles += 1;
        if entry.object != 0 {
            held.objects.insert(entry.object);
        }
    }
    if held.len() == 1 && held.contains_key(&0) {
        report.note(
            "no-type-indexes",
            "every handle carries type index 0: this system does not tell types, and they were not compared",
        );
        return;
    }
    let mut own_handles: BTreeMap<&str, u64> = BTreeMap::new();
    for name in evidence.own_handles.values() {
        *own_handles.entry(name).or_default() += 1;
    }
    let answers = [&table.answer, &handles.answer];
    for entry in &table.types {
        let (Some(index), Some(total)) = (entry.index, entry.handle_count.map(u64::from)) else {
            continue;
        };
        let found = held.remove(&index).unwrap_or_default();
        if index == 0 {
            if found.handles != total {
                report.note(
                    "type-index-0",
                    format!(
                        "{} carry type index 0, that of {}: where types are numbered from 0, as in Wine, so do objects \
                         without a type, and they were not compared",
                        counted(found.handles, "handle"),
                        label(entry)
                    ),
                );
            }
            continue;
        }
        let name = entry.name.as_deref().unwrap_or_default();
        let own = own_handles.get(name).copied().unwrap_or_default();
        let of_own = match own {
            0 => String::new(),
            own => format!(", {own} of them the capture's own"),
        };
        if !(total..=total + own).contains(&found.handles) {
            report.finding(
                "type-handle-count",
                label(entry),
                &answers,
                format!(
                    "the type table counts {} of {}, the handle list holds {}{of_own}",
                    counted(total, "handle"),
                    label(entry),
                    found.handles
                ),
            );
        }
        let objects = u64::from(entry.object_count.unwrap_or(u32::MAX));
        if found.objects.len() as u64 > objects + own {
            report.finding(
                "type-object-count",
                label(entry),
                &answers,
                format!(
                    "the type table counts {} of {}, the handles point to {}",
                    counted(objects, "object"),
                    label(entry),
                    found.objects.len()
                ),
            );
        }
    }
    for (index, held) in held {
        report.finding(
            "type-not-in-table",
            format!("type {index}"),
            &answers,
            format!(
                "{} carry type index {index}, which no type of the table has",
                counted(held.handles, "handle")
            ),
        );
    }
}

/// There are at least as many process and thread objects as listed ones; more are ended ones that somebody holds. The
/// idle process and its threads are part of the kernel's image and not counted.
fn objects(table: &TypeTable<'_>, processes: &ProcessList<'_>, report: &mut Report<'_>) {
    let started = processes
        .processes
        .iter()
        .filter(|process| process.pid != 0);
    let threads: usize = started.clone().map(|process| process.threads.len()).sum();
    for (name, listed) in [("Process", started.count()), ("Thread", threads)] {
        let entry = table
            .types
            .iter()
            .find(|entry| entry.name.as_deref() == Some(name));
        let Some(objects) = entry.and_then(|entry| entry.object_count) else {
            continue;
        };
        if (objects as usize) < listed {
            report.finding(
                "fewer-objects-than-listed",
                format!("type {name}"),
                &[&processes.answer, &table.answer],
                format!(
                    "the type table counts {} of type {name}, the process list holds {listed} without the idle ones",
                    counted(objects.into(), "object")
                ),
            );
        }
    }
}
