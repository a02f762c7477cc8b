//! Processes, each with what it told of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bootshot_format::Source;
use serde::Serialize;

use super::Reading;
use super::details::{self, Details};
use super::images::Images;
use super::jobs::{Membership, ProcessJob};
use crate::decode::{self, ProcessClass, ProcessEntry};
use crate::error::Problem;
use crate::layout::structures::{
    SYSTEM_PROCESS_INFORMATION as Layout, SYSTEM_PROCESS_INFORMATION_EXTENSION as Extension,
};
use crate::names;
use crate::snapshot::Snapshot;
use crate::value::Time;

/// The classes that list processes, the most telling first.
const CLASSES: [u32; 3] = [148, 57, 5];

/// No session.
const NO_SESSION: u32 = u32::MAX;

/// Whether the process that a parent id names is the one that started this process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ParentStatus {
    /// It is there.
    Alive,
    /// No process has this id any more.
    Exited,
    /// The process that has the id now is younger than its supposed child.
    PidReused,
}

/// A process.
#[derive(Clone, Debug, Serialize)]
pub struct Process {
    /// Process id.
    pub pid: u64,
    /// Process id of the process that started it.
    pub parent_pid: u64,
    /// What became of that one; none for the idle process.
    pub parent_status: Option<ParentStatus>,
    /// File name of the image.
    pub image: Option<Arc<str>>,
    /// NT path of the image.
    pub path: Option<Arc<str>>,
    /// Command line.
    pub command_line: Option<Arc<str>>,
    /// Session id.
    pub session: Option<u32>,
    /// When it started.
    pub create_time: Option<Time>,
    /// Number of threads.
    pub thread_count: u32,
    /// Number of handles.
    pub handle_count: u32,
    /// Private commit in bytes.
    pub private_commit: u64,
    /// Working set in bytes.
    pub working_set: u64,
    /// Private working set in bytes; since Windows Vista.
    pub private_working_set: Option<i64>,
    /// Peak of the working set in bytes.
    pub peak_working_set: u64,
    /// Address space in use, in bytes.
    pub virtual_size: u64,
    /// Page faults since it started.
    pub page_faults: u32,
    /// Time spent in user mode, 100 ns units.
    pub user_time: i64,
    /// Time spent in the kernel, 100 ns units.
    pub kernel_time: i64,
    /// Base priority.
    pub base_priority: i32,
    /// `x86`, `x64`, `arm64`, from the image's headers; where these were not read, as the kernel tells it, with `wow64`
    /// for an emulated process on arm64.
    pub machine: Option<&'static str>,
    /// `native`, `windows gui`, `windows console`, from the image's headers.
    pub subsystem: Option<&'static str>,
    /// Why the image's headers were not read.
    pub image_status: Option<Arc<str>>,
    /// `none`, or level and signer: `light (WinTcb)`.
    pub protection: Option<Arc<str>>,
    /// The user, by name when well known, else as `S-1-…`.
    pub user: Option<Arc<str>>,
    /// Integrity level.
    pub integrity: Option<Arc<str>>,
    /// Its job; none when it did not tell.
    pub job: Option<ProcessJob>,
    /// Number of its silo, where the silo was asked.
    pub silo: Option<u32>,
}

/// Texts that many processes share, each kept once.
#[derive(Default)]
pub(super) struct Texts(BTreeSet<Arc<str>>);

impl Texts {
    pub(super) fn once(&mut self, text: impl AsRef<str> + Into<Arc<str>>) -> Arc<str> {
        if let Some(known) = self.0.get(text.as_ref()) {
            return known.clone();
        }
        let text = text.into();
        self.0.insert(text.clone());
        text
    }
}

impl Snapshot<'_> {
    /// The processes, in the kernel's order: that in which they were started.
    pub fn processes(&self) -> Reading<Vec<Process>> {
        self.processes_told(true)
    }

    /// The same without what is wrong with the details of single processes.
    pub(crate) fn processes_of_list(&self) -> Reading<Vec<Process>> {
        self.processes_told(false)
    }

    fn processes_told(&self, with_problems_of_details: bool) -> Reading<Vec<Process>> {
        Reading::gather(|problems| {
            // First: what it takes on the way is gone when the rest is read. Its problems are told last.
            let mut of_jobs = Vec::new();
            let membership = self.job_membership(&mut of_jobs);
            let entries = self.process_entries(problems);
            let mut texts = Texts::default();
            let mut details = details::details(self, &mut texts, |problem| {
                if with_problems_of_details {
                    problems.push(problem);
                }
            });
            problems.extend(of_jobs);
            let images = self.images();
            let ages: BTreeMap<u64, Age> = entries
                .iter()
                .map(|entry| (pid(entry), age(entry, &details)))
                .collect();
            entries
                .iter()
                .map(|entry| {
                    let details = details.remove(&key(entry)).unwrap_or_default();
                    self.process(entry, details, &ages, &images, &membership, &mut texts)
                })
                .collect()
        })
    }

    pub(super) fn process_entries(&self, problems: &mut Vec<Problem>) -> Vec<ProcessEntry<'_>> {
        let source = Source::SYSTEM_INFORMATION;
        let Some(answer) = self.wanted("process list", source, &CLASSES, problems) else {
            return Vec::new();
        };
        let class = ProcessClass::from_number(answer.class).unwrap_or(ProcessClass::Basic);
        answer.decode(problems, |buffer, problems| {
            decode::processes(buffer, class, problems)
        })
    }

    /// File names of the images by process id.
    pub(super) fn image_names(&self) -> BTreeMap<u64, Arc<str>> {
        self.process_entries(&mut Vec::new())
            .iter()
            .filter_map(|entry| Some((pid(entry), image(entry)?)))
            .collect()
    }

    fn process(
        &self,
        entry: &ProcessEntry<'_>,
        details: Details,
        ages: &BTreeMap<u64, Age>,
        images: &Images,
        membership: &Membership,
        texts: &mut Texts,
    ) -> Process {
        let view = &entry.process;
        let pid = pid(entry);
        let parent_pid = view
            .get(Layout::InheritedFromUniqueProcessId)
            .unwrap_or_default();
        let image_headers = images.of(details.image_path.as_deref());
        let user = details.user.as_ref().or(entry.user.as_ref());
        let extension = entry.extension.as_ref();
        let job_id = extension.and_then(|extension| extension.get(Extension::JobObjectId));
        let (job, silo) = membership.of(key(entry), job_id);
        Process {
            pid,
            parent_pid,
            parent_status: (pid != 0).then(|| parent_status(ages, pid, parent_pid)),
            image: image(entry).map(|name| texts.once(name)),
            path: details.image_path,
            command_line: details.command_line,
            session: view.get(Layout::SessionId).filter(|id| *id != NO_SESSION),
            create_time: view.get(Layout::CreateTime).and_then(Time::new),
            thread_count: view.get(Layout::NumberOfThreads).unwrap_or_default(),
            handle_count: view.get(Layout::HandleCount).unwrap_or_default(),
            private_commit: view.get(Layout::PagefileUsage).unwrap_or_default(),
            working_set: view.get(Layout::WorkingSetSize).unwrap_or_default(),
            private_working_set: view
                .get(Layout::WorkingSetPrivateSize)
                .filter(|_| self.header.nt_major >= 6),
            peak_working_set: view.get(Layout::PeakWorkingSetSize).unwrap_or_default(),
            virtual_size: view.get(Layout::VirtualSize).unwrap_or_default(),
            page_faults: view.get(Layout::PageFaultCount).unwrap_or_default(),
            user_time: view.get(Layout::UserTime).unwrap_or_default(),
            kernel_time: view.get(Layout::KernelTime).unwrap_or_default(),
            base_priority: view.get(Layout::BasePriority).unwrap_or_default(),
            machine: match &image_headers {
                Ok(image) => names::machine(image.machine),
                Err(_) => details.wow64.and_then(|wow64| self.machine_of(wow64)),
            },
            subsystem: image_headers
                .as_ref()
                .ok()
                .and_then(|image| names::subsystem(image.subsystem)),
            image_status: image_headers.err().map(|why| texts.once(why)),
            protection: details
                .protection
                .map(|protection| texts.once(protection.to_string())),
            user: user.map(|user| texts.once(names::account(user))),
            integrity: details
                .integrity
                .map(|integrity| texts.once(names::integrity(&integrity))),
            job,
            silo,
        }
    }

    fn machine_of(&self, wow64: bool) -> Option<&'static str> {
        match (names::machine(self.header.machine), wow64) {
            (native, false) => native,
            (Some("x64"), true) => Some("x86"),
            (_, true) => Some("wow64"),
        }
    }
}

pub(super) fn pid(entry: &ProcessEntry<'_>) -> u64 {
    entry
        .process
        .get(Layout::UniqueProcessId)
        .unwrap_or_default()
}

/// The file name of the image; the kernel has none for the idle process, and Windows' tools call it so.
pub(super) fn image(entry: &ProcessEntry<'_>) -> Option<Arc<str>> {
    match &entry.image_name {
        Some(name) if !name.is_empty() => Some(name.clone()),
        _ if pid(entry) == 0 => Some("Idle".into()),
        _ => None,
    }
}

fn key(entry: &ProcessEntry<'_>) -> details::Key {
    let create_time = entry.process.get(Layout::CreateTime).unwrap_or_default();
    (pid(entry), create_time as u64)
}

/// What tells which of two processes is older.
#[derive(Clone, Copy)]
struct Age {
    create_time: i64,
    /// Grows with every process of a boot and knows nothing of changes of the clock; not known on old systems.
    sequence_number: Option<u64>,
}

fn age(entry: &ProcessEntry<'_>, details: &BTreeMap<details::Key, Details>) -> Age {
    let extension = entry.extension.as_ref();
    Age {
        create_time: entry.process.get(Layout::CreateTime).unwrap_or_default(),
        sequence_number: extension
            .and_then(|extension| extension.get(Extension::ProcessSequenceNumber))
            .or_else(|| details.get(&key(entry))?.sequence_number),
    }
}

fn parent_status(ages: &BTreeMap<u64, Age>, pid: u64, parent_pid: u64) -> ParentStatus {
    let Some(parent) = ages.get(&parent_pid) else {
        return ParentStatus::Exited;
    };
    let child = ages.get(&pid).unwrap_or(parent);
    let older = match (parent.sequence_number, child.sequence_number) {
        (Some(parent), Some(child)) => parent <= child,
        _ => parent.create_time <= child.create_time,
    };
    if older {
        ParentStatus::Alive
    } else {
        ParentStatus::PidReused
    }
}
