//! "How much memory does this process consume?" in words: each number of a process with the question it answers.

use bootshot_reader::records::{Memory, ProcessMemory};

use crate::shown;

/// One paragraph about a process, with its own figures.
pub fn process(process: &ProcessMemory, memory: &Memory) -> String {
    let size = shown::size;
    let name = process.image.as_deref().unwrap_or("without a name");
    let mut text = format!(
        "Process {} ({name}). What would the system get back if it ended? {} of commit: its private commit, memory that was \
         promised to it alone and that counts against the system's limit whether it is in RAM, in a page file or was never \
         touched; the most it ever had was {}.",
        process.pid,
        size(process.private_commit),
        size(process.peak_private_commit),
    );
    if let (Some(total), Some(limit)) = (memory.commit.total, memory.commit.limit) {
        text += &format!(
            " That is {} of the system's commit charge of {}, which must stay below {}.",
            percent(process.private_commit, total),
            size(total),
            size(limit)
        );
    }
    text += &match process.shared_commit {
        Some(shared) => format!(
            " Memory that it shares through sections backed by page files is charged as well, {} where it has a part in it; \
             that is freed when the last of all who share it lets go, so adding it up over processes counts it more than once.",
            size(shared)
        ),
        None => " Memory that it shares through sections backed by page files is charged to the system too, and is in none \
                 of its own numbers here."
            .to_owned(),
    };
    text += &format!(
        " How much RAM does it use now? Its working set is {}, at most it was {}, but that counts pages of DLLs and sections \
         which other processes use as well, so working sets add up to more than the RAM there is.",
        size(process.working_set),
        size(process.peak_working_set),
    );
    text += &match (process.private_working_set, process.shared_working_set) {
        (Some(private), Some(shared)) => format!(
            " Of it {} is private, in RAM for nobody else: what Task Manager shows as \"Memory\" (without suspended apps); \
             the other {} can be shared. The private working set shrinks when the system takes pages away, without the \
             process having given anything back: a leak shows in the private commit.",
            size(private),
            size(shared)
        ),
        (Some(private), None) => format!(
            " Its private working set, what Task Manager shows as \"Memory\", is given as {}; it was counted at another moment \
             than the working set.",
            size(private)
        ),
        (None, _) => " How much of it is private, which Task Manager shows as \"Memory\", this system does not tell.".to_owned(),
    };
    text += &format!(
        " How much address space does it take? {}, most of it often nothing but reserved: this says nothing about RAM. What \
         does the kernel keep for it? It is charged {} of paged and {} of nonpaged pool for its handles and objects. Did it \
         have to wait for the disk? It had {} page faults",
        size(process.virtual_size),
        size(process.paged_pool),
        size(process.nonpaged_pool),
        process.page_faults,
    );
    text += &match process.hard_faults {
        Some(hard) => format!(", {hard} of which read from a disk; the others found their page in RAM."),
        None => "; most page faults find their page in RAM, and this system does not tell which did not.".to_owned(),
    };
    text
}

fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "an unknown part".to_owned();
    }
    format!("{:.1} %", part as f64 / whole as f64 * 100.0)
}
