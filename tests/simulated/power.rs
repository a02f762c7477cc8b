//! Loss of power at every step of a run, with whatever a file system may have kept of what was not flushed.

use crate::snapshot::Snapshot;
use crate::{DIRECTORY, boot, files, status};
use bootshot::nt::Status;
use bootshot::nt::simulated::{Call, End, Fault, FileSystem, Kind, Machine};
use bootshot_format::{Header, RecordKind, Records};
use bootshot_reader::salvage::{NotSalvaged, salvage};
use std::collections::BTreeMap;
use std::ops::Range;

type Files = BTreeMap<String, Vec<u8>>;

/// How many of the disks that a stop may leave are looked at: all of them, or so many drawn by lot.
const DISKS: u128 = 128;

/// Snapshots kept by the runs, of which there were as many before.
const KEEP: usize = 2;

/// SplitMix64, so that every run draws the same lots.
struct Lots(u64);

impl Lots {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }
}

/// The disks that a loss of power may leave, and whether these are all.
fn remains(disk: &FileSystem, lots: &mut Lots) -> (Vec<FileSystem>, bool) {
    let (names, sectors) = disk.unflushed();
    let subsets = |of: usize| 1u128 << of.min(100);
    let possible = match disk.kind {
        Kind::Ntfs => (names as u128 + 1) * subsets(sectors),
        Kind::Fat32 => subsets(names + sectors),
    };
    if possible <= DISKS {
        return (every_remains(disk), true);
    }
    // Nothing, everything, and between them a little, half and most.
    let drawn = (0..DISKS).map(|disk_number| {
        let share = match disk_number {
            0 => 0,
            1 => 256,
            number => [16, 128, 240][number as usize % 3],
        };
        disk.clone().after_power_loss(|| lots.draw() % 256 < share)
    });
    (drawn.collect(), false)
}

fn every_remains(disk: &FileSystem) -> Vec<FileSystem> {
    let mut all = Vec::new();
    let mut answers = Vec::new();
    loop {
        let mut asked = 0;
        all.push(disk.clone().after_power_loss(|| {
            if asked == answers.len() {
                answers.push(false);
            }
            asked += 1;
            answers[asked - 1]
        }));
        // The next path through the questions: the last "no" becomes a "yes".
        while answers.pop_if(|answer| *answer).is_some() {}
        match answers.last_mut() {
            Some(last) => *last = true,
            None => return all,
        }
    }
}

/// What the sections of an unfinished snapshot say, those that were written to their end, and where they stand.
fn whole_sections(file: &[u8]) -> BTreeMap<u32, (Range<usize>, Vec<u8>)> {
    let Ok(header) = Header::open(file) else {
        return BTreeMap::new();
    };
    let mut sections = BTreeMap::new();
    let mut open = None;
    for record in Records::new(file, header.snapshot_id, Header::SIZE).map_while(Result::ok) {
        let start = record.offset as usize;
        match record.header.kind {
            RecordKind::SECTION_BEGIN => open = Some((start, Vec::new())),
            RecordKind::CHUNK => {
                let (_, payload) = open.as_mut().expect("a section is open");
                payload.extend_from_slice(record.payload);
            }
            RecordKind::SECTION_END => {
                let (begin, payload) = open.take().expect("a section is open");
                let end = record.payload.as_ptr_range().end.addr() - file.as_ptr().addr();
                sections.insert(record.header.section, (begin..end, payload));
            }
            _ => {}
        }
    }
    sections
}

/// Every section that was written to its end and is on the disk can be salvaged; returns how many those are.
#[track_caller]
fn assert_salvageable(written: &[u8], on_disk: &[u8]) -> usize {
    let is_kept = |range: &Range<usize>| on_disk.get(range.clone()) == written.get(range.clone());
    let mut sections = whole_sections(written);
    sections.retain(|_, (range, _)| is_kept(range));
    let salvaged = match salvage(on_disk) {
        Ok(salvaged) => salvaged,
        Err(NotSalvaged::Whole) => {
            Snapshot::read(on_disk);
            return sections.len();
        }
        Err(_) => {
            assert!(sections.is_empty() || !is_kept(&(0..Header::SIZE)));
            return 0;
        }
    };
    let snapshot = Snapshot::read(&salvaged.file);
    for (ordinal, (_, payload)) in &sections {
        let mut kept = salvaged.kept.iter();
        let place = kept.position(|kept| kept.ordinal == *ordinal && !kept.torn);
        assert_eq!(snapshot.sections[place.unwrap()].payload, *payload);
    }
    sections.len()
}

/// What was looked at.
#[derive(Debug, Default)]
struct Counts {
    stops: usize,
    all_remains_of: usize,
    disks: usize,
    complete: usize,
    unfinished: usize,
    sections_salvaged: usize,
    absent: usize,
    guarded: usize,
}

/// The calls of the worker that change the disk, or may bring changes to it.
fn stops(calls: &[Call]) -> Vec<u32> {
    let mut deletes = false;
    let mut stops = Vec::new();
    for call in calls.iter().filter(|call| call.thread == 1) {
        let closes_deleted = std::mem::take(&mut deletes) && call.name == "NtClose";
        let changes = ["NtCreateFile", "NtWriteFile", "NtFlushBuffersFile"].contains(&call.name);
        let sets = call.name == "NtSetInformationFile";
        deletes = sets && call.argument == 13;
        if changes || sets || closes_deleted {
            stops.push(call.number);
        }
    }
    stops.push(calls.iter().filter(|call| call.thread == 1).count() as u32);
    stops
}

/// Numbers of the worker's calls between which the guard stands, whatever is lost.
fn guarded(calls: &[Call]) -> Range<u32> {
    let guard = |disposition| {
        let mut calls = calls.iter().rev();
        let call = calls.find(|call| call.text == "attempt" && call.argument == disposition);
        call.expect("the guard is made and removed").number
    };
    let made = guard(2);
    let mut flushes = calls
        .iter()
        .filter(|call| call.thread == 1 && call.number > made && call.name == "NtFlushBuffersFile");
    flushes
        .nth(1)
        .expect("file and directory are flushed")
        .number
        + 1..guard(1) + 1
}

/// What is on the disk is whole, and nothing of it stands in the way of the next boots.
fn check(
    disk: FileSystem,
    written: &Files,
    earlier: &Files,
    must_guard: bool,
    counts: &mut Counts,
) {
    let machine = Machine {
        files: disk,
        ..Machine::small().with_command_line("bootshot keep=2")
    };
    let left = files(&machine);
    let mut complete = false;
    for (name, bytes) in left.iter().filter(|(name, _)| name.ends_with(".bshot")) {
        Snapshot::read(bytes);
        if let Some(known) = earlier.get(name) {
            assert_eq!(bytes, known, "{name}");
        } else {
            complete = true;
        }
    }
    let [oldest, newest] = earlier.keys().collect::<Vec<_>>()[..] else {
        unreachable!("there were two");
    };
    assert!(left.contains_key(newest));
    assert!(left.contains_key(oldest) || complete, "{:?}", left.keys());
    let unfinished = left.iter().find(|(name, _)| name.ends_with(".tmp"));
    if let Some((name, bytes)) = unfinished {
        let written = written
            .get(name)
            .or(written.get(&name.replace(".tmp", ".bshot")));
        counts.sections_salvaged += assert_salvageable(written.unwrap(), bytes);
    }
    counts.disks += 1;
    counts.complete += usize::from(complete);
    counts.unfinished += usize::from(unfinished.is_some() && !complete);
    counts.absent += usize::from(unfinished.is_none() && !complete);

    let is_guarded = left.contains_key("attempt");
    assert!(is_guarded || !must_guard, "{:?}", left.keys());
    let mut next = machine.next_boot();
    if is_guarded {
        counts.guarded += 1;
        let second = boot(next);
        assert_eq!(status(&second), Status::REQUEST_ABORTED);
        assert_eq!(files(&second.machine), left);
        next = second.machine.next_boot();
        next.files.remove(&format!(r"{DIRECTORY}\attempt"));
    }
    let last = boot(next);
    assert_eq!(status(&last), Status::SUCCESS, "{}", last.console);
    last.assert_clean();
    let mut kept = files(&last.machine);
    kept.retain(|name, _| !name.starts_with("sequence-"));
    assert!(kept.len() <= KEEP, "{:?}", kept.keys());
    kept.retain(|name, _| name.ends_with(".bshot"));
    assert!(!kept.is_empty());
    for bytes in kept.values() {
        Snapshot::read(bytes);
    }
}

fn stop_everywhere(machine: Machine, disk: FileSystem) {
    let mut machine = machine.with_command_line("bootshot keep=2");
    machine.files = disk;
    for _ in 0..KEEP {
        let run = boot(machine);
        assert_eq!(status(&run), Status::SUCCESS);
        machine = run.machine.next_boot();
        machine.files.flush_volume();
    }
    let mut earlier = files(&machine);
    earlier.retain(|name, _| name.ends_with(".bshot"));
    let sound = boot(machine.clone());
    let guarded = guarded(&sound.calls);
    let (mut counts, mut lots) = (Counts::default(), Lots(5));
    for stop in stops(&sound.calls) {
        let run = boot(machine.clone().at(1, stop, Fault::PowerOff));
        let ended = matches!(run.end, End::Ended(Status::SUCCESS));
        assert!(ended || matches!(run.end, End::PowerLost), "{:?}", run.end);
        let written = files(&run.machine);
        let (disks, all) = remains(&run.machine.files, &mut lots);
        counts.stops += 1;
        counts.all_remains_of += usize::from(all);
        for disk in disks {
            check(
                disk,
                &written,
                &earlier,
                guarded.contains(&stop),
                &mut counts,
            );
        }
    }
    println!("{:?}: {counts:?}", machine.files.kind);
    assert!(counts.complete > 0 && counts.absent > 0 && counts.guarded > 0);
    assert!(counts.unfinished > 0 && counts.sections_salvaged > 0);
}

/// Whose snapshot takes many writes.
fn busy() -> Machine {
    let mut machine = Machine::small();
    let entry = machine.handles[0];
    machine.handles.resize(3_000, entry);
    machine
}

#[test]
fn whatever_ntfs_keeps_of_a_run_is_whole_or_salvageable_and_the_next_boot_copes() {
    stop_everywhere(Machine::small(), FileSystem::ntfs(1 << 30));
    stop_everywhere(busy(), FileSystem::ntfs(1 << 30));
}

#[test]
fn whatever_fat_keeps_of_a_run_is_whole_or_salvageable_and_the_next_boot_copes() {
    stop_everywhere(Machine::small(), FileSystem::fat32(1 << 30));
    stop_everywhere(busy(), FileSystem::fat32(1 << 30));
}
