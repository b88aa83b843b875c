#![allow(clippy::expect_used, clippy::unwrap_used)]

mod diagnostics;
mod elements;
mod references;

use crate::diagnostic::Diagnostic;
use crate::model::{Activity, Definitions, Event, FlowNode, FlowNodeKind};

/// A file with the given content of its root element.
fn file(content: &str) -> String {
    format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:t="urn:t" targetNamespace="urn:t">{content}</definitions>"#
    )
}

fn read(content: &str) -> Definitions {
    let (definitions, warnings) = read_with_warnings(content);
    assert_eq!(warnings, [], "nothing to warn of");
    definitions
}

fn read_with_warnings(content: &str) -> (Definitions, Vec<Diagnostic>) {
    Definitions::read(file(content).as_bytes()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// The codes of all findings that make a file unreadable.
fn refuse(text: &str) -> Vec<&'static str> {
    let faults = Definitions::read(text.as_bytes()).expect_err("is refused");
    faults.iter().map(|fault| fault.code).collect()
}

/// Reads a process `p` with the given content.
fn process(content: &str) -> Definitions {
    read(&format!(r#"<process id="p">{content}</process>"#))
}

fn node<'m>(definitions: &'m Definitions, id: &str) -> &'m FlowNode {
    let mut nodes = definitions.processes.iter().flat_map(|process| &process.flow_nodes);
    nodes.find(|node| &*node.id == id).unwrap_or_else(|| panic!("there is no node {id}"))
}

fn activity<'m>(definitions: &'m Definitions, id: &str) -> &'m Activity {
    match &node(definitions, id).kind {
        FlowNodeKind::Activity(activity) => activity,
        other => panic!("{id} is no activity: {other:?}"),
    }
}

fn event<'m>(definitions: &'m Definitions, id: &str) -> &'m Event {
    match &node(definitions, id).kind {
        FlowNodeKind::Event(event) => event,
        other => panic!("{id} is no event: {other:?}"),
    }
}
