//! The entry point is given the PEB: image path, command line and output handle are in it, and kernel32 is not needed for
//! them. Only for x86_64, whose offsets these are.
#![no_std]
#![no_main]

use core::ffi::{c_char, c_int, c_void};
use core::ptr::null_mut;

// On x86_64 "C" and "system" are one calling convention.
#[link(name = "ntdll")]
unsafe extern "C" {
    fn NtTerminateProcess(process: isize, status: i32) -> !;
    fn NtWriteFile(
        file: *mut c_void,
        event: *mut c_void,
        routine: *mut c_void,
        context: *mut c_void,
        io: *mut [usize; 2],
        text: *const c_char,
        length: u32,
        offset: *mut i64,
        key: *mut u32,
    ) -> i32;
    fn sprintf_s(to: *mut c_char, size: usize, format: *const c_char, ...) -> c_int;
}

// ANCHOR: structures
/// `UNICODE_STRING`.
#[repr(C)]
struct UnicodeString {
    length: u16,
    maximum_length: u16,
    buffer: *const u16,
}

/// The start of `RTL_USER_PROCESS_PARAMETERS`.
#[repr(C)]
struct ProcessParameters {
    before: [u8; 0x28],
    standard_output: *mut c_void,
    between: [u8; 0x30],
    image_path_name: UnicodeString,
    command_line: UnicodeString,
}

/// The start of `PEB`.
#[repr(C)]
struct Peb {
    before: [u8; 0x20],
    process_parameters: *const ProcessParameters,
}
// ANCHOR_END: structures

/// `%.*S` takes a count of characters and UTF-16 text.
const FORMAT: *const c_char =
    c"Hello, world from process %u\n  image   %.*S\n  command %.*S\n".as_ptr();

// ANCHOR: start
#[unsafe(no_mangle)]
extern "system" fn start(peb: &Peb) -> ! {
    // SAFETY: the loader has filled it in, and nobody changes it meanwhile.
    let parameters = unsafe { &*peb.process_parameters };
    let (image, command) = (&parameters.image_path_name, &parameters.command_line);
    let mut text = [0; 1024];
    let id: u32;
    // SAFETY: in user mode gs points to the TEB, which is always readable; this is TEB.ClientId.UniqueProcess.
    unsafe {
        core::arch::asm!("mov {id:e}, gs:[0x40]", id = out(reg) id, options(nostack, readonly))
    };
    // SAFETY: the arguments are those of the format; what does not fit ends the process.
    let length = unsafe {
        sprintf_s(
            text.as_mut_ptr(),
            text.len(),
            FORMAT,
            id,
            u32::from(image.length / 2),
            image.buffer,
            u32::from(command.length / 2),
            command.buffer,
        )
    };
    let mut io = [0; 2];
    // SAFETY: the text is readable for its length, and `io` outlives the call: the handle is synchronous.
    unsafe {
        NtWriteFile(
            parameters.standard_output,
            null_mut(),
            null_mut(),
            null_mut(),
            &mut io,
            text.as_ptr(),
            length as u32,
            null_mut(),
            null_mut(),
        )
    };
    // SAFETY: -1 is the current process, for which the call does not return.
    unsafe { NtTerminateProcess(-1, 0) }
}
// ANCHOR_END: start

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
