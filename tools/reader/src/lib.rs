//! Turns the bytes of a .bshot snapshot into typed records.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod decode;
mod error;
pub mod layout;
pub mod names;
pub mod records;
mod snapshot;
mod structures;
mod value;

pub use error::{Problem, ReadError};
pub use snapshot::{Answer, Completeness, Condition, Section, Snapshot};
pub use value::{Hex, Time};
