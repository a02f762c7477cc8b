//! The handle list again, with everything in it that the capture holds by now; live, the names of what it does not hold.

use super::Capture;
use super::ended::{PROCESS_QUERY_AND_WAIT, THREAD_QUERY_AND_WAIT};
use super::file_names::FileNames;
use super::handles::HANDLES;
use super::objects::{BASIC, NAME, TYPE};
use super::query::Ask;
use crate::nt::access::PROCESS_DUP_HANDLE;
use crate::nt::{Handle, Kernel, List, Owned, Region, Status};
use crate::own::{dword, native};
use crate::text;
use bootshot_format::{Family, ObjectKind, OpenKind, Outcome, Sink, Source, handle_of};

const POINTER: usize = size_of::<usize>();
/// Bytes of `SYSTEM_HANDLE_INFORMATION_EX` in front of its entries, the first pointer being their number.
const LIST_HEAD: usize = 2 * POINTER;
/// `SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX`: object, process, handle value; access, two halves of which the upper is the type
/// index, attributes, reserved.
type HandleEntry = [u8; 3 * POINTER + 16];

/// Processes that are kept open at once to duplicate from.
const MAXIMUM_HOLDERS: usize = 1024;

impl<'a, K: Kernel, S: Sink<Error = Status> + Send> Capture<'a, K, S> {
    // Out of line, with a frame of its own: docs/size.md.
    #[inline(never)]
    pub(super) fn names(&mut self) {
        self.first_answered(Family::NAMES, &HANDLES);
        self.kept.close();
        // At boot everybody else is protected.
        if !self.facts.live {
            return;
        }
        let length = match self.call.ask == HANDLES[0] {
            true => self.asked.length,
            false => 0,
        };
        self.begin_batch(Family::NAMES);
        // Sorted where it lies: it is recorded, and nothing else needs it.
        let mut list = self.lend_answer();
        let bytes = list.buffer(length).into_bytes();
        let count = native(bytes, 0) as usize;
        let entries = bytes.get_mut(LIST_HEAD..).unwrap_or_default();
        let entries = entries.as_chunks_mut().0;
        let count = count.min(entries.len());
        let entries = entries.get_mut(..count).unwrap_or_default();
        sort(entries);
        self.name_all(entries);
        self.answer = list;
        self.end_batch();
    }

    /// Asks about each object once that we do not hold ourselves.
    fn name_all(&mut self, mut entries: &[HandleEntry]) {
        let facts = self.facts;
        let own = self.own.process_id;
        // Files must be told apart before one is duplicated: our own output directory is one.
        let Some(file_type) = entries
            .iter()
            .find(|entry| {
                let mut known = facts.handles.iter();
                process_id(entry) == own && known.any(|known| known.handle.0 as u64 == value(entry))
            })
            .map(type_index)
        else {
            // Closing the duplicate of a file can hang as well.
            self.outcome = Outcome::TRUNCATED;
            return;
        };
        let mut others = Others {
            holders: Holders {
                kernel: self.kernel,
                list: List::new(self.heap),
            },
            files: FileNames::new(self.kernel),
            listing: Region::empty(self.kernel),
        };
        while let Some(first) = entries.first()
            && self.goes_on()
        {
            let address = object(first);
            // Hidden: whatever it is, it is not one object.
            let others_of_it = entries
                .iter()
                .skip(1)
                .take_while(|entry| address != 0 && object(entry) == address);
            let (held, rest) = entries
                .split_at_checked(1 + others_of_it.count())
                .unwrap_or_default();
            entries = rest;
            if held.iter().all(|entry| process_id(entry) != own) {
                self.name_one(held, file_type == type_index(first), &mut others);
            }
        }
    }

    /// Tries the holders of an object until one can be duplicated from; why the last could not, where none could.
    fn name_one(&mut self, held: &[HandleEntry], is_file: bool, others: &mut Others<'a, K>) {
        let kernel = self.kernel;
        let mut refused = Status::UNSUCCESSFUL;
        for entry in held {
            self.subject = [handle_of(process_id(entry), value(entry)), 0];
            let failed = match others.holders.open(process_id(entry)) {
                Ok(holder) if is_file => {
                    match others.files.ask(holder, value(entry), &mut self.answer) {
                        None => {
                            self.outcome = Outcome::TRUNCATED;
                            return;
                        }
                        Some(Ok(asked)) => {
                            self.call.ask = NAME;
                            self.asked = asked;
                            return self.record();
                        }
                        Some(Err(status)) => status,
                    }
                }
                Ok(holder) => match kernel.duplicate(holder, value(entry), None) {
                    Ok(handle) => {
                        let owned = Owned::new(kernel, handle);
                        self.call.handle = handle;
                        self.ask_other(holder, entry, &mut others.listing);
                        drop(owned);
                        return;
                    }
                    Err(status) => status,
                },
                Err(status) => status,
            };
            refused = failed;
        }
        self.note(Ask::new(Source::OPEN, OpenKind::HANDLE.0), refused);
    }

    /// Asks what the type of an object allows, through a duplicate of a handle of another process.
    fn ask_other(&mut self, holder: Handle, entry: &HandleEntry, listing: &mut Region<K>) {
        let kernel = self.kernel;
        let handle = self.call.handle;
        self.ask(TYPE);
        let type_name = self.answer.string_at(self.asked.length, 0).unwrap_or(&[]);
        // In the order of the places below.
        let place = text::place_in(type_name, "File Directory Job Process Thread");
        if place == Some(0) {
            // The value was given to a file since the list was taken.
            self.outcome = Outcome::TRUNCATED;
            return;
        }
        self.items(&[BASIC, NAME]);
        let (kind, access) = match place {
            Some(1) => return self.list(handle, &[], self.subject[0], listing, false),
            Some(2) => return self.job(),
            Some(3) => (ObjectKind::PROCESS, PROCESS_QUERY_AND_WAIT),
            Some(4) => (ObjectKind::THREAD, THREAD_QUERY_AND_WAIT),
            _ => return,
        };
        let duplicate = kernel.duplicate(holder, value(entry), Some(access));
        let duplicate = Owned::new(kernel, duplicate.unwrap_or(Handle::NONE));
        if duplicate.get() != Handle::NONE {
            self.call.handle = duplicate.get();
        }
        if kernel.wait(self.call.handle, Some(0)) == Status::SUCCESS {
            self.ended_object(kind);
        }
    }
}

/// What the naming of others' objects draws on.
struct Others<'h, K: Kernel> {
    holders: Holders<'h, K>,
    files: FileNames<K>,
    listing: Region<K>,
}

/// Processes opened to duplicate from, refusals included: each is asked once.
struct Holders<'h, K: Kernel> {
    kernel: K,
    /// Process id, and the handle or why there is none: handles have the upper bit clear that such statuses have set.
    list: List<'h, K, (u32, u32)>,
}

impl<K: Kernel> Holders<'_, K> {
    fn open(&mut self, process_id: u64) -> Result<Handle, Status> {
        let kernel = self.kernel;
        let process_id = process_id as u32;
        if let Some((_, opened)) = self.list.iter().find(|(id, _)| *id == process_id) {
            return Status::new(*opened).ok().map(|()| Handle(*opened as usize));
        }
        if self.list.len() == MAXIMUM_HOLDERS {
            self.close();
        }
        let opened = kernel.open_process(u64::from(process_id), PROCESS_DUP_HANDLE);
        let kept = opened.map_or_else(|status| status.number(), |handle| handle.0 as u32);
        if self.list.push((process_id, kept)).is_err() {
            if let Ok(handle) = opened {
                kernel.close(handle);
            }
            return Err(Status::NO_MEMORY);
        }
        opened
    }

    fn close(&mut self) {
        for (_, opened) in self.list.iter() {
            if Status::new(*opened).is_success() {
                self.kernel.close(Handle(*opened as usize));
            }
        }
        self.list.clear();
    }
}

impl<K: Kernel> Drop for Holders<'_, K> {
    fn drop(&mut self) {
        self.close();
    }
}

fn object(entry: &HandleEntry) -> u64 {
    native(entry, 0)
}

fn process_id(entry: &HandleEntry) -> u64 {
    native(entry, POINTER)
}

fn value(entry: &HandleEntry) -> u64 {
    native(entry, 2 * POINTER)
}

fn type_index(entry: &HandleEntry) -> u32 {
    dword(entry, 3 * POINTER + 4) >> 16
}

/// Heap sort by object and process: in place, and never slow.
fn sort(entries: &mut [HandleEntry]) {
    let key = |entry: &HandleEntry| (object(entry), process_id(entry));
    let mut end = entries.len();
    let mut start = end / 2;
    while end > 1 {
        if start > 0 {
            start -= 1;
        } else {
            end -= 1;
            swap(entries, 0, end);
        }
        let heap = entries.get_mut(..end).unwrap_or_default();
        let mut parent = start;
        loop {
            // Where there is no entry there is no key, which is less than any.
            let key = |place: usize| heap.get(place).map(key);
            let mut child = 2 * parent + 1;
            if key(child) < key(child + 1) {
                child += 1;
            }
            if key(parent) >= key(child) {
                break;
            }
            swap(heap, parent, child);
            parent = child;
        }
    }
}

/// Swaps two entries; the upper one is another.
#[inline(never)]
fn swap(entries: &mut [HandleEntry], lower: usize, upper: usize) {
    if let Some([lower, .., upper]) = entries.get_mut(lower..=upper) {
        core::mem::swap(lower, upper);
    }
}
