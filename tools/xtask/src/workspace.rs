//! Where the parts of the checkout are.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process::{host_cargo, output};

/// The folder of the workspace.
pub fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest
        .ancestors()
        .nth(2)
        .expect("xtask stands two folders below the workspace")
}

/// The target folder of the host's builds.
pub fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// The target folder of the builds for Windows: they use another compiler, and two compilers in one folder would undo
/// each other's work.
pub fn native_target() -> PathBuf {
    target().join("native")
}

/// Where the release files go, whatever the target folder is.
pub fn dist() -> PathBuf {
    root().join("target").join("dist")
}

/// The names of the packages, as Cargo has them.
pub fn packages() -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
    }
    let said = output(host_cargo("metadata").args(["--no-deps", "--format-version=1"]))?;
    let metadata: Metadata =
        serde_json::from_str(&said).context("`cargo metadata` said something else")?;
    let names = metadata.packages.into_iter().map(|package| package.name);
    Ok(names.collect())
}

/// `path` as a person in the workspace would type it.
pub fn display(path: &Path) -> std::path::Display<'_> {
    path.strip_prefix(root()).unwrap_or(path).display()
}
