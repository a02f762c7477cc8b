//! Registry keys: runs of `NtEnumerateKey` and `NtEnumerateValueKey`, and the flags of a key.
//!
//! A run is one structure behind the other, each at a multiple of 8.

use std::sync::Arc;

use super::KeyValue;
use super::buffer::Buffer;
use crate::error::Problem;
use crate::layout::structures::{
    KEY_BASIC_INFORMATION, KEY_FLAGS_INFORMATION, KEY_VALUE_FULL_INFORMATION,
};
use crate::value::utf16;

/// `KeyFlags`: the key is gone when the system stops. From `phnt`, `REG_FLAG_VOLATILE`.
const REG_FLAG_VOLATILE: u32 = 1;
/// `KeyFlags`: the key is a symbolic link. From `phnt`, `REG_FLAG_LINK`.
const REG_FLAG_LINK: u32 = 2;

/// Where the next answer of a run starts.
const ALIGNMENT: usize = 8;

/// A key as its parent lists it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subkey<'a> {
    /// When it, or a value of it, was written last; 100 ns units since 1601.
    pub last_write_time: i64,
    name: &'a [u8],
}

impl Subkey<'_> {
    /// Its name.
    pub fn name(&self) -> String {
        utf16(self.name)
    }
}

/// A value as its key lists it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedValue<'a> {
    /// Its name; empty for the key's default value.
    pub name: Arc<str>,
    /// Its type and data.
    pub value: KeyValue<'a>,
}

/// What `NtQueryKey` class 5 says of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyFlags {
    /// It is in memory only.
    pub volatile: bool,
    /// It is a symbolic link to another key.
    pub link: bool,
}

/// The bytes `length` long at `start`; when they are not there, a problem.
fn part<'a>(
    buffer: &Buffer<'a>,
    what: &'static str,
    start: usize,
    length: u32,
    problems: &mut Vec<Problem>,
) -> Option<&'a [u8]> {
    let rest = buffer.from(start);
    let found = rest.get(..length as usize);
    if found.is_none() {
        problems.push(Problem::new(
            what,
            start,
            format!("{length} bytes"),
            format!("{} bytes", rest.len()),
        ));
    }
    found
}

/// The keys in a run of class 0 (`KeyBasicInformation`).
pub fn subkeys<'a>(buffer: &Buffer<'a>, problems: &mut Vec<Problem>) -> Vec<Subkey<'a>> {
    use KEY_BASIC_INFORMATION as Basic;

    let name_offset = Basic::Name.offset.at(buffer.width());
    let mut keys = Vec::new();
    let mut offset = 0;
    while offset < buffer.bytes().len() {
        let Some(view) = buffer.expect::<Basic>(offset, name_offset, problems) else {
            break;
        };
        let length = view.get(Basic::NameLength).unwrap_or_default();
        let start = offset + name_offset;
        let Some(name) = part(buffer, "name of a registry key", start, length, problems) else {
            break;
        };
        keys.push(Subkey {
            last_write_time: view.get(Basic::LastWriteTime).unwrap_or_default(),
            name,
        });
        offset = (start + name.len()).next_multiple_of(ALIGNMENT);
    }
    keys
}

/// The values in a run of class 1 (`KeyValueFullInformation`).
pub fn key_values<'a>(buffer: &Buffer<'a>, problems: &mut Vec<Problem>) -> Vec<NamedValue<'a>> {
    use KEY_VALUE_FULL_INFORMATION as Full;

    let name_offset = Full::Name.offset.at(buffer.width());
    let mut values = Vec::new();
    let mut offset = 0;
    while offset < buffer.bytes().len() {
        let Some(view) = buffer.expect::<Full>(offset, name_offset, problems) else {
            break;
        };
        let name_length = view.get(Full::NameLength).unwrap_or_default();
        let data_length = view.get(Full::DataLength).unwrap_or_default();
        let name_start = offset + name_offset;
        let Some(name) = part(buffer, "name of a value", name_start, name_length, problems) else {
            break;
        };
        let mut end = name_start + name.len();
        let mut data: &[u8] = &[];
        // Without data the offset says nothing: Windows leaves -1 there.
        if data_length != 0 {
            let start =
                offset.saturating_add(view.get(Full::DataOffset).unwrap_or_default() as usize);
            let Some(found) = part(buffer, "registry value", start, data_length, problems) else {
                break;
            };
            if start < end {
                problems.push(Problem::new(
                    "KEY_VALUE_FULL_INFORMATION.DataOffset",
                    offset,
                    "data behind the name",
                    "data inside of it",
                ));
                break;
            }
            (data, end) = (found, start + found.len());
        }
        let Some(name) = buffer.text(name, "name of a value", name_start, problems) else {
            break;
        };
        values.push(NamedValue {
            name,
            value: KeyValue {
                value_type: view.get(Full::Type).unwrap_or_default(),
                data,
            },
        });
        offset = end.next_multiple_of(ALIGNMENT);
    }
    values
}

/// The answer of class 5 (`KeyFlagsInformation`).
pub fn key_flags(buffer: &Buffer<'_>, problems: &mut Vec<Problem>) -> Option<KeyFlags> {
    use KEY_FLAGS_INFORMATION as Flags;

    let end = Flags::ControlFlags.offset.at(buffer.width());
    let view = buffer.expect::<Flags>(0, end, problems)?;
    let flags = view.get(Flags::KeyFlags)?;
    Some(KeyFlags {
        volatile: flags & REG_FLAG_VOLATILE != 0,
        link: flags & REG_FLAG_LINK != 0,
    })
}
