//! Findings as JSON, for tools.

use serde_json::{Value, json};

use super::{Diagnostic, Severity};

/// One finding as a JSON object.
#[must_use]
pub fn json(diagnostic: &Diagnostic) -> Value {
    json!({
        "code": diagnostic.code,
        "severity": word(diagnostic.severity),
        "element": diagnostic.element.as_deref(),
        "line": diagnostic.line,
        "column": diagnostic.column,
        "start": diagnostic.span.start,
        "end": diagnostic.span.end,
        "message": diagnostic.message,
        "help": diagnostic.help,
    })
}

/// `error` or `warning`.
pub(super) fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}
