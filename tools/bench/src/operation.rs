//! Single operations of the reader, for counting their instructions: each over a snapshot in memory, small enough for one
//! thread.

use std::hint::black_box;

use bootshot_format::xxh64;
use bootshot_reader::tables::{Column, HANDLES};
use bootshot_reader::{Snapshot, diff};

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Operation {
    /// The checksum of the whole file.
    Checksum,
    /// Taking the file apart, checksums included.
    Parse,
    /// Parsing, and what `bootshotctl summary` shows.
    Summary,
    /// Parsing, and what `bootshotctl handles --by-type` shows.
    HandlesByType,
    /// Parsing, and what `bootshotctl zombies` shows.
    Zombies,
    /// Parsing, and what `bootshotctl types` shows.
    Types,
    /// Parsing, and comparing the snapshot with itself as `bootshotctl diff` does.
    Diff,
    /// Parsing, and the column of types of all handles, as `bootshotctl sql` reads it.
    Column,
}

/// Runs an operation; callgrind is told to count in here only.
///
/// # Errors
///
/// One sentence, when the file is no snapshot.
#[inline(never)]
pub fn measured(operation: Operation, file: &[u8]) -> Result<(), String> {
    let parse = || Snapshot::parse(file).map_err(|error| error.to_string());
    match operation {
        Operation::Checksum => {
            black_box(xxh64(file));
        }
        Operation::Parse => {
            black_box(parse()?);
        }
        Operation::Summary => {
            black_box(parse()?.overview());
        }
        Operation::HandlesByType => {
            black_box(parse()?.handles_by_type(|_, _| true));
        }
        Operation::Zombies => {
            black_box(parse()?.zombies());
        }
        Operation::Types => {
            black_box(parse()?.types());
        }
        Operation::Diff => {
            let snapshot = parse()?;
            black_box(diff::compare(
                &snapshot,
                &snapshot,
                &diff::Options::default(),
            ));
        }
        Operation::Column => {
            let snapshot = parse()?;
            let is_wanted = |column: &Column| column.name == "type";
            HANDLES.read_columns(&snapshot, &is_wanted, &mut |row| {
                black_box(row);
            });
        }
    }
    Ok(())
}
