//! The object namespace: all of `\`, each object of a type that is harmless to open opened with query rights and kept.

use super::objects::{JOB, OBJECT, TARGET};
use super::{Capture, Stop};
use crate::nt::{Handle, Kernel, Owned, Region, Status};
use crate::{text, utf16};
use bootshot_format::{Family, ObjectKind, Outcome, Sink, Source, entry_of};

const READ_CONTROL: u32 = 0x2_0000;
/// `DIRECTORY_QUERY`, `SYMBOLIC_LINK_QUERY`, `EVENT_QUERY_STATE` and so on. Keyed events have no such right: theirs is
/// `KEYEDEVENT_WAIT`, which is not made use of.
const QUERY: u32 = 1;
const JOB_OBJECT_QUERY: u32 = 4;

/// Types that are opened, each only as itself. Never devices, files, drivers, ports or keys: opening those does something.
const KINDS: [(&str, ObjectKind); 10] = [
    ("Directory", ObjectKind::DIRECTORY),
    ("SymbolicLink", ObjectKind::SYMBOLIC_LINK),
    ("Event", ObjectKind::EVENT),
    ("Mutant", ObjectKind::MUTANT),
    ("Semaphore", ObjectKind::SEMAPHORE),
    ("Section", ObjectKind::SECTION),
    ("Timer", ObjectKind::TIMER),
    ("Job", ObjectKind::JOB),
    ("KeyedEvent", ObjectKind::KEYED_EVENT),
    ("IoCompletion", ObjectKind::IO_COMPLETION),
];

/// Directories below each other that are listed. One that lists itself ends here.
const MAXIMUM_DEPTH: u32 = 32;
/// Objects kept open at once.
const MAXIMUM_OBJECTS: usize = 1 << 18;

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    pub(super) fn namespace(&mut self) -> Result<(), Stop> {
        self.begin_batch(Family::NAMESPACE)?;
        let complete = self.walk()?;
        // Our own job, which needs no handle.
        self.ask_handle(Source::JOB_INFORMATION, JOB, Handle::NONE, 0)?;
        self.end_batch_as(match complete {
            true => Outcome::COMPLETE,
            false => Outcome::TRUNCATED,
        })
    }

    /// Goes through the kept directories breadth-first, which adds those they list to them.
    fn walk(&mut self) -> Result<bool, Stop> {
        let root = utf16!("\\");
        let mut listing = Region::empty(self.kernel);
        let mut place = self.kept.count();
        if self
            .opened(ObjectKind::DIRECTORY, Handle::NONE, root, 0)?
            .is_none()
        {
            return Ok(true);
        }
        let (mut path, mut level, mut depth): (&[u16], _, _) = (root, place + 1, 0);
        while let Some((directory, is_directory)) = self.kept.at(place) {
            if place == level {
                level = self.kept.count();
                depth += 1;
            }
            place += 1;
            if !is_directory {
                continue;
            }
            let reference = directory.0 as u64;
            if depth == MAXIMUM_DEPTH
                || !self.list(
                    directory,
                    path,
                    reference,
                    &mut listing,
                    &mut |capture, number, [name, type_name]| {
                        let entry = entry_of(reference, number);
                        capture.entry(directory, entry, name, type_name)
                    },
                )?
            {
                return Ok(false);
            }
            path = &[];
        }
        Ok(true)
    }

    /// Opens and asks what a directory lists; `false` when that was as much as may be.
    fn entry(
        &mut self,
        directory: Handle,
        entry: u64,
        name: &[u16],
        type_name: &[u16],
    ) -> Result<bool, Stop> {
        if self.kept.count() >= MAXIMUM_OBJECTS || !(self.may_go_on)() {
            return Ok(false);
        }
        let Some((_, kind)) = KINDS.iter().find(|(known, _)| text::is(type_name, known)) else {
            return Ok(true);
        };
        let opened = self.opened(*kind, directory, name, entry)?;
        match (*kind, opened) {
            (ObjectKind::JOB, Some(job)) => {
                self.ask_handle(Source::JOB_INFORMATION, JOB, job, job.0 as u64)?;
            }
            (ObjectKind::SYMBOLIC_LINK, link) => {
                let target = match link {
                    Some(link) => {
                        let link_reference = link.0 as u64;
                        self.ask_handle(Source::SYMBOLIC_LINK, TARGET, link, link_reference)?
                            .length
                    }
                    None => 0,
                };
                // Without a target it may be a dynamic link. Opening it as a file would reach drivers.
                if target == 0 {
                    for kind in [ObjectKind::EVENT, ObjectKind::SECTION] {
                        if let Some(behind) = self.opened(kind, directory, name, entry)? {
                            let reference = behind.0 as u64;
                            self.ask_handle(
                                Source::OBJECT_INFORMATION,
                                &OBJECT[1..],
                                behind,
                                reference,
                            )?;
                            break;
                        }
                    }
                }
            }
            _ => {}
        }
        Ok(true)
    }

    /// Opens an object by its name and records what came of it.
    fn opened(
        &mut self,
        kind: ObjectKind,
        directory: Handle,
        name: &[u16],
        entry: u64,
    ) -> Result<Option<Handle>, Stop> {
        let kernel = self.kernel;
        let query = match kind {
            ObjectKind::JOB => JOB_OBJECT_QUERY,
            _ => QUERY,
        };
        let open = |access| kernel.open(kind, directory, name, access);
        let opened = match open(query | READ_CONTROL) {
            Err(Status::ACCESS_DENIED) => open(query),
            opened => opened,
        };
        self.object(kind, opened.map(|handle| Owned::new(kernel, handle)), entry)
    }
}
