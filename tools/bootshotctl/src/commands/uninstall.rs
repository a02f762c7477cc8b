//! `uninstall`: takes our entries out of every list, and our image out of System32.

use std::path::PathBuf;

use crate::commands::install::{describe, installed_image, read_installed};
use crate::error::{Error, Outcome};
use crate::lists::{Change, Current};
use crate::output::{self, Print};
use crate::snapshots::{Directory, directories};
use crate::system::{self, System, remove_if_there};

/// Arguments of `uninstall`.
#[derive(clap::Args)]
#[command(
    after_help = "Examples: bootshotctl uninstall\n          bootshotctl uninstall --offline D:\\Windows"
)]
pub struct Args {
    /// Take bootshot out of the installation in this folder (its Windows folder, or the root of its volume), which does
    /// not run
    #[arg(long, value_name = "DIR")]
    offline: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let system = system::of(args.offline.as_deref(), "uninstall")?;
    uninstall(&*system, &mut |text| output::line(text))
}

pub fn uninstall(system: &dyn System, print: Print<'_>) -> Result<Outcome, Error> {
    system::require_elevation(system, "uninstall")?;
    let installed = read_installed(system)?;
    let runs = system.boot()?.is_some();

    let lists = Current::read_all(system)?;
    let mut changes = Vec::new();
    for current in &lists {
        changes.extend(current.change(None)?);
    }
    if changes.iter().any(Change::is_in_the_way_of_servicing) {
        return Err(Error::failed("will not uninstall now")
            .because("Windows servicing has its own entry in SetupExecute for the next restart")
            .advise("Restart, let the update finish, and uninstall then. Nothing was changed."));
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
        remove_if_there(system, &system.reach(&path))?;
        print(format!("removed    {}", path.display()))?;
    }
    let mut kept = Vec::new();
    for directory in directories(&lists) {
        // Which volume it is on, only the running system may know.
        let Ok(path) = system.locate(&directory) else {
            kept.push(directory);
            continue;
        };
        kept.push(path.display().to_string());
        // It says that an entry is finished, and there is none any more.
        remove_if_there(system, &Directory::new(path).done())?;
    }
    if changes.is_empty() && installed.is_none() {
        print("bootshot was not installed.".into())?;
        return Ok(Outcome::Done);
    }
    let what = match runs {
        true => "the snapshots and backups",
        false => "the snapshots",
    };
    print(format!("kept       {what} in {}", kept.join(" and ")))?;
    for copy in system.copies_of_hive() {
        let copy = copy.display();
        print(format!(
            "kept       the hive as it was, secrets and all, in {copy}"
        ))?;
    }
    Ok(Outcome::Done)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::commands::install::tests::install_with;
    use crate::lists::List;
    use crate::multi_sz::Value;
    use crate::system::tests::FakeSystem;

    pub fn uninstall_from(system: &dyn System) -> Result<String, Error> {
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
