//! The facts of the header, against the sections; and the clocks.

use std::collections::BTreeSet;

use bootshot_format::{MemoryKind, Source};

use super::Report;
use super::evidence::{Evidence, Process, Thread};
use crate::decode::{self, Buffer};
use crate::layout::PointerWidth;
use crate::layout::structures::{
    KUSER_SHARED_DATA as Shared, PEB as Peb, SYSTEM_BASIC_INFORMATION as Basic,
    SYSTEM_TIMEOFDAY_INFORMATION as TimeOfDay,
};
use crate::names;
use crate::value::Time;

/// How far the system clock may move against the interrupt time before it was set: adjusting its rate moves it by
/// microseconds during a capture, and both are read with a delay of a clock interrupt.
const CLOCK_TOLERANCE: i64 = 1_000_000;

pub(super) fn check(evidence: &Evidence<'_>, report: &mut Report<'_>) {
    if let Some(list) = evidence.processes() {
        let pid = evidence.snapshot.header.process_id;
        if !list.has(pid) {
            report.finding(
                "capture-not-listed",
                format!("process {pid}"),
                &[&list.answer],
                format!(
                    "the capture is process {pid}, by the header, which is not in the process list"
                ),
            );
        }
    }
    pointer_width(evidence, report);
    facts(evidence, report);
    clock(evidence, report);
}

fn pointer_width(evidence: &Evidence<'_>, report: &mut Report<'_>) {
    let header = &evidence.snapshot.header;
    let machine = names::machine(header.machine);
    let wide = machine.map(|machine| matches!(machine, "x64" | "arm64"));
    if let (Some(machine), Some(wide)) = (machine, wide)
        && wide != (header.pointer_width == 8)
    {
        report.finding(
            "pointer-width",
            "header",
            &[],
            format!(
                "the machine is {machine}, pointers take {} bytes",
                header.pointer_width
            ),
        );
    }
    let Some(list) = evidence.processes() else {
        return;
    };
    let width = evidence.snapshot.width();
    let other = match width {
        PointerWidth::Bits32 => PointerWidth::Bits64,
        PointerWidth::Bits64 => PointerWidth::Bits32,
    };
    // Read with the wrong width, a list seldom has an end where none should be, but its ids and threads are no ids.
    let fits = |width| {
        let buffer = Buffer::new(list.answer.bytes, list.answer.buffer_address, width);
        let mut problems = Vec::new();
        let entries = decode::processes(&buffer, list.class, &mut problems);
        let mut ids = BTreeSet::new();
        problems.is_empty()
            && entries.into_iter().map(Process::new).all(|process| {
                let is_owner = |thread: &Thread| thread.pid == process.pid;
                ids.insert(process.pid) && process.threads.iter().all(is_owner)
            })
    };
    if !fits(width) && fits(other) {
        report.finding(
            "pointer-width",
            "process list",
            &[&list.answer],
            format!(
                "the process list makes no sense with pointers of {} bytes, as the header says, and does with {}",
                width.bytes(),
                other.bytes()
            ),
        );
    }
}

fn facts(evidence: &Evidence<'_>, report: &mut Report<'_>) {
    let header = &evidence.snapshot.header;
    if let Some((answer, view)) = evidence.view::<TimeOfDay>(Source::SYSTEM_INFORMATION, 3)
        && let Some(told) = view.get(TimeOfDay::BootTime)
        && told != header.boot_time
        && header.boot_time != 0
    {
        let moment =
            |ticks| Time::new(ticks).map_or_else(|| "none".to_owned(), |time| time.to_string());
        report.finding(
            "boot-time",
            "header",
            &[&answer],
            format!(
                "the boot time is {} in the header and {} in the answer of class 3",
                moment(header.boot_time),
                moment(told)
            ),
        );
    }
    let basic = evidence.view::<Basic>(Source::SYSTEM_INFORMATION, 0);
    let shared = evidence.view::<Shared>(Source::OWN_MEMORY, MemoryKind::USER_SHARED_DATA.0);
    let peb = evidence.view::<Peb>(Source::OWN_MEMORY, MemoryKind::PEB.0);
    let of_shared = |field| {
        Some((
            shared.as_ref()?.0,
            "KUSER_SHARED_DATA",
            shared.as_ref()?.1.get(field)?,
        ))
    };
    let page_size = basic.as_ref().and_then(|(answer, view)| {
        Some((
            *answer,
            "SYSTEM_BASIC_INFORMATION",
            view.get(Basic::PageSize)?,
        ))
    });
    let build = peb.as_ref().and_then(|(answer, view)| {
        Some((*answer, "the PEB", u32::from(view.get(Peb::OSBuildNumber)?)))
    });
    for (what, told, place) in [
        ("page size", header.page_size, page_size),
        (
            "NT major version",
            header.nt_major,
            of_shared(Shared::NtMajorVersion),
        ),
        (
            "NT minor version",
            header.nt_minor,
            of_shared(Shared::NtMinorVersion),
        ),
        ("boot id", header.boot_id, of_shared(Shared::BootId)),
        ("NT build", header.nt_build, build),
    ] {
        if let Some((answer, place, value)) = place.filter(|(.., value)| *value != told) {
            report.finding(
                "header-fact",
                what,
                &[&answer],
                format!("the {what} is {told} in the header and {value} in {place}"),
            );
        }
    }
}

/// System time and interrupt time run together until somebody sets the clock, and sections were asked one after the
/// other.
fn clock(evidence: &Evidence<'_>, report: &mut Report<'_>) {
    let header = &evidence.snapshot.header;
    let distance = |system_time: i64, interrupt_time: u64| {
        (system_time != 0).then(|| i128::from(system_time) - i128::from(interrupt_time))
    };
    let first = distance(header.system_time, header.interrupt_time);
    let sections = evidence.snapshot.sections.iter().map(|section| {
        let begin = section.begin;
        let place = format!("section {}", section.ordinal);
        (place, begin.system_time, begin.interrupt_time)
    });
    let trailer = evidence.snapshot.trailer.map(|trailer| {
        (
            "the trailer".to_owned(),
            trailer.system_time,
            trailer.interrupt_time,
        )
    });
    for (place, system_time, interrupt_time) in sections.chain(trailer) {
        let Some(moved) = distance(system_time, interrupt_time)
            .zip(first)
            .map(|(now, first)| now - first)
            .filter(|moved| moved.abs() > CLOCK_TOLERANCE.into())
        else {
            continue;
        };
        report.finding(
            "clock-step",
            "system time",
            &[],
            format!(
                "between the header and {place} the system time moved by {:.3} s against the interrupt time",
                moved as f64 / 10_000_000.0
            ),
        );
        break;
    }
    let counters = evidence.snapshot.sections.windows(2);
    for pair in counters {
        let (before, after) = (&pair[0], &pair[1]);
        if after.begin.performance_counter < before.begin.performance_counter {
            report.finding(
                "asked-out-of-order",
                format!("section {}", after.ordinal),
                &[],
                format!(
                    "section {} was asked for before section {}, by the performance counter",
                    after.ordinal, before.ordinal
                ),
            );
        }
    }
}
