//! How the template is linked: no runtime, the native subsystem, and nothing to import from but ntdll.

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;

use ntdll_lib::{Flavour, Machine};

// ANCHOR: arguments
const ARGUMENTS: &[&str] = &[
    "/SUBSYSTEM:NATIVE",
    "/ENTRY:NtProcessStartup",
    "/NODEFAULTLIB",
    "/DYNAMICBASE",
    "/NXCOMPAT",
    "/BREPRO",
    // Reserved and committed: a system call may write to a stack page that was never touched.
    "/STACK:0x10000,0x10000",
    "/MERGE:.rdata=.text",
    "/MERGE:.pdata=.text",
];
// ANCHOR_END: arguments

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_NATIVE").is_none() {
        return Ok(());
    }
    // ANCHOR: library
    let folder = env::var("OUT_DIR")?;
    println!("cargo::rustc-link-search=native={folder}");
    let write = |library: &str, bytes: Vec<u8>| {
        let name = Flavour::Msvc.library_file_name(library);
        fs::write(Path::new(&folder).join(name), bytes)
    };
    let machine = Machine::from_target_arch(&env::var("CARGO_CFG_TARGET_ARCH")?)
        .ok_or("ntdll is not known for this machine")?;
    write("ntdll", ntdll_lib::import_library(machine, Flavour::Msvc))?;
    // ANCHOR_END: library
    // `winapi`, below `ntapi`, asks for these and uses none.
    for library in ["advapi32", "credui", "kernel32", "secur32"] {
        write(library, ntdll_lib::empty_library())?;
    }
    for argument in ARGUMENTS {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    Ok(())
}
