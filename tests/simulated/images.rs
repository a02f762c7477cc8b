//! First pages of images: each once, live only, and none that costs another.

use crate::snapshot::Snapshot;
use crate::{INSUFFICIENT_RESOURCES, boot, capture, only_snapshot, status, text};
use bootshot::nt::Status;
use bootshot::nt::simulated::{Fault, Machine, Module, Process, Reply};
use bootshot_format::{Family, OpenKind, Outcome, Source};

/// `ProcessImageFileName`.
const IMAGE_FILE_NAME: u32 = 27;

/// A running system, all of whose images are on its disk.
fn live() -> Machine {
    let mut machine = Machine::small().with_command_line("bootshot phase=live");
    let processes = machine.processes.iter().map(|process| &process.name);
    let modules = machine.modules.iter().map(|module| &module.path);
    let names = processes.chain(modules).map(|path| {
        let (_, name) = path.rsplit_once('\\').unwrap_or(("", path));
        name.to_owned()
    });
    for name in names.filter(|name| !name.is_empty()).collect::<Vec<_>>() {
        machine
            .files
            .put(&format!(r"Windows\System32\{name}"), name.as_bytes());
    }
    machine
}

/// Path and bytes of each image that was read.
fn images(snapshot: &Snapshot) -> Vec<(String, Vec<u8>)> {
    let items = snapshot.items_of(Source::FILE_CONTENT, 0);
    items
        .iter()
        .map(|item| (text(item.name), item.data.to_vec()))
        .collect()
}

/// Path and status of each that was not.
fn refused(snapshot: &Snapshot) -> Vec<(String, Status)> {
    let mut items = snapshot.items_of(Source::OPEN, OpenKind::FILE.0);
    items.retain(|item| !text(item.name).ends_with("wpbbin.exe"));
    items
        .iter()
        .map(|item| (text(item.name), Status::new(item.header.status)))
        .collect()
}

#[test]
fn the_first_page_of_every_image_is_read_once() {
    let mut machine = live();
    let page: Vec<u8> = (0..10_000u32).map(|n| (n % 253) as u8).collect();
    machine.files.put(r"Windows\System32\svchost.exe", &page);
    for id in 0..20 {
        let mut process = Process::new(1000 + id * 4, 348, "svchost.exe");
        if id % 2 == 0 {
            let path = r"\Device\HarddiskVolume1\WINDOWS\system32\SVCHOST.EXE";
            let reply = Reply::Text(path.into());
            process.information.insert(IMAGE_FILE_NAME, reply);
        }
        machine.processes.push(process);
    }
    // A process of the kernel's has no image.
    let nameless = Reply::Text(String::new());
    machine.processes[2]
        .information
        .insert(IMAGE_FILE_NAME, nameless);
    let (snapshot, _) = capture(machine);
    let images = images(&snapshot);
    let names: Vec<_> = images
        .iter()
        .map(|(path, _)| path.rsplit_once('\\').unwrap().1.to_lowercase())
        .collect();
    assert_eq!(
        names,
        [
            "system",
            "smss.exe",
            "bootshot.exe",
            "svchost.exe",
            "ntoskrnl.exe",
            "hal.dll",
            "ntfs.sys"
        ]
    );
    for ((path, bytes), name) in images.iter().zip(&names) {
        match name.as_str() {
            "svchost.exe" => assert_eq!(bytes[..], page[..0x1000]),
            _ => assert_eq!(text_of(bytes), path.rsplit_once('\\').unwrap().1),
        }
    }
    assert_eq!(refused(&snapshot), []);
    assert_eq!(snapshot.outcomes(Family::IMAGES), [Outcome::COMPLETE]);
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn modules_are_found_in_the_older_list_too() {
    let mut machine = live();
    machine.unknown_classes.insert(77);
    let (snapshot, _) = capture(machine);
    let modules: Vec<_> = images(&snapshot)
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| path.starts_with(r"\SystemRoot"))
        .collect();
    assert_eq!(
        modules,
        ["ntoskrnl.exe", "hal.dll", "ntfs.sys"].map(|name| format!(r"\SystemRoot\system32\{name}"))
    );
}

#[test]
fn an_image_that_cannot_be_opened_or_read_costs_only_itself() {
    let machine = live()
        .on(
            |call| call.name == "NtCreateFile" && call.text.ends_with("smss.exe"),
            Fault::Fail(Status::ACCESS_DENIED),
        )
        .on(
            |call| call.name == "NtReadFile" && call.argument == 0x1000,
            Fault::Fail(INSUFFICIENT_RESOURCES),
        );
    let all = images(&capture(live()).0).len();
    let (snapshot, _) = capture(machine);
    let refused = refused(&snapshot);
    assert_eq!(refused.len(), 1);
    assert!(refused[0].0.ends_with("smss.exe"));
    assert_eq!(refused[0].1, Status::ACCESS_DENIED);
    let unread = snapshot.items_of(Source::FILE_CONTENT, 0);
    assert_eq!(unread.len(), all - 1);
    for item in unread {
        let expected = (Outcome::FAILED, INSUFFICIENT_RESOURCES.number());
        assert_eq!((item.header.outcome, item.header.status), expected);
    }
}

#[test]
fn at_boot_no_image_is_opened() {
    for line in ["bootshot", "bootshot phase=setupexecute"] {
        let (snapshot, run) = capture(live().with_command_line(line));
        assert_eq!(
            snapshot.outcomes(Family::IMAGES),
            [Outcome::SKIPPED_BY_PHASE]
        );
        assert!(!run.calls.iter().any(|call| call.name == "NtReadFile"));
    }
    let unwanted = live().with_command_line("bootshot skip=images");
    assert_eq!(
        capture(unwanted).0.outcomes(Family::IMAGES),
        [Outcome::SKIPPED_BY_ARGUMENT]
    );
    // Nor does the finisher say that time was lacking.
    let hangs = live().with_command_line("bootshot");
    let run = boot(hangs.on(|call| call.name == "NtQueryObject", Fault::Hang));
    assert_eq!(status(&run), Status::TIMEOUT);
    assert_eq!(
        only_snapshot(&run.machine).outcomes(Family::IMAGES),
        [Outcome::SKIPPED_BY_PHASE]
    );
}

#[test]
fn images_are_bounded_in_number_and_time() {
    let mut machine = live();
    machine.modules.extend((0..3_000).map(|n| Module {
        path: format!(r"\SystemRoot\drivers\driver{n}.sys"),
        base: n << 20,
        size: 1,
    }));
    let (snapshot, _) = capture(machine);
    assert_eq!(images(&snapshot).len() + refused(&snapshot).len(), 2_048);
    assert_eq!(snapshot.outcomes(Family::IMAGES), [Outcome::TRUNCATED]);

    let slow = live()
        .with_command_line("bootshot phase=live budget=1000")
        .on(|call| call.name == "NtReadFile", Fault::Late(200));
    let (snapshot, run) = capture(slow);
    assert_eq!(snapshot.outcomes(Family::IMAGES), [Outcome::TRUNCATED]);
    let read = run.calls.iter().filter(|call| call.name == "NtReadFile");
    assert_eq!(read.count(), 3);
}

#[test]
fn far_away_files_hold_up_a_run_without_a_budget_for_a_minute_at_most() {
    let slow = live().on(|call| call.name == "NtReadFile", Fault::Late(25_000));
    let (snapshot, run) = capture(slow);
    assert_eq!(snapshot.outcomes(Family::IMAGES), [Outcome::TRUNCATED]);
    let read = run.calls.iter().filter(|call| call.name == "NtReadFile");
    assert_eq!(read.count(), 3);
}

#[test]
fn lists_that_lie_about_their_lengths_are_survived() {
    let lies: [fn(usize) -> usize; 5] = [
        |_| 0,
        |_| 5,
        |length| length - length / 3,
        |length| length + 999,
        |_| usize::MAX,
    ];
    for class in [5, 11, 77] {
        for lie in lies {
            let mut machine = live();
            if class == 11 {
                machine.unknown_classes.insert(77);
            }
            let lying = machine.on(
                move |call| call.name == "NtQuerySystemInformation" && call.argument == class,
                Fault::Length(lie),
            );
            capture(lying);
        }
    }
    for lie in lies {
        let lying = live().on(
            |call| call.name == "NtQueryInformationProcess" && call.argument == 27,
            Fault::Length(lie),
        );
        capture(lying);
    }
}
