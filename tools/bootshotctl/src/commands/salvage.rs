//! `salvage`: a sound snapshot from what is whole in one that was cut short or damaged.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use bootshot_reader::Snapshot;
use bootshot_reader::records::SectionSummary;
use bootshot_reader::salvage::{self, NotSalvaged, Salvaged};

use crate::commands::summary::question;
use crate::error::{Error, Outcome};
use crate::new_file::write_new;
use crate::output::Pairs;
use crate::reading::unreadable;
use crate::shown;

/// Arguments of `salvage`.
#[derive(clap::Args)]
#[command(
    after_help = "Example: bootshotctl salvage C:\\Windows\\bootshot\\00000007.tmp -o saved.bshot"
)]
pub struct Args {
    /// The damaged snapshot, or the .tmp file of a run that did not end
    file: PathBuf,
    /// The new snapshot; without it, it stands beside the old one as NAME.salvaged.bshot. Nothing is overwritten
    #[arg(long, short, value_name = "OUT")]
    output: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let path = &args.file;
    let file = fs::read(path).map_err(|error| unreadable(path, &error))?;
    let salvaged = salvage::salvage(&file).map_err(|reason| {
        let what = format!("did not salvage {}", path.display());
        match reason {
            NotSalvaged::Unreadable(_) => Error::failed(what),
            NotSalvaged::Whole | NotSalvaged::NothingLeft => Error::no(what),
        }
        .because(reason)
    })?;
    let output = args.output.clone().unwrap_or_else(|| beside(path));
    write_new(&output, |file| file.write_all(&salvaged.file))?;
    report(&output, &salvaged)?;
    Ok(Outcome::Done)
}

/// `x.salvaged.bshot` for `x.bshot` and `x.tmp`.
fn beside(path: &Path) -> PathBuf {
    path.with_extension("salvaged.bshot")
}

fn report(output: &Path, salvaged: &Salvaged) -> Result<(), Error> {
    let mut pairs = Pairs::default();
    pairs.add("salvaged", output.display().to_string());
    let whole = salvaged.kept.iter().filter(|kept| !kept.torn).count();
    pairs.add("kept", sections(whole as u64, "whole section"));
    let sections_now = Snapshot::parse(&salvaged.file).map(|snapshot| snapshot.sections());
    for (kept, section) in salvaged.kept.iter().zip(sections_now.iter().flatten()) {
        if kept.torn {
            pairs.add("torn", torn(section));
        }
    }
    if salvaged.lost_sections != 0 {
        pairs.add("lost", sections(salvaged.lost_sections, "section"));
    }
    if salvaged.lost_payload != 0 {
        let size = shown::size(salvaged.lost_payload);
        pairs.add("lost", format!("{size} behind gaps"));
    }
    pairs.print()
}

fn sections(count: u64, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

fn torn(section: &SectionSummary) -> String {
    let rest = match section.answer.bytes {
        0 => "it was asked, and no whole chunk of the answer is left".to_owned(),
        bytes => format!("its first {}", shown::size(bytes)),
    };
    format!(
        "section {} ({}, {}): {rest}",
        section.section,
        section.family,
        question(&section.answer)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_file_stands_beside_the_old_one() {
        for name in ["00000007-live.bshot", "00000007-live.tmp"] {
            assert_eq!(
                beside(&Path::new("folder").join(name)),
                Path::new("folder").join("00000007-live.salvaged.bshot")
            );
        }
    }
}
