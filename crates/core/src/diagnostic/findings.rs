//! What has been found so far.

use super::{Diagnostic, Rule, Severity};
use crate::Name;
use crate::model::Definitions;
use crate::xml::{Element, ElementIndex, Span};

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

    /// What is looked at is a mere drawing.
    pub(super) fn are_of_drawing(&self) -> bool {
        self.drawing
    }

    /// A rule is broken.
    pub(super) fn add(
        &mut self,
        rule: &Rule,
        element: ElementIndex,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let span = self.definitions.document.element(element).tag_span();
        self.add_at(rule, element, span, message, help);
    }

    /// A rule is broken at one place in an element's tag.
    pub(super) fn add_at(
        &mut self,
        rule: &Rule,
        element: ElementIndex,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let severity = if self.drawing { Severity::Warning } else { rule.severity };
        let document = &self.definitions.document;
        let mut diagnostic = document.diagnostic(rule.code, severity, element, message, help);
        (diagnostic.line, diagnostic.column) = document.line_column(span.start);
        diagnostic.span = span;
        diagnostic.element = shown(document.element(element)).or(diagnostic.element);
        self.found.push(diagnostic);
    }

    /// Everything found, in document order.
    pub(super) fn in_document_order(mut self) -> Vec<Diagnostic> {
        self.found.sort_by(|a, b| a.span.start.cmp(&b.span.start).then_with(|| a.code.cmp(b.code)));
        self.found.dedup();
        self.found
    }
}

/// The id of the element that a diagram shows: a definition or loop marker is shown as part of its event or activity.
fn shown(element: Element<'_>) -> Option<Name> {
    let mut shown = element;
    loop {
        let is_part = shown.name().ends_with("EventDefinition") || shown.name().ends_with("LoopCharacteristics");
        let id = shown.attribute("id").filter(|id| !id.is_empty() && !is_part);
        if let Some(id) = id {
            return Some(Name::from(id));
        }
        shown = shown.parent()?;
    }
}
