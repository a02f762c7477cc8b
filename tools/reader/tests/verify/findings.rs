//! One test for each kind of finding.

use bootshot_format::{Outcome, Phase, PhaseSource, Presence, Source};

use test_snapshots::utf16;

use crate::system::{Handle, Item, SECOND, System, expect, item, observed, registry_value};

#[test]
fn ids_that_appear_twice() {
    let observation = observed(
        |system| {
            let smss = system.process(300).clone();
            let again = system.add_process(300, "smss.exe");
            again.parent = smss.parent;
            again.sequence_number = smss.sequence_number;
            again.created = smss.created + 1;
            again.threads[0].tid = 508;
        },
        "process-id-twice",
        "process 300",
    );
    assert_eq!(
        observation,
        "process id 300 stands in the process list 2 times"
    );
    expect(
        |system| system.process(300).threads[1].tid = 12,
        &[("thread-id-twice", "thread 12")],
    );
    expect(
        |system| system.process(300).threads[1].tid = 412,
        &[("id-of-process-and-thread", "process 412")],
    );
    let observation = observed(
        |system| {
            let again = system.handles[1];
            system.handles.push(again);
            system.process(4).handle_count += 1;
            system.object_type("Event").handles += 1;
        },
        "handle-twice",
        "process 4",
    );
    assert_eq!(
        observation,
        "handle 0x8 of process 4 stands in the handle list 2 times"
    );
    expect(
        |system| {
            let again = system.types[0].clone();
            system.types.insert(
                1,
                crate::system::ObjectType {
                    index: 5,
                    handles: 0,
                    ..again
                },
            );
        },
        &[("type-twice", "type Directory")],
    );
}

#[test]
fn thread_counts_and_thread_lists() {
    let observation = observed(
        |system| system.process(300).threads_more_than_there = 1,
        "thread-count",
        "process 300 (smss.exe)",
    );
    assert_eq!(
        observation,
        "process 300 (smss.exe) counts 3 threads, its entry holds 2"
    );
    expect(
        |system| system.process(300).threads[0].pid = 88,
        &[("thread-of-another-process", "process 300 (smss.exe)")],
    );
}

#[test]
fn an_entry_that_covers_another_one() {
    let observation = observed(
        |system| system.process(88).slack = 0x300,
        "process-entry-length",
        "process 88 (Registry)",
    );
    assert_eq!(
        observation,
        "the entry of process 88 (Registry) is 768 bytes longer than its 2 threads and its name"
    );
    expect(
        |system| {
            system.process_class = 5;
            system.process(412).slack = 0x300;
        },
        &[("process-entry-length", "process 412 (bootshot.exe)")],
    );
}

#[test]
fn times_that_cannot_be() {
    expect(
        |system| {
            let boot_time = system.boot_time;
            let smss = system.process(300);
            smss.created = boot_time - SECOND;
        },
        &[("start-before-boot", "process 300 (smss.exe)")],
    );
    // Each list was asked for at its own time.
    let findings = expect(
        |system| {
            let smss = system.process(412);
            smss.created += 60 * SECOND;
            for thread in &mut smss.threads {
                thread.created += 60 * SECOND;
            }
        },
        &[("start-after-question", "process 412 (bootshot.exe)"); 2],
    );
    assert!(
        findings[0]
            .observation
            .ends_with("s after the list was asked for"),
        "{findings:?}"
    );
    expect(
        |system| system.process(300).threads[1].created -= SECOND,
        &[("thread-before-process", "process 300 (smss.exe)")],
    );
    expect(
        |system| system.process(300).parent = 300,
        &[("own-parent", "process 300 (smss.exe)")],
    );
}

#[test]
fn a_parent_that_is_younger_than_its_child_is_no_finding() {
    expect(|system| system.process(300).parent = 412, &[]);
}

#[test]
fn sequence_numbers_against_creation_times() {
    let observation = observed(
        |system| {
            system.process(300).sequence_number = 4;
            system.process(412).sequence_number = 3;
        },
        "creation-order",
        "process 300 (smss.exe)",
    );
    assert_eq!(
        observation,
        "by their sequence numbers (3, 4) process 412 (bootshot.exe) started before process 300 (smss.exe), by their \
         times 8.000 s after it"
    );
}

#[test]
fn two_process_lists_that_differ() {
    let findings = expect(
        |system| system.add_process(500, "hidden.exe").first_list_only = true,
        &[("process-in-one-list", "process 500 (hidden.exe)")],
    );
    assert_eq!(
        (&findings[0].sections[..], findings[0].within),
        (&[1, 2][..], Some(15_000))
    );
    assert_eq!(
        findings[0].observation,
        "process 500 (hidden.exe) stands in the process list of class 57 and not in that of class 148; they were asked \
         within 1.5 ms"
    );
    expect(
        |system| system.process(300).full_image = "other.exe",
        &[("process-told-differently", "process 300 (smss.exe)")],
    );
    expect(
        |system| system.process(4).threads[1].first_list_only = true,
        &[("threads-told-differently", "process 4 (System)")],
    );
    expect(|system| system.process_class = 5, &[]);
}

#[test]
fn a_process_that_told_of_itself_and_is_not_listed() {
    expect(
        |system| {
            system.more.push(Item {
                arguments: (996, system.boot_time as u64),
                ..item(Source::PROCESS_INFORMATION, 61, &[0])
            });
        },
        &[("process-not-in-list", "process 996")],
    );
}

#[test]
fn a_handle_list_that_lost_entries() {
    let observation = observed(
        |system| system.handle_slack = 80,
        "handle-list-length",
        "handle list",
    );
    assert!(
        observation.starts_with("the handle list counts 9 handles"),
        "{observation}"
    );
}

#[test]
fn handle_counts_of_processes_against_the_handle_list() {
    let observation = observed(
        |system| system.process(4).handle_count = 41,
        "process-handle-count",
        "process 4 (System)",
    );
    assert_eq!(
        observation,
        "the process list counts 41 handles of process 4 (System), the handle list holds 3; they were asked within 2.5 ms"
    );
    // The capture's own: those it noted may be there or not, and not one more.
    expect(|system| system.process(412).handle_count = 1, &[]);
    expect(
        |system| system.process(412).handle_count = 0,
        &[("process-handle-count", "process 412 (bootshot.exe)")],
    );
    expect(
        |system| system.add_process(500, "mute.exe").handle_count = 5,
        &[("process-without-handles", "process 500 (mute.exe)")],
    );
    let observation = observed(
        |system| {
            system.handles.push(Handle {
                pid: 900,
                handle: 4,
                object: 0xA000_0020,
                type_index: 16,
            });
            system.object_type("Event").handles += 1;
        },
        "handle-owner-not-listed",
        "process 900",
    );
    assert!(
        observation.starts_with(
            "the handle list holds 1 handle of process 900, which is not in the process list"
        ),
        "{observation}"
    );
}

#[test]
fn where_ids_are_cut_to_16_bits_only_totals_are_compared() {
    let cut = |system: &mut System| {
        system.handle_class = 16;
        system.add_process(70_000, "late.exe").handle_count = 1;
        system.handles.push(Handle {
            pid: 70_000,
            handle: 4,
            object: 0xA000_0020,
            type_index: 16,
        });
        system.object_type("Event").handles += 1;
    };
    expect(cut, &[]);
    let observation = observed(
        |system| {
            cut(system);
            system.process(70_000).handle_count = 6;
        },
        "handle-total",
        "handle list",
    );
    assert!(
        observation.starts_with("the processes count 13 handles together"),
        "{observation}"
    );
}

#[test]
fn the_type_table_against_the_handle_list() {
    let observation = observed(
        |system| system.object_type("Event").handles = 41,
        "type-handle-count",
        "type Event",
    );
    assert_eq!(
        observation,
        "the type table counts 41 handles of type Event, the handle list holds 3; they were asked within 2.5 ms"
    );
    let observation = observed(
        |system| system.object_type("Process").handles = 0,
        "type-handle-count",
        "type Process",
    );
    assert!(
        observation.contains("the handle list holds 2, 1 of them the capture's own"),
        "{observation}"
    );
    expect(
        |system| system.object_type("Event").objects = 1,
        &[("type-object-count", "type Event")],
    );
    expect(
        |system| system.handles[2].type_index = 99,
        &[
            ("type-handle-count", "type Event"),
            ("type-not-in-table", "type 99"),
        ],
    );
}

#[test]
fn the_type_table_against_the_process_list() {
    let observation = observed(
        |system| system.object_type("Thread").objects = 7,
        "fewer-objects-than-listed",
        "type Thread",
    );
    assert!(
        observation.starts_with(
            "the type table counts 7 objects of type Thread, the process list holds 8"
        ),
        "{observation}"
    );
    expect(
        |system| system.object_type("Process").objects = 2,
        &[("fewer-objects-than-listed", "type Process")],
    );
}

#[test]
fn a_driver_object_without_a_module_of_its_name() {
    let observation = observed(
        |system| system.drivers.push((r"\Driver", "Rustock", "Driver")),
        "driver-without-module",
        r"\Driver\Rustock",
    );
    assert!(
        observation
            .starts_with(r"driver object \Driver\Rustock has no kernel module named Rustock.sys"),
        "{observation}"
    );
    // What is known of a name holds in its own directory only, and for the file it stands for.
    expect(
        |system| {
            system
                .drivers
                .push((r"\FileSystem", "PnpManager", "Driver"))
        },
        &[("driver-without-module", r"\FileSystem\PnpManager")],
    );
    expect(
        |system| {
            system
                .modules
                .retain(|module| !module.ends_with("pacer.sys"))
        },
        &[("driver-without-module", r"\Driver\Psched")],
    );
}

#[test]
fn the_phase_against_csrss() {
    let with_csrss = |system: &mut System| {
        system.add_process(500, "csrss.exe");
        system.header.csrss_at_start = Presence::PRESENT;
        system.csrss_at_end = Presence::PRESENT;
    };
    let observation = observed(with_csrss, "phase-and-csrss", "phase");
    assert_eq!(
        observation,
        "the phase is bootexecute, as observed, and the process list holds process 500 (csrss.exe)"
    );
    let live = |system: &mut System| {
        with_csrss(system);
        system.header.phase = Phase::LIVE;
    };
    expect(live, &[]);
    expect(
        |system| {
            live(system);
            system.csrss_at_end = Presence::ABSENT;
        },
        &[("csrss-at-end", "csrss.exe")],
    );
    expect(
        |system| {
            live(system);
            system.header.csrss_at_start = Presence::ABSENT;
        },
        &[("csrss-at-start", "csrss.exe")],
    );
    expect(
        |system| {
            system.header.csrss_at_start = Presence::PRESENT;
            system.csrss_at_end = Presence::PRESENT;
        },
        &[("csrss-at-start", "csrss.exe")],
    );
    expect(
        |system| {
            system.header.phase = Phase::LIVE;
            system.header.phase_source = PhaseSource::ARGUMENT;
        },
        &[("phase-and-csrss", "phase")],
    );
}

#[test]
fn the_phase_against_hives_and_page_files() {
    let values = [
        registry_value(r"\Registry\Machine\Software\Microsoft", "x", &[0; 12]),
        registry_value(
            r"\REGISTRY\MACHINE\SYSTEM\CurrentControlSet\Control\hivelist",
            r"\REGISTRY\MACHINE\SOFTWARE",
            &[0; 12],
        ),
    ];
    for value in &values {
        let plant = |system: &mut System| system.more.push(value.clone());
        expect(plant, &[("phase-and-hives", "SOFTWARE")]);
        let late = |system: &mut System| {
            plant(system);
            system.header.phase = Phase::SETUP_EXECUTE;
        };
        expect(late, &[]);
    }
    let name = test_snapshots::key_basic(1, "Software");
    let listed = Item {
        name: r"\Registry\MACHINE".to_owned(),
        status: 0x8000_001A,
        ..item(Source::SUBKEYS, 0, &name)
    };
    expect(
        |system| system.more.push(listed.clone()),
        &[("phase-and-hives", "SOFTWARE")],
    );
    let other = registry_value(r"\Registry\Machine\SoftwareX", "x", &[0; 12]);
    expect(|system| system.more.push(other.clone()), &[]);
    // `SYSTEM_PAGEFILE_INFORMATION` with its name behind it; the kernel's own page files have none.
    let page_file = |system: &System, name: &str| {
        let (size, address) = if system.header.pointer_width == 8 {
            (0x20, 0x18)
        } else {
            (0x18, 0x14)
        };
        let characters = utf16(name);
        let length = (characters.len() as u16).to_le_bytes();
        let mut bytes = vec![0; size];
        if !name.is_empty() {
            bytes[0x10..0x12].copy_from_slice(&length);
            bytes[address..address + 4].copy_from_slice(&(0x10_0000 + size as u32).to_le_bytes());
        }
        bytes.extend(characters);
        item(Source::SYSTEM_INFORMATION, 18, &bytes)
    };
    let path = r"\??\C:\pagefile.sys";
    expect(
        |system| system.more.push(page_file(system, path)),
        &[("phase-and-page-file", path)],
    );
    expect(|system| system.more.push(page_file(system, "")), &[]);
}

#[test]
fn the_capture_is_in_its_own_process_list() {
    let observation = observed(
        |system| {
            system.header.process_id = 996;
            system.process(412).handle_count = 4;
            system.own_handles.clear();
            system.object_type("Process").handles = 2;
            system.object_type("Directory").handles = 2;
        },
        "capture-not-listed",
        "process 996",
    );
    assert_eq!(
        observation,
        "the capture is process 996, by the header, which is not in the process list"
    );
}

#[test]
fn the_header_against_the_sections() {
    expect(
        |system| {
            system.header.machine = if system.header.pointer_width == 8 {
                0x014C
            } else {
                0xAA64
            }
        },
        &[("pointer-width", "header")],
    );
    let observation = observed(|system| system.boot_time += 1, "boot-time", "header");
    assert_eq!(
        observation,
        "the boot time is 2026-01-02T03:03:55.0000000Z in the header and 2026-01-02T03:03:55.0000001Z in the answer of \
         class 3"
    );
    expect(
        |system| system.page_size = 0x4000,
        &[("header-fact", "page size")],
    );
    expect(
        |system| system.nt.0 = 6,
        &[("header-fact", "NT major version")],
    );
    expect(
        |system| system.nt.1 = 3,
        &[("header-fact", "NT minor version")],
    );
    expect(|system| system.boot_id = 11, &[("header-fact", "boot id")]);
    expect(
        |system| system.build = 22631,
        &[("header-fact", "NT build")],
    );
}

#[test]
fn a_process_list_of_the_other_pointer_width() {
    let mut system = System::clean(8);
    let mut file = system.file();
    let wide = bootshot_format::Header::open(&file).unwrap();
    system.header.pointer_width = 4;
    system.header.machine = 0x014C;
    file[..256].copy_from_slice(&system.header.seal());
    assert_eq!(wide.snapshot_id, system.header.snapshot_id);
    let verification = bootshot_reader::verify::verify(&file).unwrap();
    let found = verification
        .findings
        .iter()
        .any(|finding| (finding.id, &finding.subject[..]) == ("pointer-width", "process list"));
    assert!(found, "{:#?}", verification.findings);
}

#[test]
fn clocks() {
    let observation = observed(
        |system| system.clock_step = 3 * SECOND,
        "clock-step",
        "system time",
    );
    assert_eq!(
        observation,
        "between the header and section 10 the system time moved by 3.000 s against the interrupt time"
    );
    expect(
        |system| system.out_of_order = true,
        &[("asked-out-of-order", "section 10")],
    );
}

#[test]
fn a_question_that_was_answered_twice() {
    let value = |bytes: &[u8]| registry_value(r"\Registry\Machine\System\Setup", "x", bytes);
    // Without data, and with 4 bytes of it.
    let longer = [[0; 8], [4, 0, 0, 0, 1, 0, 0, 0]].concat();
    let observation = observed(
        |system| system.more.extend([value(&[0; 12]), value(&longer)]),
        "answered-differently",
        r"KeyValuePartialInformation \Registry\Machine\System\Setup x",
    );
    assert!(
        observation.ends_with(
            "was asked twice, in sections 9 and 9, and the answers of 12 and 16 bytes differ"
        ),
        "{observation}"
    );
    // The same string in two buffers.
    expect(
        |system| {
            let width = usize::from(system.header.pointer_width);
            let told = |address: u64| {
                let mut bytes = vec![0; width];
                bytes.extend(&(address + 2 * width as u64).to_le_bytes()[..width]);
                bytes.extend([7; 8]);
                Item {
                    address,
                    arguments: (300, system.boot_time as u64 + SECOND as u64),
                    ..item(Source::PROCESS_INFORMATION, 27, &bytes)
                }
            };
            system.more.extend([told(0x1_0000), told(0x2_0000)]);
        },
        &[],
    );
    expect(
        |system| {
            let mut again = system.handles.clone();
            again.retain(|handle| handle.pid != 412);
            system.handles_again = Some(again);
        },
        &[],
    );
    expect(
        |system| {
            let mut again = system.handles.clone();
            again.remove(0);
            system.handles_again = Some(again);
        },
        &[("answered-differently", "handle list")],
    );
}

#[test]
fn answers_that_cannot_be_read_to_their_end() {
    expect(
        |system| system.types_more_than_there = 1,
        &[("malformed-answer", "OBJECT_TYPE_INFORMATION")],
    );
}

#[test]
fn answers_that_are_not_complete_are_noted_and_not_compared() {
    let mut system = System::clean(8);
    system.handles.truncate(2);
    system.handles_outcome = Outcome::TRUNCATED;
    let verification = system.verify();
    assert_eq!(verification.findings, []);
    assert_eq!(verification.notes[0].id, "incomplete-answer");
}

/// What Wine says of itself, as a snapshot taken there has it.
#[test]
fn what_wine_does_otherwise_is_noted() {
    let wine = |system: &mut System| {
        system.header.phase = Phase::LIVE;
        system.header.phase_source = PhaseSource::ARGUMENT;
        system.processes.retain(|process| process.pid >= 300);
        system.handles.retain(|handle| handle.pid >= 300);
        for process in &mut system.processes {
            process.handle_count = 32;
            process.parent = 40;
            process.threads[0].created = process.created - 1;
        }
        // Indexes from 0 in the handle list and from 2 in the type table; 0 stands for no type, too.
        system.types.insert(
            0,
            crate::system::ObjectType {
                name: "Type",
                index: 2,
                objects: 20,
                handles: 0,
            },
        );
        for handle in &mut system.handles {
            handle.type_index -= 2;
        }
        system.handles.push(Handle {
            pid: 300,
            handle: 0x20,
            object: 0xA000_0090,
            type_index: 0,
        });
        system.object_type("Process").handles = 0;
        system.object_type("Event").handles = 1;
    };
    expect(wine, &[]);
    let mut system = System::clean(8);
    wine(&mut system);
    let notes: Vec<_> = system.verify().notes.iter().map(|note| note.id).collect();
    assert_eq!(
        notes,
        [
            "processes-dated-late",
            "processes-dated-late",
            "handle-counts-are-capacities",
            "type-index-0",
            "driver-objects",
            "no-csrss"
        ]
    );
    expect(
        |system| {
            wine(system);
            for handle in 0..40 {
                system.handles.push(Handle {
                    pid: 300,
                    handle: 0x100 + 4 * handle,
                    object: 0xA000_0090,
                    type_index: 0,
                });
            }
        },
        &[("process-handle-count", "process 300 (smss.exe)")],
    );
}

#[test]
fn what_cannot_be_compared_is_noted() {
    let noted = |change: &dyn Fn(&mut System), id: &str| {
        expect(change, &[]);
        for width in [4, 8] {
            let mut system = System::clean(width);
            change(&mut system);
            let notes = system.verify().notes;
            assert!(notes.iter().any(|note| note.id == id), "{id}: {notes:?}");
        }
    };
    noted(&|system| system.modules.clear(), "no-modules");
    noted(
        &|system| {
            system.drivers.clear();
            system.more.push(Item {
                name: r"\Driver".to_owned(),
                status: 0xC000_0022,
                ..item(Source::OPEN, 4, &[])
            });
        },
        "no-driver-objects",
    );
    noted(
        &|system| {
            for handle in &mut system.handles {
                handle.type_index = 0;
            }
        },
        "no-type-indexes",
    );
    // The kernel's own handles in NT 5; on later systems nobody else's process has the id 0.
    let idle_holds_one = |system: &mut System| {
        let event = system.handles[1];
        system.handles.push(Handle { pid: 0, ..event });
        system.object_type("Event").handles += 1;
    };
    noted(
        &|system| {
            idle_holds_one(system);
            (system.header.nt_major, system.nt.0) = (5, 5);
        },
        "handles-of-idle",
    );
    expect(
        idle_holds_one,
        &[("process-handle-count", "process 0 (Idle)")],
    );
}

#[test]
fn of_each_kind_a_thousand_are_told_and_the_rest_is_counted() {
    let mut system = System::clean(8);
    for handle in 0..1500 {
        system.handles.push(Handle {
            pid: 50_000 + handle,
            handle: 4,
            object: 0xA000_0020,
            type_index: 16,
        });
    }
    system.object_type("Event").handles += 1500;
    let verification = system.verify();
    assert_eq!(verification.findings.len(), 1000);
    let last = verification.notes.last().unwrap();
    assert_eq!(last.id, "findings-left-out");
    assert!(
        last.text
            .contains("1500 findings of the kind handle-owner-not-listed"),
        "{}",
        last.text
    );
}
