//! `report`: one HTML file with everything in a snapshot, to look at in a browser, offline.
//!
//! The page is built from tools/report-page and stands in this program; the records go into it as they go into JSON,
//! compressed and in base64: of what a snapshot holds nothing can become markup.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use base64::engine::general_purpose::STANDARD;
use base64::write::EncoderWriter;
use bootshot_reader::diff::{self, Comparison};
use bootshot_reader::records::{
    Autologger, Boot, Drivers, FirmwareVariable, Handle, Hives, Job, KeyHandles, KeyValues, Links,
    Memory, MinifilterInstance, Module, NamespaceEntry, Object, ObjectType, Peb, Process, Reading,
    Service, Summary, SymbolicLink, Thread, UnnamedDirectory, Wfp, Zombie,
};
use bootshot_reader::{Problem, Section, Snapshot};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde::Serialize;

use crate::error::{Error, Outcome};
use crate::new_file::write_new;
use crate::output;
use crate::reading;
use crate::shown;

include!(concat!(env!("OUT_DIR"), "/report_page.rs"));

/// Arguments of `report`.
#[derive(clap::Args)]
#[command(after_help = "Example: bootshotctl report boot.bshot -o boot.html")]
pub struct Args {
    /// The snapshot, or a directory for the newest in it; without it, the newest of this system (Windows)
    file: Option<PathBuf>,
    /// Show as well what came, went and changed since this snapshot, or the newest in this directory
    #[arg(long, value_name = "OTHER")]
    compare: Option<PathBuf>,
    /// The new file; without it, it stands beside the snapshot as NAME.html. Nothing is overwritten
    #[arg(long, short, value_name = "OUT")]
    output: Option<PathBuf>,
}

/// The page, before and behind the place of the snapshot.
type Page = (&'static str, &'static str);

/// What the page shows; tools/report-page/src/report.ts has the same.
#[derive(Serialize)]
struct Report {
    /// Name of the snapshot's file.
    file: String,
    /// Name and version of this program.
    program: &'static str,
    /// Bytes of the snapshot are not as they were written.
    damaged: bool,
    /// From the start of the capture to that of each section, 100 ns units.
    section_starts: Vec<Option<u64>>,
    /// What could not be read.
    problems: Vec<Trouble>,
    /// What could, by subcommand.
    records: Records,
    /// What came, went and changed since another snapshot.
    comparison: Option<Against>,
}

/// A comparison with an earlier snapshot, as `diff` has it.
#[derive(Serialize)]
struct Against {
    /// Name of the other snapshot's file.
    other: String,
    #[serde(flatten)]
    comparison: Comparison,
}

/// A problem, and which records it is about.
#[derive(Serialize)]
struct Trouble {
    about: &'static str,
    #[serde(flatten)]
    problem: Problem,
}

/// The records of each command that reads, as its `--json` has them.
#[derive(Serialize)]
struct Records {
    summary: Summary,
    processes: Vec<Process>,
    threads: Vec<Thread>,
    handles: Vec<Handle>,
    types: Vec<ObjectType>,
    modules: Vec<Module>,
    memory: Memory,
    boot: Boot,
    firmware_variables: Vec<FirmwareVariable>,
    peb: Peb,
    objects: Vec<Object>,
    namespace: Vec<NamespaceEntry>,
    unnamed_directories: Vec<UnnamedDirectory>,
    symlinks: Vec<SymbolicLink>,
    zombies: Ended,
    jobs: Vec<Job>,
    drivers: Drivers,
    wfp: Wfp,
    registry: Registry,
}

/// What has ended.
#[derive(Serialize)]
struct Ended {
    processes: Vec<Zombie>,
    threads: Vec<Zombie>,
    ended_during_capture: Vec<Zombie>,
}

#[derive(Serialize)]
struct Registry {
    hives: Hives,
    links: Links,
    keys: KeyHandles,
    services: Vec<Service>,
    session_manager: Vec<KeyValues>,
    control: Vec<KeyValues>,
    minifilters: Vec<MinifilterInstance>,
    autologgers: Vec<Autologger>,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    make(args, PAGE)
}

fn make(args: &Args, page: Option<Page>) -> Result<Outcome, Error> {
    let page = page.ok_or_else(|| {
        Error::failed("this bootshotctl was built without the page that reports are shown in")
            .advise("\"cargo xtask dist\" builds one that has it.")
    })?;
    let file = reading::open(args.file.as_deref())?;
    let snapshot = file.snapshot()?;
    let (mut report, problems) = report(&snapshot, file.path());
    if let Some(other) = &args.compare {
        let other = reading::open(Some(other))?;
        let earlier = other.snapshot()?;
        report.comparison = Some(Against {
            other: name(other.path()),
            comparison: diff::compare(&earlier, &snapshot, &diff::Options::default()),
        });
    }
    let output = match &args.output {
        Some(path) => path.clone(),
        None => file.path().with_extension("html"),
    };
    let length = write_new(&output, |file| fill(file, page, &report))?;
    output::line(format!("{} ({})", output.display(), shown::size(length)))?;
    Ok(reading::finish(&snapshot, &problems))
}

/// The whole report, and what could not be read beside the problems of the file itself.
fn report(snapshot: &Snapshot<'_>, path: &Path) -> (Report, Vec<Problem>) {
    let mut gathered = Gathered::default();
    let records = records(snapshot, &mut gathered);
    let problems = gathered.troubles.iter();
    let problems: Vec<Problem> = problems.map(|trouble| trouble.problem.clone()).collect();
    let of_the_file = snapshot.problems.iter().map(|problem| Trouble {
        about: "file",
        problem: problem.clone(),
    });
    let report = Report {
        file: name(path),
        program: concat!("bootshotctl ", env!("CARGO_PKG_VERSION")),
        damaged: reading::is_damaged(snapshot),
        section_starts: snapshot
            .sections
            .iter()
            .map(|section| since_start(snapshot, section))
            .collect(),
        problems: of_the_file.chain(gathered.troubles).collect(),
        records,
        comparison: None,
    };
    (report, problems)
}

/// The name of a file, without where it is.
fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

fn records(snapshot: &Snapshot<'_>, gathered: &mut Gathered) -> Records {
    let zombies = gathered.take("zombies", snapshot.zombies());
    Records {
        // Its problems are those of the file.
        summary: snapshot.summary().value,
        processes: gathered.take("processes", snapshot.processes()),
        threads: gathered.take("threads", snapshot.threads()),
        handles: gathered.take("handles", snapshot.handles()),
        types: gathered.take("types", snapshot.types()),
        modules: gathered.take("modules", snapshot.modules()),
        memory: gathered.take("memory", snapshot.memory()),
        boot: gathered.take("boot", snapshot.boot()),
        firmware_variables: gathered.take("boot", snapshot.firmware_variables()),
        peb: gathered.take("peb", snapshot.peb()),
        objects: gathered.take("objects", snapshot.objects()).objects,
        namespace: gathered.take("namespace", snapshot.namespace()).entries,
        unnamed_directories: gathered.take("namespace", snapshot.unnamed_directories()),
        symlinks: gathered.take("symlinks", snapshot.symbolic_links()),
        zombies: Ended {
            processes: zombies.processes,
            threads: zombies.threads,
            ended_during_capture: zombies.ended_during_capture,
        },
        jobs: gathered.take("jobs", snapshot.jobs()),
        drivers: gathered.take("drivers", snapshot.drivers()),
        wfp: gathered.take("wfp", snapshot.wfp()),
        registry: Registry {
            hives: gathered.take("registry", snapshot.hives()),
            links: gathered.take("registry", snapshot.registry_links()),
            keys: gathered.take("registry", snapshot.key_handles()),
            services: gathered.take("registry", snapshot.services()),
            session_manager: gathered.take("registry", snapshot.session_manager()),
            control: gathered.take("registry", snapshot.control()),
            minifilters: gathered.take("registry", snapshot.minifilters()),
            autologgers: gathered.take("registry", snapshot.autologgers()),
        },
    }
}

/// The problems of all readings. Several of them read the same answers, whose problems are told once.
#[derive(Default)]
struct Gathered {
    troubles: Vec<Trouble>,
    told: BTreeSet<String>,
}

impl Gathered {
    fn take<T>(&mut self, about: &'static str, reading: Reading<T>) -> T {
        for problem in reading.problems {
            if self.told.insert(problem.to_string()) {
                self.troubles.push(Trouble { about, problem });
            }
        }
        reading.value
    }
}

/// From the start of the capture to that of `section`, 100 ns units.
fn since_start(snapshot: &Snapshot<'_>, section: &Section<'_>) -> Option<u64> {
    let header = &snapshot.header;
    let counts = section
        .begin
        .performance_counter
        .checked_sub(header.performance_counter)?;
    let ticks = u128::from(counts) * 10_000_000;
    u64::try_from(ticks.checked_div(header.performance_frequency.into())?).ok()
}

/// Writes the page; gives its length.
fn fill(file: &File, (before, behind): Page, report: &Report) -> io::Result<u64> {
    let mut out = BufWriter::new(file);
    out.write_all(before.as_bytes())?;
    let base64 = EncoderWriter::new(&mut out, &STANDARD);
    let mut compressed = ZlibEncoder::new(base64, Compression::default());
    serde_json::to_writer(&mut compressed, report)?;
    compressed.finish()?.finish()?;
    out.write_all(behind.as_bytes())?;
    out.flush()?;
    Ok(file.metadata()?.len())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;

    use base64::Engine;
    use bootshot_format::{Family, NoteKind, Source};
    use flate2::read::ZlibDecoder;
    use serde_json::{Value, json};
    use tempfile::TempDir;
    use test_snapshots::{Builder, Entry, utf16};

    use super::*;

    const EMPTY: Page = ("<html>{", "}</html>");

    struct Folder(TempDir);

    impl Folder {
        fn with(snapshot: &[u8]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("a.bshot"), snapshot).unwrap();
            Self(folder)
        }

        fn arguments(&self) -> Args {
            Args {
                file: Some(self.0.path().join("a.bshot")),
                compare: None,
                output: None,
            }
        }

        /// The text of the report, and what is in it.
        fn made(&self) -> (String, Value) {
            self.made_with(&self.arguments())
        }

        fn made_with(&self, arguments: &Args) -> (String, Value) {
            assert_eq!(make(arguments, Some(EMPTY)).unwrap(), Outcome::Done);
            let html = fs::read_to_string(self.0.path().join("a.html")).unwrap();
            let inside = html.strip_prefix(EMPTY.0).unwrap();
            let inside = inside.strip_suffix(EMPTY.1).unwrap().to_owned();
            let compressed = STANDARD.decode(&inside).unwrap();
            let mut json = String::new();
            ZlibDecoder::new(&compressed[..])
                .read_to_string(&mut json)
                .unwrap();
            (inside, serde_json::from_str(&json).unwrap())
        }
    }

    #[test]
    fn a_report_holds_the_records_that_the_commands_print() {
        let snapshot = Builder::recorded_x64().finish();
        let (_, report) = Folder::with(&snapshot).made();
        let snapshot = Snapshot::parse(&snapshot).unwrap();
        let records = &report["records"];
        assert_eq!(records["summary"], json!(snapshot.summary().value));
        assert_eq!(records["processes"], json!(snapshot.processes().value));
        assert_eq!(records["handles"], json!(snapshot.handles().value));
        assert_eq!(
            records["registry"]["services"],
            json!(snapshot.services().value)
        );
        assert_eq!(report["file"], "a.bshot");
        let starts = report["section_starts"].as_array().unwrap();
        assert_eq!(starts.len(), snapshot.sections.len());
        assert_eq!(starts[0], 1_000, "the builder's counter is in 100 ns units");
    }

    #[test]
    fn a_comparison_is_that_of_diff_from_the_other_to_this() {
        let (snapshot, other) = (
            Builder::recorded_x64().finish(),
            Builder::recorded_x86().finish(),
        );
        let folder = Folder::with(&snapshot);
        let path = folder.0.path().join("b.bshot");
        fs::write(&path, &other).unwrap();
        let arguments = Args {
            compare: Some(path),
            ..folder.arguments()
        };
        let (_, report) = folder.made_with(&arguments);
        let comparison = diff::compare(
            &Snapshot::parse(&other).unwrap(),
            &Snapshot::parse(&snapshot).unwrap(),
            &diff::Options::default(),
        );
        assert_eq!(report["comparison"]["other"], "b.bshot");
        assert_eq!(report["comparison"]["subjects"], json!(comparison.subjects));
        assert!(comparison.difference_count() > 0);
    }

    #[test]
    fn nothing_that_a_snapshot_holds_becomes_markup() {
        let hostile = "</script><img src=x onerror=alert(1)><!--\u{202E}\"'&";
        let note = Entry::new(Source::NOTE, NoteKind::BAD_ARGUMENT.0, 0, &utf16(hostile));
        let mut builder = Builder::new(8);
        builder.batch(Family::OWN, &[note.named(hostile)]);
        let (inside, report) = Folder::with(&builder.finish()).made();
        let harmless =
            |character: char| character.is_ascii_alphanumeric() || "+/=".contains(character);
        assert!(inside.chars().all(harmless));
        assert_eq!(report["records"]["summary"]["bad_arguments"][0], hostile);
    }

    #[test]
    fn a_problem_of_an_answer_that_several_records_come_from_is_told_once() {
        let (_, report) = Folder::with(&Builder::new(8).finish()).made();
        let problems = report["problems"].as_array().unwrap();
        let about_processes = |problem: &&Value| problem["what"] == "process list";
        assert_eq!(problems.iter().filter(about_processes).count(), 1);
        assert_eq!(problems[0]["actual"], "not captured");
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = Folder::with(&Builder::recorded_x86().finish());
        let there = folder.0.path().join("a.html");
        fs::write(&there, "mine").unwrap();
        let error = make(&folder.arguments(), Some(EMPTY)).unwrap_err();
        assert!(error.to_string().contains("Name another file"));
        assert_eq!(fs::read_to_string(there).unwrap(), "mine");
    }

    #[test]
    fn a_file_that_is_no_snapshot_leaves_no_report() {
        let folder = Folder::with(b"something else altogether");
        let error = make(&folder.arguments(), Some(EMPTY)).unwrap_err();
        assert!(error.to_string().contains("not a bootshot snapshot"));
        assert!(!folder.0.path().join("a.html").exists());
    }

    #[test]
    fn a_damaged_snapshot_is_reported_and_a_no() {
        let mut snapshot = Builder::recorded_x64().finish();
        let middle = snapshot.len() / 2;
        snapshot[middle] ^= 1;
        let folder = Folder::with(&snapshot);
        assert_eq!(make(&folder.arguments(), Some(EMPTY)).unwrap(), Outcome::No);
        assert!(folder.0.path().join("a.html").exists());
    }

    #[test]
    fn a_build_without_the_page_says_how_to_get_one_and_writes_nothing() {
        let folder = Folder::with(&Builder::recorded_x64().finish());
        let error = make(&folder.arguments(), None).unwrap_err().to_string();
        assert!(error.contains("without the page"), "{error}");
        assert!(error.contains("cargo xtask dist"), "{error}");
        assert!(!folder.0.path().join("a.html").exists());
    }
}
