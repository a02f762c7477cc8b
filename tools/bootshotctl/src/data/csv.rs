//! Tables as CSV after RFC 4180, with a header line, safe to open in a spreadsheet.

use std::io::{Read, Write};

use bootshot_reader::tables::{Cell, Table};
use csv::{ByteRecord, ReaderBuilder, Terminator, WriterBuilder};

use crate::data::SNAPSHOT_ID;

/// A file of rows.
pub struct Writer<W: Write> {
    csv: csv::Writer<W>,
}

/// The names of the columns.
fn header(table: &Table) -> impl Iterator<Item = &'static str> {
    let columns = table.columns.iter().map(|column| column.name);
    std::iter::once(SNAPSHOT_ID).chain(columns)
}

impl<W: Write> Writer<W> {
    /// A new file, with its header line, or more rows for one that has it.
    pub fn new(to: W, table: &Table, with_header: bool) -> csv::Result<Self> {
        let mut csv = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .from_writer(to);
        if with_header {
            csv.write_record(header(table))?;
        }
        Ok(Self { csv })
    }

    pub fn row(&mut self, snapshot_id: &str, cells: &[Cell]) -> csv::Result<()> {
        self.csv.write_field(snapshot_id)?;
        for cell in cells {
            match cell {
                Cell::Null => self.csv.write_field("")?,
                Cell::Boolean(value) => self.csv.write_field(value.to_string())?,
                Cell::Integer(number) => self.csv.write_field(number.to_string())?,
                Cell::TooLarge(number) => self.csv.write_field(number.to_string())?,
                Cell::Text(text) | Cell::List(text) => {
                    self.csv.write_field(defuse(text).as_bytes())?
                }
            }
        }
        self.csv.write_record(None::<&[u8]>)
    }

    pub fn finish(mut self) -> std::io::Result<()> {
        self.csv.flush()
    }
}

/// A text with an apostrophe in front where a spreadsheet would take it for a formula, and run it.
pub fn defuse(text: &str) -> std::borrow::Cow<'_, str> {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}").into(),
        false => text.into(),
    }
}

/// Whether a file has the columns of `table`.
pub fn has_columns(file: impl Read, table: &Table) -> csv::Result<bool> {
    let mut reader = ReaderBuilder::new().from_reader(file);
    Ok(reader.headers()?.iter().eq(header(table)))
}

/// The ids of the snapshots whose rows a file has.
pub fn snapshot_ids(file: impl Read) -> csv::Result<Vec<String>> {
    let mut ids = Vec::new();
    for record in ReaderBuilder::new().from_reader(file).records() {
        ids.extend(record?.get(0).map(str::to_owned));
    }
    Ok(ids)
}

/// Copies the header line and the rows of the snapshots whose ids are `wanted`.
pub fn copy(from: impl Read, to: impl Write, wanted: impl Fn(&[u8]) -> bool) -> csv::Result<()> {
    let mut reader = ReaderBuilder::new().from_reader(from);
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(to);
    writer.write_byte_record(reader.byte_headers()?)?;
    let mut row = ByteRecord::new();
    while reader.read_byte_record(&mut row)? {
        if row.get(0).is_some_and(&wanted) {
            writer.write_byte_record(&row)?;
        }
    }
    Ok(writer.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused_and_numbers_stay_numbers() {
        let table = Table::named("privileges").unwrap();
        let mut file = Vec::new();
        let mut writer = Writer::new(&mut file, table, true).unwrap();
        for text in [
            "=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "a=b", "a\"b,c",
        ] {
            let cells = [Cell::Text(text.to_owned()), Cell::Integer(-1)];
            writer.row("id", &cells).unwrap();
        }
        writer
            .row("id", &[Cell::Null, Cell::TooLarge(u64::MAX)])
            .unwrap();
        writer.finish().unwrap();
        assert_eq!(
            String::from_utf8(file).unwrap(),
            "snapshot_id,name,held\r\nid,'=1+1,-1\r\nid,'+1,-1\r\nid,'-1,-1\r\nid,'@SUM(A1),-1\r\nid,'\tx,-1\r\n\
             id,\"'\rx\",-1\r\nid,a=b,-1\r\nid,\"a\"\"b,c\",-1\r\nid,,18446744073709551615\r\n"
        );
    }
}
