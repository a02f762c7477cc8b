//! The pretended machine: a Wine prefix that one test has for itself at a time.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{env, fs};

use serde_json::Value;

const SESSION_MANAGER: &str =
    r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Session Manager";

/// The values that tests plant, and that the next one must not find.
const LISTS: [&str; 5] = [
    "PlatformExecute",
    "BootExecute",
    "BootExecuteNoPnpSync",
    "SetupExecute",
    "SetupExecuteNoPnpSync",
];

/// The programs that tests put into System32.
const PROGRAMS: [&str; 6] = [
    "bootshot.exe",
    "seven.exe",
    "denied.exe",
    "console.exe",
    "broken.exe",
    "hang.exe",
];

/// A machine with nothing registered and no snapshots.
pub struct Machine {
    prefix: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Machine {
    pub fn fresh() -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let machine = Self {
            _turn: TURN.lock().unwrap_or_else(PoisonError::into_inner),
            prefix: named("BOOTSHOT_TEST_PREFIX"),
        };
        machine.sweep();
        machine
    }

    /// Takes away what a test, or one that was interrupted, has left: others use the prefix too.
    fn sweep(&self) {
        self.plant(&LISTS.map(|list| (list, "-".to_owned())));
        let _ = fs::remove_dir_all(self.directory());
        for program in PROGRAMS {
            let _ = fs::remove_file(self.system32(program));
        }
        assert!(!self.directory().exists());
    }

    /// Runs the companion.
    pub fn bootshotctl(&self, arguments: &[&str]) -> Said {
        self.wine(&companion(), arguments)
    }

    /// Runs the companion and expects it to succeed.
    pub fn must(&self, arguments: &[&str]) -> String {
        let said = self.bootshotctl(arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
        said.stdout
    }

    /// Runs the companion with `--json`, whatever its exit code.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let said = self.bootshotctl(&[arguments, &["--json"]].concat());
        serde_json::from_str(&said.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {said:?}"))
    }

    /// Runs a Windows program.
    pub fn wine(&self, program: &Path, arguments: &[&str]) -> Said {
        said(self.wine_command().arg(program).args(arguments))
    }

    pub fn wine_command(&self) -> Command {
        let mut command = Command::new(loader());
        self.prepare(&mut command);
        command
    }

    /// Points a program that uses Wine to this machine.
    pub fn prepare(&self, command: &mut Command) {
        command
            .env("WINEPREFIX", &self.prefix)
            .env("WINELOADER", loader())
            .env("WINEDEBUG", "-all");
    }

    /// Sets values of the Session Manager key, each in the notation of a `.reg` file.
    pub fn plant(&self, values: &[(&str, String)]) {
        let mut text =
            format!("Windows Registry Editor Version 5.00\r\n\r\n[{SESSION_MANAGER}]\r\n");
        for (name, value) in values {
            text.push_str(&format!("\"{name}\"={value}\r\n"));
        }
        self.write("planted.reg", &wide(&format!("\u{feff}{text}")));
        let said = self.wine(Path::new("reg"), &["import", r"C:\planted.reg"]);
        assert_eq!(said.code, Some(0), "{said:?}");
    }

    /// The Session Manager key as `reg export` has it, without its sub-keys.
    pub fn exported(&self) -> String {
        let said = self.wine(
            Path::new("reg"),
            &["export", SESSION_MANAGER, r"C:\exported.reg", "/y"],
        );
        assert_eq!(said.code, Some(0), "{said:?}");
        let text = utf16(&fs::read(self.drive_c().join("exported.reg")).unwrap());
        let key = text
            .split("\r\n[")
            .nth(1)
            .expect("the key itself comes first");
        key.to_owned()
    }

    /// A list, taken apart by the rules of `REG_MULTI_SZ`; `None` when there is no such value.
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        let exported = self.exported();
        let (_, value) = exported.split_once(&format!("\"{name}\"=hex(7):"))?;
        let value: String = value.replace("\\\r\n", "").lines().next()?.replace(' ', "");
        let bytes: Vec<u8> = value
            .split(',')
            .map(|byte| u8::from_str_radix(byte, 16).unwrap())
            .collect();
        let text = utf16(&bytes);
        let text = text
            .strip_suffix("\0\0")
            .or(text.strip_suffix('\0'))
            .expect("an end");
        Some(
            text.split('\0')
                .filter(|entry| !entry.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }

    /// Writes a file to drive C.
    pub fn write(&self, path: &str, bytes: &[u8]) {
        fs::write(self.drive_c().join(path), bytes).unwrap();
    }

    /// Compiles a C program that stands beside the tests, and gives the command that runs it.
    pub fn compiled(&self, name: &str) -> Command {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/wine")
            .join(name)
            .with_extension("c");
        let program = self.drive_c().join(name).with_extension("exe");
        let compiled = Command::new("x86_64-w64-mingw32-gcc")
            .args(["-std=c11", "-Wall", "-Werror", "-o"])
            .args([&program, &source])
            .status()
            .expect("the compiler of mingw-w64");
        assert!(compiled.success());
        let mut command = self.wine_command();
        command.arg(program);
        command
    }

    pub fn drive_c(&self) -> PathBuf {
        self.prefix.join("drive_c")
    }

    pub fn system32(&self, name: &str) -> PathBuf {
        self.drive_c().join("windows/system32").join(name)
    }

    /// The default directory of snapshots.
    pub fn directory(&self) -> PathBuf {
        self.drive_c().join("windows/bootshot")
    }

    /// The snapshots there.
    pub fn snapshots(&self) -> Vec<PathBuf> {
        let Ok(files) = fs::read_dir(self.directory()) else {
            return vec![];
        };
        let mut snapshots: Vec<PathBuf> = files
            .map(|file| file.unwrap().path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "bshot")
            })
            .collect();
        snapshots.sort();
        snapshots
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.sweep();
        }
    }
}

/// A `REG_MULTI_SZ` in the notation of a `.reg` file, with exactly this text, zeros included.
pub fn multi_sz(text: &str) -> String {
    let bytes: Vec<String> = text
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("hex(7):{}", bytes.join(","))
}

/// The companion for Windows.
pub fn companion() -> PathBuf {
    named("BOOTSHOT_TEST_BIN").join("bootshotctl.exe")
}

/// The real native executable.
pub fn bootshot() -> PathBuf {
    named("BOOTSHOT_TEST_BIN").join("x86_64/bootshot.exe")
}

/// Runs a program to its end. It writes to files, not to pipes: Wine's services, which start with the first program and
/// outlive it, would hold a pipe open.
pub fn said(command: &mut Command) -> Said {
    let mut stdout = tempfile::tempfile().unwrap();
    let mut stderr = tempfile::tempfile().unwrap();
    let status = command
        .stdin(Stdio::null())
        .stdout(stdout.try_clone().unwrap())
        .stderr(stderr.try_clone().unwrap())
        .status()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |file: &mut File| {
        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        text.replace("\r\n", "\n")
    };
    Said {
        code: status.code(),
        stdout: text(&mut stdout),
        stderr: text(&mut stderr),
    }
}

pub fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn utf16(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes
        .as_chunks::<2>()
        .0
        .iter()
        .map(|unit| u16::from_le_bytes(*unit))
        .collect();
    String::from_utf16(&units).unwrap()
}

fn loader() -> PathBuf {
    named("BOOTSHOT_WINE")
}

fn named(variable: &str) -> PathBuf {
    match env::var_os(variable) {
        Some(value) => value.into(),
        None => panic!("{variable} is not set: run `cargo xtask test`"),
    }
}
