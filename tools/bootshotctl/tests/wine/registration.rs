//! `install`, `uninstall` and `status` on a real registry and real files.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::image::{NATIVE, WINDOWS_CONSOLE, ending};
use crate::machine::{Machine, bootshot, companion, multi_sz, wide};

const DEFAULT: &str = "autocheck autochk *";
const OURS: &str = "bootshot phase=bootexecute";

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn a_fresh_list_gets_the_default_entry_and_ours() {
    let machine = Machine::fresh();
    let printed = machine.must(&["install"]);
    assert_eq!(machine.list("BootExecute").unwrap(), [DEFAULT, OURS]);
    assert_eq!(
        fs::read(machine.system32("bootshot.exe")).unwrap(),
        fs::read(bootshot()).unwrap()
    );
    assert!(
        machine
            .directory()
            .join("session-manager-0001.reg")
            .is_file()
    );
    assert!(
        printed.contains(&machine.must(&["undo-script"])),
        "{printed}"
    );
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn foreign_entries_keep_their_order_and_come_back_byte_for_byte() {
    let machine = Machine::fresh();
    machine.plant(&[
        (
            "BootExecute",
            multi_sz("autocheck autochk *\0grün x\0ASYNC other \0\0"),
        ),
        ("SetupExecute", multi_sz("\0")),
    ]);
    let before = machine.exported();
    machine.must(&["install", "--phase", "both", "keep=3"]);
    assert_eq!(
        machine.list("BootExecute").unwrap(),
        [
            DEFAULT,
            "grün x",
            "ASYNC other ",
            "bootshot phase=bootexecute keep=3"
        ]
    );
    assert_eq!(
        machine.list("SetupExecute").unwrap(),
        ["bootshot phase=setupexecute keep=3"]
    );
    machine.must(&["install", "--no-pnp-sync", "--async"]);
    assert_eq!(
        machine.list("BootExecuteNoPnpSync").unwrap(),
        ["async bootshot phase=bootexecute"]
    );
    machine.must(&["uninstall"]);
    assert_eq!(machine.exported(), before);
    assert!(!machine.system32("bootshot.exe").exists());
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn twice_is_as_good_as_once() {
    let machine = Machine::fresh();
    machine.must(&["install"]);
    let once = machine.exported();
    let printed = machine.must(&["install"]);
    assert!(printed.contains("registered already"), "{printed}");
    assert_eq!(machine.exported(), once);
    assert!(
        !machine
            .directory()
            .join("session-manager-0002.reg")
            .exists()
    );
    machine.must(&["uninstall"]);
    let printed = machine.must(&["uninstall"]);
    assert!(printed.contains("was not installed"), "{printed}");
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn the_backup_can_be_imported() {
    let machine = Machine::fresh();
    machine.plant(&[("BootExecute", multi_sz("autocheck autochk *\0grün\0\0"))]);
    let before = machine.exported();
    machine.must(&["install", "--phase", "both"]);
    let backup = r"C:\windows\bootshot\session-manager-0001.reg";
    let said = machine.wine("reg".as_ref(), &["import", backup]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(machine.exported(), before);
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn a_value_without_an_end_is_repaired_and_loses_nothing() {
    for damaged in [
        multi_sz("autocheck autochk *\0other"),
        multi_sz("autocheck autochk *\0other\0"),
    ] {
        let machine = Machine::fresh();
        machine.plant(&[("BootExecute", damaged)]);
        let printed = machine.must(&["install"]);
        assert_eq!(
            machine.list("BootExecute").unwrap(),
            [DEFAULT, "other", OURS]
        );
        assert!(printed.contains("repaired"), "{printed}");
    }
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn an_odd_value_is_repaired_when_the_odd_byte_says_nothing() {
    let machine = Machine::fresh();
    machine.plant(&[("BootExecute", multi_sz("other\0\0") + ",00")]);
    machine.must(&["install"]);
    assert_eq!(machine.list("BootExecute").unwrap(), ["other", OURS]);
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn a_value_that_is_not_a_list_is_refused_and_stays() {
    for damaged in [
        "\"autocheck autochk *\"".to_owned(),
        multi_sz("a\0\0b\0\0"),
        multi_sz("a\0") + ",41",
    ] {
        let machine = Machine::fresh();
        machine.plant(&[("BootExecute", damaged)]);
        let before = machine.exported();
        let said = machine.bootshotctl(&["install"]);
        assert_eq!(said.code, Some(3), "{said:?}");
        assert!(
            said.stderr.contains("cannot add to BootExecute"),
            "{said:?}"
        );
        assert_eq!(machine.exported(), before);
        assert!(!machine.system32("bootshot.exe").exists());
        assert!(!machine.directory().exists());
    }
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn a_dry_run_changes_nothing() {
    let machine = Machine::fresh();
    let before = machine.exported();
    let printed = machine.must(&["install", "--dry-run"]);
    assert!(printed.contains(&format!("  + {OURS}")), "{printed}");
    assert_eq!(machine.exported(), before);
    assert!(!machine.system32("bootshot.exe").exists());
    assert!(!machine.directory().exists());
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn while_servicing_has_its_entry_nothing_is_installed() {
    let machine = Machine::fresh();
    machine.plant(&[(
        "SetupExecute",
        multi_sz("C:\\windows\\System32\\poqexec.exe /x\0\0"),
    )]);
    let before = machine.exported();
    let said = machine.bootshotctl(&["install"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.stderr.contains("servicing"), "{said:?}");
    assert_eq!(machine.exported(), before);
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn only_bootshot_is_installed_and_only_bootshot_is_removed() {
    let machine = Machine::fresh();
    machine.write("foreign.exe", &ending(NATIVE, 0, b""));
    machine.write(
        "console.exe",
        &ending(WINDOWS_CONSOLE, 0, &wide(r"\SystemRoot\bootshot")),
    );
    let mut for_x86 = fs::read(bootshot()).unwrap();
    let header = u32::from_le_bytes(*for_x86[0x3C..].first_chunk().unwrap()) as usize;
    for_x86[header + 4..][..2].copy_from_slice(&0x014Cu16.to_le_bytes());
    machine.write("x86.exe", &for_x86);
    for (image, reason) in [
        ("foreign.exe", "not a bootshot image"),
        ("console.exe", "subsystem"),
        ("x86.exe", "not fit to run at boot"),
    ] {
        let said = machine.bootshotctl(&["install", "--exe", &format!("C:\\{image}")]);
        assert_eq!(said.code, Some(3), "{said:?}");
        assert!(said.stderr.contains(reason), "{said:?}");
    }
    let foreign = ending(NATIVE, 1, b"");
    fs::write(machine.system32("bootshot.exe"), &foreign).unwrap();
    for command in ["install", "uninstall"] {
        let said = machine.bootshotctl(&[command]);
        assert_eq!(said.code, Some(3), "{said:?}");
        assert!(
            said.stderr.contains("another program of the same name"),
            "{said:?}"
        );
    }
    assert_eq!(fs::read(machine.system32("bootshot.exe")).unwrap(), foreign);
    assert_eq!(machine.list("BootExecute"), None);
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn the_companion_alone_is_enough() {
    let machine = Machine::fresh();
    let alone = machine.drive_c().join("alone.exe");
    fs::copy(companion(), &alone).unwrap();
    let said = machine.wine(&alone, &["install"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.contains("inside this program"), "{said:?}");
    assert_eq!(
        fs::read(machine.system32("bootshot.exe")).unwrap(),
        fs::read(bootshot()).unwrap()
    );
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn another_directory_is_used_by_all_but_never_taken_from_others() {
    let machine = Machine::fresh();
    let folder = machine.drive_c().join("shots");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("letter.txt"), b"").unwrap();
    let said = machine.bootshotctl(&["install", r"dir=\??\C:\shots"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.stderr.contains("letter.txt"), "{said:?}");
    assert_eq!(machine.list("BootExecute"), None);

    fs::remove_dir_all(&folder).unwrap();
    machine.must(&["install", r"dir=\??\C:\shots"]);
    machine.must(&["simulate-boot"]);
    let status = machine.json(&["status"]);
    assert_eq!(status["directory"], r"C:\shots");
    assert_eq!(status["state"], "ran_at_last_boot");
    assert!(machine.snapshots().is_empty());
    machine.must(&["uninstall"]);
    fs::remove_dir_all(&folder).unwrap();
}

/// Wine keeps the access list as permission bits: what SYSTEM and Administrators may do becomes the owner's, and there
/// is no entry for anybody else.
#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn the_directory_is_for_system_and_administrators_only() {
    let machine = Machine::fresh();
    for existing in [false, true] {
        if existing {
            fs::remove_dir_all(machine.directory()).unwrap();
            fs::create_dir(machine.directory()).unwrap();
            fs::set_permissions(machine.directory(), fs::Permissions::from_mode(0o777)).unwrap();
        }
        machine.must(&["install"]);
        let mode = fs::metadata(machine.directory())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o007, 0, "existing: {existing}");
        let status = machine.json(&["status"]);
        let security = status["directory_security"].as_str().unwrap();
        assert!(security.contains("(A;OICI;FA;;;SY)"), "{security}");
        for everybody in [";;;WD)", ";;;BU)", ";;;AU)"] {
            assert!(!security.contains(everybody), "{security}");
        }
    }
}

/// Wine shows a symbolic link to a directory as a reparse point.
#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn a_directory_that_is_a_reparse_point_is_refused() {
    let machine = Machine::fresh();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), machine.directory()).unwrap();
    let said = machine.bootshotctl(&["install"]);
    fs::remove_file(machine.directory()).unwrap();
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.stderr.contains("a link or a mount point"), "{said:?}");
    assert_eq!(machine.list("BootExecute"), None);
    assert!(!machine.system32("bootshot.exe").exists());
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn a_finished_entry_goes_the_next_time_the_companion_runs() {
    let machine = Machine::fresh();
    machine.must(&["install", "--once", "--safe-mode"]);
    let entry = "bootshot phase=bootexecute once safemode=run";
    assert_eq!(machine.list("BootExecute").unwrap(), [DEFAULT, entry]);
    machine.must(&["simulate-boot"]);
    // As when the registry lost what the executable wrote to it.
    machine.plant(&[(
        "BootExecute",
        multi_sz(&format!("{DEFAULT}\0{entry}\0other\0\0")),
    )]);
    let printed = machine.must(&["status"]);
    assert!(
        printed.contains(&format!("{entry} (finished: taken out)")),
        "{printed}"
    );
    assert!(printed.contains("Captured once at 20"), "{printed}");
    assert_eq!(machine.list("BootExecute").unwrap(), [DEFAULT, "other"]);
    assert_eq!(machine.json(&["status"])["state"], "captured_once");

    let printed = machine.must(&["install", "--once"]);
    assert!(
        printed.contains("an earlier capture with once"),
        "{printed}"
    );
    assert!(!machine.directory().join("done").exists());
    machine.must(&["uninstall"]);
    assert_eq!(machine.json(&["status"])["state"], "not_installed");
}

/// `cmd` of Wine knows `for /f` and `set /a`; its `reg` neither loads nor unloads, its registry has no
/// `Select\Default`, only `Select\Current`, and its `CurrentControlSet` is a key of its own.
#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn the_undo_script_does_what_it_says() {
    let machine = Machine::fresh();
    machine.plant(&[("BootExecute", multi_sz("autocheck autochk *\0a %b%\0\0"))]);
    let before = machine.exported();
    machine.must(&["install", "--phase", "both"]);
    machine.plant(&[("SetupExecute", "-".into())]);
    let script = machine
        .must(&["undo-script"])
        .replace(
            r"HKLM\bootshot-undo\Select /v Default",
            r"HKLM\SYSTEM\Select /v Current",
        )
        .replace(
            r"HKLM\bootshot-undo\ControlSet%NUMBER:~-3%",
            r"HKLM\SYSTEM\CurrentControlSet",
        )
        + "echo control set %NUMBER:~-3%";
    let script: Vec<&str> = script
        .lines()
        .filter(|line| !line.starts_with("reg load") && !line.starts_with("reg unload"))
        .collect();
    machine.write("undo.cmd", script.join("\r\n").as_bytes());
    let said = machine.wine("cmd".as_ref(), &["/c", r"C:\undo.cmd", "C:"]);
    assert_eq!(machine.exported(), before, "{said:?}");
    assert!(said.stdout.contains("control set 001"), "{said:?}");
    assert!(!machine.system32("bootshot.exe").exists());
    assert!(machine.directory().join("off").exists());
}

/// Wine loads hives in its own notation, and forgets at unloading what was changed in them.
#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn an_offline_hive_is_copied_loaded_changed_and_unloaded() {
    const HIVE: &str = "WINE REGISTRY Version 2\n;; All keys relative to \\\\Machine\\\\x\n\n\
        [Select] 1\n\"Default\"=dword:00000003\n\n\
        [ControlSet003\\\\Control\\\\Session Manager] 1\n\"BootExecute\"=str(7):\"one\\0two\\0\"\n";
    let machine = Machine::fresh();
    let offline = machine.drive_c().join("offline");
    let _ = fs::remove_dir_all(&offline);
    let config = offline.join("Windows/System32/config");
    fs::create_dir_all(&config).unwrap();
    fs::write(config.join("SYSTEM"), HIVE).unwrap();
    fs::copy(bootshot(), offline.join("Windows/System32/ntoskrnl.exe")).unwrap();

    let printed = machine.must(&["install", "--offline", r"C:\offline"]);
    assert!(
        printed.contains("BootExecute\n    one\n    two\n  + bootshot phase=bootexecute\n"),
        "{printed}"
    );
    assert_eq!(
        fs::read_to_string(config.join("bootshot-backup-0001/SYSTEM")).unwrap(),
        HIVE
    );
    assert_eq!(
        fs::read(offline.join("Windows/System32/bootshot.exe")).unwrap(),
        fs::read(bootshot()).unwrap()
    );
    let said = machine.wine("reg".as_ref(), &["query", r"HKLM\bootshot-offline"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(machine.list("BootExecute"), None);

    fs::write(offline.join("hiberfil.sys"), b"HIBR").unwrap();
    let said = machine.bootshotctl(&["status", "--offline", r"C:\offline\Windows"]);
    assert!(said.stderr.contains("hibernated"), "{said:?}");
    fs::remove_dir_all(offline).unwrap();
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn status_follows_the_registration() {
    let machine = Machine::fresh();
    let state = || {
        machine.json(&["status"])["state"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(machine.bootshotctl(&["status"]).code, Some(1));
    assert_eq!(state(), "not_installed");
    machine.must(&["install"]);
    assert_eq!(state(), "registered");
    machine.must(&["simulate-boot"]);
    assert_eq!(state(), "ran_at_last_boot");
    fs::remove_file(machine.system32("bootshot.exe")).unwrap();
    assert_eq!(state(), "image_missing");
    machine.must(&["uninstall"]);
    assert_eq!(state(), "not_installed");
}
