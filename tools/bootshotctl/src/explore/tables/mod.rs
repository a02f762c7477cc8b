//! What the columns of each kind of record are.

mod handles;
mod objects;
mod processes;
pub mod registry;

pub use handles::handles;
pub use objects::{Entry, entries, objects};
pub use processes::processes;
