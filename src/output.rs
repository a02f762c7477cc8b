//! Files: the snapshot directory, the guard in it, and a snapshot that appears only when it is whole.

use crate::nt::access::{
    DELETE, FILE_ADD_FILE, FILE_CREATE, FILE_DIRECTORY_FILE, FILE_LIST_DIRECTORY,
    FILE_NON_DIRECTORY_FILE, FILE_OPEN, FILE_OPEN_IF, FILE_OPEN_REPARSE_POINT,
    FILE_READ_ATTRIBUTES, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE,
    FILE_SYNCHRONOUS_IO_NONALERT, FILE_TRAVERSE, FILE_WRITE_DATA, READ_CONTROL, SYNCHRONIZE,
    TOKEN_QUERY,
};
use crate::nt::layout::{
    file_names_information as names, fs_size_information as sizes, user_shared_data,
};
use crate::nt::{Answer, Buffer, FileRequest, Handle, Kernel, Owned, Region, Status};
use crate::own::{dword, memory, native, qword};
use crate::path::Path;
use crate::{text, trust};
use bootshot_format::Sink;

/// `FileFsSizeInformation`.
const FS_SIZE: u32 = 3;
/// `FileFsAttributeInformation`.
const FS_ATTRIBUTE: u32 = 5;
/// `OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION`.
const OWNER_AND_DACL: u32 = 5;

/// Free bytes below which a disk is left alone.
pub const FREE_SPACE_NEEDED: u64 = 64 << 20;

/// Puts the path that `KUSER_SHARED_DATA.NtSystemRoot` says, with its drive letter, in the place of `\SystemRoot`, which
/// emulators (seen: Wine 8) do not resolve; `false` for any other path.
#[inline(never)]
fn replace_system_root<K: Kernel>(kernel: K, path: &mut Path) -> bool {
    const SYSTEM_ROOT: &str = "\\SystemRoot";
    let whole = *path;
    let Some((root, rest)) = whole.units().split_at_checked(SYSTEM_ROOT.len()) else {
        return false;
    };
    if !text::is(root, SYSTEM_ROOT) {
        return false;
    }
    path.cut(0);
    path.push_ascii(b"\\??\\");
    let address = user_shared_data::ADDRESS + user_shared_data::NT_SYSTEM_ROOT as u64;
    // 260 units at most, the last of them zero.
    for place in 0..260 {
        match memory(kernel, address + place * 2) as u16 {
            0 => break,
            unit => path.push(&[unit]),
        };
    }
    path.push(rest);
    true
}

/// The volume of a path with a drive letter. On FAT a file's new directory entry is on the disk only when the volume was
/// flushed (seen at a real boot).
fn open_volume<K: Kernel>(kernel: K, mut path: Path) -> Owned<K> {
    const DRIVE: usize = "\\??\\C:".len();
    replace_system_root(kernel, &mut path);
    path.cut(DRIVE.min(path.length()));
    let request = FileRequest {
        directory: Handle::NONE,
        name: path.units(),
        access: FILE_WRITE_DATA | SYNCHRONIZE,
        share: FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
        disposition: FILE_OPEN,
        options: FILE_SYNCHRONOUS_IO_NONALERT,
        security: None,
    };
    Owned::new(kernel, kernel.create_file(&request).unwrap_or(Handle::NONE))
}

/// A self-relative security descriptor with a protected DACL: full control for SYSTEM and Administrators, nobody else.
/// SDDL `D:P(A;…;FA;;;SY)(A;…;FA;;;BA)`, with the given ACE flags.
const fn for_administrators(ace_flags: u32) -> [u32; 18] {
    const REVISION_AND_CONTROL: u32 = 1 | (0x8000 | 0x1000 | 0x0004) << 16; // self-relative, protected, DACL present
    const FILE_ALL_ACCESS: u32 = 0x1F_01FF;
    const NT_AUTHORITY: u32 = u32::from_le_bytes([0, 0, 0, 5]);
    [
        REVISION_AND_CONTROL,
        0,
        0,
        0,
        20,
        2 | 52 << 16, // ACL revision, size
        2,            // ACEs
        ace_flags << 8 | 20 << 16,
        FILE_ALL_ACCESS,
        u32::from_le_bytes([1, 1, 0, 0]), // SID revision, one subauthority, first half of the authority
        NT_AUTHORITY,
        18, // SECURITY_LOCAL_SYSTEM_RID
        ace_flags << 8 | 24 << 16,
        FILE_ALL_ACCESS,
        u32::from_le_bytes([1, 2, 0, 0]),
        NT_AUTHORITY,
        32,  // SECURITY_BUILTIN_DOMAIN_RID
        544, // DOMAIN_ALIAS_RID_ADMINS
    ]
}

/// `OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE`.
static DIRECTORY_SECURITY: [u32; 18] = for_administrators(3);
static FILE_SECURITY: [u32; 18] = for_administrators(0);

/// The directory that snapshots go to, held open.
#[derive(Debug)]
pub struct Directory<K: Kernel> {
    kernel: K,
    handle: Owned<K>,
    /// Held where only a flush of the volume brings new directory entries to the disk.
    volume: Owned<K>,
}

impl<K: Kernel> Directory<K> {
    /// Opens the directory, creating it for administrators only when it is missing. `path` becomes the one it was found
    /// under.
    pub fn open(kernel: K, path: &mut Path) -> Result<Self, Status> {
        let mut opened = Self::open_at(kernel, path.units());
        if opened.is_err() && replace_system_root(kernel, path) {
            opened = Self::open_at(kernel, path.units());
        }
        let mut directory = opened?;
        directory.refuse_link()?;
        if directory.keeps_security() {
            directory.refuse_others()?;
        } else {
            directory.volume = open_volume(kernel, *path);
        }
        Ok(directory)
    }

    fn open_at(kernel: K, path: &[u16]) -> Result<Self, Status> {
        let handle = kernel.create_file(&FileRequest {
            directory: Handle::NONE,
            name: path,
            access: FILE_LIST_DIRECTORY
                | FILE_ADD_FILE
                | FILE_TRAVERSE
                | FILE_READ_ATTRIBUTES
                | READ_CONTROL
                | SYNCHRONIZE,
            share: FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
            disposition: FILE_OPEN_IF,
            options: FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_REPARSE_POINT,
            security: Some(&DIRECTORY_SECURITY),
        })?;
        Ok(Self {
            kernel,
            handle: Owned::new(kernel, handle),
            volume: Owned::new(kernel, Handle::NONE),
        })
    }

    /// A link could lead anywhere, and be turned elsewhere while we write.
    fn refuse_link(&self) -> Result<(), Status> {
        /// `FileBasicInformation`: four times, then the attributes. Microsoft's FAT and exFAT answer it, and refuse
        /// `FileAttributeTagInformation` (github.com/winfsp/winfsp/issues/661).
        const BASIC: u32 = 4;
        const FILE_ATTRIBUTE_REPARSE_POINT: u32 = 0x400;
        let mut words = [0; 5];
        let buffer = Buffer::new(&mut words, usize::MAX);
        self.kernel
            .query_information_file(self.handle(), BASIC, buffer)
            .status
            .ok()?;
        match words[4] as u32 & FILE_ATTRIBUTE_REPARSE_POINT {
            0 => Ok(()),
            _ => Err(Status::REPARSE_POINT_ENCOUNTERED),
        }
    }

    /// Whoever may write to the directory could swap snapshots, or keep us from ever running again.
    // Out of line, with a frame of its own: docs/size.md.
    #[inline(never)]
    fn refuse_others(&self) -> Result<(), Status> {
        /// `TokenUser`: a pointer to the SID first.
        const TOKEN_USER: u32 = 1;
        let mut user = [0; 16];
        if let Ok(token) = self
            .kernel
            .open_process_token(Handle::CURRENT_PROCESS, TOKEN_QUERY)
        {
            let token = Owned::new(self.kernel, token);
            self.kernel.query_information_token(
                token.get(),
                TOKEN_USER,
                Buffer::new(&mut user, usize::MAX),
            );
        }
        let user = Buffer::new(&mut user, usize::MAX);
        let start = user.address();
        let user = user.into_bytes();
        let user =
            trust::sid_at(user, (native(user, 0) as usize).wrapping_sub(start)).unwrap_or(&[]);
        let mut descriptor = [0; 128];
        let answer = self.security(Buffer::new(&mut descriptor, usize::MAX));
        answer.status.ok()?;
        let descriptor = Buffer::new(&mut descriptor, answer.length).into_bytes();
        match trust::is_writable_by_others(descriptor, user) {
            true => Err(Status::INVALID_SECURITY_DESCR),
            false => Ok(()),
        }
    }

    /// Whether the file system keeps security descriptors. Those that do also log directory entries, and flush the log with
    /// any file. When the question is not answered, they are taken not to: the flush of the volume always suffices.
    fn keeps_security(&self) -> bool {
        const FILE_PERSISTENT_ACLS: u32 = 8;
        let mut words = [0; 8];
        let answer = self.file_system(Buffer::new(&mut words, usize::MAX));
        // The attributes stand first; a name that does not fit is a warning.
        let known = answer.status.is_success() || answer.status == Status::BUFFER_OVERFLOW;
        known && words[0] as u32 & FILE_PERSISTENT_ACLS != 0
    }

    /// The handle whose flush brings the directory's entries to the disk.
    fn entries(&self) -> Handle {
        match self.volume.get() {
            Handle::NONE => self.handle(),
            volume => volume,
        }
    }

    /// Brings names made and taken away to the disk. Without it a reset soon after the run would bring the guard back,
    /// and take a new snapshot away. Nothing is made of a failure: what matters is in the files.
    pub fn flush(&self) {
        self.kernel.flush_buffers_file(self.entries());
    }

    /// The directory's own handle: a file object whose type is known.
    pub const fn handle(&self) -> Handle {
        self.handle.get()
    }

    /// Bytes free for the caller on the volume; the question itself can fail.
    pub fn free_space(&self) -> Result<u64, Status> {
        let mut words = [0; 3];
        let buffer = Buffer::new(&mut words, usize::MAX);
        self.kernel
            .query_volume_information_file(self.handle(), FS_SIZE, buffer)
            .status
            .ok()?;
        let bytes = Buffer::new(&mut words, usize::MAX).into_bytes();
        let unit = u64::from(dword(bytes, sizes::SECTORS_PER_ALLOCATION_UNIT))
            * u64::from(dword(bytes, sizes::BYTES_PER_SECTOR));
        Ok(qword(bytes, sizes::AVAILABLE_ALLOCATION_UNITS).saturating_mul(unit))
    }

    /// `FILE_FS_ATTRIBUTE_INFORMATION`: which file system it is, and whether it keeps security descriptors.
    pub fn file_system(&self, buffer: Buffer<'_>) -> Answer {
        self.kernel
            .query_volume_information_file(self.handle(), FS_ATTRIBUTE, buffer)
    }

    /// Owner and DACL as they stand, to be recorded.
    pub fn security(&self, buffer: Buffer<'_>) -> Answer {
        self.kernel
            .query_security_object(self.handle(), OWNER_AND_DACL, buffer)
    }

    /// Whether a file of that name is there. Anything but a plain "no" counts as yes.
    pub fn contains(&self, name: &[u16]) -> bool {
        match self.open_file(name, FILE_READ_ATTRIBUTES | SYNCHRONIZE, FILE_OPEN) {
            Ok(_) => true,
            Err(status) => status != Status::OBJECT_NAME_NOT_FOUND,
        }
    }

    /// Creates a file that was not there, for administrators only.
    pub fn create(&self, name: &[u16]) -> Result<Owned<K>, Status> {
        self.open_file(
            name,
            FILE_WRITE_DATA | FILE_READ_ATTRIBUTES | DELETE | SYNCHRONIZE,
            FILE_CREATE,
        )
    }

    /// Creates a small file and sees to it that its content reaches the disk.
    pub fn create_flushed(&self, name: &[u16], content: &[u8]) -> Result<(), Status> {
        let file = self.create(name)?;
        let written = self.kernel.write_file(file.get(), content).status.ok();
        let flushed = written.and_then(|()| self.kernel.flush_buffers_file(file.get()).ok());
        if flushed.is_err() {
            // A guard of a run that goes no further would keep all later ones from capturing.
            self.kernel.delete_file(file.get());
        }
        flushed
    }

    /// Deletes a file; a link of that name is deleted itself, never what it leads to.
    pub fn remove(&self, name: &[u16]) -> Result<(), Status> {
        let file = self.open_file(name, DELETE | SYNCHRONIZE, FILE_OPEN)?;
        self.kernel.delete_file(file.get()).ok()
    }

    /// Calls `each` with every name, in the file system's order.
    pub fn for_each_name(
        &self,
        buffer: &mut Region<K>,
        each: &mut dyn FnMut(&[u16]),
    ) -> Result<(), Status> {
        let mut restart = true;
        loop {
            let room = buffer.length();
            let answer =
                self.kernel
                    .query_directory_file(self.handle(), restart, buffer.buffer(room));
            match answer.status {
                Status::NO_MORE_FILES => return Ok(()),
                // An empty root directory, which has no entry for itself, says so on the first call.
                Status::NO_SUCH_FILE if restart => return Ok(()),
                status => status.ok()?,
            }
            restart = false;
            let mut offset = 0;
            loop {
                let entry = buffer.first(answer.length).get(offset..).unwrap_or(&[]);
                let length = dword(entry, names::FILE_NAME_LENGTH) as usize;
                let next = dword(entry, names::NEXT_ENTRY_OFFSET) as usize;
                let Some(name) = buffer.units_at(answer.length, offset + names::FILE_NAME, length)
                else {
                    break;
                };
                each(name);
                if next == 0 {
                    break;
                }
                offset = offset.saturating_add(next);
            }
        }
    }

    fn open_file(&self, name: &[u16], access: u32, disposition: u32) -> Result<Owned<K>, Status> {
        let handle = self.kernel.create_file(&FileRequest {
            directory: self.handle(),
            name,
            access,
            share: FILE_SHARE_READ | FILE_SHARE_DELETE,
            disposition,
            options: FILE_NON_DIRECTORY_FILE
                | FILE_SYNCHRONOUS_IO_NONALERT
                | FILE_OPEN_REPARSE_POINT,
            security: Some(&FILE_SECURITY),
        })?;
        Ok(Owned::new(self.kernel, handle))
    }
}

/// A snapshot being written under a temporary name.
#[derive(Debug)]
#[repr(C)]
pub struct SnapshotFile<K: Kernel> {
    kernel: K,
    file: Owned<K>,
    buffer: Region<K>,
    used: usize,
    directory: Handle,
    entries: Handle,
    name: Path,
}

impl<K: Kernel> SnapshotFile<K> {
    /// Bytes gathered before the file system is called.
    const BUFFER: usize = 64 << 10;

    /// Creates `stem.tmp`, to become `stem.bshot`.
    pub fn create(kernel: K, directory: &Directory<K>, stem: &[u8]) -> Result<Self, Status> {
        let buffer = Region::new(kernel, Self::BUFFER)?;
        let mut name = Path::new();
        name.push_ascii(stem);
        name.push_ascii(b".tmp");
        let file = directory.create(name.units())?;
        name.cut(stem.len());
        name.push_ascii(b".bshot");
        Ok(Self {
            kernel,
            file,
            directory: directory.handle(),
            entries: directory.entries(),
            name,
            buffer,
            used: 0,
        })
    }

    /// Writes what is gathered, flushes the file and gives it its name, which is then flushed as well.
    pub fn publish(&mut self) -> Result<(), Status> {
        self.write_gathered()?;
        self.kernel.flush_buffers_file(self.file.get()).ok()?;
        if self.entries != self.directory {
            // On FAT the length stands in the directory: the name must not reach the disk before it.
            self.kernel.flush_buffers_file(self.entries);
        }
        self.kernel
            .rename_file(self.file.get(), self.directory, self.name.units())
            .ok()?;
        self.kernel.flush_buffers_file(self.entries);
        Ok(())
    }

    /// Deletes the file: a part of a snapshot that nobody could read, or a disk that is full.
    pub fn discard(&mut self) {
        self.kernel.delete_file(self.file.get());
    }

    fn write_gathered(&mut self) -> Result<(), Status> {
        let used = core::mem::take(&mut self.used);
        write_all(self.kernel, self.file.get(), self.buffer.first(used))
    }
}

impl<K: Kernel> Sink for SnapshotFile<K> {
    type Error = Status;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Status> {
        if bytes.len() > Self::BUFFER - self.used {
            self.write_gathered()?;
        }
        if bytes.len() > Self::BUFFER / 2 {
            self.write_gathered()?;
            return write_all(self.kernel, self.file.get(), bytes);
        }
        if let Some(room) = self.buffer.bytes_mut().get_mut(self.used..)
            && let Some(place) = room.get_mut(..bytes.len())
        {
            place.copy_from_slice(bytes);
            self.used += bytes.len();
        }
        Ok(())
    }
}

fn write_all<K: Kernel>(kernel: K, file: Handle, bytes: &[u8]) -> Result<(), Status> {
    if bytes.is_empty() {
        return Ok(());
    }
    let answer = kernel.write_file(file, bytes);
    answer.status.ok()?;
    // A file takes all of a write or fails; anything else would leave a hole in the records.
    if answer.length == bytes.len() {
        Ok(())
    } else {
        Err(Status::UNSUCCESSFUL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_security_descriptor_is_laid_out_as_windows_reads_it() {
        let bytes: Vec<u8> = DIRECTORY_SECURITY
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect();
        assert_eq!(bytes.len(), 20 + 52);
        assert_eq!(bytes[..4], [1, 0, 0x04, 0x90]);
        assert_eq!(bytes[16..28], [20, 0, 0, 0, 2, 0, 52, 0, 2, 0, 0, 0]);
        let system = [
            0, 3, 20, 0, 0xFF, 1, 0x1F, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
        ];
        assert_eq!(bytes[28..48], system);
        let administrators = [
            0, 3, 24, 0, 0xFF, 1, 0x1F, 0, 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0,
        ];
        assert_eq!(bytes[48..], administrators);
    }
}
