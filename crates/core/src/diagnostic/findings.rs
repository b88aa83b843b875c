//! What has been found so far.

use super::{Diagnostic, Rule, Severity};
use crate::model::Definitions;
use crate::xml::ElementIndex;

/// Collects what the rules find.
pub(super) struct Findings<'a> {
    definitions: &'a Definitions,
    found: Vec<Diagnostic>,
    /// What is looked at is not meant to run: errors become warnings.
    drawing: bool,
}

impl<'a> Findings<'a> {
    pub(super) fn new(definitions: &'a Definitions) -> Self {
        Self { definitions, found: Vec::new(), drawing: false }
    }

    /// Says whether what is looked at next is a mere drawing that is not meant to run.
    pub(super) fn look_at_drawing(&mut self, drawing: bool) {
        self.drawing = drawing;
    }

    /// A rule is broken.
    pub(super) fn add(&mut self, rule: &Rule, element: ElementIndex, message: impl Into<String>, help: impl Into<String>) {
        let severity = if self.drawing { Severity::Warning } else { rule.severity };
        self.found.push(self.definitions.diagnostic(rule.code, severity, element, message.into(), help.into()));
    }

    /// Everything found, in document order.
    pub(super) fn in_document_order(mut self) -> Vec<Diagnostic> {
        self.found.sort_by(|a, b| a.span.start.cmp(&b.span.start).then_with(|| a.code.cmp(b.code)));
        self.found.dedup();
        self.found
    }
}
