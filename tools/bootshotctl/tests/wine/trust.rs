//! What a simulation cannot show: a hang that is real, and a system that changes while it is photographed.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use bootshot_reader::{Completeness, Condition, Snapshot};

use crate::machine::{Machine, bootshot};

/// The low byte of `STATUS_TIMEOUT`: all of an exit status that Unix hands on.
const TIMEOUT: i32 = 0x02;

/// What a run that hangs may take before it is said to hang for ever: many times its budget and the grace behind that.
const PATIENCE: Duration = Duration::from_secs(300);

/// A pipe with `room` bytes left in it.
fn nearly_full_pipe(room: usize) -> (PipeReader, PipeWriter) {
    const O_NONBLOCK: i32 = 0o4000;
    const PAGE: usize = 4096;
    let (mut reader, writer) = pipe().unwrap();
    let mut filler = OpenOptions::new()
        .write(true)
        .custom_flags(O_NONBLOCK)
        .open(format!("/proc/self/fd/{}", writer.as_raw_fd()))
        .unwrap();
    let full = loop {
        if let Err(error) = filler.write_all(&[b'.'; PAGE]) {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    // Room comes by the page; what is written next goes behind this where it fits.
    reader.read_exact(&mut [0; PAGE]).unwrap();
    filler.write_all(&vec![b'.'; PAGE - room]).unwrap();
    (reader, writer)
}

/// Runs bootshot at a boot phase with such a pipe, which nobody reads, for its standard output, and says how it ended.
fn run_into_a_pipe(machine: &Machine, room: usize) -> ExitStatus {
    let (_reader, writer) = nearly_full_pipe(room);
    let mut bootshot = machine
        .wine_command()
        .arg(bootshot())
        .args(["phase=bootexecute", "budget=4000", "verbose"])
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    loop {
        if let Some(status) = bootshot.try_wait().unwrap() {
            println!("{room} bytes of room: {status} after {:?}", start.elapsed());
            return status;
        }
        if start.elapsed() > PATIENCE {
            let _ = bootshot.kill();
            panic!("it hangs, and so would smss");
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn names_in(directory: &Path, extension: &str) -> usize {
    let names = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    names
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .count()
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn a_real_hang_before_the_capture_ends_in_time_and_leaves_the_guard() {
    let machine = Machine::fresh();
    assert_eq!(run_into_a_pipe(&machine, 0).code(), Some(TIMEOUT));
    assert!(machine.directory().join("attempt").exists());
    assert!(machine.snapshots().is_empty());
    assert_eq!(names_in(&machine.directory(), "tmp"), 0);
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn a_real_hang_in_the_capture_ends_in_time_with_what_there_was() {
    // Enough for the greeting and for some of the lines that a family each has.
    const ROOM: usize = 300;
    let machine = Machine::fresh();
    assert_eq!(run_into_a_pipe(&machine, ROOM).code(), Some(TIMEOUT));
    assert!(machine.directory().join("attempt").exists());
    // Published before anything is said of it, since saying it hangs as well.
    let [snapshot] = &machine.snapshots()[..] else {
        panic!("{:?}", machine.snapshots())
    };
    let bytes = fs::read(snapshot).unwrap();
    let snapshot = Snapshot::parse(&bytes).unwrap();
    assert_eq!(snapshot.completeness(), Completeness::TimedOut);
    assert!(snapshot.problems.is_empty(), "{:?}", snapshot.problems);
    assert!(!snapshot.processes().value.is_empty());
    assert_eq!(names_in(&machine.directory(), "tmp"), 0);
}

/// A program that lets everything come and go, until it is told to stop.
struct Churn(Child);

impl Churn {
    fn start(machine: &Machine) -> Self {
        let churn = machine
            .compiled("churn")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Wine starts it");
        Self(churn)
    }

    /// Ends it; gives how many processes, threads, handles and keys there were.
    fn stop(mut self) -> Vec<u64> {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
        let mut said = [0; 200];
        // Wine's services may hold the pipe open: read once, not to its end.
        let length = self.0.stdout.as_mut().unwrap().read(&mut said).unwrap();
        let said = str::from_utf8(&said[..length]).unwrap();
        said.split_whitespace()
            .map(|number| number.parse().unwrap())
            .collect()
    }
}

/// What a snapshot says of the process that took it.
#[derive(Clone, Copy, Debug)]
struct Runner {
    /// Its entries in the list of all handles.
    handles: usize,
    private_commit: u64,
    threads: u32,
}

impl Runner {
    /// Reads a snapshot, which must be whole and make sense throughout.
    fn of(file: &[u8]) -> Self {
        let snapshot = Snapshot::parse(file).unwrap();
        assert_eq!(snapshot.completeness(), Completeness::Complete);
        assert!(snapshot.problems.is_empty(), "{:?}", snapshot.problems);
        let mut sections = snapshot.sections.iter();
        assert!(sections.all(|section| section.condition == Condition::Intact));
        let (processes, threads) = (snapshot.processes(), snapshot.threads());
        let (handles, types) = (snapshot.handles(), snapshot.types());
        let problems = [
            processes.problems,
            threads.problems,
            handles.problems,
            types.problems,
        ];
        assert!(problems.iter().all(Vec::is_empty), "{problems:?}");
        let own_id = snapshot.header.process_id;
        let mut own = processes
            .value
            .iter()
            .filter(|process| process.pid == own_id);
        let process = own.next().expect("it is among the processes");
        assert!(own.next().is_none());
        let handles = handles.value.iter().filter(|handle| handle.pid == own_id);
        Self {
            handles: handles.count(),
            private_commit: process.private_commit,
            threads: process.thread_count,
        }
    }
}

#[test]
#[ignore = "takes minutes: run by cargo xtask soak"]
fn soak_in_churn_every_snapshot_is_complete_and_the_runner_does_not_grow() {
    const ROUNDS: &str = "BOOTSHOT_SOAK_ROUNDS";
    let rounds: u32 = env::var(ROUNDS).map_or(1_000, |rounds| rounds.parse().expect(ROUNDS));
    let machine = Machine::fresh();
    let churn = Churn::start(&machine);
    let start = Instant::now();
    let mut first = None;
    for round in 1..=rounds {
        let status = machine
            .wine_command()
            .arg(bootshot())
            .args(["phase=live", "keep=1", "quiet"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(0), "round {round}");
        let [snapshot] = &machine.snapshots()[..] else {
            panic!("round {round}: {:?}", machine.snapshots())
        };
        let runner = Runner::of(&fs::read(snapshot).unwrap());
        let first = first.get_or_insert(runner);
        assert_eq!(
            (runner.handles, runner.threads),
            (first.handles, first.threads),
            "round {round}"
        );
        assert!(
            runner.private_commit <= first.private_commit + (64 << 10),
            "round {round}: {runner:?}, at first {first:?}"
        );
        if round % 100 == 0 {
            println!("{round} rounds in {:?}: {runner:?}", start.elapsed());
        }
    }
    let took = start.elapsed();
    let churned = churn.stop();
    println!(
        "{rounds} snapshots in {took:?} beside {churned:?} processes, threads, handles and keys"
    );
    assert!(churned.iter().all(|number| *number >= u64::from(rounds)));
    fs::remove_file(machine.drive_c().join("churn.exe")).unwrap();
}
