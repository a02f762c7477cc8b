//! The system calls on files.

use super::call::Outcome;
use super::fields::{Fields, utf16_length};
use super::files::{FileSystem, Kind, NodeId, ROOT};
use super::numbers::{access, option, status};
use super::{Object, OpenFile, State};
use crate::nt::{FileRequest, Handle, Status};

impl State {
    pub(super) fn file(&mut self, handle: Handle) -> Result<&mut OpenFile, Status> {
        match self.handles.get_mut(&handle.0) {
            Some(Object::File(file)) => Ok(file),
            Some(_) => Err(status::OBJECT_TYPE_MISMATCH),
            None => Err(status::INVALID_HANDLE),
        }
    }

    pub(super) fn file_with(
        &mut self,
        handle: Handle,
        rights: u32,
    ) -> Result<&mut OpenFile, Status> {
        let file = self.file(handle)?;
        if file.access & rights == 0 {
            Err(Status::ACCESS_DENIED)
        } else {
            Ok(file)
        }
    }

    pub(super) fn create_file(
        &mut self,
        request: &FileRequest<'_>,
        name: &str,
    ) -> Result<Handle, Status> {
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
    pub(super) fn place(&self, directory: Handle, name: &str) -> Result<(NodeId, String), Status> {
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

    pub(super) fn write_file(&mut self, handle: Handle, bytes: &[u8]) -> Result<usize, Status> {
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

    /// At most `capacity` bytes from the current position on.
    pub(super) fn read_file(&mut self, handle: Handle, capacity: usize) -> Result<Vec<u8>, Status> {
        let file = self.file_with(handle, access::LIST_OR_READ)?;
        if file.options & option::SYNCHRONOUS == 0 {
            return Err(Status::INVALID_PARAMETER);
        }
        let (node, position) = (file.node, file.position);
        let rest = self.machine.files.content(node).get(position..);
        let rest = rest.filter(|rest| !rest.is_empty());
        let bytes = rest.ok_or(status::END_OF_FILE)?;
        let bytes = bytes[..capacity.min(bytes.len())].to_vec();
        self.file(handle)?.position += bytes.len();
        Ok(bytes)
    }

    pub(super) fn rename(
        &mut self,
        handle: Handle,
        directory: Handle,
        name: &str,
    ) -> Result<(), Status> {
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

    pub(super) fn list(
        &mut self,
        handle: Handle,
        restart: bool,
        capacity: usize,
    ) -> Result<Outcome, Status> {
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

    pub(super) fn volume_information(&self, class: u32) -> Option<(Vec<u8>, usize)> {
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
}
