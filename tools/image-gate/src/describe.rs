//! What is in an image, whether it is fit or not.

use object::pe;
use serde::{Serialize, Serializer};

use crate::image::{Image, NotAnImage};
use crate::imports::Imports;

/// A summary of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Description {
    /// `x86`, `x64`, `arm64`, or the number in hexadecimal.
    pub machine: String,
    /// 32 (PE32) or 64 (PE32+).
    pub pointer_bits: u8,
    /// `native`, `windows_gui`, `windows_console`, `efi_application`, or the number.
    pub subsystem: String,
    /// Relative virtual address; 0 is none.
    pub entry_point: u32,
    /// The preferred address; a string in JSON, where numbers this large lose digits.
    #[serde(serialize_with = "hexadecimal")]
    pub image_base: u64,
    /// Bytes in memory.
    pub size_of_image: u32,
    /// Bytes in the file.
    pub file_size: u64,
    /// Bytes.
    pub section_alignment: u32,
    /// `IMAGE_FILE_*` flags as snake-case names: `relocs_stripped`, `executable_image`, `large_address_aware`, `dll`.
    pub characteristics: Vec<&'static str>,
    /// `IMAGE_DLLCHARACTERISTICS_*` flags as snake-case names: `high_entropy_va`, `dynamic_base`, `nx_compat` ...
    pub dll_characteristics: Vec<&'static str>,
    pub sections: Vec<SectionDescription>,
    /// In the order of the import directory, as far as it can be read.
    pub imports: Vec<ImportedDll>,
}

/// A section of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SectionDescription {
    pub name: String,
    /// Relative virtual address.
    pub virtual_address: u32,
    /// Bytes in memory, as the header says.
    pub virtual_size: u32,
    /// Bytes in the file.
    pub raw_size: u32,
    /// `r`, `w`, `x` or `-` each: `r-x`.
    pub protection: String,
}

/// A DLL and what is imported from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImportedDll {
    pub dll: String,
    /// Names; `#` and the ordinal where there is none.
    pub functions: Vec<String>,
}

/// Says what is in an image.
///
/// # Errors
///
/// The bytes have no PE headers.
pub fn describe(image: &[u8]) -> Result<Description, NotAnImage> {
    let image = Image::parse(image)?;
    Ok(Description {
        machine: machine_name(image.machine),
        pointer_bits: if image.is_64_bit { 64 } else { 32 },
        subsystem: subsystem_name(image.subsystem),
        entry_point: image.entry_point,
        image_base: image.image_base,
        size_of_image: image.size_of_image,
        file_size: image.file_size(),
        section_alignment: image.section_alignment,
        characteristics: flag_names(image.characteristics, FILE_FLAGS),
        dll_characteristics: flag_names(image.dll_characteristics, DLL_FLAGS),
        sections: image
            .sections
            .iter()
            .map(|section| SectionDescription {
                name: section.name.clone(),
                virtual_address: section.virtual_address,
                virtual_size: section.virtual_size,
                raw_size: section.raw_size,
                protection: [
                    (section.is_readable(), 'r'),
                    (section.is_writable(), 'w'),
                    (section.is_executable(), 'x'),
                ]
                .map(|(allowed, letter)| if allowed { letter } else { '-' })
                .iter()
                .collect(),
            })
            .collect(),
        imports: Imports::read(&image)
            .dlls
            .into_iter()
            .map(|imports| ImportedDll {
                dll: imports.dll,
                functions: imports.functions.iter().map(ToString::to_string).collect(),
            })
            .collect(),
    })
}

pub(crate) fn machine_name(machine: u16) -> String {
    match pe::Machine(machine) {
        pe::IMAGE_FILE_MACHINE_I386 => "x86".to_owned(),
        pe::IMAGE_FILE_MACHINE_AMD64 => "x64".to_owned(),
        pe::IMAGE_FILE_MACHINE_ARM64 => "arm64".to_owned(),
        _ => format!("{machine:#06x}"),
    }
}

pub(crate) fn subsystem_name(subsystem: u16) -> String {
    match pe::Subsystem(subsystem) {
        pe::IMAGE_SUBSYSTEM_NATIVE => "native".to_owned(),
        pe::IMAGE_SUBSYSTEM_WINDOWS_GUI => "windows_gui".to_owned(),
        pe::IMAGE_SUBSYSTEM_WINDOWS_CUI => "windows_console".to_owned(),
        pe::IMAGE_SUBSYSTEM_EFI_APPLICATION => "efi_application".to_owned(),
        _ => subsystem.to_string(),
    }
}

const FILE_FLAGS: &[(u16, &str)] = &[
    (pe::IMAGE_FILE_RELOCS_STRIPPED.0, "relocs_stripped"),
    (pe::IMAGE_FILE_EXECUTABLE_IMAGE.0, "executable_image"),
    (pe::IMAGE_FILE_LARGE_ADDRESS_AWARE.0, "large_address_aware"),
    (pe::IMAGE_FILE_DLL.0, "dll"),
];

const DLL_FLAGS: &[(u16, &str)] = &[
    (
        pe::IMAGE_DLLCHARACTERISTICS_HIGH_ENTROPY_VA.0,
        "high_entropy_va",
    ),
    (pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE.0, "dynamic_base"),
    (
        pe::IMAGE_DLLCHARACTERISTICS_FORCE_INTEGRITY.0,
        "force_integrity",
    ),
    (pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT.0, "nx_compat"),
    (pe::IMAGE_DLLCHARACTERISTICS_NO_ISOLATION.0, "no_isolation"),
    (pe::IMAGE_DLLCHARACTERISTICS_NO_SEH.0, "no_seh"),
    (pe::IMAGE_DLLCHARACTERISTICS_NO_BIND.0, "no_bind"),
    (pe::IMAGE_DLLCHARACTERISTICS_APPCONTAINER.0, "appcontainer"),
    (pe::IMAGE_DLLCHARACTERISTICS_WDM_DRIVER.0, "wdm_driver"),
    (pe::IMAGE_DLLCHARACTERISTICS_GUARD_CF.0, "guard_cf"),
    (
        pe::IMAGE_DLLCHARACTERISTICS_TERMINAL_SERVER_AWARE.0,
        "terminal_server_aware",
    ),
];

fn flag_names(flags: u16, names: &[(u16, &'static str)]) -> Vec<&'static str> {
    names
        .iter()
        .filter(|(flag, _)| flags & flag != 0)
        .map(|&(_, name)| name)
        .collect()
}

fn hexadecimal<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{value:#x}"))
}
