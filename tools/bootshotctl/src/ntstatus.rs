//! What a native program, or the attempt to start one, ends with.

use std::fmt;

use bootshot_reader::names::describe_status;

/// An `NTSTATUS`, shown by number and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NtStatus(pub u32);

impl NtStatus {
    pub const SUCCESS: Self = Self(0);
}

impl fmt::Display for NtStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&describe_status(self.0))
    }
}
