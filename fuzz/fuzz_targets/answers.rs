//! Snapshots written by the real writer around any answers to any questions.
#![no_main]

use arbitrary::Arbitrary;
use bootshot_format::Family;
use bootshot_fuzz::mutate::QUESTIONS;
use bootshot_fuzz::questions::ask_everything;
use libfuzzer_sys::fuzz_target;
use test_snapshots::{Builder, Entry, header};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    wide: bool,
    nt_build: u16,
    batch: bool,
    answers: Vec<Answer<'a>>,
}

#[derive(Arbitrary, Debug)]
struct Answer<'a> {
    question: u8,
    process: u8,
    address: u32,
    failed: bool,
    name: u8,
    bytes: &'a [u8],
}

/// The names that decide what becomes of an answer.
const NAMES: &[&str] = &[
    "",
    "\\ObjectTypes",
    "Directory",
    "Type",
    "BootExecute",
    "SystemStartOptions",
    "OptionValue",
    "UseAlternateShell",
];

fuzz_target!(|input: Input<'_>| {
    let mut header = header(if input.wide { 8 } else { 4 });
    header.nt_build = input.nt_build.into();
    header.nt_major = if input.nt_build < 6000 { 5 } else { 10 };
    header.process_id = 1;
    let mut builder = Builder::with_header(header);
    let entry = |answer: &Answer<'_>| {
        let (source, class) = QUESTIONS[usize::from(answer.question) % QUESTIONS.len()];
        let name = NAMES[usize::from(answer.name) % NAMES.len()];
        Entry::new(source, class, answer.address.into(), answer.bytes)
            .about(answer.process.into(), 0)
            .named(name)
            .value(name)
            .status(if answer.failed { 0xC000_0022 } else { 0 })
    };
    let entries: Vec<Entry> = input.answers.iter().map(entry).collect();
    if input.batch {
        builder.batch(Family::DETAILS, &entries);
    } else {
        for entry in &entries {
            builder.section(Family::SYSTEM, entry);
        }
    }
    let sections = ask_everything(&builder.finish());
    let expected = if input.batch { 1 } else { entries.len() };
    assert_eq!(sections, Some(expected));
});
