//! Records as rows and columns.

use crate::explore::value::Value;
use crate::output::Align;

/// The head of a column.
pub struct Heading {
    pub title: &'static str,
    /// Characters it takes; the last column of a table takes what is left.
    pub width: u16,
    pub align: Align,
}

/// A column of records of one kind.
pub struct Column<R> {
    heading: Heading,
    value: fn(&R) -> Value<'_>,
}

impl<R> Column<R> {
    /// A column of text.
    pub const fn left(title: &'static str, width: u16, value: fn(&R) -> Value<'_>) -> Self {
        Self::new(title, width, Align::Left, value)
    }

    /// A column of numbers.
    pub const fn right(title: &'static str, width: u16, value: fn(&R) -> Value<'_>) -> Self {
        Self::new(title, width, Align::Right, value)
    }

    /// What stands in it.
    pub fn value(&self) -> fn(&R) -> Value<'_> {
        self.value
    }

    const fn new(
        title: &'static str,
        width: u16,
        align: Align,
        value: fn(&R) -> Value<'_>,
    ) -> Self {
        Self {
            heading: Heading {
                title,
                width,
                align,
            },
            value,
        }
    }
}

/// Records of one kind.
pub struct Records<R: 'static> {
    pub rows: Vec<R>,
    /// Those of the table.
    pub columns: &'static [Column<R>],
    /// What only the details of a row show.
    pub details: &'static [Column<R>],
    /// The column that stands for the record, which a tree indents.
    pub main: usize,
    /// What the tree shows in that column.
    pub label: fn(&R) -> Value<'_>,
    /// The row each stands below in the tree; empty where there is no tree.
    pub parents: Vec<Option<u32>>,
}

impl<R> Records<R> {
    /// A table without a tree; the last column stands for the record.
    pub fn flat(rows: Vec<R>, columns: &'static [Column<R>]) -> Self {
        Self {
            rows,
            columns,
            details: &[],
            main: columns.len() - 1,
            label: |_| Value::Nothing,
            parents: Vec::new(),
        }
    }
}

/// Rows and columns, whatever the records are. Rows are numbered as the records stand in the snapshot.
pub trait Table {
    fn row_count(&self) -> usize;
    fn column_count(&self) -> usize;
    fn heading(&self, column: usize) -> &Heading;
    fn value(&self, row: u32, column: usize) -> Value<'_>;
    /// The column that stands for the record.
    fn main(&self) -> usize;
    /// What stands there in a tree.
    fn label(&self, row: u32) -> Value<'_>;
    fn parents(&self) -> &[Option<u32>];
    /// Every column of a row, those included that only the details show.
    fn everything(&self, row: u32) -> Vec<(&'static str, String)>;
}

impl<R> Table for Records<R> {
    fn row_count(&self) -> usize {
        self.rows.len()
    }

    fn column_count(&self) -> usize {
        self.columns.len()
    }

    fn heading(&self, column: usize) -> &Heading {
        &self.columns[column].heading
    }

    fn value(&self, row: u32, column: usize) -> Value<'_> {
        (self.columns[column].value)(&self.rows[row as usize])
    }

    fn main(&self) -> usize {
        self.main
    }

    fn label(&self, row: u32) -> Value<'_> {
        (self.label)(&self.rows[row as usize])
    }

    fn parents(&self) -> &[Option<u32>] {
        &self.parents
    }

    fn everything(&self, row: u32) -> Vec<(&'static str, String)> {
        let record = &self.rows[row as usize];
        self.columns
            .iter()
            .chain(self.details)
            .map(|column| (column.heading.title, (column.value)(record).shown()))
            .collect()
    }
}
