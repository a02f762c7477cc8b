//! The declarations the executable takes from `ntapi` and `winapi` against `phnt`.
//!
//! Left out are the fields in which `ntapi` 0.4.3 follows other headers, none of them used by the executable: it has
//! `PEB.AtlThunkSListPtr` and `IFEOKey` the other way round, and its `PEB` and process parameters end earlier.

use bootshot_reader::layout::structures as ours;
use ntapi::{ntapi_base, ntexapi, ntioapi, ntldr, ntobapi, ntpebteb, ntpsapi, ntregapi, ntrtl};
use winapi::shared::ntdef;
use winapi::um::winnt;

mod theirs {
    pub use phnt::ffi::*;
    pub use phnt::ffi::{_TOKEN_PRIVILEGES as TOKEN_PRIVILEGES, _TOKEN_USER as TOKEN_USER};
}

macro_rules! same_layout {
    ($( $module:ident::$structure:ident $size:tt { $( $field:ident $(as $path:ident)? ),* $(,)? } )*) => { $(
        same_layout!(@size $size $module $structure);
        $( same_layout!(@field $module $structure $field $($path)?); )*
    )* };

    (@size (same) $module:ident $structure:ident) => {
        const _: () = assert!(
            size_of::<$module::$structure>() == size_of::<theirs::$structure>(),
            concat!("sizeof ", stringify!($structure)),
        );
    };
    (@size (prefix) $module:ident $structure:ident) => {
        const _: () = assert!(
            size_of::<$module::$structure>() <= size_of::<theirs::$structure>(),
            concat!("sizeof ", stringify!($structure)),
        );
    };

    (@field $module:ident $structure:ident $field:ident) => {
        same_layout!(@field $module $structure $field $field);
    };
    (@field $module:ident $structure:ident $field:ident $path:ident) => {
        const _: () = assert!(
            core::mem::offset_of!($module::$structure, $field)
                == core::mem::offset_of!(theirs::$structure, $path),
            concat!("offset of ", stringify!($structure), ".", stringify!($field)),
        );
        const _: () = assert!(
            // SAFETY: never called; it only names the type of the field.
            crate::size_of_field(|s: *const $module::$structure| unsafe { &raw const (*s).$field })
                // SAFETY: as above.
                == crate::size_of_field(|s: *const theirs::$structure| unsafe { &raw const (*s).$path }),
            concat!("size of ", stringify!($structure), ".", stringify!($field)),
        );
    };
}

// The headers of `phnt` leave this one to the SDK.
const _: () = assert!(
    size_of::<winnt::TOKEN_MANDATORY_LABEL>() == size_of::<theirs::SID_AND_ATTRIBUTES>(),
    "sizeof TOKEN_MANDATORY_LABEL",
);

// Its fields are private in `phnt`, so the reader's offsets are compared with `winapi`'s.
const _: () = assert!(
    core::mem::offset_of!(ntdef::UNICODE_STRING, Buffer)
        == crate::here(ours::UNICODE_STRING::Buffer.offset),
    "offset of UNICODE_STRING.Buffer",
);

same_layout! {
    ntdef::OBJECT_ATTRIBUTES (same) {
        Length, RootDirectory, ObjectName, Attributes, SecurityDescriptor, SecurityQualityOfService,
    }
    ntioapi::IO_STATUS_BLOCK (same) { u as __bindgen_anon_1, Information }
    ntdef::LARGE_INTEGER (same) {}
    ntdef::UNICODE_STRING (same) {}
    ntapi_base::CLIENT_ID (same) { UniqueProcess, UniqueThread }
    winnt::LUID_AND_ATTRIBUTES (same) { Luid, Attributes }
    winnt::TOKEN_PRIVILEGES (same) { PrivilegeCount, Privileges }
    winnt::TOKEN_USER (same) { User }
    winnt::SID_AND_ATTRIBUTES (same) { Sid, Attributes }
    winnt::SID (same) { Revision, SubAuthorityCount, IdentifierAuthority, SubAuthority }
    ntioapi::FILE_RENAME_INFORMATION (same) {
        ReplaceIfExists, RootDirectory, FileNameLength, FileName,
    }
    ntioapi::FILE_DIRECTORY_INFORMATION (same) {
        NextEntryOffset, FileIndex, CreationTime, LastAccessTime, LastWriteTime, ChangeTime, EndOfFile,
        AllocationSize, FileAttributes, FileNameLength, FileName,
    }
    ntioapi::FILE_NAMES_INFORMATION (same) { NextEntryOffset, FileIndex, FileNameLength, FileName }
    ntioapi::FILE_FS_SIZE_INFORMATION (same) {
        TotalAllocationUnits, AvailableAllocationUnits, SectorsPerAllocationUnit, BytesPerSector,
    }
    ntioapi::FILE_FS_ATTRIBUTE_INFORMATION (same) {
        FileSystemAttributes, MaximumComponentNameLength, FileSystemNameLength, FileSystemName,
    }
    // The SDK's macros rename the field, in each of the two to another name.
    ntioapi::FILE_DISPOSITION_INFORMATION (same) { DeleteFileA as DeleteFileW }
    ntobapi::OBJECT_DIRECTORY_INFORMATION (same) { Name, TypeName }
    ntobapi::OBJECT_TYPE_INFORMATION (same) {
        TypeName, TotalNumberOfObjects, GenericMapping, ValidAccessMask, TypeIndex, PoolType,
    }
    ntregapi::KEY_BASIC_INFORMATION (same) { LastWriteTime, TitleIndex, NameLength, Name }
    ntregapi::KEY_VALUE_PARTIAL_INFORMATION (same) { TitleIndex, Type, DataLength, Data }
    ntregapi::KEY_VALUE_FULL_INFORMATION (same) { TitleIndex, Type, DataOffset, DataLength, NameLength, Name }
    ntpsapi::PROCESS_BASIC_INFORMATION (same) {
        ExitStatus, PebBaseAddress, AffinityMask, BasePriority, UniqueProcessId, InheritedFromUniqueProcessId,
    }
    ntpsapi::PROCESS_TELEMETRY_ID_INFORMATION (same) { HeaderSize, ProcessId, ImagePathOffset, CommandLineOffset }
    ntexapi::SYSTEM_PROCESS_INFORMATION (same) {
        NextEntryOffset, NumberOfThreads, CreateTime, ImageName, UniqueProcessId, InheritedFromUniqueProcessId,
        HandleCount, PrivatePageCount, Threads,
    }
    ntexapi::SYSTEM_HANDLE_INFORMATION_EX (same) { NumberOfHandles, Reserved, Handles }
    ntexapi::SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX (same) {
        Object, UniqueProcessId, HandleValue, GrantedAccess, ObjectTypeIndex, HandleAttributes,
    }
    ntldr::RTL_PROCESS_MODULE_INFORMATION (same) {
        MappedBase, ImageBase, ImageSize, Flags, OffsetToFileName, FullPathName,
    }
    ntldr::RTL_PROCESS_MODULES (same) { NumberOfModules, Modules }
    ntldr::RTL_PROCESS_MODULE_INFORMATION_EX (same) { NextOffset, BaseInfo as __bindgen_anon_1 }
    ntpsapi::PEB_LDR_DATA (same) { Length, Initialized, InLoadOrderModuleList }
    ntldr::LDR_DATA_TABLE_ENTRY (prefix) { InLoadOrderLinks, DllBase, FullDllName, BaseDllName }
    ntexapi::SYSTEM_TIMEOFDAY_INFORMATION (same) { BootTime, CurrentTime }
    ntexapi::KUSER_SHARED_DATA (prefix) {
        InterruptTime, SystemTime, NtSystemRoot, NtBuildNumber, NativeProcessorArchitecture, NtMajorVersion,
        NtMinorVersion, BootId, KdDebuggerEnabled, SafeBootMode, QpcFrequency, ActiveProcessorCount,
    }
    ntrtl::CURDIR (same) { DosPath, Handle }
    ntrtl::RTL_USER_PROCESS_PARAMETERS (prefix) {
        MaximumLength, Length, Flags, DebugFlags, ConsoleHandle, ConsoleFlags, StandardInput, StandardOutput,
        StandardError, CurrentDirectory, DllPath, ImagePathName, CommandLine, Environment, WindowTitle,
        DesktopInfo, ShellInfo, RuntimeData, CurrentDirectories, EnvironmentSize, EnvironmentVersion,
    }
    ntpebteb::PEB (prefix) {
        InheritedAddressSpace, ReadImageFileExecOptions, BeingDebugged, Mutant, ImageBaseAddress, Ldr,
        ProcessParameters, SubSystemData, ProcessHeap, FastPebLock, CrossProcessFlags as __bindgen_anon_2,
        ApiSetMap, NumberOfProcessors, NtGlobalFlag, CriticalSectionTimeout, ProcessHeaps, OSMajorVersion,
        OSMinorVersion, OSBuildNumber, OSCSDVersion, OSPlatformId, ImageSubsystem, SessionId, CSDVersion,
        MinimumStackCommit, WerRegistrationData, pImageHeaderHash, CsrServerReadOnlySharedMemoryBase,
        WaitOnAddressHashTable, TelemetryCoverageHeader, LeapSecondData, NtGlobalFlag2,
    }
}
