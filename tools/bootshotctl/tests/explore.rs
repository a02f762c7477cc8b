//! `explore`, driven in a real terminal: tmux takes the keys, and shows the screens.
//!
//! The screens on its page come from here: after a change, `BOOTSHOT_BLESS=1 cargo test -p bootshotctl --test explore --
//! --ignored` writes them anew.

use std::process::{Command, Stdio};

#[test]
fn without_a_terminal_it_says_that_it_needs_one() {
    let output = Command::new(env!("CARGO_BIN_EXE_bootshotctl"))
        .args(["explore", "any.bshot"])
        .stdin(Stdio::null())
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("explore needs a terminal"), "{said}");
}

#[test]
#[cfg(target_os = "linux")]
fn it_is_drawn_anew_in_a_terminal_that_answers_no_questions() {
    use std::io::{Read, Write};

    // The terminal that util-linux makes keeps what is shown, and answers nothing.
    let golden = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../reader/golden/v1-wine8-x64-live.bshot"
    );
    let program = env!("CARGO_BIN_EXE_bootshotctl");
    let line = format!("stty rows 24 cols 100; exec {program} explore {golden}");
    let mut terminal = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script of util-linux");
    let mut keys = terminal.stdin.take().expect("piped");
    let mut output = terminal.stdout.take().expect("piped");
    let mut shown = Vec::new();
    let mut wait_for_title = |times: usize| {
        let mut part = [0; 4096];
        let is_there = |shown: &[u8]| {
            let shown = String::from_utf8_lossy(shown);
            shown.matches("live.bshot").count() >= times
        };
        while !is_there(&shown) {
            let read = output.read(&mut part).expect("readable");
            let text = String::from_utf8_lossy(&shown);
            assert_ne!(read, 0, "it ended: {text}");
            shown.extend(&part[..read]);
        }
    };
    wait_for_title(1);
    keys.write_all(b"\x0C").expect("it takes keys");
    wait_for_title(2);
    keys.write_all(b"q").expect("it takes keys");
    std::io::copy(&mut output, &mut std::io::sink()).expect("readable");
    assert!(terminal.wait().expect("it ends").success());
}

#[cfg(unix)]
#[path = "support/tmux.rs"]
mod tmux;

#[cfg(unix)]
mod in_tmux {
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::{env, fs};

    use bootshot_format::Family;
    use tempfile::TempDir;
    use test_snapshots::Builder;
    use test_snapshots::machine::machine_live;
    use test_snapshots::objects::{
        ListedHandle, ListedProcess, handle_list, process_list, type_table,
    };

    use crate::tmux::Tmux;

    const PROGRAM: &str = env!("CARGO_BIN_EXE_bootshotctl");

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// The explorer in a terminal, with the file that it shows.
    struct Session {
        tmux: Tmux,
        _folder: TempDir,
    }

    impl Session {
        fn new(file: &[u8]) -> Self {
            Self::with(file, (100, 30), &[])
        }

        fn with(file: &[u8], (width, height): (u16, u16), environment: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let path = folder.path().join("live.bshot");
            fs::write(&path, file).expect("a temporary file");
            let path = path.to_str().expect("a plain path");
            let program = [PROGRAM, "explore", path];
            let tmux = Tmux::start(width, height, &program, environment);
            tmux.wait_for("bootshotctl explore live.bshot");
            Self {
                tmux,
                _folder: folder,
            }
        }

        fn golden() -> Self {
            Self::new(&golden())
        }

        fn machine() -> Self {
            Self::new(&machine_live().finish())
        }
    }

    fn golden() -> Vec<u8> {
        let path = root().join("tools/reader/golden/v1-wine8-x64-live.bshot");
        fs::read(path).expect("a golden snapshot")
    }

    fn process(pid: u64, image: &str) -> ListedProcess<'_> {
        ListedProcess {
            pid,
            create_time: 1,
            image,
            tids: &[],
        }
    }

    #[test]
    #[ignore = "needs tmux: run by cargo xtask test"]
    fn in_tmux_the_panes_show_what_the_commands_do() {
        let Session { tmux, _folder } = Session::golden();
        tmux.wait_for_line(&["56", "(40)", "services.exe"]);
        tmux.key("Tab");
        tmux.wait_for_line(&["32", "named.exe", "KeyedEvent"]);
        tmux.key("3");
        tmux.wait_for("+ KernelObjects");
        tmux.key("v");
        tmux.wait_for("POINTERS");
        tmux.key("4");
        tmux.wait_for("\\REGISTRY\\MACHINE\\SYSTEM");
        for _ in 0..5 {
            tmux.key("v");
        }
        tmux.wait_for_line(&["Winsock2"]);
    }

    #[test]
    #[ignore = "needs tmux: run by cargo xtask test"]
    fn in_tmux_search_filter_and_sorting_go_along_with_the_keys() {
        let Session { tmux, _folder } = Session::golden();
        tmux.key("2");
        tmux.wait_for("1 of 725");
        tmux.type_in("/planted mut");
        tmux.wait_for("/planted mut");
        let found = tmux.wait_until("a row found", |screen| !screen.contains(" 1 of 725"));
        assert!(found.contains("14 of 725"), "{found}");
        tmux.key("Escape");
        tmux.wait_for(" 1 of 725");
        tmux.type_in("fplanted");
        tmux.wait_for("filter: planted");
        tmux.key("Enter");
        tmux.wait_until("rows with the text only", |screen| {
            let rows: Vec<&str> = screen.lines().skip(4).take(25).collect();
            let rows = rows.iter().filter(|line| !line.trim().is_empty());
            let (with, without): (Vec<&str>, Vec<&str>) =
                rows.partition(|line| line.contains("planted"));
            !with.is_empty() && without.is_empty()
        });
        tmux.key("Escape");
        // The row that one was on is still the one.
        tmux.wait_for("13 of 725");
        tmux.key(">");
        tmux.key("r");
        tmux.wait_for("sorted by PID, descending");
        tmux.wait_for("PID ▼");
        tmux.key("g");
        let screen = tmux.wait_for(" 1 of 725");
        let first = screen.lines().nth(4).unwrap_or_default();
        assert!(first.trim_start().starts_with("2868 "), "{screen}");
    }

    #[test]
    #[ignore = "needs tmux: run by cargo xtask test"]
    fn in_tmux_from_a_handle_to_its_object_to_its_other_holders_and_back() {
        let Session { tmux, _folder } = Session::machine();
        tmux.key("2");
        tmux.type_in("/0x20");
        tmux.wait_for("2 of 17");
        tmux.key("Enter");
        tmux.wait_until("the end of the prompt", |screen| !screen.contains("/0x20"));
        tmux.key("Enter");
        tmux.wait_for_line(&["Mutant", "System 4, smss.exe 300", "BcdSyncMutant"]);
        tmux.key("h");
        tmux.wait_for("to the Mutant \\KernelObjects\\BcdSyncMutant");
        tmux.wait_for_line(&["4", "System", "0x10"]);
        tmux.wait_for_line(&["300", "smss.exe", "0x20"]);
        tmux.key("b");
        tmux.wait_for("HOLDERS");
        tmux.key("b");
        tmux.wait_for("of all processes");
        tmux.wait_for("2 of 17");
    }

    #[test]
    #[ignore = "needs tmux: run by cargo xtask test"]
    fn in_tmux_copies_arrive_on_the_terminals_clipboard() {
        let Session { tmux, _folder } = Session::golden();
        tmux.type_in("/services");
        tmux.wait_for("3 of 10");
        tmux.key("Enter");
        tmux.wait_until("the end of the prompt", |screen| {
            !screen.contains("/services")
        });
        tmux.key("c");
        tmux.wait_for("copied IMAGE: services.exe");
        assert_eq!(tmux.tell(&["show-buffer"]), "services.exe");
        tmux.key("y");
        tmux.wait_for("copied the row: 56  (40)  services.exe");
        let row = tmux.tell(&["show-buffer"]);
        assert!(row.starts_with("56\t(40)\tservices.exe\t"), "{row}");
        tmux.key("Y");
        tmux.wait_for("copied 10 rows");
        let rows = tmux.tell(&["show-buffer"]);
        assert_eq!(rows.lines().count(), 11, "{rows}");
    }

    #[test]
    #[ignore = "needs tmux: run by cargo xtask test"]
    fn in_tmux_the_help_opens_and_closes() {
        let Session { tmux, _folder } = Session::golden();
        tmux.key("?");
        tmux.wait_for_line(&["Backspace", "back to where you came from"]);
        tmux.key("Escape");
        tmux.wait_for("services.exe");
    }

    #[test]
    #[ignore = "needs tmux: run by cargo xtask test"]
    fn in_tmux_it_follows_the_size_of_the_terminal() {
        let Session { tmux, _folder } = Session::golden();
        tmux.resize(80, 24);
        tmux.wait_until("24 lines", |screen| {
            screen.lines().count() == 24
                && screen
                    .lines()
                    .nth(23)
                    .is_some_and(|line| line.starts_with("? help"))
        });
        tmux.resize(30, 5);
        tmux.wait_for("too small");
        tmux.resize(160, 50);
        tmux.wait_for("WORKING SET");
        tmux.wait_for_line(&["56", "services.exe"]);
    }

    #[test]
    #[ignore = "needs tmux: run by cargo xtask test"]
    fn in_tmux_names_that_steer_a_terminal_are_shown_as_text() {
        let mut builder = Builder::new(8);
        let hostile = [
            process(4, "\x1b[2Jcleared.exe"),
            process(8, "\x1b]2;title\x07.exe"),
            process(12, "\u{9b}31mred.exe"),
            process(16, "\u{202e}exe.gnp"),
            process(20, "\r\nline.exe"),
        ];
        builder.section(Family::PROCESSES, &process_list(&hostile));
        let Session { tmux, _folder } = Session::new(&builder.finish());
        tmux.wait_for("\\u{1b}[2Jcleared.exe");
        tmux.wait_for("\\u{1b}]2;title\\u{7}");
        tmux.wait_for("\\u{9b}31mred.exe");
        tmux.wait_for("\\u{202e}exe.gnp");
        tmux.wait_for("\\r\\nline.exe");
        let title = tmux.tell(&["display-message", "-p", "#{pane_title}"]);
        assert_ne!(title.trim(), "title");
        tmux.key("d");
        tmux.wait_for_line(&["IMAGE", "\\u{1b}[2Jcleared.exe"]);
    }

    #[test]
    #[ignore = "needs tmux: run by cargo xtask test"]
    fn in_tmux_leaving_gives_the_screen_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("live.bshot");
        fs::write(&path, golden()).expect("a temporary file");
        let tmux = Tmux::start(100, 30, &["/bin/sh"], &[("PS1", "ready> ")]);
        tmux.wait_for("ready>");
        let line = format!(
            "echo before; {PROGRAM} explore {}; echo ended with $?; stty -a",
            path.display()
        );
        tmux.type_in(&line);
        tmux.key("Enter");
        tmux.wait_for("1 Processes");
        let asked = |format: &str| tmux.tell(&["display-message", "-p", format]);
        assert_eq!(asked("#{alternate_on}").trim(), "1");
        tmux.key("q");
        let screen = tmux.wait_until("the settings of the terminal", |screen| {
            screen.contains("ended with 0") && screen.contains("echoctl")
        });
        assert!(screen.contains("before"), "{screen}");
        assert!(!screen.contains("1 Processes"), "{screen}");
        assert!(
            screen.contains(" echo ") && screen.contains(" icanon "),
            "{screen}"
        );
        assert_eq!(asked("#{alternate_on} #{cursor_flag}").trim(), "0 1");
    }

    #[test]
    #[ignore = "needs tmux: run by cargo xtask test"]
    fn in_tmux_ending_it_from_outside_gives_the_screen_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("live.bshot");
        fs::write(&path, golden()).expect("a temporary file");
        for (signal, status) in [("HUP", 129), ("TERM", 143)] {
            let tmux = Tmux::start(100, 30, &["/bin/sh"], &[("PS1", "ready> ")]);
            tmux.wait_for("ready>");
            let process_id = folder.path().join(signal);
            let line = format!(
                "sh -c 'echo $$ > {}; exec {PROGRAM} explore {}'; echo ended with $?; stty -a",
                process_id.display(),
                path.display()
            );
            tmux.type_in(&line);
            tmux.key("Enter");
            tmux.wait_for("1 Processes");
            let process_id = fs::read_to_string(process_id).expect("written before it started");
            let sent = Command::new("kill")
                .args([&format!("-{signal}"), process_id.trim()])
                .status();
            assert!(sent.expect("kill starts").success());
            let screen = tmux.wait_until("the settings of the terminal", |screen| {
                screen.contains(&format!("ended with {status}")) && screen.contains("echoctl")
            });
            assert!(!screen.contains("1 Processes"), "{screen}");
            assert!(
                screen.contains(" echo ") && screen.contains(" icanon "),
                "{screen}"
            );
            let asked = tmux.tell(&["display-message", "-p", "#{alternate_on} #{cursor_flag}"]);
            assert_eq!(asked.trim(), "0 1");
        }
    }

    #[test]
    #[ignore = "needs tmux: run by cargo xtask test"]
    fn in_tmux_a_damaged_file_has_a_banner_and_ends_with_1() {
        let mut file = machine_live().finish();
        let middle = file.len() / 2;
        file[middle] ^= 0xFF;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("live.bshot");
        fs::write(&path, file).expect("a temporary file");
        // The shell tells the exit code: tmux itself at times does not, of a program whose terminal closed first.
        let line = format!("{PROGRAM} explore {}; echo ended with $?", path.display());
        let tmux = Tmux::start(100, 30, &["/bin/sh", "-c", &line], &[]);
        tmux.wait_for("DAMAGED");
        tmux.key("!");
        tmux.wait_for("What could not be read");
        tmux.key("C-c");
        tmux.wait_for("ended with 1");
    }

    #[test]
    #[ignore = "needs tmux: run by cargo xtask test"]
    fn in_tmux_no_color_is_honoured() {
        let coloured = |environment: &[(&str, &str)]| {
            let Session { tmux, _folder } = Session::with(&golden(), (100, 30), environment);
            tmux.wait_for("q leave");
            let screen = tmux.tell(&["capture-pane", "-p", "-e"]);
            // A colour by its number; to be bold or reversed is none.
            screen.contains("38;5;")
        };
        assert!(coloured(&[]), "with colours where nobody objects");
        assert!(!coloured(&[("NO_COLOR", "1")]));
    }

    #[test]
    #[ignore = "needs tmux: run by cargo xtask test"]
    fn in_tmux_a_hundred_thousand_handles_are_scrolled_filtered_and_sorted() {
        const HANDLES: u64 = 100_000;
        let handles: Vec<ListedHandle> = (1..=HANDLES)
            .map(|number| ListedHandle {
                pid: 4 + number % 100 * 4,
                handle: number * 4,
                object: 0xFFFF_8000_0000_0000 + number / 2 * 0x40,
                type_index: 2 + (number % 2) as u16,
            })
            .collect();
        let mut builder = Builder::new(8);
        builder
            .section(
                Family::PROCESSES,
                &process_list(&[process(4, "System"), process(8, "smss.exe")]),
            )
            .section(Family::HANDLES, &handle_list(&handles))
            .section(Family::TYPES, &type_table(&["Event", "Mutant"]));
        let Session { tmux, _folder } = Session::new(&builder.finish());
        tmux.wait_for("2 Handles 100000");
        tmux.key("2");
        tmux.key("End");
        tmux.wait_for("100000 of 100000");
        tmux.wait_for_line(&["0x61a80"]);
        for _ in 0..3 {
            tmux.key("PageUp");
        }
        tmux.wait_for("99928 of 100000");
        tmux.type_in("f0x61a80");
        tmux.wait_for("1 of 1 (100000)");
        tmux.key("Enter");
        tmux.key("Escape");
        tmux.wait_for("of 100000");
        tmux.key("<");
        tmux.key("r");
        tmux.wait_for("descending");
    }

    /// What a page shows a screen with: a comment with its name, then the screen as a block.
    fn with_screens(page: &str, screens: &[(&str, String)]) -> String {
        let mut made = page.to_owned();
        for (name, screen) in screens {
            let mark = format!("<!-- screen: {name} -->\n```text\n");
            let (before, behind) = made.split_once(&mark).expect("the page has a place for it");
            let (_, behind) = behind.split_once("```").expect("the block ends");
            let lines: Vec<&str> = screen.lines().map(str::trim_end).collect();
            made = format!("{before}{mark}{}\n```{behind}", lines.join("\n").trim_end());
        }
        made
    }

    #[test]
    #[ignore = "needs tmux: run by cargo xtask test"]
    fn in_tmux_the_page_shows_the_screens_of_a_terminal() {
        let Session { tmux, _folder } = Session::with(&golden(), (100, 24), &[]);
        let mut screens = vec![("processes", tmux.wait_for("q leave"))];
        tmux.type_in("2fplanted");
        tmux.wait_for("filter: planted");
        tmux.key("Enter");
        let handles = tmux.wait_until("the filtered handles", |screen| {
            screen.contains("q leave") && screen.contains("filter \"planted\": 1 of")
        });
        screens.push(("handles", handles));
        tmux.key("d");
        screens.push(("details", tmux.wait_for("any key closes")));
        tmux.key("Escape");
        tmux.wait_for("q leave");
        tmux.resize(100, 40);
        tmux.key("?");
        // Drawn last, like the other screens' last line.
        let keys = tmux.wait_for("any key closes");
        assert!(keys.contains("q, Ctrl-C"), "{keys}");
        screens.push(("keys", keys));
        let path = root().join("docs/commands/explore.md");
        let page = fs::read_to_string(&path).expect("its page");
        let made = with_screens(&page, &screens);
        if env::var_os("BOOTSHOT_BLESS").is_some() {
            fs::write(&path, made).expect("the page can be written");
        } else {
            assert_eq!(made, page, "not what the terminal shows");
        }
    }
}
