//! `NtQueryDirectoryObject`: the entries of an object directory.

use std::sync::Arc;

use super::buffer::Buffer;
use crate::error::Problem;
use crate::layout::structures::OBJECT_DIRECTORY_INFORMATION;
use crate::layout::{Structure, View};
use crate::value::utf16;

/// An entry of an object directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DirectoryEntry {
    /// Its name in the directory.
    pub name: Arc<str>,
    /// The name of its type.
    pub type_name: Arc<str>,
}

/// The entries in an answer: they end with an entry of two null strings, or where the strings begin.
pub fn directory_entries(buffer: &Buffer<'_>, problems: &mut Vec<Problem>) -> Vec<DirectoryEntry> {
    let mut entries = Vec::new();
    each_directory_entry(buffer, problems, |name, type_name| {
        entries.push(DirectoryEntry {
            name: utf16(name).into(),
            type_name: utf16(type_name).into(),
        });
    });
    entries
}

/// As [`directory_entries`], the names and those of the types in UTF-16 where they lie.
pub(crate) fn each_directory_entry<'a>(
    buffer: &Buffer<'a>,
    problems: &mut Vec<Problem>,
    mut each: impl FnMut(&'a [u8], &'a [u8]),
) {
    use OBJECT_DIRECTORY_INFORMATION as Entry;

    let size = Entry::SIZE.at(buffer.width());
    for (index, bytes) in buffer.bytes().chunks_exact(size).enumerate() {
        let view = View::<Entry>::new(bytes, buffer.width());
        let (Some(name), Some(type_name)) = (view.get(Entry::Name), view.get(Entry::TypeName))
        else {
            break;
        };
        if name.buffer == 0 && type_name.buffer == 0 {
            break;
        }
        let offset = index * size;
        let name = buffer.characters(name, "object name", offset, problems);
        let type_name = buffer.characters(type_name, "object type name", offset, problems);
        let (Some(name), Some(type_name)) = (name, type_name) else {
            // Whatever follows is strings, or is not to be trusted.
            break;
        };
        each(name, type_name);
    }
}
