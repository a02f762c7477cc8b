//! Processes and threads that have ended and still exist, because somebody holds them.

use super::Capture;
use super::query::Ask;
use crate::nt::access::{
    PROCESS_QUERY_INFORMATION, PROCESS_QUERY_LIMITED_INFORMATION, SYNCHRONIZE,
    THREAD_QUERY_LIMITED_INFORMATION,
};
use crate::nt::{Handle, Kernel, Owned, Status};
use bootshot_format::{Family, ObjectKind, OpenKind, Outcome, Sink, Source};

/// What a process, and a thread, must grant to be waited on and asked.
pub(super) const PROCESS_QUERY_AND_WAIT: u32 = PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE;
pub(super) const THREAD_QUERY_AND_WAIT: u32 = THREAD_QUERY_LIMITED_INFORMATION | SYNCHRONIZE;

/// Processes, or threads of one process, that are looked at.
const MAXIMUM_STEPS: u32 = 1 << 18;

/// What an ended process is asked.
const PROCESS: [Ask; 3] = [
    Ask::exact(Source::PROCESS_HANDLE, 0, 24, 48), // ProcessBasicInformation
    Ask::exact(Source::PROCESS_HANDLE, 4, 32, 32), // ProcessTimes
    Ask::new(Source::PROCESS_HANDLE, 27),          // ProcessImageFileName
];

/// What an ended thread is asked.
const THREAD: [Ask; 3] = [
    Ask::exact(Source::THREAD_HANDLE, 0, 28, 48), // ThreadBasicInformation
    Ask::exact(Source::THREAD_HANDLE, 1, 32, 32), // ThreadTimes
    Ask::exact(Source::THREAD_HANDLE, 9, 4, 8),   // ThreadQuerySetWin32StartAddress
];

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    pub(super) fn ended(&mut self) {
        self.begin_batch(Family::ENDED);
        self.iterate(Handle::NONE, PROCESS_QUERY_AND_WAIT);
        if self.outcome == Outcome::COMPLETE {
            // Threads are listed by those processes only that grant more than a limited query.
            self.iterate(Handle::NONE, PROCESS_QUERY_INFORMATION);
        }
        self.end_batch();
    }

    /// Goes from each process, or thread of `process`, to the next and records what ended that. With
    /// [`PROCESS_QUERY_INFORMATION`] the threads of each process are gone through; the processes are kept, so that each
    /// status that ended a list has its process.
    fn iterate(&mut self, process: Handle, access: u32) {
        let kernel = self.kernel;
        let is_thread = process != Handle::NONE;
        let (kind, end, end_subject) = match is_thread {
            true => (ObjectKind::THREAD, OpenKind::NEXT_THREAD, process.0 as u64),
            false => (
                ObjectKind::PROCESS,
                OpenKind::NEXT_PROCESS,
                u64::from(access),
            ),
        };
        let mut handle = Handle::NONE;
        // Open until the next one is there.
        let mut _latest = Owned::new(kernel, Handle::NONE);
        for _ in 0..MAXIMUM_STEPS {
            if !self.goes_on() {
                return;
            }
            let next = match is_thread {
                true => kernel.next_thread(process, handle, access),
                false => kernel.next_process(handle, access),
            };
            handle = match next {
                Ok(handle) => handle,
                Err(status) => {
                    self.subject = [end_subject, 0];
                    self.note(Ask::new(Source::OPEN, end.0), status);
                    return;
                }
            };
            if access == PROCESS_QUERY_INFORMATION {
                if self.kept.keep(handle, false).is_err() {
                    // It was closed, and with it went the way to the next one.
                    break;
                }
                self.iterate(handle, THREAD_QUERY_AND_WAIT);
            } else if kernel.wait(handle, Some(0)) == Status::SUCCESS {
                self.object(kind, Ok(handle), 0);
                if self.call.handle == Handle::NONE {
                    break;
                }
                self.ended_object(kind);
            } else {
                _latest = Owned::new(kernel, handle);
            }
        }
        self.outcome = Outcome::TRUNCATED;
    }

    /// Asks a process or thread that has ended.
    pub(super) fn ended_object(&mut self, kind: ObjectKind) {
        self.items(match kind {
            ObjectKind::PROCESS => &PROCESS,
            _ => &THREAD,
        });
    }
}
