//! Values as people and programs read them: hexadecimal strings and RFC 3339 times.

use std::fmt;

use serde::{Serialize, Serializer};

/// A kernel address, handle or mask; serialized as `"0x…"`, since many readers lose integers above 2^53.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Hex(pub u64);

impl fmt::Display for Hex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&format!("{:#x}", self.0))
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A moment: 100 ns units since 1601-01-01 UTC, in the years 1601 to 9999. Shown as RFC 3339 with all seven digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Time(i64);

const TICKS_PER_SECOND: i64 = 10_000_000;
const TICKS_PER_DAY: i64 = 86_400 * TICKS_PER_SECOND;
/// 10000-01-01, in days since 1601-01-01.
const DAYS_TO_YEAR_10000: i64 = 3_067_671;

impl Time {
    /// The moment; none for 0 (the kernel's "not yet" and "never") and what is out of range.
    pub const fn new(ticks: i64) -> Option<Self> {
        if ticks > 0 && ticks < DAYS_TO_YEAR_10000 * TICKS_PER_DAY {
            Some(Self(ticks))
        } else {
            None
        }
    }

    /// 100 ns units since 1601-01-01 UTC.
    pub const fn ticks(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, ticks) = (self.0 / TICKS_PER_DAY, self.0 % TICKS_PER_DAY);
        // 1601 starts a cycle of 400 Gregorian years; with years that begin in March, the leap day comes last.
        let shifted = days + 306;
        let (cycle, day_of_cycle) = (shifted / 146_097, shifted % 146_097);
        let year_of_cycle = (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36_524
            - day_of_cycle / 146_096)
            / 365;
        let day_of_year =
            day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = (month_from_march + 2) % 12 + 1;
        let year = 1600 + 400 * cycle + year_of_cycle + i64::from(month <= 2);
        let seconds = ticks / TICKS_PER_SECOND;
        write!(
            formatter,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:07}Z",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60,
            ticks % TICKS_PER_SECOND
        )
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The digits of a GUID in the order in which it is written, from its bytes in memory.
pub(crate) fn guid_number(bytes: &[u8; 16]) -> u128 {
    let [a, b, c, d, e, f, g, h, rest @ ..] = *bytes;
    let mut written = [d, c, b, a, f, e, h, g, 0, 0, 0, 0, 0, 0, 0, 0];
    written[8..].copy_from_slice(&rest);
    u128::from_be_bytes(written)
}

/// A GUID as it is written, from its bytes in memory.
pub(crate) fn guid(bytes: [u8; 16]) -> String {
    let digits = format!("{:032x}", guid_number(&bytes));
    let [first, second, third, fourth, node] =
        [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
    format!("{{{first}-{second}-{third}-{fourth}-{node}}}")
}

/// UTF-16LE bytes as text; what is not well formed becomes U+FFFD, an odd last byte is dropped.
pub fn utf16(bytes: &[u8]) -> String {
    let (units, _) = bytes.as_chunks::<2>();
    if is_ascii(units) {
        return units.iter().map(|[low, _]| char::from(*low)).collect();
    }
    char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit)))
        .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

fn is_ascii(units: &[[u8; 2]]) -> bool {
    units.iter().all(|[low, high]| *high == 0 && low.is_ascii())
}

/// Bytes of [`utf16`].
pub(crate) fn utf8_length(bytes: &[u8]) -> usize {
    let (units, _) = bytes.as_chunks::<2>();
    if is_ascii(units) {
        return units.len();
    }
    char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit)))
        .map(|character| character.map_or(char::REPLACEMENT_CHARACTER.len_utf8(), char::len_utf8))
        .sum()
}

/// UTF-16LE bytes up to the first terminating zero, as [`utf16`].
pub fn utf16_until_nul(bytes: &[u8]) -> String {
    let (units, _) = bytes.as_chunks::<2>();
    let length = units.iter().position(|unit| *unit == [0, 0]);
    utf16(&bytes[..length.unwrap_or(units.len()) * 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_with_100_ns_digits() {
        let shown = |ticks| Time::new(ticks).unwrap().to_string();
        assert_eq!(shown(1), "1601-01-01T00:00:00.0000001Z");
        // The Unix epoch, and a leap day.
        assert_eq!(
            shown(116_444_736_000_000_000),
            "1970-01-01T00:00:00.0000000Z"
        );
        assert_eq!(
            shown(133_536_815_991_234_567),
            "2024-02-29T11:59:59.1234567Z"
        );
        assert_eq!(
            shown(125_962_559_999_999_999),
            "2000-02-28T23:59:59.9999999Z"
        );
        assert_eq!(
            shown(DAYS_TO_YEAR_10000 * TICKS_PER_DAY - 1),
            "9999-12-31T23:59:59.9999999Z"
        );
    }

    #[test]
    fn a_time_that_no_calendar_shows_is_none() {
        assert_eq!(Time::new(0), None);
        assert_eq!(Time::new(-1), None);
        assert_eq!(Time::new(i64::MAX), None);
    }

    #[test]
    fn a_guid_is_shown_in_its_mixed_byte_order() {
        let bytes = [
            0x62, 0x76, 0xEA, 0x9D, 0xCD, 0x5C, 0x70, 0x4E, 0xAC, 0xC1, 0xF3, 0x2B, 0x34, 0x4D,
            0x47, 0x95,
        ];
        assert_eq!(guid(bytes), "{9dea7662-5ccd-4e70-acc1-f32b344d4795}");
    }

    #[test]
    fn ill_formed_utf16_stays_readable() {
        assert_eq!(utf16(&[0x41, 0, 0, 0xD8, 0x42, 0, 7]), "A\u{FFFD}B");
        assert_eq!(utf16_until_nul(&[0x41, 0, 0, 0, 0x42, 0]), "A");
    }
}
