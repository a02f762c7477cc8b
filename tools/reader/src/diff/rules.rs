//! The rules that keep noise out of a comparison. Each has a name, can be switched off, and counts what it hides.

use serde::Serialize;

use super::engine::Change;
use super::item::{Item, Value};
use super::names::{self, Form};

/// A rule.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Its name, for `--no-rule`.
    pub name: &'static str,
    /// What it hides, as a sentence.
    pub hides: &'static str,
    pub(super) effect: Effect,
}

/// How a rule hides.
#[derive(Clone, Copy)]
pub(super) enum Effect {
    /// Names are the same without their volatile parts, between two boots.
    Name(Form),
    /// An entry that came, went or changed is not shown.
    Entry(fn(&'static str, &Item) -> bool),
    /// A change of a property is not shown.
    Change(fn(&'static str, &Change) -> bool),
}

/// How many differences a rule hid.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Hidden {
    /// Name of the rule.
    pub rule: &'static str,
    /// Entries that came or went, and changed properties.
    pub count: u64,
}

/// Figures of processes that are never the same twice.
const USAGE: [&str; 5] = [
    "private_commit",
    "working_set",
    "user_time",
    "kernel_time",
    "page_faults",
];

/// Memory that hardly counts: what a figure may change by without being shown.
const LITTLE_MEMORY: u64 = 1 << 20;

/// All rules, in the order in which they are tried.
pub const RULES: &[Rule] = &[
    Rule {
        name: "session-numbers",
        hides: "between two boots, the number in \\Sessions\\1 and the like; not that of session 0",
        effect: Effect::Name(names::session_numbers),
    },
    Rule {
        name: "logon-ids",
        hides: "between two boots, the ids of logon sessions in names; not those of the system and of services",
        effect: Effect::Name(names::logon_ids),
    },
    Rule {
        name: "instance-guids",
        hides: "between two boots, GUIDs in the instance part of device names and in names of objects that programs make; \
                not those of interface classes and volumes",
        effect: Effect::Name(names::instance_guids),
    },
    Rule {
        name: "process-ids",
        hides: "between two boots, the id of a process of the snapshot in the last part of a name",
        effect: Effect::Name(names::process_ids),
    },
    Rule {
        name: "endpoints",
        hides: "between two boots, the names that RPC and COM draw for their ports: LRPC-…, OLE…",
        effect: Effect::Name(names::endpoints),
    },
    Rule {
        name: "device-numbers",
        hides: "between two boots, the numbers of devices without a name of their own: \\Device\\00000053",
        effect: Effect::Name(names::device_numbers),
    },
    Rule {
        name: "addresses",
        hides: "between two boots, words of 16 hexadecimal digits in names, which are addresses or drawn",
        effect: Effect::Name(names::addresses),
    },
    Rule {
        name: "own-capture",
        hides: "the capture's own process, its threads, handles, memory and ended children",
        effect: Effect::Entry(|_, item| item.of_capture),
    },
    Rule {
        name: "follows-process",
        hides: "threads, handles and memory of a process that itself came or went",
        effect: Effect::Entry(|_, item| item.of_unmatched_process),
    },
    Rule {
        name: "process-usage",
        hides: "changes of a process's commit, working set, times and page faults",
        effect: Effect::Change(|subject, change| {
            subject == "processes" && USAGE.contains(&change.property)
        }),
    },
    Rule {
        name: "object-counts",
        hides: "changes of the numbers of handles and references of named objects",
        effect: Effect::Change(|subject, change| {
            subject == "objects" && matches!(change.property, "handle_count" | "pointer_count")
        }),
    },
    Rule {
        name: "handle-drift",
        hides: "changes of a number of handles by less than a tenth",
        effect: Effect::Change(|subject, change| {
            matches!(subject, "handles" | "keys") && is_within(change, 10, 0)
        }),
    },
    Rule {
        name: "thread-drift",
        hides: "changes of a process's number of threads by less than a quarter",
        effect: Effect::Change(|subject, change| subject == "threads" && is_within(change, 4, 0)),
    },
    Rule {
        name: "memory-drift",
        hides: "changes of a memory figure by less than a tenth, or by less than 1 MiB",
        effect: Effect::Change(|subject, change| {
            subject == "memory" && is_within(change, 10, LITTLE_MEMORY)
        }),
    },
    Rule {
        name: "memory-counters",
        hides: "changes of counters that only grow: allocations, frees, page faults, peaks",
        effect: Effect::Change(|subject, change| {
            subject == "memory"
                && ["allocations", "frees", "page_faults", "peak"].contains(&change.property)
        }),
    },
    Rule {
        name: "write-times",
        hides: "changes of the time at which a key was written last, where nothing else shows",
        effect: Effect::Change(|_, change| change.property == "last_write_time"),
    },
    Rule {
        name: "load-order",
        hides: "changes of the place in the order of loading, which moves when others come or go",
        effect: Effect::Change(|_, change| change.property == "load_order"),
    },
    Rule {
        name: "list-places",
        hides: "changes of the place in a Session Manager list that has another length now",
        effect: Effect::Change(|subject, change| {
            let length = |value: &Value| match value {
                Value::Text(place) => place.split_once(" of ").map(|(_, of)| of.to_owned()),
                _ => None,
            };
            subject == "lists"
                && change.property == "place"
                && length(&change.from) != length(&change.to)
        }),
    },
    Rule {
        name: "volatile-variables",
        hides: "variables of the firmware that it does not keep",
        effect: Effect::Entry(|subject, item| {
            subject == "firmware"
                && item.properties.iter().any(|property| {
                    property.property == "kept" && property.value == Value::Flag(false)
                })
        }),
    },
    Rule {
        name: "boot-itself",
        hides: "boot time and boot id",
        effect: Effect::Entry(|subject, item| {
            subject == "boot" && matches!(&*item.identity, "boot_time" | "boot_id")
        }),
    },
];

/// Whether a number changed by less than one in `share`, or by less than `little` bytes.
fn is_within(change: &Change, share: u64, little: u64) -> bool {
    let (from, to, little) = match (&change.from, &change.to) {
        (Value::Count(from), Value::Count(to)) => (*from, *to, 0),
        (Value::Bytes(from), Value::Bytes(to)) => (*from, *to, little),
        _ => return false,
    };
    let difference = from.abs_diff(to);
    difference < little || difference.saturating_mul(share) < from.max(to)
}

/// The rule of this name.
pub fn rule(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(from: Value, to: Value) -> Change {
        Change {
            property: "size",
            kind: to.kind(),
            from,
            to,
        }
    }

    #[test]
    fn drift_is_less_than_a_share_of_the_greater_number() {
        let within =
            |from, to| is_within(&change(Value::Count(from), Value::Count(to)), 10, 1 << 20);
        assert!(within(100, 109) && within(109, 100));
        assert!(!within(100, 112) && !within(112, 100));
        assert!(!within(0, 1) && !within(1, 2), "a first one, a second one");
    }

    #[test]
    fn little_memory_is_drift_whatever_its_share() {
        let within =
            |from, to| is_within(&change(Value::Bytes(from), Value::Bytes(to)), 10, 1 << 20);
        assert!(within(0, 4096));
        assert!(!within(0, 1 << 20));
        assert!(within(100 << 20, 109 << 20));
        assert!(!is_within(
            &change(Value::Absent, Value::Bytes(1)),
            10,
            1 << 20
        ));
    }

    #[test]
    fn names_of_rules_are_unlike_each_other() {
        let mut names: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RULES.len());
        assert!(rule("handle-drift").is_some() && rule("handle").is_none());
    }
}
