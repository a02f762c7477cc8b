//! The base block of a hive and of its logs: whether the hive is whole by itself, or waits for its logs.
//!
//! After the description of the format by M. Suhanov ("Windows registry file format specification").

use std::fmt;

/// Bytes of a hive's base block that its checksum covers.
const CHECKED: usize = 508;
/// Where the entries of a log begin.
const LOG_ENTRIES: usize = 512;

/// What stands at the start of a hive file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BaseBlock {
    /// Raised before the hive is written.
    primary_sequence: u32,
    /// Set to the same number after it was written.
    secondary_sequence: u32,
    /// 100 ns since 1601 UTC.
    last_written: u64,
    /// 0 a hive, others a log.
    file_type: u32,
}

/// Why a hive is not to be read or changed as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Shorter than a base block.
    TooShort,
    /// No `regf` at its start.
    NoSignature,
    /// The checksum stored, and the one the bytes have.
    Checksum(u32, u32),
    /// Not a hive but a log or something newer.
    Type(u32),
    /// The two sequence numbers: writing to it did not end.
    Dirty(u32, u32),
    /// A log was written after the hive.
    LogIsNewer,
}

impl BaseBlock {
    /// Reads a base block that is whole.
    pub fn read(file: &[u8]) -> Result<Self, Unfit> {
        let block = file.get(..CHECKED + 4).ok_or(Unfit::TooShort)?;
        if !block.starts_with(b"regf") {
            return Err(Unfit::NoSignature);
        }
        let (stored, actual) = (dword(block, CHECKED), checksum(&block[..CHECKED]));
        if stored != actual {
            return Err(Unfit::Checksum(stored, actual));
        }
        Ok(Self {
            primary_sequence: dword(block, 4),
            secondary_sequence: dword(block, 8),
            last_written: u64::from(dword(block, 12)) | u64::from(dword(block, 16)) << 32,
            file_type: dword(block, 28),
        })
    }

    /// Reads the base block of a hive that needs no log.
    pub fn of_clean_hive(file: &[u8]) -> Result<Self, Unfit> {
        let block = Self::read(file)?;
        if block.file_type != 0 {
            return Err(Unfit::Type(block.file_type));
        }
        if block.primary_sequence != block.secondary_sequence {
            return Err(Unfit::Dirty(
                block.primary_sequence,
                block.secondary_sequence,
            ));
        }
        Ok(block)
    }

    /// Refuses a log that has something for this hive. A log that is empty, or whose own base block is not whole, has
    /// nothing: Windows would not read it either.
    pub fn refuse_newer_log(&self, log: &[u8]) -> Result<(), Unfit> {
        let Ok(base) = Self::read(log) else {
            return Ok(());
        };
        let is_newer = base.last_written > self.last_written
            || is_after(base.primary_sequence, self.primary_sequence)
            || self.next_entry_of(log);
        if is_newer {
            Err(Unfit::LogIsNewer)
        } else {
            Ok(())
        }
    }

    /// Whether one of the log's entries (Windows 8.1 and later) is one that recovery would apply: the hive is written
    /// with the number behind that of the last entry in it.
    fn next_entry_of(&self, log: &[u8]) -> bool {
        let mut rest = log.get(LOG_ENTRIES..).unwrap_or_default();
        while rest.starts_with(b"HvLE") && rest.len() >= 16 {
            let (size, sequence) = (dword(rest, 4) as usize, dword(rest, 12));
            if sequence == self.secondary_sequence || is_after(sequence, self.secondary_sequence) {
                return true;
            }
            match rest.get(size..) {
                Some(next) if size != 0 => rest = next,
                _ => return false,
            }
        }
        false
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => f.write_str("it is too short to be a hive"),
            Self::NoSignature => f.write_str("it is not a hive: there is no \"regf\" at its start"),
            Self::Checksum(stored, actual) => write!(
                f,
                "its base block is damaged: checksum {actual:#010x}, not {stored:#010x}"
            ),
            Self::Type(number) => write!(f, "it is a file of type {number}, not a hive"),
            Self::Dirty(primary, secondary) => write!(
                f,
                "it is dirty: its sequence numbers are {primary} and {secondary}, so what is missing is in its logs"
            ),
            Self::LogIsNewer => f.write_str("one of its logs is newer than the hive"),
        }
    }
}

/// The exclusive or of all 32-bit words; 0 and -1 are not used.
fn checksum(bytes: &[u8]) -> u32 {
    let words = bytes.as_chunks::<4>().0.iter();
    match words.fold(0, |sum, word| sum ^ u32::from_le_bytes(*word)) {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}

/// Whether one sequence number comes after another, across the wrap.
fn is_after(one: u32, other: u32) -> bool {
    one.wrapping_sub(other) as i32 > 0
}

/// A little-endian number; the caller has made sure that it is there.
fn dword(bytes: &[u8], offset: usize) -> u32 {
    let bytes = bytes[offset..]
        .first_chunk()
        .expect("checked by the caller");
    u32::from_le_bytes(*bytes)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Seals the base block of a hive or log after a change.
    pub fn seal(file: &mut [u8]) {
        let sum = checksum(&file[..CHECKED]);
        file[CHECKED..CHECKED + 4].copy_from_slice(&sum.to_le_bytes());
    }

    /// The base block of a hive or log, with nothing behind it.
    pub fn base_block(sequences: [u32; 2], last_written: u64, file_type: u32) -> Vec<u8> {
        let mut file = vec![0; LOG_ENTRIES];
        file[..4].copy_from_slice(b"regf");
        for (offset, number) in [(4, sequences[0]), (8, sequences[1]), (28, file_type)] {
            file[offset..offset + 4].copy_from_slice(&number.to_le_bytes());
        }
        file[12..20].copy_from_slice(&last_written.to_le_bytes());
        seal(&mut file);
        file
    }

    /// An entry of a log, without pages.
    pub fn log_entry(sequence: u32) -> Vec<u8> {
        let mut entry = b"HvLE".to_vec();
        for number in [512, 0, sequence] {
            entry.extend(u32::to_le_bytes(number));
        }
        entry.resize(512, 0);
        entry
    }

    #[test]
    fn only_a_hive_that_was_written_to_its_end_is_clean() {
        assert!(BaseBlock::of_clean_hive(&base_block([7, 7], 1, 0)).is_ok());
        let unfit = |file: &[u8]| BaseBlock::of_clean_hive(file).unwrap_err();
        assert_eq!(unfit(&base_block([8, 7], 1, 0)), Unfit::Dirty(8, 7));
        assert_eq!(unfit(&base_block([7, 7], 1, 6)), Unfit::Type(6));
        assert_eq!(unfit(b"regf"), Unfit::TooShort);
        assert_eq!(unfit(&[0; 4096]), Unfit::NoSignature);
        for bit in 0..CHECKED * 8 {
            let mut file = base_block([7, 7], 1, 0);
            file[bit / 8] ^= 1 << (bit % 8);
            assert!(BaseBlock::of_clean_hive(&file).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_log_is_newer_by_its_numbers_its_time_or_its_entries() {
        let hive = BaseBlock::of_clean_hive(&base_block([7, 7], 100, 0)).unwrap();
        let with_entries = |sequences: &[u32]| {
            let mut log = base_block([5, 5], 90, 6);
            log.extend(sequences.iter().flat_map(|sequence| log_entry(*sequence)));
            log
        };
        for older in [
            vec![],
            vec![0; 1024],
            base_block([7, 7], 100, 6),
            with_entries(&[5, 6]),
        ] {
            hive.refuse_newer_log(&older).unwrap();
        }
        for newer in [
            base_block([8, 8], 100, 6),
            base_block([7, 7], 101, 6),
            with_entries(&[5, 6, 7]),
            with_entries(&[9]),
        ] {
            assert_eq!(hive.refuse_newer_log(&newer), Err(Unfit::LogIsNewer));
        }
    }

    #[test]
    fn numbers_are_compared_across_their_wrap() {
        let hive = BaseBlock::of_clean_hive(&base_block([1, 1], 100, 0)).unwrap();
        hive.refuse_newer_log(&base_block([u32::MAX, u32::MAX], 100, 6))
            .unwrap();
    }

    #[test]
    fn logs_of_garbage_are_survived() {
        let hive = BaseBlock::of_clean_hive(&base_block([7, 7], 100, 0)).unwrap();
        let mut log = base_block([5, 5], 90, 6);
        log.extend(b"HvLE");
        hive.refuse_newer_log(&log).unwrap();
        log.extend([0; 12]);
        hive.refuse_newer_log(&log).unwrap();
    }
}
