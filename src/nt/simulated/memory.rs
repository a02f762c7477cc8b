//! The memory of the simulated process: ranges of the host's heap, with commits counted and overruns noticed.

use crate::nt::Status;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::collections::BTreeMap;

const PAGE: usize = 0x1000;
const CONFLICTING_ADDRESSES: Status = Status::new(0xC000_0018);
const COMMITMENT_LIMIT: Status = Status::new(0xC000_012D);
const MEMORY_NOT_ALLOCATED: Status = Status::new(0xC000_00A0);

/// All ranges, by address.
pub struct Memory {
    ranges: BTreeMap<usize, Reserved>,
    limit: usize,
    commits_left: u32,
    peak: usize,
}

struct Reserved {
    allocation: usize,
    layout: Layout,
    pages: Vec<bool>,
}

impl Memory {
    /// No memory yet, at most `limit` bytes of it in at most `commits` steps.
    pub fn new(limit: usize, commits: u32) -> Self {
        Self {
            ranges: BTreeMap::new(),
            limit,
            commits_left: commits,
            peak: 0,
        }
    }

    /// Bytes reserved.
    pub fn reserved(&self) -> usize {
        self.ranges
            .values()
            .map(|range| range.pages.len() * PAGE)
            .sum()
    }

    /// Bytes committed.
    pub fn committed(&self) -> usize {
        self.ranges
            .values()
            .map(|range| range.pages.iter().filter(|committed| **committed).count() * PAGE)
            .sum()
    }

    /// The most bytes that were committed at once.
    pub fn peak(&self) -> usize {
        self.peak
    }

    /// Reserves address space.
    pub fn reserve(&mut self, length: usize) -> Result<usize, Status> {
        if length == 0 {
            return Err(Status::INVALID_PARAMETER);
        }
        let pages = length.div_ceil(PAGE);
        // One page to align, one to notice writes behind the end.
        let layout = pages
            .checked_add(2)
            .and_then(|pages| pages.checked_mul(PAGE))
            .and_then(|size| Layout::from_size_align(size, 16).ok())
            .ok_or(Status::NO_MEMORY)?;
        // SAFETY: the layout's size is not zero.
        let allocation = unsafe { alloc_zeroed(layout) } as usize;
        if allocation == 0 {
            return Err(Status::NO_MEMORY);
        }
        let address = allocation.next_multiple_of(PAGE);
        self.ranges.insert(
            address,
            Reserved {
                allocation,
                layout,
                pages: vec![false; pages],
            },
        );
        Ok(address)
    }

    /// Commits the pages that hold `length` bytes at `address`.
    pub fn commit(&mut self, address: usize, length: usize) -> Status {
        let committed_before = self.committed();
        let room = self.limit - committed_before;
        let Some((start, range)) = self.ranges.range_mut(..=address).next_back() else {
            return CONFLICTING_ADDRESSES;
        };
        let first = (address - start) / PAGE;
        let end = (address - start).saturating_add(length).div_ceil(PAGE);
        let Some(pages) = range.pages.get_mut(first..end) else {
            return CONFLICTING_ADDRESSES;
        };
        let wanted = pages.iter().filter(|committed| !**committed).count() * PAGE;
        if self.commits_left == 0 || wanted > room {
            return COMMITMENT_LIMIT;
        }
        self.commits_left -= 1;
        self.peak = self.peak.max(committed_before + wanted);
        for (committed, place) in pages.iter_mut().zip((start + first * PAGE..).step_by(PAGE)) {
            assert!(
                *committed || is_zero(place),
                "memory at {place:#x} was written before its commit"
            );
            *committed = true;
        }
        Status::SUCCESS
    }

    /// Gives a range back.
    pub fn release(&mut self, address: usize) -> Status {
        match self.ranges.remove(&address) {
            Some(range) => {
                drop(range);
                Status::SUCCESS
            }
            None => MEMORY_NOT_ALLOCATED,
        }
    }

    /// Copies committed bytes into `to`; `false` when not all of them are.
    pub fn read(&self, address: usize, to: &mut [u8]) -> bool {
        let Some((start, range)) = self.ranges.range(..=address).next_back() else {
            return false;
        };
        let end = (address - start).saturating_add(to.len()).div_ceil(PAGE);
        let committed = range.pages.get((address - start) / PAGE..end);
        if !committed.is_some_and(|pages| pages.iter().all(|committed| *committed)) {
            return false;
        }
        // SAFETY: the bytes belong to a live allocation of ours.
        to.copy_from_slice(unsafe { std::slice::from_raw_parts(address as *const u8, to.len()) });
        true
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let start = self.allocation.next_multiple_of(PAGE);
        let pages = self
            .pages
            .iter()
            .chain([&false])
            .zip((start..).step_by(PAGE));
        let overrun = pages
            .filter(|(committed, _)| !**committed)
            .any(|(_, place)| !is_zero(place));
        // SAFETY: allocated with this layout in `Memory::reserve`, and removed from the ranges.
        unsafe { dealloc(self.allocation as *mut u8, self.layout) };
        assert!(
            !overrun || std::thread::panicking(),
            "memory outside the commits of {start:#x} was written"
        );
    }
}

fn is_zero(page: usize) -> bool {
    // SAFETY: the page is part of a live allocation of ours, initialised with zeros.
    let bytes = unsafe { std::slice::from_raw_parts(page as *const u8, PAGE) };
    bytes == [0; PAGE]
}
