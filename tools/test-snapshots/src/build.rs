//! Snapshots written by the real writer, from recorded or invented answers.

use bootshot_format::{
    Encoding, Family, FinishedBy, Header, ItemHeader, MemoryKind, Outcome, PACKED_BATCHES, Phase,
    PhaseSource, Presence, SectionBegin, SectionEnd, Sink, Source, Trailer, Writer,
};

use crate::recording::{Kind, Recorded, recording_x64, recording_x86};

const STATUS_BUFFER_OVERFLOW: u32 = 0x8000_0005;
const STATUS_NO_MORE_ENTRIES: u32 = 0x8000_001A;

struct Bytes(Vec<u8>);

impl Sink for Bytes {
    type Error = std::convert::Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// One answer to put into a snapshot.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Who was asked.
    pub source: Source,
    /// The class.
    pub class: u32,
    /// The arguments.
    pub arguments: (u64, u64),
    /// Object, key or directory.
    pub name: String,
    /// Registry value.
    pub value_name: String,
    /// The `NTSTATUS`.
    pub status: u32,
    /// Where the buffer was.
    pub address: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Entry {
    /// An answer without names that was successful.
    pub fn new(source: Source, class: u32, address: u64, bytes: &[u8]) -> Self {
        Self {
            source,
            class,
            arguments: (0, 0),
            name: String::new(),
            value_name: String::new(),
            status: 0,
            address,
            bytes: bytes.to_vec(),
        }
    }

    /// The same about something: a process, a handle.
    #[must_use]
    pub fn about(self, argument: u64, argument2: u64) -> Self {
        Self {
            arguments: (argument, argument2),
            ..self
        }
    }

    /// The same with an object, key or directory name.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..self
        }
    }

    /// The same with a registry value name.
    #[must_use]
    pub fn value(self, value_name: &str) -> Self {
        Self {
            value_name: value_name.to_owned(),
            ..self
        }
    }

    /// The same with another status.
    #[must_use]
    pub fn status(self, status: u32) -> Self {
        Self { status, ..self }
    }
}

/// Builds a snapshot, section by section.
pub struct Builder {
    writer: Writer<Bytes>,
    counter: u64,
}

/// Text as it stands in the file.
pub fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn done<T>(result: Result<T, std::convert::Infallible>) -> T {
    let Ok(value) = result;
    value
}

impl Builder {
    /// An empty snapshot with the [`header`] for pointers of `pointer_width` bytes.
    pub fn new(pointer_width: u8) -> Self {
        Self::with_header(header(pointer_width))
    }

    /// An empty snapshot with this header.
    pub fn with_header(header: Header) -> Self {
        Self {
            writer: done(Writer::new(Bytes(Vec::new()), header)),
            counter: header.performance_counter,
        }
    }

    /// A snapshot of the recorded 64-bit boot.
    pub fn recorded_x64() -> Self {
        Self::recorded(8, &recording_x64())
    }

    /// A snapshot of the recorded 32-bit boot.
    pub fn recorded_x86() -> Self {
        Self::recorded(4, &recording_x86())
    }

    fn recorded(pointer_width: u8, recording: &[Recorded]) -> Self {
        let mut header = header(pointer_width);
        header.process_id = recorder(pointer_width, recording);
        let mut builder = Self::with_header(header);
        for record in recording {
            let family = match (record.kind, record.class) {
                (Kind::SystemInformation, 5 | 57 | 148) => Family::PROCESSES,
                (Kind::SystemInformation, 16 | 64) => Family::HANDLES,
                (Kind::SystemInformation, 11 | 77) => Family::MODULES,
                (Kind::SystemInformation, _) => Family::SYSTEM,
                (Kind::DirectoryObject | Kind::ObjectInformation, _) => Family::TYPES,
                _ => Family::OWN,
            };
            builder.section(family, &entry(record));
        }
        builder
    }

    fn begin(&mut self, family: Family, encoding: Encoding, entry: &Entry) {
        self.counter += 1_000;
        let (name, value_name) = (utf16(&entry.name), utf16(&entry.value_name));
        let begin = SectionBegin {
            source: entry.source,
            class: entry.class,
            argument: entry.arguments.0,
            argument2: entry.arguments.1,
            system_time: 0,
            interrupt_time: 0,
            performance_counter: self.counter,
            encoding,
            name_length: name.len() as u16,
            value_name_length: value_name.len() as u16,
            family,
        };
        done(self.writer.begin(&begin, &name, &value_name));
    }

    fn end(&mut self, entry: &Entry, items: u32) {
        self.end_as(entry, items, outcome(entry));
    }

    fn end_as(&mut self, entry: &Entry, items: u32, outcome: Outcome) {
        self.counter += 500;
        done(self.writer.end(SectionEnd {
            status: entry.status,
            outcome,
            tries: 1,
            total_length: 0,
            chunks: 0,
            items,
            performance_counter: self.counter,
            returned_length: entry.bytes.len() as u64,
            buffer_address: entry.address,
            buffer_length: entry.bytes.len() as u64,
        }));
    }

    /// Adds an answer as a section of its own; in two chunks, when it has a few bytes.
    pub fn section(&mut self, family: Family, entry: &Entry) -> &mut Self {
        self.begin(family, Encoding::RAW, entry);
        let (first, second) = entry.bytes.split_at(entry.bytes.len() / 16 * 8);
        for part in [first, second] {
            if !part.is_empty() {
                done(self.writer.data(part));
            }
        }
        self.end(entry, 0);
        self
    }

    /// Adds answers as one section: packed as the capture does it, or plain, as it did before, where that cannot hold them.
    pub fn batch(&mut self, family: Family, entries: &[Entry]) -> &mut Self {
        let whole = Entry::new(Source::BATCH, 0, 0, &[]);
        let encoding = match entries.iter().all(|entry| item_header(entry).fits_packed()) {
            true => Encoding::PACKED_BATCH,
            false => Encoding::BATCH,
        };
        self.begin(family, encoding, &whole);
        for entry in entries {
            let header = item_header(entry);
            let mut item = match encoding {
                Encoding::PACKED_BATCH => header.pack().bytes().to_vec(),
                _ => header.measured().encode().to_vec(),
            };
            item.extend(utf16(&entry.name));
            item.extend(utf16(&entry.value_name));
            item.resize(item.len().next_multiple_of(8), 0);
            item.extend(&entry.bytes);
            item.resize(item.len().next_multiple_of(8), 0);
            done(self.writer.data(&item));
        }
        self.end(&whole, entries.len() as u32);
        self
    }

    /// Adds a family that was not captured: an empty batch with this outcome.
    pub fn skipped(&mut self, family: Family, outcome: Outcome) -> &mut Self {
        let whole = Entry::new(Source::BATCH, 0, 0, &[]);
        self.begin(family, Encoding::PACKED_BATCH, &whole);
        self.end_as(&whole, 0, outcome);
        self
    }

    /// The file of a capture that was cut off here.
    pub fn unfinished(mut self) -> Vec<u8> {
        std::mem::take(&mut self.writer.sink().0)
    }

    /// The file of a capture that came to its end.
    pub fn finish(mut self) -> Vec<u8> {
        self.counter += 1_000;
        done(self.writer.trailer(Trailer {
            system_time: 0,
            interrupt_time: 0,
            performance_counter: self.counter,
            csrss_at_end: Presence::ABSENT,
            finished_by: FinishedBy::CAPTURE,
            index_entries: 0,
        }));
        self.unfinished()
    }
}

fn item_header(entry: &Entry) -> ItemHeader {
    ItemHeader {
        length: 0,
        source: entry.source,
        class: entry.class,
        status: entry.status,
        argument: entry.arguments.0,
        argument2: entry.arguments.1,
        buffer_address: entry.address,
        data_length: entry.bytes.len() as u32,
        returned_length: entry.bytes.len() as u32,
        name_length: utf16(&entry.name).len() as u16,
        value_name_length: utf16(&entry.value_name).len() as u16,
        tries: 1,
        outcome: outcome(entry),
    }
}

fn outcome(entry: &Entry) -> Outcome {
    let is_run = entry.source == Source::SUBKEYS || entry.source == Source::KEY_VALUES;
    // A run is complete when it reached the end, or when the next answer had no room in it.
    let ends_run = is_run
        && matches!(
            entry.status,
            STATUS_NO_MORE_ENTRIES | STATUS_BUFFER_OVERFLOW
        );
    if entry.status < 0x8000_0000 || ends_run {
        Outcome::COMPLETE
    } else {
        Outcome::FAILED
    }
}

/// The recorder's process id: `UniqueProcessId` of the last process.
fn recorder(pointer_width: u8, recording: &[Recorded]) -> u64 {
    let processes = recording
        .iter()
        .find(|record| record.kind == Kind::SystemInformation && record.class == 5)
        .expect("it was recorded");
    let number = |offset: usize| {
        let bytes = processes.bytes[offset..].first_chunk().expect("a number");
        u32::from_le_bytes(*bytes)
    };
    let mut offset = 0;
    while number(offset) != 0 {
        offset += number(offset) as usize;
    }
    number(offset + if pointer_width == 8 { 0x50 } else { 0x44 }).into()
}

fn entry(record: &Recorded) -> Entry {
    let (source, class) = match record.kind {
        Kind::SystemInformation => (Source::SYSTEM_INFORMATION, record.class),
        Kind::ObjectInformation => (Source::OBJECT_INFORMATION, record.class),
        Kind::DirectoryObject => (Source::DIRECTORY_OBJECT, 0),
        Kind::Peb => (Source::OWN_MEMORY, MemoryKind::PEB.0),
        Kind::ProcessParameters => (Source::OWN_MEMORY, MemoryKind::PROCESS_PARAMETERS.0),
        Kind::UserSharedData => (Source::OWN_MEMORY, MemoryKind::USER_SHARED_DATA.0),
    };
    let (units, _) = record.name.as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    Entry::new(source, class, record.address, &record.bytes)
        .named(&String::from_utf16_lossy(&units))
        .status(record.status)
}

/// The header of a snapshot of an NT 5.2 system, taken by process 212 at 2026-01-02T03:04:05Z, ten seconds after the
/// boot.
pub fn header(pointer_width: u8) -> Header {
    Header {
        magic: [0; 8],
        version: 0,
        header_length: 0,
        checksum_algorithm: 0,
        compatible_features: 0,
        required_features: PACKED_BATCHES,
        snapshot_id: *b"bootshot fixture",
        machine: if pointer_width == 8 { 0x8664 } else { 0x014C },
        pointer_width,
        phase: Phase::BOOT_EXECUTE,
        phase_source: PhaseSource::OBSERVED,
        csrss_at_start: Presence::ABSENT,
        page_size: 0x1000,
        nt_major: 5,
        nt_minor: 2,
        nt_build: 3790,
        boot_id: 0,
        writer_version: 0x0001_0203,
        process_id: 212,
        boot_time: 134_117_966_350_000_000,
        sequence: 7,
        system_time: 134_117_966_450_000_000,
        interrupt_time: 100_000_000,
        performance_frequency: 10_000_000,
        performance_counter: 100_000_000,
        privileges_wanted: 1 << 20 | 1 << 17,
        privileges_held: 1 << 20,
        checksum: 0,
    }
}
