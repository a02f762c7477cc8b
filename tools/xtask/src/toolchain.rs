//! Finds a Rust toolchain that has the sources of its library, and calls it without what the host's Cargo left in the
//! environment.

use std::cmp::Reverse;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{link, process, workspace};

/// Variables of Cargo that say how to reach crates, how to talk to a person, how to work, and nothing about what is built.
const KEPT_CARGO_VARIABLES: &[&str] = &[
    "CARGO_BUILD_JOBS",
    "CARGO_HOME",
    "CARGO_HTTP_",
    "CARGO_INCREMENTAL",
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CARGO_TERM_",
];

/// One installed toolchain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    sysroot: PathBuf,
    host: String,
    version: Version,
    nightly: bool,
    commit: String,
    /// Whether its folder holds what `-Zbuild-std` compiles.
    has_sources: bool,
}

/// Major and minor: what decides whether a compiler is new enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32);

impl Version {
    /// Reads `1.96.0`, `1.95` or `1.97.0-nightly`.
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(['.', '-']);
        Some(Self(
            numbers.next()?.parse().ok()?,
            numbers.next()?.parse().ok()?,
        ))
    }

    /// What the manifests ask for.
    fn required() -> Self {
        Self::parse(env!("CARGO_PKG_RUST_VERSION")).expect("Cargo checks `rust-version`")
    }
}

impl Toolchain {
    /// The toolchain for everything that runs on Windows, if there is one.
    pub fn find() -> Option<Self> {
        choose(installed())
    }

    /// Asks `rustc` what it is and where its files are.
    fn ask(rustc: &Path) -> Option<Self> {
        let version = process::output(Command::new(rustc).arg("-vV")).ok()?;
        let sysroot = process::output(Command::new(rustc).args(["--print", "sysroot"])).ok()?;
        let sysroot = PathBuf::from(sysroot.trim());
        let has_sources = library(&sysroot).join("core").join("Cargo.toml").is_file();
        Self::from_answers(&version, sysroot, has_sources)
    }

    /// `version` is what `rustc -vV` prints.
    fn from_answers(version: &str, sysroot: PathBuf, has_sources: bool) -> Option<Self> {
        let field = |name: &str| {
            version
                .lines()
                .find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()))
        };
        let release = field("release")?;
        Some(Self {
            host: field("host")?,
            version: Version::parse(&release)?,
            nightly: release.contains("nightly"),
            commit: field("commit-hash")
                .filter(|hash| hash != "unknown")
                .unwrap_or(release),
            sysroot,
            has_sources,
        })
    }

    fn program(&self, name: &str) -> PathBuf {
        self.sysroot
            .join("bin")
            .join(name)
            .with_added_extension(env::consts::EXE_EXTENSION)
    }

    /// Whether clippy came with this toolchain.
    pub fn has_clippy(&self) -> bool {
        self.program("cargo-clippy").is_file()
    }

    /// What a person types to get clippy for it, where it is not Debian's.
    pub fn clippy_line(&self) -> String {
        let name = self
            .sysroot
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        format!("rustup component add clippy --toolchain {name}")
    }

    /// lld, which links the PE images without an SDK: this toolchain's, another one's, or the system's.
    pub fn lld(&self) -> Option<PathBuf> {
        std::iter::once(self.clone())
            .chain(installed())
            .map(|toolchain| {
                let tools = toolchain
                    .sysroot
                    .join("lib/rustlib")
                    .join(&toolchain.host)
                    .join("bin");
                tools
                    .join("rust-lld")
                    .with_added_extension(env::consts::EXE_EXTENSION)
            })
            .find(|lld| lld.is_file())
            .or_else(|| process::on_path("lld-link"))
    }

    /// `cargo SUBCOMMAND --locked` of this toolchain, in its own target folder, with the paths of this machine kept out
    /// of what it makes.
    pub fn cargo(&self, subcommand: &str) -> Result<Command> {
        let mut command = Command::new(self.program("cargo"));
        self.prepare(&mut command)?;
        command.args([subcommand, "--locked", "--target-dir"]);
        command.arg(workspace::native_target());
        Ok(command)
    }

    /// `cargo clippy --locked` of this toolchain; its own program, since rustup's knows nothing of a distribution's.
    pub fn clippy(&self) -> Result<Command> {
        let mut command = Command::new(self.program("cargo-clippy"));
        self.prepare(&mut command)?;
        command.env("CARGO", self.program("cargo"));
        command.args(["clippy", "--locked", "--target-dir"]);
        command.arg(workspace::native_target());
        Ok(command)
    }

    fn prepare(&self, command: &mut Command) -> Result<()> {
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(belongs_to_another_toolchain) {
                command.env_remove(name);
            }
        }
        command
            .current_dir(workspace::root())
            .env(
                "PATH",
                process::path_starting_with(self.sysroot.join("bin"))?,
            )
            .env("RUSTC", self.program("rustc"))
            // Or else `winapi` brings import libraries of its own for GNU ld.
            .env("WINAPI_NO_BUNDLED_LIBRARIES", "1");
        link::set_linkers(command, self)?;
        self.set_flags(command, &[]);
        if !self.nightly {
            // `-Zbuild-std` on a compiler that its distribution calls stable.
            command.env("RUSTC_BOOTSTRAP", "1");
        }
        Ok(())
    }

    /// Makes `command` compile with the flags of every build and `more`.
    pub fn set_flags(&self, command: &mut Command, more: &[&str]) {
        let mut flags = self.flags();
        flags.extend(more.iter().map(|flag| (*flag).to_owned()));
        command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    }

    fn flags(&self) -> Vec<String> {
        // For GNU ld a crate is one section unless told otherwise, and then `--gc-sections` keeps all of
        // `compiler_builtins` for the one function that is called: 25 KB.
        let mut flags = vec!["-Zfunction-sections=yes".to_owned()];
        flags.extend(path_remappings());
        // Debuggers look the library up by commit.
        flags.push(remapping(
            &sources(&self.sysroot),
            &format!("/rustc/{}", self.commit),
        ));
        flags
    }
}

/// Compiler flags that keep this machine's folders out of panic locations and debug information. The last one that fits
/// a path counts.
pub fn path_remappings() -> Vec<String> {
    let mut flags = vec![
        remapping(workspace::root(), "/bootshot"),
        remapping(&workspace::native_target(), link::PLACE_IN_PDB),
    ];
    let registry = cargo_home().map(|home| home.join("registry").join("src"));
    let registries = registry.and_then(|folder| fs::read_dir(folder).ok());
    for folder in registries.into_iter().flatten().flatten() {
        flags.push(remapping(&folder.path(), "/crates"));
    }
    flags
}

fn remapping(from: &Path, to: &str) -> String {
    format!("--remap-path-prefix={}={to}", from.display())
}

/// What a person types where nothing may be installed for them.
pub fn rustup_line() -> &'static str {
    "rustup toolchain install nightly --component rust-src --component clippy"
}

/// The best of `candidates` that can build its own library: a nightly, where `-Zbuild-std` is at home, before a stable
/// one; then the newest.
fn choose(candidates: Vec<Toolchain>) -> Option<Toolchain> {
    candidates
        .into_iter()
        .filter(|toolchain| toolchain.has_sources && toolchain.version >= Version::required())
        .min_by_key(|toolchain| Reverse((toolchain.nightly, toolchain.version)))
}

/// Every toolchain that answers: rustup's, then those on the search path.
fn installed() -> Vec<Toolchain> {
    let rustup = env::var_os("RUSTUP_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(env::home_dir()?.join(".rustup")))
        .and_then(|home| fs::read_dir(home.join("toolchains")).ok())
        .into_iter()
        .flatten()
        .flatten()
        .map(|toolchain| toolchain.path().join("bin"));
    // Beside `rustup` there are only its proxies, which would start to download.
    let system = process::folders_on_path().filter(|folder| !has(folder, "rustup"));
    let mut toolchains = Vec::new();
    for folder in rustup.chain(system).filter(|folder| has(folder, "cargo")) {
        let rustc = folder
            .join("rustc")
            .with_added_extension(env::consts::EXE_EXTENSION);
        if let Some(toolchain) = Toolchain::ask(&rustc)
            && !toolchains.contains(&toolchain)
        {
            toolchains.push(toolchain);
        }
    }
    toolchains
}

fn has(folder: &Path, program: &str) -> bool {
    folder
        .join(program)
        .with_added_extension(env::consts::EXE_EXTENSION)
        .is_file()
}

fn sources(sysroot: &Path) -> PathBuf {
    let sources = sysroot.join("lib/rustlib/src/rust");
    // A distribution may have a link there, and the compiler names the files behind it.
    sources.canonicalize().unwrap_or(sources)
}

fn library(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib/src/rust/library")
}

fn cargo_home() -> Option<PathBuf> {
    match env::var_os("CARGO_HOME") {
        Some(home) => Some(home.into()),
        None => Some(env::home_dir()?.join(".cargo")),
    }
}

fn belongs_to_another_toolchain(variable: &str) -> bool {
    let names_a_compiler = ["RUSTC", "RUSTDOC", "RUSTFLAGS", "RUSTUP_"]
        .iter()
        .any(|prefix| variable.starts_with(prefix));
    let kept = KEPT_CARGO_VARIABLES
        .iter()
        .any(|prefix| variable.starts_with(prefix));
    names_a_compiler || (variable.starts_with("CARGO") && !kept)
}

/// The environment variable of Cargo's setting for `target`.
pub fn target_variable(target: &str, setting: &str) -> String {
    let target = target.to_uppercase().replace('-', "_");
    format!("CARGO_TARGET_{target}_{setting}")
}

/// The toolchain, after `setup` has seen that there is one.
pub fn required() -> Result<Toolchain> {
    Toolchain::find().context("the Rust toolchain that was found a moment ago is gone")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(release: &str, sysroot: &str, has_sources: bool) -> Toolchain {
        let version =
            format!("rustc {release}\nhost: x86_64-unknown-linux-gnu\nrelease: {release}\n");
        Toolchain::from_answers(&version, sysroot.into(), has_sources)
            .expect("a well-formed answer")
    }

    #[test]
    fn a_toolchain_without_sources_is_not_chosen() {
        let nightly = candidate("1.97.0-nightly", "/rustup/nightly", false);
        let system = candidate("1.96.0", "/usr", true);
        assert_eq!(choose(vec![nightly.clone(), system.clone()]), Some(system));
        assert_eq!(choose(vec![nightly]), None);
    }

    #[test]
    fn a_nightly_with_sources_is_preferred_even_if_older() {
        let nightly = candidate("1.96.0-nightly", "/rustup/nightly", true);
        let system = candidate("1.97.0", "/usr", true);
        assert_eq!(choose(vec![system, nightly.clone()]), Some(nightly));
    }

    #[test]
    fn a_compiler_older_than_the_manifests_ask_for_is_not_chosen() {
        assert_eq!(choose(vec![candidate("1.63.0", "/usr", true)]), None);
    }

    #[test]
    fn the_newest_of_equals_is_chosen() {
        let older = candidate("1.99.0", "/a", true);
        let newer = candidate("1.100.0", "/b", true);
        assert_eq!(choose(vec![older, newer.clone()]), Some(newer));
    }

    #[test]
    fn an_answer_that_is_not_rustc_s_is_no_toolchain() {
        assert_eq!(Toolchain::from_answers("hello", "/usr".into(), true), None);
    }

    #[test]
    fn the_compiler_s_settings_are_removed_and_the_network_s_kept() {
        for removed in [
            "CARGO",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_MANIFEST_DIR",
            "CARGO_PROFILE_RELEASE_LTO",
            "CARGO_TARGET_DIR",
            "RUSTC_WRAPPER",
            "RUSTFLAGS",
            "RUSTUP_TOOLCHAIN",
        ] {
            assert!(belongs_to_another_toolchain(removed), "{removed}");
        }
        for kept in [
            "CARGO_HOME",
            "CARGO_HTTP_PROXY",
            "CARGO_NET_OFFLINE",
            "PATH",
            "RUST_BACKTRACE",
        ] {
            assert!(!belongs_to_another_toolchain(kept), "{kept}");
        }
    }

    #[test]
    fn settings_of_a_target_are_spelt_as_cargo_reads_them() {
        assert_eq!(
            target_variable("x86_64-pc-windows-msvc", "LINKER"),
            "CARGO_TARGET_X86_64_PC_WINDOWS_MSVC_LINKER"
        );
    }
}
