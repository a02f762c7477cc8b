//! Digests of entries, by which those that are the same on both sides are told from the others: hundreds of thousands of
//! entries of either side are the same, and need not be kept to know that.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash, Hasher};

use super::item::Item;

/// What is kept of an entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Digest {
    identity: u64,
    order: i64,
    /// Among the entries of its side.
    place: u32,
    /// Of all that is compared.
    content: u64,
}

/// Makes digests: with a key drawn for each comparison, so that no file can be made to have two entries of one digest.
#[derive(Default)]
pub(super) struct Digester(RandomState);

impl Digester {
    /// The digest of an entry; its place is yet to be told.
    pub fn of(&self, item: &Item) -> Digest {
        let mut content = self.0.build_hasher();
        item.identity.hash(&mut content);
        item.name.hash(&mut content);
        for property in item.properties.iter().filter(|known| known.compared) {
            property.property.hash(&mut content);
            property.value.hash(&mut content);
        }
        Digest {
            identity: self.0.hash_one(&item.identity),
            order: item.order,
            place: 0,
            content: content.finish(),
        }
    }
}

/// Of each side, by place, whether an entry has no partner on the other side that is just as it is. Entries of one identity
/// are partners in their order.
pub(super) fn different(first: Vec<Digest>, second: Vec<Digest>) -> [Vec<bool>; 2] {
    let mut different = [vec![true; first.len()], vec![true; second.len()]];
    let [first, second] = [first, second].map(|mut digests| {
        for (place, digest) in digests.iter_mut().enumerate() {
            digest.place = place as u32;
        }
        digests.sort_unstable();
        digests
    });
    let mut others = second.chunk_by(|one, other| one.identity == other.identity);
    let mut other = others.next();
    for group in first.chunk_by(|one, other| one.identity == other.identity) {
        while other.is_some_and(|other| other[0].identity < group[0].identity) {
            other = others.next();
        }
        let same = other.filter(|other| other[0].identity == group[0].identity);
        for (one, other) in group.iter().zip(same.into_iter().flatten()) {
            if one.content == other.content {
                different[0][one.place as usize] = false;
                different[1][other.place as usize] = false;
            }
        }
    }
    different
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

    #[test]
    fn what_is_the_same_on_both_sides_is_told_from_what_is_not() {
        let digester = Digester::default();
        let digests = |items: &[Item]| items.iter().map(|item| digester.of(item)).collect();
        let first = [item("a", 0, 1), item("b", 0, 2), item("c", 0, 3)];
        let second = [item("c", 0, 4), item("a", 0, 1), item("d", 0, 3)];
        let [first, second] = different(digests(&first), digests(&second));
        assert_eq!(first, [false, true, true]);
        assert_eq!(second, [true, false, true]);
    }

    #[test]
    fn entries_of_one_identity_are_partners_in_their_order() {
        let digester = Digester::default();
        let digests = |items: &[Item]| items.iter().map(|item| digester.of(item)).collect();
        let first = [item("a", 2, 1), item("a", 1, 2)];
        let second = [item("a", 1, 1), item("a", 2, 1), item("a", 3, 2)];
        let [first, second] = different(digests(&first), digests(&second));
        assert_eq!(first, [false, true], "the second in order is the same");
        assert_eq!(second, [true, false, true]);
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
