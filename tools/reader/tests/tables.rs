//! Records as tables: every key has its column, and every reference leads somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use bootshot_reader::Snapshot;
use bootshot_reader::tables::{Cell, Kind, TABLES, Table};
use test_snapshots::everything;

/// The golden snapshots, and one with something of everything.
fn snapshots() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    files.push(everything());
    files
}

fn rows(table: &Table, snapshot: &Snapshot<'_>) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    let problems = table.read(snapshot, &mut |row| rows.push(row));
    let unknown = problems
        .iter()
        .find(|problem| problem.expected == "a column");
    assert!(unknown.is_none(), "{}: {unknown:?}", table.name);
    rows
}

#[test]
fn every_key_of_every_record_has_a_column_of_its_kind() {
    for file in snapshots() {
        let snapshot = Snapshot::parse(&file).unwrap();
        for table in TABLES {
            for row in rows(table, &snapshot) {
                for (cell, column) in row.iter().zip(table.columns) {
                    let fits = match (cell, column.kind) {
                        (Cell::Null, _) => true,
                        (Cell::Boolean(_), kind) => kind == Kind::Boolean,
                        (Cell::Integer(_), kind) => {
                            matches!(
                                kind,
                                Kind::RowNumber | Kind::Integer | Kind::Size | Kind::Duration
                            )
                        }
                        (Cell::Text(_), Kind::Text) => true,
                        (Cell::Text(text), Kind::Time) => {
                            text.ends_with('Z') && text.as_bytes()[10] == b'T'
                        }
                        (Cell::Text(text), Kind::Hex) => text.starts_with("0x"),
                        (Cell::List(_), kind) => kind == Kind::List,
                        _ => false,
                    };
                    assert!(fits, "{}.{}: {cell:?}", table.name, column.name);
                }
            }
        }
    }
}

#[test]
fn columns_that_are_wanted_are_filled_as_they_are_among_all_and_no_others_are() {
    for file in snapshots() {
        let snapshot = Snapshot::parse(&file).unwrap();
        for table in TABLES {
            let all = rows(table, &snapshot);
            for (place, wanted) in table.columns.iter().enumerate() {
                let mut some = Vec::new();
                table.read_columns(
                    &snapshot,
                    &|column| column.name == wanted.name,
                    &mut |row| {
                        some.push(row);
                    },
                );
                assert_eq!(some.len(), all.len(), "{}", table.name);
                for (row, whole) in some.iter().zip(&all) {
                    assert_eq!(row[place], whole[place], "{}.{}", table.name, wanted.name);
                    let others = row.iter().zip(table.columns).enumerate();
                    for (_, (cell, column)) in others.filter(|(other, _)| *other != place) {
                        let is_number_of_row = column.kind == Kind::RowNumber;
                        assert!(*cell == Cell::Null || is_number_of_row, "{}", column.name);
                    }
                }
            }
        }
    }
}

/// Whether a column's name is a key of the documented JSON, or such keys one inside the other.
fn is_documented(column: &str, keys: &BTreeSet<&str>) -> bool {
    keys.contains(column)
        || column.match_indices('_').any(|(place, _)| {
            keys.contains(&column[..place]) && is_documented(&column[place + 1..], keys)
        })
}

#[test]
fn every_column_is_filled_by_some_snapshot_or_is_a_key_of_the_documented_json() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/json.md");
    let page = fs::read_to_string(page).unwrap();
    let keys: BTreeSet<&str> = page.split('`').skip(1).step_by(2).collect();
    let mut empty: BTreeSet<_> = TABLES
        .iter()
        .flat_map(|table| table.columns.iter().map(|column| (table.name, column.name)))
        .collect();
    for file in snapshots() {
        let snapshot = Snapshot::parse(&file).unwrap();
        for table in TABLES {
            for row in rows(table, &snapshot) {
                for (cell, column) in row.iter().zip(table.columns) {
                    if *cell != Cell::Null {
                        empty.remove(&(table.name, column.name));
                    }
                }
            }
        }
    }
    empty.retain(|(_, column)| !is_documented(column, &keys));
    assert!(empty.is_empty(), "{empty:?}");
}

#[test]
fn strict_references_lead_to_a_row() {
    for file in snapshots() {
        let snapshot = Snapshot::parse(&file).unwrap();
        let all: BTreeMap<_, _> = TABLES
            .iter()
            .map(|table| (table.name, rows(table, &snapshot)))
            .collect();
        for table in TABLES {
            for reference in table.references.iter().filter(|reference| reference.strict) {
                let from = table.place(reference.column).unwrap();
                let to = Table::named(reference.table)
                    .unwrap()
                    .place(reference.to)
                    .unwrap();
                let there: Vec<_> = all[reference.table].iter().map(|row| &row[to]).collect();
                for row in &all[table.name] {
                    let found = there.iter().filter(|cell| **cell == &row[from]).count();
                    assert_eq!(found, 1, "{}.{}", table.name, reference.column);
                }
            }
        }
    }
}
