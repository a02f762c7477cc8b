//! The rows that a statement answers: as a table, as JSON, as CSV.

use csv::{Terminator, WriterBuilder};
use rusqlite::Statement;
use rusqlite::types::ValueRef;
use serde_json::Value;

use crate::data::csv::defuse;
use crate::data::database::{self, BOOLEAN, JSON};
use crate::data::session::Stop;
use crate::error::Error;
use crate::output::{self, Align, NOTHING, Table};

/// How rows are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Table,
    Json,
    Csv,
}

/// Bytes of text that are written at once.
const BLOCK: usize = 1 << 16;

/// Runs a statement and prints its rows.
pub fn print(statement: &mut Statement<'_>, form: Form) -> Result<(), Stop> {
    let columns = database::columns(statement);
    match form {
        Form::Table => table(statement, &columns),
        Form::Json => json(statement, &columns),
        Form::Csv => csv(statement, &columns),
    }
}

/// Names and declared types.
type Columns = [(String, Option<String>)];

fn table(statement: &mut Statement<'_>, columns: &Columns) -> Result<(), Stop> {
    let mut numbers = vec![true; columns.len()];
    let mut cells: Vec<Vec<String>> = Vec::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut texts = Vec::with_capacity(columns.len());
        for (place, is_number) in numbers.iter_mut().enumerate() {
            let value = row.get_ref(place)?;
            *is_number &= matches!(
                value,
                ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_)
            );
            texts.push(match value {
                ValueRef::Null => NOTHING.to_owned(),
                value => text(value),
            });
        }
        cells.push(texts);
    }
    let titles = columns.iter().zip(numbers).map(|((name, _), is_number)| {
        let align = if is_number { Align::Right } else { Align::Left };
        (name.clone().into(), align)
    });
    let mut table = Table::titled(titles).whole();
    for row in cells {
        table.row(row);
    }
    Ok(table.print()?)
}

/// An array with an object in each line.
fn json(statement: &mut Statement<'_>, columns: &Columns) -> Result<(), Stop> {
    let keys: Vec<_> = different(columns).into_iter().map(Value::from).collect();
    let mut rows = statement.query([])?;
    let mut block = String::from("[");
    let mut first = true;
    while let Some(row) = rows.next()? {
        block += if first { "\n  {" } else { ",\n  {" };
        for (place, (key, (_, declared))) in keys.iter().zip(columns).enumerate() {
            let value = json_value(row.get_ref(place)?, declared.as_deref());
            let comma = if place == 0 { "" } else { ", " };
            block += &format!("{comma}{key}: {value}");
        }
        block.push('}');
        first = false;
        if block.len() >= BLOCK {
            output::bytes(block.as_bytes())?;
            block.clear();
        }
    }
    block += if first { "]\n" } else { "\n]\n" };
    Ok(output::bytes(block.as_bytes())?)
}

/// The names of columns, told apart where some are the same.
fn different(columns: &Columns) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in columns {
        let mut candidate = name.clone();
        let mut number = 2;
        while names.contains(&candidate) {
            candidate = format!("{name}_{number}");
            number += 1;
        }
        names.push(candidate);
    }
    names
}

/// What stands in a column of our tables becomes what it is in the JSON of their commands.
fn json_value(value: ValueRef<'_>, declared: Option<&str>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) if declared == Some(BOOLEAN) => Value::Bool(number != 0),
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(bytes) if declared == Some(JSON) => {
            serde_json::from_slice(bytes).unwrap_or_else(|_| text(value).into())
        }
        ValueRef::Text(_) | ValueRef::Blob(_) => text(value).into(),
    }
}

fn csv(statement: &mut Statement<'_>, columns: &Columns) -> Result<(), Stop> {
    let failed = |error: &dyn std::fmt::Display| Error::failed("cannot write CSV").because(error);
    let new = || {
        WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .from_writer(Vec::new())
    };
    let mut writer = new();
    writer
        .write_record(
            different(columns)
                .iter()
                .map(|name| defuse(name).into_owned()),
        )
        .map_err(|error| failed(&error))?;
    let mut rows = statement.query([])?;
    let mut waiting = 0;
    while let Some(row) = rows.next()? {
        for place in 0..columns.len() {
            let field = match row.get_ref(place)? {
                ValueRef::Null => String::new(),
                value @ ValueRef::Text(_) => defuse(&text(value)).into_owned(),
                value => text(value),
            };
            waiting += field.len();
            writer.write_field(field).map_err(|error| failed(&error))?;
        }
        writer
            .write_record(None::<&[u8]>)
            .map_err(|error| failed(&error))?;
        if waiting >= BLOCK {
            let block = std::mem::replace(&mut writer, new()).into_inner();
            output::bytes(&block.map_err(|error| failed(&error))?)?;
            waiting = 0;
        }
    }
    let block = writer.into_inner().map_err(|error| failed(&error))?;
    Ok(output::bytes(&block)?)
}

/// A value as text; bytes as SQL writes them.
fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        ValueRef::Blob(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            format!("X'{digits}'")
        }
    }
}
