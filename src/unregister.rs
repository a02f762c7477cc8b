//! `once`: takes our own entry out of the Session Manager's lists after a capture.
//!
//! Best effort: registry writes made this early live in memory until the hives are opened for writing, and a reset
//! before that loses them. The file `done` is the authority, and the companion cleans up for certain.

use crate::nt::access::{KEY_QUERY_VALUE, KEY_SET_VALUE};
use crate::nt::{Handle, Kernel, Owned, Region, Status, units_of};
use crate::own::dword;
use crate::path::Path;
use crate::text;
use bootshot_format::ObjectKind;

/// `KeyValuePartialInformation`: title index, type, length, then the data.
const VALUE_PARTIAL_INFORMATION: u32 = 2;
const TYPE: usize = 4;
const DATA_LENGTH: usize = 8;
const DATA: usize = 12;
const REG_MULTI_SZ: u32 = 7;

const SESSION_MANAGER: &[u8] =
    b"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager";
const LISTS: [&[u8]; 4] = [
    b"BootExecute",
    b"BootExecuteNoPnpSync",
    b"SetupExecute",
    b"SetupExecuteNoPnpSync",
];

/// Takes the entry that smss started us from, which is the whole command line, out of every list.
// Out of line, with a frame of its own: docs/size.md.
#[inline(never)]
pub fn unregister<K: Kernel>(
    kernel: K,
    command_line: &[u16],
    buffer: &mut Region<K>,
) -> Result<(), Status> {
    let mut name = Path::new();
    name.push_ascii(SESSION_MANAGER);
    let key = kernel.open(
        ObjectKind::KEY,
        Handle::NONE,
        name.units(),
        KEY_QUERY_VALUE | KEY_SET_VALUE,
    )?;
    let key = Owned::new(kernel, key);
    for list in &LISTS {
        name.cut(0);
        name.push_ascii(list);
        let list = name.units();
        let room = buffer.length();
        let answer = kernel.query_value_key(
            key.get(),
            list,
            VALUE_PARTIAL_INFORMATION,
            buffer.buffer(room),
        );
        let bytes = buffer.bytes();
        // A list that is missing, too long or of another type is none of our business.
        if !answer.status.is_success() || dword(bytes, TYPE) != REG_MULTI_SZ {
            continue;
        }
        let length = dword(bytes, DATA_LENGTH) as usize;
        let units = units_of(buffer, (DATA + length) / 2)
            .get(DATA / 2..)
            .unwrap_or(&[]);
        let Some((start, end)) = place_of(units, command_line) else {
            continue;
        };
        // The rest moves down over the entry.
        let Some(data) = buffer.bytes_mut().get_mut(DATA..DATA + length) else {
            continue;
        };
        let gap = (end - start) * 2;
        let left = data.len() - gap;
        for place in start * 2..left {
            let Some([to, .., from]) = data.get_mut(place..=place + gap) else {
                break;
            };
            *to = *from;
        }
        let left = data.get(..left).unwrap_or_default();
        kernel
            .set_value_key(key.get(), list, REG_MULTI_SZ, left)
            .ok()?;
    }
    Ok(())
}

/// Where `entry` stands among the strings of a list, with the zero behind it; case does not matter to smss.
fn place_of(list: &[u16], entry: &[u16]) -> Option<(usize, usize)> {
    let mut start = 0;
    while let Some(length) = list.get(start..)?.iter().position(|unit| *unit == 0) {
        if length == 0 {
            return None;
        }
        let end = start + length + 1;
        if is_same(list.get(start..start + length)?, entry) {
            return Some((start, end));
        }
        start = end;
    }
    None
}

fn is_same(left: &[u16], right: &[u16]) -> bool {
    let mut pairs = left.iter().zip(right);
    left.len() == right.len()
        && pairs.all(|(left, right)| text::lower(*left) == text::lower(*right))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn only_the_whole_entry_is_found_and_in_any_case() {
        let list = wide("autocheck autochk *\0BootShot once\0bootshot once more\0\0");
        assert_eq!(place_of(&list, &wide("bootshot once")), Some((20, 34)));
        assert_eq!(place_of(&list, &wide("bootshot")), None);
        assert_eq!(place_of(&list, &wide("")), None);
    }

    #[test]
    fn damaged_lists_are_survived() {
        for list in ["", "\0", "bootshot", "a\0bootshot"] {
            assert_eq!(place_of(&wide(list), &wide("bootshot")), None, "{list:?}");
        }
        assert_eq!(
            place_of(&wide("bootshot\0"), &wide("bootshot")),
            Some((0, 9))
        );
    }
}
