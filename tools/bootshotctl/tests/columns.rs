//! `--columns`, `--sort` and `--filter` do the same for every command that shows a table.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const GOLDEN: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../reader/golden/v1-wine8-x64-live.bshot"
);

/// Every command with a table, with the options that lead to it, and where its records are in its JSON.
const COMMANDS: [(&[&str], &str); 26] = [
    (&["processes"], ""),
    (&["threads"], ""),
    (&["handles"], ""),
    (&["handles", "--by-type"], ""),
    (&["handles", "--by-process"], ""),
    (&["objects"], "/objects"),
    (&["namespace"], ""),
    (&["namespace", "--unnamed"], ""),
    (&["symlinks"], ""),
    (&["zombies"], ""),
    (&["zombies", "--threads"], ""),
    (&["jobs"], ""),
    (&["types"], ""),
    (&["modules"], ""),
    (&["drivers"], "/drivers"),
    (&["wfp"], "/objects"),
    (&["memory"], "/processes"),
    (&["boot", "--variables"], ""),
    (&["registry", "hives"], "/hives"),
    (&["registry", "links"], "/links"),
    (&["registry", "services", "--all"], ""),
    (&["registry", "minifilters"], ""),
    (&["registry", "autologgers"], ""),
    (&["list"], ""),
    // What is no table without the options.
    (&["peb"], "/fields"),
    (&["raw"], ""),
];

fn run(command: &[&str], options: &[&str]) -> Output {
    let (name, arguments) = command.split_first().unwrap();
    let golden = Path::new(GOLDEN);
    let input = match *name {
        "list" => golden.parent().unwrap(),
        _ => golden,
    };
    Command::new(env!("CARGO_BIN_EXE_bootshotctl"))
        .arg(name)
        .arg(input)
        .args(arguments)
        .args(options)
        .output()
        .unwrap()
}

fn json(command: &[&str], options: &[&str]) -> Value {
    let output = run(command, &[options, &["--json"]].concat());
    assert!(output.status.success(), "{command:?} {options:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The columns that `--columns help` names.
fn columns(command: &[&str]) -> Vec<String> {
    let output = run(command, &["--columns", "help"]);
    assert!(output.status.success(), "{command:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().skip(1);
    lines
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_column_of_every_table_can_be_chosen_and_says_what_the_json_says() {
    for (command, place) in COMMANDS {
        let columns = columns(command);
        let rows = json(command, &["--columns", &columns.join(",")]);
        let rows = rows.as_array().unwrap();
        let whole = json(command, &[]);
        let records = whole.pointer(place).unwrap().as_array().unwrap();
        for row in rows {
            let keys: Vec<_> = row.as_object().unwrap().keys().cloned().collect();
            let all: BTreeSet<_> = columns.iter().cloned().collect();
            assert_eq!(keys.into_iter().collect::<BTreeSet<_>>(), all);
        }
        if matches!(command[0], "peb" | "raw") {
            assert!(rows.len() > records.len());
            continue;
        }
        assert_eq!(rows.len(), records.len(), "{command:?}");
        for (row, record) in rows.iter().zip(records) {
            for (key, value) in record.as_object().unwrap() {
                if let Some(cell) = row.get(key) {
                    assert_eq!(cell, value, "{command:?} {key}");
                } else {
                    // An object in the record, or nothing: its keys are columns.
                    let inside = value.is_null()
                        || value.as_object().unwrap().iter().all(|(inner, value)| {
                            row.get(format!("{key}_{inner}"))
                                .is_some_and(|cell| cell == value)
                        });
                    assert!(inside, "{command:?} {key}");
                }
            }
        }
    }
}

#[test]
fn every_table_is_ordered_and_filtered_by_any_column() {
    for (command, _) in COMMANDS {
        let columns = columns(command);
        let first = &columns[0];
        let all = json(command, &["--columns", first]);
        let all = all.as_array().unwrap();
        let sorted = json(command, &["--columns", first, "--sort", first]);
        let reversed = json(
            command,
            &["--columns", first, "--sort", &format!("-{first}")],
        );
        let texts = |rows: &Value| -> Vec<String> {
            let rows = rows.as_array().unwrap().iter();
            rows.map(ToString::to_string).collect()
        };
        let known: Vec<_> = texts(&reversed)
            .into_iter()
            .filter(|row| !row.ends_with(":null}"))
            .rev()
            .collect();
        assert_eq!(texts(&sorted)[..known.len()], known, "{command:?}");
        let Some(wanted) = all.iter().find_map(|row| match &row[first] {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }) else {
            continue;
        };
        let condition = format!("{first}={wanted}");
        let is = json(command, &["--columns", first, "--filter", &condition]);
        let condition = format!("{first}!={wanted}");
        let is_not = json(command, &["--columns", first, "--filter", &condition]);
        let (is, is_not) = (is.as_array().unwrap(), is_not.as_array().unwrap());
        assert!(!is.is_empty(), "{command:?}");
        assert_eq!(is.len() + is_not.len(), all.len(), "{command:?}");
    }
}

#[test]
fn without_columns_the_records_stay_whole() {
    let found = json(&["processes"], &["--filter", "image=services.exe"]);
    let [process] = &found.as_array().unwrap()[..] else {
        panic!("{found:#}");
    };
    assert_eq!(process["image"], "services.exe");
    assert!(process.as_object().unwrap().contains_key("job"));
}

#[test]
fn nested_views_of_the_registry_are_tables_as_well() {
    for view in ["keys", "session-manager", "control"] {
        let rows = json(&["registry", view], &["--sort", "path"]);
        let rows = rows.as_array().unwrap();
        assert!(!rows.is_empty(), "{view}");
        let paths: Vec<_> = rows
            .iter()
            .map(|row| row["path"].as_str().unwrap().to_lowercase())
            .collect();
        assert!(paths.is_sorted(), "{view}");
    }
}

#[test]
fn a_column_that_is_not_there_is_told_with_those_that_are() {
    let output = run(&["types"], &["--sort", "size"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no column \"size\""), "{said}");
    assert!(said.contains("object_count"), "{said}");
    let output = run(&["boot"], &["--sort", "name"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_golden_snapshot_has_rows_to_look_at() {
    assert!(fs::metadata(GOLDEN).unwrap().len() > 100_000);
    let empty: Vec<_> = COMMANDS
        .iter()
        .filter(|(command, _)| {
            let first = &columns(command)[0];
            json(command, &["--columns", first]) == Value::Array(Vec::new())
        })
        .map(|(command, _)| command.join(" "))
        .collect();
    // What Wine does not have.
    assert_eq!(
        empty,
        [
            "namespace --unnamed",
            "wfp",
            "boot --variables",
            "registry links",
            "registry minifilters",
            "registry autologgers",
        ]
    );
}
