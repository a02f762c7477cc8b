//! `salvage`, run as people run it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use bootshot_reader::Snapshot;
use test_snapshots::Builder;

fn salvage(path: &Path, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bootshotctl"))
        .arg("salvage")
        .arg(path)
        .args(options)
        .output()
        .expect("it starts")
}

fn said(output: &Output) -> String {
    let said = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8(said).expect("UTF-8")
}

#[test]
fn the_file_of_an_interrupted_run_becomes_a_snapshot_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder
        .path()
        .join("00000001-20260102T030405Z-bootexecute.tmp");
    let mut file = Builder::recorded_x64().unfinished();
    file.truncate(file.len() - 100);
    fs::write(&path, &file).unwrap();
    let output = salvage(&path, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("torn"), "{}", said(&output));
    let salvaged = fs::read(path.with_extension("salvaged.bshot")).unwrap();
    let snapshot = Snapshot::parse(&salvaged).unwrap();
    assert_eq!(snapshot.problems, []);
    assert_eq!(snapshot.processes().value.len(), 4);
    assert_eq!(fs::read(&path).unwrap(), file, "the old file is left alone");

    let again = salvage(&path, &[]);
    assert_eq!(again.status.code(), Some(3), "it is not overwritten");
    assert_eq!(
        fs::read(path.with_extension("salvaged.bshot")).unwrap(),
        salvaged
    );
}

#[test]
fn a_whole_snapshot_is_a_no_and_a_foreign_file_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bshot");
    for (file, code, reason) in [
        (Builder::recorded_x86().finish(), 1, "nothing to do"),
        (
            b"something else altogether".to_vec(),
            3,
            "not a bootshot snapshot",
        ),
        (
            Builder::recorded_x86().finish()[..300].to_vec(),
            1,
            "no section is left",
        ),
    ] {
        fs::write(&path, file).unwrap();
        let output = salvage(&path, &["-o", folder.path().join("out").to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(code));
        assert!(said(&output).contains(reason), "{}", said(&output));
        assert!(!folder.path().join("out").exists());
    }
}
