//! Batches: many small answers in one section.

use crate::wire::wire_struct;
use crate::{Encoding, Outcome, Source, padded};

wire_struct! {
    /// In front of every item of a plain batch; the two names follow (UTF-16LE, together padded to 8), then the bytes (padded
    /// to 8).
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

    /// The header as it stands in a packed batch, without the words that say nothing unusual. Its `length` is not looked at.
    ///
    /// A class and a source have fewer bits there ([`ItemHeader::fits_packed`]).
    pub fn pack(&self) -> PackedHeader {
        let [argument, argument2, address, answer, rest] = usual_words(self.data_length);
        let mut packed = PackedHeader {
            bytes: [0; PACKED_SIZE],
            words: 1,
            bit: 1 << 56,
            present: 0,
        };
        packed.add(self.argument, argument);
        packed.add(self.argument2, argument2);
        packed.add(self.buffer_address, address);
        let returned_length = (self.returned_length as u64) << 32;
        packed.add(self.status as u64 | returned_length, answer);
        packed.add(
            self.name_length as u64
                | (self.value_name_length as u64) << 16
                | (self.tries as u64) << 32
                | (self.outcome.0 as u64) << 48,
            rest,
        );
        let length = packed.words * WORD + self.names_length() + self.data_length as usize;
        let first = length as u32 as u64
            | (self.class as u16 as u64) << 32
            | (self.source.0 as u8 as u64) << 48
            | packed.present;
        packed.put(0, first);
        packed
    }

    /// Whether class and source have the few bits of a packed header.
    pub const fn fits_packed(&self) -> bool {
        self.class <= u16::MAX as u32 && self.source.0 <= u8::MAX as u32
    }

    /// A header at the start of `bytes`, packed, and the bytes it takes; its `length` becomes that of the whole item.
    fn unpack(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut words = bytes.as_chunks().0.iter();
        let first = u64::from_le_bytes(*words.next()?);
        let present = first >> 56;
        if present >> WORDS != 0 {
            return None;
        }
        let mut size = WORD;
        let mut found = [None; WORDS];
        for (bit, word) in found.iter_mut().enumerate() {
            if present & (1 << bit) != 0 {
                *word = Some(u64::from_le_bytes(*words.next()?));
                size += WORD;
            }
        }
        let [argument, argument2, address, answer, rest] = found;
        let usual = usual_words(0);
        let rest = rest.unwrap_or(usual[4]);
        let mut header = Self {
            length: 0,
            source: Source((first >> 48) as u8 as u32),
            class: (first >> 32) as u16 as u32,
            status: 0,
            argument: argument.unwrap_or(usual[0]),
            argument2: argument2.unwrap_or(usual[1]),
            buffer_address: address.unwrap_or(usual[2]),
            data_length: 0,
            returned_length: 0,
            name_length: rest as u16,
            value_name_length: (rest >> 16) as u16,
            tries: (rest >> 32) as u16,
            outcome: Outcome((rest >> 48) as u16),
        };
        let length = first as u32;
        header.data_length = length.checked_sub((size + header.names_length()) as u32)?;
        header.length = length.checked_next_multiple_of(WORD as u32)?;
        let answer = answer.unwrap_or(usual_words(header.data_length)[3]);
        header.status = answer as u32;
        header.returned_length = (answer >> 32) as u32;
        Some((header, size))
    }
}

/// Bytes of a word of a packed header: the container's alignment.
const WORD: usize = padded(1);

/// Words that a packed header can have behind its first: first argument; second argument; buffer address; status and
/// returned length; lengths of both names, tries and outcome.
const WORDS: usize = 5;

/// Bytes that a packed header takes at most.
const PACKED_SIZE: usize = WORD * (1 + WORDS);

/// What those words are where they are left out: nothing, but that the answer has its length and one call was made.
const fn usual_words(data_length: u32) -> [u64; WORDS] {
    [0, 0, 0, (data_length as u64) << 32, 1 << 32]
}

/// An [`ItemHeader`] as it stands in a packed batch.
#[derive(Clone, Copy, Debug)]
pub struct PackedHeader {
    bytes: [u8; PACKED_SIZE],
    words: usize,
    /// Of the first word, that of the next one, and those of all that are there.
    bit: u64,
    present: u64,
}

impl PackedHeader {
    /// Its bytes, a multiple of 8.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.words * WORD).unwrap_or(&self.bytes)
    }

    // Out of line: five calls are smaller than five copies.
    #[inline(never)]
    fn add(&mut self, word: u64, usual: u64) {
        if word != usual {
            self.put(self.words, word);
            self.words += 1;
            self.present |= self.bit;
        }
        self.bit <<= 1;
    }

    fn put(&mut self, place: usize, word: u64) {
        if let Some(place) = self.bytes.as_chunks_mut().0.get_mut(place) {
            *place = word.to_le_bytes();
        }
    }
}

/// One answer of a batch, borrowed from its payload.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// Its header.
    pub header: ItemHeader,
    /// Where in the payload it starts.
    pub offset: usize,
    /// Where in the payload its bytes start.
    pub data_offset: usize,
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
    packed: bool,
}

impl<'a> Items<'a> {
    /// Items of a reassembled payload of this encoding; one that is no batch is read as a plain one.
    pub fn new(payload: &'a [u8], encoding: Encoding) -> Self {
        Self {
            payload,
            offset: 0,
            packed: encoding == Encoding::PACKED_BATCH,
        }
    }

    /// Bytes of the item that begins with `beginning`, as it says itself, but never too few to go on by; `None` where that is
    /// not there yet.
    pub fn length_of(beginning: &[u8], encoding: Encoding) -> Option<usize> {
        let length = u32::from_le_bytes(*beginning.first_chunk()?) as usize;
        Some(match encoding {
            Encoding::PACKED_BATCH => length
                .checked_next_multiple_of(WORD)
                .unwrap_or(length)
                .max(WORD),
            _ => length.max(ItemHeader::SIZE),
        })
    }

    fn current(&self) -> Option<Item<'a>> {
        let rest = self.payload.get(self.offset..)?;
        let (header, size) = if self.packed {
            ItemHeader::unpack(rest)?
        } else {
            let header = ItemHeader::decode(rest.first_chunk()?);
            if header.length != header.measured().length {
                return None;
            }
            (header, ItemHeader::SIZE)
        };
        let (names, data) = rest.get(size..)?.split_at_checked(header.names_length())?;
        let (name, value_name) = names.split_at_checked(header.name_length as usize)?;
        Some(Item {
            header,
            offset: self.offset,
            data_offset: self.offset + size + names.len(),
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
