//! A whole snapshot: its header, its sections, and the answers in them.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use bootshot_format::{
    Damage, DamageKind, Family, FinishedBy, Header, HeaderError, Item, MAGIC, Outcome, Record,
    RecordKind, Records, SectionBegin, SectionEnd, Source, Trailer,
};

use crate::decode::Buffer;
use crate::error::{Problem, ReadError};
use crate::layout::{PointerWidth, Structure, View};
use crate::payload::Payload;
use crate::records::LookedUp;
use crate::value::utf16;

/// How far the capture came.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Completeness {
    /// The capture wrote its trailer.
    Complete,
    /// The capture was cut off by its time limit, and the snapshot closed properly.
    TimedOut,
    /// The file was cut short or damaged, and `bootshotctl salvage` closed it.
    Salvaged,
    /// There is no trailer: the system or the capture stopped, or the file was cut short.
    Unfinished,
}

/// Whether a section can be relied on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Every byte is as it was written.
    Intact,
    /// It has no end: what is there is what the capture got to write.
    Torn,
    /// A checksum does not hold, or a part is missing. It is not interpreted, but for the items of a batch that end before
    /// the damage, and can be written out raw.
    Damaged,
}

/// One section.
#[derive(Debug)]
pub struct Section<'a> {
    /// Its ordinal in the file.
    pub ordinal: u32,
    /// Where in the file it starts.
    pub file_offset: u64,
    /// The question.
    pub begin: SectionBegin,
    /// The circumstances of the answer; none when it is torn.
    pub end: Option<SectionEnd>,
    /// The payload.
    pub payload: Payload<'a>,
    /// Whether it can be relied on.
    pub condition: Condition,
    name: &'a [u8],
    value_name: &'a [u8],
}

impl Section<'_> {
    /// Object, key or directory name.
    pub fn name(&self) -> String {
        utf16(self.name)
    }

    /// Value name.
    pub fn value_name(&self) -> String {
        utf16(self.value_name)
    }

    /// The same as it stands in the file.
    pub(crate) const fn name_bytes(&self) -> &[u8] {
        self.name
    }

    /// The same as it stands in the file.
    pub(crate) const fn value_name_bytes(&self) -> &[u8] {
        self.value_name
    }

    /// How it ended.
    pub fn outcome(&self) -> Outcome {
        self.end.map_or(Outcome::TORN, |end| end.outcome)
    }

    /// Whether the payload is a run of items.
    pub fn is_batch(&self) -> bool {
        self.begin.encoding.is_batch()
    }
}

/// One answer: a section's, or an item's of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Ordinal of its section.
    pub section: u32,
    /// Where in the section's payload its bytes start.
    pub offset: usize,
    /// The family it was asked for.
    pub family: Family,
    /// Who was asked.
    pub source: Source,
    /// The information class, or what the source defines.
    pub class: u32,
    /// First argument of the question.
    pub argument: u64,
    /// Second argument of the question.
    pub argument2: u64,
    /// The `NTSTATUS`.
    pub status: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Calls made.
    pub tries: u16,
    /// Length the last call returned, unclamped.
    pub returned_length: u64,
    /// Where the buffer was.
    pub buffer_address: u64,
    /// The bytes.
    pub bytes: &'a [u8],
    /// Where [`Snapshot::answer_at`] finds it in its section.
    pub(crate) place: usize,
    name: &'a [u8],
    value_name: &'a [u8],
    width: PointerWidth,
}

impl<'a> Answer<'a> {
    /// Object, key or directory name.
    pub fn name(&self) -> String {
        utf16(self.name)
    }

    /// Value name.
    pub fn value_name(&self) -> String {
        utf16(self.value_name)
    }

    /// The same as it stands in the file.
    pub(crate) const fn name_bytes(&self) -> &'a [u8] {
        self.name
    }

    /// The same as it stands in the file.
    pub(crate) const fn value_name_bytes(&self) -> &'a [u8] {
        self.value_name
    }

    /// Whether the status is a success or an information.
    pub const fn succeeded(&self) -> bool {
        self.status < 0x8000_0000
    }

    /// What the decoders read.
    pub const fn buffer(&self) -> Buffer<'a> {
        Buffer::new(self.bytes, self.buffer_address, self.width)
    }

    /// The answer as one whole structure; a shorter one is a problem.
    pub fn structure<S: Structure>(&self, problems: &mut Vec<Problem>) -> Option<View<'a, S>> {
        self.decode(problems, |buffer, problems| {
            buffer.expect::<S>(0, S::SIZE.at(buffer.width()), problems)
        })
    }

    /// Runs a decoder and says of its problems which section they are in.
    pub fn decode<R>(
        &self,
        problems: &mut Vec<Problem>,
        decoder: impl FnOnce(&Buffer<'a>, &mut Vec<Problem>) -> R,
    ) -> R {
        let before = problems.len();
        let decoded = decoder(&self.buffer(), problems);
        for problem in problems.iter_mut().skip(before) {
            problem.section = Some(self.section);
            problem.offset += self.offset as u64;
        }
        decoded
    }
}

/// A snapshot.
#[derive(Debug)]
pub struct Snapshot<'a> {
    /// What was known before the first question.
    pub header: Header,
    /// How the capture ended.
    pub trailer: Option<Trailer>,
    /// The sections in the order of their ordinals.
    pub sections: Vec<Section<'a>>,
    /// What is wrong with the file. What is wrong with answers that are as they were written, each record tells for itself
    /// ([`Reading::problems`](crate::records::Reading::problems)).
    pub problems: Vec<Problem>,
    width: PointerWidth,
    /// What nearly every record needs, worked out once.
    pub(crate) looked_up: LookedUp,
}

impl<'a> Snapshot<'a> {
    /// Reads a snapshot. Damage behind the header is no error: it is listed, and what is sound is read.
    ///
    /// # Errors
    ///
    /// When the bytes do not start with a sound header of a version this reader knows.
    pub fn parse(file: &'a [u8]) -> Result<Self, ReadError> {
        let header = open_header(file)?;
        let width =
            PointerWidth::from_bytes(header.pointer_width).ok_or(ReadError::DamagedHeader)?;
        let mut assembly = Assembly::default();
        let mut records = Records::new(file, header.snapshot_id, Header::SIZE);
        loop {
            let window: Vec<_> = records.by_ref().take(WINDOW).collect();
            if window.is_empty() {
                return Ok(assembly.finish(header, width));
            }
            for (record, intact) in window.iter().zip(verified(&window)) {
                match record {
                    Ok(record) => assembly.record(record, intact),
                    Err(damage) => assembly.damage(*damage),
                }
            }
        }
    }

    /// The size of the captured system's pointers.
    pub const fn width(&self) -> PointerWidth {
        self.width
    }

    /// How far the capture came.
    pub fn completeness(&self) -> Completeness {
        match self.trailer.map(|trailer| trailer.finished_by) {
            None => Completeness::Unfinished,
            Some(FinishedBy::CAPTURE) => Completeness::Complete,
            Some(FinishedBy::SALVAGE) => Completeness::Salvaged,
            Some(_) => Completeness::TimedOut,
        }
    }

    /// All answers of the sections that are not damaged, batches taken apart.
    pub fn answers(&self) -> impl Iterator<Item = Answer<'_>> {
        self.sections
            .iter()
            .filter(|section| section.condition != Condition::Damaged)
            .flat_map(|section| self.answers_in(section))
    }

    /// All answers from one source.
    pub fn answers_from(&self, source: Source) -> impl Iterator<Item = Answer<'_>> {
        self.sections
            .iter()
            .filter(move |section| {
                section.condition != Condition::Damaged && section.payload.may_answer(source)
            })
            .flat_map(|section| self.answers_in(section))
            .filter(move |answer| answer.source == source)
    }

    /// At most so many answers are from this source.
    pub(crate) fn most_answers_from(&self, source: Source) -> usize {
        let sections = self.sections.iter();
        let sections = sections.filter(|section| section.payload.may_answer(source));
        sections
            .map(|section| section.payload.item_count().max(1))
            .sum()
    }

    /// As [`answers_from`](Self::answers_from), from several, in the order of the file.
    pub(crate) fn answers_from_any(&self, sources: &[Source]) -> impl Iterator<Item = Answer<'_>> {
        self.sections
            .iter()
            .filter(move |section| {
                let mut sources = sources.iter();
                section.condition != Condition::Damaged
                    && sources.any(|source| section.payload.may_answer(*source))
            })
            .flat_map(|section| self.answers_in(section))
            .filter(move |answer| sources.contains(&answer.source))
    }

    /// The answers in one section. Of a damaged batch they are those that end before the damage; the one of any other
    /// damaged section is not as it was written.
    pub fn answers_in<'s>(&'s self, section: &'s Section<'a>) -> impl Iterator<Item = Answer<'s>> {
        let batch = section.is_batch();
        let single = (!batch).then(|| self.single(section));
        let items = section.payload.items().flatten();
        single
            .into_iter()
            .chain(items.map(|item| self.answer_in(section, item)))
    }

    /// The answer that was at this place in a section.
    pub(crate) fn answer_at(&self, ordinal: u32, place: usize) -> Option<Answer<'_>> {
        let sections = &self.sections;
        let found = sections.binary_search_by_key(&ordinal, |section| section.ordinal);
        let section = &sections[found.ok()?];
        match section.is_batch() {
            true => Some(self.answer_in(section, section.payload.item_at(place)?)),
            false => Some(self.single(section)),
        }
    }

    fn answer_in<'s>(&self, section: &'s Section<'a>, item: Item<'s>) -> Answer<'s> {
        let header = item.header;
        Answer {
            section: section.ordinal,
            offset: item.data_offset,
            family: section.begin.family,
            source: header.source,
            class: header.class,
            argument: header.argument,
            argument2: header.argument2,
            status: header.status,
            outcome: header.outcome,
            tries: header.tries,
            returned_length: header.returned_length.into(),
            buffer_address: header.buffer_address,
            bytes: item.data,
            place: item.offset,
            name: item.name,
            value_name: item.value_name,
            width: self.width,
        }
    }

    fn single<'s>(&'s self, section: &'s Section<'a>) -> Answer<'s> {
        let end = section.end.as_ref();
        Answer {
            section: section.ordinal,
            offset: 0,
            family: section.begin.family,
            source: section.begin.source,
            class: section.begin.class,
            argument: section.begin.argument,
            argument2: section.begin.argument2,
            // Without an end nothing is known of the call, but that it gave these bytes.
            status: end.map_or(0, |end| end.status),
            outcome: section.outcome(),
            tries: end.map_or(0, |end| end.tries),
            returned_length: end.map_or(0, |end| end.returned_length),
            buffer_address: end.map_or(0, |end| end.buffer_address),
            bytes: &section.payload,
            place: 0,
            name: section.name,
            value_name: section.value_name,
            width: self.width,
        }
    }

    /// The answers to one question that succeeded.
    pub fn answered(&self, source: Source, class: u32) -> impl Iterator<Item = Answer<'_>> {
        self.answers_from(source)
            .filter(move |answer| answer.class == class && answer.succeeded())
    }

    /// The answer of `NtQuerySystemInformation` to the first of `classes` that was answered.
    pub fn system_information(&self, classes: &[u32]) -> Option<Answer<'_>> {
        classes.iter().find_map(|class| {
            self.answered(Source::SYSTEM_INFORMATION, *class)
                .find(|answer| !answer.bytes.is_empty())
        })
    }
}

/// Reads the header of a file.
pub(crate) fn open_header(file: &[u8]) -> Result<Header, ReadError> {
    Header::open(file).map_err(|error| match error {
        HeaderError::TooShort if file.is_empty() => ReadError::Empty,
        HeaderError::TooShort if !MAGIC.starts_with(file) && !file.starts_with(&MAGIC) => {
            ReadError::NotASnapshot
        }
        HeaderError::TooShort => ReadError::CutShort { length: file.len() },
        HeaderError::NotASnapshot => ReadError::NotASnapshot,
        HeaderError::NewerVersion(version) => ReadError::NewerVersion(version),
        HeaderError::UnknownFeatures(bits) => ReadError::UnknownFeatures(bits),
        HeaderError::BadChecksum | HeaderError::Invalid => ReadError::DamagedHeader,
    })
}

/// Records whose checksums are worked out at once.
const WINDOW: usize = 4096;

/// Bytes for which another thread is worth starting.
const WORTH_A_THREAD: usize = 8 << 20;

/// Whether each record's payload is the one that was written. A checksum costs a pass over the bytes, and a large file has
/// many: they are shared among the processors.
fn verified(window: &[Result<Record<'_>, Damage>]) -> Vec<bool> {
    let intact = |record: &Result<Record<'_>, _>| {
        let record = record.as_ref();
        record.is_ok_and(Record::payload_is_intact)
    };
    let bytes: usize = window
        .iter()
        .flatten()
        .map(|record| record.payload.len())
        .sum();
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = processors.min(bytes / WORTH_A_THREAD);
    if threads < 2 {
        return window.iter().map(intact).collect();
    }
    let verified: Vec<_> = window.iter().map(|_| AtomicBool::new(false)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((record, verified)) = {
            let place = next.fetch_add(1, Ordering::Relaxed);
            window.get(place).zip(verified.get(place))
        } {
            verified.store(intact(record), Ordering::Relaxed);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            // Without another thread this one does it all.
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
    verified.into_iter().map(AtomicBool::into_inner).collect()
}

/// A section whose records are being gathered.
struct Gathered<'a> {
    file_offset: u64,
    question: Option<(SectionBegin, &'a [u8], &'a [u8])>,
    end: Option<SectionEnd>,
    chunks: Vec<&'a [u8]>,
    next_sequence: u32,
    /// How many chunks stand before the first damage, where there is any.
    damage: Option<usize>,
}

#[derive(Default)]
struct Assembly<'a> {
    sections: BTreeMap<u32, Gathered<'a>>,
    trailer: Option<Trailer>,
    problems: Vec<Problem>,
}

impl<'a> Assembly<'a> {
    fn problem(
        &mut self,
        offset: u64,
        what: &'static str,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) {
        self.problems.push(Problem {
            section: None,
            what,
            offset,
            expected: expected.into(),
            actual: actual.into(),
        });
    }

    fn damage(&mut self, damage: Damage) {
        let what = match damage.kind {
            DamageKind::NotARecord => "bytes that belong to no record",
            DamageKind::CutShort => "the end of the file inside a record",
            DamageKind::AfterTrailer => "bytes behind the trailer",
        };
        self.problem(
            damage.offset,
            "record",
            match damage.kind {
                DamageKind::AfterTrailer => "the end of the file",
                _ => "a record of this snapshot",
            },
            format!("{what}, {} of them", damage.length),
        );
    }

    fn record(&mut self, record: &Record<'a>, intact: bool) {
        if !intact {
            self.problem(
                record.offset,
                "record payload",
                "the checksum in its header",
                "another one",
            );
        }
        if record.header.kind == RecordKind::TRAILER {
            if let (true, Some((trailer, _))) = (intact, record.trailer()) {
                self.trailer = Some(trailer);
            }
            return;
        }
        let sequence = record.header.sequence;
        let section = self
            .sections
            .entry(record.header.section)
            .or_insert(Gathered {
                file_offset: record.offset,
                question: None,
                end: None,
                chunks: Vec::new(),
                next_sequence: 0,
                damage: None,
            });
        let in_order = sequence == section.next_sequence;
        if !intact || !in_order {
            section.damage.get_or_insert(section.chunks.len());
        }
        section.next_sequence = sequence.saturating_add(1);
        match record.header.kind {
            RecordKind::SECTION_BEGIN if intact => section.question = record.section_begin(),
            RecordKind::SECTION_END if intact => section.end = record.section_end(),
            RecordKind::CHUNK => section.chunks.push(record.payload),
            _ => {}
        }
        if !in_order {
            self.problem(
                record.offset,
                "record sequence",
                "the record that follows in its section",
                format!("number {sequence}"),
            );
        }
    }

    fn finish(mut self, header: Header, width: PointerWidth) -> Snapshot<'a> {
        let mut sections = Vec::with_capacity(self.sections.len());
        for (ordinal, gathered) in std::mem::take(&mut self.sections) {
            let Some((begin, name, value_name)) = gathered.question else {
                self.problem(
                    gathered.file_offset,
                    "section",
                    "a record that says what was asked",
                    format!("parts of section {ordinal} only"),
                );
                continue;
            };
            let chunks = gathered.chunks.len();
            let payload = match begin.encoding.is_batch() {
                true => Payload::batch(gathered.chunks, gathered.damage, begin.encoding),
                false => Payload::single(gathered.chunks, begin.source),
            };
            let whole = gathered.end.is_none_or(|end| {
                end.total_length == payload.len() as u64 && end.chunks as usize == chunks
            });
            if !whole {
                self.problem(
                    gathered.file_offset,
                    "section payload",
                    "the length its end names",
                    format!("{} bytes", payload.len()),
                );
            }
            let condition = if gathered.damage.is_some() || !whole {
                Condition::Damaged
            } else if gathered.end.is_none() {
                Condition::Torn
            } else {
                Condition::Intact
            };
            // A batch that was cut off or is damaged may end inside an item.
            if begin.encoding.is_batch()
                && gathered.damage.is_none()
                && gathered.end.is_some_and(|end| end.outcome != Outcome::TORN)
                && let Some(Err(offset)) = payload.items().find(Result::is_err)
            {
                self.problems.push(Problem {
                    section: Some(ordinal),
                    ..Problem::new("batch", offset, "an item", "bytes that are none")
                });
            }
            sections.push(Section {
                ordinal,
                file_offset: gathered.file_offset,
                begin,
                end: gathered.end,
                payload,
                condition,
                name,
                value_name,
            });
        }
        Snapshot {
            header,
            trailer: self.trailer,
            sections,
            problems: self.problems,
            width,
            looked_up: LookedUp::default(),
        }
    }
}
