//! What the linker map of our own build gives away: which code was linked in, and how large it is.

use std::collections::{BTreeMap, BTreeSet};

use rustc_demangle::try_demangle;

use crate::finding::{Finding, Rule};

/// Looks through a linker map (`lld-link /MAP`, GNU ld `-Map`) for code of `core::fmt`, which is large, and which a message in a
/// panic is enough to bring in. One finding for each symbol; what GNU ld lists as discarded does not count.
pub fn forbidden_symbols(map: &str) -> Vec<Finding> {
    let symbols: BTreeSet<String> = linked(map).lines().filter_map(core_fmt_symbol).collect();
    symbols
        .into_iter()
        .map(|symbol| Finding::new(Rule::CORE_FMT, format!("{symbol} is linked in")))
        .collect()
}

/// The part of the map that stands for what is in the image. GNU ld puts archive members, references and discarded input
/// sections before it.
fn linked(map: &str) -> &str {
    match map.split_once("\nLinker script and memory map\n") {
        Some((_, memory_map)) => memory_map,
        None => map,
    }
}

/// The symbol of `core::fmt` in a line of the map, demangled.
fn core_fmt_symbol(line: &str) -> Option<String> {
    const CORE_FMT: &str = "core::fmt::";
    // GNU ld demangles: an address, then the name, with spaces in it.
    if line.contains(CORE_FMT) {
        let line = line.trim_ascii();
        let name = line
            .split_once(' ')
            .filter(|(address, _)| address.starts_with("0x"))
            .map_or(line, |(_, name)| name.trim_ascii());
        return Some(name.to_owned());
    }
    line.split_ascii_whitespace()
        .filter_map(mangled)
        .filter_map(|symbol| try_demangle(symbol).ok())
        .map(|symbol| format!("{symbol:#}"))
        .find(|symbol| symbol.contains(CORE_FMT))
}

/// The mangled name in a word: `_R...` or `_ZN...`, after the underscore of x86 or the name of a section (`.text._ZN...`).
fn mangled(word: &str) -> Option<&str> {
    ["_R", "_ZN"]
        .into_iter()
        .filter_map(|prefix| word.find(prefix))
        .min()
        .map(|start| &word[start..])
}

/// A name in a linker map, and the bytes that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    pub size: u64,
}

/// Where the bytes of an image are, the largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SizeMap {
    /// The linker's input sections: `.text`, `.rdata`, `.pdata` and so on.
    pub sections: Vec<Part>,
    /// Functions and data that have a name, demangled.
    pub symbols: Vec<Part>,
}

/// Reads the map that `lld-link /MAP` writes. A symbol reaches to the next one, or to the end of its section: what has no
/// name counts to the name before it.
pub fn size_map(map: &str) -> SizeMap {
    let mut ends = BTreeMap::new();
    let mut places = BTreeMap::new();
    let mut sections = Vec::new();
    for line in map.lines() {
        let mut words = line.split_ascii_whitespace();
        let (Some(place), Some(name)) = (words.next().and_then(place_of), words.next()) else {
            continue;
        };
        let length = name.strip_suffix('H').filter(|length| length.len() == 8);
        match length.map(|length| u64::from_str_radix(length, 16)) {
            Some(Ok(size)) => {
                ends.insert(place, (place.0, place.1.saturating_add(size)));
                let name = words.next().unwrap_or_default().to_owned();
                sections.push(Part { name, size });
            }
            // Of several names for one place the first will do.
            _ => _ = places.entry(place).or_insert(name),
        }
    }
    let mut symbols: Vec<Part> = places
        .iter()
        .filter_map(|(place, name)| {
            let (_, section_end) = ends.range(..=place).next_back()?;
            let after = (place.0, place.1.saturating_add(1));
            let next = places.range(after..).next().map(|(next, _)| *next);
            let end = next.unwrap_or(*section_end).min(*section_end);
            let name = match try_demangle(name) {
                Ok(name) => format!("{name:#}"),
                Err(_) => (*name).to_owned(),
            };
            let size = end.1.checked_sub(place.1).filter(|_| end.0 == place.0)?;
            Some(Part { name, size })
        })
        .filter(|part| part.size != 0)
        .collect();
    sections.retain(|part| part.size != 0);
    symbols.sort_by(|one, other| other.size.cmp(&one.size).then(one.name.cmp(&other.name)));
    sections.sort_by(|one, other| other.size.cmp(&one.size).then(one.name.cmp(&other.name)));
    SizeMap { sections, symbols }
}

/// `0001:0000d420`: a section of the image and an offset in it.
fn place_of(word: &str) -> Option<(u32, u64)> {
    let (section, offset) = word.split_once(':')?;
    Some((
        u32::from_str_radix(section, 16).ok()?,
        u64::from_str_radix(offset, 16).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LLD: &str = "\
 bootshot

 Start         Length     Name                   Class
 0001:00000000 00000c31H .text                   CODE

  Address         Publics by Value              Rva+Base               Lib:Object

 0001:00000000       NtProcessStartup           0000000140001000     bootshot.o
";

    const GNU: &str = "\
Archive member included to satisfy reference by file (symbol)

libcore.rlib(core.o)
                              bootshot.o (core::fmt::write)

Discarded input sections

 .text._ZN4core3fmt5write17h0123456789abcdefE
                0x0000000000000000       0x2b libcore.rlib(core.o)

Memory Configuration

Linker script and memory map

.text           0x0000000140001000     0x6a00
 .text          0x0000000140001000      0x46f bootshot.o
                0x0000000140001000                NtProcessStartup
";

    fn messages(map: &str, line: &str) -> Vec<String> {
        forbidden_symbols(&format!("{map}{line}\n"))
            .into_iter()
            .map(|finding| finding.message)
            .collect()
    }

    #[test]
    fn a_map_without_core_fmt_has_no_findings() {
        assert_eq!(forbidden_symbols(LLD), []);
        assert_eq!(forbidden_symbols(GNU), []);
    }

    #[test]
    fn core_fmt_is_found_in_the_names_that_lld_writes() {
        for (symbol, name) in [
            (
                "_RNvMsa_NtCs6r1Hg4Ky22e_4core3fmtNtB5_9Formatter12pad_integral",
                "<core::fmt::Formatter>::pad_integral",
            ),
            ("_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write"),
            // x86 names have one more underscore.
            (
                "__ZN4core3fmt9Formatter3pad17h0123456789abcdefE",
                "core::fmt::Formatter::pad",
            ),
            (
                "_ZN53_$LT$bootshot..Status$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE",
                "<bootshot::Status as core::fmt::Debug>::fmt",
            ),
        ] {
            let line = format!(" 0001:0000056e       {symbol} 000000014000156e     core.o");
            assert_eq!(messages(LLD, &line), [format!("{name} is linked in")]);
        }
    }

    #[test]
    fn core_fmt_is_found_in_the_names_that_gnu_ld_writes() {
        let demangled =
            "                0x0000000140001543                <usize as core::fmt::Display>::fmt";
        assert_eq!(
            messages(GNU, demangled),
            ["<usize as core::fmt::Display>::fmt is linked in"]
        );
        let section = " .text._ZN4core3fmt5write17h0123456789abcdefE";
        assert_eq!(messages(GNU, section), ["core::fmt::write is linked in"]);
    }

    #[test]
    fn symbols_of_ufmt_and_panics_do_not_count() {
        for symbol in [
            "_RNvYjNtCs1234_4ufmt6uDebug3fmtCs5678_8bootshot",
            "_ZN4ufmt9Formatter9write_str17h0123456789abcdefE",
            "_ZN4core9panicking9panic_fmt17h0123456789abcdefE",
        ] {
            let line = format!(" 0001:0000056e       {symbol} 000000014000156e     bootshot.o");
            assert_eq!(messages(LLD, &line), [""; 0]);
        }
    }

    #[test]
    fn a_symbol_reaches_to_the_next_or_to_the_end_of_its_section() {
        let map = "\
 Start         Length     Name                   Class
 0001:00000000 00000030H .text                   CODE
 0001:00000040 00000010H .rdata                  CODE
 0002:00000000 00000008H .bss                    DATA

  Address         Publics by Value              Rva+Base               Lib:Object

 0001:00000000       NtProcessStartup           0000000140001000     bootshot.o
 0001:00000010       _RNvNtCs1Vj1hOdQEO7_8bootshot4boot3run 0000000140001010 bootshot.o
 0001:00000010       same_place                 0000000140001010     bootshot.o
 0002:00000000       PEB                        0000000140002000     bootshot.o

 Static symbols

 0001:00000044       constants                  0000000140001044     bootshot.o
";
        let part = |name: &str, size| Part {
            name: name.to_owned(),
            size,
        };
        let map = size_map(map);
        assert_eq!(
            map.sections,
            [part(".text", 0x30), part(".rdata", 0x10), part(".bss", 8)]
        );
        assert_eq!(
            map.symbols,
            [
                part("bootshot::boot::run", 0x20),
                part("NtProcessStartup", 0x10),
                part("constants", 12),
                part("PEB", 8),
            ]
        );
    }

    #[test]
    fn a_damaged_map_is_survived() {
        for map in [
            "",
            ":",
            "0001:ffffffffffffffff a",
            " 0001:00000000 ffffffffH .text",
            "x:y z",
        ] {
            let _ = size_map(map);
        }
        assert_eq!(size_map("0001:00000000 lost"), SizeMap::default());
    }
}
