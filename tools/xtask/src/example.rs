//! The template of a native application: builds it, and plays launcher and smss for it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure as hold};
use image_gate::{Machine, Policy};

use crate::companion::{self, Companion};
use crate::image::{self, Image};
use crate::process::{run as run_command, step};
use crate::setup::{Need, ensure};
use crate::toolchain::{self, Toolchain};
use crate::wine::{self, Prefix};
use crate::{dist, workspace};

/// What building takes; the linter is part of it.
const NEEDS: &[Need] = &[Need::Toolchain, Need::Clippy, Need::Lld];

const NAME: &str = "native-hello";

/// The template, and the solution of an exercise.
const PROGRAMS: [&str; 2] = [NAME, "loader_list"];

/// What it said when it was run, for the book.
const SAID: &str = "docs/book/outputs/native-hello.txt";

/// What is run, under the names by which the book includes it.
const RUNS: &[(&str, &[&str])] = &[
    (
        "launcher",
        &[r"bootshotctl run C:\windows\System32\native-hello.exe -- one two"],
    ),
    (
        "list",
        &[
            r#"reg add "HKLM\SYSTEM\CurrentControlSet\Control\Session Manager" /v BootExecute /t REG_MULTI_SZ /s # /d "autocheck autochk *#native-hello one two" /f"#,
            "bootshotctl simulate-boot --phase bootexecute --all",
        ],
    ),
    (
        "loader",
        &[r"bootshotctl run C:\windows\System32\loader_list.exe"],
    ),
];

/// The job; `recording` writes what the book shows.
pub fn run(playing: bool, recording: bool) -> Result<ExitCode> {
    ensure(&needs(playing, cfg!(windows)))?;
    let toolchain = toolchain::required()?;
    build(&toolchain)?;
    if playing {
        show(&toolchain, recording)?;
    } else {
        println!("{}", workspace::display(&path(NAME)));
    }
    Ok(ExitCode::SUCCESS)
}

/// What the job takes, `playing` or not, on a host that is Windows, or not.
fn needs(playing: bool, windows: bool) -> Vec<Need> {
    let mut needs = NEEDS.to_vec();
    if playing {
        needs.push(Need::Npm);
        if !windows {
            needs.extend([Need::MingwX64, Need::Wine]);
        }
    }
    needs
}

/// The job for a package that was made from the template.
pub fn build_made_from_it(package: &str) -> Result<ExitCode> {
    look_up(package)?;
    ensure(NEEDS)?;
    build_package(&toolchain::required()?, package, &[package])?;
    println!("{}", workspace::display(&path(package)));
    Ok(ExitCode::SUCCESS)
}

/// Cargo's own answer to a name that it does not know is about the features of all other packages.
fn look_up(package: &str) -> Result<()> {
    hold!(
        workspace::packages()?.iter().any(|name| name == package),
        "the workspace has no package `{package}`: its folder must stand in `members` of Cargo.toml"
    );
    Ok(())
}

/// Builds it, lints it and puts it through the image gate.
pub fn build(toolchain: &Toolchain) -> Result<()> {
    build_package(toolchain, NAME, &PROGRAMS)
}

fn build_package(toolchain: &Toolchain, package: &str, programs: &[&str]) -> Result<()> {
    step(format!("Building {package}.exe"));
    let common = |mut command: Command| {
        toolchain.set_flags(&mut command, image::FLAGS);
        command
            .args(["--package", package])
            .args(["--features=native", "--profile=native"])
            .args(image::BUILD_STD)
            .arg(format!("--target={}", Image::X64.target()));
        command
    };
    run_command(common(toolchain.clippy()?).args(["--", "-Dwarnings"]))?;
    run_command(&mut common(toolchain.cargo("build")?))?;
    for program in programs {
        let path = path(program);
        let bytes =
            fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
        let findings = image_gate::check(&bytes, &Policy::bootshot(Machine::X64))?;
        hold!(
            findings.is_empty(),
            "the image gate refuses {program}.exe: {findings:?}"
        );
    }
    Ok(())
}

/// Where the build leaves it.
fn path(program: &str) -> PathBuf {
    let folder = workspace::native_target().join(Image::X64.target());
    folder.join("native").join(program).with_extension("exe")
}

/// Builds what runs it, and runs it.
fn show(toolchain: &Toolchain, recording: bool) -> Result<()> {
    if cfg!(windows) {
        let mut companion = Command::new(companion::build_for_host_with_images()?);
        return run_command(
            companion
                .arg("run")
                .arg(path(NAME))
                .args(["--", "one", "two"]),
        );
    }
    image::build(toolchain, &Image::RELEASED)?;
    dist::place_images()?;
    companion::build(toolchain, &[Companion::X64])?;
    let said = play()?;
    for line in said.lines().filter(|line| !line.starts_with("# ANCHOR")) {
        println!("{line}");
    }
    if !recording {
        return Ok(());
    }
    let file = workspace::root().join(SAID);
    fs::write(&file, said).with_context(|| format!("could not write {}", file.display()))
}

/// Runs it as the book says, and compares what it says with what the book shows.
pub fn check() -> Result<()> {
    let file = workspace::root().join(SAID);
    let shown =
        fs::read_to_string(&file).with_context(|| format!("could not read {}", file.display()))?;
    let said = play()?;
    if words_of(&said) != words_of(&shown) {
        bail!(
            "{SAID} is not what was said; `cargo xtask example --run --record` writes it anew:\n{said}"
        );
    }
    Ok(())
}

/// A text without its addresses and sizes, which are those of one version of Wine.
fn words_of(text: &str) -> Vec<&str> {
    let is_number = |word: &str| word.len() > 3 && u64::from_str_radix(word, 16).is_ok();
    text.split_whitespace()
        .filter(|word| !is_number(word))
        .collect()
}

/// Under Wine: by the launcher, and from the list by the companion's stand-in for smss.
fn play() -> Result<String> {
    let prefix = Prefix::fresh("example")?;
    let system32 = prefix.drive_c().join("windows").join("system32");
    for program in PROGRAMS {
        let image = system32.join(program).with_extension("exe");
        fs::copy(path(program), &image)
            .with_context(|| format!("could not copy to {}", image.display()))?;
    }
    let companion = prefix.drive_c().join("bootshotctl.exe");
    fs::copy(Companion::X64.path(), &companion)
        .with_context(|| format!("could not copy to {}", companion.display()))?;

    let mut said = String::new();
    for (name, lines) in RUNS {
        said += &format!("# ANCHOR: {name}\n");
        for line in *lines {
            said += &format!("C:\\> {line}\n{}", say(&prefix, line)?);
        }
        said += &format!("# ANCHOR_END: {name}\n");
    }
    Ok(said)
}

/// What a command line prints in the prefix; its times, which differ each time, left out. By way of a file, since Wine's
/// services outlive the program and would hold a pipe open.
fn say(prefix: &Prefix, line: &str) -> Result<String> {
    let said = workspace::native_target().join("said.txt");
    let file =
        File::create(&said).with_context(|| format!("could not create {}", said.display()))?;
    let mut words = words(line).into_iter();
    let program = words
        .next()
        .context("a command line begins with a program")?;
    let place = match program.as_str() {
        "bootshotctl" => r"C:\bootshotctl.exe".to_owned(),
        _ => program,
    };
    let mut command = prefix.command(Path::new(&place));
    run_command(
        command
            .current_dir(prefix.drive_c())
            .args(words)
            .stdout(file.try_clone()?)
            .stderr(file),
    )?;
    let bytes = fs::read(&said).with_context(|| format!("could not read {}", said.display()))?;
    let mut shown = String::new();
    for line in String::from_utf8_lossy(&bytes).lines() {
        let line = wine::displayed(line).unwrap_or_else(|| line.to_owned());
        shown += &format!("{}\n", without_time(line.trim_end()));
    }
    Ok(shown)
}

/// A command line at its spaces, but for those between quotation marks.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in line.split('"').enumerate() {
        match place % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

/// `ended (23.9 ms)` as `ended (… ms)`.
fn without_time(line: &str) -> String {
    match line.rsplit_once(" (") {
        Some((start, time)) if time.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("{start} (… ms)")
        }
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_has_less_than_sixty_lines() {
        let source = workspace::root().join("examples/native-hello/src/main.rs");
        let lines = fs::read_to_string(source).unwrap().lines().count();
        assert!(lines < 60, "{lines}");
    }

    #[test]
    fn a_package_that_is_no_member_is_named_with_what_to_do() {
        look_up(NAME).unwrap();
        assert_eq!(
            look_up("nosuch").unwrap_err().to_string(),
            "the workspace has no package `nosuch`: its folder must stand in `members` of Cargo.toml"
        );
    }

    #[test]
    fn what_running_it_takes_is_asked_for_with_the_rest() {
        assert_eq!(needs(false, false), NEEDS);
        assert_eq!(needs(true, true), [NEEDS, &[Need::Npm]].concat());
        let under_wine = [Need::Npm, Need::MingwX64, Need::Wine];
        assert_eq!(needs(true, false), [NEEDS, &under_wine].concat());
    }

    #[test]
    fn what_stands_between_quotation_marks_is_one_word() {
        assert_eq!(
            words(r#"reg add "a b" /d "c #d" /f"#),
            ["reg", "add", "a b", "/d", "c #d", "/f"]
        );
    }

    #[test]
    fn only_a_time_is_left_out() {
        assert_eq!(
            without_time("x: ended with 0x00000000 (23.9 ms)"),
            "x: ended with 0x00000000 (… ms)"
        );
        assert_eq!(without_time("x (of two)"), "x (of two)");
    }
}
