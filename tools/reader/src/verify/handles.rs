//! Handle lists, against the processes that own them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::evidence::{Evidence, HandleList, Process, ProcessList};
use super::{Report, counted};
use crate::decode::HandleClass;
use crate::layout::Structure;
use crate::layout::structures::{
    SYSTEM_HANDLE_INFORMATION, SYSTEM_HANDLE_INFORMATION_EX, SYSTEM_HANDLE_TABLE_ENTRY_INFO,
    SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX,
};

/// The smallest handle table of Wine, whose process list has their sizes instead of the numbers of handles: they double.
const WINE_HANDLE_TABLE: u32 = 32;

pub(super) fn check(evidence: &Evidence<'_>, report: &mut Report<'_>) {
    for list in &evidence.handle_lists {
        twice(list, report);
        length(list, evidence, report);
    }
    if let (Some(processes), Some(handles)) = (evidence.processes(), evidence.handles()) {
        owners(processes, handles, evidence, report);
    }
}

fn twice(list: &HandleList<'_>, report: &mut Report<'_>) {
    let mut seen: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    for entry in &list.handles {
        *seen.entry((entry.process_id, entry.handle)).or_default() += 1;
    }
    for ((pid, handle), times) in seen.into_iter().filter(|(_, times)| *times > 1) {
        // Class 16 cuts both to 16 bits: two can become one.
        if list.class == HandleClass::Extended {
            report.finding(
                "handle-twice",
                format!("process {pid}"),
                &[&list.answer],
                format!(
                    "handle {handle:#x} of process {pid} stands in the handle list {times} times"
                ),
            );
        }
    }
}

/// The kernel returns the length of exactly as many entries as it counts: an entry that was taken out of the list and the
/// number leaves the room it had.
fn length(list: &HandleList<'_>, evidence: &Evidence<'_>, report: &mut Report<'_>) {
    let width = evidence.snapshot.width();
    let (start, size) = match list.class {
        HandleClass::Basic => (
            SYSTEM_HANDLE_INFORMATION::Handles.offset,
            SYSTEM_HANDLE_TABLE_ENTRY_INFO::SIZE,
        ),
        HandleClass::Extended => (
            SYSTEM_HANDLE_INFORMATION_EX::Handles.offset,
            SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX::SIZE,
        ),
    };
    let room = list.answer.bytes.len().saturating_sub(start.at(width)) / size.at(width);
    if room > list.handles.len() {
        report.finding(
            "handle-list-length",
            "handle list",
            &[&list.answer],
            format!(
                "the handle list counts {}, its {} bytes have room for {room}",
                counted(list.handles.len() as u64, "handle"),
                list.answer.bytes.len()
            ),
        );
    }
}

/// The handles of each process against the number that the process list has for it. Where the list cuts process ids to
/// 16 bits and there are larger ones, only all of them together.
fn owners(
    processes: &ProcessList<'_>,
    handles: &HandleList<'_>,
    evidence: &Evidence<'_>,
    report: &mut Report<'_>,
) {
    let expected = Expected::new(processes, evidence);
    if expected.capacities {
        report.note(
            "handle-counts-are-capacities",
            "the handle counts of all processes are powers of two from 32 up, and there is no System process: they are \
             the sizes of Wine's handle tables, and were compared as bounds",
        );
    }
    if handles.class == HandleClass::Basic && processes.processes.iter().any(|p| p.pid > 0xFFFF) {
        total(processes, handles, &expected, report);
        return;
    }
    let mut held: BTreeMap<u64, u64> = BTreeMap::new();
    for entry in &handles.handles {
        *held.entry(entry.process_id).or_default() += 1;
    }
    if let Some(count) = held
        .get(&0)
        .filter(|_| evidence.snapshot.header.nt_major < 6)
    {
        report.note(
            "handles-of-idle",
            format!(
                "{} are listed under process 0, as the kernel's own were in NT 5: they were not compared",
                counted(*count, "handle")
            ),
        );
        held.remove(&0);
    }
    let answers = [&processes.answer, &handles.answer];
    for process in &processes.processes {
        let in_list = held.remove(&process.pid).unwrap_or_default();
        let count = u64::from(process.handle_count);
        if expected.of(process).contains(&in_list) {
            continue;
        }
        let id = match in_list {
            0 => "process-without-handles",
            _ => "process-handle-count",
        };
        let observation = format!(
            "the process list counts {} of {}, the handle list holds {}",
            counted(count, "handle"),
            process.label(),
            if in_list == 0 {
                "none".to_owned()
            } else {
                in_list.to_string()
            }
        );
        report.finding(id, process.label(), &answers, observation);
    }
    for (pid, count) in held {
        report.finding(
            "handle-owner-not-listed",
            format!("process {pid}"),
            &answers,
            format!(
                "the handle list holds {} of process {pid}, which is not in the process list",
                counted(count, "handle")
            ),
        );
    }
}

/// How many handles the list may have of each process.
struct Expected {
    /// The process list has the sizes of handle tables.
    capacities: bool,
    capture: u64,
    /// The capture opens some handles between the two questions, and notes all that it has open at the second.
    own: u64,
}

impl Expected {
    fn new(processes: &ProcessList<'_>, evidence: &Evidence<'_>) -> Self {
        let is_capacity = |count: u32| count >= WINE_HANDLE_TABLE && count.is_power_of_two();
        let mut counts = processes
            .processes
            .iter()
            .map(|process| process.handle_count);
        Self {
            capacities: !evidence.has_system_process && counts.all(is_capacity),
            capture: evidence.snapshot.header.process_id,
            own: evidence.own_handles.len() as u64,
        }
    }

    fn of(&self, process: &Process<'_>) -> RangeInclusive<u64> {
        let count = u64::from(process.handle_count);
        let own = if process.pid == self.capture {
            self.own
        } else {
            0
        };
        let least = if self.capacities { 0 } else { count };
        least..=count + own
    }
}

fn total(
    processes: &ProcessList<'_>,
    handles: &HandleList<'_>,
    expected: &Expected,
    report: &mut Report<'_>,
) {
    let found = handles.handles.len() as u64;
    let (mut least, mut most) = (0, 0);
    for process in &processes.processes {
        let range = expected.of(process);
        least += range.start();
        most += range.end();
    }
    if !(least..=most).contains(&found) {
        report.finding(
            "handle-total",
            "handle list",
            &[&processes.answer, &handles.answer],
            format!(
                "the processes count {} together, the handle list, which cuts their ids, holds {found}",
                counted(least, "handle")
            ),
        );
    }
}
