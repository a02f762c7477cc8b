//! Who was asked: a section or item is identified by source, class and arguments, never by its place.

use crate::wire::open_number;

open_number! {
    /// The system call, or other origin, of an answer; it gives class, arguments and names their meaning.
    Source(u32) {
        /// A batch of many small answers; class 0. What it holds is in its items.
        BATCH = 0,
        /// `NtQuerySystemInformation`; class: `SYSTEM_INFORMATION_CLASS`.
        SYSTEM_INFORMATION = 1,
        /// `NtQueryObject`; class: `OBJECT_INFORMATION_CLASS`; argument: the handle, 0 for none.
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
        /// One call of `NtQueryDirectoryObject`; class 0; argument: context at its start; name: the directory's path.
        DIRECTORY_OBJECT = 8,
        /// An open that failed, with its status and no bytes; class: [`OpenKind`]; arguments: as 3 for processes and
        /// tokens; name: the path of anything else.
        OPEN = 9,
        /// What bootshot says of itself; class: [`NoteKind`].
        NOTE = 10,
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
    }
}

open_number! {
    /// What bootshot notes about its own run.
    NoteKind(u32) {
        /// An argument it did not understand; name: the argument as it stood.
        BAD_ARGUMENT = 1,
        /// A privilege it asked for; argument: the LUID; status: what `NtAdjustPrivilegesToken` said.
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
        /// The small system information classes.
        SYSTEM = 5,
        /// Values from the registry.
        REGISTRY = 6,
        /// What each process tells of itself when opened.
        DETAILS = 7,
    }
}

impl Family {
    /// All families, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::OWN,
        Self::PROCESSES,
        Self::HANDLES,
        Self::TYPES,
        Self::MODULES,
        Self::SYSTEM,
        Self::REGISTRY,
        Self::DETAILS,
    ];

    /// The name used in arguments and on the console.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OWN => "own",
            Self::PROCESSES => "processes",
            Self::HANDLES => "handles",
            Self::TYPES => "types",
            Self::MODULES => "modules",
            Self::SYSTEM => "system",
            Self::REGISTRY => "registry",
            Self::DETAILS => "details",
            _ => "unknown",
        }
    }
}
