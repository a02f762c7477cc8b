//! Numbers of the system calls: statuses, access rights, create options.

#[rustfmt::skip]
pub mod status {
    use crate::nt::Status;

    pub const PARTIAL_COPY: Status = Status::new(0x8000_000D);
    pub const PROCESS_NOT_IN_JOB: Status = Status::new(0x0000_0123);
    pub const PROCESS_IN_JOB: Status = Status::new(0x0000_0124);
    pub const INVALID_HANDLE: Status = Status::new(0xC000_0008);
    pub const INVALID_CID: Status = Status::new(0xC000_000B);
    pub const END_OF_FILE: Status = Status::new(0xC000_0011);
    pub const KEY_DELETED: Status = Status::new(0xC000_017C);
    pub const NOT_FOUND: Status = Status::new(0xC000_0225);
    pub const OBJECT_TYPE_MISMATCH: Status = Status::new(0xC000_0024);
    pub const OBJECT_NAME_INVALID: Status = Status::new(0xC000_0033);
    pub const OBJECT_PATH_NOT_FOUND: Status = Status::new(0xC000_003A);
    pub const OBJECT_PATH_SYNTAX_BAD: Status = Status::new(0xC000_003B);
    pub const DELETE_PENDING: Status = Status::new(0xC000_0056);
    pub const PRIVILEGE_NOT_HELD: Status = Status::new(0xC000_0061);
    pub const FILE_IS_A_DIRECTORY: Status = Status::new(0xC000_00BA);
    pub const DIRECTORY_NOT_EMPTY: Status = Status::new(0xC000_0101);
    pub const NOT_A_DIRECTORY: Status = Status::new(0xC000_0103);
}

/// Access rights.
pub mod access {
    pub const LIST_OR_READ: u32 = 0x0001;
    pub const WRITE_OR_ADD_FILE: u32 = 0x0002;
    pub const APPEND_OR_ADD_SUBDIRECTORY: u32 = 0x0004;
    pub const DELETE: u32 = 0x0001_0000;
    pub const READ_CONTROL: u32 = 0x0002_0000;
    pub const SYNCHRONIZE: u32 = 0x0010_0000;
    pub const KEY_QUERY_VALUE: u32 = 0x0001;
    pub const KEY_SET_VALUE: u32 = 0x0002;
    pub const KEY_ENUMERATE_SUB_KEYS: u32 = 0x0008;
    pub const PROCESS_VM_READ: u32 = 0x0010;
    pub const PROCESS_DUP_HANDLE: u32 = 0x0040;
    pub const PROCESS_QUERY_INFORMATION: u32 = 0x0400;
    pub const PROCESS_QUERY_LIMITED_INFORMATION: u32 = 0x1000;

    /// What the generic rights of files stand for.
    pub fn of_file(asked: u32) -> u32 {
        let generic = [
            (31, 0x0012_0089),
            (30, 0x0012_0116),
            (29, 0x0012_00A0),
            (28, 0x001F_01FF),
            (25, 0x001F_01FF),
        ];
        let granted = generic
            .iter()
            .filter(|(bit, _)| asked & 1 << bit != 0)
            .fold(asked, |all, (_, rights)| all | rights);
        granted & 0x01FF_FFFF
    }
}

/// Create options.
pub mod option {
    pub const DIRECTORY_FILE: u32 = 0x0001;
    pub const WRITE_THROUGH: u32 = 0x0002;
    pub const SYNCHRONOUS: u32 = 0x0010 | 0x0020;
    pub const NON_DIRECTORY_FILE: u32 = 0x0040;
    pub const DELETE_ON_CLOSE: u32 = 0x1000;
    pub const OPEN_REPARSE_POINT: u32 = 0x0020_0000;
}
