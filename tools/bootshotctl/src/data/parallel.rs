//! Work on many snapshots at once, its results in their order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::error::Error;

/// Most threads: each holds a snapshot and what was read of it.
const MOST_THREADS: usize = 8;

/// Does `work` for each of `items`, several at a time, and gives what came of it to `done`, one after the other in the
/// order of the items. Ends with the first error.
pub fn each<I: Sync, T: Send>(
    items: &[I],
    work: impl Fn(&I) -> Result<T, Error> + Sync,
    mut done: impl FnMut(T) -> Result<(), Error>,
) -> Result<(), Error> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let threads = processors.min(MOST_THREADS).min(items.len());
    let next = AtomicUsize::new(0);
    let (results, received) = mpsc::sync_channel(threads);
    thread::scope(|scope| {
        // Dropped with this closure at the latest: then nobody goes on.
        let received = received;
        for _ in 0..threads {
            let (results, next, work) = (results.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(place) else {
                        break;
                    };
                    if results.send((place, work(item))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(results);
        let mut early = BTreeMap::new();
        let mut expected = 0;
        for (place, result) in &received {
            early.insert(place, result?);
            while let Some(result) = early.remove(&expected) {
                done(result)?;
                expected += 1;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..100).collect();
        let mut seen = Vec::new();
        each(
            &items,
            |item| {
                // The first ones take longest.
                for _ in 0..(100 - item) * 1000 {
                    std::hint::black_box(item);
                }
                Ok(*item)
            },
            |item| {
                seen.push(item);
                Ok(())
            },
        )
        .unwrap();
        assert_eq!(seen, items);
    }

    #[test]
    fn an_error_ends_it() {
        let items: Vec<usize> = (0..1000).collect();
        let fail = |item: &usize| match item {
            5 => Err(Error::failed("five")),
            item => Ok(*item),
        };
        let mut seen = Vec::new();
        let error = each(&items, fail, |item| {
            seen.push(item);
            Ok(())
        });
        assert_eq!(error.unwrap_err().to_string(), "five");
        assert!(seen.len() <= 5);
    }
}
