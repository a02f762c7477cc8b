//! Snapshots as data: the tables of many snapshots at once, in SQLite and in the formats that other programs read.
//!
//! Every row has the id of its snapshot in front of the columns of its table.

pub mod answer;
pub mod csv;
pub mod database;
pub mod findings;
pub mod identity;
pub mod jsonl;
pub mod mistake;
pub mod parallel;
pub mod parquet;
pub mod progress;
pub mod prompt;
pub mod session;
pub mod sources;
pub mod staging;
pub mod views;

use bootshot_reader::tables::{Cell, TABLES, Table};

use crate::data::views::VIEWS;
use crate::error::Error;

/// The column in front of those of every table.
pub const SNAPSHOT_ID: &str = "snapshot_id";

/// The table that the rows of all others belong to.
pub fn summary() -> &'static Table {
    TABLES[0]
}

/// The tables of these names, in the order of [`TABLES`], or all; the summary is always among them.
pub fn chosen(names: &[String]) -> Result<Vec<&'static Table>, Error> {
    for name in names {
        if Table::named(name).is_none() {
            let error = Error::usage(format!("there is no table \"{name}\""));
            return Err(match closest(name, TABLES.iter().map(|table| table.name)) {
                Some(close) => error.advise(format!("There is \"{close}\".")),
                None => error.advise("\"bootshotctl schema\" shows which there are."),
            });
        }
    }
    let wanted = |table: &&&Table| {
        names.is_empty()
            || table.name == summary().name
            || names.iter().any(|name| *name == table.name)
    };
    Ok(TABLES.iter().filter(wanted).copied().collect())
}

/// The names of all tables and views.
pub fn names() -> impl Iterator<Item = &'static str> {
    let tables = TABLES.iter().map(|table| table.name);
    tables.chain(VIEWS.iter().map(|view| view.name))
}

/// The one of `names` that somebody who wrote `name` may have meant.
pub fn closest<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    /// How alike two words are that may be meant for each other; 1 is the same.
    const ALIKE: f64 = 0.75;
    let name = name.to_lowercase();
    names
        .into_iter()
        .map(|other| (strsim::jaro_winkler(&name, other), other))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, other)| other)
}

/// How many numbers of a row are too large for 64 bits with a sign.
pub fn too_large(row: &[Cell]) -> usize {
    let too_large = |cell: &&Cell| matches!(cell, Cell::TooLarge(_));
    row.iter().filter(too_large).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_table_is_the_one_with_a_row_for_each_snapshot() {
        assert_eq!(summary().name, "summary");
    }

    #[test]
    fn tables_are_chosen_by_name_and_the_summary_comes_with_them() {
        let names = |chosen: Vec<&'static Table>| -> Vec<&str> {
            chosen.iter().map(|table| table.name).collect()
        };
        let some = chosen(&["zombies".to_owned(), "handles".to_owned()]).unwrap();
        assert_eq!(names(some), ["summary", "zombies", "handles"]);
        assert_eq!(chosen(&[]).unwrap().len(), TABLES.len());
        let error = chosen(&["handels".to_owned()]).err().unwrap().to_string();
        assert!(error.contains("\"handles\""), "{error}");
    }
}
