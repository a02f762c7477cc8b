//! What the capture opened, and where its handles lead: the handle list that was taken while they were open.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bootshot_format::{Family, ObjectKind, OpenKind, Source};
use serde::Serialize;

use super::descriptors::Descriptors;
use super::handles::CLASSES;
use crate::decode::{self, HandleClass, HandleEntry, HandleList, Object};
use crate::error::Problem;
use crate::names;
use crate::snapshot::{Answer, Condition, Snapshot};
use crate::value::Hex;

/// A handle of any process: process id and value.
pub(super) type HandleReference = (u64, u64);

/// The types whose named objects the walk through the namespace opens.
const WALKED: [&str; 10] = [
    "Directory",
    "SymbolicLink",
    "Event",
    "Mutant",
    "Semaphore",
    "Section",
    "Timer",
    "Job",
    "KeyedEvent",
    "IoCompletion",
];

pub(super) fn is_walked(object_type: &str) -> bool {
    WALKED.contains(&object_type)
}

/// Whose questions name a handle.
const ASKING: [Source; 6] = [
    Source::OBJECT_INFORMATION,
    Source::PROCESS_HANDLE,
    Source::THREAD_HANDLE,
    Source::JOB_INFORMATION,
    Source::OPEN,
    Source::DIRECTORY_OBJECT,
];

/// An object the capture opened, or tried to: small, since there are hundreds of thousands. What it told of itself is read
/// again where it stands.
#[derive(Clone, Copy)]
pub(super) struct Opened {
    /// What it was opened as.
    pub kind: ObjectKind,
    /// `NTSTATUS` of the open.
    pub status: u32,
    /// Our handle to the directory that lists it, and its number there, as [`entry_of`] makes one; 0 for what was opened
    /// without a directory.
    ///
    /// [`entry_of`]: bootshot_format::entry_of
    pub entry: u64,
    /// The handle; 0 when it could not be opened.
    handle: u32,
    /// Ordinal of the section with the answer.
    section: u32,
    /// Where the answer is there.
    place: usize,
}

impl Opened {
    /// The handle; 0 when it could not be opened.
    pub fn handle(&self) -> u64 {
        self.handle.into()
    }

    /// Orders by entry, those of one as they stand in the file.
    pub const fn order(&self) -> (u64, u32, usize) {
        (self.entry, self.section, self.place)
    }
}

/// What is found in the handle lists when it is first asked for, and kept.
#[derive(Debug, Default)]
pub(crate) struct LookedUp {
    /// Names of the object types by index.
    pub(super) type_names: OnceLock<BTreeMap<u32, Arc<str>>>,
    /// Security descriptors as text.
    pub(super) descriptors: Descriptors,
    handles: OnceLock<Handles>,
    /// The objects that more than one of the capture's own handles lead to, in order.
    own_twice: OnceLock<Vec<u64>>,
}

/// Where handles are in the lists.
#[derive(Debug)]
struct Handles {
    /// Places in the last list of the capture's own, by value.
    own: Vec<u32>,
    /// Those that something was asked about: in the last list, else in the first.
    others: BTreeMap<HandleReference, Option<HandleEntry>>,
}

/// Both handle lists, as far as handles are looked up in them.
#[derive(Clone, Copy)]
pub(super) struct Lists<'s> {
    /// The one that was taken last.
    last: Option<HandleList<'s>>,
    handles: &'s Handles,
    own_twice: &'s OnceLock<Vec<u64>>,
}

impl<'s> Lists<'s> {
    /// The capture's own handle, as it was while the last list was taken.
    pub fn own(&self, handle: u64) -> Option<HandleEntry> {
        let own = &self.handles.own;
        let entry_at = |place: usize| self.own_at(*own.get(place)?);
        let is_it = |entry: &HandleEntry| entry.handle == handle;
        // Values are multiples of 4, and the capture has nearly all of them in use, from its first on.
        let first = entry_at(0)?.handle;
        let likely = usize::try_from(handle.checked_sub(first)? / 4).ok()?;
        if let Some(entry) = entry_at(likely).filter(is_it) {
            return Some(entry);
        }
        let behind = own
            .partition_point(|place| self.own_at(*place).is_some_and(|own| own.handle <= handle));
        entry_at(behind.checked_sub(1)?).filter(is_it)
    }

    /// Where an object is that the capture opened; none where addresses are hidden.
    pub fn address_of(&self, opened: &Opened) -> Option<u64> {
        let entry = self.own(opened.handle())?;
        (entry.object != 0).then_some(entry.object)
    }

    fn own_at(&self, place: u32) -> Option<HandleEntry> {
        self.last.as_ref()?.get(place as usize)
    }

    /// A handle that something was asked about, whoever has it.
    pub fn find(&self, reference: HandleReference) -> Option<&'s HandleEntry> {
        self.handles.others.get(&reference)?.as_ref()
    }

    /// Whether the capture had more than one handle to the object at `address`.
    pub fn are_own_several(&self, address: u64) -> bool {
        let several = self.own_twice.get_or_init(|| {
            let own = self.handles.own.iter();
            let mut objects: Vec<u64> = own
                .filter_map(|place| Some(self.own_at(*place)?.object))
                .collect();
            objects.sort_unstable();
            let several = objects.chunk_by(u64::eq).filter(|same| same.len() > 1);
            several.map(|same| same[0]).collect()
        });
        several.binary_search(&address).is_ok()
    }
}

/// A handle to an object.
#[derive(Clone, Debug, Serialize)]
pub struct Holder {
    /// Process id.
    pub pid: u64,
    /// File name of its image.
    pub image: Option<Arc<str>>,
    /// The handle's value there.
    pub handle: Hex,
    /// What it may be used for.
    pub granted_access: Hex,
}

impl Holder {
    pub(super) fn new(images: &BTreeMap<u64, Arc<str>>, entry: &HandleEntry) -> Self {
        Self {
            pid: entry.process_id,
            image: images.get(&entry.process_id).cloned(),
            handle: Hex(entry.handle),
            granted_access: Hex(entry.granted_access.into()),
        }
    }
}

impl Snapshot<'_> {
    /// A handle reference as process id and value; the capture's own with its process id.
    pub(super) fn handle_reference(&self, reference: u64) -> HandleReference {
        match reference >> 32 {
            0 => (self.header.process_id, reference & 0xFFFF_FFFF),
            process_id => (process_id, reference & 0xFFFF_FFFF),
        }
    }

    /// Everything the capture opened or tried to, in the order of the file.
    pub(super) fn opened_objects(&self) -> impl Iterator<Item = Opened> {
        self.answers_from(Source::OBJECT).map(|answer| Opened {
            kind: ObjectKind(answer.class),
            status: answer.status,
            entry: match answer.argument2 >> 32 {
                0 => 0,
                _ => answer.argument2,
            },
            handle: match answer.succeeded() {
                // No handle of the capture's has more bits.
                true => u32::try_from(answer.argument).unwrap_or(u32::MAX),
                false => 0,
            },
            section: answer.section,
            place: answer.place,
        })
    }

    /// What an object that the capture opened told of itself, as it stands in the file.
    pub(super) fn told_by(&self, opened: &Opened) -> &[u8] {
        let answer = self.answer_at(opened.section, opened.place);
        answer.map_or(&[], |answer| answer.bytes)
    }

    /// The same, decoded; none where it could not be opened.
    pub(super) fn object(
        &self,
        opened: &Opened,
        problems: &mut Vec<Problem>,
    ) -> Option<Object<'_>> {
        if opened.handle == 0 {
            return None;
        }
        self.answer_at(opened.section, opened.place)?
            .decode(problems, decode::object)
    }

    /// The handle list that was taken last, while everything the capture opened was open.
    fn last_handle_list(&self) -> Option<Answer<'_>> {
        CLASSES.iter().find_map(|class| {
            self.answered(Source::SYSTEM_INFORMATION, *class)
                .find(|answer| answer.family == Family::NAMES)
        })
    }

    /// Whether there is such a list.
    pub(super) fn has_last_handle_list(&self) -> bool {
        self.last_handle_list().is_some()
    }

    /// Its entries, one at a time.
    pub(super) fn each_last_handle_entry(&self) -> impl Iterator<Item = HandleEntry> {
        self.last_handles().unwrap_or(HandleList::EMPTY).into_iter()
    }

    fn last_handles(&self) -> Option<HandleList<'_>> {
        let answer = self.last_handle_list()?;
        let class = HandleClass::from_number(answer.class)?;
        Some(HandleList::new(&answer.buffer(), class, &mut Vec::new()))
    }

    /// What the lists say of the capture's own handles, and of those others' that it asked about.
    pub(super) fn handle_lists(&self) -> Lists<'_> {
        Lists {
            last: self.last_handles(),
            handles: self
                .looked_up
                .handles
                .get_or_init(|| self.look_up_handles()),
            own_twice: &self.looked_up.own_twice,
        }
    }

    fn look_up_handles(&self) -> Handles {
        let own_id = self.header.process_id;
        let mut others: BTreeMap<HandleReference, Option<HandleEntry>> = self
            .answers_from_any(&ASKING)
            .filter_map(|answer| self.handle_asked_about(&answer))
            .filter(|(process_id, _)| *process_id != own_id)
            .map(|reference| (reference, None))
            .collect();
        let last = self.last_handles();
        let mut own = Vec::new();
        let entries = last.unwrap_or(HandleList::EMPTY).into_iter();
        for (place, entry) in entries.enumerate() {
            if entry.process_id == own_id {
                own.extend(u32::try_from(place));
            }
            if let Some(known) = others.get_mut(&(entry.process_id, entry.handle)) {
                known.get_or_insert(entry);
            }
        }
        if !others.is_empty() {
            for entry in self.each_handle_entry(&mut Vec::new()) {
                if let Some(known) = others.get_mut(&(entry.process_id, entry.handle)) {
                    known.get_or_insert(entry);
                }
            }
        }
        let value = |place: &u32| Some(last.as_ref()?.get(*place as usize)?.handle);
        own.sort_by_key(value);
        // Of a value that is listed twice, the last one counts.
        own.dedup_by(|later, kept| {
            let is_same = value(later) == value(kept);
            if is_same {
                *kept = *later;
            }
            is_same
        });
        own.shrink_to_fit();
        Handles { own, others }
    }

    fn handle_asked_about(&self, answer: &Answer<'_>) -> Option<HandleReference> {
        let reference = match answer.source {
            Source::OBJECT_INFORMATION
            | Source::PROCESS_HANDLE
            | Source::THREAD_HANDLE
            | Source::JOB_INFORMATION => answer.argument,
            Source::OPEN if answer.class == OpenKind::HANDLE.0 => answer.argument,
            Source::DIRECTORY_OBJECT => answer.argument2,
            _ => return None,
        };
        (reference != 0).then(|| self.handle_reference(reference))
    }

    /// Why nothing of a family was captured.
    pub(super) fn family_missing(&self, family: Family) -> Option<String> {
        let mut sections = self
            .sections
            .iter()
            .filter(|section| section.begin.family == family);
        if sections.clone().any(|section| !section.payload.is_empty()) {
            return None;
        }
        Some(match sections.next_back() {
            Some(section) if section.condition == Condition::Damaged => "a damaged section".into(),
            Some(section) => names::outcome(section.outcome()).into(),
            None => "not captured".into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_is_kept_of_what_was_opened() {
        assert!(size_of::<Opened>() <= 32);
    }
}
