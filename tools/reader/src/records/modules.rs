//! Kernel modules.

use bootshot_format::Source;
use serde::Serialize;

use super::Reading;
use super::images::Images;
use crate::decode::{self, ModuleClass};
use crate::error::Problem;
use crate::layout::structures::{
    RTL_PROCESS_MODULE_INFORMATION as Layout, RTL_PROCESS_MODULE_INFORMATION_EX as Extended,
};
use crate::names;
use crate::snapshot::Snapshot;
use crate::value::Hex;

/// The classes that list kernel modules, the more telling one first.
const CLASSES: [u32; 2] = [77, 11];

/// A kernel module.
#[derive(Clone, Debug, Serialize)]
pub struct Module {
    /// File name.
    pub name: String,
    /// Full path.
    pub path: String,
    /// Where it is loaded; none where the kernel hides it.
    pub base: Option<Hex>,
    /// Bytes it takes there.
    pub size: u32,
    /// Its place in the order of loading.
    pub load_order: u16,
    /// How often it is referenced.
    pub load_count: u16,
    /// The loader's flags.
    pub flags: Hex,
    /// Checksum in its header; class 77 only.
    pub checksum: Option<Hex>,
    /// Timestamp in its header, seconds since 1970 or a hash; class 77 only.
    pub time_date_stamp: Option<Hex>,
    /// Where it would like to be loaded; class 77 only.
    pub default_base: Option<Hex>,
    /// `x86`, `x64`, `arm64`, from the image's headers.
    pub machine: Option<&'static str>,
    /// `native` for nearly all, from the image's headers.
    pub subsystem: Option<&'static str>,
    /// Why the image's headers were not read.
    pub image_status: Option<String>,
}

impl Snapshot<'_> {
    /// The kernel modules in the order of loading.
    pub fn modules(&self) -> Reading<Vec<Module>> {
        Reading::gather(|problems| {
            let images = self.images();
            let entries = self.module_entries(problems);
            entries.iter().map(|entry| module(entry, &images)).collect()
        })
    }

    pub(super) fn module_entries(&self, problems: &mut Vec<Problem>) -> Vec<decode::Module<'_>> {
        let source = Source::SYSTEM_INFORMATION;
        let Some(answer) = self.wanted("kernel modules", source, &CLASSES, problems) else {
            return Vec::new();
        };
        let class = ModuleClass::from_number(answer.class).unwrap_or(ModuleClass::Basic);
        answer.decode(problems, |buffer, problems| {
            decode::modules(buffer, class, problems)
        })
    }
}

fn module(entry: &decode::Module<'_>, images: &Images) -> Module {
    let (path, name) = entry.path();
    let base = entry.base.get(Layout::ImageBase).unwrap_or_default();
    let extended = entry.extended.as_ref();
    let headers = images.of(Some(&path));
    Module {
        name: path[name..].to_owned(),
        path,
        base: (base != 0).then_some(Hex(base)),
        size: entry.base.get(Layout::ImageSize).unwrap_or_default(),
        load_order: entry.base.get(Layout::LoadOrderIndex).unwrap_or_default(),
        load_count: entry.base.get(Layout::LoadCount).unwrap_or_default(),
        flags: Hex(entry.base.get(Layout::Flags).unwrap_or_default().into()),
        checksum: extended
            .and_then(|extended| extended.get(Extended::ImageChecksum))
            .map(|checksum| Hex(checksum.into())),
        time_date_stamp: extended
            .and_then(|extended| extended.get(Extended::TimeDateStamp))
            .map(|stamp| Hex(stamp.into())),
        default_base: extended
            .and_then(|extended| extended.get(Extended::DefaultBase))
            .filter(|base| *base != 0)
            .map(Hex),
        machine: headers
            .as_ref()
            .ok()
            .and_then(|image| names::machine(image.machine)),
        subsystem: headers
            .as_ref()
            .ok()
            .and_then(|image| names::subsystem(image.subsystem)),
        image_status: headers.err(),
    }
}
