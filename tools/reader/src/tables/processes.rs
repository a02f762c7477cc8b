//! Processes, threads, what has ended, and jobs.

use serde::Serialize;

use super::{
    Column, OF_PROCESS, Reference, Table, boolean, duration, hex, integer, join, list, naming,
    row_number, size, text, time,
};
use crate::records::{Holder, ZombieHolder};

/// Processes.
pub static PROCESSES: Table = Table {
    name: "processes",
    meaning: "Processes.",
    columns: &[
        integer("pid", "process id"),
        integer("parent_pid", "id of the process that started it"),
        text(
            "parent_status",
            "alive, exited, or pid_reused: the id is a younger process's now",
        ),
        text("image", "file name of the image"),
        text("path", "NT path of the image"),
        text("command_line", "command line"),
        integer("session", "session id"),
        time("create_time", "when it started"),
        integer("thread_count", "threads"),
        integer("handle_count", "handles"),
        size(
            "private_commit",
            "private memory promised to it, in RAM or not",
        ),
        size("working_set", "its pages in RAM, shared ones included"),
        size(
            "private_working_set",
            "its pages in RAM that nobody else can use",
        ),
        size("peak_working_set", "most that the working set ever was"),
        size("virtual_size", "address space in use"),
        integer("page_faults", "page faults since it started"),
        duration("user_time", "time spent in user mode"),
        duration("kernel_time", "time spent in the kernel"),
        integer("base_priority", "base priority"),
        text("machine", "x86, x64, arm64"),
        text(
            "subsystem",
            "native, windows gui, windows console: from the image's headers",
        ),
        text("image_status", "why the image's headers were not read"),
        text("protection", "none, or level and signer"),
        text("user", "the user: by name when well known, else the SID"),
        text("integrity", "integrity level"),
        boolean("job_in_job", "whether it is in a job"),
        integer("job_id", "the kernel's number of its job"),
        text("job_name", "name of its job"),
        hex("job_address", "where its job is"),
        integer("silo", "number of its silo"),
    ],
    references: &[],
    elsewhere: &[],
    read: |snapshot, rows| rows.all(snapshot.processes()),
};

/// Threads.
pub static THREADS: Table = Table {
    name: "threads",
    meaning: "Threads.",
    columns: &[
        integer("tid", "thread id"),
        integer("pid", "id of its process"),
        text("image", "file name of the process's image"),
        hex("start_address", "where it starts, as the kernel sees it"),
        hex(
            "win32_start_address",
            "where it starts, as whoever made it said",
        ),
        text("state", "KTHREAD_STATE"),
        text("wait_reason", "KWAIT_REASON, while it waits"),
        integer("priority", "current priority"),
        time("create_time", "when it started"),
        duration("user_time", "time spent in user mode"),
        duration("kernel_time", "time spent in the kernel"),
        integer("context_switches", "how often it was switched to"),
    ],
    references: &[OF_PROCESS],
    elsewhere: &[],
    read: |snapshot, rows| {
        let problems = snapshot.each_thread(|thread| rows.push(&thread));
        rows.problems.extend(problems);
    },
};

/// The columns of what has ended.
const ENDED: [Column; 10] = [
    integer("pid", "process id"),
    integer("tid", "thread id; null for a process"),
    text("image", "file name of the process's image"),
    text("path", "NT path of the process's image"),
    text("exit_status", "what it ended with, hexadecimal"),
    time("create_time", "when it was started"),
    time("exit_time", "when it ended"),
    duration("user_time", "time spent in user mode"),
    duration("kernel_time", "time spent in the kernel"),
    integer(
        "holder_count",
        "handles that keep it; 0: only the kernel does; null: not known",
    ),
];

/// Processes and threads that had ended before the capture began and still exist.
pub static ZOMBIES: Table = Table {
    name: "zombies",
    meaning: "Processes and threads that had ended before the capture began and still exist.",
    columns: &join::<11>(&[&[row_number("zombie_id")], &ENDED]),
    references: &[],
    elsewhere: HOLDERS,
    read: |snapshot, rows| {
        let zombies = rows.take(snapshot.zombies());
        for zombie in zombies.processes.iter().chain(&zombies.threads) {
            rows.push(zombie);
        }
    },
};

const HOLDERS: &[Column] = &[list("holders", "who holds it; null: not known")];

/// Handles that keep ended processes and threads.
pub static ZOMBIE_HOLDERS: Table = Table {
    name: "zombie_holders",
    meaning: "Handles that keep ended processes and threads.",
    columns: &[
        integer("zombie_id", "which of the zombies it keeps"),
        integer("pid", "id of the process that holds it"),
        text("image", "file name of that process's image"),
        hex("handle", "the handle's value there"),
    ],
    references: &[
        Reference::part_of("zombie_id", "zombies", "zombie_id"),
        OF_PROCESS,
    ],
    elsewhere: &[],
    read: |snapshot, rows| {
        #[derive(Serialize)]
        struct Row<'a> {
            zombie_id: usize,
            #[serde(flatten)]
            holder: &'a ZombieHolder,
        }
        let zombies = rows.take(snapshot.zombies());
        for (zombie_id, zombie) in zombies.processes.iter().chain(&zombies.threads).enumerate() {
            for holder in zombie.holders.iter().flatten() {
                rows.push(&Row { zombie_id, holder });
            }
        }
    },
};

/// Processes and threads that ended while the capture ran: no zombies.
pub static ENDED_DURING_CAPTURE: Table = Table {
    name: "ended_during_capture",
    meaning: "Processes and threads that ended while the capture ran: no zombies.",
    columns: &ENDED,
    references: &[],
    elsewhere: HOLDERS,
    read: |snapshot, rows| {
        for ended in &rows.take(snapshot.zombies()).ended_during_capture {
            rows.push(ended);
        }
    },
};

/// Jobs.
pub static JOBS: Table = Table {
    name: "jobs",
    meaning: "Jobs.",
    columns: &join::<32>(&[
        &[row_number("job_number")],
        &naming!(),
        &[
            hex("address", "where it is; null where the kernel hides it"),
            boolean(
                "of_capture",
                "whether it is the job that the capture ran in",
            ),
            hex("limits_flags", "JOB_OBJECT_LIMIT_*"),
            list("limits_flag_names", "the same by name"),
            duration("limits_process_user_time", "most user time of each process"),
            duration("limits_job_user_time", "most user time of all processes"),
            size(
                "limits_minimum_working_set",
                "least working set of each process",
            ),
            size(
                "limits_maximum_working_set",
                "most working set of each process",
            ),
            integer("limits_active_processes", "most processes at once"),
            hex("limits_affinity", "processors"),
            integer("limits_priority_class", "PROCESS_PRIORITY_CLASS"),
            integer("limits_scheduling_class", "0 to 9"),
            size("limits_process_memory", "most commit of each process"),
            size("limits_job_memory", "most commit of all processes"),
            size(
                "limits_peak_process_memory",
                "greatest commit of a process so far",
            ),
            size(
                "limits_peak_job_memory",
                "greatest commit of all processes so far",
            ),
            duration("accounting_user_time", "time spent in user mode"),
            duration("accounting_kernel_time", "time spent in the kernel"),
            integer("accounting_page_faults", "page faults"),
            integer("accounting_total_processes", "processes there ever were"),
            integer("accounting_active_processes", "processes there are"),
            integer(
                "accounting_terminated_processes",
                "processes ended by a limit",
            ),
            integer(
                "assigned_processes",
                "processes in it, also those without a row in job_processes",
            ),
            integer("silo_id", "its number as a silo"),
            integer("silo_parent_id", "number of the silo it is in"),
            integer("silo_process_count", "processes in the silo"),
            boolean(
                "silo_in_server_silo",
                "whether it is, or is in, a Windows container",
            ),
            list(
                "errors",
                "questions that were refused, each with its status",
            ),
        ],
    ]),
    references: &[],
    elsewhere: &[
        list("process_ids", "the processes in it"),
        list("holders", "who has it open"),
    ],
    read: |snapshot, rows| rows.all(snapshot.jobs()),
};

const OF_JOB: Reference = Reference::part_of("job_number", "jobs", "job_number");

/// Which processes are in which jobs, those of jobs inside a job included.
pub static JOB_PROCESSES: Table = Table {
    name: "job_processes",
    meaning: "Which processes are in which jobs, those of jobs inside a job included.",
    columns: &[
        integer("job_number", "the job"),
        integer("pid", "the process"),
    ],
    references: &[OF_JOB, OF_PROCESS],
    elsewhere: &[],
    read: |snapshot, rows| {
        #[derive(Serialize)]
        struct Row {
            job_number: usize,
            pid: u64,
        }
        for (job_number, job) in rows.take(snapshot.jobs()).iter().enumerate() {
            for &pid in job.process_ids.iter().flatten() {
                rows.push(&Row { job_number, pid });
            }
        }
    },
};

/// Handles to jobs.
pub static JOB_HOLDERS: Table = Table {
    name: "job_holders",
    meaning: "Handles to jobs.",
    columns: &join::<5>(&[&[integer("job_number", "the job")], &super::objects::HOLDER]),
    references: &[OF_JOB, OF_PROCESS],
    elsewhere: &[],
    read: |snapshot, rows| {
        #[derive(Serialize)]
        struct Row<'a> {
            job_number: usize,
            #[serde(flatten)]
            holder: &'a Holder,
        }
        for (job_number, job) in rows.take(snapshot.jobs()).iter().enumerate() {
            for holder in &job.holders {
                rows.push(&Row { job_number, holder });
            }
        }
    },
};
