//! Salvage: whatever happened to a file, what is whole in it comes out as a sound snapshot.

use bootshot_format::{
    Family, Header, Outcome, Record, RecordHeader, RecordKind, Records, SectionEnd, Source, padded,
    xxh64,
};
use bootshot_reader::salvage::{NotSalvaged, Salvaged, salvage};
use bootshot_reader::{Completeness, Condition, ReadError, Section, Snapshot};
use test_snapshots::{Builder, Entry};

/// Sections of one, two and no chunks, and a batch.
fn small(pointer_width: u8) -> Vec<u8> {
    let mut builder = Builder::new(pointer_width);
    let note = |text: &str| Entry::new(Source::NOTE, 1, 0, b"payload of an item").named(text);
    let system = |class, bytes: &[u8]| Entry::new(Source::SYSTEM_INFORMATION, class, 0x1000, bytes);
    builder
        .section(Family::SYSTEM, &system(1, &[7; 45]))
        .batch(Family::OWN, &[note("first"), note("second")])
        .section(Family::SYSTEM, &system(148, &[]).status(0xC000_0003))
        .section(Family::SYSTEM, &system(0, &[9; 64]));
    builder.finish()
}

fn both() -> [Vec<u8>; 2] {
    [small(4), small(8)]
}

/// What identifies a section and what it holds.
fn contents(snapshot: &Snapshot<'_>) -> Vec<String> {
    snapshot
        .sections
        .iter()
        .filter(|section| {
            section.condition == Condition::Intact && section.outcome() != Outcome::TORN
        })
        .map(|section| {
            format!(
                "{:?} {:?} {:?}",
                section.begin, section.end, section.payload
            )
        })
        .collect()
}

/// Whether everything that is torn is the beginning of what it was.
fn torn_are_beginnings(salvaged: &Snapshot<'_>, whole: &Snapshot<'_>) -> bool {
    let torn = salvaged
        .sections
        .iter()
        .filter(|section| section.outcome() == Outcome::TORN);
    let beginning = |section: &Section<'_>| {
        whole.sections.iter().any(|original| {
            original.begin == section.begin && original.payload.starts_with(&section.payload)
        })
    };
    torn.into_iter().all(beginning)
}

/// Parses what was salvaged and checks that it is sound, and that nothing is left to do.
fn sound<'s>(old: &[u8], salvaged: &'s Salvaged) -> Snapshot<'s> {
    let snapshot = Snapshot::parse(&salvaged.file).expect("a sound header");
    assert_eq!(snapshot.problems, []);
    assert_eq!(snapshot.completeness(), Completeness::Salvaged);
    assert_eq!(salvaged.file[..Header::SIZE], old[..Header::SIZE]);
    assert_eq!(snapshot.sections.len(), salvaged.kept.len());
    for ((section, kept), ordinal) in snapshot.sections.iter().zip(&salvaged.kept).zip(0..) {
        assert_eq!(section.condition, Condition::Intact);
        assert_eq!(
            (section.ordinal, section.payload.len() as u64),
            (ordinal, kept.bytes)
        );
        assert_eq!(section.outcome() == Outcome::TORN, kept.torn);
    }
    assert_eq!(salvage(&salvaged.file).unwrap_err(), NotSalvaged::Whole);
    snapshot
}

#[test]
fn of_a_file_cut_at_any_byte_exactly_the_whole_sections_before_the_cut_are_saved() {
    for file in both() {
        let whole = Snapshot::parse(&file).unwrap();
        let mut ends: Vec<usize> = whole
            .sections
            .iter()
            .map(|section| section.file_offset as usize)
            .skip(1)
            .collect();
        let trailer = Records::new(&file, whole.header.snapshot_id, Header::SIZE)
            .map(|record| record.unwrap())
            .find(|record| record.header.kind == RecordKind::TRAILER);
        ends.push(trailer.unwrap().offset as usize);
        let first_question = Header::SIZE + RecordHeader::SIZE + padded(56);
        for length in Header::SIZE..file.len() {
            let cut = &file[..length];
            if length < first_question {
                assert_eq!(
                    salvage(cut).unwrap_err(),
                    NotSalvaged::NothingLeft,
                    "{length}"
                );
                continue;
            }
            let salvaged = salvage(cut).expect("something is left");
            let snapshot = sound(cut, &salvaged);
            let expected = ends.iter().filter(|end| **end <= length).count();
            assert_eq!(
                contents(&snapshot),
                contents(&whole)[..expected],
                "{length}"
            );
            assert!(torn_are_beginnings(&snapshot, &whole), "{length}");
            assert!(salvaged.kept.len() <= expected + 1);
            assert_eq!(salvaged.lost_sections, 0, "nobody knows of more: {length}");
        }
    }
}

#[test]
fn a_flipped_bit_costs_at_most_the_section_it_is_in() {
    for file in both() {
        let whole = Snapshot::parse(&file).unwrap();
        let all = contents(&whole);
        for bit in Header::SIZE * 8..file.len() * 8 {
            let mut flipped = file.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let salvaged = salvage(&flipped).expect("most is left");
            let snapshot = sound(&flipped, &salvaged);
            let saved = contents(&snapshot);
            assert!(saved.len() + 1 >= all.len(), "bit {bit}");
            assert!(
                saved.iter().all(|section| all.contains(section)),
                "bit {bit}"
            );
            assert!(torn_are_beginnings(&snapshot, &whole), "bit {bit}");
            let torn = salvaged.kept.iter().filter(|kept| kept.torn).count() as u64;
            assert_eq!(
                saved.len() as u64 + torn + salvaged.lost_sections,
                all.len() as u64,
                "bit {bit}"
            );
        }
    }
}

#[test]
fn what_is_whole_or_is_no_snapshot_is_refused() {
    for file in both() {
        let error = |bytes: &[u8]| salvage(bytes).unwrap_err();
        assert_eq!(error(&file), NotSalvaged::Whole);
        assert_eq!(error(b""), NotSalvaged::Unreadable(ReadError::Empty));
        assert_eq!(
            error(&[b'M'; 4096]),
            NotSalvaged::Unreadable(ReadError::NotASnapshot)
        );
        let mut damaged = file.clone();
        damaged[100] ^= 1;
        assert_eq!(
            error(&damaged),
            NotSalvaged::Unreadable(ReadError::DamagedHeader)
        );
    }
}

#[test]
fn a_torn_section_keeps_what_stands_before_its_gap_and_what_is_known_of_the_answer() {
    let mut builder = Builder::new(8);
    let bytes: Vec<u8> = (0..=255).collect();
    builder.section(
        Family::HANDLES,
        &Entry::new(Source::SYSTEM_INFORMATION, 64, 0x1_0000, &bytes),
    );
    let mut file = builder.finish();
    // The builder writes two chunks: the second is hit.
    let place = file
        .windows(4)
        .position(|window| window == [200, 201, 202, 203])
        .unwrap();
    file[place] ^= 0x10;
    let salvaged = salvage(&file).unwrap();
    let snapshot = sound(&file, &salvaged);
    let end = snapshot.sections[0].end.unwrap();
    assert_eq!(snapshot.sections[0].payload[..], bytes[..128]);
    assert_eq!((end.outcome, end.buffer_address), (Outcome::TORN, 0x1_0000));
    assert_eq!((end.total_length, end.chunks), (128, 1));
    assert!(salvaged.kept[0].torn);
}

#[test]
fn a_batch_that_was_cut_off_counts_the_items_that_are_whole() {
    let mut builder = Builder::new(8);
    let note = |text: &str| Entry::new(Source::NOTE, 1, 0, &[]).named(text);
    builder.batch(Family::OWN, &[note("one"), note("two"), note("three")]);
    let mut file = builder.unfinished();
    // The end, and the chunk of the third item.
    // Its item is a header of two words and a padded name.
    let third = RecordHeader::SIZE + 16 + padded(10);
    file.truncate(file.len() - (RecordHeader::SIZE + 64) - third);
    let salvaged = salvage(&file).unwrap();
    let snapshot = sound(&file, &salvaged);
    assert_eq!(snapshot.sections[0].end.unwrap().items, 2);
    assert_eq!(snapshot.answers().count(), 2);
}

/// Appends a record.
fn push(file: &mut Vec<u8>, kind: RecordKind, section: u32, sequence: u32, payload: &[u8]) {
    let mut body = payload.to_vec();
    body.resize(padded(payload.len()), 0);
    let header = RecordHeader {
        kind,
        payload_length: payload.len() as u32,
        snapshot_id: *b"bootshot fixture",
        section,
        sequence,
        payload_checksum: xxh64(&body),
        checksum: 0,
    };
    file.extend(header.seal());
    file.extend(body);
}

#[test]
fn records_and_bytes_of_later_versions_stay_as_they_are() {
    let file = {
        let mut builder = Builder::new(8);
        let entry = Entry::new(Source(77), 1234, 0, &[5; 8]);
        builder.section(Family(99), &entry);
        builder.unfinished()
    };
    let records: Vec<_> = Records::new(&file, *b"bootshot fixture", Header::SIZE)
        .map(|record| record.unwrap())
        .collect();
    let [begin, chunk, end] = &records[..] else {
        panic!("a question, a chunk and an end");
    };
    let unknown = RecordKind(u32::from_le_bytes(*b"FUTR"));
    // Ordinal 0 is missing; bytes that are zero today are not in the header and in the end.
    let mut header = file[..Header::SIZE].to_vec();
    header[200] = 1;
    let checksum = xxh64(&header[..248]);
    header[248..].copy_from_slice(&checksum.to_le_bytes());
    let mut end_payload = end.payload.to_vec();
    end_payload[60] = 2;
    let mut cut = header.clone();
    push(&mut cut, RecordKind::SECTION_BEGIN, 1, 0, begin.payload);
    push(&mut cut, unknown, 1, 1, b"whatever it is");
    push(&mut cut, RecordKind::CHUNK, 1, 2, chunk.payload);
    push(&mut cut, RecordKind::SECTION_END, 1, 3, &end_payload);
    let salvaged = salvage(&cut).unwrap();
    sound(&cut, &salvaged);
    assert_eq!(salvaged.lost_sections, 1);
    let mut expected = header;
    push(
        &mut expected,
        RecordKind::SECTION_BEGIN,
        0,
        0,
        begin.payload,
    );
    push(&mut expected, unknown, 0, 1, b"whatever it is");
    push(&mut expected, RecordKind::CHUNK, 0, 2, chunk.payload);
    push(&mut expected, RecordKind::SECTION_END, 0, 3, &end_payload);
    assert_eq!(salvaged.file[..expected.len()], expected);
}

#[test]
fn what_the_old_trailer_told_stays() {
    let mut file = small(8);
    let place = file.windows(8).position(|window| window == [7; 8]).unwrap();
    file[place] = 8;
    let old = Snapshot::parse(&file).unwrap().trailer.unwrap();
    let salvaged = salvage(&file).unwrap();
    let new = sound(&file, &salvaged).trailer.unwrap();
    assert_eq!(new.performance_counter, old.performance_counter);
    assert_eq!(new.csrss_at_end, old.csrss_at_end);
}

#[test]
fn a_section_whose_end_tells_another_length_is_torn() {
    let file = small(8);
    let end = |record: &Record<'_>| record.section_end().filter(|end| end.total_length == 64);
    let changed = rewritten(&file, |record| {
        let end = end(record)?;
        Some(
            SectionEnd {
                total_length: 72,
                ..end
            }
            .encode()
            .to_vec(),
        )
    });
    let salvaged = salvage(&changed).unwrap();
    let snapshot = sound(&changed, &salvaged);
    let torn: Vec<_> = salvaged.kept.iter().map(|kept| kept.torn).collect();
    assert_eq!(torn, [false, false, false, true]);
    assert_eq!(snapshot.sections[3].payload[..], [9; 64]);
}

#[test]
fn an_index_that_names_other_places_is_made_anew() {
    let file = small(8);
    let changed = rewritten(&file, |record| {
        let (..) = record.trailer()?;
        let mut payload = record.payload.to_vec();
        payload[40] ^= 8;
        Some(payload)
    });
    let salvaged = salvage(&changed).unwrap();
    sound(&changed, &salvaged);
    assert_eq!((salvaged.kept.len(), salvaged.lost_sections), (4, 0));
}

/// The file with the payloads that `change` gives, under checksums that hold.
fn rewritten(file: &[u8], change: impl Fn(&Record<'_>) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut new = file[..Header::SIZE].to_vec();
    for record in Records::new(file, *b"bootshot fixture", Header::SIZE) {
        let record = record.unwrap();
        let payload = change(&record).unwrap_or_else(|| record.payload.to_vec());
        let header = record.header;
        push(
            &mut new,
            header.kind,
            header.section,
            header.sequence,
            &payload,
        );
    }
    new
}

#[test]
fn sections_that_are_known_to_have_been_there_are_counted_as_lost() {
    // A trailer that counts one more, as when a whole section was cut out.
    let file = small(8);
    let mut fewer = file[..Header::SIZE].to_vec();
    for record in Records::new(&file, *b"bootshot fixture", Header::SIZE) {
        let record = record.unwrap();
        let header = record.header;
        let section = header.section + u32::from(header.kind == RecordKind::TRAILER);
        push(
            &mut fewer,
            header.kind,
            section,
            header.sequence,
            record.payload,
        );
    }
    let salvaged = salvage(&fewer).unwrap();
    sound(&fewer, &salvaged);
    assert_eq!((salvaged.kept.len(), salvaged.lost_sections), (4, 1));

    // The question of the last section is hit, and nothing of it comes behind.
    let mut cut = file[..Header::SIZE].to_vec();
    for record in Records::new(&file, *b"bootshot fixture", Header::SIZE) {
        let record = record.unwrap();
        let header = record.header;
        if (header.section, header.sequence) == (1, 1) {
            break;
        }
        push(
            &mut cut,
            header.kind,
            header.section,
            header.sequence,
            record.payload,
        );
    }
    *cut.last_mut().unwrap() ^= 1;
    let salvaged = salvage(&cut).unwrap();
    sound(&cut, &salvaged);
    assert_eq!((salvaged.kept.len(), salvaged.lost_sections), (1, 1));
}
