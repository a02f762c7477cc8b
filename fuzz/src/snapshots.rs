//! Snapshots to start from: the recorded boots, and invented answers to questions that the recorded system did not know.

use bootshot_format::{Family, MemoryKind, NoteKind, Source};
use test_snapshots::{Builder, Entry, recording_x64, recording_x86, utf16};

/// Whole snapshots, with their names.
pub fn snapshots() -> Vec<(String, Vec<u8>)> {
    let mut all = vec![
        ("recorded-x64".to_owned(), Builder::recorded_x64().finish()),
        ("recorded-x86".to_owned(), Builder::recorded_x86().finish()),
        (
            "unfinished-x64".to_owned(),
            Builder::recorded_x64().unfinished(),
        ),
        ("empty".to_owned(), Builder::new(8).finish()),
    ];
    all.extend([4, 8].map(|width| (format!("invented-{width}"), invented(width))));
    all
}

/// The payloads in those snapshots: pointer width, address and bytes.
pub fn payloads() -> Vec<(u8, u64, Vec<u8>)> {
    let of = |width, recording: Vec<test_snapshots::Recorded>| {
        recording
            .into_iter()
            .map(move |recorded| (width, recorded.address, recorded.bytes))
    };
    let mut all: Vec<_> = of(8, recording_x64())
        .chain(of(4, recording_x86()))
        .collect();
    for width in [4, 8] {
        let answers = answers(width).into_iter();
        all.extend(answers.map(|entry| (width, entry.address, entry.bytes)));
    }
    all
}

/// Bytes of a structure, field by field.
struct Layout {
    bytes: Vec<u8>,
    width: usize,
    address: u64,
}

impl Layout {
    const fn new(width: u8, address: u64) -> Self {
        Self {
            bytes: Vec::new(),
            width: width as usize,
            address,
        }
    }

    fn number(&mut self, size: usize, value: u64) -> &mut Self {
        let start = self.bytes.len().next_multiple_of(size);
        self.bytes.resize(start, 0);
        self.bytes.extend(&value.to_le_bytes()[..size]);
        self
    }

    fn pointer(&mut self, value: u64) -> &mut Self {
        self.number(self.width, value)
    }

    /// A `UNICODE_STRING` whose characters stand `distance` bytes into the answer.
    fn string(&mut self, length: usize, distance: usize) -> &mut Self {
        self.number(2, length as u64).number(2, length as u64 + 2);
        self.pointer(self.address + distance as u64)
    }

    fn at(&mut self, offset: usize) -> &mut Self {
        self.bytes.resize(offset.max(self.bytes.len()), 0);
        self
    }

    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend(bytes);
        self
    }
}

/// S-1-5-18, as it stands in memory.
const LOCAL_SYSTEM: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];

const ADDRESS: u64 = 0x10_0000;

fn answers(width: u8) -> Vec<Entry> {
    let pointer = usize::from(width);
    let string_size = 2 * pointer;
    let about = |source, class, layout: &Layout| {
        Entry::new(source, class, ADDRESS, &layout.bytes).about(212, 0)
    };
    let mut all = Vec::new();

    let path = utf16("\\Device\\HarddiskVolume1\\x.exe");
    for class in [27, 60] {
        let mut answer = Layout::new(width, ADDRESS);
        answer.string(path.len(), string_size).raw(&path);
        all.push(about(Source::PROCESS_INFORMATION, class, &answer));
    }
    all.push(Entry::new(Source::PROCESS_INFORMATION, 61, ADDRESS, &[0x62]).about(212, 0));
    all.push(
        Entry::new(Source::PROCESS_INFORMATION, 26, ADDRESS, &[0; 8][..pointer]).about(212, 0),
    );

    // PROCESS_TELEMETRY_ID_INFORMATION: the fixed part, then user, image path and command line.
    let mut telemetry = Layout::new(width, ADDRESS);
    let user = 0x60;
    let image_path = user + LOCAL_SYSTEM.len();
    let command_line = image_path + path.len() + 2;
    telemetry.number(4, user as u64).at(0x48);
    telemetry
        .number(4, user as u64)
        .number(4, image_path as u64);
    telemetry.at(0x58).number(4, command_line as u64).at(user);
    telemetry.raw(LOCAL_SYSTEM);
    telemetry.raw(&path).raw(&[0, 0]).raw(&path).raw(&[0, 0]);
    all.push(about(Source::PROCESS_INFORMATION, 64, &telemetry));

    for class in [1, 25] {
        let mut answer = Layout::new(width, ADDRESS);
        answer.pointer(ADDRESS + string_size as u64).number(4, 7);
        answer.at(string_size).raw(LOCAL_SYSTEM);
        all.push(about(Source::TOKEN_INFORMATION, class, &answer));
    }

    let list = utf16("autocheck autochk *\0second\0\0");
    for (name, value_type) in [
        ("BootExecute", 7),
        ("SystemStartOptions", 1),
        ("Execute", 7),
    ] {
        let mut answer = Layout::new(width, ADDRESS);
        answer.number(4, 0).number(4, value_type);
        answer.number(4, list.len() as u64).raw(&list);
        let entry = Entry::new(Source::REGISTRY_VALUE, 2, ADDRESS, &answer.bytes);
        all.push(entry.named("\\Registry\\Machine\\SYSTEM").value(name));
    }

    // Two page files of class 144, of which class 18 is the beginning.
    let mut files = Layout::new(width, ADDRESS);
    let name = utf16("\\??\\C:\\pagefile.sys");
    let size = 16 + string_size + 8;
    let next = (size + name.len()).next_multiple_of(8);
    for (start, next_entry) in [(0, next), (next, 0)] {
        files.at(start).number(4, next_entry as u64).number(4, 256);
        files
            .number(4, 3)
            .number(4, 9)
            .string(name.len(), start + size);
        files.number(4, 1).number(4, 2).at(start + size).raw(&name);
    }
    all.push(about(Source::SYSTEM_INFORMATION, 144, &files));
    all.push(about(Source::SYSTEM_INFORMATION, 18, &files));

    // Two modules of class 77, and the end of the chain.
    let mut modules = Layout::new(width, ADDRESS);
    let stride = if width == 8 { 0x140 } else { 0x130 };
    for start in [0, stride] {
        modules.at(start).number(2, stride as u64);
        let path = start + if width == 8 { 0x30 } else { 0x20 };
        modules
            .at(path)
            .raw(b"\\SystemRoot\\System32\\ntoskrnl.exe");
    }
    modules.at(2 * stride).number(2, 0);
    all.push(about(Source::SYSTEM_INFORMATION, 77, &modules));

    // The small classes, of whatever content.
    for class in [2, 3, 21, 35, 37, 80, 90, 103, 133, 145, 149, 159, 165] {
        let bytes: Vec<u8> = (0..=u8::MAX).collect();
        all.push(Entry::new(
            Source::SYSTEM_INFORMATION,
            class,
            ADDRESS,
            &bytes,
        ));
    }

    // A process's parameters, and the characters they point to.
    let characters = Entry::new(Source::PROCESS_MEMORY, MemoryKind::STRING.0, 0x7000, &path);
    let mut parameters = Layout::new(width, ADDRESS);
    let place = if width == 8 { 0x70 } else { 0x40 };
    parameters
        .at(place)
        .number(2, 8)
        .number(2, 10)
        .pointer(0x7000);
    all.push(about(
        Source::PROCESS_MEMORY,
        MemoryKind::PROCESS_PARAMETERS.0,
        &parameters,
    ));
    all.push(characters.about(212, 0));

    for handle in [4, 8, 12] {
        let note = Entry::new(Source::NOTE, NoteKind::OWN_HANDLE.0, 0, &[]);
        all.push(note.about(handle, 0).named("Directory"));
    }
    all.push(Entry::new(Source::NOTE, NoteKind::BAD_ARGUMENT.0, 0, &[]).named("what=ever"));
    all.push(Entry::new(Source::NOTE, NoteKind::OUTPUT_DIRECTORY.0, 0, &[]).named("\\??\\C:\\x"));
    all.push(
        Entry::new(Source::OPEN, 1, 0, &[])
            .about(4, 0)
            .status(0xC000_0022),
    );
    all
}

fn invented(width: u8) -> Vec<u8> {
    let mut header = test_snapshots::header(width);
    (header.nt_major, header.nt_build) = (10, 26100);
    let mut builder = Builder::with_header(header);
    let all = answers(width);
    let (system, details): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|entry| entry.source == Source::SYSTEM_INFORMATION);
    for entry in &system {
        builder.section(Family::SYSTEM, entry);
    }
    builder.batch(Family::DETAILS, &details);
    builder.finish()
}
