//! Runs every check and every test, and counts.

use std::env;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::companion::{self, Companion};
use crate::image::{self, Image};
use crate::process::{self, host_cargo, step};
use crate::setup::{Need, ensure};
use crate::toolchain::{self, Toolchain, target_variable};
use crate::wine::{self, Prefix};
use crate::{bench, book, dist, example, report_page, sizes, workspace};

/// The machines whose images' structure layouts are compared with phnt's.
const ABI: [Image; 3] = Image::RELEASED;

/// A half of the tests. They build into different folders for most of the time, and each waits at times (for a linker, a
/// browser, Wine), so both run at once. What needs nothing of the other steps is where there is time for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Half {
    /// What runs on this host, and what is compiled for Windows to be looked at only.
    Host,
    /// What is built for Windows and run there or under Wine.
    Windows,
}

/// What the job is told.
#[derive(clap::Args)]
pub struct Arguments {
    /// Run only this half
    #[arg(long, value_enum)]
    only: Option<Half>,
    /// Write what was counted into this file, for the other half's closing line
    #[arg(long, hide = true, requires = "only")]
    counts: Option<PathBuf>,
}

/// The job.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let start = Instant::now();
    ensure(&needs(cfg!(windows)))?;
    // Both halves need the page: it is made once.
    let page = report_page::build()?;
    let mut tally = Tally::default();
    match arguments.only {
        Some(half) => half.run(&mut tally, &page)?,
        None => {
            let other = Aside::start(Half::Windows)?;
            let outcome = Half::Host.run(&mut tally, &page);
            tally.add(other.finish()?);
            outcome?;
        }
    }
    match arguments.counts {
        Some(file) => {
            write_json(&file, &tally)?;
            Ok(ExitCode::SUCCESS)
        }
        None => Ok(tally.finish(start.elapsed())),
    }
}

/// What all of it takes on a host that is Windows, or not.
fn needs(windows: bool) -> Vec<Need> {
    let mut needs = dist::NEEDS.to_vec();
    needs.extend([Need::Clippy, Need::HostClippy, Need::HostFmt, Need::Git]);
    if !windows {
        needs.extend([Need::Wine, Need::Hivexregedit, Need::Chromium, Need::Tmux]);
    }
    needs
}

impl Half {
    fn run(self, tally: &mut Tally, page: &Path) -> Result<()> {
        match self {
            Self::Host => on_this_host(tally, page),
            Self::Windows => for_windows(tally, page),
        }
    }

    /// As it is typed.
    fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Windows => "windows",
        }
    }
}

/// A half in a process of its own. Its output is kept until the other half is through.
struct Aside {
    half: Half,
    child: Child,
    log: PathBuf,
    counts: PathBuf,
}

impl Aside {
    fn start(half: Half) -> Result<Self> {
        let folder = workspace::target().join("tests");
        fs::create_dir_all(&folder)
            .with_context(|| format!("could not create {}", folder.display()))?;
        let file = |extension| folder.join(half.name()).with_extension(extension);
        let (log, counts) = (file("log"), file("json"));
        step(format!(
            "Running the {} half aside; what it says goes into {} first",
            half.name(),
            workspace::display(&log)
        ));
        let output =
            File::create(&log).with_context(|| format!("could not create {}", log.display()))?;
        let this = env::current_exe().context("this program has no file")?;
        let mut command = Command::new(this);
        command
            .args(["test", "--only", half.name(), "--counts"])
            .arg(&counts)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let child = command
            .spawn()
            .with_context(|| format!("could not start `{}`", process::line(&command)))?;
        Ok(Self {
            half,
            child,
            log,
            counts,
        })
    }

    /// Shows what it said and says until it ends; what it counted.
    fn finish(mut self) -> Result<Tally> {
        let could_not = || format!("could not show {}", self.log.display());
        let mut log = File::open(&self.log).with_context(could_not)?;
        let status = loop {
            let ended = self.child.try_wait().context("could not wait for a half")?;
            io::copy(&mut log, &mut io::stdout()).with_context(could_not)?;
            match ended {
                Some(status) => break status,
                None => thread::sleep(BETWEEN_LOOKS),
            }
        };
        if !status.success() {
            bail!(
                "the {} half did not come to its end: {status}",
                self.half.name()
            );
        }
        let counts = fs::read(&self.counts)
            .with_context(|| format!("could not read {}", self.counts.display()))?;
        serde_json::from_slice(&counts).context("a half counted something else")
    }
}

/// Between two looks at what the other half says.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

fn write_json(file: &Path, tally: &Tally) -> Result<()> {
    let text = serde_json::to_string(tally)?;
    fs::write(file, text).with_context(|| format!("could not write {}", file.display()))
}

fn on_this_host(tally: &mut Tally, page: &Path) -> Result<()> {
    tally.check("cargo fmt", || {
        process::run(host_cargo("fmt").args(["--all", "--check"]))
    });
    tally.check("cargo clippy for this host", || {
        let mut clippy = host_cargo("clippy");
        clippy.env(report_page::VARIABLE, page);
        process::run(clippy.args([
            "--locked",
            "--workspace",
            "--all-targets",
            "--",
            "-Dwarnings",
        ]))
    });
    tally.tests("tests on this host", &mut host_tests(page, &[]));
    if !cfg!(windows) {
        tally.tests(
            "the explorer in a terminal",
            &mut host_tests(page, &["--ignored", IN_TMUX]),
        );
        // As the tests before had it built: what a report holds is the same however the companion is compiled.
        let companion = workspace::target().join("debug").join("bootshotctl");
        tally.tests(
            "the report in Chromium",
            &mut report_page::browser_tests(&companion)?,
        );
    }
    let mut own_tests = host_cargo("test");
    tally.tests(
        "tests of xtask itself",
        own_tests.args(["--locked", "--package=xtask"]),
    );
    tally.check(
        "the worked example of the book: one more section",
        book::add_a_section,
    );
    match bench::instructions::missing() {
        None => {
            tally.check("instructions of the reader", bench::instructions::check);
        }
        Some(why) => step(format!(
            "Skipped, and not counted: instructions of the reader, as {why}"
        )),
    }
    let toolchain = toolchain::required()?;
    tally.check("structure layouts against phnt on each machine", || {
        check_abi(&toolchain)
    });
    tally.check("cargo clippy of the companion for 32-bit Windows", || {
        lint_companion(&toolchain)
    });
    Ok(())
}

fn for_windows(tally: &mut Tally, page: &Path) -> Result<()> {
    let toolchain = toolchain::required()?;
    // First of all: the library that it compiles for each image serves the linter, and the other half's look at the layouts.
    let compiled = tally.check("the native executable in every flavour", || {
        image::compile(&toolchain, &Image::ALL)
    });
    // A gate would look at what an earlier build left.
    for image in Image::ALL.into_iter().filter(|_| compiled) {
        tally.check(format!("image gate: {}", image.target()), || {
            let findings = image::inspect(image)?;
            if !findings.is_empty() {
                bail!("{}", findings.join("\n"));
            }
            Ok(())
        });
    }
    tally.check("cargo clippy of the native executable", || {
        lint_native(&toolchain)
    });
    let built = tally.check("release files for 64-bit Windows", || {
        dist::build_tested(&toolchain)
    });
    if !built {
        tally.fail("tests that run what was built: there is nothing to run");
        return Ok(());
    }
    tally.check("the size ladder, built and run", sizes::check);
    let built = tally.check("the template of a native application", || {
        example::build(&toolchain)
    });
    if built && !cfg!(windows) {
        tally.check("the template run as the book shows it", example::check);
    }
    let prefix = if cfg!(windows) {
        None
    } else {
        Some(Prefix::fresh("test")?)
    };
    tally.tests(
        "the kernel, held to the same contract as the simulated one",
        &mut kernel_contract(&toolchain, prefix.as_ref())?,
    );
    if let Some(prefix) = &prefix {
        tally.tests(
            "the companion on a real registry, every step failing in its turn",
            &mut failing_steps(&toolchain, prefix)?,
        );
    }
    for image in [Image::X64, Image::X64Gnu] {
        tally.tests(
            &format!("tests that run what was built: {}", image.target()),
            &mut tests_of_what_was_built(image, page, prefix.as_ref())?,
        );
    }
    Ok(())
}

/// What the names of the tests in a terminal begin with; their step is their own.
const IN_TMUX: &str = "in_tmux_";
/// What the names of the tests that take minutes begin with.
const SOAK: &str = "soak_";
/// Stands in the names of the tests that change what a system starts with, which is not for Windows itself.
const UNDER_WINE: &str = "under_wine";
/// Tells them how many rounds.
const ROUNDS: &str = "BOOTSHOT_SOAK_ROUNDS";

/// Runs only the tests that take minutes.
pub fn soak(rounds: u32) -> Result<ExitCode> {
    let needs: Vec<Need> = dist::NEEDS.iter().copied().chain([Need::Wine]).collect();
    ensure(&needs)?;
    let toolchain = toolchain::required()?;
    let start = Instant::now();
    dist::build_tested(&toolchain)?;
    let page = report_page::build()?;
    let mut tally = Tally::default();
    let prefix = Prefix::fresh("soak")?;
    let mut command = of_what_was_built(
        Image::X64,
        &page,
        Some(&prefix),
        &["--ignored", "--nocapture", SOAK],
    )?;
    tally.tests("soak", command.env(ROUNDS, rounds.to_string()));
    Ok(tally.finish(start.elapsed()))
}

/// `cargo test` of everything but xtask: built along with the rest it would get other features, so Cargo would replace
/// the very program that is running, which Windows does not allow. With the page of reports inside, for the browser.
fn host_tests(page: &Path, arguments: &[&str]) -> Command {
    let mut command = host_cargo("test");
    command
        .env(report_page::VARIABLE, page)
        .args([
            "--locked",
            "--workspace",
            "--exclude=xtask",
            "--no-fail-fast",
            "--",
        ])
        .args(arguments);
    command
}

/// Test programs for Windows, which call the real kernel.
fn kernel_contract(toolchain: &Toolchain, prefix: Option<&Prefix>) -> Result<Command> {
    let mut command = windows_tests(
        toolchain,
        prefix,
        &["--package=bootshot", "--lib", "--features=native"],
    )?;
    command.args(["--", "contract::real"]);
    Ok(command)
}

/// Only a test program can make the companion's steps fail; never on Windows itself, for they change what it starts with.
fn failing_steps(toolchain: &Toolchain, prefix: &Prefix) -> Result<Command> {
    let mut command = windows_tests(
        toolchain,
        Some(prefix),
        &["--package=bootshotctl", "--bin=bootshotctl"],
    )?;
    command.args(["--", "--ignored", "--nocapture", UNDER_WINE]);
    Ok(command)
}

/// `cargo test` for 64-bit Windows of what `chosen` names.
fn windows_tests(
    toolchain: &Toolchain,
    prefix: Option<&Prefix>,
    chosen: &[&str],
) -> Result<Command> {
    let mut command = toolchain.cargo("test")?;
    command.args(chosen).args([
        "--no-fail-fast",
        "--target",
        Companion::X64.target(),
        "-Zbuild-std=std,panic_unwind",
    ]);
    if let Some(prefix) = prefix {
        prefix.set_environment(&mut command);
        let runner = target_variable(Companion::X64.target(), "RUNNER");
        command.env(runner, prefix.loader());
    }
    Ok(command)
}

/// Tests that need Wine, Windows or hivexregedit are marked `#[ignore]`. Here they run, and the parts they need are named
/// to them: a folder with the companion and `image`, a prefix and Wine's loader.
fn tests_of_what_was_built(image: Image, page: &Path, prefix: Option<&Prefix>) -> Result<Command> {
    of_what_was_built(image, page, prefix, &chosen_for(image, cfg!(windows)))
}

/// The arguments that choose the tests of `image`.
fn chosen_for(image: Image, windows: bool) -> Vec<&'static str> {
    let mut arguments = vec!["--ignored", "--skip", SOAK, "--skip", IN_TMUX];
    if image != Image::X64 {
        // It is about the image inside the companion, which is the other flavour.
        arguments.extend(["--skip", "the_companion_alone_is_enough"]);
    }
    if windows {
        // Elsewhere they are no tests of this host, and have a step of their own.
        arguments.extend(["--skip", UNDER_WINE]);
    }
    arguments
}

/// Tests with these arguments, and where they find what was built.
fn of_what_was_built(
    image: Image,
    page: &Path,
    prefix: Option<&Prefix>,
    arguments: &[&str],
) -> Result<Command> {
    let folder = workspace::target().join("tests").join(image.target());
    dist::copy(&Companion::X64.path(), &folder.join("bootshotctl.exe"))?;
    dist::copy(
        &image.path(),
        &folder.join(image.architecture()).join("bootshot.exe"),
    )?;
    let mut command = host_tests(page, arguments);
    command.env("BOOTSHOT_TEST_BIN", folder);
    if let Some(prefix) = prefix {
        command
            .env("BOOTSHOT_TEST_PREFIX", prefix.folder())
            .env(wine::LOADER_VARIABLE, prefix.loader());
    }
    Ok(command)
}

/// The unsafe code is only compiled for Windows, so on another host clippy has not seen it yet.
fn lint_native(toolchain: &Toolchain) -> Result<()> {
    let mut command = toolchain.clippy()?;
    // Those of the build, or else each would undo the other's work.
    toolchain.set_flags(&mut command, image::FLAGS);
    process::run(
        command
            .args([
                "--package=bootshot",
                "--lib",
                "--bin=bootshot",
                "--features=native",
                "--profile=native",
            ])
            .args(["--target", Image::X64.target()])
            .args(image::BUILD_STD)
            .args(["--", "-Dwarnings"]),
    )
}

/// For 32 bits: for 64 it is built and run.
fn lint_companion(toolchain: &Toolchain) -> Result<()> {
    process::run(
        toolchain
            .clippy()?
            .args(["--package=bootshotctl", "--target", Companion::X86.target()])
            .args(companion::BUILD_STD)
            .args(["--", "-Dwarnings"]),
    )
}

/// To check it is to run it: its comparisons are constants. As the images are compiled, so that the library is theirs.
fn check_abi(toolchain: &Toolchain) -> Result<()> {
    let mut command = toolchain.cargo("check")?;
    toolchain.set_flags(&mut command, image::FLAGS);
    process::run(
        command
            .args(["--package=abi-check", "--profile=native"])
            .args(companion::BUILD_STD)
            .args(ABI.map(|image| format!("--target={}", image.target()))),
    )
}

/// What passed, what failed, and what it took.
#[derive(Default, Deserialize, Serialize)]
struct Tally {
    passed: usize,
    failures: Vec<String>,
    /// The steps in their order, with how long each took.
    times: Vec<(String, Duration)>,
}

impl Tally {
    /// Runs a check that counts as one test.
    fn check(&mut self, name: impl Display, check: impl FnOnce() -> Result<()>) -> bool {
        step(&name);
        let start = Instant::now();
        let outcome = check();
        match &outcome {
            Ok(()) => {
                eprintln!("    passed in {:.1} s", start.elapsed().as_secs_f32());
                self.passed += 1;
            }
            Err(error) => self.fail(format!("{name}: {error:#}")),
        }
        self.times.push((name.to_string(), start.elapsed()));
        outcome.is_ok()
    }

    /// Runs `cargo test`, and counts what its test programs say.
    fn tests(&mut self, name: &str, command: &mut Command) {
        step(name);
        let start = Instant::now();
        self.count(name, run_tests(command));
        self.times.push((name.to_owned(), start.elapsed()));
    }

    /// Takes in what came of a step. One without any test has failed: the names that it chooses by are none any more.
    fn count(&mut self, name: &str, outcome: Result<Results>) {
        match outcome {
            Ok(results) if results == Results::default() => {
                self.fail(format!("{name}: no test was run"));
            }
            Ok(results) => {
                self.passed += results.passed;
                for test in results.failed {
                    self.fail(format!("{name}: {test}"));
                }
            }
            Err(error) => self.fail(format!("{name}: {error:#}")),
        }
    }

    fn fail(&mut self, failure: impl Into<String>) {
        let failure = failure.into();
        eprintln!("    FAILED {failure}");
        self.failures.push(failure);
    }

    /// Takes in what another half counted.
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failures.extend(other.failures);
        self.times.extend(other.times);
    }

    /// The closing line is the last one.
    fn finish(self, took: Duration) -> ExitCode {
        print!("{}", table_of(&self.times, took));
        for failure in &self.failures {
            println!("FAILED {failure}");
        }
        println!("{} passed, {} failed", self.passed, self.failures.len());
        if self.failures.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

/// What each step took, in seconds, and all of it: less than their sum where steps ran at once.
fn table_of(times: &[(String, Duration)], all: Duration) -> String {
    let mut text = String::new();
    for (name, took) in times.iter().chain([&("all of it".to_owned(), all)]) {
        text += &format!("{:>8.1} s  {name}\n", took.as_secs_f32());
    }
    text
}

/// What the test programs of one `cargo test` said, or the tests of one `node --test`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Results {
    passed: usize,
    failed: Vec<String>,
}

impl Results {
    /// Takes in one line that a test program of libtest wrote, or a TAP line of Node.js.
    fn read(&mut self, line: &str) {
        if let Some(name) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            self.failed.push(name.to_owned());
        } else if let Some(counts) = line.strip_prefix("test result: ") {
            self.passed += counts
                .split("; ")
                .filter_map(|count| count.strip_suffix(" passed"))
                .filter_map(|count| count.rsplit(' ').next()?.parse::<usize>().ok())
                .sum::<usize>();
        } else if let Some((_, name)) = line
            .strip_prefix("not ok ")
            .and_then(|rest| rest.split_once(" - "))
        {
            self.failed.push(name.to_owned());
        } else if let Some(count) = line.strip_prefix("# pass ") {
            self.passed += count.parse::<usize>().unwrap_or_default();
        }
    }
}

/// Runs tests with their output shown.
///
/// # Errors
///
/// It could not run, or it failed and no test is to blame: something does not compile, or a test program crashed.
fn run_tests(command: &mut Command) -> Result<Results> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start `{}`", process::line(command)))?;
    let stdout = child
        .stdout
        .take()
        .context("the pipe that was asked for is not there")?;
    let mut results = Results::default();
    for line in BufReader::new(stdout).lines() {
        let line = line.context("could not read what the tests say")?;
        println!("{line}");
        results.read(&line);
    }
    let status = child.wait().context("could not wait for the tests")?;
    if !status.success() && results.failed.is_empty() {
        bail!("`{}` failed: {status}", process::line(command));
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(lines: &str) -> Results {
        let mut results = Results::default();
        lines.lines().for_each(|line| results.read(line));
        results
    }

    #[test]
    fn results_of_several_test_programs_add_up() {
        let results = results(
            "running 12 tests\n\
             test a::b ... ok\n\
             test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
             test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
        );
        assert_eq!(
            results,
            Results {
                passed: 17,
                failed: vec![]
            }
        );
    }

    #[test]
    fn failed_tests_are_counted_by_name_and_not_as_passed() {
        let results = results(
            "test a::b ... FAILED\n\
             test c - should panic ... FAILED\n\
             test result: FAILED. 2 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
        );
        assert_eq!(results.passed, 2);
        assert_eq!(results.failed, ["a::b", "c - should panic"]);
    }

    #[test]
    fn tests_of_node_count_as_well() {
        let results = results(
            "TAP version 13\n\
             ok 1 - opens\n\
             not ok 2 - prints\n\
             \x20   not ok 1 - a part of it\n\
             # tests 2\n\
             # pass 1\n\
             # fail 1\n",
        );
        assert_eq!(results.passed, 1);
        assert_eq!(results.failed, ["prints"]);
    }

    #[test]
    fn the_steps_are_listed_with_their_times_and_the_whole() {
        let times = [("fmt", 1_250), ("clippy", 61_000)]
            .map(|(name, took)| (name.to_owned(), Duration::from_millis(took)));
        assert_eq!(
            table_of(&times, Duration::from_secs(60)),
            "     1.2 s  fmt\n    61.0 s  clippy\n    60.0 s  all of it\n"
        );
    }

    #[test]
    fn what_a_half_counted_arrives_in_the_other() {
        let mut tally = Tally::default();
        tally.check("one", || Ok(()));
        let mut other = Tally::default();
        other.check("two", || Ok(()));
        other.check("three", || bail!("broken"));
        let folder = workspace::target().join("tests");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("counts-of-a-test.json");
        write_json(&file, &other).unwrap();
        tally.add(serde_json::from_slice(&fs::read(&file).unwrap()).unwrap());
        fs::remove_file(&file).unwrap();
        assert_eq!((tally.passed, tally.failures.len()), (2, 1));
        let names: Vec<_> = tally.times.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["one", "two", "three"]);
    }

    #[test]
    fn a_step_that_runs_no_test_has_failed() {
        let empty = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.00s\n";
        let mut tally = Tally::default();
        tally.count("renamed", Ok(results(&empty.repeat(2))));
        assert_eq!(tally.failures, ["renamed: no test was run"]);
        // Programs without tests stand beside the others.
        let one = empty.replace("0 passed", "1 passed");
        tally.count("sound", Ok(results(&format!("{empty}{one}{empty}"))));
        assert_eq!((tally.passed, tally.failures.len()), (1, 1));
    }

    #[test]
    fn what_is_for_wine_alone_is_not_run_on_windows() {
        let skips = |windows| chosen_for(Image::X64, windows).contains(&UNDER_WINE);
        assert!(skips(true));
        assert!(!skips(false));
    }

    #[test]
    fn the_worked_example_has_its_git_on_every_host() {
        assert!(needs(true).contains(&Need::Git));
        assert!(needs(false).contains(&Need::Git));
    }

    #[test]
    fn what_a_test_prints_is_not_a_result() {
        assert_eq!(
            results("the test result: ok. 7 passed\ntest x ... ignored"),
            Results::default()
        );
    }
}
