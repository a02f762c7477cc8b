//! Builds the page of `bootshotctl report` with npm, and looks at reports in a real browser.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::process::{host_cargo, on_path, output, run, step};
use crate::setup::{Need, ensure};
use crate::{companion, workspace};

/// Names the page to the companion's build.
pub const VARIABLE: &str = "BOOTSHOT_REPORT_PAGE";

/// Names a Chromium that is not on the search path, or another browser of its family.
pub const CHROMIUM_VARIABLE: &str = "BOOTSHOT_CHROMIUM";

/// The oldest Node.js that what npm brings runs on: `engines` of tools/report-page/package.json.
pub const OLDEST_NODE: u32 = 20;

/// What is not a source of the page.
const INSTALLED: &str = "node_modules";

/// Stands in the folder of what npm installed, and holds the digest of the lock file it was installed from.
const INSTALLED_FROM: &str = ".installed-from";

/// Builds the page, unless it is there and nothing that it is made of has changed; says where it is.
pub fn build() -> Result<PathBuf> {
    let page = workspace::target().join("report-page").join("report.html");
    let stamp = page.with_extension("sources");
    let sources = digest(&sources()?)?;
    if page.is_file() && fs::read_to_string(&stamp).is_ok_and(|built_from| built_from == sources) {
        return Ok(page);
    }
    install()?;
    step("Building the page of reports");
    output(npm().args(["run", "build", "--"]).arg(&page))?;
    write(&stamp, &sources)?;
    Ok(page)
}

/// The browser for the tests.
pub fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os(CHROMIUM_VARIABLE).map(PathBuf::from);
    let known = ["chromium", "chromium-browser", "google-chrome"];
    named.or_else(|| known.into_iter().find_map(on_path))
}

/// Whether npm is here, with a Node.js that is new enough.
pub fn has_npm() -> bool {
    let node = output(Command::new("node").arg("--version")).unwrap_or_default();
    node_is_new_enough(&node) && output(npm().arg("--version")).is_ok()
}

/// `v20.19.2` is, when 20 is.
fn node_is_new_enough(version: &str) -> bool {
    let major = version
        .trim()
        .strip_prefix('v')
        .and_then(|version| version.split('.').next());
    major
        .and_then(|major| major.parse::<u32>().ok())
        .is_some_and(|major| major >= OLDEST_NODE)
}

/// The tests that open reports of `companion` in Chromium.
pub fn browser_tests(companion: &Path) -> Result<Command> {
    install()?;
    let snapshots = workspace::target().join("report-page").join("snapshots");
    let example = "report_snapshots";
    // As the tests have it built already.
    run(host_cargo("build").args([
        "--locked",
        "--workspace",
        "--exclude=xtask",
        "--example",
        example,
    ]))?;
    let examples = workspace::target().join("debug").join("examples");
    run(Command::new(examples.join(example)).arg(&snapshots))?;
    let mut command = Command::new("node");
    command
        .current_dir(folder())
        .args(["--test", "--test-reporter=tap", "tests/report.test.mjs"])
        .env("BOOTSHOT_TEST_COMPANION", companion)
        .env("BOOTSHOT_TEST_SNAPSHOTS", snapshots)
        .env(
            CHROMIUM_VARIABLE,
            chromium().context("Chromium is not here")?,
        );
    Ok(command)
}

/// The job: the same tests take the screenshots of the book.
pub fn screenshots() -> Result<ExitCode> {
    ensure(&[
        Need::Toolchain,
        Need::Lld,
        Need::MingwX64,
        Need::Npm,
        Need::Chromium,
    ])?;
    let companion = companion::build_for_host_with_images()?;
    let folder = workspace::root().join("docs").join("screenshots");
    step(format!(
        "Taking the screenshots in {}",
        workspace::display(&folder)
    ));
    run(browser_tests(&companion)?.env("BOOTSHOT_SCREENSHOTS", folder))?;
    Ok(ExitCode::SUCCESS)
}

/// Installs what the lock file names, unless that is there.
fn install() -> Result<()> {
    let lock = folder().join("package-lock.json");
    let wanted = digest(&[lock])?;
    let stamp = folder().join(INSTALLED).join(INSTALLED_FROM);
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    step("Installing with npm what the page of reports is built from");
    output(npm().arg("ci"))?;
    write(&stamp, &wanted)
}

fn npm() -> Command {
    let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.current_dir(folder());
    npm
}

fn folder() -> PathBuf {
    workspace::root().join("tools").join("report-page")
}

/// Every file that the page is built from, in an order of their own.
fn sources() -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder()];
    while let Some(folder) = folders.pop() {
        let listed = || format!("could not list {}", folder.display());
        for entry in fs::read_dir(&folder).with_context(listed)? {
            let path = entry.with_context(listed)?.path();
            if path.ends_with(INSTALLED) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// SHA-256 of the files, with their names.
fn digest(files: &[PathBuf]) -> Result<String> {
    let mut digest = Sha256::new();
    for file in files {
        let bytes = fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
        digest.update(workspace::display(file).to_string());
        digest.update((bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    }
    Ok(digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("could not write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_is_taken_from_the_oldest_that_serves() {
        assert!(node_is_new_enough("v20.0.0\n"));
        assert!(node_is_new_enough("v122.1.0"));
        assert!(!node_is_new_enough("v18.20.4"));
        assert!(!node_is_new_enough(""));
    }

    #[test]
    fn what_npm_installed_is_no_source_of_the_page() {
        let sources = sources().unwrap();
        let has = |name: &str| sources.iter().any(|path| path.ends_with(name));
        assert!(has("package-lock.json") && has("page.html"));
        assert!(
            !sources
                .iter()
                .any(|path| path.iter().any(|part| part == INSTALLED))
        );
    }
}
