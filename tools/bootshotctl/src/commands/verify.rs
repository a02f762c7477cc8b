//! `verify`: whether snapshots are as they were written, and whether what they say agrees with itself.

use std::fs;
use std::path::PathBuf;

use bootshot_reader::verify::{Finding, Note, Verification, verify};
use bootshot_reader::{Problem, ReadError};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{Error, Outcome};
use crate::output::{self, Align, Pairs, Table};
use crate::reading::unreadable;
use crate::shown;

/// Arguments of `verify`.
#[derive(clap::Args)]
#[command(after_help = "Example: bootshotctl verify D:\\evidence\\*.bshot")]
pub struct Args {
    /// The snapshots
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What came of one file.
#[derive(Serialize)]
struct Verified {
    file: String,
    /// SHA-256 of the file, in hexadecimal.
    sha256: String,
    /// Everything is as it was written.
    sound: bool,
    /// Why the file cannot be read as a snapshot at all.
    error: Option<String>,
    damage: Vec<Problem>,
    findings: Vec<Finding>,
    notes: Vec<Note>,
}

impl Verified {
    fn new(file: String, bytes: &[u8], verified: Result<Verification, ReadError>) -> Self {
        let sha256 = Sha256::digest(bytes);
        let error = verified.as_ref().err().map(ReadError::to_string);
        let Verification {
            damage,
            findings,
            notes,
        } = verified.unwrap_or_default();
        Self {
            file,
            sha256: sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
            sound: error.is_none() && damage.is_empty(),
            error,
            damage,
            findings,
            notes,
        }
    }

    fn print(&self) -> Result<(), Error> {
        let mut pairs = Pairs::default();
        pairs.add("file", self.file.clone());
        pairs.add("SHA-256", self.sha256.clone());
        let state = match (&self.error, self.damage.len()) {
            (Some(error), _) => error.clone(),
            (None, 0) => "sound".to_owned(),
            (None, count) => format!("not sound, {}", shown::count(count, "reason", "reasons")),
        };
        pairs.add("state", state);
        for problem in &self.damage {
            pairs.add("", problem.to_string());
        }
        if self.error.is_none() {
            pairs.add("findings", self.findings.len().to_string());
        }
        for note in &self.notes {
            pairs.add("note", note.text.clone());
        }
        pairs.print()?;
        if self.findings.is_empty() {
            return Ok(());
        }
        output::line("")?;
        let mut table = Table::new(&[
            ("FINDING", Align::Left),
            ("SECTIONS", Align::Left),
            ("SUBJECT", Align::Left),
            ("OBSERVATION", Align::Left),
        ]);
        for finding in &self.findings {
            let sections: Vec<_> = finding.sections.iter().map(u32::to_string).collect();
            let sections = (!sections.is_empty()).then(|| sections.join(", "));
            table.row([
                finding.id.to_owned(),
                shown::optional(sections),
                finding.subject.clone(),
                finding.observation.clone(),
            ]);
        }
        table.print()
    }
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let mut all: Vec<Verified> = Vec::new();
    let mut failed = None;
    let mut fail = |error: Error| {
        // The last one is said at the end.
        if let Some(earlier) = failed.replace(error) {
            output::warn(earlier.to_string());
        }
    };
    let mut outcome = Outcome::Done;
    for path in &args.files {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                fail(unreadable(path, &error));
                continue;
            }
        };
        let verified = verify(&bytes);
        if let Err(error) = &verified
            && !matches!(error, ReadError::DamagedHeader | ReadError::CutShort { .. })
        {
            fail(Error::failed(format!("cannot read {}", path.display())).because(error));
        }
        let verified = Verified::new(path.display().to_string(), &bytes, verified);
        if !verified.sound || !verified.findings.is_empty() {
            outcome = Outcome::No;
        }
        if !args.json {
            if !all.is_empty() {
                output::line("")?;
            }
            verified.print()?;
        }
        all.push(verified);
    }
    if args.json {
        output::json(&all)?;
    }
    failed.map_or(Ok(outcome), Err)
}
