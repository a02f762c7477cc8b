//! What is compared: entries with an identity, and their properties.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use sha2::Sha256;

use super::digest::{Digest, Digester};
use crate::records::ObjectName;
use crate::records::registry::hexadecimal;
use crate::value::{Hex, Time};

/// The value of a property, exact.
#[derive(Clone, PartialEq, Hash, Debug)]
pub enum Value {
    /// There is none, for sure; what is not known is no value at all.
    Absent,
    /// Text, compared as it is.
    Text(Arc<str>),
    /// A path or name that knows no case and may have volatile parts.
    Path(Arc<str>),
    /// A list of texts, in order.
    Texts(Vec<String>),
    /// A number of something.
    Count(u64),
    /// Bytes.
    Bytes(u64),
    /// 100 ns units.
    Duration(u64),
    /// A moment.
    Time(Time),
    /// A mask.
    Mask(Hex),
    /// Yes or no.
    Flag(bool),
}

impl Value {
    /// What kind of value it is: says how to show it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Text(_) => "text",
            Self::Path(_) => "path",
            Self::Texts(_) => "texts",
            Self::Count(_) => "count",
            Self::Bytes(_) => "bytes",
            Self::Duration(_) => "duration",
            Self::Time(_) => "time",
            Self::Mask(_) => "mask",
            Self::Flag(_) => "flag",
        }
    }

    pub(super) fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn path(path: impl Into<Arc<str>>) -> Self {
        Self::Path(path.into())
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::Text(text) | Self::Path(text) => serializer.serialize_str(text),
            Self::Texts(texts) => texts.serialize(serializer),
            Self::Count(number) | Self::Bytes(number) | Self::Duration(number) => {
                serializer.serialize_u64(*number)
            }
            Self::Time(time) => time.serialize(serializer),
            Self::Mask(mask) => mask.serialize(serializer),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
        }
    }
}

/// A property with its value.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Property {
    /// Its name, as the subject's own records have it.
    pub property: &'static str,
    /// Its value.
    pub value: Value,
    /// Whether it is compared; else it only tells more of what came or went.
    #[serde(skip)]
    pub(super) compared: bool,
}

/// The name of an entry.
#[derive(Clone, PartialEq, Hash, Debug)]
pub enum Name {
    /// A text, shared where many entries have it.
    Text(Arc<str>),
    /// A path in the object namespace.
    Object(ObjectName),
}

impl Default for Name {
    fn default() -> Self {
        Self::Text("".into())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(text),
            Self::Object(name) => name.fmt(formatter),
        }
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<Arc<str>> for Name {
    fn from(text: Arc<str>) -> Self {
        Self::Text(text)
    }
}

impl From<ObjectName> for Name {
    fn from(name: ObjectName) -> Self {
        Self::Object(name)
    }
}

/// An entry of a subject on one side.
#[derive(Clone, Debug, Default)]
pub(super) struct Item {
    /// What makes it the same entry on both sides.
    pub identity: String,
    /// Among entries of one identity, the lower ones were made earlier.
    pub order: i64,
    /// Its name as it is shown.
    pub name: Name,
    /// What it belongs to, where that has to be known on the other side before this can be missed there.
    pub group: Option<Arc<str>>,
    /// Whether it is of the capture itself.
    pub of_capture: bool,
    /// Whether it belongs to a process that is on this side only.
    pub of_unmatched_process: bool,
    /// What is known of it.
    pub properties: Vec<Property>,
}

impl Item {
    pub(super) fn new(identity: impl Into<String>, name: impl Into<Name>) -> Self {
        Self {
            identity: bounded(identity.into()),
            name: name.into(),
            ..Self::default()
        }
    }

    /// Adds a property that is compared; a value that is not known is left out, and then compared with nothing.
    pub(super) fn with(mut self, property: &'static str, value: impl Into<Option<Value>>) -> Self {
        if let Some(value) = value.into() {
            self.properties.push(Property {
                property,
                value,
                compared: true,
            });
        }
        self
    }

    /// Adds a property that only says more of the entry.
    pub(super) fn telling(
        mut self,
        property: &'static str,
        value: impl Into<Option<Value>>,
    ) -> Self {
        if let Some(value) = value.into() {
            self.properties.push(Property {
                property,
                value,
                compared: false,
            });
        }
        self
    }
}

/// What is not known of a subject on one side.
#[derive(Clone, Debug, Default)]
pub(super) struct Gaps {
    /// Why it is not known whether an entry that is not there is missing.
    pub all: Option<String>,
    /// The same of entries whose identities begin so.
    pub below: Vec<(String, String)>,
    /// The same of single entries, by identity.
    pub single: BTreeMap<String, String>,
    /// What is known of groups; without it, every group is known.
    pub groups: Option<Groups>,
}

/// Which groups of entries are known: directories and keys, by path in lower case, the root as the empty text.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    /// Wholly known.
    pub known: BTreeSet<Arc<str>>,
    /// All groups right below these are known by name.
    pub listed: BTreeSet<Arc<str>>,
    /// Exist, and are not wholly known.
    pub unknown: BTreeMap<Arc<str>, String>,
    /// Do not exist, and so nothing below them.
    pub absent: BTreeSet<Arc<str>>,
}

impl Groups {
    /// Why an entry of this group cannot be missed; none when it can.
    fn gap<'g>(&'g self, group: &'g str) -> Option<Gap<'g>> {
        if self.known.contains(group) {
            return None;
        }
        let mut path = group;
        loop {
            if let Some((below, reason)) = self.unknown.get_key_value(path) {
                return Some(Gap {
                    below: Some(below),
                    reason,
                });
            }
            let parent = path.rsplit_once('\\').map(|(parent, _)| parent);
            let is_not_listed = parent.is_some_and(|parent| self.listed.contains(parent));
            if self.absent.contains(path) || is_not_listed {
                return None;
            }
            let Some(parent) = parent else {
                return Some(Gap {
                    below: Some(group),
                    reason: "not captured",
                });
            };
            path = parent;
        }
    }
}

/// Bytes of an identity from which on it is shortened to its beginning and a digest: a hostile file can have a long path
/// stand for each of very many entries.
const LONGEST_IDENTITY: usize = 256;

pub(super) fn bounded(identity: String) -> String {
    if identity.len() <= LONGEST_IDENTITY {
        return identity;
    }
    let digest = hexadecimal(&<Sha256 as sha2::Digest>::digest(&identity));
    let mut end = LONGEST_IDENTITY / 2;
    while !identity.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}\0{digest}", &identity[..end])
}

/// Why an entry of the other side is not missed.
pub(super) struct Gap<'g> {
    /// What of the subject is not known; none: all of it.
    pub below: Option<&'g str>,
    pub reason: &'g str,
}

impl Gaps {
    pub(super) fn everything(reason: impl Into<String>) -> Self {
        Self {
            all: Some(reason.into()),
            ..Self::default()
        }
    }

    /// Notes why the whole is not known; the first reason stays.
    pub(super) fn note(&mut self, reason: Option<String>) {
        if self.all.is_none() {
            self.all = reason;
        }
    }

    pub(super) fn of<'g>(&'g self, item: &'g Item) -> Option<Gap<'g>> {
        if let Some(reason) = &self.all {
            return Some(Gap {
                below: None,
                reason,
            });
        }
        let below = self
            .below
            .iter()
            .find(|(prefix, _)| item.identity.starts_with(prefix));
        if let Some((prefix, reason)) = below {
            return Some(Gap {
                below: Some(prefix),
                reason,
            });
        }
        if let Some((identity, reason)) = self.single.get_key_value(&item.identity) {
            return Some(Gap {
                below: Some(identity),
                reason,
            });
        }
        let groups = self.groups.as_ref()?;
        groups.gap(item.group.as_deref()?)
    }
}

/// Where the entries of a subject go, one after the other. Not all need be made.
pub(super) struct Sink<'k>(Takes<'k>);

enum Takes<'k> {
    /// Entries: all, or of each, in their order, whether it is kept.
    Items(Option<std::slice::Iter<'k, bool>>, &'k mut Vec<Item>),
    /// Their digests.
    Digests(&'k Digester, &'k mut dyn FnMut(Digest)),
}

impl<'k> Sink<'k> {
    pub(super) fn of_items(kept: Option<&'k [bool]>, items: &'k mut Vec<Item>) -> Self {
        Self(Takes::Items(kept.map(<[bool]>::iter), items))
    }

    pub(super) fn of_digests(digester: &'k Digester, take: &'k mut dyn FnMut(Digest)) -> Self {
        Self(Takes::Digests(digester, take))
    }

    /// The next entry.
    pub(super) fn give(&mut self, make: impl FnOnce() -> Item) {
        match &mut self.0 {
            Takes::Items(kept, items) => {
                let kept = kept.as_mut();
                if kept.is_none_or(|kept| kept.next() == Some(&true)) {
                    let mut item = make();
                    item.properties.shrink_to_fit();
                    items.push(item);
                }
            }
            Takes::Digests(digester, take) => take(digester.of(&make())),
        }
    }

    /// The same of one that need not be made to tell whether another one is the same: `digest` is that of its identity and of
    /// all that it would be made of.
    pub(super) fn give_undecoded(
        &mut self,
        digest: impl FnOnce(&Digester) -> Digest,
        make: impl FnOnce() -> Item,
    ) {
        match &mut self.0 {
            Takes::Items(..) => self.give(make),
            Takes::Digests(digester, take) => take(digest(digester)),
        }
    }
}

/// A subject on one side.
#[derive(Clone, Debug, Default)]
pub(super) struct Extraction {
    pub items: Vec<Item>,
    pub gaps: Gaps,
}

impl Extraction {
    pub(super) fn give(self, sink: &mut Sink<'_>) -> Gaps {
        for item in self.items {
            sink.give(|| item);
        }
        self.gaps
    }

    /// Nothing is known.
    pub(super) fn missing(reason: impl Into<String>) -> Self {
        Self {
            items: Vec::new(),
            gaps: Gaps::everything(reason),
        }
    }
}
