//! The rules of the gate.

use std::collections::BTreeSet;

use ntdll_lib::{Machine, NtVersion, allowed_imports, first_exported};
use object::pe;

use crate::describe::{machine_name, subsystem_name};
use crate::finding::{Finding, Rule};
use crate::image::{Directory, Image, MAX_SECTIONS, NotAnImage, PAGE_SIZE};
use crate::imports::{Function, Imports};
use crate::policy::{AllowedImports, Policy};

/// Judges an image. No finding means that it is fit to run at boot.
///
/// # Errors
///
/// The bytes have no PE headers.
pub fn check(image: &[u8], policy: &Policy) -> Result<Vec<Finding>, NotAnImage> {
    let image = Image::parse(image)?;
    let mut findings = Vec::new();
    check_headers(&image, policy, &mut findings);
    // Whatever else is in the image is found through its sections.
    if let Some(problem) = section_table_problem(&image) {
        findings.push(Finding::new(Rule::SECTION_TABLE, problem));
        return Ok(findings);
    }
    check_protections(&image, &mut findings);
    check_entry_point(&image, &mut findings);
    check_imports(&image, policy, &mut findings);
    check_tls(&image, &mut findings);
    check_relocations(&image, &mut findings);
    Ok(findings)
}

fn check_headers(image: &Image, policy: &Policy, findings: &mut Vec<Finding>) {
    if image.subsystem != pe::IMAGE_SUBSYSTEM_NATIVE.0 {
        findings.push(Finding::new(
            Rule::SUBSYSTEM,
            format!(
                "the subsystem is {}; the Session Manager ends every image that is not native",
                subsystem_name(image.subsystem)
            ),
        ));
    }
    if let Some(problem) = machine_problem(image, policy.machine) {
        findings.push(Finding::new(Rule::MACHINE, problem));
    }
    if image.has_characteristic(pe::IMAGE_FILE_DLL) {
        findings.push(Finding::new(
            Rule::EXECUTABLE,
            "the image is a DLL, which cannot be started",
        ));
    } else if !image.has_characteristic(pe::IMAGE_FILE_EXECUTABLE_IMAGE) {
        findings.push(Finding::new(
            Rule::EXECUTABLE,
            "the image is not marked executable: the linker left it with errors",
        ));
    }
    if !image.has_dll_characteristic(pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE) {
        findings.push(Finding::new(
            Rule::DYNAMIC_BASE,
            "DYNAMIC_BASE is not set: the image always stands at the same address; link with /DYNAMICBASE or --dynamicbase",
        ));
    }
    if !image.has_dll_characteristic(pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT) {
        findings.push(Finding::new(
            Rule::NX_COMPAT,
            "NX_COMPAT is not set: its data may be executable; link with /NXCOMPAT or --nxcompat",
        ));
    }
    for (index, rule, message) in [
        (
            pe::IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT,
            Rule::DELAY_IMPORT,
            "there are delay-loaded imports, which are resolved through kernel32.dll",
        ),
        (
            pe::IMAGE_DIRECTORY_ENTRY_BOUND_IMPORT,
            Rule::BOUND_IMPORT,
            "imports are bound to the addresses of one build of a DLL",
        ),
        (
            pe::IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR,
            Rule::CLR_HEADER,
            "the image has a CLR header: .NET is not there at boot",
        ),
    ] {
        if image.directory(index).is_some() {
            findings.push(Finding::new(rule, message));
        }
    }
}

fn machine_problem(image: &Image, expected: Option<Machine>) -> Option<String> {
    let name = machine_name(image.machine);
    let Some(machine) = image.supported_machine() else {
        return Some(format!(
            "the image is for machine {name}, not for x86, x64 or arm64"
        ));
    };
    if let Some(expected) = expected.filter(|&expected| expected != machine) {
        return Some(format!(
            "the image is for {name}, but must be for {expected}"
        ));
    }
    let needs_64_bit = machine != Machine::X86;
    (image.is_64_bit != needs_64_bit).then(|| {
        let format = if image.is_64_bit { "PE32+" } else { "PE32" };
        format!("the image is for {name}, but its header is {format}")
    })
}

/// Why the kernel would not make a section object of the image: what `MiVerifyImageHeader` and `MiCreateImageFileMap` of the
/// Windows Research Kernel ask of the section table.
fn section_table_problem(image: &Image) -> Option<String> {
    let (section_alignment, file_alignment) = (image.section_alignment, image.file_alignment);
    if !section_alignment.is_power_of_two()
        || !file_alignment.is_power_of_two()
        || section_alignment < file_alignment
        || (file_alignment < 512 && section_alignment != file_alignment)
    {
        return Some(format!(
            "sections cannot be aligned to {section_alignment} bytes in memory and {file_alignment} in the file"
        ));
    }
    if image.sections.is_empty() || image.sections.len() > MAX_SECTIONS {
        return Some(format!(
            "there are {} sections; Windows maps 1 to {MAX_SECTIONS}",
            image.sections.len()
        ));
    }
    let maps_file_as_it_is = section_alignment < PAGE_SIZE;
    let align = |address: u64| address.next_multiple_of(section_alignment.into());
    let mut next_address = align(image.size_of_headers.into());
    for section in &image.sections {
        let (name, range) = (&section.name, section.range());
        let (raw_offset, raw_size) = (section.raw_offset, section.raw_size);
        if range.is_empty() {
            return Some(format!("section {name} is empty"));
        }
        if u64::from(raw_offset) + u64::from(raw_size) > image.file_size() {
            return Some(format!("section {name} reaches beyond the end of the file"));
        }
        if raw_size != 0 && !raw_offset.is_multiple_of(file_alignment) {
            return Some(format!(
                "section {name} is at offset {raw_offset:#x} of the file, which is not a multiple of {file_alignment}"
            ));
        }
        if maps_file_as_it_is {
            if raw_size != 0 && u64::from(raw_offset) != range.start {
                return Some(format!(
                    "section {name} is at {:#x} in memory and at {raw_offset:#x} in the file, which Windows maps as it is",
                    range.start
                ));
            }
        } else if range.start != next_address {
            return Some(format!(
                "section {name} is at {:#x}, but what is before it ends at {next_address:#x}",
                range.start
            ));
        }
        next_address = align(range.end);
    }
    (!maps_file_as_it_is && align(image.size_of_image.into()) != next_address).then(|| {
        format!(
            "the image is {:#x} bytes by its header, but its sections end at {next_address:#x}",
            image.size_of_image
        )
    })
}

fn check_protections(image: &Image, findings: &mut Vec<Finding>) {
    if image.section_alignment < PAGE_SIZE {
        findings.push(Finding::new(
            Rule::LOW_ALIGNMENT,
            format!(
                "sections are aligned to {} bytes: Windows maps the whole image writable and executable",
                image.section_alignment
            ),
        ));
    }
    for section in &image.sections {
        if section.is_writable() && section.is_executable() {
            findings.push(Finding::new(
                Rule::WRITABLE_EXECUTABLE,
                format!("section {} is both writable and executable", section.name),
            ));
        }
    }
}

fn check_entry_point(image: &Image, findings: &mut Vec<Finding>) {
    let entry_point = image.entry_point;
    let problem = match image.section_at(entry_point) {
        _ if entry_point == 0 => "there is no entry point".to_owned(),
        None => format!("the entry point {entry_point:#x} is not inside a section"),
        Some(section) if !section.is_executable() => format!(
            "the entry point {entry_point:#x} is in section {}, which is not executable",
            section.name
        ),
        Some(_) => return,
    };
    findings.push(Finding::new(Rule::ENTRY_POINT, problem));
}

fn check_imports(image: &Image, policy: &Policy, findings: &mut Vec<Finding>) {
    let imports = Imports::read(image);
    if let Some(damage) = &imports.damage {
        findings.push(Finding::new(Rule::IMPORT_DIRECTORY, damage.clone()));
    }
    let mut foreign = BTreeSet::new();
    for dll_imports in &imports.dlls {
        let dll = &dll_imports.dll;
        // The loader adds the extension where there is none.
        if !dll.eq_ignore_ascii_case("ntdll.dll") && !dll.eq_ignore_ascii_case("ntdll") {
            if foreign.insert(dll.to_ascii_lowercase()) {
                findings.push(Finding::new(
                    Rule::FOREIGN_DLL,
                    format!("{dll} is imported, but only ntdll.dll is there at boot"),
                ));
            }
            continue;
        }
        for function in &dll_imports.functions {
            findings.extend(check_function(image, function, policy));
        }
    }
    if imports.damage.is_none() {
        check_address_table(image, &imports, findings);
    }
}

fn check_function(image: &Image, function: &Function, policy: &Policy) -> Option<Finding> {
    let name = match function {
        Function::Name(name) => name,
        Function::Ordinal(ordinal) => {
            return Some(Finding::new(
                Rule::ORDINAL_IMPORT,
                format!(
                    "ordinal {ordinal} of ntdll.dll is imported, which is another function in every build"
                ),
            ));
        }
    };
    // Which exports there are is known for supported machines only; the rule for machines speaks for others.
    let machine = image.supported_machine()?;
    let floor = policy
        .floor
        .unwrap_or_else(|| NtVersion::supported_floor(machine));
    let first = match policy.imports {
        AllowedImports::ModuleDefinition => allowed_imports(machine)
            .find(|export| export.name == *name)
            .map(|export| export.floor),
        AllowedImports::Known => first_exported(machine, name),
    };
    match first {
        None => Some(Finding::new(
            Rule::UNKNOWN_IMPORT,
            format!(
                "{name} is imported, which is not on the list of exports of ntdll.dll: where it is missing, Windows stops with bugcheck 0xC0000139"
            ),
        )),
        Some(first) if first > floor => Some(Finding::new(
            Rule::IMPORT_TOO_NEW,
            format!(
                "{name} is imported, which ntdll.dll exports since {first}, but {floor} is supported: look it up with LdrGetProcedureAddress"
            ),
        )),
        Some(_) => None,
    }
}

/// The loader writes the addresses of the imports either because their section is writable, or after it made the address
/// table that the directory names writable.
fn check_address_table(image: &Image, imports: &Imports, findings: &mut Vec<Finding>) {
    let directory = image
        .directory(pe::IMAGE_DIRECTORY_ENTRY_IAT)
        .map(Directory::range);
    for dll_imports in &imports.dlls {
        let table = &dll_imports.address_table;
        let Some(section) = image.section_around(table) else {
            continue; // Found damaged by `Imports::read`.
        };
        let problem = match &directory {
            Some(directory) if directory.start <= table.start && table.end <= directory.end => {
                continue;
            }
            Some(directory) => format!(
                "it is not covered by the directory entry, {:#x} to {:#x}",
                directory.start, directory.end
            ),
            None if section.is_writable() => continue,
            None => format!(
                "it has no directory entry and is in section {}, which is not writable",
                section.name
            ),
        };
        findings.push(Finding::new(
            Rule::IMPORT_ADDRESS_TABLE,
            format!(
                "the import address table of {} is at {:#x} to {:#x}: {problem}",
                dll_imports.dll, table.start, table.end
            ),
        ));
    }
}

fn check_tls(image: &Image, findings: &mut Vec<Finding>) {
    let Some(directory) = image.directory(pe::IMAGE_DIRECTORY_ENTRY_TLS) else {
        return;
    };
    // `IMAGE_TLS_DIRECTORY`: start, end and index, then the callbacks; pointers, not relative addresses.
    let callbacks = directory
        .address
        .checked_add(3 * image.pointer_size())
        .and_then(|address| image.pointer(address));
    let problem = match callbacks {
        None => format!(
            "the TLS directory at {:#x} is not inside a section",
            directory.address
        ),
        Some(0) => return,
        Some(callbacks) => match image
            .relative(callbacks)
            .and_then(|address| image.pointer(address))
        {
            None => format!("the list of TLS callbacks at {callbacks:#x} is not inside a section"),
            Some(0) => return,
            Some(callback) => {
                format!("a TLS callback at {callback:#x} would run before the entry point")
            }
        },
    };
    findings.push(Finding::new(Rule::TLS_CALLBACKS, problem));
}

fn check_relocations(image: &Image, findings: &mut Vec<Finding>) {
    if image.has_characteristic(pe::IMAGE_FILE_RELOCS_STRIPPED) {
        findings.push(Finding::new(
            Rule::RELOCATIONS_STRIPPED,
            "the relocations are marked as stripped: Windows cannot move the image",
        ));
        return;
    }
    let problem = match image.directory(pe::IMAGE_DIRECTORY_ENTRY_BASERELOC) {
        Some(directory) => relocation_damage(image, directory),
        None => missing_relocations(image),
    };
    if let Some(problem) = problem {
        findings.push(Finding::new(Rule::RELOCATIONS, problem));
    }
}

/// Why the base relocations cannot be applied.
fn relocation_damage(image: &Image, directory: Directory) -> Option<String> {
    let range = directory.range();
    if image.section_around(&range).is_none() {
        return Some(format!(
            "the base relocations at {:#x}, {} bytes, are not inside a section",
            directory.address, directory.size
        ));
    }
    let mut block = range.start;
    while block < range.end {
        let damaged = || {
            Some(format!(
                "the block of base relocations at {block:#x} is damaged"
            ))
        };
        // A section can reach beyond 4 GiB, where nothing has an address.
        let u32_at = |address| image.u32(u32::try_from(address).ok()?);
        let (Some(page), Some(size)) = (u32_at(block), u32_at(block + 4)) else {
            return damaged();
        };
        // A header of 8 bytes and at most one entry for each byte of the page, and padding.
        let fits = block + u64::from(size) <= range.end;
        if !fits || !(8..=8 + 2 * (PAGE_SIZE + 1)).contains(&size) || size % 2 != 0 {
            return damaged();
        }
        for entry in (block + 8..block + u64::from(size)).step_by(2) {
            let Some(entry) = u32::try_from(entry).ok().and_then(|at| image.u16(at)) else {
                return damaged();
            };
            let width = match pe::BaseRelocationType(entry >> 12) {
                pe::IMAGE_REL_BASED_ABSOLUTE => continue, // padding
                pe::IMAGE_REL_BASED_HIGHLOW => 4,
                pe::IMAGE_REL_BASED_DIR64 => 8,
                other => {
                    return Some(format!(
                        "a base relocation has type {}, which is unknown",
                        other.0
                    ));
                }
            };
            let target = u64::from(page) + u64::from(entry & 0xfff);
            if image.section_around(&(target..target + width)).is_none() {
                return Some(format!(
                    "a base relocation points to {target:#x}, outside the sections"
                ));
            }
        }
        block += u64::from(size);
    }
    None
}

/// Why an image without base relocations cannot be moved, if it cannot.
///
/// Windows moves such an image as it is. That is right only if it holds no absolute address. 64-bit code needs none; data
/// that looks like an address inside the image is one, as preferred bases are far from other values. 32-bit code calls through
/// the absolute addresses of its import address table.
fn missing_relocations(image: &Image) -> Option<String> {
    if !image.is_64_bit {
        return Some(
            "there are no base relocations, which 32-bit code needs to be moved".to_owned(),
        );
    }
    let addresses = image.image_base..image.image_base.checked_add(image.size_of_image.into())?;
    image.sections.iter().find_map(|section| {
        let (pointers, _) = section.data.as_chunks::<8>();
        let index = pointers
            .iter()
            .position(|&pointer| addresses.contains(&u64::from_le_bytes(pointer)))?;
        Some(format!(
            "there are no base relocations, but an absolute address in section {} at {:#x}",
            section.name,
            section.range().start + 8 * index as u64
        ))
    })
}
