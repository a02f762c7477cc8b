//! Service entries, in the order in which the boot loader and the I/O manager load drivers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::Reading;
use super::super::drivers::DIRECTORIES;
use super::{CURRENT_CONTROL_SET, Key, Registry};
use crate::names;
use crate::snapshot::Snapshot;
use crate::value::Time;

/// When a service is started: `SERVICE_BOOT_START` and so on, by number.
pub struct Start;

impl Start {
    /// The boot loader loads it.
    pub const BOOT: u32 = 0;
    /// The kernel loads it while it initializes.
    pub const SYSTEM: u32 = 1;
}

/// `SERVICE_KERNEL_DRIVER`, `SERVICE_FILE_SYSTEM_DRIVER`, `SERVICE_ADAPTER`, `SERVICE_RECOGNIZER_DRIVER`.
const DRIVERS: u32 = 0xF;

/// A service entry.
#[derive(Clone, Debug, Serialize)]
pub struct Service {
    /// Name of its key.
    pub name: String,
    /// `kernel driver`, `file system driver`, `own process` and so on.
    #[serde(rename = "type")]
    pub service_type: Option<String>,
    /// The same as a number.
    pub type_value: Option<u32>,
    /// `boot`, `system`, `automatic`, `manual`, `disabled`.
    pub start: Option<&'static str>,
    /// The same as a number.
    pub start_value: Option<u32>,
    /// Load order group.
    pub group: Option<String>,
    /// Its tag in the group, when it has one.
    pub tag: Option<u32>,
    /// `ignore`, `normal`, `severe`, `critical`.
    pub error_control: Option<&'static str>,
    /// Its image as the entry has it; without one a driver is `System32\drivers\<name>.sys`.
    pub image_path: Option<String>,
    /// The account of a program, or the path of the driver object where it is not the usual one.
    pub object_name: Option<String>,
    /// What it calls itself.
    pub display_name: Option<String>,
    /// Its place among the services that start when it does, from 1, by group and tag. Drivers that the Plug and Play
    /// manager starts come in the order of their devices instead.
    pub load_order: Option<u32>,
    /// When its key was written last.
    pub last_write_time: Option<Time>,
    /// Why it could not be opened or read to its end.
    pub status: Option<String>,
}

impl Service {
    /// The file name of the image in lower case: of `image_path`, else the service's own with `.sys`.
    pub(crate) fn image_file(&self) -> String {
        let Some(path) = &self.image_path else {
            return format!("{}.sys", self.name.to_lowercase());
        };
        let name = path.trim_matches('"').rsplit(['\\', '/']).next();
        name.unwrap_or_default().to_lowercase()
    }

    /// Paths that its driver object can have: the one it names, else its own name in the directory of its type.
    pub(crate) fn driver_objects(&self) -> Vec<String> {
        match &self.object_name {
            Some(path) => vec![path.clone()],
            None => DIRECTORIES
                .iter()
                .map(|directory| format!("{directory}\\{}", self.name))
                .collect(),
        }
    }

    /// Whether it is a driver.
    pub(crate) fn is_driver(&self) -> bool {
        self.type_value.is_some_and(|value| value & DRIVERS != 0)
    }
}

impl Snapshot<'_> {
    /// All captured service entries, those that start earlier first, in load order.
    pub fn services(&self) -> Reading<Vec<Service>> {
        Reading::gather(|problems| services(&self.read_registry(problems)))
    }
}

/// Where a service comes in the order of loading.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    start: u32,
    group: usize,
    tag: usize,
}

pub(crate) fn services(registry: &Registry<'_>) -> Vec<Service> {
    let groups = group_order(registry);
    let tags = tag_order(registry);
    let mut placed: Vec<(Place, Service)> = registry
        .children(&format!("{CURRENT_CONTROL_SET}\\Services"))
        .filter(|key| key.values.is_some() || key.refusal.is_some())
        .map(|key| {
            let service = service(key);
            (place(&service, &groups, &tags), service)
        })
        .collect();
    // Stable: what nothing puts in order stays in that of the names.
    placed.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut order = BTreeMap::new();
    placed
        .into_iter()
        .map(|(_, mut service)| {
            if let Some(start @ (Start::BOOT | Start::SYSTEM)) = service.start_value {
                let next = order.entry(start).or_insert(0);
                *next += 1;
                service.load_order = Some(*next);
            }
            service
        })
        .collect()
}

/// The place of each group in `ServiceGroupOrder\List`, by name in lower case.
fn group_order(registry: &Registry<'_>) -> BTreeMap<String, usize> {
    let path = format!("{CURRENT_CONTROL_SET}\\Control\\ServiceGroupOrder");
    let list = registry
        .value(&path, "List")
        .and_then(|value| value.texts());
    let mut order = BTreeMap::new();
    for (place, group) in list.unwrap_or_default().into_iter().enumerate() {
        order.entry(group.to_lowercase()).or_insert(place);
    }
    order
}

/// The tags of each group in `GroupOrderList`, in order: a count and the tags, as 32-bit numbers.
fn tag_order(registry: &Registry<'_>) -> BTreeMap<String, BTreeMap<u32, usize>> {
    let key = registry.key(&format!("{CURRENT_CONTROL_SET}\\Control\\GroupOrderList"));
    let values = key.and_then(|key| key.values.as_ref());
    values
        .into_iter()
        .flatten()
        .map(|value| {
            let (numbers, _) = value.value.data.as_chunks::<4>();
            let mut numbers = numbers.iter().map(|number| u32::from_le_bytes(*number));
            let count = numbers.next().unwrap_or_default() as usize;
            let tags = numbers.take(count).enumerate();
            (
                value.name.to_lowercase(),
                tags.map(|(place, tag)| (tag, place)).collect(),
            )
        })
        .collect()
}

/// Groups that the list does not name come after it, services without a group last; the same holds for tags.
fn place(
    service: &Service,
    groups: &BTreeMap<String, usize>,
    tags: &BTreeMap<String, BTreeMap<u32, usize>>,
) -> Place {
    let group = service.group.as_ref().map(|group| group.to_lowercase());
    let tag = group
        .as_ref()
        .and_then(|group| tags.get(group)?.get(&service.tag?));
    Place {
        start: service.start_value.unwrap_or(u32::MAX),
        group: match &group {
            Some(group) => groups.get(group).copied().unwrap_or(usize::MAX - 1),
            None => usize::MAX,
        },
        tag: tag.copied().unwrap_or(usize::MAX),
    }
}

fn service(key: &Key<'_>) -> Service {
    let text = |name| key.text(name).filter(|text| !text.is_empty());
    let start_value = key.number("Start");
    let status = key.refusal.or(key.values_cut);
    Service {
        name: key.name().to_owned(),
        service_type: key.number("Type").map(names::service_type),
        type_value: key.number("Type"),
        start: start_value.and_then(names::service_start),
        start_value,
        group: text("Group"),
        tag: key.number("Tag"),
        error_control: key
            .number("ErrorControl")
            .and_then(names::service_error_control),
        image_path: text("ImagePath"),
        object_name: text("ObjectName"),
        display_name: text("DisplayName"),
        load_order: None,
        last_write_time: key.last_write_time,
        status: status.map(names::describe_status),
    }
}
