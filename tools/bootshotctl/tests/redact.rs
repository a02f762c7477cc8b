//! `redact`, run as people run it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bootshot_reader::Snapshot;
use test_snapshots::Builder;
use test_snapshots::machine::machine_live;

fn run(arguments: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bootshotctl"))
        .args(arguments)
        .output()
        .expect("it starts")
}

fn said(output: &Output) -> String {
    let said = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8(said).expect("UTF-8")
}

/// The names of the files in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<_> = entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect();
    names.sort();
    names
}

const REDACT: &str = "redact";

#[test]
fn a_redacted_snapshot_says_so_and_the_old_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (
        folder.path().join("old.bshot"),
        folder.path().join("new.bshot"),
    );
    let file = machine_live().finish();
    fs::write(&old, &file).unwrap();
    let output = run(&[
        REDACT.as_ref(),
        &old,
        &new,
        "--keep=users,environment".as_ref(),
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(
        said(&output).contains("addresses replaced"),
        "{}",
        said(&output)
    );
    assert_eq!(fs::read(&old).unwrap(), file);
    assert_eq!(names(folder.path()), ["new.bshot", "old.bshot"]);

    let summary = said(&run(&["summary".as_ref(), &new]));
    assert!(
        summary.contains("redacted    addresses, command lines"),
        "{summary}"
    );
    let json = run(&["summary".as_ref(), &new, "--json".as_ref()]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(
        json["redacted"],
        serde_json::json!(["addresses", "command_lines"])
    );
    let verified = said(&run(&["verify".as_ref(), &new]));
    assert!(verified.contains("the snapshot was redacted"), "{verified}");
    assert!(!said(&run(&["summary".as_ref(), &old])).contains("redacted"));
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../reader/golden")
        .join(name)
}

#[test]
fn what_was_removed_from_one_of_two_is_no_difference_between_them() {
    let live = golden("v1-wine8-x64-live.bshot");
    let folder = tempfile::tempdir().unwrap();
    let without = folder.path().join("without.bshot");
    let done = run(&[REDACT.as_ref(), &live, &without, "--keep=users".as_ref()]);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));

    let compared = run(&["diff".as_ref(), &live, &without]);
    let text = said(&compared);
    assert_eq!(compared.status.code(), Some(0), "{text}");
    let second = text.lines().find(|line| line.starts_with("second"));
    assert!(second.unwrap().ends_with(", redacted"), "{text}");
}

#[test]
fn a_removed_command_line_tells_no_processes_apart() {
    let (live, boot) = (
        golden("v1-wine8-x64-live.bshot"),
        golden("v1-wine8-x64-bootexecute.bshot"),
    );
    let folder = tempfile::tempdir().unwrap();
    let without = folder.path().join("without.bshot");
    let done = run(&[REDACT.as_ref(), &boot, &without]);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    // Everything that runs at boot runs later too, by its image.
    let options = ["--only", "processes", "--json"].map(Path::new);
    let arguments = [&[Path::new("diff"), &live, &without], &options[..]].concat();
    let found: serde_json::Value = serde_json::from_slice(&run(&arguments).stdout).expect("JSON");
    let added = &found["subjects"][0]["added"];
    assert_eq!(added, &serde_json::json!([]), "{added:#}");
}

#[test]
fn pseudonyms_are_new_each_time_unless_a_secret_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    fs::write(place("in"), machine_live().finish()).unwrap();
    fs::write(place("key"), [7; 32]).unwrap();
    let redacted = |name: &str, with_key: bool| {
        let (input, output, key) = (place("in"), place(name), place("key"));
        let mut arguments: Vec<&Path> = vec![REDACT.as_ref(), &input, &output];
        if with_key {
            arguments.extend([Path::new("--key"), &key]);
        }
        let done = run(&arguments);
        assert_eq!(done.status.code(), Some(0), "{}", said(&done));
        fs::read(output).unwrap()
    };
    assert_ne!(redacted("a", false), redacted("b", false));
    assert_eq!(redacted("c", true), redacted("d", true));

    fs::write(place("short"), [7; 15]).unwrap();
    let refused = run(&[
        REDACT.as_ref(),
        &place("in"),
        &place("e"),
        "--key".as_ref(),
        &place("short"),
    ]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(
        said(&refused).contains("at least 16 random bytes"),
        "{}",
        said(&refused)
    );
    assert!(!place("e").exists());
}

#[test]
fn nothing_is_overwritten_and_nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let file = machine_live().finish();
    fs::write(place("in"), &file).unwrap();
    fs::write(place("other"), b"somebody's").unwrap();
    fs::write(place("text"), b"something else altogether").unwrap();
    fs::write(place("short"), &file[..100]).unwrap();
    fs::create_dir(place("folder")).unwrap();
    let before = names(folder.path());
    for (input, output, code, reason) in [
        ("in", "in", 3, "it is the snapshot that is to be redacted"),
        (
            "in",
            "folder/../in",
            3,
            "it is the snapshot that is to be redacted",
        ),
        ("in", "other", 3, "it exists already"),
        ("in", "folder", 3, "it exists already"),
        ("in", "nowhere/out", 3, "a directory that exists"),
        ("text", "out", 3, "not a bootshot snapshot"),
        ("short", "out", 1, "cut short inside its header"),
        ("folder", "out", 3, "cannot read"),
        ("absent", "out", 3, "cannot read"),
    ] {
        let done = run(&[REDACT.as_ref(), &place(input), &place(output)]);
        assert_eq!(
            done.status.code(),
            Some(code),
            "{input} {output}: {}",
            said(&done)
        );
        assert!(
            said(&done).contains(reason),
            "{input} {output}: {}",
            said(&done)
        );
        assert_eq!(names(folder.path()), before, "{input} {output}");
    }
    assert_eq!(fs::read(place("in")).unwrap(), file);
    assert_eq!(fs::read(place("other")).unwrap(), b"somebody's");
}

#[test]
fn of_a_damaged_snapshot_the_new_one_is_sound_and_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let whole = machine_live().finish();
    let mut damaged = whole.clone();
    let section = Snapshot::parse(&whole).unwrap().sections[1].file_offset as usize;
    // In the payload of its first chunk, behind the question.
    damaged[section + 48 + 56 + 48 + 8] ^= 1;
    for (name, file, code, reason) in [
        ("damaged", damaged, 1, "1 section emptied"),
        (
            "unfinished",
            Builder::recorded_x86().unfinished(),
            0,
            "unfinished or damaged",
        ),
    ] {
        let (input, output) = (place(name), place(&format!("{name}.bshot")));
        fs::write(&input, file).unwrap();
        let done = run(&[REDACT.as_ref(), &input, &output]);
        assert_eq!(done.status.code(), Some(code), "{}", said(&done));
        assert!(said(&done).contains(reason), "{}", said(&done));
        let file = fs::read(&output).unwrap();
        let new = Snapshot::parse(&file).unwrap();
        assert_eq!(new.problems, []);
    }
}
