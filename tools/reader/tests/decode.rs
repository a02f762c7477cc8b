//! The decoders against answers recorded at a real boot and decoded by others, in both pointer widths.

use bootshot_reader::decode::{self, Buffer, HandleClass, ModuleClass, ProcessClass};
use bootshot_reader::layout::PointerWidth;
use bootshot_reader::layout::structures::{
    RTL_PROCESS_MODULE_INFORMATION, SYSTEM_PROCESS_INFORMATION as Process,
    SYSTEM_THREAD_INFORMATION as Thread,
};
use test_snapshots::{Kind, Recorded, recording_x64, recording_x86};

fn both() -> [(PointerWidth, Vec<Recorded>); 2] {
    [
        (PointerWidth::Bits32, recording_x86()),
        (PointerWidth::Bits64, recording_x64()),
    ]
}

fn find(recording: &[Recorded], kind: Kind, class: u32) -> &Recorded {
    recording
        .iter()
        .find(|record| record.kind == kind && record.class == class)
        .expect("it was recorded")
}

fn directory<'a>(recording: &'a [Recorded], path: &str) -> &'a Recorded {
    let name: Vec<u8> = path.encode_utf16().flat_map(u16::to_le_bytes).collect();
    recording
        .iter()
        .find(|record| record.kind == Kind::DirectoryObject && record.name == name)
        .expect("it was recorded")
}

fn buffer(record: &Recorded, width: PointerWidth) -> Buffer<'_> {
    Buffer::new(&record.bytes, record.address, width)
}

#[test]
fn processes_threads_and_parents_are_those_decoded_independently() {
    for (width, recording) in both() {
        let mut problems = Vec::new();
        let record = find(&recording, Kind::SystemInformation, 5);
        let processes =
            decode::processes(&buffer(record, width), ProcessClass::Basic, &mut problems);
        assert_eq!(problems, []);
        let facts: Vec<_> = processes
            .iter()
            .map(|entry| {
                (
                    entry.image_name.as_deref(),
                    entry.process.get(Process::InheritedFromUniqueProcessId),
                    entry.threads.len(),
                )
            })
            .collect();
        let smss = processes[2].process.get(Process::UniqueProcessId);
        let system_threads = if width == PointerWidth::Bits64 {
            17
        } else {
            18
        };
        assert_eq!(facts.len(), 4);
        assert_eq!(facts[0], (None, Some(0), 1));
        assert_eq!(facts[1], (Some("System"), Some(0), system_threads));
        assert_eq!(facts[2], (Some("smss.exe"), Some(4), 3));
        assert_eq!((facts[3].1, facts[3].2), (smss, 1));
        assert_eq!(processes[0].process.get(Process::UniqueProcessId), Some(0));
        assert_eq!(processes[1].process.get(Process::UniqueProcessId), Some(4));
    }
}

#[test]
fn every_thread_names_its_own_process() {
    for (width, recording) in both() {
        let record = find(&recording, Kind::SystemInformation, 5);
        let processes =
            decode::processes(&buffer(record, width), ProcessClass::Basic, &mut Vec::new());
        for entry in &processes {
            let pid = entry.process.get(Process::UniqueProcessId);
            for thread in entry.threads.iter() {
                let client = thread.thread.get(Thread::ClientId).unwrap();
                use bootshot_reader::layout::structures::CLIENT_ID;
                assert_eq!(client.get(CLIENT_ID::UniqueProcess), pid);
            }
        }
    }
}

#[test]
fn both_handle_classes_list_the_same_handles() {
    for (width, recording) in both() {
        let mut problems = Vec::new();
        let extended = decode::handles(
            &buffer(find(&recording, Kind::SystemInformation, 64), width),
            HandleClass::Extended,
            &mut problems,
        );
        let basic = decode::handles(
            &buffer(find(&recording, Kind::SystemInformation, 16), width),
            HandleClass::Basic,
            &mut problems,
        );
        assert_eq!(problems, []);
        let expected = if width == PointerWidth::Bits64 {
            41
        } else {
            85
        };
        assert_eq!(extended.len(), expected);
        assert_eq!(basic, extended);
        let mut owners: Vec<_> = extended.iter().map(|handle| handle.process_id).collect();
        owners.dedup();
        assert!(owners.contains(&4));
    }
}

#[test]
fn modules_begin_with_the_kernel_and_the_hal() {
    for (width, recording) in both() {
        let mut problems = Vec::new();
        let modules = decode::modules(
            &buffer(find(&recording, Kind::SystemInformation, 11), width),
            ModuleClass::Basic,
            &mut problems,
        );
        assert_eq!(problems, []);
        let expected = if width == PointerWidth::Bits64 {
            20
        } else {
            19
        };
        assert_eq!(modules.len(), expected);
        let (path, name) = modules[0].path();
        assert_eq!(path[name..].to_ascii_lowercase(), "ntoskrnl.exe");
        let base = modules[0]
            .base
            .get(RTL_PROCESS_MODULE_INFORMATION::ImageBase);
        assert!(base.unwrap() >= 0x8000_0000);
    }
}

#[test]
fn object_directories_have_the_entries_counted_independently() {
    for (width, recording) in both() {
        let wide = width == PointerWidth::Bits64;
        for (path, count) in [
            ("\\", 20),
            ("\\??", if wide { 26 } else { 21 }),
            ("\\Device", 64),
            ("\\Driver", if wide { 16 } else { 15 }),
            ("\\ObjectTypes", 29),
        ] {
            let mut problems = Vec::new();
            let entries = decode::directory_entries(
                &buffer(directory(&recording, path), width),
                &mut problems,
            );
            assert_eq!(problems, []);
            assert_eq!(entries.len(), count, "{path}");
        }
        let types = directory(&recording, "\\ObjectTypes");
        let types = decode::directory_entries(&buffer(types, width), &mut Vec::new());
        assert!(
            types
                .iter()
                .all(|entry| &*entry.type_name == "Type" || &*entry.type_name == "ObjectType")
        );
        assert!(types.iter().any(|entry| &*entry.name == "Directory"));
    }
}

/// Everything that reads answers, over the same bytes.
fn decode_all(bytes: &[u8], address: u64) {
    for width in [PointerWidth::Bits32, PointerWidth::Bits64] {
        let buffer = || Buffer::new(bytes, address, width);
        let mut problems = Vec::new();
        for class in [
            ProcessClass::Basic,
            ProcessClass::Extended,
            ProcessClass::Full,
        ] {
            decode::processes(&buffer(), class, &mut problems);
        }
        for class in [HandleClass::Basic, HandleClass::Extended] {
            decode::handles(&buffer(), class, &mut problems);
        }
        for class in [ModuleClass::Basic, ModuleClass::Extended] {
            for module in decode::modules(&buffer(), class, &mut problems) {
                let (path, name) = module.path();
                assert!(path.get(name..).is_some());
            }
        }
        for class in [
            decode::PageFileClass::Basic,
            decode::PageFileClass::Extended,
        ] {
            decode::page_files(&buffer(), class, &mut problems);
        }
        decode::object_types(&buffer(), &mut problems);
        decode::directory_entries(&buffer(), &mut problems);
        decode::key_value(&buffer(), 1, &mut problems);
        decode::key_value(&buffer(), 2, &mut problems);
        decode::telemetry_id(&buffer(), &mut problems);
        decode::protection(&buffer(), &mut problems);
        decode::sid_and_attributes(&buffer(), &mut problems);
        // A problem is found at an entry, and no entry is shorter than a few bytes.
        assert!(problems.len() <= 64 + bytes.len());
    }
}

#[test]
fn no_truncation_and_no_bit_flip_makes_a_decoder_panic_or_run_away() {
    // A linear congruential generator: the same flips in every run.
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % below
    };
    for (_, recording) in both() {
        for record in recording.iter().filter(|record| !record.bytes.is_empty()) {
            let length = record.bytes.len();
            for _ in 0..24 {
                decode_all(&record.bytes[..random(length)], record.address);
                let mut flipped = record.bytes.clone();
                for _ in 0..1 + random(8) {
                    flipped[random(length)] ^= 1 << random(8);
                }
                decode_all(&flipped, record.address);
            }
            // The first bytes steer: counts and chains.
            for byte in 0..length.min(96) {
                for value in [0, 1, 0x7F, 0x80, 0xFF] {
                    let mut changed = record.bytes.clone();
                    changed[byte] = value;
                    decode_all(&changed, record.address);
                }
            }
        }
    }
}
