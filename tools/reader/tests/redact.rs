//! Redacted snapshots: nothing of what was removed is left in their bytes, and what stays can be read, joined and counted.
//!
//! What is looked for is planted here or taken from the answers by the reader, and looked for by a plain search of the
//! whole file: not by what replaces it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use bootshot_format::{Family, Header, MemoryKind, NoteKind, ObjectKind, Outcome, Source, xxh64};
use bootshot_reader::redact::{Keep, Redacted, Redaction, redact};
use bootshot_reader::verify::verify;
use bootshot_reader::{Completeness, Condition, Snapshot};
use test_snapshots::machine::machine_live;
use test_snapshots::{
    Builder, Data, Entry, RegistryBatch, example_firmware, example_registry, load_option, utf16,
    variables,
};

const KEY: &[u8] = b"the key of these tests";

/// A user, a machine, a domain, a product: none may be found by their names.
const USER: &str = "jsmith";
const SHORT_USER: &str = "bo";
const MACHINE: &str = "DESKTOP-7QF2";
const DOMAIN: &str = "CONTOSO";
const ARGUMENTS: &str = "--connect build7 --password=hunter2";
const VARIABLE: &str = "LICENSE_SERVER=27000@ledger";
const SECRET_BYTES: &[u8] = b"no program but one knows what this is";

/// An account of a domain, as parts and as text.
const ACCOUNT: [u32; 5] = [21, 3_623_811_015, 3_361_044_348, 30_300_820, 1013];
const ACCOUNT_TEXT: &str = "S-1-5-21-3623811015-3361044348-30300820-1013";
const LOGON_SESSION: &str = "00000000-000a53f1";

/// Where the answers of these tests stood.
const ADDRESS: u64 = 0x30_0000;

fn identifier(parts: &[u32]) -> Vec<u8> {
    let mut bytes = vec![1, parts.len() as u8, 0, 0, 0, 0, 0, 5];
    bytes.extend(parts.iter().flat_map(|part| part.to_le_bytes()));
    bytes
}

/// A machine with pointers of one size, and where its kernel is.
struct Machine {
    width: usize,
    module: u64,
    object: u64,
    stack: u64,
}

const NARROW: Machine = Machine {
    width: 4,
    module: 0x8261_5000,
    object: 0x8A17_C3D8,
    stack: 0x9F3B_6000,
};
const WIDE: Machine = Machine {
    width: 8,
    module: 0xFFFF_F806_3A61_5000,
    object: 0xFFFF_AB84_7C17_C3D0,
    stack: 0xFFFF_9D0B_4F3B_6000,
};

/// Bytes that are filled in place by place.
struct Layout(Vec<u8>, usize);

impl Layout {
    fn new(width: usize, length: usize) -> Self {
        Self(vec![0; length], width)
    }

    fn bytes(&mut self, offset: usize, bytes: &[u8]) -> &mut Self {
        self.0[offset..offset + bytes.len()].copy_from_slice(bytes);
        self
    }

    fn number(&mut self, offset: usize, value: u32) -> &mut Self {
        self.bytes(offset, &value.to_le_bytes())
    }

    fn pointer(&mut self, offset: usize, value: u64) -> &mut Self {
        let width = self.1;
        self.bytes(offset, &value.to_le_bytes()[..width])
    }

    /// A `UNICODE_STRING` at `offset` whose characters are added at the end.
    fn string(&mut self, offset: usize, text: &str) -> &mut Self {
        let characters = utf16(text);
        let length = (characters.len() as u16).to_le_bytes();
        let place = ADDRESS + self.0.len() as u64;
        self.bytes(offset, &length).bytes(offset + 2, &length);
        self.pointer(offset + self.1, place);
        self.0.extend(characters);
        self
    }
}

impl Machine {
    fn pick(&self, narrow: usize, wide: usize) -> usize {
        if self.width == 4 { narrow } else { wide }
    }

    fn answer(&self, class: u32, bytes: &[u8]) -> Entry {
        Entry::new(Source::SYSTEM_INFORMATION, class, ADDRESS, bytes)
    }

    /// Addresses that a redacted snapshot must not have.
    fn addresses(&self) -> Vec<u64> {
        let inside = self.module + 0x1_2344;
        vec![
            self.module,
            inside,
            self.object,
            self.object + 0x60,
            self.stack,
            self.stack - 0x6000,
        ]
    }

    /// `SystemFullProcessInformation`: one process with one thread of a kernel module, its user and its package.
    fn processes(&self) -> Vec<u8> {
        let (header, thread) = (self.pick(0xB8, 0x100), self.pick(0x60, 0x88));
        let extension = self.pick(0x168, 0x170);
        let mut layout = Layout::new(self.width, header + thread + extension);
        let client = header + self.pick(0x20, 0x28);
        layout
            .number(4, 1)
            .pointer(self.pick(0x44, 0x50), 1234)
            .pointer(self.pick(0x54, 0x68), self.object)
            .pointer(header + self.pick(0x1C, 0x20), self.module + 0x1_2344)
            .pointer(client, 1234)
            .pointer(client + self.width, 1238)
            .pointer(header + self.pick(0x40, 0x50), self.stack)
            .pointer(header + self.pick(0x44, 0x58), self.stack - 0x6000)
            .number(header + thread + 0x34, extension as u32)
            .number(header + thread + 0x38, extension as u32 + 28);
        layout.0.extend(identifier(&ACCOUNT));
        layout.0.extend(utf16(&format!("Vendor.{USER}.Tool_1.0\0")));
        layout.string(0x38, &format!("{USER}-agent.exe"));
        layout.0
    }

    /// Class 64.
    fn handles(&self) -> Vec<u8> {
        let (head, entry) = (2 * self.width, self.pick(0x1C, 0x28));
        let objects = [self.object, self.object + 0x60, self.object];
        let mut layout = Layout::new(self.width, head + 3 * entry + 16);
        layout.pointer(0, 3);
        for (place, object) in objects.into_iter().enumerate() {
            let start = head + place * entry;
            layout
                .pointer(start, object)
                .pointer(start + self.width, 1234)
                .pointer(start + 2 * self.width, 4 * (place as u64 + 1));
        }
        // What is behind the last entry was in memory before.
        layout.bytes(head + 3 * entry, &SECRET_BYTES[..16]);
        layout.0
    }

    /// Class 77.
    fn modules(&self) -> Vec<u8> {
        self.modules_named(&format!("\\??\\C:\\Users\\{SHORT_USER}\\{USER}.sys"))
    }

    fn modules_named(&self, name: &str) -> Vec<u8> {
        let (size, base) = (self.pick(0x12C, 0x140), self.width);
        let mut layout = Layout::new(self.width, size + 2);
        layout
            .bytes(0, &(size as u16).to_le_bytes())
            .pointer(base + 2 * self.width, self.module)
            .number(base + 3 * self.width, 0x10_0000)
            .bytes(base + self.pick(0x1C, 0x28), name.as_bytes())
            // Behind the zero at the end of the name.
            .bytes(base + self.pick(0x1C, 0x28) + 200, SECRET_BYTES)
            .pointer(self.pick(0x128, 0x138), self.module);
        layout.0
    }

    fn name(&self, text: &str) -> Vec<u8> {
        let mut layout = Layout::new(self.width, 2 * self.width);
        layout.string(0, text);
        layout.0
    }

    fn telemetry_id(&self) -> Vec<u8> {
        let mut layout = Layout::new(self.width, 0x60);
        layout
            .number(0, 0x60)
            .number(0x48, 0x60)
            .number(0x4C, 0x60 + 28);
        layout.0.extend(identifier(&ACCOUNT));
        let path = utf16(&format!(
            "\\Device\\HarddiskVolume2\\Users\\{USER}\\agent.exe\0"
        ));
        let command_line = 0x60 + 28 + path.len();
        layout.number(0x58, command_line as u32);
        layout.0.extend(path);
        layout.0.extend(utf16(&format!("agent.exe {ARGUMENTS}\0")));
        layout.0
    }

    /// `TOKEN_USER`.
    fn token_user(&self) -> Vec<u8> {
        let mut layout = Layout::new(self.width, 2 * self.width);
        layout.pointer(0, ADDRESS + 2 * self.width as u64);
        layout.0.extend(identifier(&ACCOUNT));
        layout.0
    }

    /// An object: basic information, and a descriptor whose owner is the account.
    fn object_answer() -> Vec<u8> {
        let mut bytes: Vec<u8> = [0_u32, 0, 0x38, 20 + 28]
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect();
        bytes.resize(16 + 0x38, 0);
        bytes.extend([1, 0, 0, 0x80]);
        bytes.extend([20, 0, 0, 0].iter().chain(&[0; 12]));
        bytes.extend(identifier(&ACCOUNT));
        bytes
    }

    /// Process parameters with their strings in the same piece of memory, another one elsewhere, and their environment.
    fn own_memory(&self) -> Vec<Entry> {
        let mut layout = Layout::new(self.width, self.pick(0x2C4, 0x448));
        let strings = [
            (
                self.pick(0x38, 0x60),
                "\\??\\C:\\Windows\\System32\\bootshot.exe".to_owned(),
            ),
            (self.pick(0x40, 0x70), format!("bootshot {ARGUMENTS}")),
            (self.pick(0x70, 0xB0), format!("title {ARGUMENTS}")),
            (self.pick(0x88, 0xE0), "opened by the C library".to_owned()),
        ];
        for (field, text) in &strings {
            layout.string(*field, text);
        }
        let (directory, elsewhere) = (self.pick(0x24, 0x38), ADDRESS + 0x1_0000);
        let text = format!("C:\\Users\\{USER}\\");
        let length = (utf16(&text).len() as u16).to_le_bytes();
        layout
            .bytes(directory, &length)
            .pointer(directory + self.width, elsewhere);
        let environment = format!(
            "COMPUTERNAME={MACHINE}\0USERNAME={SHORT_USER}\0USERDOMAIN={DOMAIN}\0{VARIABLE}\0\0left over"
        );
        let memory = |kind: MemoryKind, address, bytes: &[u8]| {
            Entry::new(Source::OWN_MEMORY, kind.0, address, bytes)
        };
        vec![
            memory(MemoryKind::STRING, elsewhere, &utf16(&text)),
            memory(
                MemoryKind::STRING,
                elsewhere + 0x1000,
                &utf16("a string of nothing"),
            ),
            memory(MemoryKind::PROCESS_PARAMETERS, ADDRESS, &layout.0),
            memory(
                MemoryKind::ENVIRONMENT,
                ADDRESS + 0x2_0000,
                &utf16(&environment),
            ),
            Entry::new(Source::NOTE, NoteKind::BAD_ARGUMENT.0, 0, &[])
                .named("password=hunter2")
                .status(0xC000_000D),
        ]
    }

    fn registry() -> Vec<Entry> {
        const CONTROL: &str = "\\Registry\\Machine\\System\\CurrentControlSet\\Control";
        const SERVICES: &str = "\\Registry\\Machine\\System\\CurrentControlSet\\Services";
        let hive = format!("\\REGISTRY\\USER\\{ACCOUNT_TEXT}");
        let file = format!("\\Device\\HarddiskVolume2\\Users\\{USER}\\NTUSER.DAT");
        let image = format!("\"C:\\Program Files\\Agent\\agent.exe\" {ARGUMENTS}");
        let account = format!(".\\{USER}");
        let mut batch = RegistryBatch::default();
        batch
            .subkeys("\\Registry\\USER", &[".DEFAULT", ACCOUNT_TEXT])
            .values(
                &format!("{CONTROL}\\hivelist"),
                &[(&hive, Data::Text(&file))],
            )
            .values(
                &format!("{CONTROL}\\Session Manager\\Environment"),
                &[("LICENSE_SERVER", Data::Text("27000@ledger"))],
            )
            .values(
                &format!("{SERVICES}\\Agent"),
                &[
                    ("Type", Data::Number(0x10)),
                    ("ImagePath", Data::Expand(&image)),
                    ("ObjectName", Data::Text(&account)),
                    ("Blob", Data::Bytes(SECRET_BYTES)),
                ],
            );
        batch.0
    }

    /// A snapshot with everything that is to be removed, wherever it can stand.
    fn planted(&self) -> Vec<u8> {
        let mut builder = match self.width {
            4 => Builder::recorded_x86(),
            _ => machine_live(),
        };
        self.plant(&mut builder);
        builder.finish()
    }

    fn plant(&self, builder: &mut Builder) {
        let process = |class, bytes: &[u8]| {
            Entry::new(Source::PROCESS_INFORMATION, class, ADDRESS, bytes).about(1234, 5)
        };
        let link = format!("\\Sessions\\0\\DosDevices\\{LOGON_SESSION}\\{USER}");
        builder
            .section(Family::PROCESSES, &self.answer(148, &self.processes()))
            .section(Family::HANDLES, &self.answer(64, &self.handles()))
            .section(Family::MODULES, &self.answer(77, &self.modules()))
            .batch(Family::OWN, &self.own_memory())
            .batch(
                Family::DETAILS,
                &[
                    process(
                        27,
                        &self.name(&format!("\\Device\\x\\Users\\{USER}\\a.exe")),
                    ),
                    process(60, &self.name(&format!("agent.exe {ARGUMENTS}"))),
                    process(64, &self.telemetry_id()),
                    Entry::new(Source::TOKEN_INFORMATION, 1, ADDRESS, &self.token_user())
                        .about(1234, 5),
                    Entry::new(
                        Source::OBJECT,
                        ObjectKind::EVENT.0,
                        0,
                        &Self::object_answer(),
                    ),
                    Entry::new(Source::SYMBOLIC_LINK, 0, ADDRESS, &utf16(&link)).about(0x100, 0),
                    Entry::new(
                        Source::OBJECT_INFORMATION,
                        1,
                        ADDRESS,
                        &self.name("\\Sessions"),
                    )
                    .about(0x104, 0)
                    .named(&format!("\\Mailslot\\{DOMAIN}.{USER}")),
                    // Nobody interprets these.
                    Entry::new(Source::JOB_INFORMATION, 30, ADDRESS, &SECRET_BYTES[..36]),
                    Entry::new(Source(9_999), 1, ADDRESS, SECRET_BYTES).about(self.object, 0),
                    self.answer(66, SECRET_BYTES),
                ],
            )
            .batch(Family::REGISTRY, &Self::registry())
            .section(
                Family::FIRMWARE,
                &Entry::new(
                    Source::FIRMWARE_VARIABLES,
                    2,
                    ADDRESS,
                    &variables(&[
                        (
                            "Boot0001",
                            test_snapshots::GLOBAL,
                            &load_option(1, "Disk SN8812345"),
                        ),
                        ("Vendor", [0x11; 16], SECRET_BYTES),
                    ]),
                ),
            );
    }
}

fn machines() -> [Machine; 2] {
    [NARROW, WIDE]
}

/// Names and paths of the golden snapshots.
fn golden() -> Vec<(PathBuf, Vec<u8>)> {
    let folder = std::fs::read_dir("golden").expect("the golden snapshots");
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let file = std::fs::read(&path).unwrap();
        (path, file)
    };
    let files: Vec<_> = folder.map(read).collect();
    assert!(files.len() >= 5);
    files
}

fn redacted(file: &[u8]) -> Redacted {
    redact(file, KEY, Keep::default()).expect("a sound header")
}

/// Every file of the tests, with its name.
fn all_files() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = golden()
        .into_iter()
        .map(|(path, file)| (path.display().to_string(), file))
        .collect();
    let mut everything = machine_live();
    everything
        .batch(Family::REGISTRY, &example_registry())
        .batch(Family::FIRMWARE, &example_firmware());
    files.push(("everything".to_owned(), everything.finish()));
    files.push(("x86".to_owned(), Builder::recorded_x86().finish()));
    files.push(("x64".to_owned(), Builder::recorded_x64().finish()));
    for machine in machines() {
        files.push((format!("planted {}", machine.width), machine.planted()));
    }
    files
}

/// Whether `needle` stands anywhere in `bytes`, whatever its letters' case.
fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    let lower: Vec<u8> = bytes.iter().map(u8::to_ascii_lowercase).collect();
    let needle: Vec<u8> = needle.iter().map(u8::to_ascii_lowercase).collect();
    !needle.is_empty() && lower.windows(needle.len()).any(|window| window == needle)
}

fn assert_gone(what: &str, file: &[u8], text: &str) {
    assert!(!holds(file, text.as_bytes()), "{what}: {text:?} as bytes");
    assert!(!holds(file, &utf16(text)), "{what}: {text:?} as UTF-16");
}

/// All bytes but the checksums, the random id and the times of records and header, which say nothing of the machine.
fn addresses_in(file: &[u8], width: usize) -> BTreeSet<u64> {
    file.windows(width)
        .map(|window| {
            let mut bytes = [0; 8];
            bytes[..width].copy_from_slice(window);
            u64::from_le_bytes(bytes)
        })
        .collect()
}

#[test]
fn nothing_that_was_planted_is_left() {
    for machine in machines() {
        let what = format!("{} bytes", machine.width);
        let file = machine.planted();
        let new = redacted(&file).file;
        for text in [
            USER,
            MACHINE,
            DOMAIN,
            ARGUMENTS,
            "hunter2",
            "ledger",
            "left over",
            "C library",
            "a string of nothing",
            "SN8812345",
            ACCOUNT_TEXT,
            "3623811015",
            LOGON_SESSION,
        ] {
            assert!(
                holds(&file, text.as_bytes()) || holds(&file, &utf16(text)),
                "{text}"
            );
            assert_gone(&what, &new, text);
        }
        // Too short to be looked for inside of other words.
        for text in [format!("\\{SHORT_USER}\\"), format!("={SHORT_USER}\0")] {
            assert!(
                holds(&file, text.as_bytes()) || holds(&file, &utf16(&text)),
                "{text}"
            );
            assert_gone(&what, &new, &text);
        }
        for bytes in [
            &SECRET_BYTES[..16],
            &identifier(&ACCOUNT),
            &identifier(&ACCOUNT)[12..24],
        ] {
            assert!(holds(&file, bytes));
            assert!(!holds(&new, bytes), "{what}: {bytes:02x?}");
        }
        let (before, after) = (
            addresses_in(&file, machine.width),
            addresses_in(&new, machine.width),
        );
        for address in machine.addresses() {
            assert!(before.contains(&address), "{what}: {address:#x} is planted");
            assert!(!after.contains(&address), "{what}: {address:#x}");
        }
    }
}

/// Addresses, texts and identifiers that the reader finds in a snapshot.
#[derive(Default)]
struct Found {
    addresses: BTreeSet<u64>,
    command_lines: BTreeSet<String>,
    variables: BTreeSet<String>,
    identifiers: BTreeSet<String>,
    users: BTreeSet<String>,
}

fn find(snapshot: &Snapshot<'_>) -> Found {
    let mut found = Found::default();
    let kernel = if snapshot.header.pointer_width == 4 {
        1 << 31
    } else {
        1 << 47
    };
    let last = if snapshot.header.pointer_width == 4 {
        u64::from(u32::MAX)
    } else {
        u64::MAX
    };
    let mut address = |value: u64| {
        if value >= kernel && value < last - 0xFFF {
            found.addresses.insert(value);
        }
    };
    for handle in snapshot.handles().value {
        address(handle.object_address.map_or(0, |address| address.0));
    }
    for module in snapshot.modules().value {
        address(module.base.map_or(0, |address| address.0));
    }
    for thread in snapshot.threads().value {
        address(thread.start_address.0);
        address(thread.win32_start_address.map_or(0, |address| address.0));
    }
    for process in snapshot.processes().value {
        found
            .command_lines
            .extend(process.command_line.as_deref().map(str::to_owned));
        found.identifiers.extend(
            process
                .user
                .iter()
                .filter(|user| user.contains("-21-"))
                .map(ToString::to_string),
        );
        for path in [process.path.as_deref()].into_iter().flatten() {
            let lower = path.to_lowercase();
            let behind = lower.split("\\users\\").nth(1);
            let user = behind.and_then(|rest| rest.split('\\').next());
            found.users.extend(user.map(str::to_owned));
        }
    }
    for answer in snapshot.answers() {
        if answer.source == Source::OWN_MEMORY && answer.class == MemoryKind::ENVIRONMENT.0 {
            let units = answer.bytes.as_chunks::<2>().0.iter();
            let units: Vec<u16> = units.map(|unit| u16::from_le_bytes(*unit)).collect();
            let text = String::from_utf16_lossy(&units);
            let variables = text.split('\0').take_while(|variable| !variable.is_empty());
            found.variables.extend(variables.map(str::to_owned));
        }
    }
    found
}

#[test]
fn nothing_that_the_reader_finds_is_left_in_any_snapshot() {
    let mut total = Found::default();
    for (name, file) in all_files() {
        let old = Snapshot::parse(&file).unwrap();
        let width = usize::from(old.header.pointer_width);
        let new = redacted(&file).file;
        let found = find(&old);
        let after = addresses_in(&new, width);
        for address in &found.addresses {
            assert!(!after.contains(address), "{name}: {address:#x}");
        }
        for command_line in &found.command_lines {
            // Without arguments it is the path of the image, which stays.
            if command_line.trim().contains(' ') {
                assert_gone(&name, &new, command_line);
            }
        }
        for variable in found.variables.iter().chain(&found.identifiers) {
            assert_gone(&name, &new, variable);
        }
        for user in found
            .users
            .iter()
            .filter(|user| !matches!(user.as_str(), "public" | "root"))
        {
            assert_gone(&name, &new, user);
        }
        let kept = find(&Snapshot::parse(&new).unwrap());
        assert!(
            kept.command_lines
                .iter()
                .all(|line| line.chars().all(|c| c == '*')),
            "{name}"
        );
        assert_eq!(kept.addresses.len(), found.addresses.len(), "{name}");
        total.addresses.extend(found.addresses);
        total.command_lines.extend(found.command_lines);
        total.variables.extend(found.variables);
        total.identifiers.extend(found.identifiers);
    }
    assert!(total.addresses.len() > 100, "{}", total.addresses.len());
    assert!(total.command_lines.len() > 5 && total.variables.len() > 10);
    assert!(!total.identifiers.is_empty());
}

#[test]
fn everything_can_still_be_counted_and_nothing_is_damaged() {
    for (name, file) in all_files() {
        let new = redacted(&file).file;
        let verified = verify(&new).unwrap();
        assert_eq!(verified.damage, [], "{name}");
        assert!(
            verified.notes.iter().any(|note| note.id == "redacted"),
            "{name}"
        );
        let (old, new) = (
            Snapshot::parse(&file).unwrap(),
            Snapshot::parse(&new).unwrap(),
        );
        let (before, after) = (old.summary().value, new.summary().value);
        assert_eq!(
            serde_json::to_value(&before.counts).unwrap(),
            serde_json::to_value(&after.counts).unwrap(),
            "{name}"
        );
        assert_eq!(before.sections.len(), after.sections.len());
        for (before, after) in before.sections.iter().zip(&after.sections) {
            assert_eq!(before.items.len(), after.items.len());
            let answers = std::iter::once(&before.answer).chain(&before.items);
            for (before, after) in answers.zip(std::iter::once(&after.answer).chain(&after.items)) {
                if after.outcome != "redacted" {
                    assert_eq!(before.count, after.count, "{name}: {after:?}");
                }
            }
        }
        let names = |snapshot: &Snapshot<'_>| {
            let objects = snapshot.objects().value.objects;
            let types = snapshot.types().value;
            (
                objects.len(),
                snapshot.symbolic_links().value.len(),
                snapshot.jobs().value.len(),
                types
                    .into_iter()
                    .map(|listed| listed.name)
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(names(&old), names(&new), "{name}");
    }
}

#[test]
fn what_was_joined_by_address_or_user_still_is() {
    for (name, file) in all_files() {
        let new = redacted(&file).file;
        let (old, new) = (
            Snapshot::parse(&file).unwrap(),
            Snapshot::parse(&new).unwrap(),
        );
        let mut objects = BTreeMap::new();
        for (before, after) in old.handles().value.iter().zip(new.handles().value) {
            assert_eq!((before.pid, before.handle), (after.pid, after.handle));
            let known = objects.insert(before.object_address, after.object_address);
            assert!(
                known.is_none_or(|known| known == after.object_address),
                "{name}"
            );
        }
        let pseudonyms: BTreeSet<_> = objects.values().collect();
        assert_eq!(
            pseudonyms.len(),
            objects.len(),
            "{name}: two objects became one"
        );

        let places = |snapshot: &Snapshot<'_>| -> Vec<Option<(usize, u64)>> {
            let modules = snapshot.modules().value;
            let threads = snapshot.threads().value;
            let place = |start: u64| {
                modules.iter().enumerate().find_map(|(number, module)| {
                    let distance = start.checked_sub(module.base?.0)?;
                    (distance < u64::from(module.size)).then_some((number, distance))
                })
            };
            threads
                .iter()
                .map(|thread| place(thread.start_address.0))
                .collect()
        };
        let places = (places(&old), places(&new));
        assert_eq!(places.0, places.1, "{name}");
        if name == "x64" || name.starts_with("planted") {
            assert!(
                places.0.iter().any(Option::is_some),
                "{name}: a thread in a module"
            );
        }

        let mut users = BTreeMap::new();
        for (before, after) in old.processes().value.iter().zip(new.processes().value) {
            let known = users.insert(before.user.clone(), after.user.clone());
            assert!(known.is_none_or(|known| known == after.user), "{name}");
            assert_eq!(before.image.is_some(), after.image.is_some());
        }
    }
}

#[test]
fn identifiers_stay_accounts_of_one_domain_as_text_and_as_bytes() {
    for machine in machines() {
        let file = redacted(&machine.planted()).file;
        let new = Snapshot::parse(&file).unwrap();
        let processes = new.processes().value;
        let user = processes
            .iter()
            .find(|process| process.pid == 1234)
            .unwrap()
            .user
            .clone()
            .unwrap();
        assert!(
            user.starts_with("S-1-5-21-") && user.len() == ACCOUNT_TEXT.len(),
            "{user}"
        );
        // The hive of that user, by the name of its key and in the hive list.
        assert!(
            holds(&file, &utf16(&format!("\\REGISTRY\\USER\\{user}"))),
            "{user}"
        );
    }
}

#[test]
fn of_command_lines_images_stay_and_arguments_go_wherever_they_end() {
    const SERVICES: &str = "\\Registry\\Machine\\System\\CurrentControlSet\\Services";
    const MANAGER: &str =
        "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager";
    let lines = [
        ("C:\\tools\\job.cmd", " --password=hunter2two C:\\b.exe **"),
        ("%COMSPEC%", " /c echo hunter2three > C:\\x.bat * and more"),
        ("C:\\tools\\x.exe", "\thunter2six"),
        ("C:\\tools\\y", " hunter2seven C:\\y.exe"),
        ("C:\\Program Files\\x y\\z.exe", " -k hunter2eight"),
        ("C:\\tools\\alone one.exe", ""),
    ];
    let mut builder = Builder::new(8);
    let mut batch = RegistryBatch::default();
    let mut processes = Vec::new();
    for (place, (image, arguments)) in lines.into_iter().enumerate() {
        let line = format!("{image}{arguments}");
        batch.values(
            &format!("{SERVICES}\\S{place}"),
            &[("ImagePath", Data::Expand(&line))],
        );
        // The same elsewhere: as a process has it, and in a list.
        let line = WIDE.name(&line);
        processes.push(
            Entry::new(Source::PROCESS_INFORMATION, 60, ADDRESS, &line)
                .about(1000 + place as u64, 5),
        );
        let listed = format!("job{arguments}");
        batch.values(MANAGER, &[("Execute", Data::Text(&listed))]);
    }
    builder
        .batch(Family::REGISTRY, &batch.0)
        .batch(Family::DETAILS, &processes);
    let file = builder.finish();
    let new = redacted(&file);
    for (image, arguments) in lines {
        if arguments.is_empty() {
            assert!(holds(&new.file, &utf16(&format!("{image}\0"))), "{image}");
            continue;
        }
        assert!(holds(&file, &utf16(arguments)), "{arguments}");
        assert_gone(image, &new.file, arguments.trim());
        let blank = &arguments[..1];
        assert!(
            holds(&new.file, &utf16(&format!("{image}{blank}*"))),
            "{image}"
        );
    }
    assert_gone("all", &new.file, "hunter2");
    // One each of a process, and of each service that has arguments.
    assert_eq!(new.command_lines, 11);
}

#[test]
fn no_part_of_a_name_is_left_where_an_image_seems_to_end_in_it() {
    let mut batch = RegistryBatch::default();
    batch.values(
        "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\Agent",
        &[(
            "ImagePath",
            Data::Expand("C:\\Users\\Jane Smithson\\agent --password=hunter2"),
        )],
    );
    let mut builder = Builder::new(8);
    builder.batch(Family::REGISTRY, &batch.0);
    let file = builder.finish();
    let new = redacted(&file).file;
    for text in ["Jane", "Smithson", "hunter2"] {
        assert!(holds(&file, &utf16(text)), "{text}");
        assert_gone("the image", &new, text);
    }
}

#[test]
fn times_stay_and_the_time_zone_goes() {
    for machine in machines() {
        // BootTime, CurrentTime; TimeZoneBias, TimeZoneId, Reserved; BootTimeBias, SleepTimeBias.
        let times = [134_117_966_350_000_000_i64, 134_118_002_350_000_000];
        let zone = [-198_000_000_000_i64, 2 | 1 << 32];
        let biases = [3_i64, 4];
        let numbers = [times, zone, biases].concat();
        let answer: Vec<u8> = numbers
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect();
        let mut builder = Builder::new(machine.width as u8);
        builder.section(Family::SYSTEM, &machine.answer(3, &answer));
        let all = Keep {
            addresses: true,
            users: true,
            command_lines: true,
            environment: true,
        };
        let new = redact(&builder.finish(), KEY, all).unwrap().file;
        let new = Snapshot::parse(&new).unwrap();
        let bytes = new.answers().next().expect("an answer").bytes;
        let found: Vec<i64> = bytes
            .as_chunks()
            .0
            .iter()
            .map(|bytes| i64::from_le_bytes(*bytes))
            .collect();
        assert_eq!(found, [times, [0, 0], biases].concat());
    }
}

#[test]
fn a_user_with_a_name_of_one_letter_changes_no_numbers() {
    for machine in machines() {
        // `d` is 100.
        let numbers: Vec<u8> = (90..110_u16)
            .flat_map(|number| [number.to_le_bytes(), [0; 2]].concat())
            .collect();
        let environment = utf16("USERNAME=d\0Path=C:\\Users\\d\\bin\0\0");
        let mut builder = Builder::new(machine.width as u8);
        builder.section(Family::SYSTEM, &machine.answer(2, &numbers));
        builder.section(
            Family::OWN,
            &Entry::new(
                Source::OWN_MEMORY,
                MemoryKind::ENVIRONMENT.0,
                0,
                &environment,
            ),
        );
        let file = builder.finish();
        let keep = Keep {
            environment: true,
            ..Keep::default()
        };
        let new = redact(&file, KEY, keep).unwrap().file;
        let (old, new) = (
            Snapshot::parse(&file).unwrap(),
            Snapshot::parse(&new).unwrap(),
        );
        let bytes = |snapshot: &Snapshot<'_>, place: usize| {
            snapshot.answers().nth(place).unwrap().bytes.to_vec()
        };
        assert_eq!(bytes(&new, 0), bytes(&old, 0));
        assert_gone("a variable", &bytes(&new, 1), "=d\0");
        assert_gone("a path", &bytes(&new, 1), "\\d\\");
    }
}

#[test]
fn servers_in_paths_to_shares_are_names_of_machines() {
    const SESSION: &str = "00000000000a53f1";
    // Where its name alone says nothing, it is known from the path.
    let paths = [
        ("FILESRV01", "\\Device\\Mup\\FILESRV01\\homes\\a".to_owned()),
        (
            "FILESRV02",
            format!("\\Device\\LanmanRedirector\\;Z:{SESSION}\\FILESRV02\\homes\\a"),
        ),
        (
            "FILESRV03",
            format!("\\Device\\Mup\\;LanmanRedirector\\;Y:{SESSION}\\FILESRV03\\homes\\a"),
        ),
        ("FILESRV04", "\\??\\UNC\\FILESRV04\\homes\\a".to_owned()),
        (
            "FILESRV05",
            "\\GLOBAL??\\UNC\\FILESRV05\\homes\\a".to_owned(),
        ),
        ("FILESRV06", "\\\\FILESRV06\\homes\\a".to_owned()),
        (
            "FILESRV07",
            "\\\\FILESRV07.corp.example\\homes\\a".to_owned(),
        ),
    ];
    let mut builder = Builder::new(8);
    let mut entries = Vec::new();
    for (server, path) in &paths {
        let name = |text: &str| {
            Entry::new(Source::OBJECT_INFORMATION, 1, ADDRESS, &WIDE.name(text)).about(0x104, 0)
        };
        entries.push(name(path));
        entries.push(name("\\Sessions").named(&format!("\\BaseNamedObjects\\of{server}.lock")));
    }
    // Also a word of Windows, and what is no path to a machine.
    let kept = [
        "\\Registry\\Machine\\System\\Services\\a",
        "\\\\?\\C:\\tools\\a",
        "\\\\.\\pipe\\agent",
        "C:\\\\Vendors\\\\a",
        "\\Device\\LanmanRedirector\\;X:00000000000003e7\\tsclient\\a",
    ];
    let common = format!("\\Device\\Mup\\;X:{SESSION}\\Services\\homes");
    let link = format!("\\Sessions\\0\\DosDevices\\{LOGON_SESSION}\\end");
    for text in kept.iter().copied().chain([&common[..], &link]) {
        entries.push(Entry::new(Source::SYMBOLIC_LINK, 0, ADDRESS, &utf16(text)));
    }
    builder.batch(Family::DETAILS, &entries);
    let file = builder.finish();
    let new = redacted(&file).file;
    for (server, path) in &paths {
        assert!(holds(&file, &utf16(path)));
        assert_gone(path, &new, server);
    }
    assert_gone("the session", &new, SESSION);
    assert_gone("a word of Windows", &new, &format!("{SESSION}\\Services"));
    assert!(!holds(&new, &utf16("Services\\homes")));
    for text in kept {
        assert!(holds(&new, &utf16(text)), "{text}");
    }
    // All logon sessions are one, however their number is written.
    let snapshot = Snapshot::parse(&new).unwrap();
    let links = snapshot
        .answers()
        .filter(|answer| answer.source == Source::SYMBOLIC_LINK);
    let texts: Vec<_> = links
        .map(|answer| {
            answer
                .bytes
                .iter()
                .step_by(2)
                .map(|byte| char::from(*byte))
                .collect::<String>()
        })
        .collect();
    let number = texts
        .last()
        .and_then(|link| link.strip_suffix("\\end"))
        .expect("the link");
    let number = format!("00000000{}", &number[number.len() - 8..]);
    assert!(
        texts[kept.len()].contains(&format!(";X:{number}\\")),
        "{texts:?}"
    );
    // With a key, once for each path and once for the word of Windows.
    assert_eq!(texts.len(), kept.len() + 2);
}

/// Every account of a domain in a file, as text: those that stand there as text of either kind, and those as bytes.
fn accounts_in(file: &[u8]) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let mut count = |account: String| *found.entry(account).or_default() += 1;
    for start in 0..file.len() {
        for step in [1, 2] {
            let text: String = file[start..]
                .chunks(step)
                .take_while(|unit| {
                    unit[0].is_ascii_graphic() && unit[1..].iter().all(|high| *high == 0)
                })
                .map(|unit| char::from(unit[0]))
                .take_while(|character| character.is_ascii_digit() || "S-".contains(*character))
                .collect();
            if text.starts_with("S-1-5-21-") {
                count(text);
            }
        }
        let bytes = &file[start..];
        if let (Some([1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0]), Some(parts)) =
            (bytes.get(..12), bytes.get(8..28))
        {
            let parts = parts.as_chunks::<4>().0.iter();
            let parts: Vec<_> = parts
                .map(|part| u32::from_le_bytes(*part).to_string())
                .collect();
            count(format!("S-1-5-{}", parts.join("-")));
        }
    }
    found
}

#[test]
fn one_identifier_has_one_pseudonym_wherever_it_stands() {
    for machine in machines() {
        let mut batch = RegistryBatch::default();
        let hive = format!("\\REGISTRY\\USER\\{ACCOUNT_TEXT}");
        batch
            .subkeys("\\Registry\\USER", &[ACCOUNT_TEXT])
            .values(&hive, &[(&hive, Data::Text(&hive))]);
        let session = format!("\\Sessions\\0\\DosDevices\\{LOGON_SESSION}");
        let link = Entry::new(Source::SYMBOLIC_LINK, 0, ADDRESS, &utf16(&session)).named(&session);
        let module =
            machine.modules_named(&format!("\\??\\C:\\$Recycle.Bin\\{ACCOUNT_TEXT}\\a.sys"));
        let mut builder = Builder::new(machine.width as u8);
        builder
            .section(
                Family::PROCESSES,
                &machine.answer(148, &machine.processes()),
            )
            .section(Family::MODULES, &machine.answer(77, &module))
            .batch(Family::REGISTRY, &batch.0)
            .section(Family::NAMESPACE, &link);
        let file = builder.finish();
        let before = accounts_in(&file);
        assert!(before.keys().eq([ACCOUNT_TEXT]), "{before:?}");
        let new = redacted(&file);
        let after = accounts_in(&new.file);
        assert_eq!(new.identifiers, 1);
        assert_eq!(after.len(), 1, "{after:?}");
        assert!(after.values().eq(before.values()), "{after:?} {before:?}");

        let snapshot = Snapshot::parse(&new.file).unwrap();
        let answer = snapshot
            .answers()
            .find(|answer| answer.source == Source::SYMBOLIC_LINK);
        let answer = answer.expect("the link");
        assert_eq!(utf16(&answer.name()), answer.bytes);
    }
}

#[test]
fn the_account_of_a_golden_snapshot_is_counted_once() {
    let file = std::fs::read("golden/v1-wine8-x64-live.bshot").expect("a golden snapshot");
    let before = accounts_in(&file);
    assert!(before.keys().eq(["S-1-5-21-0-0-0-1000"]), "{before:?}");
    let new = redacted(&file);
    assert_eq!(new.identifiers, 1);
    let after = accounts_in(&new.file);
    assert!(
        after.len() == 1 && after.values().eq(before.values()),
        "{after:?} {before:?}"
    );
}

#[test]
fn what_is_to_be_kept_is_kept() {
    let file = WIDE.planted();
    let all = Keep {
        addresses: true,
        users: true,
        command_lines: true,
        environment: true,
    };
    let kept = |keep: Keep| redact(&file, KEY, keep).unwrap().file;
    let has = |file: &[u8], text: &str| holds(file, &utf16(text));
    let everything = kept(all);
    for text in [
        USER,
        MACHINE,
        ARGUMENTS,
        VARIABLE,
        ACCOUNT_TEXT,
        LOGON_SESSION,
    ] {
        assert!(has(&everything, text), "{text}");
    }
    assert!(
        WIDE.addresses()
            .iter()
            .all(|address| addresses_in(&everything, 8).contains(address))
    );
    // What nobody interprets never is, nor what happened to be in memory behind something.
    assert!(!holds(&everything, &SECRET_BYTES[..16]));
    assert!(has(&file, "left over") && !has(&everything, "left over"));

    let without_addresses = kept(Keep {
        addresses: false,
        ..all
    });
    assert!(!addresses_in(&without_addresses, 8).contains(&WIDE.object));
    assert!(has(&without_addresses, USER) && has(&without_addresses, ARGUMENTS));
    let without_users = kept(Keep {
        users: false,
        ..all
    });
    assert!(!has(&without_users, USER) && !has(&without_users, ACCOUNT_TEXT));
    assert!(!has(&without_users, MACHINE) && has(&without_users, VARIABLE));
    let without_command_lines = kept(Keep {
        command_lines: false,
        ..all
    });
    assert!(!has(&without_command_lines, ARGUMENTS) && has(&without_command_lines, VARIABLE));
    let without_environment = kept(Keep {
        environment: false,
        ..all
    });
    assert!(!has(&without_environment, "27000@ledger") && has(&without_environment, ARGUMENTS));
    for (file, expected) in [
        (&everything, vec![]),
        (&without_addresses, vec!["addresses"]),
        (&without_users, vec!["users"]),
        (&without_command_lines, vec!["command_lines"]),
        (&without_environment, vec!["environment"]),
    ] {
        let snapshot = Snapshot::parse(file).unwrap();
        assert_eq!(Redaction::of(&snapshot.header).unwrap().names(), expected);
        let summary = serde_json::to_value(snapshot.summary().value).unwrap();
        assert_eq!(summary["redacted"], serde_json::json!(expected));
    }
    let untouched = serde_json::to_value(Snapshot::parse(&file).unwrap().summary().value).unwrap();
    assert!(untouched["redacted"].is_null());
}

#[test]
fn the_same_key_gives_the_same_pseudonyms_and_another_others() {
    let file = WIDE.planted();
    let first = redact(&file, b"one key", Keep::default()).unwrap().file;
    assert_eq!(
        first,
        redact(&file, b"one key", Keep::default()).unwrap().file
    );
    // Another snapshot of the same machine.
    let mut other = Builder::new(8);
    other.section(Family::HANDLES, &WIDE.answer(64, &WIDE.handles()));
    let second = redact(&other.finish(), b"one key", Keep::default())
        .unwrap()
        .file;
    let third = redact(&file, b"another", Keep::default()).unwrap().file;
    let object = |file: &[u8]| {
        let snapshot = Snapshot::parse(file).unwrap();
        let handles = snapshot.handles().value;
        let of = handles.iter().find(|handle| handle.pid == 1234);
        of.and_then(|handle| handle.object_address)
    };
    let other_file = Snapshot::parse(&second).unwrap().handles().value[0].object_address;
    assert!(other_file.is_some());
    assert_ne!(addresses_in(&first, 8), addresses_in(&third, 8));
    if let (Some(one), Some(two)) = (object(&first), other_file) {
        assert_eq!(one, two);
    }
    assert!(addresses_in(&first, 8).contains(&other_file.unwrap().0));
    assert!(!addresses_in(&third, 8).contains(&other_file.unwrap().0));
}

#[test]
fn a_snapshot_stays_of_the_version_it_is_of_and_older_readers_ignore_the_mark() {
    for (name, file) in all_files() {
        let new = redacted(&file).file;
        let (before, after) = (Header::open(&file).unwrap(), Header::open(&new).unwrap());
        assert_eq!(before.version, after.version, "{name}");
        assert_eq!(before.required_features, after.required_features, "{name}");
        assert_ne!(after.compatible_features, 0, "{name}");
        assert_eq!(before.snapshot_id, after.snapshot_id);
        assert_eq!(after.checksum, xxh64(&new[..Header::SIZE - 8]));
    }
}

#[test]
fn answers_that_nobody_interprets_say_so_and_keep_their_length() {
    let file = redacted(&WIDE.planted()).file;
    let new = Snapshot::parse(&file).unwrap();
    let answer = new
        .answers()
        .find(|answer| answer.source == Source(9_999))
        .unwrap();
    assert_eq!(answer.outcome, Outcome::REDACTED);
    assert_eq!(answer.returned_length, SECRET_BYTES.len() as u64);
    assert!(answer.bytes.is_empty());
    assert_eq!(answer.argument, 0);
}

#[test]
fn of_damaged_and_unfinished_snapshots_only_what_can_be_read_is_kept() {
    let whole = WIDE.planted();
    // A bit in the payload of the first section with a chunk of some length.
    let snapshot = Snapshot::parse(&whole).unwrap();
    let section = snapshot
        .sections
        .iter()
        .find(|section| section.payload.len() > 300)
        .unwrap();
    let place = section.file_offset as usize + 48 + 56 + 48 + 40;
    let ordinal = section.ordinal as usize;
    let mut damaged = whole.clone();
    damaged[place] ^= 1;
    let new = redacted(&damaged);
    assert!(new.was_damaged && new.damaged_sections == 1);
    let parsed = Snapshot::parse(&new.file).unwrap();
    assert_eq!(parsed.problems, []);
    assert_eq!(parsed.completeness(), Completeness::Salvaged);
    assert!(parsed.sections[ordinal].payload.is_empty());
    assert_eq!(parsed.sections[ordinal].outcome(), Outcome::TORN);
    assert_eq!(parsed.sections[ordinal].condition, Condition::Intact);
    assert_eq!(parsed.sections.len(), snapshot.sections.len());

    for length in (Header::SIZE..whole.len()).step_by(509) {
        let new = redacted(&whole[..length]);
        assert!(new.was_damaged);
        let verified = verify(&new.file).unwrap();
        assert_eq!(verified.damage, [], "cut at {length}");
        // What is a name is learned from what is there; an identifier is known by itself.
        assert_gone("cut short", &new.file, ACCOUNT_TEXT);
    }
}

#[test]
fn no_bytes_make_it_fail_or_leave_a_file_that_is_damaged() {
    for machine in machines() {
        let mut builder = Builder::new(machine.width as u8);
        machine.plant(&mut builder);
        let whole = builder.finish();
        let mut state = 1_u64;
        for _ in 0..300 {
            let mut file = whole.clone();
            // Payload bytes with their checksums made good, so that they are read.
            for _ in 0..8 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let place = Header::SIZE + (state >> 33) as usize % (file.len() - Header::SIZE);
                file[place] = (state >> 25) as u8;
            }
            mend(&mut file);
            let new = redacted(&file).file;
            assert_eq!(verify(&new).unwrap().damage, []);
        }
    }
}

/// Makes the checksums of payloads hold again, where the record headers are sound.
fn mend(file: &mut [u8]) {
    let header = Header::open(file).unwrap();
    let records: Vec<_> = bootshot_format::Records::new(file, header.snapshot_id, Header::SIZE)
        .flatten()
        .map(|record| (record.offset as usize, record.header))
        .collect();
    for (offset, header) in records {
        let start = offset + bootshot_format::RecordHeader::SIZE;
        let end = start + bootshot_format::padded(header.payload_length as usize);
        let mended = bootshot_format::RecordHeader {
            payload_checksum: xxh64(&file[start..end]),
            ..header
        };
        file[offset..start].copy_from_slice(&mended.seal());
    }
}
