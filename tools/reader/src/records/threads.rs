//! Threads.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;

use super::Reading;
use super::processes::{image, pid};
use crate::decode::ThreadEntry;
use crate::error::Problem;
use crate::layout::structures::{
    CLIENT_ID, SYSTEM_EXTENDED_THREAD_INFORMATION as Extended, SYSTEM_THREAD_INFORMATION as Layout,
};
use crate::names;
use crate::snapshot::Snapshot;
use crate::value::{Hex, Time};

/// `KTHREAD_STATE`: the one in which a wait reason means something.
const WAITING: u32 = 5;

/// A thread.
#[derive(Clone, Debug, Serialize)]
pub struct Thread {
    /// Thread id.
    pub tid: u64,
    /// Id of its process.
    pub pid: u64,
    /// File name of the process's image.
    pub image: Option<Arc<str>>,
    /// Where it starts, as the kernel sees it.
    pub start_address: Hex,
    /// Where it starts, as whoever made it said.
    pub win32_start_address: Option<Hex>,
    /// What it does.
    pub state: Cow<'static, str>,
    /// Why it waits, when it does.
    pub wait_reason: Option<Cow<'static, str>>,
    /// Current priority.
    pub priority: i32,
    /// When it started.
    pub create_time: Option<Time>,
    /// Time spent in user mode, 100 ns units.
    pub user_time: i64,
    /// Time spent in the kernel, 100 ns units.
    pub kernel_time: i64,
    /// How often it was switched to.
    pub context_switches: u32,
}

impl Snapshot<'_> {
    /// The threads of all processes.
    pub fn threads(&self) -> Reading<Vec<Thread>> {
        Reading::gather(|problems| {
            let mut threads = Vec::new();
            problems.extend(self.each_thread(|thread| threads.push(thread)));
            threads
        })
    }

    /// As [`threads`](Self::threads), one after the other; what could not be read.
    pub(crate) fn each_thread(&self, mut each: impl FnMut(Thread)) -> Vec<Problem> {
        let mut problems = Vec::new();
        for process in self.process_entries(&mut problems) {
            let (pid, image) = (pid(&process), image(&process));
            for entry in process.threads.iter() {
                each(thread(pid, image.clone(), entry));
            }
        }
        problems
    }
}

fn thread(pid: u64, image: Option<Arc<str>>, entry: ThreadEntry<'_>) -> Thread {
    let view = &entry.thread;
    let state = view.get(Layout::ThreadState).unwrap_or_default();
    let wait_reason = view.get(Layout::WaitReason).unwrap_or_default();
    let client = view.get(Layout::ClientId);
    Thread {
        tid: client
            .and_then(|client| client.get(CLIENT_ID::UniqueThread))
            .unwrap_or_default(),
        pid,
        image,
        start_address: Hex(view.get(Layout::StartAddress).unwrap_or_default()),
        win32_start_address: entry
            .extended
            .and_then(|extended| extended.get(Extended::Win32StartAddress))
            .map(Hex),
        state: named(names::thread_state(state), state),
        wait_reason: (state == WAITING)
            .then(|| named(names::wait_reason(wait_reason), wait_reason)),
        priority: view.get(Layout::Priority).unwrap_or_default(),
        create_time: view.get(Layout::CreateTime).and_then(Time::new),
        user_time: view.get(Layout::UserTime).unwrap_or_default(),
        kernel_time: view.get(Layout::KernelTime).unwrap_or_default(),
        context_switches: view.get(Layout::ContextSwitches).unwrap_or_default(),
    }
}

fn named(name: Option<&'static str>, number: u32) -> Cow<'static, str> {
    name.map_or_else(|| Cow::Owned(number.to_string()), Cow::Borrowed)
}
