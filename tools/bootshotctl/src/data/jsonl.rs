//! Tables as JSON Lines: an object in each line, with the moment of its snapshot, as log systems take them.

use std::io::{self, BufRead, Write};

use bootshot_reader::tables::{Cell, Table};
use serde::Deserialize;

use crate::data::identity::Identity;

/// The moment of lines whose snapshot knows none: log systems refuse a line without one.
const NO_MOMENT: &str = "1970-01-01T00:00:00.0000000Z";

/// Writes the rows of one table of one snapshot.
pub struct Writer<W: Write> {
    to: W,
    /// What each line begins with, up to the first column.
    start: String,
    /// The keys of the columns with what stands around them; none for one that each line begins with.
    keys: Vec<Option<String>>,
}

impl<W: Write> Writer<W> {
    pub fn new(to: W, table: &Table, identity: &Identity) -> Self {
        let time = identity
            .time
            .map_or_else(|| NO_MOMENT.to_owned(), |time| time.to_string());
        let envelope = [
            ("time", Some(time.as_str())),
            (
                "host",
                Some(identity.host.as_str()).filter(|host| !host.is_empty()),
            ),
            ("boot", Some(identity.boot.as_str())),
            ("snapshot_id", Some(identity.id.as_str())),
            ("phase", Some(identity.phase)),
            ("table", Some(table.name)),
        ];
        let members = envelope.map(|(key, value)| {
            let value = value.map_or(serde_json::Value::Null, Into::into);
            format!("\"{key}\":{value}")
        });
        // The summary has the phase itself.
        let in_envelope = |name: &str| envelope.iter().any(|(key, _)| *key == name);
        Self {
            to,
            start: format!("{{{}", members.join(",")),
            keys: table
                .columns
                .iter()
                .map(|column| (!in_envelope(column.name)).then(|| format!(",\"{}\":", column.name)))
                .collect(),
        }
    }

    pub fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        self.to.write_all(self.start.as_bytes())?;
        for (key, cell) in self.keys.iter().zip(cells) {
            let Some(key) = key else {
                continue;
            };
            self.to.write_all(key.as_bytes())?;
            match cell {
                Cell::Null => self.to.write_all(b"null")?,
                Cell::Boolean(value) => write!(self.to, "{value}")?,
                Cell::Integer(number) => write!(self.to, "{number}")?,
                Cell::TooLarge(number) => write!(self.to, "{number}")?,
                Cell::Text(text) => serde_json::to_writer(&mut self.to, text)?,
                // It is JSON already.
                Cell::List(list) => self.to.write_all(list.as_bytes())?,
            }
        }
        self.to.write_all(b"}\n")
    }
}

/// What tells of which snapshot a line is.
#[derive(Deserialize)]
struct Line {
    snapshot_id: String,
}

/// The ids of the snapshots whose rows a file has.
pub fn snapshot_ids(file: impl BufRead) -> io::Result<Vec<String>> {
    file.lines()
        .map(|line| Ok(serde_json::from_str::<Line>(&line?)?.snapshot_id))
        .collect()
}

/// Copies the lines of the snapshots whose ids are `wanted`.
pub fn copy(
    from: impl BufRead,
    mut to: impl Write,
    wanted: impl Fn(&[u8]) -> bool,
) -> io::Result<()> {
    for line in from.lines() {
        let line = line?;
        if wanted(serde_json::from_str::<Line>(&line)?.snapshot_id.as_bytes()) {
            writeln!(to, "{line}")?;
        }
    }
    Ok(())
}
