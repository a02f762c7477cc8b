//! What kind of program an image is, from its first page.

use std::collections::BTreeMap;

use bootshot_format::{Family, OpenKind, Outcome, Source};
use object::LittleEndian as LE;
use object::pe::{ImageNtHeaders32, ImageNtHeaders64};
use object::read::pe::{ImageNtHeaders, ImageOptionalHeader, optional_header_magic};

use crate::names;
use crate::snapshot::{Answer, Snapshot};

/// What the headers of an image say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Image {
    /// `IMAGE_FILE_MACHINE_*`.
    pub machine: u16,
    /// `IMAGE_SUBSYSTEM_*`.
    pub subsystem: u16,
}

/// The images that were read or tried.
pub(crate) struct Images {
    /// By path in lower case; or why it could not be read.
    by_path: BTreeMap<String, Result<Image, String>>,
    /// Why no other was.
    otherwise: String,
}

/// Bytes of the longest path that is kept; the capture has room for 1,024 UTF-16 units.
const LONGEST_PATH: usize = 4096;

impl Images {
    /// What is known of the image of this path.
    pub fn of(&self, path: Option<&str>) -> Result<Image, String> {
        let Some(path) = path else {
            return Err("its path is not known".to_owned());
        };
        match self.by_path.get(&path.to_lowercase()) {
            Some(image) => image.clone(),
            None => Err(self.otherwise.clone()),
        }
    }
}

/// The machine and subsystem in the headers at the beginning of `bytes`; none when they are not there.
fn headers(bytes: &[u8]) -> Option<Image> {
    fn read<H: ImageNtHeaders>(bytes: &[u8]) -> Option<Image> {
        let dos = object::pe::ImageDosHeader::parse(bytes).ok()?;
        let mut offset = dos.nt_headers_offset().into();
        let (headers, _) = H::parse(bytes, &mut offset).ok()?;
        Some(Image {
            machine: headers.file_header().machine.get(LE).0,
            subsystem: headers.optional_header().subsystem().0,
        })
    }
    match optional_header_magic(bytes).ok()? {
        object::pe::IMAGE_NT_OPTIONAL_HDR32_MAGIC => read::<ImageNtHeaders32>(bytes),
        object::pe::IMAGE_NT_OPTIONAL_HDR64_MAGIC => read::<ImageNtHeaders64>(bytes),
        _ => None,
    }
}

impl Snapshot<'_> {
    /// The images whose first page was asked for.
    pub(crate) fn images(&self) -> Images {
        let mut by_path = BTreeMap::new();
        for answer in self.answers_from_any(&[Source::FILE_CONTENT, Source::OPEN]) {
            let is_page = answer.source == Source::FILE_CONTENT && answer.argument == 0;
            let is_refusal = answer.source == Source::OPEN && answer.class == OpenKind::FILE.0;
            let path = if is_page || is_refusal {
                answer.name()
            } else {
                continue;
            };
            if path.len() <= LONGEST_PATH {
                by_path.insert(path.to_lowercase(), image(&answer));
            }
        }
        Images {
            by_path,
            otherwise: self.why_no_images(),
        }
    }

    fn why_no_images(&self) -> String {
        let section = self
            .sections
            .iter()
            .find(|section| section.begin.family == Family::IMAGES);
        match section.map(|section| section.outcome()) {
            None => "images were not captured".to_owned(),
            Some(Outcome::COMPLETE) => "its image was not asked for".to_owned(),
            Some(Outcome::SKIPPED_BY_PHASE) => {
                "images are read on a running system only, not at boot".to_owned()
            }
            Some(outcome) => format!("images were not captured: {}", names::outcome(outcome)),
        }
    }
}

fn image(answer: &Answer<'_>) -> Result<Image, String> {
    if !answer.succeeded() {
        return Err(names::describe_status(answer.status));
    }
    headers(answer.bytes)
        .ok_or_else(|| "its first page has no whole headers of an image".to_owned())
}
