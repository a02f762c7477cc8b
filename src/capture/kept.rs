//! Handles kept open until the handle list has been taken again: in it, our own entry for each ties a kernel address to
//! what the capture knows of the object.

use crate::nt::{Handle, Heap, Kernel, List, OutOfMemory};

/// Values of handles are multiples of this, the lower bits being ours.
const DISTANCE: usize = 4;

/// A run: the place of its first handle in the handle table, which has 2^24 at most (Russinovich, "Pushing the Limits of
/// Windows: Handles"), and in the bits below it how many follow that one.
const FOLLOWING: u32 = 0xFF;
const PLACE_SHIFT: u32 = 8;

/// The handles; closed when dropped.
pub(super) struct Kept<'h, K: Kernel> {
    kernel: K,
    /// Those of directories, in the order they were opened. Handle values fit 32 bits on every Windows.
    directories: List<'h, K, u32>,
    /// The others, in runs of values that follow each other. Values that were never used before come in order, but for one
    /// in 256 that a handle table has for itself: hundreds of thousands of handles take some kilobytes.
    runs: List<'h, K, u32>,
    count: usize,
}

impl<'h, K: Kernel> Kept<'h, K> {
    pub(super) const fn new(kernel: K, heap: &'h Heap<K>) -> Self {
        Self {
            kernel,
            directories: List::new(heap),
            runs: List::new(heap),
            count: 0,
        }
    }

    /// Keeps a handle; where there is no room for it, it is closed.
    pub(super) fn keep(&mut self, handle: Handle, is_directory: bool) -> Result<(), OutOfMemory> {
        let place = (handle.0 / DISTANCE) as u32;
        let kept = match self.runs.last_mut() {
            _ if is_directory => self.directories.push(handle.0 as u32),
            Some(run)
                if *run & FOLLOWING != FOLLOWING
                    && (*run >> PLACE_SHIFT) + (*run & FOLLOWING) + 1 == place =>
            {
                *run += 1;
                Ok(())
            }
            _ => self.runs.push(place << PLACE_SHIFT),
        };
        match kept {
            Ok(()) => self.count += 1,
            Err(_) => {
                self.kernel.close(handle);
            }
        }
        kept
    }

    /// How many there are.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// The directories so far.
    pub(super) fn directories(&self) -> &[u32] {
        &self.directories
    }

    /// Closes all of them.
    pub(super) fn close(&mut self) {
        for value in self.directories.iter() {
            self.kernel.close(Handle(*value as usize));
        }
        for run in self.runs.iter() {
            for place in 0..=*run & FOLLOWING {
                let place = (*run >> PLACE_SHIFT) + place;
                self.kernel.close(Handle(place as usize * DISTANCE));
            }
        }
        self.directories.clear();
        self.runs.clear();
        self.count = 0;
    }
}

impl<K: Kernel> Drop for Kept<'_, K> {
    fn drop(&mut self) {
        self.close();
    }
}
