//! How a command ends: the outcomes, the errors and the exit codes they stand for.

use std::fmt;
use std::process::ExitCode;

/// What a command that did its work found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done, or the answer is "yes": exit code 0.
    Done,
    /// The answer is "no" (not installed, damaged, findings): exit code 1.
    No,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => ExitCode::SUCCESS,
            Outcome::No => ExitCode::from(1),
        }
    }
}

/// Why a command could not do its work: what was being done, what came back, what to do next.
#[derive(Debug)]
pub struct Error {
    exit_code: u8,
    message: String,
    cause: Option<String>,
    advice: Option<String>,
}

impl Error {
    /// The command line asks for something that makes no sense: exit code 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            exit_code: 2,
            message: message.into(),
            cause: None,
            advice: None,
        }
    }

    /// The answer is "no", and there is nothing to print: exit code 1.
    pub fn no(message: impl Into<String>) -> Self {
        Self {
            exit_code: 1,
            message: message.into(),
            cause: None,
            advice: None,
        }
    }

    /// It could not be done: exit code 3. `message` is a clause such as "cannot read C:\x".
    pub fn failed(message: impl Into<String>) -> Self {
        Self {
            exit_code: 3,
            message: message.into(),
            cause: None,
            advice: None,
        }
    }

    /// What was done and what came back, in one line.
    pub fn reason(&self) -> String {
        match &self.cause {
            Some(cause) => format!("{}: {cause}", self.message),
            None => self.message.clone(),
        }
    }

    /// What came back from the system or the layer below.
    #[must_use]
    pub fn because(self, cause: impl fmt::Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            ..self
        }
    }

    /// What the person can do next, as a sentence.
    #[must_use]
    pub fn advise(self, advice: impl Into<String>) -> Self {
        Self {
            advice: Some(advice.into()),
            ..self
        }
    }

    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit_code)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason())?;
        if let Some(advice) = &self.advice {
            write!(f, "\n  {advice}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_was_done_what_came_back_and_what_to_do_next() {
        let error = Error::failed("cannot read x.bshot")
            .because("access denied")
            .advise("Run as administrator.");
        assert_eq!(
            error.to_string(),
            "cannot read x.bshot: access denied\n  Run as administrator."
        );
    }
}
