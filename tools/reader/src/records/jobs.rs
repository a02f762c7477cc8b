//! Jobs: groups of processes with limits, and silos, which are jobs with a namespace of their own.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bootshot_format::{Family, ObjectKind, Source};
use serde::Serialize;

use super::Reading;
use super::naming::{Naming, ObjectName};
use super::opened::{HandleReference, Holder};
use crate::decode;
use crate::error::Problem;
use crate::layout::structures::{
    JOBOBJECT_BASIC_ACCOUNTING_INFORMATION as Accounting,
    JOBOBJECT_BASIC_LIMIT_INFORMATION as Basic, JOBOBJECT_EXTENDED_LIMIT_INFORMATION as Extended,
    SILOOBJECT_BASIC_INFORMATION as Silo,
};
use crate::layout::{Field, Kind, Structure, View};
use crate::names::{self, describe_status};
use crate::snapshot::{Answer, Snapshot};
use crate::value::Hex;

/// `JOBOBJECTINFOCLASS`.
mod class {
    pub const BASIC_ACCOUNTING: u32 = 1;
    pub const BASIC_LIMITS: u32 = 2;
    pub const PROCESS_IDS: u32 = 3;
    /// Begins as class 1 does.
    pub const BASIC_AND_IO_ACCOUNTING: u32 = 8;
    /// Begins as class 2 does.
    pub const EXTENDED_LIMITS: u32 = 9;
    pub const SILO: u32 = 36;
}

/// `JOB_OBJECT_LIMIT_*`: which fields are in force.
mod limit {
    pub const WORKING_SET: u32 = 0x1;
    pub const PROCESS_TIME: u32 = 0x2;
    pub const JOB_TIME: u32 = 0x4;
    pub const ACTIVE_PROCESS: u32 = 0x8;
    pub const AFFINITY: u32 = 0x10;
    pub const PRIORITY_CLASS: u32 = 0x20;
    pub const SCHEDULING_CLASS: u32 = 0x80;
    pub const PROCESS_MEMORY: u32 = 0x100;
    pub const JOB_MEMORY: u32 = 0x200;
}

/// `NtIsProcessInJob`.
const STATUS_PROCESS_NOT_IN_JOB: u32 = 0x123;
const STATUS_PROCESS_IN_JOB: u32 = 0x124;

/// A job.
#[derive(Clone, Debug, Serialize)]
pub struct Job {
    /// Its name, or why there is none.
    #[serde(flatten)]
    pub naming: Naming,
    /// Where it is; none where the kernel hides it.
    pub address: Option<Hex>,
    /// Whether it is the job that the capture itself runs in.
    pub of_capture: bool,
    /// Its limits.
    pub limits: Option<JobLimits>,
    /// What its processes used.
    pub accounting: Option<JobAccounting>,
    /// Ids of the processes in it.
    pub process_ids: Option<Vec<u64>>,
    /// How many processes are in it, also those there was no room for.
    pub assigned_processes: Option<u32>,
    /// What it is as a silo.
    pub silo: Option<SiloInformation>,
    /// Questions that were refused, each with its status.
    pub errors: Vec<String>,
    /// Who has it open, in the handle list.
    pub holders: Vec<Holder>,
}

/// The limits of a job; those that are not in force are null.
#[derive(Clone, Debug, Serialize)]
pub struct JobLimits {
    /// `JOB_OBJECT_LIMIT_*`.
    pub flags: Hex,
    /// The same in words.
    pub flag_names: Vec<Cow<'static, str>>,
    /// User time of each process, 100 ns units.
    pub process_user_time: Option<i64>,
    /// User time of all processes, 100 ns units.
    pub job_user_time: Option<i64>,
    /// Bytes.
    pub minimum_working_set: Option<u64>,
    /// Bytes.
    pub maximum_working_set: Option<u64>,
    /// Processes at once.
    pub active_processes: Option<u32>,
    /// Processors.
    pub affinity: Option<Hex>,
    /// `PROCESS_PRIORITY_CLASS`.
    pub priority_class: Option<u32>,
    /// 0 to 9.
    pub scheduling_class: Option<u32>,
    /// Commit of each process, bytes.
    pub process_memory: Option<u64>,
    /// Commit of all processes, bytes.
    pub job_memory: Option<u64>,
    /// Greatest commit of a process so far, bytes.
    pub peak_process_memory: Option<u64>,
    /// Greatest commit of all processes so far, bytes.
    pub peak_job_memory: Option<u64>,
}

/// What the processes of a job used, those that ended included.
#[derive(Clone, Debug, Serialize)]
pub struct JobAccounting {
    /// 100 ns units.
    pub user_time: Option<i64>,
    /// 100 ns units.
    pub kernel_time: Option<i64>,
    /// Page faults.
    pub page_faults: Option<u32>,
    /// Processes there ever were.
    pub total_processes: Option<u32>,
    /// Processes there are.
    pub active_processes: Option<u32>,
    /// Processes that were ended by a limit.
    pub terminated_processes: Option<u32>,
}

/// A job as a silo.
#[derive(Clone, Debug, Serialize)]
pub struct SiloInformation {
    /// Its number.
    pub id: Option<u32>,
    /// The number of the silo it is in.
    pub parent_id: Option<u32>,
    /// Processes in it.
    pub process_count: Option<u32>,
    /// Whether it is, or is in, a server silo: a Windows container.
    pub in_server_silo: Option<bool>,
}

/// The job of a process.
#[derive(Clone, Debug, Serialize)]
pub struct ProcessJob {
    /// Whether it is in any.
    pub in_job: bool,
    /// The kernel's number of the job, where class 148 tells it.
    pub id: Option<u32>,
    /// The job's name.
    pub name: Option<ObjectName>,
    /// Where the job is.
    pub address: Option<Hex>,
}

/// What is known of the jobs of processes.
#[derive(Default)]
pub(super) struct Membership {
    /// By process id and creation time.
    in_job: BTreeMap<(u64, u64), bool>,
    /// The smallest job that lists a process.
    smallest: BTreeMap<u64, usize>,
    jobs: Vec<Job>,
}

impl Membership {
    /// The job of a process and its silo; `id` is the job's number, where the process list has it.
    pub(super) fn of(&self, key: (u64, u64), id: Option<u32>) -> (Option<ProcessJob>, Option<u32>) {
        let job = self.smallest.get(&key.0).map(|index| &self.jobs[*index]);
        let id = id.filter(|id| *id != 0);
        let told = self.in_job.get(&key).copied();
        let in_job = match told {
            _ if id.is_some() || job.is_some() => true,
            Some(in_job) => in_job,
            None => return (None, None),
        };
        let membership = ProcessJob {
            in_job,
            id,
            name: job.and_then(|job| job.naming.name.clone()),
            address: job.and_then(|job| job.address),
        };
        let silo = job.and_then(|job| job.silo.as_ref()?.id);
        (Some(membership), silo)
    }
}

impl Snapshot<'_> {
    /// The jobs: those the capture opened or asked about, and those of which only handles are known.
    pub fn jobs(&self) -> Reading<Vec<Job>> {
        Reading::gather(|problems| {
            let missing = self
                .family_missing(Family::NAMESPACE)
                .filter(|_| self.job_answers().next().is_none());
            if let Some(why) = missing {
                problems.push(Problem::new("jobs", 0, "an answer", why));
            }
            self.all_jobs(problems)
        })
    }

    /// Which job each process is in.
    pub(super) fn job_membership(&self, problems: &mut Vec<Problem>) -> Membership {
        let mut membership = Membership::default();
        for answer in self.answers_from(Source::PROCESS_IN_JOB) {
            let in_job = match answer.status {
                STATUS_PROCESS_IN_JOB => true,
                STATUS_PROCESS_NOT_IN_JOB => false,
                _ => continue,
            };
            membership
                .in_job
                .insert((answer.argument, answer.argument2), in_job);
        }
        if self.job_answers().next().is_some() {
            membership.jobs = self.all_jobs(problems);
        }
        let size = |job: &Job| job.process_ids.as_ref().map_or(usize::MAX, Vec::len);
        for (index, job) in membership.jobs.iter().enumerate() {
            for pid in job.process_ids.iter().flatten() {
                let known = membership.smallest.entry(*pid).or_insert(index);
                if size(job) < size(&membership.jobs[*known]) {
                    *known = index;
                }
            }
        }
        membership
    }

    fn job_answers(&self) -> impl Iterator<Item = Answer<'_>> {
        self.answers_from(Source::JOB_INFORMATION)
    }

    fn all_jobs(&self, problems: &mut Vec<Problem>) -> Vec<Job> {
        let lists = self.handle_lists();
        let walk = self.walk_to(ObjectKind::JOB, problems);
        let names = self.object_names(&walk, &lists, problems);
        let images = self.image_names();
        let mut answers: BTreeMap<Option<HandleReference>, Vec<Answer<'_>>> = BTreeMap::new();
        for answer in self.job_answers() {
            let reference = (answer.argument != 0).then(|| self.handle_reference(answer.argument));
            answers.entry(reference).or_default().push(answer);
        }
        let own_id = self.header.process_id;
        let mut told: BTreeMap<u64, Naming> = BTreeMap::new();
        for (opened, name) in walk.named() {
            if opened.kind == ObjectKind::JOB {
                told.insert(opened.handle(), Naming::named(walk.name_of(name)));
                answers.entry(Some((own_id, opened.handle()))).or_default();
            }
        }
        let mut jobs: Vec<Job> = Vec::new();
        let mut by_address: BTreeMap<u64, usize> = BTreeMap::new();
        for (reference, answers) in &answers {
            let entry = reference.and_then(|reference| match reference.0 == own_id {
                true => lists.own(reference.1),
                false => lists.find(reference).copied(),
            });
            let naming = reference
                .filter(|reference| reference.0 == own_id)
                .and_then(|reference| told.remove(&reference.1))
                .or_else(|| Some(names.of(&entry?, "Job")));
            let mut job = Job::new(naming.unwrap_or_else(Naming::not_asked));
            job.of_capture = reference.is_none();
            job.take(answers, problems);
            // Without a job there is nothing to ask about: the questions about the capture's own are refused then.
            if job.of_capture && !answers.iter().any(Answer::succeeded) {
                continue;
            }
            if let Some(entry) = entry.filter(|entry| entry.object == 0) {
                // Where addresses are hidden, the handles that were asked about are those that are known.
                if entry.process_id != own_id {
                    job.holders.push(Holder::new(&images, &entry));
                }
            } else if let Some(entry) = entry {
                if by_address.contains_key(&entry.object) {
                    continue;
                }
                job.address = Some(Hex(entry.object));
                by_address.insert(entry.object, jobs.len());
            }
            jobs.push(job);
        }
        let mut job_types = self.type_names();
        job_types.retain(|_, name| &**name == "Job");
        for entry in self.each_handle_entry(&mut Vec::new()) {
            if entry.object == 0 || !job_types.contains_key(&entry.type_index) {
                continue;
            }
            let index = *by_address.entry(entry.object).or_insert_with(|| {
                let mut job = Job::new(names.of(&entry, "Job"));
                job.address = Some(Hex(entry.object));
                jobs.push(job);
                jobs.len() - 1
            });
            jobs[index].holders.push(Holder::new(&images, &entry));
        }
        jobs
    }
}

impl Job {
    const fn new(naming: Naming) -> Self {
        Self {
            naming,
            address: None,
            of_capture: false,
            limits: None,
            accounting: None,
            process_ids: None,
            assigned_processes: None,
            silo: None,
            errors: Vec::new(),
            holders: Vec::new(),
        }
    }

    fn take(&mut self, answers: &[Answer<'_>], problems: &mut Vec<Problem>) {
        for answer in answers {
            if !answer.succeeded() {
                let class = names::information_class(answer.source, answer.class);
                let what = class.map_or_else(|| answer.class.to_string(), str::to_owned);
                let why = describe_status(answer.status);
                self.errors.push(format!("{what}: {why}"));
                continue;
            }
            match answer.class {
                class::BASIC_ACCOUNTING | class::BASIC_AND_IO_ACCOUNTING => {
                    self.accounting = answer.structure(problems).map(accounting);
                }
                // The longer answer has the shorter one in it.
                class::BASIC_LIMITS if self.limits.is_none() => {
                    self.limits = answer.structure(problems).map(|basic| limits(basic, None));
                }
                class::EXTENDED_LIMITS => {
                    self.limits = answer.structure::<Extended>(problems).and_then(|extended| {
                        let basic = extended.get(Extended::BasicLimitInformation)?;
                        Some(limits(basic, Some(extended)))
                    });
                }
                class::PROCESS_IDS => {
                    let list = answer.decode(problems, decode::job_processes);
                    self.assigned_processes = list.as_ref().map(|list| list.assigned);
                    self.process_ids = list.map(|list| list.ids);
                }
                class::SILO => self.silo = answer.structure(problems).map(silo),
                _ => {}
            }
        }
    }
}

fn limits(basic: View<'_, Basic>, extended: Option<View<'_, Extended>>) -> JobLimits {
    fn in_force<'a, S: Structure, K: Kind>(
        view: &View<'a, S>,
        flags: u32,
        flag: u32,
        field: Field<S, K>,
    ) -> Option<K::Value<'a>> {
        view.get(field).filter(|_| flags & flag != 0)
    }
    let flags = basic.get(Basic::LimitFlags).unwrap_or_default();
    let more = extended.as_ref();
    JobLimits {
        flags: Hex(flags.into()),
        flag_names: names::job_limits(flags),
        process_user_time: in_force(
            &basic,
            flags,
            limit::PROCESS_TIME,
            Basic::PerProcessUserTimeLimit,
        ),
        job_user_time: in_force(&basic, flags, limit::JOB_TIME, Basic::PerJobUserTimeLimit),
        minimum_working_set: in_force(
            &basic,
            flags,
            limit::WORKING_SET,
            Basic::MinimumWorkingSetSize,
        ),
        maximum_working_set: in_force(
            &basic,
            flags,
            limit::WORKING_SET,
            Basic::MaximumWorkingSetSize,
        ),
        active_processes: in_force(
            &basic,
            flags,
            limit::ACTIVE_PROCESS,
            Basic::ActiveProcessLimit,
        ),
        affinity: in_force(&basic, flags, limit::AFFINITY, Basic::Affinity).map(Hex),
        priority_class: in_force(&basic, flags, limit::PRIORITY_CLASS, Basic::PriorityClass),
        scheduling_class: in_force(
            &basic,
            flags,
            limit::SCHEDULING_CLASS,
            Basic::SchedulingClass,
        ),
        process_memory: more.and_then(|more| {
            in_force(
                more,
                flags,
                limit::PROCESS_MEMORY,
                Extended::ProcessMemoryLimit,
            )
        }),
        job_memory: more
            .and_then(|more| in_force(more, flags, limit::JOB_MEMORY, Extended::JobMemoryLimit)),
        peak_process_memory: more.and_then(|more| more.get(Extended::PeakProcessMemoryUsed)),
        peak_job_memory: more.and_then(|more| more.get(Extended::PeakJobMemoryUsed)),
    }
}

fn accounting(view: View<'_, Accounting>) -> JobAccounting {
    JobAccounting {
        user_time: view.get(Accounting::TotalUserTime),
        kernel_time: view.get(Accounting::TotalKernelTime),
        page_faults: view.get(Accounting::TotalPageFaultCount),
        total_processes: view.get(Accounting::TotalProcesses),
        active_processes: view.get(Accounting::ActiveProcesses),
        terminated_processes: view.get(Accounting::TotalTerminatedProcesses),
    }
}

fn silo(view: View<'_, Silo>) -> SiloInformation {
    SiloInformation {
        id: view.get(Silo::SiloId),
        parent_id: view.get(Silo::SiloParentId),
        process_count: view.get(Silo::NumberOfProcesses),
        in_server_silo: view.get(Silo::IsInServerSilo),
    }
}
