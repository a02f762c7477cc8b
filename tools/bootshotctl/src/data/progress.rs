//! How far long work is.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error where that is a terminal, for more snapshots than one.
pub fn of_snapshots(count: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} snapshots, {eta} left");
    match style {
        Ok(style) if count > 1 => ProgressBar::new(count as u64).with_style(style),
        _ => ProgressBar::hidden(),
    }
}
