//! `raw`: the answers as the kernel gave them: a list of them, or one of them, byte for byte.

use std::io::{IsTerminal, Write, stdout};
use std::path::PathBuf;
use std::str::FromStr;

use bootshot_reader::records::{ItemSummary, SectionSummary};
use bootshot_reader::tables;
use bootshot_reader::{Condition, Snapshot};

use crate::commands::summary::{outcome, question};
use crate::error::{Error, Outcome};
use crate::new_file::write_new;
use crate::output::{self, Align, Table};
use crate::reading::{self, Input};
use crate::selection::Selection;
use crate::shown;

/// Arguments of `raw`.
#[derive(clap::Args)]
#[command(after_help = "Example: bootshotctl raw boot.bshot 7.2 -o answer.bin")]
pub struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    selection: Selection,
    /// The section to write out, by its number; 7.2 is the third answer of the batch that is section 7
    #[arg(conflicts_with_all = ["json", "columns", "sort", "filter"])]
    section: Option<Place>,
    /// Write it to this new file instead of the standard output
    #[arg(long, short, requires = "section", value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A section, or an answer in it.
#[derive(Clone, Copy)]
struct Place {
    section: u32,
    item: Option<usize>,
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (section, item) = match text.split_once('.') {
            Some((section, item)) => (section, Some(item)),
            None => (text, None),
        };
        let place = || {
            Some(Self {
                section: section.parse().ok()?,
                item: item.map(str::parse).transpose().ok()?,
            })
        };
        place().ok_or("a section is a number such as 7, an answer in a batch 7.2")
    }
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
    match args.section {
        None if args.selection.is_used() => {
            let problems =
                args.selection
                    .show_rows(args.input.json, &tables::RAW, |_| true, &snapshot)?;
            return Ok(reading::finish(&snapshot, &problems));
        }
        None => {
            args.input
                .show(&snapshot.sections(), |sections| table(sections).print())?;
        }
        Some(place) => {
            let bytes = find(&snapshot, place)?;
            match &args.output {
                Some(path) => write_new(path, |file| file.write_all(bytes))?,
                None if stdout().is_terminal() => output::line(hexadecimal(bytes))?,
                None => output::bytes(bytes)?,
            }
        }
    }
    Ok(reading::finish(&snapshot, &[]))
}

fn find<'s>(snapshot: &'s Snapshot<'_>, place: Place) -> Result<&'s [u8], Error> {
    let not_there = |what: String| {
        Error::failed(format!("the snapshot has no {what}"))
            .advise("\"bootshotctl raw FILE\" lists what it has.")
    };
    let section = snapshot
        .sections
        .iter()
        .find(|section| section.ordinal == place.section)
        .ok_or_else(|| not_there(format!("section {}", place.section)))?;
    match place.item {
        None => Ok(&section.payload),
        Some(item) if section.is_batch() => snapshot
            .answers_in(section)
            .nth(item)
            .map(|answer| answer.bytes)
            .ok_or_else(|| {
                let before = match section.condition {
                    Condition::Damaged => " before its damage",
                    _ => "",
                };
                not_there(format!(
                    "answer {item} in section {}{before}",
                    place.section
                ))
            }),
        Some(_) => Err(not_there(format!("batch {}", place.section))),
    }
}

fn table(sections: &[SectionSummary]) -> Table {
    let mut table = Table::new(&[
        ("SECTION", Align::Left),
        ("ABOUT", Align::Right),
        ("RESULT", Align::Left),
        ("BYTES", Align::Right),
        ("QUESTION", Align::Left),
    ]);
    let mut row = |place: String, answer: &ItemSummary, result: String| {
        table.row([
            place,
            shown::optional((answer.argument != 0).then_some(answer.argument)),
            result,
            answer.bytes.to_string(),
            question(answer),
        ]);
    };
    for section in sections {
        let result = match section.condition {
            Condition::Damaged => "damaged".to_owned(),
            Condition::Torn => "torn".to_owned(),
            Condition::Intact => outcome(&section.answer),
        };
        row(section.section.to_string(), &section.answer, result);
        for (number, item) in section.items.iter().enumerate() {
            row(format!("{}.{number}", section.section), item, outcome(item));
        }
    }
    table
}

/// Lines of offset, sixteen bytes and the ASCII in them.
fn hexadecimal(bytes: &[u8]) -> String {
    let mut lines = Vec::new();
    for (number, line) in bytes.chunks(16).enumerate() {
        let mut digits = String::new();
        for byte in line {
            digits += &format!("{byte:02x} ");
        }
        let ascii: String = line
            .iter()
            .map(|byte| match byte {
                b' '..=b'~' => char::from(*byte),
                _ => '.',
            })
            .collect();
        lines.push(format!("{:08x}  {digits:<48} {ascii}", number * 16));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_by_sixteen_with_their_ascii() {
        assert_eq!(
            hexadecimal(b"0123456789abcdef\0Z"),
            "00000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n\
             00000010  00 5a                                            .Z"
        );
    }

    #[test]
    fn a_place_is_a_section_or_an_answer_in_it() {
        assert!(matches!(
            "7".parse(),
            Ok(Place {
                section: 7,
                item: None
            })
        ));
        assert!(matches!(
            "7.2".parse(),
            Ok(Place {
                section: 7,
                item: Some(2)
            })
        ));
        assert!("7.".parse::<Place>().is_err());
        assert!("x".parse::<Place>().is_err());
    }
}
