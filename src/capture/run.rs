//! Runs: the answers of consecutive calls, one behind the other in one item.

use super::Capture;
use super::query::{Ask, Asked, KEY_ROOM};
use crate::nt::layout::key_basic_information as subkey;
use crate::nt::{Kernel, List, OutOfMemory, Status};
use crate::own::dword;
use bootshot_format::{Outcome, Sink, padded};

/// Calls made for one question: more than any key has subkeys or values.
const MAXIMUM_ANSWERS: u32 = 1 << 16;

/// Subkeys of one key whose names are kept: a machine has some 800 services, but a user can have thousands of classes.
const MAXIMUM_NAMES: u32 = 2048;

/// Names of subkeys, each behind its length in units.
pub(super) type Names<'h, K> = List<'h, K, u16>;

impl<'a, K: Kernel, S: Sink<Error = Status> + Send> Capture<'a, K, S> {
    /// Asks with one index after the other until a call gives no answer. An item holds as many answers as the answer
    /// region; the next one goes on with its first index as argument. Where there are `names`, those of the answers are
    /// added to them.
    pub(super) fn enumerate(&mut self, question: Ask, mut names: Option<&mut Names<'a, K>>) {
        let kernel = self.kernel;
        self.call.index = 0;
        let mut goes_on = true;
        while goes_on {
            let first = self.call.index;
            // The first answer of an item has the whole region, which grows for it.
            self.ask(question);
            let mut tries = self.asked.tries;
            let (mut start, mut end) = (0, 0);
            while self.asked.outcome == Outcome::COMPLETE && self.call.index < MAXIMUM_ANSWERS {
                end = start + self.asked.length;
                if let Some(kept) = &mut names
                    && (self.call.index >= MAXIMUM_NAMES
                        || keep_name(self.answer.first(end), start, kept).is_err())
                {
                    self.outcome = Outcome::TRUNCATED;
                    names = None;
                }
                start = padded(end);
                let room = self.answer.bytes_mut();
                if let Some(padding) = room.get_mut(end..start) {
                    padding.fill(0);
                }
                self.call.index += 1;
                let buffer = self.answer.buffer_from(start, usize::from(KEY_ROOM));
                let room = buffer.length();
                self.asked = Asked::of(self.call.make(kernel, buffer), room);
                tries = tries.saturating_add(1);
            }
            let asked = &mut self.asked;
            (asked.outcome, goes_on) = if asked.status == Status::NO_MORE_ENTRIES {
                (Outcome::COMPLETE, false)
            } else if self.call.index == first {
                // No answer, or one that fits nowhere and is cut off.
                end = asked.length;
                self.call.index += 1;
                (asked.outcome, asked.outcome == Outcome::TRUNCATED)
            } else if asked.status.wants_more_room() || asked.outcome == Outcome::TRUNCATED {
                // What does not fit behind others has the next item to itself.
                (Outcome::COMPLETE, true)
            } else {
                (Outcome::TRUNCATED, false)
            };
            if goes_on && self.call.index >= MAXIMUM_ANSWERS {
                (asked.outcome, goes_on) = (Outcome::TRUNCATED, false);
            }
            asked.tries = tries;
            asked.length = end;
            self.subject[0] = u64::from(first);
            self.record();
        }
    }
}

/// Adds the name in the `KEY_BASIC_INFORMATION` at `start` to `names`.
fn keep_name<K: Kernel>(
    answers: &[u8],
    start: usize,
    names: &mut Names<'_, K>,
) -> Result<(), OutOfMemory> {
    let name = answers.get(start + subkey::NAME..).unwrap_or(&[]);
    let length = dword(answers, start + subkey::NAME_LENGTH) as usize / 2;
    // A name of more units than this fits into no path.
    let length = length.min(name.len() / 2).min(usize::from(u16::MAX));
    names.push(length as u16)?;
    let units = name.as_chunks().0.iter().take(length);
    units
        .map(|unit| u16::from_le_bytes(*unit))
        .try_for_each(|unit| names.push(unit))
}
