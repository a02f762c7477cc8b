//! Processes and threads that have ended and still exist.

use bootshot_format::Family;

use super::Side;
use crate::diff::captured;
use crate::diff::item::{Extraction, Gaps, Item, Value};
use crate::records::{ENDED_THREADS, Zombie};

const PROCESS: &str = "process\0";
const THREAD: &str = "thread\0";

pub(super) fn extract(side: &Side<'_>) -> Extraction {
    // Live, some are known through the handles of others, which family `names` asks.
    let harm = captured::family(side.snapshot, Family::ENDED)
        .or_else(|| captured::harm(side.snapshot, Family::NAMES));
    if let Some(reason) = harm {
        return Extraction::missing(reason);
    }
    let reading = side.snapshot.zombies();
    let mut gaps = Gaps::default();
    for (prefix, what) in [(PROCESS, "ended processes"), (THREAD, ENDED_THREADS)] {
        if let Some(reason) = captured::problem_about(&reading.problems, what) {
            gaps.below.push((prefix.to_owned(), reason));
        }
    }
    let zombies = reading.value;
    let processes = zombies.processes.iter().map(|zombie| (PROCESS, zombie));
    let threads = zombies.threads.iter().map(|zombie| (THREAD, zombie));
    Extraction {
        items: processes
            .chain(threads)
            .map(|(prefix, zombie)| item(side, prefix, zombie))
            .collect(),
        gaps,
    }
}

/// Within a boot one is known by its id and when it was started, between boots by what it was and how it ended.
fn item(side: &Side<'_>, prefix: &str, zombie: &Zombie) -> Item {
    let image = zombie.image.as_deref().unwrap_or("process");
    let id = zombie.tid.or(zombie.pid).unwrap_or_default();
    let started = zombie.create_time.map_or(0, |time| time.ticks());
    let identity = match side.same_boot {
        true => format!("{prefix}{id}\0{started}"),
        false => format!(
            "{prefix}{}\0{}",
            image.to_lowercase(),
            zombie.exit_status.as_deref().unwrap_or_default()
        ),
    };
    let name = match zombie.tid {
        Some(tid) => format!("{image} thread {tid}"),
        None => format!("{image} {id}"),
    };
    // A holder that is not in the list of processes is not known well enough to be compared.
    let holders = zombie.holders.as_ref().and_then(|holders| {
        let mut holders = holders
            .iter()
            .filter(|holder| !side.is_capture(holder.pid))
            .map(|holder| {
                let image = holder.image.as_ref()?;
                Some(match side.same_boot {
                    true => format!("{image} {}", holder.pid),
                    false => image.to_string(),
                })
            })
            .collect::<Option<Vec<String>>>()?;
        holders.sort();
        holders.dedup();
        Some(holders)
    });
    Item {
        order: started,
        ..Item::new(identity, name)
            .telling("pid", zombie.pid.map(Value::Count))
            .telling("exit_time", zombie.exit_time.map(Value::Time))
            .with(
                "exit_status",
                zombie.exit_status.as_deref().map(Value::text),
            )
            .with("path", zombie.path.clone().map(Value::Path))
            .with("holders", holders.map(Value::Texts))
    }
}
