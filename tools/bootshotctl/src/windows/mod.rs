//! The running Windows installation. Everything of this program that is not safe Rust is below here.
#![allow(unsafe_code)]

mod hive;
mod installation;
mod process;
mod registry;
mod security;

pub use hive::Hive;
pub use installation::replace_file;
pub use security::{describe, is_elevated, protect_directory};

use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::image::Machine;
use crate::lists::KEY;
use crate::multi_sz::Value;
use crate::ntstatus::NtStatus;
use crate::system::{Boot, Program, Protection, Running, Started, System};

/// The installation this process runs on.
pub struct Windows {
    machine: Machine,
    directory: PathBuf,
    /// WOW64 shows this process another System32.
    is_wow64: bool,
}

impl Windows {
    pub fn open() -> Result<Self, Error> {
        Ok(Self {
            machine: installation::machine()?,
            directory: installation::directory()?,
            is_wow64: installation::is_wow64()?,
        })
    }
}

impl System for Windows {
    fn machine(&self) -> Machine {
        self.machine
    }

    fn windows_directory(&self) -> &Path {
        &self.directory
    }

    fn reach(&self, path: &Path) -> PathBuf {
        if self.is_wow64 {
            installation::past_wow64(path, &self.directory)
        } else {
            path.to_owned()
        }
    }

    fn is_elevated(&self) -> Result<bool, Error> {
        is_elevated()
    }

    fn value(&self, name: &str) -> Result<Option<Value>, Error> {
        registry::value(KEY, name)
    }

    fn set_value(&self, name: &str, value: &Value) -> Result<(), Error> {
        registry::set_value(KEY, name, value)
    }

    fn remove_value(&self, name: &str) -> Result<(), Error> {
        registry::remove_value(KEY, name)
    }

    fn protect_directory(&self, directory: &Path) -> Result<Protection, Error> {
        protect_directory(directory)
    }

    fn security(&self, directory: &Path) -> Result<Option<String>, Error> {
        describe(directory).map(Some)
    }

    fn replace_file(&self, from: &Path, to: &Path) -> io::Result<()> {
        replace_file(from, to)
    }

    fn boot(&self) -> Result<Option<Boot>, Error> {
        installation::boot().map(Some)
    }
}

impl Running for Windows {
    fn is_wine(&self) -> bool {
        installation::is_wine()
    }

    fn search_path(&self) -> Result<String, Error> {
        registry::search_path(&self.directory)
    }

    fn start(&self, program: &Program) -> Result<Started, NtStatus> {
        let _redirection = self.is_wow64.then(installation::RedirectionOff::new);
        process::start(program)
    }
}

/// `text` as UTF-16 with a terminating zero.
fn wide(text: impl AsRef<std::ffi::OsStr>) -> Vec<u16> {
    use std::os::windows::ffi::OsStrExt;
    text.as_ref().encode_wide().chain([0]).collect()
}
