//! `NTSTATUS` as an open newtype: any value may come, a few are acted on.

/// An `NTSTATUS`, sign-extended to the width of a register: a `Result` of it and a handle or an address then fits two
/// registers, and needs no memory (docs/size.md).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Status(isize);

#[rustfmt::skip]
impl Status {
    pub const SUCCESS: Self = Self::new(0);
    pub const TIMEOUT: Self = Self::new(0x0000_0102);
    pub const MORE_ENTRIES: Self = Self::new(0x0000_0105);
    pub const BUFFER_OVERFLOW: Self = Self::new(0x8000_0005);
    pub const NO_SUCH_FILE: Self = Self::new(0xC000_000F);
    pub const NO_MORE_FILES: Self = Self::new(0x8000_0006);
    pub const NO_MORE_ENTRIES: Self = Self::new(0x8000_001A);
    pub const UNSUCCESSFUL: Self = Self::new(0xC000_0001);
    pub const NOT_IMPLEMENTED: Self = Self::new(0xC000_0002);
    pub const INVALID_INFO_CLASS: Self = Self::new(0xC000_0003);
    pub const INFO_LENGTH_MISMATCH: Self = Self::new(0xC000_0004);
    pub const INVALID_PARAMETER: Self = Self::new(0xC000_000D);
    pub const ACCESS_DENIED: Self = Self::new(0xC000_0022);
    pub const BUFFER_TOO_SMALL: Self = Self::new(0xC000_0023);
    pub const OBJECT_NAME_NOT_FOUND: Self = Self::new(0xC000_0034);
    pub const OBJECT_NAME_COLLISION: Self = Self::new(0xC000_0035);
    pub const PROCEDURE_NOT_FOUND: Self = Self::new(0xC000_007A);
    pub const DISK_FULL: Self = Self::new(0xC000_007F);
    pub const ALREADY_COMPLETE: Self = Self::new(0x0000_00FF);
    pub const REPARSE_POINT_ENCOUNTERED: Self = Self::new(0xC000_050B);
    pub const INVALID_SECURITY_DESCR: Self = Self::new(0xC000_0079);
    pub const NAME_TOO_LONG: Self = Self::new(0xC000_0106);
    pub const NO_MEMORY: Self = Self::new(0xC000_0017);
    pub const CANCELLED: Self = Self::new(0xC000_0120);
    pub const REQUEST_ABORTED: Self = Self::new(0xC000_0240);

    /// The status with this number.
    pub const fn new(number: u32) -> Self {
        Self(number as i32 as isize)
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self.0 as u32
    }

    /// `NT_SUCCESS`: success or informational.
    pub const fn is_success(self) -> bool {
        self.0 >= 0
    }

    /// Whether the call asks for a larger buffer.
    pub const fn wants_more_room(self) -> bool {
        matches!(self, Self::INFO_LENGTH_MISMATCH | Self::BUFFER_TOO_SMALL | Self::BUFFER_OVERFLOW)
    }

    /// The status as a result: failures and warnings are errors.
    pub const fn ok(self) -> Result<(), Self> {
        if self.is_success() { Ok(()) } else { Err(self) }
    }
}
