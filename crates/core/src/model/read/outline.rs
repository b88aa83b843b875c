//! Which elements a file has, by kind and in document order, and what each id means.

use std::borrow::Cow;
#[allow(clippy::disallowed_types, reason = "only looked up by id, never iterated")]
use std::collections::HashMap;

use super::words;
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::{FlowIndex, LaneIndex, NodeIndex, OperationIndex, ProcessIndex};
use crate::xml::{Document, Element, ElementIndex, NamespaceId};

/// What an id refers to: a place in one of the model's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Process(ProcessIndex),
    Node(ProcessIndex, NodeIndex),
    Flow(ProcessIndex, FlowIndex),
    DataObject(ProcessIndex, usize),
    Participant(usize, usize),
    Message(usize),
    Signal(usize),
    Error(usize),
    Escalation(usize),
    Item(usize),
    DataStore(usize),
    Operation(OperationIndex),
    CorrelationProperty(usize),
    EventDefinition(ElementIndex),
    Resource(ElementIndex),
    /// Something that nothing executable refers to.
    Other,
}

/// The elements of a file that the model has tables for.
#[derive(Debug, Default)]
pub(super) struct Outline<'d> {
    pub(super) processes: Vec<ProcessOutline<'d>>,
    /// Collaborations with their participants.
    pub(super) collaborations: Vec<(Element<'d>, Vec<Element<'d>>)>,
    pub(super) messages: Vec<Element<'d>>,
    pub(super) signals: Vec<Element<'d>>,
    pub(super) errors: Vec<Element<'d>>,
    pub(super) escalations: Vec<Element<'d>>,
    pub(super) items: Vec<Element<'d>>,
    pub(super) data_stores: Vec<Element<'d>>,
    /// Interfaces with their operations.
    pub(super) interfaces: Vec<(Element<'d>, Vec<Element<'d>>)>,
    pub(super) correlation_properties: Vec<Element<'d>>,
    pub(super) event_definitions: Vec<Element<'d>>,
    pub(super) global_tasks: Vec<Element<'d>>,
    /// Associations, wherever they stand.
    pub(super) associations: Vec<Element<'d>>,
    #[allow(clippy::disallowed_types, reason = "only looked up by id, never iterated")]
    ids: HashMap<Cow<'d, str>, (ElementIndex, Target)>,
    /// What else elements are that have the id of another.
    #[allow(clippy::disallowed_types, reason = "only looked up by id, never iterated")]
    others: HashMap<Cow<'d, str>, Vec<Target>>,
}

/// An element and the sub-process that it stands in.
pub(super) type Placed<'d> = (Element<'d>, Option<NodeIndex>);

/// The elements of a process.
#[derive(Debug)]
pub(super) struct ProcessOutline<'d> {
    pub(super) element: Element<'d>,
    pub(super) nodes: Vec<Placed<'d>>,
    pub(super) flows: Vec<Placed<'d>>,
    /// Lanes, with the lane around each.
    pub(super) lanes: Vec<(Placed<'d>, Option<LaneIndex>)>,
    pub(super) data_objects: Vec<Placed<'d>>,
    pub(super) data_object_references: Vec<Placed<'d>>,
    pub(super) data_store_references: Vec<Placed<'d>>,
    pub(super) correlation_subscriptions: Vec<Element<'d>>,
}

impl<'d> ProcessOutline<'d> {
    fn new(element: Element<'d>) -> Self {
        Self {
            element,
            nodes: Vec::new(),
            flows: Vec::new(),
            lanes: Vec::new(),
            data_objects: Vec::new(),
            data_object_references: Vec::new(),
            data_store_references: Vec::new(),
            correlation_subscriptions: Vec::new(),
        }
    }
}

impl Outline<'_> {
    /// An element has that id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.contains_key(id)
    }

    /// What an id means, where something of that kind is wanted.
    pub(super) fn target<T>(&self, id: &str, choose: impl Fn(Target) -> Option<T>) -> Option<T> {
        let (_, first) = self.ids.get(id)?;
        choose(*first).or_else(|| self.others.get(id)?.iter().copied().find_map(choose))
    }
}

/// A process or sub-process whose elements are being gone through.
struct Container {
    element: ElementIndex,
    end: ElementIndex,
    process: ProcessIndex,
    node: Option<NodeIndex>,
}

/// Goes through all elements once. There is no recursion: a stack holds the sub-processes that the place is in.
pub(super) struct Survey<'d> {
    document: &'d Document,
    outline: Outline<'d>,
    containers: Vec<Container>,
    found: Vec<Diagnostic>,
}

impl<'d> Survey<'d> {
    /// Surveys a document whose BPMN elements are in `namespace`.
    pub(super) fn of(document: &'d Document, namespace: NamespaceId) -> (Outline<'d>, Vec<Diagnostic>) {
        let mut survey = Self { document, outline: Outline::default(), containers: Vec::new(), found: Vec::new() };
        // About every other element has an id.
        survey.outline.ids.reserve(document.len() as usize / 2);
        // Elements before this index are inside something that is none of ours.
        let mut skipped_to = ElementIndex(0);
        for element in document.elements() {
            if element.index() < skipped_to {
                continue;
            }
            if element.namespace_id() == namespace {
                let is_known = words::is_known(element.name());
                let target = if is_known { survey.place(element) } else { survey.place_unknown(element) };
                survey.register(element, target);
                // These may hold anything, also what merely looks like BPMN.
                let is_free = matches!(element.name(), "extensionElements" | "documentation" | "text" | "script");
                if is_free || !is_known {
                    skipped_to = element.end();
                }
            } else if words::is_diagram(element.namespace()) {
                survey.register(element, Target::Other);
            } else {
                skipped_to = element.end();
            }
        }
        (survey.outline, survey.found)
    }

    /// Puts a BPMN element into its table, if there is one for it.
    fn place(&mut self, element: Element<'d>) -> Target {
        while self.containers.last().is_some_and(|container| container.end <= element.index()) {
            self.containers.pop();
        }
        let name = element.name();
        let Some(parent) = element.parent() else {
            return Target::Other;
        };
        if parent.index() == ElementIndex(0) {
            return self.place_at_root(element);
        }
        if name == "association" {
            self.outline.associations.push(element);
            return Target::Other;
        }
        let container = self.containers.last();
        match container.map(|c| (c.process, c.node, c.element == parent.index())) {
            Some((process, node, true)) => self.place_in_process(element, process, node),
            Some((process, node, false)) if name == "lane" => self.place_lane(element, parent, process, node),
            None if parent.name() == "interface" && name == "operation" => self.place_operation(element, parent),
            None if name == "participant" => self.place_participant(element, parent),
            // No table, or none that this place belongs to.
            _ => Target::Other,
        }
    }

    fn place_unknown(&mut self, element: Element<'d>) -> Target {
        self.warn(
            "element-unknown",
            element,
            format!("BPMN has no element `{}`; it is skipped", element.name()),
            "correct its name, or put what a vendor added into `extensionElements`",
        );
        Target::Other
    }

    fn place_at_root(&mut self, element: Element<'d>) -> Target {
        let outline = &mut self.outline;
        match element.name() {
            "process" => {
                let process = ProcessIndex(index(outline.processes.len()));
                outline.processes.push(ProcessOutline::new(element));
                self.containers.push(Container { element: element.index(), end: element.end(), process, node: None });
                Target::Process(process)
            }
            "message" => Target::Message(push(&mut outline.messages, element)),
            "signal" => Target::Signal(push(&mut outline.signals, element)),
            "error" => Target::Error(push(&mut outline.errors, element)),
            "escalation" => Target::Escalation(push(&mut outline.escalations, element)),
            "itemDefinition" => Target::Item(push(&mut outline.items, element)),
            "resource" => Target::Resource(element.index()),
            "dataStore" => Target::DataStore(push(&mut outline.data_stores, element)),
            "correlationProperty" => Target::CorrelationProperty(push(&mut outline.correlation_properties, element)),
            "interface" => {
                outline.interfaces.push((element, Vec::new()));
                Target::Other
            }
            name if words::is_collaboration(name) => {
                outline.collaborations.push((element, Vec::new()));
                Target::Other
            }
            name if words::is_global_task(name) => {
                outline.global_tasks.push(element);
                Target::Other
            }
            name if name.ends_with("EventDefinition") => {
                outline.event_definitions.push(element);
                Target::EventDefinition(element.index())
            }
            _ => Target::Other,
        }
    }

    fn place_in_process(&mut self, element: Element<'d>, process: ProcessIndex, node: Option<NodeIndex>) -> Target {
        let outline = &mut self.outline.processes[process.0 as usize];
        let placed = (element, node);
        match element.name() {
            "sequenceFlow" => Target::Flow(process, FlowIndex(index(push(&mut outline.flows, placed)))),
            "dataObject" => Target::DataObject(process, push(&mut outline.data_objects, placed)),
            "dataObjectReference" => {
                outline.data_object_references.push(placed);
                Target::Other
            }
            "dataStoreReference" => {
                outline.data_store_references.push(placed);
                Target::Other
            }
            "correlationSubscription" => {
                outline.correlation_subscriptions.push(element);
                Target::Other
            }
            name if words::is_flow_node(name) => {
                let own = NodeIndex(index(push(&mut outline.nodes, placed)));
                if words::is_sub_process(name) {
                    self.containers.push(Container {
                        element: element.index(),
                        end: element.end(),
                        process,
                        node: Some(own),
                    });
                }
                Target::Node(process, own)
            }
            _ => Target::Other,
        }
    }

    /// A lane stands in a lane set of the process, or in the `childLaneSet` of another lane.
    fn place_lane(
        &mut self,
        lane: Element<'d>,
        set: Element<'d>,
        process: ProcessIndex,
        scope: Option<NodeIndex>,
    ) -> Target {
        let lanes = &mut self.outline.processes[process.0 as usize].lanes;
        let around = set.parent().map(Element::index);
        // Lanes are in document order.
        let outer = lanes.binary_search_by_key(&around, |((lane, _), _)| Some(lane.index())).ok();
        lanes.push(((lane, scope), outer.map(|outer| LaneIndex(index(outer)))));
        Target::Other
    }

    fn place_operation(&mut self, operation: Element<'d>, parent: Element<'d>) -> Target {
        let interface = self.outline.interfaces.len().checked_sub(1);
        match (interface, self.outline.interfaces.last_mut()) {
            (Some(interface), Some((element, operations))) if *element == parent => {
                Target::Operation(OperationIndex { interface, operation: push(operations, operation) })
            }
            _ => Target::Other,
        }
    }

    fn place_participant(&mut self, participant: Element<'d>, parent: Element<'d>) -> Target {
        let collaboration = self.outline.collaborations.len().checked_sub(1);
        match (collaboration, self.outline.collaborations.last_mut()) {
            (Some(collaboration), Some((element, participants))) if *element == parent => {
                Target::Participant(collaboration, push(participants, participant))
            }
            _ => Target::Other,
        }
    }

    /// Remembers what an element's id means.
    fn register(&mut self, element: Element<'d>, target: Target) {
        let Some(id) = element.attribute("id").map(trimmed).filter(|id| !id.is_empty()) else {
            return;
        };
        let in_diagram = |element: Element<'_>| words::is_diagram(element.namespace());
        if let Some((first, _)) = self.outline.ids.get(&id) {
            let first = self.document.element(*first);
            let (line, column) = self.document.line_column(first.span().start);
            let message =
                format!("the id `{id}` is already that of the `{}` at line {line}, column {column}", first.name());
            // Ids are unique over the whole file (`xsd:ID`), but nothing that is executed refers into the diagram.
            let is_drawn = in_diagram(element) || in_diagram(first);
            let (code, severity) =
                if is_drawn { ("id-in-diagram-twice", Severity::Warning) } else { ("id-duplicate", Severity::Error) };
            let help = "give each element an id of its own, and mend the references to it";
            self.found.push(self.document.diagnostic(code, severity, element.index(), message, help));
            if !in_diagram(first) || in_diagram(element) {
                self.outline.others.entry(id).or_default().push(target);
                return;
            }
        }
        self.outline.ids.insert(id, (element.index(), target));
    }

    fn warn(&mut self, code: &'static str, element: Element<'d>, message: String, help: &str) {
        self.found.push(self.document.diagnostic(code, Severity::Warning, element.index(), message, help));
    }
}

fn push<T>(list: &mut Vec<T>, item: T) -> usize {
    list.push(item);
    list.len() - 1
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// An index as the model's tables keep it; a file has far fewer elements than 2^32.
pub(super) fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
