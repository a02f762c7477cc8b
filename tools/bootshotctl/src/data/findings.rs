//! What was wrong with the snapshots that were read, and how a command that read many of them ends.

use std::path::Path;

use bootshot_reader::{Completeness, Problem, Snapshot};

use crate::error::Outcome;
use crate::output;
use crate::reading;
use crate::shown;

/// Warnings that are shown one by one; more of them are counted.
const SHOWN: usize = 20;

/// Different problems of a snapshot that are kept: [`Findings::add`] tells no more than one above [`SHOWN`], and leaves out
/// those that the snapshot has itself, of which it looks at no more.
const KEPT: usize = 2 * SHOWN + 1;

/// Keeps what was found of a table beside what was found of others, each once: the same is found in many, and thousands of
/// times.
pub fn gather(problems: &mut Vec<Problem>, found: Vec<Problem>) {
    for problem in found {
        if problems.len() >= KEPT {
            break;
        }
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
}

/// What was found.
pub struct Findings {
    /// Whether there are several files, so that a warning has to say which one it is about.
    several: bool,
    warnings: Vec<String>,
    more: usize,
    damaged: bool,
    too_large: usize,
}

impl Findings {
    pub fn new(files: usize) -> Self {
        Self {
            several: files > 1,
            warnings: Vec::new(),
            more: 0,
            damaged: false,
            too_large: 0,
        }
    }

    /// What is wrong with a file, and what could not be read of it: each once, however many tables it concerns.
    pub fn add(&mut self, path: &Path, snapshot: &Snapshot<'_>, problems: &[Problem]) {
        if snapshot.completeness() == Completeness::Unfinished {
            self.warn(
                path,
                "the capture did not come to its end: what follows its last section is missing",
            );
        }
        let mut told: Vec<&Problem> = Vec::new();
        for problem in snapshot.problems.iter().chain(problems) {
            if !told.contains(&problem) {
                told.push(problem);
                self.warn(path, &problem.to_string());
            }
            if told.len() > SHOWN {
                break;
            }
        }
        self.damaged |= reading::is_damaged(snapshot);
    }

    /// A file that could not be read at all.
    pub fn skip(&mut self, reason: &str) {
        self.damaged = true;
        self.keep(format!("left out: {reason}"));
    }

    /// Numbers that became null.
    pub fn too_large(&mut self, count: usize) {
        self.too_large += count;
    }

    /// What somebody else found.
    pub fn merge(&mut self, other: Self) {
        for warning in other.warnings {
            self.keep(warning);
        }
        self.more += other.more;
        self.damaged |= other.damaged;
        self.too_large += other.too_large;
    }

    fn warn(&mut self, path: &Path, text: &str) {
        self.keep(match self.several {
            true => format!("{}: {text}", path.display()),
            false => text.to_owned(),
        });
    }

    fn keep(&mut self, warning: String) {
        if self.warnings.len() < SHOWN {
            self.warnings.push(warning);
        } else {
            self.more += 1;
        }
    }

    /// Tells it on standard error. Damage is a "no", as for the commands that read one snapshot.
    pub fn finish(self) -> Outcome {
        for warning in self.warnings {
            output::warn(warning);
        }
        if self.more != 0 {
            output::warn(format!("and {} more of the kind", self.more));
        }
        if self.too_large != 0 {
            output::warn(format!(
                "{} above 2^63 - 1 became null: no system has so many of anything",
                shown::count(self.too_large, "number", "numbers")
            ));
        }
        match self.damaged {
            true => Outcome::No,
            false => Outcome::Done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_that_many_tables_have_is_kept_once_and_no_more_than_are_told() {
        let problem = |offset| Problem::new("process", offset, "100 bytes", "80 bytes");
        let mut problems = Vec::new();
        for _ in 0..3 {
            gather(&mut problems, vec![problem(1), problem(2), problem(1)]);
        }
        assert_eq!(problems, [problem(1), problem(2)]);
        gather(&mut problems, (0..1000).map(problem).collect());
        assert_eq!(problems.len(), KEPT);
    }
}
