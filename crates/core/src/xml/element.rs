//! Elements and attributes, as readers see them.

use std::borrow::Cow;
use std::fmt;

use super::{AttributeNode, DECLARATIONS, Document, ElementIndex, NO_NAMESPACE, NamespaceId, Node, Span, text};

/// An element of a document.
#[derive(Clone, Copy)]
pub struct Element<'d> {
    document: &'d Document,
    node: &'d Node,
    index: ElementIndex,
}

impl<'d> Element<'d> {
    pub(super) fn new(document: &'d Document, index: ElementIndex) -> Self {
        Self { document, node: &document.nodes[index.0 as usize], index }
    }

    /// Its place in the document's table.
    #[must_use]
    pub fn index(self) -> ElementIndex {
        self.index
    }

    /// The document it is of.
    #[must_use]
    pub fn document(self) -> &'d Document {
        self.document
    }

    /// The URI of its namespace; empty if it is in none.
    #[must_use]
    pub fn namespace(self) -> &'d str {
        &self.document.namespaces[self.node.namespace as usize]
    }

    pub(crate) fn namespace_id(self) -> NamespaceId {
        NamespaceId(self.node.namespace)
    }

    /// Its name, without a prefix.
    #[must_use]
    pub fn name(self) -> &'d str {
        self.node.name.of(&self.document.text)
    }

    /// Whether it has this namespace and name.
    #[must_use]
    pub fn is(self, namespace: &str, name: &str) -> bool {
        self.name() == name && self.namespace() == namespace
    }

    /// The value of its attribute of that name without a namespace.
    #[must_use]
    pub fn attribute(self, name: &str) -> Option<Cow<'d, str>> {
        self.find(name, NO_NAMESPACE)
    }

    /// The value of its attribute of that name in a namespace.
    #[must_use]
    pub fn attribute_in(self, namespace: &str, name: &str) -> Option<Cow<'d, str>> {
        self.attribute_of(self.document.namespace_id(namespace)?, name)
    }

    /// The value of its attribute of that name in a namespace of the document.
    pub(crate) fn attribute_of(self, namespace: NamespaceId, name: &str) -> Option<Cow<'d, str>> {
        (namespace.0 != DECLARATIONS).then(|| self.find(name, namespace.0)).flatten()
    }

    /// Dialects ask every element for a hundred attributes that it does not have, so this looks at numbers before it
    /// looks at letters.
    fn find(self, name: &str, namespace: u32) -> Option<Cow<'d, str>> {
        let text = self.document.text.as_str();
        let found = self.nodes().iter().find(|node| {
            let local = node.local as usize..node.qualified.end as usize;
            node.namespace == namespace && local.len() == name.len() && text.as_bytes()[local] == *name.as_bytes()
        })?;
        Some(found.says(text))
    }

    /// Its attributes as written, without namespace declarations.
    pub fn attributes(self) -> Attributes<'d> {
        Attributes { document: self.document, nodes: self.nodes().iter() }
    }

    /// The elements directly in it.
    pub fn children(self) -> Children<'d> {
        Children { document: self.document, next: self.index.0 + 1, end: self.node.next }
    }

    /// All elements in it, in document order.
    pub fn descendants(self) -> Descendants<'d> {
        Descendants { document: self.document, next: self.index.0 + 1, end: self.node.next }
    }

    /// The index after those of all elements in it.
    #[must_use]
    pub fn end(self) -> ElementIndex {
        ElementIndex(self.node.next)
    }

    /// The element around it.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        (self.index.0 != 0).then(|| Self::new(self.document, ElementIndex(self.node.parent)))
    }

    /// The text directly in it: neither that of elements in it, nor comments.
    #[must_use]
    pub fn text(self) -> Cow<'d, str> {
        let mut text = Cow::Borrowed("");
        let mut start = self.node.tag_end;
        for child in self.children() {
            append_text(&mut text, Span { start, end: child.node.span.start }.of(&self.document.text));
            start = child.node.span.end;
        }
        // The rest reaches into the end tag, which ends it; an empty element has no rest.
        append_text(&mut text, Span { start, end: self.node.span.end }.of(&self.document.text));
        text
    }

    /// From the first byte of its start tag to the last of its end tag.
    #[must_use]
    pub fn span(self) -> Span {
        self.node.span
    }

    /// Its start tag.
    #[must_use]
    pub fn tag_span(self) -> Span {
        Span { start: self.node.span.start, end: self.node.tag_end }
    }

    /// One past the last attribute in the start tag, where another can be added.
    pub(super) fn attributes_end(self) -> u32 {
        self.nodes().last().map_or(self.node.name.end, |last| last.value.end + 1)
    }

    /// All its attributes, also namespace declarations.
    fn nodes(self) -> &'d [AttributeNode] {
        let all = &self.document.attributes;
        let end = self.document.nodes.get(self.index.0 as usize + 1).map_or(all.len(), |next| next.attributes as usize);
        &all[self.node.attributes as usize..end]
    }

    /// The namespace that a prefix means here; an empty prefix is the default namespace's.
    pub(crate) fn namespace_of(self, prefix: &str) -> Option<Cow<'d, str>> {
        let mut scopes = std::iter::successors(Some(self), |inner| inner.parent()).flat_map(Element::declarations);
        scopes.find(|(declared, _)| *declared == prefix).map(|(_, uri)| uri)
    }

    /// The namespace declarations in its start tag: (prefix, URI).
    pub(super) fn declarations(self) -> impl Iterator<Item = (&'d str, Cow<'d, str>)> {
        let text = self.document.text.as_str();
        self.nodes().iter().filter(|node| node.namespace == DECLARATIONS).map(move |node| {
            let prefix = node.qualified.of(text).strip_prefix("xmlns:").unwrap_or_default();
            (prefix, node.says(text))
        })
    }
}

/// Appends what a piece of content between two elements says; stops at an end tag.
fn append_text<'d>(text: &mut Cow<'d, str>, mut content: &'d str) {
    loop {
        let markup = content.find('<').unwrap_or(content.len());
        append(text, text::decode_text(&content[..markup]));
        content = &content[markup..];
        let skipped = if let Some(cdata) = content.strip_prefix("<![CDATA[") {
            cdata.split_once("]]>").map(|(inside, rest)| {
                append(text, text::decode_cdata(inside));
                rest
            })
        } else if let Some(comment) = content.strip_prefix("<!--") {
            comment.split_once("-->").map(|(_, rest)| rest)
        } else if let Some(instruction) = content.strip_prefix("<?") {
            instruction.split_once("?>").map(|(_, rest)| rest)
        } else {
            None
        };
        let Some(rest) = skipped else { return };
        content = rest;
    }
}

fn append<'d>(text: &mut Cow<'d, str>, more: Cow<'d, str>) {
    if text.is_empty() {
        *text = more;
    } else if !more.is_empty() {
        text.to_mut().push_str(&more);
    }
}

impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.document, other.document) && self.index == other.index
    }
}

impl Eq for Element<'_> {}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.tag_span().of(&self.document.text))
    }
}

/// An attribute of an element.
#[derive(Clone, Copy)]
pub struct Attribute<'d> {
    document: &'d Document,
    node: &'d AttributeNode,
}

impl<'d> Attribute<'d> {
    /// The URI of its namespace; empty if its name has no prefix.
    #[must_use]
    pub fn namespace(self) -> &'d str {
        &self.document.namespaces[self.node.namespace as usize]
    }

    pub(crate) fn namespace_id(self) -> NamespaceId {
        NamespaceId(self.node.namespace)
    }

    /// Its name, without a prefix.
    #[must_use]
    pub fn name(self) -> &'d str {
        Span { start: self.node.local, end: self.node.qualified.end }.of(&self.document.text)
    }

    /// What it says.
    #[must_use]
    pub fn value(self) -> Cow<'d, str> {
        self.node.says(&self.document.text)
    }

    /// From the first byte of its name to the closing quote.
    #[must_use]
    pub fn span(self) -> Span {
        Span { start: self.node.qualified.start, end: self.node.value.end + 1 }
    }

    /// The value between its quotes.
    #[must_use]
    pub fn value_span(self) -> Span {
        self.node.value
    }
}

impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.span().of(&self.document.text))
    }
}

/// The attributes of an element.
#[derive(Clone, Debug)]
pub struct Attributes<'d> {
    document: &'d Document,
    nodes: std::slice::Iter<'d, AttributeNode>,
}

impl<'d> Iterator for Attributes<'d> {
    type Item = Attribute<'d>;

    fn next(&mut self) -> Option<Self::Item> {
        let node = self.nodes.find(|node| node.namespace != DECLARATIONS)?;
        Some(Attribute { document: self.document, node })
    }
}

/// The elements directly in an element.
#[derive(Clone, Debug)]
pub struct Children<'d> {
    document: &'d Document,
    next: u32,
    end: u32,
}

impl<'d> Iterator for Children<'d> {
    type Item = Element<'d>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        let child = Element::new(self.document, ElementIndex(self.next));
        self.next = child.node.next;
        Some(child)
    }
}

/// All elements in an element.
#[derive(Clone, Debug)]
pub struct Descendants<'d> {
    document: &'d Document,
    next: u32,
    end: u32,
}

impl<'d> Descendants<'d> {
    pub(super) fn all(document: &'d Document) -> Self {
        Self { document, next: 0, end: document.len() }
    }
}

impl<'d> Iterator for Descendants<'d> {
    type Item = Element<'d>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        self.next += 1;
        Some(Element::new(self.document, ElementIndex(self.next - 1)))
    }
}
