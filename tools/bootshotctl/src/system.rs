//! What the commands need of a Windows installation. The one that runs is in [`crate::windows`], one that does not in
//! [`crate::offline`].

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Error;
use crate::image::Machine;
use crate::lists::Current;
use crate::multi_sz::Value;
use crate::nt_path;
use crate::ntstatus::NtStatus;
use crate::offline::Offline;
use crate::reg_file;
use crate::snapshots::Directory;

/// Which boot a system is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boot {
    /// `KUSER_SHARED_DATA.BootId`; 0 where the system does not count its boots.
    pub id: u32,
    /// `SYSTEM_TIMEOFDAY_INFORMATION.BootTime`, 100 ns since 1601 UTC.
    pub time: i64,
}

/// What is known of the access list of a directory that bootshot is to write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// The directory is there, for SYSTEM and Administrators only.
    #[cfg_attr(not(windows), allow(dead_code, reason = "made by crate::windows"))]
    Verified,
    /// Access lists cannot be set from here: the executable creates the directory, or checks it, at its first run.
    #[cfg_attr(windows, allow(dead_code, reason = "Windows can set them anywhere"))]
    LeftToExecutable,
}

/// A Windows installation, whether it runs or not.
pub trait System {
    /// The machine type of the installation, not of this process or what WOW64 shows it.
    fn machine(&self) -> Machine;

    /// The directory `\SystemRoot` stands for, as a DOS path such as `C:\Windows`.
    fn windows_directory(&self) -> &Path;

    /// The path through which this process sees the file that everybody else knows as `path`.
    fn reach(&self, path: &Path) -> PathBuf;

    /// Whether this process runs with an elevated administrator's rights.
    fn is_elevated(&self) -> Result<bool, Error>;

    /// A value of the Session Manager key.
    fn value(&self, name: &str) -> Result<Option<Value>, Error>;

    /// Stores a value of the Session Manager key and flushes the hive.
    fn set_value(&self, name: &str, value: &Value) -> Result<(), Error>;

    /// Removes a value of the Session Manager key and flushes the hive.
    fn remove_value(&self, name: &str) -> Result<(), Error>;

    /// The path through which this process sees what entries call by the NT path `path`.
    fn locate(&self, path: &str) -> Result<PathBuf, Error> {
        Ok(nt_path::to_dos(path, self.windows_directory()).into())
    }

    /// Keeps the lists as they are in `former`, with a file in `directory` or elsewhere, whose path it gives.
    fn back_up(&self, former: &[&Current], directory: &Directory) -> Result<PathBuf, Error> {
        directory.write_backup(&reg_file::backup(former.iter().copied()))
    }

    /// Creates a directory for SYSTEM and Administrators only, or makes an existing one so, and reads back that it is.
    fn protect_directory(&self, directory: &Path) -> Result<Protection, Error>;

    /// The owner and access list of a directory in SDDL; `None` where they cannot be read.
    fn security(&self, directory: &Path) -> Result<Option<String>, Error>;

    /// Writes a file that must not exist yet, on the disk before it returns.
    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create_new(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Puts the file `from` at the place of `to`, on the disk before it returns.
    fn replace_file(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    /// Which boot this is; `None` for a system that does not run.
    fn boot(&self) -> Result<Option<Boot>, Error>;

    /// What to type for a subcommand that is about this system.
    fn command(&self, subcommand: &str) -> String {
        format!("bootshotctl {subcommand}")
    }

    /// Copies of the registry that lie somewhere else than the snapshots, as far as they can be seen.
    fn copies_of_hive(&self) -> Vec<PathBuf> {
        Vec::new()
    }
}

/// The Windows installation this process runs on.
pub trait Running: System {
    /// Whether this is Wine: nobody's real system, and no volumes for a disk check to take away.
    fn is_wine(&self) -> bool;

    /// The Session Manager's own `Path` variable, expanded.
    fn search_path(&self) -> Result<String, Error>;

    /// Starts a native program and waits as asked.
    fn start(&self, program: &Program) -> Result<Started, NtStatus>;
}

/// A native program to start, in the terms of its process parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The image, as an NT path.
    pub image: String,
    /// UTF-16 that need not be well formed.
    pub command_line: Vec<u16>,
    /// The current directory as a DOS path; `None`: ours.
    pub directory: Option<String>,
    /// Where DLLs are searched; `None`: as for us.
    pub dll_path: Option<String>,
    /// The environment; `None`: ours.
    pub environment: Option<Vec<(&'static str, String)>>,
    /// Sets the debug flags.
    pub debug: bool,
    /// Relays what it writes to its standard output to ours; without, it has no standard handles.
    pub relay_output: bool,
    pub wait: Wait,
    /// After this time the program is terminated.
    pub timeout: Option<Duration>,
}

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The end of the process.
    Process,
    /// The end of its first thread, as smss does.
    FirstThread,
    /// Nothing.
    No,
}

/// What became of a program that could be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    pub process_id: u32,
    pub end: End,
    pub elapsed: Duration,
}

/// How a program ended.
#[cfg_attr(not(windows), allow(dead_code, reason = "made by crate::windows"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// What was waited for has ended, with this status.
    Exited(NtStatus),
    /// Not waited for.
    Running,
    /// Terminated when its time was up.
    TimedOut,
    /// Not a native image, by the subsystem number given: terminated before its first instruction.
    WrongSubsystem(u32),
}

/// The installation this process runs on.
#[cfg(windows)]
pub fn this(_doing: &str) -> Result<Box<dyn Running>, Error> {
    Ok(Box::new(crate::windows::Windows::open()?))
}

/// The installation this process runs on; here there is none.
#[cfg(not(windows))]
pub fn this(doing: &str) -> Result<Box<dyn Running>, Error> {
    Err(Error::failed(format!("cannot {doing}"))
        .because("this is not Windows")
        .advise("Run bootshotctl.exe on the Windows system meant, or under Wine."))
}

/// The installation that does not run in the folder `offline`, else the one this process runs on.
pub fn of(offline: Option<&Path>, doing: &str) -> Result<Box<dyn System>, Error> {
    Ok(match offline {
        Some(folder) => Box::new(Offline::open(folder)?),
        None => this(doing)?,
    })
}

/// Removes a file that need not exist; tells whether it did.
pub fn remove_if_there(system: &dyn System, file: &Path) -> Result<bool, Error> {
    match system.remove_file(file) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => {
            Err(Error::failed(format!("cannot remove {}", file.display())).because(error))
        }
    }
}

/// Refuses to go on without an elevated administrator's rights.
pub fn require_elevation(system: &dyn System, doing: &str) -> Result<(), Error> {
    if system.is_elevated()? {
        return Ok(());
    }
    Err(Error::failed(format!("cannot {doing}"))
        .because("it takes an elevated administrator")
        .advise("Start the command prompt with \"Run as administrator\" and try again."))
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(status) => write!(f, "ended with {status}"),
            Self::Running => f.write_str("still running"),
            Self::TimedOut => f.write_str("did not end in time and was terminated"),
            Self::WrongSubsystem(subsystem) => {
                write!(f, "not a native image (subsystem {subsystem})")
            }
        }
    }
}

#[cfg(test)]
pub mod tests {
    //! An installation in a temporary directory, for the tests of the commands.

    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;

    use super::*;
    use crate::entry::Entry;
    use crate::lists::List;

    /// A Windows installation whose files are below a temporary directory and whose registry is a map.
    pub struct FakeSystem {
        folder: tempfile::TempDir,
        windows: PathBuf,
        values: RefCell<BTreeMap<String, Value>>,
        pub elevated: Cell<bool>,
        pub wine: Cell<bool>,
        pub search_path: RefCell<String>,
        pub boot: Cell<Boot>,
        /// Every program started.
        pub started: RefCell<Vec<Program>>,
        /// How the programs started next end.
        pub end: Cell<Result<End, NtStatus>>,
    }

    impl Default for FakeSystem {
        fn default() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let windows = folder.path().join("Windows");
            fs::create_dir_all(windows.join("System32")).unwrap();
            Self {
                folder,
                windows,
                values: RefCell::default(),
                elevated: Cell::new(true),
                wine: Cell::new(true),
                search_path: RefCell::default(),
                boot: Cell::new(Boot { id: 5, time: 0 }),
                started: RefCell::default(),
                end: Cell::new(Ok(End::Exited(NtStatus(0)))),
            }
        }
    }

    impl FakeSystem {
        /// Puts a well-formed list into the registry.
        pub fn plant(&self, list: List, entries: &[&str]) {
            let value = Value::multi_sz(entries.iter().map(|text| Entry::from(*text)));
            self.set_value(list.value_name(), &value).unwrap();
        }

        /// What a well-formed list in the registry says.
        pub fn list(&self, list: List) -> Vec<String> {
            let value = self
                .value(list.value_name())
                .unwrap()
                .expect("the value exists");
            let (strings, damage) = value.strings().expect("a list");
            assert_eq!(damage, []);
            strings
                .iter()
                .map(|units| String::from_utf16_lossy(units))
                .collect()
        }

        pub fn registry(&self) -> BTreeMap<String, Value> {
            self.values.borrow().clone()
        }

        /// Writes a file, given as everybody knows its path.
        pub fn write_file(&self, path: &str, bytes: &[u8]) {
            fs::write(self.reach(path.as_ref()), bytes).unwrap();
        }

        /// Every file there is.
        pub fn files(&self) -> Vec<PathBuf> {
            let mut files = Vec::new();
            let mut folders = vec![self.folder.path().to_owned()];
            while let Some(folder) = folders.pop() {
                for entry in fs::read_dir(folder).unwrap() {
                    let path = entry.unwrap().path();
                    let all = if path.is_dir() {
                        &mut folders
                    } else {
                        &mut files
                    };
                    all.push(path);
                }
            }
            files.sort();
            files
        }
    }

    impl System for FakeSystem {
        fn machine(&self) -> Machine {
            Machine::X64
        }

        fn windows_directory(&self) -> &Path {
            &self.windows
        }

        fn reach(&self, path: &Path) -> PathBuf {
            path.to_str().unwrap().replace('\\', "/").into()
        }

        fn is_elevated(&self) -> Result<bool, Error> {
            Ok(self.elevated.get())
        }

        fn value(&self, name: &str) -> Result<Option<Value>, Error> {
            Ok(self.values.borrow().get(name).cloned())
        }

        fn set_value(&self, name: &str, value: &Value) -> Result<(), Error> {
            self.values
                .borrow_mut()
                .insert(name.to_owned(), value.clone());
            Ok(())
        }

        fn remove_value(&self, name: &str) -> Result<(), Error> {
            self.values.borrow_mut().remove(name);
            Ok(())
        }

        fn protect_directory(&self, directory: &Path) -> Result<Protection, Error> {
            fs::create_dir_all(directory).unwrap();
            Ok(Protection::Verified)
        }

        fn security(&self, _directory: &Path) -> Result<Option<String>, Error> {
            Ok(Some("O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)".into()))
        }

        fn replace_file(&self, from: &Path, to: &Path) -> io::Result<()> {
            fs::rename(from, to)
        }

        fn boot(&self) -> Result<Option<Boot>, Error> {
            Ok(Some(self.boot.get()))
        }
    }

    impl Running for FakeSystem {
        fn is_wine(&self) -> bool {
            self.wine.get()
        }

        fn search_path(&self) -> Result<String, Error> {
            Ok(self.search_path.borrow().clone())
        }

        fn start(&self, program: &Program) -> Result<Started, NtStatus> {
            self.started.borrow_mut().push(program.clone());
            self.end.get().map(|end| Started {
                process_id: 4711,
                end,
                elapsed: Duration::ZERO,
            })
        }
    }
}
