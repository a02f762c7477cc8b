//! Starts native programs the way smss does, through ntdll, since `CreateProcess` refuses them.

use std::io::{self, PipeReader, PipeWriter};
use std::mem::MaybeUninit;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ntapi::ntrtl::{
    PRTL_USER_PROCESS_INFORMATION, PRTL_USER_PROCESS_PARAMETERS, RTL_USER_PROC_PARAMS_NORMALIZED,
    RTL_USER_PROCESS_INFORMATION,
};
use ntapi::winapi::shared::ntdef::UNICODE_STRING;
use windows_sys::Win32::Foundation::{
    HANDLE, HANDLE_FLAG_INHERIT, OBJ_CASE_INSENSITIVE, STATUS_INSUFFICIENT_RESOURCES,
    STATUS_INVALID_IMAGE_FORMAT, STATUS_NAME_TOO_LONG, STATUS_TIMEOUT, SetHandleInformation,
    WAIT_OBJECT_0,
};
use windows_sys::Win32::System::Diagnostics::Debug::IMAGE_SUBSYSTEM_NATIVE;
use windows_sys::Win32::System::Threading::{
    GetExitCodeProcess, GetExitCodeThread, INFINITE, ResumeThread, TerminateProcess,
    WaitForSingleObject,
};

use crate::ntstatus::NtStatus;
use crate::system::{End, Program, Started, Wait};

// Linked by DLL name: import libraries for these are not on every machine that builds this program.
windows_link::link!("ntdll.dll" "system" fn RtlCreateProcessParametersEx(
    parameters: *mut PRTL_USER_PROCESS_PARAMETERS,
    image_path: *const UNICODE_STRING,
    dll_path: *const UNICODE_STRING,
    current_directory: *const UNICODE_STRING,
    command_line: *const UNICODE_STRING,
    environment: *const u16,
    window_title: *const UNICODE_STRING,
    desktop: *const UNICODE_STRING,
    shell: *const UNICODE_STRING,
    runtime_data: *const UNICODE_STRING,
    flags: u32,
) -> i32);
windows_link::link!("ntdll.dll" "system" fn RtlDestroyProcessParameters(parameters: PRTL_USER_PROCESS_PARAMETERS) -> i32);
windows_link::link!("ntdll.dll" "system" fn RtlCreateUserProcess(
    image: *const UNICODE_STRING,
    attributes: u32,
    parameters: PRTL_USER_PROCESS_PARAMETERS,
    process_security: *const core::ffi::c_void,
    thread_security: *const core::ffi::c_void,
    parent: HANDLE,
    inherit_handles: u8,
    debug_port: HANDLE,
    token: HANDLE,
    information: PRTL_USER_PROCESS_INFORMATION,
) -> i32);

/// How long a terminated process may take to be gone.
const TERMINATION: Duration = Duration::from_secs(10);

/// Starts a program and waits as it says.
pub fn start(program: &Program) -> Result<Started, NtStatus> {
    let mut parameters = Parameters::new(program)?;
    let pipe = program
        .relay_output
        .then(inheritable_pipe)
        .transpose()
        .map_err(|_| NtStatus(STATUS_INSUFFICIENT_RESOURCES as u32))?;
    if let Some((_, writer)) = &pipe {
        parameters.set_output(writer.as_raw_handle());
    }
    let process = Process::create(&Text::new(&program.image)?, &parameters, pipe.is_some())?;
    // Dropping our end for writing lets the reader see the end of the program's.
    let output = pipe.map(|(reader, _writer)| reader);

    let begin = Instant::now();
    if process.subsystem != u32::from(IMAGE_SUBSYSTEM_NATIVE) {
        process.terminate(STATUS_INVALID_IMAGE_FORMAT);
        return Ok(process.started(End::WrongSubsystem(process.subsystem), begin.elapsed()));
    }
    let relay = output.map(copy_to_standard_output);
    process.resume();
    let end = process.wait(program.wait, program.timeout);
    let elapsed = begin.elapsed();
    if let Some(relay) = relay {
        // It ends with the program. That our standard output is gone, whoever writes to it next will find out.
        let _ = relay.join();
    }
    Ok(process.started(end, elapsed))
}

/// UTF-16 that a `UNICODE_STRING` can point to.
struct Text(Vec<u16>);

impl Text {
    fn new(text: &str) -> Result<Self, NtStatus> {
        Self::from_units(text.encode_utf16().collect())
    }

    /// With a zero behind, which some receivers rely on.
    fn from_units(mut units: Vec<u16>) -> Result<Self, NtStatus> {
        units.push(0);
        match u16::try_from(units.len() * 2) {
            Ok(_) => Ok(Self(units)),
            Err(_) => Err(NtStatus(STATUS_NAME_TOO_LONG as u32)),
        }
    }

    /// Points into `self`: keep it for as long.
    fn string(&self) -> UNICODE_STRING {
        let bytes = (self.0.len() * 2) as u16;
        UNICODE_STRING {
            Length: bytes - 2,
            MaximumLength: bytes,
            Buffer: self.0.as_ptr().cast_mut(),
        }
    }
}

/// Process parameters on the heap of ntdll.
struct Parameters(PRTL_USER_PROCESS_PARAMETERS);

impl Parameters {
    fn new(program: &Program) -> Result<Self, NtStatus> {
        let optional = |text: &Option<String>| text.as_deref().map(Text::new).transpose();
        let image = Text::new(&program.image)?;
        let command_line = Text::from_units(program.command_line.clone())?;
        let directory = optional(&program.directory)?;
        let dll_path = optional(&program.dll_path)?;
        let environment = program.environment.as_deref().map(environment_block);

        let directory_string = directory.as_ref().map(Text::string);
        let dll_path_string = dll_path.as_ref().map(Text::string);
        let mut parameters = ptr::null_mut();
        // SAFETY: the strings and the block outlive the call, which copies them; null stands for "as for this process".
        let status = unsafe {
            RtlCreateProcessParametersEx(
                &mut parameters,
                &image.string(),
                pointer(&dll_path_string),
                pointer(&directory_string),
                &command_line.string(),
                environment.as_ref().map_or(ptr::null(), Vec::as_ptr),
                ptr::null(),
                ptr::null(),
                ptr::null(),
                ptr::null(),
                RTL_USER_PROC_PARAMS_NORMALIZED,
            )
        };
        check(status)?;
        let parameters = Self(parameters);
        if program.debug {
            // SAFETY: the call above made it, and nobody else knows it.
            unsafe { (*parameters.0).DebugFlags = 1 };
        }
        Ok(parameters)
    }

    /// The handle goes to the program by inheritance, under the same value.
    fn set_output(&mut self, output: HANDLE) {
        // SAFETY: it is ours and lives.
        let parameters = unsafe { &mut *self.0 };
        parameters.StandardOutput = output.cast();
        parameters.StandardError = output.cast();
    }
}

impl Drop for Parameters {
    fn drop(&mut self) {
        // SAFETY: it was made by RtlCreateProcessParametersEx.
        unsafe { RtlDestroyProcessParameters(self.0) };
    }
}

/// A process whose first thread has not run yet.
struct Process {
    process: OwnedHandle,
    thread: OwnedHandle,
    id: u32,
    subsystem: u32,
}

impl Process {
    fn create(
        image: &Text,
        parameters: &Parameters,
        inherit_handles: bool,
    ) -> Result<Self, NtStatus> {
        let mut information = MaybeUninit::<RTL_USER_PROCESS_INFORMATION>::zeroed();
        // SAFETY: all that is pointed to outlives the call; null stands for the defaults.
        let status = unsafe {
            RtlCreateUserProcess(
                &image.string(),
                OBJ_CASE_INSENSITIVE,
                parameters.0,
                ptr::null(),
                ptr::null(),
                ptr::null_mut(),
                u8::from(inherit_handles),
                ptr::null_mut(),
                ptr::null_mut(),
                information.as_mut_ptr(),
            )
        };
        check(status)?;
        // SAFETY: it is plain data, zeroed, and now filled in.
        let information = unsafe { information.assume_init() };
        Ok(Self {
            // SAFETY: the call gave us this handle to close.
            process: unsafe { OwnedHandle::from_raw_handle(information.Process.cast()) },
            // SAFETY: and this one.
            thread: unsafe { OwnedHandle::from_raw_handle(information.Thread.cast()) },
            id: information.ClientId.UniqueProcess as usize as u32,
            subsystem: information.ImageInformation.SubSystemType,
        })
    }

    fn resume(&self) {
        // SAFETY: the handle is that of a thread, and has every right.
        unsafe { ResumeThread(self.thread.as_raw_handle()) };
    }

    fn wait(&self, wait: Wait, timeout: Option<Duration>) -> End {
        let object = match wait {
            Wait::Process => &self.process,
            Wait::FirstThread => &self.thread,
            Wait::No => return End::Running,
        };
        if !wait_for(object, timeout) {
            self.terminate(STATUS_TIMEOUT);
            return End::TimedOut;
        }
        let mut status = 0;
        match wait {
            // SAFETY: the handle is that of a thread, and the result has room.
            Wait::FirstThread => unsafe { GetExitCodeThread(object.as_raw_handle(), &mut status) },
            // SAFETY: the handle is that of a process, and the result has room.
            _ => unsafe { GetExitCodeProcess(object.as_raw_handle(), &mut status) },
        };
        End::Exited(NtStatus(status))
    }

    fn terminate(&self, status: i32) {
        // SAFETY: the handle is that of a process, and has every right.
        unsafe { TerminateProcess(self.process.as_raw_handle(), status as u32) };
        wait_for(&self.process, Some(TERMINATION));
    }

    fn started(&self, end: End, elapsed: Duration) -> Started {
        Started {
            process_id: self.id,
            end,
            elapsed,
        }
    }
}

/// Whether the object was signaled in time.
fn wait_for(object: &OwnedHandle, timeout: Option<Duration>) -> bool {
    let milliseconds = timeout.map_or(INFINITE, |timeout| {
        u32::try_from(timeout.as_millis()).unwrap_or(INFINITE - 1)
    });
    // SAFETY: the handle is open.
    let answer = unsafe { WaitForSingleObject(object.as_raw_handle(), milliseconds) };
    answer == WAIT_OBJECT_0
}

/// A pipe whose end for writing goes to programs that inherit handles.
fn inheritable_pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    // SAFETY: the handle is open.
    if unsafe {
        SetHandleInformation(
            writer.as_raw_handle(),
            HANDLE_FLAG_INHERIT,
            HANDLE_FLAG_INHERIT,
        )
    } == 0
    {
        return Err(io::Error::last_os_error());
    }
    Ok((reader, writer))
}

fn copy_to_standard_output(mut output: PipeReader) -> JoinHandle<io::Result<u64>> {
    thread::spawn(move || io::copy(&mut output, &mut io::stdout().lock()))
}

/// `name=value`, each with a zero behind, and one more at the end. The kernel wants it sorted by name.
fn environment_block(variables: &[(&str, String)]) -> Vec<u16> {
    let mut block = Vec::new();
    for (name, value) in variables {
        block.extend(format!("{name}={value}\0").encode_utf16());
    }
    block.push(0);
    block
}

fn pointer(string: &Option<UNICODE_STRING>) -> *const UNICODE_STRING {
    string.as_ref().map_or(ptr::null(), ptr::from_ref)
}

fn check(status: i32) -> Result<(), NtStatus> {
    match status {
        0.. => Ok(()),
        _ => Err(NtStatus(status as u32)),
    }
}
