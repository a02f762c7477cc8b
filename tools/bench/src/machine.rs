//! Simulated machines of any size, with the mix of objects that a busy Windows server has.

use bootshot::nt::simulated::{
    BOOT_TIME, Body, HandleEntry, Machine, Process, process_address, thread_address,
};

/// How much of everything there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Size {
    pub processes: u64,
    pub threads: u64,
    pub handles: u64,
    pub named_objects: u64,
}

impl Size {
    /// The large machine: ten times what a terminal server has.
    pub const FULL: Self = Self {
        processes: 10_000,
        threads: 100_000,
        handles: 1_000_000,
        named_objects: 200_000,
    };

    /// The same mix, `divisor` times smaller.
    pub const fn smaller(self, divisor: u64) -> Self {
        Self {
            processes: self.processes / divisor,
            threads: self.threads / divisor,
            handles: self.handles / divisor,
            named_objects: self.named_objects / divisor,
        }
    }
}

/// Entries of one directory: a session's `BaseNamedObjects` has some hundreds.
const OBJECTS_IN_A_DIRECTORY: u64 = 250;

/// Where objects stand that nothing but handles leads to.
const UNNAMED: u64 = 0xFFFF_B000_0000_0000;
const UNNAMED_DISTANCE: u64 = 0x80;

/// One process in so many is protected; has ended and is held; and one thread in so many has ended.
const PROTECTED: u64 = 50;
const ENDED: u64 = 1000;
const ENDED_THREADS: u64 = 500;

const IMAGES: [&str; 12] = [
    "svchost.exe",
    "chrome.exe",
    "RuntimeBroker.exe",
    "msedgewebview2.exe",
    "explorer.exe",
    "conhost.exe",
    "dllhost.exe",
    "OUTLOOK.EXE",
    "SearchIndexer.exe",
    "csc.exe",
    "WmiPrvSE.exe",
    "taskhostw.exe",
];

/// Types that only some machines of the tests have.
const MORE_TYPES: [&str; 12] = [
    "Mutant",
    "Semaphore",
    "Timer",
    "Job",
    "KeyedEvent",
    "IoCompletion",
    "ALPC Port",
    "EtwRegistration",
    "TpWorkerFactory",
    "WaitCompletionPacket",
    "IRTimer",
    "Desktop",
];

/// Of a hundred named objects so many are of this type, and are called so.
const NAMED: [(u64, &str, &str); 6] = [
    (55, "Event", "Local_SM0_WilError_Event"),
    (75, "Mutant", "SM0_304_WilStaging_02"),
    (88, "Section", "windows_shell_global_counters"),
    (96, "Semaphore", "SM0_304_WilStaging_02_p0h"),
    (99, "SymbolicLink", "Global_Session_Link"),
    (100, "Timer", "UpdateOrchestrator_Timer"),
];

/// Of a hundred handles so many are to unnamed objects of this type, shared by nobody.
const UNNAMED_TYPES: [(u64, &str); 6] = [
    (12, "File"),
    (22, "Key"),
    (34, "Event"),
    (40, "EtwRegistration"),
    (44, "ALPC Port"),
    (47, "WaitCompletionPacket"),
];
/// So many more are to threads, to processes; the rest to named objects.
const TO_THREADS: u64 = 57;
const TO_PROCESSES: u64 = 60;

/// A machine of this size. Those of another `variant` differ in a hundredth of their handles.
pub fn machine(size: Size, variant: u64) -> Machine {
    let mut machine = Machine::small();
    machine.types.extend(MORE_TYPES.map(str::to_owned));
    machine.forgets_calls = true;
    machine.files.always_powered = true;
    machine.files.capacity = 1 << 34;
    machine.handles.clear();
    add_processes(&mut machine, size);
    let named = add_objects(&mut machine, size);
    add_handles(&mut machine, size, variant, &named);
    machine
}

/// Ids are multiples of 4, a process's followed by those of its threads.
fn process_id(size: Size, number: u64) -> u64 {
    1000 + number * 4 * (1 + size.threads / size.processes)
}

fn add_processes(machine: &mut Machine, size: Size) {
    let threads = size.threads / size.processes;
    for number in 0..size.processes {
        let id = process_id(size, number);
        let name = IMAGES[(number % IMAGES.len() as u64) as usize];
        let parent = if number == 0 {
            348
        } else {
            process_id(size, number / 8)
        };
        let mut process = match number {
            _ if number % ENDED == ENDED - 1 => Process::ended(id, parent, name, 1),
            _ if number % PROTECTED == PROTECTED - 1 => Process::protected(id, parent, name),
            _ => Process::new(id, parent, name),
        };
        process.create_time = BOOT_TIME + 10_000_000 + number as i64 * 1000;
        let ids = (1..=threads).map(|thread| id + thread * 4);
        if !process.ended {
            process.threads = ids
                .clone()
                .filter(|id| id / 4 % ENDED_THREADS != 0)
                .collect();
        }
        process.ended_threads = ids
            .filter(|id| id / 4 % ENDED_THREADS == 0)
            .map(|id| (id, 0))
            .collect();
        machine.processes.push(process);
    }
}

/// The addresses of the named objects, and their type indexes.
fn add_objects(machine: &mut Machine, size: Size) -> Vec<(u64, u16)> {
    let mut objects = Vec::with_capacity(size.named_objects as usize);
    let mut directory = (String::new(), 0);
    for number in 0..size.named_objects {
        if number % OBJECTS_IN_A_DIRECTORY == 0 {
            let session = number / OBJECTS_IN_A_DIRECTORY;
            let path = format!(r"\Sessions\{session}\BaseNamedObjects");
            directory = (path.clone(), machine.create(&path, "Directory"));
        }
        let part = mixed(number) % 100;
        let (_, type_name, name) = NAMED[NAMED.iter().position(|(to, ..)| part < *to).unwrap_or(0)];
        let name = format!("{name}_{number}");
        let path = format!(r"{}\{name}", directory.0);
        let address = machine.create_unnamed(type_name, &path);
        machine.enter(directory.1, &name, address);
        if let Some(object) = machine.objects.get_mut(&address)
            && let Body::SymbolicLink(target, _) = &mut object.body
        {
            *target = r"\Device\NamedPipe".to_owned();
        }
        objects.push((address, type_index(machine, type_name)));
    }
    objects
}

fn add_handles(machine: &mut Machine, size: Size, variant: u64, named: &[(u64, u16)]) {
    let types = |name| type_index(machine, name);
    let (thread, process) = (types("Thread"), types("Process"));
    let unnamed = UNNAMED_TYPES.map(|(to, name)| (to, types(name)));
    let in_each = size.handles / size.processes;
    let mut handles = Vec::with_capacity(size.handles as usize);
    for number in 0..size.handles {
        // Another variant closed one handle in a hundred, and opened another.
        let changed = number % 100 == 50 && variant != 0;
        let random = mixed(number ^ if changed { variant << 40 } else { 0 });
        let part = random % 100;
        let random = random / 100;
        let owner = number / in_each;
        let (object, type_index) = match unnamed.iter().find(|(to, _)| part < *to) {
            Some((_, index)) => {
                let place = number + if changed { size.handles * variant } else { 0 };
                (UNNAMED + place * UNNAMED_DISTANCE, *index)
            }
            None if part < TO_THREADS => {
                let place = 1 + random % (size.threads / size.processes);
                let holder = process_id(size, (owner + random % 3) % size.processes);
                (thread_address(holder + place * 4), thread)
            }
            None if part < TO_PROCESSES => (
                process_address(process_id(size, random % size.processes)),
                process,
            ),
            None => named[(random % named.len() as u64) as usize],
        };
        handles.push(HandleEntry {
            process: process_id(size, owner),
            value: 4 + number % in_each * 4,
            type_index,
            access: 0x001F_0003,
            attributes: (random % 3) as u32,
            object,
        });
    }
    machine.handles = handles;
}

fn type_index(machine: &Machine, name: &str) -> u16 {
    let place = machine.types.iter().position(|known| known == name);
    2 + place.expect("the machine has that type") as u16
}

/// A number that looks like chance and is the same every time: the finalizer of SplitMix64.
fn mixed(number: u64) -> u64 {
    let mut mixed = number
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
