//! What each process tells of itself when it is opened: path, command line, protection, user, integrity.

use super::processes::for_each_process;
use super::{Capture, Exact, Question, Stop};
use crate::nt::layout::process_basic_information;
use crate::nt::{Handle, Kernel, List, Owned, Status};
use crate::own::native;
use bootshot_format::{Family, OpenKind, Outcome, Sink, Source};

const PROCESS_VM_READ: u32 = 0x10;
const PROCESS_QUERY_INFORMATION: u32 = 0x400;
/// Since Vista.
const PROCESS_QUERY_LIMITED_INFORMATION: u32 = 0x1000;
const TOKEN_QUERY: u32 = 8;

/// `ProcessBasicInformation`.
const BASIC_INFORMATION: u32 = 0;
/// `ProcessCommandLineInformation`, since Windows 8.1.
const COMMAND_LINE_INFORMATION: u32 = 60;

/// Class, and the length it takes where it takes only one.
#[rustfmt::skip]
const CLASSES: [(u32, Option<Exact>); 6] = [
    (BASIC_INFORMATION, Some(BASIC)),
    (26, Some(Exact::new(4, 8))),   // ProcessWow64Information
    (27, None),                     // ProcessImageFileName
    (COMMAND_LINE_INFORMATION, None),
    (61, Some(Exact::new(1, 1))),   // ProcessProtectionInformation
    (64, None),                     // ProcessTelemetryIdInformation
];

const BASIC: Exact = Exact::new(24, 48);

/// `TokenUser`, `TokenIntegrityLevel`.
const TOKEN_CLASSES: [u32; 2] = [1, 25];

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    pub(super) fn details(&mut self) -> Result<(), Stop> {
        let kernel = self.kernel;
        let heap = self.heap;
        let mut processes = List::new(heap);
        let mut complete = Ok(());
        let listed = for_each_process(kernel, &mut self.answer, |process| {
            if complete.is_ok() {
                complete = processes.push((process.id, process.create_time));
            }
        });
        self.begin_batch(Family::DETAILS)?;
        if let Err(status) = listed.and(complete.map_err(Status::from)) {
            // Which processes were left out follows from the process list; this says why.
            self.note(&Question::new(Source::OPEN, OpenKind::PROCESS.0), status)?;
        }
        for (id, create_time) in processes.iter() {
            if !(self.may_go_on)() {
                return self.end_batch_as(Outcome::TRUNCATED);
            }
            // The idle process cannot be opened on any system.
            if *id != 0 {
                self.process(*id, *create_time)?;
            }
        }
        self.end_batch()
    }

    fn process(&mut self, id: u64, create_time: u64) -> Result<(), Stop> {
        let kernel = self.kernel;
        let process = match kernel
            .open_process(id, PROCESS_QUERY_LIMITED_INFORMATION)
            .or_else(|_| kernel.open_process(id, PROCESS_QUERY_INFORMATION))
        {
            Ok(handle) => Owned::new(kernel, handle),
            Err(status) => {
                let question =
                    Question::new(Source::OPEN, OpenKind::PROCESS.0).about(id, create_time);
                return self.note(&question, status);
            }
        };
        let mut peb_address = 0;
        let mut command_line = Status::SUCCESS;
        for (class, exact) in CLASSES {
            let question = Question::new(Source::PROCESS_INFORMATION, class).about(id, create_time);
            let asked = self.item(&question, exact, &mut |buffer| {
                kernel.query_information_process(process.get(), class, buffer)
            })?;
            match class {
                BASIC_INFORMATION if asked.status.is_success() => {
                    let basic = &self.answer.bytes()[..asked.length];
                    peb_address = native(basic, process_basic_information::PEB_BASE_ADDRESS);
                }
                COMMAND_LINE_INFORMATION => command_line = asked.status,
                _ => {}
            }
        }
        if peb_address != 0
            && matches!(
                command_line,
                Status::INVALID_INFO_CLASS | Status::NOT_IMPLEMENTED
            )
        {
            match kernel.open_process(id, PROCESS_QUERY_INFORMATION | PROCESS_VM_READ) {
                Ok(handle) => {
                    let process = Owned::new(kernel, handle);
                    self.command_line_of(process.get(), peb_address, id, create_time)?;
                }
                Err(status) => {
                    let question =
                        Question::new(Source::OPEN, OpenKind::PROCESS.0).about(id, create_time);
                    self.note(&question, status)?;
                }
            }
        }
        let in_job = Question::new(Source::PROCESS_IN_JOB, 0).about(id, create_time);
        self.note(&in_job, kernel.is_process_in_job(process.get()))?;
        self.token(process.get(), id, create_time)
    }

    fn token(&mut self, process: Handle, id: u64, create_time: u64) -> Result<(), Stop> {
        let kernel = self.kernel;
        let token = match kernel.open_process_token(process, TOKEN_QUERY) {
            Ok(handle) => Owned::new(kernel, handle),
            Err(status) => {
                let question =
                    Question::new(Source::OPEN, OpenKind::PROCESS_TOKEN.0).about(id, create_time);
                return self.note(&question, status);
            }
        };
        for class in TOKEN_CLASSES {
            let question = Question::new(Source::TOKEN_INFORMATION, class).about(id, create_time);
            self.item(&question, None, &mut |buffer| {
                kernel.query_information_token(token.get(), class, buffer)
            })?;
        }
        Ok(())
    }
}
