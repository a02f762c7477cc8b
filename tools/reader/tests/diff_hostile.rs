//! Comparing files that are damaged, or made by somebody who wants to harm: it ends, never panics, and takes no more memory
//! than a small multiple of the files.
//!
//! The fuzz target `diff` does the same without end, guided by coverage; this is the part of it that always runs.

use bootshot_format::Family;
use bootshot_reader::Snapshot;
use test_snapshots::costly;
use test_snapshots::machine::machine_live;
use test_snapshots::objects::{self, ListedHandle, ListedProcess};
use test_snapshots::{Builder, Data, RegistryBatch, example_firmware, example_registry};

#[path = "../../../fuzz/src/comparison.rs"]
mod comparison;
#[path = "../../../fuzz/src/limits.rs"]
mod limits;
#[path = "../../../fuzz/src/meter.rs"]
mod meter;
#[path = "../../../fuzz/src/mutate.rs"]
mod mutate;
#[path = "../../../fuzz/src/snapshots.rs"]
#[expect(dead_code, reason = "the tests of reading need more of it")]
mod snapshots;

use comparison::compare;
use mutate::{Parts, Random};

#[global_allocator]
static METER: meter::Meter = meter::Meter;

const MUTATED: usize = 40;
const FLIPPED: usize = 60;

fn known() -> Vec<u8> {
    let mut full = machine_live();
    full.batch(Family::REGISTRY, &example_registry())
        .batch(Family::FIRMWARE, &example_firmware());
    full.finish()
}

#[test]
fn mutated_snapshots_with_valid_checksums_are_compared_within_limits() {
    let known = known();
    let files = snapshots::snapshots();
    let mut compared = 0;
    for case in 0..MUTATED {
        let mut random = Random::new(case as u64);
        let (_, file) = &files[case % files.len()];
        let mut parts = Parts::of(file).expect("it is one of ours");
        for _ in 0..=random.below(8) {
            parts.mutate(&mut random);
        }
        let mutated = parts.seal();
        compared += usize::from(compare(file, &mutated).is_some());
        compared += usize::from(compare(&mutated, &known).is_some());
    }
    assert_eq!(compared, 2 * MUTATED, "every header was sealed again");
}

#[test]
fn damaged_bytes_take_nothing_away_that_stands() {
    let known = known();
    let mut random = Random::new(7);
    let mut read = 0;
    for _ in 0..FLIPPED {
        let mut damaged = known.clone();
        for _ in 0..=random.below(3) {
            let place = random.below(damaged.len());
            damaged[place] ^= 1 << random.below(8);
        }
        let Some(differences) = compare(&known, &damaged) else {
            continue;
        };
        // What cannot be relied on is not comparable: damage makes no difference of its own.
        assert_eq!(differences, 0);
        read += 1;
    }
    assert!(read > FLIPPED / 2, "{read}");
}

#[test]
fn a_file_cut_anywhere_lacks_nothing_that_it_cannot_know() {
    let known = known();
    let header = bootshot_format::Header::SIZE;
    let step = (known.len() - header) / 40;
    for length in (header..known.len()).step_by(step) {
        assert_eq!(compare(&known, &known[..length]), Some(0), "{length} bytes");
    }
}

#[track_caller]
fn ask(file: &[u8]) {
    assert!(compare(file, &known()).is_some());
    assert_eq!(compare(file, file), Some(0));
}

#[test]
fn long_names_that_many_entries_share_cost_little() {
    // Objects of one directory.
    ask(&costly::many_entries_with_a_long_path());
    let long = "x".repeat(30_000);
    // Handles of one process.
    let handles: Vec<_> = (0..5_000)
        .map(|number| ListedHandle {
            pid: 4,
            handle: number,
            object: number,
            type_index: number as u16,
        })
        .collect();
    let mut builder = Builder::new(8);
    builder
        .section(
            Family::PROCESSES,
            &objects::process_list(&[ListedProcess {
                pid: 4,
                create_time: 1,
                image: &long,
                tids: &[],
            }]),
        )
        .section(Family::HANDLES, &objects::handle_list(&handles));
    ask(&builder.finish());
    // Keys below one, and values of one.
    let key =
        format!("\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager\\{long}");
    let names: Vec<String> = (0..2_000).map(|number| number.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let values: Vec<_> = names.iter().map(|name| (*name, Data::Number(1))).collect();
    let mut batch = RegistryBatch::default();
    batch.subkeys(&key, &names).values(&key, &values);
    let mut builder = Builder::new(8);
    builder.batch(Family::REGISTRY, &batch.0);
    let file = builder.finish();
    assert_eq!(Snapshot::parse(&file).unwrap().problems, []);
    ask(&file);
}
