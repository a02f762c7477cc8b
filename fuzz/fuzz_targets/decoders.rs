//! Every payload decoder on any bytes, at any address, of either pointer width.
#![no_main]

use arbitrary::Arbitrary;
use bootshot_fuzz::questions::decode;
use bootshot_reader::layout::PointerWidth;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    decoder: u8,
    wide: bool,
    address: u64,
    bytes: &'a [u8],
}

fuzz_target!(|input: Input<'_>| {
    let width = if input.wide {
        PointerWidth::Bits64
    } else {
        PointerWidth::Bits32
    };
    decode(input.decoder.into(), input.bytes, input.address, width);
});
