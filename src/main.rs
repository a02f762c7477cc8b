//! The native executable: where smss lands.
#![no_std]
#![no_main]

use bootshot::boot;
use bootshot::console::Console;
use bootshot::nt::Status;
use bootshot::nt::real::{Nt, terminate_process};
use bootshot::own::Own;
use bootshot::text::Line;
use core::panic::{Location, PanicInfo};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use ufmt::uwrite;

/// For the panic handler, which gets nothing else to go by.
static PEB: AtomicU64 = AtomicU64::new(0);

/// The entry point. The loader has mapped ntdll and nothing else; `peb` is all we are given, and returning would crash.
#[unsafe(no_mangle)]
pub extern "system" fn NtProcessStartup(peb: usize) -> ! {
    PEB.store(peb as u64, Ordering::Relaxed);
    terminate_process(boot::run(Nt, peb as u64))
}

/// `STATUS_STACK_BUFFER_OVERRUN`, which Windows itself uses for fail-fast exits.
const PANICKED: Status = Status::new(0xC000_0409);

/// Hands on the place and nothing else: formatting the message would link `core::fmt` in. Only when this is inlined into
/// the one function that calls it does the linker's optimizer see that no message is needed, and rustc passes the
/// attribute on although it warns that it might not.
#[panic_handler]
#[allow(unused_attributes)]
#[inline(always)]
fn panic(info: &PanicInfo<'_>) -> ! {
    end_panicking(info.location())
}

/// Says where, and ends the process.
#[inline(never)]
fn end_panicking(place: Option<&Location<'_>>) -> ! {
    static PANICKING: AtomicBool = AtomicBool::new(false);
    if !PANICKING.swap(true, Ordering::Relaxed) {
        let mut line = Line::default();
        line.text("bootshot: panic at ");
        if let Some(place) = place {
            line.text(place.file());
            let _ = uwrite!(line, ":{}", u64::from(place.line()));
        }
        let own = Own::read(Nt, PEB.load(Ordering::Relaxed));
        Console::new(Nt, own.standard_output).say(&line);
    }
    terminate_process(PANICKED)
}

/// The compiler's mark that floating point is used, which a CRT would define.
#[unsafe(no_mangle)]
static _fltused: u32 = 0;
