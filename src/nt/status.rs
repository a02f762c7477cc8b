//! `NTSTATUS` as an open newtype: any value may come, a few are acted on.

/// An `NTSTATUS`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Status(pub u32);

#[rustfmt::skip]
impl Status {
    pub const SUCCESS: Self = Self(0);
    pub const TIMEOUT: Self = Self(0x0000_0102);
    pub const MORE_ENTRIES: Self = Self(0x0000_0105);
    pub const BUFFER_OVERFLOW: Self = Self(0x8000_0005);
    pub const NO_SUCH_FILE: Self = Self(0xC000_000F);
    pub const NO_MORE_FILES: Self = Self(0x8000_0006);
    pub const NO_MORE_ENTRIES: Self = Self(0x8000_001A);
    pub const PARTIAL_COPY: Self = Self(0x8000_000D);
    pub const UNSUCCESSFUL: Self = Self(0xC000_0001);
    pub const NOT_IMPLEMENTED: Self = Self(0xC000_0002);
    pub const INVALID_INFO_CLASS: Self = Self(0xC000_0003);
    pub const INFO_LENGTH_MISMATCH: Self = Self(0xC000_0004);
    pub const INVALID_PARAMETER: Self = Self(0xC000_000D);
    pub const ACCESS_DENIED: Self = Self(0xC000_0022);
    pub const BUFFER_TOO_SMALL: Self = Self(0xC000_0023);
    pub const OBJECT_NAME_NOT_FOUND: Self = Self(0xC000_0034);
    pub const OBJECT_NAME_COLLISION: Self = Self(0xC000_0035);
    pub const OBJECT_PATH_NOT_FOUND: Self = Self(0xC000_003A);
    pub const PROCEDURE_NOT_FOUND: Self = Self(0xC000_007A);
    pub const DISK_FULL: Self = Self(0xC000_007F);
    pub const INSUFFICIENT_RESOURCES: Self = Self(0xC000_009A);
    pub const ALREADY_COMPLETE: Self = Self(0x0000_00FF);
    pub const REPARSE_POINT_ENCOUNTERED: Self = Self(0xC000_050B);
    pub const INVALID_SECURITY_DESCR: Self = Self(0xC000_0079);
    pub const NAME_TOO_LONG: Self = Self(0xC000_0106);
    pub const NO_MEMORY: Self = Self(0xC000_0017);
    pub const CANCELLED: Self = Self(0xC000_0120);
    pub const REQUEST_ABORTED: Self = Self(0xC000_0240);

    /// `NT_SUCCESS`: success or informational.
    pub const fn is_success(self) -> bool {
        (self.0 as i32) >= 0
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
