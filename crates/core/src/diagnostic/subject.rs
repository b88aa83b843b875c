//! One process with the look-ups that rules share.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::activities::Callee;
use crate::model::{
    Activity, ActivityKind, CorrelationKey, Definitions, Event, EventDefinition, EventPosition, FlowIndex, FlowNode,
    FlowNodeKind, Gateway, KnownElement, LoopCharacteristics, MessageFlowEnd, NodeIndex, Process, ProcessIndex,
    SequenceFlow,
};
use crate::xml::{Element, ElementIndex};

/// Look-ups over the whole file.
pub(super) struct World<'a> {
    pub(super) definitions: &'a Definitions,
    /// Looked at only when something refers to what is not where it should be.
    nodes: OnceCell<BTreeMap<&'a str, (ProcessIndex, NodeIndex)>>,
    /// All BPMN elements with an id, sorted by it.
    elements: OnceCell<Vec<(Cow<'a, str>, Element<'a>)>>,
    processes: BTreeMap<&'a str, Callee<'a>>,
    data_stores: BTreeSet<&'a str>,
    /// The file imports others, whose elements it may refer to.
    pub(super) imports: bool,
    /// The properties of each correlation key.
    correlation_keys: BTreeMap<&'a str, BTreeSet<usize>>,
    message_targets: BTreeSet<(ProcessIndex, NodeIndex)>,
    message_sources: BTreeSet<(ProcessIndex, NodeIndex)>,
}

impl<'a> World<'a> {
    pub(super) fn new(definitions: &'a Definitions) -> Self {
        let keys = definitions.collaborations.iter().flat_map(|collaboration| &collaboration.correlation_keys);
        let properties_of =
            |key: &CorrelationKey| key.properties.iter().filter_map(|property| property.target).collect();
        let mut message_targets = BTreeSet::new();
        let mut message_sources = BTreeSet::new();
        for flow in definitions.collaborations.iter().flat_map(|collaboration| &collaboration.message_flows) {
            if let Some(MessageFlowEnd::FlowNode(process, node)) = flow.target.target {
                message_targets.insert((process, node));
            }
            if let Some(MessageFlowEnd::FlowNode(process, node)) = flow.source.target {
                message_sources.insert((process, node));
            }
        }
        Self {
            definitions,
            nodes: OnceCell::new(),
            elements: OnceCell::new(),
            processes: definitions.processes.iter().map(|process| (&*process.id, Callee::of(process))).collect(),
            data_stores: definitions.data_stores.iter().map(|store| &*store.id).collect(),
            imports: parts(definitions, definitions.document.root()).any(|element| element.name() == "import"),
            correlation_keys: keys.map(|key| (&*key.id, properties_of(key))).collect(),
            message_targets,
            message_sources,
        }
    }

    /// The flow node of that id, in whichever process.
    pub(super) fn node(&self, id: &str) -> Option<(ProcessIndex, NodeIndex)> {
        let nodes = self.nodes.get_or_init(|| {
            let mut nodes = BTreeMap::new();
            for (process, process_index) in self.definitions.processes.iter().zip((0..).map(ProcessIndex)) {
                for (node, node_index) in process.flow_nodes.iter().zip((0..).map(NodeIndex)) {
                    nodes.entry(&*node.id).or_insert((process_index, node_index));
                }
            }
            nodes
        });
        nodes.get(id).copied()
    }

    /// The properties of a correlation key that a collaboration declares.
    pub(super) fn correlation_key(&self, id: &str) -> Option<&BTreeSet<usize>> {
        self.correlation_keys.get(id)
    }

    /// The process of that id, to be called.
    pub(super) fn callee(&self, id: &str) -> Option<&Callee<'a>> {
        self.processes.get(id)
    }

    /// A data store of that id stands beside the processes.
    pub(super) fn has_data_store(&self, id: &str) -> bool {
        self.data_stores.contains(id)
    }

    /// The BPMN element of that id, whatever it is.
    pub(super) fn element(&self, id: &str) -> Option<Element<'a>> {
        let elements = self.elements();
        let place = elements.partition_point(|(other, _)| &**other < id);
        elements.get(place).filter(|(other, _)| other == id).map(|(_, element)| *element)
    }

    /// The BPMN element that a reference means: ids may be qualified (`tns:Message_1`).
    pub(super) fn referred(&self, text: &str) -> Option<Element<'a>> {
        let local = || text.split_once(':').and_then(|(_, local)| self.element(local));
        self.element(text).or_else(local)
    }

    /// The namespace is the one that this file gives to what it declares.
    pub(super) fn is_own(&self, namespace: &str) -> bool {
        self.definitions.target_namespace.as_deref() == Some(namespace)
    }

    /// The BPMN elements directly in an element.
    pub(super) fn parts(&self, element: Element<'a>) -> impl Iterator<Item = Element<'a>> + use<'a> {
        parts(self.definitions, element)
    }

    /// All BPMN elements, but not what stands in extensions, free text or unknown elements and merely looks like one.
    pub(super) fn all_elements(&self) -> impl Iterator<Item = (Element<'a>, KnownElement)> + use<'a> {
        let document = &self.definitions.document;
        let namespace = document.root().namespace_id();
        let mut skipped_to = ElementIndex(0);
        document.elements().filter_map(move |element| {
            if element.index() < skipped_to {
                return None;
            }
            let known = KnownElement::of(element.name()).filter(|_| element.namespace_id() == namespace);
            if known.is_none() || matches!(element.name(), "extensionElements" | "documentation" | "text" | "script") {
                skipped_to = element.end();
            }
            known.map(|known| (element, known))
        })
    }

    fn elements(&self) -> &[(Cow<'a, str>, Element<'a>)] {
        self.elements.get_or_init(|| {
            let document = &self.definitions.document;
            let namespace = document.root().namespace_id();
            let all = document.elements().filter(|element| element.namespace_id() == namespace);
            let mut elements: Vec<_> = all.filter_map(|element| Some((element.attribute("id")?, element))).collect();
            elements.sort_by(|(one, _), (other, _)| one.cmp(other));
            elements
        })
    }
}

fn parts<'a>(definitions: &'a Definitions, element: Element<'a>) -> impl Iterator<Item = Element<'a>> + use<'a> {
    let namespace = definitions.document.root().namespace_id();
    element.children().filter(move |child| child.namespace_id() == namespace)
}

/// What kind of scope flow nodes stand in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ScopeKind {
    Process,
    SubProcess,
    EventSubProcess,
    Transaction,
    AdHocSubProcess,
}

/// One process with the look-ups that rules share.
pub(super) struct Subject<'a> {
    pub(super) world: &'a World<'a>,
    pub(super) definitions: &'a Definitions,
    pub(super) process: &'a Process,
    index: ProcessIndex,
    /// What stands in each scope: the process's own nodes first, then those of node 0, 1, ...
    children: Vec<Vec<NodeIndex>>,
    boundaries: Vec<Vec<NodeIndex>>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(world: &'a World<'a>, index: ProcessIndex, process: &'a Process) -> Self {
        let mut children = vec![Vec::new(); process.flow_nodes.len() + 1];
        let mut boundaries = vec![Vec::new(); process.flow_nodes.len()];
        for (node, index) in process.flow_nodes.iter().zip((0..).map(NodeIndex)) {
            if let Some(list) = children.get_mut(slot(node.parent)) {
                list.push(index);
            }
            if let Some(EventPosition::Boundary { attached_to, .. }) = event(node).map(|event| &event.position)
                && let Some(list) = attached_to.target.and_then(|host| boundaries.get_mut(host.0 as usize))
            {
                list.push(index);
            }
        }
        Self { world, definitions: world.definitions, process, index, children, boundaries }
    }

    /// The node's id means another, so that nothing can refer to it.
    pub(super) fn is_hidden(&self, index: NodeIndex, node: &FlowNode) -> bool {
        self.world.node(&node.id) != Some((self.index, index))
    }

    /// All flow nodes with their indices.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (NodeIndex, &'a FlowNode)> + use<'a> {
        (0..).map(NodeIndex).zip(&self.process.flow_nodes)
    }

    /// The process itself (`None`) and every sub-process in it.
    pub(super) fn scopes(&self) -> impl Iterator<Item = Option<NodeIndex>> + use<'a> {
        let inner = self.nodes().filter(|(_, node)| is_scope(node)).map(|(index, _)| Some(index));
        std::iter::once(None).chain(inner)
    }

    pub(super) fn node(&self, index: NodeIndex) -> Option<&'a FlowNode> {
        self.process.flow_nodes.get(index.0 as usize)
    }

    pub(super) fn flow(&self, index: FlowIndex) -> Option<&'a SequenceFlow> {
        self.process.sequence_flows.get(index.0 as usize)
    }

    /// The flow nodes that stand directly in a scope.
    pub(super) fn children(&self, scope: Option<NodeIndex>) -> &[NodeIndex] {
        self.children.get(slot(scope)).map_or(&[], Vec::as_slice)
    }

    /// The same with the nodes themselves.
    pub(super) fn nodes_in(&self, scope: Option<NodeIndex>) -> impl Iterator<Item = (NodeIndex, &'a FlowNode)> {
        self.children(scope).iter().filter_map(|index| Some((*index, self.node(*index)?)))
    }

    /// The boundary events that sit on a node.
    pub(super) fn boundaries(&self, host: NodeIndex) -> &[NodeIndex] {
        self.boundaries.get(host.0 as usize).map_or(&[], Vec::as_slice)
    }

    pub(super) fn scope_kind(&self, scope: Option<NodeIndex>) -> ScopeKind {
        match scope.and_then(|index| self.node(index)).and_then(activity).map(|activity| &activity.kind) {
            None => ScopeKind::Process,
            Some(ActivityKind::SubProcess { triggered_by_event: true }) => ScopeKind::EventSubProcess,
            Some(ActivityKind::Transaction) => ScopeKind::Transaction,
            Some(ActivityKind::AdHocSubProcess { .. }) => ScopeKind::AdHocSubProcess,
            Some(_) => ScopeKind::SubProcess,
        }
    }

    /// The scope around a scope.
    pub(super) fn outer(&self, scope: Option<NodeIndex>) -> Option<NodeIndex> {
        scope.and_then(|index| self.node(index)).and_then(|node| node.parent)
    }

    /// `process "order"` or `sub-process "pack"`.
    pub(super) fn scope_label(&self, scope: Option<NodeIndex>) -> Named<'_> {
        match scope.and_then(|index| self.node(index)) {
            Some(node) => label(node),
            None => named("process", &self.process.id, self.process.name.as_deref()),
        }
    }

    /// A message flow ends at the node.
    pub(super) fn receives_message_flow(&self, node: NodeIndex) -> bool {
        self.world.message_targets.contains(&(self.index, node))
    }

    /// A message flow begins at the node.
    pub(super) fn sends_message_flow(&self, node: NodeIndex) -> bool {
        self.world.message_sources.contains(&(self.index, node))
    }
}

fn slot(scope: Option<NodeIndex>) -> usize {
    scope.map_or(0, |index| index.0 as usize + 1)
}

pub(super) fn activity(node: &FlowNode) -> Option<&Activity> {
    match &node.kind {
        FlowNodeKind::Activity(activity) => Some(activity),
        _ => None,
    }
}

pub(super) fn event(node: &FlowNode) -> Option<&Event> {
    match &node.kind {
        FlowNodeKind::Event(event) => Some(event),
        _ => None,
    }
}

pub(super) fn gateway(node: &FlowNode) -> Option<&Gateway> {
    match &node.kind {
        FlowNodeKind::Gateway(gateway) => Some(gateway),
        _ => None,
    }
}

/// Any kind of sub-process.
pub(super) fn is_scope(node: &FlowNode) -> bool {
    activity(node).is_some_and(|activity| {
        matches!(
            activity.kind,
            ActivityKind::SubProcess { .. } | ActivityKind::Transaction | ActivityKind::AdHocSubProcess { .. }
        )
    })
}

pub(super) fn is_event_sub_process(node: &FlowNode) -> bool {
    activity(node)
        .is_some_and(|activity| matches!(activity.kind, ActivityKind::SubProcess { triggered_by_event: true }))
}

/// What a compensation boundary event may lead to. An event sub-process is started by its own event, whatever it says.
pub(super) fn is_compensation_handler(node: &FlowNode) -> bool {
    activity(node).is_some_and(|activity| activity.is_for_compensation) && !is_event_sub_process(node)
}

pub(super) fn is_start(node: &FlowNode) -> bool {
    event(node).is_some_and(|event| matches!(event.position, EventPosition::Start { .. }))
}

pub(super) fn is_end(node: &FlowNode) -> bool {
    event(node).is_some_and(|event| matches!(event.position, EventPosition::End))
}

pub(super) fn is_boundary(node: &FlowNode) -> bool {
    event(node).is_some_and(|event| matches!(event.position, EventPosition::Boundary { .. }))
}

/// A boundary event with a compensation definition.
pub(super) fn is_compensation_boundary(node: &FlowNode) -> bool {
    is_boundary(node) && has_definition(node, |definition| matches!(definition, EventDefinition::Compensation { .. }))
}

pub(super) fn is_catch_link(node: &FlowNode) -> bool {
    event(node).is_some_and(|event| matches!(event.position, EventPosition::IntermediateCatch)) && has_link(node)
}

pub(super) fn is_throw_link(node: &FlowNode) -> bool {
    event(node).is_some_and(|event| matches!(event.position, EventPosition::IntermediateThrow)) && has_link(node)
}

fn has_link(node: &FlowNode) -> bool {
    has_definition(node, |definition| matches!(definition, EventDefinition::Link { .. }))
}

/// The events that an activity throws as its instances complete (BPMN 2.0.2 §10.3.8).
pub(super) fn thrown_by_instances(node: &FlowNode) -> impl Iterator<Item = &EventDefinition> {
    let multi = activity(node).and_then(|activity| match &activity.loop_characteristics {
        Some(LoopCharacteristics::MultiInstance(multi)) => Some(multi),
        _ => None,
    });
    multi.into_iter().flat_map(|multi| multi.events())
}

/// The node is an event with a definition that meets the test.
pub(super) fn has_definition(node: &FlowNode, test: impl Fn(&EventDefinition) -> bool) -> bool {
    event(node).is_some_and(|event| event.definitions.iter().any(test))
}

/// The event occurs rather than being thrown.
pub(super) fn is_catching(event: &Event) -> bool {
    !matches!(event.position, EventPosition::IntermediateThrow | EventPosition::End)
}

/// What BPMN calls it, in words.
pub(super) fn word(node: &FlowNode) -> &'static str {
    match &node.kind {
        FlowNodeKind::Activity(activity) => match &activity.kind {
            ActivityKind::Task => "task",
            ActivityKind::UserTask => "user task",
            ActivityKind::ManualTask => "manual task",
            ActivityKind::ServiceTask { .. } => "service task",
            ActivityKind::SendTask { .. } => "send task",
            ActivityKind::ReceiveTask { .. } => "receive task",
            ActivityKind::BusinessRuleTask => "business rule task",
            ActivityKind::ScriptTask { .. } => "script task",
            ActivityKind::SubProcess { triggered_by_event: true } => "event sub-process",
            ActivityKind::SubProcess { .. } => "sub-process",
            ActivityKind::Transaction => "transaction",
            ActivityKind::AdHocSubProcess { .. } => "ad-hoc sub-process",
            ActivityKind::CallActivity { .. } => "call activity",
        },
        FlowNodeKind::Event(event) => match event.position {
            EventPosition::Start { .. } => "start event",
            EventPosition::IntermediateCatch => "intermediate catch event",
            EventPosition::IntermediateThrow => "intermediate throw event",
            EventPosition::Boundary { .. } => "boundary event",
            EventPosition::End => "end event",
        },
        FlowNodeKind::Gateway(gateway) => match gateway {
            Gateway::Exclusive => "exclusive gateway",
            Gateway::Parallel => "parallel gateway",
            Gateway::Inclusive => "inclusive gateway",
            Gateway::Complex { .. } => "complex gateway",
            Gateway::EventBased { .. } => "event-based gateway",
        },
    }
}

/// Names a node: its kind, id, and name if it has one.
pub(super) fn label(node: &FlowNode) -> Named<'_> {
    named(word(node), &node.id, node.name.as_deref())
}

/// Names an element that no rule knows more about: by its element's name and the id of it or of what it belongs to.
pub(super) fn element_label(element: Element<'_>) -> String {
    let mut around = Some(element);
    while let Some(owner) = around {
        if let Some(id) = owner.attribute("id").filter(|id| !id.is_empty()) {
            if owner == element {
                return format!("`{}` `{id}`", element.name());
            }
            return format!("`{}` of `{}` `{id}`", element.name(), owner.name());
        }
        around = owner.parent();
    }
    format!("`{}`", element.name())
}

/// The article before an element's name.
pub(crate) fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" }
}

/// Names a sequence flow.
pub(super) fn flow_label(flow: &SequenceFlow) -> Named<'_> {
    named("sequence flow", &flow.id, flow.name.as_deref())
}

/// Names anything: its kind, id, and name if it has one (on one line, as modelers allow line breaks in names).
pub(super) fn named<'a>(word: &'a str, id: &'a str, name: Option<&'a str>) -> Named<'a> {
    Named { word, id, name }
}

/// A name as messages show it. Most are never shown: rules name what they look at before they find nothing wrong.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    word: &'a str,
    id: &'a str,
    name: Option<&'a str>,
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, id) = (self.word, self.id);
        let name = self.name.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        if name.is_empty() || name == id { write!(f, "{word} `{id}`") } else { write!(f, "{word} `{id}` “{name}”") }
    }
}
