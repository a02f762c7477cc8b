//! The directory the executable writes to: its snapshots and its two small files.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use bootshot_format::Header;

use crate::error::Error;
use crate::lists::Current;
use crate::nt_path;
use crate::output;
use crate::system::System;

/// The guard: written before a capture, removed after it. Found again, it says that a capture did not end.
const GUARD: &str = "attempt";

/// The kill switch: while it is there, the executable leaves at once.
pub const KILL_SWITCH: &str = "off";

/// There once the one capture that an entry with `once` asks for is taken: such an entry does nothing more.
const DONE: &str = "done";

const EXTENSION: &str = "bshot";

/// How the names of backups of the registry begin.
const BACKUP: &str = "session-manager-";

/// The directories, as NT paths, that our entries in `lists` write to, and the one for entries that name none.
pub fn directories(lists: &[Current]) -> Vec<String> {
    let mut directories: Vec<String> = lists
        .iter()
        .flat_map(Current::ours)
        .filter_map(|entry| entry.argument("dir"))
        .collect();
    directories.push(nt_path::DEFAULT_DIRECTORY.into());
    directories.sort();
    directories.dedup();
    directories
}

/// The directory, as an NT path, that bootshot as registered in `lists` writes to.
pub fn registered_directory(lists: &[Current]) -> String {
    let mut ours = lists.iter().flat_map(Current::ours);
    ours.find_map(|entry| entry.argument("dir"))
        .unwrap_or(nt_path::DEFAULT_DIRECTORY.into())
}

/// A directory of snapshots.
pub struct Directory {
    path: PathBuf,
}

/// A snapshot file, by its header.
pub struct Snapshot {
    pub path: PathBuf,
    /// None where it cannot be read, or is no sound one.
    pub header: Option<Header>,
}

/// Whether what is found in a directory is a snapshot. By its name, and it has to be a file or lead to one: to open a pipe
/// is to wait for somebody who writes to it.
pub fn is_snapshot(path: &Path) -> bool {
    let extension = path.extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case(EXTENSION)) && path.is_file()
}

impl Directory {
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The directory that bootshot as registered on `system` writes to.
    pub fn of(system: &dyn System) -> Result<Self, Error> {
        let path = registered_directory(&Current::read_all(system)?);
        Ok(Self::new(system.locate(&path)?))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn guard(&self) -> PathBuf {
        self.path.join(GUARD)
    }

    pub fn kill_switch(&self) -> PathBuf {
        self.path.join(KILL_SWITCH)
    }

    pub fn done(&self) -> PathBuf {
        self.path.join(DONE)
    }

    /// The snapshot that the file `done` tells of, by its name without extension; empty when it does not say. `None`
    /// when there is no such file.
    pub fn captured_once(&self) -> Result<Option<String>, Error> {
        match fs::read(self.done()) {
            Ok(note) => Ok(Some(String::from_utf8_lossy(&note).trim().to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    /// Refuses a directory with anything in it that is not of bootshot: it is going to be closed to everybody else.
    pub fn require_own(&self) -> Result<(), Error> {
        let refusal = |cause: &str| {
            Error::failed(format!("will not use {}", self.path.display()))
                .because(cause)
                .advise("It would be closed to everybody but SYSTEM and Administrators. Name a directory of its own.")
        };
        if self.path.file_name().is_none() {
            return Err(refusal("it is a whole volume"));
        }
        let files = match fs::read_dir(&self.path) {
            Ok(files) => files,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.unreadable(&error)),
        };
        for file in files {
            let name = file.map_err(|error| self.unreadable(&error))?.file_name();
            if !is_own(&name.to_string_lossy().to_ascii_lowercase()) {
                return Err(refusal(&format!(
                    "there is something else in it ({})",
                    name.display()
                )));
            }
        }
        Ok(())
    }

    /// Whether `file` exists; an error when the directory does not let us look.
    pub fn has(&self, file: &Path) -> Result<bool, Error> {
        file.try_exists().map_err(|error| self.unreadable(&error))
    }

    /// The snapshots in it, the newest (by sequence number, since the clock can be wrong that early) first, those without
    /// a readable header last. A directory that does not exist has none.
    pub fn snapshots(&self) -> Result<Vec<Snapshot>, Error> {
        let files = match fs::read_dir(&self.path) {
            Ok(files) => files,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
            Err(error) => return Err(self.unreadable(&error)),
        };
        let mut snapshots = Vec::new();
        for file in files {
            let path = file.map_err(|error| self.unreadable(&error))?.path();
            if is_snapshot(&path) {
                snapshots.push(Snapshot::read(path));
            }
        }
        snapshots.sort_by_key(|snapshot| {
            std::cmp::Reverse(snapshot.header.as_ref().map(|header| header.sequence))
        });
        Ok(snapshots)
    }

    /// Writes a backup of registry values to a new `.reg` file, with the lowest number that is free.
    pub fn write_backup(&self, contents: &[u8]) -> Result<PathBuf, Error> {
        for number in 1..=9999 {
            let path = self.path.join(format!("{BACKUP}{number:04}.reg"));
            let written = File::create_new(&path).and_then(|mut file| {
                file.write_all(contents)?;
                file.sync_all()
            });
            match written {
                Ok(()) => return Ok(path),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(
                        Error::failed(format!("cannot write {}", path.display())).because(error)
                    );
                }
            }
        }
        Err(
            Error::failed(format!("cannot keep a backup in {}", self.path.display()))
                .because("there are 9999 of them already")
                .advise("Move the old ones away."),
        )
    }

    fn unreadable(&self, error: &io::Error) -> Error {
        let unreadable =
            Error::failed(format!("cannot look into {}", self.path.display())).because(error);
        match error.kind() {
            ErrorKind::PermissionDenied => unreadable
                .advise("Snapshots are for administrators only: start the command prompt with \"Run as administrator\"."),
            _ => unreadable,
        }
    }
}

/// Whether the executable, this program or its manual give such names, in lower case, in the directory.
fn is_own(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    matches!(name, GUARD | KILL_SWITCH | DONE)
        || matches!(extension, Some(EXTENSION | "tmp"))
        || name.starts_with("sequence-")
        || name.starts_with(BACKUP)
}

impl Snapshot {
    fn read(path: PathBuf) -> Self {
        let mut start = Vec::with_capacity(Header::SIZE);
        let read = File::open(&path)
            .and_then(|file| file.take(Header::SIZE as u64).read_to_end(&mut start));
        if let Err(error) = &read {
            output::warn(format!("cannot read {}: {error}", path.display()));
        }
        let header = read.ok().and_then(|_| Header::open(&start).ok());
        Self { path, header }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A snapshot that ends behind its header.
    pub fn header(fill_in: impl FnOnce(&mut Header)) -> [u8; Header::SIZE] {
        let mut header = Header::decode(&[0; Header::SIZE]);
        header.pointer_width = 8;
        fill_in(&mut header);
        header.seal()
    }

    #[test]
    fn the_newest_is_the_one_with_the_highest_sequence_number() {
        let folder = tempfile::tempdir().unwrap();
        for (name, sequence) in [("b", 7), ("a", 12), ("c", 9)] {
            let header = header(|header| header.sequence = sequence);
            fs::write(folder.path().join(name).with_extension(EXTENSION), header).unwrap();
        }
        fs::write(folder.path().join("damaged.bshot"), b"BSHOT").unwrap();
        fs::write(folder.path().join("attempt"), b"").unwrap();

        let snapshots = Directory::new(folder.path().into()).snapshots().unwrap();
        let sequences: Vec<_> = snapshots
            .iter()
            .map(|snapshot| snapshot.header.as_ref().map(|header| header.sequence))
            .collect();
        assert_eq!(sequences, [Some(12), Some(9), Some(7), None]);
    }

    #[test]
    fn a_directory_that_does_not_exist_has_no_snapshots() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::new(folder.path().join("none"));
        assert!(directory.snapshots().unwrap().is_empty());
        assert!(!directory.has(&directory.guard()).unwrap());
    }

    #[test]
    fn a_directory_that_others_use_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::new(folder.path().into());
        for own in [
            "1.bshot",
            "1.tmp",
            "attempt",
            "off",
            "done",
            "sequence-00000001",
            "session-manager-0001.reg",
        ] {
            fs::write(folder.path().join(own), b"").unwrap();
        }
        directory.require_own().unwrap();
        fs::write(folder.path().join("letter.txt"), b"").unwrap();
        assert!(
            directory
                .require_own()
                .unwrap_err()
                .to_string()
                .contains("letter.txt")
        );
        assert!(Directory::new("/".into()).require_own().is_err());
        Directory::new(folder.path().join("none"))
            .require_own()
            .unwrap();
    }

    #[test]
    fn a_backup_is_never_written_over_another() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::new(folder.path().into());
        let first = directory.write_backup(b"1").unwrap();
        let second = directory.write_backup(b"2").unwrap();
        assert_eq!(first.file_name().unwrap(), "session-manager-0001.reg");
        assert_eq!(second.file_name().unwrap(), "session-manager-0002.reg");
        assert_eq!(fs::read(first).unwrap(), b"1");
    }
}
