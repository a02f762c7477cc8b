//! The system calls of the simulated machine.

use super::answers::{self, Depth};
use super::fault::{Call, Fault, Given};
use super::fields::{Fields, POINTER, utf16_length};
use super::files::{FileSystem, Kind, NodeId, ROOT};
use super::machine::{HandleEntry, Process, Reply};
use super::space::USER_SHARED_DATA;
use super::{CURRENT, Object, OpenFile, Simulated, State, Stopped, Thread};
use crate::nt::{Answer, Buffer, Clock, FileRequest, Handle, Kernel, Row, Status, Task};
use std::io::Write;
use std::panic::resume_unwind;
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[rustfmt::skip]
mod status {
    use crate::nt::Status;

    pub const INVALID_HANDLE: Status = Status(0xC000_0008);
    pub const INVALID_CID: Status = Status(0xC000_000B);
    pub const OBJECT_TYPE_MISMATCH: Status = Status(0xC000_0024);
    pub const OBJECT_NAME_INVALID: Status = Status(0xC000_0033);
    pub const OBJECT_PATH_NOT_FOUND: Status = Status(0xC000_003A);
    pub const OBJECT_PATH_SYNTAX_BAD: Status = Status(0xC000_003B);
    pub const DELETE_PENDING: Status = Status(0xC000_0056);
    pub const PRIVILEGE_NOT_HELD: Status = Status(0xC000_0061);
    pub const FILE_IS_A_DIRECTORY: Status = Status(0xC000_00BA);
    pub const DIRECTORY_NOT_EMPTY: Status = Status(0xC000_0101);
    pub const NOT_A_DIRECTORY: Status = Status(0xC000_0103);
}

/// Access rights.
mod access {
    pub const LIST_OR_READ: u32 = 0x0001;
    pub const WRITE_OR_ADD_FILE: u32 = 0x0002;
    pub const APPEND_OR_ADD_SUBDIRECTORY: u32 = 0x0004;
    pub const DELETE: u32 = 0x0001_0000;
    pub const READ_CONTROL: u32 = 0x0002_0000;
    pub const SYNCHRONIZE: u32 = 0x0010_0000;
    pub const KEY_SET_VALUE: u32 = 0x0002;
    pub const PROCESS_VM_READ: u32 = 0x0010;
    pub const PROCESS_QUERY_INFORMATION: u32 = 0x0400;
    pub const PROCESS_QUERY_LIMITED_INFORMATION: u32 = 0x1000;

    /// What the generic rights of files stand for.
    pub fn of_file(asked: u32) -> u32 {
        let generic = [
            (31, 0x0012_0089),
            (30, 0x0012_0116),
            (29, 0x0012_00A0),
            (28, 0x001F_01FF),
            (25, 0x001F_01FF),
        ];
        let granted = generic
            .iter()
            .filter(|(bit, _)| asked & 1 << bit != 0)
            .fold(asked, |all, (_, rights)| all | rights);
        granted & 0x01FF_FFFF
    }
}

/// Create options.
mod option {
    pub const DIRECTORY_FILE: u32 = 0x0001;
    pub const WRITE_THROUGH: u32 = 0x0002;
    pub const SYNCHRONOUS: u32 = 0x0010 | 0x0020;
    pub const NON_DIRECTORY_FILE: u32 = 0x0040;
    pub const DELETE_ON_CLOSE: u32 = 0x1000;
    pub const OPEN_REPARSE_POINT: u32 = 0x0020_0000;
}

/// 100 ns that a call takes.
const CALL_TIME: u64 = 50;
/// Performance counter ticks in a second: a tick is 100 ns.
const FREQUENCY: u64 = 10_000_000;
const PROCESS_INFORMATION: u32 = 5;
const MODULES: u32 = 11;
const HANDLES: u32 = 16;
const PROCESS_INFORMATION_EXTENDED: u32 = 57;
const HANDLES_EXTENDED: u32 = 64;
const MODULES_EXTENDED: u32 = 77;
const PROCESS_INFORMATION_FULL: u32 = 148;

/// What a query came to: a status, a length, and bytes for the start of the buffer.
struct Outcome(Status, usize, Vec<u8>);

impl Outcome {
    fn failed(status: Status) -> Self {
        Self(status, 0, Vec::new())
    }

    /// All of the bytes, or `short` and the length they need.
    fn whole(bytes: Vec<u8>, capacity: usize, short: Status) -> Self {
        if bytes.len() <= capacity {
            Self(Status::SUCCESS, bytes.len(), bytes)
        } else {
            Self(short, bytes.len(), Vec::new())
        }
    }

    /// All of the bytes, or as many as fit with `STATUS_BUFFER_OVERFLOW`, but never less than `fixed`.
    fn partial(mut bytes: Vec<u8>, capacity: usize, fixed: usize, short: Status) -> Self {
        let length = bytes.len();
        if capacity < fixed {
            return Self(short, length, Vec::new());
        }
        let status = if length <= capacity {
            Status::SUCCESS
        } else {
            Status::BUFFER_OVERFLOW
        };
        bytes.truncate(capacity);
        Self(status, length, bytes)
    }

    fn of(reply: Option<&Reply>, capacity: usize, address: u64, short: Status) -> Self {
        match reply.map(|reply| answers::given(reply, address)) {
            Some(Ok(bytes))
                if matches!(reply, Some(Reply::Exact(_))) && bytes.len() != capacity =>
            {
                Self(short, bytes.len(), Vec::new())
            }
            Some(Ok(bytes)) => Self::whole(bytes, capacity, short),
            Some(Err((status, length))) => Self(status, length, Vec::new()),
            None => Self::failed(Status::INVALID_INFO_CLASS),
        }
    }
}

/// How a call is logged.
struct Asking<'a> {
    name: &'static str,
    argument: u64,
    handle: Handle,
    text: &'a str,
}

fn asking(name: &'static str, argument: impl Into<u64>) -> Asking<'static> {
    Asking {
        name,
        argument: argument.into(),
        handle: Handle::NONE,
        text: "",
    }
}

impl<'a> Asking<'a> {
    fn of(self, handle: Handle) -> Self {
        Self { handle, ..self }
    }

    fn named(self, text: &'a str) -> Self {
        Self { text, ..self }
    }
}

/// A call on its way: the machine is locked, the call logged, its fault known.
struct Entered<'a> {
    state: MutexGuard<'a, State>,
    fault: Option<Fault>,
    log: usize,
}

impl Simulated {
    /// Locks the machine for a thread that still exists; `None` while the thread unwinds because it does not.
    fn locked(&self) -> Option<MutexGuard<'_, State>> {
        let state = self.lock();
        if !state.over {
            return Some(state);
        }
        drop(state);
        if std::thread::panicking() {
            return None;
        }
        resume_unwind(Box::new(Stopped))
    }

    fn enter(&self, asking: Asking<'_>) -> Option<Entered<'_>> {
        let mut state = self.locked()?;
        let thread = CURRENT.get();
        let number = state.threads[thread as usize].calls;
        state.threads[thread as usize].calls += 1;
        state.elapsed += CALL_TIME;
        let (process, text) = state.about(&asking);
        let call = Call {
            thread,
            number,
            name: asking.name,
            argument: asking.argument,
            process,
            text,
            answer: None,
        };
        let fault = state
            .machine
            .rules
            .iter()
            .find(|rule| (rule.when)(&call))
            .map(|rule| rule.fault);
        let log = state.calls.len();
        state.calls.push(call);
        match fault {
            Some(Fault::Hang) => self.hang(state),
            Some(Fault::PowerOff) => {
                state.power_lost = true;
                state.over = true;
                self.changed.notify_all();
                drop(state);
                resume_unwind(Box::new(Stopped))
            }
            Some(Fault::Late(milliseconds)) => {
                state.elapsed += u64::from(milliseconds) * 10_000;
                self.changed.notify_all();
                drop(state);
                // Whoever waited for less than that goes on meanwhile.
                std::thread::sleep(Duration::from_millis(5));
                state = self.locked()?;
            }
            _ => {}
        }
        Some(Entered { state, fault, log })
    }

    /// A call that gives a status or something opened.
    fn call<R>(
        &self,
        asking: Asking<'_>,
        failed: impl FnOnce(Status) -> R,
        work: impl FnOnce(&mut State) -> R,
    ) -> R {
        let Some(mut entered) = self.enter(asking) else {
            return failed(Status::UNSUCCESSFUL);
        };
        match entered.fault {
            Some(Fault::Fail(status) | Fault::FailWithLength(status, _)) => failed(status),
            _ => work(&mut entered.state),
        }
    }

    /// A call that fills a buffer.
    fn query(
        &self,
        asking: Asking<'_>,
        buffer: &mut [u8],
        work: impl FnOnce(&mut State, usize, u64) -> Outcome,
    ) -> Answer {
        let Some(mut entered) = self.enter(asking) else {
            return Answer {
                status: Status::UNSUCCESSFUL,
                length: 0,
            };
        };
        let (address, capacity) = (buffer.as_ptr().addr(), buffer.len());
        let Outcome(status, length, bytes) = match entered.fault {
            Some(Fault::Fail(status)) => Outcome::failed(status),
            Some(Fault::FailWithLength(status, length)) => Outcome(status, length, Vec::new()),
            _ => work(&mut entered.state, capacity, address as u64),
        };
        let length = match entered.fault {
            Some(Fault::Length(lie)) => lie(length),
            _ => length,
        };
        buffer[..bytes.len()].copy_from_slice(&bytes);
        let given = Given {
            status,
            length,
            address,
            capacity,
            bytes,
        };
        entered.state.calls[entered.log].answer = Some(given);
        Answer { status, length }
    }
}

impl State {
    /// Which process a call is about, and what it names.
    fn about(&self, asking: &Asking<'_>) -> (Option<u64>, String) {
        let path = match self.handles.get(&asking.handle.0) {
            _ if asking.name == "NtOpenProcess" => return (Some(asking.argument), String::new()),
            _ if asking.handle == Handle::CURRENT_PROCESS => {
                return (Some(self.machine.own_id), asking.text.to_owned());
            }
            Some(Object::Process(id, _) | Object::Token(id)) => {
                return (Some(*id), asking.text.to_owned());
            }
            Some(Object::Key(path, _) | Object::Directory(path)) => path,
            _ => return (None, asking.text.to_owned()),
        };
        let separator = if asking.text.is_empty() { "" } else { "\\" };
        (None, format!("{path}{separator}{}", asking.text))
    }

    fn open(&mut self, object: Object) -> Handle {
        let handle = self.next_handle;
        self.next_handle += 4;
        self.handles.insert(handle, object);
        Handle(handle)
    }

    fn file(&mut self, handle: Handle) -> Result<&mut OpenFile, Status> {
        match self.handles.get_mut(&handle.0) {
            Some(Object::File(file)) => Ok(file),
            Some(_) => Err(status::OBJECT_TYPE_MISMATCH),
            None => Err(status::INVALID_HANDLE),
        }
    }

    fn file_with(&mut self, handle: Handle, rights: u32) -> Result<&mut OpenFile, Status> {
        let file = self.file(handle)?;
        if file.access & rights == 0 {
            Err(Status::ACCESS_DENIED)
        } else {
            Ok(file)
        }
    }

    fn process(&self, handle: Handle, rights: u32) -> Result<&Process, Status> {
        let id = match self.handles.get(&handle.0) {
            _ if handle == Handle::CURRENT_PROCESS => self.machine.own_id,
            Some(Object::Process(_, granted)) if granted & rights == 0 => {
                return Err(Status::ACCESS_DENIED);
            }
            Some(Object::Process(id, _)) => *id,
            Some(_) => return Err(status::OBJECT_TYPE_MISMATCH),
            None => return Err(status::INVALID_HANDLE),
        };
        self.machine
            .processes
            .iter()
            .find(|process| process.id == id)
            .ok_or(status::INVALID_CID)
    }

    fn all_handles(&self) -> Vec<HandleEntry> {
        let own = self.handles.iter().map(|(value, object)| HandleEntry {
            process: self.machine.own_id,
            value: *value as u64,
            type_index: self.type_index(object),
            access: object.access(),
            attributes: 0,
            object: 0xFFFF_C000_0000_0000 + *value as u64 * 0x20,
        });
        self.machine.handles.iter().copied().chain(own).collect()
    }

    fn type_index(&self, object: &Object) -> u16 {
        self.machine
            .types
            .iter()
            .position(|name| name == object.type_name())
            .map_or(0, |place| place as u16 + 2)
    }

    fn system_information(&self, class: u32, capacity: usize, address: u64) -> Outcome {
        if self.machine.unknown_classes.contains(&class) {
            return Outcome::failed(Status::INVALID_INFO_CLASS);
        }
        let open_handles = self.handles.len() as u32;
        let processes = |depth| answers::processes(&self.machine, depth, open_handles, address);
        let bytes = match class {
            _ if self.machine.system.contains_key(&class) => {
                let reply = self.machine.system.get(&class);
                return Outcome::of(reply, capacity, address, Status::INFO_LENGTH_MISMATCH);
            }
            PROCESS_INFORMATION => processes(Depth::Plain),
            PROCESS_INFORMATION_EXTENDED => processes(Depth::Extended),
            PROCESS_INFORMATION_FULL => processes(Depth::Full),
            HANDLES => answers::handles(&self.all_handles()),
            HANDLES_EXTENDED => answers::handles_extended(&self.all_handles()),
            MODULES => answers::modules(&self.machine),
            MODULES_EXTENDED => answers::modules_extended(&self.machine),
            _ => return Outcome::failed(Status::INVALID_INFO_CLASS),
        };
        Outcome::whole(bytes, capacity, Status::INFO_LENGTH_MISMATCH)
    }

    fn create_file(&mut self, request: &FileRequest<'_>, name: &str) -> Result<Handle, Status> {
        const FILE_OPEN: u32 = 1;
        const FILE_CREATE: u32 = 2;
        const FILE_OPEN_IF: u32 = 3;
        if !matches!(request.disposition, FILE_OPEN | FILE_CREATE | FILE_OPEN_IF) {
            return Err(Status::INVALID_PARAMETER);
        }
        if request.options & option::SYNCHRONOUS != 0 && request.access & access::SYNCHRONIZE == 0 {
            return Err(Status::INVALID_PARAMETER);
        }
        let granted = access::of_file(request.access);
        let (directory, path) = self.place(request.directory, name)?;
        if path.is_empty() && name.to_lowercase().trim_start_matches(r"\??") == r"\c:" {
            return Ok(self.open(Object::Volume(granted)));
        }
        let files = &mut self.machine.files;
        let (parent, last) = match path.rsplit_once('\\') {
            Some((parent, last)) => (
                files
                    .find(directory, parent)
                    .ok_or(status::OBJECT_PATH_NOT_FOUND)?,
                last.to_owned(),
            ),
            None => (directory, path.clone()),
        };
        if !files.is_directory(parent) {
            return Err(status::OBJECT_PATH_NOT_FOUND);
        }
        if last.contains(|character: char| r#"*?<>|":/"#.contains(character)) {
            return Err(status::OBJECT_NAME_INVALID);
        }
        let as_directory = request.options & option::DIRECTORY_FILE != 0;
        let found = match request.options & option::OPEN_REPARSE_POINT {
            0 => files.find(parent, &last),
            _ => files.find_itself(parent, &last),
        };
        let node = match found {
            Some(_) if request.disposition == FILE_CREATE => {
                return Err(Status::OBJECT_NAME_COLLISION);
            }
            Some(node) if files.is_deleted(node) => return Err(status::DELETE_PENDING),
            Some(node) if as_directory && !files.is_directory(node) => {
                return Err(status::NOT_A_DIRECTORY);
            }
            Some(node)
                if request.options & option::NON_DIRECTORY_FILE != 0
                    && files.is_directory(node) =>
            {
                return Err(status::FILE_IS_A_DIRECTORY);
            }
            Some(node) => node,
            None if request.disposition == FILE_OPEN => return Err(Status::OBJECT_NAME_NOT_FOUND),
            None => {
                let security = request
                    .security
                    .map(|words| words.iter().flat_map(|word| word.to_ne_bytes()).collect());
                files.create(parent, &last, as_directory, security)
            }
        };
        let file = OpenFile {
            node,
            access: granted,
            options: request.options,
            position: 0,
            listing: None,
        };
        Ok(self.open(Object::File(file)))
    }

    /// The directory a name starts from, and the path below it.
    fn place(&self, directory: Handle, name: &str) -> Result<(NodeId, String), Status> {
        if directory == Handle::NONE {
            if !name.starts_with('\\') {
                return Err(status::OBJECT_PATH_SYNTAX_BAD);
            }
            return Ok((
                ROOT,
                FileSystem::relative(name).ok_or(status::OBJECT_PATH_NOT_FOUND)?,
            ));
        }
        if name.starts_with('\\') {
            return Err(status::OBJECT_NAME_INVALID);
        }
        match self.handles.get(&directory.0) {
            Some(Object::File(file)) => Ok((file.node, name.to_owned())),
            Some(_) => Err(status::OBJECT_TYPE_MISMATCH),
            None => Err(status::INVALID_HANDLE),
        }
    }

    fn write_file(&mut self, handle: Handle, bytes: &[u8]) -> Result<usize, Status> {
        if let Some(Object::StandardOutput) = self.handles.get(&handle.0) {
            self.output.extend_from_slice(bytes);
            return Ok(bytes.len());
        }
        let file = self.file_with(
            handle,
            access::WRITE_OR_ADD_FILE | access::APPEND_OR_ADD_SUBDIRECTORY,
        )?;
        if file.options & option::SYNCHRONOUS == 0 {
            return Err(Status::INVALID_PARAMETER);
        }
        let (node, position, through) = (
            file.node,
            file.position,
            file.options & option::WRITE_THROUGH != 0,
        );
        file.position += bytes.len();
        if !self.machine.files.write(node, position, bytes) {
            self.file(handle)?.position = position;
            return Err(Status::DISK_FULL);
        }
        if through {
            self.machine.files.flush(node);
        }
        Ok(bytes.len())
    }

    fn rename(&mut self, handle: Handle, directory: Handle, name: &str) -> Result<(), Status> {
        let node = self.file_with(handle, access::DELETE)?.node;
        let (mut parent, mut path) = self.place(directory, name)?;
        if let Some((above, last)) = path.rsplit_once('\\') {
            parent = self
                .machine
                .files
                .find(parent, above)
                .ok_or(status::OBJECT_PATH_NOT_FOUND)?;
            path = last.to_owned();
        }
        match self.machine.files.find(parent, &path) {
            Some(other) if other != node => return Err(Status::OBJECT_NAME_COLLISION),
            _ => self.machine.files.rename(node, parent, &path),
        }
        Ok(())
    }

    fn close(&mut self, handle: Handle) -> Status {
        let Some(object) = self.handles.remove(&handle.0) else {
            self.bad_closes.push(handle.0);
            return status::INVALID_HANDLE;
        };
        if let Object::File(file) = object {
            let files = &mut self.machine.files;
            if file.options & option::DELETE_ON_CLOSE != 0 {
                files.mark_deleted(file.node);
            }
            let open = self
                .handles
                .values()
                .any(|other| matches!(other, Object::File(other) if other.node == file.node));
            if !open && files.is_deleted(file.node) {
                files.unlink(file.node);
            }
        }
        Status::SUCCESS
    }

    fn list(&mut self, handle: Handle, restart: bool, capacity: usize) -> Result<Outcome, Status> {
        const FIXED: usize = 12;
        let node = self.file_with(handle, access::LIST_OR_READ)?.node;
        if capacity < FIXED {
            return Err(Status::INFO_LENGTH_MISMATCH);
        }
        let names = self
            .machine
            .files
            .is_directory(node)
            .then(|| self.machine.files.names(node));
        let names = names.ok_or(Status::INVALID_PARAMETER)?;
        let file = self.file(handle)?;
        if restart || file.listing.is_none() {
            file.listing = Some(names);
        }
        let left = file.listing.as_mut().expect("just filled");
        let (mut fields, mut last, mut taken) = (Fields::new(), None, 0);
        for name in left.iter() {
            let start = fields.length().next_multiple_of(8);
            if start + FIXED + utf16_length(name) > capacity {
                break;
            }
            if let Some(last) = last {
                fields.set_u32(last, (start - last) as u32);
            }
            fields = fields
                .align(8)
                .u32(0)
                .u32(0)
                .u32(utf16_length(name) as u32)
                .characters(name);
            (last, taken) = (Some(start), taken + 1);
        }
        let names_left = !left.is_empty();
        left.drain(..taken);
        let bytes = fields.done();
        match (taken, names_left) {
            (0, true) => Err(Status::BUFFER_OVERFLOW),
            (0, false) => Err(Status::NO_MORE_FILES),
            _ => Ok(Outcome(Status::SUCCESS, bytes.len(), bytes)),
        }
    }

    fn volume_information(&self, class: u32) -> Option<(Vec<u8>, usize)> {
        const UNIT: u64 = 8 * 512;
        const SIZE: u32 = 3;
        const ATTRIBUTES: u32 = 5;
        let files = &self.machine.files;
        let bytes = match class {
            SIZE => Fields::new()
                .u64(files.capacity / UNIT)
                .u64(files.available() / UNIT)
                .u32(8)
                .u32(512),
            ATTRIBUTES => {
                let (flags, name) = match files.kind {
                    Kind::Ntfs => (0x00C7_00FF, "NTFS"),
                    Kind::Fat32 => (0x0002_0006, "FAT32"),
                };
                Fields::new()
                    .u32(flags)
                    .u32(255)
                    .u32(utf16_length(name) as u32)
                    .characters(name)
            }
            _ => return None,
        };
        Some((bytes.done(), if class == SIZE { 24 } else { 12 }))
    }

    fn read(&self, process: Handle, address: u64, buffer: &mut [u8]) -> Result<(), Status> {
        let process = self.process(process, access::PROCESS_VM_READ)?;
        let own = process.id == self.machine.own_id;
        let memory = if own {
            &self.machine.memory
        } else {
            &process.memory
        };
        let inside = memory
            .range(..=address)
            .next_back()
            .and_then(|(start, bytes)| {
                let offset = (address - start) as usize;
                bytes.get(offset..offset.checked_add(buffer.len())?)
            });
        if let Some(bytes) = inside {
            buffer.copy_from_slice(bytes);
        } else if !own || !self.memory.read(address as usize, buffer) {
            return Err(Status::PARTIAL_COPY);
        }
        self.overlay_clock(address, buffer);
        Ok(())
    }

    /// Puts the running times over what was read of `KUSER_SHARED_DATA`.
    fn overlay_clock(&self, address: u64, buffer: &mut [u8]) {
        let clock = self.clock();
        for (place, time) in [
            (0x08, clock.interrupt_time),
            (0x14, clock.system_time as u64),
        ] {
            let time = Fields::new()
                .raw(&time.to_ne_bytes())
                .u32((time >> 32) as u32)
                .done();
            for (offset, byte) in (USER_SHARED_DATA + place..).zip(time) {
                let inside = offset
                    .checked_sub(address)
                    .and_then(|offset| buffer.get_mut(offset as usize));
                inside.into_iter().for_each(|to| *to = byte);
            }
        }
    }

    fn clock(&self) -> Clock {
        Clock {
            system_time: self.machine.system_time + self.elapsed as i64,
            interrupt_time: self.machine.interrupt_time + self.elapsed,
        }
    }
}

impl Object {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Process(..) => "Process",
            Self::Token(_) => "Token",
            Self::Key(..) => "Key",
            Self::Directory(_) => "Directory",
            Self::File(_) | Self::Volume(_) | Self::StandardOutput => "File",
            Self::Thread(_) => "Thread",
        }
    }

    fn access(&self) -> u32 {
        match self {
            Self::Process(_, access)
            | Self::Key(_, access)
            | Self::Volume(access)
            | Self::File(OpenFile { access, .. }) => *access,
            _ => 0x2_0019,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Key(path, _) | Self::Directory(path) => path,
            _ => "",
        }
    }
}

fn text(characters: &[u16]) -> String {
    String::from_utf16_lossy(characters)
}

fn status_of(result: Result<(), Status>) -> Status {
    result.err().unwrap_or(Status::SUCCESS)
}

impl Kernel for &'static Simulated {
    fn query_system_information(self, class: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            asking("NtQuerySystemInformation", class),
            buffer.into_bytes(),
            |state, capacity, address| state.system_information(class, capacity, address),
        )
    }

    fn query_object(self, handle: Handle, class: u32, buffer: Buffer<'_>) -> Answer {
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
                    NAME => Outcome::of(
                        Some(&Reply::Text(object.name().to_owned())),
                        capacity,
                        address,
                        short,
                    ),
                    TYPE => {
                        let index = usize::from(state.type_index(object));
                        let bytes =
                            answers::object_type(Fields::new(), object.type_name(), index, address)
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
                let process = state
                    .machine
                    .processes
                    .iter()
                    .find(|process| process.id == *id);
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
                let Some(Object::Directory(path)) = state.handles.get(&directory.0) else {
                    return Outcome::failed(status::INVALID_HANDLE);
                };
                if !single && state.machine.single_entries_only {
                    return Outcome::failed(Status::NOT_IMPLEMENTED);
                }
                let entries = &state.machine.directories[path];
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
        const PARTIAL: u32 = 2;
        const FIXED: usize = 12;
        let name = text(value);
        self.query(
            asking("NtQueryValueKey", class).of(key).named(&name),
            buffer.into_bytes(),
            |state, capacity, _| {
                let Some(Object::Key(path, _)) = state.handles.get(&key.0) else {
                    return Outcome::failed(status::INVALID_HANDLE);
                };
                if class != PARTIAL {
                    return Outcome::failed(Status::INVALID_PARAMETER);
                }
                match state.machine.keys[path].get(&name.to_lowercase()) {
                    Some((kind, data)) => Outcome::partial(
                        answers::key_value(*kind, data),
                        capacity,
                        FIXED,
                        Status::BUFFER_TOO_SMALL,
                    ),
                    None => Outcome::failed(Status::OBJECT_NAME_NOT_FOUND),
                }
            },
        )
    }

    fn query_security_object(self, handle: Handle, information: u32, buffer: Buffer<'_>) -> Answer {
        self.query(
            asking("NtQuerySecurityObject", information).of(handle),
            buffer.into_bytes(),
            |state, capacity, _| match state.file_with(handle, access::READ_CONTROL) {
                Ok(file) => {
                    let node = file.node;
                    let bytes = state.machine.files.security(node).descriptor(information);
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
        const STANDARD: u32 = 5;
        const ATTRIBUTE_TAG: u32 = 35;
        self.query(
            asking("NtQueryInformationFile", class).of(file),
            buffer.into_bytes(),
            |state, capacity, _| {
                let node = match state.file(file) {
                    Ok(file) => file.node,
                    Err(status) => return Outcome::failed(status),
                };
                let files = &state.machine.files;
                let (attributes, tag) = files.attributes(node);
                let length = files.length(node);
                let fields = match class {
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
                    ATTRIBUTE_TAG => Fields::new().u32(attributes).u32(tag),
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
            let process = state
                .machine
                .processes
                .iter()
                .find(|process| process.id == process_id);
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

    fn open_key(self, path: &[u16], access: u32) -> Result<Handle, Status> {
        let path = text(path);
        self.call(asking("NtOpenKey", 0u32).named(&path), Err, |state| {
            let path = path.to_lowercase();
            if !state.machine.keys.contains_key(&path) {
                return Err(Status::OBJECT_NAME_NOT_FOUND);
            }
            Ok(state.open(Object::Key(path, access)))
        })
    }

    fn set_value_key(self, key: Handle, value: &[u16], kind: u32, data: &[u8]) -> Status {
        let name = text(value);
        self.call(
            asking("NtSetValueKey", kind).of(key).named(&name),
            |status| status,
            |state| match state.handles.get(&key.0) {
                Some(Object::Key(path, granted)) if granted & access::KEY_SET_VALUE != 0 => {
                    let path = path.clone();
                    state.machine.set_value(&path, &name, (kind, data.to_vec()));
                    Status::SUCCESS
                }
                Some(Object::Key(..)) => Status::ACCESS_DENIED,
                Some(_) => status::OBJECT_TYPE_MISMATCH,
                None => status::INVALID_HANDLE,
            },
        )
    }

    fn open_directory_object(self, path: &[u16], _access: u32) -> Result<Handle, Status> {
        let path = text(path);
        self.call(
            asking("NtOpenDirectoryObject", 0u32).named(&path),
            Err,
            |state| {
                let directories = &state.machine.directories;
                let known = directories
                    .keys()
                    .find(|known| known.eq_ignore_ascii_case(&path))
                    .cloned();
                Ok(state.open(Object::Directory(
                    known.ok_or(Status::OBJECT_NAME_NOT_FOUND)?,
                )))
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
        let call = asking("NtWaitForSingleObject", limit.unwrap_or(u64::MAX));
        let Some(Entered {
            mut state, fault, ..
        }) = self.enter(call)
        else {
            return Status::UNSUCCESSFUL;
        };
        if let Some(Fault::Fail(status) | Fault::FailWithLength(status, _)) = fault {
            return status;
        }
        let thread = match state.handles.get(&handle.0) {
            Some(Object::Thread(thread)) => *thread,
            Some(_) => return status::OBJECT_TYPE_MISMATCH,
            None => return status::INVALID_HANDLE,
        };
        let deadline = limit.map(|limit| {
            (
                state.elapsed.saturating_add(limit * 10_000),
                Instant::now() + Duration::from_millis(limit),
            )
        });
        while !state.over {
            let Thread { ended, hung, .. } = state.threads[thread];
            if ended {
                return Status::SUCCESS;
            }
            state = match deadline {
                None if hung => self.hang(state),
                None => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some((simulated, real)) => {
                    let left = real.saturating_duration_since(Instant::now());
                    if hung || state.elapsed >= simulated || left.is_zero() {
                        state.elapsed = state.elapsed.max(simulated);
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
        let name = name.to_str().expect("row names are ASCII");
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
