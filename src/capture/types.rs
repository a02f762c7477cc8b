//! Object types, with their totals and peaks.

use super::{Capture, Question, Stop};
use crate::nt::{Handle, Kernel, Status};
use bootshot_format::{Family, Sink, Source};

/// `ObjectTypesInformation`.
const TYPES_INFORMATION: u32 = 3;

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    /// Systems before Windows XP SP2 and its relatives do not answer: there the names stand in `\ObjectTypes`, which the
    /// walk through the namespace lists.
    pub(super) fn types(&mut self) -> Result<(), Stop> {
        let kernel = self.kernel;
        let question = Question::new(Source::OBJECT_INFORMATION, TYPES_INFORMATION);
        self.section(Family::TYPES, &question, &mut |buffer| {
            kernel.query_object(Handle::NONE, TYPES_INFORMATION, buffer)
        })?;
        Ok(())
    }
}
