//! Kernel modules, and the driver objects that should each belong to one.

use super::{Capture, Stop};
use crate::nt::{Kernel, Status};
use crate::utf16;
use bootshot_format::{Family, Sink};

/// `SystemModuleInformationEx`.
const MODULE_INFORMATION_EX: u32 = 77;
/// `SystemModuleInformation`.
const MODULE_INFORMATION: u32 = 11;

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    pub(super) fn modules(&mut self) -> Result<(), Stop> {
        self.first_answered(
            Family::MODULES,
            &[MODULE_INFORMATION_EX, MODULE_INFORMATION],
        )?;
        self.begin_batch(Family::MODULES)?;
        self.directory(utf16!("\\Driver"))?;
        self.directory(utf16!("\\FileSystem"))?;
        self.end_batch()
    }
}
