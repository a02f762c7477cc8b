//! What a snapshot says, held against what the simulated kernel answered.

use crate::{boot, capture, files, only_snapshot, status, text};
use bootshot::nt::Status;
use bootshot::nt::simulated::{
    BOOT_TIME, Call, FileSystem, Given, Machine, Module, Own, Process, Run, USER_SHARED_DATA,
};
use bootshot_format::{
    Family, FinishedBy, Item, MemoryKind, NoteKind, OpenKind, Outcome, Phase, PhaseSource,
    Presence, Source,
};

#[cfg(target_pointer_width = "64")]
const RECORDING: &[u8] = include_bytes!("../../tools/reader/fixtures/boot-nt52-x64.ntd");
#[cfg(target_pointer_width = "32")]
const RECORDING: &[u8] = include_bytes!("../../tools/reader/fixtures/boot-nt52-x86.ntd");

/// `OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION`.
const OWNER_AND_DACL: u32 = 5;

/// Calls of a name that answered something, with their answers.
fn answers<'r>(run: &'r Run<Status>, name: &str) -> Vec<(&'r Call, &'r Given)> {
    let calls = run.calls.iter().filter(|call| call.name == name);
    calls
        .filter_map(|call| Some((call, call.answer.as_ref()?)))
        .collect()
}

/// The system call behind a source that asks one.
fn call_of(source: Source) -> Option<&'static str> {
    Some(match source {
        Source::SYSTEM_INFORMATION => "NtQuerySystemInformation",
        Source::OBJECT_INFORMATION => "NtQueryObject",
        Source::PROCESS_INFORMATION => "NtQueryInformationProcess",
        Source::TOKEN_INFORMATION => "NtQueryInformationToken",
        Source::REGISTRY_VALUE => "NtQueryValueKey",
        Source::KEY_INFORMATION => "NtQueryKey",
        Source::FIRMWARE_VARIABLES => "NtEnumerateSystemEnvironmentValuesEx",
        Source::FILE_INFORMATION => "NtQueryInformationFile",
        Source::DIRECTORY_OBJECT => "NtQueryDirectoryObject",
        Source::SYMBOLIC_LINK => "NtQuerySymbolicLinkObject",
        Source::PROCESS_HANDLE => "NtQueryInformationProcess",
        Source::THREAD_HANDLE => "NtQueryInformationThread",
        Source::JOB_INFORMATION => "NtQueryInformationJobObject",
        _ => return None,
    })
}

/// Whether a call is the one an item was made of, judged by who was asked what.
fn asked(item: &Item<'_>, call: &Call) -> bool {
    let header = &item.header;
    let names = [text(item.name), text(item.value_name)];
    match header.source {
        Source::PROCESS_INFORMATION | Source::TOKEN_INFORMATION => {
            call.argument == u64::from(header.class) && call.process == Some(header.argument)
        }
        Source::REGISTRY_VALUE => call.text.eq_ignore_ascii_case(&names.join("\\")),
        Source::DIRECTORY_OBJECT => call.handle == header.argument2,
        Source::SYMBOLIC_LINK
        | Source::PROCESS_HANDLE
        | Source::THREAD_HANDLE
        | Source::JOB_INFORMATION => {
            call.argument == u64::from(header.class) && call.handle == header.argument
        }
        _ => call.argument == u64::from(header.class),
    }
}

/// Every raw section and every item holds the bytes, status, length and address of a call that asked just that; returns
/// how many were compared.
#[track_caller]
fn assert_recorded_as_answered(snapshot: &crate::Snapshot, run: &Run<Status>) -> usize {
    let mut compared = 0;
    for section in &snapshot.sections {
        let (begin, end) = (&section.begin, &section.end);
        let Some(name) = call_of(begin.source) else {
            continue;
        };
        let found = answers(run, name).into_iter().any(|(call, given)| {
            call.argument == u64::from(begin.class)
                && given.status.number() == end.status
                && given.length as u64 == end.returned_length
                && given.address as u64 == end.buffer_address
                && given.capacity as u64 == end.buffer_length
                && (given.bytes == section.payload
                    || !given.status.is_success() && section.payload.is_empty())
        });
        assert!(found, "{begin:?} {end:?}");
        compared += 1;
    }
    for item in snapshot.items() {
        let header = &item.header;
        let Some(name) = call_of(header.source) else {
            continue;
        };
        let found = answers(run, name).into_iter().any(|(call, given)| {
            asked(&item, call)
                && given.status.number() == header.status
                && given.length as u32 == header.returned_length
                && given.address as u64 == header.buffer_address
                && (given.bytes == item.data || !given.status.is_success() && item.data.is_empty())
        });
        assert!(found, "{header:?} {:?}", text(item.name));
        compared += 1;
    }
    compared
}

#[test]
fn a_run_leaves_one_complete_snapshot_and_nothing_else() {
    let (snapshot, run) = capture(Machine::small());
    let names: Vec<_> = files(&run.machine).into_keys().collect();
    assert_eq!(
        names,
        [
            "00000001-20261120T060005Z-bootexecute.bshot",
            "sequence-00000001"
        ]
    );
    assert_eq!(snapshot.trailer.finished_by, FinishedBy::CAPTURE);
    assert_eq!(snapshot.trailer.csrss_at_end, Presence::ABSENT);
    for family in Family::ALL {
        let outcomes = snapshot.outcomes(family);
        let expected = match family {
            Family::IMAGES => Outcome::SKIPPED_BY_PHASE,
            _ => Outcome::COMPLETE,
        };
        assert!(
            outcomes.contains(&expected),
            "{}: {outcomes:?}",
            family.name()
        );
    }
    // Before anything else, hard errors are made to fail.
    assert_eq!(run.calls[0].name, "NtSetInformationProcess");
    assert!(run.hard_error_mode.is_some());
}

#[test]
fn the_header_says_what_the_machine_is() {
    let machine = Machine::small();
    let (snapshot, run) = capture(machine.clone());
    let header = &snapshot.header;
    assert_eq!(usize::from(header.pointer_width), size_of::<usize>());
    assert_eq!(
        (header.phase, header.phase_source),
        (Phase::BOOT_EXECUTE, PhaseSource::OBSERVED)
    );
    assert_eq!(header.csrss_at_start, Presence::ABSENT);
    assert_eq!(
        (header.nt_major, header.nt_minor, header.nt_build),
        (10, 0, 26100)
    );
    assert_eq!((header.boot_id, header.boot_time), (77, BOOT_TIME));
    assert_eq!((header.process_id, header.sequence), (machine.own_id, 1));
    assert_eq!(
        (header.page_size, header.performance_frequency),
        (0x1000, 10_000_000)
    );
    let second = 10_000_000;
    assert!((0..second).contains(&(header.system_time - machine.system_time)));
    assert!((0..second as u64).contains(&(header.interrupt_time - machine.interrupt_time)));
    let trailer = &snapshot.trailer;
    assert!(
        trailer.system_time > header.system_time && trailer.interrupt_time > header.interrupt_time
    );
    assert!(trailer.performance_counter > header.performance_counter);
    // Debug, backup, restore, security, system profile.
    let wanted = [20, 17, 18, 8, 11]
        .iter()
        .fold(0, |bits, luid| bits | 1 << luid);
    assert_eq!(header.privileges_wanted & wanted, wanted);
    assert_eq!(header.privileges_held, header.privileges_wanted);
    let enabled = run
        .enabled_privileges
        .iter()
        .fold(0u64, |bits, luid| bits | 1 << luid);
    assert_eq!(enabled, header.privileges_held);
}

#[test]
fn every_section_holds_the_bytes_that_the_kernel_gave() {
    let (snapshot, run) = capture(Machine::small());
    let compared = assert_recorded_as_answered(&snapshot, &run);
    println!("{compared} answers compared");
    assert!(compared > 50, "{compared}");
    // And no question that was asked for the snapshot is missing from it.
    for (call, given) in answers(&run, "NtQuerySystemInformation") {
        let item = snapshot.items_of(Source::SYSTEM_INFORMATION, call.argument as u32);
        let section = snapshot.raw(Source::SYSTEM_INFORMATION, call.argument as u32);
        // Class 5 is asked for the bootshot's own use as well.
        assert!(
            !item.is_empty() || section.is_some() || call.argument == 5,
            "{call:?} {given:?}"
        );
    }
}

#[test]
fn own_memory_is_recorded_as_it_stood() {
    let own = Own {
        command_line: "bootshot verbose".into(),
        ..Own::default()
    };
    let mut machine = Machine::small();
    machine.make_space(&own);
    let memory = machine.memory.clone();
    let peb = machine.peb;
    let (snapshot, _) = capture(machine);
    let items = |kind: MemoryKind| snapshot.items_of(Source::OWN_MEMORY, kind.0);
    let peb_item = &items(MemoryKind::PEB)[0];
    assert_eq!(
        (peb_item.header.buffer_address, peb_item.data),
        (peb, memory[&peb].as_slice())
    );
    let shared = &items(MemoryKind::USER_SHARED_DATA)[0];
    assert_eq!(
        (shared.header.buffer_address, shared.data.len()),
        (USER_SHARED_DATA, 0x1000)
    );
    // Behind the two times at its start, which run.
    assert_eq!(shared.data[0x20..], memory[&USER_SHARED_DATA][0x20..]);
    let parameters = &items(MemoryKind::PROCESS_PARAMETERS)[0];
    let page = &memory[&parameters.header.buffer_address];
    let length = u32::from_ne_bytes(page[4..8].try_into().unwrap()) as usize;
    assert_eq!(parameters.data, &page[..length]);
    let strings: Vec<_> = items(MemoryKind::STRING)
        .iter()
        .map(|item| text(item.data))
        .collect();
    for string in [
        own.command_line.as_str(),
        &own.image_path,
        r"C:\Windows\System32\",
        r"WinSta0\Default",
    ] {
        assert!(
            strings.iter().any(|found| found == string),
            "{string} is not in {strings:?}"
        );
    }
    let environment = text(items(MemoryKind::ENVIRONMENT)[0].data);
    let variables: Vec<_> = environment.trim_end_matches('\0').split('\0').collect();
    assert_eq!(variables, own.environment);
}

#[test]
fn an_unmapped_page_costs_only_what_is_behind_it() {
    /// `RTL_USER_PROCESS_PARAMETERS.EnvironmentSize`.
    const ENVIRONMENT_SIZE: usize = if size_of::<usize>() == 8 {
        0x3F0
    } else {
        0x290
    };
    let mut machine = Machine::small();
    let (_, run) = capture(machine.clone());
    let parameters = only_snapshot(&run.machine)
        .items_of(Source::OWN_MEMORY, MemoryKind::PROCESS_PARAMETERS.0)[0]
        .header
        .buffer_address;
    let page = machine.memory.get_mut(&parameters).unwrap();
    page[ENVIRONMENT_SIZE..ENVIRONMENT_SIZE + 4].copy_from_slice(&0x3000u32.to_ne_bytes());
    let (snapshot, _) = capture(machine);
    let environment = snapshot.items_of(Source::OWN_MEMORY, MemoryKind::ENVIRONMENT.0);
    assert_eq!(environment[0].data.len(), 0x1000);
}

#[test]
fn a_process_that_cannot_read_its_command_line_writes_nothing() {
    let mut machine = Machine::small();
    machine.memory.clear();
    let run = boot(machine);
    assert_eq!(status(&run), Status::INVALID_PARAMETER);
    run.assert_clean();
    assert!(run.machine.files.list(crate::DIRECTORY).is_none());
}

#[test]
fn a_process_that_cannot_read_the_rest_of_itself_still_photographs_the_system() {
    let mut machine = Machine::small();
    machine.memory.remove(&USER_SHARED_DATA);
    let (snapshot, _) = capture(machine);
    let processes = snapshot.outcomes(Family::PROCESSES);
    assert!(processes.contains(&Outcome::COMPLETE));
}

#[test]
fn each_process_that_can_be_opened_tells_of_itself() {
    let mut machine = Machine::small();
    machine
        .processes
        .push(Process::new(500, 348, "autochk.exe"));
    let (snapshot, _) = capture(machine.clone());
    for process in &machine.processes[1..] {
        let one = |source, class| {
            let items = snapshot.items_of(source, class);
            let mine = items.into_iter().find(|item| {
                item.header.argument == process.id
                    && item.header.argument2 == process.create_time as u64
            });
            mine.unwrap_or_else(|| panic!("{source:?} {class} of {}", process.name))
        };
        let path = format!(r"\Device\HarddiskVolume1\Windows\System32\{}", process.name);
        assert!(text(one(Source::PROCESS_INFORMATION, 27).data).contains(&path));
        assert!(
            text(one(Source::PROCESS_INFORMATION, 60).data)
                .contains(&format!("{} -k", process.name))
        );
        for class in [26, 61, 64] {
            assert_eq!(
                one(Source::PROCESS_INFORMATION, class).header.outcome,
                Outcome::COMPLETE
            );
        }
        for class in [1, 25] {
            assert_eq!(
                one(Source::TOKEN_INFORMATION, class).header.outcome,
                Outcome::COMPLETE
            );
        }
    }
}

#[test]
fn a_process_that_refuses_everything_is_recorded_as_refusing() {
    let mut machine = Machine::small();
    for process in &mut machine.processes[1..4] {
        process.refused_access = u32::MAX;
    }
    let refusing: Vec<_> = machine.processes[1..4]
        .iter()
        .map(|process| process.id)
        .collect();
    let (snapshot, _) = capture(machine);
    let refused = snapshot.items_of(Source::OPEN, OpenKind::PROCESS.0);
    let ids: Vec<_> = refused.iter().map(|item| item.header.argument).collect();
    assert_eq!(ids, refusing);
    assert!(
        refused
            .iter()
            .all(|item| item.header.status == Status::ACCESS_DENIED.number())
    );
}

#[test]
fn a_token_that_cannot_be_opened_is_recorded_as_such() {
    let mut machine = Machine::small();
    machine.processes[3].token.clear();
    let id = machine.processes[3].id;
    let (snapshot, _) = capture(machine);
    let refused = snapshot.items_of(Source::OPEN, OpenKind::PROCESS_TOKEN.0);
    assert_eq!(refused.len(), 1);
    assert_eq!(
        (refused[0].header.argument, refused[0].header.status),
        (id, Status::ACCESS_DENIED.number())
    );
}

#[test]
fn the_phase_is_worked_out_from_csrss_and_the_software_hive() {
    let software = r"\Registry\Machine\Software";
    let mut setup = Machine::small();
    setup.set_value(software, "", (1, Vec::new()));
    let mut live = setup.clone();
    live.processes.push(Process::new(600, 348, "CSRSS.EXE"));
    for (machine, phase, csrss) in [
        (Machine::small(), Phase::BOOT_EXECUTE, Presence::ABSENT),
        (setup, Phase::SETUP_EXECUTE, Presence::ABSENT),
        (live, Phase::LIVE, Presence::PRESENT),
    ] {
        let (snapshot, run) = capture(machine);
        let header = &snapshot.header;
        assert_eq!(
            (header.phase, header.phase_source),
            (phase, PhaseSource::OBSERVED)
        );
        assert_eq!(
            (header.csrss_at_start, snapshot.trailer.csrss_at_end),
            (csrss, csrss)
        );
        let name = crate::snapshot_names(&run.machine).remove(0);
        assert!(
            name.ends_with(&format!("-{}.bshot", phase.name())),
            "{name}"
        );
    }
}

#[test]
fn what_an_old_kernel_lacks_is_asked_the_old_way() {
    let mut machine = Machine::small();
    machine.unknown_classes.extend([57, 64, 77, 148]);
    let (snapshot, run) = capture(machine);
    assert_recorded_as_answered(&snapshot, &run);
    for (newer, older) in [(57, 5), (64, 16), (77, 11)] {
        let missing = snapshot.raw(Source::SYSTEM_INFORMATION, newer).unwrap();
        assert_eq!(
            (missing.end.outcome, missing.end.status),
            (Outcome::FAILED, Status::INVALID_INFO_CLASS.number())
        );
        let answered = snapshot.raw(Source::SYSTEM_INFORMATION, older).unwrap();
        assert_eq!(answered.end.outcome, Outcome::COMPLETE);
        assert!(!answered.payload.is_empty());
    }
    // Where the newer class answers, the older one is not asked for the snapshot.
    let (snapshot, _) = capture(Machine::small());
    for older in [5, 16, 11] {
        assert!(snapshot.raw(Source::SYSTEM_INFORMATION, older).is_none());
    }
}

#[test]
fn without_object_types_their_names_come_from_the_namespace_and_own_handles() {
    for single_entries_only in [false, true] {
        let machine = Machine {
            types_answer: false,
            single_entries_only,
            ..Machine::small()
        };
        let types = machine.types.clone();
        let (snapshot, run) = capture(machine.clone());
        assert_recorded_as_answered(&snapshot, &run);
        let asked = snapshot.raw(Source::OBJECT_INFORMATION, 3).unwrap();
        assert_eq!(
            (asked.end.outcome, asked.end.status),
            (Outcome::FAILED, Status::NOT_IMPLEMENTED.number())
        );
        let listed = snapshot.items_of(Source::DIRECTORY_OBJECT, 0);
        let listed: String = listed.iter().map(|item| text(item.data)).collect();
        assert!(types.iter().all(|name| listed.contains(name.as_str())));
        // Each noted handle of our own stands in the handle list, with the index of the type that was noted.
        let handles = snapshot.raw(Source::SYSTEM_INFORMATION, 64).unwrap();
        let notes = snapshot.items_of(Source::NOTE, NoteKind::OWN_HANDLE.0);
        assert!(notes.len() >= 4, "{} handles noted", notes.len());
        for note in notes {
            let word = |bytes: &[u8]| usize::from_ne_bytes(bytes.try_into().unwrap()) as u64;
            let wide = size_of::<usize>();
            let entries = handles.payload[2 * wide..].chunks_exact(3 * wide + 16);
            let mut own = entries.filter(|entry| {
                word(&entry[wide..2 * wide]) == machine.own_id
                    && word(&entry[2 * wide..3 * wide]) == note.header.argument
            });
            let entry = own
                .next()
                .expect("the handle was open while the list was taken");
            let index = u16::from_ne_bytes([entry[3 * wide + 6], entry[3 * wide + 7]]);
            assert_eq!(machine.types[usize::from(index) - 2], text(note.name));
        }
    }
}

#[test]
fn answers_that_outgrow_the_buffer_are_asked_again_until_they_fit() {
    let mut machine = Machine::small();
    let entry = machine.handles[0];
    machine
        .handles
        .extend((0..30_000).map(|n| bootshot::nt::simulated::HandleEntry {
            value: 0x1000 + n * 4,
            ..entry
        }));
    machine.modules.extend((0..2_000).map(|n| Module {
        path: format!(r"\driver{n}.sys"),
        base: n << 20,
        size: 1,
    }));
    let (snapshot, run) = capture(machine);
    assert_recorded_as_answered(&snapshot, &run);
    let handles = snapshot.raw(Source::SYSTEM_INFORMATION, 64).unwrap();
    assert_eq!(
        (handles.end.outcome, handles.end.tries),
        (Outcome::COMPLETE, 2)
    );
    assert!(handles.payload.len() > 30_000 * 28);
}

#[test]
fn directory_and_snapshot_are_for_administrators_only() {
    let (snapshot, run) = capture(Machine::small());
    let disk = &run.machine.files;
    let name = &crate::snapshot_names(&run.machine)[0];
    let descriptor = |path: &str| disk.security_of(path).unwrap().descriptor(OWNER_AND_DACL);
    let directory = descriptor(crate::DIRECTORY);
    let file = descriptor(&format!(r"{}\{name}", crate::DIRECTORY));
    for security in [&directory, &file] {
        // Self-relative, protected, DACL present; two entries, for S-1-5-18 and S-1-5-32-544.
        assert_eq!(security[..4], [1, 0, 0x04, 0x90]);
        let dacl = u32::from_le_bytes(security[16..20].try_into().unwrap()) as usize;
        assert_eq!(security[dacl + 4], 2);
        assert_eq!(
            security[dacl + 16..][..12],
            [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0]
        );
        assert_eq!(
            security[dacl + 36..][..16],
            [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0]
        );
    }
    let noted = &snapshot.items_of(Source::NOTE, NoteKind::OUTPUT_DIRECTORY.0)[0];
    assert_eq!(
        (text(noted.name).as_str(), noted.data),
        (r"\SystemRoot\bootshot", directory.as_slice())
    );
}

#[test]
fn on_fat_the_missing_protection_is_recorded() {
    let machine = Machine {
        files: FileSystem::fat32(1 << 30),
        ..Machine::small()
    };
    let (snapshot, run) = capture(machine);
    let directory = run.machine.files.security_of(crate::DIRECTORY).unwrap();
    let directory = directory.descriptor(OWNER_AND_DACL);
    assert_eq!(
        snapshot.items_of(Source::NOTE, NoteKind::OUTPUT_DIRECTORY.0)[0].data,
        directory
    );
    let file_system =
        text(&snapshot.items_of(Source::NOTE, NoteKind::OUTPUT_FILE_SYSTEM.0)[0].data[12..]);
    assert_eq!(file_system, "FAT32");
}

#[test]
fn at_boot_five_lines_are_shown_at_most() {
    let run = boot(Machine::small());
    let lines: Vec<_> = run.console.lines().collect();
    assert!((2..=5).contains(&lines.len()), "{lines:#?}");
    assert!(
        lines[0].contains("bootexecute") && lines[0].contains("26100"),
        "{lines:#?}"
    );
    assert!(
        lines
            .last()
            .unwrap()
            .contains("00000001-20261120T060005Z-bootexecute.bshot"),
        "{lines:#?}"
    );
}

#[test]
fn under_a_launcher_the_same_text_goes_to_standard_output() {
    let mut machine = Machine {
        console: false,
        standard_output: 0x1C,
        ..Machine::small()
    };
    machine.make_space(&Own {
        command_line: "bootshot verbose phase=live".into(),
        ..Own::default()
    });
    let (_, run) = capture(machine);
    let output = String::from_utf8(run.output).unwrap();
    assert!(run.console.is_empty());
    for family in Family::ALL {
        assert!(
            output.contains(&format!("\r\n  {} ", family.name())),
            "{output}"
        );
    }
}

#[test]
fn a_recorded_machine_is_captured_as_it_was_recorded() {
    let (snapshot, run) = capture(Machine::recorded(RECORDING));
    assert_recorded_as_answered(&snapshot, &run);
    let header = &snapshot.header;
    assert_eq!(
        (header.phase, header.nt_major, header.nt_minor),
        (Phase::BOOT_EXECUTE, 5, 2)
    );
    for (class, length) in [(5, 2848), (64, 1656), (11, 5928)] {
        let section = snapshot.raw(Source::SYSTEM_INFORMATION, class).unwrap();
        let expected = if size_of::<usize>() == 8 {
            length
        } else {
            section.payload.len()
        };
        assert_eq!(
            (section.end.outcome, section.payload.len()),
            (Outcome::COMPLETE, expected),
            "{class}"
        );
    }
    for (class, status) in [
        (57, Status::NOT_IMPLEMENTED),
        (148, Status::INVALID_INFO_CLASS),
        (77, Status::INVALID_INFO_CLASS),
    ] {
        let section = snapshot.raw(Source::SYSTEM_INFORMATION, class).unwrap();
        assert_eq!(
            (section.end.outcome, section.end.status),
            (Outcome::FAILED, status.number()),
            "{class}"
        );
    }
    let listed = snapshot.items_of(Source::DIRECTORY_OBJECT, 0);
    assert!(
        listed
            .iter()
            .any(|item| text(item.data).contains("WmiGuid")),
        "{} items",
        listed.len()
    );
    assert_eq!(status(&run), Status::SUCCESS);
}
