//! The few offsets the boot side reads by itself, for the pointer width it is built for.
//!
//! Everything else in an answer is copied, not read. The real kernel compares these with `ntapi`'s declarations when
//! it is compiled, and `tools/abi-check` compares those with `phnt`'s.

const fn by_width(narrow: usize, wide: usize) -> usize {
    if size_of::<usize>() == 4 {
        narrow
    } else {
        wide
    }
}

/// `PEB`.
pub mod peb {
    use super::by_width;

    pub const PROCESS_PARAMETERS: usize = by_width(0x10, 0x20);
    pub const OS_BUILD_NUMBER: usize = by_width(0xAC, 0x120);
}

/// `RTL_USER_PROCESS_PARAMETERS`.
pub mod process_parameters {
    use super::by_width;

    pub const LENGTH: usize = 4;
    pub const STANDARD_OUTPUT: usize = by_width(0x1C, 0x28);
    pub const CURRENT_DIRECTORY: usize = by_width(0x24, 0x38);
    pub const DLL_PATH: usize = by_width(0x30, 0x50);
    pub const IMAGE_PATH_NAME: usize = by_width(0x38, 0x60);
    pub const COMMAND_LINE: usize = by_width(0x40, 0x70);
    pub const ENVIRONMENT: usize = by_width(0x48, 0x80);
    pub const WINDOW_TITLE: usize = by_width(0x70, 0xB0);
    pub const DESKTOP_INFO: usize = by_width(0x78, 0xC0);
    pub const SHELL_INFO: usize = by_width(0x80, 0xD0);
    pub const RUNTIME_DATA: usize = by_width(0x88, 0xE0);
    /// `EnvironmentSize`, since Windows Vista.
    pub const ENVIRONMENT_SIZE: usize = by_width(0x290, 0x3F0);
}

/// `UNICODE_STRING`.
pub mod unicode_string {
    use super::by_width;

    pub const LENGTH: usize = 0;
    pub const BUFFER: usize = by_width(4, 8);
    pub const SIZE: usize = by_width(8, 16);
}

/// `SYSTEM_PROCESS_INFORMATION`, the part that classes 5, 57 and 148 share.
pub mod process_information {
    use super::by_width;

    pub const NEXT_ENTRY_OFFSET: usize = 0;
    pub const CREATE_TIME: usize = 0x20;
    pub const IMAGE_NAME: usize = 0x38;
    pub const UNIQUE_PROCESS_ID: usize = by_width(0x44, 0x50);
}

/// `PROCESS_BASIC_INFORMATION`.
pub mod process_basic_information {
    use super::by_width;

    pub const PEB_BASE_ADDRESS: usize = by_width(4, 8);
    pub const UNIQUE_PROCESS_ID: usize = by_width(0x10, 0x20);
    pub const SIZE: usize = by_width(0x18, 0x30);
}

/// `KEY_BASIC_INFORMATION`.
pub mod key_basic_information {
    pub const NAME_LENGTH: usize = 12;
    pub const NAME: usize = 16;
}

/// `RTL_PROCESS_MODULES`.
pub mod process_modules {
    use super::by_width;

    pub const MODULES: usize = by_width(4, 8);
}

/// `RTL_PROCESS_MODULE_INFORMATION`.
pub mod process_module_information {
    use super::by_width;

    /// ANSI, with a terminating zero.
    pub const FULL_PATH_NAME: usize = by_width(28, 40);
    pub const FULL_PATH_NAME_SIZE: usize = 256;
    pub const SIZE: usize = by_width(284, 296);
}

/// `RTL_PROCESS_MODULE_INFORMATION_EX`, which begins with the offset of the next one, 0 in the last.
pub mod process_module_information_ex {
    use super::by_width;

    /// The fields that it shares with `RTL_PROCESS_MODULE_INFORMATION`.
    pub const BASE_INFO: usize = by_width(4, 8);
}

/// `FILE_NAMES_INFORMATION`.
pub mod file_names_information {
    pub const NEXT_ENTRY_OFFSET: usize = 0;
    pub const FILE_NAME_LENGTH: usize = 8;
    pub const FILE_NAME: usize = 12;
}

/// `FILE_FS_SIZE_INFORMATION`.
pub mod fs_size_information {
    pub const AVAILABLE_ALLOCATION_UNITS: usize = 8;
    pub const SECTORS_PER_ALLOCATION_UNIT: usize = 16;
    pub const BYTES_PER_SECTOR: usize = 20;
}

/// `KUSER_SHARED_DATA`, mapped at the same address in every process, with the same offsets on every architecture.
pub mod user_shared_data {
    pub const ADDRESS: u64 = 0x7FFE_0000;
    pub const SIZE: usize = 0x1000;
    pub const INTERRUPT_TIME: usize = 0x08;
    pub const SYSTEM_TIME: usize = 0x14;
    /// `NtSystemRoot`, 260 UTF-16 units.
    pub const NT_SYSTEM_ROOT: usize = 0x30;
    pub const NT_MAJOR_VERSION: usize = 0x26C;
    pub const NT_MINOR_VERSION: usize = 0x270;
    pub const BOOT_ID: usize = 0x2C4;
    /// `SafeBootMode`, one byte.
    pub const SAFE_BOOT_MODE: usize = 0x2EC;
}
