//! Classes 64 and 16 of `NtQuerySystemInformation`: the handles of all processes.

use super::buffer::Buffer;
use crate::error::Problem;
use crate::layout::structures::{
    SYSTEM_HANDLE_INFORMATION, SYSTEM_HANDLE_INFORMATION_EX, SYSTEM_HANDLE_TABLE_ENTRY_INFO,
    SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX,
};
use crate::layout::{Structure, View};

/// Which of the two classes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HandleClass {
    /// 16: process ids and handle values cut to 16 bits.
    Basic,
    /// 64.
    Extended,
}

impl HandleClass {
    /// The class by its number.
    pub const fn from_number(class: u32) -> Option<Self> {
        match class {
            16 => Some(Self::Basic),
            64 => Some(Self::Extended),
            _ => None,
        }
    }
}

/// A handle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HandleEntry {
    /// The process it belongs to.
    pub process_id: u64,
    /// Its value in that process.
    pub handle: u64,
    /// Address of the object; 0 where the kernel hides it.
    pub object: u64,
    /// Index of the object's type.
    pub type_index: u32,
    /// What the handle may be used for.
    pub granted_access: u32,
    /// Protected from close (1), inheritable (2), audited (4).
    pub attributes: u32,
}

/// The handles in an answer of `class`.
pub fn handles(
    buffer: &Buffer<'_>,
    class: HandleClass,
    problems: &mut Vec<Problem>,
) -> Vec<HandleEntry> {
    each_handle(buffer, class, problems).collect()
}

/// As [`handles`], one at a time: a list of them can be as long as the file.
pub fn each_handle<'a>(
    buffer: &Buffer<'a>,
    class: HandleClass,
    problems: &mut Vec<Problem>,
) -> impl Iterator<Item = HandleEntry> + use<'a> {
    let width = buffer.width();
    let (claimed, start, size) = match class {
        HandleClass::Basic => {
            let start = SYSTEM_HANDLE_INFORMATION::Handles.offset.at(width);
            let list = buffer.expect::<SYSTEM_HANDLE_INFORMATION>(0, start, problems);
            let count = list.and_then(|list| list.get(SYSTEM_HANDLE_INFORMATION::NumberOfHandles));
            (
                u64::from(count.unwrap_or_default()),
                start,
                SYSTEM_HANDLE_TABLE_ENTRY_INFO::SIZE,
            )
        }
        HandleClass::Extended => {
            let start = SYSTEM_HANDLE_INFORMATION_EX::Handles.offset.at(width);
            let list = buffer.expect::<SYSTEM_HANDLE_INFORMATION_EX>(0, start, problems);
            let count =
                list.and_then(|list| list.get(SYSTEM_HANDLE_INFORMATION_EX::NumberOfHandles));
            (
                count.unwrap_or_default(),
                start,
                SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX::SIZE,
            )
        }
    };
    let entries = buffer.from(start).chunks_exact(size.at(width));
    if claimed > entries.len() as u64 {
        problems.push(Problem::new(
            "NumberOfHandles",
            0,
            format!("at most {}, for which there is room", entries.len()),
            claimed.to_string(),
        ));
    }
    entries
        .take(usize::try_from(claimed).unwrap_or(usize::MAX))
        .filter_map(move |bytes| match class {
            HandleClass::Basic => basic(&View::new(bytes, width)),
            HandleClass::Extended => extended(&View::new(bytes, width)),
        })
}

fn basic(entry: &View<'_, SYSTEM_HANDLE_TABLE_ENTRY_INFO>) -> Option<HandleEntry> {
    use SYSTEM_HANDLE_TABLE_ENTRY_INFO as Entry;
    Some(HandleEntry {
        process_id: entry.get(Entry::UniqueProcessId)?.into(),
        handle: entry.get(Entry::HandleValue)?.into(),
        object: entry.get(Entry::Object)?,
        type_index: entry.get(Entry::ObjectTypeIndex)?.into(),
        granted_access: entry.get(Entry::GrantedAccess)?,
        attributes: entry.get(Entry::HandleAttributes)?.into(),
    })
}

fn extended(entry: &View<'_, SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX>) -> Option<HandleEntry> {
    use SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX as Entry;
    Some(HandleEntry {
        process_id: entry.get(Entry::UniqueProcessId)?,
        handle: entry.get(Entry::HandleValue)?,
        object: entry.get(Entry::Object)?,
        type_index: entry.get(Entry::ObjectTypeIndex)?.into(),
        granted_access: entry.get(Entry::GrantedAccess)?,
        attributes: entry.get(Entry::HandleAttributes)?,
    })
}
