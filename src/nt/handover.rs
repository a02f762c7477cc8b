//! A value that one thread uses and another may take away for good, without either ever waiting for a lock.
//!
//! The worker borrows the value for a moment at a time. When it hangs in a question, the value is at rest and the
//! finisher takes it; from then on every borrow fails. When it hangs inside a borrow (a write that never returns),
//! the value cannot be taken, and the finisher learns that too.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU8, Ordering};

const AT_REST: u8 = 0;
const BORROWED: u8 = 1;
const TAKEN: u8 = 2;

/// The value and who may use it.
pub struct Handover<T> {
    state: AtomicU8,
    value: UnsafeCell<T>,
}

// SAFETY: the state machine gives out one exclusive borrow at a time, so only `T: Send` is needed.
unsafe impl<T: Send> Sync for Handover<T> {}

impl<T> Handover<T> {
    /// A value at rest.
    pub const fn new(value: T) -> Self {
        Self {
            state: AtomicU8::new(AT_REST),
            value: UnsafeCell::new(value),
        }
    }

    /// Borrows the value for the length of `use_it`; `None` once it has been taken.
    pub fn borrow<R>(&self, use_it: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.state
            .compare_exchange(AT_REST, BORROWED, Ordering::Acquire, Ordering::Relaxed)
            .ok()?;
        // SAFETY: the state was at rest and is ours until it is stored again; nobody else passes the exchange.
        let result = use_it(unsafe { &mut *self.value.get() });
        self.state.store(AT_REST, Ordering::Release);
        Some(result)
    }

    /// Takes the value for good; `None` while it is borrowed or when it has been taken before.
    #[allow(clippy::mut_from_ref)]
    pub fn take(&self) -> Option<&mut T> {
        self.state
            .compare_exchange(AT_REST, TAKEN, Ordering::Acquire, Ordering::Relaxed)
            .ok()?;
        // SAFETY: the exchange succeeds once in the value's life, and no borrow starts after it.
        Some(unsafe { &mut *self.value.get() })
    }
}
