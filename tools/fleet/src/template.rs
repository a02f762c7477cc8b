//! The golden snapshots that the machines' are made from, and where in them things are.

use bootshot_reader::Snapshot;

use crate::draft::Draft;
use crate::namespace;
use crate::types::ObjectType;

/// Three moments of one machine, taken under Wine.
const BOOT_EXECUTE: &[u8] = include_bytes!("../../reader/golden/v1-wine8-x64-bootexecute.bshot");
const SETUP_EXECUTE: &[u8] = include_bytes!("../../reader/golden/v1-wine8-x64-setupexecute.bshot");
const LIVE: &[u8] = include_bytes!("../../reader/golden/v1-wine8-x64-live.bshot");

/// A golden snapshot.
#[derive(Debug)]
pub struct Template {
    /// Itself.
    pub draft: Draft,
    /// Process id of `services.exe`.
    pub services: u64,
    /// That of its only `svchost.exe`.
    pub service_host: u64,
    /// The capture's handle to `\Driver`.
    pub driver_directory: u64,
    /// The type Process.
    pub process_type: ObjectType,
    /// The type Event.
    pub event_type: ObjectType,
}

impl Template {
    /// The golden snapshot at BootExecute.
    pub fn boot_execute() -> Self {
        Self::of(BOOT_EXECUTE)
    }

    /// The one at SetupExecute.
    pub fn setup_execute() -> Self {
        Self::of(SETUP_EXECUTE)
    }

    /// The one of the running system.
    pub fn live() -> Self {
        Self::of(LIVE)
    }

    /// # Panics
    ///
    /// When the golden snapshots were taken again and lack what the fleet is built on.
    fn of(file: &[u8]) -> Self {
        let snapshot = Snapshot::parse(file).expect("a golden snapshot is one");
        let processes = snapshot.processes().value;
        let pid = |image: &str| {
            let found = processes
                .iter()
                .find(|process| process.image.as_deref() == Some(image));
            found.unwrap_or_else(|| panic!("{image} was running")).pid
        };
        let types = snapshot.types().value;
        let object_type = |name: &'static str| {
            let found = types.iter().find(|one| one.name.as_deref() == Some(name));
            let index = found.and_then(|one| u16::try_from(one.index?).ok());
            let index = index.unwrap_or_else(|| panic!("there is a type {name}"));
            ObjectType { name, index }
        };
        Self {
            draft: Draft::take_apart(file).expect("a golden snapshot is whole"),
            services: pid("services.exe"),
            service_host: pid("svchost.exe"),
            driver_directory: namespace::driver_directory(&snapshot)
                .expect("the capture opened \\Driver"),
            process_type: object_type("Process"),
            event_type: object_type("Event"),
        }
    }
}
