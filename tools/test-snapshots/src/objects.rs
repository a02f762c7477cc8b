//! Answers about objects, laid out byte by byte after the declarations of the System Informer headers (`phnt`) for 64-bit
//! systems, and by nothing that reads them.

use bootshot_format::{ObjectKind, OpenKind, Source, entry_of};

use crate::build::{Entry, utf16};

/// Where the buffers of these answers stood.
const ADDRESS: u64 = 0x20_0000;

fn numbers(parts: &[(u64, usize)]) -> Vec<u8> {
    parts
        .iter()
        .flat_map(|(value, size)| value.to_le_bytes()[..*size].to_vec())
        .collect()
}

/// `OBJECT_BASIC_INFORMATION`.
#[derive(Clone, Copy, Debug, Default)]
pub struct BasicInformation {
    /// `OBJ_*`; 0x10 is permanent.
    pub attributes: u32,
    /// Handles, that of the capture included.
    pub handles: u32,
    /// References.
    pub pointers: u32,
    /// Of symbolic links.
    pub creation_time: u64,
}

impl BasicInformation {
    /// As the kernel lays it out.
    pub fn bytes(&self) -> Vec<u8> {
        numbers(&[
            (self.attributes.into(), 4),
            (1, 4),
            (self.handles.into(), 4),
            (self.pointers.into(), 4),
            (0, 8),
            (0, 8),
            (0, 8),
            (0, 8),
            (self.creation_time, 8),
        ])
    }
}

/// O:SY G:SY D:(A;;0x1f0003;;;WD), self-relative.
pub fn security_descriptor() -> Vec<u8> {
    let system = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
    let everyone = [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    let mut bytes = numbers(&[(0x8004_0001, 4), (20, 4), (20, 4), (0, 4), (32, 4)]);
    bytes.extend(system);
    bytes.extend(numbers(&[(2, 2), (28, 2), (1, 2), (0, 2)]));
    bytes.extend(numbers(&[(0, 1), (0, 1), (20, 2), (0x1F_0003, 4)]));
    bytes.extend(everyone);
    bytes
}

/// An object that was opened as `kind`, for the entry with this number in the listing of our handle `entry.0`.
pub fn opened(
    kind: ObjectKind,
    handle: u64,
    entry: Option<(u64, u32)>,
    basic: BasicInformation,
) -> Entry {
    let (basic, security) = (basic.bytes(), security_descriptor());
    let mut bytes = numbers(&[
        (0, 4),
        (0, 4),
        (basic.len() as u64, 4),
        (security.len() as u64, 4),
    ]);
    bytes.extend(basic);
    bytes.extend(security);
    let entry = entry.map_or(0, |(directory, number)| entry_of(directory, number));
    Entry::new(Source::OBJECT, kind.0, ADDRESS, &bytes).about(handle, entry)
}

/// An entry that could not be opened as `kind`.
pub fn not_opened(kind: ObjectKind, (directory, number): (u64, u32), status: u32) -> Entry {
    Entry::new(Source::OBJECT, kind.0, 0, &[])
        .about(0, entry_of(directory, number))
        .status(status)
}

/// One call of `NtQueryDirectoryObject` on the directory that `handle` refers to; each entry a name and a type.
pub fn directory(handle: u64, context: u64, entries: &[(&str, &str)]) -> Entry {
    let mut strings = Vec::new();
    let mut bytes = Vec::new();
    let start = ADDRESS + (entries.len() as u64 + 1) * 0x20;
    for (name, type_name) in entries {
        for text in [name, type_name] {
            let characters = utf16(text);
            bytes.extend(numbers(&[
                (characters.len() as u64, 2),
                (characters.len() as u64 + 2, 2),
                (0, 4),
                (start + strings.len() as u64, 8),
            ]));
            strings.extend(characters);
            strings.extend([0; 2]);
        }
    }
    bytes.extend([0; 0x20]);
    bytes.extend(strings);
    Entry::new(Source::DIRECTORY_OBJECT, 0, ADDRESS, &bytes).about(context, handle)
}

/// `NtQuerySymbolicLinkObject` through our handle.
pub fn link_target(handle: u64, target: &str) -> Entry {
    Entry::new(Source::SYMBOLIC_LINK, 0, ADDRESS, &utf16(target)).about(handle, 0)
}

/// A `UNICODE_STRING` followed by its characters: object names, image paths.
pub fn string(source: Source, class: u32, handle: u64, text: &str) -> Entry {
    let characters = utf16(text);
    let length = characters.len() as u64;
    let mut bytes = numbers(&[(length, 2), (length + 2, 2), (0, 4), (ADDRESS + 16, 8)]);
    bytes.extend(characters);
    bytes.extend([0; 2]);
    Entry::new(source, class, ADDRESS, &bytes).about(handle, 0)
}

/// A handle in class 64.
#[derive(Clone, Copy, Debug)]
pub struct ListedHandle {
    /// Whose.
    pub pid: u64,
    /// Its value.
    pub handle: u64,
    /// The object's address.
    pub object: u64,
    /// The index of its type.
    pub type_index: u16,
}

/// Class 64: `SYSTEM_HANDLE_INFORMATION_EX`; every handle allows 0x1f0003.
pub fn handle_list(handles: &[ListedHandle]) -> Entry {
    let mut bytes = numbers(&[(handles.len() as u64, 8), (0, 8)]);
    for entry in handles {
        bytes.extend(numbers(&[
            (entry.object, 8),
            (entry.pid, 8),
            (entry.handle, 8),
            (0x1F_0003, 4),
            (0, 2),
            (entry.type_index.into(), 2),
            (0, 8),
        ]));
    }
    Entry::new(Source::SYSTEM_INFORMATION, 64, 0, &bytes)
}

/// `NtQueryObject` class 3 with these types; their indexes count from 2.
pub fn type_table(names: &[&str]) -> Entry {
    let mut bytes = numbers(&[(names.len() as u64, 8)]);
    for (position, name) in names.iter().enumerate() {
        let characters = utf16(name);
        let length = characters.len() as u64;
        let start = ADDRESS + bytes.len() as u64 + 0x68;
        let mut entry = numbers(&[(length, 2), (length + 2, 2), (0, 4), (start, 8)]);
        entry.resize(0x68, 0);
        entry[0x5A] = position as u8 + 2;
        bytes.extend(entry);
        bytes.extend(characters);
        bytes.extend([0; 2]);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
    }
    Entry::new(Source::OBJECT_INFORMATION, 3, ADDRESS, &bytes)
}

/// A process in class 5, with as many threads as it has `tids`.
#[derive(Clone, Copy, Debug)]
pub struct ListedProcess<'a> {
    /// Its id.
    pub pid: u64,
    /// When it was started.
    pub create_time: u64,
    /// Its image.
    pub image: &'a str,
    /// Its threads.
    pub tids: &'a [u64],
}

/// Class 5: `SYSTEM_PROCESS_INFORMATION` with its threads, started when their process was.
pub fn process_list(processes: &[ListedProcess<'_>]) -> Entry {
    let mut bytes: Vec<u8> = Vec::new();
    for (position, process) in processes.iter().enumerate() {
        let start = bytes.len();
        let characters = utf16(process.image);
        let names = start + 0x100 + process.tids.len() * 0x50;
        bytes.resize(start + 0x100, 0);
        let mut put = |offset: usize, value: u64, size: usize| {
            let place = start + offset;
            bytes[place..place + size].copy_from_slice(&value.to_le_bytes()[..size]);
        };
        put(4, process.tids.len() as u64, 4);
        put(0x20, process.create_time, 8);
        put(0x38, characters.len() as u64, 2);
        put(0x3A, characters.len() as u64, 2);
        put(0x40, ADDRESS + names as u64, 8);
        put(0x50, process.pid, 8);
        let length = (names + characters.len()).next_multiple_of(8) - start;
        if position + 1 < processes.len() {
            put(0, length as u64, 4);
        }
        for tid in process.tids {
            bytes.extend(numbers(&[(0, 8), (0, 8), (process.create_time, 8)]));
            bytes.extend(numbers(&[(0, 8), (0, 8), (process.pid, 8), (*tid, 8)]));
            bytes.extend([0; 0x18]);
        }
        bytes.extend(characters);
        bytes.resize(start + length, 0);
    }
    Entry::new(Source::SYSTEM_INFORMATION, 5, ADDRESS, &bytes)
}

/// What an ended process tells through the handle that `reference` names: `PROCESS_BASIC_INFORMATION`,
/// `KERNEL_USER_TIMES` (300 in user mode, 400 in the kernel), and its path.
pub fn ended_process(
    reference: u64,
    pid: u64,
    exit_status: u32,
    (created, exited): (u64, u64),
    path: &str,
) -> [Entry; 3] {
    let basic = numbers(&[
        (exit_status.into(), 8),
        (0, 8),
        (0, 8),
        (0, 8),
        (pid, 8),
        (4, 8),
    ]);
    let times = numbers(&[(created, 8), (exited, 8), (400, 8), (300, 8)]);
    let answer = |class, bytes: &[u8]| {
        Entry::new(Source::PROCESS_HANDLE, class, ADDRESS, bytes).about(reference, 0)
    };
    [
        answer(0, &basic),
        answer(4, &times),
        string(Source::PROCESS_HANDLE, 27, reference, path),
    ]
}

/// What an ended thread tells: `THREAD_BASIC_INFORMATION` and `KERNEL_USER_TIMES`.
pub fn ended_thread(
    reference: u64,
    (pid, tid): (u64, u64),
    exit_status: u32,
    (created, exited): (u64, u64),
) -> [Entry; 2] {
    let basic = numbers(&[
        (exit_status.into(), 8),
        (0, 8),
        (pid, 8),
        (tid, 8),
        (0, 8),
        (0, 8),
    ]);
    let times = numbers(&[(created, 8), (exited, 8), (400, 8), (300, 8)]);
    let answer = |class, bytes: &[u8]| {
        Entry::new(Source::THREAD_HANDLE, class, ADDRESS, bytes).about(reference, 0)
    };
    [answer(0, &basic), answer(1, &times)]
}

/// What ended the iteration over processes (`of` is none) or over the threads of the process behind our handle `of`.
pub fn iteration_ended(of: Option<u64>, status: u32) -> Entry {
    let kind = match of {
        None => OpenKind::NEXT_PROCESS,
        Some(_) => OpenKind::NEXT_THREAD,
    };
    Entry::new(Source::OPEN, kind.0, 0, &[])
        .about(of.unwrap_or_default(), 0)
        .status(status)
}

/// What a job tells: `JOBOBJECT_BASIC_ACCOUNTING_INFORMATION`, `JOBOBJECT_EXTENDED_LIMIT_INFORMATION` with at most
/// four processes and 16 MiB for each, and `JOBOBJECT_BASIC_PROCESS_ID_LIST`.
pub fn job(reference: u64, pids: &[u64]) -> Vec<Entry> {
    let accounting = numbers(&[
        (500, 8),
        (600, 8),
        (0, 8),
        (0, 8),
        (70, 4),
        (8, 4),
        (pids.len() as u64, 4),
        (1, 4),
    ]);
    let mut limits = numbers(&[
        (0, 8),
        (0, 8),
        (0x2108, 8),
        (0, 8),
        (0, 8),
        (4, 8),
        (0, 8),
        (0, 8),
    ]);
    limits.extend([0; 0x30]);
    limits.extend(numbers(&[
        (16 << 20, 8),
        (99, 8),
        (5 << 20, 8),
        (6 << 20, 8),
    ]));
    let mut ids = numbers(&[(pids.len() as u64, 4), (pids.len() as u64, 4)]);
    ids.extend(pids.iter().flat_map(|pid| pid.to_le_bytes()));
    [(1, accounting), (9, limits), (3, ids)]
        .map(|(class, bytes)| {
            Entry::new(Source::JOB_INFORMATION, class, ADDRESS, &bytes).about(reference, 0)
        })
        .to_vec()
}

/// `SILOOBJECT_BASIC_INFORMATION` of a job.
pub fn silo(reference: u64, id: u64) -> Entry {
    let bytes = numbers(&[(id, 4), (0, 4), (2, 4), (1, 1), (0, 3)]);
    Entry::new(Source::JOB_INFORMATION, 36, ADDRESS, &bytes).about(reference, 0)
}
