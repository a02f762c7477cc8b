//! Processes and threads that have ended and are still held: a program keeps some and lets others go, and exactly those
//! it keeps are zombies.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::machine::Machine;
use crate::planted::{Planted, read};

/// Id, exit status and the holder's handle, in the order of the ids.
fn expected(truth: &BTreeMap<String, Vec<u64>>, what: &str) -> Vec<(u64, u64, String)> {
    let of = |suffix: &str| &truth[&format!("{what}{suffix}")];
    let mut expected: Vec<_> = of("")
        .iter()
        .zip(of("_status"))
        .zip(of("_handle"))
        .map(|((id, status), handle)| (*id, *status, format!("{handle:#x}")))
        .collect();
    expected.sort();
    expected
}

/// The same of what `zombies` lists, for those that the program holds.
fn found(zombies: &Value, id: &str, holder: u64) -> Vec<(u64, u64, String)> {
    let mut found = Vec::new();
    for zombie in zombies.as_array().expect("a list") {
        let holders = zombie["holders"].as_array().expect("a list");
        let Some(held) = holders.iter().find(|held| held["pid"] == holder) else {
            continue;
        };
        assert_eq!(held["image"], "ended.exe", "{zombie}");
        assert_eq!(holders.len(), 1, "nobody else holds it: {zombie}");
        let moment = |key: &str| zombie[key].as_str().expect("a moment").to_owned();
        assert!(moment("create_time") <= moment("exit_time"), "{zombie}");
        found.push((
            zombie[id].as_u64().expect("an id"),
            exit_status(&zombie["exit_status"]),
            held["handle"].as_str().expect("a handle").to_owned(),
        ));
    }
    found.sort();
    found
}

/// Statuses are written in hexadecimal.
fn exit_status(value: &Value) -> u64 {
    let text = value.as_str().expect("a string");
    u64::from_str_radix(text.trim_start_matches("0x"), 16).expect("hexadecimal")
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn exactly_the_ended_processes_and_threads_that_are_held_are_zombies() {
    let machine = Machine::fresh();
    let (planted, truth) = Planted::start(&machine, "ended");
    machine.must(&["run", "--", "phase=live", "keep=2"]);
    let snapshots = machine.snapshots();
    let [snapshot] = &snapshots[..] else {
        panic!("one snapshot: {snapshots:?}")
    };
    drop(planted);
    let holder = truth["process"][0];
    assert_eq!((truth["child"].len(), truth["thread"].len()), (200, 200));

    let zombies = read(&["zombies"], snapshot);
    assert_eq!(found(&zombies, "pid", holder), expected(&truth, "child"));
    let first = &zombies[0];
    assert_eq!(
        first["image"], "ended.exe",
        "the holder that holds most comes first"
    );
    assert_eq!(first["tid"], json!(null));

    let threads = read(&["zombies", "--threads"], snapshot);
    assert_eq!(found(&threads, "tid", holder), expected(&truth, "thread"));
}
