//! Which snapshots: files, and what lies below directories.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use bootshot_format::Header;
use bootshot_reader::{Problem, Snapshot};

use crate::data::findings::Findings;
use crate::error::Error;
use crate::reading;
use crate::snapshots::is_snapshot;

/// A snapshot's file.
pub struct Source {
    pub path: PathBuf,
    /// Whether it was named itself, or found below a directory that was.
    pub named: bool,
    /// The snapshot's id; none where the file has no sound header.
    pub id: Option<String>,
    /// What a pipe gave: it gives it once.
    stream: Option<reading::File>,
}

impl Source {
    fn new(path: PathBuf, named: bool) -> Self {
        let id = fs::File::open(&path).ok().and_then(snapshot_id);
        Self {
            path,
            named,
            id,
            stream: None,
        }
    }

    /// One that can be read only once, and is.
    fn stream(path: &Path) -> Result<Self, Error> {
        let stream = reading::open(Some(path))?;
        Ok(Self {
            path: path.to_owned(),
            named: true,
            id: snapshot_id(stream.bytes()),
            stream: Some(stream),
        })
    }

    /// Reads the snapshot and lets `work` have it, which says what it could not read. One that cannot be read at all is
    /// an error when it was named itself; of a directory's it is left out, and `None` comes back.
    pub fn read<T>(
        &self,
        findings: &mut Findings,
        work: impl FnOnce(&Snapshot<'_>) -> Result<(T, Vec<Problem>), Error>,
    ) -> Result<Option<T>, Error> {
        let unusable = |error: Error, findings: &mut Findings| match self.named {
            true => Err(error),
            false => {
                findings.skip(&error.reason());
                Ok(None)
            }
        };
        let opened;
        let file = match &self.stream {
            Some(stream) => stream,
            None => match reading::open(Some(&self.path)) {
                Ok(file) => {
                    opened = file;
                    &opened
                }
                Err(error) => return unusable(error, findings),
            },
        };
        let snapshot = match file.snapshot() {
            Ok(snapshot) => snapshot,
            Err(error) => return unusable(error, findings),
        };
        let (done, problems) = work(&snapshot)?;
        findings.add(&self.path, &snapshot, &problems);
        Ok(Some(done))
    }
}

/// The files in the order in which they were named, those of a directory by their names. Without any, the newest of
/// this system.
///
/// # Errors
///
/// When there is nothing of such a name, a directory has none, or two are the same snapshot.
pub fn find(names: &[PathBuf]) -> Result<Vec<Source>, Error> {
    let mut sources = Vec::new();
    for name in names {
        let kind = fs::metadata(name).map_err(|error| reading::unreadable(name, &error))?;
        if kind.is_file() {
            sources.push(Source::new(name.clone(), true));
            continue;
        }
        if !kind.is_dir() {
            sources.push(Source::stream(name)?);
            continue;
        }
        let before = sources.len();
        below(name, &mut sources)?;
        if sources.len() == before {
            return Err(Error::failed(format!(
                "there is no snapshot in {} or below it",
                name.display()
            ))
            .advise("The names of snapshots end with .bshot."));
        }
    }
    if names.is_empty() {
        let newest = reading::open(None)?;
        sources.push(Source::new(newest.path().to_owned(), true));
    }
    require_different(&sources)?;
    Ok(sources)
}

/// The snapshots in a directory and below it. Links to other directories are not followed: they may lead in circles.
fn below(directory: &Path, sources: &mut Vec<Source>) -> Result<(), Error> {
    let unreadable = |error| reading::unreadable(directory, &error);
    let mut entries = fs::read_dir(directory)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unreadable)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_type().map_err(unreadable)?.is_dir() {
            below(&path, sources)?;
        } else if is_snapshot(&path) {
            sources.push(Source::new(path, false));
        }
    }
    Ok(())
}

/// Rows are told apart by the ids of their snapshots.
fn require_different(sources: &[Source]) -> Result<(), Error> {
    let mut seen: BTreeMap<&str, &Path> = BTreeMap::new();
    for Source { path, id, .. } in sources {
        let Some(id) = id else {
            continue;
        };
        if let Some(other) = seen.insert(id, path) {
            return Err(Error::usage(format!(
                "{} and {} are the same snapshot",
                other.display(),
                path.display()
            ))
            .advise("Name one of them: they have the same id, by which rows are told apart."));
        }
    }
    Ok(())
}

/// The id in a file's header; none where it has no sound one, which is told when it is read.
fn snapshot_id(file: impl Read) -> Option<String> {
    let mut start = Vec::with_capacity(Header::SIZE);
    file.take(Header::SIZE as u64)
        .read_to_end(&mut start)
        .ok()?;
    let id = Header::open(&start).ok()?.snapshot_id;
    Some(id.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshots::tests::header;

    #[test]
    fn snapshots_of_all_folders_below_a_directory_are_found() {
        let folder = tempfile::tempdir().unwrap();
        for (place, name) in ["b/1.bshot", "a/deep/2.bshot", "a/3.bshot", "a/4.txt"]
            .iter()
            .enumerate()
        {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let bytes = header(|header| header.snapshot_id[0] = u8::try_from(place).unwrap());
            fs::write(path, bytes).unwrap();
        }
        let found = find(&[folder.path().to_owned()]).unwrap();
        let names: Vec<_> = found
            .iter()
            .map(|source| source.path.strip_prefix(folder.path()).unwrap())
            .collect();
        let expected: Vec<PathBuf> = [
            ["a", "3.bshot"].iter().collect(),
            ["a", "deep", "2.bshot"].iter().collect(),
            ["b", "1.bshot"].iter().collect(),
        ]
        .to_vec();
        assert_eq!(names, expected);
        assert!(found.iter().all(|source| !source.named));
    }

    #[test]
    fn the_same_snapshot_twice_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["one.bshot", "two.bshot"].map(|name| folder.path().join(name));
        for path in &paths {
            fs::write(path, header(|header| header.snapshot_id = [7; 16])).unwrap();
        }
        let error = find(&paths).err().unwrap().to_string();
        assert!(error.contains("are the same snapshot"), "{error}");
        assert!(error.contains("one.bshot") && error.contains("two.bshot"));
    }

    #[test]
    fn a_directory_without_snapshots_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let error = find(&[folder.path().to_owned()]).err().unwrap();
        assert!(error.to_string().contains("there is no snapshot in"));
    }
}
