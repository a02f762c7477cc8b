//! Names of what others hold, live: through duplicates, each object once, with file names asked by a thread that may hang.

use crate::objects::listings;
use crate::snapshot::Snapshot;
use crate::{boot, capture, only_snapshot, status, text};
use bootshot::nt::Status;
use bootshot::nt::simulated::{
    Body, Call, Fault, HandleEntry, Machine, Process, Reply, Run, process_address, thread_address,
};
use bootshot_format::{Family, OpenKind, Outcome, Source, handle_of};
use std::collections::BTreeMap;

const HOLDER: u64 = 500;
const SECOND: u64 = 504;
const PROTECTED: u64 = 508;

/// A running system with two processes that may be duplicated from and one that may not, and no handles yet.
fn live() -> Machine {
    let mut machine = Machine::small().with_command_line("bootshot phase=live quiet");
    machine.handles.clear();
    machine
        .processes
        .push(Process::new(HOLDER, 348, "holder.exe"));
    machine
        .processes
        .push(Process::new(SECOND, 348, "second.exe"));
    machine
        .processes
        .push(Process::protected(PROTECTED, 348, "protected.exe"));
    machine.types.push("Job".into());
    machine
}

/// What the items say are the names, by handle reference; `None` where there was no answer.
fn names(snapshot: &Snapshot) -> BTreeMap<u64, Option<String>> {
    let items = snapshot.items_of(Source::OBJECT_INFORMATION, 1);
    let others = items.iter().filter(|item| item.header.argument >> 32 != 0);
    others
        .map(|item| {
            let length = item
                .data
                .first_chunk()
                .map(|bytes| u16::from_ne_bytes(*bytes));
            let name = length.map(|length| {
                let characters = item.data.get(2 * size_of::<usize>()..).unwrap_or(&[]);
                text(&characters[..usize::from(length)])
            });
            (item.header.argument, name)
        })
        .collect()
}

/// Failed duplications by handle reference.
fn refused(snapshot: &Snapshot) -> Vec<(u64, Status)> {
    let items = snapshot.items_of(Source::OPEN, OpenKind::HANDLE.0);
    let refused = items.iter();
    refused
        .map(|item| (item.header.argument, Status::new(item.header.status)))
        .collect()
}

fn duplications(run: &Run<Status>) -> usize {
    let calls = run.calls.iter();
    calls
        .filter(|call| call.name == "NtDuplicateObject")
        .count()
}

/// The outcome of the batch that names what others hold.
fn outcome(snapshot: &Snapshot) -> Outcome {
    *snapshot.outcomes(Family::NAMES).last().unwrap()
}

#[test]
fn an_object_is_named_through_the_first_holder_that_lets_it_be_duplicated() {
    let mut machine = live();
    let event = machine.create_unnamed("Event", r"\Sessions\1\hidden");
    let protected = machine.hold(PROTECTED, event, 0x1F_0003);
    let first = machine.hold(HOLDER, event, 0x1F_0003);
    let second = machine.hold(SECOND, event, 0x1F_0003);
    let lonely = machine.create_unnamed("Event", "never seen");
    let alone = machine.hold(PROTECTED, lonely, 0x1F_0003);
    assert!(PROTECTED > SECOND && protected == alone - 4);
    let (snapshot, _) = capture(machine.clone());
    let expected = BTreeMap::from([(
        handle_of(HOLDER, first),
        Some(r"\Sessions\1\hidden".to_owned()),
    )]);
    assert_eq!(names(&snapshot), expected);
    assert_eq!(
        refused(&snapshot),
        [(handle_of(PROTECTED, alone), Status::ACCESS_DENIED)]
    );
    // When the first holder's handle cannot be duplicated, the second's is.
    let gone = move |call: &Call| {
        call.name == "NtDuplicateObject" && call.process == Some(HOLDER) && call.argument == first
    };
    let gone = machine.on(gone, Fault::Fail(Status::new(0xC000_0008)));
    let (snapshot, _) = capture(gone.clone());
    assert_eq!(
        names(&snapshot).into_keys().collect::<Vec<_>>(),
        [handle_of(SECOND, second)]
    );
    // When none can, the last failure stands for all.
    let none = gone.on(
        |call| call.name == "NtDuplicateObject",
        Fault::Fail(Status::UNSUCCESSFUL),
    );
    let (snapshot, _) = capture(none);
    assert!(names(&snapshot).is_empty());
    let statuses: Vec<_> = refused(&snapshot)
        .into_iter()
        .map(|(_, status)| status)
        .collect();
    assert_eq!(statuses, [Status::ACCESS_DENIED; 2]);
    assert_eq!(outcome(&snapshot), Outcome::COMPLETE);
}

#[test]
fn at_boot_no_handle_is_duplicated() {
    let mut machine = live();
    let event = machine.create_unnamed("Event", "held");
    machine.hold(HOLDER, event, 0x1F_0003);
    machine = machine.with_command_line("bootshot phase=setupexecute");
    let (snapshot, run) = capture(machine);
    assert_eq!(
        (duplications(&run), snapshot.outcomes(Family::NAMES)),
        (0, vec![Outcome::COMPLETE])
    );
}

#[test]
fn each_of_many_handles_to_few_objects_costs_nothing_and_each_object_is_asked_once() {
    let mut machine = live();
    for number in 0..100u64 {
        let type_name = if number % 10 == 0 { "File" } else { "Event" };
        let object = machine.create_unnamed(type_name, &format!("object {number}"));
        machine.hold(if number % 2 == 0 { HOLDER } else { SECOND }, object, 1);
    }
    let few = machine.handles.clone();
    machine.handles = (0..50_000u64)
        .map(|number| HandleEntry {
            value: 4 + number * 4,
            ..few[(number * 37 % 100) as usize]
        })
        .collect();
    let (snapshot, run) = capture(machine);
    assert_eq!((duplications(&run), names(&snapshot).len()), (100, 100));
    assert_eq!(outcome(&snapshot), Outcome::COMPLETE);
    let openings = run
        .calls
        .iter()
        .filter(|call| call.name == "NtOpenProcess" && call.process >= Some(HOLDER));
    // A few times each for what it tells of itself, and once to be duplicated from.
    let openings = openings.count();
    assert!(openings < 20, "{openings}");
    let answers = run.calls.iter().filter_map(|call| call.answer.as_ref());
    let largest = answers.map(|answer| answer.bytes.len()).max().unwrap();
    assert!(run.peak_commit < largest + (8 << 20), "{}", run.peak_commit);
}

#[test]
fn what_we_hold_ourselves_is_not_duplicated() {
    let mut machine = live();
    let named = machine
        .address_of(r"\KernelObjects\LowMemoryCondition")
        .unwrap();
    machine.hold(HOLDER, named, 0x1F_0003);
    let (snapshot, run) = capture(machine);
    assert_eq!((duplications(&run), names(&snapshot).len()), (0, 0));
}

#[test]
fn entries_whose_address_is_hidden_are_never_taken_for_one_object() {
    let mut machine = live();
    let names_of: Vec<_> = (0..3).map(|number| format!("object {number}")).collect();
    for name in &names_of {
        let object = machine.create_unnamed("Event", name);
        machine.hold(HOLDER, object, 1);
    }
    machine.addresses_hidden = true;
    let (snapshot, _) = capture(machine);
    let found: Vec<_> = names(&snapshot).into_values().flatten().collect();
    assert_eq!(found, names_of);
}

#[test]
fn a_directory_that_no_path_leads_to_has_its_members_listed() {
    let mut machine = live();
    let directory = machine.create_unnamed("Directory", "");
    for (name, type_name) in [("first", "Event"), ("second", "Section")] {
        let member = machine.create_unnamed(type_name, name);
        machine.enter(directory, name, member);
    }
    let value = machine.hold(HOLDER, directory, 0x0F_000F);
    let (snapshot, _) = capture(machine);
    let listed = &listings(&snapshot)[&handle_of(HOLDER, value)];
    let expected = [("first", "Event"), ("second", "Section")];
    assert_eq!(
        *listed,
        expected.map(|(name, kind)| (name.to_owned(), kind.to_owned()))
    );
}

#[test]
fn ended_processes_and_threads_and_jobs_that_only_others_handles_lead_to_are_asked() {
    let mut machine = live();
    machine
        .missing_calls
        .extend(["NtGetNextProcess", "NtGetNextThread"]);
    machine
        .processes
        .push(Process::ended(900, 348, "ended.exe", 9));
    machine.processes[4].ended_threads.insert(77, 8);
    let job = machine.create_unnamed("Job", "");
    let accounting = BTreeMap::from([(1, Reply::Exact(vec![5; 48]))]);
    machine.objects.get_mut(&job).unwrap().body = Body::Job(accounting);
    let job = machine.hold(HOLDER, job, 0x1F_001F);
    let process = machine.hold(HOLDER, process_address(900), 0x1F_FFFF);
    let running = machine.hold(HOLDER, process_address(SECOND), 0x1F_FFFF);
    let thread = machine.hold(SECOND, thread_address(77), 0x1F_FFFF);
    let (snapshot, _) = capture(machine);
    let about = |source, class| -> Vec<(u64, u32)> {
        let items = snapshot.items_of(source, class);
        let others = items.iter().filter(|item| item.header.argument >> 32 != 0);
        others
            .map(|item| {
                let first = item
                    .data
                    .first_chunk()
                    .copied()
                    .map_or(0, u32::from_ne_bytes);
                (item.header.argument, first)
            })
            .collect()
    };
    assert_eq!(
        about(Source::PROCESS_HANDLE, 0),
        [(handle_of(HOLDER, process), 9)]
    );
    assert_eq!(
        about(Source::THREAD_HANDLE, 0),
        [(handle_of(SECOND, thread), 8)]
    );
    assert_eq!(
        about(Source::JOB_INFORMATION, 1),
        [(handle_of(HOLDER, job), 0x0505_0505)]
    );
    assert!(names(&snapshot).contains_key(&handle_of(HOLDER, running)));
}

/// A machine whose holder has files: the second of them, and every further that is named so, hangs when it is asked.
fn with_files(count: usize, stuck: impl Fn(usize) -> bool) -> Machine {
    let mut machine = live();
    for number in 0..count {
        let name = match stuck(number) {
            true => format!(r"\Device\NamedPipe\stuck {number}"),
            false => format!(r"\Device\HarddiskVolume1\file {number}"),
        };
        let file = machine.create_unnamed("File", &name);
        machine.hold(HOLDER, file, 0x12_0089);
    }
    machine.on(
        |call| call.name == "NtQueryObject" && call.text.contains("stuck"),
        Fault::Hang,
    )
}

/// Everything that is still open, by what it is.
fn left_open(run: &Run<Status>) -> BTreeMap<&str, usize> {
    let mut kinds = BTreeMap::new();
    for (_, object) in run.open_handles() {
        let kind = object.split('(').next().unwrap();
        *kinds.entry(kind).or_insert(0) += 1;
    }
    kinds
}

#[test]
fn files_are_named_by_a_thread_of_their_own() {
    let (snapshot, run) = capture(with_files(50, |_| false));
    assert_eq!(names(&snapshot).into_values().flatten().count(), 50);
    assert_eq!(outcome(&snapshot), Outcome::COMPLETE);
    // Neither query nor close nor duplication on the thread that captures.
    let mut threads: Vec<_> = run
        .calls
        .iter()
        .filter(|call| call.name == "NtDuplicateObject" || call.text.contains("file "))
        .map(|call| call.thread)
        .collect();
    threads.dedup();
    assert_eq!(threads, [2]);
}

#[test]
fn a_file_that_hangs_costs_its_own_name_and_no_other() {
    let run = boot(with_files(20, |number| number == 3 || number == 11));
    assert_eq!(status(&run), Status::SUCCESS);
    let snapshot = only_snapshot(&run.machine);
    let names = names(&snapshot);
    assert_eq!((names.len(), names.values().flatten().count()), (20, 18));
    for item in snapshot.items_of(Source::OBJECT_INFORMATION, 1) {
        let expected = match item.data.is_empty() {
            true => (Status::TIMEOUT.number(), Outcome::FAILED),
            false => (Status::SUCCESS.number(), Outcome::COMPLETE),
        };
        assert_eq!((item.header.status, item.header.outcome), expected);
    }
    assert_eq!(outcome(&snapshot), Outcome::COMPLETE);
    // 200 ms for each of the two, and little beside.
    assert!(
        (400..600).contains(&run.milliseconds),
        "{} ms",
        run.milliseconds
    );
    // What the two hanging threads use is theirs: a file and two events each. All else is closed.
    assert_eq!(
        left_open(&run),
        BTreeMap::from([("Kernel", 2), ("Event", 4)])
    );
}

#[test]
fn a_close_that_hangs_costs_that_name_only() {
    let machine = with_files(5, |_| false).on(
        |call| call.name == "NtClose" && call.text.contains("file 2"),
        Fault::Hang,
    );
    let run = boot(machine);
    assert_eq!(status(&run), Status::SUCCESS);
    let names = names(&only_snapshot(&run.machine));
    assert_eq!((names.len(), names.values().flatten().count()), (5, 4));
}

#[test]
fn after_sixteen_files_that_hang_the_rest_of_the_files_is_left_out_and_nothing_else() {
    let mut machine = with_files(20, |_| true);
    let event = machine.create_unnamed("Event", "an event");
    machine.hold(HOLDER, event, 1);
    let run = boot(machine);
    assert_eq!(status(&run), Status::SUCCESS);
    let snapshot = only_snapshot(&run.machine);
    let names = names(&snapshot);
    assert_eq!((names.len(), names.values().flatten().count()), (17, 1));
    assert_eq!(outcome(&snapshot), Outcome::TRUNCATED);
    assert_eq!(
        left_open(&run),
        BTreeMap::from([("Kernel", 16), ("Event", 32)])
    );
    assert!(run.milliseconds < 4_000, "{} ms", run.milliseconds);
}

/// A live machine with one of everything that is asked of others.
fn one_of_each() -> Machine {
    let mut machine = live();
    machine
        .processes
        .push(Process::ended(900, 348, "ended.exe", 9));
    let held = ["Event", "File", "Directory", "Job"]
        .map(|type_name| machine.create_unnamed(type_name, type_name));
    for object in held {
        machine.hold(HOLDER, object, 0x1F_0003);
    }
    machine.hold(SECOND, process_address(HOLDER), 0x1F_FFFF);
    machine.hold(SECOND, thread_address(SECOND + 4), 0x1F_FFFF);
    machine
}

/// The calls that name what others hold, by whatever thread: from the second handle list to the firmware.
fn naming_calls() -> Vec<Call> {
    let calls = boot(one_of_each()).calls;
    let list = |call: &Call| call.name == "NtQuerySystemInformation" && call.argument == 64;
    let from = calls.iter().rposition(list).unwrap();
    let end = calls
        .iter()
        .skip(from)
        .position(|call| call.name == "NtEnumerateSystemEnvironmentValuesEx");
    let calls = calls[from..from + end.unwrap()].to_vec();
    assert!(calls.len() > 40, "{}", calls.len());
    calls
}

#[test]
fn a_failure_of_any_call_that_names_leaves_a_snapshot_and_everything_closed() {
    for call in naming_calls() {
        for failure in [
            Status::ACCESS_DENIED,
            Status::INFO_LENGTH_MISMATCH,
            Status::NO_MEMORY,
        ] {
            let run = boot(one_of_each().at(call.thread, call.number, Fault::Fail(failure)));
            assert!(
                status(&run) == Status::SUCCESS || call.name == "NtWriteFile",
                "{call:?}"
            );
            // A thread whose waits or events fail is taken for one that hangs.
            if !["NtSetEvent", "NtWaitForSingleObject"].contains(&call.name) {
                run.assert_clean();
            }
        }
    }
}

#[test]
fn a_length_that_lies_while_names_are_asked_is_survived() {
    let lies: [fn(usize) -> usize; 4] = [
        |_| 0,
        |length| length + 1,
        |length| length * 3 + 5,
        |_| usize::MAX,
    ];
    for call in naming_calls().iter().filter(|call| call.answer.is_some()) {
        for lie in lies {
            let run = boot(one_of_each().at(call.thread, call.number, Fault::Length(lie)));
            assert_eq!(status(&run), Status::SUCCESS, "{call:?}");
            run.assert_clean();
            only_snapshot(&run.machine);
        }
    }
}

#[test]
fn running_out_of_memory_while_names_are_asked_leaves_everything_closed() {
    let sound = boot(one_of_each());
    let is_commit = |call: &&Call| call.name == "NtAllocateVirtualMemory" && call.text == "commit";
    let commits = sound.calls.iter().filter(is_commit).count() as u32;
    for allowed in 0..=commits {
        let run = boot(Machine {
            commits: allowed,
            ..one_of_each()
        });
        status(&run);
        run.assert_clean();
    }
}
