//! Why a command did not do as asked.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::harmless::harmless_in_colour;
use crate::style::Style;

/// What is wrong, and how to mend it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// To be told.
    Told {
        /// What is wrong.
        message: String,
        /// More lines about it, e.g. what waits.
        details: String,
        /// How to mend it.
        help: Option<String>,
    },
    /// The reader of our output has gone.
    Gone,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::Told { message: message.into(), details: String::new(), help: None }
    }

    /// With a way to mend it.
    pub(crate) fn help(self, text: impl Into<String>) -> Self {
        match self {
            Self::Told { message, details, .. } => Self::Told { message, details, help: Some(text.into()) },
            other => other,
        }
    }

    /// With more lines about it.
    pub(crate) fn details(self, text: impl Into<String>) -> Self {
        match self {
            Self::Told { message, help, .. } => Self::Told { message, details: text.into(), help },
            other => other,
        }
    }

    /// What is wrong, for programs.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Self::Told { message, .. } => Some(message),
            Self::Gone => None,
        }
    }

    /// Says it, and gives the exit code.
    pub(crate) fn show(&self) -> ExitCode {
        if let Self::Told { message, details, help } = self {
            let style = Style::of(&io::stderr());
            let mut text = format!("{} {message}\n", style.bad("error:"));
            if !details.is_empty() {
                let _ = write!(text, "\n{}\n", details.trim_end());
            }
            if let Some(help) = help {
                let _ = write!(text, "\n{} {help}\n", style.good("help:"));
            }
            // If nobody listens there is nobody to tell.
            let _ = io::stderr().write_all(harmless_in_colour(&text).as_bytes());
        }
        ExitCode::from(1)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Gone,
            _ => Self::new(error.to_string()),
        }
    }
}
