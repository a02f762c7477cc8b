//! Sees to it that the parts a job needs are there: installs them where it may, names them where it may not.

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{self, host_cargo, on_path, step};
use crate::toolchain::{self, Toolchain};
use crate::{fleet, python, report_page, wine};

/// A part that comes from outside the checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A Rust toolchain with the sources of its library.
    Toolchain,
    /// clippy for that toolchain.
    Clippy,
    /// lld, for the flavour of the native executable that has a PDB.
    Lld,
    /// GCC and its C library for 64-bit Windows: links the other flavour, and the companion.
    MingwX64,
    /// The same for 32-bit Windows.
    MingwX86,
    Wine,
    /// Changes registry hives; tests make theirs with it.
    Hivexregedit,
    /// Node.js and npm: build the page of reports.
    Npm,
    /// The browser that the tests look at reports in.
    Chromium,
    /// The terminal that the tests of the explorer type into.
    Tmux,
    /// Applies the patch of the book.
    Git,
    /// clippy for the host's toolchain.
    HostClippy,
    /// rustfmt for the host's toolchain.
    HostFmt,
    /// Runs Apache Spark.
    Java,
    /// Python with its virtual environments: jobs install into one what they need.
    Python,
    /// Counts instructions.
    Valgrind,
    /// Reads JSON: a yardstick of the benches.
    Jq,
}

impl Need {
    fn is_met(self) -> bool {
        match self {
            Self::Toolchain => Toolchain::find().is_some(),
            Self::Clippy => Toolchain::find().is_some_and(|toolchain| toolchain.has_clippy()),
            Self::Lld => Toolchain::find().is_some_and(|toolchain| toolchain.lld().is_some()),
            Self::MingwX64 => on_path("x86_64-w64-mingw32-gcc").is_some(),
            Self::MingwX86 => on_path("i686-w64-mingw32-gcc").is_some(),
            Self::Wine => wine::loader().is_some(),
            Self::Hivexregedit => on_path("hivexregedit").is_some(),
            Self::Npm => report_page::has_npm(),
            Self::Chromium => report_page::chromium().is_some(),
            Self::Tmux => on_path("tmux").is_some(),
            Self::Git => on_path("git").is_some(),
            Self::HostClippy => process::output(host_cargo("clippy").arg("--version")).is_ok(),
            Self::HostFmt => process::output(host_cargo("fmt").arg("--version")).is_ok(),
            Self::Java => fleet::has_java(),
            Self::Python => python::has_venv(),
            Self::Valgrind => on_path("valgrind").is_some(),
            Self::Jq => on_path("jq").is_some(),
        }
    }

    fn debian_packages(self) -> &'static [&'static str] {
        match self {
            Self::Toolchain => &["rustc-web", "cargo-web", "rust-web-src"],
            Self::Clippy | Self::HostClippy => &["rust-web-clippy"],
            Self::Lld => &["lld"],
            Self::MingwX64 => &["gcc-mingw-w64-x86-64"],
            Self::MingwX86 => &["gcc-mingw-w64-i686"],
            Self::Wine => &["wine64", "wine"],
            Self::Hivexregedit => &["libwin-hivex-perl"],
            Self::Npm => &["nodejs", "npm"],
            Self::Chromium => &["chromium"],
            Self::Tmux => &["tmux"],
            Self::Git => &["git"],
            Self::HostFmt => &["rustfmt-web"],
            Self::Java => &["default-jre-headless"],
            Self::Python => &["python3", "python3-venv"],
            Self::Valgrind => &["valgrind"],
            Self::Jq => &["jq"],
        }
    }

    /// What it is, and what to type where Debian's packages are not.
    fn elsewhere(self) -> String {
        let mingw = |package: &str| {
            if cfg!(windows) {
                format!("in MSYS2: pacman -S {package}, with its bin folder on PATH")
            } else {
                "the package of MinGW-w64's GCC, and its bin folder on PATH".to_owned()
            }
        };
        match self {
            Self::Toolchain => format!(
                "a Rust toolchain with library sources: {}",
                toolchain::rustup_line()
            ),
            Self::Clippy => format!(
                "clippy for the toolchain with library sources: {}",
                Toolchain::find().map_or_else(
                    || toolchain::rustup_line().to_owned(),
                    |found| found.clippy_line()
                )
            ),
            Self::Lld => "rust-lld: any toolchain of rustup has it; or lld-link on PATH".to_owned(),
            Self::MingwX64 => format!("x86_64-w64-mingw32-gcc: {}", mingw("mingw-w64-x86_64-gcc")),
            Self::MingwX86 => format!("i686-w64-mingw32-gcc: {}", mingw("mingw-w64-i686-gcc")),
            Self::Wine => format!(
                "Wine, 64-bit: its package, or {} naming its loader",
                wine::LOADER_VARIABLE
            ),
            Self::Hivexregedit => "hivexregedit: the package of hivex's Perl bindings".to_owned(),
            Self::Npm => format!(
                "Node.js {} or later with npm, from its makers or the packages of Debian 13 and later",
                report_page::OLDEST_NODE
            ),
            Self::Chromium => format!(
                "Chromium: its package, or {} naming it or a browser of its family",
                report_page::CHROMIUM_VARIABLE
            ),
            Self::Tmux => "tmux: its package".to_owned(),
            Self::Git => "git: its package, or from its makers, on PATH".to_owned(),
            Self::HostClippy => "clippy: rustup component add clippy".to_owned(),
            Self::HostFmt => "rustfmt: rustup component add rustfmt".to_owned(),
            Self::Java => format!(
                "Java {} or later: the package of a JRE or JDK, with java on PATH",
                fleet::OLDEST_JAVA
            ),
            Self::Python => "Python 3.10 or later with its modules venv and ensurepip".to_owned(),
            Self::Valgrind => "valgrind: its package; it counts instructions".to_owned(),
            Self::Jq => "jq: its package".to_owned(),
        }
    }
}

/// Makes sure that everything in `needs` is there.
///
/// # Errors
///
/// One message that names every missing part and what to type for it.
pub fn ensure(needs: &[Need]) -> Result<()> {
    let mut missing = missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    let mut failure = String::new();
    let mut apt = if is_debian() {
        Apt::Advised
    } else {
        Apt::Absent
    };
    if is_debian() && is_root() {
        let packages = packages(&missing);
        step(format!("Installing {} with apt", packages.join(" ")));
        match install(&packages) {
            Ok(()) => apt = Apt::Done,
            Err(error) => failure = format!("\n{error:#}"),
        }
        missing = self::missing(needs);
        if missing.is_empty() {
            return Ok(());
        }
    }
    bail!("{}{failure}", message(&missing, apt));
}

/// What apt has to do with what is missing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Apt {
    /// It is not here.
    Absent,
    /// A person may try it.
    Advised,
    /// It installed all packages, and these parts are still missing: another time it would do the same.
    Done,
}

fn missing(needs: &[Need]) -> Vec<Need> {
    needs
        .iter()
        .copied()
        .filter(|need| !need.is_met())
        .collect()
}

fn message(missing: &[Need], apt: Apt) -> String {
    let mut message = "parts are missing here:".to_owned();
    for need in missing {
        message += &format!("\n  - {}", need.elsewhere());
    }
    let packages = packages(missing).join(" ");
    match apt {
        Apt::Absent => {}
        Apt::Advised => {
            message +=
                &format!("\nor all of it, as root: apt-get update && apt-get install {packages}");
        }
        Apt::Done => {
            message += &format!(
                "\napt has installed {packages}, and these packages of this Debian do not do: \
                 what is named above must come from elsewhere"
            );
        }
    }
    message
}

fn packages(missing: &[Need]) -> Vec<&'static str> {
    let mut packages = Vec::new();
    for package in missing.iter().flat_map(|need| need.debian_packages()) {
        if !packages.contains(package) {
            packages.push(*package);
        }
    }
    packages
}

/// A machine that has never run `apt-get update` knows no packages, so that comes second, when it is needed.
fn install(packages: &[&str]) -> Result<()> {
    let install = || {
        let mut command = apt();
        process::output(
            command
                .args(["install", "--yes", "--no-install-recommends"])
                .args(packages),
        )
    };
    if install().is_err() {
        process::output(apt().arg("update"))?;
        install()?;
    }
    Ok(())
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_debian() -> bool {
    Path::new("/etc/debian_version").exists()
}

fn is_root() -> bool {
    env::consts::FAMILY == "unix"
        && process::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_names_every_missing_part() {
        let message = message(&[Need::Toolchain, Need::Wine], Apt::Absent);
        assert!(
            message.contains("rustup toolchain install nightly --component rust-src"),
            "{message}"
        );
        assert!(message.contains("Wine"), "{message}");
        assert!(!message.contains("apt-get"), "{message}");
    }

    #[test]
    fn on_debian_the_message_holds_the_exact_apt_line() {
        let needs = [Need::Toolchain, Need::Clippy, Need::HostClippy];
        let message = message(&needs, Apt::Advised);
        assert!(
            message.ends_with("apt-get install rustc-web cargo-web rust-web-src rust-web-clippy"),
            "{message}"
        );
    }

    #[test]
    fn what_apt_could_not_satisfy_is_not_advised_again() {
        let message = message(&[Need::Npm], Apt::Done);
        assert!(!message.contains("apt-get"), "{message}");
        assert!(message.contains("Node.js 20 or later"), "{message}");
        assert!(
            message.contains("apt has installed nodejs npm,"),
            "{message}"
        );
    }
}
