//! Values of the Session Manager's key, and of the others that decide the boot.

use std::collections::BTreeSet;
use std::sync::Arc;

use bootshot_format::Family;

use super::Side;
use crate::diff::captured;
use crate::diff::item::{Extraction, Gaps, Groups, Item, Value, bounded};
use crate::names::describe_status;
use crate::records::registry::{CURRENT_CONTROL_SET, hexadecimal};
use crate::records::{RegistryValue, ValueData};
use crate::redact::{is_command_line, is_environment};
use crate::value::Hex;

/// Bytes of the longest path of a key that is told apart from keys that were not captured; real ones are far shorter.
const LONGEST_PATH: usize = 1024;

/// What stands for the name of a key's default value.
const DEFAULT_VALUE: &str = "(default)";

pub(super) fn extract(side: &Side<'_>) -> Extraction {
    let mut gaps = Gaps::default();
    gaps.note(captured::family(side.snapshot, Family::REGISTRY));
    gaps.groups = Some(groups(side));
    let mut items = Vec::new();
    let mut seen = BTreeSet::new();
    let keys = [
        side.snapshot.session_manager().value,
        side.snapshot.control().value,
    ];
    for key in keys.into_iter().flatten() {
        let group: Arc<str> = key.path.to_lowercase().into();
        if !seen.insert(group.clone()) {
            continue;
        }
        let path: Arc<str> = key.path.into();
        let of_key = bounded(group.to_string());
        let is_removed = side.lacking.environment && is_environment(&group);
        for value in key.values {
            let name = match value.name.as_str() {
                "" => DEFAULT_VALUE.to_owned(),
                _ => value.name.clone(),
            };
            items.push(Item {
                group: Some(group.clone()),
                ..Item::new(
                    format!("{of_key}\0{}", value.name.to_lowercase()),
                    path.clone(),
                )
                .telling("value", Value::text(name))
                .with("data", (!is_removed).then(|| data(side, &value)))
                .with("type", Value::text(value.value_type.clone()))
            });
        }
    }
    Extraction { items, gaps }
}

/// The data; of bytes, what tells them from others at a glance.
fn data(side: &Side<'_>, value: &RegistryValue) -> Value {
    /// Bytes that are shown.
    const SHOWN: usize = 64;
    match &value.data {
        ValueData::Text(text) if is_command_line(&value.name) => {
            Value::text(side.known_of(text.clone()))
        }
        ValueData::Text(text) => Value::text(text.as_str()),
        ValueData::Texts(texts) => Value::Texts(texts.clone()),
        ValueData::Number(number) => Value::Mask(Hex(*number)),
        ValueData::Bytes(bytes) if bytes.len() <= SHOWN => Value::text(hexadecimal(bytes)),
        ValueData::Bytes(bytes) => {
            use sha2::{Digest, Sha256};
            let digest = hexadecimal(&Sha256::digest(bytes));
            Value::text(format!("{} bytes, SHA-256 {digest}", bytes.len()))
        }
    }
}

/// What is known of keys, all over the registry.
fn groups(side: &Side<'_>) -> Groups {
    let registry = side.snapshot.registry().value;
    let mut groups = Groups::default();
    // Services are a subject of their own, and most of the registry that is captured.
    let services = format!("{CURRENT_CONTROL_SET}\\Services\\").to_lowercase();
    let keys = || {
        registry
            .keys()
            .map(|key| (key.path.to_lowercase(), key))
            .filter(|(path, _)| !path.starts_with(&services) && path.len() <= LONGEST_PATH)
    };
    for (path, key) in keys() {
        let path: Arc<str> = path.into();
        if registry.exists(&key.path) == Some(false) {
            groups.absent.insert(path);
            continue;
        }
        if key.subkeys.is_some() && key.subkeys_cut.is_none() {
            groups.listed.insert(path.clone());
        }
        match key.refusal.or(key.values_cut) {
            None if key.values.is_some() => {
                groups.known.insert(path);
            }
            Some(status) => {
                groups.unknown.insert(path, describe_status(status));
            }
            None => {}
        }
    }
    // Keys that are listed, and were not read.
    let mut unread = Vec::new();
    for (parent, key) in keys() {
        for subkey in key.subkeys.iter().flatten() {
            let path = format!("{parent}\\{}", subkey.name().to_lowercase());
            if !groups.known.contains(&*path) && !groups.unknown.contains_key(&*path) {
                unread.push(path);
            }
        }
    }
    for path in unread {
        groups
            .unknown
            .insert(path.into(), "not captured".to_owned());
    }
    groups
}
