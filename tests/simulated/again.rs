//! The boots that follow one in which something broke: what the guard, `done` and the registry make of it.

use crate::{INSUFFICIENT_RESOURCES, boot, files, snapshot_names, status};
use bootshot::nt::Status;
use bootshot::nt::simulated::{
    Call, End, Fault, Machine, Own, Process, Run, SESSION_MANAGER, utf16,
};

const FIRST: u32 = 0;
const WORKER: u32 = 1;

const STATUSES: [Status; 6] = [
    Status::ACCESS_DENIED,
    INSUFFICIENT_RESOURCES,
    Status::DISK_FULL,
    Status::INFO_LENGTH_MISMATCH,
    Status::NOT_IMPLEMENTED,
    Status::OBJECT_NAME_NOT_FOUND,
];

fn is_guarded(machine: &Machine) -> bool {
    files(machine).contains_key("attempt")
}

/// The numbers of the calls that take the guard away: it is opened to be deleted, and deleted.
fn removal(calls: &[Call]) -> Vec<u32> {
    let of_worker = calls.iter().filter(|call| call.thread == WORKER);
    let removal = of_worker.skip_while(|call| call.text != "attempt" || call.argument != 2);
    let numbers = removal.skip(1).filter(|call| {
        call.text == "attempt" || (call.name == "NtSetInformationFile" && call.argument == 13)
    });
    numbers.map(|call| call.number).collect()
}

/// Whether the guard was made and, as far as its directory knows, has not been taken away again.
fn guard_stands_in(calls: &[Call]) -> bool {
    let made = |call: &Call| call.text == "attempt" && call.argument == 2;
    let worker: Vec<_> = calls.iter().filter(|call| call.thread == WORKER).collect();
    // The last call is the one that broke.
    let (_, done) = worker.split_last().expect("the worker was started");
    let Some(made) = done.iter().position(|call| made(call)) else {
        return false;
    };
    let removed = done[made..].windows(3).any(|calls| {
        calls[0].text == "attempt" && calls[1].argument == 13 && calls[2].name == "NtClose"
    });
    !removed
}

/// The same machine, when nothing that was written to the registry so early has reached the disk.
fn next_boot_without_registry(run: Run<Status>, before: &Machine) -> Machine {
    Machine {
        keys: before.keys.clone(),
        ..run.machine.next_boot()
    }
}

#[test]
fn after_a_run_that_did_not_end_the_next_boot_leaves_at_once() {
    let calls = boot(Machine::small()).calls;
    let (mut cases, mut left, mut captured) = (0, 0, 0);
    for call in calls.iter().filter(|call| call.thread == WORKER) {
        for fault in [Fault::Hang, Fault::PowerOff] {
            let first = boot(Machine::small().at(WORKER, call.number, fault));
            let guard_stands = guard_stands_in(&first.calls);
            let mut disks = vec![first.machine.files.clone()];
            if let End::PowerLost = first.end {
                disks = [true, false]
                    .map(|kept| first.machine.files.clone().after_power_loss(|| kept))
                    .into();
            } else {
                assert_eq!(status(&first), Status::TIMEOUT);
                assert_eq!(is_guarded(&first.machine), guard_stands, "{call:?}");
            }
            for files in disks {
                let machine = Machine {
                    files,
                    ..first.machine.clone().next_boot()
                };
                let (guarded, before) = (is_guarded(&machine), crate::files(&machine));
                let second = boot(machine);
                second.assert_clean();
                if guarded {
                    assert_eq!(status(&second), Status::REQUEST_ABORTED);
                    assert_eq!(crate::files(&second.machine), before);
                    left += 1;
                } else {
                    assert_eq!(status(&second), Status::SUCCESS);
                    captured += 1;
                }
                cases += 1;
            }
        }
    }
    println!(
        "{cases} boots after an end that never came: {left} left at once, {captured} captured"
    );
    assert!(left > captured);
}

#[test]
fn after_a_run_that_ended_the_next_boot_captures_unless_the_guard_could_not_be_removed() {
    let calls = boot(Machine::small()).calls;
    let removal = removal(&calls);
    assert_eq!(removal.len(), 2);
    let (mut cases, mut guarded) = (0, 0);
    for call in &calls {
        for failure in STATUSES {
            let machine = Machine::small().at(call.thread, call.number, Fault::Fail(failure));
            let first = boot(machine);
            let (ended, is_guarded) = (status(&first), is_guarded(&first.machine));
            assert!(ended != Status::SUCCESS || !is_guarded, "{call:?}");
            if call.thread == WORKER && removal.contains(&call.number) {
                assert!(is_guarded, "{call:?}");
                assert!(first.console.contains("cannot remove 'attempt'"));
            } else if is_guarded {
                // The worker was not waited for.
                let is_wait = call.name == "NtWaitForSingleObject";
                assert!(is_wait && call.thread == FIRST, "{call:?}");
            }
            let second = boot(first.machine.next_boot());
            let expected = match is_guarded {
                true => Status::REQUEST_ABORTED,
                false => Status::SUCCESS,
            };
            assert_eq!(status(&second), expected, "{call:?}");
            second.assert_clean();
            (cases, guarded) = (cases + 1, guarded + usize::from(is_guarded));
        }
    }
    println!("{cases} boots after a failure, {guarded} of them left at once");
}

/// An entry with `once`, in two lists among others that only look like it.
fn once() -> Machine {
    let mut machine = Machine::small().with_command_line("bootshot once");
    for (list, text) in LISTS {
        machine.set_value(SESSION_MANAGER, list, (7, utf16(text)));
    }
    machine
}

const LISTS: [(&str, &str); 4] = [
    (
        "BootExecute",
        "autocheck autochk *\0bootshot once\0bootshot once more\0\0",
    ),
    ("BootExecuteNoPnpSync", "bootshot\0 bootshot once\0\0"),
    ("SetupExecute", "BOOTSHOT ONCE\0other once\0\0"),
    ("SetupExecuteNoPnpSync", "other\0"),
];

/// The lists without the entry.
const LISTS_AFTER: [&str; 4] = [
    "autocheck autochk *\0bootshot once more\0\0",
    "bootshot\0 bootshot once\0\0",
    "other once\0\0",
    "other\0",
];

/// Every list is as it was, or without the entry; every other value is untouched. Returns in how many the entry stands.
#[track_caller]
fn assert_only_own_entry_gone(machine: &Machine, before: &Machine) -> usize {
    let (mut now, mut was) = (machine.clone(), before.clone());
    let mut standing = 0;
    for ((list, text), after) in LISTS.into_iter().zip(LISTS_AFTER) {
        let list = list.to_lowercase();
        let take = |machine: &mut Machine| {
            let key = machine.key_mut(SESSION_MANAGER).unwrap();
            key.values.remove(&list).unwrap().1
        };
        let value = take(&mut now);
        take(&mut was);
        assert!(
            [text, after].map(|text| (7, utf16(text))).contains(&value),
            "{list}"
        );
        standing += usize::from(text != after && value.1 == utf16(text));
    }
    assert_eq!(now.keys, was.keys);
    standing
}

#[test]
fn once_never_captures_twice_whatever_call_breaks() {
    let sound = boot(once());
    assert_eq!(status(&sound), Status::SUCCESS);
    assert_eq!(assert_only_own_entry_gone(&sound.machine, &once()), 0);
    let (mut cases, mut captured, mut still_listed) = (0, 0, 0);
    let faults = || {
        let failures = STATUSES.map(Fault::Fail);
        failures.into_iter().chain([Fault::Hang, Fault::PowerOff])
    };
    for call in &sound.calls {
        for fault in faults().filter(|_| [FIRST, WORKER].contains(&call.thread)) {
            if call.thread == FIRST && matches!(fault, Fault::Hang) {
                // It asks nothing that could hang.
                continue;
            }
            let mut run = boot(once().at(call.thread, call.number, fault));
            still_listed += assert_only_own_entry_gone(&run.machine, &once());
            if let End::PowerLost = run.end {
                run.machine.files = run.machine.files.after_power_loss(|| cases % 2 == 0);
            }
            for _boot in 0..2 {
                let machine = next_boot_without_registry(run, &once());
                run = boot(machine);
                status(&run);
            }
            let snapshots = snapshot_names(&run.machine);
            assert!(snapshots.len() <= 1, "{call:?} {fault:?}: {snapshots:?}");
            (cases, captured) = (cases + 1, captured + snapshots.len());
        }
    }
    println!(
        "{cases} breaks of a run with once, two boots after each: {captured} snapshots, never two; \
         the entry was left in {still_listed} lists, which changes nothing"
    );
    assert!(captured > cases / 2);
}

#[test]
fn in_safe_mode_boot_entries_leave_at_once_and_a_running_system_is_captured() {
    const TOUCHES: [&str; 6] = [
        "NtCreateFile",
        "NtWriteFile",
        "NtSetInformationFile",
        "NtSetValueKey",
        "NtOpenProcess",
        "NtDisplayString",
    ];
    let safe = |safe_boot_mode: u8, command_line: &str| {
        let mut machine = Machine::small();
        machine.make_space(&Own {
            command_line: command_line.into(),
            safe_boot_mode,
            ..Own::default()
        });
        machine
    };
    // Minimal, with network, and directory services restore.
    for mode in 1..=3 {
        for phase in ["", " phase=bootexecute", " phase=setupexecute"] {
            for skip in ["", " safemode=skip", " once"] {
                let run = boot(safe(mode, &format!("bootshot{phase}{skip}")));
                assert_eq!(status(&run), Status::CANCELLED);
                run.assert_clean();
                assert!(run.calls.iter().all(|call| !TOUCHES.contains(&call.name)));
            }
            crate::capture(safe(mode, &format!("bootshot{phase} safemode=run")));
        }
        crate::capture(safe(mode, "bootshot phase=live"));
        let mut running = safe(mode, "bootshot");
        running.processes.push(Process::new(600, 348, "csrss.exe"));
        crate::capture(running);
    }
}
