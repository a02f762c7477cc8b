//! The baseline: asks what bootshot asked, in the same order and with buffers of the same lengths, and writes what comes
//! back to a file, without a thought: no items, no sections, no questions that follow from answers.

use std::sync::OnceLock;

use bootshot::nt::simulated::Simulated;
use bootshot::nt::{Answer, Buffer, FileRequest, Handle, Kernel, Region, Status, Task};
use bootshot_format::xxh64;

use crate::recorder::{Opening, Operation, Query};

/// Bytes gathered before the file system is called: as many as bootshot gathers, or a write for each small answer would
/// make the baseline slow.
const ROOM: usize = 64 << 10;

/// How many bytes were received, and a checksum of all checksums.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Copied {
    pub bytes: u64,
    pub checksums: u64,
}

/// Makes all calls again and copies the answers, on a second thread where bootshot starts its own: what a new thread costs
/// the simulation, memory of its own above all, is no merit of doing without.
///
/// # Errors
///
/// The status of a write that failed.
pub fn run(kernel: &'static Simulated, operations: &'static [Operation]) -> Result<Copied, Status> {
    let starts_worker = |operation: &_| matches!(operation, Operation::Open(Opening::Thread));
    let mut parts = operations.splitn(2, starts_worker);
    copy(kernel, parts.next().unwrap_or_default())?;
    let worker: &'static Worker = Box::leak(Box::new(Worker {
        operations: parts.next().unwrap_or_default(),
        copied: OnceLock::new(),
    }));
    let thread = kernel.start_thread(worker)?;
    kernel.wait(thread, None);
    *worker.copied.get().unwrap_or(&Err(Status::UNSUCCESSFUL))
}

/// The thread that does nearly everything.
struct Worker {
    operations: &'static [Operation],
    copied: OnceLock<Result<Copied, Status>>,
}

impl Task<&'static Simulated> for Worker {
    fn run(&'static self, kernel: &'static Simulated) {
        // Nobody else sets it.
        let _ = self.copied.set(copy(kernel, self.operations));
    }
}

fn copy(kernel: &'static Simulated, operations: &[Operation]) -> Result<Copied, Status> {
    let mut copy = Copy {
        kernel,
        file: Handle::NONE,
        gathered: Region::new(kernel, ROOM)?,
        used: 0,
        copied: Copied {
            bytes: 0,
            checksums: 0,
        },
    };
    let mut buffer = Region::new(kernel, ROOM)?;
    for operation in operations {
        match operation {
            Operation::Query(query, capacity, _) => {
                if *capacity > buffer.length() {
                    // Given back first, as bootshot does.
                    drop(buffer);
                    buffer = Region::new(kernel, *capacity)?;
                }
                let answer = ask(kernel, query, buffer.buffer(*capacity));
                if answer.status.is_success() && !is_only_walked(query) {
                    copy.take(&buffer.bytes()[..answer.length.min(*capacity)])?;
                }
            }
            Operation::Open(opening) => {
                if let (Opening::File(file), Ok(handle)) = (opening, open(kernel, opening))
                    && file.name.ends_with(&TEMPORARY)
                {
                    copy.file = handle;
                }
            }
            Operation::Poll(handle) => {
                kernel.wait(*handle, Some(0));
            }
            Operation::IsInJob(process) => {
                kernel.is_process_in_job(*process);
            }
            Operation::Rename(file, directory, name) => {
                copy.write_gathered()?;
                kernel.flush_buffers_file(*file).ok()?;
                kernel.rename_file(*file, *directory, name).ok()?;
                kernel.flush_buffers_file(*directory);
            }
            Operation::Delete(file) => {
                kernel.delete_file(*file);
            }
        }
    }
    Ok(copy.copied)
}

/// Whether bootshot asks for the sake of what it asks next, and stores nothing: the ids of the processes.
const fn is_only_walked(query: &Query) -> bool {
    const PROCESS_INFORMATION: u32 = 5;
    matches!(query, Query::System(PROCESS_INFORMATION))
}

/// `.tmp`: what a snapshot is called while it is written.
const TEMPORARY: [u16; 4] = [b'.' as u16, b't' as u16, b'm' as u16, b'p' as u16];

fn ask(kernel: &'static Simulated, query: &Query, buffer: Buffer<'_>) -> Answer {
    match *query {
        Query::System(class) => kernel.query_system_information(class, buffer),
        Query::Object(handle, class) => kernel.query_object(handle, class, buffer),
        Query::Process(process, class) => kernel.query_information_process(process, class, buffer),
        Query::Token(token, class) => kernel.query_information_token(token, class, buffer),
        Query::Directory(directory, single, restart, mut context) => {
            kernel.query_directory_object(directory, single, restart, &mut context, buffer)
        }
        Query::SymbolicLink(link) => kernel.query_symbolic_link_object(link, buffer),
        Query::Thread(thread, class) => kernel.query_information_thread(thread, class, buffer),
        Query::Job(job, class) => kernel.query_information_job_object(job, class, buffer),
        Query::Key(key, class) => kernel.query_key(key, class, buffer),
        Query::Subkey(key, index, class) => kernel.enumerate_key(key, index, class, buffer),
        Query::KeyValue(key, index, class) => kernel.enumerate_value_key(key, index, class, buffer),
        Query::FirmwareVariables(class) => {
            kernel.enumerate_system_environment_values(class, buffer)
        }
        Query::Value(key, ref value, class) => kernel.query_value_key(key, value, class, buffer),
        Query::Security(handle, information) => {
            kernel.query_security_object(handle, information, buffer)
        }
        Query::Volume(file, class) => kernel.query_volume_information_file(file, class, buffer),
        Query::File(file, class) => kernel.query_information_file(file, class, buffer),
        Query::DirectoryFile(directory, restart) => {
            kernel.query_directory_file(directory, restart, buffer)
        }
        Query::Memory(process, address) => {
            kernel.read_virtual_memory(process, address, buffer.into_bytes())
        }
        Query::ReadFile(file) => kernel.read_file(file, buffer),
    }
}

fn open(kernel: &'static Simulated, opening: &Opening) -> Result<Handle, Status> {
    match *opening {
        Opening::Process(id, access) => kernel.open_process(id, access),
        Opening::ProcessToken(process, access) => kernel.open_process_token(process, access),
        Opening::Named(kind, root, ref name, access) => kernel.open(kind, root, name, access),
        Opening::NextProcess(process, access) => kernel.next_process(process, access),
        Opening::NextThread(process, thread, access) => kernel.next_thread(process, thread, access),
        Opening::Duplicate(process, value, access) => kernel.duplicate(process, value, access),
        Opening::File(ref file) => kernel.create_file(&FileRequest {
            directory: file.directory,
            name: &file.name,
            access: file.access,
            share: file.share,
            disposition: file.disposition,
            options: file.options,
            security: file.security,
        }),
        Opening::Event | Opening::Thread => kernel.create_event(),
        Opening::Close(handle) => {
            kernel.close(handle);
            Ok(Handle::NONE)
        }
    }
}

/// The way to the file.
struct Copy {
    kernel: &'static Simulated,
    file: Handle,
    gathered: Region<&'static Simulated>,
    used: usize,
    copied: Copied,
}

impl Copy {
    fn take(&mut self, bytes: &[u8]) -> Result<(), Status> {
        self.copied.bytes += bytes.len() as u64;
        if bytes.len() > ROOM - self.used {
            self.write_gathered()?;
        }
        if bytes.len() > ROOM {
            return self.write(bytes);
        }
        self.gathered.bytes_mut()[self.used..self.used + bytes.len()].copy_from_slice(bytes);
        self.used += bytes.len();
        Ok(())
    }

    fn write_gathered(&mut self) -> Result<(), Status> {
        let gathered = std::mem::replace(&mut self.gathered, Region::empty(self.kernel));
        let used = std::mem::take(&mut self.used);
        let written = self.write(&gathered.bytes()[..used]);
        self.gathered = gathered;
        written
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Status> {
        self.copied.checksums ^= xxh64(bytes);
        // Before there is a file, nothing is kept of what is asked: bootshot does not keep it either.
        if self.file == Handle::NONE {
            return Ok(());
        }
        self.kernel.write_file(self.file, bytes).status.ok()
    }
}
