//! Where the system is installed, on what machine, and which boot it is in.

use std::ffi::{CStr, OsString, c_void};
use std::io;
use std::mem;
use std::os::windows::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::ptr;

use ntapi::ntexapi::{SYSTEM_TIMEOFDAY_INFORMATION, USER_SHARED_DATA};
use windows_sys::Wdk::System::SystemInformation::NtQuerySystemInformation;
use windows_sys::Win32::Foundation::{FARPROC, HANDLE, MAX_PATH};
use windows_sys::Win32::Storage::FileSystem::{
    MOVEFILE_REPLACE_EXISTING, MOVEFILE_WRITE_THROUGH, MoveFileExW, Wow64DisableWow64FsRedirection,
    Wow64RevertWow64FsRedirection,
};
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::Win32::System::SystemInformation::{
    GetNativeSystemInfo, GetSystemWindowsDirectoryW, IMAGE_FILE_MACHINE, IMAGE_FILE_MACHINE_AMD64,
    IMAGE_FILE_MACHINE_ARM64, IMAGE_FILE_MACHINE_I386, IMAGE_FILE_MACHINE_UNKNOWN,
    PROCESSOR_ARCHITECTURE_AMD64, PROCESSOR_ARCHITECTURE_ARM64, PROCESSOR_ARCHITECTURE_INTEL,
    SYSTEM_INFO,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, IsWow64Process};
use windows_sys::core::BOOL;

use super::wide;
use crate::error::Error;
use crate::image::Machine;
use crate::ntstatus::NtStatus;
use crate::system::Boot;

/// `SystemTimeOfDayInformation`.
const SYSTEM_TIME_OF_DAY_INFORMATION: i32 = 3;

/// The directory `\SystemRoot` stands for; not `GetWindowsDirectory`, which may be one for each user of a terminal server.
pub fn directory() -> Result<PathBuf, Error> {
    let mut path = [0u16; MAX_PATH as usize];
    // SAFETY: `path` has room for as many units as are said.
    let length = unsafe { GetSystemWindowsDirectoryW(path.as_mut_ptr(), path.len() as u32) };
    match path.get(..length as usize) {
        Some(path) if !path.is_empty() => Ok(OsString::from_wide(path).into()),
        _ => {
            Err(Error::failed("cannot find the Windows directory")
                .because(io::Error::last_os_error()))
        }
    }
}

/// The machine of the installation, whatever this process is made for.
pub fn machine() -> Result<Machine, Error> {
    let unsupported = |number: u16| {
        Error::failed("bootshot has no image for this system")
            .because(format!("its processor architecture is {number:#06x}"))
    };
    if let Some(machine) = native_machine() {
        return match machine {
            IMAGE_FILE_MACHINE_I386 => Ok(Machine::X86),
            IMAGE_FILE_MACHINE_AMD64 => Ok(Machine::X64),
            IMAGE_FILE_MACHINE_ARM64 => Ok(Machine::Arm64),
            other => Err(unsupported(other)),
        };
    }
    let mut info = SYSTEM_INFO::default();
    // SAFETY: `info` is a SYSTEM_INFO to write to.
    unsafe { GetNativeSystemInfo(&mut info) };
    // SAFETY: both members of the union are plain numbers.
    let architecture = unsafe { info.Anonymous.Anonymous.wProcessorArchitecture };
    match architecture {
        PROCESSOR_ARCHITECTURE_INTEL => Ok(Machine::X86),
        PROCESSOR_ARCHITECTURE_AMD64 => Ok(Machine::X64),
        PROCESSOR_ARCHITECTURE_ARM64 => Ok(Machine::Arm64),
        other => Err(unsupported(other)),
    }
}

/// What `IsWow64Process2` says, the only one to tell an x64 process that it runs on arm64. Windows has it since 10.
fn native_machine() -> Option<IMAGE_FILE_MACHINE> {
    type IsWow64Process2 =
        unsafe extern "system" fn(HANDLE, *mut IMAGE_FILE_MACHINE, *mut IMAGE_FILE_MACHINE) -> BOOL;

    let function = export("kernel32.dll", c"IsWow64Process2")?;
    // SAFETY: that is the type of the export of this name.
    let function: IsWow64Process2 = unsafe { mem::transmute(function) };
    // SAFETY: it takes nothing and returns a pseudo handle.
    let process = unsafe { GetCurrentProcess() };
    let mut of_process = IMAGE_FILE_MACHINE_UNKNOWN;
    let mut native = IMAGE_FILE_MACHINE_UNKNOWN;
    // SAFETY: both results have room.
    let answered = unsafe { function(process, &mut of_process, &mut native) };
    (answered != 0).then_some(native)
}

/// Whether this is Wine, by an export that only its ntdll has.
pub fn is_wine() -> bool {
    export("ntdll.dll", c"wine_get_version").is_some()
}

/// An export of a DLL that every process has.
fn export(dll: &str, name: &CStr) -> FARPROC {
    let dll = wide(dll);
    // SAFETY: `dll` ends with a zero.
    let module = unsafe { GetModuleHandleW(dll.as_ptr()) };
    // SAFETY: the module stays, and the name ends with a zero.
    unsafe { GetProcAddress(module, name.as_ptr().cast()) }
}

/// Whether this is a 32-bit process on a 64-bit system.
pub fn is_wow64() -> Result<bool, Error> {
    // SAFETY: it takes nothing and returns a pseudo handle.
    let process = unsafe { GetCurrentProcess() };
    let mut is_wow64 = 0;
    // SAFETY: the result has room.
    if unsafe { IsWow64Process(process, &mut is_wow64) } == 0 {
        return Err(Error::failed("cannot tell whether this is a WOW64 process")
            .because(io::Error::last_os_error()));
    }
    Ok(is_wow64 != 0)
}

/// The path below `Sysnative`, which WOW64 keeps for the real System32, of a path below System32.
pub fn past_wow64(path: &Path, windows: &Path) -> PathBuf {
    let below_system32 = path.strip_prefix(windows).ok().and_then(|path| {
        let mut components = path.components();
        let first = components.next()?.as_os_str();
        first
            .eq_ignore_ascii_case("System32")
            .then_some(components.as_path())
    });
    match below_system32 {
        Some(rest) => windows.join("Sysnative").join(rest),
        None => path.to_owned(),
    }
}

/// While it lives, this thread sees the real System32: for system calls that take NT paths, which know no `Sysnative`.
/// Keep its life short, for the loader would find the wrong DLLs too.
pub struct RedirectionOff(*mut c_void);

impl RedirectionOff {
    pub fn new() -> Self {
        let mut former = ptr::null_mut();
        // Where it fails there is no redirection to begin with.
        // SAFETY: `former` has room for the value to put back.
        unsafe { Wow64DisableWow64FsRedirection(&mut former) };
        Self(former)
    }
}

impl Drop for RedirectionOff {
    fn drop(&mut self) {
        // SAFETY: the value is the one that the disabling call gave, on the same thread: raw pointers are not Send.
        unsafe { Wow64RevertWow64FsRedirection(self.0) };
    }
}

/// Renames over whatever is there and returns when the change is on the disk.
pub fn replace_file(from: &Path, to: &Path) -> io::Result<()> {
    let (from, to) = (wide(from), wide(to));
    let flags = MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH;
    // SAFETY: both names end with a zero.
    if unsafe { MoveFileExW(from.as_ptr(), to.as_ptr(), flags) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Which boot this is.
pub fn boot() -> Result<Boot, Error> {
    let mut times = mem::MaybeUninit::<SYSTEM_TIMEOFDAY_INFORMATION>::zeroed();
    // SAFETY: the buffer has as many bytes as are said.
    let status = unsafe {
        NtQuerySystemInformation(
            SYSTEM_TIME_OF_DAY_INFORMATION,
            times.as_mut_ptr().cast(),
            mem::size_of::<SYSTEM_TIMEOFDAY_INFORMATION>() as u32,
            ptr::null_mut(),
        )
    };
    if status < 0 {
        return Err(
            Error::failed("cannot learn when this system started").because(NtStatus(status as u32))
        );
    }
    // SAFETY: zeroes are a valid value, and the system may have written over them.
    let times = unsafe { times.assume_init() };
    // SAFETY: the kernel maps this page, readable, into every process, at this address; no reference is made.
    let boot_id = unsafe { &raw const (*USER_SHARED_DATA).BootId };
    // SAFETY: as above. Volatile, for the kernel writes there.
    let id = unsafe { boot_id.read_volatile() };
    // SAFETY: the members of the union are views of the same 64 bits.
    let time = unsafe { *times.BootTime.QuadPart() };
    Ok(Boot { id, time })
}
