//! Memory: pool tags, what each process takes, and what the capture itself cost.

use bootshot_format::{Family, Outcome, Source};
use bootshot_reader::Snapshot;
use test_snapshots::{Builder, Entry};

fn parse(file: &[u8]) -> Snapshot<'_> {
    let snapshot = Snapshot::parse(file).expect("a sound header");
    assert_eq!(snapshot.problems, []);
    snapshot
}

/// `SYSTEM_POOLTAG`: `Tag`, `PagedAllocs`, `PagedFrees`, `PagedUsed`, `NonPagedAllocs`, `NonPagedFrees`, `NonPagedUsed`,
/// behind a count, all as wide as a pointer but tag and counters.
fn pool_tags(width: usize, count: u32, tags: &[([u8; 4], [u64; 6])]) -> Vec<u8> {
    let mut bytes = count.to_le_bytes().to_vec();
    let align = |bytes: &mut Vec<u8>| bytes.resize(bytes.len().next_multiple_of(width), 0);
    align(&mut bytes);
    for (tag, numbers) in tags {
        bytes.extend(tag);
        for half in numbers.chunks(3) {
            bytes.extend((half[0] as u32).to_le_bytes());
            bytes.extend((half[1] as u32).to_le_bytes());
            align(&mut bytes);
            bytes.extend(&half[2].to_le_bytes()[..width]);
        }
        align(&mut bytes);
    }
    bytes
}

#[test]
fn pool_tags_come_large_users_first_on_both_widths() {
    for width in [4_u8, 8] {
        let bytes = pool_tags(
            width.into(),
            3,
            &[
                (*b"Small"[..4].first_chunk().unwrap(), [2, 1, 100, 0, 0, 0]),
                (*b"Ntf\xB7", [10, 4, 1000, 5, 5, 0]),
                ([1, b'A', 0xFF, b' '], [0, 0, 0, 2, 1, 4096]),
            ],
        );
        let mut builder = Builder::new(width);
        builder.section(
            Family::SYSTEM,
            &Entry::new(Source::SYSTEM_INFORMATION, 22, 0x1000, &bytes),
        );
        let file = builder.finish();
        let memory = parse(&file).memory();
        let tags: Vec<_> = memory
            .value
            .pool_tags
            .expect("it was answered")
            .into_iter()
            .map(|tag| (tag.tag, tag.size, tag.nonpaged, tag.allocations))
            .collect();
        assert_eq!(
            tags,
            [
                (".A. ".to_owned(), 4096, 4096, 1),
                ("Ntf7".to_owned(), 1000, 0, 6),
                ("Smal".to_owned(), 100, 0, 1),
            ]
        );
    }
}

#[test]
fn pool_tags_that_are_not_all_there_are_a_problem() {
    let bytes = pool_tags(8, 1000, &[(*b"Tag1", [1, 0, 1, 1, 0, 1])]);
    let mut builder = Builder::new(8);
    builder.section(
        Family::SYSTEM,
        &Entry::new(Source::SYSTEM_INFORMATION, 22, 0x1000, &bytes),
    );
    let file = builder.finish();
    let memory = parse(&file).memory();
    assert_eq!(memory.value.pool_tags.map(|tags| tags.len()), Some(1));
    let said = |what: &str| memory.problems.iter().any(|problem| problem.what == what);
    assert!(
        said("SYSTEM_POOLTAG_INFORMATION.Count"),
        "{:?}",
        memory.problems
    );
}

#[test]
fn processes_stand_by_their_private_commit() {
    let file = Builder::recorded_x64().finish();
    let memory = parse(&file).memory().value;
    let commits: Vec<_> = memory
        .processes
        .iter()
        .map(|process| process.private_commit)
        .collect();
    assert!(
        commits.is_sorted_by(|one, other| one >= other),
        "{commits:?}"
    );
    assert_eq!(memory.processes.len(), 4);
    assert!(
        memory
            .processes
            .iter()
            .all(|process| process.private_working_set.is_none()),
        "NT 5.2"
    );
    for process in parse(&file).processes().value {
        let memory = memory
            .processes
            .iter()
            .find(|memory| memory.pid == process.pid);
        let memory = memory.expect("the same processes");
        assert_eq!(memory.working_set, process.working_set);
        assert_eq!(memory.page_faults, process.page_faults);
    }
}

#[test]
fn shared_working_set_is_what_is_not_private() {
    // Class 57 of 64-bit systems: one process without threads.
    let mut bytes = vec![0; 0x100];
    bytes[8..16].copy_from_slice(&0x3000_u64.to_le_bytes());
    bytes[0x50] = 4;
    bytes[0x90..0x98].copy_from_slice(&0x5000_u64.to_le_bytes());
    bytes[0xB8..0xC0].copy_from_slice(&0x7000_u64.to_le_bytes());
    let mut builder = Builder::with_header(bootshot_format::Header {
        nt_major: 10,
        nt_build: 26100,
        ..test_snapshots::header(8)
    });
    builder.section(
        Family::PROCESSES,
        &Entry::new(Source::SYSTEM_INFORMATION, 57, 0x1000, &bytes),
    );
    let file = builder.finish();
    let [process] = &parse(&file).memory().value.processes[..] else {
        panic!("one process");
    };
    assert_eq!(process.private_commit, 0x7000);
    assert_eq!(process.private_working_set, Some(0x3000));
    assert_eq!(process.shared_working_set, Some(0x2000));
    assert_eq!(process.shared_commit, None, "class 148 only");
}

#[test]
fn the_summary_says_what_each_family_cost_and_which_were_skipped() {
    let mut builder = Builder::recorded_x64();
    builder
        .skipped(Family::IMAGES, Outcome::SKIPPED_BY_PHASE)
        .skipped(Family::NAMES, Outcome::SKIPPED_BY_BUDGET);
    let file = builder.finish();
    let snapshot = parse(&file);
    let summary = snapshot.summary().value;
    let cost = &summary.cost;
    assert_eq!(cost.boot_to_first_instruction, 100_000_000);
    let skipped: Vec<_> = cost
        .skipped
        .iter()
        .map(|family| (family.family, family.outcome))
        .collect();
    assert_eq!(
        skipped,
        [
            ("images", "skipped by phase"),
            ("names", "skipped by budget")
        ]
    );
    let bytes: u64 = cost.families.iter().map(|family| family.bytes).sum();
    assert_eq!(bytes, cost.bytes);
    let handles = cost
        .families
        .iter()
        .find(|family| family.family == "handles")
        .unwrap();
    // The builder gives each section 500 ticks of 100 ns.
    assert_eq!(handles.duration, Some(500 * handles.sections));
    let inside: u64 = cost
        .families
        .iter()
        .filter_map(|family| family.duration)
        .sum();
    assert_eq!(
        cost.between_sections.map(|between| between + inside),
        cost.duration
    );
}
