//! Embeds the native images, one for each machine, when `BOOTSHOT_IMAGES` names the folder that holds them.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Folder below `BOOTSHOT_IMAGES`, and the `image_gate::Machine` its image is for.
const MACHINES: [(&str, &str); 3] = [("x86_64", "X64"), ("x86", "X86"), ("aarch64", "Arm64")];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
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

    let generated =
        PathBuf::from(env::var_os("OUT_DIR").expect("set by Cargo")).join("embedded.rs");
    fs::write(generated, source).expect("OUT_DIR can be written");
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
