//! No standard library and no C runtime: kernel32 alone. Nobody formats numbers for us any more.
#![no_std]
#![no_main]

use core::ffi::c_void;
use core::ptr::null_mut;

#[link(name = "kernel32")]
unsafe extern "system" {
    fn ExitProcess(status: u32) -> !;
    fn GetCurrentProcessId() -> u32;
    fn GetStdHandle(which: u32) -> *mut c_void;
    fn WriteFile(
        file: *mut c_void,
        text: *const u8,
        length: u32,
        written: *mut u32,
        overlapped: *mut c_void,
    ) -> i32;
}

const STD_OUTPUT_HANDLE: u32 = -11i32 as u32;

#[unsafe(no_mangle)]
extern "system" fn start() -> ! {
    let mut line = *b"Hello, world from process           \n";
    // SAFETY: no arguments.
    let mut id = unsafe { GetCurrentProcessId() };
    for digit in line[26..36].iter_mut().rev() {
        *digit = b'0' + (id % 10) as u8;
        id /= 10;
        if id == 0 {
            break;
        }
    }
    let mut written = 0;
    // SAFETY: no pointers.
    let output = unsafe { GetStdHandle(STD_OUTPUT_HANDLE) };
    // SAFETY: the line is readable for its length.
    unsafe {
        WriteFile(
            output,
            line.as_ptr(),
            line.len() as u32,
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
