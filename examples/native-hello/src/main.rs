//! A native application to start from: it says who it is and how it was started, and ends.
#![no_std]
#![no_main]

use core::ffi::{c_char, c_int};
use core::mem::MaybeUninit;
use core::ptr::null_mut;
use ntapi::winapi::shared::ntdef::UNICODE_STRING;
use ntapi::{ntexapi, ntioapi, ntpebteb::PEB, ntpsapi};

#[link(name = "ntdll")]
unsafe extern "C" {
    fn sprintf_s(to: *mut c_char, size: usize, format: *const c_char, ...) -> c_int;
}

/// Characters of the command line that are shown: `sprintf_s` ends the process when the line does not fit.
const SHOWN: u16 = 200;

#[unsafe(no_mangle)]
extern "system" fn NtProcessStartup(peb: &PEB) -> ! {
    // SAFETY: whoever started us has filled the parameters in, and nobody changes them.
    let parameters = unsafe { &*peb.ProcessParameters };
    let command = &parameters.CommandLine;
    let (count, format) = (command.Length / 2, c"Hello from '%.*S': no csrss needed\n");
    let mut line = [0; 512];
    let (to, room, count) = (line.as_mut_ptr(), line.len(), u32::from(count.min(SHOWN)));
    // SAFETY: the arguments are those of the format, and the line has room for as many characters.
    let length = unsafe { sprintf_s(to, room, format.as_ptr(), count, command.Buffer) };
    let length = usize::try_from(length).unwrap_or(0);

    // The boot screen, which needs SeTcbPrivilege: LocalSystem has it, a launcher's user has not.
    let mut wide = line.map(|character| character as u16);
    let mut text = UNICODE_STRING {
        Length: length as u16 * 2,
        MaximumLength: length as u16 * 2,
        Buffer: wide.as_mut_ptr(),
    };
    // SAFETY: the text is readable for its length.
    unsafe { ntexapi::NtDisplayString(&mut text) };

    // What a launcher gave us to write to; smss gives nothing, and then this fails and nobody minds.
    let (output, text) = (parameters.StandardOutput, line.as_mut_ptr().cast());
    let (mut io, none, at) = (MaybeUninit::uninit(), null_mut(), null_mut());
    let (io, key, length) = (io.as_mut_ptr(), null_mut(), length as u32);
    // SAFETY: the text is readable for its length, and `io` is there until a launcher's synchronous handle is done.
    unsafe { ntioapi::NtWriteFile(output, none, None, none, io, text, length, at, key) };
    loop {
        // SAFETY: it is our own process. Returning instead would crash: there is nobody to return to.
        unsafe { ntpsapi::NtTerminateProcess(ntpsapi::NtCurrentProcess, 0) };
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
