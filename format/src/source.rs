//! Who was asked: a section or item is identified by source, class and arguments, never by its place.

use crate::wire::{open_number, wire_struct};

open_number! {
    /// The system call, or other origin, of an answer; it gives class, arguments and names their meaning.
    Source(u32) {
        /// A batch of many small answers; class 0. What it holds is in its items.
        BATCH = 0,
        /// `NtQuerySystemInformation`; class: `SYSTEM_INFORMATION_CLASS`.
        SYSTEM_INFORMATION = 1,
        /// `NtQueryObject`; class: `OBJECT_INFORMATION_CLASS`; argument: the handle ([`handle_of`]), 0 for none.
        OBJECT_INFORMATION = 2,
        /// `NtQueryInformationProcess`; class: `PROCESSINFOCLASS`; argument: process id; argument2: creation time.
        PROCESS_INFORMATION = 3,
        /// `NtQueryInformationToken` on a process's primary token; class: `TOKEN_INFORMATION_CLASS`; arguments as 3.
        TOKEN_INFORMATION = 4,
        /// Bytes of the capture's own address space; class: [`MemoryKind`]; the buffer address is where they stood.
        OWN_MEMORY = 5,
        /// Bytes of another process's address space; class: [`MemoryKind`]; arguments as 3; buffer address as 5.
        PROCESS_MEMORY = 6,
        /// `NtQueryValueKey`; class: `KEY_VALUE_INFORMATION_CLASS`; names: key path and value name.
        REGISTRY_VALUE = 7,
        /// One call of `NtQueryDirectoryObject`; class 0; argument: context at its start; argument2: the directory's
        /// handle ([`handle_of`]); name: its path, where it was opened by one.
        DIRECTORY_OBJECT = 8,
        /// An open that failed, with its status and no bytes; class: [`OpenKind`]; arguments: as 3 for processes and
        /// tokens; name: the path of anything else.
        OPEN = 9,
        /// What bootshot says of itself; class: [`NoteKind`].
        NOTE = 10,
        /// An object the capture opened to name it; class: [`ObjectKind`]; argument: the handle it got, 0 when the open
        /// failed; argument2: for what an object directory lists, [`entry_of`] it. The bytes are an [`ObjectHeader`],
        /// `OBJECT_BASIC_INFORMATION` and a self-relative security descriptor.
        OBJECT = 11,
        /// `NtQuerySymbolicLinkObject`, the target's characters; class 0; argument: the handle.
        SYMBOLIC_LINK = 12,
        /// `NtQueryInformationProcess` through a handle of any process; class as 3; argument: the handle.
        PROCESS_HANDLE = 13,
        /// `NtQueryInformationThread`; class: `THREADINFOCLASS`; argument: the handle.
        THREAD_HANDLE = 14,
        /// `NtQueryInformationJobObject`; class: `JOBOBJECTINFOCLASS`; argument: the handle, 0 for our own process's job.
        JOB_INFORMATION = 15,
        /// `NtIsProcessInJob` for any job, the status is the answer; class 0; arguments as 3.
        PROCESS_IN_JOB = 16,
        /// `NtQueryKey`; class: `KEY_INFORMATION_CLASS`; name: the key's path.
        KEY_INFORMATION = 17,
        /// `NtEnumerateKey`, a run of answers, each at a multiple of 8; class: `KEY_INFORMATION_CLASS`; argument: index of
        /// the first; name as 17; status: of the call that ended it.
        SUBKEYS = 18,
        /// `NtEnumerateValueKey`, a run of answers; class: `KEY_VALUE_INFORMATION_CLASS`; else as 18.
        KEY_VALUES = 19,
        /// `NtEnumerateSystemEnvironmentValuesEx`; class: its information class.
        FIRMWARE_VARIABLES = 20,
        /// `NtQueryInformationFile`; class: `FILE_INFORMATION_CLASS`; name: the file's NT path.
        FILE_INFORMATION = 21,
        /// `NtReadFile`; class 0; argument: offset in the file; name as 21.
        FILE_CONTENT = 22,
    }
}

/// A handle of any process as one number: the process id in the upper 32 bits, 0 for the capture itself, and the value.
pub const fn handle_of(process_id: u64, value: u64) -> u64 {
    process_id << 32 | value & 0xFFFF_FFFF
}

/// An entry of an object directory: our handle to the directory, and the entry's number in its listing, from 0.
pub const fn entry_of(directory: u64, number: u32) -> u64 {
    directory << 32 | number as u64
}

wire_struct! {
    /// What stands in front of the answers of [`Source::OBJECT`]; zero where a question was not asked.
    ObjectHeader[16] {
        /// Status of `NtQueryObject`, `ObjectBasicInformation`.
        0: basic_status: u32,
        /// Status of `NtQuerySecurityObject` for owner, group and DACL.
        4: security_status: u32,
        /// Bytes of `OBJECT_BASIC_INFORMATION`, which begins at 16.
        8: basic_length: u32,
        /// Bytes of the security descriptor, which follows it at once.
        12: security_length: u32,
    }
}

open_number! {
    /// The type an object was opened as.
    ObjectKind(u32) {
        DIRECTORY = 1,
        SYMBOLIC_LINK = 2,
        EVENT = 3,
        MUTANT = 4,
        SEMAPHORE = 5,
        SECTION = 6,
        TIMER = 7,
        JOB = 8,
        KEYED_EVENT = 9,
        IO_COMPLETION = 10,
        KEY = 11,
        /// A process that had ended.
        PROCESS = 12,
        /// A thread that had ended.
        THREAD = 13,
    }
}

open_number! {
    /// What stood in a piece of memory.
    MemoryKind(u32) {
        /// A `PEB` (from its start, as much as was readable, at most one page).
        PEB = 1,
        /// `RTL_USER_PROCESS_PARAMETERS`, its `Length` bytes.
        PROCESS_PARAMETERS = 2,
        /// The characters of a `UNICODE_STRING` in one of those.
        STRING = 3,
        /// The environment block.
        ENVIRONMENT = 4,
        /// `KUSER_SHARED_DATA`, one page.
        USER_SHARED_DATA = 5,
    }
}

open_number! {
    /// What could not be opened.
    OpenKind(u32) {
        PROCESS = 1,
        PROCESS_TOKEN = 2,
        KEY = 3,
        DIRECTORY_OBJECT = 4,
        /// `NtDuplicateObject`; argument: the handle ([`handle_of`]).
        HANDLE = 5,
        /// `NtGetNextProcess`, the status that ended the iteration; argument: the access asked for.
        NEXT_PROCESS = 6,
        /// `NtGetNextThread`, the status that ended the iteration; argument: our handle to the process.
        NEXT_THREAD = 7,
        /// A file; name: its NT path.
        FILE = 8,
    }
}

open_number! {
    /// What bootshot notes about its own run.
    NoteKind(u32) {
        /// An argument it did not understand; name: the argument as it stood.
        BAD_ARGUMENT = 1,
        /// A privilege it asked for; argument: the LUID; status: what `RtlAdjustPrivilege` said.
        PRIVILEGE = 2,
        /// A handle of its own while the handle list was taken; argument: its value; name: its object type.
        OWN_HANDLE = 3,
        /// The output directory; name: its NT path; status: of reading its security descriptor back, the bytes.
        OUTPUT_DIRECTORY = 4,
        /// The file system of the output directory: `FILE_FS_ATTRIBUTE_INFORMATION`.
        OUTPUT_FILE_SYSTEM = 5,
    }
}

open_number! {
    /// The family of questions a section belongs to: one console line each, and what `only=` and `skip=` name.
    Family(u16) {
        /// bootshot itself: its notes, PEB, process parameters, `KUSER_SHARED_DATA`. Always captured.
        OWN = 0,
        /// Processes and threads.
        PROCESSES = 1,
        /// The handles of all processes.
        HANDLES = 2,
        /// Object types.
        TYPES = 3,
        /// Kernel modules.
        MODULES = 4,
        /// The smaller system information classes.
        SYSTEM = 5,
        /// Keys of the registry: subkeys, values, flags, links.
        REGISTRY = 6,
        /// What each process tells of itself when opened.
        DETAILS = 7,
        /// The object namespace: what its directories list, opened to be named.
        NAMESPACE = 8,
        /// Ended processes and threads that still exist.
        ENDED = 9,
        /// The handle list again, with the opened objects in it; live, the names of what others hold.
        NAMES = 10,
        /// Variables of the firmware, and what it left on the disk.
        FIRMWARE = 11,
        /// The first bytes of images, live only.
        IMAGES = 12,
    }
}

impl Family {
    /// All families, in the order of their numbers.
    pub const ALL: [Self; 13] = [
        Self::OWN,
        Self::PROCESSES,
        Self::HANDLES,
        Self::TYPES,
        Self::MODULES,
        Self::SYSTEM,
        Self::REGISTRY,
        Self::DETAILS,
        Self::NAMESPACE,
        Self::ENDED,
        Self::NAMES,
        Self::FIRMWARE,
        Self::IMAGES,
    ];

    /// The names used in arguments and on the console, in the order of their numbers.
    pub const ALL_NAMES: &str = "own processes handles types modules system registry details namespace ended names firmware \
                             images";

    /// Its name among [`Family::ALL_NAMES`].
    pub fn name(self) -> &'static str {
        crate::word(Self::ALL_NAMES, usize::from(self.0))
    }
}
