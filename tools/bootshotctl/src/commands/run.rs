//! `run`: a launcher for native programs.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, process};

use crate::error::{Error, Outcome};
use crate::image::{FILE_NAME, Image, Machine};
use crate::nt_path;
use crate::ntstatus::NtStatus;
use crate::output;
use crate::system::{self, End, Program, Running, Wait};
use crate::wine;

/// Arguments of `run`.
#[derive(clap::Args)]
#[command(after_help = "Example: bootshotctl run -- phase=live keep=5\n\n\
Where this is not Windows, Wine works in the prefix that WINEPREFIX names; without it, in ~/.wine, which it creates.")]
pub struct Args {
    /// The native executable; without it, the bootshot.exe beside or inside this program
    exe: Option<PathBuf>,
    /// Terminate it when it has not ended after this many seconds
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
    /// Arguments for it; they are joined with spaces, since native programs know no quoting
    #[arg(last = true, value_name = "ARGS")]
    arguments: Vec<String>,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    if cfg!(windows) {
        let system = system::this("run")?;
        let (path, _temporary) = args.native_image(system.machine())?;
        launch(&*system, &path, args)
    } else {
        let machine = Machine::from_target_arch(env::consts::ARCH).unwrap_or(Machine::X64);
        let (path, _temporary) = args.native_image(machine)?;
        wine::launch(
            &path,
            args.timeout.map(Duration::from_secs),
            &args.arguments,
        )
    }
}

impl Args {
    /// The file to run, and what removes it again if it came from inside this program.
    fn native_image(&self, machine: Machine) -> Result<(PathBuf, Option<Temporary>), Error> {
        let image = match &self.exe {
            Some(path) => Image::read(path)?,
            None => Image::find(machine)?,
        };
        let subsystem = image.subsystem()?;
        if subsystem != "native" {
            return Err(Error::failed(format!("will not run {}", image.origin()))
                .because(format!("it is a {subsystem} program, not a native one"))
                .advise(
                    "It counts on csrss and kernel32, which a native start does not give it. Start it the ordinary way.",
                ));
        }
        if let Some(path) = &image.path {
            let path = std::path::absolute(path).map_err(|error| {
                Error::failed(format!("cannot find {}", path.display())).because(error)
            })?;
            return Ok((path, None));
        }
        let temporary = Temporary::write(&image.bytes)?;
        Ok((temporary.0.clone(), Some(temporary)))
    }
}

/// A copy of the embedded image, removed when it is dropped.
struct Temporary(PathBuf);

impl Temporary {
    fn write(bytes: &[u8]) -> Result<Self, Error> {
        let path = env::temp_dir().join(format!("{}-{FILE_NAME}", process::id()));
        File::create_new(&path)
            .and_then(|mut file| file.write_all(bytes))
            .map_err(|error| {
                Error::failed(format!("cannot write {}", path.display())).because(error)
            })?;
        Ok(Self(path))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Should it be in use still, the system's own cleaning of its temporary directory takes it.
        let _ = fs::remove_file(&self.0);
    }
}

fn launch(system: &dyn Running, path: &Path, args: &Args) -> Result<Outcome, Error> {
    let dos = path.display().to_string();
    let mut command_line = if dos.contains(' ') {
        format!("\"{dos}\"")
    } else {
        dos.clone()
    };
    for argument in &args.arguments {
        command_line.push(' ');
        command_line.push_str(argument);
    }
    let program = Program {
        image: nt_path::from_dos(&dos),
        command_line: command_line.encode_utf16().collect(),
        directory: None,
        dll_path: None,
        environment: None,
        debug: false,
        relay_output: true,
        wait: Wait::Process,
        timeout: args.timeout.map(Duration::from_secs),
    };
    let started = system
        .start(&program)
        .map_err(|status| Error::failed(format!("cannot start {dos}")).because(status))?;
    let name = path.file_name().unwrap_or(path.as_os_str()).display();
    output::say(format!(
        "{name}: {} ({} ms)",
        started.end,
        started.elapsed.as_millis()
    ));
    match started.end {
        End::Exited(NtStatus::SUCCESS) => Ok(Outcome::Done),
        End::TimedOut => Err(Error::failed(format!(
            "{name} did not end within {} s",
            args.timeout.unwrap_or_default()
        ))),
        _ => Ok(Outcome::No),
    }
}
