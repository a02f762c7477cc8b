//! `NtQueryInformationJobObject`: the processes in a job.

use super::buffer::Buffer;
use crate::error::Problem;
use crate::layout::structures::JOBOBJECT_BASIC_PROCESS_ID_LIST;

/// Class 3: ids of processes in a job, and how many there are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobProcesses {
    /// How many are in the job; there may have been room for fewer.
    pub assigned: u32,
    /// The ids there was room for.
    pub ids: Vec<u64>,
}

/// Reads an answer of class 3.
pub fn job_processes(buffer: &Buffer<'_>, problems: &mut Vec<Problem>) -> Option<JobProcesses> {
    use JOBOBJECT_BASIC_PROCESS_ID_LIST as List;

    let width = buffer.width();
    let start = List::ProcessIdList.offset.at(width);
    let list = buffer.expect::<List>(0, start, problems)?;
    let claimed = list.get(List::NumberOfProcessIdsInList)? as usize;
    let ids = buffer.from(start).chunks_exact(width.bytes());
    if claimed > ids.len() {
        problems.push(Problem::new(
            "JOBOBJECT_BASIC_PROCESS_ID_LIST.NumberOfProcessIdsInList",
            0,
            format!("at most {}, for which there is room", ids.len()),
            claimed.to_string(),
        ));
    }
    Some(JobProcesses {
        assigned: list.get(List::NumberOfAssignedProcesses)?,
        ids: ids.take(claimed).map(number).collect(),
    })
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}
