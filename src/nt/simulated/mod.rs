//! The simulated kernel: a machine that a test makes up, run in the test's own process.
//!
//! It answers as Windows does, to as many threads as ask, and can fail, lie, hang or lose power at any call. Every
//! call is logged with the bytes it answered, every handle counted. Time stands still but for what calls take, so
//! that time limits of minutes pass at once when a thread hangs.

mod answers;
mod call;
mod fault;
mod fields;
mod file_calls;
mod files;
mod index;
mod kernel;
mod keys;
mod machine;
mod memory;
mod numbers;
mod objects;
mod recorded;
mod security;
mod space;
mod system;
mod windows11;

#[cfg(test)]
mod tests;

pub use fault::{Call, Fault, Given, Rule};
pub use files::{FileSystem, Kind};
pub use keys::{Key, Keys};
pub use machine::{
    BOOT_TIME, CONTROL, HandleEntry, Machine, Module, Process, Reply, SESSION_MANAGER, Value, utf16,
};
pub use objects::{Body, KernelObject, joined, process_address, thread_address};
pub use security::Security;
pub use space::{Own, USER_SHARED_DATA};

use crate::nt::Handle;
use index::Index;
use memory::Memory;
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

/// A running machine.
pub struct Simulated {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    machine: Machine,
    index: Index,
    threads: Vec<Thread>,
    running: Vec<JoinHandle<Option<()>>>,
    panics: Vec<String>,
    handles: BTreeMap<usize, Object>,
    /// How many of the caller's handles are to the object at a kernel address.
    own_holders: HashMap<u64, u32>,
    next_handle: usize,
    bad_closes: Vec<usize>,
    calls: Vec<Call>,
    /// 100 ns since the machine started.
    elapsed: u64,
    memory: Memory,
    console: String,
    output: Vec<u8>,
    hard_error_mode: Option<u32>,
    enabled_privileges: BTreeSet<u32>,
    /// The process has ended, or the power: whoever calls now is gone.
    over: bool,
    power_lost: bool,
}

#[derive(Default)]
struct Thread {
    id: Option<ThreadId>,
    calls: u32,
    ended: bool,
    hung: bool,
    waits_for: Option<Handle>,
}

/// What a handle stands for.
#[derive(Clone, Debug)]
enum Object {
    Process(u64, u32),
    Token(u64),
    Key(String, u32),
    /// An object by its kernel address, and the access granted.
    Kernel(u64, u32),
    /// A thread of another program, or of this one, by its id.
    OtherThread(u64, u32),
    /// What somebody else's handle stood for, of which nothing is known but that.
    Other(HandleEntry),
    /// An event of the caller's, set or not.
    Event(bool),
    File(OpenFile),
    Volume(u32),
    Thread(usize),
    StandardOutput,
}

#[derive(Clone, Debug)]
struct OpenFile {
    node: files::NodeId,
    access: u32,
    options: u32,
    position: usize,
    listing: Option<Vec<String>>,
}

/// Unwinds a thread whose process or machine is gone.
struct Stopped;

/// Longer than any case may take; a machine that still runs then never ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a run ended.
#[derive(Debug)]
pub enum End<R> {
    /// The first thread returned this.
    Ended(R),
    /// The first thread hangs.
    Hung,
    /// The power failed.
    PowerLost,
}

/// What is left of a run.
pub struct Run<R> {
    /// How it ended.
    pub end: End<R>,
    /// The machine; its disk as the run left it.
    pub machine: Machine,
    /// Every call, in order.
    pub calls: Vec<Call>,
    /// What `NtDisplayString` showed.
    pub console: String,
    /// What was written to the standard output handle.
    pub output: Vec<u8>,
    /// The mode last set by `ProcessDefaultHardErrorMode`.
    pub hard_error_mode: Option<u32>,
    /// Milliseconds from start to end.
    pub milliseconds: u64,
    /// LUIDs of the privileges enabled.
    pub enabled_privileges: BTreeSet<u32>,
    /// The most bytes of memory that were committed at once.
    pub peak_commit: usize,
    open_handles: Vec<(usize, String)>,
    bad_closes: Vec<usize>,
}

impl<R> Run<R> {
    /// Handles that were left open, and what each stands for.
    pub fn open_handles(&self) -> &[(usize, String)] {
        &self.open_handles
    }

    /// Fails when a handle was left open, or one was closed that was not open.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert!(
            self.open_handles.is_empty(),
            "left open: {:?}",
            self.open_handles
        );
        assert!(
            self.bad_closes.is_empty(),
            "closed without being open: {:x?}",
            self.bad_closes
        );
    }
}

impl Machine {
    /// Runs a program as the first thread of a process on this machine until it returns, hangs or the power fails.
    /// All its other threads end with it, as a process's do, and its memory is gone. Panics are passed on.
    pub fn run<R: Send + 'static>(
        self,
        program: impl FnOnce(&'static Simulated) -> R + Send + 'static,
    ) -> Run<R> {
        let simulated = Simulated::new(self);
        let first = simulated.spawn(0, move || program(simulated));
        simulated.wait_for(|state| state.threads[0].ended || state.threads[0].hung || state.over);
        let mut state = simulated.lock();
        state.over = true;
        simulated.changed.notify_all();
        drop(state);
        simulated.wait_for(|state| state.threads.iter().all(|thread| thread.ended));
        let result = first.join().expect("the thread catches its panics");
        let mut state = simulated.lock();
        for thread in std::mem::take(&mut state.running) {
            thread.join().expect("the thread catches its panics");
        }
        let end = match result {
            Some(result) => End::Ended(result),
            None if state.power_lost => End::PowerLost,
            None => End::Hung,
        };
        let State {
            machine,
            calls,
            console,
            output,
            hard_error_mode,
            elapsed,
            enabled_privileges,
            handles,
            bad_closes,
            memory,
            ..
        } = std::mem::replace(&mut *state, State::new(Machine::default()));
        drop(state);
        let open_handles = handles
            .into_iter()
            .filter(|(_, object)| !matches!(object, Object::StandardOutput))
            .map(|(handle, object)| (handle, format!("{object:?}")))
            .collect();
        Run {
            end,
            machine,
            calls,
            console,
            output,
            hard_error_mode,
            milliseconds: elapsed / 10_000,
            enabled_privileges,
            peak_commit: memory.peak(),
            open_handles,
            bad_closes,
        }
    }
}

impl State {
    fn new(machine: Machine) -> Self {
        let mut handles = BTreeMap::new();
        if machine.standard_output != 0 {
            handles.insert(machine.standard_output as usize, Object::StandardOutput);
        }
        Self {
            memory: Memory::new(machine.commit_limit, machine.commits),
            machine,
            index: Index::default(),
            own_holders: HashMap::new(),
            threads: vec![Thread::default()],
            running: Vec::new(),
            panics: Vec::new(),
            handles,
            next_handle: 0x40,
            bad_closes: Vec::new(),
            calls: Vec::new(),
            elapsed: 0,
            console: String::new(),
            output: Vec::new(),
            hard_error_mode: None,
            enabled_privileges: BTreeSet::new(),
            over: false,
            power_lost: false,
        }
    }

    /// Which thread is calling: a test that calls directly is the first.
    fn current_thread(&self) -> usize {
        let id = thread::current().id();
        self.threads
            .iter()
            .position(|thread| thread.id == Some(id))
            .unwrap_or(0)
    }
}

impl Simulated {
    fn new(machine: Machine) -> &'static Self {
        let simulated = Self {
            state: Mutex::new(State::new(machine)),
            changed: Condvar::new(),
        };
        Box::leak(Box::new(simulated))
    }

    /// Works out what large questions are answered with, which otherwise the first of them waits for.
    pub fn prepare(&self) {
        let state = self.lock();
        state.index.prepare(&state.machine);
    }

    /// Calls made so far.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// Bytes reserved and bytes committed at the moment.
    pub fn memory(&self) -> (usize, usize) {
        let memory = &self.lock().memory;
        (memory.reserved(), memory.committed())
    }

    /// Handles open at the moment.
    pub fn open_handles(&self) -> usize {
        self.lock().handles.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a thread; its result is `None` when its process or machine stopped before it ended.
    fn spawn<R: Send + 'static>(
        &'static self,
        thread: usize,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> JoinHandle<Option<R>> {
        let body = move || {
            self.lock().threads[thread].id = Some(thread::current().id());
            let result = catch_unwind(AssertUnwindSafe(task));
            let mut state = self.lock();
            state.threads[thread].ended = true;
            let result = result.map_err(|panic| {
                if !panic.is::<Stopped>() {
                    state.panics.push(message(panic.as_ref()));
                }
            });
            self.changed.notify_all();
            result.ok()
        };
        thread::Builder::new()
            .stack_size(1 << 20)
            .spawn(body)
            .expect("the host has room for a thread")
    }

    #[track_caller]
    fn wait_for(&self, condition: impl Fn(&State) -> bool) {
        let mut state = self.lock();
        let deadline = Instant::now() + PATIENCE;
        while !condition(&state) && state.panics.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let last = state.calls.last().cloned();
                drop(state);
                panic!("the machine still runs after {PATIENCE:?}; its last call: {last:?}");
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        if let Some(panic) = state.panics.first().cloned() {
            drop(state);
            panic!("a thread of the machine panicked: {panic}");
        }
    }

    /// Parks the calling thread until its process is over, and ends it.
    fn hang(&self, mut state: MutexGuard<'_, State>) -> ! {
        let thread = state.current_thread();
        state.threads[thread].hung = true;
        self.changed.notify_all();
        while !state.over {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        resume_unwind(Box::new(Stopped))
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("with no message")
        .to_owned()
}
