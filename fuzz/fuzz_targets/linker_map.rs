//! The reader of linker maps.
#![no_main]

use bootshot_fuzz::images::IMAGE;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|map: &str| {
    IMAGE.ask("forbidden_symbols", map.len(), || {
        image_gate::forbidden_symbols(map)
    });
});
