//! The system calls of the simulated machine.

use super::answers;
use super::call::{Entered, Outcome, asking};
use super::fault::Fault;
use super::fields::{Fields, POINTER};
use super::machine::{BOOT_TIME, Reply};
use super::numbers::{access, status};
use super::objects::{Body, opening};
use super::{Object, Simulated, Thread};
use crate::nt::{Answer, Buffer, Clock, FileRequest, Handle, Kernel, Row, Status, Task};
use bootshot_format::ObjectKind;
use std::io::Write;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// Performance counter ticks in a second: a tick is 100 ns.
const FREQUENCY: u64 = 10_000_000;

fn text(characters: &[u16]) -> String {
    String::from_utf16_lossy(characters)
}

fn status_of(result: Result<(), Status>) -> Status {
    result.err().unwrap_or(Status::SUCCESS)
}

impl Kernel for &'static Simulated {
    fn query_system_information(self, class: u32, buffer: Buffer<'_>) -> Answer {
        const FIRMWARE_TABLE: u32 = 76;
        let bytes = buffer.into_bytes();
        let request = bytes.first_chunk().copied().unwrap_or_default();
        self.query(
            asking("NtQuerySystemInformation", class),
            bytes,
            |state, capacity, address| match class {
                FIRMWARE_TABLE => state.firmware_table(request, capacity),
                _ => state.system_information(class, capacity, address),
            },
        )
    }

    fn query_object(self, handle: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        const BASIC: u32 = 0;
        const NAME: u32 = 1;
        const TYPE: u32 = 2;
        const TYPES: u32 = 3;
        self.query(
            asking("NtQueryObject", class).of(handle),
            buffer.into_bytes(),
            |state, capacity, address| {
                let short = Status::INFO_LENGTH_MISMATCH;
                if class == TYPES {
                    return if state.machine.types_answer {
                        Outcome::whole(
                            answers::object_types(&state.machine.types, address),
                            capacity,
                            short,
                        )
                    } else {
                        // The length is that of the buffer, as seen on NT 5.2.
                        Outcome(Status::NOT_IMPLEMENTED, capacity, Vec::new())
                    };
                }
                let Some(object) = state.handles.get(&handle.0) else {
                    return Outcome::failed(status::INVALID_HANDLE);
                };
                match class {
                    BASIC => {
                        let reply = state.basic_information(handle.0).map(Reply::Exact);
                        Outcome::of(reply.as_ref(), capacity, address, short)
                    }
                    NAME => Outcome::of(
                        Some(&Reply::Text(state.name(object).to_owned())),
                        capacity,
                        address,
                        short,
                    ),
                    TYPE => {
                        let index = usize::from(state.type_index(object));
                        let bytes = answers::object_type(
                            Fields::new(),
                            state.type_name(object),
                            index,
                            address,
                        )
                        .done();
                        Outcome::whole(bytes, capacity, short)
                    }
                    _ => Outcome::failed(Status::INVALID_INFO_CLASS),
                }
            },
        )
    }

    fn query_information_process(self, process: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        const ANY: u32 =
            access::PROCESS_QUERY_INFORMATION | access::PROCESS_QUERY_LIMITED_INFORMATION;
        self.query(
            asking("NtQueryInformationProcess", class).of(process),
            buffer.into_bytes(),
            |state, capacity, address| match state.process(process, ANY) {
                Ok(process) => {
                    let reply = process.information.get(&class);
                    Outcome::of(reply, capacity, address, Status::INFO_LENGTH_MISMATCH)
                }
                Err(status) => Outcome::failed(status),
            },
        )
    }

    fn query_information_token(self, token: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            asking("NtQueryInformationToken", class).of(token),
            buffer.into_bytes(),
            |state, capacity, address| {
                let Some(Object::Token(id)) = state.handles.get(&token.0) else {
                    return Outcome::failed(status::INVALID_HANDLE);
                };
                let process = state.process_of(*id);
                let reply = process.and_then(|process| process.token.get(&class));
                Outcome::of(reply, capacity, address, Status::BUFFER_TOO_SMALL)
            },
        )
    }

    fn query_directory_object(
        self,
        directory: Handle,
        single: bool,
        restart: bool,
        context: &mut u32,
        buffer: Buffer<'_>,
    ) -> Answer {
        self.query(
            asking("NtQueryDirectoryObject", single).of(directory),
            buffer.into_bytes(),
            |state, capacity, address| {
                let entries = match state.directory_entries(directory) {
                    Ok(entries) => entries,
                    Err(status) => return Outcome::failed(status),
                };
                if !single && state.machine.single_entries_only {
                    return Outcome::failed(Status::NOT_IMPLEMENTED);
                }
                let from = if restart { 0 } else { *context as usize };
                let left = entries.get(from..).unwrap_or_default();
                let wanted = &left[..if single {
                    left.len().min(1)
                } else {
                    left.len()
                }];
                if wanted.is_empty() {
                    // An end marker is written all the same, as recorded on NT 5.2.
                    let bytes = Fields::new()
                        .unicode_string(0, 0, 0)
                        .unicode_string(0, 0, 0)
                        .done();
                    let length = bytes.len();
                    let bytes = if length <= capacity {
                        bytes
                    } else {
                        Vec::new()
                    };
                    return Outcome(Status::NO_MORE_ENTRIES, length, bytes);
                }
                let (bytes, count) = answers::directory(wanted, capacity, address);
                if count == 0 {
                    let (needed, _) = answers::directory(&wanted[..1], usize::MAX, address);
                    return Outcome(Status::BUFFER_TOO_SMALL, needed.len(), Vec::new());
                }
                *context = (from + count) as u32;
                let status = if !single && count < wanted.len() {
                    Status::MORE_ENTRIES
                } else {
                    Status::SUCCESS
                };
                Outcome(status, bytes.len(), bytes)
            },
        )
    }

    fn query_value_key(self, key: Handle, value: &[u16], class: u32, buffer: Buffer<'_>) -> Answer {
        let name = text(value);
        self.query(
            asking("NtQueryValueKey", class).of(key).named(&name),
            buffer.into_bytes(),
            |state, capacity, _| {
                state
                    .value(key, &name, class, capacity)
                    .unwrap_or_else(Outcome::failed)
            },
        )
    }

    fn query_security_object(self, handle: Handle, information: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            asking("NtQuerySecurityObject", information).of(handle),
            buffer.into_bytes(),
            |state, capacity, _| match state.security(handle) {
                Ok(security) => {
                    let bytes = security.descriptor(information);
                    Outcome::whole(bytes, capacity, Status::BUFFER_TOO_SMALL)
                }
                Err(status) => Outcome::failed(status),
            },
        )
    }

    fn query_volume_information_file(self, file: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            asking("NtQueryVolumeInformationFile", class).of(file),
            buffer.into_bytes(),
            |state, capacity, _| match (state.handles.get(&file.0), state.volume_information(class))
            {
                (Some(Object::File(_) | Object::Volume(_)), Some((bytes, fixed))) => {
                    let outcome =
                        Outcome::partial(bytes, capacity, fixed, Status::INFO_LENGTH_MISMATCH);
                    // The I/O status block counts what was written.
                    Outcome(outcome.0, outcome.2.len(), outcome.2)
                }
                (Some(Object::File(_) | Object::Volume(_)), None) => {
                    Outcome::failed(Status::INVALID_INFO_CLASS)
                }
                _ => Outcome::failed(status::INVALID_HANDLE),
            },
        )
    }

    fn query_information_file(self, file: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        const BASIC: u32 = 4;
        const STANDARD: u32 = 5;
        self.query(
            asking("NtQueryInformationFile", class).of(file),
            buffer.into_bytes(),
            |state, capacity, _| {
                let node = match state.file(file) {
                    Ok(file) => file.node,
                    Err(status) => return Outcome::failed(status),
                };
                let files = &state.machine.files;
                let attributes = files.attributes(node);
                let length = files.length(node);
                let fields = match class {
                    BASIC => (1..=4)
                        .fold(Fields::new(), |fields, n| {
                            fields.u64(BOOT_TIME as u64 - (n << 32))
                        })
                        .u32(attributes)
                        .align(8),
                    STANDARD => {
                        let fields = Fields::new()
                            .u64(length.next_multiple_of(0x1000))
                            .u64(length);
                        let (deleted, directory) =
                            (files.is_deleted(node), files.is_directory(node));
                        fields
                            .u32(1)
                            .u8(deleted.into())
                            .u8(directory.into())
                            .align(8)
                    }
                    _ => return Outcome::failed(Status::INVALID_INFO_CLASS),
                };
                Outcome::whole(fields.done(), capacity, Status::INFO_LENGTH_MISMATCH)
            },
        )
    }

    fn query_directory_file(self, directory: Handle, restart: bool, buffer: Buffer<'_>) -> Answer {
        self.query(
            asking("NtQueryDirectoryFile", restart).of(directory),
            buffer.into_bytes(),
            |state, capacity, _| {
                state
                    .list(directory, restart, capacity)
                    .unwrap_or_else(Outcome::failed)
            },
        )
    }

    fn read_virtual_memory(self, process: Handle, address: u64, buffer: &mut [u8]) -> Answer {
        self.query(
            asking("NtReadVirtualMemory", address).of(process),
            buffer,
            |state, capacity, _| {
                let mut bytes = vec![0; capacity];
                match state.read(process, address, &mut bytes) {
                    Ok(()) => Outcome(Status::SUCCESS, capacity, bytes),
                    Err(status) => Outcome::failed(status),
                }
            },
        )
    }

    fn open_process(self, process_id: u64, access: u32) -> Result<Handle, Status> {
        self.call(asking("NtOpenProcess", process_id), Err, |state| {
            let process = state.process_of(process_id);
            // The idle process has no process object that could be opened.
            let process = process
                .filter(|process| process.id != 0)
                .ok_or(status::INVALID_CID)?;
            if access & process.refused_access != 0 {
                return Err(Status::ACCESS_DENIED);
            }
            Ok(state.open(Object::Process(process_id, access)))
        })
    }

    fn open_process_token(self, process: Handle, _access: u32) -> Result<Handle, Status> {
        self.call(
            asking("NtOpenProcessToken", 0u32).of(process),
            Err,
            |state| {
                const ANY: u32 =
                    access::PROCESS_QUERY_INFORMATION | access::PROCESS_QUERY_LIMITED_INFORMATION;
                let process = state.process(process, ANY)?;
                if process.token.is_empty() {
                    return Err(Status::ACCESS_DENIED);
                }
                let id = process.id;
                Ok(state.open(Object::Token(id)))
            },
        )
    }

    fn set_value_key(self, key: Handle, value: &[u16], kind: u32, data: &[u8]) -> Status {
        let name = text(value);
        self.call(
            asking("NtSetValueKey", kind).of(key).named(&name),
            |status| status,
            |state| status_of(state.set_value(key, &name, (kind, data.to_vec()))),
        )
    }

    fn open(
        self,
        kind: ObjectKind,
        root: Handle,
        name: &[u16],
        access: u32,
    ) -> Result<Handle, Status> {
        let path = text(name);
        match kind {
            ObjectKind::KEY => self.call(asking("NtOpenKey", 0u32).named(&path), Err, |state| {
                state.open_key(&path, access)
            }),
            _ => self.call(
                asking(opening(kind).1, access).of(root).named(&path),
                Err,
                |state| state.open_object(kind, root, &path, access),
            ),
        }
    }

    fn next_process(self, process: Handle, access: u32) -> Result<Handle, Status> {
        let call = asking("NtGetNextProcess", access).of(process);
        self.call(call, Err, |state| state.next_process(process, access))
    }

    fn next_thread(self, process: Handle, thread: Handle, access: u32) -> Result<Handle, Status> {
        let call = asking("NtGetNextThread", access).of(process);
        self.call(call, Err, |state| {
            state.next_thread(process, thread, access)
        })
    }

    fn duplicate(self, process: Handle, value: u64, access: Option<u32>) -> Result<Handle, Status> {
        let call = asking("NtDuplicateObject", value).of(process);
        self.call(call, Err, |state| state.duplicate(process, value, access))
    }

    fn is_process_in_job(self, process: Handle) -> Status {
        const ANY: u32 =
            access::PROCESS_QUERY_INFORMATION | access::PROCESS_QUERY_LIMITED_INFORMATION;
        self.call(
            asking("NtIsProcessInJob", 0u32).of(process),
            |status| status,
            |state| match state.process(process, ANY).map(|process| process.job) {
                Ok(Some(_)) => status::PROCESS_IN_JOB,
                Ok(None) => status::PROCESS_NOT_IN_JOB,
                Err(status) => status,
            },
        )
    }

    fn create_event(self) -> Result<Handle, Status> {
        self.call(asking("NtCreateEvent", 0u32), Err, |state| {
            Ok(state.open(Object::Event(false)))
        })
    }

    fn set_event(self, event: Handle) -> Status {
        self.call(
            asking("NtSetEvent", 0u32).of(event),
            |status| status,
            |state| match state.handles.get_mut(&event.0) {
                Some(Object::Event(set)) => {
                    *set = true;
                    self.changed.notify_all();
                    Status::SUCCESS
                }
                Some(_) => status::OBJECT_TYPE_MISMATCH,
                None => status::INVALID_HANDLE,
            },
        )
    }

    fn close(self, handle: Handle) -> Status {
        let Some(mut entered) = self.enter(asking("NtClose", handle.0 as u64).of(handle)) else {
            return Status::UNSUCCESSFUL;
        };
        let status = entered.state.close(handle);
        match entered.fault {
            Some(Fault::Fail(status) | Fault::FailWithLength(status, _)) => status,
            _ => status,
        }
    }

    fn create_file(self, request: &FileRequest<'_>) -> Result<Handle, Status> {
        let name = text(request.name);
        let call = asking("NtCreateFile", request.disposition).named(&name);
        self.call(call, Err, |state| state.create_file(request, &name))
    }

    fn query_symbolic_link_object(self, link: Handle, buffer: Buffer<'_>) -> Answer {
        const QUERY: u32 = 1;
        self.query(
            asking("NtQuerySymbolicLinkObject", 0u32).of(link),
            buffer.into_bytes(),
            |state, capacity, _| match state.object(link, QUERY).map(|object| &object.body) {
                Ok(Body::SymbolicLink(target, _)) => {
                    let target = Fields::new().characters(target).done();
                    Outcome::whole(target, capacity, Status::BUFFER_TOO_SMALL)
                }
                Ok(_) => Outcome::failed(status::OBJECT_TYPE_MISMATCH),
                Err(status) => Outcome::failed(status),
            },
        )
    }

    fn query_information_thread(self, thread: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            asking("NtQueryInformationThread", class).of(thread),
            buffer.into_bytes(),
            |state, capacity, address| {
                let Some(Object::OtherThread(id, _)) = state.handles.get(&thread.0) else {
                    return Outcome::failed(status::INVALID_HANDLE);
                };
                let reply = state.thread_information(*id, class);
                let short = Status::INFO_LENGTH_MISMATCH;
                Outcome::of(reply.as_ref(), capacity, address, short)
            },
        )
    }

    fn query_information_job_object(self, job: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            asking("NtQueryInformationJobObject", class).of(job),
            buffer.into_bytes(),
            |state, capacity, address| match state.job(job) {
                Ok(replies) => {
                    let short = Status::INFO_LENGTH_MISMATCH;
                    Outcome::of(replies.get(&class), capacity, address, short)
                }
                Err(status) => Outcome::failed(status),
            },
        )
    }

    fn query_key(self, key: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            asking("NtQueryKey", class).of(key),
            buffer.into_bytes(),
            |state, capacity, _| {
                state
                    .key_information(key, class, capacity)
                    .unwrap_or_else(Outcome::failed)
            },
        )
    }

    fn enumerate_key(self, key: Handle, index: u32, class: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            asking("NtEnumerateKey", index).of(key),
            buffer.into_bytes(),
            |state, capacity, _| {
                state
                    .subkey(key, index, class, capacity)
                    .unwrap_or_else(Outcome::failed)
            },
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
            asking("NtEnumerateValueKey", index).of(key),
            buffer.into_bytes(),
            |state, capacity, _| {
                state
                    .nth_value(key, index, class, capacity)
                    .unwrap_or_else(Outcome::failed)
            },
        )
    }

    fn enumerate_system_environment_values(self, class: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            asking("NtEnumerateSystemEnvironmentValuesEx", class),
            buffer.into_bytes(),
            |state, capacity, address| state.firmware_variables(class, capacity, address),
        )
    }

    fn read_file(self, file: Handle, buffer: Buffer<'_>) -> Answer {
        self.query(
            asking("NtReadFile", buffer.length() as u64).of(file),
            buffer.into_bytes(),
            |state, capacity, _| match state.read_file(file, capacity) {
                Ok(bytes) => Outcome(Status::SUCCESS, bytes.len(), bytes),
                Err(status) => Outcome::failed(status),
            },
        )
    }

    fn write_file(self, file: Handle, bytes: &[u8]) -> Answer {
        let failed = |status| Answer { status, length: 0 };
        self.call(
            asking("NtWriteFile", bytes.len() as u64).of(file),
            failed,
            |state| match state.write_file(file, bytes) {
                Ok(length) => Answer {
                    status: Status::SUCCESS,
                    length,
                },
                Err(status) => failed(status),
            },
        )
    }

    fn flush_buffers_file(self, file: Handle) -> Status {
        self.call(
            asking("NtFlushBuffersFile", 0u32).of(file),
            |status| status,
            |state| {
                const RIGHTS: u32 = access::WRITE_OR_ADD_FILE | access::APPEND_OR_ADD_SUBDIRECTORY;
                match state.handles.get(&file.0) {
                    Some(Object::Volume(granted)) if granted & RIGHTS == 0 => {
                        return Status::ACCESS_DENIED;
                    }
                    Some(Object::Volume(_)) => state.machine.files.flush_volume(),
                    _ => match state.file_with(file, RIGHTS) {
                        Ok(file) => {
                            let node = file.node;
                            state.machine.files.flush(node);
                        }
                        Err(status) => return status,
                    },
                }
                Status::SUCCESS
            },
        )
    }

    fn rename_file(self, file: Handle, directory: Handle, name: &[u16]) -> Status {
        let name = text(name);
        let call = asking("NtSetInformationFile", 10u32).of(file).named(&name);
        self.call(
            call,
            |status| status,
            |state| status_of(state.rename(file, directory, &name)),
        )
    }

    fn delete_file(self, file: Handle) -> Status {
        self.call(
            asking("NtSetInformationFile", 13u32).of(file),
            |status| status,
            |state| match state.file_with(file, access::DELETE).map(|file| file.node) {
                Ok(node) if state.machine.files.mark_deleted(node) => Status::SUCCESS,
                Ok(_) => status::DIRECTORY_NOT_EMPTY,
                Err(status) => status,
            },
        )
    }

    fn reserve_memory(self, length: usize) -> Result<usize, Status> {
        self.call(
            asking("NtAllocateVirtualMemory", length as u64).named("reserve"),
            Err,
            |state| state.memory.reserve(length),
        )
    }

    fn commit_memory(self, address: usize, length: usize) -> Status {
        let call = asking("NtAllocateVirtualMemory", length as u64).named("commit");
        self.call(
            call,
            |status| status,
            |state| state.memory.commit(address, length),
        )
    }

    unsafe fn release_memory(self, address: usize) {
        let Some(mut entered) = self.enter(asking("NtFreeVirtualMemory", 0u32)) else {
            return;
        };
        let status = entered.state.memory.release(address);
        drop(entered);
        assert!(
            status.is_success(),
            "memory at {address:#x} was released, which was not reserved: {status:x?}"
        );
    }

    fn start_thread<T: Task<Self>>(self, task: &'static T) -> Result<Handle, Status> {
        self.call(asking("RtlCreateUserThread", 0u32), Err, |state| {
            let thread = state.threads.len();
            state.threads.push(Thread::default());
            let running = self.spawn(thread, move || task.run(self));
            state.running.push(running);
            Ok(state.open(Object::Thread(thread)))
        })
    }

    fn wait(self, handle: Handle, milliseconds: Option<u32>) -> Status {
        let limit = milliseconds.map(u64::from);
        let call = asking("NtWaitForSingleObject", limit.unwrap_or(u64::MAX)).of(handle);
        let Some(Entered {
            mut state, fault, ..
        }) = self.enter(call)
        else {
            return Status::UNSUCCESSFUL;
        };
        if let Some(Fault::Fail(status) | Fault::FailWithLength(status, _)) = fault {
            return status;
        }
        let thread = state.current_thread();
        let is_thread = matches!(state.handles.get(&handle.0), Some(Object::Thread(_)));
        let deadline = limit.map(|limit| {
            (
                state.elapsed.saturating_add(limit * 10_000),
                Instant::now() + Duration::from_millis(limit),
            )
        });
        while !state.over {
            state.threads[thread].waits_for = None;
            match state.signalled(handle) {
                Ok(true) => return Status::SUCCESS,
                Ok(false) => {}
                Err(status) => return status,
            }
            let in_vain = state.waits_in_vain(handle);
            state.threads[thread].waits_for = Some(handle);
            state = match deadline {
                None if in_vain && is_thread => self.hang(state),
                None => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some((simulated, real)) => {
                    let left = real.saturating_duration_since(Instant::now());
                    if in_vain || state.elapsed >= simulated || left.is_zero() {
                        state.elapsed = state.elapsed.max(simulated);
                        state.threads[thread].waits_for = None;
                        return Status::TIMEOUT;
                    }
                    self.changed
                        .wait_timeout(state, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
        drop(state);
        self.locked();
        Status::UNSUCCESSFUL
    }

    fn delay(self, milliseconds: u32) {
        if let Some(mut entered) = self.enter(asking("NtDelayExecution", milliseconds)) {
            entered.state.elapsed += u64::from(milliseconds) * 10_000;
            self.changed.notify_all();
            drop(entered);
            std::thread::yield_now();
        }
    }

    fn set_hard_error_mode(self, mode: u32) -> Status {
        self.call(
            asking("NtSetInformationProcess", 12u32),
            |status| status,
            |state| {
                state.hard_error_mode = Some(mode);
                Status::SUCCESS
            },
        )
    }

    fn enable_privilege(self, luid: u32) -> Status {
        self.call(
            asking("RtlAdjustPrivilege", luid),
            |status| status,
            |state| {
                if !state.machine.privileges.contains(&luid) {
                    return status::PRIVILEGE_NOT_HELD;
                }
                state.enabled_privileges.insert(luid);
                Status::SUCCESS
            },
        )
    }

    fn clock(self) -> Clock {
        self.locked().map(|state| state.clock()).unwrap_or_default()
    }

    fn performance_counter(self) -> (u64, u64) {
        let elapsed = self.locked().map_or(0, |mut state| {
            state.elapsed += 1;
            state.machine.interrupt_time + state.elapsed
        });
        (elapsed, FREQUENCY)
    }

    fn display_string(self, string: &[u16]) -> Status {
        self.call(
            asking("NtDisplayString", string.len() as u64),
            |status| status,
            |state| {
                if !state.machine.console {
                    return status::PRIVILEGE_NOT_HELD;
                }
                state.console.push_str(&text(string));
                Status::SUCCESS
            },
        )
    }

    fn format_row(self, row: &Row, to: &mut [u8]) -> usize {
        let Row {
            name,
            asked,
            answered,
            kibibytes,
            milliseconds,
        } = *row;
        let text = format!(
            "  {name:10} {answered:5} of {asked} answered {kibibytes:9} KiB {milliseconds:7} ms\0"
        );
        match (&mut *to).write_all(text.as_bytes()) {
            Ok(()) => text.len() - 1,
            Err(_) => 0,
        }
    }
}

const _: () = assert!(POINTER == size_of::<Handle>());
