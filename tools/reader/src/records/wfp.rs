//! The boot-time and persistent policy of the Windows Filtering Platform, as far as its raw values tell.
//!
//! The Base Filtering Engine keeps each object as a serialized value whose name is the object's GUID, in a key for each kind
//! (Quarkslab, "Windows Filtering Platform: Persistent state under the hood", for Windows 8.1). The engine serializes with
//! RPC: the bytes begin with the header of [MS-RPCE] 2.2.6 or 2.2.7, and what follows is NDR or NDR64. The types inside are
//! not published. So nothing is read by its place but that header; taken from the rest are only the GUID of a known
//! layer, which does not come about by chance, and the first string, which in all published structures of the platform is
//! the display name (`FWPM_DISPLAY_DATA0.name` is their first pointer).

use std::ops::Range;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Reading;
use super::registry::{CURRENT_CONTROL_SET, hexadecimal};
use crate::names;
use crate::snapshot::Snapshot;
use crate::value::{Time, utf16};

/// The policy.
#[derive(Clone, Debug, Serialize)]
pub struct Wfp {
    /// The objects.
    pub objects: Vec<WfpObject>,
    /// Keys that could not be opened or read to their ends.
    pub unreadable: Vec<UnreadableKey>,
}

/// A key that could not be read.
#[derive(Clone, Debug, Serialize)]
pub struct UnreadableKey {
    /// Its path.
    pub path: String,
    /// Why.
    pub status: String,
}

/// A filter, provider, sublayer, callout or provider context.
#[derive(Clone, Debug, Serialize)]
pub struct WfpObject {
    /// `BootTime`: in force until the engine runs; `Persistent`: added by the engine when it starts.
    pub store: &'static str,
    /// The key it stands in: `Filter`, `Provider`, `SubLayer`, `Callout`; null for a value right in the store.
    pub kind: Option<String>,
    /// The name of the value: its GUID.
    pub guid: String,
    /// The first string in it, where it is serialized in a known way.
    pub display_name: Option<String>,
    /// The first GUID in it that is that of a known layer, by name.
    pub layer: Option<&'static str>,
    /// `NDR` or `NDR64`; null where the bytes do not begin as RPC serializes.
    pub encoding: Option<&'static str>,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes.
    pub sha256: String,
    /// The bytes in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<String>,
    /// When the key it stands in was written last.
    pub key_last_write_time: Option<Time>,
}

const STORES: [&str; 2] = ["BootTime", "Persistent"];

impl Snapshot<'_> {
    /// The boot-time and persistent objects of the Windows Filtering Platform.
    pub fn wfp(&self) -> Reading<Wfp> {
        Reading::gather(|problems| {
            let registry = self.read_registry(problems);
            let mut wfp = Wfp {
                objects: Vec::new(),
                unreadable: Vec::new(),
            };
            for store in STORES {
                let path =
                    format!("{CURRENT_CONTROL_SET}\\Services\\BFE\\Parameters\\Policy\\{store}");
                let own = registry.key(&path).map(|key| (None, key));
                let below = registry.below(&path);
                let kinds = below.map(|(_, key)| (key.path.get(path.len() + 1..), key));
                for (kind, key) in own.into_iter().chain(kinds) {
                    if let Some(status) = key.refusal.or(key.values_cut) {
                        wfp.unreadable.push(UnreadableKey {
                            path: key.path.clone(),
                            status: names::describe_status(status),
                        });
                    }
                    let values = key.values.iter().flatten();
                    wfp.objects.extend(values.map(|value| {
                        let bytes = value.value.data;
                        let found = Serialized::of(bytes);
                        WfpObject {
                            store,
                            kind: kind.map(str::to_owned),
                            guid: value.name.to_string(),
                            display_name: found.as_ref().and_then(Serialized::first_string),
                            layer: found.as_ref().and_then(Serialized::layer),
                            encoding: found.as_ref().map(|found| found.encoding()),
                            size: bytes.len() as u64,
                            sha256: hexadecimal(&Sha256::digest(bytes)),
                            bytes: Some(hexadecimal(bytes)),
                            key_last_write_time: key.last_write_time,
                        }
                    }));
                }
            }
            wfp
        })
    }
}

/// The parts of a serialized object that are read: its headers, its first string, its layer.
pub(crate) fn filtering_object_parts(bytes: &[u8]) -> Vec<Range<usize>> {
    let Some(found) = Serialized::of(bytes) else {
        return Vec::new();
    };
    let body = bytes.len() - found.body.len();
    let version = 0..VERSION_1.len();
    // Of the second version only.
    let syntax = (body > VERSION_1_HEADER + PRIVATE_HEADER)
        .then_some(TRANSFER_SYNTAX..TRANSFER_SYNTAX + NDR64.len());
    let string = found.string_place();
    let string = string.map(|place| body + place.start..body + place.end);
    let layer = found.layer_place();
    let layer = layer.map(|place| body + place..body + place + 16);
    let parts = [Some(version), syntax, string, layer];
    parts.into_iter().flatten().collect()
}

/// What RPC serialized, behind its headers.
struct Serialized<'a> {
    body: &'a [u8],
    wide: bool,
}

/// Bytes of the header in front of each type: the length of what follows, and a filler.
const PRIVATE_HEADER: usize = 8;

/// The beginning of the header of version 1: version, little-endian, 8 bytes.
const VERSION_1: &[u8] = &[1, 0x10, 8, 0];
const VERSION_1_HEADER: usize = 8;
/// That of version 2: 64 bytes.
const VERSION_2: &[u8] = &[2, 0x10, 0x40, 0];
/// Where the header of version 2 names the transfer syntax.
const TRANSFER_SYNTAX: usize = 24;
/// NDR64, `{71710533-beba-4937-8319-b5dbef9ccc36}`, as it stands in memory.
const NDR64: &[u8] = &[
    0x33, 0x05, 0x71, 0x71, 0xBA, 0xBE, 0x37, 0x49, 0x83, 0x19, 0xB5, 0xDB, 0xEF, 0x9C, 0xCC, 0x36,
];

impl<'a> Serialized<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let (header, wide) = if bytes.starts_with(VERSION_1) {
            (VERSION_1_HEADER, false)
        } else if bytes.starts_with(VERSION_2) {
            (64, bytes.get(TRANSFER_SYNTAX..)?.starts_with(NDR64))
        } else {
            return None;
        };
        Some(Self {
            body: bytes.get(header + PRIVATE_HEADER..)?,
            wide,
        })
    }

    fn encoding(&self) -> &'static str {
        if self.wide { "NDR64" } else { "NDR" }
    }

    fn layer(&self) -> Option<&'static str> {
        let place = self.layer_place()?;
        names::filtering_layer(self.body.get(place..)?.first_chunk()?)
    }

    fn layer_place(&self) -> Option<usize> {
        let mut starts = (0..self.body.len()).step_by(4);
        starts.find(|start| {
            let guid = self.body.get(*start..).and_then(|rest| rest.first_chunk());
            guid.and_then(names::filtering_layer).is_some()
        })
    }

    /// The first conformant and varying string: the room it has, 0, the units it takes, and these with a zero at the end.
    fn first_string(&self) -> Option<String> {
        let place = self.string_place()?;
        self.string_at(place.start, self.number_size())
    }

    /// Where it stands, with the numbers in front of it and the zero at its end.
    fn string_place(&self) -> Option<Range<usize>> {
        let size = self.number_size();
        let mut starts = (0..self.body.len()).step_by(size);
        starts.find_map(|start| {
            let text = self.string_at(start, size)?;
            let units = text.encode_utf16().count() + 1;
            Some(start..start + 3 * size + units * 2)
        })
    }

    const fn number_size(&self) -> usize {
        if self.wide { 8 } else { 4 }
    }

    fn string_at(&self, start: usize, size: usize) -> Option<String> {
        let number = |place: usize| {
            let bytes = self.body.get(start + place * size..)?.get(..size)?;
            let value = bytes
                .iter()
                .rev()
                .fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
            usize::try_from(value).ok()
        };
        let (room, first, count) = (number(0)?, number(1)?, number(2)?);
        if first != 0 || count < 2 || count != room {
            return None;
        }
        let units = self
            .body
            .get(start + 3 * size..)?
            .get(..count.checked_mul(2)?)?;
        let (text, end) = units.split_at(units.len() - 2);
        let is_zero = |unit: &[u8]| unit == [0, 0];
        if !is_zero(end) || text.chunks(2).any(is_zero) {
            return None;
        }
        let text = utf16(text);
        (!text.contains(char::REPLACEMENT_CHARACTER)).then_some(text)
    }
}
