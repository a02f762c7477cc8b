//! `simulate-boot`: the rules of smss, and the whole way from installation to snapshot.

use std::fs;

use serde_json::{Value, json};

use crate::image::{NATIVE, WINDOWS_CONSOLE, ending, hanging};
use crate::machine::{Machine, multi_sz, wide};

fn acted_out(machine: &Machine, arguments: &[&str]) -> Vec<Value> {
    match machine.json(&[&["simulate-boot"], arguments].concat()) {
        Value::Array(reports) => reports,
        other => panic!("{other}"),
    }
}

fn outcomes(reports: &[Value]) -> Vec<(&str, &str)> {
    reports
        .iter()
        .map(|report| {
            (
                report["entry"].as_str().unwrap(),
                report["outcome"].as_str().unwrap(),
            )
        })
        .collect()
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn from_installation_to_snapshot_and_back() {
    let machine = Machine::fresh();
    let before = machine.exported();
    machine.must(&["install", "--phase", "both"]);
    let reports = acted_out(&machine, &[]);
    assert_eq!(
        outcomes(&reports),
        [
            ("autocheck autochk *", "not_found"),
            ("bootshot phase=bootexecute", "ran"),
            ("bootshot phase=setupexecute", "ran"),
        ]
    );
    for report in &reports[1..] {
        assert_eq!(report["status_name"], "STATUS_SUCCESS", "{report}");
    }
    let names: Vec<String> = machine
        .snapshots()
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert!(
        matches!(&names[..], [first, second] if first.ends_with("-bootexecute") && second.ends_with("-setupexecute")),
        "{names:?}"
    );
    machine.must(&["uninstall"]);
    assert_eq!(
        machine.snapshots().len(),
        2,
        "snapshots outlive the registration"
    );
    // What smss would have run without the value is all that is left.
    assert_eq!(
        machine.list("BootExecute").unwrap(),
        ["autocheck autochk *"]
    );
    machine.plant(&[("BootExecute", "-".into()), ("SetupExecute", "-".into())]);
    assert_eq!(machine.exported(), before);
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn entries_run_by_the_rules_of_smss() {
    let machine = Machine::fresh();
    fs::write(machine.system32("seven.exe"), ending(NATIVE, 7, b"")).unwrap();
    fs::write(
        machine.system32("denied.exe"),
        ending(NATIVE, 0xC000_0022, b""),
    )
    .unwrap();
    fs::write(
        machine.system32("console.exe"),
        ending(WINDOWS_CONSOLE, 0, b""),
    )
    .unwrap();
    fs::write(machine.system32("broken.exe"), b"MZ").unwrap();
    machine.plant(&[
        ("PlatformExecute", multi_sz("denied\0\0")),
        (
            "BootExecute",
            multi_sz(
                "seven a b\0ASYNC Seven\0autocheck seven *\0missing x\0console\0async\0broken\0\0",
            ),
        ),
        ("BootExecuteNoPnpSync", multi_sz("seven.exe\0\0")),
        (
            "SetupExecute",
            multi_sz("C:\\windows\\system32\\seven.exe\0\0"),
        ),
    ]);
    let reports = acted_out(&machine, &[]);
    assert_eq!(
        outcomes(&reports),
        [
            ("denied", "ran"),
            ("seven a b", "ran"),
            ("ASYNC Seven", "started"),
            ("autocheck seven *", "ran"),
            ("missing x", "not_found"),
            ("console", "wrong_subsystem"),
            ("async", "empty"),
            ("broken", "could_not_start"),
            ("seven.exe", "ran"),
            ("C:\\windows\\system32\\seven.exe", "ran"),
        ]
    );
    assert_eq!(reports[0]["status"], "0xC0000022");
    assert_eq!(reports[0]["status_name"], "STATUS_ACCESS_DENIED");
    assert_eq!(reports[1]["status"], "0x00000007");
    assert_eq!(
        outcomes(&acted_out(&machine, &["--phase", "setupexecute"])).len(),
        1
    );
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn a_hang_is_reported_and_the_next_entry_runs() {
    let machine = Machine::fresh();
    fs::write(machine.system32("hang.exe"), hanging()).unwrap();
    fs::write(machine.system32("seven.exe"), ending(NATIVE, 7, b"")).unwrap();
    machine.plant(&[("BootExecute", multi_sz("hang\0seven\0\0"))]);
    // The second one has as long.
    let said = machine.bootshotctl(&["simulate-boot", "--timeout", "10"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stdout.contains("smss would wait for ever"), "{said:?}");
    assert!(
        said.stdout
            .contains("BootExecute: seven\n    ended with 0x00000007"),
        "{said:?}"
    );
}

/// The executable stores its process parameters as it finds them.
#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn the_child_sees_what_smss_gives_it() {
    let machine = Machine::fresh();
    machine.must(&["install"]);
    machine.plant(&[(
        "BootExecute",
        multi_sz("DEBUG bootshot phase=bootexecute  keep=7\0autocheck bootshot phase=bootexecute keep=8\0\0"),
    )]);
    machine.must(&["simulate-boot"]);
    let expected = [
        "DEBUG bootshot phase=bootexecute  keep=7",
        r"\??\C:\windows\system32\bootshot.exe phase=bootexecute keep=8",
    ];
    for (snapshot, command_line) in machine.snapshots().iter().zip(expected) {
        let bytes = fs::read(snapshot).unwrap();
        let has = |text: &str| {
            let text = wide(text);
            bytes.windows(text.len()).any(|window| window == text)
        };
        assert!(has(command_line), "{}", snapshot.display());
        assert!(has("SystemDrive=C:"), "{}", snapshot.display());
        assert!(
            !has("WINEPREFIX"),
            "the environment is not the caller's: {}",
            snapshot.display()
        );
    }
    assert_eq!(machine.snapshots().len(), 2);
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn the_guard_of_a_run_that_did_not_end_stops_the_next_until_it_is_reset() {
    let machine = Machine::fresh();
    machine.must(&["install"]);
    fs::write(machine.directory().join("attempt"), b"").unwrap();
    machine.must(&["simulate-boot"]);
    assert!(machine.snapshots().is_empty());
    let status = machine.json(&["status"]);
    assert_eq!(status["attempt_did_not_end"], json!(true), "{status}");

    machine.must(&["status", "--reset"]);
    machine.must(&["simulate-boot"]);
    assert_eq!(machine.snapshots().len(), 1);
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn once_is_once_until_it_is_installed_again() {
    let machine = Machine::fresh();
    machine.must(&["install", "once"]);
    for _boot in 0..2 {
        machine.must(&["simulate-boot"]);
        assert_eq!(machine.snapshots().len(), 1);
    }
    assert_eq!(machine.json(&["status"])["once_done"], json!(true));
    machine.must(&["install", "once"]);
    machine.must(&["simulate-boot"]);
    assert_eq!(machine.snapshots().len(), 2);
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn the_kill_switch_keeps_the_executable_from_working() {
    let machine = Machine::fresh();
    machine.must(&["install"]);
    fs::write(machine.directory().join("off"), b"").unwrap();
    machine.must(&["simulate-boot"]);
    assert!(machine.snapshots().is_empty());
    assert_eq!(machine.json(&["status"])["switched_off"], json!(true));
}
