//! A new file: whole or not there, and never written over another.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process;

use crate::error::Error;

/// Refuses a place where something is, a link that leads nowhere included.
pub fn require_free(path: &Path) -> Result<(), Error> {
    if path.symlink_metadata().is_ok() {
        return Err(failed(path)
            .because("it exists already")
            .advise("Name another file, or remove this one: nothing is overwritten."));
    }
    Ok(())
}

/// Makes the file with what `fill` writes to it. That goes beside its place first, so that there is never a part of one
/// there.
pub fn write_new<T>(
    path: &Path,
    fill: impl FnOnce(&mut File) -> io::Result<T>,
) -> Result<T, Error> {
    require_free(path)?;
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(format!(".{}.part", process::id()));
    let part = path.with_file_name(name);
    let mut file = File::create_new(&part).map_err(|error| {
        failed(path)
            .because(error)
            .advise("Name a file in a directory that exists and that you may write to.")
    })?;
    let filled = fill(&mut file).and_then(|done| file.sync_all().map(|()| done));
    drop(file);
    // Taking the place fails when somebody else has meanwhile; the rename replaces what was put there then.
    let taken = filled.and_then(|done| File::create_new(path).map(|_| done));
    let placed = taken.and_then(|done| {
        fs::rename(&part, path).map(|()| done).inspect_err(|_| {
            // Empty, and ours.
            let _ = fs::remove_file(path);
        })
    });
    placed.map_err(|error| {
        // What was begun is of no use; if it cannot be removed either, the first error says more.
        let _ = fs::remove_file(&part);
        failed(path).because(error)
    })
}

fn failed(path: &Path) -> Error {
    Error::failed(format!("cannot write {}", path.display()))
}
