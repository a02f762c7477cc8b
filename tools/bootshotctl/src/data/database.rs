//! Tables in SQLite: their statements, filling them, and asking them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bootshot_reader::tables::{Cell, Column, Kind, TABLES, Table};
use bootshot_reader::{Problem, Snapshot};
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Batch, Connection, ErrorCode, Result, Statement, ToSql, params_from_iter};

use crate::data::views::{VIEWS, View};
use crate::data::{SNAPSHOT_ID, summary, too_large};

/// Columns that people join tables by beside those that are references.
const JOINED: &[(&str, &str)] = &[
    ("handles", "object_address"),
    ("objects", "address"),
    ("objects", "name"),
    ("processes", "parent_pid"),
];

/// The type that a column is declared with.
pub fn declared(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Hex | Kind::Time => "TEXT",
        Kind::List => JSON,
        Kind::Boolean => BOOLEAN,
        Kind::RowNumber | Kind::Integer | Kind::Size | Kind::Duration => "INTEGER",
    }
}

/// The declared type of lists.
pub const JSON: &str = "JSON TEXT";

/// The declared type of true and false, which are 1 and 0.
pub const BOOLEAN: &str = "BOOLEAN";

/// An index of a table.
pub struct Index {
    table: &'static str,
    /// Behind the snapshot's id.
    column: Option<&'static str>,
    /// Whether rows of other tables name a row by it. Then it is unique where the snapshots allow that: of what is not a
    /// number that the reader gave, nobody promises it.
    unique: bool,
}

impl Index {
    fn name(&self) -> String {
        match self.column {
            Some(column) => format!("{}_by_{column}", self.table),
            None => format!("{}_by_{SNAPSHOT_ID}", self.table),
        }
    }

    /// The statement that makes it.
    pub fn create(&self, unique: bool) -> String {
        let kind = if unique { "UNIQUE INDEX" } else { "INDEX" };
        let column = self.column.map(|column| format!(", \"{column}\""));
        format!(
            "CREATE {kind} IF NOT EXISTS \"{}\" ON \"{}\" ({SNAPSHOT_ID}{})",
            self.name(),
            self.table,
            column.unwrap_or_default()
        )
    }

    /// The statement as a database without an oddity has it.
    pub fn statement(&self) -> String {
        self.create(self.unique)
    }
}

/// The indexes of a table.
pub fn indexes(table: &'static Table) -> Vec<Index> {
    let referred = TABLES
        .iter()
        .flat_map(|other| other.references)
        .filter(|reference| reference.table == table.name)
        .map(|reference| (reference.to, true));
    let own = table.references.iter().map(|reference| reference.column);
    let joined = JOINED
        .iter()
        .filter(|(name, _)| *name == table.name)
        .map(|(_, column)| *column);
    let mut columns: BTreeMap<&str, bool> =
        own.chain(joined).map(|column| (column, false)).collect();
    columns.extend(referred);
    if columns.is_empty() && table.name != summary().name {
        return vec![Index {
            table: table.name,
            column: None,
            unique: false,
        }];
    }
    columns
        .into_iter()
        .map(|(column, unique)| Index {
            table: table.name,
            column: Some(column),
            unique,
        })
        .collect()
}

/// The statement that makes a table.
pub fn create_table(table: &Table) -> String {
    let is_summary = table.name == summary().name;
    let mut lines = vec![(
        match is_summary {
            true => format!("{SNAPSHOT_ID} TEXT NOT NULL PRIMARY KEY"),
            false => format!(
                "{SNAPSHOT_ID} TEXT NOT NULL REFERENCES {} ({SNAPSHOT_ID})",
                summary().name
            ),
        },
        "",
    )];
    for Column {
        name,
        kind,
        meaning,
    } in table.columns
    {
        lines.push((format!("\"{name}\" {}", declared(*kind)), *meaning));
    }
    for reference in table.references {
        lines.push((
            format!(
                "FOREIGN KEY ({SNAPSHOT_ID}, \"{}\") REFERENCES {} ({SNAPSHOT_ID}, \"{}\")",
                reference.column, reference.table, reference.to
            ),
            if reference.strict {
                ""
            } else {
                MAY_LEAD_NOWHERE
            },
        ));
    }
    let last = lines.len() - 1;
    let lines = lines.iter().enumerate().map(|(place, (text, comment))| {
        let comma = if place == last { "" } else { "," };
        let comment = match comment {
            &"" => String::new(),
            comment => format!(" -- {comment}"),
        };
        format!("    {text}{comma}{comment}\n")
    });
    let lines: String = lines.collect();
    format!(
        "CREATE TABLE \"{}\" ( -- {}\n{lines})",
        table.name, table.meaning
    )
}

/// What is said of a reference that need not have a target.
pub const MAY_LEAD_NOWHERE: &str = "may lead nowhere: the other came or went between two questions";

/// A database of snapshots.
pub struct Database {
    connection: Connection,
}

impl Database {
    /// One in memory, with all tables and views, empty.
    pub fn in_memory() -> Result<Self> {
        let database = Self::with(Connection::open_in_memory()?)?;
        database.create(TABLES)?;
        Ok(database)
    }

    /// A file, new or with a database in it.
    pub fn file(path: &Path) -> Result<Self> {
        Self::with(Connection::open(path)?)
    }

    fn with(connection: Connection) -> Result<Self> {
        // Nobody but us sees it before it is whole, so nothing has to be undone. References are there to be read: most
        // of them may lead nowhere.
        connection.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF",
        )?;
        Ok(Self { connection })
    }

    /// Makes these tables, and the views that need no others.
    pub fn create(&self, tables: &[&Table]) -> Result<()> {
        for table in tables {
            self.connection.execute_batch(&create_table(table))?;
        }
        for view in VIEWS {
            self.connection.execute_batch(&view.create())?;
            let readable = format!("SELECT * FROM \"{}\"", view.name);
            if self.connection.prepare(&readable).is_err() {
                let drop = format!("DROP VIEW \"{}\"", view.name);
                self.connection.execute_batch(&drop)?;
            }
        }
        Ok(())
    }

    /// The names of the tables that are there.
    pub fn tables(&self) -> Result<BTreeSet<String>> {
        self.texts("SELECT name FROM sqlite_master WHERE type = 'table'")
    }

    /// The names of the columns of a table.
    pub fn has_columns(&self, table: &Table) -> Result<bool> {
        let select = format!("SELECT * FROM \"{}\"", table.name);
        let statement = self.connection.prepare(&select)?;
        let names = table.columns.iter().map(|column| column.name);
        Ok(statement
            .column_names()
            .eq(std::iter::once(SNAPSHOT_ID).chain(names)))
    }

    /// The ids of the snapshots that are in it.
    pub fn snapshot_ids(&self) -> Result<BTreeSet<String>> {
        self.texts(&format!("SELECT {SNAPSHOT_ID} FROM {}", summary().name))
    }

    fn texts(&self, select: &str) -> Result<BTreeSet<String>> {
        let mut statement = self.connection.prepare(select)?;
        statement.query_map([], |row| row.get(0))?.collect()
    }

    pub fn begin(&self) -> Result<()> {
        self.connection.execute_batch("BEGIN")
    }

    pub fn commit(&self) -> Result<()> {
        self.connection.execute_batch("COMMIT")
    }

    /// Puts the rows of some tables of a snapshot in; what could not be read, and how many numbers became null.
    pub fn load(
        &self,
        snapshot: &Snapshot<'_>,
        id: &str,
        tables: &[&Table],
    ) -> Result<(Vec<Problem>, usize)> {
        let (mut problems, mut lost) = (Vec::new(), 0);
        for table in tables {
            let places = vec!["?"; table.columns.len() + 1].join(", ");
            let insert = format!("INSERT INTO \"{}\" VALUES ({places})", table.name);
            let mut insert = self.connection.prepare(&insert)?;
            let mut result = Ok(());
            problems.extend(table.read(snapshot, &mut |cells| {
                lost += too_large(&cells);
                if result.is_ok() {
                    let values = cells.iter().map(Bound::Cell);
                    let row = params_from_iter(std::iter::once(Bound::Id(id)).chain(values));
                    result = insert.execute(row).map(drop);
                }
            }));
            result?;
        }
        Ok((problems, lost))
    }

    /// Makes the indexes of some tables.
    pub fn index(&self, tables: &[&'static Table]) -> Result<()> {
        for index in tables.iter().flat_map(|table| indexes(table)) {
            let made = self.connection.execute_batch(&index.statement());
            match made {
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                    self.connection.execute_batch(&index.create(false))?;
                }
                made => made?,
            }
        }
        Ok(())
    }

    /// Takes the indexes of some tables away, to add to these.
    pub fn drop_indexes(&self, tables: &[&'static Table]) -> Result<()> {
        for index in tables.iter().flat_map(|table| indexes(table)) {
            let drop = format!("DROP INDEX IF EXISTS \"{}\"", index.name());
            self.connection.execute_batch(&drop)?;
        }
        Ok(())
    }

    /// Finishes a file.
    pub fn close(self) -> Result<()> {
        self.connection.close().map_err(|(_, error)| error)
    }

    /// The columns of a view: names and declared types.
    pub fn columns_of(&self, view: &View) -> Result<Vec<(String, Option<String>)>> {
        let select = format!("SELECT * FROM \"{}\"", view.name);
        Ok(columns(&self.connection.prepare(&select)?))
    }

    /// The tables that statements read, also through views. Nothing but reading is let through: what else is asked for
    /// is the second thing that comes back.
    pub fn tables_of(&mut self, sql: &str) -> (Result<Vec<&'static Table>>, Option<String>) {
        self.reading(|connection| {
            let owners = owners(connection)?;
            let mut read = BTreeSet::new();
            let mut statements = Batch::new(connection, sql);
            while let Some(statement) = statements.next()? {
                for page in pages_read(connection, &statement)? {
                    read.extend(owners.get(&page));
                }
            }
            let tables = TABLES.iter().filter(|table| {
                let mut read = read.iter();
                read.any(|name| *name == table.name)
            });
            Ok(tables.copied().collect())
        })
    }

    /// Runs statements one after the other, each with `each`; what they wanted beside reading, as of
    /// [`tables_of`](Self::tables_of).
    pub fn ask<E: From<rusqlite::Error>>(
        &mut self,
        sql: &str,
        mut each: impl FnMut(&mut Statement<'_>) -> std::result::Result<(), E>,
    ) -> (std::result::Result<(), E>, Option<String>) {
        let run = |connection: &Connection| {
            let mut statements = Batch::new(connection, sql);
            while let Some(mut statement) = statements.next()? {
                each(&mut statement)?;
            }
            Ok(())
        };
        self.reading(run)
    }

    /// Lets `work` use the connection for reading only; what it wanted besides, if anything.
    fn reading<T, E: From<rusqlite::Error>>(
        &mut self,
        work: impl FnOnce(&Connection) -> std::result::Result<T, E>,
    ) -> (std::result::Result<T, E>, Option<String>) {
        let refused = Arc::new(Mutex::new(None));
        let noted = refused.clone();
        let authorizer = move |context: AuthContext<'_>| match refusal(&context.action) {
            None => Authorization::Allow,
            Some(refusal) => {
                let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
                noted.get_or_insert(refusal);
                Authorization::Deny
            }
        };
        if let Err(error) = self.connection.authorizer(Some(authorizer)) {
            return (Err(error.into()), None);
        }
        let done = work(&self.connection);
        let free = self
            .connection
            .authorizer(None::<fn(AuthContext<'_>) -> Authorization>);
        let refused = refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        (done.and_then(|done| Ok(free.map(|()| done)?)), refused)
    }
}

/// The tables that the pages belong to on which tables and indexes begin.
fn owners(connection: &Connection) -> Result<BTreeMap<i64, String>> {
    let mut statement =
        connection.prepare("SELECT rootpage, tbl_name FROM sqlite_master WHERE rootpage > 0")?;
    statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// The first pages of what a statement opens, by its program. An authorizer is not told of a table that nothing but the
/// columns of `USING` is taken from.
fn pages_read(connection: &Connection, statement: &Statement<'_>) -> Result<Vec<i64>> {
    let sql = statement.expanded_sql().unwrap_or_default();
    // What is an EXPLAIN itself needs no rows.
    let Ok(mut program) = connection.prepare(&format!("EXPLAIN {sql}")) else {
        return Ok(Vec::new());
    };
    let mut pages = Vec::new();
    let mut steps = program.query([])?;
    while let Some(step) = steps.next()? {
        if step.get_ref("opcode")?.as_str() == Ok("OpenRead") {
            pages.push(step.get("p2")?);
        }
    }
    Ok(pages)
}

/// What is wrong with an action, if it does more than read what is in the database.
fn refusal(action: &AuthAction<'_>) -> Option<String> {
    /// Those that only tell how the database is made.
    const PRAGMAS: &[&str] = &[
        "collation_list",
        "compile_options",
        "foreign_key_list",
        "function_list",
        "index_info",
        "index_list",
        "index_xinfo",
        "table_info",
        "table_list",
        "table_xinfo",
    ];
    match action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => None,
        AuthAction::Function { function_name } => function_name
            .eq_ignore_ascii_case("load_extension")
            .then(|| "it would load a program into this one".to_owned()),
        AuthAction::Pragma { pragma_name, .. }
            if PRAGMAS
                .iter()
                .any(|known| known.eq_ignore_ascii_case(pragma_name)) =>
        {
            None
        }
        AuthAction::Pragma { pragma_name, .. } => Some(format!(
            "it would set \"{pragma_name}\", or do what it says"
        )),
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => {
            Some("it would open another database".to_owned())
        }
        _ => Some("it would write".to_owned()),
    }
}

/// A value as it is handed to SQLite: never as a part of a statement.
enum Bound<'a> {
    Id(&'a str),
    Cell(&'a Cell),
}

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Id(id) => ToSqlOutput::Borrowed(ValueRef::Text(id.as_bytes())),
            Self::Cell(Cell::Text(value) | Cell::List(value)) => {
                ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes()))
            }
            Self::Cell(Cell::Integer(number)) => ToSqlOutput::Owned(Value::Integer(*number)),
            Self::Cell(Cell::Boolean(value)) => ToSqlOutput::Owned(Value::Integer((*value).into())),
            Self::Cell(Cell::Null | Cell::TooLarge(_)) => ToSqlOutput::Owned(Value::Null),
        })
    }
}

/// The columns of what a statement answers: names and declared types.
pub fn columns(statement: &Statement<'_>) -> Vec<(String, Option<String>)> {
    statement
        .columns()
        .map(|column| {
            (
                column.name().to_owned(),
                column.decl_type().map(str::to_owned),
            )
        })
        .collect()
}
