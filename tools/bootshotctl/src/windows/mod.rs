//! The running Windows installation. Everything of this program that is not safe Rust is below here.
#![allow(unsafe_code)]

mod installation;
mod process;
mod registry;
mod security;

use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::image::Machine;
use crate::multi_sz::Value;
use crate::ntstatus::NtStatus;
use crate::system::{Boot, Program, Started, System};

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

    fn is_wine(&self) -> bool {
        installation::is_wine()
    }

    fn is_elevated(&self) -> Result<bool, Error> {
        security::is_elevated()
    }

    fn value(&self, name: &str) -> Result<Option<Value>, Error> {
        registry::value(name)
    }

    fn set_value(&self, name: &str, value: &Value) -> Result<(), Error> {
        registry::set_value(name, value)
    }

    fn remove_value(&self, name: &str) -> Result<(), Error> {
        registry::remove_value(name)
    }

    fn search_path(&self) -> Result<String, Error> {
        registry::search_path(&self.directory)
    }

    fn protect_directory(&self, directory: &Path) -> Result<(), Error> {
        security::protect_directory(directory)
    }

    fn security(&self, directory: &Path) -> Result<String, Error> {
        security::describe(directory)
    }

    fn replace_file(&self, from: &Path, to: &Path) -> io::Result<()> {
        installation::replace_file(from, to)
    }

    fn boot(&self) -> Result<Boot, Error> {
        installation::boot()
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
