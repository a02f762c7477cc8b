//! The capture bench: bootshot against the baseline, on the same simulated kernel.
//!
//! Fair means here: the baseline makes every call that bootshot made, with buffers of the same lengths, so the kernel's own
//! time is in both; its bytes go through a buffer of the same size to the same file, with the same checksum and the same
//! flushes. The disk is memory in both, so that no disk hides what bootshot adds. What the baseline saves is all that
//! bootshot does with its head: following answers with questions, items, sections, the trailer.

use std::collections::BTreeMap;

use bootshot::boot;
use bootshot::nt::Status;
use bootshot::nt::simulated::{End, Machine, Run};
use bootshot_format::{ObjectHeader, RecordHeader, RecordKind, Records, Source};
use bootshot_reader::{Completeness, Snapshot};

use crate::baseline::{self, Copied};
use crate::machine::{self, Size};
use crate::recorder::{Recorded, Recorder};
use crate::usage::Usage;

/// The moment a machine is captured at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// What smss starts.
    Boot,
    /// A running system, where the handles of others can be duplicated.
    Live,
}

/// Answers longer than this stand alone in the file, or nearly so.
const LARGE_ANSWER: usize = 64 << 10;

/// Percent of the bytes received that a file may have.
#[cfg(test)]
const LIMIT_OVER_ALL: u64 = 110;

/// Bytes that a machine of a tenth of the size may take beside its largest answer: the full one has a mebibyte.
#[cfg(test)]
const LIMIT_OF_MEMORY: u64 = 640 << 10;

/// What was counted in one capture; the same every time.
#[derive(Debug, serde::Serialize)]
pub struct Counts {
    /// System calls.
    pub calls: u64,
    /// The same, by name.
    pub calls_by_name: BTreeMap<&'static str, u64>,
    /// Bytes that the kernel gave, of all answers in the snapshot.
    pub received: u64,
    /// Bytes of the snapshot.
    pub file: u64,
    /// Bytes of the answers over 64 KiB.
    pub large_received: u64,
    /// Bytes that their sections take in the file.
    pub large_file: u64,
    /// Bytes of the largest answer.
    pub largest_answer: u64,
    /// The most memory that was committed at once.
    pub peak_commit: u64,
}

/// One size measured.
#[derive(Debug, serde::Serialize)]
pub struct Measured {
    pub size: Size,
    pub counts: Counts,
    pub bootshot: Usage,
    pub baseline: Usage,
}

/// A capture that was recorded.
pub struct Capture {
    /// The snapshot.
    pub snapshot: Vec<u8>,
    /// The calls.
    pub recorded: Recorded,
    peak_commit: usize,
}

/// Captures a machine of this size.
///
/// # Errors
///
/// One sentence, when bootshot did not come to a good end.
pub fn capture(size: Size, variant: u64, phase: Phase) -> Result<Capture, String> {
    let machine = prepared(size, variant, phase);
    let peb = machine.peb;
    let run = machine.run(move |kernel| {
        let recorder = Recorder::new(kernel);
        (boot::run(recorder, peb), recorder.take())
    });
    let snapshot = snapshot_of(&run.machine)?;
    let peak_commit = run.peak_commit;
    match run.end {
        End::Ended((Status::SUCCESS, recorded)) => Ok(Capture {
            snapshot,
            recorded,
            peak_commit,
        }),
        End::Ended((status, _)) => Err(format!("bootshot ended with {:#010x}", status.number())),
        End::Hung | End::PowerLost => Err("bootshot did not end".to_owned()),
    }
}

/// Measures one size in `rounds` runs, taken in turns.
///
/// # Errors
///
/// One sentence, when bootshot did not come to a good end or the baseline received something else.
pub fn measure(size: Size, phase: Phase, rounds: u32) -> Result<Measured, String> {
    let Capture {
        snapshot,
        recorded,
        peak_commit,
    } = capture(size, 0, phase)?;
    let counts = counts(&snapshot, &recorded, peak_commit)?;
    let machine = prepared(size, 0, phase);
    let operations: &'static _ = Vec::leak(recorded.operations);
    let peb = machine.peb;
    let (mut bootshots, mut baselines) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let bootshot = timed(machine.clone(), move |kernel| boot::run(kernel, peb))?;
        if bootshot.0 != Status::SUCCESS {
            return Err(format!("bootshot ended with {:#010x}", bootshot.0.number()));
        }
        let (copied, baseline) = timed(machine.clone(), move |kernel| {
            baseline::run(kernel, operations)
        })?;
        check_copied(copied, &counts)?;
        bootshots.push(bootshot.1);
        baselines.push(baseline);
    }
    let of_one = |runs: &[Usage]| Usage::of_one(runs).ok_or("no round was asked for");
    Ok(Measured {
        size,
        counts,
        bootshot: of_one(&bootshots)?,
        baseline: of_one(&baselines)?,
    })
}

/// The baseline receives what the snapshot holds, and the little that bootshot asks before and besides: its own memory,
/// directory and clock.
fn check_copied(copied: Result<Copied, Status>, counts: &Counts) -> Result<(), String> {
    const BESIDES: u64 = 256 << 10;
    let Copied { bytes, .. } =
        copied.map_err(|status| format!("the baseline failed: {status:x?}"))?;
    if bytes.abs_diff(counts.received) > BESIDES {
        return Err(format!(
            "the baseline received {bytes} bytes, and the snapshot holds {}",
            counts.received
        ));
    }
    Ok(())
}

fn timed<R: Send + 'static>(
    machine: Machine,
    program: impl FnOnce(&'static bootshot::nt::simulated::Simulated) -> R + Send + 'static,
) -> Result<(R, Usage), String> {
    let Run { end, .. } = machine.run(move |kernel| {
        // Both find the kernel's own tables warm.
        kernel.prepare();
        Usage::of(|| program(kernel))
    });
    match end {
        End::Ended(result) => Ok(result),
        End::Hung | End::PowerLost => Err("the program did not end".to_owned()),
    }
}

fn prepared(size: Size, variant: u64, phase: Phase) -> Machine {
    // Time is the simulation's, and a call takes it as long as on a slow machine.
    let command_line = match phase {
        Phase::Boot => "bootshot phase=bootexecute budget=4000000000 quiet",
        Phase::Live => "bootshot phase=live budget=4000000000 quiet",
    };
    machine::machine(size, variant).with_command_line(command_line)
}

fn snapshot_of(machine: &Machine) -> Result<Vec<u8>, String> {
    let files = machine.files.list(r"Windows\bootshot").unwrap_or_default();
    let mut snapshots = files
        .into_iter()
        .filter(|(name, _)| name.ends_with(".bshot"));
    let (_, bytes) = snapshots.next().ok_or("bootshot left no snapshot")?;
    Ok(bytes)
}

fn counts(file: &[u8], recorded: &Recorded, peak_commit: usize) -> Result<Counts, String> {
    let snapshot = Snapshot::parse(file).map_err(|error| error.to_string())?;
    if snapshot.completeness() != Completeness::Complete || !snapshot.problems.is_empty() {
        return Err("the snapshot is not whole".to_owned());
    }
    let mut received = 0;
    let mut large = BTreeMap::new();
    for answer in snapshot.answers() {
        received += answer.bytes.len() as u64;
        if answer.source == Source::OBJECT && answer.succeeded() {
            // bootshot's own, in front of what the kernel gave.
            received -= ObjectHeader::SIZE as u64;
        }
        if answer.bytes.len() > LARGE_ANSWER {
            *large.entry(answer.section).or_insert(0) += answer.bytes.len() as u64;
        }
    }
    // A batch with one large answer among its items would be counted as a whole; it would only make the figure worse.
    let records = Records::new(
        file,
        snapshot.header.snapshot_id,
        bootshot_format::Header::SIZE,
    );
    let large_file = records
        .flatten()
        .filter(|record| record.header.kind != RecordKind::TRAILER)
        .filter(|record| large.contains_key(&record.header.section))
        .map(|record| (RecordHeader::SIZE + record.payload.len().next_multiple_of(8)) as u64)
        .sum();
    Ok(Counts {
        calls: recorded.total(),
        calls_by_name: recorded.calls.clone(),
        received,
        file: file.len() as u64,
        large_received: large.values().sum(),
        large_file,
        largest_answer: recorded.largest_answer() as u64,
        peak_commit: peak_commit as u64,
    })
}

#[cfg(test)]
mod tests {
    use bootshot::nt::simulated::HandleEntry;
    use bootshot_format::{Encoding, Items, SectionBegin};

    use super::*;

    const SMALL: Size = Size::FULL.smaller(100);

    fn counted(size: Size, phase: Phase) -> Counts {
        let capture = capture(size, 0, phase).expect("the capture succeeds");
        counts(&capture.snapshot, &capture.recorded, capture.peak_commit).expect("it is whole")
    }

    /// Captures a machine where each handle has so many like it, to the same objects.
    fn calls_with_handles_times(factor: u64, phase: Phase) -> BTreeMap<&'static str, u64> {
        let mut machine = prepared(SMALL, 0, phase);
        let handles = std::mem::take(&mut machine.handles);
        machine.handles = handles
            .iter()
            .flat_map(|entry| {
                (0..factor).map(|copy| HandleEntry {
                    value: entry.value + copy * 0x1_0000,
                    ..*entry
                })
            })
            .collect();
        let peb = machine.peb;
        let run = machine.run(move |kernel| {
            let recorder = Recorder::new(kernel);
            let status = boot::run(recorder, peb);
            assert_eq!(status, Status::SUCCESS);
            recorder.take()
        });
        let End::Ended(recorded) = run.end else {
            panic!("bootshot did not end");
        };
        let mut calls = recorded.calls;
        // What a larger list costs: a larger buffer, and more writes.
        for name in [
            "NtAllocateVirtualMemory",
            "NtFreeVirtualMemory",
            "NtQuerySystemInformation",
            "NtWriteFile",
        ] {
            calls.remove(name);
        }
        calls
    }

    #[test]
    fn objects_are_asked_once_however_many_handles_they_have() {
        let one = calls_with_handles_times(1, Phase::Boot);
        assert!(one["NtQueryObject"] > SMALL.named_objects);
        assert_eq!(calls_with_handles_times(5, Phase::Boot), one);
    }

    #[test]
    fn live_objects_are_duplicated_once_however_many_handles_they_have() {
        let names = ["NtDuplicateObject", "NtQueryObject", "NtOpen*"];
        let one = calls_with_handles_times(1, Phase::Live);
        let five = calls_with_handles_times(5, Phase::Live);
        assert!(one["NtDuplicateObject"] > 1000);
        for name in names {
            assert_eq!(five[name], one[name], "{name}");
        }
    }

    #[test]
    fn a_snapshot_is_little_larger_than_what_the_kernel_gave() {
        let counts = counted(SMALL, Phase::Boot);
        assert!(counts.large_received > counts.received / 2);
        let percent = |file: u64, received: u64| (file * 100).div_ceil(received);
        assert!(percent(counts.large_file, counts.large_received) <= 101);
        let all = percent(counts.file, counts.received);
        assert!(all <= LIMIT_OVER_ALL, "{all} %");
    }

    #[test]
    fn tens_of_thousands_of_objects_take_little_memory_beside_the_largest_answer() {
        let counts = counted(Size::FULL.smaller(10), Phase::Boot);
        let above = counts.peak_commit - counts.largest_answer;
        assert!(above <= LIMIT_OF_MEMORY, "{above} bytes");
    }

    #[test]
    fn items_can_be_read_where_they_lie() {
        let capture =
            capture(Size::FULL.smaller(20), 0, Phase::Boot).expect("the capture succeeds");
        let snapshot = Snapshot::parse(&capture.snapshot).expect("it is one");
        let records = Records::new(
            &capture.snapshot,
            snapshot.header.snapshot_id,
            bootshot_format::Header::SIZE,
        );
        let mut chunks = 0;
        let mut encoding = Encoding::default();
        for record in records.flatten() {
            if record.header.kind == RecordKind::SECTION_BEGIN {
                let begin = record.payload.first_chunk().expect("all of it");
                encoding = SectionBegin::decode(begin).encoding;
            }
            if record.header.kind == RecordKind::CHUNK && encoding == Encoding::PACKED_BATCH {
                chunks += 1;
                let mut items = Items::new(record.payload, encoding);
                assert!(items.all(|item| item.is_ok()), "chunk {chunks}");
            }
        }
        assert!(chunks > 20, "{chunks}");
    }

    #[test]
    fn the_time_between_questions_is_read_from_memory() {
        let asked = |size| counted(size, Phase::Boot).calls_by_name["NtQueryPerformanceCounter"];
        assert_eq!(asked(SMALL), asked(Size::FULL.smaller(20)));
    }

    #[test]
    fn calls_and_bytes_grow_no_faster_than_the_machine() {
        let (small, large) = (
            counted(SMALL, Phase::Boot),
            counted(Size::FULL.smaller(20), Phase::Boot),
        );
        assert!(large.calls <= 5 * small.calls);
        assert!(large.file <= 5 * small.file);
        let above = |counts: &Counts| counts.peak_commit - counts.largest_answer;
        assert!(above(&large) <= 5 * above(&small));
    }
}
