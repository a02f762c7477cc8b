//! Who may write to a directory, by its security descriptor in SDDL.

/// Who may: SYSTEM, Administrators, the owner (who is looked at by itself) and Windows' installer of its own files.
const TRUSTED: [&str; 4] = [
    "SY",
    "BA",
    "OW",
    "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
];

/// Words for rights that let nobody put anything in, take anything out, or give oneself such rights.
const READING: [&str; 9] = ["FR", "FX", "GR", "GX", "RC", "CC", "SW", "WP", "LO"];

/// The same as bits, which are those of the executable's `trust.rs`: all but add file, add subdirectory, write attributes of
/// both kinds, delete child, delete, write DAC, write owner, all, and generic write.
const READING_BITS: u32 =
    !(0x2 | 0x4 | 0x10 | 0x40 | 0x100 | 0x1_0000 | 0x4_0000 | 0x8_0000 | 0x5000_0000);

/// The owner, as the text has it.
pub fn owner(sddl: &str) -> Option<&str> {
    let (owner, _) = sddl.strip_prefix("O:")?.split_once("D:")?;
    // A group may stand between.
    owner.split("G:").next()
}

/// Whoever owns the directory or may write to it, besides those who always may; `None` when the text cannot be
/// understood.
pub fn writers(sddl: &str) -> Option<Vec<String>> {
    let owner = owner(sddl)?;
    let (_, rest) = sddl.split_once("D:")?;
    let mut writers = Vec::new();
    if !TRUSTED.contains(&owner) {
        writers.push(owner.to_owned());
    }
    let (flags, mut aces) = rest.split_at(rest.find('(').unwrap_or(rest.len()));
    if flags.contains("NO_ACCESS_CONTROL") {
        writers.push("everybody".into());
    }
    while let Some(ace) = aces.strip_prefix('(') {
        let (ace, behind) = ace.split_once(')')?;
        aces = behind;
        let mut fields = ace.split(';');
        let [kind, flags, rights] = [fields.next()?, fields.next()?, fields.next()?];
        let sid = fields.nth(2)?;
        // Kinds other than the two plain ones are rare on files; one that may grant is taken to do so.
        let grants = kind != "D" && !flags.contains("IO") && !only_reads(rights)?;
        if grants && !TRUSTED.contains(&sid) {
            writers.push(sid.to_owned());
        }
    }
    writers.dedup();
    aces.is_empty().then_some(writers)
}

fn only_reads(rights: &str) -> Option<bool> {
    if let Some(bits) = rights.strip_prefix("0x") {
        return Some(u32::from_str_radix(bits, 16).ok()? & !READING_BITS == 0);
    }
    let words = rights.as_bytes().as_chunks::<2>();
    if !words.1.is_empty() {
        return None;
    }
    Some(
        words
            .0
            .iter()
            .all(|word| READING.iter().any(|reading| reading.as_bytes() == word)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_install_asks_for_has_no_other_writers() {
        for sddl in [
            "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)",
            "O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;;0x1200a9;;;BU)(A;OICIIO;GA;;;CO)(D;;FA;;;WD)",
            "O:BAD:P",
        ] {
            assert_eq!(writers(sddl), Some(vec![]), "{sddl}");
        }
    }

    /// Each right with its bit and its word, [MS-DTYP] 2.5.1.1: neither form may be judged otherwise.
    #[test]
    fn a_right_is_judged_as_the_executable_judges_it_as_a_bit_and_as_a_word() {
        for (bit, word, writes) in [
            (0x1, "CC", false),
            (0x2, "DC", true),
            (0x4, "LC", true),
            (0x8, "SW", false),
            (0x10, "RP", true),
            (0x20, "WP", false),
            (0x40, "DT", true),
            (0x80, "LO", false),
            (0x100, "CR", true),
            (0x1_0000, "SD", true),
            (0x2_0000, "RC", false),
            (0x4_0000, "WD", true),
            (0x8_0000, "WO", true),
            (0x1000_0000, "GA", true),
            (0x2000_0000, "GX", false),
            (0x4000_0000, "GW", true),
            (0x8000_0000_u32, "GR", false),
        ] {
            let expected: &[&str] = if writes { &["BU"] } else { &[] };
            for right in [format!("{bit:#x}"), word.to_owned()] {
                let found = writers(&format!("O:BAD:(A;;{right};;;BU)")).unwrap();
                assert_eq!(found, expected, "{right}");
            }
        }
        assert_eq!(writers("O:BAD:(A;;CCWP;;;BU)"), Some(vec![]));
        assert_eq!(writers("O:BAD:(A;;0x21;;;BU)"), Some(vec![]));
    }

    #[test]
    fn other_writers_and_owners_are_named() {
        for (sddl, other) in [
            ("O:BAD:(A;OICI;FA;;;SY)(A;OICI;FA;;;WD)", "WD"),
            ("O:BAD:(A;;0x1301bf;;;AU)", "AU"),
            ("O:BAD:(A;;CCDCLC;;;BU)", "BU"),
            ("O:BAD:(A;;GW;;;S-1-5-21-1-2-3-1001)", "S-1-5-21-1-2-3-1001"),
            ("O:S-1-5-21-1-2-3-1001D:(A;;FA;;;SY)", "S-1-5-21-1-2-3-1001"),
            ("O:BAD:NO_ACCESS_CONTROL", "everybody"),
        ] {
            assert_eq!(writers(sddl), Some(vec![other.to_owned()]), "{sddl}");
        }
    }

    #[test]
    fn what_cannot_be_understood_is_not_taken_for_safe() {
        for sddl in [
            "",
            "D:P(A;OICI;FA;;;SY)",
            "O:BAD:P(A;OICI;FA",
            "O:BAD:P(A;;F;;;WD)",
            "O:BAD:(A;;FA;;;SY)x",
        ] {
            assert_eq!(writers(sddl), None, "{sddl}");
        }
    }
}
