//! Handles kept open until the handle list has been taken again: in it, our own entry for each ties a kernel address to
//! what the capture knows of the object.

use crate::nt::{Handle, Heap, Kernel, List, OutOfMemory};

/// Marks the handle of a directory: handle values are multiples of 4.
const DIRECTORY: u32 = 1;

/// The handles, in the order they were opened; closed when dropped.
pub(super) struct Kept<'h, K: Kernel> {
    kernel: K,
    handles: List<'h, K, u32>,
}

impl<'h, K: Kernel> Kept<'h, K> {
    pub(super) const fn new(kernel: K, heap: &'h Heap<K>) -> Self {
        Self {
            kernel,
            handles: List::new(heap),
        }
    }

    /// Keeps a handle; where there is no room for it, it is closed.
    pub(super) fn keep(&mut self, handle: Handle, is_directory: bool) -> Result<(), OutOfMemory> {
        // Handle values fit 32 bits on every Windows.
        let kept = self
            .handles
            .push(handle.0 as u32 | (u32::from(is_directory) * DIRECTORY));
        if kept.is_err() {
            self.kernel.close(handle);
        }
        kept
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
        for kept in self.handles.iter() {
            self.kernel.close(Handle((kept & !DIRECTORY) as usize));
        }
        self.handles.clear();
    }
}

impl<K: Kernel> Drop for Kept<'_, K> {
    fn drop(&mut self) {
        self.close();
    }
}
