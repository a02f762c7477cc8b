//! The smaller system information classes: machine, memory, time, how the system was booted and what it enforces.

use super::Capture;
use super::query::{Ask, PLATFORM_BINARY_TABLE, PROVIDER};
use crate::nt::{Kernel, Status};
use bootshot_format::{Family, Sink, Source};

const fn any(class: u32) -> Ask {
    Ask::new(Source::SYSTEM_INFORMATION, class)
}

const fn exact(class: u32, narrow: u16, wide: u16) -> Ask {
    Ask::exact(Source::SYSTEM_INFORMATION, class, narrow, wide)
}

const CLASSES: [Ask; 23] = [
    exact(0, 0x2C, 0x40),   // SystemBasicInformation
    exact(1, 12, 12),       // SystemProcessorInformation
    any(2),                 // SystemPerformanceInformation
    exact(3, 48, 48),       // SystemTimeOfDayInformation
    any(8),                 // SystemProcessorPerformanceInformation
    any(18),                // SystemPageFileInformation
    exact(21, 36, 64),      // SystemFileCacheInformation
    any(22),                // SystemPoolTagInformation
    exact(35, 2, 2),        // SystemKernelDebuggerInformation
    exact(37, 12, 16),      // SystemRegistryQuotaInformation
    exact(44, 172, 172),    // SystemCurrentTimeZoneInformation
    exact(80, 0x58, 0xB0),  // SystemMemoryListInformation
    exact(90, 32, 32),      // SystemBootEnvironmentInformation
    exact(91, 16, 16),      // SystemHypervisorInformation
    exact(103, 8, 8),       // SystemCodeIntegrityInformation
    exact(133, 24, 32),     // SystemPlatformBinaryInformation
    any(144),               // SystemPageFileInformationEx
    exact(145, 2, 2),       // SystemSecureBootInformation
    exact(149, 3, 3),       // SystemKernelDebuggerInformationEx
    exact(159, 0x70, 0x70), // SystemHypervisorDetailInformation
    exact(164, 32, 32),     // SystemCodeIntegrityPolicyInformation
    exact(165, 16, 16),     // SystemIsolatedUserModeInformation
    exact(182, 56, 56),     // SystemMemoryUsageInformation: shared commit
];

/// The table with which firmware hands a program of its own to Windows.
const FIRMWARE_TABLE: [Ask; 1] = [any(76)];

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    pub(super) fn system(&mut self) {
        self.begin_batch(Family::SYSTEM);
        self.items(&CLASSES);
        self.subject[0] = PROVIDER as u64 | (PLATFORM_BINARY_TABLE as u64) << 32;
        self.items(&FIRMWARE_TABLE);
        self.end_batch();
    }
}
