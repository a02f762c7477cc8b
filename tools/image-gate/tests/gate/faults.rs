//! Each fault gives exactly one finding, of the rule that is broken; what Windows accepts gives none.

use image_gate::{Finding, Machine, NtVersion, Policy, Rule, check};
use object::pe;

use crate::fixture::{DATA, Fixture, IMPORTS, Image, Import, RELOCATIONS, TEXT};

const NOWHERE: u32 = 0x00ff_0000;

// Offsets in the optional header, the same in PE32 and PE32+.
const SECTION_ALIGNMENT: usize = 32;
const FILE_ALIGNMENT: usize = 36;
const SIZE_OF_IMAGE: usize = 56;

// Offsets in a section header.
const VIRTUAL_SIZE: usize = 8;
const VIRTUAL_ADDRESS: usize = 12;
const SIZE_OF_RAW_DATA: usize = 16;
const POINTER_TO_RAW_DATA: usize = 20;

fn findings(image: &Image) -> Vec<Finding> {
    check(&image.bytes, &Policy::native(None)).unwrap()
}

/// Makes a native image for every machine with a change of what is made, then of the bytes.
fn images(
    change: impl Fn(&mut Fixture),
    damage: impl Fn(&mut Image),
) -> impl Iterator<Item = Image> {
    Machine::ALL.into_iter().map(move |machine| {
        let mut fixture = Fixture::native(machine);
        change(&mut fixture);
        let mut image = fixture.build();
        damage(&mut image);
        image
    })
}

#[track_caller]
fn assert_fault(rule: Rule, change: impl Fn(&mut Fixture), damage: impl Fn(&mut Image)) {
    for image in images(change, damage) {
        let findings = findings(&image);
        let rules: Vec<_> = findings.iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, [rule], "{findings:#?}");
        assert!(!findings[0].to_string().contains('\n'));
    }
}

#[track_caller]
fn assert_fit(change: impl Fn(&mut Fixture), damage: impl Fn(&mut Image)) {
    for image in images(change, damage) {
        assert_eq!(findings(&image), []);
    }
}

fn unchanged(_: &mut Fixture) {}
fn undamaged(_: &mut Image) {}

#[test]
fn a_well_formed_image_has_no_findings() {
    for machine in Machine::ALL {
        let image = Fixture::native(machine).build();
        assert_eq!(check(&image.bytes, &Policy::native(None)), Ok(vec![]));
        assert_eq!(check(&image.bytes, &Policy::bootshot(machine)), Ok(vec![]));
    }
}

#[test]
fn other_subsystems_are_found() {
    for subsystem in [
        pe::IMAGE_SUBSYSTEM_WINDOWS_CUI,
        pe::IMAGE_SUBSYSTEM_WINDOWS_GUI,
        pe::IMAGE_SUBSYSTEM_UNKNOWN,
    ] {
        assert_fault(
            Rule::SUBSYSTEM,
            |fixture| fixture.subsystem = subsystem,
            undamaged,
        );
    }
}

#[test]
fn an_image_for_another_machine_is_found() {
    let image = Fixture::native(Machine::X64).build();
    let findings = check(&image.bytes, &Policy::native(Some(Machine::Arm64))).unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].rule, Rule::MACHINE);
}

#[test]
fn an_unsupported_machine_is_found() {
    assert_fault(Rule::MACHINE, unchanged, |image| {
        image.set_file_header(0, pe::IMAGE_FILE_MACHINE_ARMNT.0);
    });
}

#[test]
fn a_header_of_the_other_pointer_width_is_found() {
    for (machine, other) in [
        (Machine::X86, pe::IMAGE_FILE_MACHINE_AMD64),
        (Machine::X64, pe::IMAGE_FILE_MACHINE_I386),
    ] {
        let mut image = Fixture::native(machine).build();
        image.set_file_header(0, other.0);
        let findings = findings(&image);
        assert_eq!(findings.len(), 1, "{findings:#?}");
        assert_eq!(findings[0].rule, Rule::MACHINE);
    }
}

#[test]
fn a_dll_is_found() {
    assert_fault(
        Rule::EXECUTABLE,
        |fixture| fixture.characteristics |= pe::IMAGE_FILE_DLL,
        undamaged,
    );
}

#[test]
fn an_image_that_was_not_linked_to_the_end_is_found() {
    assert_fault(
        Rule::EXECUTABLE,
        |fixture| fixture.characteristics = pe::FileFlags(0),
        undamaged,
    );
}

#[test]
fn an_entry_point_that_cannot_be_run_is_found() {
    let (headers, data) = (0x10, 0x3000);
    for entry_point in [0, headers, data, NOWHERE] {
        assert_fault(
            Rule::ENTRY_POINT,
            |fixture| fixture.entry_point = entry_point,
            undamaged,
        );
    }
}

#[test]
fn a_section_both_writable_and_executable_is_found() {
    assert_fault(
        Rule::WRITABLE_EXECUTABLE,
        |fixture| fixture.text_characteristics |= pe::IMAGE_SCN_MEM_WRITE,
        undamaged,
    );
}

#[test]
fn an_export_that_ntdll_does_not_have_is_found() {
    assert_fault(
        Rule::UNKNOWN_IMPORT,
        |fixture| fixture.imports[0].1.push(Import::Name("NtMakeCoffee")),
        undamaged,
    );
}

#[test]
fn an_import_name_that_kept_its_decoration_is_found() {
    assert_fault(
        Rule::UNKNOWN_IMPORT,
        |fixture| fixture.imports[0].1.push(Import::Name("_NtClose@4")),
        undamaged,
    );
}

#[test]
fn other_exports_of_ntdll_are_fit_in_other_executables() {
    let mut fixture = Fixture::native(Machine::X64);
    fixture.imports[0].1.push(Import::Name("ZwCreateSection"));
    let image = fixture.build();
    assert_eq!(findings(&image), []);
    let ours = check(&image.bytes, &Policy::bootshot(Machine::X64)).unwrap();
    assert_eq!(ours.len(), 1);
    assert_eq!(ours[0].rule, Rule::UNKNOWN_IMPORT);
}

#[test]
fn an_export_newer_than_the_supported_windows_is_found() {
    let too_new = Import::Name("NtOpenPartition");
    assert_fault(
        Rule::IMPORT_TOO_NEW,
        |fixture| {
            // arm64 begins with a Windows that has it.
            if fixture.machine == Machine::Arm64 {
                fixture.imports[0].1.push(Import::Name("NtCreateIoRing"));
            } else {
                fixture.imports[0].1.push(too_new);
            }
        },
        undamaged,
    );
}

#[test]
fn an_export_of_another_machine_is_found() {
    let mut fixture = Fixture::native(Machine::X64);
    fixture.imports[0].1.push(Import::Name("_aulldiv"));
    let findings = findings(&fixture.build());
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].rule, Rule::UNKNOWN_IMPORT);
}

#[test]
fn an_export_newer_than_the_floor_is_found_with_its_first_windows() {
    let policy = Policy {
        floor: Some(NtVersion::SERVER_2003),
        ..Policy::native(None)
    };
    let image = Fixture::native(Machine::X64).build();
    let findings = check(&image.bytes, &policy).unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].rule, Rule::IMPORT_TOO_NEW);
    assert!(findings[0].message.contains("sprintf_s"));
    assert!(findings[0].message.contains("Windows 7"));
}

#[test]
fn each_other_dll_is_found_once() {
    assert_fault(
        Rule::FOREIGN_DLL,
        |fixture| {
            fixture.imports.push((
                "msvcrt.dll",
                vec![Import::Name("printf"), Import::Ordinal(7)],
            ));
            fixture
                .imports
                .push(("MSVCRT.dll", vec![Import::Name("exit")]));
        },
        undamaged,
    );
}

#[test]
fn the_case_and_extension_of_ntdll_do_not_matter() {
    for name in ["NTDLL.DLL", "ntdll", "NtDll.dll"] {
        assert_fit(|fixture| fixture.imports[0].0 = name, undamaged);
    }
}

#[test]
fn an_import_by_ordinal_is_found() {
    assert_fault(
        Rule::ORDINAL_IMPORT,
        |fixture| fixture.imports[0].1.push(Import::Ordinal(8)),
        undamaged,
    );
}

#[test]
fn directories_that_have_no_place_at_boot_are_found() {
    for (index, rule) in [
        (pe::IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT, Rule::DELAY_IMPORT),
        (pe::IMAGE_DIRECTORY_ENTRY_BOUND_IMPORT, Rule::BOUND_IMPORT),
        (pe::IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR, Rule::CLR_HEADER),
    ] {
        assert_fault(rule, unchanged, |image| {
            let data = image.sections[DATA].virtual_address;
            image.set_directory(index, data, 64);
        });
    }
}

#[test]
fn a_missing_import_directory_is_found() {
    assert_fault(Rule::IMPORT_DIRECTORY, unchanged, |image| {
        image.set_directory(pe::IMAGE_DIRECTORY_ENTRY_IMPORT, 0, 0);
    });
}

#[test]
fn an_import_directory_that_points_nowhere_is_found() {
    assert_fault(Rule::IMPORT_DIRECTORY, unchanged, |image| {
        image.set_directory(pe::IMAGE_DIRECTORY_ENTRY_IMPORT, NOWHERE, 40);
    });
}

#[test]
fn an_import_directory_that_ends_within_a_descriptor_is_found() {
    assert_fault(Rule::IMPORT_DIRECTORY, unchanged, |image| {
        let (size, size_of_descriptor) = (0x1000, 20);
        let cut = image.sections[IMPORTS].virtual_address + size - size_of_descriptor / 2;
        let directory = size_of_descriptor / 2;
        image.set_directory(pe::IMAGE_DIRECTORY_ENTRY_IMPORT, cut, directory);
    });
}

#[test]
fn names_and_tables_of_imports_outside_the_sections_are_found() {
    let (original_first_thunk, name, first_thunk) = (0, 12, 16);
    for field in [original_first_thunk, name, first_thunk] {
        assert_fault(Rule::IMPORT_DIRECTORY, unchanged, |image| {
            image.write(image.descriptors + field, &NOWHERE.to_le_bytes());
        });
    }
}

#[test]
fn an_import_name_without_an_end_is_found() {
    assert_fault(Rule::IMPORT_DIRECTORY, unchanged, |image| {
        let near_the_end = image.sections[IMPORTS].virtual_address + 0x1000 - 9;
        image.write_pointer(image.lookup_table, near_the_end.into());
    });
}

#[test]
fn an_import_with_an_empty_name_is_found() {
    assert_fault(Rule::IMPORT_DIRECTORY, unchanged, |image| {
        let terminator = image.descriptors + 20;
        image.write_pointer(image.lookup_table, terminator.into());
    });
}

#[test]
fn a_lookup_table_that_ends_within_an_entry_is_found() {
    assert_fault(Rule::IMPORT_DIRECTORY, unchanged, |image| {
        let cut = image.sections[IMPORTS].virtual_address + 0x1000 - image.pointer_size() / 2;
        image.write(image.descriptors, &cut.to_le_bytes());
    });
}

/// Names may overlap: without a bound, an image of 1 MiB could make us keep 1 GiB of them.
#[test]
fn imports_that_share_a_long_name_are_found_before_they_take_more_than_the_file() {
    assert_fault(Rule::IMPORT_DIRECTORY, unchanged, |image| {
        let section = image.sections[IMPORTS].virtual_address;
        let (dll, long_name) = (section + 0x800, section + 0x80a);
        image.write(dll, b"ntdll.dll\0");
        image.write(image.descriptors + 12, &dll.to_le_bytes());
        image.write(section + 0xfff, &[0]);
        for index in 0..100 {
            let entry = image.lookup_table + index * image.pointer_size();
            image.write_pointer(entry, long_name.into());
        }
    });
}

#[test]
fn descriptors_that_share_a_table_do_not_multiply_it_without_bound() {
    let (descriptors, functions, most) = (83, 200, 16_384);
    for mut image in images(unchanged, undamaged) {
        let section = image.sections[IMPORTS].virtual_address;
        let (table, dll) = (section + 0x800, section + 0xf00);
        image.write(dll, b"ntdll.dll\0");
        for index in 0..descriptors {
            let fields = [table, 0, 0, dll, table];
            let descriptor = fields.map(u32::to_le_bytes).concat();
            image.write(image.descriptors + index * 20, &descriptor);
        }
        image.write(image.descriptors + descriptors * 20, &[0; 20]);
        let ordinal = 1 << (image.pointer_size() * 8 - 1) | 7;
        for index in 0..functions {
            image.write_pointer(table + index * image.pointer_size(), ordinal);
        }
        image.write_pointer(table + functions * image.pointer_size(), 0);

        let findings = findings(&image);
        assert_eq!(findings[0].rule, Rule::IMPORT_DIRECTORY);
        assert!(findings.len() > most - functions as usize && findings.len() < most + 100);
    }
}

#[test]
fn an_import_without_a_lookup_table_is_read_from_its_address_table() {
    assert_fit(unchanged, |image| {
        image.write(image.descriptors, &0_u32.to_le_bytes());
    });
}

#[test]
fn an_address_table_that_its_directory_does_not_cover_is_found() {
    assert_fault(Rule::IMPORT_ADDRESS_TABLE, unchanged, |image| {
        image.set_directory(pe::IMAGE_DIRECTORY_ENTRY_IAT, image.address_table, 4);
    });
}

#[test]
fn an_address_table_without_a_directory_must_be_writable() {
    let without_directory =
        |image: &mut Image| image.set_directory(pe::IMAGE_DIRECTORY_ENTRY_IAT, 0, 0);
    assert_fault(Rule::IMPORT_ADDRESS_TABLE, unchanged, without_directory);
    assert_fit(
        |fixture| fixture.import_characteristics |= pe::IMAGE_SCN_MEM_WRITE,
        without_directory,
    );
}

/// Puts a TLS directory into `.data`, with its list of callbacks at `callbacks` there.
fn add_tls_directory(image: &mut Image, callbacks: u64) {
    let directory = image.sections[DATA].virtual_address + 0x40;
    image.write_pointer(directory + 3 * image.pointer_size(), callbacks);
    image.set_directory(pe::IMAGE_DIRECTORY_ENTRY_TLS, directory, 40);
}

#[test]
fn a_tls_callback_is_found() {
    assert_fault(Rule::TLS_CALLBACKS, unchanged, |image| {
        let list = image.sections[DATA].virtual_address + 0x80;
        image.write_pointer(list, image.image_base + 0x1000);
        add_tls_directory(image, image.image_base + u64::from(list));
    });
}

#[test]
fn thread_local_storage_without_callbacks_is_fit() {
    assert_fit(unchanged, |image| add_tls_directory(image, 0));
    assert_fit(unchanged, |image| {
        let empty_list = image.sections[DATA].virtual_address + 0x80;
        add_tls_directory(image, image.image_base + u64::from(empty_list));
    });
}

#[test]
fn a_damaged_tls_directory_is_found() {
    assert_fault(Rule::TLS_CALLBACKS, unchanged, |image| {
        image.set_directory(pe::IMAGE_DIRECTORY_ENTRY_TLS, NOWHERE, 40);
    });
    assert_fault(Rule::TLS_CALLBACKS, unchanged, |image| {
        add_tls_directory(image, 7)
    });
}

#[test]
fn an_image_without_nx_is_found() {
    assert_fault(
        Rule::NX_COMPAT,
        |fixture| fixture.dll_characteristics = pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE,
        undamaged,
    );
}

#[test]
fn an_image_at_a_fixed_address_is_found() {
    assert_fault(
        Rule::DYNAMIC_BASE,
        |fixture| fixture.dll_characteristics = pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT,
        undamaged,
    );
}

#[test]
fn stripped_relocations_are_found() {
    for relocations in [false, true] {
        assert_fault(
            Rule::RELOCATIONS_STRIPPED,
            |fixture| {
                fixture.characteristics |= pe::IMAGE_FILE_RELOCS_STRIPPED;
                fixture.relocations = relocations;
            },
            undamaged,
        );
    }
}

#[test]
fn an_absolute_address_without_relocations_is_found() {
    assert_fault(
        Rule::RELOCATIONS,
        |fixture| fixture.relocations = false,
        undamaged,
    );
}

#[test]
fn only_64_bit_images_without_absolute_addresses_need_no_relocations() {
    for machine in Machine::ALL {
        let mut fixture = Fixture::native(machine);
        fixture.relocations = false;
        fixture.absolute_address = false;
        let rules: Vec<_> = findings(&fixture.build())
            .into_iter()
            .map(|finding| finding.rule)
            .collect();
        match machine {
            Machine::X86 => assert_eq!(rules, [Rule::RELOCATIONS]),
            Machine::X64 | Machine::Arm64 => assert_eq!(rules, []),
        }
    }
}

#[test]
fn damaged_relocations_are_found() {
    let (page, size, entry) = (0, 4, 8);
    let unknown_type = 0xf000_u32;
    for (field, value) in [
        (page, NOWHERE),
        (size, 0),
        (size, 4),
        (size, 0x1000),
        (entry, unknown_type),
    ] {
        assert_fault(Rule::RELOCATIONS, unchanged, |image| {
            let block = image.sections[RELOCATIONS].virtual_address;
            image.write(block + field, &value.to_le_bytes());
        });
    }
    assert_fault(Rule::RELOCATIONS, unchanged, |image| {
        image.set_directory(pe::IMAGE_DIRECTORY_ENTRY_BASERELOC, NOWHERE, 12);
    });
}

#[test]
fn a_section_that_the_kernel_cannot_map_is_found() {
    for (section, field, value) in [
        (DATA, SIZE_OF_RAW_DATA, 0x10_0000),
        (DATA, POINTER_TO_RAW_DATA, 0x401),
        (DATA, VIRTUAL_ADDRESS, 0x2000),
        (RELOCATIONS, VIRTUAL_ADDRESS, 0x8000),
    ] {
        assert_fault(Rule::SECTION_TABLE, unchanged, |image| {
            image.set_section_header(section, field, value);
        });
    }
    assert_fault(Rule::SECTION_TABLE, unchanged, |image| {
        image.set_section_header(RELOCATIONS, VIRTUAL_SIZE, 0);
        image.set_section_header(RELOCATIONS, SIZE_OF_RAW_DATA, 0);
    });
}

#[test]
fn sizes_and_alignments_that_the_kernel_refuses_are_found() {
    for (field, value) in [
        (SIZE_OF_IMAGE, 0x1000),
        (SIZE_OF_IMAGE, 0x10_0000),
        (SECTION_ALIGNMENT, 0),
        (SECTION_ALIGNMENT, 0x100),
        (SECTION_ALIGNMENT, 0x1001),
        (FILE_ALIGNMENT, 0x80),
    ] {
        assert_fault(Rule::SECTION_TABLE, unchanged, |image| {
            image.set_optional_header(field, value);
        });
    }
}

#[test]
fn an_image_without_sections_is_found() {
    assert_fault(Rule::SECTION_TABLE, unchanged, |image| {
        image.set_file_header(2, 0);
    });
}

#[test]
fn sections_smaller_than_pages_are_found() {
    assert_fault(
        Rule::LOW_ALIGNMENT,
        |fixture| {
            fixture.section_alignment = 16;
            fixture.file_alignment = 16;
        },
        |image| {
            let text = image.sections[TEXT].virtual_address;
            let address_of_entry_point = 16;
            image.set_optional_header(address_of_entry_point, text);
        },
    );
}

/// Found by fuzzing: the address of the size in the last block did not fit 32 bits.
#[test]
fn relocations_at_the_end_of_the_address_space_are_found() {
    for last_bytes in 1..=8 {
        let change = |fixture: &mut Fixture| {
            fixture.section_alignment = 16;
            fixture.file_alignment = 16;
        };
        for mut image in images(change, undamaged) {
            image.set_section_header(RELOCATIONS, VIRTUAL_ADDRESS, u32::MAX - 15);
            image.set_section_header(RELOCATIONS, VIRTUAL_SIZE, 32);
            image.set_section_header(RELOCATIONS, SIZE_OF_RAW_DATA, 0);
            let address = u32::MAX - (last_bytes - 1);
            image.set_directory(pe::IMAGE_DIRECTORY_ENTRY_BASERELOC, address, 16);
            let findings = findings(&image);
            assert!(
                findings
                    .iter()
                    .any(|finding| finding.rule == Rule::RELOCATIONS),
                "{findings:#?}"
            );
        }
    }
}

#[test]
fn each_of_several_faults_is_found() {
    let mut fixture = Fixture::native(Machine::X64);
    fixture.subsystem = pe::IMAGE_SUBSYSTEM_WINDOWS_CUI;
    fixture.entry_point = 0;
    fixture
        .imports
        .push(("kernel32.dll", vec![Import::Name("Sleep")]));
    let rules: Vec<_> = findings(&fixture.build())
        .into_iter()
        .map(|finding| finding.rule)
        .collect();
    assert_eq!(
        rules,
        [Rule::SUBSYSTEM, Rule::ENTRY_POINT, Rule::FOREIGN_DLL]
    );
}
