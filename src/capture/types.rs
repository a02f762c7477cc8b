//! Object types, with their totals and peaks.

use super::{Capture, Question, Stop};
use crate::nt::{Handle, Kernel, Owned, Status};
use crate::utf16;
use bootshot_format::{Family, ObjectKind, OpenKind, Sink, Source};

/// `ObjectTypesInformation`.
const TYPES_INFORMATION: u32 = 3;
const DIRECTORY_QUERY: u32 = 1;
/// Calls made to list one directory: no directory of types has as many entries.
const MAXIMUM_CALLS: u32 = 1024;

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    pub(super) fn types(&mut self) -> Result<(), Stop> {
        let kernel = self.kernel;
        let question = Question::new(Source::OBJECT_INFORMATION, TYPES_INFORMATION);
        let asked = self.section(Family::TYPES, &question, &mut |buffer| {
            kernel.query_object(Handle::NONE, TYPES_INFORMATION, buffer)
        })?;
        if asked.status.is_success() {
            return Ok(());
        }
        // Systems before Windows XP SP2 and its relatives: the names at least stand in the namespace.
        self.begin_batch(Family::TYPES)?;
        self.directory(utf16!("\\ObjectTypes"))?;
        self.end_batch()
    }

    /// Lists an object directory: an item for each call, its argument where the call began.
    pub(super) fn directory(&mut self, path: &[u16]) -> Result<(), Stop> {
        let kernel = self.kernel;
        let directory =
            match kernel.open(ObjectKind::DIRECTORY, Handle::NONE, path, DIRECTORY_QUERY) {
                Ok(handle) => Owned::new(kernel, handle),
                Err(status) => {
                    let question =
                        Question::new(Source::OPEN, OpenKind::DIRECTORY_OBJECT.0).named(path);
                    return self.note(&question, status);
                }
            };
        let mut context = 0;
        let mut single = false;
        for _ in 0..MAXIMUM_CALLS {
            let start = context;
            let question = Question::new(Source::DIRECTORY_OBJECT, 0)
                .named(path)
                .about(u64::from(start), 0);
            let asked = self.item(&question, None, &mut |buffer| {
                context = start;
                kernel.query_directory_object(
                    directory.get(),
                    single,
                    start == 0,
                    &mut context,
                    buffer,
                )
            })?;
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
                break;
            }
        }
        Ok(())
    }
}
