//! Finds Wine, and gives each run a prefix of its own.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::process::{on_path, output, run, step};
use crate::workspace;

/// Names the loader where it is not found by itself.
pub const LOADER_VARIABLE: &str = "BOOTSHOT_WINE";

/// Debian keeps the 64-bit loader and the server out of the search path.
const DEBIAN_PROGRAMS: &str = "/usr/lib/wine";

/// The program that runs 64-bit Windows programs.
pub fn loader() -> Option<PathBuf> {
    if let Some(loader) = env::var_os(LOADER_VARIABLE) {
        return Some(loader.into());
    }
    let debian = Path::new(DEBIAN_PROGRAMS).join("wine64");
    on_path("wine64")
        .or_else(|| debian.is_file().then_some(debian))
        .or_else(|| on_path("wine"))
}

/// Seconds that the server of a prefix outlives its last program. By itself it goes after a few, and a program that is
/// started while it goes does not start at times. With the server go Wine's services, which take seconds to come again.
const SERVER_STAYS: u32 = 3600;

/// A Wine prefix: the registry and the drives of one pretended machine, which runs until this is dropped.
pub struct Prefix {
    loader: PathBuf,
    folder: PathBuf,
}

impl Prefix {
    /// A prefix as Wine first makes it, in place of the one that the last run called `name` left.
    pub fn fresh(name: &str) -> Result<Self> {
        let folder = template(&found()?)?.with_file_name(name);
        Self::fresh_at(folder)
    }

    /// The same at a place of its own.
    pub fn fresh_at(folder: PathBuf) -> Result<Self> {
        let loader = found()?;
        start_at_fixed_addresses();
        let template = template(&loader)?;
        if folder.is_dir() {
            // A run that was interrupted has left its server.
            let _ = output(&mut server_of(&loader, &folder, "-k"));
        }
        let made = remove(&folder).and_then(|()| copy_tree(&template, &folder));
        made.with_context(|| {
            format!(
                "could not copy the Wine prefix {} to {}",
                template.display(),
                folder.display()
            )
        })?;
        let prefix = Self { loader, folder };
        let stays = format!("-p{SERVER_STAYS}");
        let mut start = server_of(&prefix.loader, &prefix.folder, &stays);
        // It outlives this, and would hold a pipe open.
        run(start.stdout(Stdio::null()).stderr(Stdio::null()))?;
        Ok(prefix)
    }

    pub fn loader(&self) -> &Path {
        &self.loader
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder that Windows programs see as `C:\`.
    pub fn drive_c(&self) -> PathBuf {
        self.folder.join("drive_c")
    }

    /// `program` under Wine.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(&self.loader);
        self.set_environment(&mut command);
        command.arg(program);
        command
    }

    /// Makes `command` use this prefix when it starts Wine; of Wine's own messages only what it shows for
    /// `NtDisplayString`.
    pub fn set_environment(&self, command: &mut Command) {
        set_environment(command, &self.folder);
        command.env("WINEDEBUG", "-all,err+ntdll");
    }
}

impl Drop for Prefix {
    fn drop(&mut self) {
        let _ = output(&mut server_of(&self.loader, &self.folder, "-k"));
    }
}

fn found() -> Result<PathBuf> {
    loader().context("the Wine that was found a moment ago is gone")
}

/// What this thread starts from now on gets its addresses without chance: otherwise Wine's loader cannot start about one
/// program of 8,000 (`tools/bootshotctl/src/wine.rs` tells why), and a run of the tests starts a thousand.
#[cfg(target_os = "linux")]
fn start_at_fixed_addresses() {
    use nix::sys::personality::{self, Persona};

    let set = personality::get()
        .and_then(|persona| personality::set(persona | Persona::ADDR_NO_RANDOMIZE));
    if let Err(error) = set {
        step(format!(
            "Going on with random addresses, at which Wine sometimes cannot start a program: {error}"
        ));
    }
}

#[cfg(not(target_os = "linux"))]
fn start_at_fixed_addresses() {}

/// The prefix that all others are copies of; made once for each version of Wine, since making one takes seconds.
fn template(loader: &Path) -> Result<PathBuf> {
    let version = output(Command::new(loader).arg("--version"))?;
    let version: String = version
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '.')
        .collect();
    let template = workspace::target()
        .join("wine")
        .join(version)
        .join("template");
    if template.is_dir() {
        return Ok(template);
    }
    step("Making a Wine prefix");
    let unfinished = template.with_file_name("unfinished");
    fs::create_dir_all(&unfinished)
        .with_context(|| format!("could not create {}", unfinished.display()))?;
    let mut wineboot = Command::new(loader);
    set_environment(&mut wineboot, &unfinished);
    run(wineboot
        .env("WINEDEBUG", "-all")
        .args(["wineboot", "--init"])
        // Without the 32-bit half it complains, and works.
        .stderr(Stdio::null()))?;
    // The registry is in files only when the server has ended.
    run(&mut server_of(loader, &unfinished, "--wait"))?;
    fs::rename(&unfinished, &template).with_context(|| {
        format!(
            "could not rename {} to {}",
            unfinished.display(),
            template.display()
        )
    })?;
    Ok(template)
}

fn server(loader: &Path) -> PathBuf {
    let beside = loader.with_file_name("wineserver");
    let debian = Path::new(DEBIAN_PROGRAMS).join("wineserver");
    [beside, debian]
        .into_iter()
        .find(|server| server.is_file())
        .unwrap_or_else(|| "wineserver".into())
}

/// Wine's server for a prefix.
fn server_of(loader: &Path, prefix: &Path, argument: &str) -> Command {
    let mut command = Command::new(server(loader));
    set_environment(&mut command, prefix);
    command.arg(argument);
    command
}

/// No display, no menus, and no windows that ask for Mono or Gecko.
fn set_environment(command: &mut Command, prefix: &Path) {
    command
        .env("WINEPREFIX", prefix)
        .env("WINEDLLOVERRIDES", "mscoree,mshtml=;winemenubuilder.exe=d")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY");
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Copies a prefix. Wine's own DLLs, nearly all of its 700 MB, become further names of the same files: nothing writes
/// into them, and programs that are installed are files of their own.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        let is_program = from
            .extension()
            .is_some_and(|extension| extension == "dll" || extension == "exe");
        if kind.is_dir() {
            copy_tree(&from, &to)?;
        } else if kind.is_symlink() {
            link(&fs::read_link(&from)?, &to)?;
        } else if !is_program || fs::hard_link(&from, &to).is_err() {
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn link(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn link(target: &Path, _link: &Path) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        format!(
            "a Wine prefix, with its link to {}, is only for Unix",
            target.display()
        ),
    ))
}

/// The text of a line in which Wine shows a call of `NtDisplayString`:
/// `0024:err:ntdll:NtDisplayString L"text\n"`.
pub fn displayed(line: &str) -> Option<String> {
    let (_, quoted) = line.split_once(":NtDisplayString L\"")?;
    let quoted = quoted
        .trim_end()
        .trim_end_matches("...")
        .strip_suffix('"')?;
    let mut text = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        match characters.next()? {
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            // Four hexadecimal digits: any other unit of UTF-16.
            digit if digit.is_ascii_hexdigit() => {
                let digits: String = std::iter::once(digit)
                    .chain(characters.by_ref().take(3))
                    .collect();
                let unit = u32::from_str_radix(&digits, 16).ok()?;
                text.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            other => text.push(other),
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displayed_text_is_taken_out_of_wine_s_message() {
        let line = r#"0024:err:ntdll:NtDisplayString L"C:\\Windows \"x\" \00e9\n""#;
        assert_eq!(displayed(line).as_deref(), Some("C:\\Windows \"x\" é\n"));
    }

    #[test]
    fn other_messages_of_wine_are_not_displayed_text() {
        assert_eq!(
            displayed("0024:err:seh:NtRaiseException Unhandled exception"),
            None
        );
    }
}
