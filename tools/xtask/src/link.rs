//! Stands between rustc and lld, so that no path of the builder gets into the PDB.
//!
//! A PDB names the linker, its command line and every object file, and rustc passes those with absolute paths. So xtask
//! gives itself to Cargo as the linker, and runs lld from the target folder with relative ones.

use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::companion::Companion;
use crate::image::Image;
use crate::toolchain::{Toolchain, target_variable};
use crate::{process, workspace};

/// Names lld; that it is set means: link.
const LLD: &str = "BOOTSHOT_LLD";
/// Names the folder that lld is run from.
const FOLDER: &str = "BOOTSHOT_LINK_FOLDER";

/// What stands for the target folder in a PDB.
pub const PLACE_IN_PDB: &str = "/bootshot/target";

/// A link that rustc asked for.
pub struct Link {
    lld: PathBuf,
    folder: PathBuf,
}

/// Tells Cargo what links for every target. All of it every time: Cargo compiles everything anew for a target whose
/// linker is called something else than the last time.
pub fn set_linkers(command: &mut Command, toolchain: &Toolchain) -> Result<()> {
    let this = env::current_exe().context("could not find this program, to link with it")?;
    for image in Image::ALL {
        let linker = image.gcc().map_or(this.clone(), PathBuf::from);
        command.env(target_variable(image.target(), "LINKER"), linker);
    }
    for companion in Companion::ALL {
        command.env(
            target_variable(companion.target(), "LINKER"),
            companion.gcc(),
        );
        // SQLite is C, and the crate that compiles it does not know these targets.
        let target = companion.target().replace('-', "_");
        command.env(format!("CC_{target}"), companion.gcc());
    }
    if let Some(lld) = toolchain.lld() {
        command
            .env(LLD, lld)
            .env(FOLDER, workspace::native_target());
    }
    Ok(())
}

/// Whether this process was started by rustc.
pub fn requested() -> Option<Link> {
    Some(Link {
        lld: env::var_os(LLD)?.into(),
        folder: env::var_os(FOLDER)?.into(),
    })
}

impl Link {
    /// Runs lld with what rustc gave us.
    pub fn run(self) -> Result<ExitCode> {
        let name = self
            .lld
            .file_stem()
            .context("the linker has no name")?
            .to_owned();
        let programs = self
            .lld
            .parent()
            .context("the linker is in no folder")?
            .to_owned();
        // Found through PATH, lld sees its bare name as its own.
        let mut command = Command::new(&name);
        command
            .env("PATH", process::path_starting_with(programs)?)
            .current_dir(&self.folder);
        if name != "lld-link" {
            command.args(["-flavor", "link"]);
        }
        command.arg(format!("/PDBSOURCEPATH:{PLACE_IN_PDB}"));
        let folder = self.folder.to_string_lossy().into_owned();
        command.args(
            env::args_os()
                .skip(1)
                .filter_map(|argument| relative(&argument.to_string_lossy(), &folder)),
        );
        let status = command
            .status()
            .with_context(|| format!("could not start {}", self.lld.display()))?;
        Ok(if status.success() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// `argument` with paths relative to `folder`; nothing for one that would put a file of the toolchain into the PDB.
fn relative(argument: &str, folder: &str) -> Option<String> {
    if argument.starts_with("/NATVIS:") {
        return None;
    }
    Some(argument.replace(&format!("{folder}{}", std::path::MAIN_SEPARATOR), ""))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn paths_become_relative_wherever_they_stand_in_an_argument() {
        let relative = |argument| relative(argument, "/home/me/target").unwrap();
        assert_eq!(
            relative("/OUT:/home/me/target/deps/a.exe"),
            "/OUT:deps/a.exe"
        );
        assert_eq!(relative("/home/me/target/deps/a.o"), "deps/a.o");
        assert_eq!(relative("/ENTRY:Main"), "/ENTRY:Main");
    }

    #[test]
    fn visualisers_of_the_toolchain_stay_out() {
        assert_eq!(
            relative("/NATVIS:/opt/rust/lib/rustlib/etc/liballoc.natvis", "/t"),
            None
        );
    }
}
