//! A kernel that notes what it is asked, in order: what the baseline then asks again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bootshot::nt::simulated::Simulated;
use bootshot::nt::{Answer, Buffer, Clock, FileRequest, Handle, Kernel, Row, Status, Task};
use bootshot_format::ObjectKind;

/// A call whose answer is bytes.
#[derive(Clone, Debug)]
pub enum Query {
    System(u32),
    Object(Handle, u32),
    Process(Handle, u32),
    Token(Handle, u32),
    /// Directory, one entry, from the start, context before the call.
    Directory(Handle, bool, bool, u32),
    SymbolicLink(Handle),
    Thread(Handle, u32),
    Job(Handle, u32),
    Key(Handle, u32),
    /// Key, index, class.
    Subkey(Handle, u32, u32),
    KeyValue(Handle, u32, u32),
    FirmwareVariables(u32),
    Value(Handle, Box<[u16]>, u32),
    Security(Handle, u32),
    Volume(Handle, u32),
    File(Handle, u32),
    DirectoryFile(Handle, bool),
    Memory(Handle, u64),
    ReadFile(Handle),
}

/// A call that gives a handle or takes one back.
#[derive(Clone, Debug)]
pub enum Opening {
    Process(u64, u32),
    ProcessToken(Handle, u32),
    Named(ObjectKind, Handle, Box<[u16]>, u32),
    NextProcess(Handle, u32),
    NextThread(Handle, Handle, u32),
    Duplicate(Handle, u64, Option<u32>),
    File(Created),
    Event,
    /// A thread: here it only takes its place among the handles.
    Thread,
    Close(Handle),
}

/// What [`FileRequest`] says.
#[derive(Clone, Debug)]
pub struct Created {
    pub directory: Handle,
    pub name: Box<[u16]>,
    pub access: u32,
    pub share: u32,
    pub disposition: u32,
    pub options: u32,
    pub security: Option<&'static [u32]>,
}

/// One call.
#[derive(Clone, Debug)]
pub enum Operation {
    /// With the bytes its buffer had, and those that the answer took of it.
    Query(Query, usize, usize),
    Open(Opening),
    /// Whether an object is signalled.
    Poll(Handle),
    IsInJob(Handle),
    /// The snapshot gets its name.
    Rename(Handle, Handle, Box<[u16]>),
    Delete(Handle),
}

#[derive(Default)]
struct Recording {
    operations: Vec<Operation>,
    calls: BTreeMap<&'static str, u64>,
}

/// The kernel; it lives as long as the program.
pub struct Recorder {
    inner: &'static Simulated,
    recording: Mutex<Recording>,
}

/// What was asked of it.
#[derive(Debug)]
pub struct Recorded {
    /// The calls that the baseline makes again, in order.
    pub operations: Vec<Operation>,
    /// All calls, by name.
    pub calls: BTreeMap<&'static str, u64>,
}

impl Recorded {
    /// How many calls there were.
    pub fn total(&self) -> u64 {
        self.calls.values().sum()
    }

    /// Bytes of the largest answer.
    pub fn largest_answer(&self) -> usize {
        let lengths = self.operations.iter().map(|operation| match operation {
            Operation::Query(_, _, length) => *length,
            _ => 0,
        });
        lengths.max().unwrap_or(0)
    }
}

impl Recorder {
    /// Notes what is asked of `inner`.
    pub fn new(inner: &'static Simulated) -> &'static Self {
        Box::leak(Box::new(Self {
            inner,
            recording: Mutex::default(),
        }))
    }

    /// Gives out what was noted so far.
    pub fn take(&self) -> Recorded {
        let Recording { operations, calls } = std::mem::take(&mut *self.recording());
        Recorded { operations, calls }
    }

    fn recording(&self) -> MutexGuard<'_, Recording> {
        self.recording
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, call: &'static str, operation: impl Into<Option<Operation>>) {
        let mut recording = self.recording();
        *recording.calls.entry(call).or_insert(0) += 1;
        recording.operations.extend(operation.into());
    }

    fn query(
        &self,
        call: &'static str,
        query: Query,
        buffer: Buffer<'_>,
        ask: impl FnOnce(Buffer<'_>) -> Answer,
    ) -> Answer {
        let capacity = buffer.length();
        let answer = ask(buffer);
        let length = match answer.status.is_success() {
            true => answer.length.min(capacity),
            false => 0,
        };
        self.note(call, Operation::Query(query, capacity, length));
        answer
    }

    fn open(&self, call: &'static str, opening: Opening) {
        self.note(call, Operation::Open(opening));
    }
}

/// A task of a recorded program, on a thread of the kernel below.
struct OnRecorder<T: 'static>(&'static T, &'static Recorder);

impl<T: Task<&'static Recorder>> Task<&'static Simulated> for OnRecorder<T> {
    fn run(&'static self, _: &'static Simulated) {
        self.0.run(self.1);
    }
}

impl Kernel for &'static Recorder {
    fn query_system_information(self, class: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            "NtQuerySystemInformation",
            Query::System(class),
            buffer,
            |buffer| self.inner.query_system_information(class, buffer),
        )
    }

    fn query_object(self, handle: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            "NtQueryObject",
            Query::Object(handle, class),
            buffer,
            |buffer| self.inner.query_object(handle, class, buffer),
        )
    }

    fn query_information_process(self, process: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            "NtQueryInformationProcess",
            Query::Process(process, class),
            buffer,
            |buffer| self.inner.query_information_process(process, class, buffer),
        )
    }

    fn query_information_token(self, token: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            "NtQueryInformationToken",
            Query::Token(token, class),
            buffer,
            |buffer| self.inner.query_information_token(token, class, buffer),
        )
    }

    fn query_symbolic_link_object(self, link: Handle, buffer: Buffer<'_>) -> Answer {
        self.query(
            "NtQuerySymbolicLinkObject",
            Query::SymbolicLink(link),
            buffer,
            |buffer| self.inner.query_symbolic_link_object(link, buffer),
        )
    }

    fn query_information_thread(self, thread: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            "NtQueryInformationThread",
            Query::Thread(thread, class),
            buffer,
            |buffer| self.inner.query_information_thread(thread, class, buffer),
        )
    }

    fn query_information_job_object(self, job: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            "NtQueryInformationJobObject",
            Query::Job(job, class),
            buffer,
            |buffer| self.inner.query_information_job_object(job, class, buffer),
        )
    }

    fn query_key(self, key: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        self.query("NtQueryKey", Query::Key(key, class), buffer, |buffer| {
            self.inner.query_key(key, class, buffer)
        })
    }

    fn enumerate_key(self, key: Handle, index: u32, class: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            "NtEnumerateKey",
            Query::Subkey(key, index, class),
            buffer,
            |buffer| self.inner.enumerate_key(key, index, class, buffer),
        )
    }

    fn enumerate_value_key(
        self,
        key: Handle,
        index: u32,
        class: u32,
        buffer: Buffer<'_>,
    ) -> Answer {
        self.query(
            "NtEnumerateValueKey",
            Query::KeyValue(key, index, class),
            buffer,
            |buffer| self.inner.enumerate_value_key(key, index, class, buffer),
        )
    }

    fn enumerate_system_environment_values(self, class: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            "NtEnumerateSystemEnvironmentValuesEx",
            Query::FirmwareVariables(class),
            buffer,
            |buffer| {
                self.inner
                    .enumerate_system_environment_values(class, buffer)
            },
        )
    }

    fn query_value_key(self, key: Handle, value: &[u16], class: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            "NtQueryValueKey",
            Query::Value(key, value.into(), class),
            buffer,
            |buffer| self.inner.query_value_key(key, value, class, buffer),
        )
    }

    fn query_security_object(self, handle: Handle, information: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            "NtQuerySecurityObject",
            Query::Security(handle, information),
            buffer,
            |buffer| {
                self.inner
                    .query_security_object(handle, information, buffer)
            },
        )
    }

    fn query_volume_information_file(self, file: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            "NtQueryVolumeInformationFile",
            Query::Volume(file, class),
            buffer,
            |buffer| {
                self.inner
                    .query_volume_information_file(file, class, buffer)
            },
        )
    }

    fn query_information_file(self, file: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            "NtQueryInformationFile",
            Query::File(file, class),
            buffer,
            |buffer| self.inner.query_information_file(file, class, buffer),
        )
    }

    fn query_directory_file(self, directory: Handle, restart: bool, buffer: Buffer<'_>) -> Answer {
        self.query(
            "NtQueryDirectoryFile",
            Query::DirectoryFile(directory, restart),
            buffer,
            |buffer| self.inner.query_directory_file(directory, restart, buffer),
        )
    }

    fn read_file(self, file: Handle, buffer: Buffer<'_>) -> Answer {
        self.query("NtReadFile", Query::ReadFile(file), buffer, |buffer| {
            self.inner.read_file(file, buffer)
        })
    }

    fn query_directory_object(
        self,
        directory: Handle,
        single: bool,
        restart: bool,
        context: &mut u32,
        buffer: Buffer<'_>,
    ) -> Answer {
        let query = Query::Directory(directory, single, restart, *context);
        self.query("NtQueryDirectoryObject", query, buffer, |buffer| {
            self.inner
                .query_directory_object(directory, single, restart, context, buffer)
        })
    }

    fn read_virtual_memory(self, process: Handle, address: u64, buffer: &mut [u8]) -> Answer {
        let answer = self.inner.read_virtual_memory(process, address, buffer);
        let length = if answer.status.is_success() {
            answer.length
        } else {
            0
        };
        let query = Query::Memory(process, address);
        self.note(
            "NtReadVirtualMemory",
            Operation::Query(query, buffer.len(), length),
        );
        answer
    }

    fn open_process(self, process_id: u64, access: u32) -> Result<Handle, Status> {
        self.open("NtOpenProcess", Opening::Process(process_id, access));
        self.inner.open_process(process_id, access)
    }

    fn open_process_token(self, process: Handle, access: u32) -> Result<Handle, Status> {
        self.open("NtOpenProcessToken", Opening::ProcessToken(process, access));
        self.inner.open_process_token(process, access)
    }

    fn open(
        self,
        kind: ObjectKind,
        root: Handle,
        name: &[u16],
        access: u32,
    ) -> Result<Handle, Status> {
        self.open("NtOpen*", Opening::Named(kind, root, name.into(), access));
        self.inner.open(kind, root, name, access)
    }

    fn next_process(self, process: Handle, access: u32) -> Result<Handle, Status> {
        self.open("NtGetNextProcess", Opening::NextProcess(process, access));
        self.inner.next_process(process, access)
    }

    fn next_thread(self, process: Handle, thread: Handle, access: u32) -> Result<Handle, Status> {
        self.open(
            "NtGetNextThread",
            Opening::NextThread(process, thread, access),
        );
        self.inner.next_thread(process, thread, access)
    }

    fn duplicate(self, process: Handle, value: u64, access: Option<u32>) -> Result<Handle, Status> {
        self.open(
            "NtDuplicateObject",
            Opening::Duplicate(process, value, access),
        );
        self.inner.duplicate(process, value, access)
    }

    fn create_event(self) -> Result<Handle, Status> {
        self.open("NtCreateEvent", Opening::Event);
        self.inner.create_event()
    }

    fn create_file(self, request: &FileRequest<'_>) -> Result<Handle, Status> {
        let created = Created {
            directory: request.directory,
            name: request.name.into(),
            access: request.access,
            share: request.share,
            disposition: request.disposition,
            options: request.options,
            security: request.security,
        };
        self.open("NtCreateFile", Opening::File(created));
        self.inner.create_file(request)
    }

    fn start_thread<T: Task<Self>>(self, task: &'static T) -> Result<Handle, Status> {
        self.open("RtlCreateUserThread", Opening::Thread);
        self.inner
            .start_thread(Box::leak(Box::new(OnRecorder(task, self))))
    }

    fn close(self, handle: Handle) -> Status {
        self.open("NtClose", Opening::Close(handle));
        self.inner.close(handle)
    }

    fn is_process_in_job(self, process: Handle) -> Status {
        self.note("NtIsProcessInJob", Operation::IsInJob(process));
        self.inner.is_process_in_job(process)
    }

    fn wait(self, handle: Handle, milliseconds: Option<u32>) -> Status {
        let poll = (milliseconds == Some(0)).then_some(Operation::Poll(handle));
        self.note("NtWaitForSingleObject", poll);
        self.inner.wait(handle, milliseconds)
    }

    fn rename_file(self, file: Handle, directory: Handle, name: &[u16]) -> Status {
        self.note(
            "NtSetInformationFile",
            Operation::Rename(file, directory, name.into()),
        );
        self.inner.rename_file(file, directory, name)
    }

    fn delete_file(self, file: Handle) -> Status {
        self.note("NtSetInformationFile", Operation::Delete(file));
        self.inner.delete_file(file)
    }

    fn set_value_key(self, key: Handle, value: &[u16], kind: u32, data: &[u8]) -> Status {
        self.note("NtSetValueKey", None);
        self.inner.set_value_key(key, value, kind, data)
    }

    fn write_file(self, file: Handle, bytes: &[u8]) -> Answer {
        self.note("NtWriteFile", None);
        self.inner.write_file(file, bytes)
    }

    fn flush_buffers_file(self, file: Handle) -> Status {
        self.note("NtFlushBuffersFile", None);
        self.inner.flush_buffers_file(file)
    }

    fn reserve_memory(self, length: usize) -> Result<usize, Status> {
        self.note("NtAllocateVirtualMemory", None);
        self.inner.reserve_memory(length)
    }

    fn commit_memory(self, address: usize, length: usize) -> Status {
        self.note("NtAllocateVirtualMemory", None);
        self.inner.commit_memory(address, length)
    }

    fn set_event(self, event: Handle) -> Status {
        self.note("NtSetEvent", None);
        self.inner.set_event(event)
    }

    fn delay(self, milliseconds: u32) {
        self.note("NtDelayExecution", None);
        self.inner.delay(milliseconds)
    }

    fn set_hard_error_mode(self, mode: u32) -> Status {
        self.note("NtSetInformationProcess", None);
        self.inner.set_hard_error_mode(mode)
    }

    fn enable_privilege(self, luid: u32) -> Status {
        self.note("RtlAdjustPrivilege", None);
        self.inner.enable_privilege(luid)
    }

    fn display_string(self, text: &[u16]) -> Status {
        self.note("NtDisplayString", None);
        self.inner.display_string(text)
    }

    #[allow(unsafe_code)]
    unsafe fn release_memory(self, address: usize) {
        self.note("NtFreeVirtualMemory", None);
        // SAFETY: the caller's promise.
        unsafe { self.inner.release_memory(address) }
    }

    fn clock(self) -> Clock {
        self.inner.clock()
    }

    fn performance_counter(self) -> (u64, u64) {
        self.note("NtQueryPerformanceCounter", None);
        self.inner.performance_counter()
    }

    fn format_row(self, row: &Row, to: &mut [u8]) -> usize {
        self.inner.format_row(row, to)
    }
}
