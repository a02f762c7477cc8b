//! Key handles of all processes, by hive.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::super::{NameStatus, Reading};
use crate::snapshot::Snapshot;
use crate::value::Hex;

/// Key handles by hive.
#[derive(Clone, Debug, Serialize)]
pub struct KeyHandles {
    /// All key handles.
    pub handle_count: u64,
    /// Those to keys with a name, by hive.
    pub hives: Vec<HiveHandles>,
    /// The others, by the reason why they have none.
    pub unnamed: Vec<UnnamedKeys>,
}

/// The handles to the keys of one hive.
#[derive(Clone, Debug, Serialize)]
pub struct HiveHandles {
    /// The path of the hive's root.
    pub hive: String,
    /// Whether a path from `\REGISTRY` leads there: not below `A` (hives of applications) and `WC` (of silos), which can
    /// be seen through handles only.
    pub reachable: bool,
    /// How many there are.
    pub handle_count: u64,
    /// The keys.
    pub keys: Vec<OpenKey>,
}

/// A key that somebody has open.
#[derive(Clone, Debug, Serialize)]
pub struct OpenKey {
    /// Its path.
    pub path: String,
    /// Who has it open.
    pub holders: Vec<KeyHolder>,
}

/// Somebody's handle to a key.
#[derive(Clone, Debug, Serialize)]
pub struct KeyHolder {
    /// Process id.
    pub pid: u64,
    /// File name of its image.
    pub image: Option<Arc<str>>,
    /// The handle.
    pub handle: Hex,
}

/// Key handles without a name.
#[derive(Clone, Debug, Serialize)]
pub struct UnnamedKeys {
    /// Why: at boot `own object for each open`. Each open of a key makes an object of its own, so that no handle of
    /// the capture ties it to a name, and the handles of others cannot be duplicated then.
    pub reason: String,
    /// How many there are.
    pub handle_count: u64,
}

/// Roots that no path leads into.
const UNREACHABLE: [&str; 2] = ["a", "wc"];

/// The root of the hive that a key belongs to: the second component below `\REGISTRY`.
fn hive(path: &str) -> &str {
    let mut components = path.match_indices('\\').skip(3);
    components
        .next()
        .map_or(path, |(end, _)| path.get(..end).unwrap_or(path))
}

fn is_reachable(hive: &str) -> bool {
    let root = hive.split('\\').nth(2).unwrap_or_default();
    !UNREACHABLE
        .iter()
        .any(|name| name.eq_ignore_ascii_case(root))
}

impl Snapshot<'_> {
    /// Key handles of all processes, by hive.
    pub fn key_handles(&self) -> Reading<KeyHandles> {
        let mut handle_count = 0;
        // By hive and path in lower case.
        let mut keys: BTreeMap<(String, String), (String, Vec<KeyHolder>)> = BTreeMap::new();
        let mut reasons: BTreeMap<NameStatus, u64> = BTreeMap::new();
        let problems = self.each_handle(|handle| {
            if &*handle.object_type != "Key" {
                return;
            }
            handle_count += 1;
            let Some(name) = handle.naming.name else {
                *reasons.entry(handle.naming.status).or_default() += 1;
                return;
            };
            let path = name.to_string();
            let (_, holders) = keys
                .entry((hive(&path).to_lowercase(), path.to_lowercase()))
                .or_insert_with(|| (path, Vec::new()));
            holders.push(KeyHolder {
                pid: handle.pid,
                image: handle.image,
                handle: handle.handle,
            });
        });
        let mut hives: Vec<HiveHandles> = Vec::new();
        for (path, holders) in keys.into_values() {
            let root = hive(&path);
            let same = hives
                .last()
                .is_some_and(|last| last.hive.eq_ignore_ascii_case(root));
            if !same {
                hives.push(HiveHandles {
                    hive: root.to_owned(),
                    reachable: is_reachable(root),
                    handle_count: 0,
                    keys: Vec::new(),
                });
            }
            if let Some(hive) = hives.last_mut() {
                hive.handle_count += holders.len() as u64;
                hive.keys.push(OpenKey { path, holders });
            }
        }
        let mut by_reason: BTreeMap<String, u64> = BTreeMap::new();
        for (status, handles) in reasons {
            *by_reason.entry(status.to_string()).or_default() += handles;
        }
        let unnamed = by_reason
            .into_iter()
            .map(|(reason, handle_count)| UnnamedKeys {
                reason,
                handle_count,
            });
        Reading {
            value: KeyHandles {
                handle_count,
                hives,
                unnamed: unnamed.collect(),
            },
            problems,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hive_is_the_second_component() {
        assert_eq!(
            hive("\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001"),
            "\\REGISTRY\\MACHINE\\SYSTEM"
        );
        assert_eq!(hive("\\REGISTRY\\MACHINE"), "\\REGISTRY\\MACHINE");
        assert_eq!(hive("\\REGISTRY\\A\\{x}\\y\\z"), "\\REGISTRY\\A\\{x}");
        assert!(is_reachable("\\REGISTRY\\USER\\.DEFAULT"));
        assert!(!is_reachable("\\Registry\\a\\{x}"));
        assert!(!is_reachable("\\REGISTRY\\WC\\Silo"));
    }
}
