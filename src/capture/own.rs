//! What bootshot says of itself: its arguments, privileges and output, its PEB, and the page shared by the kernel.

use super::query::{Ask, Asked};
use super::{Capture, KnownHandle};
use crate::nt::layout::{peb, process_parameters as parameters, unicode_string, user_shared_data};
use crate::nt::{Handle, Kernel, Status};
use crate::own::{self, native, pointer, string, string_in};
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
const STRINGS: [u16; 8] = [
    parameters::CURRENT_DIRECTORY as u16,
    parameters::DLL_PATH as u16,
    parameters::IMAGE_PATH_NAME as u16,
    parameters::COMMAND_LINE as u16,
    parameters::WINDOW_TITLE as u16,
    parameters::DESKTOP_INFO as u16,
    parameters::SHELL_INFO as u16,
    parameters::RUNTIME_DATA as u16,
];

const BAD_ARGUMENT: Ask = Ask::new(Source::NOTE, NoteKind::BAD_ARGUMENT.0);
const PRIVILEGE: Ask = Ask::new(Source::NOTE, NoteKind::PRIVILEGE.0);
const OUTPUT_DIRECTORY: Ask = Ask::new(Source::NOTE, NoteKind::OUTPUT_DIRECTORY.0);
const OUTPUT_FILE_SYSTEM: Ask = Ask::new(Source::NOTE, NoteKind::OUTPUT_FILE_SYSTEM.0);

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    pub(super) fn own(&mut self) {
        let facts = self.facts;
        self.begin_batch(Family::OWN);
        for argument in facts.bad_arguments {
            self.path.cut(0);
            self.path.push(argument);
            self.note(BAD_ARGUMENT, Status::INVALID_PARAMETER);
        }
        self.path.cut(0);
        for (luid, status) in facts.privileges {
            self.subject[0] = u64::from(*luid);
            self.note(PRIVILEGE, *status);
        }
        self.subject[0] = 0;
        self.path.push(facts.directory);
        for (question, (status, bytes)) in &[
            (OUTPUT_DIRECTORY, facts.security),
            (OUTPUT_FILE_SYSTEM, facts.file_system),
        ] {
            self.call.ask = *question;
            self.asked = Asked::at_hand(*status, bytes.len());
            self.push(bytes, 0);
        }
        self.path.cut(0);
        self.call.handle = Handle::CURRENT_PROCESS;
        let own = self.own;
        self.memory(
            MemoryKind::USER_SHARED_DATA,
            user_shared_data::ADDRESS,
            user_shared_data::SIZE,
        );
        self.memory(MemoryKind::PEB, own.peb, PEB_LENGTH);
        self.process_parameters(own.parameters);
        self.end_batch();
    }

    fn process_parameters(&mut self, address: u64) {
        let kernel = self.kernel;
        // `MaximumLength` and `Length` stand at the start, 4 bytes each.
        let length = own::memory(kernel, address) >> (8 * parameters::LENGTH);
        let length = length as u32 as usize;
        self.memory(MemoryKind::PROCESS_PARAMETERS, address, length);
        for field in STRINGS {
            let (place, length) = string(kernel, address + u64::from(field));
            if length != 0 {
                self.memory(MemoryKind::STRING, place, length);
            }
        }
        let environment = pointer(kernel, address + parameters::ENVIRONMENT as u64);
        // The size is there since Vista; before, the block ends where its memory does, and a part of it will do.
        let size = match length > parameters::ENVIRONMENT_SIZE {
            true => pointer(kernel, address + parameters::ENVIRONMENT_SIZE as u64) as usize,
            false => MAXIMUM_ENVIRONMENT,
        };
        let size = size.min(MAXIMUM_ENVIRONMENT);
        self.memory(MemoryKind::ENVIRONMENT, environment, size);
    }

    /// Records a piece of the memory of the process that is asked: page by page, so that an unmapped page costs only what
    /// is behind it.
    fn memory(&mut self, kind: MemoryKind, address: u64, length: usize) {
        const PAGE: usize = 0x1000;
        let process = self.call.handle;
        let source = match process {
            Handle::CURRENT_PROCESS => Source::OWN_MEMORY,
            _ => Source::PROCESS_MEMORY,
        };
        self.call.ask = Ask::new(source, kind.0);
        let bytes = self.answer.buffer(length).into_bytes();
        let mut read = 0;
        let mut status = Status::SUCCESS;
        while let Some(rest) = bytes.get_mut(read..)
            && !rest.is_empty()
        {
            let place = address.wrapping_add(read as u64);
            let part = (PAGE - place as usize % PAGE).min(rest.len());
            let to = rest.get_mut(..part).unwrap_or_default();
            status = self.kernel.read_virtual_memory(process, place, to).status;
            if !status.is_success() {
                break;
            }
            read += part;
        }
        if read != 0 {
            status = Status::SUCCESS;
        }
        self.asked = Asked::at_hand(status, read);
        self.count();
        self.push(&[], address);
    }

    /// The `ProcessParameters` and command line of the process that is asked, for systems that do not tell it by
    /// themselves.
    pub(super) fn command_line_of(&mut self, peb_address: u64) {
        const HEAD: usize = peb::PROCESS_PARAMETERS + size_of::<usize>();
        const PARAMETERS: usize = parameters::COMMAND_LINE + unicode_string::SIZE;
        self.memory(MemoryKind::PEB, peb_address, HEAD);
        if self.asked.length == HEAD {
            let address = native(self.answer.bytes(), peb::PROCESS_PARAMETERS);
            self.memory(MemoryKind::PROCESS_PARAMETERS, address, PARAMETERS);
            let command_line = address.wrapping_add(parameters::COMMAND_LINE as u64);
            let (place, length) = string_in(self.kernel, self.call.handle, command_line);
            self.memory(MemoryKind::STRING, place, length);
        }
    }
}
