//! A seed makes one fleet and no other.

use std::collections::BTreeSet;

use bootshot_reader::Snapshot;
use fleet::{FEWEST_MACHINES, Fleet, Templates};

fn snapshots(seed: u64) -> Vec<Vec<u8>> {
    let templates = Templates::golden();
    let fleet = Fleet::new(seed, FEWEST_MACHINES);
    let files = fleet
        .machines()
        .iter()
        .flat_map(|machine| templates.snapshots(machine));
    files.map(|file| file.bytes).collect()
}

#[test]
fn the_same_seed_makes_the_same_fleet_and_another_seed_another() {
    let first = snapshots(1);
    assert!(first == snapshots(1));
    assert!(first != snapshots(2));
    assert_eq!(Fleet::new(1, 50).planted(), Fleet::new(1, 50).planted());
    assert_ne!(Fleet::new(1, 50).planted(), Fleet::new(2, 50).planted());
}

#[test]
fn no_two_snapshots_are_alike() {
    let snapshots = snapshots(1);
    let mut seen = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
    let mut handle_counts = BTreeSet::new();
    for file in &snapshots {
        let snapshot = Snapshot::parse(file).unwrap();
        let header = snapshot.header;
        seen[0].insert(header.snapshot_id.to_vec());
        seen[1].insert(header.system_time.to_le_bytes().to_vec());
        seen[2].insert(header.boot_time.to_le_bytes().to_vec());
        handle_counts.insert(snapshot.handles().value.len());
    }
    assert_eq!(seen[0].len(), snapshots.len());
    assert_eq!(seen[1].len(), snapshots.len());
    // One machine has two snapshots of its boot.
    assert_eq!(seen[2].len(), snapshots.len() - 1);
    assert!(
        handle_counts.len() > snapshots.len() / 2,
        "{handle_counts:?}"
    );
}
