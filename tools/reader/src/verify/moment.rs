//! The moment of the boot that the header names, against what there was.
//!
//! At BootExecute neither csrss nor the SOFTWARE, SAM and SECURITY hives nor a page file are there; at SetupExecute the
//! hives are. With `async` in its entry the capture runs beside the rest of the boot, and csrss may come.

use bootshot_format::{Phase, PhaseSource, Presence, Source};

use super::Report;
use super::evidence::{Evidence, is_complete};
use crate::decode::{self, PageFileClass};
use crate::records::Key;
use crate::records::registry::CURRENT_CONTROL_SET;

/// The hives that are loaded behind BootExecute.
const LATE_HIVES: [&str; 3] = ["SOFTWARE", "SAM", "SECURITY"];

/// The key they are below.
const MACHINE: &str = "\\REGISTRY\\MACHINE";

/// Characters of a key's path that findings show.
const LONGEST_PATH: usize = 256;

pub(super) fn check(evidence: &Evidence<'_>, report: &mut Report<'_>) {
    csrss(evidence, report);
    if evidence.snapshot.header.phase == Phase::BOOT_EXECUTE {
        hives(evidence, report);
        page_files(evidence, report);
    }
}

fn csrss(evidence: &Evidence<'_>, report: &mut Report<'_>) {
    let header = &evidence.snapshot.header;
    let phase = header.phase.name();
    let source = match header.phase_source {
        PhaseSource::ARGUMENT => "by the argument",
        _ => "as observed",
    };
    if let Some(list) = evidence.processes() {
        let csrss = list.named("csrss.exe");
        match (header.phase, csrss) {
            (Phase::BOOT_EXECUTE | Phase::SETUP_EXECUTE, Some(process)) => report.finding(
                "phase-and-csrss",
                "phase",
                &[&list.answer],
                format!(
                    "the phase is {phase}, {source}, and the process list holds {}",
                    process.label()
                ),
            ),
            (Phase::LIVE, None) if evidence.has_system_process => report.finding(
                "phase-and-csrss",
                "phase",
                &[&list.answer],
                format!("the phase is {phase}, {source}, and the process list holds no csrss.exe"),
            ),
            (Phase::LIVE, None) => report.note(
                "no-csrss",
                "the phase is live and there is neither csrss nor a System process, as in Wine",
            ),
            _ => {}
        }
        match (header.csrss_at_start, csrss) {
            (Presence::PRESENT, None) => report.finding(
                "csrss-at-start",
                "csrss.exe",
                &[&list.answer],
                "csrss ran when the capture began, by the header, and the process list does not hold it".to_owned(),
            ),
            (Presence::ABSENT, Some(process)) => report.finding(
                "csrss-at-start",
                "csrss.exe",
                &[&list.answer],
                format!(
                    "csrss did not run when the capture began, by the header, and the process list holds {}",
                    process.label()
                ),
            ),
            _ => {}
        }
    }
    let at_end = evidence
        .snapshot
        .trailer
        .map(|trailer| trailer.csrss_at_end);
    if (header.csrss_at_start, at_end) == (Presence::PRESENT, Some(Presence::ABSENT)) {
        report.finding(
            "csrss-at-end",
            "csrss.exe",
            &[],
            "csrss ran when the capture began and not when it ended, by header and trailer"
                .to_owned(),
        );
    }
}

fn hives(evidence: &Evidence<'_>, report: &mut Report<'_>) {
    let registry = &evidence.registry;
    let list = format!("{CURRENT_CONTROL_SET}\\Control\\hivelist");
    for hive in LATE_HIVES {
        let path = format!("{MACHINE}\\{hive}");
        let listed = registry.key(&list).filter(|key| key.value(&path).is_some());
        let below = registry.below(&path).map(|(_, key)| key);
        let mut read = registry.key(&path).into_iter().chain(below);
        let read = read.find(|key| key.refusal.is_none());
        let of_this_name = |key: &&Key<'_>| {
            let mut subkeys = key.subkeys.iter().flatten();
            subkeys.any(|subkey| subkey.name().eq_ignore_ascii_case(hive))
        };
        let (key, what) = if let Some(key) = listed {
            (key, path.as_str())
        } else if let Some(key) = read {
            (key, key.path.as_str())
        } else if let Some(key) = registry.key(MACHINE).filter(of_this_name) {
            (key, path.as_str())
        } else {
            continue;
        };
        report.finding_in(
            "phase-and-hives",
            hive.to_owned(),
            [key.section].into(),
            format!(
                "the phase is bootexecute, and the registry answered for {what:.LONGEST_PATH$}"
            ),
        );
    }
}

fn page_files(evidence: &Evidence<'_>, report: &mut Report<'_>) {
    for answer in evidence.snapshot.answers().filter(is_complete) {
        let is_list = answer.source == Source::SYSTEM_INFORMATION && answer.succeeded();
        let Some(class) = PageFileClass::from_number(answer.class).filter(|_| is_list) else {
            continue;
        };
        let mut problems = Vec::new();
        let files = answer.decode(&mut problems, |buffer, problems| {
            decode::page_files(buffer, class, problems)
        });
        report.malformed(problems);
        // The kernel has paging files of its own, for what it compresses, which have no name.
        let mut names = files.iter().filter_map(|file| file.name.as_deref());
        if let Some(name) = names.find(|name| !name.is_empty()) {
            report.finding(
                "phase-and-page-file",
                name,
                &[&answer],
                format!("the phase is bootexecute, and there is a page file, {name}"),
            );
            return;
        }
    }
}
