//! Security identifiers of persons and machines, and the pseudonyms they get: of the same length as text and as bytes.

use std::collections::{BTreeMap, BTreeSet};

use super::keyed::Keyed;
use super::words::{hexadecimal_digits, units};

/// Relative identifiers below this are the same everywhere: 500 is the administrator of any domain.
const FIRST_OF_ITS_OWN: u32 = 1000;

/// `SECURITY_NT_AUTHORITY`.
const NT_AUTHORITY: u64 = 5;
/// `SECURITY_NT_NON_UNIQUE`: of a machine or a domain.
const DOMAIN: u32 = 21;

/// Times another relative identifier is tried when one is taken.
const ATTEMPTS: u32 = 64;

/// Whether an identifier means the same on every machine, or is made from a name that is told anyway (services,
/// application containers). Others are those of persons, machines, sessions and virtual machines.
fn is_well_known(authority: u64, parts: &[u32]) -> bool {
    match (authority, parts) {
        // Null, world, local, creator; packages; mandatory labels; how it was authenticated; process trust.
        (0..=4 | 15 | 16 | 18 | 19, _) => true,
        // One part, but for none of an account.
        (NT_AUTHORITY, [_]) => true,
        // Builtin groups, write-restricted, authentication packages, services, application pools, drivers, windows.
        (NT_AUTHORITY, [32 | 33 | 64 | 65 | 80 | 82 | 84 | 90 | 96, ..]) => true,
        _ => false,
    }
}

/// The identifiers that were replaced.
pub(super) struct Identifiers {
    keyed: Keyed,
    replaced: BTreeMap<(u64, Vec<u32>), Vec<u32>>,
    /// Relative identifiers given out, by the pseudonym of what they belong to.
    taken: BTreeSet<Vec<u32>>,
}

impl Identifiers {
    pub fn new(keyed: Keyed) -> Self {
        Self {
            keyed,
            replaced: BTreeMap::new(),
            taken: BTreeSet::new(),
        }
    }

    pub fn count(&self) -> u64 {
        self.replaced.len() as u64
    }

    /// The parts that are to stand for these; none for an identifier that stays.
    pub fn replace(&mut self, authority: u64, parts: &[u32]) -> Option<Vec<u32>> {
        if is_well_known(authority, parts) || parts.len() < 2 {
            return None;
        }
        let known = (authority, parts.to_vec());
        if let Some(pseudonym) = self.replaced.get(&known) {
            return Some(pseudonym.clone());
        }
        let pseudonym = self.pseudonym(authority, parts);
        self.replaced.insert(known, pseudonym.clone());
        Some(pseudonym)
    }

    fn pseudonym(&mut self, authority: u64, parts: &[u32]) -> Vec<u32> {
        // The domain is replaced as one, so that its accounts are still of one domain.
        let domain = match (authority, parts) {
            (NT_AUTHORITY, [DOMAIN, _, _, _, ..]) => 4,
            _ => parts.len(),
        };
        let (domain, accounts) = parts.split_at(domain);
        let mut input = authority.to_le_bytes().to_vec();
        input.extend(domain.iter().flat_map(|part| part.to_le_bytes()));
        let mut pseudonym = vec![domain[0]];
        for (place, part) in domain.iter().enumerate().skip(1) {
            input.push(place as u8);
            pseudonym.push(self.as_long(*part, "identifier", &input, 0));
        }
        if accounts.is_empty() {
            return pseudonym;
        }
        for attempt in 0..ATTEMPTS {
            let mut whole = pseudonym.clone();
            for part in accounts {
                let mut input = input.clone();
                input.extend(part.to_le_bytes());
                whole.push(match *part {
                    0..FIRST_OF_ITS_OWN => *part,
                    part => self.as_long(part, "account", &input, attempt),
                });
            }
            // There are 9,000 numbers of four digits: two accounts must not become one.
            if self.taken.insert(whole.clone()) || attempt + 1 == ATTEMPTS {
                return whole;
            }
        }
        pseudonym
    }

    /// A number with as many decimal digits.
    fn as_long(&self, part: u32, purpose: &str, input: &[u8], attempt: u32) -> u32 {
        let digits = part.checked_ilog10().unwrap_or(0);
        let least = if digits == 0 { 0 } else { 10_u64.pow(digits) };
        let most = (10_u64.pow(digits + 1) - 1).min(u32::MAX.into());
        let chosen = self.keyed.below(most - least + 1, purpose, input, attempt);
        (least + chosen) as u32
    }

    /// The number of a logon session (a LUID) as the directory of its drive letters is named: two numbers of eight
    /// hexadecimal digits. Those of the system's own sessions stay.
    pub fn logon_session_at(&self, folded: &[u16], start: usize) -> Option<Vec<u16>> {
        const DASH: u16 = b'-' as u16;
        let high = hexadecimal_digits(folded, start);
        if high.len() != 8 || high.iter().any(|digit| *digit != 0) {
            return None;
        }
        let before = start.checked_sub(1).map(|before| folded[before]);
        if folded.get(start + 8) != Some(&DASH) || before == Some(DASH) {
            return None;
        }
        let low = hexadecimal_digits(folded, start + 9);
        let is_last = folded.get(start + 17) != Some(&DASH);
        if low.len() != 8 || !is_last {
            return None;
        }
        let pseudonym = self.logon_session(&low)?;
        Some(units(&format!("00000000-{pseudonym:08x}")))
    }

    /// The same number as redirectors write it behind the letter of a drive: `;Z:00000000000a53f1`.
    pub fn logon_session_of_drive_at(&self, folded: &[u16], start: usize) -> Option<Vec<u16>> {
        let before = folded.get(start.checked_sub(3)?..start)?;
        if before[0] != u16::from(b';') || before[2] != u16::from(b':') {
            return None;
        }
        let digits = hexadecimal_digits(folded, start);
        if digits.len() != 16 {
            return None;
        }
        let pseudonym = self.logon_session(&digits)?;
        Some(units(&format!("00000000{pseudonym:08x}")))
    }

    /// What stands for the low half of the LUID with these digits, at most 16. The high half is 0: it would take weeks of
    /// nothing but logons until it is not.
    fn logon_session(&self, digits: &[u32]) -> Option<u32> {
        let digits = digits.iter().copied().map(u64::from);
        let number = digits.fold(0, |number, digit| number << 4 | digit);
        // SYSTEM_LUID, ANONYMOUS_LOGON_LUID, LOCALSERVICE_LUID, NETWORKSERVICE_LUID, IUSER_LUID.
        let is_of_system = number <= 0x3E7;
        let low = (number as u32).to_le_bytes();
        (!is_of_system).then(|| self.keyed.number("logon session", &low, 0) as u32)
    }

    /// Replaces every identifier that stands in `bytes` as the kernel keeps them, at whatever place.
    pub fn scrub(&mut self, bytes: &mut [u8]) {
        let mut start = 0;
        while let Some(rest) = bytes.get(start..).filter(|rest| rest.len() >= 16) {
            // Revision 1, 2 to 15 parts, and an authority below 256: everybody's begin so.
            let count = usize::from(rest[1]);
            let length = 8 + count * 4;
            let is_identifier = rest[0] == 1
                && (2..=15).contains(&count)
                && rest[2..7] == [0; 5]
                && matches!(rest[7], 5 | 11 | 12)
                && rest.len() >= length;
            // What begins so may be other numbers: the first part of a person's or machine's is one of few.
            let first = u32::from_le_bytes([rest[8], rest[9], rest[10], rest[11]]);
            if !is_identifier || first == 0 || first > 0xFFFF {
                start += 1;
                continue;
            }
            let (parts, _) = rest[8..length].as_chunks::<4>();
            let parts: Vec<u32> = parts.iter().map(|part| u32::from_le_bytes(*part)).collect();
            let authority = rest[7].into();
            if let Some(pseudonym) = self.replace(authority, &parts) {
                let place = &mut bytes[start + 8..start + length];
                for (to, part) in place.chunks_exact_mut(4).zip(pseudonym) {
                    to.copy_from_slice(&part.to_le_bytes());
                }
            }
            start += length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identifiers() -> Identifiers {
        Identifiers::new(Keyed::new(b"key"))
    }

    fn written(parts: &[u32]) -> String {
        let parts: Vec<_> = parts.iter().map(u32::to_string).collect();
        parts.join("-")
    }

    #[test]
    fn accounts_of_one_domain_stay_of_one_domain_and_well_known_ones_what_they_are() {
        let mut all = identifiers();
        let domain = [21, 3_623_811_015, 3_361_044_348, 30_300_820];
        let account = |rid| [&domain[..], &[rid]].concat();
        let one = all.replace(5, &account(1013)).unwrap();
        let other = all.replace(5, &account(1014)).unwrap();
        let administrator = all.replace(5, &account(500)).unwrap();
        assert_eq!(one[..4], other[..4]);
        assert_eq!(one[..4], all.replace(5, &domain).unwrap()[..]);
        assert_ne!(one, other);
        assert_eq!(administrator[4], 500);
        assert!((1..4).all(|place| one[place] != domain[place]));
        assert_eq!(written(&one).len(), written(&account(1013)).len());
        assert_eq!(all.replace(5, &account(1013)), Some(one));
        for kept in [&[18][..], &[32, 544], &[80, 1, 2, 3, 4, 5], &[90, 0, 1]] {
            assert_eq!(all.replace(5, kept), None);
        }
        assert_eq!(all.replace(16, &[0x4000]), None);
        assert!(all.replace(12, &[1, 2_000, 3_000, 4_000, 5_000]).is_some());
    }

    #[test]
    fn many_accounts_stay_many() {
        let mut all = identifiers();
        let given: BTreeSet<_> = (1000..1500)
            .map(|rid| all.replace(5, &[21, 1, 2, 3, rid]).unwrap())
            .collect();
        assert_eq!(given.len(), 500);
    }

    #[test]
    fn identifiers_are_found_in_bytes_at_any_place() {
        let mut all = identifiers();
        let parts: [u32; 5] = [21, 3_623_811_015, 3_361_044_348, 30_300_820, 1013];
        let mut sid = vec![1, 5, 0, 0, 0, 0, 0, 5];
        sid.extend(parts.iter().flat_map(|part| part.to_le_bytes()));
        let expected = all.replace(5, &parts).unwrap();
        for before in 0..9 {
            let mut bytes = vec![0xAA; before];
            bytes.extend(&sid);
            bytes.extend([0xBB; 5]);
            all.scrub(&mut bytes);
            let found: Vec<u32> = bytes[before + 8..before + 28]
                .chunks(4)
                .map(|part| u32::from_le_bytes(part.try_into().unwrap()))
                .collect();
            assert_eq!(found, expected);
            assert_eq!(bytes[before + 28..], [0xBB; 5]);
        }
    }
}
