//! The page of results: each bench writes the part between its two marks.

use std::fs;

use anyhow::{Context, Result};

use crate::process::{self, step};
use crate::workspace;

const PAGE: &str = "docs/performance.md";

/// Replaces what stands between the marks of a bench.
pub fn write(bench: &str, results: &str) -> Result<()> {
    let path = workspace::root().join(PAGE);
    let page =
        fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
    let page = replaced(&page, bench, &format!("{}\n{results}", machine()))?;
    fs::write(&path, page).with_context(|| format!("could not write {}", path.display()))?;
    step(format!("Wrote the results into {PAGE}"));
    Ok(())
}

fn replaced(page: &str, bench: &str, results: &str) -> Result<String> {
    let (begin, end) = (
        format!("<!-- bench {bench}: begin -->\n"),
        format!("<!-- bench {bench}: end -->"),
    );
    let parts = page.split_once(&begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&end)?;
        Some((before, after))
    });
    let (before, after) = parts.with_context(|| {
        format!("{PAGE} has no place for the results: it needs the marks {begin}and {end}")
    })?;
    Ok(format!("{before}{begin}\n{results}\n{end}{after}"))
}

/// The machine that this runs on, in one sentence.
fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str, separator| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.split_once(separator))
            .map(|(_, value)| value.trim().trim_matches('"').to_owned())
    };
    let processor = field(&read("/proc/cpuinfo"), "model name", ':');
    let system = field(&read("/etc/os-release"), "PRETTY_NAME", '=');
    let memory = field(&read("/proc/meminfo"), "MemTotal", ':');
    let memory = memory.and_then(|memory| memory.split(' ').next()?.parse::<f64>().ok());
    let rustc = process::output(std::process::Command::new("rustc").arg("--version"));
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(1, |number| number.get());
    format!(
        "Machine: {}, {processors} processors, {}, {}; {}. Load when the run ended: {load}.\n",
        processor.as_deref().unwrap_or("unknown processor"),
        memory.map_or_else(
            || "unknown memory".to_owned(),
            |kibibytes| format!("{:.0} GiB of memory", kibibytes / f64::from(1 << 20))
        ),
        system.as_deref().unwrap_or(std::env::consts::OS),
        rustc.as_deref().map_or("unknown rustc", str::trim),
    )
}

/// A table in Markdown.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let rule: Vec<String> = (0..head.len())
        .map(|column| if column == 0 { "---" } else { "---:" }.to_owned())
        .collect();
    let rows: String = rows.iter().map(|row| line(row)).collect();
    format!("{}{}{rows}", line(&head), line(&rule))
}

/// Bytes in MiB.
pub fn mebibytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}

/// Seconds in milliseconds.
pub fn milliseconds(seconds: f64) -> String {
    format!("{:.0}", seconds * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_go_between_the_marks_of_their_bench_and_nowhere_else() {
        let page = "a\n<!-- bench x: begin -->\nold\n<!-- bench x: end -->\nb\n<!-- bench y: begin -->\nc\n<!-- bench y: end -->\n";
        assert_eq!(
            replaced(page, "x", "new").unwrap(),
            "a\n<!-- bench x: begin -->\n\nnew\n<!-- bench x: end -->\nb\n<!-- bench y: begin -->\nc\n<!-- bench y: end -->\n"
        );
        assert!(replaced(page, "z", "new").is_err());
    }
}
