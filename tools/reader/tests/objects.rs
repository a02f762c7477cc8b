//! Names of objects: ours by what we opened, everybody's by the address in the handle lists.

use bootshot_format::{Family, Header, ObjectKind, Source, handle_of};
use bootshot_reader::Snapshot;
use serde_json::Value;
use test_snapshots::machine::{self, pid};
use test_snapshots::objects::{
    BasicInformation, ListedHandle, directory, handle_list, opened, string, type_table,
};
use test_snapshots::{Builder, Entry, header};

fn json_of(file: &[u8]) -> (Value, Value) {
    let snapshot = Snapshot::parse(file).expect("it is one of ours");
    let handles = snapshot.handles();
    let objects = snapshot.objects();
    assert_eq!(handles.problems, []);
    assert_eq!(objects.problems, []);
    (
        serde_json::to_value(handles.value).unwrap(),
        serde_json::to_value(objects.value).unwrap(),
    )
}

/// Name, status and error of a handle.
fn naming(handles: &Value, pid: u64, handle: &str) -> (Value, String) {
    let found = handles
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["pid"] == pid && entry["handle"] == handle)
        .expect("it is in the list");
    let status = found["name_status"].as_str().unwrap().to_owned();
    (found["name"].clone(), status)
}

fn object(objects: &Value, address: u64, object_type: &str) -> Value {
    let address = format!("{address:#x}");
    let mut found = objects["objects"].as_array().unwrap().iter();
    found
        .find(|object| object["address"] == address && object["type"] == object_type)
        .unwrap_or_else(|| panic!("no {object_type} at {address}"))
        .clone()
}

#[test]
fn what_we_opened_names_everybodys_handles_to_it() {
    let (handles, _) = json_of(&machine::machine_at_boot().finish());
    for (pid, handle, name) in [
        (pid::SYSTEM, "0x10", "\\KernelObjects\\BcdSyncMutant"),
        (pid::SMSS, "0x20", "\\KernelObjects\\BcdSyncMutant"),
        (pid::SMSS, "0x24", "\\KernelObjects\\LowMemoryCondition"),
        (pid::SMSS, "0x34", "\\KernelObjects\\WorkJob"),
    ] {
        let named = (Value::from(name), "named".to_owned());
        assert_eq!(naming(&handles, pid, handle), named);
    }
}

#[test]
fn an_object_of_another_type_at_the_same_address_gets_no_name() {
    let (handles, objects) = json_of(&machine::machine_at_boot().finish());
    let (name, status) = naming(&handles, pid::HOLDER, "0x5c");
    assert_eq!(
        (name, status.as_str()),
        (Value::Null, "not_in_namespace"),
        "a Section where the mutant was"
    );
    let section = object(&objects, machine::address(machine::MUTANT), "Section");
    assert_eq!(section["handle_count"], Value::Null);
    assert_eq!(section["handle_entries"], 1);
}

#[test]
fn every_handle_without_a_name_says_why() {
    let (at_boot, _) = json_of(&machine::machine_at_boot().finish());
    let (live, _) = json_of(&machine::machine_live().finish());
    for (handle, status_at_boot, status_live) in [
        ("0x28", "not_in_namespace", "unnamed"),
        ("0x2c", "own_object_for_each_open", "timed_out"),
        ("0x38", "not_in_namespace", "refused"),
        ("0x3c", "address_hidden", "address_hidden"),
        ("0x58", "not_asked", "not_asked"),
    ] {
        let without = |status: &str| (Value::Null, status.to_owned());
        assert_eq!(
            naming(&at_boot, pid::SMSS, handle),
            without(status_at_boot),
            "{handle}"
        );
        assert_eq!(
            naming(&live, pid::SMSS, handle),
            without(status_live),
            "{handle}"
        );
    }
    let refused = live
        .as_array()
        .unwrap()
        .iter()
        .find(|handle| handle["name_status"] == "refused");
    assert_eq!(
        refused.unwrap()["name_error"],
        "0xC0000712 STATUS_PROCESS_IS_PROTECTED"
    );
}

#[test]
fn without_the_last_handle_list_nothing_is_named() {
    let (handles, objects) = json_of(&machine::machine_without_names().finish());
    let named = |value: &Value| value["name_status"] == "named";
    assert!(!handles.as_array().unwrap().iter().any(named));
    // The capture's own are known by what they were opened as, wherever they are.
    let named: Vec<_> = objects["objects"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|object| object["name"] == "\\KernelObjects\\BcdSyncMutant")
        .collect();
    assert_eq!(named.len(), 1);
    assert_eq!(named[0]["address"], Value::Null);
    assert_eq!(named[0]["holders"], Value::Null);
}

#[test]
fn the_name_that_one_holder_told_is_everybodys() {
    let listed = |pid, handle| ListedHandle {
        pid,
        handle,
        object: machine::NAMED_FILE,
        type_index: 2,
    };
    let refused = Entry::new(Source::OBJECT_INFORMATION, 1, 0, &[])
        .about(handle_of(4, 8), 0)
        .status(0xC000_0022);
    let told = string(Source::OBJECT_INFORMATION, 1, handle_of(6, 12), "\\x");
    let mut builder = Builder::new(8);
    builder
        .section(Family::TYPES, &type_table(&["File"]))
        .section(
            Family::HANDLES,
            &handle_list(&[listed(4, 8), listed(6, 12), listed(8, 16)]),
        )
        .batch(Family::NAMES, &[refused, told]);
    let file = builder.finish();
    let handles = Snapshot::parse(&file).unwrap().handles().value;
    let names: Vec<_> = handles
        .iter()
        .map(|handle| handle.naming.to_string())
        .collect();
    assert_eq!(names, ["\\x", "\\x", "\\x"]);
}

#[test]
fn an_object_stands_once_with_all_its_holders() {
    let (_, objects) = json_of(&machine::machine_at_boot().finish());
    let mutant = object(&objects, machine::address(machine::MUTANT), "Mutant");
    assert_eq!(mutant["handle_entries"], 2);
    assert_eq!(mutant["permanent"], true);
    assert_eq!(
        mutant["security_descriptor"],
        "O:S-1-5-18G:S-1-5-18D:(A;;0x1f0003;;;S-1-1-0)"
    );
    let holders: Vec<_> = mutant["holders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|holder| (holder["image"].as_str().unwrap(), holder["handle"].clone()))
        .collect();
    assert_eq!(
        holders,
        [("System", "0x10".into()), ("smss.exe", "0x20".into())]
    );
}

#[test]
fn what_a_duplicate_told_counts_without_the_duplicate() {
    let (_, objects) = json_of(&machine::machine_live().finish());
    let event = object(&objects, machine::UNNAMED_EVENT, "Event");
    assert_eq!(event["handle_count"], 1);
    assert_eq!(event["pointer_count"], 65_530);
    assert_eq!(event["pointer_count_inflated"], true);
    assert_eq!(event["security_descriptor"], Value::Null);
}

#[test]
fn hidden_addresses_are_counted_and_never_one_object() {
    let (_, objects) = json_of(&machine::machine_at_boot().finish());
    assert_eq!(objects["hidden_handle_entries"], 1);
    let all = objects["objects"].as_array().unwrap();
    assert!(all.iter().all(|object| object["address"] != "0x0"));
}

#[test]
fn what_nobody_else_holds_is_an_object_too() {
    let (_, objects) = json_of(&machine::machine_at_boot().finish());
    let nobody = objects["objects"]
        .as_array()
        .unwrap()
        .iter()
        .find(|object| object["name"] == "\\KernelObjects\\SystemErrorPortReady")
        .expect("the capture opened it");
    assert_eq!(nobody["handle_entries"], 0);
    assert_eq!(nobody["holders"], serde_json::json!([]));
    assert_eq!(nobody["handle_count"], 0, "without our own");
}

/// A mutant with these counts, opened `times` times, on a system of this version.
fn counted(version: (u32, u32), handles: u32, pointers: u32, times: u64) -> Value {
    let (root, mutant) = (0x10, 0x20);
    let basic = BasicInformation {
        handles,
        pointers,
        ..BasicInformation::default()
    };
    let mut handles = Vec::new();
    let mut items = vec![
        opened(ObjectKind::DIRECTORY, root, None, basic),
        directory(root, 0, &[("m", "Mutant")]).named("\\"),
    ];
    for time in 0..times {
        let handle = mutant + time * 4;
        items.push(opened(ObjectKind::MUTANT, handle, Some((root, 0)), basic));
        handles.push(ListedHandle {
            pid: 212,
            handle,
            object: 0xF000,
            type_index: 2,
        });
    }
    let mut builder = Builder::with_header(Header {
        nt_major: version.0,
        nt_minor: version.1,
        ..header(8)
    });
    builder
        .section(Family::TYPES, &type_table(&["Mutant"]))
        .section(Family::HANDLES, &handle_list(&[]))
        .batch(Family::NAMESPACE, &items)
        .section(Family::NAMES, &handle_list(&handles));
    let file = builder.finish();
    let objects = Snapshot::parse(&file).unwrap().objects().value;
    object(&serde_json::to_value(objects).unwrap(), 0xF000, "Mutant")
}

#[test]
fn our_own_handle_is_not_counted_where_that_is_certain() {
    let once = counted((6, 1), 3, 5, 1);
    assert_eq!(
        (&once["handle_count"], &once["pointer_count"]),
        (&2.into(), &4.into())
    );
    let twice = counted((6, 1), 3, 5, 2);
    assert_eq!(
        (&twice["handle_count"], &twice["pointer_count"]),
        (&3.into(), &5.into()),
        "one of ours, or both"
    );
    let cached = counted((6, 3), 3, 5, 1);
    assert_eq!(
        (&cached["handle_count"], &cached["pointer_count"]),
        (&2.into(), &5.into()),
        "how many references our handle holds is not known"
    );
}

#[test]
fn a_pointer_count_is_inflated_by_half_a_handles_references_since_nt_6_3() {
    let inflated =
        |version, pointers| counted(version, 1, pointers, 1)["pointer_count_inflated"].clone();
    assert_eq!(inflated((6, 3), 32_768), true);
    assert_eq!(inflated((6, 3), 1 + 16_384), true);
    assert_eq!(inflated((6, 3), 1 + 16_383), false);
    assert_eq!(inflated((6, 2), 32_768), false, "not before");
}

#[test]
fn what_we_opened_names_the_types_of_a_system_that_does_not_tell_them() {
    let mut builder = Builder::with_header(machine::machine_header());
    builder
        .section(Family::HANDLES, &handle_list(&machine::handles_of_others()))
        .batch(Family::NAMESPACE, &machine::namespace())
        .section(Family::NAMES, &machine::last_handle_list());
    let (handles, _) = json_of(&builder.finish());
    let types: Vec<_> = handles
        .as_array()
        .unwrap()
        .iter()
        .map(|handle| handle["type"].as_str().unwrap())
        .take(5)
        .collect();
    assert_eq!(types, ["Mutant", "Mutant", "Event", "Event", "type 10"]);
}

#[test]
fn the_handles_are_those_before_the_capture_opened_anything() {
    let file = machine::machine_at_boot().finish();
    let handles = Snapshot::parse(&file).unwrap().handles().value;
    assert_eq!(handles.len(), machine::handles_of_others().len());
    assert!(handles.iter().all(|handle| handle.pid != pid::CAPTURE));
}
