//! Gives the native executable its link arguments and the import library of ntdll, for both linkers.

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;

use ntdll_lib::{Flavour, Machine};

/// What smss runs; `lld-link` knows the stdcall decoration of the name on x86.
const ENTRY: &str = "NtProcessStartup";

/// Reserved and committed: a system call that writes to a stack page never touched before fails instead of growing the
/// stack, so the whole stack is there from the start. In bytes, 256 KiB.
const STACK: &str = "0x40000,0x40000";

/// Libraries that `winapi` (below `ntapi`) asks for. They are empty here: then nothing but ntdll *can* be imported.
const UNUSED_BY_WINAPI: &[&str] = &["advapi32", "credui", "kernel32", "secur32"];

/// Libraries that rustc names on every command line for GNU ld; empty for the same reason.
const UNUSED_BY_RUSTC_GNU: &[&str] = &[
    "gcc",
    "gcc_eh",
    "mingw32",
    "mingwex",
    "msvcrt",
    "pthread",
    "ssp",
    "ssp_nonshared",
    "user32",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=linker.ld");
    println!("cargo::rerun-if-env-changed=BOOTSHOT_MAPS");
    if env::var_os("CARGO_FEATURE_NATIVE").is_none()
        || env::var("CARGO_CFG_TARGET_OS")? != "windows"
    {
        return Ok(());
    }

    let flavour = match env::var("CARGO_CFG_TARGET_ENV")?.as_str() {
        "msvc" => Flavour::Msvc,
        _ => Flavour::Gnu,
    };
    write_libraries(flavour)?;
    for argument in link_arguments(flavour)? {
        println!("cargo::rustc-link-arg-bin=bootshot={argument}");
    }
    Ok(())
}

fn write_libraries(flavour: Flavour) -> Result<(), Box<dyn Error>> {
    let arch = env::var("CARGO_CFG_TARGET_ARCH")?;
    let machine = Machine::from_target_arch(&arch)
        .ok_or_else(|| format!("bootshot does not know ntdll for {arch}"))?;
    let out_dir = env::var("OUT_DIR")?;
    let write = |library: &str, bytes: Vec<u8>| {
        fs::write(
            Path::new(&out_dir).join(flavour.library_file_name(library)),
            bytes,
        )
    };
    let import_library = ntdll_lib::import_library(machine, flavour);
    println!("cargo::rustc-link-search=native={out_dir}");
    if env::var_os("CARGO_FEATURE_SIMULATE").is_some() {
        // Tests of the real kernel: the standard library wants the toolchain's own libraries, and those lack no more
        // than `sprintf_s`.
        println!("cargo::rustc-link-lib=bootshot-ntdll");
        write("bootshot-ntdll", import_library)?;
        return Ok(());
    }
    write("ntdll", import_library)?;
    let empty = match flavour {
        Flavour::Msvc => UNUSED_BY_WINAPI.to_vec(),
        Flavour::Gnu => [UNUSED_BY_WINAPI, UNUSED_BY_RUSTC_GNU].concat(),
    };
    for library in empty {
        write(library, ntdll_lib::empty_library())?;
    }
    Ok(())
}

fn link_arguments(flavour: Flavour) -> Result<Vec<String>, Box<dyn Error>> {
    // `cargo xtask` looks into the map for what must not be linked in.
    let map = env::var("BOOTSHOT_MAPS").ok().map(|folder| {
        Path::new(&folder)
            .join(env::var("TARGET").unwrap_or_default())
            .with_extension("map")
    });
    let arguments = match flavour {
        // Constants, imports and unwind data go into `.text`: that leaves `.text`, `.data` and `.reloc`, none of them
        // both writable and executable.
        Flavour::Msvc => [
            "/SUBSYSTEM:NATIVE",
            &format!("/ENTRY:{ENTRY}"),
            &format!("/STACK:{STACK}"),
            "/NODEFAULTLIB",
            "/DYNAMICBASE",
            "/NXCOMPAT",
            "/BREPRO",
            "/MERGE:.rdata=.text",
            "/MERGE:.pdata=.text",
        ]
        .map(String::from)
        .into_iter()
        .chain(map.map(|map| format!("/MAP:{}", map.display())))
        .collect(),
        Flavour::Gnu => {
            let script = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("linker.ld");
            [
                "-nostdlib",
                "-nostartfiles",
                &format!("-Wl,--entry={ENTRY}"),
                "-Wl,--subsystem=native:6.0",
                "-Wl,--nxcompat",
                "-Wl,--gc-sections",
                "-Wl,--no-insert-timestamp",
                "-Wl,--strip-all",
                // The names in the map, as the other linker has them.
                "-Wl,--no-demangle",
                // What may hold a comma, at which `-Wl,` splits.
                "-Xlinker",
                &format!("--stack={STACK}"),
                "-Xlinker",
                &format!("--script={}", script.display()),
            ]
            .map(String::from)
            .into_iter()
            .chain(
                map.into_iter()
                    .flat_map(|map| ["-Xlinker".into(), format!("-Map={}", map.display())]),
            )
            .collect()
        }
    };
    Ok(arguments)
}
