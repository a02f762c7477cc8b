//! What goes to standard output: tables that fit the terminal, or JSON.

use std::io::{self, ErrorKind, IsTerminal, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table as Grid, presets};
use serde::Serialize;

use crate::error::Error;

/// Writes `text` and a newline to standard output. A reader that went away (`| head`) is not an error.
pub fn line(text: impl AsRef<str>) -> Result<(), Error> {
    bytes(format!("{}\n", text.as_ref()).as_bytes())
}

/// Writes `data` to standard output as it is.
pub fn bytes(data: &[u8]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match out.write_all(data).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::failed("cannot write to standard output").because(error))
        }
        _ => Ok(()),
    }
}

/// Writes `value` as indented JSON.
pub fn json(value: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Error::failed("cannot write JSON").because(error))?;
    line(text)
}

/// How a column's cells are placed.
#[derive(Clone, Copy)]
pub enum Align {
    Left,
    Right,
}

/// A table with one header line, no frame, as wide as the terminal at most; of any width when piped.
pub struct Table(Grid);

impl Table {
    pub fn new(columns: &[(&str, Align)]) -> Self {
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING);
        grid.set_header(columns.iter().map(|(title, _)| *title));
        for (column, (_, align)) in grid.column_iter_mut().zip(columns) {
            column.set_padding((0, 2));
            column.set_cell_alignment(match align {
                Align::Left => CellAlignment::Left,
                Align::Right => CellAlignment::Right,
            });
        }
        if let Some(width) = terminal_width() {
            grid.set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width);
        }
        Self(grid)
    }

    pub fn row<Cells>(&mut self, cells: Cells)
    where
        Cells: IntoIterator,
        Cells::Item: Into<String>,
    {
        self.0.add_row(cells.into_iter().map(Into::into));
    }

    pub fn print(&self) -> Result<(), Error> {
        line(self.0.trim_fmt())
    }
}

fn terminal_width() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(width, _)| width.0)
}

/// Where a command that reports as it goes puts its lines: [`line`], or a test.
pub type Print<'a> = &'a mut dyn FnMut(String) -> Result<(), Error>;
