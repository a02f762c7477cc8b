//! The answers that are compared, decoded once.

use std::collections::BTreeMap;
use std::sync::Arc;

use bootshot_format::{NoteKind, Outcome, Source};

use super::Report;
use crate::decode::{self, HandleClass, HandleEntry, ProcessClass, ProcessEntry, ThreadEntry};
use crate::error::Problem;
use crate::layout::structures::{
    CLIENT_ID, SYSTEM_PROCESS_INFORMATION as Layout,
    SYSTEM_PROCESS_INFORMATION_EXTENSION as Extension, SYSTEM_THREAD_INFORMATION as ThreadLayout,
};
use crate::layout::{Structure, View};
use crate::names;
use crate::records::{ObjectType, Registry};
use crate::snapshot::{Answer, Snapshot};

/// Characters of an image's name that findings show.
const LONGEST_NAME: usize = 64;

/// What the decoder calls the number of threads of a process.
const THREAD_COUNT: &str = "SYSTEM_PROCESS_INFORMATION.NumberOfThreads";

/// A process list.
pub(super) struct ProcessList<'s> {
    pub answer: Answer<'s>,
    pub class: ProcessClass,
    pub processes: Vec<Process<'s>>,
}

impl ProcessList<'_> {
    /// The process with this file name.
    pub fn named(&self, image: &str) -> Option<&Process<'_>> {
        self.processes
            .iter()
            .find(|process| process.image().eq_ignore_ascii_case(image))
    }

    pub fn has(&self, pid: u64) -> bool {
        self.processes.iter().any(|process| process.pid == pid)
    }
}

/// A process of a list.
pub(super) struct Process<'s> {
    pub pid: u64,
    pub parent: u64,
    pub session: u32,
    pub created: i64,
    pub handle_count: u32,
    /// Grows with every process of a boot; class 148 of newer systems only.
    pub sequence_number: Option<u64>,
    pub threads: Vec<Thread>,
    pub entry: ProcessEntry<'s>,
}

impl<'s> Process<'s> {
    pub fn new(entry: ProcessEntry<'s>) -> Self {
        let view = &entry.process;
        Self {
            pid: view.get(Layout::UniqueProcessId).unwrap_or_default(),
            parent: view
                .get(Layout::InheritedFromUniqueProcessId)
                .unwrap_or_default(),
            session: view.get(Layout::SessionId).unwrap_or_default(),
            created: view.get(Layout::CreateTime).unwrap_or_default(),
            handle_count: view.get(Layout::HandleCount).unwrap_or_default(),
            sequence_number: entry
                .extension
                .and_then(|extension| extension.get(Extension::ProcessSequenceNumber)),
            threads: entry.threads.iter().map(Thread::new).collect(),
            entry,
        }
    }

    /// The file name of its image: class 148 may give a path.
    pub fn image(&self) -> &str {
        let name = self.entry.image_name.as_deref().unwrap_or_default();
        name.rsplit('\\').next().unwrap_or_default()
    }

    /// What it is called in findings. There can be one for each of its threads: a name of 64 KiB is not repeated in full.
    pub fn label(&self) -> String {
        match (self.pid, self.image()) {
            (0, _) => "process 0 (Idle)".to_owned(),
            (pid, "") => format!("process {pid}"),
            (pid, image) => format!("process {pid} ({image:.LONGEST_NAME$})"),
        }
    }

    /// What tells it from all others of one boot.
    pub fn key(&self) -> (u64, i64) {
        (self.pid, self.created)
    }

    /// Whether the kernel made it while it initialized itself. Those are older than the boot time, which is that of
    /// `System` at the end of it: memory images of Windows 10 and 11 show `Registry` two to seven seconds before
    /// `System`, and NT 5 gives `System` no time at all.
    pub fn is_of_the_kernel(&self) -> bool {
        self.pid == 0
            || self.pid == 4
            || self.parent == 4 && matches!(self.image(), "Registry" | "Secure System")
    }
}

/// A thread of a process.
pub(super) struct Thread {
    pub tid: u64,
    pub pid: u64,
    pub created: i64,
}

impl Thread {
    fn new(entry: ThreadEntry<'_>) -> Self {
        let client = entry.thread.get(ThreadLayout::ClientId);
        Self {
            tid: client
                .and_then(|client| client.get(CLIENT_ID::UniqueThread))
                .unwrap_or_default(),
            pid: client
                .and_then(|client| client.get(CLIENT_ID::UniqueProcess))
                .unwrap_or_default(),
            created: entry
                .thread
                .get(ThreadLayout::CreateTime)
                .unwrap_or_default(),
        }
    }
}

/// A handle list.
pub(super) struct HandleList<'s> {
    pub answer: Answer<'s>,
    pub class: HandleClass,
    pub handles: Vec<HandleEntry>,
}

/// The type table.
pub(super) struct TypeTable<'s> {
    pub answer: Answer<'s>,
    /// With the indexes that the handle list uses.
    pub types: Vec<ObjectType>,
}

/// Everything that is compared.
pub(super) struct Evidence<'s> {
    pub snapshot: &'s Snapshot<'s>,
    /// All process lists, in the order in which they were asked for.
    pub process_lists: Vec<ProcessList<'s>>,
    /// All handle lists, in the order in which they were asked for.
    pub handle_lists: Vec<HandleList<'s>>,
    pub types: Option<TypeTable<'s>>,
    pub registry: Registry<'s>,
    /// Types of the handles that the capture had open while the handle list was taken, by value.
    pub own_handles: BTreeMap<u64, Arc<str>>,
    /// Whether there is an NT kernel below: `System` is its process. Wine has none.
    pub has_system_process: bool,
}

impl<'s> Evidence<'s> {
    pub fn gather(snapshot: &'s Snapshot<'s>, report: &mut Report<'_>) -> Self {
        let mut problems = Vec::new();
        let mut evidence = Self {
            snapshot,
            process_lists: Vec::new(),
            handle_lists: Vec::new(),
            types: None,
            registry: snapshot.read_registry(&mut problems),
            own_handles: snapshot
                .answered(Source::NOTE, NoteKind::OWN_HANDLE.0)
                .map(|note| (note.argument, note.name().into()))
                .collect(),
            has_system_process: true,
        };
        for answer in snapshot.answers().filter(Answer::succeeded) {
            if answer.outcome == Outcome::REDACTED {
                // That it was redacted is noted of the whole.
                continue;
            }
            if !is_complete(&answer) {
                report.note("incomplete-answer", incomplete(&answer));
                continue;
            }
            evidence.take(answer, &mut problems);
        }
        report.malformed(problems);
        evidence.has_system_process = evidence.processes().is_none_or(|list| list.has(4));
        evidence
    }

    fn take(&mut self, answer: Answer<'s>, problems: &mut Vec<Problem>) {
        let is_system = answer.source == Source::SYSTEM_INFORMATION && !answer.bytes.is_empty();
        if let Some(class) = ProcessClass::from_number(answer.class).filter(|_| is_system) {
            let mut met = Vec::new();
            let entries = answer.decode(&mut met, |buffer, problems| {
                decode::processes(buffer, class, problems)
            });
            // Thread counts are compared with the lists that are there.
            met.retain(|problem| problem.what != THREAD_COUNT);
            problems.extend(met);
            self.process_lists.push(ProcessList {
                answer,
                class,
                processes: entries.into_iter().map(Process::new).collect(),
            });
        } else if let Some(class) = HandleClass::from_number(answer.class).filter(|_| is_system) {
            let handles = answer.decode(problems, |buffer, problems| {
                decode::handles(buffer, class, problems)
            });
            self.handle_lists.push(HandleList {
                answer,
                class,
                handles,
            });
        } else if answer.source == Source::OBJECT_INFORMATION
            && answer.class == 3
            && self.types.is_none()
        {
            let reading = self.snapshot.types();
            problems.extend(reading.problems);
            self.types = Some(TypeTable {
                answer,
                types: reading.value,
            });
        }
    }

    /// The answer to a question, with a view of the structure it begins with.
    pub fn view<S: Structure>(
        &self,
        source: Source,
        class: u32,
    ) -> Option<(Answer<'s>, View<'s, S>)> {
        let mut answers = self.snapshot.answers().filter(is_complete);
        let answer = answers.find(|answer| {
            answer.source == source && answer.class == class && answer.succeeded()
        })?;
        Some((answer, View::new(answer.bytes, self.snapshot.width())))
    }

    /// System time at which an answer was there, 100 ns units since 1601; none when the section does not tell.
    pub fn asked_at(&self, answer: &Answer<'_>) -> Option<i64> {
        let sections = &self.snapshot.sections;
        let place = sections.binary_search_by_key(&answer.section, |section| section.ordinal);
        let section = sections.get(place.ok()?)?;
        let begin = section.begin;
        let took = section
            .end
            .and_then(|end| {
                self.snapshot
                    .ticks(begin.performance_counter, end.performance_counter)
            })
            .unwrap_or_default();
        (begin.system_time != 0).then(|| begin.system_time.saturating_add_unsigned(took))
    }

    /// The process list that others are compared with: the first.
    pub fn processes(&self) -> Option<&ProcessList<'s>> {
        self.process_lists.first()
    }

    /// The handle list that others are compared with: the first.
    pub fn handles(&self) -> Option<&HandleList<'s>> {
        self.handle_lists.first()
    }
}

fn incomplete(answer: &Answer<'_>) -> String {
    let source = names::source(answer.source).unwrap_or("a source unknown here");
    let class = names::information_class(answer.source, answer.class)
        .map_or_else(|| format!("class {}", answer.class), str::to_owned);
    format!(
        "section {} does not hold all of the answer of {source}, {class}: it was not compared",
        answer.section
    )
}

/// Whether all of an answer is there.
pub(super) fn is_complete(answer: &Answer<'_>) -> bool {
    answer.outcome == Outcome::COMPLETE
}
