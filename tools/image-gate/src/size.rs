//! Whether an image has grown: what its sections take in memory, against what was recorded.

use crate::finding::{Finding, Rule};
use crate::image::{Image, NotAnImage};

/// Percent that an image may grow beyond the recorded figure: compilers differ a little from build to build.
const TOLERANCE: u64 = 2;

/// Bytes that the sections of an image take in memory, summed, as their headers say.
///
/// # Errors
///
/// The bytes have no PE headers.
pub fn virtual_size(image: &[u8]) -> Result<u64, NotAnImage> {
    let image = Image::parse(image)?;
    let sizes = image.sections.iter();
    Ok(sizes.map(|section| u64::from(section.virtual_size)).sum())
}

/// A finding where sections that take `size` bytes are larger than `recorded` by more than two percent.
pub fn outgrown(size: u64, recorded: u64) -> Option<Finding> {
    let limit =
        recorded.saturating_add(recorded / 100 * TOLERANCE + recorded % 100 * TOLERANCE / 100);
    (size > limit).then(|| {
        Finding::new(
            Rule::SIZE_BUDGET,
            format!(
                "the sections take {size} bytes, {recorded} are recorded and {limit} allowed; make it smaller, or \
                 record the new figure with `cargo xtask build --record-sizes`"
            ),
        )
    })
}
