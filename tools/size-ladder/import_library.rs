//! `sprintf_s` as an import like any other, through `ntdll-lib`.
#![no_std]
#![no_main]

use core::ffi::{c_char, c_int, c_void};
use core::ptr::null_mut;

// ANCHOR: import
#[link(name = "ntdll")]
unsafe extern "C" {
    fn sprintf_s(to: *mut c_char, size: usize, format: *const c_char, ...) -> c_int;
}
// ANCHOR_END: import

#[link(name = "kernel32")]
unsafe extern "system" {
    fn ExitProcess(status: u32) -> !;
    fn GetCurrentProcessId() -> u32;
    fn GetStdHandle(which: u32) -> *mut c_void;
    fn WriteFile(
        file: *mut c_void,
        text: *const c_char,
        length: u32,
        written: *mut u32,
        overlapped: *mut c_void,
    ) -> i32;
}

const STD_OUTPUT_HANDLE: u32 = -11i32 as u32;

#[unsafe(no_mangle)]
extern "system" fn start() -> ! {
    let mut line = [0; 64];
    // SAFETY: no arguments.
    let id = unsafe { GetCurrentProcessId() };
    // SAFETY: the arguments are those of the format, and the line has room for any number.
    let length = unsafe {
        sprintf_s(
            line.as_mut_ptr(),
            line.len(),
            c"Hello, world from process %u\n".as_ptr(),
            id,
        )
    };
    let mut written = 0;
    // SAFETY: no pointers.
    let output = unsafe { GetStdHandle(STD_OUTPUT_HANDLE) };
    // SAFETY: the line is readable for its length.
    unsafe {
        WriteFile(
            output,
            line.as_ptr(),
            length as u32,
            &mut written,
            null_mut(),
        )
    };
    // SAFETY: it does not return.
    unsafe { ExitProcess(0) }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
