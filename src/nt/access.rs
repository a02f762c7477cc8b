//! What a caller wants of an object, and how a file is opened: access masks, share modes, dispositions and options, by their
//! names in winnt.h and ntifs.h.

pub const DELETE: u32 = 0x1_0000;
pub const READ_CONTROL: u32 = 0x2_0000;
pub const SYNCHRONIZE: u32 = 0x10_0000;

pub const FILE_READ_DATA: u32 = 0x1;
/// What reading data is of a directory.
pub const FILE_LIST_DIRECTORY: u32 = 0x1;
pub const FILE_WRITE_DATA: u32 = 0x2;
/// What writing data is of a directory.
pub const FILE_ADD_FILE: u32 = 0x2;
pub const FILE_TRAVERSE: u32 = 0x20;
pub const FILE_READ_ATTRIBUTES: u32 = 0x80;

pub const FILE_SHARE_READ: u32 = 1;
pub const FILE_SHARE_WRITE: u32 = 2;
pub const FILE_SHARE_DELETE: u32 = 4;

pub const FILE_OPEN: u32 = 1;
pub const FILE_CREATE: u32 = 2;
pub const FILE_OPEN_IF: u32 = 3;

pub const FILE_DIRECTORY_FILE: u32 = 0x1;
pub const FILE_SYNCHRONOUS_IO_NONALERT: u32 = 0x20;
pub const FILE_NON_DIRECTORY_FILE: u32 = 0x40;
pub const FILE_OPEN_REPARSE_POINT: u32 = 0x20_0000;

pub const PROCESS_VM_READ: u32 = 0x10;
pub const PROCESS_DUP_HANDLE: u32 = 0x40;
pub const PROCESS_QUERY_INFORMATION: u32 = 0x400;
/// Since Vista, as that of threads.
pub const PROCESS_QUERY_LIMITED_INFORMATION: u32 = 0x1000;
pub const THREAD_QUERY_LIMITED_INFORMATION: u32 = 0x800;
pub const TOKEN_QUERY: u32 = 0x8;

pub const DIRECTORY_QUERY: u32 = 0x1;
pub const KEY_QUERY_VALUE: u32 = 0x1;
pub const KEY_SET_VALUE: u32 = 0x2;
pub const KEY_ENUMERATE_SUB_KEYS: u32 = 0x8;
pub const KEY_READ: u32 = 0x2_0019;
