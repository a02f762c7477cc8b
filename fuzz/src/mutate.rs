//! Mutates snapshots the way a liar would: whatever it changes, every checksum is valid again afterwards.

use bootshot_format::{
    Encoding, Header, ItemHeader, Items, Outcome, Record, RecordHeader, RecordKind, Records,
    SectionBegin, SectionEnd, Source, padded, xxh64,
};

/// A small generator of numbers that depend on the seed alone (SplitMix64).
pub struct Random(u64);

impl Random {
    /// The generator for a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A number that parsers stumble over, or one that is like those `near` it.
    fn number(&mut self, near: &[u64]) -> u64 {
        const EDGES: &[u64] = &[
            0,
            1,
            2,
            3,
            4,
            7,
            8,
            15,
            16,
            0x3F,
            0x40,
            0x7F,
            0x80,
            0xFF,
            0x100,
            0x7FFF,
            0x8000,
            0xFFFF,
            0x1_0000,
            0x7FFF_FFFF,
            0x8000_0000,
            0xFFFF_FFFF,
            0x1_0000_0000,
            1 << 63,
            u64::MAX - 7,
            u64::MAX,
        ];
        match self.below(4) {
            0 => *self.pick(EDGES),
            1 => self.next() >> self.below(64),
            _ => {
                let distance = self.below(17) as u64;
                self.pick(near).wrapping_add(distance).wrapping_sub(8)
            }
        }
    }
}

/// A file taken apart into its records.
pub struct Parts {
    header: Header,
    records: Vec<Part>,
}

#[derive(Clone)]
struct Part {
    header: RecordHeader,
    payload: Vec<u8>,
}

impl Parts {
    /// Takes a file apart; none when its header is not sound. What is not a sound record is left out.
    pub fn of(file: &[u8]) -> Option<Self> {
        let header = Header::open(file).ok()?;
        let part = |record: Record<'_>| Part {
            header: record.header,
            payload: record.payload.to_vec(),
        };
        let records = Records::new(file, header.snapshot_id, Header::SIZE);
        Some(Self {
            header,
            records: records.flatten().map(part).collect(),
        })
    }

    /// The file with valid checksums everywhere.
    pub fn seal(&self) -> Vec<u8> {
        let mut file = self.header.seal().to_vec();
        for part in &self.records {
            let mut payload = part.payload.clone();
            payload.resize(padded(payload.len()), 0);
            let header = RecordHeader {
                payload_length: part.payload.len() as u32,
                snapshot_id: self.header.snapshot_id,
                payload_checksum: xxh64(&payload),
                ..part.header
            };
            file.extend(header.seal());
            file.extend(payload);
        }
        file
    }

    /// Changes one thing: mostly a number in a payload, now and then the shape of the file.
    pub fn mutate(&mut self, random: &mut Random) {
        match random.below(32) {
            0 => self.change_header(random),
            1 | 2 => self.change_question(random),
            3 | 4 => self.change_answer(random),
            5 => self.change_records(random),
            6 | 7 => self.resize_payload(random),
            8 | 9 => self.change_item(random),
            _ => self.change_payload(random),
        }
    }

    fn of_kind(&self, kind: RecordKind, random: &mut Random) -> Option<usize> {
        let of_kind = |part: &Part| part.header.kind == kind && !part.payload.is_empty();
        let count = self.records.iter().filter(|part| of_kind(part)).count();
        if count == 0 {
            return None;
        }
        let chosen = random.below(count);
        let mut positions = (0..).zip(&self.records).filter(|(_, part)| of_kind(part));
        positions.nth(chosen).map(|(position, _)| position)
    }

    fn change_header(&mut self, random: &mut Random) {
        let header = &mut self.header;
        match random.below(6) {
            0 => header.pointer_width ^= 4 ^ 8,
            1 => header.nt_build = *random.pick(&[0, 3790, 6000, 9600, 17134, 22000, u32::MAX]),
            2 => header.nt_major = *random.pick(&[0, 5, 6, 10]),
            3 => header.page_size = random.number(&[0x1000]) as u32,
            4 => header.process_id = random.number(&[header.process_id]),
            _ => {
                header.performance_frequency = random.number(&[header.performance_frequency]);
                header.performance_counter = random.number(&[header.performance_counter]);
            }
        }
    }

    /// Makes the bytes of one section the answer to another question.
    fn change_question(&mut self, random: &mut Random) {
        let Some(position) = self.of_kind(RecordKind::SECTION_BEGIN, random) else {
            return;
        };
        let payload = &mut self.records[position].payload;
        let Some(bytes) = payload.first_chunk_mut::<{ SectionBegin::SIZE }>() else {
            return;
        };
        let mut begin = SectionBegin::decode(bytes);
        match random.below(8) {
            0 => begin.encoding = *random.pick(ENCODINGS),
            1 => begin.argument = random.number(&[begin.argument, self.header.process_id]),
            2 => begin.name_length = random.number(&[begin.name_length.into()]) as u16,
            _ => (begin.source, begin.class) = *random.pick(QUESTIONS),
        }
        *bytes = begin.encode();
    }

    /// Lies about the circumstances of an answer.
    fn change_answer(&mut self, random: &mut Random) {
        let Some(position) = self.of_kind(RecordKind::SECTION_END, random) else {
            return;
        };
        let payload = &mut self.records[position].payload;
        let Some(bytes) = payload.first_chunk_mut::<{ SectionEnd::SIZE }>() else {
            return;
        };
        let mut end = SectionEnd::decode(bytes);
        match random.below(5) {
            0 => end.status = *random.pick(&[0, 0xC000_0022, 0x8000_0005, 0x103]),
            1 => end.outcome = Outcome(random.below(8) as u16),
            2 => end.total_length = random.number(&[end.total_length]),
            3 => end.performance_counter = random.number(&[end.performance_counter]),
            _ => end.buffer_address = random.number(&[end.buffer_address]),
        }
        *bytes = end.encode();
    }

    /// Doubles, drops, swaps or renumbers records.
    fn change_records(&mut self, random: &mut Random) {
        if self.records.is_empty() {
            return;
        }
        let position = random.below(self.records.len());
        let other = random.below(self.records.len());
        match random.below(6) {
            0 => self.records.insert(other, self.records[position].clone()),
            1 => drop(self.records.remove(position)),
            2 => self.records.swap(position, other),
            3 => {
                let header = &mut self.records[position].header;
                header.sequence = random.number(&[header.sequence.into()]) as u32;
            }
            4 => {
                let header = &mut self.records[position].header;
                header.section = random.number(&[header.section.into()]) as u32;
            }
            _ => {
                let kind = self.records[other].header.kind;
                self.records[position].header.kind = kind;
            }
        }
    }

    /// Cuts, lengthens or repeats a part of a payload, and corrects the totals at the section's end.
    fn resize_payload(&mut self, random: &mut Random) {
        let Some(position) = self.of_kind(RecordKind::CHUNK, random) else {
            return;
        };
        let payload = &mut self.records[position].payload;
        let place = random.below(payload.len());
        match random.below(3) {
            0 => payload.truncate(place),
            1 => payload.resize(payload.len() + 1 + random.below(64), 0),
            _ => {
                let end = place + 1 + random.below((payload.len() - place).min(512));
                payload.extend_from_within(place..end);
            }
        }
        self.correct_totals(self.records[position].header.section);
    }

    fn correct_totals(&mut self, section: u32) {
        let chunks = self
            .records
            .iter()
            .filter(|part| part.header.section == section && part.header.kind == RecordKind::CHUNK);
        let (count, length) = chunks.fold((0, 0), |(count, length), part| {
            (count + 1, length + part.payload.len() as u64)
        });
        for part in &mut self.records {
            if part.header.section == section
                && part.header.kind == RecordKind::SECTION_END
                && let Some(bytes) = part.payload.first_chunk_mut::<{ SectionEnd::SIZE }>()
            {
                *bytes = SectionEnd {
                    total_length: length,
                    chunks: count,
                    ..SectionEnd::decode(bytes)
                }
                .encode();
            }
        }
    }

    /// Changes an item of a batch, or what is asked in it, and keeps its length true.
    fn change_item(&mut self, random: &mut Random) {
        let Some(position) = self.of_kind(RecordKind::CHUNK, random) else {
            return;
        };
        let section = self.records[position].header.section;
        let encoding = self.encoding(section);
        let payload = &mut self.records[position].payload;
        let items: Vec<(usize, usize, ItemHeader)> = Items::new(payload, encoding)
            .flatten()
            .map(|item| {
                let names = item.header.names_length();
                (item.offset, item.data_offset - names, item.header)
            })
            .collect();
        if items.is_empty() {
            return;
        }
        let (start, end, mut item) = *random.pick(&items);
        match random.below(6) {
            0 => item.argument = random.number(&[item.argument, self.header.process_id]),
            1 => item.buffer_address = random.number(&[item.buffer_address]),
            2 => item.data_length = random.number(&[item.data_length.into()]) as u32,
            3 => item.name_length = random.number(&[item.name_length.into()]) as u16,
            4 => item.status = *random.pick(&[0, 0xC000_0022, 0x103]),
            _ => (item.source, item.class) = *random.pick(QUESTIONS),
        }
        if encoding == Encoding::PACKED_BATCH {
            payload.splice(start..end, item.pack().bytes().iter().copied());
            self.correct_totals(section);
            return;
        }
        // A length that no longer fits is as good a lie as one that does.
        if item.data_length < 1 << 31 {
            item = item.measured();
        }
        payload[start..end].copy_from_slice(&item.encode());
    }

    /// How the payload of a section is to be read.
    fn encoding(&self, section: u32) -> Encoding {
        let begin = self.records.iter().find(|part| {
            part.header.section == section && part.header.kind == RecordKind::SECTION_BEGIN
        });
        begin
            .and_then(|part| part.payload.first_chunk())
            .map_or(Encoding::RAW, |bytes| SectionBegin::decode(bytes).encoding)
    }

    /// Changes a number in a payload.
    fn change_payload(&mut self, random: &mut Random) {
        let Some(position) = self.of_kind(RecordKind::CHUNK, random) else {
            return;
        };
        let address = self.buffer_address(self.records[position].header.section);
        change_number(&mut self.records[position].payload, address, random);
    }

    fn buffer_address(&self, section: u32) -> u64 {
        let end = self.records.iter().find(|part| {
            part.header.section == section && part.header.kind == RecordKind::SECTION_END
        });
        end.and_then(|part| part.payload.first_chunk())
            .map_or(0, |bytes| SectionEnd::decode(bytes).buffer_address)
    }
}

/// Changes a number in a payload that stood at `address`: to an edge, to an offset in it, to a pointer into it.
pub fn change_number(payload: &mut [u8], address: u64, random: &mut Random) {
    if payload.is_empty() {
        return;
    }
    // The beginning of an answer has the counts and the first offsets.
    let reach = if random.one_in(3) {
        payload.len().min(64)
    } else {
        payload.len()
    };
    let place = random.below(reach);
    let size = *random.pick(&[1, 2, 4, 4, 8, 8]);
    let place = if random.one_in(8) {
        place
    } else {
        place / size * size
    };
    let Some(field) = payload.get(place..place + size) else {
        return;
    };
    let mut old = [0; 8];
    old[..size].copy_from_slice(field);
    let inside = random.below(payload.len()) as u64;
    let near = [
        u64::from_le_bytes(old),
        inside,
        payload.len() as u64,
        address.wrapping_add(inside),
        address.wrapping_add(payload.len() as u64),
    ];
    let new = if random.one_in(6) {
        let from = random.below(payload.len() - size + 1);
        let mut bytes = [0; 8];
        bytes[..size].copy_from_slice(&payload[from..from + size]);
        u64::from_le_bytes(bytes)
    } else {
        random.number(&near)
    };
    payload[place..place + size].copy_from_slice(&new.to_le_bytes()[..size]);
}

const ENCODINGS: &[Encoding] = &[Encoding::RAW, Encoding::BATCH, Encoding::PACKED_BATCH];

/// What a reader knows how to read.
pub const QUESTIONS: &[(Source, u32)] = &[
    (Source::SYSTEM_INFORMATION, 0),
    (Source::SYSTEM_INFORMATION, 2),
    (Source::SYSTEM_INFORMATION, 3),
    (Source::SYSTEM_INFORMATION, 5),
    (Source::SYSTEM_INFORMATION, 11),
    (Source::SYSTEM_INFORMATION, 16),
    (Source::SYSTEM_INFORMATION, 18),
    (Source::SYSTEM_INFORMATION, 21),
    (Source::SYSTEM_INFORMATION, 22),
    (Source::SYSTEM_INFORMATION, 35),
    (Source::SYSTEM_INFORMATION, 37),
    (Source::SYSTEM_INFORMATION, 57),
    (Source::SYSTEM_INFORMATION, 64),
    (Source::SYSTEM_INFORMATION, 76),
    (Source::SYSTEM_INFORMATION, 77),
    (Source::SYSTEM_INFORMATION, 80),
    (Source::SYSTEM_INFORMATION, 90),
    (Source::SYSTEM_INFORMATION, 103),
    (Source::SYSTEM_INFORMATION, 133),
    (Source::SYSTEM_INFORMATION, 144),
    (Source::SYSTEM_INFORMATION, 145),
    (Source::SYSTEM_INFORMATION, 148),
    (Source::SYSTEM_INFORMATION, 149),
    (Source::SYSTEM_INFORMATION, 159),
    (Source::SYSTEM_INFORMATION, 165),
    (Source::OBJECT_INFORMATION, 1),
    (Source::OBJECT_INFORMATION, 3),
    (Source::PROCESS_INFORMATION, 26),
    (Source::PROCESS_INFORMATION, 27),
    (Source::PROCESS_INFORMATION, 60),
    (Source::PROCESS_INFORMATION, 61),
    (Source::PROCESS_INFORMATION, 64),
    (Source::TOKEN_INFORMATION, 1),
    (Source::TOKEN_INFORMATION, 25),
    (Source::OWN_MEMORY, 1),
    (Source::OWN_MEMORY, 2),
    (Source::OWN_MEMORY, 3),
    (Source::OWN_MEMORY, 4),
    (Source::OWN_MEMORY, 5),
    (Source::PROCESS_MEMORY, 1),
    (Source::PROCESS_MEMORY, 2),
    (Source::PROCESS_MEMORY, 3),
    (Source::REGISTRY_VALUE, 1),
    (Source::REGISTRY_VALUE, 2),
    (Source::DIRECTORY_OBJECT, 0),
    (Source::OPEN, 1),
    (Source::OPEN, 3),
    (Source::OPEN, 8),
    (Source::KEY_INFORMATION, 5),
    (Source::SUBKEYS, 0),
    (Source::KEY_VALUES, 1),
    (Source::FIRMWARE_VARIABLES, 2),
    (Source::FILE_INFORMATION, 5),
    (Source::FILE_INFORMATION, 4),
    (Source::FILE_CONTENT, 0),
    (Source::NOTE, 1),
    (Source::NOTE, 2),
    (Source::NOTE, 3),
    (Source::NOTE, 4),
    (Source::OPEN, 5),
    (Source::OPEN, 6),
    (Source::OPEN, 7),
    (Source::OBJECT, 1),
    (Source::OBJECT, 2),
    (Source::OBJECT, 3),
    (Source::OBJECT, 8),
    (Source::OBJECT, 12),
    (Source::OBJECT, 13),
    (Source::SYMBOLIC_LINK, 0),
    (Source::PROCESS_HANDLE, 0),
    (Source::PROCESS_HANDLE, 4),
    (Source::PROCESS_HANDLE, 27),
    (Source::THREAD_HANDLE, 0),
    (Source::THREAD_HANDLE, 1),
    (Source::JOB_INFORMATION, 1),
    (Source::JOB_INFORMATION, 3),
    (Source::JOB_INFORMATION, 9),
    (Source::JOB_INFORMATION, 36),
    (Source::PROCESS_IN_JOB, 0),
];
