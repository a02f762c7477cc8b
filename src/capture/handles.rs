//! The handles of all processes.

use super::query::Ask;
use super::{Capture, KnownHandle};
use crate::nt::access::{DIRECTORY_QUERY, KEY_READ, PROCESS_QUERY_INFORMATION, TOKEN_QUERY};
use crate::nt::{Handle, Kernel, Status};
use crate::utf16;
use bootshot_format::{Family, NoteKind, ObjectKind, Sink, Source};

/// `SystemExtendedHandleInformation`, and for systems without it `SystemHandleInformation`, which cuts process ids and
/// handle values to 16 bits.
pub(super) const HANDLES: [Ask; 2] = [
    Ask::new(Source::SYSTEM_INFORMATION, 64),
    Ask::new(Source::SYSTEM_INFORMATION, 16),
];

const OWN_HANDLE: Ask = Ask::new(Source::NOTE, NoteKind::OWN_HANDLE.0);

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    /// Our own entries in the list tie type indexes to type names: a handle of each type that costs nothing to open is
    /// held while the list is taken, and noted.
    pub(super) fn handles(&mut self) {
        let kernel = self.kernel;
        let open = |kind, path, access| kernel.open(kind, Handle::NONE, path, access);
        let process = kernel.open_process(self.own.process_id, PROCESS_QUERY_INFORMATION);
        let token = kernel.open_process_token(Handle::CURRENT_PROCESS, TOKEN_QUERY);
        let directory = open(ObjectKind::DIRECTORY, utf16!("\\"), DIRECTORY_QUERY);
        let key = open(ObjectKind::KEY, utf16!("\\Registry"), KEY_READ);
        let opened = [
            ("Process", process),
            ("Token", token),
            ("Directory", directory),
            ("Key", key),
        ]
        .map(|(type_name, opened)| KnownHandle {
            handle: opened.unwrap_or(Handle::NONE),
            type_name,
        });
        self.first_answered(Family::HANDLES, &HANDLES);
        self.begin_batch(Family::HANDLES);
        let facts = self.facts;
        for known in facts.handles {
            self.own_handle(*known);
        }
        for known in &opened {
            if known.handle != Handle::NONE {
                self.own_handle(*known);
                kernel.close(known.handle);
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
