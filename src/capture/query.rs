//! The question loop: makes the call that a question stands for, grows the buffer until the answer fits, within bounds,
//! and keeps what came of it.

use crate::nt::{Answer, Buffer, Handle, Kernel, Region, Status};
use crate::utf16;
use bootshot_format::{Outcome, Source};

/// Calls made for one question at most.
const MAXIMUM_TRIES: u16 = 10;

/// Bytes one answer may take.
const MAXIMUM_ANSWER: usize = if size_of::<usize>() == 4 {
    256 << 20
} else {
    1 << 30
};

/// Bytes added to the length that was asked for, at most.
const MAXIMUM_ROOM_TO_GROW: usize = 256 << 10;

/// Bytes to which a buffer is doubled where the kernel does not say how much it wants.
const MAXIMUM_GUESS: usize = 32 << 20;

/// Room that calls about keys are given at first. A kernel may take memory for all the room it is given, and clear it, on
/// each call: Windows does since 10.0.17134 for more than a page (from its disassembly; not seen here).
pub(super) const KEY_ROOM: u16 = 0x1000;

/// Bytes a buffer starts with again after an answer that memory had no room for, or that is in use elsewhere.
const SMALL_ANSWER: usize = 64 << 10;

/// `SystemFirmwareTableInformation`: takes a `SYSTEM_FIRMWARE_TABLE_INFORMATION` (provider, action, table, length of its
/// buffer, 4 bytes each), and fills the buffer behind it.
const FIRMWARE_TABLE_INFORMATION: u32 = 76;
const FIRMWARE_TABLE_HEADER: usize = 16;
/// `SystemFirmwareTableGet`.
const GET: u64 = 1;
/// A provider is a multi-character constant, a table's id stands as in the table.
pub(super) const PROVIDER: u32 = u32::from_be_bytes(*b"ACPI");
pub(super) const PLATFORM_BINARY_TABLE: u32 = u32::from_le_bytes(*b"WPBT");

/// `SystemCodeIntegrityInformation`, whose first field must hold its size.
const CODE_INTEGRITY_INFORMATION: u32 = 103;
const CODE_INTEGRITY_LENGTH: u64 = 8;

/// Owner, group and DACL of `SECURITY_INFORMATION`.
const OWNER_GROUP_AND_DACL: u32 = 7;

/// The one value that is asked for by its name: where a link key leads.
pub(super) const LINK_TARGET: &[u16] = utf16!("SymbolicLinkValue");

/// A question in four bytes, so that families are tables: who is asked, the class, and the length that a class takes
/// which takes only one. See [`Source`] for what a class means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ask {
    source: u8,
    class: u8,
    length: u16,
}

impl Ask {
    /// A question that takes a buffer of any length.
    pub(super) const fn new(source: Source, class: u32) -> Self {
        debug_assert!(source.0 <= 0xFF && class <= 0xFF);
        Self {
            source: source.0 as u8,
            class: class as u8,
            length: 0,
        }
    }

    /// A question about a structure of this length, by pointer width: many structures hold pointers.
    pub(super) const fn exact(source: Source, class: u32, narrow: u16, wide: u16) -> Self {
        Self {
            length: if size_of::<usize>() == 4 {
                narrow
            } else {
                wide
            },
            ..Self::new(source, class)
        }
    }

    /// A question about a key: most answers fit into [`KEY_ROOM`].
    pub(super) const fn of_key(source: Source, class: u32) -> Self {
        Self::exact(source, class, KEY_ROOM, KEY_ROOM)
    }

    pub(super) const fn source(self) -> Source {
        Source(self.source as u32)
    }

    pub(super) const fn class(self) -> u32 {
        self.class as u32
    }
}

/// A question, and what its call takes besides the buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) ask: Ask,
    /// The object that is asked.
    pub(super) handle: Handle,
    /// Where an enumeration stands.
    pub(super) index: u32,
    /// Where the listing of a directory stands after the call.
    pub(super) next: u32,
    /// Whether a directory is listed one entry at a time.
    pub(super) single: bool,
}

impl Call {
    pub(super) const fn new(ask: Ask, handle: Handle) -> Self {
        Self {
            ask,
            handle,
            index: 0,
            next: 0,
            single: false,
        }
    }

    /// Makes the call.
    pub(super) fn make<K: Kernel>(&mut self, kernel: K, mut buffer: Buffer<'_>) -> Answer {
        let Self { handle, index, .. } = *self;
        let class = self.ask.class();
        match self.ask.source() {
            Source::SYSTEM_INFORMATION => {
                if class == FIRMWARE_TABLE_INFORMATION {
                    let room = buffer.length().saturating_sub(FIRMWARE_TABLE_HEADER) as u64;
                    buffer.put(&[
                        PROVIDER as u64 | GET << 32,
                        PLATFORM_BINARY_TABLE as u64 | room << 32,
                    ]);
                }
                if class == CODE_INTEGRITY_INFORMATION {
                    buffer.put(&[CODE_INTEGRITY_LENGTH]);
                }
                kernel.query_system_information(class, buffer)
            }
            Source::PROCESS_INFORMATION | Source::PROCESS_HANDLE => {
                kernel.query_information_process(handle, class, buffer)
            }
            Source::THREAD_HANDLE => kernel.query_information_thread(handle, class, buffer),
            Source::TOKEN_INFORMATION => kernel.query_information_token(handle, class, buffer),
            Source::JOB_INFORMATION => kernel.query_information_job_object(handle, class, buffer),
            Source::OBJECT => kernel.query_security_object(handle, OWNER_GROUP_AND_DACL, buffer),
            Source::KEY_INFORMATION => kernel.query_key(handle, class, buffer),
            Source::SUBKEYS => kernel.enumerate_key(handle, index, class, buffer),
            Source::KEY_VALUES => kernel.enumerate_value_key(handle, index, class, buffer),
            Source::REGISTRY_VALUE => kernel.query_value_key(handle, LINK_TARGET, class, buffer),
            Source::DIRECTORY_OBJECT => {
                self.next = index;
                let restart = index == 0;
                kernel.query_directory_object(handle, self.single, restart, &mut self.next, buffer)
            }
            Source::SYMBOLIC_LINK => kernel.query_symbolic_link_object(handle, buffer),
            Source::FIRMWARE_VARIABLES => kernel.enumerate_system_environment_values(class, buffer),
            Source::FILE_INFORMATION => kernel.query_information_file(handle, class, buffer),
            Source::FILE_CONTENT => kernel.read_file(handle, buffer),
            _ => kernel.query_object(handle, class, buffer),
        }
    }
}

/// What came of a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Status of the last call.
    pub status: Status,
    /// How it ended.
    pub outcome: Outcome,
    /// Calls made.
    pub tries: u16,
    /// Length the last call returned, unclamped.
    pub returned_length: usize,
    /// Bytes of the answer that lie in the buffer.
    pub length: usize,
}

impl Asked {
    /// A question that gives no bytes: its status is all.
    pub const fn without_answer(status: Status) -> Self {
        Self {
            status,
            outcome: Outcome(!status.is_success() as u16),
            tries: 1,
            returned_length: 0,
            length: 0,
        }
    }

    /// What one call with `room` bytes came to.
    pub const fn of(answer: Answer, room: usize) -> Self {
        let mut asked = Self::without_answer(answer.status);
        asked.returned_length = answer.length;
        if answer.status.is_success() {
            asked.length = answer.length;
            if answer.length > room {
                // A length beyond the buffer is a lie: what lies in the buffer is all there is.
                asked.outcome = Outcome::TRUNCATED;
                asked.length = room;
            }
        }
        asked
    }

    /// Bytes at hand, all of them, that came with this status.
    pub const fn at_hand(status: Status, length: usize) -> Self {
        Self {
            returned_length: length,
            length,
            ..Self::without_answer(status)
        }
    }
}

// What `without_answer` counts on.
const _: () = assert!(Outcome::COMPLETE.0 == 0 && Outcome::FAILED.0 == 1);

/// Asks until the answer fits. The length of an exact class is tried first.
pub(super) fn ask<K: Kernel>(kernel: K, buffer: &mut Region<K>, call: &mut Call) -> Asked {
    let mut tries = 0;
    if buffer.length() == 0 {
        // An earlier answer did not fit into memory, and neither did what was there before it.
        let status = buffer.replace(SMALL_ANSWER);
        if !status.is_success() {
            return Asked {
                tries,
                ..Asked::without_answer(status)
            };
        }
    }
    let mut room = buffer.length();
    if call.ask.length != 0 {
        room = room.min(usize::from(call.ask.length));
        buffer.buffer(room).into_bytes().fill(0);
    }
    loop {
        tries += 1;
        let mut asked = Asked::of(call.make(kernel, buffer.buffer(room)), room);
        asked.tries = tries;
        if asked.status.is_success() {
            return asked;
        }
        let returned = asked.returned_length;
        // A class that says "too small" to its exact size is of another version: the loop finds its size.
        let (wanted, limit) = if room < buffer.length() {
            (buffer.length(), MAXIMUM_ANSWER)
        } else if returned > room {
            // An eighth more than asked for, since the system goes on; thousands of handles more are enough.
            let more = (returned / 8).min(MAXIMUM_ROOM_TO_GROW);
            (returned.saturating_add(more), MAXIMUM_ANSWER)
        } else if call.ask.length != 0 {
            // Neither its length nor any other, and it does not say which: more of the same is no help.
            (room, 0)
        } else {
            (room * 2, MAXIMUM_GUESS)
        };
        if !asked.status.wants_more_room() || tries == MAXIMUM_TRIES || wanted > limit {
            if asked.status == Status::BUFFER_OVERFLOW {
                // A warning: the part that fitted is there.
                asked.outcome = Outcome::TRUNCATED;
                asked.length = returned.min(room);
            }
            return asked;
        }
        if wanted > buffer.length() {
            // Given back first: beside the largest single answer there is never a second large buffer.
            let status = buffer.replace(wanted);
            if !status.is_success() {
                return Asked { status, ..asked };
            }
        }
        room = buffer.length();
    }
}
