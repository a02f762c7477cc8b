//! Kernel modules.

use super::{Capture, Stop};
use crate::nt::{Kernel, Status};
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
        Ok(())
    }
}
