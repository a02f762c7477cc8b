//! The registry as far as it was captured: one model of its keys, from single values, runs of them and refusals.

mod autologgers;
mod hives;
mod key_handles;
mod links;
mod minifilters;
mod services;
mod values;

pub use autologgers::Autologger;
pub use hives::{Hive, Hives, RootKey};
pub use key_handles::{HiveHandles, KeyHandles, KeyHolder, OpenKey, UnnamedKeys};
pub use links::{LinkKey, Links};
pub use minifilters::{MinifilterInstance, altitude_group, compare_altitudes};
pub(crate) use services::services;
pub use services::{Service, Start};
pub(crate) use values::hexadecimal;
pub use values::{KeyValues, RegistryValue, ValueData};

use std::collections::{BTreeMap, BTreeSet};

use bootshot_format::{OpenKind, Outcome, Source};

use super::Reading;
use crate::decode::{self, KeyFlags, KeyValue, NamedValue, Subkey};
use crate::error::Problem;
use crate::snapshot::{Answer, Snapshot};
use crate::value::{Time, utf16};

/// The root of the registry.
pub(crate) const ROOT: &str = "\\Registry";
/// Where the control set that is in use can be seen.
pub(crate) const CURRENT_CONTROL_SET: &str = "\\Registry\\Machine\\System\\CurrentControlSet";
/// The Session Manager's key below the control set.
pub(crate) const SESSION_MANAGER: &str =
    "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager";

/// The value of a link key that names its target.
const SYMBOLIC_LINK_VALUE: &str = "SymbolicLinkValue";
/// The type of that value.
const REG_LINK: u32 = 6;
/// What ends a run that is whole.
const STATUS_NO_MORE_ENTRIES: u32 = 0x8000_001A;

/// Bytes of the longest path whose subkeys get their times: what bootshot asks about is far shorter, and a hostile file
/// could have a long path repeated for each of very many subkeys.
const LONGEST_JOINED: usize = 1024;

/// The registry, by the paths that were asked about.
///
/// A path is one of the native interface, from the root of the object namespace on and in any case, such as
/// `\Registry\Machine\SYSTEM\CurrentControlSet\Services`. A backslash at its end means nothing, and `HKLM\SYSTEM` is no
/// path: what Win32 calls `HKEY_LOCAL_MACHINE` and `HKEY_USERS` is `\Registry\Machine` and `\Registry\User`.
#[derive(Debug, Default)]
pub struct Registry<'s> {
    /// By path as [`folded`] makes it.
    keys: BTreeMap<String, Key<'s>>,
}

/// A key that was asked about.
#[derive(Debug, Default)]
pub struct Key<'s> {
    /// Its path as it was asked for.
    pub path: String,
    /// Ordinal of the section that its first answer stands in.
    pub section: u32,
    /// When it was written last; known where the key above it was listed.
    pub last_write_time: Option<Time>,
    /// Whether it is volatile, and a link.
    pub flags: Option<KeyFlags>,
    /// Where it leads, when it is a link that was read.
    pub link_target: Option<String>,
    /// Why it could not be opened.
    pub refusal: Option<u32>,
    /// The keys below it, where it was listed.
    pub subkeys: Option<Vec<Subkey<'s>>>,
    /// Why that list ends early.
    pub subkeys_cut: Option<u32>,
    /// Its values, where any was asked for.
    pub values: Option<Vec<NamedValue<'s>>>,
    /// Why that list ends early.
    pub values_cut: Option<u32>,
    /// Whether a run of either broke off, which no later one makes good.
    subkeys_broken: bool,
    values_broken: bool,
}

impl<'s> Key<'s> {
    /// The part of the path behind the last backslash.
    pub fn name(&self) -> &str {
        last_component(&self.path)
    }

    /// The value of this name, in any case.
    pub fn value(&self, name: &str) -> Option<KeyValue<'s>> {
        let values = self.values.as_ref()?;
        let found = values
            .iter()
            .find(|value| value.name.eq_ignore_ascii_case(name))?;
        Some(found.value)
    }

    /// The text of a value.
    pub fn text(&self, name: &str) -> Option<String> {
        self.value(name)?.text()
    }

    /// The number of a value.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.value(name)?.number()
    }
}

impl<'s> Registry<'s> {
    /// The key of this path, where it was asked about.
    ///
    /// ```no_run
    /// # let file = Vec::new();
    /// # let snapshot = bootshot_reader::Snapshot::parse(&file)?;
    /// let registry = snapshot.registry().value;
    /// let disk = registry.key(r"\Registry\Machine\SYSTEM\CurrentControlSet\Services\Disk");
    /// let start = disk.and_then(|key| key.number("Start"));
    /// # Ok::<(), bootshot_reader::ReadError>(())
    /// ```
    pub fn key(&self, path: &str) -> Option<&Key<'s>> {
        self.keys.get(&folded(path))
    }

    /// A value of the key of this path, its name in any case.
    pub fn value(&self, path: &str, name: &str) -> Option<KeyValue<'s>> {
        self.key(path)?.value(name)
    }

    /// All keys, in the order of their paths in lower case.
    pub fn keys(&self) -> impl Iterator<Item = &Key<'s>> {
        self.keys.values()
    }

    /// All keys below this path that were asked about, with their paths from there on, in lower case.
    pub fn below(&self, path: &str) -> impl Iterator<Item = (&str, &Key<'s>)> {
        let prefix = format!("{}\\", folded(path));
        let length = prefix.len();
        self.keys
            .range(prefix.clone()..)
            .take_while(move |(path, _)| path.starts_with(&prefix))
            .filter_map(move |(path, key)| Some((path.get(length..)?, key)))
    }

    /// The keys right below this path that were asked about.
    pub fn children(&self, path: &str) -> impl Iterator<Item = &Key<'s>> {
        self.below(path)
            .filter(|(rest, _)| !rest.contains('\\'))
            .map(|(_, key)| key)
    }

    /// Whether the key of this path exists, as far as is known: because it was read, or the key above it lists it or not.
    pub fn exists(&self, path: &str) -> Option<bool> {
        if let Some(key) = self.key(path) {
            return Some(key.refusal.is_none_or(is_there));
        }
        let path = folded(path);
        let (parent, name) = path.rsplit_once('\\')?;
        let parent = self.key(parent)?;
        let listed = parent.subkeys.as_ref()?;
        let found = listed.iter().any(|key| key.name().to_lowercase() == name);
        (found || parent.subkeys_cut.is_none()).then_some(found)
    }

    fn entry(&mut self, answer: &Answer<'s>) -> &mut Key<'s> {
        let path = answer.name();
        self.keys.entry(folded(&path)).or_insert_with(|| Key {
            path,
            section: answer.section,
            ..Key::default()
        })
    }

    fn take(&mut self, answer: &Answer<'s>, problems: &mut Vec<Problem>) {
        // A run that broke off may end inside an answer.
        let mut expected = Vec::new();
        let problems = match answer.outcome {
            Outcome::TRUNCATED => &mut expected,
            _ => problems,
        };
        match answer.source {
            Source::OPEN if answer.class == OpenKind::KEY.0 => {
                self.entry(answer).refusal = Some(answer.status);
            }
            Source::KEY_INFORMATION if answer.class == 5 && answer.succeeded() => {
                let flags = answer.decode(problems, decode::key_flags);
                self.entry(answer).flags = flags;
            }
            Source::REGISTRY_VALUE => self.take_value(answer, problems),
            Source::SUBKEYS if answer.class == 0 => {
                let found = answer.decode(problems, decode::subkeys);
                let key = self.entry(answer);
                key.subkeys.get_or_insert_default().extend(found);
                cut(answer, &mut key.subkeys_cut, &mut key.subkeys_broken);
            }
            Source::KEY_VALUES if answer.class == 1 => {
                let found = answer.decode(problems, decode::key_values);
                let key = self.entry(answer);
                key.values.get_or_insert_default().extend(found);
                cut(answer, &mut key.values_cut, &mut key.values_broken);
            }
            _ => {}
        }
    }

    fn take_value(&mut self, answer: &Answer<'s>, problems: &mut Vec<Problem>) {
        let name = answer.value_name();
        let key = self.entry(answer);
        if !answer.succeeded() {
            key.values.get_or_insert_default();
            return;
        }
        let class = answer.class;
        let value = answer.decode(problems, |buffer, problems| {
            decode::key_value(buffer, class, problems)
        });
        let Some(value) = value else {
            return;
        };
        if value.value_type == REG_LINK && name.eq_ignore_ascii_case(SYMBOLIC_LINK_VALUE) {
            key.link_target = Some(utf16(value.data).trim_end_matches('\0').to_owned());
        } else {
            let values = key.values.get_or_insert_default();
            values.push(NamedValue {
                name: name.into(),
                value,
            });
        }
    }

    /// What was asked for in more than one way, or more than once, stands there once.
    fn settle(&mut self) {
        for key in self.keys.values_mut() {
            if let Some(values) = &mut key.values {
                let mut seen = BTreeSet::new();
                values.retain(|value| seen.insert(value.name.to_lowercase()));
            }
            if let Some(subkeys) = &mut key.subkeys {
                let mut seen = BTreeSet::new();
                subkeys.retain(|subkey| seen.insert(subkey.name().to_lowercase()));
            }
        }
        let mut times = Vec::new();
        let mut path = String::new();
        for (parent, key) in &self.keys {
            for subkey in key.subkeys.iter().flatten() {
                if parent.len() > LONGEST_JOINED {
                    break;
                }
                path.clear();
                path.extend([parent, "\\"]);
                path.push_str(&subkey.name().to_lowercase());
                if let (true, Some(time)) = (
                    self.keys.contains_key(&path),
                    Time::new(subkey.last_write_time),
                ) {
                    times.push((path.clone(), time));
                }
            }
        }
        for (path, time) in times {
            if let Some(key) = self.keys.get_mut(&path) {
                key.last_write_time = Some(time);
            }
        }
    }
}

/// A path as keys are found by: the registry knows no case.
fn folded(path: &str) -> String {
    path.trim_end_matches('\\').to_lowercase()
}

/// Whether the status of an open that failed says that something is there.
fn is_there(status: u32) -> bool {
    const STATUS_OBJECT_NAME_NOT_FOUND: u32 = 0xC000_0034;
    const STATUS_OBJECT_PATH_NOT_FOUND: u32 = 0xC000_003A;
    const STATUS_OBJECT_PATH_SYNTAX_BAD: u32 = 0xC000_003B;
    !matches!(
        status,
        STATUS_OBJECT_NAME_NOT_FOUND | STATUS_OBJECT_PATH_NOT_FOUND | STATUS_OBJECT_PATH_SYNTAX_BAD
    )
}

/// Notes whether a list is whole behind a run of it. One that is complete and did not reach the end is gone on with by
/// another; one that is not complete lacks an answer.
fn cut(run: &Answer<'_>, status: &mut Option<u32>, broken: &mut bool) {
    if run.status == STATUS_NO_MORE_ENTRIES {
        if !*broken {
            *status = None;
        }
        return;
    }
    if !*broken {
        *status = Some(run.status);
    }
    *broken |= run.outcome != Outcome::COMPLETE;
}

fn last_component(path: &str) -> &str {
    path.rsplit('\\').next().unwrap_or_default()
}

/// Whose answers are about the registry.
const ANSWERING: [Source; 5] = [
    Source::OPEN,
    Source::KEY_INFORMATION,
    Source::REGISTRY_VALUE,
    Source::SUBKEYS,
    Source::KEY_VALUES,
];

impl Snapshot<'_> {
    /// The registry as far as it was captured.
    pub fn registry(&self) -> Reading<Registry<'_>> {
        Reading::gather(|problems| self.read_registry(problems))
    }

    pub(crate) fn read_registry(&self, problems: &mut Vec<Problem>) -> Registry<'_> {
        let mut registry = Registry::default();
        for answer in self.answers_from_any(&ANSWERING) {
            registry.take(&answer, problems);
        }
        registry.settle();
        registry
    }
}
