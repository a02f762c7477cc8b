//! Turns the bytes of a .bshot snapshot into typed records.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod layout;
mod structures;
