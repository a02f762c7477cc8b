//! What each process tells of itself when it is opened: path, command line, protection, user, integrity.

use super::Capture;
use super::processes::{PROCESS_INFORMATION, Processes};
use super::query::Ask;
use crate::nt::access::{
    PROCESS_QUERY_INFORMATION, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_VM_READ, TOKEN_QUERY,
};
use crate::nt::layout::process_basic_information;
use crate::nt::{Handle, Kernel, Status};
use crate::own::native;
use bootshot_format::{Family, OpenKind, Sink, Source};

const PROCESS: Source = Source::PROCESS_INFORMATION;

const BASIC: [Ask; 1] = [Ask::exact(PROCESS, 0, 24, 48)]; // ProcessBasicInformation

/// The last of them is the one that older systems do not have.
const TO_COMMAND_LINE: [Ask; 3] = [
    Ask::exact(PROCESS, 26, 4, 8), // ProcessWow64Information
    Ask::new(PROCESS, 27),         // ProcessImageFileName
    Ask::new(PROCESS, 60),         // ProcessCommandLineInformation, since Windows 8.1
];

const REST: [Ask; 2] = [
    Ask::exact(PROCESS, 61, 1, 1), // ProcessProtectionInformation
    Ask::new(PROCESS, 64),         // ProcessTelemetryIdInformation
];

const IN_JOB: Ask = Ask::new(Source::PROCESS_IN_JOB, 0);

const TOKEN: [Ask; 2] = [
    Ask::new(Source::TOKEN_INFORMATION, 1),  // TokenUser
    Ask::new(Source::TOKEN_INFORMATION, 25), // TokenIntegrityLevel
];

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    pub(super) fn details(&mut self) {
        self.begin_batch(Family::DETAILS);
        self.each_process(&mut |capture, id, create_time| {
            capture.subject = [id, create_time];
            capture.process(id);
        });
        self.end_batch();
    }

    /// Calls `each` with id and creation time of every process but the idle one, which cannot be opened on any system.
    pub(super) fn each_process(&mut self, each: &mut dyn FnMut(&mut Self, u64, u64)) {
        self.ask(PROCESS_INFORMATION);
        if !self.asked.status.is_success() {
            // Which processes were left out follows from the process list; this says why.
            self.note(
                Ask::new(Source::OPEN, OpenKind::PROCESS.0),
                self.asked.status,
            );
        }
        let length = self.asked.length;
        let list = self.lend_answer();
        for process in Processes::new(&list, length) {
            if !self.goes_on() {
                break;
            }
            if process.id != 0 {
                each(self, process.id, process.create_time);
            }
        }
        self.answer = list;
    }

    /// Opens a process to be asked, with what is enough on newer systems or else with what older ones want.
    pub(super) fn open_to_query(&self, id: u64) -> Result<Handle, Status> {
        let open = |access| self.kernel.open_process(id, access);
        open(PROCESS_QUERY_LIMITED_INFORMATION).or_else(|_| open(PROCESS_QUERY_INFORMATION))
    }

    fn process(&mut self, id: u64) {
        let kernel = self.kernel;
        let process = self.opened(OpenKind::PROCESS, self.open_to_query(id));
        let handle = process.get();
        if handle == Handle::NONE {
            return;
        }
        self.items(&BASIC);
        let basic = self.answer.first(self.asked.length);
        let peb = native(basic, process_basic_information::PEB_BASE_ADDRESS);
        self.items(&TO_COMMAND_LINE);
        let is_unknown = matches!(
            self.asked.status,
            Status::INVALID_INFO_CLASS | Status::NOT_IMPLEMENTED
        );
        self.items(&REST);
        if peb != 0 && is_unknown {
            let opened = kernel.open_process(id, PROCESS_QUERY_INFORMATION | PROCESS_VM_READ);
            let process = self.opened(OpenKind::PROCESS, opened);
            if process.get() != Handle::NONE {
                self.command_line_of(peb);
            }
        }
        self.note(IN_JOB, kernel.is_process_in_job(handle));
        let token = kernel.open_process_token(handle, TOKEN_QUERY);
        let token = self.opened(OpenKind::PROCESS_TOKEN, token);
        if token.get() != Handle::NONE {
            self.items(&TOKEN);
        }
    }
}
