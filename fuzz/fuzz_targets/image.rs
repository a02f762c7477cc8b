//! The PE reader of `check`.
#![no_main]

use bootshot_fuzz::images::IMAGE;
use image_gate::{Machine, Policy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|image: &[u8]| {
    for policy in [Policy::native(None), Policy::bootshot(Machine::X64)] {
        let _ = IMAGE.ask("check", image.len(), || image_gate::check(image, &policy));
    }
    let _ = IMAGE.ask("describe", image.len(), || image_gate::describe(image));
});
