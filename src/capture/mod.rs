//! The capture: asks the kernel, family by family, and records the answers as they came.
//!
//! A question that fails is recorded, never fatal. The only reasons to stop are that the snapshot can no longer be
//! written, or that the finisher has taken it away because the time was up.

mod details;
mod ended;
mod file_names;
mod firmware;
mod handles;
mod images;
mod kept;
mod modules;
mod names;
mod namespace;
mod objects;
mod own;
mod path;
mod processes;
mod query;
mod registry;
mod run;
mod system;
mod types;

pub use own::Facts;
pub use processes::csrss;

use crate::args::Families;
use crate::nt::{Answer, Buffer, Handle, Handover, Heap, Kernel, Region, Status, bytes_of};
use crate::own::Own;
use bootshot_format::{
    Encoding, Family, ItemHeader, Outcome, SectionBegin, SectionEnd, Sink, Source, Writer, padded,
};
use kept::Kept;
use query::{Asked, ask};

/// Why a capture ended early.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The finisher has taken the snapshot.
    Taken,
    /// The snapshot could not be written.
    NotWritten(Status),
}

/// What one family cost, for the console.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cost {
    /// Questions asked.
    pub asked: u32,
    /// Questions answered.
    pub answered: u32,
    /// Bytes received.
    pub bytes: u64,
    /// Performance counter ticks.
    pub ticks: u64,
}

/// Identity of a question; see [`Source`] for what the fields mean.
#[derive(Clone, Copy, Debug)]
struct Question<'a> {
    source: Source,
    class: u32,
    argument: u64,
    argument2: u64,
    name: &'a [u16],
    value_name: &'a [u16],
}

impl<'a> Question<'a> {
    const fn new(source: Source, class: u32) -> Self {
        Self {
            source,
            class,
            argument: 0,
            argument2: 0,
            name: &[],
            value_name: &[],
        }
    }

    const fn about(self, argument: u64, argument2: u64) -> Self {
        Self {
            argument,
            argument2,
            ..self
        }
    }

    const fn named(self, name: &'a [u16]) -> Self {
        Self { name, ..self }
    }

    const fn value(self, value_name: &'a [u16]) -> Self {
        Self { value_name, ..self }
    }
}

/// What a capture draws on. `S` is where its bytes go.
pub struct Capture<'a, K: Kernel, S> {
    kernel: K,
    heap: &'a Heap<K>,
    writer: &'a Handover<Option<Writer<S>>>,
    own: Own,
    facts: &'a Facts<'a>,
    /// Whether the family at work has time left; asked between the questions of a batch that has no bound.
    may_go_on: &'a dyn Fn() -> bool,
    /// The latest answer.
    answer: Region<K>,
    /// Items of the open batch that are not written yet.
    staging: Region<K>,
    staged: usize,
    items: u32,
    cost: Cost,
    kept: Kept<'a, K>,
}

/// Bytes of a batch that are gathered into one chunk.
const STAGING: usize = 64 << 10;

/// Bytes the answer buffer starts with: most answers of most machines fit.
const FIRST_ANSWER: usize = 256 << 10;

impl<'a, K: Kernel, S: Sink<Error = Status> + Send> Capture<'a, K, S> {
    /// Takes the buffers that every capture needs.
    pub fn new(
        kernel: K,
        heap: &'a Heap<K>,
        writer: &'a Handover<Option<Writer<S>>>,
        own: Own,
        facts: &'a Facts<'a>,
        may_go_on: &'a dyn Fn() -> bool,
    ) -> Result<Self, Status> {
        Ok(Self {
            kernel,
            heap,
            writer,
            own,
            facts,
            may_go_on,
            answer: Region::new(kernel, FIRST_ANSWER)?,
            staging: Region::new(kernel, STAGING)?,
            staged: 0,
            items: 0,
            cost: Cost::default(),
            kept: Kept::new(kernel, heap),
        })
    }

    /// Captures every family that was asked for and `may_start`; tells `report` what each one cost.
    pub fn run(
        &mut self,
        families: Families,
        may_start: impl Fn(Family) -> bool,
        mut report: impl FnMut(Family, Cost),
    ) -> Result<(), Stop> {
        for family in Family::ALL {
            let outcome = match skipped(family, families, self.facts.live) {
                Some(outcome) => outcome,
                None if !may_start(family) => Outcome::SKIPPED_BY_BUDGET,
                None => {
                    self.cost = Cost::default();
                    let start = self.kernel.performance_counter().0;
                    self.family(family)?;
                    self.cost.ticks = self.kernel.performance_counter().0.wrapping_sub(start);
                    report(family, self.cost);
                    continue;
                }
            };
            self.write(|writer| skip(writer, self.kernel, family, outcome))?;
        }
        Ok(())
    }

    fn family(&mut self, family: Family) -> Result<(), Stop> {
        match family {
            Family::OWN => self.own(),
            Family::PROCESSES => self.processes(),
            Family::HANDLES => self.handles(),
            Family::TYPES => self.types(),
            Family::MODULES => self.modules(),
            Family::SYSTEM => self.system(),
            Family::REGISTRY => self.registry(),
            Family::DETAILS => self.details(),
            Family::NAMESPACE => self.namespace(),
            Family::ENDED => self.ended(),
            Family::NAMES => self.names(),
            Family::FIRMWARE => self.firmware(),
            Family::IMAGES => self.images(),
            _ => Ok(()),
        }
    }

    /// Uses the writer for a moment.
    fn write<R>(&self, write: impl FnOnce(&mut Writer<S>) -> Result<R, Status>) -> Result<R, Stop> {
        let written = self.writer.borrow(|slot| slot.as_mut().map(write));
        written
            .flatten()
            .ok_or(Stop::Taken)?
            .map_err(Stop::NotWritten)
    }

    /// Asks a question whose answer may be large, and records it as a section of its own.
    fn section(
        &mut self,
        family: Family,
        question: &Question<'_>,
        call: &mut dyn FnMut(Buffer<'_>) -> Answer,
    ) -> Result<Asked, Stop> {
        let begin = section_begin(self.kernel, family, Encoding::RAW, question);
        let asked = ask(self.kernel, &mut self.answer, None, call);
        self.count(&asked);
        let end = SectionEnd {
            status: asked.status.0,
            outcome: asked.outcome,
            tries: asked.tries,
            performance_counter: self.kernel.performance_counter().0,
            returned_length: asked.returned_length as u64,
            buffer_address: self.answer.address() as u64,
            buffer_length: self.answer.length() as u64,
            total_length: 0,
            chunks: 0,
            items: 0,
        };
        self.write(|writer| {
            writer.begin(
                &begin,
                bytes_of(question.name),
                bytes_of(question.value_name),
            )?;
            writer.data(&self.answer.bytes()[..asked.length])?;
            writer.end(end)
        })?;
        Ok(asked)
    }

    /// Opens a batch: until [`Capture::end_batch`], answers go into one section as items.
    fn begin_batch(&mut self, family: Family) -> Result<(), Stop> {
        let begin = section_begin(
            self.kernel,
            family,
            Encoding::BATCH,
            &Question::new(Source::BATCH, 0),
        );
        self.staged = 0;
        self.items = 0;
        self.write(|writer| writer.begin(&begin, &[], &[]))
    }

    fn end_batch(&mut self) -> Result<(), Stop> {
        self.end_batch_as(Outcome::COMPLETE)
    }

    fn end_batch_as(&mut self, outcome: Outcome) -> Result<(), Stop> {
        self.write_staged()?;
        let end = SectionEnd {
            performance_counter: self.kernel.performance_counter().0,
            items: self.items,
            ..empty_end(outcome)
        };
        self.write(|writer| writer.end(end))
    }

    /// Asks a small question and records the answer as an item of the open batch.
    fn item(
        &mut self,
        question: &Question<'_>,
        exact: Option<Exact>,
        call: &mut dyn FnMut(Buffer<'_>) -> Answer,
    ) -> Result<Asked, Stop> {
        let asked = ask(self.kernel, &mut self.answer, exact, call);
        self.record(question, &asked).map(|()| asked)
    }

    /// Records the latest answer as an item of the open batch.
    fn record(&mut self, question: &Question<'_>, asked: &Asked) -> Result<(), Stop> {
        self.count(asked);
        let address = self.answer.address() as u64;
        // The answer is lent to `push` for the call, and nothing asks meanwhile.
        let answer = core::mem::replace(&mut self.answer, Region::empty(self.kernel));
        let pushed = self.push(question, asked, address, &answer.bytes()[..asked.length]);
        self.answer = answer;
        pushed
    }

    /// Records a status that came without an answer: an open that failed, a privilege.
    fn note(&mut self, question: &Question<'_>, status: Status) -> Result<(), Stop> {
        self.push(question, &Asked::without_answer(status), 0, &[])
    }

    /// Records bytes that were not asked from the kernel, or were asked elsewhere.
    fn push(
        &mut self,
        question: &Question<'_>,
        asked: &Asked,
        address: u64,
        data: &[u8],
    ) -> Result<(), Stop> {
        self.push_parts(question, asked, address, [data, &[]])
    }

    /// The same with bytes that stand in two places.
    fn push_parts(
        &mut self,
        question: &Question<'_>,
        asked: &Asked,
        address: u64,
        data: [&[u8]; 2],
    ) -> Result<(), Stop> {
        // The kernel's own bound on names is the field's.
        let header = ItemHeader {
            length: 0,
            source: question.source,
            class: question.class,
            status: asked.status.0,
            argument: question.argument,
            argument2: question.argument2,
            buffer_address: address,
            data_length: (data[0].len() + data[1].len()) as u32,
            returned_length: asked.returned_length as u32,
            name_length: size_of_val(question.name) as u16,
            value_name_length: size_of_val(question.value_name) as u16,
            tries: asked.tries,
            outcome: asked.outcome,
        }
        .measured();
        self.stage([&header.encode(), &[]])?;
        self.stage([bytes_of(question.name), bytes_of(question.value_name)])?;
        self.stage(data)?;
        self.items += 1;
        Ok(())
    }

    /// Gathers parts and the padding behind them into chunks.
    fn stage(&mut self, parts: [&[u8]; 2]) -> Result<(), Stop> {
        let length = parts[0].len() + parts[1].len();
        if padded(length) > self.staging.length() - self.staged {
            self.write_staged()?;
        }
        if padded(length) <= self.staging.length() {
            let place = &mut self.staging.bytes_mut()[self.staged..self.staged + padded(length)];
            let (first, rest) = place.split_at_mut(parts[0].len());
            let (second, padding) = rest.split_at_mut(parts[1].len());
            first.copy_from_slice(parts[0]);
            second.copy_from_slice(parts[1]);
            padding.fill(0);
            self.staged += padded(length);
            return Ok(());
        }
        // Larger than a chunk of gathered items: written as it is.
        self.write(|writer| {
            for part in parts {
                writer.data(part)?;
            }
            writer.data(&[0; 8][..padded(length) - length])
        })
    }

    fn write_staged(&mut self) -> Result<(), Stop> {
        let staged = core::mem::take(&mut self.staged);
        self.write(|writer| writer.data(&self.staging.bytes()[..staged]))
    }

    const fn count(&mut self, asked: &Asked) {
        self.cost.asked += 1;
        self.cost.answered += (asked.outcome.0 != Outcome::FAILED.0) as u32;
        self.cost.bytes += asked.length as u64;
    }
}

/// A class that takes a buffer of exactly the size of its structure, and may want its first field filled in.
#[derive(Clone, Copy, Debug)]
struct Exact {
    length: usize,
    first: u32,
}

impl Exact {
    /// By pointer width: many structures hold pointers.
    const fn new(narrow: usize, wide: usize) -> Self {
        Self {
            length: if size_of::<usize>() == 4 {
                narrow
            } else {
                wide
            },
            first: 0,
        }
    }
}

/// How a family ends that is not asked at all, whatever time there is.
pub fn skipped(family: Family, wanted: Families, live: bool) -> Option<Outcome> {
    match family {
        _ if !wanted.contains(family) => Some(Outcome::SKIPPED_BY_ARGUMENT),
        // At boot, hundreds of opens through other people's filters are not worth it.
        Family::IMAGES if !live => Some(Outcome::SKIPPED_BY_PHASE),
        _ => None,
    }
}

/// Records a family that was not captured.
pub fn skip<S: Sink<Error = Status>, K: Kernel>(
    writer: &mut Writer<S>,
    kernel: K,
    family: Family,
    outcome: Outcome,
) -> Result<(), Status> {
    writer.begin(
        &section_begin(
            kernel,
            family,
            Encoding::BATCH,
            &Question::new(Source::BATCH, 0),
        ),
        &[],
        &[],
    )?;
    writer.end(empty_end(outcome))
}

/// The end of a section that has nothing more to say.
pub const fn empty_end(outcome: Outcome) -> SectionEnd {
    SectionEnd {
        status: 0,
        outcome,
        tries: 0,
        total_length: 0,
        chunks: 0,
        items: 0,
        performance_counter: 0,
        returned_length: 0,
        buffer_address: 0,
        buffer_length: 0,
    }
}

fn section_begin<K: Kernel>(
    kernel: K,
    family: Family,
    encoding: Encoding,
    question: &Question<'_>,
) -> SectionBegin {
    let clock = kernel.clock();
    SectionBegin {
        source: question.source,
        class: question.class,
        argument: question.argument,
        argument2: question.argument2,
        system_time: clock.system_time,
        interrupt_time: clock.interrupt_time,
        performance_counter: kernel.performance_counter().0,
        encoding,
        name_length: size_of_val(question.name) as u16,
        value_name_length: size_of_val(question.value_name) as u16,
        family,
    }
}

/// A handle of ours whose object type is known from how we opened it.
#[derive(Clone, Copy, Debug)]
pub struct KnownHandle {
    /// The handle.
    pub handle: Handle,
    /// Name of its object type.
    pub type_name: &'static [u16],
}
