//! `simulate-boot`: a stand-in for smss, which runs its lists on a running system, by its rules.
//!
//! What it starts runs for real. On a Windows in use the entries of others (disk checks, partition tools, half of an
//! update) are left out unless asked for.
//!
//! The rules were read in the sources of ReactOS' smss and seen at a real boot of an NT 5.2 system; what differs between
//! builds is not imitated.

use std::time::Duration;

use serde::Serialize;

use crate::entry::{self, Command, Entry};
use crate::error::{Error, Outcome};
use crate::lists::{Current, List, Phase, Phases};
use crate::nt_path;
use crate::ntstatus::NtStatus;
use crate::output;
use crate::shown;
use crate::system::{self, End, Program, Running, Wait};

/// Arguments of `simulate-boot`.
#[derive(clap::Args)]
#[command(after_help = "Example: bootshotctl simulate-boot --phase bootexecute")]
pub struct Args {
    /// The moment of the boot to act out
    #[arg(long, value_enum, default_value = "both")]
    phase: Phases,
    /// Run the entries of others too, disk checks and updates included (under Wine they always run)
    #[arg(long)]
    all: bool,
    /// Give up on an entry after this many seconds (smss never does)
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u64,
    /// Print an array with one object for each entry as JSON
    #[arg(long)]
    json: bool,
}

/// What was done about one entry.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Report {
    phase: Phase,
    list: List,
    entry: String,
    /// The file that was found.
    image: Option<String>,
    outcome: Answer,
    pid: Option<u32>,
    /// The status of the first thread, which smss does not look at; or why it could not be started.
    status: Option<String>,
    status_name: Option<&'static str>,
    /// 100 ns.
    duration: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// Ran to the end of its first thread.
    Ran,
    /// Started and not waited for.
    Started,
    /// An entry of others, on a system in use: left out.
    LeftOut,
    /// No such image: skipped.
    NotFound,
    /// No image name in the entry: skipped.
    Empty,
    /// Not a native image: terminated before its first instruction.
    WrongSubsystem,
    /// The system would not start it.
    CouldNotStart,
    /// Did not end: smss would wait for ever.
    TimedOut,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let system = system::this("simulate a boot")?;
    let reports = simulate(&*system, args)?;
    if args.json {
        output::json(&reports)?;
    } else {
        for report in &reports {
            output::line(report.text())?;
        }
        if reports.is_empty() {
            output::line("The lists are empty: nothing ran.")?;
        }
    }
    let hangs = reports
        .iter()
        .any(|report| report.outcome == Answer::TimedOut);
    Ok(if hangs { Outcome::No } else { Outcome::Done })
}

fn simulate(system: &dyn Running, args: &Args) -> Result<Vec<Report>, Error> {
    // smss reads all its lists before it runs the first entry.
    let lists = Current::read_all(system)?;
    let path = system.search_path()?;
    let phases = args.phase.each();
    let chosen = || {
        lists
            .iter()
            .filter(|current| phases.contains(&current.list.phase()))
    };
    for current in chosen() {
        if let Err(unreadable) = &current.contents {
            return Err(
                Error::failed(format!("cannot act out {}", current.list.value_name()))
                    .because(unreadable)
                    .advise("What smss makes of such a value is not known. Nothing ran."),
            );
        }
    }
    let mut reports = Vec::new();
    for current in chosen() {
        for entry in current.entries() {
            let mut report = Report::new(current.list, entry);
            if args.all || system.is_wine() || entry.is_ours() {
                run_entry(
                    system,
                    entry,
                    &path,
                    Duration::from_secs(args.timeout),
                    &mut report,
                );
            } else {
                report.outcome = Answer::LeftOut;
            }
            reports.push(report);
        }
    }
    Ok(reports)
}

/// Does with an entry what smss does, and notes in `report` what came of it.
fn run_entry(
    system: &dyn Running,
    entry: &Entry,
    path: &str,
    timeout: Duration,
    report: &mut Report,
) {
    let Some(command) = entry.command() else {
        report.outcome = Answer::Empty;
        return;
    };
    let windows = system.windows_directory().display().to_string();
    let name = String::from_utf16_lossy(command.image);
    let Some(image) = entry::candidates(&name, path, &windows)
        .into_iter()
        .find(|candidate| system.reach(candidate.as_ref()).is_file())
    else {
        report.outcome = Answer::NotFound;
        return;
    };
    let program = program(entry, &command, &image, &windows, path, timeout);
    report.image = Some(image);
    match system.start(&program) {
        Ok(started) => {
            report.pid = Some(started.process_id);
            report.duration = u64::try_from(started.elapsed.as_nanos() / 100).ok();
            report.outcome = match started.end {
                End::Exited(status) => {
                    report.set_status(status);
                    Answer::Ran
                }
                End::Running => Answer::Started,
                End::TimedOut => Answer::TimedOut,
                End::WrongSubsystem(_) => Answer::WrongSubsystem,
            };
        }
        Err(status) => {
            report.outcome = Answer::CouldNotStart;
            report.set_status(status);
        }
    }
}

fn program(
    entry: &Entry,
    command: &Command<'_>,
    image: &str,
    windows: &str,
    path: &str,
    timeout: Duration,
) -> Program {
    let nt_image = nt_path::from_dos(image);
    let command_line = if command.autocheck {
        let mut line: Vec<u16> = nt_image.encode_utf16().collect();
        line.push(u16::from(b' '));
        line.extend(command.arguments);
        line
    } else {
        entry.units().to_vec()
    };
    let directory = image
        .rsplit_once('\\')
        .map(|(directory, _)| directory.to_owned());
    Program {
        image: nt_image,
        command_line,
        directory,
        dll_path: Some(format!("{windows}\\System32;{path}")),
        environment: Some(vec![
            ("Path", path.to_owned()),
            (
                "SystemDrive",
                windows.get(..2).unwrap_or_default().to_owned(),
            ),
            ("SystemRoot", windows.to_owned()),
        ]),
        debug: command.debug,
        relay_output: false,
        wait: if command.asynchronous {
            Wait::No
        } else {
            Wait::FirstThread
        },
        timeout: Some(timeout),
    }
}

impl Report {
    fn new(list: List, entry: &Entry) -> Self {
        Self {
            phase: list.phase(),
            list,
            entry: entry.to_string(),
            image: None,
            outcome: Answer::Empty,
            pid: None,
            status: None,
            status_name: None,
            duration: None,
        }
    }

    fn set_status(&mut self, status: NtStatus) {
        self.status = Some(format!("0x{:08X}", status.0));
        self.status_name = status.name();
    }

    fn text(&self) -> String {
        let done = match self.outcome {
            Answer::Ran => "ended with",
            Answer::Started => "started, not waited for",
            Answer::LeftOut => "left out: not of bootshot, and --all would run it for real",
            Answer::NotFound => "no such image: skipped",
            Answer::Empty => "no image name: skipped",
            Answer::WrongSubsystem => "not a native image: terminated",
            Answer::CouldNotStart => "could not be started:",
            Answer::TimedOut => "did not end and was terminated; smss would wait for ever",
        };
        let status = self.status.as_deref().unwrap_or_default();
        let name = self.status_name.unwrap_or_default();
        let duration = self.duration.map_or(String::new(), |duration| {
            format!(" ({})", shown::duration(duration))
        });
        format!(
            "{}: {}\n    {}{duration}",
            self.list.value_name(),
            shown::visible(&self.entry),
            format!("{done} {status} {name}").trim_end()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multi_sz::Value;
    use crate::system::System;
    use crate::system::tests::FakeSystem;

    fn act_out(system: &FakeSystem, phase: Phases) -> Vec<(String, Answer)> {
        let args = Args {
            phase,
            all: false,
            timeout: 1,
            json: false,
        };
        let reports = simulate(system, &args).unwrap();
        reports
            .into_iter()
            .map(|report| (report.entry, report.outcome))
            .collect()
    }

    fn with_program(name: &str) -> FakeSystem {
        let system = FakeSystem::default();
        system.write_file(
            &format!("{}\\System32\\{name}", system.windows_directory().display()),
            b"",
        );
        system
    }

    #[test]
    fn the_lists_run_in_the_order_of_the_boot() {
        let system = FakeSystem::default();
        for (place, list) in List::ALL.into_iter().enumerate().rev() {
            system.plant(list, &[&format!("program{place}")]);
        }
        let entries = |phase| -> Vec<String> {
            act_out(&system, phase)
                .into_iter()
                .map(|(entry, _)| entry)
                .collect()
        };
        assert_eq!(
            entries(Phases::Both),
            ["program0", "program1", "program2", "program3", "program4"]
        );
        assert_eq!(
            entries(Phases::Bootexecute),
            ["program0", "program1", "program2"]
        );
        assert_eq!(entries(Phases::Setupexecute), ["program3", "program4"]);
    }

    #[test]
    fn where_a_list_is_none_nothing_runs() {
        let system = with_program("a.exe");
        system.wine.set(true);
        system.plant(List::BootExecute, &["a"]);
        let text = Value {
            kind: 1,
            data: b"a\0\0\0".to_vec(),
        };
        system.set_value("SetupExecute", &text).unwrap();
        let args = Args {
            phase: Phases::Both,
            all: false,
            timeout: 1,
            json: false,
        };
        assert!(simulate(&system, &args).is_err());
        assert!(system.started.borrow().is_empty());
    }

    #[test]
    fn without_a_boot_execute_value_the_disk_check_runs() {
        assert_eq!(
            act_out(&FakeSystem::default(), Phases::Both),
            [("autocheck autochk *".to_owned(), Answer::NotFound)]
        );
    }

    #[test]
    fn on_a_system_in_use_the_entries_of_others_are_left_out() {
        let system = with_program("x.exe");
        system.wine.set(false);
        system.plant(List::BootExecute, &["x", "bootshot"]);
        assert_eq!(
            act_out(&system, Phases::Both),
            [
                ("x".to_owned(), Answer::LeftOut),
                ("bootshot".to_owned(), Answer::NotFound)
            ]
        );
        assert!(system.started.borrow().is_empty());
    }

    #[test]
    fn the_child_gets_the_whole_entry_keywords_included() {
        let system = with_program("x.exe");
        system.plant(List::BootExecute, &["ASYNC debug x a  b"]);
        assert_eq!(act_out(&system, Phases::Both).len(), 1);

        let windows = system.windows_directory().display();
        let started = system.started.borrow();
        assert_eq!(
            String::from_utf16_lossy(&started[0].command_line),
            "ASYNC debug x a  b"
        );
        assert_eq!(
            started[0].image,
            format!("\\??\\{windows}\\System32\\x.exe")
        );
        assert_eq!(started[0].directory, Some(format!("{windows}\\System32")));
        assert_eq!(
            (started[0].wait, started[0].debug, started[0].relay_output),
            (Wait::No, true, false)
        );
        let environment = started[0].environment.as_deref().unwrap();
        assert_eq!(
            environment
                .iter()
                .map(|(name, _)| *name)
                .collect::<Vec<_>>(),
            ["Path", "SystemDrive", "SystemRoot"]
        );
    }

    #[test]
    fn behind_autocheck_the_child_gets_the_nt_path_and_the_arguments() {
        let system = with_program("autochk.exe");
        act_out(&system, Phases::Bootexecute);
        let started = system.started.borrow();
        assert_eq!(
            String::from_utf16_lossy(&started[0].command_line),
            format!("{} *", started[0].image)
        );
        assert_eq!(started[0].wait, Wait::FirstThread);
    }

    #[test]
    fn the_session_managers_path_comes_before_system32() {
        let system = with_program("x.exe");
        let tools = system.windows_directory().join("System32/tools");
        std::fs::create_dir(&tools).unwrap();
        std::fs::write(tools.join("x.exe"), b"").unwrap();
        system.search_path.replace(tools.display().to_string());
        system.plant(List::BootExecute, &["x"]);
        act_out(&system, Phases::Both);
        assert!(system.started.borrow()[0].image.ends_with("tools\\x.exe"));
    }

    #[test]
    fn whatever_happens_to_an_entry_the_next_one_runs() {
        let system = with_program("x.exe");
        system.plant(List::BootExecute, &["missing", "async", "x"]);
        for (end, outcome) in [
            (Ok(End::Exited(NtStatus(0xC000_0005))), Answer::Ran),
            (Ok(End::TimedOut), Answer::TimedOut),
            (Ok(End::WrongSubsystem(3)), Answer::WrongSubsystem),
            (Err(NtStatus(0xC000_007B)), Answer::CouldNotStart),
        ] {
            system.end.set(end);
            let outcomes: Vec<_> = act_out(&system, Phases::Both)
                .into_iter()
                .map(|(_, outcome)| outcome)
                .collect();
            assert_eq!(outcomes, [Answer::NotFound, Answer::Empty, outcome]);
        }
    }
}
