//! Ended processes and threads that still exist, with who holds them.

use bootshot_format::{Family, ObjectKind, handle_of};
use bootshot_reader::Snapshot;
use bootshot_reader::records::Zombies;
use serde_json::{Value, json};
use test_snapshots::machine::{self, STARTED, pid};
use test_snapshots::objects::{
    BasicInformation, ListedHandle, ended_process, handle_list, iteration_ended, opened, type_table,
};
use test_snapshots::{Builder, Entry};

fn zombies(file: &[u8]) -> Zombies {
    Snapshot::parse(file).unwrap().zombies().value
}

fn as_json(zombies: &[impl serde::Serialize]) -> Value {
    serde_json::to_value(zombies).unwrap()
}

#[test]
fn an_ended_process_has_exit_status_times_path_and_holders() {
    let zombies = zombies(&machine::machine_at_boot().finish());
    assert_eq!(
        as_json(&zombies.processes)[0],
        json!({
            "pid": 500, "tid": null, "image": "kept.exe", "path": "\\Device\\HarddiskVolume1\\kept.exe",
            "exit_status": "0x00000007", "create_time": "2026-01-02T02:04:05.0000001Z",
            "exit_time": "2026-01-02T02:04:05.0000002Z", "user_time": 300, "kernel_time": 400,
            "holder_count": 3,
            "holders": [
                {"pid": 400, "image": "holder.exe", "handle": "0x48"},
                {"pid": 400, "image": "holder.exe", "handle": "0x4c"},
                {"pid": 300, "image": "smss.exe", "handle": "0x58"},
            ],
        })
    );
}

#[test]
fn what_nobody_holds_is_held_by_the_kernel_only() {
    let zombies = zombies(&machine::machine_at_boot().finish());
    let forgotten = &zombies.processes[1];
    assert_eq!(forgotten.pid, Some(pid::FORGOTTEN));
    assert_eq!(forgotten.exit_status.as_deref(), Some("0xC0000005"));
    assert_eq!(
        forgotten.holders.as_ref().map(Vec::len),
        Some(0),
        "the capture itself does not count"
    );
}

#[test]
fn an_ended_thread_has_its_holders_too() {
    let zombies = zombies(&machine::machine_at_boot().finish());
    let [thread] = &zombies.threads[..] else {
        panic!("{:?}", zombies.threads);
    };
    assert_eq!((thread.pid, thread.tid), (Some(pid::SMSS), Some(777)));
    assert_eq!(thread.image.as_deref(), Some("smss.exe"));
    let holders = thread.holders.as_ref().unwrap();
    assert_eq!(holders[0].pid, pid::HOLDER);
}

#[test]
fn one_that_ended_while_the_capture_ran_is_no_zombie() {
    let zombies = zombies(&machine::machine_at_boot().finish());
    let ids: Vec<_> = zombies.processes.iter().map(|zombie| zombie.pid).collect();
    assert_eq!(ids, [Some(pid::KEPT), Some(pid::FORGOTTEN)]);
    let late = zombies.ended_during_capture.iter().map(|zombie| zombie.pid);
    assert_eq!(late.collect::<Vec<_>>(), [Some(pid::LATE)]);
}

/// Our handle 4 to an ended process, and this process list.
fn with_list(processes: &Entry, exit_status: u32, exited: u64) -> Zombies {
    let mut items = vec![opened(
        ObjectKind::PROCESS,
        4,
        None,
        BasicInformation::default(),
    )];
    items.extend(ended_process(
        4,
        pid::HOLDER,
        exit_status,
        (STARTED, exited),
        "\\x",
    ));
    let mut builder = Builder::with_header(machine::machine_header());
    builder
        .section(Family::PROCESSES, processes)
        .batch(Family::ENDED, &items);
    zombies(&builder.finish())
}

#[test]
fn one_that_the_process_list_shows_running_ended_since() {
    let zombies = with_list(&machine::processes(), 0, STARTED + 9);
    assert!(zombies.processes.is_empty());
    assert_eq!(zombies.ended_during_capture.len(), 1);
}

#[test]
fn one_that_has_not_ended_is_none_at_all() {
    let zombies = with_list(&machine::processes(), 0x103, 0);
    assert!(zombies.processes.is_empty() && zombies.ended_during_capture.is_empty());
}

#[test]
fn without_addresses_holders_are_not_known_rather_than_none() {
    let zombies = zombies(&machine::machine_without_names().finish());
    assert_eq!(zombies.processes.len(), 2);
    assert!(
        zombies
            .processes
            .iter()
            .all(|zombie| zombie.holders.is_none())
    );
}

#[test]
fn the_same_process_behind_several_handles_stands_once() {
    let listed = |pid, handle| ListedHandle {
        pid,
        handle,
        object: 0xF000,
        type_index: 2,
    };
    let mut items = Vec::new();
    for reference in [handle_of(6, 12), handle_of(8, 16)] {
        items.extend(ended_process(reference, 500, 3, (1, 2), "\\a\\b.exe"));
    }
    let mut builder = Builder::new(8);
    builder
        .section(Family::TYPES, &type_table(&["Process"]))
        .section(
            Family::HANDLES,
            &handle_list(&[listed(6, 12), listed(8, 16), listed(8, 20)]),
        )
        .batch(Family::ENDED, &items);
    let zombies = zombies(&builder.finish());
    assert_eq!(zombies.processes.len(), 1);
    let holders = zombies.processes[0].holders.as_ref().unwrap();
    assert_eq!(holders.len(), 3);
}

#[test]
fn where_addresses_are_hidden_those_that_were_asked_are_the_holders() {
    let mut items = Vec::new();
    for reference in [handle_of(6, 12), handle_of(8, 16), handle_of(8, 20)] {
        items.extend(ended_process(reference, 500, 3, (1, 2), "\\a\\b.exe"));
    }
    items.extend(ended_process(
        handle_of(8, 24),
        504,
        3,
        (1, 2),
        "\\a\\b.exe",
    ));
    let mut builder = Builder::new(8);
    builder.batch(Family::ENDED, &items);
    let zombies = zombies(&builder.finish());
    let holders = |zombie: usize| {
        let holders = zombies.processes[zombie].holders.as_ref().unwrap();
        holders
            .iter()
            .map(|holder| (holder.pid, holder.handle.0))
            .collect::<Vec<_>>()
    };
    assert_eq!(zombies.processes.len(), 2);
    assert_eq!(holders(0), [(6, 12), (8, 16), (8, 20)]);
    assert_eq!(holders(1), [(8, 24)]);
}

#[test]
fn those_of_the_holder_that_holds_most_come_first() {
    // 600 is held by a process that holds nothing else, 601 and 602 by one that holds both.
    let mut items = Vec::new();
    let mut handles = Vec::new();
    for (pid, holder) in [(600, 20), (601, 10), (602, 10)] {
        let handle = pid * 4;
        items.extend(ended_process(
            handle_of(holder, handle),
            pid,
            0,
            (1, 2),
            "\\x",
        ));
        handles.push(ListedHandle {
            pid: holder,
            handle,
            object: 0xF000 + pid,
            type_index: 2,
        });
    }
    let mut builder = Builder::new(8);
    builder
        .section(Family::HANDLES, &handle_list(&handles))
        .batch(Family::ENDED, &items);
    let zombies = zombies(&builder.finish());
    let ids = zombies.processes.iter().map(|zombie| zombie.pid.unwrap());
    assert_eq!(ids.collect::<Vec<_>>(), [601, 602, 600]);
}

#[test]
fn a_system_that_cannot_list_ended_processes_is_said_in_words() {
    let mut builder = Builder::new(8);
    builder.batch(Family::ENDED, &[iteration_ended(None, 0xC000_007A)]);
    let file = builder.finish();
    let problems = Snapshot::parse(&file).unwrap().zombies().problems;
    assert_eq!(
        problems[0].actual,
        "a system without NtGetNextProcess (0xC000007A STATUS_PROCEDURE_NOT_FOUND)"
    );
}

#[test]
fn threads_that_could_not_be_looked_at_are_counted_by_process() {
    let file = machine::machine_at_boot().finish();
    let problems = Snapshot::parse(&file).unwrap().zombies().problems;
    let said: Vec<_> = problems
        .iter()
        .map(|problem| (problem.what, &*problem.expected, &*problem.actual))
        .collect();
    assert_eq!(
        said,
        [
            (
                "ended threads",
                "all of them looked at",
                "0xC0000022 STATUS_ACCESS_DENIED, of 1 processes"
            ),
            (
                "ended threads",
                "those of 4 processes looked at",
                "1 that allow it"
            ),
        ]
    );
}

#[test]
fn a_snapshot_without_the_question_says_so() {
    let file = Builder::recorded_x64().finish();
    let problems = Snapshot::parse(&file).unwrap().zombies().problems;
    assert_eq!(problems[0].actual, "not captured");
}
