//! The process list: `SYSTEM_PROCESS_INFORMATION` with `SYSTEM_EXTENDED_THREAD_INFORMATION`, for 64-bit systems.

use test_snapshots::utf16;

use crate::draft::{Draft, bytes_at, put};
use crate::types;

/// `SystemExtendedProcessInformation`.
pub const CLASS: u32 = 57;

const NUMBER_OF_THREADS: usize = 0x04;
const CREATE_TIME: usize = 0x20;
const IMAGE_NAME: usize = 0x38;
const UNIQUE_PROCESS_ID: usize = 0x50;
const HANDLE_COUNT: usize = 0x60;
const PROCESS_SIZE: usize = 0x100;

const THREAD_CREATE_TIME: usize = 0x10;
const THREAD_UNIQUE_PROCESS: usize = 0x28;
const THREAD_UNIQUE_THREAD: usize = 0x30;
const THREAD_SIZE: usize = 0x88;

/// The smallest handle table of Wine, whose sizes are the handle counts that it tells.
const SMALLEST_TABLE: u32 = 32;

/// Where the entries start.
fn entries(list: &[u8]) -> Vec<usize> {
    let mut starts = vec![0];
    let mut start = 0;
    loop {
        let next = u32::from_le_bytes(bytes_at(list, start));
        if next == 0 {
            return starts;
        }
        start += next as usize;
        starts.push(start);
    }
}

/// Where the threads of an entry start.
fn threads(list: &[u8], start: usize) -> impl Iterator<Item = usize> + use<> {
    let count = u32::from_le_bytes(bytes_at(list, start + NUMBER_OF_THREADS));
    (0..count as usize).map(move |thread| start + PROCESS_SIZE + thread * THREAD_SIZE)
}

fn pid(list: &[u8], start: usize) -> u64 {
    u64::from_le_bytes(bytes_at(list, start + UNIQUE_PROCESS_ID))
}

/// Where in a list moments stand: when processes and threads were started.
pub fn moments(list: &[u8]) -> Vec<usize> {
    let of_entry = |start: usize| {
        let threads = threads(list, start).map(|thread| thread + THREAD_CREATE_TIME);
        std::iter::once(start + CREATE_TIME).chain(threads)
    };
    entries(list).into_iter().flat_map(of_entry).collect()
}

/// Adds a process like the one with the id `like`.
pub fn add(draft: &mut Draft, like: u64, new: u64, image: &str) {
    let mut added_threads = 0;
    for answer in draft
        .answers_mut()
        .filter(|answer| answer.is_of_system(CLASS))
    {
        let list = &mut answer.bytes;
        let starts = entries(list);
        let model = starts
            .iter()
            .copied()
            .find(|start| pid(list, *start) == like);
        let (Some(model), Some(last)) = (model, starts.last().copied()) else {
            continue;
        };
        let threads_end = threads(list, model)
            .last()
            .map_or(PROCESS_SIZE, |thread| thread + THREAD_SIZE - model);
        list.resize(list.len().next_multiple_of(8), 0);
        let start = list.len();
        list.extend_from_within(model..model + threads_end);
        let name = utf16(image);
        let length = name.len() as u16;
        let address = answer.buffer_address + list.len() as u64;
        put(list, start, [0; 4]);
        put(list, start + IMAGE_NAME, length.to_le_bytes());
        put(list, start + IMAGE_NAME + 2, (length + 2).to_le_bytes());
        put(list, start + IMAGE_NAME + 8, address.to_le_bytes());
        put(list, start + UNIQUE_PROCESS_ID, new.to_le_bytes());
        for (thread, number) in threads(list, start).zip(1..) {
            put(list, thread + THREAD_UNIQUE_PROCESS, new.to_le_bytes());
            put(
                list,
                thread + THREAD_UNIQUE_THREAD,
                (new + 4 * number).to_le_bytes(),
            );
        }
        added_threads = threads(list, start).count() as u32;
        list.extend(name);
        list.extend([0; 2]);
        put(list, last, ((start - last) as u32).to_le_bytes());
    }
    types::count(draft, "Process", 1, 0);
    types::count(draft, "Thread", added_threads, 0);
}

/// Lets the handle count of a process have room for `handles`.
pub fn count_handles(draft: &mut Draft, of: u64, handles: u32) {
    for answer in draft
        .answers_mut()
        .filter(|answer| answer.is_of_system(CLASS))
    {
        let list = &mut answer.bytes;
        let Some(start) = entries(list)
            .into_iter()
            .find(|start| pid(list, *start) == of)
        else {
            continue;
        };
        let before = u32::from_le_bytes(bytes_at(list, start + HANDLE_COUNT));
        let table = handles.next_power_of_two().max(SMALLEST_TABLE);
        put(list, start + HANDLE_COUNT, before.max(table).to_le_bytes());
    }
}
