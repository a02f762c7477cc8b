//! A machine at BootExecute of Windows 11: everybody but the caller is protected, and their handles refer to objects most
//! of which have a name.

use super::fields::Fields;
use super::machine::{Machine, Process, Reply};
use super::objects::{Body, process_address};
use std::collections::BTreeMap;

const SYSTEM: u64 = 4;
const SECURE_SYSTEM: u64 = 72;
const REGISTRY: u64 = 124;
const SMSS: u64 = 420;
const OWN: u64 = 516;

/// The eleven conditions of memory that a driver or service may wait for.
const MEMORY_CONDITIONS: [&str; 11] = [
    "HighCommitCondition",
    "HighMemoryCondition",
    "HighNonPagedPoolCondition",
    "HighPagedPoolCondition",
    "LowCommitCondition",
    "LowMemoryCondition",
    "LowNonPagedPoolCondition",
    "LowPagedPoolCondition",
    "MaximumCommitCondition",
    "MemoryErrors",
    "PhysicalMemoryChange",
];

/// Paths and types of the rest; what stands in directories brings them along.
const OBJECTS: [(&str, &str); 31] = [
    (r"\SystemRoot", "SymbolicLink"),
    (
        r"\ArcName\multi(0)disk(0)rdisk(0)partition(3)",
        "SymbolicLink",
    ),
    (r"\ArcName\multi(0)disk(0)rdisk(0)", "SymbolicLink"),
    (r"\BaseNamedObjects", "Directory"),
    (r"\BaseNamedObjects\Restricted", "Directory"),
    (r"\Callback\PowerState", "Callback"),
    (r"\Callback\SetSystemTime", "Callback"),
    (r"\Device\HarddiskVolume3", "Device"),
    (r"\Device\Harddisk0", "Directory"),
    (r"\Device\Harddisk0\DR0", "Device"),
    (r"\Device\Mup", "Device"),
    (r"\Driver\ACPI", "Driver"),
    (r"\FileSystem\NTFS", "Driver"),
    (r"\GLOBAL??\C:", "SymbolicLink"),
    (r"\GLOBAL??\PhysicalDrive0", "SymbolicLink"),
    (r"\KernelObjects\CritSecOutOfMemoryEvent", "KeyedEvent"),
    (r"\KernelObjects\BcdSyncMutant", "Mutant"),
    (r"\KernelObjects\SuperfetchScenarioNotify", "Event"),
    (r"\KernelObjects\SystemErrorPortReady", "Event"),
    (r"\KernelObjects\PrefetchTracesReady", "Event"),
    (r"\KernelObjects\Session0", "Session"),
    (r"\KnownDlls\ntdll.dll", "Section"),
    (r"\KnownDlls\kernel32.dll", "Section"),
    (r"\KnownDlls\KnownDllPath", "SymbolicLink"),
    (r"\Nls\NlsSectionCP1252", "Section"),
    (r"\PowerMonitorPort", "ALPC Port"),
    (r"\Security\LSA_AUTHENTICATION_INITIALIZED", "Event"),
    (r"\Sessions\0\DosDevices", "Directory"),
    (r"\Sessions\BNOLINKS", "Directory"),
    (r"\SmApiPort", "ALPC Port"),
    (r"\UniqueSessionIdEvent", "Event"),
];

impl Machine {
    /// The machine: System, Registry, Secure System and smss are protected, and hold what they hold at that moment.
    pub fn windows11_boot() -> Self {
        let mut machine = Self {
            processes: vec![
                Process {
                    token: BTreeMap::new(),
                    refused_access: u32::MAX,
                    ..Process::new(0, 0, "")
                },
                Process::protected(SYSTEM, 0, "System"),
                Process::protected(SECURE_SYSTEM, SYSTEM, "Secure System"),
                Process::protected(REGISTRY, SYSTEM, "Registry"),
                Process::protected(SMSS, SYSTEM, "smss.exe"),
                Process::new(OWN, SMSS, "bootshot.exe"),
            ],
            own_id: OWN,
            handles: Vec::new(),
            ..Self::small()
        };
        machine.make_space(&super::Own::default());
        machine.types.extend(
            [
                "Mutant",
                "Semaphore",
                "Timer",
                "Job",
                "KeyedEvent",
                "IoCompletion",
                "Callback",
                "Device",
                "Driver",
                "Session",
                "ALPC Port",
            ]
            .map(str::to_owned),
        );
        machine.objects.clear();
        machine.types_directory();
        for (path, type_name) in OBJECTS {
            machine.create(path, type_name);
        }
        for (path, target) in [
            (r"\SystemRoot", r"\Device\BootDevice\Windows"),
            (
                r"\ArcName\multi(0)disk(0)rdisk(0)partition(3)",
                r"\Device\HarddiskVolume3",
            ),
            (
                r"\ArcName\multi(0)disk(0)rdisk(0)",
                r"\Device\Harddisk0\Partition0",
            ),
            (r"\GLOBAL??\C:", r"\Device\HarddiskVolume3"),
            (r"\GLOBAL??\PhysicalDrive0", r"\Device\Harddisk0\DR0"),
            (r"\KnownDlls\KnownDllPath", r"C:\WINDOWS\System32"),
        ] {
            machine.link(path, target);
        }
        for name in MEMORY_CONDITIONS {
            let path = format!(r"\KernelObjects\{name}");
            let behind = machine.dynamic_link(&path, "Event", "");
            machine.hold(SYSTEM, behind, 0x1F_0003);
        }
        // The job that smss starts in, with a silo's questions refused.
        let job = machine.create_unnamed("Job", "");
        let accounting = Fields::new().zeros_to(0x30);
        if let Some(job) = machine.objects.get_mut(&job) {
            job.body = Body::Job(BTreeMap::from([(1, Reply::Exact(accounting.done()))]));
        }
        machine.hold(SYSTEM, job, 0x1F_001F);
        for (holder, path) in [
            (SYSTEM, r"\KernelObjects\SuperfetchScenarioNotify"),
            (SYSTEM, r"\KernelObjects\SystemErrorPortReady"),
            (SYSTEM, r"\KernelObjects\BcdSyncMutant"),
            (SYSTEM, r"\ArcName\multi(0)disk(0)rdisk(0)partition(3)"),
            (SYSTEM, r"\Callback\PowerState"),
            (SYSTEM, r"\GLOBAL??"),
            (SYSTEM, r"\PowerMonitorPort"),
            (REGISTRY, r"\KernelObjects\SystemErrorPortReady"),
            (SMSS, r"\KnownDlls\ntdll.dll"),
            (SMSS, r"\KnownDlls"),
            (SMSS, r"\Sessions"),
            (SMSS, r"\BaseNamedObjects"),
            (SMSS, r"\GLOBAL??"),
            (SMSS, r"\UniqueSessionIdEvent"),
            (SMSS, r"\SmApiPort"),
        ] {
            let object = machine.address_of(path).expect("it was just created");
            machine.hold(holder, object, 0x0F_000F);
        }
        let unnamed = machine.create_unnamed("Directory", "");
        machine.hold(SMSS, unnamed, 0x0F_000F);
        machine.hold(SMSS, process_address(OWN), 0x1F_FFFF);
        machine
    }
}
