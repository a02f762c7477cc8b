//! What people ask of a snapshot: joined, named and ready to be printed or serialized.
//!
//! Keys are part of the documented JSON schema. Kernel addresses, handles and masks are `"0x…"` strings, moments
//! RFC 3339 UTC, durations integers of 100 ns, sizes bytes, process and thread ids decimal. What was not captured is
//! `null`.

mod boot;
mod descriptors;
mod details;
mod directory;
pub(crate) mod drivers;
mod firmware;
mod handle_counts;
mod handle_totals;
mod handles;
mod images;
mod jobs;
mod memory;
mod modules;
mod namespace;
mod naming;
mod objects;
mod opened;
mod peb;
mod processes;
pub(crate) mod registry;
mod summary;
mod symlinks;
mod threads;
mod types;
mod wfp;
mod zombies;

pub use boot::{
    Boot, CodeIntegrity, Firmware, IsolatedUserMode, KernelDebugger, SafeMode, SecureBoot,
    SessionManagerLists,
};
pub use drivers::{Driver, DriverState, Drivers, Known};
pub use firmware::{
    BootEntry, FirmwareVariable, PlatformBinary, PlatformBinaryFile, PlatformBinaryHandoff,
    PlatformTable, SecureBootDatabase, UefiVariables,
};
pub use handle_totals::{OfProcess, OfType};
pub use handles::{AccessNames, Handle};
pub use jobs::{Job, JobAccounting, JobLimits, ProcessJob, SiloInformation};
pub use memory::{
    Commit, FileCache, Memory, PageFile, PageLists, Physical, Pool, PoolTag, ProcessMemory,
    RegistryQuota,
};
pub use modules::Module;
pub use namespace::{Contents, Namespace, NamespaceEntry, Opening, UnnamedDirectory, UnnamedEntry};
pub(crate) use namespace::{EntryAt, Walked};
pub use naming::{NameStatus, Naming, ObjectName};
pub(crate) use objects::Wanted;
pub use objects::{Object, ObjectDetails, Objects};
pub use opened::Holder;
pub(crate) use opened::LookedUp;
pub use peb::{Field, Peb};
pub use processes::{ParentStatus, Process};
pub use registry::{
    Autologger, Hive, HiveHandles, Hives, Key, KeyHandles, KeyHolder, KeyValues, LinkKey, Links,
    MinifilterInstance, OpenKey, Registry, RegistryValue, RootKey, Service, Start, UnnamedKeys,
    ValueData, altitude_group, compare_altitudes,
};
pub use summary::{
    Cost, Counts, FamilyCost, ItemSummary, Privilege, SectionSummary, SkippedFamily, Summary,
    System,
};
pub use symlinks::{DynamicTarget, SymbolicLink, TargetStatus};
pub use threads::Thread;
pub use types::{GenericMapping, ObjectType};
pub(crate) use wfp::filtering_object_parts;
pub use wfp::{UnreadableKey, Wfp, WfpObject};
pub use zombies::{ENDED_THREADS, Zombie, ZombieHolder, Zombies};

use bootshot_format::Source;

use crate::error::Problem;
use crate::names::describe_status;
use crate::snapshot::{Answer, Condition, Section, Snapshot};

/// Version of the JSON schema: grows when a key changes its meaning or goes; new keys may come at any time.
pub const SCHEMA_VERSION: u32 = 1;

/// What was read, with what was wrong on the way.
///
/// That there were no problems does not mean that nothing is missing: what was damaged in the file is in
/// [`Snapshot::problems`], and is left out here without a word where other answers can be read in its place. Look at both.
#[derive(Debug)]
pub struct Reading<T> {
    /// What was read.
    pub value: T,
    /// What could not be, and where; of damage in the file only that a whole list is missing for it.
    pub problems: Vec<Problem>,
}

impl<T> Reading<T> {
    fn gather(read: impl FnOnce(&mut Vec<Problem>) -> T) -> Self {
        let mut problems = Vec::new();
        let value = read(&mut problems);
        Self { value, problems }
    }

    /// The same problems with what is made of the value.
    fn map<U>(self, make: impl FnOnce(T) -> U) -> Reading<U> {
        Reading {
            value: make(self.value),
            problems: self.problems,
        }
    }
}

impl Snapshot<'_> {
    /// The answer to the first of the classes that was answered; when none was, a problem says why.
    fn wanted<'s>(
        &'s self,
        what: &'static str,
        source: Source,
        classes: &[u32],
        problems: &mut Vec<Problem>,
    ) -> Option<Answer<'s>> {
        let found = classes
            .iter()
            .find_map(|class| self.answered(source, *class).next());
        if found.is_none() {
            problems.push(self.no_answer(what, source, classes));
        }
        found
    }

    /// That none of the classes was answered, and why.
    fn no_answer(&self, what: &'static str, source: Source, classes: &[u32]) -> Problem {
        Problem {
            section: self
                .damaged_answer(source, classes)
                .map(|section| section.ordinal),
            ..Problem::new(what, 0, "an answer", self.why_not(source, classes))
        }
    }

    fn damaged_answer(&self, source: Source, classes: &[u32]) -> Option<&Section<'_>> {
        self.sections.iter().find(|section| {
            section.condition == Condition::Damaged
                && section.begin.source == source
                && classes.contains(&section.begin.class)
        })
    }

    fn why_not(&self, source: Source, classes: &[u32]) -> String {
        // First: a system that answers one class may well refuse another.
        if self.damaged_answer(source, classes).is_some() {
            return "a damaged section".to_owned();
        }
        let tried = self
            .answers_from(source)
            .filter(|answer| classes.contains(&answer.class))
            .last();
        if let Some(answer) = tried {
            return describe_status(answer.status);
        }
        let damaged = |section: &Section<'_>| section.condition == Condition::Damaged;
        // What a damaged batch had behind its damage nobody knows.
        if (self.sections.iter()).any(|section| section.is_batch() && damaged(section)) {
            "nothing, or a damaged section".to_owned()
        } else {
            "not captured".to_owned()
        }
    }
}
