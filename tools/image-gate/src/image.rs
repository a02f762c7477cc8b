//! A view of a PE image that is the same for both pointer widths, with addresses resolved as the kernel maps the file.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use ntdll_lib::Machine;
use object::LittleEndian as LE;
use object::pe;
use object::read::pe::{ImageNtHeaders, ImageOptionalHeader, optional_header_magic};

/// The size of a page on every supported machine.
pub(crate) const PAGE_SIZE: u32 = 4096;

/// The kernel refuses images with more sections (`MM_MAXIMUM_IMAGE_SECTIONS` in the Windows Research Kernel), so no address is
/// looked up in further ones.
pub(crate) const MAX_SECTIONS: usize = 96;

/// Longer than any export name; a bound for what hostile images can make us search.
const MAX_STRING: usize = 4096;

/// Why bytes cannot be judged at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnImage {
    reason: String,
}

impl fmt::Display for NotAnImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a PE executable image: {}", self.reason)
    }
}

impl std::error::Error for NotAnImage {}

impl From<object::read::Error> for NotAnImage {
    fn from(error: object::read::Error) -> Self {
        Self {
            reason: error.to_string(),
        }
    }
}

pub(crate) struct Image<'data> {
    data: &'data [u8],
    pub machine: u16,
    /// PE32+ rather than PE32.
    pub is_64_bit: bool,
    pub characteristics: u16,
    pub subsystem: u16,
    pub dll_characteristics: u16,
    pub entry_point: u32,
    pub image_base: u64,
    pub section_alignment: u32,
    pub file_alignment: u32,
    pub size_of_headers: u32,
    pub size_of_image: u32,
    pub sections: Vec<Section<'data>>,
    directories: Vec<Directory>,
}

/// A data directory that is not empty.
#[derive(Clone, Copy)]
pub(crate) struct Directory {
    pub address: u32,
    pub size: u32,
}

impl Directory {
    pub fn range(self) -> Range<u64> {
        self.address.into()..u64::from(self.address) + u64::from(self.size)
    }
}

impl<'data> Image<'data> {
    pub fn parse(data: &'data [u8]) -> Result<Self, NotAnImage> {
        match optional_header_magic(data)? {
            pe::IMAGE_NT_OPTIONAL_HDR32_MAGIC => Self::parse_headers::<pe::ImageNtHeaders32>(data),
            pe::IMAGE_NT_OPTIONAL_HDR64_MAGIC => Self::parse_headers::<pe::ImageNtHeaders64>(data),
            magic => Err(NotAnImage {
                reason: format!("optional header magic {magic:#06x}"),
            }),
        }
    }

    fn parse_headers<Pe: ImageNtHeaders>(data: &'data [u8]) -> Result<Self, NotAnImage> {
        let mut offset = pe::ImageDosHeader::parse(data)?.nt_headers_offset().into();
        let (headers, directories) = Pe::parse(data, &mut offset)?;
        let sections = headers.sections(data, offset)?;
        let (file, optional) = (headers.file_header(), headers.optional_header());
        Ok(Self {
            data,
            machine: file.machine.get(LE).0,
            is_64_bit: headers.is_type_64(),
            characteristics: file.characteristics.get(LE).0,
            subsystem: optional.subsystem().0,
            dll_characteristics: optional.dll_characteristics().0,
            entry_point: optional.address_of_entry_point(),
            image_base: optional.image_base(),
            section_alignment: optional.section_alignment(),
            file_alignment: optional.file_alignment(),
            size_of_headers: optional.size_of_headers(),
            size_of_image: optional.size_of_image(),
            sections: sections
                .iter()
                .map(|header| Section::new(header, optional.section_alignment(), data))
                .collect(),
            directories: directories
                .iter()
                .map(|directory| Directory {
                    address: directory.virtual_address.get(LE),
                    size: directory.size.get(LE),
                })
                .collect(),
        })
    }

    pub fn file_size(&self) -> u64 {
        self.data.len() as u64
    }

    pub fn supported_machine(&self) -> Option<Machine> {
        match pe::Machine(self.machine) {
            pe::IMAGE_FILE_MACHINE_I386 => Some(Machine::X86),
            pe::IMAGE_FILE_MACHINE_AMD64 => Some(Machine::X64),
            pe::IMAGE_FILE_MACHINE_ARM64 => Some(Machine::Arm64),
            _ => None,
        }
    }

    /// The size of a pointer in bytes.
    pub fn pointer_size(&self) -> u32 {
        if self.is_64_bit { 8 } else { 4 }
    }

    pub fn has_dll_characteristic(&self, flag: pe::DllFlags) -> bool {
        self.dll_characteristics & flag.0 != 0
    }

    pub fn has_characteristic(&self, flag: pe::FileFlags) -> bool {
        self.characteristics & flag.0 != 0
    }

    /// A data directory by its `IMAGE_DIRECTORY_ENTRY_*` index, unless it is empty.
    pub fn directory(&self, index: usize) -> Option<Directory> {
        self.directories
            .get(index)
            .copied()
            .filter(|directory| directory.address != 0 || directory.size != 0)
    }

    fn mapped_sections(&self) -> impl Iterator<Item = &Section<'data>> {
        self.sections.iter().take(MAX_SECTIONS)
    }

    pub fn section_at(&self, address: u32) -> Option<&Section<'data>> {
        self.mapped_sections()
            .find(|section| section.range().contains(&address.into()))
    }

    /// The section that holds all of a range of relative virtual addresses.
    pub fn section_around(&self, range: &Range<u64>) -> Option<&Section<'data>> {
        self.mapped_sections().find(|section| {
            let section = section.range();
            section.start <= range.start && range.end <= section.end
        })
    }

    /// The few bytes in memory at a relative virtual address, if one section holds all of them.
    pub fn bytes(&self, address: u32, length: u32) -> Option<Cow<'data, [u8]>> {
        let address = u64::from(address);
        let section = self.section_around(&(address..address + u64::from(length)))?;
        let start = (address - section.range().start) as usize;
        let length = length as usize;
        Some(match section.data.get(start..start + length) {
            Some(bytes) => Cow::Borrowed(bytes),
            // The section is longer in memory than in the file; the kernel fills it up with zeros.
            None => {
                let mut bytes = section.data.get(start..).unwrap_or_default().to_vec();
                bytes.resize(length, 0);
                Cow::Owned(bytes)
            }
        })
    }

    pub fn u16(&self, address: u32) -> Option<u16> {
        let bytes = self.bytes(address, 2)?;
        Some(u16::from_le_bytes(bytes.as_ref().try_into().ok()?))
    }

    pub fn u32(&self, address: u32) -> Option<u32> {
        let bytes = self.bytes(address, 4)?;
        Some(u32::from_le_bytes(bytes.as_ref().try_into().ok()?))
    }

    /// A pointer-sized value.
    pub fn pointer(&self, address: u32) -> Option<u64> {
        if self.is_64_bit {
            let bytes = self.bytes(address, 8)?;
            Some(u64::from_le_bytes(bytes.as_ref().try_into().ok()?))
        } else {
            self.u32(address).map(u64::from)
        }
    }

    /// A zero-terminated string that ends within its section, without the terminator; what is not ASCII is escaped.
    pub fn string(&self, address: u32) -> Option<String> {
        let section = self.section_at(address)?;
        let start = (u64::from(address) - section.range().start) as usize;
        let bytes = section.data.get(start..).unwrap_or_default();
        let bytes = &bytes[..bytes.len().min(MAX_STRING)];
        let length = match bytes.iter().position(|&byte| byte == 0) {
            Some(length) => length,
            None if section.is_zero_filled() && bytes.len() < MAX_STRING => bytes.len(),
            None => return None,
        };
        Some(bytes[..length].escape_ascii().to_string())
    }

    /// The relative virtual address of an address at the preferred base.
    pub fn relative(&self, address: u64) -> Option<u32> {
        address
            .checked_sub(self.image_base)
            .and_then(|relative| relative.try_into().ok())
    }
}

pub(crate) struct Section<'data> {
    pub name: String,
    pub virtual_address: u32,
    pub virtual_size: u32,
    /// The bytes that the kernel maps for it.
    size_in_memory: u64,
    pub raw_offset: u32,
    pub raw_size: u32,
    characteristics: u32,
    /// The part of its memory that comes from the file.
    pub data: &'data [u8],
}

impl<'data> Section<'data> {
    fn new(header: &pe::ImageSectionHeader, section_alignment: u32, file: &'data [u8]) -> Self {
        let virtual_size = header.virtual_size.get(LE);
        let raw_size = header.size_of_raw_data.get(LE);
        let raw_offset = header.pointer_to_raw_data.get(LE);
        // A virtual size of 0 stands for the raw size. Whole pages are mapped, except where sections share them.
        let size = if virtual_size == 0 {
            raw_size
        } else {
            virtual_size
        };
        let granularity = match section_alignment {
            1..PAGE_SIZE => section_alignment,
            _ => PAGE_SIZE,
        };
        let size_in_memory = u64::from(size).next_multiple_of(granularity.into());
        let start = (raw_offset as usize).min(file.len());
        let end = start
            .saturating_add(size_in_memory.min(raw_size.into()) as usize)
            .min(file.len());
        Self {
            name: header.raw_name().escape_ascii().to_string(),
            virtual_address: header.virtual_address.get(LE),
            virtual_size,
            size_in_memory,
            raw_offset,
            raw_size,
            characteristics: header.characteristics.get(LE).0,
            data: &file[start..end],
        }
    }

    /// Its relative virtual addresses.
    pub fn range(&self) -> Range<u64> {
        self.virtual_address.into()..u64::from(self.virtual_address) + self.size_in_memory
    }

    fn is_zero_filled(&self) -> bool {
        (self.data.len() as u64) < self.size_in_memory
    }

    pub fn is_readable(&self) -> bool {
        self.characteristics & pe::IMAGE_SCN_MEM_READ.0 != 0
    }

    pub fn is_writable(&self) -> bool {
        self.characteristics & pe::IMAGE_SCN_MEM_WRITE.0 != 0
    }

    pub fn is_executable(&self) -> bool {
        self.characteristics & pe::IMAGE_SCN_MEM_EXECUTE.0 != 0
    }
}
