//! The object namespace: all of `\`, each object of a type that is harmless to open opened with query rights and kept.

use super::Capture;
use super::objects::NAME;
use super::query::Ask;
use crate::nt::access::READ_CONTROL;
use crate::nt::{Handle, Kernel, Region, Status};
use crate::text;
use crate::utf16;
use bootshot_format::{Family, ObjectKind, Outcome, Sink, Source};

/// `DIRECTORY_QUERY`, `SYMBOLIC_LINK_QUERY`, `EVENT_QUERY_STATE` and so on. Keyed events have no such right: theirs is
/// `KEYEDEVENT_WAIT`, which is not made use of.
const QUERY: u32 = 1;
const JOB_OBJECT_QUERY: u32 = 4;

/// The target of a symbolic link, which has no classes.
const TARGET: Ask = Ask::new(Source::SYMBOLIC_LINK, 0);

/// Types that are opened, each only as itself, in the order of their [`ObjectKind`]. Never devices, files, drivers, ports
/// or keys: opening those does something.
const TYPES: &str =
    "Directory SymbolicLink Event Mutant Semaphore Section Timer Job KeyedEvent IoCompletion";

// The first of them, and the last.
const _: () = assert!(ObjectKind::DIRECTORY.0 == 1 && ObjectKind::IO_COMPLETION.0 == 10);

/// Directories below each other that are listed. One that lists itself ends here.
const MAXIMUM_DEPTH: u32 = 32;
/// Objects kept open at once.
const MAXIMUM_OBJECTS: usize = 1 << 18;

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    pub(super) fn namespace(&mut self) {
        self.begin_batch(Family::NAMESPACE);
        self.walk();
        // Our own job, which needs no handle.
        self.call.handle = Handle::NONE;
        self.subject = [0; 2];
        self.job();
        self.end_batch();
    }

    /// Goes through the kept directories breadth-first, which adds those they list to them.
    fn walk(&mut self) {
        let mut path = utf16!("\\").as_slice();
        let mut listing = Region::empty(self.kernel);
        self.open(ObjectKind::DIRECTORY, Handle::NONE, path, 0);
        let (mut run, mut level, mut depth) = (0, 1, 0);
        while let Some((directory, is_directory)) = self.kept.run(run) {
            if run == level {
                level = self.kept.runs();
                depth += 1;
            }
            run += 1;
            if !is_directory {
                continue;
            }
            if depth == MAXIMUM_DEPTH {
                self.outcome = Outcome::TRUNCATED;
            } else {
                self.list(directory, path, directory.0 as u64, &mut listing, true);
            }
            if self.outcome != Outcome::COMPLETE {
                return;
            }
            path = &[];
        }
    }

    /// Opens and asks what a directory lists.
    pub(super) fn entry(&mut self, directory: Handle, entry: u64, name: &[u16], type_name: &[u16]) {
        if self.kept.count() >= MAXIMUM_OBJECTS {
            self.outcome = Outcome::TRUNCATED;
        }
        let (true, Some(place)) = (
            self.outcome == Outcome::COMPLETE && self.goes_on(),
            text::place_in(type_name, TYPES),
        ) else {
            return;
        };
        let kind = ObjectKind(ObjectKind::DIRECTORY.0 + place);
        let is_open = self.open(kind, directory, name, entry);
        if kind == ObjectKind::JOB && is_open {
            self.job();
        }
        if kind == ObjectKind::SYMBOLIC_LINK {
            if is_open {
                self.items(&[TARGET]);
                if self.asked.length != 0 {
                    return;
                }
            }
            // Without a target it may be a dynamic link. Opening it as a file would reach drivers.
            if self.open(ObjectKind::EVENT, directory, name, entry)
                || self.open(ObjectKind::SECTION, directory, name, entry)
            {
                self.items(&[NAME]);
            }
        }
    }

    /// Opens an object by its name and records what came of it.
    fn open(&mut self, kind: ObjectKind, directory: Handle, name: &[u16], entry: u64) -> bool {
        let kernel = self.kernel;
        let query = match kind {
            ObjectKind::JOB => JOB_OBJECT_QUERY,
            _ => QUERY,
        };
        let mut opened = kernel.open(kind, directory, name, query | READ_CONTROL);
        if opened == Err(Status::ACCESS_DENIED) {
            opened = kernel.open(kind, directory, name, query);
        }
        self.object(kind, opened, entry);
        opened.is_ok() && self.call.handle != Handle::NONE
    }
}
