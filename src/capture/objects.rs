//! What an object tells through a handle, whoever opened it: basic information, security, name, contents.

use super::query::{Asked, ask};
use super::{Capture, Exact, Question, Stop};
use crate::nt::layout::unicode_string;
use crate::nt::{Buffer, Handle, Kernel, Owned, Region, Status, units_at};
use crate::own::{dword, native};
use bootshot_format::{ObjectHeader, ObjectKind, Sink, Source};

/// `ObjectBasicInformation`.
const BASIC_INFORMATION: u32 = 0;
/// Bytes of `OBJECT_BASIC_INFORMATION`, on every architecture.
const BASIC_LENGTH: usize = 56;
/// Owner, group and DACL of `SECURITY_INFORMATION`.
const OWNER_GROUP_AND_DACL: u32 = 7;
/// Calls made to list one directory, which may answer one entry at a time.
const MAXIMUM_CALLS: u32 = 1 << 16;

/// Classes to ask, and the length each takes where it takes only one.
pub(super) type Classes = [(u32, Option<Exact>)];

/// Basic information and `ObjectNameInformation`.
pub(super) const OBJECT: &Classes = &[
    (
        BASIC_INFORMATION,
        Some(Exact::new(BASIC_LENGTH, BASIC_LENGTH)),
    ),
    (1, None),
];

/// The target of a symbolic link, which has no classes.
pub(super) const TARGET: &Classes = &[(0, None)];

/// A process that has ended.
pub(super) const PROCESS: &Classes = &[
    (0, Some(Exact::new(24, 48))), // ProcessBasicInformation
    (4, Some(Exact::new(32, 32))), // ProcessTimes
    (27, None),                    // ProcessImageFileName
];

/// A thread that has ended.
pub(super) const THREAD: &Classes = &[
    (0, Some(Exact::new(28, 48))), // ThreadBasicInformation
    (1, Some(Exact::new(32, 32))), // ThreadTimes
    (9, Some(Exact::new(4, 8))),   // ThreadQuerySetWin32StartAddress
];

/// A job; those of silos since Windows 10. The size of 30 is from `phnt`, that of 36 is `SILOOBJECT_BASIC_INFORMATION` of
/// the SDK; 38 has grown, and this is the newest size known, which no header confirms.
pub(super) const JOB: &Classes = &[
    (1, Some(Exact::new(48, 48))),   // JobObjectBasicAccountingInformation
    (3, None),                       // JobObjectBasicProcessIdList
    (8, Some(Exact::new(96, 96))),   // JobObjectBasicAndIoAccountingInformation
    (9, Some(Exact::new(112, 144))), // JobObjectExtendedLimitInformation
    (30, Some(Exact::new(36, 36))),  // JobObjectContainerId
    (36, Some(Exact::new(16, 16))),  // JobObjectSiloBasicInformation
    (38, Some(Exact::new(32, 40))),  // JobObjectServerSiloBasicInformation
];

/// Takes an entry of a directory's listing: its number, name and type. `false` ends the listing.
pub(super) type Entry<'f, C> = &'f mut dyn FnMut(&mut C, u32, [&[u16]; 2]) -> Result<bool, Stop>;

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    /// Records what came of opening an object, and keeps it open. Nothing comes back where that failed.
    pub(super) fn object(
        &mut self,
        kind: ObjectKind,
        opened: Result<Owned<K>, Status>,
        entry: u64,
    ) -> Result<Option<Handle>, Stop> {
        let kernel = self.kernel;
        let question = |handle| Question::new(Source::OBJECT, kind.0).about(handle, entry);
        let kept = opened.and_then(|owned| {
            let handle = owned.get();
            self.kept.keep(owned, kind == ObjectKind::DIRECTORY)?;
            Ok(handle)
        });
        let handle = match kept {
            Ok(handle) => handle,
            Err(status) => {
                self.count(&Asked::without_answer(status));
                self.note(&question(0), status)?;
                return Ok(None);
            }
        };
        let mut words = [0; (ObjectHeader::SIZE + BASIC_LENGTH) / 8];
        let basic = Buffer::new(&mut words[ObjectHeader::SIZE / 8..], BASIC_LENGTH);
        let basic = kernel.query_object(handle, BASIC_INFORMATION, basic).status;
        let basic_length = if basic.is_success() { BASIC_LENGTH } else { 0 };
        let security = ask(kernel, &mut self.answer, None, &mut |buffer| {
            kernel.query_security_object(handle, OWNER_GROUP_AND_DACL, buffer)
        });
        let head = Buffer::new(&mut words, ObjectHeader::SIZE + basic_length).into_bytes();
        let header = ObjectHeader {
            basic_status: basic.0,
            security_status: security.status.0,
            basic_length: basic_length as u32,
            security_length: security.length as u32,
        };
        head[..ObjectHeader::SIZE].copy_from_slice(&header.encode());
        let asked = Asked::at_hand(head.len() + security.length);
        self.count(&asked);
        let answer = core::mem::replace(&mut self.answer, Region::empty(kernel));
        let parts = [&*head, &answer.bytes()[..security.length]];
        let pushed = self.push_parts(&question(handle.0 as u64), &asked, 0, parts);
        self.answer = answer;
        pushed.map(|()| Some(handle))
    }

    /// Asks a handle what `source` asks, each class an item about `reference`; what came of the last comes back.
    pub(super) fn ask_handle(
        &mut self,
        source: Source,
        classes: &Classes,
        handle: Handle,
        reference: u64,
    ) -> Result<Asked, Stop> {
        let kernel = self.kernel;
        let mut last = Asked::without_answer(Status::SUCCESS);
        for (class, exact) in classes {
            let question = Question::new(source, *class).about(reference, 0);
            last = self.item(&question, *exact, &mut |buffer| match source {
                Source::SYMBOLIC_LINK => kernel.query_symbolic_link_object(handle, buffer),
                Source::PROCESS_HANDLE => kernel.query_information_process(handle, *class, buffer),
                Source::THREAD_HANDLE => kernel.query_information_thread(handle, *class, buffer),
                Source::JOB_INFORMATION => {
                    kernel.query_information_job_object(handle, *class, buffer)
                }
                _ => kernel.query_object(handle, *class, buffer),
            })?;
        }
        Ok(last)
    }

    /// Lists an object directory, each call an item about `reference`, and hands on its entries: they stay in `listing`,
    /// so that other questions may be asked meanwhile. `false` when a bound or `entry` ended it.
    pub(super) fn list(
        &mut self,
        directory: Handle,
        path: &[u16],
        reference: u64,
        listing: &mut Region<K>,
        entry: Entry<'_, Self>,
    ) -> Result<bool, Stop> {
        let kernel = self.kernel;
        let (mut context, mut single, mut number) = (0, false, 0);
        for _ in 0..MAXIMUM_CALLS {
            let start = context;
            let question = Question::new(Source::DIRECTORY_OBJECT, 0)
                .named(path)
                .about(u64::from(start), reference);
            core::mem::swap(&mut self.answer, listing);
            let asked = self.item(&question, None, &mut |buffer| {
                context = start;
                kernel.query_directory_object(directory, single, start == 0, &mut context, buffer)
            });
            core::mem::swap(&mut self.answer, listing);
            let asked = asked?;
            let mut place = 0;
            while let Some(names) = entry_at(listing, asked.length, place) {
                if !entry(self, number, names)? {
                    return Ok(false);
                }
                place += 1;
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
            if !goes_on || context <= start {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Name and type of an `OBJECT_DIRECTORY_INFORMATION`. The entries end with one of null strings, or where the strings begin.
fn entry_at<K: Kernel>(listing: &Region<K>, length: usize, place: usize) -> Option<[&[u16]; 2]> {
    let offset = place * 2 * unicode_string::SIZE;
    let name = string_at(listing, length, offset)?;
    let type_name = string_at(listing, length, offset + unicode_string::SIZE)?;
    Some([name, type_name])
}

/// The characters of a `UNICODE_STRING` in an answer, where they lie in it.
pub(super) fn string_at<K: Kernel>(
    answer: &Region<K>,
    length: usize,
    offset: usize,
) -> Option<&[u16]> {
    let bytes = answer.bytes().get(..length)?;
    let size = (dword(bytes, offset + unicode_string::LENGTH) & 0xFFFF) as usize;
    let buffer = native(bytes, offset + unicode_string::BUFFER);
    let place = usize::try_from(buffer.wrapping_sub(answer.address() as u64)).ok()?;
    bytes.get(place..)?.get(..size)?;
    units_at(answer, place, size / 2)
}
