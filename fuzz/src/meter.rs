//! Measures what the code under test allocates.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counting the bytes of each thread on its own.
pub struct Meter;

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
    static TOTAL: Cell<usize> = const { Cell::new(0) };
}

/// Counts a block that becomes `new` bytes long and was `old`. One that moves counts as one that grows in place.
fn resize(old: usize, new: usize) {
    // Blocks freed by another thread than the one that made them do not count below zero.
    let live = LIVE.get().saturating_sub(old) + new;
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
    TOTAL.set(TOTAL.get() + new.saturating_sub(old));
}

// SAFETY: every method hands its arguments to `System` and its result back; counting touches no block.
unsafe impl GlobalAlloc for Meter {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        resize(0, layout.size());
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`, which is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        resize(layout.size(), 0);
        // SAFETY: the caller keeps the contract of `GlobalAlloc::dealloc`; the block came from `System`.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        resize(layout.size(), new_size);
        // SAFETY: the caller keeps the contract of `GlobalAlloc::realloc`; the block came from `System`.
        unsafe { System.realloc(block, layout, new_size) }
    }
}

/// What some code allocated.
#[derive(Clone, Copy, Debug)]
pub struct Allocated {
    /// The most bytes at once.
    pub peak: usize,
    /// All bytes ever: a measure of the work done.
    pub total: usize,
}

/// Runs `code` and says what it allocated on this thread.
pub fn measure<R>(code: impl FnOnce() -> R) -> (R, Allocated) {
    let (live, total) = (LIVE.get(), TOTAL.get());
    PEAK.set(live);
    let result = code();
    let allocated = Allocated {
        peak: PEAK.get() - live,
        total: TOTAL.get() - total,
    };
    (result, allocated)
}
