//! bootshot.exe: photographs a Windows system at the earliest moment user-mode code can run.
//!
//! The boot side copies, the desk side interprets: this crate asks the kernel and stores what it says. [`boot`] is the
//! story of one run; [`capture`] has a file for each family of questions; [`output`] knows files; [`nt`] is the only
//! place that touches the system, and the only one with unsafe code.
#![cfg_attr(not(any(test, feature = "simulate")), no_std)]
#![deny(unsafe_code)]

pub mod args;
pub mod boot;
pub mod capture;
pub mod console;
#[allow(unsafe_code)]
pub mod nt;
pub mod output;
pub mod own;
pub mod path;
pub mod report;
pub mod shelf;
pub mod text;
pub mod time;
pub mod trust;
pub mod unregister;
