//! Damaged, cut and foreign files: what is sound is read, what is not is named.

use bootshot_format::{Family, Header, Source};
use bootshot_reader::{Completeness, Condition, ReadError, Snapshot};
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
