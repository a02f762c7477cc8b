//! The first page of each image in use: what kind of program it is stands in its headers.

use super::path::Path;
use super::processes::for_each_process;
use super::query::ask;
use super::{Capture, Exact, Question, Stop};
use crate::nt::layout::{
    process_module_information as module, process_module_information_ex as module_ex,
    process_modules, unicode_string,
};
use crate::nt::{Kernel, List, Owned, Region, Status};
use crate::own::{dword, native};
use bootshot_format::{Family, OpenKind, Outcome, Sink, Source};

const PROCESS_QUERY_INFORMATION: u32 = 0x400;
/// Since Vista.
const PROCESS_QUERY_LIMITED_INFORMATION: u32 = 0x1000;
/// `ProcessImageFileName`: its path below a device.
const IMAGE_FILE_NAME: u32 = 27;
/// `SystemModuleInformationEx`, `SystemModuleInformation`.
const MODULE_CLASSES: [u32; 2] = [77, 11];

const FILE_READ_DATA: u32 = 1;
const FILE_NON_DIRECTORY_FILE: u32 = 0x40;

/// Bytes read of an image: its headers lie in the first page of nearly all.
const FIRST_PAGE: Exact = Exact::new(0x1000, 0x1000);
/// Images read.
const MAXIMUM_IMAGES: usize = 2048;

/// The images of a run.
struct Images<'h, K: Kernel> {
    /// Hashes of the paths that were read, or tried.
    seen: List<'h, K, u64>,
    page: Region<K>,
    outcome: Outcome,
}

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    pub(super) fn images(&mut self) -> Result<(), Stop> {
        let kernel = self.kernel;
        let mut images = Images {
            seen: List::new(self.heap),
            page: Region::empty(kernel),
            outcome: Outcome::COMPLETE,
        };
        self.begin_batch(Family::IMAGES)?;
        let mut processes = List::new(self.heap);
        let mut complete = Ok(());
        let listed = for_each_process(kernel, &mut self.answer, |process| {
            if complete.is_ok() {
                complete = processes.push(process.id);
            }
        });
        if let Err(status) = listed.and(complete.map_err(Status::from)) {
            self.note(&Question::new(Source::OPEN, OpenKind::PROCESS.0), status)?;
        }
        for id in processes.iter() {
            // Whether it can be opened is recorded with its details.
            if (self.may_go_on)()
                && let Ok(process) = kernel
                    .open_process(*id, PROCESS_QUERY_LIMITED_INFORMATION)
                    .or_else(|_| kernel.open_process(*id, PROCESS_QUERY_INFORMATION))
            {
                let process = Owned::new(kernel, process);
                self.image_of(process, &mut images)?;
            }
        }
        for class in MODULE_CLASSES {
            let asked = ask(kernel, &mut self.answer, None, &mut |buffer| {
                kernel.query_system_information(class, buffer)
            });
            if asked.status.is_success() {
                // Lent out while its modules are read into another.
                let answer = core::mem::replace(&mut self.answer, Region::empty(kernel));
                let list = &answer.bytes()[..asked.length];
                let read = self.images_of_modules(list, class == MODULE_CLASSES[0], &mut images);
                self.answer = answer;
                read?;
                break;
            }
        }
        self.end_batch_as(images.outcome)
    }

    fn image_of(&mut self, process: Owned<K>, images: &mut Images<'_, K>) -> Result<(), Stop> {
        let kernel = self.kernel;
        let asked = ask(kernel, &mut images.page, None, &mut |buffer| {
            kernel.query_information_process(process.get(), IMAGE_FILE_NAME, buffer)
        });
        let answer = &images.page.bytes()[..asked.length];
        let length = (dword(answer, unicode_string::LENGTH) & 0xFFFF) as usize;
        let place =
            native(answer, unicode_string::BUFFER).wrapping_sub(images.page.address() as u64);
        let text = usize::try_from(place)
            .ok()
            .and_then(|place| answer.get(place..)?.get(..length))
            .unwrap_or(&[]);
        let mut path = Path::new();
        let units = text.as_chunks().0.iter();
        let whole = path.push(&mut units.map(|unit| u16::from_le_bytes(*unit)));
        self.image(&path, whole, images)
    }

    fn images_of_modules(
        &mut self,
        list: &[u8],
        extended: bool,
        images: &mut Images<'_, K>,
    ) -> Result<(), Stop> {
        let mut entry = match extended {
            true => module_ex::BASE_INFO,
            false => process_modules::MODULES,
        };
        while let Some(name) = list.get(entry + module::FULL_PATH_NAME..) {
            let name = &name[..name.len().min(module::FULL_PATH_NAME_SIZE)];
            let mut path = Path::new();
            let characters = name.iter().take_while(|byte| **byte != 0);
            let whole = path.push(&mut characters.map(|byte| u16::from(*byte)));
            self.image(&path, whole, images)?;
            entry += match extended {
                true => match dword(list, entry - module_ex::BASE_INFO) & 0xFFFF {
                    0 => break,
                    next => next as usize,
                },
                false => module::SIZE,
            };
        }
        Ok(())
    }

    /// Reads the first page of an image, unless it was read before.
    fn image(&mut self, path: &Path, whole: bool, images: &mut Images<'_, K>) -> Result<(), Stop> {
        let kernel = self.kernel;
        let path = path.units();
        let hash = hash(path);
        if path.is_empty() || images.seen.contains(&hash) {
            return Ok(());
        }
        if images.seen.len() == MAXIMUM_IMAGES
            || !(self.may_go_on)()
            || images.seen.push(hash).is_err()
        {
            images.outcome = Outcome::TRUNCATED;
            return Ok(());
        }
        if !whole {
            let question = Question::new(Source::OPEN, OpenKind::FILE.0).named(path);
            return self.note(&question, Status::NAME_TOO_LONG);
        }
        let Some(file) = self.file(path, FILE_READ_DATA, FILE_NON_DIRECTORY_FILE)? else {
            return Ok(());
        };
        let page = &mut images.page;
        let asked = ask(kernel, page, Some(FIRST_PAGE), &mut |buffer| {
            kernel.read_file(file.get(), buffer)
        });
        self.count(&asked);
        self.push(
            &Question::new(Source::FILE_CONTENT, 0).named(path),
            &asked,
            page.address() as u64,
            &page.bytes()[..asked.length],
        )
    }
}

/// FNV-1a of a path in any case.
fn hash(path: &[u16]) -> u64 {
    const OFFSET: u64 = 0xCBF2_9CE4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01B3;
    path.iter().fold(OFFSET, |hash, unit| {
        let folded = match u8::try_from(*unit) {
            Ok(byte) => u16::from(byte.to_ascii_lowercase()),
            Err(_) => *unit,
        };
        (hash ^ u64::from(folded)).wrapping_mul(PRIME)
    })
}
