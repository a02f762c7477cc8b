//! Leaves the release files at their places in `target/dist`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::companion::{self, Companion};
use crate::image::{self, Image};
use crate::process::step;
use crate::setup::{Need, ensure};
use crate::toolchain::{self, Toolchain};
use crate::workspace;

const SUMS: &str = "SHA256SUMS";

/// What building the release files takes.
pub const NEEDS: &[Need] = &[
    Need::Toolchain,
    Need::Lld,
    Need::MingwX64,
    Need::MingwX86,
    Need::Npm,
];

/// The job.
pub fn run() -> Result<ExitCode> {
    ensure(NEEDS)?;
    for file in build(&toolchain::required()?)? {
        println!("{}", workspace::display(&workspace::dist().join(file)));
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds and places every release file; gives their paths below `target/dist`.
fn build(toolchain: &Toolchain) -> Result<Vec<PathBuf>> {
    let mut files = build_for_windows(toolchain, &Companion::ALL)?;
    let host = companion::build_for_host()?;
    // On Windows the host's would take the name of the one for every Windows.
    if !cfg!(windows) {
        files.push(place(&host, "bootshotctl")?);
    }
    close(files)
}

/// The same of what the tests run: each companion takes minutes.
pub fn build_tested(toolchain: &Toolchain) -> Result<()> {
    close(build_for_windows(toolchain, &[Companion::X64])?).map(drop)
}

fn build_for_windows(toolchain: &Toolchain, companions: &[Companion]) -> Result<Vec<PathBuf>> {
    image::build(toolchain, &Image::RELEASED)?;
    let mut files = place_images()?;
    companion::build(toolchain, companions)?;
    for companion in companions {
        files.push(place(&companion.path(), companion.file_name())?);
    }
    Ok(files)
}

/// Refuses files that name this machine, and writes the sums of the others.
fn close(mut files: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
    for file in &files {
        if let Some(finding) = image::place_of_builder(&workspace::dist().join(file))? {
            bail!("{finding}");
        }
    }
    step(format!("Writing {SUMS}"));
    write_sums(&files)?;
    files.push(SUMS.into());
    Ok(files)
}

/// Places the images and their debug information; the companions are built from there.
pub fn place_images() -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for image in Image::RELEASED {
        for built in std::iter::once(image.path()).chain(image.pdb()) {
            let name = built
                .file_name()
                .context("a file without a name was built")?;
            files.push(place(&built, Path::new(image.architecture()).join(name))?);
        }
    }
    Ok(files)
}

/// Copies a file that was built to `name` below `target/dist`.
pub fn place(built: &Path, name: impl AsRef<Path>) -> Result<PathBuf> {
    copy(built, &workspace::dist().join(&name))?;
    Ok(name.as_ref().to_owned())
}

/// Copies a file, unless an equal one is there: what is built from that would be built again.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).with_context(|| format!("could not read {}", from.display()))?;
    if fs::read(to).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    let folder = to.parent().context("a file is in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("could not create {}", folder.display()))?;
    fs::copy(from, to)
        .with_context(|| format!("could not copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

/// As `sha256sum --check` reads it.
fn write_sums(files: &[PathBuf]) -> Result<()> {
    let mut sums = String::new();
    for file in files {
        let path = workspace::dist().join(file);
        let bytes =
            fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
        for byte in Sha256::digest(&bytes) {
            write!(sums, "{byte:02x}")?;
        }
        let name = file
            .iter()
            .map(|part| part.to_string_lossy())
            .collect::<Vec<_>>()
            .join("/");
        writeln!(sums, "  {name}")?;
    }
    let path = workspace::dist().join(SUMS);
    fs::write(&path, sums).with_context(|| format!("could not write {}", path.display()))
}
