//! Views: the questions that people ask most often, as SQL.

/// A question with a name.
pub struct View {
    pub name: &'static str,
    /// What it tells, a sentence.
    pub meaning: &'static str,
    pub select: &'static str,
}

/// All views. Every one has the snapshot's id first, but those that compare snapshots.
pub const VIEWS: &[View] = &[
    View {
        name: "process_tree",
        meaning: "Processes below those that started them, with their depth; order by lineage to see the tree.",
        // Below the first of an id only, so that every process stands once: no invented list of processes makes circles or
        // grows without end.
        select: "\
WITH RECURSIVE
one AS (
    SELECT snapshot_id, pid, parent_pid, parent_status, image, create_time,
        rowid IN (SELECT min(rowid) FROM processes GROUP BY snapshot_id, pid) AS is_first
    FROM processes
),
tree AS (
    SELECT one.*, 0 AS depth, printf('%010d', pid) AS lineage
    FROM one
    WHERE parent_status IS NOT 'alive' OR parent_pid = pid
        OR NOT EXISTS (
            SELECT 1 FROM one AS parent
            WHERE parent.snapshot_id = one.snapshot_id AND parent.pid = one.parent_pid
        )
    UNION ALL
    SELECT one.*, tree.depth + 1, tree.lineage || '/' || printf('%010d', one.pid)
    FROM tree
    JOIN one ON one.snapshot_id = tree.snapshot_id AND one.parent_pid = tree.pid
    WHERE tree.is_first AND one.parent_status = 'alive' AND one.pid <> one.parent_pid
)
SELECT snapshot_id, pid, parent_pid, depth, printf('%*s', depth * 2, '') || ifnull(image, '?') AS tree,
    image, create_time, lineage
FROM tree
ORDER BY snapshot_id, lineage",
    },
    View {
        name: "commit_by_process",
        meaning: "Private commit of each process beside its private working set, bytes, and its share of the commit charge in percent; the most first.",
        select: "\
SELECT process_memory.snapshot_id, pid, image, private_commit, private_working_set,
    round(100.0 * private_commit / commit_total, 1) AS percent
FROM process_memory
LEFT JOIN memory ON memory.snapshot_id = process_memory.snapshot_id
ORDER BY private_commit DESC",
    },
    View {
        name: "handles_by_type",
        meaning: "Handles to objects of each type, and in how many processes; the most first.",
        select: "\
SELECT snapshot_id, type, count(*) AS handles, count(DISTINCT pid) AS processes
FROM handles
GROUP BY snapshot_id, type
ORDER BY handles DESC",
    },
    View {
        name: "handles_by_process",
        meaning: "Handles of each process, and to how many types; the most first.",
        select: "\
SELECT snapshot_id, pid, image, count(*) AS handles, count(DISTINCT type) AS types
FROM handles
GROUP BY snapshot_id, pid
ORDER BY handles DESC",
    },
    View {
        name: "zombies_by_holder",
        meaning: "Who keeps ended processes and threads, and how many; the most first.",
        select: "\
SELECT holders.snapshot_id, holders.pid, holders.image,
    count(DISTINCT CASE WHEN zombies.tid IS NULL THEN zombies.zombie_id END) AS processes,
    count(DISTINCT CASE WHEN zombies.tid IS NOT NULL THEN zombies.zombie_id END) AS threads,
    count(*) AS handles
FROM zombie_holders AS holders
JOIN zombies ON zombies.snapshot_id = holders.snapshot_id AND zombies.zombie_id = holders.zombie_id
GROUP BY holders.snapshot_id, holders.pid, holders.image
ORDER BY processes DESC, threads DESC",
    },
    View {
        name: "named_objects_with_holders",
        meaning: "Objects that have a name, and the processes that have them open.",
        select: "\
SELECT objects.snapshot_id, objects.object_id, objects.type, objects.name, objects.handle_count,
    count(DISTINCT holders.pid) AS processes,
    group_concat(DISTINCT ifnull(holders.image, '?') || ' (' || holders.pid || ')') AS holders
FROM objects
LEFT JOIN object_holders AS holders
    ON holders.snapshot_id = objects.snapshot_id AND holders.object_id = objects.object_id
WHERE objects.name IS NOT NULL
GROUP BY objects.snapshot_id, objects.object_id
ORDER BY objects.snapshot_id, objects.name",
    },
    View {
        name: "objects_shared_between_processes",
        meaning: "Objects that more than one process has open; those of the most processes first.",
        select: "\
SELECT objects.snapshot_id, objects.object_id, objects.type, objects.name,
    count(DISTINCT holders.pid) AS processes, count(*) AS handles
FROM objects
JOIN object_holders AS holders
    ON holders.snapshot_id = objects.snapshot_id AND holders.object_id = objects.object_id
GROUP BY objects.snapshot_id, objects.object_id
HAVING processes > 1
ORDER BY processes DESC, handles DESC",
    },
    View {
        name: "open_registry_keys",
        meaning: "Registry keys that are open, with their handles and processes; the most handles first.",
        select: "\
SELECT snapshot_id, path, hive, reachable, count(*) AS handles, count(DISTINCT pid) AS processes
FROM key_handles
GROUP BY snapshot_id, path, hive, reachable
ORDER BY handles DESC",
    },
    View {
        name: "dangling_symlinks",
        meaning: "Symbolic links of the object namespace that lead nowhere.",
        select: "\
SELECT snapshot_id, path, target, target_status
FROM symlinks
WHERE target_status IN ('dangling', 'loop')",
    },
    View {
        name: "drivers_without_service",
        meaning: "Driver objects that no service entry stands for: what a driver looks like that was loaded by other means.",
        select: "\
SELECT snapshot_id, name, state, driver_object, module, base
FROM drivers
WHERE state = 'no_service' OR (state = 'no_module' AND service IS NULL)",
    },
    View {
        name: "services_started_at_boot",
        meaning: "Drivers and services that start with the boot, in the order of loading.",
        select: "\
SELECT snapshot_id, start, load_order, name, type, \"group\", image_path
FROM services
WHERE start IN ('boot', 'system', 'automatic')
ORDER BY snapshot_id, start_value, load_order",
    },
    View {
        name: "threads_in_modules",
        meaning: "Threads that start in a kernel module, with the module and the distance from its base, bytes.",
        select: "\
WITH
places AS MATERIALIZED (
    SELECT snapshot_id, name, path, NUMBER(base) AS first, size FROM modules WHERE base IS NOT NULL
),
starts AS MATERIALIZED (
    SELECT snapshot_id, tid, pid, image, start_address, NUMBER(start_address) AS start
    FROM threads
    WHERE start_address IS NOT NULL
)
SELECT starts.snapshot_id, tid, pid, image, start_address, places.name AS module, places.path AS module_path,
    starts.start - places.first AS distance
FROM starts
JOIN places ON places.snapshot_id = starts.snapshot_id
    AND starts.start >= places.first AND starts.start - places.first < places.size",
    },
    View {
        name: "threads_by_state",
        meaning: "Threads of each process by state and what they wait for.",
        select: "\
SELECT snapshot_id, pid, image, state, wait_reason, count(*) AS threads
FROM threads
GROUP BY snapshot_id, pid, state, wait_reason
ORDER BY snapshot_id, pid, threads DESC",
    },
    View {
        name: "largest_pool_tags",
        meaning: "Tags of the kernel's pools with their share of both pools in percent; the largest first.",
        select: "\
SELECT snapshot_id, tag, size, paged, nonpaged, allocations,
    round(100.0 * size / sum(size) OVER (PARTITION BY snapshot_id), 1) AS percent
FROM pool_tags
ORDER BY size DESC",
    },
    View {
        name: "boot_list",
        meaning: "What the Session Manager runs, in its order, with the moment of the snapshot.",
        // The order of `SESSION_MANAGER_LISTS` is the Session Manager's.
        select: "\
SELECT lists.snapshot_id, summary.start_time, summary.phase, lists.list, lists.position, lists.entry
FROM session_manager_lists AS lists
LEFT JOIN summary ON summary.snapshot_id = lists.snapshot_id
ORDER BY summary.start_time, lists.rowid",
    },
    View {
        name: "boot_list_variants",
        meaning: "The different boot lists, and how many of the snapshots have each; the rarest first.",
        select: "\
SELECT count(*) AS snapshots, boot_list, min(snapshot_id) AS example_snapshot_id
FROM (
    SELECT DISTINCT snapshot_id, group_concat(list || ': ' || entry, '; ') OVER (
        PARTITION BY snapshot_id ORDER BY rowid ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS boot_list
    FROM session_manager_lists
)
GROUP BY boot_list
ORDER BY snapshots",
    },
    View {
        name: "module_prevalence",
        meaning: "Kernel modules by path in any case, and in how many of the snapshots they are; the rarest first.",
        select: "\
SELECT count(DISTINCT snapshot_id) AS snapshots, lower(path) AS path, min(snapshot_id) AS example_snapshot_id
FROM modules
GROUP BY lower(path)
ORDER BY snapshots",
    },
    View {
        name: "failed_questions",
        meaning: "Questions that the kernel did not answer, and why.",
        select: "\
SELECT snapshot_id, family, source, class_name, name, value_name, outcome, status, status_name
FROM raw
WHERE outcome IN ('failed', 'truncated', 'torn')",
    },
    View {
        name: "slowest_questions",
        meaning: "What the capture spent its time on, 100 ns; the slowest first.",
        select: "\
SELECT snapshot_id, section, family, source, class_name, name, duration, bytes
FROM raw
WHERE item IS NULL AND duration IS NOT NULL
ORDER BY duration DESC",
    },
];

impl View {
    /// The statement that makes it.
    pub fn create(&self) -> String {
        let mut select = self.select.to_owned();
        for column in ["base", "start_address"] {
            select = select.replace(&format!("NUMBER({column})"), &number(column));
        }
        format!(
            "CREATE VIEW \"{}\" AS -- {}\n{select}",
            self.name, self.meaning
        )
    }
}

/// An expression for the number that `0x…` in a column says: SQLite has no function for it. The upper half of the 64 bits
/// becomes negative, and order and distances hold within each half.
fn number(column: &str) -> String {
    let padded = format!("substr('0000000000000000' || substr({column}, 3), -16)");
    let digits = (0..16).map(|place| {
        let shift = 60 - 4 * place;
        format!(
            "((instr('0123456789abcdef', substr({padded}, {}, 1)) - 1) << {shift})",
            place + 1
        )
    });
    let digits: Vec<_> = digits.collect();
    format!("(\n        {}\n    )", digits.join("\n        | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_set_opens_in_sqlite_as_systems_have_it() {
        // Before 3.44 no aggregate takes an order, and one view that has it makes the whole database unreadable.
        for view in VIEWS {
            for (place, _) in view.select.match_indices("group_concat(") {
                let arguments = view.select[place..].split(')').next().unwrap();
                assert!(!arguments.contains("ORDER BY"), "{}", view.name);
            }
        }
    }

    #[test]
    fn hexadecimal_texts_become_the_numbers_they_say() {
        let database = rusqlite::Connection::open_in_memory().unwrap();
        let select = format!("SELECT {} FROM (SELECT ?1 AS base)", number("base"));
        for value in [
            0,
            1,
            0x1234_5678_9abc_def0,
            0x7fff_ffff_ffff_ffff,
            0xffff_f800_0000_1000,
            u64::MAX,
        ] {
            let number: i64 = database
                .query_row(&select, [format!("{value:#x}")], |row| row.get(0))
                .unwrap();
            assert_eq!(number, value.cast_signed(), "{value:#x}");
        }
    }
}
