//! What bootshot and its reader are measured on: simulated machines of any size, a run of bootshot against a baseline that
//! copies the same answers, and single operations of the reader for counting instructions.
//!
//! `cargo xtask bench` runs the program of this package and writes what it says into `docs/performance.md`.
#![deny(unsafe_code)]

pub mod baseline;
pub mod capture;
pub mod machine;
pub mod operation;
pub mod recorder;
pub mod usage;
