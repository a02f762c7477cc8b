//! The commands that read snapshots, run as people run them, over files made from the recorded boots.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bootshot_format::{Family, Header, NoteKind, Outcome, Phase, Source};
use serde_json::Value;
use tempfile::TempDir;
use test_snapshots::objects::{ListedProcess, process_list};
use test_snapshots::{Builder, Entry, example_firmware, example_registry, header, machine};

const BOOTSHOTCTL: &str = env!("CARGO_BIN_EXE_bootshotctl");

/// The commands that take a snapshot and nothing else.
const COMMANDS: [&str; 13] = [
    "summary",
    "processes",
    "threads",
    "handles",
    "types",
    "modules",
    "memory",
    "registry",
    "wfp",
    "drivers",
    "boot",
    "peb",
    "raw",
];

/// Those about what snapshots have since there is a walk through the namespace: without it they say so.
const COMMANDS_ABOUT_OBJECTS: [&str; 5] = ["objects", "namespace", "symlinks", "zombies", "jobs"];

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, bytes).expect("a temporary file");
        path
    }
}

/// The views of the registry.
const VIEWS: [&str; 8] = [
    "hives",
    "links",
    "keys",
    "services",
    "minifilters",
    "autologgers",
    "session-manager",
    "control",
];

/// A recorded boot that says of registry and firmware what a recent system would.
fn recent() -> Builder {
    let mut builder = Builder::recorded_x64();
    builder
        .batch(Family::REGISTRY, &example_registry())
        .batch(Family::FIRMWARE, &example_firmware());
    builder
}

fn run(arguments: &[&str], path: &Path) -> Output {
    let (command, options) = arguments.split_first().expect("a command");
    Command::new(BOOTSHOTCTL)
        .arg(command)
        .arg(path)
        .args(options)
        .output()
        .expect("it starts")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit code")
}

fn text(output: &Output) -> String {
    assert_eq!(
        code(output),
        0,
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn json(arguments: &[&str], path: &Path) -> Value {
    let output = run(&[arguments, &["--json"]].concat(), path);
    serde_json::from_str(&text(&output)).expect("JSON")
}

/// The golden snapshots: those of every format version stay readable for ever.
fn golden() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reader/golden");
    let files = fs::read_dir(folder).expect("the golden snapshots");
    let files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    assert!(files.len() >= 5, "{files:?}");
    files
}

fn every_command_reads(file: &Path) {
    for command in COMMANDS {
        let output = run(&[command], file);
        assert!(text(&output).lines().count() > 3, "{command}");
        assert!(
            !output.stdout.contains(&0x1B),
            "{command}: no colour when piped"
        );
        assert!(output.stderr.is_empty(), "{command}");
        let value = json(&[command], file);
        assert!(value.is_array() || value.is_object(), "{command}");
    }
    for command in COMMANDS_ABOUT_OBJECTS {
        let output = run(&[command], file);
        let (shown, said) = (text(&output), String::from_utf8_lossy(&output.stderr));
        assert!(
            !shown.is_empty() || said.contains("not captured"),
            "{command}: {said}"
        );
        let value = json(&[command], file);
        assert!(value.is_array() || value.is_object(), "{command}");
    }
}

#[test]
fn every_command_reads_both_widths_as_text_and_as_json() {
    let folder = Folder::new();
    for builder in [Builder::recorded_x64(), Builder::recorded_x86()] {
        every_command_reads(&folder.file("a.bshot", &builder.finish()));
    }
}

#[test]
fn every_command_reads_every_golden_snapshot() {
    for file in golden() {
        every_command_reads(&file);
    }
}

#[test]
fn golden_snapshots_say_what_was_there_when_they_were_taken() {
    for file in golden() {
        let summary = json(&["summary"], &file);
        assert_eq!(summary["completeness"], "complete");
        let phase = summary["phase"].as_str().unwrap();
        assert!(file.to_string_lossy().contains(phase), "{phase}: {file:?}");
        let processes = json(&["processes"], &file);
        let own = processes
            .as_array()
            .unwrap()
            .iter()
            .find(|process| process["pid"] == summary["pid"])
            .expect("the capture itself");
        // The launcher gives the whole path of the image, smss the entry.
        let command_line = own["command_line"].as_str().unwrap();
        assert!(
            command_line.ends_with(&format!(" phase={phase}")),
            "{command_line}"
        );
        let entries = json(&["boot"], &file);
        assert!(entries.to_string().contains("bootshot phase=bootexecute"));
    }
}

#[test]
fn the_processes_of_the_recorded_boot_are_shown() {
    let folder = Folder::new();
    let file = folder.file("a.bshot", &Builder::recorded_x64().finish());
    let processes = json(&["processes"], &file);
    let images: Vec<_> = processes
        .as_array()
        .unwrap()
        .iter()
        .map(|process| process["image"].as_str().unwrap())
        .collect();
    assert_eq!(images, ["Idle", "System", "smss.exe", "dump64.exe"]);

    let tree = text(&run(&["processes", "--tree"], &file));
    let images: Vec<_> = tree.lines().map(|line| &line[13..]).collect();
    assert!(images[1].starts_with("Idle "), "{tree}");
    assert!(images[2].starts_with("  System "), "{tree}");
    assert!(images[3].starts_with("    smss.exe "), "{tree}");
    assert!(images[4].starts_with("      dump64.exe "), "{tree}");
}

#[test]
fn filters_choose_by_id_name_and_type() {
    let folder = Folder::new();
    let file = folder.file("a.bshot", &Builder::recorded_x64().finish());
    let count = |arguments: &[&str]| json(arguments, &file).as_array().unwrap().len();
    assert_eq!(count(&["processes", "--name", "SMSS"]), 1);
    assert_eq!(count(&["processes", "--pid", "4"]), 1);
    assert_eq!(count(&["threads", "--pid", "4"]), 17);
    assert_eq!(count(&["handles", "--type", "TYPE 0"]), 41);
    let by_type = json(&["handles", "--by-type"], &file);
    assert_eq!(by_type[0]["handle_count"], 41);
    let by_process = json(&["handles", "--by-process"], &file);
    assert_eq!(by_process[0]["image"], "System");
    assert_eq!(
        by_process[0]["handle_count"],
        count(&["handles", "--pid", "4"])
    );
}

#[test]
fn raw_writes_the_bytes_the_kernel_gave() {
    let folder = Folder::new();
    let payload = b"exactly these bytes, and no others";
    let note = |text: &str| Entry::new(Source::NOTE, NoteKind::BAD_ARGUMENT.0, 0, text.as_bytes());
    let mut builder = Builder::new(8);
    builder
        .section(
            Family::SYSTEM,
            &Entry::new(Source::SYSTEM_INFORMATION, 999, 0, payload),
        )
        .batch(Family::OWN, &[note("first"), note("second\0\x1b")]);
    let file = folder.file("a.bshot", &builder.finish());
    assert_eq!(
        run(&["raw", "0"], &file).stdout,
        payload,
        "a class nobody knows"
    );
    assert_eq!(run(&["raw", "1.1"], &file).stdout, b"second\0\x1b");
    let out = folder.path().join("out");
    assert_eq!(
        code(&run(&["raw", "0", "-o", out.to_str().unwrap()], &file)),
        0
    );
    assert_eq!(fs::read(&out).unwrap(), payload);
    assert_eq!(
        code(&run(&["raw", "0", "-o", out.to_str().unwrap()], &file)),
        3,
        "never overwritten"
    );
    assert_eq!(code(&run(&["raw", "7"], &file)), 3);
    assert_eq!(code(&run(&["raw", "0.1"], &file)), 3);
    assert_eq!(code(&run(&["raw", "x"], &file)), 2);
    let list = text(&run(&["raw"], &file));
    assert!(list.contains("NtQuerySystemInformation 999"), "{list}");
}

#[test]
fn raw_gives_no_answer_of_a_damaged_batch_behind_the_damage() {
    let folder = Folder::new();
    let note = |text: &str| Entry::new(Source::NOTE, NoteKind::BAD_ARGUMENT.0, 0, text.as_bytes());
    let mut builder = Builder::new(8);
    builder.batch(Family::OWN, &[note("first"), note("second")]);
    let mut bytes = builder.finish();
    let second = bytes.windows(6).position(|found| found == b"second");
    bytes[second.unwrap()] = b'S';
    let file = folder.file("a.bshot", &bytes);

    // Each item stands in a chunk of its own.
    let list = String::from_utf8(run(&["raw"], &file).stdout).unwrap();
    let results = list.lines().skip(1).map(|line| line.split_whitespace());
    let results: Vec<_> = results
        .map(|mut words| (words.next(), words.nth(1)))
        .collect();
    let expected = [("0", "damaged"), ("0.0", "complete")];
    assert_eq!(
        results,
        expected.map(|(place, result)| (Some(place), Some(result)))
    );
    let batch = run(&["raw", "--json"], &file);
    let batch: Value = serde_json::from_slice(&batch.stdout).unwrap();
    assert_eq!(batch[0]["condition"], "damaged");
    assert_eq!(batch[0]["items"].as_array().unwrap().len(), 1);
    assert_eq!(run(&["raw", "0.0"], &file).stdout, b"first");

    let out = folder.path().join("out");
    let refused = run(&["raw", "0.1", "-o", out.to_str().unwrap()], &file);
    assert_eq!(code(&refused), 3);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        said.contains("no answer 1 in section 0 before its damage"),
        "{said}"
    );
    assert!(!out.exists());
    let section = run(&["raw", "0"], &file);
    assert_eq!(
        code(&section),
        1,
        "its bytes are given, and that they are damaged is said"
    );
    assert!(section.stdout.windows(6).any(|found| found == b"Second"));
}

/// The keys of every object in `value`.
fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| keys(value, found)),
        Value::Object(object) => {
            for (key, value) in object {
                found.insert(key.clone());
                keys(value, found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_key_is_documented_under_its_command() {
    let documented = include_str!("../../../docs/json.md");
    let folder = Folder::new();
    let mut builder = recent();
    builder
        .skipped(Family::IMAGES, Outcome::SKIPPED_BY_PHASE)
        .batch(
            Family::OWN,
            &[Entry::new(Source::NOTE, NoteKind::BAD_ARGUMENT.0, 0, &[]).named("x")],
        );
    let file = folder.file("a.bshot", &builder.finish());
    let objects = folder.file("objects", &machine::machine_live().finish());
    for command in COMMANDS
        .iter()
        .chain(&["list"])
        .chain(&COMMANDS_ABOUT_OBJECTS)
    {
        let (_, rest) = documented
            .split_once(&format!("\n## {command}\n"))
            .unwrap_or_else(|| panic!("no section about {command}"));
        let section = rest.split("\n## ").next().unwrap();
        // The sections of a summary are those of `raw`.
        let mut value = json(
            &[command],
            match *command {
                "list" => folder.path(),
                command if COMMANDS_ABOUT_OBJECTS.contains(&command) => &objects,
                _ => &file,
            },
        );
        if let Some(sections) = value.get_mut("sections") {
            *sections = Value::Null;
        }
        let mut found = BTreeSet::new();
        keys(&value, &mut found);
        assert!(found.len() > 2, "{command}");
        for key in found {
            assert!(section.contains(&format!("`{key}`")), "{command}: {key}");
        }
    }
}

#[test]
fn every_view_of_the_registry_reads_and_is_documented() {
    let documented = include_str!("../../../docs/json.md");
    let (_, rest) = documented.split_once("\n## registry\n").expect("a section");
    let section = rest.split("\n## ").next().unwrap();
    let folder = Folder::new();
    let file = folder.file("a.bshot", &recent().finish());
    for view in VIEWS {
        let shown = text(&run(&["registry", view], &file));
        assert!(shown.lines().count() > 2, "{view}: {shown}");
        let value = json(&["registry", view], &file);
        let mut found = BTreeSet::new();
        keys(&value, &mut found);
        assert!(found.len() > 2, "{view}");
        for key in found {
            assert!(section.contains(&format!("`{key}`")), "{view}: {key}");
        }
    }
    for golden in golden() {
        for view in VIEWS {
            assert!(
                !text(&run(&["registry", view], &golden)).is_empty(),
                "{view}"
            );
            json(&["registry", view], &golden);
        }
    }
    assert_eq!(code(&run(&["registry", "hives", "--all"], &file)), 2);
    assert_eq!(code(&run(&["registry", "nothing"], &file)), 2);
}

#[test]
fn services_are_those_of_the_boot_unless_all_are_asked_for() {
    let folder = Folder::new();
    let file = folder.file("a.bshot", &recent().finish());
    let count = |arguments: &[&str]| json(arguments, &file).as_array().unwrap().len();
    assert_eq!(count(&["registry", "services"]), 6);
    assert_eq!(count(&["registry", "services", "--all"]), 7);
    let shown = text(&run(&["registry", "services"], &file));
    assert!(shown.contains("FSFilter Anti-Virus"), "{shown}");
    assert!(!shown.contains("BFE"), "{shown}");
}

#[test]
fn refused_keys_say_why_by_name() {
    let folder = Folder::new();
    let file = folder.file("a.bshot", &recent().finish());
    let hives = text(&run(&["registry"], &file));
    assert!(
        hives.contains("\\Registry\\WC") && hives.contains("STATUS_ACCESS_DENIED"),
        "{hives}"
    );
    let wfp = text(&run(&["wfp"], &file));
    assert!(
        wfp.contains("Persistent\\Filter: 0xC0000022 STATUS_ACCESS_DENIED"),
        "{wfp}"
    );
}

#[test]
fn filters_show_their_bytes_only_when_asked() {
    let folder = Folder::new();
    let file = folder.file("a.bshot", &recent().finish());
    assert_eq!(json(&["wfp"], &file)["objects"][1]["bytes"], Value::Null);
    assert_eq!(
        json(&["wfp", "--raw"], &file)["objects"][1]["bytes"],
        "010203"
    );
    let shown = text(&run(&["wfp", "--raw"], &file));
    assert!(
        shown.contains("Boot Time Filter") && shown.contains("010203"),
        "{shown}"
    );
    assert!(shown.contains("FWPM_LAYER_ALE_AUTH_CONNECT_V4"), "{shown}");
}

#[test]
fn drivers_can_be_chosen_by_their_state() {
    let folder = Folder::new();
    let file = folder.file("a.bshot", &recent().finish());
    let all = json(&["drivers"], &file);
    let missing = json(&["drivers", "--state", "not-loaded"], &file);
    let missing = missing["drivers"].as_array().unwrap();
    assert!(!missing.is_empty() && missing.len() < all["drivers"].as_array().unwrap().len());
    assert!(missing.iter().all(|driver| driver["state"] == "not_loaded"));
    assert!(
        missing
            .iter()
            .any(|driver| driver["name"] == "VendorSentinel")
    );
}

#[test]
fn memory_is_explained_with_the_figures_of_the_process() {
    let folder = Folder::new();
    let file = folder.file("a.bshot", &Builder::recorded_x64().finish());
    let first = &json(&["memory"], &file)["processes"][0];
    let explained = json(&["memory", "--explain"], &file);
    assert_eq!(
        explained["pid"], first["pid"],
        "the one with the most private commit"
    );
    let smss = json(&["processes", "--name", "smss"], &file)[0].clone();
    let option = format!("--explain={}", smss["pid"]);
    let words = text(&run(&["memory", &option], &file));
    assert_eq!(
        words.trim_end().lines().count(),
        1,
        "one paragraph: {words}"
    );
    for part in [
        format!("Process {} (smss.exe)", smss["pid"]),
        format!("{} page faults", smss["page_faults"]),
        format!(
            "Its working set is {} KiB",
            smss["working_set"].as_u64().unwrap() / 1024
        ),
        "Task Manager".to_owned(),
    ] {
        assert!(words.contains(&part), "{part}: {words}");
    }
    let nobody = run(&["memory", "--explain=999999"], &file);
    assert_eq!(code(&nobody), 1);
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("no process 999999"));
}

#[test]
fn boot_follows_the_platform_binary_and_lists_variables() {
    let folder = Folder::new();
    let file = folder.file("a.bshot", &recent().finish());
    let boot = text(&run(&["boot"], &file));
    for part in [
        "WPBT of VENDOR TABLE: 20 KiB at physical 0x7f000000",
        "/quiet",
        "smss leaves it alone",
        "wpbbin.exe is there",
        "Boot0003 Boot001A",
        "Network (not active)",
    ] {
        assert!(boot.contains(part), "{part}: {boot}");
    }
    let variables = json(&["boot", "--variables"], &file);
    assert_eq!(variables.as_array().unwrap().len(), 10);
    let shown = text(&run(&["boot", "--variables"], &file));
    assert!(shown.contains("SetupMode"), "{shown}");
}

#[test]
fn the_summary_says_what_was_left_out_and_what_it_cost() {
    let folder = Folder::new();
    let mut builder = recent();
    builder.skipped(Family::IMAGES, Outcome::SKIPPED_BY_PHASE);
    let file = folder.file("a.bshot", &builder.finish());
    let summary = text(&run(&["summary"], &file));
    assert!(summary.contains("images (skipped by phase)"), "{summary}");
    assert!(summary.contains("own cost"), "{summary}");
    let families = &json(&["summary"], &file)["cost"]["families"];
    let registry = families
        .as_array()
        .unwrap()
        .iter()
        .find(|cost| cost["family"] == "registry");
    assert!(registry.unwrap()["questions"].as_u64() > Some(20));
}

#[test]
fn names_cannot_steer_the_terminal() {
    let folder = Folder::new();
    let mut builder = Builder::new(8);
    let note =
        Entry::new(Source::NOTE, NoteKind::BAD_ARGUMENT.0, 0, &[]).named("a\x1b[2Jb\u{202E}c");
    builder.batch(Family::OWN, &[note]);
    let file = folder.file("a.bshot", &builder.finish());
    for command in ["summary", "raw"] {
        let shown = text(&run(&[command], &file));
        assert!(shown.contains("a\\u{1b}[2Jb\\u{202e}c"), "{shown}");
        assert!(!shown.contains(['\x1b', '\u{202E}']));
    }
}

#[test]
fn what_is_wrong_is_said_and_decides_the_exit_code() {
    let folder = Folder::new();
    let whole = Builder::recorded_x64().finish();
    let mut damaged = whole.clone();
    damaged[5000] ^= 1;
    let ends = |name: &str, bytes: &[u8], expected: i32, words: &str| {
        let file = folder.file(name, bytes);
        let output = run(&["summary"], &file);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(code(&output), expected, "{name}: {said}");
        assert!(said.contains(words), "{name}: {said}");
    };
    ends(
        "damaged",
        &damaged,
        1,
        "record payload: expected the checksum in its header",
    );
    ends(
        "cut",
        &whole[..whole.len() / 2],
        1,
        "ends before the capture did",
    );
    ends(
        "header",
        &whole[..100],
        1,
        "cut short inside its header: 100 bytes",
    );
    ends("empty", b"", 3, "the file is empty");
    ends("foreign", b"MZ\x90\0", 3, "not a bootshot snapshot");
    ends(
        "unfinished",
        &Builder::recorded_x64().unfinished(),
        0,
        "ends before the capture did",
    );
    let missing = run(&["summary"], &folder.path().join("none"));
    assert_eq!(code(&missing), 3);
}

#[test]
fn a_question_without_an_answer_is_explained() {
    let folder = Folder::new();
    let mut builder = Builder::new(8);
    let denied = Entry::new(Source::SYSTEM_INFORMATION, 77, 0, &[]).status(0xC000_0022);
    builder.section(Family::MODULES, &denied);
    let file = folder.file("a.bshot", &builder.finish());
    let output = run(&["modules"], &file);
    assert_eq!(code(&output), 0);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("kernel modules") && said.contains("STATUS_ACCESS_DENIED"),
        "{said}"
    );
    assert_eq!(json(&["modules"], &file), serde_json::json!([]));
}

#[test]
fn a_directory_stands_for_its_newest_snapshot() {
    let folder = Folder::new();
    let numbered = |sequence, phase| {
        let header = Header {
            sequence,
            phase,
            ..header(8)
        };
        Builder::with_header(header).finish()
    };
    folder.file("b.bshot", &numbered(9, Phase::SETUP_EXECUTE));
    folder.file("a.bshot", &numbered(12, Phase::LIVE));
    folder.file("broken.bshot", b"\x89BSHOT");
    let listed = json(&["list"], folder.path());
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 3);
    assert_eq!(listed[0]["completeness"], "complete");
    assert_eq!(listed[0]["sequence"], 12);
    assert_eq!(listed[1]["sequence"], 9);
    assert_eq!(
        listed[2]["error"],
        "the snapshot is cut short inside its header: 6 bytes, 256 expected"
    );
    let table = text(&run(&["list"], folder.path()));
    assert!(table.contains("broken.bshot"), "{table}");
    let summary = json(&["summary"], folder.path());
    assert_eq!(summary["phase"], "live");
    let none = Folder::new();
    assert_eq!(code(&run(&["summary"], none.path())), 3);
    assert_eq!(text(&run(&["list"], none.path())).lines().count(), 1);
}

#[test]
fn processes_with_one_id_stand_in_the_tree_each_with_what_they_started_once() {
    let folder = Folder::new();
    let process = |pid, image| ListedProcess {
        pid,
        create_time: 1,
        image,
        tids: &[],
    };
    let processes = [
        process(4, "System"),
        process(8, "one.exe"),
        process(8, "other.exe"),
        process(12, "child.exe"),
    ];
    // Where `SYSTEM_PROCESS_INFORMATION` has the parent: the second of id 8 is below the child of the first.
    const PARENT: usize = 0x58;
    let mut list = process_list(&processes);
    let mut start = 0;
    for parent in [0_u64, 4, 12, 8] {
        let place = start + PARENT;
        list.bytes[place..place + 8].copy_from_slice(&parent.to_le_bytes());
        start += u32::from_le_bytes(*list.bytes[start..].first_chunk().unwrap()) as usize;
    }
    let mut builder = Builder::new(8);
    builder.section(Family::PROCESSES, &list);
    let file = folder.file("a.bshot", &builder.finish());

    let tree = text(&run(&["processes", "--tree"], &file));
    let expected = ["System", "  one.exe", "    child.exe", "      other.exe"];
    let images = tree.lines().skip(1).map(|line| line[13..31].trim_end());
    assert!(images.eq(expected), "{tree}");
    let statement = "SELECT tree FROM process_tree";
    let output = text(&run(&["sql", statement, "--csv"], &file));
    assert!(output.lines().skip(1).eq(expected), "{output}");
}

#[test]
#[cfg(target_os = "linux")]
fn of_a_new_file_that_does_not_fit_nothing_is_left() {
    let folder = Folder::new();
    let input = folder.path().join("in.bshot");
    let mut builder = Builder::new(8);
    for class in [998, 999] {
        let entry = Entry::new(Source::SYSTEM_INFORMATION, class, 0, &[7; 4096]);
        builder.section(Family::SYSTEM, &entry);
    }
    let mut unfinished = builder.unfinished();
    unfinished.truncate(unfinished.len() - 100);
    fs::write(&input, &unfinished).unwrap();
    let (input, output) = (input.to_str().unwrap(), folder.path().join("out"));
    let output = output.to_str().unwrap();
    for arguments in [
        &["raw", input, "0", "-o", output][..],
        &["salvage", input, "-o", output],
        &["redact", input, output],
    ] {
        // A full disk: no file gets longer than a block, and who writes on is told so instead of killed.
        let full = "trap '' XFSZ; ulimit -f 1; exec \"$@\"";
        let program = Command::new("sh")
            .args(["-c", full, "sh", BOOTSHOTCTL])
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&program.stderr);
        assert_eq!(code(&program), 3, "{arguments:?}: {said}");
        assert!(said.contains("cannot write"), "{said}");
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "{arguments:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_no_readable_file_stops_nothing_that_looks_into_its_folder() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new();
    let snapshot = |sequence, snapshot_id| {
        let header = Header {
            sequence,
            snapshot_id,
            ..header(8)
        };
        Builder::with_header(header).finish()
    };
    folder.file("a.bshot", &snapshot(1, [1; 16]));
    let newest = folder.file("B.BSHOT", &snapshot(2, [2; 16]));
    fs::create_dir(folder.path().join("d.bshot")).unwrap();
    symlink("nowhere", folder.path().join("dangling.bshot")).unwrap();
    let pipe = folder.path().join("pipe.bshot");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    // A file for everybody, of which no byte can be read from its start on.
    symlink("/proc/self/mem", folder.path().join("unreadable.bshot")).unwrap();

    let listed = json(&["list"], folder.path());
    let listed: Vec<(&str, bool)> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|file| {
            let name = Path::new(file["file"].as_str().unwrap()).file_name();
            (name.unwrap().to_str().unwrap(), file["error"].is_string())
        })
        .collect();
    let expected = [
        ("B.BSHOT", false),
        ("a.bshot", false),
        ("unreadable.bshot", true),
    ];
    assert_eq!(listed, expected);

    let output = run(&["summary", "--json"], folder.path());
    let warned = String::from_utf8_lossy(&output.stderr);
    assert!(warned.contains("unreadable.bshot"), "{warned}");
    assert_eq!(text(&output), text(&run(&["summary", "--json"], &newest)));

    let statement = "SELECT count(*) FROM summary";
    let output = run(&["sql", statement, "--csv"], folder.path());
    assert_eq!(output.stdout, b"count(*)\r\n2\r\n");

    let baseline = folder.path().to_str().unwrap();
    let output = run(&["diff", "--baseline", baseline], &newest);
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.starts_with("baseline  1 snapshot\n"), "{shown}");
    let warned = String::from_utf8_lossy(&output.stderr);
    assert!(warned.contains("left out of the baseline"), "{warned}");
    assert_eq!(code(&output), 1, "not all of it was compared");
}
