//! What goes to the terminal: tables that fit it, JSON, and warnings beside them. Colour only where it is one.

use std::borrow::Cow;
use std::io::{self, ErrorKind, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, Table as Grid, Width, presets,
};
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::error::Error;
use crate::pager;
use crate::shown;

/// Writes `text` and a newline to standard output. A reader that went away (`| head`) is not an error.
pub fn line(text: impl AsRef<str>) -> Result<(), Error> {
    if let Some(done) = pager::line(text.as_ref()) {
        return written(done);
    }
    written(directly(&format!("{}\n", text.as_ref())))
}

/// Writes `text` to standard output, whether there is a pager or not.
pub fn directly(text: &str) -> io::Result<()> {
    // Takes styles out again where it is no terminal, or the person wants none (`NO_COLOR`).
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush())
}

/// Writes `data` to standard output as it is.
pub fn bytes(data: &[u8]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    written(out.write_all(data).and_then(|()| out.flush()))
}

fn written(result: io::Result<()>) -> Result<(), Error> {
    match result {
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

/// Writes a warning to standard error.
pub fn warn(text: impl AsRef<str>) {
    if !pager::hold(text.as_ref()) {
        write_warning(text.as_ref());
    }
}

fn write_warning(text: &str) {
    let style = AnsiColor::Yellow.on_default();
    say(format!("{style}warning:{style:#} {}", shown::visible(text)));
}

/// Writes `text` and a newline to standard error.
pub fn say(text: impl AsRef<str>) {
    // Nobody is left to be told when standard error does not work.
    let _ = writeln!(anstream::stderr().lock(), "{}", text.as_ref());
}

/// Nothing more comes: waits for the pager, where there is one.
pub fn finish() {
    for warning in pager::finish() {
        write_warning(&warning);
    }
}

/// How a column's cells are placed.
#[derive(Clone, Copy)]
pub enum Align {
    Left,
    Right,
}

/// A table with one header line, a line for each row and no frame. On a terminal it is as wide as that at most: columns
/// without a single value are left out, then those on the right, and the last column, which is to be the one of long texts,
/// wraps.
pub struct Table {
    columns: Vec<(Cow<'static, str>, Align)>,
    rows: Vec<Vec<String>>,
    whole: bool,
}

/// Rows that are laid out at a time.
const BLOCK: usize = 1024;

/// Blanks between two columns.
const GAP: usize = 2;

/// Columns that a cell gets room for where lines are not broken: one of megabytes would make every line as long.
const MOST_ROOM: usize = 65_535;

/// The width the last column keeps when it wraps; other columns go before it gets narrower.
const LEAST_WRAPPED: usize = 20;

/// What stands in a cell without a value.
pub const NOTHING: &str = "-";

impl Table {
    pub fn new(columns: &[(&'static str, Align)]) -> Self {
        let columns = columns.iter().copied();
        Self::titled(columns.map(|(title, align)| (title.into(), align)))
    }

    /// One whose columns are known only now.
    pub fn titled(columns: impl IntoIterator<Item = (Cow<'static, str>, Align)>) -> Self {
        Self {
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
            whole: false,
        }
    }

    /// Keeps every column on a terminal too, empty or not, and however narrow: they were asked for by their names.
    pub fn whole(self) -> Self {
        Self {
            whole: true,
            ..self
        }
    }

    pub fn row<Cells>(&mut self, cells: Cells)
    where
        Cells: IntoIterator,
        Cells::Item: Into<String>,
    {
        let cells = cells.into_iter().map(Into::into);
        self.rows
            .push(cells.map(|cell: String| shown::visible(&cell)).collect());
    }

    pub fn print(&self) -> Result<(), Error> {
        let mut lines = self.layout(terminal_width());
        let style = Style::new().bold();
        if let Some(header) = lines.next() {
            line(format!("{style}{header}{style:#}"))?;
        }
        lines.try_for_each(line)
    }

    /// The header, then the rows in blocks: a list of all handles of a machine has hundreds of thousands.
    fn layout(&self, width: Option<u16>) -> impl Iterator<Item = String> {
        let mut columns: Vec<Column> = (0..self.columns.len())
            .map(|place| self.column(place))
            .filter(|column| width.is_none() || self.whole || column.has_value)
            .collect();
        if let Some(width) = width {
            fit(&mut columns, width.into(), self.whole);
        }
        let titles = self.columns.iter().map(|(title, _)| shown::visible(title));
        // The grid breaks what is wider than 65,535 columns.
        let render = if width.is_some() { wrapped } else { unbroken };
        let header = render(&columns, &[titles.collect()]);
        let blocks = self.rows.chunks(BLOCK);
        std::iter::once(header).chain(blocks.map(move |rows| render(&columns, rows)))
    }

    fn column(&self, place: usize) -> Column {
        let (title, align) = &self.columns[place];
        let title = shown::visible(title);
        let cells = || self.rows.iter().filter_map(|row| row.get(place));
        Column {
            place,
            align: *align,
            width: cells()
                .map(|cell| cell.width())
                .fold(title.width(), usize::max),
            has_value: self.rows.is_empty() || cells().any(|cell| cell != NOTHING),
        }
    }
}

/// A column as it is laid out.
struct Column {
    place: usize,
    align: Align,
    width: usize,
    has_value: bool,
}

/// Takes columns away unless they are `whole`, the last but one first, until only the last has to wrap, and gives that one
/// what is left.
fn fit(columns: &mut Vec<Column>, width: usize, whole: bool) {
    while let [others @ .., last] = &mut columns[..] {
        let taken: usize = others.iter().map(|column| column.width + GAP).sum();
        if whole {
            let left = width.saturating_sub(taken);
            last.width = last.width.min(left.max(LEAST_WRAPPED));
            break;
        }
        if others.len() < 2 || taken + last.width.min(LEAST_WRAPPED) <= width {
            last.width = last.width.min(width.saturating_sub(taken).max(1));
            break;
        }
        columns.remove(columns.len() - 2);
    }
}

/// A line for each row, however long.
fn unbroken(columns: &[Column], rows: &[Vec<String>]) -> String {
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for (place, column) in columns.iter().enumerate() {
            let cell = row.get(column.place).map_or("", String::as_str);
            let gap = " ".repeat(if place == 0 { 0 } else { GAP });
            let width = column.width.min(MOST_ROOM);
            let room = " ".repeat(width.saturating_sub(cell.width()));
            line.extend(match column.align {
                Align::Left => [&gap, cell, &room],
                Align::Right => [&gap, &room, cell],
            });
        }
        line.truncate(line.trim_end().len());
        line
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Cells in the widths of their columns, broken where they are longer.
fn wrapped(columns: &[Column], rows: &[Vec<String>]) -> String {
    let mut grid = Grid::new();
    grid.load_style(presets::NOTHING);
    grid.set_content_arrangement(ContentArrangement::Dynamic);
    for row in rows {
        grid.add_row(columns.iter().filter_map(|column| row.get(column.place)));
    }
    let last = columns.len().saturating_sub(1);
    for (cells, (place, column)) in grid.column_iter_mut().zip(columns.iter().enumerate()) {
        let gap = if place == last { 0 } else { GAP };
        cells.set_padding((0, gap as u16));
        let width = u16::try_from(column.width + gap).unwrap_or(u16::MAX);
        cells.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
        cells.set_cell_alignment(match column.align {
            Align::Left => CellAlignment::Left,
            Align::Right => CellAlignment::Right,
        });
    }
    grid.trim_fmt()
}

/// Names with their values, one to a line.
#[derive(Default)]
pub struct Pairs(Vec<(String, String)>);

impl Pairs {
    pub fn add(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    pub fn print(&self) -> Result<(), Error> {
        let width = self.0.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in &self.0 {
            line(format!("{name:width$}  {}", shown::visible(value)).trim_end())?;
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&[
            ("PID", Align::Right),
            ("USER", Align::Left),
            ("COMMAND LINE", Align::Left),
        ]);
        table.row(["4", NOTHING, "one two three four"]);
        table.row(["1234", NOTHING, "\x1b[2J"]);
        table
    }

    fn shown(table: &Table, width: Option<u16>) -> String {
        table.layout(width).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_piped_table_has_every_column_and_one_line_for_each_row() {
        assert_eq!(
            shown(&table(), None),
            " PID  USER  COMMAND LINE\n   4  -     one two three four\n1234  -     \\u{1b}[2J"
        );
    }

    #[test]
    fn a_piped_row_is_one_line_however_long_its_cells_are() {
        let long = "long ".repeat(20_000);
        let mut table = Table::new(&[("TEXT", Align::Left), ("NAME", Align::Right)]);
        table.row([&long, "a"]);
        table.row(["b", "c"]);
        let shown = shown(&table, None);
        assert_eq!(shown.lines().count(), 3);
        assert_eq!(shown.lines().nth(1), Some(&*format!("{long}     a")));
    }

    #[test]
    fn on_a_narrow_terminal_columns_go_before_the_last_one_gets_illegible() {
        let mut table = Table::new(&[
            ("PID", Align::Right),
            ("IMAGE", Align::Left),
            ("COMMAND LINE", Align::Left),
        ]);
        table.row([
            "4",
            "a name of some length",
            "a line that is longer than twenty characters",
        ]);
        assert_eq!(
            shown(&table, Some(30)),
            "PID  COMMAND LINE\n  4  a line that is longer\n     than twenty characters"
        );
    }

    #[test]
    fn what_was_asked_for_by_name_stays_on_a_narrow_terminal_and_without_a_value() {
        assert_eq!(
            shown(&table().whole(), Some(20)),
            " PID  USER  COMMAND LINE\n   4  -     one two three four\n1234  -     \\u{1b}[2J"
        );
    }

    #[test]
    fn on_a_terminal_empty_columns_go_and_the_last_one_wraps() {
        assert_eq!(
            shown(&table(), Some(20)),
            " PID  COMMAND LINE\n   4  one two three\n      four\n1234  \\u{1b}[2J"
        );
    }
}
