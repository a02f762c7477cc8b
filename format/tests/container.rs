//! What the container promises: round trip, every truncation told, every changed bit found.

use bootshot_format::*;

fn header() -> Header {
    Header {
        snapshot_id: *b"0123456789abcdef",
        machine: 0x8664,
        pointer_width: 8,
        phase: Phase::BOOT_EXECUTE,
        sequence: 7,
        ..Header::decode(&[0; Header::SIZE])
    }
}

fn begin(source: Source, encoding: Encoding, name: &[u8], value_name: &[u8]) -> SectionBegin {
    SectionBegin {
        source,
        class: 64,
        argument: 1,
        argument2: 2,
        system_time: 3,
        interrupt_time: 4,
        performance_counter: 5,
        encoding,
        name_length: name.len() as u16,
        value_name_length: value_name.len() as u16,
        family: Family::HANDLES,
    }
}

fn end() -> SectionEnd {
    SectionEnd {
        returned_length: 13,
        buffer_address: 0x1000,
        tries: 2,
        ..SectionEnd::decode(&[0; SectionEnd::SIZE])
    }
}

struct Memory(Vec<u8>);

impl Sink for &mut Memory {
    type Error = core::convert::Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

fn item(name: &[u8], value_name: &[u8], data: &[u8]) -> Vec<u8> {
    let header = ItemHeader {
        source: Source::REGISTRY_VALUE,
        name_length: name.len() as u16,
        value_name_length: value_name.len() as u16,
        data_length: data.len() as u32,
        ..ItemHeader::decode(&[0; ItemHeader::SIZE])
    }
    .measured();
    let mut bytes = header.encode().to_vec();
    bytes.extend_from_slice(&[name, value_name].concat());
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend_from_slice(data);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

fn snapshot() -> Vec<u8> {
    let mut memory = Memory(Vec::new());
    let mut writer = Writer::new(&mut memory, header()).unwrap();
    let name = b"\\\0K\0e\0y\0";
    writer
        .begin(
            &begin(Source::SYSTEM_INFORMATION, Encoding::RAW, name, b"v\0"),
            name,
            b"v\0",
        )
        .unwrap();
    writer.data(b"a payload of 24 bytes or so").unwrap();
    writer.data(b"in two chunks").unwrap();
    writer.end(end()).unwrap();
    writer
        .begin(&begin(Source::BATCH, Encoding::BATCH, &[], &[]), &[], &[])
        .unwrap();
    writer
        .data(
            &[
                item(b"k\0", b"", b"12345"),
                item(b"", b"", b""),
                item(b"k\0", b"v\0", &[9; 16]),
            ]
            .concat(),
        )
        .unwrap();
    writer.end(end()).unwrap();
    writer
        .trailer(Trailer {
            system_time: 99,
            ..Trailer::decode(&[0; Trailer::SIZE])
        })
        .unwrap();
    let length = writer.length();
    assert_eq!(length, memory.0.len() as u64);
    memory.0
}

fn records(file: &[u8]) -> Vec<Result<Record<'_>, Damage>> {
    Records::new(file, header().snapshot_id, Header::SIZE).collect()
}

/// The whole file is sound: header, every record, every payload, the trailer last.
fn is_sound(file: &[u8]) -> bool {
    let Ok(header) = Header::open(file) else {
        return false;
    };
    let mut complete = false;
    for record in Records::new(file, header.snapshot_id, Header::SIZE) {
        let Ok(record) = record else { return false };
        if !record.payload_is_intact() {
            return false;
        }
        complete = record.trailer().is_some();
    }
    complete
}

#[test]
fn what_is_written_is_read_back() {
    let file = snapshot();
    assert!(is_sound(&file));
    assert_eq!(file.len() % 8, 0);
    assert_eq!(Header::open(&file).unwrap().sequence, 7);
    let records: Vec<_> = records(&file).into_iter().map(Result::unwrap).collect();
    assert_eq!(records.len(), 8);
    let (question, name, value_name) = records[0].section_begin().unwrap();
    assert_eq!(
        (question.class, question.argument, question.argument2),
        (64, 1, 2)
    );
    assert_eq!((name, value_name), (&b"\\\0K\0e\0y\0"[..], &b"v\0"[..]));
    assert_eq!(records[1].payload, b"a payload of 24 bytes or so");
    assert_eq!(records[2].payload, b"in two chunks");
    assert_eq!(records[2].header.sequence, 2);
    let totals = records[3].section_end().unwrap();
    assert_eq!(
        (
            totals.total_length,
            totals.chunks,
            totals.returned_length,
            totals.tries
        ),
        (40, 2, 13, 2)
    );
    let items: Vec<_> = Items::new(records[5].payload, Encoding::BATCH)
        .map(Result::unwrap)
        .collect();
    assert_eq!(items.len(), 3);
    assert_eq!((items[0].name, items[0].data), (&b"k\0"[..], &b"12345"[..]));
    assert_eq!(
        (items[2].value_name, items[2].data),
        (&b"v\0"[..], &[9u8; 16][..])
    );
    let (trailer, index) = records[7].trailer().unwrap();
    assert_eq!(trailer.system_time, 99);
    assert_eq!(records[7].header.section, 2);
    assert_eq!(
        index.collect::<Vec<_>>(),
        [records[0].offset, records[4].offset]
    );
}

#[test]
fn every_truncation_is_noticed_and_what_stands_before_it_is_read() {
    let file = snapshot();
    let whole = records(&file).len();
    for length in 0..file.len() {
        let cut = &file[..length];
        assert!(!is_sound(cut), "length {length}");
        if length >= Header::SIZE {
            let sound = records(cut).into_iter().filter(Result::is_ok).count();
            assert!(sound < whole);
            let expected = records(&file)
                .into_iter()
                .map(Result::unwrap)
                .filter(|record| {
                    record.offset + 48 + record.header.padded_length() <= length as u64
                })
                .count();
            assert_eq!(sound, expected, "length {length}");
        }
    }
}

#[test]
fn every_single_bit_change_is_found() {
    let file = snapshot();
    for bit in 0..file.len() * 8 {
        let mut changed = file.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!is_sound(&changed), "bit {bit}");
    }
}

#[test]
fn damage_costs_only_the_record_it_hits() {
    let file = snapshot();
    let clean: Vec<_> = records(&file).into_iter().map(Result::unwrap).collect();
    let mut changed = file.clone();
    let hit = clean[1].offset as usize;
    changed[hit..hit + 16].fill(0);
    let after = records(&changed);
    assert_eq!(after.iter().filter(|record| record.is_err()).count(), 1);
    assert_eq!(
        after[1].unwrap_err(),
        Damage {
            offset: hit as u64,
            length: clean[2].offset - hit as u64,
            kind: DamageKind::NotARecord
        }
    );
    assert_eq!(after[2].unwrap().offset, clean[2].offset);
}

#[test]
fn records_of_another_snapshot_are_never_taken_for_ours() {
    let mut file = snapshot();
    let mut memory = Memory(Vec::new());
    let mut other = Writer::new(
        &mut memory,
        Header {
            snapshot_id: [1; 16],
            ..header()
        },
    )
    .unwrap();
    other
        .begin(&begin(Source::BATCH, Encoding::BATCH, &[], &[]), &[], &[])
        .unwrap();
    let stale = &memory.0[Header::SIZE..];
    let length = file.len();
    file.extend_from_slice(stale);
    let last = records(&file).pop().unwrap();
    assert_eq!(
        last.unwrap_err(),
        Damage {
            offset: length as u64,
            length: stale.len() as u64,
            kind: DamageKind::AfterTrailer
        }
    );
}

#[test]
fn headers_that_cannot_be_read_say_why() {
    let file = snapshot();
    assert_eq!(Header::open(&[]), Err(HeaderError::TooShort));
    assert_eq!(Header::open(&file[..100]), Err(HeaderError::TooShort));
    assert_eq!(
        Header::open(b"MZ is no snapshot"),
        Err(HeaderError::NotASnapshot)
    );
    let mut newer = file.clone();
    newer[8] = 9;
    assert_eq!(Header::open(&newer), Err(HeaderError::NewerVersion(9)));
    let packed = Header {
        required_features: PACKED_BATCHES,
        ..header()
    };
    assert!(Header::open(&packed.seal()).is_ok());
    let features = Header {
        required_features: PACKED_BATCHES | 4,
        ..header()
    }
    .seal();
    assert_eq!(
        Header::open(&features),
        Err(HeaderError::UnknownFeatures(4))
    );
    let width = Header {
        pointer_width: 5,
        ..header()
    }
    .seal();
    assert_eq!(Header::open(&width), Err(HeaderError::Invalid));
}

#[test]
fn a_batch_item_whose_lengths_lie_ends_the_batch_at_its_offset() {
    let good = item(b"", b"", b"12345678");
    for at in [0, 40, 48, 50] {
        let mut bad = good.clone();
        bad[at] ^= 0x80;
        let payload = [good.clone(), bad].concat();
        let items: Vec<_> = Items::new(&payload, Encoding::BATCH).collect();
        assert_eq!(items.len(), 2);
        assert!(items[0].is_ok());
        assert_eq!(items[1].as_ref().unwrap_err(), &good.len());
    }
}

/// A packed item with these parts of its header, and its data.
fn packed_item(header: ItemHeader, name: &[u8], data: &[u8]) -> Vec<u8> {
    let header = ItemHeader {
        name_length: name.len() as u16,
        data_length: data.len() as u32,
        ..header
    };
    let mut bytes = [header.pack().bytes(), name].concat();
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend_from_slice(data);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// Answered at the first call, and all of it returned.
fn usual(source: Source, class: u32, length: u32) -> ItemHeader {
    ItemHeader {
        source,
        class,
        returned_length: length,
        tries: 1,
        ..ItemHeader::decode(&[0; ItemHeader::SIZE])
    }
}

#[test]
fn packed_items_say_what_plain_ones_do() {
    let some = ItemHeader {
        status: 0xC000_0022,
        argument: u64::MAX,
        argument2: 1 << 63,
        buffer_address: 8,
        returned_length: 7,
        value_name_length: 0,
        tries: 9,
        outcome: Outcome::TRUNCATED,
        ..usual(Source(0xFF), 0xFFFF, 0)
    };
    let headers = [
        some,
        usual(Source::OBJECT, 3, 13),
        ItemHeader { status: 0, ..some },
        ItemHeader { tries: 1, ..some },
    ];
    for (header, name) in headers
        .iter()
        .flat_map(|header| [(header, &b""[..]), (header, b"n\0")])
    {
        for length in [0, 1, 8, 13] {
            let data = vec![0xA5; length];
            let packed = packed_item(*header, name, &data);
            // Another follows, which is found.
            let payload = [
                packed.clone(),
                packed_item(usual(Source::NOTE, 1, 0), b"", b""),
            ]
            .concat();
            let items: Vec<_> = Items::new(&payload, Encoding::PACKED_BATCH)
                .map(Result::unwrap)
                .collect();
            assert_eq!(items.len(), 2);
            let expected = ItemHeader {
                length: packed.len() as u32,
                name_length: name.len() as u16,
                data_length: length as u32,
                ..*header
            };
            assert_eq!(
                (items[0].header, items[0].name, items[0].data),
                (expected, name, &data[..])
            );
            assert_eq!(payload[items[0].data_offset..][..length], data);
            assert_eq!(items[1].offset, packed.len());
            let told = Items::length_of(&payload[..4], Encoding::PACKED_BATCH);
            assert_eq!(told, Some(packed.len()));
        }
    }
}

#[test]
fn a_packed_header_leaves_out_what_is_usual() {
    let length = |header: ItemHeader| packed_item(header, b"", &[0; 24]).len() - 24;
    let plain = usual(Source::OBJECT, 3, 24);
    assert_eq!(length(plain), 8);
    assert_eq!(
        length(ItemHeader {
            argument: 4,
            ..plain
        }),
        16
    );
    assert_eq!(
        length(ItemHeader {
            argument: 4,
            argument2: 5,
            ..plain
        }),
        24
    );
    assert_eq!(
        length(ItemHeader {
            returned_length: 25,
            ..plain
        }),
        16
    );
    assert_eq!(length(ItemHeader { tries: 2, ..plain }), 16);
    assert!(plain.fits_packed());
    assert!(
        !ItemHeader {
            class: 0x1_0000,
            ..plain
        }
        .fits_packed()
    );
    assert!(
        !ItemHeader {
            source: Source(0x100),
            ..plain
        }
        .fits_packed()
    );
}

#[test]
fn a_packed_item_whose_lengths_lie_ends_the_batch_at_its_offset() {
    let header = ItemHeader {
        argument: 1,
        tries: 2,
        ..usual(Source::OBJECT, 1, 8)
    };
    let good = packed_item(header, b"n\0", b"12345678");
    // The length, a word that does not exist, the words that are there, the length of the name.
    for (at, bit) in [(0, 0x80), (3, 0x80), (7, 0x20), (7, 0x80), (17, 0x80)] {
        let mut bad = good.clone();
        bad[at] ^= bit;
        let payload = [good.clone(), bad].concat();
        let items: Vec<_> = Items::new(&payload, Encoding::PACKED_BATCH).collect();
        assert_eq!(items.len(), 2, "byte {at}");
        assert!(items[0].is_ok());
        assert_eq!(items[1].as_ref().unwrap_err(), &good.len());
    }
    for hostile in [
        &[0xFF; 64][..],
        &[0; 64],
        &[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0],
    ] {
        let mut items = Items::new(hostile, Encoding::PACKED_BATCH);
        assert_eq!(items.next().map(|item| item.err()), Some(Some(0)));
        assert!(items.next().is_none());
        let step = Items::length_of(hostile, Encoding::PACKED_BATCH);
        assert!(step.is_some_and(|step| step >= 8));
    }
}
