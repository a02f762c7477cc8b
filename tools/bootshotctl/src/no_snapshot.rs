//! A file that cannot be read as a snapshot: what it is, and what to do about it.

use bootshot_reader::ReadError;

/// What files of other kinds begin with, what they are, and what to do.
const KINDS: [(&[u8], &str, &str); 16] = [
    (
        b"MZ",
        "an executable",
        "\"bootshotctl check\" looks at executables.",
    ),
    (b"PK\x03\x04", "a ZIP archive", UNPACK),
    (b"\x1F\x8B", "compressed with gzip", UNPACK),
    (b"\x28\xB5\x2F\xFD", "compressed with zstd", UNPACK),
    (b"7z\xBC\xAF\x27\x1C", "a 7z archive", UNPACK),
    (b"regf", "a registry hive", SNAPSHOTS),
    (b"SQLite format 3\0", "an SQLite database", EXPORTED),
    (b"PAR1", "a Parquet file", EXPORTED),
    (b"\x7FELF", "an executable for Linux", SNAPSHOTS),
    (
        b"<!doctype html",
        "an HTML page",
        "Reports are opened in a browser; name the snapshot it was made of.",
    ),
    (b"{", "JSON", EXPORTED),
    (b"[", "JSON", EXPORTED),
    (
        b"Windows Registry Editor",
        "an exported piece of registry",
        SNAPSHOTS,
    ),
    // As regedit writes it: UTF-16 with its mark.
    (
        b"\xFF\xFEW\0i\0n\0",
        "an exported piece of registry",
        SNAPSHOTS,
    ),
    (b"PAGEDU", "a crash dump", SNAPSHOTS),
    (b"MDMP", "a minidump", SNAPSHOTS),
];

const UNPACK: &str = "Unpack it, and name the snapshot in it.";
const EXPORTED: &str = "If it was exported from a snapshot, name that snapshot.";
const SNAPSHOTS: &str =
    "Snapshots end in .bshot; \"bootshotctl list DIRECTORY\" shows those of a directory.";

/// What to do about a file that cannot be read as a snapshot, a sentence or two.
pub fn advice(error: &ReadError, bytes: &[u8]) -> String {
    match error {
        ReadError::Empty => "Nothing was written to it, or copying it failed: copy it again, or take another snapshot.".into(),
        ReadError::CutShort { .. } => {
            "Not even its header is whole, so that there is nothing to salvage: copy it again, or take another snapshot.".into()
        }
        ReadError::DamagedHeader => {
            "Copy it again; if it stays like this, its other bytes cannot be trusted to be what they look like.".into()
        }
        ReadError::NewerVersion(_) | ReadError::UnknownFeatures(_) => {
            "It was written by a later bootshot: read it with the bootshotctl of that release, or a later one.".into()
        }
        ReadError::NotASnapshot => {
            let begins = |start: &[u8]| {
                bytes
                    .get(..start.len())
                    .is_some_and(|bytes| bytes.eq_ignore_ascii_case(start))
            };
            match KINDS.iter().find(|(start, ..)| begins(start)) {
                Some((_, kind, what_to_do)) => format!("It is {kind}. {what_to_do}"),
                None if bytes.iter().all(|byte| *byte == 0) => {
                    "All of it is zeros: its room was taken, and nothing was written before the power went. Take another snapshot.".into()
                }
                None => SNAPSHOTS.into(),
            }
        }
    }
}
