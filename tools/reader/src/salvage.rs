//! Makes a sound snapshot of what is whole in one that was cut short or damaged.

use std::collections::BTreeMap;
use std::fmt;

use bootshot_format::{
    FinishedBy, Header, INDEX_CAPACITY, Items, Outcome, Presence, Record, RecordHeader, RecordKind,
    Records, SectionBegin, SectionEnd, Trailer, padded, xxh64,
};

use crate::error::ReadError;
use crate::snapshot::open_header;

/// What was saved of a file.
#[derive(Debug)]
pub struct Salvaged {
    /// The new snapshot: the header and every payload as they were, everything else as it has to be.
    pub file: Vec<u8>,
    /// The sections in it, in their order.
    pub kept: Vec<Kept>,
    /// Sections the old file had of which nothing is in the new one.
    pub lost_sections: u64,
    /// Bytes of payload that could be read in the old file and are not in the new one, because they stand behind a gap.
    pub lost_payload: u64,
}

/// A section that was kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Its ordinal in the old file; in the new one it is its place in [`Salvaged::kept`].
    pub ordinal: u32,
    /// Bytes of its payload that were kept.
    pub bytes: u64,
    /// It was not whole: this is its beginning, and it is marked as torn.
    pub torn: bool,
}

/// Why there is no new snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotSalvaged {
    /// Without a sound header nothing in the file can be told from anything else.
    Unreadable(ReadError),
    /// Everything is as it was written.
    Whole,
    /// No section is left of which it is known what was asked.
    NothingLeft,
}

impl fmt::Display for NotSalvaged {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(formatter),
            Self::Whole => formatter.write_str("the snapshot is whole: there is nothing to do"),
            Self::NothingLeft => {
                formatter.write_str("no section is left of which it is known what was asked")
            }
        }
    }
}

impl std::error::Error for NotSalvaged {}

/// Saves every whole section of `file`, and of one that is not what stands in it before its first gap.
///
/// # Errors
///
/// When there is nothing to do, or nothing to be done.
pub fn salvage(file: &[u8]) -> Result<Salvaged, NotSalvaged> {
    let header = open_header(file).map_err(NotSalvaged::Unreadable)?;
    let mut remains = Remains::default();
    for record in Records::new(file, header.snapshot_id, Header::SIZE) {
        match record {
            Ok(record) if record.payload_is_intact() => remains.record(record),
            Ok(record) => remains.lose(record.header),
            Err(_) => remains.damaged = true,
        }
    }
    if remains.are_whole() {
        return Err(NotSalvaged::Whole);
    }
    remains.write(&file[..Header::SIZE], header.snapshot_id)
}

/// The records of one section up to the first that is missing.
#[derive(Default)]
struct Beginning<'a> {
    question: Option<SectionBegin>,
    records: Vec<Record<'a>>,
    /// Stands behind the other records, or behind the gap that they end at.
    end: Option<(SectionEnd, &'a [u8])>,
    gap: bool,
    bytes: u64,
    lost_bytes: u64,
}

impl<'a> Beginning<'a> {
    fn record(&mut self, record: Record<'a>) {
        let is_chunk = record.header.kind == RecordKind::CHUNK;
        let in_order = record.header.sequence as usize == self.records.len() && self.end.is_none();
        let begins = record.header.kind == RecordKind::SECTION_BEGIN;
        if self.gap || !in_order || begins != self.records.is_empty() {
            self.gap = true;
        } else if begins {
            self.question = record.section_begin().map(|(question, ..)| question);
            self.gap = self.question.is_none();
        }
        if let Some(end) = record.section_end() {
            self.end.get_or_insert((end, record.payload));
        } else if !self.gap {
            self.bytes += if is_chunk {
                record.payload.len() as u64
            } else {
                0
            };
            self.records.push(record);
        } else if is_chunk {
            self.lost_bytes += record.payload.len() as u64;
        }
    }

    fn chunks(&self) -> impl Iterator<Item = &'a [u8]> {
        self.records
            .iter()
            .filter(|record| record.header.kind == RecordKind::CHUNK)
            .map(|record| record.payload)
    }

    fn is_whole(&self) -> bool {
        !self.gap
            && self.end.is_some_and(|(end, _)| {
                end.total_length == self.bytes && end.chunks as usize == self.chunks().count()
            })
    }

    /// The end of a section of which only the beginning is there: what was told of the answer, if it is left, and how
    /// much of it this is.
    fn torn_end(&self, question: &SectionBegin) -> SectionEnd {
        let items = if question.encoding.is_batch() {
            let payload: Vec<u8> = self.chunks().flatten().copied().collect();
            let items = Items::new(&payload, question.encoding);
            items.take_while(Result::is_ok).count()
        } else {
            0
        };
        SectionEnd {
            outcome: Outcome::TORN,
            total_length: self.bytes,
            chunks: self.chunks().count() as u32,
            items: items as u32,
            ..self.end.map_or(NOTHING_TOLD, |(end, _)| end)
        }
    }
}

/// The end of a section of which nobody told how it ended.
pub(crate) const NOTHING_TOLD: SectionEnd = SectionEnd {
    status: 0,
    outcome: Outcome::TORN,
    tries: 0,
    total_length: 0,
    chunks: 0,
    items: 0,
    performance_counter: 0,
    returned_length: 0,
    buffer_address: 0,
    buffer_length: 0,
};

/// What is left of a file.
#[derive(Default)]
struct Remains<'a> {
    sections: BTreeMap<u32, Beginning<'a>>,
    trailer: Option<(Trailer, u32, Vec<u64>)>,
    damaged: bool,
}

impl<'a> Remains<'a> {
    fn record(&mut self, record: Record<'a>) {
        if record.header.kind == RecordKind::TRAILER {
            self.trailer = record
                .trailer()
                .map(|(trailer, index)| (trailer, record.header.section, index.collect()));
        } else {
            self.section(record.header).record(record);
        }
    }

    fn lose(&mut self, header: RecordHeader) {
        self.damaged = true;
        if header.kind != RecordKind::TRAILER {
            // What follows in the section is out of order then; that there was one is known.
            self.section(header);
        }
    }

    fn section(&mut self, header: RecordHeader) -> &mut Beginning<'a> {
        self.sections.entry(header.section).or_default()
    }

    fn are_whole(&self) -> bool {
        let Some((_, count, index)) = &self.trailer else {
            return false;
        };
        let starts = self.sections.values().map(|section| {
            let first = section.records.first();
            first.map_or(0, |record| record.offset)
        });
        !self.damaged
            && self.sections.values().all(Beginning::is_whole)
            && self.sections.keys().copied().eq(0..*count)
            && starts.take(INDEX_CAPACITY).eq(index.iter().copied())
    }

    fn write(&self, header: &[u8], snapshot_id: [u8; 16]) -> Result<Salvaged, NotSalvaged> {
        let mut output = Output {
            file: header.to_vec(),
            snapshot_id,
            section: 0,
            sequence: 0,
        };
        let mut kept = Vec::new();
        let mut index = Vec::new();
        let mut lost_payload = 0;
        for (ordinal, section) in &self.sections {
            lost_payload += section.lost_bytes;
            let Some(question) = &section.question else {
                continue;
            };
            index.push(output.file.len() as u64);
            let torn = !section.is_whole();
            for record in &section.records {
                output.record(record.header.kind, record.payload);
            }
            match section.end {
                Some((_, end)) if !torn => output.record(RecordKind::SECTION_END, end),
                _ => {
                    let end = section.torn_end(question);
                    output.record(RecordKind::SECTION_END, &end.encode());
                }
            }
            output.next_section();
            kept.push(Kept {
                ordinal: *ordinal,
                bytes: section.bytes,
                torn,
            });
        }
        if kept.is_empty() {
            return Err(NotSalvaged::NothingLeft);
        }
        index.truncate(INDEX_CAPACITY);
        output.trailer(self.trailer.as_ref().map(|(trailer, ..)| *trailer), &index);
        let last = self.sections.keys().last().map(|last| u64::from(*last) + 1);
        let counted = self.trailer.as_ref().map(|(_, count, _)| u64::from(*count));
        Ok(Salvaged {
            file: output.file,
            lost_sections: last.max(counted).unwrap_or(0) - kept.len() as u64,
            kept,
            lost_payload,
        })
    }
}

/// The new file. The writer of the format crate seals headers anew and knows no records of later versions; here both
/// stay as they are.
struct Output {
    file: Vec<u8>,
    snapshot_id: [u8; 16],
    section: u32,
    sequence: u32,
}

impl Output {
    fn record(&mut self, kind: RecordKind, payload: &[u8]) {
        let start = self.file.len();
        self.file.resize(start + RecordHeader::SIZE, 0);
        self.file.extend_from_slice(payload);
        self.file
            .resize(start + RecordHeader::SIZE + padded(payload.len()), 0);
        let header = RecordHeader {
            kind,
            // It came out of a field of this size, or is a few hundred bytes.
            payload_length: payload.len() as u32,
            snapshot_id: self.snapshot_id,
            section: self.section,
            sequence: self.sequence,
            payload_checksum: xxh64(&self.file[start + RecordHeader::SIZE..]),
            checksum: 0,
        };
        self.file[start..start + RecordHeader::SIZE].copy_from_slice(&header.seal());
        self.sequence += 1;
    }

    fn next_section(&mut self) {
        self.section += 1;
        self.sequence = 0;
    }

    fn trailer(&mut self, old: Option<Trailer>, index: &[u64]) {
        let nothing_told = Trailer {
            system_time: 0,
            interrupt_time: 0,
            performance_counter: 0,
            csrss_at_end: Presence::UNKNOWN,
            finished_by: FinishedBy::SALVAGE,
            index_entries: 0,
        };
        let trailer = Trailer {
            finished_by: FinishedBy::SALVAGE,
            index_entries: index.len() as u32,
            ..old.unwrap_or(nothing_told)
        };
        let mut payload = trailer.encode().to_vec();
        payload.extend(index.iter().flat_map(|offset| offset.to_le_bytes()));
        self.record(RecordKind::TRAILER, &payload);
    }
}
