//! The copy of one answer: nothing gets into it but what somebody knows the meaning of.

use std::ops::Range;

use super::Secrets;
use super::addresses::Meaning;
use super::words::{Characters, REMOVED};
use crate::layout::{FieldInfo, Kind, PointerWidth, Shape, Structure, UnicodeString};
use crate::value::utf16;

/// Fields that hold addresses of the kernel, whatever their type says.
const KERNEL_ADDRESSES: [&str; 7] = [
    "ImageBase",
    "MappedBase",
    "Object",
    "Section",
    // The address of the process object; the physical address of its page directory before Windows Vista.
    "UniqueProcessKey",
    "StackBase",
    "StackLimit",
];

/// Fields that nobody knows the meaning of, and those that tell where on Earth the machine is.
const NOT_COPIED: [&str; 10] = [
    "Reserved",
    "Reserved2",
    "Reserved3",
    "Reserved4",
    "Sbz1",
    "Sbz2",
    "Spare0",
    "Spare1",
    "TimeZoneBias",
    "TimeZoneId",
];

macro_rules! fields {
    ($( #[doc = $doc:literal] struct $structure:ident: $size32:literal $size64:literal { $($rest:tt)* } )*) => {
        /// The fields of the structure of this name.
        fn fields_of(name: &str) -> &'static [FieldInfo] {
            match name {
                $( stringify!($structure) => crate::layout::structures::$structure::FIELDS, )*
                _ => &[],
            }
        }
    };
}

crate::for_each_structure!(fields);

/// The copy of one answer, as long as the answer, and zero where nothing was copied.
pub(super) struct Copy<'a, 's> {
    from: &'a [u8],
    to: Vec<u8>,
    /// Which bytes of it are a pseudonym already: one of a pseudonym would be another than everywhere else.
    replaced: Vec<bool>,
    width: PointerWidth,
    /// Where the answer stood, and where its copy is said to have stood.
    address: u64,
    new_address: u64,
    pub secrets: &'s mut Secrets,
}

impl<'a, 's> Copy<'a, 's> {
    pub fn new(
        from: &'a [u8],
        address: u64,
        new_address: u64,
        width: PointerWidth,
        secrets: &'s mut Secrets,
    ) -> Self {
        Self {
            from,
            to: vec![0; from.len()],
            replaced: vec![false; from.len()],
            width,
            address,
            new_address,
            secrets,
        }
    }

    /// The copy, and which bytes of it were replaced.
    pub fn into_bytes(self) -> (Vec<u8>, Vec<bool>) {
        (self.to, self.replaced)
    }

    pub const fn width(&self) -> PointerWidth {
        self.width
    }

    /// The answer.
    pub const fn bytes(&self) -> &'a [u8] {
        self.from
    }

    pub const fn address(&self) -> u64 {
        self.address
    }

    /// The answer from `offset` on; empty beyond its end.
    pub fn rest(&self, offset: usize) -> &'a [u8] {
        self.from.get(offset..).unwrap_or_default()
    }

    /// The little-endian number of `size` bytes at `offset`; 0 beyond the end.
    pub fn number(&self, offset: usize, size: usize) -> u64 {
        let bytes = self.rest(offset).get(..size).unwrap_or_default();
        bytes
            .iter()
            .rev()
            .fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    /// The part of `length` bytes at `offset` that is there.
    fn part(&self, offset: usize, length: usize) -> Range<usize> {
        let start = offset.min(self.from.len());
        start..start + length.min(self.from.len() - start)
    }

    /// Copies numbers.
    pub fn numbers(&mut self, offset: usize, length: usize) {
        let part = self.part(offset, length);
        self.to[part.clone()].copy_from_slice(&self.from[part]);
    }

    /// Copies text of UTF-16, and learns from it.
    pub fn text(&mut self, offset: usize, length: usize) {
        let part = self.part(offset, length);
        if self.secrets.learning {
            let text = utf16(&self.from[part.clone()]);
            self.secrets.words.learn_paths(&text);
        }
        self.numbers(part.start, part.len());
        self.scrub(part, Characters::Utf16);
    }

    /// Puts other text in the place of what stands there.
    pub fn own_text(&mut self, offset: usize, units: &[u16]) {
        let part = self.part(offset, units.len() * 2);
        let places = self.to[part].chunks_exact_mut(2);
        for (to, unit) in places.zip(units) {
            to.copy_from_slice(&unit.to_le_bytes());
        }
    }

    /// Copies text of UTF-16 up to a zero.
    pub fn text_until_nul(&mut self, offset: usize) {
        let (units, _) = self.rest(offset).as_chunks::<2>();
        if let Some(length) = units.iter().position(|unit| *unit == [0, 0]) {
            self.text(offset, length * 2);
        }
    }

    /// Copies text of single bytes up to a zero.
    pub fn byte_text(&mut self, offset: usize, length: usize) {
        let part = self.part(offset, length);
        let bytes = &self.from[part.clone()];
        let end = bytes.iter().position(|byte| *byte == 0);
        let text = &bytes[..end.unwrap_or(bytes.len())];
        if self.secrets.learning {
            self.secrets
                .words
                .learn_paths(&String::from_utf8_lossy(text));
        }
        let part = part.start..part.start + text.len();
        self.numbers(part.start, part.len());
        self.scrub(part, Characters::Bytes);
    }

    /// Replaces what is known in a part that is text for certain.
    pub fn scrub(&mut self, part: Range<usize>, characters: Characters) {
        let replaced = &mut self.replaced[part.clone()];
        self.secrets
            .scrub_text(&mut self.to[part], replaced, characters);
    }

    /// Puts the sign for what was removed in place of every character but zeros and what `stays`.
    pub fn remove_text(&mut self, offset: usize, length: usize, stays: impl Fn(u16) -> bool) {
        let part = self.part(offset, length);
        let (units, _) = self.from[part.clone()].as_chunks::<2>();
        let places = self.to[part].chunks_exact_mut(2);
        for (unit, to) in units.iter().zip(places) {
            let unit = u16::from_le_bytes(*unit);
            let keeps = unit == 0 || stays(unit);
            let unit = if keeps { unit } else { REMOVED };
            to.copy_from_slice(&unit.to_le_bytes());
        }
    }

    /// Copies a command line, or removes it.
    pub fn command_line(&mut self, offset: usize, length: usize) {
        let part = self.part(offset, length);
        if self.secrets.learning {
            let text = utf16(&self.from[part.clone()]);
            self.secrets.words.learn_paths(&text);
            self.secrets.words.learn_command_line(&text);
            self.secrets.command_lines += u64::from(!part.is_empty());
        }
        match self.secrets.keep.command_lines {
            true => self.text(part.start, part.len()),
            false => self.remove_text(part.start, part.len(), |_| false),
        }
    }

    /// Copies a pointer.
    pub fn pointer(&mut self, offset: usize, meaning: Meaning) {
        let size = self.width.bytes();
        if self.rest(offset).len() < size {
            return;
        }
        let address = self.number(offset, size);
        let end = self.address.saturating_add(self.from.len() as u64);
        let replaced = match meaning {
            // Into the answer itself.
            Meaning::Any if (self.address..end).contains(&address) && self.address != 0 => {
                self.new_address + (address - self.address)
            }
            _ => self.secrets.addresses.replace(address, meaning),
        };
        self.to[offset..offset + size].copy_from_slice(&replaced.to_le_bytes()[..size]);
    }

    /// Where the characters of a string are, when they are in here.
    pub fn characters(&self, offset: usize) -> Option<Range<usize>> {
        let size = UnicodeString::SIZE.at(self.width);
        let string = UnicodeString::read(self.rest(offset).get(..size)?, self.width);
        if string.buffer == 0 {
            return None;
        }
        let start = usize::try_from(string.buffer.checked_sub(self.address)?).ok()?;
        let end = start.checked_add(string.length.into())?;
        (end <= self.from.len()).then_some(start..end)
    }

    /// Copies a `UNICODE_STRING` without its characters.
    pub fn string_header(&mut self, offset: usize) {
        self.numbers(offset, 4);
        let pointer = UnicodeString::SIZE.at(self.width) - self.width.bytes();
        self.pointer(offset + pointer, Meaning::Any);
    }

    /// Copies a `UNICODE_STRING`, and its characters when they are in here. Gives whether it could be read.
    pub fn string(&mut self, offset: usize) -> bool {
        self.string_header(offset);
        let characters = self.characters(offset);
        if let Some(characters) = characters.clone() {
            self.text(characters.start, characters.len());
        }
        characters.is_some()
    }

    /// Copies the fields of `S` at `offset`, up to `length` bytes.
    pub fn structure<S: Structure>(&mut self, offset: usize, length: usize) {
        self.fields(S::FIELDS, offset, length.min(S::SIZE.at(self.width)));
    }

    pub fn fields(&mut self, fields: &[FieldInfo], offset: usize, length: usize) {
        let length = length.min(self.rest(offset).len());
        for field in fields {
            let start = field.offset.at(self.width);
            let size = field.size.at(self.width);
            if start + size > length || NOT_COPIED.contains(&field.name) {
                continue;
            }
            match KERNEL_ADDRESSES.contains(&field.name) && size == self.width.bytes() {
                true => self.pointer(offset + start, Meaning::Kernel),
                false => self.value(&field.shape, offset + start, size),
            }
        }
    }

    fn value(&mut self, shape: &Shape, offset: usize, size: usize) {
        match shape {
            Shape::Pointer => self.pointer(offset, Meaning::Any),
            Shape::UnicodeString => {
                self.string(offset);
            }
            Shape::Structure(name) => self.fields(fields_of(name), offset, size),
            Shape::Array(element, count) => {
                let size = size / (*count).max(1);
                for place in 0..*count {
                    self.value(element, offset + place * size, size);
                }
            }
            Shape::Tail => {}
            Shape::Unsigned | Shape::Signed | Shape::Boolean | Shape::Size | Shape::Handle => {
                self.numbers(offset, size);
            }
        }
    }

    /// Copies a security identifier; its parts are replaced when all is copied. Gives its length.
    pub fn identifier(&mut self, offset: usize) -> usize {
        const MAXIMUM_PARTS: u64 = 15;
        let (revision, count) = (self.number(offset, 1), self.number(offset + 1, 1));
        let length = 8 + count as usize * 4;
        if revision != 1 || count > MAXIMUM_PARTS || self.rest(offset).len() < length {
            return 0;
        }
        self.numbers(offset, length);
        length
    }
}
