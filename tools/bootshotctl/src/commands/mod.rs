//! One module for each subcommand: `Args` and `run`.

pub mod check;
pub mod install;
pub mod run;
pub mod simulate_boot;
pub mod status;
pub mod uninstall;
