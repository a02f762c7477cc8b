//! The shelf: which snapshots stand in the directory, how they are numbered and named, which of them go.
//!
//! Besides snapshots a few small files live there: the kill switch, the guard, the note that the only capture wanted is
//! done, the mark of the highest number given, and what an interrupted run left under its temporary name.

use crate::nt::{Clock, Heap, Kernel, List, Region, Status};
use crate::output::{Directory, Name};
use crate::text::{self, Line};
use crate::time::Moment;
use crate::utf16;
use bootshot_format::Phase;

/// The kill switch: while it is there, nothing is captured at boot.
const KILL_SWITCH: &[u16] = utf16!("off");
/// The guard: there from before a capture at boot until after its end.
const GUARD: &[u16] = utf16!("attempt");
/// After it was put up, an entry with `once` does nothing more.
const DONE: &[u16] = utf16!("done");
/// A file of this name and no content remembers the highest number given: it grows even when snapshots are moved away.
const SEQUENCE_MARK: &str = "sequence-";
const SEQUENCE_DIGITS: u32 = 8;

/// What a snapshot's name is made of.
#[derive(Clone, Copy, Debug)]
pub struct Stem {
    /// Higher than that of any snapshot before.
    pub sequence: u64,
    /// When the run started.
    pub clock: Clock,
    /// At which moment of the boot.
    pub phase: Phase,
}

impl Stem {
    /// `<sequence>-<UTC time>-<phase>`, as in `00000007-20261120T114823Z-bootexecute`.
    pub fn line(&self) -> Line {
        let moment = Moment::from_system_time(self.clock.system_time);
        let mut line = Line::default();
        line.padded(self.sequence, SEQUENCE_DIGITS);
        line.text("-");
        line.padded(u64::from(moment.year), 4);
        line.padded(u64::from(moment.month), 2);
        line.padded(u64::from(moment.day), 2);
        line.text("T");
        line.padded(u64::from(moment.hour), 2);
        line.padded(u64::from(moment.minute), 2);
        line.padded(u64::from(moment.second), 2);
        line.text("Z-");
        line.text(self.phase.name());
        line
    }
}

/// Why nothing is captured at boot: the kill switch ([`Status::CANCELLED`]), the end of an earlier capture that was to
/// be the only one ([`Status::ALREADY_COMPLETE`]), or the guard of a run that did not end
/// ([`Status::REQUEST_ABORTED`]).
pub fn leave_if_told<K: Kernel>(directory: &Directory<K>, once: bool) -> Result<(), Status> {
    if directory.contains(KILL_SWITCH) {
        return Err(Status::CANCELLED);
    }
    if once && directory.contains(DONE) {
        return Err(Status::ALREADY_COMPLETE);
    }
    if directory.contains(GUARD) {
        return Err(Status::REQUEST_ABORTED);
    }
    Ok(())
}

/// Puts up the guard; its content says which snapshot was being taken.
pub fn put_up_guard<K: Kernel>(directory: &Directory<K>, stem: &Stem) -> Result<(), Status> {
    directory.create_flushed(GUARD, stem.line().bytes())?;
    directory.flush();
    Ok(())
}

/// Notes that the one capture that was wanted is there.
pub fn put_up_done<K: Kernel>(directory: &Directory<K>, stem: &Stem) -> Result<(), Status> {
    directory.create_flushed(DONE, stem.line().bytes())?;
    directory.flush();
    Ok(())
}

/// Takes the guard down again.
pub fn take_down_guard<K: Kernel>(directory: &Directory<K>) -> Result<(), Status> {
    directory.remove(GUARD)?;
    directory.flush();
    Ok(())
}

/// One more than any number given in this directory so far, marked before it is used.
pub fn next_sequence<K: Kernel>(
    directory: &Directory<K>,
    buffer: &mut Region<K>,
) -> Result<u64, Status> {
    let mut highest = 0;
    let mut former_mark = None;
    directory.for_each_name(buffer, &mut |name| {
        let marked = marked_sequence(name);
        if let Some(sequence) = marked
            && former_mark
                .as_ref()
                .is_none_or(|(former, _)| sequence >= *former)
        {
            former_mark = Name::found(name).map(|name| (sequence, name));
        }
        highest = highest.max(marked.or(sequence_of(name)).unwrap_or(0));
    })?;
    let sequence = highest + 1;
    let mut mark = Line::default();
    mark.text(SEQUENCE_MARK);
    mark.padded(sequence, SEQUENCE_DIGITS);
    let mark = Name::new(mark.bytes(), "").ok_or(Status::INVALID_PARAMETER)?;
    directory.create_flushed(mark.units(), &[])?;
    if let Some((_, name)) = former_mark {
        directory.remove(name.units())?;
    }
    Ok(sequence)
}

/// Removes the lowest-numbered snapshots beyond `keep`, whole or not. The `newest`, just written, counts and stays,
/// whether the file system lists it already or not (seen: Wine 8 goes on with the list of the first call).
pub fn prune<K: Kernel>(
    directory: &Directory<K>,
    heap: &Heap<K>,
    buffer: &mut Region<K>,
    keep: u32,
    newest: u64,
) -> Result<(), Status> {
    let mut names = List::new(heap);
    let mut complete = Ok(());
    directory.for_each_name(buffer, &mut |name| {
        if let (Some(sequence), Some(name), Ok(())) =
            (sequence_of(name), Name::found(name), complete)
            && sequence != newest
        {
            complete = names.push((sequence, name));
        }
    })?;
    complete?;
    let mut count = names.len() + 1;
    let mut removed_below = 0;
    while count > keep as usize {
        let left = names
            .iter()
            .filter(|(sequence, _)| *sequence >= removed_below);
        let Some(lowest) = left.map(|(sequence, _)| *sequence).min() else {
            break;
        };
        // Where power failed during a rename on FAT, a number has two names.
        for (_, name) in names.iter().filter(|(sequence, _)| *sequence == lowest) {
            directory.remove(name.units())?;
            count -= 1;
        }
        removed_below = lowest + 1;
    }
    Ok(())
}

/// The sequence number at the start of a snapshot's name, finished or not.
fn sequence_of(name: &[u16]) -> Option<u64> {
    let dash = name.iter().position(|unit| *unit == u16::from(b'-'))?;
    let is_ours = [".bshot", ".tmp"].iter().any(|extension| {
        let start = name.len().checked_sub(extension.len());
        start.is_some_and(|start| text::is(&name[start..], extension))
    });
    if is_ours {
        text::number(&name[..dash])
    } else {
        None
    }
}

fn marked_sequence(name: &[u16]) -> Option<u64> {
    let (mark, number) = name.split_at_checked(SEQUENCE_MARK.len())?;
    if text::is(mark, SEQUENCE_MARK) {
        text::number(number)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_number_time_and_phase() {
        let clock = Clock {
            system_time: (11_644_473_600 + 1_795_175_303) * 10_000_000,
            interrupt_time: 0,
        };
        let stem = Stem {
            sequence: 7,
            clock,
            phase: Phase::BOOT_EXECUTE,
        };
        assert_eq!(
            stem.line().bytes(),
            b"00000007-20261120T114823Z-bootexecute"
        );
    }

    #[test]
    fn only_names_of_our_making_have_a_number() {
        assert_eq!(
            sequence_of(utf16!("00000007-20261120T114823Z-live.bshot")),
            Some(7)
        );
        assert_eq!(sequence_of(utf16!("123456789-x.TMP")), Some(123_456_789));
        for other in [
            "7.bshot",
            "x-1.bshot",
            "7-x.bshot.bak",
            "sequence-00000007",
            "",
            "-.tmp",
        ] {
            assert_eq!(
                sequence_of(&other.encode_utf16().collect::<Vec<_>>()),
                None,
                "{other}"
            );
        }
        assert_eq!(marked_sequence(utf16!("sequence-00000007")), Some(7));
        assert_eq!(marked_sequence(utf16!("sequence-")), None);
    }
}
