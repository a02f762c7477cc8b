//! What the fuzz targets share: limits on what hostile bytes may cost, and mutation of snapshots that keeps their checksums
//! valid. The ordinary test `tools/reader/tests/hostile.rs` uses the same files.

pub mod comparison;
pub mod images;
pub mod limits;
pub mod meter;
pub mod mutate;
pub mod questions;
pub mod snapshots;

/// A custom mutator for snapshots: two times in three it mutates the records and seals them again, else it leaves the bytes to
/// libFuzzer. Gives the new size.
pub fn mutate_snapshot(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    default: fn(&mut [u8], usize, usize) -> usize,
) -> usize {
    let mut random = mutate::Random::new(seed.into());
    let parts = mutate::Parts::of(&data[..size]);
    let (Some(mut parts), true) = (parts, random.below(3) != 0) else {
        return default(data, size, max_size);
    };
    for _ in 0..=random.below(4) {
        parts.mutate(&mut random);
    }
    let file = parts.seal();
    if file.len() > max_size {
        return default(data, size, max_size);
    }
    data[..file.len()].copy_from_slice(&file);
    file.len()
}

#[global_allocator]
static METER: meter::Meter = meter::Meter;
