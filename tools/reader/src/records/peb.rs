//! The capture's own PEB and process parameters, field by field.

use bootshot_format::{MemoryKind, Source};
use serde::Serialize;

use super::Reading;
use crate::decode::Buffer;
use crate::error::Problem;
use crate::layout::structures::{
    CURDIR, LIST_ENTRY, PEB as Layout, RTL_USER_PROCESS_PARAMETERS as Parameters,
};
use crate::layout::{
    ByWidth, FieldInfo, Kind, Nested, Pointer, Shape, Structure, UnicodeString, View,
};
use crate::snapshot::{Answer, Snapshot};
use crate::value::{Hex, utf16};

/// Fields that systems before this build do not have: the bytes are not there, or mean something else. From the
/// public symbols of the kernels, as the Terminus project and the comments of `phnt` have them.
const ADDED_IN_BUILD: &[(&str, u32)] = &[
    // PEB
    ("IFEOKey", 6000),
    ("CrossProcessFlags", 6000),
    ("ApiSetMap", 7600),
    ("SharedData", 14393),
    ("SparePointers", FIBER_LOCAL_STORAGE_LEFT),
    ("PatchLoaderData", 22000),
    ("ChpeV2ProcessInfo", 22000),
    ("AppModelFeatureState", 22000),
    ("SpareUlongs", 22000),
    ("ActiveCodePage", 22000),
    ("OemCodePage", 22000),
    ("UseCaseMapping", 22000),
    ("UnusedNlsField", 22000),
    ("WerRegistrationData", 6000),
    ("WerShipAssertPtr", 6000),
    ("pContextData", 7600),
    ("pImageHeaderHash", 7600),
    ("TracingFlags", 7600),
    ("CsrServerReadOnlySharedMemoryBase", 9200),
    ("TppWorkerpListLock", 9600),
    ("TppWorkerpList", 9600),
    ("WaitOnAddressHashTable", 9600),
    ("TelemetryCoverageHeader", 15063),
    ("CloudFileFlags", 17134),
    ("CloudFileDiagFlags", 17134),
    ("PlaceholderCompatibilityMode", 17134),
    ("PlaceholderCompatibilityModeReserved", 17134),
    ("LeapSecondData", 17763),
    ("LeapSecondFlags", 17763),
    ("NtGlobalFlag2", 17763),
    ("ExtendedFeatureDisableMask", 22000),
    // RTL_USER_PROCESS_PARAMETERS
    ("EnvironmentSize", 6000),
    ("EnvironmentVersion", 7600),
    ("PackageDependencyData", 9200),
    ("ProcessGroupId", 9200),
    ("LoaderThreads", 10240),
    ("RedirectionDllName", 17134),
    ("HeapPartitionName", 18362),
    ("DefaultThreadpoolCpuSetMasks", 19041),
    ("DefaultThreadpoolCpuSetMaskCount", 19041),
    ("DefaultThreadpoolThreadMaximum", 19041),
    ("HeapMemoryTypeMask", 22000),
];

/// The build (Windows 10 1903) in which fiber-local storage left the PEB; its place is spare since.
const FIBER_LOCAL_STORAGE_LEFT: u32 = 18362;

/// The fields of the PEB that were there before, from `SparePointers` up to `WerRegistrationData`.
const FIBER_LOCAL_STORAGE: &[FieldInfo] = &[
    fiber_local::<Pointer>(
        "FlsCallback",
        0x20C,
        0x320,
        "Fiber-local storage: the callbacks.",
    ),
    fiber_local::<Nested<LIST_ENTRY>>(
        "FlsListHead",
        0x210,
        0x328,
        "Fiber-local storage: every fiber's block.",
    ),
    fiber_local::<Pointer>(
        "FlsBitmap",
        0x218,
        0x338,
        "The bitmap of the fiber-local slots.",
    ),
    fiber_local::<[u32; 4]>("FlsBitmapBits", 0x21C, 0x340, "The bits of that bitmap."),
    fiber_local::<u32>(
        "FlsHighIndex",
        0x22C,
        0x350,
        "The highest fiber-local slot taken.",
    ),
];

const fn fiber_local<K: Kind>(
    name: &'static str,
    bits32: usize,
    bits64: usize,
    purpose: &'static str,
) -> FieldInfo {
    FieldInfo {
        name,
        offset: ByWidth { bits32, bits64 },
        size: K::SIZE,
        shape: K::SHAPE,
        purpose,
    }
}

/// Elements of an array that are shown one by one; longer ones are summed up.
const MAXIMUM_SHOWN: usize = 4;

/// A field with its value.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    /// Where in the structure it is.
    pub offset: Hex,
    /// Name.
    pub name: &'static str,
    /// Type as the headers would write it.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Value: numbers decimal, addresses, handles and flags in hexadecimal, strings as they are. None where it was
    /// not captured.
    pub value: Option<String>,
    /// What it is for.
    pub purpose: &'static str,
}

/// The two structures.
#[derive(Clone, Debug, Serialize)]
pub struct Peb {
    /// Where the PEB stood.
    pub address: Option<Hex>,
    /// The PEB.
    pub fields: Vec<Field>,
    /// Where the process parameters stood.
    pub process_parameters_address: Option<Hex>,
    /// The process parameters.
    pub process_parameters: Vec<Field>,
}

impl Snapshot<'_> {
    /// The capture's own PEB and process parameters, as far as they were captured and existed on its system.
    pub fn peb(&self) -> Reading<Peb> {
        Reading::gather(|problems| {
            let memory = Memory {
                ranges: self
                    .answers_from(Source::OWN_MEMORY)
                    .filter(Answer::succeeded)
                    .map(|answer| answer.buffer())
                    .collect(),
            };
            let peb = self.own_memory("PEB", MemoryKind::PEB, problems);
            let parameters = self.own_memory(
                "process parameters",
                MemoryKind::PROCESS_PARAMETERS,
                problems,
            );
            let fields = |answer: Option<Answer<'_>>, layout: Vec<&'static FieldInfo>| {
                let bytes = answer.map_or(&[][..], |answer| answer.bytes);
                layout
                    .into_iter()
                    .filter_map(|field| self.field(field, bytes, &memory))
                    .collect()
            };
            Peb {
                address: peb.map(|answer| Hex(answer.buffer_address)),
                fields: fields(peb, self.known(Layout::FIELDS, FIBER_LOCAL_STORAGE)),
                process_parameters_address: parameters.map(|answer| Hex(answer.buffer_address)),
                process_parameters: fields(parameters, self.known(Parameters::FIELDS, &[])),
            }
        })
    }

    /// The fields the captured system had, in the order of their offsets.
    fn known(
        &self,
        layout: &'static [FieldInfo],
        former: &'static [FieldInfo],
    ) -> Vec<&'static FieldInfo> {
        let build = self.header.nt_build;
        let added = |field: &FieldInfo| {
            ADDED_IN_BUILD
                .iter()
                .find(|(name, _)| *name == field.name)
                .map_or(0, |(_, build)| *build)
        };
        let former = former.iter().filter(|_| build < FIBER_LOCAL_STORAGE_LEFT);
        let mut fields: Vec<_> = layout
            .iter()
            .filter(|field| build >= added(field))
            .chain(former)
            .collect();
        fields.sort_by_key(|field| field.offset.at(self.width()));
        fields
    }

    fn own_memory(
        &self,
        what: &'static str,
        kind: MemoryKind,
        problems: &mut Vec<Problem>,
    ) -> Option<Answer<'_>> {
        self.wanted(what, Source::OWN_MEMORY, &[kind.0], problems)
    }

    fn field(&self, field: &FieldInfo, bytes: &[u8], memory: &Memory<'_>) -> Option<Field> {
        let width = self.width();
        let offset = field.offset.at(width);
        let value = bytes
            .get(offset..offset + field.size.at(width))
            .and_then(|bytes| self.value(&field.shape, bytes, memory, is_mask(field.name)));
        (offset < bytes.len()).then(|| Field {
            offset: Hex(offset as u64),
            name: field.name,
            type_name: field.type_name(),
            value,
            purpose: field.purpose,
        })
    }

    fn value(
        &self,
        shape: &Shape,
        bytes: &[u8],
        memory: &Memory<'_>,
        mask: bool,
    ) -> Option<String> {
        let width = self.width();
        let number = || {
            bytes
                .iter()
                .rev()
                .fold(0, |value, byte| value << 8 | u64::from(*byte))
        };
        Some(match shape {
            Shape::Unsigned if mask => Hex(number()).to_string(),
            Shape::Unsigned | Shape::Size => number().to_string(),
            Shape::Signed if bytes.len() == 4 => i32::read(bytes, width).to_string(),
            Shape::Signed => i64::read(bytes, width).to_string(),
            Shape::Boolean => (number() != 0).to_string(),
            Shape::Pointer | Shape::Handle => Hex(number()).to_string(),
            Shape::UnicodeString => return memory.string(UnicodeString::read(bytes, width)),
            Shape::Array(element, count) => {
                let size = (bytes.len() / (*count).max(1)).max(1);
                if *count > MAXIMUM_SHOWN {
                    let used = bytes
                        .chunks(size)
                        .filter(|element| element.iter().any(|byte| *byte != 0))
                        .count();
                    return Some(format!("{used} of {count} not zero"));
                }
                let shown: Option<Vec<_>> = bytes
                    .chunks(size)
                    .map(|element_bytes| self.value(element, element_bytes, memory, true))
                    .collect();
                shown?.join(" ")
            }
            Shape::Structure(name) if *name == CURDIR::NAME => {
                let view = View::<CURDIR>::new(bytes, width);
                let path = memory.string(view.get(CURDIR::DosPath)?);
                let handle = Hex(view.get(CURDIR::Handle)?);
                match path {
                    Some(path) => format!("{path} (handle {handle})"),
                    None => format!("handle {handle}"),
                }
            }
            Shape::Structure(name) if *name == LIST_ENTRY::NAME => {
                let view = View::<LIST_ENTRY>::new(bytes, width);
                let (next, previous) = (view.get(LIST_ENTRY::Flink)?, view.get(LIST_ENTRY::Blink)?);
                format!("{} {}", Hex(next), Hex(previous))
            }
            Shape::Structure(_) | Shape::Tail => return None,
        })
    }
}

/// Numbers that are sets of bits.
fn is_mask(name: &str) -> bool {
    name.ends_with("Flags")
        || name.ends_with("Mask")
        || name.starts_with("NtGlobalFlag")
        || matches!(name, "BitField" | "AppModelFeatureState")
}

/// The captured pieces of the process's memory.
struct Memory<'a> {
    ranges: Vec<Buffer<'a>>,
}

impl Memory<'_> {
    /// The characters of a string, when they were captured; the null string is empty.
    fn string(&self, string: UnicodeString) -> Option<String> {
        if string.buffer == 0 || string.length == 0 {
            return Some(String::new());
        }
        self.ranges
            .iter()
            .find_map(|range| range.at(string.buffer, string.length.into()))
            .map(utf16)
    }
}
