//! The kernel seam: the system calls bootshot needs, behind one trait.
//!
//! [`Kernel`] has a method for each call. It takes numbers, slices and handles, never pointers, and gives back what
//! the kernel said: the raw status and the length as it was returned, which may be larger than the buffer. Loops,
//! clamps and closing are the business of the callers above, where tests reach them.
//!
//! Two kernels exist: the real one, a zero-sized type over ntdll, and a simulated one, a reference to a machine
//! that a test made up. Code is generic over `K: Kernel`, taken by value, so that the real one costs nothing.

pub mod access;
#[cfg(test)]
mod contract;
mod handover;
mod heap;
pub mod layout;
mod memory;
mod status;

#[cfg(all(windows, feature = "native"))]
pub mod real;
#[cfg(any(test, feature = "simulate"))]
pub mod simulated;

pub use handover::Handover;
pub use heap::{Heap, List, OutOfMemory};
pub use memory::{Buffer, PAGE, Region, bytes_of, keep_for_ever, units_of};
pub use status::Status;

use bootshot_format::ObjectKind;

/// What a query gave back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The call's `NTSTATUS`.
    pub status: Status,
    /// The length it returned, in bytes: not clamped to the buffer, and known to lie.
    pub length: usize,
}

/// A handle of this process, or a pseudo-handle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Handle(pub usize);

impl Handle {
    /// No handle at all, where a call takes none.
    pub const NONE: Self = Self(0);
    /// `NtCurrentProcess()`.
    pub const CURRENT_PROCESS: Self = Self(usize::MAX);
}

/// What a thread started through [`Kernel::start_thread`] does.
pub trait Task<K>: Sync {
    /// Runs on the new thread, which ends when it returns.
    fn run(&'static self, kernel: K);
}

/// How [`Kernel::create_file`] is to create or open. The constants are those of `NtCreateFile`.
#[derive(Clone, Copy, Debug)]
pub struct FileRequest<'a> {
    /// The directory that `name` is relative to, or [`Handle::NONE`] for an NT path.
    pub directory: Handle,
    /// The name, without a terminating zero.
    pub name: &'a [u16],
    /// `ACCESS_MASK`.
    pub access: u32,
    /// `FILE_SHARE_*`.
    pub share: u32,
    /// `FILE_OPEN`, `FILE_CREATE` or `FILE_OPEN_IF`.
    pub disposition: u32,
    /// `FILE_*` create options.
    pub options: u32,
    /// Self-relative security descriptor of what is created; `None` inherits.
    pub security: Option<&'static [u32]>,
}

/// Time as `KUSER_SHARED_DATA` has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Clock {
    /// 100 ns since 1601-01-01 UTC. Can be wrong early in the boot.
    pub system_time: i64,
    /// 100 ns since boot.
    pub interrupt_time: u64,
}

/// The numbers of one console row, in the units they are printed in.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Name of the row, in ASCII.
    pub name: &'static str,
    /// Questions asked.
    pub asked: u32,
    /// Questions answered.
    pub answered: u32,
    /// Bytes received, in KiB.
    pub kibibytes: u32,
    /// Time taken, in milliseconds.
    pub milliseconds: u32,
}

// ANCHOR: kernel
/// The system calls bootshot makes. Buffers are 8-byte aligned by their type; lengths are in bytes.
pub trait Kernel: Copy + Send + Sync + 'static {
    /// `NtQuerySystemInformation`.
    fn query_system_information(self, class: u32, buffer: Buffer<'_>) -> Answer;
    /// `NtQueryObject`.
    fn query_object(self, handle: Handle, class: u32, buffer: Buffer<'_>) -> Answer;
    // ANCHOR_END: kernel
    /// `NtQueryInformationProcess`.
    fn query_information_process(self, process: Handle, class: u32, buffer: Buffer<'_>) -> Answer;
    /// `NtQueryInformationToken`.
    fn query_information_token(self, token: Handle, class: u32, buffer: Buffer<'_>) -> Answer;
    /// `NtQueryDirectoryObject`; `context` is where the call left off.
    fn query_directory_object(
        self,
        directory: Handle,
        single: bool,
        restart: bool,
        context: &mut u32,
        buffer: Buffer<'_>,
    ) -> Answer;
    /// `NtQuerySymbolicLinkObject`: the target's characters.
    fn query_symbolic_link_object(self, link: Handle, buffer: Buffer<'_>) -> Answer;
    /// `NtQueryInformationThread`.
    fn query_information_thread(self, thread: Handle, class: u32, buffer: Buffer<'_>) -> Answer;
    /// `NtQueryInformationJobObject`; [`Handle::NONE`] is the caller's own job.
    fn query_information_job_object(self, job: Handle, class: u32, buffer: Buffer<'_>) -> Answer;
    /// `NtQueryKey`.
    fn query_key(self, key: Handle, class: u32, buffer: Buffer<'_>) -> Answer;
    /// `NtEnumerateKey`.
    fn enumerate_key(self, key: Handle, index: u32, class: u32, buffer: Buffer<'_>) -> Answer;
    /// `NtEnumerateValueKey`.
    fn enumerate_value_key(self, key: Handle, index: u32, class: u32, buffer: Buffer<'_>)
    -> Answer;
    /// `NtEnumerateSystemEnvironmentValuesEx`, looked up: not everything that resembles Windows has it.
    fn enumerate_system_environment_values(self, class: u32, buffer: Buffer<'_>) -> Answer;
    /// `NtQueryValueKey`.
    fn query_value_key(self, key: Handle, value: &[u16], class: u32, buffer: Buffer<'_>) -> Answer;
    /// `NtQuerySecurityObject`; `information` is a `SECURITY_INFORMATION`.
    fn query_security_object(self, handle: Handle, information: u32, buffer: Buffer<'_>) -> Answer;
    /// `NtQueryVolumeInformationFile`; class: `FS_INFORMATION_CLASS`.
    fn query_volume_information_file(self, file: Handle, class: u32, buffer: Buffer<'_>) -> Answer;
    /// `NtQueryInformationFile`; class: `FILE_INFORMATION_CLASS`.
    fn query_information_file(self, file: Handle, class: u32, buffer: Buffer<'_>) -> Answer;
    /// `NtQueryDirectoryFile` with `FileNamesInformation`, all names.
    fn query_directory_file(self, directory: Handle, restart: bool, buffer: Buffer<'_>) -> Answer;
    /// `NtReadVirtualMemory`; the length is that of the bytes read.
    fn read_virtual_memory(self, process: Handle, address: u64, buffer: &mut [u8]) -> Answer;

    /// `NtOpenProcess` by process id.
    fn open_process(self, process_id: u64, access: u32) -> Result<Handle, Status>;
    /// `NtOpenProcessToken`.
    fn open_process_token(self, process: Handle, access: u32) -> Result<Handle, Status>;
    /// `NtOpenDirectoryObject`, `NtOpenEvent` and so on: as this type only. `root` is a directory that `name` is
    /// relative to, exact in case, or [`Handle::NONE`] for an absolute path in any case. A link key is opened itself.
    fn open(
        self,
        kind: ObjectKind,
        root: Handle,
        name: &[u16],
        access: u32,
    ) -> Result<Handle, Status>;
    /// `NtGetNextProcess`, since Vista; [`Handle::NONE`] for the first. Processes that refuse `access` are passed over.
    fn next_process(self, process: Handle, access: u32) -> Result<Handle, Status>;
    /// `NtGetNextThread`, since Vista; as [`Kernel::next_process`].
    fn next_thread(self, process: Handle, thread: Handle, access: u32) -> Result<Handle, Status>;
    /// `NtDuplicateObject` into this process; `None` keeps the access the handle has.
    fn duplicate(self, process: Handle, value: u64, access: Option<u32>) -> Result<Handle, Status>;
    /// `NtIsProcessInJob`, for any job.
    fn is_process_in_job(self, process: Handle) -> Status;
    /// `NtSetValueKey`; kind: `REG_*`.
    fn set_value_key(self, key: Handle, value: &[u16], kind: u32, data: &[u8]) -> Status;
    /// `NtClose`.
    fn close(self, handle: Handle) -> Status;

    /// `NtCreateFile`.
    fn create_file(self, request: &FileRequest<'_>) -> Result<Handle, Status>;
    /// `NtReadFile` at the current position of a synchronous file.
    fn read_file(self, file: Handle, buffer: Buffer<'_>) -> Answer;
    /// `NtWriteFile` at the current position of a synchronous file; the length is that of the bytes written.
    fn write_file(self, file: Handle, bytes: &[u8]) -> Answer;
    /// `NtFlushBuffersFile`.
    fn flush_buffers_file(self, file: Handle) -> Status;
    /// `NtSetInformationFile` with `FileRenameInformation`, without replacing.
    fn rename_file(self, file: Handle, directory: Handle, name: &[u16]) -> Status;
    /// `NtSetInformationFile` with `FileDispositionInformation`: deleted when its last handle is closed.
    fn delete_file(self, file: Handle) -> Status;

    /// `NtAllocateVirtualMemory` with `MEM_RESERVE`: the address of the range.
    fn reserve_memory(self, length: usize) -> Result<usize, Status>;
    /// `NtAllocateVirtualMemory` with `MEM_COMMIT` inside a reserved range; new pages are zero.
    fn commit_memory(self, address: usize, length: usize) -> Status;
    /// `NtFreeVirtualMemory` with `MEM_RELEASE` of a range reserved before.
    ///
    /// # Safety
    ///
    /// Nothing may use the range any more.
    unsafe fn release_memory(self, address: usize);

    /// `RtlCreateUserThread`.
    fn start_thread<T: Task<Self>>(self, task: &'static T) -> Result<Handle, Status>;
    /// `NtCreateEvent`: one that a single wait takes (`SynchronizationEvent`), unnamed, not set.
    fn create_event(self) -> Result<Handle, Status>;
    /// `NtSetEvent`.
    fn set_event(self, event: Handle) -> Status;
    /// `NtWaitForSingleObject` with a relative time limit in milliseconds; `None` waits for ever.
    fn wait(self, handle: Handle, milliseconds: Option<u32>) -> Status;
    /// `NtDelayExecution`, relative, in milliseconds.
    fn delay(self, milliseconds: u32);

    /// `NtSetInformationProcess` with `ProcessDefaultHardErrorMode`.
    fn set_hard_error_mode(self, mode: u32) -> Status;
    /// `RtlAdjustPrivilege`: enables the privilege with this LUID for the process.
    fn enable_privilege(self, luid: u32) -> Status;
    /// `KUSER_SHARED_DATA` system and interrupt time.
    fn clock(self) -> Clock;
    /// `NtQueryPerformanceCounter`: counter and ticks in a second.
    fn performance_counter(self) -> (u64, u64);
    /// `NtDisplayString`.
    fn display_string(self, text: &[u16]) -> Status;
    /// `sprintf_s` of one console row into `to`: the number of characters, 0 when it did not fit.
    fn format_row(self, row: &Row, to: &mut [u8]) -> usize;
}

/// A handle that is closed when its owner goes; [`Handle::NONE`] is no handle at all.
#[derive(Debug)]
pub struct Owned<K: Kernel> {
    kernel: K,
    handle: Handle,
}

impl<K: Kernel> Owned<K> {
    /// Takes over the duty to close `handle`.
    pub const fn new(kernel: K, handle: Handle) -> Self {
        Self { kernel, handle }
    }

    /// The handle, for calls.
    pub const fn get(&self) -> Handle {
        self.handle
    }
}

impl<K: Kernel> Drop for Owned<K> {
    fn drop(&mut self) {
        close_any(self.kernel, self.handle);
    }
}

/// Closes a handle where there is one: out of line, since every owner ends with it.
#[inline(never)]
fn close_any<K: Kernel>(kernel: K, handle: Handle) {
    if handle != Handle::NONE {
        kernel.close(handle);
    }
}
