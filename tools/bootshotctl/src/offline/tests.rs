//! Offline installations in temporary folders. Their hives are made by `hivexregedit`, from an empty one that has
//! nothing but its root key.

use std::process::Command;

use super::base_block::tests::{base_block, log_entry, seal};
use super::*;
use crate::commands::{install, status, uninstall};
use crate::entry::Entry;
use crate::error::Outcome;
use crate::lists::List;
use crate::recovery;
use crate::test_image::{NATIVE, WINDOWS_CONSOLE, ending};

const FOREIGN: [&str; 2] = ["autocheck autochk *", "grün /x"];

/// A volume with a Windows on it, spelled unlike anywhere else.
struct Volume(tempfile::TempDir);

impl Volume {
    /// With a kernel, but without a hive.
    fn without_hive() -> Self {
        let volume = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(volume.config()).unwrap();
        fs::write(
            volume.windows().join("system32/NTOSKRNL.EXE"),
            ending(NATIVE, 0, b""),
        )
        .unwrap();
        volume
    }

    /// With a hive that has two control sets, of which the second will be used.
    fn new() -> Self {
        let volume = Self::without_hive();
        fs::write(volume.hive(), empty_hive()).unwrap();
        volume.merge(
            "[\\Select]\n\"Current\"=dword:00000001\n\"Default\"=dword:00000002\n\n\
             [\\ControlSet001]\n\n[\\ControlSet001\\Control]\n\n[\\ControlSet001\\Control\\Session Manager]\n\
             \"BootExecute\"=hex(7):61,00,00,00,00,00\n\n\
             [\\ControlSet002]\n\n[\\ControlSet002\\Control]\n\n[\\ControlSet002\\Control\\Session Manager]\n\
             \"GlobalFlag\"=dword:00000000\n\"SetupExecute\"=hex(7):00,00\n\n\
             [\\ControlSet002\\Control\\Session Manager\\Environment]\n\
             \"Path\"=hex(2):25,00,53,00,79,00,73,00,74,00,65,00,6d,00,52,00,6f,00,6f,00,74,00,25,00,00,00\n",
        );
        let lists = Value::multi_sz(FOREIGN.map(Entry::from));
        volume
            .open()
            .set_value(List::BootExecute.value_name(), &lists)
            .unwrap();
        fs::remove_dir_all(volume.config().join("bootshot-backup-0001")).unwrap();
        volume
    }

    fn windows(&self) -> PathBuf {
        self.0.path().join("WINDOWS")
    }

    fn config(&self) -> PathBuf {
        self.windows().join("system32/Config")
    }

    fn hive(&self) -> PathBuf {
        self.config().join("system")
    }

    fn merge(&self, text: &str) {
        let file = self.0.path().join("merged.reg");
        fs::write(
            &file,
            format!("Windows Registry Editor Version 5.00\n\n{text}"),
        )
        .unwrap();
        let done = Command::new("hivexregedit")
            .arg("--merge")
            .args([&self.hive(), &file])
            .status()
            .expect("hivexregedit runs");
        assert!(done.success());
        fs::remove_file(file).unwrap();
    }

    fn exported(&self) -> String {
        let output = Command::new("hivexregedit")
            .arg("--export")
            .arg(self.hive())
            .arg("\\")
            .output()
            .expect("hivexregedit runs");
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    fn open(&self) -> Offline {
        Offline::open(self.0.path()).expect("an installation")
    }

    fn refusal(&self) -> String {
        match Offline::open(self.0.path()) {
            Ok(_) => panic!("a refusal"),
            Err(error) => error.to_string(),
        }
    }

    fn list(&self, list: List) -> Option<Vec<String>> {
        let current = Current::read(&self.open(), list).unwrap();
        current.value.as_ref()?;
        Some(current.entries().iter().map(Entry::to_string).collect())
    }

    fn install(&self, arguments: &[&str]) -> Result<String, Error> {
        install::tests::install_with(&self.open(), arguments)
    }

    fn uninstall(&self) -> String {
        uninstall::tests::uninstall_from(&self.open()).unwrap()
    }
}

/// A hive with nothing but a root key and its security descriptor, built after the description of the format.
fn empty_hive() -> Vec<u8> {
    const ROOT: u32 = 0x20;
    const NOWHERE: u32 = u32::MAX;
    let cell = |content: &[u8]| {
        let size = (content.len() + 4).next_multiple_of(8);
        let mut cell = (-(size as i32)).to_le_bytes().to_vec();
        cell.extend(content);
        cell.resize(size, 0);
        cell
    };
    let key = |security: u32| {
        // Root of its hive, not to be deleted, name in ASCII.
        let mut key = b"nk\x2c\0".to_vec();
        key.extend([0; 8]);
        for number in [
            0, NOWHERE, 0, 0, NOWHERE, NOWHERE, 0, NOWHERE, security, NOWHERE, 0, 0, 0, 0, 0,
        ] {
            key.extend(u32::to_le_bytes(number));
        }
        key.extend([6, 0, 0, 0]);
        key.extend(b"SYSTEM");
        cell(&key)
    };
    let place = ROOT + key(0).len() as u32;
    // Self-relative, with a null DACL.
    let descriptor: [u32; 5] = [1 | 0x8004 << 16, 0, 0, 0, 0];
    let mut security = b"sk\0\0".to_vec();
    for number in [place, place, 1, 20].into_iter().chain(descriptor) {
        security.extend(u32::to_le_bytes(number));
    }
    let mut bin = b"hbin".to_vec();
    for number in [0, 0x1000, 0, 0, 0, 0, 0] {
        bin.extend(u32::to_le_bytes(number));
    }
    bin.extend(key(place));
    bin.extend(cell(&security));
    let free = 0x1000 - bin.len() as u32;
    bin.extend(free.to_le_bytes());
    bin.resize(0x1000, 0);

    let mut file = base_block([1, 1], 1, 0);
    for (offset, number) in [
        (20, 1u32),
        (24, 3),
        (32, 1),
        (36, ROOT),
        (40, 0x1000),
        (44, 1),
    ] {
        file[offset..offset + 4].copy_from_slice(&number.to_le_bytes());
    }
    seal(&mut file);
    file.resize(0x1000, 0);
    file.extend(bin);
    file
}

#[test]
fn a_folder_without_windows_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let error = windows_in(folder.path()).unwrap_err().to_string();
    assert!(error.contains("there is no Windows"), "{error}");
    assert!(Offline::open(&folder.path().join("missing")).is_err());
}

#[test]
fn names_are_found_in_any_case_and_the_exact_one_first() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("System"), b"").unwrap();
    let found = |name| find(folder.path(), name).unwrap();
    assert_eq!(found("SYSTEM"), Some(folder.path().join("System")));
    fs::write(folder.path().join("SYSTEM"), b"").unwrap();
    assert_eq!(found("SYSTEM"), Some(folder.path().join("SYSTEM")));
    assert_eq!(found("System"), Some(folder.path().join("System")));
    assert_eq!(found("other"), None);
}

#[test]
fn a_hibernated_system_is_refused() {
    let volume = Volume::without_hive();
    let file = volume.0.path().join("Hiberfil.sys");
    for resting in [&[][..], &[0; 4096], b"wake\x01", b"WAKE"] {
        fs::write(&file, resting).unwrap();
        refuse_hibernated(&volume.windows()).unwrap();
    }
    for live in [&b"HIBR"[..], b"hibr\0\0", b"RSTR", b"\x01"] {
        fs::write(&file, live).unwrap();
        let refusal = refuse_hibernated(&volume.windows())
            .unwrap_err()
            .to_string();
        assert!(refusal.contains("hibernated"), "{refusal}");
    }
}

#[test]
fn a_file_that_is_no_clean_hive_is_refused_with_the_reason() {
    let volume = Volume::without_hive();
    let mut damaged = empty_hive();
    damaged[40] ^= 1;
    for (hive, reason) in [
        (b"MZ".to_vec(), "too short"),
        (vec![0; 8192], "no \"regf\""),
        (damaged, "base block is damaged"),
        (base_block([2, 1], 1, 0), "sequence numbers are 2 and 1"),
        (base_block([1, 1], 1, 1), "file of type 1"),
    ] {
        fs::write(volume.hive(), hive).unwrap();
        let refusal = volume.refusal();
        assert!(refusal.contains(reason), "{refusal}");
    }
}

#[test]
fn a_hive_with_a_newer_log_is_refused() {
    let volume = Volume::without_hive();
    fs::write(volume.hive(), empty_hive()).unwrap();
    let mut with_entry = base_block([1, 1], 1, 6);
    with_entry.extend(log_entry(1));
    for name in ["SYSTEM.LOG1", "system.log2"] {
        let log = volume.config().join(name);
        for newer in [base_block([2, 2], 1, 6), with_entry.clone()] {
            fs::write(&log, newer).unwrap();
            let refusal = volume.refusal();
            assert!(refusal.contains("logs is newer"), "{refusal}");
        }
        fs::remove_file(log).unwrap();
    }
}

#[test]
#[ignore = "needs hivexregedit: run by cargo xtask test"]
fn installed_and_uninstalled_the_hive_says_what_it_said_before() {
    for folder in ["", "WINDOWS"] {
        let volume = Volume::new();
        let before = volume.exported();
        let system = Offline::open(&volume.0.path().join(folder)).unwrap();
        let printed =
            install::tests::install_with(&system, &["--phase", "both", "--safe-mode"]).unwrap();
        assert!(printed.contains("bootshot-backup-0001"), "{printed}");
        assert_eq!(
            volume.list(List::BootExecute).unwrap(),
            [
                FOREIGN[0],
                FOREIGN[1],
                "bootshot phase=bootexecute safemode=run"
            ]
        );
        assert_eq!(
            volume.list(List::SetupExecute).unwrap(),
            ["bootshot phase=setupexecute safemode=run"]
        );
        assert_eq!(
            fs::read(volume.windows().join("system32/bootshot.exe")).unwrap(),
            install::tests::our_image()
        );
        // The control set that is not going to be used is as it was.
        assert!(volume.exported().contains("[\\ControlSet001\\Control\\Session Manager]\n\"BootExecute\"=hex(7):61,00,00,00,00,00\n"));

        volume.uninstall();
        assert_eq!(volume.exported(), before);
        assert!(!volume.windows().join("system32/bootshot.exe").exists());
        assert!(!volume.config().join("system.bootshot-new").exists());
    }
}

#[test]
#[ignore = "needs hivexregedit: run by cargo xtask test"]
fn twice_is_as_good_as_once() {
    let volume = Volume::new();
    volume.install(&[]).unwrap();
    let hive = fs::read(volume.hive()).unwrap();
    let printed = volume.install(&[]).unwrap();
    assert!(printed.contains("registered already"), "{printed}");
    assert_eq!(fs::read(volume.hive()).unwrap(), hive);
}

#[test]
#[ignore = "needs hivexregedit: run by cargo xtask test"]
fn the_copy_is_of_the_hive_and_its_logs_as_they_were() {
    let volume = Volume::new();
    let log = base_block([1, 1], 1, 6);
    fs::write(volume.config().join("SYSTEM.log1"), &log).unwrap();
    let hive = fs::read(volume.hive()).unwrap();
    volume.install(&["--phase", "both"]).unwrap();
    let copies = volume.config().join("bootshot-backup-0001");
    assert_eq!(fs::read(copies.join("SYSTEM")).unwrap(), hive);
    assert_eq!(fs::read(copies.join("SYSTEM.LOG1")).unwrap(), log);
    assert!(!volume.config().join("bootshot-backup-0002").exists());
}

#[test]
#[ignore = "needs hivexregedit: run by cargo xtask test"]
fn a_change_counts_up_so_that_old_logs_stay_old() {
    let volume = Volume::new();
    let sequence = |hive: Vec<u8>| u32::from_le_bytes(*hive[4..].first_chunk().unwrap());
    let before = sequence(fs::read(volume.hive()).unwrap());
    volume.install(&[]).unwrap();
    assert!(sequence(fs::read(volume.hive()).unwrap()) > before);
}

#[test]
#[ignore = "needs hivexregedit: run by cargo xtask test"]
fn a_hive_that_becomes_dirty_in_between_is_not_written() {
    let volume = Volume::new();
    let system = volume.open();
    let mut hive = fs::read(volume.hive()).unwrap();
    hive[4] += 1;
    seal(&mut hive);
    fs::write(volume.hive(), &hive).unwrap();
    let refusal = install::tests::install_with(&system, &[])
        .unwrap_err()
        .to_string();
    assert!(refusal.contains("it is dirty"), "{refusal}");
    assert_eq!(fs::read(volume.hive()).unwrap(), hive);
}

#[test]
#[ignore = "needs hivexregedit: run by cargo xtask test"]
fn a_change_by_another_program_in_between_is_noticed() {
    let volume = Volume::new();
    let system = volume.open();
    let change = Current::read(&system, List::BootExecute)
        .unwrap()
        .change(Some(&Entry::from("bootshot")))
        .unwrap()
        .unwrap();
    let theirs = Value::multi_sz(["x"].map(Entry::from));
    volume.open().set_value("BootExecute", &theirs).unwrap();
    let refusal = change.apply(&system).unwrap_err().to_string();
    assert!(refusal.contains("another program"), "{refusal}");
    assert_eq!(volume.list(List::BootExecute).unwrap(), ["x"]);
}

#[test]
#[ignore = "needs hivexregedit: run by cargo xtask test"]
fn the_image_is_for_the_machine_of_the_kernel_there() {
    let volume = Volume::new();
    assert_eq!(volume.open().machine(), Machine::X64);
    let kernel = volume.windows().join("system32/NTOSKRNL.EXE");
    let mut arm64 = ending(WINDOWS_CONSOLE, 0, b"");
    // IMAGE_FILE_HEADER.Machine.
    arm64[68..70].copy_from_slice(&0xAA64u16.to_le_bytes());
    fs::write(&kernel, arm64).unwrap();
    let before = volume.exported();
    let refusal = volume.install(&[]).unwrap_err().to_string();
    assert!(refusal.contains("not fit to run at boot"), "{refusal}");
    assert_eq!(volume.exported(), before);
    fs::remove_file(kernel).unwrap();
    assert!(volume.refusal().contains("no System32/ntoskrnl.exe"));
}

#[test]
#[ignore = "needs hivexregedit: run by cargo xtask test"]
fn a_directory_that_only_the_running_system_can_find_is_refused() {
    let volume = Volume::new();
    let before = volume.exported();
    let refusal = volume
        .install(&[r"dir=\??\D:\shots"])
        .unwrap_err()
        .to_string();
    assert!(
        refusal.contains(r"cannot tell where \??\D:\shots is"),
        "{refusal}"
    );
    assert_eq!(volume.exported(), before);
}

#[test]
#[ignore = "needs hivexregedit: run by cargo xtask test"]
fn the_rest_is_told_of_an_entry_with_such_a_directory() {
    let volume = Volume::new();
    volume.install(&[]).unwrap();
    let entry: Vec<u16> = r"bootshot dir=\??\D:\shots".encode_utf16().collect();
    let entry = Value::multi_sz([entry]);
    volume.open().set_value("BootExecute", &entry).unwrap();
    let (outcome, printed) = status::tests::asked_of(&volume.open());
    assert_eq!(outcome, Outcome::Done);
    assert!(
        printed.contains(r"\??\D:\shots (only the running system knows"),
        "{printed}"
    );
    let printed = uninstall::tests::uninstall_from(&volume.open()).unwrap();
    assert!(
        printed.contains(r"the snapshots in \??\D:\shots"),
        "{printed}"
    );
}

#[test]
#[ignore = "needs hivexregedit: run by cargo xtask test"]
fn what_to_type_next_is_about_the_same_system() {
    let volume = Volume::new();
    let printed = volume.install(&[]).unwrap();
    let folder = volume.windows();
    let uninstall = format!("bootshotctl uninstall --offline \"{}\"", folder.display());
    assert!(printed.contains(&uninstall), "{printed}");
    assert!(!printed.contains("bootshotctl undo-script"), "{printed}");
    let printed = uninstall::tests::uninstall_from(&volume.open()).unwrap();
    let copy = volume.config().join("bootshot-backup-0001");
    assert!(printed.contains(&copy.display().to_string()), "{printed}");
    assert!(!printed.contains("backups in"), "{printed}");
}

#[test]
#[ignore = "needs hivexregedit: run by cargo xtask test"]
fn a_directory_that_is_a_link_is_refused() {
    let volume = Volume::new();
    std::os::unix::fs::symlink("/tmp", volume.windows().join("bootshot")).unwrap();
    let before = volume.exported();
    assert!(volume.install(&[]).is_err());
    assert_eq!(volume.exported(), before);
}

#[test]
#[ignore = "needs hivexregedit: run by cargo xtask test"]
fn status_tells_of_the_registration_and_changes_nothing() {
    let volume = Volume::new();
    let asked = || status::tests::asked_of(&volume.open());
    assert_eq!(asked(), (Outcome::No, "not installed\n".into()));
    volume.install(&["--once"]).unwrap();
    fs::create_dir(volume.windows().join("bootshot")).unwrap();
    fs::write(volume.windows().join("bootshot/done"), b"").unwrap();
    let hive = fs::read(volume.hive()).unwrap();
    let (outcome, printed) = asked();
    assert_eq!(outcome, Outcome::Done);
    assert!(
        printed
            .starts_with("registered\n  BootExecute           bootshot phase=bootexecute once\n"),
        "{printed}"
    );
    assert!(printed.contains("Captured once"), "{printed}");
    assert_eq!(fs::read(volume.hive()).unwrap(), hive);
}

#[test]
#[ignore = "needs hivexregedit: run by cargo xtask test"]
fn the_undo_script_is_in_the_terms_of_windows() {
    let volume = Volume::new();
    volume.install(&[]).unwrap();
    let system = volume.open();
    let lists = Current::read_all(&system).unwrap();
    let script = recovery::script(system.windows_directory(), &lists);
    assert!(
        script.contains("set \"WINDOWS=%VOLUME%\\WINDOWS\"\n"),
        "{script}"
    );
    // A foreign entry that is not ASCII cannot be written by a command file.
    assert!(script.contains("rem BootExecute has to stay"), "{script}");
}
