//! `NtQueryDirectoryObject`: the entries of an object directory.

use std::sync::Arc;

use super::buffer::Buffer;
use crate::error::Problem;
use crate::layout::structures::OBJECT_DIRECTORY_INFORMATION;
use crate::layout::{Structure, View};

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
    use OBJECT_DIRECTORY_INFORMATION as Entry;

    let size = Entry::SIZE.at(buffer.width());
    let mut entries = Vec::new();
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
        let name = buffer.string(name, "object name", offset, problems);
        let type_name = buffer.string(type_name, "object type name", offset, problems);
        let (Some(name), Some(type_name)) = (name, type_name) else {
            // Whatever follows is strings, or is not to be trusted.
            break;
        };
        entries.push(DirectoryEntry { name, type_name });
    }
    entries
}
