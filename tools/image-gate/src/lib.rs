//! Tells whether an executable image is fit to be run by the Session Manager at boot, where Windows refuses it with a
//! bugcheck instead of a message.
//!
//! [`check`] judges an image by named [`Rule`]s, [`describe`] says what is in it, [`forbidden_symbols`] and [`size_map`] read the
//! linker map of our own build, [`outgrown`] holds its size to a recorded one. All take hostile bytes: an image that is damaged gives
//! a finding or [`NotAnImage`].
#![forbid(unsafe_code)]

mod describe;
mod finding;
mod image;
mod imports;
mod map;
mod policy;
mod rules;
mod size;

pub use describe::{Description, ImportedDll, SectionDescription, describe};
pub use finding::{Finding, Rule};
pub use image::NotAnImage;
pub use map::{Part, SizeMap, forbidden_symbols, size_map};
pub use ntdll_lib::{Machine, NtVersion};
pub use policy::{AllowedImports, Policy};
pub use rules::check;
pub use size::{outgrown, virtual_size};
