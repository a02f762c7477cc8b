//! What single processes told of themselves, gathered by process.

use std::collections::BTreeMap;
use std::sync::Arc;

use bootshot_format::{MemoryKind, Source};

use super::processes::Texts;
use crate::decode::{self, Protection, Sid};
use crate::error::Problem;
use crate::layout::structures::{
    PROCESS_TELEMETRY_ID_INFORMATION, RTL_USER_PROCESS_PARAMETERS, UNICODE_STRING,
};
use crate::layout::{Structure, UnicodeString, View};
use crate::snapshot::{Answer, Snapshot};
use crate::value::utf16;

/// `PROCESSINFOCLASS`.
mod class {
    pub const WOW64: u32 = 26;
    pub const IMAGE_FILE_NAME: u32 = 27;
    pub const COMMAND_LINE: u32 = 60;
    pub const PROTECTION: u32 = 61;
    pub const TELEMETRY_ID: u32 = 64;
}

/// `TOKEN_INFORMATION_CLASS`.
mod token_class {
    pub const USER: u32 = 1;
    pub const INTEGRITY_LEVEL: u32 = 25;
}

/// A process of one boot: its id and creation time.
pub(super) type Key = (u64, u64);

/// What one process told.
#[derive(Default)]
pub(super) struct Details {
    pub image_path: Option<Arc<str>>,
    pub command_line: Option<Arc<str>>,
    pub protection: Option<Protection>,
    pub wow64: Option<bool>,
    pub user: Option<Sid>,
    pub integrity: Option<Sid>,
    pub sequence_number: Option<u64>,
}

/// The details of every process that told any. Each problem goes to `tell`.
pub(super) fn details(
    snapshot: &Snapshot<'_>,
    texts: &mut Texts,
    mut tell: impl FnMut(Problem),
) -> BTreeMap<Key, Details> {
    let problems = &mut Vec::new();
    let mut by_process: BTreeMap<Key, Details> = BTreeMap::new();
    let mut memory: BTreeMap<Key, Vec<Answer<'_>>> = BTreeMap::new();
    let of_processes = [
        Source::PROCESS_INFORMATION,
        Source::TOKEN_INFORMATION,
        Source::PROCESS_MEMORY,
    ];
    let answers = snapshot.answers_from_any(&of_processes);
    for answer in answers.filter(Answer::succeeded) {
        let key = (answer.argument, answer.argument2);
        match answer.source {
            Source::PROCESS_INFORMATION => {
                let details = by_process.entry(key).or_default();
                process_information(&answer, details, texts, problems);
            }
            Source::TOKEN_INFORMATION => {
                let details = by_process.entry(key).or_default();
                let sid = match answer.class {
                    token_class::USER => &mut details.user,
                    token_class::INTEGRITY_LEVEL => &mut details.integrity,
                    _ => continue,
                };
                *sid = answer.decode(problems, decode::sid_and_attributes);
            }
            Source::PROCESS_MEMORY => memory.entry(key).or_default().push(answer),
            _ => {}
        }
        problems.drain(..).for_each(&mut tell);
    }
    for (key, ranges) in memory {
        let details = by_process.entry(key).or_default();
        if details.command_line.is_none() {
            details.command_line = command_line_in(&ranges);
        }
    }
    by_process
}

fn process_information(
    answer: &Answer<'_>,
    details: &mut Details,
    texts: &mut Texts,
    problems: &mut Vec<Problem>,
) {
    use PROCESS_TELEMETRY_ID_INFORMATION as TelemetryId;

    match answer.class {
        class::WOW64 => {
            // The address of the 32-bit PEB, where there is one.
            details.wow64 = Some(answer.bytes.iter().any(|byte| *byte != 0));
        }
        class::IMAGE_FILE_NAME => {
            let path = string_answer(answer, "image path", problems);
            let path = path.filter(|path| !path.is_empty());
            details.image_path = path.map(|path| texts.once(path));
        }
        class::COMMAND_LINE => {
            details.command_line = string_answer(answer, "command line", problems);
        }
        class::PROTECTION => details.protection = answer.decode(problems, decode::protection),
        class::TELEMETRY_ID => {
            let Some(id) = answer.decode(problems, decode::telemetry_id) else {
                return;
            };
            details.sequence_number = id.fixed.get(TelemetryId::ProcessSequenceNumber);
            let image_path = id.image_path.map(|path| texts.once(path));
            details.image_path = details.image_path.take().or(image_path);
            details.command_line = details.command_line.take().or(id.command_line);
            details.user = details.user.take().or(id.user);
        }
        _ => {}
    }
}

/// A `UNICODE_STRING` followed by its characters.
pub(super) fn string_answer(
    answer: &Answer<'_>,
    what: &'static str,
    problems: &mut Vec<Problem>,
) -> Option<Arc<str>> {
    answer.decode(problems, |buffer, problems| {
        let size = UNICODE_STRING::SIZE.at(buffer.width());
        let view = buffer.expect::<UNICODE_STRING>(0, size, problems)?;
        let string = UnicodeString {
            length: view.get(UNICODE_STRING::Length)?,
            maximum_length: view.get(UNICODE_STRING::MaximumLength)?,
            buffer: view.get(UNICODE_STRING::Buffer)?,
        };
        buffer.string(string, what, 0, problems)
    })
}

/// The command line in pieces of the process's memory, from systems that have no class for it.
fn command_line_in(ranges: &[Answer<'_>]) -> Option<Arc<str>> {
    let parameters = ranges
        .iter()
        .find(|range| range.class == MemoryKind::PROCESS_PARAMETERS.0)?
        .buffer();
    let view = View::<RTL_USER_PROCESS_PARAMETERS>::new(parameters.bytes(), parameters.width());
    let string = view.get(RTL_USER_PROCESS_PARAMETERS::CommandLine)?;
    let characters = ranges
        .iter()
        .find_map(|range| range.buffer().at(string.buffer, string.length.into()))?;
    Some(utf16(characters).into())
}
