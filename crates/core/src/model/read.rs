//! Document to model.
//!
//! First the [`outline`] goes through all elements once, in document order, and gives every element that others refer to
//! its place in the model's tables. Then each kind of element is read from the outline, references resolved at once.

mod activity;
mod collaboration;
mod data;
mod declarations;
mod event;
mod outline;
mod process;
mod source;
mod words;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::Definitions;
use crate::diagnostic::{Diagnostic, Severity};
use crate::xml::{Document, ElementIndex};

use source::Source;
pub(crate) use words::{ByElement, KnownElement, is_diagram, is_flow_node, is_global_task};

impl Definitions {
    /// Reads a BPMN file; beside the model come warnings.
    ///
    /// # Errors
    /// All errors that make the file unreadable, with the warnings; if it is no XML, that alone.
    pub fn read(bytes: &[u8]) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let document = Document::parse(bytes).map_err(|fault| vec![fault])?;
        Self::from_document(Arc::new(document))
    }

    /// Reads the model in a document, as [`Definitions::read`].
    ///
    /// # Errors
    /// As [`Definitions::read`].
    pub fn from_document(document: Arc<Document>) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let (definitions, diagnostics) = Self::outlined(document).map_err(|fault| vec![fault])?;
        if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
            return Err(diagnostics);
        }
        Ok((definitions, diagnostics))
    }

    /// Reads as much of a file as can be read, to check it; a model with errors must not run.
    ///
    /// # Errors
    /// If the file is no BPMN at all.
    pub fn read_leniently(bytes: &[u8]) -> Result<(Self, Vec<Diagnostic>), Diagnostic> {
        Self::outlined(Arc::new(Document::parse(bytes)?))
    }

    fn outlined(document: Arc<Document>) -> Result<(Self, Vec<Diagnostic>), Diagnostic> {
        let source = Source::new(&document)?;
        let root = document.root();
        let definitions = Self {
            document: document.clone(),
            id: source.optional_id(root),
            name: source.name(root),
            target_namespace: source.attribute(root, "targetNamespace"),
            dialect: source.dialect.dialect(),
            processes: source.processes(),
            collaborations: source.collaborations(),
            messages: source.messages(),
            signals: source.signals(),
            errors: source.errors(),
            escalations: source.escalations(),
            item_definitions: source.item_definitions(),
            data_stores: source.data_stores(),
            interfaces: source.interfaces(),
            correlation_properties: source.correlation_properties(),
            event_definitions: source.event_definitions(),
            global_tasks: source.global_tasks(),
        };
        let mut diagnostics = source.into_diagnostics();
        diagnostics.sort_by_key(|diagnostic| diagnostic.span);
        Ok((definitions, diagnostics))
    }

    /// Line and column of an element, both from 1.
    #[must_use]
    pub fn location(&self, element: ElementIndex) -> (u32, u32) {
        self.document.line_column(self.document.element(element).span().start)
    }

    /// A finding about an element.
    #[must_use]
    pub fn diagnostic(
        &self,
        code: &'static str,
        severity: Severity,
        element: ElementIndex,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Diagnostic {
        self.document.diagnostic(code, severity, element, message, help)
    }
}
