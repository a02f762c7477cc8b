//! `verify`: each finding appears where it is planted and nowhere else.

mod damage;
mod findings;
mod system;

use bootshot_format::{Family, Header};
use bootshot_reader::verify::verify;
use system::System;
use test_snapshots::Builder;

#[test]
fn a_system_that_agrees_with_itself_gives_no_finding() {
    for width in [4, 8] {
        let verification = System::clean(width).verify();
        assert_eq!(verification.damage, []);
        assert_eq!(verification.findings, []);
        let notes: Vec<_> = verification
            .notes
            .iter()
            .map(|note| &note.text[..])
            .collect();
        assert_eq!(
            notes,
            [
                "3 of 9 driver objects have a kernel module of their name; known to have none: \
              \\Driver\\Psched (pacer.sys), \\Driver\\PnpManager (the devices of the Plug and Play manager), \
              \\Driver\\ACPI_HAL (the HAL on systems with ACPI), \
              \\Driver\\WMIxWDM (the device of Windows Management Instrumentation), \
              \\Driver\\SoftwareDevice (devices that programs create, since Windows 8), \
              \\FileSystem\\RAW (the file system of volumes that no other one knows)"
            ]
        );
    }
}

/// What two boots of an NT 5.2 compatible system that is still in development say: its handle list leaves some out on
/// x64, its module list has no entry for the boot file system, and the fixture's header has a boot time of its own.
#[test]
fn recorded_boots_give_the_findings_that_are_in_them() {
    let ids = |file: &[u8]| -> Vec<String> {
        let verification = verify(file).unwrap();
        assert_eq!(verification.damage, []);
        let findings = verification.findings.iter();
        findings
            .map(|finding| format!("{} {}", finding.id, finding.subject))
            .collect()
    };
    assert_eq!(
        ids(&Builder::recorded_x86().finish()),
        [
            "driver-without-module \\FileSystem\\fastfat",
            "boot-time header"
        ]
    );
    assert_eq!(
        ids(&Builder::recorded_x64().finish()),
        [
            "process-handle-count process 4 (System)",
            "process-handle-count process 72 (smss.exe)",
            "process-handle-count process 100 (dump64.exe)",
            "driver-without-module \\FileSystem\\fastfat",
            "boot-time header",
        ]
    );
}

#[test]
fn random_damage_and_lies_never_panic() {
    let files = [
        System::clean(4).file(),
        System::clean(8).file(),
        Builder::recorded_x64().finish(),
    ];
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize % below
    };
    for file in &files {
        for _ in 0..60 {
            let mut damaged = file.clone();
            for _ in 0..1 + random(20) {
                let place = Header::SIZE + random(file.len() - Header::SIZE);
                damaged[place] ^= 1 << random(8);
            }
            verify(&damaged).expect("the header is whole");
        }
        // The same damage to the answers alone, under checksums that hold.
        let snapshot = bootshot_reader::Snapshot::parse(file).unwrap();
        for _ in 0..60 {
            let mut builder = Builder::with_header(snapshot.header);
            for answer in snapshot.answers() {
                let mut bytes = answer.bytes.to_vec();
                if !bytes.is_empty() && random(3) == 0 {
                    for _ in 0..1 + random(4) {
                        let place = random(bytes.len());
                        bytes[place] = [0, 1, 0x7F, 0xFF][random(4)];
                    }
                    bytes.truncate(1 + random(bytes.len()));
                }
                let entry = test_snapshots::Entry::new(
                    answer.source,
                    answer.class,
                    answer.buffer_address,
                    &bytes,
                );
                let entry = entry.about(answer.argument, answer.argument2);
                builder.section(Family::SYSTEM, &entry.named(&answer.name()));
            }
            verify(&builder.finish()).expect("the header is whole");
        }
    }
}
