//! Security identifiers.

use std::fmt;

use super::buffer::Buffer;
use crate::error::Problem;
use crate::layout::structures::{SID, SID_AND_ATTRIBUTES};
use crate::layout::{PointerWidth, View};

/// The most subauthorities an identifier can have.
const MAXIMUM_SUB_AUTHORITIES: usize = 15;

/// A security identifier.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Sid {
    /// Who gave it out.
    pub authority: u64,
    /// The path from the authority to the account.
    pub sub_authorities: Vec<u32>,
}

impl fmt::Display for Sid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "S-1-{}", self.authority)?;
        self.sub_authorities
            .iter()
            .try_for_each(|part| write!(formatter, "-{part}"))
    }
}

/// The identifier that `bytes` begin with.
pub(super) fn sid(bytes: &[u8], offset: usize, problems: &mut Vec<Problem>) -> Option<Sid> {
    // The layout does not depend on the pointer width.
    let width = PointerWidth::Bits64;
    let view = View::<SID>::new(bytes, width);
    let parts = || {
        let revision = view.get(SID::Revision)?;
        let count = usize::from(view.get(SID::SubAuthorityCount)?);
        let authority = view.get(SID::IdentifierAuthority)?;
        let start = SID::SubAuthority.offset.at(width);
        let sub_authorities = bytes.get(start..start + count * 4)?;
        (revision == 1 && count <= MAXIMUM_SUB_AUTHORITIES).then(|| Sid {
            // Big-endian, unlike everything else.
            authority: authority
                .iter()
                .fold(0, |value, byte| value << 8 | u64::from(*byte)),
            sub_authorities: sub_authorities
                .as_chunks::<4>()
                .0
                .iter()
                .map(|part| u32::from_le_bytes(*part))
                .collect(),
        })
    };
    let sid = parts();
    if sid.is_none() {
        problems.push(Problem::new(
            "SID",
            offset,
            "a security identifier of revision 1",
            format!("{} bytes that are none", bytes.len()),
        ));
    }
    sid
}

/// `TOKEN_USER` and `TOKEN_MANDATORY_LABEL`: an identifier behind a pointer.
pub fn sid_and_attributes(buffer: &Buffer<'_>, problems: &mut Vec<Problem>) -> Option<Sid> {
    let size = SID_AND_ATTRIBUTES::Attributes.offset.at(buffer.width());
    let view = buffer.expect::<SID_AND_ATTRIBUTES>(0, size, problems)?;
    let pointer = view.get(SID_AND_ATTRIBUTES::Sid)?;
    let start = pointer
        .checked_sub(buffer.address())
        .and_then(|start| usize::try_from(start).ok())
        .unwrap_or(usize::MAX);
    sid(buffer.from(start), 0, problems)
}
