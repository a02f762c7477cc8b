//! Turns the bytes of a .bshot snapshot into typed records.
//!
//! ```no_run
//! let file = std::fs::read("00000001-20260102T030405Z-bootexecute.bshot")?;
//! let snapshot = bootshot_reader::Snapshot::parse(&file)?;
//! let processes = snapshot.processes();
//! for process in &processes.value {
//!     println!("{} {}", process.pid, process.image.as_deref().unwrap_or("?"));
//! }
//! for problem in snapshot.problems.iter().chain(&processes.problems) {
//!     eprintln!("{problem}");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Three layers, each usable by itself: [`layout`] reads single fields of kernel structures from bytes of either
//! pointer width; [`decode`] turns one answer of the kernel into entries; [`Snapshot`] takes a file apart, and joins
//! and names what is in it ([`records`]). No input makes any of them panic, loop, or allocate more than a small
//! multiple of its size: what is malformed becomes a [`Problem`] with an offset, and the rest is read.
//!
//! Problems stand in two places, and only both together tell whether something is missing. What is wrong with the file is in
//! [`Snapshot::problems`]: no damaged section is interpreted, and a record that lacks its answers does not repeat it. What
//! is wrong with the answers that a record was read from is in [`records::Reading::problems`].
//!
//! What no record tells is in the answers themselves. The words of the format that they are asked for by and described with
//! ([`Source`], [`Family`], [`Outcome`] and those in [`Header`], [`SectionBegin`], [`SectionEnd`] and [`Trailer`]) can be named
//! from here; `docs/format.md` explains them:
//!
//! ```no_run
//! # let file = Vec::new();
//! use bootshot_reader::{Outcome, Snapshot, Source};
//!
//! let snapshot = Snapshot::parse(&file)?;
//! for answer in snapshot.answers_from(Source::REGISTRY_VALUE) {
//!     if answer.outcome == Outcome::COMPLETE {
//!         println!("{} {}: {} bytes", answer.name(), answer.value_name(), answer.bytes.len());
//!     }
//! }
//! # Ok::<(), bootshot_reader::ReadError>(())
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod decode;
pub mod diff;
mod error;
pub mod layout;
pub mod names;
mod payload;
pub mod records;
pub mod redact;
pub mod salvage;
mod snapshot;
mod structures;
pub mod tables;
mod value;
pub mod verify;

// What stands in signatures and fields of this crate, so that its users need no other.
pub use bootshot_format::{
    Encoding, Family, FinishedBy, Header, Item, ItemHeader, ObjectKind, Outcome, Phase,
    PhaseSource, Presence, SectionBegin, SectionEnd, Source, Trailer,
};
pub use error::{Problem, ReadError};
pub use payload::Payload;
pub use snapshot::{Answer, Completeness, Condition, Section, Snapshot};
pub use value::{Hex, Time};
