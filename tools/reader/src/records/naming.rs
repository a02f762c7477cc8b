//! Names of objects: of those the capture opened, of those it asked for through duplicated handles, and so of everybody's
//! handles to the same objects.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bootshot_format::{Family, ObjectKind, OpenKind, Source};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::details::string_answer;
use super::namespace::Walk;
use super::opened::{self, HandleReference, Lists};
use crate::decode::HandleEntry;
use crate::error::Problem;
use crate::names::{self, describe_status};
use crate::snapshot::{Answer, Snapshot};

/// `ObjectNameInformation`.
pub(super) const NAME_INFORMATION: u32 = 1;

/// What the capture gives for a name that did not come in time.
const STATUS_TIMEOUT: u32 = 0x102;

/// The name of an object: a path in the namespace, in pieces that are shared among all objects of a directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectName {
    directory: Option<Arc<ObjectName>>,
    name: Arc<str>,
}

impl ObjectName {
    /// A name as it was told.
    pub fn told(name: Arc<str>) -> Self {
        Self {
            directory: None,
            name,
        }
    }

    pub(super) fn inside(directory: Arc<Self>, name: Arc<str>) -> Self {
        Self {
            directory: Some(directory),
            name,
        }
    }

    /// Whether it is `\\`.
    pub(super) fn is_root(&self) -> bool {
        self.directory.is_none() && &*self.name == "\\"
    }

    /// The directory that it lies in, where it was found by walking there.
    pub(crate) fn directory(&self) -> Option<&Arc<Self>> {
        self.directory.as_ref()
    }

    /// Bytes of its parts together, without what stands between them.
    pub(crate) fn length(&self) -> usize {
        let above = self.directory.as_ref().map_or(0, |above| above.length());
        above + self.name.len()
    }

    /// The last part of it, as the directory lists it.
    pub fn last(&self) -> &Arc<str> {
        &self.name
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(directory) = &self.directory {
            if !directory.is_root() {
                directory.fmt(formatter)?;
            }
            formatter.write_str("\\")?;
        }
        formatter.write_str(&self.name)
    }
}

impl Serialize for ObjectName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Why an object has a name here, or has none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum NameStatus {
    /// It has one.
    Named,
    /// It was asked, and has none.
    Unnamed,
    /// It was asked, and did not answer in time.
    TimedOut,
    /// It could not be asked; the `NTSTATUS`.
    Refused(u32),
    /// Every object of its type that the walk through the namespace could open is another one: it has no name, or one
    /// the walk could not open.
    NotInNamespace,
    /// Each open of a file or a key makes an object of its own, so another process's cannot be found by its name.
    OwnObjectForEachOpen,
    /// The kernel hides its address, so it is not known to be any other.
    AddressHidden,
    /// Nobody asked.
    NotAsked,
}

impl NameStatus {
    /// The word for it in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Unnamed => "unnamed",
            Self::TimedOut => "timed_out",
            Self::Refused(_) => "refused",
            Self::NotInNamespace => "not_in_namespace",
            Self::OwnObjectForEachOpen => "own_object_for_each_open",
            Self::AddressHidden => "address_hidden",
            Self::NotAsked => "not_asked",
        }
    }
}

impl fmt::Display for NameStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Refused(status) => write!(formatter, "refused: {}", describe_status(status)),
            other => formatter.write_str(&other.word().replace('_', " ")),
        }
    }
}

/// An object's name, or why there is none. Serialized as `name`, `name_status` and `name_error`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Naming {
    /// The name.
    pub name: Option<ObjectName>,
    /// How it came, or why not.
    pub status: NameStatus,
}

impl Naming {
    const fn without(status: NameStatus) -> Self {
        Self { name: None, status }
    }

    /// Nobody asked for the name.
    pub(super) const fn not_asked() -> Self {
        Self::without(NameStatus::NotAsked)
    }

    /// The name with the reason for it.
    pub const fn named(name: ObjectName) -> Self {
        Self {
            name: Some(name),
            status: NameStatus::Named,
        }
    }
}

impl fmt::Display for Naming {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => name.fmt(formatter),
            None => write!(formatter, "({})", self.status),
        }
    }
}

impl Serialize for Naming {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let error = match self.status {
            NameStatus::Refused(status) => Some(describe_status(status)),
            _ => None,
        };
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("name_status", self.status.word())?;
        map.serialize_entry("name_error", &error)?;
        map.end()
    }
}

/// All that is known of objects' names.
pub(super) struct Names {
    /// By address, with the type index.
    by_address: BTreeMap<u64, (u32, Naming)>,
    /// Of handles whose object has no address.
    by_handle: BTreeMap<HandleReference, Naming>,
    /// Processes whose handles could not be duplicated.
    refused: BTreeMap<u64, u32>,
    /// Whether the walk's own objects have addresses, so that an object it did not find is not one of them.
    walked: bool,
}

impl Names {
    /// The name of the object behind a handle to an object of this type.
    pub(super) fn of(&self, entry: &HandleEntry, object_type: &str) -> Naming {
        let known = match entry.object {
            0 => self.by_handle.get(&(entry.process_id, entry.handle)),
            address => self
                .by_address
                .get(&address)
                .filter(|(type_index, _)| *type_index == entry.type_index)
                .map(|(_, naming)| naming),
        };
        if let Some(naming) = known {
            return naming.clone();
        }
        Naming::without(match self.refused.get(&entry.process_id) {
            Some(status) => NameStatus::Refused(*status),
            None if matches!(object_type, "File" | "Key") => NameStatus::OwnObjectForEachOpen,
            None if !opened::is_walked(object_type) => NameStatus::NotAsked,
            None if entry.object == 0 => NameStatus::AddressHidden,
            None if self.walked => NameStatus::NotInNamespace,
            None => NameStatus::NotAsked,
        })
    }

    /// The name that this very handle told.
    pub(super) fn told_by(&self, reference: HandleReference) -> Option<&ObjectName> {
        self.by_handle.get(&reference)?.name.as_ref()
    }

    fn add(&mut self, reference: HandleReference, lists: &Lists, naming: Naming) {
        let better = |known: &mut Naming, naming: Naming| {
            if naming.status < known.status {
                *known = naming;
            }
        };
        match lists.find(reference).filter(|entry| entry.object != 0) {
            Some(entry) => {
                let known = self
                    .by_address
                    .entry(entry.object)
                    .or_insert_with(|| (entry.type_index, naming.clone()));
                better(&mut known.1, naming);
            }
            None => {
                let known = self
                    .by_handle
                    .entry(reference)
                    .or_insert_with(|| naming.clone());
                better(known, naming);
            }
        }
    }
}

impl Snapshot<'_> {
    /// The names of objects: from the walk through the namespace first, then from what others' handles told.
    pub(super) fn object_names(
        &self,
        walk: &Walk<'_>,
        lists: &Lists,
        problems: &mut Vec<Problem>,
    ) -> Names {
        let mut names = Names {
            by_address: BTreeMap::new(),
            by_handle: BTreeMap::new(),
            refused: BTreeMap::new(),
            walked: false,
        };
        for (opened, name) in walk.named() {
            let Some(entry) = lists.own(opened.handle).filter(|entry| entry.object != 0) else {
                continue;
            };
            names.walked = true;
            names
                .by_address
                .entry(entry.object)
                .or_insert_with(|| (entry.type_index, Naming::named(name)));
        }
        for answer in self.answers() {
            match answer.source {
                Source::OBJECT_INFORMATION if answer.class == NAME_INFORMATION => {
                    let reference = self.handle_reference(answer.argument);
                    let naming = told(&answer, problems);
                    names.add(reference, lists, naming);
                }
                Source::OPEN if answer.class == OpenKind::HANDLE.0 => {
                    let reference = self.handle_reference(answer.argument);
                    let refused = Naming::without(NameStatus::Refused(answer.status));
                    names.add(reference, lists, refused);
                }
                Source::OPEN
                    if answer.class == OpenKind::PROCESS.0 && answer.family == Family::NAMES =>
                {
                    names.refused.insert(answer.argument, answer.status);
                }
                _ => {}
            }
        }
        names
    }
}

/// What `NtQueryObject` said of a name.
fn told(answer: &Answer<'_>, problems: &mut Vec<Problem>) -> Naming {
    if answer.status == STATUS_TIMEOUT {
        return Naming::without(NameStatus::TimedOut);
    }
    if !answer.succeeded() {
        return Naming::without(NameStatus::Refused(answer.status));
    }
    match string_answer(answer, "object name", problems) {
        Some(name) if !name.is_empty() => Naming::named(ObjectName::told(name)),
        _ => Naming::without(NameStatus::Unnamed),
    }
}

/// The type an object was opened as.
pub(super) fn type_of(kind: ObjectKind) -> &'static str {
    names::object_kind(kind).unwrap_or("unknown")
}
