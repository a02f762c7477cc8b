//! Memory straight from the kernel: query buffers, and values that outlive every stack.

use super::layout::unicode_string;
use super::{Kernel, Status};
use crate::own::{dword, native};

/// What a query may write to: 8-byte aligned by its type, of any length in bytes, since many information classes take
/// exactly the size of their structure.
#[derive(Debug)]
pub struct Buffer<'a> {
    words: &'a mut [u64],
    length: usize,
}

impl<'a> Buffer<'a> {
    /// The first `length` bytes of `words`, at most all.
    pub fn new(words: &'a mut [u64], length: usize) -> Self {
        let length = length.min(size_of_val(words));
        Self { words, length }
    }

    /// Length in bytes.
    pub const fn length(&self) -> usize {
        self.length
    }

    /// Where it stands.
    pub fn address(&self) -> usize {
        self.words.as_ptr().addr()
    }

    /// Puts a request at its start, for calls that take one there; what does not fit is left out.
    pub fn put(&mut self, request: &[u64]) {
        let words = self.words.iter_mut().take(self.length / 8);
        for (word, value) in words.zip(request) {
            *word = *value;
        }
    }

    /// The bytes.
    pub fn into_bytes(self) -> &'a mut [u8] {
        let place = self.words.as_mut_ptr().cast::<u8>();
        // SAFETY: the bytes are those of the borrowed words, `length` of them at most, and any bytes make words.
        unsafe { core::slice::from_raw_parts_mut(place, self.length) }
    }
}

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
        Self {
            kernel,
            address: 0,
            words: 0,
        }
    }

    /// A region of at least `length` bytes.
    pub fn new(kernel: K, length: usize) -> Result<Self, Status> {
        let mut region = Self::empty(kernel);
        region.replace(length).ok()?;
        Ok(region)
    }

    /// Gives its memory back, and takes at least `length` bytes; none where that fails.
    pub fn replace(&mut self, length: usize) -> Status {
        self.release();
        let length = length.next_multiple_of(PAGE);
        let address = match self.kernel.reserve_memory(length) {
            Ok(address) => address,
            Err(status) => return status,
        };
        // From here on the region owns the range: a failing commit releases it.
        self.address = address;
        self.words = length / 8;
        let status = self.kernel.commit_memory(address, length);
        if !status.is_success() {
            self.release();
        }
        status
    }

    #[inline(never)]
    fn release(&mut self) {
        if core::mem::take(&mut self.words) != 0 {
            // SAFETY: the range was ours alone, and is not known to us any more.
            unsafe { self.kernel.release_memory(self.address) }
        }
    }

    /// The first `length` bytes, at most all, for a system call to fill.
    pub fn buffer(&mut self, length: usize) -> Buffer<'_> {
        Buffer::new(self.words(), length)
    }

    /// `length` bytes, at most all, from `start` on, a multiple of 8, for a system call to fill.
    pub fn buffer_from(&mut self, start: usize, length: usize) -> Buffer<'_> {
        let words = self.words().get_mut(start / 8..).unwrap_or_default();
        Buffer::new(words, length)
    }

    /// The bytes, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        Buffer::new(self.words(), usize::MAX).into_bytes()
    }

    fn words(&mut self) -> &mut [u64] {
        if self.words == 0 {
            return &mut [];
        }
        // SAFETY: `replace` committed `words` words at `address`, page-aligned, and nothing else knows the range.
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

    /// The first `length` bytes, at most all.
    #[inline(never)]
    pub fn first(&self, length: usize) -> &[u8] {
        let bytes = self.bytes();
        bytes.get(..length).unwrap_or(bytes)
    }

    /// The UTF-16 units of a `UNICODE_STRING` that stands at `offset` in its first `length` bytes, where they lie in those.
    pub fn string_at(&self, length: usize, offset: usize) -> Option<&[u16]> {
        let bytes = self.first(length);
        let size = dword(bytes, offset + unicode_string::LENGTH) & 0xFFFF;
        let place = native(bytes, offset + unicode_string::BUFFER) as usize;
        self.units_at(length, place.wrapping_sub(self.address), size as usize)
    }

    /// The UTF-16 units in `size` bytes at `offset`, where they lie in its first `length` bytes, and are aligned.
    pub fn units_at(&self, length: usize, offset: usize, size: usize) -> Option<&[u16]> {
        let bytes = self.first(length).get(offset..)?.get(..size)?;
        let units = bytes.as_ptr().cast::<u16>();
        if !units.is_aligned() {
            return None;
        }
        // SAFETY: the bytes are borrowed from the region, aligned, and any bytes make units.
        Some(unsafe { core::slice::from_raw_parts(units, size / 2) })
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
        self.release();
    }
}

/// The unit of commit on every architecture we build for.
pub const PAGE: usize = 0x1000;

/// UTF-16 units as the bytes they have in memory. Every machine bootshot runs on is little-endian, as the file is.
pub fn bytes_of(units: &[u16]) -> &[u8] {
    // SAFETY: the bytes are those of the borrowed units.
    unsafe { core::slice::from_raw_parts(units.as_ptr().cast(), size_of_val(units)) }
}

/// The first `length` UTF-16 units of a region.
#[inline(never)]
pub fn units_of<K: Kernel>(region: &Region<K>, length: usize) -> &[u16] {
    let length = length.min(region.length() / 2);
    if length == 0 {
        return &[];
    }
    // SAFETY: the region is committed, page-aligned and holds that many units; any bytes make units.
    unsafe { core::slice::from_raw_parts(region.address() as *const u16, length) }
}

/// Moves a value into memory of its own that is never released, for threads that may outlive any stack frame.
pub fn keep_for_ever<K: Kernel, T>(kernel: K, value: T) -> Result<&'static T, Status> {
    const { assert!(align_of::<T>() <= PAGE) };
    let region = Region::new(kernel, size_of::<T>())?;
    let place = region.address() as *mut T;
    core::mem::forget(region);
    // SAFETY: the range is committed, large enough, page-aligned and known to nobody else.
    unsafe { place.write(value) };
    // SAFETY: just initialised, and the range is never released.
    Ok(unsafe { &*place })
}
