//! The kernel modules: `RTL_PROCESS_MODULE_INFORMATION_EX` for 64-bit systems.

use crate::draft::{Draft, put};

/// `SystemModuleInformationEx`.
const CLASS: u32 = 77;

const IMAGE_BASE: usize = 0x18;
const IMAGE_SIZE: usize = 0x20;
const LOAD_ORDER_INDEX: usize = 0x28;
const LOAD_COUNT: usize = 0x2C;
const OFFSET_TO_FILE_NAME: usize = 0x2E;
const FULL_PATH_NAME: usize = 0x30;
const LONGEST_PATH: usize = 255;
const SIZE: usize = 0x140;

/// A kernel module.
#[derive(Clone, Copy, Debug)]
pub struct Module<'a> {
    /// Its path.
    pub path: &'a str,
    /// Where it is loaded.
    pub base: u64,
    /// Bytes it takes there.
    pub size: u32,
}

/// Adds a module, loaded last.
pub fn add(draft: &mut Draft, module: Module<'_>) {
    for answer in draft
        .answers_mut()
        .filter(|answer| answer.is_of_system(CLASS))
    {
        let list = &mut answer.bytes;
        // Behind the last entry stands a `NextOffset` of 0.
        let start = list.len() / SIZE * SIZE;
        let path = &module.path.as_bytes()[..module.path.len().min(LONGEST_PATH)];
        let file_name = path
            .iter()
            .rposition(|byte| *byte == b'\\')
            .map_or(0, |place| place + 1);
        list.truncate(start);
        list.resize(start + SIZE + 2, 0);
        let entry = &mut list[start..];
        put(entry, 0, (SIZE as u16).to_le_bytes());
        put(entry, IMAGE_BASE, module.base.to_le_bytes());
        put(entry, IMAGE_SIZE, module.size.to_le_bytes());
        put(
            entry,
            LOAD_ORDER_INDEX,
            ((start / SIZE) as u16).to_le_bytes(),
        );
        put(entry, LOAD_COUNT, 1_u16.to_le_bytes());
        put(entry, OFFSET_TO_FILE_NAME, (file_name as u16).to_le_bytes());
        entry[FULL_PATH_NAME..FULL_PATH_NAME + path.len()].copy_from_slice(path);
    }
}

/// Lets a module that is there have another path, of a file with the same name.
pub fn replace(draft: &mut Draft, from: &str, to: &str) {
    for answer in draft
        .answers_mut()
        .filter(|answer| answer.is_of_system(CLASS))
    {
        for entry in answer.bytes.chunks_exact_mut(SIZE) {
            let path = &mut entry[FULL_PATH_NAME..];
            let length = path
                .iter()
                .position(|byte| *byte == 0)
                .unwrap_or(path.len());
            if !path[..length].eq_ignore_ascii_case(from.as_bytes()) {
                continue;
            }
            path.fill(0);
            path[..to.len()].copy_from_slice(to.as_bytes());
            let file_name = to.rfind('\\').map_or(0, |place| place + 1) as u16;
            put(entry, OFFSET_TO_FILE_NAME, file_name.to_le_bytes());
        }
    }
}
