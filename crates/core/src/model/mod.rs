//! BPMN as drawn: plain data in the specification's words, in document order.
//!
//! Elements refer to each other by index ([`Reference::target`]); a reference that points nowhere keeps its text, so that
//! diagnostics can name it. Flow nodes of all sub-processes of a process stand in one table with their parent, so that
//! nothing here needs recursion however deep a model nests.

mod activity;
mod carriers;
mod collaboration;
mod data;
mod event;
mod gateway;
mod read;

use std::sync::Arc;

use crate::Name;
use crate::dialect::{ElementProperties, MessageProperties, ProcessProperties};
use crate::expressions::Language;
use crate::xml::{Document, ElementIndex};

pub use activity::{
    Activity, ActivityKind, AdHocOrdering, LoopCharacteristics, MultiInstance, MultiInstanceBehavior, OperationIndex,
    Performer, StandardLoop,
};
pub use carriers::{Carrier, Carriers};
pub use collaboration::{
    Collaboration, CorrelationKey, CorrelationProperty, CorrelationPropertyBinding, CorrelationRetrieval,
    CorrelationSubscription, MessageFlow, MessageFlowEnd, Participant,
};
pub use data::{
    Assignment, DataAssociation, DataInput, DataObject, DataObjectReference, DataOutput, DataStore, DataStoreReference,
    Initial, InputOutputSpecification, Interface, ItemDefinition, Operation, Property,
};
pub use event::{Event, EventDefinition, EventPosition, TimerDefinition, TimerKind};
pub use gateway::Gateway;
pub(crate) use read::{ByElement, KnownElement, is_diagram, is_flow_node, is_global_task};

/// Index of a process in [`Definitions::processes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcessIndex(pub u32);

/// Index of a flow node in [`Process::flow_nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeIndex(pub u32);

/// Index of a sequence flow in [`Process::sequence_flows`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowIndex(pub u32);

/// Index of a lane in [`Process::lanes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneIndex(pub u32);

/// A reference by id, as an attribute or child element writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference<T> {
    /// The id referred to, without a prefix.
    pub text: Name,
    /// What it refers to, if that exists and is of the right kind.
    pub target: Option<T>,
}

/// An expression as the model writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// The expression itself, without the markers of its language (`=`); `${...}` keeps its braces.
    pub text: Name,
    /// Its language, after the rules in `ARCHITECTURE.md`.
    pub language: Language,
    /// The element that holds it.
    pub element: ElementIndex,
}

/// A whole BPMN file.
#[derive(Clone, Debug)]
pub struct Definitions {
    /// The file itself, with the place of every element.
    pub document: Arc<Document>,
    /// The root element's id.
    pub id: Option<Name>,
    /// The root element's name.
    pub name: Option<Name>,
    /// The namespace that the file's ids live in.
    pub target_namespace: Option<Name>,
    /// The dialect that the model is written in.
    pub dialect: crate::dialect::Dialect,
    /// The processes.
    pub processes: Vec<Process>,
    /// Collaborations (also conversations and choreographies, of which only participants and message flows are read).
    pub collaborations: Vec<Collaboration>,
    /// Messages.
    pub messages: Vec<Message>,
    /// Signals.
    pub signals: Vec<Signal>,
    /// Errors.
    pub errors: Vec<ErrorDeclaration>,
    /// Escalations.
    pub escalations: Vec<EscalationDeclaration>,
    /// Item definitions.
    pub item_definitions: Vec<ItemDefinition>,
    /// Data stores.
    pub data_stores: Vec<DataStore>,
    /// Interfaces with their operations.
    pub interfaces: Vec<Interface>,
    /// Correlation properties.
    pub correlation_properties: Vec<CorrelationProperty>,
    /// Event definitions declared at the top, to be referred to by `eventDefinitionRef`.
    pub event_definitions: Vec<(Name, EventDefinition)>,
    /// Global tasks, which a call activity may call.
    pub global_tasks: Vec<GlobalTask>,
}

/// A process.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its id; made from its place if the file gives none.
    pub id: Name,
    /// Its name.
    pub name: Option<Name>,
    /// Its element.
    pub element: ElementIndex,
    /// `isExecutable`, if given.
    pub is_executable: Option<bool>,
    /// The flow nodes of the process and of all sub-processes in it, in document order.
    pub flow_nodes: Vec<FlowNode>,
    /// The sequence flows of the process and of all sub-processes in it, in document order.
    pub sequence_flows: Vec<SequenceFlow>,
    /// The lanes of all lane sets, outer before inner.
    pub lanes: Vec<Lane>,
    /// Data objects of the process and of its sub-processes.
    pub data_objects: Vec<DataObject>,
    /// References to data objects.
    pub data_object_references: Vec<DataObjectReference>,
    /// References to data stores.
    pub data_store_references: Vec<DataStoreReference>,
    /// Properties of the process itself.
    pub properties: Vec<Property>,
    /// Inputs and outputs of the process, when it is called.
    pub io: Option<InputOutputSpecification>,
    /// Correlation subscriptions.
    pub correlation_subscriptions: Vec<CorrelationSubscription>,
    /// Associations between a compensation boundary event and its handler: (source id, target id).
    pub associations: Vec<Association>,
    /// What the dialects say about it.
    pub extension: ProcessProperties,
}

impl Process {
    /// The lanes that a flow node stands in, from the innermost out. What no lane names belongs to the lanes of the sub-process
    /// around it.
    pub fn lanes_of<'p>(&'p self, node: &'p FlowNode) -> impl Iterator<Item = &'p Lane> {
        let around =
            |node: &&'p FlowNode| node.parent.and_then(|NodeIndex(parent)| self.flow_nodes.get(parent as usize));
        let lane = |LaneIndex(lane): LaneIndex| self.lanes.get(lane as usize);
        let nodes = std::iter::successors(Some(node), around);
        nodes.flat_map(move |node| {
            std::iter::successors(node.lane.and_then(lane), move |inner| inner.parent.and_then(lane))
        })
    }
}

/// An association; executable only from a compensation boundary event to its handler.
#[derive(Clone, Debug)]
pub struct Association {
    /// Its element.
    pub element: ElementIndex,
    /// Where it begins.
    pub source: Reference<NodeIndex>,
    /// Where it ends.
    pub target: Reference<NodeIndex>,
}

/// Anything a token can stand on.
#[derive(Clone, Debug)]
pub struct FlowNode {
    /// Its id; made from its place if the file gives none.
    pub id: Name,
    /// Its name.
    pub name: Option<Name>,
    /// Its element.
    pub element: ElementIndex,
    /// The sub-process that it stands in; none at the process's own level.
    pub parent: Option<NodeIndex>,
    /// The innermost lane that names it.
    pub lane: Option<LaneIndex>,
    /// What it is.
    pub kind: FlowNodeKind,
    /// Its flows in, in document order of the flows.
    pub incoming: Vec<FlowIndex>,
    /// Its flows out, in document order of the flows.
    pub outgoing: Vec<FlowIndex>,
    /// The flow taken if no condition of the others holds.
    pub default_flow: Option<Reference<FlowIndex>>,
    /// What the dialects say about it.
    pub extension: ElementProperties,
}

/// The three families of flow nodes. (An activity is much larger than a gateway, hence the box.)
#[derive(Clone, Debug)]
pub enum FlowNodeKind {
    /// Work.
    Activity(Box<Activity>),
    /// Something that happens.
    Event(Event),
    /// A place where flows part or meet.
    Gateway(Gateway),
}

/// A sequence flow.
#[derive(Clone, Debug)]
pub struct SequenceFlow {
    /// Its id; made from its place if the file gives none.
    pub id: Name,
    /// Its name.
    pub name: Option<Name>,
    /// Its element.
    pub element: ElementIndex,
    /// The sub-process that it stands in.
    pub parent: Option<NodeIndex>,
    /// Where it begins.
    pub source: Reference<NodeIndex>,
    /// Where it ends.
    pub target: Reference<NodeIndex>,
    /// The condition under which it is taken.
    pub condition: Option<Expression>,
    /// Listeners on taking it.
    pub extension: ElementProperties,
}

/// A lane: a zone of responsibility.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Its id.
    pub id: Option<Name>,
    /// Its name.
    pub name: Option<Name>,
    /// Its element.
    pub element: ElementIndex,
    /// The lane around it.
    pub parent: Option<LaneIndex>,
    /// The sub-process whose lane set it belongs to.
    pub scope: Option<NodeIndex>,
    /// The flow nodes that it names.
    pub flow_nodes: Vec<Reference<NodeIndex>>,
    /// The group that its tasks go to: `potok:group`, else the lane's name.
    pub group: Option<Name>,
}

/// A message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id.
    pub id: Name,
    /// Its name, which correlates; may be an expression.
    pub name: Option<Expression>,
    /// Its element.
    pub element: ElementIndex,
    /// The item it carries.
    pub item: Option<Reference<usize>>,
    /// What the dialects say about it.
    pub extension: MessageProperties,
}

/// A signal.
#[derive(Clone, Debug)]
pub struct Signal {
    /// Its id.
    pub id: Name,
    /// Its name, which matches; may be an expression.
    pub name: Option<Expression>,
    /// Its element.
    pub element: ElementIndex,
    /// Reaches only the instance that throws it (Flowable's `scope="processInstance"`).
    pub instance_scope: bool,
}

/// An error declared at the top of the file.
#[derive(Clone, Debug)]
pub struct ErrorDeclaration {
    /// Its id.
    pub id: Name,
    /// Its name.
    pub name: Option<Name>,
    /// Its element.
    pub element: ElementIndex,
    /// The code that matches; may be an expression where it is thrown.
    pub code: Option<Expression>,
    /// The message that it carries when thrown.
    pub message: Option<Expression>,
}

/// An escalation declared at the top of the file.
#[derive(Clone, Debug)]
pub struct EscalationDeclaration {
    /// Its id.
    pub id: Name,
    /// Its name.
    pub name: Option<Name>,
    /// Its element.
    pub element: ElementIndex,
    /// The code that matches; may be an expression where it is thrown.
    pub code: Option<Expression>,
}

/// A task declared at the top of the file, which call activities call.
#[derive(Clone, Debug)]
pub struct GlobalTask {
    /// Its id.
    pub id: Name,
    /// Its name.
    pub name: Option<Name>,
    /// Its element.
    pub element: ElementIndex,
    /// What it does.
    pub kind: ActivityKind,
    /// Who may do it.
    pub performers: Vec<Performer>,
    /// What the dialects say about it.
    pub extension: ElementProperties,
}
