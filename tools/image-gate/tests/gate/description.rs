//! What is said about an image.

use image_gate::{Machine, Policy, Rule, check, describe};
use object::pe;
use serde_json::json;

use crate::fixture::{Fixture, Import};

#[test]
fn a_description_tells_machine_sections_and_imports() {
    let mut fixture = Fixture::native(Machine::X86);
    fixture.imports.push(("hal.dll", vec![Import::Ordinal(5)]));
    let image = fixture.build();
    let description = describe(&image.bytes).unwrap();

    assert_eq!(description.machine, "x86");
    assert_eq!(description.pointer_bits, 32);
    assert_eq!(description.subsystem, "native");
    assert_eq!(description.entry_point, 0x1000);
    assert_eq!(description.file_size, image.bytes.len() as u64);
    assert_eq!(
        description.dll_characteristics,
        ["dynamic_base", "nx_compat"]
    );
    let sections: Vec<_> = description
        .sections
        .iter()
        .map(|section| (&*section.name, &*section.protection))
        .collect();
    assert_eq!(
        sections,
        [
            (".text", "r-x"),
            (".idata", "r--"),
            (".data", "rw-"),
            (".reloc", "r--")
        ]
    );
    assert_eq!(
        serde_json::to_value(&description.imports).unwrap(),
        json!([
            {"dll": "ntdll.dll", "functions": ["NtDisplayString", "NtTerminateProcess", "sprintf_s"]},
            {"dll": "hal.dll", "functions": ["#5"]},
        ])
    );
}

#[test]
fn an_address_of_64_bits_is_a_string_in_json() {
    let image = Fixture::native(Machine::X64).build();
    let description = serde_json::to_value(describe(&image.bytes).unwrap()).unwrap();
    assert_eq!(description["image_base"], "0x140000000");
}

#[test]
fn a_finding_is_its_rule_and_a_message_in_json() {
    let mut fixture = Fixture::native(Machine::X64);
    fixture.subsystem = pe::IMAGE_SUBSYSTEM_WINDOWS_CUI;
    let findings = check(&fixture.build().bytes, &Policy::native(None)).unwrap();
    let finding = serde_json::to_value(&findings[0]).unwrap();
    assert_eq!(finding["rule"], "subsystem");
    assert_eq!(finding["message"], findings[0].message);
    assert_eq!(findings[0].rule, Rule::SUBSYSTEM);
}
