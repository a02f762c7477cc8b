//! The handles of all processes.

use super::{Capture, KnownHandle, Question, Stop};
use crate::nt::{Handle, Kernel, Owned, Status};
use crate::utf16;
use bootshot_format::{Family, NoteKind, ObjectKind, Sink, Source};

/// `SystemExtendedHandleInformation`.
pub(super) const EXTENDED_HANDLE_INFORMATION: u32 = 64;
/// `SystemHandleInformation`, which cuts process ids and handle values to 16 bits.
pub(super) const HANDLE_INFORMATION: u32 = 16;

const DIRECTORY_QUERY: u32 = 1;
const KEY_READ: u32 = 0x2_0019;
const PROCESS_QUERY_INFORMATION: u32 = 0x400;
const TOKEN_QUERY: u32 = 8;

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    /// Our own entries in the list tie type indexes to type names: a handle of each type that costs nothing to open is
    /// held while the list is taken, and noted.
    pub(super) fn handles(&mut self) -> Result<(), Stop> {
        let kernel = self.kernel;
        let process = kernel.open_process(self.own.process_id, PROCESS_QUERY_INFORMATION);
        let token = kernel.open_process_token(Handle::CURRENT_PROCESS, TOKEN_QUERY);
        let directory = kernel.open(
            ObjectKind::DIRECTORY,
            Handle::NONE,
            utf16!("\\"),
            DIRECTORY_QUERY,
        );
        let key = kernel.open(
            ObjectKind::KEY,
            Handle::NONE,
            utf16!("\\Registry"),
            KEY_READ,
        );
        let opened: [(_, &'static [u16]); 4] = [
            (process, utf16!("Process")),
            (token, utf16!("Token")),
            (directory, utf16!("Directory")),
            (key, utf16!("Key")),
        ];
        let opened = opened.map(|(opened, type_name)| {
            (opened.map(|handle| Owned::new(kernel, handle)), type_name)
        });
        self.first_answered(
            Family::HANDLES,
            &[EXTENDED_HANDLE_INFORMATION, HANDLE_INFORMATION],
        )?;
        self.begin_batch(Family::HANDLES)?;
        let facts = self.facts;
        for known in facts.handles {
            self.own_handle(*known)?;
        }
        for (handle, type_name) in &opened {
            if let Ok(handle) = handle {
                self.own_handle(KnownHandle {
                    handle: handle.get(),
                    type_name,
                })?;
            }
        }
        self.end_batch()
    }

    fn own_handle(&mut self, known: KnownHandle) -> Result<(), Stop> {
        let question = Question::new(Source::NOTE, NoteKind::OWN_HANDLE.0);
        self.note(
            &question
                .about(known.handle.0 as u64, 0)
                .named(known.type_name),
            Status::SUCCESS,
        )
    }
}
