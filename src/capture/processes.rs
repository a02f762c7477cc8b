//! Processes and threads.

use super::query::ask;
use super::{Capture, Question, Stop};
use crate::nt::layout::{process_information as entry, unicode_string};
use crate::nt::{Kernel, Region, Status};
use crate::own::{dword, native, qword};
use bootshot_format::{Family, Presence, Sink, Source};

/// `SystemProcessInformation`.
const PROCESS_INFORMATION: u32 = 5;
/// `SystemExtendedProcessInformation`.
const EXTENDED_PROCESS_INFORMATION: u32 = 57;
/// `SystemFullProcessInformation`.
const FULL_PROCESS_INFORMATION: u32 = 148;

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    pub(super) fn processes(&mut self) -> Result<(), Stop> {
        self.first_answered(
            Family::PROCESSES,
            &[EXTENDED_PROCESS_INFORMATION, PROCESS_INFORMATION],
        )?;
        self.first_answered(Family::PROCESSES, &[FULL_PROCESS_INFORMATION])?;
        Ok(())
    }

    /// Asks `NtQuerySystemInformation` for the first of `classes` that answers; each try is a section. The class that did
    /// comes back with the bytes of its answer, which are 0 where none did.
    pub(super) fn first_answered(
        &mut self,
        family: Family,
        classes: &[u32],
    ) -> Result<(u32, usize), Stop> {
        let kernel = self.kernel;
        for class in classes {
            let question = Question::new(Source::SYSTEM_INFORMATION, *class);
            let asked = self.section(family, &question, &mut |buffer| {
                kernel.query_system_information(*class, buffer)
            })?;
            if asked.status.is_success() {
                return Ok((*class, asked.length));
            }
        }
        Ok((0, 0))
    }
}

/// One process of an answer to class 5.
pub(super) struct Process<'a> {
    pub(super) id: u64,
    pub(super) create_time: u64,
    /// UTF-16LE; empty when the system gives none or it lies outside the answer.
    image_name: &'a [u8],
}

/// Asks for the processes and calls `each` with every one.
pub(super) fn for_each_process<K: Kernel>(
    kernel: K,
    buffer: &mut Region<K>,
    mut each: impl FnMut(Process<'_>),
) -> Result<(), Status> {
    let asked = ask(kernel, buffer, None, &mut |buffer| {
        kernel.query_system_information(PROCESS_INFORMATION, buffer)
    });
    asked.status.ok()?;
    let start = buffer.address() as u64;
    let answer = &buffer.bytes()[..asked.length];
    let mut offset = 0;
    while let Some(process) = answer
        .get(offset..)
        .filter(|rest| rest.len() > entry::UNIQUE_PROCESS_ID)
    {
        let name_length =
            (dword(process, entry::IMAGE_NAME + unicode_string::LENGTH) & 0xFFFF) as usize;
        let name = native(process, entry::IMAGE_NAME + unicode_string::BUFFER).wrapping_sub(start);
        let image_name = usize::try_from(name)
            .ok()
            .and_then(|name| answer.get(name..)?.get(..name_length))
            .unwrap_or(&[]);
        each(Process {
            id: native(process, entry::UNIQUE_PROCESS_ID),
            create_time: qword(process, entry::CREATE_TIME),
            image_name,
        });
        match dword(process, entry::NEXT_ENTRY_OFFSET) as usize {
            0 => break,
            next => offset += next,
        }
    }
    Ok(())
}

/// Whether csrss is running. The list is given back at once: it can be large, and the capture needs the room.
pub fn csrss<K: Kernel>(kernel: K) -> Presence {
    let mut presence = Presence::ABSENT;
    let asked = for_each_process(kernel, &mut Region::empty(kernel), |process| {
        let mut units = process
            .image_name
            .as_chunks::<2>()
            .0
            .iter()
            .map(|pair| u16::from_le_bytes(*pair));
        let is_csrss = "csrss.exe"
            .bytes()
            .all(|expected| match units.next().map(u8::try_from) {
                Some(Ok(unit)) => unit.eq_ignore_ascii_case(&expected),
                _ => false,
            });
        if is_csrss && units.next().is_none() {
            presence = Presence::PRESENT;
        }
    });
    if asked.is_ok() {
        presence
    } else {
        Presence::UNKNOWN
    }
}
