//! Bytes to a flat tree of elements, with the place of each; and back, byte for byte.
//!
//! A [`Document`] keeps the file's text and, beside it, one table of elements and one of attributes in document order.
//! The tables hold places in the text, not copies of it, so that reading allocates next to nothing per element, nothing
//! here recurses however deep a file nests, and an [`Edit`] can leave every other byte of the file as it was.

mod attributes;
mod edit;
mod element;
mod encoding;
mod parse;
mod place;
mod text;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::OnceLock;

use encoding_rs::Encoding;

use crate::Name;
use crate::diagnostic::{Diagnostic, Severity};

pub use edit::{Edit, EditError};
pub use element::{Attribute, Attributes, Children, Descendants, Element};

use place::Lines;

/// A range of bytes in a file's text. Where the file is UTF-8, these are the bytes of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The part of the text that the span covers; empty if the span is not of this text.
    #[must_use]
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// An element's place in the document's table, in document order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ElementIndex(pub u32);

/// What a file may at most be, so that a hostile one costs little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The size in bytes.
    pub bytes: usize,
    /// How deep elements may nest.
    pub depth: usize,
    /// How many namespace declarations may be in force at one place.
    pub namespaces: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 16 * 1024 * 1024, depth: 1_000, namespaces: 256 }
    }
}

/// A file, read.
pub struct Document {
    /// The text, decoded; a byte order mark stays in it.
    text: String,
    /// The file's bytes, where they are not the text's.
    original: Option<Vec<u8>>,
    encoding: &'static Encoding,
    nodes: Vec<Node>,
    attributes: Vec<AttributeNode>,
    /// Namespace URIs, each once.
    namespaces: Vec<Box<str>>,
    lines: OnceLock<Lines>,
}

/// The id of "no namespace" in [`Document::namespaces`].
const NO_NAMESPACE: u32 = 0;
/// The id of the namespace that namespace declarations themselves are in.
const DECLARATIONS: u32 = 1;
/// The id of the namespace of the prefix `xml`.
const XML: u32 = 2;
const DECLARATIONS_URI: &str = "http://www.w3.org/2000/xmlns/";
const XML_URI: &str = "http://www.w3.org/XML/1998/namespace";

/// An element in the table.
#[derive(Debug)]
struct Node {
    /// From `<` of the start tag to `>` of the end tag.
    span: Span,
    /// One past the start tag's `>`.
    tag_end: u32,
    /// The local name.
    name: Span,
    namespace: u32,
    /// The element around it; itself for the root.
    parent: u32,
    /// One past its last descendant in the table.
    next: u32,
    /// Its first attribute; those up to the next element's first are its own.
    attributes: u32,
}

/// An attribute in the table.
#[derive(Debug)]
struct AttributeNode {
    /// The name with its prefix.
    qualified: Span,
    /// The first byte of the local name.
    local: u32,
    /// The value between its quotes.
    value: Span,
    namespace: u32,
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
        self.encoding.name()
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
            .field("encoding", &self.encoding.name())
            .field("elements", &self.nodes.len())
            .finish_non_exhaustive()
    }
}
