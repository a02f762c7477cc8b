//! Classes 5, 57 and 148 of `NtQuerySystemInformation`: processes with their threads.

use std::sync::Arc;

use super::buffer::Buffer;
use super::security::{Sid, sid};
use crate::error::Problem;
use crate::layout::structures::{
    SYSTEM_EXTENDED_THREAD_INFORMATION, SYSTEM_PROCESS_INFORMATION,
    SYSTEM_PROCESS_INFORMATION_EXTENSION, SYSTEM_THREAD_INFORMATION,
};
use crate::layout::{Structure, View};

/// Which of the three classes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProcessClass {
    /// 5: short threads.
    Basic,
    /// 57: long threads.
    Extended,
    /// 148: long threads, then an extension.
    Full,
}

impl ProcessClass {
    /// The class by its number.
    pub const fn from_number(class: u32) -> Option<Self> {
        match class {
            5 => Some(Self::Basic),
            57 => Some(Self::Extended),
            148 => Some(Self::Full),
            _ => None,
        }
    }
}

/// A process.
#[derive(Clone, Debug)]
pub struct ProcessEntry<'a> {
    /// Where in the answer it starts.
    pub offset: usize,
    /// The fixed part, complete up to its threads.
    pub process: View<'a, SYSTEM_PROCESS_INFORMATION>,
    /// The file name of its image; none for the idle process.
    pub image_name: Option<Arc<str>>,
    /// Its threads.
    pub threads: Vec<ThreadEntry<'a>>,
    /// What class 148 adds.
    pub extension: Option<View<'a, SYSTEM_PROCESS_INFORMATION_EXTENSION>>,
    /// Its user, in class 148.
    pub user: Option<Sid>,
}

/// A thread.
#[derive(Clone, Copy, Debug)]
pub struct ThreadEntry<'a> {
    /// What all classes say.
    pub thread: View<'a, SYSTEM_THREAD_INFORMATION>,
    /// What classes 57 and 148 say.
    pub extended: Option<View<'a, SYSTEM_EXTENDED_THREAD_INFORMATION>>,
}

/// The processes in an answer of `class`.
pub fn processes<'a>(
    buffer: &Buffer<'a>,
    class: ProcessClass,
    problems: &mut Vec<Problem>,
) -> Vec<ProcessEntry<'a>> {
    use SYSTEM_PROCESS_INFORMATION as Process;

    let size = Process::Threads.offset.at(buffer.width());
    let mut entries = Vec::new();
    let mut offset = 0;
    while let Some(process) = buffer.expect::<Process>(offset, size, problems) {
        let next = process.get(Process::NextEntryOffset).unwrap_or_default() as usize;
        // The last entry says 0 and ends with the answer; any other ends where the next begins.
        let end = match next {
            0 => buffer.bytes().len(),
            _ => offset.saturating_add(next).min(buffer.bytes().len()),
        };
        let mut entry = ProcessEntry {
            offset,
            process,
            image_name: process
                .get(Process::ImageName)
                .and_then(|name| buffer.string(name, "process name", offset, problems)),
            threads: Vec::new(),
            extension: None,
            user: None,
        };
        let after_threads = threads(buffer, class, &mut entry, size, end, problems);
        if class == ProcessClass::Full {
            extension(buffer, &mut entry, after_threads, end, problems);
        }
        entries.push(entry);
        if next == 0 {
            break;
        }
        if next < size {
            problems.push(Problem::new(
                "SYSTEM_PROCESS_INFORMATION.NextEntryOffset",
                offset,
                format!("0 or at least {size}"),
                next.to_string(),
            ));
            break;
        }
        offset = offset.saturating_add(next);
    }
    entries
}

/// Reads the threads of `entry` and gives the offset behind them.
fn threads<'a>(
    buffer: &Buffer<'a>,
    class: ProcessClass,
    entry: &mut ProcessEntry<'a>,
    size: usize,
    end: usize,
    problems: &mut Vec<Problem>,
) -> usize {
    let width = buffer.width();
    let thread_size = match class {
        ProcessClass::Basic => SYSTEM_THREAD_INFORMATION::SIZE,
        ProcessClass::Extended | ProcessClass::Full => SYSTEM_EXTENDED_THREAD_INFORMATION::SIZE,
    }
    .at(width);
    let start = entry.offset + size;
    let claimed = entry
        .process
        .get(SYSTEM_PROCESS_INFORMATION::NumberOfThreads)
        .unwrap_or_default() as usize;
    let room = end.saturating_sub(start) / thread_size;
    if claimed > room {
        problems.push(Problem::new(
            "SYSTEM_PROCESS_INFORMATION.NumberOfThreads",
            entry.offset,
            format!("at most {room}, for which there is room"),
            claimed.to_string(),
        ));
    }
    let count = claimed.min(room);
    entry.threads.extend((0..count).map(|index| {
        let bytes = buffer.from(start + index * thread_size);
        let extended = View::new(bytes, width);
        ThreadEntry {
            thread: View::new(bytes, width),
            extended: (class != ProcessClass::Basic).then_some(extended),
        }
    }));
    start + count * thread_size
}

fn extension<'a>(
    buffer: &Buffer<'a>,
    entry: &mut ProcessEntry<'a>,
    offset: usize,
    end: usize,
    problems: &mut Vec<Problem>,
) {
    use SYSTEM_PROCESS_INFORMATION_EXTENSION as Extension;

    let bytes = buffer.bytes().get(offset..end).unwrap_or_default();
    let extension = View::<Extension>::new(bytes, buffer.width());
    // `UserSidOffset` is in every version of it; later fields came one by one.
    let Some(user) = extension.get(Extension::UserSidOffset) else {
        problems.push(Problem::new(
            Extension::NAME,
            offset,
            "an extension behind the threads",
            format!("{} bytes", bytes.len()),
        ));
        return;
    };
    entry.extension = Some(extension);
    if user != 0 {
        entry.user = sid(
            bytes.get(user as usize..).unwrap_or_default(),
            offset,
            problems,
        );
    }
}
