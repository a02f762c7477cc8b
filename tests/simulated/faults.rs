//! Everything that can go wrong, one call at a time.

use crate::snapshot::Snapshot;
use crate::{INSUFFICIENT_RESOURCES, boot, files, status};
use bootshot::nt::Status;
use bootshot::nt::simulated::{Call, End, Fault, FileSystem, Machine, Process, Run};
use bootshot_format::{Family, FinishedBy, Outcome, Source};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Thread numbers of a run: the one smss waits for, and the one that does the work.
const FIRST: u32 = 0;
const WORKER: u32 = 1;

/// Calls that a thread makes on a sound machine.
fn calls_of(thread: u32) -> Vec<Call> {
    let mut calls = boot(Machine::small()).calls;
    calls.retain(|call| call.thread == thread);
    calls
}

/// Whether a call asks if the directory may be written to, before the guard is put up: an answer that cannot be trusted
/// means that it may not.
fn is_condition(call: &Call, calls: &[Call]) -> bool {
    let guard =
        |call: &&Call| call.name == "NtCreateFile" && call.text == "attempt" && call.argument == 2;
    let guard = calls.iter().find(guard).expect("there is a guard");
    let conditions = [
        "NtQueryInformationFile",
        "NtQuerySecurityObject",
        "NtQueryVolumeInformationFile",
    ];
    call.number < guard.number && conditions.contains(&call.name)
}

/// Every finished snapshot on the disk reads strictly; returns who finished each.
#[track_caller]
fn finished(machine: &Machine) -> Vec<FinishedBy> {
    let finished = files(machine)
        .into_iter()
        .filter(|(name, _)| name.ends_with(".bshot"));
    finished
        .map(|(_, bytes)| Snapshot::read(&bytes).trailer.finished_by)
        .collect()
}

/// Machines that each have one fault, all of which are tried before the first failure counts.
#[derive(Default)]
struct Cases {
    tried: usize,
    failed: Vec<String>,
}

impl Cases {
    /// Boots the machine and checks what came of it; 0 when the check failed.
    fn check(
        &mut self,
        call: &Call,
        machine: Machine,
        check: impl FnOnce(Run<Status>) -> usize,
    ) -> usize {
        self.tried += 1;
        let result = catch_unwind(AssertUnwindSafe(|| check(boot(machine))));
        result.unwrap_or_else(|_| {
            let Call {
                thread,
                number,
                name,
                argument,
                text,
                ..
            } = call;
            self.failed.push(format!(
                "thread {thread}, call {number}: {name} {argument:#x} {text}"
            ));
            0
        })
    }
}

impl Drop for Cases {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(
                self.failed.is_empty(),
                "of {} cases failed:\n{}",
                self.tried,
                self.failed.join("\n")
            );
        }
    }
}

#[test]
fn a_hang_in_any_call_of_the_worker_ends_in_time_with_a_whole_snapshot_or_none() {
    /// Milliseconds: budget, grace and the finisher's own limit.
    const LIMIT: u64 = 21_000;
    let (mut cases, mut with_snapshot, calls) = (Cases::default(), 0, calls_of(WORKER));
    for call in &calls {
        with_snapshot += cases.check(
            call,
            Machine::small().at(WORKER, call.number, Fault::Hang),
            |run| {
                assert_eq!(status(&run), Status::TIMEOUT);
                assert!(run.milliseconds <= LIMIT, "{} ms", run.milliseconds);
                let finished = finished(&run.machine).len();
                let said_no = run.console.contains("nothing could be finished");
                assert!(finished == 0 || !said_no, "{}", run.console);
                finished
            },
        );
    }
    println!(
        "{} hangs, {with_snapshot} of them with a finished snapshot",
        calls.len()
    );
    // The worker hangs in a write of its own now and then; elsewhere the finisher takes over.
    assert!(
        with_snapshot > calls.len() / 2,
        "{with_snapshot} of {}",
        calls.len()
    );
}

#[test]
fn a_hang_of_the_finisher_as_well_ends_in_time() {
    let hanging = || Machine::small().on(|call| call.name == "NtQueryObject", Fault::Hang);
    let calls = boot(hanging())
        .calls
        .iter()
        .filter(|call| call.thread == 2)
        .count();
    assert_ne!(calls, 0);
    for number in 0..calls {
        let run = boot(hanging().at(2, number as u32, Fault::Hang));
        assert_eq!(status(&run), Status::TIMEOUT);
        assert!(run.milliseconds <= 21_000, "{} ms", run.milliseconds);
        finished(&run.machine);
    }
    println!("{calls} hangs of the finisher");
}

#[test]
fn a_worker_that_wakes_up_leaves_the_finisher_its_directory() {
    let questions = calls_of(WORKER);
    let question = questions.iter().find(|call| call.name == "NtOpenProcess");
    let slow = Machine::small()
        .at(WORKER, question.unwrap().number, Fault::Late(16_000))
        .on(
            |call| call.thread == 2 && call.name == "NtFlushBuffersFile",
            Fault::Late(2_000),
        );
    let run = boot(slow);
    assert_eq!(status(&run), Status::TIMEOUT);
    assert_eq!(finished(&run.machine), [FinishedBy::FINISHER]);
}

#[test]
fn the_question_that_a_capture_hangs_in_stands_in_the_snapshot_as_torn() {
    /// Lists of processes, handles, modules: each a section of its own.
    const CLASSES: [u32; 3] = [57, 64, 77];
    for class in CLASSES {
        let asked = calls_of(WORKER);
        let mut asked = asked.iter().filter(|call| {
            (call.name, call.argument) == ("NtQuerySystemInformation", u64::from(class))
        });
        let run = boot(Machine::small().at(WORKER, asked.next().unwrap().number, Fault::Hang));
        assert_eq!(finished(&run.machine), [FinishedBy::FINISHER]);
        let snapshot = crate::only_snapshot(&run.machine);
        let sections = snapshot.sections.iter();
        let torn: Vec<_> = sections
            .filter(|section| section.end.outcome == Outcome::TORN)
            .map(|section| (section.begin.source, section.begin.class))
            .collect();
        assert_eq!(torn, [(Source::SYSTEM_INFORMATION, class)]);
    }
}

#[test]
fn once_nothing_can_be_written_nothing_is_asked() {
    let is_large = |call: &Call| call.name == "NtWriteFile" && call.argument > 1000;
    let mut machine = Machine::small();
    // More than is gathered before it is written.
    let select = r"\Registry\Machine\System\Select";
    machine.set_value(select, "large", (3, vec![0; 0x2_0000]));
    let run = boot(machine.on(is_large, Fault::Fail(Status::DISK_FULL)));
    let refused = run.calls.iter().position(is_large).unwrap();
    let behind: Vec<_> = run.calls[refused..].iter().map(|call| call.name).collect();
    assert!(!behind.contains(&"NtQuerySystemInformation"), "{behind:?}");
    assert!(behind.len() < 40, "{behind:?}");
}

#[test]
fn the_first_thread_asks_nothing_that_could_hang() {
    let mut names: Vec<_> = calls_of(FIRST).iter().map(|call| call.name).collect();
    names.sort_unstable();
    names.dedup();
    // Memory, its own process, and waiting: no file, no registry, no other process.
    let harmless = [
        "NtAllocateVirtualMemory",
        "NtClose",
        "NtFreeVirtualMemory",
        "NtQueryInformationProcess",
        "NtReadVirtualMemory",
        "NtSetInformationProcess",
        "NtWaitForSingleObject",
        "RtlCreateUserThread",
    ];
    assert!(
        names.iter().all(|name| harmless.contains(name)),
        "{names:?}"
    );
}

#[test]
fn a_failure_of_any_call_ends_the_run_with_a_whole_snapshot_or_none_and_everything_closed() {
    let statuses = [
        Status::ACCESS_DENIED,
        INSUFFICIENT_RESOURCES,
        Status::DISK_FULL,
        Status::INFO_LENGTH_MISMATCH,
        Status::NOT_IMPLEMENTED,
        Status::BUFFER_OVERFLOW,
        Status::OBJECT_NAME_NOT_FOUND,
    ];
    let (mut cases, mut with_snapshot) = (Cases::default(), 0);
    for thread in [FIRST, WORKER] {
        for call in &calls_of(thread) {
            for failure in statuses {
                let Call {
                    number,
                    name,
                    argument,
                    ..
                } = *call;
                let fault = Fault::Fail(failure);
                let once = Machine::small().at(thread, number, fault);
                // A question that never gets enough room would take all of the host's memory.
                let limited = Machine {
                    commit_limit: 16 << 20,
                    ..Machine::small()
                };
                let for_ever = limited.on(
                    move |call| {
                        (call.thread, call.name, call.argument) == (thread, name, argument)
                            && call.number >= number
                    },
                    fault,
                );
                for machine in [once, for_ever] {
                    with_snapshot += cases.check(call, machine, |run| {
                        status(&run);
                        // When the wait itself fails, the worker is cut off with the process.
                        if call.name != "NtWaitForSingleObject" {
                            run.assert_clean();
                        }
                        finished(&run.machine).len()
                    });
                }
            }
        }
    }
    println!(
        "{} failures, {with_snapshot} of them with a finished snapshot",
        cases.tried
    );
    assert!(
        with_snapshot > cases.tried * 3 / 4,
        "{with_snapshot} of {}",
        cases.tried
    );
}

#[test]
fn a_question_that_fails_never_costs_the_snapshot() {
    let (mut cases, calls) = (Cases::default(), calls_of(WORKER));
    for call in &calls {
        let is_question = call.answer.is_some() && call.name != "NtQueryDirectoryFile"
            || call.name.starts_with("NtOpen");
        if is_question && !is_condition(call, &calls) {
            let machine =
                Machine::small().at(WORKER, call.number, Fault::Fail(Status::UNSUCCESSFUL));
            cases.check(call, machine, |run| {
                assert_eq!(status(&run), Status::SUCCESS);
                assert_eq!(finished(&run.machine), [FinishedBy::CAPTURE]);
                1
            });
        }
    }
    println!("{} questions", cases.tried);
}

#[test]
fn a_length_that_lies_is_survived_wherever_it_comes_from() {
    let lies: [fn(usize) -> usize; 7] = [
        |_| 0,
        |_| 1,
        |length| length.saturating_sub(1),
        |length| length + 1,
        |length| length * 3 + 5,
        |_| u32::MAX as usize,
        |_| usize::MAX,
    ];
    let (mut cases, calls) = (Cases::default(), calls_of(WORKER));
    for call in calls.iter().filter(|call| call.answer.is_some()) {
        let is_condition = is_condition(call, &calls);
        for lie in lies {
            let machine = Machine::small().at(WORKER, call.number, Fault::Length(lie));
            cases.check(call, machine, |run| {
                let refused = is_condition && status(&run) != Status::SUCCESS;
                assert!(refused || status(&run) == Status::SUCCESS);
                run.assert_clean();
                let expected: &[_] = if refused { &[] } else { &[FinishedBy::CAPTURE] };
                assert_eq!(finished(&run.machine), expected);
                1
            });
        }
    }
    println!("{} lies", cases.tried);
}

#[test]
fn running_out_of_memory_at_any_commit_leaves_a_whole_snapshot_or_none() {
    let sound = boot(Machine::small());
    let is_commit = |call: &&Call| call.name == "NtAllocateVirtualMemory" && call.text == "commit";
    let commits = sound.calls.iter().filter(is_commit).count() as u32;
    for allowed in 0..=commits {
        let run = boot(Machine {
            commits: allowed,
            ..Machine::small()
        });
        let ended = status(&run);
        run.assert_clean();
        let finished = finished(&run.machine).len();
        assert_eq!(
            finished,
            usize::from(ended == Status::SUCCESS),
            "{allowed} commits: {ended:x?}"
        );
    }
    println!("{commits} commits refused, each in its turn");
}

/// Commit that a run may need beside the largest single answer.
const MEMORY: usize = 8 << 20;

/// Far more than any machine has at boot: 2,000 processes and 300,000 handles.
fn huge() -> Machine {
    // The limit is in real time too, which a busy host needs more of.
    let mut machine = Machine::small().with_command_line("bootshot budget=50000");
    let processes = (0..2_000).map(|n| Process::new(1_000 + 4 * n, 348, "service.exe"));
    machine.processes.extend(processes);
    let entry = machine.handles[0];
    machine.handles.resize(300_000, entry);
    machine
}

#[test]
fn beside_the_largest_answer_a_run_needs_less_than_8_mib() {
    let (snapshot, run) = crate::capture(huge());
    let answers = run.calls.iter().filter_map(|call| call.answer.as_ref());
    let largest = answers.map(|answer| answer.bytes.len()).max().unwrap();
    println!(
        "peak commit {} KiB, largest answer {} KiB",
        run.peak_commit >> 10,
        largest >> 10
    );
    assert!(largest > 300_000 * 3 * size_of::<usize>());
    assert!(run.peak_commit < largest + MEMORY);
    for family in Family::ALL {
        let outcomes = snapshot.outcomes(family);
        assert!(!outcomes.contains(&Outcome::TRUNCATED), "{}", family.name());
    }
}

#[test]
fn a_kernel_that_never_says_how_much_it_wants_does_not_get_all_memory() {
    let wants_more = Fault::FailWithLength(Status::INFO_LENGTH_MISMATCH, 0);
    let machine = Machine::small().on(|call| call.name == "NtQuerySystemInformation", wants_more);
    let run = boot(machine);
    // The buffer is doubled up to 32 MiB, beside it there is little.
    assert!(run.peak_commit < (32 << 20) + MEMORY, "{}", run.peak_commit);
    assert!(run.peak_commit > 16 << 20, "{}", run.peak_commit);
}

#[test]
fn what_does_not_fit_into_memory_is_said_and_the_rest_is_written() {
    const LIMIT: usize = 4 << 20;
    let machine = Machine {
        commit_limit: LIMIT,
        ..huge()
    };
    let (snapshot, run) = crate::capture(machine);
    assert!(run.peak_commit <= LIMIT);
    for class in [64, 16] {
        let handles = snapshot.raw(Source::SYSTEM_INFORMATION, class).unwrap();
        assert_eq!(handles.end.outcome, Outcome::FAILED, "class {class}");
        // STATUS_COMMITMENT_LIMIT, as the allocation said, and the length that it was for.
        assert_eq!(handles.end.status, 0xC000_012D);
        assert!(handles.end.returned_length > LIMIT as u64);
    }
    for family in [Family::MODULES, Family::SYSTEM, Family::DETAILS] {
        let outcomes = snapshot.outcomes(family);
        assert!(outcomes.contains(&Outcome::COMPLETE), "{}", family.name());
    }
}

/// The next boot after the power failed in the middle of a run.
fn boot_again(run: Run<Status>) -> Run<Status> {
    assert!(matches!(run.end, End::PowerLost), "{:?}", run.end);
    let files = run.machine.files.clone().after_power_loss(|| false);
    boot(Machine {
        files,
        ..run.machine.next_boot()
    })
}

#[test]
fn a_loss_of_power_at_any_call_leaves_a_disk_that_the_next_boot_copes_with() {
    for disk in [FileSystem::ntfs(1 << 30), FileSystem::fat32(1 << 30)] {
        let (mut cases, mut stopped, mut kept) = (Cases::default(), 0, 0);
        let sound = boot(Machine {
            files: disk.clone(),
            ..Machine::small()
        });
        for call in &sound.calls {
            let machine = Machine {
                files: disk.clone(),
                ..Machine::small()
            };
            cases.check(
                call,
                machine.at(call.thread, call.number, Fault::PowerOff),
                |run| {
                    let on_disk = Machine {
                        files: run.machine.files.clone().after_power_loss(|| false),
                        ..Machine::small()
                    };
                    let guarded = files(&on_disk).contains_key("attempt");
                    let before = finished(&on_disk).len();
                    let next = boot_again(run);
                    let expected = if guarded {
                        Status::REQUEST_ABORTED
                    } else {
                        Status::SUCCESS
                    };
                    assert_eq!(status(&next), expected, "{:?}", files(&on_disk).keys());
                    next.assert_clean();
                    assert_eq!(
                        finished(&next.machine).len(),
                        before + usize::from(!guarded)
                    );
                    stopped += usize::from(guarded);
                    kept += before;
                    1
                },
            );
        }
        println!(
            "{:?}: {} losses of power, {stopped} found their guard at the next boot, {kept} kept the snapshot",
            disk.kind, cases.tried
        );
        assert!(stopped > 100 && kept > 0);
    }
}
