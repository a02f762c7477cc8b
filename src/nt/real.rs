//! The real kernel: each method is one call into ntdll.

use super::{Answer, Buffer, Clock, FileRequest, Handle, Kernel, Row, Status, Task, layout};
use bootshot_format::ObjectKind;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem::offset_of;
use core::ptr::{NonNull, null_mut};
use ntapi::winapi::shared::minwindef::{FALSE, TRUE, ULONG};
use ntapi::winapi::shared::ntdef::{
    BOOLEAN, HANDLE, LARGE_INTEGER, NTSTATUS, OBJ_CASE_INSENSITIVE, OBJ_OPENLINK,
    OBJECT_ATTRIBUTES, PVOID, STRING, UNICODE_STRING,
};
use ntapi::{
    ntapi_base::CLIENT_ID, ntexapi, ntioapi, ntldr, ntmmapi, ntobapi, ntpebteb, ntpsapi, ntregapi,
    ntrtl, ntseapi,
};

/// The system bootshot runs on.
#[derive(Clone, Copy, Debug)]
pub struct Nt;

#[link(name = "ntdll")]
unsafe extern "C" {
    fn sprintf_s(buffer: *mut c_char, size: usize, format: *const c_char, ...) -> c_int;
}

/// `FileNamesInformation` of `FILE_INFORMATION_CLASS`.
const FILE_NAMES_INFORMATION_CLASS: u32 = 12;
/// UTF-16 units of the longest name the snapshot directory gets.
const RENAME_ROOM: usize = 128;
/// Committed at once: system calls write to stack pages that were never touched.
const THREAD_STACK: usize = 0x2_0000;
/// What the longest row of [`ROW_FORMAT`] takes, with room to spare: `sprintf_s` does not return when it overflows.
const ROW_ROOM: usize = 128;
const ROW_FORMAT: &CStr = c"  %-10.*s %5u of %u answered %9u KiB %7u ms";

fn unicode_string(text: &[u16]) -> UNICODE_STRING {
    let length = size_of_val(text).min(0xFFFE) as u16;
    UNICODE_STRING {
        Length: length,
        MaximumLength: length,
        Buffer: text.as_ptr().cast_mut(),
    }
}

#[inline(never)]
fn object_attributes(
    root: Handle,
    name: &mut UNICODE_STRING,
    security: Option<&'static [u32]>,
) -> OBJECT_ATTRIBUTES {
    OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as ULONG,
        RootDirectory: raw(root),
        ObjectName: name,
        Attributes: OBJ_CASE_INSENSITIVE,
        SecurityDescriptor: security.map_or(null_mut(), |words| words.as_ptr().cast_mut().cast()),
        SecurityQualityOfService: null_mut(),
    }
}

fn raw(handle: Handle) -> HANDLE {
    handle.0 as HANDLE
}

fn answer(status: NTSTATUS, length: impl TryInto<usize>) -> Answer {
    Answer {
        status: Status::new(status as u32),
        length: length.try_into().unwrap_or(usize::MAX),
    }
}

fn opened(status: NTSTATUS, handle: HANDLE) -> Result<Handle, Status> {
    Status::new(status as u32)
        .ok()
        .map(|()| Handle(handle as usize))
}

// ANCHOR: relative
fn relative(milliseconds: u32) -> LARGE_INTEGER {
    // SAFETY: all bit patterns are valid for the union of integers.
    let mut time: LARGE_INTEGER = unsafe { core::mem::zeroed() };
    // SAFETY: as above; 10,000 units of 100 ns make a millisecond, negative means relative.
    unsafe { *time.QuadPart_mut() = -i64::from(milliseconds) * 10_000 };
    time
}
// ANCHOR_END: relative

/// The pointer and length a query takes. The buffer stays borrowed by the caller of this for the call.
fn parts(buffer: Buffer<'_>) -> (*mut c_void, ULONG) {
    let bytes = buffer.into_bytes();
    (bytes.as_mut_ptr().cast(), bytes.len() as ULONG)
}

/// The shape most queries have: object, class, buffer with its length, place of the returned length.
type Query = unsafe extern "system" fn(HANDLE, ULONG, PVOID, ULONG, *mut ULONG) -> NTSTATUS;

/// # Safety
///
/// `function` must be a query: it writes to nothing but the buffer and the place of the length.
#[inline(never)]
unsafe fn query(function: Query, object: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
    let (place, room) = parts(buffer);
    let mut length = 0;
    // SAFETY: the buffer is writable for its length, the length's place is ours.
    let status = unsafe { function(raw(object), class, place.cast(), room, &mut length) };
    answer(status, length)
}

/// The shape of queries about files.
type FileQuery = unsafe extern "system" fn(
    HANDLE,
    *mut ntioapi::IO_STATUS_BLOCK,
    PVOID,
    ULONG,
    ULONG,
) -> NTSTATUS;

/// # Safety
///
/// As [`query`].
#[inline(never)]
unsafe fn query_file(function: FileQuery, file: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
    let (place, room) = parts(buffer);
    let mut io = io_status();
    // SAFETY: the buffer is writable for its length, the status block's place is ours.
    let status = unsafe { function(raw(file), &mut io, place.cast(), room, class) };
    answer(status, io.Information)
}

const STATUS_PENDING: NTSTATUS = 0x103;

/// The shape of `NtReadFile` and `NtWriteFile`.
type Transfer = unsafe extern "system" fn(
    HANDLE,
    HANDLE,
    ntioapi::PIO_APC_ROUTINE,
    PVOID,
    *mut ntioapi::IO_STATUS_BLOCK,
    PVOID,
    ULONG,
    *mut LARGE_INTEGER,
    *mut ULONG,
) -> NTSTATUS;

/// # Safety
///
/// `place` must be good for what `function` does with `length` bytes.
#[inline(never)]
unsafe fn transfer(function: Transfer, file: Handle, place: *mut c_void, length: ULONG) -> Answer {
    let mut io = io_status();
    // SAFETY: the caller's promise. A synchronous handle's call is over on return, any other's is waited for below.
    let mut status = unsafe {
        function(
            raw(file),
            null_mut(),
            None,
            null_mut(),
            &mut io,
            place.cast(),
            length,
            null_mut(),
            null_mut(),
        )
    };
    if status == STATUS_PENDING {
        // A launcher's standard output need not be synchronous. SAFETY: no time is a wait without end.
        unsafe { ntobapi::NtWaitForSingleObject(raw(file), FALSE as BOOLEAN, null_mut()) };
        // SAFETY: integers. Whoever opened a handle for others to write to may wait for it, so the call is over.
        status = unsafe { io.u.Status };
    }
    answer(status, io.Information)
}

/// Ends the process: the only way out of a native executable.
pub fn terminate_process(status: Status) -> ! {
    loop {
        // SAFETY: no pointers; the call does not return for the current process.
        unsafe {
            ntpsapi::NtTerminateProcess(raw(Handle::CURRENT_PROCESS), status.number() as NTSTATUS)
        };
    }
}

impl Kernel for Nt {
    fn query_system_information(self, class: u32, buffer: Buffer<'_>) -> Answer {
        let (place, room) = parts(buffer);
        let mut length = 0;
        // SAFETY: the buffer is writable for its length, the length's place is ours.
        let status =
            unsafe { ntexapi::NtQuerySystemInformation(class, place.cast(), room, &mut length) };
        answer(status, length)
    }

    fn query_object(self, handle: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        // SAFETY: the call has the shape of a query.
        unsafe { query(ntobapi::NtQueryObject, handle, class, buffer) }
    }

    fn query_information_process(self, process: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        // SAFETY: the call has the shape of a query.
        unsafe { query(ntpsapi::NtQueryInformationProcess, process, class, buffer) }
    }

    fn query_information_token(self, token: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        // SAFETY: the call has the shape of a query.
        unsafe { query(ntseapi::NtQueryInformationToken, token, class, buffer) }
    }

    fn query_directory_object(
        self,
        directory: Handle,
        single: bool,
        restart: bool,
        context: &mut u32,
        buffer: Buffer<'_>,
    ) -> Answer {
        let (place, room) = parts(buffer);
        let mut length = 0;
        // SAFETY: the buffer is writable for its length; context and length have places of their own.
        let status = unsafe {
            ntobapi::NtQueryDirectoryObject(
                raw(directory),
                place.cast(),
                room,
                single as BOOLEAN,
                restart as BOOLEAN,
                context,
                &mut length,
            )
        };
        answer(status, length)
    }

    fn query_symbolic_link_object(self, link: Handle, buffer: Buffer<'_>) -> Answer {
        let (place, room) = parts(buffer);
        let mut target = UNICODE_STRING {
            Length: 0,
            MaximumLength: room.min(0xFFFE) as u16,
            Buffer: place.cast(),
        };
        let mut length = 0;
        // SAFETY: the target's buffer is writable for its maximum length, the length's place is ours.
        let status =
            unsafe { ntobapi::NtQuerySymbolicLinkObject(raw(link), &mut target, &mut length) };
        // The returned length counts a terminating zero, the string's does not.
        match Status::new(status as u32).is_success() {
            true => answer(status, target.Length),
            false => answer(status, length),
        }
    }

    fn query_information_thread(self, thread: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        // SAFETY: the call has the shape of a query.
        unsafe { query(ntpsapi::NtQueryInformationThread, thread, class, buffer) }
    }

    fn query_information_job_object(self, job: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        // SAFETY: the call has the shape of a query.
        unsafe { query(ntpsapi::NtQueryInformationJobObject, job, class, buffer) }
    }

    fn query_key(self, key: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        // SAFETY: the call has the shape of a query.
        unsafe { query(ntregapi::NtQueryKey, key, class, buffer) }
    }

    fn enumerate_key(self, key: Handle, index: u32, class: u32, buffer: Buffer<'_>) -> Answer {
        let (place, room) = parts(buffer);
        let mut length = 0;
        // SAFETY: the buffer is writable for its length, the length's place is ours.
        let status = unsafe {
            ntregapi::NtEnumerateKey(raw(key), index, class, place.cast(), room, &mut length)
        };
        answer(status, length)
    }

    fn enumerate_value_key(
        self,
        key: Handle,
        index: u32,
        class: u32,
        buffer: Buffer<'_>,
    ) -> Answer {
        let (place, room) = parts(buffer);
        let mut length = 0;
        // SAFETY: the buffer is writable for its length, the length's place is ours.
        let status = unsafe {
            ntregapi::NtEnumerateValueKey(raw(key), index, class, place.cast(), room, &mut length)
        };
        answer(status, length)
    }

    fn enumerate_system_environment_values(self, class: u32, buffer: Buffer<'_>) -> Answer {
        type Enumerate = extern "system" fn(ULONG, *mut c_void, *mut ULONG) -> NTSTATUS;
        let place = match look_up(c"NtEnumerateSystemEnvironmentValuesEx") {
            Ok(place) => place,
            Err(status) => return Answer { status, length: 0 },
        };
        // SAFETY: the export of this name has this signature since Windows XP.
        let enumerate: Enumerate = unsafe { core::mem::transmute(place) };
        let (place, mut length) = parts(buffer);
        answer(enumerate(class, place, &mut length), length)
    }

    fn query_value_key(self, key: Handle, value: &[u16], class: u32, buffer: Buffer<'_>) -> Answer {
        let mut value = unicode_string(value);
        let (place, room) = parts(buffer);
        let mut length = 0;
        // SAFETY: the buffer is writable for its length, the name is borrowed for the call.
        let status = unsafe {
            ntregapi::NtQueryValueKey(raw(key), &mut value, class, place.cast(), room, &mut length)
        };
        answer(status, length)
    }

    fn query_security_object(self, handle: Handle, information: u32, buffer: Buffer<'_>) -> Answer {
        // SAFETY: the call has the shape of a query.
        unsafe { query(ntobapi::NtQuerySecurityObject, handle, information, buffer) }
    }

    fn query_volume_information_file(self, file: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        // SAFETY: the call has the shape of a query about a file.
        unsafe { query_file(ntioapi::NtQueryVolumeInformationFile, file, class, buffer) }
    }

    fn query_information_file(self, file: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        // SAFETY: the call has the shape of a query about a file.
        unsafe { query_file(ntioapi::NtQueryInformationFile, file, class, buffer) }
    }

    fn query_directory_file(self, directory: Handle, restart: bool, buffer: Buffer<'_>) -> Answer {
        let (place, room) = parts(buffer);
        let mut io = io_status();
        // SAFETY: the buffer is writable for its length; the handle is synchronous, so the call is over on return.
        let status = unsafe {
            ntioapi::NtQueryDirectoryFile(
                raw(directory),
                null_mut(),
                None,
                null_mut(),
                &mut io,
                place.cast(),
                room,
                FILE_NAMES_INFORMATION_CLASS,
                FALSE as BOOLEAN,
                null_mut(),
                restart as BOOLEAN,
            )
        };
        answer(status, io.Information)
    }

    fn read_virtual_memory(self, process: Handle, address: u64, buffer: &mut [u8]) -> Answer {
        let mut read = 0;
        // SAFETY: the kernel checks the address that is read; the buffer is writable for its length.
        let status = unsafe {
            ntmmapi::NtReadVirtualMemory(
                raw(process),
                address as usize as *mut _,
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                &mut read,
            )
        };
        answer(status, read)
    }

    fn open_process(self, process_id: u64, access: u32) -> Result<Handle, Status> {
        let mut id = CLIENT_ID {
            UniqueProcess: process_id as usize as HANDLE,
            UniqueThread: null_mut(),
        };
        let mut attributes = OBJECT_ATTRIBUTES {
            Length: size_of::<OBJECT_ATTRIBUTES>() as ULONG,
            RootDirectory: null_mut(),
            ObjectName: null_mut(),
            Attributes: 0,
            SecurityDescriptor: null_mut(),
            SecurityQualityOfService: null_mut(),
        };
        let mut handle = null_mut();
        // SAFETY: all pointers are to locals.
        let status =
            unsafe { ntpsapi::NtOpenProcess(&mut handle, access, &mut attributes, &mut id) };
        opened(status, handle)
    }

    fn open_process_token(self, process: Handle, access: u32) -> Result<Handle, Status> {
        let mut handle = null_mut();
        // SAFETY: the handle's place is a local.
        let status = unsafe { ntseapi::NtOpenProcessToken(raw(process), access, &mut handle) };
        opened(status, handle)
    }

    #[inline(never)]
    fn open(
        self,
        kind: ObjectKind,
        root: Handle,
        name: &[u16],
        access: u32,
    ) -> Result<Handle, Status> {
        let open = match kind {
            ObjectKind::DIRECTORY => ntobapi::NtOpenDirectoryObject,
            ObjectKind::SYMBOLIC_LINK => ntobapi::NtOpenSymbolicLinkObject,
            ObjectKind::EVENT => ntexapi::NtOpenEvent,
            ObjectKind::MUTANT => ntexapi::NtOpenMutant,
            ObjectKind::SEMAPHORE => ntexapi::NtOpenSemaphore,
            ObjectKind::SECTION => ntmmapi::NtOpenSection,
            ObjectKind::TIMER => ntexapi::NtOpenTimer,
            ObjectKind::JOB => ntpsapi::NtOpenJobObject,
            ObjectKind::KEYED_EVENT => ntexapi::NtOpenKeyedEvent,
            ObjectKind::IO_COMPLETION => ntioapi::NtOpenIoCompletion,
            ObjectKind::KEY => ntregapi::NtOpenKey,
            _ => return Err(Status::INVALID_PARAMETER),
        };
        let mut name = unicode_string(name);
        let mut attributes = object_attributes(root, &mut name, None);
        if root != Handle::NONE {
            attributes.Attributes = 0;
        }
        if kind == ObjectKind::KEY {
            attributes.Attributes |= OBJ_OPENLINK;
        }
        let mut handle = null_mut();
        // SAFETY: all pointers are to locals or to the borrowed name.
        let status = unsafe { open(&mut handle, access, &mut attributes) };
        opened(status, handle)
    }

    fn next_process(self, process: Handle, access: u32) -> Result<Handle, Status> {
        type Next = extern "system" fn(HANDLE, ULONG, ULONG, ULONG, *mut HANDLE) -> NTSTATUS;
        let place = look_up(c"NtGetNextProcess")?;
        // SAFETY: the export of this name has this signature since Vista.
        let next: Next = unsafe { core::mem::transmute(place) };
        let mut handle = null_mut();
        opened(next(raw(process), access, 0, 0, &mut handle), handle)
    }

    fn next_thread(self, process: Handle, thread: Handle, access: u32) -> Result<Handle, Status> {
        type Next =
            extern "system" fn(HANDLE, HANDLE, ULONG, ULONG, ULONG, *mut HANDLE) -> NTSTATUS;
        let place = look_up(c"NtGetNextThread")?;
        // SAFETY: the export of this name has this signature since Vista.
        let next: Next = unsafe { core::mem::transmute(place) };
        let mut handle = null_mut();
        let status = next(raw(process), raw(thread), access, 0, 0, &mut handle);
        opened(status, handle)
    }

    fn duplicate(self, process: Handle, value: u64, access: Option<u32>) -> Result<Handle, Status> {
        let options = match access {
            Some(_) => 0,
            None => DUPLICATE_SAME_ACCESS,
        };
        let mut handle = null_mut();
        // SAFETY: the handle's place is a local; the value is checked by the kernel.
        let status = unsafe {
            ntobapi::NtDuplicateObject(
                raw(process),
                value as usize as HANDLE,
                raw(Handle::CURRENT_PROCESS),
                &mut handle,
                access.unwrap_or(0),
                0,
                options,
            )
        };
        opened(status, handle)
    }

    fn is_process_in_job(self, process: Handle) -> Status {
        // SAFETY: no pointers; no job means any.
        Status::new(unsafe { ntpsapi::NtIsProcessInJob(raw(process), null_mut()) } as u32)
    }

    fn set_value_key(self, key: Handle, value: &[u16], kind: u32, data: &[u8]) -> Status {
        let mut value = unicode_string(value);
        // SAFETY: name and data are borrowed for the call and readable for their lengths.
        let status = unsafe {
            ntregapi::NtSetValueKey(
                raw(key),
                &mut value,
                0,
                kind,
                data.as_ptr().cast_mut().cast(),
                data.len() as ULONG,
            )
        };
        Status::new(status as u32)
    }

    fn close(self, handle: Handle) -> Status {
        // SAFETY: no pointers; a bad handle is a status.
        Status::new(unsafe { ntobapi::NtClose(raw(handle)) } as u32)
    }

    fn create_file(self, request: &FileRequest<'_>) -> Result<Handle, Status> {
        let mut name = unicode_string(request.name);
        let mut attributes = object_attributes(request.directory, &mut name, request.security);
        let mut io = io_status();
        let mut handle = null_mut();
        // SAFETY: all pointers are to locals, the borrowed name or a static security descriptor.
        let status = unsafe {
            ntioapi::NtCreateFile(
                &mut handle,
                request.access,
                &mut attributes,
                &mut io,
                null_mut(),
                FILE_ATTRIBUTE_NORMAL,
                request.share,
                request.disposition,
                request.options,
                null_mut(),
                0,
            )
        };
        opened(status, handle)
    }

    fn read_file(self, file: Handle, buffer: Buffer<'_>) -> Answer {
        let (place, length) = parts(buffer);
        // SAFETY: the buffer is writable for its length.
        unsafe { transfer(ntioapi::NtReadFile, file, place, length) }
    }

    fn write_file(self, file: Handle, bytes: &[u8]) -> Answer {
        let place = bytes.as_ptr().cast_mut().cast();
        // SAFETY: the bytes are readable for their length, and the call does not write to them.
        unsafe { transfer(ntioapi::NtWriteFile, file, place, bytes.len() as ULONG) }
    }

    fn flush_buffers_file(self, file: Handle) -> Status {
        let mut io = io_status();
        // SAFETY: the status block's place is a local.
        Status::new(unsafe { ntioapi::NtFlushBuffersFile(raw(file), &mut io) } as u32)
    }

    fn rename_file(self, file: Handle, directory: Handle, name: &[u16]) -> Status {
        let mut information = RenameInformation {
            ReplaceIfExists: 0,
            RootDirectory: raw(directory),
            FileNameLength: size_of_val(name) as ULONG,
            FileName: [0; RENAME_ROOM],
        };
        let Some(place) = information.FileName.get_mut(..name.len()) else {
            return Status::INVALID_PARAMETER;
        };
        place.copy_from_slice(name);
        let place = (&raw mut information).cast();
        let length = offset_of!(RenameInformation, FileName) + size_of_val(name);
        // SAFETY: the information is of the class, and its name inside it.
        unsafe { set_information_file(file, place, length, ntioapi::FileRenameInformation) }
    }

    fn delete_file(self, file: Handle) -> Status {
        let mut delete = TRUE as u8;
        let place = (&raw mut delete).cast();
        // SAFETY: the information is of the class: one byte.
        unsafe { set_information_file(file, place, 1, ntioapi::FileDispositionInformation) }
    }

    fn reserve_memory(self, length: usize) -> Result<usize, Status> {
        allocate(null_mut(), length, MEM_RESERVE)
    }

    fn commit_memory(self, address: usize, length: usize) -> Status {
        match allocate(address as *mut c_void, length, MEM_COMMIT) {
            Ok(_) => Status::SUCCESS,
            Err(status) => status,
        }
    }

    unsafe fn release_memory(self, address: usize) {
        let mut place = address as *mut c_void;
        let mut length = 0;
        // SAFETY: the caller gives the range up; a size of 0 releases what was reserved at the address.
        unsafe {
            ntmmapi::NtFreeVirtualMemory(
                raw(Handle::CURRENT_PROCESS),
                (&raw mut place).cast(),
                &mut length,
                MEM_RELEASE,
            )
        };
    }

    fn start_thread<T: Task<Self>>(self, task: &'static T) -> Result<Handle, Status> {
        unsafe extern "system" fn start<T: Task<Nt> + 'static>(parameter: PVOID) -> NTSTATUS {
            // SAFETY: `create_thread` passes on the `&'static T` below.
            let task: &'static T = unsafe { &*parameter.cast_const().cast() };
            task.run(Nt);
            // SAFETY: no pointers; returning instead would jump to nowhere on systems before Vista.
            unsafe { ntpsapi::NtTerminateThread(ntpsapi::NtCurrentThread, 0) }
        }
        // SAFETY: the routine takes this task.
        unsafe { create_thread(start::<T>, core::ptr::from_ref(task).cast_mut().cast()) }
    }

    fn create_event(self) -> Result<Handle, Status> {
        let mut handle = null_mut();
        // SAFETY: the handle's place is a local; no attributes make it unnamed.
        let status = unsafe {
            ntexapi::NtCreateEvent(
                &mut handle,
                EVENT_ALL_ACCESS,
                null_mut(),
                SYNCHRONIZATION_EVENT,
                FALSE as BOOLEAN,
            )
        };
        opened(status, handle)
    }

    fn set_event(self, event: Handle) -> Status {
        // SAFETY: nobody wants the former state.
        Status::new(unsafe { ntexapi::NtSetEvent(raw(event), null_mut()) } as u32)
    }

    fn wait(self, handle: Handle, milliseconds: Option<u32>) -> Status {
        let mut time = relative(milliseconds.unwrap_or(0));
        let limit = if milliseconds.is_some() {
            &raw mut time
        } else {
            null_mut()
        };
        // SAFETY: the time is a local or absent.
        Status::new(
            unsafe { ntobapi::NtWaitForSingleObject(raw(handle), FALSE as BOOLEAN, limit) } as u32,
        )
    }

    // ANCHOR: delay
    fn delay(self, milliseconds: u32) {
        let mut time = relative(milliseconds);
        // SAFETY: the time is a local.
        unsafe { ntexapi::NtDelayExecution(FALSE as BOOLEAN, &mut time) };
    }
    // ANCHOR_END: delay

    fn set_hard_error_mode(self, mode: u32) -> Status {
        let mut mode: ULONG = mode;
        // SAFETY: the mode is a local of the size the class takes.
        let status = unsafe {
            ntpsapi::NtSetInformationProcess(
                raw(Handle::CURRENT_PROCESS),
                ntpsapi::ProcessDefaultHardErrorMode,
                (&raw mut mode).cast(),
                size_of::<ULONG>() as ULONG,
            )
        };
        Status::new(status as u32)
    }

    fn enable_privilege(self, luid: u32) -> Status {
        let mut before = 0;
        // SAFETY: the former state's place is a local.
        Status::new(unsafe {
            ntrtl::RtlAdjustPrivilege(luid, TRUE as BOOLEAN, FALSE as BOOLEAN, &mut before)
        } as u32)
    }

    fn clock(self) -> Clock {
        Clock {
            system_time: system_time_at(layout::user_shared_data::SYSTEM_TIME) as i64,
            interrupt_time: system_time_at(layout::user_shared_data::INTERRUPT_TIME),
        }
    }

    fn performance_counter(self) -> (u64, u64) {
        let mut counter = relative(0);
        let mut frequency = relative(0);
        // SAFETY: both places are locals.
        unsafe { ntexapi::NtQueryPerformanceCounter(&mut counter, &mut frequency) };
        // SAFETY: all bit patterns are valid integers.
        let counter = unsafe { *counter.QuadPart() };
        // SAFETY: as above.
        let frequency = unsafe { *frequency.QuadPart() };
        (counter as u64, frequency as u64)
    }

    fn display_string(self, text: &[u16]) -> Status {
        let mut text = unicode_string(text);
        // SAFETY: the string is borrowed for the call.
        Status::new(unsafe { ntexapi::NtDisplayString(&mut text) } as u32)
    }

    fn format_row(self, row: &Row, to: &mut [u8]) -> usize {
        if to.len() < ROW_ROOM {
            return 0;
        }
        // SAFETY: the arguments are those of the format, and the longest row fits.
        let length = unsafe {
            sprintf_s(
                to.as_mut_ptr().cast(),
                to.len(),
                ROW_FORMAT.as_ptr(),
                row.name.len() as c_int,
                row.name.as_ptr(),
                row.answered,
                row.asked,
                row.kibibytes,
                row.milliseconds,
            )
        };
        usize::try_from(length).unwrap_or(0)
    }
}

/// # Safety
///
/// `parameter` must be what `routine` takes, for as long as the thread runs.
#[inline(never)]
unsafe fn create_thread(
    routine: unsafe extern "system" fn(PVOID) -> NTSTATUS,
    parameter: PVOID,
) -> Result<Handle, Status> {
    let mut handle: HANDLE = null_mut();
    // SAFETY: the routine has the signature that is asked for; the rest is the caller's promise.
    let status = unsafe {
        ntrtl::RtlCreateUserThread(
            raw(Handle::CURRENT_PROCESS),
            null_mut(),
            FALSE as BOOLEAN,
            0,
            THREAD_STACK,
            THREAD_STACK,
            Some(routine),
            parameter,
            (&raw mut handle).cast(),
            null_mut(),
        )
    };
    opened(status, handle)
}

const DUPLICATE_SAME_ACCESS: ULONG = 2;
const EVENT_ALL_ACCESS: ULONG = 0x1F_0003;
/// `SynchronizationEvent` of `EVENT_TYPE`.
const SYNCHRONIZATION_EVENT: ULONG = 1;
const FILE_ATTRIBUTE_NORMAL: ULONG = 0x80;
const MEM_COMMIT: ULONG = 0x1000;
const MEM_RESERVE: ULONG = 0x2000;
const MEM_RELEASE: ULONG = 0x8000;
const PAGE_READWRITE: ULONG = 4;

fn io_status() -> ntioapi::IO_STATUS_BLOCK {
    // SAFETY: the block is made of integers and pointers, for which zero is valid.
    unsafe { core::mem::zeroed() }
}

/// Where ntdll is mapped. The loader lists modules in the order it loaded them: the image, then ntdll, before anything
/// can add to the list. Wine's loader, asked for it by name, looks for a file, and finds none without kernel32.
fn ntdll() -> Option<PVOID> {
    // SAFETY: the structure is made of integers and pointers, for which zero is valid.
    let mut basic: ntpsapi::PROCESS_BASIC_INFORMATION = unsafe { core::mem::zeroed() };
    // SAFETY: the structure is of the size the class takes; nobody wants the length.
    unsafe {
        ntpsapi::NtQueryInformationProcess(
            raw(Handle::CURRENT_PROCESS),
            ntpsapi::ProcessBasicInformation,
            (&raw mut basic).cast(),
            size_of_val(&basic) as ULONG,
            null_mut(),
        )
    };
    // SAFETY: where there is one, it is our own PEB, which stays.
    let peb = unsafe { basic.PebBaseAddress.as_ref() }?;
    // SAFETY: the loader made it before it started us.
    let modules = unsafe { peb.Ldr.as_ref() }?;
    // SAFETY: the list is a ring, each of whose entries begins with the links of this order.
    let image = unsafe { modules.InLoadOrderModuleList.Flink.as_ref() }?;
    // SAFETY: as above; neither image nor ntdll is ever unloaded.
    let ntdll = unsafe { image.Flink.cast::<ntldr::LDR_DATA_TABLE_ENTRY>().as_ref() }?;
    Some(ntdll.DllBase)
}

/// An export of ntdll that not every supported system has: importing it would be a bugcheck on those.
fn look_up(name: &CStr) -> Result<NonNull<c_void>, Status> {
    let module = ntdll().ok_or(Status::PROCEDURE_NOT_FOUND)?;
    let length = name.count_bytes() as u16;
    let mut name = STRING {
        Length: length,
        MaximumLength: length,
        Buffer: name.as_ptr().cast_mut(),
    };
    let mut place = null_mut();
    // SAFETY: the module is loaded for ever, name and place are locals.
    let status = unsafe { ntldr::LdrGetProcedureAddress(module, &mut name, 0, &mut place) };
    Status::new(status as u32).ok()?;
    NonNull::new(place.cast()).ok_or(Status::PROCEDURE_NOT_FOUND)
}

/// `FILE_RENAME_INFORMATION` with room for a name.
#[repr(C)]
#[allow(non_snake_case)]
struct RenameInformation {
    ReplaceIfExists: BOOLEAN,
    RootDirectory: HANDLE,
    FileNameLength: ULONG,
    FileName: [u16; RENAME_ROOM],
}

/// # Safety
///
/// `place` must hold `length` bytes of what `class` takes.
unsafe fn set_information_file(file: Handle, place: PVOID, length: usize, class: u32) -> Status {
    let mut io = io_status();
    // SAFETY: the caller's promise; the status block's place is a local.
    let status =
        unsafe { ntioapi::NtSetInformationFile(raw(file), &mut io, place, length as ULONG, class) };
    Status::new(status as u32)
}

fn allocate(mut place: *mut c_void, mut length: usize, kind: ULONG) -> Result<usize, Status> {
    // SAFETY: place and length are locals; the kernel picks a free range or commits the one we reserved.
    let status = unsafe {
        ntmmapi::NtAllocateVirtualMemory(
            raw(Handle::CURRENT_PROCESS),
            (&raw mut place).cast(),
            0,
            &mut length,
            kind,
            PAGE_READWRITE,
        )
    };
    Status::new(status as u32).ok().map(|()| place.addr())
}

/// A `KSYSTEM_TIME`: low part, high part, and the high part again, which differ while the kernel is writing it.
fn system_time_at(offset: usize) -> u64 {
    let place = (layout::user_shared_data::ADDRESS as usize + offset) as *const u32;
    let part = |index: usize| {
        // SAFETY: the page is mapped readable in every process, and the three parts are 4-byte aligned.
        unsafe { place.wrapping_add(index).read_volatile() }
    };
    let mut parts = (part(1), part(0), part(2));
    // The kernel needs nanoseconds; a bound keeps a broken clock from holding up the boot.
    for _ in 0..1000 {
        if parts.0 == parts.2 {
            break;
        }
        parts = (part(1), part(0), part(2));
    }
    u64::from(parts.0) << 32 | u64::from(parts.1)
}

// The boot side reads with `layout`; this holds it against ntapi on every architecture that is built.
const _: () = {
    use layout::{
        file_names_information as names, fs_size_information as sizes, peb,
        process_parameters as parameters,
    };
    use ntioapi::{FILE_FS_SIZE_INFORMATION, FILE_NAMES_INFORMATION, FILE_RENAME_INFORMATION};
    assert!(
        offset_of!(FILE_RENAME_INFORMATION, RootDirectory)
            == offset_of!(RenameInformation, RootDirectory)
    );
    assert!(
        offset_of!(FILE_RENAME_INFORMATION, FileNameLength)
            == offset_of!(RenameInformation, FileNameLength)
    );
    assert!(
        offset_of!(FILE_RENAME_INFORMATION, FileName) == offset_of!(RenameInformation, FileName)
    );
    use ntpebteb::PEB;
    use ntrtl::RTL_USER_PROCESS_PARAMETERS as PARAMETERS;
    assert!(offset_of!(PEB, ProcessParameters) == peb::PROCESS_PARAMETERS);
    assert!(offset_of!(PEB, OSBuildNumber) == peb::OS_BUILD_NUMBER);
    assert!(offset_of!(PARAMETERS, Length) == parameters::LENGTH);
    assert!(offset_of!(PARAMETERS, StandardOutput) == parameters::STANDARD_OUTPUT);
    assert!(offset_of!(PARAMETERS, CurrentDirectory) == parameters::CURRENT_DIRECTORY);
    assert!(offset_of!(PARAMETERS, DllPath) == parameters::DLL_PATH);
    assert!(offset_of!(PARAMETERS, ImagePathName) == parameters::IMAGE_PATH_NAME);
    assert!(offset_of!(PARAMETERS, CommandLine) == parameters::COMMAND_LINE);
    assert!(offset_of!(PARAMETERS, Environment) == parameters::ENVIRONMENT);
    assert!(offset_of!(PARAMETERS, WindowTitle) == parameters::WINDOW_TITLE);
    assert!(offset_of!(PARAMETERS, DesktopInfo) == parameters::DESKTOP_INFO);
    assert!(offset_of!(PARAMETERS, ShellInfo) == parameters::SHELL_INFO);
    assert!(offset_of!(PARAMETERS, RuntimeData) == parameters::RUNTIME_DATA);
    assert!(offset_of!(PARAMETERS, EnvironmentSize) == parameters::ENVIRONMENT_SIZE);
    assert!(offset_of!(UNICODE_STRING, Length) == layout::unicode_string::LENGTH);
    assert!(offset_of!(UNICODE_STRING, Buffer) == layout::unicode_string::BUFFER);
    assert!(size_of::<UNICODE_STRING>() == layout::unicode_string::SIZE);
    assert!(offset_of!(FILE_NAMES_INFORMATION, NextEntryOffset) == names::NEXT_ENTRY_OFFSET);
    assert!(offset_of!(FILE_NAMES_INFORMATION, FileNameLength) == names::FILE_NAME_LENGTH);
    assert!(offset_of!(FILE_NAMES_INFORMATION, FileName) == names::FILE_NAME);
    assert!(
        offset_of!(FILE_FS_SIZE_INFORMATION, AvailableAllocationUnits)
            == sizes::AVAILABLE_ALLOCATION_UNITS
    );
    assert!(
        offset_of!(FILE_FS_SIZE_INFORMATION, SectorsPerAllocationUnit)
            == sizes::SECTORS_PER_ALLOCATION_UNIT
    );
    assert!(offset_of!(FILE_FS_SIZE_INFORMATION, BytesPerSector) == sizes::BYTES_PER_SECTOR);
    use layout::process_information as process;
    use ntexapi::SYSTEM_PROCESS_INFORMATION;
    assert!(offset_of!(SYSTEM_PROCESS_INFORMATION, NextEntryOffset) == process::NEXT_ENTRY_OFFSET);
    assert!(offset_of!(SYSTEM_PROCESS_INFORMATION, CreateTime) == process::CREATE_TIME);
    assert!(offset_of!(SYSTEM_PROCESS_INFORMATION, ImageName) == process::IMAGE_NAME);
    assert!(offset_of!(SYSTEM_PROCESS_INFORMATION, UniqueProcessId) == process::UNIQUE_PROCESS_ID);
    use layout::process_basic_information as basic;
    use ntpsapi::PROCESS_BASIC_INFORMATION;
    assert!(offset_of!(PROCESS_BASIC_INFORMATION, PebBaseAddress) == basic::PEB_BASE_ADDRESS);
    assert!(offset_of!(PROCESS_BASIC_INFORMATION, UniqueProcessId) == basic::UNIQUE_PROCESS_ID);
    assert!(size_of::<PROCESS_BASIC_INFORMATION>() == basic::SIZE);
    use layout::{
        key_basic_information as subkey, process_module_information as module,
        process_module_information_ex as module_ex, process_modules,
    };
    use ntldr::{
        RTL_PROCESS_MODULE_INFORMATION as MODULE, RTL_PROCESS_MODULE_INFORMATION_EX as MODULE_EX,
        RTL_PROCESS_MODULES,
    };
    use ntregapi::KEY_BASIC_INFORMATION;
    assert!(offset_of!(KEY_BASIC_INFORMATION, NameLength) == subkey::NAME_LENGTH);
    assert!(offset_of!(KEY_BASIC_INFORMATION, Name) == subkey::NAME);
    assert!(offset_of!(RTL_PROCESS_MODULES, Modules) == process_modules::MODULES);
    assert!(offset_of!(MODULE, FullPathName) == module::FULL_PATH_NAME);
    assert!(size_of::<MODULE>() == module::SIZE);
    assert!(module::SIZE == module::FULL_PATH_NAME + module::FULL_PATH_NAME_SIZE);
    assert!(offset_of!(MODULE_EX, NextOffset) == 0);
    assert!(offset_of!(MODULE_EX, BaseInfo) == module_ex::BASE_INFO);
    use layout::user_shared_data as shared;
    use ntexapi::KUSER_SHARED_DATA;
    assert!(offset_of!(KUSER_SHARED_DATA, InterruptTime) == shared::INTERRUPT_TIME);
    assert!(offset_of!(KUSER_SHARED_DATA, SystemTime) == shared::SYSTEM_TIME);
    assert!(offset_of!(KUSER_SHARED_DATA, SafeBootMode) == shared::SAFE_BOOT_MODE);
    assert!(offset_of!(KUSER_SHARED_DATA, NtSystemRoot) == shared::NT_SYSTEM_ROOT);
    assert!(offset_of!(KUSER_SHARED_DATA, NtMajorVersion) == shared::NT_MAJOR_VERSION);
    assert!(offset_of!(KUSER_SHARED_DATA, NtMinorVersion) == shared::NT_MINOR_VERSION);
};
