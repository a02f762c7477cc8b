//! What a native program, or the attempt to start one, ends with.

use std::fmt;

use bootshot_reader::names;

/// An `NTSTATUS`, shown by number and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NtStatus(pub u32);

impl NtStatus {
    pub const SUCCESS: Self = Self(0);

    /// Its name in `ntstatus.h`.
    pub fn name(self) -> Option<&'static str> {
        names::status(self.0)
    }
}

impl fmt::Display for NtStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&names::describe_status(self.0))
    }
}
