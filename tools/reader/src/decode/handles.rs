//! Classes 64 and 16 of `NtQuerySystemInformation`: the handles of all processes.

use super::buffer::Buffer;
use crate::error::Problem;
use crate::layout::structures::{
    SYSTEM_HANDLE_INFORMATION, SYSTEM_HANDLE_INFORMATION_EX, SYSTEM_HANDLE_TABLE_ENTRY_INFO,
    SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX,
};
use crate::layout::{PointerWidth, Structure, View};

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
    HandleList::new(buffer, class, problems).into_iter()
}

/// The list of an answer, where it lies.
#[derive(Clone, Copy, Debug)]
pub struct HandleList<'a> {
    entries: &'a [u8],
    /// Bytes of an entry.
    size: usize,
    class: HandleClass,
    width: PointerWidth,
}

impl<'a> HandleList<'a> {
    /// One without handles.
    pub const EMPTY: Self = Self {
        entries: &[],
        size: 1,
        class: HandleClass::Extended,
        width: PointerWidth::Bits64,
    };

    /// The list in an answer of `class`.
    pub fn new(buffer: &Buffer<'a>, class: HandleClass, problems: &mut Vec<Problem>) -> Self {
        let width = buffer.width();
        let (claimed, start, size) = match class {
            HandleClass::Basic => {
                let start = SYSTEM_HANDLE_INFORMATION::Handles.offset.at(width);
                let list = buffer.expect::<SYSTEM_HANDLE_INFORMATION>(0, start, problems);
                let count =
                    list.and_then(|list| list.get(SYSTEM_HANDLE_INFORMATION::NumberOfHandles));
                (
                    u64::from(count.unwrap_or_default()),
                    start,
                    SYSTEM_HANDLE_TABLE_ENTRY_INFO::SIZE.at(width),
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
                    SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX::SIZE.at(width),
                )
            }
        };
        let entries = buffer.from(start);
        let room = entries.len() / size;
        if claimed > room as u64 {
            problems.push(Problem::new(
                "NumberOfHandles",
                0,
                format!("at most {room}, for which there is room"),
                claimed.to_string(),
            ));
        }
        let count = usize::try_from(claimed).map_or(room, |claimed| claimed.min(room));
        Self {
            entries: &entries[..count * size],
            size,
            class,
            width,
        }
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.entries.len() / self.size
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The handle at a place.
    pub fn get(&self, place: usize) -> Option<HandleEntry> {
        let start = place.checked_mul(self.size)?;
        self.decode(self.entries.get(start..start.checked_add(self.size)?)?)
    }

    #[inline]
    fn decode(&self, bytes: &[u8]) -> Option<HandleEntry> {
        match self.class {
            HandleClass::Basic => basic(&View::new(bytes, self.width)),
            HandleClass::Extended => extended(&View::new(bytes, self.width)),
        }
    }
}

impl<'a> IntoIterator for HandleList<'a> {
    type Item = HandleEntry;
    type IntoIter = HandleEntries<'a>;

    fn into_iter(self) -> HandleEntries<'a> {
        HandleEntries {
            rest: self.entries.chunks_exact(self.size),
            list: self,
        }
    }
}

/// The handles of a list, one after the other.
#[derive(Clone, Debug)]
pub struct HandleEntries<'a> {
    list: HandleList<'a>,
    rest: std::slice::ChunksExact<'a, u8>,
}

impl Iterator for HandleEntries<'_> {
    type Item = HandleEntry;

    #[inline]
    fn next(&mut self) -> Option<HandleEntry> {
        // An entry that is there is whole.
        self.list.decode(self.rest.next()?)
    }
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
