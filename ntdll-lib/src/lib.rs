//! Makes the import libraries that let the native executable import from `ntdll.dll` and nothing else, and knows since when
//! ntdll exports what they offer.
#![forbid(unsafe_code)]

mod exports;
mod floors;
mod version;

use std::fmt;
use std::io::Cursor;

use implib::{Flavor, ImportLibrary, MachineType};

pub use exports::first_exported;
pub use floors::{Export, allowed_imports};
pub use version::NtVersion;

/// A machine the native executable is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Machine {
    X86,
    X64,
    Arm64,
}

impl Machine {
    /// All supported machines.
    pub const ALL: [Self; 3] = [Self::X86, Self::X64, Self::Arm64];

    /// The machine of a Rust target, by the value Cargo gives in `CARGO_CFG_TARGET_ARCH`.
    pub fn from_target_arch(arch: &str) -> Option<Self> {
        match arch {
            "x86" => Some(Self::X86),
            "x86_64" => Some(Self::X64),
            "aarch64" => Some(Self::Arm64),
            _ => None,
        }
    }

    /// The module definition: which exports of `ntdll.dll` the import library offers.
    pub fn module_definition(self) -> &'static str {
        match self {
            Self::X86 => include_str!("../ntdll.x86.def"),
            Self::X64 => include_str!("../ntdll.x86_64.def"),
            Self::Arm64 => include_str!("../ntdll.aarch64.def"),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::X86 => "x86",
            Self::X64 => "x64",
            Self::Arm64 => "arm64",
        })
    }
}

/// The linker an import library is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// `link.exe`, `lld-link`: short import objects in `ntdll.lib`.
    Msvc,
    /// GNU ld: ordinary objects with `.idata` sections in `libntdll.a`.
    Gnu,
}

impl Flavour {
    /// The file name under which the linker looks for the library `name`: `ntdll.lib` or `libntdll.a`.
    pub fn library_file_name(self, name: &str) -> String {
        match self {
            Self::Msvc => format!("{name}.lib"),
            Self::Gnu => format!("lib{name}.a"),
        }
    }
}

// ANCHOR: import_library
/// The bytes of the import library for `ntdll.dll`, with exactly the exports of the machine's module definition.
///
/// # Panics
///
/// On x86 with GNU ld, a pair that nothing builds.
pub fn import_library(machine: Machine, flavour: Flavour) -> Vec<u8> {
    // `implib` would keep the `@n` of a stdcall symbol in the import name there, a name ntdll does not export.
    assert!(
        (machine, flavour) != (Machine::X86, Flavour::Gnu),
        "there is no GNU import library for x86"
    );
    let machine_type = match machine {
        Machine::X86 => MachineType::I386,
        Machine::X64 => MachineType::AMD64,
        Machine::Arm64 => MachineType::ARM64,
    };
    let flavor = match flavour {
        Flavour::Msvc => Flavor::Msvc,
        Flavour::Gnu => Flavor::Gnu,
    };
    let mut library = Cursor::new(Vec::new());
    ImportLibrary::new(machine.module_definition(), machine_type, flavor)
        .and_then(|import_library| import_library.write_to(&mut library))
        .expect("our own module definition is well-formed");
    library.into_inner()
}
// ANCHOR_END: import_library

/// The bytes of a library with nothing in it, for both linkers.
///
/// `winapi` asks the linker for `advapi32`, `kernel32` and others. Empty ones satisfy it, and then a function of another DLL
/// cannot be imported even by mistake.
pub fn empty_library() -> Vec<u8> {
    b"!<arch>\n".to_vec()
}
