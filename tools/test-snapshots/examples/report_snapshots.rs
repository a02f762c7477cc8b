//! Writes the snapshots that the tests of the report's page look at into a folder: one with many handles, one with one of
//! everything, one with names that would be markup, steer a terminal or turn the order of what is shown around.
//!
//!     cargo run --package test-snapshots --example report_snapshots -- FOLDER

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use bootshot_format::{Family, Header, Phase, Source};
use test_snapshots::{Builder, Entry, everything, header};

/// Handles in the one snapshot, and the processes that share them.
const HANDLES: u64 = 100_000;
const PROCESSES: u64 = 150;

/// Where the answers stood in the capture's memory.
const ADDRESS: u64 = 0x1_0000;

/// `SystemExtendedHandleInformation`, `SystemProcessInformation`, `ObjectTypesInformation`.
const HANDLE_CLASS: u32 = 64;
const PROCESS_CLASS: u32 = 5;
const TYPES_CLASS: u32 = 3;

/// Types of objects with their rights, index and weight: how many of a hundred handles are to such an object.
const TYPES: [(&str, u32, u16, u64); 8] = [
    ("Process", 0x1F_FFFF, 7, 4),
    ("Thread", 0x1F_FFFF, 8, 10),
    ("Event", 0x1F_0003, 16, 34),
    ("Semaphore", 0x1F_0003, 19, 2),
    ("File", 0x12_019F, 37, 16),
    ("Key", 0xF_003F, 44, 20),
    ("Section", 0xF_0007, 45, 6),
    ("ALPC Port", 0x1F_0001, 46, 8),
];

/// Names that must be shown as the text they are.
const HOSTILE: [&str; 8] = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "--><svg onload=alert(1)>",
    "BOOTSHOT_SNAPSHOT{{SCRIPT}}$&",
    "\u{202E}gnp.exe",
    "\x1B[2J\x07bell",
    "javascript:alert(1)",
    "constructor __proto__",
];

/// A process as the kernel lists it.
struct Process {
    pid: u64,
    parent: u64,
    image: String,
    /// From the start of the system, 100 ns units.
    created: u64,
    /// Bytes.
    commit: u64,
    private_working_set: u64,
    handles: u32,
}

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.expect("the folder to write to is the only argument");
    fs::create_dir_all(&folder)?;
    write(&folder, "many-handles", many_handles())?;
    write(&folder, "everything", everything())?;
    write(&folder, "hostile-names", hostile_names())
}

fn write(folder: &Path, name: &str, snapshot: Vec<u8>) -> io::Result<()> {
    fs::write(folder.join(name).with_extension("bshot"), snapshot)
}

/// A system of today, running for a minute.
fn live() -> Header {
    Header {
        phase: Phase::LIVE,
        nt_major: 10,
        nt_minor: 0,
        nt_build: 26100,
        boot_id: 42,
        process_id: 4 * PROCESSES,
        boot_time: header(8).system_time - 600_000_000,
        interrupt_time: 600_000_000,
        ..header(8)
    }
}

fn many_handles() -> Vec<u8> {
    let per_process = HANDLES / PROCESSES;
    let processes: Vec<Process> = (1..=PROCESSES)
        .map(|number| Process {
            pid: 4 * number,
            parent: match number {
                1 => 0,
                2..=4 => 4,
                5..=8 => 4 * 4,
                _ => 4 * (5 + number % 4),
            },
            image: image(number),
            created: number * 3_900_000,
            commit: 1_500_000 + (number * 7_919 % 97) * 2_200_000,
            private_working_set: 900_000 + (number * 7_919 % 97) * 1_300_000,
            handles: per_process as u32,
        })
        .collect();
    // The first has what division leaves.
    let holder = |handle: u64| (handle / per_process) % PROCESSES;
    let entry = |handle: u64| {
        let (_, access, index, _) = TYPES[weighted(handle * 37 % 100)];
        let object = 0xFFFF_E000_0000_0000 + (handle * 7 % 60_011) * 0x50;
        (
            4 * (holder(handle) + 1),
            4 + 4 * (handle % per_process),
            object,
            access,
            index,
        )
    };
    let entries: Vec<_> = (0..HANDLES).map(entry).collect();
    let mut builder = Builder::with_header(live());
    builder
        .section(
            Family::PROCESSES,
            &system(PROCESS_CLASS, process_list(&processes)),
        )
        .section(
            Family::HANDLES,
            &system(HANDLE_CLASS, handle_list(&entries)),
        )
        .section(
            Family::TYPES,
            &Entry::new(
                Source::OBJECT_INFORMATION,
                TYPES_CLASS,
                ADDRESS,
                &type_list(),
            ),
        );
    builder.finish()
}

/// The type of object that this one of a hundred handles leads to.
fn weighted(of_a_hundred: u64) -> usize {
    let mut upto = 0;
    TYPES
        .iter()
        .position(|(_, _, _, weight)| {
            upto += weight;
            of_a_hundred < upto
        })
        .expect("the weights are a hundred together")
}

fn image(number: u64) -> String {
    const FIRST: [&str; 8] = [
        "System",
        "Registry",
        "Secure System",
        "smss.exe",
        "wininit.exe",
        "services.exe",
        "lsass.exe",
        "winlogon.exe",
    ];
    match FIRST.get(number as usize - 1) {
        Some(image) => (*image).to_owned(),
        None if number.is_multiple_of(5) => format!("agent{number}.exe"),
        None => "svchost.exe".to_owned(),
    }
}

fn hostile_names() -> Vec<u8> {
    let processes: Vec<Process> = HOSTILE
        .iter()
        .zip(1..)
        .map(|(name, number)| Process {
            pid: 4 * number,
            parent: 0,
            image: (*name).to_owned(),
            created: number * 10_000_000,
            commit: 1 << 20,
            private_working_set: 1 << 19,
            handles: 0,
        })
        .collect();
    let mut builder = Builder::with_header(live());
    builder.section(
        Family::PROCESSES,
        &system(PROCESS_CLASS, process_list(&processes)),
    );
    builder.finish()
}

fn system(class: u32, answer: Vec<u8>) -> Entry {
    Entry::new(Source::SYSTEM_INFORMATION, class, ADDRESS, &answer)
}

/// Bytes that are filled in place by place.
struct Answer(Vec<u8>);

impl Answer {
    fn zeroed(length: usize) -> Self {
        Self(vec![0; length])
    }

    fn put<const N: usize>(&mut self, offset: usize, bytes: [u8; N]) {
        self.0[offset..offset + N].copy_from_slice(&bytes);
    }

    /// A `UNICODE_STRING` at `offset`, whose characters are added at the end of the answer, which stands `before` bytes
    /// into the whole.
    fn string(&mut self, offset: usize, before: usize, text: &str) {
        let characters = test_snapshots::utf16(text);
        let length = (characters.len() as u16).to_le_bytes();
        self.put(offset, length);
        self.put(offset + 2, length);
        self.put(
            offset + 8,
            (ADDRESS + (before + self.0.len()) as u64).to_le_bytes(),
        );
        self.0.extend(characters);
        self.0.resize(self.0.len().next_multiple_of(8), 0);
    }
}

/// `SYSTEM_PROCESS_INFORMATION` for 64 bits without threads, from the System Informer headers.
fn process_list(processes: &[Process]) -> Vec<u8> {
    const SIZE: usize = 0x100;
    let boot = live().boot_time as u64;
    let mut list = Vec::new();
    for (place, process) in processes.iter().enumerate() {
        let mut entry = Answer::zeroed(SIZE);
        entry.put(0x08, process.private_working_set.to_le_bytes());
        entry.put(0x20, (boot + process.created).to_le_bytes());
        entry.put(0x48, 8_u32.to_le_bytes());
        entry.put(0x50, process.pid.to_le_bytes());
        entry.put(0x58, process.parent.to_le_bytes());
        entry.put(0x60, process.handles.to_le_bytes());
        entry.put(
            0x90,
            (process.private_working_set + 4_000_000).to_le_bytes(),
        );
        entry.put(0xB8, process.commit.to_le_bytes());
        entry.put(0xC8, process.commit.to_le_bytes());
        entry.string(0x38, list.len(), &process.image);
        if place + 1 < processes.len() {
            let next = entry.0.len() as u32;
            entry.put(0x00, next.to_le_bytes());
        }
        list.extend(entry.0);
    }
    list
}

/// `SYSTEM_HANDLE_INFORMATION_EX` for 64 bits: process id, handle, object, access and type index of each.
fn handle_list(entries: &[(u64, u64, u64, u32, u16)]) -> Vec<u8> {
    let mut list = (entries.len() as u64).to_le_bytes().to_vec();
    list.extend([0; 8]);
    for (pid, handle, object, access, type_index) in entries {
        for number in [object, pid, handle] {
            list.extend(number.to_le_bytes());
        }
        list.extend(access.to_le_bytes());
        list.extend([0; 2]);
        list.extend(type_index.to_le_bytes());
        list.extend([0; 8]);
    }
    list
}

/// `OBJECT_TYPES_INFORMATION` for 64 bits, from the System Informer headers.
fn type_list() -> Vec<u8> {
    const SIZE: usize = 0x68;
    let mut list = (TYPES.len() as u64).to_le_bytes().to_vec();
    for (name, access, index, weight) in TYPES {
        let mut entry = Answer::zeroed(SIZE);
        let handles = (HANDLES * weight / 100) as u32;
        for (offset, number) in [
            (0x10, handles / 2),
            (0x14, handles),
            (0x28, handles),
            (0x2C, handles + 99),
        ] {
            entry.put(offset, number.to_le_bytes());
        }
        entry.put(0x54, access.to_le_bytes());
        entry.put(0x5A, [index as u8]);
        entry.string(0x00, list.len(), name);
        list.extend(entry.0);
    }
    list
}
