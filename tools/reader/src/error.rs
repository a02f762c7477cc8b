//! What can be wrong with a snapshot: as a whole, or at one place.

use std::fmt;

use serde::Serialize;

/// Why the bytes cannot be read as a snapshot at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadError {
    /// There are no bytes.
    Empty,
    /// They do not start as a snapshot does.
    NotASnapshot,
    /// They end inside the header.
    CutShort {
        /// How many there are.
        length: usize,
    },
    /// The header's checksum does not hold, or a value in it is none that was ever written.
    DamagedHeader,
    /// Written in a later version of the format.
    NewerVersion(u16),
    /// The header demands features this reader does not know.
    UnknownFeatures(u64),
}

impl fmt::Display for ReadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(formatter, "the file is empty"),
            Self::NotASnapshot => write!(formatter, "not a bootshot snapshot"),
            Self::CutShort { length } => write!(
                formatter,
                "the snapshot is cut short inside its header: {length} bytes, {} expected",
                bootshot_format::Header::SIZE
            ),
            Self::DamagedHeader => write!(formatter, "the snapshot's header is damaged"),
            Self::NewerVersion(version) => write!(
                formatter,
                "the snapshot has format version {version}, this reader knows up to {}: use a newer one",
                bootshot_format::VERSION
            ),
            Self::UnknownFeatures(bits) => write!(
                formatter,
                "the snapshot needs features this reader does not know ({bits:#x}): use a newer one"
            ),
        }
    }
}

impl std::error::Error for ReadError {}

/// Something wrong at one place; what lies around it was read all the same.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Problem {
    /// Ordinal of the section, when it is inside one.
    pub section: Option<u32>,
    /// What was being read.
    pub what: &'static str,
    /// Where: bytes into the section's payload, or into the file when there is no section. 0 without a section is no place:
    /// there the file's header stands, without which nothing is read.
    pub offset: u64,
    /// What should stand there.
    pub expected: String,
    /// What does.
    pub actual: String,
}

impl Problem {
    /// A problem `offset` bytes into whatever is being read; the section is added by who knows it.
    pub fn new(
        what: &'static str,
        offset: usize,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) -> Self {
        Self {
            section: None,
            what,
            offset: offset as u64,
            expected: expected.into(),
            actual: actual.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.section {
            Some(section) => write!(formatter, "section {section}, offset {:#x}: ", self.offset)?,
            None if self.offset == 0 => {}
            None => write!(formatter, "file offset {:#x}: ", self.offset)?,
        }
        write!(
            formatter,
            "{}: expected {}, found {}",
            self.what, self.expected, self.actual
        )
    }
}
