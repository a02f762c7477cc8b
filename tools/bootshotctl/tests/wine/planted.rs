//! What is planted must be found: a program that knows its own handles, threads and child is running while a snapshot
//! is taken, and what it said of itself is compared with what the snapshot says of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::machine::{Machine, said};

/// A program that says what it knows of itself, ended with the test.
pub struct Planted(Child);

impl Planted {
    /// Compiles and starts it; gives what it says of itself once it is ready.
    pub fn start(machine: &Machine, program: &str) -> (Self, BTreeMap<String, Vec<u64>>) {
        let truth = machine.drive_c().join("truth");
        let _ = fs::remove_file(&truth);
        let planted = machine
            .compiled(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Wine starts it");
        let planted = Self(planted);
        for _ in 0..1800 {
            if let Ok(text) = fs::read_to_string(&truth) {
                let mut facts = BTreeMap::<String, Vec<u64>>::new();
                for line in text.lines() {
                    let (key, value) = line.split_once(' ').expect("key and value");
                    let values = facts.entry(key.to_owned()).or_default();
                    values.push(value.parse().expect("a number"));
                }
                return (planted, facts);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{program} did not get ready");
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// What the companion of this host reads from a snapshot.
pub fn read(arguments: &[&str], snapshot: &Path) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bootshotctl"));
    let said = said(command.args(arguments).arg("--json").arg(snapshot));
    assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
    serde_json::from_str(&said.stdout).expect("JSON")
}

/// The rows of a list whose `key` is `value`.
pub fn rows<'v>(list: &'v Value, key: &str, value: &Value) -> Vec<&'v Value> {
    let list = list.as_array().expect("a list").iter();
    list.filter(|row| row[key] == *value).collect()
}

/// The one row of a list whose `key` is `value`.
#[track_caller]
pub fn row<'v>(list: &'v Value, key: &str, value: &Value) -> &'v Value {
    match rows(list, key, value)[..] {
        [row] => row,
        ref rows => panic!("one row with {key} {value}: {rows:?}"),
    }
}

fn process(processes: &Value, pid: u64) -> &Value {
    row(processes, "pid", &json!(pid))
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn what_a_program_knows_of_itself_is_in_the_snapshot() {
    let machine = Machine::fresh();
    let (planted, truth) = Planted::start(&machine, "planted");
    machine.must(&["run", "--", "phase=live", "keep=2"]);
    let snapshots = machine.snapshots();
    let [snapshot] = &snapshots[..] else {
        panic!("one snapshot: {snapshots:?}")
    };
    drop(planted);
    let pid = truth["process"][0];
    let child_pid = truth["child"][0];

    let processes = read(&["processes"], snapshot);
    let parent = process(&processes, pid);
    assert_eq!(parent["image"], "planted.exe");
    assert_eq!(parent["thread_count"], truth["thread"].len());
    let child = process(&processes, child_pid);
    assert_eq!(child["image"], "planted.exe");
    assert_eq!(
        child["command_line"],
        "\"C:\\planted.exe\" child  with known \"words\""
    );
    assert_eq!(
        (child["parent_pid"].as_u64(), &child["parent_status"]),
        (Some(pid), &"alive".into())
    );
    assert_eq!(child["thread_count"], 1);

    let threads = read(&["threads"], snapshot);
    let threads_of = |pid: u64| -> Vec<u64> {
        let threads = threads
            .as_array()
            .unwrap()
            .iter()
            .filter(|thread| thread["pid"] == pid);
        let mut ids: Vec<u64> = threads
            .map(|thread| thread["tid"].as_u64().unwrap())
            .collect();
        ids.sort_unstable();
        ids
    };
    let mut expected = truth["thread"].clone();
    expected.sort_unstable();
    assert_eq!(threads_of(pid), expected);
    assert_eq!(threads_of(child_pid), truth["child_thread"]);

    let handles = read(&["handles", "--pid", &pid.to_string()], snapshot);
    let handles = handles.as_array().unwrap();
    for object_type in ["Event", "Mutant", "Semaphore"] {
        for value in &truth[object_type] {
            let value = format!("{value:#x}");
            let handle = handles.iter().find(|handle| handle["handle"] == value);
            let handle = handle.unwrap_or_else(|| panic!("no handle {value} among {handles:?}"));
            assert_eq!(handle["type"], object_type, "{handle}");
        }
        let mut by_type = handles
            .iter()
            .filter(|handle| handle["type"] == object_type);
        // The runtime may have opened some of its own.
        assert!(by_type.by_ref().count() >= truth[object_type].len());
    }
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn the_capture_finds_itself_and_its_parent() {
    let machine = Machine::fresh();
    machine.must(&["run", "--", "phase=live"]);
    let snapshots = machine.snapshots();
    let [snapshot] = &snapshots[..] else {
        panic!("one snapshot: {snapshots:?}")
    };
    let summary = read(&["summary"], snapshot);
    let processes = read(&["processes"], snapshot);
    let own = process(
        &processes,
        summary["pid"].as_u64().expect("its own process id"),
    );
    assert_eq!(own["image"], "bootshot.exe");
    assert!(
        own["command_line"]
            .as_str()
            .unwrap()
            .ends_with("phase=live"),
        "{own}"
    );
    let parent = process(&processes, own["parent_pid"].as_u64().unwrap());
    assert_eq!(parent["image"], "bootshotctl.exe");
    assert!(
        parent["command_line"]
            .as_str()
            .unwrap()
            .ends_with("run -- phase=live"),
        "{parent}"
    );
}
