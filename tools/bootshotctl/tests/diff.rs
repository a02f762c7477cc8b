//! `diff` as people and scripts run it, over the golden snapshots and a folder of known-good ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bootshot_format::{Family, Header};
use serde_json::Value;
use tempfile::TempDir;
use test_snapshots::objects::{ListedProcess, process_list};
use test_snapshots::{Builder, header};

fn golden(moment: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reader/golden");
    folder.join(format!("v1-wine8-x64-{moment}.bshot"))
}

fn diff(arguments: &[&str], files: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bootshotctl"))
        .arg("diff")
        .args(arguments)
        .args(files)
        .output()
        .expect("it starts")
}

/// What is printed, with the exit code that is expected.
#[track_caller]
fn shown(code: i32, arguments: &[&str], files: &[&Path]) -> String {
    let output = diff(arguments, files);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[track_caller]
fn json(code: i32, arguments: &[&str], files: &[&Path]) -> Value {
    let shown = shown(code, &[arguments, &["--json"]].concat(), files);
    serde_json::from_str(&shown).expect("JSON")
}

fn subject<'v>(document: &'v Value, name: &str) -> &'v Value {
    let subjects = document["subjects"].as_array().unwrap();
    subjects
        .iter()
        .find(|subject| subject["name"] == name)
        .unwrap()
}

/// A snapshot of a boot with these images.
fn snapshot(folder: &TempDir, name: &str, boot_id: u32, images: &[&str]) -> PathBuf {
    let processes: Vec<_> = images
        .iter()
        .zip(1..)
        .map(|(image, number)| ListedProcess {
            pid: 4 * number,
            create_time: u64::from(boot_id) * 1_000_000_000_000 + number,
            image,
            tids: &[],
        })
        .collect();
    let mut builder = Builder::with_header(Header {
        boot_id,
        ..header(8)
    });
    builder.section(Family::PROCESSES, &process_list(&processes));
    let path = folder.path().join(name);
    fs::write(&path, builder.finish()).expect("a temporary file");
    path
}

#[test]
fn no_difference_is_a_zero_and_a_difference_is_a_one() {
    let (boot, live) = (golden("bootexecute"), golden("live"));
    let text = shown(0, &[], &[&live, &live]);
    assert!(text.contains("boots   the same"), "{text}");
    assert!(text.ends_with("\nno differences\n"), "{text}");
    let text = shown(1, &["--only", "objects"], &[&boot, &live]);
    assert!(text.contains("objects: 5 came\n"), "{text}");
    let mutant = "  + \\Sessions\\1\\BaseNamedObjects\\bootshot planted mutant  Mutant\n";
    assert!(text.contains(mutant), "{text}");
    assert!(text.ends_with("\n5 differences\n"), "{text}");
    let back = shown(1, &["--only", "objects"], &[&live, &boot]);
    assert!(back.contains("objects: 5 went\n"), "{back}");
}

#[test]
fn sizes_are_human_in_text_and_exact_in_json() {
    let files: [&Path; 2] = [&golden("bootexecute"), &golden("live")];
    let strict = ["--only", "memory", "--no-rules"];
    assert!(shown(1, &strict, &files).contains(" MiB → "));
    let document = json(1, &strict, &files);
    let changed = subject(&document, "memory")["changed"].as_array().unwrap();
    let bytes = changed
        .iter()
        .flat_map(|entry| entry["changes"].as_array().unwrap())
        .find(|change| change["kind"] == "bytes")
        .expect("a size changed");
    assert!(bytes["from"].is_u64() && bytes["to"].is_u64());
}

#[test]
fn json_has_exactly_the_documented_keys() {
    let document = json(1, &[], &[&golden("setupexecute"), &golden("live")]);
    let keys = |value: &Value| -> Vec<String> {
        let mut keys: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(
        keys(&document),
        [
            "difference_count",
            "first_files",
            "relation",
            "second_file",
            "subjects"
        ]
    );
    let relation = &document["relation"];
    assert_eq!(
        keys(relation),
        ["baseline", "boot", "evidence", "first", "second"]
    );
    assert_eq!(
        keys(&relation["second"]),
        [
            "boot_id",
            "boot_time",
            "completeness",
            "damaged",
            "machine",
            "nt_version",
            "phase",
            "redacted",
            "snapshot_id",
            "start_time"
        ]
    );
    let processes = subject(&document, "processes");
    assert_eq!(
        keys(processes),
        [
            "added",
            "changed",
            "hidden",
            "name",
            "not_comparable",
            "removed"
        ]
    );
    assert_eq!(keys(&processes["added"][0]), ["name", "properties"]);
    assert_eq!(
        keys(&processes["added"][0]["properties"][0]),
        ["property", "value"]
    );
    assert_eq!(keys(&processes["hidden"][0]), ["count", "rule"]);
    let changed = &subject(&document, "handles")["changed"][0];
    assert_eq!(
        keys(changed),
        ["changes", "former_name", "name", "properties"]
    );
    assert_eq!(
        keys(&changed["changes"][0]),
        ["from", "kind", "property", "to"]
    );
    let gap = &subject(&document, "keys")["not_comparable"][0];
    assert_eq!(keys(gap), ["below", "entries", "reason", "side"]);
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/json.md"))
        .unwrap();
    let section = page.split("\n## ").find(|part| part.starts_with("diff\n"));
    let section = section.expect("a section about diff");
    for key in keys(&document)
        .iter()
        .chain(&keys(relation))
        .chain(&keys(gap))
    {
        assert!(section.contains(&format!("`{key}`")), "{key}");
    }
}

#[test]
fn rules_are_listed_counted_and_can_be_switched_off() {
    let rules = shown(0, &["--rules"], &[]);
    assert!(rules.contains("own-capture"), "{rules}");
    let files: [&Path; 2] = [&golden("bootexecute"), &golden("setupexecute")];
    let text = shown(0, &[], &files);
    assert!(
        text.contains("hidden by rules: ") && text.contains(" own-capture"),
        "{text}"
    );
    let text = shown(
        1,
        &["--no-rule", "own-capture", "--only", "processes"],
        &files,
    );
    assert!(text.contains("+ bootshot.exe 228"), "{text}");
    assert!(text.contains("- bootshot.exe 216"), "{text}");
    assert!(!text.contains("hidden by rules"), "{text}");
    let listed = json(0, &["--rules"], &[]);
    assert_eq!(listed[0]["name"], "session-numbers");
}

#[test]
fn a_baseline_shows_what_none_of_it_has() {
    let folder = tempfile::tempdir().unwrap();
    snapshot(&folder, "a.bshot", 1, &["System", "smss.exe", "one.exe"]);
    snapshot(&folder, "b.bshot", 2, &["System", "smss.exe", "two.exe"]);
    // The one that is compared may stand among them.
    let today = snapshot(
        &folder,
        "c.bshot",
        3,
        &["System", "smss.exe", "one.exe", "two.exe", "three.exe"],
    );
    let baseline = folder.path().to_str().unwrap();
    let text = shown(1, &["--baseline", baseline], &[&today]);
    assert!(text.starts_with("baseline  2 snapshots\n"), "{text}");
    assert!(
        text.contains("processes: 1 came\n  + three.exe 20"),
        "{text}"
    );
    assert!(text.ends_with("\n1 difference\n"), "{text}");
    let good = tempfile::tempdir().unwrap();
    let known = snapshot(&good, "a.bshot", 1, &["System"]);
    let same = snapshot(&folder, "d.bshot", 4, &["System"]);
    let baseline = good.path().to_str().unwrap();
    shown(0, &["--baseline", baseline], &[&same]);
    fs::remove_file(known).unwrap();
    let output = diff(&["--baseline", baseline], &[&same]);
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("there is no snapshot in"), "{said}");
}

#[test]
fn a_damaged_file_is_compared_as_far_as_it_stands_and_is_a_no() {
    let folder = tempfile::tempdir().unwrap();
    let (live, damaged) = (golden("live"), folder.path().join("damaged.bshot"));
    let mut bytes = fs::read(&live).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    let output = diff(&[], &[&live, &damaged]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains(", damaged\n"), "{text}");
    assert!(text.ends_with("\nno differences\n"), "{text}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("is damaged: what stands was compared"),
        "{said}"
    );
}

#[test]
fn a_damaged_file_of_a_baseline_is_told_of_and_is_a_no() {
    let folder = tempfile::tempdir().unwrap();
    let live = golden("live");
    let mut bytes = fs::read(&live).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(folder.path().join("damaged.bshot"), bytes).unwrap();
    fs::copy(&live, folder.path().join("whole.bshot")).unwrap();
    let output = diff(&["--baseline", folder.path().to_str().unwrap()], &[&live]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.ends_with("\nno differences\n"), "{text}");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    let damaged = "damaged.bshot is damaged: what stands was compared";
    assert!(said.contains(damaged), "{said}");
    assert!(!said.contains("whole.bshot"), "{said}");
}

#[test]
fn wrong_use_is_a_two_and_says_what_is_right() {
    let live = golden("live");
    for (arguments, files, says) in [
        (&[][..], &[&*live][..], "two snapshots are needed"),
        (&["--baseline", "x"], &[], "one snapshot is needed"),
        (
            &["--only", "nonsense"],
            &[&live, &live],
            "the subjects are processes, ",
        ),
        (&["--no-rule", "nonsense"], &[&live, &live], "diff --rules"),
    ] {
        let output = diff(arguments, files);
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(says), "{said}");
    }
    let missing = Path::new("nowhere.bshot");
    assert_eq!(diff(&[], &[missing, &live]).status.code(), Some(3));
}

#[test]
fn names_that_steer_a_terminal_are_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let one = snapshot(&folder, "a.bshot", 1, &["System"]);
    let other = snapshot(
        &folder,
        "b.bshot",
        2,
        &["System", "\x1b[2Jevil\u{202E}.exe"],
    );
    let text = shown(1, &[], &[&one, &other]);
    assert!(text.contains("\\u{1b}[2Jevil\\u{202e}.exe 8"), "{text}");
}

#[test]
fn the_help_has_an_example() {
    let text = shown(0, &["--help"], &[]);
    assert!(text.contains("Example: bootshotctl diff"), "{text}");
}
