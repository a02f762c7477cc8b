//! What a simulated machine consists of before it starts: plain data that a test makes up.

use super::fault::{Call, Fault, Rule};
use super::fields::Fields;
use super::files::FileSystem;
use super::keys::Keys;
use super::objects::KernelObject;
use super::{Simulated, answers, recorded, space};
use crate::nt::Status;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An answer to a class that the simulation does not work out itself.
#[derive(Clone, Debug)]
pub enum Reply {
    /// These bytes, to a buffer that holds them.
    Bytes(Vec<u8>),
    /// These bytes, to a buffer of exactly their length.
    Exact(Vec<u8>),
    /// A `UNICODE_STRING` and its characters behind it.
    Text(String),
    /// A `SID_AND_ATTRIBUTES` and its SID behind it.
    Sid(Vec<u8>, u32),
    /// A recorded process list and the address its buffer had.
    Processes(Vec<u8>, u64),
    /// No answer: this status and this returned length.
    Failure(Status, usize),
}

/// A process.
#[derive(Clone, Debug)]
pub struct Process {
    /// `UniqueProcessId`.
    pub id: u64,
    /// `InheritedFromUniqueProcessId`.
    pub parent: u64,
    /// `ImageName`, empty for the idle process.
    pub name: String,
    /// 100 ns since 1601-01-01 UTC.
    pub create_time: i64,
    /// Ids of the threads that run.
    pub threads: Vec<u64>,
    /// Ids and exit statuses of threads that have ended and are still held.
    pub ended_threads: BTreeMap<u64, u32>,
    /// Whether it has ended and is still held: in no list, but iterated over and opened.
    pub ended: bool,
    /// Kernel address of its job.
    pub job: Option<u64>,
    /// Access rights that opening it never grants.
    pub refused_access: u32,
    /// `NtQueryInformationProcess` by class.
    pub information: BTreeMap<u32, Reply>,
    /// `NtQueryInformationToken` by class; no token can be opened when empty.
    pub token: BTreeMap<u32, Reply>,
    /// Readable ranges of its address space.
    pub memory: BTreeMap<u64, Vec<u8>>,
}

impl Process {
    /// A process with one thread that answers as any ordinary one does.
    pub fn new(id: u64, parent: u64, name: &str) -> Self {
        let path = format!(r"\Device\HarddiskVolume1\Windows\System32\{name}");
        let telemetry = Fields::new()
            .u32(0x50)
            .u32(id as u32)
            .u64(0x1000 + id)
            .u64(id * 3)
            .zeros_to(0x50);
        Self {
            id,
            parent,
            name: name.to_owned(),
            create_time: BOOT_TIME + 10_000_000 + id as i64,
            threads: vec![id + 4],
            ended_threads: BTreeMap::new(),
            ended: false,
            job: None,
            refused_access: 0,
            information: BTreeMap::from([
                (
                    0,
                    Reply::Exact(answers::process_basic_information(id, parent, 0)),
                ),
                (26, Reply::Exact(Fields::new().pointer(0).done())),
                (27, Reply::Text(path)),
                (60, Reply::Text(format!("{name} -k {id}"))),
                (61, Reply::Exact(vec![0])),
                (64, Reply::Bytes(telemetry.done())),
                (4, Reply::Exact(answers::kernel_user_times(id, None))),
            ]),
            token: BTreeMap::from([
                // S-1-5-18, LocalSystem.
                (1, Reply::Sid(answers::sid(5, &[18]), 0)),
                // S-1-16-16384, system integrity; SE_GROUP_INTEGRITY | SE_GROUP_INTEGRITY_ENABLED.
                (25, Reply::Sid(answers::sid(16, &[0x4000]), 0x60)),
            ]),
            memory: BTreeMap::new(),
        }
    }

    /// A process that has ended with this status.
    pub fn ended(id: u64, parent: u64, name: &str, exit_status: u32) -> Self {
        let mut process = Self::new(id, parent, name);
        let mut basic = answers::process_basic_information(id, parent, 0);
        basic[..4].copy_from_slice(&exit_status.to_ne_bytes());
        let times = answers::kernel_user_times(id, Some(BOOT_TIME + 20_000_000));
        process.information.insert(0, Reply::Exact(basic));
        process.information.insert(4, Reply::Exact(times));
        process.threads.clear();
        process.ended = true;
        process
    }

    /// A protected process: opened for limited queries only, as System and smss are since Windows 8.1.
    pub fn protected(id: u64, parent: u64, name: &str) -> Self {
        const PROCESS_QUERY_LIMITED_INFORMATION_AND_SYNCHRONIZE: u32 = 0x0010_1000;
        let mut process = Self::new(id, parent, name);
        process.refused_access = !PROCESS_QUERY_LIMITED_INFORMATION_AND_SYNCHRONIZE;
        process.information.insert(61, Reply::Exact(vec![0x61]));
        process
    }
}

/// An entry of another process's handle table.
#[derive(Clone, Copy, Debug)]
pub struct HandleEntry {
    /// Owner.
    pub process: u64,
    /// Handle value.
    pub value: u64,
    /// `TypeIndex` of the object.
    pub type_index: u16,
    /// `GrantedAccess`.
    pub access: u32,
    /// `HandleAttributes`.
    pub attributes: u32,
    /// Kernel address of the object.
    pub object: u64,
}

/// A kernel module.
#[derive(Clone, Debug)]
pub struct Module {
    /// Full path, ASCII.
    pub path: String,
    /// Kernel address.
    pub base: u64,
    /// Bytes.
    pub size: u32,
}

/// A registry value: its type (`REG_*`) and data.
pub type Value = (u32, Vec<u8>);

/// A machine, its process list taken by a program that runs as one of its processes.
#[derive(Clone, Default)]
pub struct Machine {
    /// Processes, in list order.
    pub processes: Vec<Process>,
    /// Which process the caller is.
    pub own_id: u64,
    /// Handles of the other processes; the caller's own are added from its handle table.
    pub handles: Vec<HandleEntry>,
    /// Whether the handle lists say 0 for where objects are.
    pub addresses_hidden: bool,
    /// Object type names; the first has type index 2.
    pub types: Vec<String>,
    /// Whether `NtQueryObject` answers without a handle.
    pub types_answer: bool,
    /// Kernel modules.
    pub modules: Vec<Module>,
    /// `NtQuerySystemInformation` classes with given answers, in front of those worked out.
    pub system: BTreeMap<u32, Reply>,
    /// Classes this kernel does not know.
    pub unknown_classes: BTreeSet<u32>,
    /// System calls that this kernel does not have.
    pub missing_calls: BTreeSet<&'static str>,
    /// Objects by their kernel address; the root directory is the first.
    pub objects: BTreeMap<u64, KernelObject>,
    /// Whether object directories answer with `ReturnSingleEntry` only.
    pub single_entries_only: bool,
    /// The registry.
    pub keys: Keys,
    /// `NtEnumerateSystemEnvironmentValuesEx` by class.
    pub firmware_variables: BTreeMap<u32, Reply>,
    /// Firmware tables by provider and id.
    pub firmware_tables: BTreeMap<([u8; 4], [u8; 4]), Vec<u8>>,
    /// The one disk.
    pub files: FileSystem,
    /// The caller's own address space.
    pub memory: BTreeMap<u64, Vec<u8>>,
    /// Where the caller's `PEB` is.
    pub peb: u64,
    /// LUIDs of the privileges in the token.
    pub privileges: BTreeSet<u32>,
    /// Whether `NtDisplayString` is allowed.
    pub console: bool,
    /// Handle value of the standard output, 0 for none.
    pub standard_output: u64,
    /// System time at the start, 100 ns since 1601-01-01 UTC.
    pub system_time: i64,
    /// Interrupt time at the start, 100 ns since boot.
    pub interrupt_time: u64,
    /// Bytes that can be committed.
    pub commit_limit: usize,
    /// Commits that succeed.
    pub commits: u32,
    /// What goes wrong, the first that applies.
    pub rules: Vec<Rule>,
    /// Whether no call is logged: a large machine answers millions.
    pub forgets_calls: bool,
}

/// 2026-11-20 06:00 UTC, 100 ns since 1601: when the simulated machines boot.
pub const BOOT_TIME: i64 = 134_396_280_000_000_000;

impl Machine {
    /// A machine at BootExecute, with a handful of everything.
    pub fn small() -> Self {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let mut machine = Self {
            processes: vec![
                Process {
                    token: BTreeMap::new(),
                    refused_access: u32::MAX,
                    ..Process::new(0, 0, "")
                },
                Process::protected(4, 0, "System"),
                Process::protected(100, 4, "Registry"),
                Process::protected(348, 4, "smss.exe"),
                Process::new(412, 348, "bootshot.exe"),
            ],
            own_id: 412,
            handles: (1..40)
                .map(|n| HandleEntry {
                    process: if n < 30 { 4 } else { 348 },
                    value: n * 4,
                    type_index: 2 + (n % 9) as u16,
                    access: 0x001F_0003,
                    attributes: (n % 3) as u32,
                    object: 0xFFFF_8A00_1234_0000 + n * 0x60,
                })
                .collect(),
            types: words("Type Directory SymbolicLink Token Process Thread Event File Key Section"),
            types_answer: true,
            modules: ["ntoskrnl.exe", "hal.dll", "ntfs.sys"]
                .into_iter()
                .zip(0u64..)
                .map(|(name, n)| Module {
                    path: format!(r"\SystemRoot\system32\{name}"),
                    base: 0xFFFF_F800_0000_0000 + n * 0x100_0000,
                    size: 0x10_0000 + 0x1000 * n as u32,
                })
                .collect(),
            files: FileSystem::ntfs(1 << 30),
            // SeTcbPrivilege to SeImpersonatePrivilege, as LocalSystem has them.
            privileges: (2..=30).collect(),
            console: true,
            system_time: BOOT_TIME + 50_000_000,
            interrupt_time: 50_000_000,
            commit_limit: 1 << 32,
            commits: u32::MAX,
            ..Self::default()
        };
        machine.processes[0].threads = vec![0];
        machine.processes[1].threads = (8..88).step_by(4).collect();
        machine.types_directory();
        machine.create(r"\KernelObjects\LowMemoryCondition", "Event");
        machine.create(r"\Sessions", "Directory");
        for (class, length) in [
            (0, 0x40),
            (1, 0xC),
            (2, 0x178),
            (8, 0x60),
            (21, 0x40),
            (23, 0x30),
            (35, 2),
            (37, 16),
        ]
        .into_iter()
        .chain([
            (80, 0xB0),
            (90, 0x20),
            (103, 8),
            (144, 0),
            (145, 2),
            (149, 3),
        ]) {
            let bytes = (0..length)
                .map(|n| (n as u8).wrapping_mul(29) ^ class as u8)
                .collect();
            // Classes of one structure take no other length.
            let reply = if matches!(class, 2 | 8 | 23 | 144) {
                Reply::Bytes
            } else {
                Reply::Exact
            };
            machine.system.insert(class, reply(bytes));
        }
        let time_of_day = Fields::new()
            .u64(BOOT_TIME as u64)
            .u64(machine.system_time as u64)
            .zeros_to(0x30);
        machine.system.insert(3, Reply::Exact(time_of_day.done()));
        machine.make_key(r"\Registry\A").refused_access = u32::MAX;
        machine.make_key(r"\Registry\User\.DEFAULT");
        machine.link_key(
            r"\Registry\Machine\SYSTEM\CurrentControlSet",
            r"\Registry\Machine\SYSTEM\ControlSet001",
        );
        machine.set_value(
            SESSION_MANAGER,
            "BootExecute",
            (7, utf16("autocheck autochk *\0\0")),
        );
        machine.set_value(SESSION_MANAGER, "SetupExecute", (7, utf16("\0")));
        let product_options = format!(r"{CONTROL}\ProductOptions");
        machine.set_value(&product_options, "ProductType", (1, utf16("WinNT\0")));
        machine.set_value(
            CONTROL,
            "SystemStartOptions",
            (1, utf16(" NOEXECUTE=OPTIN\0")),
        );
        machine.make_space(&space::Own::default());
        machine
    }

    /// The machine of a `.ntd` recording: what was recorded is answered as it stands, with its pointers moved to the
    /// caller's buffer; what was not (registry, files) is that of [`Machine::small`].
    pub fn recorded(recording: &[u8]) -> Self {
        recorded::machine(recording)
    }

    /// Lays the caller's address space out anew.
    pub fn make_space(&mut self, own: &space::Own) {
        space::make(self, own);
    }

    /// The same machine started with another command line.
    pub fn with_command_line(mut self, command_line: &str) -> Self {
        self.make_space(&space::Own {
            command_line: command_line.to_owned(),
            ..space::Own::default()
        });
        self
    }

    /// Handles as the lists show them.
    pub(super) fn listed(
        &self,
        entries: impl Iterator<Item = HandleEntry>,
    ) -> impl Iterator<Item = HandleEntry> {
        let hidden = self.addresses_hidden;
        entries.map(move |entry| match hidden {
            true => HandleEntry { object: 0, ..entry },
            false => entry,
        })
    }

    /// Lists the types in `\ObjectTypes`.
    pub(super) fn types_directory(&mut self) {
        for name in self.types.clone() {
            self.create(&format!(r"\ObjectTypes\{name}"), "Type");
        }
    }

    /// Makes every call that `when` picks go wrong.
    pub fn on(
        mut self,
        when: impl Fn(&Call) -> bool + Send + Sync + 'static,
        fault: Fault,
    ) -> Self {
        self.rules.push(Rule {
            when: Arc::new(when),
            fault,
        });
        self
    }

    /// Makes the `number`-th call go wrong that thread `thread` makes, both from 0.
    pub fn at(self, thread: u32, number: u32, fault: Fault) -> Self {
        self.on(
            move |call| call.thread == thread && call.number == number,
            fault,
        )
    }

    /// The machine switched on: the same disk, no faults, an hour later.
    pub fn next_boot(mut self) -> Self {
        self.rules.clear();
        self.system_time += 36_000_000_000;
        self
    }

    /// A kernel for tests that call it directly; it stays for the rest of the test program.
    pub fn start(self) -> &'static Simulated {
        Simulated::new(self)
    }
}

/// The Session Manager's key.
pub const SESSION_MANAGER: &str =
    r"\Registry\Machine\SYSTEM\CurrentControlSet\Control\Session Manager";
/// The key above it.
pub const CONTROL: &str = r"\Registry\Machine\SYSTEM\CurrentControlSet\Control";

/// `text` as UTF-16 bytes, without a terminating zero of its own.
pub fn utf16(text: &str) -> Vec<u8> {
    Fields::new().characters(text).done()
}
