//! Entries with `once` whose capture is there: they do nothing more, and go.
//!
//! The executable takes its own entry out where it can. That early, registry writes may be lost, so the file `done` is
//! the authority, and this program makes sure.

use crate::entry::Entry;
use crate::error::Error;
use crate::lists::{Current, List};
use crate::nt_path;
use crate::snapshots::Directory;
use crate::system::System;

/// The word that asks for one capture only.
pub const WORD: &str = "once";

/// Takes the entries that are finished out of the lists. Gives those that went.
pub fn take_out_finished(
    system: &dyn System,
    lists: &[Current],
) -> Result<Vec<(List, Entry)>, Error> {
    let mut gone = Vec::new();
    for current in lists {
        let mut finished = Vec::new();
        for entry in current.ours() {
            if is_finished(system, entry)? {
                finished.push(entry.clone());
            }
        }
        let Some(change) = current.without(|entry| finished.contains(entry)) else {
            continue;
        };
        if !change.is_in_the_way_of_servicing() {
            change.apply(system)?;
            gone.extend(finished.into_iter().map(|entry| (current.list, entry)));
        }
    }
    Ok(gone)
}

fn is_finished(system: &dyn System, entry: &Entry) -> Result<bool, Error> {
    if !entry.has_word(WORD) {
        return Ok(false);
    }
    let directory = entry
        .argument("dir")
        .unwrap_or(nt_path::DEFAULT_DIRECTORY.into());
    let directory = Directory::new(system.locate(&directory)?);
    directory.has(&directory.done())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::system::tests::FakeSystem;

    fn done(system: &FakeSystem) {
        let directory = Directory::of(system).unwrap();
        fs::create_dir_all(directory.path()).unwrap();
        fs::write(directory.done(), b"").unwrap();
    }

    fn gone(system: &FakeSystem) -> Vec<(List, Entry)> {
        let lists = Current::read_all(system).unwrap();
        take_out_finished(system, &lists).unwrap()
    }

    #[test]
    fn nothing_but_finished_entries_goes() {
        let system = FakeSystem::default();
        let entries = ["a once", "bootshot ONCE", "bootshot keep=2", "b"];
        system.plant(List::BootExecute, &entries);
        assert_eq!(gone(&system), []);
        assert_eq!(system.list(List::BootExecute), entries);

        done(&system);
        assert_eq!(
            gone(&system),
            [(List::BootExecute, Entry::from("bootshot ONCE"))]
        );
        assert_eq!(
            system.list(List::BootExecute),
            ["a once", "bootshot keep=2", "b"]
        );
        assert_eq!(gone(&system), []);
    }

    #[test]
    fn each_entry_has_its_own_directory() {
        let system = FakeSystem::default();
        done(&system);
        system.plant(
            List::SetupExecute,
            &["bootshot once dir=\\SystemRoot\\other", "bootshot once"],
        );
        gone(&system);
        assert_eq!(
            system.list(List::SetupExecute),
            ["bootshot once dir=\\SystemRoot\\other"]
        );
    }

    #[test]
    fn a_setup_list_that_servicing_uses_is_left_alone() {
        let system = FakeSystem::default();
        done(&system);
        system.plant(List::SetupExecute, &["poqexec x", "bootshot once"]);
        assert_eq!(gone(&system), []);
        assert_eq!(
            system.list(List::SetupExecute),
            ["poqexec x", "bootshot once"]
        );
    }
}
