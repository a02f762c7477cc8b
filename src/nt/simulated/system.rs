//! What the handles of a process stand for, and what the system tells of itself.

use super::answers::{self, Depth};
use super::call::Outcome;
use super::fields::Fields;
use super::machine::{HandleEntry, Process};
use super::numbers::{access, option, status};
use super::space::USER_SHARED_DATA;
use super::{Object, OpenFile, State};
use crate::nt::{Clock, Handle, Status};

const PROCESS_INFORMATION: u32 = 5;
const MODULES: u32 = 11;
const HANDLES: u32 = 16;
const PROCESS_INFORMATION_EXTENDED: u32 = 57;
const HANDLES_EXTENDED: u32 = 64;
const MODULES_EXTENDED: u32 = 77;
const PROCESS_INFORMATION_FULL: u32 = 148;

impl State {
    pub(super) fn open(&mut self, object: Object) -> Handle {
        let handle = self.next_handle;
        self.next_handle += 4;
        let address = self.object_address(handle, &object);
        *self.own_holders.entry(address).or_insert(0) += 1;
        self.handles.insert(handle, object);
        Handle(handle)
    }

    pub(super) fn close(&mut self, handle: Handle) -> Status {
        let Some(object) = self.handles.remove(&handle.0) else {
            self.bad_closes.push(handle.0);
            return status::INVALID_HANDLE;
        };
        let address = self.object_address(handle.0, &object);
        if let Some(holders) = self.own_holders.get_mut(&address) {
            *holders -= 1;
        }
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

    pub(super) fn process(&self, handle: Handle, rights: u32) -> Result<&Process, Status> {
        let id = match self.handles.get(&handle.0) {
            _ if handle == Handle::CURRENT_PROCESS => self.machine.own_id,
            Some(Object::Process(_, granted)) if granted & rights == 0 => {
                return Err(Status::ACCESS_DENIED);
            }
            Some(Object::Process(id, _)) => *id,
            Some(_) => return Err(status::OBJECT_TYPE_MISMATCH),
            None => return Err(status::INVALID_HANDLE),
        };
        self.process_of(id).ok_or(status::INVALID_CID)
    }

    /// The process with this id.
    pub(super) fn process_of(&self, id: u64) -> Option<&Process> {
        let place = self.index.process(&self.machine, id)?;
        Some(&self.machine.processes[place])
    }

    fn own_handles(&self) -> impl Iterator<Item = HandleEntry> {
        let own = self.handles.iter().map(|(value, object)| HandleEntry {
            process: self.machine.own_id,
            value: *value as u64,
            type_index: self.type_index(object),
            access: object.access(),
            attributes: 0,
            object: self.object_address(*value, object),
        });
        self.machine.listed(own)
    }

    /// Class 64.
    fn handles_extended(&self, capacity: usize) -> Outcome {
        let others = self.index.handle_list(&self.machine);
        let count = self.machine.handles.len() + self.handles.len();
        let fields = answers::handles_extended(count);
        let length = fields.length() + count * answers::HANDLE_ENTRY_EXTENDED;
        if length > capacity {
            return Outcome(Status::INFO_LENGTH_MISMATCH, length, Vec::new());
        }
        let own = answers::handle_entries(self.own_handles());
        let bytes = [fields.done().as_slice(), others, &own].concat();
        assert_eq!(bytes.len(), length);
        Outcome(Status::SUCCESS, length, bytes)
    }

    pub(super) fn type_index(&self, object: &Object) -> u16 {
        if let Object::Other(entry) = object {
            return entry.type_index;
        }
        self.machine
            .types
            .iter()
            .position(|name| name == self.type_name(object))
            .map_or(0, |place| place as u16 + 2)
    }

    pub(super) fn system_information(&self, class: u32, capacity: usize, address: u64) -> Outcome {
        if self.machine.unknown_classes.contains(&class) {
            return Outcome::failed(Status::INVALID_INFO_CLASS);
        }
        let open_handles = self.handles.len() as u32;
        let short = Status::INFO_LENGTH_MISMATCH;
        let processes = |depth| {
            let machine = &self.machine;
            let list = self
                .index
                .processes(machine, depth, open_handles, capacity, address);
            match list {
                Ok(bytes) => Outcome(Status::SUCCESS, bytes.len(), bytes),
                Err(length) => Outcome(short, length, Vec::new()),
            }
        };
        let bytes = match class {
            _ if self.machine.system.contains_key(&class) => {
                let reply = self.machine.system.get(&class);
                return Outcome::of(reply, capacity, address, short);
            }
            PROCESS_INFORMATION => return processes(Depth::Plain),
            PROCESS_INFORMATION_EXTENDED => return processes(Depth::Extended),
            PROCESS_INFORMATION_FULL => return processes(Depth::Full),
            HANDLES => {
                let others = self.machine.listed(self.machine.handles.iter().copied());
                answers::handles(&others.chain(self.own_handles()).collect::<Vec<_>>())
            }
            HANDLES_EXTENDED => return self.handles_extended(capacity),
            MODULES => answers::modules(&self.machine),
            MODULES_EXTENDED => answers::modules_extended(&self.machine),
            _ => return Outcome::failed(Status::INVALID_INFO_CLASS),
        };
        Outcome::whole(bytes, capacity, short)
    }

    /// `SystemFirmwareTableInformation`: the request at the start of the buffer, with the table behind it.
    pub(super) fn firmware_table(&self, request: [u8; 16], capacity: usize) -> Outcome {
        const GET: [u8; 4] = [1, 0, 0, 0];
        let [provider, action, id, length] = *request.as_chunks().0 else {
            return Outcome::failed(Status::INFO_LENGTH_MISMATCH);
        };
        let room = capacity.checked_sub(request.len());
        let Some(room) = room.filter(|room| *room == u32::from_ne_bytes(length) as usize) else {
            return Outcome::failed(Status::INVALID_PARAMETER);
        };
        // The provider is a multi-character constant, the id stands as in the table.
        let provider = u32::from_ne_bytes(provider).to_be_bytes();
        let table = self.machine.firmware_tables.get(&(provider, id));
        let Some(table) = table.filter(|_| action == GET) else {
            return Outcome::failed(status::NOT_FOUND);
        };
        let whole = request.len() + table.len();
        if table.len() > room {
            return Outcome(Status::BUFFER_TOO_SMALL, whole, Vec::new());
        }
        let fields = Fields::new().raw(&request[..12]).u32(table.len() as u32);
        Outcome(Status::SUCCESS, whole, fields.raw(table).done())
    }

    pub(super) fn firmware_variables(&self, class: u32, capacity: usize, address: u64) -> Outcome {
        const SYSTEM_ENVIRONMENT_PRIVILEGE: u32 = 22;
        let reply = self.machine.firmware_variables.get(&class);
        if reply.is_none() {
            // As where there is no UEFI.
            return Outcome::failed(Status::NOT_IMPLEMENTED);
        }
        if !self
            .enabled_privileges
            .contains(&SYSTEM_ENVIRONMENT_PRIVILEGE)
        {
            return Outcome::failed(status::PRIVILEGE_NOT_HELD);
        }
        Outcome::of(reply, capacity, address, Status::BUFFER_TOO_SMALL)
    }

    pub(super) fn read(
        &self,
        process: Handle,
        address: u64,
        buffer: &mut [u8],
    ) -> Result<(), Status> {
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
            return Err(status::PARTIAL_COPY);
        }
        self.overlay_clock(address, buffer);
        Ok(())
    }

    /// Puts the running times over what was read of `KUSER_SHARED_DATA`.
    pub(super) fn overlay_clock(&self, address: u64, buffer: &mut [u8]) {
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

    pub(super) fn clock(&self) -> Clock {
        Clock {
            system_time: self.machine.system_time + self.elapsed as i64,
            interrupt_time: self.machine.interrupt_time + self.elapsed,
        }
    }
}

impl State {
    pub(super) fn type_name<'a>(&'a self, object: &'a Object) -> &'a str {
        match object {
            Object::Process(..) => "Process",
            Object::Token(_) => "Token",
            Object::Key(..) => "Key",
            Object::File(_) | Object::Volume(_) | Object::StandardOutput => "File",
            Object::Thread(_) | Object::OtherThread(..) => "Thread",
            Object::Event(_) => "Event",
            Object::Kernel(address, _) => &self.machine.objects[address].type_name,
            Object::Other(entry) => {
                let place = usize::from(entry.type_index).checked_sub(2);
                let name = place.and_then(|place| self.machine.types.get(place));
                name.map_or("", |name| name)
            }
        }
    }

    pub(super) fn name<'a>(&'a self, object: &'a Object) -> &'a str {
        match object {
            Object::Key(path, _) => path,
            Object::Kernel(address, _) => &self.machine.objects[address].name,
            _ => "",
        }
    }

    /// Whether a wait for the object ends; the wait takes an event that is set.
    pub(super) fn signalled(&mut self, handle: Handle) -> Result<bool, Status> {
        let signalled = self.is_signalled(handle)?;
        if let Some(Object::Event(set)) = self.handles.get_mut(&handle.0) {
            *set = false;
        }
        Ok(signalled)
    }

    fn is_signalled(&self, handle: Handle) -> Result<bool, Status> {
        let access = match self.handles.get(&handle.0) {
            Some(Object::Thread(thread)) => return Ok(self.threads[*thread].ended),
            Some(Object::Event(set)) => return Ok(*set),
            Some(Object::Process(_, access) | Object::OtherThread(_, access)) => *access,
            Some(_) => return Err(status::OBJECT_TYPE_MISMATCH),
            None => return Err(status::INVALID_HANDLE),
        };
        if access & access::SYNCHRONIZE == 0 {
            return Err(Status::ACCESS_DENIED);
        }
        match self.handles.get(&handle.0) {
            Some(Object::OtherThread(id, _)) => Ok(self.exit_status_of(*id).is_some()),
            _ => Ok(self.process(handle, access::SYNCHRONIZE)?.ended),
        }
    }

    /// Whether nobody is left who could end a wait for the object.
    pub(super) fn waits_in_vain(&self, handle: Handle) -> bool {
        let current = self.current_thread();
        match self.handles.get(&handle.0) {
            Some(Object::Thread(thread)) => self.threads[*thread].hung,
            Some(Object::Event(_)) => self.threads.iter().enumerate().all(|(index, thread)| {
                let waits = thread.waits_for.map(|handle| self.is_signalled(handle));
                index == current || thread.ended || thread.hung || waits == Some(Ok(false))
            }),
            _ => true,
        }
    }
}

impl Object {
    pub(super) fn access(&self) -> u32 {
        match self {
            Self::Process(_, access)
            | Self::Key(_, access)
            | Self::Kernel(_, access)
            | Self::OtherThread(_, access)
            | Self::Volume(access)
            | Self::File(OpenFile { access, .. }) => *access,
            Self::Other(entry) => entry.access,
            _ => 0x2_0019,
        }
    }
}
