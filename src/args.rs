//! The command line: `key=value` words split on white space, because that is all smss passes on.

use crate::text;
use crate::utf16;
use bootshot_format::{Family, Phase};

/// How much is said on the console.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Voice {
    /// Nothing.
    Quiet,
    /// At boot a few lines; live one for each family.
    #[default]
    Normal,
    /// One line for each family at boot as well.
    Verbose,
}

/// A set of families.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Families(u16);

impl Families {
    const ALL: Self = Self(u16::MAX);

    /// Whether the family is in the set.
    pub const fn contains(self, family: Family) -> bool {
        self.0 & 1 << family.0 != 0
    }
}

/// Words that were not understood and are kept for the record; more are only counted by their absence.
const BAD_ROOM: usize = 16;

/// What the command line asks for.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'t> {
    /// `phase=`: the moment of the boot, when the caller knows.
    pub phase: Option<Phase>,
    /// `dir=`: NT path of the directory for snapshots.
    pub directory: &'t [u16],
    /// `keep=`: newest snapshots kept.
    pub keep: u32,
    /// `only=` and `skip=`: what is captured.
    pub families: Families,
    /// `quiet` and `verbose`.
    pub voice: Voice,
    /// `budget=`: milliseconds for the whole run.
    pub budget: Option<u32>,
    /// `once`: one capture, then never again until the file `done` is gone.
    pub once: bool,
    /// `safemode=run`: capture in Safe Mode as well.
    pub in_safe_mode: bool,
    bad: [&'t [u16]; BAD_ROOM],
    bad_count: usize,
}

impl<'t> Arguments<'t> {
    /// Reads a command line. What is not understood is kept in [`Arguments::bad`]; the defaults stand for it.
    pub fn parse(command_line: &'t [u16]) -> Self {
        let mut arguments = Self {
            phase: None,
            directory: utf16!("\\SystemRoot\\bootshot"),
            keep: 16,
            families: Families::ALL,
            voice: Voice::Normal,
            budget: None,
            once: false,
            in_safe_mode: false,
            bad: [&[]; BAD_ROOM],
            bad_count: 0,
        };
        // Quotation marks hold the image together, as launchers other than smss write it.
        let (mut image_seen, mut rest) = match command_line {
            [first, inside @ ..] if *first == u16::from(b'"') => (true, text::cut(inside, "\"").1),
            all => (false, Some(all)),
        };
        while let Some(line) = rest {
            let word;
            (word, rest) = text::cut(line, " \t\r\n");
            if word.is_empty() {
                continue;
            }
            if image_seen {
                if arguments.read(word).is_none() {
                    arguments.reject(word);
                }
            } else {
                // smss leaves its keywords in the command line, before the image.
                image_seen = text::place_in(word, "autocheck async debug secure").is_none();
            }
        }
        arguments
    }

    /// The words that were not understood.
    pub fn bad(&self) -> &[&'t [u16]] {
        self.bad.get(..self.bad_count).unwrap_or(&self.bad)
    }

    fn reject(&mut self, word: &'t [u16]) {
        if let Some(place) = self.bad.get_mut(self.bad_count) {
            *place = word;
            self.bad_count += 1;
        }
    }

    #[inline(never)]
    fn read(&mut self, word: &'t [u16]) -> Option<()> {
        let (key, value) = text::cut(word, "=");
        let Some(value) = value else {
            match text::place_in(key, "quiet verbose once")? {
                0 => self.voice = Voice::Quiet,
                1 => self.voice = Voice::Verbose,
                _ => self.once = true,
            }
            return Some(());
        };
        match text::place_in(key, "phase dir keep budget safemode only skip")? {
            0 => self.phase = Some(Phase(text::place_in(value, Phase::ALL_NAMES)? as u8 + 1)),
            1 => {
                if value.first() != Some(&u16::from(b'\\')) || value.len() > MAXIMUM_DIRECTORY {
                    return None;
                }
                self.directory = value;
            }
            2 => {
                let keep = u32::try_from(text::number(value)?).ok()?;
                // None kept would mean a run for nothing.
                if keep == 0 {
                    return None;
                }
                self.keep = keep;
            }
            3 => self.budget = Some(u32::try_from(text::number(value)?).ok()?),
            4 => self.in_safe_mode = text::place_in(value, "skip run")? != 0,
            5 => self.families = Families(families(value)? | 1 << Family::OWN.0),
            _ => self.families.0 &= !families(value)? | 1 << Family::OWN.0,
        }
        Some(())
    }
}

/// Longest directory taken, in UTF-16 units: leaves room for file names below Windows' limit of 260.
const MAXIMUM_DIRECTORY: usize = 200;

/// A comma-separated list of families as bits; `None` when one is unknown or none is named.
fn families(list: &[u16]) -> Option<u16> {
    let mut bits = 0;
    let mut rest = Some(list);
    while let Some(names) = rest {
        let name;
        (name, rest) = text::cut(names, ",");
        bits |= 1 << text::place_in(name, Family::ALL_NAMES)?;
    }
    Some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn the_defaults_stand_when_nothing_is_said() {
        for line in [
            "",
            "bootshot",
            "autocheck async bootshot",
            "\"C:\\a b\\bootshot.exe\"",
            "\"unclosed",
        ] {
            let line = wide(line);
            let arguments = Arguments::parse(&line);
            assert_eq!(arguments.phase, None);
            assert_eq!(arguments.directory, utf16!("\\SystemRoot\\bootshot"));
            assert_eq!(
                (arguments.keep, arguments.budget, arguments.voice),
                (16, None, Voice::Normal)
            );
            assert!(
                Family::ALL
                    .into_iter()
                    .all(|family| arguments.families.contains(family))
            );
            assert!(arguments.bad().is_empty());
        }
    }

    #[test]
    fn every_key_is_read_in_any_case() {
        let line = wide(
            "ASYNC autocheck \tbootshot PHASE=SetupExecute Dir=\\??\\C:\\x keep=3 budget=500 Verbose",
        );
        let arguments = Arguments::parse(&line);
        assert_eq!(arguments.phase, Some(Phase::SETUP_EXECUTE));
        assert_eq!(arguments.directory, utf16!("\\??\\C:\\x"));
        assert_eq!(
            (arguments.keep, arguments.budget, arguments.voice),
            (3, Some(500), Voice::Verbose)
        );
        assert!(arguments.bad().is_empty());
    }

    #[test]
    fn once_and_safe_mode_are_read() {
        let line = wide("bootshot Once safemode=RUN safemode=maybe");
        let arguments = Arguments::parse(&line);
        assert!(arguments.once && arguments.in_safe_mode);
        assert_eq!(arguments.bad(), [&wide("safemode=maybe")]);
        let line = wide("bootshot safemode=run safemode=skip");
        let arguments = Arguments::parse(&line);
        assert!(!arguments.once && !arguments.in_safe_mode);
    }

    #[test]
    fn only_and_skip_choose_families_and_never_drop_our_own() {
        let only = wide("bootshot only=handles,types");
        let only = Arguments::parse(&only).families;
        let chosen: Vec<_> = Family::ALL
            .into_iter()
            .filter(|family| only.contains(*family))
            .collect();
        assert_eq!(chosen, [Family::OWN, Family::HANDLES, Family::TYPES]);
        let skip = wide("bootshot skip=handles,own");
        let skip = Arguments::parse(&skip).families;
        assert!(
            skip.contains(Family::OWN)
                && skip.contains(Family::TYPES)
                && !skip.contains(Family::HANDLES)
        );
    }

    #[test]
    fn what_is_not_understood_is_kept_and_changes_nothing() {
        let bad = [
            "a",
            "phase=never",
            "dir=C:\\x",
            "keep=0",
            "keep=x",
            "keep=",
            "only=nothing",
            "skip=",
            "=",
            "x=y",
        ];
        let line = wide(&format!("bootshot {} quiet", bad.join(" ")));
        let arguments = Arguments::parse(&line);
        let kept: Vec<_> = arguments
            .bad()
            .iter()
            .map(|word| String::from_utf16_lossy(word))
            .collect();
        assert_eq!(kept, bad);
        assert_eq!(
            (arguments.keep, arguments.phase, arguments.voice),
            (16, None, Voice::Quiet)
        );
        assert!(
            Family::ALL
                .into_iter()
                .all(|family| arguments.families.contains(family))
        );
    }

    #[test]
    fn more_bad_words_than_there_is_room_for_are_survived() {
        let line = wide(&"bad ".repeat(100));
        assert_eq!(Arguments::parse(&line).bad().len(), BAD_ROOM);
    }
}
