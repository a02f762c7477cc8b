//! Damage to the file.

use bootshot_format::{
    Header, PACKED_BATCHES, RecordHeader, RecordKind, Records, SectionEnd, Trailer, padded, xxh64,
};
use bootshot_reader::verify::verify;

use crate::system::System;

fn damage(file: &[u8]) -> Vec<&'static str> {
    let verification = verify(file).expect("a sound header");
    verification
        .damage
        .iter()
        .map(|problem| problem.what)
        .collect()
}

/// The file with the payload of one kind of record rewritten, under checksums that hold.
fn rewritten(
    file: &[u8],
    kind: RecordKind,
    change: impl Fn(&mut RecordHeader, &mut Vec<u8>) -> bool,
) -> Vec<u8> {
    let header = Header::open(file).unwrap();
    let mut new = file[..Header::SIZE].to_vec();
    for record in Records::new(file, header.snapshot_id, Header::SIZE) {
        let record = record.expect("a sound file");
        let (mut header, mut payload) = (record.header, record.payload.to_vec());
        if header.kind == kind && !change(&mut header, &mut payload) {
            continue;
        }
        header.payload_length = payload.len() as u32;
        payload.resize(padded(payload.len()), 0);
        header.payload_checksum = xxh64(&payload);
        new.extend(header.seal());
        new.extend(payload);
    }
    new
}

#[test]
fn flipped_bits_are_damage() {
    for width in [4, 8] {
        let mut system = System::clean(width);
        system.more.clear();
        system.drivers.clear();
        let file = system.file();
        for place in (Header::SIZE..file.len()).step_by(11) {
            let mut flipped = file.clone();
            flipped[place] ^= 1 << (place % 8);
            assert_ne!(damage(&flipped), [""; 0], "byte {place}");
        }
    }
}

#[test]
fn packed_batches_that_the_header_does_not_announce_are_told() {
    let mut file = include_bytes!("../../golden/v1-packed-wine8-x64-live.bshot").to_vec();
    assert_eq!(damage(&file), [""; 0]);
    let mut header = Header::open(&file).unwrap();
    assert_eq!(header.required_features, PACKED_BATCHES);
    header.required_features = 0;
    file[..Header::SIZE].copy_from_slice(&header.seal());
    assert_eq!(damage(&file), ["encoding"]);
}

#[test]
fn a_file_without_its_end_is_not_sound() {
    let file = System::clean(8).file();
    let kind = RecordKind::TRAILER;
    assert_eq!(damage(&rewritten(&file, kind, |_, _| false)), ["trailer"]);
    let mut longer = file.clone();
    longer.extend([0; 8]);
    assert_eq!(damage(&longer), ["record"]);
    // Parts of a trailer, and the sections that it counts.
    let first_three = rewritten(&file, kind, |header, _| {
        header.section = 3;
        true
    });
    assert_eq!(damage(&first_three), ["number of sections in the trailer"]);
}

#[test]
fn the_index_must_name_the_sections() {
    let file = System::clean(8).file();
    let elsewhere = rewritten(&file, RecordKind::TRAILER, |_, payload| {
        payload[Trailer::SIZE + 8] ^= 8;
        true
    });
    assert_eq!(damage(&elsewhere), ["index in the trailer"]);
    let shorter = rewritten(&file, RecordKind::TRAILER, |_, payload| {
        payload.truncate(payload.len() - 8);
        payload[28] -= 1;
        true
    });
    assert_eq!(damage(&shorter), ["index in the trailer"]);
    let torn = rewritten(&file, RecordKind::TRAILER, |_, payload| {
        payload.truncate(payload.len() - 8);
        true
    });
    // It is no trailer then: the snapshot has none.
    assert_eq!(damage(&torn), ["trailer"]);
}

#[test]
fn a_section_must_end_and_hold_as_many_items_as_it_counts() {
    let file = System::clean(8).file();
    let miscounted = rewritten(&file, RecordKind::SECTION_END, |header, payload| {
        if header.section == 0 {
            let bytes = payload.first_chunk().expect("an end");
            let end = SectionEnd::decode(bytes);
            *payload = SectionEnd { items: 7, ..end }.encode().to_vec();
        }
        true
    });
    assert_eq!(damage(&miscounted), ["number of items"]);
    let endless = rewritten(&file, RecordKind::SECTION_END, |header, _| {
        header.section != 0
    });
    // The records behind it moved, and the index did not.
    assert_eq!(damage(&endless), ["section end", "index in the trailer"]);
}
