//! Objects in the namespace, by path. Symbolic links are a subject of their own.

use std::sync::Arc;

use bootshot_format::Family;

use super::Side;
use crate::diff::captured;
use crate::diff::item::{Extraction, Gaps, Groups, Item, Value};
use crate::names::describe_status;
use crate::records::{Namespace, NamespaceEntry, ObjectName, Opening, Reading};

/// Bytes of the longest path that is compared; real ones are far shorter.
const LONGEST_PATH: usize = 4096;

pub(super) fn extract(side: &Side<'_>) -> Extraction {
    let Reading { value, problems } = side.snapshot.namespace();
    let mut gaps = gaps(side, &value, &problems);
    let is_whole = gaps.all.is_none();
    let mut paths = Paths::new(side);
    let mut items = Vec::with_capacity(value.entries.len());
    for entry in value.entries {
        if &*entry.object_type == "SymbolicLink" {
            continue;
        }
        let Some(item) = paths.item(entry.path.clone()) else {
            gaps.note(Some(too_long()));
            continue;
        };
        items.push(described(item, &entry, is_whole));
    }
    Extraction { items, gaps }
}

fn described(item: Item, entry: &NamespaceEntry, is_whole: bool) -> Item {
    let details = entry.details.as_deref();
    let count = |count: Option<u32>| count.map(|count| Value::Count(count.into()));
    item.with("type", Value::Text(entry.object_type.clone()))
        .with("open", is_whole.then(|| Value::text(entry.opening.word())))
        .with(
            "security_descriptor",
            details
                .and_then(|details| details.security_descriptor.as_deref())
                .map(Value::text),
        )
        .with(
            "permanent",
            details
                .and_then(|details| details.permanent)
                .map(Value::Flag),
        )
        .with(
            "handle_count",
            details.and_then(|details| count(details.handle_count)),
        )
        .with(
            "pointer_count",
            details.and_then(|details| count(details.pointer_count)),
        )
}

pub(super) fn too_long() -> String {
    format!("paths of more than {LONGEST_PATH} bytes are not compared")
}

/// Makes entries out of paths. The directory of the last one is kept, since those of a directory come side by side.
pub(super) struct Paths<'a> {
    side: &'a Side<'a>,
    last: Option<(Arc<ObjectName>, Arc<str>)>,
}

impl<'a> Paths<'a> {
    pub(super) fn new(side: &'a Side<'a>) -> Self {
        Self { side, last: None }
    }

    /// None for a path that is too long.
    pub(super) fn item(&mut self, path: ObjectName) -> Option<Item> {
        if path.length() > LONGEST_PATH {
            return None;
        }
        let group = path.directory().map(|directory| match &self.last {
            Some((last, group)) if Arc::ptr_eq(last, directory) => group.clone(),
            _ => {
                let group: Arc<str> = group(self.side, directory).into();
                self.last = Some((directory.clone(), group.clone()));
                group
            }
        });
        Some(Item {
            group,
            ..Item::new(self.side.forms.normal(&path.to_string()), path)
        })
    }
}

/// A directory as the group of its entries: `\` is the empty text.
fn group(side: &Side<'_>, directory: &ObjectName) -> String {
    let mut group = side.forms.normal(&directory.to_string());
    if group == "\\" {
        group.clear();
    }
    group
}

/// What is not known of the namespace: directories that were not listed.
pub(super) fn gaps(side: &Side<'_>, namespace: &Namespace, problems: &[crate::Problem]) -> Gaps {
    let mut gaps = Gaps::default();
    gaps.note(captured::problem_about(problems, "object namespace"));
    gaps.note(captured::family(side.snapshot, Family::NAMESPACE));
    let mut groups = Groups::default();
    groups.known.insert("".into());
    groups.listed.insert("".into());
    for entry in &namespace.entries {
        let is_directory = &*entry.object_type == "Directory" || entry.contents.is_some();
        if !is_directory || entry.path.length() > LONGEST_PATH {
            continue;
        }
        let path: Arc<str> = group(side, &entry.path).into();
        let unknown = match (entry.contents, entry.opening) {
            (Some(contents), _) => contents.error.map(describe_status),
            (None, Opening::Refused(status)) => Some(describe_status(status)),
            (None, _) => Some("not listed".to_owned()),
        };
        match unknown {
            Some(reason) => {
                groups.unknown.insert(path, reason);
            }
            None => {
                groups.known.insert(path.clone());
                groups.listed.insert(path);
            }
        }
    }
    gaps.groups = Some(groups);
    gaps
}
