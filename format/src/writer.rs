//! The writer: strictly forward, one open section at a time.

use crate::record::padding;
use crate::xxh64::Xxh64;
use crate::{Header, RecordHeader, RecordKind, SectionBegin, SectionEnd, Trailer, padded};

/// The largest payload of one chunk in bytes; larger answers are split.
pub const MAXIMUM_CHUNK: usize = 64 << 20;

/// Sections the trailer's index can name; later ones are found by scanning.
pub const INDEX_CAPACITY: usize = 64;

/// Where the bytes of a snapshot go.
pub trait Sink {
    /// Why it could not take them.
    type Error;

    /// Takes all of `bytes` behind everything it took before.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;
}

/// Writes one snapshot into a [`Sink`]. After an error nothing more may be written.
// The order is kept: what lies within 128 bytes of the start takes the shortest instructions.
#[repr(C)]
pub struct Writer<S> {
    snapshot_id: [u8; 16],
    offset: u64,
    total_length: u64,
    section: u32,
    sequence: u32,
    chunks: u32,
    open: bool,
    sink: S,
    index: [u64; INDEX_CAPACITY],
}

impl<S: Sink> Writer<S> {
    /// Writes the header.
    pub fn new(mut sink: S, header: Header) -> Result<Self, S::Error> {
        sink.write(&header.seal())?;
        Ok(Self {
            sink,
            snapshot_id: header.snapshot_id,
            offset: Header::SIZE as u64,
            section: 0,
            sequence: 0,
            chunks: 0,
            total_length: 0,
            open: false,
            index: [0; INDEX_CAPACITY],
        })
    }

    /// Whether a section is open.
    pub const fn in_section(&self) -> bool {
        self.open
    }

    /// Bytes given to the sink so far.
    pub const fn length(&self) -> u64 {
        self.offset
    }

    /// The sink, for what is not part of the container (flushing, renaming).
    pub const fn sink(&mut self) -> &mut S {
        &mut self.sink
    }

    /// Opens a section; `name` and `value_name` are UTF-16LE and must have the lengths `begin` names.
    pub fn begin(
        &mut self,
        begin: &SectionBegin,
        name: &[u8],
        value_name: &[u8],
    ) -> Result<(), S::Error> {
        if let Some(entry) = self.index.get_mut(self.section as usize) {
            *entry = self.offset;
        }
        self.sequence = 0;
        self.chunks = 0;
        self.total_length = 0;
        self.open = true;
        self.record(
            RecordKind::SECTION_BEGIN,
            [&begin.encode(), name, value_name],
        )
    }

    /// Adds payload to the open section, in as many chunks as it takes.
    pub fn data(&mut self, bytes: &[u8]) -> Result<(), S::Error> {
        for chunk in bytes.chunks(MAXIMUM_CHUNK) {
            self.chunks += 1;
            self.total_length += chunk.len() as u64;
            self.record(RecordKind::CHUNK, [chunk, &[], &[]])?;
        }
        Ok(())
    }

    /// Closes the open section; totals are filled in here.
    pub fn end(&mut self, end: SectionEnd) -> Result<(), S::Error> {
        let end = SectionEnd {
            total_length: self.total_length,
            chunks: self.chunks,
            ..end
        };
        self.record(RecordKind::SECTION_END, [&end.encode(), &[], &[]])?;
        self.open = false;
        self.section += 1;
        Ok(())
    }

    /// Closes the snapshot.
    pub fn trailer(&mut self, trailer: Trailer) -> Result<(), S::Error> {
        let entries = (self.section as usize).min(INDEX_CAPACITY);
        let mut index = [0; INDEX_CAPACITY * 8];
        for (bytes, offset) in index.as_chunks_mut::<8>().0.iter_mut().zip(self.index) {
            *bytes = offset.to_le_bytes();
        }
        let trailer = Trailer {
            index_entries: entries as u32,
            ..trailer
        };
        self.sequence = 0;
        self.record(
            RecordKind::TRAILER,
            [&trailer.encode(), &index[..entries * 8], &[]],
        )
    }

    fn record(&mut self, kind: RecordKind, parts: [&[u8]; 3]) -> Result<(), S::Error> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let mut checksum = Xxh64::new();
        for part in &parts {
            checksum.update(part);
        }
        checksum.update(padding(length));
        let header = RecordHeader {
            kind,
            payload_length: length as u32,
            snapshot_id: self.snapshot_id,
            section: self.section,
            sequence: self.sequence,
            payload_checksum: checksum.finish(),
            checksum: 0,
        };
        self.sequence += 1;
        self.offset += (RecordHeader::SIZE + padded(length)) as u64;
        self.sink.write(&header.seal())?;
        for part in &parts {
            self.sink.write(part)?;
        }
        self.sink.write(padding(length))
    }
}
