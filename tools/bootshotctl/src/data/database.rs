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
    pub column: Option<&'static str>,
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

/// What is read of a table.
#[derive(Clone)]
pub struct Need {
    pub table: &'static Table,
    /// Their names, the snapshot's id among them where that is read.
    pub columns: BTreeSet<&'static str>,
}

impl Need {
    /// All of it.
    pub fn of_all(table: &'static Table) -> Self {
        let columns = table.columns.iter().map(|column| column.name);
        Self {
            table,
            columns: columns.chain([SNAPSHOT_ID]).collect(),
        }
    }
}

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
        // Nobody but us sees it before it is whole, so no journal outlives us; but an index that could not be made has to
        // be undone. References are there to be read: most of them may lead nowhere.
        connection.execute_batch(
            "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF",
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
        tables: &[Need],
    ) -> Result<(Vec<Problem>, usize)> {
        let (mut problems, mut lost) = (Vec::new(), 0);
        for Need { table, columns } in tables {
            // Every row has an id, but it need not be the snapshot's where nobody asks for it.
            let is_told = columns.contains(SNAPSHOT_ID) || table.name == summary().name;
            let id = if is_told { id } else { "" };
            let wanted = |column: &Column| columns.contains(column.name);
            let places = vec!["?"; table.columns.len() + 1].join(", ");
            let insert = format!("INSERT INTO \"{}\" VALUES ({places})", table.name);
            let mut insert = self.connection.prepare(&insert)?;
            let mut result = Ok(());
            problems.extend(table.read_columns(snapshot, &wanted, &mut |cells| {
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

    /// Takes the rows of a table away.
    pub fn clear(&self, table: &Table) -> Result<()> {
        self.connection
            .execute_batch(&format!("DELETE FROM \"{}\"", table.name))
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

    /// What statements read, also through views. Nothing but reading is let through: what else is asked for is the second
    /// thing that comes back.
    pub fn needs_of(&mut self, sql: &str) -> (Result<Vec<Need>>, Option<String>) {
        let named = Arc::new(Mutex::new(BTreeSet::new()));
        let noting = named.clone();
        let note = move |table: &str, column: &str| {
            let mut named = noting.lock().unwrap_or_else(PoisonError::into_inner);
            named.insert((table.to_owned(), column.to_owned()));
        };
        let (read, refused) = self.reading(note, |connection| {
            let opened = opened(connection)?;
            let mut read = BTreeSet::new();
            let mut statements = Batch::new(connection, sql);
            while let Some(statement) = statements.next()? {
                read.extend(columns_read(connection, &statement, &opened)?);
            }
            Ok::<_, rusqlite::Error>(read)
        });
        let mut named = named.lock().unwrap_or_else(PoisonError::into_inner);
        let needs = read.map(|read| {
            let tables: BTreeSet<_> = read.iter().map(|(table, _)| table.clone()).collect();
            let needed = TABLES.iter().filter(|table| tables.contains(table.name));
            let columns = std::mem::take(&mut *named).into_iter().chain(
                read.into_iter()
                    .filter_map(|(table, column)| Some((table, column?))),
            );
            let columns: BTreeSet<(String, String)> = columns.collect();
            needed
                .map(|table| Need {
                    table,
                    columns: std::iter::once(SNAPSHOT_ID)
                        .chain(table.columns.iter().map(|column| column.name))
                        .filter(|name| {
                            columns.contains(&(table.name.to_owned(), (*name).to_owned()))
                        })
                        .collect(),
                })
                .collect()
        });
        (needs, refused)
    }

    /// Runs statements one after the other, each with `each`; what they wanted beside reading, as of
    /// [`needs_of`](Self::needs_of).
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
        self.reading(|_, _| (), run)
    }

    /// Lets `work` use the connection for reading only; what it wanted besides, if anything. `note` is told the tables and
    /// columns that its statements name.
    fn reading<T, E: From<rusqlite::Error>>(
        &mut self,
        mut note: impl FnMut(&str, &str) + Send + 'static,
        work: impl FnOnce(&Connection) -> std::result::Result<T, E>,
    ) -> (std::result::Result<T, E>, Option<String>) {
        let refused = Arc::new(Mutex::new(None));
        let noted = refused.clone();
        let authorizer = move |context: AuthContext<'_>| {
            if let AuthAction::Read {
                table_name,
                column_name,
            } = context.action
            {
                note(table_name, column_name);
            }
            match refusal(&context.action) {
                None => Authorization::Allow,
                Some(refusal) => {
                    let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
                    noted.get_or_insert(refusal);
                    Authorization::Deny
                }
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

/// What begins on the first page of a table or an index.
struct Opened {
    table: String,
    /// The names of its columns.
    columns: Vec<Option<String>>,
}

/// The tables and indexes by the page on which they begin.
fn opened(connection: &Connection) -> Result<BTreeMap<i64, Opened>> {
    let mut opened: BTreeMap<i64, Opened> = BTreeMap::new();
    for select in [
        "SELECT kept.rootpage, kept.tbl_name, info.name
         FROM sqlite_master AS kept, pragma_table_info(kept.name) AS info
         WHERE kept.type = 'table' ORDER BY kept.rootpage, info.cid",
        "SELECT kept.rootpage, kept.tbl_name, info.name
         FROM sqlite_master AS kept, pragma_index_info(kept.name) AS info
         WHERE kept.type = 'index' ORDER BY kept.rootpage, info.seqno",
    ] {
        let mut statement = connection.prepare(select)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let columns = Vec::new();
            let table = row.get(1)?;
            let entry = opened.entry(row.get(0)?);
            let entry = entry.or_insert(Opened { table, columns });
            entry.columns.push(row.get(2)?);
        }
    }
    Ok(opened)
}

/// The tables that a statement opens and the columns that it takes from them, by its program. An authorizer is not told of
/// a table that nothing but the columns of `USING` is taken from, nor of these.
fn columns_read(
    connection: &Connection,
    statement: &Statement<'_>,
    opened: &BTreeMap<i64, Opened>,
) -> Result<BTreeSet<(String, Option<String>)>> {
    let sql = statement.expanded_sql().unwrap_or_default();
    let mut read = BTreeSet::new();
    // What is an EXPLAIN itself needs no rows.
    let Ok(mut program) = connection.prepare(&format!("EXPLAIN {sql}")) else {
        return Ok(read);
    };
    let (mut cursors, mut taken) = (Vec::new(), Vec::new());
    let mut steps = program.query([])?;
    while let Some(step) = steps.next()? {
        let operands = (step.get::<_, i64>("p1")?, step.get::<_, i64>("p2")?);
        match step.get_ref("opcode")?.as_str() {
            Ok("OpenRead") => cursors.push(operands),
            Ok("Column") => taken.push(operands),
            _ => {}
        }
    }
    for (cursor, page) in cursors {
        let Some(Opened { table, columns }) = opened.get(&page) else {
            continue;
        };
        read.insert((table.clone(), None));
        for (_, place) in taken.iter().filter(|(of, _)| *of == cursor) {
            let column = usize::try_from(*place).ok().and_then(|at| columns.get(at));
            read.extend(column.map(|column| (table.clone(), column.clone())));
        }
    }
    Ok(read)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What a statement reads, as `table: column, column`.
    fn needs(sql: &str) -> Vec<String> {
        let mut database = Database::in_memory().unwrap();
        let (needs, refused) = database.needs_of(sql);
        assert_eq!(refused, None);
        let shown = |need: Need| {
            let columns: Vec<_> = need.columns.into_iter().collect();
            format!("{}: {}", need.table.name, columns.join(", "))
        };
        needs.unwrap().into_iter().map(shown).collect()
    }

    #[test]
    fn a_statement_reads_the_columns_that_it_names_and_no_others() {
        assert_eq!(needs("SELECT 1"), [""; 0]);
        assert_eq!(needs("SELECT count(*) FROM handles"), ["handles: "]);
        assert_eq!(
            needs("SELECT type, count(*) FROM handles WHERE pid > 4 GROUP BY type"),
            ["handles: pid, type"]
        );
        assert_eq!(
            needs(
                "SELECT (SELECT max(tid) FROM threads), image FROM processes; SELECT path FROM processes"
            ),
            ["processes: image, path", "threads: tid"]
        );
    }

    #[test]
    fn columns_of_using_and_those_inside_views_are_read_too() {
        assert_eq!(
            needs("SELECT count(*) FROM processes JOIN threads USING (snapshot_id, pid)"),
            ["processes: pid, snapshot_id", "threads: pid, snapshot_id"]
        );
        assert_eq!(
            needs("SELECT handles FROM handles_by_type"),
            ["handles: pid, snapshot_id, type"]
        );
    }

    #[test]
    fn all_columns_of_a_table_are_read_where_all_are_asked_for() {
        let mut database = Database::in_memory().unwrap();
        for table in TABLES {
            let (needs, _) = database.needs_of(&format!("SELECT * FROM \"{}\"", table.name));
            let [need] = &needs.unwrap()[..] else {
                panic!("{}", table.name);
            };
            assert_eq!(need.columns, Need::of_all(table).columns, "{}", table.name);
        }
    }
}
