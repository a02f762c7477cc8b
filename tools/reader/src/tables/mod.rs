//! The records as tables: what queries, exports and the options of the table commands work on.
//!
//! A table is named like the subcommand that shows its records, and its columns are the keys of their JSON: a record is
//! serialized once more, into cells instead of text. An object inside a record gives a column for each of its keys,
//! with its own in front (`job_name`); a list that is more than a few words is a table of its own, whose rows name the
//! row they belong to.

mod boot;
mod kernel;
mod objects;
mod processes;
mod registry;
mod row;
mod snapshot;

use std::fmt;

use serde::Serialize;

use crate::error::Problem;
use crate::records::Reading;
use crate::snapshot::Snapshot;

pub use boot::{
    BOOT, BOOT_ENTRIES, FIRMWARE_VARIABLES, PEB, SECURE_BOOT_DATABASES, SESSION_MANAGER_LISTS,
};
pub use kernel::{
    DRIVERS, MEMORY, MODULES, PAGE_FILES, POOL_TAGS, PROCESS_MEMORY, WFP, WFP_UNREADABLE,
};
pub use objects::{
    HANDLES, NAMESPACE, OBJECT_HOLDERS, OBJECTS, SYMLINKS, TYPES, UNNAMED_DIRECTORIES,
    UNNAMED_DIRECTORY_ENTRIES, UNNAMED_DIRECTORY_HOLDERS,
};
pub use processes::{
    ENDED_DURING_CAPTURE, JOB_HOLDERS, JOB_PROCESSES, JOBS, PROCESSES, THREADS, ZOMBIE_HOLDERS,
    ZOMBIES,
};
pub use registry::{
    AUTOLOGGERS, HIVES, KEY_HANDLES, MINIFILTERS, REGISTRY_KEYS, REGISTRY_LINKS, REGISTRY_ROOTS,
    REGISTRY_VALUES, SERVICES, VOLATILE_KEYS,
};
pub use row::Cell;
pub use snapshot::{COST, PRIVILEGES, RAW, SUMMARY};

/// A kind of record.
pub struct Table {
    /// As queries name it.
    pub name: &'static str,
    /// What a row is, a sentence.
    pub meaning: &'static str,
    /// The columns, in their order.
    pub columns: &'static [Column],
    /// Columns that are rows of other tables.
    pub references: &'static [Reference],
    /// Keys of the records whose values are rows of tables of their own, so that these are not among the columns.
    pub elsewhere: &'static [Column],
    read: fn(&Snapshot<'_>, &mut Rows<'_>),
}

/// A column: a key of the record's JSON.
pub struct Column {
    /// The key; of an object in the record, with that one's key in front.
    pub name: &'static str,
    /// What its cells are.
    pub kind: Kind,
    /// What they say, with the unit of a number.
    pub meaning: &'static str,
}

/// What the cells of a column are. Each can be null as well: not captured, not answered, or not there on that Windows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Text.
    Text,
    /// True or false.
    Boolean,
    /// The number of the row in its snapshot, from 0, by which rows of other tables name it.
    RowNumber,
    /// A number.
    Integer,
    /// A number of bytes.
    Size,
    /// A number of 100 ns units.
    Duration,
    /// A moment: RFC 3339, UTC, with all seven digits.
    Time,
    /// A kernel address, handle or mask: `0x…`.
    Hex,
    /// A list, as JSON.
    List,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Text => "text",
            Self::Boolean => "boolean",
            Self::RowNumber => "row number",
            Self::Integer => "integer",
            Self::Size => "bytes",
            Self::Duration => "100 ns",
            Self::Time => "time",
            Self::Hex => "hex",
            Self::List => "list",
        })
    }
}

/// Columns whose values are those of the row of another table that this row belongs to.
///
/// One that is not `strict` leads nowhere where the other row came or went between two questions: a handle may belong to
/// a process that the process list does not have any more.
pub struct Reference {
    /// The column.
    pub column: &'static str,
    /// The other table.
    pub table: &'static str,
    /// Its column.
    pub to: &'static str,
    /// Whether there is always such a row.
    pub strict: bool,
}

impl Reference {
    const fn part_of(column: &'static str, table: &'static str, to: &'static str) -> Self {
        Self {
            column,
            table,
            to,
            strict: true,
        }
    }

    const fn may_be(column: &'static str, table: &'static str, to: &'static str) -> Self {
        Self {
            column,
            table,
            to,
            strict: false,
        }
    }
}

/// The reference of nearly everything that belongs to a process.
const OF_PROCESS: Reference = Reference::may_be("pid", "processes", "pid");

const fn column(name: &'static str, kind: Kind, meaning: &'static str) -> Column {
    Column {
        name,
        kind,
        meaning,
    }
}

const fn text(name: &'static str, meaning: &'static str) -> Column {
    column(name, Kind::Text, meaning)
}

const fn boolean(name: &'static str, meaning: &'static str) -> Column {
    column(name, Kind::Boolean, meaning)
}

const fn row_number(name: &'static str) -> Column {
    column(
        name,
        Kind::RowNumber,
        "number of the row in its snapshot, from 0",
    )
}

const fn integer(name: &'static str, meaning: &'static str) -> Column {
    column(name, Kind::Integer, meaning)
}

const fn size(name: &'static str, meaning: &'static str) -> Column {
    column(name, Kind::Size, meaning)
}

const fn duration(name: &'static str, meaning: &'static str) -> Column {
    column(name, Kind::Duration, meaning)
}

const fn time(name: &'static str, meaning: &'static str) -> Column {
    column(name, Kind::Time, meaning)
}

const fn hex(name: &'static str, meaning: &'static str) -> Column {
    column(name, Kind::Hex, meaning)
}

const fn list(name: &'static str, meaning: &'static str) -> Column {
    column(name, Kind::List, meaning)
}

/// All tables. The first has one row, to which those of all others belong.
pub const TABLES: &[&Table] = &[
    &SUMMARY,
    &COST,
    &PRIVILEGES,
    &RAW,
    &PROCESSES,
    &THREADS,
    &ZOMBIES,
    &ZOMBIE_HOLDERS,
    &ENDED_DURING_CAPTURE,
    &JOBS,
    &JOB_PROCESSES,
    &JOB_HOLDERS,
    &HANDLES,
    &OBJECTS,
    &OBJECT_HOLDERS,
    &TYPES,
    &NAMESPACE,
    &SYMLINKS,
    &UNNAMED_DIRECTORIES,
    &UNNAMED_DIRECTORY_ENTRIES,
    &UNNAMED_DIRECTORY_HOLDERS,
    &MODULES,
    &DRIVERS,
    &MEMORY,
    &PAGE_FILES,
    &POOL_TAGS,
    &PROCESS_MEMORY,
    &WFP,
    &WFP_UNREADABLE,
    &HIVES,
    &REGISTRY_ROOTS,
    &REGISTRY_LINKS,
    &VOLATILE_KEYS,
    &KEY_HANDLES,
    &SERVICES,
    &MINIFILTERS,
    &AUTOLOGGERS,
    &REGISTRY_KEYS,
    &REGISTRY_VALUES,
    &BOOT,
    &SESSION_MANAGER_LISTS,
    &BOOT_ENTRIES,
    &SECURE_BOOT_DATABASES,
    &FIRMWARE_VARIABLES,
    &PEB,
];

impl Table {
    /// The table of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        TABLES.iter().find(|table| table.name == name).copied()
    }

    /// Where a column of this name stands.
    pub fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.name == column)
    }

    /// The columns that a record of this table has itself: also those whose values are rows of other tables.
    pub fn keys(&self) -> impl Iterator<Item = &'static Column> {
        let all = self.columns.iter().chain(self.elsewhere);
        all.filter(|column| column.kind != Kind::RowNumber)
    }

    /// Reads the rows one after the other; what could not be read.
    pub fn read(&self, snapshot: &Snapshot<'_>, each: &mut dyn FnMut(Vec<Cell>)) -> Vec<Problem> {
        self.read_columns(snapshot, &|_| true, each)
    }

    /// As [`read`](Self::read), with nothing in the cells of other columns than those that are wanted.
    pub fn read_columns(
        &self,
        snapshot: &Snapshot<'_>,
        wanted: &dyn Fn(&Column) -> bool,
        each: &mut dyn FnMut(Vec<Cell>),
    ) -> Vec<Problem> {
        let mut rows = Rows {
            table: self,
            wanted: self.columns.iter().map(wanted).collect(),
            each,
            count: 0,
            problems: Vec::new(),
        };
        (self.read)(snapshot, &mut rows);
        rows.problems
    }
}

/// The cells of a record in the order of the columns. Keys without a column are left out.
pub fn cells(columns: &[&'static Column], record: &impl Serialize) -> Vec<Cell> {
    row::cells(columns, &[], None, record).0
}

/// Where the rows of a table go.
struct Rows<'r> {
    table: &'r Table,
    /// By column.
    wanted: Vec<bool>,
    each: &'r mut dyn FnMut(Vec<Cell>),
    /// How many there were.
    count: i64,
    problems: Vec<Problem>,
}

impl Rows<'_> {
    /// A record becomes a row.
    fn push(&mut self, record: &impl Serialize) {
        let Table {
            columns, elsewhere, ..
        } = *self.table;
        let (mut cells, left_out) = row::cells(columns, elsewhere, Some(&self.wanted), record);
        for (cell, column) in cells.iter_mut().zip(self.table.columns) {
            if column.kind == Kind::RowNumber {
                *cell = Cell::Integer(self.count);
            }
        }
        self.count += 1;
        if let Some(key) = left_out.into_iter().next() {
            self.problems
                .push(Problem::new(self.table.name, 0, "a column", key));
        }
        (self.each)(cells);
    }

    /// Whether one of these columns is wanted.
    fn want(&self, columns: &[Column]) -> bool {
        let mut wanted = self.table.columns.iter().zip(&self.wanted);
        wanted.any(|(column, wanted)| {
            *wanted && columns.iter().any(|known| known.name == column.name)
        })
    }

    fn all<T: Serialize>(&mut self, reading: Reading<Vec<T>>) {
        for record in &self.take(reading) {
            self.push(record);
        }
    }

    /// What was read; its problems are kept.
    fn take<T>(&mut self, reading: Reading<T>) -> T {
        self.problems.extend(reading.problems);
        reading.value
    }
}

/// The columns of where an object is named.
macro_rules! naming {
    () => {
        [
            text(
                "name",
                "name of the object: its path, of an unnamed one nothing",
            ),
            text("name_status", "named, or why there is no name"),
            text("name_error", "NTSTATUS, where it could not be asked"),
        ]
    };
}
use naming;

/// Lists of columns one after the other.
const fn join<const N: usize>(lists: &[&[Column]]) -> [Column; N] {
    let mut joined = [const { text("", "") }; N];
    let (mut list, mut filled) = (0, 0);
    while list < lists.len() {
        let mut place = 0;
        while place < lists[list].len() {
            let Column {
                name,
                kind,
                meaning,
            } = lists[list][place];
            joined[filled] = column(name, kind, meaning);
            filled += 1;
            place += 1;
        }
        list += 1;
    }
    assert!(filled == N);
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn tables_and_columns_have_names_of_their_own_and_say_what_they_are() {
        let mut names = BTreeSet::new();
        for table in TABLES {
            assert!(names.insert(table.name), "{}", table.name);
            let mut columns = BTreeSet::new();
            assert!(table.meaning.ends_with('.'), "{}", table.name);
            for column in table.columns.iter().chain(table.elsewhere) {
                assert!(
                    columns.insert(column.name),
                    "{}.{}",
                    table.name,
                    column.name
                );
                assert!(!column.meaning.is_empty(), "{}.{}", table.name, column.name);
            }
        }
    }

    #[test]
    fn references_lead_to_columns_that_are_there() {
        for table in TABLES {
            for reference in table.references {
                assert!(table.place(reference.column).is_some(), "{}", table.name);
                let other = Table::named(reference.table).unwrap();
                assert!(other.place(reference.to).is_some(), "{}", table.name);
            }
        }
    }
}
