//! The run, from the first instruction to the exit status.
//!
//! smss waits for our first thread, so the first thread does nothing that could hang: it reads its arguments from
//! memory, starts a worker and waits with a time limit. The worker does all the rest. When it exceeds the limit, a
//! finisher takes the snapshot out of its hands ([`Handover`]), closes it and publishes what there is; the first
//! thread waits for that with a limit too, and then the process ends, whatever still hangs in the kernel.

use core::cell::Cell;
use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use crate::args::Arguments;
use crate::capture::{self, Capture, Facts, KnownHandle, Stop};
use crate::nt::access::KEY_QUERY_VALUE;
use crate::nt::layout::user_shared_data;
use crate::nt::{
    Answer, Buffer, Handle, Handover, Heap, Kernel, Owned, PAGE, Region, Status, Task,
    keep_for_ever, units_of,
};
use crate::output::{Directory, FREE_SPACE_NEEDED, SnapshotFile};
use crate::own::{Own, shared};
use crate::path::Path;
use crate::report::{Report, milliseconds};
use crate::shelf::{self, Stem};
use crate::unregister::unregister;
use crate::utf16;
use bootshot_format::{
    Family, FinishedBy, Header, ObjectKind, Outcome, PACKED_BATCHES, Phase, PhaseSource, Presence,
    Trailer, Writer, xxh64_of_words,
};

/// Hard errors fail instead of asking somebody: `SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX`, and critical errors
/// with them, since the kernel holds `SEM_FAILCRITICALERRORS` inverted.
const HARD_ERRORS_FAIL: u32 = 0x8002;

/// Milliseconds a run may take at boot when `budget=` does not say.
const BOOT_BUDGET: u32 = 10_000;
/// Milliseconds past the budget before the worker counts as hung: a single question may be slow.
const GRACE: u32 = 5_000;
/// Milliseconds a family may take on a running system when `budget=` does not say: files may be far away.
const LIVE_FAMILY_LIMIT: u64 = 60_000;
/// Units of the interrupt time, 100 ns, in a millisecond.
const UNITS_PER_MILLISECOND: u64 = 10_000;
/// Milliseconds the finisher has.
const FINISH_LIMIT: u32 = 5_000;

/// Bytes the heap may grow to.
const HEAP_LIMIT: usize = 4 << 20;

/// Privileges that open what is closed to others, by LUID.
const PRIVILEGES: [u32; 7] = [
    7,  // SeTcbPrivilege: NtDisplayString
    8,  // SeSecurityPrivilege
    11, // SeSystemProfilePrivilege
    17, // SeBackupPrivilege
    18, // SeRestorePrivilege
    20, // SeDebugPrivilege
    22, // SeSystemEnvironmentPrivilege: variables of the firmware
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
            result: AtomicU32::new(Status::UNSUCCESSFUL.number()),
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
        Arguments::parse(self.command_line())
    }

    fn command_line(&self) -> &[u16] {
        units_of(&self.command_line, self.command_line_length)
    }

    // ANCHOR: attend
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
            return Status::new(self.result.load(Ordering::Acquire));
        }
        if let Ok(finisher) = keep_for_ever(kernel, Finisher(self))
            && let Ok(handle) = kernel.start_thread(finisher)
        {
            let finisher = Owned::new(kernel, handle);
            kernel.wait(finisher.get(), Some(FINISH_LIMIT));
        }
        Status::TIMEOUT
    }
    // ANCHOR_END: attend

    /// The worker: everything that may fail, wait or hang.
    fn work(&'static self, kernel: K) -> Result<(), Status> {
        let start = kernel.performance_counter();
        let clock = kernel.clock();
        let mut buffer = Region::new(kernel, 16 * PAGE)?;
        let mut arguments = self.arguments();
        let mut path = Path::of(arguments.directory);

        let (phase, phase_source) = match arguments.phase {
            Some(phase) => (phase, PhaseSource::ARGUMENT),
            None => (observe_phase(kernel), PhaseSource::OBSERVED),
        };
        self.phase.store(phase.0, Ordering::Release);
        let is_boot = phase != Phase::LIVE;

        if is_boot && !arguments.in_safe_mode && is_safe_mode(kernel) {
            // Somebody is mending this system.
            return Err(Status::CANCELLED);
        }
        let opened = Directory::open(kernel, &mut path);
        arguments.directory = path.units();
        let report = Report::new(kernel, self.own.standard_output, &arguments);
        let directory = opened.inspect_err(|status| {
            let reason = match *status {
                Status::REPARSE_POINT_ENCOUNTERED => "the directory is a link",
                Status::INVALID_SECURITY_DESCR => "others may write to the directory",
                _ => "cannot open or create the directory",
            };
            report.complain(reason, *status);
        })?;
        if is_boot {
            shelf::leave_if_told(&directory, arguments.once).inspect_err(|status| {
                let reason = match *status {
                    Status::CANCELLED => "there is a file 'off'",
                    Status::ALREADY_COMPLETE => "the capture was made, and one was wanted",
                    _ => "the last run did not end; 'bootshotctl status --reset' allows the next",
                };
                report.complain(reason, *status);
            })?;
        }
        if directory.free_space()? < FREE_SPACE_NEEDED {
            report.complain(
                "less than 64 MiB free, nothing is written",
                Status::DISK_FULL,
            );
            return Err(Status::DISK_FULL);
        }

        let heap = Heap::new(kernel, HEAP_LIMIT);
        let cannot_write =
            |status: &Status| report.complain("cannot write to the directory", *status);
        let sequence = shelf::next_sequence(&directory, &mut buffer).inspect_err(cannot_write)?;
        let stem = Stem {
            sequence,
            clock,
            phase,
        };
        if is_boot {
            shelf::put_up_guard(&directory, &stem).inspect_err(cannot_write)?;
        }
        let job = Job {
            run: self,
            kernel,
            arguments,
            directory: &directory,
            heap: &heap,
            stem,
            start,
            report,
        };
        let result = job.photograph(phase_source);
        if result == Err(Status::TIMEOUT) {
            // The finisher has the snapshot, and names it in this directory: it stays open. The guard stays: the next boot is not
            // to hang in the same place.
            core::mem::forget(directory);
            return result;
        }
        let once = is_boot && arguments.once;
        if once && result.is_ok() {
            // While it cannot be put up, the guard stays in its place and keeps the next boot from a second capture.
            shelf::put_up_done(&directory, &stem).inspect_err(|status| {
                job.report
                    .complain("cannot note that the capture was made", *status);
            })?;
        }
        let result = result.and_then(|()| {
            shelf::prune(&directory, &mut buffer, arguments.keep, stem.sequence).inspect_err(
                |status| {
                    job.report
                        .complain("cannot remove all old snapshots", *status)
                },
            )
        });
        if is_boot {
            shelf::take_down_guard(&directory).inspect_err(|status| {
                job.report.complain("cannot remove 'attempt'", *status);
            })?;
        }
        if once && result.is_ok() {
            // The file 'done' is what counts: nothing is made of a failure here.
            let _ = unregister(kernel, self.command_line(), &mut buffer);
        }
        result
    }
}

/// One capture, once it is clear that there will be one.
struct Job<'a, K: Kernel> {
    run: &'static Run<K>,
    kernel: K,
    arguments: Arguments<'a>,
    directory: &'a Directory<K>,
    heap: &'a Heap<K>,
    stem: Stem,
    /// Performance counter and its frequency at the start.
    start: (u64, u64),
    report: Report<'a, K>,
}

impl<K: Kernel> Job<'_, K> {
    // Out of line, with a frame of its own: docs/size.md.
    #[inline(never)]
    fn photograph(&self, phase_source: PhaseSource) -> Result<(), Status> {
        let kernel = self.kernel;
        let privileges = PRIVILEGES.map(|luid| (luid, kernel.enable_privilege(luid)));
        let mut header = self.header();
        header.phase_source = phase_source;
        header.csrss_at_start = capture::csrss(kernel);
        for (luid, status) in privileges {
            header.privileges_wanted |= 1 << luid;
            header.privileges_held |= u64::from(status == Status::SUCCESS) << luid;
        }
        self.report.greet(&header, self.arguments.bad());

        let stem = self.stem.line();
        let file = SnapshotFile::create(kernel, self.directory, stem.bytes())?;
        let writer = Writer::new(file, header)?;
        let snapshot = &self.run.snapshot;
        snapshot
            .borrow(|slot| *slot = Some(writer))
            .ok_or(Status::TIMEOUT)?;
        // Where nothing can be written any more, nothing is asked either.
        let captured = self.capture(&privileges).map(|()| capture::csrss(kernel));
        let published = snapshot.borrow(|slot| {
            // Taken out, so that the file is closed here whatever comes of it.
            let mut writer = slot.take().ok_or(Status::TIMEOUT)?;
            let result = match captured {
                Ok(csrss_at_end) => publish(kernel, &mut writer, csrss_at_end, FinishedBy::CAPTURE),
                Err(Stop::Taken) => Err(Status::TIMEOUT),
                Err(Stop::NotWritten(status)) => Err(status),
            };
            if result == Err(Status::DISK_FULL) {
                writer.sink().discard();
            }
            result.map(|()| writer.length())
        });
        match published.unwrap_or(Err(Status::TIMEOUT)) {
            Ok(length) => {
                let ticks = kernel.performance_counter().0.wrapping_sub(self.start.0);
                let took = milliseconds(ticks, self.start.1);
                self.report.wrote(stem.bytes(), length, took);
                Ok(())
            }
            Err(status) => {
                self.report
                    .complain("the snapshot could not be finished", status);
                Err(status)
            }
        }
    }

    fn capture(&self, privileges: &[(u32, Status)]) -> Result<(), Stop> {
        let mut security = [0; 64];
        let security = kept(&mut security, |buffer| self.directory.security(buffer));
        let mut file_system = [0; 16];
        let file_system = kept(&mut file_system, |buffer| {
            self.directory.file_system(buffer)
        });
        let facts = Facts {
            live: self.stem.phase == Phase::LIVE,
            bad_arguments: self.arguments.bad(),
            privileges,
            directory: self.arguments.directory,
            security,
            file_system,
            handles: &[KnownHandle {
                handle: self.directory.handle(),
                type_name: "File",
            }],
        };
        let budget = match self.arguments.budget {
            None if self.stem.phase == Phase::LIVE => None,
            budget => Some(u64::from(budget.unwrap_or(BOOT_BUDGET)) * UNITS_PER_MILLISECOND),
        };
        // By the interrupt time, which is read from memory: this is asked between all questions, and the performance counter
        // is a system call.
        let now = || self.kernel.clock().interrupt_time;
        // When the time of the family at work is up: that of the run, or that part of it which one family may take.
        let deadline = Cell::new(0);
        let may_start = |family: Family| {
            self.run
                .families_begun
                .store(family.0 as u8 + 1, Ordering::Release);
            let now = now();
            let Some(budget) = budget else {
                deadline.set(now + LIVE_FAMILY_LIMIT * UNITS_PER_MILLISECOND);
                return true;
            };
            let end = self.stem.clock.interrupt_time + budget;
            deadline.set(end.min(now + budget / 2));
            // What bootshot says of itself explains the rest, and takes no time.
            family == Family::OWN || now < end
        };
        let may_go_on = || now() < deadline.get();
        let report = |family: Family, cost: capture::Cost| {
            self.report
                .family(self.stem.phase, family, cost, self.start.1)
        };
        Capture::new(
            self.kernel,
            self.heap,
            &self.run.snapshot,
            self.run.own,
            &facts,
            &may_go_on,
        )
        .map_err(Stop::NotWritten)?
        .run(self.arguments.families, may_start, report)
    }

    fn header(&self) -> Header {
        /// `SystemTimeOfDayInformation`, whose first field is the boot time.
        const TIME_OF_DAY: u32 = 3;
        let Self {
            kernel, stem, run, ..
        } = self;
        let mut words = [0; 6];
        kernel.query_system_information(TIME_OF_DAY, Buffer::new(&mut words, usize::MAX));
        let boot_time = words[0] as i64;
        Header {
            snapshot_id: snapshot_id([
                stem.clock.system_time as u64,
                stem.clock.interrupt_time,
                kernel.performance_counter().0,
                run.own.process_id,
                run.own.peb,
                core::ptr::from_ref(*run).addr() as u64,
                boot_time as u64,
                stem.sequence,
            ]),
            required_features: PACKED_BATCHES,
            machine: MACHINE,
            pointer_width: size_of::<usize>() as u8,
            phase: stem.phase,
            page_size: PAGE as u32,
            nt_major: shared(*kernel, user_shared_data::NT_MAJOR_VERSION),
            nt_minor: shared(*kernel, user_shared_data::NT_MINOR_VERSION),
            nt_build: run.own.build,
            boot_id: shared(*kernel, user_shared_data::BOOT_ID),
            writer_version: VERSION,
            process_id: run.own.process_id,
            boot_time,
            sequence: stem.sequence,
            system_time: stem.clock.system_time,
            interrupt_time: stem.clock.interrupt_time,
            performance_frequency: self.start.1,
            performance_counter: self.start.0,
            ..Header::decode(&[0; Header::SIZE])
        }
    }
}

impl<K: Kernel> Task<K> for Run<K> {
    fn run(&'static self, kernel: K) {
        let status = self.work(kernel).err().unwrap_or(Status::SUCCESS);
        self.result.store(status.number(), Ordering::Release);
    }
}

impl<K: Kernel> Task<K> for Finisher<K> {
    fn run(&'static self, kernel: K) {
        let run = self.0;
        let arguments = run.arguments();
        let report = Report::new(kernel, run.own.standard_output, &arguments);
        let Some(Some(writer)) = run.snapshot.take() else {
            // There is none yet, or the worker has just published it, or hangs in writing it.
            return report.complain("the time was up", Status::TIMEOUT);
        };
        let begun = usize::from(run.families_begun.load(Ordering::Acquire));
        let finished = finish(
            kernel,
            writer,
            &arguments,
            Family::ALL.get(begun..).unwrap_or(&[]),
            run.phase.load(Ordering::Acquire) == Phase::LIVE.0,
        );
        match finished {
            Ok(()) => report.complain(
                "the time was up; what there was is written",
                Status::TIMEOUT,
            ),
            Err(status) => report.complain("the time was up; nothing could be finished", status),
        }
    }
}

/// Closes a snapshot that was taken out of the worker's hands.
fn finish<K: Kernel>(
    kernel: K,
    writer: &mut Writer<SnapshotFile<K>>,
    arguments: &Arguments<'_>,
    rest: &[Family],
    live: bool,
) -> Result<(), Status> {
    if writer.in_section() {
        writer.end(capture::empty_end(Outcome::TORN))?;
    }
    for family in rest {
        let outcome = capture::skipped(*family, arguments.families, live);
        let outcome = outcome.unwrap_or(Outcome::SKIPPED_BY_BUDGET);
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

/// `KUSER_SHARED_DATA.SafeBootMode`.
fn is_safe_mode<K: Kernel>(kernel: K) -> bool {
    shared(kernel, user_shared_data::SAFE_BOOT_MODE) & 0xFF != 0
}

// ANCHOR: observe_phase
/// csrss means a running system. Before it, the SOFTWARE hive is loaded between the two lists. When the question is not
/// answered, the stricter moment is assumed.
fn observe_phase<K: Kernel>(kernel: K) -> Phase {
    if capture::csrss(kernel) == Presence::PRESENT {
        return Phase::LIVE;
    }
    const SOFTWARE: &[u16] = utf16!("\\Registry\\Machine\\Software");
    match kernel.open(ObjectKind::KEY, Handle::NONE, SOFTWARE, KEY_QUERY_VALUE) {
        Ok(key) => {
            kernel.close(key);
            Phase::SETUP_EXECUTE
        }
        Err(_) => Phase::BOOT_EXECUTE,
    }
}
// ANCHOR_END: observe_phase

/// Keeps an answer that is small, with its status.
fn kept(words: &mut [u64], ask: impl FnOnce(Buffer<'_>) -> Answer) -> (Status, &[u8]) {
    let answer = ask(Buffer::new(words, usize::MAX));
    let bytes = Buffer::new(words, usize::MAX).into_bytes();
    let length = if answer.status.is_success() {
        answer.length.min(bytes.len())
    } else {
        0
    };
    (answer.status, bytes.get(..length).unwrap_or_default())
}

/// 128 bits that no two snapshots share: everything that differs between two runs, through two seeds of the checksum.
fn snapshot_id(sources: [u64; 8]) -> [u8; 16] {
    let mut words = [0; 9];
    Buffer::new(&mut words, usize::MAX).put(&sources);
    let low = xxh64_of_words(Buffer::new(&mut words, usize::MAX).into_bytes());
    words[8] = low;
    let high = xxh64_of_words(Buffer::new(&mut words, usize::MAX).into_bytes());
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
