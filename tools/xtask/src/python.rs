//! Python with packages from its registry, in a virtual environment, where they disturb nobody.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{self, on_path, step};
use crate::workspace;

/// The packages that jobs ask for, in the versions they were tried with; docs/fleet.md shows it.
const REQUIREMENTS: &str = "tools/fleet/queries/requirements.txt";

/// Whether Python can make virtual environments.
pub fn has_venv() -> bool {
    program().is_some_and(|python| {
        process::output(Command::new(python).args(["-c", "import ensurepip, venv"])).is_ok()
    })
}

/// Python 3, under the name that it has here.
pub fn program() -> Option<PathBuf> {
    ["python3", "python"].into_iter().find_map(on_path)
}

/// The Python of an environment called `name` with those of the [required packages](REQUIREMENTS) that `wanted` chooses by
/// their names.
pub fn environment(name: &str, wanted: impl Fn(&str) -> bool) -> Result<PathBuf> {
    let file = workspace::root().join(REQUIREMENTS);
    let requirements =
        fs::read_to_string(&file).with_context(|| format!("could not read {}", file.display()))?;
    let requirements = chosen(&requirements, wanted);
    let folder = workspace::target().join("python").join(name);
    let python = match cfg!(windows) {
        true => folder.join("Scripts").join("python.exe"),
        false => folder.join("bin").join("python"),
    };
    // Written last: an installation that was stopped is not taken for one.
    let installed = folder.join("installed.txt");
    let packages = requirements.join("\n");
    if python.is_file() && fs::read_to_string(&installed).is_ok_and(|there| there == packages) {
        return Ok(python);
    }
    step(format!(
        "Installing {} into {}",
        requirements.join(" "),
        workspace::display(&folder)
    ));
    let base = program().context("there is no Python 3")?;
    process::output(
        Command::new(base)
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
    )?;
    process::output(
        Command::new(&python)
            .args(["-m", "pip", "install", "--disable-pip-version-check"])
            .args(&requirements),
    )?;
    fs::write(&installed, packages)
        .with_context(|| format!("could not write {}", installed.display()))?;
    Ok(python)
}

/// The lines `package==version` whose package is wanted.
fn chosen(requirements: &str, wanted: impl Fn(&str) -> bool) -> Vec<&str> {
    requirements
        .lines()
        .filter(|line| {
            line.split_once("==")
                .is_some_and(|(package, _)| wanted(package))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_chosen_by_name_with_their_versions() {
        let requirements = "duckdb==2.0.0\npyspark==4.3.0\n";
        assert_eq!(
            chosen(requirements, |package| package == "duckdb"),
            ["duckdb==2.0.0"]
        );
        assert_eq!(chosen(requirements, |_| true).len(), 2);
    }
}
