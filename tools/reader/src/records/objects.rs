//! Objects: each once, with its name, its counts and who holds it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use bootshot_format::Source;
use serde::Serialize;

use super::Reading;
use super::namespace::Named;
use super::naming::Naming;
use super::opened::{Holder, Lists, Opened};
use crate::decode::{HandleEntry, HandleList};
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
    pub security_descriptor: Option<Arc<str>>,
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

/// What of the objects is looked up; the rest stays as if it were not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Wanted {
    /// Their names.
    pub naming: bool,
    /// What they told of themselves.
    pub details: bool,
}

impl Wanted {
    pub const ALL: Self = Self {
        naming: true,
        details: true,
    };
}

/// An object before it is put together: small, since there are as many as handles.
struct Draft {
    /// Place of its type's name.
    object_type: u32,
    /// How many handles lead to it.
    holders: u32,
    origin: Origin,
}

/// Where an object was found, in the order in which they are found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    /// In the handle list: the place of its first handle among those in the order of their objects, and whether that is the
    /// first one of its address.
    Listed(u32, bool),
    /// Only among what the walk reached: the place there.
    Reached(u32),
    /// The same, without an address: the place among those.
    Hidden(u32),
}

/// The handles in the order of the objects that they lead to, as places in the list, with a draft of each object; and how
/// many have no object's address.
fn drafts(
    list: Option<HandleList<'_>>,
    type_place: &mut impl FnMut(u32) -> u32,
) -> (Vec<u32>, Vec<Draft>, usize) {
    let all = list.map_or(0, |list| list.len());
    let mut handles: Vec<(u64, u32, u32)> = Vec::with_capacity(all);
    for (place, entry) in list.into_iter().flatten().enumerate() {
        if let (true, Ok(place)) = (entry.object != 0, u32::try_from(place)) {
            handles.push((entry.object, entry.type_index, place));
        }
    }
    handles.sort_unstable();
    let groups = || handles.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1));
    let mut drafts = Vec::with_capacity(groups().count());
    let (mut start, mut last) = (0, 0);
    for group in groups() {
        let (object, type_index, _) = group[0];
        drafts.push(Draft {
            object_type: type_place(type_index),
            holders: group.len() as u32,
            origin: Origin::Listed(start, object != last),
        });
        start += group.len() as u32;
        last = object;
    }
    let hidden = all - handles.len();
    let mut places: Vec<u32> = handles.into_iter().map(|(.., place)| place).collect();
    // They are collected where the handles were.
    places.shrink_to_fit();
    (places, drafts, hidden)
}

impl Snapshot<'_> {
    /// The distinct objects, by type, those with the most handles first.
    pub fn objects(&self) -> Reading<Objects> {
        Reading::gather(|problems| {
            let mut objects = Vec::new();
            let Reading {
                value: hidden_handle_entries,
                problems: found,
            } = self.each_object(Wanted::ALL, |object| objects.push(object));
            problems.extend(found);
            Objects {
                objects,
                hidden_handle_entries,
            }
        })
    }

    /// As [`objects`](Self::objects), one after the other: there can be a million. How many handles lead to nobody knows
    /// which.
    pub(crate) fn each_object(
        &self,
        wanted: Wanted,
        mut each: impl FnMut(Object),
    ) -> Reading<usize> {
        Reading::gather(|problems| {
            let list = self.handle_list(problems);
            let mut types = Types::new(self.type_names());
            let (places, mut drafts, hidden) =
                drafts(list, &mut |type_index| types.of_index(type_index));
            let walk = self.walk(problems);
            self.say_what_was_not_listed(&walk, problems);
            let lists = self.handle_lists();
            let names = self.object_names(&walk, &lists, problems);
            let images = self.image_names();

            let reached = &names.reached;
            let has_address = |opened: &Opened| lists.address_of(opened).is_some();
            let without_address: Vec<(u32, Named)> = walk
                .named_at()
                .filter(|(opened, _)| !has_address(walk.opened(*opened)))
                .collect();
            let first_of = |start: u32| list?.get(*places.get(start as usize)? as usize);
            let mut is_listed = vec![false; reached.len()];
            for draft in &drafts {
                if let Origin::Listed(start, true) = draft.origin
                    && let Some(entry) = first_of(start)
                    && let Some(place) = names.place(entry.object)
                {
                    is_listed[place] = true;
                }
            }
            let not_listed = is_listed.iter().filter(|is_listed| !**is_listed).count();
            drafts.reserve_exact(not_listed + without_address.len());
            for (place, reached) in reached.iter().enumerate() {
                if !is_listed[place] {
                    drafts.push(Draft {
                        object_type: types.of_index(reached.type_index),
                        holders: 0,
                        origin: Origin::Reached(place as u32),
                    });
                }
            }
            for (place, (opened, _)) in without_address.iter().enumerate() {
                let type_name = super::naming::type_of(walk.opened(*opened).kind);
                drafts.push(Draft {
                    object_type: types.of_name(type_name),
                    holders: 0,
                    origin: Origin::Hidden(place as u32),
                });
            }
            let opened_at = |address| {
                let place = names.place(address)?;
                Some(walk.opened(reached[place].opened))
            };
            if wanted.details {
                // What is wrong is told in the order in which they were found.
                for draft in &drafts {
                    let opened = match draft.origin {
                        Origin::Listed(start, true) => {
                            first_of(start).and_then(|entry| opened_at(entry.object))
                        }
                        Origin::Listed(_, false) => None,
                        Origin::Reached(place) => Some(walk.opened(reached[place as usize].opened)),
                        Origin::Hidden(place) => {
                            Some(walk.opened(without_address[place as usize].0))
                        }
                    };
                    opened.and_then(|opened| self.object(opened, problems));
                }
            }
            let ranks = types.ranks();
            drafts.sort_unstable_by_key(|draft| {
                let rank = ranks[draft.object_type as usize];
                (rank, Reverse(draft.holders), draft.origin)
            });

            let asked = match wanted.details {
                true => self.basic_of_others(&lists),
                false => BTreeMap::new(),
            };
            let details_of = |opened: &Opened| {
                let details = || self.object_details(opened, &lists, &mut Vec::new());
                wanted.details.then(|| Box::new(details()))
            };
            let naming_of = |entry: &HandleEntry, object_type: &str| match wanted.naming {
                true => names.of(entry, object_type),
                false => Naming::not_asked(),
            };
            for draft in drafts {
                let object_type = types.names[draft.object_type as usize].clone();
                match draft.origin {
                    Origin::Listed(start, is_first) => {
                        let Some(entry) = first_of(start) else {
                            continue;
                        };
                        let opened = match is_first {
                            true => opened_at(entry.object),
                            false => None,
                        };
                        let details = match (opened, asked.get(&entry.object)) {
                            (Some(open), _) => details_of(open),
                            (None, Some(answer)) => {
                                Some(Box::new(self.details_of_other(entry.object, answer)))
                            }
                            (None, None) => None,
                        };
                        let range = start as usize..start as usize + draft.holders as usize;
                        let holders = places[range]
                            .iter()
                            .filter_map(|place| list?.get(*place as usize));
                        each(Object {
                            naming: naming_of(&entry, &object_type),
                            object_type,
                            address: Some(Hex(entry.object)),
                            details,
                            holders: Some(
                                holders.map(|entry| Holder::new(&images, &entry)).collect(),
                            ),
                        });
                    }
                    Origin::Reached(place) => {
                        let open = walk.opened(reached[place as usize].opened);
                        let Some(entry) = lists.own(open.handle()) else {
                            continue;
                        };
                        each(Object {
                            naming: naming_of(&entry, &object_type),
                            object_type,
                            address: Some(Hex(entry.object)),
                            details: details_of(open),
                            holders: Some(Box::default()),
                        });
                    }
                    Origin::Hidden(place) => {
                        let (opened, named) = without_address[place as usize];
                        each(Object {
                            object_type,
                            naming: Naming::named(walk.name_of(named)),
                            address: None,
                            details: details_of(walk.opened(opened)),
                            holders: None,
                        });
                    }
                }
            }
            hidden
        })
    }

    /// What an opened object told of itself.
    pub(super) fn object_details(
        &self,
        opened: &Opened,
        lists: &Lists<'_>,
        problems: &mut Vec<Problem>,
    ) -> ObjectDetails {
        let Some(object) = self.object(opened, problems) else {
            return ObjectDetails::NONE;
        };
        let address = lists.address_of(opened);
        let refused = |status: u32| (status >= 0x8000_0000).then(|| describe_status(status));
        let mut details = ObjectDetails {
            address: address.map(Hex),
            basic_error: refused(object.basic_status),
            security_error: refused(object.security_status),
            security_descriptor: self.looked_up.descriptors.text(object.security),
            ..ObjectDetails::NONE
        };
        if let Some(basic) = object.basic {
            self.add_counts(&mut details, basic, is_ours_alone(address, lists));
        }
        details
    }

    /// All that [`object_details`](Self::object_details) makes of an object, but for its address, as it stands in the file.
    pub(super) fn hash_object(&self, opened: &Opened, lists: &Lists<'_>, state: &mut impl Hasher) {
        (self.width().bytes(), self.caches_references()).hash(state);
        is_ours_alone(lists.address_of(opened), lists).hash(state);
        self.told_by(opened).hash(state);
    }

    /// Whether the kernel keeps references in handle table entries.
    fn caches_references(&self) -> bool {
        (self.header.nt_major, self.header.nt_minor) >= FIRST_WITH_CACHED_REFERENCES
    }

    /// What objects told through duplicates of others' handles, by address.
    fn basic_of_others(&self, lists: &Lists<'_>) -> BTreeMap<u64, Answer<'_>> {
        self.answers_from(Source::OBJECT_INFORMATION)
            .filter(|answer| answer.class == BASIC_INFORMATION)
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
        let caches = self.caches_references();
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

/// Whether exactly one handle of ours leads to the object at this address: with a second one, open or not yet open when it
/// was asked, nobody knows how many count.
fn is_ours_alone(address: Option<u64>, lists: &Lists<'_>) -> bool {
    address.is_some_and(|address| !lists.are_own_several(address))
}

/// The names of types, each once.
struct Types {
    names: Vec<Arc<str>>,
    by_name: BTreeMap<Arc<str>, u32>,
    by_index: BTreeMap<u32, Arc<str>>,
}

impl Types {
    const fn new(by_index: BTreeMap<u32, Arc<str>>) -> Self {
        Self {
            names: Vec::new(),
            by_name: BTreeMap::new(),
            by_index,
        }
    }

    /// The place of the type of this index.
    fn of_index(&mut self, index: u32) -> u32 {
        let name = self.by_index.entry(index);
        let name = name
            .or_insert_with(|| format!("type {index}").into())
            .clone();
        self.of_name(&name)
    }

    fn of_name(&mut self, name: &str) -> u32 {
        if let Some(place) = self.by_name.get(name) {
            return *place;
        }
        let (name, place): (Arc<str>, _) = (name.into(), self.names.len() as u32);
        self.names.push(name.clone());
        self.by_name.insert(name, place);
        place
    }

    /// By place: how many names come before that one.
    fn ranks(&self) -> Vec<u32> {
        let mut ranks = vec![0; self.names.len()];
        for (rank, place) in self.by_name.values().enumerate() {
            ranks[*place as usize] = rank as u32;
        }
        ranks
    }
}
