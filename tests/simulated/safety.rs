//! What keeps bootshot from being the reason that a machine does not start.

use crate::{DIRECTORY, boot, capture, files, only_snapshot, snapshot_names, status};
use bootshot::nt::Status;
use bootshot::nt::simulated::{
    Call, Fault, FileSystem, Machine, Own, Process, SESSION_MANAGER, Security, utf16,
};
use bootshot_format::{Family, Outcome, Source};

fn with_file(name: &str) -> Machine {
    let mut machine = Machine::small();
    machine.files.put(&format!(r"{DIRECTORY}\{name}"), b"");
    machine
}

#[test]
fn a_guard_that_is_found_means_leaving_at_once() {
    for (name, expected) in [
        ("attempt", Status::REQUEST_ABORTED),
        ("off", Status::CANCELLED),
    ] {
        let run = boot(with_file(name));
        assert_eq!(status(&run), expected);
        run.assert_clean();
        assert_eq!(files(&run.machine).into_keys().collect::<Vec<_>>(), [name]);
        assert!(
            run.calls.iter().all(|call| call.name != "NtQueryObject"),
            "it captured all the same"
        );
        assert!(!run.console.is_empty());
    }
}

#[test]
fn on_a_running_system_neither_guard_nor_kill_switch_holds() {
    for name in ["attempt", "off"] {
        let mut machine = with_file(name);
        machine.processes.push(Process::new(600, 348, "csrss.exe"));
        let (_, run) = capture(machine);
        assert!(files(&run.machine).contains_key(name));
    }
}

#[test]
fn the_guard_stands_on_the_disk_while_questions_are_asked_and_goes_at_the_end() {
    let off = Machine::small().on(|call| call.name == "NtQueryObject", Fault::PowerOff);
    let disk = boot(off).machine.files.after_power_loss(|| false);
    assert!(disk.list(DIRECTORY).unwrap().contains_key("attempt"));
    let (_, run) = capture(Machine::small());
    assert!(!files(&run.machine).contains_key("attempt"));
}

#[test]
fn a_disk_with_less_than_64_mib_free_is_left_alone() {
    let full = Machine {
        files: FileSystem::ntfs((64 << 20) - 0x1000),
        ..Machine::small()
    };
    let run = boot(full);
    assert_eq!(status(&run), Status::DISK_FULL);
    run.assert_clean();
    assert!(files(&run.machine).is_empty());
    assert!(run.console.contains("64 MiB"), "{}", run.console);
    capture(Machine {
        files: FileSystem::ntfs(65 << 20),
        ..Machine::small()
    });
}

#[test]
fn a_disk_that_fills_up_meanwhile_gets_its_room_back() {
    let writes =
        |call: &bootshot::nt::simulated::Call| call.name == "NtWriteFile" && call.argument > 1000;
    let run = boot(Machine::small().on(writes, Fault::Fail(Status::DISK_FULL)));
    assert_eq!(status(&run), Status::DISK_FULL);
    run.assert_clean();
    assert_eq!(
        files(&run.machine).into_keys().collect::<Vec<_>>(),
        ["sequence-00000001"]
    );
}

#[test]
fn a_question_that_always_wants_more_room_is_asked_ten_times() {
    let never_enough = |status| {
        Machine::small().on(
            |call| call.name == "NtQuerySystemInformation" && call.argument == 64,
            status,
        )
    };
    for fault in [
        Fault::Fail(Status::INFO_LENGTH_MISMATCH),
        Fault::FailWithLength(Status::INFO_LENGTH_MISMATCH, 17),
        Fault::FailWithLength(Status::BUFFER_OVERFLOW, usize::MAX),
    ] {
        let (snapshot, run) = capture(never_enough(fault));
        let asked = run
            .calls
            .iter()
            .filter(|call| call.name == "NtQuerySystemInformation" && call.argument == 64)
            .count();
        // Asked twice: for the handles, and again with what was opened meanwhile.
        let sections = snapshot.sections.iter();
        let sections: Vec<_> = sections
            .filter(|section| {
                (section.begin.source, section.begin.class) == (Source::SYSTEM_INFORMATION, 64)
            })
            .map(|section| &section.end)
            .collect();
        assert_eq!(sections.len(), 2);
        assert!(sections.iter().all(|end| (1..=10).contains(&end.tries)));
        assert!(sections.iter().all(|end| end.outcome != Outcome::COMPLETE));
        assert_eq!(
            sections
                .iter()
                .map(|end| usize::from(end.tries))
                .sum::<usize>(),
            asked
        );
        // The other class answers in its place.
        assert!(snapshot.raw(Source::SYSTEM_INFORMATION, 16).is_some());
    }
}

#[test]
fn a_question_of_one_length_that_is_another_is_given_up_at_little_cost() {
    /// `SystemBootEnvironmentInformation`.
    const CLASS: u64 = 90;
    let is_it = |call: &Call| call.name == "NtQuerySystemInformation" && call.argument == CLASS;
    let shorter = Fault::FailWithLength(Status::INFO_LENGTH_MISMATCH, 24);
    let (snapshot, run) = capture(Machine::small().on(is_it, shorter));
    assert_eq!(run.calls.iter().filter(|call| is_it(call)).count(), 2);
    let item = &snapshot.items_of(Source::SYSTEM_INFORMATION, CLASS as u32)[0];
    assert_eq!(
        (item.header.outcome, item.header.tries),
        (Outcome::FAILED, 2)
    );
}

#[test]
fn after_a_hang_the_next_boot_leaves_at_once_until_the_guard_is_cleared() {
    let hanging = Machine::small().on(|call| call.name == "NtQueryObject", Fault::Hang);
    let first = boot(hanging);
    assert_eq!(status(&first), Status::TIMEOUT);
    let snapshot = only_snapshot(&first.machine);
    assert_eq!(snapshot.outcomes(Family::HANDLES)[0], Outcome::COMPLETE);
    let second = boot(first.machine.next_boot());
    assert_eq!(status(&second), Status::REQUEST_ABORTED);
    let mut machine = second.machine.next_boot();
    machine.files.remove(&format!(r"{DIRECTORY}\attempt"));
    let third = boot(machine);
    assert_eq!(status(&third), Status::SUCCESS);
    assert_eq!(snapshot_names(&third.machine).len(), 2);
}

#[test]
fn a_directory_that_others_may_write_to_or_that_leads_elsewhere_is_refused() {
    let mut open_to_all = with_file("anything");
    open_to_all
        .files
        .set_security(DIRECTORY, Security::of_nothing());
    let mut link = Machine::small();
    link.files.link(DIRECTORY, "elsewhere");
    for machine in [open_to_all, link] {
        for command_line in ["bootshot", "bootshot once", "bootshot phase=live"] {
            let machine = machine.clone().with_command_line(command_line);
            let before = files(&machine);
            let run = boot(machine);
            assert!(!status(&run).is_success());
            run.assert_clean();
            assert!(run.console.contains("directory"), "{}", run.console);
            assert_eq!(files(&run.machine), before);
            let writes = ["NtWriteFile", "NtSetInformationFile", "NtSetValueKey"];
            assert!(run.calls.iter().all(|call| !writes.contains(&call.name)));
            let created = |call: &&bootshot::nt::simulated::Call| call.name == "NtCreateFile";
            assert_eq!(run.calls.iter().filter(created).count(), 1);
        }
    }
}

#[test]
fn in_safe_mode_nothing_is_touched_unless_it_is_asked_for() {
    let in_safe_mode = |command_line: &str| {
        let mut machine = Machine::small();
        machine.make_space(&Own {
            command_line: command_line.into(),
            safe_boot_mode: 1,
            ..Own::default()
        });
        machine
    };
    let run = boot(in_safe_mode("bootshot"));
    assert_eq!(status(&run), Status::CANCELLED);
    run.assert_clean();
    assert!(run.machine.files.list(DIRECTORY).is_none());
    capture(in_safe_mode("bootshot safemode=run"));
}

#[test]
fn once_takes_one_snapshot_and_its_own_entry_out_of_the_list() {
    let entry = "bootshot once";
    let mut machine = Machine::small().with_command_line(entry);
    let list = utf16("autocheck autochk *\0BOOTSHOT once\0bootshot once more\0\0");
    machine.set_value(SESSION_MANAGER, "BootExecute", (7, list));
    let (_, run) = capture(machine);
    let left = utf16("autocheck autochk *\0bootshot once more\0\0");
    let value = run.machine.value(SESSION_MANAGER, "BootExecute");
    assert_eq!(value, Some(&(7, left)));
    // The registry forgets what is written this early when the machine is reset at once; the file does not.
    let again = boot(run.machine.next_boot());
    assert_eq!(status(&again), Status::ALREADY_COMPLETE);
    again.assert_clean();
    assert_eq!(snapshot_names(&again.machine).len(), 1);
}
