//! Where things are in a machine of any size: worked out when it is first asked for, since the processes, the handles of
//! others and the objects stay as they are while a machine runs.

use super::answers::{self, Depth};
use super::fields::POINTER;
use super::machine::Machine;
use super::recorded;
use std::cell::OnceCell;
use std::collections::HashMap;

/// `HandleCount` and `UniqueProcessId` of a `SYSTEM_PROCESS_INFORMATION`.
const HANDLE_COUNT: usize = if POINTER == 8 { 0x60 } else { 0x4C };
const UNIQUE_PROCESS_ID: usize = if POINTER == 8 { 0x50 } else { 0x44 };

/// What is known of a machine so far.
#[derive(Default)]
pub(super) struct Index {
    processes: OnceCell<HashMap<u64, usize>>,
    owners: OnceCell<HashMap<u64, usize>>,
    exit_statuses: OnceCell<HashMap<u64, u32>>,
    handles: OnceCell<HashMap<(u64, u64), usize>>,
    holders: OnceCell<HashMap<u64, u32>>,
    handle_list: OnceCell<Vec<u8>>,
    process_lists: [OnceCell<ProcessList>; 3],
}

/// A process list for a buffer at address 0, and where in it the number of the caller's handles stands.
struct ProcessList {
    bytes: Vec<u8>,
    own_handle_count: Option<usize>,
}

impl Index {
    /// The place of a process by its id.
    pub fn process(&self, machine: &Machine, id: u64) -> Option<usize> {
        let ids = || machine.processes.iter().map(|process| process.id);
        first(&self.processes, || ids().zip(0..)).get(&id).copied()
    }

    /// The place of the process that has this thread, running or ended.
    pub fn owner(&self, machine: &Machine, thread: u64) -> Option<usize> {
        let threads = || {
            machine
                .processes
                .iter()
                .zip(0..)
                .flat_map(|(process, place)| {
                    let ids = process.threads.iter().chain(process.ended_threads.keys());
                    ids.map(move |id| (*id, place))
                })
        };
        first(&self.owners, threads).get(&thread).copied()
    }

    /// The exit status of a thread that has ended.
    pub fn exit_status(&self, machine: &Machine, thread: u64) -> Option<u32> {
        let ended = || {
            let processes = machine.processes.iter();
            processes.flat_map(|process| {
                process
                    .ended_threads
                    .iter()
                    .map(|(id, status)| (*id, *status))
            })
        };
        first(&self.exit_statuses, ended).get(&thread).copied()
    }

    /// The place of another process's handle by its owner and value.
    pub fn handle(&self, machine: &Machine, process: u64, value: u64) -> Option<usize> {
        let keys = || {
            machine
                .handles
                .iter()
                .map(|entry| (entry.process, entry.value))
        };
        let handles = first(&self.handles, || keys().zip(0..));
        handles.get(&(process, value)).copied()
    }

    /// How many handles other processes have to the object at a kernel address.
    pub fn holders(&self, machine: &Machine, address: u64) -> u32 {
        let holders = self.holders.get_or_init(|| {
            let mut holders = HashMap::new();
            for entry in &machine.handles {
                *holders.entry(entry.object).or_insert(0) += 1;
            }
            holders
        });
        holders.get(&address).copied().unwrap_or(0)
    }

    /// The entries of class 64 for the handles of others.
    pub fn handle_list(&self, machine: &Machine) -> &[u8] {
        self.handle_list.get_or_init(|| {
            answers::handle_entries(machine.listed(machine.handles.iter().copied()))
        })
    }

    /// Works everything out.
    pub fn prepare(&self, machine: &Machine) {
        self.process(machine, 0);
        self.owner(machine, 0);
        self.exit_status(machine, 0);
        self.handle(machine, 0, 0);
        self.holders(machine, 0);
        self.handle_list(machine);
        for depth in [Depth::Plain, Depth::Extended, Depth::Full] {
            self.process_list(machine, depth);
        }
    }

    /// The process list for a buffer of `capacity` bytes at `address`, or the length it needs.
    pub fn processes(
        &self,
        machine: &Machine,
        depth: Depth,
        open_handles: u32,
        capacity: usize,
        address: u64,
    ) -> Result<Vec<u8>, usize> {
        let list = self.process_list(machine, depth);
        if list.bytes.len() > capacity {
            return Err(list.bytes.len());
        }
        let mut bytes = list.bytes.clone();
        if !bytes.is_empty() {
            recorded::move_process_names(&mut bytes, 0, address);
        }
        if let Some(place) = list.own_handle_count {
            bytes[place..place + 4].copy_from_slice(&open_handles.to_ne_bytes());
        }
        Ok(bytes)
    }

    fn process_list(&self, machine: &Machine, depth: Depth) -> &ProcessList {
        self.process_lists[depth as usize].get_or_init(|| {
            let bytes = answers::processes(machine, depth, 0, 0);
            ProcessList {
                own_handle_count: own_handle_count(&bytes, machine.own_id),
                bytes,
            }
        })
    }
}

/// What stands first under each key, as a scan from the start would find it.
fn first<K: std::hash::Hash + Eq, V, I: Iterator<Item = (K, V)>>(
    known: &OnceCell<HashMap<K, V>>,
    all: impl FnOnce() -> I,
) -> &HashMap<K, V> {
    known.get_or_init(|| {
        let mut map = HashMap::new();
        for (key, value) in all() {
            map.entry(key).or_insert(value);
        }
        map
    })
}

fn own_handle_count(list: &[u8], own_id: u64) -> Option<usize> {
    let word = |place: usize| u32::from_ne_bytes(list[place..place + 4].try_into().unwrap());
    let mut entry = 0;
    while entry < list.len() {
        if u64::from(word(entry + UNIQUE_PROCESS_ID)) == own_id {
            return Some(entry + HANDLE_COUNT);
        }
        match word(entry) {
            0 => break,
            next => entry += next as usize,
        }
    }
    None
}
