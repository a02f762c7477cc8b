//! The SYSTEM hive of an installation that does not run, through `hivexregedit`, a program of its own.
//!
//! A change is made to a copy, which takes the place of the hive when everything else in it is as before.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::base_block::{BaseBlock, Unfit};
use super::{HIVE_FILES, find, keep_security, rename};
use crate::error::Error;
use crate::multi_sz::{REG_BINARY, REG_DWORD, Value};

const PROGRAM: &str = "hivexregedit";
const FIRST_LINE: &str = "Windows Registry Editor Version 5.00";

/// A hive file.
pub struct Hive {
    file: PathBuf,
}

impl Hive {
    /// Looks at a hive, and refuses one that is not whole by itself.
    pub fn open(file: &Path) -> Result<Self, Error> {
        let hive = Self {
            file: file.to_owned(),
        };
        hive.read_clean()?;
        Ok(hive)
    }

    /// A value of the key `key`; there is none either where there is no such key.
    pub fn value(&self, key: &str, name: &str) -> Result<Option<Value>, Error> {
        let text = self.export(&self.file, key)?;
        let key_line = key_line(key);
        value_line(&text, &key_line, name)
            .map(|line| {
                parse_value(line).ok_or_else(|| {
                    self.failed("read").because(format!(
                        "{PROGRAM} says of {key}, {name}: {}",
                        String::from_utf8_lossy(line)
                    ))
                })
            })
            .transpose()
    }

    /// Stores a value, or removes it: in a copy, which then takes the place of the hive.
    pub fn set_value(&self, key: &str, name: &str, value: Option<&Value>) -> Result<(), Error> {
        let former = self.read_clean()?;
        let before = self.export(&self.file, "\\")?;
        let copy = self.file.with_extension("bootshot-new");
        let changed = self
            .change_copy(&copy, &former, key, name, value)
            .and_then(|()| self.check_copy(&copy, &before, key, name, value))
            .and_then(|()| {
                // The last look before the rename: nobody else may have written since.
                if self.read_clean()? != former {
                    return Err(self
                        .failed("change")
                        .because("another program changed it at this very moment")
                        .advise("Try again."));
                }
                rename(&copy, &self.file).map_err(|error| self.failed("replace").because(error))
            });
        if changed.is_err() {
            // The error that stopped the change is the one to report.
            let _ = fs::remove_file(&copy);
        }
        changed
    }

    fn change_copy(
        &self,
        copy: &Path,
        former: &[u8],
        key: &str,
        name: &str,
        value: Option<&Value>,
    ) -> Result<(), Error> {
        let failed = |error: io::Error| {
            Error::failed(format!("cannot write {}", copy.display())).because(error)
        };
        // What an interrupted run has left.
        match fs::remove_file(copy) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        File::create_new(copy)
            .and_then(|mut file| file.write_all(former))
            .map_err(failed)?;
        let change = format!(
            "{FIRST_LINE}\n\n{}\n\"{name}\"={}\n",
            key_line(key),
            value.map_or("-".into(), notation)
        );
        run(&["--merge".into(), copy.into()], change.as_bytes())
            .map_err(|failure| failure.into_error(self.failed("change")))?;
        keep_security(&self.file, copy).map_err(failed)?;
        File::options()
            .write(true)
            .open(copy)
            .and_then(|file| file.sync_all())
            .map_err(failed)
    }

    /// The changed copy is a clean hive, and nothing in it differs but the value that was to.
    fn check_copy(
        &self,
        copy: &Path,
        before: &[u8],
        key: &str,
        name: &str,
        value: Option<&Value>,
    ) -> Result<(), Error> {
        let refusal = |cause: String| {
            self.failed("change")
                .because(cause)
                .advise("The hive is as it was. Please report this.")
        };
        let bytes = fs::read(copy).map_err(|error| self.failed("change").because(error))?;
        BaseBlock::of_clean_hive(&bytes)
            .map_err(|unfit| refusal(format!("of the changed copy: {unfit}")))?;
        let after = self.export(copy, "\\")?;
        let key_line = key_line(key);
        if !others(before, &key_line, name).eq(others(&after, &key_line, name)) {
            return Err(refusal(format!(
                "{PROGRAM} changed more in the copy than it was told to"
            )));
        }
        let stored = value_line(&after, &key_line, name).map(parse_value);
        if stored != value.cloned().map(Some) {
            return Err(refusal(format!(
                "{PROGRAM} stored something else in the copy"
            )));
        }
        Ok(())
    }

    /// The hive's bytes; refuses one that is damaged, or not complete without its logs.
    fn read_clean(&self) -> Result<Vec<u8>, Error> {
        let bytes = fs::read(&self.file).map_err(|error| self.failed("read").because(error))?;
        let unfit = |unfit: Unfit| {
            let error =
                Error::failed(format!("will not touch {}", self.file.display())).because(unfit);
            match unfit {
                Unfit::Dirty(..) | Unfit::LogIsNewer => error.advise(
                    "Start that Windows and shut it down whole (\"shutdown /s /t 0\"), or do this on a Windows, which \
                     replays the logs.",
                ),
                _ => error,
            }
        };
        let base = BaseBlock::of_clean_hive(&bytes).map_err(unfit)?;
        let folder = self.file.parent().unwrap_or(Path::new("."));
        for name in &HIVE_FILES[1..] {
            let log = find(folder, name)
                .and_then(|log| log.map(fs::read).transpose())
                .map_err(|error| {
                    Error::failed(format!("cannot read {name} in {}", folder.display()))
                        .because(error)
                })?;
            if let Some(log) = log {
                base.refuse_newer_log(&log).map_err(unfit)?;
            }
        }
        Ok(bytes)
    }

    /// A key with everything below it, in the notation of regedit, sorted; empty where there is no such key.
    fn export(&self, file: &Path, key: &str) -> Result<Vec<u8>, Error> {
        let arguments = ["--export".into(), file.into(), key.into()];
        match run(&arguments, &[]) {
            Err(Failure::Said(text)) if text.contains("path not found") => Ok(Vec::new()),
            exported => exported.map_err(|failure| failure.into_error(self.failed("read"))),
        }
    }

    fn failed(&self, doing: &str) -> Error {
        Error::failed(format!("cannot {doing} {}", self.file.display()))
    }
}

/// Why the program gave no answer.
#[derive(Debug)]
enum Failure {
    Missing,
    Io(io::Error),
    /// It failed with these words.
    Said(String),
}

impl Failure {
    fn into_error(self, error: Error) -> Error {
        match self {
            Self::Missing => error
                .because(format!("it takes the program {PROGRAM}, which is not here"))
                .advise(
                    "Install it (Debian: apt-get install libwin-hivex-perl; Fedora: dnf install perl-hivex), or do this \
                     on a Windows.",
                ),
            Self::Io(cause) => error.because(format!("{PROGRAM}: {cause}")),
            Self::Said(text) => error.because(format!("{PROGRAM} says: {text}")),
        }
    }
}

/// Runs the program with `input` as its standard input, and gives what it writes.
fn run(arguments: &[OsString], input: &[u8]) -> Result<Vec<u8>, Failure> {
    let spawned = Command::new(PROGRAM)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(Failure::Missing),
        Err(error) => return Err(Failure::Io(error)),
    };
    // The input is one small change, which a pipe holds; a program that does not want it has said why.
    let mut stdin = child.stdin.take().expect("it was asked for");
    let written = stdin.write_all(input);
    drop(stdin);
    let output = child.wait_with_output().map_err(Failure::Io)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::Said(
            said.lines().next().unwrap_or_default().to_owned(),
        ));
    }
    written.map_err(Failure::Io)?;
    Ok(output.stdout)
}

fn key_line(key: &str) -> String {
    format!("[\\{key}]")
}

/// The line of a value in an exported text.
fn value_line<'t>(text: &'t [u8], key_line: &str, name: &str) -> Option<&'t [u8]> {
    marked(text, key_line, name)
        .find_map(|(line, is_value)| is_value.then_some(line))
        .and_then(|line| line.get(name.len() + 3..))
}

/// All lines of an exported text but that of one value.
fn others<'t>(text: &'t [u8], key_line: &str, name: &str) -> impl Iterator<Item = &'t [u8]> {
    marked(text, key_line, name).filter_map(|(line, is_value)| (!is_value).then_some(line))
}

/// The lines of an exported text, with whether it is the one of that value; names do not differ by case.
fn marked<'t>(
    text: &'t [u8],
    key_line: &str,
    name: &str,
) -> impl Iterator<Item = (&'t [u8], bool)> {
    let start = format!("\"{name}\"=");
    let mut is_in_key = false;
    text.split(|byte| *byte == b'\n').map(move |line| {
        if line.starts_with(b"[") {
            is_in_key = line.eq_ignore_ascii_case(key_line.as_bytes());
        }
        let is_value = is_in_key
            && line
                .get(..start.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()));
        (line, is_value)
    })
}

/// A value as the program writes it: nothing but numbers, on one line.
fn parse_value(text: &[u8]) -> Option<Value> {
    let text = str::from_utf8(text).ok()?;
    if let Some(number) = text.strip_prefix("dword:") {
        let number = u32::from_str_radix(number, 16).ok()?;
        return Some(Value {
            kind: REG_DWORD,
            data: number.to_le_bytes().into(),
        });
    }
    let (kind, data) = match text.strip_prefix("hex:") {
        Some(data) => (REG_BINARY, data),
        None => {
            let (kind, data) = text.strip_prefix("hex(")?.split_once("):")?;
            (u32::from_str_radix(kind, 16).ok()?, data)
        }
    };
    let data = data
        .split(',')
        .filter(|byte| !byte.is_empty())
        .map(|byte| u8::from_str_radix(byte, 16).ok())
        .collect::<Option<_>>()?;
    Some(Value { kind, data })
}

/// The same the other way.
fn notation(value: &Value) -> String {
    let bytes: Vec<String> = value
        .data
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("hex({:x}):{}", value.kind, bytes.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_the_program_writes_them() {
        let value = |kind, data: &[u8]| {
            Some(Value {
                kind,
                data: data.into(),
            })
        };
        assert_eq!(parse_value(b"dword:0000000a"), value(4, &[10, 0, 0, 0]));
        assert_eq!(
            parse_value(b"hex(7):61,00,00,00"),
            value(7, &[0x61, 0, 0, 0])
        );
        assert_eq!(parse_value(b"hex(7):"), value(7, &[]));
        assert_eq!(parse_value(b"hex:ff"), value(3, &[0xFF]));
        for other in ["", "\"text\"", "hex(7):xx", "hex(:", "dword:"] {
            assert_eq!(parse_value(other.as_bytes()), None, "{other}");
        }
        let list = value(7, b"a\0\0\0").unwrap();
        assert_eq!(parse_value(notation(&list).as_bytes()), Some(list));
    }

    #[test]
    fn a_missing_program_is_named_with_what_to_type() {
        let error = Failure::Missing
            .into_error(Error::failed("cannot read x"))
            .to_string();
        assert!(error.contains("the program hivexregedit"), "{error}");
        assert!(
            error.contains("apt-get install libwin-hivex-perl"),
            "{error}"
        );
    }

    #[test]
    fn a_value_is_found_in_its_own_key_only() {
        let text =
            b"[\\A]\n\"X\"=hex(7):\n\n[\\A\\B]\n\"x\"=dword:00000001\n\"XY\"=dword:00000002\n";
        let of =
            |key| value_line(text, &key_line(key), "X").map(|line| parse_value(line).unwrap().kind);
        assert_eq!((of("A"), of("a\\b"), of("B")), (Some(7), Some(4), None));
        let others: Vec<_> = others(text, &key_line("A\\B"), "X").collect();
        assert_eq!(others.len(), 6);
        assert!(others.contains(&b"\"X\"=hex(7):".as_slice()));
    }
}
