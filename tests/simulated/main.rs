//! Whole runs of bootshot on simulated machines: what a run leaves behind, and what it does when everything fails.

mod again;
mod arguments;
mod capture;
mod ended;
mod faults;
mod firmware;
mod images;
mod memory;
mod names;
mod objects;
mod power;
mod registry;
mod safety;
mod snapshot;

use bootshot::boot;
use bootshot::nt::Status;
use bootshot::nt::simulated::{End, Machine, Run};
use snapshot::Snapshot;
use std::collections::BTreeMap;

/// The default directory for snapshots, relative to the root of the disk.
const DIRECTORY: &str = r"Windows\bootshot";

/// A status that nothing makes an exception of.
const INSUFFICIENT_RESOURCES: Status = Status::new(0xC000_009A);

/// Boots the machine: smss starts bootshot, which runs to its end.
fn boot(machine: Machine) -> Run<Status> {
    let peb = machine.peb;
    machine.run(move |kernel| boot::run(kernel, peb))
}

/// The exit status of a run that ended.
#[track_caller]
fn status(run: &Run<Status>) -> Status {
    match run.end {
        End::Ended(status) => status,
        _ => panic!(
            "the run did not end: {:?}, last call {:?}",
            run.end,
            run.calls.last()
        ),
    }
}

/// The files of the default directory; none where it does not exist.
fn files(machine: &Machine) -> BTreeMap<String, Vec<u8>> {
    machine.files.list(DIRECTORY).unwrap_or_default()
}

/// Names of the finished snapshots there.
fn snapshot_names(machine: &Machine) -> Vec<String> {
    files(machine)
        .into_keys()
        .filter(|name| name.ends_with(".bshot"))
        .collect()
}

/// The one finished snapshot there, read strictly.
#[track_caller]
fn only_snapshot(machine: &Machine) -> Snapshot {
    let names = snapshot_names(machine);
    assert_eq!(names.len(), 1, "{names:?}");
    Snapshot::read(&files(machine)[&names[0]])
}

/// Runs a machine that must end well with everything closed, and reads the one snapshot it leaves.
#[track_caller]
fn capture(machine: Machine) -> (Snapshot, Run<Status>) {
    let run = boot(machine);
    assert_eq!(status(&run), Status::SUCCESS, "{}", run.console);
    run.assert_clean();
    (only_snapshot(&run.machine), run)
}

/// UTF-16LE bytes as text.
fn text(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes
        .as_chunks()
        .0
        .iter()
        .map(|pair| u16::from_le_bytes(*pair))
        .collect();
    String::from_utf16_lossy(&units)
}
