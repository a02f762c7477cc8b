//! `REG_MULTI_SZ` values, taken apart and put together without losing a code unit of what others wrote.

use std::fmt;

/// The registry type number of bytes.
#[cfg(not(windows))]
pub const REG_BINARY: u32 = 3;

/// The registry type number of a 32-bit number.
#[cfg(not(windows))]
pub const REG_DWORD: u32 = 4;

/// The registry type number of a list of strings.
pub const REG_MULTI_SZ: u32 = 7;

/// A registry value as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The type number (`REG_…`).
    pub kind: u32,
    /// The data, as many bytes as are stored.
    pub data: Vec<u8>,
}

impl Value {
    /// A well-formed `REG_MULTI_SZ` of `strings`, none of which may be empty.
    pub fn multi_sz<String: AsRef<[u16]>>(strings: impl IntoIterator<Item = String>) -> Self {
        let mut data = Vec::new();
        for string in strings {
            data.extend(string.as_ref().iter().flat_map(|unit| unit.to_le_bytes()));
            data.extend([0, 0]);
        }
        data.extend([0, 0]);
        Self {
            kind: REG_MULTI_SZ,
            data,
        }
    }

    /// The strings of a `REG_MULTI_SZ`, and what was wrong with its form but costs no string.
    pub fn strings(&self) -> Result<(Vec<Vec<u16>>, Vec<Damage>), Unreadable> {
        if self.kind != REG_MULTI_SZ {
            return Err(Unreadable::WrongType(self.kind));
        }
        let (units, rest) = self.data.as_chunks::<2>();
        let mut damage = Vec::new();
        match rest {
            [] => {}
            [0] => damage.push(Damage::OddLength),
            _ => return Err(Unreadable::HalfCharacter),
        }
        let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();

        let mut strings = Vec::new();
        let mut left = units.as_slice();
        loop {
            match left.iter().position(|unit| *unit == 0) {
                // The empty string that ends the list. Readers stop here.
                Some(0) => {
                    if left.iter().any(|unit| *unit != 0) {
                        return Err(Unreadable::TextAfterTheEnd);
                    }
                    break;
                }
                Some(length) => {
                    strings.push(left[..length].to_vec());
                    left = &left[length + 1..];
                }
                None => {
                    damage.push(Damage::Unterminated);
                    if !left.is_empty() {
                        strings.push(left.to_vec());
                    }
                    break;
                }
            }
        }
        Ok((strings, damage))
    }
}

/// Damage to a value's form that can be put right without losing anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// One zero byte more than whole characters.
    OddLength,
    /// The zero that ends the list, or also the one that ends its last string, is missing.
    Unterminated,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OddLength => "its length was odd",
            Self::Unterminated => "its end was not marked",
        })
    }
}

/// Why a value cannot be read, or not be written again, as a list of strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Another type than `REG_MULTI_SZ`.
    WrongType(u32),
    /// The data ends in the middle of a character.
    HalfCharacter,
    /// There is text behind the empty string that ends the list.
    TextAfterTheEnd,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongType(kind) => {
                let name = match kind {
                    0 => "REG_NONE",
                    1 => "REG_SZ",
                    2 => "REG_EXPAND_SZ",
                    3 => "REG_BINARY",
                    4 => "REG_DWORD",
                    _ => return write!(f, "its type is {kind}, not REG_MULTI_SZ"),
                };
                write!(f, "its type is {name}, not REG_MULTI_SZ")
            }
            Self::HalfCharacter => f.write_str("it ends in the middle of a character"),
            Self::TextAfterTheEnd => {
                f.write_str("there is text behind the empty string that ends the list")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn multi_sz(data: Vec<u8>) -> Value {
        Value {
            kind: REG_MULTI_SZ,
            data,
        }
    }

    fn wide(strings: &[&str]) -> Vec<Vec<u16>> {
        strings.iter().map(|s| s.encode_utf16().collect()).collect()
    }

    #[test]
    fn what_is_written_reads_back() {
        for strings in [
            wide(&[]),
            wide(&["autocheck autochk *"]),
            wide(&["a", "b c", "ü"]),
        ] {
            let value = Value::multi_sz(&strings);
            assert_eq!(value.strings(), Ok((strings, vec![])));
        }
    }

    #[test]
    fn an_unpaired_surrogate_survives() {
        let strings = vec![vec![0x61, 0xD800, 0x62]];
        assert_eq!(Value::multi_sz(&strings).strings(), Ok((strings, vec![])));
    }

    #[test]
    fn a_missing_end_costs_no_string() {
        for (text, expected) in [
            ("", wide(&[])),
            ("a", wide(&["a"])),
            ("a\0", wide(&["a"])),
            ("a\0b", wide(&["a", "b"])),
        ] {
            let value = multi_sz(utf16(text));
            assert_eq!(
                value.strings(),
                Ok((expected, vec![Damage::Unterminated])),
                "{text:?}"
            );
        }
    }

    #[test]
    fn more_zeros_than_needed_are_no_damage() {
        assert_eq!(
            multi_sz(utf16("a\0\0\0\0")).strings(),
            Ok((wide(&["a"]), vec![]))
        );
    }

    #[test]
    fn an_odd_zero_is_damage_and_half_a_character_is_refused() {
        let mut data = utf16("a\0\0");
        data.push(0);
        assert_eq!(
            multi_sz(data.clone()).strings(),
            Ok((wide(&["a"]), vec![Damage::OddLength]))
        );
        *data.last_mut().unwrap() = 0x41;
        assert_eq!(multi_sz(data).strings(), Err(Unreadable::HalfCharacter));
    }

    #[test]
    fn text_behind_the_end_is_never_dropped() {
        assert_eq!(
            multi_sz(utf16("a\0\0b\0\0")).strings(),
            Err(Unreadable::TextAfterTheEnd)
        );
    }

    #[test]
    fn another_type_is_refused_by_name() {
        let value = Value {
            kind: 1,
            data: utf16("autocheck autochk *\0"),
        };
        let refused = value.strings().unwrap_err();
        assert_eq!(refused, Unreadable::WrongType(1));
        assert_eq!(refused.to_string(), "its type is REG_SZ, not REG_MULTI_SZ");
    }
}
