//! What a hostile image or linker map may cost.

use crate::limits::Limit;

/// The gate bounds the number of imports: a finding of some 200 bytes for each of 16,384 is the constant.
pub const IMAGE: Limit = Limit {
    peak_factor: 16,
    total_factor: 64,
    constant: 8 << 20,
};
