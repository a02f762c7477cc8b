//! Batches: many small answers in one section.

use crate::wire::wire_struct;
use crate::{Outcome, Source, padded};

wire_struct! {
    /// In front of every item; the two names follow (UTF-16LE, together padded to 8), then the bytes (padded to 8).
    ItemHeader[56] {
        /// Bytes of the whole item with this header, names, bytes and padding.
        0: length: u32,
        /// Who was asked.
        4: source: Source,
        /// The information class, or what the source defines.
        8: class: u32,
        /// The `NTSTATUS` of the last call.
        12: status: u32,
        /// First argument of the question, as the source defines it.
        16: argument: u64,
        /// Second argument of the question.
        24: argument2: u64,
        /// Address the buffer of the last call had.
        32: buffer_address: u64,
        /// Bytes of the answer that follow.
        40: data_length: u32,
        /// Length the last call returned, unclamped.
        44: returned_length: u32,
        /// Bytes of the object, key or directory name.
        48: name_length: u16,
        /// Bytes of the value name behind it.
        50: value_name_length: u16,
        /// Calls made.
        52: tries: u16,
        /// How it ended.
        54: outcome: Outcome,
    }
}

impl ItemHeader {
    /// Bytes of both names with their padding.
    pub const fn names_length(&self) -> usize {
        padded(self.name_length as usize + self.value_name_length as usize)
    }

    /// The header with its length worked out from the lengths of its parts.
    pub const fn measured(mut self) -> Self {
        self.length = (Self::SIZE + self.names_length() + padded(self.data_length as usize)) as u32;
        self
    }
}

/// One answer of a batch, borrowed from its payload.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// Its header.
    pub header: ItemHeader,
    /// Where in the payload it starts.
    pub offset: usize,
    /// Object, key or directory name, UTF-16LE.
    pub name: &'a [u8],
    /// Value name, UTF-16LE.
    pub value_name: &'a [u8],
    /// The answer as the kernel gave it.
    pub data: &'a [u8],
}

/// Iterates over a batch payload; an item that does not fit ends it with `Err(offset)`.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    payload: &'a [u8],
    offset: usize,
}

impl<'a> Items<'a> {
    /// Items of a reassembled batch payload.
    pub const fn new(payload: &'a [u8]) -> Self {
        Self { payload, offset: 0 }
    }

    fn current(&self) -> Option<Item<'a>> {
        let rest = self.payload.get(self.offset..)?;
        let (bytes, after) = rest.split_first_chunk::<{ ItemHeader::SIZE }>()?;
        let header = ItemHeader::decode(bytes);
        if header.length != header.measured().length {
            return None;
        }
        let (names, data) = after.split_at_checked(header.names_length())?;
        let (name, value_name) = names.split_at_checked(header.name_length as usize)?;
        Some(Item {
            header,
            offset: self.offset,
            name,
            value_name: value_name.get(..header.value_name_length as usize)?,
            data: data.get(..header.data_length as usize)?,
        })
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Item<'a>, usize>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.offset >= self.payload.len() {
            return None;
        }
        match self.current() {
            Some(item) => {
                self.offset += item.header.length as usize;
                Some(Ok(item))
            }
            None => {
                let offset = self.offset;
                self.offset = self.payload.len();
                Some(Err(offset))
            }
        }
    }
}
