//! The walk through the object namespace, and the names it gives to everybody's handles.

use crate::snapshot::Snapshot;
use crate::{boot, capture, only_snapshot, status, text};
use bootshot::nt::Status;
use bootshot::nt::simulated::{Body, Call, Fault, Machine, Run, joined};
use bootshot_format::{Family, Item, ObjectHeader, ObjectKind, Outcome, Source, entry_of};
use std::collections::BTreeMap;

const WIDTH: usize = size_of::<usize>();

/// An entry of the handle list of class 64.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    pub object: u64,
    pub process: u64,
    pub value: u64,
    pub type_index: u16,
}

/// The handle list that a family holds.
pub fn handle_list(snapshot: &Snapshot, family: Family) -> Vec<Entry> {
    let mut sections = snapshot.sections.iter();
    let section = sections
        .find(|section| {
            let begin = &section.begin;
            (begin.family, begin.source, begin.class) == (family, Source::SYSTEM_INFORMATION, 64)
        })
        .expect("the family has a handle list");
    let entries = section.payload[2 * WIDTH..].chunks_exact(3 * WIDTH + 16);
    let word = |entry: &[u8], place: usize| {
        usize::from_ne_bytes(entry[place * WIDTH..][..WIDTH].try_into().unwrap()) as u64
    };
    entries
        .map(|entry| Entry {
            object: word(entry, 0),
            process: word(entry, 1),
            value: word(entry, 2),
            type_index: u16::from_ne_bytes([entry[3 * WIDTH + 6], entry[3 * WIDTH + 7]]),
        })
        .collect()
}

fn pointer(bytes: &[u8], offset: usize) -> u64 {
    usize::from_ne_bytes(bytes[offset..][..WIDTH].try_into().unwrap()) as u64
}

/// Name and type of each entry that the calls of a listing gave, by the directory's handle.
pub fn listings(snapshot: &Snapshot) -> BTreeMap<u64, Vec<(String, String)>> {
    let mut listings = BTreeMap::<_, Vec<_>>::new();
    for item in snapshot.items_of(Source::DIRECTORY_OBJECT, 0) {
        let listing = listings.entry(item.header.argument2).or_default();
        let string = |offset: usize| {
            let length = usize::from(u16::from_ne_bytes([
                item.data[offset],
                item.data[offset + 1],
            ]));
            let place = pointer(item.data, offset + WIDTH) - item.header.buffer_address;
            text(&item.data[place as usize..][..length])
        };
        for offset in (0..item.data.len()).step_by(4 * WIDTH) {
            if pointer(item.data, offset + WIDTH) == 0 {
                break;
            }
            listing.push((string(offset), string(offset + 2 * WIDTH)));
        }
    }
    listings
}

/// Paths of the objects that the walk opened, by our handle.
fn paths(snapshot: &Snapshot) -> BTreeMap<u64, String> {
    let listings = listings(snapshot);
    let mut paths = BTreeMap::<u64, String>::new();
    for item in objects(snapshot) {
        let (handle, entry) = (item.header.argument, item.header.argument2);
        if handle != 0 && entry == 0 {
            paths.insert(handle, r"\".into());
        } else if handle != 0 {
            let directory = entry >> 32;
            let (name, _) = &listings[&directory][entry as u32 as usize];
            paths.insert(handle, joined(&paths[&directory], name));
        }
    }
    paths
}

fn objects(snapshot: &Snapshot) -> Vec<Item<'_>> {
    let mut items = snapshot.items();
    items.retain(|item| item.header.source == Source::OBJECT);
    items
}

/// What the walk and the second handle list say together: a path for each address that we hold.
fn names_by_address(snapshot: &Snapshot) -> BTreeMap<u64, String> {
    let paths = paths(snapshot);
    let own = snapshot.header.process_id;
    let mine = handle_list(snapshot, Family::NAMES);
    let mine = mine.into_iter().filter(|entry| entry.process == own);
    mine.filter_map(|entry| Some((entry.object, paths.get(&entry.value)?.clone())))
        .collect()
}

/// Calls that open something by name in the namespace.
fn opens(run: &Run<Status>) -> impl Iterator<Item = &Call> {
    let ours = [
        "NtOpenDirectoryObject",
        "NtOpenSymbolicLinkObject",
        "NtOpenEvent",
        "NtOpenMutant",
        "NtOpenSemaphore",
        "NtOpenSection",
        "NtOpenTimer",
        "NtOpenJobObject",
        "NtOpenKeyedEvent",
        "NtOpenIoCompletion",
    ];
    run.calls
        .iter()
        .filter(move |call| ours.contains(&call.name))
}

#[test]
fn every_handle_of_long_and_short_runs_is_held_until_the_list_and_then_closed() {
    const IN_A_ROW: usize = 700;
    let mut machine = Machine::small();
    // Kept handles follow each other for longer than a run can say, and directories come between them.
    for number in 0..IN_A_ROW {
        machine.create(&format!(r"\Many\Event{number}"), "Event");
    }
    for number in 0..5 {
        machine.create(&format!(r"\Few\Directory{number}"), "Directory");
        machine.create(&format!(r"\Few\Event{number}"), "Event");
    }
    let (snapshot, run) = capture(machine);
    let held: Vec<_> = handle_list(&snapshot, Family::NAMES)
        .into_iter()
        .filter(|entry| entry.process == run.machine.own_id)
        .map(|entry| entry.value)
        .collect();
    let opened = objects(&snapshot);
    let opened = opened.iter().filter(|item| item.header.argument != 0);
    assert!(opened.clone().count() > IN_A_ROW);
    for item in opened {
        assert!(
            held.contains(&item.header.argument),
            "{:#x}",
            item.header.argument
        );
    }
}

#[test]
fn at_boot_the_handles_of_protected_processes_get_the_names_of_what_they_refer_to() {
    let (snapshot, run) = capture(Machine::windows11_boot());
    let names = names_by_address(&snapshot);
    let held_by = |process: u64| -> Vec<String> {
        let entries = handle_list(&snapshot, Family::NAMES).into_iter();
        let theirs = entries.filter(|entry| entry.process == process);
        theirs
            .map(|entry| names.get(&entry.object).cloned().unwrap_or_default())
            .collect()
    };
    let conditions = [
        "HighCommitCondition",
        "HighMemoryCondition",
        "HighNonPagedPoolCondition",
        "HighPagedPoolCondition",
        "LowCommitCondition",
        "LowMemoryCondition",
        "LowNonPagedPoolCondition",
        "LowPagedPoolCondition",
        "MaximumCommitCondition",
        "MemoryErrors",
        "PhysicalMemoryChange",
    ];
    let conditions = conditions.map(|name| format!(r"\KernelObjects\{name}"));
    // Of System's, what is left is the job without a name, the callback and the port, which are never opened.
    let others = [
        "",
        r"\KernelObjects\SuperfetchScenarioNotify",
        r"\KernelObjects\SystemErrorPortReady",
        r"\KernelObjects\BcdSyncMutant",
        r"\ArcName\multi(0)disk(0)rdisk(0)partition(3)",
        "",
        r"\GLOBAL??",
        "",
    ];
    let expected: Vec<_> = conditions
        .into_iter()
        .chain(others.map(str::to_owned))
        .collect();
    assert_eq!(held_by(4), expected);
    // Of smss's, the port and the unnamed directory; our own process is not in the namespace.
    assert_eq!(
        held_by(420),
        [
            r"\KnownDlls\ntdll.dll",
            r"\KnownDlls",
            r"\Sessions",
            r"\BaseNamedObjects",
            r"\GLOBAL??",
            r"\UniqueSessionIdEvent",
            "",
            "",
            "",
        ]
    );
    assert_eq!(held_by(124), [r"\KernelObjects\SystemErrorPortReady"]);
    // Nobody was asked for a handle of theirs.
    assert!(
        run.calls
            .iter()
            .all(|call| call.name != "NtDuplicateObject")
    );
}

#[test]
fn everything_is_opened_as_what_it_is_to_be_queried_and_nothing_else_is_opened() {
    let (snapshot, run) = capture(Machine::windows11_boot());
    for call in opens(&run) {
        let allowed = match call.name {
            "NtOpenJobObject" => [4, 0x2_0004],
            _ => [1, 0x2_0001],
        };
        assert!(allowed.contains(&call.argument), "{call:?}");
        let harmful = [
            r"\Device\Mup",
            r"\Driver\",
            r"\FileSystem\",
            r"\Callback\",
            r"\PowerMonitorPort",
            r"\SmApiPort",
        ];
        assert!(
            !harmful.iter().any(|path| call.text.contains(path)),
            "{call:?}"
        );
    }
    // Everything there is, is listed: by path, as the machine has it.
    let listings = listings(&snapshot);
    let paths = paths(&snapshot);
    let listed: Vec<_> = listings
        .iter()
        .flat_map(|(directory, entries)| {
            let path = &paths[directory];
            entries
                .iter()
                .map(move |(name, type_name)| (joined(path, name), type_name))
        })
        .collect();
    for (path, type_name) in [
        (r"\Device\Harddisk0\DR0", "Device"),
        (r"\FileSystem\NTFS", "Driver"),
        (r"\ObjectTypes\Type", "Type"),
        (r"\Sessions\0\DosDevices", "Directory"),
        (r"\KnownDlls\ntdll.dll", "Section"),
    ] {
        assert!(
            listed
                .iter()
                .any(|(listed, kind)| (listed.as_str(), kind.as_str()) == (path, type_name))
        );
    }
    let root = snapshot.items_of(Source::DIRECTORY_OBJECT, 0)[0];
    assert_eq!(text(root.name), r"\");
}

#[test]
fn an_opened_object_tells_its_counts_and_who_may_use_it() {
    let (snapshot, _) = capture(Machine::windows11_boot());
    let paths = paths(&snapshot);
    let section = objects(&snapshot).into_iter().find(|item| {
        paths.get(&item.header.argument).map(String::as_str) == Some(r"\KnownDlls\ntdll.dll")
    });
    let section = section.expect("it was opened");
    assert_eq!(section.header.class, ObjectKind::SECTION.0);
    let header = ObjectHeader::decode(section.data.first_chunk().unwrap());
    assert_eq!((header.basic_status, header.security_status), (0, 0));
    assert_eq!(header.basic_length, 56);
    let word =
        |offset: usize| u32::from_ne_bytes(section.data[16 + offset..][..4].try_into().unwrap());
    // GrantedAccess, HandleCount: smss's and our own; PointerCount, which handles inflate.
    assert_eq!((word(4), word(8), word(12)), (0x2_0001, 2, 1 + 2 * 0x7FFF));
    let descriptor = &section.data[72..];
    assert_eq!(descriptor.len(), header.security_length as usize);
    assert_eq!(descriptor[..2], [1, 0]);
}

#[test]
fn what_refuses_to_be_read_is_opened_without_its_security_and_what_refuses_all_is_recorded() {
    let mut machine = Machine::windows11_boot();
    machine.object_mut(r"\KnownDlls").refused_access = 0x2_0000;
    machine.object_mut(r"\Sessions").refused_access = u32::MAX;
    let (snapshot, run) = capture(machine);
    let paths = paths(&snapshot);
    let opened = objects(&snapshot)
        .into_iter()
        .find(|item| paths.get(&item.header.argument).map(String::as_str) == Some(r"\KnownDlls"));
    let opened = opened.expect("it was opened");
    let header = ObjectHeader::decode(opened.data.first_chunk().unwrap());
    assert_eq!(
        (
            header.basic_status,
            header.security_status,
            header.security_length
        ),
        (0, Status::ACCESS_DENIED.number(), 0)
    );
    assert_eq!(opened.data.len(), 72);
    // Its contents are listed all the same, those of the other are not.
    assert!(paths.values().any(|path| path == r"\KnownDlls\ntdll.dll"));
    assert!(!paths.values().any(|path| path.starts_with(r"\Sessions")));
    let listings = listings(&snapshot);
    let root = paths.iter().find(|(_, path)| *path == r"\").unwrap().0;
    let number = listings[root]
        .iter()
        .position(|(name, _)| name == "Sessions")
        .unwrap();
    let refused: Vec<_> = objects(&snapshot)
        .into_iter()
        .filter(|item| item.header.argument == 0)
        .map(|item| (item.header.class, item.header.argument2, item.header.status))
        .collect();
    assert_eq!(
        refused,
        [(
            ObjectKind::DIRECTORY.0,
            entry_of(*root, number as u32),
            Status::ACCESS_DENIED.number()
        )]
    );
    let tries = opens(&run).filter(|call| call.text == r"\Sessions");
    assert_eq!(
        tries.map(|call| call.argument).collect::<Vec<_>>(),
        [0x2_0001, 1]
    );
}

#[test]
fn a_link_gives_its_target_and_one_without_is_tried_as_event_and_section_only() {
    let mut machine = Machine::windows11_boot();
    machine.link(r"\empty", "");
    let behind = machine.dynamic_link(r"\KernelObjects\shared", "Section", r"\behind");
    machine
        .object_mut(r"\ArcName\multi(0)disk(0)rdisk(0)")
        .refused_access = u32::MAX;
    let (snapshot, run) = capture(machine);
    let paths = paths(&snapshot);
    let target = |path: &str| {
        let items = snapshot.items_of(Source::SYMBOLIC_LINK, 0);
        let mut mine = items
            .into_iter()
            .filter(|item| paths[&item.header.argument] == path);
        text(mine.next().expect("the link was asked").data)
    };
    assert_eq!(target(r"\SystemRoot"), r"\Device\BootDevice\Windows");
    assert_eq!(target(r"\GLOBAL??\C:"), r"\Device\HarddiskVolume3");
    assert_eq!(target(r"\KernelObjects\LowMemoryCondition"), "");
    let tried = |path: &str| -> Vec<&str> {
        let tries = opens(&run).filter(|call| call.text == path);
        tries.map(|call| call.name).collect()
    };
    assert_eq!(tried(r"\GLOBAL??\C:"), ["NtOpenSymbolicLinkObject"]);
    assert_eq!(
        tried(r"\KernelObjects\LowMemoryCondition"),
        ["NtOpenSymbolicLinkObject", "NtOpenEvent"]
    );
    for path in [r"\empty", r"\KernelObjects\shared"] {
        assert_eq!(
            tried(path),
            ["NtOpenSymbolicLinkObject", "NtOpenEvent", "NtOpenSection"]
        );
    }
    // One that could not even be opened as a link.
    assert!(
        tried(r"\ArcName\multi(0)disk(0)rdisk(0)").ends_with(&["NtOpenEvent", "NtOpenSection"])
    );
    // What opened says its own name, and stands in the handle list under its own address.
    let shared = paths
        .iter()
        .filter(|(_, path)| *path == r"\KernelObjects\shared");
    let handles: Vec<_> = shared.map(|(handle, _)| *handle).collect();
    let named = snapshot.items_of(Source::OBJECT_INFORMATION, 1);
    let named = named
        .iter()
        .find(|item| handles.contains(&item.header.argument))
        .unwrap();
    assert!(text(&named.data[2 * WIDTH..]).starts_with(r"\behind"));
    let own = handle_list(&snapshot, Family::NAMES);
    assert!(own.iter().any(|entry| {
        entry.value == named.header.argument && entry.object == behind as usize as u64
    }));
}

#[test]
fn a_directory_that_lists_itself_and_one_too_deep_end_the_walk_as_truncated() {
    let mut loops = Machine::windows11_boot();
    let directory = loops.address_of(r"\Sessions").unwrap();
    loops.enter(directory, "again", directory);
    let mut deep = Machine::windows11_boot();
    deep.create(&r"\x".repeat(40), "Event");
    let mut not_deep = Machine::windows11_boot();
    not_deep.create(&r"\x".repeat(31), "Event");
    for (machine, expected) in [
        (loops, Outcome::TRUNCATED),
        (deep, Outcome::TRUNCATED),
        (not_deep, Outcome::COMPLETE),
    ] {
        let (snapshot, run) = capture(machine);
        assert_eq!(snapshot.outcomes(Family::NAMESPACE), [expected]);
        assert!(opens(&run).count() < 1_000);
        // The families behind it are captured.
        assert!(
            snapshot
                .outcomes(Family::NAMES)
                .contains(&Outcome::COMPLETE)
        );
    }
}

#[test]
fn a_directory_of_many_entries_is_listed_across_calls_and_each_entry_has_its_number() {
    for single_entries_only in [false, true] {
        let mut machine = Machine {
            single_entries_only,
            ..Machine::windows11_boot()
        };
        let long = "x".repeat(200);
        let names: Vec<_> = (0..300)
            .map(|number| format!(r"\BaseNamedObjects\{long}{number}"))
            .collect();
        for name in &names {
            machine.create(name, "Event");
        }
        let (snapshot, _) = capture(machine);
        let paths: std::collections::BTreeSet<_> = paths(&snapshot).into_values().collect();
        assert!(
            names.iter().all(|name| paths.contains(name)),
            "{single_entries_only}"
        );
        assert_eq!(snapshot.outcomes(Family::NAMESPACE), [Outcome::COMPLETE]);
    }
}

#[test]
fn a_walk_that_takes_too_long_is_cut_and_the_rest_is_captured() {
    let slow = |call: &Call| call.name == "NtOpenEvent";
    let machine = Machine::windows11_boot()
        .with_command_line("bootshot budget=4000")
        .on(slow, Fault::Late(900));
    let (snapshot, run) = capture(machine);
    assert_eq!(snapshot.outcomes(Family::NAMESPACE), [Outcome::TRUNCATED]);
    assert!(
        snapshot
            .outcomes(Family::NAMES)
            .contains(&Outcome::COMPLETE)
    );
    assert!(run.milliseconds < 4_900, "{} ms", run.milliseconds);
}

#[test]
fn what_the_walk_keeps_is_closed_when_the_handle_list_is_not_taken_again() {
    for line in [
        "bootshot skip=names",
        "bootshot only=namespace",
        "bootshot skip=namespace",
    ] {
        capture(Machine::windows11_boot().with_command_line(line));
    }
}

#[test]
fn a_disk_that_fills_up_during_the_walk_leaves_everything_closed() {
    let machine = Machine::windows11_boot();
    let writes = boot(machine.clone())
        .calls
        .into_iter()
        .filter(|call| call.name == "NtWriteFile");
    for call in writes {
        let full = Fault::Fail(Status::DISK_FULL);
        let run = boot(machine.clone().at(call.thread, call.number, full));
        status(&run);
        run.assert_clean();
    }
}

#[test]
fn a_job_tells_its_accounting_limits_processes_and_silo_and_so_does_our_own() {
    let mut machine = Machine::windows11_boot();
    let job = machine.create(r"\BaseNamedObjects\job", "Job");
    let replies = [1u32, 3, 8, 9, 30, 36, 38].map(|class| {
        let length: usize = match class {
            1 => 48,
            8 => 96,
            9 if WIDTH == 8 => 144,
            9 => 112,
            30 => 36,
            36 => 16,
            38 if WIDTH == 8 => 40,
            38 => 32,
            _ => 2 * 4 + WIDTH,
        };
        let reply = bootshot::nt::simulated::Reply::Exact(vec![class as u8; length]);
        match class {
            3 => (
                class,
                bootshot::nt::simulated::Reply::Bytes(vec![3; length]),
            ),
            _ => (class, reply),
        }
    });
    machine.objects.get_mut(&job).unwrap().body = Body::Job(replies.clone().into_iter().collect());
    machine.processes.last_mut().unwrap().job = Some(job);
    let (snapshot, _) = capture(machine);
    let handle = *paths(&snapshot)
        .iter()
        .find(|(_, path)| path.ends_with("job"))
        .unwrap()
        .0;
    for about in [handle, 0] {
        for (class, _) in &replies {
            let items = snapshot.items_of(Source::JOB_INFORMATION, *class);
            let item = items
                .iter()
                .find(|item| item.header.argument == about)
                .unwrap();
            assert_eq!(
                (item.header.status, item.header.tries),
                (0, 1),
                "class {class}"
            );
            assert!(item.data.iter().all(|byte| *byte == *class as u8) && !item.data.is_empty());
        }
    }
    let in_job = |id: u64| {
        let items = snapshot.items_of(Source::PROCESS_IN_JOB, 0);
        items
            .iter()
            .find(|item| item.header.argument == id)
            .unwrap()
            .header
            .status
    };
    // STATUS_PROCESS_IN_JOB and STATUS_PROCESS_NOT_IN_JOB.
    assert_eq!((in_job(516), in_job(420)), (0x124, 0x123));
}

#[test]
fn without_a_root_directory_the_snapshot_says_why() {
    let mut machine = Machine::windows11_boot();
    machine.object_mut(r"\").refused_access = u32::MAX;
    let run = boot(machine);
    let snapshot = only_snapshot(&run.machine);
    run.assert_clean();
    let objects = objects(&snapshot);
    assert_eq!(
        objects.len(),
        1 + snapshot
            .items_of(Source::OBJECT, ObjectKind::PROCESS.0)
            .len()
    );
    assert_eq!(objects[0].header.status, Status::ACCESS_DENIED.number());
}
