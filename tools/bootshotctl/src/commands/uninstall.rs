//! `uninstall`: takes our entries out of every list, and our image out of System32.

use std::fs;

use crate::commands::install::{describe, installed_image, read_installed};
use crate::error::{Error, Outcome};
use crate::lists::{Current, List};
use crate::nt_path;
use crate::output::{self, Print};
use crate::system::{self, System};

/// Arguments of `uninstall`.
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: &Args) -> Result<Outcome, Error> {
    uninstall(&*system::this("uninstall")?, &mut |text| output::line(text))
}

fn uninstall(system: &dyn System, print: Print<'_>) -> Result<Outcome, Error> {
    system::require_elevation(system, "uninstall")?;
    let installed = read_installed(system)?;

    let lists = Current::read_all(system)?;
    let mut changes = Vec::new();
    for current in &lists {
        changes.extend(current.change(None)?);
    }
    for change in &changes {
        let is_setup = matches!(change.list(), List::SetupExecute);
        if is_setup
            && change
                .former
                .entries()
                .iter()
                .any(|entry| entry.is_servicing())
        {
            return Err(Error::failed("will not uninstall now")
                .because("Windows servicing has its own entry in SetupExecute for the next restart")
                .advise(
                    "Restart, let the update finish, and uninstall then. Nothing was changed.",
                ));
        }
    }
    for problem in lists.iter().filter_map(Current::problem) {
        print(format!("left alone {problem}"))?;
    }
    for change in &changes {
        change.apply(system)?;
        print(describe(change))?;
    }
    let path = installed_image(system);
    if installed.is_some() {
        fs::remove_file(system.reach(&path)).map_err(|error| {
            Error::failed(format!("cannot remove {}", path.display())).because(error)
        })?;
        print(format!("removed    {}", path.display()))?;
    }
    if changes.is_empty() && installed.is_none() {
        print("bootshot was not installed.".into())?;
        return Ok(Outcome::Done);
    }
    let directories = directories(system, &lists);
    print(format!(
        "kept       the snapshots and backups in {directories}"
    ))?;
    Ok(Outcome::Done)
}

/// The directories that our entries wrote to.
fn directories(system: &dyn System, lists: &[Current]) -> String {
    let mut directories: Vec<String> = lists
        .iter()
        .flat_map(Current::ours)
        .map(|entry| {
            entry
                .argument("dir")
                .unwrap_or(nt_path::DEFAULT_DIRECTORY.into())
        })
        .map(|directory| nt_path::to_dos(&directory, system.windows_directory()))
        .collect();
    if directories.is_empty() {
        directories.push(nt_path::to_dos(
            nt_path::DEFAULT_DIRECTORY,
            system.windows_directory(),
        ));
    }
    directories.dedup();
    directories.join(" and ")
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::commands::install::tests::install_with;
    use crate::multi_sz::Value;
    use crate::system::tests::FakeSystem;

    pub fn uninstall_from(system: &FakeSystem) -> Result<String, Error> {
        let mut printed = String::new();
        uninstall(system, &mut |line| {
            printed.push_str(&line);
            printed.push('\n');
            Ok(())
        })?;
        Ok(printed)
    }

    #[test]
    fn the_registry_is_as_before_the_installation() {
        let system = FakeSystem::default();
        system.plant(List::BootExecute, &["autocheck autochk *", "other"]);
        system.plant(List::SetupExecute, &[]);
        let registry = system.registry();
        install_with(&system, &["--phase", "both"]).unwrap();
        install_with(&system, &["--phase", "both", "--no-pnp-sync"]).unwrap();
        uninstall_from(&system).unwrap();
        assert_eq!(system.registry(), registry);
        assert_eq!(read_installed(&system).unwrap(), None);
    }

    #[test]
    fn what_others_added_since_stays() {
        let system = FakeSystem::default();
        install_with(&system, &[]).unwrap();
        let mut entries = system.list(List::BootExecute);
        entries.push("later".into());
        let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
        system.plant(List::BootExecute, &entries);
        uninstall_from(&system).unwrap();
        assert_eq!(
            system.list(List::BootExecute),
            ["autocheck autochk *", "later"]
        );
    }

    #[test]
    fn twice_is_as_good_as_once() {
        let system = FakeSystem::default();
        install_with(&system, &[]).unwrap();
        uninstall_from(&system).unwrap();
        let (registry, files) = (system.registry(), system.files());
        let printed = uninstall_from(&system).unwrap();
        assert!(printed.contains("was not installed"), "{printed}");
        assert_eq!((system.registry(), system.files()), (registry, files));
    }

    #[test]
    fn a_setup_list_that_servicing_uses_is_left_alone() {
        let system = FakeSystem::default();
        install_with(&system, &["--phase", "both"]).unwrap();
        system.plant(
            List::SetupExecute,
            &["bootshot phase=setupexecute", "poqexec x"],
        );
        let registry = system.registry();
        assert!(uninstall_from(&system).is_err());
        assert_eq!(system.registry(), registry);
        assert!(read_installed(&system).unwrap().is_some());
    }

    #[test]
    fn a_list_that_cannot_be_read_is_left_alone_and_named() {
        let system = FakeSystem::default();
        install_with(&system, &[]).unwrap();
        let text = Value {
            kind: 1,
            data: b"a\0\0\0".to_vec(),
        };
        system.set_value("SetupExecute", &text).unwrap();
        let printed = uninstall_from(&system).unwrap();
        assert!(
            printed.contains("SetupExecute cannot be read: its type is REG_SZ"),
            "{printed}"
        );
        assert_eq!(system.value("SetupExecute").unwrap(), Some(text));
        assert_eq!(system.list(List::BootExecute), ["autocheck autochk *"]);
    }

    #[test]
    fn without_elevation_nothing_is_changed() {
        let system = FakeSystem::default();
        install_with(&system, &[]).unwrap();
        system.elevated.set(false);
        let registry = system.registry();
        assert!(uninstall_from(&system).is_err());
        assert_eq!(system.registry(), registry);
    }
}
