//! `verify`, run as people run it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use test_snapshots::{Builder, header};

fn verify(files: &[&Path], options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bootshotctl"))
        .arg("verify")
        .args(files)
        .args(options)
        .output()
        .expect("it starts")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("JSON")
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).expect("a temporary file");
        path
    }
}

/// A snapshot without a single answer.
fn clean() -> Vec<u8> {
    Builder::with_header(header(8)).finish()
}

#[test]
fn the_exit_code_is_that_of_the_worst_file() {
    let folder = Folder::new();
    let clean = folder.file("clean.bshot", &clean());
    let telling = folder.file("telling.bshot", &Builder::recorded_x86().finish());
    let mut bytes = Builder::recorded_x86().finish();
    bytes[5000] ^= 1;
    let damaged = folder.file("damaged.bshot", &bytes);
    bytes[100] ^= 1;
    let headless = folder.file("headless.bshot", &bytes);
    let foreign = folder.file("foreign.bshot", b"something else altogether");
    let absent = folder.0.path().join("absent.bshot");
    for (files, code) in [
        (&[&*clean][..], 0),
        (&[&clean, &telling], 1),
        (&[&damaged], 1),
        (&[&headless, &clean], 1),
        (&[&foreign, &clean], 3),
        (&[&absent, &damaged, &clean], 3),
    ] {
        for options in [&[][..], &["--json"]] {
            let output = verify(files, options);
            assert_eq!(output.status.code(), Some(code), "{files:?}: {output:?}");
        }
    }
    assert_eq!(verify(&[], &[]).status.code(), Some(2));
}

#[test]
fn json_tells_damage_and_findings_of_each_file() {
    let folder = Folder::new();
    // The digest of "abc" that FIPS 180 gives.
    let abc = folder.file("abc", b"abc");
    let mut bytes = Builder::recorded_x86().finish();
    let length = bytes.len();
    bytes[length - 1] ^= 1;
    let damaged = folder.file("damaged.bshot", &bytes);
    let told = json(&verify(&[&abc, &damaged], &["--json"]));
    assert_eq!(told[0]["file"], abc.to_str().unwrap());
    assert_eq!(
        told[0]["sha256"],
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_eq!(told[0]["sound"], false);
    assert_eq!(told[0]["error"], "not a bootshot snapshot");
    assert_eq!(told[1]["error"], Value::Null);
    assert_eq!(told[1]["sound"], false);
    assert_eq!(told[1]["damage"][0]["what"], "record payload");
    let finding = &told[1]["findings"][0];
    assert_eq!(finding["id"], "driver-without-module");
    assert_eq!(finding["subject"], "\\FileSystem\\fastfat");
    assert_eq!(finding["sections"].as_array().unwrap().len(), 2);
    assert!(finding["observation"].is_string() && finding["within"].is_u64());
    assert_eq!(told[1]["notes"][0]["id"], "handles-of-idle");
}

#[test]
fn text_tells_the_digest_the_state_and_every_finding() {
    let folder = Folder::new();
    let file = folder.file("a.bshot", &Builder::recorded_x86().finish());
    let output = verify(&[&file], &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "SHA-256",
        "state     sound",
        "findings  2",
        "boot-time",
        "driver-without-module",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
