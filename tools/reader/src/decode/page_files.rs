//! Classes 144 and 18 of `NtQuerySystemInformation`: the page files.

use std::sync::Arc;

use super::buffer::Buffer;
use crate::error::Problem;
use crate::layout::structures::{SYSTEM_PAGEFILE_INFORMATION, SYSTEM_PAGEFILE_INFORMATION_EX};
use crate::layout::{Structure, View};

/// Which of the two classes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageFileClass {
    /// 18.
    Basic,
    /// 144: with the configured sizes.
    Extended,
}

impl PageFileClass {
    /// The class by its number.
    pub const fn from_number(class: u32) -> Option<Self> {
        match class {
            18 => Some(Self::Basic),
            144 => Some(Self::Extended),
            _ => None,
        }
    }
}

/// A page file.
#[derive(Clone, Debug)]
pub struct PageFile<'a> {
    /// Its NT path.
    pub name: Option<Arc<str>>,
    /// What both classes say, in pages.
    pub base: View<'a, SYSTEM_PAGEFILE_INFORMATION>,
    /// What class 144 says, in pages.
    pub extended: Option<View<'a, SYSTEM_PAGEFILE_INFORMATION_EX>>,
}

/// The page files in an answer of `class`; an empty answer is none.
pub fn page_files<'a>(
    buffer: &Buffer<'a>,
    class: PageFileClass,
    problems: &mut Vec<Problem>,
) -> Vec<PageFile<'a>> {
    use SYSTEM_PAGEFILE_INFORMATION as Base;
    use SYSTEM_PAGEFILE_INFORMATION_EX as Extended;

    let width = buffer.width();
    let size = match class {
        PageFileClass::Basic => Base::SIZE,
        PageFileClass::Extended => Extended::SIZE,
    }
    .at(width);
    let mut files = Vec::new();
    let mut offset = 0;
    while !buffer.bytes().is_empty() {
        let Some(base) = buffer.expect::<Base>(offset, size, problems) else {
            break;
        };
        files.push(PageFile {
            name: base
                .get(Base::PageFileName)
                .and_then(|name| buffer.string(name, "page file name", offset, problems)),
            base,
            extended: (class == PageFileClass::Extended)
                .then(|| View::new(buffer.from(offset), width)),
        });
        let next = base.get(Base::NextEntryOffset).unwrap_or_default() as usize;
        if next == 0 {
            break;
        }
        if next < size {
            problems.push(Problem::new(
                "SYSTEM_PAGEFILE_INFORMATION.NextEntryOffset",
                offset,
                format!("0 or at least {size}"),
                next.to_string(),
            ));
            break;
        }
        offset = offset.saturating_add(next);
    }
    files
}
