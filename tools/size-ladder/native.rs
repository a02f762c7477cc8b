//! The native subsystem: no kernel32, no console, no csrss. smss can run this before anything else is there.
#![no_std]
#![no_main]

use core::ffi::{c_char, c_int};

#[link(name = "ntdll")]
unsafe extern "C" {
    fn sprintf_s(to: *mut c_char, size: usize, format: *const c_char, ...) -> c_int;
}

#[link(name = "ntdll")]
unsafe extern "system" {
    fn NtDisplayString(text: *const UnicodeString) -> i32;
    fn NtTerminateProcess(process: isize, status: i32) -> i32;
}

/// `UNICODE_STRING`.
#[repr(C)]
struct UnicodeString {
    length: u16,
    maximum_length: u16,
    buffer: *const u16,
}

/// `TEB.ClientId.UniqueProcess`.
fn process_id() -> u32 {
    let id: u32;
    // SAFETY: in user mode gs points to the TEB, which is always readable.
    unsafe {
        core::arch::asm!("mov {id:e}, gs:[0x40]", id = out(reg) id, options(nostack, readonly))
    };
    id
}

// ANCHOR: start
#[unsafe(no_mangle)]
extern "system" fn start() -> ! {
    let mut line = [0; 64];
    // SAFETY: the arguments are those of the format, and the line has room for any number.
    let length = unsafe {
        sprintf_s(
            line.as_mut_ptr(),
            line.len(),
            c"Hello, world from process %u\n".as_ptr(),
            process_id(),
        )
    };
    let mut wide = [0; 64];
    for (unit, byte) in wide.iter_mut().zip(line) {
        *unit = byte as u16;
    }
    let length = length as u16 * 2;
    let text = UnicodeString {
        length,
        maximum_length: length,
        buffer: wide.as_ptr(),
    };
    // SAFETY: the text is readable for its length.
    unsafe { NtDisplayString(&text) };
    loop {
        // SAFETY: -1 is the current process; it does not return.
        unsafe { NtTerminateProcess(-1, 0) };
    }
}
// ANCHOR_END: start

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
