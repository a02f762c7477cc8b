//! Where the bytes of bootshot.exe are, by function: `docs/size-map.md`, from the linker map.

use std::fmt::Write as _;
use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};
use image_gate::{Part, SizeMap, size_map};

use crate::image::{self, Image};
use crate::process::step;
use crate::setup::{Need, ensure};
use crate::{toolchain, workspace};

/// Bytes from which a name has a row of its own.
const SMALLEST: u64 = 100;

/// The job.
pub fn run() -> Result<ExitCode> {
    ensure(&[Need::Toolchain, Need::Lld])?;
    image::build(&toolchain::required()?, &[Image::X64])?;
    let path = Image::X64.map();
    let map = fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
    let image = fs::metadata(Image::X64.path()).context("could not look at the image")?;
    let page = page(&size_map(&String::from_utf8_lossy(&map)), image.len());
    let target = workspace::root().join("docs/size-map.md");
    fs::write(&target, page).with_context(|| format!("could not write {}", target.display()))?;
    step(format!("The map is {}", workspace::display(&target)));
    Ok(ExitCode::SUCCESS)
}

fn page(map: &SizeMap, file_bytes: u64) -> String {
    let mut page = format!(
        "# Where the bytes are\n\n\
         Made by `cargo xtask sizes --map` from the linker map of the `{}` image, a file of {file_bytes} bytes. A function\n\
         that has one caller stands in its caller; what has no name (constants, mostly) counts to the name before it.\n\
         [size.md](size.md) tells how it came to this.\n\n",
        Image::X64.target()
    );
    table(&mut page, "SECTION", &map.sections);
    let (large, small): (Vec<Part>, Vec<Part>) = map
        .symbols
        .iter()
        .cloned()
        .partition(|part| part.size >= SMALLEST);
    page.push('\n');
    table(&mut page, "NAME", &large);
    let rest: u64 = small.iter().map(|part| part.size).sum();
    let _ = writeln!(
        page,
        "| {} names of less than {SMALLEST} bytes each | {rest} |",
        small.len()
    );
    page
}

fn table(page: &mut String, head: &str, parts: &[Part]) {
    let _ = write!(page, "| {head} | BYTES |\n|---|---:|\n");
    for part in parts {
        // A bar would end the cell.
        let name = short(&part.name).replace('|', "\\|");
        let _ = writeln!(page, "| `{name}` | {} |", part.size);
    }
}

/// A name without the crate, and with one word for what nearly every function is generic over.
fn short(name: &str) -> String {
    name.replace("bootshot::nt::real::Nt", "Nt")
        .replace("bootshot::output::SnapshotFile<Nt>", "File")
        .replace("bootshot::", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_names_share_a_row_and_no_byte_is_lost() {
        let part = |name: &str, size| Part {
            name: name.to_owned(),
            size,
        };
        let map = SizeMap {
            sections: vec![part(".text", 1000)],
            symbols: vec![
                part("a|b", 800),
                part("c", 100),
                part("d", 60),
                part("e", 40),
            ],
        };
        let page = page(&map, 2048);
        for row in [
            "| `.text` | 1000 |",
            "| `a\\|b` | 800 |",
            "| `c` | 100 |",
            "| 2 names of less than 100 bytes each | 100 |",
        ] {
            assert!(page.lines().any(|line| line == row), "{row}\n{page}");
        }
        assert!(page.contains("2048 bytes"));
    }

    #[test]
    fn names_are_short() {
        assert_eq!(
            short(
                "<bootshot::capture::Capture<bootshot::nt::real::Nt, bootshot::output::SnapshotFile<bootshot::nt::real::Nt>>>::list"
            ),
            "<capture::Capture<Nt, File>>::list"
        );
    }
}
