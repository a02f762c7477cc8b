//! Builds the companion: for Windows, with the images inside, and for this host.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::image::{self, Image};
use crate::process::{host_cargo, run, step};
use crate::toolchain::{self, Toolchain, path_remappings};
use crate::{dist, report_page, workspace};

/// The companion for one kind of Windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Companion {
    /// 64-bit Windows
    X64,
    /// 32-bit Windows
    X86,
}

/// What every Windows since 7 has. The standard library of the usual Windows targets imports more
/// (`bcryptprimitives.dll`, `api-ms-win-core-synch-l1-2-0.dll`); that of the `win7` targets does not.
const DLLS_OF_WINDOWS_7: &[&str] = &[
    "advapi32.dll",
    "kernel32.dll",
    "msvcrt.dll",
    "ntdll.dll",
    "shell32.dll",
    "user32.dll",
    "userenv.dll",
    "ws2_32.dll",
];

impl Companion {
    pub const ALL: [Self; 2] = [Self::X64, Self::X86];

    pub fn target(self) -> &'static str {
        match self {
            Self::X64 => "x86_64-win7-windows-gnu",
            Self::X86 => "i686-win7-windows-gnu",
        }
    }

    /// Its name among the release files.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::X64 => "bootshotctl.exe",
            Self::X86 => "bootshotctl-x86.exe",
        }
    }

    /// The compiler that runs GNU ld for it.
    pub fn gcc(self) -> &'static str {
        match self {
            Self::X64 => "x86_64-w64-mingw32-gcc",
            Self::X86 => "i686-w64-mingw32-gcc",
        }
    }

    /// Where the build leaves it.
    pub fn path(self) -> PathBuf {
        let folder = workspace::native_target().join(self.target());
        folder.join("companion").join("bootshotctl.exe")
    }
}

/// The crates of the standard library that a Windows program is built with.
pub const BUILD_STD: [&str; 2] = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features="];

/// Builds `companions` with the images of `target/dist` and the page of reports inside.
pub fn build(toolchain: &Toolchain, companions: &[Companion]) -> Result<()> {
    let page = report_page::build()?;
    let targets: Vec<&str> = companions
        .iter()
        .map(|companion| companion.target())
        .collect();
    step(format!("Building bootshotctl for {}", targets.join(", ")));
    let mut command = toolchain.cargo("build")?;
    command
        .args(["--package=bootshotctl", "--profile=companion"])
        .args(BUILD_STD)
        .args(targets.iter().map(|target| format!("--target={target}")))
        .env("BOOTSHOT_IMAGES", workspace::dist())
        .env(report_page::VARIABLE, page);
    run(&mut command)?;
    companions
        .iter()
        .try_for_each(|companion| check_imports(*companion))
}

/// Builds the companion for the machine that this program runs on, and says where it is.
pub fn build_for_host() -> Result<PathBuf> {
    let page = report_page::build()?;
    step("Building bootshotctl for this host");
    run(host_cargo("build")
        .args([
            "--locked",
            "--package=bootshotctl",
            "--profile=companion",
            "--target-dir",
        ])
        .arg(workspace::target())
        .env("CARGO_ENCODED_RUSTFLAGS", host_flags().join("\x1f"))
        .env("BOOTSHOT_IMAGES", workspace::dist())
        .env(report_page::VARIABLE, page))?;
    let name = format!("bootshotctl{}", env::consts::EXE_SUFFIX);
    Ok(workspace::target().join("companion").join(name))
}

/// The same after the images that are to be inside it.
pub fn build_for_host_with_images() -> Result<PathBuf> {
    image::build(&toolchain::required()?, &Image::RELEASED)?;
    dist::place_images()?;
    build_for_host()
}

/// The flags that the environment asks for, and no place of this machine.
fn host_flags() -> Vec<String> {
    let encoded = env::var("CARGO_ENCODED_RUSTFLAGS")
        .map(|flags| flags.split('\x1f').map(str::to_owned).collect());
    let mut flags: Vec<String> = encoded.unwrap_or_else(|_| {
        let flags = env::var("RUSTFLAGS").unwrap_or_default();
        flags.split_whitespace().map(str::to_owned).collect()
    });
    flags.extend(path_remappings());
    flags
}

fn check_imports(companion: Companion) -> Result<()> {
    let path = companion.path();
    let image = fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
    let imports = image_gate::describe(&image)
        .with_context(|| path.display().to_string())?
        .imports;
    for import in imports {
        if !DLLS_OF_WINDOWS_7.contains(&import.dll.to_lowercase().as_str()) {
            bail!(
                "{} imports {} from {}, which Windows 7 may not have: leave out what needs it, or look it up at run time",
                path.display(),
                import.functions.join(", "),
                import.dll
            );
        }
    }
    Ok(())
}
