//! The size ladder: builds the same "Hello, world" in steps, runs each, and says what is in it and what it gave up.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure as hold};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::companion::{self, Companion};
use crate::image::{self, Image};
use crate::process::{run as run_command, step};
use crate::setup::{Need, ensure};
use crate::toolchain::{self, Toolchain};
use crate::wine::{self, Prefix};
use crate::workspace;

/// What building and running the ladder takes, on a host that is Windows, or not.
fn needs(windows: bool) -> [Need; 4] {
    // The page is inside the companion, which launches there.
    let running = if windows { Need::Npm } else { Need::Wine };
    [Need::Toolchain, Need::Lld, Need::MingwX64, running]
}

/// How a rung is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    /// The standard library, by the target that the companion is built for.
    Std,
    /// The C compiler of mingw-w64, with these arguments.
    C(&'static [&'static str]),
    /// No runtime at all: lld and the import libraries of `ntdll-lib`.
    Bare,
    /// It is bootshot.exe.
    Bootshot,
}

/// A step of the ladder.
struct Rung {
    /// File name of the program and, but for C, of its source.
    name: &'static str,
    what: &'static str,
    made: Made,
    /// What the step before still had, and what it would take to have it again.
    gave_up: &'static str,
}

const RUNGS: &[Rung] = &[
    Rung {
        name: "std",
        what: "Rust, standard library",
        made: Made::Std,
        gave_up: "nothing",
    },
    Rung {
        name: "crt_static",
        what: "C, printf linked statically",
        made: Made::C(&["-static", "-D__USE_MINGW_ANSI_STDIO=1"]),
        gave_up: "panics with a message, checked indexing, Unicode text",
    },
    Rung {
        name: "crt_dll",
        what: "C, printf from the runtime's DLL",
        made: Made::C(&["-D__USE_MINGW_ANSI_STDIO=0"]),
        gave_up: "a printf that is the same on every Windows",
    },
    Rung {
        name: "kernel32",
        what: "no runtime, kernel32 only",
        made: Made::Bare,
        gave_up: "main and its arguments, atexit, buffered output, printf",
    },
    Rung {
        name: "looked_up",
        what: "sprintf_s looked up in ntdll",
        made: Made::Bare,
        gave_up: "nothing: formatting is back, Windows before 7 is not",
    },
    Rung {
        name: "import_library",
        what: "sprintf_s through ntdll-lib",
        made: Made::Bare,
        gave_up: "a message of one's own where sprintf_s is missing: the loader refuses the program",
    },
    Rung {
        name: "peb",
        what: "image path and command line from the PEB",
        made: Made::Bare,
        gave_up: "documented ground: the offsets are those of x86_64",
    },
    Rung {
        name: "native",
        what: "native subsystem, NtDisplayString",
        made: Made::Bare,
        gave_up: "the console, and everything that needs csrss; NtDisplayString wants SeTcbPrivilege",
    },
    Rung {
        name: "squeezed",
        what: "native, everything squeezed",
        made: Made::Bare,
        gave_up: "address space layout randomisation, page protection (sections share pages), cleared buffers",
    },
    Rung {
        name: "bootshot",
        what: "bootshot.exe",
        made: Made::Bootshot,
        gave_up: "a standard library, a heap that others can use, any text beyond its rows",
    },
];

/// The table as the book shows it.
const RECORD: &str = "docs/book/outputs/sizes.txt";

/// By how many percent a rung may differ from the record: another compiler or linker gives other bytes.
const TOLERANCE: u64 = 10;

/// Bytes that the last two steps of "Hello, world" may take.
const LIMITS: &[(&str, u64)] = &[("native", 2048), ("squeezed", 1024)];

/// A rung as it was built.
#[derive(Serialize)]
struct Step {
    name: &'static str,
    what: &'static str,
    file_bytes: u64,
    sections: Vec<String>,
    dlls: Vec<String>,
    imported_functions: usize,
    subsystem: String,
    gave_up: &'static str,
    /// What it said when it was run.
    said: Option<String>,
}

/// The job; `recording` writes what the book shows.
pub fn run(json: bool, recording: bool) -> Result<ExitCode> {
    let steps = climb()?;
    if json {
        println!("{}", serde_json::to_string_pretty(&steps)?);
    } else {
        println!("{}", table(&steps));
    }
    if !recording {
        return Ok(ExitCode::SUCCESS);
    }
    let chart = workspace::root().join("docs/size-ladder.svg");
    fs::write(&chart, svg(&steps))
        .with_context(|| format!("could not write {}", chart.display()))?;
    step(format!("The chart is {}", workspace::display(&chart)));
    let record = workspace::root().join(RECORD);
    let mut lines = table(&steps);
    lines.set_content_arrangement(ContentArrangement::Disabled);
    fs::write(&record, format!("{}\n", lines.trim_fmt()))
        .with_context(|| format!("could not write {}", record.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Builds and runs the ladder, holds its last steps to their limits, and the table in the book to what was built.
pub fn check() -> Result<()> {
    let steps = climb()?;
    let record = workspace::root().join(RECORD);
    let record = fs::read_to_string(&record)
        .with_context(|| format!("could not read {}", record.display()))?;
    for step in steps {
        let recorded = recorded(&record, step.what).with_context(|| {
            format!(
                "{RECORD} lacks `{}`: `cargo xtask sizes --record` writes it",
                step.what
            )
        })?;
        // Compilers of others make the rest, and bootshot.exe has a budget of its own.
        let is_ours = RUNGS
            .iter()
            .any(|rung| rung.name == step.name && rung.made == Made::Bare);
        hold!(
            !is_ours || recorded.abs_diff(step.file_bytes) * 100 <= recorded * TOLERANCE,
            "{} takes {} bytes, and {RECORD} says {recorded}: `cargo xtask sizes --record` writes it",
            step.name,
            step.file_bytes
        );
    }
    Ok(())
}

/// The bytes that the table in `record` has for a step.
fn recorded(record: &str, what: &str) -> Option<u64> {
    record.lines().find_map(|line| {
        let columns = line.trim_start().strip_prefix(what)?;
        columns.split_whitespace().next()?.parse().ok()
    })
}

fn climb() -> Result<Vec<Step>> {
    ensure(&needs(cfg!(windows)))?;
    build(&toolchain::required()?)?;
    let prefix = match cfg!(windows) {
        true => None,
        false => Some(Prefix::fresh("sizes")?),
    };
    let steps = RUNGS
        .iter()
        .map(|rung| rung.measure(prefix.as_ref()))
        .collect::<Result<Vec<_>>>()?;
    for (name, limit) in LIMITS {
        for step in steps.iter().filter(|step| step.name == *name) {
            hold!(
                step.file_bytes <= *limit,
                "{name} takes {} bytes, more than {limit}",
                step.file_bytes
            );
        }
    }
    Ok(steps)
}

fn build(toolchain: &Toolchain) -> Result<()> {
    image::build(toolchain, &[Image::X64])?;
    step("Building the size ladder");
    let mut bare = toolchain.cargo("build")?;
    toolchain.set_flags(&mut bare, image::FLAGS);
    run_command(
        bare.args([
            "--package=size-ladder",
            "--features=bare",
            "--profile=native",
        ])
        .args(image::BUILD_STD)
        .arg(format!("--target={}", Image::X64.target())),
    )?;
    let mut std = toolchain.cargo("build")?;
    run_command(
        std.args([
            "--package=size-ladder",
            "--features=std",
            "--profile=companion",
        ])
        .args(companion::BUILD_STD)
        .arg(format!("--target={}", Companion::X64.target())),
    )?;
    let source = workspace::root().join("tools/size-ladder/crt.c");
    for rung in RUNGS {
        if let Made::C(arguments) = rung.made {
            let mut gcc = Command::new(Companion::X64.gcc());
            gcc.args(["-std=c11", "-Wall", "-Werror", "-Os", "-s"])
                .args(arguments);
            run_command(gcc.arg("-o").arg(rung.path()).arg(&source))?;
        }
    }
    Ok(())
}

impl Rung {
    fn path(&self) -> PathBuf {
        let target = workspace::native_target();
        let folder = match self.made {
            Made::Bootshot => return Image::X64.path(),
            Made::Std => target.join(Companion::X64.target()).join("companion"),
            Made::C(_) => target,
            Made::Bare => target.join(Image::X64.target()).join("native"),
        };
        folder.join(self.name).with_extension("exe")
    }

    fn measure(&self, prefix: Option<&Prefix>) -> Result<Step> {
        let path = self.path();
        let bytes =
            fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
        let description =
            image_gate::describe(&bytes).with_context(|| path.display().to_string())?;
        let said = match self.made {
            // It has tests of its own that run it.
            Made::Bootshot => None,
            _ => Some(self.say(&path, prefix, &description.subsystem)?),
        };
        Ok(Step {
            name: self.name,
            what: self.what,
            file_bytes: bytes.len() as u64,
            sections: description
                .sections
                .iter()
                .map(|section| section.name.clone())
                .collect(),
            imported_functions: description
                .imports
                .iter()
                .map(|import| import.functions.len())
                .sum(),
            dlls: description
                .imports
                .into_iter()
                .map(|import| import.dll)
                .collect(),
            subsystem: description.subsystem,
            gave_up: self.gave_up,
            said,
        })
    }

    /// Runs it. Wine shows `NtDisplayString` on standard error, a program of the console writes to standard output; both by
    /// way of a file, since Wine's services outlive the program and would hold a pipe open. Windows itself starts a native
    /// program only through smss or a launcher: there the companion is the launcher.
    fn say(&self, path: &Path, prefix: Option<&Prefix>, subsystem: &str) -> Result<String> {
        let output = workspace::native_target().join("said.txt");
        let file = File::create(&output)
            .with_context(|| format!("could not create {}", output.display()))?;
        let mut command = match prefix {
            Some(prefix) => prefix.command(path),
            None if subsystem == "native" => {
                let mut companion = Command::new(companion::build_for_host_with_images()?);
                companion.arg("run").arg(path);
                companion
            }
            None => Command::new(path),
        };
        run_command(command.stdout(file.try_clone()?).stderr(file))?;
        let text = fs::read(&output)?;
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<String> = text
            .lines()
            .map(|line| wine::displayed(line).unwrap_or_else(|| line.to_owned()))
            .collect();
        let said = lines
            .iter()
            .find(|line| greets(line))
            .with_context(|| format!("{} did not greet: {text}", path.display()))?;
        Ok(said.trim_end().to_owned())
    }
}

/// Whether a line is the greeting, with a process id that is one.
fn greets(line: &str) -> bool {
    line.trim_end()
        .strip_prefix("Hello, world from process ")
        .is_some_and(|id| id.trim_start().parse::<u32>().is_ok_and(|id| id != 0))
}

fn table(steps: &[Step]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header([
        "STEP",
        "BYTES",
        "SECTIONS",
        "DLLS",
        "IMPORTS",
        "SUBSYSTEM",
        "GAVE UP",
    ]);
    for step in steps {
        table.add_row([
            step.what.to_owned(),
            step.file_bytes.to_string(),
            step.sections.len().to_string(),
            step.dlls.join(" "),
            step.imported_functions.to_string(),
            step.subsystem.clone(),
            step.gave_up.to_owned(),
        ]);
    }
    for place in [1, 2, 4] {
        if let Some(column) = table.column_mut(place) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// A bar for each step, its length by the logarithm of the bytes: from 1 MiB down to 1 KiB no other scale shows them all.
fn svg(steps: &[Step]) -> String {
    const ROW: usize = 28;
    const TEXT: usize = 340;
    const BARS: f64 = 420.0;
    /// Bytes at the left end of the bars.
    const LEAST: f64 = 256.0;
    let most = steps.iter().map(|step| step.file_bytes).max().unwrap_or(1) as f64;
    let height = ROW * steps.len() + 16;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 {height}\" font-family=\"sans-serif\" \
         font-size=\"14\" role=\"img\" aria-label=\"The size ladder\">\n"
    );
    for (place, step) in steps.iter().enumerate() {
        let bytes = step.file_bytes as f64;
        let length = BARS * (bytes / LEAST).log2() / (most / LEAST).log2();
        let (top, middle) = (place * ROW + 8, place * ROW + 26);
        let _ = write!(
            svg,
            "  <text x=\"{}\" y=\"{middle}\" text-anchor=\"end\" fill=\"currentColor\">{}</text>\n  \
             <rect x=\"{TEXT}\" y=\"{}\" width=\"{length:.0}\" height=\"18\" fill=\"#3b78c3\"/>\n  \
             <text x=\"{:.0}\" y=\"{middle}\" fill=\"currentColor\">{}</text>\n",
            TEXT - 10,
            step.what,
            top + 4,
            TEXT as f64 + length + 8.0,
            step.file_bytes,
        );
    }
    svg.push_str("</svg>\n");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_launches_native_programs_is_asked_for_first() {
        assert!(needs(true).contains(&Need::Npm));
        assert!(needs(false).contains(&Need::Wine));
    }

    #[test]
    fn a_greeting_ends_with_a_process_id() {
        assert!(greets("Hello, world from process        324\r"));
        for other in [
            "Hello, world from process 0",
            "Hello, world from process ",
            "wine: Hello, world from process 1",
        ] {
            assert!(!greets(other), "{other}");
        }
    }

    #[test]
    fn the_record_is_read_by_the_words_of_a_step() {
        let record = " STEP   BYTES\n native, squeezed   880  1\n native   1536  1\n";
        assert_eq!(recorded(record, "native, squeezed"), Some(880));
        assert_eq!(recorded(record, "native"), Some(1536));
        assert_eq!(recorded(record, "C"), None);
    }

    #[test]
    fn every_rung_has_a_source_a_student_can_read_on_a_screen() {
        for rung in RUNGS.iter().filter(|rung| rung.made != Made::Bootshot) {
            let file = match rung.made {
                Made::C(_) => "crt.c".to_owned(),
                _ => format!("{}.rs", rung.name),
            };
            let path = workspace::root().join("tools/size-ladder").join(file);
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= 110, "{} has {lines} lines", path.display());
        }
    }
}
