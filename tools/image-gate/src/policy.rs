//! What is asked of an image.

use ntdll_lib::{Machine, NtVersion};

/// What [`check`](crate::check) asks of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The machine the image must be for; `None` accepts every supported one.
    pub machine: Option<Machine>,
    /// The oldest Windows that must export what is imported; `None` is the oldest supported on the image's machine.
    pub floor: Option<NtVersion>,
    pub imports: AllowedImports,
}

/// Which exports of ntdll an image may import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllowedImports {
    /// Those of our own module definitions.
    ModuleDefinition,
    /// Every export whose first Windows is known.
    Known,
}

impl Policy {
    /// For anybody's native executable: every known export of ntdll may be imported, if it is old enough.
    pub fn native(machine: Option<Machine>) -> Self {
        Self {
            machine,
            floor: None,
            imports: AllowedImports::Known,
        }
    }

    /// For our own executable: only what our module definition of ntdll lists may be imported.
    pub fn bootshot(machine: Machine) -> Self {
        Self {
            machine: Some(machine),
            floor: None,
            imports: AllowedImports::ModuleDefinition,
        }
    }
}
