//! Handles kept open until the handle list has been taken again: in it, our own entry for each ties a kernel address to
//! what the capture knows of the object.

use crate::nt::{Handle, Heap, Kernel, List, OutOfMemory, Owned};

/// Marks the handle of a directory: handle values are multiples of 4.
const DIRECTORY: u32 = 1;

/// The handles, in the order they were opened; closed when dropped.
pub(super) struct Kept<'h, K: Kernel> {
    kernel: K,
    heap: &'h Heap<K>,
    handles: List<'h, K, u32>,
}

impl<'h, K: Kernel> Kept<'h, K> {
    pub(super) const fn new(kernel: K, heap: &'h Heap<K>) -> Self {
        Self {
            kernel,
            heap,
            handles: List::new(heap),
        }
    }

    /// Keeps a handle; where there is no room for it, it is closed.
    pub(super) fn keep(&mut self, handle: Owned<K>, is_directory: bool) -> Result<(), OutOfMemory> {
        // Handle values fit 32 bits on every Windows.
        let mark = if is_directory { DIRECTORY } else { 0 };
        self.handles.push(handle.get().0 as u32 | mark)?;
        core::mem::forget(handle);
        Ok(())
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.handles.len()
    }

    /// The handle at a place, and whether it is a directory's.
    pub(super) fn at(&self, place: usize) -> Option<(Handle, bool)> {
        let kept = *self.handles.get(place)?;
        Some((Handle((kept & !DIRECTORY) as usize), kept & DIRECTORY != 0))
    }

    /// Closes all of them.
    pub(super) fn close(&mut self) {
        let handles = core::mem::replace(&mut self.handles, List::new(self.heap));
        for kept in handles.iter() {
            self.kernel.close(Handle((kept & !DIRECTORY) as usize));
        }
    }
}

impl<K: Kernel> Drop for Kept<'_, K> {
    fn drop(&mut self) {
        self.close();
    }
}
