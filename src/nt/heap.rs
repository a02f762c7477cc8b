//! The heap: `linked_list_allocator` over one reserved range that is committed as it grows.
//!
//! Every allocation can fail and says so; there is no global allocator to abort. Only the thread that captures uses it.

use super::memory::PAGE;
use super::{Kernel, Status};
use core::alloc::Layout;
use core::cell::RefCell;
use core::marker::PhantomData;
use core::ops::Deref;
use core::ptr::NonNull;

/// The heap gave no memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfMemory;

impl From<OutOfMemory> for Status {
    fn from(_: OutOfMemory) -> Self {
        Self::NO_MEMORY
    }
}

/// A heap that lists draw from.
pub struct Heap<K: Kernel> {
    kernel: K,
    inner: RefCell<Inner>,
}

struct Inner {
    allocator: linked_list_allocator::Heap,
    address: usize,
    committed: usize,
    reserved: usize,
}

impl<K: Kernel> Heap<K> {
    /// A heap of at most `limit` bytes; nothing is reserved before the first allocation.
    pub const fn new(kernel: K, limit: usize) -> Self {
        let inner = Inner {
            allocator: linked_list_allocator::Heap::empty(),
            address: 0,
            committed: 0,
            reserved: limit.next_multiple_of(PAGE),
        };
        Self {
            kernel,
            inner: RefCell::new(inner),
        }
    }

    fn allocate(&self, layout: Layout) -> Result<NonNull<u8>, OutOfMemory> {
        let mut inner = self.inner.try_borrow_mut().map_err(|_| OutOfMemory)?;
        loop {
            if let Ok(place) = inner.allocator.allocate_first_fit(layout) {
                return Ok(place);
            }
            // Fails at the latest when the limit is reached.
            inner.grow(self.kernel, layout)?;
        }
    }

    /// # Safety
    ///
    /// `place` came from [`Heap::allocate`] of this heap with this layout and is not used again.
    unsafe fn free(&self, place: NonNull<u8>, layout: Layout) {
        if let Ok(mut inner) = self.inner.try_borrow_mut() {
            // SAFETY: the caller's promise.
            unsafe { inner.allocator.deallocate(place, layout) }
        }
    }
}

impl Inner {
    fn grow<K: Kernel>(&mut self, kernel: K, layout: Layout) -> Result<(), OutOfMemory> {
        // The allocator keeps a hole's header in the range and may lose a little to alignment.
        let wanted = (layout.size() + layout.align() + 64).next_multiple_of(16 * PAGE);
        if wanted > self.reserved - self.committed {
            return Err(OutOfMemory);
        }
        if self.address == 0 {
            self.address = kernel
                .reserve_memory(self.reserved)
                .map_err(|_| OutOfMemory)?;
        }
        let end = self.address + self.committed;
        kernel
            .commit_memory(end, wanted)
            .ok()
            .map_err(|_| OutOfMemory)?;
        if self.committed == 0 {
            // SAFETY: the range was just committed, is ours alone and stays as long as the heap.
            unsafe { self.allocator.init(self.address as *mut u8, wanted) };
        } else {
            // SAFETY: the bytes just committed follow the allocator's range directly.
            unsafe { self.allocator.extend(wanted) };
        }
        self.committed += wanted;
        Ok(())
    }
}

impl<K: Kernel> Drop for Heap<K> {
    fn drop(&mut self) {
        let address = self.inner.get_mut().address;
        if address != 0 {
            // SAFETY: lists borrow the heap, so none of them is left.
            unsafe { self.kernel.release_memory(address) }
        }
    }
}

/// A growing list of plain values in a [`Heap`].
pub struct List<'h, K: Kernel, T: Copy> {
    memory: Memory<'h, K>,
    length: usize,
    owns: PhantomData<T>,
}

impl<'h, K: Kernel, T: Copy> List<'h, K, T> {
    /// An empty list, which takes no memory.
    pub const fn new(heap: &'h Heap<K>) -> Self {
        const { assert!(align_of::<T>() <= ALIGNMENT && size_of::<T>() <= FIRST_ROOM) };
        Self {
            memory: Memory {
                heap,
                place: NonNull::<u64>::dangling().cast(),
                room: 0,
            },
            length: 0,
            owns: PhantomData,
        }
    }

    /// Adds a value at the end.
    pub fn push(&mut self, value: T) -> Result<(), OutOfMemory> {
        if (self.length + 1) * size_of::<T>() > self.memory.room {
            self.memory.grow()?;
        }
        // SAFETY: one more value has room, so the place is inside the allocation.
        let end = unsafe { self.memory.place.cast::<T>().add(self.length) };
        // SAFETY: the place is ours, aligned, and holds no value that would have to be dropped.
        unsafe { end.write(value) };
        self.length += 1;
        Ok(())
    }

    /// The value at the end, to be changed.
    pub fn last_mut(&mut self) -> Option<&mut T> {
        let last = self.length.checked_sub(1)?;
        // SAFETY: it is below `length`, so the place is inside the allocation.
        let mut place = unsafe { self.memory.place.cast::<T>().add(last) };
        // SAFETY: the place holds a value that `push` wrote, and the list is borrowed.
        Some(unsafe { place.as_mut() })
    }

    /// Takes all values out; their memory stays.
    pub const fn clear(&mut self) {
        self.length = 0;
    }
}

impl<K: Kernel, T: Copy> Deref for List<'_, K, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        let place = self.memory.place.cast::<T>().as_ptr();
        // SAFETY: the first `length` places hold values that `push` wrote.
        unsafe { core::slice::from_raw_parts(place, self.length) }
    }
}

/// Bytes that a list begins with.
const FIRST_ROOM: usize = 256;
const ALIGNMENT: usize = align_of::<u64>();

/// The memory of a list, whatever its values are: one code for all.
struct Memory<'h, K: Kernel> {
    heap: &'h Heap<K>,
    place: NonNull<u8>,
    room: usize,
}

impl<K: Kernel> Memory<'_, K> {
    #[inline(never)]
    fn grow(&mut self) -> Result<(), OutOfMemory> {
        let room = (self.room * 2).max(FIRST_ROOM);
        let layout = Layout::from_size_align(room, ALIGNMENT).map_err(|_| OutOfMemory)?;
        let place = self.heap.allocate(layout)?;
        // SAFETY: both places have as many bytes and are different allocations.
        unsafe { place.copy_from_nonoverlapping(self.place, self.room) };
        self.release();
        self.place = place;
        self.room = room;
        Ok(())
    }

    fn release(&mut self) {
        if self.room != 0
            && let Ok(layout) = Layout::from_size_align(self.room, ALIGNMENT)
        {
            // SAFETY: `grow` allocated this place from this heap with this layout.
            unsafe { self.heap.free(self.place, layout) }
        }
    }
}

impl<K: Kernel> Drop for Memory<'_, K> {
    fn drop(&mut self) {
        self.release();
    }
}
