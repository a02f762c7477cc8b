//! Event trace sessions that the kernel starts during the boot.

use serde::Serialize;

use super::super::Reading;
use super::{CURRENT_CONTROL_SET, last_component};
use crate::names;
use crate::snapshot::Snapshot;
use crate::value::Hex;

/// A trace session; names of the values in `WMI\Autologger\<session>`.
#[derive(Clone, Debug, Serialize)]
pub struct Autologger {
    /// The session's name.
    pub name: String,
    /// `Start`: whether it is started.
    pub start: Option<bool>,
    /// `Guid`: of the session.
    pub guid: Option<String>,
    /// `FileName`: where it writes; null for the default, or when it keeps its events in memory.
    pub file: Option<String>,
    /// `EnableLevel`, else `Level`, where the session itself has one.
    pub level: Option<u32>,
    /// `LogFileMode`: `EVENT_TRACE_*_MODE`.
    pub log_file_mode: Option<Hex>,
    /// `BufferSize` in KiB.
    pub buffer_size: Option<u32>,
    /// `MaximumBuffers`.
    pub maximum_buffers: Option<u32>,
    /// Why its key could not be opened or read to its end.
    pub status: Option<String>,
}

impl Snapshot<'_> {
    /// The trace sessions in the registry, by name.
    pub fn autologgers(&self) -> Reading<Vec<Autologger>> {
        Reading::gather(|problems| {
            let registry = self.read_registry(problems);
            registry
                .children(&format!("{CURRENT_CONTROL_SET}\\Control\\WMI\\Autologger"))
                .map(|key| Autologger {
                    name: last_component(&key.path).to_owned(),
                    start: key.number("Start").map(|start| start != 0),
                    guid: key.text("Guid"),
                    file: key.text("FileName").filter(|file| !file.is_empty()),
                    level: key.number("EnableLevel").or_else(|| key.number("Level")),
                    log_file_mode: key.number("LogFileMode").map(|mode| Hex(mode.into())),
                    buffer_size: key.number("BufferSize"),
                    maximum_buffers: key.number("MaximumBuffers"),
                    status: key.refusal.or(key.values_cut).map(names::describe_status),
                })
                .collect()
        })
    }
}
