//! The commands about objects, run as people run them, over an invented system with one of everything.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bootshot_format::Family;
use serde_json::Value;
use tempfile::TempDir;
use test_snapshots::Builder;
use test_snapshots::machine::{self, machine_at_boot, machine_live};
use test_snapshots::objects::iteration_ended;

fn file(builder: Builder) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.bshot");
    fs::write(&path, builder.finish()).expect("a temporary file");
    (folder, path)
}

fn run(command: &str, path: &Path, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bootshotctl"))
        .arg(command)
        .arg(path)
        .args(options)
        .output()
        .expect("it starts")
}

/// What a command that succeeds prints.
fn shown(command: &str, path: &Path, options: &[&str]) -> String {
    let output = run(command, path, options);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn json(command: &str, path: &Path, options: &[&str]) -> Value {
    let shown = shown(command, path, &[options, &["--json"]].concat());
    serde_json::from_str(&shown).expect("JSON")
}

fn line<'a>(text: &'a str, with: &str) -> &'a str {
    let mut lines = text.lines();
    lines
        .find(|line| line.contains(with))
        .unwrap_or_else(|| panic!("no {with} in\n{text}"))
}

#[test]
fn objects_show_names_counts_and_holders() {
    let (_folder, path) = file(machine_at_boot());
    let text = shown("objects", &path, &[]);
    let mutant = line(&text, "BcdSyncMutant");
    assert!(mutant.contains("System 4, smss.exe 300"), "{mutant}");
    assert!(mutant.contains("98300*"), "inflated: {mutant}");
    let event = line(&text, "SystemErrorPortReady");
    assert!(event.contains(" 4 ") && !event.contains('*'), "{event}");
    assert!(text.contains("the objects of 1 handle, since the kernel hides"));
    let mutants = json("objects", &path, &["--type", "MUTANT"]);
    assert_eq!(mutants["objects"].as_array().unwrap().len(), 1);
}

#[test]
fn a_handle_shows_its_name_or_why_there_is_none() {
    let (_folder, path) = file(machine_live());
    let text = shown("handles", &path, &[]);
    assert!(line(&text, "0x20").ends_with("\\KernelObjects\\BcdSyncMutant"));
    assert!(line(&text, "0x2c").ends_with("(timed out)"));
    assert!(line(&text, "0x38").ends_with("(refused: 0xC0000712 STATUS_PROCESS_IS_PROTECTED)"));
}

#[test]
fn a_directory_is_listed_by_its_path_and_filters_look_below_it() {
    let (_folder, path) = file(machine_at_boot());
    let count = |options: &[&str]| json("namespace", &path, options).as_array().unwrap().len();
    assert_eq!(count(&[]), 7);
    assert_eq!(count(&["\\kernelobjects"]), 4);
    assert_eq!(count(&["\\KernelObjects\\BcdSyncMutant"]), 1, "itself");
    assert_eq!(count(&["--type", "symboliclink"]), 7);
    assert_eq!(count(&["\\Device", "--type", "symboliclink"]), 1);
    assert_eq!(count(&["--find", "SYNC"]), 1);
    let text = shown("namespace", &path, &[]);
    assert!(line(&text, "\\Secret").contains("0xC0000022 STATUS_ACCESS_DENIED"));
    let tree = shown("namespace", &path, &["--tree"]);
    assert!(
        line(&tree, "HarddiskVolume1").ends_with("  HarddiskVolume1"),
        "{tree}"
    );
}

#[test]
fn a_path_that_is_not_there_is_a_no() {
    let (_folder, path) = file(machine_at_boot());
    let output = run("namespace", &path, &["\\Nowhere"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("there is no \\Nowhere in the namespace"),
        "{said}"
    );
}

#[test]
fn unnamed_directories_show_holders_and_members() {
    let (_folder, path) = file(machine_live());
    let text = shown("namespace", &path, &["--unnamed"]);
    let address = format!("{:#x}", machine::PRIVATE_NAMESPACE);
    assert!(
        line(&text, &address).contains("smss.exe 300, holder.exe 400"),
        "{text}"
    );
    assert!(line(&text, "InsidePrivate").contains("Mutant"));
    assert!(text.contains("1 directory that no path leads to, with 2 handles"));
}

#[test]
fn links_are_chosen_by_what_became_of_them() {
    let (_folder, path) = file(machine_at_boot());
    let paths = |options: &[&str]| -> Vec<String> {
        let links = json("symlinks", &path, options);
        let links = links.as_array().unwrap().iter();
        links
            .map(|link| link["path"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        paths(&["--dangling"]),
        ["\\GLOBAL??\\Gone", "\\GLOBAL??\\Round"]
    );
    assert_eq!(
        paths(&["--dynamic"]),
        ["\\KernelObjects\\LowMemoryCondition"]
    );
    assert_eq!(paths(&[]).len(), 7);
    let text = shown("symlinks", &path, &[]);
    assert!(
        line(&text, "LowMemoryCondition").contains("Event, memory condition LowMemoryCondition")
    );
    assert!(line(&text, "\\SystemRoot").contains("Device \\Device\\HarddiskVolume1"));
}

#[test]
fn zombies_have_exactly_the_documented_keys() {
    let (_folder, path) = file(machine_at_boot());
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    let mut wanted = [
        "pid",
        "tid",
        "image",
        "path",
        "exit_status",
        "create_time",
        "exit_time",
        "user_time",
        "kernel_time",
        "holder_count",
        "holders",
    ];
    wanted.sort_unstable();
    for options in [&[][..], &["--threads"]] {
        let zombies = json("zombies", &path, options);
        let mut found = keys(&zombies[0]);
        found.sort_unstable();
        assert_eq!(found, wanted);
        let mut holder = keys(&zombies[0]["holders"][0]);
        holder.sort_unstable();
        assert_eq!(holder, ["handle", "image", "pid"]);
    }
}

#[test]
fn of_filtered_zombies_those_are_counted_that_are_shown() {
    let (_folder, path) = file(machine_at_boot());
    for (filter, count) in [
        ("image=nope", "0 processes"),
        ("image=kept.exe", "1 process"),
    ] {
        let text = shown("zombies", &path, &["--all", "--filter", filter]);
        let counted = line(&text, "ended and still there");
        assert_eq!(counted, format!("ended and still there: {count}"));
    }
}

#[test]
fn what_is_said_of_the_snapshot_does_not_depend_on_a_filter() {
    let (_folder, path) = file(machine_at_boot());
    for (command, options, said) in [
        ("drivers", &[][..], "kernel modules"),
        ("wfp", &[], "BootTime"),
        ("namespace", &["--unnamed"], "that no path leads to"),
        ("boot", &["--variables"], ""),
    ] {
        let whole = shown(command, &path, options);
        let none = [options, &["--filter", "name=nope"]].concat();
        let none = match command {
            "wfp" => shown(command, &path, &["--filter", "guid=nope"]),
            "namespace" => shown(command, &path, &["--unnamed", "--filter", "address=0"]),
            _ => shown(command, &path, &none),
        };
        assert_eq!(line(&whole, said), line(&none, said), "{command}");
    }
}

#[test]
fn one_process_is_explained_whatever_else_is_asked() {
    let (_folder, path) = file(machine_at_boot());
    for option in [
        ["--filter", "pid=4"],
        ["--sort", "pid"],
        ["--columns", "pid"],
    ] {
        let refused = run("memory", &path, &[&["--explain"], &option[..]].concat());
        assert_eq!(refused.status.code(), Some(2), "{option:?}");
    }
}

#[test]
fn zombies_say_who_holds_them_and_how_many_ended_meanwhile() {
    let (_folder, path) = file(machine_at_boot());
    let output = run("zombies", &path, &[]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        line(&text, "kept.exe").contains("smss.exe 300, holder.exe 400"),
        "{text}"
    );
    let forgotten = line(&text, "forgotten.exe");
    assert!(forgotten.contains("the kernel only"), "{forgotten}");
    assert!(forgotten.contains("0xC0000005 STATUS_ACCESS_VIOLATION"));
    assert!(text.contains("ended and still there: 2 processes"));
    assert!(!text.contains("late.exe"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("1 process ended while the snapshot was taken"),
        "{said}"
    );

    let all = json("zombies", &path, &["--all"]);
    let late = &all.as_array().unwrap()[2];
    assert_eq!(
        (&late["image"], &late["ended_during_capture"]),
        (&"late.exe".into(), &true.into())
    );
}

#[test]
fn threads_that_were_not_looked_at_are_said_where_threads_are_asked_for() {
    let (_folder, path) = file(machine_at_boot());
    let said = |options: &[&str]| {
        String::from_utf8_lossy(&run("zombies", &path, options).stderr).into_owned()
    };
    assert!(said(&["--threads"]).contains("STATUS_ACCESS_DENIED, of 1 processes"));
    assert!(!said(&[]).contains("ended threads"));
}

#[test]
fn a_system_that_cannot_list_what_ended_says_so_in_words() {
    let mut builder = Builder::new(8);
    builder.batch(Family::ENDED, &[iteration_ended(None, 0xC000_007A)]);
    let (_folder, path) = file(builder);
    let output = run("zombies", &path, &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("a system without NtGetNextProcess"), "{said}");
}

#[test]
fn jobs_show_their_limits_by_name_and_number() {
    let (_folder, path) = file(machine_live());
    let text = shown("jobs", &path, &[]);
    let limits = line(&text, "limits");
    assert!(
        limits.contains("active processes 4, process memory 16 MiB, kill on job close"),
        "{limits}"
    );
    assert!(line(&text, "refused").contains("STATUS_INVALID_PARAMETER"));
    assert!(text.contains("server silo 9"));
    assert!(text.ends_with("2 jobs\n"));
    let processes = shown("processes", &path, &["--pid", "300"]);
    assert!(line(&processes, "smss.exe").contains("WorkJob"));
}

#[test]
fn each_command_has_an_example_in_its_help() {
    for command in ["objects", "namespace", "symlinks", "zombies", "jobs"] {
        let output = Command::new(env!("CARGO_BIN_EXE_bootshotctl"))
            .args([command, "--help"])
            .output()
            .expect("it starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            text.contains(&format!("Example: bootshotctl {command}")),
            "{text}"
        );
    }
}
