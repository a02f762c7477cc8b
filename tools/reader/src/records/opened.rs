//! What the capture opened, and where its handles lead: the handle list that was taken while they were open.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bootshot_format::{Family, ObjectKind, OpenKind, Source};
use serde::Serialize;

use super::handles::CLASSES;
use crate::decode::{self, HandleClass, HandleEntry, Object};
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

/// An object the capture opened, or tried to.
#[derive(Clone, Copy)]
pub(super) struct Opened<'s> {
    /// What it was opened as.
    pub kind: ObjectKind,
    /// The handle; 0 when it could not be opened.
    pub handle: u64,
    /// Our handle to the directory that lists it, and its number there.
    pub entry: Option<(u64, u32)>,
    /// `NTSTATUS` of the open.
    pub status: u32,
    answer: Answer<'s>,
}

impl<'s> Opened<'s> {
    /// What it told of itself.
    pub fn object(&self, problems: &mut Vec<Problem>) -> Option<Object<'s>> {
        if self.handle == 0 {
            return None;
        }
        self.answer.decode(problems, decode::object)
    }
}

/// Both handle lists, as far as handles are looked up in them.
pub(super) struct Lists {
    own: BTreeMap<u64, HandleEntry>,
    own_counts: OnceCell<HashMap<u64, usize>>,
    /// Handles that something was asked about: in the last list, else in the first.
    others: BTreeMap<HandleReference, Option<HandleEntry>>,
}

impl Lists {
    /// The capture's own handle, as it was while the last list was taken.
    pub fn own(&self, handle: u64) -> Option<&HandleEntry> {
        self.own.get(&handle)
    }

    /// A handle that something was asked about, whoever has it.
    pub fn find(&self, reference: HandleReference) -> Option<&HandleEntry> {
        self.others.get(&reference)?.as_ref()
    }

    /// How many handles the capture had to the object at `address`.
    pub fn own_handles_to(&self, address: u64) -> usize {
        let counts = self.own_counts.get_or_init(|| {
            let mut counts = HashMap::new();
            for entry in self.own.values() {
                *counts.entry(entry.object).or_default() += 1;
            }
            counts
        });
        counts.get(&address).copied().unwrap_or_default()
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
    pub(super) fn opened_objects(&self) -> impl Iterator<Item = Opened<'_>> {
        self.answers_from(Source::OBJECT).map(|answer| Opened {
            kind: ObjectKind(answer.class),
            handle: if answer.succeeded() {
                answer.argument
            } else {
                0
            },
            entry: (answer.argument2 >> 32 != 0)
                .then_some((answer.argument2 >> 32, answer.argument2 as u32)),
            status: answer.status,
            answer,
        })
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
        let entries = self.last_handle_list().and_then(|answer| {
            let class = HandleClass::from_number(answer.class)?;
            Some(decode::each_handle(
                &answer.buffer(),
                class,
                &mut Vec::new(),
            ))
        });
        entries.into_iter().flatten()
    }

    /// What the lists say of the capture's own handles, and of those others' that it asked about.
    pub(super) fn handle_lists(&self) -> Lists {
        let own_id = self.header.process_id;
        let mut others: BTreeMap<HandleReference, Option<HandleEntry>> = self
            .answers()
            .filter_map(|answer| self.handle_asked_about(&answer))
            .filter(|(process_id, _)| *process_id != own_id)
            .map(|reference| (reference, None))
            .collect();
        let mut own = BTreeMap::new();
        let mut look_up = |entry: &HandleEntry| {
            if let Some(place) = others.get_mut(&(entry.process_id, entry.handle)) {
                place.get_or_insert(*entry);
            }
        };
        for entry in self.each_last_handle_entry() {
            if entry.process_id == own_id {
                own.insert(entry.handle, entry);
            }
            look_up(&entry);
        }
        for entry in self.each_handle_entry(&mut Vec::new()) {
            look_up(&entry);
        }
        Lists {
            own,
            own_counts: OnceCell::new(),
            others,
        }
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
