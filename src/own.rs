//! What the process knows of itself before it asks anything: the PEB it was given, and what that points to.

use crate::nt::layout::{
    peb, process_basic_information, process_parameters, unicode_string, user_shared_data,
};
use crate::nt::{Buffer, Handle, Kernel, Region, Status};

/// The process as its PEB describes it.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    /// Address of the PEB.
    pub peb: u64,
    /// Address of the process parameters.
    pub parameters: u64,
    /// Standard output; none when smss started us.
    pub standard_output: Handle,
    /// `OSBuildNumber`.
    pub build: u32,
    /// Our process id.
    pub process_id: u64,
}

impl Own {
    /// Reads the PEB; what cannot be read is zero.
    pub fn read<K: Kernel>(kernel: K, peb_address: u64) -> Self {
        let parameters = pointer(kernel, peb_address + peb::PROCESS_PARAMETERS as u64);
        Self {
            peb: peb_address,
            parameters,
            standard_output: Handle(pointer(
                kernel,
                parameters + process_parameters::STANDARD_OUTPUT as u64,
            ) as usize),
            process_id: process_id(kernel),
            build: memory(kernel, peb_address + peb::OS_BUILD_NUMBER as u64) as u32 & 0xFFFF,
        }
    }

    /// The command line in memory of its own, and its length in UTF-16 units. When it cannot be read, that is an error: a
    /// run that knows nothing of `once` or `dir=` is one that nobody asked for.
    pub fn command_line<K: Kernel>(self, kernel: K) -> Result<(Region<K>, usize), Status> {
        let (address, length) = string(
            kernel,
            self.parameters + process_parameters::COMMAND_LINE as u64,
        );
        if address == 0 {
            return Err(Status::INVALID_PARAMETER);
        }
        let mut region = Region::new(kernel, length.max(2))?;
        let bytes = region.buffer(length).into_bytes();
        kernel
            .read_virtual_memory(Handle::CURRENT_PROCESS, address, bytes)
            .status
            .ok()?;
        Ok((region, length / 2))
    }
}

fn process_id<K: Kernel>(kernel: K) -> u64 {
    /// `ProcessBasicInformation`.
    const BASIC_INFORMATION: u32 = 0;
    let mut words = [0; process_basic_information::SIZE / 8];
    let buffer = Buffer::new(&mut words, usize::MAX);
    kernel.query_information_process(Handle::CURRENT_PROCESS, BASIC_INFORMATION, buffer);
    native(
        Buffer::new(&mut words, usize::MAX).into_bytes(),
        process_basic_information::UNIQUE_PROCESS_ID,
    )
}

/// `KUSER_SHARED_DATA` at a 4-byte field.
pub fn shared<K: Kernel>(kernel: K, offset: usize) -> u32 {
    memory(kernel, user_shared_data::ADDRESS + offset as u64) as u32
}

/// Address and length in bytes of the characters of a `UNICODE_STRING` of ours; length 0 when there is none.
pub fn string<K: Kernel>(kernel: K, address: u64) -> (u64, usize) {
    string_in(kernel, Handle::CURRENT_PROCESS, address)
}

/// The same in another process, of our own pointer width.
pub fn string_in<K: Kernel>(kernel: K, process: Handle, address: u64) -> (u64, usize) {
    let mut bytes = [0; unicode_string::SIZE];
    if !kernel
        .read_virtual_memory(process, address, &mut bytes)
        .status
        .is_success()
    {
        return (0, 0);
    }
    let length = u16::from_ne_bytes([
        bytes[unicode_string::LENGTH],
        bytes[unicode_string::LENGTH + 1],
    ]);
    (native(&bytes, unicode_string::BUFFER), usize::from(length))
}

/// A pointer of our own memory, 0 when it cannot be read.
pub fn pointer<K: Kernel>(kernel: K, address: u64) -> u64 {
    memory(kernel, address) as usize as u64
}

/// Eight bytes of our own memory, 0 when they cannot be read.
pub fn memory<K: Kernel>(kernel: K, address: u64) -> u64 {
    let mut bytes = [0; 8];
    let answer = kernel.read_virtual_memory(Handle::CURRENT_PROCESS, address, &mut bytes);
    match answer.status.is_success() {
        true => u64::from_ne_bytes(bytes),
        false => 0,
    }
}

/// The pointer-sized number at `offset`, 0 when the bytes end before it.
pub fn native(bytes: &[u8], offset: usize) -> u64 {
    match bytes.get(offset..).and_then(|rest| rest.first_chunk()) {
        Some(bytes) => usize::from_ne_bytes(*bytes) as u64,
        None => 0,
    }
}

/// The 4-byte number at `offset`, 0 when the bytes end before it.
pub fn dword(bytes: &[u8], offset: usize) -> u32 {
    match bytes.get(offset..).and_then(|rest| rest.first_chunk()) {
        Some(bytes) => u32::from_ne_bytes(*bytes),
        None => 0,
    }
}

/// The 8-byte number at `offset`, 0 when the bytes end before it.
pub fn qword(bytes: &[u8], offset: usize) -> u64 {
    match bytes.get(offset..).and_then(|rest| rest.first_chunk()) {
        Some(bytes) => u64::from_ne_bytes(*bytes),
        None => 0,
    }
}
