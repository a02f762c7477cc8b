//! Driver objects, against the kernel modules.
//!
//! A driver object has the name of its service, a module that of its file. For most drivers these are the same, without
//! `.sys`; where the service entry was captured, its `ImagePath` tells the file. The other way round nothing can be said:
//! many modules have no driver object (the HAL, libraries, display drivers, crash dump copies).

use std::collections::{BTreeMap, BTreeSet};

use bootshot_format::{OpenKind, Source};

use super::evidence::{Evidence, is_complete};
use super::{Report, counted};
use crate::decode::{self, ModuleClass};
use crate::names::describe_status;
use crate::records::drivers::{DIRECTORIES, OF_THE_KERNEL};
use crate::records::registry::services;
use crate::snapshot::Answer;

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

/// Characters of a file's name that findings show.
const LONGEST_NAME: usize = 64;

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
    let files = files_of_services(evidence);
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
        let of_service = files.get(&path.to_lowercase());
        if of_this_name(&driver.name) {
            same += 1;
        } else if let Some((.., reason)) = kernel {
            known.push(format!("{path} ({reason})"));
        } else if let Some(file) = of_service.filter(|file| of_this_name(stem(file))) {
            known.push(format!("{path} ({file}, as its service says)"));
        } else if let Some(file) = file {
            known.push(format!("{path} ({file}.sys)"));
        } else if let Some(file) = of_service.filter(|file| !is(stem(file))) {
            report.finding(
                "driver-without-module",
                path.clone(),
                &[&answer, &driver.answer],
                format!(
                    "driver object {path} has no kernel module named {0}.sys, and none named {file:.LONGEST_NAME$}, \
                     which its service names",
                    driver.name
                ),
            );
        } else {
            report.finding(
                "driver-without-module",
                path.clone(),
                &[&answer, &driver.answer],
                format!(
                    "driver object {path} has no kernel module named {}.sys; {}",
                    driver.name,
                    match of_service {
                        Some(_) => "its service names no other file",
                        None => "its service may name another file",
                    }
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
    let name = |module: &decode::Module<'_>| {
        let (path, start) = module.path();
        stem(&path[start..].to_lowercase()).to_owned()
    };
    let names: BTreeSet<String> = modules.iter().map(name).collect();
    (!names.is_empty()).then_some((answer, names))
}

/// A file name without what follows its last dot.
fn stem(file: &str) -> &str {
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// The files that service entries name, by the path of the driver object, both in lower case.
fn files_of_services(evidence: &Evidence<'_>) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for service in services(&evidence.registry) {
        if service.is_driver() {
            let paths = service.driver_objects().into_iter();
            files.extend(paths.map(|path| (path.to_lowercase(), service.image_file())));
        }
    }
    files
}

fn drivers<'s>(evidence: &Evidence<'s>, report: &mut Report<'_>) -> Vec<Driver<'s>> {
    for answer in evidence.snapshot.answers() {
        if answer.source != Source::OPEN || answer.class != OpenKind::DIRECTORY_OBJECT.0 {
            continue;
        }
        let path = answer.name();
        let known = DIRECTORIES
            .into_iter()
            .find(|directory| directory.eq_ignore_ascii_case(&path));
        if let Some(directory) = known {
            report.note(
                "no-driver-objects",
                format!(
                    "{directory} could not be opened ({}): its driver objects were not compared",
                    describe_status(answer.status)
                ),
            );
        }
    }
    let mut drivers = Vec::new();
    for directory in DIRECTORIES {
        let mut problems = Vec::new();
        let listing = evidence.snapshot.listing(directory, &mut problems);
        report.malformed(problems);
        for (answer, entries) in listing.into_iter().flatten() {
            let entries = entries.into_iter();
            drivers.extend(
                entries
                    .filter(|entry| &*entry.type_name == "Driver")
                    .map(|entry| Driver {
                        directory,
                        name: entry.name.to_string(),
                        answer,
                    }),
            );
        }
    }
    drivers
}
