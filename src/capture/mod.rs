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
mod processes;
mod query;
mod registry;
mod run;
mod store;
mod system;
mod types;

pub use own::Facts;
pub use processes::csrss;

use crate::args::Families;
use crate::nt::{Handle, Handover, Heap, Kernel, Owned, Region, Status, bytes_of};
use crate::own::Own;
use crate::path::Path;
use bootshot_format::{
    Encoding, Family, ItemHeader, OpenKind, Outcome, SectionBegin, SectionEnd, Sink, Source, Writer,
};
use kept::Kept;
use modules::MODULES;
use processes::{FULL_PROCESSES, PROCESSES};
use query::{Ask, Asked, Call, LINK_TARGET, ask};
use store::Store;
use types::TYPES;

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

/// What a capture draws on. `S` is where its bytes go.
///
/// A family sets what its questions are about (`subject`, `path`, the handle in `call`) and then asks by the row: what
/// came of the latest question is in `asked` and `answer`. Nothing here returns an error: once the snapshot can no longer
/// be written, [`Store`] takes no more, and [`Capture::goes_on`] says no.
// The order is kept, the most used first and the largest last: what lies within 128 bytes takes the shortest instructions.
#[repr(C)]
pub struct Capture<'a, K: Kernel, S> {
    kernel: K,
    /// What came of the latest question, and its bytes.
    asked: Asked,
    answer: Region<K>,
    /// The latest question.
    call: Call,
    /// First and second argument of the questions, as their source defines them.
    subject: [u64; 2],
    store: Store<'a, K, S>,
    /// How the open batch is going to end.
    outcome: Outcome,
    kept: Kept<'a, K>,
    heap: &'a Heap<K>,
    facts: &'a Facts<'a>,
    /// Whether the family at work has time left; asked between the questions of a batch that has no bound.
    has_time: &'a dyn Fn() -> bool,
    cost: Cost,
    own: Own,
    /// The name that the questions are about.
    path: Path,
}

/// Bytes the answer buffer starts with: most answers of most machines fit.
const FIRST_ANSWER: usize = 256 << 10;

/// What a batch of many small answers stands for.
const BATCH: Ask = Ask::new(Source::BATCH, 0);

impl<'a, K: Kernel, S: Sink<Error = Status> + Send> Capture<'a, K, S> {
    /// Takes the buffers that every capture needs.
    pub fn new(
        kernel: K,
        heap: &'a Heap<K>,
        writer: &'a Handover<Option<Writer<S>>>,
        own: Own,
        facts: &'a Facts<'a>,
        has_time: &'a dyn Fn() -> bool,
    ) -> Result<Self, Status> {
        Ok(Self {
            kernel,
            heap,
            own,
            facts,
            has_time,
            store: Store::new(kernel, writer)?,
            call: Call::new(BATCH, Handle::NONE),
            subject: [0; 2],
            path: Path::new(),
            asked: Asked::without_answer(Status::SUCCESS),
            answer: Region::new(kernel, FIRST_ANSWER)?,
            outcome: Outcome::COMPLETE,
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
        let kernel = self.kernel;
        for &family in &Family::ALL {
            let outcome = match skipped(family, families, self.facts.live) {
                Some(outcome) => outcome,
                None if !may_start(family) => Outcome::SKIPPED_BY_BUDGET,
                None => {
                    self.cost = Cost::default();
                    let start = kernel.performance_counter().0;
                    self.family(family);
                    self.store.result()?;
                    self.cost.ticks = kernel.performance_counter().0.wrapping_sub(start);
                    report(family, self.cost);
                    continue;
                }
            };
            self.store
                .write(&mut |writer| skip(writer, kernel, family, outcome));
            self.store.result()?;
        }
        Ok(())
    }

    // Out of line, with a frame of its own: docs/size.md.
    #[inline(never)]
    fn family(&mut self, family: Family) {
        match family {
            Family::OWN => self.own(),
            Family::PROCESSES => {
                self.first_answered(family, &PROCESSES);
                self.first_answered(family, &FULL_PROCESSES);
            }
            Family::HANDLES => self.handles(),
            Family::TYPES => self.first_answered(family, &TYPES),
            Family::MODULES => self.first_answered(family, &MODULES),
            Family::SYSTEM => self.system(),
            Family::REGISTRY => self.registry(),
            Family::DETAILS => self.details(),
            Family::NAMESPACE => self.namespace(),
            Family::ENDED => self.ended(),
            Family::NAMES => self.names(),
            Family::FIRMWARE => self.firmware(),
            Family::IMAGES => self.images(),
            _ => {}
        }
    }

    /// Whether the family at work may go on; where not, its batch is cut short.
    #[inline(never)]
    fn goes_on(&mut self) -> bool {
        let goes_on = self.store.result().is_ok() && (self.has_time)();
        if !goes_on {
            self.outcome = Outcome::TRUNCATED;
        }
        goes_on
    }

    /// Asks questions whose answers may be large, each recorded as a section of its own, until one is answered.
    fn first_answered(&mut self, family: Family, questions: &[Ask]) {
        let kernel = self.kernel;
        for question in questions {
            // Before it is asked: where it hangs, the section is found torn and tells that it did.
            self.begin(family, Encoding::RAW, *question);
            self.ask(*question);
            self.count();
            let end = SectionEnd {
                status: self.asked.status.number(),
                tries: self.asked.tries,
                performance_counter: kernel.performance_counter().0,
                returned_length: self.asked.returned_length as u64,
                buffer_address: self.answer.address() as u64,
                buffer_length: self.answer.length() as u64,
                ..empty_end(self.asked.outcome)
            };
            let bytes = self.answer.first(self.asked.length);
            self.store.write(&mut |writer| {
                writer.data(bytes)?;
                writer.end(end)
            });
            if self.asked.status.is_success() {
                break;
            }
        }
    }

    /// Opens a batch: until [`Capture::end_batch`], answers go into one section as items.
    fn begin_batch(&mut self, family: Family) {
        self.outcome = Outcome::COMPLETE;
        self.subject = [0; 2];
        self.path.cut(0);
        self.begin(family, Encoding::PACKED_BATCH, BATCH);
    }

    fn begin(&mut self, family: Family, encoding: Encoding, question: Ask) {
        let begin = section_begin(self.kernel, family, encoding, question);
        self.store
            .write(&mut |writer| writer.begin(&begin, &[], &[]));
    }

    fn end_batch(&mut self) {
        let items = self.store.flush();
        let end = SectionEnd {
            performance_counter: self.kernel.performance_counter().0,
            items,
            ..empty_end(self.outcome)
        };
        self.store.write(&mut |writer| writer.end(end));
    }

    /// Asks a question, and nothing more.
    #[inline(never)]
    fn ask(&mut self, question: Ask) {
        self.call.ask = question;
        self.asked = ask(self.kernel, &mut self.answer, &mut self.call);
    }

    /// Asks small questions and records each answer as an item of the open batch.
    fn items(&mut self, questions: &[Ask]) {
        for question in questions {
            self.ask(*question);
            self.record();
        }
    }

    /// Records the latest answer as an item of the open batch.
    fn record(&mut self) {
        self.count();
        self.push(&[], self.answer.address() as u64);
    }

    /// Records a status that came without an answer: an open that failed, a privilege.
    fn note(&mut self, question: Ask, status: Status) {
        self.call.ask = question;
        self.asked = Asked::without_answer(status);
        self.push(&[], 0);
    }

    /// Records as many bytes as the latest question gave, those of the answer region behind `head`.
    fn push(&mut self, head: &[u8], address: u64) {
        let name = bytes_of(self.path.units());
        let source = self.call.ask.source();
        let value_name = match source {
            Source::REGISTRY_VALUE => bytes_of(LINK_TARGET),
            _ => &[],
        };
        // The kernel's own bound on names is the field's.
        let header = ItemHeader {
            length: 0,
            source,
            class: self.call.ask.class(),
            status: self.asked.status.number(),
            argument: self.subject[0],
            argument2: self.subject[1],
            buffer_address: address,
            data_length: self.asked.length as u32,
            returned_length: self.asked.returned_length as u32,
            name_length: name.len() as u16,
            value_name_length: value_name.len() as u16,
            tries: self.asked.tries,
            outcome: self.asked.outcome,
        };
        let rest = self
            .answer
            .first(self.asked.length.saturating_sub(head.len()));
        self.store
            .begin_item(name.len() + value_name.len() + self.asked.length);
        self.store.put(header.pack().bytes());
        self.store.put(name);
        self.store.put(value_name);
        self.store.pad();
        self.store.put(head);
        self.store.put(rest);
        self.store.pad();
    }

    /// Makes ASCII text the name that the next questions are about.
    fn name(&mut self, text: &[u8]) {
        self.path.cut(0);
        self.path.push_ascii(text);
    }

    /// Takes what was opened to be asked: the next questions go there. A failure is recorded; then there is no handle.
    fn opened(&mut self, kind: OpenKind, opened: Result<Handle, Status>) -> Owned<K> {
        self.call.handle = match opened {
            Ok(handle) => handle,
            Err(status) => {
                self.note(Ask::new(Source::OPEN, kind.0), status);
                Handle::NONE
            }
        };
        Owned::new(self.kernel, self.call.handle)
    }

    /// Lends the answer out: questions asked meanwhile have another region.
    fn lend_answer(&mut self) -> Region<K> {
        core::mem::replace(&mut self.answer, Region::empty(self.kernel))
    }

    const fn count(&mut self) {
        self.cost.asked += 1;
        self.cost.answered += (self.asked.outcome.0 != Outcome::FAILED.0) as u32;
        self.cost.bytes += self.asked.length as u64;
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
    let begin = section_begin(kernel, family, Encoding::PACKED_BATCH, BATCH);
    writer.begin(&begin, &[], &[])?;
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

/// The start of a section: what is asked about a subject goes into batches, so it has none.
fn section_begin<K: Kernel>(
    kernel: K,
    family: Family,
    encoding: Encoding,
    question: Ask,
) -> SectionBegin {
    let clock = kernel.clock();
    SectionBegin {
        source: question.source(),
        class: question.class(),
        argument: 0,
        argument2: 0,
        system_time: clock.system_time,
        interrupt_time: clock.interrupt_time,
        performance_counter: kernel.performance_counter().0,
        encoding,
        name_length: 0,
        value_name_length: 0,
        family,
    }
}

/// A handle of ours whose object type is known from how we opened it.
#[derive(Clone, Copy, Debug)]
pub struct KnownHandle {
    /// The handle.
    pub handle: Handle,
    /// Name of its object type.
    pub type_name: &'static str,
}
