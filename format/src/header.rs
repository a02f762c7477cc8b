//! The file header: written once, first, and never changed.

use crate::sealed;
use crate::wire::{open_number, wire_struct};
use crate::xxh64_of_words;

/// The first eight bytes of every snapshot; the high bit, CR and LF show a transfer that mangled the file.
pub const MAGIC: [u8; 8] = *b"\x89BSHOT\r\n";

/// The format version this crate writes. 0 was the draft; files of it have the same layout and stay readable.
pub const VERSION: u16 = 1;

/// The only checksum algorithm so far: XXH64 with seed 0.
pub(crate) const CHECKSUM_XXH64: u32 = 1;

/// Required feature: batches may be packed ([`crate::Encoding::PACKED_BATCH`]). The only one so far.
pub const PACKED_BATCHES: u64 = 1;

/// Compatible feature: things were taken out of the snapshot by `bootshotctl redact`; the bits below say which. It stands
/// in the header, so that no damage and no cut takes it away.
pub const REDACTED: u64 = 1;
/// Addresses of the kernel are pseudonyms.
pub const REDACTED_ADDRESSES: u64 = 1 << 1;
/// Names of users, machines and domains, and security identifiers are pseudonyms.
pub const REDACTED_USERS: u64 = 1 << 2;
/// Command lines were removed.
pub const REDACTED_COMMAND_LINES: u64 = 1 << 3;
/// Environments were removed.
pub const REDACTED_ENVIRONMENT: u64 = 1 << 4;

open_number! {
    /// The moment of the boot a snapshot was taken at.
    Phase(u8) {
        /// Started from `BootExecute` (or `BootExecuteNoPnpSync`): no SOFTWARE hive yet.
        BOOT_EXECUTE = 1,
        /// Started from `SetupExecute` (or `SetupExecuteNoPnpSync`): hives loaded, no csrss.
        SETUP_EXECUTE = 2,
        /// A running system: csrss is there.
        LIVE = 3,
    }
}

impl Phase {
    /// The names used in file names, arguments and output, in the order of their numbers from 1.
    pub const ALL_NAMES: &str = "bootexecute setupexecute live";

    /// Its name among [`Phase::ALL_NAMES`].
    pub fn name(self) -> &'static str {
        crate::word(Self::ALL_NAMES, usize::from(self.0.wrapping_sub(1)))
    }
}

open_number! {
    /// How the phase became known.
    PhaseSource(u8) {
        /// The `phase=` argument said so.
        ARGUMENT = 1,
        /// Worked out: csrss in the process list means live; else the SOFTWARE key tells the two boot moments apart.
        OBSERVED = 2,
    }
}

open_number! {
    /// Whether something was there.
    Presence(u8) {
        ABSENT = 0,
        PRESENT = 1,
        /// The question could not be asked or was not answered.
        UNKNOWN = 2,
    }
}

wire_struct! {
    /// What is known before the first question: the immutable first 256 bytes.
    Header[256] {
        /// [`MAGIC`].
        0: magic: [u8; 8],
        /// Format version.
        8: version: u16,
        /// Bytes of this header: 256.
        10: header_length: u16,
        /// 1: XXH64, seed 0.
        12: checksum_algorithm: u32,
        /// Feature bits a reader may ignore.
        16: compatible_features: u64,
        /// Feature bits a reader must understand.
        24: required_features: u64,
        /// Random; stands in every record.
        32: snapshot_id: [u8; 16],
        /// `IMAGE_FILE_MACHINE_*` of the capturing image.
        48: machine: u16,
        /// Pointer width in bytes, 4 or 8.
        50: pointer_width: u8,
        /// The moment of the boot.
        51: phase: Phase,
        /// How the phase became known.
        52: phase_source: PhaseSource,
        /// Whether csrss ran when the capture started.
        53: csrss_at_start: Presence,
        /// Page size in bytes.
        56: page_size: u32,
        /// `KUSER_SHARED_DATA.NtMajorVersion`.
        60: nt_major: u32,
        /// `KUSER_SHARED_DATA.NtMinorVersion`.
        64: nt_minor: u32,
        /// `PEB.OSBuildNumber`.
        68: nt_build: u32,
        /// `KUSER_SHARED_DATA.BootId` as it stood there (meaningful since Windows 8).
        72: boot_id: u32,
        /// Version of bootshot.exe: major, minor, patch in one byte each from bit 16 down.
        76: writer_version: u32,
        /// Process id of the capture itself.
        80: process_id: u64,
        /// `SYSTEM_TIMEOFDAY_INFORMATION.BootTime`, 100 ns since 1601 UTC; 0 when it was not answered.
        88: boot_time: i64,
        /// Grows by at least one with every snapshot of a directory.
        96: sequence: u64,
        /// System time at the start, 100 ns since 1601 UTC. The clock can be wrong this early.
        104: system_time: i64,
        /// Interrupt time at the start, 100 ns since boot.
        112: interrupt_time: u64,
        /// Performance counter ticks in a second.
        120: performance_frequency: u64,
        /// Performance counter at the start, in ticks.
        128: performance_counter: u64,
        /// Privileges asked for: bit n is the privilege with LUID n.
        136: privileges_wanted: u64,
        /// Privileges held and enabled during the capture.
        144: privileges_held: u64,
        /// XXH64 of the 248 bytes before it.
        248: checksum: u64,
    }
}

/// Why bytes are not a header this crate can read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeaderError {
    /// Fewer bytes than a header has.
    TooShort,
    /// The magic is another one: not a snapshot.
    NotASnapshot,
    /// A checksum that does not hold: damaged.
    BadChecksum,
    /// A format version newer than [`VERSION`].
    NewerVersion(u16),
    /// Feature bits a reader must understand, and this one does not.
    UnknownFeatures(u64),
    /// A value that no writer of this version produces.
    Invalid,
}

impl Header {
    /// The header as bytes, with its magic, version, length and checksum filled in.
    pub fn seal(mut self) -> [u8; Self::SIZE] {
        self.magic = MAGIC;
        self.version = VERSION;
        self.header_length = Self::SIZE as u16;
        self.checksum_algorithm = CHECKSUM_XXH64;
        sealed(self.encode())
    }

    /// Reads and judges the header at the start of a file.
    pub fn open(file: &[u8]) -> Result<Self, HeaderError> {
        let (magic, _) = file.split_first_chunk::<8>().ok_or(HeaderError::TooShort)?;
        if *magic != MAGIC {
            return Err(HeaderError::NotASnapshot);
        }
        let (bytes, _) = file
            .split_first_chunk::<{ Self::SIZE }>()
            .ok_or(HeaderError::TooShort)?;
        let header = Self::decode(bytes);
        if header.version > VERSION {
            return Err(HeaderError::NewerVersion(header.version));
        }
        if header.checksum != xxh64_of_words(&bytes[..Self::SIZE - 8]) {
            return Err(HeaderError::BadChecksum);
        }
        let unknown = header.required_features & !PACKED_BATCHES;
        if unknown != 0 {
            return Err(HeaderError::UnknownFeatures(unknown));
        }
        if header.header_length != Self::SIZE as u16
            || header.checksum_algorithm != CHECKSUM_XXH64
            || !matches!(header.pointer_width, 4 | 8)
        {
            return Err(HeaderError::Invalid);
        }
        Ok(header)
    }
}
