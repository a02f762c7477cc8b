//! What the firmware tells: its variables, and the table of the platform binary.

use super::copy::Copy;
use super::words::REMOVED;
use crate::layout::structures::{
    SYSTEM_FIRMWARE_TABLE_INFORMATION as Table, VARIABLE_NAME, VARIABLE_NAME_AND_VALUE,
};
use crate::value::utf16_until_nul;

/// `EFI_GLOBAL_VARIABLE` and `EFI_IMAGE_SECURITY_DATABASE_GUID`, as they stand in memory, by their beginnings.
const GLOBAL: [u8; 4] = [0x61, 0xDF, 0xE4, 0x8B];
const SECURITY_DATABASE: [u8; 4] = [0xCB, 0xB2, 0x19, 0xD7];

/// Variables of the firmware itself whose values are a flag or numbers of boot entries.
const NUMBERS: [&str; 8] = [
    "AuditMode",
    "BootCurrent",
    "BootNext",
    "BootOrder",
    "DeployedMode",
    "SecureBoot",
    "SetupMode",
    "Timeout",
];

/// Keys and signature databases: public by their nature.
const DATABASES: [&str; 6] = ["PK", "KEK", "db", "dbx", "dbt", "dbr"];

/// `EFI_LOAD_OPTION`: attributes and length of the path, then the description.
const DESCRIPTION: usize = 6;

/// An answer about all variables: names stay, and of the values those that are known to tell nothing of the machine.
pub(super) fn variables(class: u32, copy: &mut Copy<'_, '_>) -> bool {
    match class {
        1 => names(copy),
        2 => values(copy),
        _ => return false,
    }
    true
}

fn names(copy: &mut Copy<'_, '_>) {
    let size = VARIABLE_NAME::Name.offset.at(copy.width());
    let mut offset = 0;
    while copy.rest(offset).len() >= size {
        copy.structure::<VARIABLE_NAME>(offset, size);
        copy.text_until_nul(offset + size);
        let next = copy.number(offset, 4) as usize;
        if next < size {
            break;
        }
        offset += next;
    }
}

fn values(copy: &mut Copy<'_, '_>) {
    use VARIABLE_NAME_AND_VALUE as Variable;

    let width = copy.width();
    let size = Variable::Name.offset.at(width);
    let mut offset = 0;
    while copy.rest(offset).len() >= size {
        let next = copy.number(offset, 4) as usize;
        let end = if next == 0 {
            copy.bytes().len()
        } else {
            offset.saturating_add(next)
        };
        let start = copy.number(offset + Variable::ValueOffset.offset.at(width), 4) as usize;
        let length = copy.number(offset + Variable::ValueLength.offset.at(width), 4) as usize;
        let name_length = start.saturating_sub(size);
        let value_end = offset.saturating_add(start).saturating_add(length);
        let fits = start >= size && value_end <= end && end <= copy.bytes().len();
        copy.structure::<Variable>(offset, size);
        if !fits {
            break;
        }
        let name = utf16_until_nul(&copy.rest(offset + size)[..name_length]);
        copy.text(offset + size, name.encode_utf16().count() * 2);
        value(offset, &name, offset + start, length, copy);
        if next == 0 {
            break;
        }
        offset += next;
    }
}

fn value(variable: usize, name: &str, start: usize, length: usize, copy: &mut Copy<'_, '_>) {
    let guid = variable + VARIABLE_NAME_AND_VALUE::VendorGuid.offset.at(copy.width());
    let vendor = copy.rest(guid);
    let is_global = vendor.starts_with(&GLOBAL);
    let is_ours = is_global || vendor.starts_with(&SECURITY_DATABASE);
    let is_numbers = is_global && NUMBERS.contains(&name);
    if is_numbers || is_ours && DATABASES.contains(&name) {
        copy.numbers(start, length);
    } else if is_global && is_boot_entry(name) && length >= DESCRIPTION {
        copy.numbers(start, DESCRIPTION);
        let description = description(&copy.rest(start)[DESCRIPTION..length]);
        copy.own_text(start + DESCRIPTION, &description);
        copy.secrets
            .count_dropped(length - DESCRIPTION - description.len() * 2);
    } else {
        copy.secrets.count_dropped(length);
    }
}

/// `Boot` and four hexadecimal digits.
fn is_boot_entry(name: &str) -> bool {
    let number = name.strip_prefix("Boot");
    number.is_some_and(|number| {
        number.len() == 4 && number.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}

/// What a boot entry calls itself, without words that have digits: firmware puts serial numbers and addresses there.
fn description(bytes: &[u8]) -> Vec<u16> {
    let (units, _) = bytes.as_chunks::<2>();
    let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    let digits = u16::from(b'0')..=u16::from(b'9');
    let words = units.split(|unit| *unit == u16::from(b' '));
    let words: Vec<Vec<u16>> = words
        .map(|word| match word.iter().any(|unit| digits.contains(unit)) {
            true => vec![REMOVED; word.len()],
            false => word.to_vec(),
        })
        .collect();
    words.join(&u16::from(b' '))
}

/// The platform binary's table: all of it but its arguments, which are a command line. Any other table is not known.
pub(super) fn table(copy: &mut Copy<'_, '_>) -> bool {
    /// Up to the length of the arguments.
    const FIXED: usize = 52;

    let start = Table::TableBuffer.offset.at(copy.width());
    if !copy.rest(start).starts_with(b"WPBT") {
        return false;
    }
    copy.structure::<Table>(0, start);
    copy.numbers(start, FIXED);
    let length = copy.number(start + FIXED - 2, 2) as usize;
    if copy.rest(start).len() >= FIXED {
        copy.command_line(start + FIXED, length);
    }
    true
}
