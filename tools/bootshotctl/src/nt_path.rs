//! Between the paths of the kernel and those of the Win32 programs.

use std::path::Path;

/// Where the executable writes its snapshots when nothing else is said, as an NT path.
pub const DEFAULT_DIRECTORY: &str = r"\SystemRoot\bootshot";

/// The NT path of an absolute DOS path.
pub fn from_dos(path: &str) -> String {
    if let Some(verbatim) = path.strip_prefix(r"\\?\") {
        format!(r"\??\{verbatim}")
    } else if let Some(unc) = path.strip_prefix(r"\\") {
        format!(r"\??\UNC\{unc}")
    } else {
        format!(r"\??\{path}")
    }
}

/// A path that Win32 programs can open for the NT path `path`; `windows` is what `\SystemRoot` stands for.
pub fn to_dos(path: &str, windows: &Path) -> String {
    if let Some(rest) = below_system_root(path) {
        return format!("{}{rest}", windows.display());
    }
    for prefix in [r"\??\", r"\DosDevices\"] {
        let Some(rest) = strip_prefix(path, prefix) else {
            continue;
        };
        return match strip_prefix(rest, r"UNC\") {
            Some(share) => format!(r"\\{share}"),
            None => rest.to_owned(),
        };
    }
    format!(r"\\?\GLOBALROOT{path}")
}

/// What stands behind `\SystemRoot` in an NT path.
pub fn below_system_root(path: &str) -> Option<&str> {
    strip_prefix(path, r"\SystemRoot").filter(|rest| rest.is_empty() || rest.starts_with('\\'))
}

fn strip_prefix<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let head = path.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| &path[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dos_paths_get_their_nt_names() {
        for (dos, nt) in [
            (r"C:\Windows\x.exe", r"\??\C:\Windows\x.exe"),
            (r"\\server\share\x", r"\??\UNC\server\share\x"),
            (r"\\?\C:\x", r"\??\C:\x"),
            (r"\\?\UNC\server\x", r"\??\UNC\server\x"),
        ] {
            assert_eq!(from_dos(dos), nt);
        }
    }

    #[test]
    fn nt_paths_can_be_opened_by_win32_programs() {
        for (nt, dos) in [
            (DEFAULT_DIRECTORY, r"C:\Windows\bootshot"),
            (r"\systemroot\x\y", r"C:\Windows\x\y"),
            (r"\??\D:\snapshots", r"D:\snapshots"),
            (r"\??\UNC\server\share", r"\\server\share"),
            (r"\DosDevices\E:\x", r"E:\x"),
            (
                r"\Device\HarddiskVolume2\x",
                r"\\?\GLOBALROOT\Device\HarddiskVolume2\x",
            ),
        ] {
            assert_eq!(to_dos(nt, Path::new(r"C:\Windows")), dos);
        }
    }
}
