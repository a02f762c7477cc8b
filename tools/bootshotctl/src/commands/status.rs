//! `status`: whether bootshot is registered, and whether it ran.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bootshot_format::{Header, Phase, Presence};
use serde::Serialize;

use crate::commands::install::{installed_image, read_installed, remove_if_there};
use crate::entry::Entry;
use crate::error::{Error, Outcome};
use crate::lists::{Current, List};
use crate::output::{self, Print};
use crate::shown;
use crate::snapshots::Directory;
use crate::system::{self, Boot, System};

/// Two boot times closer than this are of the same boot: the time is corrected along with the clock, and no system
/// starts twice in ten seconds. In 100 ns.
const SAME_BOOT: u64 = 10 * 10_000_000;

/// Between 1601 and 1970.
const WINDOWS_TO_UNIX: Duration = Duration::from_secs(11_644_473_600);

/// Arguments of `status`.
#[derive(clap::Args)]
pub struct Args {
    /// Clear the guard that a run which did not end has left, so that the next restart tries again
    #[arg(long)]
    reset: bool,
    /// Print one object as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    status(&*system::this("tell the status")?, args, &mut |text| {
        output::line(text)
    })
}

/// What there is to know; printed as it is for `--json`.
#[derive(Serialize)]
struct Status {
    state: State,
    entries: Vec<Registered>,
    /// Lists that are no lists: what smss makes of them is not known.
    unreadable_lists: Vec<String>,
    image: String,
    image_present: bool,
    directory: String,
    /// The directory's owner and access list in SDDL; null when there is no directory.
    directory_security: Option<String>,
    snapshots: usize,
    newest_snapshot: Option<String>,
    /// A run did not end: the guard is there.
    attempt_did_not_end: bool,
    /// The kill switch is there.
    switched_off: bool,
    /// The one capture that an entry with `once` asks for is taken.
    once_done: bool,
}

/// A registered entry of ours.
#[derive(Serialize)]
struct Registered {
    list: List,
    entry: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    NotInstalled,
    /// Entries without an image: smss skips them.
    ImageMissing,
    /// Registered since the last boot: the next one will be the first.
    Registered,
    RanAtLastBoot,
    /// There are snapshots, but none of this boot.
    DidNotRunAtLastBoot,
    RegisteredButNeverRan,
}

fn status(system: &dyn System, args: &Args, print: Print<'_>) -> Result<Outcome, Error> {
    let lists = Current::read_all(system)?;
    let entries: Vec<(List, &Entry)> = lists
        .iter()
        .flat_map(|current| current.ours().map(|entry| (current.list, entry)))
        .collect();
    let directory = Directory::of(system)?;
    if args.reset {
        reset(system, &directory)?;
    }
    let snapshots = directory.snapshots()?;
    let image_present = read_installed(system)?.is_some();
    let image = installed_image(system);
    let boot = system.boot()?;
    let headers: Vec<&Header> = snapshots
        .iter()
        .filter_map(|snapshot| snapshot.header.as_ref().ok())
        .collect();
    let state = if entries.is_empty() {
        State::NotInstalled
    } else if !image_present {
        State::ImageMissing
    } else if headers
        .iter()
        .any(|header| is_at_boot(header) && is_of(header, boot))
    {
        State::RanAtLastBoot
    } else if written_after(&system.reach(&image), boot)? {
        State::Registered
    } else if headers.iter().any(|header| is_at_boot(header)) {
        State::DidNotRunAtLastBoot
    } else {
        State::RegisteredButNeverRan
    };
    let directory_exists = directory.path().is_dir();
    let status = Status {
        state,
        entries: entries
            .into_iter()
            .map(|(list, entry)| Registered {
                list,
                entry: entry.to_string(),
            })
            .collect(),
        unreadable_lists: lists.iter().filter_map(Current::problem).collect(),
        image: image.display().to_string(),
        image_present,
        directory: directory.path().display().to_string(),
        directory_security: directory_exists
            .then(|| system.security(directory.path()))
            .transpose()?,
        snapshots: snapshots.len(),
        newest_snapshot: snapshots
            .first()
            .map(|snapshot| snapshot.path.display().to_string()),
        attempt_did_not_end: directory.has(&directory.guard())?,
        switched_off: directory.has(&directory.kill_switch())?,
        once_done: directory.has(&directory.done())?,
    };
    if args.json {
        let text = serde_json::to_string_pretty(&status)
            .map_err(|error| Error::failed("cannot write JSON").because(error))?;
        print(text)?;
    } else {
        status.print(&directory, print)?;
    }
    Ok(match state {
        State::NotInstalled => Outcome::No,
        _ => Outcome::Done,
    })
}

fn reset(system: &dyn System, directory: &Directory) -> Result<(), Error> {
    system::require_elevation(system, "reset the guard")?;
    remove_if_there(&directory.guard())
}

/// Whether smss can have started the run: it was before csrss, which `simulate-boot` on a Windows in use is not.
fn is_at_boot(header: &Header) -> bool {
    header.phase != Phase::LIVE && header.csrss_at_start != Presence::PRESENT
}

/// Whether a snapshot was taken in this boot. Either sign will do: not every system counts its boots, or has counted
/// this one as early as that; and the boot time moves when the clock is set.
fn is_of(header: &Header, boot: Boot) -> bool {
    let same_id = boot.id != 0 && header.boot_id == boot.id;
    let same_time = header.boot_time != 0 && header.boot_time.abs_diff(boot.time) < SAME_BOOT;
    same_id || same_time
}

fn written_after(image: &Path, boot: Boot) -> Result<bool, Error> {
    let written = fs::metadata(image)
        .and_then(|metadata| metadata.modified())
        .map_err(|error| {
            Error::failed(format!("cannot look at {}", image.display())).because(error)
        })?;
    let since_1970 = written
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let written = (since_1970 + WINDOWS_TO_UNIX).as_nanos() / 100;
    Ok(i128::try_from(written).is_ok_and(|written| written > i128::from(boot.time)))
}

impl Status {
    fn print(&self, directory: &Directory, print: Print<'_>) -> Result<(), Error> {
        print(match self.state {
            State::NotInstalled => "not installed".into(),
            State::ImageMissing => format!(
                "registered, but {} is missing: smss skips the entry",
                self.image
            ),
            State::Registered => "registered: the next restart will be the first with it".into(),
            State::RanAtLastBoot => "registered, and ran at the last boot".into(),
            State::DidNotRunAtLastBoot => "registered, but did not run at the last boot".into(),
            State::RegisteredButNeverRan => "registered, but never ran".to_owned(),
        })?;
        for Registered { list, entry } in &self.entries {
            print(format!(
                "  {:<22}{}",
                list.value_name(),
                shown::visible(entry)
            ))?;
        }
        for problem in &self.unreadable_lists {
            print(format!("  {problem}"))?;
        }
        if let Some(newest) = &self.newest_snapshot {
            print(format!(
                "  newest snapshot       {newest} ({} in all)",
                self.snapshots
            ))?;
        }
        if self.attempt_did_not_end {
            print(format!(
                "\nThe last run did not end: it left its guard, {}.\nUntil that is gone every run leaves at once. \
                 Whatever stopped it (a power cut, a reset, a hang) may do so again;\n\
                 \"bootshotctl status --reset\" lets it try.",
                directory.guard().display()
            ))?;
        }
        if self.switched_off {
            print(format!(
                "\nSwitched off: while {} exists, every run leaves at once. Delete it to switch on again.",
                directory.kill_switch().display()
            ))?;
        }
        if self.once_done {
            print(format!(
                "\nThe one capture asked for with \"once\" is taken ({}): such an entry does nothing more.\n\
                 \"bootshotctl uninstall\" clears up, \"bootshotctl install once\" asks for another.",
                directory.done().display()
            ))?;
        }
        let did_not_run = matches!(
            self.state,
            State::DidNotRunAtLastBoot | State::RegisteredButNeverRan
        );
        if did_not_run && !self.attempt_did_not_end && !self.switched_off && !self.once_done {
            print(
                "\nShutting down with Fast Startup does not end the kernel: restart instead. A list that this Windows does \
                 not read,\nan earlier entry that does not end, or a full disk are other reasons."
                    .into(),
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::install::tests::install_with;
    use crate::nt_path;
    use crate::snapshots::tests::header;
    use crate::system::tests::FakeSystem;

    const BOOT: Boot = Boot {
        id: 9,
        time: i64::MAX / 2,
    };

    fn asked(system: &FakeSystem, args: &Args) -> (Outcome, String) {
        let mut printed = String::new();
        let outcome = status(system, args, &mut |line| {
            printed.push_str(&line);
            printed.push('\n');
            Ok(())
        });
        (outcome.unwrap(), printed)
    }

    fn state(system: &FakeSystem) -> String {
        let (_, json) = asked(
            system,
            &Args {
                reset: false,
                json: true,
            },
        );
        let status: serde_json::Value = serde_json::from_str(&json).unwrap();
        status["state"].as_str().unwrap().to_owned()
    }

    fn text(system: &FakeSystem) -> String {
        asked(
            system,
            &Args {
                reset: false,
                json: false,
            },
        )
        .1
    }

    fn directory(system: &FakeSystem) -> Directory {
        Directory::new(
            nt_path::to_dos(nt_path::DEFAULT_DIRECTORY, system.windows_directory()).into(),
        )
    }

    fn snapshot(system: &FakeSystem, fill_in: impl FnOnce(&mut Header)) {
        fs::write(directory(system).path().join("1.bshot"), header(fill_in)).unwrap();
    }

    /// Installed in an earlier boot than the running one.
    fn installed() -> FakeSystem {
        let system = FakeSystem::default();
        install_with(&system, &[]).unwrap();
        system.boot.set(BOOT);
        system
    }

    #[test]
    fn not_installed_is_a_no() {
        let (outcome, printed) = asked(
            &FakeSystem::default(),
            &Args {
                reset: false,
                json: false,
            },
        );
        assert_eq!(
            (outcome, printed.as_str()),
            (Outcome::No, "not installed\n")
        );
    }

    #[test]
    fn before_the_first_restart_it_is_just_registered() {
        let system = FakeSystem::default();
        install_with(&system, &[]).unwrap();
        assert_eq!(state(&system), "registered");
        assert!(text(&system).contains("BootExecute           bootshot phase=bootexecute\n"));
    }

    #[test]
    fn after_a_restart_without_a_snapshot_it_never_ran() {
        assert_eq!(state(&installed()), "registered_but_never_ran");
    }

    #[test]
    fn a_snapshot_of_this_boot_shows_that_it_ran() {
        for fill_in in [
            |header: &mut Header| (header.boot_id, header.boot_time) = (BOOT.id, 0),
            |header: &mut Header| (header.boot_id, header.boot_time) = (0, BOOT.time + 10_000_000),
        ] {
            let system = installed();
            snapshot(&system, fill_in);
            assert_eq!(state(&system), "ran_at_last_boot");
        }
    }

    #[test]
    fn a_snapshot_of_another_boot_does_not() {
        let system = installed();
        snapshot(&system, |header| {
            (header.boot_id, header.boot_time) = (BOOT.id - 1, BOOT.time - 600_000_000)
        });
        assert_eq!(state(&system), "did_not_run_at_last_boot");
        system.boot.set(Boot { id: 0, ..BOOT });
        snapshot(&system, |header| {
            (header.boot_id, header.boot_time) = (0, 0)
        });
        assert_eq!(state(&system), "did_not_run_at_last_boot");
    }

    #[test]
    fn a_simulated_boot_says_nothing_about_the_boot() {
        let system = installed();
        snapshot(&system, |header| {
            header.phase = Phase::BOOT_EXECUTE;
            header.csrss_at_start = Presence::PRESENT;
            header.boot_id = BOOT.id;
        });
        assert_eq!(state(&system), "registered_but_never_ran");
    }

    #[test]
    fn a_live_snapshot_says_nothing_about_the_boot() {
        let system = installed();
        snapshot(&system, |header| {
            header.phase = Phase::LIVE;
            header.boot_id = BOOT.id;
        });
        assert_eq!(state(&system), "registered_but_never_ran");
    }

    #[test]
    fn an_entry_without_its_image_is_told_apart() {
        let system = installed();
        fs::remove_file(installed_image(&system)).unwrap();
        assert_eq!(state(&system), "image_missing");
    }

    #[test]
    fn the_guard_is_explained_and_reset_clears_it() {
        let system = installed();
        fs::write(directory(&system).guard(), b"").unwrap();
        assert!(text(&system).contains("status --reset"));
        let (_, printed) = asked(
            &system,
            &Args {
                reset: true,
                json: false,
            },
        );
        assert!(!printed.contains("did not end"), "{printed}");
        assert!(!directory(&system).guard().exists());
    }

    #[test]
    fn a_capture_that_was_to_be_the_only_one_is_explained() {
        let system = installed();
        fs::write(directory(&system).done(), b"").unwrap();
        assert!(text(&system).contains("such an entry does nothing more"));
    }

    #[test]
    fn the_kill_switch_is_explained_and_reset_leaves_it() {
        let system = installed();
        fs::write(directory(&system).kill_switch(), b"").unwrap();
        let (_, printed) = asked(
            &system,
            &Args {
                reset: true,
                json: false,
            },
        );
        assert!(printed.contains("Switched off"), "{printed}");
        assert!(directory(&system).kill_switch().exists());
    }
}
