//! Bytes to a flat tree of elements, with the place of each; and back, byte for byte.
//!
//! A [`Document`] keeps the file's text and, beside it, one table of elements and one of attributes in document order.
//! The tables hold places in the text, not copies of it, so that reading allocates next to nothing per element, nothing
//! here recurses however deep a file nests, and an [`Edit`] can leave every other byte of the file as it was.

mod attributes;
mod document;
mod edit;
mod element;
mod encoding;
mod locate;
mod parse;
mod place;
mod text;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub(crate) use attributes::is_name;
pub use document::Document;
pub use edit::{Edit, EditError};
pub use element::{Attribute, Attributes, Children, Descendants, Element};

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

/// A namespace of a document: its place in the document's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NamespaceId(u32);

impl NamespaceId {
    /// The namespace of attributes whose names have no prefix.
    pub(crate) const NONE: Self = Self(NO_NAMESPACE);
}

/// What a file may at most be, so that a hostile one costs little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The size in bytes.
    pub bytes: usize,
    /// How deep elements may nest.
    pub depth: usize,
    /// How many attributes one element may have.
    pub attributes: usize,
    /// How many namespace declarations may be in force at one place.
    pub namespaces: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 16 * 1024 * 1024, depth: 1_000, attributes: 1_000, namespaces: 256 }
    }
}

/// The id of "no namespace" in a document's table of namespaces.
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
    /// Whether the value says just what is written.
    is_literal: bool,
    namespace: u32,
}

impl AttributeNode {
    /// What the value says.
    fn says<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let written = self.value.of(text);
        if self.is_literal { Cow::Borrowed(written) } else { text::decode_attribute(written) }
    }
}
