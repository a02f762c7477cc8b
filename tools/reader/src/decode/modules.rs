//! Classes 77 and 11 of `NtQuerySystemInformation`: the kernel modules.

use super::buffer::Buffer;
use crate::error::Problem;
use crate::layout::structures::{
    RTL_PROCESS_MODULE_INFORMATION, RTL_PROCESS_MODULE_INFORMATION_EX, RTL_PROCESS_MODULES,
};
use crate::layout::{Structure, View};

/// Which of the two classes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ModuleClass {
    /// 11.
    Basic,
    /// 77: with checksum, timestamp and preferred base.
    Extended,
}

impl ModuleClass {
    /// The class by its number.
    pub const fn from_number(class: u32) -> Option<Self> {
        match class {
            11 => Some(Self::Basic),
            77 => Some(Self::Extended),
            _ => None,
        }
    }
}

/// A kernel module.
#[derive(Clone, Copy, Debug)]
pub struct Module<'a> {
    /// What both classes say.
    pub base: View<'a, RTL_PROCESS_MODULE_INFORMATION>,
    /// What class 77 says.
    pub extended: Option<View<'a, RTL_PROCESS_MODULE_INFORMATION_EX>>,
}

impl Module<'_> {
    /// The full path (bytes of an ANSI code page; only ASCII is certain) and where in it the file name starts.
    pub fn path(&self) -> (String, usize) {
        let bytes = self
            .base
            .get(RTL_PROCESS_MODULE_INFORMATION::FullPathName)
            .unwrap_or([0; 256]);
        let length = bytes
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(bytes.len());
        let name = self
            .base
            .get(RTL_PROCESS_MODULE_INFORMATION::OffsetToFileName)
            .unwrap_or_default();
        let path = String::from_utf8_lossy(&bytes[..length]).into_owned();
        let start = usize::from(name);
        let start = if path.is_char_boundary(start) {
            start
        } else {
            0
        };
        (path, start)
    }
}

/// The modules in an answer of `class`.
pub fn modules<'a>(
    buffer: &Buffer<'a>,
    class: ModuleClass,
    problems: &mut Vec<Problem>,
) -> Vec<Module<'a>> {
    match class {
        ModuleClass::Basic => basic(buffer, problems),
        ModuleClass::Extended => extended(buffer, problems),
    }
}

fn basic<'a>(buffer: &Buffer<'a>, problems: &mut Vec<Problem>) -> Vec<Module<'a>> {
    let width = buffer.width();
    let start = RTL_PROCESS_MODULES::Modules.offset.at(width);
    let Some(list) = buffer.expect::<RTL_PROCESS_MODULES>(0, start, problems) else {
        return Vec::new();
    };
    let claimed = list
        .get(RTL_PROCESS_MODULES::NumberOfModules)
        .unwrap_or_default() as usize;
    let entries = buffer
        .from(start)
        .chunks_exact(RTL_PROCESS_MODULE_INFORMATION::SIZE.at(width));
    if claimed > entries.len() {
        problems.push(Problem::new(
            "RTL_PROCESS_MODULES.NumberOfModules",
            0,
            format!("at most {}, for which there is room", entries.len()),
            claimed.to_string(),
        ));
    }
    entries
        .take(claimed)
        .map(|bytes| Module {
            base: View::new(bytes, width),
            extended: None,
        })
        .collect()
}

fn extended<'a>(buffer: &Buffer<'a>, problems: &mut Vec<Problem>) -> Vec<Module<'a>> {
    use RTL_PROCESS_MODULE_INFORMATION_EX as Entry;

    let size = Entry::SIZE.at(buffer.width());
    let mut modules = Vec::new();
    let mut offset = 0;
    loop {
        // The chain ends with an entry that is nothing but a zero `NextOffset`.
        let Some(next) = View::<Entry>::new(buffer.from(offset), buffer.width())
            .get(Entry::NextOffset)
            .map(usize::from)
        else {
            problems.push(Problem::new(
                "RTL_PROCESS_MODULE_INFORMATION_EX.NextOffset",
                offset,
                "a next offset",
                "the end of the answer",
            ));
            break;
        };
        if next == 0 {
            break;
        }
        if next < size {
            problems.push(Problem::new(
                "RTL_PROCESS_MODULE_INFORMATION_EX.NextOffset",
                offset,
                format!("0 or at least {size}"),
                next.to_string(),
            ));
            break;
        }
        let Some(entry) = buffer.expect::<Entry>(offset, size, problems) else {
            break;
        };
        if let Some(base) = entry.get(Entry::BaseInfo) {
            modules.push(Module {
                base,
                extended: Some(entry),
            });
        }
        offset += next;
    }
    modules
}
