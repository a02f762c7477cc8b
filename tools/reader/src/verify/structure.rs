//! The parts of the file that have to agree with each other, beside what reading it checks anyway.

use bootshot_format::{Encoding, Header, INDEX_CAPACITY, PACKED_BATCHES, RecordKind, Records};

use crate::error::Problem;
use crate::snapshot::{Condition, Section, Snapshot};

/// Sections without an end, ordinals, item counts, features, and what the trailer says of the sections.
pub(super) fn problems(file: &[u8], snapshot: &Snapshot<'_>) -> Vec<Problem> {
    let mut problems: Vec<Problem> = snapshot.sections.iter().filter_map(section).collect();
    let out_of_place = snapshot
        .sections
        .iter()
        .zip(0..)
        .find(|(section, place)| section.ordinal != *place);
    if let Some((section, place)) = out_of_place {
        problems.push(Problem::new(
            "section ordinal",
            section.file_offset as usize,
            place.to_string(),
            section.ordinal.to_string(),
        ));
    }
    problems.extend(packed_unannounced(snapshot));
    trailer(file, snapshot, &mut problems);
    problems
}

/// A reader that knows no packed batches would not refuse the file.
fn packed_unannounced(snapshot: &Snapshot<'_>) -> Option<Problem> {
    if snapshot.header.required_features & PACKED_BATCHES != 0 {
        return None;
    }
    let mut sections = snapshot.sections.iter();
    let packed = sections.find(|section| section.begin.encoding == Encoding::PACKED_BATCH)?;
    Some(Problem {
        section: Some(packed.ordinal),
        ..Problem::new(
            "encoding",
            0,
            "one that the header's required features announce",
            "a packed batch without bit 0 of them",
        )
    })
}

fn section(section: &Section<'_>) -> Option<Problem> {
    let problem = |what, expected: String, actual: String| {
        Some(Problem {
            section: Some(section.ordinal),
            ..Problem::new(what, section.payload.len(), expected, actual)
        })
    };
    match (section.condition, section.end) {
        (Condition::Torn, _) => problem(
            "section end",
            "a record that ends the section".to_owned(),
            "none".to_owned(),
        ),
        (Condition::Intact, Some(end)) => {
            let items = section.payload.item_count();
            if items == end.items as usize {
                return None;
            }
            problem("number of items", end.items.to_string(), items.to_string())
        }
        // Reading has said so.
        (Condition::Intact | Condition::Damaged, _) => None,
    }
}

fn trailer(file: &[u8], snapshot: &Snapshot<'_>, problems: &mut Vec<Problem>) {
    let record = Records::new(file, snapshot.header.snapshot_id, Header::SIZE)
        .flatten()
        .find(|record| record.header.kind == RecordKind::TRAILER);
    let Some(record) = record else {
        problems.push(Problem::new(
            "trailer",
            file.len(),
            "a trailer at the end",
            "none",
        ));
        return;
    };
    let offset = record.offset as usize;
    let Some((_, index)) = record.trailer() else {
        problems.push(Problem::new(
            "trailer",
            offset,
            "as many offsets as it counts",
            format!("{} bytes", record.payload.len()),
        ));
        return;
    };
    let (counted, found) = (record.header.section, snapshot.sections.len());
    if counted as usize != found {
        problems.push(Problem::new(
            "number of sections in the trailer",
            offset,
            found.to_string(),
            counted.to_string(),
        ));
    }
    let starts: Vec<u64> = snapshot
        .sections
        .iter()
        .take(INDEX_CAPACITY)
        .map(|section| section.file_offset)
        .collect();
    let index: Vec<u64> = index.collect();
    let different = starts.iter().zip(&index).position(|(a, b)| a != b);
    if index.len() != starts.len() {
        problems.push(Problem::new(
            "index in the trailer",
            offset,
            format!("{} offsets", starts.len()),
            index.len().to_string(),
        ));
    } else if let Some(entry) = different {
        problems.push(Problem::new(
            "index in the trailer",
            offset,
            format!("{:#x} for section {entry}", starts[entry]),
            format!("{:#x}", index[entry]),
        ));
    }
}
