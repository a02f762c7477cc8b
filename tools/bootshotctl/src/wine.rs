//! Native programs on a system that is not Windows: through Wine.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Outcome};
use crate::output;

/// The companion for Windows: under Wine, it passes the whole exit status on, of which Wine's loader keeps one byte.
const COMPANION: &str = "bootshotctl.exe";

/// Loaders by name, on `PATH`. On Debian `wine` is a script that asks for 32-bit support first.
const NAMES: [&str; 2] = ["wine64", "wine"];

/// Folders of loaders that are not on `PATH`: Debian's, WineHQ's and macOS'.
const FOLDERS: [&str; 6] = [
    "/usr/lib/wine",
    "/usr/lib64/wine",
    "/opt/wine-stable/bin",
    "/opt/wine-devel/bin",
    "/opt/wine-staging/bin",
    "/Applications/Wine Stable.app/Contents/Resources/wine/bin",
];

/// How often a program with a time limit is looked at.
const POLL: Duration = Duration::from_millis(20);

/// Runs a native image under Wine, with its output on ours.
pub fn launch(
    image: &Path,
    timeout: Option<Duration>,
    arguments: &[String],
) -> Result<Outcome, Error> {
    let loader = loader()?;
    start_at_fixed_addresses();
    let mut command = Command::new(&loader);
    if env::var_os("WINEDEBUG").is_none() {
        command.env("WINEDEBUG", "-all");
    }
    let companion = env::current_exe()
        .ok()
        .map(|program| program.with_file_name(COMPANION));
    if let Some(companion) = companion.filter(|companion| companion.is_file()) {
        command.arg(companion).arg("run");
        if let Some(timeout) = timeout {
            command.arg("--timeout").arg(timeout.as_secs().to_string());
        }
        command.arg(dos_path(image)).arg("--").args(arguments);
        let ended = run(&mut command, None, &loader)?;
        return match ended.code() {
            Some(0) => Ok(Outcome::Done),
            Some(1) => Ok(Outcome::No),
            _ => Err(Error::failed("the launcher under Wine did not succeed").because(ended)),
        };
    }
    let ended = run(command.arg(image).args(arguments), timeout, &loader)?;
    let name = image.file_name().unwrap_or(image.as_os_str()).display();
    match ended.code() {
        Some(0) => {
            output::say(format!("{name}: ended with 0x..00"));
            Ok(Outcome::Done)
        }
        Some(code) => {
            output::say(format!(
                "{name}: ended with 0x..{code:02X}; Wine passes on the lowest byte only, {COMPANION} beside this program would tell more"
            ));
            Ok(Outcome::No)
        }
        None => Err(Error::failed(format!("{name} did not end by itself")).because(ended)),
    }
}

/// Where Wine keeps the file: it maps the root of the file system to drive Z.
fn dos_path(path: &Path) -> OsString {
    format!("Z:{}", path.display().to_string().replace('/', "\\")).into()
}

fn run(
    command: &mut Command,
    timeout: Option<Duration>,
    loader: &Path,
) -> Result<ExitStatus, Error> {
    let failed = |error| Error::failed(format!("cannot run {}", loader.display())).because(error);
    let mut child = command.spawn().map_err(failed)?;
    let Some(timeout) = timeout else {
        return child.wait().map_err(failed);
    };
    let begin = Instant::now();
    loop {
        if let Some(ended) = child.try_wait().map_err(failed)? {
            return Ok(ended);
        }
        if begin.elapsed() >= timeout {
            child.kill().and_then(|()| child.wait()).map_err(failed)?;
            return Err(Error::failed(format!(
                "it did not end within {} s",
                timeout.as_secs()
            )));
        }
        thread::sleep(POLL);
    }
}

/// Linux puts the heap of a program up to 1 GiB behind its image (6.18, seen in `/proc/*/maps`), and that of Wine 8's loader,
/// at 0x7D000000, in one start out of some 8,000 over 0x7FFE0000, where the data that NT shares with every process must
/// stand: then nothing starts, in silence. What this thread starts gets its addresses without chance, and with the heap
/// next to the image; where the system does not let us (in some containers), it starts as it would anyway.
#[cfg(target_os = "linux")]
fn start_at_fixed_addresses() {
    use nix::sys::personality::{self, Persona};

    let _ = personality::get()
        .and_then(|persona| personality::set(persona | Persona::ADDR_NO_RANDOMIZE));
}

#[cfg(not(target_os = "linux"))]
fn start_at_fixed_addresses() {}

/// Wine's loader: the one that `WINELOADER` names, else on `PATH`, else in the usual places.
fn loader() -> Result<PathBuf, Error> {
    if let Some(loader) = env::var_os("WINELOADER") {
        return Ok(loader.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path)
        .chain(FOLDERS.map(PathBuf::from))
        .collect();
    NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|loader| loader.is_file())
        .ok_or_else(|| {
            Error::failed("cannot run native programs here")
                .because("Wine was not found")
                .advise("Install it (Debian: apt-get install wine64), or name its loader in WINELOADER.")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wine_sees_the_root_of_the_file_system_as_drive_z() {
        assert_eq!(dos_path(Path::new("/tmp/x.exe")), "Z:\\tmp\\x.exe");
    }
}
