//! Class 3 of `NtQueryObject`: the object types.

use std::sync::Arc;

use super::buffer::Buffer;
use crate::error::Problem;
use crate::layout::structures::{
    GENERIC_MAPPING, OBJECT_TYPE_INFORMATION, OBJECT_TYPES_INFORMATION,
};
use crate::layout::{Structure, View};

/// Types are numbered from 2 on: index 0 is free and 1 is not handed out.
const FIRST_TYPE_INDEX: u32 = 2;

/// An object type with the kernel's statistics of it.
#[derive(Clone, Debug)]
pub struct ObjectType<'a> {
    /// Its name.
    pub name: Option<Arc<str>>,
    /// The number handles name it by: as the kernel says, before Windows 8.1 from its position.
    pub index: u32,
    /// The rest.
    pub information: View<'a, OBJECT_TYPE_INFORMATION>,
}

impl<'a> ObjectType<'a> {
    /// What the generic rights stand for.
    pub fn generic_mapping(&self) -> Option<View<'a, GENERIC_MAPPING>> {
        self.information
            .get(OBJECT_TYPE_INFORMATION::GenericMapping)
    }
}

/// The object types in the answer.
pub fn object_types<'a>(buffer: &Buffer<'a>, problems: &mut Vec<Problem>) -> Vec<ObjectType<'a>> {
    use OBJECT_TYPE_INFORMATION as Type;

    let pointer = buffer.width().bytes();
    let header = OBJECT_TYPES_INFORMATION::SIZE.at(buffer.width());
    let Some(list) = buffer.expect::<OBJECT_TYPES_INFORMATION>(0, header, problems) else {
        return Vec::new();
    };
    let claimed = list
        .get(OBJECT_TYPES_INFORMATION::NumberOfTypes)
        .unwrap_or_default();
    let size = Type::SIZE.at(buffer.width());
    let mut types: Vec<ObjectType<'a>> = Vec::new();
    let mut offset = header.next_multiple_of(pointer);
    for position in 0..claimed {
        let Some(information) = buffer.expect::<Type>(offset, size, problems) else {
            break;
        };
        let Some(name) = information.get(Type::TypeName) else {
            break;
        };
        types.push(ObjectType {
            name: buffer.string(name, "type name", offset, problems),
            index: position + FIRST_TYPE_INDEX,
            information,
        });
        // The name stands behind its type, with room for a terminator; the next type is aligned to a pointer.
        offset = (offset + size + usize::from(name.maximum_length)).next_multiple_of(pointer);
    }
    // The field was padding, and so zero or stale, before Windows 8.1: believe it only when it can be an index
    // for every type.
    let told = |entry: &ObjectType<'_>| entry.information.get(Type::TypeIndex).map(u32::from);
    if types.is_sorted_by(|a, b| told(a) < told(b))
        && types
            .first()
            .and_then(told)
            .is_some_and(|first| first >= FIRST_TYPE_INDEX)
    {
        for entry in &mut types {
            entry.index = told(entry).unwrap_or(entry.index);
        }
    }
    types
}
