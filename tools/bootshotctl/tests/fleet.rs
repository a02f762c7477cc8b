//! A fleet's snapshots become a partitioned data set, and what is planted in them is found.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bootshot_reader::Snapshot;
use fleet::{FEWEST_MACHINES, Fleet};
use serde_json::{Value, json};

const DRIVERS: &str = include_str!("../../fleet/queries/drivers.sql");
const ZOMBIES: &str = include_str!("../../fleet/queries/zombies.sql");

/// The entries of a folder, by their names.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut entries: Vec<_> = listed.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// `20261108T021304Z`.
fn is_moment(text: &str) -> bool {
    let shape = text
        .chars()
        .map(|one| if one.is_ascii_digit() { '0' } else { one });
    shape.collect::<String>() == "00000000T000000Z"
}

fn run(command: &str, snapshots: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_bootshotctl"))
        .arg(command)
        .arg(snapshots)
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

fn made(seed: u64) -> (Fleet, tempfile::TempDir) {
    let fleet = Fleet::new(seed, FEWEST_MACHINES);
    let folder = tempfile::tempdir().unwrap();
    fleet.write(folder.path()).unwrap();
    (fleet, folder)
}

#[test]
fn the_data_set_has_a_folder_for_each_table_machine_and_boot() {
    let (fleet, snapshots) = made(3);
    let data = tempfile::tempdir().unwrap();
    let to = data.path().to_str().unwrap();
    run(
        "export",
        snapshots.path(),
        &["--to", "parquet", "--tables", "drivers", to],
    );
    let names =
        |folder: &Path| -> Vec<String> { entries(folder).iter().map(|path| name(path)).collect() };
    assert_eq!(names(data.path()), ["table=drivers", "table=summary"]);
    for table in entries(data.path()) {
        let machines: Vec<String> = fleet
            .machines()
            .iter()
            .map(|one| format!("host={}", one.name))
            .collect();
        assert_eq!(names(&table), machines);
        for (folder, machine) in entries(&table).iter().zip(fleet.machines()) {
            let boots = entries(folder);
            let [boot] = &boots[..] else {
                panic!("{boots:?}");
            };
            let moment = name(boot);
            assert!(
                moment.strip_prefix("boot=").is_some_and(is_moment),
                "{moment}"
            );
            let files = names(boot);
            let kept = entries(&snapshots.path().join(&machine.name));
            assert_eq!(files.len(), kept.len(), "{files:?}");
            assert!(
                files.iter().all(|file| file.ends_with(".parquet")),
                "{files:?}"
            );
        }
    }
}

/// The rows of a statement that knows the machine of each snapshot, as those of the data set do.
fn ask(snapshots: &Path, tables: &[&str], statement: &str) -> Vec<Value> {
    let mut hosts = Vec::new();
    for machine in entries(snapshots) {
        for file in entries(&machine) {
            let bytes = fs::read(&file).unwrap();
            let id = Snapshot::parse(&bytes).unwrap().summary().value.snapshot_id;
            hosts.push(format!("('{id}', '{}')", name(&machine)));
        }
    }
    let mut with = format!("WITH hosts (id, host) AS (VALUES {})", hosts.join(", "));
    for table in tables {
        with += &format!(
            ", {table} AS (SELECT host, rows.* FROM main.{table} AS rows JOIN hosts ON id = snapshot_id)"
        );
    }
    let lines = statement.lines().filter(|line| !line.starts_with("--"));
    let statement = lines.collect::<Vec<_>>().join("\n");
    let statement = match statement.strip_prefix("WITH ") {
        Some(more) => format!("{with}, {more}"),
        None => format!("{with} {statement}"),
    };
    let answer = run("sql", snapshots, &["--json", &statement]);
    serde_json::from_str(&answer).unwrap()
}

#[test]
fn the_drivers_of_one_machine_only_are_those_that_were_planted() {
    let (fleet, snapshots) = made(4);
    let found = ask(snapshots.path(), &["drivers"], DRIVERS);
    assert_eq!(Value::from(found), json!(fleet.planted().drivers));
}

#[test]
fn the_process_with_most_zombies_is_the_one_that_leaks() {
    let (fleet, snapshots) = made(5);
    let found = ask(snapshots.path(), &["summary", "zombie_holders"], ZOMBIES);
    assert_eq!(found[0], json!(fleet.planted().zombies));
    let zombies = |row: &Value| row["zombies"].as_u64().unwrap();
    assert!(zombies(&found[0]) > zombies(&found[1]), "{found:?}");
}

/// SQLite has no lists, so the majority is found here.
#[test]
fn the_boot_lists_that_differ_from_the_majority_are_those_that_were_planted() {
    let (fleet, snapshots) = made(6);
    let rows = ask(
        snapshots.path(),
        &["summary", "session_manager_lists"],
        "SELECT summary.host, list || ' ' || position || ': ' || lower(entry) AS entry
        FROM summary LEFT JOIN session_manager_lists AS lists ON lists.snapshot_id = summary.snapshot_id",
    );
    let mut lists: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in &rows {
        let entry = row["entry"].as_str().unwrap_or("nothing").to_owned();
        let list = lists
            .entry(row["host"].as_str().unwrap().to_owned())
            .or_default();
        list.push(entry);
        list.sort();
        // The second snapshot of a machine says the same.
        list.dedup();
    }
    let count = |list: &Vec<String>| lists.values().filter(|other| *other == list).count();
    let majority = lists.values().max_by_key(|list| count(list)).unwrap();
    let differs = lists.iter().filter(|(_, list)| *list != majority);
    let found: Vec<Value> = differs
        .map(|(host, list)| json!({ "host": host, "boot_list": list }))
        .collect();
    assert_eq!(Value::from(found), json!(fleet.planted().boot_lists));
}
