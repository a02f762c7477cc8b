//! Compares our structure layouts with `phnt`'s, while it is compiled.
//!
//! There is nothing to run: each comparison is a constant that does not evaluate when it fails, so that
//! `cargo check --target <architecture>-pc-windows-msvc` is the whole check. `phnt` 0.1.2 carries bindings that
//! bindgen generated for x86, x86-64 and arm64 each, so every architecture is compared with its own headers. On
//! other systems than Windows the crate is empty.
#![cfg(windows)]

use bootshot_reader::layout::ByWidth;

/// The value for the architecture that is being compiled.
const fn here(value: ByWidth) -> usize {
    if size_of::<usize>() == 4 {
        value.bits32
    } else {
        value.bits64
    }
}

/// Bytes of the field a projection points at. The projection is never called.
const fn size_of_field<S, F>(_: fn(*const S) -> *const F) -> usize {
    size_of::<F>()
}

mod executable;
mod reader;
