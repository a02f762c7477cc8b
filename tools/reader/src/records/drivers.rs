//! Drivers: driver objects, kernel modules and service entries, joined.
//!
//! None of the three tells which of the others belong to it. A driver object has the name of its service's key, or the one
//! in the service's `ObjectName`; a service names its image in `ImagePath`, and without one it is
//! `System32\drivers\<name>.sys`; a module has the file name of its image. These rules are those of the I/O manager
//! (`IopLoadDriver`), as "ZwLoadDriver" and "HKLM\SYSTEM\CurrentControlSet\Services Registry Tree" of Microsoft's
//! documentation give them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::registry::{Service, Start, services};
use super::{Module, Reading};
use crate::error::Problem;
use crate::snapshot::Snapshot;
use crate::value::Hex;

/// Everything that is known of drivers.
#[derive(Clone, Debug, Serialize)]
pub struct Drivers {
    /// Whether the kernel modules, the driver objects and the service entries were captured. What was not is missed
    /// by nobody below.
    pub known: Known,
    /// The drivers: those with an object first, then modules without one, then services that did not start.
    pub drivers: Vec<Driver>,
    /// How many devices `\Device` lists.
    pub device_count: Option<u64>,
}

/// Which lists were captured.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Known {
    /// The kernel modules.
    pub modules: bool,
    /// `\Driver` and `\FileSystem`.
    pub driver_objects: bool,
    /// The service entries.
    pub services: bool,
}

/// A driver, or what is left of one.
#[derive(Clone, Debug, Serialize)]
pub struct Driver {
    /// Name of the driver object, else the service, else the module's file.
    pub name: String,
    /// What is known and what is missing.
    pub state: DriverState,
    /// Path of the driver object.
    pub driver_object: Option<String>,
    /// Path of the module.
    pub module: Option<String>,
    /// Where the module is loaded.
    pub base: Option<Hex>,
    /// Name of the service entry.
    pub service: Option<String>,
    /// When the entry is started.
    pub start: Option<&'static str>,
    /// The entry's image.
    pub image_path: Option<String>,
    /// The entry's load order group.
    pub group: Option<String>,
    /// A device of the same name; which devices a driver has otherwise is not told.
    pub device: Option<String>,
}

/// What of a driver is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DriverState {
    /// Driver object, module and service entry are.
    Loaded,
    /// A driver object and a module, and no service entry.
    NoService,
    /// A driver object whose module is not in the list.
    NoModule,
    /// A driver object that the kernel makes for itself, without module and service.
    OfTheKernel,
    /// A module and a service entry for it, without a driver object: a library, or one that has not initialized yet.
    NoDriverObject,
    /// A module without driver object and service entry: the kernel, the HAL and what they import.
    ModuleOnly,
    /// A service entry to be started by now, and no module of its image.
    NotLoaded,
}

/// The directories of driver objects.
pub(crate) const DIRECTORIES: [&str; 2] = ["\\Driver", "\\FileSystem"];

/// Driver objects that the kernel or the HAL makes for itself, with their directory and what they are for.
pub(crate) const OF_THE_KERNEL: &[(&str, &str, &str)] = &[
    (
        "\\Driver",
        "PnpManager",
        "the devices of the Plug and Play manager",
    ),
    ("\\Driver", "ACPI_HAL", "the HAL on systems with ACPI"),
    ("\\Driver", "PCI_HAL", "the HAL on systems without ACPI"),
    (
        "\\Driver",
        "WMIxWDM",
        "the device of Windows Management Instrumentation",
    ),
    (
        "\\Driver",
        "SoftwareDevice",
        "devices that programs create, since Windows 8",
    ),
    (
        "\\Driver",
        "DeviceApi",
        "the device API of the Plug and Play manager, since Windows 8",
    ),
    ("\\Driver", "Verifier", "Driver Verifier"),
    ("\\Driver", "VERIFIER_FILTER", "Driver Verifier"),
    ("\\Driver", "VERIFIER_DDI", "Driver Verifier"),
    (
        "\\FileSystem",
        "RAW",
        "the file system of volumes that no other one knows",
    ),
];

impl Snapshot<'_> {
    /// Driver objects, kernel modules and service entries, joined.
    pub fn drivers(&self) -> Reading<Drivers> {
        Reading::gather(|problems| self.read_drivers(problems))
    }

    fn read_drivers(&self, problems: &mut Vec<Problem>) -> Drivers {
        let registry = self.read_registry(problems);
        let services = services(&registry);
        let modules = match self.has_modules() {
            true => self.modules().value,
            false => Vec::new(),
        };
        let mut objects = Vec::new();
        let mut listed = false;
        for directory in DIRECTORIES {
            let listing = self.listing(directory, problems);
            listed |= listing.is_some();
            let entries = listing
                .into_iter()
                .flatten()
                .flat_map(|(_, entries)| entries);
            let drivers = entries.filter(|entry| &*entry.type_name == "Driver");
            objects.extend(drivers.map(|entry| (directory, entry.name)));
        }
        let devices: Option<Vec<_>> = self.listing("\\Device", problems).map(|listing| {
            listing
                .into_iter()
                .flat_map(|(_, entries)| entries)
                .collect()
        });
        let join = Join {
            known: Known {
                modules: !modules.is_empty(),
                driver_objects: listed,
                services: !services.is_empty(),
            },
            by_file: modules
                .iter()
                .map(|module| (module.name.to_lowercase(), module))
                .collect(),
            by_name: by_name(&services),
            devices: devices
                .iter()
                .flatten()
                .map(|entry| (entry.name.to_lowercase(), entry.name.to_string()))
                .collect(),
        };
        Drivers {
            known: join.known,
            drivers: join.rows(&objects, &modules, &services),
            device_count: devices.map(|devices| {
                let is_device =
                    |entry: &&crate::decode::DirectoryEntry| &*entry.type_name == "Device";
                devices.iter().filter(is_device).count() as u64
            }),
        }
    }

    fn has_modules(&self) -> bool {
        let source = bootshot_format::Source::SYSTEM_INFORMATION;
        [77, 11]
            .iter()
            .any(|class| self.answered(source, *class).next().is_some())
    }
}

/// Services by the path of their driver object, in lower case.
fn by_name(services: &[Service]) -> BTreeMap<String, &Service> {
    let mut found = BTreeMap::new();
    for service in services.iter().filter(|service| service.is_driver()) {
        for path in service.driver_objects() {
            found.entry(path.to_lowercase()).or_insert(service);
        }
    }
    found
}

struct Join<'a> {
    known: Known,
    by_file: BTreeMap<String, &'a Module>,
    by_name: BTreeMap<String, &'a Service>,
    devices: BTreeMap<String, String>,
}

impl<'a> Join<'a> {
    fn rows(
        &self,
        objects: &[(&'static str, std::sync::Arc<str>)],
        modules: &'a [Module],
        services: &'a [Service],
    ) -> Vec<Driver> {
        let (mut used_files, mut used_services) = (BTreeSet::new(), BTreeSet::new());
        let mut rows = Vec::new();
        for (directory, name) in objects {
            let row = self.of_object(directory, name);
            used_files.extend(row.module.as_deref().map(file_name));
            used_services.extend(row.service.as_deref().map(str::to_lowercase));
            rows.push(row);
        }
        let by_image: BTreeMap<String, &Service> = services
            .iter()
            .rev()
            .filter(|service| service.is_driver())
            .map(|service| (service.image_file(), service))
            .collect();
        for module in modules {
            let file = module.name.to_lowercase();
            if used_files.contains(&file) {
                continue;
            }
            let service = by_image.get(&file).copied();
            used_services.extend(service.map(|service| service.name.to_lowercase()));
            let state = match service {
                Some(_) => DriverState::NoDriverObject,
                None => DriverState::ModuleOnly,
            };
            rows.push(self.row(&module.name, state, None, Some(module), service));
        }
        if !self.known.modules {
            return rows;
        }
        for service in services.iter().filter(|service| {
            let early = matches!(service.start_value, Some(Start::BOOT | Start::SYSTEM));
            early && service.is_driver()
        }) {
            let loaded = used_services.contains(&service.name.to_lowercase())
                || self.by_file.contains_key(&service.image_file());
            if !loaded {
                rows.push(self.row(
                    &service.name,
                    DriverState::NotLoaded,
                    None,
                    None,
                    Some(service),
                ));
            }
        }
        rows
    }

    fn of_object(&self, directory: &str, name: &str) -> Driver {
        let path = format!("{directory}\\{name}");
        let service = self.by_name.get(&path.to_lowercase()).copied();
        let file = service.map_or_else(
            || format!("{}.sys", name.to_lowercase()),
            Service::image_file,
        );
        let module = self.by_file.get(&file).copied();
        let of_the_kernel = OF_THE_KERNEL
            .iter()
            .any(|(of, known, _)| *of == directory && known.eq_ignore_ascii_case(name));
        let state = match (module, service) {
            (None, None) if of_the_kernel => DriverState::OfTheKernel,
            (None, _) if self.known.modules => DriverState::NoModule,
            (_, None) if self.known.services => DriverState::NoService,
            _ => DriverState::Loaded,
        };
        self.row(name, state, Some(path), module, service)
    }

    fn row(
        &self,
        name: &str,
        state: DriverState,
        driver_object: Option<String>,
        module: Option<&Module>,
        service: Option<&Service>,
    ) -> Driver {
        let device = self.devices.get(&name.to_lowercase());
        Driver {
            name: name.to_owned(),
            state,
            driver_object,
            module: module.map(|module| module.path.clone()),
            base: module.and_then(|module| module.base),
            service: service.map(|service| service.name.clone()),
            start: service.and_then(|service| service.start),
            image_path: service.and_then(|service| service.image_path.clone()),
            group: service.and_then(|service| service.group.clone()),
            device: device.map(|device| format!("\\Device\\{device}")),
        }
    }
}

/// The last component of a path, in lower case.
fn file_name(path: &str) -> String {
    let name = path.rsplit('\\').next().unwrap_or_default();
    name.to_lowercase()
}
