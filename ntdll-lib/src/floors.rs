//! Since when ntdll exports what we import: the rows of `floors.txt`.

use std::sync::LazyLock;

use crate::{Machine, NtVersion};

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
    rows().iter().filter_map(move |row| {
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

fn rows() -> &'static [Row] {
    static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
        FLOORS
            .lines()
            .filter_map(|line| line.strip_prefix("export "))
            .map(Row::parse)
            .collect()
    });
    &ROWS
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
                    .iter()
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
            for machine in Machine::ALL {
                let floor = row.floor(machine);
                assert!(floor.is_none_or(|floor| floor >= NtVersion::first(machine)));
            }
        }
    }

    #[test]
    fn x86_symbols_carry_the_argument_bytes_of_the_cited_lists() {
        for (symbol, name) in module_definition(Machine::X86) {
            let row = rows().iter().find(|row| row.name == name).unwrap();
            let expected = match row.argument_bytes {
                Some(bytes) => format!("_{name}@{bytes}"),
                None => name.to_owned(),
            };
            assert_eq!(symbol, expected);
        }
    }
}
