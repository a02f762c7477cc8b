//! The native program with everything squeezed: buffers that nobody clears, and the tightest layout the loader takes
//! (`build.rs`).
#![no_std]
#![no_main]

use core::ffi::{c_char, c_int};
use core::mem::MaybeUninit;

#[link(name = "ntdll")]
unsafe extern "C" {
    fn sprintf_s(to: *mut u8, size: usize, format: *const c_char, ...) -> c_int;
}

#[link(name = "ntdll")]
unsafe extern "system" {
    fn NtDisplayString(text: *const UnicodeString) -> i32;
    fn NtTerminateProcess(process: isize, status: i32) -> !;
}

/// `UNICODE_STRING`.
#[repr(C)]
struct UnicodeString {
    length: u16,
    maximum_length: u16,
    buffer: *const u16,
}

// ANCHOR: start
#[unsafe(no_mangle)]
extern "system" fn start() -> ! {
    let mut text = MaybeUninit::<[u16; 64]>::uninit();
    let place = text.as_mut_ptr().cast::<u16>();
    // The narrow text goes to the end of the buffer, and is widened from its start into the start of the buffer.
    let narrow = place.wrapping_add(32).cast::<u8>();
    let id: u32;
    // SAFETY: in user mode gs points to the TEB, which is always readable; this is TEB.ClientId.UniqueProcess.
    unsafe {
        core::arch::asm!("mov {id:e}, gs:[0x40]", id = out(reg) id, options(nostack, readonly))
    };
    // SAFETY: the arguments are those of the format, and 64 bytes have room for any number.
    let length = unsafe { sprintf_s(narrow, 64, c"Hello, world from process %u\n".as_ptr(), id) };
    for index in 0..length as usize {
        // SAFETY: `sprintf_s` has written as many bytes there.
        let byte = unsafe { narrow.add(index).read() };
        // SAFETY: fewer than 64 units; a unit never reaches a byte that is still to be read.
        unsafe { place.add(index).write(byte.into()) };
    }
    let length = length as u16 * 2;
    let text = UnicodeString {
        length,
        maximum_length: length,
        buffer: place,
    };
    // SAFETY: the text is readable for its length.
    unsafe { NtDisplayString(&text) };
    // SAFETY: -1 is the current process, for which the call does not return.
    unsafe { NtTerminateProcess(-1, 0) }
}
// ANCHOR_END: start

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
