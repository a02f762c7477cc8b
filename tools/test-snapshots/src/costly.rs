//! Snapshots that cost much to read where the work grows with a product of what is in them.

use bootshot_format::{Family, NoteKind, ObjectKind, Source};

use crate::objects::{self, BasicInformation};
use crate::{Builder, Entry, utf16};

/// As many types of objects, no two of one name, as handles of the capture's own, each to an object of another type.
pub fn many_types_and_own_handles(count: u32) -> Vec<u8> {
    /// Where the types stood.
    const ADDRESS: u64 = 0x1000;
    /// `OBJECT_TYPE_INFORMATION` for 64 bits.
    const TYPE_SIZE: usize = 0x68;
    let mut types = u64::from(count).to_le_bytes().to_vec();
    let mut handles = [u64::from(count).to_le_bytes(), [0; 8]].concat();
    let mut notes = Vec::new();
    for index in 0..count {
        let name = format!("{index:04X}");
        let characters = utf16(&name);
        let start = types.len();
        types.resize(start + TYPE_SIZE, 0);
        let length = (characters.len() as u16).to_le_bytes();
        types[start..start + 2].copy_from_slice(&length);
        types[start + 2..start + 4].copy_from_slice(&length);
        let address = ADDRESS + types.len() as u64;
        types[start + 8..start + 16].copy_from_slice(&address.to_le_bytes());
        types.extend(characters);
        let handle = u64::from(index) * 4;
        let note = Entry::new(Source::NOTE, NoteKind::OWN_HANDLE.0, 0, &[]);
        notes.push(note.about(handle, 0).named(&name));
        // SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX.
        let mut entry = [0; 40];
        entry[8] = 212;
        entry[16..24].copy_from_slice(&handle.to_le_bytes());
        entry[30..32].copy_from_slice(&(index as u16).to_le_bytes());
        handles.extend(entry);
    }
    let mut builder = Builder::new(8);
    builder
        .section(
            Family::TYPES,
            &Entry::new(Source::OBJECT_INFORMATION, 3, ADDRESS, &types),
        )
        .section(
            Family::HANDLES,
            &Entry::new(Source::SYSTEM_INFORMATION, 64, 0, &handles),
        )
        .batch(Family::OWN, &notes);
    builder.finish()
}

/// A directory with a path of 30,000 characters, and 5,000 entries of one.
pub fn many_entries_with_a_long_path() -> Vec<u8> {
    let long = "x".repeat(30_000);
    let mut builder = Builder::new(8);
    builder.batch(
        Family::NAMESPACE,
        &[
            objects::directory(4, 0, &[(&long, "Directory")]).named("\\"),
            objects::opened(
                ObjectKind::DIRECTORY,
                8,
                Some((4, 0)),
                BasicInformation::default(),
            ),
            objects::directory(8, 0, &[("e", "Event"); 5_000]),
        ],
    );
    builder.finish()
}
