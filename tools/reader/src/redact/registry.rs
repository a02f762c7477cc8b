//! Keys and values of the registry.

use super::addresses::Meaning;
use super::command_line::{arguments_of, is_blank};
use super::copy::Copy;
use super::words::Characters;
use crate::layout::structures::{
    KEY_BASIC_INFORMATION, KEY_VALUE_FULL_INFORMATION, KEY_VALUE_PARTIAL_INFORMATION,
};
use crate::records;
use crate::snapshot::Answer;
use crate::value::utf16;

const REG_SZ: u64 = 1;
const REG_EXPAND_SZ: u64 = 2;
const REG_BINARY: u64 = 3;
const REG_DWORD: u64 = 4;
const REG_DWORD_BIG_ENDIAN: u64 = 5;
const REG_LINK: u64 = 6;
const REG_MULTI_SZ: u64 = 7;
const REG_QWORD: u64 = 11;

/// Where the next answer of a run starts.
const ALIGNMENT: usize = 8;

/// Values that hold an image with its arguments, or nothing but a command line.
const COMMAND_LINES: [&str; 3] = ["imagepath", "cmdline", "failurecommand"];

/// Ends of paths below which values are what their names say.
const ENVIRONMENT: &str = "\\session manager\\environment";
const GROUP_ORDER: &str = "\\grouporderlist";
/// The stored policy of the Windows Filtering Platform.
const FILTERING_POLICY: &str = "\\bfe\\parameters\\policy\\";

/// Whether the values of the key with this path, in lower case, are variables of an environment.
pub(crate) fn is_environment(path: &str) -> bool {
    path.ends_with(ENVIRONMENT)
}

/// Whether values of this name hold command lines.
pub(crate) fn is_command_line(name: &str) -> bool {
    COMMAND_LINES
        .iter()
        .any(|line| name.eq_ignore_ascii_case(line))
}

/// One answer of `NtQueryValueKey`.
pub(super) fn value(answer: &Answer<'_>, copy: &mut Copy<'_, '_>) -> bool {
    use KEY_VALUE_FULL_INFORMATION as Full;
    use KEY_VALUE_PARTIAL_INFORMATION as Partial;

    let width = copy.width();
    let path = answer.name();
    match answer.class {
        1 => {
            full(&path, 0, copy);
        }
        2 => {
            let start = Partial::Data.offset.at(width);
            copy.structure::<Partial>(0, start);
            let length = copy.number(Partial::DataLength.offset.at(width), 4) as usize;
            let value_type = copy.number(Partial::Type.offset.at(width), 4);
            data(&path, &answer.value_name(), value_type, start, length, copy);
        }
        _ => return false,
    }
    copy.bytes().len() >= Full::Type.offset.at(width) + 4
}

/// A run of `NtEnumerateValueKey`.
pub(super) fn values(answer: &Answer<'_>, copy: &mut Copy<'_, '_>) -> bool {
    let path = answer.name();
    let mut offset = 0;
    while offset < copy.bytes().len() {
        match full(&path, offset, copy) {
            Some(end) => offset = end.next_multiple_of(ALIGNMENT),
            None => break,
        }
    }
    true
}

/// A `KEY_VALUE_FULL_INFORMATION`; gives where it ends.
fn full(path: &str, offset: usize, copy: &mut Copy<'_, '_>) -> Option<usize> {
    use KEY_VALUE_FULL_INFORMATION as Full;

    let width = copy.width();
    let name = Full::Name.offset.at(width);
    if copy.rest(offset).len() < name {
        return None;
    }
    let number = |copy: &Copy<'_, '_>, field: usize| copy.number(offset + field, 4) as usize;
    let name_length = number(copy, Full::NameLength.offset.at(width));
    let length = number(copy, Full::DataLength.offset.at(width));
    let distance = number(copy, Full::DataOffset.offset.at(width));
    copy.structure::<Full>(offset, name);
    let text = copy.rest(offset + name).get(..name_length)?;
    copy.text(offset + name, name_length);
    let end = offset + name + name_length;
    if length == 0 {
        return Some(end);
    }
    let start = offset.saturating_add(distance);
    let value_type = copy.number(offset + Full::Type.offset.at(width), 4);
    if start < end {
        return None;
    }
    data(path, &utf16(text), value_type, start, length, copy);
    copy.rest(start).get(..length).map(|_| start + length)
}

fn data(
    path: &str,
    name: &str,
    value_type: u64,
    start: usize,
    length: usize,
    copy: &mut Copy<'_, '_>,
) {
    let length = length.min(copy.rest(start).len());
    let path = path.to_ascii_lowercase();
    let is_environment = is_environment(&path);
    match value_type {
        REG_SZ | REG_EXPAND_SZ | REG_LINK | REG_MULTI_SZ => {
            let text = utf16(&copy.rest(start)[..length]);
            if copy.secrets.learning {
                copy.secrets.words.learn_named(name, &text);
                copy.secrets.words.learn_paths(&text);
                copy.secrets.variables += u64::from(is_environment);
            }
            copy.text(start, length);
            if is_environment && !copy.secrets.keep.environment {
                copy.remove_text(start, length, |_| false);
            } else if is_command_line(name) && !copy.secrets.keep.command_lines {
                let (image, arguments) = text.split_at(arguments_of(&text));
                let image = image.encode_utf16().count() * 2;
                if !arguments.trim_matches(['\0', ' ']).is_empty() {
                    copy.secrets.count_command_line();
                    // While all of it is there: the image may end inside of a name that has a blank.
                    copy.scrub(start..start + length, Characters::Utf16);
                    copy.remove_text(start + image, length - image, is_blank);
                }
            }
        }
        REG_DWORD | REG_DWORD_BIG_ENDIAN if length == 4 => copy.numbers(start, length),
        REG_QWORD if length == 8 => {
            let number = copy.number(start, length);
            copy.numbers(start, length);
            if copy.width().bytes() == length && copy.secrets.addresses.is_of_kernel(number) {
                copy.pointer(start, Meaning::Any);
            }
        }
        // How many, and their tags.
        REG_BINARY if path.ends_with(GROUP_ORDER) => copy.numbers(start, length),
        REG_BINARY if path.contains(FILTERING_POLICY) => {
            for part in records::filtering_object_parts(&copy.rest(start)[..length]) {
                copy.text(start + part.start, part.len());
            }
        }
        // What only the program knows that wrote it.
        _ => copy.secrets.count_dropped(length),
    }
}

/// A run of `NtEnumerateKey`.
pub(super) fn subkeys(copy: &mut Copy<'_, '_>) -> bool {
    use KEY_BASIC_INFORMATION as Basic;

    let width = copy.width();
    let name = Basic::Name.offset.at(width);
    let mut offset = 0;
    while copy.rest(offset).len() >= name {
        copy.structure::<Basic>(offset, name);
        let length = copy.number(offset + Basic::NameLength.offset.at(width), 4) as usize;
        let start = offset + name;
        if copy.rest(start).len() < length {
            break;
        }
        copy.text(start, length);
        offset = (start + length).next_multiple_of(ALIGNMENT);
    }
    true
}
