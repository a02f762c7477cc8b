//! Memory straight from the kernel: query buffers, and values that outlive every stack.

use super::{Kernel, Status};

/// A committed, zeroed range of its own, released when dropped.
#[derive(Debug)]
pub struct Region<K: Kernel> {
    kernel: K,
    address: usize,
    words: usize,
}

impl<K: Kernel> Region<K> {
    /// A region that takes no memory yet.
    pub const fn empty(kernel: K) -> Self {
        Self { kernel, address: 0, words: 0 }
    }

    /// A region of at least `length` bytes.
    pub fn new(kernel: K, length: usize) -> Result<Self, Status> {
        let length = length.next_multiple_of(PAGE);
        let address = kernel.reserve_memory(length)?;
        // From here on the region owns the range: a failing commit releases it.
        let region = Self { kernel, address, words: length / 8 };
        kernel.commit_memory(address, length).ok()?;
        Ok(region)
    }

    /// The bytes as the words that system calls fill.
    pub fn words(&mut self) -> &mut [u64] {
        if self.words == 0 {
            return &mut [];
        }
        // SAFETY: `new` committed `words` zeroed words at `address`, page-aligned, and nothing else knows the range.
        unsafe { core::slice::from_raw_parts_mut(self.address as *mut u64, self.words) }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        if self.words == 0 {
            return &[];
        }
        // SAFETY: as in `words`; the shared borrow of `self` keeps writers away.
        unsafe { core::slice::from_raw_parts(self.address as *const u8, self.length()) }
    }

    /// Length in bytes.
    pub const fn length(&self) -> usize {
        self.words * 8
    }

    /// Where it stands: what pointers inside an answer are relative to.
    pub const fn address(&self) -> usize {
        self.address
    }
}

impl<K: Kernel> Drop for Region<K> {
    fn drop(&mut self) {
        if self.words != 0 {
            // SAFETY: the range is ours alone and its owner is going.
            unsafe { self.kernel.release_memory(self.address) }
        }
    }
}

/// The unit of commit on every architecture we build for.
pub const PAGE: usize = 0x1000;

/// Moves a value into memory of its own that is never released, for threads that may outlive any stack frame.
pub fn keep_for_ever<K: Kernel, T>(kernel: K, value: T) -> Result<&'static T, Status> {
    const { assert!(align_of::<T>() <= PAGE) };
    let length = size_of::<T>().next_multiple_of(PAGE);
    let address = kernel.reserve_memory(length)?;
    kernel.commit_memory(address, length).ok()?;
    let place = address as *mut T;
    // SAFETY: the range is committed, large enough, page-aligned and known to nobody else.
    unsafe { place.write(value) };
    // SAFETY: just initialised, and the range is never released.
    Ok(unsafe { &*place })
}
