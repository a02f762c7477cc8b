//! The snapshots of a synthetic fleet: the golden ones, varied from a seed, with known outliers among them.
//!
//! The golden snapshots come from Wine. What Wine lacks is added as the kernel would have told it: driver objects, their
//! modules and service entries, a process that leaks handles, and the processes that ended and which it still holds.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod clock;
pub mod draft;
pub mod handles;
pub mod machine;
pub mod modules;
pub mod namespace;
pub mod outliers;
pub mod processes;
pub mod random;
pub mod registry;
pub mod template;
pub mod types;

use std::fs;
use std::io;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use machine::{File, LEAKING_IMAGE, Machine};
use outliers::{BootListRow, BootLists, DriverOutlier, DriverRow, Planted, ZombiesRow};
use random::Random;
use template::Template;

/// The fewest machines: every kind of hardware several times, and a majority that has nothing planted.
pub const FEWEST_MACHINES: u32 = 20;

/// A fleet.
#[derive(Debug)]
pub struct Fleet {
    machines: Vec<Machine>,
}

impl Fleet {
    /// Decides about a fleet of so many machines, at least [`FEWEST_MACHINES`].
    pub fn new(seed: u64, machines: u32) -> Self {
        let count = machines.max(FEWEST_MACHINES);
        let mut numbers: Vec<u32> = (1..=count).collect();
        let mut random = Random::of_host(seed, 0);
        for last in (1..numbers.len()).rev() {
            numbers.swap(last, random.below(last as u64 + 1) as usize);
        }
        let (with_driver, others) = numbers.split_at(DriverOutlier::ALL.len());
        let place = |among: &[u32], number| among.iter().position(|one| *one == number);
        let machines = (1..=count).map(|number| {
            let driver = place(with_driver, number).map(|place| DriverOutlier::ALL[place]);
            let lists =
                place(others, number).and_then(|place| BootLists::OUTLIERS.get(place).copied());
            Machine::new(seed, number, lists, driver)
        });
        Self {
            machines: machines.collect(),
        }
    }

    /// The machines.
    pub fn machines(&self) -> &[Machine] {
        &self.machines
    }

    /// What the queries must find.
    pub fn planted(&self) -> Planted {
        let leaking = self.machines.iter().filter(|machine| machine.leaked > 0);
        Planted {
            drivers: self
                .machines
                .iter()
                .filter_map(|machine| Some(DriverRow::new(&machine.name, machine.driver?)))
                .collect(),
            zombies: ZombiesRow {
                image: LEAKING_IMAGE,
                zombies: leaking.clone().map(|machine| machine.leaked).sum(),
                hosts: leaking.count() as u64,
            },
            boot_lists: self
                .machines
                .iter()
                .filter(|machine| BootLists::OUTLIERS.contains(&machine.boot_lists))
                .map(|machine| BootListRow::new(&machine.name, machine.boot_lists))
                .collect(),
        }
    }

    /// Writes the snapshots of each machine into a folder of its name; how many there are.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<usize> {
        let templates = Templates::golden();
        let next = AtomicUsize::new(0);
        let written = AtomicUsize::new(0);
        let work = || -> io::Result<()> {
            while let Some(machine) = self.machines.get(next.fetch_add(1, Ordering::Relaxed)) {
                let folder = folder.join(&machine.name);
                fs::create_dir_all(&folder)?;
                for File { name, bytes } in templates.snapshots(machine) {
                    fs::write(folder.join(name), bytes)?;
                    written.fetch_add(1, Ordering::Relaxed);
                }
            }
            Ok(())
        };
        let workers = thread::available_parallelism().map_or(1, NonZero::get);
        thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .try_for_each(|worker| match worker.join() {
                    Ok(result) => result,
                    Err(panic) => std::panic::resume_unwind(panic),
                })
        })?;
        Ok(written.into_inner())
    }
}

/// The golden snapshots.
#[derive(Debug)]
pub struct Templates {
    boot_execute: Template,
    setup_execute: Template,
    live: Template,
}

impl Templates {
    /// Takes them apart.
    pub fn golden() -> Self {
        Self {
            boot_execute: Template::boot_execute(),
            setup_execute: Template::setup_execute(),
            live: Template::live(),
        }
    }

    /// The snapshots of a machine: of its boot one at either of the two moments.
    pub fn snapshots(&self, machine: &Machine) -> Vec<File> {
        let boot = match machine.number.is_multiple_of(2) {
            true => &self.setup_execute,
            false => &self.boot_execute,
        };
        machine.snapshots(boot, &self.live)
    }
}
