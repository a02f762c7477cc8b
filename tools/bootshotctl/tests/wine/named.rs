//! Names of what others hold: a program opens objects whose names it knows, and each of its handles must carry the name.

use serde_json::{Value, json};

use crate::machine::Machine;
use crate::planted::{Planted, read, row, rows};

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn handles_of_a_program_carry_the_names_it_gave() {
    let machine = Machine::fresh();
    let (planted, truth) = Planted::start(&machine, "named");
    machine.must(&["run", "--", "phase=live", "keep=2"]);
    let snapshots = machine.snapshots();
    let [snapshot] = &snapshots[..] else {
        panic!("one snapshot: {snapshots:?}")
    };
    drop(planted);
    let pid = truth["process"][0];
    let value = |what: &str| json!(format!("{:#x}", truth[what][0]));

    let handles = read(&["handles", "--pid", &pid.to_string()], snapshot);
    for (what, object_type) in [
        ("event", "Event"),
        ("mutant", "Mutant"),
        ("semaphore", "Semaphore"),
        ("section", "Section"),
        ("job", "Job"),
    ] {
        let handle = row(&handles, "handle", &value(what));
        assert_eq!(handle["type"], object_type, "{handle}");
        let name = handle["name"].as_str().unwrap_or_default();
        let expected = format!(r"\BaseNamedObjects\bootshot planted {what}");
        assert!(name.ends_with(&expected), "{handle}");
        assert_eq!(handle["name_status"], "named", "{handle}");
    }
    for (what, end) in [
        ("file", r"\planted file.txt"),
        ("key", r"\Software\bootshot planted key"),
    ] {
        let handle = row(&handles, "handle", &value(what));
        let name = handle["name"].as_str().unwrap_or_default();
        assert!(
            name.to_lowercase().ends_with(&end.to_lowercase()),
            "{handle}"
        );
    }
    let unnamed = row(&handles, "handle", &value("unnamed"));
    assert_eq!(
        (&unnamed["name"], &unnamed["name_status"]),
        (&json!(null), &json!("unnamed"))
    );

    // Two handles of the program, one object. Wine hides the addresses that would tell who holds it.
    let objects = read(&["objects", "--type", "event"], snapshot);
    let name = &row(&handles, "handle", &value("event"))["name"];
    assert_eq!(row(&handles, "handle", &value("again"))["name"], *name);
    let events = rows(&objects["objects"], "name", name);
    assert!(!events.is_empty(), "{objects}");
    for event in events {
        assert!(event["handle_count"].as_u64() >= Some(2), "{event}");
    }
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn planted_objects_stand_in_the_namespace_and_the_job_has_its_process() {
    let machine = Machine::fresh();
    let (planted, truth) = Planted::start(&machine, "named");
    machine.must(&["run", "--", "phase=live", "keep=2"]);
    let snapshots = machine.snapshots();
    let [snapshot] = &snapshots[..] else {
        panic!("one snapshot: {snapshots:?}")
    };
    drop(planted);
    let child = truth["child"][0];

    let found = read(&["namespace", "--find", "bootshot planted"], snapshot);
    let mut types: Vec<&str> = found
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| entry["type"].as_str().expect("a type"))
        .collect();
    types.sort_unstable();
    assert_eq!(types, ["Event", "Job", "Mutant", "Section", "Semaphore"]);

    let jobs = read(&["jobs"], snapshot);
    let planted = jobs.as_array().expect("a list").iter().find(|job| {
        let name = job["name"].as_str().unwrap_or_default();
        name.ends_with("bootshot planted job")
    });
    let job = planted.unwrap_or_else(|| panic!("the job is not among {jobs}"));
    assert_eq!(job["process_ids"], json!([child]), "{job}");
    assert_eq!(job["accounting"]["active_processes"], 1, "{job}");
    let pid = truth["process"][0];
    let holds = |job: &Value| {
        let holders = job["holders"].as_array().expect("a list");
        holders.iter().any(|holder| holder["pid"] == pid)
    };
    assert!(jobs.as_array().unwrap().iter().any(holds), "{jobs}");
    let processes = read(&["processes"], snapshot);
    let process = row(&processes, "pid", &json!(child));
    assert_eq!(process["job"]["name"], job["name"], "{process}");
}
