//! One module for each subcommand: `Args` and `run`.

pub mod boot;
pub mod check;
pub mod completions;
pub mod diff;
pub mod drivers;
pub mod explore;
pub mod export;
pub mod handles;
pub mod install;
pub mod jobs;
pub mod list;
pub mod man;
pub mod memory;
pub mod modules;
pub mod namespace;
pub mod objects;
pub mod peb;
pub mod processes;
pub mod raw;
pub mod redact;
pub mod registry;
pub mod report;
pub mod run;
pub mod salvage;
pub mod simulate_boot;
pub mod status;
#[cfg(test)]
mod steps;
pub mod summary;
pub mod symlinks;
pub mod threads;
pub mod types;
pub mod undo_script;
pub mod uninstall;
pub mod verify;
pub mod wfp;
pub mod zombies;
