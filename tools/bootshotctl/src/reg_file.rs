//! The backup of registry values: a `.reg` file that a person can read, and import.

use std::fmt::Write;

use crate::lists::{Current, KEY};

/// Bytes of `hex(…)` data on one line.
const BYTES_A_LINE: usize = 25;

/// A `.reg` file (UTF-16, as regedit writes it) that puts the values in `former` back as they are now.
pub fn backup<'a>(former: impl IntoIterator<Item = &'a Current>) -> Vec<u8> {
    let mut text = String::from("Windows Registry Editor Version 5.00\r\n\r\n");
    text.push_str(
        "; These Session Manager lists as they stood before bootshotctl changed them.\r\n",
    );
    text.push_str("; To import this file also undoes what others have changed in them since:\r\n");
    text.push_str(
        "; \"bootshotctl uninstall\" takes out nothing but the entries of bootshot.\r\n\r\n",
    );
    let _ = write!(text, "[HKEY_LOCAL_MACHINE\\{KEY}]\r\n");
    for current in former {
        let name = current.list.value_name();
        match &current.value {
            None => {
                let _ = write!(text, "\"{name}\"=-\r\n");
            }
            Some(value) => {
                for entry in current.entries() {
                    let _ = write!(
                        text,
                        "; {}\r\n",
                        entry.to_string().replace(['\r', '\n'], " ")
                    );
                }
                let lines: Vec<String> = value
                    .data
                    .chunks(BYTES_A_LINE)
                    .map(|bytes| {
                        let bytes: Vec<String> =
                            bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                        bytes.join(",")
                    })
                    .collect();
                let _ = write!(
                    text,
                    "\"{name}\"=hex({:x}):{}\r\n",
                    value.kind,
                    lines.join(",\\\r\n  ")
                );
            }
        }
    }
    "\u{feff}"
        .encode_utf16()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lists::List;
    use crate::multi_sz::Value;
    use crate::system::System;
    use crate::system::tests::FakeSystem;

    #[test]
    fn values_are_kept_byte_for_byte_with_their_type() {
        let system = FakeSystem::default();
        let value = Value {
            kind: 1,
            data: (0..30).collect(),
        };
        system.set_value("BootExecute", &value).unwrap();
        let former: Vec<_> = [List::BootExecute, List::SetupExecute]
            .map(|list| Current::read(&system, list).unwrap())
            .into();

        let file = backup(&former);
        let units: Vec<u16> = file
            .as_chunks::<2>()
            .0
            .iter()
            .map(|unit| u16::from_le_bytes(*unit))
            .collect();
        let text = String::from_utf16(&units).unwrap();

        assert!(text.starts_with("\u{feff}Windows Registry Editor Version 5.00\r\n"));
        assert!(text.contains(
            "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager]\r\n"
        ));
        assert!(text.contains("\"BootExecute\"=hex(1):00,01,02,"), "{text}");
        assert!(text.contains("17,18,\\\r\n  19,1a,1b,1c,1d\r\n"), "{text}");
        assert!(text.contains("\"SetupExecute\"=-\r\n"));
    }
}
