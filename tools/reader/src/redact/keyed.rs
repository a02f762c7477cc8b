//! Numbers that only the holder of a key can foretell.

use sha2::{Digest, Sha256};

/// Makes numbers from a key: the same from the same, and none that tells the key or what it was made from.
#[derive(Clone)]
pub(super) struct Keyed(Sha256);

impl Keyed {
    pub fn new(key: &[u8]) -> Self {
        // Hashed first, so that what follows the key is never taken for a part of it.
        Self(Sha256::new_with_prefix(Sha256::digest(key)))
    }

    /// The number for `input`, one of many for each `purpose`.
    pub fn number(&self, purpose: &str, input: &[u8], attempt: u32) -> u128 {
        let mut hash = self.0.clone();
        hash.update(purpose);
        hash.update([0]);
        hash.update(attempt.to_le_bytes());
        hash.update(input);
        let digest = hash.finalize();
        digest
            .iter()
            .take(16)
            .fold(0, |number, byte| number << 8 | u128::from(*byte))
    }

    /// The number for `input` below `bound`, which is not 0.
    pub fn below(&self, bound: u64, purpose: &str, input: &[u8], attempt: u32) -> u64 {
        // Of 128 bits, what the remainder favours cannot be noticed.
        (self.number(purpose, input, attempt) % u128::from(bound)) as u64
    }
}
