//! Files made by somebody who wants to harm: every checksum is valid, everything else is a lie. Whatever they say, reading
//! ends, never panics, and takes no more memory or work than a small multiple of the file.
//!
//! The fuzz targets in `fuzz/` do the same without end, guided by coverage; this is the part of it that always runs.

use bootshot_format::{
    Encoding, Family, Header, ObjectKind, RecordHeader, RecordKind, SectionBegin, Source, padded,
    xxh64,
};
use bootshot_reader::Snapshot;
use bootshot_reader::layout::PointerWidth;
use test_snapshots::costly;
use test_snapshots::objects::{self, BasicInformation};
use test_snapshots::{Builder, Data, Entry};

#[path = "../../../fuzz/src/limits.rs"]
mod limits;
#[path = "../../../fuzz/src/meter.rs"]
mod meter;
#[path = "../../../fuzz/src/mutate.rs"]
mod mutate;
#[path = "../../../fuzz/src/questions.rs"]
mod questions;
#[path = "../../../fuzz/src/snapshots.rs"]
mod snapshots;

use mutate::{Parts, Random};

#[global_allocator]
static METER: meter::Meter = meter::Meter;

const SNAPSHOTS_MUTATED: usize = 1_500;
const PAYLOADS_MUTATED: usize = 40_000;

/// Mutation of what nobody understands anyway would show nothing.
#[test]
fn what_is_mutated_is_sound_before() {
    for (name, file) in snapshots::snapshots() {
        let snapshot = Snapshot::parse(&file).expect("it is one of ours");
        assert_eq!(snapshot.problems, []);
        if !name.starts_with("invented") {
            continue;
        }
        let (processes, modules) = (snapshot.processes(), snapshot.modules());
        let (memory, boot) = (snapshot.memory(), snapshot.boot());
        let problems = [
            processes.problems,
            modules.problems,
            memory.problems,
            boot.problems,
        ];
        assert_eq!(problems.concat(), []);
        let [first, second] = &processes.value[..] else {
            panic!("{} processes", processes.value.len());
        };
        assert!(first.command_line.is_some() && second.user.is_some());
        assert_eq!(snapshot.threads().value.len(), 2);
        assert_eq!(modules.value.len(), 2);
        assert_eq!(memory.value.page_files.map(|files| files.len()), Some(2));
        assert_eq!(boot.value.lists.execute.map(|list| list.len()), Some(2));
    }
}

#[test]
fn mutated_snapshots_with_valid_checksums_cost_no_more_than_they_may() {
    let files = snapshots::snapshots();
    let mut read = 0;
    for case in 0..SNAPSHOTS_MUTATED {
        let mut random = Random::new(case as u64);
        let (_, file) = &files[case % files.len()];
        let mut parts = Parts::of(file).expect("it is one of ours");
        for _ in 0..=random.below(8) {
            parts.mutate(&mut random);
        }
        let mutated = parts.seal();
        if questions::ask_everything(&mutated).is_some() {
            read += 1;
        }
        questions::salvage_it(&mutated);
        questions::verify_it(&mutated);
    }
    println!("{SNAPSHOTS_MUTATED} mutated snapshots, {read} of them read");
    assert_eq!(read, SNAPSHOTS_MUTATED, "every header was sealed again");
}

#[test]
fn mutated_payloads_cost_no_more_than_they_may() {
    let payloads = snapshots::payloads();
    for case in 0..PAYLOADS_MUTATED {
        let mut random = Random::new(case as u64);
        let (width, address, bytes) = &payloads[case % payloads.len()];
        let mut bytes = bytes.clone();
        for _ in 0..=random.below(4) {
            mutate::change_number(&mut bytes, *address, &mut random);
        }
        let width = PointerWidth::from_bytes(*width).expect("4 or 8");
        for decoder in 0..questions::DECODERS.len() {
            questions::decode(decoder, &bytes, *address, width);
        }
    }
    println!(
        "{PAYLOADS_MUTATED} mutated payloads through {} decoders",
        questions::DECODERS.len()
    );
}

/// Reads a file within its limits.
#[track_caller]
fn ask(file: &[u8]) {
    assert!(questions::ask_everything(file).is_some());
    questions::salvage_it(file);
    questions::verify_it(file);
}

/// A record with valid checksums, wherever it may stand.
fn record(kind: RecordKind, section: u32, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let mut padded_payload = payload.to_vec();
    padded_payload.resize(padded(payload.len()), 0);
    let header = RecordHeader {
        kind,
        payload_length: payload.len() as u32,
        snapshot_id: test_snapshots::header(8).snapshot_id,
        section,
        sequence,
        payload_checksum: xxh64(&padded_payload),
        checksum: 0,
    };
    [&header.seal()[..], &padded_payload].concat()
}

const MANY: u32 = 10_000;

fn file_of(records: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let header: [u8; Header::SIZE] = test_snapshots::header(8).seal();
    let mut file = header.to_vec();
    records.for_each(|record| file.extend(record));
    file
}

fn question(encoding: Encoding) -> [u8; SectionBegin::SIZE] {
    SectionBegin {
        source: Source::SYSTEM_INFORMATION,
        class: 5,
        argument: 0,
        argument2: 0,
        system_time: 0,
        interrupt_time: 0,
        performance_counter: 0,
        encoding,
        name_length: 0,
        value_name_length: 0,
        family: Family::PROCESSES,
    }
    .encode()
}

#[test]
fn nothing_but_the_smallest_records_costs_little() {
    // Ends of sections that never began, all out of order; each is a problem or two.
    ask(&file_of((0..MANY).map(|section| {
        record(RecordKind::SECTION_END, section, 7, &[])
    })));
    // Chunks without bytes: of one section, and of one each.
    ask(&file_of((0..MANY).map(|sequence| {
        record(RecordKind::CHUNK, 0, sequence, &[])
    })));
    ask(&file_of(
        (0..MANY).map(|section| record(RecordKind::CHUNK, section, 0, &[])),
    ));
    // Questions without an answer.
    for encoding in [Encoding::RAW, Encoding::BATCH] {
        ask(&file_of((0..MANY).map(|section| {
            record(RecordKind::SECTION_BEGIN, section, 0, &question(encoding))
        })));
    }
}

#[test]
fn damage_between_all_records_costs_little() {
    let chunk = record(RecordKind::CHUNK, 0, 0, &[]);
    ask(&file_of(
        (0..MANY).map(|_| [&[0xA5; 8][..], &chunk].concat()),
    ));
    // Places that look like records up to their checksum.
    let mut damaged = chunk;
    damaged[47] ^= 1;
    ask(&file_of((0..MANY).map(|_| damaged.clone())));
}

#[test]
fn batches_of_the_smallest_items_cost_little() {
    for width in [4, 8] {
        for (source, class) in mutate::QUESTIONS {
            let item = Entry::new(*source, *class, 0x1000, &[]);
            let mut builder = Builder::new(width);
            builder.batch(Family::DETAILS, &vec![item; 500]);
            ask(&builder.finish());
        }
    }
}

/// A payload of one pattern of pointer-sized words, in an answer to every question.
#[test]
fn answers_of_one_repeated_word_cost_little() {
    const ADDRESS: u64 = 0x1000;
    let length = 64 << 10;
    for width in [4_u8, 8] {
        for word in [
            0,
            1,
            2,
            8,
            24,
            0x40,
            0xB8,
            0x100,
            ADDRESS,
            ADDRESS + 2,
            u64::MAX,
        ] {
            let word = &word.to_le_bytes()[..width.into()];
            let bytes = word.repeat(length / word.len());
            for (source, class) in mutate::QUESTIONS {
                let entry = Entry::new(*source, *class, ADDRESS, &bytes).named("\\ObjectTypes");
                let mut builder = Builder::new(width);
                builder.section(Family::SYSTEM, &entry);
                ask(&builder.finish());
            }
        }
    }
}

/// Where the readers look for keys, with what makes them look there.
#[test]
fn keys_and_values_of_the_smallest_size_cost_little() {
    const SET: &str = "\\Registry\\Machine\\System\\CurrentControlSet";
    let paths = [
        "\\Registry".to_owned(),
        format!("{SET}\\Control\\hivelist"),
        format!("{SET}\\Control\\Session Manager"),
        format!("{SET}\\Control\\GroupOrderList"),
        format!("{SET}\\Services"),
        format!("{SET}\\Services\\x"),
        format!("{SET}\\Services\\x\\Instances\\y"),
        format!("{SET}\\Services\\BFE\\Parameters\\Policy\\BootTime\\Filter"),
    ];
    // Keys and values without a name, and values with a name that is another each time.
    let keys = vec![0; 64 << 10];
    let unnamed = test_snapshots::key_value_full("", Data::Of(3, &[]));
    let unnamed = test_snapshots::run(std::iter::repeat_n(unnamed, 2_000));
    let named = (0..2_000)
        .map(|number| test_snapshots::key_value_full(&format!("{number:x}"), Data::Bytes(&[1])));
    let named = test_snapshots::run(named);
    for path in &paths {
        for (source, class, bytes) in [
            (Source::SUBKEYS, 0, &keys),
            (Source::KEY_VALUES, 1, &unnamed),
            (Source::KEY_VALUES, 1, &named),
        ] {
            let entry = Entry::new(source, class, 0x1000, bytes).named(path);
            let mut builder = Builder::new(8);
            builder.batch(Family::REGISTRY, &[entry]);
            ask(&builder.finish());
        }
    }
}

#[test]
fn a_long_path_above_many_keys_costs_little() {
    let path = "\\x".repeat(16_000);
    let names: Vec<_> = (0..4_000).map(|number| format!("{number:x}")).collect();
    let keys = names.iter().map(|name| test_snapshots::key_basic(1, name));
    let run = test_snapshots::run(keys);
    let mut builder = Builder::new(8);
    let above = Entry::new(Source::SUBKEYS, 0, 0x1000, &run).named(&path);
    builder.batch(Family::REGISTRY, &[above]);
    ask(&builder.finish());
}

#[test]
fn very_many_keys_cost_little() {
    let entries: Vec<_> = (0..2_000)
        .map(|number| {
            let path =
                format!("\\Registry\\Machine\\System\\CurrentControlSet\\Services\\{number:x}");
            let value = test_snapshots::key_value_full("Type", Data::Number(1));
            Entry::new(Source::KEY_VALUES, 1, 0x1000, &value).named(&path)
        })
        .collect();
    let mut builder = Builder::new(8);
    builder.batch(Family::REGISTRY, &entries);
    ask(&builder.finish());
}

#[test]
fn files_and_variables_of_the_smallest_size_cost_little() {
    let names: Vec<_> = (0..2_000).map(|number| format!("{number:x}")).collect();
    let variables: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), test_snapshots::GLOBAL, &[][..]))
        .collect();
    let bytes = test_snapshots::variables(&variables);
    let mut builder = Builder::new(8);
    builder.section(
        Family::FIRMWARE,
        &Entry::new(Source::FIRMWARE_VARIABLES, 2, 0x1000, &bytes),
    );
    ask(&builder.finish());
    let files: Vec<_> = names
        .iter()
        .map(|name| Entry::new(Source::FILE_CONTENT, 0, 0x1000, b"MZ").named(name))
        .collect();
    let mut builder = Builder::recorded_x64();
    builder.batch(Family::IMAGES, &files);
    ask(&builder.finish());
}

#[test]
fn handles_with_every_right_cost_little() {
    for (width, class, header) in [(4, 16, 4), (8, 16, 8), (4, 64, 8), (8, 64, 16)] {
        let mut bytes = vec![0; header];
        bytes[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        bytes.resize(256 << 10, 0xFF);
        let mut builder = Builder::new(width);
        builder.section(
            Family::HANDLES,
            &Entry::new(Source::SYSTEM_INFORMATION, class, 0, &bytes),
        );
        ask(&builder.finish());
    }
}

fn words32(words: &[u32]) -> Vec<u8> {
    words.iter().copied().flat_map(u32::to_le_bytes).collect()
}

/// `SYSTEM_PROCESS_INFORMATION` of 32-bit systems without threads: parents in a circle, the longest there can be.
#[test]
fn parents_in_a_circle_end() {
    let (count, size) = (5_000_u32, 0xB8);
    let mut bytes = Vec::new();
    for pid in 0..count {
        let mut process = vec![0; size];
        let next = if pid + 1 < count { size as u32 } else { 0 };
        let parent = (pid + 1) % count;
        process[..4].copy_from_slice(&next.to_le_bytes());
        process[0x44..0x4C].copy_from_slice(&words32(&[pid, parent]));
        bytes.extend(process);
    }
    let mut builder = Builder::new(4);
    builder.section(
        Family::PROCESSES,
        &Entry::new(Source::SYSTEM_INFORMATION, 5, 0, &bytes),
    );
    let file = builder.finish();
    ask(&file);
    let snapshot = Snapshot::parse(&file).expect("it is one of ours");
    assert_eq!(snapshot.processes().value.len(), count as usize);
}

/// Class 64 of 32-bit systems, whose entries are the shortest with whole ids: no process, type or object is known.
#[test]
fn findings_about_every_handle_cost_little() {
    let mut handles = words32(&[MANY, 0]);
    for index in 0..MANY {
        let (pid, handle) = (index + 1000, 4);
        let type_index = (index & 0xFFFF) << 16;
        handles.extend(words32(&[index << 4, pid, handle, 0, type_index, 0, 0]));
    }
    let mut builder = Builder::new(4);
    for (source, class, bytes) in [
        (Source::SYSTEM_INFORMATION, 5, vec![0; 0xB8]),
        (
            Source::OBJECT_INFORMATION,
            3,
            [words32(&[1]), vec![0; 0x60]].concat(),
        ),
        (Source::SYSTEM_INFORMATION, 64, handles),
    ] {
        let entry = Entry::new(source, class, 0, &bytes);
        builder.section(Family::SYSTEM, &entry);
    }
    ask(&builder.finish());
}

/// Class 5 of 64-bit systems: one process with the longest name there is, and threads that all are findings.
#[test]
fn findings_do_not_repeat_long_names() {
    let (threads, name_length) = (1_000_u32, 0xFF00_u16);
    let (header, thread_size) = (0x100, 0x50);
    let name = 0x1000 + header as u64 + u64::from(threads) * thread_size;
    let mut bytes = vec![0; header];
    bytes[4..8].copy_from_slice(&threads.to_le_bytes());
    bytes[0x38..0x3A].copy_from_slice(&name_length.to_le_bytes());
    bytes[0x40..0x48].copy_from_slice(&name.to_le_bytes());
    bytes[0x50] = 8;
    for thread in 0..threads {
        let start = bytes.len();
        bytes.resize(start + thread_size as usize, 0);
        // Each id twice; the process is another one.
        bytes[start + 0x30..start + 0x34].copy_from_slice(&(8 + thread / 2).to_le_bytes());
    }
    bytes.extend(test_snapshots::utf16("x").repeat(usize::from(name_length) / 2));
    let mut builder = Builder::new(8);
    builder.section(
        Family::PROCESSES,
        &Entry::new(Source::SYSTEM_INFORMATION, 5, 0x1000, &bytes),
    );
    ask(&builder.finish());
}

#[test]
fn chains_that_lead_back_or_nowhere_end_with_a_problem() {
    // `NextEntryOffset` comes first in each of these, and counts from its entry.
    for (class, entry_size) in [
        (5, 0x100),
        (57, 0x100),
        (148, 0x100),
        (18, 0x20),
        (144, 0x28),
        (77, 0x140),
    ] {
        for next in [1, 8, entry_size - 1, 0x7FFF, u32::MAX, u32::MAX - 7] {
            let bytes = words32(&[next]).repeat(0x1000);
            let mut builder = Builder::new(8);
            builder.section(
                Family::SYSTEM,
                &Entry::new(Source::SYSTEM_INFORMATION, class, 0, &bytes),
            );
            ask(&builder.finish());
        }
    }
}

/// Each of the capture's own handles is looked for by its type's name: work that must not grow with their product.
#[test]
fn many_types_and_many_own_handles_are_not_compared_with_each_other() {
    let count = 1_u32 << 16;
    let file = costly::many_types_and_own_handles(count);
    let snapshot = Snapshot::parse(&file).expect("it is one of ours");
    // That the work grows with neither's square is counted in instructions: `cargo xtask test`.
    let types = questions::READER.ask("types", file.len(), || snapshot.types());
    assert_eq!(types.value.len(), count as usize);
}

/// One directory with a long path and entries of a letter each: their paths must not be made for each of them.
#[test]
fn long_paths_are_not_repeated_for_each_entry() {
    ask(&costly::many_entries_with_a_long_path());
}

/// Links that lead to each other through paths that grow on the way.
#[test]
fn links_that_grow_end() {
    let target = format!("\\l{}", "\\l".repeat(10_000));
    let mut items = vec![objects::directory(4, 0, &[("l", "SymbolicLink"); 50]).named("\\")];
    for number in 0..50 {
        let handle = 8 + u64::from(number) * 4;
        let entry = Some((4, number));
        let basic = BasicInformation::default();
        items.push(objects::opened(
            ObjectKind::SYMBOLIC_LINK,
            handle,
            entry,
            basic,
        ));
        items.push(objects::link_target(handle, &target));
    }
    let mut builder = Builder::new(8);
    builder.batch(Family::NAMESPACE, &items);
    ask(&builder.finish());
}

/// One entry that was opened over and over, each time as a directory that has it as an entry.
#[test]
fn directories_in_a_circle_end() {
    let mut items = vec![objects::directory(4, 0, &[("d", "Directory")]).named("\\")];
    for number in 0..MANY / 4 {
        let handle = 4 + u64::from(number % 100) * 4;
        let basic = BasicInformation::default();
        items.push(objects::opened(
            ObjectKind::DIRECTORY,
            handle,
            Some((4, 0)),
            basic,
        ));
        items.push(objects::directory(handle, 0, &[("d", "Directory")]));
    }
    let mut builder = Builder::new(8);
    builder.batch(Family::NAMESPACE, &items);
    ask(&builder.finish());
}
