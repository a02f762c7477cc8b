//! Classes of `NtQueryInformationProcess` that say one thing about one process.

use std::fmt;
use std::sync::Arc;

use super::buffer::Buffer;
use super::security::{Sid, sid};
use crate::error::Problem;
use crate::layout::structures::{PROCESS_TELEMETRY_ID_INFORMATION, PS_PROTECTION};
use crate::layout::{Structure, View};

/// Class 61: whether and how the process is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Protection(pub u8);

impl fmt::Display for Protection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.0 & 7 {
            0 => return formatter.write_str("none"),
            1 => "light",
            2 => "full",
            _ => "unknown",
        };
        let signer = match self.0 >> 4 {
            0 => "None",
            1 => "Authenticode",
            2 => "CodeGen",
            3 => "Antimalware",
            4 => "Lsa",
            5 => "Windows",
            6 => "WinTcb",
            7 => "WinSystem",
            8 => "App",
            other => return write!(formatter, "{level} (signer {other})"),
        };
        write!(formatter, "{level} ({signer})")
    }
}

/// Reads an answer of class 61.
pub fn protection(buffer: &Buffer<'_>, problems: &mut Vec<Problem>) -> Option<Protection> {
    let size = PS_PROTECTION::SIZE.at(buffer.width());
    let view = buffer.expect::<PS_PROTECTION>(0, size, problems)?;
    view.get(PS_PROTECTION::Level).map(Protection)
}

/// Class 64: what tells this process from all others of this and other boots.
#[derive(Clone, Debug)]
pub struct TelemetryId<'a> {
    /// The fixed part.
    pub fixed: View<'a, PROCESS_TELEMETRY_ID_INFORMATION>,
    /// Its user.
    pub user: Option<Sid>,
    /// NT path of its image.
    pub image_path: Option<Arc<str>>,
    /// Its command line.
    pub command_line: Option<Arc<str>>,
}

/// Reads an answer of class 64.
pub fn telemetry_id<'a>(
    buffer: &Buffer<'a>,
    problems: &mut Vec<Problem>,
) -> Option<TelemetryId<'a>> {
    use PROCESS_TELEMETRY_ID_INFORMATION as Id;

    let size = Id::CommandLineOffset.offset.at(buffer.width());
    let fixed = buffer.expect::<Id>(0, size, problems)?;
    let mut text = |offset: Option<u32>, what| {
        let bytes = buffer.from(offset.filter(|offset| *offset != 0)? as usize);
        let (units, _) = bytes.as_chunks::<2>();
        let length = units.iter().position(|unit| *unit == [0, 0]);
        buffer.text(&bytes[..length? * 2], what, 0, problems)
    };
    let image_path = text(fixed.get(Id::ImagePathOffset), "image path");
    let command_line = text(fixed.get(Id::CommandLineOffset), "command line");
    let user = fixed.get(Id::UserSidOffset).filter(|offset| *offset != 0);
    Some(TelemetryId {
        fixed,
        user: user.and_then(|offset| sid(buffer.from(offset as usize), offset as usize, problems)),
        image_path,
        command_line,
    })
}
