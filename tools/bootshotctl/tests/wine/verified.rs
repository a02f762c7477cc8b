//! A real snapshot agrees with itself, and what is left of it after a cut is saved.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bootshot_format::{Header, Records};
use serde_json::Value;

use crate::machine::{Machine, said};

/// Snapshots taken until one has no finding.
const MOST_SNAPSHOTS: u32 = 40;
/// Between them.
const SETTLING: Duration = Duration::from_secs(1);

/// Runs the companion of this host; gives its exit code and its JSON.
fn verify(snapshot: &Path) -> (Option<i32>, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bootshotctl"));
    let said = said(command.args(["verify", "--json"]).arg(snapshot));
    let told = serde_json::from_str(&said.stdout).expect("JSON");
    (said.code, told)
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn a_real_snapshot_gives_no_finding() {
    let machine = Machine::fresh();
    let mut code = None;
    let mut told = Value::Null;
    // Wine's services start and end for a while, and with them what differs between two questions.
    for _ in 0..MOST_SNAPSHOTS {
        machine.must(&["run", "--", "phase=live", "keep=1"]);
        (code, told) = verify(&machine.snapshots()[0]);
        assert_eq!(told[0]["sound"], true, "{told:#}");
        let findings = told[0]["findings"].as_array().unwrap();
        assert!(
            findings.iter().all(|finding| finding["within"].is_u64()),
            "{told:#}"
        );
        if code == Some(0) {
            break;
        }
        std::thread::sleep(SETTLING);
    }
    assert_eq!(
        code,
        Some(0),
        "{MOST_SNAPSHOTS} snapshots, each with a finding: {told:#}"
    );
}

#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn a_real_snapshot_cut_in_an_answer_is_salvaged_and_sound() {
    let machine = Machine::fresh();
    machine.must(&["run", "--", "phase=live"]);
    let file = fs::read(&machine.snapshots()[0]).unwrap();
    let cut = machine.drive_c().join("cut.tmp");
    let salvaged = machine.drive_c().join("cut.salvaged.bshot");
    let _ = fs::remove_file(&salvaged);
    fs::write(&cut, &file[..within_the_longest_record(&file)]).unwrap();
    // The companion for Windows, where such files are.
    let text = machine.must(&["salvage", r"C:\cut.tmp"]);
    assert!(text.contains("torn"), "{text}");
    let (_, told) = verify(&salvaged);
    assert_eq!(told[0]["sound"], true, "{told:#}");
}

/// Where half of its longest record, which is one of an answer, ends.
fn within_the_longest_record(file: &[u8]) -> usize {
    let id = Header::open(file).unwrap().snapshot_id;
    let records = Records::new(file, id, Header::SIZE).map(|record| record.unwrap());
    let longest = records.max_by_key(|record| record.payload.len()).unwrap();
    longest.offset as usize + longest.payload.len() / 2
}
