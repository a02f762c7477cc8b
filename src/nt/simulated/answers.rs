//! Answers made up from what a machine consists of, in the layouts of the host's pointer width.
//!
//! Structures are written in the order of their documented C declarations; pointers are absolute in the caller's
//! buffer, as the kernel's are.

use super::fields::{Fields, POINTER, utf16_length};
use super::machine::{BOOT_TIME, HandleEntry, Machine, Process, Reply};
use super::recorded;
use crate::nt::Status;
use std::collections::BTreeMap;

/// `SystemProcessInformation`, `SystemExtendedProcessInformation` and `SystemFullProcessInformation`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    Plain,
    Extended,
    Full,
}

/// The process list for a buffer at `address`.
pub fn processes(machine: &Machine, depth: Depth, open_handles: u32, address: u64) -> Vec<u8> {
    let mut all = Fields::new();
    let mut handles = BTreeMap::new();
    for handle in &machine.handles {
        *handles.entry(handle.process).or_insert(0) += 1;
    }
    handles.insert(machine.own_id, open_handles);
    let running = || machine.processes.iter().filter(|process| !process.ended);
    let count = running().count();
    for (place, process) in running().enumerate() {
        let start = all.length();
        let handles = handles.get(&process.id).copied().unwrap_or(0);
        let entry = self::process(process, depth, handles, address + start as u64);
        let length = entry.len();
        all = all.raw(&entry);
        if place + 1 < count {
            all.set_u32(start, length as u32);
        }
    }
    all.done()
}

fn process(process: &Process, depth: Depth, handles: u32, address: u64) -> Vec<u8> {
    let entry = |name: u64| {
        let length = utf16_length(&process.name);
        let maximum = if length == 0 {
            0
        } else {
            (length + 2).next_multiple_of(8)
        };
        let id = process.id;
        let mut fields = Fields::new()
            .u32(0)
            .u32(process.threads.len() as u32)
            .u64(id << 12)
            .u32(3)
            .u32(7);
        fields = fields
            .u64(id * 1000)
            .u64(process.create_time as u64)
            .u64(id * 20)
            .u64(id * 30);
        fields = fields.unicode_string(length, maximum, if length == 0 { 0 } else { name });
        fields = fields
            .u32(8)
            .pointer(id)
            .pointer(process.parent)
            .u32(handles)
            .u32(0)
            .pointer(id << 4);
        fields = fields.pointer(9 << 20).pointer(8 << 20).u32(55);
        // PeakWorkingSetSize to PrivatePageCount, then six I/O counters.
        fields = (1..=9).fold(fields, |fields, n| fields.pointer(n << 16 | id));
        fields = (1..=6).fold(fields, |fields, n| fields.u64(n << 8 | id));
        for thread in &process.threads {
            fields = self::thread(fields, id, *thread, depth);
        }
        if depth == Depth::Full {
            fields = extension(fields);
        }
        fields
    };
    let place = address + entry(0).align(8).length() as u64;
    let mut fields = entry(place).align(8);
    if !process.name.is_empty() {
        fields = fields.characters(&process.name).u16(0);
    }
    fields.align(8).done()
}

fn thread(fields: Fields, process: u64, id: u64, depth: Depth) -> Fields {
    let start = 0xFFFF_F800_0000_1000 + id * 16;
    let fields = fields
        .align(8)
        .u64(id * 5)
        .u64(id * 6)
        .u64(BOOT_TIME as u64 + id);
    let fields = fields.u32(1).pointer(start).pointer(process).pointer(id);
    let fields = fields
        .u32(9)
        .u32(8)
        .u32(100 + id as u32)
        .u32(5)
        .u32(6)
        .align(8);
    if depth == Depth::Plain {
        return fields;
    }
    let fields = fields
        .pointer(start + 0x6000)
        .pointer(start + 0x1000)
        .pointer(0x7FFB_1000 + id);
    fields
        .pointer(0x7FFD_E000)
        .pointer(0)
        .pointer(0)
        .pointer(0)
        .align(8)
}

/// `SYSTEM_PROCESS_INFORMATION_EXTENSION` with the SID of LocalSystem behind it.
fn extension(fields: Fields) -> Fields {
    let fields = fields.align(8);
    let start = fields.length();
    let energy_end = start + 0x150;
    let size = if POINTER == 8 { 0x170 } else { 0x168 };
    let fields = (1..=5)
        .fold(fields, |fields, n| fields.u64(n * 512))
        .u64(321)
        .u32(0)
        .u32(size)
        .u32(0);
    let fields = fields
        .zeros_to(energy_end)
        .u32(0)
        .pointer(0x4000)
        .u32(0)
        .u32(0)
        .u64(17);
    assert_eq!(fields.length() - start, size as usize);
    fields.raw(&sid(5, &[18]))
}

/// Class 64 in front of its entries.
pub(super) fn handles_extended(count: usize) -> Fields {
    Fields::new().pointer(count as u64).pointer(0)
}

/// Bytes of a `SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX`.
pub(super) const HANDLE_ENTRY_EXTENDED: usize = 3 * POINTER + 16;

/// The entries of class 64.
pub(super) fn handle_entries(entries: impl Iterator<Item = HandleEntry>) -> Vec<u8> {
    let entry = |fields: Fields, entry: HandleEntry| {
        let fields = fields
            .pointer(entry.object)
            .pointer(entry.process)
            .pointer(entry.value);
        fields
            .u32(entry.access)
            .u16(0)
            .u16(entry.type_index)
            .u32(entry.attributes)
            .u32(0)
    };
    entries.fold(Fields::new(), entry).done()
}

/// Class 16, ids and handle values cut to 16 bits.
pub fn handles(entries: &[HandleEntry]) -> Vec<u8> {
    let entry = |fields: Fields, entry: &HandleEntry| {
        let fields = fields
            .align(POINTER)
            .u16(entry.process as u16)
            .u16(0)
            .u8(entry.type_index as u8);
        fields
            .u8(entry.attributes as u8)
            .u16(entry.value as u16)
            .pointer(entry.object)
            .u32(entry.access)
            .align(POINTER)
    };
    entries
        .iter()
        .fold(Fields::new().u32(entries.len() as u32), entry)
        .done()
}

/// Class 11.
pub fn modules(machine: &Machine) -> Vec<u8> {
    let fields = Fields::new().u32(machine.modules.len() as u32);
    (0..machine.modules.len())
        .fold(fields, |fields, place| {
            module(fields.align(POINTER), machine, place)
        })
        .done()
}

/// Class 77: the list ends with an entry of a `NextOffset` of 0 and nothing else.
pub fn modules_extended(machine: &Machine) -> Vec<u8> {
    let mut all = Fields::new();
    for place in 0..machine.modules.len() {
        let size = if POINTER == 8 { 0x140 } else { 0x12C };
        let entry = module(Fields::new().u16(size).align(POINTER), machine, place);
        let entry = entry
            .u32(0xC0FFEE)
            .u32(0x6000_0000 + place as u32)
            .pointer(0x1_4000_0000)
            .align(POINTER)
            .done();
        assert_eq!(entry.len(), size as usize);
        all = all.raw(&entry);
    }
    all.u16(0).done()
}

fn module(fields: Fields, machine: &Machine, place: usize) -> Fields {
    let module = &machine.modules[place];
    let name = module.path.rfind('\\').map_or(0, |at| at + 1);
    let fields = fields
        .pointer(0)
        .pointer(0)
        .pointer(module.base)
        .u32(module.size)
        .u32(0x0800_4000);
    let fields = fields
        .u16(place as u16)
        .u16(place as u16)
        .u16(1)
        .u16(name as u16);
    let end = fields.length() + 256;
    fields.raw(module.path.as_bytes()).zeros_to(end)
}

/// `ObjectTypesInformation` for a buffer at `address`.
pub fn object_types(names: &[String], address: u64) -> Vec<u8> {
    let fields = Fields::new().u32(names.len() as u32);
    let one = |fields: Fields, (place, name): (usize, &String)| {
        object_type(fields, name, place + 2, address)
    };
    names.iter().enumerate().fold(fields, one).done()
}

/// `OBJECT_TYPE_INFORMATION`, which is also what `ObjectTypeInformation` answers.
pub fn object_type(fields: Fields, name: &str, index: usize, address: u64) -> Fields {
    let fields = fields.align(POINTER);
    let size = if POINTER == 8 { 0x68 } else { 0x60 };
    let (start, length) = (fields.length(), utf16_length(name));
    let fields = fields.unicode_string(length, length + 2, address + (start + size) as u64);
    // Totals, then high-water marks, of objects, handles and four pools.
    let fields = (0..12).fold(fields, |fields, n| fields.u32(index as u32 * 100 + n));
    let fields = fields
        .u32(0x10)
        .u32(0x2_0001)
        .u32(0x2_0002)
        .u32(0x2_0004)
        .u32(0x1F_0003)
        .u32(0x1F_0003);
    let fields = fields
        .u8(1)
        .u8(0)
        .u8(index as u8)
        .u8(0)
        .u32(512)
        .u32(0)
        .u32(0x58);
    assert_eq!(fields.length() - start, size);
    fields.characters(name).u16(0)
}

/// As many of `entries` as fit `capacity`, for a buffer at `address`: bytes and how many there are.
pub fn directory(entries: &[(String, String)], capacity: usize, address: u64) -> (Vec<u8>, usize) {
    let entry = 4 * POINTER;
    let length =
        |(name, kind): &(String, String)| entry + utf16_length(name) + 2 + utf16_length(kind) + 2;
    let mut total = entry;
    let fits = |one: &&(String, String)| {
        total += length(one);
        total <= capacity
    };
    let entries = &entries[..entries.iter().take_while(fits).count()];
    let mut place = address + (entry * (entries.len() + 1)) as u64;
    let mut fields = Fields::new();
    for (name, kind) in entries {
        for text in [name, kind] {
            let length = utf16_length(text);
            fields = fields.unicode_string(length, length + 2, place);
            place += length as u64 + 2;
        }
    }
    fields = fields.unicode_string(0, 0, 0).unicode_string(0, 0, 0);
    let names = entries.iter().flat_map(|(name, kind)| [name, kind]);
    (
        names
            .fold(fields, |fields, text| fields.characters(text).u16(0))
            .done(),
        entries.len(),
    )
}

/// `PROCESS_BASIC_INFORMATION`.
pub fn process_basic_information(id: u64, parent: u64, peb: u64) -> Vec<u8> {
    Fields::new()
        .u32(0x103)
        .pointer(peb)
        .pointer(3)
        .u32(8)
        .pointer(id)
        .pointer(parent)
        .align(POINTER)
        .done()
}

/// `KERNEL_USER_TIMES` of a process.
pub fn kernel_user_times(id: u64, exit_time: Option<i64>) -> Vec<u8> {
    Fields::new()
        .u64(BOOT_TIME as u64 + 10_000_000 + id)
        .u64(exit_time.unwrap_or(0) as u64)
        .u64(id * 30)
        .u64(id * 20)
        .done()
}

/// A SID.
pub fn sid(authority: u8, sub_authorities: &[u32]) -> Vec<u8> {
    let fields = Fields::new()
        .u8(1)
        .u8(sub_authorities.len() as u8)
        .raw(&[0, 0, 0, 0, 0, authority]);
    sub_authorities
        .iter()
        .fold(fields, |fields, value| fields.u32(*value))
        .done()
}

/// `KEY_VALUE_PARTIAL_INFORMATION`.
pub fn key_value(kind: u32, data: &[u8]) -> Vec<u8> {
    Fields::new()
        .u32(0)
        .u32(kind)
        .u32(data.len() as u32)
        .raw(data)
        .done()
}

/// `KEY_VALUE_FULL_INFORMATION`; without data its offset is -1.
pub fn key_value_full(name: &str, kind: u32, data: &[u8]) -> Vec<u8> {
    const FIXED: usize = 20;
    let offset = match data {
        [] => u32::MAX,
        _ => (FIXED + utf16_length(name)).next_multiple_of(4) as u32,
    };
    let fields = Fields::new().u32(0).u32(kind).u32(offset);
    let fields = fields.u32(data.len() as u32).u32(utf16_length(name) as u32);
    let fields = fields.characters(name);
    match data {
        [] => fields.done(),
        _ => fields.align(4).raw(data).done(),
    }
}

/// The text of UTF-16 bytes.
pub fn text(bytes: &[u8]) -> String {
    let units = bytes.as_chunks().0.iter();
    let units: Vec<u16> = units.map(|pair| u16::from_ne_bytes(*pair)).collect();
    String::from_utf16_lossy(&units)
}

/// A given answer for a buffer at `address`.
pub fn given(reply: &Reply, address: u64) -> Result<Vec<u8>, (Status, usize)> {
    match reply {
        Reply::Bytes(bytes) | Reply::Exact(bytes) => Ok(bytes.clone()),
        // A null string, without a terminating zero.
        Reply::Text(text) if text.is_empty() => Ok(Fields::new().unicode_string(0, 0, 0).done()),
        Reply::Text(text) => {
            let length = utf16_length(text);
            let fields =
                Fields::new().unicode_string(length, length + 2, address + 2 * POINTER as u64);
            Ok(fields.characters(text).u16(0).done())
        }
        Reply::Sid(sid, attributes) => {
            let fields = Fields::new()
                .pointer(address + 2 * POINTER as u64)
                .u32(*attributes)
                .align(POINTER);
            Ok(fields.raw(sid).done())
        }
        Reply::Processes(bytes, recorded_at) => {
            let mut bytes = bytes.clone();
            recorded::move_process_names(&mut bytes, *recorded_at, address);
            Ok(bytes)
        }
        Reply::Failure(status, length) => Err((*status, *length)),
    }
}
