//! What the firmware brought: the platform binary, and its variables.

use bootshot_format::{OpenKind, Source};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Reading;
use super::registry::{Registry, SESSION_MANAGER, hexadecimal};
use crate::decode;
use crate::error::Problem;
use crate::layout::View;
use crate::layout::structures::{
    FILE_BASIC_INFORMATION as FileTimes, FILE_STANDARD_INFORMATION as FileSize,
    SYSTEM_PLATFORM_BINARY_INFORMATION as Binary,
};
use crate::names;
use crate::snapshot::Snapshot;
use crate::value::{Hex, Time, guid, utf16_until_nul};

/// The program that the firmware wants smss to run, at every step on its way.
#[derive(Clone, Debug, Serialize)]
pub struct PlatformBinary {
    /// The firmware's table of it (`WPBT`).
    pub table: Option<PlatformTable>,
    /// Why there is none: `STATUS_NOT_FOUND` and the like say that the firmware has no such table.
    pub table_status: Option<String>,
    /// What the kernel kept of it for smss.
    pub handoff: Option<PlatformBinaryHandoff>,
    /// `DisableWpbtExecution` of the Session Manager: whether smss leaves it alone; null where the value does not exist.
    pub execution_disabled: Option<bool>,
    /// The file that smss writes it to before it runs it; null when it was not looked for, or could not be.
    pub file: Option<PlatformBinaryFile>,
    /// What came of opening the file, when it could not be.
    pub file_status: Option<String>,
}

/// The `WPBT` table.
#[derive(Clone, Debug, Serialize)]
pub struct PlatformTable {
    /// Who made it.
    pub oem_id: String,
    /// For what.
    pub oem_table_id: String,
    /// Its revision.
    pub revision: u8,
    /// Bytes of the program.
    pub size: u32,
    /// Where in physical memory it was left.
    pub physical_address: Hex,
    /// `pe image`, or the number.
    pub layout: String,
    /// `native program`, or the number.
    #[serde(rename = "type")]
    pub content_type: String,
    /// Its arguments.
    pub arguments: Option<String>,
}

/// What the kernel kept of the platform binary (class 133).
#[derive(Clone, Debug, Serialize)]
pub struct PlatformBinaryHandoff {
    /// Where in physical memory the firmware left it.
    pub physical_address: Hex,
    /// Its size in bytes.
    pub size: u32,
    /// Bytes of its arguments.
    pub arguments_size: u32,
}

/// The file of the platform binary.
#[derive(Clone, Debug, Serialize)]
pub struct PlatformBinaryFile {
    /// NT path.
    pub path: String,
    /// Whether it is there.
    pub exists: bool,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// When it was created.
    pub create_time: Option<Time>,
    /// When it was written last.
    pub last_write_time: Option<Time>,
}

/// Variables of UEFI firmware that decide the boot.
#[derive(Clone, Debug, Serialize)]
pub struct UefiVariables {
    /// How many variables there are.
    pub count: u64,
    /// `SecureBoot`: whether signatures are demanded.
    pub secure_boot: Option<bool>,
    /// `SetupMode`: whether the keys can be changed without a signature.
    pub setup_mode: Option<bool>,
    /// `BootCurrent`: the entry that was started.
    pub boot_current: Option<String>,
    /// `BootOrder`: the entries in the order in which they are tried.
    pub boot_order: Option<Vec<String>>,
    /// The entries.
    pub boot_entries: Vec<BootEntry>,
    /// Keys and signature databases.
    pub databases: Vec<SecureBootDatabase>,
}

/// An entry of the firmware's boot manager.
#[derive(Clone, Debug, Serialize)]
pub struct BootEntry {
    /// `Boot0000`.
    pub name: String,
    /// What it calls itself.
    pub description: String,
    /// Whether it is tried.
    pub active: bool,
}

/// A key or signature database of Secure Boot.
#[derive(Clone, Debug, Serialize)]
pub struct SecureBootDatabase {
    /// `PK`, `KEK`, `db`, `dbx`, `dbt`, `dbr`.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of them.
    pub sha256: String,
}

/// A variable of the firmware.
#[derive(Clone, Debug, Serialize)]
pub struct FirmwareVariable {
    /// Its name.
    pub name: String,
    /// The GUID of whom it belongs to.
    pub vendor: String,
    /// `EFI_VARIABLE_*`, where the values were told.
    pub attributes: Option<Hex>,
    /// The same by name.
    pub attribute_names: Vec<&'static str>,
    /// Bytes of its value; null where only the name was told.
    pub size: Option<u64>,
    /// SHA-256 of the value.
    pub sha256: Option<String>,
    /// The value in hexadecimal.
    pub value: Option<String>,
}

/// `EFI_GLOBAL_VARIABLE`, `{8be4df61-93ca-11d2-aa0d-00e098032b8c}` (UEFI 2.10, 3.3), as it stands in memory.
const GLOBAL: [u8; 16] = [
    0x61, 0xDF, 0xE4, 0x8B, 0xCA, 0x93, 0xD2, 0x11, 0xAA, 0x0D, 0x00, 0xE0, 0x98, 0x03, 0x2B, 0x8C,
];
/// `EFI_IMAGE_SECURITY_DATABASE_GUID`, `{d719b2cb-3d3a-4596-a3bc-dad00e67656f}` (UEFI 2.10, 32.6), likewise.
const SECURITY_DATABASE: [u8; 16] = [
    0xCB, 0xB2, 0x19, 0xD7, 0x3A, 0x3D, 0x96, 0x45, 0xA3, 0xBC, 0xDA, 0xD0, 0x0E, 0x67, 0x65, 0x6F,
];

/// Keys and signature databases, with whom they belong to.
const DATABASES: &[(&str, [u8; 16])] = &[
    ("PK", GLOBAL),
    ("KEK", GLOBAL),
    ("db", SECURITY_DATABASE),
    ("dbx", SECURITY_DATABASE),
    ("dbt", SECURITY_DATABASE),
    ("dbr", SECURITY_DATABASE),
];

/// `EFI_VARIABLE_*` from the lowest bit up (UEFI 2.10, 8.2).
const ATTRIBUTES: &[&str] = &[
    "non_volatile",
    "bootservice_access",
    "runtime_access",
    "hardware_error_record",
    "authenticated_write_access",
    "time_based_authenticated_write_access",
    "append_write",
    "enhanced_authenticated_access",
];

/// `LOAD_OPTION_ACTIVE` (UEFI 2.10, 3.1.3).
const LOAD_OPTION_ACTIVE: u32 = 1;
/// Where `EFI_LOAD_OPTION.Description` begins: behind the attributes and the length of the path.
const DESCRIPTION: usize = 6;

/// The information classes of the enumeration.
const NAMES_AND_VALUES: u32 = 2;
const NAMES: u32 = 1;

/// The last component of the path of the platform binary's file.
const FILE: &str = "wpbbin.exe";

impl Snapshot<'_> {
    /// All variables of the firmware, in its order.
    pub fn firmware_variables(&self) -> Reading<Vec<FirmwareVariable>> {
        Reading::gather(|problems| {
            if let Some(variables) = self.variables(problems) {
                return variables.iter().map(FirmwareVariable::from).collect();
            }
            let answer = self.answered(Source::FIRMWARE_VARIABLES, NAMES).next();
            let names =
                answer.map(|answer| answer.decode(problems, decode::firmware_variable_names));
            let named = |(vendor, name): ([u8; 16], std::sync::Arc<str>)| FirmwareVariable {
                name: name.to_string(),
                vendor: guid(vendor),
                attributes: None,
                attribute_names: Vec::new(),
                size: None,
                sha256: None,
                value: None,
            };
            names.into_iter().flatten().map(named).collect()
        })
    }

    /// The variables with their values; none when they were not told.
    fn variables(&self, problems: &mut Vec<Problem>) -> Option<Vec<decode::FirmwareVariable<'_>>> {
        let answer = self
            .answered(Source::FIRMWARE_VARIABLES, NAMES_AND_VALUES)
            .next()?;
        Some(answer.decode(problems, decode::firmware_variables))
    }

    pub(super) fn why_no_uefi_variables(&self) -> Option<String> {
        let source = Source::FIRMWARE_VARIABLES;
        let told = self.answered(source, NAMES_AND_VALUES).next().is_some();
        (!told).then(|| self.why_not(source, &[NAMES_AND_VALUES]))
    }

    pub(super) fn uefi_variables(&self, problems: &mut Vec<Problem>) -> Option<UefiVariables> {
        let variables = self.variables(problems)?;
        let find = |name: &str, vendor: [u8; 16]| {
            let is_it = |variable: &&decode::FirmwareVariable<'_>| {
                variable.vendor == vendor && &*variable.name == name
            };
            variables.iter().find(is_it).map(|variable| variable.value)
        };
        let flag = |name| Some(find(name, GLOBAL)?.first().copied()? != 0);
        let entries = |value: &[u8]| -> Vec<String> {
            let (numbers, _) = value.as_chunks::<2>();
            let number = |bytes: &[u8; 2]| format!("Boot{:04X}", u16::from_le_bytes(*bytes));
            numbers.iter().map(number).collect()
        };
        Some(UefiVariables {
            count: variables.len() as u64,
            secure_boot: flag("SecureBoot"),
            setup_mode: flag("SetupMode"),
            boot_current: find("BootCurrent", GLOBAL)
                .and_then(|value| entries(value).into_iter().next()),
            boot_order: find("BootOrder", GLOBAL).map(entries),
            boot_entries: variables
                .iter()
                .filter(|variable| variable.vendor == GLOBAL)
                .filter_map(boot_entry)
                .collect(),
            databases: DATABASES
                .iter()
                .filter_map(|(name, vendor)| {
                    let value = find(name, *vendor)?;
                    Some(SecureBootDatabase {
                        name: (*name).to_owned(),
                        size: value.len() as u64,
                        sha256: hexadecimal(&Sha256::digest(value)),
                    })
                })
                .collect(),
        })
    }

    pub(super) fn platform_binary(
        &self,
        registry: &Registry<'_>,
        problems: &mut Vec<Problem>,
    ) -> PlatformBinary {
        let source = Source::SYSTEM_INFORMATION;
        let table = self.answered(source, 76).next();
        let handoff = self.system_view::<Binary>(133).and_then(|view| {
            Some(PlatformBinaryHandoff {
                physical_address: Hex(view.get(Binary::PhysicalAddress)?),
                size: view.get(Binary::HandoffBufferSize)?,
                arguments_size: view.get(Binary::CommandLineBufferSize)?,
            })
        });
        let disabled = registry
            .value(SESSION_MANAGER, "DisableWpbtExecution")
            .and_then(|value| value.number());
        let (file, file_status) = self.platform_binary_file();
        PlatformBinary {
            table_status: table.is_none().then(|| self.why_not(source, &[76])),
            table: table.and_then(|answer| {
                let table = answer.decode(problems, decode::platform_binary_table)?;
                Some(table.into())
            }),
            handoff,
            execution_disabled: disabled.map(|disabled| disabled != 0),
            file,
            file_status,
        }
    }

    fn platform_binary_file(&self) -> (Option<PlatformBinaryFile>, Option<String>) {
        const STATUS_OBJECT_NAME_NOT_FOUND: u32 = 0xC000_0034;

        let (mut file, mut file_status) = (None, None);
        for answer in self.answers_from_any(&[Source::OPEN, Source::FILE_INFORMATION]) {
            let refused = answer.source == Source::OPEN && answer.class == OpenKind::FILE.0;
            if !refused && answer.source != Source::FILE_INFORMATION {
                continue;
            }
            let path = answer.name();
            let name = path.rsplit('\\').next().unwrap_or_default();
            if !name.eq_ignore_ascii_case(FILE) {
                continue;
            }
            if refused {
                file_status = Some(names::describe_status(answer.status));
                if answer.status != STATUS_OBJECT_NAME_NOT_FOUND {
                    continue;
                }
            }
            let file = file.get_or_insert(PlatformBinaryFile {
                path,
                exists: !refused,
                size: None,
                create_time: None,
                last_write_time: None,
            });
            if !answer.succeeded() {
                continue;
            }
            match answer.class {
                4 => {
                    let view = View::<FileTimes>::new(answer.bytes, self.width());
                    file.create_time = view.get(FileTimes::CreationTime).and_then(Time::new);
                    file.last_write_time = view.get(FileTimes::LastWriteTime).and_then(Time::new);
                }
                5 => {
                    let view = View::<FileSize>::new(answer.bytes, self.width());
                    let size = view.get(FileSize::EndOfFile);
                    file.size = size.and_then(|size| u64::try_from(size).ok());
                }
                _ => {}
            }
        }
        (file, file_status)
    }
}

impl From<decode::PlatformBinaryTable> for PlatformTable {
    fn from(table: decode::PlatformBinaryTable) -> Self {
        let named = |number: u8, name: &str| match number {
            1 => name.to_owned(),
            other => other.to_string(),
        };
        Self {
            oem_id: table.oem_id,
            oem_table_id: table.oem_table_id,
            revision: table.revision,
            size: table.handoff_size,
            physical_address: Hex(table.handoff_location),
            layout: named(table.content_layout, "pe image"),
            content_type: named(table.content_type, "native program"),
            arguments: table.arguments,
        }
    }
}

impl From<&decode::FirmwareVariable<'_>> for FirmwareVariable {
    fn from(variable: &decode::FirmwareVariable<'_>) -> Self {
        let names = ATTRIBUTES.iter().enumerate();
        Self {
            name: variable.name.to_string(),
            vendor: guid(variable.vendor),
            attributes: Some(Hex(variable.attributes.into())),
            attribute_names: names
                .filter(|(bit, _)| variable.attributes >> bit & 1 != 0)
                .map(|(_, name)| *name)
                .collect(),
            size: Some(variable.value.len() as u64),
            sha256: Some(hexadecimal(&Sha256::digest(variable.value))),
            value: Some(hexadecimal(variable.value)),
        }
    }
}

/// `Boot` and four hexadecimal digits: an `EFI_LOAD_OPTION`.
fn boot_entry(variable: &decode::FirmwareVariable<'_>) -> Option<BootEntry> {
    let number = variable.name.strip_prefix("Boot")?;
    if number.len() != 4 || !number.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let attributes = u32::from_le_bytes(*variable.value.first_chunk()?);
    Some(BootEntry {
        name: variable.name.to_string(),
        description: utf16_until_nul(variable.value.get(DESCRIPTION..)?),
        active: attributes & LOAD_OPTION_ACTIVE != 0,
    })
}
