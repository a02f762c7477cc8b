//! `run`: native programs under the launcher, on Windows and from a host with Wine.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::image::{NATIVE, WINDOWS_CONSOLE, ending, hanging};
use crate::machine::{Machine, Said, bootshot, companion, said};

fn run(machine: &Machine, image: &[u8], options: &[&str]) -> Said {
    machine.write("program.exe", image);
    machine.bootshotctl(&[&["run"], options, &[r"C:\program.exe"]].concat())
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn the_programs_output_is_relayed_and_its_status_named() {
    let machine = Machine::fresh();
    let said = machine.bootshotctl(&["run", "--", "phase=live", "keep=2"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.starts_with("bootshot "), "{said:?}");
    assert!(said.stdout.contains("-live.bshot"), "{said:?}");
    assert!(
        said.stderr.contains("ended with 0x00000000 STATUS_SUCCESS"),
        "{said:?}"
    );
    assert_eq!(machine.snapshots().len(), 1);
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn a_status_other_than_success_is_a_no() {
    let machine = Machine::fresh();
    let said = run(&machine, &ending(NATIVE, 0xC000_0022, b""), &[]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.stderr.contains("0xC0000022 STATUS_ACCESS_DENIED"),
        "{said:?}"
    );
    assert_eq!(run(&machine, &ending(NATIVE, 7, b""), &[]).code, Some(1));
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn a_program_that_does_not_end_is_terminated_when_its_time_is_up() {
    let machine = Machine::fresh();
    let said = run(&machine, &hanging(), &["--timeout", "1"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.stderr.contains("did not end within 1 s"), "{said:?}");
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn an_image_that_is_not_native_is_refused_with_the_reason() {
    let machine = Machine::fresh();
    let said = run(&machine, &ending(WINDOWS_CONSOLE, 0, b""), &[]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(
        said.stderr
            .contains("a windows_console program, not a native one"),
        "{said:?}"
    );
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn check_answers_for_fit_and_unfit_images() {
    let machine = Machine::fresh();
    machine.write("fit.exe", &ending(NATIVE, 0, b""));
    machine.write("unfit.exe", &ending(WINDOWS_CONSOLE, 0, b""));
    assert_eq!(machine.bootshotctl(&["check", r"C:\fit.exe"]).code, Some(0));
    let findings = machine.json(&["check", r"C:\unfit.exe"]);
    assert_eq!(findings.as_array().map(Vec::len), Some(1), "{findings}");
    assert_eq!(findings[0]["rule"], "subsystem");
    assert_eq!(
        machine.bootshotctl(&["check", r"C:\unfit.exe"]).code,
        Some(1)
    );
    assert_eq!(
        machine.bootshotctl(&["check", r"C:\missing.exe"]).code,
        Some(3)
    );
}

fn on_the_host(
    machine: &Machine,
    program: &Path,
    image: &Path,
    options: &[&str],
    arguments: &[&str],
) -> Said {
    let mut command = Command::new(program);
    machine.prepare(&mut command);
    said(
        command
            .arg("run")
            .args(options)
            .arg(image)
            .arg("--")
            .args(arguments),
    )
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn on_the_host_a_native_image_runs_through_wine() {
    let machine = Machine::fresh();
    let alone = Path::new(env!("CARGO_BIN_EXE_bootshotctl"));
    let said = on_the_host(&machine, alone, &bootshot(), &[], &["phase=live"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.contains("-live.bshot"), "{said:?}");

    machine.write("program.exe", &ending(NATIVE, 0xC000_0022, b""));
    let said = on_the_host(
        &machine,
        alone,
        &machine.drive_c().join("program.exe"),
        &[],
        &[],
    );
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("0x..22"), "{said:?}");

    machine.write("program.exe", &hanging());
    let said = on_the_host(
        &machine,
        alone,
        &machine.drive_c().join("program.exe"),
        &["--timeout", "1"],
        &[],
    );
    assert_eq!(said.code, Some(3), "{said:?}");
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn on_the_host_the_companion_for_windows_tells_the_whole_status() {
    let machine = Machine::fresh();
    let folder = machine.drive_c();
    let host = folder.join("bootshotctl");
    fs::copy(env!("CARGO_BIN_EXE_bootshotctl"), &host).unwrap();
    fs::copy(companion(), folder.join("bootshotctl.exe")).unwrap();
    machine.write("program.exe", &ending(NATIVE, 0xC000_0022, b""));
    let said = on_the_host(
        &machine,
        &host,
        &folder.join("program.exe"),
        &["--timeout", "300"],
        &[],
    );
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.stderr.contains("0xC0000022 STATUS_ACCESS_DENIED"),
        "{said:?}"
    );
}
