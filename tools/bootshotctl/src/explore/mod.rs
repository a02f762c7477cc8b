//! The terminal explorer, in three layers: what is known ([`book`], [`tables`]), what keys make of it ([`explorer`],
//! [`list`]), and how it gets to a person ([`draw`], [`terminal`]).

mod book;
mod draw;
mod explorer;
mod keys;
mod list;
mod matching;
#[cfg(unix)]
mod signals;
mod table;
mod tables;
mod terminal;
mod value;
mod view;

#[cfg(test)]
mod tests;

use std::io;

use bootshot_reader::Snapshot;

pub use terminal::is_terminal;

/// Shows a snapshot until the person leaves.
pub fn run(file: String, snapshot: &Snapshot<'_>, colours: bool) -> io::Result<()> {
    let explorer = explorer::Explorer::new(book::Book::read(file, snapshot));
    terminal::run(explorer, &draw::Look::new(colours))
}
