//! The smallest x64 native images that pass the image gate, for tests that need programs of a known behaviour.

pub const NATIVE: u16 = 1;
pub const WINDOWS_CONSOLE: u16 = 3;

const FILE_ALIGNMENT: u32 = 0x200;
const TEXT: u32 = 0x1000;
const DATA: u32 = 0x2000;
const END: u32 = 0x3000;

/// A program that ends with `status` at once; `data` is somewhere in it.
pub fn ending(subsystem: u16, status: u32, data: &[u8]) -> Vec<u8> {
    // sub rsp, 28h; mov rcx, -1; mov edx, status; call [DATA]
    let mut code = vec![
        0x48, 0x83, 0xEC, 0x28, 0x48, 0xC7, 0xC1, 0xFF, 0xFF, 0xFF, 0xFF, 0xBA,
    ];
    code.extend(status.to_le_bytes());
    code.extend([0xFF, 0x15]);
    let behind = TEXT + code.len() as u32 + 4;
    code.extend((DATA - behind).to_le_bytes());
    image(subsystem, &code, data)
}

/// A program that never ends.
pub fn hanging() -> Vec<u8> {
    // pause; jmp $-2
    image(NATIVE, &[0xF3, 0x90, 0xEB, 0xFC], &[])
}

/// An image of two sections, `code` and what is writable: the import of `NtTerminateProcess`, its address at [`DATA`],
/// and `data`.
fn image(subsystem: u16, code: &[u8], data: &[u8]) -> Vec<u8> {
    let data_section = imports(data);
    let mut image = Vec::new();
    let mut put = |bytes: &[u8]| image.extend_from_slice(bytes);
    // IMAGE_DOS_HEADER: the magic, and where the NT headers begin.
    put(b"MZ");
    put(&[0; 58]);
    put(&64u32.to_le_bytes());
    // IMAGE_FILE_HEADER: AMD64, two sections, EXECUTABLE_IMAGE | LARGE_ADDRESS_AWARE.
    put(b"PE\0\0");
    put(&0x8664u16.to_le_bytes());
    put(&2u16.to_le_bytes());
    put(&[0; 12]);
    put(&240u16.to_le_bytes());
    put(&0x22u16.to_le_bytes());
    // IMAGE_OPTIONAL_HEADER64: PE32+, sizes, entry point, base, alignments, versions 6.1.
    put(&0x20Bu16.to_le_bytes());
    put(&[0; 14]);
    put(&TEXT.to_le_bytes());
    put(&TEXT.to_le_bytes());
    put(&0x1_4000_0000u64.to_le_bytes());
    put(&0x1000u32.to_le_bytes());
    put(&FILE_ALIGNMENT.to_le_bytes());
    for version in [6u16, 1, 0, 0, 6, 1, 0, 0] {
        put(&version.to_le_bytes());
    }
    put(&END.to_le_bytes());
    put(&FILE_ALIGNMENT.to_le_bytes());
    put(&[0; 4]);
    put(&subsystem.to_le_bytes());
    // HIGH_ENTROPY_VA | DYNAMIC_BASE | NX_COMPAT.
    put(&0x160u16.to_le_bytes());
    for stack_or_heap in [0x40000u64, 0x1000, 0x100000, 0x1000] {
        put(&stack_or_heap.to_le_bytes());
    }
    put(&[0; 4]);
    // Sixteen data directories, of which the second is the import directory.
    put(&16u32.to_le_bytes());
    put(&[0; 8]);
    put(&(DATA + DESCRIPTORS).to_le_bytes());
    put(&40u32.to_le_bytes());
    put(&[0; 14 * 8]);
    // IMAGE_SECTION_HEADERs: CNT_CODE | MEM_EXECUTE | MEM_READ, and CNT_INITIALIZED_DATA | MEM_READ | MEM_WRITE.
    let text_size = (code.len() as u32).next_multiple_of(FILE_ALIGNMENT);
    let data_size = (data_section.len() as u32).next_multiple_of(FILE_ALIGNMENT);
    for (name, address, size, raw_size, raw_place, flags) in [
        (
            b".text\0\0\0",
            TEXT,
            code.len() as u32,
            text_size,
            FILE_ALIGNMENT,
            0x6000_0020u32,
        ),
        (
            b".data\0\0\0",
            DATA,
            data_section.len() as u32,
            data_size,
            FILE_ALIGNMENT + text_size,
            0xC000_0040,
        ),
    ] {
        put(name);
        for number in [size, address, raw_size, raw_place] {
            put(&number.to_le_bytes());
        }
        put(&[0; 12]);
        put(&flags.to_le_bytes());
    }
    image.resize(FILE_ALIGNMENT as usize, 0);
    image.extend(code);
    image.resize((FILE_ALIGNMENT + text_size) as usize, 0);
    image.extend(data_section);
    image.resize((FILE_ALIGNMENT + text_size + data_size) as usize, 0);
    image
}

/// Where the import descriptors begin in the data section: behind the address table and the name table.
const DESCRIPTORS: u32 = 32;

fn imports(data: &[u8]) -> Vec<u8> {
    let names = DATA + DESCRIPTORS + 40;
    let function = b"\0\0NtTerminateProcess\0\0";
    let dll = b"ntdll.dll\0";
    let mut section = Vec::new();
    for _table in 0..2 {
        section.extend(u64::from(names).to_le_bytes());
        section.extend([0; 8]);
    }
    for field in [DATA + 16, 0, 0, names + function.len() as u32, DATA] {
        section.extend(field.to_le_bytes());
    }
    section.extend([0; 20]);
    section.extend(function);
    section.extend(dll);
    section.extend(data);
    section
}
