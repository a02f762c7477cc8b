//! Since when ntdll exports what others may import: `exports.txt`.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::{Machine, NtVersion};

/// The first Windows for this machine whose ntdll exports the name, if that is known.
///
/// Wider than [`allowed_imports`](crate::allowed_imports): for other native executables than our own.
pub fn first_exported(machine: Machine, name: &str) -> Option<NtVersion> {
    static EXPORTS: LazyLock<Exports> = LazyLock::new(|| parse(include_str!("../exports.txt")));
    let exports = &EXPORTS[machine as usize];
    let version = match name.strip_prefix("Zw") {
        Some(service) => exports.get(format!("Nt{service}").as_str()),
        None => exports.get(name),
    };
    version.map(|&version| version.max(NtVersion::first(machine)))
}

/// By name, for each machine.
type Exports = [HashMap<&'static str, NtVersion>; Machine::ALL.len()];

fn parse(text: &'static str) -> Exports {
    let mut exports = Exports::default();
    let mut version = NtVersion::SERVER_2003;
    let mut machines = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with(';')) {
        if let Some(heading) = line.strip_prefix("since ") {
            let (since, rest) = heading
                .split_once(" on ")
                .expect("a heading names machines");
            let (on, _) = rest
                .split_once(", from ")
                .expect("a heading names its source");
            version = since.parse().expect("a heading has a version");
            machines = on.split(' ').map(machine).collect();
        } else {
            for name in line.split_ascii_whitespace() {
                for &machine in &machines {
                    exports[machine as usize].insert(name, version);
                }
            }
        }
    }
    exports
}

fn machine(name: &str) -> Machine {
    match name {
        "x86" => Machine::X86,
        "x64" => Machine::X64,
        "arm64" => Machine::Arm64,
        _ => panic!("exports.txt names the machine `{name}`, which is not supported"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allowed_imports;

    #[test]
    fn the_two_lists_agree_on_our_own_imports() {
        for machine in Machine::ALL {
            for export in allowed_imports(machine) {
                assert_eq!(
                    first_exported(machine, export.name),
                    Some(export.floor),
                    "{} on {machine:?}",
                    export.name
                );
            }
        }
    }

    #[test]
    fn no_name_is_listed_twice_for_a_machine() {
        let mut names = std::collections::HashSet::new();
        let mut machines = "";
        for line in include_str!("../exports.txt").lines() {
            if let Some((_, on)) = line
                .split_once(" on ")
                .filter(|_| line.starts_with("since "))
            {
                machines = on.split_once(", from ").unwrap().0;
            } else if !line.starts_with(';') {
                for name in line.split_ascii_whitespace() {
                    for machine in machines.split(' ') {
                        assert!(names.insert((name, machine)), "{name} on {machine}");
                    }
                }
            }
        }
    }

    #[test]
    fn zw_names_are_as_old_as_nt_names() {
        assert_eq!(
            first_exported(Machine::X64, "ZwOpenKeyEx"),
            Some(NtVersion::WINDOWS_7)
        );
    }

    #[test]
    fn names_of_other_machines_and_unknown_names_are_not_exported() {
        assert_eq!(first_exported(Machine::X64, "_aulldiv"), None);
        assert_eq!(first_exported(Machine::X86, "__chkstk"), None);
        assert_eq!(first_exported(Machine::X86, "NtMakeCoffee"), None);
    }
}
