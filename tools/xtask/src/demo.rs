//! Shows the whole way once: build, register, boot, read.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::companion::{self, Companion};
use crate::image::{self, Image};
use crate::process::{self, step};
use crate::setup::{Need, ensure};
use crate::wine::{self, Prefix};
use crate::{dist, toolchain, workspace};

/// How many lines of the process table a demonstration needs.
const PROCESS_LINES: usize = 16;

/// The job.
pub fn run() -> Result<ExitCode> {
    if cfg!(windows) {
        on_windows()?
    } else {
        under_wine()?
    }
    Ok(ExitCode::SUCCESS)
}

fn under_wine() -> Result<()> {
    ensure(&[
        Need::Toolchain,
        Need::Lld,
        Need::MingwX64,
        Need::Npm,
        Need::Wine,
    ])?;
    let toolchain = toolchain::required()?;
    image::build(&toolchain, &Image::RELEASED)?;
    dist::place_images()?;
    companion::build(&toolchain, &[Companion::X64])?;
    let reader = companion::build_for_host()?;

    let prefix = Prefix::fresh("demo")?;
    let companion = Companion::X64.path();
    step("Registering it in the throw-away Wine prefix: bootshotctl.exe install");
    show(prefix.command(&companion).arg("install"))?;
    step("Playing the part of smss: bootshotctl.exe simulate-boot");
    show(prefix.command(&companion).arg("simulate-boot"))?;

    show_snapshot(
        &reader,
        &newest_snapshot(&prefix.drive_c().join("windows").join("bootshot"))?,
    )
}

/// Without a boot and without an administrator's rights: through the launcher, into a folder of our own.
fn on_windows() -> Result<()> {
    ensure(&[Need::Toolchain, Need::Lld, Need::Npm])?;
    let companion = companion::build_for_host_with_images()?;

    let folder = workspace::target().join("demo");
    fs::create_dir_all(&folder)
        .with_context(|| format!("could not create {}", folder.display()))?;
    // The executable splits its arguments at white space, and takes NT paths.
    let directory = format!("dir=\\??\\{}", folder.display());
    if directory.contains(char::is_whitespace) {
        bail!(
            "{} has a space in it; set CARGO_TARGET_DIR to a folder without",
            folder.display()
        );
    }
    step("Running it: bootshotctl run");
    process::run(Command::new(&companion).args(["run", "--", &directory]))?;
    show_snapshot(&companion, &newest_snapshot(&folder)?)
}

/// Runs `command`, and shows what Wine says of `NtDisplayString` as it would stand on the screen. By way of a file:
/// Wine's services outlive the command, and would hold a pipe open.
fn show(command: &mut Command) -> Result<()> {
    let path = workspace::target().join("wine").join("demo.txt");
    let file =
        File::create(&path).with_context(|| format!("could not create {}", path.display()))?;
    let outcome = process::run(command.stderr(file));
    let said = fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
    for line in String::from_utf8_lossy(&said).lines() {
        match wine::displayed(line) {
            Some(text) => print!("{text}"),
            None => eprintln!("{line}"),
        }
    }
    outcome
}

/// The names begin with a sequence number of fixed width.
fn newest_snapshot(folder: &Path) -> Result<PathBuf> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("could not list {}", folder.display()))?;
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "bshot")
        })
        .max()
        .with_context(|| format!("no snapshot was written to {}", folder.display()))
}

fn show_snapshot(companion: &Path, snapshot: &Path) -> Result<()> {
    step("Reading the snapshot: bootshotctl summary");
    process::run(Command::new(companion).arg("summary").arg(snapshot))?;
    step("Reading the snapshot: bootshotctl processes");
    let processes = process::output(Command::new(companion).arg("processes").arg(snapshot))?;
    for line in processes.lines().take(PROCESS_LINES) {
        println!("{line}");
    }
    println!("\nThe snapshot is {}", workspace::display(snapshot));
    println!("For more of it: {} --help", workspace::display(companion));
    Ok(())
}
