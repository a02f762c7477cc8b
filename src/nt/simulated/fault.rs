//! What can go wrong in a simulated machine, and when.

use crate::nt::Status;
use std::sync::Arc;

/// One system call as it was made.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which thread made it: 0 is the first one, others count from 1 in the order they were started.
    pub thread: u32,
    /// How many calls that thread had made before it.
    pub number: u32,
    /// The system call.
    pub name: &'static str,
    /// Information class, length or handle, whichever tells one call from another.
    pub argument: u64,
    /// The process it is about, where it is about one.
    pub process: Option<u64>,
    /// Path, file name, or key path and value name.
    pub text: String,
    /// The handle it was given, 0 for none.
    pub handle: u64,
    /// What it answered, once it did.
    pub answer: Option<Given>,
}

/// The answer to a query as the caller got it.
#[derive(Clone, Debug)]
pub struct Given {
    /// The status.
    pub status: Status,
    /// The length returned, lies included.
    pub length: usize,
    /// Where the caller's buffer stood.
    pub address: usize,
    /// Bytes it had.
    pub capacity: usize,
    /// Bytes written to it.
    pub bytes: Vec<u8>,
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// It does nothing and gives this status. A close closes all the same: handles are to be counted.
    Fail(Status),
    /// As [`Fault::Fail`], with this returned length.
    FailWithLength(Status, usize),
    /// It works, and returns this length instead of the true one.
    Length(fn(usize) -> usize),
    /// It never returns.
    Hang,
    /// It takes this many milliseconds.
    Late(u32),
    /// The machine loses power before it.
    PowerOff,
}

/// A fault and the calls it befalls.
#[derive(Clone)]
pub struct Rule {
    /// Picks the calls.
    pub when: Arc<dyn Fn(&Call) -> bool + Send + Sync>,
    /// What happens to them.
    pub fault: Fault,
}
