//! Variables of the firmware, and the platform binary it may have left on the disk.

use super::Capture;
use super::query::Ask;
use crate::nt::access::{
    FILE_OPEN, FILE_OPEN_REPARSE_POINT, FILE_READ_ATTRIBUTES, FILE_SHARE_DELETE, FILE_SHARE_READ,
    FILE_SHARE_WRITE, FILE_SYNCHRONOUS_IO_NONALERT, SYNCHRONIZE,
};
use crate::nt::{FileRequest, Handle, Kernel, Owned, Status};
use bootshot_format::{Family, OpenKind, Sink, Source};

/// `SystemEnvironmentValueInformation`, and where that is refused `SystemEnvironmentNameInformation`.
const VARIABLES: [Ask; 2] = [
    Ask::new(Source::FIRMWARE_VARIABLES, 2),
    Ask::new(Source::FIRMWARE_VARIABLES, 1),
];

/// Where smss puts the platform binary before it runs it (Microsoft, "Windows Platform Binary Table").
const PLATFORM_BINARY: &[u8] = b"\\SystemRoot\\System32\\wpbbin.exe";

const FILE: [Ask; 2] = [
    Ask::exact(Source::FILE_INFORMATION, 4, 40, 40), // FileBasicInformation
    Ask::exact(Source::FILE_INFORMATION, 5, 24, 24), // FileStandardInformation
];

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    pub(super) fn firmware(&mut self) {
        self.first_answered(Family::FIRMWARE, &VARIABLES);
        self.begin_batch(Family::FIRMWARE);
        self.name(PLATFORM_BINARY);
        let file = self.file(FILE_READ_ATTRIBUTES, FILE_OPEN_REPARSE_POINT);
        if self.call.handle != Handle::NONE {
            self.items(&FILE);
        }
        drop(file);
        self.end_batch();
    }

    /// Opens the file of the path, where it is there, without keeping anybody from it; a failure is recorded.
    pub(super) fn file(&mut self, access: u32, options: u32) -> Owned<K> {
        let request = FileRequest {
            directory: Handle::NONE,
            name: self.path.units(),
            access: access | SYNCHRONIZE,
            share: FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
            disposition: FILE_OPEN,
            options: options | FILE_SYNCHRONOUS_IO_NONALERT,
            security: None,
        };
        let opened = self.kernel.create_file(&request);
        self.opened(OpenKind::FILE, opened)
    }
}
