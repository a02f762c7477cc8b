//! Where the arguments of a command line begin.

/// What images end with.
const EXTENSIONS: [&str; 5] = [".exe", ".sys", ".com", ".bat", ".cmd"];
const EXTENSION_LENGTH: usize = 4;

/// No path of an image has these, or hardly one (`&`). What was removed is one of them.
const NOT_OF_IMAGES: [char; 6] = ['*', '"', '<', '>', '|', '&'];

/// What else ends an image behind its extension: `cmd` asks for no blank there.
const BEHIND_AN_IMAGE: [char; 3] = ['/', ',', ';'];

/// No file or directory begins with these, and arguments do: options, paths, variables, lists of arguments.
const BEGINNINGS: [char; 5] = ['-', '/', '\\', '%', '@'];

/// A path has these in its first word only, if at all.
const BEHIND_THE_FIRST_WORD: [char; 2] = [':', '='];

/// Where the arguments of a command line begin: behind its image. Paths with blanks are not always quoted, so that is a
/// guess: an image ends with an extension, and where a sign of arguments stands before the first of them, with the first
/// word. Of several strings only the first can be an image.
///
/// With `*` for everything from there on but white space, the place is the same: so a snapshot can be compared with a
/// redacted one by what both still have. What ends an image must therefore be white space or such that `*` ends it too, and
/// nothing behind the place may matter.
pub(crate) fn arguments_of(text: &str) -> usize {
    let text = text.split('\0').next().unwrap_or_default();
    let line = text.trim_start();
    let start = text.len() - line.len();
    let Some(quoted) = line.strip_prefix('"') else {
        return start + end_of_image(line, false).unwrap_or_else(|| end_of_word(line));
    };
    let Some(end) = quoted.find('"') else {
        return start + 1 + end_of_image(quoted, true).unwrap_or_else(|| end_of_word(quoted));
    };
    match end_of_image(&quoted[..end], true) {
        // Image and arguments in one pair of quotes.
        Some(image) if image < end => start + 1 + image,
        _ => start + 1 + end + 1,
    }
}

/// Whether white space is left where arguments are removed.
pub(super) fn is_blank(unit: u16) -> bool {
    char::from_u32(unit.into()).is_some_and(char::is_whitespace)
}

fn end_of_word(text: &str) -> usize {
    text.find(char::is_whitespace).unwrap_or(text.len())
}

/// Where the image ends, if an extension or a sign of arguments tells.
fn end_of_image(text: &str, quoted: bool) -> Option<usize> {
    let mut first_blank = None;
    let mut previous = '\0';
    for (place, character) in text.char_indices() {
        let is_blank = character.is_whitespace();
        let ends_images =
            is_blank || NOT_OF_IMAGES.contains(&character) || BEHIND_AN_IMAGE.contains(&character);
        if ends_images && ends_with_an_extension(&text[..place]) {
            return Some(place);
        }
        if is_blank && first_blank.is_none() {
            first_blank = Some(place);
            // Without quotes and a directory, it is one word.
            if !quoted && !text[..place].contains(['\\', '/']) {
                return Some(place);
            }
        }
        let rest = &text[place..];
        let begins_an_argument =
            previous.is_whitespace() && (BEGINNINGS.contains(&character) || is_relative_path(rest));
        let is_sign = NOT_OF_IMAGES.contains(&character)
            || begins_an_argument
            || first_blank.is_some() && BEHIND_THE_FIRST_WORD.contains(&character);
        if is_sign {
            return Some(first_blank.unwrap_or(place));
        }
        previous = character;
    }
    ends_with_an_extension(text).then_some(text.len())
}

fn ends_with_an_extension(text: &str) -> bool {
    let start = text.len().checked_sub(EXTENSION_LENGTH);
    let end = start.and_then(|start| text.get(start..));
    end.is_some_and(|end| {
        EXTENSIONS
            .iter()
            .any(|extension| end.eq_ignore_ascii_case(extension))
    })
}

/// Whether a path begins here that is below this directory or the one above: other names may begin with a dot too.
fn is_relative_path(text: &str) -> bool {
    ["..", ".\\", "./"]
        .iter()
        .any(|beginning| text.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images, and what stands behind them.
    const LINES: [(&str, &str); 52] = [
        ("", ""),
        ("C:\\x.exe", ""),
        ("C:\\x.exe", " "),
        ("C:\\x.exe", "\0"),
        ("C:\\x.exe", " -k a"),
        ("C:\\x.EXE", "\thunter2"),
        ("C:\\x.exe", "\u{a0}hunter2"),
        ("C:\\x.exe", "\r\nhunter2"),
        ("C:\\x.exe", "/password:hunter2"),
        ("C:\\x.exe", ",hunter2"),
        ("C:\\x.exe", ">C:\\hunter2.exe"),
        ("C:\\x.exe", "\"hunter2\""),
        ("C:\\x.exe", "\0C:\\hunter2.exe"),
        ("  C:\\x.exe", " hunter2"),
        // With blanks, and without quotes.
        ("C:\\Program Files\\x y\\z.exe", ""),
        ("C:\\Program Files\\x y\\z.exe", "\0"),
        ("C:\\Program Files\\x y\\z.exe", " -k a"),
        ("C:\\Program Files (x86)\\x, y\\z 2.sys", "\t-k a.exe"),
        (
            "\\??\\C:\\Program Files\\x.y\\z.exe",
            " C:\\b.exe D:\\c.sys",
        ),
        ("%ProgramFiles%\\x y\\z.exe", " %1"),
        ("\\\\server\\a share\\z.exe", " hunter2"),
        (
            "C:\\Program Files\\Microsoft .NET\\z.exe",
            " --password=hunter2",
        ),
        ("C:\\x.exe.config\\z.exe", " a"),
        // Several extensions: the first.
        ("C:\\tools\\job.cmd", " --password=hunter2two C:\\b.exe **"),
        ("C:\\tools\\job.cmd", " hunter2 C:\\b.exe"),
        ("C:\\tools\\job.bat", " hunter2.sys"),
        // A sign of arguments before any.
        ("%COMSPEC%", " /c echo hunter2three > C:\\x.bat * and more"),
        ("C:\\tools\\job", " --password=hunter2 C:\\b.exe"),
        ("C:\\tools\\job", " /password:hunter2 b.exe -k a"),
        ("C:\\tools\\job", " hunter2 C:\\b.exe"),
        ("C:\\tools\\job", " hunter2 \\\\server\\b.exe"),
        ("C:\\tools\\job", " hunter2 ..\\b.exe"),
        ("C:\\tools\\job", " hunter2 %TEMP%\\b.exe"),
        ("C:\\tools\\job", " hunter2 @b.exe"),
        ("C:\\tools\\job", " password=hunter2 b.exe"),
        ("C:\\tools\\job", " hunter2>b.exe"),
        ("C:\\tools\\job", " hunter2 | b.exe"),
        ("C:\\tools\\job", " hunter2&b.exe"),
        ("C:\\tools\\job", " \"hunter2\" b.exe"),
        ("C:\\tools\\job", "\"hunter2 b.exe"),
        ("C:\\tools\\job", "\0 hunter2 b.exe"),
        ("job", " hunter2 b.exe"),
        ("job", " hunter2"),
        ("", "*.exe"),
        // Quoted.
        ("\"C:\\Program Files\\x y\\z.exe\"", " -k a"),
        ("\"C:\\Program Files\\x y\\z\"", "hunter2 b.exe"),
        ("\"My Agent\"", " hunter2 b.exe"),
        ("\"job", " hunter2 -b.exe"),
        ("\"\"", "C:\\b.exe\" hunter2"),
        ("\"C:\\x.exe", " hunter2\" more"),
        ("\"My Agent.exe", " --password=hunter2\""),
        ("\"C:\\a", " b\\z hunter2 --more"),
    ];

    fn removed(text: &str, place: usize) -> String {
        let stays = |character: char| character.is_whitespace() || character == '\0';
        let behind = text[place..].chars();
        let behind: String = behind
            .map(|character| if stays(character) { character } else { '*' })
            .collect();
        format!("{}{behind}", &text[..place])
    }

    #[test]
    fn arguments_begin_behind_the_image_and_rather_too_early() {
        for (image, arguments) in LINES {
            let text = format!("{image}{arguments}");
            let place = arguments_of(&text);
            assert_eq!(&text[..place], image, "{text:?}");
            assert_eq!(arguments_of(&removed(&text, place)), place, "{text:?}");
        }
    }

    #[test]
    fn arguments_that_were_removed_begin_where_they_did() {
        const PARTS: [&str; 24] = [
            "C:\\", "a", "b", "é", " ", " ", "\t", "\u{3000}", "\0", ".exe", ".exe", ".SYS", "\"",
            "-", "/", "\\", ":", "=", "*", ">", ",", ".", "%", "@",
        ];
        let mut state = 1_u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as usize
        };
        let mut cut = 0;
        for _ in 0..100_000 {
            let text: String = (0..next() % 12)
                .map(|_| PARTS[next() % PARTS.len()])
                .collect();
            let place = arguments_of(&text);
            assert_eq!(arguments_of(&removed(&text, place)), place, "{text:?}");
            cut += usize::from(place < text.len());
        }
        assert!(cut > 10_000, "{cut}");
    }
}
