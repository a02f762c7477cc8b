//! The companion for Windows at work under Wine: real registry, real files, real native programs.
//!
//! `cargo xtask test` builds what is needed and names it: `BOOTSHOT_TEST_BIN` is the folder of the release files,
//! `BOOTSHOT_TEST_PREFIX` a Wine prefix, `BOOTSHOT_WINE` the loader. Not on Windows: there these tests would
//! register bootshot with the system they run on.
#![cfg(unix)]

mod boot;
mod ended;
#[path = "../support/image.rs"]
mod image;
mod launcher;
mod machine;
mod named;
mod planted;
mod registration;
mod trust;
mod verified;
