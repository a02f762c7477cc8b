//! The handle lists: `SYSTEM_HANDLE_INFORMATION_EX` for 64-bit systems; and processes that ended and are held by a handle.

use std::collections::BTreeMap;

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

/// The handles of a process.
#[derive(Default)]
struct Table {
    count: u32,
    highest: u64,
}

impl Table {
    /// As it is in the list that has most of them.
    fn of(draft: &mut Draft, pid: u64) -> Self {
        let mut table = Self::default();
        for answer in draft.answers_mut().filter(|one| one.is_of_system(CLASS)) {
            let mut count = 0;
            for entry in answer.bytes[HEADER..].chunks_exact(SIZE) {
                if u64::from_le_bytes(bytes_at(entry, UNIQUE_PROCESS_ID)) == pid {
                    count += 1;
                    let value = u64::from_le_bytes(bytes_at(entry, HANDLE_VALUE));
                    table.highest = table.highest.max(value);
                }
            }
            table.count = table.count.max(count);
        }
        table
    }
}

/// Adds handles: their values. Those of the capture itself are in the last list only, which was taken while they were open.
pub fn add(draft: &mut Draft, handles: &[Handle]) -> Vec<u64> {
    let capture = draft.header.process_id;
    let mut values = Vec::new();
    let mut tables: BTreeMap<u64, Table> = BTreeMap::new();
    for handle in handles {
        let table = tables.entry(handle.pid);
        let table = table.or_insert_with(|| Table::of(draft, handle.pid));
        table.count += 1;
        table.highest += 4;
        values.push(table.highest);
    }
    list(draft, handles, &values);
    for handle in handles.iter().filter(|handle| handle.pid != capture) {
        types::count(draft, handle.object_type.name, 1, 1);
    }
    tables.remove(&capture);
    for (pid, table) in tables {
        processes::count_handles(draft, pid, table.count);
    }
    values
}

/// Puts handles with their values into the lists.
fn list(draft: &mut Draft, handles: &[Handle], values: &[u64]) {
    let capture = draft.header.process_id;
    for section in &mut draft.sections {
        let is_last = section.begin.family == Family::NAMES;
        let answers = section.answers.iter_mut();
        for answer in answers.filter(|one| one.is_of_system(CLASS)) {
            let list = &mut answer.bytes;
            let mut count = u64::from_le_bytes(bytes_at(list, 0));
            for (handle, value) in handles.iter().zip(values) {
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
