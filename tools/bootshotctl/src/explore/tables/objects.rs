//! Objects, and the entries of the namespace.

use std::collections::BTreeMap;

use bootshot_reader::records::{
    Namespace, NamespaceEntry, Object, ObjectDetails, Opening, SymbolicLink,
};

use crate::commands::objects::holders;
use crate::explore::table::{Column, Records};
use crate::explore::value::Value;
use crate::ntstatus::NtStatus;

static OBJECT_COLUMNS: [Column<Object>; 8] = [
    Column::left("TYPE", 12, |object| Value::text(&object.object_type)),
    Column::left("OBJECT", 18, |object| {
        Value::optional(object.address, Value::Hex)
    }),
    Column::right("ENTRIES", 7, |object| {
        let holders = object.holders.as_deref();
        Value::optional(holders, |all| Value::Number(all.len() as u64))
    }),
    Column::left("HOLDERS", 24, |object| {
        Value::optional(object.holders.as_deref(), |all| Value::made(holders(all)))
    }),
    Column::right("HANDLES", 7, |object| {
        handle_count(object.details.as_deref())
    }),
    Column::right("POINTERS", 8, |object| pointers(object.details.as_deref())),
    Column::left("PERMANENT", 9, |object| {
        permanent(object.details.as_deref())
    }),
    Column::left("NAME", 40, |object| Value::made(object.naming.to_string())),
];

static OBJECT_DETAILS: [Column<Object>; 2] = [
    Column::left("SECURITY", 0, |object| security(object.details.as_deref())),
    Column::left("COUNTS", 0, |object| {
        why_no_counts(object.details.as_deref())
    }),
];

/// An entry of the namespace.
pub struct Entry {
    pub entry: NamespaceEntry,
    /// Where it leads, when it is a symbolic link.
    link: Option<SymbolicLink>,
}

static ENTRY_COLUMNS: [Column<Entry>; 7] = [
    Column::left("TYPE", 12, |row| Value::text(&row.entry.object_type)),
    Column::right("HANDLES", 7, |row| {
        handle_count(row.entry.details.as_deref())
    }),
    Column::right("ENTRIES", 7, |row| {
        Value::optional(row.entry.contents, |contents| {
            Value::Number(contents.entry_count as u64)
        })
    }),
    Column::left("TARGET", 24, |row| {
        let target = row.link.as_ref().and_then(|link| link.target.as_deref());
        Value::optional(target.filter(|target| !target.is_empty()), Value::text)
    }),
    Column::left("OPENED", 8, |row| match row.entry.opening {
        Opening::Opened => Value::text("yes"),
        Opening::Refused(_) => Value::text("refused"),
        Opening::NotTried => Value::Nothing,
    }),
    Column::left("OBJECT", 18, |row| {
        let details = row.entry.details.as_deref();
        Value::optional(details.and_then(|details| details.address), Value::Hex)
    }),
    Column::left("PATH", 40, |row| Value::made(row.entry.path.to_string())),
];

static ENTRY_DETAILS: [Column<Entry>; 7] = [
    Column::left("POINTERS", 0, |row| pointers(row.entry.details.as_deref())),
    Column::left("PERMANENT", 0, |row| {
        permanent(row.entry.details.as_deref())
    }),
    Column::left("CREATED", 0, |row| {
        let details = row.entry.details.as_deref();
        let time = details.and_then(|details| details.creation_time);
        Value::optional(time, Value::Time)
    }),
    Column::left("OPENING IT", 0, |row| match row.entry.opening {
        Opening::Refused(status) => Value::made(NtStatus(status).to_string()),
        Opening::Opened | Opening::NotTried => Value::Nothing,
    }),
    Column::left("LISTING IT", 0, |row| {
        let error = row.entry.contents.and_then(|contents| contents.error);
        Value::optional(error, |status| Value::made(NtStatus(status).to_string()))
    }),
    Column::left("SECURITY", 0, |row| security(row.entry.details.as_deref())),
    Column::left("COUNTS", 0, |row| {
        why_no_counts(row.entry.details.as_deref())
    }),
];

/// The distinct objects.
pub fn objects(rows: Vec<Object>) -> Records<Object> {
    Records {
        details: &OBJECT_DETAILS,
        ..Records::flat(rows, &OBJECT_COLUMNS)
    }
}

/// The namespace as a tree.
pub fn entries(namespace: &Namespace, links: Vec<SymbolicLink>) -> Records<Entry> {
    let mut links: BTreeMap<String, SymbolicLink> = links
        .into_iter()
        .map(|link| (link.path.to_string(), link))
        .collect();
    let all = namespace.below(namespace.directory("\\").unwrap_or_default());
    let mut parents = Vec::with_capacity(all.len());
    // The directories that the next entry may be in, the innermost last.
    let mut open: Vec<(usize, u32)> = Vec::new();
    let mut rows = Vec::with_capacity(all.len());
    for (row, entry) in (0..).zip(all) {
        while open.last().is_some_and(|(depth, _)| *depth >= entry.depth) {
            open.pop();
        }
        parents.push(open.last().map(|(_, parent)| *parent));
        open.push((entry.depth, row));
        let link = match &*entry.object_type {
            "SymbolicLink" => links.remove(&entry.path.to_string()),
            _ => None,
        };
        let entry = entry.clone();
        rows.push(Entry { entry, link });
    }
    Records {
        parents,
        label: |row| Value::text(row.entry.path.last()),
        details: &ENTRY_DETAILS,
        ..Records::flat(rows, &ENTRY_COLUMNS)
    }
}

fn handle_count(details: Option<&ObjectDetails>) -> Value<'_> {
    let count = details.and_then(|details| details.handle_count);
    Value::optional(count, |count| Value::Number(count.into()))
}

/// With `*` where most of them are references that the kernel keeps in advance.
fn pointers(details: Option<&ObjectDetails>) -> Value<'_> {
    let inflated = details.and_then(|details| details.pointer_count_inflated);
    let count = details.and_then(|details| details.pointer_count);
    Value::optional(count, |count| match inflated {
        Some(true) => Value::Marked(count.into(), format!("{count}*")),
        Some(false) | None => Value::Number(count.into()),
    })
}

fn permanent(details: Option<&ObjectDetails>) -> Value<'_> {
    Value::yes_or_no(details.and_then(|details| details.permanent))
}

fn security(details: Option<&ObjectDetails>) -> Value<'_> {
    let told = details.and_then(|details| {
        let descriptor = details.security_descriptor.as_deref();
        descriptor.or(details.security_error.as_deref())
    });
    Value::optional(told, Value::text)
}

fn why_no_counts(details: Option<&ObjectDetails>) -> Value<'_> {
    let error = details.and_then(|details| details.basic_error.as_deref());
    Value::optional(error, Value::text)
}
