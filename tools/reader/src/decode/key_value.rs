//! `NtQueryValueKey`: a registry value.

use super::buffer::Buffer;
use crate::error::Problem;
use crate::layout::structures::{KEY_VALUE_FULL_INFORMATION, KEY_VALUE_PARTIAL_INFORMATION};
use crate::value::{utf16, utf16_until_nul};

const REG_SZ: u32 = 1;
const REG_EXPAND_SZ: u32 = 2;
const REG_DWORD: u32 = 4;
const REG_MULTI_SZ: u32 = 7;

/// A registry value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyValue<'a> {
    /// Its type (`REG_*`).
    pub value_type: u32,
    /// Its data.
    pub data: &'a [u8],
}

impl KeyValue<'_> {
    /// The text of a `REG_SZ` or `REG_EXPAND_SZ`.
    pub fn text(&self) -> Option<String> {
        matches!(self.value_type, REG_SZ | REG_EXPAND_SZ).then(|| utf16_until_nul(self.data))
    }

    /// The texts of a `REG_MULTI_SZ`, empty ones (which the Session Manager skips) left out; a value that was
    /// stored as a single text counts as one.
    pub fn texts(&self) -> Option<Vec<String>> {
        if self.value_type != REG_MULTI_SZ {
            return self.text().map(|text| vec![text]);
        }
        let text = utf16(self.data);
        let texts = text.split('\0').filter(|text| !text.is_empty());
        Some(texts.map(str::to_owned).collect())
    }

    /// The number of a `REG_DWORD`.
    pub fn number(&self) -> Option<u32> {
        let bytes = *self.data.first_chunk::<4>()?;
        (self.value_type == REG_DWORD).then(|| u32::from_le_bytes(bytes))
    }
}

/// The value in an answer of class 2 (`KeyValuePartialInformation`) or 1 (`KeyValueFullInformation`).
pub fn key_value<'a>(
    buffer: &Buffer<'a>,
    class: u32,
    problems: &mut Vec<Problem>,
) -> Option<KeyValue<'a>> {
    use KEY_VALUE_FULL_INFORMATION as Full;
    use KEY_VALUE_PARTIAL_INFORMATION as Partial;

    let width = buffer.width();
    let (value_type, start, length) = if class == 1 {
        let view = buffer.expect::<Full>(0, Full::Name.offset.at(width), problems)?;
        (
            view.get(Full::Type)?,
            view.get(Full::DataOffset)? as usize,
            view.get(Full::DataLength)?,
        )
    } else {
        let start = Partial::Data.offset.at(width);
        let view = buffer.expect::<Partial>(0, start, problems)?;
        (
            view.get(Partial::Type)?,
            start,
            view.get(Partial::DataLength)?,
        )
    };
    let rest = buffer.from(start);
    let data = rest.get(..length as usize);
    if data.is_none() {
        problems.push(Problem::new(
            "registry value",
            start,
            format!("{length} bytes of data"),
            format!("{} bytes", rest.len()),
        ));
    }
    Some(KeyValue {
        value_type,
        data: data.unwrap_or(rest),
    })
}
