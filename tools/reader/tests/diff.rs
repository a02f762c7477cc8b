//! Comparing snapshots: identities, rules, gaps, and what was planted.

use std::collections::BTreeMap;

use bootshot_format::{Family, Header, ObjectKind, Outcome, Phase, Source};
use bootshot_reader::Snapshot;
use bootshot_reader::diff::{
    self, Baseline, Boot, ChangedEntry, Comparison, Entry as Came, Options, RULES, SUBJECTS,
    SubjectComparison, Value, Which,
};
use bootshot_reader::redact::Keep;
use test_snapshots::machine::{machine_at_boot, machine_live};
use test_snapshots::objects::{
    self, BasicInformation, ListedHandle, ListedProcess, handle_list, type_table,
};
use test_snapshots::{
    Builder, Data, Entry, RegistryBatch, example_firmware, example_registry, header,
};

const SET: &str = "\\Registry\\Machine\\System\\CurrentControlSet";

/// A moment of a boot, and a later one.
const STARTED: u64 = 134_117_966_360_000_000;

#[derive(Clone, Copy)]
struct Process {
    pid: u64,
    parent: u64,
    started: u64,
    image: &'static str,
    command_line: Option<&'static str>,
    threads: usize,
}

const fn process(pid: u64, parent: u64, image: &'static str) -> Process {
    Process {
        pid,
        parent,
        started: STARTED + pid,
        image,
        command_line: None,
        threads: 1,
    }
}

const fn with_line(pid: u64, parent: u64, image: &'static str, line: &'static str) -> Process {
    Process {
        command_line: Some(line),
        ..process(pid, parent, image)
    }
}

/// An invented system. What is empty was captured, and is empty; `None` was not captured.
#[derive(Clone)]
struct System {
    header: Header,
    processes: Vec<Process>,
    handles: Option<Vec<ListedHandle>>,
    /// In `\BaseNamedObjects`.
    objects: Vec<(&'static str, &'static str)>,
    /// Symbolic links in `\GLOBAL??`.
    links: Vec<(&'static str, &'static str)>,
    registry: Option<Vec<Entry>>,
}

impl System {
    fn new() -> Self {
        Self {
            header: Header {
                nt_major: 10,
                nt_minor: 0,
                nt_build: 26100,
                process_id: 4000,
                boot_id: 41,
                ..header(8)
            },
            processes: vec![
                process(4, 0, "System"),
                process(300, 4, "smss.exe"),
                with_line(500, 300, "services.exe", "services.exe"),
                with_line(600, 500, "svchost.exe", "svchost.exe -k one"),
                with_line(604, 500, "svchost.exe", "svchost.exe -k one"),
                with_line(608, 500, "svchost.exe", "svchost.exe -k two"),
            ],
            handles: Some(Vec::new()),
            objects: Vec::new(),
            links: Vec::new(),
            registry: Some(example_registry()),
        }
    }

    /// The same machine after a restart: other ids, other times.
    fn restarted(&self) -> Self {
        let mut again = self.clone();
        again.header.boot_id += 1;
        again.header.boot_time += 864_000_000_000;
        for process in &mut again.processes {
            process.started += 864_000_000_000;
            if process.pid > 4 {
                process.pid += 1000;
            }
            if process.parent > 4 {
                process.parent += 1000;
            }
        }
        again
    }

    fn file(&self) -> Vec<u8> {
        let mut builder = Builder::with_header(self.header);
        builder.section(Family::PROCESSES, &self.process_list());
        let lines: Vec<Entry> = self
            .processes
            .iter()
            .filter_map(|process| {
                let line = objects::string(
                    Source::PROCESS_INFORMATION,
                    60,
                    process.pid,
                    process.command_line?,
                );
                Some(line.about(process.pid, process.started))
            })
            .collect();
        builder.batch(Family::DETAILS, &lines);
        if let Some(handles) = &self.handles {
            builder.section(Family::HANDLES, &handle_list(handles));
        }
        builder.section(Family::TYPES, &type_table(&["Type", "Event", "Key"]));
        builder.batch(Family::NAMESPACE, &self.namespace());
        if let Some(registry) = &self.registry {
            builder.batch(Family::REGISTRY, registry);
        }
        builder.finish()
    }

    fn process_list(&self) -> Entry {
        let tids: Vec<Vec<u64>> = self
            .processes
            .iter()
            .map(|process| {
                (0..process.threads as u64)
                    .map(|n| process.pid + n)
                    .collect()
            })
            .collect();
        let listed: Vec<ListedProcess<'_>> = self
            .processes
            .iter()
            .zip(&tids)
            .map(|(process, tids)| ListedProcess {
                pid: process.pid,
                create_time: process.started,
                image: process.image,
                tids,
            })
            .collect();
        let mut entry = objects::process_list(&listed);
        let mut start = 0;
        for process in &self.processes {
            // `InheritedFromUniqueProcessId`.
            entry.bytes[start + 0x58..][..8].copy_from_slice(&process.parent.to_le_bytes());
            let next = entry.bytes[start..].first_chunk().unwrap();
            start += u32::from_le_bytes(*next) as usize;
        }
        entry
    }

    fn namespace(&self) -> Vec<Entry> {
        let basic = BasicInformation::default();
        let below = |handle, number| {
            objects::opened(ObjectKind::DIRECTORY, handle, Some((0x10, number)), basic)
        };
        let links: Vec<(&str, &str)> = self
            .links
            .iter()
            .map(|(name, _)| (*name, "SymbolicLink"))
            .collect();
        let mut all = vec![
            objects::directory(
                0x10,
                0,
                &[("BaseNamedObjects", "Directory"), ("GLOBAL??", "Directory")],
            )
            .named("\\"),
            below(0x14, 0),
            below(0x18, 1),
            objects::directory(0x14, 0, &self.objects),
            objects::directory(0x18, 0, &links),
        ];
        for (number, (_, target)) in self.links.iter().enumerate() {
            let handle = 0x100 + 4 * number as u64;
            let entry = Some((0x18, number as u32));
            all.push(objects::opened(
                ObjectKind::SYMBOLIC_LINK,
                handle,
                entry,
                basic,
            ));
            all.push(objects::link_target(handle, target));
        }
        all
    }
}

fn compare_files(one: &[u8], other: &[u8], options: &Options) -> Comparison {
    let (one, other) = (
        Snapshot::parse(one).unwrap(),
        Snapshot::parse(other).unwrap(),
    );
    diff::compare(&one, &other, options)
}

fn compare(one: &System, other: &System) -> Comparison {
    compare_files(&one.file(), &other.file(), &Options::default())
}

/// With the rules but these.
fn without(rules: &[&str]) -> Options {
    let mut options = Options::default();
    options.rules.retain(|rule| !rules.contains(&rule.name));
    options
}

fn subject<'c>(comparison: &'c Comparison, name: &str) -> &'c SubjectComparison {
    let mut subjects = comparison.subjects.iter();
    subjects.find(|subject| subject.name == name).unwrap()
}

fn names(entries: &[Came]) -> Vec<String> {
    entries.iter().map(|entry| entry.name.to_string()).collect()
}

fn changed_names(entries: &[ChangedEntry]) -> Vec<String> {
    entries.iter().map(|entry| entry.name.to_string()).collect()
}

/// Came, went, changed.
fn counts(subject: &SubjectComparison) -> (usize, usize, usize) {
    let (added, removed) = (subject.added.len(), subject.removed.len());
    (added, removed, subject.changed.len())
}

fn hidden(subject: &SubjectComparison, rule: &str) -> u64 {
    let mut hidden = subject.hidden.iter().filter(|hidden| hidden.rule == rule);
    hidden.next().map_or(0, |hidden| hidden.count)
}

/// Fails with everything that differs, unless nothing but what `expected` names does.
#[track_caller]
fn assert_only_in(comparison: &Comparison, expected: &[&str]) {
    for subject in &comparison.subjects {
        let (added, removed) = (names(&subject.added), names(&subject.removed));
        let changed = changed_names(&subject.changed);
        let differs = counts(subject) != (0, 0, 0);
        assert_eq!(
            differs,
            expected.contains(&subject.name),
            "{}: +{added:?} -{removed:?} ~{changed:?}",
            subject.name
        );
    }
}

fn golden(moment: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");
    std::fs::read(format!("{folder}/v1-wine8-x64-{moment}.bshot")).unwrap()
}

#[test]
fn a_snapshot_does_not_differ_from_itself() {
    let mut files: Vec<Vec<u8>> = ["bootexecute", "setupexecute", "live"].map(golden).to_vec();
    let mut full = machine_live();
    full.batch(Family::REGISTRY, &example_registry())
        .batch(Family::FIRMWARE, &example_firmware());
    files.extend([full.finish(), System::new().file()]);
    files.extend([
        Builder::recorded_x64().finish(),
        Builder::recorded_x86().finish(),
    ]);
    for file in files {
        let options = without(&RULES.iter().map(|rule| rule.name).collect::<Vec<_>>());
        let comparison = compare_files(&file, &file, &options);
        assert_only_in(&comparison, &[]);
        assert_eq!(comparison.difference_count(), 0);
        assert!(
            comparison
                .subjects
                .iter()
                .all(|subject| subject.hidden.is_empty())
        );
    }
}

/// Else nothing of the above would be worth anything.
#[test]
fn every_subject_has_entries_that_are_compared() {
    let mut full = machine_live();
    full.batch(Family::REGISTRY, &example_registry())
        .batch(Family::FIRMWARE, &example_firmware());
    let files = [full.finish(), golden("live"), System::new().file()];
    let empty = Builder::with_header(header(4)).finish();
    for subject in SUBJECTS {
        let most = files.iter().map(|file| {
            let comparison =
                compare_files(&empty, file, &without(&["follows-process", "own-capture"]));
            let of = comparison.subjects.into_iter();
            let mut of = of.filter(|compared| compared.name == subject.name);
            let compared = of.next().unwrap();
            let missed = compared.not_comparable.iter().map(|gap| gap.entries);
            compared.added.len() as u64 + compared.changed.len() as u64 + missed.sum::<u64>()
        });
        assert_ne!(most.max(), Some(0), "{}", subject.name);
    }
}

#[test]
fn the_other_way_round_what_came_went() {
    let files = [
        golden("live"),
        machine_at_boot().finish(),
        machine_live().finish(),
        System::new().file(),
        System::new().restarted().file(),
        Builder::recorded_x86().finish(),
    ];
    let every_rule: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
    for options in [Options::default(), without(&every_rule)] {
        for (place, one) in files.iter().enumerate() {
            for other in &files[place + 1..] {
                let there = compare_files(one, other, &options);
                let back = compare_files(other, one, &options);
                assert_eq!(there.relation.boot, back.relation.boot);
                for (there, back) in there.subjects.iter().zip(&back.subjects) {
                    let sorted = |entries: &[Came]| {
                        let mut names = names(entries);
                        names.sort();
                        names
                    };
                    assert_eq!(
                        sorted(&there.added),
                        sorted(&back.removed),
                        "{}",
                        there.name
                    );
                    assert_eq!(
                        sorted(&there.removed),
                        sorted(&back.added),
                        "{}",
                        there.name
                    );
                    let values =
                        |subject: &SubjectComparison, back: bool| -> BTreeMap<String, usize> {
                            let mut values = BTreeMap::new();
                            for change in subject.changed.iter().flat_map(|entry| &entry.changes) {
                                let (from, to) = match back {
                                    false => (&change.from, &change.to),
                                    true => (&change.to, &change.from),
                                };
                                let shown = format!("{} {from:?} {to:?}", change.property);
                                *values.entry(shown).or_default() += 1;
                            }
                            values
                        };
                    assert_eq!(values(there, false), values(back, true), "{}", there.name);
                    assert_eq!(there.hidden, back.hidden, "{}", there.name);
                }
            }
        }
    }
}

#[test]
fn a_restart_alone_is_no_difference() {
    let one = System::new();
    let comparison = compare(&one, &one.restarted());
    assert_eq!(comparison.relation.boot, Boot::Other);
    assert_only_in(&comparison, &[]);
    assert_eq!(hidden(subject(&comparison, "boot"), "boot-itself"), 2);
}

#[test]
fn a_process_of_the_same_image_with_another_command_line_is_another_one() {
    let one = System::new();
    let mut other = one.restarted();
    other
        .processes
        .push(with_line(1700, 1500, "svchost.exe", "svchost.exe -k evil"));
    let comparison = compare(&one, &other);
    assert_only_in(&comparison, &["processes"]);
    let processes = subject(&comparison, "processes");
    assert_eq!(names(&processes.added), ["svchost.exe 1700"]);
    let line = Value::Text("svchost.exe -k evil".into());
    let told = |property: &diff::Property| property.property == "command_line";
    assert_eq!(
        processes.added[0]
            .properties
            .iter()
            .find(|p| told(p))
            .unwrap()
            .value,
        line
    );
    let threads = subject(&comparison, "threads");
    assert_eq!(hidden(threads, "follows-process"), 1);
}

#[test]
fn a_process_of_another_parent_is_another_one() {
    let one = System::new();
    let mut other = one.restarted();
    other.processes[5].parent = 1300;
    let comparison = compare(&one, &other);
    assert_eq!(counts(subject(&comparison, "processes")), (1, 1, 0));
}

#[test]
fn processes_that_are_alike_are_matched_in_the_order_of_their_start() {
    let one = System::new();
    let mut other = one.restarted();
    // Another of the same kind, listed first and started last.
    let youngest = Process {
        started: one.processes[4].started + 2 * 864_000_000_000,
        threads: 9,
        ..with_line(1404, 1500, "svchost.exe", "svchost.exe -k one")
    };
    other.processes.insert(0, youngest);
    let processes = compare(&one, &other);
    let processes = subject(&processes, "processes");
    assert_eq!(names(&processes.added), ["svchost.exe 1404"]);
    assert_eq!(counts(processes), (1, 0, 0));
}

#[test]
fn a_command_line_that_one_side_does_not_know_tells_no_processes_apart() {
    let one = System::new();
    let mut other = one.restarted();
    for process in &mut other.processes {
        process.command_line = None;
    }
    assert_only_in(&compare(&one, &other), &[]);
    // Nor does a parent that has ended.
    let mut orphaned = one.restarted();
    orphaned.processes[4].parent = 9999;
    assert_only_in(&compare(&one, &orphaned), &[]);
}

#[test]
fn within_a_boot_a_process_is_its_id_and_start() {
    let one = System::new();
    let mut later = one.clone();
    later.header.sequence += 1;
    // The id of one that ended is another's, of the same image and command line.
    later.processes[3].started += 50_000_000;
    let comparison = compare(&one, &later);
    assert_eq!(comparison.relation.boot, Boot::Same);
    let processes = subject(&comparison, "processes");
    assert_eq!(names(&processes.added), ["svchost.exe 600"]);
    assert_eq!(names(&processes.removed), ["svchost.exe 600"]);
    // Between two boots that is nothing.
    assert_only_in(&compare(&one, &later.restarted()), &[]);
}

#[test]
fn within_a_boot_a_process_that_has_another_image_changed() {
    let one = System::new();
    let mut later = one.clone();
    later.processes[3].image = "other.exe";
    let comparison = compare(&one, &later);
    assert_eq!(comparison.relation.boot, Boot::Same);
    let processes = subject(&comparison, "processes");
    assert_eq!(counts(processes), (0, 0, 1));
    let [changed] = &processes.changed[..] else {
        panic!("{processes:?}");
    };
    assert_eq!(changed.name.to_string(), "other.exe 600");
    let former = changed.former_name.as_ref().map(ToString::to_string);
    assert_eq!(former.as_deref(), Some("svchost.exe 600"));
    assert_eq!(changed.changes[0].property, "image");
    assert_eq!(
        (&changed.changes[0].from, &changed.changes[0].to),
        (
            &Value::Path("svchost.exe".into()),
            &Value::Path("other.exe".into())
        )
    );
    // The case of a name tells nothing.
    later.processes[3].image = "SvcHost.exe";
    assert_only_in(&compare(&one, &later), &[]);
    // Between two boots it is another process.
    later.processes[3].image = "other.exe";
    let processes = compare(&one, &later.restarted());
    assert_eq!(counts(subject(&processes, "processes")), (1, 1, 0));
}

#[test]
fn of_processes_of_one_id_and_start_those_of_one_image_are_matched_first() {
    let mut one = System::new();
    let again = Process {
        image: "again.exe",
        command_line: None,
        ..one.processes[3]
    };
    one.processes.push(again);
    let mut later = one.clone();
    later.processes.swap(3, 6);
    let comparison = compare(&one, &later);
    assert_eq!(counts(subject(&comparison, "processes")), (0, 0, 0));
    later.processes[6].image = "other.exe";
    let comparison = compare(&one, &later);
    let processes = subject(&comparison, "processes");
    assert_eq!(changed_names(&processes.changed), ["other.exe 600"]);
    assert_eq!(counts(processes), (0, 0, 1));
}

#[test]
fn planted_services_drivers_and_list_entries_came() {
    let one = System::new();
    let mut other = one.restarted();
    let mut batch = RegistryBatch::default();
    let services = [
        "ACPI",
        "Null",
        "Beep",
        "Ntfs",
        "WdFilter",
        "VendorSentinel",
        "BFE",
        "evil",
    ];
    batch
        .subkeys(&format!("{SET}\\Services"), &services)
        .values(
            &format!("{SET}\\Services\\evil"),
            &[
                ("Type", Data::Number(1)),
                ("Start", Data::Number(0)),
                ("ImagePath", Data::Expand("system32\\drivers\\evil.sys")),
            ],
        )
        .values(
            &format!("{SET}\\Control\\Session Manager"),
            &[
                (
                    "BootExecute",
                    Data::Texts(&["autocheck autochk *", "bootshot", "evil now"]),
                ),
                ("CriticalSectionTimeout", Data::Number(2_592_000)),
                (
                    "ObjectDirectories",
                    Data::Texts(&["\\Windows", "\\RPC Control"]),
                ),
                ("ExcludeFromKnownDlls", Data::Of(7, &[])),
                ("DisableWpbtExecution", Data::Number(1)),
            ],
        );
    // What is asked first counts.
    let mut registry = batch.0;
    let asked = |entry: &Entry| (entry.source, entry.name.to_lowercase());
    let planted: Vec<_> = registry.iter().map(asked).collect();
    let rest = one.registry.clone().unwrap().into_iter();
    registry.extend(rest.filter(|entry| !planted.contains(&asked(entry))));
    other.registry = Some(registry);
    let comparison = compare(&one, &other);
    assert_only_in(&comparison, &["services", "lists", "values"]);
    assert_eq!(names(&subject(&comparison, "services").added), ["evil"]);
    let lists = subject(&comparison, "lists");
    assert_eq!(names(&lists.added), ["BootExecute"]);
    assert_eq!(hidden(lists, "list-places"), 2);
    let values = subject(&comparison, "values");
    assert_eq!(counts(values), (0, 0, 1));
    assert_eq!(
        values.changed[0].changes[0].to,
        Value::Texts(vec![
            "autocheck autochk *".to_owned(),
            "bootshot".to_owned(),
            "evil now".to_owned()
        ])
    );
}

/// The system with a service that starts this, and in its environment this variable.
fn starting(system: &System, image_path: &'static str, variable: &'static str) -> Vec<u8> {
    let mut batch = RegistryBatch::default();
    batch
        .subkeys(&format!("{SET}\\Services"), &["planted"])
        .values(
            &format!("{SET}\\Services\\planted"),
            &[
                ("Type", Data::Number(16)),
                ("ImagePath", Data::Expand(image_path)),
            ],
        )
        .values(
            &format!("{SET}\\Control\\Session Manager\\Environment"),
            &[("Path", Data::Expand(variable))],
        );
    let system = System {
        registry: Some(batch.0),
        ..system.clone()
    };
    system.file()
}

#[test]
fn of_a_service_the_image_is_compared_where_one_side_has_no_arguments() {
    let options = Options::default();
    let system = System::new();
    let whole = starting(&system, "C:\\good.exe -k one", "C:\\bin");
    let redacted =
        |file: &[u8]| bootshot_reader::redact::redact(file, b"a key", Keep::default()).unwrap();
    let other = system.restarted();
    let same = redacted(&starting(&other, "C:\\good.exe -k two", "C:\\tools")).file;
    assert_only_in(&compare_files(&whole, &same, &options), &[]);
    assert_only_in(&compare_files(&same, &whole, &options), &[]);
    let evil = redacted(&starting(&other, "C:\\evil.exe -k one", "C:\\bin")).file;
    let comparison = compare_files(&whole, &evil, &options);
    assert_only_in(&comparison, &["services"]);
    let change = &subject(&comparison, "services").changed[0].changes[0];
    assert_eq!(change.property, "image_path");
    assert_eq!(change.from, Value::Path("C:\\good.exe".into()));
    assert_eq!(change.to, Value::Path("C:\\evil.exe".into()));
    // With nothing removed, or the same from both, arguments and variables count.
    let kept = starting(&other, "C:\\good.exe -k other", "C:\\tools");
    let expected = ["services", "values"];
    assert_only_in(&compare_files(&whole, &kept, &options), &expected);
    let both = [redacted(&whole).file, redacted(&kept).file];
    assert_only_in(&compare_files(&both[0], &both[1], &options), &expected);
}

#[test]
fn a_planted_driver_came() {
    let machine = |drivers: &[(&str, &str)]| {
        let basic = BasicInformation::default();
        let mut builder = Builder::with_header(header(8));
        builder
            .batch(
                Family::NAMESPACE,
                &[
                    objects::directory(0x10, 0, &[("Driver", "Directory")]).named("\\"),
                    objects::opened(ObjectKind::DIRECTORY, 0x14, Some((0x10, 0)), basic),
                    objects::directory(0x14, 0, drivers),
                ],
            )
            .batch(Family::REGISTRY, &example_registry());
        let recorded = test_snapshots::recording_x64();
        let modules = recorded.iter().find(|record| record.class == 11).unwrap();
        let modules = Entry::new(
            Source::SYSTEM_INFORMATION,
            11,
            modules.address,
            &modules.bytes,
        );
        builder.section(Family::MODULES, &modules);
        builder.finish()
    };
    let one = machine(&[("Null", "Driver")]);
    let other = machine(&[("Null", "Driver"), ("evil", "Driver")]);
    let comparison = compare_files(&one, &other, &Options::default());
    assert_only_in(&comparison, &["drivers", "objects"]);
    assert_eq!(names(&subject(&comparison, "drivers").added), ["evil"]);
    assert_eq!(
        names(&subject(&comparison, "objects").added),
        ["\\Driver\\evil"]
    );
}

#[test]
fn objects_are_known_by_path_in_any_case_and_links_by_where_they_lead() {
    let mut one = System::new();
    one.objects = vec![("Kept", "Event"), ("Turned", "Event"), ("Gone", "Mutant")];
    one.links = vec![("C:", "\\Device\\HarddiskVolume1"), ("X", "\\A")];
    let mut other = one.clone();
    other.objects = vec![
        ("KEPT", "Event"),
        ("Turned", "Section"),
        ("Planted", "Mutant"),
    ];
    other.links = vec![("C:", "\\Device\\HarddiskVolume2"), ("X", "\\a")];
    let comparison = compare(&one, &other);
    assert_only_in(&comparison, &["objects", "symlinks"]);
    let objects = subject(&comparison, "objects");
    assert_eq!(names(&objects.added), ["\\BaseNamedObjects\\Planted"]);
    assert_eq!(names(&objects.removed), ["\\BaseNamedObjects\\Gone"]);
    assert_eq!(
        changed_names(&objects.changed),
        ["\\BaseNamedObjects\\Turned"]
    );
    let links = subject(&comparison, "symlinks");
    assert_eq!(changed_names(&links.changed), ["\\GLOBAL??\\C:"]);
    assert_eq!(links.changed[0].changes[0].property, "target");
}

#[test]
fn volatile_parts_of_names_are_noise_between_boots_and_count() {
    let mut one = System::new();
    one.objects = vec![("Lock_600", "Mutant"), ("Lock_604", "Mutant")];
    one.links = vec![("X", "\\Device\\00000053")];
    let mut other = one.restarted();
    other.objects = vec![("Lock_1600", "Mutant"), ("Lock_1604", "Mutant")];
    other.links = vec![("X", "\\Device\\00000071")];
    let comparison = compare(&one, &other);
    assert_only_in(&comparison, &[]);
    assert_eq!(hidden(subject(&comparison, "objects"), "process-ids"), 2);
    assert_eq!(
        hidden(subject(&comparison, "symlinks"), "device-numbers"),
        1
    );
    // Switched off, they show.
    let strict = without(&["process-ids", "device-numbers"]);
    let shown = compare_files(&one.file(), &other.file(), &strict);
    assert_eq!(counts(subject(&shown, "objects")), (2, 2, 0));
    assert_eq!(counts(subject(&shown, "symlinks")), (0, 0, 1));
    // Within a boot they are names like others.
    let mut later = one.clone();
    later.objects = vec![("Lock_600", "Mutant"), ("Lock_608", "Mutant")];
    let shown = compare(&one, &later);
    assert_eq!(counts(subject(&shown, "objects")), (1, 1, 0));
}

#[test]
fn handles_are_counted_by_process_and_type_and_addresses_make_no_difference() {
    let handles = |pid: u64, count: u64, base: u64| {
        (0..count).map(move |number| ListedHandle {
            pid,
            handle: 4 + 4 * number,
            object: base + number * 0x40,
            type_index: 3,
        })
    };
    let mut one = System::new();
    one.handles = Some(
        handles(600, 20, 0xFFFF_8000_0000_0000)
            .chain(handles(608, 100, 0xFFFF_8001_0000_0000))
            .collect(),
    );
    let mut other = one.restarted();
    other.handles = Some(
        handles(1600, 23, 0xFFFF_A000_0000_0000)
            .chain(handles(1608, 109, 0xFFFF_B001_0000_0000))
            .collect(),
    );
    let comparison = compare(&one, &other);
    assert_only_in(&comparison, &["handles"]);
    let handles = subject(&comparison, "handles");
    assert_eq!(changed_names(&handles.changed), ["svchost.exe 1600"]);
    let change = &handles.changed[0].changes[0];
    assert_eq!(
        (&change.from, &change.to),
        (&Value::Count(20), &Value::Count(23))
    );
    assert_eq!(hidden(handles, "handle-drift"), 1);
}

#[test]
fn what_was_not_captured_never_came_or_went() {
    let one = System::new();
    let mut other = one.clone();
    other.registry = None;
    other.handles = None;
    for (from, to, side) in [(&one, &other, Which::Second), (&other, &one, Which::First)] {
        let comparison = compare(from, to);
        assert_only_in(&comparison, &[]);
        for name in [
            "services",
            "values",
            "lists",
            "filters",
            "autologgers",
            "hives",
        ] {
            let gaps = &subject(&comparison, name).not_comparable;
            assert_eq!(gaps.len(), 1, "{name}");
            assert_eq!(gaps[0].side, side);
            assert_ne!(gaps[0].entries, 0, "{name}");
            assert_eq!(gaps[0].reason, "not captured");
        }
        let handles = &subject(&comparison, "handles").not_comparable;
        assert_eq!(handles[0].reason, "not captured");
    }
}

#[test]
fn what_a_refused_directory_holds_is_not_comparable_and_the_rest_is() {
    let machine = |secret_listed: bool, planted: bool| {
        let basic = BasicInformation::default();
        let mut top = vec![("Secret", "Directory")];
        top.extend(planted.then_some(("Planted", "Event")));
        let mut entries = vec![objects::directory(0x10, 0, &top).named("\\")];
        if secret_listed {
            entries.extend([
                objects::opened(ObjectKind::DIRECTORY, 0x14, Some((0x10, 0)), basic),
                objects::directory(0x14, 0, &[("a", "Event"), ("b", "Event")]),
            ]);
        } else {
            entries.push(objects::not_opened(
                ObjectKind::DIRECTORY,
                (0x10, 0),
                0xC000_0022,
            ));
        }
        let mut builder = Builder::with_header(header(8));
        builder.batch(Family::NAMESPACE, &entries);
        builder.finish()
    };
    let comparison = compare_files(
        &machine(false, false),
        &machine(true, true),
        &Options::default(),
    );
    let objects = subject(&comparison, "objects");
    assert_eq!(names(&objects.added), ["\\Planted"]);
    assert_eq!(objects.not_comparable.len(), 1);
    let gap = &objects.not_comparable[0];
    assert_eq!(gap.below.as_deref(), Some("\\secret"));
    assert_eq!((gap.side, gap.entries), (Which::First, 2));
    assert!(
        gap.reason.contains("STATUS_ACCESS_DENIED"),
        "{}",
        gap.reason
    );
}

#[test]
fn a_family_that_was_cut_off_or_skipped_is_not_comparable() {
    let one = System::new();
    for outcome in [Outcome::SKIPPED_BY_BUDGET, Outcome::SKIPPED_BY_ARGUMENT] {
        let mut builder = Builder::with_header(one.header);
        builder
            .section(Family::PROCESSES, &one.process_list())
            .skipped(Family::REGISTRY, outcome);
        let comparison = compare_files(&one.file(), &builder.finish(), &Options::default());
        let services = subject(&comparison, "services");
        assert_eq!(counts(services), (0, 0, 0));
        assert!(services.not_comparable[0].reason.starts_with("skipped by "));
    }
}

#[test]
fn a_damaged_section_takes_its_subjects_out_and_leaves_the_others() {
    let one = System::new();
    let mut other = one.clone();
    other
        .processes
        .push(with_line(700, 500, "svchost.exe", "svchost.exe -k evil"));
    let mut file = other.file();
    let registry = {
        let snapshot = Snapshot::parse(&file).unwrap();
        let mut sections = snapshot.sections.iter();
        let registry = sections.find(|section| section.begin.family == Family::REGISTRY);
        registry.unwrap().file_offset as usize
    };
    file[registry + 1_000] ^= 1;
    let comparison = compare_files(&one.file(), &file, &Options::default());
    assert!(comparison.relation.second.damaged && !comparison.relation.first[0].damaged);
    assert_only_in(&comparison, &["processes"]);
    let services = subject(&comparison, "services");
    assert!(
        services
            .not_comparable
            .iter()
            .any(|gap| gap.side == Which::Second
                && gap.reason.contains("damaged")
                && gap.entries == 7),
        "{:?}",
        services.not_comparable
    );
}

#[test]
fn the_capture_itself_is_noise() {
    let one = System::new();
    let mut other = one.clone();
    other.header.process_id = 4004;
    let mut files = [one, other].map(|system| {
        let mut system = system;
        let pid = system.header.process_id;
        system
            .processes
            .push(with_line(pid, 300, "bootshot.exe", "bootshot"));
        system
    });
    let comparison = compare(&files[0], &files[1]);
    assert_only_in(&comparison, &[]);
    assert_eq!(hidden(subject(&comparison, "processes"), "own-capture"), 2);
    // Another one of the kind is none.
    files[1]
        .processes
        .push(with_line(4008, 300, "bootshot.exe", "bootshot"));
    let comparison = compare(&files[0], &files[1]);
    assert_only_in(&comparison, &["processes"]);
}

#[test]
fn snapshots_of_both_pointer_widths_are_compared() {
    let (x86, x64) = (
        Builder::recorded_x86().finish(),
        Builder::recorded_x64().finish(),
    );
    let comparison = compare_files(&x86, &x64, &Options::default());
    assert_eq!(comparison.relation.boot, Boot::Other);
    let processes = subject(&comparison, "processes");
    assert_eq!(
        (processes.added.len(), processes.removed.len()),
        (0, 0),
        "+{:?} -{:?}",
        names(&processes.added),
        names(&processes.removed)
    );
    let machine = subject(&comparison, "boot").changed.iter();
    let mut machine = machine.filter(|entry| entry.name.to_string() == "machine");
    let change = &machine.next().unwrap().changes[0];
    assert_eq!(
        (&change.from, &change.to),
        (&Value::Text("x86".into()), &Value::Text("x64".into()))
    );
}

#[test]
fn the_moments_of_a_recorded_boot_show_what_each_stage_adds() {
    let boot = compare_files(
        &golden("bootexecute"),
        &golden("setupexecute"),
        &Options::default(),
    );
    assert_eq!(boot.relation.boot, Boot::Same);
    assert_only_in(&boot, &[]);
    let live = compare_files(
        &golden("setupexecute"),
        &golden("live"),
        &Options::default(),
    );
    assert_eq!(live.relation.boot, Boot::Other);
    let objects = names(&subject(&live, "objects").added);
    assert_eq!(objects.len(), 5, "{objects:?}");
    assert!(objects.iter().all(|name| name.contains("bootshot planted")));
    let processes = names(&subject(&live, "processes").added);
    assert!(
        processes.contains(&"ended.exe 212".to_owned()),
        "{processes:?}"
    );
}

/// What a baseline of `good` says of `second`.
fn baseline(good: &[System], second: &System) -> Comparison {
    let (file, options) = (second.file(), Options::default());
    let snapshot = Snapshot::parse(&file).unwrap();
    let mut baseline = Baseline::new(&snapshot, &options);
    for good in good {
        baseline.add(&Snapshot::parse(&good.file()).unwrap());
    }
    baseline.finish()
}

#[test]
fn a_baseline_shows_only_what_none_of_it_has() {
    let mut one = System::new();
    one.objects = vec![("Common", "Event"), ("One", "Event")];
    let mut two = one.restarted();
    two.objects = vec![("Common", "Event"), ("Two", "Event")];
    let mut second = two.restarted();
    second.objects = vec![
        ("Common", "Event"),
        ("One", "Event"),
        ("Two", "Section"),
        ("Three", "Event"),
    ];
    let comparison = baseline(&[one.clone(), two.clone()], &second);
    assert!(comparison.relation.baseline);
    assert_eq!(comparison.relation.first.len(), 2);
    assert_only_in(&comparison, &["objects"]);
    let objects = subject(&comparison, "objects");
    assert_eq!(names(&objects.added), ["\\BaseNamedObjects\\Three"]);
    assert_eq!(changed_names(&objects.changed), ["\\BaseNamedObjects\\Two"]);
    assert_eq!(counts(objects), (1, 0, 1), "nothing went");
    // A value that one of them has is known.
    let mut three = one.restarted();
    three.objects = vec![("Two", "Section"), ("Three", "Event")];
    assert_only_in(&baseline(&[one, two, three], &second), &[]);
}

#[test]
fn what_one_of_a_baseline_does_not_know_another_may() {
    let one = System::new();
    let mut blind = one.restarted();
    blind.registry = None;
    let second = blind.restarted();
    let second = System {
        registry: one.registry.clone(),
        ..second
    };
    for good in [vec![one.clone(), blind.clone()], vec![blind.clone(), one]] {
        let comparison = baseline(&good, &second);
        assert_only_in(&comparison, &[]);
        assert_eq!(subject(&comparison, "services").not_comparable, []);
    }
    let comparison = baseline(&[blind], &second);
    assert_only_in(&comparison, &[]);
    let gaps = &subject(&comparison, "services").not_comparable;
    assert_eq!((gaps.len(), gaps[0].entries), (1, 7));
}

#[test]
fn a_baseline_of_one_says_what_a_comparison_says_but_for_what_went() {
    let (one, other) = (golden("setupexecute"), golden("live"));
    let options = Options::default();
    let compared = compare_files(&one, &other, &options);
    let (good, second) = (
        Snapshot::parse(&one).unwrap(),
        Snapshot::parse(&other).unwrap(),
    );
    let mut baseline = Baseline::new(&second, &options);
    baseline.add(&good);
    for (subject, compared) in baseline.finish().subjects.iter().zip(&compared.subjects) {
        assert_eq!(subject.added, compared.added, "{}", subject.name);
        assert_eq!(subject.changed, compared.changed, "{}", subject.name);
        assert_eq!(subject.removed, []);
    }
}

#[test]
fn jobs_without_a_name_are_not_missed_at_boot() {
    let boot = machine_at_boot().finish();
    let mut live = machine_live();
    let live = {
        live.batch(Family::REGISTRY, &[]);
        live.finish()
    };
    let comparison = compare_files(&boot, &live, &Options::default());
    let jobs = subject(&comparison, "jobs");
    assert_eq!(counts(jobs), (0, 0, 0));
    assert_eq!(jobs.not_comparable[0].entries, 1);
    assert_eq!(
        Snapshot::parse(&boot).unwrap().header.phase,
        Phase::BOOT_EXECUTE
    );
}
