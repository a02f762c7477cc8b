//! Whether a directory is ours to trust: a snapshot holds kernel addresses, and its directory the guard and the kill
//! switch, so nobody but SYSTEM and administrators may write there.

use crate::own::dword;

/// Every right to put something into a directory, take something out, or give oneself such rights.
const WRITES: u32 = {
    const FILE_ADD_FILE: u32 = 0x2;
    const FILE_ADD_SUBDIRECTORY: u32 = 0x4;
    // Puts no file in, and still is nobody's who only reads.
    const FILE_WRITE_EA: u32 = 0x10;
    const FILE_DELETE_CHILD: u32 = 0x40;
    // Makes a link of an empty directory, as FILE_ADD_FILE does ([MS-FSA] 2.1.5.10.37, FSCTL_SET_REPARSE_POINT).
    const FILE_WRITE_ATTRIBUTES: u32 = 0x100;
    const DELETE: u32 = 0x1_0000;
    const WRITE_DAC: u32 = 0x4_0000;
    const WRITE_OWNER: u32 = 0x8_0000;
    const GENERIC_ALL: u32 = 0x1000_0000;
    const GENERIC_WRITE: u32 = 0x4000_0000;
    FILE_ADD_FILE
        | FILE_ADD_SUBDIRECTORY
        | FILE_WRITE_EA
        | FILE_DELETE_CHILD
        | FILE_WRITE_ATTRIBUTES
        | DELETE
        | WRITE_DAC
        | WRITE_OWNER
        | GENERIC_ALL
        | GENERIC_WRITE
};

/// SIDs that may write, one behind the other: revision, count, authority, subauthorities, as they stand in a descriptor.
#[rustfmt::skip]
const TRUSTED: &[u8] = &[
    // S-1-5-18, LocalSystem
    1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
    // S-1-5-32-544, BUILTIN\Administrators
    1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0,
    // S-1-3-4, OWNER RIGHTS: the owner is looked at by itself
    1, 1, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0,
    // S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464, NT SERVICE\TrustedInstaller
    1, 6, 0, 0, 0, 0, 0, 5, 80, 0, 0, 0, 0xB5, 0x89, 0xFB, 0x38, 0x19, 0x84, 0xC2, 0xCB,
    0x5C, 0x6C, 0x23, 0x6D, 0x57, 0x00, 0x77, 0x6E, 0xC0, 0x02, 0x64, 0x87,
];

/// Whether this self-relative security descriptor (owner and DACL) lets anybody write but SYSTEM, administrators and
/// `user`, the SID we run as. What cannot be read counts as yes.
pub fn is_writable_by_others(descriptor: &[u8], user: &[u8]) -> bool {
    may_others_write(descriptor, user).unwrap_or(true)
}

fn may_others_write(descriptor: &[u8], user: &[u8]) -> Option<bool> {
    const SE_DACL_PRESENT: u32 = 0x4;
    const CONTROL: usize = 0;
    const OWNER: usize = 4;
    const DACL: usize = 16;
    let is_trusted = |sid: &[u8]| {
        let mut offset = 0;
        while let Some(trusted) = sid_at(TRUSTED, offset) {
            if sid == trusted {
                return true;
            }
            offset += trusted.len();
        }
        sid == user
    };
    let dacl = dword(descriptor, DACL) as usize;
    if dword(descriptor, CONTROL) >> 16 & SE_DACL_PRESENT == 0 || dacl == 0 {
        // No DACL: everybody may do everything.
        return Some(true);
    }
    if !is_trusted(sid_at(descriptor, dword(descriptor, OWNER) as usize)?) {
        return Some(true);
    }
    let acl = descriptor.get(dacl..)?.first_chunk::<8>()?;
    let count = u16::from_le_bytes([acl[4], acl[5]]);
    let mut ace = dacl + 8;
    for _ in 0..count {
        const ACCESS_ALLOWED: u8 = 0;
        const ACCESS_DENIED: u8 = 1;
        const INHERIT_ONLY: u8 = 8;
        let header = descriptor.get(ace..)?.first_chunk::<8>()?;
        let size = usize::from(u16::from_le_bytes([header[2], header[3]]));
        let grants = dword(header, 4) & WRITES != 0 && header[1] & INHERIT_ONLY == 0;
        // Kinds of entries other than the two plain ones are rare on files; one that may grant is taken to do so.
        if grants
            && header[0] != ACCESS_DENIED
            && (header[0] != ACCESS_ALLOWED || !is_trusted(sid_at(descriptor, ace + 8)?))
        {
            return Some(true);
        }
        if size < 8 {
            return None;
        }
        ace += size;
    }
    Some(false)
}

/// The SID at `offset`, which says its own length.
#[inline(never)]
pub fn sid_at(bytes: &[u8], offset: usize) -> Option<&[u8]> {
    let sid = bytes.get(offset..)?;
    sid.get(..8 + usize::from(*sid.get(1)?) * 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERYONE: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    const USER: &[u8] = &[1, 2, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 0xE8, 3, 0, 0];
    const READ: u32 = 0x12_00A9;
    const FULL: u32 = 0x1F_01FF;

    fn descriptor(owner: &[u8], aces: &[(u8, u8, u32, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![1, 0, 0x04, 0x80];
        bytes.extend(
            [20u32, 0, 0, 20 + owner.len() as u32]
                .map(u32::to_le_bytes)
                .concat(),
        );
        bytes.extend(owner);
        bytes.extend([2, 0, 0, 0]);
        bytes.extend((aces.len() as u32).to_le_bytes());
        for (kind, flags, mask, sid) in aces {
            bytes.extend([*kind, *flags]);
            bytes.extend((8 + sid.len() as u16).to_le_bytes());
            bytes.extend(mask.to_le_bytes());
            bytes.extend(*sid);
        }
        bytes
    }

    #[test]
    fn system_administrators_and_ourselves_may_write() {
        let [system, administrators] = [0, 12].map(|offset| sid_at(TRUSTED, offset).unwrap());
        let ours = [
            (0, 3, FULL, system),
            (0, 3, FULL, administrators),
            (0, 0, FULL, USER),
            (0, 0, READ, EVERYONE),
        ];
        assert!(!is_writable_by_others(
            &descriptor(administrators, &ours),
            USER
        ));
        assert!(!is_writable_by_others(&descriptor(USER, &ours), USER));
    }

    #[test]
    fn anybody_else_may_not() {
        let system = sid_at(TRUSTED, 0).unwrap();
        let with = |kind, flags, mask| {
            descriptor(
                system,
                &[(0, 0, FULL, system), (kind, flags, mask, EVERYONE)],
            )
        };
        for mask in [
            0x2,
            0x4,
            0x10,
            0x40,
            0x100,
            0x1_0000,
            0x4_0000,
            0x8_0000,
            0x1000_0000,
            0x4000_0000,
        ] {
            assert!(is_writable_by_others(&with(0, 0, mask), USER), "{mask:#x}");
            assert!(
                is_writable_by_others(&with(9, 0, mask), USER),
                "a conditional entry, {mask:#x}"
            );
            assert!(
                !is_writable_by_others(&with(1, 0, mask), USER),
                "denied, {mask:#x}"
            );
            assert!(
                !is_writable_by_others(&with(0, 8, mask), USER),
                "for what is created inside only, {mask:#x}"
            );
        }
        assert!(
            is_writable_by_others(&descriptor(EVERYONE, &[(0, 0, FULL, system)]), USER),
            "a foreign owner"
        );
        assert!(
            is_writable_by_others(&descriptor(USER, &[(0, 0, FULL, USER)]), &[]),
            "another user"
        );
    }

    #[test]
    fn what_cannot_be_read_is_not_trusted() {
        let system = sid_at(TRUSTED, 0).unwrap();
        let whole = descriptor(system, &[(0, 0, FULL, system)]);
        assert!(!is_writable_by_others(&whole, &[]));
        for length in 0..whole.len() {
            assert!(
                is_writable_by_others(&whole[..length], &[]),
                "length {length}"
            );
        }
        let mut without_dacl = whole.clone();
        without_dacl[2] = 0;
        assert!(is_writable_by_others(&without_dacl, &[]));
        let mut endless = whole;
        let size = endless.len() - system.len() - 6;
        endless[size] = 0;
        endless[20 + system.len() + 4] = 2;
        assert!(is_writable_by_others(&endless, &[]));
    }
}
