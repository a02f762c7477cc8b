//! A prompt for statements: with history, over several lines, with names completed.

use std::env;
use std::fs;
use std::path::PathBuf;

use bootshot_reader::tables::{TABLES, Table};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use crate::commands::schema::Schema;
use crate::data::answer::{self, Form};
use crate::data::session::Session;
use crate::data::{SNAPSHOT_ID, names};
use crate::error::{Error, Outcome};
use crate::output;
use crate::shown;

const PROMPT: &str = "sql> ";

const HELP: &str = "\
A statement ends with a semicolon and may go over several lines. Tab completes names.
  .tables         the tables and views
  .schema [NAME]  what one of them has
  .help           this
  .quit           leave; Ctrl-D does it too";

/// Words of SQL that are completed beside the names.
const WORDS: &[&str] = &[
    "AND",
    "ASC",
    "BETWEEN",
    "CASE",
    "COUNT",
    "DESC",
    "DISTINCT",
    "FROM",
    "GROUP BY",
    "HAVING",
    "IN",
    "IS NOT NULL",
    "IS NULL",
    "JOIN",
    "LEFT JOIN",
    "LIKE",
    "LIMIT",
    "ORDER BY",
    "SELECT",
    "UNION",
    "WHERE",
    "WITH",
];

/// Asks for statements until there are no more.
pub fn run(session: &mut Session, form: Form) -> Result<Outcome, Error> {
    let failed = |error: ReadlineError| Error::failed("cannot use the terminal").because(error);
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .auto_add_history(true)
        .build();
    let mut editor: Editor<Names, FileHistory> = Editor::with_config(config).map_err(failed)?;
    editor.set_helper(Some(Names));
    let history = history();
    if let Some(path) = &history {
        // Without one it goes as well.
        let _ = editor.load_history(path);
    }
    output::line(format!(
        "{}. \".help\" tells what can be done here.",
        shown::count(session.len(), "snapshot", "snapshots")
    ))?;
    let mut outcome = Outcome::Done;
    loop {
        let line = match editor.readline(PROMPT) {
            Ok(line) => line,
            // Ctrl-C: the statement is given up.
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(failed(error)),
        };
        match command(line.trim()) {
            Some(Command::Quit) => break,
            Some(Command::Show(what)) => tell(what()),
            Some(Command::Schema(name)) => {
                tell(Schema::of(name).and_then(|schema| schema.print(name.is_some())));
            }
            None => match session.ask(&line, |statement| answer::print(statement, form)) {
                Ok(findings) => {
                    if findings.finish() == Outcome::No {
                        outcome = Outcome::No;
                    }
                }
                Err(error) => tell(Err(error)),
            },
        }
    }
    if let Some(path) = history {
        let saved = path
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .map_err(ReadlineError::from)
            .and_then(|()| editor.save_history(&path));
        if let Err(error) = saved {
            output::warn(format!(
                "cannot keep the history in {}: {error}",
                path.display()
            ));
        }
    }
    Ok(outcome)
}

/// Errors do not end the prompt.
fn tell(result: Result<(), Error>) {
    if let Err(error) = result {
        output::say(shown::visible_lines(&error.to_string()));
    }
}

enum Command<'a> {
    Quit,
    Schema(Option<&'a str>),
    Show(fn() -> Result<(), Error>),
}

/// What a line that begins with a dot asks for.
fn command(line: &str) -> Option<Command<'_>> {
    let mut words = line.strip_prefix('.')?.split_whitespace();
    Some(match (words.next().unwrap_or_default(), words.next()) {
        ("quit" | "exit" | "q", _) => Command::Quit,
        ("tables", _) => Command::Schema(None),
        ("schema", name) => Command::Schema(name.map(|name| name.trim_end_matches(';'))),
        _ => Command::Show(|| output::line(HELP)),
    })
}

/// Where the history is kept: in the user's directory of what programs remember.
fn history() -> Option<PathBuf> {
    let folder = |name| {
        env::var_os(name)
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from)
    };
    let state = if cfg!(windows) {
        folder("LOCALAPPDATA")
    } else {
        folder("XDG_STATE_HOME").or_else(|| env::home_dir().map(|home| home.join(".local/state")))
    };
    state.map(|state| state.join("bootshotctl").join("sql-history"))
}

/// Whether a text is all of a statement, or a command of the prompt: it ends with a semicolon outside of quotes.
fn is_complete(text: &str) -> bool {
    let text = text.trim();
    let mut quote = None;
    for character in text.chars() {
        match quote {
            None if matches!(character, '\'' | '"') => quote = Some(character),
            Some(open) if open == character => quote = None,
            _ => {}
        }
    }
    text.is_empty() || text.starts_with('.') || (quote.is_none() && text.ends_with(';'))
}

/// What the line editor asks about a text.
struct Names;

impl Helper for Names {}
impl Highlighter for Names {}
impl Hinter for Names {
    type Hint = String;
}

impl Validator for Names {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match is_complete(context.input()) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

impl Completer for Names {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(completions(line, position))
    }
}

/// Where the word before `position` begins, and what it may become: first the columns of the tables that the text names.
fn completions(text: &str, position: usize) -> (usize, Vec<String>) {
    let is_name = |character: char| character.is_alphanumeric() || character == '_';
    let before = text.get(..position).unwrap_or(text);
    let start = before
        .rfind(|character| !is_name(character))
        .map_or(0, |place| {
            place + before[place..].chars().next().map_or(1, char::len_utf8)
        });
    let word = before[start..].to_lowercase();
    let behind_dot = before[..start].ends_with('.') && !before.trim_start().starts_with('.');
    if before[..start].trim() == "." {
        let commands = ["help", "quit", "schema", "tables"].into_iter();
        let fitting = commands.filter(|name| name.starts_with(&word));
        return (start, fitting.map(str::to_owned).collect());
    }
    let named: Vec<&Table> = text
        .split(|character| !is_name(character))
        .filter_map(|word| Table::named(&word.to_lowercase()))
        .collect();
    let columns_of: &[&Table] = match named.is_empty() {
        true => TABLES,
        false => &named,
    };
    let columns = columns_of.iter().flat_map(|table| table.columns);
    let columns = columns.map(|column| column.name).chain([SNAPSHOT_ID]);
    let others = names().chain(WORDS.iter().copied()).filter(|_| !behind_dot);
    let mut fitting: Vec<String> = columns
        .chain(others)
        .filter(|name| name.to_lowercase().starts_with(&word))
        .map(str::to_owned)
        .collect();
    fitting.sort_unstable();
    fitting.dedup();
    (start, fitting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_goes_on_until_its_semicolon() {
        for (text, complete) in [
            ("", true),
            (".tables", true),
            ("SELECT 1", false),
            ("SELECT 1;", true),
            ("SELECT 1\n  FROM handles ; ", true),
            ("SELECT ';", false),
            ("SELECT ';';", true),
            ("SELECT \"a;", false),
        ] {
            assert_eq!(is_complete(text), complete, "{text:?}");
        }
    }

    #[test]
    fn names_of_tables_and_of_the_columns_of_named_tables_are_completed() {
        let of = |text: &str| completions(text, text.len());
        assert_eq!(of("SELECT * FROM zombie_h").1, ["zombie_holders"]);
        let text = "SELECT granted_ FROM handles";
        assert_eq!(
            completions(text, 15),
            (7, vec!["granted_access".to_owned()])
        );
        assert_eq!(of("SELECT handles.obj").1, ["object_address"]);
        assert_eq!(of(".ta").1, ["tables"]);
        assert_eq!(of("sel").1, ["SELECT"]);
    }
}
