//! Classes 5, 57 and 148 of `NtQuerySystemInformation`: processes with their threads.

use std::sync::Arc;

use super::buffer::Buffer;
use super::security::{Sid, sid};
use crate::error::Problem;
use crate::layout::structures::{
    SYSTEM_EXTENDED_THREAD_INFORMATION, SYSTEM_PROCESS_INFORMATION,
    SYSTEM_PROCESS_INFORMATION_EXTENSION, SYSTEM_THREAD_INFORMATION,
};
use crate::layout::{PointerWidth, Structure, View};

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
    pub threads: Threads<'a>,
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

/// The threads of a process, where they lie.
#[derive(Clone, Copy, Debug)]
pub struct Threads<'a> {
    bytes: &'a [u8],
    /// Bytes of a thread.
    size: usize,
    is_extended: bool,
    width: PointerWidth,
}

impl<'a> Threads<'a> {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.bytes.len() / self.size
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = ThreadEntry<'a>> + use<'a> {
        let Self {
            bytes,
            size,
            is_extended,
            width,
        } = *self;
        bytes.chunks_exact(size).map(move |bytes| ThreadEntry {
            thread: View::new(bytes, width),
            extended: is_extended.then(|| View::new(bytes, width)),
        })
    }
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
        let image_name = process
            .get(Process::ImageName)
            .and_then(|name| buffer.string(name, "process name", offset, problems));
        let threads = threads(buffer, class, (offset, &process), end, problems);
        let after_threads = offset + size + threads.bytes.len();
        let mut entry = ProcessEntry {
            offset,
            process,
            image_name,
            threads,
            extension: None,
            user: None,
        };
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

/// The threads of the process at `offset`.
fn threads<'a>(
    buffer: &Buffer<'a>,
    class: ProcessClass,
    (offset, process): (usize, &View<'a, SYSTEM_PROCESS_INFORMATION>),
    end: usize,
    problems: &mut Vec<Problem>,
) -> Threads<'a> {
    use SYSTEM_PROCESS_INFORMATION as Process;

    let width = buffer.width();
    let is_extended = class != ProcessClass::Basic;
    let size = match is_extended {
        false => SYSTEM_THREAD_INFORMATION::SIZE,
        true => SYSTEM_EXTENDED_THREAD_INFORMATION::SIZE,
    }
    .at(width);
    let start = offset + Process::Threads.offset.at(width);
    let claimed = process.get(Process::NumberOfThreads).unwrap_or_default() as usize;
    let room = end.saturating_sub(start) / size;
    if claimed > room {
        problems.push(Problem::new(
            "SYSTEM_PROCESS_INFORMATION.NumberOfThreads",
            offset,
            format!("at most {room}, for which there is room"),
            claimed.to_string(),
        ));
    }
    Threads {
        bytes: &buffer.from(start)[..claimed.min(room) * size],
        size,
        is_extended,
        width,
    }
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
