//! The registry in snapshots: runs of keys and values, single values, flags, links and refusals, as one model.

use bootshot_format::{Family, Source, handle_of};
use bootshot_reader::Snapshot;
use bootshot_reader::records::ValueData;
use serde_json::{Value, json};
use test_snapshots::{
    Builder, Data, Entry, RegistryBatch, example_registry, header, key_basic, key_value_full, run,
};

fn file_of(width: u8, batch: &RegistryBatch) -> Vec<u8> {
    let mut builder = Builder::new(width);
    builder.batch(Family::REGISTRY, &batch.0);
    builder.finish()
}

fn example(width: u8) -> Vec<u8> {
    file_of(width, &RegistryBatch(example_registry()))
}

fn parse(file: &[u8]) -> Snapshot<'_> {
    let snapshot = Snapshot::parse(file).expect("a sound header");
    assert_eq!(snapshot.problems, []);
    snapshot
}

fn json_of(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("records serialize")
}

/// The values of `name` in an array of objects.
fn column(rows: &Value, name: &str) -> Vec<Value> {
    rows.as_array()
        .expect("an array")
        .iter()
        .map(|row| row[name].clone())
        .collect()
}

#[test]
fn runs_give_names_times_and_values_on_both_widths() {
    for width in [4, 8] {
        let file = example(width);
        let snapshot = parse(&file);
        let reading = snapshot.registry();
        assert_eq!(reading.problems, []);
        let registry = reading.value;
        let machine = registry.key("\\registry\\machine").expect("it was listed");
        let names: Vec<_> = machine
            .subkeys
            .iter()
            .flatten()
            .map(|key| key.name())
            .collect();
        assert_eq!(names, ["BCD00000000", "HARDWARE", "SYSTEM"]);
        assert_eq!(
            machine.last_write_time.map(|time| time.ticks()),
            Some(RegistryBatch::WRITTEN),
            "from the list of the key above"
        );
        let manager = registry
            .key("\\Registry\\Machine\\SYSTEM\\CurrentControlSet\\Control\\Session manager")
            .expect("case makes no difference");
        assert_eq!(manager.number("criticalsectiontimeout"), Some(2_592_000));
        let empty = manager
            .value("ExcludeFromKnownDlls")
            .expect("it has no data");
        assert_eq!((empty.value_type, empty.data), (7, &[][..]));
        assert_eq!(
            manager.number("DisableWpbtExecution"),
            Some(1),
            "what follows a value without data is read"
        );
    }
}

#[test]
fn a_run_in_pieces_is_one_list_and_nothing_stands_in_it_twice() {
    let mut batch = RegistryBatch::default();
    let path = "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager";
    let piece = |names: &[&str]| {
        run(names
            .iter()
            .map(|name| key_value_full(name, Data::Number(7))))
    };
    batch
        .value(path, "BootExecute", Data::Texts(&["autocheck autochk *"]))
        .run(
            Source::KEY_VALUES,
            1,
            path,
            &piece(&["bootexecute", "a"]),
            0x8000_0005,
        )
        .run(Source::KEY_VALUES, 1, path, &piece(&["b"]), 0x8000_001A)
        .run(Source::KEY_VALUES, 1, path, &piece(&["A"]), 0x8000_001A);
    let file = file_of(8, &batch);
    let snapshot = parse(&file);
    let manager = json_of(snapshot.session_manager().value);
    assert_eq!(
        column(&manager[0]["values"], "name"),
        ["BootExecute", "a", "b"]
    );
    assert_eq!(manager[0]["status"], Value::Null);
}

#[test]
fn lists_are_found_as_single_values_and_in_runs() {
    let path = "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager";
    let list = Data::Texts(&["autocheck autochk *", "bootshot"]);
    let mut single = RegistryBatch::default();
    single.value(path, "BootExecute", list);
    let mut in_run = RegistryBatch::default();
    in_run.values(path, &[("BootExecute", list)]);
    for batch in [single, in_run] {
        let file = file_of(4, &batch);
        let lists = parse(&file).boot().value.lists;
        assert_eq!(
            lists.boot_execute.as_deref(),
            Some(&["autocheck autochk *".to_owned(), "bootshot".to_owned()][..])
        );
        assert_eq!(lists.setup_execute, None);
    }
}

#[test]
fn a_value_of_the_same_name_in_another_key_is_not_taken() {
    let mut batch = RegistryBatch::default();
    batch.values(
        "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\x",
        &[
            ("BootExecute", Data::Texts(&["y"])),
            ("OptionValue", Data::Number(1)),
        ],
    );
    let file = file_of(8, &batch);
    let boot = parse(&file).boot().value;
    assert_eq!(boot.lists.boot_execute, None);
    assert_eq!(boot.safe_mode.option, None);
}

#[test]
fn values_are_typed() {
    let mut batch = RegistryBatch::default();
    let path = "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager";
    let typed: &[(&str, Data<'_>)] = &[
        ("sz", Data::Text("a")),
        ("expand", Data::Expand("%b%")),
        ("multi", Data::Texts(&["a", "b"])),
        ("dword", Data::Number(u32::MAX)),
        ("qword", Data::Long(1 << 40)),
        ("binary", Data::Bytes(&[0, 0xAB])),
        ("big", Data::Of(5, &[0, 0, 1, 2])),
        ("none", Data::Of(0, &[])),
        ("short", Data::Of(4, &[1])),
        ("unknown", Data::Of(99, &[1])),
        ("", Data::Text("the default")),
    ];
    batch.values(path, typed);
    let file = file_of(8, &batch);
    let manager = json_of(parse(&file).session_manager().value);
    let values = &manager[0]["values"];
    assert_eq!(
        column(values, "data"),
        [
            json!("a"),
            json!("%b%"),
            json!(["a", "b"]),
            json!(u32::MAX),
            json!(1_u64 << 40),
            json!("00ab"),
            json!(0x102),
            json!(""),
            json!("01"),
            json!("01"),
            json!("the default"),
        ]
    );
    assert_eq!(column(values, "type")[6], "REG_DWORD_BIG_ENDIAN");
    assert_eq!(column(values, "type")[9], "99");
    assert_eq!(values[4]["size"], 8);
}

#[test]
fn the_session_manager_comes_with_the_keys_below_it() {
    let file = example(8);
    let snapshot = parse(&file);
    let keys = snapshot.session_manager().value;
    assert_eq!(keys.len(), 2);
    assert!(keys[1].path.ends_with("\\KnownDLLs"));
    assert_eq!(
        keys[1].values[0].data,
        ValueData::Text("kernel32.dll".into())
    );
    let control = json_of(snapshot.control().value);
    let paths: Vec<String> = column(&control, "path")
        .iter()
        .map(|path| {
            path.as_str()
                .unwrap()
                .rsplit('\\')
                .next()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        paths,
        [
            "Control",
            "CI",
            "ServiceGroupOrder",
            "GroupOrderList",
            "Select"
        ]
    );
}

#[test]
fn hives_are_joined_with_roots_and_phase() {
    let file = example(8);
    let hives = json_of(parse(&file).hives().value);
    assert_eq!(
        column(&hives["roots"], "path"),
        [
            "\\Registry\\A",
            "\\Registry\\MACHINE",
            "\\Registry\\USER",
            "\\Registry\\WC"
        ]
    );
    assert_eq!(
        hives["roots"][0]["status"],
        "0xC0000022 STATUS_ACCESS_DENIED"
    );
    assert_eq!(hives["roots"][1]["subkey_count"], 3);
    assert_eq!(hives["roots"][1]["volatile"], true);
    let of = |path: &str| {
        let all = hives["hives"].as_array().unwrap();
        all.iter()
            .find(|hive| hive["path"] == path)
            .unwrap()
            .clone()
    };
    let system = of("\\REGISTRY\\MACHINE\\SYSTEM");
    assert_eq!(
        system["file"],
        "\\Device\\HarddiskVolume3\\Windows\\System32\\config\\SYSTEM"
    );
    assert_eq!(
        (&system["loaded"], &system["key_exists"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(of("\\REGISTRY\\MACHINE\\HARDWARE")["file"], Value::Null);
    assert_eq!(of("\\REGISTRY\\MACHINE\\SAM")["loaded"], false);
    assert_eq!(of("\\REGISTRY\\USER\\.DEFAULT")["key_exists"], false);
    let meaning = hives["meaning"].as_str().unwrap();
    assert!(meaning.starts_with("before the SOFTWARE"), "{meaning}");
    assert!(!meaning.contains("yet"), "{meaning}");
}

#[test]
fn a_hive_that_the_phase_does_not_expect_is_said() {
    let list = "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\hivelist";
    let mut batch = RegistryBatch::default();
    batch.values(
        list,
        &[("\\REGISTRY\\MACHINE\\SOFTWARE", Data::Text("\\x"))],
    );
    let file = file_of(8, &batch);
    let meaning = parse(&file).hives().value.meaning;
    assert!(meaning.ends_with("yet loaded: SOFTWARE"), "{meaning}");

    let mut late = Builder::with_header(bootshot_format::Header {
        phase: bootshot_format::Phase::SETUP_EXECUTE,
        ..header(8)
    });
    late.batch(Family::REGISTRY, &batch.0);
    let file = late.finish();
    let meaning = parse(&file).hives().value.meaning;
    assert!(
        meaning.ends_with("yet not loaded: SAM, SECURITY"),
        "{meaning}"
    );
}

#[test]
fn without_a_hive_list_nothing_is_said_of_what_was_not_seen() {
    let file = Builder::new(8).finish();
    let hives = parse(&file).hives().value;
    assert!(hives.roots.is_none());
    assert!(
        hives
            .hives
            .iter()
            .all(|hive| hive.loaded.is_none() && hive.listed.is_none())
    );
    assert!(!hives.meaning.contains("yet"), "{}", hives.meaning);
}

#[test]
fn links_have_their_targets_and_volatile_keys_are_told() {
    let file = example(4);
    let links = json_of(parse(&file).registry_links().value);
    assert_eq!(links["links"].as_array().unwrap().len(), 1);
    assert_eq!(
        links["links"][0]["target"],
        "\\Registry\\Machine\\System\\ControlSet001"
    );
    assert_eq!(links["links"][0]["volatile"], true);
    assert_eq!(
        links["volatile"],
        json!([
            "\\Registry\\MACHINE",
            "\\Registry\\MACHINE\\HARDWARE",
            "\\Registry\\USER"
        ])
    );
    assert_eq!(links["asked"], 5);
}

#[test]
fn services_stand_in_the_order_of_group_and_tag() {
    let file = example(8);
    let services = json_of(parse(&file).services().value);
    assert_eq!(
        column(&services, "name"),
        [
            "Ntfs",
            "WdFilter",
            "ACPI",
            "Beep",
            "Null",
            "VendorSentinel",
            "BFE"
        ],
        "known groups in order, other groups, none; tag 9 of Base before tag 3; then what starts later"
    );
    assert_eq!(
        column(&services, "load_order"),
        [
            json!(1),
            json!(2),
            json!(3),
            json!(1),
            json!(2),
            json!(3),
            Value::Null
        ]
    );
    let acpi = &services[2];
    assert_eq!(
        [&acpi["type"], &acpi["start"], &acpi["error_control"]],
        ["kernel driver", "boot", "critical"]
    );
    assert_eq!(services[6]["type"], "shared process");
    assert_eq!(services[0]["display_name"], "NTFS");
}

#[test]
fn minifilters_stand_in_the_order_of_their_altitudes() {
    let file = example(8);
    let minifilters = json_of(parse(&file).minifilters().value);
    assert_eq!(
        minifilters,
        json!([
            {"service": "WdFilter", "instance": "WdFilter Instance", "altitude": "328010",
             "group": "FSFilter Anti-Virus", "flags": "0x0", "default": true},
            {"service": "FileInfo", "instance": "FileInfo", "altitude": "40500",
             "group": "FSFilter Bottom", "flags": "0x0", "default": null},
        ])
    );
}

#[test]
fn autologgers_have_start_guid_file_and_level() {
    let file = example(8);
    let autologgers = json_of(parse(&file).autologgers().value);
    assert_eq!(
        column(&autologgers, "name"),
        ["EventLog-System", "WdiContextLog"]
    );
    assert_eq!(column(&autologgers, "start"), [true, false]);
    assert_eq!(
        autologgers[0]["guid"],
        "{245acf1f-7ceb-4d4b-a65e-70a4a1b8db3a}"
    );
    assert_eq!(autologgers[1]["file"], "%SystemRoot%\\System32\\wdi\\x.etl");
    assert_eq!(column(&autologgers, "level"), [Value::Null, json!(4)]);
}

#[test]
fn a_list_that_was_cut_off_says_why_and_proves_no_absence() {
    let mut batch = RegistryBatch::default();
    let part = run([key_basic(0, "MACHINE")]);
    batch.run(Source::SUBKEYS, 0, "\\Registry", &part, 0xC000_009A);
    let file = file_of(8, &batch);
    let snapshot = parse(&file);
    let registry = snapshot.registry().value;
    assert_eq!(registry.exists("\\Registry\\Machine"), Some(true));
    assert_eq!(registry.exists("\\Registry\\User"), None);
    assert_eq!(
        registry.key("\\Registry").unwrap().subkeys_cut,
        Some(0xC000_009A)
    );
}

#[test]
fn a_key_is_found_by_its_path_in_any_case_and_with_a_backslash_at_its_end() {
    let file = include_bytes!("../golden/v1-wine8-x64-live.bshot");
    let snapshot = parse(file);
    let registry = snapshot.registry().value;
    let path = r"\Registry\Machine\System\CurrentControlSet\Control\Session Manager";
    let asked_about = registry.key(path).expect("the capture asks for it");
    let root = registry.key(r"\Registry").expect("the capture lists it");
    let listed = root.subkeys.iter().flatten();
    let listed = listed.map(|key| format!(r"\Registry\{}", key.name()));
    for (path, key) in listed
        .map(|path| (path, None))
        .chain([(path.to_owned(), Some(asked_about))])
    {
        for path in [
            &path,
            &path.to_uppercase(),
            &format!(r"{path}\"),
            &format!(r"{path}\\"),
        ] {
            assert_eq!(registry.exists(path), Some(true), "{path}");
            if let Some(key) = key {
                assert_eq!(
                    registry.key(path).map(|key| &key.path),
                    Some(&key.path),
                    "{path}"
                );
                let children = registry.children(path).count();
                assert_eq!(children, registry.children(&key.path).count(), "{path}");
                assert_ne!(children, 0, "{path}");
            }
        }
    }
    assert_eq!(registry.exists(r"\Registry\None\"), Some(false));
    assert_eq!(registry.exists(r"HKLM\System"), None);
}

#[test]
fn a_list_that_nobody_went_on_with_is_cut_and_what_follows_a_break_mends_nothing() {
    let statuses = |runs: &[u32]| {
        let mut batch = RegistryBatch::default();
        for status in runs {
            let part = run([key_basic(0, "x")]);
            batch.run(Source::SUBKEYS, 0, "\\Registry", &part, *status);
        }
        let file = file_of(8, &batch);
        parse(&file)
            .registry()
            .value
            .key("\\Registry")
            .unwrap()
            .subkeys_cut
    };
    let (overflow, end, denied) = (0x8000_0005, 0x8000_001A, 0xC000_0022);
    assert_eq!(
        statuses(&[overflow, overflow, end]),
        None,
        "in three pieces"
    );
    assert_eq!(statuses(&[overflow]), Some(overflow), "a piece is missing");
    assert_eq!(
        statuses(&[denied, end]),
        Some(denied),
        "an answer is missing"
    );
}

#[test]
fn key_handles_stand_by_hive_and_unnamed_ones_have_a_reason() {
    let mut builder = Builder::new(8);
    // OBJECT_TYPES_INFORMATION with one type, and SYSTEM_HANDLE_INFORMATION_EX with handles of it.
    let mut types = 1_u64.to_le_bytes().to_vec();
    types.resize(8 + 0x68, 0);
    types[8..12].copy_from_slice(&[6, 0, 6, 0]);
    types[16..24].copy_from_slice(&(0x1000_u64 + 8 + 0x68).to_le_bytes());
    types[8 + 0x5A] = 7;
    types.extend(test_snapshots::utf16("Key"));
    let mut handles = vec![0; 16];
    handles[0] = 4;
    for (pid, value, object) in [
        (4_u64, 8_u64, 0xF0_u64),
        (4, 12, 0xF1),
        (8, 4, 0xF2),
        (8, 8, 0xF3),
    ] {
        let mut entry = object.to_le_bytes().to_vec();
        entry.extend(pid.to_le_bytes());
        entry.extend(value.to_le_bytes());
        entry.extend([0; 6]);
        entry.extend([7, 0]);
        entry.resize(40, 0);
        handles.extend(entry);
    }
    let name = |handle: u64, path: &str| {
        let characters = test_snapshots::utf16(path);
        let mut bytes = (characters.len() as u16).to_le_bytes().repeat(2);
        bytes.resize(8, 0);
        bytes.extend((0x2000_u64 + 16).to_le_bytes());
        bytes.extend(characters);
        Entry::new(Source::OBJECT_INFORMATION, 1, 0x2000, &bytes).about(handle, 0)
    };
    builder
        .section(
            Family::TYPES,
            &Entry::new(Source::OBJECT_INFORMATION, 3, 0x1000, &types),
        )
        .section(
            Family::HANDLES,
            &Entry::new(Source::SYSTEM_INFORMATION, 64, 0, &handles),
        )
        .section(
            Family::NAMES,
            &Entry::new(Source::SYSTEM_INFORMATION, 64, 0, &handles),
        )
        .batch(
            Family::NAMES,
            &[
                name(handle_of(4, 8), "\\REGISTRY\\MACHINE\\SYSTEM\\Select"),
                name(handle_of(4, 12), "\\REGISTRY\\MACHINE\\SYSTEM2\\x"),
                name(handle_of(8, 4), "\\REGISTRY\\A\\{1}\\y"),
            ],
        );
    let file = builder.finish();
    let keys = json_of(parse(&file).key_handles().value);
    assert_eq!(keys["handle_count"], 4);
    assert_eq!(
        column(&keys["hives"], "hive"),
        [
            "\\REGISTRY\\A\\{1}",
            "\\REGISTRY\\MACHINE\\SYSTEM",
            "\\REGISTRY\\MACHINE\\SYSTEM2"
        ]
    );
    assert_eq!(column(&keys["hives"], "reachable"), [false, true, true]);
    assert_eq!(keys["hives"][0]["keys"][0]["holders"][0]["pid"], 8);
    assert_eq!(keys["unnamed"][0]["handle_count"], 1);
    assert!(keys["unnamed"][0]["reason"].is_string());
}

#[test]
fn a_malformed_run_keeps_what_stands_before() {
    let mut batch = RegistryBatch::default();
    let mut bytes = run([key_basic(1, "whole"), key_basic(2, "cut")]);
    bytes.truncate(bytes.len() - 2);
    batch.run(Source::SUBKEYS, 0, "\\Registry", &bytes, 0x8000_001A);
    let mut overlapping = key_value_full("name", Data::Number(1));
    overlapping[8..12].copy_from_slice(&0_u32.to_le_bytes());
    let bytes = run([key_value_full("whole", Data::Number(1)), overlapping]);
    batch.run(Source::KEY_VALUES, 1, "\\Registry", &bytes, 0x8000_001A);
    let file = file_of(8, &batch);
    let snapshot = parse(&file);
    let reading = snapshot.registry();
    assert_eq!(reading.problems.len(), 2, "{:?}", reading.problems);
    let key = reading.value.key("\\Registry").unwrap();
    assert_eq!(key.subkeys.as_ref().unwrap().len(), 1);
    assert_eq!(key.values.as_ref().unwrap().len(), 1);
}
