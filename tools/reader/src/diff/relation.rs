//! What two snapshots are to each other: of one boot, or of two.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::names;
use crate::records::Process;
use crate::redact::Redaction;
use crate::snapshot::{Completeness, Condition, Snapshot};
use crate::value::Time;

/// How far apart two readings of the same boot's time are at most, 100 ns units: that in the header is worked out from two
/// clocks which are not read at one instant.
const TOLERANCE: u64 = 10_000_000;

/// Whether two snapshots are of one boot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Boot {
    /// They are.
    Same,
    /// They are of two boots, perhaps of two machines.
    Other,
    /// Neither says when it was booted; taken as two boots.
    NotKnown,
}

/// When and of what a snapshot was taken.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Moment {
    /// Random id of the snapshot.
    pub snapshot_id: String,
    /// `bootexecute`, `setupexecute` or `live`.
    pub phase: &'static str,
    /// When the capture began.
    pub start_time: Option<Time>,
    /// When the system started.
    pub boot_time: Option<Time>,
    /// The boot's number.
    pub boot_id: Option<u32>,
    /// Version of NT.
    pub nt_version: String,
    /// `x86`, `x64` or `arm64`.
    pub machine: Option<&'static str>,
    /// How far the capture came.
    pub completeness: Completeness,
    /// Bytes of it are not as they were written: what stands was compared.
    pub damaged: bool,
    /// What was removed from it; none of one that is as it was taken.
    pub redacted: Option<Redaction>,
}

impl Moment {
    /// The moment of a snapshot.
    pub(super) fn of(snapshot: &Snapshot<'_>) -> Self {
        let header = &snapshot.header;
        Self {
            snapshot_id: header
                .snapshot_id
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            phase: header.phase.name(),
            start_time: Time::new(header.system_time),
            boot_time: Time::new(header.boot_time),
            boot_id: (header.boot_id != 0).then_some(header.boot_id),
            nt_version: format!(
                "{}.{}.{}",
                header.nt_major, header.nt_minor, header.nt_build
            ),
            machine: names::machine(header.machine),
            completeness: snapshot.completeness(),
            damaged: !snapshot.problems.is_empty()
                || snapshot
                    .sections
                    .iter()
                    .any(|section| section.condition == Condition::Damaged),
            redacted: Redaction::of(header),
        }
    }
}

/// What the compared snapshots are to each other.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Relation {
    /// Whether they are of one boot; with a baseline, whether all of it is of the other's boot.
    pub boot: Boot,
    /// What tells that.
    pub evidence: &'static str,
    /// The first snapshot; those of a baseline.
    pub first: Vec<Moment>,
    /// The second snapshot.
    pub second: Moment,
    /// Whether the first are a baseline: then nothing went, and only what none of them has came or changed.
    pub baseline: bool,
}

/// Whether two snapshots are of one boot, and what tells it.
pub(super) fn of_boot(
    (one, processes): (&Moment, &[Process]),
    (other, other_processes): (&Moment, &[Process]),
) -> (Boot, &'static str) {
    if (one.machine, &one.nt_version) != (other.machine, &other.nt_version) {
        return (Boot::Other, "another system");
    }
    if let (Some(id), Some(other_id)) = (one.boot_id, other.boot_id)
        && id != other_id
    {
        return (Boot::Other, "boot id");
    }
    // Times of the boot move when the clock is set; those of processes do not.
    let started = |processes: &[Process]| -> BTreeSet<(u64, Time)> {
        let started = processes
            .iter()
            .filter_map(|process| Some((process.pid, process.create_time?)));
        started.collect()
    };
    match (one.boot_time, other.boot_time) {
        (Some(time), Some(other_time))
            if time.ticks().abs_diff(other_time.ticks()) <= TOLERANCE =>
        {
            (Boot::Same, "boot time")
        }
        (time, other_time) => {
            if !started(processes).is_disjoint(&started(other_processes)) {
                (Boot::Same, "a process that both have")
            } else if time.is_some() && other_time.is_some() {
                (Boot::Other, "boot time")
            } else {
                (
                    Boot::NotKnown,
                    "no boot time, and no process that both have",
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(boot_id: Option<u32>, boot_time: i64) -> Moment {
        Moment {
            snapshot_id: String::new(),
            phase: "live",
            start_time: None,
            boot_time: Time::new(boot_time),
            boot_id,
            nt_version: "10.0.26100".to_owned(),
            machine: Some("x64"),
            completeness: Completeness::Complete,
            damaged: false,
            redacted: None,
        }
    }

    fn boot(one: &Moment, other: &Moment) -> Boot {
        of_boot((one, &[]), (other, &[])).0
    }

    #[test]
    fn boot_id_and_boot_time_tell_boots_apart() {
        const TIME: i64 = 134_117_966_350_000_000;
        let one = moment(Some(41), TIME);
        assert_eq!(boot(&one, &moment(Some(41), TIME)), Boot::Same);
        assert_eq!(boot(&one, &moment(Some(42), TIME)), Boot::Other);
        assert_eq!(boot(&one, &moment(None, TIME + 5)), Boot::Same);
        assert_eq!(boot(&one, &moment(None, TIME + 60_000_000)), Boot::Other);
        assert_eq!(
            boot(&one, &moment(Some(41), TIME + 60_000_000)),
            Boot::Other,
            "another machine can have as many boots behind it"
        );
        assert_eq!(boot(&one, &moment(None, 0)), Boot::NotKnown);
        let newer = Moment {
            nt_version: "10.0.26200".to_owned(),
            ..one.clone()
        };
        assert_eq!(boot(&one, &newer), Boot::Other);
    }
}
