//! Keys that are links, and keys that are in memory only.

use serde::Serialize;

use super::super::Reading;
use crate::names;
use crate::snapshot::Snapshot;
use crate::value::Time;

/// Links and volatile keys, among those whose flags were asked for: the three topmost levels, and the users' classes.
#[derive(Clone, Debug, Serialize)]
pub struct Links {
    /// How many keys were asked whether they are.
    pub asked: u64,
    /// The links.
    pub links: Vec<LinkKey>,
    /// Paths of the volatile keys that are no links.
    pub volatile: Vec<String>,
}

/// A link.
#[derive(Clone, Debug, Serialize)]
pub struct LinkKey {
    /// Its path.
    pub path: String,
    /// The path it leads to; null when it could not be read.
    pub target: Option<String>,
    /// Whether it is in memory only.
    pub volatile: Option<bool>,
    /// When it was written last.
    pub last_write_time: Option<Time>,
    /// Why it could not be opened.
    pub status: Option<String>,
}

impl Snapshot<'_> {
    /// Link keys with their targets, and volatile keys.
    pub fn registry_links(&self) -> Reading<Links> {
        Reading::gather(|problems| {
            let registry = self.read_registry(problems);
            let is_link = |flags: Option<crate::decode::KeyFlags>| flags.is_some_and(|f| f.link);
            Links {
                asked: registry.keys().filter(|key| key.flags.is_some()).count() as u64,
                links: registry
                    .keys()
                    .filter(|key| is_link(key.flags) || key.link_target.is_some())
                    .map(|key| LinkKey {
                        path: key.path.clone(),
                        target: key.link_target.clone(),
                        volatile: key.flags.map(|flags| flags.volatile),
                        last_write_time: key.last_write_time,
                        status: key.refusal.map(names::describe_status),
                    })
                    .collect(),
                volatile: registry
                    .keys()
                    .filter(|key| key.flags.is_some_and(|flags| flags.volatile && !flags.link))
                    .map(|key| key.path.clone())
                    .collect(),
            }
        })
    }
}
