//! Processes and threads that have ended and still exist, because somebody holds them.

use super::objects::{Classes, PROCESS, THREAD};
use super::{Capture, Question, Stop};
use crate::nt::{Handle, Kernel, Owned, Status};
use bootshot_format::{Family, ObjectKind, OpenKind, Outcome, Sink, Source};

const SYNCHRONIZE: u32 = 0x10_0000;
const PROCESS_QUERY_INFORMATION: u32 = 0x400;
/// What a process, and a thread, must grant to be waited on and asked.
pub(super) const PROCESS_QUERY_AND_WAIT: u32 = 0x1000 | SYNCHRONIZE;
pub(super) const THREAD_QUERY_AND_WAIT: u32 = 0x800 | SYNCHRONIZE;

/// Processes, or threads of one process, that are looked at.
const MAXIMUM_STEPS: u32 = 1 << 18;

/// Takes a process or thread and gives it back, unless it keeps it.
type Each<'f, C, K> = &'f mut dyn FnMut(&mut C, Owned<K>) -> Result<Option<Owned<K>>, Stop>;

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    pub(super) fn ended(&mut self) -> Result<(), Stop> {
        self.begin_batch(Family::ENDED)?;
        let complete = self.ended_processes()? && self.ended_threads()?;
        self.end_batch_as(match complete {
            true => Outcome::COMPLETE,
            false => Outcome::TRUNCATED,
        })
    }

    fn ended_processes(&mut self) -> Result<bool, Stop> {
        let kernel = self.kernel;
        let next = |process| kernel.next_process(process, PROCESS_QUERY_AND_WAIT);
        let question = Question::new(Source::OPEN, OpenKind::NEXT_PROCESS.0)
            .about(u64::from(PROCESS_QUERY_AND_WAIT), 0);
        self.iterate(&question, &next, &mut |capture, process| {
            capture.keep_ended(ObjectKind::PROCESS, process)
        })
    }

    /// Threads are listed by those processes only that grant more than a limited query; these are kept, so that each status
    /// that ended a list has its process.
    fn ended_threads(&mut self) -> Result<bool, Stop> {
        let kernel = self.kernel;
        let next = |process| kernel.next_process(process, PROCESS_QUERY_INFORMATION);
        let question = Question::new(Source::OPEN, OpenKind::NEXT_PROCESS.0)
            .about(u64::from(PROCESS_QUERY_INFORMATION), 0);
        let mut complete = true;
        let reached = self.iterate(&question, &next, &mut |capture, process| {
            let handle = process.get();
            if capture.kept.keep(process, false).is_err() {
                complete = false;
                return Ok(None);
            }
            let next = |thread| kernel.next_thread(handle, thread, THREAD_QUERY_AND_WAIT);
            let question =
                Question::new(Source::OPEN, OpenKind::NEXT_THREAD.0).about(handle.0 as u64, 0);
            complete &= capture.iterate(&question, &next, &mut |capture, thread| {
                capture.keep_ended(ObjectKind::THREAD, thread)
            })?;
            Ok(None)
        })?;
        Ok(reached && complete)
    }

    /// Goes from each process or thread to the next and records what ended that; `false` when a bound did.
    fn iterate(
        &mut self,
        question: &Question<'_>,
        next: &dyn Fn(Handle) -> Result<Handle, Status>,
        each: Each<'_, Self, K>,
    ) -> Result<bool, Stop> {
        let mut handle = Handle::NONE;
        // Open until the next one is there.
        let mut latest = None;
        for _ in 0..MAXIMUM_STEPS {
            if !(self.may_go_on)() {
                return Ok(false);
            }
            handle = match next(handle) {
                Ok(handle) => handle,
                Err(status) => {
                    self.note(question, status)?;
                    return Ok(true);
                }
            };
            latest = each(self, Owned::new(self.kernel, handle))?;
        }
        drop(latest);
        Ok(false)
    }

    fn keep_ended(&mut self, kind: ObjectKind, object: Owned<K>) -> Result<Option<Owned<K>>, Stop> {
        if self.kernel.wait(object.get(), Some(0)) != Status::SUCCESS {
            return Ok(Some(object));
        }
        if let Some(handle) = self.object(kind, Ok(object), 0)? {
            let (source, classes) = ended_questions(kind);
            self.ask_handle(source, classes, handle, handle.0 as u64)?;
        }
        Ok(None)
    }
}

/// What an ended process or thread is asked.
pub(super) const fn ended_questions(kind: ObjectKind) -> (Source, &'static Classes) {
    match kind {
        ObjectKind::PROCESS => (Source::PROCESS_HANDLE, PROCESS),
        _ => (Source::THREAD_HANDLE, THREAD),
    }
}
