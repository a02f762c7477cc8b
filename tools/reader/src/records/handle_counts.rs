//! How many handles there are: by process and type, and to each key. Counted while the list is read, since a list of a
//! million handles as records would take many times the memory of the file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bootshot_format::ObjectKind;

use super::{NameStatus, Reading};
use crate::snapshot::Snapshot;

/// Numbers of handles.
#[derive(Clone, Debug, Default)]
pub(crate) struct CountsByType {
    /// The names of types, in their order.
    types: Vec<Arc<str>>,
    /// Process id, type, and number: in that order, and of each once, when all are counted.
    by_process: Vec<(u64, Type, u64)>,
}

/// A type: by the place of its name, or by its index where that has none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Type {
    Named(u32),
    Unknown(u32),
}

impl CountsByType {
    /// By process id and name of the type, in that order; not those to objects whose type has no name here.
    pub fn by_process(&self) -> impl Iterator<Item = (u64, &Arc<str>, u64)> {
        let counts = self.by_process.iter();
        counts.filter_map(|(pid, of, count)| match of {
            Type::Named(place) => Some((*pid, &self.types[*place as usize], *count)),
            Type::Unknown(_) => None,
        })
    }

    /// Those to objects whose type has no name here.
    pub fn of_unknown_type(&self) -> u64 {
        let counts = self.by_process.iter();
        let unknown = counts.filter(|(_, of, _)| matches!(of, Type::Unknown(_)));
        unknown.map(|(_, _, count)| count).sum()
    }

    /// By process id; a type without a name here is told by its index.
    pub fn all_by_process(&self) -> impl Iterator<Item = (u64, Arc<str>, u64)> {
        self.by_process.iter().map(|(pid, of, count)| {
            let name = match of {
                Type::Named(place) => self.types[*place as usize].clone(),
                Type::Unknown(index) => format!("type {index}").into(),
            };
            (*pid, name, *count)
        })
    }

    /// Puts together what was counted of the same process and type at different places of the list.
    fn finish(&mut self) {
        self.by_process.sort_unstable();
        self.by_process.dedup_by(|later, kept| {
            let is_same = (later.0, later.1) == (kept.0, kept.1);
            if is_same {
                kept.2 += later.2;
            }
            is_same
        });
        self.by_process.shrink_to_fit();
    }

    fn place(&self, name: &Arc<str>) -> Option<u32> {
        Some(self.types.binary_search(name).ok()? as u32)
    }
}

/// Numbers of handles to keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyCounts {
    /// By process id and name of the key.
    pub named: BTreeMap<(u64, Arc<str>), u64>,
    /// To those whose name is not known, by the reason why it is not.
    pub unnamed: BTreeMap<String, u64>,
}

/// The counts of the process whose handles are being read, by type index: lists are ordered by process.
#[derive(Default)]
struct Current {
    pid: u64,
    counts: Vec<(u32, u64)>,
}

impl Current {
    fn count(&mut self, type_index: u32) {
        match self.counts.iter_mut().find(|(of, _)| *of == type_index) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((type_index, 1)),
        }
    }

    /// Adds them to the others.
    fn flush(&mut self, places: &BTreeMap<u32, u32>, counts: &mut CountsByType) {
        for (type_index, count) in self.counts.drain(..) {
            let place = places.get(&type_index);
            let of = place.map_or(Type::Unknown(type_index), |place| Type::Named(*place));
            counts.by_process.push((self.pid, of, count));
        }
    }
}

impl Snapshot<'_> {
    /// The numbers of handles by process and type.
    pub(crate) fn handle_counts_by_type(&self) -> Reading<CountsByType> {
        Reading::gather(|problems| {
            let type_names = self.type_names();
            let own_types = self.own_handle_types();
            let names: BTreeSet<&Arc<str>> =
                type_names.values().chain(own_types.values()).collect();
            let mut counts = CountsByType {
                types: names.into_iter().cloned().collect(),
                ..CountsByType::default()
            };
            let places: BTreeMap<u32, u32> = type_names
                .iter()
                .filter_map(|(index, name)| Some((*index, counts.place(name)?)))
                .collect();
            let mut of_capture = vec![0; counts.types.len()];
            let mut current = Current::default();
            for entry in self.each_handle_entry(problems) {
                let own_type = (entry.process_id == self.header.process_id)
                    .then(|| own_types.get(&entry.handle))
                    .flatten();
                if let Some(place) = own_type.and_then(|name| counts.place(name)) {
                    of_capture[place as usize] += 1;
                    continue;
                }
                if entry.process_id != current.pid {
                    current.flush(&places, &mut counts);
                    current.pid = entry.process_id;
                }
                current.count(entry.type_index);
            }
            current.flush(&places, &mut counts);
            for (place, count) in (0..).zip(of_capture).filter(|(_, count)| *count != 0) {
                let own_id = self.header.process_id;
                counts.by_process.push((own_id, Type::Named(place), count));
            }
            counts.finish();
            counts
        })
    }

    /// The numbers of handles to keys.
    pub(crate) fn key_handle_counts(&self) -> Reading<KeyCounts> {
        Reading::gather(|problems| {
            let type_names = self.type_names();
            let key_index = type_names
                .iter()
                .find_map(|(index, name)| (&**name == "Key").then_some(*index));
            let walk = self.walk_to(ObjectKind::KEY, problems);
            let is_key = |index| Some(index) == key_index;
            let names = self.names_of_types(&walk, &self.handle_lists(), is_key, problems);
            let mut counts = KeyCounts::default();
            let mut unnamed: BTreeMap<NameStatus, u64> = BTreeMap::new();
            for entry in self.each_handle_entry(problems) {
                if Some(entry.type_index) != key_index {
                    continue;
                }
                let naming = names.of(&entry, "Key");
                match &naming.name {
                    Some(name) => {
                        let of = (entry.process_id, name.to_string().into());
                        *counts.named.entry(of).or_default() += 1;
                    }
                    None => *unnamed.entry(naming.status).or_default() += 1,
                }
            }
            for (status, count) in unnamed {
                *counts.unnamed.entry(status.to_string()).or_default() += count;
            }
            counts
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use test_snapshots::Builder;
    use test_snapshots::machine::machine_live;

    use crate::snapshot::Snapshot;

    #[test]
    fn counts_are_those_of_the_handles_one_by_one() {
        for file in [Builder::recorded_x86().finish(), machine_live().finish()] {
            let snapshot = Snapshot::parse(&file).unwrap();
            let mut expected = BTreeMap::new();
            let mut of_unknown_type = 0;
            for handle in snapshot.handles().value {
                if handle.object_type.starts_with("type ") {
                    of_unknown_type += 1;
                    continue;
                }
                *expected
                    .entry((handle.pid, handle.object_type))
                    .or_insert(0) += 1;
            }
            assert!(!expected.is_empty() || of_unknown_type > 0);
            let counts = snapshot.handle_counts_by_type().value;
            let by_process = counts.by_process();
            let by_process: Vec<_> = by_process
                .map(|(pid, name, count)| ((pid, name.clone()), count))
                .collect();
            assert_eq!(by_process, Vec::from_iter(expected));
            assert_eq!(counts.of_unknown_type(), of_unknown_type);
        }
    }

    #[test]
    fn key_handles_are_counted_by_name_as_they_are_listed() {
        let golden = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/golden/v1-wine8-x64-live.bshot"
        );
        let file = std::fs::read(golden).unwrap();
        let snapshot = Snapshot::parse(&file).unwrap();
        let counts = snapshot.key_handle_counts().value;
        let listed = snapshot.key_handles().value;
        let named: u64 = listed.hives.iter().map(|hive| hive.handle_count).sum();
        let unnamed: u64 = listed.unnamed.iter().map(|keys| keys.handle_count).sum();
        assert!(named != 0);
        assert_eq!(counts.named.values().sum::<u64>(), named);
        assert_eq!(counts.unnamed.values().sum::<u64>(), unnamed);
    }
}
