//! Tables as Apache Parquet: a file for each table of each snapshot, in folders that say the table, the host and the boot.
//!
//! Numbers are INT64, moments TIMESTAMP(MICROS, UTC), which Spark reads, and so without the digit of their 100 ns; lists
//! are JSON text. Rows are gathered in groups of a bounded size, compressed with Snappy: the codec that every reader has.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bootshot_reader::tables::{Cell, Kind, Table};
use chrono::DateTime;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::Field;
use parquet::schema::types::Type;

use crate::data::SNAPSHOT_ID;
use crate::data::identity::Identity;

/// Most rows of a group: until it is written, it is all in memory.
const GROUP_ROWS: usize = 16_384;

/// Bytes of text after which a group is written even if it has fewer rows.
const GROUP_BYTES: usize = 2 << 20;

/// Partition folders of nothing, for Hive, Spark and DuckDB alike.
const NOTHING: &str = "__HIVE_DEFAULT_PARTITION__";

/// Where the file of a table of a snapshot stands in the data set.
pub fn place(table: &Table, identity: &Identity) -> PathBuf {
    let short = identity.id.get(..8).unwrap_or(&identity.id);
    [
        partition("table", table.name),
        partition("host", &identity.host),
        partition("boot", &identity.boot),
        format!("{}-{short}.parquet", identity.phase),
    ]
    .iter()
    .collect()
}

/// `key=value` as a folder's name.
fn partition(key: &str, value: &str) -> String {
    format!("{key}={}", escape(value))
}

/// A value with everything as `%` and two digits that Hive escapes so, or that a file system does not take.
fn escape(value: &str) -> String {
    if value.is_empty() {
        return NOTHING.to_owned();
    }
    let last = value.len() - 1;
    let mut escaped = String::with_capacity(value.len());
    for (place, character) in value.char_indices() {
        let special = character.is_ascii_control()
            || "\"#%'*/:=?\\{}[]^<>|".contains(character)
            // Windows drops these at the end of a name.
            || (place == last && matches!(character, '.' | ' '));
        if special {
            escaped.push_str(&format!("%{:02X}", u32::from(character)));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// The columns of a table: the snapshot's id, which is always there, and its own, where anything can be null.
fn schema(table: &Table) -> Result<Type> {
    let text = |name: &str, repetition| {
        Type::primitive_type_builder(name, PhysicalType::BYTE_ARRAY)
            .with_repetition(repetition)
            .with_logical_type(Some(LogicalType::String))
            .build()
    };
    let mut fields = vec![Arc::new(text(SNAPSHOT_ID, Repetition::REQUIRED)?)];
    for column in table.columns {
        let of_type = |physical| Type::primitive_type_builder(column.name, physical);
        let field = match column.kind {
            Kind::Text | Kind::Hex | Kind::List => text(column.name, Repetition::OPTIONAL)?,
            Kind::Boolean => of_type(PhysicalType::BOOLEAN)
                .with_repetition(Repetition::OPTIONAL)
                .build()?,
            Kind::Time => of_type(PhysicalType::INT64)
                .with_repetition(Repetition::OPTIONAL)
                .with_logical_type(Some(LogicalType::timestamp(true, TimeUnit::MICROS)))
                .build()?,
            Kind::RowNumber | Kind::Integer | Kind::Size | Kind::Duration => {
                of_type(PhysicalType::INT64)
                    .with_repetition(Repetition::OPTIONAL)
                    .build()?
            }
        };
        fields.push(Arc::new(field));
    }
    Type::group_type_builder(table.name)
        .with_fields(fields)
        .build()
}

/// Rows of a column that are handed over at once: as many as the writer itself takes at a time.
const PORTION: usize = 1024;

/// Values of a column that are not null, until their group is written.
enum Values {
    Text(Texts),
    Boolean(Vec<bool>),
    Integer(Vec<i64>),
}

/// Texts, each of which is kept once: most columns have few different ones.
#[derive(Default)]
struct Texts {
    different: Vec<ByteArray>,
    hasher: RandomState,
    /// By hash, place among the different ones. Should two have the same hash, the second one is kept as often as it comes.
    places: HashMap<u64, u32>,
    /// By row, place among the different ones.
    rows: Vec<u32>,
}

impl Texts {
    fn push(&mut self, text: String) {
        let next = self.different.len() as u32;
        let hash = self.hasher.hash_one(&text);
        let known = *self.places.entry(hash).or_insert(next);
        let is_it = |known: &ByteArray| known.data() == text.as_bytes();
        if self.different.get(known as usize).is_some_and(is_it) {
            self.rows.push(known);
        } else {
            self.different.push(text.into_bytes().into());
            self.rows.push(next);
        }
    }

    fn clear(&mut self) {
        self.different.clear();
        self.places.clear();
        self.rows.clear();
    }
}

struct Gathered {
    kind: Kind,
    values: Values,
    /// For each row 1, or 0 for a null.
    present: Vec<i16>,
}

impl Gathered {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            values: match kind {
                Kind::Text | Kind::Hex | Kind::List => Values::Text(Texts::default()),
                Kind::Boolean => Values::Boolean(Vec::new()),
                Kind::Time | Kind::RowNumber | Kind::Integer | Kind::Size | Kind::Duration => {
                    Values::Integer(Vec::new())
                }
            },
            present: Vec::new(),
        }
    }

    /// Keeps a cell; how many bytes of text it has. What the column's type cannot say becomes null.
    fn push(&mut self, cell: Cell) -> usize {
        let mut length = 0;
        let kept = match (&mut self.values, cell) {
            (Values::Text(values), Cell::Text(text) | Cell::List(text)) => {
                length = text.len();
                values.push(text);
                true
            }
            (Values::Boolean(values), Cell::Boolean(value)) => {
                values.push(value);
                true
            }
            (Values::Integer(values), Cell::Integer(number)) => {
                values.push(number);
                true
            }
            (Values::Integer(values), Cell::Text(moment)) if self.kind == Kind::Time => {
                let moment = DateTime::parse_from_rfc3339(&moment);
                values.extend(moment.as_ref().map(DateTime::timestamp_micros).ok());
                moment.is_ok()
            }
            _ => false,
        };
        self.present.push(i16::from(kept));
        length
    }

    fn write(&mut self, column: &mut ColumnWriter<'_>) -> Result<()> {
        let present = Some(self.present.as_slice());
        match (&mut self.values, column) {
            (Values::Text(values), ColumnWriter::ByteArrayColumnWriter(writer)) => {
                let mut rows = values.rows.iter();
                for present in self.present.chunks(PORTION) {
                    let count = present.iter().filter(|present| **present != 0).count();
                    let portion: Vec<ByteArray> = rows
                        .by_ref()
                        .take(count)
                        .map(|place| values.different[*place as usize].clone())
                        .collect();
                    writer.write_batch(&portion, Some(present), None)?;
                }
                values.clear();
            }
            (Values::Boolean(values), ColumnWriter::BoolColumnWriter(writer)) => {
                writer.write_batch(values, present, None)?;
                values.clear();
            }
            (Values::Integer(values), ColumnWriter::Int64ColumnWriter(writer)) => {
                writer.write_batch(values, present, None)?;
                values.clear();
            }
            _ => unreachable!("the schema is made from the same kinds"),
        }
        self.present.clear();
        Ok(())
    }
}

/// A file of rows of one snapshot.
pub struct Writer<W: Write + Send> {
    file: SerializedFileWriter<W>,
    snapshot_id: ByteArray,
    columns: Vec<Gathered>,
    rows: usize,
    bytes: usize,
}

impl<W: Write + Send> Writer<W> {
    pub fn new(to: W, table: &Table, snapshot_id: &str) -> Result<Self> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("bootshotctl ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        Ok(Self {
            file: SerializedFileWriter::new(to, Arc::new(schema(table)?), Arc::new(properties))?,
            snapshot_id: snapshot_id.as_bytes().into(),
            columns: table
                .columns
                .iter()
                .map(|column| Gathered::new(column.kind))
                .collect(),
            rows: 0,
            bytes: 0,
        })
    }

    pub fn row(&mut self, cells: Vec<Cell>) -> Result<()> {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            self.bytes += column.push(cell);
        }
        self.rows += 1;
        if self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES {
            self.write_group()?;
        }
        Ok(())
    }

    fn write_group(&mut self) -> Result<()> {
        let mut group = self.file.next_row_group()?;
        if let Some(mut column) = group.next_column()? {
            if let ColumnWriter::ByteArrayColumnWriter(writer) = column.untyped() {
                let ids = vec![self.snapshot_id.clone(); self.rows.min(PORTION)];
                for start in (0..self.rows).step_by(PORTION) {
                    let count = (self.rows - start).min(PORTION);
                    writer.write_batch(&ids[..count], None, None)?;
                }
            }
            column.close()?;
        }
        for gathered in &mut self.columns {
            if let Some(mut column) = group.next_column()? {
                gathered.write(column.untyped())?;
                column.close()?;
            }
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }

    pub fn finish(mut self) -> Result<()> {
        if self.rows != 0 {
            self.write_group()?;
        }
        self.file.close()?;
        Ok(())
    }
}

/// The id of the snapshot whose rows a file has; none when it has no row.
pub fn snapshot_id(path: &Path) -> Result<Option<String>> {
    let reader = SerializedFileReader::new(File::open(path)?)?;
    let Some(row) = reader.get_row_iter(None)?.next().transpose()? else {
        return Ok(None);
    };
    Ok(row.get_column_iter().find_map(|(name, field)| match field {
        Field::Str(id) if name == SNAPSHOT_ID => Some(id.clone()),
        _ => None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_host_is_called_it_is_one_folder() {
        for (name, folder) in [
            ("host-7", "host=host-7"),
            ("../x", "host=..%2Fx"),
            ("a=b", "host=a%3Db"),
            ("CON", "host=CON"),
            ("", "host=__HIVE_DEFAULT_PARTITION__"),
            ("C:\\x", "host=C%3A%5Cx"),
            ("50%", "host=50%25"),
            ("a\n\0", "host=a%0A%00"),
            ("end. ", "host=end.%20"),
            ("..", "host=.%2E"),
            ("zürich", "host=zürich"),
        ] {
            let made = partition("host", name);
            assert_eq!(made, folder);
            assert_eq!(Path::new(&made).components().count(), 1);
        }
    }

    /// Rows and bytes of each group of a file of so many rows, each with a text of this length.
    fn groups(rows: usize, length: usize) -> Vec<i64> {
        let table = Table::named("volatile_keys").unwrap();
        let file = tempfile::tempfile().unwrap();
        let mut writer = Writer::new(&file, table, "0123456789abcdef").unwrap();
        for row in 0..rows {
            let text = format!("{row:0length$}");
            writer.row(vec![Cell::Text(text)]).unwrap();
        }
        writer.finish().unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let groups = reader.metadata().row_groups().iter();
        groups.map(|group| group.num_rows()).collect()
    }

    #[test]
    fn texts_come_back_row_by_row_with_nothing_where_there_was_nothing() {
        let table = Table::named("volatile_keys").unwrap();
        let file = tempfile::tempfile().unwrap();
        let mut writer = Writer::new(&file, table, "0123456789abcdef").unwrap();
        let text = |row: usize| (!row.is_multiple_of(7)).then(|| format!("text {}", row % 1000));
        let rows = 0..2 * PORTION + 1;
        for row in rows.clone() {
            writer
                .row(vec![text(row).map_or(Cell::Null, Cell::Text)])
                .unwrap();
        }
        writer.finish().unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let read = reader.get_row_iter(None).unwrap().map(|row| {
            let row = row.unwrap();
            let mut fields = row.get_column_iter().map(|(_, field)| field.clone());
            match (fields.next(), fields.next()) {
                (Some(Field::Str(id)), Some(Field::Str(text))) => (id, Some(text)),
                (Some(Field::Str(id)), Some(Field::Null)) => (id, None),
                other => panic!("{other:?}"),
            }
        });
        let expected = rows.map(|row| ("0123456789abcdef".to_owned(), text(row)));
        assert!(read.eq(expected));
    }

    #[test]
    fn a_group_has_a_bounded_number_of_rows_and_bytes() {
        let most = i64::try_from(GROUP_ROWS).unwrap();
        assert_eq!(groups(2 * GROUP_ROWS + 1, 1), [most, most, 1]);
        let long = 1 << 15;
        let fit = i64::try_from(GROUP_BYTES / long).unwrap();
        assert_eq!(groups(GROUP_BYTES / long * 2 + 3, long), [fit, fit, 3]);
        assert!(groups(0, 1).is_empty());
    }
}
