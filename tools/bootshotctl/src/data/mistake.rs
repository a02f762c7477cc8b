//! What is wrong with a statement: where, and what may have been meant.

use bootshot_reader::tables::{TABLES, Table};
use rusqlite::ErrorCode;
use unicode_width::UnicodeWidthStr;

use crate::data::{SNAPSHOT_ID, closest, names};
use crate::error::Error;
use crate::shown;

/// The error in words. `refused` is what the statement wanted beside reading.
pub fn explain(error: &rusqlite::Error, refused: Option<&str>) -> Error {
    if let Some(refused) = refused {
        return Error::usage("will not run the statement")
            .because(refused)
            .advise("Snapshots are only read. \"bootshotctl export --to sqlite\" makes a database of your own.");
    }
    let failed = Error::usage("cannot run the statement");
    match error {
        rusqlite::Error::SqlInputError {
            msg, sql, offset, ..
        } => {
            let place = usize::try_from(*offset)
                .ok()
                .and_then(|offset| place(sql, offset));
            let advice = [place, suggestion(msg, sql)];
            let advice: Vec<_> = advice.into_iter().flatten().collect();
            let failed = failed.because(shown::visible(msg));
            match advice.is_empty() {
                true => failed,
                false => failed.advise(advice.join("\n  ")),
            }
        }
        rusqlite::Error::SqliteFailure(code, Some(message)) => {
            let failed = match code.code {
                ErrorCode::OutOfMemory => Error::failed("cannot run the statement"),
                _ => failed,
            };
            let failed = failed.because(shown::visible(message));
            match suggestion(message, "") {
                Some(advice) => failed.advise(advice),
                None => failed,
            }
        }
        other => failed.because(shown::visible(&other.to_string())),
    }
}

/// The line of a statement with a mark below what is `offset` bytes into it.
fn place(sql: &str, offset: usize) -> Option<String> {
    let before = sql.get(..offset)?;
    let start = before.rfind('\n').map_or(0, |place| place + 1);
    let line = sql[start..].lines().next().unwrap_or_default();
    let indent = shown::visible(&sql[start..offset]).width();
    Some(format!(
        "{}\n  {}^",
        shown::visible(line),
        " ".repeat(indent)
    ))
}

/// A table or column that may have been meant.
fn suggestion(message: &str, sql: &str) -> Option<String> {
    if let Some(name) = message.strip_prefix("no such table: ") {
        return Some(match closest(name, names()) {
            Some(close) => format!("There is \"{close}\"."),
            None => "\"bootshotctl schema\" shows the tables and views.".to_owned(),
        });
    }
    let name = message.strip_prefix("no such column: ")?;
    let name = name.rsplit('.').next().unwrap_or(name).trim_matches('"');
    // Of the tables that the statement names.
    let words = || sql.split(|character: char| !character.is_alphanumeric() && character != '_');
    let named: Vec<&Table> = TABLES
        .iter()
        .filter(|table| words().any(|word| word.eq_ignore_ascii_case(table.name)))
        .copied()
        .collect();
    let columns = named.iter().flat_map(|table| table.columns);
    let columns = columns.map(|column| column.name).chain([SNAPSHOT_ID]);
    Some(match (closest(name, columns), named.as_slice()) {
        (Some(close), _) => format!("There is \"{close}\"."),
        (None, [table]) => format!("\"bootshotctl schema {}\" shows its columns.", table.name),
        (None, _) => "\"bootshotctl schema TABLE\" shows the columns of a table.".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_marked_in_its_line() {
        let sql = "SELECT 1,\n  \u{1b}typ FROM handles";
        let offset = sql.find("typ").unwrap();
        assert_eq!(
            place(sql, offset).unwrap(),
            "  \\u{1b}typ FROM handles\n          ^"
        );
        assert_eq!(place(sql, 1000), None);
    }

    #[test]
    fn close_names_are_suggested() {
        let of = |message, sql| suggestion(message, sql).unwrap();
        assert!(of("no such table: handels", "").contains("\"handles\""));
        assert!(of("no such column: typ", "SELECT typ FROM handles").contains("\"type\""));
        assert!(of("no such column: h.typ", "SELECT h.typ FROM handles h").contains("\"type\""));
        let none = of("no such column: xyzzy", "SELECT xyzzy FROM handles");
        assert!(none.contains("schema handles"), "{none}");
    }
}
