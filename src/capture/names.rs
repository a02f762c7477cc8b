//! The handle list again, with everything in it that the capture holds by now; live, the names of what it does not hold.

use super::ended::{PROCESS_QUERY_AND_WAIT, THREAD_QUERY_AND_WAIT, ended_questions};
use super::file_names::FileNames;
use super::handles::{EXTENDED_HANDLE_INFORMATION, HANDLE_INFORMATION};
use super::objects::{JOB, OBJECT, string_at};
use super::query::{Asked, ask};
use super::{Capture, Question, Stop};
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

const PROCESS_DUP_HANDLE: u32 = 0x40;
/// `ObjectTypeInformation`, which begins with the name.
const TYPE_INFORMATION: u32 = 2;
/// `ObjectNameInformation`.
const NAME_INFORMATION: u32 = 1;
/// Processes that are kept open at once to duplicate from.
const MAXIMUM_HOLDERS: usize = 1024;

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    pub(super) fn names(&mut self) -> Result<(), Stop> {
        let classes = [EXTENDED_HANDLE_INFORMATION, HANDLE_INFORMATION];
        let (class, length) = self.first_answered(Family::NAMES, &classes)?;
        self.kept.close();
        // At boot everybody else is protected.
        if !self.facts.live {
            return Ok(());
        }
        self.begin_batch(Family::NAMES)?;
        // Sorted where it lies: it is recorded, and nothing else needs it.
        let mut list = core::mem::replace(&mut self.answer, Region::empty(self.kernel));
        let length = if class == EXTENDED_HANDLE_INFORMATION {
            length
        } else {
            0
        };
        let bytes = list.bytes_mut().get_mut(..length).unwrap_or(&mut []);
        let count = native(bytes, 0) as usize;
        let entries = bytes
            .get_mut(LIST_HEAD..)
            .unwrap_or(&mut [])
            .as_chunks_mut()
            .0;
        let count = count.min(entries.len());
        let entries = &mut entries[..count];
        sort(entries);
        let complete = self.name_all(entries)?;
        self.end_batch_as(match complete {
            true => Outcome::COMPLETE,
            false => Outcome::TRUNCATED,
        })
    }

    /// Asks about each object once that we do not hold ourselves. `false` when something was left out.
    fn name_all(&mut self, mut entries: &[HandleEntry]) -> Result<bool, Stop> {
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
            return Ok(false);
        };
        let mut others = Others {
            holders: Holders {
                kernel: self.kernel,
                list: List::new(self.heap),
            },
            files: FileNames::new(self.kernel),
            listing: Region::empty(self.kernel),
        };
        let mut complete = true;
        while let Some(first) = entries.first() {
            if !(self.may_go_on)() {
                return Ok(false);
            }
            let address = object(first);
            let same = match address {
                // Hidden: whatever it is, it is not one object.
                0 => 1,
                _ => entries
                    .iter()
                    .take_while(|entry| object(entry) == address)
                    .count(),
            };
            let (held, rest) = entries.split_at(same);
            entries = rest;
            if held.iter().all(|entry| process_id(entry) != own) {
                complete &= self.name_one(held, file_type == type_index(first), &mut others)?;
            }
        }
        Ok(complete)
    }

    /// Tries the holders of an object until one can be duplicated from; why the last could not, where none could.
    fn name_one(
        &mut self,
        held: &[HandleEntry],
        is_file: bool,
        others: &mut Others<'_, K>,
    ) -> Result<bool, Stop> {
        let kernel = self.kernel;
        let mut refused = (0, Status::UNSUCCESSFUL);
        for entry in held {
            let reference = handle_of(process_id(entry), value(entry));
            let holder = others.holders.open(process_id(entry));
            let failed = match holder {
                Ok(holder) if is_file => {
                    match others.files.ask(holder, value(entry), &mut self.answer) {
                        None => return Ok(false),
                        Some(Ok(asked)) => return self.file_name(&asked, reference),
                        Some(Err(status)) => status,
                    }
                }
                Ok(holder) => match kernel.duplicate(holder, value(entry), None) {
                    Ok(handle) => {
                        let handle = Owned::new(kernel, handle);
                        return self.ask_other(handle, holder, entry, &mut others.listing);
                    }
                    Err(status) => status,
                },
                Err(status) => status,
            };
            refused = (reference, failed);
        }
        let question = Question::new(Source::OPEN, OpenKind::HANDLE.0).about(refused.0, 0);
        self.note(&question, refused.1)?;
        Ok(true)
    }

    fn file_name(&mut self, asked: &Asked, reference: u64) -> Result<bool, Stop> {
        let question = Question::new(Source::OBJECT_INFORMATION, NAME_INFORMATION);
        self.record(&question.about(reference, 0), asked)?;
        Ok(true)
    }

    /// Asks what the type of an object allows, through a duplicate of a handle of another process.
    fn ask_other(
        &mut self,
        handle: Owned<K>,
        holder: Handle,
        entry: &HandleEntry,
        listing: &mut Region<K>,
    ) -> Result<bool, Stop> {
        let kernel = self.kernel;
        let reference = handle_of(process_id(entry), value(entry));
        let asked = ask(kernel, &mut self.answer, None, &mut |buffer| {
            kernel.query_object(handle.get(), TYPE_INFORMATION, buffer)
        });
        let type_name = string_at(&self.answer, asked.length, 0).unwrap_or(&[]);
        let is = |name| text::is(type_name, name);
        let (is_file, is_directory, is_job) = (is("File"), is("Directory"), is("Job"));
        let ended = match () {
            () if is("Process") => Some((ObjectKind::PROCESS, PROCESS_QUERY_AND_WAIT)),
            () if is("Thread") => Some((ObjectKind::THREAD, THREAD_QUERY_AND_WAIT)),
            () => None,
        };
        if is_file {
            // The value was given to a file since the list was taken.
            return Ok(false);
        }
        self.ask_handle(Source::OBJECT_INFORMATION, OBJECT, handle.get(), reference)?;
        if is_directory {
            return self.list(handle.get(), &[], reference, listing, &mut |_, _, _| {
                Ok(true)
            });
        }
        if is_job {
            self.ask_handle(Source::JOB_INFORMATION, JOB, handle.get(), reference)?;
        }
        if let Some((kind, access)) = ended {
            let handle = match kernel.duplicate(holder, value(entry), Some(access)) {
                Ok(handle) => Owned::new(kernel, handle),
                Err(_) => handle,
            };
            if kernel.wait(handle.get(), Some(0)) == Status::SUCCESS {
                let (source, classes) = ended_questions(kind);
                self.ask_handle(source, classes, handle.get(), reference)?;
            }
        }
        Ok(true)
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
    list: List<'h, K, (u64, Result<Handle, Status>)>,
}

impl<K: Kernel> Holders<'_, K> {
    fn open(&mut self, process_id: u64) -> Result<Handle, Status> {
        if let Some((_, opened)) = self.list.iter().find(|(id, _)| *id == process_id) {
            return *opened;
        }
        if self.list.len() == MAXIMUM_HOLDERS {
            self.close();
        }
        let opened = self.kernel.open_process(process_id, PROCESS_DUP_HANDLE);
        let owned = opened.map(|handle| Owned::new(self.kernel, handle));
        self.list.push((process_id, opened))?;
        core::mem::forget(owned);
        opened
    }

    fn close(&mut self) {
        for (_, opened) in self.list.iter() {
            if let Ok(handle) = opened {
                self.kernel.close(*handle);
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
            entries.swap(0, end);
        }
        let mut parent = start;
        loop {
            let mut child = 2 * parent + 1;
            if child + 1 < end && key(&entries[child]) < key(&entries[child + 1]) {
                child += 1;
            }
            if child >= end || key(&entries[parent]) >= key(&entries[child]) {
                break;
            }
            entries.swap(parent, child);
            parent = child;
        }
    }
}
