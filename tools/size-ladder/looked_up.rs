//! `sprintf_s` from ntdll, which every process has: looked up at run time, since the usual import library does not name it.
#![no_std]
#![no_main]

use core::ffi::{c_char, c_int, c_void};
use core::mem::transmute;
use core::ptr::null_mut;

#[link(name = "kernel32")]
unsafe extern "system" {
    fn ExitProcess(status: u32) -> !;
    fn GetCurrentProcessId() -> u32;
    fn GetModuleHandleA(name: *const c_char) -> *mut c_void;
    fn GetProcAddress(module: *mut c_void, name: *const c_char) -> *mut c_void;
    fn GetStdHandle(which: u32) -> *mut c_void;
    fn WriteFile(
        file: *mut c_void,
        text: *const c_char,
        length: u32,
        written: *mut u32,
        overlapped: *mut c_void,
    ) -> i32;
}

type SprintfS = unsafe extern "C" fn(*mut c_char, usize, *const c_char, ...) -> c_int;

const STD_OUTPUT_HANDLE: u32 = -11i32 as u32;

#[unsafe(no_mangle)]
extern "system" fn start() -> ! {
    // ANCHOR: lookup
    // SAFETY: the name ends with a zero.
    let ntdll = unsafe { GetModuleHandleA(c"ntdll.dll".as_ptr()) };
    // SAFETY: as above; the module is loaded in every process.
    let place = unsafe { GetProcAddress(ntdll, c"sprintf_s".as_ptr()) };
    // SAFETY: the export of that name has this signature since Windows 7.
    let sprintf_s: SprintfS = unsafe { transmute(place) };
    // ANCHOR_END: lookup
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
