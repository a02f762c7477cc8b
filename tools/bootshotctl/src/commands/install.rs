//! `install`: registers the executable with the Session Manager.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use bootshot_format::Family;

use crate::entry::Entry;
use crate::error::{Error, Outcome};
use crate::image::{FILE_NAME, Image, is_bootshot};
use crate::lists::{Change, Current, List, Phases};
use crate::nt_path;
use crate::once;
use crate::output::{self, Print};
use crate::recovery;
use crate::shown;
use crate::snapshots::Directory;
use crate::system::{self, Protection, System, remove_if_there};

const EXAMPLES: &str = "\
Examples: bootshotctl install --phase both keep=8
          bootshotctl install --once
          bootshotctl install --offline D:\\Windows";

/// The executable takes no longer directories, in UTF-16 units.
const MAXIMUM_DIRECTORY: usize = 200;

/// Arguments of `install`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The moment of the boot to photograph
    #[arg(long, value_enum, default_value = "bootexecute")]
    phase: Phases,
    /// Use the lists that do not make smss wait for PnP boot enumeration
    ///
    /// A BootExecute list other than Windows' own, and any SetupExecute entry, makes smss wait until the devices of the
    /// boot are enumerated. The lists BootExecuteNoPnpSync and SetupExecuteNoPnpSync do not: what is photographed is
    /// then closer to a boot without bootshot, but a volume other than the system's may not be there yet. Not every
    /// Windows reads these lists; after a restart, `bootshotctl status` tells whether this one does.
    #[arg(long)]
    no_pnp_sync: bool,
    /// Let smss go on during the capture: csrss may then start before it ends
    #[arg(long = "async")]
    asynchronous: bool,
    /// Capture at the next restart only, at one of the two moments
    ///
    /// After the capture, the file "done" in the directory keeps the entry from doing anything, and the entry itself goes:
    /// at once where the registry lets it, or the next time bootshotctl runs.
    #[arg(long)]
    once: bool,
    /// Capture in Safe Mode as well; without, bootshot leaves at once there
    #[arg(long)]
    safe_mode: bool,
    /// Install into the Windows in this folder (its Windows folder, or the root of its volume), which does not run
    ///
    /// On Windows, its registry is loaded into this one. Elsewhere it takes the program hivexregedit, and a system that was
    /// shut down whole: not hibernated, which Fast Startup does at every shutdown, and with nothing left in the logs of its
    /// registry.
    #[arg(long, value_name = "DIR")]
    offline: Option<PathBuf>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// The image to install, instead of the one beside or inside this program
    #[arg(long, value_name = "PATH")]
    exe: Option<PathBuf>,
    /// Arguments for the executable: dir=NT-PATH keep=N only=... skip=... budget=... quiet verbose once safemode=run
    #[arg(value_name = "ARGUMENT")]
    arguments: Vec<String>,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let system = system::of(args.offline.as_deref(), "install")?;
    install(&*system, args, &mut |text| output::line(text))
}

/// Where the image is installed, as everybody else knows the path.
pub fn installed_image(system: &dyn System) -> PathBuf {
    system.windows_directory().join("System32").join(FILE_NAME)
}

/// The image that is installed; refuses one of the same name that is not ours.
pub fn read_installed(system: &dyn System) -> Result<Option<Vec<u8>>, Error> {
    let path = installed_image(system);
    let image = match fs::read(system.reach(&path)) {
        Ok(image) => image,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Error::failed(format!("cannot read {}", path.display())).because(error));
        }
    };
    if is_bootshot(&image) {
        return Ok(Some(image));
    }
    Err(Error::failed(format!("will not touch {}", path.display()))
        .because("it is another program of the same name")
        .advise("Find out whose it is. Nothing was changed."))
}

pub fn install(system: &dyn System, args: &Args, print: Print<'_>) -> Result<Outcome, Error> {
    check_arguments(&args.arguments)?;
    let is_once = |argument: &String| argument.eq_ignore_ascii_case(once::WORD);
    if args.phase == Phases::Both && (args.once || args.arguments.iter().any(is_once)) {
        return Err(Error::usage(
            "once takes one capture, so the entry for the later moment would never take any: choose one --phase",
        ));
    }
    if !args.dry_run {
        system::require_elevation(system, "install")?;
    }
    let image = match &args.exe {
        Some(path) => Image::read(path)?,
        None => Image::find(system.machine())?,
    };
    image.require_bootable(system.machine())?;
    let installed = read_installed(system)?;

    let mut lists = Current::read_all(system)?;
    if let Some(servicing) = lists
        .iter()
        .flat_map(Current::entries)
        .find(|entry| entry.is_servicing())
    {
        return Err(Error::failed("will not install now")
            .because(format!(
                "Windows servicing waits for the next restart (\"{servicing}\")"
            ))
            .advise("Restart, let the update finish, and install then."));
    }
    let mut changes = Vec::new();
    for current in &lists {
        changes.extend(current.change(args.entry_for(current.list).as_ref())?);
    }
    let directory = Directory::new(args.directory(system)?);
    let runs = system.boot()?.is_some();

    let mut protection = None;
    if args.dry_run {
        print("This is what would be done; nothing was changed.".into())?;
    } else {
        directory.require_own()?;
        protection = Some(system.protect_directory(directory.path())?);
        // With every new registration, since it is the time of the image that tells whether a boot came after it.
        if installed.as_deref() != Some(&image.bytes) || !changes.is_empty() {
            copy(system, &image)?;
        }
    }
    let image_note = match installed {
        Some(bytes) if *bytes == *image.bytes => "there already",
        Some(_) => "replaced",
        None => "new",
    };
    print(format!(
        "image      {} ({image_note}), from {}",
        installed_image(system).display(),
        image.origin()
    ))?;
    print(format!(
        "directory  {} ({})",
        directory.path().display(),
        match protection {
            None => "to be for SYSTEM and Administrators only",
            Some(Protection::Verified) => "SYSTEM and Administrators only",
            Some(Protection::LeftToExecutable) => "bootshot sees to it at its first run",
        }
    ))?;
    if !changes.is_empty() && !args.dry_run {
        let former: Vec<_> = changes.iter().map(|change| &change.former).collect();
        let backup = system.back_up(&former, &directory)?;
        print(format!("backup     {}", backup.display()))?;
    }
    for change in &changes {
        if !args.dry_run {
            change.apply(system)?;
        }
        print(describe(change))?;
    }
    if changes.is_empty() {
        print("registered already".into())?;
    }
    // Last, so that no earlier entry with `once` wakes up when a step before fails.
    if !args.dry_run && remove_if_there(system, &directory.done())? {
        print(format!(
            "removed    {}, which an earlier capture with once has left",
            directory.done().display()
        ))?;
    }
    if args.asynchronous {
        print(
            "\nWith async, smss goes on at once: csrss may start during the capture (the snapshot says whether it did)."
                .into(),
        )?;
    }
    if !args.dry_run {
        if directory.has(&directory.guard())? || directory.has(&directory.kill_switch())? {
            let status = system.command("status");
            print(format!(
                "\nSomething keeps runs from working: see {status}."
            ))?;
        }
        print(match runs {
            true => "\nThe next restart takes a snapshot. (A restart: with Fast Startup, shutting down does not end the kernel.)",
            false => "\nThe next start of that system takes a snapshot.",
        }.into())?;
    }
    let again = match runs {
        true => " (bootshotctl undo-script prints this again)",
        false => "",
    };
    print(format!(
        "\nTo undo it: {}. If the system does not start any more{again}:\n",
        system.command("uninstall")
    ))?;
    for current in &mut lists {
        if let Some(change) = changes.iter().find(|change| change.list() == current.list) {
            *current = change.after();
        }
    }
    print(recovery::script(system.windows_directory(), &lists))?;
    Ok(Outcome::Done)
}

impl Args {
    fn entry_for(&self, list: List) -> Option<Entry> {
        let phase = list.phase();
        if !self.phase.each().contains(&phase) || list != List::of(phase, !self.no_pnp_sync) {
            return None;
        }
        let mut arguments = vec![format!("phase={}", phase.name())];
        arguments.extend_from_slice(&self.arguments);
        for (wanted, word) in [(self.once, once::WORD), (self.safe_mode, "safemode=run")] {
            if wanted
                && !arguments
                    .iter()
                    .any(|argument| argument.eq_ignore_ascii_case(word))
            {
                arguments.push(word.into());
            }
        }
        Some(Entry::ours(self.asynchronous, &arguments))
    }

    fn directory(&self, system: &dyn System) -> Result<PathBuf, Error> {
        let directory = Entry::ours(false, &self.arguments)
            .argument("dir")
            .unwrap_or(nt_path::DEFAULT_DIRECTORY.into());
        system.locate(&directory)
    }
}

/// Finds what the executable would complain about at a moment when nobody reads it.
fn check_arguments(arguments: &[String]) -> Result<(), Error> {
    for argument in arguments {
        if argument.is_empty() || argument.chars().any(|c| c <= ' ') {
            return Err(Error::usage(format!(
                "\"{argument}\": smss splits an entry on white space and knows no quoting, so there can be none in an argument"
            )));
        }
        let (key, value) = argument.split_once('=').unwrap_or((argument, ""));
        let is_decimal = value.bytes().all(|byte| byte.is_ascii_digit());
        let is_number_from =
            |least| is_decimal && value.parse::<u32>().is_ok_and(|number| number >= least);
        match key.to_ascii_lowercase().as_str() {
            "phase" => return Err(Error::usage("the phase is chosen with --phase")),
            "dir" if !is_directory(value) => {
                return Err(Error::usage(format!(
                    "{argument}: the directory is an NT path, such as {} or \\??\\D:\\snapshots, of {MAXIMUM_DIRECTORY} characters at most, \
                     without . and .. and /",
                    nt_path::DEFAULT_DIRECTORY
                )));
            }
            "keep" if is_number_from(1) => {}
            "budget" if is_number_from(0) => {}
            "only" | "skip" if value.split(',').all(is_family) => {}
            "dir" => {}
            "quiet" | "verbose" | "once" if !argument.contains('=') => {}
            "safemode"
                if ["run", "skip"]
                    .iter()
                    .any(|word| value.eq_ignore_ascii_case(word)) => {}
            _ => {
                let families: Vec<_> = Family::ALL.iter().map(|family| family.name()).collect();
                return Err(Error::usage(format!(
                    "{argument}: the executable knows dir=NT-PATH, keep=NUMBER (from 1), budget=MILLISECONDS, quiet, verbose, once, safemode=run, \
                     and only= and skip= with a list, separated by commas, of: {}",
                    families.join(", ")
                )));
            }
        }
    }
    Ok(())
}

/// The kernel takes each name as it stands: there is no directory `..` to it, and nothing between two backslashes.
fn is_directory(path: &str) -> bool {
    path.encode_utf16().count() <= MAXIMUM_DIRECTORY
        && path.strip_prefix('\\').is_some_and(|names| {
            names
                .split('\\')
                .all(|name| !matches!(name, "" | "." | "..") && !name.contains('/'))
        })
}

fn is_family(name: &str) -> bool {
    Family::ALL
        .iter()
        .any(|family| family.name().eq_ignore_ascii_case(name))
}

fn copy(system: &dyn System, image: &Image) -> Result<(), Error> {
    let path = installed_image(system);
    let target = system.reach(&path);
    let temporary = target.with_extension("exe.new");
    // What an interrupted run has left.
    remove_if_there(system, &temporary)?;
    system
        .write_new(&temporary, &image.bytes)
        .and_then(|()| system.replace_file(&temporary, &target))
        .map_err(|error| {
            // Whatever stopped the copy, the half-made file is of no use; the first error is the one to report.
            let _ = system.remove_file(&temporary);
            Error::failed(format!("cannot write {}", path.display())).because(error)
        })
}

/// A list before and after, one entry a line.
pub fn describe(change: &Change) -> String {
    let mut lines = vec![change.list().value_name().to_owned()];
    // What stays keeps its order, so the two lists can be walked side by side.
    let mut after = change.entries.iter().peekable();
    for entry in change.former.entries() {
        let stays = after.next_if_eq(&entry).is_some();
        lines.push(format!("  {} {entry}", if stays { ' ' } else { '-' }));
    }
    lines.extend(after.map(|entry| format!("  + {entry}")));
    for damage in change.repairs() {
        lines.push(format!("  (repaired: {damage})"));
    }
    let lines: Vec<_> = lines.iter().map(|line| shown::visible(line)).collect();
    lines.join("\n")
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::commands::uninstall;
    use crate::multi_sz::Value;
    use crate::system::tests::FakeSystem;
    use crate::test_image;

    /// An image that counts as ours.
    pub fn our_image() -> Vec<u8> {
        let text: Vec<u8> = nt_path::DEFAULT_DIRECTORY
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        test_image::ending(test_image::NATIVE, 0, &text)
    }

    /// Installs with these arguments, from a file of our image. Gives what was printed.
    pub fn install_with(system: &dyn System, arguments: &[&str]) -> Result<String, Error> {
        install_image(system, &our_image(), arguments)
    }

    fn install_image(
        system: &dyn System,
        image: &[u8],
        arguments: &[&str],
    ) -> Result<String, Error> {
        let mut printed = String::new();
        try_install(system, image, arguments, &mut |line| {
            printed.push_str(&line);
            printed.push('\n');
            Ok(())
        })?;
        Ok(printed)
    }

    /// Installs `image` with these arguments.
    pub fn try_install(
        system: &dyn System,
        image: &[u8],
        arguments: &[&str],
        print: Print<'_>,
    ) -> Result<Outcome, Error> {
        #[derive(clap::Parser)]
        struct CommandLine {
            #[command(flatten)]
            args: Args,
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), image).unwrap();
        let exe = file.path().to_str().unwrap();
        let words = [&["install", "--exe", exe], arguments].concat();
        let args = <CommandLine as clap::Parser>::parse_from(words).args;
        super::install(system, &args, print)
    }

    fn refusal(result: Result<String, Error>) -> String {
        result.expect_err("a refusal").to_string()
    }

    #[test]
    fn the_default_is_one_synchronous_entry_at_the_end_of_boot_execute() {
        let system = FakeSystem::default();
        system.plant(List::BootExecute, &["autocheck autochk *", "defrag /x"]);
        install_with(&system, &[]).unwrap();
        assert_eq!(
            system.list(List::BootExecute),
            [
                "autocheck autochk *",
                "defrag /x",
                "bootshot phase=bootexecute"
            ]
        );
        assert_eq!(system.registry().len(), 1);
        assert_eq!(read_installed(&system).unwrap(), Some(our_image()));
    }

    #[test]
    fn options_choose_lists_keyword_and_arguments() {
        let system = FakeSystem::default();
        install_with(
            &system,
            &[
                "--phase",
                "both",
                "--no-pnp-sync",
                "--async",
                "keep=4",
                "quiet",
            ],
        )
        .unwrap();
        assert_eq!(
            system.list(List::BootExecuteNoPnpSync),
            ["async bootshot phase=bootexecute keep=4 quiet"]
        );
        assert_eq!(
            system.list(List::SetupExecuteNoPnpSync),
            ["async bootshot phase=setupexecute keep=4 quiet"]
        );
        assert_eq!(system.registry().len(), 2);
    }

    #[test]
    fn the_last_installation_is_the_one_that_counts() {
        let system = FakeSystem::default();
        system.plant(List::SetupExecute, &["other"]);
        install_with(&system, &["--phase", "both"]).unwrap();
        install_with(&system, &["--phase", "setupexecute", "--no-pnp-sync"]).unwrap();
        assert_eq!(system.list(List::BootExecute), ["autocheck autochk *"]);
        assert_eq!(system.list(List::SetupExecute), ["other"]);
        assert_eq!(
            system.list(List::SetupExecuteNoPnpSync),
            ["bootshot phase=setupexecute"]
        );
    }

    #[test]
    fn twice_is_as_good_as_once() {
        let system = FakeSystem::default();
        install_with(&system, &["--phase", "both"]).unwrap();
        let (registry, files) = (system.registry(), system.files());
        let printed = install_with(&system, &["--phase", "both"]).unwrap();
        assert!(printed.contains("registered already"), "{printed}");
        assert_eq!((system.registry(), system.files()), (registry, files));
    }

    #[test]
    fn one_capture_is_for_one_moment() {
        let system = FakeSystem::default();
        for once in ["--once", "once"] {
            let error = install_with(&system, &["--phase", "both", once]).expect_err(once);
            assert_eq!(error.exit_code(), std::process::ExitCode::from(2));
        }
        assert!(system.registry().is_empty());
    }

    #[test]
    fn a_dry_run_changes_nothing_and_needs_no_rights() {
        let system = FakeSystem::default();
        system.elevated.set(false);
        system.plant(List::BootExecute, &["a"]);
        let (registry, files) = (system.registry(), system.files());
        let printed = install_with(&system, &["--dry-run"]).unwrap();
        assert!(
            printed.contains("  + bootshot phase=bootexecute"),
            "{printed}"
        );
        assert_eq!((system.registry(), system.files()), (registry, files));
    }

    #[test]
    fn without_elevation_nothing_is_changed() {
        let system = FakeSystem::default();
        system.elevated.set(false);
        let files = system.files();
        assert!(refusal(install_with(&system, &[])).contains("elevated administrator"));
        assert!(system.registry().is_empty());
        assert_eq!(system.files(), files);
    }

    #[test]
    fn a_foreign_program_of_our_name_is_not_touched() {
        let system = FakeSystem::default();
        let path = installed_image(&system);
        fs::write(&path, b"MZ of somebody else").unwrap();
        assert!(refusal(install_with(&system, &[])).contains("another program of the same name"));
        assert!(uninstall::tests::uninstall_from(&system).is_err());
        assert_eq!(fs::read(path).unwrap(), b"MZ of somebody else");
        assert!(system.registry().is_empty());
    }

    #[test]
    fn an_older_image_of_ours_is_replaced() {
        let system = FakeSystem::default();
        let mut older = our_image();
        older.push(0);
        fs::write(installed_image(&system), older).unwrap();
        install_with(&system, &[]).unwrap();
        assert_eq!(read_installed(&system).unwrap(), Some(our_image()));
    }

    #[test]
    fn an_image_that_could_stop_the_boot_is_refused() {
        let system = FakeSystem::default();
        let text = our_image();
        let not_native = test_image::ending(test_image::WINDOWS_CONSOLE, 0, &text);
        let not_ours = test_image::ending(test_image::NATIVE, 0, b"");
        let mut for_arm64 = our_image();
        // IMAGE_FILE_HEADER.Machine.
        for_arm64[68..70].copy_from_slice(&0xAA64u16.to_le_bytes());
        for (image, reason) in [
            (not_native, "subsystem"),
            (for_arm64, "machine"),
            (not_ours, "not a bootshot image"),
            (b"MZ".to_vec(), "not a PE"),
        ] {
            let refusal = refusal(install_image(&system, &image, &[]));
            assert!(refusal.contains(reason), "{refusal}");
        }
        assert!(system.registry().is_empty());
    }

    #[test]
    fn while_servicing_waits_nothing_is_installed() {
        let system = FakeSystem::default();
        system.plant(List::SetupExecute, &["poqexec.exe /display_progress x"]);
        assert!(refusal(install_with(&system, &[])).contains("servicing"));
        assert_eq!(system.registry().len(), 1);
    }

    #[test]
    fn a_list_that_is_not_one_is_refused_before_anything_is_changed() {
        let system = FakeSystem::default();
        let value = Value {
            kind: 1,
            data: b"a\0\0\0".to_vec(),
        };
        system.set_value("BootExecute", &value).unwrap();
        let files = system.files();
        assert!(refusal(install_with(&system, &[])).contains("REG_SZ"));
        assert_eq!(system.files(), files);
    }

    #[test]
    fn a_directory_that_others_use_is_refused_before_anything_is_changed() {
        let system = FakeSystem::default();
        let directory = Directory::of(&system).unwrap();
        fs::create_dir(directory.path()).unwrap();
        fs::write(directory.path().join("letter.txt"), b"").unwrap();
        let files = system.files();
        assert!(refusal(install_with(&system, &[])).contains("letter.txt"));
        assert_eq!(system.files(), files);
        assert!(system.registry().is_empty());
    }

    #[test]
    fn a_new_installation_with_once_gets_its_capture() {
        let system = FakeSystem::default();
        install_with(&system, &["once"]).unwrap();
        let done = Directory::of(&system).unwrap().done();
        fs::write(&done, b"").unwrap();
        install_with(&system, &["once"]).unwrap();
        assert!(!done.exists());
    }

    #[test]
    fn a_switch_that_keeps_runs_from_working_is_mentioned() {
        let system = FakeSystem::default();
        assert!(
            !install_with(&system, &[])
                .unwrap()
                .contains("keeps runs from working")
        );
        let directory = Directory::of(&system).unwrap();
        fs::write(directory.kill_switch(), b"").unwrap();
        assert!(
            install_with(&system, &[])
                .unwrap()
                .contains("keeps runs from working")
        );
    }

    #[test]
    fn former_values_are_kept_beside_the_snapshots() {
        let system = FakeSystem::default();
        system.plant(List::BootExecute, &["a"]);
        let printed = install_with(&system, &[]).unwrap();
        assert!(printed.contains("session-manager-0001.reg"), "{printed}");
        let names: Vec<_> = system.files();
        assert!(
            names
                .iter()
                .any(|path| path.ends_with("session-manager-0001.reg")),
            "{names:?}"
        );
    }

    #[test]
    fn what_goes_what_stays_and_what_comes_is_told_apart() {
        let system = FakeSystem::default();
        system.plant(
            List::BootExecute,
            &["bootshot old", "a", "bootshot older", "b"],
        );
        let printed = install_with(&system, &[]).unwrap();
        let expected = "BootExecute\n  - bootshot old\n    a\n  - bootshot older\n    b\n  + bootshot phase=bootexecute\n";
        assert!(printed.contains(expected), "{printed}");
    }

    #[test]
    fn arguments_that_the_executable_would_not_understand_are_wrong_use() {
        for argument in [
            "phase=live",
            "dir=C:\\x",
            "dir=\\a b",
            "dir=\\",
            "dir=\\a\\..\\b",
            "dir=\\a\\\\b",
            "dir=\\a/b",
            "keep=0",
            "keep=+5",
            "keep",
            "only=",
            "only=everything",
            "quiet=1",
            "once=1",
            "safemode=1",
            "x=1",
            "a",
        ] {
            let error = check_arguments(&[argument.to_owned()]).expect_err(argument);
            assert_eq!(error.exit_code(), std::process::ExitCode::from(2));
        }
        for argument in [
            "dir=\\??\\D:\\s",
            "KEEP=1",
            "only=handles,types",
            "skip=registry",
            "budget=500",
            "quiet",
            "verbose",
            "once",
            "safemode=run",
        ] {
            check_arguments(&[argument.to_owned()]).expect(argument);
        }
    }
}
