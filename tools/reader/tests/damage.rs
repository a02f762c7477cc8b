//! Damaged, cut and foreign files: what is sound is read, what is not is named.

use bootshot_format::{Family, Header, RecordHeader, Records, Source};
use bootshot_reader::{Answer, Completeness, Condition, ReadError, Snapshot};
use test_snapshots::{Builder, Entry};

fn small() -> Vec<u8> {
    let mut builder = Builder::new(8);
    let note = |text: &str| Entry::new(Source::NOTE, 1, 0, b"payload of an item").named(text);
    builder
        .section(
            Family::SYSTEM,
            &Entry::new(Source::SYSTEM_INFORMATION, 1, 0x1000, &[7; 40]),
        )
        .batch(Family::OWN, &[note("first"), note("second")])
        .section(
            Family::SYSTEM,
            &Entry::new(Source::SYSTEM_INFORMATION, 0, 0x1000, &[9; 64]),
        );
    builder.finish()
}

/// Everything people can ask, for its promise not to panic.
fn ask_everything(snapshot: &Snapshot<'_>) {
    let sizes = [
        snapshot.processes().value.len(),
        snapshot.threads().value.len(),
        snapshot.handles().value.len(),
        snapshot.types().value.len(),
        snapshot.modules().value.len(),
        snapshot.summary().value.sections.len(),
        snapshot.peb().value.fields.len(),
    ];
    serde_json::to_string(&(sizes, snapshot.memory().value, snapshot.boot().value))
        .expect("it serializes");
}

#[test]
fn what_is_no_snapshot_is_refused_with_the_reason() {
    let file = small();
    let error = |bytes: &[u8]| Snapshot::parse(bytes).unwrap_err();
    assert_eq!(error(b""), ReadError::Empty);
    assert_eq!(error(b"MZ"), ReadError::NotASnapshot);
    assert_eq!(error(&[b'M'; 4096]), ReadError::NotASnapshot);
    assert_eq!(error(&file[..5]), ReadError::CutShort { length: 5 });
    assert_eq!(error(&file[..255]), ReadError::CutShort { length: 255 });
    let mut damaged = file.clone();
    damaged[100] ^= 1;
    assert_eq!(error(&damaged), ReadError::DamagedHeader);
    let mut newer = file.clone();
    newer[8] = 9;
    assert_eq!(error(&newer), ReadError::NewerVersion(9));
    let mut header = Header::open(&file).unwrap();
    header.required_features |= 4;
    let sealed = header.seal();
    assert_eq!(error(&sealed), ReadError::UnknownFeatures(4));
}

#[test]
fn a_file_cut_at_any_byte_gives_the_sections_before_the_cut() {
    let file = small();
    let whole = Snapshot::parse(&file).unwrap();
    assert_eq!(whole.completeness(), Completeness::Complete);
    let ends: Vec<u64> = whole
        .sections
        .iter()
        .map(|section| section.file_offset)
        .skip(1)
        .collect();
    for length in Header::SIZE..file.len() {
        let snapshot = Snapshot::parse(&file[..length]).expect("the header is whole");
        assert_eq!(snapshot.completeness(), Completeness::Unfinished);
        let intact = snapshot
            .sections
            .iter()
            .filter(|section| section.condition == Condition::Intact)
            .count();
        let expected = ends.iter().filter(|end| **end <= length as u64).count();
        assert!(
            intact >= expected,
            "{length}: {intact} of {expected} sections"
        );
        ask_everything(&snapshot);
    }
}

#[test]
fn every_flipped_bit_is_found_and_costs_one_section_at_most() {
    let file = small();
    for bit in Header::SIZE * 8..file.len() * 8 {
        let mut flipped = file.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let snapshot = Snapshot::parse(&flipped).expect("the header is whole");
        let told = !snapshot.problems.is_empty()
            || snapshot
                .sections
                .iter()
                .any(|section| section.condition != Condition::Intact);
        assert!(told, "bit {bit} went unnoticed");
        let intact = snapshot
            .sections
            .iter()
            .filter(|section| section.condition == Condition::Intact)
            .count();
        assert!(intact >= 2, "bit {bit} cost more than one section");
    }
}

#[test]
fn a_damaged_section_is_not_interpreted_but_kept() {
    let file = small();
    let place = file.windows(8).position(|window| window == [7; 8]).unwrap();
    let mut flipped = file.clone();
    flipped[place] = 8;
    let snapshot = Snapshot::parse(&flipped).unwrap();
    assert_eq!(snapshot.sections[0].condition, Condition::Damaged);
    assert_eq!(snapshot.sections[0].payload.len(), 40);
    assert!(
        snapshot
            .answered(Source::SYSTEM_INFORMATION, 1)
            .next()
            .is_none()
    );
    assert!(
        snapshot
            .answered(Source::SYSTEM_INFORMATION, 0)
            .next()
            .is_some()
    );
    assert_eq!(snapshot.problems[0].what, "record payload");
}

/// Where the record of a section with this sequence starts.
fn record_at(file: &[u8], section: u32, sequence: u32) -> usize {
    let header = Header::open(file).expect("the file is sound");
    Records::new(file, header.snapshot_id, Header::SIZE)
        .flatten()
        .find(|record| record.header.section == section && record.header.sequence == sequence)
        .expect("the section has such a record")
        .offset as usize
}

#[test]
fn of_a_damaged_batch_only_the_items_that_end_before_the_damage_are_told() {
    let file = include_bytes!("../golden/v1-wine8-x64-live.bshot");
    let whole = Snapshot::parse(file).unwrap();
    let expected: Vec<_> = whole.answers_in(&whole.sections[13]).collect();
    for (sequence, intact_chunks) in [(1, 0), (3, 2), (4, 3)] {
        let mut flipped = file.to_vec();
        flipped[record_at(file, 13, sequence) + RecordHeader::SIZE + 1000] ^= 1;
        let snapshot = Snapshot::parse(&flipped).unwrap();
        let section = &snapshot.sections[13];
        assert_eq!(section.condition, Condition::Damaged);
        assert_eq!(section.payload.len(), whole.sections[13].payload.len());

        let told: Vec<_> = snapshot.answers_in(section).collect();
        let ends = [0, 65_512, 131_000, 196_536];
        let before = |answer: &&Answer<'_>| answer.offset < ends[intact_chunks];
        let sound: Vec<_> = expected.iter().filter(before).collect();
        assert_eq!(sound.is_empty(), intact_chunks == 0);
        assert_eq!(format!("{told:?}"), format!("{sound:?}"));

        let [summary, whole] = [&snapshot, &whole].map(|of| of.sections().swap_remove(13));
        assert_eq!(summary.items.len(), sound.len());
        assert_eq!(summary.answer.count, Some(sound.len() as u64));
        assert_eq!(summary.answer.bytes, whole.answer.bytes);
        let problems = snapshot.problems.iter().map(|problem| problem.what);
        assert_eq!(problems.collect::<Vec<_>>(), ["record payload"]);
    }
}

#[test]
fn of_a_batch_with_a_lost_chunk_the_items_before_it_are_told() {
    let golden = include_bytes!("../golden/v1-wine8-x64-live.bshot");
    let mut file = golden.to_vec();
    let (second, third) = (record_at(golden, 13, 2), record_at(golden, 13, 3));
    file.drain(second..third);
    let whole = Snapshot::parse(golden).unwrap();
    let snapshot = Snapshot::parse(&file).unwrap();
    let section = &snapshot.sections[13];
    assert_eq!(section.condition, Condition::Damaged);
    let told = snapshot.answers_in(section).count();
    let before = whole.answers_in(&whole.sections[13]);
    assert_eq!(told, before.filter(|answer| answer.offset < 65_512).count());
}

#[test]
fn entries_of_a_damaged_list_are_not_counted() {
    let golden = include_bytes!("../golden/v1-wine8-x64-live.bshot");
    let count = |file: &[u8]| {
        let snapshot = Snapshot::parse(file).unwrap();
        snapshot.sections()[1].answer.count
    };
    assert_eq!(count(golden), Some(10));
    let mut flipped = golden.to_vec();
    flipped[record_at(golden, 1, 1) + RecordHeader::SIZE] ^= 1;
    assert_eq!(count(&flipped), None);
}

#[test]
fn of_a_damaged_list_the_section_is_named_and_no_refusal_of_another_class() {
    let golden = include_bytes!("../golden/v1-wine8-x64-live.bshot");
    let mut flipped = golden.to_vec();
    flipped[record_at(golden, 1, 1) + RecordHeader::SIZE] ^= 1;
    let snapshot = Snapshot::parse(&flipped).unwrap();
    let processes = snapshot.processes();
    assert!(processes.value.is_empty());
    assert_eq!(
        processes.problems[0].to_string(),
        "section 1, offset 0x0: process list: expected an answer, found a damaged section"
    );
}

#[test]
fn what_was_not_captured_has_no_place_and_is_not_called_damaged() {
    let mut builder = Builder::new(8);
    let basic = Entry::new(Source::SYSTEM_INFORMATION, 0, 0, &[7; 64]);
    builder.section(Family::SYSTEM, &basic);
    let mut file = builder.finish();
    let payload = file.windows(8).position(|window| window == [7; 8]);
    file[payload.unwrap()] = 8;
    let snapshot = Snapshot::parse(&file).unwrap();
    assert_eq!(snapshot.sections[0].condition, Condition::Damaged);
    let told: Vec<_> = snapshot
        .processes()
        .problems
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        told,
        ["process list: expected an answer, found not captured"]
    );
}

#[test]
fn a_capture_that_was_cut_off_is_unfinished_and_readable() {
    let mut builder = Builder::new(4);
    builder.section(
        Family::SYSTEM,
        &Entry::new(Source::SYSTEM_INFORMATION, 1, 0, &[1; 12]),
    );
    let file = builder.unfinished();
    let snapshot = Snapshot::parse(&file).unwrap();
    assert_eq!(snapshot.completeness(), Completeness::Unfinished);
    assert_eq!(snapshot.problems, []);
    assert_eq!(snapshot.answers().count(), 1);
    assert_eq!(snapshot.summary().value.duration, None);
}

#[test]
fn damage_anywhere_in_a_recorded_boot_never_panics() {
    for file in [
        Builder::recorded_x64().finish(),
        Builder::recorded_x86().finish(),
    ] {
        let mut state = 88_172_645_463_325_252_u64;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as usize % below
        };
        for _ in 0..40 {
            let mut damaged = file.clone();
            for _ in 0..1 + random(20) {
                let place = Header::SIZE + random(file.len() - Header::SIZE);
                damaged[place] ^= 1 << random(8);
            }
            damaged.truncate(Header::SIZE + random(file.len() - Header::SIZE));
            ask_everything(&Snapshot::parse(&damaged).expect("the header is whole"));
        }
    }
}
