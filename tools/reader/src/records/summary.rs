//! The snapshot at a glance: the system, the run, and every section with what came of it.

use bootshot_format::{NoteKind, Outcome, PhaseSource, Source};
use serde::Serialize;

use super::Reading;
use crate::decode::{self, HandleClass, ModuleClass, PageFileClass, ProcessClass};
use crate::layout::structures::{KUSER_SHARED_DATA as Shared, SYSTEM_BASIC_INFORMATION as Basic};
use crate::names;
use crate::redact::Redaction;
use crate::snapshot::{Answer, Completeness, Condition, Section, Snapshot};
use crate::value::Time;

/// A snapshot at a glance.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Version of the JSON schema.
    pub schema_version: u32,
    /// Version of the file format.
    pub format_version: u16,
    /// Version of bootshot.exe.
    pub writer_version: String,
    /// Random id of the snapshot.
    pub snapshot_id: String,
    /// Grows with every snapshot of a directory.
    pub sequence: u64,
    /// `bootexecute`, `setupexecute` or `live`.
    pub phase: &'static str,
    /// `argument` or `observed`.
    pub phase_source: &'static str,
    /// How far the capture came.
    pub completeness: Completeness,
    /// What was removed before it was shown to others; null for a snapshot as it was taken.
    pub redacted: Option<Redaction>,
    /// When it began. The clock can be wrong this early.
    pub start_time: Option<Time>,
    /// From the system's start to the capture's, 100 ns units.
    pub since_boot: u64,
    /// How long it took, 100 ns units; null without a trailer.
    pub duration: Option<u64>,
    /// Process id of the capture.
    pub pid: u64,
    /// The system.
    pub system: System,
    /// Privileges asked for.
    pub privileges: Vec<Privilege>,
    /// Arguments that were not understood.
    pub bad_arguments: Vec<String>,
    /// NT path of the directory the snapshot was written to.
    pub output_directory: Option<String>,
    /// How many of everything there are.
    pub counts: Counts,
    /// What the capture itself cost.
    pub cost: Cost,
    /// The sections.
    pub sections: Vec<SectionSummary>,
}

/// What the capture cost: time and bytes.
#[derive(Clone, Debug, Serialize)]
pub struct Cost {
    /// From the start of the system to the capture's first instruction, 100 ns units of the interrupt time.
    pub boot_to_first_instruction: u64,
    /// From then to its end, 100 ns units; null without a trailer.
    pub duration: Option<u64>,
    /// Of that, what was spent between the sections, 100 ns units.
    pub between_sections: Option<u64>,
    /// Bytes of all answers.
    pub bytes: u64,
    /// The same for each family.
    pub families: Vec<FamilyCost>,
    /// Families that were not captured.
    pub skipped: Vec<SkippedFamily>,
}

/// What one family cost.
#[derive(Clone, Debug, Serialize)]
pub struct FamilyCost {
    /// The family.
    pub family: &'static str,
    /// Sections.
    pub sections: u64,
    /// Questions: items of batches, and sections that are none.
    pub questions: u64,
    /// Bytes.
    pub bytes: u64,
    /// Time, 100 ns units; null when a section has no end.
    pub duration: Option<u64>,
}

/// A family that was not captured.
#[derive(Clone, Debug, Serialize)]
pub struct SkippedFamily {
    /// The family.
    pub family: &'static str,
    /// `skipped by phase`, `skipped by argument`, `skipped by budget`.
    pub outcome: &'static str,
}

/// The system that was captured.
#[derive(Clone, Debug, Serialize)]
pub struct System {
    /// Version of NT: `10.0.26100`.
    pub nt_version: String,
    /// `x86`, `x64` or `arm64`: the machine of the capture, which is the system's.
    pub machine: Option<&'static str>,
    /// Size of a pointer in bytes.
    pub pointer_width: u8,
    /// Bytes of a page.
    pub page_size: u32,
    /// Processors in use.
    pub processors: Option<u32>,
    /// The system's directory as programs see it.
    pub system_root: Option<String>,
    /// When it started.
    pub boot_time: Option<Time>,
    /// The boot's number, since Windows 8.
    pub boot_id: Option<u32>,
}

/// A privilege the capture asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Privilege {
    /// Name, or number.
    pub name: String,
    /// Whether it got it.
    pub held: bool,
}

/// How many of everything there are; null where no class was answered.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Counts {
    /// Processes.
    pub processes: Option<u64>,
    /// Threads.
    pub threads: Option<u64>,
    /// Handles.
    pub handles: Option<u64>,
    /// Object types.
    pub types: Option<u64>,
    /// Kernel modules.
    pub modules: Option<u64>,
}

/// A section: one answer, or a batch of them.
#[derive(Clone, Debug, Serialize)]
pub struct SectionSummary {
    /// Ordinal.
    pub section: u32,
    /// The family: what `only=` and `skip=` name.
    pub family: &'static str,
    /// Where in the file it starts.
    pub file_offset: u64,
    /// Whether it can be relied on.
    pub condition: Condition,
    /// The question, and what came of it.
    #[serde(flatten)]
    pub answer: ItemSummary,
    /// How long it took, 100 ns units; null when it is torn.
    pub duration: Option<u64>,
    /// The answers in it, when it is a batch.
    pub items: Vec<ItemSummary>,
}

/// A question, and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct ItemSummary {
    /// Who was asked.
    pub source: String,
    /// The information class, or what the source defines.
    pub class: u32,
    /// Its name.
    pub class_name: Option<&'static str>,
    /// First argument: a process id, a handle, a LUID.
    pub argument: u64,
    /// Object, key or directory.
    pub name: Option<String>,
    /// Registry value.
    pub value_name: Option<String>,
    /// `complete`, `failed`, and so on.
    pub outcome: &'static str,
    /// `NTSTATUS`, as `0xC0000003`.
    pub status: String,
    /// Its name.
    pub status_name: Option<&'static str>,
    /// How many entries it has, where it is a list that this reader knows.
    pub count: Option<u64>,
    /// Bytes.
    pub bytes: u64,
    /// Calls it took.
    pub tries: u16,
}

impl Snapshot<'_> {
    /// The snapshot at a glance. The problems are those of the file itself.
    pub fn summary(&self) -> Reading<Summary> {
        self.summary_with(self.sections())
    }

    /// As [`summary`](Self::summary), without the items of batches, of which there can be a million: how many a batch has
    /// is the `count` of its answer.
    pub fn overview(&self) -> Reading<Summary> {
        let sections = self.sections.iter();
        self.summary_with(
            sections
                .map(|section| self.section_alone(section))
                .collect(),
        )
    }

    fn summary_with(&self, sections: Vec<SectionSummary>) -> Reading<Summary> {
        let header = &self.header;
        let [_, major, minor, patch] = header.writer_version.to_be_bytes();
        Reading {
            value: Summary {
                schema_version: super::SCHEMA_VERSION,
                format_version: header.version,
                writer_version: format!("{major}.{minor}.{patch}"),
                snapshot_id: header
                    .snapshot_id
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect(),
                sequence: header.sequence,
                phase: header.phase.name(),
                phase_source: match header.phase_source {
                    PhaseSource::ARGUMENT => "argument",
                    PhaseSource::OBSERVED => "observed",
                    _ => "unknown",
                },
                completeness: self.completeness(),
                redacted: Redaction::of(header),
                start_time: Time::new(header.system_time),
                since_boot: header.interrupt_time,
                duration: self.duration(),
                pid: header.process_id,
                system: self.system(),
                privileges: self.privileges(),
                bad_arguments: self
                    .answers_from(Source::NOTE)
                    .filter(|answer| is_note(answer, NoteKind::BAD_ARGUMENT))
                    .map(|answer| answer.name())
                    .collect(),
                output_directory: self
                    .answers_from(Source::NOTE)
                    .find(|answer| is_note(answer, NoteKind::OUTPUT_DIRECTORY))
                    .map(|answer| answer.name()),
                counts: self.counts(),
                cost: self.cost(&sections),
                sections,
            },
            problems: self.problems.clone(),
        }
    }

    fn cost(&self, sections: &[SectionSummary]) -> Cost {
        let mut families: Vec<FamilyCost> = Vec::new();
        for section in sections.iter().filter(|section| !section.is_skipped()) {
            // There are about a dozen families, however many sections a file has.
            let place = families
                .iter()
                .position(|cost| cost.family == section.family);
            let place = place.unwrap_or_else(|| {
                families.push(FamilyCost {
                    family: section.family,
                    sections: 0,
                    questions: 0,
                    bytes: 0,
                    duration: Some(0),
                });
                families.len() - 1
            });
            let cost = &mut families[place];
            cost.sections += 1;
            cost.questions += match section.answer.source == source_name(Source::BATCH) {
                true => section.answer.count.unwrap_or(0).max(1),
                false => 1,
            };
            cost.bytes += section.answer.bytes;
            cost.duration = add(cost.duration, section.duration);
        }
        let duration = self.duration();
        let inside = families
            .iter()
            .try_fold(0, |sum: u64, cost| Some(sum.saturating_add(cost.duration?)));
        Cost {
            boot_to_first_instruction: self.header.interrupt_time,
            duration,
            between_sections: duration
                .zip(inside)
                .and_then(|(all, inside)| all.checked_sub(inside)),
            bytes: sections.iter().map(|section| section.answer.bytes).sum(),
            families,
            skipped: sections
                .iter()
                .filter(|section| section.is_skipped())
                .map(|section| SkippedFamily {
                    family: section.family,
                    outcome: section.answer.outcome,
                })
                .collect(),
        }
    }

    /// How long the capture took, 100 ns units; none without a trailer.
    fn duration(&self) -> Option<u64> {
        let end = self.trailer?.performance_counter;
        self.ticks(self.header.performance_counter, end)
    }

    /// Every section with what came of it, and every answer in a batch.
    pub fn sections(&self) -> Vec<SectionSummary> {
        self.sections
            .iter()
            .map(|section| self.section(section))
            .collect()
    }

    /// The same one after the other: a section alone, and each answer in it with its number.
    pub(crate) fn each_question(
        &self,
        mut each: impl FnMut(&SectionSummary, Option<(usize, ItemSummary)>),
    ) {
        for section in &self.sections {
            let summary = self.section_alone(section);
            each(&summary, None);
            if section.is_batch() {
                for (number, answer) in self.answers_in(section).enumerate() {
                    each(&summary, Some((number, item(&answer))));
                }
            }
        }
    }

    fn section(&self, section: &Section<'_>) -> SectionSummary {
        let mut summary = self.section_alone(section);
        if section.is_batch() {
            summary.items = self
                .answers_in(section)
                .map(|answer| item(&answer))
                .collect();
        }
        summary
    }

    fn section_alone(&self, section: &Section<'_>) -> SectionSummary {
        let single = self
            .answers_in(section)
            .next()
            .filter(|_| !section.is_batch());
        let is_damaged = section.condition == Condition::Damaged;
        let end = section.end.as_ref();
        let mut answer = single.as_ref().map_or_else(
            || ItemSummary {
                source: source_name(section.begin.source),
                class: section.begin.class,
                class_name: None,
                argument: section.begin.argument,
                name: Some(section.name()).filter(|name| !name.is_empty()),
                value_name: None,
                outcome: names::outcome(section.outcome()),
                status: format!("0x{:08X}", end.map_or(0, |end| end.status)),
                status_name: names::status(end.map_or(0, |end| end.status)),
                count: Some(section.payload.item_count() as u64),
                bytes: section.payload.len() as u64,
                tries: end.map_or(0, |end| end.tries),
            },
            item,
        );
        // What is damaged is not interpreted.
        if is_damaged && !section.is_batch() {
            answer.count = None;
        }
        SectionSummary {
            section: section.ordinal,
            family: section.begin.family.name(),
            file_offset: section.file_offset,
            condition: section.condition,
            answer,
            duration: end.and_then(|end| {
                self.ticks(section.begin.performance_counter, end.performance_counter)
            }),
            items: Vec::new(),
        }
    }

    /// The time between two values of the performance counter, 100 ns units.
    pub(crate) fn ticks(&self, from: u64, to: u64) -> Option<u64> {
        let counts = u128::from(to.checked_sub(from)?);
        let frequency = u128::from(self.header.performance_frequency);
        u64::try_from((counts * 10_000_000).checked_div(frequency)?).ok()
    }

    fn system(&self) -> System {
        let header = &self.header;
        let shared = self.shared_data();
        System {
            nt_version: format!(
                "{}.{}.{}",
                header.nt_major, header.nt_minor, header.nt_build
            ),
            machine: names::machine(header.machine),
            pointer_width: header.pointer_width,
            page_size: header.page_size,
            processors: self.processors(),
            system_root: shared
                .and_then(|shared| shared.get(Shared::NtSystemRoot))
                .map(|units| {
                    let length = units.iter().position(|unit| *unit == 0);
                    String::from_utf16_lossy(&units[..length.unwrap_or(units.len())])
                })
                .filter(|root| !root.is_empty()),
            boot_time: Time::new(header.boot_time),
            boot_id: (header.boot_id != 0).then_some(header.boot_id),
        }
    }

    fn processors(&self) -> Option<u32> {
        self.system_field(0, Basic::NumberOfProcessors)
            .map(u32::from)
    }

    fn privileges(&self) -> Vec<Privilege> {
        let header = &self.header;
        (0..64)
            .filter(|bit| header.privileges_wanted >> bit & 1 != 0)
            .map(|bit| Privilege {
                name: names::privilege(bit).map_or_else(|| bit.to_string(), str::to_owned),
                held: header.privileges_held >> bit & 1 != 0,
            })
            .collect()
    }

    fn counts(&self) -> Counts {
        let mut ignored = Vec::new();
        let processes = self.process_entries(&mut ignored);
        let some = |count: usize| (count != 0).then_some(count as u64);
        Counts {
            processes: some(processes.len()),
            threads: some(processes.iter().map(|process| process.threads.len()).sum()),
            handles: some(self.handle_list(&mut ignored).map_or(0, |list| list.len())),
            types: some(self.types().value.len()),
            modules: some(self.module_entries(&mut ignored).len()),
        }
    }
}

fn add(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    Some(one?.saturating_add(other?))
}

impl SectionSummary {
    /// Whether it stands for a family that was not captured.
    fn is_skipped(&self) -> bool {
        self.answer.outcome.starts_with("skipped")
    }
}

fn is_note(answer: &Answer<'_>, kind: NoteKind) -> bool {
    answer.class == kind.0
}

fn source_name(source: Source) -> String {
    names::source(source).map_or_else(|| format!("source {}", source.0), str::to_owned)
}

fn item(answer: &Answer<'_>) -> ItemSummary {
    ItemSummary {
        source: source_name(answer.source),
        class: answer.class,
        class_name: names::information_class(answer.source, answer.class),
        argument: answer.argument,
        name: Some(answer.name()).filter(|name| !name.is_empty()),
        value_name: Some(answer.value_name()).filter(|name| !name.is_empty()),
        outcome: names::outcome(answer.outcome),
        status: format!("0x{:08X}", answer.status),
        status_name: names::status(answer.status),
        count: count(answer),
        bytes: answer.bytes.len() as u64,
        tries: answer.tries,
    }
}

/// The number of entries in an answer that is a list.
fn count(answer: &Answer<'_>) -> Option<u64> {
    let buffer = answer.buffer();
    let mut ignored = Vec::new();
    match answer.source {
        // The status of a run is that of the call that ended it.
        Source::SUBKEYS if answer.class == 0 => {
            return Some(decode::subkeys(&buffer, &mut ignored).len() as u64);
        }
        Source::KEY_VALUES if answer.class == 1 => {
            return Some(decode::key_values(&buffer, &mut ignored).len() as u64);
        }
        _ if !answer.succeeded() || answer.outcome == Outcome::FAILED => return None,
        _ => {}
    }
    let class = answer.class;
    let count = match answer.source {
        Source::OBJECT_INFORMATION if class == 3 => {
            decode::object_types(&buffer, &mut ignored).len()
        }
        Source::DIRECTORY_OBJECT => decode::directory_entries(&buffer, &mut ignored).len(),
        Source::FIRMWARE_VARIABLES if class == 2 => {
            decode::firmware_variables(&buffer, &mut ignored).len()
        }
        Source::FIRMWARE_VARIABLES if class == 1 => {
            decode::firmware_variable_names(&buffer, &mut ignored).len()
        }
        Source::SYSTEM_INFORMATION if class == 22 => decode::pool_tags(&buffer, &mut ignored).len(),
        Source::SYSTEM_INFORMATION => {
            if let Some(class) = ProcessClass::from_number(class) {
                decode::processes(&buffer, class, &mut ignored).len()
            } else if let Some(class) = HandleClass::from_number(class) {
                decode::each_handle(&buffer, class, &mut ignored).count()
            } else if let Some(class) = ModuleClass::from_number(class) {
                decode::modules(&buffer, class, &mut ignored).len()
            } else if let Some(class) = PageFileClass::from_number(class) {
                decode::page_files(&buffer, class, &mut ignored).len()
            } else {
                return None;
            }
        }
        _ => return None,
    };
    Some(count as u64)
}
