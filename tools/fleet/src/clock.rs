//! Moves a snapshot to another day: everything that happened since the start of the system.
//!
//! Offsets are those of the System Informer headers (`phnt`) for 64-bit systems.

use bootshot_format::{MemoryKind, ObjectHeader, ObjectKind, OpenKind, Source};

use crate::draft::{Answer, Draft, bytes_at, put};
use crate::processes;

/// `SystemTimeOfDayInformation`, with `BootTime` and `CurrentTime` in front.
const TIME_OF_DAY: u32 = 3;

/// `ProcessTimes` and `ThreadTimes`, with `CreateTime` and `ExitTime` in front.
const PROCESS_TIMES: u32 = 4;
const THREAD_TIMES: u32 = 1;

/// `KUSER_SHARED_DATA.SystemTime`: low part, high part, high part again.
const SHARED_SYSTEM_TIME: usize = 0x14;

/// `OBJECT_BASIC_INFORMATION.CreationTime`.
const OBJECT_CREATION_TIME: usize = 0x30;

/// Moves every moment by `later`, in 100 ns units.
pub fn shift(draft: &mut Draft, later: i64) {
    shift_one(&mut draft.header.boot_time, later);
    shift_one(&mut draft.header.system_time, later);
    shift_one(&mut draft.trailer.system_time, later);
    for section in &mut draft.sections {
        shift_one(&mut section.begin.system_time, later);
        for answer in &mut section.answers {
            shift_answer(answer, later);
        }
    }
}

/// 0 is no moment.
const fn shift_one(moment: &mut i64, later: i64) {
    if *moment != 0 {
        *moment += later;
    }
}

fn shift_at(bytes: &mut [u8], offset: usize, later: i64) {
    if bytes.len() >= offset + 8 {
        let mut moment = i64::from_le_bytes(bytes_at(bytes, offset));
        shift_one(&mut moment, later);
        put(bytes, offset, moment.to_le_bytes());
    }
}

fn shift_answer(answer: &mut Answer, later: i64) {
    match (answer.source, answer.class) {
        (Source::SYSTEM_INFORMATION, TIME_OF_DAY) => {
            shift_at(&mut answer.bytes, 0, later);
            shift_at(&mut answer.bytes, 8, later);
        }
        (Source::SYSTEM_INFORMATION, processes::CLASS) => {
            for offset in processes::moments(&answer.bytes) {
                shift_at(&mut answer.bytes, offset, later);
            }
        }
        (Source::PROCESS_HANDLE, PROCESS_TIMES) | (Source::THREAD_HANDLE, THREAD_TIMES) => {
            shift_at(&mut answer.bytes, 0, later);
            shift_at(&mut answer.bytes, 8, later);
        }
        (Source::OBJECT, class) if class == ObjectKind::SYMBOLIC_LINK.0 => {
            shift_at(
                &mut answer.bytes,
                ObjectHeader::SIZE + OBJECT_CREATION_TIME,
                later,
            );
        }
        (Source::OWN_MEMORY, class) if class == MemoryKind::USER_SHARED_DATA.0 => {
            shift_at(&mut answer.bytes, SHARED_SYSTEM_TIME, later);
            let high: [u8; 4] = bytes_at(&answer.bytes, SHARED_SYSTEM_TIME + 4);
            put(&mut answer.bytes, SHARED_SYSTEM_TIME + 8, high);
        }
        _ => {}
    }
    if is_about_a_process(answer) {
        let mut created = answer.argument2 as i64;
        shift_one(&mut created, later);
        answer.argument2 = created as u64;
    }
}

/// Whether its second argument is when a process was started.
fn is_about_a_process(answer: &Answer) -> bool {
    match answer.source {
        Source::PROCESS_INFORMATION
        | Source::TOKEN_INFORMATION
        | Source::PROCESS_MEMORY
        | Source::PROCESS_IN_JOB => true,
        Source::OPEN => {
            let kind = OpenKind(answer.class);
            kind == OpenKind::PROCESS || kind == OpenKind::PROCESS_TOKEN
        }
        _ => false,
    }
}
