//! What bootshot says of itself: its arguments, privileges and output, its PEB, and the page shared by the kernel.

use super::query::Asked;
use super::{Capture, KnownHandle, Question, Stop};
use crate::nt::layout::{peb, process_parameters as parameters, unicode_string, user_shared_data};
use crate::nt::{Handle, Kernel, Status};
use crate::own::{dword, native, pointer, string};
use bootshot_format::{Family, MemoryKind, NoteKind, Sink, Source};

/// What the run found out before the capture began.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Whether the system is running, and not booting.
    pub live: bool,
    /// Arguments that were not understood.
    pub bad_arguments: &'a [&'a [u16]],
    /// Privileges asked for: LUID, and what came of it.
    pub privileges: &'a [(u32, Status)],
    /// NT path of the output directory.
    pub directory: &'a [u16],
    /// Its owner and DACL.
    pub security: (Status, &'a [u8]),
    /// `FILE_FS_ATTRIBUTE_INFORMATION` of its volume.
    pub file_system: (Status, &'a [u8]),
    /// Handles of known type that stay open during the capture.
    pub handles: &'a [KnownHandle],
}

/// A `PEB` is smaller than this on every system so far.
const PEB_LENGTH: usize = 0x1000;
/// Bytes of environment taken; smss gives a few hundred.
const MAXIMUM_ENVIRONMENT: usize = 64 << 10;

/// The strings that the process parameters point to.
const STRINGS: [usize; 8] = [
    parameters::CURRENT_DIRECTORY,
    parameters::DLL_PATH,
    parameters::IMAGE_PATH_NAME,
    parameters::COMMAND_LINE,
    parameters::WINDOW_TITLE,
    parameters::DESKTOP_INFO,
    parameters::SHELL_INFO,
    parameters::RUNTIME_DATA,
];

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    pub(super) fn own(&mut self) -> Result<(), Stop> {
        let facts = self.facts;
        self.begin_batch(Family::OWN)?;
        for argument in facts.bad_arguments {
            self.note(
                &Question::new(Source::NOTE, NoteKind::BAD_ARGUMENT.0).named(argument),
                Status::INVALID_PARAMETER,
            )?;
        }
        for (luid, status) in facts.privileges {
            self.note(
                &Question::new(Source::NOTE, NoteKind::PRIVILEGE.0).about(u64::from(*luid), 0),
                *status,
            )?;
        }
        for (kind, (status, bytes)) in [
            (NoteKind::OUTPUT_DIRECTORY, facts.security),
            (NoteKind::OUTPUT_FILE_SYSTEM, facts.file_system),
        ] {
            let asked = Asked {
                length: bytes.len(),
                returned_length: bytes.len(),
                ..Asked::without_answer(status)
            };
            self.push(
                &Question::new(Source::NOTE, kind.0).named(facts.directory),
                &asked,
                0,
                bytes,
            )?;
        }
        self.memory(
            MemoryKind::USER_SHARED_DATA,
            user_shared_data::ADDRESS,
            user_shared_data::SIZE,
        )?;
        self.memory(MemoryKind::PEB, self.own.peb, PEB_LENGTH)?;
        self.process_parameters()?;
        self.end_batch()
    }

    fn process_parameters(&mut self) -> Result<(), Stop> {
        let address = self.own.parameters;
        let mut head = [0; 8];
        self.kernel
            .read_virtual_memory(Handle::CURRENT_PROCESS, address, &mut head);
        let length = dword(&head, parameters::LENGTH) as usize;
        self.memory(MemoryKind::PROCESS_PARAMETERS, address, length)?;
        for field in STRINGS {
            let (place, length) = string(self.kernel, address + field as u64);
            if length != 0 {
                self.memory(MemoryKind::STRING, place, length)?;
            }
        }
        let environment = pointer(self.kernel, address + parameters::ENVIRONMENT as u64);
        // The size is there since Vista; before, the block ends where its memory does, and a part of it will do.
        let size = match length > parameters::ENVIRONMENT_SIZE {
            true => pointer(self.kernel, address + parameters::ENVIRONMENT_SIZE as u64) as usize,
            false => MAXIMUM_ENVIRONMENT,
        };
        self.memory(
            MemoryKind::ENVIRONMENT,
            environment,
            size.min(MAXIMUM_ENVIRONMENT),
        )
    }

    /// Records a piece of our own memory.
    fn memory(&mut self, kind: MemoryKind, address: u64, length: usize) -> Result<(), Stop> {
        self.memory_of(
            &Question::new(Source::OWN_MEMORY, kind.0),
            Handle::CURRENT_PROCESS,
            address,
            length,
        )
    }

    /// Records a piece of a process's memory: page by page, so that an unmapped page costs only what is behind it.
    pub(super) fn memory_of(
        &mut self,
        question: &Question<'_>,
        process: Handle,
        address: u64,
        length: usize,
    ) -> Result<(), Stop> {
        const PAGE: u64 = 0x1000;
        let length = length.min(self.answer.length());
        let mut read = 0;
        let mut status = Status::SUCCESS;
        while read < length {
            let place = address.wrapping_add(read as u64);
            let part = ((PAGE - place % PAGE) as usize).min(length - read);
            let to = &mut self.answer.bytes_mut()[read..read + part];
            let answer = self.kernel.read_virtual_memory(process, place, to);
            if !answer.status.is_success() {
                status = answer.status;
                break;
            }
            read += part;
        }
        let asked = match read {
            0 => Asked::without_answer(status),
            _ => Asked::at_hand(read),
        };
        self.count(&asked);
        let answer = core::mem::replace(&mut self.answer, crate::nt::Region::empty(self.kernel));
        let pushed = self.push(question, &asked, address, &answer.bytes()[..read]);
        self.answer = answer;
        pushed
    }

    /// The `ProcessParameters` and command line of another process, for systems that do not tell it by themselves.
    pub(super) fn command_line_of(
        &mut self,
        process: Handle,
        peb_address: u64,
        process_id: u64,
        create_time: u64,
    ) -> Result<(), Stop> {
        let question = |kind: MemoryKind| {
            Question::new(Source::PROCESS_MEMORY, kind.0).about(process_id, create_time)
        };
        const HEAD: usize = peb::PROCESS_PARAMETERS + size_of::<usize>();
        let mut head = [0; HEAD];
        let answer = self
            .kernel
            .read_virtual_memory(process, peb_address, &mut head);
        if !answer.status.is_success() {
            return self.note(&question(MemoryKind::PEB), answer.status);
        }
        let address = native(&head, peb::PROCESS_PARAMETERS);
        self.memory_of(&question(MemoryKind::PEB), process, peb_address, HEAD)?;
        const PARAMETERS: usize = parameters::COMMAND_LINE + unicode_string::SIZE;
        self.memory_of(
            &question(MemoryKind::PROCESS_PARAMETERS),
            process,
            address,
            PARAMETERS,
        )?;
        let command_line = address.wrapping_add(parameters::COMMAND_LINE as u64);
        let (place, length) = crate::own::string_in(self.kernel, process, command_line);
        self.memory_of(&question(MemoryKind::STRING), process, place, length)
    }
}
