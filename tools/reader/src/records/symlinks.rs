//! Symbolic links: where they lead, and which of them the kernel decides at each open.

use std::collections::BTreeMap;
use std::sync::Arc;

use bootshot_format::{ObjectKind, Source};
use serde::Serialize;

use super::Reading;
use super::namespace::{Resolution, Walk, Walked};
use super::naming::{ObjectName, type_of};
use crate::error::Problem;
use crate::layout::structures::OBJECT_BASIC_INFORMATION as Basic;
use crate::names::describe_status;
use crate::snapshot::Snapshot;
use crate::value::{Hex, Time, utf16};

/// The events of the memory manager, which since Windows 10 are dynamic links to those of the caller's memory partition
/// (`MI_MEMORY_EVENT_TYPES` has these eleven).
const MEMORY_CONDITIONS: [&str; 11] = [
    "LowPagedPoolCondition",
    "HighPagedPoolCondition",
    "LowNonPagedPoolCondition",
    "HighNonPagedPoolCondition",
    "LowMemoryCondition",
    "HighMemoryCondition",
    "LowCommitCondition",
    "HighCommitCondition",
    "MaximumCommitCondition",
    "MemoryErrors",
    "PhysicalMemoryChange",
];

/// Whether a link's target is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetStatus {
    /// It is.
    Found,
    /// It is not.
    Dangling,
    /// Links lead to each other without end.
    Loop,
    /// It lies in a directory that was not listed, or behind a link whose target is not known.
    NotKnown,
    /// The link has no target: each open decides.
    Dynamic,
}

/// A symbolic link.
#[derive(Clone, Debug, Serialize)]
pub struct SymbolicLink {
    /// Its path.
    pub path: ObjectName,
    /// Its target, as it stands in it.
    pub target: Option<Arc<str>>,
    /// Why the target is not known.
    pub target_error: Option<String>,
    /// When it was made.
    pub creation_time: Option<Time>,
    /// Whether the target is there.
    pub target_status: TargetStatus,
    /// What it leads to in the end; a device, where the rest of the path is for that.
    pub resolved_path: Option<ObjectName>,
    /// The type of that.
    pub resolved_type: Option<Arc<str>>,
    /// What opening a dynamic link gave.
    pub dynamic: Option<DynamicTarget>,
}

/// What a dynamic link gave the capture.
#[derive(Clone, Debug, Serialize)]
pub struct DynamicTarget {
    /// The type it was opened as.
    #[serde(rename = "type")]
    pub object_type: &'static str,
    /// The name that the object told of itself.
    pub name: Option<ObjectName>,
    /// Where it is.
    pub address: Option<Hex>,
    /// Which of the known memory conditions it is.
    pub memory_condition: Option<&'static str>,
}

impl Snapshot<'_> {
    /// The symbolic links, in the order of the walk.
    pub fn symbolic_links(&self) -> Reading<Vec<SymbolicLink>> {
        Reading::gather(|problems| {
            let walked = self.walked_with(problems);
            let mut links = Vec::new();
            self.each_symbolic_link(&walked, problems, &mut |link| links.push(link));
            links
        })
    }

    /// As [`symbolic_links`](Self::symbolic_links), one after the other.
    pub(crate) fn each_symbolic_link(
        &self,
        walked: &Walked<'_>,
        problems: &mut Vec<Problem>,
        each: &mut dyn FnMut(SymbolicLink),
    ) {
        let walk = &walked.walk;
        let lists = walked.lists();
        let by_handle: BTreeMap<u64, (u32, Arc<str>)> = self
            .answers_from(Source::SYMBOLIC_LINK)
            .map(|answer| {
                let target = utf16(answer.bytes);
                (answer.argument, (answer.status, target.into()))
            })
            .collect();
        let links: Vec<usize> = (0..walk.entries.len())
            .filter(|entry| &**walk.type_name(*entry) == "SymbolicLink")
            .collect();
        let targets: BTreeMap<usize, &(u32, Arc<str>)> = links
            .iter()
            .filter_map(|entry| {
                let mut opened = walk.opened_at(*entry).iter();
                let link = opened.find(|opened| opened.kind == ObjectKind::SYMBOLIC_LINK)?;
                Some((*entry, by_handle.get(&link.handle())?))
            })
            .collect();
        let target = |entry: usize| -> Option<&str> {
            let (status, target) = targets.get(&entry)?;
            (*status < 0x8000_0000 && !target.is_empty()).then_some(&**target)
        };
        let names = self.names_told(lists, problems);
        for entry in &links {
            let mut opened = walk.opened_at(*entry).iter();
            let link = opened
                .clone()
                .find(|opened| opened.kind == ObjectKind::SYMBOLIC_LINK);
            let dynamic = opened
                .find(|opened| opened.handle() != 0 && opened.kind != ObjectKind::SYMBOLIC_LINK)
                .map(|opened| {
                    let address = lists.address_of(opened);
                    let reference = self.handle_reference(opened.handle());
                    DynamicTarget {
                        object_type: type_of(opened.kind),
                        name: names.by_handle(reference).cloned(),
                        address: address.map(Hex),
                        memory_condition: memory_condition(walk, *entry),
                    }
                });
            let resolution = target(*entry).map(|path| walk.resolve(path, true, target));
            let found = match resolution {
                Some(Resolution::Found(found)) => Some(found),
                _ => None,
            };
            let basic = link
                .and_then(|link| self.object(link, problems))
                .and_then(|object| object.basic);
            each(SymbolicLink {
                path: walk.name(*entry),
                target: targets
                    .get(entry)
                    .filter(|(status, _)| *status < 0x8000_0000)
                    .map(|(_, target)| target.clone()),
                target_error: match (link, targets.get(entry)) {
                    (Some(link), _) if link.handle() == 0 => Some(describe_status(link.status)),
                    (_, Some((status, _))) if *status >= 0x8000_0000 => {
                        Some(describe_status(*status))
                    }
                    (_, Some(_)) => None,
                    (_, None) => Some("not asked".to_owned()),
                },
                creation_time: basic
                    .and_then(|basic| basic.get(Basic::CreationTime))
                    .and_then(Time::new),
                target_status: match resolution {
                    None if dynamic.is_some() => TargetStatus::Dynamic,
                    None | Some(Resolution::NotKnown) => TargetStatus::NotKnown,
                    Some(Resolution::Root | Resolution::Found(_)) => TargetStatus::Found,
                    Some(Resolution::Dangling) => TargetStatus::Dangling,
                    Some(Resolution::Loop) => TargetStatus::Loop,
                },
                resolved_path: match resolution {
                    Some(Resolution::Root) => Some(ObjectName::told("\\".into())),
                    _ => found.map(|found| walk.name(found)),
                },
                resolved_type: match resolution {
                    Some(Resolution::Root) => Some("Directory".into()),
                    _ => found.map(|found| walk.type_name(found).clone()),
                },
                dynamic,
            });
        }
    }
}

fn memory_condition(walk: &Walk<'_>, entry: usize) -> Option<&'static str> {
    let name = walk.last_name(entry);
    let directory = walk.directory_of(entry).name.to_string();
    directory
        .eq_ignore_ascii_case("\\KernelObjects")
        .then(|| {
            MEMORY_CONDITIONS
                .into_iter()
                .find(|condition| condition.eq_ignore_ascii_case(&name))
        })
        .flatten()
}
