//! Handles kept open until the handle list has been taken again: in it, our own entry for each ties a kernel address to
//! what the capture knows of the object.

use crate::nt::{Handle, Heap, Kernel, List, OutOfMemory};

/// Values of handles are multiples of this.
const DISTANCE: usize = 4;

/// What a run has in the bits below the place of its first handle in the handle table: how many handles follow that one, or
/// that it is a directory's. A table has 2^24 handles at most (Russinovich, "Pushing the Limits of Windows: Handles").
const FOLLOWING: u32 = 0xFF;
const DIRECTORY: u32 = FOLLOWING;
const PLACE_SHIFT: u32 = 8;

/// The handles; closed when dropped.
pub(super) struct Kept<'h, K: Kernel> {
    kernel: K,
    /// Handles that follow each other make a run, a directory's is one by itself. Values that were never used before come in
    /// order, but for one in 256 that a handle table has for itself: hundreds of thousands of handles take some kilobytes.
    runs: List<'h, K, u32>,
    count: usize,
}

impl<'h, K: Kernel> Kept<'h, K> {
    pub(super) const fn new(kernel: K, heap: &'h Heap<K>) -> Self {
        Self {
            kernel,
            runs: List::new(heap),
            count: 0,
        }
    }

    /// Keeps a handle; where there is no room for it, it is closed.
    #[inline(never)]
    pub(super) fn keep(&mut self, handle: Handle, is_directory: bool) -> Result<(), OutOfMemory> {
        let place = (handle.0 / DISTANCE) as u32;
        let follows = |run: &u32| {
            let following = run & FOLLOWING;
            following + 1 < DIRECTORY && (run >> PLACE_SHIFT) + following + 1 == place
        };
        let kept = match self.runs.last_mut() {
            Some(run) if !is_directory && follows(run) => {
                *run += 1;
                Ok(())
            }
            _ => self
                .runs
                .push(place << PLACE_SHIFT | (u32::from(is_directory) * DIRECTORY)),
        };
        self.count += 1;
        if kept.is_err() {
            self.kernel.close(handle);
        }
        kept
    }

    /// How many were kept, or could not be.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// How many runs there are.
    pub(super) fn runs(&self) -> usize {
        self.runs.len()
    }

    /// The first handle of a run, and whether it is a directory's.
    pub(super) fn run(&self, number: usize) -> Option<(Handle, bool)> {
        let run = *self.runs.get(number)?;
        Some((
            Handle((run >> PLACE_SHIFT) as usize * DISTANCE),
            run & FOLLOWING == DIRECTORY,
        ))
    }

    /// Closes all of them.
    #[inline(never)]
    pub(super) fn close(&mut self) {
        for run in self.runs.iter() {
            let first = (run >> PLACE_SHIFT) as usize;
            // A directory has no handle behind it.
            for following in 0..=run % (1 << PLACE_SHIFT) % DIRECTORY {
                let place = first + following as usize;
                self.kernel.close(Handle(place * DISTANCE));
            }
        }
        self.runs.clear();
        self.count = 0;
    }
}

impl<K: Kernel> Drop for Kept<'_, K> {
    fn drop(&mut self) {
        self.close();
    }
}
