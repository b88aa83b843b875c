//! Everything that can be wrong with a model: code, element, place, what, and how to mend it.

mod activities;
mod attributes;
mod boundary;
mod calls;
mod check;
mod collaboration;
mod compensation;
mod conditions;
mod correlation;
mod data;
mod declarations;
mod event_gateways;
mod events;
mod findings;
mod flow_lists;
mod flows;
mod gateways;
mod io;
mod json;
mod lanes;
mod links;
mod loops;
mod places;
mod processes;
mod reachability;
mod references;
mod rule;
mod sarif;
mod schema;
mod similar;
mod starts;
mod structures;
mod sub_processes;
mod subject;
mod timers;
mod triggers;

use std::fmt;

use crate::Name;
use crate::xml::Span;

pub use calls::Callables;
pub use check::{check, check_file};
pub use json::json;
pub use rule::{Rule, rule, rules};
pub use sarif::{sarif, sarif_of_files};
pub use similar::similar;
pub(crate) use subject::article;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Unusual, or something that will not have the effect the author may expect. The model runs.
    Warning,
    /// The model is refused at deployment.
    Error,
}

/// One finding about a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code, e.g. `flow-target-unknown`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The id of the element, where it has one.
    pub element: Option<Name>,
    /// The place in the file, in bytes.
    pub span: Span,
    /// 1-based line.
    pub line: u32,
    /// 1-based column, in characters.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{}:{}: {severity}[{}]: {} ({})", self.line, self.column, self.code, self.message, self.help)
    }
}
