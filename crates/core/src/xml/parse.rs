//! Text to tables.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use quick_xml::Reader;
use quick_xml::errors::{Error, SyntaxError};
use quick_xml::events::Event;

use super::attributes::{QualifiedName, RawAttributes, check_references, malformed};
use super::encoding::{self, Decoded};
use super::place::{Lines, offset};
use super::{
    AttributeNode, DECLARATIONS, DECLARATIONS_URI, Document, Limits, NO_NAMESPACE, Node, Span, XML, XML_URI, text,
};
use crate::diagnostic::{Diagnostic, Severity};

/// What is wrong with a file, before its line and column are known.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) help: String,
}

impl Fault {
    fn place(self, text: &str) -> Diagnostic {
        let (line, column) = Lines::new(text).line_column(text, self.span.start);
        Diagnostic {
            code: self.code,
            severity: Severity::Error,
            element: None,
            span: self.span,
            line,
            column,
            message: self.message,
            help: self.help,
        }
    }
}

pub(super) fn document(bytes: &[u8], limits: &Limits) -> Result<Document, Diagnostic> {
    // Places are kept in 32 bits, and decoding may make a text three times as long as its bytes.
    let most = limits.bytes.min(u32::MAX as usize / 4);
    if bytes.len() > most {
        let fault = Fault {
            code: "xml-too-large",
            span: Span::default(),
            message: format!("the file has {} bytes; at most {most} are read", bytes.len()),
            help: "split the model into several files, or raise the limit".into(),
        };
        return Err(fault.place(""));
    }
    let Decoded { text, original, charset } =
        encoding::decode(bytes).map_err(|(text, fault)| match fault.span.start as usize == text.len() {
            true => fault.place(&text),
            // The fault's bytes are the file's; its line and column are those of the text before it.
            false => {
                let span = fault.span;
                let end = offset(text.len());
                Diagnostic { span, ..Fault { span: Span { start: end, end }, ..fault }.place(&text) }
            }
        })?;
    let tables = Parser::new(&text, limits).run().map_err(|fault| fault.place(&text))?;
    let Tables { nodes, attributes, namespaces } = tables;
    Ok(Document { text, original, charset, nodes, attributes, namespaces, lines: OnceLock::new() })
}

struct Tables {
    nodes: Vec<Node>,
    attributes: Vec<AttributeNode>,
    namespaces: Vec<Box<str>>,
}

struct Parser<'t> {
    text: &'t str,
    limits: &'t Limits,
    tables: Tables,
    /// Ids of namespaces by URI.
    ids: BTreeMap<Box<str>, u32>,
    /// The namespace declarations in force, inner after outer: (prefix, namespace).
    bindings: Vec<(&'t str, u32)>,
    /// The elements that are open: (element, number of bindings outside it).
    open: Vec<(u32, usize)>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, limits: &'t Limits) -> Self {
        let namespaces: Vec<Box<str>> = ["", DECLARATIONS_URI, XML_URI].map(Into::into).to_vec();
        let ids = namespaces.iter().zip(0..).map(|(uri, id)| (uri.clone(), id)).collect();
        // A diagram has an element in about every 60 bytes.
        let elements = text.len() / 64;
        let tables =
            Tables { nodes: Vec::with_capacity(elements), attributes: Vec::with_capacity(elements * 2), namespaces };
        Self { text, limits, tables, ids, bindings: vec![("", NO_NAMESPACE), ("xml", XML)], open: Vec::new() }
    }

    fn run(mut self) -> Result<Tables, Fault> {
        check_characters(self.text)?;
        let content = self.text.trim_start_matches('\u{feff}');
        let base = self.text.len() - content.len();
        let mut reader = Reader::from_str(content);
        let config = reader.config_mut();
        // Names of end tags are compared here, where the place of the start tag is known.
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        loop {
            let start = base + position(reader.buffer_position());
            let event = match reader.read_event() {
                Ok(event) => event,
                Err(error) => return Err(self.fault(&error, base + position(reader.error_position()))),
            };
            let end = base + position(reader.buffer_position());
            match event {
                Event::Start(_) => self.start_tag(start, end, false)?,
                Event::Empty(_) => self.start_tag(start, end, true)?,
                Event::End(_) => self.end_tag(start, end)?,
                Event::Text(text) => {
                    if self.open.is_empty() && !text.trim_ascii().is_empty() {
                        return Err(outside(start, end));
                    }
                    check_text(self.text, start, end)?;
                }
                Event::CData(_) => {
                    if self.open.is_empty() {
                        return Err(outside(start, end));
                    }
                }
                Event::GeneralRef(_) => {
                    if self.open.is_empty() {
                        return Err(outside(start, end));
                    }
                    check_references(self.text, start, end)?;
                }
                Event::Decl(declaration) => {
                    if start != base {
                        let message = "the XML declaration is not at the beginning of the file";
                        return Err(malformed(start, end, message, "delete what stands before `<?xml`"));
                    }
                    let stands = |said: &str| matches!(said, "yes" | "no");
                    if declaration.standalone().is_some_and(|said| !said.is_ok_and(|said| stands(&said))) {
                        let message = "`standalone` of the XML declaration is neither `yes` nor `no`";
                        return Err(malformed(start, end, message, "leave `standalone` out"));
                    }
                }
                Event::DocType(_) => return Err(doctype(start, end)),
                Event::Comment(_) => check_comment(self.text, start, end)?,
                Event::PI(_) => {}
                Event::Eof => return self.finish(),
            }
        }
    }

    fn start_tag(&mut self, start: usize, end: usize, empty: bool) -> Result<(), Fault> {
        if self.open.len() >= self.limits.depth {
            return Err(Fault {
                code: "xml-too-deep",
                span: span(start, end),
                message: format!("elements nest deeper than {}", self.limits.depth),
                help: "flatten the model: no BPMN needs such a depth".into(),
            });
        }
        if self.open.is_empty() && !self.tables.nodes.is_empty() {
            let help = "a file has one root element; delete what follows its end";
            return Err(malformed(start, end, "there is a second root element", help));
        }
        let inside_end = if empty { end - 2 } else { end - 1 };
        let QualifiedName { span: qualified, local } = QualifiedName::read(self.text, start + 1, inside_end)?;

        let outer_bindings = self.bindings.len();
        let first = self.tables.attributes.len();
        self.attributes(qualified.end as usize, inside_end, first)?;
        let namespace = self.namespace(qualified, local, false)?;

        let index = offset(self.tables.nodes.len());
        let parent = self.open.last().map_or(index, |(parent, _)| *parent);
        self.tables.nodes.push(Node {
            span: span(start, end),
            tag_end: offset(end),
            name: Span { start: local, end: qualified.end },
            namespace,
            parent,
            next: index + 1,
            attributes: offset(first),
        });
        if empty {
            self.bindings.truncate(outer_bindings);
        } else {
            self.open.push((index, outer_bindings));
        }
        Ok(())
    }

    /// Reads the attributes of a start tag into the table; `first` is the place of the first.
    fn attributes(&mut self, start: usize, end: usize, first: usize) -> Result<(), Fault> {
        let mut raw = RawAttributes::new(self.text, start, end);
        while let Some(attribute) = raw.next()? {
            let namespace = match attribute.qualified.of(self.text) {
                "xmlns" => self.declare("", &attribute.value)?,
                name => match name.strip_prefix("xmlns:") {
                    Some(prefix) => self.declare(prefix, &attribute.value)?,
                    None => NO_NAMESPACE,
                },
            };
            if self.tables.attributes.len() - first >= self.limits.attributes {
                return Err(Fault {
                    code: "xml-too-many-attributes",
                    span: attribute.qualified,
                    message: format!("an element has more than {} attributes", self.limits.attributes),
                    help: "delete what means nothing: no BPMN needs so many".into(),
                });
            }
            self.tables.attributes.push(AttributeNode {
                qualified: attribute.qualified,
                local: attribute.local,
                value: attribute.value,
                is_literal: attribute.is_literal,
                namespace,
            });
        }
        // Only now are all declarations of the tag known.
        for index in first..self.tables.attributes.len() {
            let AttributeNode { qualified, local, namespace, .. } = self.tables.attributes[index];
            if namespace == NO_NAMESPACE && local != qualified.start {
                self.tables.attributes[index].namespace = self.namespace(qualified, local, true)?;
            }
        }
        self.check_twice(first)
    }

    fn declare(&mut self, prefix: &'t str, value: &Span) -> Result<u32, Fault> {
        if self.bindings.len() >= self.limits.namespaces {
            return Err(Fault {
                code: "xml-too-many-namespaces",
                span: *value,
                message: format!("more than {} namespaces are declared here", self.limits.namespaces),
                help: "declare each namespace once, at the root element".into(),
            });
        }
        let uri = text::decode_attribute(value.of(self.text));
        // Namespaces in XML 1.0 §3: both prefixes, and what they stand for, are fixed.
        if prefix == "xmlns" || (prefix == "xml") != (&*uri == XML_URI) || &*uri == DECLARATIONS_URI {
            let message = format!("the prefix `{prefix}` cannot stand for `{uri}`: one of them is XML's own");
            return Err(malformed(value.start as usize, value.end as usize, message, "delete this declaration"));
        }
        let id = match self.ids.get(&*uri) {
            Some(id) => *id,
            None => {
                let id = offset(self.tables.namespaces.len());
                self.tables.namespaces.push(uri.clone().into());
                self.ids.insert(uri.into(), id);
                id
            }
        };
        self.bindings.push((prefix, id));
        Ok(DECLARATIONS)
    }

    /// The namespace of a name with the prefixes now in force.
    fn namespace(&self, qualified: Span, local: u32, is_attribute: bool) -> Result<u32, Fault> {
        let prefix = Span { start: qualified.start, end: local }.of(self.text).trim_end_matches(':');
        let bound = self.bindings.iter().rev().find(|(bound, _)| *bound == prefix);
        match bound {
            Some((_, id)) if prefix.is_empty() || *id != NO_NAMESPACE => Ok(*id),
            _ => {
                let kind = if is_attribute { "attribute" } else { "element" };
                let name = qualified.of(self.text);
                Err(Fault {
                    code: "xml-prefix-unbound",
                    span: qualified,
                    message: format!("the prefix `{prefix}` of the {kind} `{name}` is not declared"),
                    help: format!("add `xmlns:{prefix}=\"...\"` with its namespace to the root element"),
                })
            }
        }
    }

    /// Checks that no attribute stands twice among those from `first` on.
    fn check_twice(&self, first: usize) -> Result<(), Fault> {
        let attributes = &self.tables.attributes[first..];
        let key = |attribute: &AttributeNode| {
            let local = Span { start: attribute.local, end: attribute.qualified.end };
            (attribute.namespace, local.of(self.text))
        };
        let twice = if attributes.len() <= 16 {
            attributes.iter().enumerate().skip(1).find_map(|(index, attribute)| {
                attributes[..index].iter().any(|earlier| key(earlier) == key(attribute)).then_some(attribute)
            })
        } else {
            let mut sorted: Vec<&AttributeNode> = attributes.iter().collect();
            sorted.sort_by_key(|attribute| key(attribute));
            sorted.windows(2).find(|pair| key(pair[0]) == key(pair[1])).map(|pair| pair[1])
        };
        match twice {
            None => Ok(()),
            Some(attribute) => {
                let name = attribute.qualified.of(self.text);
                let message = format!("the attribute `{name}` stands twice in one element");
                let Span { start, end } = attribute.qualified;
                Err(malformed(start as usize, end as usize, message, "delete one of them"))
            }
        }
    }

    fn end_tag(&mut self, start: usize, end: usize) -> Result<(), Fault> {
        let name = self.text[start + 2..end - 1].trim_ascii_end();
        let Some((index, bindings)) = self.open.pop() else {
            let message = format!("`</{name}>` closes nothing");
            return Err(malformed(start, end, message, "delete it, or write the start tag that it belongs to"));
        };
        let next = offset(self.tables.nodes.len());
        let node = &mut self.tables.nodes[index as usize];
        let opened = Span { start: node.span.start + 1, end: node.name.end }.of(self.text);
        if opened != name {
            let (line, column) = Lines::new(self.text).line_column(self.text, node.span.start);
            let message = format!("`</{name}>` stands where `<{opened}>` of line {line}, column {column} is open");
            return Err(malformed(start, end, message, format!("write `</{opened}>` before it")));
        }
        node.span.end = offset(end);
        node.next = next;
        self.bindings.truncate(bindings);
        Ok(())
    }

    fn finish(self) -> Result<Tables, Fault> {
        let end = self.text.len();
        if let Some((index, _)) = self.open.last() {
            let node = &self.tables.nodes[*index as usize];
            let opened = Span { start: node.span.start + 1, end: node.name.end }.of(self.text);
            let message = format!("the file ends before `<{opened}>` is closed; it may be cut off");
            let Span { start, end } = node.span;
            return Err(malformed(start as usize, end as usize, message, format!("write `</{opened}>`")));
        }
        if self.tables.nodes.is_empty() {
            return Err(malformed(0, end, "the file has no element", "give a BPMN file"));
        }
        Ok(self.tables)
    }

    fn fault(&self, error: &Error, place: usize) -> Fault {
        if let Error::Syntax(SyntaxError::UnclosedDoctype) = error {
            return doctype(place, self.text.len());
        }
        malformed(place.min(self.text.len()), self.text.len(), error.to_string(), "mend or export the file again")
    }
}

fn doctype(start: usize, end: usize) -> Fault {
    Fault {
        code: "xml-doctype",
        span: span(start, end),
        message: "the file has a document type declaration".into(),
        help: "delete `<!DOCTYPE ...>`: BPMN needs none, and its entities could make a small file huge".into(),
    }
}

fn outside(start: usize, end: usize) -> Fault {
    malformed(start, end, "there is text outside the root element", "delete it")
}

/// Refuses the end of a CDATA section that never began (XML 1.0 §2.4).
fn check_text(text: &str, start: usize, end: usize) -> Result<(), Fault> {
    // Most texts are the blanks between tags: looking for one byte first is much quicker.
    let text = &text[start..end];
    match text.contains(']').then(|| text.find("]]>")).flatten() {
        None => Ok(()),
        Some(place) => {
            let place = start + place;
            Err(malformed(place, place + 3, "`]]>` stands in a text", "write `]]&gt;` in its place"))
        }
    }
}

/// Refuses two hyphens in a comment (XML 1.0 §2.5).
fn check_comment(text: &str, start: usize, end: usize) -> Result<(), Fault> {
    let first = start + "<!--".len();
    let inside = text.get(first..end - "-->".len()).unwrap_or_default();
    // The last hyphen inside would stand before those that end the comment: `--->`.
    match inside.find("--").or_else(|| inside.strip_suffix('-').map(str::len)) {
        None => Ok(()),
        Some(place) => {
            let place = first + place;
            Err(malformed(
                place,
                place + 2,
                "`--` stands in a comment",
                "put a space between the hyphens, or delete one",
            ))
        }
    }
}

/// Refuses the characters that XML 1.0 §2.2 forbids.
fn check_characters(source: &str) -> Result<(), Fault> {
    // U+FFFE and U+FFFF begin with the byte EF; what is harmless and begins so, too, is rare.
    let may_be_bad = |byte: &u8| *byte < b' ' && !matches!(*byte, b'\t' | b'\n' | b'\r') || *byte == 0xEF;
    // Without a way out of the loop the compiler makes it many bytes at a time.
    let any = |block: &[u8]| block.iter().fold(false, |any, byte| any | may_be_bad(byte));
    if !source.as_bytes().chunks(4096).any(any) {
        return Ok(());
    }
    match source.char_indices().find(|(_, character)| !text::is_character(*character)) {
        None => Ok(()),
        Some((place, character)) => {
            let message = format!("the character U+{:04X} is not allowed in XML", u32::from(character));
            Err(malformed(place, place + character.len_utf8(), message, "delete it"))
        }
    }
}

fn span(start: usize, end: usize) -> Span {
    Span { start: offset(start), end: offset(end) }
}

/// A place in the text; it never exceeds the text's length.
fn position(place: u64) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}
