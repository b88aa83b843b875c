//! What a model's file says of its flow nodes, in Camunda's words.

use std::collections::{BTreeMap, HashMap};

use potok::Engine;
use potok::row::Definition;
use potok_core::graph::ProcessGraph;
use potok_core::instance::Ordinal;
use potok_core::xml::{Document, Element};

use super::error::Fault;
use super::{deployment, expression};

/// Flow nodes, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Model(HashMap<String, Node>);

/// A flow node.
#[derive(Debug)]
struct Node {
    kind: String,
    name: Option<String>,
    documentation: Option<String>,
    /// The word for its timer, and when that is due, if it has one.
    timer: Option<(&'static str, String)>,
}

impl Model {
    /// That of a definition; one without flow nodes if its file cannot be read.
    pub(crate) async fn of(engine: &Engine, definition: &Definition) -> Result<Self, Fault> {
        let bytes = deployment::file_of(engine, definition).await?;
        let Ok(document) = Document::parse(&bytes) else { return Ok(Self::default()) };
        let node = |element: Element<'_>| {
            let id = element.attribute("id")?;
            let name = element.attribute("name").map(|name| name.into_owned());
            let documentation = element.children().find(|child| child.name() == "documentation");
            let documentation = documentation.map(|said| said.text().trim().to_owned());
            Some((id.into_owned(), Node { kind: kind(element), name, documentation, timer: timer(element) }))
        };
        Ok(Self(document.elements().filter_map(node).collect()))
    }

    /// Those of several definitions, by their keys.
    pub(crate) async fn of_all(
        engine: &Engine,
        definitions: &BTreeMap<u64, Definition>,
    ) -> Result<BTreeMap<u64, Self>, Fault> {
        let mut models = BTreeMap::new();
        for (key, definition) in definitions {
            models.insert(*key, Self::of(engine, definition).await?);
        }
        Ok(models)
    }

    /// The type of a flow node.
    pub(crate) fn kind(&self, node: &str) -> &str {
        self.0.get(node).map_or("task", |node| &node.kind)
    }

    /// The word for its timer, and when that is due.
    pub(crate) fn timer(&self, node: &str) -> (&'static str, Option<String>) {
        match self.0.get(node).and_then(|node| node.timer.clone()) {
            Some((word, due)) => (word, Some(due)),
            None => ("timer-intermediate-transition", None),
        }
    }

    /// Whether it has one.
    pub(crate) fn has_timer(&self, node: &str) -> bool {
        self.0.get(node).is_some_and(|node| node.timer.is_some())
    }

    /// What its documentation says, unless that would have to be computed.
    pub(crate) fn documentation(&self, node: &str) -> Option<&str> {
        self.0.get(node)?.documentation.as_deref().filter(|text| !text.is_empty() && !expression::is_computed(text))
    }

    /// Its name.
    pub(crate) fn name(&self, node: &str) -> Option<&str> {
        self.0.get(node)?.name.as_deref()
    }
}

/// Whether other flow nodes stand inside of a flow node: then a token stands there, not on it.
pub(crate) fn is_around_others(graph: &ProcessGraph, node: Ordinal) -> bool {
    use potok_core::graph::NodeKind::{AdHoc, EventSubProcess, SubProcess, Transaction};
    let kind = graph.get_node(node).map(|node| &node.kind);
    matches!(kind, Some(SubProcess(_) | Transaction(_) | EventSubProcess(_) | AdHoc(_)))
}

/// The word for an event's timer, and when it is due, as the model says.
fn timer(element: Element<'_>) -> Option<(&'static str, String)> {
    let timer = element.children().find(|child| child.name() == "timerEventDefinition")?;
    let within_event = || {
        let around = element.parent();
        around.is_some_and(|around| around.attribute("triggeredByEvent").as_deref() == Some("true"))
    };
    let word = match element.name() {
        "startEvent" if within_event() => "timer-start-event-subprocess",
        "startEvent" => "timer-start-event",
        "boundaryEvent" => "timer-transition",
        _ => "timer-intermediate-transition",
    };
    let due = timer.children().find_map(|child| {
        let kind = match child.name() {
            "timeDate" => "DATE",
            "timeDuration" => "DURATION",
            "timeCycle" => "CYCLE",
            _ => return None,
        };
        Some(format!("{kind}: {}", child.text().trim()))
    });
    Some((word, due?))
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
