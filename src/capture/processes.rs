//! Processes and threads.

use super::query::{Ask, Call, ask};
use crate::nt::layout::process_information as entry;
use crate::nt::{Handle, Kernel, Region};
use crate::own::{dword, native, qword};
use crate::text;
use bootshot_format::{Presence, Source};

/// `SystemProcessInformation`.
pub(super) const PROCESS_INFORMATION: Ask = Ask::new(Source::SYSTEM_INFORMATION, 5);
/// `SystemExtendedProcessInformation`, and for systems without it the above.
pub(super) const PROCESSES: [Ask; 2] = [
    Ask::new(Source::SYSTEM_INFORMATION, 57),
    PROCESS_INFORMATION,
];
/// `SystemFullProcessInformation`.
pub(super) const FULL_PROCESSES: [Ask; 1] = [Ask::new(Source::SYSTEM_INFORMATION, 148)];

/// One process of an answer to [`PROCESS_INFORMATION`].
pub(super) struct Process<'a> {
    pub(super) id: u64,
    pub(super) create_time: u64,
    /// Empty when the system gives none or it lies outside the answer.
    image_name: &'a [u16],
}

/// The processes of an answer to [`PROCESS_INFORMATION`].
pub(super) struct Processes<'a, K: Kernel> {
    answer: &'a Region<K>,
    length: usize,
    offset: usize,
}

impl<'a, K: Kernel> Processes<'a, K> {
    /// Those in the first `length` bytes.
    pub(super) const fn new(answer: &'a Region<K>, length: usize) -> Self {
        Self {
            answer,
            length,
            offset: 0,
        }
    }
}

impl<'a, K: Kernel> Iterator for Processes<'a, K> {
    type Item = Process<'a>;

    fn next(&mut self) -> Option<Process<'a>> {
        let (answer, offset) = (self.answer, self.offset);
        let process = answer.first(self.length).get(offset..)?;
        if process.len() <= entry::UNIQUE_PROCESS_ID {
            return None;
        }
        let next = dword(process, entry::NEXT_ENTRY_OFFSET) as usize;
        // The last one leads behind the end.
        self.offset = if next == 0 {
            self.length
        } else {
            offset.saturating_add(next)
        };
        Some(Process {
            id: native(process, entry::UNIQUE_PROCESS_ID),
            create_time: qword(process, entry::CREATE_TIME),
            image_name: answer
                .string_at(self.length, offset + entry::IMAGE_NAME)
                .unwrap_or(&[]),
        })
    }
}

/// Whether csrss is running. The list is given back at once: it can be large, and the capture needs the room.
pub fn csrss<K: Kernel>(kernel: K) -> Presence {
    let mut list = Region::empty(kernel);
    let asked = ask(
        kernel,
        &mut list,
        &mut Call::new(PROCESS_INFORMATION, Handle::NONE),
    );
    let mut processes = Processes::new(&list, asked.length);
    if !asked.status.is_success() {
        Presence::UNKNOWN
    } else if processes.any(|process| text::is(process.image_name, "csrss.exe")) {
        Presence::PRESENT
    } else {
        Presence::ABSENT
    }
}
