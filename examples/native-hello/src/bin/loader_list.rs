//! An exercise of the book: the modules of this process, in the order in which the loader mapped them.
#![no_std]
#![no_main]

use core::ffi::{c_char, c_int};
use core::mem::MaybeUninit;
use core::ptr::null_mut;
use ntapi::winapi::shared::ntdef::HANDLE;
use ntapi::{ntioapi, ntldr::LDR_DATA_TABLE_ENTRY, ntpebteb::PEB, ntpsapi};

#[link(name = "ntdll")]
unsafe extern "C" {
    fn sprintf_s(to: *mut c_char, size: usize, format: *const c_char, ...) -> c_int;
}

// ANCHOR: walk
#[unsafe(no_mangle)]
extern "system" fn NtProcessStartup(peb: &PEB) -> ! {
    // SAFETY: the loader has filled it in, and no other thread of ours loads anything.
    let loader = unsafe { &*peb.Ldr };
    // SAFETY: whoever started us has filled the parameters in, and nobody changes them.
    let parameters = unsafe { &*peb.ProcessParameters };
    let head = &raw const loader.InLoadOrderModuleList;
    let mut link = loader.InLoadOrderModuleList.Flink.cast_const();
    while link != head {
        // The link is the first field of an entry, so its address is the entry's.
        // SAFETY: the list is circular, and all but its head are entries.
        let module = unsafe { &*link.cast::<LDR_DATA_TABLE_ENTRY>() };
        show(parameters.StandardOutput, module);
        link = module.InLoadOrderLinks.Flink;
    }
    loop {
        // SAFETY: it is our own process.
        unsafe { ntpsapi::NtTerminateProcess(ntpsapi::NtCurrentProcess, 0) };
    }
}
// ANCHOR_END: walk

/// A line for a module: where it is mapped, how many bytes it takes there, and its name.
fn show(output: HANDLE, module: &LDR_DATA_TABLE_ENTRY) {
    let (name, format) = (&module.BaseDllName, c"%p %8x %.*S\n".as_ptr());
    let (base, size) = (module.DllBase, module.SizeOfImage);
    let count = u32::from(name.Length.min(200) / 2);
    let mut line = [0; 256];
    let (to, room) = (line.as_mut_ptr(), line.len());
    // SAFETY: the arguments are those of the format, and the line has room for as many characters.
    let length = unsafe { sprintf_s(to, room, format, base, size, count, name.Buffer) };
    let (text, length) = (to.cast(), u32::try_from(length).unwrap_or(0));
    let (mut io, none, at) = (MaybeUninit::uninit(), null_mut(), null_mut());
    let (io, key) = (io.as_mut_ptr(), null_mut());
    // SAFETY: the text is readable for its length, and `io` is there until a launcher's synchronous handle is done.
    unsafe { ntioapi::NtWriteFile(output, none, None, none, io, text, length, at, key) };
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
