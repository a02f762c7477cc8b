//! Objects of the object manager: those with a place in the namespace, and those that only handles lead to.

use super::fields::Fields;
use super::machine::{BOOT_TIME, HandleEntry, Machine, Reply};
use super::numbers::{access, status};
use super::security::Security;
use super::{Object, State};
use crate::nt::{Handle, Status};
use bootshot_format::ObjectKind;
use std::collections::BTreeMap;

/// Kernel address of the root directory, `\`.
pub const ROOT: u64 = 0xFFFF_A000_8000_0100;

/// Bytes between the addresses of two objects.
const DISTANCE: u64 = 0x100;

/// Names that a path may go through before it is taken for a loop.
const MAXIMUM_LINKS: u32 = 32;

/// One object.
#[derive(Clone, Debug)]
pub struct KernelObject {
    /// Name of its type.
    pub type_name: String,
    /// What `ObjectNameInformation` says: a path, a name without a path, or nothing.
    pub name: String,
    /// Access rights that opening it never grants.
    pub refused_access: u32,
    /// References other than those of handles.
    pub references: u32,
    /// 100 ns since 1601-01-01 UTC.
    pub create_time: i64,
    /// What it is beside that.
    pub body: Body,
}

/// What only some types have.
#[derive(Clone, Debug)]
pub enum Body {
    /// Nothing that can be asked.
    Plain,
    /// Names and addresses, in the order they are listed.
    Directory(Vec<(String, u64)>),
    /// A link: its target, empty for a dynamic one, and the object that opening a dynamic one gives.
    SymbolicLink(String, Option<u64>),
    /// `NtQueryInformationJobObject` by class.
    Job(BTreeMap<u32, Reply>),
}

/// A path with one more name.
pub fn joined(path: &str, name: &str) -> String {
    format!("{}\\{name}", path.trim_end_matches('\\'))
}

impl Machine {
    /// The address of the object that the path names, in any case; links are not followed.
    pub fn address_of(&self, path: &str) -> Option<u64> {
        let names = path.split('\\').filter(|name| !name.is_empty());
        let root = self.objects.contains_key(&ROOT).then_some(ROOT)?;
        names
            .into_iter()
            .try_fold(root, |directory, name| self.entry(directory, name, false))
    }

    /// The object that the path names.
    #[track_caller]
    pub fn object_mut(&mut self, path: &str) -> &mut KernelObject {
        let address = self.address_of(path);
        let object = address.and_then(|address| self.objects.get_mut(&address));
        object.unwrap_or_else(|| panic!("there is no {path}"))
    }

    /// Creates an object that only handles lead to; `name` is what it says of itself.
    pub fn create_unnamed(&mut self, type_name: &str, name: &str) -> u64 {
        let address = match self.objects.last_key_value() {
            Some((last, _)) => last + DISTANCE,
            None => ROOT,
        };
        let body = match type_name {
            "Directory" => Body::Directory(Vec::new()),
            "SymbolicLink" => Body::SymbolicLink(String::new(), None),
            "Job" => Body::Job(BTreeMap::new()),
            _ => Body::Plain,
        };
        let object = KernelObject {
            type_name: type_name.to_owned(),
            name: name.to_owned(),
            refused_access: 0,
            references: 1,
            create_time: BOOT_TIME + self.objects.len() as i64,
            body,
        };
        self.objects.insert(address, object);
        address
    }

    /// Creates an object with a path, and the directories on the way; one that is there already is left as it is.
    pub fn create(&mut self, path: &str, type_name: &str) -> u64 {
        if let Some(address) = self.address_of(path) {
            return address;
        }
        if path == r"\" {
            return self.create_unnamed("Directory", path);
        }
        let (parent, name) = path.rsplit_once('\\').expect("a path begins with \\");
        let parent = self.create(if parent.is_empty() { r"\" } else { parent }, "Directory");
        let address = self.create_unnamed(type_name, path);
        self.enter(parent, name, address);
        address
    }

    /// Lists an object in a directory.
    pub fn enter(&mut self, directory: u64, name: &str, address: u64) {
        match self
            .objects
            .get_mut(&directory)
            .map(|object| &mut object.body)
        {
            Some(Body::Directory(entries)) => entries.push((name.to_owned(), address)),
            _ => panic!("{directory:#x} is no directory"),
        }
    }

    /// Creates a symbolic link.
    pub fn link(&mut self, path: &str, target: &str) -> u64 {
        let address = self.create(path, "SymbolicLink");
        self.object_mut(path).body = Body::SymbolicLink(target.to_owned(), None);
        address
    }

    /// Creates a dynamic link: it has no target, and opening it gives an unnamed object of this type.
    pub fn dynamic_link(&mut self, path: &str, type_name: &str, name: &str) -> u64 {
        let behind = self.create_unnamed(type_name, name);
        self.create(path, "SymbolicLink");
        self.object_mut(path).body = Body::SymbolicLink(String::new(), Some(behind));
        behind
    }

    /// Gives a process a handle to an object; returns its value.
    pub fn hold(&mut self, process: u64, object: u64, access: u32) -> u64 {
        let held = self.handles.iter().filter(|entry| entry.process == process);
        let value = 4 + held.map(|entry| entry.value).max().unwrap_or(0);
        let type_name = self.type_at(object).expect("there is such an object");
        let place = self.types.iter().position(|name| *name == type_name);
        let type_index = 2 + place.expect("the type is listed") as u16;
        self.handles.push(HandleEntry {
            process,
            value,
            type_index,
            access,
            attributes: 0,
            object,
        });
        value
    }

    /// The type of what stands at a kernel address.
    pub(super) fn type_at(&self, address: u64) -> Option<&str> {
        match self.objects.get(&address) {
            Some(object) => Some(&object.type_name),
            None if self.process_at(address).is_some() => Some("Process"),
            None => self.thread_at(address).map(|_| "Thread"),
        }
    }

    /// The id of the process whose object stands there.
    pub(super) fn process_at(&self, address: u64) -> Option<u64> {
        let ids = self.processes.iter().map(|process| process.id);
        ids.into_iter().find(|id| process_address(*id) == address)
    }

    /// The id of the thread whose object stands there.
    pub(super) fn thread_at(&self, address: u64) -> Option<u64> {
        let ended =
            |process: &super::Process| process.ended_threads.keys().copied().collect::<Vec<_>>();
        let ids = self
            .processes
            .iter()
            .flat_map(|process| process.threads.iter().copied().chain(ended(process)));
        ids.into_iter().find(|id| thread_address(*id) == address)
    }

    fn entry(&self, directory: u64, name: &str, exact: bool) -> Option<u64> {
        let Body::Directory(entries) = &self.objects.get(&directory)?.body else {
            return None;
        };
        let is_it = |known: &str| match exact {
            true => known == name,
            false => known.eq_ignore_ascii_case(name),
        };
        entries
            .iter()
            .find(|(known, _)| is_it(known))
            .map(|(_, address)| *address)
    }

    /// Follows a path from a directory. The last name is a link itself where one is asked for.
    fn resolve(
        &self,
        directory: u64,
        path: &str,
        exact: bool,
        as_link: bool,
    ) -> Result<u64, Status> {
        let mut directory = directory;
        let mut names: Vec<String> = path
            .split('\\')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .rev()
            .collect();
        let mut links = 0;
        while let Some(name) = names.pop() {
            let missing = match names.is_empty() {
                true => Status::OBJECT_NAME_NOT_FOUND,
                false => status::OBJECT_PATH_NOT_FOUND,
            };
            let address = self.entry(directory, &name, exact).ok_or(missing)?;
            directory = match &self.objects[&address].body {
                Body::SymbolicLink(..) if as_link && names.is_empty() => address,
                Body::SymbolicLink(_, Some(behind)) => *behind,
                Body::SymbolicLink(target, None) => {
                    links += 1;
                    if links > MAXIMUM_LINKS || target.is_empty() {
                        return Err(Status::OBJECT_NAME_NOT_FOUND);
                    }
                    let first = target.split('\\').filter(|name| !name.is_empty()).rev();
                    names.extend(first.map(str::to_owned));
                    ROOT
                }
                _ => address,
            };
        }
        Ok(directory)
    }
}

/// Kernel address of a process object.
pub fn process_address(id: u64) -> u64 {
    0xFFFF_A000_9000_0000 + id * DISTANCE
}

/// Kernel address of a thread object.
pub fn thread_address(id: u64) -> u64 {
    0xFFFF_A000_A000_0000 + id * DISTANCE
}

/// The id of the process or thread at an address, where that of the id 0 would stand at `first`.
fn id_at(address: u64, first: u64) -> Option<u64> {
    let distance = address.checked_sub(first)?;
    (distance % DISTANCE == 0).then_some(distance / DISTANCE)
}

/// The type that a kind of object is opened as, and the call that does it.
pub(super) fn opening(kind: ObjectKind) -> (&'static str, &'static str) {
    match kind {
        ObjectKind::DIRECTORY => ("Directory", "NtOpenDirectoryObject"),
        ObjectKind::SYMBOLIC_LINK => ("SymbolicLink", "NtOpenSymbolicLinkObject"),
        ObjectKind::EVENT => ("Event", "NtOpenEvent"),
        ObjectKind::MUTANT => ("Mutant", "NtOpenMutant"),
        ObjectKind::SEMAPHORE => ("Semaphore", "NtOpenSemaphore"),
        ObjectKind::SECTION => ("Section", "NtOpenSection"),
        ObjectKind::TIMER => ("Timer", "NtOpenTimer"),
        ObjectKind::JOB => ("Job", "NtOpenJobObject"),
        ObjectKind::KEYED_EVENT => ("KeyedEvent", "NtOpenKeyedEvent"),
        ObjectKind::IO_COMPLETION => ("IoCompletion", "NtOpenIoCompletion"),
        ObjectKind::KEY => ("Key", "NtOpenKey"),
        kind => panic!("{kind:?} is not opened by name"),
    }
}

impl State {
    /// Opens what a name leads to, as one type only.
    pub(super) fn open_object(
        &mut self,
        kind: ObjectKind,
        root: Handle,
        name: &str,
        access: u32,
    ) -> Result<Handle, Status> {
        let directory = match self.handles.get(&root.0) {
            _ if root == Handle::NONE && name.starts_with('\\') => ROOT,
            _ if root == Handle::NONE || name.starts_with('\\') => {
                return Err(status::OBJECT_PATH_SYNTAX_BAD);
            }
            Some(Object::Kernel(address, _)) => *address,
            Some(_) => return Err(status::OBJECT_TYPE_MISMATCH),
            None => return Err(status::INVALID_HANDLE),
        };
        let as_link = kind == ObjectKind::SYMBOLIC_LINK;
        let found = self
            .machine
            .resolve(directory, name, root != Handle::NONE, as_link)?;
        let object = &self.machine.objects[&found];
        if object.type_name != opening(kind).0 {
            return Err(status::OBJECT_TYPE_MISMATCH);
        }
        if access & object.refused_access != 0 || access == 0 {
            return Err(Status::ACCESS_DENIED);
        }
        Ok(self.open(Object::Kernel(found, access)))
    }

    /// The object behind a handle that has one of these rights.
    pub(super) fn object(&self, handle: Handle, rights: u32) -> Result<&KernelObject, Status> {
        match self.handles.get(&handle.0) {
            Some(Object::Kernel(_, granted)) if granted & rights == 0 => Err(Status::ACCESS_DENIED),
            Some(Object::Kernel(address, _)) => Ok(&self.machine.objects[address]),
            Some(_) => Err(status::OBJECT_TYPE_MISMATCH),
            None => Err(status::INVALID_HANDLE),
        }
    }

    /// Name and type of each entry of a directory that was opened to be listed.
    pub(super) fn directory_entries(
        &self,
        directory: Handle,
    ) -> Result<Vec<(String, String)>, Status> {
        const QUERY: u32 = 1;
        match &self.object(directory, QUERY)?.body {
            Body::Directory(entries) => {
                let type_of = |address: &u64| self.machine.objects[address].type_name.clone();
                let entry = |(name, address): &(String, u64)| (name.clone(), type_of(address));
                Ok(entries.iter().map(entry).collect())
            }
            _ => Err(status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// What a job answers, or for no handle the caller's own.
    pub(super) fn job(&self, job: Handle) -> Result<&BTreeMap<u32, Reply>, Status> {
        const QUERY: u32 = 4;
        let object = match job {
            Handle::NONE => {
                let own = self.process(Handle::CURRENT_PROCESS, 0)?.job;
                &self.machine.objects[&own.ok_or(Status::ACCESS_DENIED)?]
            }
            job => self.object(job, QUERY)?,
        };
        match &object.body {
            Body::Job(replies) => Ok(replies),
            _ => Err(status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// The security descriptor of what a handle stands for that was opened to read it.
    pub(super) fn security(&mut self, handle: Handle) -> Result<Security, Status> {
        match self.handles.get(&handle.0) {
            Some(Object::Kernel(..)) => {
                self.object(handle, access::READ_CONTROL)?;
                Ok(Security::of_system_files())
            }
            Some(Object::Process(_, granted) | Object::OtherThread(_, granted)) => {
                match granted & access::READ_CONTROL {
                    0 => Err(Status::ACCESS_DENIED),
                    _ => Ok(Security::of_system_files()),
                }
            }
            _ => {
                let node = self.file_with(handle, access::READ_CONTROL)?.node;
                Ok(self.machine.files.security(node).clone())
            }
        }
    }

    /// Duplicates a handle of another process into the caller's.
    pub(super) fn duplicate(
        &mut self,
        process: Handle,
        value: u64,
        access: Option<u32>,
    ) -> Result<Handle, Status> {
        let owner = self.process(process, access::PROCESS_DUP_HANDLE)?.id;
        if owner == self.machine.own_id {
            let object = self.handles.get(&(value as usize));
            let object = object.cloned().ok_or(status::INVALID_HANDLE)?;
            let object = match (object, access) {
                (Object::Kernel(address, _), Some(access)) => Object::Kernel(address, access),
                (Object::Process(id, _), Some(access)) => Object::Process(id, access),
                (Object::OtherThread(id, _), Some(access)) => Object::OtherThread(id, access),
                (object, _) => object,
            };
            return Ok(self.open(object));
        }
        let place = self.index.handle(&self.machine, owner, value);
        let entry = self.machine.handles[place.ok_or(status::INVALID_HANDLE)?];
        let granted = access.unwrap_or(entry.access);
        let machine = &self.machine;
        let (refused, object) = if let Some(object) = machine.objects.get(&entry.object) {
            (object.refused_access, Object::Kernel(entry.object, granted))
        } else if let Some(process) = self.process_at(entry.object) {
            (process.refused_access, Object::Process(process.id, granted))
        } else if let Some(id) = self.thread_at(entry.object) {
            (0, Object::OtherThread(id, granted))
        } else {
            (
                0,
                Object::Other(HandleEntry {
                    access: granted,
                    ..entry
                }),
            )
        };
        // What the handle has already is not checked again.
        if granted & !entry.access & refused != 0 {
            return Err(Status::ACCESS_DENIED);
        }
        Ok(self.open(object))
    }

    /// The next process that grants this access, in list order.
    pub(super) fn next_process(&mut self, process: Handle, access: u32) -> Result<Handle, Status> {
        let after = match self.handles.get(&process.0) {
            _ if process == Handle::NONE => None,
            Some(Object::Process(id, _)) => Some(*id),
            Some(_) => return Err(status::OBJECT_TYPE_MISMATCH),
            None => return Err(status::INVALID_HANDLE),
        };
        let processes = &self.machine.processes;
        let from = after.map_or(0, |id| {
            let place = self.index.process(&self.machine, id);
            1 + place.expect("processes stay")
        });
        let mut rest = processes[from..].iter();
        let next = rest.find(|process| process.id != 0 && access & process.refused_access == 0);
        let id = next.ok_or(Status::NO_MORE_ENTRIES)?.id;
        Ok(self.open(Object::Process(id, access)))
    }

    /// The next thread of a process, ended ones last.
    pub(super) fn next_thread(
        &mut self,
        process: Handle,
        thread: Handle,
        access: u32,
    ) -> Result<Handle, Status> {
        let process = self.process(process, access::PROCESS_QUERY_INFORMATION)?;
        let ids: Vec<_> = process
            .threads
            .iter()
            .chain(process.ended_threads.keys())
            .copied()
            .collect();
        let from = match self.handles.get(&thread.0) {
            _ if thread == Handle::NONE => 0,
            Some(Object::OtherThread(after, _)) => {
                let place = ids.iter().position(|id| id == after);
                1 + place.ok_or(Status::INVALID_PARAMETER)?
            }
            Some(_) => return Err(status::OBJECT_TYPE_MISMATCH),
            None => return Err(status::INVALID_HANDLE),
        };
        let id = *ids.get(from).ok_or(Status::NO_MORE_ENTRIES)?;
        Ok(self.open(Object::OtherThread(id, access)))
    }

    /// The exit status of a thread that has ended, `None` for one that runs.
    pub(super) fn exit_status_of(&self, thread: u64) -> Option<u32> {
        self.index.exit_status(&self.machine, thread)
    }

    /// The process whose object stands at a kernel address.
    fn process_at(&self, address: u64) -> Option<&super::Process> {
        self.process_of(id_at(address, process_address(0))?)
    }

    /// The id of the thread whose object stands there.
    fn thread_at(&self, address: u64) -> Option<u64> {
        let id = id_at(address, thread_address(0))?;
        self.index.owner(&self.machine, id).map(|_| id)
    }

    /// `THREADINFOCLASS` answers for a thread by its id.
    pub(super) fn thread_information(&self, thread: u64, class: u32) -> Option<Reply> {
        const STILL_ACTIVE: u32 = 0x103;
        let owner = self.index.owner(&self.machine, thread)?;
        let owner = &self.machine.processes[owner];
        let exit_status = self.exit_status_of(thread);
        let fields = match class {
            // THREAD_BASIC_INFORMATION.
            0 => Fields::new()
                .u32(exit_status.unwrap_or(STILL_ACTIVE))
                .pointer(0x7FFB_1000)
                .pointer(owner.id)
                .pointer(thread)
                .pointer(3)
                .u32(8)
                .u32(8),
            // KERNEL_USER_TIMES.
            1 => Fields::new()
                .u64(owner.create_time as u64 + thread)
                .u64(exit_status.map_or(0, |_| owner.create_time as u64 + thread * 1000))
                .u64(thread * 5)
                .u64(thread * 6),
            // The start address.
            9 => Fields::new().pointer(0x1_4000_1000 + thread),
            _ => return None,
        };
        Some(Reply::Exact(fields.done()))
    }

    /// Kernel address of what a handle of the caller stands for. Keys, files and the caller's events and threads are an
    /// object of their own for each handle here.
    pub(super) fn object_address(&self, value: usize, object: &Object) -> u64 {
        match object {
            Object::Kernel(address, _) => *address,
            Object::Other(entry) => entry.object,
            Object::Process(id, _) => process_address(*id),
            Object::OtherThread(id, _) => thread_address(*id),
            Object::Token(id) => 0xFFFF_A000_B000_0000 + id * 0x100,
            _ => 0xFFFF_A000_C000_0000 + value as u64 * 0x20,
        }
    }

    /// `OBJECT_BASIC_INFORMATION` of what a handle stands for.
    pub(super) fn basic_information(&self, value: usize) -> Option<Vec<u8>> {
        /// References that a handle's first use takes in advance, since Windows 8.
        const IN_ADVANCE: u32 = 0x7FFF;
        let object = self.handles.get(&value)?;
        let address = self.object_address(value, object);
        let own = self.own_holders.get(&address).copied().unwrap_or(0);
        let handles = own + self.index.holders(&self.machine, address);
        let known = self.machine.objects.get(&address);
        let references = known.map_or(1, |object| object.references);
        let name = known.map_or("", |object| &object.name);
        let name_length = super::fields::utf16_length(name) as u32;
        let fields = Fields::new()
            .u32(0)
            .u32(object.access())
            .u32(handles)
            .u32(references + handles * IN_ADVANCE)
            .u32(0)
            .u32(0x58);
        let fields = fields
            .u32(0)
            .u32(0)
            .u32(0)
            .u32(name_length)
            .u32(0x68)
            .u32(0x74);
        // The kernel keeps the time of creation for some types only.
        let create_time = match &known.map(|object| &object.body) {
            Some(Body::SymbolicLink(..)) => known.map_or(0, |object| object.create_time),
            _ => 0,
        };
        Some(fields.u64(create_time as u64).done())
    }
}
