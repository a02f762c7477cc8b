//! The handles of all processes.

use super::query::Ask;
use super::{Capture, KnownHandle};
use crate::nt::{Handle, Kernel, Owned, Status};
use crate::utf16;
use bootshot_format::{Family, NoteKind, ObjectKind, Sink, Source};

/// `SystemExtendedHandleInformation`, and for systems without it `SystemHandleInformation`, which cuts process ids and
/// handle values to 16 bits.
pub(super) const HANDLES: [Ask; 2] = [
    Ask::new(Source::SYSTEM_INFORMATION, 64),
    Ask::new(Source::SYSTEM_INFORMATION, 16),
];

const OWN_HANDLE: Ask = Ask::new(Source::NOTE, NoteKind::OWN_HANDLE.0);

const DIRECTORY_QUERY: u32 = 1;
const KEY_READ: u32 = 0x2_0019;
const PROCESS_QUERY_INFORMATION: u32 = 0x400;
const TOKEN_QUERY: u32 = 8;

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    /// Our own entries in the list tie type indexes to type names: a handle of each type that costs nothing to open is
    /// held while the list is taken, and noted.
    pub(super) fn handles(&mut self) {
        let kernel = self.kernel;
        let open = |kind, path, access| kernel.open(kind, Handle::NONE, path, access);
        let opened = [
            kernel.open_process(self.own.process_id, PROCESS_QUERY_INFORMATION),
            kernel.open_process_token(Handle::CURRENT_PROCESS, TOKEN_QUERY),
            open(ObjectKind::DIRECTORY, utf16!("\\"), DIRECTORY_QUERY),
            open(ObjectKind::KEY, utf16!("\\Registry"), KEY_READ),
        ]
        .map(|opened| Owned::new(kernel, opened.unwrap_or(Handle::NONE)));
        self.first_answered(Family::HANDLES, &HANDLES);
        self.begin_batch(Family::HANDLES);
        let facts = self.facts;
        for known in facts.handles {
            self.own_handle(*known);
        }
        for (owned, type_name) in opened.iter().zip(&["Process", "Token", "Directory", "Key"]) {
            let handle = owned.get();
            if handle != Handle::NONE {
                self.own_handle(KnownHandle {
                    handle,
                    type_name: *type_name,
                });
            }
        }
        self.end_batch();
    }

    fn own_handle(&mut self, known: KnownHandle) {
        self.subject[0] = known.handle.0 as u64;
        self.name(known.type_name.as_bytes());
        self.note(OWN_HANDLE, Status::SUCCESS);
    }
}
