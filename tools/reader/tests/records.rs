//! Whole snapshots, built from the recorded boots by the real writer, as people ask about them.

use std::collections::BTreeSet;

use bootshot_format::{Family, MemoryKind, NoteKind, Source};
use bootshot_reader::records::{Field, ParentStatus};
use bootshot_reader::{Completeness, Snapshot};
use serde_json::{Value, json};
use test_snapshots::{Builder, Entry, utf16};

fn recorded(wide: bool) -> Builder {
    if wide {
        Builder::recorded_x64()
    } else {
        Builder::recorded_x86()
    }
}

fn both() -> [(Vec<u8>, bool); 2] {
    [false, true].map(|wide| (recorded(wide).finish(), wide))
}

fn parse(file: &[u8]) -> Snapshot<'_> {
    let snapshot = Snapshot::parse(file).expect("a sound header");
    assert_eq!(snapshot.problems, []);
    snapshot
}

/// A number in `width` bytes.
fn number(value: u64, width: usize) -> Vec<u8> {
    value.to_le_bytes()[..width].to_vec()
}

/// A `UNICODE_STRING` at `address`, its characters right behind it.
fn string_behind(text: &str, address: u64, width: usize) -> Vec<u8> {
    let characters = utf16(text);
    let mut bytes = (characters.len() as u16).to_le_bytes().repeat(2);
    bytes.resize(width, 0);
    bytes.extend(number(address + 2 * width as u64, width));
    bytes.extend(characters);
    bytes
}

/// A `TOKEN_USER` or `TOKEN_MANDATORY_LABEL` at `address`.
fn sid_behind(authority: u8, part: u32, address: u64, width: usize) -> Vec<u8> {
    let mut bytes = number(address + 2 * width as u64, width);
    bytes.extend(number(0x60, width));
    bytes.extend([1, 1, 0, 0, 0, 0, 0, authority]);
    bytes.extend(part.to_le_bytes());
    bytes
}

#[test]
fn processes_have_the_documented_keys_in_order() {
    let file = Builder::recorded_x64().finish();
    let processes = serde_json::to_string(&parse(&file).processes().value[..1]).unwrap();
    assert_eq!(
        processes,
        r#"[{"pid":0,"parent_pid":0,"parent_status":null,"image":"Idle","path":null,"command_line":null,"#
            .to_owned()
            + r#""session":0,"create_time":null,"thread_count":1,"handle_count":0,"private_commit":0,"#
            + r#""working_set":20480,"private_working_set":null,"peak_working_set":20480,"virtual_size":4096,"#
            + r#""page_faults":0,"user_time":0,"kernel_time":4062500,"base_priority":0,"machine":null,"#
            + r#""subsystem":null,"image_status":"its path is not known","#
            + r#""protection":null,"user":null,"integrity":null,"job":null,"silo":null}]"#
    );
}

#[test]
fn processes_of_both_widths_are_those_of_the_boot() {
    for (file, wide) in both() {
        let snapshot = parse(&file);
        let reading = snapshot.processes();
        assert_eq!(reading.problems, []);
        let facts: Vec<_> = reading
            .value
            .iter()
            .map(|process| {
                (
                    process.image.as_deref().unwrap(),
                    process.parent_status,
                    process.thread_count,
                )
            })
            .collect();
        let alive = Some(ParentStatus::Alive);
        let (threads, recorder) = if wide {
            (17, "dump64.exe")
        } else {
            (18, "dump32.exe")
        };
        assert_eq!(
            facts,
            [
                ("Idle", None, 1),
                ("System", alive, threads),
                ("smss.exe", alive, 3),
                (recorder, alive, 1),
            ]
        );
        assert_eq!(reading.value[3].pid, snapshot.header.process_id);
        assert_eq!(reading.value[3].parent_pid, reading.value[2].pid);
        assert!(reading.value[3].create_time > reading.value[2].create_time);
        assert_eq!(snapshot.threads().value.len(), threads as usize + 5);
    }
}

#[test]
fn threads_name_state_wait_reason_and_process() {
    let file = Builder::recorded_x64().finish();
    let threads = serde_json::to_value(parse(&file).threads().value).unwrap();
    assert_eq!(
        threads[1],
        json!({
            "tid": 8, "pid": 4, "image": "System", "start_address": "0xfffff8000043399d",
            "win32_start_address": null, "state": "Waiting", "wait_reason": "UserRequest", "priority": 31,
            "create_time": "1601-01-01T00:00:00.2968750Z", "user_time": 0, "kernel_time": 8281250,
            "context_switches": 38,
        })
    );
    assert_eq!(threads[0]["wait_reason"], Value::Null, "it runs");
}

#[test]
fn a_process_is_joined_with_what_it_told_of_itself() {
    for wide in [false, true] {
        let mut builder = recorded(wide);
        let (width, address) = (if wide { 8 } else { 4 }, 0x50_0000);
        let plain = recorded(wide).finish();
        let smss = parse(&plain).processes().value[2].clone();
        let key = (smss.pid, smss.create_time.unwrap().ticks() as u64);
        let about = |class, bytes: &[u8]| {
            Entry::new(Source::PROCESS_INFORMATION, class, address, bytes).about(key.0, key.1)
        };
        let token = |class, bytes: &[u8]| {
            Entry::new(Source::TOKEN_INFORMATION, class, address, bytes).about(key.0, key.1)
        };
        builder.batch(
            Family::DETAILS,
            &[
                about(26, &number(0, width)),
                about(
                    27,
                    &string_behind("\\Device\\HarddiskVolume1\\smss.exe", address, width),
                ),
                about(
                    60,
                    &string_behind("\\SystemRoot\\System32\\smss.exe", address, width),
                ),
                about(61, &[0x61]),
                token(1, &sid_behind(5, 18, address, width)),
                token(25, &sid_behind(16, 0x4000, address, width)),
                // The same id at another time is another process.
                Entry::new(Source::PROCESS_INFORMATION, 61, address, &[0x72]).about(4, 12345),
            ],
        );
        let file = builder.finish();
        let reading = parse(&file).processes();
        assert_eq!(reading.problems, []);
        let processes = serde_json::to_value(reading.value).unwrap();
        let smss = &processes[2];
        assert_eq!(smss["path"], "\\Device\\HarddiskVolume1\\smss.exe");
        assert_eq!(smss["command_line"], "\\SystemRoot\\System32\\smss.exe");
        assert_eq!(smss["protection"], "light (WinTcb)");
        assert_eq!(smss["machine"], if wide { "x64" } else { "x86" });
        assert_eq!(smss["user"], "NT AUTHORITY\\SYSTEM");
        assert_eq!(smss["integrity"], "system");
        assert_eq!(processes[1]["protection"], Value::Null);
    }
}

#[test]
fn a_command_line_is_found_in_the_process_memory_of_old_systems() {
    let mut builder = Builder::recorded_x64();
    let plain = Builder::recorded_x64().finish();
    let smss = parse(&plain).processes().value[2].clone();
    let text = utf16("smss.exe /x");
    let mut parameters = vec![0; 0x80];
    parameters[0x70..0x72].copy_from_slice(&(text.len() as u16).to_le_bytes());
    parameters[0x78..0x80].copy_from_slice(&0x2_0720_u64.to_le_bytes());
    let memory = |kind: MemoryKind, address, bytes: &[u8]| {
        Entry::new(Source::PROCESS_MEMORY, kind.0, address, bytes)
            .about(smss.pid, smss.create_time.unwrap().ticks() as u64)
    };
    builder.batch(
        Family::DETAILS,
        &[
            memory(MemoryKind::PROCESS_PARAMETERS, 0x2_0000, &parameters),
            memory(MemoryKind::STRING, 0x2_0720, &text),
        ],
    );
    let file = builder.finish();
    let processes = parse(&file).processes().value;
    assert_eq!(processes[2].command_line.as_deref(), Some("smss.exe /x"));
}

/// A process of class 5 on x64 without threads.
fn process(pid: u64, parent: u64, create_time: i64) -> Vec<u8> {
    let mut bytes = vec![0; 0x100];
    bytes[0x20..0x28].copy_from_slice(&create_time.to_le_bytes());
    bytes[0x50..0x58].copy_from_slice(&pid.to_le_bytes());
    bytes[0x58..0x60].copy_from_slice(&parent.to_le_bytes());
    bytes
}

fn chain(mut entries: Vec<Vec<u8>>) -> Vec<u8> {
    let last = entries.len() - 1;
    for entry in &mut entries[..last] {
        let length = entry.len() as u32;
        entry[..4].copy_from_slice(&length.to_le_bytes());
    }
    entries.concat()
}

#[test]
fn a_parent_that_is_younger_than_its_child_is_another_process() {
    let mut builder = Builder::new(8);
    let processes = chain(vec![
        process(4, 0, 100),
        process(8, 4, 200),
        process(12, 16, 300),
        process(16, 4, 400),
        process(20, 99, 500),
    ]);
    builder.section(
        Family::PROCESSES,
        &Entry::new(Source::SYSTEM_INFORMATION, 5, 0, &processes),
    );
    let file = builder.finish();
    let statuses: Vec<_> = parse(&file)
        .processes()
        .value
        .iter()
        .map(|process| process.parent_status.unwrap())
        .collect();
    assert_eq!(
        statuses,
        [
            ParentStatus::Exited,
            ParentStatus::Alive,
            ParentStatus::PidReused,
            ParentStatus::Alive,
            ParentStatus::Exited,
        ]
    );
}

/// `NtQueryObject` class 3 on x64; without `told`, as before Windows 8.1, `TypeIndex` is padding.
fn type_table(names: &[&str], told: bool) -> Entry {
    let address = 0x7_0000;
    let mut table = number(names.len() as u64, 8);
    for (position, name) in names.iter().enumerate() {
        let mut entry = vec![0; 0x68];
        let characters = utf16(name);
        let start = address + table.len() as u64 + 0x68;
        entry[..2].copy_from_slice(&(characters.len() as u16).to_le_bytes());
        entry[2..4].copy_from_slice(&(characters.len() as u16 + 2).to_le_bytes());
        entry[8..16].copy_from_slice(&start.to_le_bytes());
        entry[0x10..0x14].copy_from_slice(&7_u32.to_le_bytes());
        entry[0x44..0x48].copy_from_slice(&0x2_0003_u32.to_le_bytes());
        entry[0x5A] = if told { position as u8 + 2 } else { 0 };
        entry.extend(characters);
        entry.extend([0; 2]);
        table.extend(entry);
        table.resize(table.len().next_multiple_of(8), 0);
    }
    Entry::new(Source::OBJECT_INFORMATION, 3, address, &table)
}

/// Class 64 on x64: process id, handle and type index.
fn handle_list(handles: &[(u64, u64, u64)]) -> Entry {
    let mut list = number(handles.len() as u64, 8);
    list.extend([0; 8]);
    for (pid, handle, index) in handles {
        for part in [0xFFFF_F8A0_0009_96D0, *pid, *handle, index << 48 | 9, 2] {
            list.extend(part.to_le_bytes());
        }
    }
    Entry::new(Source::SYSTEM_INFORMATION, 64, 0, &list)
}

/// What the capture notes of a handle of its own.
fn own_handle(handle: u64, type_name: &str) -> Entry {
    Entry::new(Source::NOTE, NoteKind::OWN_HANDLE.0, 0, &[])
        .about(handle, 0)
        .named(type_name)
}

/// The capture of snapshots that [`Builder::new`] begins.
const OWN_PID: u64 = 212;

fn types_of_handles(file: &[u8]) -> Vec<String> {
    parse(file)
        .handles()
        .value
        .iter()
        .map(|handle| handle.object_type.to_string())
        .collect()
}

#[test]
fn handles_are_named_by_the_type_table_and_their_rights_decoded() {
    let mut builder = Builder::new(8);
    builder
        .section(Family::TYPES, &type_table(&["Type", "Directory"], true))
        .section(Family::HANDLES, &handle_list(&[(4, 0x200, 3)]));
    let file = builder.finish();
    let snapshot = parse(&file);
    assert_eq!(
        serde_json::to_value(snapshot.handles().value).unwrap(),
        json!([{
            "pid": 4, "image": null, "handle": "0x200", "type": "Directory", "granted_access": "0x9",
            "access_names": ["DIRECTORY_QUERY", "DIRECTORY_CREATE_SUBDIRECTORY"],
            "handle_attributes": ["inherit"], "object_address": "0xfffff8a0000996d0",
            "name": null, "name_status": "not_asked", "name_error": null,
        }])
    );
    let types = serde_json::to_value(snapshot.types().value).unwrap();
    assert_eq!(types[1]["name"], "Directory");
    assert_eq!(types[1]["index"], 3);
    assert_eq!(types[1]["object_count"], 7);
    assert_eq!(types[1]["generic_mapping"]["read"], "0x20003");
}

#[test]
fn types_without_an_index_are_counted_from_two() {
    let mut builder = Builder::new(8);
    builder
        .section(
            Family::TYPES,
            &type_table(&["Type", "Directory", "Key"], false),
        )
        .section(Family::HANDLES, &handle_list(&[(4, 8, 4), (4, 12, 3)]));
    assert_eq!(types_of_handles(&builder.finish()), ["Key", "Directory"]);
}

#[test]
fn a_table_that_counts_otherwise_than_the_handle_list_is_aligned_by_our_own_handles() {
    let mut builder = Builder::new(8);
    builder
        .section(
            Family::TYPES,
            &type_table(&["Type", "Directory", "Key"], true),
        )
        .section(
            Family::HANDLES,
            &handle_list(&[(OWN_PID, 8, 2), (OWN_PID, 12, 1), (4, 16, 2)]),
        )
        .batch(
            Family::HANDLES,
            &[own_handle(8, "Key"), own_handle(12, "Directory")],
        );
    assert_eq!(
        types_of_handles(&builder.finish()),
        ["Key", "Directory", "Key"]
    );
}

#[test]
fn without_a_type_table_our_own_handles_name_the_types() {
    let mut builder = Builder::new(8);
    builder
        .section(
            Family::HANDLES,
            &handle_list(&[(OWN_PID, 8, 5), (OWN_PID, 12, 6), (4, 16, 5), (4, 20, 7)]),
        )
        .batch(
            Family::HANDLES,
            &[own_handle(8, "Key"), own_handle(12, "Token")],
        );
    let file = builder.finish();
    assert_eq!(types_of_handles(&file), ["Key", "Token", "Key", "type 7"]);
    let types = parse(&file).types().value;
    assert_eq!(types[0].name.as_deref(), Some("Key"));
    assert_eq!((types[0].index, types[0].handle_count), (Some(5), Some(2)));
}

#[test]
fn an_index_that_stands_for_two_types_names_none() {
    // The recorded systems put type index 0 everywhere.
    let file = Builder::recorded_x64().finish();
    let recorder = parse(&file).header.process_id;
    let handles = parse(&file).handles().value;
    let own: Vec<_> = handles
        .iter()
        .filter(|handle| handle.pid == recorder)
        .collect();
    let mut builder = Builder::recorded_x64();
    builder.batch(
        Family::HANDLES,
        &[
            own_handle(own[0].handle.0, "File"),
            own_handle(own[1].handle.0, "Token"),
        ],
    );
    let file = builder.finish();
    let types: BTreeSet<_> = parse(&file)
        .handles()
        .value
        .iter()
        .map(|handle| (handle.pid == recorder, handle.object_type.to_string()))
        .collect();
    assert!(types.contains(&(true, "File".to_owned())));
    assert!(types.contains(&(false, "type 0".to_owned())));
    assert!(!types.contains(&(false, "File".to_owned())));
}

#[test]
fn types_of_a_system_that_keeps_silent_come_from_its_namespace() {
    for (file, _) in both() {
        let types = parse(&file).types();
        assert_eq!(types.problems, []);
        assert_eq!(types.value.len(), 29);
        assert!(
            types
                .value
                .iter()
                .any(|entry| entry.name.as_deref() == Some("SymbolicLink"))
        );
    }
}

#[test]
fn memory_is_in_bytes() {
    let file = Builder::recorded_x64().finish();
    let memory = serde_json::to_value(parse(&file).memory().value).unwrap();
    // 0x3FF5A pages; 0x1BB pages committed.
    assert_eq!(memory["page_size"], 4096);
    assert_eq!(memory["physical"]["available"], 990_167_040);
    assert_eq!(memory["commit"]["limit"], 1_073_156_096);
    assert_eq!(
        memory["page_files"],
        json!([]),
        "answered, and there were none"
    );
    assert_eq!(memory["lists"], Value::Null, "not answered");
    assert_eq!(memory["registry"]["allowed"], 33_554_432);
}

#[test]
fn boot_shows_the_lists_the_options_and_the_debugger() {
    let mut list = number(0, 4);
    let data = utf16("autocheck autochk *\0bootshot\0\0");
    list.extend(7_u32.to_le_bytes());
    list.extend((data.len() as u32).to_le_bytes());
    list.extend(data);
    let mut option = number(0, 4);
    for part in [4_u32, 4, 2] {
        option.extend(part.to_le_bytes());
    }
    let value = |key: &str, name, bytes: &[u8]| {
        let path = format!("\\Registry\\Machine\\System\\CurrentControlSet\\Control\\{key}");
        Entry::new(Source::REGISTRY_VALUE, 2, 0x1000, bytes)
            .named(&path)
            .value(name)
    };
    let mut builder = Builder::recorded_x86();
    builder.batch(
        Family::REGISTRY,
        &[
            value("Session Manager", "BootExecute", &list),
            value("SafeBoot\\Option", "OptionValue", &option),
            value("Session Manager", "SetupExecute", &[]).status(0xC000_0034),
        ],
    );
    let file = builder.finish();
    let reading = parse(&file).boot();
    assert_eq!(reading.problems, []);
    let boot = serde_json::to_value(reading.value).unwrap();
    assert_eq!(
        boot["lists"]["boot_execute"],
        json!(["autocheck autochk *", "bootshot"])
    );
    assert_eq!(boot["lists"]["setup_execute"], Value::Null);
    assert_eq!(boot["safe_mode"]["option"], "network");
    assert_eq!(boot["safe_mode"]["active"], false);
    assert_eq!(boot["kernel_debugger"]["enabled"], true);
    assert_eq!(boot["boot_time"], "2026-11-20T11:37:47.6851008Z");
}

#[test]
fn the_peb_is_shown_field_by_field_in_both_widths() {
    for wide in [false, true] {
        let mut builder = recorded(wide);
        let file = recorded(wide).finish();
        let plain = parse(&file).peb().value;
        assert_eq!(find(&plain.fields, "OSBuildNumber"), Some("3790"));
        assert_eq!(find(&plain.fields, "ImageSubsystem"), Some("1"));
        let all_ones = if wide {
            "0xffffffffffffffff"
        } else {
            "0xffffffff"
        };
        assert_eq!(find(&plain.fields, "Mutant"), Some(all_ones));
        assert_eq!(find(&plain.fields, "ProcessParameters"), Some("0x20000"));
        assert_eq!(find(&plain.process_parameters, "CommandLine"), None);
        let names: Vec<_> = plain.fields.iter().map(|field| field.name).collect();
        assert!(names.contains(&"FlsCallback"), "the fields of that system");
        assert!(
            !names.contains(&"ActiveCodePage"),
            "and not those of a later one"
        );
        assert!(plain.fields.is_sorted_by_key(|field| field.offset));

        // The string itself, captured as a piece of its own, where the process parameters say it is.
        let snapshot = parse(&file);
        let parameters = snapshot
            .answered(Source::OWN_MEMORY, MemoryKind::PROCESS_PARAMETERS.0)
            .next()
            .unwrap();
        let (offset, width) = if wide { (0x70, 8) } else { (0x40, 4) };
        let length = u16::from_le_bytes([parameters.bytes[offset], parameters.bytes[offset + 1]]);
        let place = parameters.bytes[offset + width..][..width]
            .iter()
            .rev()
            .fold(0, |value, byte| value << 8 | u64::from(*byte));
        let text: String = "bootshot phase=live"
            .chars()
            .cycle()
            .take(length as usize / 2)
            .collect();
        let string = Entry::new(
            Source::OWN_MEMORY,
            MemoryKind::STRING.0,
            place,
            &utf16(&text),
        );
        builder.batch(Family::OWN, &[string]);
        let file = builder.finish();
        let resolved = parse(&file).peb().value;
        assert_eq!(
            find(&resolved.process_parameters, "CommandLine"),
            Some(&text[..])
        );
    }
}

fn find<'a>(fields: &'a [Field], name: &str) -> Option<&'a str> {
    fields
        .iter()
        .find(|field| field.name == name)?
        .value
        .as_deref()
}

#[test]
fn the_summary_says_what_every_question_came_to() {
    let file = Builder::recorded_x64().finish();
    let snapshot = parse(&file);
    assert_eq!(snapshot.completeness(), Completeness::Complete);
    let summary = serde_json::to_value(snapshot.summary().value).unwrap();
    assert_eq!(summary["phase"], "bootexecute");
    assert_eq!(summary["completeness"], "complete");
    assert_eq!(summary["start_time"], "2026-01-02T03:04:05.0000000Z");
    assert_eq!(summary["system"]["nt_version"], "5.2.3790");
    assert_eq!(
        summary["counts"],
        json!({"processes": 4, "threads": 22, "handles": 41, "types": 29, "modules": 20})
    );
    assert_eq!(
        summary["privileges"],
        json!([{"name": "SeBackupPrivilege", "held": false}, {"name": "SeDebugPrivilege", "held": true}])
    );
    let sections = summary["sections"].as_array().unwrap();
    let class = |number: u64| {
        sections
            .iter()
            .find(|section| {
                section["class"] == number && section["source"] == "NtQuerySystemInformation"
            })
            .unwrap()
    };
    assert_eq!(class(5)["count"], 4);
    assert_eq!(class(5)["duration"], 500);
    assert_eq!(class(57)["status"], "0xC0000002");
    assert_eq!(class(57)["status_name"], "STATUS_NOT_IMPLEMENTED");
    assert_eq!(class(57)["outcome"], "failed");
    assert_eq!(class(145)["class_name"], "SystemSecureBootInformation");
}

#[test]
fn a_question_without_an_answer_is_a_problem_that_says_why() {
    let mut builder = Builder::new(4);
    let failed = Entry::new(Source::SYSTEM_INFORMATION, 11, 0, &[]).status(0xC000_0022);
    builder.section(Family::MODULES, &failed);
    let file = builder.finish();
    let reading = parse(&file).modules();
    assert!(reading.value.is_empty());
    assert_eq!(
        reading.problems[0].actual,
        "0xC0000022 STATUS_ACCESS_DENIED"
    );
    assert_eq!(parse(&file).handles().problems[0].actual, "not captured");
}

#[test]
fn a_problem_inside_an_answer_says_where_in_the_section_it_is() {
    let mut processes = process(4, 0, 1);
    processes[4..8].copy_from_slice(&9_u32.to_le_bytes());
    processes.resize(processes.len() + 0x40, 0);
    let mut builder = Builder::new(8);
    builder.batch(
        Family::SYSTEM,
        &[
            Entry::new(Source::NOTE, NoteKind::BAD_ARGUMENT.0, 0, &[]).named("x"),
            Entry::new(Source::SYSTEM_INFORMATION, 5, 0, &processes),
        ],
    );
    let file = builder.finish();
    let problems = parse(&file).processes().problems;
    // One item of a header of two words and a padded name, then the header of the second, of one word.
    assert_eq!(
        (problems[0].section, problems[0].offset),
        (Some(0), 16 + 8 + 8)
    );
    assert_eq!(
        problems[0].what,
        "SYSTEM_PROCESS_INFORMATION.NumberOfThreads"
    );
    assert_eq!(problems[0].actual, "9");
}

/// It compiles: that is the test.
#[test]
fn what_stands_in_public_fields_can_be_named_from_the_reader_alone() {
    use bootshot_reader as reader;

    fn of_header(
        header: &reader::Header,
    ) -> (reader::Phase, reader::PhaseSource, reader::Presence) {
        (header.phase, header.phase_source, header.csrss_at_start)
    }
    fn of_section(
        section: &reader::Section<'_>,
    ) -> (
        reader::SectionBegin,
        Option<reader::SectionEnd>,
        reader::Encoding,
    ) {
        (section.begin, section.end, section.begin.encoding)
    }
    fn of_answer(answer: &reader::Answer<'_>) -> (reader::Family, reader::Source, reader::Outcome) {
        (answer.family, answer.source, answer.outcome)
    }
    fn of_item(item: reader::Item<'_>) -> reader::ItemHeader {
        item.header
    }
    fn of_trailer(trailer: reader::Trailer) -> reader::FinishedBy {
        trailer.finished_by
    }
    let file = include_bytes!("../golden/v1-wine8-x64-live.bshot");
    let snapshot = parse(file);
    let batch = snapshot.sections.iter().find(|section| section.is_batch());
    let batch = batch.expect("the capture's own notes");
    let item = batch
        .payload
        .items()
        .next()
        .expect("with items")
        .expect("they are sound");
    let answer = snapshot.answers_in(batch).next().expect("the same item");
    assert_eq!(of_item(item).source, of_answer(&answer).1);
    assert!(of_section(batch).2.is_batch());
    assert_eq!(of_header(&snapshot.header).0, snapshot.header.phase);
    assert_eq!(
        snapshot.trailer.map(of_trailer),
        Some(reader::FinishedBy::CAPTURE)
    );
    let directory = bootshot_reader::names::object_kind(reader::ObjectKind::DIRECTORY);
    assert_eq!(directory, Some("Directory"));
}
