//! Digests of entries, by which those that are the same on both sides are told from the others: hundreds of thousands of
//! entries of either side are the same, and need not be kept to know that.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher};

use super::item::Item;

/// What tells an entry from others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Digest {
    identity: u64,
    /// Of all that is compared.
    content: u64,
}

/// Makes digests: with a key drawn for each comparison, so that no file can be made to have two entries of one digest.
#[derive(Default)]
pub(super) struct Digester(RandomState);

impl Digester {
    /// The digest of an entry.
    pub fn of(&self, item: &Item) -> Digest {
        self.of_parts(&item.identity, |content| {
            item.name.hash(content);
            for property in item.properties.iter().filter(|known| known.compared) {
                property.property.hash(content);
                property.value.hash(content);
            }
        })
    }

    /// The digest of an entry of this identity, of which `hash` adds what is compared.
    pub fn of_parts(&self, identity: &str, hash: impl FnOnce(&mut DefaultHasher)) -> Digest {
        let mut content = self.0.build_hasher();
        hash(&mut content);
        Digest {
            identity: self.0.hash_one(identity),
            content: content.finish(),
        }
    }
}

/// The digests of the entries of the first side.
#[derive(Default)]
pub(super) struct Digests(Vec<Known>);

/// An entry of the first side, and what is found of it on the second one.
struct Known {
    digest: Digest,
    /// Among the entries of its side.
    place: u32,
    partner: Partner,
}

/// The place of the entry of the second side that is just the same.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Partner(u32);

impl Partner {
    const NOT_FOUND: Self = Self(u32::MAX);
    /// There is another one of that identity.
    const DIFFERENT: Self = Self(u32::MAX - 1);

    fn place(self) -> Option<usize> {
        (self.0 < Self::DIFFERENT.0).then_some(self.0 as usize)
    }
}

impl Digests {
    /// The next one.
    pub fn add(&mut self, digest: Digest) {
        self.0.push(Known {
            digest,
            place: self.0.len() as u32,
            partner: Partner::NOT_FOUND,
        });
    }

    /// To find partners for.
    pub fn partners(mut self) -> Partners {
        self.0.sort_unstable_by_key(|known| known.digest.identity);
        Partners {
            first: self.0,
            second: Vec::new(),
        }
    }
}

/// Which entries of the first side are just the same on the second one.
pub(super) struct Partners {
    /// By identity.
    first: Vec<Known>,
    /// Of each entry of the second side that was looked for, whether there is none like it.
    second: Vec<bool>,
}

impl Partners {
    /// Looks for the next entry of the second side. Of several of one identity on a side, their order tells which is whose
    /// partner: they all count as different.
    pub fn find(&mut self, digest: Digest) {
        let place = Partner(self.second.len() as u32);
        self.second.push(true);
        let identity = |known: &Known| known.digest.identity;
        let start = self
            .first
            .partition_point(|known| identity(known) < digest.identity);
        let mut same = self.first[start..]
            .iter_mut()
            .take_while(|known| identity(known) == digest.identity);
        let (Some(known), None) = (same.next(), same.next()) else {
            return;
        };
        if known.partner == Partner::NOT_FOUND && known.digest == digest {
            known.partner = place;
            self.second[place.0 as usize] = false;
        } else {
            if let Some(partner) = known.partner.place() {
                self.second[partner] = true;
            }
            known.partner = Partner::DIFFERENT;
        }
    }

    /// Of each side, by place, whether an entry has none on the other side that is just as it is.
    pub fn different(self) -> [Vec<bool>; 2] {
        let mut first = vec![true; self.first.len()];
        for known in &self.first {
            first[known.place as usize] = known.partner.place().is_none();
        }
        [first, self.second]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::item::Value;

    fn item(identity: &str, order: i64, size: u64) -> Item {
        Item {
            order,
            ..Item::new(identity, "name").with("size", Value::Bytes(size))
        }
    }

    fn different(first: &[Item], second: &[Item]) -> [Vec<bool>; 2] {
        let digester = Digester::default();
        let mut digests = Digests::default();
        first.iter().for_each(|item| digests.add(digester.of(item)));
        let mut partners = digests.partners();
        second
            .iter()
            .for_each(|item| partners.find(digester.of(item)));
        partners.different()
    }

    #[test]
    fn what_is_the_same_on_both_sides_is_told_from_what_is_not() {
        let first = [item("a", 0, 1), item("b", 0, 2), item("c", 0, 3)];
        let second = [item("c", 0, 4), item("a", 0, 1), item("d", 0, 3)];
        let [first, second] = different(&first, &second);
        assert_eq!(first, [false, true, true]);
        assert_eq!(second, [true, false, true]);
    }

    #[test]
    fn entries_that_share_their_identity_on_a_side_are_all_kept() {
        let single = [item("a", 1, 1), item("b", 1, 1)];
        for twice in [
            [item("a", 1, 1), item("b", 1, 1), item("a", 2, 1)],
            [item("a", 1, 2), item("b", 1, 1), item("a", 2, 1)],
            [item("a", 1, 1), item("b", 1, 1), item("a", 2, 2)],
        ] {
            let (of_single, of_twice) = (vec![true, false], vec![true, false, true]);
            assert_eq!(
                different(&single, &twice),
                [of_single.clone(), of_twice.clone()]
            );
            assert_eq!(different(&twice, &single), [of_twice, of_single]);
        }
    }

    #[test]
    fn what_only_tells_more_makes_no_difference_and_a_name_does() {
        let digester = Digester::default();
        let told = item("a", 0, 1).telling("parent", Value::text("x"));
        assert_eq!(digester.of(&told), digester.of(&item("a", 0, 1)));
        let named = Item {
            name: "another".into(),
            ..item("a", 0, 1)
        };
        assert_ne!(digester.of(&named), digester.of(&item("a", 0, 1)));
    }
}
