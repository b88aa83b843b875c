//! What all readers of elements share: the document, its outline, and how attributes, references and expressions stand
//! in it.

use std::cell::RefCell;

use super::outline::{Outline, Survey, Target};
use super::words;
use crate::Name;
use crate::diagnostic::{Diagnostic, Severity};
use crate::dialect::{self, ExpressionUse};
use crate::model::{Expression, NodeIndex, OperationIndex, ProcessIndex, Reference};
use crate::xml::{Document, Element, NamespaceId};

pub(super) struct Source<'d> {
    pub(super) document: &'d Document,
    pub(super) dialect: dialect::Reader<'d>,
    pub(super) outline: Outline<'d>,
    /// The namespace that BPMN elements are in.
    namespace: NamespaceId,
    found: RefCell<Vec<Diagnostic>>,
}

impl<'d> Source<'d> {
    pub(super) fn new(document: &'d Document) -> Result<Self, Diagnostic> {
        let root = document.root();
        let namespace = root.namespace();
        // Some write the namespace with a slash at its end or in other letters; it can mean nothing else.
        let is_model = namespace.trim_end_matches('/').eq_ignore_ascii_case(words::MODEL);
        if root.name() != "definitions" || !is_model {
            return Err(document.diagnostic(
                "root-unknown",
                Severity::Error,
                root.index(),
                format!(
                    "the root element is `{}` in the namespace `{namespace}`: this is no BPMN 2.0 file",
                    root.name()
                ),
                format!("a BPMN file begins with `definitions` in the namespace `{}`", words::MODEL),
            ));
        }
        let (outline, mut found) = Survey::of(document, root.namespace_id());
        let dialect = dialect::Reader::new(document);
        found.extend(dialect.diagnostics());
        Ok(Self { document, dialect, outline, namespace: root.namespace_id(), found: RefCell::new(found) })
    }

    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.found.into_inner()
    }

    pub(super) fn report(
        &self,
        code: &'static str,
        severity: Severity,
        element: Element<'d>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.found.borrow_mut().push(self.document.diagnostic(code, severity, element.index(), message, help));
    }

    /// An attribute's value; an empty one is none.
    pub(super) fn attribute(&self, element: Element<'d>, name: &str) -> Option<Name> {
        element.attribute(name).filter(|value| !value.trim().is_empty()).map(Name::from)
    }

    pub(super) fn name(&self, element: Element<'d>) -> Option<Name> {
        self.attribute(element, "name")
    }

    pub(super) fn optional_id(&self, element: Element<'d>) -> Option<Name> {
        element.attribute("id").map(|id| Name::from(id.trim())).filter(|id| !id.is_empty())
    }

    /// The element's id; if it has none, one is made of its place, the same each time the file is read.
    pub(super) fn id(&self, element: Element<'d>) -> Name {
        self.optional_id(element).unwrap_or_else(|| {
            let (line, column) = self.document.line_column(element.span().start);
            let mut id = format!("_{line}_{column}");
            while self.outline.has(&id) {
                id.push('_');
            }
            id.into()
        })
    }

    /// As [`Source::id`], with a warning if it is made.
    pub(super) fn important_id(&self, element: Element<'d>) -> Name {
        let id = self.id(element);
        if self.optional_id(element).is_none() {
            self.report(
                "id-missing",
                Severity::Warning,
                element,
                format!("this `{}` has no id; it is called `{id}` after its place", element.name()),
                "give it an id: one made of a place changes with every edit of the file",
            );
        }
        id
    }

    /// A boolean attribute, if it is there. (Values that mean nothing are found when the model is checked.)
    pub(super) fn optional_flag(&self, element: Element<'d>, name: &str) -> Option<bool> {
        let value = self.attribute(element, name)?;
        match value.trim() {
            "true" | "1" | "True" | "TRUE" => Some(true),
            "false" | "0" | "False" | "FALSE" => Some(false),
            _ => None,
        }
    }

    pub(super) fn flag(&self, element: Element<'d>, name: &str, default: bool) -> bool {
        self.optional_flag(element, name).unwrap_or(default)
    }

    pub(super) fn number(&self, element: Element<'d>, name: &str) -> Option<u32> {
        self.attribute(element, name)?.trim().parse().ok()
    }

    /// The BPMN elements directly in an element.
    pub(super) fn bpmn(&self, element: Element<'d>) -> impl Iterator<Item = Element<'d>> {
        let namespace = self.namespace;
        element.children().filter(move |child| child.namespace_id() == namespace)
    }

    pub(super) fn children<'n>(
        &self,
        element: Element<'d>,
        name: &'n str,
    ) -> impl Iterator<Item = Element<'d>> + use<'d, 'n> {
        let namespace = self.namespace;
        element.children().filter(move |child| child.name() == name && child.namespace_id() == namespace)
    }

    pub(super) fn child(&self, element: Element<'d>, name: &str) -> Option<Element<'d>> {
        self.children(element, name).next()
    }

    /// The expression in a child element; an empty one is none.
    pub(super) fn expression(&self, element: Element<'d>, child: &str, usage: ExpressionUse) -> Option<Expression> {
        self.child(element, child).and_then(|child| self.own_expression(child, usage))
    }

    /// The expression that is an element's text; an empty one is none.
    pub(super) fn own_expression(&self, element: Element<'d>, usage: ExpressionUse) -> Option<Expression> {
        (!element.text().trim().is_empty()).then(|| self.dialect.expression(element, usage))
    }

    /// The expression in an attribute; an empty one is none.
    pub(super) fn attribute_expression(&self, element: Element<'d>, name: &str) -> Option<Expression> {
        self.attribute(element, name).map(|_| self.dialect.attribute_expression(element, name, ExpressionUse::Name))
    }

    /// The id that an attribute, or else a child element's text, refers to.
    pub(super) fn referred(&self, element: Element<'d>, name: &str) -> Option<Name> {
        match element.attribute(name) {
            Some(text) => self.without_prefix(&text),
            None => self.child(element, name).and_then(|child| self.without_prefix(&child.text())),
        }
    }

    /// The ids that child elements refer to.
    pub(super) fn all_referred(&self, element: Element<'d>, name: &str) -> Vec<Name> {
        self.children(element, name).filter_map(|child| self.without_prefix(&child.text())).collect()
    }

    /// References are qualified names (`tns:Message_1`); ids are not, though some write a colon in them all the same.
    pub(super) fn without_prefix(&self, text: &str) -> Option<Name> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let is_qualified = |local: &str| !local.is_empty() && !local.contains([':', '/']);
        let local = text.split_once(':').map(|(_, local)| local).filter(|local| is_qualified(local));
        match local {
            Some(local) if !self.outline.has(text) => Some(Name::from(local)),
            _ => Some(Name::from(text)),
        }
    }

    pub(super) fn reference<T>(&self, text: Name, choose: impl Fn(Target) -> Option<T>) -> Reference<T> {
        let target = self.outline.target(&text, choose);
        Reference { text, target }
    }

    /// The reference in an attribute or child element, resolved to what is of the right kind.
    pub(super) fn referred_as<T>(
        &self,
        element: Element<'d>,
        name: &str,
        choose: impl Fn(Target) -> Option<T>,
    ) -> Option<Reference<T>> {
        self.referred(element, name).map(|text| self.reference(text, choose))
    }

    pub(super) fn message(&self, element: Element<'d>, name: &str) -> Option<Reference<usize>> {
        self.referred_as(element, name, |target| match target {
            Target::Message(message) => Some(message),
            _ => None,
        })
    }

    pub(super) fn item(&self, element: Element<'d>, name: &str) -> Option<Reference<usize>> {
        self.referred_as(element, name, |target| match target {
            Target::Item(item) => Some(item),
            _ => None,
        })
    }

    pub(super) fn operation(&self, element: Element<'d>) -> Option<Reference<OperationIndex>> {
        self.referred_as(element, "operationRef", |target| match target {
            Target::Operation(operation) => Some(operation),
            _ => None,
        })
    }

    /// A reference to a flow node of a process. An absent one is an empty text that refers to nothing.
    pub(super) fn node(&self, element: Element<'d>, name: &str, process: ProcessIndex) -> Reference<NodeIndex> {
        let text = self.referred(element, name).unwrap_or_else(|| Name::from(""));
        self.reference(text, |target| node_of(target, process))
    }
}

/// The flow node, if it is one of that process.
pub(super) fn node_of(target: Target, process: ProcessIndex) -> Option<NodeIndex> {
    match target {
        Target::Node(of, node) if of == process => Some(node),
        _ => None,
    }
}
