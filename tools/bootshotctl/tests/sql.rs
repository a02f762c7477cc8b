//! `sql` and `schema`: what they answer, what they refuse, and the prompt.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{fs, str};

use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_bootshotctl");

fn golden(phase: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../reader/golden/v1-wine8-x64-{phase}.bshot"))
}

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("it starts")
}

fn ask(statement: &str) -> Output {
    run(&["sql", golden("live").to_str().unwrap(), statement])
}

fn json(statement: &str) -> Value {
    let output = run(&["sql", "--json", golden("live").to_str().unwrap(), statement]);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_statement_that_asks_for_more_of_a_table_than_the_one_before_gets_it() {
    let mut program = Command::new(PROGRAM)
        .args(["sql", "--json", golden("live").to_str().unwrap()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let statements = "SELECT count(*) AS c FROM handles; SELECT count(type) AS t, count(handle) AS h, \
        count(DISTINCT snapshot_id) AS s FROM handles WHERE snapshot_id <> ''; \
        SELECT count(*) AS p FROM handles JOIN processes USING (snapshot_id, pid)";
    let mut input = program.stdin.take().unwrap();
    input.write_all(statements.as_bytes()).unwrap();
    drop(input);
    let output = program.wait_with_output().unwrap();
    assert!(output.status.success());
    let answers: Vec<Value> = serde_json::Deserializer::from_slice(&output.stdout)
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let count = &answers[0][0]["c"];
    assert!(count.as_u64().unwrap() > 0);
    assert_eq!(answers[1][0]["t"], *count);
    assert_eq!(answers[1][0]["h"], *count);
    assert_eq!(answers[1][0]["s"], 1);
    assert!(answers[2][0]["p"].as_u64().unwrap() > 0);
}

#[test]
fn counts_agree_with_the_command_of_the_same_name() {
    let by_sql = json(
        "SELECT type, handles AS handle_count, processes AS process_count FROM handles_by_type",
    );
    let output = run(&[
        "handles",
        "--by-type",
        "--json",
        golden("live").to_str().unwrap(),
    ]);
    let mut by_command: Value = serde_json::from_slice(&output.stdout).unwrap();
    let sorted = |value: Value| {
        let mut rows: Vec<String> = value
            .as_array()
            .unwrap()
            .iter()
            .map(Value::to_string)
            .collect();
        rows.sort();
        rows
    };
    assert!(!by_command.as_array_mut().unwrap().is_empty());
    assert_eq!(sorted(by_sql), sorted(by_command));
}

#[test]
fn rows_of_a_table_are_the_json_of_its_command() {
    let by_sql = json("SELECT pid, image, handle_count, job_in_job FROM processes");
    let output = run(&["processes", "--json", golden("live").to_str().unwrap()]);
    let by_command: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (by_sql, by_command) = (by_sql.as_array().unwrap(), by_command.as_array().unwrap());
    assert_eq!(by_sql.len(), by_command.len());
    for (row, process) in by_sql.iter().zip(by_command) {
        for key in ["pid", "image", "handle_count"] {
            assert_eq!(row[key], process[key]);
        }
        assert_eq!(row["job_in_job"], process["job"]["in_job"]);
    }
    // Lists are lists, not text.
    let handles = json("SELECT access_names FROM handles LIMIT 1");
    assert!(handles[0]["access_names"].is_array());
}

#[test]
fn every_view_answers_over_several_snapshots() {
    let schema = run(&["schema", "--json"]);
    let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
    let views = schema["views"].as_array().unwrap();
    assert!(views.len() >= 15);
    let folder = golden("live").parent().unwrap().to_owned();
    for view in views {
        let statement = format!("SELECT * FROM {}", view["name"].as_str().unwrap());
        let output = run(&["sql", folder.to_str().unwrap(), &statement, "--csv"]);
        assert!(output.status.success(), "{statement}: {}", stderr(&output));
        let mut reader = csv::Reader::from_reader(output.stdout.as_slice());
        let columns = view["columns"].as_array().unwrap();
        assert_eq!(reader.headers().unwrap().len(), columns.len());
    }
}

#[test]
fn the_tree_has_every_process_below_its_parent() {
    let tree = json("SELECT pid, parent_pid, depth FROM process_tree");
    let tree = tree.as_array().unwrap();
    let processes = json("SELECT count(*) AS count FROM processes");
    assert_eq!(processes[0]["count"], tree.len());
    assert!(tree.iter().any(|row| row["depth"] != 0));
    for row in tree.iter().filter(|row| row["depth"] != 0) {
        let parent = tree
            .iter()
            .find(|other| other["pid"] == row["parent_pid"])
            .unwrap();
        assert_eq!(
            parent["depth"].as_i64().unwrap() + 1,
            row["depth"].as_i64().unwrap()
        );
    }
}

#[test]
fn a_statement_without_a_word_is_refused() {
    let output = ask("");
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("there is no statement"), "{said}");
}

#[test]
fn a_statement_that_writes_is_refused() {
    for statement in [
        "DELETE FROM handles",
        "INSERT INTO handles (pid) VALUES (1)",
        "CREATE TABLE mine (x)",
        "DROP TABLE handles",
        "ATTACH 'x.db' AS x",
        "PRAGMA journal_mode = WAL",
        "SELECT load_extension('x')",
        "VACUUM INTO 'x.db'",
        "SELECT 1; DELETE FROM handles",
        "VACUUM ",
    ] {
        let output = ask(statement);
        assert_eq!(output.status.code(), Some(2), "{statement}");
        assert!(output.stdout.is_empty(), "{statement}: {}", stdout(&output));
        assert!(!Path::new("x.db").exists());
        let said = stderr(&output);
        assert!(
            said.contains("will not run the statement"),
            "{statement}: {said}"
        );
    }
}

#[test]
fn a_mistake_is_shown_at_its_place_with_what_may_have_been_meant() {
    let output = ask("SELECT typ FROM handles");
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("no such column: typ"), "{said}");
    assert!(
        said.contains("SELECT typ FROM handles\n         ^"),
        "{said}"
    );
    assert!(said.contains("\"type\""), "{said}");
    let said = stderr(&ask("SELECT * FROM handels"));
    assert!(said.contains("There is \"handles\""), "{said}");
}

#[test]
fn what_steers_a_terminal_is_escaped_in_tables() {
    let output = ask("SELECT 'a' || char(27) || '[2J' AS \"b\u{1b}[0m\"");
    let shown = stdout(&output);
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    assert!(
        shown.contains("a\\u{1b}[2J") && shown.contains("b\\u{1b}[0m"),
        "{shown:?}"
    );
}

#[test]
fn csv_of_an_answer_has_its_formulas_defused() {
    let output = run(&[
        "sql",
        "--csv",
        golden("live").to_str().unwrap(),
        "SELECT '=1+1' AS a, -1 AS b, NULL AS c",
    ]);
    assert_eq!(stdout(&output), "a,b,c\r\n'=1+1,-1,\r\n");
}

#[test]
fn statements_come_from_standard_input_where_there_is_no_terminal() {
    let mut child = Command::new(PROGRAM)
        .args(["sql", golden("live").to_str().unwrap(), "--csv"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(b"SELECT 1 AS a; -- a comment\nSELECT 2 AS b;\n")
        .unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        stdout(&output),
        "a\r\n1\r\nb\r\n2\r\n",
        "{}",
        stderr(&output)
    );
}

#[test]
fn the_same_snapshot_twice_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.bshot");
    fs::copy(golden("live"), &copy).unwrap();
    let output = run(&[
        "sql",
        golden("live").to_str().unwrap(),
        copy.to_str().unwrap(),
        "SELECT 1",
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("are the same snapshot"));
}

#[test]
fn many_snapshots_of_a_directory_are_told_apart() {
    let folder = golden("live").parent().unwrap().to_owned();
    let output = run(&[
        "sql",
        "--json",
        folder.to_str().unwrap(),
        "SELECT count(*) AS n FROM summary JOIN memory USING (snapshot_id)",
    ]);
    let rows: Value = serde_json::from_slice(&output.stdout).unwrap();
    let files = std::fs::read_dir(folder).unwrap().count();
    assert!(files > 1);
    assert_eq!(rows[0]["n"], files, "{}", stderr(&output));
}

#[test]
fn the_statements_of_the_schema_make_a_database() {
    let output = run(&["schema", "--sql"]);
    let database = rusqlite::Connection::open_in_memory().unwrap();
    database.execute_batch(stdout(&output)).unwrap();
    let tables: i64 = database
        .query_row(
            "SELECT count(*) FROM sqlite_master WHERE type = 'table'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert!(tables > 40);
    let mismatches = database
        .prepare("SELECT * FROM pragma_foreign_key_check")
        .unwrap()
        .exists([]);
    assert_eq!(
        mismatches,
        Ok(false),
        "every reference has a unique index to lead to"
    );
}

/// A snapshot in a folder whose names a terminal can show whole.
fn copied(phase: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("live.bshot");
    fs::copy(golden(phase), &path).unwrap();
    (folder, path)
}

#[cfg(unix)]
#[path = "support/tmux.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod tmux;

#[cfg(unix)]
#[test]
#[ignore = "needs tmux: run by cargo xtask test"]
fn in_tmux_the_prompt_takes_statements_over_several_lines_completes_names_and_keeps_history() {
    let (folder, path) = copied("live");
    let state = folder.path().join("state");
    let line = format!("{PROGRAM} sql {}; echo ended with $?", path.display());
    let program = ["/bin/sh", "-c", &line];
    let environment = [("XDG_STATE_HOME", state.to_str().unwrap())];
    let first = tmux::Tmux::start(100, 30, &program, &environment);
    first.wait_for("sql>");
    first.type_in("SELECT count(*) AS how_many");
    first.key("Enter");
    first.type_in("FROM mem");
    first.key("Tab");
    first.wait_for("FROM memory");
    first.type_in(";");
    first.key("Enter");
    first.wait_for("HOW_MANY".to_lowercase().as_str());
    // A mistake does not end it.
    first.type_in("SELECT typ FROM handles;");
    first.key("Enter");
    first.wait_for("There is \"type\"");
    first.type_in(".schema zombies");
    first.key("Enter");
    first.wait_for("zombie_id");
    first.type_in(".quit");
    first.key("Enter");
    first.wait_for("ended with 0");
    assert!(state.join("bootshotctl/sql-history").exists());

    let second = tmux::Tmux::start(100, 30, &program, &environment);
    second.wait_for("sql>");
    second.key("Up");
    second.key("Up");
    second.wait_for(".schema zombies");
}
