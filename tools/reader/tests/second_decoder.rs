//! Holds a second decoder of the snapshot file, written from `docs/format.md` alone, against the one the tools use.

/// The second decoder. It knows the specification and nothing else: no item of `bootshot-format`, and another
/// implementation of the checksum.
mod second {
    use std::collections::BTreeMap;
    use twox_hash::XxHash64;

    const HEADER: usize = 256;
    const RECORD_HEADER: usize = 48;
    const QUESTION: usize = 56;
    const ANSWER: usize = 64;
    const TRAILER: usize = 32;
    const ITEM: usize = 56;

    #[derive(Debug, PartialEq)]
    pub struct Snapshot {
        pub header: Header,
        /// The sound records, in the order of the file.
        pub records: Vec<Record>,
        /// The sections whose question survived, by ordinal.
        pub sections: Vec<Section>,
        pub trailer: Option<Trailer>,
    }

    /// Why a file is not read at all, in the order of the checks.
    #[derive(Debug, PartialEq)]
    pub enum Refusal {
        TooShort,
        Magic,
        Version,
        Checksum,
        RequiredFeatures,
        /// Header length, checksum algorithm or pointer width.
        Value,
    }

    #[derive(Debug, PartialEq)]
    pub struct Header {
        pub version: u16,
        pub compatible_features: u64,
        pub required_features: u64,
        pub snapshot_id: [u8; 16],
        pub machine: u16,
        pub pointer_width: u8,
        pub phase: u8,
        pub phase_source: u8,
        pub csrss_at_start: u8,
        pub page_size: u32,
        pub nt_major_version: u32,
        pub nt_minor_version: u32,
        pub nt_build: u32,
        pub boot_id: u32,
        pub writer_version: u32,
        pub process_id: u64,
        pub boot_time: i64,
        pub sequence: u64,
        pub system_time: i64,
        pub interrupt_time: u64,
        pub performance_frequency: u64,
        pub performance_counter: u64,
        pub privileges_wanted: u64,
        pub privileges_held: u64,
    }

    #[derive(Debug, PartialEq)]
    pub struct Record {
        /// Where the record starts in the file.
        pub offset: usize,
        pub kind: [u8; 4],
        pub section: u32,
        pub sequence: u32,
        pub payload: Vec<u8>,
    }

    #[derive(Debug, PartialEq)]
    pub struct Section {
        pub ordinal: u32,
        pub question: Question,
        /// The chunks up to the first record that is lost or out of order.
        pub payload: Vec<u8>,
        pub condition: Condition,
        /// `None` where the file ends before the section does, or the record was lost.
        pub answer: Option<Answer>,
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum Condition {
        Whole,
        Torn,
        Damaged,
    }

    #[derive(Debug, PartialEq)]
    pub struct Question {
        pub source: u32,
        pub class: u32,
        pub argument: u64,
        pub argument_2: u64,
        pub system_time: i64,
        pub interrupt_time: u64,
        pub performance_counter: u64,
        pub encoding: u16,
        pub family: u16,
        pub name: Vec<u8>,
        pub value_name: Vec<u8>,
    }

    #[derive(Debug, PartialEq)]
    pub struct Answer {
        pub status: u32,
        pub outcome: u16,
        pub tries: u16,
        pub total_length: u64,
        pub chunks: u32,
        pub items: u32,
        pub performance_counter: u64,
        pub returned_length: u64,
        pub buffer_address: u64,
        pub buffer_length: u64,
    }

    #[derive(Debug, PartialEq)]
    pub struct Item {
        pub source: u32,
        pub class: u32,
        pub status: u32,
        pub argument: u64,
        pub argument_2: u64,
        pub buffer_address: u64,
        pub returned_length: u32,
        pub tries: u16,
        pub outcome: u16,
        pub name: Vec<u8>,
        pub value_name: Vec<u8>,
        pub data: Vec<u8>,
    }

    #[derive(Debug, PartialEq)]
    pub struct Trailer {
        pub sections: u32,
        pub system_time: i64,
        pub interrupt_time: u64,
        pub performance_counter: u64,
        pub csrss_at_end: u8,
        pub finished_by: u8,
        pub index: Vec<u64>,
    }

    pub fn decode(file: &[u8]) -> Result<Snapshot, Refusal> {
        let header = header(file)?;
        let found = records(file, &header.snapshot_id);
        let sections = sections(&found);
        let sound = found.into_iter().filter(|found| !found.lost);
        let records: Vec<_> = sound.map(|found| found.record).collect();
        let trailer = records
            .iter()
            .find(|r| &r.kind == b"TRLR")
            .and_then(trailer);
        Ok(Snapshot {
            header,
            records,
            sections,
            trailer,
        })
    }

    fn header(file: &[u8]) -> Result<Header, Refusal> {
        let h = file.get(..HEADER).ok_or(Refusal::TooShort)?;
        let refuse_unless = |sound: bool, refusal| if sound { Ok(()) } else { Err(refusal) };
        refuse_unless(h[..8] == *b"\x89BSHOT\r\n", Refusal::Magic)?;
        refuse_unless(u16_at(h, 8) <= 1, Refusal::Version)?;
        refuse_unless(checksum(&h[..248]) == u64_at(h, 248), Refusal::Checksum)?;
        refuse_unless(u64_at(h, 24) & !1 == 0, Refusal::RequiredFeatures)?;
        refuse_unless(u16_at(h, 10) == 256, Refusal::Value)?;
        refuse_unless(u32_at(h, 12) == 1, Refusal::Value)?;
        refuse_unless(matches!(h[50], 4 | 8), Refusal::Value)?;
        Ok(Header {
            version: u16_at(h, 8),
            compatible_features: u64_at(h, 16),
            required_features: u64_at(h, 24),
            snapshot_id: bytes_at(h, 32),
            machine: u16_at(h, 48),
            pointer_width: h[50],
            phase: h[51],
            phase_source: h[52],
            csrss_at_start: h[53],
            page_size: u32_at(h, 56),
            nt_major_version: u32_at(h, 60),
            nt_minor_version: u32_at(h, 64),
            nt_build: u32_at(h, 68),
            boot_id: u32_at(h, 72),
            writer_version: u32_at(h, 76),
            process_id: u64_at(h, 80),
            boot_time: i64_at(h, 88),
            sequence: u64_at(h, 96),
            system_time: i64_at(h, 104),
            interrupt_time: u64_at(h, 112),
            performance_frequency: u64_at(h, 120),
            performance_counter: u64_at(h, 128),
            privileges_wanted: u64_at(h, 136),
            privileges_held: u64_at(h, 144),
        })
    }

    /// A record whose header is sound.
    struct Found {
        record: Record,
        /// Its payload is not the one that was written.
        lost: bool,
    }

    /// The records up to the trailer or to where the file was cut. Where none stands, the search goes on at the next multiple
    /// of 8.
    fn records(file: &[u8], snapshot_id: &[u8; 16]) -> Vec<Found> {
        let mut records = Vec::new();
        let mut offset = HEADER;
        while let Some((head, behind)) = file
            .get(offset..)
            .and_then(|rest| rest.split_at_checked(RECORD_HEADER))
        {
            if head[8..24] != *snapshot_id || checksum(&head[..40]) != u64_at(head, 40) {
                offset += 8;
                continue;
            }
            let length = u32_at(head, 4) as usize;
            let Some(padded) = behind.get(..length.next_multiple_of(8)) else {
                break;
            };
            let record = Record {
                offset,
                kind: bytes_at(head, 0),
                section: u32_at(head, 24),
                sequence: u32_at(head, 28),
                payload: padded[..length].to_vec(),
            };
            let is_trailer = &record.kind == b"TRLR";
            let lost = checksum(padded) != u64_at(head, 32);
            records.push(Found { record, lost });
            if is_trailer {
                break;
            }
            offset += RECORD_HEADER + padded.len();
        }
        records
    }

    fn sections(records: &[Found]) -> Vec<Section> {
        let mut by_ordinal: BTreeMap<u32, Vec<&Found>> = BTreeMap::new();
        for found in records.iter().filter(|r| &r.record.kind != b"TRLR") {
            by_ordinal
                .entry(found.record.section)
                .or_default()
                .push(found);
        }
        by_ordinal
            .into_iter()
            .filter_map(|(ordinal, records)| section(ordinal, &records))
            .collect()
    }

    fn section(ordinal: u32, records: &[&Found]) -> Option<Section> {
        let last = |kind: &[u8; 4]| {
            let mut sound = records.iter().filter(|found| !found.lost);
            sound.rfind(|found| found.record.kind == *kind)
        };
        let question = question(&last(b"SECT")?.record.payload)?;
        let answer = last(b"SEND").and_then(|found| answer(&found.record.payload));
        let in_order = (0..)
            .zip(records)
            .take_while(|(place, found)| !found.lost && found.record.sequence == *place)
            .count();
        let chunks = records[..in_order]
            .iter()
            .filter(|found| &found.record.kind == b"DATA");
        let payload: Vec<u8> = chunks
            .clone()
            .flat_map(|chunk| chunk.record.payload.iter().copied())
            .collect();
        let agrees = |answer: &Answer| {
            answer.total_length == payload.len() as u64
                && answer.chunks as usize == chunks.clone().count()
        };
        let condition = match &answer {
            _ if in_order != records.len() => Condition::Damaged,
            None => Condition::Torn,
            Some(answer) if agrees(answer) => Condition::Whole,
            Some(_) => Condition::Damaged,
        };
        Some(Section {
            ordinal,
            question,
            payload,
            condition,
            answer,
        })
    }

    fn question(payload: &[u8]) -> Option<Question> {
        let (p, names) = payload.split_at_checked(QUESTION)?;
        let (name, names) = names.split_at_checked(u16_at(p, 50).into())?;
        let value_name = names.get(..u16_at(p, 52).into())?;
        if value_name.len() != names.len() {
            return None;
        }
        Some(Question {
            source: u32_at(p, 0),
            class: u32_at(p, 4),
            argument: u64_at(p, 8),
            argument_2: u64_at(p, 16),
            system_time: i64_at(p, 24),
            interrupt_time: u64_at(p, 32),
            performance_counter: u64_at(p, 40),
            encoding: u16_at(p, 48),
            family: u16_at(p, 54),
            name: name.to_vec(),
            value_name: value_name.to_vec(),
        })
    }

    fn answer(payload: &[u8]) -> Option<Answer> {
        let p = payload.get(..ANSWER).filter(|_| payload.len() == ANSWER)?;
        Some(Answer {
            status: u32_at(p, 0),
            outcome: u16_at(p, 4),
            tries: u16_at(p, 6),
            total_length: u64_at(p, 8),
            chunks: u32_at(p, 16),
            items: u32_at(p, 20),
            performance_counter: u64_at(p, 24),
            returned_length: u64_at(p, 32),
            buffer_address: u64_at(p, 40),
            buffer_length: u64_at(p, 48),
        })
    }

    fn trailer(record: &Record) -> Option<Trailer> {
        let (p, index) = record.payload.split_at_checked(TRAILER)?;
        if index.len() != u32_at(p, 28) as usize * 8 {
            return None;
        }
        Some(Trailer {
            sections: record.section,
            system_time: i64_at(p, 0),
            interrupt_time: u64_at(p, 8),
            performance_counter: u64_at(p, 16),
            csrss_at_end: p[24],
            finished_by: p[25],
            index: index
                .chunks_exact(8)
                .map(|entry| u64_at(entry, 0))
                .collect(),
        })
    }

    impl Section {
        /// Whether its payload is a run of items, plain or packed.
        pub fn is_batch(&self) -> bool {
            matches!(self.question.encoding, 1 | 2)
        }

        /// The items of a batch, up to the first that is not sound.
        pub fn items(&self) -> Vec<Item> {
            let read = match self.question.encoding {
                2 => packed_item,
                _ => item,
            };
            let (mut batch, mut items) = (&self.payload[..], Vec::new());
            while let Some((item, behind)) = read(batch) {
                items.push(item);
                batch = behind;
            }
            items
        }
    }

    fn packed_item(batch: &[u8]) -> Option<(Item, &[u8])> {
        let p = batch.get(..8)?;
        let (length, class, source, words) = (u32_at(p, 0) as usize, u16_at(p, 4), p[6], p[7]);
        if words >= 1 << 5 {
            return None;
        }
        let header = 8 + 8 * words.count_ones() as usize;
        let p = batch.get(..header)?;
        let place = |word: u32| {
            let before = words & ((1 << word) - 1);
            (words >> word & 1 == 1).then(|| 8 + 8 * before.count_ones() as usize)
        };
        let number = |word| place(word).map_or(0, |at| u64_at(p, at));
        let (mut name, mut value_name, mut tries, mut outcome) = (0, 0, 1, 0);
        if let Some(at) = place(4) {
            [name, value_name, tries, outcome] = [0, 2, 4, 6].map(|field| u16_at(p, at + field));
        }
        let name_end = header + usize::from(name);
        let value_name_end = name_end + usize::from(value_name);
        let data_start = value_name_end.next_multiple_of(8);
        let data = batch.get(..length)?.get(data_start..)?;
        let (mut status, mut returned_length) = (0, data.len() as u32);
        if let Some(at) = place(3) {
            (status, returned_length) = (u32_at(p, at), u32_at(p, at + 4));
        }
        let item = Item {
            source: source.into(),
            class: class.into(),
            status,
            argument: number(0),
            argument_2: number(1),
            buffer_address: number(2),
            returned_length,
            tries,
            outcome,
            name: batch[header..name_end].to_vec(),
            value_name: batch[name_end..value_name_end].to_vec(),
            data: data.to_vec(),
        };
        Some((item, batch.get(length.next_multiple_of(8)..).unwrap_or(&[])))
    }

    fn item(batch: &[u8]) -> Option<(Item, &[u8])> {
        let p = batch.get(..ITEM)?;
        let (length, data_length) = (u32_at(p, 0) as usize, u32_at(p, 40) as usize);
        let name_end = ITEM + usize::from(u16_at(p, 48));
        let value_name_end = name_end + usize::from(u16_at(p, 50));
        let data_start = value_name_end.next_multiple_of(8);
        let data_end = data_start + data_length;
        if length != data_end.next_multiple_of(8) {
            return None;
        }
        let (item, behind) = batch.split_at_checked(length)?;
        let item = Item {
            source: u32_at(p, 4),
            class: u32_at(p, 8),
            status: u32_at(p, 12),
            argument: u64_at(p, 16),
            argument_2: u64_at(p, 24),
            buffer_address: u64_at(p, 32),
            returned_length: u32_at(p, 44),
            tries: u16_at(p, 52),
            outcome: u16_at(p, 54),
            name: item[ITEM..name_end].to_vec(),
            value_name: item[name_end..value_name_end].to_vec(),
            data: item[data_start..data_end].to_vec(),
        };
        Some((item, behind))
    }

    /// The answers of a run, with the status of nobody's business: class 0 of source 18, class 1 of source 19.
    #[derive(Debug, PartialEq)]
    pub enum Run {
        /// Last write time and name of each key.
        Keys(Vec<(i64, Vec<u8>)>),
        /// Type, name and data of each value.
        Values(Vec<(u32, Vec<u8>, Vec<u8>)>),
    }

    /// The run in the data of an item or section; nothing where it is none that the specification describes.
    pub fn run(source: u32, class: u32, mut data: &[u8]) -> Option<Run> {
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        while !data.is_empty() {
            let length = match (source, class) {
                (18, 0) => {
                    let end = 16 + u32_at(data.get(..16)?, 12) as usize;
                    keys.push((i64_at(data, 0), data.get(16..end)?.to_vec()));
                    end
                }
                (19, 1) => {
                    let p = data.get(..20)?;
                    let name_end = 20 + u32_at(p, 16) as usize;
                    let (offset, length) = (u32_at(p, 8) as usize, u32_at(p, 12) as usize);
                    let name = data.get(20..name_end)?.to_vec();
                    let (start, end) = match length {
                        0 => (name_end, name_end),
                        _ => (offset, offset + length),
                    };
                    values.push((u32_at(p, 4), name, data.get(start..end)?.to_vec()));
                    end
                }
                _ => return None,
            };
            // Behind the last answer nothing stands, not even the zero bytes up to the next.
            data = data.get(length.next_multiple_of(8)..).unwrap_or(&[]);
        }
        match (source, class) {
            (18, 0) => Some(Run::Keys(keys)),
            (19, 1) => Some(Run::Values(values)),
            _ => None,
        }
    }

    /// What stands in the data of an object item, source 11.
    #[derive(Debug, PartialEq)]
    pub struct Object {
        pub basic_status: u32,
        pub security_status: u32,
        /// Handles and references, the third and fourth number of `OBJECT_BASIC_INFORMATION`.
        pub counts: Option<(u32, u32)>,
        pub security_descriptor: Vec<u8>,
    }

    /// The object in an item whose open succeeded.
    pub fn object(item: &Item) -> Option<Object> {
        if item.source != 11 || item.status >= 0x8000_0000 {
            return None;
        }
        let (p, rest) = item.data.split_at_checked(16)?;
        let (basic, rest) = rest.split_at_checked(u32_at(p, 8) as usize)?;
        Some(Object {
            basic_status: u32_at(p, 0),
            security_status: u32_at(p, 4),
            counts: (basic.len() >= 16).then(|| (u32_at(basic, 8), u32_at(basic, 12))),
            security_descriptor: rest.get(..u32_at(p, 12) as usize)?.to_vec(),
        })
    }

    pub fn checksum(bytes: &[u8]) -> u64 {
        XxHash64::oneshot(0, bytes)
    }

    fn bytes_at<const N: usize>(from: &[u8], at: usize) -> [u8; N] {
        *from[at..]
            .first_chunk()
            .expect("the caller holds the whole structure")
    }

    fn u16_at(from: &[u8], at: usize) -> u16 {
        u16::from_le_bytes(bytes_at(from, at))
    }

    fn u32_at(from: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(bytes_at(from, at))
    }

    fn u64_at(from: &[u8], at: usize) -> u64 {
        u64::from_le_bytes(bytes_at(from, at))
    }

    fn i64_at(from: &[u8], at: usize) -> i64 {
        i64::from_le_bytes(bytes_at(from, at))
    }
}

/// The same file as `bootshot-format` and the reader read it, in the second decoder's words.
mod tools {
    use super::second::{
        Answer, Condition, Header, Item, Object, Question, Record, Refusal, Run, Section, Snapshot,
        Trailer,
    };
    use bootshot_format::{HeaderError, Items, RecordKind, Records};
    use bootshot_reader::Condition::{Damaged, Intact, Torn};
    use bootshot_reader::decode::{self, Buffer};
    use bootshot_reader::layout::PointerWidth;
    use test_snapshots::utf16;

    pub fn decode(file: &[u8]) -> Result<Snapshot, Refusal> {
        let read = bootshot_reader::Snapshot::parse(file);
        let header = bootshot_format::Header::open(file).map_err(|error| {
            assert!(read.is_err(), "the reader reads behind {error:?}");
            refusal(error)
        })?;
        let read = read.expect("the header is sound");
        assert_eq!(read.header, header);
        let records: Vec<_> = Records::new(file, header.snapshot_id, bootshot_format::Header::SIZE)
            .flatten()
            .filter(bootshot_format::Record::payload_is_intact)
            .collect();
        let trailer = records.iter().find_map(trailer);
        assert_eq!(read.trailer.is_some(), trailer.is_some());
        Ok(Snapshot {
            header: self::header(&header),
            sections: read.sections.iter().map(|s| section(s, &records)).collect(),
            records: records.iter().map(record).collect(),
            trailer,
        })
    }

    fn refusal(error: HeaderError) -> Refusal {
        match error {
            HeaderError::TooShort => Refusal::TooShort,
            HeaderError::NotASnapshot => Refusal::Magic,
            HeaderError::NewerVersion(_) => Refusal::Version,
            HeaderError::BadChecksum => Refusal::Checksum,
            HeaderError::UnknownFeatures(_) => Refusal::RequiredFeatures,
            HeaderError::Invalid => Refusal::Value,
        }
    }

    fn header(h: &bootshot_format::Header) -> Header {
        Header {
            version: h.version,
            compatible_features: h.compatible_features,
            required_features: h.required_features,
            snapshot_id: h.snapshot_id,
            machine: h.machine,
            pointer_width: h.pointer_width,
            phase: h.phase.0,
            phase_source: h.phase_source.0,
            csrss_at_start: h.csrss_at_start.0,
            page_size: h.page_size,
            nt_major_version: h.nt_major,
            nt_minor_version: h.nt_minor,
            nt_build: h.nt_build,
            boot_id: h.boot_id,
            writer_version: h.writer_version,
            process_id: h.process_id,
            boot_time: h.boot_time,
            sequence: h.sequence,
            system_time: h.system_time,
            interrupt_time: h.interrupt_time,
            performance_frequency: h.performance_frequency,
            performance_counter: h.performance_counter,
            privileges_wanted: h.privileges_wanted,
            privileges_held: h.privileges_held,
        }
    }

    fn record(record: &bootshot_format::Record) -> Record {
        Record {
            offset: record.offset as usize,
            kind: record.header.kind.0.to_le_bytes(),
            section: record.header.section,
            sequence: record.header.sequence,
            payload: record.payload.to_vec(),
        }
    }

    fn section(section: &bootshot_reader::Section, records: &[bootshot_format::Record]) -> Section {
        // The reader gives names as text; what stands in the file, the record tells.
        let (begin, name, value_name) = records
            .iter()
            .rfind(|record| {
                let header = &record.header;
                (header.section, header.kind) == (section.ordinal, RecordKind::SECTION_BEGIN)
            })
            .and_then(bootshot_format::Record::section_begin)
            .expect("a section of the reader has a question");
        let starts_at = |record: &bootshot_format::Record| record.offset == section.file_offset;
        assert!(
            records.iter().any(starts_at) || section.condition == Damaged,
            "it starts with one of its records"
        );
        assert_eq!(section.begin, begin);
        assert_eq!(section.name(), text(name));
        assert_eq!(section.value_name(), text(value_name));
        Section {
            ordinal: section.ordinal,
            question: Question {
                source: begin.source.0,
                class: begin.class,
                argument: begin.argument,
                argument_2: begin.argument2,
                system_time: begin.system_time,
                interrupt_time: begin.interrupt_time,
                performance_counter: begin.performance_counter,
                encoding: begin.encoding.0,
                family: begin.family.0,
                name: name.to_vec(),
                value_name: value_name.to_vec(),
            },
            payload: section.payload.to_vec(),
            condition: match section.condition {
                Intact => Condition::Whole,
                Torn => Condition::Torn,
                Damaged => Condition::Damaged,
            },
            answer: section.end.as_ref().map(|end| Answer {
                status: end.status,
                outcome: end.outcome.0,
                tries: end.tries,
                total_length: end.total_length,
                chunks: end.chunks,
                items: end.items,
                performance_counter: end.performance_counter,
                returned_length: end.returned_length,
                buffer_address: end.buffer_address,
                buffer_length: end.buffer_length,
            }),
        }
    }

    fn trailer(record: &bootshot_format::Record) -> Option<Trailer> {
        let (trailer, index) = record.trailer()?;
        Some(Trailer {
            sections: record.header.section,
            system_time: trailer.system_time,
            interrupt_time: trailer.interrupt_time,
            performance_counter: trailer.performance_counter,
            csrss_at_end: trailer.csrss_at_end.0,
            finished_by: trailer.finished_by.0,
            index: index.collect(),
        })
    }

    /// The items of every batch, by section; of a damaged one those before the damage.
    pub fn items(file: &[u8]) -> Vec<Vec<Item>> {
        let read = bootshot_reader::Snapshot::parse(file).expect("the header is sound");
        let batches = read.sections.iter().filter(|section| section.is_batch());
        batches
            .map(|section| {
                let items = Items::new(&section.payload, section.begin.encoding)
                    .map(|item| item.expect("the reader gives an answer from it"));
                read.answers_in(section).zip(items).map(item).collect()
            })
            .collect()
    }

    fn item((answer, item): (bootshot_reader::Answer, bootshot_format::Item)) -> Item {
        assert_eq!(answer.name(), text(item.name));
        assert_eq!(answer.value_name(), text(item.value_name));
        Item {
            source: answer.source.0,
            class: answer.class,
            status: answer.status,
            argument: answer.argument,
            argument_2: answer.argument2,
            buffer_address: answer.buffer_address,
            returned_length: item.header.returned_length,
            tries: answer.tries,
            outcome: answer.outcome.0,
            name: item.name.to_vec(),
            value_name: item.value_name.to_vec(),
            data: answer.bytes.to_vec(),
        }
    }

    /// The run in an item, as the reader's decoders read it.
    pub fn run(item: &Item) -> Option<Run> {
        let buffer = Buffer::new(&item.data, item.buffer_address, PointerWidth::Bits64);
        let mut problems = Vec::new();
        let run = match (item.source, item.class) {
            (18, 0) => Run::Keys(
                decode::subkeys(&buffer, &mut problems)
                    .iter()
                    .map(|key| (key.last_write_time, utf16(&key.name())))
                    .collect(),
            ),
            (19, 1) => Run::Values(
                decode::key_values(&buffer, &mut problems)
                    .iter()
                    .map(|value| {
                        let data = value.value.data.to_vec();
                        (value.value.value_type, utf16(&value.name), data)
                    })
                    .collect(),
            ),
            _ => return None,
        };
        assert_eq!(problems, []);
        Some(run)
    }

    /// The object in an item, as the reader's decoder reads it.
    pub fn object(item: &Item) -> Option<Object> {
        use bootshot_reader::layout::structures::OBJECT_BASIC_INFORMATION as Basic;

        if item.source != bootshot_format::Source::OBJECT.0 || item.status >= 0x8000_0000 {
            return None;
        }
        let mut problems = Vec::new();
        let buffer = bootshot_reader::decode::Buffer::new(
            &item.data,
            item.buffer_address,
            bootshot_reader::layout::PointerWidth::Bits64,
        );
        let object = bootshot_reader::decode::object(&buffer, &mut problems)?;
        assert_eq!(problems, []);
        Some(Object {
            basic_status: object.basic_status,
            security_status: object.security_status,
            counts: object.basic.and_then(|basic| {
                let handles = basic.get(Basic::HandleCount)?;
                Some((handles, basic.get(Basic::PointerCount)?))
            }),
            security_descriptor: object.security.to_vec(),
        })
    }

    fn text(name: &[u8]) -> String {
        let (units, _) = name.as_chunks::<2>();
        let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
        String::from_utf16_lossy(&units)
    }
}

/// Snapshots made in memory by the real writer; every field has a value that no other field of its structure has.
mod written {
    use bootshot_format::{
        Encoding, Family, FinishedBy, Header, ItemHeader, Outcome, PACKED_BATCHES, Phase,
        PhaseSource, Presence, SectionBegin, SectionEnd, Sink, Source, Trailer, Writer,
    };
    use std::convert::Infallible;

    struct File(Vec<u8>);

    impl Sink for &mut File {
        type Error = Infallible;

        fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }
    }

    /// One section of each shape: chunks that need padding, a batch, a failure, and a family that was not captured.
    pub fn one_of_each() -> Vec<u8> {
        snapshot(&[
            Written {
                question: question(Source::SYSTEM_INFORMATION, Encoding::RAW),
                name: utf16("\\Registry\\Schlüssel"),
                value_name: vec![0x00, 0xD8, b'v', 0], // an unpaired surrogate
                payload: vec![b"thirteen byte".to_vec(), vec![0xA5; 40], vec![1]],
                outcome: Outcome::TRUNCATED,
            },
            Written {
                payload: vec![
                    item("k", "", b"12345"),
                    item("", "", b""),
                    item("key", "v", &[9; 16]),
                ],
                ..empty_batch(Outcome::COMPLETE)
            },
            Written {
                question: question(Source::BATCH, Encoding::PACKED_BATCH),
                payload: packed_items(),
                ..empty_batch(Outcome::COMPLETE)
            },
            Written {
                question: question(Source::REGISTRY_VALUE, Encoding::RAW),
                name: utf16("k"),
                ..empty_batch(Outcome::FAILED)
            },
            empty_batch(Outcome::SKIPPED_BY_BUDGET),
        ])
    }

    /// More sections than the index of the trailer holds.
    pub fn more_than_the_index_holds() -> Vec<u8> {
        let sections: Vec<_> = (0..70).map(|_| empty_batch(Outcome::COMPLETE)).collect();
        snapshot(&sections)
    }

    struct Written {
        question: SectionBegin,
        name: Vec<u8>,
        value_name: Vec<u8>,
        payload: Vec<Vec<u8>>,
        outcome: Outcome,
    }

    fn snapshot(sections: &[Written]) -> Vec<u8> {
        let mut file = File(Vec::new());
        let Ok(()) = write(&mut file, sections);
        file.0
    }

    fn write(file: &mut File, sections: &[Written]) -> Result<(), Infallible> {
        let mut writer = Writer::new(file, header())?;
        for section in sections {
            let begin = SectionBegin {
                name_length: section.name.len() as u16,
                value_name_length: section.value_name.len() as u16,
                ..section.question
            };
            writer.begin(&begin, &section.name, &section.value_name)?;
            for chunk in &section.payload {
                writer.data(chunk)?;
            }
            writer.end(SectionEnd {
                items: if begin.encoding.is_batch() {
                    section.payload.len() as u32
                } else {
                    0
                },
                ..end(section.outcome)
            })?;
        }
        writer.trailer(Trailer {
            system_time: -0x5101,
            interrupt_time: 0x5102,
            performance_counter: 0x5103,
            csrss_at_end: Presence::UNKNOWN,
            finished_by: FinishedBy::FINISHER,
            index_entries: 0,
        })
    }

    fn header() -> Header {
        Header {
            compatible_features: 0x8000_0000_0000_1001,
            required_features: PACKED_BATCHES,
            snapshot_id: *b"0123456789abcdef",
            machine: 0x014C,
            pointer_width: 4,
            phase: Phase::LIVE,
            phase_source: PhaseSource::ARGUMENT,
            csrss_at_start: Presence::UNKNOWN,
            page_size: 0x1002,
            nt_major: 0x1003,
            nt_minor: 0x1004,
            nt_build: 0x1005,
            boot_id: 0x1006,
            writer_version: 0x1007,
            process_id: 0x1_0000_1008,
            boot_time: -0x1009,
            sequence: 0x1_0000_100A,
            system_time: -0x100B,
            interrupt_time: 0x100C,
            performance_frequency: 0x100D,
            performance_counter: 0x100E,
            privileges_wanted: 0x100F,
            privileges_held: 0x1010,
            ..Header::decode(&[0; Header::SIZE])
        }
    }

    fn question(source: Source, encoding: Encoding) -> SectionBegin {
        SectionBegin {
            source,
            class: 0x2001,
            argument: 0x1_0000_2002,
            argument2: 0x1_0000_2003,
            system_time: -0x2004,
            interrupt_time: 0x2005,
            performance_counter: 0x2006,
            encoding,
            name_length: 0,
            value_name_length: 0,
            family: Family::REGISTRY,
        }
    }

    fn end(outcome: Outcome) -> SectionEnd {
        SectionEnd {
            status: 0xC000_0004,
            outcome,
            tries: 0x3001,
            performance_counter: 0x3002,
            returned_length: 0x1_0000_3003,
            buffer_address: 0x1_0000_3004,
            buffer_length: 0x1_0000_3005,
            ..SectionEnd::decode(&[0; SectionEnd::SIZE])
        }
    }

    fn empty_batch(outcome: Outcome) -> Written {
        Written {
            question: question(Source::BATCH, Encoding::BATCH),
            name: Vec::new(),
            value_name: Vec::new(),
            payload: Vec::new(),
            outcome,
        }
    }

    fn item(name: &str, value_name: &str, data: &[u8]) -> Vec<u8> {
        let header = item_header(name, value_name, data).measured();
        with_names(&header.encode(), name, value_name, data)
    }

    /// One for each set of words that a packed header may leave out.
    fn packed_items() -> Vec<Vec<u8>> {
        let (name, value_name, data) = ("key", "v", b"13 bytes long");
        (0..32u32)
            .map(|words| {
                let said = |word: u32| words >> word & 1 == 1;
                let number = |word, value| if said(word) { value } else { 0 };
                let (name, value_name) = if said(4) {
                    (name, value_name)
                } else {
                    ("", "")
                };
                let full = item_header(name, value_name, data);
                let header = ItemHeader {
                    argument: number(0, full.argument),
                    argument2: number(1, full.argument2),
                    buffer_address: number(2, full.buffer_address),
                    status: number(3, full.status.into()) as u32,
                    returned_length: match said(3) {
                        true => full.returned_length,
                        false => full.data_length,
                    },
                    tries: if said(4) { full.tries } else { 1 },
                    outcome: Outcome(number(4, full.outcome.0.into()) as u16),
                    ..full
                };
                let packed = header.pack();
                let words = words.count_ones() as usize;
                assert_eq!(packed.bytes().len(), 8 + 8 * words);
                with_names(packed.bytes(), name, value_name, data)
            })
            .collect()
    }

    fn item_header(name: &str, value_name: &str, data: &[u8]) -> ItemHeader {
        ItemHeader {
            length: 0,
            source: Source::REGISTRY_VALUE,
            class: 0x4001,
            status: 0xC000_0034,
            argument: 0x1_0000_4002,
            argument2: 0x1_0000_4003,
            buffer_address: 0x1_0000_4004,
            data_length: data.len() as u32,
            returned_length: 0x4005,
            name_length: utf16(name).len() as u16,
            value_name_length: utf16(value_name).len() as u16,
            tries: 0x4006,
            outcome: Outcome::FAILED,
        }
    }

    fn with_names(header: &[u8], name: &str, value_name: &str, data: &[u8]) -> Vec<u8> {
        let mut item = [header, &utf16(name), &utf16(value_name)].concat();
        item.resize(item.len().next_multiple_of(8), 0);
        item.extend_from_slice(data);
        item.resize(item.len().next_multiple_of(8), 0);
        item
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }
}

use second::Condition;

/// The golden snapshots with their paths; a folder without any is a mistake.
fn golden() -> Vec<(String, Vec<u8>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let entries = folder.read_dir().expect("the folder can be listed");
    let snapshots: Vec<_> = entries
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "bshot")
        })
        .map(|path| {
            (
                path.display().to_string(),
                std::fs::read(&path).expect("it can be read"),
            )
        })
        .collect();
    assert!(!snapshots.is_empty(), "no snapshot in {}", folder.display());
    snapshots
}

/// Both decoders read the same in a file without damage, and nothing in it contradicts the rest.
fn assert_whole_and_the_same(name: &str, file: &[u8]) {
    let second = second::decode(file).expect(name);
    assert_eq!(tools::decode(file).as_ref(), Ok(&second), "{name}");

    assert!(
        (second.sections.iter()).all(|section| section.condition == Condition::Whole),
        "{name}"
    );
    let trailer = second.trailer.as_ref().expect(name);
    assert_eq!(trailer.sections as usize, second.sections.len(), "{name}");
    let questions = second
        .records
        .iter()
        .filter(|record| &record.kind == b"SECT");
    let offsets: Vec<_> = questions
        .map(|record| record.offset as u64)
        .take(64)
        .collect();
    assert_eq!(trailer.index, offsets, "{name}");

    assert!(
        unnamed_bytes(file, &second.records)
            .iter()
            .all(|byte| *byte == 0),
        "{name}"
    );

    let batches = second.sections.iter().filter(|section| section.is_batch());
    let items: Vec<_> = batches.clone().map(second::Section::items).collect();
    assert_eq!(tools::items(file), items, "{name}");
    for item in items.iter().flatten() {
        let run = second::run(item.source, item.class, &item.data);
        assert_eq!(tools::run(item), run, "{name}");
        assert_eq!(tools::object(item), second::object(item), "{name}");
    }
    for (batch, items) in batches.zip(&items) {
        let told = batch.answer.as_ref().expect("it is whole").items;
        assert_eq!(
            told as usize,
            items.len(),
            "{name}, section {}",
            batch.ordinal
        );
    }
}

/// The bytes of header and records that the specification gives no meaning: they are zero, so that they can get one.
fn unnamed_bytes(file: &[u8], records: &[second::Record]) -> Vec<u8> {
    let mut unnamed = [&file[54..56], &file[152..248]].concat();
    for record in records {
        let end = record.offset + 48 + record.payload.len();
        unnamed.extend(&file[end..end.next_multiple_of(8)]);
        match &record.kind {
            b"SEND" => unnamed.extend(&record.payload[56..]),
            b"TRLR" => unnamed.extend(&record.payload[26..28]),
            _ => {}
        }
    }
    unnamed
}

#[test]
fn both_decoders_read_the_same_in_every_golden_snapshot() {
    for (name, file) in golden() {
        assert_whole_and_the_same(&name, &file);
    }
}

#[test]
fn both_decoders_read_the_same_in_written_snapshots() {
    assert_whole_and_the_same("one of each", &written::one_of_each());
    assert_whole_and_the_same("many sections", &written::more_than_the_index_holds());
}

#[test]
fn both_decoders_read_the_same_in_runs() {
    let entries = test_snapshots::example_registry();
    let runs = entries.iter().filter(|entry| {
        let run = second::run(entry.source.0, entry.class, &entry.bytes);
        matches!(entry.source.0, 18 | 19) && run.is_some()
    });
    assert!(runs.count() > 15, "runs to compare");
    let mut builder = test_snapshots::Builder::new(8);
    builder.batch(bootshot_format::Family::REGISTRY, &entries);
    assert_whole_and_the_same("a registry", &builder.finish());
}

#[test]
fn both_decoders_read_the_same_in_objects() {
    let file = test_snapshots::machine::machine_live().finish();
    let sections = second::decode(&file).expect("it is sound").sections;
    let objects: Vec<_> = sections
        .iter()
        .filter(|section| section.is_batch())
        .flat_map(second::Section::items)
        .filter_map(|item| second::object(&item))
        .collect();
    assert!(objects.len() > 15, "objects to compare");
    assert!(
        objects
            .iter()
            .any(|object| object.counts == Some((3, 98_300)))
    );
    assert_whole_and_the_same("objects", &file);
}

#[test]
fn both_decoders_keep_the_same_of_every_truncation() {
    let file = written::one_of_each();
    for length in 0..file.len() {
        let cut = &file[..length];
        let second = second::decode(cut);
        assert_eq!(second.is_ok(), length >= 256, "length {length}");
        assert_eq!(tools::decode(cut), second, "length {length}");
    }
}

/// What both decoders read in a damaged file with a sound header.
fn read_the_same(name: &str, file: &[u8]) -> second::Snapshot {
    let [second, tools] = [second::decode(file), tools::decode(file)].map(|decoded| {
        let mut snapshot = decoded.expect("the header is untouched");
        for section in &mut snapshot.sections {
            // How much of a damaged payload a reader shows is its own affair.
            if section.condition == Condition::Damaged {
                section.payload.clear();
            }
        }
        snapshot
    });
    assert_eq!(tools, second, "{name}");
    // Its items are not.
    let whole = second::decode(file).expect("the header is untouched");
    let batches = whole.sections.iter().filter(|section| section.is_batch());
    let items: Vec<_> = batches.map(second::Section::items).collect();
    assert_eq!(tools::items(file), items, "{name}");
    second
}

#[test]
fn both_decoders_keep_the_same_behind_a_changed_bit() {
    let file = written::one_of_each();
    let whole = second::decode(&file).expect("it is sound").records.len();
    // An odd step comes by every bit of a byte.
    for bit in (256 * 8..file.len() * 8).step_by(5) {
        let mut changed = file.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let name = format!("bit {bit}");
        let second = read_the_same(&name, &changed);
        assert_eq!(second.records.len(), whole - 1, "{name}");
    }
}

/// The records of a sound file as they stand in it, each with what it is.
fn pieces(file: &[u8]) -> Vec<(second::Record, Vec<u8>)> {
    let records = second::decode(file).expect("it is sound").records;
    let end =
        |record: &second::Record| record.offset + 48 + record.payload.len().next_multiple_of(8);
    let piece = |record: second::Record| {
        let bytes = file[record.offset..end(&record)].to_vec();
        (record, bytes)
    };
    records.into_iter().map(piece).collect()
}

/// A record with another payload, under checksums that hold.
fn with_payload(record: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut new = [&record[..48], payload].concat();
    new.resize(new.len().next_multiple_of(8), 0);
    new[4..8].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    let checksum = second::checksum(&new[48..]);
    new[32..40].copy_from_slice(&checksum.to_le_bytes());
    let checksum = second::checksum(&new[..40]);
    new[40..48].copy_from_slice(&checksum.to_le_bytes());
    new
}

/// What became of the section that a record was of.
fn condition(snapshot: &second::Snapshot, of: &second::Record) -> Option<Condition> {
    let mut sections = snapshot.sections.iter();
    let section = sections.find(|section| section.ordinal == of.section);
    section.map(|section| section.condition)
}

#[test]
fn both_decoders_judge_lost_missing_repeated_and_swapped_records_the_same() {
    let file = written::one_of_each();
    let pieces = pieces(&file);
    let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut records: Vec<_> = pieces.iter().map(|(_, bytes)| bytes.clone()).collect();
        change(&mut records);
        [&file[..256], &records.concat()].concat()
    };
    let trailer = pieces.len() - 1;
    for (place, (record, bytes)) in pieces.iter().enumerate() {
        let is_kind = |kind: &[u8; 4]| record.kind == *kind;
        let judged = |what: &str, change: &dyn Fn(&mut Vec<Vec<u8>>)| {
            let name = format!("record {place} {what}");
            let snapshot = read_the_same(&name, &with(change));
            (condition(&snapshot, record), snapshot, name)
        };
        let last_byte = |records: &mut Vec<Vec<u8>>| *records[place].last_mut().unwrap() ^= 1;

        let (lost, snapshot, name) = judged("is lost", &|records| {
            last_byte(records);
            records.extend(pieces.iter().map(|(_, bytes)| bytes.clone()));
        });
        if is_kind(b"TRLR") {
            assert_eq!(snapshot.trailer, None, "{name}");
            assert_eq!(snapshot.records.len(), trailer, "nothing behind it is read");
            continue;
        }
        assert!(snapshot.trailer.is_some(), "{name}");
        let expected = (!is_kind(b"SECT")).then_some(Condition::Damaged);
        assert_eq!(lost, expected, "{name}");
        let last_of_all = &|records: &mut Vec<Vec<u8>>| {
            last_byte(records);
            records.truncate(place + 1);
        };
        let (lost, _, name) = judged("is lost and the last", last_of_all);
        assert_eq!(lost, expected, "{name}");

        let (missing, _, name) = judged("is missing", &|records| drop(records.remove(place)));
        let expected = match &record.kind {
            b"SECT" => None,
            b"SEND" => Some(Condition::Torn),
            _ => Some(Condition::Damaged),
        };
        assert_eq!(missing, expected, "{name}");

        for (what, at) in [("stands twice", place), ("is repeated at the end", trailer)] {
            let (repeated, _, name) = judged(what, &|records| records.insert(at, bytes.clone()));
            assert_eq!(repeated, Some(Condition::Damaged), "{name}");
        }

        let next = &pieces[place + 1].0;
        let (swapped, _, name) = judged("is behind the next", &|records| {
            records.swap(place, place + 1);
        });
        if next.section == record.section && next.kind != *b"TRLR" {
            assert_eq!(swapped, Some(Condition::Damaged), "{name}");
        } else if next.kind != *b"TRLR" {
            assert_eq!(
                swapped,
                Some(Condition::Whole),
                "{name}: sections may come in any order"
            );
        }

        let longer = [&record.payload[..], &[0; 8]].concat();
        let (longer, _, name) = judged("is longer", &|records| {
            records[place] = with_payload(bytes, &longer);
        });
        let expected = match &record.kind {
            b"SECT" => None,
            b"SEND" => Some(Condition::Torn),
            _ => Some(Condition::Damaged),
        };
        assert_eq!(longer, expected, "{name}");
        for (field, at) in [("total length", 8), ("number of chunks", 16)] {
            if !is_kind(b"SEND") {
                continue;
            }
            let mut payload = record.payload.clone();
            payload[at] ^= 1;
            let (disagreeing, _, name) = judged(field, &|records| {
                records[place] = with_payload(bytes, &payload);
            });
            assert_eq!(disagreeing, Some(Condition::Damaged), "{name}");
        }
    }
}

#[test]
fn both_decoders_read_no_trailer_of_another_length_and_nothing_behind_it() {
    let file = written::one_of_each();
    let pieces = pieces(&file);
    let (trailer, bytes) = pieces.last().expect("it is sound");
    let longer = [&trailer.payload[..], &[0; 8]].concat();
    let before = &file[..trailer.offset];
    let changed = [before, &with_payload(bytes, &longer), &file[256..]].concat();
    let snapshot = read_the_same("a longer trailer", &changed);
    assert_eq!(snapshot.trailer, None);
    assert_eq!(snapshot.records.len(), pieces.len());
}

#[test]
fn both_decoders_stop_at_a_record_that_reaches_beyond_the_end() {
    // A record inside the payload of another, which a cut leaves in the file.
    let file = written::one_of_each();
    let pieces = pieces(&file);
    let chunk = pieces.iter().find(|(record, _)| &record.kind == b"DATA");
    let (record, bytes) = chunk.expect("it has one");
    let inner = &pieces[0].1;
    let outer = with_payload(bytes, &[inner, &[0; 8][..]].concat());
    let cut = [&file[..record.offset], &outer[..48 + inner.len()]].concat();
    let snapshot = read_the_same("a record inside another", &cut);
    assert_eq!(snapshot.records.len(), 1);
    assert_eq!(condition(&snapshot, record), Some(Condition::Torn));
}

#[test]
fn both_decoders_judge_every_header_the_same() {
    let file = written::one_of_each();
    for bit in 0..256 * 8 {
        let mut changed = file.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let damaged = second::decode(&changed);
        assert!(damaged.is_err(), "bit {bit}");
        assert_eq!(tools::decode(&changed), damaged, "bit {bit}");

        let checksum = second::checksum(&changed[..248]);
        changed[248..256].copy_from_slice(&checksum.to_le_bytes());
        assert_eq!(
            tools::decode(&changed),
            second::decode(&changed),
            "bit {bit}, sealed"
        );
    }
}
