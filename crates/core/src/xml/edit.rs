//! Changes of attributes, as patches that leave everything else byte for byte.

use std::collections::BTreeMap;

use super::attributes::is_name;
use super::{DECLARATIONS_URI, Document, Element, ElementIndex, Span, XML_URI, encoding, text};
use crate::diagnostic::Diagnostic;

/// Changes to be made to a document. Of several changes of one attribute, the last counts.
#[derive(Clone, Debug)]
pub struct Edit<'d> {
    document: &'d Document,
    /// By element, namespace and name; `None` removes.
    changes: BTreeMap<(ElementIndex, String, String), Option<String>>,
}

/// Why a change cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The document has no such element.
    #[error("the document has no element {}", .0.0)]
    Element(ElementIndex),
    /// That is no name for an attribute.
    #[error("`{0}` is no name for an attribute")]
    Name(String),
    /// The value holds a character that XML cannot say.
    #[error("XML cannot hold the character U+{:04X}", u32::from(*.0))]
    Character(char),
    /// The file's encoding cannot say a character of a name, where no reference can stand for it.
    #[error("a name with U+{:04X} cannot be written in a file in {}; save the file as UTF-8 first", u32::from(*.character), .encoding)]
    NameInEncoding {
        /// The character.
        character: char,
        /// The encoding.
        encoding: &'static str,
    },
    /// The file's encoding has shifts, and a change stands within one.
    #[error("this cannot be changed in a file in {0}; save the file as UTF-8 first")]
    Encoding(&'static str),
    /// The changed file is not read.
    #[error("the file with the changes cannot be read: {0}")]
    Unreadable(Box<Diagnostic>),
}

/// A text with patches.
fn applied(text: &str, patches: &[(Span, String)]) -> String {
    let mut edited = String::with_capacity(text.len() + 256);
    let mut place = 0;
    for (span, replacement) in patches {
        edited.push_str(Span { start: place, end: span.start }.of(text));
        edited.push_str(replacement);
        place = span.end;
    }
    edited.push_str(&text[place as usize..]);
    edited
}

impl<'d> Edit<'d> {
    pub(super) fn new(document: &'d Document) -> Self {
        Self { document, changes: BTreeMap::new() }
    }

    /// Sets an attribute, which may exist or not. A namespace that has no prefix at the element gets one there.
    ///
    /// # Errors
    /// If there is no such element, or name or value cannot be written in XML.
    pub fn set_attribute(
        &mut self,
        element: ElementIndex,
        namespace: Option<&str>,
        name: &str,
        value: &str,
    ) -> Result<&mut Self, EditError> {
        // Namespace declarations look like attributes, but are none.
        let namespace = namespace.unwrap_or_default();
        if !is_name(name) || (namespace.is_empty() && name == "xmlns") || namespace == DECLARATIONS_URI {
            return Err(EditError::Name(name.to_owned()));
        }
        if let Some(character) = value.chars().chain(namespace.chars()).find(|c| !text::is_character(*c)) {
            return Err(EditError::Character(character));
        }
        self.change(element, namespace, name, Some(value.to_owned()))
    }

    /// Removes an attribute, if it exists.
    ///
    /// # Errors
    /// If there is no such element.
    pub fn remove_attribute(
        &mut self,
        element: ElementIndex,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<&mut Self, EditError> {
        self.change(element, namespace.unwrap_or_default(), name, None)
    }

    fn change(
        &mut self,
        element: ElementIndex,
        namespace: &str,
        name: &str,
        value: Option<String>,
    ) -> Result<&mut Self, EditError> {
        if element.0 >= self.document.len() {
            return Err(EditError::Element(element));
        }
        self.changes.insert((element, namespace.to_owned(), name.to_owned()), value);
        Ok(self)
    }

    /// The file with the changes, in its own encoding.
    ///
    /// # Errors
    /// If the file's encoding cannot say an attribute's name, or has shifts (ISO-2022-JP) and something is to be changed
    /// within one.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EditError> {
        let document = self.document;
        let patches = self.patches();
        if patches.is_empty() {
            return Ok(document.to_bytes());
        }
        let Some(original) = &document.original else {
            return Ok(applied(document.text(), &patches).into_bytes());
        };
        // Values are sayable already.
        let unsayable = |(_, replacement): &(_, String)| encoding::unsayable(replacement, document.charset);
        if let Some(character) = patches.iter().find_map(unsayable) {
            return Err(EditError::NameInEncoding { character, encoding: document.encoding() });
        }
        let edited = applied(document.text(), &patches);
        // What has been put in where the encoding was in a shift says something else.
        let says_so = |bytes: &Vec<u8>| encoding::decode(bytes).is_ok_and(|decoded| decoded.text == edited);
        encoding::splice(original, document.text(), document.charset, patches)
            .filter(says_so)
            .ok_or(EditError::Encoding(document.encoding()))
    }

    /// The document with the changes.
    ///
    /// # Errors
    /// As [`Edit::to_bytes`], or if it has become larger than what is read.
    pub fn apply(&self) -> Result<Document, EditError> {
        Document::parse(&self.to_bytes()?).map_err(|fault| EditError::Unreadable(Box::new(fault)))
    }

    /// What is to be put where, in order and not overlapping.
    fn patches(&self) -> Vec<(Span, String)> {
        let said = |value: &str, quote| encoding::sayable(text::encode_attribute(value, quote), self.document.charset);
        let mut patches: Vec<(Span, String)> = Vec::new();
        // Prefixes that this edit declares, by element and namespace.
        let mut declared: BTreeMap<(ElementIndex, &str), String> = BTreeMap::new();
        for ((index, namespace, name), value) in &self.changes {
            let element = self.document.element(*index);
            let existing = element.attributes().find(|a| a.name() == name && a.namespace() == namespace);
            match (existing, value) {
                (None, None) => {}
                (Some(attribute), None) => {
                    let span = attribute.span();
                    let before = &self.document.text()[..span.start as usize];
                    let start = super::place::offset(before.trim_ascii_end().len());
                    patches.push((Span { start, end: span.end }, String::new()));
                }
                (Some(attribute), Some(value)) => {
                    let span = attribute.value_span();
                    let quote = if self.document.text().as_bytes()[span.end as usize] == b'\'' { '\'' } else { '"' };
                    patches.push((span, said(value, quote)));
                }
                (None, Some(value)) => {
                    let mut addition = String::new();
                    let qualified = if namespace.is_empty() {
                        name.clone()
                    } else {
                        let prefix = match prefix_of(element, namespace) {
                            Some(prefix) => prefix.to_owned(),
                            None => match declared.get(&(*index, namespace)) {
                                Some(prefix) => prefix.clone(),
                                None => {
                                    let taken = |new: &str| {
                                        declared.iter().any(|((at, _), prefix)| at == index && prefix == new)
                                    };
                                    let prefix = new_prefix(element, namespace, taken);
                                    let uri = said(namespace, '"');
                                    addition = format!(" xmlns:{prefix}=\"{uri}\"");
                                    declared.insert((*index, namespace), prefix.clone());
                                    prefix
                                }
                            },
                        };
                        format!("{prefix}:{name}")
                    };
                    addition += &format!(" {qualified}=\"{}\"", said(value, '"'));
                    let place = element.attributes_end();
                    patches.push((Span { start: place, end: place }, addition));
                }
            }
        }
        // A stable sort: additions at one place stay in the order of their names.
        patches.sort_by_key(|(span, _)| (span.start, span.end));
        patches
    }
}

/// The prefix that means a namespace at an element, if there is one.
fn prefix_of<'d>(element: Element<'d>, namespace: &str) -> Option<&'d str> {
    if namespace == XML_URI {
        return Some("xml");
    }
    let scopes = std::iter::successors(Some(element), |inner| inner.parent());
    let mut candidates =
        scopes.flat_map(Element::declarations).filter(|(prefix, uri)| !prefix.is_empty() && uri == namespace);
    // A prefix that an inner element gives another meaning is none.
    candidates.find(|(prefix, _)| element.namespace_of(prefix).as_deref() == Some(namespace)).map(|(prefix, _)| prefix)
}

/// A prefix for a namespace that has none: the last part of its URI that can be a name, with a number if taken.
fn new_prefix(element: Element<'_>, namespace: &str, taken: impl Fn(&str) -> bool) -> String {
    let parts = namespace.rsplit(['/', ':', '#', '.']);
    let mut words =
        parts.filter(|part| is_name(part) && part.is_ascii() && !part.to_ascii_lowercase().starts_with("xml"));
    let word = words.next().unwrap_or("ns").to_ascii_lowercase();
    let mut prefix = word.clone();
    let mut number = 1;
    while taken(&prefix) || element.namespace_of(&prefix).is_some() {
        number += 1;
        prefix = format!("{word}{number}");
    }
    prefix
}
