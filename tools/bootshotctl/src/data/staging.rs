//! A data set in the making: what is written stands aside until all of it is there.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The folder in the data set's where it is made. Its name begins with a dot, so that DuckDB and Spark do not look into it.
const ASIDE: &str = ".unfinished";

/// Held open and locked by who writes, so that what is left of somebody who was stopped can be told and taken away.
const LOCK: &str = "lock";

/// Where a data set is made.
pub struct Staging {
    directory: PathBuf,
    /// Gone with the value, as the lock is.
    aside: PathBuf,
    lock: Option<File>,
}

impl Staging {
    /// Prepares `directory`, which need not exist. Unless something is to be added to it, it has to be empty.
    pub fn new(directory: &Path, append: bool) -> Result<Self, Error> {
        let failed = |error: io::Error| unwritable(directory, &error);
        fs::create_dir_all(directory).map_err(failed)?;
        let aside = directory.join(ASIDE);
        for entry in fs::read_dir(directory).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            if !append && name != ASIDE {
                return Err(Error::failed(format!(
                    "will not write into {}: it is not empty",
                    directory.display()
                ))
                .advise("Name a new directory, or add the snapshots to the data set in it with --append."));
            }
        }
        clear(directory, &aside)?;
        fs::create_dir(&aside).map_err(failed)?;
        let mut staging = Self {
            directory: directory.to_owned(),
            aside,
            lock: None,
        };
        let lock = File::create(staging.aside.join(LOCK)).map_err(failed)?;
        lock.try_lock().map_err(|_| in_use(directory))?;
        staging.lock = Some(lock);
        Ok(staging)
    }

    /// Where a file of the data set is written for now. The folders that it is to be in are made.
    pub fn create(&self, name: &Path) -> Result<PathBuf, Error> {
        let path = self.aside.join("data").join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        }
        Ok(path)
    }

    /// Where a file is written that is no part of the data set.
    pub fn part(&self, name: &str) -> Result<PathBuf, Error> {
        let folder = self.aside.join("parts");
        fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
        Ok(folder.join(name))
    }

    /// Where a file of the data set stands when it is finished.
    pub fn finished(&self, name: &Path) -> PathBuf {
        self.directory.join(name)
    }

    /// Gives the files their names. The one that says which snapshots are in the data set, below `last`, comes last: what
    /// was stopped before can be done again.
    pub fn finish(self, last: impl Fn(&Path) -> bool) -> Result<(), Error> {
        let data = self.aside.join("data");
        let mut files = Vec::new();
        gather(&data, &mut files).map_err(|error| unwritable(&data, &error))?;
        let (late, early): (Vec<_>, Vec<_>) = files
            .iter()
            .filter_map(|path| path.strip_prefix(&data).ok())
            .partition(|name| last(name));
        for name in early.into_iter().chain(late) {
            let to = self.directory.join(name);
            let renamed = to
                .parent()
                .map_or(Ok(()), fs::create_dir_all)
                .and_then(|()| fs::rename(data.join(name), &to));
            renamed.map_err(|error| unwritable(&to, &error))?;
        }
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Windows does not delete what is open. Somebody else's folder stays.
        if self.lock.take().is_some() {
            let _ = fs::remove_dir_all(&self.aside);
        }
    }
}

/// Takes away what somebody who was stopped left.
fn clear(directory: &Path, aside: &Path) -> Result<(), Error> {
    let failed = |error: io::Error| unwritable(directory, &error);
    match File::open(aside.join(LOCK)) {
        Ok(lock) => match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(directory)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    match fs::remove_dir_all(aside) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(error)),
        _ => Ok(()),
    }
}

fn in_use(directory: &Path) -> Error {
    Error::failed(format!(
        "will not write into {}: another export is writing there",
        directory.display()
    ))
    .advise("Wait for its end, or name another directory.")
}

/// All files below a folder.
fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?.collect::<io::Result<Vec<_>>>()?,
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        if entry.file_type()?.is_dir() {
            gather(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// What could not be written.
pub fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::failed(format!("cannot write {}", path.display())).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_in_the_directory_before_everything_is() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("new");
        let staging = Staging::new(&directory, false).unwrap();
        for name in ["b/2", "a"] {
            fs::write(staging.create(Path::new(name)).unwrap(), name).unwrap();
        }
        let visible = || -> Vec<_> {
            let entries = fs::read_dir(&directory).unwrap();
            entries.map(|entry| entry.unwrap().file_name()).collect()
        };
        assert_eq!(visible(), [ASIDE]);
        staging.finish(|name| name == Path::new("a")).unwrap();
        assert_eq!(fs::read_to_string(directory.join("b/2")).unwrap(), "b/2");
        assert_eq!(visible().len(), 2);
    }

    #[test]
    fn what_was_not_finished_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::new(folder.path(), false).unwrap();
        fs::write(staging.create(Path::new("a")).unwrap(), "a").unwrap();
        drop(staging);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_somebody_who_was_stopped_left_is_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join(ASIDE).join("data")).unwrap();
        fs::write(folder.path().join(ASIDE).join(LOCK), "").unwrap();
        Staging::new(folder.path(), false)
            .unwrap()
            .finish(|_| false)
            .unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn two_do_not_write_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let first = Staging::new(folder.path(), false).unwrap();
        let error = Staging::new(folder.path(), false).err().unwrap();
        assert!(error.to_string().contains("another export"), "{error}");
        drop(first);
        Staging::new(folder.path(), false).unwrap();
    }

    #[test]
    fn a_directory_with_something_in_it_is_added_to_only_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("other"), "").unwrap();
        let error = Staging::new(folder.path(), false).err().unwrap();
        assert!(error.to_string().contains("not empty"), "{error}");
        Staging::new(folder.path(), true).unwrap();
    }
}
