//! Security descriptors in the security descriptor definition language (SDDL, [MS-DTYP] 2.5.1).

use std::fmt::Write;

use super::security::sid;
use crate::layout::structures::{
    ACCESS_ALLOWED_ACE, ACE_HEADER, ACL, SECURITY_DESCRIPTOR_RELATIVE,
};
use crate::layout::{PointerWidth, Structure, View};

/// The layout does not depend on the pointer width.
const WIDTH: PointerWidth = PointerWidth::Bits64;

/// Bits of the descriptor's control word.
mod control {
    pub const DACL_PRESENT: u16 = 0x0004;
    pub const DACL_AUTO_INHERIT_REQUIRED: u16 = 0x0100;
    pub const DACL_AUTO_INHERITED: u16 = 0x0400;
    pub const DACL_PROTECTED: u16 = 0x1000;
}

/// The kinds of entry that are a mask and an identifier: they alone are written out.
const PLAIN_ACES: [(u8, &str); 3] = [(0, "A"), (1, "D"), (17, "ML")];

const ACE_FLAGS: [(u8, &str); 7] = [
    (0x01, "OI"),
    (0x02, "CI"),
    (0x04, "NP"),
    (0x08, "IO"),
    (0x10, "ID"),
    (0x40, "SA"),
    (0x80, "FA"),
];

/// Owner, group and DACL of a self-relative security descriptor, as SDDL with rights in hexadecimal and identifiers in full;
/// none when the bytes are no such descriptor. An entry of a kind without a plain form is `(OTHER;type)`.
pub fn security_descriptor(bytes: &[u8]) -> Option<String> {
    use SECURITY_DESCRIPTOR_RELATIVE as Descriptor;

    let view = View::<Descriptor>::new(bytes, WIDTH);
    let control = view.get(Descriptor::Control)?;
    let dacl = view.get(Descriptor::Dacl)?;
    if view.get(Descriptor::Revision)? != 1 {
        return None;
    }
    let mut text = String::new();
    for (letter, field) in [("O", Descriptor::Owner), ("G", Descriptor::Group)] {
        let offset = view.get(field)?;
        if offset != 0 {
            let bytes = bytes.get(offset as usize..)?;
            let identifier = sid(bytes, 0, &mut Vec::new())?;
            write!(text, "{letter}:{identifier}").ok()?;
        }
    }
    if control & control::DACL_PRESENT != 0 {
        text.push_str("D:");
        for (bit, name) in [
            (control::DACL_PROTECTED, "P"),
            (control::DACL_AUTO_INHERIT_REQUIRED, "AR"),
            (control::DACL_AUTO_INHERITED, "AI"),
        ] {
            if control & bit != 0 {
                text.push_str(name);
            }
        }
        if dacl == 0 {
            // Without a list, everybody may do everything; with an empty one, nobody anything.
            text.push_str("NO_ACCESS_CONTROL");
        } else {
            entries(bytes.get(dacl as usize..)?, &mut text)?;
        }
    }
    Some(text)
}

fn entries(bytes: &[u8], text: &mut String) -> Option<()> {
    let list = View::<ACL>::new(bytes, WIDTH);
    let size = usize::from(list.get(ACL::AclSize)?);
    let mut rest = bytes.get(ACL::SIZE.at(WIDTH)..size)?;
    for _ in 0..list.get(ACL::AceCount)? {
        let header = View::<ACE_HEADER>::new(rest, WIDTH);
        let ace_type = header.get(ACE_HEADER::AceType)?;
        let size = usize::from(header.get(ACE_HEADER::AceSize)?);
        let ace = rest.get(..size.max(ACE_HEADER::SIZE.at(WIDTH)))?;
        rest = &rest[ace.len()..];
        let Some((_, kind)) = PLAIN_ACES.iter().find(|(number, _)| *number == ace_type) else {
            write!(text, "(OTHER;{ace_type})").ok()?;
            continue;
        };
        let mask = View::<ACCESS_ALLOWED_ACE>::new(ace, WIDTH).get(ACCESS_ALLOWED_ACE::Mask)?;
        let start = ACCESS_ALLOWED_ACE::SidStart.offset.at(WIDTH);
        let identifier = sid(ace.get(start..)?, 0, &mut Vec::new())?;
        write!(text, "({kind};").ok()?;
        let flags = header.get(ACE_HEADER::AceFlags)?;
        for (bit, name) in ACE_FLAGS {
            if flags & bit != 0 {
                text.push_str(name);
            }
        }
        write!(text, ";{mask:#x};;;{identifier})").ok()?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSTEM: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
    const EVERYONE: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];

    fn ace(ace_type: u8, flags: u8, mask: u32) -> Vec<u8> {
        let mut ace = vec![ace_type, flags, 20, 0];
        ace.extend(mask.to_le_bytes());
        ace.extend(EVERYONE);
        ace
    }

    /// Owner and group SYSTEM, and this list.
    fn descriptor(control: u16, aces: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = vec![1, 0];
        bytes.extend((0x8000 | control).to_le_bytes());
        for offset in [20_u32, 20, 0, 32] {
            bytes.extend(offset.to_le_bytes());
        }
        bytes.extend(SYSTEM);
        let aces_length: usize = aces.iter().map(Vec::len).sum();
        bytes.extend([2, 0]);
        bytes.extend((8 + aces_length as u16).to_le_bytes());
        bytes.extend((aces.len() as u32).to_le_bytes());
        bytes.extend(aces.concat());
        bytes
    }

    #[test]
    fn owner_group_and_entries_are_written_out() {
        let bytes = descriptor(0x1004, &[ace(0, 3, 0x1F_0003), ace(1, 0, 2), ace(5, 0, 1)]);
        assert_eq!(
            security_descriptor(&bytes).as_deref(),
            Some("O:S-1-5-18G:S-1-5-18D:P(A;OICI;0x1f0003;;;S-1-1-0)(D;;0x2;;;S-1-1-0)(OTHER;5)")
        );
    }

    #[test]
    fn no_list_is_told_from_an_empty_one() {
        let mut none = descriptor(4, &[]);
        none[16..20].fill(0);
        let text = security_descriptor(&none);
        assert_eq!(
            text.as_deref(),
            Some("O:S-1-5-18G:S-1-5-18D:NO_ACCESS_CONTROL")
        );
        let empty = security_descriptor(&descriptor(4, &[]));
        assert_eq!(empty.as_deref(), Some("O:S-1-5-18G:S-1-5-18D:"));
    }

    #[test]
    fn a_descriptor_that_is_cut_short_is_none() {
        let bytes = descriptor(4, &[ace(0, 0, 1)]);
        for length in 0..bytes.len() {
            assert_eq!(security_descriptor(&bytes[..length]), None, "{length}");
        }
    }
}
