//! Whole files through `Snapshot::parse`, every reader of records, `salvage` and `verify`; payloads mutated with valid checksums.
#![no_main]

use bootshot_fuzz::{mutate_snapshot, questions};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|file: &[u8]| {
    questions::ask_everything(file);
    questions::salvage_it(file);
    questions::verify_it(file);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_snapshot(data, size, max_size, seed, fuzzer_mutate)
});
