//! Builds the native executable in its link flavours, and puts each image through the image gate.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use image_gate::{Machine, Policy};

use crate::budget;
use crate::process::{run, step};
use crate::setup::{Need, ensure};
use crate::toolchain::{self, Toolchain};
use crate::workspace;

/// The native executable for one machine, made by one linker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Image {
    /// lld, with a PDB
    #[value(name = "x86_64-pc-windows-msvc")]
    X64,
    /// GNU ld, with linker.ld
    #[value(name = "x86_64-pc-windows-gnu")]
    X64Gnu,
    /// lld, with a PDB
    #[value(name = "i686-pc-windows-msvc")]
    X86,
    /// lld, with a PDB
    #[value(name = "aarch64-pc-windows-msvc")]
    Arm64,
}

/// LLVM's own threshold for size inlines more than pays: 25 makes the image about 12 % smaller (x86_64, measured).
/// Constants moved out of loops take registers that something else is then saved from: without it 1 % less.
pub const FLAGS: &[&str] = &[
    "-Cllvm-args=-inline-threshold=25",
    "-Cllvm-args=-disable-machine-licm",
];

/// The crates of the standard library that the executable is built with. Without the feature `compiler-builtins-mem`:
/// `memcpy` and its family are ntdll's, so there is one of each.
pub const BUILD_STD: [&str; 2] = [
    "-Zbuild-std=core,alloc,compiler_builtins",
    "-Zbuild-std-features=",
];

impl Image {
    pub const ALL: [Self; 4] = [Self::X64, Self::X64Gnu, Self::X86, Self::Arm64];
    /// Those that are released.
    pub const RELEASED: [Self; 3] = [Self::X64, Self::X86, Self::Arm64];

    pub fn target(self) -> &'static str {
        match self {
            Self::X64 => "x86_64-pc-windows-msvc",
            Self::X64Gnu => "x86_64-pc-windows-gnu",
            Self::X86 => "i686-pc-windows-msvc",
            Self::Arm64 => "aarch64-pc-windows-msvc",
        }
    }

    /// The folder of the machine in a set of images.
    pub fn architecture(self) -> &'static str {
        match self {
            Self::X64 | Self::X64Gnu => "x86_64",
            Self::X86 => "x86",
            Self::Arm64 => "aarch64",
        }
    }

    fn machine(self) -> Machine {
        match self {
            Self::X64 | Self::X64Gnu => Machine::X64,
            Self::X86 => Machine::X86,
            Self::Arm64 => Machine::Arm64,
        }
    }

    /// The compiler that runs GNU ld for it; lld links the others.
    pub fn gcc(self) -> Option<&'static str> {
        (self == Self::X64Gnu).then_some("x86_64-w64-mingw32-gcc")
    }

    /// What linking it takes.
    fn needs(self) -> Need {
        match self.gcc() {
            Some(_) => Need::MingwX64,
            None => Need::Lld,
        }
    }

    /// Where the build leaves it.
    pub fn path(self) -> PathBuf {
        self.folder().join("bootshot.exe")
    }

    /// Its debug information, where the linker writes any.
    pub fn pdb(self) -> Option<PathBuf> {
        (self != Self::X64Gnu).then(|| self.folder().join("bootshot.pdb"))
    }

    fn folder(self) -> PathBuf {
        workspace::native_target()
            .join(self.target())
            .join("native")
    }

    /// Its linker map.
    pub fn map(self) -> PathBuf {
        maps().join(self.target()).with_extension("map")
    }
}

/// Builds `images` as a job of its own.
pub fn build_alone(images: &[Image], record_sizes: bool) -> Result<ExitCode> {
    let needs: Vec<Need> = std::iter::once(Need::Toolchain)
        .chain(images.iter().map(|image| image.needs()))
        .collect();
    ensure(&needs)?;
    let toolchain = toolchain::required()?;
    if record_sizes {
        compile(&toolchain, images)?;
        images.iter().copied().try_for_each(budget::record)?;
    }
    build(&toolchain, images)?;
    for image in images {
        println!("{}", workspace::display(&image.path()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds `images`, and refuses those that the image gate has findings about.
pub fn build(toolchain: &Toolchain, images: &[Image]) -> Result<()> {
    compile(toolchain, images)?;
    let findings: Vec<String> = images
        .iter()
        .map(|image| inspect(*image))
        .collect::<Result<Vec<_>>>()?
        .concat();
    if !findings.is_empty() {
        bail!(
            "the image gate refuses what was built:\n{}",
            findings.join("\n")
        );
    }
    Ok(())
}

/// Compiles and links `images`.
pub fn compile(toolchain: &Toolchain, images: &[Image]) -> Result<()> {
    let targets: Vec<&str> = images.iter().map(|image| image.target()).collect();
    step(format!("Building bootshot.exe for {}", targets.join(", ")));
    fs::create_dir_all(maps()).with_context(|| format!("could not create {}", maps().display()))?;
    let mut command = toolchain.cargo("build")?;
    toolchain.set_flags(&mut command, FLAGS);
    command
        .args([
            "--package=bootshot",
            "--bin=bootshot",
            "--features=native",
            "--profile=native",
        ])
        .args(BUILD_STD)
        .args(targets.iter().map(|target| format!("--target={target}")))
        .env("BOOTSHOT_MAPS", maps());
    run(&mut command)
}

/// What is wrong with an image that was built, one line each.
pub fn inspect(image: Image) -> Result<Vec<String>> {
    let read =
        |path: &Path| fs::read(path).with_context(|| format!("could not read {}", path.display()));
    let (path, bytes) = (image.path(), read(&image.path())?);
    let mut findings = image_gate::check(&bytes, &Policy::bootshot(image.machine()))
        .with_context(|| path.display().to_string())?;
    findings.extend(image_gate::forbidden_symbols(&String::from_utf8_lossy(
        &read(&image.map())?,
    )));
    findings.extend(budget::check(image, &bytes)?);
    let mut findings: Vec<String> = findings
        .iter()
        .map(|finding| format!("{}: {finding}", workspace::display(&path)))
        .collect();
    for file in std::iter::once(path).chain(image.pdb()) {
        findings.extend(place_of_builder(&file)?);
    }
    Ok(findings)
}

/// Says so if a file that was built names a folder of this machine, in UTF-8 or UTF-16.
pub fn place_of_builder(file: &Path) -> Result<Option<String>> {
    let bytes = fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
    let contains = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    let place = [
        Some(workspace::root().to_owned()),
        Some(workspace::target()),
        env::home_dir(),
    ]
    .into_iter()
    .flatten()
    .filter(|place| place.parent().is_some())
    .map(|place| format!("{}{}", place.display(), std::path::MAIN_SEPARATOR))
    .find(|place| {
        let utf16: Vec<u8> = place.encode_utf16().flat_map(u16::to_le_bytes).collect();
        contains(place.as_bytes()) || contains(&utf16)
    });
    Ok(place.map(|place| {
        format!(
            "{}: it names {place}, a place on this machine",
            workspace::display(file)
        )
    }))
}

fn maps() -> PathBuf {
    workspace::native_target().join("maps")
}
