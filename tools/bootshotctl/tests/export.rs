//! What `export` writes is what the tables have: every golden snapshot, and one with something of nearly everything, in
//! every format and back.

use std::collections::BTreeMap;
use std::fs::{self, File};
#[cfg(unix)]
use std::io::Write;
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::process::Stdio;
use std::process::{Command, Output};

use bootshot_format::{Family, Header};
use bootshot_reader::Snapshot;
use bootshot_reader::tables::{Cell, Kind, TABLES, Table};
use chrono::DateTime;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use rusqlite::Connection;
use rusqlite::types::Value as SqlValue;
use serde_json::{Map, Value};
use tempfile::TempDir;
use test_snapshots::objects::{ListedProcess, process_list};
use test_snapshots::{Builder, header};

fn bootshotctl(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bootshotctl"))
        .args(arguments)
        .output()
        .expect("it starts")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Snapshots in the folders of two hosts, and what is read of them.
struct Snapshots {
    folder: TempDir,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Snapshots {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reader/golden");
        let mut files = Vec::new();
        for entry in fs::read_dir(golden).expect("the golden snapshots") {
            let path = entry.unwrap().path();
            files.push((
                PathBuf::from("golden").join(path.file_name().unwrap()),
                fs::read(path).unwrap(),
            ));
        }
        files.push((
            PathBuf::from("made-up/everything.bshot"),
            test_snapshots::everything(),
        ));
        files.sort();
        for (name, bytes) in &files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        Self { folder, files }
    }

    fn export(&self, format: &str) -> PathBuf {
        let to = self.folder.path().join(format!("as-{format}"));
        let output = bootshotctl(&[
            "export",
            self.folder.path().join("golden").to_str().unwrap(),
            self.folder.path().join("made-up").to_str().unwrap(),
            "--to",
            format,
            to.to_str().unwrap(),
        ]);
        assert!(output.status.success(), "{}", stderr(&output));
        to
    }

    /// The rows of a table, all snapshots one after the other, with the id and the host of each.
    fn rows(&self, table: &Table) -> Vec<(String, String, Vec<Cell>)> {
        let mut rows = Vec::new();
        for (name, bytes) in &self.files {
            let snapshot = Snapshot::parse(bytes).unwrap();
            let id = snapshot.summary().value.snapshot_id;
            let host = name.parent().unwrap().to_str().unwrap();
            table.read(&snapshot, &mut |cells| {
                rows.push((id.clone(), host.to_owned(), cells));
            });
        }
        rows
    }
}

#[test]
fn csv_has_the_columns_of_its_header_and_every_cell() {
    let snapshots = Snapshots::new();
    let folder = snapshots.export("csv");
    let mut seen = 0;
    for table in TABLES {
        let mut reader =
            csv::Reader::from_path(folder.join(format!("{}.csv", table.name))).unwrap();
        let header: Vec<String> = reader.headers().unwrap().iter().map(Into::into).collect();
        let columns = table.columns.iter().map(|column| column.name.to_owned());
        let expected: Vec<String> = std::iter::once("snapshot_id".to_owned())
            .chain(columns)
            .collect();
        assert_eq!(header, expected);
        let records: Vec<Vec<String>> = reader
            .records()
            .map(|record| record.unwrap().iter().map(Into::into).collect())
            .collect();
        let expected: Vec<Vec<String>> = snapshots
            .rows(table)
            .into_iter()
            .map(|(id, _, cells)| {
                let cells = cells.into_iter().map(|cell| match cell {
                    Cell::Null => String::new(),
                    Cell::Boolean(value) => value.to_string(),
                    Cell::Integer(number) => number.to_string(),
                    Cell::TooLarge(number) => number.to_string(),
                    Cell::Text(text) | Cell::List(text) => {
                        match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
                            true => format!("'{text}"),
                            false => text,
                        }
                    }
                });
                std::iter::once(id).chain(cells).collect()
            })
            .collect();
        assert_eq!(records, expected, "{}", table.name);
        seen += records.len();
    }
    assert!(seen > 1000, "{seen} rows");
}

fn json_of(cell: Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Boolean(value) => value.into(),
        Cell::Integer(number) => number.into(),
        Cell::TooLarge(number) => number.into(),
        Cell::Text(text) => text.into(),
        Cell::List(list) => serde_json::from_str(&list).unwrap(),
    }
}

#[test]
fn every_json_line_has_its_moment_and_every_cell() {
    let snapshots = Snapshots::new();
    let folder = snapshots.export("jsonl");
    for table in TABLES {
        let text = fs::read_to_string(folder.join(format!("{}.jsonl", table.name))).unwrap();
        let mut lines = text.lines();
        for (id, host, cells) in snapshots.rows(table) {
            let line = lines.next().expect("a line for each row");
            let mut line: Map<String, Value> = serde_json::from_str(line).unwrap();
            let time = line.remove("time").unwrap();
            DateTime::parse_from_rfc3339(time.as_str().unwrap()).unwrap();
            assert_eq!(line.remove("snapshot_id").unwrap(), id);
            assert_eq!(line.remove("host").unwrap(), host);
            assert_eq!(line.remove("table").unwrap(), table.name);
            assert!(line.remove("boot").unwrap().is_string());
            // The summary's own is the same.
            let phase = line.get("phase").unwrap().clone();
            if table.name != "summary" {
                line.remove("phase");
            }
            assert!(matches!(
                phase.as_str().unwrap(),
                "bootexecute" | "setupexecute" | "live"
            ));
            let names = table.columns.iter().map(|column| column.name.to_owned());
            let expected: Map<String, Value> = names.zip(cells.into_iter().map(json_of)).collect();
            assert_eq!(line, expected, "{}", table.name);
        }
        assert_eq!(lines.next(), None);
    }
}

#[test]
fn sqlite_has_every_cell_and_all_views() {
    let snapshots = Snapshots::new();
    let folder = snapshots.export("sqlite");
    let database = Connection::open(folder.join("snapshots.sqlite")).unwrap();
    for table in TABLES {
        let mut statement = database
            .prepare(&format!("SELECT * FROM \"{}\" ORDER BY rowid", table.name))
            .unwrap();
        let width = statement.column_count();
        let found: Vec<Vec<SqlValue>> = statement
            .query_map([], |row| (0..width).map(|place| row.get(place)).collect())
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let expected: Vec<Vec<SqlValue>> = snapshots
            .rows(table)
            .into_iter()
            .map(|(id, _, cells)| {
                let cells = cells.into_iter().map(|cell| match cell {
                    Cell::Null | Cell::TooLarge(_) => SqlValue::Null,
                    Cell::Boolean(value) => SqlValue::Integer(value.into()),
                    Cell::Integer(number) => SqlValue::Integer(number),
                    Cell::Text(text) | Cell::List(text) => SqlValue::Text(text),
                });
                std::iter::once(SqlValue::Text(id)).chain(cells).collect()
            })
            .collect();
        assert_eq!(found, expected, "{}", table.name);
    }
    let views: i64 = database
        .query_row(
            "SELECT count(*) FROM sqlite_master WHERE type = 'view'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert!(views >= 15, "{views} views");
    let broken: i64 = database
        .query_row(
            "SELECT count(*) FROM pragma_foreign_key_check WHERE parent IN ('summary', 'objects', 'zombies', 'jobs')",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(broken, 0, "strict references lead somewhere");
}

/// A Parquet file's rows as cells: as they are when they have been there.
fn parquet_rows(path: &Path, table: &Table) -> Vec<(String, Vec<Cell>)> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let kinds: BTreeMap<&str, Kind> = table
        .columns
        .iter()
        .map(|column| (column.name, column.kind))
        .collect();
    reader
        .get_row_iter(None)
        .unwrap()
        .map(|row| {
            let row = row.unwrap();
            let mut id = String::new();
            let mut cells = Vec::new();
            for (name, field) in row.get_column_iter() {
                let cell = match (field, kinds.get(name.as_str())) {
                    (Field::Str(text), None) => {
                        id.clone_from(text);
                        continue;
                    }
                    (Field::Null, _) => Cell::Null,
                    (Field::Bool(value), Some(Kind::Boolean)) => Cell::Boolean(*value),
                    (Field::Str(text), Some(Kind::Text | Kind::Hex)) => Cell::Text(text.clone()),
                    (Field::Str(text), Some(Kind::List)) => Cell::List(text.clone()),
                    (Field::TimestampMicros(micros), Some(Kind::Time)) => Cell::Integer(*micros),
                    (
                        Field::Long(number),
                        Some(Kind::RowNumber | Kind::Integer | Kind::Size | Kind::Duration),
                    ) => Cell::Integer(*number),
                    (field, kind) => panic!("{}.{name}: {kind:?} as {field:?}", table.name),
                };
                cells.push(cell);
            }
            (id, cells)
        })
        .collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(files_below(&path)),
            false => files.push(path),
        }
    }
    files
}

#[test]
fn parquet_has_every_cell_with_its_type_in_folders_by_table_host_and_boot() {
    let snapshots = Snapshots::new();
    let folder = snapshots.export("parquet");
    for table in TABLES {
        let mut found: BTreeMap<String, Vec<Vec<Cell>>> = BTreeMap::new();
        for file in files_below(&folder.join(format!("table={}", table.name))) {
            let parts: Vec<_> = file
                .strip_prefix(&folder)
                .unwrap()
                .iter()
                .map(|part| part.to_str().unwrap())
                .collect();
            let [_, host, boot, name] = parts[..] else {
                panic!("{parts:?}");
            };
            assert!(matches!(host, "host=golden" | "host=made-up"), "{host}");
            assert!(boot.starts_with("boot="), "{boot}");
            for (id, cells) in parquet_rows(&file, table) {
                assert!(name.contains(&id[..8]), "{name} has a row of {id}");
                found.entry(id).or_default().push(cells);
            }
        }
        let mut expected: BTreeMap<String, Vec<Vec<Cell>>> = BTreeMap::new();
        for (id, _, cells) in snapshots.rows(table) {
            let cells = cells.into_iter().zip(table.columns);
            let cells = cells.map(|(cell, column)| match (cell, column.kind) {
                (Cell::TooLarge(_), _) => Cell::Null,
                (Cell::Text(moment), Kind::Time) => {
                    let moment = DateTime::parse_from_rfc3339(&moment).unwrap();
                    Cell::Integer(moment.timestamp_micros())
                }
                (cell, _) => cell,
            });
            expected.entry(id).or_default().push(cells.collect());
        }
        assert_eq!(found, expected, "{}", table.name);
    }
}

#[test]
fn a_hostile_host_is_one_folder_of_the_data_set() {
    let snapshots = Snapshots::new();
    for (host, folder) in [
        ("../x", "host=..%2Fx"),
        ("a=b", "host=a%3Db"),
        ("CON", "host=CON"),
        ("", "host=__HIVE_DEFAULT_PARTITION__"),
    ] {
        let to = tempfile::tempdir().unwrap();
        let output = bootshotctl(&[
            "export",
            snapshots.folder.path().join("made-up").to_str().unwrap(),
            "--to",
            "parquet",
            "--tables",
            "summary",
            "--host",
            host,
            to.path().to_str().unwrap(),
        ]);
        assert!(output.status.success(), "{}", stderr(&output));
        let files = files_below(to.path());
        assert_eq!(files.len(), 1, "{files:?}");
        let place = files[0]
            .strip_prefix(to.path().join("table=summary"))
            .unwrap();
        assert_eq!(place.iter().next().unwrap(), folder);
    }
}

#[test]
fn a_host_is_refused_where_no_table_would_say_it() {
    let snapshots = Snapshots::new();
    let from = snapshots.folder.path().join("made-up");
    let to = snapshots.folder.path().join("to");
    let (from, to) = (from.to_str().unwrap(), to.to_str().unwrap());
    for format in ["csv", "sqlite"] {
        let output = bootshotctl(&["export", from, "--to", format, "--host", "one", to]);
        assert_eq!(output.status.code(), Some(2), "{format}");
        let said = stderr(&output);
        assert!(said.contains("--to jsonl and --to parquet"), "{said}");
        assert!(!Path::new(to).exists(), "{format}");
    }
}

#[test]
fn snapshots_are_added_once_in_every_format() {
    let snapshots = Snapshots::new();
    let golden = snapshots.folder.path().join("golden");
    let made_up = snapshots.folder.path().join("made-up");
    let (golden, made_up) = (golden.to_str().unwrap(), made_up.to_str().unwrap());
    for format in ["csv", "jsonl", "sqlite", "parquet"] {
        let to = snapshots.folder.path().join(format!("added-{format}"));
        let to = to.to_str().unwrap();
        let export = |arguments: &[&str]| {
            bootshotctl(
                &[
                    &["export", "--to", format, "--tables", "processes,zombies"],
                    arguments,
                ]
                .concat(),
            )
        };
        assert!(export(&[golden, to]).status.success());

        // Not without being asked, and nothing twice.
        let refused = export(&[made_up, to]);
        assert_eq!(refused.status.code(), Some(3));
        assert!(
            stderr(&refused).contains("--append"),
            "{}",
            stderr(&refused)
        );
        let twice = export(&["--append", golden, to]);
        assert_eq!(twice.status.code(), Some(3), "{format}");
        assert!(stderr(&twice).contains("already"), "{}", stderr(&twice));
        // The tables are those that are there.
        let other = bootshotctl(&[
            "export", "--to", format, "--append", "--tables", "jobs", made_up, to,
        ]);
        assert!(stderr(&other).contains("processes"), "{}", stderr(&other));

        let added = bootshotctl(&["export", "--to", format, "--append", made_up, to]);
        assert!(added.status.success(), "{}", stderr(&added));
        let both = snapshots.folder.path().join(format!("both-{format}"));
        assert!(
            export(&[golden, made_up, both.to_str().unwrap()])
                .status
                .success()
        );
        let (to, both) = (Path::new(to), both.as_path());
        if format == "sqlite" {
            let count = |folder: &Path| -> (i64, i64) {
                Connection::open(folder.join("snapshots.sqlite"))
                    .unwrap()
                    .query_row(
                        "SELECT (SELECT count(*) FROM processes), (SELECT count(*) FROM sqlite_master)",
                        [],
                        |row| Ok((row.get(0)?, row.get(1)?)),
                    )
                    .unwrap()
            };
            assert_eq!(count(to), count(both));
            continue;
        }
        let contents = |folder: &Path| -> BTreeMap<PathBuf, Vec<u8>> {
            let files = files_below(folder).into_iter();
            files
                .map(|file| {
                    let bytes = fs::read(&file).unwrap();
                    (file.strip_prefix(folder).unwrap().to_owned(), bytes)
                })
                .collect()
        };
        let (found, expected) = (contents(to), contents(both));
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            expected.keys().collect::<Vec<_>>()
        );
        assert!(found == expected, "{format}: the same as both at once");
    }
}

#[test]
fn of_a_damaged_snapshot_what_stands_is_exported() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = test_snapshots::everything();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::create_dir(folder.path().join("host")).unwrap();
    fs::write(folder.path().join("host/damaged.bshot"), &bytes).unwrap();
    fs::write(folder.path().join("host/none.bshot"), b"no snapshot").unwrap();
    let to = folder.path().join("out");
    let output = bootshotctl(&[
        "export",
        folder.path().join("host").to_str().unwrap(),
        "--to",
        "csv",
        to.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(
        said.contains("none.bshot") && said.contains("left out") && !said.contains(r"\n"),
        "{said}"
    );
    let processes = csv::Reader::from_path(to.join("processes.csv"))
        .unwrap()
        .into_records()
        .count();
    assert!(processes > 0);
}

#[test]
fn a_failed_export_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("none.bshot");
    fs::write(&file, b"no snapshot").unwrap();
    let to = folder.path().join("out");
    let output = bootshotctl(&[
        "export",
        file.to_str().unwrap(),
        "--to",
        "jsonl",
        to.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_eq!(fs::read_dir(&to).unwrap().count(), 0);
}

/// A snapshot in which a process id stands twice, as one does whose memory changed while it was copied.
fn a_pid_twice() -> Vec<u8> {
    let process = |create_time, image| ListedProcess {
        pid: 4,
        create_time,
        image,
        tids: &[8],
    };
    let mut builder = Builder::with_header(Header {
        snapshot_id: [7; 16],
        ..header(8)
    });
    builder.section(
        Family::PROCESSES,
        &process_list(&[process(1, "one.exe"), process(2, "other.exe")]),
    );
    builder.finish()
}

#[test]
fn a_process_id_that_stands_twice_is_put_into_a_database_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("twice.bshot"), a_pid_twice()).unwrap();
    fs::write(path("other.bshot"), test_snapshots::everything()).unwrap();
    let (twice, other) = (path("twice.bshot"), path("other.bshot"));
    let count = |to: &str| -> (i64, String) {
        let database = Connection::open(Path::new(to).join("snapshots.sqlite")).unwrap();
        let ask = "SELECT (SELECT count(*) FROM processes WHERE pid = 4 AND image IN ('one.exe', 'other.exe')), \
            (SELECT group_concat(integrity_check) FROM pragma_integrity_check)";
        let got = database.query_row(ask, [], |row| Ok((row.get(0)?, row.get(1)?)));
        got.unwrap()
    };
    let to = path("at-once");
    let output = bootshotctl(&["export", "--to", "sqlite", &twice, &to]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(count(&to), (2, "ok".to_owned()));
    // Behind what has an index that cannot be unique, and before it.
    for (first, second) in [(&twice, &other), (&other, &twice)] {
        let to = tempfile::tempdir().unwrap();
        let to = to.path().to_str().unwrap();
        for file in [first, second] {
            let output = bootshotctl(&["export", "--to", "sqlite", "--append", file, to]);
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        }
        assert_eq!(count(to), (2, "ok".to_owned()));
    }
    let join = "SELECT count(*) FROM processes JOIN threads USING (snapshot_id, pid)";
    let output = bootshotctl(&["sql", "--csv", &twice, join]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(output.stdout, b"count(*)\r\n4\r\n");
}

#[test]
fn what_an_append_left_that_was_stopped_is_not_there_twice() {
    let snapshots = Snapshots::new();
    let golden = snapshots.folder.path().join("golden");
    let made_up = snapshots.folder.path().join("made-up");
    for format in ["csv", "jsonl"] {
        let folder = |name: &str| snapshots.folder.path().join(format!("{name}-{format}"));
        let (whole, stopped) = (folder("whole"), folder("stopped"));
        let append = |from: &Path, to: &Path| {
            let (from, to) = (from.to_str().unwrap(), to.to_str().unwrap());
            let output = bootshotctl(&["export", "--to", format, "--append", from, to]);
            assert!(output.status.success(), "{}", stderr(&output));
        };
        for to in [&whole, &stopped] {
            append(&golden, to);
        }
        append(&made_up, &whole);
        // All but the summary got their names.
        for file in files_below(&whole) {
            if file.file_stem().unwrap() != "summary" {
                fs::copy(&file, stopped.join(file.file_name().unwrap())).unwrap();
            }
        }
        append(&made_up, &stopped);
        for file in files_below(&whole) {
            let again = fs::read(stopped.join(file.file_name().unwrap())).unwrap();
            assert!(fs::read(&file).unwrap() == again, "{}", file.display());
        }
    }
}

#[test]
#[cfg(unix)]
fn a_snapshot_comes_through_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    for arguments in [
        &["export", "/dev/stdin", "--to", "csv", to][..],
        &["sql", "--csv", "/dev/stdin", "SELECT count(*) FROM summary"],
    ] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_bootshotctl"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = program.stdin.take().unwrap();
        let taken = input.write_all(&test_snapshots::everything());
        drop(input);
        let output = program.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        taken.unwrap();
        if arguments[0] == "sql" {
            assert_eq!(output.stdout, b"count(*)\r\n1\r\n");
        }
    }
    let summary = csv::Reader::from_path(folder.path().join("summary.csv")).unwrap();
    assert_eq!(summary.into_records().count(), 1);
}
