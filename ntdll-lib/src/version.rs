//! Versions of Windows.

use std::fmt;
use std::str::FromStr;

use crate::Machine;

/// A version of Windows by its NT version number, which orders them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NtVersion {
    pub major: u8,
    pub minor: u8,
    /// Tells the versions of Windows 10 and 11 apart; 0 before them.
    pub build: u16,
}

impl NtVersion {
    /// Windows Server 2003 and Windows XP x64, the first Windows for x64.
    pub const SERVER_2003: Self = Self::new(5, 2, 0);
    pub const WINDOWS_7: Self = Self::new(6, 1, 0);
    /// Windows 10 version 1709, the first Windows for arm64.
    pub const WINDOWS_10_1709: Self = Self::new(10, 0, 16299);

    const fn new(major: u8, minor: u8, build: u16) -> Self {
        Self {
            major,
            minor,
            build,
        }
    }

    /// The oldest Windows that is supported on a machine.
    pub fn supported_floor(machine: Machine) -> Self {
        match machine {
            Machine::X86 | Machine::X64 => Self::WINDOWS_7,
            Machine::Arm64 => Self::WINDOWS_10_1709,
        }
    }

    /// The oldest Windows that there is for a machine.
    pub(crate) fn first(machine: Machine) -> Self {
        match machine {
            Machine::X86 => Self::new(3, 10, 0),
            Machine::X64 => Self::SERVER_2003,
            Machine::Arm64 => Self::WINDOWS_10_1709,
        }
    }
}

impl fmt::Display for NtVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.major, self.minor, self.build) {
            (3, minor, _) => write!(f, "Windows NT 3.{minor}"),
            (4, ..) => f.write_str("Windows NT 4.0"),
            (5, 0, _) => f.write_str("Windows 2000"),
            (5, 1, _) => f.write_str("Windows XP"),
            (5, 2, _) => f.write_str("Windows Server 2003"),
            (6, 0, _) => f.write_str("Windows Vista"),
            (6, 1, _) => f.write_str("Windows 7"),
            (6, 2, _) => f.write_str("Windows 8"),
            (6, 3, _) => f.write_str("Windows 8.1"),
            (10, 0, build @ 22000..) => write!(f, "Windows 11 build {build}"),
            (10, 0, build) => write!(f, "Windows 10 build {build}"),
            (major, minor, build) => write!(f, "Windows NT {major}.{minor}.{build}"),
        }
    }
}

impl FromStr for NtVersion {
    type Err = String;

    /// `6.1` or `10.0.16299`.
    fn from_str(version: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let mut parts = version.split('.');
            let parsed = Self {
                major: parts.next()?.parse().ok()?,
                minor: parts.next()?.parse().ok()?,
                build: parts.next().map_or(Some(0), |build| build.parse().ok())?,
            };
            parts.next().is_none().then_some(parsed)
        };
        parse().ok_or_else(|| format!("`{version}` is not an NT version such as 6.1 or 10.0.16299"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_windows_came_out() {
        let versions: Vec<NtVersion> = [
            "3.5",
            "3.51",
            "4.0",
            "5.2",
            "6.1",
            "10.0.10240",
            "10.0.22000",
        ]
        .into_iter()
        .map(|version| version.parse().unwrap())
        .collect();
        assert!(versions.is_sorted());
    }

    #[test]
    fn what_is_no_version_is_an_error() {
        for version in ["", "6", "6.x", "10.0.70000", "10.0.1.2"] {
            assert!(version.parse::<NtVersion>().is_err(), "{version}");
        }
    }
}
