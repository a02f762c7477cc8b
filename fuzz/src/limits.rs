//! What hostile bytes may cost: a small multiple of their length.

use std::fmt;

use crate::meter::measure;

/// What one question about some bytes may allocate: so many bytes for each byte of input, and a constant.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// At once.
    pub peak_factor: usize,
    /// In all, however soon it is freed again, which stands for the work.
    pub total_factor: usize,
    /// In either case.
    pub constant: usize,
}

impl Limit {
    /// Asks the question about `length` bytes.
    ///
    /// # Panics
    ///
    /// When it costs too much.
    pub fn ask<R>(&self, question: impl fmt::Display, length: usize, ask: impl FnOnce() -> R) -> R {
        let (answer, allocated) = measure(ask);
        let most = |factor: usize| factor * length + self.constant;
        assert!(
            allocated.peak <= most(self.peak_factor),
            "{question}: {} bytes at once for {length} bytes of input",
            allocated.peak
        );
        assert!(
            allocated.total <= most(self.total_factor),
            "{question}: {} bytes in all for {length} bytes of input",
            allocated.total
        );
        answer
    }
}
