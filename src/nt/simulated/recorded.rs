//! Replays a recording of a real boot, taken by a small native program that smss started (`tools/reader/fixtures`).
//!
//! A recording is a run of records without padding, little-endian: `NTD1`; kind of question, class, status, returned
//! length, stored length (4 bytes each); address of the buffer (8); length of the name, 0 (4 each); name and bytes.

use super::fields::POINTER;
use super::machine::{Machine, Reply};
use super::objects::joined;
use super::space::{Own, USER_SHARED_DATA};
use crate::nt::Status;
use std::collections::BTreeMap;

const HEADER: usize = 40;
const SYSTEM_INFORMATION: u32 = 1;
const DIRECTORY_OBJECT: u32 = 2;
const OBJECT_INFORMATION: u32 = 3;
const PEB: u32 = 4;
const PROCESS_PARAMETERS: u32 = 5;
const USER_SHARED: u32 = 6;

/// One recorded answer.
pub struct Record<'a> {
    /// Which call it was.
    pub kind: u32,
    /// Information class.
    pub class: u32,
    /// The status.
    pub status: Status,
    /// Returned length.
    pub length: usize,
    /// Where the buffer stood.
    pub address: u64,
    /// Directory.
    pub name: String,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// All records of a recording.
pub fn records(mut recording: &[u8]) -> Vec<Record<'_>> {
    let mut records = Vec::new();
    while !recording.is_empty() {
        let word =
            |offset: usize| u32::from_le_bytes(recording[offset..offset + 4].try_into().unwrap());
        assert_eq!(&recording[..4], b"NTD1");
        let (name_length, stored) = (word(32) as usize, word(20) as usize);
        let (name, rest) = recording[HEADER..].split_at(name_length);
        let (bytes, rest) = rest.split_at(stored);
        records.push(Record {
            kind: word(4),
            class: word(8),
            status: Status::new(word(12)),
            length: word(16) as usize,
            address: u64::from(word(24)) | u64::from(word(28)) << 32,
            name: text(name),
            bytes,
        });
        recording = rest;
    }
    records
}

fn text(bytes: &[u8]) -> String {
    let characters: Vec<u16> = bytes
        .as_chunks()
        .0
        .iter()
        .map(|pair| u16::from_le_bytes(*pair))
        .collect();
    String::from_utf16(&characters).unwrap()
}

fn pointer(bytes: &[u8], offset: usize) -> u64 {
    usize::from_ne_bytes(bytes[offset..offset + POINTER].try_into().unwrap()) as u64
}

/// Name and type of each entry of a recorded directory.
pub fn directory_entries(record: &Record<'_>) -> Vec<(String, String)> {
    let string = |offset: usize| {
        let length = u16::from_le_bytes([record.bytes[offset], record.bytes[offset + 1]]) as usize;
        let place = (pointer(record.bytes, offset + POINTER) - record.address) as usize;
        text(&record.bytes[place..place + length])
    };
    (0..record.bytes.len())
        .step_by(4 * POINTER)
        .take_while(|offset| pointer(record.bytes, offset + POINTER) != 0)
        .map(|offset| (string(offset), string(offset + 2 * POINTER)))
        .collect()
}

/// Moves the image name pointers of a process list from a buffer at `from` to one at `to`.
pub fn move_process_names(bytes: &mut [u8], from: u64, to: u64) {
    const IMAGE_NAME_BUFFER: usize = 0x38 + POINTER;
    let mut entry = 0;
    loop {
        let place = entry + IMAGE_NAME_BUFFER;
        let old = pointer(bytes, place);
        if old != 0 {
            let new = (old - from + to) as usize;
            bytes[place..place + POINTER].copy_from_slice(&new.to_ne_bytes());
        }
        match u32::from_le_bytes(bytes[entry..entry + 4].try_into().unwrap()) {
            0 => return,
            next => entry += next as usize,
        }
    }
}

pub fn machine(recording: &[u8]) -> Machine {
    let mut machine = Machine::small();
    machine.make_space(&Own {
        version: (5, 2, 3790),
        boot_id: 0,
        ..Own::default()
    });
    machine.system.clear();
    machine.objects.clear();
    // Both came with Vista.
    machine
        .missing_calls
        .extend(["NtGetNextProcess", "NtGetNextThread"]);
    machine
        .keys
        .retain(|_, key| key.values.remove("setupexecute").is_none());
    let mut records = records(recording);
    // What stands in `\` is in the order of its listing.
    records.sort_by_key(|record| record.name.len());
    for record in records {
        match record.kind {
            SYSTEM_INFORMATION => {
                machine.system.insert(record.class, reply(&record));
            }
            DIRECTORY_OBJECT if record.status != Status::OBJECT_NAME_NOT_FOUND => {
                machine.create(&record.name, "Directory");
                for (name, type_name) in directory_entries(&record) {
                    machine.create(&joined(&record.name, &name), &type_name);
                }
            }
            DIRECTORY_OBJECT => {}
            OBJECT_INFORMATION => machine.types_answer = record.status.is_success(),
            PEB => {
                machine.memory.remove(&machine.peb);
                machine.peb = record.address;
                machine
                    .memory
                    .insert(record.address, page(&record, &BTreeMap::new()));
            }
            PROCESS_PARAMETERS => {
                // The recording ends before the last strings; the command line's place and length are in it.
                let command_line = if POINTER == 8 { 0x70 } else { 0x40 };
                let length = usize::from(record.bytes[command_line]);
                let place =
                    (pointer(record.bytes, command_line + POINTER) - record.address) as usize;
                let entry: Vec<u8> = "replay".encode_utf16().flat_map(u16::to_le_bytes).collect();
                assert_eq!(length, entry.len());
                machine.memory.insert(
                    record.address,
                    page(&record, &BTreeMap::from([(place, entry)])),
                );
            }
            USER_SHARED => {
                machine
                    .memory
                    .insert(USER_SHARED_DATA, page(&record, &BTreeMap::new()));
            }
            kind => panic!("unknown kind {kind} in a recording"),
        }
    }
    machine
}

fn reply(record: &Record<'_>) -> Reply {
    if !record.status.is_success() {
        return Reply::Failure(record.status, record.length);
    }
    if record.class == 5 {
        return Reply::Processes(record.bytes.to_vec(), record.address);
    }
    Reply::Bytes(record.bytes.to_vec())
}

fn page(record: &Record<'_>, more: &BTreeMap<usize, Vec<u8>>) -> Vec<u8> {
    let mut page = record.bytes.to_vec();
    page.resize(0x1000, 0);
    for (place, bytes) in more {
        page[*place..place + bytes.len()].copy_from_slice(bytes);
    }
    page
}
