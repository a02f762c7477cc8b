//! What the firmware brought: variables, the platform binary's table, and the file it becomes.

use bootshot_format::{Family, OpenKind, Source};
use bootshot_reader::Snapshot;
use serde_json::{Value, json};
use test_snapshots::{
    Builder, Data, Entry, GLOBAL, RegistryBatch, example_firmware, utf16, variables,
};

fn file_of(entries: &[Entry]) -> Vec<u8> {
    let mut builder = Builder::new(8);
    builder.batch(Family::FIRMWARE, entries);
    builder.finish()
}

fn parse(file: &[u8]) -> Snapshot<'_> {
    let snapshot = Snapshot::parse(file).expect("a sound header");
    assert_eq!(snapshot.problems, []);
    snapshot
}

fn boot_of(entries: &[Entry]) -> Value {
    let file = file_of(entries);
    let reading = parse(&file).boot();
    assert_eq!(reading.problems, []);
    serde_json::to_value(reading.value).expect("records serialize")
}

#[test]
fn variables_that_decide_the_boot_are_read() {
    let boot = boot_of(&example_firmware());
    assert_eq!(boot["uefi_variables_status"], Value::Null);
    assert_eq!(
        boot["uefi_variables"],
        json!({
            "count": 10, "secure_boot": true, "setup_mode": false, "boot_current": "Boot0003",
            "boot_order": ["Boot0003", "Boot001A"],
            "boot_entries": [
                {"name": "Boot0003", "description": "Windows Boot Manager", "active": true},
                {"name": "Boot001A", "description": "Network", "active": false},
            ],
            "databases": [
                {"name": "PK", "size": 0,
                 "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                {"name": "db", "size": 3,
                 "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
            ],
        })
    );
}

#[test]
fn every_variable_can_be_listed() {
    let file = file_of(&example_firmware());
    let all = serde_json::to_value(parse(&file).firmware_variables().value).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 10);
    assert_eq!(all[9]["vendor"], "{11111111-1111-1111-1111-111111111111}");
    assert_eq!(all[9]["value"], "abcd");
    assert_eq!(
        all[9]["attribute_names"],
        json!(["non_volatile", "bootservice_access", "runtime_access"])
    );
}

#[test]
fn where_values_are_refused_the_names_are_listed() {
    let mut names = Vec::new();
    for (next, name) in [(0x20_u32, "One"), (0, "Two")] {
        let start = names.len();
        names.extend(next.to_le_bytes());
        names.extend(GLOBAL);
        names.extend(utf16(&format!("{name}\0")));
        names.resize(start + 0x20, 0);
    }
    let denied = Entry::new(Source::FIRMWARE_VARIABLES, 2, 0, &[]).status(0xC000_0061);
    let entries = [
        denied,
        Entry::new(Source::FIRMWARE_VARIABLES, 1, 0x1000, &names),
    ];
    let file = file_of(&entries);
    let all = parse(&file).firmware_variables().value;
    let names: Vec<_> = all.iter().map(|variable| variable.name.as_str()).collect();
    assert_eq!(names, ["One", "Two"]);
    assert_eq!(all[0].size, None);
    let boot = boot_of(&entries);
    assert_eq!(boot["uefi_variables"], Value::Null);
    assert_eq!(
        boot["uefi_variables_status"],
        "0xC0000061 STATUS_PRIVILEGE_NOT_HELD"
    );
}

#[test]
fn variables_that_overlap_are_not_read() {
    let good = variables(&[("A", GLOBAL, b"12345678"), ("B", GLOBAL, b"1")]);
    for (offset, value) in [(0, 8_u32), (4, 0x10), (8, u32::MAX), (0, u32::MAX)] {
        let mut bytes = good.clone();
        bytes[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
        let file = file_of(&[Entry::new(Source::FIRMWARE_VARIABLES, 2, 0x1000, &bytes)]);
        let reading = parse(&file).firmware_variables();
        assert_eq!(reading.problems.len(), 1, "{offset:#x} {value:#x}");
        assert!(reading.value.len() < 2);
    }
}

#[test]
fn the_platform_binary_is_followed_from_table_to_file() {
    let mut registry = RegistryBatch::default();
    registry.values(
        "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager",
        &[("DisableWpbtExecution", Data::Number(1))],
    );
    let entries = [example_firmware(), registry.0].concat();
    let boot = boot_of(&entries);
    assert_eq!(
        boot["platform_binary"],
        json!({
            "table": {
                "oem_id": "VENDOR", "oem_table_id": "TABLE", "revision": 1, "size": 0x5000,
                "physical_address": "0x7f000000", "layout": "pe image", "type": "native program",
                "arguments": "/quiet",
            },
            "table_status": null,
            "handoff": null,
            "execution_disabled": true,
            "file": {
                "path": "\\SystemRoot\\System32\\wpbbin.exe", "exists": true, "size": 0x5000,
                "create_time": "2026-01-02T00:00:00.0000000Z", "last_write_time": null,
            },
            "file_status": null,
        })
    );
}

#[test]
fn a_platform_binary_that_is_not_there_says_so() {
    let missing = Entry::new(Source::OPEN, OpenKind::FILE.0, 0, &[])
        .named("\\SystemRoot\\System32\\wpbbin.exe")
        .status(0xC000_0034);
    let no_table = Entry::new(Source::SYSTEM_INFORMATION, 76, 0, &[]).status(0xC000_0225);
    let boot = boot_of(&[missing, no_table]);
    let binary = &boot["platform_binary"];
    assert_eq!(binary["file"]["exists"], false);
    assert_eq!(
        binary["file_status"],
        "0xC0000034 STATUS_OBJECT_NAME_NOT_FOUND"
    );
    assert_eq!(binary["table"], Value::Null);
    assert_eq!(binary["table_status"], "0xC0000225 STATUS_NOT_FOUND");

    let denied = Entry::new(Source::OPEN, OpenKind::FILE.0, 0, &[])
        .named("\\SystemRoot\\System32\\wpbbin.exe")
        .status(0xC000_0022);
    let boot = boot_of(&[denied]);
    assert_eq!(boot["platform_binary"]["file"], Value::Null, "nobody knows");
    assert_eq!(boot["platform_binary"]["table_status"], "not captured");
}

#[test]
fn a_table_that_is_none_is_a_problem() {
    let mut bytes = test_snapshots::platform_binary_table("");
    bytes[16] = b'X';
    let file = file_of(&[Entry::new(Source::SYSTEM_INFORMATION, 76, 0, &bytes)]);
    let reading = parse(&file).boot();
    assert!(reading.value.platform_binary.table.is_none());
    assert_eq!(reading.problems.len(), 1);
}
