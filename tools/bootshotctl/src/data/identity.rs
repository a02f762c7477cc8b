//! Who a snapshot is among many: its id, its host, its boot and its moment.

use std::path::Path;

use bootshot_reader::{Snapshot, Time};

/// What tells a snapshot from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its id, 32 hexadecimal digits.
    pub id: String,
    /// The machine; empty when nobody told it.
    pub host: String,
    /// When the system started, `20260102T030405Z`, or `unknown`.
    pub boot: String,
    /// `bootexecute`, `setupexecute`, `live`.
    pub phase: &'static str,
    /// When the capture began; none when the clock told no moment.
    pub time: Option<Time>,
}

impl Identity {
    /// A snapshot does not know its machine's name: it was told, or it is the name of the folder that the file is in.
    pub fn of(snapshot: &Snapshot<'_>, path: &Path, host: Option<&str>) -> Self {
        let summary = snapshot.overview().value;
        Self {
            id: summary.snapshot_id,
            host: host.map_or_else(|| folder(path), str::to_owned),
            boot: summary
                .system
                .boot_time
                .map_or_else(|| "unknown".to_owned(), compact),
            phase: summary.phase,
            time: summary.start_time,
        }
    }
}

/// The name of the folder a file is in.
fn folder(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let name = path.parent().and_then(Path::file_name);
    name.map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// A moment to the second, without a character that a file's name cannot have.
fn compact(time: Time) -> String {
    let text = time.to_string();
    let seconds = text.split('.').next().unwrap_or_default();
    let digits = seconds.chars().filter(|digit| !matches!(digit, '-' | ':'));
    digits.chain(['Z']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_is_named_by_its_moment() {
        let time = Time::new(134_117_966_459_999_999).unwrap();
        assert_eq!(compact(time), "20260102T030405Z");
    }

    #[test]
    fn the_host_is_the_folder_of_the_file() {
        let file: std::path::PathBuf = ["snapshots", "host-7", "1.bshot"].iter().collect();
        assert_eq!(folder(&file), "host-7");
        assert_eq!(folder(Path::new("/1.bshot")), "");
    }
}
