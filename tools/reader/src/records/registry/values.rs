//! Values of keys, typed, as people read them.

use serde::{Serialize, Serializer};

use super::super::Reading;
use super::{CURRENT_CONTROL_SET, Key, Registry, SESSION_MANAGER};
use crate::decode::{KeyValue, NamedValue};
use crate::names;
use crate::snapshot::Snapshot;
use crate::value::{Time, utf16};

/// A key with its values.
#[derive(Clone, Debug, Serialize)]
pub struct KeyValues {
    /// Its path.
    pub path: String,
    /// When it was written last.
    pub last_write_time: Option<Time>,
    /// Why it could not be opened or read to its end, by name.
    pub status: Option<String>,
    /// Its values.
    pub values: Vec<RegistryValue>,
}

/// A value.
#[derive(Clone, Debug, Serialize)]
pub struct RegistryValue {
    /// Its name; empty for the default value.
    pub name: String,
    /// `REG_SZ` and so on; a number where it has no name.
    #[serde(rename = "type")]
    pub value_type: String,
    /// Bytes of the data.
    pub size: u64,
    /// The data, in the form of its type.
    pub data: ValueData,
}

/// The data of a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ValueData {
    /// `REG_SZ`, `REG_EXPAND_SZ`, `REG_LINK`.
    Text(String),
    /// `REG_MULTI_SZ`.
    Texts(Vec<String>),
    /// `REG_DWORD`, `REG_QWORD`.
    Number(u64),
    /// Anything else, and numbers of another size than their type's.
    Bytes(Vec<u8>),
}

impl Serialize for ValueData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Texts(texts) => texts.serialize(serializer),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Bytes(bytes) => serializer.serialize_str(&hexadecimal(bytes)),
        }
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or_default();
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xF)])
        .collect()
}

impl From<KeyValue<'_>> for ValueData {
    fn from(value: KeyValue<'_>) -> Self {
        const REG_DWORD_BIG_ENDIAN: u32 = 5;
        const REG_LINK: u32 = 6;
        const REG_MULTI_SZ: u32 = 7;
        const REG_QWORD: u32 = 11;

        if let Some(text) = value.text() {
            return Self::Text(text);
        }
        if let Some(number) = value.number() {
            return Self::Number(number.into());
        }
        match (value.value_type, value.data.len()) {
            (REG_MULTI_SZ, _) => Self::Texts(value.texts().unwrap_or_default()),
            (REG_LINK, _) => Self::Text(utf16(value.data)),
            (REG_QWORD, 8) => Self::Number(little_endian(value.data)),
            (REG_DWORD_BIG_ENDIAN, 4) => Self::Number(
                value
                    .data
                    .iter()
                    .fold(0, |number, byte| number << 8 | u64::from(*byte)),
            ),
            _ => Self::Bytes(value.data.to_vec()),
        }
    }
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

impl From<&NamedValue<'_>> for RegistryValue {
    fn from(value: &NamedValue<'_>) -> Self {
        let value_type = value.value.value_type;
        Self {
            name: value.name.to_string(),
            value_type: names::registry_type(value_type)
                .map_or_else(|| value_type.to_string(), str::to_owned),
            size: value.value.data.len() as u64,
            data: value.value.into(),
        }
    }
}

impl From<&Key<'_>> for KeyValues {
    fn from(key: &Key<'_>) -> Self {
        let status = key.refusal.or(key.values_cut).or(key.subkeys_cut);
        Self {
            path: key.path.clone(),
            last_write_time: key.last_write_time,
            status: status.map(names::describe_status),
            values: key
                .values
                .iter()
                .flatten()
                .map(RegistryValue::from)
                .collect(),
        }
    }
}

/// Keys that decide the boot, beside the Session Manager's: below `Control` where they do not begin with a backslash.
const CONTROL_KEYS: &[&str] = &[
    "",
    "SafeBoot\\Option",
    "CI",
    "DeviceGuard",
    "DeviceGuard\\Scenarios",
    "SecureBoot\\State",
    "CrashControl",
    "Lsa",
    "ServiceGroupOrder",
    "GroupOrderList",
    "EarlyLaunch",
    "\\Registry\\Machine\\System\\Select",
    "\\Registry\\Machine\\System\\Setup",
];

impl Snapshot<'_> {
    /// The Session Manager's key and those below it, with all captured values.
    pub fn session_manager(&self) -> Reading<Vec<KeyValues>> {
        Reading::gather(|problems| with_below(&self.read_registry(problems), SESSION_MANAGER))
    }

    /// The other keys that decide the boot, with all captured values.
    pub fn control(&self) -> Reading<Vec<KeyValues>> {
        Reading::gather(|problems| {
            let registry = self.read_registry(problems);
            let control = format!("{CURRENT_CONTROL_SET}\\Control");
            let with_below_them = ["CI", "DeviceGuard\\Scenarios"];
            let mut keys = Vec::new();
            for key in CONTROL_KEYS {
                let path = match *key {
                    "" => control.clone(),
                    absolute if absolute.starts_with('\\') => absolute.to_owned(),
                    relative => format!("{control}\\{relative}"),
                };
                if with_below_them.contains(key) {
                    keys.extend(with_below(&registry, &path));
                } else {
                    keys.extend(registry.key(&path).map(KeyValues::from));
                }
            }
            keys
        })
    }
}

fn with_below(registry: &Registry<'_>, path: &str) -> Vec<KeyValues> {
    let below = registry.below(path).map(|(_, key)| key);
    let own = registry.key(path).into_iter();
    own.chain(below).map(KeyValues::from).collect()
}
