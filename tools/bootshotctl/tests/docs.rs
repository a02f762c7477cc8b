//! The pages of the subcommands and of the book show what the commands print: every `console` block is run over a golden
//! snapshot, or over the one that is made up.
//!
//! After a change of the output, `BOOTSHOT_BLESS=1 cargo test -p bootshotctl --test docs` writes the blocks anew.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::{env, fs};

const PROMPT: &str = "$ bootshotctl ";
/// Lines of output that a page shows; how many more there are is said.
const SHOWN: usize = 14;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The golden snapshot that a page calls `live.bshot`, `boot.bshot` or `setup.bshot`, or the one made up of what Wine does
/// not have.
fn snapshot(name: &str) -> Option<PathBuf> {
    static MADE_UP: LazyLock<PathBuf> = LazyLock::new(|| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("made-up.bshot");
        fs::write(&path, test_snapshots::everything()).expect("room for a snapshot");
        path
    });
    let phase = match name {
        "live.bshot" => "live",
        "boot.bshot" => "bootexecute",
        "setup.bshot" => "setupexecute",
        "made-up.bshot" => return Some(MADE_UP.clone()),
        _ => return None,
    };
    Some(root().join(format!("tools/reader/golden/v1-wine8-x64-{phase}.bshot")))
}

/// What a command line prints, shortened as pages show it, with the names that the page gave. `| grep` with plain texts
/// between `|` chooses lines.
fn printed(line: &str) -> String {
    let (line, chosen) = match line.split_once(" | grep -E ") {
        Some((line, texts)) => (line, texts.trim_matches('\'').split('|').collect()),
        None => (line, vec![""]),
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_bootshotctl"));
    let mut names = Vec::new();
    for word in words(line) {
        match snapshot(word) {
            Some(path) => {
                names.push((path.display().to_string(), word));
                command.arg(path);
            }
            None => {
                command.arg(word);
            }
        }
    }
    let output = command.output().expect("it starts");
    let mut text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(
        !text.is_empty(),
        "{line}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    for (path, name) in names {
        text = text.replace(&path, name);
    }
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim_end)
        .filter(|line| chosen.iter().any(|text| line.contains(text)))
        .collect();
    assert!(!lines.is_empty(), "{line}: no line with {chosen:?}");
    let mut shown = lines[..lines.len().min(SHOWN)].join("\n");
    if lines.len() > SHOWN {
        shown += &format!("\n[… {} more lines]", lines.len() - SHOWN);
    }
    shown
}

/// The words of a command line: at blanks, but for those between double quotes.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').enumerate().flat_map(|(place, part)| {
        let words: Vec<&str> = match place % 2 {
            0 => part.split(' ').filter(|word| !word.is_empty()).collect(),
            _ => vec![part],
        };
        words
    })
}

/// The page with the output of every command line in it.
fn with_outputs(page: &str) -> (String, usize) {
    let mut made = String::new();
    let mut commands = 0;
    let mut parts = page.split("```");
    made += parts.next().unwrap_or_default();
    while let (Some(block), Some(behind)) = (parts.next(), parts.next()) {
        made += "```";
        match block.strip_prefix("console\n") {
            Some(block) => {
                made += "console\n";
                let lines = block.lines().filter_map(|line| line.strip_prefix(PROMPT));
                for line in lines {
                    made += &format!("{PROMPT}{line}\n{}\n", printed(line));
                    commands += 1;
                }
            }
            None => made += block,
        }
        made += "```";
        made += behind;
    }
    (made, commands)
}

/// Compares the pages of a folder with what the commands print, or writes that into them; gives the number of commands.
fn check(folder: &str) -> usize {
    let bless = env::var_os("BOOTSHOT_BLESS").is_some();
    let (mut commands, mut stale) = (0, Vec::new());
    for entry in fs::read_dir(root().join(folder)).expect("the pages") {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let page = fs::read_to_string(&path).unwrap();
        let (made, count) = with_outputs(&page);
        commands += count;
        if made != page {
            match bless {
                true => fs::write(&path, made).unwrap(),
                false => stale.push(path),
            }
        }
    }
    assert!(stale.is_empty(), "not what is printed: {stale:?}");
    commands
}

#[test]
fn pages_of_subcommands_show_what_the_commands_print() {
    let commands = check("docs/commands");
    assert!(commands > 20, "{commands} command lines in all pages");
}

#[test]
fn pages_of_the_book_show_what_the_commands_print() {
    let commands = check("docs/book");
    assert!(commands > 20, "{commands} command lines in all pages");
}
