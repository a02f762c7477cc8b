//! A record as a row of cells: a serializer that knows the columns.

use std::borrow::Borrow;
use std::fmt;

use serde::ser::{self, Impossible, Serialize};

use super::{Column, Kind};

/// A value in a row.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Cell {
    /// Nothing.
    #[default]
    Null,
    /// True or false.
    Boolean(bool),
    /// A number, or a size, or a duration.
    Integer(i64),
    /// A number above the greatest that [`Self::Integer`] can be: no system has so many of anything, so a damaged or
    /// invented snapshot says it.
    TooLarge(u64),
    /// Text; also a moment, an address, handle or mask.
    Text(String),
    /// A list, as JSON.
    List(String),
}

/// The cells of a record in the order of the columns, and the keys of it that have no column and are not `elsewhere`. Cells
/// of columns that are not wanted, where that is told, stay empty.
pub(super) fn cells<C: Borrow<Column>>(
    columns: &[C],
    elsewhere: &[Column],
    wanted: Option<&[bool]>,
    record: &impl Serialize,
) -> (Vec<Cell>, Vec<String>) {
    let mut row = Row {
        columns,
        elsewhere,
        wanted,
        cells: vec![Cell::Null; columns.len()],
        next: 0,
        prefix: String::new(),
        left_out: Vec::new(),
    };
    let serialized = record.serialize(&mut row);
    debug_assert!(serialized.is_ok(), "records are objects");
    (row.cells, row.left_out)
}

struct Row<'c, C> {
    columns: &'c [C],
    elsewhere: &'c [Column],
    wanted: Option<&'c [bool]>,
    cells: Vec<Cell>,
    /// The column after the one that was filled last: keys come in the order of columns.
    next: usize,
    /// In front of the keys of an object in the record.
    prefix: String,
    left_out: Vec<String>,
}

impl<C: Borrow<Column>> Row<'_, C> {
    /// Where the column of a key stands, below the prefix.
    fn place(&mut self, key: &str) -> Option<usize> {
        // Lengths tell nearly all names from others.
        let length = self.prefix.len() + key.len();
        let is = |column: &C| {
            let name = column.borrow().name;
            name.len() == length && name.strip_prefix(self.prefix.as_str()) == Some(key)
        };
        let (before, from) = self.columns.split_at(self.next.min(self.columns.len()));
        let place = from.iter().position(is).map(|place| place + before.len());
        let place = place.or_else(|| before.iter().position(is))?;
        self.next = place + 1;
        Some(place)
    }

    fn field(&mut self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<(), NotARow> {
        let Some(place) = self.place(key) else {
            // Perhaps an object, whose keys have columns.
            let length = self.prefix.len();
            self.prefix.push_str(key);
            self.prefix.push('_');
            let prefix = self.prefix.as_str();
            let inside = self
                .columns
                .iter()
                .any(|column| column.borrow().name.starts_with(prefix));
            let done = if inside {
                value.serialize(&mut *self)
            } else {
                Err(NotARow)
            };
            self.prefix.truncate(length);
            let is_elsewhere = || {
                let mut names = self.elsewhere.iter().map(|column| column.name);
                names.any(|name| name.strip_prefix(self.prefix.as_str()) == Some(key))
            };
            if done.is_err() && !is_elsewhere() {
                self.left_out.push(format!("{}{key}", self.prefix));
            }
            return Ok(());
        };
        if self.wanted.is_some_and(|wanted| !wanted[place]) {
            return Ok(());
        }
        self.cells[place] = match self.columns[place].borrow().kind {
            Kind::List => serde_json::to_string(value).map_or(Cell::Null, |json| match &*json {
                "null" => Cell::Null,
                _ => Cell::List(json),
            }),
            _ => value.serialize(Value).unwrap_or_default(),
        };
        Ok(())
    }
}

/// What was serialized is no object.
#[derive(Debug)]
struct NotARow;

impl fmt::Display for NotARow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row is an object")
    }
}

impl std::error::Error for NotARow {}

impl ser::Error for NotARow {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

macro_rules! refuse {
    ($($method:ident($($type:ty),*))*) => {
        $(fn $method(self, $(_: $type),*) -> Result<Self::Ok, NotARow> {
            Err(NotARow)
        })*
    };
}

impl<'r, 'c, C: Borrow<Column>> ser::Serializer for &'r mut Row<'c, C> {
    type Ok = ();
    type Error = NotARow;
    type SerializeSeq = Impossible<(), NotARow>;
    type SerializeTuple = Impossible<(), NotARow>;
    type SerializeTupleStruct = Impossible<(), NotARow>;
    type SerializeTupleVariant = Impossible<(), NotARow>;
    type SerializeMap = Entries<'r, 'c, C>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), NotARow>;

    refuse! {
        serialize_bool(bool) serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
        serialize_f32(f32) serialize_f64(f64) serialize_char(char) serialize_str(&str) serialize_bytes(&[u8])
        serialize_unit_struct(&'static str) serialize_unit_variant(&'static str, u32, &'static str)
    }

    /// An object that is not there: its cells stay as they are.
    fn serialize_none(self) -> Result<(), NotARow> {
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), NotARow> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NotARow> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), NotARow> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), NotARow> {
        Err(NotARow)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, NotARow> {
        Err(NotARow)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, NotARow> {
        Err(NotARow)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, NotARow> {
        Err(NotARow)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, NotARow> {
        Err(NotARow)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries<'r, 'c, C>, NotARow> {
        Ok(Entries {
            row: self,
            key: String::new(),
        })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, NotARow> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, NotARow> {
        Err(NotARow)
    }
}

impl<C: Borrow<Column>> ser::SerializeStruct for &mut Row<'_, C> {
    type Ok = ();
    type Error = NotARow;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), NotARow> {
        self.field(key, value)
    }

    fn end(self) -> Result<(), NotARow> {
        Ok(())
    }
}

/// The same of a record whose parts are flattened into it.
struct Entries<'r, 'c, C> {
    row: &'r mut Row<'c, C>,
    key: String,
}

impl<C: Borrow<Column>> ser::SerializeMap for Entries<'_, '_, C> {
    type Ok = ();
    type Error = NotARow;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NotARow> {
        match key.serialize(Value)? {
            Cell::Text(key) => self.key = key,
            _ => return Err(NotARow),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotARow> {
        let key = std::mem::take(&mut self.key);
        self.row.field(&key, value)
    }

    fn end(self) -> Result<(), NotARow> {
        Ok(())
    }
}

/// A single value.
struct Value;

macro_rules! numbers {
    ($($method:ident($type:ty))*) => {
        $(fn $method(self, number: $type) -> Result<Cell, NotARow> {
            Ok(Cell::Integer(number.into()))
        })*
    };
}

impl ser::Serializer for Value {
    type Ok = Cell;
    type Error = NotARow;
    type SerializeSeq = Impossible<Cell, NotARow>;
    type SerializeTuple = Impossible<Cell, NotARow>;
    type SerializeTupleStruct = Impossible<Cell, NotARow>;
    type SerializeTupleVariant = Impossible<Cell, NotARow>;
    type SerializeMap = Impossible<Cell, NotARow>;
    type SerializeStruct = Impossible<Cell, NotARow>;
    type SerializeStructVariant = Impossible<Cell, NotARow>;

    numbers! {
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32)
    }

    refuse! {
        serialize_f32(f32) serialize_f64(f64) serialize_bytes(&[u8]) serialize_unit_struct(&'static str)
    }

    fn serialize_u64(self, number: u64) -> Result<Cell, NotARow> {
        Ok(i64::try_from(number).map_or(Cell::TooLarge(number), Cell::Integer))
    }

    fn serialize_bool(self, value: bool) -> Result<Cell, NotARow> {
        Ok(Cell::Boolean(value))
    }

    fn serialize_char(self, value: char) -> Result<Cell, NotARow> {
        Ok(Cell::Text(value.to_string()))
    }

    fn serialize_str(self, value: &str) -> Result<Cell, NotARow> {
        Ok(Cell::Text(value.to_owned()))
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<Cell, NotARow> {
        Ok(Cell::Text(value.to_string()))
    }

    fn serialize_none(self) -> Result<Cell, NotARow> {
        Ok(Cell::Null)
    }

    fn serialize_unit(self) -> Result<Cell, NotARow> {
        Ok(Cell::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Cell, NotARow> {
        value.serialize(self)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Cell, NotARow> {
        Ok(Cell::Text(variant.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Cell, NotARow> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Cell, NotARow> {
        Err(NotARow)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, NotARow> {
        Err(NotARow)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, NotARow> {
        Err(NotARow)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, NotARow> {
        Err(NotARow)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, NotARow> {
        Err(NotARow)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, NotARow> {
        Err(NotARow)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, NotARow> {
        Err(NotARow)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, NotARow> {
        Err(NotARow)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{boolean, integer, list, text};
    use super::*;
    use serde::Serialize;

    #[derive(Serialize)]
    struct Inner {
        name: Option<&'static str>,
        size: u64,
    }

    #[derive(Serialize)]
    struct Record {
        pid: u64,
        alive: bool,
        names: Vec<&'static str>,
        inner: Option<Inner>,
        missing: Vec<u8>,
        #[serde(flatten)]
        flat: Inner,
    }

    const COLUMNS: &[Column] = &[
        integer("pid", "1"),
        boolean("alive", "2"),
        list("names", "3"),
        text("inner_name", "4"),
        integer("inner_size", "5"),
        text("name", "6"),
        integer("size", "7"),
    ];

    #[test]
    fn objects_are_flattened_lists_are_json_and_what_has_no_column_is_told() {
        let record = Record {
            pid: 4,
            alive: true,
            names: vec!["a", "\"b"],
            inner: Some(Inner {
                name: None,
                size: u64::MAX,
            }),
            missing: Vec::new(),
            flat: Inner {
                name: Some("flat"),
                size: 8,
            },
        };
        let (found, left_out) = cells(COLUMNS, &[], None, &record);
        assert_eq!(
            found,
            [
                Cell::Integer(4),
                Cell::Boolean(true),
                Cell::List(r#"["a","\"b"]"#.to_owned()),
                Cell::Null,
                Cell::TooLarge(u64::MAX),
                Cell::Text("flat".to_owned()),
                Cell::Integer(8),
            ]
        );
        assert_eq!(left_out, ["missing"]);
        let without = Record {
            inner: None,
            ..record
        };
        assert_eq!(
            cells(COLUMNS, &[], None, &without).0[3..5],
            [Cell::Null, Cell::Null]
        );
    }
}
