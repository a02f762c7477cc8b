//! Processes and threads that have ended and still exist.

use crate::objects::handle_list;
use crate::snapshot::Snapshot;
use crate::{boot, capture, files, snapshot_names, text};
use bootshot::nt::Status;
use bootshot::nt::simulated::{Call, Fault, Machine, Process, process_address, thread_address};
use bootshot_format::{Family, ObjectKind, OpenKind, Outcome, Source};

/// Two ended processes, one of which smss holds, and an ended thread of a process that may be queried.
fn machine() -> Machine {
    let mut machine = Machine::windows11_boot();
    machine
        .processes
        .push(Process::ended(600, 420, "autochk.exe", 0xC000_0001));
    machine
        .processes
        .push(Process::ended(700, 420, "poqexec.exe", 7));
    let own = machine
        .processes
        .iter_mut()
        .find(|process| process.id == 516);
    own.unwrap().ended_threads.insert(5_160, 42);
    // Nobody sees those of a protected process.
    machine.processes[1].ended_threads.insert(48, 43);
    machine.hold(420, process_address(700), 0x1F_FFFF);
    machine
}

/// Addresses of the objects of a kind that were kept, from our own entries in the second handle list.
fn kept(snapshot: &Snapshot, kind: ObjectKind) -> Vec<u64> {
    let own = snapshot.header.process_id;
    let list = handle_list(snapshot, Family::NAMES);
    let items = snapshot.items_of(Source::OBJECT, kind.0);
    let address = |handle: u64| {
        let mut mine = list
            .iter()
            .filter(|entry| (entry.process, entry.value) == (own, handle));
        mine.next()
            .expect("it was open while the list was taken")
            .object
    };
    items
        .iter()
        .map(|item| address(item.header.argument))
        .collect()
}

fn low(address: u64) -> u64 {
    address as usize as u64
}

#[test]
fn ended_processes_are_kept_and_tell_their_exit_status_times_and_image() {
    let (snapshot, run) = capture(machine());
    assert_eq!(
        kept(&snapshot, ObjectKind::PROCESS),
        [low(process_address(600)), low(process_address(700))]
    );
    let answers = |class| snapshot.items_of(Source::PROCESS_HANDLE, class);
    let exit_statuses: Vec<_> = answers(0)
        .iter()
        .map(|item| u32::from_ne_bytes(item.data[..4].try_into().unwrap()))
        .collect();
    assert_eq!(exit_statuses, [0xC000_0001, 7]);
    assert!(
        answers(4)
            .iter()
            .all(|item| item.data.len() == 32 && item.data[8..16] != [0; 8])
    );
    assert!(text(answers(27)[1].data).contains(r"\System32\poqexec.exe"));
    // Who holds them stands in the list under the same address.
    let list = handle_list(&snapshot, Family::NAMES);
    let holders: Vec<_> = list
        .iter()
        .filter(|entry| entry.object == low(process_address(700)) && entry.process != 516)
        .map(|entry| entry.process)
        .collect();
    assert_eq!(holders, [420]);
    // They are no part of the process list, and each was asked only what a limited query allows.
    let next = run
        .calls
        .iter()
        .filter(|call| call.name == "NtGetNextProcess");
    let mut access: Vec<_> = next.map(|call| call.argument).collect();
    access.dedup();
    assert_eq!(access, [0x10_1000, 0x400]);
}

#[test]
fn ended_threads_are_found_where_the_process_may_be_queried() {
    let (snapshot, _) = capture(machine());
    assert_eq!(
        kept(&snapshot, ObjectKind::THREAD),
        [low(thread_address(5_160))]
    );
    let basic = snapshot.items_of(Source::THREAD_HANDLE, 0);
    assert_eq!(basic.len(), 1);
    assert_eq!(basic[0].data[..4], 42u32.to_ne_bytes());
    for class in [1, 9] {
        assert_eq!(
            snapshot.items_of(Source::THREAD_HANDLE, class)[0]
                .header
                .status,
            0
        );
    }
    // Each process that was looked through is kept with what ended the look.
    let looked = snapshot.items_of(Source::OPEN, OpenKind::NEXT_THREAD.0);
    let own = handle_list(&snapshot, Family::NAMES);
    let addresses: Vec<_> = looked
        .iter()
        .map(|item| {
            assert_eq!(item.header.status, Status::NO_MORE_ENTRIES.number());
            let mut mine = own.iter().filter(|entry| entry.process == 516);
            mine.find(|entry| entry.value == item.header.argument)
                .unwrap()
                .object
        })
        .collect();
    assert_eq!(addresses, [516, 600, 700].map(process_address).map(low));
}

#[test]
fn what_ended_each_iteration_is_recorded() {
    let ended_with = |machine| {
        let (snapshot, _) = capture(machine);
        assert_eq!(snapshot.outcomes(Family::ENDED), [Outcome::COMPLETE]);
        let items = snapshot.items_of(Source::OPEN, OpenKind::NEXT_PROCESS.0);
        items
            .iter()
            .map(|item| (item.header.argument, Status::new(item.header.status)))
            .collect::<Vec<_>>()
    };
    let end = Status::NO_MORE_ENTRIES;
    assert_eq!(ended_with(machine()), [(0x10_1000, end), (0x400, end)]);
    let mut old = machine();
    old.missing_calls.insert("NtGetNextProcess");
    let missing = Status::PROCEDURE_NOT_FOUND;
    assert_eq!(ended_with(old), [(0x10_1000, missing), (0x400, missing)]);
    let refused = |call: &Call| call.name == "NtGetNextProcess" && call.argument == 0x10_1000;
    let refused = machine().on(refused, Fault::Fail(Status::ACCESS_DENIED));
    assert_eq!(
        ended_with(refused),
        [(0x10_1000, Status::ACCESS_DENIED), (0x400, end)]
    );
}

#[test]
fn a_look_at_processes_that_takes_too_long_is_cut() {
    let machine = machine()
        .with_command_line("bootshot budget=4000")
        .on(|call| call.name == "NtGetNextProcess", Fault::Late(900));
    let (snapshot, _) = capture(machine);
    assert_eq!(snapshot.outcomes(Family::ENDED), [Outcome::TRUNCATED]);
    assert!(
        snapshot
            .outcomes(Family::NAMES)
            .contains(&Outcome::COMPLETE)
    );
}

#[test]
fn what_has_ended_is_closed_when_the_handle_list_is_not_taken_again() {
    for line in ["bootshot skip=names", "bootshot only=ended"] {
        let (snapshot, _) = capture(machine().with_command_line(line));
        assert_eq!(
            snapshot
                .items_of(Source::OBJECT, ObjectKind::PROCESS.0)
                .len(),
            2
        );
    }
}

#[test]
fn without_memory_the_look_at_what_has_ended_is_cut_and_asks_nothing_with_a_closed_handle() {
    const INVALID_HANDLE: u32 = 0xC000_0008;
    let mut cut = 0;
    for commits in 0..64 {
        let machine = Machine {
            commits,
            ..machine().with_command_line("bootshot only=ended")
        };
        let run = boot(machine);
        let Some(name) = snapshot_names(&run.machine).pop() else {
            continue;
        };
        let snapshot = Snapshot::read(&files(&run.machine)[&name]);
        let ends = [OpenKind::NEXT_PROCESS, OpenKind::NEXT_THREAD]
            .map(|kind| snapshot.items_of(Source::OPEN, kind.0));
        for end in ends.iter().flatten() {
            assert_ne!(end.header.status, INVALID_HANDLE, "{commits} commits");
        }
        let objects = snapshot.items_of(Source::OBJECT, ObjectKind::PROCESS.0);
        let mut objects = objects.iter();
        if objects.any(|item| item.header.status == Status::NO_MEMORY.number()) {
            assert_eq!(snapshot.outcomes(Family::ENDED), [Outcome::TRUNCATED]);
            cut += 1;
        }
    }
    assert_ne!(cut, 0);
}
