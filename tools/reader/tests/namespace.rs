//! The object namespace, its links, and the directories no path leads to.

use bootshot_format::{Family, ObjectKind, Source};
use bootshot_reader::Snapshot;
use bootshot_reader::records::{Opening, TargetStatus};
use serde_json::{Value, json};
use test_snapshots::machine::{self, pid};
use test_snapshots::objects::{BasicInformation, directory, opened};
use test_snapshots::{Builder, Entry};

fn parse(file: &[u8]) -> Snapshot<'_> {
    Snapshot::parse(file).expect("it is one of ours")
}

#[test]
fn a_listing_in_several_calls_is_one_directory() {
    let file = machine::machine_at_boot().finish();
    let reading = parse(&file).namespace();
    assert_eq!(reading.problems, []);
    let root = reading.value.directory("\\").expect("it was listed");
    let paths: Vec<_> = root.iter().map(|entry| entry.path.to_string()).collect();
    assert_eq!(
        paths,
        [
            "\\GLOBAL??",
            "\\Device",
            "\\KernelObjects",
            "\\SystemRoot",
            "\\Secret",
            "\\DosDevices",
            "\\PowerPort"
        ]
    );
}

#[test]
fn an_entry_says_what_came_of_opening_it() {
    let file = machine::machine_at_boot().finish();
    let namespace = parse(&file).namespace().value;
    let open = |path| namespace.entry(path).expect("it is listed").opening;
    assert_eq!(open("\\kernelobjects\\bcdsyncmutant"), Opening::Opened);
    assert_eq!(open("\\Secret"), Opening::Refused(0xC000_0022));
    assert_eq!(open("\\PowerPort"), Opening::NotTried);
    let secret = serde_json::to_value(namespace.entry("\\Secret").unwrap()).unwrap();
    assert_eq!(secret["open"], "refused");
    assert_eq!(secret["open_error"], "0xC0000022 STATUS_ACCESS_DENIED");
    assert_eq!(secret["entry_count"], Value::Null);
    let mutant = namespace.entry("\\KernelObjects\\BcdSyncMutant").unwrap();
    let mutant = serde_json::to_value(mutant).unwrap();
    assert_eq!(
        mutant["address"],
        format!("{:#x}", machine::address(machine::MUTANT))
    );
    assert_eq!(mutant["handle_count"], 2);
}

#[test]
fn below_a_directory_everything_stands_behind_its_parent() {
    let file = machine::machine_at_boot().finish();
    let namespace = parse(&file).namespace().value;
    let root = namespace.directory("\\").unwrap();
    let names: Vec<_> = namespace
        .below(root)
        .iter()
        .map(|entry| (entry.depth, entry.path.last().to_string()))
        .collect();
    let named = |depth, name: &str| (depth, name.to_owned());
    assert_eq!(names.len(), 16);
    assert_eq!(
        names[..6],
        [
            named(0, "GLOBAL??"),
            named(1, "C:"),
            named(1, "Gone"),
            named(1, "Round"),
            named(0, "Device"),
            named(1, "HarddiskVolume1"),
        ]
    );
}

#[test]
fn a_directory_that_contains_itself_is_listed_once() {
    let open = |handle, entry| {
        let basic = BasicInformation::default();
        opened(ObjectKind::DIRECTORY, handle, entry, basic)
    };
    let mut builder = Builder::new(8);
    builder.batch(
        Family::NAMESPACE,
        &[
            directory(0x10, 0, &[("a", "Directory")]).named("\\"),
            open(0x14, Some((0x10, 0))),
            directory(0x14, 0, &[("b", "Directory"), ("c", "Directory")]),
            // Both lead back.
            open(0x10, Some((0x14, 0))),
            open(0x14, Some((0x14, 1))),
        ],
    );
    let file = builder.finish();
    let namespace = parse(&file).namespace().value;
    let root = namespace.directory("\\").unwrap();
    let paths: Vec<_> = namespace
        .below(root)
        .iter()
        .map(|entry| entry.path.to_string())
        .collect();
    assert_eq!(paths, ["\\a", "\\a\\b", "\\a\\c"]);
}

#[test]
fn directories_without_end_are_followed_to_a_bound_that_is_said() {
    let mut items = vec![directory(4, 0, &[("d", "Directory")]).named("\\")];
    for level in 1..200 {
        let (above, handle) = (level * 4, level * 4 + 4);
        let basic = BasicInformation::default();
        items.push(opened(
            ObjectKind::DIRECTORY,
            handle,
            Some((above, 0)),
            basic,
        ));
        items.push(directory(handle, 0, &[("d", "Directory")]));
    }
    let mut builder = Builder::new(8);
    builder.batch(Family::NAMESPACE, &items);
    let file = builder.finish();
    let reading = parse(&file).namespace();
    assert_eq!(reading.value.entries.len(), 65);
    assert_eq!(reading.problems.len(), 1);
    assert_eq!(reading.problems[0].expected, "at most 64 levels");
}

#[test]
fn a_directory_listed_by_its_path_is_found_by_it() {
    // As snapshots have it that were taken before there was a walk.
    let mut builder = Builder::new(8);
    builder.batch(
        Family::TYPES,
        &[directory(0, 0, &[("Event", "Type"), ("Key", "Type")]).named("\\ObjectTypes")],
    );
    let file = builder.finish();
    let reading = parse(&file).namespace();
    let types = reading.value.directory("\\OBJECTTYPES\\").expect("listed");
    let paths: Vec<_> = types.iter().map(|entry| entry.path.to_string()).collect();
    assert_eq!(paths, ["\\ObjectTypes\\Event", "\\ObjectTypes\\Key"]);
    assert_eq!(reading.problems[0].what, "object namespace");
    assert_eq!(reading.problems[0].actual, "not captured");
}

#[test]
fn a_directory_listed_twice_stands_once() {
    let mut items = machine::namespace();
    items.push(directory(0, 0, &[("C:", "SymbolicLink")]).named("\\GLOBAL??"));
    let mut builder = Builder::new(8);
    builder.batch(Family::NAMESPACE, &items);
    let file = builder.finish();
    let namespace = parse(&file).namespace().value;
    assert_eq!(namespace.entries.len(), 16);
    assert_eq!(namespace.directory("\\GLOBAL??").unwrap().len(), 3);
}

#[test]
fn a_walk_that_was_refused_says_so() {
    let mut builder = Builder::new(8);
    builder.batch(
        Family::NAMESPACE,
        &[Entry::new(Source::OBJECT, ObjectKind::DIRECTORY.0, 0, &[]).status(0xC000_0022)],
    );
    let file = builder.finish();
    let problems = parse(&file).namespace().problems;
    assert_eq!(problems[0].actual, "0xC0000022 STATUS_ACCESS_DENIED");
}

fn links(file: &[u8]) -> Vec<(String, Value)> {
    let reading = parse(file).symbolic_links();
    assert_eq!(reading.problems, []);
    reading
        .value
        .iter()
        .map(|link| (link.path.to_string(), serde_json::to_value(link).unwrap()))
        .collect()
}

#[test]
fn links_lead_through_links_to_the_device_and_stop_there() {
    let file = machine::machine_at_boot().finish();
    let links = links(&file);
    let of = |path: &str| &links.iter().find(|(found, _)| found == path).unwrap().1;
    assert_eq!(
        *of("\\SystemRoot"),
        json!({
            "path": "\\SystemRoot", "target": "\\Device\\BootDevice\\Windows", "target_error": null,
            "creation_time": "2026-01-02T02:04:05.0000000Z", "target_status": "found",
            "resolved_path": "\\Device\\HarddiskVolume1", "resolved_type": "Device", "dynamic": null,
        })
    );
    assert_eq!(of("\\DosDevices")["resolved_path"], "\\GLOBAL??");
    assert_eq!(of("\\GLOBAL??\\C:")["target_status"], "found");
}

#[test]
fn dangling_and_circular_links_are_told_apart() {
    let file = machine::machine_at_boot().finish();
    let links = parse(&file).symbolic_links().value;
    let status = |path: &str| {
        let mut links = links.iter();
        let link = links.find(|link| link.path.to_string() == path);
        link.expect("it is listed").target_status
    };
    assert_eq!(status("\\GLOBAL??\\Gone"), TargetStatus::Dangling);
    assert_eq!(status("\\GLOBAL??\\Round"), TargetStatus::Loop);
    assert_eq!(
        status("\\KernelObjects\\LowMemoryCondition"),
        TargetStatus::Dynamic
    );
}

#[test]
fn a_target_in_a_directory_that_was_not_listed_is_not_called_dangling() {
    let (root, link) = (0x10, 0x14);
    let mut builder = Builder::new(8);
    builder.batch(
        Family::NAMESPACE,
        &[
            directory(root, 0, &[("l", "SymbolicLink"), ("closed", "Directory")]).named("\\"),
            opened(
                ObjectKind::SYMBOLIC_LINK,
                link,
                Some((root, 0)),
                BasicInformation::default(),
            ),
            test_snapshots::objects::link_target(link, "\\closed\\x"),
        ],
    );
    let file = builder.finish();
    let links = parse(&file).symbolic_links().value;
    assert_eq!(links[0].target_status, TargetStatus::NotKnown);
}

#[test]
fn a_dynamic_link_says_what_it_gave() {
    let file = machine::machine_at_boot().finish();
    let links = links(&file);
    let (_, condition) = links
        .iter()
        .find(|(path, _)| path == "\\KernelObjects\\LowMemoryCondition")
        .unwrap();
    assert_eq!(
        condition["dynamic"],
        json!({
            "type": "Event", "name": "\\KernelObjects\\MemoryPartition0\\LowMemoryCondition",
            "address": format!("{:#x}", machine::address(machine::CONDITION_EVENT)),
            "memory_condition": "LowMemoryCondition",
        })
    );
    let dynamic = links
        .iter()
        .filter(|(_, link)| link["dynamic"] != Value::Null);
    assert_eq!(dynamic.count(), 1);
}

#[test]
fn directories_no_path_leads_to_are_found_in_the_handle_list() {
    let file = machine::machine_at_boot().finish();
    let reading = parse(&file).unnamed_directories();
    assert_eq!(reading.problems, []);
    let [directory] = &reading.value[..] else {
        panic!("{:?}", reading.value);
    };
    let value = serde_json::to_value(directory).unwrap();
    assert_eq!(
        value["address"],
        format!("{:#x}", machine::PRIVATE_NAMESPACE)
    );
    assert_eq!(value["entries"], Value::Null, "nobody could list it");
    let holders: Vec<_> = directory.holders.iter().map(|holder| holder.pid).collect();
    assert_eq!(holders, [pid::SMSS, pid::HOLDER]);
}

#[test]
fn a_private_namespace_is_listed_through_a_duplicate() {
    let file = machine::machine_live().finish();
    let directories = parse(&file).unnamed_directories().value;
    let value = serde_json::to_value(&directories[0]).unwrap();
    assert_eq!(
        value["entries"],
        json!([{"name": "InsidePrivate", "type": "Mutant"}, {"name": "Another", "type": "Section"}])
    );
}
