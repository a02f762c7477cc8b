//! What a linker sees of the import libraries, read with an independent parser.

use std::collections::BTreeMap;

use ntdll_lib::{Flavour, Machine, empty_library, import_library};
use object::read::archive::ArchiveFile;
use object::read::coff::{ImportFile, ImportName};
use object::{Object, ObjectSection};

/// Symbol to import name, of every short import object in the library.
fn short_imports(library: &[u8]) -> BTreeMap<String, String> {
    let archive = ArchiveFile::parse(library).unwrap();
    archive
        .members()
        .filter_map(|member| ImportFile::parse(member.unwrap().data(library).unwrap()).ok())
        .map(|import| {
            assert_eq!(import.dll(), b"ntdll.dll");
            let ImportName::Name(name) = import.import() else {
                panic!("import by ordinal");
            };
            (text(import.symbol()), text(name))
        })
        .collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The names under which a module definition imports: what follows `==`, else the entry itself.
fn imported_names(machine: Machine) -> Vec<&'static str> {
    let definition = machine.module_definition();
    let (_, exports) = definition.split_once("EXPORTS\n").unwrap();
    exports
        .lines()
        .filter(|line| !line.starts_with(';'))
        .map(|line| line.rsplit("==").next().unwrap().trim())
        .collect()
}

#[test]
fn x86_symbols_are_decorated_and_import_names_are_not() {
    let imports = short_imports(&import_library(Machine::X86, Flavour::Msvc));
    for (symbol, import) in [
        ("_NtClose@4", "NtClose"),
        ("_NtCreateFile@44", "NtCreateFile"),
        ("_sprintf_s", "sprintf_s"),
        ("__aulldiv", "_aulldiv"),
        ("__chkstk", "_chkstk"),
    ] {
        assert_eq!(imports[symbol], import);
    }
    for import in imports.values() {
        assert!(!import.contains('@'), "{import} keeps its decoration");
    }
}

#[test]
fn symbols_and_import_names_are_the_same_on_64_bit_machines() {
    for machine in [Machine::X64, Machine::Arm64] {
        for (symbol, import) in short_imports(&import_library(machine, Flavour::Msvc)) {
            assert_eq!(symbol, import);
        }
    }
}

#[test]
fn a_library_imports_what_its_module_definition_lists() {
    for machine in Machine::ALL {
        let imports = short_imports(&import_library(machine, Flavour::Msvc));
        let mut imported: Vec<_> = imports.values().map(String::as_str).collect();
        let mut listed = imported_names(machine);
        imported.sort_unstable();
        listed.sort_unstable();
        assert_eq!(imported, listed);
    }
}

#[test]
fn the_gnu_library_imports_the_same_names_as_the_msvc_library() {
    let library = import_library(Machine::X64, Flavour::Gnu);
    let archive = ArchiveFile::parse(&*library).unwrap();
    let mut imported = Vec::new();
    for member in archive.members() {
        let data = member.unwrap().data(&*library).unwrap();
        let object = object::File::parse(data).unwrap();
        // `.idata$6` holds the hint and the zero-terminated name.
        if let Some(hint_name) = object.section_by_name(".idata$6") {
            let name = &hint_name.data().unwrap()[2..];
            imported.push(text(name.split(|&byte| byte == 0).next().unwrap()));
        }
    }
    imported.sort_unstable();
    let mut listed = imported_names(Machine::X64);
    listed.sort_unstable();
    assert_eq!(imported, listed);
}

#[test]
fn the_empty_library_is_an_archive_without_members() {
    let library = empty_library();
    assert_eq!(ArchiveFile::parse(&*library).unwrap().members().count(), 0);
}

#[test]
fn libraries_are_found_under_the_name_their_linker_looks_for() {
    assert_eq!(Flavour::Msvc.library_file_name("ntdll"), "ntdll.lib");
    assert_eq!(Flavour::Gnu.library_file_name("ntdll"), "libntdll.a");
}
