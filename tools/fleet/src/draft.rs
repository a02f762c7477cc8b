//! A snapshot taken apart, so that it can be changed and written again.

use std::convert::Infallible;

use bootshot_format::{
    Encoding, Header, ItemHeader, Outcome, SectionBegin, SectionEnd, Sink, Source, Trailer, Writer,
    padded,
};
use bootshot_reader::{ReadError, Snapshot};
use test_snapshots::{Entry, utf16};

/// What the kernel ends a list with.
pub const STATUS_NO_MORE_ENTRIES: u32 = 0x8000_001A;

/// A question and its answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Who was asked.
    pub source: Source,
    /// The class.
    pub class: u32,
    /// First argument.
    pub argument: u64,
    /// Second argument.
    pub argument2: u64,
    /// Object, key or directory.
    pub name: String,
    /// Registry value.
    pub value_name: String,
    /// The `NTSTATUS`.
    pub status: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Calls made.
    pub tries: u16,
    /// What the last call returned, where it was another number than that of the bytes.
    pub returned_length: Option<u64>,
    /// Where the buffer was.
    pub buffer_address: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Answer {
    fn of(answer: &bootshot_reader::Answer<'_>) -> Self {
        let differs = answer.returned_length != answer.bytes.len() as u64;
        Self {
            source: answer.source,
            class: answer.class,
            argument: answer.argument,
            argument2: answer.argument2,
            name: answer.name(),
            value_name: answer.value_name(),
            status: answer.status,
            outcome: answer.outcome,
            tries: answer.tries,
            returned_length: differs.then_some(answer.returned_length),
            buffer_address: answer.buffer_address,
            bytes: answer.bytes.to_vec(),
        }
    }

    /// Whether it answers this question about the system.
    pub fn is_of_system(&self, class: u32) -> bool {
        self.source == Source::SYSTEM_INFORMATION && self.class == class && !self.bytes.is_empty()
    }

    fn returned_length(&self) -> u64 {
        self.returned_length.unwrap_or(self.bytes.len() as u64)
    }

    fn item(&self, encoding: Encoding) -> Vec<u8> {
        let (name, value_name) = (utf16(&self.name), utf16(&self.value_name));
        let header = ItemHeader {
            length: 0,
            source: self.source,
            class: self.class,
            status: self.status,
            argument: self.argument,
            argument2: self.argument2,
            buffer_address: self.buffer_address,
            data_length: self.bytes.len() as u32,
            returned_length: self.returned_length() as u32,
            name_length: name.len() as u16,
            value_name_length: value_name.len() as u16,
            tries: self.tries,
            outcome: self.outcome,
        };
        let mut item = match encoding {
            Encoding::PACKED_BATCH => header.pack().bytes().to_vec(),
            _ => header.measured().encode().to_vec(),
        };
        item.extend(name);
        item.extend(value_name);
        item.resize(padded(item.len()), 0);
        item.extend(&self.bytes);
        item.resize(padded(item.len()), 0);
        item
    }
}

/// One that was answered at once.
impl From<Entry> for Answer {
    fn from(entry: Entry) -> Self {
        Self {
            source: entry.source,
            class: entry.class,
            argument: entry.arguments.0,
            argument2: entry.arguments.1,
            name: entry.name,
            value_name: entry.value_name,
            status: entry.status,
            outcome: Outcome::COMPLETE,
            tries: 1,
            returned_length: None,
            buffer_address: entry.address,
            bytes: entry.bytes,
        }
    }
}

/// A section.
#[derive(Clone, Debug)]
pub struct Section {
    /// The question.
    pub begin: SectionBegin,
    /// The circumstances of the answer. Totals, and what a single answer says itself, are filled in when it is written.
    end: SectionEnd,
    is_batch: bool,
    /// The answers: of a batch any number, else one.
    pub answers: Vec<Answer>,
}

/// A snapshot.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What was known before the first question.
    pub header: Header,
    /// The sections.
    pub sections: Vec<Section>,
    /// The end.
    pub trailer: Trailer,
}

/// Why a file cannot be taken apart.
#[derive(Debug)]
pub enum NotTakenApart {
    /// It is no snapshot.
    Unreadable(ReadError),
    /// It is not whole.
    NotWhole,
}

impl Draft {
    /// Takes a whole snapshot apart.
    ///
    /// # Errors
    ///
    /// When it is none, or not whole.
    pub fn take_apart(file: &[u8]) -> Result<Self, NotTakenApart> {
        let snapshot = Snapshot::parse(file).map_err(NotTakenApart::Unreadable)?;
        let trailer = snapshot.trailer.ok_or(NotTakenApart::NotWhole)?;
        if !snapshot.problems.is_empty() {
            return Err(NotTakenApart::NotWhole);
        }
        let mut sections = Vec::new();
        for section in &snapshot.sections {
            sections.push(Section {
                begin: section.begin,
                end: section.end.ok_or(NotTakenApart::NotWhole)?,
                is_batch: section.is_batch(),
                answers: snapshot
                    .answers_in(section)
                    .map(|one| Answer::of(&one))
                    .collect(),
            });
        }
        Ok(Self {
            header: snapshot.header,
            sections,
            trailer,
        })
    }

    /// All answers.
    pub fn answers_mut(&mut self) -> impl Iterator<Item = &mut Answer> {
        self.sections
            .iter_mut()
            .flat_map(|section| &mut section.answers)
    }

    /// The answers of the section where one is of which `holds` is true.
    pub fn batch_with(&mut self, holds: impl Fn(&Answer) -> bool) -> Option<&mut Vec<Answer>> {
        let mut sections = self.sections.iter_mut();
        sections
            .find(|section| section.is_batch && section.answers.iter().any(&holds))
            .map(|section| &mut section.answers)
    }

    /// The file.
    pub fn write(&self) -> Vec<u8> {
        let Ok(file) = self.write_to(File(Vec::new()));
        file
    }

    fn write_to(&self, file: File) -> Result<Vec<u8>, Infallible> {
        let mut writer = Writer::new(file, self.header)?;
        for section in &self.sections {
            section.write(&mut writer)?;
        }
        writer.trailer(self.trailer)?;
        Ok(std::mem::take(&mut writer.sink().0))
    }
}

impl Section {
    fn write(&self, writer: &mut Writer<File>) -> Result<(), Infallible> {
        let mut end = SectionEnd {
            items: 0,
            ..self.end
        };
        match &self.answers[..] {
            [answer] if !self.is_batch => {
                let (name, value_name) = (utf16(&answer.name), utf16(&answer.value_name));
                let begin = SectionBegin {
                    argument: answer.argument,
                    argument2: answer.argument2,
                    ..self.begin
                };
                writer.begin(&begin, &name, &value_name)?;
                writer.data(&answer.bytes)?;
                end.status = answer.status;
                end.returned_length = answer.returned_length();
                end.buffer_length = end.buffer_length.max(answer.bytes.len() as u64);
            }
            answers => {
                writer.begin(&self.begin, &[], &[])?;
                let items = answers
                    .iter()
                    .flat_map(|answer| answer.item(self.begin.encoding));
                writer.data(&items.collect::<Vec<u8>>())?;
                end.items = answers.len() as u32;
            }
        }
        writer.end(end)
    }
}

struct File(Vec<u8>);

impl Sink for File {
    type Error = Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// The number of `N` bytes at `offset`.
pub fn bytes_at<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    let part = bytes.get(offset..).and_then(|rest| rest.first_chunk());
    *part.expect("the golden snapshots hold whole structures")
}

/// Puts a number at `offset`.
pub fn put<const N: usize>(bytes: &mut [u8], offset: usize, number: [u8; N]) {
    bytes[offset..offset + N].copy_from_slice(&number);
}
