//! What hostile bytes may cost: a small multiple of their length.

use std::fmt;

use crate::meter::measure;

/// How much memory one question about some bytes may take at once, and how much all in all, which stands for the work.
#[derive(Clone, Copy)]
struct Limit {
    peak_factor: usize,
    total_factor: usize,
    constant: usize,
}

/// A record header of 48 bytes or a handle of 16 is the least that makes an entry; a problem with two messages, or a handle
/// with the names of its rights, is the most that is made of it.
const READER: Limit = Limit {
    peak_factor: 32,
    total_factor: 128,
    constant: 64 << 10,
};

/// Imports are bounded by number: a finding of some 200 bytes for each is the constant.
const IMAGE: Limit = Limit {
    peak_factor: 16,
    total_factor: 64,
    constant: 8 << 20,
};

/// Asks one question about `length` bytes of a snapshot.
pub fn reader<R>(question: impl fmt::Display, length: usize, ask: impl FnOnce() -> R) -> R {
    within(&READER, question, length, ask)
}

/// Asks one question about `length` bytes of an image or a linker map.
pub fn image<R>(question: impl fmt::Display, length: usize, ask: impl FnOnce() -> R) -> R {
    within(&IMAGE, question, length, ask)
}

/// Does what must not allocate.
pub fn nothing<R>(question: impl fmt::Display, ask: impl FnOnce() -> R) -> R {
    let (answer, allocated) = measure(ask);
    assert_eq!(allocated.total, 0, "{question} allocates");
    answer
}

fn within<R>(
    limit: &Limit,
    question: impl fmt::Display,
    length: usize,
    ask: impl FnOnce() -> R,
) -> R {
    let (answer, allocated) = measure(ask);
    assert!(
        allocated.peak <= limit.peak_factor * length + limit.constant,
        "{question}: {} bytes at once for {length} bytes of input",
        allocated.peak
    );
    assert!(
        allocated.total <= limit.total_factor * length + limit.constant,
        "{question}: {} bytes in all for {length} bytes of input",
        allocated.total
    );
    answer
}
