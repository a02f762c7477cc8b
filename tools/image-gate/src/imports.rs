//! The import directory, read the way the loader does.

use std::fmt;
use std::ops::Range;

use object::pe;

use crate::image::Image;

/// More than any native image has; a bound for what hostile images can make us read.
const MAX_DLLS: usize = 1024;
const MAX_FUNCTIONS: usize = 16_384;

/// `sizeof(IMAGE_IMPORT_DESCRIPTOR)`.
const DESCRIPTOR_SIZE: u32 = 20;

/// What is imported from one DLL.
pub(crate) struct DllImports {
    pub dll: String,
    pub functions: Vec<Function>,
    /// Where the loader writes the addresses, as relative virtual addresses without the terminator.
    pub address_table: Range<u64>,
}

pub(crate) enum Function {
    Name(String),
    Ordinal(u16),
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ordinal(ordinal) => write!(f, "#{ordinal}"),
        }
    }
}

/// The import directory, as far as it can be read.
pub(crate) struct Imports {
    pub dlls: Vec<DllImports>,
    /// What stopped the reading.
    pub damage: Option<String>,
}

impl Imports {
    pub fn read(image: &Image) -> Self {
        let mut dlls = Vec::new();
        let damage = read_directory(image, &mut dlls).err();
        Self { dlls, damage }
    }
}

fn read_directory(image: &Image, dlls: &mut Vec<DllImports>) -> Result<(), String> {
    let directory = image
        .directory(pe::IMAGE_DIRECTORY_ENTRY_IMPORT)
        .ok_or("there is no import directory, so the loader resolves nothing")?;
    if image.section_around(&directory.range()).is_none() {
        return Err(format!(
            "the import directory at {:#x}, {} bytes, is not inside a section",
            directory.address, directory.size
        ));
    }
    let mut budget = Budget {
        functions: MAX_FUNCTIONS,
        name_bytes: image.file_size(),
    };
    let mut address = directory.address;
    loop {
        let descriptor = Descriptor::read(image, address)
            .ok_or("the import directory has no end within its section")?;
        // The loader stops at the first descriptor without a name or an address table.
        if descriptor.name == 0 || descriptor.first_thunk == 0 {
            return Ok(());
        }
        if dlls.len() == MAX_DLLS {
            return Err(TOO_MANY.to_owned());
        }
        let dll = image.string(descriptor.name).ok_or_else(|| {
            format!(
                "the name of an imported DLL, at {:#x}, is not a string in a section",
                descriptor.name
            )
        })?;
        budget.take_name(&dll)?;
        let functions = read_functions(image, &descriptor, &dll, &mut budget)?;
        let start = u64::from(descriptor.first_thunk);
        let size = functions.len() as u64 * u64::from(image.pointer_size());
        dlls.push(DllImports {
            dll,
            functions,
            address_table: start..start + size,
        });
        address = address
            .checked_add(DESCRIPTOR_SIZE)
            .ok_or("the import directory has no end within its section")?;
    }
}

const TOO_MANY: &str = "the import directory has more entries than any native image needs";

/// What may still be read. Tables and names can overlap, so that the length of the file alone bounds neither.
struct Budget {
    functions: usize,
    name_bytes: u64,
}

impl Budget {
    fn take_name(&mut self, name: &str) -> Result<(), String> {
        self.name_bytes = self
            .name_bytes
            .checked_sub(name.len() as u64)
            .ok_or("the names in the import directory are together longer than the file")?;
        Ok(())
    }

    fn take_function(&mut self) -> Result<(), String> {
        self.functions = self.functions.checked_sub(1).ok_or(TOO_MANY)?;
        Ok(())
    }
}

/// The fields of an `IMAGE_IMPORT_DESCRIPTOR` that the loader uses, relative virtual addresses all.
struct Descriptor {
    original_first_thunk: u32,
    name: u32,
    first_thunk: u32,
}

impl Descriptor {
    fn read(image: &Image, address: u32) -> Option<Self> {
        let bytes = image.bytes(address, DESCRIPTOR_SIZE)?;
        let field = |offset: usize| {
            let field = bytes.get(offset..offset + 4)?;
            Some(u32::from_le_bytes(field.try_into().ok()?))
        };
        Some(Self {
            original_first_thunk: field(0)?,
            name: field(12)?,
            first_thunk: field(16)?,
        })
    }
}

fn read_functions(
    image: &Image,
    descriptor: &Descriptor,
    dll: &str,
    budget: &mut Budget,
) -> Result<Vec<Function>, String> {
    // Without a lookup table, the loader takes the names from the address table before it overwrites it.
    let lookup_table = match descriptor.original_first_thunk {
        0 => descriptor.first_thunk,
        address => address,
    };
    let ordinal_flag = if image.is_64_bit { 1 << 63 } else { 1 << 31 };
    let mut functions = Vec::new();
    loop {
        // The budget keeps the number of functions small.
        let index = functions.len() as u32;
        let offset = index * image.pointer_size();
        let entry = lookup_table
            .checked_add(offset)
            .and_then(|address| image.pointer(address))
            .ok_or_else(|| {
                format!("the lookup table of {dll}, at {lookup_table:#x}, has no end in a section")
            })?;
        let address_entry = descriptor
            .first_thunk
            .checked_add(offset)
            .and_then(|address| image.pointer(address));
        if address_entry.is_none() {
            return Err(format!(
                "the address table of {dll}, at {:#x}, is not inside a section",
                descriptor.first_thunk
            ));
        }
        if entry == 0 {
            return Ok(functions);
        }
        budget.take_function()?;
        functions.push(if entry & ordinal_flag != 0 {
            Function::Ordinal(entry as u16)
        } else {
            // `IMAGE_IMPORT_BY_NAME`: a hint of two bytes, then the name.
            let name = u32::try_from(entry)
                .ok()
                .and_then(|address| address.checked_add(2))
                .and_then(|address| image.string(address))
                .filter(|name| !name.is_empty())
                .ok_or_else(|| {
                    format!("the name of import {index} of {dll}, at {entry:#x}, is not a string in a section")
                })?;
            budget.take_name(&name)?;
            Function::Name(name)
        });
    }
}
