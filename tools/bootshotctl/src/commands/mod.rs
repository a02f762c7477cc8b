//! One module for each subcommand: `Args` and `run`.

pub mod check;
