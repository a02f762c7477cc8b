//! `drivers`: driver objects, kernel modules and service entries, joined.

use bootshot_reader::records::{DriverState, Drivers};
use bootshot_reader::tables;

use crate::error::{Error, Outcome};
use crate::output::{self, Align, Pairs, Table};
use crate::reading::{self, Input};
use crate::selection::Selection;
use crate::shown;

/// Arguments of `drivers`.
#[derive(clap::Args)]
#[command(
    after_help = "Example: bootshotctl drivers boot.bshot --state not-loaded\n\n\
    States: loaded; no-service (a driver object and a module without a service entry); no-module; of-the-kernel (the \
    kernel's own driver objects); no-driver-object (a module of a service without one); module-only; not-loaded (a boot \
    or system driver that should be there)."
)]
pub struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    selection: Selection,
    /// Only drivers in this state
    #[arg(long, value_enum)]
    state: Option<State>,
}

/// A state, as it is written on the command line.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum State {
    Loaded,
    NoService,
    NoModule,
    OfTheKernel,
    NoDriverObject,
    ModuleOnly,
    NotLoaded,
}

impl From<DriverState> for State {
    fn from(state: DriverState) -> Self {
        match state {
            DriverState::Loaded => Self::Loaded,
            DriverState::NoService => Self::NoService,
            DriverState::NoModule => Self::NoModule,
            DriverState::OfTheKernel => Self::OfTheKernel,
            DriverState::NoDriverObject => Self::NoDriverObject,
            DriverState::ModuleOnly => Self::ModuleOnly,
            DriverState::NotLoaded => Self::NotLoaded,
        }
    }
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
    let mut reading = snapshot.drivers();
    let totals = totals(&reading.value);
    reading
        .value
        .drivers
        .retain(|driver| args.state.is_none_or(|state| state == driver.state.into()));
    args.selection
        .apply(&tables::DRIVERS, &mut reading.value.drivers)?;
    let drivers = &reading.value;
    args.selection.show(
        args.input.json,
        &tables::DRIVERS,
        &drivers.drivers,
        drivers,
        |drivers| {
            totals.print()?;
            print(drivers)
        },
    )?;
    Ok(reading::finish(&snapshot, &reading.problems))
}

fn totals(drivers: &Drivers) -> Pairs {
    let known = |known: bool, count: usize| match known {
        true => count.to_string(),
        false => "not captured".to_owned(),
    };
    let count = |is_it: &dyn Fn(&bootshot_reader::records::Driver) -> bool| {
        drivers
            .drivers
            .iter()
            .filter(|driver| is_it(driver))
            .count()
    };
    let mut pairs = Pairs::default();
    pairs.add(
        "driver objects",
        known(
            drivers.known.driver_objects,
            count(&|driver| driver.driver_object.is_some()),
        ),
    );
    pairs.add(
        "kernel modules",
        known(
            drivers.known.modules,
            count(&|driver| driver.module.is_some()),
        ),
    );
    pairs.add(
        "service entries",
        known(
            drivers.known.services,
            count(&|driver| driver.service.is_some()),
        ),
    );
    pairs.add("devices", shown::optional(drivers.device_count));
    pairs
}

fn print(drivers: &Drivers) -> Result<(), Error> {
    output::line("")?;
    let mut table = Table::new(&[
        ("NAME", Align::Left),
        ("STATE", Align::Left),
        ("START", Align::Left),
        ("SERVICE", Align::Left),
        ("BASE", Align::Left),
        ("DRIVER OBJECT", Align::Left),
        ("DEVICE", Align::Left),
        ("GROUP", Align::Left),
        ("IMAGE PATH", Align::Left),
        ("MODULE", Align::Left),
    ]);
    for driver in &drivers.drivers {
        table.row([
            driver.name.clone(),
            words(driver.state).to_owned(),
            shown::optional(driver.start),
            shown::optional(driver.service.as_deref()),
            shown::optional(driver.base),
            shown::optional(driver.driver_object.as_deref()),
            shown::optional(driver.device.as_deref()),
            shown::optional(driver.group.as_deref()),
            shown::optional(driver.image_path.as_deref()),
            shown::optional(driver.module.as_deref()),
        ]);
    }
    table.print()
}

fn words(state: DriverState) -> &'static str {
    match state {
        DriverState::Loaded => "loaded",
        DriverState::NoService => "no service entry",
        DriverState::NoModule => "no module",
        DriverState::OfTheKernel => "of the kernel",
        DriverState::NoDriverObject => "no driver object",
        DriverState::ModuleOnly => "module only",
        DriverState::NotLoaded => "not loaded",
    }
}
