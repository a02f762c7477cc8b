//! Snapshots to start from: the recorded boots, and invented answers to what their system did not know.

use bootshot_format::{Family, MemoryKind, NoteKind, Source};
use bootshot_reader::layout::structures::{
    KEY_VALUE_PARTIAL_INFORMATION as KeyValue, PROCESS_TELEMETRY_ID_INFORMATION as TelemetryId,
    RTL_PROCESS_MODULE_INFORMATION as Module, RTL_PROCESS_MODULE_INFORMATION_EX as ModuleEx,
    RTL_USER_PROCESS_PARAMETERS as Parameters, SID_AND_ATTRIBUTES as SidAndAttributes,
    SYSTEM_EXTENDED_THREAD_INFORMATION as Thread, SYSTEM_PAGEFILE_INFORMATION as PageFile,
    SYSTEM_PAGEFILE_INFORMATION_EX as PageFileEx, SYSTEM_PROCESS_INFORMATION as Process,
    SYSTEM_PROCESS_INFORMATION_EXTENSION as Extension, UNICODE_STRING,
};
use bootshot_reader::layout::{ByWidth, Field, Kind, PointerWidth, Structure, UnicodeString};
use test_snapshots::{Builder, Entry, machine, recording_x64, recording_x86, utf16};

/// Whole snapshots, with their names.
pub fn snapshots() -> Vec<(String, Vec<u8>)> {
    let recorded = |name: &str, file| (name.to_owned(), file);
    let mut all = vec![
        recorded("recorded-x64", Builder::recorded_x64().finish()),
        recorded("recorded-x86", Builder::recorded_x86().finish()),
        recorded("unfinished-x64", Builder::recorded_x64().unfinished()),
        recorded("empty", Builder::new(8).finish()),
        recorded("machine", machine::machine_live().finish()),
    ];
    all.extend([4, 8].map(|width| (format!("invented-{width}"), invented(width))));
    all
}

/// The payloads in those snapshots: pointer width in bytes, address, bytes.
pub fn payloads() -> Vec<(u8, u64, Vec<u8>)> {
    let recordings = [(8, recording_x64()), (4, recording_x86())].into_iter();
    let recorded = recordings.flat_map(|(width, recording)| {
        let payload =
            move |recorded: test_snapshots::Recorded| (width, recorded.address, recorded.bytes);
        recording.into_iter().map(payload)
    });
    let invented = [4, 8].into_iter().flat_map(|width| {
        let payload = move |entry: Entry| (width, entry.address, entry.bytes);
        answers(width).into_iter().map(payload)
    });
    let of_objects = [
        machine::namespace(),
        machine::ended(),
        machine::names_of_others(),
        machine::jobs(),
        vec![machine::processes(), machine::last_handle_list()],
    ];
    let of_objects = of_objects.into_iter().flatten();
    let of_objects = of_objects.map(|entry| (8, entry.address, entry.bytes));
    recorded.chain(invented).chain(of_objects).collect()
}

/// A snapshot of a recent system, most of it in one batch.
fn invented(width: u8) -> Vec<u8> {
    let mut header = test_snapshots::header(width);
    (header.nt_major, header.nt_build) = (10, 26100);
    let mut builder = Builder::with_header(header);
    let (system, details): (Vec<_>, Vec<_>) = answers(width)
        .into_iter()
        .partition(|entry| entry.source == Source::SYSTEM_INFORMATION);
    for entry in &system {
        builder.section(Family::SYSTEM, entry);
    }
    builder.batch(Family::DETAILS, &details);
    builder.finish()
}

const ADDRESS: u64 = 0x10_0000;
const PID: u64 = 212;

/// S-1-5-18, as it stands in memory.
const LOCAL_SYSTEM: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];

const PATH: &str = "\\Device\\HarddiskVolume1\\x.exe";

/// The classes that are one structure of numbers.
const SMALL_CLASSES: [u32; 13] = [2, 3, 21, 35, 37, 80, 90, 103, 133, 145, 149, 159, 165];

fn answers(width: u8) -> Vec<Entry> {
    let width = PointerWidth::from_bytes(width).expect("4 or 8");
    let mut all = vec![
        processes(width),
        page_files(width),
        modules(width),
        telemetry_id(width),
    ];
    let system = Source::SYSTEM_INFORMATION;
    let numbers: Vec<u8> = (0..=u8::MAX).collect();
    all.extend(SMALL_CLASSES.map(|class| Entry::new(system, class, ADDRESS, &numbers)));

    let process = Source::PROCESS_INFORMATION;
    all.extend([27, 60].map(|class| string(width).entry(process, class)));
    all.push(Entry::new(process, 61, ADDRESS, &[0x62]).about(PID, 0));
    all.push(Entry::new(process, 26, ADDRESS, &[0; 8][..width.bytes()]).about(PID, 0));
    all.extend([1, 25].map(|class| sid(width).entry(Source::TOKEN_INFORMATION, class)));

    let mut parameters = Payload::new(width);
    parameters.extend(Parameters::SIZE);
    parameters.put_string(0, Parameters::CommandLine, PATH);
    let memory = Source::PROCESS_MEMORY;
    all.push(parameters.entry(memory, MemoryKind::PROCESS_PARAMETERS.0));

    let control = "\\Registry\\Machine\\System\\CurrentControlSet\\Control";
    let manager = format!("{control}\\Session Manager");
    let lists = [
        (manager.as_str(), "BootExecute", 7),
        (control, "SystemStartOptions", 1),
        (&manager, "Execute", 7),
    ];
    all.extend(lists.map(|(path, name, value_type)| key_value(width, path, name, value_type)));
    all.extend(test_snapshots::example_registry());
    all.extend(test_snapshots::example_firmware());

    let note = |kind: NoteKind| Entry::new(Source::NOTE, kind.0, 0, &[]);
    let handles = [4, 8, 12].map(|handle| note(NoteKind::OWN_HANDLE).about(handle, 0));
    all.extend(handles.map(|handle| handle.named("Directory")));
    all.push(note(NoteKind::BAD_ARGUMENT).named("what=ever"));
    all.push(note(NoteKind::OUTPUT_DIRECTORY).named("\\??\\C:\\x"));
    let unopened = Entry::new(Source::OPEN, 1, 0, &[]).about(4, 0);
    all.push(unopened.status(0xC000_0022));
    all
}

/// Class 148: two processes with a thread and a user each.
fn processes(width: PointerWidth) -> Entry {
    let mut payload = Payload::new(width);
    for is_last in [false, true] {
        let start = payload.extend(Process::Threads.offset);
        payload.extend(Thread::SIZE);
        let extension = payload.extend(Extension::SIZE);
        let user = payload.append(LOCAL_SYSTEM);
        payload.put(start, Process::NumberOfThreads, 1);
        payload.put(start, Process::UniqueProcessId, PID + u64::from(is_last));
        payload.put(start, Process::InheritedFromUniqueProcessId, PID);
        payload.put(
            extension,
            Extension::UserSidOffset,
            (user - extension) as u64,
        );
        payload.put_string(start, Process::ImageName, "x.exe");
        if !is_last {
            let next = payload.append(&[]) - start;
            payload.put(start, Process::NextEntryOffset, next as u64);
        }
    }
    payload.entry(Source::SYSTEM_INFORMATION, 148)
}

/// Class 144: two page files.
fn page_files(width: PointerWidth) -> Entry {
    let mut payload = Payload::new(width);
    for is_last in [false, true] {
        let start = payload.extend(PageFileEx::SIZE);
        payload.put(start, PageFile::TotalSize, 256);
        payload.put(start, PageFileEx::MaximumSize, 512);
        payload.put_string(start, PageFile::PageFileName, "\\??\\C:\\pagefile.sys");
        if !is_last {
            let next = payload.append(&[]) - start;
            payload.put(start, PageFile::NextEntryOffset, next as u64);
        }
    }
    payload.entry(Source::SYSTEM_INFORMATION, 144)
}

/// Class 77: two modules, and the end of the chain.
fn modules(width: PointerWidth) -> Entry {
    let mut payload = Payload::new(width);
    for _ in 0..2 {
        let start = payload.extend(ModuleEx::SIZE);
        let base = start + ModuleEx::BaseInfo.offset.at(width);
        payload.put(base, Module::OffsetToFileName, 21);
        let path = base + Module::FullPathName.offset.at(width);
        payload.write(path, b"\\SystemRoot\\System32\\ntoskrnl.exe");
        let next = payload.append(&[]) - start;
        payload.put(start, ModuleEx::NextOffset, next as u64);
    }
    payload.append(&[0; 8]);
    payload.entry(Source::SYSTEM_INFORMATION, 77)
}

fn telemetry_id(width: PointerWidth) -> Entry {
    let mut payload = Payload::new(width);
    payload.extend(TelemetryId::SIZE);
    let text = [utf16(PATH), vec![0, 0]].concat();
    for (field, bytes) in [
        (TelemetryId::UserSidOffset, LOCAL_SYSTEM),
        (TelemetryId::ImagePathOffset, &text),
        (TelemetryId::CommandLineOffset, &text),
    ] {
        let offset = payload.append(bytes);
        payload.put(0, field, offset as u64);
    }
    payload.entry(Source::PROCESS_INFORMATION, 64)
}

/// A `UNICODE_STRING` with its characters.
fn string(width: PointerWidth) -> Payload {
    let mut payload = Payload::new(width);
    payload.extend(UNICODE_STRING::SIZE);
    payload.set_string(0, PATH);
    payload
}

/// `TOKEN_USER`.
fn sid(width: PointerWidth) -> Payload {
    let mut payload = Payload::new(width);
    payload.extend(SidAndAttributes::SIZE);
    let offset = payload.append(LOCAL_SYSTEM);
    payload.put(0, SidAndAttributes::Sid, ADDRESS + offset as u64);
    payload
}

fn key_value(width: PointerWidth, path: &str, name: &str, value_type: u64) -> Entry {
    let list = utf16("autocheck autochk *\0second\0\0");
    let mut payload = Payload::new(width);
    payload.extend(KeyValue::Data.offset);
    payload.put(0, KeyValue::Type, value_type);
    payload.put(0, KeyValue::DataLength, list.len() as u64);
    payload.bytes.extend(list);
    let entry = payload.entry(Source::REGISTRY_VALUE, 2).about(0, 0);
    entry.named(path).value(name)
}

/// Bytes of an answer that stood at [`ADDRESS`].
struct Payload {
    bytes: Vec<u8>,
    width: PointerWidth,
}

impl Payload {
    const fn new(width: PointerWidth) -> Self {
        Self {
            bytes: Vec::new(),
            width,
        }
    }

    /// Adds bytes at the next multiple of 8 and gives their offset.
    fn append(&mut self, bytes: &[u8]) -> usize {
        let start = self.bytes.len().next_multiple_of(8);
        self.bytes.resize(start, 0);
        self.bytes.extend(bytes);
        start
    }

    /// Adds a structure of zeros and gives its offset.
    fn extend(&mut self, size: ByWidth) -> usize {
        let zeros = vec![0; size.at(self.width)];
        self.append(&zeros)
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        self.bytes[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    /// Sets a field of the structure that starts at `start`.
    fn put<S, K: Kind>(&mut self, start: usize, field: Field<S, K>, value: u64) {
        let size = K::SIZE.at(self.width);
        let offset = start + field.offset.at(self.width);
        self.write(offset, &value.to_le_bytes()[..size]);
    }

    fn put_string<S>(&mut self, start: usize, field: Field<S, UnicodeString>, text: &str) {
        self.set_string(start + field.offset.at(self.width), text);
    }

    /// Adds the characters of the `UNICODE_STRING` at `start`, and names them in it.
    fn set_string(&mut self, start: usize, text: &str) {
        let characters = utf16(text);
        let length = characters.len() as u64;
        let offset = self.append(&characters);
        self.put(start, UNICODE_STRING::Length, length);
        self.put(start, UNICODE_STRING::MaximumLength, length);
        self.put(start, UNICODE_STRING::Buffer, ADDRESS + offset as u64);
    }

    /// The answer, about a process.
    fn entry(&self, source: Source, class: u32) -> Entry {
        Entry::new(source, class, ADDRESS, &self.bytes).about(PID, 0)
    }
}
