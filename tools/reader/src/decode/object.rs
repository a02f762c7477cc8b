//! An object that the capture opened: what it told of itself.

use bootshot_format::ObjectHeader;

use super::buffer::Buffer;
use crate::error::Problem;
use crate::layout::View;
use crate::layout::structures::OBJECT_BASIC_INFORMATION;

/// An object's basic information and security descriptor, each with the status of asking for it.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    /// `NTSTATUS` of `NtQueryObject`, `ObjectBasicInformation`.
    pub basic_status: u32,
    /// The basic information; none when it was refused.
    pub basic: Option<View<'a, OBJECT_BASIC_INFORMATION>>,
    /// `NTSTATUS` of `NtQuerySecurityObject`.
    pub security_status: u32,
    /// The self-relative security descriptor: owner, group and DACL; empty when it was refused.
    pub security: &'a [u8],
}

/// Reads the bytes of an object item.
pub fn object<'a>(buffer: &Buffer<'a>, problems: &mut Vec<Problem>) -> Option<Object<'a>> {
    let bytes = buffer.bytes();
    let Some(header) = bytes.first_chunk().map(ObjectHeader::decode) else {
        problems.push(Problem::new(
            "object",
            0,
            format!("{} bytes", ObjectHeader::SIZE),
            format!("{} bytes", bytes.len()),
        ));
        return None;
    };
    let mut offset = ObjectHeader::SIZE;
    let mut part = |what, length: u32| {
        let rest = buffer.from(offset);
        let length = length as usize;
        if length > rest.len() {
            problems.push(Problem::new(
                what,
                offset,
                format!("{length} bytes"),
                format!("{} bytes", rest.len()),
            ));
        }
        let part = &rest[..length.min(rest.len())];
        offset += part.len();
        part
    };
    let basic = part("OBJECT_BASIC_INFORMATION", header.basic_length);
    let security = part("security descriptor", header.security_length);
    Some(Object {
        basic_status: header.basic_status,
        basic: (!basic.is_empty()).then(|| View::new(basic, buffer.width())),
        security_status: header.security_status,
        security,
    })
}
