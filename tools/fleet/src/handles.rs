//! The handle lists: `SYSTEM_HANDLE_INFORMATION_EX` for 64-bit systems; and processes that ended and are held by a handle.

use bootshot_format::{Family, ObjectKind, OpenKind, Outcome, Source, handle_of};
use test_snapshots::objects::{self, BasicInformation};

use crate::draft::{Draft, STATUS_NO_MORE_ENTRIES, bytes_at, put};
use crate::processes;
use crate::types::{self, ObjectType};

/// `SystemExtendedHandleInformation`.
const CLASS: u32 = 64;

const HEADER: usize = 0x10;
const UNIQUE_PROCESS_ID: usize = 0x08;
const HANDLE_VALUE: usize = 0x10;
const SIZE: usize = 0x28;

/// `PROCESS_QUERY_LIMITED_INFORMATION`, `SYNCHRONIZE`.
const ACCESS: u32 = 0x10_1000;

/// Where the objects that are added are, one behind the other.
const OBJECTS: u64 = 0xFFFF_B000_0000_0000;
const OBJECT_SIZE: u64 = 0x800;

/// The first id of those that ended: above all that run.
const FIRST_ENDED: u64 = 0x1_0000;

/// A handle that is added.
#[derive(Clone, Copy, Debug)]
pub struct Handle {
    /// Whose.
    pub pid: u64,
    /// To what: an object that was not there before.
    pub object: u64,
    /// Of which type.
    pub object_type: ObjectType,
}

/// A process that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended<'a> {
    /// Who holds it.
    pub holder: u64,
    /// Its path.
    pub path: &'a str,
    /// When it was started and when it ended.
    pub times: (u64, u64),
}

/// The handles of `pid` in a list, and the highest of them.
fn of_process(list: &[u8], pid: u64) -> (u32, u64) {
    let (_, entries) = list.split_at(HEADER);
    let values = entries
        .chunks_exact(SIZE)
        .filter(|entry| u64::from_le_bytes(bytes_at(entry, UNIQUE_PROCESS_ID)) == pid)
        .map(|entry| u64::from_le_bytes(bytes_at(entry, HANDLE_VALUE)));
    values.fold((0, 0), |(count, highest), value| {
        (count + 1, highest.max(value))
    })
}

/// Adds handles: their values. Those of the capture itself are in the last list only, which was taken while they were open.
pub fn add(draft: &mut Draft, handles: &[Handle]) -> Vec<u64> {
    let capture = draft.header.process_id;
    let mut values = Vec::new();
    let mut counts: Vec<(u64, u32, u64)> = Vec::new();
    for handle in handles {
        if !counts.iter().any(|(pid, ..)| *pid == handle.pid) {
            let lists = draft
                .answers_mut()
                .filter(|answer| answer.is_of_system(CLASS));
            let found: Vec<_> = lists
                .map(|answer| of_process(&answer.bytes, handle.pid))
                .collect();
            let count = found
                .iter()
                .map(|(count, _)| *count)
                .max()
                .unwrap_or_default();
            let highest = found
                .iter()
                .map(|(_, highest)| *highest)
                .max()
                .unwrap_or_default();
            counts.push((handle.pid, count, highest));
        }
        for (pid, count, highest) in &mut counts {
            if *pid == handle.pid {
                *count += 1;
                *highest += 4;
                values.push(*highest);
            }
        }
    }
    for section in &mut draft.sections {
        let is_last = section.begin.family == Family::NAMES;
        for answer in section
            .answers
            .iter_mut()
            .filter(|answer| answer.is_of_system(CLASS))
        {
            let list = &mut answer.bytes;
            let mut count = u64::from_le_bytes(bytes_at(list, 0));
            for (handle, value) in handles.iter().zip(&values) {
                if handle.pid == capture && !is_last {
                    continue;
                }
                count += 1;
                let start = list.len();
                list.extend(handle.object.to_le_bytes());
                list.extend(handle.pid.to_le_bytes());
                list.extend(value.to_le_bytes());
                list.extend(ACCESS.to_le_bytes());
                list.extend([0; 2]);
                list.extend(handle.object_type.index.to_le_bytes());
                list.resize(start + SIZE, 0);
            }
            put(list, 0, count.to_le_bytes());
        }
    }
    for handle in handles.iter().filter(|handle| handle.pid != capture) {
        types::count(draft, handle.object_type.name, 1, 1);
    }
    for (pid, count, _) in counts.into_iter().filter(|(pid, ..)| *pid != capture) {
        processes::count_handles(draft, pid, count);
    }
    values
}

/// Adds processes that have ended, each with a handle of its holder; `process_type` is the type Process.
///
/// The golden systems have no `NtGetNextProcess`: here it looked at every process.
pub fn add_ended(draft: &mut Draft, ended: &[Ended<'_>], process_type: ObjectType) {
    let capture = draft.header.process_id;
    let object = |number: usize| OBJECTS + number as u64 * OBJECT_SIZE;
    let to = |pid, number| Handle {
        pid,
        object: object(number),
        object_type: process_type,
    };
    let held = ended
        .iter()
        .enumerate()
        .map(|(number, one)| to(one.holder, number));
    let ours = (0..ended.len()).map(|number| to(capture, number));
    let values = add(draft, &held.chain(ours).collect::<Vec<_>>());
    let ended_iteration = |class: u32| class == OpenKind::NEXT_PROCESS.0;
    let Some(answers) =
        draft.batch_with(|answer| answer.source == Source::OPEN && ended_iteration(answer.class))
    else {
        return;
    };
    for answer in answers.iter_mut() {
        if answer.source == Source::OPEN && ended_iteration(answer.class) {
            answer.status = STATUS_NO_MORE_ENTRIES;
            answer.outcome = Outcome::FAILED;
        }
    }
    let mut told = Vec::new();
    for (number, (one, ours)) in ended.iter().zip(&values[ended.len()..]).enumerate() {
        let basic = BasicInformation {
            handles: 2,
            pointers: 3,
            ..BasicInformation::default()
        };
        told.push(objects::opened(ObjectKind::PROCESS, *ours, None, basic));
        let pid = FIRST_ENDED + 4 * number as u64;
        told.extend(objects::ended_process(
            handle_of(0, *ours),
            pid,
            0,
            one.times,
            one.path,
        ));
    }
    answers.splice(0..0, told.into_iter().map(Into::into));
}
