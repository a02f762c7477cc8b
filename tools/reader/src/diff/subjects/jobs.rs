//! Jobs: by name, and those without one by the images of their processes.

use std::collections::BTreeSet;

use bootshot_format::{Family, Phase};

use super::{Side, processes};
use crate::diff::captured;
use crate::diff::item::{Extraction, Gaps, Item, Value};

/// What the identities of jobs without a name begin with.
const UNNAMED: &str = "unnamed\0";

pub(super) fn extract(side: &Side<'_>) -> Extraction {
    let mut gaps = Gaps::default();
    gaps.note(captured::family(side.snapshot, Family::NAMESPACE));
    gaps.note(captured::harm(side.snapshot, Family::NAMES));
    if side.snapshot.header.phase != Phase::LIVE {
        let reason = "jobs without a name can be asked on a running system only";
        gaps.below.push((UNNAMED.to_owned(), reason.to_owned()));
    } else if let Some(reason) = captured::family(side.snapshot, Family::NAMES) {
        gaps.below.push((UNNAMED.to_owned(), reason));
    }
    if let Some(reason) = processes::gaps(side).all {
        let reason = format!("the processes: {reason}");
        gaps.below.push((UNNAMED.to_owned(), reason));
    }
    // Found by its name and through somebody's handle, a job is listed twice where its address is hidden.
    let mut seen = BTreeSet::new();
    let jobs = side.snapshot.jobs().value.into_iter();
    let jobs = jobs.filter(|job| match &job.naming.name {
        Some(name) => seen.insert(name.to_string()),
        // It is known by its processes only.
        None => job.process_ids.is_some(),
    });
    let items = jobs.map(|job| {
        // With a process that is not in the list, they are not known well enough to be compared.
        let processes = job.process_ids.as_ref().and_then(|ids| {
            let images = ids.iter().map(|pid| Some(side.image(*pid)?.to_string()));
            let mut images = images.collect::<Option<Vec<String>>>()?;
            images.sort();
            Some(images)
        });
        let item = match job.naming.name {
            Some(name) => Item::new(side.forms.normal(&name.to_string()), name),
            None => {
                let images = processes.clone().unwrap_or_default().join(", ");
                let name = format!("(unnamed job of {images})");
                Item::new(format!("{UNNAMED}{}", images.to_lowercase()), name)
            }
        };
        let limits = job.limits.as_ref();
        let size = |size: Option<u64>| limits.map(|_| size.map_or(Value::Absent, Value::Bytes));
        let silo = job.silo.as_ref().and_then(|silo| silo.id);
        Item {
            of_capture: job.of_capture,
            ..item
                .with(
                    "limits",
                    limits.map(|limits| {
                        let names = limits.flag_names.iter();
                        Value::Texts(names.map(ToString::to_string).collect())
                    }),
                )
                .with(
                    "process_memory",
                    size(limits.and_then(|limits| limits.process_memory)),
                )
                .with(
                    "job_memory",
                    size(limits.and_then(|limits| limits.job_memory)),
                )
                .with("processes", processes.map(Value::Texts))
                .with("silo", silo.map(|id| Value::Count(id.into())))
        }
    });
    Extraction {
        items: items.collect(),
        gaps,
    }
}
