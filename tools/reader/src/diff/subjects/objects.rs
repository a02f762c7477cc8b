//! Objects in the namespace, by path. Symbolic links are a subject of their own.

use std::hash::Hash;
use std::sync::Arc;

use bootshot_format::Family;

use super::Side;
use crate::diff::captured;
use crate::diff::item::{Gaps, Groups, Item, Sink, Value};
use crate::names::describe_status;
use crate::records::{EntryAt, NamespaceEntry, ObjectName, Opening, Reading, Walked};

/// Bytes of the longest path that is compared; real ones are far shorter.
const LONGEST_PATH: usize = 4096;

pub(super) fn each(side: &Side<'_>, walked: &Reading<Walked<'_>>, sink: &mut Sink<'_>) -> Gaps {
    let mut gaps = gaps(side, walked);
    let is_whole = gaps.all.is_none();
    let mut paths = Paths::new(side);
    let mut texts = Texts::default();
    for entry in walked.value.entries() {
        if &**entry.object_type() == "SymbolicLink" {
            continue;
        }
        if entry.path_length() > LONGEST_PATH {
            gaps.note(Some(too_long()));
            continue;
        }
        sink.give_undecoded(
            |digester| {
                let path = texts.of(&entry);
                digester.of_parts(&side.forms.normal(path), |content| {
                    path.hash(content);
                    entry.hash_undecoded(content);
                })
            },
            || {
                let entry = entry.with_details(&mut Vec::new());
                described(paths.made(entry.path.clone()), &entry, is_whole)
            },
        );
    }
    gaps
}

fn described(item: Item, entry: &NamespaceEntry, is_whole: bool) -> Item {
    let details = entry.details.as_deref();
    let count = |count: Option<u32>| count.map(|count| Value::Count(count.into()));
    item.with("type", Value::Text(entry.object_type.clone()))
        .with("open", is_whole.then(|| Value::text(entry.opening.word())))
        .with(
            "security_descriptor",
            details
                .and_then(|details| details.security_descriptor.clone())
                .map(Value::Text),
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

/// Paths as text. What the entries of a directory begin with is kept, since they come side by side.
#[derive(Default)]
struct Texts {
    directory: Option<Arc<ObjectName>>,
    path: String,
    /// Bytes of it in front of the last part.
    kept: usize,
}

impl Texts {
    fn of(&mut self, entry: &EntryAt<'_, '_>) -> &str {
        let directory = entry.directory();
        let last = self.directory.as_ref();
        if !last.is_some_and(|last| Arc::ptr_eq(last, directory)) {
            self.directory = Some(directory.clone());
            self.path = match directory.is_root() {
                true => String::new(),
                false => directory.to_string(),
            };
            self.path.push('\\');
            self.kept = self.path.len();
        }
        self.path.truncate(self.kept);
        self.path.push_str(&entry.last_name());
        &self.path
    }
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
        (path.length() <= LONGEST_PATH).then(|| self.made(path))
    }

    fn made(&mut self, path: ObjectName) -> Item {
        let group = path.directory().map(|directory| match &self.last {
            Some((last, group)) if Arc::ptr_eq(last, directory) => group.clone(),
            _ => {
                let group: Arc<str> = group(self.side, directory).into();
                self.last = Some((directory.clone(), group.clone()));
                group
            }
        });
        Item {
            group,
            ..Item::new(self.side.forms.normal(&path.to_string()), path)
        }
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
pub(super) fn gaps(side: &Side<'_>, walked: &Reading<Walked<'_>>) -> Gaps {
    let mut groups = Groups::default();
    groups.known.insert("".into());
    groups.listed.insert("".into());
    let directories = walked.value.entries().filter(EntryAt::is_directory);
    for entry in directories.map(|entry| entry.without_details()) {
        if entry.path.length() > LONGEST_PATH {
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
    let mut gaps = Gaps::default();
    gaps.note(captured::problem_about(
        &walked.problems,
        "object namespace",
    ));
    gaps.note(captured::family(side.snapshot, Family::NAMESPACE));
    gaps.groups = Some(groups);
    gaps
}
