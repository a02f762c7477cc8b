//! One entry of a Session Manager list: its grammar, and the form ours has.
//!
//! smss splits on white space and knows no quoting; keywords, in any case, may stand before the image name.
//! What counts as white space (everything up to U+0020) and the order of the search below were read in the
//! sources of ReactOS' smss and of its `RtlDosSearchPath_U`.

use std::fmt;

/// The image name of our entries; smss adds `.exe`.
const OUR_IMAGE: &str = "bootshot";

/// An entry as it stands in the registry: UTF-16 that need not be well formed.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry(Vec<u16>);

/// What smss sees in an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command<'a> {
    /// `autocheck`: the child gets the NT path and the arguments instead of the entry.
    pub autocheck: bool,
    /// `async`: smss does not wait.
    pub asynchronous: bool,
    /// `debug`: sets the debug flags of the process parameters.
    pub debug: bool,
    /// `secure`: a keyword of newer builds.
    pub secure: bool,
    /// The image name, as written.
    pub image: &'a [u16],
    /// Everything behind the image name, without the white space between.
    pub arguments: &'a [u16],
}

impl Entry {
    /// The entry that `arguments`, none of which may contain white space, make for our image.
    pub fn ours(asynchronous: bool, arguments: &[String]) -> Self {
        let mut text = String::new();
        if asynchronous {
            text.push_str("async ");
        }
        text.push_str(OUR_IMAGE);
        for argument in arguments {
            text.push(' ');
            text.push_str(argument);
        }
        Self::from(text.as_str())
    }

    /// Takes the entry apart as smss does; `None` when there is no image name in it.
    pub fn command(&self) -> Option<Command<'_>> {
        let mut command = Command::default();
        let mut rest = self.0.as_slice();
        loop {
            let token;
            (token, rest) = split_token(rest)?;
            let keyword = if is_keyword(token, "autocheck") {
                &mut command.autocheck
            } else if is_keyword(token, "async") {
                &mut command.asynchronous
            } else if is_keyword(token, "debug") {
                &mut command.debug
            } else if is_keyword(token, "secure") {
                &mut command.secure
            } else {
                command.image = token;
                command.arguments = trim_start(rest);
                return Some(command);
            };
            *keyword = true;
        }
    }

    /// Whether the entry starts our image: by its bare name, as only we register it.
    pub fn is_ours(&self) -> bool {
        self.command().is_some_and(|command| {
            let image = String::from_utf16_lossy(command.image).to_ascii_lowercase();
            image == OUR_IMAGE || image.strip_suffix(".exe") == Some(OUR_IMAGE)
        })
    }

    /// Whether the entry is the one that Windows servicing adds for a single boot.
    pub fn is_servicing(&self) -> bool {
        self.command().is_some_and(|command| {
            let image = String::from_utf16_lossy(command.image).to_ascii_lowercase();
            let name = image.rsplit('\\').next().unwrap_or(&image);
            name == "poqexec" || name == "poqexec.exe"
        })
    }

    /// The value of the argument `key=value`, the last one where there are several.
    pub fn argument(&self, key: &str) -> Option<String> {
        let arguments = String::from_utf16_lossy(self.command()?.arguments);
        arguments
            .split(|c: char| c <= ' ')
            .rev()
            .filter_map(|argument| argument.split_once('='))
            .find(|(name, _)| name.eq_ignore_ascii_case(key))
            .map(|(_, value)| value.to_owned())
    }

    /// Whether `word` is one of the arguments.
    pub fn has_word(&self, word: &str) -> bool {
        self.command().is_some_and(|command| {
            command
                .arguments
                .split(|unit| is_space(*unit))
                .any(|argument| is_keyword(argument, word))
        })
    }

    /// The entry's code units.
    pub fn units(&self) -> &[u16] {
        &self.0
    }

    /// Whether the two differ in the case of ASCII letters at most.
    pub fn same(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self
                .0
                .iter()
                .zip(&other.0)
                .all(|(one, two)| lowercase(*one) == lowercase(*two))
    }
}

impl AsRef<[u16]> for Entry {
    fn as_ref(&self) -> &[u16] {
        &self.0
    }
}

impl From<Vec<u16>> for Entry {
    fn from(units: Vec<u16>) -> Self {
        Self(units)
    }
}

impl From<&str> for Entry {
    fn from(text: &str) -> Self {
        Self(text.encode_utf16().collect())
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&String::from_utf16_lossy(&self.0))
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf16_lossy(&self.0))
    }
}

/// The files smss would try for the image name `image`, in its order. `path` is the Session Manager's own `Path`,
/// expanded; `system_root` is a DOS path such as `C:\Windows`.
pub fn candidates(image: &str, path: &str, system_root: &str) -> Vec<String> {
    let is_separator = |c: char| matches!(c, '\\' | '/');
    let drive = image
        .strip_prefix(|c: char| c.is_ascii_alphabetic())
        .and_then(|rest| rest.strip_prefix(':'));
    if drive.is_some_and(|rest| rest.starts_with(is_separator)) {
        return vec![image.to_owned()];
    }
    if image.starts_with(is_separator) {
        // Relative to the root of the current drive, unless it is a UNC path.
        let is_unc = image[1..].starts_with(is_separator);
        let root = system_root.get(..2).filter(|_| !is_unc).unwrap_or("");
        return vec![format!("{root}{image}")];
    }
    // A dot anywhere in the name stands for an extension.
    let extension = if image.contains('.') { "" } else { ".exe" };
    let system32 = format!("{system_root}\\System32");
    path.split(';')
        .filter(|directory| !directory.is_empty())
        .chain([system32.as_str()])
        .map(|directory| {
            format!(
                "{}\\{image}{extension}",
                directory.trim_end_matches(is_separator)
            )
        })
        .collect()
}

fn split_token(units: &[u16]) -> Option<(&[u16], &[u16])> {
    let units = trim_start(units);
    let end = units
        .iter()
        .position(|unit| is_space(*unit))
        .unwrap_or(units.len());
    (end != 0).then(|| units.split_at(end))
}

fn trim_start(units: &[u16]) -> &[u16] {
    let start = units
        .iter()
        .position(|unit| !is_space(*unit))
        .unwrap_or(units.len());
    &units[start..]
}

fn is_space(unit: u16) -> bool {
    unit <= u16::from(b' ')
}

fn is_keyword(token: &[u16], keyword: &str) -> bool {
    token
        .iter()
        .map(|unit| lowercase(*unit))
        .eq(keyword.encode_utf16())
}

fn lowercase(unit: u16) -> u16 {
    u8::try_from(unit).map_or(unit, |byte| u16::from(byte.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(entry: &Entry) -> (String, String, [bool; 4]) {
        let command = entry.command().expect("an image name");
        (
            String::from_utf16_lossy(command.image),
            String::from_utf16_lossy(command.arguments),
            [
                command.autocheck,
                command.asynchronous,
                command.debug,
                command.secure,
            ],
        )
    }

    #[test]
    fn keywords_in_any_case_and_order_stand_before_the_image() {
        let entry = Entry::from(" AutoCheck\tASYNC secure debug autochk  /r \\??\\C: ");
        assert_eq!(
            command(&entry),
            ("autochk".into(), "/r \\??\\C: ".into(), [true; 4])
        );
    }

    #[test]
    fn a_keyword_behind_the_image_is_an_argument() {
        let entry = Entry::from("bootshot async");
        assert_eq!(
            command(&entry),
            ("bootshot".into(), "async".into(), [false; 4])
        );
    }

    #[test]
    fn there_is_no_quoting() {
        let entry = Entry::from("\"C:\\Program Files\\x.exe\" a");
        assert_eq!(command(&entry).0, "\"C:\\Program");
    }

    #[test]
    fn an_entry_of_keywords_alone_starts_nothing() {
        for text in ["", "  ", "async", "autocheck async"] {
            assert_eq!(Entry::from(text).command(), None, "{text:?}");
        }
    }

    #[test]
    fn ours_is_known_by_its_image_name_alone() {
        for text in [
            "bootshot",
            "BootShot.EXE quiet",
            "async bootshot phase=live",
        ] {
            assert!(Entry::from(text).is_ours(), "{text}");
        }
        for text in [
            "bootshot2",
            "autocheck autochk *",
            "x bootshot",
            "C:\\t\\bootshot.exe",
            "",
        ] {
            assert!(!Entry::from(text).is_ours(), "{text}");
        }
        assert!(Entry::ours(true, &["phase=live".into()]).is_ours());
        assert_eq!(
            Entry::ours(true, &["a=b".into(), "quiet".into()]).to_string(),
            "async bootshot a=b quiet"
        );
    }

    #[test]
    fn servicing_is_known_with_and_without_a_path() {
        assert!(Entry::from("poqexec /display_progress \\SystemRoot\\x").is_servicing());
        assert!(Entry::from("C:\\Windows\\System32\\POQEXEC.exe /noreboot").is_servicing());
        assert!(!Entry::from("bootshot poqexec").is_servicing());
    }

    #[test]
    fn the_last_of_equal_arguments_counts() {
        let entry = Entry::from("bootshot dir=\\a DIR=\\??\\D:\\b=c keep=2");
        assert_eq!(entry.argument("dir").as_deref(), Some("\\??\\D:\\b=c"));
        assert_eq!(entry.argument("only"), None);
    }

    #[test]
    fn the_search_goes_along_path_then_system32_and_adds_exe() {
        assert_eq!(
            candidates("bootshot", "D:\\tools\\;;C:\\Windows", "C:\\Windows"),
            [
                "D:\\tools\\bootshot.exe",
                "C:\\Windows\\bootshot.exe",
                "C:\\Windows\\System32\\bootshot.exe"
            ]
        );
        assert_eq!(
            candidates("a.b", "", "C:\\Windows"),
            ["C:\\Windows\\System32\\a.b"]
        );
    }

    #[test]
    fn an_absolute_name_is_not_searched() {
        for (image, file) in [
            ("D:\\x", "D:\\x"),
            ("\\Windows\\x.exe", "C:\\Windows\\x.exe"),
            ("\\\\server\\share\\x.exe", "\\\\server\\share\\x.exe"),
        ] {
            assert_eq!(candidates(image, "C:\\p", "C:\\Windows"), [file]);
        }
    }
}
