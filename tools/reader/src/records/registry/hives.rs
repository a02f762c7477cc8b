//! Which hives are loaded, from which files, and which roots the registry has.

use bootshot_format::Phase;
use serde::Serialize;

use super::super::{Reading, RegistryQuota};
use super::{CURRENT_CONTROL_SET, Key, ROOT, Registry};
use crate::names;
use crate::snapshot::Snapshot;
use crate::value::Time;

/// Hives and roots.
#[derive(Clone, Debug, Serialize)]
pub struct Hives {
    /// The moment of the boot.
    pub phase: &'static str,
    /// What that moment means for the hives, and what is seen otherwise.
    pub meaning: String,
    /// The children of `\REGISTRY`; null when they were not captured.
    pub roots: Option<Vec<RootKey>>,
    /// The hives: those of the hive list, and those every Windows has.
    pub hives: Vec<Hive>,
    /// The registry's quota.
    pub quota: Option<RegistryQuota>,
}

/// A child of `\REGISTRY`.
#[derive(Clone, Debug, Serialize)]
pub struct RootKey {
    /// Its path.
    pub path: String,
    /// Why it could not be opened or listed to its end.
    pub status: Option<String>,
    /// It is in memory only.
    pub volatile: Option<bool>,
    /// When it was written last.
    pub last_write_time: Option<Time>,
    /// How many keys are right below it.
    pub subkey_count: Option<u64>,
}

/// A hive.
#[derive(Clone, Debug, Serialize)]
pub struct Hive {
    /// Where in the registry it is.
    pub path: String,
    /// Its file; none for a hive that is in memory only.
    pub file: Option<String>,
    /// Whether the hive list has it; null when that list was not captured.
    pub listed: Option<bool>,
    /// Whether the key above has a key of this name; null when that was not captured.
    pub key_exists: Option<bool>,
    /// Whether it is loaded at this moment: it is listed, or where that is not known, its key exists.
    pub loaded: Option<bool>,
    /// When its root key was written last.
    pub last_write_time: Option<Time>,
}

/// The hives of every Windows.
const EXPECTED: [&str; 6] = [
    "\\REGISTRY\\MACHINE\\HARDWARE",
    "\\REGISTRY\\MACHINE\\SYSTEM",
    "\\REGISTRY\\MACHINE\\SOFTWARE",
    "\\REGISTRY\\MACHINE\\SAM",
    "\\REGISTRY\\MACHINE\\SECURITY",
    "\\REGISTRY\\USER\\.DEFAULT",
];

/// Those that `NtInitializeRegistry` loads between `BootExecute` and `SetupExecute`.
const LOADED_BETWEEN: [&str; 3] = [
    "\\REGISTRY\\MACHINE\\SOFTWARE",
    "\\REGISTRY\\MACHINE\\SAM",
    "\\REGISTRY\\MACHINE\\SECURITY",
];

impl Snapshot<'_> {
    /// Which hives are loaded, and which roots the registry has.
    pub fn hives(&self) -> Reading<Hives> {
        Reading::gather(|problems| {
            let registry = self.read_registry(problems);
            let hives = hives(&registry);
            Hives {
                phase: self.header.phase.name(),
                meaning: meaning(self.header.phase, &hives),
                roots: registry
                    .key(ROOT)
                    .and_then(|root| root.subkeys.as_ref())
                    .map(|_| roots(&registry)),
                hives,
                quota: self.registry_quota(),
            }
        })
    }
}

fn roots(registry: &Registry<'_>) -> Vec<RootKey> {
    let listed = registry.key(ROOT).into_iter();
    let listed = listed.flat_map(|root| root.subkeys.iter().flatten());
    listed
        .map(|subkey| {
            let path = format!("{ROOT}\\{}", subkey.name());
            let key = registry.key(&path);
            let status = key.and_then(|key| key.refusal.or(key.subkeys_cut));
            RootKey {
                status: status.map(names::describe_status),
                volatile: key.and_then(|key| Some(key.flags?.volatile)),
                last_write_time: Time::new(subkey.last_write_time),
                subkey_count: key.and_then(|key| Some(key.subkeys.as_ref()?.len() as u64)),
                path,
            }
        })
        .collect()
}

fn hives(registry: &Registry<'_>) -> Vec<Hive> {
    let list = registry.key(&format!("{CURRENT_CONTROL_SET}\\Control\\hivelist"));
    let listed = list
        .filter(|key| key.values_cut.is_none())
        .and_then(|key| key.values.as_ref());
    let from_list = list
        .and_then(|key| key.values.as_ref())
        .into_iter()
        .flatten()
        .map(|value| {
            let file = value.value.text().filter(|file| !file.is_empty());
            hive(registry, &value.name, file, Some(true))
        });
    let mut hives: Vec<Hive> = from_list.collect();
    for path in EXPECTED {
        let known = hives
            .iter()
            .any(|hive| hive.path.eq_ignore_ascii_case(path));
        if !known {
            hives.push(hive(registry, path, None, listed.map(|_| false)));
        }
    }
    hives
}

fn hive(registry: &Registry<'_>, path: &str, file: Option<String>, listed: Option<bool>) -> Hive {
    let key_exists = registry.exists(path);
    Hive {
        path: path.to_owned(),
        file,
        listed,
        key_exists,
        loaded: listed.or(key_exists),
        last_write_time: registry
            .key(path)
            .and_then(|key: &Key<'_>| key.last_write_time),
    }
}

fn meaning(phase: Phase, hives: &[Hive]) -> String {
    let state = |wanted: bool| -> Vec<&str> {
        let among = |hive: &&Hive| {
            LOADED_BETWEEN
                .iter()
                .any(|path| hive.path.eq_ignore_ascii_case(path))
        };
        let found = hives.iter().filter(among);
        found
            .filter(|hive| hive.loaded == Some(wanted))
            .map(|hive| super::last_component(&hive.path))
            .collect()
    };
    let (expected, text) = match phase {
        Phase::BOOT_EXECUTE => (
            Some(false),
            "before the SOFTWARE, SAM and SECURITY hives are loaded: SYSTEM, which the boot loader brought, and \
             HARDWARE, which is in memory only, are expected",
        ),
        Phase::SETUP_EXECUTE => (
            Some(true),
            "after the SOFTWARE, SAM and SECURITY hives were loaded, before any user's",
        ),
        _ => (
            Some(true),
            "on the running system: the hives of services and users are expected as well",
        ),
    };
    let otherwise = state(expected != Some(true));
    match (otherwise.is_empty(), expected) {
        (true, _) => text.to_owned(),
        (false, Some(false)) => format!("{text}; yet loaded: {}", otherwise.join(", ")),
        (false, _) => format!("{text}; yet not loaded: {}", otherwise.join(", ")),
    }
}
