//! Jobs, silos, and the processes in them.

use bootshot_format::{Family, Source};
use bootshot_reader::Snapshot;
use serde_json::{Value, json};
use test_snapshots::machine::{self, pid};
use test_snapshots::{Builder, Entry, objects};

fn jobs(file: &[u8]) -> Value {
    let reading = Snapshot::parse(file).unwrap().jobs();
    assert_eq!(reading.problems, []);
    serde_json::to_value(reading.value).unwrap()
}

#[test]
fn a_named_job_has_limits_accounting_processes_and_holders() {
    let jobs = jobs(&machine::machine_at_boot().finish());
    assert_eq!(
        jobs[0],
        json!({
            "name": "\\KernelObjects\\WorkJob", "name_status": "named", "name_error": null,
            "address": format!("{:#x}", machine::address(machine::JOB)),
            "of_capture": false,
            "limits": {
                "flags": "0x2108", "flag_names": ["active processes", "process memory", "kill on job close"],
                "process_user_time": null, "job_user_time": null,
                "minimum_working_set": null, "maximum_working_set": null,
                "active_processes": 4, "affinity": null, "priority_class": null, "scheduling_class": null,
                "process_memory": 16 << 20, "job_memory": null,
                "peak_process_memory": 5 << 20, "peak_job_memory": 6 << 20,
            },
            "accounting": {
                "user_time": 500, "kernel_time": 600, "page_faults": 70,
                "total_processes": 8, "active_processes": 2, "terminated_processes": 1,
            },
            "process_ids": [pid::SMSS, pid::HOLDER], "assigned_processes": 2,
            "silo": null, "errors": ["JobObjectSiloBasicInformation: 0xC000000D STATUS_INVALID_PARAMETER"],
            "holders": [
                {"pid": pid::SMSS, "image": "smss.exe", "handle": "0x34", "granted_access": "0x1f0003"},
            ],
        })
    );
}

#[test]
fn a_job_of_which_only_handles_are_known_is_listed() {
    let jobs = jobs(&machine::machine_at_boot().finish());
    assert_eq!(jobs.as_array().unwrap().len(), 2);
    assert_eq!(jobs[1]["address"], format!("{:#x}", machine::UNNAMED_JOB));
    assert_eq!(jobs[1]["limits"], Value::Null);
    assert_eq!(jobs[1]["holders"][0]["pid"], pid::HOLDER);
}

#[test]
fn a_silo_behind_a_duplicate_says_its_number() {
    let jobs = jobs(&machine::machine_live().finish());
    let silo = jobs
        .as_array()
        .unwrap()
        .iter()
        .find(|job| job["silo"] != Value::Null)
        .expect("one is a silo");
    assert_eq!(
        silo["silo"],
        json!({"id": 9, "parent_id": 0, "process_count": 2, "in_server_silo": true})
    );
    assert_eq!(silo["process_ids"], json!([pid::HOLDER]));
}

#[test]
fn each_process_shows_its_smallest_job_and_its_silo() {
    let file = machine::machine_live().finish();
    let processes = Snapshot::parse(&file).unwrap().processes().value;
    let of = |pid| {
        let mut processes = processes.iter();
        let process = processes.find(|process| process.pid == pid).unwrap();
        serde_json::to_value(process).unwrap()
    };
    assert_eq!(
        of(pid::SYSTEM)["job"],
        json!({"in_job": false, "id": null, "name": null, "address": null})
    );
    assert_eq!(of(pid::SMSS)["job"]["name"], "\\KernelObjects\\WorkJob");
    assert_eq!(of(pid::SMSS)["silo"], Value::Null);
    let holder = of(pid::HOLDER);
    assert_eq!(
        holder["job"]["address"],
        format!("{:#x}", machine::UNNAMED_JOB),
        "it is in both"
    );
    assert_eq!(holder["silo"], 9);
    assert_eq!(of(pid::CAPTURE)["job"], Value::Null, "it was not asked");
}

#[test]
fn a_snapshot_without_jobs_says_so() {
    let file = Builder::recorded_x64().finish();
    let problems = Snapshot::parse(&file).unwrap().jobs().problems;
    assert_eq!(problems[0].actual, "not captured");
}

#[test]
fn the_captures_own_job_is_one_only_where_it_answers() {
    let with = |items: &[Entry]| {
        let mut builder = Builder::with_header(machine::machine_header());
        builder.batch(Family::NAMESPACE, items);
        let file = builder.finish();
        let jobs = Snapshot::parse(&file).unwrap().jobs().value;
        jobs.iter().map(|job| job.of_capture).collect::<Vec<_>>()
    };
    let refused = Entry::new(Source::JOB_INFORMATION, 1, 0, &[]).status(0xC000_0022);
    assert_eq!(with(&[refused]), [false; 0]);
    assert_eq!(with(&objects::job(0, &[pid::CAPTURE])), [true]);
}
