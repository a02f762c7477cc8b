//! The SYSTEM hive of an installation that does not run, loaded into the registry of the one that does: the kernel
//! replays its logs.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};

use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, ERROR_SUCCESS};
use windows_sys::Win32::System::Registry::{HKEY_LOCAL_MACHINE, RegLoadKeyW, RegUnLoadKeyW};

use super::{registry, wide};
use crate::error::Error;
use crate::multi_sz::Value;
use crate::ntstatus::NtStatus;
use crate::output;

windows_link::link!("ntdll.dll" "system" fn RtlAdjustPrivilege(
    privilege: u32,
    enable: u8,
    for_thread: u8,
    was_enabled: *mut u8,
) -> i32);

const SE_BACKUP_PRIVILEGE: u32 = 17;
const SE_RESTORE_PRIVILEGE: u32 = 18;

/// The key below `HKEY_LOCAL_MACHINE` that the hive is loaded as.
const LOADED: &str = "bootshot-offline";

/// A hive file, loaded when it is needed; nobody can open the file of a loaded hive.
pub struct Hive {
    file: PathBuf,
    loaded: RefCell<Option<Loaded>>,
}

impl Hive {
    /// Loads a hive.
    pub fn open(file: &Path) -> Result<Self, Error> {
        let hive = Self {
            file: file.to_owned(),
            loaded: RefCell::new(None),
        };
        hive.load()?;
        Ok(hive)
    }

    /// A value of the key `key` of the hive.
    pub fn value(&self, key: &str, name: &str) -> Result<Option<Value>, Error> {
        self.load()?;
        registry::value(&loaded(key), name)
    }

    /// Stores a value, or removes it, and flushes the hive.
    pub fn set_value(&self, key: &str, name: &str, value: Option<&Value>) -> Result<(), Error> {
        self.load()?;
        match value {
            Some(value) => registry::set_value(&loaded(key), name, value),
            None => registry::remove_value(&loaded(key), name),
        }
    }

    /// Unloads it until it is needed again.
    pub fn unload(&self) {
        self.loaded.take();
    }

    fn load(&self) -> Result<(), Error> {
        let mut loaded = self.loaded.borrow_mut();
        if loaded.is_none() {
            *loaded = Some(Loaded::new(&self.file)?);
        }
        Ok(())
    }
}

/// That a hive is loaded; dropping it unloads it.
struct Loaded;

impl Loaded {
    fn new(file: &Path) -> Result<Self, Error> {
        for privilege in [SE_BACKUP_PRIVILEGE, SE_RESTORE_PRIVILEGE] {
            let mut was_enabled = 0;
            // SAFETY: the result has room.
            let status = unsafe { RtlAdjustPrivilege(privilege, 1, 0, &mut was_enabled) };
            if status < 0 {
                return Err(Error::failed(format!("cannot load {}", file.display()))
                    .because(NtStatus(status as u32))
                    .advise(
                        "Start the command prompt with \"Run as administrator\" and try again.",
                    ));
            }
        }
        let (name, path) = (wide(LOADED), wide(file));
        // SAFETY: both names end with a zero.
        let code = unsafe { RegLoadKeyW(HKEY_LOCAL_MACHINE, name.as_ptr(), path.as_ptr()) };
        if code == ERROR_SUCCESS {
            return Ok(Self);
        }
        let failed = Error::failed(format!("cannot load {}", file.display()))
            .because(io::Error::from_raw_os_error(code as i32));
        Err(match code {
            ERROR_SHARING_VIOLATION | ERROR_ACCESS_DENIED => failed.advise(format!(
                "It is in use, perhaps by the running system (then leave --offline out), or an earlier run has left it \
                 loaded: reg unload HKLM\\{LOADED}"
            )),
            _ => failed,
        })
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        let name = wide(LOADED);
        // SAFETY: the name ends with a zero, and no key of the hive is open any more.
        let code = unsafe { RegUnLoadKeyW(HKEY_LOCAL_MACHINE, name.as_ptr()) };
        if code != ERROR_SUCCESS {
            output::say(format!(
                "bootshotctl: cannot unload HKLM\\{LOADED}: {}\n  Type: reg unload HKLM\\{LOADED}",
                io::Error::from_raw_os_error(code as i32)
            ));
        }
    }
}

fn loaded(key: &str) -> String {
    format!("{LOADED}\\{key}")
}
