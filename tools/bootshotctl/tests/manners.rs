//! How the program behaves towards people, terminals and shells.

use std::fs;
#[cfg(unix)]
use std::io::Write;
use std::path::Path;
#[cfg(unix)]
use std::process::Stdio;
use std::process::{Command, Output};
#[cfg(unix)]
use std::{thread, time::Duration};

const GOLDEN: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../reader/golden/v1-wine8-x64-live.bshot"
);

fn bootshotctl(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bootshotctl"))
        .args(arguments)
        .output()
        .unwrap()
}

fn stdout(arguments: &[&str]) -> String {
    let output = bootshotctl(arguments);
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The subcommands, from the help.
fn commands() -> Vec<String> {
    let help = stdout(&["--help"]);
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_shows_an_example_in_its_help() {
    let commands = commands();
    assert!(commands.len() > 30, "{commands:?}");
    for command in commands {
        let help = stdout(&[&command, "--help"]);
        let example = format!("bootshotctl {command}");
        let (_, after) = help.split_once("Options:").unwrap();
        assert!(after.contains(&example), "{command}");
    }
}

#[test]
fn every_shell_gets_completions_for_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = stdout(&["completions", shell]);
        for command in commands() {
            assert!(script.contains(&command), "{shell}: {command}");
        }
    }
}

#[test]
#[cfg(unix)]
fn bash_completes_commands_and_options() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("completions");
    fs::write(&script, stdout(&["completions", "bash"])).unwrap();
    let complete = |words: &str, place: usize| {
        let test = format!(
            "source {}; COMP_WORDS=({words}); COMP_CWORD={place}; _bootshotctl bootshotctl; echo ${{COMPREPLY[@]}}",
            script.display()
        );
        let output = Command::new("bash").args(["-c", &test]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(complete("bootshotctl symli", 1).contains("symlinks"));
    assert!(complete("bootshotctl symlinks --dang", 2).contains("--dangling"));
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    assert!(stdout(&["man"]).contains(".TH bootshotctl 1"));
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("man1");
    stdout(&["man", "--to", directory.to_str().unwrap()]);
    for command in commands() {
        let page = directory.join(format!("bootshotctl-{command}.1"));
        let page = fs::read_to_string(&page).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{command}");
    }
}

#[test]
fn what_is_piped_has_no_colours_and_goes_through_no_pager() {
    let output = Command::new(env!("CARGO_BIN_EXE_bootshotctl"))
        .args(["processes", GOLDEN])
        .env("PAGER", "exit 1")
        .env_remove("NO_COLOR")
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(!output.stdout.contains(&0x1B));
    assert!(output.stdout.len() > 1000);
}

/// What the program says about a file, and its exit code.
fn said_of(file: &Path) -> (Option<i32>, String) {
    let output = bootshotctl(&["summary", file.to_str().unwrap()]);
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), said)
}

#[test]
fn each_kind_of_file_that_is_no_sound_snapshot_gets_its_own_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file = |bytes: &[u8]| {
        let path = folder.path().join("file");
        fs::write(&path, bytes).unwrap();
        said_of(&path)
    };
    let golden = fs::read(GOLDEN).unwrap();
    let mut newer = golden.clone();
    newer[8] = 9;
    let mut damaged_header = golden.clone();
    damaged_header[40] ^= 1;
    let mut damaged = golden.clone();
    damaged[golden.len() / 2] ^= 1;
    let exported: Vec<u8> = "\u{FEFF}Windows Registry Editor Version 5.00\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let kinds: [(&[u8], i32, &str, &str); 13] = [
        (b"", 3, "is empty", "copy it again"),
        (&newer, 3, "format version", "a later bootshot"),
        (
            &golden[..50],
            1,
            "cut short inside its header",
            "copy it again",
        ),
        (&damaged_header, 1, "header is damaged", "Copy it again"),
        (
            &golden[..golden.len() - 9000],
            1,
            "ends before the capture did",
            "bootshotctl salvage",
        ),
        (&damaged, 1, "the file is damaged", "bootshotctl verify"),
        (b"MZ\x90\0and more", 3, "an executable", "bootshotctl check"),
        (b"PK\x03\x04and more", 3, "a ZIP archive", "Unpack it"),
        (b"regf and more", 3, "a registry hive", ".bshot"),
        (&exported, 3, "an exported piece of registry", ".bshot"),
        (b"{\"pid\": 4}", 3, "JSON", "exported from a snapshot"),
        (&[0; 4096], 3, "zeros", "power"),
        (b"some text", 3, "not a bootshot snapshot", ".bshot"),
    ];
    let mut sentences = Vec::new();
    for (bytes, code, what, next) in kinds {
        let (exit, said) = file(bytes);
        assert_eq!(exit, Some(code), "{said}");
        assert!(said.contains(what), "{what}: {said}");
        assert!(said.contains(next), "{next}: {said}");
        sentences.push(said);
    }
    let (exit, said) = said_of(&folder.path().join("nothing"));
    assert_eq!(exit, Some(3));
    assert!(said.contains("cannot read"), "{said}");
    sentences.push(said);
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let (exit, said) = said_of(&empty);
    assert_eq!(exit, Some(3));
    assert!(said.contains("there is no snapshot in"), "{said}");
    sentences.push(said);
    let count = sentences.len();
    sentences.sort();
    sentences.dedup();
    assert_eq!(sentences.len(), count);
}

#[test]
#[cfg(unix)]
fn a_stream_is_read_to_its_end_only_if_a_snapshot_begins_it() {
    let summary_of = |bytes: &[u8]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_bootshotctl"))
            .args(["summary", "/dev/stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = program.stdin.take().unwrap();
        input.write_all(bytes).unwrap();
        (program, input)
    };
    let (whole, input) = summary_of(&fs::read(GOLDEN).unwrap());
    drop(input);
    let whole = whole.wait_with_output().unwrap();
    assert_eq!(whole.status.code(), Some(0), "{whole:?}");

    // It has no end, as a device has none.
    let (mut endless, input) = summary_of(&[0; 4096]);
    let mut looks = 0..600;
    let ended = looks.any(|_| {
        thread::sleep(Duration::from_millis(100));
        endless.try_wait().unwrap().is_some()
    });
    drop(input);
    assert!(ended, "it waits for the end of what is no snapshot");
    let said = String::from_utf8(endless.wait_with_output().unwrap().stderr).unwrap();
    assert!(said.contains("not a bootshot snapshot"), "{said}");
}

#[test]
#[cfg(unix)]
fn an_error_about_a_name_that_steers_terminals_shows_it_escaped() {
    let (_, said) = said_of(Path::new("/nowhere/\u{1B}[2J"));
    assert!(said.contains("\\u{1b}[2J"), "{said}");
    assert!(!said.contains('\u{1B}'), "{said}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_standard_error_that_cannot_be_written_changes_no_exit_code() {
    let code = |arguments: &[&str]| {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_bootshotctl"));
        let program = program.args(arguments).stdout(Stdio::null()).stderr(full);
        program.status().unwrap().code()
    };
    assert_eq!(code(&["summary", "/nowhere"]), Some(3));
    assert_eq!(code(&["sql", GOLDEN, "nonsense and more"]), Some(2));
}

#[cfg(unix)]
#[path = "support/tmux.rs"]
#[expect(dead_code, reason = "others need more of it")]
mod tmux;

#[cfg(unix)]
mod terminal {
    use super::GOLDEN;
    use super::tmux::Tmux;

    fn start(arguments: &str, environment: &[(&str, &str)]) -> Tmux {
        let line = format!(
            "{} {arguments}; echo exit=$?; read -r _",
            env!("CARGO_BIN_EXE_bootshotctl")
        );
        Tmux::start(100, 20, &["sh", "-c", &line], environment)
    }

    #[test]
    #[ignore = "needs tmux: run by cargo xtask test"]
    fn in_tmux_long_output_goes_through_the_pager_of_the_person() {
        let pager = ("PAGER", "sed 's/^/paged: /'");
        for line in [
            format!("types {GOLDEN}"),
            format!("sql {GOLDEN} 'SELECT name FROM types'"),
        ] {
            start(&line, &[pager]).wait_until("a paged line and the end", |screen| {
                screen.contains("paged: ") && screen.contains("exit=0")
            });
        }
        let line = format!("types {GOLDEN} --no-pager");
        let screen = start(&line, &[pager]).wait_for("exit=0");
        assert!(!screen.contains("paged"), "{screen}");
        let screen = start(&format!("types {GOLDEN}"), &[("PAGER", "")]).wait_for("exit=0");
        assert!(screen.contains("Mutant"), "{screen}");
    }

    #[test]
    #[ignore = "needs tmux: run by cargo xtask test"]
    fn in_tmux_warnings_come_after_the_pager_and_one_that_goes_early_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let cut = folder.path().join("cut.bshot");
        let golden = std::fs::read(GOLDEN).unwrap();
        std::fs::write(&cut, &golden[..golden.len() - 9000]).unwrap();
        let line = format!("types {}", cut.display());
        let screen = start(&line, &[("PAGER", "sleep 1; cat; echo the end")]).wait_for("exit=1");
        let place = |text| {
            screen
                .find(text)
                .unwrap_or_else(|| panic!("{text} in {screen}"))
        };
        assert!(place("the end") < place("warning:"), "{screen}");
        start(&format!("handles {GOLDEN}"), &[("PAGER", "head -n 2")]).wait_for("exit=0");
    }

    #[test]
    #[ignore = "needs tmux: run by cargo xtask test"]
    fn in_tmux_output_is_shown_without_a_pager_that_does_not_exist() {
        let shown = |line: &str| -> Vec<String> {
            let tmux = start(line, &[("PAGER", "no-such-pager -x")]);
            tmux.wait_for("exit=0");
            let all = tmux.tell(&["capture-pane", "-p", "-S", "-"]);
            let lines = all.trim_end().lines();
            let lines = lines.filter(|line| !line.contains("no-such-pager"));
            lines.map(str::to_owned).collect()
        };
        // A pipe takes what the first one shows, and not what the other does.
        for command in ["types", "handles"] {
            let without = shown(&format!("{command} {GOLDEN} --no-pager"));
            assert!(without.len() > 20, "{without:?}");
            assert_eq!(shown(&format!("{command} {GOLDEN}")), without);
        }
    }

    #[test]
    #[ignore = "needs tmux: run by cargo xtask test"]
    fn in_tmux_headers_are_bold_on_a_terminal_and_not_with_no_color() {
        let line = format!("types {GOLDEN} --no-pager --filter name=Mutant");
        let bold = |tmux: &Tmux| {
            tmux.wait_for("exit=0");
            let styled = tmux.tell(&["capture-pane", "-p", "-e"]);
            styled.contains("\u{1B}[1m")
        };
        assert!(bold(&start(&line, &[])));
        assert!(!bold(&start(&line, &[("NO_COLOR", "1")])));
    }
}
