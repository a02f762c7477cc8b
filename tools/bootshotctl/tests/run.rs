//! `run` where this is not Windows: how Wine's loader is started. A script stands in for it.

#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use nix::sys::personality::{self, Persona};

#[path = "support/image.rs"]
#[expect(dead_code, reason = "others need more of it")]
mod image;

#[test]
fn wine_is_started_at_fixed_addresses_where_the_system_lets_us() {
    let folder = tempfile::tempdir().unwrap();
    let loader = folder.path().join("wine64");
    fs::write(&loader, "#!/bin/sh\ncat /proc/self/personality\n").unwrap();
    fs::set_permissions(&loader, fs::Permissions::from_mode(0o755)).unwrap();
    let native = folder.path().join("native.exe");
    fs::write(&native, image::ending(image::NATIVE, 0, b"")).unwrap();

    let output = Command::new(env!("CARGO_BIN_EXE_bootshotctl"))
        .arg("run")
        .arg(&native)
        .env("WINELOADER", &loader)
        .output()
        .unwrap();

    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let persona = i32::from_str_radix(text.trim(), 16).unwrap();
    let random = persona & Persona::ADDR_NO_RANDOMIZE.bits() == 0;
    // Last, since it holds for this thread and all that it starts.
    let refused = personality::set(Persona::ADDR_NO_RANDOMIZE).is_err();
    assert_eq!(random, refused, "{text}");
}
