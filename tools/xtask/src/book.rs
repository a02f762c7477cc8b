//! The book: builds it with mdBook, and holds its pages to what they show.
//!
//! What a page of `docs/book` prints in a block comes from somewhere else: listings and texts are included from files that
//! are built, run or compared by tests, and `console` blocks are run and compared by `tools/bootshotctl/tests/docs.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure as hold};

use crate::process::{self, host_cargo, step};
use crate::{dist, workspace};

/// The release of mdBook, which Cargo installs into the target folder.
const MDBOOK: &str = "0.5.4";

/// Languages of blocks that must be included from a file.
const INCLUDED: &[&str] = &["c", "diff", "rust", "text", "toml"];
/// Languages of blocks with what a person types, and of drawings.
const TYPED: &[&str] = &["bat", "diagram", "sh", "windbg"];

/// The job.
pub fn run() -> Result<ExitCode> {
    let pages = pages()?;
    let mut findings = check(&pages)?;
    findings.extend(faults_beside(&pages)?);
    if !findings.is_empty() {
        bail!("the book has faults:\n{}", findings.join("\n"));
    }
    let mdbook = mdbook()?;
    let built = workspace::target().join("book");
    step("Building the book");
    process::run(
        Command::new(mdbook)
            .arg("build")
            .arg(docs())
            .arg("--dest-dir")
            .arg(&built),
    )?;
    let faults = faults_of_html(&built)?;
    if !faults.is_empty() {
        bail!("what mdBook made has faults:\n{}", faults.join("\n"));
    }
    println!("{}", workspace::display(&built.join("index.html")));
    Ok(ExitCode::SUCCESS)
}

fn docs() -> PathBuf {
    workspace::root().join("docs")
}

/// mdBook, installed if it is not there yet; a program of its own, so that xtask stays quick to build.
fn mdbook() -> Result<PathBuf> {
    let root = workspace::target().join("tools");
    let program = root
        .join("bin")
        .join("mdbook")
        .with_extension(std::env::consts::EXE_EXTENSION);
    let version = process::output(Command::new(&program).arg("--version"));
    if version.is_ok_and(|version| version.trim().ends_with(MDBOOK)) {
        return Ok(program);
    }
    step(format!(
        "Installing mdBook {MDBOOK} into {}",
        root.display()
    ));
    process::run(
        host_cargo("install")
            .args([
                "mdbook",
                "--version",
                MDBOOK,
                "--locked",
                "--no-default-features",
            ])
            .args(["--features", "search", "--root"])
            .arg(&root),
    )?;
    Ok(program)
}

/// The pages below `docs`, by their paths from there, with `/` between the parts.
type Pages = BTreeMap<String, String>;

fn pages() -> Result<Pages> {
    let mut pages = Pages::new();
    for file in files(&docs())? {
        let name = slashed(&file);
        if name.ends_with(".md") {
            pages.insert(name, read(&docs().join(&file))?);
        }
    }
    Ok(pages)
}

/// Every file below a folder, by its path from there.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(below) = folders.pop() {
        let path = folder.join(&below);
        let entries =
            fs::read_dir(&path).with_context(|| format!("could not list {}", path.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("could not list {}", path.display()))?;
            let name = below.join(entry.file_name());
            match entry.file_type()?.is_dir() {
                true if IGNORED.iter().any(|ignored| entry.file_name() == *ignored) => {}
                true => folders.push(name),
                false => found.push(name),
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Folders that hold what others made.
const IGNORED: &[&str] = &[".git", "node_modules", "target"];

fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))
}

/// What is wrong with the pages, one line each.
fn check(pages: &Pages) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    let summary = pages.get("SUMMARY.md").context("there is no SUMMARY.md")?;
    let listed: BTreeSet<&str> = links(summary).into_iter().collect();
    for (name, page) in pages {
        let mut found = |what: String| findings.push(format!("docs/{name}: {what}"));
        if name != "SUMMARY.md" && !listed.contains(name.as_str()) {
            found("is not in SUMMARY.md".to_owned());
        }
        for link in links(page) {
            if let Some(fault) = fault_of_link(pages, name, link) {
                found(format!("link to {link}: {fault}"));
            }
        }
        for include in includes(page) {
            if let Some(fault) = fault_of_include(name, include) {
                found(format!("include of {include}: {fault}"));
            }
        }
        if name.starts_with("book/") {
            for block in blocks(page) {
                if let Some(fault) = fault_of_block(&block) {
                    found(format!("block at line {}: {fault}", block.line));
                }
            }
        }
    }
    Ok(findings)
}

/// Links that lead nowhere in the pages beside `docs`: README, CONTRIBUTING and their like.
fn faults_beside(pages: &Pages) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    let root = workspace::root();
    let entries =
        fs::read_dir(root).with_context(|| format!("could not list {}", root.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let page = read(&path)?;
        for link in links(&page) {
            if leads_nowhere(pages, &page, link) {
                findings.push(format!("{}: link to {link}", workspace::display(&path)));
            }
        }
    }
    Ok(findings)
}

/// Whether a link in a page of the workspace's own folder leads nowhere.
fn leads_nowhere(pages: &Pages, page: &str, link: &str) -> bool {
    if link.contains("://") {
        return false;
    }
    let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
    let there = match target {
        "" => Some(page),
        _ => target
            .strip_prefix("docs/")
            .and_then(|name| pages.get(name).map(String::as_str)),
    };
    let has_anchor = |page| anchor.is_empty() || ids(page).contains(anchor);
    !workspace::root().join(target).exists() || !there.is_none_or(has_anchor)
}

/// A block between fences.
struct Block<'p> {
    line: usize,
    language: &'p str,
    lines: Vec<&'p str>,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for (number, line) in page.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => blocks.push(block),
            (Some(language), None) => {
                open = Some(Block {
                    line: number + 1,
                    language: language.trim(),
                    lines: Vec::new(),
                });
            }
            (None, Some(mut block)) => {
                block.lines.push(line);
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    // One that is not closed has no language that is allowed.
    blocks.extend(open.map(|block| Block {
        language: "not closed",
        ..block
    }));
    blocks
}

fn fault_of_block(block: &Block<'_>) -> Option<String> {
    let is_include = |line: &str| line.trim_start().starts_with("{{#include ");
    match block.language {
        "console" => {
            let commands = block.lines.iter().filter(|line| line.starts_with("$ "));
            let others = commands
                .clone()
                .filter(|line| !line.starts_with("$ bootshotctl "));
            if commands.count() == 0 {
                Some("no command that a test could run".to_owned())
            } else {
                others
                    .map(|line| format!("`{line}` is not run by a test"))
                    .next()
            }
        }
        language if INCLUDED.contains(&language) => {
            (!block.lines.iter().any(|line| is_include(line)))
                .then(|| format!("{language} that is included from nowhere"))
        }
        language if TYPED.contains(&language) => None,
        language => Some(format!("a block of `{language}`, which is held to nothing")),
    }
}

/// The targets of links in the text, neither in blocks nor between back quotes.
fn links(page: &str) -> Vec<&str> {
    let mut links = Vec::new();
    let mut in_block = false;
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            for text in line.split('`').step_by(2) {
                links.extend(text.split("](").skip(1).filter_map(|rest| {
                    let (target, _) = rest.split_once(')')?;
                    target.split_whitespace().next()
                }));
            }
        }
    }
    links
}

fn fault_of_link(pages: &Pages, from: &str, link: &str) -> Option<String> {
    if link.contains("://") {
        return None;
    }
    let (path, anchor) = match link.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor)),
        None => (link, None),
    };
    let target = match path {
        "" => from.to_owned(),
        _ => match beside(from, path) {
            Some(target) => target,
            None => return Some("it leaves the book".to_owned()),
        },
    };
    if !docs().join(&target).is_file() {
        return Some("there is no such file".to_owned());
    }
    let anchor = anchor?;
    let page = pages.get(&target)?;
    (!ids(page).contains(anchor)).then(|| "there is no such heading".to_owned())
}

/// A path from the folder of a page, as one from `docs`; none where it leads out of there.
fn beside(page: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::Normal(part) => parts.push(part.to_str()?),
            _ => {}
        }
    }
    Some(parts.join("/"))
}

/// What mdBook calls the headings of a page; a heading that comes again gets a number.
fn ids(page: &str) -> BTreeSet<String> {
    let mut counts = BTreeMap::new();
    let mut ids = BTreeSet::new();
    let mut in_block = false;
    for line in page.lines() {
        if line.starts_with("```") {
            in_block = !in_block;
        }
        let Some((hashes, heading)) = line.split_once(' ') else {
            continue;
        };
        if in_block || hashes.is_empty() || hashes.bytes().any(|byte| byte != b'#') {
            continue;
        }
        let id: String = heading
            .trim()
            .chars()
            .filter_map(|character| match character {
                _ if character.is_whitespace() => Some('-'),
                '-' | '_' => Some(character),
                _ if character.is_alphanumeric() => character.to_lowercase().next(),
                _ => None,
            })
            .collect();
        let count: &mut usize = counts.entry(id.clone()).or_default();
        ids.insert(match *count {
            0 => id,
            count => format!("{id}-{count}"),
        });
        *count += 1;
    }
    ids
}

fn includes(page: &str) -> impl Iterator<Item = &str> {
    page.split("{{#include ")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once("}}")?.0.trim()))
}

fn fault_of_include(from: &str, include: &str) -> Option<String> {
    let (path, part) = match include.split_once(':') {
        Some((path, part)) => (path, Some(part)),
        None => (include, None),
    };
    let folder = docs().join(from);
    let file = folder.parent()?.join(path);
    let Ok(text) = fs::read_to_string(&file) else {
        return Some("there is no such file".to_owned());
    };
    // Lines, as `2:5`, or the name of a part.
    let name = part.filter(|part| !part.contains(':'))?;
    let has = |mark: &str| {
        let mark = format!("{mark}: {name}");
        text.lines().any(|line| line.trim_end().ends_with(&mark))
    };
    (!has("ANCHOR") || !has("ANCHOR_END")).then(|| format!("the file has no part `{name}`"))
}

/// Links of the pages that mdBook made which lead nowhere, and includes that it did not resolve.
fn faults_of_html(folder: &Path) -> Result<Vec<String>> {
    let mut texts = BTreeMap::new();
    for file in files(folder)? {
        let name = slashed(&file);
        if name.ends_with(".html") {
            texts.insert(name, read(&folder.join(&file))?);
        }
    }
    hold!(texts.len() > 20, "mdBook made {} pages", texts.len());
    Ok(faults_of_made(&texts, |target| {
        folder.join(target).exists()
    }))
}

/// The same, of pages by their names among files that are there or not.
fn faults_of_made(texts: &BTreeMap<String, String>, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, text) in texts {
        // The page of all pages repeats what the others have, under other names.
        if name == "print.html" || name == "toc.html" || name == "404.html" {
            continue;
        }
        if text.contains("{{#") {
            faults.push(format!("{name}: something was not included"));
        }
        for link in attributes(text, "href") {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            if link.contains(':') || link.starts_with("//") {
                continue;
            }
            let target = match path {
                "" => Some(name.clone()),
                _ => beside(name, path),
            };
            let Some(target) = target.filter(|target| exists(target)) else {
                faults.push(format!("{name}: {link} leads nowhere"));
                continue;
            };
            let has = |text: &String| attributes(text, "id").any(|id| id == anchor);
            if !anchor.is_empty() && texts.get(&target).is_some_and(|text| !has(text)) {
                faults.push(format!("{name}: {link} names no heading"));
            }
        }
    }
    faults
}

/// The values of an attribute in a page.
fn attributes<'t>(text: &'t str, name: &str) -> impl Iterator<Item = &'t str> {
    let start = format!(" {name}=\"");
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, behind) = rest.split_once(&start)?;
        let (value, behind) = behind.split_once('"')?;
        rest = behind;
        Some(value)
    })
}

/// The worked example: a copy of the sources with the patch of the book, in which the test that it brings must pass.
pub fn add_a_section() -> Result<()> {
    let folder = workspace::target().join("book-example");
    let (fresh, patched) = (folder.join("fresh"), folder.join("patched"));
    if fresh.exists() {
        fs::remove_dir_all(&fresh)
            .with_context(|| format!("could not remove {}", fresh.display()))?;
    }
    for file in files(workspace::root())? {
        dist::copy(&workspace::root().join(&file), &fresh.join(&file))?;
    }
    process::run(
        Command::new("git")
            .args(["apply", "docs/book/add-a-section.patch"])
            .current_dir(&fresh)
            // Or else git takes the copy for a part of the checkout around it.
            .env("GIT_CEILING_DIRECTORIES", &folder),
    )
    .context("docs/book/add-a-section.patch does not fit the sources any more")?;
    // Only what changed is copied, so only that is compiled.
    let wanted = files(&fresh)?;
    for file in &wanted {
        dist::copy(&fresh.join(file), &patched.join(file))?;
    }
    for file in files(&patched)? {
        if wanted.binary_search(&file).is_err() {
            fs::remove_file(patched.join(&file))
                .with_context(|| format!("could not remove {}", file.display()))?;
        }
    }
    // In a target folder of its own: Cargo takes the copy's crates for ours, whatever is in them. Unoptimised, as one small
    // test does not pay for more.
    process::run(
        host_cargo("test")
            .current_dir(&patched)
            .args(["--locked", "--test=exceptions"])
            .args(
                ["bootshot", "bootshot-reader"]
                    .map(|package| format!("--config=profile.dev.package.{package}.opt-level=0")),
            )
            .arg("--target-dir")
            .arg(folder.join("target")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(page: &str) -> Vec<String> {
        blocks(page).iter().filter_map(fault_of_block).collect()
    }

    #[test]
    fn the_pages_are_listed_linked_and_made_of_what_is_built() {
        let findings = check(&pages().unwrap()).unwrap();
        assert!(findings.is_empty(), "{}", findings.join("\n"));
    }

    #[test]
    fn the_pages_beside_docs_link_to_what_is_there() {
        let findings = faults_beside(&pages().unwrap()).unwrap();
        assert!(findings.is_empty(), "{}", findings.join("\n"));
    }

    #[test]
    fn a_link_beside_docs_that_leads_nowhere_is_found() {
        let pages = Pages::from([("format.md".to_owned(), "# One\n".to_owned())]);
        let nowhere = |link| leads_nowhere(&pages, "# Two\n", link);
        for sound in ["docs/format.md#one", "#two", "docs", "https://example.com/"] {
            assert!(!nowhere(sound), "{sound}");
        }
        for broken in ["docs/format.md#two", "#one", "docs/gone.md"] {
            assert!(nowhere(broken), "{broken}");
        }
    }

    #[test]
    fn a_listing_that_is_typed_into_a_page_is_found() {
        assert_eq!(faults("```rust\nfn main() {}\n```\n").len(), 1);
        assert_eq!(faults("```\nwhat\n```\n").len(), 1);
        assert_eq!(faults("```text\nnot closed\n").len(), 1);
        assert!(faults("```rust\n{{#include x.rs}}\n```\n").is_empty());
        assert!(faults("```bat\nreg query\n```\n").is_empty());
    }

    #[test]
    fn an_output_that_no_test_runs_is_found() {
        assert_eq!(faults("```console\nsomething\n```\n").len(), 1);
        assert_eq!(faults("```console\n$ date\nnoon\n```\n").len(), 1);
        assert!(faults("```console\n$ bootshotctl peb x\n```\n").is_empty());
    }

    #[test]
    fn links_are_found_in_the_text_alone() {
        let page = "a [b](c.md) `[d](e.md)` ![f](g.svg \"h\")\n```\n[i](j.md)\n```\n";
        assert_eq!(links(page), ["c.md", "g.svg"]);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let page = "# One `two`, three\n\n## One\n\n## One\n".to_owned();
        let pages = Pages::from([("format.md".to_owned(), page)]);
        let fault = |link| fault_of_link(&pages, "book/x.md", link);
        for sound in [
            "../format.md#one-two-three",
            "../format.md#one",
            "../format.md#one-1",
            "https://example.com/",
        ] {
            assert_eq!(fault(sound), None, "{sound}");
        }
        for broken in [
            "../format.md#one-2",
            "../nothing.md",
            "../../README.md",
            "format.md",
        ] {
            assert!(fault(broken).is_some(), "{broken}");
        }
    }

    #[test]
    fn an_include_that_is_gone_is_found() {
        let fault = |include| fault_of_include("book/x.md", include);
        assert_eq!(fault("../../tools/size-ladder/std.rs"), None);
        assert_eq!(fault("../../ntdll-lib/ntdll.x86_64.def::12"), None);
        assert!(fault("../../tools/size-ladder/gone.rs").is_some());
        assert!(fault("../../tools/size-ladder/std.rs:gone").is_some());
    }

    #[test]
    fn what_mdbook_could_not_resolve_is_found() {
        let page = |body: &str| BTreeMap::from([("book/a.html".to_owned(), body.to_owned())]);
        let faults = |body: &str| {
            faults_of_made(&page(body), |target| {
                ["book/a.html", "b.svg"].contains(&target)
            })
        };
        let sound = "<h1 id=\"x\"><a href=\"#x\"><a href=\"../b.svg\"><a href=\"https://c\">";
        assert_eq!(faults(sound), Vec::<String>::new());
        for broken in [
            "<a href=\"gone.html\">",
            "<a href=\"#gone\">",
            "<a href=\"../../b.svg\">",
            "{{#include x}}",
        ] {
            assert_eq!(faults(broken).len(), 1, "{broken}");
        }
    }

    #[test]
    fn values_of_attributes_are_found() {
        let text = "<a id=\"x\" href=\"a.html#b\">c</a><a href=\"d\">";
        assert_eq!(
            attributes(text, "href").collect::<Vec<_>>(),
            ["a.html#b", "d"]
        );
    }
}
