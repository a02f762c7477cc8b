//! `jobs`: the jobs with their limits, what their processes used, and who holds them.

use bootshot_reader::records::{Job, JobLimits};
use bootshot_reader::tables;

use crate::commands::objects;
use crate::error::{Error, Outcome};
use crate::output::{self, Pairs};
use crate::reading::{self, Input};
use crate::selection::Selection;
use crate::shown;

/// Arguments of `jobs`.
#[derive(clap::Args)]
#[command(after_help = "\
A job is a group of processes with limits of its own; a silo is a job with a namespace of its own, a server silo a Windows \
container. Of a job that bootshot could not open only its handles are known.

Example: bootshotctl jobs --json")]
pub struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    selection: Selection,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
    let mut reading = snapshot.jobs();
    let jobs = &mut reading.value;
    args.selection.apply(&tables::JOBS, jobs)?;
    args.selection
        .show(args.input.json, &tables::JOBS, jobs, jobs, |jobs| {
            for job in jobs {
                print(job)?;
                output::line("")?;
            }
            output::line(shown::count(jobs.len(), "job", "jobs"))
        })?;
    Ok(reading::finish(&snapshot, &reading.problems))
}

fn print(job: &Job) -> Result<(), Error> {
    let mut pairs = Pairs::default();
    let name = if job.of_capture {
        "the job that the capture ran in".to_owned()
    } else {
        job.naming.to_string()
    };
    pairs.add("job", name);
    pairs.add("  object", shown::optional(job.address));
    pairs.add("  limits", shown::optional(job.limits.as_ref().map(limits)));
    if let Some(accounting) = &job.accounting {
        let ticks = |ticks: Option<i64>| {
            shown::optional(ticks.map(|ticks| shown::duration(ticks.unsigned_abs())))
        };
        pairs.add(
            "  used",
            format!(
                "{} in user mode, {} in the kernel, {} page faults",
                ticks(accounting.user_time),
                ticks(accounting.kernel_time),
                shown::optional(accounting.page_faults)
            ),
        );
        pairs.add(
            "  processes",
            format!(
                "{} now, {} ever, {} ended by a limit",
                shown::optional(accounting.active_processes),
                shown::optional(accounting.total_processes),
                shown::optional(accounting.terminated_processes)
            ),
        );
    }
    if let Some(ids) = &job.process_ids {
        let ids: Vec<_> = ids.iter().map(u64::to_string).collect();
        pairs.add("  process ids", ids.join(" "));
    }
    if let Some(silo) = &job.silo {
        let kind = match silo.in_server_silo {
            Some(true) => "server silo",
            _ => "silo",
        };
        pairs.add(
            "  silo",
            format!(
                "{kind} {}, of silo {}, {} processes",
                shown::optional(silo.id),
                shown::optional(silo.parent_id),
                shown::optional(silo.process_count)
            ),
        );
    }
    for error in &job.errors {
        pairs.add("  refused", error.clone());
    }
    pairs.add("  held by", objects::holders(&job.holders));
    pairs.print()
}

/// The limits that are in force, with their numbers.
fn limits(limits: &JobLimits) -> String {
    if limits.flag_names.is_empty() {
        return "none".to_owned();
    }
    let number = |name: &str| match name {
        "active processes" => limits.active_processes.map(|count| count.to_string()),
        "process memory" => limits.process_memory.map(shown::size),
        "job memory" => limits.job_memory.map(shown::size),
        "affinity" => limits.affinity.map(|mask| mask.to_string()),
        "priority class" => limits.priority_class.map(|class| class.to_string()),
        "scheduling class" => limits.scheduling_class.map(|class| class.to_string()),
        "process time" => limits
            .process_user_time
            .map(|ticks| shown::duration(ticks.unsigned_abs())),
        "job time" => limits
            .job_user_time
            .map(|ticks| shown::duration(ticks.unsigned_abs())),
        "working set" => limits.maximum_working_set.map(shown::size),
        _ => None,
    };
    let named: Vec<String> = limits
        .flag_names
        .iter()
        .map(|name| match number(name) {
            Some(number) => format!("{name} {number}"),
            None => name.to_string(),
        })
        .collect();
    named.join(", ")
}
