//! The snapshots of the fleet are as sound as those they are made from.

use std::collections::BTreeSet;

use bootshot_reader::verify::verify;
use fleet::draft::Draft;
use fleet::outliers::DriverOutlier;
use fleet::{FEWEST_MACHINES, Fleet, Templates};

const GOLDEN: [&[u8]; 3] = [
    include_bytes!("../../reader/golden/v1-wine8-x64-bootexecute.bshot"),
    include_bytes!("../../reader/golden/v1-wine8-x64-setupexecute.bshot"),
    include_bytes!("../../reader/golden/v1-wine8-x64-live.bshot"),
];

/// What is wrong with a snapshot, by the kind of the finding and what it is about.
fn findings(file: &[u8]) -> BTreeSet<(String, String)> {
    let verification = verify(file).expect("it is a snapshot");
    let findings = verification.findings.iter();
    findings
        .map(|finding| (finding.id.to_string(), finding.subject.to_string()))
        .collect()
}

#[test]
fn what_is_not_changed_is_written_as_it_was() {
    for golden in GOLDEN {
        let written = Draft::take_apart(golden).unwrap().write();
        let answers = |file: &[u8]| {
            let snapshot = bootshot_reader::Snapshot::parse(file).unwrap();
            let answers: Vec<String> = snapshot.answers().map(|one| format!("{one:?}")).collect();
            (snapshot.header, snapshot.trailer, answers)
        };
        let (before, after) = (answers(golden), answers(&written));
        let differs = before
            .2
            .iter()
            .zip(&after.2)
            .position(|(before, after)| before != after);
        assert_eq!(differs, None, "{:?}", differs.map(|place| &before.2[place]));
        assert!(before == after);
    }
}

#[test]
fn every_snapshot_is_whole_and_contradicts_itself_no_more_than_the_golden_ones() {
    let golden: BTreeSet<_> = GOLDEN.into_iter().flat_map(findings).collect();
    let templates = Templates::golden();
    for machine in Fleet::new(7, FEWEST_MACHINES).machines() {
        for file in templates.snapshots(machine) {
            let verification = verify(&file.bytes).unwrap();
            assert_eq!(verification.damage, [], "{} {}", machine.name, file.name);
            let mut more: BTreeSet<_> =
                findings(&file.bytes).difference(&golden).cloned().collect();
            let planted = ("driver-without-module".into(), r"\Driver\hiddendisk".into());
            let is_planted = machine.driver == Some(DriverOutlier::WithoutModule);
            assert_eq!(
                more.remove(&planted),
                is_planted,
                "{} {}",
                machine.name,
                file.name
            );
            assert_eq!(more, BTreeSet::new(), "{} {}", machine.name, file.name);
        }
    }
}
