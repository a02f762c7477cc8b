//! How each rung is linked: what the sources cannot say.

use std::env;
use std::error::Error;
use std::fs;
use std::io::Cursor;
use std::path::Path;

use implib::{Flavor, ImportLibrary, MachineType};
use ntdll_lib::{Flavour, Machine};

/// What the rungs below the C runtime want of kernel32.
const KERNEL32: &str = "\
LIBRARY kernel32.dll
EXPORTS
    ExitProcess
    GetCurrentProcessId
    GetModuleHandleA
    GetProcAddress
    GetStdHandle
    WriteFile
";

/// Of every rung without a runtime: constants, imports and unwind data go into `.text`, so that there is one section.
// ANCHOR: bare
const BARE: &[&str] = &[
    "/NODEFAULTLIB",
    "/ENTRY:start",
    "/DYNAMICBASE",
    "/NXCOMPAT",
    "/BREPRO",
    "/DEBUG:NONE",
    "/MERGE:.rdata=.text",
    "/MERGE:.pdata=.text",
];
// ANCHOR_END: bare

/// And of the squeezed one: no address space layout randomisation, so no relocations; sections next to each other in
/// the file as in memory.
// ANCHOR: squeezed
const SQUEEZED: &[&str] = &["/FIXED", "/DYNAMICBASE:NO", "/ALIGN:16", "/FILEALIGN:16"];
// ANCHOR_END: squeezed

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_BARE").is_none() || env::var("CARGO_CFG_TARGET_OS")? != "windows"
    {
        return Ok(());
    }
    let out_dir = env::var("OUT_DIR")?;
    let folder = Path::new(&out_dir);
    println!("cargo::rustc-link-search=native={out_dir}");
    fs::write(
        folder.join("ntdll.lib"),
        ntdll_lib::import_library(Machine::X64, Flavour::Msvc),
    )?;
    let mut kernel32 = Cursor::new(Vec::new());
    ImportLibrary::new(KERNEL32, MachineType::AMD64, Flavor::Msvc)?.write_to(&mut kernel32)?;
    fs::write(folder.join("kernel32.lib"), kernel32.into_inner())?;

    for rung in ["kernel32", "looked_up", "import_library", "peb"] {
        link(rung, BARE);
        link(rung, &["/SUBSYSTEM:CONSOLE"]);
    }
    for rung in ["native", "squeezed"] {
        link(rung, BARE);
        link(rung, &["/SUBSYSTEM:NATIVE"]);
    }
    link("squeezed", SQUEEZED);
    Ok(())
}

fn link(rung: &str, arguments: &[&str]) {
    for argument in arguments {
        println!("cargo::rustc-link-arg-bin={rung}={argument}");
    }
}
