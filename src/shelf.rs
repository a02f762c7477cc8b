//! The shelf: which snapshots stand in the directory, how they are numbered and named, which of them go.
//!
//! Besides snapshots a few small files live there: the kill switch, the guard, the note that the only capture wanted is
//! done, the mark of the highest number given, and what an interrupted run left under its temporary name.

use crate::nt::{Clock, Kernel, Region, Status};
use crate::output::Directory;
use crate::path::Path;
use crate::text::{self, Line};
use crate::time::date_and_time;
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
        let (date, time) = date_and_time(self.clock.system_time);
        let mut line = Line::default();
        line.padded(self.sequence, SEQUENCE_DIGITS);
        line.text("-");
        line.padded(date.into(), 8);
        line.text("T");
        line.padded(time.into(), 6);
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
    put_up(directory, GUARD, stem)
}

/// Notes that the one capture that was wanted is there.
pub fn put_up_done<K: Kernel>(directory: &Directory<K>, stem: &Stem) -> Result<(), Status> {
    put_up(directory, DONE, stem)
}

fn put_up<K: Kernel>(directory: &Directory<K>, name: &[u16], stem: &Stem) -> Result<(), Status> {
    directory.create_flushed(name, stem.line().bytes())?;
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
    directory.for_each_name(buffer, &mut |name| {
        let given = marked_sequence(name).or(sequence_of(name));
        highest = highest.max(given.unwrap_or(0));
    })?;
    let sequence = highest + 1;
    let mut mark = Line::default();
    mark.text(SEQUENCE_MARK);
    mark.padded(sequence, SEQUENCE_DIGITS);
    let mut name = Path::new();
    name.push_ascii(mark.bytes());
    directory.create_flushed(name.units(), &[])?;
    // The highest counts: those that a loss of power or a failure left behind say nothing any more.
    let _ = remove_all(directory, buffer, marked_sequence, highest, sequence);
    Ok(sequence)
}

/// Removes the files with a number up to `highest` that is not `newest`, whatever becomes of one of them; the first failure.
fn remove_all<K: Kernel>(
    directory: &Directory<K>,
    buffer: &mut Region<K>,
    number: fn(&[u16]) -> Option<u64>,
    highest: u64,
    newest: u64,
) -> Result<(), Status> {
    let mut result = Ok(());
    directory.for_each_name(buffer, &mut |name| {
        if let Some(number) = number(name)
            && (1..=highest).contains(&number)
            && number != newest
        {
            result = result.and(directory.remove(name));
        }
    })?;
    result
}

/// Numbers that go in one run at most: the directory is asked once for each, and a boot waits for it.
const MAXIMUM_PRUNED: u32 = 64;

/// Removes the lowest-numbered snapshots beyond `keep`, whole or not; where there are many, the next runs go on. The `newest`,
/// just written, counts and stays, whether the file system lists it already or not (seen: Wine 8 goes on with the list of
/// the first call).
pub fn prune<K: Kernel>(
    directory: &Directory<K>,
    buffer: &mut Region<K>,
    keep: u32,
    newest: u64,
) -> Result<(), Status> {
    // The highest number of those that go. Where power failed during a rename on FAT, a number has two names.
    let mut limit = 0;
    for _ in 0..MAXIMUM_PRUNED {
        let (mut count, mut lowest) = (1, u64::MAX);
        directory.for_each_name(buffer, &mut |name| {
            if let Some(sequence) = sequence_of(name)
                && sequence != newest
                && sequence > limit
            {
                count += 1;
                lowest = lowest.min(sequence);
            }
        })?;
        if count <= keep {
            break;
        }
        limit = lowest;
    }
    remove_all(directory, buffer, sequence_of, limit, newest)
}

/// The sequence number at the start of a snapshot's name, finished or not.
fn sequence_of(name: &[u16]) -> Option<u64> {
    let (number, rest) = text::cut(name, "-");
    let mut extension = text::cut(rest?, ".").1?;
    while let (_, Some(after)) = text::cut(extension, ".") {
        extension = after;
    }
    text::place_in(extension, "bshot tmp")?;
    text::number(number)
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
            "7-bshot",
            "7.bshot-x",
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
