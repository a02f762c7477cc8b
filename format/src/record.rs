//! Records: the unit in which everything after the header is written, checked and salvaged.

use crate::wire::{open_number, wire_struct};
use crate::{Family, Presence, Source, xxh64_of_words};
use crate::{padded, sealed};

open_number! {
    /// What a record is: four ASCII letters, read as a little-endian number.
    RecordKind(u32) {
        /// A section opens.
        SECTION_BEGIN = u32::from_le_bytes(*b"SECT"),
        /// Part of the open section's payload.
        CHUNK = u32::from_le_bytes(*b"DATA"),
        /// The open section ends.
        SECTION_END = u32::from_le_bytes(*b"SEND"),
        /// The snapshot is complete.
        TRAILER = u32::from_le_bytes(*b"TRLR"),
    }
}

open_number! {
    /// How a section's payload is to be read.
    Encoding(u16) {
        /// One answer, as the kernel gave it.
        RAW = 0,
        /// A run of items, each an answer with its own small header ([`crate::ItemHeader`]).
        BATCH = 1,
        /// The same with headers that leave out what is usual ([`crate::ItemHeader::pack`]).
        PACKED_BATCH = 2,
    }
}

impl Encoding {
    /// Whether the payload is a run of items.
    pub const fn is_batch(self) -> bool {
        matches!(self, Self::BATCH | Self::PACKED_BATCH)
    }
}

open_number! {
    /// How a question ended.
    Outcome(u16) {
        /// Answered, and all of the answer is here.
        COMPLETE = 0,
        /// Not answered: the status says why.
        FAILED = 1,
        /// Answered in part: a bound of ours was reached.
        TRUNCATED = 2,
        /// The capture was cut off while the section was open; what is here is what there was.
        TORN = 3,
        /// Not asked: `only=` or `skip=` said so.
        SKIPPED_BY_ARGUMENT = 4,
        /// Not asked: the time budget was spent.
        SKIPPED_BY_BUDGET = 5,
        /// Not asked: it is not done at this moment of the boot.
        SKIPPED_BY_PHASE = 6,
        /// Answered, and removed by `bootshotctl redact`: what is in it is not known. The returned length is its length.
        REDACTED = 7,
    }
}

open_number! {
    /// Who wrote the trailer.
    FinishedBy(u8) {
        /// The capture itself, at its end.
        CAPTURE = 0,
        /// The finisher, after the capture exceeded its time limit.
        FINISHER = 1,
        /// `bootshotctl salvage`, of a file that was cut short or damaged.
        SALVAGE = 2,
    }
}

wire_struct! {
    /// In front of every record's payload.
    RecordHeader[48] {
        /// What follows.
        0: kind: RecordKind,
        /// Bytes of payload, without the zero padding to 8 that follows it.
        4: payload_length: u32,
        /// The header's snapshot id.
        8: snapshot_id: [u8; 16],
        /// Ordinal of the section in the file, from 0; in the trailer the number of sections.
        24: section: u32,
        /// Place of the record in its section, from 0.
        28: sequence: u32,
        /// XXH64 of payload and padding.
        32: payload_checksum: u64,
        /// XXH64 of the 40 bytes before it.
        40: checksum: u64,
    }
}

impl RecordHeader {
    /// The header as bytes, its own checksum filled in.
    pub fn seal(self) -> [u8; Self::SIZE] {
        sealed(self.encode())
    }

    /// Reads a header whose checksum holds.
    pub fn open(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let header = Self::decode(bytes);
        (header.checksum == xxh64_of_words(&bytes[..Self::SIZE - 8])).then_some(header)
    }

    /// Bytes of payload and padding.
    pub const fn padded_length(&self) -> u64 {
        (self.payload_length as u64).next_multiple_of(8)
    }
}

wire_struct! {
    /// The question: the start of a [`RecordKind::SECTION_BEGIN`] payload; the two names follow, UTF-16LE.
    SectionBegin[56] {
        /// Who was asked.
        0: source: Source,
        /// The information class, or what the source defines.
        4: class: u32,
        /// First argument of the question, as the source defines it.
        8: argument: u64,
        /// Second argument of the question.
        16: argument2: u64,
        /// System time when it was asked, 100 ns since 1601 UTC.
        24: system_time: i64,
        /// Interrupt time when it was asked, 100 ns since boot.
        32: interrupt_time: u64,
        /// Performance counter when it was asked, in ticks.
        40: performance_counter: u64,
        /// How the payload is to be read.
        48: encoding: Encoding,
        /// Bytes of the object, key or directory name that follows.
        50: name_length: u16,
        /// Bytes of the value name behind it.
        52: value_name_length: u16,
        /// The family of questions it belongs to: what `only=` and `skip=` name.
        54: family: Family,
    }
}

wire_struct! {
    /// The answer's circumstances: the payload of a [`RecordKind::SECTION_END`].
    SectionEnd[64] {
        /// The `NTSTATUS` of the last call.
        0: status: u32,
        /// How it ended.
        4: outcome: Outcome,
        /// Calls made.
        6: tries: u16,
        /// Payload bytes of the whole section.
        8: total_length: u64,
        /// Number of chunks.
        16: chunks: u32,
        /// Number of items in a batch.
        20: items: u32,
        /// Performance counter at the end, in ticks.
        24: performance_counter: u64,
        /// Length the last call returned, unclamped.
        32: returned_length: u64,
        /// Address the buffer of the last call had.
        40: buffer_address: u64,
        /// Bytes that buffer had.
        48: buffer_length: u64,
    }
}

wire_struct! {
    /// The last record's payload; file offsets of the sections' first records follow, u64 each.
    Trailer[32] {
        /// System time at the end, 100 ns since 1601 UTC.
        0: system_time: i64,
        /// Interrupt time at the end, 100 ns since boot.
        8: interrupt_time: u64,
        /// Performance counter at the end, in ticks.
        16: performance_counter: u64,
        /// Whether csrss ran when the capture ended.
        24: csrss_at_end: Presence,
        /// Who wrote the trailer.
        25: finished_by: FinishedBy,
        /// Offsets that follow: at most the number of sections. Advisory, a scan gives them all.
        28: index_entries: u32,
    }
}

/// What [`padded`] rounds to.
const ALIGNMENT: usize = padded(1);

/// The zero bytes that follow a payload of `length` bytes.
pub(crate) fn padding(length: usize) -> &'static [u8] {
    &[0; ALIGNMENT][..length.wrapping_neg() % ALIGNMENT]
}
