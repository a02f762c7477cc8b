//! UTF-16 without an allocator: constants, comparison, decimal numbers, and a line that is put together for output.

use core::num::NonZero;
use ufmt::uWrite;

/// A constant ASCII string as UTF-16.
#[macro_export]
macro_rules! utf16 {
    ($text:expr) => {{
        const TEXT: &str = $text;
        const UNITS: [u16; TEXT.len()] = $crate::text::widen(TEXT);
        &UNITS
    }};
}

/// ASCII to UTF-16, for constants.
pub const fn widen<const N: usize>(text: &str) -> [u16; N] {
    let mut units = [0; N];
    let mut index = 0;
    while index < N {
        assert!(text.as_bytes()[index].is_ascii());
        units[index] = text.as_bytes()[index] as u16;
        index += 1;
    }
    units
}

/// Whether UTF-16 text is this ASCII text, whatever the case.
#[inline(never)]
pub fn is(text: &[u16], ascii: &str) -> bool {
    place_in(text, ascii) == Some(0)
}

/// The place of a word in a list of words between white space, whatever the case.
pub fn place_in(word: &[u16], list: &str) -> Option<u32> {
    let mut place = 0;
    let mut left = Some(word);
    for byte in list.bytes() {
        if byte == b' ' {
            if left.is_some_and(<[u16]>::is_empty) {
                return Some(place);
            }
            place += 1;
            left = Some(word);
        } else {
            left = match left {
                Some([first, rest @ ..])
                    if lower(*first) == u16::from(byte.to_ascii_lowercase()) =>
                {
                    Some(rest)
                }
                _ => None,
            };
        }
    }
    left.is_some_and(<[u16]>::is_empty).then_some(place)
}

/// What stands before the first of these ASCII characters, and what stands behind it where there is one.
#[inline(never)]
pub fn cut<'t>(text: &'t [u16], separators: &str) -> (&'t [u16], Option<&'t [u16]>) {
    let is_separator = |unit: &u16| separators.bytes().any(|byte| u16::from(byte) == *unit);
    match text.iter().position(is_separator) {
        Some(place) => (text.get(..place).unwrap_or(text), text.get(place + 1..)),
        None => (text, None),
    }
}

/// A letter of ASCII as a small one, any other unit as it is.
pub const fn lower(unit: u16) -> u16 {
    match unit {
        0x41..=0x5A => unit | 0x20,
        _ => unit,
    }
}

/// A decimal number without sign, `None` for anything else or one that is too large.
pub fn number(text: &[u16]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |value, unit| {
        let digit = char::from_u32(u32::from(*unit))?.to_digit(10)?;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// One line of output, cut when it is full: text for people never costs the run.
#[repr(C)]
pub struct Line {
    length: usize,
    bytes: [u8; Self::ROOM],
}

impl Line {
    const ROOM: usize = 256;

    /// The text so far: ASCII.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.bytes)
    }

    /// Lets `fill` write to the rest of the line; it returns how many bytes it wrote.
    pub fn fill(&mut self, fill: impl FnOnce(&mut [u8]) -> usize) {
        let written = fill(self.bytes.get_mut(self.length..).unwrap_or_default());
        self.length = (self.length + written).min(Self::ROOM);
    }

    /// Appends UTF-16; what is not printable ASCII becomes a question mark, since the boot screen shows no more.
    pub fn wide(&mut self, text: &[u16]) {
        for unit in text {
            self.byte(match *unit {
                0x20..=0x7E => *unit as u8,
                _ => b'?',
            });
        }
    }

    /// Appends a number with leading zeros, `digits` wide (more when it is larger).
    pub fn padded(&mut self, value: u64, digits: u32) {
        self.number(value, const { NonZero::new(10).unwrap() }, digits);
    }

    /// Appends a status the way Windows writes it: 0x and eight digits.
    pub fn status(&mut self, status: crate::nt::Status) {
        self.text("0x");
        self.number(
            u64::from(status.number()),
            const { NonZero::new(16).unwrap() },
            8,
        );
    }

    fn number(&mut self, value: u64, base: NonZero<u64>, digits: u32) {
        // As many as 64 bits have in base 10.
        let mut text = [0; 20];
        let mut count = 0;
        let mut rest = value;
        for place in text.iter_mut().rev() {
            let digit = (rest % base) as u8;
            *place = digit + if digit < 10 { b'0' } else { b'A' - 10 };
            rest /= base;
            count += 1;
            if rest == 0 && count >= digits as usize {
                break;
            }
        }
        self.ascii(text.get(text.len() - count..).unwrap_or(&text));
    }

    /// Appends ASCII text.
    pub fn text(&mut self, text: &str) {
        self.ascii(text.as_bytes());
    }

    /// Appends ASCII text that is at hand as bytes.
    #[inline(never)]
    pub fn ascii(&mut self, text: &[u8]) {
        for byte in text {
            self.byte(*byte);
        }
    }

    fn byte(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }
}

impl Default for Line {
    fn default() -> Self {
        Self {
            bytes: [0; Self::ROOM],
            length: 0,
        }
    }
}

impl uWrite for Line {
    type Error = core::convert::Infallible;

    fn write_str(&mut self, text: &str) -> Result<(), Self::Error> {
        self.text(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_is_compared_without_regard_to_case_and_never_with_wide_look_alikes() {
        assert!(is(utf16!("AutoCheck"), "autocheck"));
        assert!(!is(utf16!("autochec"), "autocheck"));
        assert!(!is(&[0x141], "A"));
    }

    #[test]
    fn a_word_is_found_in_a_list_only_as_a_whole() {
        let list = "off once Only";
        assert_eq!(place_in(utf16!("OFF"), list), Some(0));
        assert_eq!(place_in(utf16!("only"), list), Some(2));
        for other in ["", "o", "on", "onces", "off once", " "] {
            let other: Vec<u16> = other.encode_utf16().collect();
            assert_eq!(place_in(&other, list), None, "{other:?}");
        }
        assert_eq!(place_in(&[0x6F, 0x66, 0x166], list), None);
    }

    #[test]
    fn numbers_are_decimal_and_bounded() {
        assert_eq!(number(utf16!("18446744073709551615")), Some(u64::MAX));
        assert_eq!(number(utf16!("18446744073709551616")), None);
        assert_eq!(number(utf16!("")), None);
        assert_eq!(number(utf16!("-1")), None);
        assert_eq!(number(utf16!("1x")), None);
    }

    #[test]
    fn a_line_that_is_full_is_cut() {
        let mut line = Line::default();
        line.padded(7, 8);
        line.padded(123_456_789, 8);
        line.wide(&[0x20AC, b'a' as u16, 7]);
        line.status(crate::nt::Status::ACCESS_DENIED);
        assert_eq!(line.bytes(), b"00000007123456789?a?0xC0000022");
        for _ in 0..300 {
            line.text("x");
        }
        assert_eq!(line.bytes().len(), Line::ROOM);
    }
}
