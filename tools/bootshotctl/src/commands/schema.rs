//! `schema`: the tables and views that `sql` and `export` work on.

use bootshot_reader::tables::{Reference, TABLES, Table};
use serde::Serialize;

use crate::data::database::{self, Database, MAY_LEAD_NOWHERE};
use crate::data::views::{VIEWS, View};
use crate::data::{self, SNAPSHOT_ID};
use crate::error::{Error, Outcome};
use crate::output::{self, Align};

/// Arguments of `schema`.
#[derive(clap::Args)]
#[command(after_help = "Example: bootshotctl schema handles")]
pub struct Args {
    /// Only this table or view, with all that is known of it; without it, all tables and views
    table: Option<String>,
    /// Print JSON
    #[arg(long, conflicts_with_all = ["sql", "markdown"])]
    json: bool,
    /// Print the statements that make them in SQLite
    #[arg(long, conflicts_with = "markdown")]
    sql: bool,
    /// Print the page of the manual
    #[arg(long)]
    markdown: bool,
}

/// What there is.
#[derive(Serialize)]
pub struct Schema {
    tables: Vec<DescribedTable>,
    views: Vec<DescribedView>,
}

#[derive(Serialize)]
struct DescribedTable {
    name: &'static str,
    meaning: &'static str,
    columns: Vec<DescribedColumn>,
    references: Vec<DescribedReference>,
    #[serde(skip)]
    table: &'static Table,
}

#[derive(Serialize)]
struct DescribedColumn {
    name: &'static str,
    kind: String,
    meaning: &'static str,
}

#[derive(Serialize)]
struct DescribedReference {
    columns: Vec<&'static str>,
    table: &'static str,
    to: Vec<&'static str>,
    /// Whether there always is such a row.
    strict: bool,
}

#[derive(Serialize)]
struct DescribedView {
    name: &'static str,
    meaning: &'static str,
    columns: Vec<String>,
    sql: String,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let schema = Schema::of(args.table.as_deref())?;
    if args.json {
        output::json(&schema)?;
    } else if args.sql {
        schema.print_sql()?;
    } else if args.markdown {
        output::line(schema.markdown().trim_end())?;
    } else {
        schema.print(args.table.is_some())?;
    }
    Ok(Outcome::Done)
}

impl Schema {
    /// Everything, or one table or view.
    pub fn of(name: Option<&str>) -> Result<Self, Error> {
        let wanted = |other: &str| name.is_none_or(|name| name == other);
        let tables: Vec<_> = TABLES
            .iter()
            .filter(|table| wanted(table.name))
            .map(|table| describe(table))
            .collect();
        let database = Database::in_memory().map_err(impossible)?;
        let views = VIEWS.iter().filter(|view| wanted(view.name));
        let views = views
            .map(|view| describe_view(view, &database))
            .collect::<Result<Vec<_>, _>>()?;
        if let (true, true, Some(name)) = (tables.is_empty(), views.is_empty(), name) {
            let error = Error::usage(format!("there is no table or view \"{name}\""));
            return Err(match data::closest(name, data::names()) {
                Some(close) => error.advise(format!("There is \"{close}\".")),
                None => error.advise("\"bootshotctl schema\" shows which there are."),
            });
        }
        Ok(Self { tables, views })
    }

    /// For people: of everything a line each, of one the columns.
    pub fn print(&self, whole: bool) -> Result<(), Error> {
        if !whole {
            return self.print_names();
        }
        for table in &self.tables {
            output::line(format!("{}: {}", table.name, table.meaning))?;
            output::line("")?;
            let mut columns = output::Table::new(&[
                ("COLUMN", Align::Left),
                ("KIND", Align::Left),
                ("MEANING", Align::Left),
            ]);
            for column in &table.columns {
                columns.row([column.name, &column.kind, column.meaning]);
            }
            columns.print()?;
            if !table.references.is_empty() {
                output::line("")?;
            }
            for reference in &table.references {
                output::line(reference.text())?;
            }
        }
        for view in &self.views {
            output::line(format!("{}: {}", view.name, view.meaning))?;
            output::line("")?;
            output::line(&view.sql)?;
        }
        Ok(())
    }

    fn print_names(&self) -> Result<(), Error> {
        let mut names = output::Table::new(&[
            ("NAME", Align::Left),
            ("IS A", Align::Left),
            ("MEANING", Align::Left),
        ]);
        for table in &self.tables {
            names.row([table.name, "table", table.meaning]);
        }
        for view in &self.views {
            names.row([view.name, "view", view.meaning]);
        }
        names.print()
    }

    fn print_sql(&self) -> Result<(), Error> {
        for table in &self.tables {
            output::line(format!("{};", database::create_table(table.table)))?;
            for index in database::indexes(table.table) {
                output::line(format!("{};", index.statement()))?;
            }
        }
        self.views
            .iter()
            .try_for_each(|view| output::line(format!("{};", view.sql)))
    }

    fn markdown(&self) -> String {
        let mut page = String::from(
            "# Tables\n\n\
             What `bootshotctl sql` asks and `bootshotctl export` writes. `bootshotctl schema --markdown` made this page.\n\n\
             A table is named like the command that shows its records, and its columns are the keys of their [JSON](json.md); an\n\
             object in a record gives a column for each of its keys (`job_name`), and a list that is more than a few words is a\n\
             table of its own. Any column but `snapshot_id` can be null: not captured, not answered, or not there on that Windows.\n\n\
             | kind | SQLite | Parquet | what |\n|---|---|---|---|\n\
             | text | `TEXT` | `STRING` | |\n\
             | boolean | `BOOLEAN`: 0, 1 | `BOOLEAN` | |\n\
             | integer, row number | `INTEGER` | `INT64` | |\n\
             | bytes | `INTEGER` | `INT64` | a size |\n\
             | 100 ns | `INTEGER` | `INT64` | a duration |\n\
             | time | `TEXT` | `TIMESTAMP(MICROS, UTC)`: without its last digit | a moment, RFC 3339 in UTC with seven digits |\n\
             | hex | `TEXT` | `STRING` | a kernel address, handle or mask: `0x…` |\n\
             | list | `JSON TEXT` | `STRING` | JSON; `json_each` takes it apart |\n\n\
             References are declared as foreign keys, and not enforced. One that may lead nowhere does so where the other row came\n\
             or went between two questions to the kernel: a handle may belong to a process that the process list does not have any\n\
             more.\n",
        );
        for table in &self.tables {
            page += &format!(
                "\n## {}\n\n{}\n\n| column | kind | meaning |\n|---|---|---|\n",
                table.name, table.meaning
            );
            for column in &table.columns {
                let meaning = column.meaning.replace('|', "\\|");
                page += &format!("| `{}` | {} | {meaning} |\n", column.name, column.kind);
            }
            if !table.references.is_empty() {
                page += "\n";
            }
            for reference in &table.references {
                page += &format!("- {}\n", reference.text());
            }
        }
        page += "\n# Views\n\nThe questions that people ask most often; `bootshotctl schema NAME` shows how each is asked.\n";
        for view in &self.views {
            let columns: Vec<_> = view
                .columns
                .iter()
                .map(|name| format!("`{name}`"))
                .collect();
            page += &format!(
                "\n## {}\n\n{}\n\nColumns: {}.\n",
                view.name,
                view.meaning,
                columns.join(", ")
            );
        }
        page
    }
}

impl DescribedReference {
    fn text(&self) -> String {
        let nowhere = match self.strict {
            true => String::new(),
            false => format!(" ({MAY_LEAD_NOWHERE})"),
        };
        format!(
            "({}) is a row of {} ({}){nowhere}",
            self.columns.join(", "),
            self.table,
            self.to.join(", ")
        )
    }
}

fn describe(table: &'static Table) -> DescribedTable {
    let id = DescribedColumn {
        name: SNAPSHOT_ID,
        kind: "text".to_owned(),
        meaning: "id of the snapshot that the row is from",
    };
    let columns = table.columns.iter().map(|column| DescribedColumn {
        name: column.name,
        kind: column.kind.to_string(),
        meaning: column.meaning,
    });
    let of_snapshot = (table.name != data::summary().name).then(|| DescribedReference {
        columns: vec![SNAPSHOT_ID],
        table: data::summary().name,
        to: vec![SNAPSHOT_ID],
        strict: true,
    });
    let others = table.references.iter().map(
        |&Reference {
             column,
             table,
             to,
             strict,
         }| DescribedReference {
            columns: vec![SNAPSHOT_ID, column],
            table,
            to: vec![SNAPSHOT_ID, to],
            strict,
        },
    );
    DescribedTable {
        name: table.name,
        meaning: table.meaning,
        columns: std::iter::once(id).chain(columns).collect(),
        references: of_snapshot.into_iter().chain(others).collect(),
        table,
    }
}

fn describe_view(view: &View, database: &Database) -> Result<DescribedView, Error> {
    let columns = database.columns_of(view).map_err(impossible)?;
    Ok(DescribedView {
        name: view.name,
        meaning: view.meaning,
        columns: columns.into_iter().map(|(name, _)| name).collect(),
        sql: view.create(),
    })
}

/// SQLite without a file fails only where there is no memory.
pub fn impossible(error: rusqlite::Error) -> Error {
    Error::failed("cannot make a database in memory").because(error)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::{env, fs};

    use super::*;

    #[test]
    fn the_page_of_the_tables_is_what_the_schema_says() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tables.md");
        let made = Schema::of(None).unwrap().markdown();
        if env::var_os("BOOTSHOT_BLESS").is_some() {
            fs::write(&path, &made).unwrap();
        }
        let page = fs::read_to_string(&path).unwrap_or_default();
        assert!(page == made, "BOOTSHOT_BLESS=1 writes {}", path.display());
    }

    #[test]
    fn a_name_that_is_nearly_one_of_ours_is_told() {
        let error = Schema::of(Some("zombie_by_holder")).err().unwrap();
        assert!(error.to_string().contains("\"zombies_by_holder\""));
    }
}
