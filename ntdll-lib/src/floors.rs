//! Since when ntdll exports what we import: the rows of `floors.txt`.

use std::fmt;
use std::str::FromStr;

use crate::Machine;

/// A version of Windows by its NT version number, which orders them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NtVersion {
    pub major: u8,
    pub minor: u8,
}

impl NtVersion {
    /// Windows Server 2003 and Windows XP x64, the first Windows for x64.
    pub const SERVER_2003: Self = Self { major: 5, minor: 2 };
    pub const WINDOWS_7: Self = Self { major: 6, minor: 1 };
    /// The first Windows for arm64.
    pub const WINDOWS_10: Self = Self {
        major: 10,
        minor: 0,
    };

    /// The oldest Windows that is supported on a machine.
    pub fn supported_floor(machine: Machine) -> Self {
        match machine {
            Machine::X86 | Machine::X64 => Self::WINDOWS_7,
            Machine::Arm64 => Self::WINDOWS_10,
        }
    }
}

impl fmt::Display for NtVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.major, self.minor) {
            (3, minor) => write!(f, "Windows NT 3.{minor}"),
            (4, 0) => f.write_str("Windows NT 4.0"),
            (5, 0) => f.write_str("Windows 2000"),
            (5, 1) => f.write_str("Windows XP"),
            (5, 2) => f.write_str("Windows Server 2003"),
            (6, 0) => f.write_str("Windows Vista"),
            (6, 1) => f.write_str("Windows 7"),
            (6, 2) => f.write_str("Windows 8"),
            (6, 3) => f.write_str("Windows 8.1"),
            (10, 0) => f.write_str("Windows 10"),
            (major, minor) => write!(f, "Windows NT {major}.{minor}"),
        }
    }
}

impl FromStr for NtVersion {
    type Err = String;

    fn from_str(version: &str) -> Result<Self, Self::Err> {
        version
            .split_once('.')
            .and_then(|(major, minor)| {
                Some(Self {
                    major: major.parse().ok()?,
                    minor: minor.parse().ok()?,
                })
            })
            .ok_or_else(|| format!("`{version}` is not an NT version such as 6.1"))
    }
}

/// An export of ntdll that a native executable may import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    pub name: &'static str,
    /// The first Windows known to export it on the machine asked for.
    pub floor: NtVersion,
    /// Who says so: published lists of exports, separated by `; `.
    pub source: String,
}

/// The exports of ntdll that a native executable for this machine may import.
pub fn allowed_imports(machine: Machine) -> impl Iterator<Item = Export> {
    rows().filter_map(move |row| {
        Some(Export {
            name: row.name,
            floor: row.floor(machine)?,
            source: row
                .sources
                .iter()
                .map(|key| source(key))
                .collect::<Vec<_>>()
                .join("; "),
        })
    })
}

const FLOORS: &str = include_str!("../floors.txt");

/// A line `export ...` of `floors.txt`.
struct Row {
    name: &'static str,
    x86: Option<NtVersion>,
    x64: Option<NtVersion>,
    arm64: Option<NtVersion>,
    /// Bytes of arguments a stdcall function takes from the stack on x86; `None` is cdecl.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "only the tests of the .def need it")
    )]
    argument_bytes: Option<u16>,
    sources: Vec<&'static str>,
}

impl Row {
    fn floor(&self, machine: Machine) -> Option<NtVersion> {
        match machine {
            Machine::X86 => self.x86,
            Machine::X64 => self.x64,
            Machine::Arm64 => self.arm64,
        }
    }

    fn parse(columns: &'static str) -> Self {
        let mut columns = columns.split_ascii_whitespace();
        let mut column = || columns.next().expect("a row of floors.txt has all columns");
        let name = column();
        let mut floor = || match column() {
            "-" => None,
            version => Some(
                version
                    .parse()
                    .expect("a column of floors.txt is a version"),
            ),
        };
        let (x86, x64, arm64) = (floor(), floor(), floor());
        let argument_bytes = match column() {
            "cdecl" => None,
            bytes => Some(bytes.parse().expect("arguments in floors.txt are a number")),
        };
        Self {
            name,
            x86,
            x64,
            arm64,
            argument_bytes,
            sources: columns.collect(),
        }
    }
}

fn rows() -> impl Iterator<Item = Row> {
    FLOORS
        .lines()
        .filter_map(|line| line.strip_prefix("export "))
        .map(Row::parse)
}

fn source(key: &str) -> &'static str {
    FLOORS
        .lines()
        .filter_map(|line| line.strip_prefix("source "))
        .filter_map(|line| line.split_once(' '))
        .find(|(defined, _)| *defined == key)
        .map(|(_, text)| text.trim())
        .unwrap_or_else(|| panic!("floors.txt does not define the source `{key}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The entries of a module definition: symbol before `==`, import name after it.
    fn module_definition(machine: Machine) -> impl Iterator<Item = (&'static str, &'static str)> {
        let (_, entries) = machine.module_definition().split_once("EXPORTS\n").unwrap();
        entries
            .lines()
            .filter(|line| !line.starts_with(';'))
            .map(|line| {
                let (symbol, name) = line.split_once("==").unwrap_or((line, line));
                (symbol.trim(), name.trim())
            })
    }

    #[test]
    fn every_import_is_exported_by_the_oldest_supported_windows() {
        for machine in Machine::ALL {
            for (_, name) in module_definition(machine) {
                let floor = rows()
                    .find(|row| row.name == name)
                    .and_then(|row| row.floor(machine))
                    .unwrap_or_else(|| panic!("{name} has no floor on {machine:?}"));
                assert!(
                    floor <= NtVersion::supported_floor(machine),
                    "{name} is only there since {floor} on {machine:?}"
                );
            }
        }
    }

    #[test]
    fn the_allow_list_is_what_the_import_library_offers() {
        for machine in Machine::ALL {
            let mut allowed: Vec<_> = allowed_imports(machine).map(|export| export.name).collect();
            let mut offered: Vec<_> = module_definition(machine).map(|(_, name)| name).collect();
            allowed.sort_unstable();
            offered.sort_unstable();
            assert_eq!(allowed, offered);
        }
    }

    #[test]
    fn every_export_cites_a_source() {
        for machine in Machine::ALL {
            for export in allowed_imports(machine) {
                assert!(!export.source.is_empty(), "{} cites no source", export.name);
            }
        }
    }

    #[test]
    fn no_floor_is_older_than_the_first_windows_for_its_machine() {
        for row in rows() {
            assert!(row.x64.is_none_or(|floor| floor >= NtVersion::SERVER_2003));
            assert!(row.arm64.is_none_or(|floor| floor >= NtVersion::WINDOWS_10));
        }
    }

    #[test]
    fn x86_symbols_carry_the_argument_bytes_of_the_cited_lists() {
        for (symbol, name) in module_definition(Machine::X86) {
            let row = rows().find(|row| row.name == name).unwrap();
            let expected = match row.argument_bytes {
                Some(bytes) => format!("_{name}@{bytes}"),
                None => name.to_owned(),
            };
            assert_eq!(symbol, expected);
        }
    }
}
