//! The registry: values and keys, as the runs of the capture hold them.

use bootshot_format::Source;
use test_snapshots::{Data, Entry, key_basic, key_value_full, run};

use crate::draft::{Answer, Draft, STATUS_NO_MORE_ENTRIES, bytes_at};

/// `KeyValueFullInformation`.
const VALUE_FULL: u32 = 1;

/// `KEY_VALUE_FULL_INFORMATION`.
const DATA_OFFSET: usize = 0x08;
const DATA_LENGTH: usize = 0x0C;
const NAME_LENGTH: usize = 0x10;
const NAME: usize = 0x14;

/// Where the buffers of what is added stood.
const ADDRESS: u64 = 0x20_0000;

const SESSION_MANAGER: &str = r"\Registry\Machine\System\CurrentControlSet\Control\Session Manager";
const SERVICES: &str = r"\Registry\Machine\System\CurrentControlSet\Services";

/// A service entry.
#[derive(Clone, Copy, Debug)]
pub struct Service<'a> {
    /// Name of its key.
    pub name: &'a str,
    /// `SERVICE_BOOT_START` and so on.
    pub start: u32,
    /// Its image.
    pub image_path: &'a str,
}

/// The answers of a run: where each starts, and its length.
fn values(run: &[u8]) -> Vec<&[u8]> {
    let number = |offset: usize| u32::from_le_bytes(bytes_at(run, offset)) as usize;
    let (mut values, mut start) = (Vec::new(), 0);
    while start < run.len() {
        let length = match number(start + DATA_LENGTH) {
            0 => NAME + number(start + NAME_LENGTH),
            data => number(start + DATA_OFFSET) + data,
        };
        values.push(&run[start..start + length]);
        start = (start + length).next_multiple_of(8);
    }
    values
}

fn name_of(value: &[u8]) -> String {
    let length = u32::from_le_bytes(bytes_at(value, NAME_LENGTH)) as usize;
    let (units, _) = value[NAME..NAME + length].as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    String::from_utf16_lossy(&units)
}

/// Sets a list of the Session Manager.
pub fn set_list(draft: &mut Draft, list: &str, entries: &[&str]) {
    for answer in draft.answers_mut() {
        if answer.source != Source::KEY_VALUES || !answer.name.eq_ignore_ascii_case(SESSION_MANAGER)
        {
            continue;
        }
        let others = values(&answer.bytes).into_iter();
        let others = others.filter(|value| !name_of(value).eq_ignore_ascii_case(list));
        let new = key_value_full(list, Data::Texts(entries));
        answer.bytes = run(others.map(<[u8]>::to_vec).chain([new]));
    }
}

/// Adds the service entry of a driver, written at `written`.
pub fn add_service(draft: &mut Draft, service: Service<'_>, written: i64) {
    const SERVICE_KERNEL_DRIVER: u32 = 1;
    const SERVICE_ERROR_NORMAL: u32 = 1;
    let is_list = |answer: &Answer| {
        answer.source == Source::SUBKEYS && answer.name.eq_ignore_ascii_case(SERVICES)
    };
    let Some(answers) = draft.batch_with(is_list) else {
        return;
    };
    for answer in answers.iter_mut().filter(|answer| is_list(answer)) {
        answer
            .bytes
            .resize(answer.bytes.len().next_multiple_of(8), 0);
        answer.bytes.extend(key_basic(written, service.name));
    }
    let values = [
        ("Type", Data::Number(SERVICE_KERNEL_DRIVER)),
        ("Start", Data::Number(service.start)),
        ("ErrorControl", Data::Number(SERVICE_ERROR_NORMAL)),
        ("ImagePath", Data::Expand(service.image_path)),
    ];
    let values = run(values.map(|(name, data)| key_value_full(name, data)));
    let entry = Entry::new(Source::KEY_VALUES, VALUE_FULL, ADDRESS, &values)
        .named(&format!("{SERVICES}\\{}", service.name))
        .status(STATUS_NO_MORE_ENTRIES);
    answers.push(entry.into());
}
