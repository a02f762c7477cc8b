//! A Windows installation that does not run: a folder with its files, and the SYSTEM hive among them.

#[cfg(not(windows))]
mod base_block;
#[cfg(not(windows))]
mod hivexregedit;

use std::cell::OnceCell;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

#[cfg(not(windows))]
use self::hivexregedit::Hive;
#[cfg(windows)]
use crate::windows::Hive;

use crate::error::Error;
use crate::image::{Machine, machine_name};
use crate::lists::Current;
use crate::multi_sz::Value;
use crate::nt_path;
use crate::snapshots::Directory;
use crate::system::{Boot, Protection, System};

/// The files that make up the SYSTEM hive.
const HIVE_FILES: [&str; 3] = ["SYSTEM", "SYSTEM.LOG1", "SYSTEM.LOG2"];

/// Where the kernel is, below the Windows directory.
const KERNEL: [&str; 2] = ["System32", "ntoskrnl.exe"];

/// How the names of the folders with copies of the hive begin.
const BACKUP: &str = "bootshot-backup-";

/// An installation that does not run.
pub struct Offline {
    /// Its Windows directory, as this system spells it.
    windows: PathBuf,
    machine: Machine,
    hive: Hive,
    /// `ControlSet00N\Control\Session Manager`, of the control set that the next start will use.
    session_manager: String,
    /// The folder with the copy of the hive, once there is one.
    backup: OnceCell<PathBuf>,
}

impl Offline {
    /// The installation in `folder`: its Windows directory, or the root of its volume.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let folder = absolute(folder).map_err(|error| {
            Error::failed(format!("cannot look into {}", folder.display())).because(error)
        })?;
        let (windows, hive) = windows_in(&folder)?;
        refuse_hibernated(&windows)?;
        let hive = Hive::open(&hive)?;
        Ok(Self {
            machine: machine_of(&windows)?,
            session_manager: session_manager(&hive)?,
            windows,
            hive,
            backup: OnceCell::new(),
        })
    }

    /// Copies the hive and its logs into a new folder beside it, once a run.
    fn keep_hive(&self) -> Result<PathBuf, Error> {
        if let Some(backup) = self.backup.get() {
            return Ok(backup.clone());
        }
        let config = self.reach(&self.windows.join("System32").join("config"));
        let failed = |error: io::Error| {
            Error::failed(format!(
                "cannot keep a copy of the hive in {}",
                config.display()
            ))
            .because(error)
            .advise("The hive was not changed.")
        };
        #[cfg(windows)]
        self.hive.unload();
        let folder = new_folder(&config).map_err(failed)?;
        for name in HIVE_FILES {
            if let Some(file) = find(&config, name).map_err(failed)? {
                let copy = folder.join(name);
                fs::copy(&file, &copy).map_err(failed)?;
                #[cfg(not(windows))]
                keep_security(&file, &copy).map_err(failed)?;
                File::options()
                    .write(true)
                    .open(copy)
                    .and_then(|copy| copy.sync_all())
                    .map_err(failed)?;
            }
        }
        Ok(self.backup.get_or_init(|| folder).clone())
    }
}

impl System for Offline {
    fn machine(&self) -> Machine {
        self.machine
    }

    fn windows_directory(&self) -> &Path {
        &self.windows
    }

    /// Windows does not care about the case of names, the file system here may.
    fn reach(&self, path: &Path) -> PathBuf {
        let Ok(below) = path.strip_prefix(&self.windows) else {
            return path.to_owned();
        };
        let mut reached = self.windows.clone();
        for component in below.components() {
            let name = component.as_os_str();
            reached = match name.to_str().map(|name| find(&reached, name)) {
                Some(Ok(Some(found))) => found,
                _ => reached.join(name),
            };
        }
        reached
    }

    fn is_elevated(&self) -> Result<bool, Error> {
        #[cfg(windows)]
        return crate::windows::is_elevated();
        // Who may not write to the volume will be told so by it.
        #[cfg(not(windows))]
        Ok(true)
    }

    fn value(&self, name: &str) -> Result<Option<Value>, Error> {
        self.hive.value(&self.session_manager, name)
    }

    fn set_value(&self, name: &str, value: &Value) -> Result<(), Error> {
        self.keep_hive()?;
        self.hive
            .set_value(&self.session_manager, name, Some(value))
    }

    fn remove_value(&self, name: &str) -> Result<(), Error> {
        self.keep_hive()?;
        self.hive.set_value(&self.session_manager, name, None)
    }

    fn locate(&self, path: &str) -> Result<PathBuf, Error> {
        let Some(below) = nt_path::below_system_root(path) else {
            return Err(Error::failed(format!("cannot tell where {path} is"))
                .because("which volume has which letter only the running system knows")
                .advise(
                    "Offline the directory has to be below \\SystemRoot, as dir=\\SystemRoot\\bootshot is.",
                ));
        };
        let below = below.split('\\').filter(|name| !name.is_empty());
        Ok(self.reach(&below.fold(self.windows.clone(), |path, name| path.join(name))))
    }

    fn back_up(&self, _former: &[&Current], _directory: &Directory) -> Result<PathBuf, Error> {
        self.keep_hive()
    }

    #[cfg(windows)]
    fn protect_directory(&self, directory: &Path) -> Result<Protection, Error> {
        crate::windows::protect_directory(directory)
    }

    #[cfg(not(windows))]
    fn protect_directory(&self, directory: &Path) -> Result<Protection, Error> {
        match fs::symlink_metadata(directory) {
            Ok(metadata) if metadata.is_dir() => Ok(Protection::LeftToExecutable),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Protection::LeftToExecutable),
            Err(error) => {
                Err(Error::failed(format!("cannot look at {}", directory.display())).because(error))
            }
            // Drivers for NTFS show reparse points as symbolic links.
            Ok(_) => Err(
                Error::failed(format!("will not use {}", directory.display()))
                    .because("it is a file or a link, not a directory")
                    .advise("Remove it, or choose another directory with dir=."),
            ),
        }
    }

    #[cfg(windows)]
    fn security(&self, directory: &Path) -> Result<Option<String>, Error> {
        crate::windows::describe(directory).map(Some)
    }

    #[cfg(not(windows))]
    fn security(&self, _directory: &Path) -> Result<Option<String>, Error> {
        Ok(None)
    }

    #[cfg(windows)]
    fn replace_file(&self, from: &Path, to: &Path) -> io::Result<()> {
        crate::windows::replace_file(from, to)
    }

    #[cfg(not(windows))]
    fn replace_file(&self, from: &Path, to: &Path) -> io::Result<()> {
        // What may be done with the image is what may be done with the programs of Windows.
        if let Some(kernel) = find_below(&self.windows, &KERNEL)? {
            keep_security(&kernel, from)?;
        }
        rename(from, to)
    }

    fn boot(&self) -> Result<Option<Boot>, Error> {
        Ok(None)
    }

    fn command(&self, subcommand: &str) -> String {
        format!(
            "bootshotctl {subcommand} --offline \"{}\"",
            self.windows.display()
        )
    }

    fn copies_of_hive(&self) -> Vec<PathBuf> {
        let config = self.reach(&self.windows.join("System32").join("config"));
        let files = fs::read_dir(&config).into_iter().flatten().flatten();
        let mut copies: Vec<PathBuf> = files
            .filter(|file| file.file_name().to_string_lossy().starts_with(BACKUP))
            .map(|file| file.path())
            .collect();
        copies.sort();
        copies
    }
}

/// Renames over whatever is there and returns when the change is on the disk.
#[cfg(not(windows))]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    match to.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Gives a file the access list and the permissions of another one, where the file system's driver lets us: the one of
/// the kernel (`ntfs3`) and `ntfs-3g` show NTFS security descriptors as extended attributes. Without, a file has what
/// the driver gives new files, which may be everything to everybody.
#[cfg(not(windows))]
fn keep_security(model: &Path, file: &Path) -> io::Result<()> {
    fs::set_permissions(file, fs::metadata(model)?.permissions())?;
    #[cfg(target_os = "linux")]
    for name in ["system.ntfs_security", "system.ntfs_acl"] {
        // No such attribute, on another file system: then there is nothing to keep.
        if let Ok(Some(descriptor)) = xattr::get(model, name) {
            xattr::set(file, name, &descriptor)?;
        }
    }
    Ok(())
}

/// The path without relative parts, so that it has a parent. On Windows not the verbatim form, which few programs take.
fn absolute(folder: &Path) -> io::Result<PathBuf> {
    if cfg!(windows) {
        std::path::absolute(folder)
    } else {
        folder.canonicalize()
    }
}

/// The Windows directory in `folder`, which is it or its volume's root, and the SYSTEM hive.
fn windows_in(folder: &Path) -> Result<(PathBuf, PathBuf), Error> {
    let failed = |error: io::Error| {
        Error::failed(format!("cannot look into {}", folder.display())).because(error)
    };
    for below in [&[][..], &["Windows"]] {
        let Some(windows) = find_below(folder, below).map_err(failed)? else {
            continue;
        };
        if let Some(hive) =
            find_below(&windows, &["System32", "config", HIVE_FILES[0]]).map_err(failed)?
        {
            return Ok((windows, hive));
        }
    }
    Err(
        Error::failed(format!("there is no Windows in {}", folder.display()))
            .because("neither System32/config/SYSTEM nor Windows/System32/config/SYSTEM is there")
            .advise("Name the Windows folder of the installation, or the root of its volume."),
    )
}

fn find_below(folder: &Path, names: &[&str]) -> io::Result<Option<PathBuf>> {
    let mut found = folder.to_owned();
    for name in names {
        match find(&found, name)? {
            Some(path) => found = path,
            None => return Ok(None),
        }
    }
    Ok(Some(found))
}

/// The file `name` of a folder, as it is spelled there; the very spelling asked for comes first.
fn find(folder: &Path, name: &str) -> io::Result<Option<PathBuf>> {
    let exact = folder.join(name);
    if exact.symlink_metadata().is_ok() {
        return Ok(Some(exact));
    }
    let files = match fs::read_dir(folder) {
        Ok(files) => files,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for file in files {
        let file = file?;
        if file.file_name().eq_ignore_ascii_case(name) {
            found.push(file.path());
        }
    }
    Ok(found.into_iter().min())
}

/// A folder in `parent` that was not there before.
fn new_folder(parent: &Path) -> io::Result<PathBuf> {
    for number in 1..=9999 {
        let folder = parent.join(format!("{BACKUP}{number:04}"));
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other(
        "there are 9999 copies already: move the old ones away",
    ))
}

/// Refuses a system that is not shut down but hibernated, wholly or, with Fast Startup, its kernel: when it resumes, it
/// takes no notice of what was changed on the disk, and writes its own idea of the hive over it.
///
/// The first four bytes of `hiberfil.sys` tell: zero or `wake` when there is nothing to resume from (seen in Windows 7 to
/// 11; ntfs-3g goes by the same sign).
fn refuse_hibernated(windows: &Path) -> Result<(), Error> {
    let volume = windows.parent().unwrap_or(windows);
    let mut signature = Vec::new();
    let read = find(volume, "hiberfil.sys").and_then(|file| match file {
        Some(file) => File::open(file)?.take(4).read_to_end(&mut signature),
        None => Ok(0),
    });
    read.map_err(|error| {
        Error::failed(format!(
            "cannot tell whether the Windows in {} is hibernated",
            windows.display()
        ))
        .because(error)
    })?;
    if signature.iter().all(|byte| *byte == 0) || signature.eq_ignore_ascii_case(b"wake") {
        return Ok(());
    }
    Err(
        Error::failed(format!("will not touch {}", windows.display()))
            .because("that Windows is hibernated, as Fast Startup does at every shutdown: hiberfil.sys is in use")
            .advise("Start it and choose Restart, or shut it down with \"shutdown /s /t 0\"; then try again."),
    )
}

/// The machine that the installation's kernel is for.
fn machine_of(windows: &Path) -> Result<Machine, Error> {
    let failed = || {
        Error::failed(format!(
            "cannot tell for which machine {} is",
            windows.display()
        ))
    };
    let kernel = find_below(windows, &KERNEL)
        .map_err(|error| failed().because(error))?
        .ok_or_else(|| failed().because("there is no System32/ntoskrnl.exe"))?;
    let image = fs::read(&kernel).map_err(|error| failed().because(error))?;
    let name = image_gate::describe(&image)
        .map_err(|error| failed().because(format!("{}: {error}", kernel.display())))?
        .machine;
    [Machine::X86, Machine::X64, Machine::Arm64]
        .into_iter()
        .find(|machine| machine_name(*machine) == name)
        .ok_or_else(|| failed().because(format!("{} is for {name}", kernel.display())))
}

/// The Session Manager's key of the control set that the next start will use: `CurrentControlSet` is a link that only a
/// running system has.
fn session_manager(hive: &Hive) -> Result<String, Error> {
    let selected = hive.value("Select", "Default")?;
    let number = selected
        .as_ref()
        .and_then(|value| value.data.first_chunk())
        .map(|bytes| u32::from_le_bytes(*bytes));
    match number {
        Some(number @ 1..=999) => Ok(format!("ControlSet{number:03}\\Control\\Session Manager")),
        _ => Err(
            Error::failed("cannot tell which control set the next start will use")
                .because("the hive has no usable Select\\Default"),
        ),
    }
}

#[cfg(all(test, not(windows)))]
mod tests;
