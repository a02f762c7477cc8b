//! Text that tells who somebody is or what somebody does: found first, then replaced wherever it stands.

use std::collections::{BTreeMap, BTreeSet};

use super::addresses::Addresses;
use super::command_line::arguments_of;
use super::identifiers::Identifiers;
use super::keyed::Keyed;
use super::servers::servers;
use super::vocabulary::{is_common_word, is_of_everybody, is_part_of_a_common_word};

/// What stands for a character that was removed: no file name has it.
pub(super) const REMOVED: u16 = b'*' as u16;

/// Below a directory of these names, profiles of users stand.
const PROFILES: [&str; 2] = ["users", "documents and settings"];

/// Below a directory of these names, and behind two backslashes, machines stand.
const SERVERS: [&str; 5] = ["mup", "lanmanredirector", "webdavredirector", "unc", ""];

/// Names of variables and registry values whose text is the name of a user, a machine or a domain.
const TELLING: [&str; 20] = [
    "username",
    "userdomain",
    "userdomain_roamingprofile",
    "userdnsdomain",
    "computername",
    "logonserver",
    "clientname",
    "objectname",
    "hostname",
    "nv hostname",
    "domain",
    "nv domain",
    "dhcpdomain",
    "defaultusername",
    "defaultdomainname",
    "altdefaultusername",
    "registeredowner",
    "registeredorganization",
    "lastloggedonuser",
    "cachedmachinenames",
];

/// Fewest characters of a name that is replaced inside of other words as well.
const SHORTEST_INSIDE: usize = 3;
/// Fewest characters of a name that is looked for as UTF-16 in what may be no text: a shorter one is also a number.
pub(super) const SHORTEST_AMONG_UNITS: usize = 3;
/// The same of one that is looked for as bytes.
pub(super) const SHORTEST_AMONG_BYTES: usize = 5;
/// Fewest characters of the arguments of a command line that are looked for elsewhere.
const SHORTEST_ARGUMENTS: usize = 6;
/// The most names and arguments that are looked for: a file can be made of nothing else.
const MOST_WORDS: usize = 100_000;

/// Stands for a unit that was replaced already: half of a character, so that no word has it.
const ALREADY_REPLACED: u16 = 0xD800;

/// Where a word is replaced.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Reach {
    /// Where a profile or a server is named only: it is a word that Windows uses for something else.
    Named,
    /// Where it is not part of another word.
    Whole,
    /// Everywhere.
    Everywhere,
}

/// A word and what stands for it, in units of UTF-16.
struct Word {
    folded: Vec<u16>,
    replacement: Vec<u16>,
    reach: Reach,
}

/// What is known to be removed.
pub(super) struct Words {
    users: bool,
    command_lines: bool,
    names: BTreeSet<String>,
    arguments: BTreeSet<String>,
    words: Vec<Word>,
    /// Places in `words`, the longest first, by the first unit.
    by_first: BTreeMap<u16, Vec<usize>>,
}

/// How text stands in bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Characters {
    Utf16,
    Bytes,
}

impl Characters {
    /// Bytes of a unit.
    const fn size(self) -> usize {
        match self {
            Self::Utf16 => 2,
            Self::Bytes => 1,
        }
    }
}

impl Words {
    /// `users` and `command_lines`: whether these are to be removed.
    pub fn new(users: bool, command_lines: bool) -> Self {
        Self {
            users,
            command_lines,
            names: BTreeSet::new(),
            arguments: BTreeSet::new(),
            words: Vec::new(),
            by_first: BTreeMap::new(),
        }
    }

    /// How many names of users, machines and domains there are.
    pub fn count(&self) -> u64 {
        self.names.len() as u64
    }

    /// Learns the names of users and machines from paths in a text.
    pub fn learn_paths(&mut self, text: &str) {
        if !self.users || !text.contains(['\\', '/']) {
            return;
        }
        let mut parts = text.split(['\\', '/', '\0', ';', '"']).peekable();
        while let Some(part) = parts.next() {
            let below = |profiles: &&str| part.eq_ignore_ascii_case(profiles);
            if PROFILES.iter().any(below)
                && let Some(name) = parts.peek()
            {
                let name = *name;
                self.learn_name(name);
            }
        }
        for server in servers(text) {
            self.learn_name(server);
        }
    }

    /// Learns a name from a variable or value whose text is one.
    pub fn learn_named(&mut self, name: &str, text: &str) {
        let name = name.to_lowercase();
        if !self.users || !TELLING.contains(&name.as_str()) {
            return;
        }
        let text = text.trim_matches(['\0', ' ']);
        if let Some((domain, account)) = text.trim_start_matches('\\').split_once('\\') {
            // Accounts of these are named after services.
            if matches!(domain.to_lowercase().as_str(), "nt service" | "iis apppool") {
                return;
            }
            self.learn_name(domain);
            self.learn_name(account);
        } else if let Some((account, domain)) = text.split_once('@') {
            self.learn_name(account);
            self.learn_name(domain);
        } else {
            for part in text.split('\0') {
                self.learn_name(part.trim_start_matches('\\'));
            }
        }
    }

    fn learn_name(&mut self, name: &str) {
        let name = name.trim();
        let is_a_name = !name.is_empty()
            && name.chars().count() <= 256
            && name.chars().any(char::is_alphanumeric)
            && !name.contains(['%', '*', '\u{FFFD}'])
            && !is_of_everybody(name);
        if is_a_name && self.names.len() < MOST_WORDS {
            self.names.insert(fold_text(name));
        }
    }

    /// Learns the arguments of a command line.
    pub fn learn_command_line(&mut self, text: &str) {
        if !self.command_lines {
            return;
        }
        let text = text.trim_matches(['\0', ' ']);
        let arguments = text.get(arguments_of(text)..).unwrap_or_default().trim();
        if arguments.chars().count() >= SHORTEST_ARGUMENTS
            && !is_part_of_a_common_word(arguments)
            && self.arguments.len() < MOST_WORDS
        {
            self.arguments.insert(fold_text(arguments));
        }
    }

    /// Ends the learning: every word gets what stands for it, a name one of its own.
    pub fn settle(&mut self, keyed: &Keyed) {
        let mut taken = BTreeSet::new();
        for name in &self.names {
            let folded = units(name);
            let reach = match folded.len() {
                _ if is_common_word(name) => Reach::Named,
                length if length < SHORTEST_INSIDE => Reach::Whole,
                _ if is_part_of_a_common_word(name) => Reach::Whole,
                _ => Reach::Everywhere,
            };
            let made = |attempt| pseudonym(keyed, name, folded.len(), attempt);
            let free = (0..64).map(made).find(|made| {
                // None of the names may come back in what stands for one.
                let text = String::from_utf16_lossy(made);
                !taken.contains(made) && !self.names.contains(&text)
            });
            let replacement = free.unwrap_or_else(|| vec![REMOVED; folded.len()]);
            taken.insert(replacement.clone());
            self.words.push(Word {
                folded,
                replacement,
                reach,
            });
        }
        for arguments in &self.arguments {
            let folded = units(arguments);
            self.words.push(Word {
                replacement: vec![REMOVED; folded.len()],
                folded,
                reach: Reach::Everywhere,
            });
        }
        // The longest first: a name may be part of another.
        self.words
            .sort_by_key(|word| std::cmp::Reverse(word.folded.len()));
        for (place, word) in self.words.iter().enumerate() {
            let first = word.folded.first().copied().unwrap_or_default();
            self.by_first.entry(first).or_default().push(place);
        }
    }

    /// Replaces everything that is to be in text that begins with these bytes. Of bytes, only words of at least
    /// `shortest` characters. `replaced` says of each byte whether it stands for something already: that stays.
    pub fn scrub(
        &self,
        bytes: &mut [u8],
        replaced: &mut [bool],
        characters: Characters,
        shortest: usize,
        identifiers: &mut Identifiers,
        addresses: &Addresses,
    ) {
        let mut text: Vec<u16> = match characters {
            Characters::Utf16 => {
                let (units, _) = bytes.as_chunks::<2>();
                units.iter().map(|unit| u16::from_le_bytes(*unit)).collect()
            }
            Characters::Bytes => bytes.iter().map(|byte| u16::from(*byte)).collect(),
        };
        let size = characters.size();
        let is_replaced = replaced.chunks_exact(size).map(|unit| unit.contains(&true));
        let folded: Vec<u16> = text
            .iter()
            .zip(is_replaced)
            .map(|(unit, is_replaced)| match is_replaced {
                true => ALREADY_REPLACED,
                false => fold(*unit),
            })
            .collect();
        let mut changed = false;
        let mut start = 0;
        while start < folded.len() {
            let found = self
                .word_at(&folded, start, shortest)
                .or_else(|| self.identifier_at(&folded, start, identifiers))
                .or_else(|| number_at(&folded, start, addresses));
            match found {
                Some(replacement) => {
                    let end = start + replacement.len();
                    text[start..end].copy_from_slice(&replacement);
                    replaced[start * size..end * size].fill(true);
                    start = end;
                    changed = true;
                }
                None => start += 1,
            }
        }
        if !changed {
            return;
        }
        match characters {
            Characters::Utf16 => {
                for (to, unit) in bytes.chunks_exact_mut(2).zip(text) {
                    to.copy_from_slice(&unit.to_le_bytes());
                }
            }
            Characters::Bytes => {
                for (to, unit) in bytes.iter_mut().zip(text) {
                    // What stands for a word is ASCII, the rest was bytes.
                    *to = unit as u8;
                }
            }
        }
    }

    fn word_at(&self, folded: &[u16], start: usize, shortest: usize) -> Option<Vec<u16>> {
        let places = self.by_first.get(&folded[start])?;
        let found = places.iter().map(|place| &self.words[*place]).find(|word| {
            let end = start + word.folded.len();
            word.folded.len() >= shortest
                && folded.get(start..end) == Some(&word.folded[..])
                && match word.reach {
                    Reach::Everywhere => true,
                    Reach::Whole => is_whole(folded, start, end),
                    Reach::Named => is_whole(folded, start, end) && is_named(folded, start),
                }
        });
        found.map(|word| word.replacement.clone())
    }

    /// An identifier of somebody as text, or the number of a logon session as the names of its directories have it.
    fn identifier_at(
        &self,
        folded: &[u16],
        start: usize,
        identifiers: &mut Identifiers,
    ) -> Option<Vec<u16>> {
        if !self.users {
            return None;
        }
        if let Some(rest) = after(folded, start, "s-1-") {
            let (authority, mut end) = decimal(folded, rest)?;
            let mut parts = Vec::new();
            while folded.get(end) == Some(&u16::from(b'-'))
                && let Some((part, next)) = decimal(folded, end + 1)
            {
                parts.push(u32::try_from(part).ok()?);
                end = next;
                if parts.len() == 15 {
                    break;
                }
            }
            let pseudonym = identifiers.replace(authority, &parts)?;
            let mut text = format!("S-1-{authority}");
            for part in pseudonym {
                text += &format!("-{part}");
            }
            // Numbers that are written with leading zeros are none of the system's.
            return Some(units(&text)).filter(|text| text.len() == end - start);
        }
        identifiers
            .logon_session_at(folded, start)
            .or_else(|| identifiers.logon_session_of_drive_at(folded, start))
    }
}

/// Letters and digits that follow from the name and the key, and nothing else.
fn pseudonym(keyed: &Keyed, name: &str, length: usize, attempt: u32) -> Vec<u16> {
    // Without vowels, no words come out.
    const LETTERS: &[u8; 20] = b"bcdfghjklmnpqrstvwxz";
    (0..length)
        .map(|place| {
            let mut input = (place as u64).to_le_bytes().to_vec();
            input.extend(name.as_bytes());
            let letter = keyed.below(LETTERS.len() as u64, "name", &input, attempt);
            u16::from(LETTERS[letter as usize])
        })
        .collect()
}

pub(super) fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// A unit in lower case, where that is one unit.
fn fold(unit: u16) -> u16 {
    match u8::try_from(unit) {
        Ok(byte) if byte.is_ascii() => byte.to_ascii_lowercase().into(),
        _ => {
            let mut lower = char::from_u32(unit.into())
                .into_iter()
                .flat_map(char::to_lowercase);
            match (lower.next(), lower.next()) {
                (Some(one), None) => u16::try_from(u32::from(one)).unwrap_or(unit),
                _ => unit,
            }
        }
    }
}

/// A text in lower case, unit by unit.
fn fold_text(text: &str) -> String {
    let folded: Vec<u16> = text.encode_utf16().map(fold).collect();
    String::from_utf16_lossy(&folded)
}

fn is_of_word(unit: Option<&u16>) -> bool {
    unit.and_then(|unit| char::from_u32((*unit).into()))
        .is_some_and(char::is_alphanumeric)
}

fn is_whole(folded: &[u16], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|before| folded.get(before));
    !is_of_word(before) && !is_of_word(folded.get(end))
}

/// Whether a profile or a server is named at `start`.
fn is_named(folded: &[u16], start: usize) -> bool {
    let is_behind = |directory: &&str| {
        let directory = units(&format!("\\{directory}\\"));
        folded[..start].ends_with(&directory)
    };
    PROFILES.iter().chain(&SERVERS).any(is_behind) || is_behind_redirector(&folded[..start])
}

/// Whether a text ends with a part such as `;Z:00000000000a53f1\`.
fn is_behind_redirector(folded: &[u16]) -> bool {
    /// Units of such a part, at the most.
    const LONGEST: usize = 64;
    const SEPARATOR: u16 = b'\\' as u16;

    let Some((&SEPARATOR, part)) = folded.split_last() else {
        return false;
    };
    let part = &part[part.len().saturating_sub(LONGEST)..];
    let last = part.rsplit(|unit| *unit == SEPARATOR).next();
    last.is_some_and(|last| last.first() == Some(&u16::from(b';')))
}

/// The place behind `text`, which is ASCII, if that stands at `start`.
fn after(folded: &[u16], start: usize, text: &str) -> Option<usize> {
    let end = start + text.len();
    let there = folded.get(start..end)?;
    let is_it = there.iter().copied().eq(text.bytes().map(u16::from));
    is_it.then_some(end)
}

/// The decimal number at `start`, and where it ends.
fn decimal(folded: &[u16], start: usize) -> Option<(u64, usize)> {
    let digits = folded.get(start..)?.iter().take(20);
    let digits: Vec<u64> = digits
        .map_while(|unit| char::from_u32((*unit).into())?.to_digit(10))
        .map(u64::from)
        .collect();
    let value = digits.iter().try_fold(0_u64, |value, digit| {
        value.checked_mul(10)?.checked_add(*digit)
    })?;
    (!digits.is_empty()).then_some((value, start + digits.len()))
}

/// The digits of a hexadecimal number that begins at `start`, at most 17.
pub(super) fn hexadecimal_digits(folded: &[u16], start: usize) -> Vec<u32> {
    let before = start.checked_sub(1).map(|before| folded[before]);
    let digit = |unit: u16| char::from_u32(unit.into())?.to_digit(16);
    if before.and_then(digit).is_some() {
        return Vec::new();
    }
    let digits = folded[start..].iter().take(17);
    digits.map_while(|unit| digit(*unit)).collect()
}

/// An address that is written out in full.
fn number_at(folded: &[u16], start: usize, addresses: &Addresses) -> Option<Vec<u16>> {
    let digits = hexadecimal_digits(folded, start);
    if !matches!(digits.len(), 8 | 12 | 16) {
        return None;
    }
    let value = digits
        .iter()
        .fold(0_u64, |value, digit| value << 4 | u64::from(*digit));
    let pseudonym = addresses.pseudonym(value)?;
    let text = format!("{pseudonym:0width$x}", width = digits.len());
    (text.len() == digits.len()).then(|| units(&text))
}
