//! How a call comes in: the machine is locked, the call numbered and logged, its fault looked up.

use super::answers;
use super::fault::{Call, Fault, Given};
use super::machine::Reply;
use super::objects::joined;
use super::{Object, Simulated, State, Stopped};
use crate::nt::{Answer, Handle, Status};
use std::panic::resume_unwind;
use std::sync::MutexGuard;
use std::time::Duration;

/// 100 ns that a call takes.
const CALL_TIME: u64 = 50;

/// What a query came to: a status, a length, and bytes for the start of the buffer.
pub(super) struct Outcome(pub Status, pub usize, pub Vec<u8>);

impl Outcome {
    pub(super) fn failed(status: Status) -> Self {
        Self(status, 0, Vec::new())
    }

    /// All of the bytes, or `short` and the length they need.
    pub(super) fn whole(bytes: Vec<u8>, capacity: usize, short: Status) -> Self {
        if bytes.len() <= capacity {
            Self(Status::SUCCESS, bytes.len(), bytes)
        } else {
            Self(short, bytes.len(), Vec::new())
        }
    }

    /// All of the bytes, or as many as fit with `STATUS_BUFFER_OVERFLOW`, but never less than `fixed`.
    pub(super) fn partial(
        mut bytes: Vec<u8>,
        capacity: usize,
        fixed: usize,
        short: Status,
    ) -> Self {
        let length = bytes.len();
        if capacity < fixed {
            return Self(short, length, Vec::new());
        }
        let status = if length <= capacity {
            Status::SUCCESS
        } else {
            Status::BUFFER_OVERFLOW
        };
        bytes.truncate(capacity);
        Self(status, length, bytes)
    }

    pub(super) fn of(reply: Option<&Reply>, capacity: usize, address: u64, short: Status) -> Self {
        match reply.map(|reply| answers::given(reply, address)) {
            Some(Ok(bytes))
                if matches!(reply, Some(Reply::Exact(_))) && bytes.len() != capacity =>
            {
                Self(short, bytes.len(), Vec::new())
            }
            Some(Ok(bytes)) => Self::whole(bytes, capacity, short),
            Some(Err((status, length))) => Self(status, length, Vec::new()),
            None => Self::failed(Status::INVALID_INFO_CLASS),
        }
    }
}

/// How a call is logged.
pub(super) struct Asking<'a> {
    name: &'static str,
    argument: u64,
    handle: Handle,
    text: &'a str,
}

pub(super) fn asking(name: &'static str, argument: impl Into<u64>) -> Asking<'static> {
    Asking {
        name,
        argument: argument.into(),
        handle: Handle::NONE,
        text: "",
    }
}

impl<'a> Asking<'a> {
    pub(super) fn of(self, handle: Handle) -> Self {
        Self { handle, ..self }
    }

    pub(super) fn named(self, text: &'a str) -> Self {
        Self { text, ..self }
    }
}

/// A call on its way: the machine is locked, the call logged, its fault known.
pub(super) struct Entered<'a> {
    pub(super) state: MutexGuard<'a, State>,
    pub(super) fault: Option<Fault>,
    log: Option<usize>,
}

impl Simulated {
    /// Locks the machine for a thread that still exists; `None` while the thread unwinds because it does not.
    pub(super) fn locked(&self) -> Option<MutexGuard<'_, State>> {
        let state = self.lock();
        if !state.over {
            return Some(state);
        }
        drop(state);
        if std::thread::panicking() {
            return None;
        }
        resume_unwind(Box::new(Stopped))
    }

    pub(super) fn enter(&self, asking: Asking<'_>) -> Option<Entered<'_>> {
        let mut state = self.locked()?;
        let thread = state.current_thread();
        let number = state.threads[thread].calls;
        state.threads[thread].calls += 1;
        state.elapsed += CALL_TIME;
        let unlogged = state.machine.forgets_calls;
        if unlogged && state.machine.rules.is_empty() && state.machine.missing_calls.is_empty() {
            return Some(Entered {
                state,
                fault: None,
                log: None,
            });
        }
        let (process, text) = state.about(&asking);
        let call = Call {
            thread: thread as u32,
            number,
            name: asking.name,
            argument: asking.argument,
            process,
            text,
            handle: asking.handle.0 as u64,
            answer: None,
        };
        let fault = state
            .machine
            .rules
            .iter()
            .find(|rule| (rule.when)(&call))
            .map(|rule| rule.fault);
        let missing = state.machine.missing_calls.contains(call.name);
        let fault = fault.or(missing.then_some(Fault::Fail(Status::PROCEDURE_NOT_FOUND)));
        let log = (!unlogged).then_some(state.calls.len());
        if !unlogged {
            state.calls.push(call);
        }
        match fault {
            Some(Fault::Hang) => self.hang(state),
            Some(Fault::PowerOff) => {
                state.power_lost = true;
                state.over = true;
                self.changed.notify_all();
                drop(state);
                resume_unwind(Box::new(Stopped))
            }
            Some(Fault::Late(milliseconds)) => {
                state.elapsed += u64::from(milliseconds) * 10_000;
                self.changed.notify_all();
                drop(state);
                // Whoever waited for less than that goes on meanwhile.
                std::thread::sleep(Duration::from_millis(5));
                state = self.locked()?;
            }
            _ => {}
        }
        Some(Entered { state, fault, log })
    }

    /// A call that gives a status or something opened.
    pub(super) fn call<R>(
        &self,
        asking: Asking<'_>,
        failed: impl FnOnce(Status) -> R,
        work: impl FnOnce(&mut State) -> R,
    ) -> R {
        let Some(mut entered) = self.enter(asking) else {
            return failed(Status::UNSUCCESSFUL);
        };
        match entered.fault {
            Some(Fault::Fail(status) | Fault::FailWithLength(status, _)) => failed(status),
            _ => work(&mut entered.state),
        }
    }

    /// A call that fills a buffer.
    pub(super) fn query(
        &self,
        asking: Asking<'_>,
        buffer: &mut [u8],
        work: impl FnOnce(&mut State, usize, u64) -> Outcome,
    ) -> Answer {
        let Some(mut entered) = self.enter(asking) else {
            return Answer {
                status: Status::UNSUCCESSFUL,
                length: 0,
            };
        };
        let (address, capacity) = (buffer.as_ptr().addr(), buffer.len());
        let Outcome(status, length, bytes) = match entered.fault {
            Some(Fault::Fail(status)) => Outcome::failed(status),
            Some(Fault::FailWithLength(status, length)) => Outcome(status, length, Vec::new()),
            _ => work(&mut entered.state, capacity, address as u64),
        };
        let length = match entered.fault {
            Some(Fault::Length(lie)) => lie(length),
            _ => length,
        };
        buffer[..bytes.len()].copy_from_slice(&bytes);
        if let Some(log) = entered.log {
            let given = Given {
                status,
                length,
                address,
                capacity,
                bytes,
            };
            entered.state.calls[log].answer = Some(given);
        }
        Answer { status, length }
    }
}

impl State {
    /// Which process a call is about, and what it names.
    fn about(&self, asking: &Asking<'_>) -> (Option<u64>, String) {
        let path = match self.handles.get(&asking.handle.0) {
            _ if asking.name == "NtOpenProcess" => return (Some(asking.argument), String::new()),
            _ if asking.handle == Handle::CURRENT_PROCESS => {
                return (Some(self.machine.own_id), asking.text.to_owned());
            }
            Some(Object::Process(id, _) | Object::Token(id)) => {
                return (Some(*id), asking.text.to_owned());
            }
            Some(Object::Key(path, _)) => path,
            Some(Object::Kernel(address, _)) => &self.machine.objects[address].name,
            _ => return (None, asking.text.to_owned()),
        };
        let text = match asking.text {
            "" => path.to_owned(),
            name => joined(path, name),
        };
        (None, text)
    }
}
