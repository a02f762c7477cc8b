//! The `.bshot` container: what the native writer and every reader agree on.
//!
//! A snapshot is a fixed [`Header`], then a run of records: a section opens ([`SectionBegin`]), carries its
//! payload in chunks, ends ([`SectionEnd`]); a [`Trailer`] closes the file. Everything is written forward, nothing
//! is patched, and every record carries the snapshot's id and its own checksums, so that whatever part of a file
//! survives can be told from stale sectors and read. `docs/format.md` is the specification.
//!
//! This crate knows neither Windows nor files, allocates nothing and reads hostile bytes.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod batch;
mod header;
mod record;
mod scan;
mod source;
mod wire;
mod writer;
mod xxh64;

pub use batch::{Item, ItemHeader, Items, PackedHeader};
pub use header::{
    Header, HeaderError, MAGIC, PACKED_BATCHES, Phase, PhaseSource, Presence, REDACTED,
    REDACTED_ADDRESSES, REDACTED_COMMAND_LINES, REDACTED_ENVIRONMENT, REDACTED_USERS, VERSION,
};
pub use record::{
    Encoding, FinishedBy, Outcome, RecordHeader, RecordKind, SectionBegin, SectionEnd, Trailer,
};
pub use scan::{Damage, DamageKind, Record, Records};
pub use source::{
    Family, MemoryKind, NoteKind, ObjectHeader, ObjectKind, OpenKind, Source, entry_of, handle_of,
};
pub use writer::{INDEX_CAPACITY, MAXIMUM_CHUNK, Sink, Writer};
pub use xxh64::{xxh64, xxh64_of_words};

/// Rounds a length up to the container's alignment of 8 bytes.
pub const fn padded(length: usize) -> usize {
    length.next_multiple_of(8)
}

/// A header whose last eight bytes become the checksum of those before them.
fn sealed<const N: usize>(mut bytes: [u8; N]) -> [u8; N] {
    if let Some((checked, place)) = bytes.split_last_chunk_mut() {
        *place = xxh64_of_words(checked).to_le_bytes();
    }
    bytes
}

/// The word at a place of a list of words between spaces.
fn word(list: &'static str, place: usize) -> &'static str {
    let (mut start, mut end, mut at) = (0, 0, 0);
    for byte in list.bytes() {
        if byte == b' ' {
            if at == place {
                break;
            }
            start = end + 1;
            at += 1;
        }
        end += 1;
    }
    match at == place {
        true => list.get(start..end).unwrap_or(list),
        false => "unknown",
    }
}
