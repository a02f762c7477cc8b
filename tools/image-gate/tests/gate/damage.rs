//! Damaged files are judged, never trusted, and never make the gate panic.

use image_gate::{Machine, Policy, check, describe};

use crate::fixture::Fixture;

#[test]
fn bytes_that_are_no_image_are_an_error() {
    let policy = Policy::native(None);
    for bytes in [&b""[..], b"MZ", b"\x7fELF\x02\x01\x01", &[0; 4096]] {
        let error = check(bytes, &policy).unwrap_err();
        assert!(error.to_string().starts_with("not a PE executable image: "));
        assert_eq!(describe(bytes), Err(error));
    }
}

#[test]
fn no_truncated_image_is_fit() {
    let policy = Policy::native(None);
    for machine in Machine::ALL {
        let image = Fixture::native(machine).build().bytes;
        for length in 0..image.len() {
            let truncated = &image[..length];
            assert_ne!(check(truncated, &policy), Ok(vec![]), "{length} bytes");
            let _ = describe(truncated);
        }
    }
}

#[test]
fn no_changed_bit_makes_the_gate_panic() {
    let policy = Policy::native(None);
    for machine in [Machine::X86, Machine::X64] {
        let mut image = Fixture::native(machine).build().bytes;
        for bit in 0..image.len() * 8 {
            image[bit / 8] ^= 1 << (bit % 8);
            let _ = check(&image, &policy);
            let _ = describe(&image);
            image[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
