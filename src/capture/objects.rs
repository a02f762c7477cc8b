//! What an object tells through a handle, whoever opened it: basic information, security, name, contents.

use super::Capture;
use super::query::{Ask, Asked};
use crate::nt::layout::unicode_string;
use crate::nt::{Buffer, Handle, Kernel, Region, Status};
use bootshot_format::{ObjectHeader, ObjectKind, Outcome, Sink, Source, entry_of};

/// `ObjectBasicInformation`.
const BASIC_INFORMATION: u32 = 0;
/// Bytes of `OBJECT_BASIC_INFORMATION`, on every architecture.
const BASIC_LENGTH: usize = 56;
/// Calls made to list one directory, which may answer one entry at a time.
const MAXIMUM_CALLS: u32 = 1 << 16;

/// What an object of any type is asked.
pub(super) const BASIC: Ask = Ask::exact(
    Source::OBJECT_INFORMATION,
    BASIC_INFORMATION,
    BASIC_LENGTH as u16,
    BASIC_LENGTH as u16,
);
/// `ObjectNameInformation`.
pub(super) const NAME: Ask = Ask::new(Source::OBJECT_INFORMATION, 1);
/// `ObjectTypeInformation`, which begins with the name.
pub(super) const TYPE: Ask = Ask::new(Source::OBJECT_INFORMATION, 2);

/// What a job is asked; those of silos since Windows 10. The size of 30 is from `phnt`, that of 36 is
/// `SILOOBJECT_BASIC_INFORMATION` of the SDK; 38 has grown, and this is the newest size known, which no header confirms.
const JOB: [Ask; 7] = [
    Ask::exact(Source::JOB_INFORMATION, 1, 48, 48), // JobObjectBasicAccountingInformation
    Ask::new(Source::JOB_INFORMATION, 3),           // JobObjectBasicProcessIdList
    Ask::exact(Source::JOB_INFORMATION, 8, 96, 96), // JobObjectBasicAndIoAccountingInformation
    Ask::exact(Source::JOB_INFORMATION, 9, 112, 144), // JobObjectExtendedLimitInformation
    Ask::exact(Source::JOB_INFORMATION, 30, 36, 36), // JobObjectContainerId
    Ask::exact(Source::JOB_INFORMATION, 36, 16, 16), // JobObjectSiloBasicInformation
    Ask::exact(Source::JOB_INFORMATION, 38, 32, 40), // JobObjectServerSiloBasicInformation
];

const DIRECTORY: Ask = Ask::new(Source::DIRECTORY_OBJECT, 0);

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    /// Records what came of opening an object, and keeps it open. The next questions go to it and are about it; there is
    /// no handle where that failed.
    pub(super) fn object(&mut self, kind: ObjectKind, opened: Result<Handle, Status>, entry: u64) {
        let kernel = self.kernel;
        let question = Ask::new(Source::OBJECT, kind.0);
        let kept = opened.and_then(|handle| {
            self.kept.keep(handle, kind == ObjectKind::DIRECTORY)?;
            Ok(handle)
        });
        let handle = kept.unwrap_or(Handle::NONE);
        self.call.handle = handle;
        self.subject = [handle.0 as u64, entry];
        if let Err(status) = kept {
            self.note(question, status);
            self.count();
            return;
        }
        let mut words = [0; (ObjectHeader::SIZE + BASIC_LENGTH) / 8];
        let (_, basic) = words.split_at_mut(ObjectHeader::SIZE / 8);
        let basic = Buffer::new(basic, BASIC_LENGTH);
        let basic_status = kernel.query_object(handle, BASIC_INFORMATION, basic).status;
        let basic_length = match basic_status.is_success() {
            true => BASIC_LENGTH,
            false => 0,
        };
        self.ask(question);
        let header = ObjectHeader {
            basic_status: basic_status.number(),
            security_status: self.asked.status.number(),
            basic_length: basic_length as u32,
            security_length: self.asked.length as u32,
        };
        let head = Buffer::new(&mut words, ObjectHeader::SIZE + basic_length).into_bytes();
        if let Some(place) = head.first_chunk_mut() {
            *place = header.encode();
        }
        self.asked = Asked::at_hand(Status::SUCCESS, head.len() + self.asked.length);
        self.count();
        self.push(head, 0);
        // What is asked next is about the handle alone.
        self.subject[1] = 0;
    }

    /// Asks a job; no handle is the caller's own.
    pub(super) fn job(&mut self) {
        self.items(&JOB);
    }

    /// Lists an object directory, each call an item about `reference`. Its entries stay in `listing`, so that other
    /// questions may be asked meanwhile: where they are `walked`, each is opened and asked.
    pub(super) fn list(
        &mut self,
        directory: Handle,
        path: &[u16],
        reference: u64,
        listing: &mut Region<K>,
        walked: bool,
    ) {
        let (mut context, mut single, mut number) = (0, false, 0);
        for _ in 0..MAXIMUM_CALLS {
            self.call.handle = directory;
            self.call.index = context;
            self.call.single = single;
            self.subject = [u64::from(context), reference];
            self.path.push(path);
            core::mem::swap(&mut self.answer, listing);
            self.items(&[DIRECTORY]);
            core::mem::swap(&mut self.answer, listing);
            let (asked, next) = (self.asked, self.call.next);
            // What a directory lists has no path.
            self.path.cut(0);
            let mut offset = 0;
            // The entries end with one of null strings, or where the strings begin.
            while walked
                && let Some(name) = listing.string_at(asked.length, offset)
                && let Some(type_name) =
                    listing.string_at(asked.length, offset + unicode_string::SIZE)
            {
                self.entry(directory, entry_of(reference, number), name, type_name);
                if self.outcome != Outcome::COMPLETE {
                    return;
                }
                offset += 2 * unicode_string::SIZE;
                number += 1;
            }
            let goes_on = match asked.status {
                Status::MORE_ENTRIES => true,
                status if status.is_success() => single,
                Status::NO_MORE_ENTRIES => false,
                // Some systems answer for single entries only.
                _ if !single => {
                    single = true;
                    continue;
                }
                _ => false,
            };
            if !goes_on || next <= context {
                return;
            }
            context = next;
        }
        self.outcome = Outcome::TRUNCATED;
    }
}
