//! XXH64, the checksum of every header and payload.
//!
//! Written from the published algorithm description (the xxHash specification, Yann Collet); the tests hold it
//! against an independent implementation.

const PRIMES: [u64; 5] = [
    0x9E37_79B1_85EB_CA87,
    0xC2B2_AE3D_27D4_EB4F,
    0x1656_67B1_9E37_79F9,
    0x85EB_CA77_C2B2_AE63,
    0x27D4_EB2F_1656_67C5,
];

const STRIPE: usize = 32;

/// The checksum of `bytes`, with seed 0.
pub fn xxh64(bytes: &[u8]) -> u64 {
    let mut hasher = Xxh64::new();
    hasher.update(bytes);
    let (mut hash, mut rest) = hasher.words();
    if let Some((word, after)) = rest.split_first_chunk::<4>() {
        hash ^= u64::from(u32::from_le_bytes(*word)).wrapping_mul(PRIMES[0]);
        hash = hash
            .rotate_left(23)
            .wrapping_mul(PRIMES[1])
            .wrapping_add(PRIMES[2]);
        rest = after;
    }
    for byte in rest {
        hash ^= u64::from(*byte).wrapping_mul(PRIMES[4]);
        hash = hash.rotate_left(11).wrapping_mul(PRIMES[0]);
    }
    mixed(hash)
}

/// The same of bytes that make whole words of 8, as all do that the container has a checksum of: without the code for others.
pub fn xxh64_of_words(bytes: &[u8]) -> u64 {
    let mut hasher = Xxh64::new();
    hasher.update(bytes);
    hasher.finish()
}

/// The same checksum over a payload that comes in parts.
pub(crate) struct Xxh64 {
    lanes: [u64; 4],
    pending: [u8; STRIPE],
    length: u64,
}

impl Xxh64 {
    pub(crate) const fn new() -> Self {
        Self {
            lanes: [
                PRIMES[0].wrapping_add(PRIMES[1]),
                PRIMES[1],
                0,
                0u64.wrapping_sub(PRIMES[0]),
            ],
            pending: [0; STRIPE],
            length: 0,
        }
    }

    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        let filled = self.length as usize % STRIPE;
        self.length += bytes.len() as u64;
        if filled != 0 {
            let missing = &mut self.pending[filled..];
            let taken = missing.len().min(bytes.len());
            missing[..taken].copy_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if filled + taken < STRIPE {
                return;
            }
            let pending = self.pending;
            self.stripe(&pending);
        }
        let (stripes, rest) = bytes.as_chunks::<STRIPE>();
        for stripe in stripes {
            self.stripe(stripe);
        }
        self.pending[..rest.len()].copy_from_slice(rest);
    }

    /// The checksum of bytes that make whole words.
    pub(crate) fn finish(&self) -> u64 {
        let (hash, rest) = self.words();
        debug_assert!(rest.is_empty());
        mixed(hash)
    }

    /// Up to the last word of 8 bytes, and what is behind it.
    fn words(&self) -> (u64, &[u8]) {
        let mut hash = if self.length < STRIPE as u64 {
            PRIMES[4]
        } else {
            let mut merged = 0u64;
            for (lane, bits) in self.lanes.iter().zip(&[1, 7, 12, 18]) {
                merged = merged.wrapping_add(lane.rotate_left(*bits));
            }
            for lane in &self.lanes {
                merged = (merged ^ round(0, *lane))
                    .wrapping_mul(PRIMES[0])
                    .wrapping_add(PRIMES[3]);
            }
            merged
        };
        hash = hash.wrapping_add(self.length);
        let mut rest = &self.pending[..self.length as usize % STRIPE];
        while let Some((word, after)) = rest.split_first_chunk::<8>() {
            hash ^= round(0, u64::from_le_bytes(*word));
            hash = hash
                .rotate_left(27)
                .wrapping_mul(PRIMES[0])
                .wrapping_add(PRIMES[3]);
            rest = after;
        }
        (hash, rest)
    }

    fn stripe(&mut self, stripe: &[u8; STRIPE]) {
        for (lane, word) in self.lanes.iter_mut().zip(stripe.as_chunks::<8>().0) {
            *lane = round(*lane, u64::from_le_bytes(*word));
        }
    }
}

/// The last step: every bit of the hash depends on every other.
const fn mixed(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(PRIMES[1]);
    hash = (hash ^ (hash >> 29)).wrapping_mul(PRIMES[2]);
    hash ^ (hash >> 32)
}

#[inline(always)]
fn round(lane: u64, word: u64) -> u64 {
    lane.wrapping_add(word.wrapping_mul(PRIMES[1]))
        .rotate_left(31)
        .wrapping_mul(PRIMES[0])
}

#[cfg(test)]
mod tests {
    use super::{Xxh64, xxh64, xxh64_of_words};

    #[test]
    fn agrees_with_the_published_implementation_at_every_length_and_split() {
        let bytes: Vec<u8> = (0..200u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        for length in 0..bytes.len() {
            let expected = twox_hash::XxHash64::oneshot(0, &bytes[..length]);
            assert_eq!(xxh64(&bytes[..length]), expected, "length {length}");
            if length % 8 != 0 {
                continue;
            }
            assert_eq!(
                xxh64_of_words(&bytes[..length]),
                expected,
                "length {length}"
            );
            for split in 0..length {
                let mut hasher = Xxh64::new();
                hasher.update(&bytes[..split]);
                hasher.update(&bytes[split..length]);
                assert_eq!(
                    hasher.finish(),
                    expected,
                    "length {length}, split at {split}"
                );
            }
        }
    }
}
