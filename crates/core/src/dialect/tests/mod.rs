//! Small models in each dialect, and the neutral properties that come out.

#![allow(clippy::unwrap_used)]

mod camunda;
mod diagnostics;
mod expressions;
mod flowable;
mod potok;
mod refusals;
mod zeebe;

use super::{MappingSource, Reader, VariableMapping};
use crate::expressions::Language;
use crate::model::Expression;
use crate::xml::{Document, Element};

/// A file whose root declares every prefix that the tests use, and `root` besides.
fn document_with(root: &str, content: &str) -> Document {
    let file = format!(
        r#"<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
        xmlns:modeler="http://camunda.org/schema/modeler/1.0" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
        xmlns:operaton="http://operaton.org/schema/1.0/bpmn" xmlns:fluxnova="http://fluxnova.finos.org/schema/1.0/bpmn"
        xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:flowable="http://flowable.org/bpmn"
        xmlns:activiti="http://activiti.org/bpmn" xmlns:potok="urn:potok:bpmn:1.0" {root}>{content}</bpmn:definitions>"#
    );
    Document::parse(file.as_bytes()).unwrap()
}

fn document(content: &str) -> Document {
    document_with("", content)
}

/// The element with that id.
fn at<'d>(document: &'d Document, id: &str) -> Element<'d> {
    document.elements().find(|element| element.attribute("id").as_deref() == Some(id)).unwrap()
}

/// The first element of that name.
fn named<'d>(document: &'d Document, name: &str) -> Element<'d> {
    document.elements().find(|element| element.name() == name).unwrap()
}

/// An expression as its language's mark and its text.
fn shown(expression: &Expression) -> String {
    let mark = match &expression.language {
        Language::Literal => "literal",
        Language::Feel => "feel",
        Language::Template => "template",
        Language::JavaScript => "js",
        Language::Other(name) => name,
    };
    format!("{mark} {}", expression.text)
}

fn shown_option(expression: Option<&Expression>) -> String {
    expression.map(shown).unwrap_or_default()
}

fn shown_source(source: &MappingSource) -> String {
    match source {
        MappingSource::Variable(name) => format!("variable {name}"),
        MappingSource::Expression(expression) => shown(expression),
        MappingSource::Script(script) => format!("script {}", shown(script)),
        MappingSource::List(items) => {
            format!("[{}]", items.iter().map(shown_source).collect::<Vec<_>>().join(", "))
        }
        MappingSource::Map(entries) => {
            let entry = |(key, value): &(Expression, MappingSource)| format!("{}: {}", key.text, shown_source(value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        MappingSource::Null => "null".into(),
    }
}

fn shown_mappings(mappings: &[VariableMapping]) -> Vec<String> {
    mappings.iter().map(|mapping| format!("{} = {}", mapping.target, shown_source(&mapping.source))).collect()
}

/// The headers or fields, as `name = expression`.
fn shown_pairs(pairs: &[(crate::Name, Expression)]) -> Vec<String> {
    pairs.iter().map(|(name, expression)| format!("{name} = {}", shown(expression))).collect()
}

/// The diagnostics' codes with the ids of their elements.
fn codes(document: &Document) -> Vec<String> {
    let diagnostics = Reader::new(document).diagnostics();
    diagnostics.iter().map(|found| format!("{} {}", found.code, found.element.as_deref().unwrap_or_default())).collect()
}
