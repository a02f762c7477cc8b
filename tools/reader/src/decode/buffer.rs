//! The bytes of an answer with the place they had in memory.

use std::cell::Cell;
use std::sync::Arc;

use crate::error::Problem;
use crate::layout::{PointerWidth, Structure, UnicodeString, View};
use crate::value::utf16;

/// The bytes of an answer. Pointers in it are followed only into the bytes themselves, by the recorded address.
#[derive(Debug)]
pub struct Buffer<'a> {
    bytes: &'a [u8],
    address: u64,
    width: PointerWidth,
    /// Bytes of strings that may still be decoded. The kernel lays strings side by side, so all of them together
    /// are shorter than the answer; entries that share one long string would make us allocate without bound.
    string_budget: Cell<usize>,
}

impl<'a> Buffer<'a> {
    /// `bytes` as they stood at `address` on a system of this pointer width.
    pub const fn new(bytes: &'a [u8], address: u64, width: PointerWidth) -> Self {
        Self {
            bytes,
            address,
            width,
            string_budget: Cell::new(bytes.len()),
        }
    }

    /// The bytes.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Where they stood.
    pub const fn address(&self) -> u64 {
        self.address
    }

    /// The size of the pointers in them.
    pub const fn width(&self) -> PointerWidth {
        self.width
    }

    /// Everything from `offset` on; empty beyond the end.
    pub fn from(&self, offset: usize) -> &'a [u8] {
        self.bytes.get(offset..).unwrap_or_default()
    }

    /// The structure at `offset`; none unless all its bytes up to `size` are there.
    pub fn view<S: Structure>(&self, offset: usize, size: usize) -> Option<View<'a, S>> {
        let end = offset.checked_add(size)?;
        (end <= self.bytes.len()).then(|| View::new(self.from(offset), self.width))
    }

    /// As [`view`](Self::view), the shortage noted as a problem.
    pub fn expect<S: Structure>(
        &self,
        offset: usize,
        size: usize,
        problems: &mut Vec<Problem>,
    ) -> Option<View<'a, S>> {
        let view = self.view(offset, size);
        if view.is_none() {
            let left = self.bytes.len().saturating_sub(offset);
            problems.push(Problem::new(
                S::NAME,
                offset,
                format!("{size} bytes"),
                format!("{left} bytes"),
            ));
        }
        view
    }

    /// The `length` bytes that stood at `address`, when all of them are in here.
    pub fn at(&self, address: u64, length: usize) -> Option<&'a [u8]> {
        let start = usize::try_from(address.checked_sub(self.address)?).ok()?;
        self.bytes.get(start..start.checked_add(length)?)
    }

    /// The characters of a string whose buffer is in here; `offset` is where the structure that names it stands.
    /// None for the null string, and for one that is elsewhere, which is a problem.
    pub fn string(
        &self,
        string: UnicodeString,
        what: &'static str,
        offset: usize,
        problems: &mut Vec<Problem>,
    ) -> Option<Arc<str>> {
        let bytes = self.characters(string, what, offset, problems)?;
        Some(utf16(bytes).into())
    }

    /// As [`string`](Self::string), in UTF-16 where it lies.
    pub(crate) fn characters(
        &self,
        string: UnicodeString,
        what: &'static str,
        offset: usize,
        problems: &mut Vec<Problem>,
    ) -> Option<&'a [u8]> {
        if string.buffer == 0 {
            return None;
        }
        let length = usize::from(string.length);
        let Some(bytes) = self.at(string.buffer, length) else {
            problems.push(Problem::new(
                what,
                offset,
                format!(
                    "{length} bytes within {:#x}..{:#x}",
                    self.address,
                    self.address.saturating_add(self.bytes.len() as u64)
                ),
                format!("a string at {:#x}", string.buffer),
            ));
            return None;
        };
        self.within_budget(bytes, what, offset, problems)
    }

    /// Decodes UTF-16 that lies in here, within the budget for strings.
    pub fn text(
        &self,
        bytes: &[u8],
        what: &'static str,
        offset: usize,
        problems: &mut Vec<Problem>,
    ) -> Option<Arc<str>> {
        let bytes = self.within_budget(bytes, what, offset, problems)?;
        Some(utf16(bytes).into())
    }

    fn within_budget<'b>(
        &self,
        bytes: &'b [u8],
        what: &'static str,
        offset: usize,
        problems: &mut Vec<Problem>,
    ) -> Option<&'b [u8]> {
        match self.string_budget.get().checked_sub(bytes.len()) {
            Some(rest) => {
                self.string_budget.set(rest);
                Some(bytes)
            }
            None => {
                problems.push(Problem::new(
                    what,
                    offset,
                    "strings that do not overlap",
                    "more characters than the answer has bytes",
                ));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(buffer: u64, length: u16) -> UnicodeString {
        UnicodeString {
            length,
            maximum_length: length,
            buffer,
        }
    }

    #[test]
    fn a_string_is_found_by_containment() {
        let buffer = Buffer::new(b"..A\0B\0", 0x1000, PointerWidth::Bits64);
        let mut problems = Vec::new();
        let found = buffer.string(string(0x1002, 4), "name", 0, &mut problems);
        assert_eq!(found.as_deref(), Some("AB"));
        assert_eq!(problems, []);
    }

    #[test]
    fn a_string_outside_is_a_problem_and_nothing_is_read() {
        let buffer = Buffer::new(b"..A\0B\0", 0x1000, PointerWidth::Bits64);
        for outside in [string(0xFFF, 2), string(0x1004, 4), string(u64::MAX, 2)] {
            let mut problems = Vec::new();
            assert_eq!(buffer.string(outside, "name", 0, &mut problems), None);
            assert_eq!(problems.len(), 1);
        }
    }

    #[test]
    fn strings_together_cannot_be_longer_than_the_answer() {
        let buffer = Buffer::new(b"A\0B\0", 0x1000, PointerWidth::Bits32);
        let mut problems = Vec::new();
        assert!(
            buffer
                .string(string(0x1000, 4), "name", 0, &mut problems)
                .is_some()
        );
        assert!(
            buffer
                .string(string(0x1000, 4), "name", 0, &mut problems)
                .is_none()
        );
        assert_eq!(problems.len(), 1);
    }
}
