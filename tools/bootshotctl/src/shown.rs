//! Values as people read them in tables.

use std::fmt;

use bootshot_reader::Time;

use crate::output::NOTHING;

/// The value, or a dash where there is none.
pub fn optional(value: Option<impl fmt::Display>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| value.to_string())
}

/// `1 handle`, `2 handles`.
pub fn count<N>(number: N, one: &str, many: &str) -> String
where
    N: fmt::Display + PartialEq + From<u8>,
{
    let word = if number == N::from(1) { one } else { many };
    format!("{number} {word}")
}

/// Bytes, in the unit that leaves three digits at most.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = if value < 9.95 { 1 } else { 0 };
    format!("{value:.digits$} {}", UNITS[unit])
}

/// 100 ns units, in the largest unit that keeps a digit before the point.
pub fn duration(ticks: u64) -> String {
    match ticks {
        0..10_000 => format!("{} µs", ticks / 10),
        10_000..10_000_000 => format!("{:.1} ms", ticks as f64 / 10_000.0),
        10_000_000..600_000_000 => format!("{:.1} s", ticks as f64 / 10_000_000.0),
        _ => {
            let seconds = ticks / 10_000_000;
            format!(
                "{}:{:02}:{:02}",
                seconds / 3600,
                seconds / 60 % 60,
                seconds % 60
            )
        }
    }
}

/// A moment to the second.
pub fn moment(time: Time) -> String {
    let text = time.to_string();
    let (day, time) = text.split_once('T').unwrap_or_default();
    format!("{day} {} UTC", time.split('.').next().unwrap_or_default())
}

/// Whether `text` contains the wanted part, in any case; without one, every text does.
pub fn contains(text: Option<&str>, wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| {
        let text = text.unwrap_or_default().to_lowercase();
        text.contains(&wanted.to_lowercase())
    })
}

/// The text with everything escaped that would steer a terminal, or turn the order of what it shows around.
pub fn visible(text: &str) -> String {
    let steers = |character: char| {
        character.is_control()
            || matches!(character, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if steers(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The same of a text of several lines, which stay lines.
pub fn visible_lines(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(visible).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_keep_their_digits_across_units() {
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1024), "1.0 KiB");
        assert_eq!(size(10_240), "10 KiB");
        assert_eq!(size(1_073_156_096), "1.0 GiB");
        assert_eq!(size(u64::MAX), "16384 PiB");
    }

    #[test]
    fn durations_choose_their_unit() {
        assert_eq!(duration(95), "9 µs");
        assert_eq!(duration(200_054), "20.0 ms");
        assert_eq!(duration(15_000_000), "1.5 s");
        assert_eq!(duration(28_607_623_476), "0:47:40");
    }

    #[test]
    fn moments_are_cut_not_rounded() {
        let time = Time::new(134_117_966_459_999_999).unwrap();
        assert_eq!(moment(time), "2026-01-02 03:04:05 UTC");
    }

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        assert_eq!(visible("a\x1b[2J\u{202E}é"), "a\\u{1b}[2J\\u{202e}é");
        assert_eq!(
            visible("\u{061C}\u{200E}\u{200F}\u{2067}"),
            "\\u{61c}\\u{200e}\\u{200f}\\u{2067}"
        );
        assert_eq!(visible_lines("a\x07\nb\x1b"), "a\\u{7}\nb\\u{1b}");
    }
}
