//! What firmware left behind: variables, the platform binary and its table.

use crate::{capture, text};
use bootshot::nt::Status;
use bootshot::nt::simulated::{Fault, Machine, Reply};
use bootshot_format::{OpenKind, Outcome, Source};

const NAMES: u32 = 1;
const NAMES_AND_VALUES: u32 = 2;
const FIRMWARE_TABLE: u32 = 76;
/// Provider `ACPI`, table `WPBT`.
const WPBT: u64 = 0x5442_5057_4143_5049;

#[test]
fn variables_come_with_their_values_where_the_firmware_tells_them() {
    let mut machine = Machine::small();
    let variables: Vec<u8> = (0..300_000u32).map(|n| n as u8).collect();
    machine
        .firmware_variables
        .insert(NAMES_AND_VALUES, Reply::Bytes(variables.clone()));
    machine
        .firmware_variables
        .insert(NAMES, Reply::Bytes(vec![1; 64]));
    let (snapshot, run) = capture(machine);
    let section = snapshot
        .raw(Source::FIRMWARE_VARIABLES, NAMES_AND_VALUES)
        .unwrap();
    assert_eq!(section.end.outcome, Outcome::COMPLETE);
    assert!(section.payload == variables);
    assert!(snapshot.raw(Source::FIRMWARE_VARIABLES, NAMES).is_none());
    assert!(run.enabled_privileges.contains(&22));
}

#[test]
fn where_values_are_refused_the_names_are_asked() {
    const NOT_SUPPORTED: Status = Status::new(0xC000_00BB);
    let mut machine = Machine::small();
    machine
        .firmware_variables
        .insert(NAMES_AND_VALUES, Reply::Failure(NOT_SUPPORTED, 0));
    machine
        .firmware_variables
        .insert(NAMES, Reply::Bytes(vec![7; 64]));
    let (snapshot, _) = capture(machine);
    let end = |class| snapshot.raw(Source::FIRMWARE_VARIABLES, class).unwrap();
    assert_eq!(end(NAMES_AND_VALUES).end.status, NOT_SUPPORTED.number());
    assert_eq!(end(NAMES_AND_VALUES).end.outcome, Outcome::FAILED);
    assert_eq!(end(NAMES).payload, [7; 64]);
}

#[test]
fn firmware_without_variables_and_a_missing_privilege_are_recorded() {
    const PRIVILEGE_NOT_HELD: Status = Status::new(0xC000_0061);
    let mut refused = Machine::small();
    refused.privileges.remove(&22);
    for class in [NAMES, NAMES_AND_VALUES] {
        let reply = Reply::Bytes(vec![0; 64]);
        refused.firmware_variables.insert(class, reply);
    }
    for (machine, status) in [
        (Machine::small(), Status::NOT_IMPLEMENTED),
        (refused, PRIVILEGE_NOT_HELD),
    ] {
        let (snapshot, _) = capture(machine);
        for class in [NAMES, NAMES_AND_VALUES] {
            let section = snapshot.raw(Source::FIRMWARE_VARIABLES, class).unwrap();
            assert_eq!(section.end.status, status.number());
            assert_eq!(section.end.outcome, Outcome::FAILED);
        }
    }
}

#[test]
fn the_platform_binary_is_described_or_said_to_be_missing_or_refused() {
    const PATH: &str = r"\SystemRoot\System32\wpbbin.exe";
    let opens = |snapshot: &crate::Snapshot| {
        let items = snapshot.items_of(Source::OPEN, OpenKind::FILE.0);
        items
            .iter()
            .map(|item| (text(item.name), Status::new(item.header.status)))
            .collect::<Vec<_>>()
    };
    let (snapshot, _) = capture(Machine::small());
    let missing = (PATH.to_owned(), Status::OBJECT_NAME_NOT_FOUND);
    assert_eq!(opens(&snapshot), [missing]);
    assert!(snapshot.items_of(Source::FILE_INFORMATION, 5).is_empty());

    let mut there = Machine::small();
    there
        .files
        .put(r"Windows\System32\wpbbin.exe", b"MZ, and so on");
    let (snapshot, _) = capture(there.clone());
    assert_eq!(opens(&snapshot), []);
    let standard = &snapshot.items_of(Source::FILE_INFORMATION, 5)[0];
    assert_eq!(text(standard.name), PATH);
    // EndOfFile.
    assert_eq!(standard.data[8..16], 13u64.to_ne_bytes());
    let basic = &snapshot.items_of(Source::FILE_INFORMATION, 4)[0];
    assert_eq!(basic.data.len(), 40);

    let refused = there.on(
        |call| call.name == "NtCreateFile" && call.text == PATH,
        Fault::Fail(Status::ACCESS_DENIED),
    );
    let (snapshot, _) = capture(refused);
    assert_eq!(opens(&snapshot), [(PATH.to_owned(), Status::ACCESS_DENIED)]);
}

#[test]
fn the_table_of_the_platform_binary_is_asked_with_room_for_it() {
    let one = |machine: Machine| {
        let (snapshot, _) = capture(machine);
        let items = snapshot.items_of(Source::SYSTEM_INFORMATION, FIRMWARE_TABLE);
        assert_eq!(items.len(), 1);
        assert_eq!(items[0].header.argument, WPBT);
        let header = items[0].header;
        (
            header.outcome,
            header.status,
            header.tries,
            items[0].data.to_vec(),
        )
    };
    let (outcome, status, ..) = one(Machine::small());
    assert_eq!((outcome, status), (Outcome::FAILED, 0xC000_0225));
    for (length, tries) in [(52, 1), (400_000, 2)] {
        let table: Vec<u8> = (0..length).map(|n| n as u8).collect();
        let mut machine = Machine::small();
        machine
            .firmware_tables
            .insert((*b"ACPI", *b"WPBT"), table.clone());
        let (outcome, _, took, data) = one(machine);
        assert_eq!((outcome, took), (Outcome::COMPLETE, tries));
        assert_eq!(data[..8], [b'I', b'P', b'C', b'A', 1, 0, 0, 0]);
        assert_eq!(data[8..12], *b"WPBT");
        assert_eq!(data[12..16], (length as u32).to_ne_bytes());
        assert!(data[16..] == table);
    }
}
