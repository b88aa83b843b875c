//! What a model's file says of its flow nodes, in Camunda's words.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use potok::row::Definition;
use potok::{DefinitionId, Engine};
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

/// A model, and the graph beside which it was read.
type Read = (Weak<ProcessGraph>, Arc<Model>);

/// Models that have been read, as long as there is the graph of their definition, under its address: that is nobody else's as long as
/// somebody remembers it.
static READ: Mutex<BTreeMap<usize, Read>> = Mutex::new(BTreeMap::new());

impl Model {
    /// That of a definition; one without flow nodes if its file cannot be read.
    pub(crate) async fn of(engine: &Engine, definition: &Definition) -> Result<Arc<Self>, Fault> {
        // One whose model this version of the program refuses has none, but has a file.
        let graph = engine.graph(DefinitionId(definition.key)).await.ok().flatten();
        let Some(graph) = graph else { return Ok(Arc::new(Self::read(engine, definition).await?)) };
        let address = Arc::as_ptr(&graph).addr();
        let known = || READ.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, model)) = known().get(&address) {
            return Ok(model.clone());
        }
        let model = Arc::new(Self::read(engine, definition).await?);
        let mut known = known();
        known.retain(|_, (graph, _)| graph.strong_count() > 0);
        known.insert(address, (Arc::downgrade(&graph), model.clone()));
        Ok(model)
    }

    async fn read(engine: &Engine, definition: &Definition) -> Result<Self, Fault> {
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
    ) -> Result<BTreeMap<u64, Arc<Self>>, Fault> {
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
