//! Comparing two files, within its limits.

use bootshot_reader::Snapshot;
use bootshot_reader::diff::{self, Baseline, Comparison, Options, Which};

use crate::limits::Limit;

/// Both sides' entries are kept until they are matched: each with an identity, a name and its properties, of which the least
/// that makes an entry, a handle of 16 bytes, has two.
pub const COMPARISON: Limit = Limit {
    peak_factor: 96,
    total_factor: 512,
    constant: 256 << 10,
};

/// Compares two files either way round, and as a baseline. Gives the number of differences; none when either is refused.
pub fn compare(file: &[u8], other: &[u8]) -> Option<u64> {
    let (one, two) = (Snapshot::parse(file).ok()?, Snapshot::parse(other).ok()?);
    let length = file.len() + other.len();
    let ask = |question: &str, options: &Options, swapped: bool| {
        let (one, two) = if swapped { (&two, &one) } else { (&one, &two) };
        let comparison = COMPARISON.ask(question, length, || diff::compare(one, two, options));
        json(&comparison);
        comparison
    };
    let options = Options::default();
    let there = ask("diff", &options, false);
    let back = ask("diff, the other way round", &options, true);
    let sizes = |comparison: &Comparison, back: bool| -> Vec<(usize, usize, usize)> {
        let subjects = comparison.subjects.iter();
        subjects
            .map(|subject| match back {
                false => (
                    subject.added.len(),
                    subject.removed.len(),
                    subject.changed.len(),
                ),
                true => (
                    subject.removed.len(),
                    subject.added.len(),
                    subject.changed.len(),
                ),
            })
            .collect()
    };
    assert_eq!(sizes(&there, false), sizes(&back, true));
    let mut unruled = options.clone();
    unruled.rules.clear();
    let strict = ask("diff without rules", &unruled, false);
    assert!(
        strict
            .subjects
            .iter()
            .all(|subject| subject.hidden.is_empty())
    );
    let compared = COMPARISON.ask("diff with a baseline", length, || {
        let mut baseline = Baseline::new(&two, &options);
        baseline.add(&one);
        baseline.finish()
    });
    for (subject, there) in compared.subjects.iter().zip(&there.subjects) {
        assert_eq!(subject.added.len(), there.added.len());
        assert_eq!(subject.changed.len(), there.changed.len());
        let misses = |which| there.not_comparable.iter().any(|gap| gap.side == which);
        assert!(subject.not_comparable.is_empty() || misses(Which::First) || misses(Which::Second));
    }
    json(&compared);
    Some(there.difference_count())
}

/// Writes JSON as a program would that writes to a pipe: without keeping it.
fn json(value: &impl serde::Serialize) {
    serde_json::to_writer(std::io::sink(), value).expect("comparisons serialize");
}
