//! What the linker map of our own build gives away: which code was linked in.

use std::collections::BTreeSet;

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
}
