//! Takes the golden snapshots, which the tests read: real ones, made under Wine by the way a boot makes them.
//!
//! A prefix at a fixed place, an empty environment and programs on drive C: nothing of the machine they are made on is in
//! them. They are taken again only when the capture changes; those of a released format version stay for ever.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::companion::{self, Companion};
use crate::image::{self, Image};
use crate::process::{run as run_command, step};
use crate::setup::{Need, ensure};
use crate::wine::Prefix;
use crate::{dist, toolchain, workspace};

/// The same on every machine: paths below it stand in the snapshots.
const PREFIX: &str = "/tmp/bootshot-golden";

/// The job.
pub fn run() -> Result<ExitCode> {
    ensure(&[Need::Toolchain, Need::Lld, Need::MingwX64, Need::Wine])?;
    let toolchain = toolchain::required()?;
    image::build(&toolchain, &Image::RELEASED)?;
    dist::place_images()?;
    companion::build(&toolchain, &[Companion::X64])?;

    let prefix = Prefix::fresh_at(PREFIX.into())?;
    let companion = prefix.drive_c().join("bootshotctl.exe");
    fs::copy(Companion::X64.path(), &companion)
        .with_context(|| format!("could not copy the companion to {}", companion.display()))?;
    for arguments in [
        ["install", "--phase", "both"],
        ["simulate-boot", "--phase", "both"],
    ] {
        step(format!("Running bootshotctl {}", arguments.join(" ")));
        let mut command = Command::new(prefix.loader());
        command.env_clear().env("HOME", PREFIX).current_dir(PREFIX);
        prefix.set_environment(&mut command);
        run_command(command.arg(r"C:\bootshotctl.exe").args(arguments))?;
    }
    keep(&prefix.drive_c().join("windows").join("bootshot"))?;
    Ok(ExitCode::SUCCESS)
}

/// Copies the snapshots in `folder` to the tests, named for what they are.
fn keep(folder: &Path) -> Result<()> {
    let golden = workspace::root().join("tools/reader/golden");
    fs::create_dir_all(&golden)
        .with_context(|| format!("could not create {}", golden.display()))?;
    for phase in ["bootexecute", "setupexecute"] {
        let suffix = format!("-{phase}.bshot");
        let entries =
            fs::read_dir(folder).with_context(|| format!("could not list {}", folder.display()))?;
        let snapshot = entries
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.to_string_lossy().ends_with(&suffix))
            .with_context(|| format!("no snapshot of {phase} in {}", folder.display()))?;
        if let Some(finding) = image::place_of_builder(&snapshot)? {
            bail!("{finding}");
        }
        let kept = golden.join(format!("v0-wine8-x64{suffix}"));
        // The content alone: the permissions are those that keep others out.
        fs::read(&snapshot)
            .and_then(|bytes| fs::write(&kept, bytes))
            .with_context(|| format!("could not copy a snapshot to {}", kept.display()))?;
        println!("{}", workspace::display(&kept));
    }
    Ok(())
}
