//! `status`: whether bootshot is registered, and whether it ran.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bootshot_format::{Header, Phase, Presence};
use serde::Serialize;

use crate::commands::install::{installed_image, read_installed};
use crate::entry::Entry;
use crate::error::{Error, Outcome};
use crate::lists::{Current, List};
use crate::once;
use crate::output::{self, Print};
use crate::shown;
use crate::snapshots::{Directory, Snapshot, registered_directory};
use crate::system::{self, Boot, System, remove_if_there};

/// Two boot times closer than this are of the same boot: the time is corrected along with the clock, and no system
/// starts twice in ten seconds. In 100 ns.
const SAME_BOOT: u64 = 10 * 10_000_000;

/// Between 1601 and 1970.
const WINDOWS_TO_UNIX: Duration = Duration::from_secs(11_644_473_600);

/// Arguments of `status`.
#[derive(clap::Args)]
#[command(
    after_help = "Examples: bootshotctl status --json\n          bootshotctl status --offline D:\\Windows"
)]
pub struct Args {
    /// Clear the guard that a run which did not end has left, so that the next restart tries again
    ///
    /// Nothing but the guard: the kill switch is yours to remove, and the file "done" tells of a success; for another
    /// capture there is "bootshotctl install --once".
    #[arg(long)]
    reset: bool,
    /// Look at the installation in this folder (its Windows folder, or the root of its volume), which does not run
    ///
    /// Nothing there is changed, except by --reset; but where this is Windows, its kernel may bring the hive and its logs
    /// together when it loads it.
    #[arg(long, value_name = "DIR")]
    offline: Option<PathBuf>,
    /// Print one object as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let system = system::of(args.offline.as_deref(), "tell the status")?;
    status(&*system, args, &mut |text| output::line(text))
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
    #[serde(flatten)]
    found: Found,
    /// Entries that were finished, and that this run took out of the lists.
    taken_out: Vec<Registered>,
}

/// What the directory tells: nothing where it is on a volume that only the running system could find.
#[derive(Default, Serialize)]
struct Found {
    /// Its owner and access list in SDDL; null when there is no directory.
    directory_security: Option<String>,
    snapshots: Option<usize>,
    newest_snapshot: Option<String>,
    /// A run did not end: the guard is there.
    attempt_did_not_end: Option<bool>,
    /// The kill switch is there.
    switched_off: Option<bool>,
    /// The one capture that an entry with `once` asks for is taken.
    once_done: Option<bool>,
    /// The snapshot it made, as far as it is known.
    once_snapshot: Option<String>,
}

impl Found {
    fn look(
        system: &dyn System,
        directory: &Directory,
        snapshots: &[Snapshot],
    ) -> Result<Self, Error> {
        let captured_once = directory.captured_once()?;
        Ok(Self {
            directory_security: match directory.path().is_dir() {
                true => system.security(directory.path())?,
                false => None,
            },
            snapshots: Some(snapshots.len()),
            newest_snapshot: snapshots
                .first()
                .map(|snapshot| snapshot.path.display().to_string()),
            attempt_did_not_end: Some(directory.has(&directory.guard())?),
            switched_off: Some(directory.has(&directory.kill_switch())?),
            once_done: Some(captured_once.is_some()),
            once_snapshot: captured_once.filter(|name| !name.is_empty()),
        })
    }
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
    /// No entry any more: it was for one capture, which is taken.
    CapturedOnce,
    /// The installation does not run, so there is no last boot to ask about.
    RegisteredOffline,
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
    let mut lists = Current::read_all(system)?;
    let boot = system.boot()?;
    let mut taken_out = Vec::new();
    if boot.is_some() && system.is_elevated()? {
        taken_out = once::take_out_finished(system, &lists)?;
        if !taken_out.is_empty() {
            lists = Current::read_all(system)?;
        }
    }
    let entries: Vec<(List, &Entry)> = lists
        .iter()
        .flat_map(|current| current.ours().map(|entry| (current.list, entry)))
        .collect();
    let registered_directory = registered_directory(&lists);
    let directory = match system.locate(&registered_directory) {
        Ok(path) => Some(Directory::new(path)),
        // What the directory has nothing to do with can be told all the same.
        Err(_) if boot.is_none() && !args.reset => None,
        Err(error) => return Err(error),
    };
    let (mut snapshots, mut found) = (Vec::new(), Found::default());
    if let Some(directory) = &directory {
        if args.reset {
            reset(system, directory)?;
        }
        snapshots = directory.snapshots()?;
        found = Found::look(system, directory, &snapshots)?;
    }
    let image_present = read_installed(system)?.is_some();
    let image = installed_image(system);
    let headers: Vec<&Header> = snapshots
        .iter()
        .filter_map(|snapshot| snapshot.header.as_ref())
        .collect();
    let state = if entries.is_empty() {
        match found.once_done {
            Some(true) => State::CapturedOnce,
            _ => State::NotInstalled,
        }
    } else if !image_present {
        State::ImageMissing
    } else {
        match boot {
            Some(boot) => state_since(boot, &headers, &system.reach(&image))?,
            None => State::RegisteredOffline,
        }
    };
    let registered = |entries: &[(List, &Entry)]| {
        let registered = entries.iter().map(|(list, entry)| Registered {
            list: *list,
            entry: entry.to_string(),
        });
        registered.collect()
    };
    let taken_out: Vec<_> = taken_out
        .iter()
        .map(|(list, entry)| (*list, entry))
        .collect();
    let status = Status {
        state,
        entries: registered(&entries),
        unreadable_lists: lists.iter().filter_map(Current::problem).collect(),
        image: image.display().to_string(),
        image_present,
        directory: match &directory {
            Some(directory) => directory.path().display().to_string(),
            None => registered_directory,
        },
        found,
        taken_out: registered(&taken_out),
    };
    if args.json {
        let text = serde_json::to_string_pretty(&status)
            .map_err(|error| Error::failed("cannot write JSON").because(error))?;
        print(text)?;
    } else {
        status.print(system, directory.as_ref(), print)?;
    }
    Ok(match state {
        State::NotInstalled => Outcome::No,
        _ => Outcome::Done,
    })
}

fn reset(system: &dyn System, directory: &Directory) -> Result<(), Error> {
    system::require_elevation(system, "reset the guard")?;
    remove_if_there(system, &directory.guard()).map(drop)
}

/// What the snapshots, and the time when the image was written, tell of a registered entry in this boot.
fn state_since(boot: Boot, headers: &[&Header], image: &Path) -> Result<State, Error> {
    let at_boot = || headers.iter().filter(|header| is_at_boot(header));
    Ok(if at_boot().any(|header| is_of(header, boot)) {
        State::RanAtLastBoot
    } else if written_after(image, boot)? {
        State::Registered
    } else if at_boot().next().is_some() {
        State::DidNotRunAtLastBoot
    } else {
        State::RegisteredButNeverRan
    })
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

/// ` at <time>, as <name>`, from a name such as `00000007-20261120T114823Z-bootexecute`.
fn captured_at(name: &str) -> String {
    let time = name.split('-').nth(1).and_then(|time| {
        let is_time = time.len() == 16 && time.is_ascii() && time.as_bytes()[8] == b'T';
        is_time.then(|| {
            let [year, month, day] = [&time[..4], &time[4..6], &time[6..8]];
            let [hour, minute, second] = [&time[9..11], &time[11..13], &time[13..15]];
            format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")
        })
    });
    match time {
        Some(time) => format!(" at {time}, as {name}"),
        None => format!(", as {}", shown::visible(name)),
    }
}

impl Status {
    fn print(
        &self,
        system: &dyn System,
        directory: Option<&Directory>,
        print: Print<'_>,
    ) -> Result<(), Error> {
        print(match self.state {
            State::NotInstalled => "not installed".into(),
            State::CapturedOnce => {
                "not registered any more: the one capture asked for is taken".into()
            }
            State::RegisteredOffline => "registered".into(),
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
        for Registered { list, entry } in &self.taken_out {
            print(format!(
                "  {:<22}{} (finished: taken out)",
                list.value_name(),
                shown::visible(entry)
            ))?;
        }
        for problem in &self.unreadable_lists {
            print(format!("  {problem}"))?;
        }
        let Some(directory) = directory else {
            return print(format!(
                "  directory             {} (only the running system knows which volume that is)",
                shown::visible(&self.directory)
            ));
        };
        let found = &self.found;
        if let (Some(newest), Some(snapshots)) = (&found.newest_snapshot, found.snapshots) {
            print(format!(
                "  newest snapshot       {newest} ({snapshots} in all)"
            ))?;
        }
        let did_not_end = found.attempt_did_not_end == Some(true);
        if did_not_end {
            print(format!(
                "\nThe last run did not end: it left its guard, {}.\nUntil that is gone every run at boot leaves at once. \
                 Whatever stopped it (a power cut, a reset, a hang) may do so again;\n\
                 \"{}\" lets it try.",
                directory.guard().display(),
                system.command("status --reset")
            ))?;
        }
        let switched_off = found.switched_off == Some(true);
        if switched_off {
            print(format!(
                "\nSwitched off: while {} exists, every run at boot leaves at once. Delete it to switch on again.",
                directory.kill_switch().display()
            ))?;
        }
        let once_done = found.once_done == Some(true);
        if once_done {
            let snapshot = found.once_snapshot.as_deref();
            print(format!(
                "\nCaptured once{} ({}): an entry with \"once\" does nothing any more.\n\
                 \"{}\" asks for another, \"{}\" clears up.",
                snapshot.map_or(String::new(), captured_at),
                directory.done().display(),
                system.command("install --once"),
                system.command("uninstall")
            ))?;
        }
        let did_not_run = matches!(
            self.state,
            State::DidNotRunAtLastBoot | State::RegisteredButNeverRan
        );
        if did_not_run && !did_not_end && !switched_off && !once_done {
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
pub mod tests {
    use super::*;
    use crate::commands::install::tests::install_with;
    use crate::nt_path;
    use crate::snapshots::tests::header;
    use crate::system::tests::FakeSystem;

    const BOOT: Boot = Boot {
        id: 9,
        time: i64::MAX / 2,
    };

    /// What `status` says of an installation.
    pub fn asked_of(system: &dyn System) -> (Outcome, String) {
        asked(
            system,
            &Args {
                reset: false,
                offline: None,
                json: false,
            },
        )
    }

    fn asked(system: &dyn System, args: &Args) -> (Outcome, String) {
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
                offline: None,
                json: true,
            },
        );
        let status: serde_json::Value = serde_json::from_str(&json).unwrap();
        status["state"].as_str().unwrap().to_owned()
    }

    fn text(system: &FakeSystem) -> String {
        asked_of(system).1
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
                offline: None,
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
    fn an_entry_that_is_new_since_the_boot_is_just_registered_whatever_the_image() {
        let system = FakeSystem::default();
        install_with(&system, &[]).unwrap();
        let in_2001 = WINDOWS_TO_UNIX + Duration::from_secs(1_000_000_000);
        system.boot.set(Boot {
            id: 5,
            time: in_2001.as_secs() as i64 * 10_000_000,
        });
        let image = installed_image(&system);
        let in_1970 = fs::FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
        let file = fs::File::options().write(true).open(image).unwrap();
        file.set_times(in_1970).unwrap();
        assert_eq!(state(&system), "registered_but_never_ran");
        install_with(&system, &["--once"]).unwrap();
        assert_eq!(state(&system), "registered");
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
                offline: None,
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
        assert!(text(&system).contains("does nothing any more"));
        fs::write(
            directory(&system).done(),
            b"00000007-20261120T114823Z-bootexecute",
        )
        .unwrap();
        assert!(
            text(&system).contains(
                "Captured once at 2026-11-20T11:48:23Z, as 00000007-20261120T114823Z-bootexecute"
            ),
            "{}",
            text(&system)
        );
    }

    #[test]
    fn a_finished_entry_is_taken_out_and_named() {
        let system = FakeSystem::default();
        system.plant(List::BootExecute, &["a", "b"]);
        install_with(&system, &["--once"]).unwrap();
        fs::write(directory(&system).done(), b"").unwrap();
        system.elevated.set(false);
        assert!(!text(&system).contains("taken out"));
        system.elevated.set(true);
        let printed = text(&system);
        assert!(
            printed.contains(
                "BootExecute           bootshot phase=bootexecute once (finished: taken out)"
            ),
            "{printed}"
        );
        assert_eq!(system.list(List::BootExecute), ["a", "b"]);
        assert_eq!(state(&system), "captured_once");
    }

    #[test]
    fn a_reset_is_not_for_the_note_of_a_capture() {
        let system = installed();
        fs::write(directory(&system).done(), b"").unwrap();
        let args = Args {
            reset: true,
            offline: None,
            json: false,
        };
        asked(&system, &args);
        assert!(directory(&system).done().exists());
    }

    #[test]
    fn the_kill_switch_is_explained_and_reset_leaves_it() {
        let system = installed();
        fs::write(directory(&system).kill_switch(), b"").unwrap();
        let (_, printed) = asked(
            &system,
            &Args {
                reset: true,
                offline: None,
                json: false,
            },
        );
        assert!(printed.contains("Switched off"), "{printed}");
        assert!(directory(&system).kill_switch().exists());
    }
}
