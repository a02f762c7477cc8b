//! Kernel answers recorded at a real boot, and snapshots built from them, for the tests of whoever reads snapshots.
//!
//! The recordings stand in `tools/reader/fixtures`; they were taken by another program than bootshot, under smss,
//! on an NT 5.2 system, and what is in them was decoded independently.
#![forbid(unsafe_code)]

mod build;
pub mod costly;
mod firmware;
pub mod machine;
pub mod objects;
mod recording;
mod registry;

use bootshot_format::Family;

pub use build::{Builder, Entry, header, utf16};
pub use firmware::{
    GLOBAL, SECURITY_DATABASE, example_firmware, load_option, platform_binary_table, variables,
};
pub use recording::{Kind, Recorded, recording_x64, recording_x86};
pub use registry::{
    Data, RegistryBatch, example_registry, key_basic, key_value_full, key_value_partial, run,
    serialized_filter,
};

/// A snapshot with something of nearly everything: a running system, its registry and its firmware.
pub fn everything() -> Vec<u8> {
    let mut builder = machine::machine_live();
    builder
        .batch(Family::REGISTRY, &example_registry())
        .batch(Family::FIRMWARE, &example_firmware());
    builder.finish()
}
