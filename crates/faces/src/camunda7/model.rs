//! What a model's file says of its flow nodes, in Camunda's words.

use std::collections::HashMap;

use potok::Engine;
use potok::row::Definition;
use potok_core::xml::{Document, Element};

use super::deployment;
use super::error::Fault;

/// Types and names of flow nodes, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Model(HashMap<String, (String, Option<String>)>);

impl Model {
    /// That of a definition; one without flow nodes if its file cannot be read.
    pub(crate) async fn of(engine: &Engine, definition: &Definition) -> Result<Self, Fault> {
        let bytes = deployment::file_of(engine, definition).await?;
        let Ok(document) = Document::parse(&bytes) else { return Ok(Self::default()) };
        let node = |element: Element<'_>| {
            let id = element.attribute("id")?;
            let name = element.attribute("name").map(|name| name.into_owned());
            Some((id.into_owned(), (kind(element), name)))
        };
        Ok(Self(document.elements().filter_map(node).collect()))
    }

    /// The type of a flow node.
    pub(crate) fn kind(&self, node: &str) -> &str {
        self.0.get(node).map_or("task", |(kind, _)| kind)
    }

    /// Its name.
    pub(crate) fn name(&self, node: &str) -> Option<&str> {
        self.0.get(node)?.1.as_deref()
    }
}

fn kind(element: Element<'_>) -> String {
    let trigger = element.children().find_map(|child| child.name().strip_suffix("EventDefinition"));
    let word = match (element.name(), trigger) {
        ("startEvent", None) => "startEvent",
        ("startEvent", Some("timer")) => "startTimerEvent",
        ("startEvent", Some(trigger)) => return format!("{trigger}StartEvent"),
        ("endEvent", None) => "noneEndEvent",
        ("endEvent", Some("compensate")) => "compensationEndEvent",
        ("endEvent", Some(trigger)) => return format!("{trigger}EndEvent"),
        ("intermediateCatchEvent", Some("timer")) => "intermediateTimer",
        ("intermediateCatchEvent", Some("conditional")) => "intermediateConditional",
        ("intermediateCatchEvent", Some(trigger)) => return format!("intermediate{}Catch", capital(trigger)),
        ("intermediateThrowEvent", None) => "intermediateNoneThrowEvent",
        ("intermediateThrowEvent", Some("signal")) => "intermediateSignalThrow",
        ("intermediateThrowEvent", Some("link")) => "intermediateLinkThrow",
        ("intermediateThrowEvent", Some("compensate")) => "intermediateCompensationThrowEvent",
        ("intermediateThrowEvent", Some(trigger)) => return format!("intermediate{}ThrowEvent", capital(trigger)),
        ("boundaryEvent", Some("cancel")) => "cancelBoundaryCatch",
        ("boundaryEvent", Some("compensate")) => "compensationBoundaryCatch",
        ("boundaryEvent", Some(trigger)) => return format!("boundary{}", capital(trigger)),
        (name, _) => name,
    };
    word.to_owned()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
