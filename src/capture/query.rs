//! The question loop: grows the buffer until the answer fits, within bounds, and keeps what came of it.

use super::Exact;
use crate::nt::{Answer, Buffer, Kernel, Region, Status};
use bootshot_format::Outcome;

/// Calls made for one question at most.
const MAXIMUM_TRIES: u16 = 10;

/// Bytes one answer may take.
const MAXIMUM_ANSWER: usize = if size_of::<usize>() == 4 {
    256 << 20
} else {
    1 << 30
};

/// Bytes to which a buffer is doubled where the kernel does not say how much it wants.
const MAXIMUM_GUESS: usize = 32 << 20;

/// Bytes a buffer starts with again after an answer that memory had no room for.
const SMALL_ANSWER: usize = 64 << 10;

/// What came of a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Status of the last call.
    pub status: Status,
    /// How it ended.
    pub outcome: Outcome,
    /// Calls made.
    pub tries: u16,
    /// Length the last call returned, unclamped.
    pub returned_length: usize,
    /// Bytes of the answer that lie in the buffer.
    pub length: usize,
}

impl Asked {
    /// A question that gives no bytes: its status is all.
    pub const fn without_answer(status: Status) -> Self {
        let outcome = if status.is_success() {
            Outcome::COMPLETE
        } else {
            Outcome::FAILED
        };
        Self {
            status,
            outcome,
            tries: 1,
            returned_length: 0,
            length: 0,
        }
    }

    /// What one call with `room` bytes came to.
    pub const fn of(answer: Answer, room: usize) -> Self {
        let Answer {
            status,
            length: returned_length,
        } = answer;
        let (outcome, length) = match status.is_success() {
            true if returned_length <= room => (Outcome::COMPLETE, returned_length),
            // A length beyond the buffer is a lie: what lies in the buffer is all there is.
            true => (Outcome::TRUNCATED, room),
            false => (Outcome::FAILED, 0),
        };
        Self {
            status,
            outcome,
            tries: 1,
            returned_length,
            length,
        }
    }

    /// Bytes at hand, all of them.
    pub const fn at_hand(length: usize) -> Self {
        Self {
            returned_length: length,
            length,
            ..Self::without_answer(Status::SUCCESS)
        }
    }
}

/// Asks until the answer fits. `exact` is tried first where a class takes one length only.
pub fn ask<K: Kernel>(
    kernel: K,
    buffer: &mut Region<K>,
    exact: Option<Exact>,
    call: &mut dyn FnMut(Buffer<'_>) -> Answer,
) -> Asked {
    let mut tries = 0;
    if buffer.length() == 0 {
        // An earlier answer did not fit into memory, and neither did what was there before it.
        match Region::new(kernel, SMALL_ANSWER) {
            Ok(region) => *buffer = region,
            Err(status) => {
                return Asked {
                    tries,
                    ..Asked::without_answer(status)
                };
            }
        }
    }
    let mut room = buffer.length();
    if let Some(exact) = exact {
        room = exact.length.min(room);
        let fields = &mut buffer.bytes_mut()[..room];
        fields.fill(0);
        if let Some(first) = fields.first_chunk_mut() {
            *first = exact.first.to_ne_bytes();
        }
    }
    loop {
        tries += 1;
        let asked = Asked {
            tries,
            ..Asked::of(call(buffer.buffer(room)), room)
        };
        let Asked {
            status,
            returned_length,
            ..
        } = asked;
        if status.is_success() {
            return asked;
        }
        // A class that says "too small" to its exact size is of another version: the loop finds its size.
        let (wanted, limit) = if room < buffer.length() {
            (buffer.length(), MAXIMUM_ANSWER)
        } else if returned_length > room {
            // An eighth more than asked for, since the system goes on.
            (
                returned_length.saturating_add(returned_length / 8),
                MAXIMUM_ANSWER,
            )
        } else {
            (room * 2, MAXIMUM_GUESS)
        };
        if !status.wants_more_room() || tries == MAXIMUM_TRIES || wanted > limit {
            return match status {
                // A warning: the part that fitted is there.
                Status::BUFFER_OVERFLOW => Asked {
                    outcome: Outcome::TRUNCATED,
                    length: returned_length.min(room),
                    ..asked
                },
                _ => asked,
            };
        }
        if wanted > buffer.length() {
            // Given back first: beside the largest single answer there is never a second large buffer.
            *buffer = Region::empty(kernel);
            match Region::new(kernel, wanted) {
                Ok(region) => *buffer = region,
                Err(status) => return Asked { status, ..asked },
            }
        }
        room = buffer.length();
    }
}
