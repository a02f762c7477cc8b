//! What the firmware tells: its variables, and the table of the platform binary.

use std::sync::Arc;

use super::buffer::Buffer;
use crate::error::Problem;
use crate::layout::structures::{
    SYSTEM_FIRMWARE_TABLE_INFORMATION as Table, VARIABLE_NAME, VARIABLE_NAME_AND_VALUE,
};
use crate::value::{utf16, utf16_until_nul};

/// A variable of the firmware.
#[derive(Clone, Debug)]
pub struct FirmwareVariable<'a> {
    /// Its name.
    pub name: Arc<str>,
    /// Whose name it is, as it stands in memory.
    pub vendor: [u8; 16],
    /// `EFI_VARIABLE_*`: where and when it can be read.
    pub attributes: u32,
    /// Its value.
    pub value: &'a [u8],
}

/// The names of the variables in an answer of class 1 (`VariableInformationNames`), each behind whose name it is.
pub fn firmware_variable_names(
    buffer: &Buffer<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<([u8; 16], Arc<str>)> {
    use VARIABLE_NAME as Variable;

    let name_offset = Variable::Name.offset.at(buffer.width());
    let mut names = Vec::new();
    let mut offset = 0;
    while offset < buffer.bytes().len() {
        let Some(view) = buffer.expect::<Variable>(offset, name_offset, problems) else {
            break;
        };
        let entry = buffer.from(offset);
        let next = view.get(Variable::NextEntryOffset).unwrap_or_default() as usize;
        let end = if next == 0 { entry.len() } else { next };
        let Some(name) = entry.get(name_offset..end) else {
            problems.push(Problem::new(
                "VARIABLE_NAME.NextEntryOffset",
                offset,
                format!("0, or from {name_offset} to {}", entry.len()),
                next.to_string(),
            ));
            break;
        };
        let vendor = view.get(Variable::VendorGuid).unwrap_or_default();
        names.push((vendor, utf16_until_nul(name).into()));
        if next == 0 {
            break;
        }
        offset += next;
    }
    names
}

/// The variables in an answer of class 2 (`VariableInformationValues`); an empty answer is none.
pub fn firmware_variables<'a>(
    buffer: &Buffer<'a>,
    problems: &mut Vec<Problem>,
) -> Vec<FirmwareVariable<'a>> {
    use VARIABLE_NAME_AND_VALUE as Variable;

    let name_offset = Variable::Name.offset.at(buffer.width());
    let mut variables = Vec::new();
    let mut offset = 0;
    while offset < buffer.bytes().len() {
        let Some(view) = buffer.expect::<Variable>(offset, name_offset, problems) else {
            break;
        };
        let value_offset = view.get(Variable::ValueOffset).unwrap_or_default() as usize;
        let value_length = view.get(Variable::ValueLength).unwrap_or_default() as usize;
        let next = view.get(Variable::NextEntryOffset).unwrap_or_default() as usize;
        let entry = buffer.from(offset);
        // The value may overlap neither the next variable nor the name: bytes are decoded once.
        let end = if next == 0 { entry.len() } else { next };
        let parts = || {
            let name = entry.get(name_offset..value_offset)?;
            let value = entry.get(value_offset..value_offset.checked_add(value_length)?)?;
            (value_offset + value_length <= end && end <= entry.len()).then_some((name, value))
        };
        let Some((name, value)) = parts() else {
            problems.push(Problem::new(
                "VARIABLE_NAME_AND_VALUE.ValueOffset",
                offset,
                "a value behind the name and before the next variable",
                format!("{value_length} bytes at {value_offset:#x}"),
            ));
            break;
        };
        variables.push(FirmwareVariable {
            name: utf16_until_nul(name).into(),
            vendor: view.get(Variable::VendorGuid).unwrap_or_default(),
            attributes: view.get(Variable::Attributes).unwrap_or_default(),
            value,
        });
        if next == 0 {
            break;
        }
        offset = offset.saturating_add(next);
    }
    variables
}

/// The `WPBT` table: a program that the firmware has left in memory for smss.
///
/// Source: "Windows Platform Binary Table (WPBT)", Microsoft, 2015, behind the common header of an ACPI table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlatformBinaryTable {
    /// Revision of the table.
    pub revision: u8,
    /// Who made the table, and for what.
    pub oem_id: String,
    /// The same, of the table.
    pub oem_table_id: String,
    /// Bytes of the handed-over memory.
    pub handoff_size: u32,
    /// Its physical address.
    pub handoff_location: u64,
    /// 1: a PE image at the start of that memory.
    pub content_layout: u8,
    /// 1: a native program.
    pub content_type: u8,
    /// Its arguments; for type 1 only.
    pub arguments: Option<String>,
}

/// Offsets in the table.
mod wpbt {
    pub const LENGTH: usize = 4;
    pub const REVISION: usize = 8;
    pub const OEM_ID: usize = 10;
    pub const OEM_TABLE_ID: usize = 16;
    pub const HANDOFF_SIZE: usize = 36;
    pub const HANDOFF_LOCATION: usize = 40;
    pub const CONTENT_LAYOUT: usize = 48;
    pub const CONTENT_TYPE: usize = 49;
    pub const ARGUMENTS_LENGTH: usize = 50;
    pub const ARGUMENTS: usize = 52;
    /// `CONTENT_TYPE` of a native program, the only one that has arguments.
    pub const NATIVE: u8 = 1;
}

/// The table in an answer of class 76; none, and a problem, when it is no `WPBT`.
pub fn platform_binary_table(
    buffer: &Buffer<'_>,
    problems: &mut Vec<Problem>,
) -> Option<PlatformBinaryTable> {
    let start = Table::TableBuffer.offset.at(buffer.width());
    let view = buffer.expect::<Table>(0, start, problems)?;
    let length = view.get(Table::TableBufferLength)? as usize;
    let rest = buffer.from(start);
    let table = rest.get(..length).unwrap_or(rest);
    let found = read_table(table);
    if found.is_none() {
        problems.push(Problem::new(
            "WPBT",
            start,
            "a platform binary table",
            format!("{} bytes that are none", table.len()),
        ));
    }
    found
}

fn read_table(table: &[u8]) -> Option<PlatformBinaryTable> {
    if !table.starts_with(b"WPBT") {
        return None;
    }
    let u16_at = |offset: usize| Some(u16::from_le_bytes(*table.get(offset..)?.first_chunk()?));
    let u32_at = |offset: usize| Some(u32::from_le_bytes(*table.get(offset..)?.first_chunk()?));
    let text_at = |offset: usize, length: usize| {
        let text = String::from_utf8_lossy(table.get(offset..offset + length)?).into_owned();
        Some(text.trim_end_matches([' ', '\0']).to_owned())
    };
    if (u32_at(wpbt::LENGTH)? as usize) < wpbt::ARGUMENTS_LENGTH {
        return None;
    }
    let content_type = *table.get(wpbt::CONTENT_TYPE)?;
    let arguments = || {
        let length = u16_at(wpbt::ARGUMENTS_LENGTH)? as usize;
        let text = table.get(wpbt::ARGUMENTS..)?.get(..length)?;
        Some(utf16(text).trim_end_matches('\0').to_owned())
    };
    Some(PlatformBinaryTable {
        revision: *table.get(wpbt::REVISION)?,
        oem_id: text_at(wpbt::OEM_ID, 6)?,
        oem_table_id: text_at(wpbt::OEM_TABLE_ID, 8)?,
        handoff_size: u32_at(wpbt::HANDOFF_SIZE)?,
        handoff_location: u64::from_le_bytes(*table.get(wpbt::HANDOFF_LOCATION..)?.first_chunk()?),
        content_layout: *table.get(wpbt::CONTENT_LAYOUT)?,
        content_type,
        arguments: (content_type == wpbt::NATIVE).then(arguments).flatten(),
    })
}
