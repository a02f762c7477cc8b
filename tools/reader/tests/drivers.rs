//! Drivers: driver objects, kernel modules and service entries, joined by the I/O manager's rules.

use bootshot_format::{Family, ObjectKind, Source, entry_of, handle_of};
use bootshot_reader::Snapshot;
use bootshot_reader::records::DriverState;
use bootshot_reader::verify::verify;
use serde_json::Value;
use test_snapshots::{Builder, Data, Entry, RegistryBatch, utf16};

const ADDRESS: u64 = 0x30_0000;
const SERVICES: &str = "\\Registry\\Machine\\System\\CurrentControlSet\\Services";

/// `OBJECT_DIRECTORY_INFORMATION` of 64-bit systems, ended by an empty one, the strings behind it.
fn listing(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut strings = Vec::new();
    let start = ADDRESS + (entries.len() as u64 + 1) * 32;
    for text in entries.iter().flat_map(|(name, kind)| [name, kind]) {
        let characters = utf16(text);
        bytes.extend((characters.len() as u16).to_le_bytes().repeat(2));
        bytes.extend([0; 4]);
        bytes.extend((start + strings.len() as u64).to_le_bytes());
        strings.extend(characters);
    }
    bytes.resize(bytes.len() + 32, 0);
    bytes.extend(strings);
    bytes
}

fn directory(path: &str, handle: u64, entries: &[(&str, &str)]) -> Entry {
    Entry::new(Source::DIRECTORY_OBJECT, 0, ADDRESS, &listing(entries))
        .named(path)
        .about(0, handle)
}

/// The directory `name` of the root, opened as this handle.
fn opened(number: u32, handle: u64) -> Entry {
    Entry::new(Source::OBJECT, ObjectKind::DIRECTORY.0, 0, &[0; 16])
        .about(handle, entry_of(4, number))
}

/// Class 11 of 64-bit systems: the path at 0x28 of an entry of 0x128 bytes, entries from 8.
fn modules(files: &[&str]) -> Entry {
    let mut bytes = (files.len() as u64).to_le_bytes().to_vec();
    for file in files {
        let mut module = vec![0; 0x128];
        let path = format!("\\SystemRoot\\System32\\drivers\\{file}");
        let name = path.len() - file.len();
        module[0x26..0x28].copy_from_slice(&(name as u16).to_le_bytes());
        module[0x28..0x28 + path.len()].copy_from_slice(path.as_bytes());
        bytes.extend(module);
    }
    Entry::new(Source::SYSTEM_INFORMATION, 11, ADDRESS, &bytes)
}

/// A system with one driver of each kind. Newer snapshots name directories by their handles only.
fn system(by_handle: bool) -> Vec<u8> {
    let drivers: &[(&str, &str)] = &[
        ("ACPI", "Driver"),
        ("VendorSentinel", "Driver"),
        ("Unlisted", "Driver"),
        ("Ghost", "Driver"),
        ("PnpManager", "Driver"),
        ("Renamed", "Driver"),
    ];
    let file_systems: &[(&str, &str)] = &[("Ntfs", "Driver"), ("Filters", "Directory")];
    let devices: &[(&str, &str)] = &[
        ("acpi", "Device"),
        ("HarddiskVolume1", "Device"),
        ("Link", "SymbolicLink"),
    ];
    let mut builder = Builder::new(8);
    builder.section(
        Family::MODULES,
        &modules(&[
            "ntoskrnl.exe",
            "acpi.sys",
            "vsx64.sys",
            "unlisted.sys",
            "ntfs.sys",
            "late.sys",
            "renamed.sys",
        ]),
    );
    if by_handle {
        builder.batch(
            Family::NAMESPACE,
            &[
                directory(
                    "\\",
                    4,
                    &[
                        ("Driver", "Directory"),
                        ("FileSystem", "Directory"),
                        ("Device", "Directory"),
                    ],
                ),
                opened(0, 8),
                opened(1, 12),
                opened(2, 16),
                directory("", handle_of(0, 8), drivers),
                directory("", 12, file_systems),
                directory("", 16, devices),
            ],
        );
    } else {
        builder.batch(
            Family::TYPES,
            &[
                directory("\\Driver", 0, drivers),
                directory("\\FileSystem", 0, file_systems),
                directory("\\Device", 0, devices),
            ],
        );
    }
    let mut batch = RegistryBatch::default();
    let mut service = |name: &str, start: u32, image: Option<&str>, object: Option<&str>| {
        let mut values = vec![("Type", Data::Number(1)), ("Start", Data::Number(start))];
        values.extend(image.map(|image| ("ImagePath", Data::Expand(image))));
        values.extend(object.map(|object| ("ObjectName", Data::Text(object))));
        batch.values(&format!("{SERVICES}\\{name}"), &values);
    };
    service("ACPI", 0, Some("System32\\drivers\\ACPI.sys"), None);
    service(
        "VendorSentinel",
        1,
        Some("\\SystemRoot\\System32\\drivers\\vsx64.sys"),
        None,
    );
    service("Ghost", 1, None, None);
    service("Ntfs", 0, None, None);
    service("Late", 0, None, None);
    service("Absent", 1, Some("\\??\\C:\\absent.sys"), None);
    service("OnDemand", 3, None, None);
    service("r", 0, Some("renamed.sys"), Some("\\Driver\\Renamed"));
    builder.batch(Family::REGISTRY, &batch.0);
    builder.finish()
}

fn parse(file: &[u8]) -> Snapshot<'_> {
    let snapshot = Snapshot::parse(file).expect("a sound header");
    assert_eq!(snapshot.problems, []);
    snapshot
}

#[test]
fn driver_objects_modules_and_services_are_joined_however_directories_are_named() {
    for by_handle in [false, true] {
        let file = system(by_handle);
        let reading = parse(&file).drivers();
        assert_eq!(reading.problems, []);
        let states: Vec<_> = reading
            .value
            .drivers
            .iter()
            .map(|driver| (driver.name.as_str(), driver.state))
            .collect();
        assert_eq!(
            states,
            [
                ("ACPI", DriverState::Loaded),
                ("VendorSentinel", DriverState::Loaded),
                ("Unlisted", DriverState::NoService),
                ("Ghost", DriverState::NoModule),
                ("PnpManager", DriverState::OfTheKernel),
                ("Renamed", DriverState::Loaded),
                ("Ntfs", DriverState::Loaded),
                ("ntoskrnl.exe", DriverState::ModuleOnly),
                ("late.sys", DriverState::NoDriverObject),
                ("Absent", DriverState::NotLoaded),
            ],
            "Ghost stands there as a driver object, OnDemand starts later"
        );
        let drivers = serde_json::to_value(&reading.value).expect("records serialize");
        let of = |index: usize| drivers["drivers"][index].clone();
        assert_eq!(of(0)["device"], "\\Device\\acpi");
        assert_eq!(
            of(1)["module"],
            "\\SystemRoot\\System32\\drivers\\vsx64.sys"
        );
        assert_eq!(of(1)["start"], "system");
        assert_eq!(of(5)["service"], "r");
        assert_eq!(of(6)["driver_object"], "\\FileSystem\\Ntfs");
        assert_eq!(of(8)["service"], "Late");
        assert_eq!(of(9)["image_path"], "\\??\\C:\\absent.sys");
        assert_eq!(of(9)["module"], Value::Null);
        assert_eq!(drivers["device_count"], 2);
    }
}

#[test]
fn nothing_is_missed_in_lists_that_were_not_captured() {
    let mut builder = Builder::new(8);
    builder.batch(
        Family::TYPES,
        &[directory("\\Driver", 0, &[("ACPI", "Driver")])],
    );
    let file = builder.finish();
    let drivers = parse(&file).drivers().value;
    assert!(!drivers.known.modules && !drivers.known.services && drivers.known.driver_objects);
    assert_eq!(drivers.drivers[0].state, DriverState::Loaded);
    assert_eq!(drivers.device_count, None);
}

#[test]
fn a_directory_without_drivers_was_captured_all_the_same() {
    const NO_MORE_ENTRIES: u32 = 0x8000_001A;
    let mut builder = Builder::new(8);
    let empty = directory("\\Driver", 0, &[]).status(NO_MORE_ENTRIES);
    builder.batch(Family::TYPES, &[empty]);
    let file = builder.finish();
    assert!(parse(&file).drivers().value.known.driver_objects);
}

#[test]
fn a_driver_whose_service_names_its_file_is_no_finding() {
    for by_handle in [false, true] {
        let verification = verify(&system(by_handle)).expect("a sound header");
        let found: Vec<_> = verification
            .findings
            .iter()
            .filter(|finding| finding.id == "driver-without-module")
            .map(|finding| finding.observation.as_str())
            .collect();
        let [ghost] = &found[..] else {
            panic!("{found:?}");
        };
        assert!(
            ghost.contains("\\Driver\\Ghost") && ghost.contains("its service names no other file"),
            "{ghost}"
        );
        let note = verification
            .notes
            .iter()
            .find(|note| note.id == "driver-objects");
        let text = &note.expect("a note").text;
        assert!(
            text.contains("\\Driver\\VendorSentinel (vsx64.sys, as its service says)"),
            "{text}"
        );
    }
}
