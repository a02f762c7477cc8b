//! Security descriptors as files keep them: an owner and a DACL.

use super::answers::sid;
use super::fields::Fields;

const OWNER: u32 = 1;
const DACL: u32 = 4;
const SE_DACL_PRESENT: u16 = 0x0004;
const SE_SELF_RELATIVE: u16 = 0x8000;
const FULL: u32 = 0x001F_01FF;
const READ_AND_EXECUTE: u32 = 0x0012_00A9;

/// What a file says of who may use it.
#[derive(Clone, Debug)]
pub struct Security {
    control: u16,
    owner: Vec<u8>,
    dacl: Vec<u8>,
}

impl Security {
    /// Owned by administrators; each of `allowed` is an access mask and whom it is given.
    pub fn new(allowed: &[(u32, Vec<u8>)]) -> Self {
        let entries = allowed
            .iter()
            .fold(Fields::new(), |entries, (mask, sid)| {
                let length = 8 + sid.len() as u16;
                entries.u8(0).u8(0).u16(length).u32(*mask).raw(sid)
            })
            .done();
        let length = 8 + entries.len() as u16;
        let dacl = Fields::new()
            .u8(2)
            .u8(0)
            .u16(length)
            .u16(allowed.len() as u16);
        Self {
            control: SE_SELF_RELATIVE | SE_DACL_PRESENT,
            owner: administrators(),
            dacl: dacl.u16(0).raw(&entries).done(),
        }
    }

    /// As below the Windows directory: others may only read.
    pub fn of_system_files() -> Self {
        let (system, users) = (sid(5, &[18]), sid(5, &[32, 545]));
        Self::new(&[
            (FULL, system),
            (FULL, administrators()),
            (READ_AND_EXECUTE, users),
        ])
    }

    /// As the I/O manager answers for a file system that keeps none: everyone may do everything.
    pub fn of_nothing() -> Self {
        Self::new(&[(FULL, sid(1, &[0]))])
    }

    /// What is given to a new file, self-relative; its creator owns it where no owner is named.
    pub fn given(descriptor: &[u8]) -> Self {
        let word = |place: usize| {
            u32::from_ne_bytes(descriptor[place..place + 4].try_into().unwrap()) as usize
        };
        let owner = match word(4) {
            0 => administrators(),
            place => descriptor[place..][..8 + 4 * usize::from(descriptor[place + 1])].to_vec(),
        };
        let dacl = &descriptor[word(16)..];
        let length = usize::from(u16::from_ne_bytes([dacl[2], dacl[3]]));
        Self {
            control: u16::from_ne_bytes([descriptor[2], descriptor[3]]),
            owner,
            dacl: dacl[..length].to_vec(),
        }
    }

    /// A self-relative descriptor of the parts that a `SECURITY_INFORMATION` names.
    pub fn descriptor(&self, information: u32) -> Vec<u8> {
        const HEADER: usize = 20;
        let part = |bit: u32, bytes: &[u8]| match information & bit {
            0 => Vec::new(),
            _ => bytes.to_vec(),
        };
        let (owner, dacl) = (part(OWNER, &self.owner), part(DACL, &self.dacl));
        let place = |bytes: &[u8], place: usize| if bytes.is_empty() { 0 } else { place as u32 };
        let control = if dacl.is_empty() {
            SE_SELF_RELATIVE
        } else {
            self.control
        };
        let fields = Fields::new().u8(1).u8(0).u16(control);
        let fields = fields.u32(place(&owner, HEADER + dacl.len())).u32(0).u32(0);
        fields
            .u32(place(&dacl, HEADER))
            .raw(&dacl)
            .raw(&owner)
            .done()
    }
}

/// S-1-5-32-544.
fn administrators() -> Vec<u8> {
    sid(5, &[32, 544])
}
