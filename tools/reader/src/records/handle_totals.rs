//! Numbers of handles by type alone and by process alone.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::Reading;
use crate::snapshot::Snapshot;

/// The handles to objects of one type.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct OfType {
    /// Name of the type.
    #[serde(rename = "type")]
    pub object_type: Arc<str>,
    /// Handles.
    pub handle_count: u64,
    /// Processes that have such handles.
    pub process_count: usize,
}

/// The handles of one process.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct OfProcess {
    /// Process id.
    pub pid: u64,
    /// File name of its image.
    pub image: Option<Arc<str>>,
    /// Handles.
    pub handle_count: u64,
}

impl Snapshot<'_> {
    /// The handles of those processes and to those types that `wanted` picks, counted by type: the most first.
    pub fn handles_by_type(&self, wanted: impl Fn(u64, &str) -> bool) -> Reading<Vec<OfType>> {
        self.handle_counts_by_type().map(|counts| {
            let mut types: BTreeMap<Arc<str>, (u64, usize)> = BTreeMap::new();
            for (pid, object_type, handles) in counts.all_by_process() {
                if wanted(pid, &object_type) {
                    let (count, processes) = types.entry(object_type).or_default();
                    *count += handles;
                    *processes += 1;
                }
            }
            let mut rows: Vec<_> = types
                .into_iter()
                .map(|(object_type, (handle_count, process_count))| OfType {
                    object_type,
                    handle_count,
                    process_count,
                })
                .collect();
            rows.sort_by_key(|row| Reverse(row.handle_count));
            rows
        })
    }

    /// The same handles counted by process: the most first.
    pub fn handles_by_process(
        &self,
        wanted: impl Fn(u64, &str) -> bool,
    ) -> Reading<Vec<OfProcess>> {
        self.handle_counts_by_type().map(|counts| {
            let images = self.image_names();
            let mut rows: Vec<OfProcess> = Vec::new();
            for (pid, object_type, handles) in counts.all_by_process() {
                match rows.last_mut() {
                    _ if !wanted(pid, &object_type) => {}
                    Some(row) if row.pid == pid => row.handle_count += handles,
                    _ => rows.push(OfProcess {
                        pid,
                        image: images.get(&pid).cloned(),
                        handle_count: handles,
                    }),
                }
            }
            rows.sort_by_key(|row| Reverse(row.handle_count));
            rows
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use test_snapshots::Builder;
    use test_snapshots::machine::machine_live;

    use crate::snapshot::Snapshot;

    #[test]
    fn totals_are_those_of_the_handles_one_by_one() {
        let golden = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/golden/v1-wine8-x64-live.bshot"
        );
        for file in [
            Builder::recorded_x86().finish(),
            machine_live().finish(),
            std::fs::read(golden).unwrap(),
        ] {
            let snapshot = Snapshot::parse(&file).unwrap();
            let handles = snapshot.handles().value;
            assert!(!handles.is_empty());
            let mut types: BTreeMap<_, (u64, BTreeSet<u64>)> = BTreeMap::new();
            let mut processes = BTreeMap::new();
            for handle in &handles {
                let (count, of) = types.entry(handle.object_type.clone()).or_default();
                *count += 1;
                of.insert(handle.pid);
                let image = handle.image.clone();
                processes.entry(handle.pid).or_insert((0, image)).0 += 1;
            }
            let by_type = snapshot.handles_by_type(|_, _| true).value;
            assert!(by_type.is_sorted_by_key(|row| std::cmp::Reverse(row.handle_count)));
            let by_type: BTreeMap<_, _> = by_type
                .into_iter()
                .map(|row| (row.object_type, (row.handle_count, row.process_count)))
                .collect();
            let expected = types
                .into_iter()
                .map(|(name, (count, of))| (name, (count, of.len())));
            assert_eq!(by_type, expected.collect());
            let by_process = snapshot.handles_by_process(|_, _| true).value;
            let by_process: BTreeMap<_, _> = by_process
                .into_iter()
                .map(|row| (row.pid, (row.handle_count, row.image)))
                .collect();
            assert_eq!(by_process, processes);
        }
    }

    #[test]
    fn only_what_is_wanted_is_counted() {
        let file = machine_live().finish();
        let snapshot = Snapshot::parse(&file).unwrap();
        let all = snapshot.handles().value;
        let (pid, object_type) = (all[0].pid, all[0].object_type.clone());
        let expected = all
            .iter()
            .filter(|handle| handle.pid == pid && handle.object_type == object_type);
        let counted = snapshot.handles_by_type(|of, name| of == pid && *name == *object_type);
        assert_eq!(counted.value.len(), 1);
        assert_eq!(counted.value[0].handle_count, expected.count() as u64);
    }
}
