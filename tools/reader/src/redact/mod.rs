//! Makes a snapshot that can be shown to others: without what tells where the kernel is, who uses the machine, and with
//! what arguments programs were started.
//!
//! Nothing is struck out of a copy: the new file is built from the parts of each answer whose meaning is known (numbers,
//! addresses, text, identifiers), and what nobody interprets is not in it. Then everything that was learned to be a name
//! is looked for in all of it once more. Lengths stay, so that every offset does.

mod addresses;
mod answers;
mod command_line;
mod copy;
mod firmware;
mod identifiers;
mod keyed;
mod registry;
mod servers;
mod vocabulary;
mod words;

use bootshot_format::{
    Encoding, FinishedBy, Header, ItemHeader, NoteKind, Outcome, Presence, REDACTED,
    REDACTED_ADDRESSES, REDACTED_COMMAND_LINES, REDACTED_ENVIRONMENT, REDACTED_USERS, SectionBegin,
    SectionEnd, Sink, Source, Trailer, Writer, padded, xxh64,
};
use serde::{Serialize, Serializer};

use crate::error::ReadError;
use crate::layout::PointerWidth;
use crate::salvage::NOTHING_TOLD;
use crate::snapshot::{Answer, Condition, Section, Snapshot};
use addresses::{Addresses, Meaning};
pub(crate) use command_line::arguments_of;
use copy::Copy;
use identifiers::Identifiers;
use keyed::Keyed;
pub(crate) use registry::{is_command_line, is_environment};
use words::{Characters, REMOVED, SHORTEST_AMONG_BYTES, SHORTEST_AMONG_UNITS, Words};

/// What stays in the snapshot; nothing of it by default.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Keep {
    /// Addresses of the kernel, of modules and of objects.
    pub addresses: bool,
    /// Names of users, machines and domains, and security identifiers.
    pub users: bool,
    /// Command lines.
    pub command_lines: bool,
    /// Environments.
    pub environment: bool,
}

/// What was removed from a snapshot, as its header tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Redaction {
    /// Addresses of the kernel are pseudonyms.
    pub addresses: bool,
    /// Names of users, machines and domains, and security identifiers are pseudonyms.
    pub users: bool,
    /// Command lines were removed.
    pub command_lines: bool,
    /// Environments were removed.
    pub environment: bool,
}

impl Redaction {
    /// What a header tells; none of a snapshot that is as it was taken.
    pub fn of(header: &Header) -> Option<Self> {
        let has = |bit| header.compatible_features & bit != 0;
        has(REDACTED).then(|| Self {
            addresses: has(REDACTED_ADDRESSES),
            users: has(REDACTED_USERS),
            command_lines: has(REDACTED_COMMAND_LINES),
            environment: has(REDACTED_ENVIRONMENT),
        })
    }

    /// What was removed from one of two snapshots, and not from the other.
    pub(crate) fn of_one_only(headers: [&Header; 2]) -> Self {
        let [one, other] = headers.map(|header| Self::of(header).unwrap_or_default());
        Self {
            addresses: one.addresses != other.addresses,
            users: one.users != other.users,
            command_lines: one.command_lines != other.command_lines,
            environment: one.environment != other.environment,
        }
    }

    /// What was removed, as JSON names it.
    pub fn names(&self) -> Vec<&'static str> {
        let all = [
            (self.addresses, "addresses"),
            (self.users, "users"),
            (self.command_lines, "command_lines"),
            (self.environment, "environment"),
        ];
        let removed = all.into_iter().filter(|(removed, _)| *removed);
        removed.map(|(_, name)| name).collect()
    }
}

impl Serialize for Redaction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.names().serialize(serializer)
    }
}

/// A snapshot from which things were removed, and how many.
#[derive(Debug)]
pub struct Redacted {
    /// The new snapshot.
    pub file: Vec<u8>,
    /// Different addresses that have a pseudonym now.
    pub addresses: u64,
    /// Names of users, machines and domains.
    pub names: u64,
    /// Security identifiers.
    pub identifiers: u64,
    /// Command lines and arguments.
    pub command_lines: u64,
    /// Variables of environments.
    pub variables: u64,
    /// Answers that this program does not interpret; their length is kept, their bytes are not.
    pub dropped_answers: u64,
    /// Bytes of those, and of the parts of others that nobody interprets.
    pub dropped_bytes: u64,
    /// Sections that were damaged: what was asked is kept, the bytes are not.
    pub damaged_sections: u64,
    /// Whether the old file was cut short or damaged; the new one is sound.
    pub was_damaged: bool,
}

/// Where a string stood: whose memory it was, its first address and the one behind it.
type Place = ((u32, u64, u64), u64, u64);

/// What is known of the things that are to go.
struct Secrets {
    keep: Keep,
    learning: bool,
    addresses: Addresses,
    identifiers: Identifiers,
    words: Words,
    /// Where process parameters say that command lines stand, and other strings.
    command_line_places: Vec<Place>,
    texts: Vec<Place>,
    command_lines: u64,
    variables: u64,
    dropped_bytes: u64,
}

impl Secrets {
    fn new(width: PointerWidth, keep: Keep, keyed: &Keyed) -> Self {
        Self {
            keep,
            learning: true,
            addresses: Addresses::new(width, keep.addresses),
            identifiers: Identifiers::new(keyed.clone()),
            words: Words::new(!keep.users, !keep.command_lines),
            command_line_places: Vec::new(),
            texts: Vec::new(),
            command_lines: 0,
            variables: 0,
            dropped_bytes: 0,
        }
    }

    const fn count_command_line(&mut self) {
        self.command_lines += self.learning as u64;
    }

    const fn count_dropped(&mut self, bytes: usize) {
        if self.learning {
            self.dropped_bytes += bytes as u64;
        }
    }

    fn settle(&mut self, keyed: &Keyed) {
        self.learning = false;
        self.addresses.settle(keyed);
        self.words.settle(keyed);
    }

    /// Replaces what is known in bytes that are text.
    fn scrub_text(&mut self, bytes: &mut [u8], replaced: &mut [bool], characters: Characters) {
        if !self.learning {
            self.scrub_words(bytes, replaced, characters, 0);
        }
    }

    fn scrub_words(
        &mut self,
        bytes: &mut [u8],
        replaced: &mut [bool],
        characters: Characters,
        shortest: usize,
    ) {
        let (identifiers, addresses) = (&mut self.identifiers, &self.addresses);
        self.words.scrub(
            bytes,
            replaced,
            characters,
            shortest,
            identifiers,
            addresses,
        );
    }

    /// Replaces what is known in bytes of any kind, at any place, but what was `replaced` already.
    fn scrub(&mut self, bytes: &mut [u8], replaced: &mut [bool]) {
        if self.learning {
            return;
        }
        for start in 0..2 {
            if let (Some(text), Some(replaced)) =
                (bytes.get_mut(start..), replaced.get_mut(start..))
            {
                self.scrub_words(text, replaced, Characters::Utf16, SHORTEST_AMONG_UNITS);
            }
        }
        self.scrub_words(bytes, replaced, Characters::Bytes, SHORTEST_AMONG_BYTES);
        let identifiers = &mut self.identifiers;
        if !self.keep.users {
            identifiers.scrub(bytes);
        }
    }
}

/// Makes a snapshot of `file` without what is not to be kept. What stands for one thing is the same everywhere in it, and
/// in every snapshot redacted with the same `key`.
///
/// # Errors
///
/// When the bytes do not start with a sound header of a version this reader knows.
pub fn redact(file: &[u8], key: &[u8], keep: Keep) -> Result<Redacted, ReadError> {
    let snapshot = Snapshot::parse(file)?;
    let keyed = Keyed::new(key);
    let mut secrets = Secrets::new(snapshot.width(), keep, &keyed);
    // Places of strings are learned from process parameters, which need not stand before them.
    for _ in 0..2 {
        (secrets.command_lines, secrets.variables) = (0, 0);
        secrets.dropped_bytes = 0;
        for section in &snapshot.sections {
            Redactor::new(&snapshot, &mut secrets).learn(section);
        }
    }
    secrets.settle(&keyed);
    let mut redactor = Redactor::new(&snapshot, &mut secrets);
    let was_damaged = is_damaged(&snapshot);
    let file = match redactor.write(was_damaged) {
        Ok(file) => file,
        Err(never) => match never {},
    };
    let (dropped_answers, dropped) = (redactor.dropped_answers, redactor.dropped_bytes);
    let damaged_sections = redactor.damaged_sections;
    let is_removed = |kept: bool, count: u64| if kept { 0 } else { count };
    Ok(Redacted {
        file,
        addresses: secrets.addresses.count(),
        names: secrets.words.count(),
        identifiers: secrets.identifiers.count(),
        command_lines: is_removed(keep.command_lines, secrets.command_lines),
        variables: is_removed(keep.environment, secrets.variables),
        dropped_answers,
        dropped_bytes: dropped + secrets.dropped_bytes,
        damaged_sections,
        was_damaged,
    })
}

fn is_damaged(snapshot: &Snapshot<'_>) -> bool {
    let is_whole = |section: &Section<'_>| {
        let has_all = |end: SectionEnd| end.items as usize == section.payload.item_count();
        section.condition == Condition::Intact && section.end.is_some_and(has_all)
    };
    snapshot.trailer.is_none()
        || !snapshot.problems.is_empty()
        || !snapshot.sections.iter().all(is_whole)
}

/// The bytes of the new file.
struct Bytes(Vec<u8>);

impl Sink for Bytes {
    type Error = std::convert::Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// An answer as it is to stand in the new file.
struct Replaced {
    arguments: (u64, u64),
    outcome: Outcome,
    returned_length: u64,
    address: u64,
    name: Vec<u8>,
    value_name: Vec<u8>,
    bytes: Vec<u8>,
}

struct Redactor<'s> {
    snapshot: &'s Snapshot<'s>,
    secrets: &'s mut Secrets,
    dropped_answers: u64,
    dropped_bytes: u64,
    damaged_sections: u64,
}

impl<'s> Redactor<'s> {
    const fn new(snapshot: &'s Snapshot<'s>, secrets: &'s mut Secrets) -> Self {
        Self {
            snapshot,
            secrets,
            dropped_answers: 0,
            dropped_bytes: 0,
            damaged_sections: 0,
        }
    }

    fn learn(&mut self, section: &Section<'s>) {
        for text in [section.name(), section.value_name()] {
            self.secrets.words.learn_paths(&text);
        }
        if section.condition != Condition::Damaged {
            for answer in self.snapshot.answers_in(section) {
                self.answer(&answer);
            }
        }
    }

    fn write(&mut self, was_damaged: bool) -> Result<Vec<u8>, std::convert::Infallible> {
        let header = self.header();
        let mut writer = Writer::new(Bytes(Vec::new()), header)?;
        for section in &self.snapshot.sections {
            self.section(section, &mut writer)?;
        }
        let finished_by = |trailer: Trailer| match was_damaged {
            true => FinishedBy::SALVAGE,
            false => trailer.finished_by,
        };
        let nothing_told = Trailer {
            system_time: 0,
            interrupt_time: 0,
            performance_counter: 0,
            csrss_at_end: Presence::UNKNOWN,
            finished_by: FinishedBy::SALVAGE,
            index_entries: 0,
        };
        let trailer = self.snapshot.trailer.unwrap_or(nothing_told);
        writer.trailer(Trailer {
            finished_by: finished_by(trailer),
            ..trailer
        })?;
        let mut file = std::mem::take(&mut writer.sink().0);
        // The writer puts its own version there; the layout of the older one is the same, and what it means is told by it.
        let mut sealed = header.encode();
        let checksum = xxh64(&sealed[..Header::SIZE - 8]).to_le_bytes();
        sealed[Header::SIZE - 8..].copy_from_slice(&checksum);
        file[..Header::SIZE].copy_from_slice(&sealed);
        Ok(file)
    }

    fn header(&self) -> Header {
        let old = self.snapshot.header;
        let keep = self.secrets.keep;
        let mut features = old.compatible_features | REDACTED;
        for (kept, bit) in [
            (keep.addresses, REDACTED_ADDRESSES),
            (keep.users, REDACTED_USERS),
            (keep.command_lines, REDACTED_COMMAND_LINES),
            (keep.environment, REDACTED_ENVIRONMENT),
        ] {
            features |= if kept { 0 } else { bit };
        }
        Header {
            compatible_features: features,
            checksum: 0,
            ..old
        }
    }

    fn section(
        &mut self,
        section: &Section<'s>,
        writer: &mut Writer<Bytes>,
    ) -> Result<(), std::convert::Infallible> {
        let is_damaged = section.condition == Condition::Damaged;
        let end = section.end.unwrap_or(NOTHING_TOLD);
        let is_torn = section.condition != Condition::Intact;
        let outcome = |outcome| if is_torn { Outcome::TORN } else { outcome };
        let answers: Vec<Answer<'_>> = match is_damaged {
            true => Vec::new(),
            false => self.snapshot.answers_in(section).collect(),
        };
        if is_damaged {
            self.damaged_sections += 1;
            self.dropped_bytes += section.payload.len() as u64;
        }
        if let [answer] = &answers[..]
            && !section.is_batch()
        {
            let new = self.answer(answer);
            writer.begin(
                &begin(section, new.arguments, &new.name, &new.value_name),
                &new.name,
                &new.value_name,
            )?;
            writer.data(&new.bytes)?;
            return writer.end(SectionEnd {
                outcome: outcome(new.outcome),
                items: 0,
                returned_length: new.returned_length,
                buffer_address: new.address,
                ..end
            });
        }
        let [name, value_name] =
            [section.name_bytes(), section.value_name_bytes()].map(|name| self.name(name));
        let arguments = self.arguments(
            section.begin.source,
            (section.begin.argument, section.begin.argument2),
        );
        let begin = begin(section, arguments, &name, &value_name);
        writer.begin(&begin, &name, &value_name)?;
        let mut payload = Vec::new();
        for answer in &answers {
            let new = self.answer(answer);
            item(answer, &new, section.begin.encoding, &mut payload);
        }
        writer.data(&payload)?;
        writer.end(SectionEnd {
            outcome: outcome(end.outcome),
            items: answers.len() as u32,
            buffer_address: 0,
            ..end
        })
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Replaced {
        let address = match self.secrets.addresses.is_of_kernel(answer.buffer_address) {
            // Where a buffer stood is used to find what points into it, and nothing else.
            true => 1 << 16,
            false => answer.buffer_address,
        };
        let is_run = matches!(answer.source, Source::SUBKEYS | Source::KEY_VALUES);
        let width = self.snapshot.width();
        let mut copy = Copy::new(
            answer.bytes,
            answer.buffer_address,
            address,
            width,
            self.secrets,
        );
        // A question that failed has no answer, whatever was left in its buffer.
        let is_known = (answer.succeeded() || is_run) && answers::copy(answer, &mut copy);
        let (mut bytes, mut replaced) = copy.into_bytes();
        self.secrets.scrub(&mut bytes, &mut replaced);
        let (mut outcome, mut returned_length) = (answer.outcome, answer.returned_length);
        if !is_known && !answer.bytes.is_empty() {
            self.dropped_answers += 1;
            self.dropped_bytes += answer.bytes.len() as u64;
            bytes.clear();
            outcome = Outcome::REDACTED;
            returned_length = returned_length.max(answer.bytes.len() as u64);
        }
        let argument = is_note(answer, NoteKind::BAD_ARGUMENT);
        let name = match argument && !self.secrets.keep.command_lines {
            // A part of the capture's own command line.
            true => {
                self.secrets.count_command_line();
                let count = answer.name_bytes().len() / 2;
                REMOVED.to_le_bytes().repeat(count)
            }
            false => self.name(answer.name_bytes()),
        };
        Replaced {
            arguments: self.arguments(answer.source, (answer.argument, answer.argument2)),
            outcome,
            returned_length,
            address,
            name,
            value_name: self.name(answer.value_name_bytes()),
            bytes,
        }
    }

    fn name(&mut self, name: &[u8]) -> Vec<u8> {
        if self.secrets.learning {
            let text = crate::value::utf16(name);
            self.secrets.words.learn_paths(&text);
        }
        // An odd byte at the end is damage.
        let mut name = name[..name.len() & !1].to_vec();
        let mut replaced = vec![false; name.len()];
        self.secrets
            .scrub_text(&mut name, &mut replaced, Characters::Utf16);
        self.secrets.scrub(&mut name, &mut replaced);
        name
    }

    /// Arguments of a question: ids, handles and times. What those of an unknown source are, nobody knows.
    fn arguments(&mut self, source: Source, arguments: (u64, u64)) -> (u64, u64) {
        if crate::names::source(source).is_none() {
            return (0, 0);
        }
        let mut replace = |argument: u64| match argument >> 47 == 0x1_FFFF {
            true => self.secrets.addresses.replace(argument, Meaning::Any),
            false => argument,
        };
        (replace(arguments.0), replace(arguments.1))
    }
}

fn is_note(answer: &Answer<'_>, kind: NoteKind) -> bool {
    answer.source == Source::NOTE && answer.class == kind.0
}

fn begin(
    section: &Section<'_>,
    arguments: (u64, u64),
    name: &[u8],
    value_name: &[u8],
) -> SectionBegin {
    SectionBegin {
        argument: arguments.0,
        argument2: arguments.1,
        // No longer than they were, and that was a number of this size.
        name_length: name.len() as u16,
        value_name_length: value_name.len() as u16,
        ..section.begin
    }
}

fn item(old: &Answer<'_>, new: &Replaced, encoding: Encoding, payload: &mut Vec<u8>) {
    let header = ItemHeader {
        length: 0,
        source: old.source,
        class: old.class,
        status: old.status,
        argument: new.arguments.0,
        argument2: new.arguments.1,
        buffer_address: new.address,
        data_length: new.bytes.len() as u32,
        returned_length: new.returned_length as u32,
        name_length: new.name.len() as u16,
        value_name_length: new.value_name.len() as u16,
        tries: old.tries,
        outcome: new.outcome,
    }
    .measured();
    match encoding {
        Encoding::PACKED_BATCH => payload.extend(header.pack().bytes()),
        _ => payload.extend(header.encode()),
    }
    payload.extend(&new.name);
    payload.extend(&new.value_name);
    payload.resize(padded(payload.len()), 0);
    payload.extend(&new.bytes);
    payload.resize(padded(payload.len()), 0);
}
