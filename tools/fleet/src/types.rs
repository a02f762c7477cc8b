//! The type table: `OBJECT_TYPE_INFORMATION` for 64-bit systems. Its counts grow with what is added elsewhere.

use bootshot_format::Source;

use crate::draft::{Draft, bytes_at, put};

/// `ObjectTypesInformation`.
const CLASS: u32 = 3;

const FIRST: usize = 0x08;
const NAME_LENGTH: usize = 0x00;
const NAME_MAXIMUM_LENGTH: usize = 0x02;
const OBJECTS: usize = 0x10;
const HANDLES: usize = 0x14;
const PEAK_OBJECTS: usize = 0x28;
const PEAK_HANDLES: usize = 0x2C;
const SIZE: usize = 0x68;

/// A type.
#[derive(Clone, Copy, Debug)]
pub struct ObjectType {
    /// Its name.
    pub name: &'static str,
    /// What handles name it by.
    pub index: u16,
}

/// Counts objects of a type, and handles to them.
pub fn count(draft: &mut Draft, type_name: &str, objects: u32, handles: u32) {
    let name = test_snapshots::utf16(type_name);
    let tables = draft
        .answers_mut()
        .filter(|answer| answer.source == Source::OBJECT_INFORMATION && answer.class == CLASS);
    for answer in tables {
        let mut start = FIRST;
        while start + SIZE <= answer.bytes.len() {
            let entry = &mut answer.bytes[start..];
            let length = usize::from(u16::from_le_bytes(bytes_at(entry, NAME_LENGTH)));
            let room = usize::from(u16::from_le_bytes(bytes_at(entry, NAME_MAXIMUM_LENGTH)));
            if entry.get(SIZE..SIZE + length) == Some(&name) {
                grow(entry, OBJECTS, PEAK_OBJECTS, objects);
                grow(entry, HANDLES, PEAK_HANDLES, handles);
            }
            start += (SIZE + room).next_multiple_of(8);
        }
    }
}

fn grow(entry: &mut [u8], count: usize, peak: usize, by: u32) {
    let grown = u32::from_le_bytes(bytes_at(entry, count)) + by;
    let highest = u32::from_le_bytes(bytes_at(entry, peak)).max(grown);
    put(entry, count, grown.to_le_bytes());
    put(entry, peak, highest.to_le_bytes());
}
