//! Answers about the firmware, laid out as the headers of `phnt` and the specifications declare them.

use bootshot_format::Source;

use crate::build::{Entry, utf16};

/// `EFI_GLOBAL_VARIABLE`, as it stands in memory.
pub const GLOBAL: [u8; 16] = [
    0x61, 0xDF, 0xE4, 0x8B, 0xCA, 0x93, 0xD2, 0x11, 0xAA, 0x0D, 0x00, 0xE0, 0x98, 0x03, 0x2B, 0x8C,
];
/// `EFI_IMAGE_SECURITY_DATABASE_GUID`, as it stands in memory.
pub const SECURITY_DATABASE: [u8; 16] = [
    0xCB, 0xB2, 0x19, 0xD7, 0x3A, 0x3D, 0x96, 0x45, 0xA3, 0xBC, 0xDA, 0xD0, 0x0E, 0x67, 0x65, 0x6F,
];

/// `VARIABLE_NAME_AND_VALUE`, one behind the other: `NextEntryOffset`, `ValueOffset`, `ValueLength`, `Attributes`,
/// `VendorGuid`, `Name` with its zero, and the value at the next multiple of 4; the last one's offset is 0.
pub fn variables(all: &[(&str, [u8; 16], &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (place, (name, vendor, value)) in all.iter().enumerate() {
        let name = utf16(&format!("{name}\0"));
        let value_offset = (0x20 + name.len()).next_multiple_of(4);
        let next = (value_offset + value.len()).next_multiple_of(4);
        let is_last = place + 1 == all.len();
        let numbers = [if is_last { 0 } else { next }, value_offset, value.len(), 7];
        let start = bytes.len();
        for number in numbers {
            bytes.extend((number as u32).to_le_bytes());
        }
        bytes.extend(vendor);
        bytes.extend(name);
        bytes.resize(start + value_offset, 0);
        bytes.extend(*value);
        bytes.resize(start + next, 0);
    }
    bytes
}

/// `EFI_LOAD_OPTION`: `Attributes`, `FilePathListLength`, `Description`, and a path of 4 bytes.
pub fn load_option(attributes: u32, description: &str) -> Vec<u8> {
    let mut bytes = attributes.to_le_bytes().to_vec();
    bytes.extend([4, 0]);
    bytes.extend(utf16(&format!("{description}\0")));
    bytes.extend([0x7F, 0xFF, 4, 0]);
    bytes
}

/// A `WPBT` in a `SYSTEM_FIRMWARE_TABLE_INFORMATION`: an ACPI table header of 36 bytes, then size and address of the memory,
/// layout, type, length of the arguments and these.
pub fn platform_binary_table(arguments: &str) -> Vec<u8> {
    let arguments = utf16(&format!("{arguments}\0"));
    let mut table = b"WPBT".to_vec();
    table.extend((52 + arguments.len() as u32).to_le_bytes());
    table.extend([1, 0]);
    table.extend(b"VENDOR");
    table.extend(b"TABLE   ");
    table.extend([0; 12]);
    table.extend(0x5000_u32.to_le_bytes());
    table.extend(0x7F00_0000_u64.to_le_bytes());
    table.extend([1, 1]);
    table.extend((arguments.len() as u16).to_le_bytes());
    table.extend(arguments);
    let mut bytes = Vec::new();
    for number in [0x4143_5049, 1, 0x5442_5057, table.len() as u32] {
        bytes.extend(u32::to_le_bytes(number));
    }
    bytes.extend(table);
    bytes
}

/// The firmware of a machine with Secure Boot and a platform binary that was written to the disk.
pub fn example_firmware() -> Vec<Entry> {
    let (windows, network) = (
        load_option(1, "Windows Boot Manager"),
        load_option(0, "Network"),
    );
    let all = variables(&[
        ("SecureBoot", GLOBAL, &[1]),
        ("SetupMode", GLOBAL, &[0]),
        ("BootCurrent", GLOBAL, &[3, 0]),
        ("BootOrder", GLOBAL, &[3, 0, 0x1A, 0]),
        ("Boot0003", GLOBAL, &windows),
        ("Boot001A", GLOBAL, &network),
        ("db", SECURITY_DATABASE, b"abc"),
        ("db", GLOBAL, b"not the one"),
        ("PK", GLOBAL, &[]),
        ("Vendor", [0x11; 16], &[0xAB, 0xCD]),
    ]);
    let path = "\\SystemRoot\\System32\\wpbbin.exe";
    let mut times = vec![0; 40];
    times[..8].copy_from_slice(&134_117_856_000_000_000_i64.to_le_bytes());
    let mut sizes = vec![0; 24];
    sizes[8..16].copy_from_slice(&0x5000_u64.to_le_bytes());
    let table = platform_binary_table("/quiet");
    vec![
        Entry::new(Source::FIRMWARE_VARIABLES, 2, 0x40_0000, &all),
        Entry::new(Source::SYSTEM_INFORMATION, 76, 0x40_0000, &table)
            .about(0x5442_5057_4143_5049, 0),
        Entry::new(Source::FILE_INFORMATION, 4, 0x40_0000, &times).named(path),
        Entry::new(Source::FILE_INFORMATION, 5, 0x40_0000, &sizes).named(path),
    ]
}
