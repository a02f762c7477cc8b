//! A program in a real terminal: tmux, with a server of its own. Not for Windows.

use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long something may take to appear, which is at once but for a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(300);

/// A terminal with one program in it.
pub struct Tmux {
    folder: TempDir,
}

impl Tmux {
    /// Starts a program in a terminal of this size. What it left on the screen stays there when it has ended.
    pub fn start(width: u16, height: u16, program: &[&str], environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let tmux = Self { folder };
        let mut command = tmux.command();
        command.args(["-u", "-f", "/dev/null", "new-session", "-d"]);
        command.args(["-x", &width.to_string(), "-y", &height.to_string()]);
        for (name, value) in environment {
            command.args(["-e", &format!("{name}={value}")]);
        }
        // One command: the program may be gone before there is time for a second one.
        command.arg("--").args(program);
        command.args([";", "set-option", "-g", "remain-on-exit", "on"]);
        command.args([";", "set-option", "-g", "set-clipboard", "on"]);
        checked(&mut command);
        tmux
    }

    fn command(&self) -> Command {
        let mut command = Command::new("tmux");
        command
            .arg("-S")
            .arg(self.folder.path().join("socket"))
            .env_remove("TMUX")
            .env_remove("NO_COLOR")
            .env("LC_ALL", "C.UTF-8")
            .env("SHELL", "/bin/sh");
        command
    }

    /// What tmux says to a command.
    pub fn tell(&self, arguments: &[&str]) -> String {
        let output = checked(self.command().args(arguments));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Presses a key, by tmux's name for it.
    pub fn key(&self, key: &str) {
        self.tell(&["send-keys", key]);
    }

    /// Types a text.
    pub fn type_in(&self, text: &str) {
        // tmux takes a semicolon at the end for one between its own commands.
        let text = match text.strip_suffix(';') {
            Some(text) => format!("{text}\\;"),
            None => text.to_owned(),
        };
        self.tell(&["send-keys", "-l", "--", &text]);
    }

    pub fn resize(&self, width: u16, height: u16) {
        let (width, height) = (width.to_string(), height.to_string());
        self.tell(&["resize-window", "-x", &width, "-y", &height]);
    }

    /// What is on the screen.
    pub fn screen(&self) -> String {
        self.tell(&["capture-pane", "-p"])
    }

    /// Waits until the screen is as it should be, and returns it.
    pub fn wait_until(&self, what: &str, mut is_there: impl FnMut(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if is_there(&screen) {
                return screen;
            }
            assert!(start.elapsed() < PATIENCE, "no {what} in\n{screen}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the screen shows this text, and returns it.
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_until(text, |screen| screen.contains(text))
    }

    /// Waits until one line of the screen has all of these texts.
    pub fn wait_for_line(&self, texts: &[&str]) -> String {
        let has_all = |line: &str| texts.iter().all(|text| line.contains(text));
        self.wait_until(&format!("{texts:?}"), |screen| screen.lines().any(has_all))
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        // A server whose program has ended may be gone already.
        let _ = self.command().arg("kill-server").output();
    }
}

fn checked(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("cannot start tmux (its Debian package is tmux): {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
