//! A small invented 64-bit system of NT 10.0 with one of everything that can be said about objects.

use bootshot_format::{Family, Header, ObjectKind, OpenKind, Source, handle_of};

use crate::build::{Builder, Entry, header};
use crate::objects::{
    BasicInformation, ListedHandle, ListedProcess, directory, ended_process, ended_thread,
    handle_list, iteration_ended, job, link_target, not_opened, opened, process_list, silo, string,
    type_table,
};

/// Process ids.
pub mod pid {
    /// `System`.
    pub const SYSTEM: u64 = 4;
    /// `smss.exe`.
    pub const SMSS: u64 = 300;
    /// `holder.exe`, which keeps what has ended.
    pub const HOLDER: u64 = 400;
    /// The capture.
    pub const CAPTURE: u64 = 212;
    /// An ended process that `holder.exe` keeps.
    pub const KEPT: u64 = 500;
    /// An ended process that nobody keeps but the kernel.
    pub const FORGOTTEN: u64 = 504;
    /// A process that ended while the capture ran.
    pub const LATE: u64 = 508;
}

/// Indexes of types.
mod index {
    pub const DIRECTORY: u16 = 3;
    pub const SYMBOLIC_LINK: u16 = 4;
    pub const EVENT: u16 = 5;
    pub const MUTANT: u16 = 6;
    pub const JOB: u16 = 7;
    pub const PROCESS: u16 = 8;
    pub const THREAD: u16 = 9;
    pub const FILE: u16 = 10;
    pub const SECTION: u16 = 11;
}

const TYPES: [&str; 10] = [
    "Type",
    "Directory",
    "SymbolicLink",
    "Event",
    "Mutant",
    "Job",
    "Process",
    "Thread",
    "File",
    "Section",
];

const ACCESS_DENIED: u32 = 0xC000_0022;
const NO_MORE_ENTRIES: u32 = 0x8000_001A;
const TIMEOUT: u32 = 0x102;
const PROCESS_IS_PROTECTED: u32 = 0xC000_0712;

/// When everything on this system was started; an hour before the capture.
pub const STARTED: u64 = 134_117_930_450_000_000;

/// Where the object is that the capture's `handle` led to.
pub const fn address(handle: u64) -> u64 {
    0xFFFF_8000_0000_0000 + handle * 0x100
}

/// The address of an object of others.
const fn foreign(number: u64) -> u64 {
    0xFFFF_9000_0000_0000 + number * 0x100
}

/// An unnamed Directory that `smss.exe` and `holder.exe` have open.
pub const PRIVATE_NAMESPACE: u64 = foreign(1);
/// An Event without a name.
pub const UNNAMED_EVENT: u64 = foreign(2);
/// A File whose name did not come in time.
pub const SLOW_FILE: u64 = foreign(3);
/// A File with a name.
pub const NAMED_FILE: u64 = foreign(4);
/// A Section whose holder is protected.
pub const PROTECTED_SECTION: u64 = foreign(5);
/// A Job without a name.
pub const UNNAMED_JOB: u64 = foreign(6);

/// Our handles.
mod ours {
    pub const ROOT: u64 = 0x100;
    pub const GLOBAL: u64 = 0x104;
    pub const DEVICE: u64 = 0x108;
    pub const KERNEL_OBJECTS: u64 = 0x10C;
    pub const SYSTEM_ROOT: u64 = 0x110;
    pub const DOS_DEVICES: u64 = 0x114;
    pub const DRIVE: u64 = 0x118;
    pub const GONE: u64 = 0x11C;
    pub const ROUND: u64 = 0x120;
    pub const BOOT_DEVICE: u64 = 0x124;
    pub const CONDITION: u64 = 0x128;
    pub const CONDITION_EVENT: u64 = 0x12C;
    pub const MUTANT: u64 = 0x130;
    pub const EVENT: u64 = 0x134;
    pub const JOB: u64 = 0x138;
    pub const KEPT: u64 = 0x13C;
    pub const FORGOTTEN: u64 = 0x140;
    pub const LATE: u64 = 0x144;
    pub const THREAD: u64 = 0x148;
}

/// The capture's handle to `\KernelObjects\BcdSyncMutant`.
pub const MUTANT: u64 = ours::MUTANT;
/// The capture's handle to the event behind `\KernelObjects\LowMemoryCondition`.
pub const CONDITION_EVENT: u64 = ours::CONDITION_EVENT;
/// The capture's handle to the job `\KernelObjects\WorkJob`.
pub const JOB: u64 = ours::JOB;

/// Our handles with the types of their objects.
const OURS: [(u64, u16); 19] = [
    (ours::ROOT, index::DIRECTORY),
    (ours::GLOBAL, index::DIRECTORY),
    (ours::DEVICE, index::DIRECTORY),
    (ours::KERNEL_OBJECTS, index::DIRECTORY),
    (ours::SYSTEM_ROOT, index::SYMBOLIC_LINK),
    (ours::DOS_DEVICES, index::SYMBOLIC_LINK),
    (ours::DRIVE, index::SYMBOLIC_LINK),
    (ours::GONE, index::SYMBOLIC_LINK),
    (ours::ROUND, index::SYMBOLIC_LINK),
    (ours::BOOT_DEVICE, index::SYMBOLIC_LINK),
    (ours::CONDITION, index::SYMBOLIC_LINK),
    (ours::CONDITION_EVENT, index::EVENT),
    (ours::MUTANT, index::MUTANT),
    (ours::EVENT, index::EVENT),
    (ours::JOB, index::JOB),
    (ours::KEPT, index::PROCESS),
    (ours::FORGOTTEN, index::PROCESS),
    (ours::LATE, index::PROCESS),
    (ours::THREAD, index::THREAD),
];

/// The header: taken by [`pid::CAPTURE`] on Windows 11.
pub fn machine_header() -> Header {
    Header {
        nt_major: 10,
        nt_minor: 0,
        nt_build: 26100,
        process_id: pid::CAPTURE,
        ..header(8)
    }
}

/// What other processes have open.
pub fn handles_of_others() -> Vec<ListedHandle> {
    let listed = |pid, handle, object, type_index| ListedHandle {
        pid,
        handle,
        object,
        type_index,
    };
    vec![
        listed(pid::SYSTEM, 0x10, address(ours::MUTANT), index::MUTANT),
        listed(pid::SMSS, 0x20, address(ours::MUTANT), index::MUTANT),
        listed(
            pid::SMSS,
            0x24,
            address(ours::CONDITION_EVENT),
            index::EVENT,
        ),
        listed(pid::SMSS, 0x28, UNNAMED_EVENT, index::EVENT),
        listed(pid::SMSS, 0x2C, SLOW_FILE, index::FILE),
        listed(pid::SMSS, 0x30, PRIVATE_NAMESPACE, index::DIRECTORY),
        listed(pid::SMSS, 0x34, address(ours::JOB), index::JOB),
        listed(pid::SMSS, 0x38, PROTECTED_SECTION, index::SECTION),
        listed(pid::SMSS, 0x3C, 0, index::EVENT),
        listed(pid::HOLDER, 0x40, PRIVATE_NAMESPACE, index::DIRECTORY),
        listed(pid::HOLDER, 0x44, NAMED_FILE, index::FILE),
        listed(pid::HOLDER, 0x48, address(ours::KEPT), index::PROCESS),
        listed(pid::HOLDER, 0x4C, address(ours::KEPT), index::PROCESS),
        listed(pid::HOLDER, 0x50, address(ours::THREAD), index::THREAD),
        listed(pid::HOLDER, 0x54, UNNAMED_JOB, index::JOB),
        listed(pid::SMSS, 0x58, address(ours::KEPT), index::PROCESS),
        // The address of the mutant, but another type: it is another object by now.
        listed(pid::HOLDER, 0x5C, address(ours::MUTANT), index::SECTION),
    ]
}

/// The list that was taken while the capture had everything open.
pub fn last_handle_list() -> Entry {
    let mut handles = handles_of_others();
    handles.extend(OURS.map(|(handle, type_index)| ListedHandle {
        pid: pid::CAPTURE,
        handle,
        object: address(handle),
        type_index,
    }));
    handle_list(&handles)
}

/// Processes and their threads.
pub fn processes() -> Entry {
    let process = |pid, image, tids| ListedProcess {
        pid,
        create_time: STARTED,
        image,
        tids,
    };
    process_list(&[
        process(pid::SYSTEM, "System", &[8]),
        process(pid::SMSS, "smss.exe", &[304]),
        process(pid::HOLDER, "holder.exe", &[404, 408]),
        process(pid::CAPTURE, "bootshot.exe", &[216]),
        process(pid::LATE, "late.exe", &[512]),
    ])
}

/// The walk through the namespace.
pub fn namespace() -> Vec<Entry> {
    let basic = |handles, pointers| BasicInformation {
        attributes: 0x10,
        handles,
        pointers,
        creation_time: 0,
    };
    let link = |handle, entry| {
        let basic = BasicInformation {
            creation_time: STARTED,
            ..basic(1, 32_770)
        };
        opened(ObjectKind::SYMBOLIC_LINK, handle, Some(entry), basic)
    };
    let below = |handle, number| {
        let entry = Some((ours::ROOT, number));
        opened(ObjectKind::DIRECTORY, handle, entry, basic(1, 40_000))
    };
    let end = |handle, context| {
        Entry::new(Source::DIRECTORY_OBJECT, 0, 0, &[])
            .about(context, handle)
            .status(NO_MORE_ENTRIES)
    };
    vec![
        opened(ObjectKind::DIRECTORY, ours::ROOT, None, basic(1, 40_000)),
        directory(
            ours::ROOT,
            0,
            &[
                ("GLOBAL??", "Directory"),
                ("Device", "Directory"),
                ("KernelObjects", "Directory"),
                ("SystemRoot", "SymbolicLink"),
            ],
        )
        .named("\\"),
        directory(
            ours::ROOT,
            4,
            &[
                ("Secret", "Directory"),
                ("DosDevices", "SymbolicLink"),
                ("PowerPort", "ALPC Port"),
            ],
        )
        .named("\\"),
        end(ours::ROOT, 7).named("\\"),
        below(ours::GLOBAL, 0),
        below(ours::DEVICE, 1),
        below(ours::KERNEL_OBJECTS, 2),
        link(ours::SYSTEM_ROOT, (ours::ROOT, 3)),
        link_target(ours::SYSTEM_ROOT, "\\Device\\BootDevice\\Windows"),
        not_opened(ObjectKind::DIRECTORY, (ours::ROOT, 4), ACCESS_DENIED),
        link(ours::DOS_DEVICES, (ours::ROOT, 5)),
        link_target(ours::DOS_DEVICES, "\\??"),
        directory(
            ours::GLOBAL,
            0,
            &[
                ("C:", "SymbolicLink"),
                ("Gone", "SymbolicLink"),
                ("Round", "SymbolicLink"),
            ],
        ),
        link(ours::DRIVE, (ours::GLOBAL, 0)),
        link_target(ours::DRIVE, "\\Device\\HarddiskVolume1"),
        link(ours::GONE, (ours::GLOBAL, 1)),
        link_target(ours::GONE, "\\Device\\NotThere"),
        link(ours::ROUND, (ours::GLOBAL, 2)),
        link_target(ours::ROUND, "\\??\\Round"),
        directory(
            ours::DEVICE,
            0,
            &[
                ("HarddiskVolume1", "Device"),
                ("BootDevice", "SymbolicLink"),
            ],
        ),
        link(ours::BOOT_DEVICE, (ours::DEVICE, 1)),
        link_target(ours::BOOT_DEVICE, "\\Device\\HarddiskVolume1"),
        directory(
            ours::KERNEL_OBJECTS,
            0,
            &[
                ("LowMemoryCondition", "SymbolicLink"),
                ("BcdSyncMutant", "Mutant"),
                ("SystemErrorPortReady", "Event"),
                ("WorkJob", "Job"),
            ],
        ),
        link(ours::CONDITION, (ours::KERNEL_OBJECTS, 0)),
        link_target(ours::CONDITION, ""),
        opened(
            ObjectKind::EVENT,
            ours::CONDITION_EVENT,
            Some((ours::KERNEL_OBJECTS, 0)),
            basic(2, 65_536),
        ),
        string(
            Source::OBJECT_INFORMATION,
            1,
            ours::CONDITION_EVENT,
            "\\KernelObjects\\MemoryPartition0\\LowMemoryCondition",
        ),
        opened(
            ObjectKind::MUTANT,
            ours::MUTANT,
            Some((ours::KERNEL_OBJECTS, 1)),
            basic(3, 98_300),
        ),
        opened(
            ObjectKind::EVENT,
            ours::EVENT,
            Some((ours::KERNEL_OBJECTS, 2)),
            basic(1, 4),
        ),
        opened(
            ObjectKind::JOB,
            ours::JOB,
            Some((ours::KERNEL_OBJECTS, 3)),
            basic(2, 65_000),
        ),
    ]
}

/// What has ended.
pub fn ended() -> Vec<Entry> {
    let object = |kind, handle| opened(kind, handle, None, BasicInformation::default());
    let before = (STARTED + 1, STARTED + 2);
    // The snapshot's header says when the capture began.
    let late = (STARTED, machine_header().system_time as u64 + 5);
    let mut all = vec![
        object(ObjectKind::PROCESS, ours::KEPT),
        object(ObjectKind::PROCESS, ours::FORGOTTEN),
        object(ObjectKind::PROCESS, ours::LATE),
        object(ObjectKind::THREAD, ours::THREAD),
    ];
    let path = |name: &str| format!("\\Device\\HarddiskVolume1\\{name}");
    all.extend(ended_process(
        ours::KEPT,
        pid::KEPT,
        7,
        before,
        &path("kept.exe"),
    ));
    all.extend(ended_process(
        ours::FORGOTTEN,
        pid::FORGOTTEN,
        0xC000_0005,
        before,
        &path("forgotten.exe"),
    ));
    all.extend(ended_process(
        ours::LATE,
        pid::LATE,
        0,
        late,
        &path("late.exe"),
    ));
    all.extend(ended_thread(ours::THREAD, (pid::SMSS, 777), 1, before));
    all.push(iteration_ended(Some(0x3F0), ACCESS_DENIED));
    all.push(iteration_ended(None, NO_MORE_ENTRIES));
    all
}

/// What others' handles told: names, the contents of a private namespace, a job.
pub fn names_of_others() -> Vec<Entry> {
    let name =
        |pid, handle, text| string(Source::OBJECT_INFORMATION, 1, handle_of(pid, handle), text);
    let mut all = vec![
        name(pid::HOLDER, 0x44, "\\Device\\HarddiskVolume1\\notes.txt"),
        name(pid::SMSS, 0x2C, "").status(TIMEOUT),
        name(pid::SMSS, 0x28, ""),
        // The duplicate is the second handle.
        Entry::new(
            Source::OBJECT_INFORMATION,
            0,
            0,
            &BasicInformation {
                handles: 2,
                pointers: 65_530,
                ..BasicInformation::default()
            }
            .bytes(),
        )
        .about(handle_of(pid::SMSS, 0x28), 0),
        Entry::new(Source::OPEN, OpenKind::HANDLE.0, 0, &[])
            .about(handle_of(pid::SMSS, 0x38), 0)
            .status(PROCESS_IS_PROTECTED),
        directory(
            handle_of(pid::HOLDER, 0x40),
            0,
            &[("InsidePrivate", "Mutant"), ("Another", "Section")],
        ),
    ];
    all.extend(job(handle_of(pid::HOLDER, 0x54), &[pid::HOLDER]));
    all.push(silo(handle_of(pid::HOLDER, 0x54), 9));
    all
}

/// What `NtIsProcessInJob` said, and the job with a name.
pub fn jobs() -> Vec<Entry> {
    let in_job = |pid, status| {
        Entry::new(Source::PROCESS_IN_JOB, 0, 0, &[])
            .about(pid, STARTED)
            .status(status)
    };
    let mut all = job(ours::JOB, &[pid::SMSS, pid::HOLDER]);
    all.push(
        Entry::new(Source::JOB_INFORMATION, 36, 0, &[])
            .about(ours::JOB, 0)
            .status(0xC000_000D),
    );
    all.push(in_job(pid::SYSTEM, 0x123));
    all.push(in_job(pid::SMSS, 0x124));
    all
}

/// Everything but the list that ties our handles to addresses, and what comes after it.
fn before_names() -> Builder {
    let mut builder = Builder::with_header(machine_header());
    builder
        .section(Family::PROCESSES, &processes())
        .section(Family::HANDLES, &handle_list(&handles_of_others()))
        .section(Family::TYPES, &type_table(&TYPES))
        .batch(Family::NAMESPACE, &namespace())
        .batch(Family::ENDED, &ended())
        .batch(Family::DETAILS, &jobs());
    builder
}

/// A snapshot of it before anybody's handle could be duplicated.
pub fn machine_at_boot() -> Builder {
    let mut builder = before_names();
    builder.section(Family::NAMES, &last_handle_list());
    builder
}

/// A snapshot of it with what others' handles told.
pub fn machine_live() -> Builder {
    let mut builder = machine_at_boot();
    builder.batch(Family::NAMES, &names_of_others());
    builder
}

/// A snapshot of it that was cut off before the last handle list.
pub fn machine_without_names() -> Builder {
    before_names()
}
