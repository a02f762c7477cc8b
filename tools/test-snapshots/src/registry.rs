//! Answers about the registry, laid out as the headers of `phnt` declare them and the kernel fills them.

use bootshot_format::{OpenKind, Source};

use crate::build::{Entry, utf16};

/// What ends a run that is whole.
const STATUS_NO_MORE_ENTRIES: u32 = 0x8000_001A;

/// Data of a value.
#[derive(Clone, Copy, Debug)]
pub enum Data<'a> {
    /// `REG_SZ`.
    Text(&'a str),
    /// `REG_EXPAND_SZ`.
    Expand(&'a str),
    /// `REG_MULTI_SZ`.
    Texts(&'a [&'a str]),
    /// `REG_DWORD`.
    Number(u32),
    /// `REG_QWORD`.
    Long(u64),
    /// `REG_BINARY`.
    Bytes(&'a [u8]),
    /// Any type.
    Of(u32, &'a [u8]),
}

impl Data<'_> {
    /// The type, and the bytes as they are stored: texts end with a zero, lists with two.
    pub fn stored(&self) -> (u32, Vec<u8>) {
        let ended = |text: &str| utf16(&format!("{text}\0"));
        match self {
            Self::Text(text) => (1, ended(text)),
            Self::Expand(text) => (2, ended(text)),
            Self::Texts(texts) => {
                let mut list: Vec<u8> = texts.iter().flat_map(|text| ended(text)).collect();
                list.extend([0, 0]);
                (7, list)
            }
            Self::Number(number) => (4, number.to_le_bytes().to_vec()),
            Self::Long(number) => (11, number.to_le_bytes().to_vec()),
            Self::Bytes(bytes) => (3, bytes.to_vec()),
            Self::Of(value_type, bytes) => (*value_type, bytes.to_vec()),
        }
    }
}

/// `KEY_BASIC_INFORMATION`: `LastWriteTime`, `TitleIndex`, `NameLength`, `Name`.
pub fn key_basic(last_write_time: i64, name: &str) -> Vec<u8> {
    let name = utf16(name);
    let mut bytes = last_write_time.to_le_bytes().to_vec();
    bytes.extend([0; 4]);
    bytes.extend((name.len() as u32).to_le_bytes());
    bytes.extend(name);
    bytes
}

/// `KEY_VALUE_FULL_INFORMATION`: `TitleIndex`, `Type`, `DataOffset`, `DataLength`, `NameLength`, `Name`, and the data at
/// the next multiple of 8; without data the kernel sets its offset to -1.
pub fn key_value_full(name: &str, data: Data<'_>) -> Vec<u8> {
    let (value_type, data) = data.stored();
    let name = utf16(name);
    let offset = if data.is_empty() {
        u32::MAX
    } else {
        (0x14 + name.len()).next_multiple_of(8) as u32
    };
    let mut bytes = Vec::new();
    for number in [0, value_type, offset, data.len() as u32, name.len() as u32] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(name);
    if !data.is_empty() {
        bytes.resize(offset as usize, 0);
        bytes.extend(data);
    }
    bytes
}

/// `KEY_VALUE_PARTIAL_INFORMATION`: `TitleIndex`, `Type`, `DataLength`, `Data`.
pub fn key_value_partial(data: Data<'_>) -> Vec<u8> {
    let (value_type, data) = data.stored();
    let mut bytes = vec![0; 4];
    bytes.extend(value_type.to_le_bytes());
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes
}

/// Answers of consecutive calls, each at a multiple of 8.
pub fn run(answers: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for answer in answers {
        bytes.resize(usize::next_multiple_of(bytes.len(), 8), 0);
        bytes.extend(answer);
    }
    bytes
}

/// The batch of a registry, key by key.
#[derive(Clone, Debug, Default)]
pub struct RegistryBatch(pub Vec<Entry>);

impl RegistryBatch {
    /// When every key that is listed was written: 2026-01-02T00:00:00Z.
    pub const WRITTEN: i64 = 134_117_856_000_000_000;

    /// The keys right below one.
    pub fn subkeys(&mut self, path: &str, names: &[&str]) -> &mut Self {
        let bytes = run(names.iter().map(|name| key_basic(Self::WRITTEN, name)));
        self.run(Source::SUBKEYS, 0, path, &bytes, STATUS_NO_MORE_ENTRIES)
    }

    /// The values of one.
    pub fn values(&mut self, path: &str, values: &[(&str, Data<'_>)]) -> &mut Self {
        let bytes = run(values
            .iter()
            .map(|(name, data)| key_value_full(name, *data)));
        self.run(Source::KEY_VALUES, 1, path, &bytes, STATUS_NO_MORE_ENTRIES)
    }

    /// A run that ended with this status.
    pub fn run(
        &mut self,
        source: Source,
        class: u32,
        path: &str,
        bytes: &[u8],
        status: u32,
    ) -> &mut Self {
        let entry = Entry::new(source, class, 0x20_0000, bytes).named(path);
        self.0.push(entry.status(status));
        self
    }

    /// A value asked for by its name.
    pub fn value(&mut self, path: &str, name: &str, data: Data<'_>) -> &mut Self {
        let bytes = key_value_partial(data);
        let entry = Entry::new(Source::REGISTRY_VALUE, 2, 0x20_0000, &bytes);
        self.0.push(entry.named(path).value(name));
        self
    }

    /// `KEY_FLAGS_INFORMATION`: 1 volatile, 2 link.
    pub fn flags(&mut self, path: &str, flags: u32) -> &mut Self {
        let mut bytes = vec![0; 12];
        bytes[4..8].copy_from_slice(&flags.to_le_bytes());
        let entry = Entry::new(Source::KEY_INFORMATION, 5, 0x20_0000, &bytes);
        self.0.push(entry.named(path));
        self
    }

    /// A link key that is in memory only, with its target.
    pub fn link(&mut self, path: &str, target: &str) -> &mut Self {
        self.flags(path, 3);
        self.value(path, "SymbolicLinkValue", Data::Of(6, &utf16(target)))
    }

    /// A key that could not be opened.
    pub fn refused(&mut self, path: &str, status: u32) -> &mut Self {
        let entry = Entry::new(Source::OPEN, OpenKind::KEY.0, 0, &[]);
        self.0.push(entry.named(path).status(status));
        self
    }
}

/// A value as a case of [`example_registry`] needs it.
type Values<'a> = &'a [(&'a str, Data<'a>)];

/// What a Windows 11 at `BootExecute` would say, shortened: each thing that readers tell apart once.
pub fn example_registry() -> Vec<Entry> {
    const SET: &str = "\\Registry\\Machine\\System\\CurrentControlSet";
    let mut batch = RegistryBatch::default();
    batch
        .subkeys("\\Registry", &["A", "MACHINE", "USER", "WC"])
        .refused("\\Registry\\A", 0xC000_0022)
        .refused("\\Registry\\WC", 0xC000_0022)
        .subkeys(
            "\\Registry\\MACHINE",
            &["BCD00000000", "HARDWARE", "SYSTEM"],
        )
        .subkeys("\\Registry\\USER", &[])
        .flags("\\Registry\\MACHINE", 1)
        .flags("\\Registry\\USER", 1)
        .flags("\\Registry\\MACHINE\\HARDWARE", 1)
        .flags("\\Registry\\MACHINE\\SYSTEM", 0)
        .subkeys(
            "\\Registry\\MACHINE\\SYSTEM",
            &["ControlSet001", "CurrentControlSet", "Select", "Setup"],
        )
        .link(
            "\\Registry\\MACHINE\\SYSTEM\\CurrentControlSet",
            "\\Registry\\Machine\\System\\ControlSet001",
        )
        .values(
            "\\Registry\\Machine\\System\\Select",
            &[("Current", Data::Number(1)), ("Default", Data::Number(1))],
        );
    let control: &[(&str, Values<'_>)] = &[
        (
            "",
            &[
                ("SystemStartOptions", Data::Text(" NOEXECUTE=OPTIN")),
                ("BootDriverFlags", Data::Number(0x1C)),
            ],
        ),
        (
            "\\hivelist",
            &[
                ("\\REGISTRY\\MACHINE\\HARDWARE", Data::Text("")),
                (
                    "\\REGISTRY\\MACHINE\\SYSTEM",
                    Data::Text("\\Device\\HarddiskVolume3\\Windows\\System32\\config\\SYSTEM"),
                ),
            ],
        ),
        (
            "\\Session Manager",
            &[
                (
                    "BootExecute",
                    Data::Texts(&["autocheck autochk *", "bootshot"]),
                ),
                ("CriticalSectionTimeout", Data::Number(2_592_000)),
                (
                    "ObjectDirectories",
                    Data::Texts(&["\\Windows", "\\RPC Control"]),
                ),
                ("ExcludeFromKnownDlls", Data::Of(7, &[])),
                ("DisableWpbtExecution", Data::Number(1)),
            ],
        ),
        (
            "\\Session Manager\\KnownDLLs",
            &[
                ("kernel32", Data::Text("kernel32.dll")),
                ("DllDirectory", Data::Expand("%SystemRoot%\\system32")),
            ],
        ),
        (
            "\\CI",
            &[("VulnerableDriverBlocklistEnable", Data::Number(1))],
        ),
        (
            "\\ServiceGroupOrder",
            &[(
                "List",
                Data::Texts(&[
                    "System Reserved",
                    "Boot File System",
                    "FSFilter Anti-Virus",
                    "Base",
                ]),
            )],
        ),
        (
            "\\GroupOrderList",
            &[("Base", Data::Bytes(&[2, 0, 0, 0, 9, 0, 0, 0, 3, 0, 0, 0]))],
        ),
        (
            "\\WMI\\Autologger\\EventLog-System",
            &[
                ("Start", Data::Number(1)),
                ("Guid", Data::Text("{245acf1f-7ceb-4d4b-a65e-70a4a1b8db3a}")),
                ("LogFileMode", Data::Number(0x1010_0100)),
            ],
        ),
        (
            "\\WMI\\Autologger\\WdiContextLog",
            &[
                ("Start", Data::Number(0)),
                (
                    "FileName",
                    Data::Expand("%SystemRoot%\\System32\\wdi\\x.etl"),
                ),
                ("EnableLevel", Data::Number(4)),
            ],
        ),
    ];
    for (path, values) in control {
        batch.values(&format!("{SET}\\Control{path}"), values);
    }
    let services: &[(&str, Values<'_>)] = &[
        (
            "ACPI",
            &[
                ("Type", Data::Number(1)),
                ("Start", Data::Number(0)),
                ("ErrorControl", Data::Number(3)),
                ("Group", Data::Text("Core")),
                ("ImagePath", Data::Expand("System32\\drivers\\ACPI.sys")),
            ],
        ),
        (
            "Null",
            &[
                ("Type", Data::Number(1)),
                ("Start", Data::Number(1)),
                ("Group", Data::Text("Base")),
                ("Tag", Data::Number(3)),
            ],
        ),
        (
            "Beep",
            &[
                ("Type", Data::Number(1)),
                ("Start", Data::Number(1)),
                ("Group", Data::Text("base")),
                ("Tag", Data::Number(9)),
            ],
        ),
        (
            "Ntfs",
            &[
                ("Type", Data::Number(2)),
                ("Start", Data::Number(0)),
                ("Group", Data::Text("Boot File System")),
                ("DisplayName", Data::Text("NTFS")),
            ],
        ),
        (
            "WdFilter",
            &[
                ("Type", Data::Number(2)),
                ("Start", Data::Number(0)),
                ("Group", Data::Text("FSFilter Anti-Virus")),
                (
                    "ImagePath",
                    Data::Expand("system32\\drivers\\wd\\WdFilter.sys"),
                ),
            ],
        ),
        (
            "VendorSentinel",
            &[
                ("Type", Data::Number(1)),
                ("Start", Data::Number(1)),
                (
                    "ImagePath",
                    Data::Expand("\\SystemRoot\\System32\\drivers\\vsx64.sys"),
                ),
            ],
        ),
        (
            "BFE",
            &[("Type", Data::Number(0x20)), ("Start", Data::Number(2))],
        ),
    ];
    let names: Vec<&str> = services.iter().map(|(name, _)| *name).collect();
    batch.subkeys(&format!("{SET}\\Services"), &names);
    for (name, values) in services {
        batch.values(&format!("{SET}\\Services\\{name}"), values);
    }
    batch
        .values(
            &format!("{SET}\\Services\\WdFilter\\Instances"),
            &[("DefaultInstance", Data::Text("WdFilter Instance"))],
        )
        .values(
            &format!("{SET}\\Services\\WdFilter\\Instances\\WdFilter Instance"),
            &[
                ("Altitude", Data::Text("328010")),
                ("Flags", Data::Number(0)),
            ],
        )
        .values(
            &format!("{SET}\\Services\\FileInfo\\Parameters\\Instances\\FileInfo"),
            &[
                ("Altitude", Data::Text("40500")),
                ("Flags", Data::Number(0)),
            ],
        );
    let policy = format!("{SET}\\Services\\BFE\\Parameters\\Policy");
    batch
        .values(
            &format!("{policy}\\BootTime\\Filter"),
            &[
                (
                    "{935b7f36-2b2a-4a2e-a08e-5d0a0d7b1a44}",
                    Data::Bytes(&serialized_filter()),
                ),
                (
                    "{00000000-0000-0000-0000-000000000001}",
                    Data::Bytes(&[1, 2, 3]),
                ),
            ],
        )
        .values(&format!("{policy}\\Persistent\\Provider"), &[])
        .refused(&format!("{policy}\\Persistent\\Filter"), 0xC000_0022);
    batch.0
}

/// A filter as far as it is understood: the header of a serialized type ([MS-RPCE] 2.2.6), the key of its layer
/// (`FWPM_LAYER_ALE_AUTH_CONNECT_V4`), and its display name as the first conformant and varying string of NDR.
pub fn serialized_filter() -> Vec<u8> {
    let mut bytes = vec![1, 0x10, 8, 0, 0xCC, 0xCC, 0xCC, 0xCC];
    let mut body = vec![0xAB; 16];
    body.extend([
        0xD1, 0x57, 0x8D, 0xC3, 0xA7, 0x05, 0x33, 0x4C, 0x90, 0x4F, 0x7F, 0xBC, 0xEE, 0xE6, 0x0E,
        0x82,
    ]);
    for text in ["Boot Time Filter", "described"] {
        let text = utf16(&format!("{text}\0"));
        let count = text.len() as u32 / 2;
        for number in [count, 0, count] {
            body.extend(number.to_le_bytes());
        }
        body.extend(text);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    bytes.extend((body.len() as u32).to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(body);
    bytes
}
