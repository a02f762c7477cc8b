//! Tells whether an executable image is fit to be run by the Session Manager at boot, where Windows refuses it with a
//! bugcheck instead of a message.
//!
//! [`check`] judges an image by named [`Rule`]s, [`describe`] says what is in it, [`forbidden_symbols`] and [`size_map`] read the
//! linker map of our own build, [`outgrown`] holds its size to a recorded one. All take hostile bytes: an image that is damaged gives a finding or [`NotAnImage`].
#![forbid(unsafe_code)]

mod describe;
mod finding;
mod image;
mod imports;
mod map;
mod policy;
mod rules;
mod size;

use std::path::{Path, PathBuf};
use std::{fmt, io};

pub use describe::{Description, ImportedDll, SectionDescription, describe};
pub use finding::{Finding, Rule};
pub use image::NotAnImage;
pub use map::{Part, SizeMap, forbidden_symbols, size_map};
pub use ntdll_lib::{Machine, NtVersion};
pub use policy::{AllowedImports, Policy};
pub use rules::check;
pub use size::{outgrown, virtual_size};

/// Judges the image in a file, as [`check`] does.
///
/// # Errors
///
/// The file cannot be read, or is not an image.
pub fn check_file(path: &Path, policy: &Policy) -> Result<Vec<Finding>, CheckFileError> {
    let cause = match std::fs::read(path) {
        Ok(image) => match check(&image, policy) {
            Ok(findings) => return Ok(findings),
            Err(error) => CheckFileCause::NotAnImage(error),
        },
        Err(error) => CheckFileCause::Read(error),
    };
    Err(CheckFileError {
        path: path.to_owned(),
        cause,
    })
}

/// Why [`check_file`] could not judge a file.
#[derive(Debug)]
pub struct CheckFileError {
    pub path: PathBuf,
    pub cause: CheckFileCause,
}

/// See [`CheckFileError`].
#[derive(Debug)]
pub enum CheckFileCause {
    Read(io::Error),
    NotAnImage(NotAnImage),
}

impl fmt::Display for CheckFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.cause {
            CheckFileCause::Read(error) => write!(f, "cannot read {path}: {error}"),
            CheckFileCause::NotAnImage(error) => write!(f, "{path}: {error}"),
        }
    }
}

impl std::error::Error for CheckFileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            CheckFileCause::Read(error) => Some(error),
            CheckFileCause::NotAnImage(error) => Some(error),
        }
    }
}
