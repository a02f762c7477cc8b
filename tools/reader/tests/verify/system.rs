//! A small system at BootExecute whose answers agree with each other, to be changed by tests. The kernel structures are
//! written by their offsets in the headers, not through the reader's table.

use std::convert::Infallible;

use bootshot_format::{
    Encoding, Family, FinishedBy, Header, ItemHeader, MemoryKind, NoteKind, Outcome, Presence,
    SectionBegin, SectionEnd, Sink, Source, Trailer, Writer,
};
use bootshot_reader::verify::{Finding, Verification, verify};
use test_snapshots::{header, utf16};

/// One second in 100 ns units.
pub const SECOND: i64 = 10_000_000;

/// Where every answer stood.
const ADDRESS: u64 = 0x10_0000;

#[derive(Clone)]
pub struct Thread {
    pub tid: u64,
    pub pid: u64,
    pub created: i64,
    /// Only in the first process list.
    pub first_list_only: bool,
}

#[derive(Clone)]
pub struct Process {
    pub pid: u64,
    pub parent: u64,
    pub image: &'static str,
    /// What class 148 calls it.
    pub full_image: &'static str,
    pub created: i64,
    pub sequence_number: u64,
    pub handle_count: u32,
    pub threads: Vec<Thread>,
    /// In the first process list, more than there are.
    pub threads_more_than_there: u32,
    /// Bytes behind its name in the first process list.
    pub slack: usize,
    /// Only in the first process list.
    pub first_list_only: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub struct Handle {
    pub pid: u64,
    pub handle: u64,
    pub object: u64,
    pub type_index: u16,
}

#[derive(Clone)]
pub struct ObjectType {
    pub name: &'static str,
    pub index: u8,
    pub objects: u32,
    pub handles: u32,
}

#[derive(Clone)]
pub struct Item {
    pub source: Source,
    pub class: u32,
    pub arguments: (u64, u64),
    pub name: String,
    pub value_name: String,
    pub address: u64,
    pub bytes: Vec<u8>,
    pub status: u32,
    pub outcome: Outcome,
}

pub fn item(source: Source, class: u32, bytes: &[u8]) -> Item {
    Item {
        source,
        class,
        arguments: (0, 0),
        name: String::new(),
        value_name: String::new(),
        address: ADDRESS,
        bytes: bytes.to_vec(),
        status: 0,
        outcome: Outcome::COMPLETE,
    }
}

pub fn registry_value(key: &str, value: &str, bytes: &[u8]) -> Item {
    Item {
        name: key.to_owned(),
        value_name: value.to_owned(),
        ..item(Source::REGISTRY_VALUE, 2, bytes)
    }
}

pub struct System {
    pub header: Header,
    pub processes: Vec<Process>,
    /// 57 or 5.
    pub process_class: u32,
    pub handles: Vec<Handle>,
    /// 64 or 16.
    pub handle_class: u32,
    /// Bytes behind the handle list.
    pub handle_slack: usize,
    pub handles_outcome: Outcome,
    /// What other processes hold when the list is taken for the second time, if it is.
    pub handles_again: Option<Vec<Handle>>,
    pub own_handles: Vec<(u64, &'static str)>,
    pub types: Vec<ObjectType>,
    /// How many more types the table counts than it has.
    pub types_more_than_there: u32,
    pub modules: Vec<&'static str>,
    pub drivers: Vec<(&'static str, &'static str, &'static str)>,
    pub boot_time: i64,
    pub page_size: u32,
    pub nt: (u32, u32),
    pub boot_id: u32,
    pub build: u16,
    /// More answers.
    pub more: Vec<Item>,
    /// What the clock of the last section is ahead.
    pub clock_step: i64,
    /// Swaps the performance counters of the last two sections.
    pub out_of_order: bool,
    pub csrss_at_end: Presence,
}

fn thread(tid: u64, pid: u64, created: i64) -> Thread {
    Thread {
        tid,
        pid,
        created,
        first_list_only: false,
    }
}

impl System {
    /// Nothing in it speaks against it.
    pub fn clean(pointer_width: u8) -> Self {
        let mut header = header(pointer_width);
        (header.nt_major, header.nt_minor, header.nt_build) = (10, 0, 26100);
        header.boot_id = 12;
        header.process_id = 412;
        let boot_time = header.boot_time;
        let process = |pid, parent, image, created, sequence_number, handle_count| Process {
            pid,
            parent,
            image,
            full_image: image,
            created,
            sequence_number,
            handle_count,
            threads: vec![
                thread(pid + 8, pid, created),
                thread(pid + 16, pid, created + 5),
            ],
            threads_more_than_there: 0,
            slack: 0,
            first_list_only: false,
        };
        let mut idle = process(0, 0, "", 0, 0, 0);
        idle.threads = vec![thread(0, 0, 0), thread(0, 0, 0)];
        let mut processes = vec![
            idle,
            process(4, 0, "System", boot_time, 2, 3),
            process(88, 4, "Registry", boot_time - 2 * SECOND, 1, 0),
            process(300, 4, "smss.exe", boot_time + SECOND, 3, 2),
            process(412, 300, "bootshot.exe", boot_time + 9 * SECOND, 4, 2),
        ];
        processes[3].full_image = r"\Device\HarddiskVolume3\Windows\System32\smss.exe";
        let handle = |pid, handle, object: u64, type_index| Handle {
            pid,
            handle,
            object: 0xA000_0000 + object,
            type_index,
        };
        Self {
            header,
            processes,
            process_class: 57,
            handles: vec![
                handle(4, 4, 0x10, 7),
                handle(4, 8, 0x20, 16),
                handle(4, 0xC, 0x20, 16),
                handle(300, 4, 0x30, 37),
                handle(300, 8, 0x40, 16),
                handle(412, 4, 0x50, 3),
                handle(412, 8, 0x60, 37),
                // Open while the list is taken, and closed before the types are asked for.
                handle(412, 0xC, 0x70, 7),
                handle(412, 0x10, 0x50, 3),
            ],
            handle_class: 64,
            handle_slack: 0,
            handles_outcome: Outcome::COMPLETE,
            handles_again: None,
            own_handles: vec![(8, "File"), (0xC, "Process"), (0x10, "Directory")],
            types: [
                ("Directory", 3, 20, 1),
                ("Process", 7, 9, 1),
                ("Thread", 8, 9, 0),
                ("Event", 16, 5, 3),
                ("File", 37, 4, 2),
            ]
            .map(|(name, index, objects, handles)| ObjectType {
                name,
                index,
                objects,
                handles,
            })
            .to_vec(),
            types_more_than_there: 0,
            modules: vec![
                r"\SystemRoot\system32\ntoskrnl.exe",
                r"\SystemRoot\system32\hal.dll",
                r"\SystemRoot\System32\drivers\ACPI.sys",
                r"\SystemRoot\System32\drivers\disk.sys",
                r"\SystemRoot\System32\drivers\pacer.sys",
                r"\SystemRoot\System32\Drivers\Ntfs.sys",
            ],
            drivers: vec![
                (r"\Driver", "ACPI", "Driver"),
                (r"\Driver", "Disk", "Driver"),
                (r"\Driver", "Psched", "Driver"),
                (r"\Driver", "PnpManager", "Driver"),
                (r"\Driver", "ACPI_HAL", "Driver"),
                (r"\Driver", "WMIxWDM", "Driver"),
                (r"\Driver", "SoftwareDevice", "Driver"),
                (r"\FileSystem", "Ntfs", "Driver"),
                (r"\FileSystem", "RAW", "Driver"),
                (r"\FileSystem", "Filters", "Directory"),
            ],
            boot_time,
            page_size: 0x1000,
            nt: (10, 0),
            boot_id: 12,
            build: 26100,
            more: vec![registry_value(
                r"\Registry\Machine\System\CurrentControlSet\Control\Session Manager",
                "BootExecute",
                b"\x00\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00",
            )],
            clock_step: 0,
            out_of_order: false,
            csrss_at_end: Presence::ABSENT,
        }
    }

    pub fn process(&mut self, pid: u64) -> &mut Process {
        let found = self.processes.iter_mut().find(|process| process.pid == pid);
        found.expect("the process is there")
    }

    pub fn object_type(&mut self, name: &str) -> &mut ObjectType {
        let found = self.types.iter_mut().find(|entry| entry.name == name);
        found.expect("the type is there")
    }

    /// Adds a process like another one, with ids of its own and without handles.
    pub fn add_process(&mut self, pid: u64, image: &'static str) -> &mut Process {
        let last = self.processes.last().expect("there are processes").clone();
        self.processes.push(Process {
            pid,
            image,
            full_image: image,
            sequence_number: last.sequence_number + 1,
            handle_count: 0,
            threads: vec![thread(pid + 8, pid, last.created)],
            ..last
        });
        self.processes.last_mut().expect("it was added")
    }

    pub fn verify(&self) -> Verification {
        verify(&self.file()).expect("a sound header")
    }

    fn width(&self) -> usize {
        self.header.pointer_width.into()
    }

    fn wide<T>(&self, narrow: T, wide: T) -> T {
        if self.width() == 4 { narrow } else { wide }
    }

    /// A `UNICODE_STRING` of `characters` at `address`.
    fn string(&self, characters: &[u8], address: u64) -> Vec<u8> {
        let mut bytes = (characters.len() as u16).to_le_bytes().repeat(2);
        bytes.resize(self.width(), 0);
        bytes.extend_from_slice(&address.to_le_bytes()[..self.width()]);
        bytes
    }

    fn put(&self, bytes: &mut [u8], (narrow, wide): (usize, usize), value: u64) {
        let place = self.wide(narrow, wide);
        bytes[place..place + self.width()].copy_from_slice(&value.to_le_bytes()[..self.width()]);
    }

    /// `SYSTEM_PROCESS_INFORMATION` and what follows it, one behind the other.
    fn process_list(&self, class: u32) -> Vec<u8> {
        let first = class != 148;
        let mut list: Vec<u8> = Vec::new();
        let mut last = 0;
        let there = |only_first: bool| first || !only_first;
        for process in self
            .processes
            .iter()
            .filter(|process| there(process.first_list_only))
        {
            last = list.len();
            let threads: Vec<_> = process
                .threads
                .iter()
                .filter(|thread| there(thread.first_list_only))
                .collect();
            let mut entry = vec![0; self.wide(0xB8, 0x100)];
            let counted = threads.len() as u32
                + if first {
                    process.threads_more_than_there
                } else {
                    0
                };
            entry[4..8].copy_from_slice(&counted.to_le_bytes());
            entry[0x20..0x28].copy_from_slice(&process.created.to_le_bytes());
            self.put(&mut entry, (0x44, 0x50), process.pid);
            self.put(&mut entry, (0x48, 0x58), process.parent);
            let handle_count = self.wide(0x4C, 0x60);
            entry[handle_count..handle_count + 4]
                .copy_from_slice(&process.handle_count.to_le_bytes());
            for thread in threads {
                let size = if class == 5 {
                    self.wide(0x40, 0x50)
                } else {
                    self.wide(0x60, 0x88)
                };
                let mut bytes = vec![0; size];
                bytes[0x10..0x18].copy_from_slice(&thread.created.to_le_bytes());
                self.put(&mut bytes, (0x20, 0x28), thread.pid);
                self.put(&mut bytes, (0x24, 0x30), thread.tid);
                entry.extend(bytes);
            }
            if class == 148 {
                let mut extension = vec![0; self.wide(0x168, 0x170)];
                let place = self.wide(0x160, 0x168);
                extension[place..place + 8].copy_from_slice(&process.sequence_number.to_le_bytes());
                entry.extend(extension);
            }
            let image = if first {
                process.image
            } else {
                process.full_image
            };
            if !image.is_empty() {
                let characters = utf16(image);
                let string = self.string(&characters, ADDRESS + (last + entry.len()) as u64);
                entry[0x38..0x38 + string.len()].copy_from_slice(&string);
                entry.extend(characters);
            }
            if first {
                entry.extend(vec![0xCC; process.slack]);
            }
            entry.resize(entry.len().next_multiple_of(8), 0);
            let next = entry.len() as u32;
            entry[..4].copy_from_slice(&next.to_le_bytes());
            list.extend(entry);
        }
        list[last..last + 4].fill(0);
        list
    }

    fn handle_list(&self, handles: &[Handle]) -> Vec<u8> {
        let count = handles.len() as u64;
        if self.handle_class == 16 {
            let mut list = (count as u32).to_le_bytes().to_vec();
            list.resize(self.wide(4, 8), 0);
            for handle in handles {
                let mut entry = vec![0; self.wide(0x10, 0x18)];
                entry[..2].copy_from_slice(&(handle.pid as u16).to_le_bytes());
                entry[4] = handle.type_index as u8;
                entry[6..8].copy_from_slice(&(handle.handle as u16).to_le_bytes());
                self.put(&mut entry, (8, 8), handle.object);
                list.extend(entry);
            }
            return list;
        }
        let mut list = vec![0; 2 * self.width()];
        self.put(&mut list, (0, 0), count);
        for handle in handles {
            let mut entry = vec![0; self.wide(0x1C, 0x28)];
            self.put(&mut entry, (0, 0), handle.object);
            self.put(&mut entry, (4, 8), handle.pid);
            self.put(&mut entry, (8, 0x10), handle.handle);
            let index = self.wide(0x12, 0x1E);
            entry[index..index + 2].copy_from_slice(&handle.type_index.to_le_bytes());
            list.extend(entry);
        }
        list.extend(vec![0; self.handle_slack]);
        list
    }

    fn type_table(&self) -> Vec<u8> {
        let counted = self.types.len() as u32 + self.types_more_than_there;
        let mut table = counted.to_le_bytes().to_vec();
        table.resize(self.width(), 0);
        for object_type in &self.types {
            let mut entry = vec![0; self.wide(0x60, 0x68)];
            let characters = utf16(object_type.name);
            let string = self.string(&characters, ADDRESS + (table.len() + entry.len()) as u64);
            entry[..string.len()].copy_from_slice(&string);
            let objects = self.wide(8, 0x10);
            entry[objects..objects + 4].copy_from_slice(&object_type.objects.to_le_bytes());
            entry[objects + 4..objects + 8].copy_from_slice(&object_type.handles.to_le_bytes());
            entry[self.wide(0x52, 0x5A)] = object_type.index;
            entry.extend(characters);
            entry.resize(entry.len().next_multiple_of(self.width()), 0);
            table.extend(entry);
        }
        table
    }

    fn module_list(&self) -> Vec<u8> {
        let mut list = Vec::new();
        for path in &self.modules {
            let mut entry = vec![0; self.wide(0x12C, 0x140)];
            let size = entry.len() as u16;
            entry[..2].copy_from_slice(&size.to_le_bytes());
            let (name, start) = self.wide((4 + 0x1A, 4 + 0x1C), (8 + 0x26, 8 + 0x28));
            let file = path.rfind('\\').map_or(0, |place| place + 1) as u16;
            entry[name..name + 2].copy_from_slice(&file.to_le_bytes());
            entry[start..start + path.len()].copy_from_slice(path.as_bytes());
            list.extend(entry);
        }
        list.extend([0, 0]);
        list
    }

    fn directory(&self, path: &str) -> Item {
        let entries: Vec<_> = self
            .drivers
            .iter()
            .filter(|(directory, ..)| *directory == path)
            .collect();
        let mut bytes = Vec::new();
        let mut strings = Vec::new();
        let start = (entries.len() + 1) * 4 * self.width();
        for (_, name, type_name) in entries {
            for text in [name, type_name] {
                let characters = utf16(text);
                bytes.extend(self.string(&characters, ADDRESS + (start + strings.len()) as u64));
                strings.extend(characters);
            }
        }
        bytes.resize(start, 0);
        bytes.extend(strings);
        Item {
            name: path.to_owned(),
            ..item(Source::DIRECTORY_OBJECT, 0, &bytes)
        }
    }

    fn sections(&self) -> Vec<(Family, Vec<Item>)> {
        let system = |class, bytes: &[u8]| item(Source::SYSTEM_INFORMATION, class, bytes);
        let own_handles = self.own_handles.iter().map(|(handle, name)| Item {
            arguments: (*handle, 0),
            name: (*name).to_owned(),
            ..item(Source::NOTE, NoteKind::OWN_HANDLE.0, &[])
        });
        let mut shared = vec![0; 0x1000];
        shared[0x26C..0x270].copy_from_slice(&self.nt.0.to_le_bytes());
        shared[0x270..0x274].copy_from_slice(&self.nt.1.to_le_bytes());
        shared[0x2C4..0x2C8].copy_from_slice(&self.boot_id.to_le_bytes());
        let mut peb = vec![0; 0x1000];
        let build = self.wide(0xAC, 0x120);
        peb[build..build + 2].copy_from_slice(&self.build.to_le_bytes());
        let mut time_of_day = vec![0; 48];
        time_of_day[..8].copy_from_slice(&self.boot_time.to_le_bytes());
        let mut basic = vec![0; self.wide(0x2C, 0x40)];
        basic[8..12].copy_from_slice(&self.page_size.to_le_bytes());
        let details = self.processes.iter().map(|process| Item {
            arguments: (process.pid, process.created as u64),
            ..item(Source::PROCESS_INFORMATION, 26, &vec![0; self.width()])
        });
        let mut sections = vec![
            (
                Family::OWN,
                vec![
                    item(Source::OWN_MEMORY, MemoryKind::USER_SHARED_DATA.0, &shared),
                    item(Source::OWN_MEMORY, MemoryKind::PEB.0, &peb),
                ],
            ),
            (
                Family::PROCESSES,
                vec![system(
                    self.process_class,
                    &self.process_list(self.process_class),
                )],
            ),
            (
                Family::PROCESSES,
                vec![system(148, &self.process_list(148))],
            ),
            (
                Family::HANDLES,
                vec![Item {
                    outcome: self.handles_outcome,
                    ..system(self.handle_class, &self.handle_list(&self.handles))
                }],
            ),
            (Family::HANDLES, own_handles.collect()),
            (
                Family::TYPES,
                vec![item(Source::OBJECT_INFORMATION, 3, &self.type_table())],
            ),
            (Family::MODULES, vec![system(77, &self.module_list())]),
            (
                Family::MODULES,
                vec![self.directory(r"\Driver"), self.directory(r"\FileSystem")],
            ),
            (
                Family::SYSTEM,
                vec![system(0, &basic), system(3, &time_of_day), system(18, &[])],
            ),
            (Family::REGISTRY, self.more.clone()),
            (Family::DETAILS, details.collect()),
        ];
        if let Some(again) = &self.handles_again {
            sections.push((
                Family::HANDLES,
                vec![system(self.handle_class, &self.handle_list(again))],
            ));
        }
        sections
    }

    pub fn file(&self) -> Vec<u8> {
        let mut writer = done(Writer::new(Bytes(Vec::new()), self.header));
        let sections = self.sections();
        let count = sections.len() as u64;
        for ((family, items), place) in sections.into_iter().zip(0..) {
            // A millisecond for each.
            let since = (place + 1) * 10_000;
            let asked = if self.out_of_order && place + 1 == count {
                since - 15_000
            } else {
                since
            };
            let step = if place + 1 == count {
                self.clock_step
            } else {
                0
            };
            self.section(&mut writer, family, &items, since, asked, step);
        }
        let since = (count + 1) * 10_000;
        done(writer.trailer(Trailer {
            system_time: self.header.system_time + since as i64 + self.clock_step,
            interrupt_time: self.header.interrupt_time + since,
            performance_counter: self.header.performance_counter + since,
            csrss_at_end: self.csrss_at_end,
            finished_by: FinishedBy::CAPTURE,
            index_entries: 0,
        }));
        std::mem::take(&mut writer.sink().0)
    }

    fn section(
        &self,
        writer: &mut Writer<Bytes>,
        family: Family,
        items: &[Item],
        since: u64,
        asked: u64,
        step: i64,
    ) {
        let single = match items {
            [single] if single.source != Source::REGISTRY_VALUE => Some(single),
            _ => None,
        };
        let (name, value_name) = single.map_or((vec![], vec![]), |item| {
            (utf16(&item.name), utf16(&item.value_name))
        });
        let begin = SectionBegin {
            source: single.map_or(Source::BATCH, |item| item.source),
            class: single.map_or(0, |item| item.class),
            argument: single.map_or(0, |item| item.arguments.0),
            argument2: single.map_or(0, |item| item.arguments.1),
            system_time: self.header.system_time + since as i64 + step,
            interrupt_time: self.header.interrupt_time + since,
            performance_counter: self.header.performance_counter + asked,
            encoding: if single.is_some() {
                Encoding::RAW
            } else {
                Encoding::BATCH
            },
            name_length: name.len() as u16,
            value_name_length: value_name.len() as u16,
            family,
        };
        done(writer.begin(&begin, &name, &value_name));
        match single {
            Some(item) => done(writer.data(&item.bytes)),
            None => {
                for item in items {
                    done(writer.data(&encoded(item)));
                }
            }
        }
        done(writer.end(SectionEnd {
            status: single.map_or(0, |item| item.status),
            outcome: single.map_or(Outcome::COMPLETE, |item| item.outcome),
            tries: 1,
            total_length: 0,
            chunks: 0,
            items: if single.is_some() {
                0
            } else {
                items.len() as u32
            },
            performance_counter: self.header.performance_counter + asked + 5_000,
            returned_length: single.map_or(0, |item| item.bytes.len() as u64),
            buffer_address: single.map_or(0, |item| item.address),
            buffer_length: single.map_or(0, |item| item.bytes.len() as u64),
        }));
    }
}

/// An item of a batch.
fn encoded(item: &Item) -> Vec<u8> {
    let (name, value_name) = (utf16(&item.name), utf16(&item.value_name));
    let header = ItemHeader {
        length: 0,
        source: item.source,
        class: item.class,
        status: item.status,
        argument: item.arguments.0,
        argument2: item.arguments.1,
        buffer_address: item.address,
        data_length: item.bytes.len() as u32,
        returned_length: item.bytes.len() as u32,
        name_length: name.len() as u16,
        value_name_length: value_name.len() as u16,
        tries: 1,
        outcome: item.outcome,
    }
    .measured();
    let mut bytes = header.encode().to_vec();
    bytes.extend(name);
    bytes.extend(value_name);
    bytes.resize(ItemHeader::SIZE + header.names_length(), 0);
    bytes.extend(&item.bytes);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

struct Bytes(Vec<u8>);

impl Sink for Bytes {
    type Error = Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

fn done<T>(result: Result<T, Infallible>) -> T {
    let Ok(value) = result;
    value
}

/// Changes a clean system of each width and expects exactly these findings, by id and subject; gives the last ones.
pub fn expect(change: impl Fn(&mut System), expected: &[(&str, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for width in [4, 8] {
        let mut system = System::clean(width);
        change(&mut system);
        let verification = system.verify();
        assert_eq!(verification.damage, [], "{width}");
        findings = verification.findings;
        let found: Vec<_> = findings
            .iter()
            .map(|finding| (finding.id, finding.subject.as_str()))
            .collect();
        assert_eq!(found, expected, "{width}: {findings:#?}");
    }
    findings
}

/// The observation of the only finding that a change makes.
pub fn observed(change: impl Fn(&mut System), id: &str, subject: &str) -> String {
    let findings = expect(change, &[(id, subject)]);
    findings[0].observation.clone()
}
