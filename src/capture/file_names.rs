//! Names of files that other processes hold: asked by a thread of its own, because asking can hang for ever.

use super::objects::NAME;
use super::query::{Asked, Call, ask};
use crate::nt::{Handle, Handover, Kernel, Owned, Region, Status, Task, keep_for_ever};
use bootshot_format::Outcome;
use core::sync::atomic::{AtomicUsize, Ordering};

/// Milliseconds that one name may take.
const LIMIT: u32 = 200;
/// Threads started at most: each that hangs is left where it is.
const MAXIMUM_WORKERS: u32 = 16;

/// The worker, while there is one.
pub(super) struct FileNames<K: Kernel> {
    kernel: K,
    worker: Option<(&'static Exchange<K>, Owned<K>)>,
    started: u32,
}

/// What the worker shares with us: a question, and once it is answered, the answer.
struct Exchange<K: Kernel> {
    /// Event: there is a question.
    asked: Handle,
    /// Event: it is answered.
    answered: Handle,
    /// Our handle to the process that holds the file.
    process: AtomicUsize,
    /// The value of its handle; 0 to end.
    value: AtomicUsize,
    answer: Handover<(Result<Asked, Status>, Region<K>)>,
}

impl<K: Kernel> FileNames<K> {
    pub(super) const fn new(kernel: K) -> Self {
        Self {
            kernel,
            worker: None,
            started: 0,
        }
    }

    /// Asks for the name of the file behind a handle of another process; the answer lies in `to`. An error is that of the
    /// duplication. `None` once no worker can be had any more.
    pub(super) fn ask(
        &mut self,
        process: Handle,
        value: u64,
        to: &mut Region<K>,
    ) -> Option<Result<Asked, Status>> {
        let kernel = self.kernel;
        if self.worker.is_none() {
            if self.started == MAXIMUM_WORKERS {
                return None;
            }
            self.started += 1;
            self.worker = Some(start(kernel).ok()?);
        }
        let (exchange, _) = self.worker.as_ref()?;
        exchange.process.store(process.0, Ordering::Release);
        exchange.value.store(value as usize, Ordering::Release);
        kernel.set_event(exchange.asked);
        if kernel.wait(exchange.answered, Some(LIMIT)) == Status::SUCCESS {
            let taken = exchange.answer.borrow(|(answer, region)| {
                core::mem::swap(region, to);
                *answer
            });
            if taken.is_some() {
                return taken;
            }
        }
        // It hangs. What it uses stays with it: events, its memory, the handle it asks about.
        self.worker = None;
        Some(Ok(Asked {
            outcome: Outcome::FAILED,
            ..Asked::without_answer(Status::TIMEOUT)
        }))
    }
}

fn start<K: Kernel>(kernel: K) -> Result<(&'static Exchange<K>, Owned<K>), Status> {
    let asked = Owned::new(kernel, kernel.create_event()?);
    let answered = Owned::new(kernel, kernel.create_event()?);
    let exchange = keep_for_ever(
        kernel,
        Exchange {
            asked: asked.get(),
            answered: answered.get(),
            process: AtomicUsize::new(0),
            value: AtomicUsize::new(0),
            answer: Handover::new((Err(Status::UNSUCCESSFUL), Region::empty(kernel))),
        },
    )?;
    let thread = Owned::new(kernel, kernel.start_thread(exchange)?);
    core::mem::forget((asked, answered));
    Ok((exchange, thread))
}

impl<K: Kernel> Task<K> for Exchange<K> {
    fn run(&'static self, kernel: K) {
        while kernel.wait(self.asked, None) == Status::SUCCESS {
            let process = Handle(self.process.load(Ordering::Acquire));
            let value = self.value.load(Ordering::Acquire);
            if value == 0 {
                return;
            }
            self.answer.borrow(|(answer, region)| {
                *answer = kernel
                    .duplicate(process, value as u64, Some(0))
                    .map(|file| {
                        let asked = ask(kernel, region, &mut Call::new(NAME, file));
                        // Closing can hang as well.
                        kernel.close(file);
                        asked
                    });
            });
            kernel.set_event(self.answered);
        }
    }
}

impl<K: Kernel> Drop for FileNames<K> {
    fn drop(&mut self) {
        let Some((exchange, thread)) = self.worker.take() else {
            return;
        };
        let kernel = self.kernel;
        exchange.value.store(0, Ordering::Release);
        kernel.set_event(exchange.asked);
        if kernel.wait(thread.get(), Some(LIMIT)) == Status::SUCCESS {
            exchange
                .answer
                .borrow(|(_, region)| *region = Region::empty(kernel));
            kernel.close(exchange.asked);
            kernel.close(exchange.answered);
        }
    }
}
