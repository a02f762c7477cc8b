//! What is decided about one machine of the fleet, and its snapshots.

use crate::draft::Draft;
use crate::handles::{self, Ended, Handle};
use crate::modules::{self, Module};
use crate::outliers::{BootLists, DriverOutlier};
use crate::random::Random;
use crate::registry::{self, Service};
use crate::template::Template;
use crate::{clock, namespace, processes};

/// Kinds of hardware. Each has its drivers, and every kind is there more than once.
pub const MODELS: [&[&str]; 5] = [
    &["storahci", "e1dexpress", "igfxdisp"],
    &["stornvme", "rt640", "igfxdisp", "btusb"],
    &["stornvme", "netwlan", "amdgfx"],
    &["vmbus", "storvsc", "netvsc"],
    &["pvscsi", "vmxnet", "vmmemctl"],
];

/// Drivers of every machine.
const COMMON: [&str; 6] = ["acpi", "pci", "disk", "partmgr", "volmgr", "ntfs"];

/// The process that forgets to close the processes it has started.
pub const LEAKING_IMAGE: &str = "metricsd.exe";

/// Its process id.
const LEAKING_PID: u64 = 3000;

/// On how many of a hundred machines it runs, and how much it leaks there.
const LEAKING_PERCENT: u64 = 70;
const LEAST_LEAKED: u64 = 15;
const LEAKED_SPREAD: u64 = 50;

/// Every so many machines has a second snapshot, of the running system.
pub const LIVE_EVERY: u32 = 20;

/// 2026-11-02T06:00:00Z, and the two weeks from then on in which the machines started.
const FIRST_BOOT: i64 = 134_381_664_000_000_000;
const BOOT_SPREAD_SECONDS: u64 = 14 * 24 * 60 * 60;
const SECOND: i64 = 10_000_000;

/// Where the first added module is loaded, and how much room each has.
const FIRST_BASE: u64 = 0xFFFF_F802_0000_0000;
const MODULE_ROOM: u64 = 0x10_0000;

/// Where the objects of added handles are.
const OBJECTS: u64 = 0xFFFF_C000_0000_0000;

const SERVICE_BOOT_START: u32 = 0;
const SERVICE_DEMAND_START: u32 = 3;

/// A machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// From 1.
    pub number: u32,
    /// What its snapshots' folder is called.
    pub name: String,
    model: usize,
    boot_time: i64,
    /// How many processes [`LEAKING_IMAGE`] holds that have ended.
    pub leaked: u64,
    /// What its Session Manager runs.
    pub boot_lists: BootLists,
    /// A driver that nobody else has.
    pub driver: Option<DriverOutlier>,
    random: Random,
}

/// A snapshot of a machine.
#[derive(Debug)]
pub struct File {
    /// As bootshot names it.
    pub name: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Machine {
    /// Decides about a machine. What makes it an outlier is told.
    pub fn new(
        seed: u64,
        number: u32,
        boot_lists: Option<BootLists>,
        driver: Option<DriverOutlier>,
    ) -> Self {
        let mut random = Random::of_host(seed, number);
        let seconds = random.below(BOOT_SPREAD_SECONDS) as i64;
        let leaks = random.chance(LEAKING_PERCENT);
        let leaked = LEAST_LEAKED + random.below(LEAKED_SPREAD);
        // Who installed it wrote the entry in another case, which smss does not mind.
        let usual = match random.chance(10) {
            true => BootLists::UsualInAnotherCase,
            false => BootLists::Usual,
        };
        Self {
            number,
            name: format!("pc-{number:04}"),
            model: number as usize % MODELS.len(),
            boot_time: FIRST_BOOT + seconds * SECOND,
            leaked: if leaks { leaked } else { 0 },
            boot_lists: boot_lists.unwrap_or(usual),
            driver,
            random,
        }
    }

    /// Its snapshots: one of the boot, and of some machines one of the running system behind it.
    pub fn snapshots(&self, boot: &Template, live: &Template) -> Vec<File> {
        let mut random = self.random.clone();
        let mut files = vec![self.snapshot(boot, 1, &mut random)];
        if self.number.is_multiple_of(LIVE_EVERY) {
            files.push(self.snapshot(live, 2, &mut random));
        }
        files
    }

    fn snapshot(&self, template: &Template, sequence: u64, random: &mut Random) -> File {
        let mut draft = template.draft.clone();
        let later = self.boot_time - draft.header.boot_time;
        clock::shift(&mut draft, later);
        draft.header.sequence = sequence;
        let (first, second) = (random.next().to_le_bytes(), random.next().to_le_bytes());
        draft.header.snapshot_id[..8].copy_from_slice(&first);
        draft.header.snapshot_id[8..].copy_from_slice(&second);
        self.set_boot_lists(&mut draft);
        self.add_drivers(&mut draft, template, random);
        self.add_handles(&mut draft, template, random);
        self.add_ended(&mut draft, template, random);
        File {
            name: file_name(&draft),
            bytes: draft.write(),
        }
    }

    fn set_boot_lists(&self, draft: &mut Draft) {
        for (list, entries) in self.boot_lists.lists() {
            registry::set_list(draft, list, entries);
        }
    }

    fn add_drivers(&self, draft: &mut Draft, template: &Template, random: &mut Random) {
        let mut objects = Vec::new();
        let mut base = FIRST_BASE + random.below(0x1000) * MODULE_ROOM;
        let mut add_module = |draft: &mut Draft, path: &str, size: u64| {
            let size = (size as u32).next_multiple_of(0x1000);
            modules::add(draft, Module { path, base, size });
            base += MODULE_ROOM;
        };
        for name in COMMON.iter().chain(MODELS[self.model]) {
            // The same file, as the loader was told to find it.
            let file = match random.chance(25) {
                true => name.to_uppercase(),
                false => (*name).to_owned(),
            };
            let path = format!(r"\SystemRoot\system32\drivers\{file}.sys");
            add_module(draft, &path, 0x8000 + random.below(0x4_0000));
            let image_path = format!(r"system32\drivers\{name}.sys");
            self.add_service(draft, name, SERVICE_BOOT_START, &image_path);
            objects.push((*name).to_owned());
        }
        match self.driver {
            None => {}
            Some(driver @ DriverOutlier::OtherPath) => {
                let path = driver.module().unwrap_or_default();
                modules::replace(draft, DriverOutlier::USUAL_PATH, path);
            }
            Some(driver) => {
                objects.push(driver.name().to_owned());
                if let Some(path) = driver.module() {
                    add_module(draft, path, 0x6000);
                }
                if driver == DriverOutlier::Loaded {
                    let path = driver.module().unwrap_or_default();
                    self.add_service(draft, driver.name(), SERVICE_DEMAND_START, path);
                }
            }
        }
        namespace::set_drivers(draft, template.driver_directory, &objects);
    }

    fn add_service(&self, draft: &mut Draft, name: &str, start: u32, image_path: &str) {
        let service = Service {
            name,
            start,
            image_path,
        };
        registry::add_service(draft, service, self.boot_time - SECOND);
    }

    /// Handles to events, more on one machine than on another.
    fn add_handles(&self, draft: &mut Draft, template: &Template, random: &mut Random) {
        let count = random.below(120);
        let handles: Vec<Handle> = (0..count)
            .map(|number| Handle {
                pid: match random.chance(60) {
                    true => template.services,
                    false => template.service_host,
                },
                object: OBJECTS + number * 0x80,
                object_type: template.event_type,
            })
            .collect();
        handles::add(draft, &handles);
    }

    /// What has ended, and who holds it: the leaking process a lot, others a little.
    fn add_ended(&self, draft: &mut Draft, template: &Template, random: &mut Random) {
        const PATHS: [&str; 3] = [
            r"\Device\HarddiskVolume3\Windows\System32\conhost.exe",
            r"\Device\HarddiskVolume3\Windows\System32\net.exe",
            r"\Device\HarddiskVolume3\Program Files\Metrics\probe.exe",
        ];
        if self.leaked > 0 {
            processes::add(draft, template.service_host, LEAKING_PID, LEAKING_IMAGE);
        }
        let holders = [
            (LEAKING_PID, self.leaked),
            (template.services, random.below(3)),
            (template.service_host, random.below(5)),
        ];
        let created = self.boot_time as u64 + 1;
        let mut ended = Vec::new();
        for (holder, count) in holders {
            for _ in 0..count {
                ended.push(Ended {
                    holder,
                    path: PATHS[random.below(PATHS.len() as u64) as usize],
                    times: (created, created + 1 + random.below(1000)),
                });
            }
        }
        handles::add_ended(draft, &ended, template.process_type);
    }
}

/// The sequence, the start of the capture and the moment, as bootshot puts them together.
fn file_name(draft: &Draft) -> String {
    let header = &draft.header;
    let time = bootshot_reader::Time::new(header.system_time).map_or_else(String::new, |time| {
        let text = time.to_string();
        let seconds = text.split('.').next().unwrap_or_default();
        seconds
            .chars()
            .filter(|one| !matches!(one, '-' | ':'))
            .collect()
    });
    format!(
        "{:08}-{time}Z-{}.bshot",
        header.sequence,
        header.phase.name()
    )
}
