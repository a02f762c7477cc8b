//! Reading records from bytes that may be damaged, cut short or mixed with stale sectors.

use crate::{RecordHeader, RecordKind, SectionBegin, SectionEnd, Trailer, xxh64_of_words};

/// One record whose header checksum holds and whose payload lies inside the file.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Where in the file it starts.
    pub offset: u64,
    /// Its header.
    pub header: RecordHeader,
    /// Its payload, without padding.
    pub payload: &'a [u8],
    padded_payload: &'a [u8],
}

impl<'a> Record<'a> {
    /// Whether the payload is the one that was written. Costs a pass over it.
    pub fn payload_is_intact(&self) -> bool {
        xxh64_of_words(self.padded_payload) == self.header.payload_checksum
    }

    /// A section's question with object name and value name (UTF-16LE), when this is one.
    pub fn section_begin(&self) -> Option<(SectionBegin, &'a [u8], &'a [u8])> {
        let (bytes, names) = self.fixed(RecordKind::SECTION_BEGIN)?;
        let begin = SectionBegin::decode(bytes);
        let (name, value_name) = names.split_at_checked(begin.name_length as usize)?;
        (value_name.len() == begin.value_name_length as usize).then_some((begin, name, value_name))
    }

    /// A section's end, when this is one.
    pub fn section_end(&self) -> Option<SectionEnd> {
        let (bytes, rest) = self.fixed(RecordKind::SECTION_END)?;
        rest.is_empty().then(|| SectionEnd::decode(bytes))
    }

    /// The trailer and the section offsets it names, when this is it.
    pub fn trailer(&self) -> Option<(Trailer, impl ExactSizeIterator<Item = u64> + use<'a>)> {
        let (bytes, index) = self.fixed(RecordKind::TRAILER)?;
        let trailer = Trailer::decode(bytes);
        let (offsets, rest) = index.as_chunks::<8>();
        (rest.is_empty() && offsets.len() == trailer.index_entries as usize).then(|| {
            (
                trailer,
                offsets.iter().map(|offset| u64::from_le_bytes(*offset)),
            )
        })
    }

    fn fixed<const N: usize>(&self, kind: RecordKind) -> Option<(&'a [u8; N], &'a [u8])> {
        if self.header.kind == kind {
            self.payload.split_first_chunk()
        } else {
            None
        }
    }
}

/// What is wrong at a place where a record should start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DamageKind {
    /// The bytes are no record of this snapshot: overwritten, zeroed, or another snapshot's.
    NotARecord,
    /// The file ends inside a record.
    CutShort,
    /// Bytes behind the trailer.
    AfterTrailer,
}

/// Bytes of a file that are no records of this snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damage {
    /// Where they start.
    pub offset: u64,
    /// How many there are.
    pub length: u64,
    /// What they are.
    pub kind: DamageKind,
}

/// Iterates over the records behind the header; after damage it goes on at the next sound record of the snapshot.
/// The work is linear in the file's length; payload checksums are left to the caller.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    file: &'a [u8],
    snapshot_id: [u8; 16],
    offset: usize,
    finished: bool,
}

impl<'a> Records<'a> {
    /// Records of `file` from `offset`, a multiple of 8, on.
    pub const fn new(file: &'a [u8], snapshot_id: [u8; 16], offset: usize) -> Self {
        Self {
            file,
            snapshot_id,
            offset,
            finished: false,
        }
    }

    fn header_at(&self, offset: usize) -> Option<RecordHeader> {
        let (bytes, _) = self
            .file
            .get(offset..)?
            .split_first_chunk::<{ RecordHeader::SIZE }>()?;
        // The id is compared first: a search over damage must not checksum every place it tries.
        if bytes[8..24] != self.snapshot_id {
            return None;
        }
        RecordHeader::open(bytes)
    }

    fn damage(&self, end: usize, kind: DamageKind) -> Damage {
        Damage {
            offset: self.offset as u64,
            length: (end - self.offset) as u64,
            kind,
        }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        let length = self.file.len();
        if self.offset >= length {
            return None;
        }
        if self.finished {
            let damage = self.damage(length, DamageKind::AfterTrailer);
            self.offset = length;
            return Some(Err(damage));
        }
        let Some(header) = self.header_at(self.offset) else {
            let found = (self.offset + 8..length)
                .step_by(8)
                .find(|offset| self.header_at(*offset).is_some());
            let kind = if found.is_none() && length - self.offset < RecordHeader::SIZE {
                DamageKind::CutShort
            } else {
                DamageKind::NotARecord
            };
            let end = found.unwrap_or(length);
            let damage = self.damage(end, kind);
            self.offset = end;
            return Some(Err(damage));
        };
        let start = self.offset + RecordHeader::SIZE;
        let padded_payload = usize::try_from(header.padded_length())
            .ok()
            .and_then(|padded_length| self.file.get(start..)?.get(..padded_length));
        let Some(padded_payload) = padded_payload else {
            let damage = self.damage(length, DamageKind::CutShort);
            self.offset = length;
            return Some(Err(damage));
        };
        let record = Record {
            offset: self.offset as u64,
            header,
            payload: &padded_payload[..header.payload_length as usize],
            padded_payload,
        };
        self.offset = start + padded_payload.len();
        self.finished = header.kind == RecordKind::TRAILER;
        Some(Ok(record))
    }
}
