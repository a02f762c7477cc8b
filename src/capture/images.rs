//! The first page of each image in use: what kind of program it is stands in its headers.

use super::Capture;
use super::modules::MODULES;
use super::query::Ask;
use crate::nt::access::{FILE_NON_DIRECTORY_FILE, FILE_READ_DATA};
use crate::nt::layout::{
    process_module_information as module, process_module_information_ex as module_ex,
    process_modules,
};
use crate::nt::{Handle, Kernel, List, Owned, Status};
use crate::own::dword;
use crate::text;
use bootshot_format::{Family, OpenKind, Outcome, Sink, Source};

/// `ProcessImageFileName`: its path below a device.
const IMAGE_FILE_NAME: Ask = Ask::new(Source::PROCESS_INFORMATION, 27);

const FILE: Ask = Ask::new(Source::OPEN, OpenKind::FILE.0);

/// The headers of an image: they lie in the first page of nearly all.
const FIRST_PAGE: Ask = Ask::exact(Source::FILE_CONTENT, 0, 0x1000, 0x1000);
/// Images read.
const MAXIMUM_IMAGES: usize = 2048;

/// Hashes of the paths that were read, or tried.
type Seen<'h, K> = List<'h, K, u64>;

impl<'a, K: Kernel, S: Sink<Error = Status> + Send> Capture<'a, K, S> {
    pub(super) fn images(&mut self) {
        let kernel = self.kernel;
        let mut seen = List::new(self.heap);
        self.begin_batch(Family::IMAGES);
        self.each_process(&mut |capture, id, _| {
            // Whether it can be opened is recorded with its details.
            if let Ok(handle) = capture.open_to_query(id) {
                let process = Owned::new(kernel, handle);
                capture.call.handle = handle;
                capture.ask(IMAGE_FILE_NAME);
                drop(process);
                capture.path.cut(0);
                let name = capture.answer.string_at(capture.asked.length, 0);
                let whole = capture.path.push(name.unwrap_or(&[]));
                capture.image(whole, &mut seen);
            }
        });
        for class in &MODULES {
            self.ask(*class);
            if self.asked.status.is_success() {
                let length = self.asked.length;
                let list = self.lend_answer();
                self.images_of_modules(list.first(length), *class == MODULES[0], &mut seen);
                self.answer = list;
                break;
            }
        }
        self.end_batch();
    }

    fn images_of_modules(&mut self, list: &[u8], extended: bool, seen: &mut Seen<'a, K>) {
        let mut entry = match extended {
            true => module_ex::BASE_INFO,
            false => process_modules::MODULES,
        };
        while let Some(name) = list.get(entry + module::FULL_PATH_NAME..) {
            let name = name.get(..module::FULL_PATH_NAME_SIZE).unwrap_or(name);
            let name = name.split(|byte| *byte == 0).next().unwrap_or(name);
            self.path.cut(0);
            let whole = self.path.push_ascii(name);
            self.image(whole, seen);
            entry += match extended {
                true => match dword(list, entry - module_ex::BASE_INFO) & 0xFFFF {
                    0 => break,
                    next => next as usize,
                },
                false => module::SIZE,
            };
        }
    }

    /// Reads the first page of the image of the path, unless it was read before.
    fn image(&mut self, whole: bool, seen: &mut Seen<'a, K>) {
        let path = self.path.units();
        let hash = hash(path);
        if path.is_empty() || seen.contains(&hash) {
            return;
        }
        if seen.len() == MAXIMUM_IMAGES || !self.goes_on() || seen.push(hash).is_err() {
            self.outcome = Outcome::TRUNCATED;
        } else if !whole {
            self.note(FILE, Status::NAME_TOO_LONG);
        } else {
            let file = self.file(FILE_READ_DATA, FILE_NON_DIRECTORY_FILE);
            if file.get() != Handle::NONE {
                self.items(&[FIRST_PAGE]);
            }
        }
    }
}

/// FNV-1a of a path in any case.
fn hash(path: &[u16]) -> u64 {
    const OFFSET: u64 = 0xCBF2_9CE4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01B3;
    path.iter().fold(OFFSET, |hash, unit| {
        (hash ^ u64::from(text::lower(*unit))).wrapping_mul(PRIME)
    })
}
