//! Drivers: driver objects, kernel modules and services, joined. What a driver is depends on all three lists.

use bootshot_format::Family;

use super::Side;
use crate::diff::captured;
use crate::diff::item::{Extraction, Gaps, Item, Value};
use crate::records::DriverState;

pub(super) fn extract(side: &Side<'_>) -> Extraction {
    let drivers = side.snapshot.drivers().value;
    let missing = [
        (drivers.known.modules, "the kernel modules are not known"),
        (
            drivers.known.driver_objects,
            "the driver objects are not known",
        ),
        (drivers.known.services, "the service entries are not known"),
    ];
    if let Some((_, reason)) = missing.into_iter().find(|(known, _)| !known) {
        return Extraction::missing(reason);
    }
    for family in [Family::MODULES, Family::NAMESPACE, Family::REGISTRY] {
        if let Some(reason) = captured::harm(side.snapshot, family) {
            return Extraction::missing(reason);
        }
    }
    let known = |text: Option<String>| Some(text.map_or(Value::Absent, Value::path));
    let items = drivers.drivers.into_iter().map(|driver| {
        Item::new(driver.name.to_lowercase(), driver.name)
            .with("state", Value::text(state(driver.state)))
            .with("driver_object", known(driver.driver_object))
            .with("module", known(driver.module))
            .with("service", known(driver.service))
            .with("start", driver.start.map_or(Value::Absent, Value::text))
            .with(
                "image_path",
                known(driver.image_path.map(|path| side.known_of(path))),
            )
            .with("group", known(driver.group))
            .with("device", known(driver.device))
    });
    Extraction {
        items: items.collect(),
        gaps: Gaps::default(),
    }
}

const fn state(state: DriverState) -> &'static str {
    match state {
        DriverState::Loaded => "loaded",
        DriverState::NoService => "no_service",
        DriverState::NoModule => "no_module",
        DriverState::OfTheKernel => "of_the_kernel",
        DriverState::NoDriverObject => "no_driver_object",
        DriverState::ModuleOnly => "module_only",
        DriverState::NotLoaded => "not_loaded",
    }
}
