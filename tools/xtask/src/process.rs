//! Runs other programs, and says so.

use std::env;
use std::ffi::OsStr;
use std::fmt::Display;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Says what comes next.
pub fn step(what: impl Display) {
    eprintln!("==> {what}");
}

/// Runs `command` to its end; an unsuccessful end is an error.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("could not start `{}`", line(command)))?;
    if !status.success() {
        bail!("`{}` failed: {status}", line(command));
    }
    Ok(())
}

/// What `command` writes to its standard output; the error of an unsuccessful one tells what it wrote to the other.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("could not start `{}`", line(command)))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!(
            "`{}` failed: {}\n{}",
            line(command),
            output.status,
            stderr.trim_end()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command line, for messages.
pub fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The first program of that name on the search path.
pub fn on_path(program: &str) -> Option<PathBuf> {
    folders_on_path()
        .map(|folder| {
            folder
                .join(program)
                .with_added_extension(env::consts::EXE_EXTENSION)
        })
        .find(|candidate| candidate.is_file())
}

pub fn folders_on_path() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).collect::<Vec<_>>().into_iter()
}

/// The search path with `folder` before everything else.
pub fn path_starting_with(folder: PathBuf) -> Result<std::ffi::OsString> {
    env::join_paths(std::iter::once(folder).chain(folders_on_path()))
        .context("could not extend PATH")
}

/// The Cargo that runs this program: the one for everything that is built for the host.
pub fn host_cargo(subcommand: &str) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(crate::workspace::root())
        .arg(subcommand);
    command
}
