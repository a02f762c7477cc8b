//! Driver objects, against the kernel modules.
//!
//! A driver object has the name of its service, a module that of its file. For most drivers these are the same, without
//! `.sys`; nothing else is compared, since neither list tells which module an object belongs to. So a driver object
//! without a module of its name may have been loaded from a file of another name, which its service's `ImagePath`
//! tells. The other way round nothing can be said: many modules have no driver object (the HAL, libraries, display
//! drivers, crash dump copies).

use std::collections::BTreeSet;

use bootshot_format::{OpenKind, Source};

use super::evidence::{Evidence, is_complete};
use super::{Report, counted};
use crate::decode::{self, ModuleClass};
use crate::names::describe_status;
use crate::snapshot::Answer;

/// The directories of driver objects.
const DIRECTORIES: [&str; 2] = ["\\Driver", "\\FileSystem"];

/// Driver objects that the kernel or the HAL makes for itself, and their directory. They have no module of their own.
const OF_THE_KERNEL: &[(&str, &str, &str)] = &[
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

/// Drivers of Windows with a service that is called otherwise than the file.
const OTHERWISE_NAMED: &[(&str, &[&str])] = &[
    ("aic78xx", &["djsvs"]),
    ("BthLEEnum", &["Microsoft.Bluetooth.Legacy.LEEnumerator"]),
    ("cht4iscsi", &["cht4sx64"]),
    ("E1G60", &["E1G60I32", "E1G6032E", "E1G60I64"]),
    ("gencounter", &["vmgencounter"]),
    ("GPIOClx0101", &["msgpioclx"]),
    ("HdAudAddService", &["HdAudio"]),
    ("IpFilterDriver", &["ipfltdrv"]),
    ("iScsiPrt", &["msiscsi"]),
    ("NativeWifiP", &["nwifi"]),
    ("PptpMiniport", &["raspptp"]),
    ("Processor", &["processr"]),
    ("Psched", &["pacer"]),
    ("RasAgileVpn", &["AgileVpn"]),
    ("s3cap", &["vms3cap"]),
    ("storflt", &["vmstorfl"]),
    ("TCPIP6", &["tcpip"]),
    ("Telemetry", &["IntelTA"]),
    ("vga", &["vgapnp"]),
    ("VgaSave", &["vga"]),
    ("Wanarpv6", &["wanarp"]),
];

/// A driver object as a directory lists it.
struct Driver<'s> {
    directory: &'static str,
    name: String,
    answer: Answer<'s>,
}

pub(super) fn check(evidence: &Evidence<'_>, report: &mut Report<'_>) {
    let Some((answer, modules)) = modules(evidence, report) else {
        report.note(
            "no-modules",
            "there is no complete list of kernel modules to compare driver objects with",
        );
        return;
    };
    let drivers = drivers(evidence, report);
    if drivers.is_empty() {
        return;
    }
    let of_this_name = |name: &str| modules.contains(&name.to_lowercase());
    let (mut same, mut known) = (0, Vec::new());
    for driver in &drivers {
        let is = |name: &str| driver.name.eq_ignore_ascii_case(name);
        let path = format!("{}\\{}", driver.directory, driver.name);
        let kernel = OF_THE_KERNEL
            .iter()
            .find(|(directory, name, _)| *directory == driver.directory && is(name));
        let file = OTHERWISE_NAMED
            .iter()
            .filter(|(name, _)| is(name))
            .flat_map(|(_, files)| files.iter())
            .find(|file| of_this_name(file));
        if of_this_name(&driver.name) {
            same += 1;
        } else if let Some((.., reason)) = kernel {
            known.push(format!("{path} ({reason})"));
        } else if let Some(file) = file {
            known.push(format!("{path} ({file}.sys)"));
        } else {
            report.finding(
                "driver-without-module",
                path.clone(),
                &[&answer, &driver.answer],
                format!(
                    "driver object {path} has no kernel module named {}.sys; its service may name another file",
                    driver.name
                ),
            );
        }
    }
    let mut text = format!(
        "{} of {} have a kernel module of their name",
        same,
        counted(drivers.len() as u64, "driver object")
    );
    if !known.is_empty() {
        text += &format!("; known to have none: {}", known.join(", "));
    }
    report.note("driver-objects", text);
}

/// The names of the modules' files in lower case, without what follows the last dot.
fn modules<'s>(
    evidence: &Evidence<'s>,
    report: &mut Report<'_>,
) -> Option<(Answer<'s>, BTreeSet<String>)> {
    let mut answers = evidence.snapshot.answers().filter(is_complete);
    let (answer, class) = answers.find_map(|answer| {
        let is_list = answer.source == Source::SYSTEM_INFORMATION && answer.succeeded();
        let class = ModuleClass::from_number(answer.class).filter(|_| is_list)?;
        Some((answer, class))
    })?;
    let mut problems = Vec::new();
    let modules = answer.decode(&mut problems, |buffer, problems| {
        decode::modules(buffer, class, problems)
    });
    report.malformed(problems);
    let stem = |module: &decode::Module<'_>| {
        let (path, start) = module.path();
        let name = path[start..].to_lowercase();
        name.rsplit_once('.')
            .map_or(name.clone(), |(stem, _)| stem.to_owned())
    };
    let names: BTreeSet<String> = modules.iter().map(stem).collect();
    (!names.is_empty()).then_some((answer, names))
}

fn drivers<'s>(evidence: &Evidence<'s>, report: &mut Report<'_>) -> Vec<Driver<'s>> {
    let mut drivers = Vec::new();
    for answer in evidence.snapshot.answers() {
        let path = match answer.source {
            Source::DIRECTORY_OBJECT => answer.name(),
            Source::OPEN if answer.class == OpenKind::DIRECTORY_OBJECT.0 => answer.name(),
            _ => continue,
        };
        let Some(directory) = DIRECTORIES
            .into_iter()
            .find(|directory| directory.eq_ignore_ascii_case(&path))
        else {
            continue;
        };
        if answer.source == Source::OPEN {
            report.note(
                "no-driver-objects",
                format!(
                    "{directory} could not be opened ({}): its driver objects were not compared",
                    describe_status(answer.status)
                ),
            );
            continue;
        }
        if !answer.succeeded() {
            continue;
        }
        let mut problems = Vec::new();
        let entries = answer.decode(&mut problems, decode::directory_entries);
        report.malformed(problems);
        drivers.extend(
            entries
                .into_iter()
                .filter(|entry| &*entry.type_name == "Driver")
                .map(|entry| Driver {
                    directory,
                    name: entry.name.to_string(),
                    answer,
                }),
        );
    }
    drivers
}
