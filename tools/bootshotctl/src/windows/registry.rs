//! The Session Manager's key.
//!
//! Through `advapi32` itself: the `windows-registry` crate imports DLLs that Windows 7 does not have.

use std::io;
use std::path::Path;
use std::ptr;

use windows_sys::Win32::Foundation::{
    ERROR_FILE_NOT_FOUND, ERROR_MORE_DATA, ERROR_SUCCESS, WIN32_ERROR,
};
use windows_sys::Win32::System::Registry::{
    HKEY, HKEY_LOCAL_MACHINE, KEY_QUERY_VALUE, KEY_SET_VALUE, KEY_WOW64_64KEY, REG_SAM_FLAGS,
    RegCloseKey, RegDeleteValueW, RegFlushKey, RegOpenKeyExW, RegQueryValueExW, RegSetValueExW,
};

use super::wide;
use crate::error::Error;
use crate::lists::KEY;
use crate::multi_sz::Value;

/// A value of the key `key` below `HKEY_LOCAL_MACHINE`.
pub fn value(key: &str, name: &str) -> Result<Option<Value>, Error> {
    Key::open(key, KEY_QUERY_VALUE)?.value(name)
}

/// Stores a value and flushes the hive.
pub fn set_value(key: &str, name: &str, value: &Value) -> Result<(), Error> {
    let key = Key::open(key, KEY_SET_VALUE)?;
    key.set_value(name, value)?;
    key.flush()
}

/// Removes a value and flushes the hive.
pub fn remove_value(key: &str, name: &str) -> Result<(), Error> {
    let key = Key::open(key, KEY_SET_VALUE)?;
    key.remove_value(name)?;
    key.flush()
}

/// `Path` of the Session Manager's environment, with the one variable that smss has by then expanded.
pub fn search_path(windows: &Path) -> Result<String, Error> {
    let key = Key::open(&format!("{KEY}\\Environment"), KEY_QUERY_VALUE)?;
    let Some(value) = key.value("Path")? else {
        return Ok(String::new());
    };
    let units: Vec<u16> = value
        .data
        .as_chunks::<2>()
        .0
        .iter()
        .map(|unit| u16::from_le_bytes(*unit))
        .take_while(|unit| *unit != 0)
        .collect();
    Ok(expand(&String::from_utf16_lossy(&units), windows))
}

/// Replaces `%SystemRoot%`, in any case.
fn expand(path: &str, windows: &Path) -> String {
    const VARIABLE: &str = "%systemroot%";
    let mut expanded = String::new();
    let mut rest = path;
    while let Some(place) = rest.to_ascii_lowercase().find(VARIABLE) {
        expanded.push_str(&rest[..place]);
        expanded.push_str(&windows.display().to_string());
        rest = &rest[place + VARIABLE.len()..];
    }
    expanded + rest
}

/// An open key below `HKEY_LOCAL_MACHINE`, in the 64-bit view where there are two.
struct Key {
    handle: HKEY,
    name: String,
}

impl Key {
    fn open(name: &str, access: REG_SAM_FLAGS) -> Result<Self, Error> {
        let path = wide(name);
        let mut handle = ptr::null_mut();
        // SAFETY: the name ends with a zero, and the result has room.
        let code = unsafe {
            RegOpenKeyExW(
                HKEY_LOCAL_MACHINE,
                path.as_ptr(),
                0,
                access | KEY_WOW64_64KEY,
                &mut handle,
            )
        };
        check(code, || format!("cannot open HKLM\\{name}"))?;
        Ok(Self {
            handle,
            name: name.to_owned(),
        })
    }

    fn value(&self, name: &str) -> Result<Option<Value>, Error> {
        let value_name = wide(name);
        let mut data = vec![0u8; 1024];
        loop {
            let mut kind = 0;
            let mut length = data.len() as u32;
            // SAFETY: the name ends with a zero, and `data` has as many bytes as `length` says.
            let code = unsafe {
                RegQueryValueExW(
                    self.handle,
                    value_name.as_ptr(),
                    ptr::null(),
                    &mut kind,
                    data.as_mut_ptr(),
                    &mut length,
                )
            };
            match code {
                ERROR_MORE_DATA => data.resize(length as usize, 0),
                ERROR_FILE_NOT_FOUND => return Ok(None),
                _ => {
                    check(code, || format!("cannot read HKLM\\{}, {name}", self.name))?;
                    data.truncate(length as usize);
                    return Ok(Some(Value { kind, data }));
                }
            }
        }
    }

    fn set_value(&self, name: &str, value: &Value) -> Result<(), Error> {
        let value_name = wide(name);
        // SAFETY: the name ends with a zero, and the data has as many bytes as are said.
        let code = unsafe {
            RegSetValueExW(
                self.handle,
                value_name.as_ptr(),
                0,
                value.kind,
                value.data.as_ptr(),
                value.data.len() as u32,
            )
        };
        check(code, || format!("cannot write HKLM\\{}, {name}", self.name))
    }

    fn remove_value(&self, name: &str) -> Result<(), Error> {
        let value_name = wide(name);
        // SAFETY: the name ends with a zero.
        let code = unsafe { RegDeleteValueW(self.handle, value_name.as_ptr()) };
        check(code, || {
            format!("cannot remove HKLM\\{}, {name}", self.name)
        })
    }

    /// Writes the hive to the disk: a machine that is reset right after must find it.
    fn flush(&self) -> Result<(), Error> {
        // SAFETY: the handle is that of an open key.
        let code = unsafe { RegFlushKey(self.handle) };
        check(code, || {
            format!(
                "changed HKLM\\{}, but cannot flush it to the disk",
                self.name
            )
        })
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: the handle is that of an open key, and not used again.
        unsafe { RegCloseKey(self.handle) };
    }
}

fn check(code: WIN32_ERROR, doing: impl FnOnce() -> String) -> Result<(), Error> {
    match code {
        ERROR_SUCCESS => Ok(()),
        code => Err(Error::failed(doing()).because(io::Error::from_raw_os_error(code as i32))),
    }
}
