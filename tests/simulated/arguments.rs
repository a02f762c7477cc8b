//! What the command line changes.

use crate::{boot, capture, files, snapshot_names, status};
use bootshot::nt::Status;
use bootshot::nt::simulated::{Fault, Machine, Process};
use bootshot_format::{Family, NoteKind, Outcome, Phase, PhaseSource};

fn started_as(command_line: &str) -> Machine {
    Machine::small().with_command_line(command_line)
}

#[test]
fn a_given_phase_is_believed() {
    for phase in [Phase::BOOT_EXECUTE, Phase::SETUP_EXECUTE, Phase::LIVE] {
        let (snapshot, _) = capture(started_as(&format!("bootshot phase={}", phase.name())));
        let header = &snapshot.header;
        assert_eq!(
            (header.phase, header.phase_source),
            (phase, PhaseSource::ARGUMENT)
        );
    }
}

#[test]
fn snapshots_go_to_the_directory_that_is_named() {
    let run = boot(started_as(r"bootshot dir=\??\C:\Elsewhere"));
    assert_eq!(status(&run), Status::SUCCESS);
    run.assert_clean();
    assert!(run.machine.files.list(crate::DIRECTORY).is_none());
    let there = run.machine.files.list("Elsewhere").unwrap();
    assert!(
        there.keys().any(|name| name.ends_with(".bshot")),
        "{:?}",
        there.keys()
    );
}

#[test]
fn a_directory_that_cannot_be_made_is_said_and_ends_the_run() {
    for directory in [r"\??\C:\missing\below", r"\??\X:\there", r"\nowhere"] {
        let run = boot(started_as(&format!("bootshot dir={directory}")));
        assert!(!status(&run).is_success());
        run.assert_clean();
        assert!(run.console.contains(directory), "{}", run.console);
    }
}

#[test]
fn families_left_out_are_recorded_as_left_out() {
    let chosen = [Family::OWN, Family::HANDLES, Family::TYPES];
    for (argument, only) in [("only=handles,types", true), ("skip=handles,types", false)] {
        let (snapshot, run) = capture(started_as(&format!("bootshot {argument}")));
        for family in Family::ALL {
            let wanted = family == Family::OWN || chosen.contains(&family) == only;
            let skipped = snapshot.outcomes(family) == [Outcome::SKIPPED_BY_ARGUMENT];
            assert_eq!(skipped, !wanted, "{argument}: {}", family.name());
        }
        let modules_asked = run
            .calls
            .iter()
            .any(|call| call.name == "NtQuerySystemInformation" && call.argument == 77);
        assert_eq!(modules_asked, !only);
    }
}

#[test]
fn quiet_says_nothing_and_verbose_has_a_line_for_each_family() {
    let (_, run) = capture(started_as("bootshot quiet"));
    assert_eq!(run.console, "");
    let (_, run) = capture(started_as("bootshot verbose"));
    for family in Family::ALL {
        let asked = family != Family::IMAGES;
        assert_eq!(
            run.console.contains(&format!("\n  {} ", family.name())),
            asked,
            "{}",
            run.console
        );
    }
}

#[test]
fn what_is_not_understood_is_said_and_recorded_and_costs_nothing() {
    let (snapshot, run) = capture(started_as("bootshot keep=none phase=never dir=C:\\x what"));
    let bad = ["keep=none", "phase=never", "dir=C:\\x", "what"];
    assert_eq!(snapshot.notes(NoteKind::BAD_ARGUMENT), bad);
    for word in bad {
        assert!(run.console.contains(word), "{}", run.console);
    }
    assert_eq!(snapshot.header.phase_source, PhaseSource::OBSERVED);
}

#[test]
fn the_keywords_that_smss_leaves_are_no_arguments() {
    for entry in [
        "autocheck bootshot quiet",
        r"AutoCheck async \??\C:\Windows\System32\bootshot.exe quiet",
    ] {
        let (snapshot, run) = capture(started_as(entry));
        assert!(snapshot.notes(NoteKind::BAD_ARGUMENT).is_empty());
        assert_eq!(run.console, "");
    }
}

#[test]
fn a_spent_budget_skips_what_is_left() {
    let slow = started_as("bootshot budget=500").on(
        |call| call.name == "NtQuerySystemInformation" && call.argument == 77,
        Fault::Late(1000),
    );
    let (snapshot, _) = capture(slow);
    assert_eq!(snapshot.outcomes(Family::HANDLES)[0], Outcome::COMPLETE);
    assert_eq!(snapshot.outcomes(Family::MODULES)[0], Outcome::COMPLETE);
    for family in [Family::SYSTEM, Family::REGISTRY, Family::DETAILS] {
        assert_eq!(
            snapshot.outcomes(family),
            [Outcome::SKIPPED_BY_BUDGET],
            "{}",
            family.name()
        );
    }
}

#[test]
fn a_family_of_many_questions_stops_when_its_half_of_the_budget_is_spent() {
    let mut slow = started_as("bootshot budget=500");
    for id in 0..100 {
        slow.processes
            .push(Process::new(1000 + id * 4, 348, "slow.exe"));
    }
    let slow = slow.on(|call| call.name == "NtOpenProcess", Fault::Late(10));
    let (snapshot, run) = capture(slow);
    assert_eq!(snapshot.outcomes(Family::DETAILS), [Outcome::TRUNCATED]);
    let opened = run.calls.iter().filter(|call| call.name == "NtOpenProcess");
    assert!((20..40).contains(&opened.count()));
    assert!(run.milliseconds < 500, "{} ms", run.milliseconds);
    let details = snapshot.sections.iter();
    let mut details = details.filter(|section| section.begin.family == Family::DETAILS);
    assert!(!details.next().unwrap().items().is_empty());
    for family in [Family::PROCESSES, Family::HANDLES, Family::SYSTEM] {
        let outcomes = snapshot.outcomes(family);
        assert!(!outcomes.contains(&Outcome::SKIPPED_BY_BUDGET));
    }
}

#[test]
fn the_newest_are_kept_and_the_lowest_numbers_go_first() {
    let mut machine = started_as("bootshot keep=3");
    // Numbers, not times, tell which is older: the clock can be wrong at boot.
    for name in [
        "00000005-20300101T000000Z-live.bshot",
        "00000007-20200101T000000Z-live.bshot",
    ] {
        machine
            .files
            .put(&format!(r"{}\{name}", crate::DIRECTORY), b"old");
    }
    machine.files.put(
        &format!(r"{}\00000006-20250101T000000Z-live.bshot", crate::DIRECTORY),
        b"old",
    );
    machine
        .files
        .put(&format!(r"{}\notes.txt", crate::DIRECTORY), b"not ours");
    let run = boot(machine);
    assert_eq!(status(&run), Status::SUCCESS);
    run.assert_clean();
    let names = snapshot_names(&run.machine);
    let numbers: Vec<_> = names.iter().map(|name| &name[..8]).collect();
    assert_eq!(numbers, ["00000006", "00000007", "00000008"]);
    assert!(files(&run.machine).contains_key("notes.txt"));
}

/// A machine with so many snapshots, numbered from 1 on.
fn with_snapshots(command_line: &str, count: u32) -> Machine {
    let mut machine = started_as(command_line);
    for number in 1..=count {
        let name = format!(
            r"{}\{number:08}-20250101T000000Z-live.bshot",
            crate::DIRECTORY
        );
        machine.files.put(&name, b"old");
    }
    machine
}

#[test]
fn of_many_too_many_some_go_in_each_run() {
    let machine = with_snapshots("bootshot keep=3", 100);
    let run = boot(machine);
    assert_eq!(status(&run), Status::SUCCESS);
    let names = snapshot_names(&run.machine);
    assert_eq!((names.len(), &names[0][..8]), (37, "00000065"));
    let run = boot(run.machine.next_boot());
    assert_eq!(snapshot_names(&run.machine).len(), 3);
}

#[test]
fn one_that_cannot_go_keeps_no_other() {
    let machine = with_snapshots("bootshot keep=1", 3);
    let run = boot(machine.on(
        |call| call.text.starts_with("00000001-"),
        Fault::Fail(Status::ACCESS_DENIED),
    ));
    assert_eq!(status(&run), Status::ACCESS_DENIED);
    let names = snapshot_names(&run.machine);
    let numbers: Vec<_> = names.iter().map(|name| &name[..8]).collect();
    assert_eq!(numbers, ["00000001", "00000004"]);
    let told = run.console.contains("cannot remove all old snapshots");
    assert!(told, "{}", run.console);
}

#[test]
fn the_snapshot_just_taken_is_never_the_one_that_goes() {
    let mut machine = started_as("bootshot keep=1");
    for _ in 0..3 {
        let run = boot(machine);
        assert_eq!(status(&run), Status::SUCCESS);
        assert_eq!(snapshot_names(&run.machine).len(), 1);
        machine = run.machine.next_boot();
    }
    assert!(snapshot_names(&machine)[0].starts_with("00000003-"));
}

#[test]
fn numbers_go_on_when_snapshots_are_taken_away() {
    let first = boot(Machine::small());
    let mut machine = first.machine.next_boot();
    let taken = snapshot_names(&machine).remove(0);
    machine
        .files
        .remove(&format!(r"{}\{taken}", crate::DIRECTORY));
    let second = boot(machine);
    assert!(snapshot_names(&second.machine)[0].starts_with("00000002-"));
}

#[test]
fn one_mark_of_the_highest_number_stays() {
    let mut machine = Machine::small();
    // As a loss of power, or a mark that could not go, leaves them.
    for number in [3, 9, 10] {
        let name = format!(r"{}\sequence-{number:08}", crate::DIRECTORY);
        machine.files.put(&name, b"");
    }
    let run = boot(machine);
    assert_eq!(status(&run), Status::SUCCESS);
    let names: Vec<_> = files(&run.machine).into_keys().collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[0].starts_with("00000011-"), "{names:?}");
    assert_eq!(names[1], "sequence-00000011");
}
