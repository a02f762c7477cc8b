//! Objects: each once, with its name, its counts and who holds it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bootshot_format::Source;
use serde::Serialize;

use super::Reading;
use super::naming::Naming;
use super::opened::{Holder, Lists, Opened};
use crate::decode;
use crate::error::Problem;
use crate::layout::structures::OBJECT_BASIC_INFORMATION as Basic;
use crate::layout::{PointerWidth, View};
use crate::names::describe_status;
use crate::snapshot::{Answer, Snapshot};
use crate::value::{Hex, Time};

/// `ObjectBasicInformation`.
const BASIC_INFORMATION: u32 = 0;

/// `OBJ_PERMANENT`.
const PERMANENT: u32 = 0x10;

/// NT 6.3, which began to keep references in handle table entries.
const FIRST_WITH_CACHED_REFERENCES: (u32, u32) = (6, 3);

/// What an object told of itself when the capture opened it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ObjectDetails {
    /// Where it is; none where the kernel hides it, or no handle list was taken.
    pub address: Option<Hex>,
    /// Handles to it, without the capture's own where that is certain.
    pub handle_count: Option<u32>,
    /// References to it as the kernel counts them, before Windows 8.1 without that of the capture's own handle.
    pub pointer_count: Option<u32>,
    /// Whether most of those are references that the kernel keeps in handle table entries to save time.
    pub pointer_count_inflated: Option<bool>,
    /// Whether it stays without handles.
    pub permanent: Option<bool>,
    /// When it was made; told for symbolic links only.
    pub creation_time: Option<Time>,
    /// Why the counts are not known.
    pub basic_error: Option<String>,
    /// Owner, group and DACL in SDDL.
    pub security_descriptor: Option<String>,
    /// Why it is not known.
    pub security_error: Option<String>,
}

impl ObjectDetails {
    /// Nothing is known.
    pub const NONE: Self = Self {
        address: None,
        handle_count: None,
        pointer_count: None,
        pointer_count_inflated: None,
        permanent: None,
        creation_time: None,
        basic_error: None,
        security_descriptor: None,
        security_error: None,
    };
}

/// An object.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its type.
    pub object_type: Arc<str>,
    /// Its name, or why there is none.
    pub naming: Naming,
    /// Where it is; none where the kernel hides it.
    pub address: Option<Hex>,
    /// What it told when the capture opened it.
    pub details: Option<Box<ObjectDetails>>,
    /// Who has it open, in the handle list; none where its address is hidden.
    pub holders: Option<Box<[Holder]>>,
}

impl Serialize for Object {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            #[serde(rename = "type")]
            object_type: &'a str,
            #[serde(flatten)]
            naming: &'a Naming,
            address: Option<Hex>,
            handle_count: Option<u32>,
            pointer_count: Option<u32>,
            pointer_count_inflated: Option<bool>,
            permanent: Option<bool>,
            creation_time: Option<Time>,
            basic_error: Option<&'a str>,
            security_descriptor: Option<&'a str>,
            security_error: Option<&'a str>,
            handle_entries: Option<usize>,
            holders: Option<&'a [Holder]>,
        }
        let details = self.details.as_deref().unwrap_or(&ObjectDetails::NONE);
        Shown {
            object_type: &self.object_type,
            naming: &self.naming,
            address: self.address,
            handle_count: details.handle_count,
            pointer_count: details.pointer_count,
            pointer_count_inflated: details.pointer_count_inflated,
            permanent: details.permanent,
            creation_time: details.creation_time,
            basic_error: details.basic_error.as_deref(),
            security_descriptor: details.security_descriptor.as_deref(),
            security_error: details.security_error.as_deref(),
            handle_entries: self.holders.as_ref().map(|holders| holders.len()),
            holders: self.holders.as_deref(),
        }
        .serialize(serializer)
    }
}

/// The objects that handles lead to, and those the capture opened.
#[derive(Clone, Debug, Serialize)]
pub struct Objects {
    /// Each once.
    pub objects: Vec<Object>,
    /// Handles whose object's address the kernel hides: how many objects they lead to is not known.
    pub hidden_handle_entries: usize,
}

impl Snapshot<'_> {
    /// The distinct objects, by type, those with the most handles first.
    pub fn objects(&self) -> Reading<Objects> {
        Reading::gather(|problems| {
            let mut handles = self.handle_entries(problems);
            let walk = self.walk(problems);
            self.say_what_was_not_listed(&walk, problems);
            let lists = self.handle_lists();
            let names = self.object_names(&walk, &lists, problems);
            let mut type_names = self.type_names();
            let images = self.image_names();

            let all = handles.len();
            handles.retain(|entry| entry.object != 0);
            let hidden_handle_entries = all - handles.len();
            handles.sort_by_key(|entry| (entry.object, entry.type_index));
            let mut opened: BTreeMap<u64, &Opened<'_>> = BTreeMap::new();
            let mut without_address = Vec::new();
            for (open, name) in walk.named() {
                match lists.own(open.handle) {
                    Some(entry) if entry.object != 0 => {
                        opened.entry(entry.object).or_insert(open);
                    }
                    _ => without_address.push((open, name)),
                }
            }
            let asked = self.basic_of_others(&lists);
            let groups =
                || handles.chunk_by(|a, b| (a.object, a.type_index) == (b.object, b.type_index));
            let mut objects =
                Vec::with_capacity(groups().count() + opened.len() + without_address.len());
            for entries in groups() {
                let entry = &entries[0];
                let object_type = type_name(&mut type_names, entry.type_index);
                let naming = names.of(entry, &object_type);
                let details = match (opened.remove(&entry.object), asked.get(&entry.object)) {
                    (Some(open), _) => Some(self.object_details(open, &lists, problems)),
                    (None, Some(answer)) => Some(self.details_of_other(entry.object, answer)),
                    (None, None) => None,
                };
                let details = details.map(Box::new);
                objects.push(Object {
                    object_type,
                    naming,
                    address: Some(Hex(entry.object)),
                    details,
                    holders: Some(
                        entries
                            .iter()
                            .map(|entry| Holder::new(&images, entry))
                            .collect(),
                    ),
                });
            }
            for (address, open) in opened {
                let Some(entry) = lists.own(open.handle) else {
                    continue;
                };
                let object_type = type_name(&mut type_names, entry.type_index);
                objects.push(Object {
                    naming: names.of(entry, &object_type),
                    object_type,
                    address: Some(Hex(address)),
                    details: Some(Box::new(self.object_details(open, &lists, problems))),
                    holders: Some(Box::default()),
                });
            }
            for (open, name) in without_address {
                objects.push(Object {
                    object_type: super::naming::type_of(open.kind).into(),
                    naming: Naming::named(name),
                    address: None,
                    details: Some(Box::new(self.object_details(open, &lists, problems))),
                    holders: None,
                });
            }
            objects.sort_by(|a, b| {
                let holders = |object: &Object| object.holders.as_ref().map_or(0, |all| all.len());
                a.object_type
                    .cmp(&b.object_type)
                    .then_with(|| holders(b).cmp(&holders(a)))
            });
            Objects {
                objects,
                hidden_handle_entries,
            }
        })
    }

    /// What an opened object told of itself.
    pub(super) fn object_details(
        &self,
        opened: &Opened<'_>,
        lists: &Lists,
        problems: &mut Vec<Problem>,
    ) -> ObjectDetails {
        let address = lists
            .own(opened.handle)
            .map(|entry| entry.object)
            .filter(|address| *address != 0);
        let Some(object) = opened.object(problems) else {
            return ObjectDetails::NONE;
        };
        let refused = |status: u32| (status >= 0x8000_0000).then(|| describe_status(status));
        let mut details = ObjectDetails {
            address: address.map(Hex),
            basic_error: refused(object.basic_status),
            security_error: refused(object.security_status),
            security_descriptor: decode::security_descriptor(object.security),
            ..ObjectDetails::NONE
        };
        if let Some(basic) = object.basic {
            // With a second handle of ours to the object, open or not yet open when it was asked, nobody knows how many
            // count.
            let ours = address.is_some_and(|address| lists.own_handles_to(address) == 1);
            self.add_counts(&mut details, basic, ours);
        }
        details
    }

    /// What objects told through duplicates of others' handles, by address.
    fn basic_of_others(&self, lists: &Lists) -> BTreeMap<u64, Answer<'_>> {
        self.answers()
            .filter(|answer| {
                answer.source == Source::OBJECT_INFORMATION && answer.class == BASIC_INFORMATION
            })
            .filter_map(|answer| {
                let entry = lists.find(self.handle_reference(answer.argument))?;
                Some((entry.object, answer))
            })
            .collect()
    }

    /// What an object told through a duplicate of another's handle, which was the only one of ours to it.
    fn details_of_other(&self, address: u64, answer: &Answer<'_>) -> ObjectDetails {
        let mut details = ObjectDetails {
            address: Some(Hex(address)),
            ..ObjectDetails::NONE
        };
        if answer.succeeded() {
            let basic = View::new(answer.bytes, self.width());
            self.add_counts(&mut details, basic, true);
        } else {
            details.basic_error = Some(describe_status(answer.status));
        }
        details
    }

    /// The counts, and what else basic information has; `ours` when exactly one handle of the capture's is among those
    /// counted.
    fn add_counts(&self, details: &mut ObjectDetails, basic: View<'_, Basic>, ours: bool) {
        let caches = (self.header.nt_major, self.header.nt_minor) >= FIRST_WITH_CACHED_REFERENCES;
        let counts = basic
            .get(Basic::HandleCount)
            .zip(basic.get(Basic::PointerCount));
        if let Some((handles, pointers)) = counts {
            details.handle_count = Some(handles.saturating_sub(ours.into()));
            details.pointer_count = Some(pointers.saturating_sub((ours && !caches).into()));
            details.pointer_count_inflated = Some(caches && self.is_inflated(handles, pointers));
        }
        details.permanent = basic
            .get(Basic::Attributes)
            .map(|attributes| attributes & PERMANENT != 0);
        details.creation_time = basic.get(Basic::CreationTime).and_then(Time::new);
    }

    /// Since Windows 8.1 each handle table entry holds references in advance, 32,767 on 64-bit systems and 31 on 32-bit ones,
    /// and gives one up with each use (A. Ionescu, "The Case Of The Bloated Reference Count", 2014). More references than
    /// handles by half of that are no plain references.
    fn is_inflated(&self, handles: u32, pointers: u32) -> bool {
        let in_advance: u32 = match self.width() {
            PointerWidth::Bits32 => 31,
            PointerWidth::Bits64 => 32_767,
        };
        pointers.saturating_sub(handles) > in_advance / 2
    }
}

fn type_name(type_names: &mut BTreeMap<u32, Arc<str>>, index: u32) -> Arc<str> {
    type_names
        .entry(index)
        .or_insert_with(|| format!("type {index}").into())
        .clone()
}
