//! Small native images, made from nothing.

use image_gate::Machine;
use object::pe;
use object::write::pe::{NtHeaders, SectionRange, Writer};

/// An import: a name, or an ordinal.
#[derive(Clone, Copy)]
pub enum Import {
    Name(&'static str),
    Ordinal(u16),
}

/// What to make. [`Fixture::native`] makes an image without fault; tests change one thing.
pub struct Fixture {
    pub machine: Machine,
    pub section_alignment: u32,
    pub file_alignment: u32,
    pub subsystem: pe::Subsystem,
    pub characteristics: pe::FileFlags,
    pub dll_characteristics: pe::DllFlags,
    pub entry_point: u32,
    pub text_characteristics: pe::SectionFlags,
    pub import_characteristics: pe::SectionFlags,
    pub imports: Vec<(&'static str, Vec<Import>)>,
    /// Whether `.data` holds the address of itself.
    pub absolute_address: bool,
    /// Whether that address is relocated.
    pub relocations: bool,
}

/// An image, and where its parts are.
pub struct Image {
    pub bytes: Vec<u8>,
    /// In the order of the section table.
    pub sections: Vec<SectionRange>,
    nt_headers: usize,
    is_64_bit: bool,
    /// Relative virtual addresses of the parts of the import section.
    pub address_table: u32,
    pub descriptors: u32,
    pub lookup_table: u32,
    pub image_base: u64,
}

pub const TEXT: usize = 0;
pub const IMPORTS: usize = 1;
pub const DATA: usize = 2;
pub const RELOCATIONS: usize = 3;

/// The import section fills its page, so that nothing in it is terminated by chance.
const IMPORT_SECTION_SIZE: u32 = 0x1000;
const FILLING: u8 = 0xcc;

const READ_ONLY: pe::SectionFlags =
    pe::SectionFlags(pe::IMAGE_SCN_CNT_INITIALIZED_DATA.0 | pe::IMAGE_SCN_MEM_READ.0);

impl Fixture {
    pub fn native(machine: Machine) -> Self {
        use Import::Name;
        let entry_point = 0x1000;
        Self {
            machine,
            section_alignment: 0x1000,
            file_alignment: 0x200,
            subsystem: pe::IMAGE_SUBSYSTEM_NATIVE,
            characteristics: pe::IMAGE_FILE_EXECUTABLE_IMAGE,
            dll_characteristics: pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE
                | pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT,
            entry_point,
            text_characteristics: pe::IMAGE_SCN_CNT_CODE
                | pe::IMAGE_SCN_MEM_EXECUTE
                | pe::IMAGE_SCN_MEM_READ,
            import_characteristics: READ_ONLY,
            imports: vec![(
                "ntdll.dll",
                vec![
                    Name("NtDisplayString"),
                    Name("NtTerminateProcess"),
                    Name("sprintf_s"),
                ],
            )],
            absolute_address: true,
            relocations: true,
        }
    }

    pub fn build(&self) -> Image {
        let is_64_bit = self.machine != Machine::X86;
        let image_base = if is_64_bit { 0x1_4000_0000 } else { 0x40_0000 };
        let mut bytes = Vec::new();
        let mut writer = Writer::new(
            is_64_bit,
            self.section_alignment,
            self.file_alignment,
            &mut bytes,
        );
        writer.reserve_dos_header();
        writer.reserve_nt_headers(pe::IMAGE_NUMBEROF_DIRECTORY_ENTRIES);
        writer.reserve_section_headers(if self.relocations { 4 } else { 3 });

        let text = writer.reserve_section(*b".text\0\0\0", self.text_characteristics, 0x200, 0x200);
        let imports = writer.reserve_section(
            *b".idata\0\0",
            self.import_characteristics,
            IMPORT_SECTION_SIZE,
            IMPORT_SECTION_SIZE,
        );
        let import_section = ImportSection::new(imports.virtual_address, is_64_bit, &self.imports);
        let data = writer.reserve_data_section(0x200, 0x200);
        let mut sections = vec![text, imports, data];
        if self.relocations {
            writer.add_reloc(
                data.virtual_address,
                if is_64_bit {
                    pe::IMAGE_REL_BASED_DIR64
                } else {
                    pe::IMAGE_REL_BASED_HIGHLOW
                },
            );
            sections.push(writer.reserve_reloc_section());
        }
        writer.set_data_directory(
            pe::IMAGE_DIRECTORY_ENTRY_IMPORT,
            import_section.descriptors,
            import_section.lookup_table - import_section.descriptors,
        );
        writer.set_data_directory(
            pe::IMAGE_DIRECTORY_ENTRY_IAT,
            import_section.address_table,
            import_section.descriptors - import_section.address_table,
        );

        let nt_headers = writer.nt_headers_offset() as usize;
        writer.write_empty_dos_header().unwrap();
        writer.write_nt_headers(NtHeaders {
            machine: match self.machine {
                Machine::X86 => pe::IMAGE_FILE_MACHINE_I386,
                Machine::X64 => pe::IMAGE_FILE_MACHINE_AMD64,
                Machine::Arm64 => pe::IMAGE_FILE_MACHINE_ARM64,
            },
            time_date_stamp: 0,
            characteristics: self.characteristics,
            major_linker_version: 0,
            minor_linker_version: 0,
            address_of_entry_point: self.entry_point,
            image_base,
            major_operating_system_version: 6,
            minor_operating_system_version: 0,
            major_image_version: 0,
            minor_image_version: 0,
            major_subsystem_version: 6,
            minor_subsystem_version: 0,
            subsystem: self.subsystem,
            dll_characteristics: self.dll_characteristics,
            size_of_stack_reserve: 0x10_0000,
            size_of_stack_commit: 0x1000,
            size_of_heap_reserve: 0,
            size_of_heap_commit: 0,
        });
        writer.write_section_headers();
        writer.write_section(text.file_offset, &[0xc3; 0x200]);
        writer.write_section(imports.file_offset, &import_section.bytes);
        let mut initialized = vec![0; 0x200];
        if self.absolute_address {
            let address = image_base + u64::from(data.virtual_address);
            initialized[..8].copy_from_slice(&address.to_le_bytes());
        }
        writer.write_section(data.file_offset, &initialized);
        if self.relocations {
            writer.write_reloc_section();
        }
        Image {
            bytes,
            sections,
            nt_headers,
            is_64_bit,
            address_table: import_section.address_table,
            descriptors: import_section.descriptors,
            lookup_table: import_section.lookup_table,
            image_base,
        }
    }
}

/// Address tables, descriptors, lookup tables, names: in this order.
struct ImportSection {
    bytes: Vec<u8>,
    address_table: u32,
    descriptors: u32,
    lookup_table: u32,
}

impl ImportSection {
    fn new(address: u32, is_64_bit: bool, imports: &[(&str, Vec<Import>)]) -> Self {
        let pointer_size = if is_64_bit { 8 } else { 4 };
        // Each table ends with an empty entry.
        let table_size: usize = imports
            .iter()
            .map(|(_, functions)| (functions.len() + 1) * pointer_size)
            .sum();
        let descriptors = table_size;
        let lookup_table = descriptors + (imports.len() + 1) * 20;
        let names = lookup_table + table_size;

        let mut bytes = vec![0; names];
        let mut table = 0;
        for (index, (dll, functions)) in imports.iter().enumerate() {
            let descriptor = descriptors + index * 20;
            let name = bytes.len();
            for (field, offset) in [(0, lookup_table + table), (12, name), (16, table)] {
                let value = address + offset as u32;
                bytes[descriptor + field..][..4].copy_from_slice(&value.to_le_bytes());
            }
            bytes.extend_from_slice(dll.as_bytes());
            bytes.push(0);
            for function in functions {
                let entry = match *function {
                    Import::Ordinal(ordinal) => u64::from(ordinal) | 1 << (pointer_size * 8 - 1),
                    Import::Name(name) => {
                        let entry = u64::from(address) + bytes.len() as u64;
                        bytes.extend_from_slice(&[0, 0]);
                        bytes.extend_from_slice(name.as_bytes());
                        bytes.push(0);
                        entry
                    }
                };
                for table_start in [0, lookup_table] {
                    bytes[table_start + table..][..pointer_size]
                        .copy_from_slice(&entry.to_le_bytes()[..pointer_size]);
                }
                table += pointer_size;
            }
            table += pointer_size;
        }
        bytes.resize(IMPORT_SECTION_SIZE as usize, FILLING);
        Self {
            bytes,
            address_table: address,
            descriptors: address + descriptors as u32,
            lookup_table: address + lookup_table as u32,
        }
    }
}

impl Image {
    /// Writes into a section.
    pub fn write(&mut self, address: u32, bytes: &[u8]) {
        let section = self
            .sections
            .iter()
            .rfind(|section| section.virtual_address <= address)
            .unwrap();
        let offset = section.file_offset + (address - section.virtual_address);
        self.bytes[offset as usize..][..bytes.len()].copy_from_slice(bytes);
    }

    pub fn write_pointer(&mut self, address: u32, pointer: u64) {
        let size = if self.is_64_bit { 8 } else { 4 };
        self.write(address, &pointer.to_le_bytes()[..size]);
    }

    pub fn pointer_size(&self) -> u32 {
        if self.is_64_bit { 8 } else { 4 }
    }

    pub fn set_directory(&mut self, index: usize, address: u32, size: u32) {
        let optional_header = if self.is_64_bit { 112 } else { 96 };
        let directory = self.nt_headers + 24 + optional_header + index * 8;
        self.bytes[directory..][..4].copy_from_slice(&address.to_le_bytes());
        self.bytes[directory + 4..][..4].copy_from_slice(&size.to_le_bytes());
    }

    /// Writes into the file header, after the signature.
    pub fn set_file_header(&mut self, offset: usize, value: u16) {
        self.bytes[self.nt_headers + 4 + offset..][..2].copy_from_slice(&value.to_le_bytes());
    }

    /// Writes into the optional header.
    pub fn set_optional_header(&mut self, offset: usize, value: u32) {
        self.bytes[self.nt_headers + 24 + offset..][..4].copy_from_slice(&value.to_le_bytes());
    }

    /// Writes into the header of a section.
    pub fn set_section_header(&mut self, section: usize, offset: usize, value: u32) {
        let optional_header = if self.is_64_bit { 240 } else { 224 };
        let header = self.nt_headers + 24 + optional_header + section * 40;
        self.bytes[header + offset..][..4].copy_from_slice(&value.to_le_bytes());
    }
}
