//! A file, read: its text, and the tables of its elements and attributes.

use std::fmt;
use std::sync::OnceLock;

use super::encoding::Charset;
use super::place::Lines;
use super::{AttributeNode, Descendants, Edit, Element, ElementIndex, Limits, NamespaceId, Node, parse};
use crate::Name;
use crate::diagnostic::{Diagnostic, Severity};

/// A file, read.
pub struct Document {
    /// The text, decoded; a byte order mark stays in it.
    pub(super) text: String,
    /// The file's bytes, where they are not the text's.
    pub(super) original: Option<Vec<u8>>,
    pub(super) charset: Charset,
    pub(super) nodes: Vec<Node>,
    pub(super) attributes: Vec<AttributeNode>,
    /// Namespace URIs, each once.
    pub(super) namespaces: Vec<Box<str>>,
    pub(super) lines: OnceLock<Lines>,
}

impl Document {
    /// Reads a file within the default [`Limits`].
    ///
    /// # Errors
    /// If the file is not well-formed XML, is in no known encoding, has a DTD, or exceeds a limit.
    pub fn parse(bytes: &[u8]) -> Result<Self, Diagnostic> {
        Self::parse_within(bytes, &Limits::default())
    }

    /// Reads a file within limits.
    ///
    /// # Errors
    /// As [`Document::parse`].
    pub fn parse_within(bytes: &[u8], limits: &Limits) -> Result<Self, Diagnostic> {
        parse::document(bytes, limits)
    }

    /// The root element.
    #[must_use]
    pub fn root(&self) -> Element<'_> {
        self.element(ElementIndex(0))
    }

    /// The element at an index of this document.
    ///
    /// # Panics
    /// If the index is of another, larger document.
    #[must_use]
    pub fn element(&self, index: ElementIndex) -> Element<'_> {
        Element::new(self, index)
    }

    /// The namespace of that URI, if it is declared anywhere in the document.
    pub(crate) fn namespace_id(&self, uri: &str) -> Option<NamespaceId> {
        (0..).zip(&self.namespaces).find(|(_, declared)| ***declared == *uri).map(|(id, _)| NamespaceId(id))
    }

    /// All elements in document order.
    pub fn elements(&self) -> Descendants<'_> {
        Descendants::all(self)
    }

    /// How many elements there are; their indices are all smaller.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.nodes.first().map_or(0, |root| root.next)
    }

    /// Never true: a document has a root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The file as it was given.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.original.as_deref().unwrap_or(self.text.as_bytes())
    }

    /// The file as it was given: without an edit, writing changes nothing.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.bytes().to_vec()
    }

    /// The file's text, decoded; all spans are places in it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name of the file's encoding.
    #[must_use]
    pub fn encoding(&self) -> &'static str {
        self.charset.name()
    }

    /// Line and column of a byte of the text, both from 1, the column in characters.
    #[must_use]
    pub fn line_column(&self, offset: u32) -> (u32, u32) {
        self.lines().line_column(&self.text, offset)
    }

    /// The line around a byte of the text, without its end.
    #[must_use]
    pub fn source_line(&self, offset: u32) -> &str {
        self.lines().line(&self.text, offset)
    }

    /// Begins an edit of attributes.
    #[must_use]
    pub fn edit(&self) -> Edit<'_> {
        Edit::new(self)
    }

    /// A finding about an element, placed at its start tag.
    #[must_use]
    pub fn diagnostic(
        &self,
        code: &'static str,
        severity: Severity,
        element: ElementIndex,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Diagnostic {
        let element = self.element(element);
        let span = element.tag_span();
        let (line, column) = self.line_column(span.start);
        Diagnostic {
            code,
            severity,
            element: element.attribute("id").map(Name::from),
            span,
            line,
            column,
            message: message.into(),
            help: help.into(),
        }
    }

    fn lines(&self) -> &Lines {
        self.lines.get_or_init(|| Lines::new(&self.text))
    }
}

impl fmt::Debug for Document {
    /// Not the whole file: models print their document.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("bytes", &self.bytes().len())
            .field("encoding", &self.charset.name())
            .field("elements", &self.nodes.len())
            .finish_non_exhaustive()
    }
}
