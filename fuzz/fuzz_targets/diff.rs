//! Two files through the comparison: one as it is, one mutated with valid checksums, either way round.
#![no_main]

use std::sync::LazyLock;

use bootshot_fuzz::comparison::compare;
use bootshot_fuzz::mutate_snapshot;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use test_snapshots::machine::machine_live;

/// What everything is compared with.
static KNOWN: LazyLock<Vec<u8>> = LazyLock::new(|| machine_live().finish());

fuzz_target!(|file: &[u8]| {
    compare(file, &KNOWN);
    compare(file, file);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_snapshot(data, size, max_size, seed, fuzzer_mutate)
});
