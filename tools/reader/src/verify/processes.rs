//! Process lists: each by itself, and those of different classes against each other.

use std::collections::{BTreeMap, BTreeSet};

use bootshot_format::{OpenKind, Source};

use super::evidence::{Evidence, Process, ProcessList, Thread, is_complete};
use super::{Report, counted};
use crate::decode::ProcessClass;
use crate::layout::Structure;
use crate::layout::structures::{
    SYSTEM_EXTENDED_THREAD_INFORMATION, SYSTEM_PROCESS_INFORMATION as Layout,
    SYSTEM_THREAD_INFORMATION,
};
use crate::value::Time;

/// What the clock of creation times may be ahead of the one that sections are stamped with: `KUSER_SHARED_DATA` has the
/// time of the last clock interrupt, 1/64 s old at most, and Wine updates it a little later.
const CLOCK_LAG: i64 = 1_000_000;

pub(super) fn check(evidence: &Evidence<'_>, report: &mut Report<'_>) {
    for list in &evidence.process_lists {
        ids(list, report);
        entries(list, evidence, report);
        threads(list, report);
        times(list, evidence, report);
        order(list, report);
    }
    for pair in evidence.process_lists.windows(2) {
        differences(&pair[0], &pair[1], report);
    }
    details(evidence, report);
}

/// Ids of processes and threads come from one table: none can be there twice, in either role. The idle threads, one for
/// each processor, all have the id 0 that the idle process has.
fn ids(list: &ProcessList<'_>, report: &mut Report<'_>) {
    let mut processes: BTreeMap<u64, u64> = BTreeMap::new();
    let mut threads: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for process in &list.processes {
        *processes.entry(process.pid).or_default() += 1;
        for thread in process.threads.iter().filter(|thread| thread.tid != 0) {
            threads.entry(thread.tid).or_default().push(process.pid);
        }
    }
    for (pid, times) in processes.iter().filter(|(_, times)| **times > 1) {
        report.finding(
            "process-id-twice",
            format!("process {pid}"),
            &[&list.answer],
            format!("process id {pid} stands in the process list {times} times"),
        );
    }
    for (tid, owners) in threads.iter().filter(|(_, owners)| owners.len() > 1) {
        report.finding(
            "thread-id-twice",
            format!("thread {tid}"),
            &[&list.answer],
            format!(
                "thread id {tid} stands in the process list {} times, first in processes {} and {}",
                owners.len(),
                owners[0],
                owners[1]
            ),
        );
    }
    for (tid, owners) in threads
        .iter()
        .filter(|(tid, _)| processes.contains_key(*tid))
    {
        report.finding(
            "id-of-process-and-thread",
            format!("process {tid}"),
            &[&list.answer],
            format!(
                "id {tid} is that of a process and of a thread of process {}",
                owners[0]
            ),
        );
    }
}

/// Each entry holds as many threads as it counts, and nothing beside them and its name: an entry that was cut out of a
/// list by lengthening the one before it leaves its bytes there. Not checked for class 148, whose entries end with
/// strings that grew with the versions.
fn entries(list: &ProcessList<'_>, evidence: &Evidence<'_>, report: &mut Report<'_>) {
    let width = evidence.snapshot.width();
    let thread_size = match list.class {
        ProcessClass::Basic => SYSTEM_THREAD_INFORMATION::SIZE,
        ProcessClass::Extended | ProcessClass::Full => SYSTEM_EXTENDED_THREAD_INFORMATION::SIZE,
    }
    .at(width);
    let length = list.answer.bytes.len();
    for process in &list.processes {
        let view = &process.entry.process;
        let counted_threads = view.get(Layout::NumberOfThreads).unwrap_or_default() as usize;
        let there = process.threads.len();
        if counted_threads != there {
            report.finding(
                "thread-count",
                process.label(),
                &[&list.answer],
                format!(
                    "{} counts {}, its entry holds {there}",
                    process.label(),
                    counted(counted_threads as u64, "thread")
                ),
            );
            continue;
        }
        if list.class == ProcessClass::Full {
            continue;
        }
        let start = process.entry.offset;
        let end = match view.get(Layout::NextEntryOffset).unwrap_or_default() {
            0 => length,
            next => start.saturating_add(next as usize).min(length),
        };
        let name = view.get(Layout::ImageName).map_or(0, |name| {
            let inside = list.answer.buffer().at(name.buffer, 0).is_some();
            if inside {
                usize::from(name.maximum_length)
            } else {
                0
            }
        });
        let used = Layout::Threads.offset.at(width) + there * thread_size;
        let used = (used + name).next_multiple_of(8);
        let unexplained = (end - start).saturating_sub(used);
        if unexplained >= thread_size {
            report.finding(
                "process-entry-length",
                process.label(),
                &[&list.answer],
                format!(
                    "the entry of {} is {unexplained} bytes longer than its {} and its name",
                    process.label(),
                    counted(there as u64, "thread"),
                ),
            );
        }
    }
}

fn threads(list: &ProcessList<'_>, report: &mut Report<'_>) {
    for process in &list.processes {
        for thread in process
            .threads
            .iter()
            .filter(|thread| thread.pid != process.pid)
        {
            report.finding(
                "thread-of-another-process",
                process.label(),
                &[&list.answer],
                format!(
                    "thread {} stands among those of {} and says it belongs to process {}",
                    thread.tid,
                    process.label(),
                    thread.pid
                ),
            );
        }
    }
}

/// No process is older than the system, younger than the question, its own parent, or younger than its threads. A parent
/// that is younger than its child is another process with the same id: the reader says so, and it is no finding. Setting
/// the clock moves the boot time and not the times of what runs already: `clock-step` tells what it can of that.
fn times(list: &ProcessList<'_>, evidence: &Evidence<'_>, report: &mut Report<'_>) {
    let boot_time = evidence.snapshot.header.boot_time;
    let asked = evidence.asked_at(&list.answer);
    let mut dated_late = false;
    for process in &list.processes {
        let mut finding = |id, observation: String| {
            report.finding(id, process.label(), &[&list.answer], observation);
        };
        if process.pid == process.parent && process.pid != 0 {
            finding(
                "own-parent",
                format!("{} is its own parent", process.label()),
            );
        }
        if process.is_of_the_kernel() || process.created == 0 {
            continue;
        }
        let label = process.label();
        if process.created < boot_time {
            finding(
                "start-before-boot",
                format!(
                    "{label} started at {}, {} before the boot time",
                    moment(process.created),
                    seconds(boot_time.saturating_sub(process.created))
                ),
            );
        }
        if let Some(asked) = asked.filter(|asked| process.created > asked.saturating_add(CLOCK_LAG))
        {
            finding(
                "start-after-question",
                format!(
                    "{label} started at {}, {} after the list was asked for",
                    moment(process.created),
                    seconds(process.created.saturating_sub(asked))
                ),
            );
        }
        let before = |thread: &&Thread| thread.created != 0 && thread.created < process.created;
        let mut older = process.threads.iter().filter(before);
        let Some(first) = older.next() else {
            continue;
        };
        if !evidence.has_system_process {
            dated_late = true;
            continue;
        }
        finding(
            "thread-before-process",
            format!(
                "{label} started at {}, {} of it before that, the first listed (thread {}) at {}",
                moment(process.created),
                counted(1 + older.count() as u64, "thread"),
                first.tid,
                moment(first.created)
            ),
        );
    }
    if dated_late {
        report.note(
            "processes-dated-late",
            "first threads are older than their processes, and there is no System process: Wine dates a process from the \
             end of its start, and the two were not compared",
        );
    }
}

/// Sequence numbers grow with every process of a boot, and so do creation times unless the clock is set back.
fn order(list: &ProcessList<'_>, report: &mut Report<'_>) {
    let mut numbered: Vec<(u64, &Process<'_>)> = list
        .processes
        .iter()
        .filter(|process| !process.is_of_the_kernel() && process.created != 0)
        .filter_map(|process| Some((process.sequence_number?, process)))
        .collect();
    numbered.sort_by_key(|(number, _)| *number);
    for pair in numbered.windows(2) {
        let ((first, earlier), (second, later)) = (pair[0], pair[1]);
        if later.created < earlier.created {
            report.finding(
                "creation-order",
                later.label(),
                &[&list.answer],
                format!(
                    "by their sequence numbers ({first}, {second}) {} started before {}, by their times {} after it",
                    earlier.label(),
                    later.label(),
                    seconds(earlier.created.saturating_sub(later.created))
                ),
            );
        }
    }
}

/// The same processes with the same names, parents, sessions and threads in two lists.
fn differences(first: &ProcessList<'_>, second: &ProcessList<'_>, report: &mut Report<'_>) {
    let by_key = |list: &ProcessList<'_>| -> BTreeMap<(u64, i64), usize> {
        let keys = list.processes.iter().map(Process::key);
        keys.zip(0..).collect()
    };
    let (first_keys, second_keys) = (by_key(first), by_key(second));
    let answers = [&first.answer, &second.answer];
    for (list, keys, other, other_keys) in [
        (first, &first_keys, second, &second_keys),
        (second, &second_keys, first, &first_keys),
    ] {
        for (_, place) in keys
            .iter()
            .filter(|(key, _)| !other_keys.contains_key(*key))
        {
            let process = &list.processes[*place];
            report.finding(
                "process-in-one-list",
                process.label(),
                &answers,
                format!(
                    "{} stands in the process list of class {} and not in that of class {}",
                    process.label(),
                    list.answer.class,
                    other.answer.class
                ),
            );
        }
    }
    for (key, place) in &first_keys {
        let Some(other) = second_keys.get(key) else {
            continue;
        };
        compare(
            (first, &first.processes[*place]),
            (second, &second.processes[*other]),
            report,
        );
    }
}

fn compare<'l, 's>(
    (first, one): (&'l ProcessList<'s>, &'l Process<'s>),
    (second, other): (&'l ProcessList<'s>, &'l Process<'s>),
    report: &mut Report<'_>,
) {
    let answers = [&first.answer, &second.answer];
    let classes = (first.answer.class, second.answer.class);
    for (what, a, b) in [
        (
            "image",
            one.image().to_lowercase(),
            other.image().to_lowercase(),
        ),
        ("parent", one.parent.to_string(), other.parent.to_string()),
        (
            "session",
            one.session.to_string(),
            other.session.to_string(),
        ),
    ] {
        if a != b {
            report.finding(
                "process-told-differently",
                one.label(),
                &answers,
                format!(
                    "the {what} of process {} is \"{a}\" in the list of class {} and \"{b}\" in that of class {}",
                    one.pid, classes.0, classes.1
                ),
            );
        }
    }
    let ids = |process: &Process<'_>| -> BTreeSet<u64> {
        process.threads.iter().map(|thread| thread.tid).collect()
    };
    let (a, b) = (ids(one), ids(other));
    let (only_first, only_second) = (a.difference(&b).count(), b.difference(&a).count());
    if only_first + only_second != 0 {
        report.finding(
            "threads-told-differently",
            one.label(),
            &answers,
            format!(
                "of {}, {} stand in the list of class {} only and {only_second} in that of class {} only",
                one.label(),
                counted(only_first as u64, "thread"),
                classes.0,
                classes.1
            ),
        );
    }
}

/// What single processes told belongs to processes of the list.
fn details(evidence: &Evidence<'_>, report: &mut Report<'_>) {
    let Some(first) = evidence.processes() else {
        return;
    };
    let lists = evidence.process_lists.iter();
    let mut known: BTreeSet<(u64, i64)> = lists
        .flat_map(|list| list.processes.iter().map(Process::key))
        .collect();
    for answer in evidence.snapshot.answers().filter(is_complete) {
        let is_about_a_process = match answer.source {
            Source::PROCESS_INFORMATION | Source::TOKEN_INFORMATION | Source::PROCESS_MEMORY => {
                true
            }
            Source::OPEN => {
                answer.class == OpenKind::PROCESS.0 || answer.class == OpenKind::PROCESS_TOKEN.0
            }
            _ => false,
        };
        // Each is named once.
        if is_about_a_process && known.insert((answer.argument, answer.argument2 as i64)) {
            report.finding(
                "process-not-in-list",
                format!("process {}", answer.argument),
                &[&first.answer, &answer],
                format!(
                    "process {} that started at {} was asked for details and is in no process list",
                    answer.argument,
                    moment(answer.argument2 as i64)
                ),
            );
        }
    }
}

fn moment(ticks: i64) -> String {
    Time::new(ticks).map_or_else(|| ticks.to_string(), |time| time.to_string())
}

fn seconds(ticks: i64) -> String {
    format!("{:.3} s", ticks as f64 / 10_000_000.0)
}
