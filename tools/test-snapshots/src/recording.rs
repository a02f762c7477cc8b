//! The recordings: a run of records, little-endian, without padding.

/// What was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `NtQuerySystemInformation`.
    SystemInformation,
    /// `NtQueryDirectoryObject`.
    DirectoryObject,
    /// `NtQueryObject` on no handle.
    ObjectInformation,
    /// The recorder's PEB.
    Peb,
    /// The recorder's process parameters.
    ProcessParameters,
    /// `KUSER_SHARED_DATA`.
    UserSharedData,
}

/// One recorded answer.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What was asked.
    pub kind: Kind,
    /// The information class, where there is one.
    pub class: u32,
    /// The `NTSTATUS`.
    pub status: u32,
    /// The length the call returned.
    pub returned_length: u32,
    /// Address of the buffer.
    pub address: u64,
    /// The directory, UTF-16LE.
    pub name: Vec<u8>,
    /// The answer.
    pub bytes: Vec<u8>,
}

/// The recording of the 64-bit system.
pub fn recording_x64() -> Vec<Recorded> {
    parse(include_bytes!("../../reader/fixtures/boot-nt52-x64.ntd"))
}

/// The recording of the 32-bit system.
pub fn recording_x86() -> Vec<Recorded> {
    parse(include_bytes!("../../reader/fixtures/boot-nt52-x86.ntd"))
}

fn parse(mut rest: &[u8]) -> Vec<Recorded> {
    let mut take = |length: usize| {
        let (bytes, after) = rest.split_at_checked(length)?;
        rest = after;
        Some(bytes)
    };
    let mut records = Vec::new();
    while let Some(header) = take(40) {
        let number = |offset: usize| {
            let bytes = header[offset..]
                .first_chunk()
                .expect("a header has 40 bytes");
            u32::from_le_bytes(*bytes)
        };
        assert_eq!(header[..4], *b"NTD1");
        let kind = match number(4) {
            1 => Kind::SystemInformation,
            2 => Kind::DirectoryObject,
            3 => Kind::ObjectInformation,
            4 => Kind::Peb,
            5 => Kind::ProcessParameters,
            6 => Kind::UserSharedData,
            other => panic!("record kind {other}"),
        };
        let address = header[24..].first_chunk().expect("a header has 40 bytes");
        records.push(Recorded {
            kind,
            class: match kind {
                Kind::SystemInformation | Kind::ObjectInformation => number(8),
                _ => 0,
            },
            status: number(12),
            returned_length: number(16),
            address: u64::from_le_bytes(*address),
            name: take(number(32) as usize).expect("a whole name").to_vec(),
            bytes: take(number(20) as usize).expect("a whole answer").to_vec(),
        });
    }
    records
}
