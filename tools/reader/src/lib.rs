//! Turns the bytes of a .bshot snapshot into typed records.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod decode;
mod error;
pub mod layout;
pub mod names;
mod structures;
mod value;

pub use error::{Problem, ReadError};
pub use value::{Hex, Time};
