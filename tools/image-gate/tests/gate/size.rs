//! What an image takes in memory, and how far that may grow.

use image_gate::{Machine, Rule, describe, outgrown, virtual_size};

use crate::fixture::Fixture;

#[test]
fn the_size_is_that_of_all_sections_in_memory() {
    for machine in Machine::ALL {
        let image = Fixture::native(machine).build().bytes;
        let sections = describe(&image).unwrap().sections;
        let expected: u64 = sections
            .iter()
            .map(|section| u64::from(section.virtual_size))
            .sum();
        assert_eq!(virtual_size(&image), Ok(expected));
        assert_ne!(expected, 0);
    }
    assert!(virtual_size(b"MZ").is_err());
}

#[test]
fn two_percent_more_than_recorded_is_allowed_and_no_byte_beyond() {
    for (recorded, largest) in [(10_000, 10_200), (51_234, 52_258), (49, 49), (0, 0)] {
        assert_eq!(outgrown(largest, recorded), None, "{recorded}");
        let finding = outgrown(largest + 1, recorded).unwrap();
        assert_eq!(finding.rule, Rule::SIZE_BUDGET);
        assert!(finding.message.contains(&recorded.to_string()));
    }
    assert_eq!(outgrown(1, 10_000), None);
}
