//! Numbers of the kernel by their names.

mod access;
mod account;
mod class;
mod filtering_layer;
mod ntstatus;
mod service;

pub use access::{access_names, handle_attributes};
pub use account::{account, integrity};
pub use class::information_class;
pub use filtering_layer::filtering_layer;
pub use ntstatus::{describe_status, status};
pub use service::{service_error_control, service_start, service_type};

use std::borrow::Cow;

use bootshot_format::{ObjectKind, Outcome, Source};

fn at(names: &[&'static str], number: u32) -> Option<&'static str> {
    names
        .get(usize::try_from(number).ok()?)
        .copied()
        .filter(|name| !name.is_empty())
}

/// Who was asked, by the name of the system call or as the format calls it.
pub fn source(source: Source) -> Option<&'static str> {
    Some(match source {
        Source::BATCH => "batch",
        Source::SYSTEM_INFORMATION => "NtQuerySystemInformation",
        Source::OBJECT_INFORMATION => "NtQueryObject",
        Source::PROCESS_INFORMATION => "NtQueryInformationProcess",
        Source::TOKEN_INFORMATION => "NtQueryInformationToken",
        Source::OWN_MEMORY => "own memory",
        Source::PROCESS_MEMORY => "process memory",
        Source::REGISTRY_VALUE => "NtQueryValueKey",
        Source::DIRECTORY_OBJECT => "NtQueryDirectoryObject",
        Source::OPEN => "open",
        Source::NOTE => "note",
        Source::KEY_INFORMATION => "NtQueryKey",
        Source::SUBKEYS => "NtEnumerateKey",
        Source::KEY_VALUES => "NtEnumerateValueKey",
        Source::FIRMWARE_VARIABLES => "NtEnumerateSystemEnvironmentValuesEx",
        Source::FILE_INFORMATION => "NtQueryInformationFile",
        Source::FILE_CONTENT => "NtReadFile",
        Source::OBJECT => "object",
        Source::SYMBOLIC_LINK => "NtQuerySymbolicLinkObject",
        Source::PROCESS_HANDLE => "NtQueryInformationProcess by handle",
        Source::THREAD_HANDLE => "NtQueryInformationThread by handle",
        Source::JOB_INFORMATION => "NtQueryInformationJobObject",
        Source::PROCESS_IN_JOB => "NtIsProcessInJob",
        _ => return None,
    })
}

/// The type an object was opened as.
pub fn object_kind(kind: ObjectKind) -> Option<&'static str> {
    Some(match kind {
        ObjectKind::DIRECTORY => "Directory",
        ObjectKind::SYMBOLIC_LINK => "SymbolicLink",
        ObjectKind::EVENT => "Event",
        ObjectKind::MUTANT => "Mutant",
        ObjectKind::SEMAPHORE => "Semaphore",
        ObjectKind::SECTION => "Section",
        ObjectKind::TIMER => "Timer",
        ObjectKind::JOB => "Job",
        ObjectKind::KEYED_EVENT => "KeyedEvent",
        ObjectKind::IO_COMPLETION => "IoCompletion",
        ObjectKind::KEY => "Key",
        ObjectKind::PROCESS => "Process",
        ObjectKind::THREAD => "Thread",
        _ => return None,
    })
}

/// The names of a job's limits that are in force (`JOB_OBJECT_LIMIT_*`), bits without a name at the end in hexadecimal.
pub fn job_limits(flags: u32) -> Vec<Cow<'static, str>> {
    const LIMITS: [&str; 20] = [
        "working set",
        "process time",
        "job time",
        "active processes",
        "affinity",
        "priority class",
        "preserve job time",
        "scheduling class",
        "process memory",
        "job memory",
        "die on unhandled exception",
        "breakaway allowed",
        "silent breakaway allowed",
        "kill on job close",
        "subset affinity",
        "low job memory",
        "job read bytes",
        "job write bytes",
        "CPU rate control",
        "I/O rate control",
    ];
    let mut names: Vec<_> = LIMITS
        .iter()
        .enumerate()
        .filter(|(bit, _)| flags >> bit & 1 != 0)
        .map(|(_, name)| Cow::Borrowed(*name))
        .collect();
    let rest = flags >> LIMITS.len() << LIMITS.len();
    if rest != 0 {
        names.push(Cow::Owned(format!("{rest:#x}")));
    }
    names
}

/// How a question ended.
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::COMPLETE => "complete",
        Outcome::FAILED => "failed",
        Outcome::TRUNCATED => "truncated",
        Outcome::TORN => "torn",
        Outcome::SKIPPED_BY_ARGUMENT => "skipped by argument",
        Outcome::SKIPPED_BY_BUDGET => "skipped by budget",
        Outcome::SKIPPED_BY_PHASE => "skipped by phase",
        Outcome::REDACTED => "redacted",
        _ => "unknown",
    }
}

/// A `KTHREAD_STATE`.
pub fn thread_state(state: u32) -> Option<&'static str> {
    at(
        &[
            "Initialized",
            "Ready",
            "Running",
            "Standby",
            "Terminated",
            "Waiting",
            "Transition",
            "DeferredReady",
            "GateWait",
            "WaitingForProcessInSwap",
        ],
        state,
    )
}

/// A `KWAIT_REASON`; meaningful while the thread waits.
pub fn wait_reason(reason: u32) -> Option<&'static str> {
    at(WAIT_REASONS, reason)
}

const WAIT_REASONS: &[&str] = &[
    "Executive",
    "FreePage",
    "PageIn",
    "PoolAllocation",
    "DelayExecution",
    "Suspended",
    "UserRequest",
    "WrExecutive",
    "WrFreePage",
    "WrPageIn",
    "WrPoolAllocation",
    "WrDelayExecution",
    "WrSuspended",
    "WrUserRequest",
    "WrEventPair",
    "WrQueue",
    "WrLpcReceive",
    "WrLpcReply",
    "WrVirtualMemory",
    "WrPageOut",
    "WrRendezvous",
    "WrKeyedEvent",
    "WrTerminated",
    "WrProcessInSwap",
    "WrCpuRateControl",
    "WrCalloutStack",
    "WrKernel",
    "WrResource",
    "WrPushLock",
    "WrMutex",
    "WrQuantumEnd",
    "WrDispatchInt",
    "WrPreempted",
    "WrYieldExecution",
    "WrFastMutex",
    "WrGuardedMutex",
    "WrRundown",
    "WrAlertByThreadId",
    "WrDeferredPreempt",
    "WrPhysicalFault",
    "WrIoRing",
    "WrMdlCache",
    "WrRcu",
];

/// A privilege by the low part of its LUID.
pub fn privilege(luid: u32) -> Option<&'static str> {
    at(
        &[
            "",
            "",
            "SeCreateTokenPrivilege",
            "SeAssignPrimaryTokenPrivilege",
            "SeLockMemoryPrivilege",
            "SeIncreaseQuotaPrivilege",
            "SeMachineAccountPrivilege",
            "SeTcbPrivilege",
            "SeSecurityPrivilege",
            "SeTakeOwnershipPrivilege",
            "SeLoadDriverPrivilege",
            "SeSystemProfilePrivilege",
            "SeSystemtimePrivilege",
            "SeProfileSingleProcessPrivilege",
            "SeIncreaseBasePriorityPrivilege",
            "SeCreatePagefilePrivilege",
            "SeCreatePermanentPrivilege",
            "SeBackupPrivilege",
            "SeRestorePrivilege",
            "SeShutdownPrivilege",
            "SeDebugPrivilege",
            "SeAuditPrivilege",
            "SeSystemEnvironmentPrivilege",
            "SeChangeNotifyPrivilege",
            "SeRemoteShutdownPrivilege",
            "SeUndockPrivilege",
            "SeSyncAgentPrivilege",
            "SeEnableDelegationPrivilege",
            "SeManageVolumePrivilege",
            "SeImpersonatePrivilege",
            "SeCreateGlobalPrivilege",
            "SeTrustedCredManAccessPrivilege",
            "SeRelabelPrivilege",
            "SeIncreaseWorkingSetPrivilege",
            "SeTimeZonePrivilege",
            "SeCreateSymbolicLinkPrivilege",
            "SeDelegateSessionUserImpersonatePrivilege",
        ],
        luid,
    )
}

/// An `IMAGE_FILE_MACHINE_*`, in the words people use.
pub fn machine(machine: u16) -> Option<&'static str> {
    Some(match machine {
        0x014C => "x86",
        0x01C4 => "arm",
        0x0200 => "ia64",
        0x8664 => "x64",
        0xAA64 => "arm64",
        _ => return None,
    })
}

/// An `IMAGE_SUBSYSTEM_*`.
pub fn subsystem(subsystem: u16) -> Option<&'static str> {
    Some(match subsystem {
        1 => "native",
        2 => "windows gui",
        3 => "windows console",
        5 => "os/2 console",
        7 => "posix console",
        8 => "native windows 9x",
        9 => "windows ce gui",
        10 => "efi application",
        11 => "efi boot service driver",
        12 => "efi runtime driver",
        13 => "efi rom",
        14 => "xbox",
        16 => "boot application",
        17 => "xbox code catalog",
        _ => return None,
    })
}

/// A `POOL_TYPE`, as far as object types use them.
pub fn pool_type(pool_type: u32) -> Option<&'static str> {
    Some(match pool_type {
        0 => "NonPagedPool",
        1 => "PagedPool",
        512 => "NonPagedPoolNx",
        _ => return None,
    })
}

/// A `FIRMWARE_TYPE`.
pub fn firmware_type(firmware_type: u32) -> Option<&'static str> {
    at(&["unknown", "bios", "uefi"], firmware_type)
}

/// A registry value type.
pub fn registry_type(value_type: u32) -> Option<&'static str> {
    at(
        &[
            "REG_NONE",
            "REG_SZ",
            "REG_EXPAND_SZ",
            "REG_BINARY",
            "REG_DWORD",
            "REG_DWORD_BIG_ENDIAN",
            "REG_LINK",
            "REG_MULTI_SZ",
            "REG_RESOURCE_LIST",
            "REG_FULL_RESOURCE_DESCRIPTOR",
            "REG_RESOURCE_REQUIREMENTS_LIST",
            "REG_QWORD",
        ],
        value_type,
    )
}
