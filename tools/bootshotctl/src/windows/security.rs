//! Who may do what: elevation, and the directory that is for SYSTEM and Administrators only.

use std::io;
use std::path::Path;
use std::{ptr, slice};

use windows_sys::Win32::Foundation::{ERROR_ALREADY_EXISTS, GetLastError, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertSecurityDescriptorToStringSecurityDescriptorW,
    ConvertStringSecurityDescriptorToSecurityDescriptorW, GetNamedSecurityInfoW, SDDL_REVISION_1,
    SE_FILE_OBJECT,
};
use windows_sys::Win32::Security::{
    CheckTokenMembership, CreateWellKnownSid, DACL_SECURITY_INFORMATION,
    OWNER_SECURITY_INFORMATION, PROTECTED_DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR,
    SECURITY_ATTRIBUTES, SECURITY_MAX_SID_SIZE, SetFileSecurityW, WinBuiltinAdministratorsSid,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateDirectoryW, FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT, GetFileAttributesW,
    INVALID_FILE_ATTRIBUTES,
};

use super::{installation, wide};
use crate::error::Error;
use crate::sddl;
use crate::system::Protection;

/// Owner Administrators; nothing inherited; all rights for SYSTEM and Administrators, here and below.
const SYSTEM_AND_ADMINISTRATORS: &str = "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";

/// Whether the Administrators group is enabled in our token. In one that UAC has filtered it is there to deny only.
pub fn is_elevated() -> Result<bool, Error> {
    let failed = || {
        Error::failed("cannot tell whether this is an elevated administrator")
            .because(io::Error::last_os_error())
    };
    // In 32-bit units, for a SID has to be aligned so.
    let mut sid = [0u32; SECURITY_MAX_SID_SIZE as usize / 4 + 1];
    let mut length = size_of_val(&sid) as u32;
    // SAFETY: `sid` has as many bytes as `length` says.
    let made = unsafe {
        CreateWellKnownSid(
            WinBuiltinAdministratorsSid,
            ptr::null_mut(),
            sid.as_mut_ptr().cast(),
            &mut length,
        )
    };
    if made == 0 {
        return Err(failed());
    }
    let mut is_member = 0;
    // SAFETY: `sid` is a SID now, and no token means ours.
    if unsafe { CheckTokenMembership(ptr::null_mut(), sid.as_mut_ptr().cast(), &mut is_member) }
        == 0
    {
        return Err(failed());
    }
    Ok(is_member != 0)
}

/// Creates a directory for SYSTEM and Administrators only, or makes an existing one so.
pub fn protect_directory(directory: &Path) -> Result<Protection, Error> {
    let failed = |error: io::Error| {
        Error::failed(format!(
            "cannot create {} for SYSTEM and Administrators only",
            directory.display()
        ))
        .because(error)
    };
    let descriptor = Descriptor::parse(SYSTEM_AND_ADMINISTRATORS).map_err(failed)?;
    let attributes = SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: descriptor.0,
        bInheritHandle: 0,
    };
    let name = wide(directory);
    // SAFETY: the name ends with a zero, and the descriptor outlives the call.
    if unsafe { CreateDirectoryW(name.as_ptr(), &attributes) } != 0 {
        return verify(directory);
    }
    // SAFETY: it takes nothing.
    if unsafe { GetLastError() } != ERROR_ALREADY_EXISTS {
        return Err(failed(io::Error::last_os_error()));
    }
    // SAFETY: the name ends with a zero.
    let attributes = unsafe { GetFileAttributesW(name.as_ptr()) };
    if attributes == INVALID_FILE_ATTRIBUTES {
        return Err(failed(io::Error::last_os_error()));
    }
    let kind = attributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT);
    if kind != FILE_ATTRIBUTE_DIRECTORY {
        return Err(
            Error::failed(format!("will not use {}", directory.display()))
                .because("it is a file, a link or a mount point, not a directory")
                .advise("Remove it, or choose another directory with dir=."),
        );
    }
    descriptor.apply(&name).map_err(failed)?;
    verify(directory)
}

/// Reads back who may write to the directory: a file system may not keep access lists at all.
fn verify(directory: &Path) -> Result<Protection, Error> {
    let sddl = describe(directory)?;
    let mut others = sddl::writers(&sddl);
    if installation::is_wine() {
        // Wine keeps the permissions of a Unix file, whose owner stands for SYSTEM and Administrators.
        let owner = sddl::owner(&sddl);
        others = others.map(|others| {
            let others = others.into_iter();
            others
                .filter(|other| Some(other.as_str()) != owner)
                .collect()
        });
    }
    match others {
        Some(others) if others.is_empty() => Ok(Protection::Verified),
        others => Err(
            Error::failed(format!("will not use {}", directory.display()))
                .because(
                    match others {
                        Some(others) => format!("others may write to it: {}", others.join(", ")),
                        None => "its access list cannot be understood".to_owned(),
                    } + &format!(" ({sddl})"),
                )
                .advise("Take a directory on an NTFS volume. Nothing is registered."),
        ),
    }
}

/// The owner and access list of a directory, in SDDL.
pub fn describe(directory: &Path) -> Result<String, Error> {
    let failed = |error: io::Error| {
        Error::failed(format!("cannot read who may open {}", directory.display())).because(error)
    };
    let name = wide(directory);
    let mut descriptor = Descriptor(ptr::null_mut());
    // SAFETY: the name ends with a zero; the descriptor is ours to free afterwards.
    let code = unsafe {
        GetNamedSecurityInfoW(
            name.as_ptr(),
            SE_FILE_OBJECT,
            OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            &mut descriptor.0,
        )
    };
    if code != 0 {
        return Err(failed(io::Error::from_raw_os_error(code as i32)));
    }
    descriptor.text().map_err(failed)
}

/// A security descriptor from the local heap.
struct Descriptor(PSECURITY_DESCRIPTOR);

impl Descriptor {
    fn parse(sddl: &str) -> io::Result<Self> {
        let sddl = wide(sddl);
        let mut descriptor = Self(ptr::null_mut());
        // SAFETY: the text ends with a zero; what comes back is ours to free.
        let made = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                sddl.as_ptr(),
                SDDL_REVISION_1,
                &mut descriptor.0,
                ptr::null_mut(),
            )
        };
        if made == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(descriptor)
    }

    /// Puts it on the file of this zero-terminated name. What is in a directory already keeps what it has.
    fn apply(&self, name: &[u16]) -> io::Result<()> {
        let parts = OWNER_SECURITY_INFORMATION
            | DACL_SECURITY_INFORMATION
            | PROTECTED_DACL_SECURITY_INFORMATION;
        // SAFETY: the name ends with a zero, and this is a descriptor.
        if unsafe { SetFileSecurityW(name.as_ptr(), parts, self.0) } == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    fn text(&self) -> io::Result<String> {
        let mut text = ptr::null_mut();
        let mut length = 0;
        // SAFETY: this is a descriptor, and the results have room.
        let made = unsafe {
            ConvertSecurityDescriptorToStringSecurityDescriptorW(
                self.0,
                SDDL_REVISION_1,
                OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                &mut text,
                &mut length,
            )
        };
        if made == 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: that many units were written there.
        let units = unsafe { slice::from_raw_parts(text, length as usize) };
        let sddl = String::from_utf16_lossy(units)
            .trim_end_matches('\0')
            .to_owned();
        // SAFETY: the text is ours to free, and no longer used.
        unsafe { LocalFree(text.cast()) };
        Ok(sddl)
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: it came from the local heap, or is null, which LocalFree takes as well.
        unsafe { LocalFree(self.0) };
    }
}
