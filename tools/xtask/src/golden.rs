//! Takes the golden snapshots, which the tests read: real ones, made under Wine by the way a boot makes them.
//!
//! A prefix at a fixed place, an empty environment and programs on drive C: nothing of the machine they are made on is in
//! them. The live one is taken while programs hold what only a running system shows: named objects, a job, ended
//! processes and threads. They are taken again only when the capture changes; those of a released format version stay for
//! ever.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure as hold};
use bootshot_format::VERSION;

use crate::companion::{self, Companion};
use crate::image::{self, Image};
use crate::process::{run as run_command, step};
use crate::setup::{Need, ensure};
use crate::wine::Prefix;
use crate::{dist, toolchain, workspace};

/// The same on every machine: paths below it stand in the snapshots.
const PREFIX: &str = "/tmp/bootshot-golden";

/// Where `install` puts the executable; without it, the launcher makes a copy with a name of its own.
const INSTALLED: &str = r"C:\windows\System32\bootshot.exe";

/// Programs of the tests under Wine that run while the live one is taken.
const PLANTED: [&str; 2] = ["named", "ended"];

/// The job.
pub fn run() -> Result<ExitCode> {
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

    let prefix = Prefix::fresh_at(PREFIX.into())?;
    let companion = prefix.drive_c().join("bootshotctl.exe");
    fs::copy(Companion::X64.path(), &companion)
        .with_context(|| format!("could not copy the companion to {}", companion.display()))?;
    let bootshotctl = |arguments: &[&str]| {
        step(format!("Running bootshotctl {}", arguments.join(" ")));
        run_command(command(&prefix, "bootshotctl").args(arguments))
    };
    bootshotctl(&["install", "--phase", "both"])?;
    bootshotctl(&["simulate-boot", "--phase", "both"])?;
    let planted = PLANTED
        .iter()
        .map(|program| Planted::start(&prefix, program))
        .collect::<Result<Vec<_>>>()?;
    bootshotctl(&["run", INSTALLED, "--", "phase=live"])?;
    drop(planted);
    keep(&prefix.drive_c().join("windows").join("bootshot"))?;
    Ok(ExitCode::SUCCESS)
}

/// A Windows program of drive C, with nothing of this machine in its environment.
fn command(prefix: &Prefix, program: &str) -> Command {
    let mut command = Command::new(prefix.loader());
    command.env_clear().env("HOME", PREFIX).current_dir(PREFIX);
    prefix.set_environment(&mut command);
    command.arg(format!("C:\\{program}.exe"));
    command
}

/// A program that holds what the live snapshot is to show; it ends when its input does.
struct Planted(Child);

impl Planted {
    /// Compiles and starts it, and waits until it says that it is ready.
    fn start(prefix: &Prefix, program: &str) -> Result<Self> {
        step(format!("Starting {program}.exe"));
        let source = workspace::root()
            .join("tools/bootshotctl/tests/wine")
            .join(program)
            .with_extension("c");
        let image = prefix.drive_c().join(program).with_extension("exe");
        let mut gcc = Command::new(Companion::X64.gcc());
        run_command(gcc.arg("-std=c11").arg("-o").arg(image).arg(source))?;
        let ready = prefix.drive_c().join("truth");
        let child = command(prefix, program)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("could not start {program}.exe"))?;
        let planted = Self(child);
        let patience = Instant::now() + Duration::from_secs(300);
        while !ready.exists() {
            hold!(Instant::now() < patience, "{program}.exe did not get ready");
            thread::sleep(Duration::from_millis(100));
        }
        fs::remove_file(&ready).with_context(|| format!("could not remove {}", ready.display()))?;
        Ok(planted)
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It has nothing to say any more, however it ends.
        let _ = self.0.wait();
    }
}

/// Copies the snapshots in `folder` to the tests, named for what they are.
fn keep(folder: &Path) -> Result<()> {
    let golden = workspace::root().join("tools/reader/golden");
    fs::create_dir_all(&golden)
        .with_context(|| format!("could not create {}", golden.display()))?;
    for phase in ["bootexecute", "setupexecute", "live"] {
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
        let kept = golden.join(format!("v{}-wine8-x64{suffix}", VERSION));
        // The content alone: the permissions are those that keep others out.
        fs::read(&snapshot)
            .and_then(|bytes| fs::write(&kept, bytes))
            .with_context(|| format!("could not copy a snapshot to {}", kept.display()))?;
        println!("{}", workspace::display(&kept));
    }
    Ok(())
}
