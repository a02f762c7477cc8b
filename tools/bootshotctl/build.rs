//! Embeds what is built before the companion: the native images, one for each machine, when `BOOTSHOT_IMAGES` names the
//! folder that holds them, and the page of `report` when `BOOTSHOT_REPORT_PAGE` names it.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Folder below `BOOTSHOT_IMAGES`, and the `image_gate::Machine` its image is for.
const MACHINES: [(&str, &str); 3] = [("x86_64", "X64"), ("x86", "X86"), ("aarch64", "Arm64")];

/// Where in the page a snapshot goes; tools/report-page/build.mjs has the same.
const SNAPSHOT_MARKER: &str = "BOOTSHOT_SNAPSHOT";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    images();
    report_page();
}

fn images() {
    println!("cargo::rerun-if-env-changed=BOOTSHOT_IMAGES");
    let mut source = String::from("const EMBEDDED: &[(Machine, &[u8])] = &[");
    if let Some(folder) = env::var_os("BOOTSHOT_IMAGES") {
        for (name, machine) in MACHINES {
            let image = image(Path::new(&folder), name);
            println!("cargo::rerun-if-changed={}", image.display());
            let _ = write!(source, "(Machine::{machine}, include_bytes!({image:?})),");
        }
    }
    source.push_str("];");

    generate("embedded.rs", &source);
}

fn image(folder: &Path, name: &str) -> PathBuf {
    let image = folder.join(name).join("bootshot.exe");
    image.canonicalize().unwrap_or_else(|error| {
        panic!(
            "BOOTSHOT_IMAGES names {}, but {}: {error}; run `cargo xtask build` first or unset it",
            folder.display(),
            image.display()
        )
    })
}

fn report_page() {
    println!("cargo::rerun-if-env-changed=BOOTSHOT_REPORT_PAGE");
    let mut source = String::from("const PAGE: Option<Page> = None;");
    if let Some(path) = env::var_os("BOOTSHOT_REPORT_PAGE") {
        let path = PathBuf::from(path);
        println!("cargo::rerun-if-changed={}", path.display());
        let page = fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!(
                "BOOTSHOT_REPORT_PAGE names {}: {error}; build it in tools/report-page, or unset it",
                path.display()
            )
        });
        let parts: Vec<&str> = page.split(SNAPSHOT_MARKER).collect();
        let [before, behind] = parts[..] else {
            panic!("{} does not hold {SNAPSHOT_MARKER} once", path.display());
        };
        source = format!("const PAGE: Option<Page> = Some(({before:?}, {behind:?}));");
    }
    generate("report_page.rs", &source);
}

/// Writes a file for the program to include.
fn generate(name: &str, source: &str) {
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("set by Cargo"));
    fs::write(folder.join(name), source).expect("OUT_DIR can be written");
}
