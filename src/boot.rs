//! The run, from the first instruction to the exit status.
//!
//! smss waits for our first thread, so the first thread does nothing that could hang: it reads its arguments from
//! memory, starts a worker and waits with a time limit. The worker does all the rest. When it exceeds the limit, a
//! finisher takes the snapshot out of its hands ([`Handover`]), closes it and publishes what there is; the first
//! thread waits for that with a limit too, and then the process ends, whatever still hangs in the kernel.

use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use crate::args::{Arguments, Voice};
use crate::capture::{self, Capture, Facts, KnownHandle, Stop};
use crate::console::Console;
use crate::nt::layout::user_shared_data;
use crate::nt::{
    Answer, Buffer, Clock, Handle, Handover, Heap, Kernel, List, Owned, PAGE, Region, Row, Status,
    Task, keep_for_ever, units_of,
};
use crate::output::{Directory, FREE_SPACE_NEEDED, Name, SnapshotFile};
use crate::own::{Own, shared};
use crate::text::{self, Line};
use crate::time::Moment;
use crate::utf16;
use bootshot_format::{
    Family, FinishedBy, Header, Outcome, Phase, PhaseSource, Presence, Trailer, Writer, xxh64,
};
use ufmt::uwrite;

/// Hard errors fail instead of asking somebody: `SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX`, and critical errors
/// with them, since the kernel holds `SEM_FAILCRITICALERRORS` inverted.
const HARD_ERRORS_FAIL: u32 = 0x8002;

/// Milliseconds a run may take at boot when `budget=` does not say.
const BOOT_BUDGET: u32 = 10_000;
/// Milliseconds past the budget before the worker counts as hung: a single question may be slow.
const GRACE: u32 = 5_000;
/// Milliseconds the finisher has.
const FINISH_LIMIT: u32 = 5_000;

/// The kill switch: while it is there, nothing is captured at boot.
const KILL_SWITCH: &[u16] = utf16!("off");
/// The guard: there from before a capture at boot until after its end.
const GUARD: &[u16] = utf16!("attempt");

/// Bytes the heap may grow to.
const HEAP_LIMIT: usize = 4 << 20;

/// Privileges that open what is closed to others, by LUID.
const PRIVILEGES: [u32; 6] = [
    7,  // SeTcbPrivilege: NtDisplayString
    8,  // SeSecurityPrivilege
    11, // SeSystemProfilePrivilege
    17, // SeBackupPrivilege
    18, // SeRestorePrivilege
    20, // SeDebugPrivilege
];

/// Runs bootshot in the process whose PEB is at `peb`; the result is the exit status.
pub fn run<K: Kernel>(kernel: K, peb: u64) -> Status {
    kernel.set_hard_error_mode(HARD_ERRORS_FAIL);
    match start(kernel, peb) {
        Ok(run) => run.attend(kernel),
        Err(status) => status,
    }
}

fn start<K: Kernel>(kernel: K, peb: u64) -> Result<&'static Run<K>, Status> {
    let own = Own::read(kernel, peb);
    let (command_line, command_line_length) = own.command_line(kernel)?;
    keep_for_ever(
        kernel,
        Run {
            own,
            command_line,
            command_line_length,
            phase: AtomicU8::new(Phase::default().0),
            families_begun: AtomicU8::new(0),
            result: AtomicU32::new(Status::UNSUCCESSFUL.0),
            snapshot: Handover::new(None),
        },
    )
}

/// What the threads of a run share: memory that is never released, atomics, and the hand-over of the snapshot.
struct Run<K: Kernel> {
    own: Own,
    command_line: Region<K>,
    command_line_length: usize,
    /// The phase, once the worker knows it.
    phase: AtomicU8,
    /// How many of [`Family::ALL`] the worker has begun or passed over.
    families_begun: AtomicU8,
    /// The worker's exit status.
    result: AtomicU32,
    snapshot: Handover<Option<Writer<SnapshotFile<K>>>>,
}

/// The second task of a run.
struct Finisher<K: Kernel>(&'static Run<K>);

impl<K: Kernel> Run<K> {
    fn arguments(&self) -> Arguments<'_> {
        Arguments::parse(units_of(&self.command_line, self.command_line_length))
    }

    fn console(&self, kernel: K) -> Console<K> {
        Console::new(kernel, self.own.standard_output)
    }

    /// The first thread: waits for the worker as long as it may, then for the finisher.
    fn attend(&'static self, kernel: K) -> Status {
        let budget = self.arguments().budget;
        let worker = match kernel.start_thread(self) {
            Ok(handle) => Owned::new(kernel, handle),
            Err(status) => return status,
        };
        let limit = budget.unwrap_or(BOOT_BUDGET).saturating_add(GRACE);
        let mut waited = kernel.wait(worker.get(), Some(limit));
        if waited == Status::TIMEOUT
            && budget.is_none()
            && self.phase.load(Ordering::Acquire) == Phase::LIVE.0
        {
            // Nobody's boot waits for us.
            waited = kernel.wait(worker.get(), None);
        }
        if waited == Status::SUCCESS {
            return Status(self.result.load(Ordering::Acquire));
        }
        if let Ok(finisher) = keep_for_ever(kernel, Finisher(self))
            && let Ok(handle) = kernel.start_thread(finisher)
        {
            let finisher = Owned::new(kernel, handle);
            kernel.wait(finisher.get(), Some(FINISH_LIMIT));
        }
        Status::TIMEOUT
    }

    /// The worker: everything that may fail, wait or hang.
    fn work(&'static self, kernel: K) -> Result<(), Status> {
        let start = kernel.performance_counter();
        let clock = kernel.clock();
        let mut arguments = self.arguments();
        let console = self.console(kernel);
        let mut buffer = Region::new(kernel, 16 * PAGE)?;

        let (phase, phase_source) = match arguments.phase {
            Some(phase) => (phase, PhaseSource::ARGUMENT),
            None => (observe_phase(kernel, &mut buffer), PhaseSource::OBSERVED),
        };
        self.phase.store(phase.0, Ordering::Release);
        let is_boot = phase != Phase::LIVE;

        let mut resolved = [0; PATH_ROOM];
        let directory = Directory::open(kernel, arguments.directory)
            .or_else(|status| {
                arguments.directory =
                    without_system_root(kernel, arguments.directory, &mut resolved)
                        .ok_or(status)?;
                Directory::open(kernel, arguments.directory)
            })
            .inspect_err(|status| {
                complain(
                    &console,
                    &arguments,
                    "cannot open or create the directory",
                    *status,
                )
            })?;
        if is_boot {
            leave_if_told(&directory).inspect_err(|reason| match *reason {
                Status::CANCELLED => complain(
                    &console,
                    &arguments,
                    "the file 'off' is in the directory",
                    *reason,
                ),
                reason => complain(
                    &console,
                    &arguments,
                    "the last run did not end; 'bootshotctl status --reset' allows the next one",
                    reason,
                ),
            })?;
        }
        if directory.free_space()? < FREE_SPACE_NEEDED {
            complain(
                &console,
                &arguments,
                "less than 64 MiB free, nothing is written",
                Status::DISK_FULL,
            );
            return Err(Status::DISK_FULL);
        }
        let heap = Heap::new(kernel, HEAP_LIMIT);
        let stem = Stem {
            sequence: next_sequence(&directory, &mut buffer)?,
            clock,
            phase,
        };
        if is_boot {
            directory.create_flushed(GUARD, stem.line().bytes())?;
        }
        // From here on the guard stands, and goes when the run has ended by itself, well or not.
        let result = self.photograph(
            kernel,
            &arguments,
            &directory,
            &heap,
            &stem,
            phase_source,
            start,
        );
        if result != Err(Status::TIMEOUT) {
            if result.is_ok() {
                prune(&directory, &heap, &mut buffer, arguments.keep)?;
            }
            if is_boot {
                directory.remove(GUARD)?;
            }
        }
        result
    }

    #[allow(clippy::too_many_arguments)]
    fn photograph(
        &'static self,
        kernel: K,
        arguments: &Arguments<'_>,
        directory: &Directory<K>,
        heap: &Heap<K>,
        stem: &Stem,
        phase_source: PhaseSource,
        start: (u64, u64),
    ) -> Result<(), Status> {
        let console = self.console(kernel);
        let privileges = PRIVILEGES.map(|luid| (luid, kernel.enable_privilege(luid)));
        let mut buffer = Region::new(kernel, 16 * PAGE)?;
        let csrss_at_start = capture::csrss(kernel, &mut buffer);
        let mut header = self.header(kernel, stem, start);
        header.phase_source = phase_source;
        header.csrss_at_start = csrss_at_start;
        for (luid, status) in privileges {
            header.privileges_wanted |= 1 << luid;
            header.privileges_held |= u64::from(status == Status::SUCCESS) << luid;
        }
        greet(&console, arguments, &header);

        let mut security = [0; 64];
        let security = kept(&mut security, |buffer| directory.security(buffer));
        let mut file_system = [0; 16];
        let file_system = kept(&mut file_system, |buffer| directory.file_system(buffer));
        let facts = Facts {
            bad_arguments: arguments.bad(),
            privileges: &privileges,
            directory: arguments.directory,
            security,
            file_system,
            handles: &[KnownHandle {
                handle: directory.handle(),
                type_name: utf16!("File"),
            }],
        };

        let file = SnapshotFile::create(kernel, directory, stem.line().bytes())?;
        let writer = Writer::new(file, header)?;
        self.snapshot
            .borrow(|slot| *slot = Some(writer))
            .ok_or(Status::TIMEOUT)?;
        let budget = match arguments.budget {
            Some(budget) => Some(budget),
            None if stem.phase == Phase::LIVE => None,
            None => Some(BOOT_BUDGET),
        };
        let elapsed = || {
            milliseconds(
                kernel.performance_counter().0.wrapping_sub(start.0),
                start.1,
            )
        };
        let may_start = |family: Family| {
            self.families_begun
                .store(family.0 as u8 + 1, Ordering::Release);
            // What bootshot says of itself explains the rest, and takes no time.
            family == Family::OWN || budget.is_none_or(|budget| elapsed() < budget)
        };
        let report = |family: Family, cost: capture::Cost| {
            let wanted = if stem.phase == Phase::LIVE {
                Voice::Normal
            } else {
                Voice::Verbose
            };
            if arguments.voice == wanted || arguments.voice == Voice::Verbose {
                say_row(kernel, &console, family, cost, start.1);
            }
        };
        let captured = Capture::new(kernel, heap, &self.snapshot, self.own, &facts)
            .map_err(Stop::NotWritten)
            .and_then(|mut capture| capture.run(arguments.families, may_start, report));
        let csrss_at_end = capture::csrss(kernel, &mut buffer);
        let published = self.snapshot.borrow(|slot| {
            // Taken out, so that the file is closed here whatever comes of it.
            let mut writer = slot.take().ok_or(Status::TIMEOUT)?;
            let result = captured
                .map_err(|stop| match stop {
                    Stop::Taken => Status::TIMEOUT,
                    Stop::NotWritten(status) => status,
                })
                .and_then(|()| publish(kernel, &mut writer, csrss_at_end, FinishedBy::CAPTURE));
            if result == Err(Status::DISK_FULL) {
                writer.sink().discard();
            }
            result.map(|()| writer.length())
        });
        match published.unwrap_or(Err(Status::TIMEOUT)) {
            Ok(length) => {
                if arguments.voice != Voice::Quiet {
                    let mut line = Line::new();
                    line.text("  wrote ");
                    line.wide(arguments.directory);
                    line.text("\\");
                    line.text(core::str::from_utf8(stem.line().bytes()).unwrap_or(""));
                    let _ = uwrite!(line, ".bshot, {} KiB in {} ms", length / 1024, elapsed());
                    console.say(&line);
                }
                Ok(())
            }
            Err(status) => {
                complain(
                    &console,
                    arguments,
                    "the snapshot could not be finished",
                    status,
                );
                Err(status)
            }
        }
    }

    fn header(&self, kernel: K, stem: &Stem, start: (u64, u64)) -> Header {
        /// `SystemTimeOfDayInformation`, whose first field is the boot time.
        const TIME_OF_DAY: u32 = 3;
        let mut words = [0; 6];
        kernel.query_system_information(TIME_OF_DAY, Buffer::new(&mut words, usize::MAX));
        let boot_time = words[0] as i64;
        Header {
            snapshot_id: snapshot_id([
                stem.clock.system_time as u64,
                stem.clock.interrupt_time,
                kernel.performance_counter().0,
                self.own.process_id,
                self.own.peb,
                self as *const Self as u64,
                boot_time as u64,
                stem.sequence,
            ]),
            machine: MACHINE,
            pointer_width: size_of::<usize>() as u8,
            phase: stem.phase,
            page_size: PAGE as u32,
            nt_major: shared(kernel, user_shared_data::NT_MAJOR_VERSION),
            nt_minor: shared(kernel, user_shared_data::NT_MINOR_VERSION),
            nt_build: self.own.build,
            boot_id: shared(kernel, user_shared_data::BOOT_ID),
            writer_version: VERSION,
            process_id: self.own.process_id,
            boot_time,
            sequence: stem.sequence,
            system_time: stem.clock.system_time,
            interrupt_time: stem.clock.interrupt_time,
            performance_frequency: start.1,
            performance_counter: start.0,
            ..Header::decode(&[0; Header::SIZE])
        }
    }
}

impl<K: Kernel> Task<K> for Run<K> {
    fn run(&'static self, kernel: K) {
        let status = self.work(kernel).err().unwrap_or(Status::SUCCESS);
        self.result.store(status.0, Ordering::Release);
    }
}

impl<K: Kernel> Task<K> for Finisher<K> {
    fn run(&'static self, kernel: K) {
        let run = self.0;
        let arguments = run.arguments();
        let taken = run.snapshot.take().and_then(Option::as_mut);
        let result = match taken {
            None => Err(Status::TIMEOUT),
            Some(writer) => {
                let begun = usize::from(run.families_begun.load(Ordering::Acquire));
                finish(
                    kernel,
                    writer,
                    &arguments,
                    Family::ALL.get(begun..).unwrap_or(&[]),
                )
            }
        };
        let what = match result {
            Ok(()) => "the time was up; what there was is written",
            Err(_) => "the time was up; nothing could be finished",
        };
        complain(
            &run.console(kernel),
            &arguments,
            what,
            result.err().unwrap_or(Status::TIMEOUT),
        );
    }
}

/// Closes a snapshot that was taken out of the worker's hands.
fn finish<K: Kernel>(
    kernel: K,
    writer: &mut Writer<SnapshotFile<K>>,
    arguments: &Arguments<'_>,
    rest: &[Family],
) -> Result<(), Status> {
    if writer.in_section() {
        writer.end(capture::empty_end(Outcome::TORN))?;
    }
    for family in rest {
        let outcome = match arguments.families.contains(*family) {
            true => Outcome::SKIPPED_BY_BUDGET,
            false => Outcome::SKIPPED_BY_ARGUMENT,
        };
        capture::skip(writer, kernel, *family, outcome)?;
    }
    publish(kernel, writer, Presence::UNKNOWN, FinishedBy::FINISHER)
}

fn publish<K: Kernel>(
    kernel: K,
    writer: &mut Writer<SnapshotFile<K>>,
    csrss_at_end: Presence,
    finished_by: FinishedBy,
) -> Result<(), Status> {
    let clock = kernel.clock();
    writer.trailer(Trailer {
        system_time: clock.system_time,
        interrupt_time: clock.interrupt_time,
        performance_counter: kernel.performance_counter().0,
        csrss_at_end,
        finished_by,
        index_entries: 0,
    })?;
    writer.sink().publish()
}

/// csrss means a running system. Before it, the SOFTWARE hive is loaded between the two lists. When the question is not
/// answered, the stricter moment is assumed.
fn observe_phase<K: Kernel>(kernel: K, buffer: &mut Region<K>) -> Phase {
    const KEY_QUERY_VALUE: u32 = 1;
    if capture::csrss(kernel, buffer) == Presence::PRESENT {
        return Phase::LIVE;
    }
    match kernel.open_key(utf16!("\\Registry\\Machine\\Software"), KEY_QUERY_VALUE) {
        Ok(key) => {
            kernel.close(key);
            Phase::SETUP_EXECUTE
        }
        Err(_) => Phase::BOOT_EXECUTE,
    }
}

/// UTF-16 units of a path that [`without_system_root`] puts together.
const PATH_ROOM: usize = 320;

/// The path with the drive letter of `KUSER_SHARED_DATA.NtSystemRoot` in the place of `\SystemRoot`, which emulators
/// (seen: Wine 8) do not resolve.
fn without_system_root<'p, K: Kernel>(
    kernel: K,
    path: &[u16],
    room: &'p mut [u16; PATH_ROOM],
) -> Option<&'p [u16]> {
    const SYSTEM_ROOT: &str = "\\SystemRoot";
    let (root, rest) = path.split_at_checked(SYSTEM_ROOT.len())?;
    if !text::is(root, SYSTEM_ROOT) {
        return None;
    }
    let mut bytes = [0; 2 * 64];
    let address = user_shared_data::ADDRESS + user_shared_data::NT_SYSTEM_ROOT as u64;
    kernel
        .read_virtual_memory(Handle::CURRENT_PROCESS, address, &mut bytes)
        .status
        .ok()
        .ok()?;
    let system_root = bytes
        .as_chunks::<2>()
        .0
        .iter()
        .map(|pair| u16::from_le_bytes(*pair))
        .take_while(|unit| *unit != 0);
    let mut length = 0;
    for unit in utf16!("\\??\\")
        .iter()
        .copied()
        .chain(system_root)
        .chain(rest.iter().copied())
    {
        *room.get_mut(length)? = unit;
        length += 1;
    }
    Some(&room[..length])
}

/// The kill switch and the guard.
fn leave_if_told<K: Kernel>(directory: &Directory<K>) -> Result<(), Status> {
    if directory.contains(KILL_SWITCH) {
        return Err(Status::CANCELLED);
    }
    if directory.contains(GUARD) {
        return Err(Status::REQUEST_ABORTED);
    }
    Ok(())
}

/// What a snapshot's name is made of.
struct Stem {
    sequence: u64,
    clock: Clock,
    phase: Phase,
}

impl Stem {
    /// `<sequence>-<UTC time>-<phase>`.
    fn line(&self) -> Line {
        let moment = Moment::from_system_time(self.clock.system_time);
        let mut line = Line::new();
        line.padded(self.sequence, SEQUENCE_DIGITS);
        line.text("-");
        line.padded(u64::from(moment.year), 4);
        line.padded(u64::from(moment.month), 2);
        line.padded(u64::from(moment.day), 2);
        line.text("T");
        line.padded(u64::from(moment.hour), 2);
        line.padded(u64::from(moment.minute), 2);
        line.padded(u64::from(moment.second), 2);
        line.text("Z-");
        line.text(self.phase.name());
        line
    }
}

const SEQUENCE_DIGITS: u32 = 8;

/// The sequence number at the start of a snapshot's name, finished or not.
fn sequence_of(name: &[u16]) -> Option<u64> {
    let dash = name.iter().position(|unit| *unit == u16::from(b'-'))?;
    let is_ours = [".bshot", ".tmp"].iter().any(|extension| {
        let start = name.len().checked_sub(extension.len());
        start.is_some_and(|start| text::is(&name[start..], extension))
    });
    if is_ours {
        text::number(&name[..dash])
    } else {
        None
    }
}

/// A file of this name and no content remembers the highest number given: it grows even when snapshots are moved away.
const SEQUENCE_MARK: &str = "sequence-";

fn marked_sequence(name: &[u16]) -> Option<u64> {
    let (mark, number) = name.split_at_checked(SEQUENCE_MARK.len())?;
    if text::is(mark, SEQUENCE_MARK) {
        text::number(number)
    } else {
        None
    }
}

/// One more than any number given in this directory so far, marked before it is used.
fn next_sequence<K: Kernel>(
    directory: &Directory<K>,
    buffer: &mut Region<K>,
) -> Result<u64, Status> {
    let mut highest = 0;
    let mut former_mark = None;
    directory.for_each_name(buffer, |name| {
        let marked = marked_sequence(name);
        if marked >= former_mark.as_ref().map(|(sequence, _)| *sequence)
            && let Some(sequence) = marked
        {
            former_mark = Name::found(name).map(|name| (sequence, name));
        }
        highest = highest.max(marked.or(sequence_of(name)).unwrap_or(0));
    })?;
    let sequence = highest + 1;
    let mut mark = Line::new();
    mark.text(SEQUENCE_MARK);
    mark.padded(sequence, SEQUENCE_DIGITS);
    let mark = Name::new(mark.bytes(), "").ok_or(Status::INVALID_PARAMETER)?;
    directory.create_flushed(mark.units(), &[])?;
    if let Some((_, name)) = former_mark {
        directory.remove(name.units())?;
    }
    Ok(sequence)
}

/// Removes the lowest-numbered snapshots beyond `keep`; the newest, just written, is never among them.
fn prune<K: Kernel>(
    directory: &Directory<K>,
    heap: &Heap<K>,
    buffer: &mut Region<K>,
    keep: u32,
) -> Result<(), Status> {
    let mut names = List::new(heap);
    let mut complete = Ok(());
    directory.for_each_name(buffer, |name| {
        if let (Some(sequence), Some(name), Ok(())) =
            (sequence_of(name), Name::found(name), complete)
        {
            complete = names.push((sequence, name));
        }
    })?;
    complete?;
    let surplus = names.len().saturating_sub(keep as usize);
    let mut removed_below = 0;
    for _ in 0..surplus {
        let lowest = names
            .iter()
            .filter(|(sequence, _)| *sequence >= removed_below)
            .min_by_key(|(sequence, _)| *sequence);
        if let Some((sequence, name)) = lowest {
            removed_below = sequence + 1;
            directory.remove(name.units())?;
        }
    }
    Ok(())
}

/// Keeps an answer that is small, with its status.
fn kept<'b>(words: &'b mut [u64], ask: impl FnOnce(Buffer<'_>) -> Answer) -> (Status, &'b [u8]) {
    let answer = ask(Buffer::new(words, usize::MAX));
    let bytes = Buffer::new(words, usize::MAX).into_bytes();
    let length = if answer.status.is_success() {
        answer.length.min(bytes.len())
    } else {
        0
    };
    (answer.status, &bytes[..length])
}

/// 128 bits that no two snapshots share: everything that differs between two runs, through two seeds of the checksum.
fn snapshot_id(sources: [u64; 8]) -> [u8; 16] {
    let mut bytes = [0; 72];
    for (place, source) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(sources) {
        *place = source.to_le_bytes();
    }
    let low = xxh64(&bytes);
    bytes[64..].copy_from_slice(&low.to_le_bytes());
    let high = xxh64(&bytes);
    (u128::from(high) << 64 | u128::from(low)).to_le_bytes()
}

/// `IMAGE_FILE_MACHINE_*` of this image.
const MACHINE: u16 = match () {
    () if cfg!(target_arch = "x86_64") => 0x8664,
    () if cfg!(target_arch = "x86") => 0x014C,
    () => 0xAA64,
};

/// The package's version, a byte each.
const VERSION: u32 = {
    const fn part(text: &str) -> u32 {
        let digits = text.as_bytes();
        let mut value = 0;
        let mut index = 0;
        while index < digits.len() {
            value = value * 10 + (digits[index] - b'0') as u32;
            index += 1;
        }
        value
    }
    part(env!("CARGO_PKG_VERSION_MAJOR")) << 16
        | part(env!("CARGO_PKG_VERSION_MINOR")) << 8
        | part(env!("CARGO_PKG_VERSION_PATCH"))
};

fn milliseconds(ticks: u64, frequency: u64) -> u32 {
    u32::try_from(ticks / (frequency / 1000).max(1)).unwrap_or(u32::MAX)
}

fn greet<K: Kernel>(console: &Console<K>, arguments: &Arguments<'_>, header: &Header) {
    if arguments.voice == Voice::Quiet {
        return;
    }
    let mut line = Line::new();
    let _ = uwrite!(
        line,
        "bootshot {}: {}, NT {}.{} build {}, process {}",
        env!("CARGO_PKG_VERSION"),
        header.phase.name(),
        header.nt_major,
        header.nt_minor,
        header.nt_build,
        header.process_id
    );
    console.say(&line);
    if !arguments.bad().is_empty() {
        let mut line = Line::new();
        line.text("  not understood:");
        for word in arguments.bad() {
            line.text(" ");
            line.wide(word);
        }
        console.say(&line);
    }
}

fn say_row<K: Kernel>(
    kernel: K,
    console: &Console<K>,
    family: Family,
    cost: capture::Cost,
    frequency: u64,
) {
    let row = Row {
        name: match family {
            Family::OWN => c"own",
            Family::PROCESSES => c"processes",
            Family::HANDLES => c"handles",
            Family::TYPES => c"types",
            Family::MODULES => c"modules",
            Family::SYSTEM => c"system",
            Family::REGISTRY => c"registry",
            _ => c"details",
        },
        asked: cost.asked,
        answered: cost.answered,
        kibibytes: u32::try_from(cost.bytes.div_ceil(1024)).unwrap_or(u32::MAX),
        milliseconds: milliseconds(cost.ticks, frequency),
    };
    let mut line = Line::new();
    line.fill(|to| kernel.format_row(&row, to));
    console.say(&line);
}

fn complain<K: Kernel>(
    console: &Console<K>,
    arguments: &Arguments<'_>,
    what: &str,
    status: Status,
) {
    if arguments.voice == Voice::Quiet {
        return;
    }
    let mut line = Line::new();
    line.text("bootshot: ");
    line.text(what);
    line.text(" (");
    line.status(status);
    line.text("), ");
    line.wide(arguments.directory);
    console.say(&line);
}
