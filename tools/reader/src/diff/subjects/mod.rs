//! The subjects: each takes its entries from the records of a snapshot.

mod autologgers;
mod boot;
mod drivers;
mod filters;
mod firmware;
mod handles;
mod hives;
mod jobs;
mod keys;
mod lists;
mod memory;
mod modules;
mod objects;
mod processes;
mod services;
mod symlinks;
mod threads;
mod values;
mod zombies;

use std::collections::HashMap;
use std::sync::Arc;

use super::item::{Extraction, Gaps, Item, Sink};
use super::names::{Form, Forms};
use super::processes::Key;
use crate::error::Problem;
use crate::records::{Process, Reading, Walked};
use crate::redact::{Redaction, arguments_of};
use crate::snapshot::Snapshot;

/// A subject.
#[derive(Clone, Copy)]
pub struct Subject {
    /// Its name.
    pub name: &'static str,
    /// What its entries are.
    pub entries: &'static str,
    /// How its entries are taken from a snapshot.
    pub(super) extract: Extract,
}

/// Takes the entries of a subject from a snapshot, in the same order each time. What is not known of them comes back.
#[derive(Clone, Copy)]
pub(super) enum Extract {
    /// So few that they can be made at once.
    Few(fn(&Side<'_>) -> Extraction),
    /// One after the other.
    Each(fn(&Side<'_>, &mut Sink<'_>) -> Gaps),
    /// The same, from the walk through the object namespace.
    Walked(fn(&Side<'_>, &Reading<Walked<'_>>, &mut Sink<'_>) -> Gaps),
}

impl Extract {
    pub(super) const fn is_walked(&self) -> bool {
        matches!(self, Self::Walked(_))
    }
}

macro_rules! extract {
    ($name:ident) => {
        Extract::Few($name::extract)
    };
    ($name:ident each) => {
        Extract::Each($name::each)
    };
    ($name:ident walked) => {
        Extract::Walked($name::each)
    };
}

macro_rules! subjects {
    ($($name:ident $($how:ident)?: $entries:literal,)*) => {
        &[$(Subject {
            name: stringify!($name),
            entries: $entries,
            extract: extract!($name $($how)?),
        },)*]
    };
}

/// All subjects, in the order in which they are shown.
pub const SUBJECTS: &[Subject] = subjects! {
    processes each: "processes",
    threads each: "numbers of threads, by process",
    handles each: "numbers of handles, by process and type",
    objects walked: "objects in the namespace",
    symlinks walked: "symbolic links of the namespace",
    modules: "kernel modules",
    drivers: "driver objects, kernel modules and services, joined",
    services: "service entries",
    hives: "hives that are loaded",
    values: "registry values of the Session Manager and of control",
    keys: "numbers of handles to registry keys, by key",
    zombies: "processes and threads that have ended and still exist",
    memory each: "memory figures, page files, pool tags, memory of processes",
    filters: "minifilters, and stored objects of the Windows Filtering Platform",
    autologgers: "event trace sessions that are started at boot",
    lists: "entries of the Session Manager's lists",
    firmware: "variables of the firmware",
    boot: "facts about how the system was booted",
    jobs: "jobs",
};

/// One of the two snapshots that are compared.
pub struct Side<'s> {
    pub(super) snapshot: &'s Snapshot<'s>,
    /// Whether the other one is of the same boot.
    pub(super) same_boot: bool,
    /// What was removed from one of the two only, and so is not known.
    pub(super) lacking: Redaction,
    pub(super) forms: Forms,
    pub(super) processes: Vec<Process>,
    /// What was wrong with the list of processes; those of the details of single processes are none of the list.
    pub(super) problems: Vec<Problem>,
    keys: Vec<Key>,
    names: Vec<Arc<str>>,
    by_pid: HashMap<u64, usize>,
}

/// The walk through one side's object namespace, kept for the next subject that is about it. That of both sides at once would
/// take twice the memory.
#[derive(Default)]
pub(super) struct Walks<'s> {
    last: Option<(&'s Side<'s>, Reading<Walked<'s>>)>,
}

impl<'s> Walks<'s> {
    pub(super) fn of(&mut self, side: &'s Side<'s>) -> &Reading<Walked<'s>> {
        let is_other = |(last, _): &mut (&Side<'_>, _)| !std::ptr::eq(*last, side);
        // Before the new one is made.
        drop(self.last.take_if(is_other));
        let (_, walked) = self
            .last
            .get_or_insert_with(|| (side, side.snapshot.walked()));
        walked
    }
}

impl<'s> Side<'s> {
    pub(super) fn new(
        snapshot: &'s Snapshot<'s>,
        processes: Reading<Vec<Process>>,
        keys: Vec<Key>,
        forms: &[(&'static str, Form)],
        same_boot: bool,
        lacking: Redaction,
    ) -> Self {
        let Reading { value, problems } = processes;
        let name = |process: &Process| match &process.image {
            Some(image) => format!("{image} {}", process.pid).into(),
            None => format!("process {}", process.pid).into(),
        };
        Self {
            snapshot,
            same_boot,
            lacking,
            forms: Forms {
                forms: forms.to_vec(),
                process_ids: value.iter().map(|process| process.pid).collect(),
            },
            names: value.iter().map(name).collect(),
            by_pid: value
                .iter()
                .enumerate()
                .map(|(place, process)| (process.pid, place))
                .collect(),
            processes: value,
            problems,
            keys,
        }
    }

    /// Whether this process is the capture.
    pub(super) fn is_capture(&self, pid: u64) -> bool {
        pid == self.snapshot.header.process_id
    }

    /// The part of a command line that is known on both sides: the image alone, where one of them has no arguments.
    pub(super) fn known_of(&self, mut command_line: String) -> String {
        if self.lacking.command_lines {
            command_line.truncate(arguments_of(&command_line));
        }
        command_line
    }

    /// An entry that stands for a process.
    pub(super) fn process_item(&self, place: usize) -> Item {
        let process = &self.processes[place];
        Item {
            of_capture: self.is_capture(process.pid),
            ..Item::new(self.keys[place].id.to_string(), self.names[place].clone())
        }
    }

    /// An entry of something that a process has; `what` tells it from others of the process.
    pub(super) fn item_of(&self, pid: u64, what: &str) -> Item {
        let of_capture = self.is_capture(pid);
        match self.by_pid.get(&pid) {
            Some(place) => Item {
                of_capture,
                of_unmatched_process: !self.keys[*place].matched,
                ..Item::new(
                    format!("{}\0{what}", self.keys[*place].id),
                    self.names[*place].clone(),
                )
            },
            // Nothing but its id is known of it.
            None => Item {
                of_capture,
                ..Item::new(format!("pid {pid}\0{what}"), format!("process {pid}"))
            },
        }
    }

    /// The file name of the image of a process, if it is known.
    pub(super) fn image(&self, pid: u64) -> Option<&Arc<str>> {
        self.processes[*self.by_pid.get(&pid)?].image.as_ref()
    }
}
