//! Access rights by name: generic and standard ones, and those each object type defines for itself.

use std::borrow::Cow;

type Rights = &'static [(u32, &'static str)];

/// The names of the rights in `mask` on an object of `type_name`, from the lowest bit up; bits without a name
/// stand together at the end, in hexadecimal.
pub fn access_names(type_name: &str, mask: u32) -> Vec<Cow<'static, str>> {
    let mut names = Vec::new();
    let mut rest = mask;
    for (bit, name) in specific(type_name).iter().chain(COMMON) {
        if mask & bit != 0 {
            rest &= !bit;
            names.push(Cow::Borrowed(*name));
        }
    }
    if rest != 0 {
        names.push(Cow::Owned(format!("{rest:#x}")));
    }
    names
}

/// The rights of handle tables: what a handle itself allows.
pub fn handle_attributes(attributes: u32) -> Vec<Cow<'static, str>> {
    const ATTRIBUTES: Rights = &[
        (1, "protect_from_close"),
        (2, "inherit"),
        (4, "audit_on_close"),
    ];
    let mut names: Vec<_> = ATTRIBUTES
        .iter()
        .filter(|(bit, _)| attributes & bit != 0)
        .map(|(_, name)| Cow::Borrowed(*name))
        .collect();
    if attributes & !7 != 0 {
        names.push(Cow::Owned(format!("{:#x}", attributes & !7)));
    }
    names
}

const COMMON: Rights = &[
    (0x0001_0000, "DELETE"),
    (0x0002_0000, "READ_CONTROL"),
    (0x0004_0000, "WRITE_DAC"),
    (0x0008_0000, "WRITE_OWNER"),
    (0x0010_0000, "SYNCHRONIZE"),
    (0x0100_0000, "ACCESS_SYSTEM_SECURITY"),
    (0x0200_0000, "MAXIMUM_ALLOWED"),
    (0x1000_0000, "GENERIC_ALL"),
    (0x2000_0000, "GENERIC_EXECUTE"),
    (0x4000_0000, "GENERIC_WRITE"),
    (0x8000_0000, "GENERIC_READ"),
];

fn specific(type_name: &str) -> Rights {
    match type_name {
        "Process" => &[
            (0x0001, "PROCESS_TERMINATE"),
            (0x0002, "PROCESS_CREATE_THREAD"),
            (0x0004, "PROCESS_SET_SESSIONID"),
            (0x0008, "PROCESS_VM_OPERATION"),
            (0x0010, "PROCESS_VM_READ"),
            (0x0020, "PROCESS_VM_WRITE"),
            (0x0040, "PROCESS_DUP_HANDLE"),
            (0x0080, "PROCESS_CREATE_PROCESS"),
            (0x0100, "PROCESS_SET_QUOTA"),
            (0x0200, "PROCESS_SET_INFORMATION"),
            (0x0400, "PROCESS_QUERY_INFORMATION"),
            (0x0800, "PROCESS_SUSPEND_RESUME"),
            (0x1000, "PROCESS_QUERY_LIMITED_INFORMATION"),
            (0x2000, "PROCESS_SET_LIMITED_INFORMATION"),
        ],
        "Thread" => &[
            (0x0001, "THREAD_TERMINATE"),
            (0x0002, "THREAD_SUSPEND_RESUME"),
            (0x0004, "THREAD_ALERT"),
            (0x0008, "THREAD_GET_CONTEXT"),
            (0x0010, "THREAD_SET_CONTEXT"),
            (0x0020, "THREAD_SET_INFORMATION"),
            (0x0040, "THREAD_QUERY_INFORMATION"),
            (0x0080, "THREAD_SET_THREAD_TOKEN"),
            (0x0100, "THREAD_IMPERSONATE"),
            (0x0200, "THREAD_DIRECT_IMPERSONATION"),
            (0x0400, "THREAD_SET_LIMITED_INFORMATION"),
            (0x0800, "THREAD_QUERY_LIMITED_INFORMATION"),
            (0x1000, "THREAD_RESUME"),
        ],
        "Token" => &[
            (0x0001, "TOKEN_ASSIGN_PRIMARY"),
            (0x0002, "TOKEN_DUPLICATE"),
            (0x0004, "TOKEN_IMPERSONATE"),
            (0x0008, "TOKEN_QUERY"),
            (0x0010, "TOKEN_QUERY_SOURCE"),
            (0x0020, "TOKEN_ADJUST_PRIVILEGES"),
            (0x0040, "TOKEN_ADJUST_GROUPS"),
            (0x0080, "TOKEN_ADJUST_DEFAULT"),
            (0x0100, "TOKEN_ADJUST_SESSIONID"),
        ],
        "Directory" => &[
            (0x0001, "DIRECTORY_QUERY"),
            (0x0002, "DIRECTORY_TRAVERSE"),
            (0x0004, "DIRECTORY_CREATE_OBJECT"),
            (0x0008, "DIRECTORY_CREATE_SUBDIRECTORY"),
        ],
        "SymbolicLink" => &[
            (0x0001, "SYMBOLIC_LINK_QUERY"),
            (0x0002, "SYMBOLIC_LINK_SET"),
        ],
        "Key" => &[
            (0x0001, "KEY_QUERY_VALUE"),
            (0x0002, "KEY_SET_VALUE"),
            (0x0004, "KEY_CREATE_SUB_KEY"),
            (0x0008, "KEY_ENUMERATE_SUB_KEYS"),
            (0x0010, "KEY_NOTIFY"),
            (0x0020, "KEY_CREATE_LINK"),
            (0x0100, "KEY_WOW64_64KEY"),
            (0x0200, "KEY_WOW64_32KEY"),
        ],
        "File" => &[
            (0x0001, "FILE_READ_DATA"),
            (0x0002, "FILE_WRITE_DATA"),
            (0x0004, "FILE_APPEND_DATA"),
            (0x0008, "FILE_READ_EA"),
            (0x0010, "FILE_WRITE_EA"),
            (0x0020, "FILE_EXECUTE"),
            (0x0040, "FILE_DELETE_CHILD"),
            (0x0080, "FILE_READ_ATTRIBUTES"),
            (0x0100, "FILE_WRITE_ATTRIBUTES"),
        ],
        "Section" => &[
            (0x0001, "SECTION_QUERY"),
            (0x0002, "SECTION_MAP_WRITE"),
            (0x0004, "SECTION_MAP_READ"),
            (0x0008, "SECTION_MAP_EXECUTE"),
            (0x0010, "SECTION_EXTEND_SIZE"),
            (0x0020, "SECTION_MAP_EXECUTE_EXPLICIT"),
        ],
        "Event" => &[
            (0x0001, "EVENT_QUERY_STATE"),
            (0x0002, "EVENT_MODIFY_STATE"),
        ],
        "Mutant" => &[(0x0001, "MUTANT_QUERY_STATE")],
        "Semaphore" => &[
            (0x0001, "SEMAPHORE_QUERY_STATE"),
            (0x0002, "SEMAPHORE_MODIFY_STATE"),
        ],
        "Timer" | "IRTimer" => &[
            (0x0001, "TIMER_QUERY_STATE"),
            (0x0002, "TIMER_MODIFY_STATE"),
        ],
        "IoCompletion" => &[
            (0x0001, "IO_COMPLETION_QUERY_STATE"),
            (0x0002, "IO_COMPLETION_MODIFY_STATE"),
        ],
        "KeyedEvent" => &[(0x0001, "KEYEDEVENT_WAIT"), (0x0002, "KEYEDEVENT_WAKE")],
        "Job" => &[
            (0x0001, "JOB_OBJECT_ASSIGN_PROCESS"),
            (0x0002, "JOB_OBJECT_SET_ATTRIBUTES"),
            (0x0004, "JOB_OBJECT_QUERY"),
            (0x0008, "JOB_OBJECT_TERMINATE"),
            (0x0010, "JOB_OBJECT_SET_SECURITY_ATTRIBUTES"),
            (0x0020, "JOB_OBJECT_IMPERSONATE"),
        ],
        "Desktop" => &[
            (0x0001, "DESKTOP_READOBJECTS"),
            (0x0002, "DESKTOP_CREATEWINDOW"),
            (0x0004, "DESKTOP_CREATEMENU"),
            (0x0008, "DESKTOP_HOOKCONTROL"),
            (0x0010, "DESKTOP_JOURNALRECORD"),
            (0x0020, "DESKTOP_JOURNALPLAYBACK"),
            (0x0040, "DESKTOP_ENUMERATE"),
            (0x0080, "DESKTOP_WRITEOBJECTS"),
            (0x0100, "DESKTOP_SWITCHDESKTOP"),
        ],
        "WindowStation" => &[
            (0x0001, "WINSTA_ENUMDESKTOPS"),
            (0x0002, "WINSTA_READATTRIBUTES"),
            (0x0004, "WINSTA_ACCESSCLIPBOARD"),
            (0x0008, "WINSTA_CREATEDESKTOP"),
            (0x0010, "WINSTA_WRITEATTRIBUTES"),
            (0x0020, "WINSTA_ACCESSGLOBALATOMS"),
            (0x0040, "WINSTA_EXITWINDOWS"),
            (0x0100, "WINSTA_ENUMERATE"),
            (0x0200, "WINSTA_READSCREEN"),
        ],
        "ALPC Port" | "Port" | "WaitablePort" => &[(0x0001, "PORT_CONNECT")],
        "EtwRegistration" | "EtwConsumer" | "WmiGuid" => &[
            (0x0001, "WMIGUID_QUERY"),
            (0x0002, "WMIGUID_SET"),
            (0x0004, "WMIGUID_NOTIFICATION"),
            (0x0008, "WMIGUID_READ_DESCRIPTION"),
            (0x0010, "WMIGUID_EXECUTE"),
            (0x0020, "TRACELOG_CREATE_REALTIME"),
            (0x0040, "TRACELOG_CREATE_ONDISK"),
            (0x0080, "TRACELOG_GUID_ENABLE"),
            (0x0100, "TRACELOG_ACCESS_KERNEL_LOGGER"),
            (0x0200, "TRACELOG_LOG_EVENT"),
            (0x0400, "TRACELOG_ACCESS_REALTIME"),
            (0x0800, "TRACELOG_REGISTER_GUIDS"),
            (0x1000, "TRACELOG_JOIN_GROUP"),
        ],
        "TpWorkerFactory" => &[
            (0x0001, "WORKER_FACTORY_RELEASE_WORKER"),
            (0x0002, "WORKER_FACTORY_WAIT"),
            (0x0004, "WORKER_FACTORY_SET_INFORMATION"),
            (0x0008, "WORKER_FACTORY_QUERY_INFORMATION"),
            (0x0010, "WORKER_FACTORY_READY_WORKER"),
            (0x0020, "WORKER_FACTORY_SHUTDOWN"),
        ],
        "TmTx" => &[
            (0x0001, "TRANSACTION_QUERY_INFORMATION"),
            (0x0002, "TRANSACTION_SET_INFORMATION"),
            (0x0004, "TRANSACTION_ENLIST"),
            (0x0008, "TRANSACTION_COMMIT"),
            (0x0010, "TRANSACTION_ROLLBACK"),
            (0x0020, "TRANSACTION_PROPAGATE"),
        ],
        "DebugObject" => &[
            (0x0001, "DEBUG_READ_EVENT"),
            (0x0002, "DEBUG_PROCESS_ASSIGN"),
            (0x0004, "DEBUG_SET_INFORMATION"),
            (0x0008, "DEBUG_QUERY_INFORMATION"),
        ],
        "Session" => &[
            (0x0001, "SESSION_QUERY_ACCESS"),
            (0x0002, "SESSION_MODIFY_ACCESS"),
        ],
        "Partition" => &[
            (0x0001, "MEMORY_PARTITION_QUERY_ACCESS"),
            (0x0002, "MEMORY_PARTITION_MODIFY_ACCESS"),
        ],
        "Profile" => &[(0x0001, "PROFILE_CONTROL")],
        "Type" | "ObjectType" => &[(0x0001, "OBJECT_TYPE_CREATE")],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_named_for_the_type_of_the_object() {
        assert_eq!(
            access_names("Key", 0x2_0009),
            ["KEY_QUERY_VALUE", "KEY_ENUMERATE_SUB_KEYS", "READ_CONTROL"]
        );
        assert_eq!(
            access_names("Directory", 0x9),
            ["DIRECTORY_QUERY", "DIRECTORY_CREATE_SUBDIRECTORY"]
        );
    }

    #[test]
    fn bits_without_a_name_are_not_lost() {
        assert_eq!(
            access_names("type 7", 0x8010_0003),
            ["SYNCHRONIZE", "GENERIC_READ", "0x3"]
        );
        assert_eq!(handle_attributes(0x12), ["inherit", "0x10"]);
    }
}
