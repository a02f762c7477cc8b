//! Kernel addresses and the pseudonyms they get.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::keyed::Keyed;
use crate::layout::PointerWidth;

/// The last page of an address space: no addresses, but small negative numbers such as the handle -1.
const LAST_PAGE: u64 = 0x1000;
const PAGE: u64 = 0x1000;

/// Times another pseudonym is tried when one is taken.
const ATTEMPTS: u32 = 64;

/// Bytes of all modules together, at the most: what a list says beyond that is no list of modules.
const MOST_OF_MODULES: u64 = 0x2000_0000;

/// Where pseudonyms lie. Those of modules have a part of their own, so that no other falls into a module.
struct Space {
    /// The first address of the kernel.
    kernel: u64,
    modules: Range<u64>,
    others: Range<u64>,
    /// Pseudonyms of what is no address of the kernel, and stands where one should.
    below: Range<u64>,
    /// Low bits that stay: how addresses are aligned is to be seen.
    alignment: u64,
}

impl Space {
    const fn of(width: PointerWidth) -> Self {
        match width {
            PointerWidth::Bits32 => Self {
                kernel: 0x8000_0000,
                modules: 0x8000_0000..0xC000_0000,
                others: 0xC000_0000..0xFFFE_0000,
                below: 0x1_0000..0x7FFE_0000,
                alignment: 8,
            },
            PointerWidth::Bits64 => Self {
                kernel: 0x8000_0000_0000,
                modules: 0xFFFF_F800_0000_0000..0xFFFF_FFFF_0000_0000,
                others: 0xFFFF_8000_0000_0000..0xFFFF_F800_0000_0000,
                below: 0x1_0000..0x7FFF_0000_0000,
                alignment: 16,
            },
        }
    }
}

/// What a number stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// An address of something of the kernel, whatever it looks like.
    Kernel,
    /// A pointer: an address of the kernel when it looks like one.
    Any,
}

/// The addresses of a snapshot: gathered first, then replaced.
pub(super) struct Addresses {
    width: PointerWidth,
    space: Space,
    keep: bool,
    /// Every address, and whether it is one of the kernel wherever it lies.
    gathered: BTreeMap<u64, bool>,
    /// First address and size of each module.
    modules: BTreeMap<u64, u64>,
    /// First address of each module, its size and pseudonym.
    replaced_modules: BTreeMap<u64, (u64, u64)>,
    replaced: BTreeMap<u64, u64>,
    gathering: bool,
}

impl Addresses {
    pub fn new(width: PointerWidth, keep: bool) -> Self {
        Self {
            width,
            space: Space::of(width),
            keep,
            gathered: BTreeMap::new(),
            modules: BTreeMap::new(),
            replaced_modules: BTreeMap::new(),
            replaced: BTreeMap::new(),
            gathering: true,
        }
    }

    /// How many different addresses were replaced.
    pub fn count(&self) -> u64 {
        self.replaced.len() as u64
    }

    /// Whether a number is in the kernel's part of the address space.
    pub fn is_of_kernel(&self, address: u64) -> bool {
        address >= self.space.kernel
    }

    /// Notes where a module lies: addresses in it keep their distance from its start.
    pub fn module(&mut self, base: u64, size: u64) {
        if self.gathering && base != 0 && size != 0 {
            let known = self.modules.entry(base).or_default();
            *known = size.max(*known);
        }
    }

    /// What is to stand for `address`. While they are gathered, it is only noted.
    pub fn replace(&mut self, address: u64, meaning: Meaning) -> u64 {
        let last = match self.width {
            PointerWidth::Bits32 => u64::from(u32::MAX),
            PointerWidth::Bits64 => u64::MAX,
        };
        if self.keep || address == 0 || address > last - LAST_PAGE {
            return address;
        }
        if self.gathering {
            *self.gathered.entry(address).or_default() |= meaning == Meaning::Kernel;
            return address;
        }
        self.pseudonym(address).unwrap_or(address)
    }

    /// The pseudonym of an address, if it has one.
    pub fn pseudonym(&self, address: u64) -> Option<u64> {
        self.replaced.get(&address).copied()
    }

    fn in_module(&self, address: u64) -> Option<u64> {
        let (base, (size, pseudonym)) = self.replaced_modules.range(..=address).next_back()?;
        let distance = address - base;
        (distance < *size).then(|| pseudonym + distance)
    }

    /// Ends the gathering: every address gets its pseudonym. Those of one key are the same in every snapshot, but where
    /// one would stand for two addresses, or is itself one of the snapshot.
    pub fn settle(&mut self, keyed: &Keyed) {
        self.gathering = false;
        self.settle_modules(keyed);
        let mut gathered = std::mem::take(&mut self.gathered);
        gathered.retain(|address, is_of_kernel| {
            *is_of_kernel || self.is_of_kernel(*address) || self.in_module(*address).is_some()
        });
        self.gathered = gathered;
        let mut taken = BTreeSet::new();
        for address in self.gathered.keys() {
            let pseudonym = match self.in_module(*address) {
                Some(pseudonym) => pseudonym,
                None => self.other(*address, keyed, &taken),
            };
            taken.insert(pseudonym);
            self.replaced.insert(*address, pseudonym);
        }
    }

    fn other(&self, address: u64, keyed: &Keyed, taken: &BTreeSet<u64>) -> u64 {
        let range = match self.is_of_kernel(address) {
            true => &self.space.others,
            false => &self.space.below,
        };
        let alignment = self.space.alignment;
        let bound = (range.end - range.start) / alignment;
        let input = address.to_le_bytes();
        let candidate = |attempt| {
            let place = keyed.below(bound, "address", &input, attempt) * alignment;
            range.start + place + address % alignment
        };
        (0..ATTEMPTS)
            .map(candidate)
            .find(|candidate| !taken.contains(candidate) && !self.gathered.contains_key(candidate))
            .unwrap_or_else(|| candidate(ATTEMPTS))
    }

    fn settle_modules(&mut self, keyed: &Keyed) {
        let mut room = MOST_OF_MODULES;
        let mut taken: BTreeMap<u64, u64> = BTreeMap::new();
        for (base, size) in std::mem::take(&mut self.modules) {
            // A module that begins inside the one before keeps its distance from that.
            if self.in_module(base).is_some() || size > room {
                continue;
            }
            room -= size;
            let range = match self.is_of_kernel(base) {
                true => &self.space.modules,
                false => &self.space.below,
            };
            let bound = (range.end - range.start - size) / PAGE;
            let candidate = |attempt| {
                let page = keyed.below(bound, "module", &base.to_le_bytes(), attempt);
                range.start + page * PAGE + base % PAGE
            };
            let is_free = |start: &u64| {
                let end = start + size;
                let before = taken.range(..end).next_back();
                before.is_none_or(|(other, other_size)| other + other_size <= *start)
            };
            let holds_no_address = |start: &u64| {
                let mut inside = self.gathered.range(*start..start + size);
                inside.next().is_none()
            };
            let free = || (0..ATTEMPTS).map(candidate).filter(is_free);
            let found = free().find(holds_no_address).or_else(|| free().next());
            // Where there is no room for it, its addresses are replaced one by one.
            if let Some(pseudonym) = found {
                taken.insert(pseudonym, size);
                self.replaced_modules.insert(base, (size, pseudonym));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(width: PointerWidth, modules: &[(u64, u64)], addresses: &[u64]) -> Addresses {
        let mut all = Addresses::new(width, false);
        for (base, size) in modules {
            all.module(*base, *size);
            all.replace(*base, Meaning::Kernel);
        }
        for address in addresses {
            all.replace(*address, Meaning::Any);
        }
        all.settle(&Keyed::new(b"key"));
        all
    }

    #[test]
    fn addresses_in_modules_keep_their_distance_and_others_fall_into_none() {
        for (width, base, other) in [
            (
                PointerWidth::Bits64,
                0xFFFF_F802_1140_0000,
                0xFFFF_A50F_1234_5678,
            ),
            (PointerWidth::Bits32, 0x8261_0000, 0x8512_3458),
        ] {
            let size = 0x10_0000;
            let mut all = settled(width, &[(base, size)], &[base + 0x1234, other]);
            let pseudonym = all.replace(base, Meaning::Kernel);
            assert_ne!(pseudonym, base);
            assert!(all.is_of_kernel(pseudonym));
            assert_eq!(all.replace(base + 0x1234, Meaning::Any), pseudonym + 0x1234);
            let outside = all.replace(other, Meaning::Any);
            assert!(all.is_of_kernel(outside) && outside != other);
            assert!(!(pseudonym..pseudonym + size).contains(&outside));
            assert_eq!(outside % 8, other % 8);
        }
    }

    #[test]
    fn addresses_of_programs_and_small_negative_numbers_stay() {
        let mut all = settled(PointerWidth::Bits64, &[], &[0x7FF8_1234_5678, u64::MAX, 0]);
        for kept in [0x7FF8_1234_5678, u64::MAX, 0] {
            assert_eq!(all.replace(kept, Meaning::Any), kept);
        }
    }

    #[test]
    fn no_pseudonym_is_given_twice_or_is_an_address_itself() {
        let addresses: Vec<u64> = (0..20_000).map(|number| 0x8500_0000 + number * 8).collect();
        let mut all = settled(PointerWidth::Bits32, &[], &addresses);
        let pseudonyms: BTreeSet<u64> = addresses
            .iter()
            .map(|address| all.replace(*address, Meaning::Any))
            .collect();
        assert_eq!(pseudonyms.len(), addresses.len());
        assert!(
            addresses
                .iter()
                .all(|address| !pseudonyms.contains(address))
        );
    }

    #[test]
    fn lists_that_claim_the_whole_space_end() {
        let modules: Vec<(u64, u64)> = (0..1_000)
            .map(|number| (0x8000_0000 + number * 0x10_0000, 0xFFFF_FFFF))
            .collect();
        settled(PointerWidth::Bits32, &modules, &[0x8123_4567]);
    }
}
