//! Processes, and who started whom.

use std::collections::BTreeMap;

use bootshot_reader::records::{ParentStatus, Process, ProcessJob};

use crate::explore::table::{Column, Records};
use crate::explore::value::Value;
use crate::shown;

const IMAGE: usize = 2;

static COLUMNS: [Column<Process>; 13] = [
    Column::right("PID", 6, |process| Value::Number(process.pid)),
    Column::right("PARENT", 7, parent),
    Column::left("IMAGE", 22, |process| {
        Value::optional(process.image.as_deref(), Value::text)
    }),
    Column::right("THREADS", 8, |process| {
        Value::Number(process.thread_count.into())
    }),
    Column::right("HANDLES", 8, |process| {
        Value::Number(process.handle_count.into())
    }),
    Column::right("COMMIT", 9, |process| Value::Size(process.private_commit)),
    Column::right("WORKING SET", 11, |process| {
        Value::Size(process.working_set)
    }),
    Column::left("STARTED", 23, |process| {
        Value::optional(process.create_time, Value::Time)
    }),
    Column::left("PROTECTION", 18, |process| {
        let protection = process.protection.as_deref();
        Value::optional(protection.filter(|name| *name != "none"), Value::text)
    }),
    Column::left("MACHINE", 7, |process| {
        Value::optional(process.machine, Value::text)
    }),
    Column::left("SUBSYSTEM", 15, |process| {
        Value::optional(process.subsystem, Value::text)
    }),
    Column::left("USER", 20, |process| {
        Value::optional(process.user.as_deref(), Value::text)
    }),
    Column::left("COMMAND LINE", 40, |process| {
        Value::optional(process.command_line.as_deref(), Value::text)
    }),
];

static DETAILS: [Column<Process>; 12] = [
    Column::left("PATH", 0, |process| {
        Value::optional(process.path.as_deref(), Value::text)
    }),
    Column::left("PARENT IS", 0, |process| {
        Value::optional(process.parent_status, |status| {
            Value::text(match status {
                ParentStatus::Alive => "alive",
                ParentStatus::Exited => "exited",
                ParentStatus::PidReused => "exited, and its id is another's by now",
            })
        })
    }),
    Column::left("SESSION", 0, |process| {
        Value::optional(process.session, |session| Value::Number(session.into()))
    }),
    Column::left("INTEGRITY", 0, |process| {
        Value::optional(process.integrity.as_deref(), Value::text)
    }),
    Column::left("JOB", 0, |process| {
        Value::optional(process.job.as_ref(), |job| Value::made(self::job(job)))
    }),
    Column::left("SILO", 0, |process| {
        Value::optional(process.silo, |silo| Value::Number(silo.into()))
    }),
    Column::left("PRIVATE WORKING SET", 0, |process| {
        let bytes = process.private_working_set;
        Value::optional(bytes.and_then(|bytes| bytes.try_into().ok()), Value::Size)
    }),
    Column::left("PEAK WORKING SET", 0, |process| {
        Value::Size(process.peak_working_set)
    }),
    Column::left("VIRTUAL SIZE", 0, |process| {
        Value::Size(process.virtual_size)
    }),
    Column::left("PAGE FAULTS", 0, |process| {
        Value::Number(process.page_faults.into())
    }),
    Column::left("USER TIME", 0, |process| duration(process.user_time)),
    Column::left("KERNEL TIME", 0, |process| duration(process.kernel_time)),
];

/// The processes with their tree: a parent whose id was reused is no parent.
pub fn processes(rows: Vec<Process>) -> Records<Process> {
    let mut places = BTreeMap::new();
    for (row, process) in (0..).zip(&rows) {
        places.entry(process.pid).or_insert(row);
    }
    let parents = rows
        .iter()
        .map(|process| {
            let alive = process.parent_status == Some(ParentStatus::Alive);
            let parent = (alive && process.parent_pid != process.pid).then_some(process.parent_pid);
            places.get(&parent?).copied()
        })
        .collect();
    Records {
        parents,
        main: IMAGE,
        label: COLUMNS[IMAGE].value(),
        details: &DETAILS,
        ..Records::flat(rows, &COLUMNS)
    }
}

/// One that has ended stands in parentheses.
fn parent(process: &Process) -> Value<'_> {
    let pid = process.parent_pid;
    Value::optional(process.parent_status, |status| match status {
        ParentStatus::Alive => Value::Number(pid),
        ParentStatus::Exited | ParentStatus::PidReused => Value::Marked(pid, format!("({pid})")),
    })
}

fn duration<'a>(ticks: i64) -> Value<'a> {
    let ticks = u64::try_from(ticks).ok();
    Value::optional(ticks, |ticks| Value::made(shown::duration(ticks)))
}

/// The name of a process's job, else what is known of it.
fn job(job: &ProcessJob) -> String {
    match (&job.name, job.address, job.id) {
        (Some(name), _, _) => name.to_string(),
        (None, _, Some(id)) => format!("job {id}"),
        (None, Some(address), None) => address.to_string(),
        (None, None, None) => if job.in_job { "yes" } else { "no" }.to_owned(),
    }
}
