//! What the commands that read a snapshot share: finding it, opening it, and saying what was wrong with it.

use std::fs;
use std::io::{self, Read};
use std::ops::Deref;
use std::path::{Path, PathBuf};

use bootshot_format::Header;
use bootshot_reader::{Completeness, Condition, Problem, ReadError, Snapshot};
use memmap2::Mmap;
use serde::Serialize;

use crate::error::{Error, Outcome};
use crate::no_snapshot;
use crate::output;
use crate::snapshots::Directory;
use crate::system;

/// Problems that are shown one by one; more of them are counted.
const SHOWN_PROBLEMS: usize = 20;

/// Which snapshot, and how it is shown.
#[derive(clap::Args)]
pub struct Input {
    /// The snapshot, or a directory for the newest in it; without it, the newest of this system (Windows)
    file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl Input {
    /// Reads the file.
    pub fn open(&self) -> Result<File, Error> {
        open(self.file.as_deref())
    }

    /// Prints `value` as JSON, or what `text` makes of it.
    pub fn show<T: Serialize + ?Sized>(
        &self,
        value: &T,
        text: impl FnOnce(&T) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.json {
            output::json(&value)
        } else {
            text(value)
        }
    }
}

/// Reads a snapshot: this one, the newest in this directory, or without either the newest of this system.
pub fn open(file: Option<&Path>) -> Result<File, Error> {
    let path = match file {
        Some(path) if path.is_dir() => newest(&Directory::new(path.to_owned()))?,
        Some(path) => path.to_owned(),
        None => newest(&default_directory("find the newest snapshot")?)?,
    };
    let bytes = Bytes::of(&path).map_err(|error| unreadable(&path, &error))?;
    Ok(File { path, bytes })
}

/// The directory bootshot writes to on this system.
pub fn default_directory(doing: &str) -> Result<Directory, Error> {
    let no_default =
        |error: Error| error.advise("Name the snapshot, or a directory with snapshots.");
    Directory::of(&*system::this(doing).map_err(no_default)?)
}

fn newest(directory: &Directory) -> Result<PathBuf, Error> {
    match directory.snapshots()?.into_iter().next() {
        Some(snapshot) => Ok(snapshot.path),
        None => Err(Error::failed(format!(
            "there is no snapshot in {}",
            directory.path().display()
        ))
        .advise("\"bootshotctl status\" tells whether bootshot is registered and ran.")),
    }
}

pub fn unreadable(path: &Path, error: &io::Error) -> Error {
    let unreadable = Error::failed(format!("cannot read {}", path.display())).because(error);
    if error.kind() == io::ErrorKind::PermissionDenied {
        unreadable.advise(
            "Snapshots are for administrators only: start the command prompt with \"Run as administrator\".",
        )
    } else {
        unreadable
    }
}

/// What a file holds: mapped, so that only what is looked at is read, and no copy is made; read where that is no file that
/// could be mapped, as a pipe is none.
enum Bytes {
    Mapped(Mmap),
    Read(Vec<u8>),
}

impl Bytes {
    #[allow(unsafe_code)]
    fn of(path: &Path) -> io::Result<Self> {
        let file = fs::File::open(path)?;
        // An empty file cannot be mapped everywhere.
        if !file
            .metadata()
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() != 0)
        {
            return Self::read(file);
        }
        // SAFETY: nobody changes a snapshot once it has its name: bootshot writes under another one. Windows refuses to cut
        // short a file that is mapped. Elsewhere, should somebody do so, the system ends this process with SIGBUS when it
        // reads behind the new end; bytes written over are told by their checksums, or read as other bytes of no structure
        // that safety would rest on.
        match unsafe { Mmap::map(&file) } {
            Ok(mapped) => Ok(Self::Mapped(mapped)),
            Err(_) => Self::read(file),
        }
    }

    /// Reads it, to its end if a snapshot begins it: a device may have none.
    fn read(mut file: fs::File) -> io::Result<Self> {
        let mut bytes = Vec::new();
        file.by_ref()
            .take(Header::SIZE as u64)
            .read_to_end(&mut bytes)?;
        if !matches!(Snapshot::parse(&bytes), Err(ReadError::NotASnapshot)) {
            file.read_to_end(&mut bytes)?;
        }
        Ok(Self::Read(bytes))
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(mapped) => mapped,
            Self::Read(read) => read,
        }
    }
}

/// The bytes of a snapshot.
pub struct File {
    path: PathBuf,
    bytes: Bytes,
}

impl File {
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn snapshot(&self) -> Result<Snapshot<'_>, Error> {
        Snapshot::parse(&self.bytes).map_err(|error| {
            let what = format!("cannot read {}", self.path.display());
            match error {
                ReadError::DamagedHeader | ReadError::CutShort { .. } => Error::no(what),
                _ => Error::failed(what),
            }
            .because(error)
            .advise(no_snapshot::advice(&error, &self.bytes))
        })
    }
}

/// Ends a command that read a snapshot: says on standard error what is wrong with the file and what could not be
/// read of what was asked. A damaged file is a "no", an unfinished capture or a question without an answer is not.
pub fn finish(snapshot: &Snapshot<'_>, problems: &[Problem]) -> Outcome {
    if snapshot.completeness() == Completeness::Unfinished {
        output::warn(
            "the file ends before the capture did: what follows its last section is missing; \"bootshotctl salvage\" makes \
             a sound snapshot of what is there",
        );
    }
    let all: Vec<_> = snapshot.problems.iter().chain(problems).collect();
    for problem in all.iter().take(SHOWN_PROBLEMS) {
        output::warn(problem.to_string());
    }
    if let Some(more) = all
        .len()
        .checked_sub(SHOWN_PROBLEMS)
        .filter(|more| *more != 0)
    {
        output::warn(format!("and {more} more of the kind"));
    }
    if is_damaged(snapshot) {
        output::warn(
            "the file is damaged, and only what is whole was read: \"bootshotctl verify\" tells where, \"bootshotctl salvage\" \
             makes a sound snapshot of the rest",
        );
        Outcome::No
    } else {
        Outcome::Done
    }
}

/// Whether bytes of the file are not as they were written.
pub fn is_damaged(snapshot: &Snapshot<'_>) -> bool {
    let damaged = |condition| condition == Condition::Damaged;
    !snapshot.problems.is_empty()
        || snapshot
            .sections
            .iter()
            .any(|section| damaged(section.condition))
}
