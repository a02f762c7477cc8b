//! Names of objects: of those the capture opened, of those it asked for through duplicated handles, and so of everybody's
//! handles to the same objects.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bootshot_format::{Family, ObjectKind, OpenKind, Source};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::details::string_answer;
use super::namespace::{Named, Walk};
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
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
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
    pub(crate) fn is_root(&self) -> bool {
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

/// What others' handles told of names.
#[derive(Default)]
pub(super) struct Told {
    /// By address, with the type index.
    by_address: BTreeMap<u64, (u32, Naming)>,
    /// Of handles whose object has no address.
    by_handle: BTreeMap<HandleReference, Naming>,
    /// Processes whose handles could not be duplicated.
    refused: BTreeMap<u64, u32>,
}

impl Told {
    /// The name that this very handle told.
    pub fn by_handle(&self, reference: HandleReference) -> Option<&ObjectName> {
        self.by_handle.get(&reference)?.name.as_ref()
    }

    fn add(&mut self, reference: HandleReference, lists: &Lists<'_>, naming: Naming) {
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

/// An object that the walk reached.
pub(super) struct Reached {
    /// Where it is.
    pub address: u64,
    /// The index of its type.
    pub type_index: u32,
    /// What its name is made of: of several names, the first.
    named: Named,
    /// What was opened there: its place in the walk.
    pub opened: u32,
}

/// All that is known of objects' names.
pub(super) struct Names<'w> {
    walk: &'w Walk<'w>,
    /// What the walk reached, by address, in order.
    pub reached: Vec<Reached>,
    /// Whether the walk's own objects have addresses, so that an object it did not find is not one of them.
    has_addresses: bool,
    told: Told,
}

impl Names<'_> {
    /// The name of the object behind a handle to an object of this type.
    pub fn of(&self, entry: &HandleEntry, object_type: &str) -> Naming {
        self.known(entry)
            .unwrap_or_else(|| Naming::without(self.why_unknown(entry, object_type)))
    }

    /// The place of what the walk reached at this address.
    pub fn place(&self, address: u64) -> Option<usize> {
        let reached = &self.reached;
        let place = reached.binary_search_by_key(&address, |reached| reached.address);
        place.ok()
    }

    fn known(&self, entry: &HandleEntry) -> Option<Naming> {
        if entry.object == 0 {
            let reference = (entry.process_id, entry.handle);
            return self.told.by_handle.get(&reference).cloned();
        }
        // The path by which the walk reached it is better than any other name.
        if let Some(place) = self.place(entry.object) {
            let reached = &self.reached[place];
            let is_it = reached.type_index == entry.type_index;
            return is_it.then(|| Naming::named(self.walk.name_of(reached.named)));
        }
        let (type_index, naming) = self.told.by_address.get(&entry.object)?;
        (*type_index == entry.type_index).then(|| naming.clone())
    }

    fn why_unknown(&self, entry: &HandleEntry, object_type: &str) -> NameStatus {
        match self.told.refused.get(&entry.process_id) {
            Some(status) => NameStatus::Refused(*status),
            None if matches!(object_type, "File" | "Key") => NameStatus::OwnObjectForEachOpen,
            None if !opened::is_walked(object_type) => NameStatus::NotAsked,
            None if entry.object == 0 => NameStatus::AddressHidden,
            None if self.has_addresses => NameStatus::NotInNamespace,
            None => NameStatus::NotAsked,
        }
    }
}

impl Snapshot<'_> {
    /// The names of objects: from the walk through the namespace first, then from what others' handles told.
    pub(super) fn object_names<'w>(
        &self,
        walk: &'w Walk<'w>,
        lists: &Lists<'_>,
        problems: &mut Vec<Problem>,
    ) -> Names<'w> {
        self.names_of_types(walk, lists, |_| true, problems)
    }

    /// As [`object_names`](Self::object_names), of objects of those types only whose indexes are `wanted`.
    pub(super) fn names_of_types<'w>(
        &self,
        walk: &'w Walk<'w>,
        lists: &Lists<'_>,
        wanted: impl Fn(u32) -> bool,
        problems: &mut Vec<Problem>,
    ) -> Names<'w> {
        let mut has_addresses = false;
        let mut reached = Vec::with_capacity(walk.opened_count());
        for (opened, named) in walk.named_at() {
            let entry = lists.own(walk.opened(opened).handle());
            if let Some(entry) = entry.filter(|entry| entry.object != 0) {
                has_addresses = true;
                if wanted(entry.type_index) {
                    reached.push(Reached {
                        address: entry.object,
                        type_index: entry.type_index,
                        named,
                        opened,
                    });
                }
            }
        }
        // Of several names the first counts.
        reached.sort_unstable_by_key(|reached| (reached.address, reached.named, reached.opened));
        reached.dedup_by_key(|reached| reached.address);
        reached.shrink_to_fit();
        Names {
            walk,
            reached,
            has_addresses,
            told: self.names_told(lists, problems),
        }
    }

    /// The names that others' handles told.
    pub(super) fn names_told(&self, lists: &Lists<'_>, problems: &mut Vec<Problem>) -> Told {
        let mut told = Told::default();
        let told_or_refused = [Source::OBJECT_INFORMATION, Source::OPEN];
        for answer in self.answers_from_any(&told_or_refused) {
            match answer.source {
                Source::OBJECT_INFORMATION if answer.class == NAME_INFORMATION => {
                    let reference = self.handle_reference(answer.argument);
                    told.add(reference, lists, name_in(&answer, problems));
                }
                Source::OPEN if answer.class == OpenKind::HANDLE.0 => {
                    let reference = self.handle_reference(answer.argument);
                    let refused = Naming::without(NameStatus::Refused(answer.status));
                    told.add(reference, lists, refused);
                }
                Source::OPEN
                    if answer.class == OpenKind::PROCESS.0 && answer.family == Family::NAMES =>
                {
                    told.refused.insert(answer.argument, answer.status);
                }
                _ => {}
            }
        }
        told
    }
}

/// What `NtQueryObject` said of a name.
fn name_in(answer: &Answer<'_>, problems: &mut Vec<Problem>) -> Naming {
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
