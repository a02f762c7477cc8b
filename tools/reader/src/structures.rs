//! The kernel structures snapshots hold, defined once for both pointer widths.
//!
//! [`for_each_structure!`](crate::for_each_structure) hands the whole table to another macro: [`crate::layout`]
//! derives the accessors and the tables people see from it, `tools/abi-check` compares it with `phnt`. Names are
//! those of the System Informer headers (`phnt`), as of Windows 11 24H2.

/// Calls `$callback!` with every structure.
///
/// A row is `Name: Kind = offset32 offset64;`, followed by `, as path` where `phnt` hides the field in an anonymous
/// union, and by a sentence where people read the field itself. `struct Name: size32 size64` is `sizeof`, a first
/// element of a trailing array included; a `Tail` field is where such an array, or anything else that is not read
/// through the table, starts.
#[macro_export]
macro_rules! for_each_structure {
    ($callback:ident) => {
        $callback! {
            /// A counted UTF-16 string; lengths in bytes, the characters elsewhere.
            struct UNICODE_STRING: 0x8 0x10 {
                Length: u16 = 0x0 0x0;
                MaximumLength: u16 = 0x2 0x2;
                Buffer: Pointer = 0x4 0x8;
            }
            /// A link of a doubly linked list.
            struct LIST_ENTRY: 0x8 0x10 {
                Flink: Pointer = 0x0 0x0;
                Blink: Pointer = 0x4 0x8;
            }
            /// Names a thread: its process and itself.
            struct CLIENT_ID: 0x8 0x10 {
                UniqueProcess: Handle = 0x0 0x0;
                UniqueThread: Handle = 0x4 0x8;
            }
            /// Which rights of an object type the four generic rights stand for.
            struct GENERIC_MAPPING: 0x10 0x10 {
                GenericRead: u32 = 0x0 0x0;
                GenericWrite: u32 = 0x4 0x4;
                GenericExecute: u32 = 0x8 0x8;
                GenericAll: u32 = 0xc 0xc;
            }
            /// A 64-bit time that can be read without a lock: equal high parts mean a whole one.
            struct KSYSTEM_TIME: 0xc 0xc {
                LowPart: u32 = 0x0 0x0;
                High1Time: i32 = 0x4 0x4;
                High2Time: i32 = 0x8 0x8;
            }
            /// A process in the answers of classes 5, 57 and 148; its threads follow.
            struct SYSTEM_PROCESS_INFORMATION: 0xf8 0x150 {
                NextEntryOffset: u32 = 0x0 0x0;
                NumberOfThreads: u32 = 0x4 0x4;
                WorkingSetPrivateSize: i64 = 0x8 0x8;
                HardFaultCount: u32 = 0x10 0x10;
                NumberOfThreadsHighWatermark: u32 = 0x14 0x14;
                CycleTime: u64 = 0x18 0x18;
                CreateTime: i64 = 0x20 0x20;
                UserTime: i64 = 0x28 0x28;
                KernelTime: i64 = 0x30 0x30;
                ImageName: UnicodeString = 0x38 0x38;
                BasePriority: i32 = 0x40 0x48;
                UniqueProcessId: Handle = 0x44 0x50;
                InheritedFromUniqueProcessId: Handle = 0x48 0x58;
                HandleCount: u32 = 0x4c 0x60;
                SessionId: u32 = 0x50 0x64;
                UniqueProcessKey: Size = 0x54 0x68;
                PeakVirtualSize: Size = 0x58 0x70;
                VirtualSize: Size = 0x5c 0x78;
                PageFaultCount: u32 = 0x60 0x80;
                PeakWorkingSetSize: Size = 0x64 0x88;
                WorkingSetSize: Size = 0x68 0x90;
                QuotaPeakPagedPoolUsage: Size = 0x6c 0x98;
                QuotaPagedPoolUsage: Size = 0x70 0xa0;
                QuotaPeakNonPagedPoolUsage: Size = 0x74 0xa8;
                QuotaNonPagedPoolUsage: Size = 0x78 0xb0;
                PagefileUsage: Size = 0x7c 0xb8;
                PeakPagefileUsage: Size = 0x80 0xc0;
                PrivatePageCount: Size = 0x84 0xc8;
                ReadOperationCount: i64 = 0x88 0xd0;
                WriteOperationCount: i64 = 0x90 0xd8;
                OtherOperationCount: i64 = 0x98 0xe0;
                ReadTransferCount: i64 = 0xa0 0xe8;
                WriteTransferCount: i64 = 0xa8 0xf0;
                OtherTransferCount: i64 = 0xb0 0xf8;
                Threads: Tail = 0xb8 0x100;
            }
            /// A thread in class 5.
            struct SYSTEM_THREAD_INFORMATION: 0x40 0x50 {
                KernelTime: i64 = 0x0 0x0;
                UserTime: i64 = 0x8 0x8;
                CreateTime: i64 = 0x10 0x10;
                WaitTime: u32 = 0x18 0x18;
                StartAddress: Pointer = 0x1c 0x20;
                ClientId: Nested<CLIENT_ID> = 0x20 0x28;
                Priority: i32 = 0x28 0x38;
                BasePriority: i32 = 0x2c 0x3c;
                ContextSwitches: u32 = 0x30 0x40;
                ThreadState: u32 = 0x34 0x44;
                WaitReason: u32 = 0x38 0x48;
            }
            /// A thread in classes 57 and 148.
            struct SYSTEM_EXTENDED_THREAD_INFORMATION: 0x60 0x88 {
                ThreadInfo: Nested<SYSTEM_THREAD_INFORMATION> = 0x0 0x0;
                StackBase: Size = 0x40 0x50;
                StackLimit: Size = 0x44 0x58;
                Win32StartAddress: Pointer = 0x48 0x60;
                TebBase: Pointer = 0x4c 0x68;
                Reserved2: Size = 0x50 0x70;
                Reserved3: Size = 0x54 0x78;
                Reserved4: Size = 0x58 0x80;
            }
            /// What class 148 says of a process behind its threads; offsets count from here.
            struct SYSTEM_PROCESS_INFORMATION_EXTENSION: 0x168 0x170 {
                DiskCounters: Nested<PROCESS_DISK_COUNTERS> = 0x0 0x0;
                ContextSwitches: u64 = 0x28 0x28;
                Flags: u32 = 0x30 0x30, as __bindgen_anon_1.Flags;
                UserSidOffset: u32 = 0x34 0x34;
                PackageFullNameOffset: u32 = 0x38 0x38;
                AppIdOffset: u32 = 0x150 0x150;
                SharedCommitCharge: Size = 0x154 0x158;
                JobObjectId: u32 = 0x158 0x160;
                SpareUlong: u32 = 0x15c 0x164;
                ProcessSequenceNumber: u64 = 0x160 0x168;
            }
            /// Disk traffic of a process.
            struct PROCESS_DISK_COUNTERS: 0x28 0x28 {
                BytesRead: u64 = 0x0 0x0;
                BytesWritten: u64 = 0x8 0x8;
                ReadOperationCount: u64 = 0x10 0x10;
                WriteOperationCount: u64 = 0x18 0x18;
                FlushOperationCount: u64 = 0x20 0x20;
            }
            /// Class 16: the handles of all processes, ids cut to 16 bits.
            struct SYSTEM_HANDLE_INFORMATION: 0x14 0x20 {
                NumberOfHandles: u32 = 0x0 0x0;
                Handles: Tail = 0x4 0x8;
            }
            /// A handle in class 16.
            struct SYSTEM_HANDLE_TABLE_ENTRY_INFO: 0x10 0x18 {
                UniqueProcessId: u16 = 0x0 0x0;
                CreatorBackTraceIndex: u16 = 0x2 0x2;
                ObjectTypeIndex: u8 = 0x4 0x4;
                HandleAttributes: u8 = 0x5 0x5;
                HandleValue: u16 = 0x6 0x6;
                Object: Pointer = 0x8 0x8;
                GrantedAccess: u32 = 0xc 0x10;
            }
            /// Class 64: the handles of all processes.
            struct SYSTEM_HANDLE_INFORMATION_EX: 0x24 0x38 {
                NumberOfHandles: Size = 0x0 0x0;
                Reserved: Size = 0x4 0x8;
                Handles: Tail = 0x8 0x10;
            }
            /// A handle in class 64.
            struct SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX: 0x1c 0x28 {
                Object: Pointer = 0x0 0x0;
                UniqueProcessId: Handle = 0x4 0x8;
                HandleValue: Handle = 0x8 0x10;
                GrantedAccess: u32 = 0xc 0x18;
                CreatorBackTraceIndex: u16 = 0x10 0x1c;
                ObjectTypeIndex: u16 = 0x12 0x1e;
                HandleAttributes: u32 = 0x14 0x20;
                Reserved: u32 = 0x18 0x24;
            }
            /// `NtQueryObject` class 3; the types follow, each aligned to a pointer behind the name before it.
            struct OBJECT_TYPES_INFORMATION: 0x4 0x4 {
                NumberOfTypes: u32 = 0x0 0x0;
            }
            /// An object type with totals and peaks; its name follows.
            struct OBJECT_TYPE_INFORMATION: 0x60 0x68 {
                TypeName: UnicodeString = 0x0 0x0;
                TotalNumberOfObjects: u32 = 0x8 0x10;
                TotalNumberOfHandles: u32 = 0xc 0x14;
                TotalPagedPoolUsage: u32 = 0x10 0x18;
                TotalNonPagedPoolUsage: u32 = 0x14 0x1c;
                TotalNamePoolUsage: u32 = 0x18 0x20;
                TotalHandleTableUsage: u32 = 0x1c 0x24;
                HighWaterNumberOfObjects: u32 = 0x20 0x28;
                HighWaterNumberOfHandles: u32 = 0x24 0x2c;
                HighWaterPagedPoolUsage: u32 = 0x28 0x30;
                HighWaterNonPagedPoolUsage: u32 = 0x2c 0x34;
                HighWaterNamePoolUsage: u32 = 0x30 0x38;
                HighWaterHandleTableUsage: u32 = 0x34 0x3c;
                InvalidAttributes: u32 = 0x38 0x40;
                GenericMapping: Nested<GENERIC_MAPPING> = 0x3c 0x44;
                ValidAccessMask: u32 = 0x4c 0x54;
                SecurityRequired: Boolean = 0x50 0x58;
                MaintainHandleCount: Boolean = 0x51 0x59;
                TypeIndex: u8 = 0x52 0x5a;
                ReservedByte: u8 = 0x53 0x5b;
                PoolType: u32 = 0x54 0x5c;
                DefaultPagedPoolCharge: u32 = 0x58 0x60;
                DefaultNonPagedPoolCharge: u32 = 0x5c 0x64;
            }
            /// An entry of an object directory.
            struct OBJECT_DIRECTORY_INFORMATION: 0x10 0x20 {
                Name: UnicodeString = 0x0 0x0;
                TypeName: UnicodeString = 0x8 0x10;
            }
            /// Class 11: the kernel modules.
            struct RTL_PROCESS_MODULES: 0x120 0x130 {
                NumberOfModules: u32 = 0x0 0x0;
                Modules: Tail = 0x4 0x8;
            }
            /// A kernel module in class 11.
            struct RTL_PROCESS_MODULE_INFORMATION: 0x11c 0x128 {
                Section: Pointer = 0x0 0x0;
                MappedBase: Pointer = 0x4 0x8;
                ImageBase: Pointer = 0x8 0x10;
                ImageSize: u32 = 0xc 0x18;
                Flags: u32 = 0x10 0x1c;
                LoadOrderIndex: u16 = 0x14 0x20;
                InitOrderIndex: u16 = 0x16 0x22;
                LoadCount: u16 = 0x18 0x24;
                OffsetToFileName: u16 = 0x1a 0x26;
                FullPathName: [u8; 256] = 0x1c 0x28;
            }
            /// A kernel module in class 77.
            struct RTL_PROCESS_MODULE_INFORMATION_EX: 0x12c 0x140 {
                NextOffset: u16 = 0x0 0x0;
                BaseInfo: Nested<RTL_PROCESS_MODULE_INFORMATION> = 0x4 0x8, as __bindgen_anon_1.BaseInfo;
                ImageChecksum: u32 = 0x120 0x130;
                TimeDateStamp: u32 = 0x124 0x134;
                DefaultBase: Pointer = 0x128 0x138;
            }
            /// Class 0: page size, physical pages, processors.
            struct SYSTEM_BASIC_INFORMATION: 0x2c 0x40 {
                Reserved: u32 = 0x0 0x0;
                TimerResolution: u32 = 0x4 0x4;
                PageSize: u32 = 0x8 0x8;
                NumberOfPhysicalPages: u32 = 0xc 0xc;
                LowestPhysicalPageNumber: u32 = 0x10 0x10;
                HighestPhysicalPageNumber: u32 = 0x14 0x14;
                AllocationGranularity: u32 = 0x18 0x18;
                MinimumUserModeAddress: Size = 0x1c 0x20;
                MaximumUserModeAddress: Size = 0x20 0x28;
                ActiveProcessorsAffinityMask: Size = 0x24 0x30;
                NumberOfProcessors: u8 = 0x28 0x38;
            }
            /// Class 1: the kind of processor.
            struct SYSTEM_PROCESSOR_INFORMATION: 0xc 0xc {
                ProcessorArchitecture: u16 = 0x0 0x0;
                ProcessorLevel: u16 = 0x2 0x2;
                ProcessorRevision: u16 = 0x4 0x4;
                MaximumProcessors: u16 = 0x6 0x6;
                ProcessorFeatureBits: u32 = 0x8 0x8;
            }
            /// Class 2: memory, I/O and cache counters since boot; NT 5.2 ends before `CcTotalDirtyPages`.
            struct SYSTEM_PERFORMANCE_INFORMATION: 0x178 0x178 {
                IdleProcessTime: i64 = 0x0 0x0;
                IoReadTransferCount: i64 = 0x8 0x8;
                IoWriteTransferCount: i64 = 0x10 0x10;
                IoOtherTransferCount: i64 = 0x18 0x18;
                IoReadOperationCount: u32 = 0x20 0x20;
                IoWriteOperationCount: u32 = 0x24 0x24;
                IoOtherOperationCount: u32 = 0x28 0x28;
                AvailablePages: u32 = 0x2c 0x2c;
                CommittedPages: u32 = 0x30 0x30;
                CommitLimit: u32 = 0x34 0x34;
                PeakCommitment: u32 = 0x38 0x38;
                PageFaultCount: u32 = 0x3c 0x3c;
                CopyOnWriteCount: u32 = 0x40 0x40;
                TransitionCount: u32 = 0x44 0x44;
                CacheTransitionCount: u32 = 0x48 0x48;
                DemandZeroCount: u32 = 0x4c 0x4c;
                PageReadCount: u32 = 0x50 0x50;
                PageReadIoCount: u32 = 0x54 0x54;
                CacheReadCount: u32 = 0x58 0x58;
                CacheIoCount: u32 = 0x5c 0x5c;
                DirtyPagesWriteCount: u32 = 0x60 0x60;
                DirtyWriteIoCount: u32 = 0x64 0x64;
                MappedPagesWriteCount: u32 = 0x68 0x68;
                MappedWriteIoCount: u32 = 0x6c 0x6c;
                PagedPoolPages: u32 = 0x70 0x70;
                NonPagedPoolPages: u32 = 0x74 0x74;
                PagedPoolAllocs: u32 = 0x78 0x78;
                PagedPoolFrees: u32 = 0x7c 0x7c;
                NonPagedPoolAllocs: u32 = 0x80 0x80;
                NonPagedPoolFrees: u32 = 0x84 0x84;
                FreeSystemPtes: u32 = 0x88 0x88;
                ResidentSystemCodePage: u32 = 0x8c 0x8c;
                TotalSystemDriverPages: u32 = 0x90 0x90;
                TotalSystemCodePages: u32 = 0x94 0x94;
                NonPagedPoolLookasideHits: u32 = 0x98 0x98;
                PagedPoolLookasideHits: u32 = 0x9c 0x9c;
                AvailablePagedPoolPages: u32 = 0xa0 0xa0;
                ResidentSystemCachePage: u32 = 0xa4 0xa4;
                ResidentPagedPoolPage: u32 = 0xa8 0xa8;
                ResidentSystemDriverPage: u32 = 0xac 0xac;
                CcFastReadNoWait: u32 = 0xb0 0xb0;
                CcFastReadWait: u32 = 0xb4 0xb4;
                CcFastReadResourceMiss: u32 = 0xb8 0xb8;
                CcFastReadNotPossible: u32 = 0xbc 0xbc;
                CcFastMdlReadNoWait: u32 = 0xc0 0xc0;
                CcFastMdlReadWait: u32 = 0xc4 0xc4;
                CcFastMdlReadResourceMiss: u32 = 0xc8 0xc8;
                CcFastMdlReadNotPossible: u32 = 0xcc 0xcc;
                CcMapDataNoWait: u32 = 0xd0 0xd0;
                CcMapDataWait: u32 = 0xd4 0xd4;
                CcMapDataNoWaitMiss: u32 = 0xd8 0xd8;
                CcMapDataWaitMiss: u32 = 0xdc 0xdc;
                CcPinMappedDataCount: u32 = 0xe0 0xe0;
                CcPinReadNoWait: u32 = 0xe4 0xe4;
                CcPinReadWait: u32 = 0xe8 0xe8;
                CcPinReadNoWaitMiss: u32 = 0xec 0xec;
                CcPinReadWaitMiss: u32 = 0xf0 0xf0;
                CcCopyReadNoWait: u32 = 0xf4 0xf4;
                CcCopyReadWait: u32 = 0xf8 0xf8;
                CcCopyReadNoWaitMiss: u32 = 0xfc 0xfc;
                CcCopyReadWaitMiss: u32 = 0x100 0x100;
                CcMdlReadNoWait: u32 = 0x104 0x104;
                CcMdlReadWait: u32 = 0x108 0x108;
                CcMdlReadNoWaitMiss: u32 = 0x10c 0x10c;
                CcMdlReadWaitMiss: u32 = 0x110 0x110;
                CcReadAheadIos: u32 = 0x114 0x114;
                CcLazyWriteIos: u32 = 0x118 0x118;
                CcLazyWritePages: u32 = 0x11c 0x11c;
                CcDataFlushes: u32 = 0x120 0x120;
                CcDataPages: u32 = 0x124 0x124;
                ContextSwitches: u32 = 0x128 0x128;
                FirstLevelTbFills: u32 = 0x12c 0x12c;
                SecondLevelTbFills: u32 = 0x130 0x130;
                SystemCalls: u32 = 0x134 0x134;
                CcTotalDirtyPages: u64 = 0x138 0x138;
                CcDirtyPageThreshold: u64 = 0x140 0x140;
                ResidentAvailablePages: i64 = 0x148 0x148;
                SharedCommittedPages: u64 = 0x150 0x150;
                MdlPagesAllocated: u64 = 0x158 0x158;
                PfnDatabaseCommittedPages: u64 = 0x160 0x160;
                SystemPageTableCommittedPages: u64 = 0x168 0x168;
                ContiguousPagesAllocated: u64 = 0x170 0x170;
            }
            /// Class 3: boot time and current time.
            struct SYSTEM_TIMEOFDAY_INFORMATION: 0x30 0x30 {
                BootTime: i64 = 0x0 0x0;
                CurrentTime: i64 = 0x8 0x8;
                TimeZoneBias: i64 = 0x10 0x10;
                TimeZoneId: u32 = 0x18 0x18;
                Reserved: u32 = 0x1c 0x1c;
                BootTimeBias: u64 = 0x20 0x20;
                SleepTimeBias: u64 = 0x28 0x28;
            }
            /// Class 8: times of one processor.
            struct SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION: 0x30 0x30 {
                IdleTime: i64 = 0x0 0x0;
                KernelTime: i64 = 0x8 0x8;
                UserTime: i64 = 0x10 0x10;
                DpcTime: i64 = 0x18 0x18;
                InterruptTime: i64 = 0x20 0x20;
                InterruptCount: u32 = 0x28 0x28;
            }
            /// A page file in class 18; sizes in pages.
            struct SYSTEM_PAGEFILE_INFORMATION: 0x18 0x20 {
                NextEntryOffset: u32 = 0x0 0x0;
                TotalSize: u32 = 0x4 0x4;
                TotalInUse: u32 = 0x8 0x8;
                PeakUsage: u32 = 0xc 0xc;
                PageFileName: UnicodeString = 0x10 0x10;
            }
            /// A page file in class 144; sizes in pages.
            struct SYSTEM_PAGEFILE_INFORMATION_EX: 0x20 0x28 {
                Info: Nested<SYSTEM_PAGEFILE_INFORMATION> = 0x0 0x0, as __bindgen_anon_1.Info;
                MinimumSize: u32 = 0x18 0x20;
                MaximumSize: u32 = 0x1c 0x24;
            }
            /// Class 21: the system cache working set.
            struct SYSTEM_FILECACHE_INFORMATION: 0x24 0x40 {
                CurrentSize: Size = 0x0 0x0;
                PeakSize: Size = 0x4 0x8;
                PageFaultCount: u32 = 0x8 0x10;
                MinimumWorkingSet: Size = 0xc 0x18;
                MaximumWorkingSet: Size = 0x10 0x20;
                CurrentSizeIncludingTransitionInPages: Size = 0x14 0x28;
                PeakSizeIncludingTransitionInPages: Size = 0x18 0x30;
                TransitionRePurposeCount: u32 = 0x1c 0x38;
                Flags: u32 = 0x20 0x3c;
            }
            /// Class 37: memory taken by the registry.
            struct SYSTEM_REGISTRY_QUOTA_INFORMATION: 0xc 0x10 {
                RegistryQuotaAllowed: u32 = 0x0 0x0;
                RegistryQuotaUsed: u32 = 0x4 0x4;
                PagedPoolSize: Size = 0x8 0x8;
            }
            /// Class 80: pages on each of the memory manager's lists.
            struct SYSTEM_MEMORY_LIST_INFORMATION: 0x58 0xb0 {
                ZeroPageCount: Size = 0x0 0x0;
                FreePageCount: Size = 0x4 0x8;
                ModifiedPageCount: Size = 0x8 0x10;
                ModifiedNoWritePageCount: Size = 0xc 0x18;
                BadPageCount: Size = 0x10 0x20;
                PageCountByPriority: [Size; 8] = 0x14 0x28;
                RepurposedPagesByPriority: [Size; 8] = 0x34 0x68;
                ModifiedPageCountPageFile: Size = 0x54 0xa8;
            }
            /// Class 90: the boot entry and the kind of firmware.
            struct SYSTEM_BOOT_ENVIRONMENT_INFORMATION: 0x20 0x20 {
                BootIdentifier: [u8; 16] = 0x0 0x0;
                FirmwareType: u32 = 0x10 0x10;
                BootFlags: u64 = 0x18 0x18, as __bindgen_anon_1.BootFlags;
            }
            /// Class 103: how strictly code must be signed.
            struct SYSTEM_CODEINTEGRITY_INFORMATION: 0x8 0x8 {
                Length: u32 = 0x0 0x0;
                CodeIntegrityOptions: u32 = 0x4 0x4;
            }
            /// Class 145: Secure Boot.
            struct SYSTEM_SECUREBOOT_INFORMATION: 0x2 0x2 {
                SecureBootEnabled: Boolean = 0x0 0x0;
                SecureBootCapable: Boolean = 0x1 0x1;
            }
            /// Class 35: the kernel debugger.
            struct SYSTEM_KERNEL_DEBUGGER_INFORMATION: 0x2 0x2 {
                KernelDebuggerEnabled: Boolean = 0x0 0x0;
                KernelDebuggerNotPresent: Boolean = 0x1 0x1;
            }
            /// Class 149: the kernel debugger.
            struct SYSTEM_KERNEL_DEBUGGER_INFORMATION_EX: 0x3 0x3 {
                DebuggerAllowed: Boolean = 0x0 0x0;
                DebuggerEnabled: Boolean = 0x1 0x1;
                DebuggerPresent: Boolean = 0x2 0x2;
            }
            /// Class 91: whether there is a hypervisor.
            struct SYSTEM_HYPERVISOR_QUERY_INFORMATION: 0x10 0x10 {
                HypervisorConnected: Boolean = 0x0 0x0;
                HypervisorDebuggingEnabled: Boolean = 0x1 0x1;
                HypervisorPresent: Boolean = 0x2 0x2;
                Spare0: [Boolean; 5] = 0x3 0x3;
                EnabledEnlightenments: u64 = 0x8 0x8;
            }
            /// Class 159: what the hypervisor's CPUID leaves say.
            struct SYSTEM_HYPERVISOR_DETAIL_INFORMATION: 0x70 0x70 {
                HvVendorAndMaxFunction: [u32; 4] = 0x0 0x0;
                HypervisorInterface: [u32; 4] = 0x10 0x10;
                HypervisorVersion: [u32; 4] = 0x20 0x20;
                HvFeatures: [u32; 4] = 0x30 0x30;
                HwFeatures: [u32; 4] = 0x40 0x40;
                EnlightenmentInfo: [u32; 4] = 0x50 0x50;
                ImplementationLimits: [u32; 4] = 0x60 0x60;
            }
            /// Class 165: virtualization-based security.
            struct SYSTEM_ISOLATED_USER_MODE_INFORMATION: 0x10 0x10 {
                Flags: u16 = 0x0 0x0, as _bitfield_1;
                Spare0: [Boolean; 6] = 0x2 0x2;
                Spare1: u64 = 0x8 0x8;
            }
            /// Class 133: the firmware's platform binary (WPBT).
            struct SYSTEM_PLATFORM_BINARY_INFORMATION: 0x18 0x20 {
                PhysicalAddress: u64 = 0x0 0x0;
                HandoffBuffer: Pointer = 0x8 0x8;
                CommandLineBuffer: Pointer = 0xc 0x10;
                HandoffBufferSize: u32 = 0x10 0x18;
                CommandLineBufferSize: u32 = 0x14 0x1c;
            }
            /// Class 76: a firmware table.
            struct SYSTEM_FIRMWARE_TABLE_INFORMATION: 0x14 0x14 {
                ProviderSignature: u32 = 0x0 0x0;
                Action: u32 = 0x4 0x4;
                TableID: u32 = 0x8 0x8;
                TableBufferLength: u32 = 0xc 0xc;
                TableBuffer: Tail = 0x10 0x10;
            }
            /// A registry value without its name.
            struct KEY_VALUE_PARTIAL_INFORMATION: 0x10 0x10 {
                TitleIndex: u32 = 0x0 0x0;
                Type: u32 = 0x4 0x4;
                DataLength: u32 = 0x8 0x8;
                Data: Tail = 0xc 0xc;
            }
            /// A registry value with its name.
            struct KEY_VALUE_FULL_INFORMATION: 0x18 0x18 {
                TitleIndex: u32 = 0x0 0x0;
                Type: u32 = 0x4 0x4;
                DataOffset: u32 = 0x8 0x8;
                DataLength: u32 = 0xc 0xc;
                NameLength: u32 = 0x10 0x10;
                Name: Tail = 0x14 0x14;
            }
            /// A key in a run of `NtEnumerateKey`, class 0; its name follows.
            struct KEY_BASIC_INFORMATION: 0x18 0x18 {
                LastWriteTime: i64 = 0x0 0x0;
                TitleIndex: u32 = 0x8 0x8;
                NameLength: u32 = 0xc 0xc;
                Name: Tail = 0x10 0x10;
            }
            /// `NtQueryKey` class 5: whether a key is volatile (bit 0 of `KeyFlags`), whether it is a link (bit 1).
            struct KEY_FLAGS_INFORMATION: 0xc 0xc {
                Wow64Flags: u32 = 0x0 0x0;
                KeyFlags: u32 = 0x4 0x4;
                ControlFlags: u32 = 0x8 0x8;
            }
            /// Class 22: the pool by the tags of allocations.
            struct SYSTEM_POOLTAG_INFORMATION: 0x20 0x30 {
                Count: u32 = 0x0 0x0;
                TagInfo: Tail = 0x4 0x8;
            }
            /// A pool tag in class 22; sizes in bytes.
            struct SYSTEM_POOLTAG: 0x1c 0x28 {
                Tag: [u8; 4] = 0x0 0x0, as __bindgen_anon_1.Tag;
                PagedAllocs: u32 = 0x4 0x4;
                PagedFrees: u32 = 0x8 0x8;
                PagedUsed: Size = 0xc 0x10;
                NonPagedAllocs: u32 = 0x10 0x18;
                NonPagedFrees: u32 = 0x14 0x1c;
                NonPagedUsed: Size = 0x18 0x20;
            }
            /// A variable of the firmware with its value, class 2; the name ends with a zero, `ValueOffset` counts from here.
            struct VARIABLE_NAME_AND_VALUE: 0x24 0x24 {
                NextEntryOffset: u32 = 0x0 0x0;
                ValueOffset: u32 = 0x4 0x4;
                ValueLength: u32 = 0x8 0x8;
                Attributes: u32 = 0xc 0xc;
                VendorGuid: [u8; 16] = 0x10 0x10;
                Name: Tail = 0x20 0x20;
            }
            /// A variable of the firmware by its name alone, class 1; the name ends with a zero.
            struct VARIABLE_NAME: 0x18 0x18 {
                NextEntryOffset: u32 = 0x0 0x0;
                VendorGuid: [u8; 16] = 0x4 0x4;
                Name: Tail = 0x14 0x14;
            }
            /// `NtQueryInformationFile` class 5.
            struct FILE_STANDARD_INFORMATION: 0x18 0x18 {
                AllocationSize: i64 = 0x0 0x0;
                EndOfFile: i64 = 0x8 0x8;
                NumberOfLinks: u32 = 0x10 0x10;
                DeletePending: Boolean = 0x14 0x14;
                Directory: Boolean = 0x15 0x15;
            }
            /// `NtQueryInformationFile` class 4.
            struct FILE_BASIC_INFORMATION: 0x28 0x28 {
                CreationTime: i64 = 0x0 0x0;
                LastAccessTime: i64 = 0x8 0x8;
                LastWriteTime: i64 = 0x10 0x10;
                ChangeTime: i64 = 0x18 0x18;
                FileAttributes: u32 = 0x20 0x20;
            }
            /// Class 182: memory in use, in bytes.
            struct SYSTEM_MEMORY_USAGE_INFORMATION: 0x38 0x38 {
                TotalPhysicalBytes: u64 = 0x0 0x0;
                AvailableBytes: u64 = 0x8 0x8;
                ResidentAvailableBytes: i64 = 0x10 0x10;
                CommittedBytes: u64 = 0x18 0x18;
                SharedCommittedBytes: u64 = 0x20 0x20;
                CommitLimitBytes: u64 = 0x28 0x28;
                PeakCommitmentBytes: u64 = 0x30 0x30;
            }
            /// The process environment block.
            struct PEB: 0x488 0x7d0 {
                InheritedAddressSpace: Boolean = 0x0 0x0, "Set while a forked process still runs on its parent's address space.";
                ReadImageFileExecOptions: Boolean = 0x1 0x1, "Whether image file execution options were looked up for this image.";
                BeingDebugged: Boolean = 0x2 0x2, "Whether a user-mode debugger is attached.";
                BitField: u8 = 0x3 0x3, as __bindgen_anon_1.BitField, "Image and package flags: large pages, protected, relocated, packaged, AppContainer.";
                Mutant: Handle = 0x4 0x8, "Once a mutant of the process; -1 today.";
                ImageBaseAddress: Pointer = 0x8 0x10, "Where the executable is mapped.";
                Ldr: Pointer = 0xc 0x18, "The loader's lists of loaded modules.";
                ProcessParameters: Pointer = 0x10 0x20, "Command line, image path, environment and standard handles.";
                SubSystemData: Pointer = 0x14 0x28, "Data of the environment subsystem's client side.";
                ProcessHeap: Pointer = 0x18 0x30, "The default heap.";
                FastPebLock: Pointer = 0x1c 0x38, "The critical section that guards the PEB and the environment.";
                AtlThunkSListPtr: Pointer = 0x20 0x40, "Free list of code thunks that ATL windows use.";
                IFEOKey: Pointer = 0x24 0x48, "Handle of the image file execution options key.";
                CrossProcessFlags: u32 = 0x28 0x50, as __bindgen_anon_2.CrossProcessFlags, "Flags other processes may read: in a job, initializing, vectored handlers in use.";
                KernelCallbackTable: Pointer = 0x2c 0x58, as __bindgen_anon_3.KernelCallbackTable, "Functions that win32k calls in user mode; set when user32 is loaded.";
                SystemReserved: u32 = 0x30 0x60, "Reserved.";
                AtlThunkSListPtr32: u32 = 0x34 0x64, "The thunk list pointer of the 32-bit side.";
                ApiSetMap: Pointer = 0x38 0x68, "The table that turns API set names into DLL names.";
                TlsExpansionCounter: u32 = 0x3c 0x70, "How many expansion TLS slots are in use.";
                TlsBitmap: Pointer = 0x40 0x78, "The bitmap of the first 64 TLS slots.";
                TlsBitmapBits: [u32; 2] = 0x44 0x80, "The bits of that bitmap: one for each TLS slot taken.";
                ReadOnlySharedMemoryBase: Pointer = 0x4c 0x88, "The section that csrss shares with its clients; none this early.";
                SharedData: Pointer = 0x50 0x90, "Shared data of the silo (container) the process runs in.";
                ReadOnlyStaticServerData: Pointer = 0x54 0x98, "Data of csrss's server DLLs inside the shared section.";
                AnsiCodePageData: Pointer = 0x58 0xa0, "Translation table of the ANSI code page.";
                OemCodePageData: Pointer = 0x5c 0xa8, "Translation table of the OEM code page.";
                UnicodeCaseTableData: Pointer = 0x60 0xb0, "The table that folds upper and lower case.";
                NumberOfProcessors: u32 = 0x64 0xb8, "Active processors when the process started.";
                NtGlobalFlag: u32 = 0x68 0xbc, "Debugging flags: heap checks, loader snaps, and so on.";
                CriticalSectionTimeout: i64 = 0x70 0xc0, "How long a critical section waits before it is called a deadlock; 100 ns units, negative is relative.";
                HeapSegmentReserve: Size = 0x78 0xc8, "Address space reserved for a new heap.";
                HeapSegmentCommit: Size = 0x7c 0xd0, "Memory committed for a new heap.";
                HeapDeCommitTotalFreeThreshold: Size = 0x80 0xd8, "Free bytes in a heap from which it gives memory back.";
                HeapDeCommitFreeBlockThreshold: Size = 0x84 0xe0, "Size of a free block from which a heap gives it back.";
                NumberOfHeaps: u32 = 0x88 0xe8, "Heaps of this process.";
                MaximumNumberOfHeaps: u32 = 0x8c 0xec, "Room in the array of heaps.";
                ProcessHeaps: Pointer = 0x90 0xf0, "The array of heaps.";
                GdiSharedHandleTable: Pointer = 0x94 0xf8, "The handle table GDI shares with its clients; none this early.";
                ProcessStarterHelper: Pointer = 0x98 0x100, "Left from an old way of starting processes.";
                GdiDCAttributeList: u32 = 0x9c 0x108, "How many device context attributes GDI keeps in its cache.";
                LoaderLock: Pointer = 0xa0 0x110, "The critical section held while DLLs are loaded.";
                OSMajorVersion: u32 = 0xa4 0x118, "Major version the process is told.";
                OSMinorVersion: u32 = 0xa8 0x11c, "Minor version the process is told.";
                OSBuildNumber: u16 = 0xac 0x120, "Build number the process is told.";
                OSCSDVersion: u16 = 0xae 0x122, "Service pack: major in the high byte, minor in the low.";
                OSPlatformId: u32 = 0xb0 0x124, "Always 2: the NT family.";
                ImageSubsystem: u32 = 0xb4 0x128, "Subsystem of the executable; 1 is native.";
                ImageSubsystemMajorVersion: u32 = 0xb8 0x12c, "Major subsystem version the executable asks for.";
                ImageSubsystemMinorVersion: u32 = 0xbc 0x130, "Minor subsystem version the executable asks for.";
                ActiveProcessAffinityMask: Size = 0xc0 0x138, "Processors the process may run on.";
                GdiHandleBuffer: Tail = 0xc4 0x140, "Scratch space of GDI.";
                PostProcessInitRoutine: Pointer = 0x14c 0x230, "Called once when initialization is done.";
                TlsExpansionBitmap: Pointer = 0x150 0x238, "The bitmap of the 1024 expansion TLS slots.";
                TlsExpansionBitmapBits: [u32; 32] = 0x154 0x240, "The bits of that bitmap.";
                SessionId: u32 = 0x1d4 0x2c0, "The session the process belongs to; 0 at boot.";
                AppCompatFlags: u64 = 0x1d8 0x2c8, "Application compatibility fixes applied.";
                AppCompatFlagsUser: u64 = 0x1e0 0x2d0, "Compatibility fixes chosen by the user.";
                pShimData: Pointer = 0x1e8 0x2d8, "Data of the shim engine.";
                AppCompatInfo: Pointer = 0x1ec 0x2e0, "Data of the compatibility database.";
                CSDVersion: UnicodeString = 0x1f0 0x2e8, "Service pack name.";
                ActivationContextData: Pointer = 0x1f8 0x2f8, "The side-by-side manifest of the executable.";
                ProcessAssemblyStorageMap: Pointer = 0x1fc 0x300, "Directories of that manifest's assemblies.";
                SystemDefaultActivationContextData: Pointer = 0x200 0x308, "The system's default side-by-side manifest.";
                SystemAssemblyStorageMap: Pointer = 0x204 0x310, "Directories of the default manifest's assemblies.";
                MinimumStackCommit: Size = 0x208 0x318, "Least memory to commit for a thread's stack.";
                SparePointers: [Pointer; 2] = 0x20c 0x320, "Spare; held the fiber-local callbacks until Windows 10 1903.";
                PatchLoaderData: Pointer = 0x214 0x330, "Data of the hot-patch loader.";
                ChpeV2ProcessInfo: Pointer = 0x218 0x338, "Emulation data of an x64 process on arm64.";
                AppModelFeatureState: u32 = 0x21c 0x340, "Feature switches of packaged applications.";
                SpareUlongs: [u32; 2] = 0x220 0x344, "Spare.";
                ActiveCodePage: u16 = 0x228 0x34c, "The ANSI code page in use.";
                OemCodePage: u16 = 0x22a 0x34e, "The OEM code page in use.";
                UseCaseMapping: u16 = 0x22c 0x350, "How case is mapped for file names.";
                UnusedNlsField: u16 = 0x22e 0x352, "Unused.";
                WerRegistrationData: Pointer = 0x230 0x358, "What the process registered for its error reports.";
                WerShipAssertPtr: Pointer = 0x234 0x360, "Data of shipped assertions for error reporting.";
                pContextData: Pointer = 0x238 0x368, as __bindgen_anon_4.pContextData, "Emulation: the bitmap of arm64 code on arm64 systems, else unused.";
                pImageHeaderHash: Pointer = 0x23c 0x370, "Hash of the image header, where it was asked for.";
                TracingFlags: u32 = 0x240 0x378, as __bindgen_anon_5.TracingFlags, "Which tracing is on: heap, critical sections, library loader.";
                CsrServerReadOnlySharedMemoryBase: u64 = 0x248 0x380, "Address of the csrss shared section inside csrss itself.";
                TppWorkerpListLock: Pointer = 0x250 0x388, "The lock of the thread pool's worker list.";
                TppWorkerpList: Nested<LIST_ENTRY> = 0x254 0x390, "The thread pool's workers.";
                WaitOnAddressHashTable: [Pointer; 128] = 0x25c 0x3a0, "Threads that wait on an address, by hash.";
                TelemetryCoverageHeader: Pointer = 0x45c 0x7a0, "Code coverage data of telemetry.";
                CloudFileFlags: u32 = 0x460 0x7a8, "How cloud file placeholders are shown to this process.";
                CloudFileDiagFlags: u32 = 0x464 0x7ac, "Diagnostics of cloud files.";
                PlaceholderCompatibilityMode: u8 = 0x468 0x7b0, "Whether placeholders are disguised as ordinary files.";
                PlaceholderCompatibilityModeReserved: [u8; 7] = 0x469 0x7b1, "Reserved.";
                LeapSecondData: Pointer = 0x470 0x7b8, "The leap seconds known to the system.";
                LeapSecondFlags: u32 = 0x474 0x7c0, as __bindgen_anon_6.LeapSecondFlags, "Whether this process sees a second 60.";
                NtGlobalFlag2: u32 = 0x478 0x7c4, "More debugging flags.";
                ExtendedFeatureDisableMask: u64 = 0x480 0x7c8, "Processor state components this process must not use.";
            }
            /// What a process was started with.
            struct RTL_USER_PROCESS_PARAMETERS: 0x2c4 0x448 {
                MaximumLength: u32 = 0x0 0x0, "Bytes allocated for this block.";
                Length: u32 = 0x4 0x4, "Bytes used, strings included.";
                Flags: u32 = 0x8 0x8, "1: normalized, the pointers are addresses; other bits: profiling, reserved memory, image key missing.";
                DebugFlags: u32 = 0xc 0xc, "Debugging flags given by the parent.";
                ConsoleHandle: Handle = 0x10 0x10, "The console, or a value that asks for a new or no console.";
                ConsoleFlags: u32 = 0x14 0x18, "Whether Ctrl+C is ignored.";
                StandardInput: Handle = 0x18 0x20, "Standard input handle.";
                StandardOutput: Handle = 0x1c 0x28, "Standard output handle.";
                StandardError: Handle = 0x20 0x30, "Standard error handle.";
                CurrentDirectory: Nested<CURDIR> = 0x24 0x38, "The current directory and an open handle to it.";
                DllPath: UnicodeString = 0x30 0x50, "Directories DLLs are searched in.";
                ImagePathName: UnicodeString = 0x38 0x60, "Path of the executable.";
                CommandLine: UnicodeString = 0x40 0x70, "The command line; under smss the whole list entry.";
                Environment: Pointer = 0x48 0x80, "The environment block.";
                StartingX: u32 = 0x4c 0x88, "Left edge of the first window.";
                StartingY: u32 = 0x50 0x8c, "Upper edge of the first window.";
                CountX: u32 = 0x54 0x90, "Width of the first window.";
                CountY: u32 = 0x58 0x94, "Height of the first window.";
                CountCharsX: u32 = 0x5c 0x98, "Columns of a new console.";
                CountCharsY: u32 = 0x60 0x9c, "Rows of a new console.";
                FillAttribute: u32 = 0x64 0xa0, "Colours of a new console.";
                WindowFlags: u32 = 0x68 0xa4, "Which of the window fields count.";
                ShowWindowFlags: u32 = 0x6c 0xa8, "How the first window is shown.";
                WindowTitle: UnicodeString = 0x70 0xb0, "Title of the first window or console.";
                DesktopInfo: UnicodeString = 0x78 0xc0, "Window station and desktop.";
                ShellInfo: UnicodeString = 0x80 0xd0, "Where the shell started it from.";
                RuntimeData: UnicodeString = 0x88 0xe0, "Open files handed to the C run-time library.";
                CurrentDirectories: Tail = 0x90 0xf0, "The current directory of each drive letter.";
                EnvironmentSize: Size = 0x290 0x3f0, "Bytes of the environment block.";
                EnvironmentVersion: Size = 0x294 0x3f8, "Grows with every change of the environment.";
                PackageDependencyData: Pointer = 0x298 0x400, "Packages a packaged application depends on.";
                ProcessGroupId: u32 = 0x29c 0x408, "The group that console control events go to.";
                LoaderThreads: u32 = 0x2a0 0x40c, "How many threads may load DLLs in parallel.";
                RedirectionDllName: UnicodeString = 0x2a4 0x410, "DLL that redirects others, for isolated applications.";
                HeapPartitionName: UnicodeString = 0x2ac 0x420, "Name of the heap partition.";
                DefaultThreadpoolCpuSetMasks: Pointer = 0x2b4 0x430, "Processors of the default thread pool.";
                DefaultThreadpoolCpuSetMaskCount: u32 = 0x2b8 0x438, "How many such masks there are.";
                DefaultThreadpoolThreadMaximum: u32 = 0x2bc 0x43c, "Most threads of the default thread pool.";
                HeapMemoryTypeMask: u32 = 0x2c0 0x440, "Kinds of memory the heap may use.";
            }
            /// A current directory: its path and an open handle to it.
            struct CURDIR: 0xc 0x18 {
                DosPath: UnicodeString = 0x0 0x0;
                Handle: Handle = 0x8 0x10;
            }
            /// The page the kernel shows read-only to every process; the fields the reader uses.
            struct KUSER_SHARED_DATA: 0xa80 0xa80 {
                InterruptTime: Nested<KSYSTEM_TIME> = 0x8 0x8;
                SystemTime: Nested<KSYSTEM_TIME> = 0x14 0x14;
                ImageNumberLow: u16 = 0x2c 0x2c;
                ImageNumberHigh: u16 = 0x2e 0x2e;
                NtSystemRoot: [u16; 260] = 0x30 0x30;
                NtBuildNumber: u32 = 0x260 0x260;
                NtProductType: u32 = 0x264 0x264;
                NativeProcessorArchitecture: u16 = 0x26a 0x26a;
                NtMajorVersion: u32 = 0x26c 0x26c;
                NtMinorVersion: u32 = 0x270 0x270;
                BootId: u32 = 0x2c4 0x2c4;
                KdDebuggerEnabled: Boolean = 0x2d4 0x2d4;
                MitigationPolicies: u8 = 0x2d5 0x2d5, as __bindgen_anon_1.MitigationPolicies;
                ActiveConsoleId: u32 = 0x2d8 0x2d8;
                NumberOfPhysicalPages: u32 = 0x2e8 0x2e8;
                SafeBootMode: Boolean = 0x2ec 0x2ec;
                SharedDataFlags: u32 = 0x2f0 0x2f0, as __bindgen_anon_3.SharedDataFlags;
                QpcFrequency: i64 = 0x300 0x300;
                ActiveProcessorCount: u32 = 0x3c0 0x3c0;
                ActiveGroupCount: u8 = 0x3c4 0x3c4;
            }
            /// Process class 0.
            struct PROCESS_BASIC_INFORMATION: 0x18 0x30 {
                ExitStatus: i32 = 0x0 0x0;
                PebBaseAddress: Pointer = 0x4 0x8;
                AffinityMask: Size = 0x8 0x10;
                BasePriority: i32 = 0xc 0x18;
                UniqueProcessId: Handle = 0x10 0x20;
                InheritedFromUniqueProcessId: Handle = 0x14 0x28;
            }
            /// Process class 0, extended.
            struct PROCESS_EXTENDED_BASIC_INFORMATION: 0x20 0x40 {
                Size: Size = 0x0 0x0;
                BasicInfo: Nested<PROCESS_BASIC_INFORMATION> = 0x4 0x8, as __bindgen_anon_1.BasicInfo;
                Flags: u32 = 0x1c 0x38, as __bindgen_anon_2.Flags;
            }
            /// Process class 61: protected process type (bits 0 to 2), audit (3), signer (4 to 7).
            struct PS_PROTECTION: 0x1 0x1 {
                Level: u8 = 0x0 0x0, as __bindgen_anon_1.Level;
            }
            /// Process class 64: what tells this process from all others; offsets count from here.
            struct PROCESS_TELEMETRY_ID_INFORMATION: 0x60 0x60 {
                HeaderSize: u32 = 0x0 0x0;
                ProcessId: u32 = 0x4 0x4;
                ProcessStartKey: u64 = 0x8 0x8;
                CreateTime: u64 = 0x10 0x10;
                CreateInterruptTime: u64 = 0x18 0x18;
                CreateUnbiasedInterruptTime: u64 = 0x20 0x20;
                ProcessSequenceNumber: u64 = 0x28 0x28;
                SessionCreateTime: u64 = 0x30 0x30;
                SessionId: u32 = 0x38 0x38;
                BootId: u32 = 0x3c 0x3c;
                ImageChecksum: u32 = 0x40 0x40;
                ImageTimeDateStamp: u32 = 0x44 0x44;
                UserSidOffset: u32 = 0x48 0x48;
                ImagePathOffset: u32 = 0x4c 0x4c;
                PackageNameOffset: u32 = 0x50 0x50;
                RelativeAppNameOffset: u32 = 0x54 0x54;
                CommandLineOffset: u32 = 0x58 0x58;
            }
            /// A security identifier; the subauthorities follow.
            struct SID: 0xc 0xc {
                Revision: u8 = 0x0 0x0;
                SubAuthorityCount: u8 = 0x1 0x1;
                IdentifierAuthority: [u8; 6] = 0x2 0x2;
                SubAuthority: Tail = 0x8 0x8;
            }
            /// The whole of `TOKEN_USER` and `TOKEN_MANDATORY_LABEL`.
            struct SID_AND_ATTRIBUTES: 0x8 0x10 {
                Sid: Pointer = 0x0 0x0;
                Attributes: u32 = 0x4 0x8;
            }
            /// `NtQueryObject` class 0; `CreationTime` is filled in for symbolic links only.
            struct OBJECT_BASIC_INFORMATION: 0x38 0x38 {
                Attributes: u32 = 0x0 0x0;
                GrantedAccess: u32 = 0x4 0x4;
                HandleCount: u32 = 0x8 0x8;
                PointerCount: u32 = 0xc 0xc;
                PagedPoolCharge: u32 = 0x10 0x10;
                NonPagedPoolCharge: u32 = 0x14 0x14;
                NameInfoSize: u32 = 0x24 0x24;
                TypeInfoSize: u32 = 0x28 0x28;
                SecurityDescriptorSize: u32 = 0x2c 0x2c;
                CreationTime: i64 = 0x30 0x30;
            }
            /// Process class 4 and thread class 1.
            struct KERNEL_USER_TIMES: 0x20 0x20 {
                CreateTime: i64 = 0x0 0x0;
                ExitTime: i64 = 0x8 0x8;
                KernelTime: i64 = 0x10 0x10;
                UserTime: i64 = 0x18 0x18;
            }
            /// Thread class 0.
            struct THREAD_BASIC_INFORMATION: 0x1c 0x30 {
                ExitStatus: i32 = 0x0 0x0;
                TebBaseAddress: Pointer = 0x4 0x8;
                ClientId: Nested<CLIENT_ID> = 0x8 0x10;
                AffinityMask: Size = 0x10 0x20;
                Priority: i32 = 0x14 0x28;
                BasePriority: i32 = 0x18 0x2c;
            }
            /// Job class 1.
            struct JOBOBJECT_BASIC_ACCOUNTING_INFORMATION: 0x30 0x30 {
                TotalUserTime: i64 = 0x0 0x0;
                TotalKernelTime: i64 = 0x8 0x8;
                ThisPeriodTotalUserTime: i64 = 0x10 0x10;
                ThisPeriodTotalKernelTime: i64 = 0x18 0x18;
                TotalPageFaultCount: u32 = 0x20 0x20;
                TotalProcesses: u32 = 0x24 0x24;
                ActiveProcesses: u32 = 0x28 0x28;
                TotalTerminatedProcesses: u32 = 0x2c 0x2c;
            }
            /// Job class 2.
            struct JOBOBJECT_BASIC_LIMIT_INFORMATION: 0x30 0x40 {
                PerProcessUserTimeLimit: i64 = 0x0 0x0;
                PerJobUserTimeLimit: i64 = 0x8 0x8;
                LimitFlags: u32 = 0x10 0x10;
                MinimumWorkingSetSize: Size = 0x14 0x18;
                MaximumWorkingSetSize: Size = 0x18 0x20;
                ActiveProcessLimit: u32 = 0x1c 0x28;
                Affinity: Size = 0x20 0x30;
                PriorityClass: u32 = 0x24 0x38;
                SchedulingClass: u32 = 0x28 0x3c;
            }
            /// Job class 3; the ids follow.
            struct JOBOBJECT_BASIC_PROCESS_ID_LIST: 0xc 0x10 {
                NumberOfAssignedProcesses: u32 = 0x0 0x0;
                NumberOfProcessIdsInList: u32 = 0x4 0x4;
                ProcessIdList: Tail = 0x8 0x8;
            }
            /// What processes did with files and devices.
            struct IO_COUNTERS: 0x30 0x30 {
                ReadOperationCount: u64 = 0x0 0x0;
                WriteOperationCount: u64 = 0x8 0x8;
                OtherOperationCount: u64 = 0x10 0x10;
                ReadTransferCount: u64 = 0x18 0x18;
                WriteTransferCount: u64 = 0x20 0x20;
                OtherTransferCount: u64 = 0x28 0x28;
            }
            /// Job class 9.
            struct JOBOBJECT_EXTENDED_LIMIT_INFORMATION: 0x70 0x90 {
                BasicLimitInformation: Nested<JOBOBJECT_BASIC_LIMIT_INFORMATION> = 0x0 0x0;
                IoInfo: Nested<IO_COUNTERS> = 0x30 0x40;
                ProcessMemoryLimit: Size = 0x60 0x70;
                JobMemoryLimit: Size = 0x64 0x78;
                PeakProcessMemoryUsed: Size = 0x68 0x80;
                PeakJobMemoryUsed: Size = 0x6c 0x88;
            }
            /// Job class 36.
            struct SILOOBJECT_BASIC_INFORMATION: 0x10 0x10 {
                SiloId: u32 = 0x0 0x0;
                SiloParentId: u32 = 0x4 0x4;
                NumberOfProcesses: u32 = 0x8 0x8;
                IsInServerSilo: Boolean = 0xc 0xc;
            }
            /// A security descriptor in one piece; offsets count from here, 0 for none.
            struct SECURITY_DESCRIPTOR_RELATIVE: 0x14 0x14 {
                Revision: u8 = 0x0 0x0;
                Sbz1: u8 = 0x1 0x1;
                Control: u16 = 0x2 0x2;
                Owner: u32 = 0x4 0x4;
                Group: u32 = 0x8 0x8;
                Sacl: u32 = 0xc 0xc;
                Dacl: u32 = 0x10 0x10;
            }
            /// An access control list; its entries follow.
            struct ACL: 0x8 0x8 {
                AclRevision: u8 = 0x0 0x0;
                Sbz1: u8 = 0x1 0x1;
                AclSize: u16 = 0x2 0x2;
                AceCount: u16 = 0x4 0x4;
                Sbz2: u16 = 0x6 0x6;
            }
            /// What an access control entry begins with.
            struct ACE_HEADER: 0x4 0x4 {
                AceType: u8 = 0x0 0x0;
                AceFlags: u8 = 0x1 0x1;
                AceSize: u16 = 0x2 0x2;
            }
            /// An access control entry of one of the plain kinds: a mask and a security identifier.
            struct ACCESS_ALLOWED_ACE: 0xc 0xc {
                Header: Nested<ACE_HEADER> = 0x0 0x0;
                Mask: u32 = 0x4 0x4;
                SidStart: Tail = 0x8 0x8;
            }
        }
    };
}
