//! Class 22 of `NtQuerySystemInformation`: the kernel's pools by the tags of their allocations.

use super::buffer::Buffer;
use crate::error::Problem;
use crate::layout::structures::{SYSTEM_POOLTAG, SYSTEM_POOLTAG_INFORMATION};
use crate::layout::{Structure, View};

/// The tags in an answer; when there are fewer than it says, what is there and a problem.
pub fn pool_tags<'a>(
    buffer: &Buffer<'a>,
    problems: &mut Vec<Problem>,
) -> Vec<View<'a, SYSTEM_POOLTAG>> {
    use SYSTEM_POOLTAG_INFORMATION as Information;

    let width = buffer.width();
    let start = Information::TagInfo.offset.at(width);
    let Some(view) = buffer.expect::<Information>(0, start, problems) else {
        return Vec::new();
    };
    let count = view.get(Information::Count).unwrap_or_default() as usize;
    let entries = buffer
        .from(start)
        .chunks_exact(SYSTEM_POOLTAG::SIZE.at(width));
    if entries.len() < count {
        problems.push(Problem::new(
            "SYSTEM_POOLTAG_INFORMATION.Count",
            0,
            format!("{count} tags"),
            format!("room for {}", entries.len()),
        ));
    }
    entries
        .take(count)
        .map(|bytes| View::new(bytes, width))
        .collect()
}
