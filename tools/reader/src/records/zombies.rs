//! Processes and threads that have ended and still exist, with who holds them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bootshot_format::{Family, ObjectKind, OpenKind, Source};
use serde::Serialize;

use super::details::string_answer;
use super::opened::{HandleReference, Holder, Lists};
use super::{Reading, processes};
use crate::decode::{HandleEntry, ThreadEntry};
use crate::error::Problem;
use crate::layout::structures::{
    CLIENT_ID, KERNEL_USER_TIMES as Times, PROCESS_BASIC_INFORMATION as ProcessBasic,
    SYSTEM_PROCESS_INFORMATION as Listed, SYSTEM_THREAD_INFORMATION as ListedThread,
    THREAD_BASIC_INFORMATION as ThreadBasic,
};
use crate::names::describe_status;
use crate::snapshot::{Answer, Snapshot};
use crate::value::{Hex, Time};

/// Information classes of processes (`PROCESSINFOCLASS`) and threads (`THREADINFOCLASS`).
mod class {
    pub const BASIC: u32 = 0;
    pub const PROCESS_TIMES: u32 = 4;
    pub const PROCESS_IMAGE_FILE_NAME: u32 = 27;
    pub const THREAD_TIMES: u32 = 1;
}

const STATUS_PENDING: u32 = 0x103;
const STATUS_NO_MORE_ENTRIES: u32 = 0x8000_001A;
const STATUS_NOT_IMPLEMENTED: u32 = 0xC000_0002;
const STATUS_INVALID_SYSTEM_SERVICE: u32 = 0xC000_001C;
const STATUS_PROCEDURE_NOT_FOUND: u32 = 0xC000_007A;
const STATUS_ENTRYPOINT_NOT_FOUND: u32 = 0xC000_0139;

/// What a problem about threads is a problem of.
pub const ENDED_THREADS: &str = "ended threads";

/// An ended process or thread.
#[derive(Clone, Debug, Serialize)]
pub struct Zombie {
    /// Process id.
    pub pid: Option<u64>,
    /// Thread id, of a thread.
    pub tid: Option<u64>,
    /// File name of the process's image.
    pub image: Option<Arc<str>>,
    /// NT path of the process's image.
    pub path: Option<Arc<str>>,
    /// What it ended with, `0x%08X`.
    pub exit_status: Option<String>,
    /// When it was started.
    pub create_time: Option<Time>,
    /// When it ended.
    pub exit_time: Option<Time>,
    /// Time spent in user mode, 100 ns units.
    pub user_time: Option<i64>,
    /// Time spent in the kernel, 100 ns units.
    pub kernel_time: Option<i64>,
    /// How many handles of others keep it; none where that is not known.
    pub holder_count: Option<usize>,
    /// Who holds it, besides the capture; empty when only the kernel does. Where its address is hidden, those of whom it was
    /// asked, and none when it was asked of nobody.
    pub holders: Option<Vec<ZombieHolder>>,
}

/// A handle to an ended process or thread.
#[derive(Clone, Debug, Serialize)]
pub struct ZombieHolder {
    /// Process id.
    pub pid: u64,
    /// File name of its image.
    pub image: Option<Arc<str>>,
    /// The handle's value there.
    pub handle: Hex,
}

/// What has ended.
#[derive(Clone, Debug, Default)]
pub struct Zombies {
    /// Processes that had ended before the capture began, those of the process that holds most first.
    pub processes: Vec<Zombie>,
    /// Threads, likewise.
    pub threads: Vec<Zombie>,
    /// Processes and threads that ended while the capture ran, and are none.
    pub ended_during_capture: Vec<Zombie>,
}

/// What was told through one handle.
#[derive(Default)]
struct Told<'s> {
    is_thread: bool,
    basic: Option<Answer<'s>>,
    times: Option<Answer<'s>>,
    path: Option<Answer<'s>>,
}

/// What tells one object from all others.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Identity {
    Address(u64),
    Ids(Option<u64>, Option<u64>, Option<Time>),
}

impl Snapshot<'_> {
    /// The ended processes and threads that still exist.
    pub fn zombies(&self) -> Reading<Zombies> {
        Reading::gather(|problems| {
            self.say_what_was_not_looked_at(problems);
            let lists = self.handle_lists();
            let images = self.image_names();
            let mut found: BTreeMap<Identity, (Zombie, bool)> = BTreeMap::new();
            for (reference, told) in self.told_of_ended() {
                let Some(zombie) = self.zombie(&told, &images, problems) else {
                    continue;
                };
                let entry = self.entry_of(reference, &lists);
                let identity = match entry.map(|entry| entry.object) {
                    Some(address) if address != 0 => Identity::Address(address),
                    _ => Identity::Ids(zombie.pid, zombie.tid, zombie.create_time),
                };
                let (zombie, _) = found.entry(identity).or_insert((zombie, told.is_thread));
                // Where addresses are hidden, the handles that were asked about are those that are known.
                if reference.0 != self.header.process_id {
                    zombie.holders.get_or_insert_default().push(ZombieHolder {
                        pid: reference.0,
                        image: images.get(&reference.0).cloned(),
                        handle: Hex(reference.1),
                    });
                }
            }
            self.add_holders(&mut found, &images);
            let paths: BTreeMap<u64, Arc<str>> = found
                .values()
                .filter_map(|(zombie, _)| Some((zombie.pid?, zombie.path.clone()?)))
                .collect();
            let running = self.running(&found);
            let start = Time::new(self.header.system_time);
            let mut zombies = Zombies::default();
            for (mut zombie, is_thread) in found.into_values() {
                zombie.holder_count = zombie.holders.as_ref().map(Vec::len);
                if is_thread && let Some(path) = zombie.pid.and_then(|pid| paths.get(&pid)) {
                    zombie.image = Some(file_name(path));
                    zombie.path = Some(path.clone());
                }
                let was_running = lives(&zombie, is_thread)
                    .is_some_and(|of| running.contains(&(of, zombie.create_time)));
                let late = zombie.exit_time >= start && zombie.exit_time.is_some();
                if was_running || late {
                    zombies.ended_during_capture.push(zombie);
                } else if is_thread {
                    zombies.threads.push(zombie);
                } else {
                    zombies.processes.push(zombie);
                }
            }
            by_greatest_holder(&mut zombies.processes);
            by_greatest_holder(&mut zombies.threads);
            zombies
        })
    }

    /// What was asked through handles of ended processes and threads: our own to what the kernel listed, and others'.
    fn told_of_ended(&self) -> BTreeMap<HandleReference, Told<'_>> {
        let own: BTreeSet<HandleReference> = self
            .opened_objects()
            .filter(|opened| matches!(opened.kind, ObjectKind::PROCESS | ObjectKind::THREAD))
            .map(|opened| self.handle_reference(opened.handle()))
            .collect();
        let mut all: BTreeMap<HandleReference, Told<'_>> = BTreeMap::new();
        let told = self
            .answers_from(Source::PROCESS_HANDLE)
            .chain(self.answers_from(Source::THREAD_HANDLE));
        for answer in told.filter(Answer::succeeded) {
            let is_thread = answer.source == Source::THREAD_HANDLE;
            let reference = self.handle_reference(answer.argument);
            if reference.0 == self.header.process_id && !own.contains(&reference) {
                continue;
            }
            let told = all.entry(reference).or_default();
            told.is_thread = is_thread;
            let place = match (is_thread, answer.class) {
                (_, class::BASIC) => &mut told.basic,
                (false, class::PROCESS_TIMES) | (true, class::THREAD_TIMES) => &mut told.times,
                (false, class::PROCESS_IMAGE_FILE_NAME) => &mut told.path,
                _ => continue,
            };
            *place = Some(answer);
        }
        all
    }

    /// None when what was told shows that it has not ended.
    fn zombie(
        &self,
        told: &Told<'_>,
        images: &BTreeMap<u64, Arc<str>>,
        problems: &mut Vec<Problem>,
    ) -> Option<Zombie> {
        let (mut pid, mut tid, mut exit_status) = (None, None, None);
        if let Some(answer) = &told.basic {
            if told.is_thread {
                let view = answer.structure::<ThreadBasic>(problems);
                let client = view.and_then(|view| view.get(ThreadBasic::ClientId));
                pid = client.and_then(|client| client.get(CLIENT_ID::UniqueProcess));
                tid = client.and_then(|client| client.get(CLIENT_ID::UniqueThread));
                exit_status = view.and_then(|view| view.get(ThreadBasic::ExitStatus));
            } else {
                let view = answer.structure::<ProcessBasic>(problems);
                pid = view.and_then(|view| view.get(ProcessBasic::UniqueProcessId));
                exit_status = view.and_then(|view| view.get(ProcessBasic::ExitStatus));
            }
        }
        let times = told
            .times
            .as_ref()
            .and_then(|answer| answer.structure::<Times>(problems));
        let exit_time = times.and_then(|times| Time::new(times.get(Times::ExitTime)?));
        let exit_status = exit_status.map(|status| status as u32);
        if exit_time.is_none() && exit_status.is_none_or(|status| status == STATUS_PENDING) {
            return None;
        }
        let path = told
            .path
            .as_ref()
            .and_then(|answer| string_answer(answer, "image path", problems))
            .filter(|path| !path.is_empty());
        let listed = pid.and_then(|pid| images.get(&pid));
        Some(Zombie {
            pid,
            tid,
            image: match &path {
                Some(path) => Some(file_name(path)),
                // The id of an ended process can be another's by now; that of an ended thread's process rarely.
                None => listed.filter(|_| told.is_thread).cloned(),
            },
            path,
            exit_status: exit_status.map(|status| format!("0x{status:08X}")),
            create_time: times.and_then(|times| Time::new(times.get(Times::CreateTime)?)),
            exit_time,
            user_time: times.and_then(|times| times.get(Times::UserTime)),
            kernel_time: times.and_then(|times| times.get(Times::KernelTime)),
            holder_count: None,
            holders: None,
        })
    }

    fn entry_of(&self, reference: HandleReference, lists: &Lists<'_>) -> Option<HandleEntry> {
        if reference.0 == self.header.process_id {
            lists.own(reference.1)
        } else {
            lists.find(reference).copied()
        }
    }

    /// The handle list that was taken last is that in which our own handles show the addresses; else the first.
    fn add_holders(
        &self,
        found: &mut BTreeMap<Identity, (Zombie, bool)>,
        images: &BTreeMap<u64, Arc<str>>,
    ) {
        for (identity, (zombie, _)) in found.iter_mut() {
            if matches!(identity, Identity::Address(_)) {
                zombie.holders = Some(Vec::new());
            }
        }
        let (mut ignored, last) = (Vec::new(), self.has_last_handle_list());
        let first = (!last).then(|| self.each_handle_entry(&mut ignored));
        for entry in self
            .each_last_handle_entry()
            .chain(first.into_iter().flatten())
        {
            if entry.process_id == self.header.process_id {
                continue;
            }
            let Some((zombie, _)) = found.get_mut(&Identity::Address(entry.object)) else {
                continue;
            };
            let holder = Holder::new(images, &entry);
            zombie.holders.get_or_insert_default().push(ZombieHolder {
                pid: holder.pid,
                image: holder.image,
                handle: holder.handle,
            });
        }
    }

    /// The processes and threads with the ids of those that were found which the process list shows with a life in them, and
    /// when each was started.
    fn running(
        &self,
        found: &BTreeMap<Identity, (Zombie, bool)>,
    ) -> BTreeSet<(Life, Option<Time>)> {
        let wanted: BTreeSet<Life> = found
            .values()
            .filter_map(|(zombie, is_thread)| lives(zombie, *is_thread))
            .collect();
        let mut running = BTreeSet::new();
        let mut add = |life: Life, create_time: Option<i64>| {
            if wanted.contains(&life) {
                running.insert((life, create_time.and_then(Time::new)));
            }
        };
        for entry in self.process_entries(&mut Vec::new()) {
            if !entry.threads.is_empty() {
                let create_time = entry.process.get(Listed::CreateTime);
                add((false, processes::pid(&entry)), create_time);
            }
            for ThreadEntry { thread, .. } in entry.threads.iter() {
                let client = thread.get(ListedThread::ClientId);
                if let Some(tid) = client.and_then(|client| client.get(CLIENT_ID::UniqueThread)) {
                    add((true, tid), thread.get(ListedThread::CreateTime));
                }
            }
        }
        running
    }

    fn say_what_was_not_looked_at(&self, problems: &mut Vec<Problem>) {
        if let Some(why) = self.family_missing(Family::ENDED) {
            problems.push(Problem::new("ended processes", 0, "an answer", why));
        }
        let ends = || {
            self.answers_from(Source::OPEN).filter(|answer| {
                matches!(
                    OpenKind(answer.class),
                    OpenKind::NEXT_PROCESS | OpenKind::NEXT_THREAD
                )
            })
        };
        let mut refused: BTreeMap<(OpenKind, u32), (u64, u32)> = BTreeMap::new();
        for answer in ends().filter(|answer| answer.status != STATUS_NO_MORE_ENTRIES) {
            let times = refused
                .entry((OpenKind(answer.class), answer.status))
                .or_default();
            *times = (times.0 + 1, answer.section);
        }
        for ((kind, status), (times, section)) in refused {
            let lacks = matches!(
                status,
                STATUS_NOT_IMPLEMENTED
                    | STATUS_INVALID_SYSTEM_SERVICE
                    | STATUS_PROCEDURE_NOT_FOUND
                    | STATUS_ENTRYPOINT_NOT_FOUND
            );
            let why = describe_status(status);
            let (what, why) = match (kind, lacks) {
                (OpenKind::NEXT_PROCESS, true) => (
                    "ended processes",
                    format!("a system without NtGetNextProcess ({why})"),
                ),
                (OpenKind::NEXT_PROCESS, false) => ("ended processes", why),
                (_, true) => (
                    ENDED_THREADS,
                    format!("a system without NtGetNextThread ({why})"),
                ),
                (_, false) => (ENDED_THREADS, format!("{why}, of {times} processes")),
            };
            problems.push(Problem {
                section: Some(section),
                ..Problem::new(what, 0, "all of them looked at", why)
            });
        }
        // A process that does not grant the query is passed over without a word.
        let looked_at = ends().filter(|answer| OpenKind(answer.class) == OpenKind::NEXT_THREAD);
        let (looked_at, of) = (
            looked_at.count(),
            self.process_entries(&mut Vec::new()).len(),
        );
        if looked_at != 0 && looked_at + 1 < of {
            problems.push(Problem::new(
                ENDED_THREADS,
                0,
                format!("those of {} processes looked at", of - 1),
                format!("{looked_at} that allow it"),
            ));
        }
    }
}

fn file_name(path: &Arc<str>) -> Arc<str> {
    path.rsplit('\\').next().unwrap_or_default().into()
}

/// Whether it is a thread, and its id: another one can have had it before, or have it by now.
type Life = (bool, u64);

fn lives(zombie: &Zombie, is_thread: bool) -> Option<Life> {
    Some((is_thread, if is_thread { zombie.tid } else { zombie.pid }?))
}

/// Those that the process with the most handles to any of them holds come first, then by id; nobody's come last.
fn by_greatest_holder(zombies: &mut [Zombie]) {
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for holder in zombies.iter().flat_map(|zombie| &zombie.holders).flatten() {
        *counts.entry(holder.pid).or_default() += 1;
    }
    zombies.sort_by_cached_key(|zombie| {
        let holders = zombie.holders.iter().flatten();
        let greatest = holders.map(|holder| (counts.get(&holder.pid).copied(), holder.pid));
        (std::cmp::Reverse(greatest.max()), zombie.pid, zombie.tid)
    });
}
