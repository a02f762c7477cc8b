//! The smaller system information classes: machine, memory, time, how the system was booted and what it enforces.

use super::{Capture, Exact, Question, Stop};
use crate::nt::{Kernel, Status};
use bootshot_format::{Family, Sink, Source};

/// Class, and the length it takes where it takes only one.
#[rustfmt::skip]
const CLASSES: [(u32, Option<Exact>); 23] = [
    (0, Some(Exact::new(0x2C, 0x40))),    // SystemBasicInformation
    (1, Some(Exact::new(12, 12))),        // SystemProcessorInformation
    (2, None),                            // SystemPerformanceInformation
    (3, Some(Exact::new(48, 48))),        // SystemTimeOfDayInformation
    (8, None),                            // SystemProcessorPerformanceInformation
    (18, None),                           // SystemPageFileInformation
    (21, Some(Exact::new(36, 64))),       // SystemFileCacheInformation
    (22, None),                           // SystemPoolTagInformation
    (35, Some(Exact::new(2, 2))),         // SystemKernelDebuggerInformation
    (37, Some(Exact::new(12, 16))),       // SystemRegistryQuotaInformation
    (44, Some(Exact::new(172, 172))),     // SystemCurrentTimeZoneInformation
    (80, Some(Exact::new(0x58, 0xB0))),   // SystemMemoryListInformation
    (90, Some(Exact::new(32, 32))),       // SystemBootEnvironmentInformation
    (91, Some(Exact::new(16, 16))),       // SystemHypervisorInformation
    (103, Some(CODE_INTEGRITY)),          // SystemCodeIntegrityInformation
    (133, Some(Exact::new(24, 32))),      // SystemPlatformBinaryInformation
    (144, None),                          // SystemPageFileInformationEx
    (145, Some(Exact::new(2, 2))),        // SystemSecureBootInformation
    (149, Some(Exact::new(3, 3))),        // SystemKernelDebuggerInformationEx
    (159, Some(Exact::new(0x70, 0x70))),  // SystemHypervisorDetailInformation
    (164, Some(Exact::new(32, 32))),      // SystemCodeIntegrityPolicyInformation
    (165, Some(Exact::new(16, 16))),      // SystemIsolatedUserModeInformation
    (182, Some(Exact::new(56, 56))),      // SystemMemoryUsageInformation: shared commit
];

/// `SystemFirmwareTableInformation`: takes a `SYSTEM_FIRMWARE_TABLE_INFORMATION` (provider, action, table, length of its
/// buffer, 4 bytes each), and fills the buffer behind it.
const FIRMWARE_TABLE_INFORMATION: u32 = 76;
const FIRMWARE_TABLE_HEADER: usize = 16;
/// `SystemFirmwareTableGet`.
const GET: u64 = 1;
/// A provider is a multi-character constant, a table's id stands as in the table.
const PROVIDER: u32 = u32::from_be_bytes(*b"ACPI");
const PLATFORM_BINARY_TABLE: u32 = u32::from_le_bytes(*b"WPBT");

/// `SYSTEM_CODEINTEGRITY_INFORMATION.Length` must hold its own size.
const CODE_INTEGRITY: Exact = Exact {
    length: 8,
    first: 8,
};

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    pub(super) fn system(&mut self) -> Result<(), Stop> {
        let kernel = self.kernel;
        self.begin_batch(Family::SYSTEM)?;
        for (class, exact) in CLASSES {
            let question = Question::new(Source::SYSTEM_INFORMATION, class);
            self.item(&question, exact, &mut |buffer| {
                kernel.query_system_information(class, buffer)
            })?;
        }
        // The table with which firmware hands a program of its own to Windows.
        let question = Question::new(Source::SYSTEM_INFORMATION, FIRMWARE_TABLE_INFORMATION).about(
            u64::from(PROVIDER) | u64::from(PLATFORM_BINARY_TABLE) << 32,
            0,
        );
        self.item(&question, None, &mut |mut buffer| {
            let room = buffer.length().saturating_sub(FIRMWARE_TABLE_HEADER) as u64;
            buffer.put(&[
                u64::from(PROVIDER) | GET << 32,
                u64::from(PLATFORM_BINARY_TABLE) | room << 32,
            ]);
            kernel.query_system_information(FIRMWARE_TABLE_INFORMATION, buffer)
        })?;
        self.end_batch()
    }
}
