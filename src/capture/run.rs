//! Runs: the answers of consecutive calls, one behind the other in one item.

use super::query::{Asked, ask};
use super::{Capture, Question, Stop};
use crate::nt::{Answer, Buffer, Kernel, Status};
use bootshot_format::{Outcome, Sink, padded};

/// Calls made for one question: more than any key has subkeys or values.
const MAXIMUM_ANSWERS: u32 = 1 << 16;

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    /// Asks with one index after the other until a call gives no answer, and shows `each` every answer. An item holds as
    /// many as the answer region; the next one goes on with its first index as argument.
    pub(super) fn enumerate(
        &mut self,
        question: &Question<'_>,
        call: &mut dyn FnMut(u32, Buffer<'_>) -> Answer,
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Stop> {
        let mut index = 0;
        loop {
            let first = index;
            // The first answer of an item has the whole region, which grows for it.
            let mut asked = ask(self.kernel, &mut self.answer, None, &mut |buffer| {
                call(index, buffer)
            });
            let mut tries = asked.tries;
            let (mut start, mut end) = (0, 0);
            while asked.outcome == Outcome::COMPLETE && index < MAXIMUM_ANSWERS {
                end = start + asked.length;
                each(&self.answer.bytes()[start..end]);
                start = padded(end).min(self.answer.length());
                self.answer.bytes_mut()[end..start].fill(0);
                index += 1;
                let buffer = self.answer.buffer_from(start);
                let room = buffer.length();
                asked = Asked::of(call(index, buffer), room);
                tries = tries.saturating_add(1);
            }
            let (outcome, goes_on) = match () {
                () if asked.status == Status::NO_MORE_ENTRIES => (Outcome::COMPLETE, false),
                () if index == first => {
                    // No answer, or one that fits nowhere and is cut off.
                    end = asked.length;
                    index += 1;
                    (asked.outcome, asked.outcome == Outcome::TRUNCATED)
                }
                // What does not fit behind others has the next item to itself.
                () if asked.status.wants_more_room() => (Outcome::COMPLETE, true),
                () if asked.outcome == Outcome::TRUNCATED => (Outcome::COMPLETE, true),
                () => (Outcome::TRUNCATED, false),
            };
            let bounded = goes_on && index >= MAXIMUM_ANSWERS;
            let asked = Asked {
                outcome: if bounded { Outcome::TRUNCATED } else { outcome },
                tries,
                length: end,
                ..asked
            };
            self.record(&question.about(u64::from(first), 0), &asked)?;
            if !goes_on || bounded {
                return Ok(());
            }
        }
    }
}
