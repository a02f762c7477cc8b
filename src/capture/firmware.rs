//! Variables of the firmware, and the platform binary it may have left on the disk.

use super::{Capture, Exact, Question, Stop};
use crate::nt::{FileRequest, Handle, Kernel, Owned, Status};
use crate::utf16;
use bootshot_format::{Family, OpenKind, Sink, Source};

/// `SystemEnvironmentValueInformation`, `SystemEnvironmentNameInformation`.
const CLASSES: [u32; 2] = [2, 1];

/// Where smss puts the platform binary before it runs it (Microsoft, "Windows Platform Binary Table").
const PLATFORM_BINARY: &[u16] = utf16!("\\SystemRoot\\System32\\wpbbin.exe");

/// `FileBasicInformation`, `FileStandardInformation`, with their lengths.
const FILE_CLASSES: [(u32, Exact); 2] = [(4, Exact::new(40, 40)), (5, Exact::new(24, 24))];

const FILE_READ_ATTRIBUTES: u32 = 0x80;
const SYNCHRONIZE: u32 = 0x0010_0000;
/// Read, write, delete.
const SHARE_ALL: u32 = 7;
const FILE_OPEN: u32 = 1;
const FILE_SYNCHRONOUS_IO_NONALERT: u32 = 0x20;
const FILE_OPEN_REPARSE_POINT: u32 = 0x0020_0000;

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    pub(super) fn firmware(&mut self) -> Result<(), Stop> {
        let kernel = self.kernel;
        for class in CLASSES {
            let question = Question::new(Source::FIRMWARE_VARIABLES, class);
            let asked = self.section(Family::FIRMWARE, &question, &mut |buffer| {
                kernel.enumerate_system_environment_values(class, buffer)
            })?;
            if asked.status.is_success() {
                break;
            }
        }
        self.begin_batch(Family::FIRMWARE)?;
        let path = PLATFORM_BINARY;
        if let Some(file) = self.file(path, FILE_READ_ATTRIBUTES, FILE_OPEN_REPARSE_POINT)? {
            for (class, exact) in FILE_CLASSES {
                let question = Question::new(Source::FILE_INFORMATION, class).named(path);
                self.item(&question, Some(exact), &mut |buffer| {
                    kernel.query_information_file(file.get(), class, buffer)
                })?;
            }
        }
        self.end_batch()
    }

    /// Opens a file that is there, without keeping anybody from it; a failure is recorded.
    pub(super) fn file(
        &mut self,
        path: &[u16],
        access: u32,
        options: u32,
    ) -> Result<Option<Owned<K>>, Stop> {
        let request = FileRequest {
            directory: Handle::NONE,
            name: path,
            access: access | SYNCHRONIZE,
            share: SHARE_ALL,
            disposition: FILE_OPEN,
            options: options | FILE_SYNCHRONOUS_IO_NONALERT,
            security: None,
        };
        match self.kernel.create_file(&request) {
            Ok(file) => Ok(Some(Owned::new(self.kernel, file))),
            Err(status) => {
                let question = Question::new(Source::OPEN, OpenKind::FILE.0).named(path);
                self.note(&question, status).map(|()| None)
            }
        }
    }
}
