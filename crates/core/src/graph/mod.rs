//! Processes as steps read them: a petgraph graph of flow nodes, with everything resolved and compiled.

mod arrival;
mod branches;
mod compile;
mod data;
mod declared;
mod event;
mod events;
mod expression;
mod fault;
mod locals;
mod message_flow;
mod node;
mod package;
mod properties;
mod repeat;
mod upstream;

use petgraph::graph::DiGraph;

use crate::Name;
use crate::dialect::Dialect;
use crate::expressions::Deployment;
use crate::instance::Ordinal;
use crate::model::TimerKind;
use crate::time::{Timer, Timestamp};
use crate::value::{Value, Zone};

pub(crate) use arrival::{Arrival, Straight};
pub use event::*;
pub use expression::{Expression, ExpressionKind};
pub use message_flow::{MessageFlow, MessageFlows, MessageTarget};
pub use node::*;
pub use package::Package;
pub(crate) use properties::names;
pub use repeat::*;
pub use upstream::Upstream;

/// The graph of a process: flow nodes, and all ways by which a token can go on.
pub type Topology = DiGraph<FlowNode, Way, u32>;

/// A way from one flow node to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// The sequence flow; none for the way from an activity to its boundary event, or along a link.
    pub flow: Option<Ordinal>,
}

/// A sequence flow.
#[derive(Debug)]
pub struct SequenceFlow {
    /// Its id.
    pub id: Name,
    /// Its name.
    pub name: Option<Name>,
    /// Where it begins.
    pub source: Ordinal,
    /// Where it ends.
    pub target: Ordinal,
    /// Its place among the flows into its target.
    pub position: u32,
    /// When it is taken.
    pub condition: Option<Expression>,
    /// Called when it is taken.
    pub listeners: Vec<Listener>,
}

/// A process, compiled.
#[derive(Debug)]
pub struct ProcessGraph {
    id: Name,
    name: Option<Name>,
    dialect: Dialect,
    executable: bool,
    version_tag: Option<Name>,
    history_time_to_live: Option<Name>,
    candidate_starter_users: Vec<Name>,
    candidate_starter_groups: Vec<Name>,
    deployment: Deployment,
    topology: Topology,
    flows: Vec<SequenceFlow>,
    arrivals: Box<[Arrival]>,
    root: Container,
    /// Some throw event can ask for compensation, so completed activities must be remembered.
    compensates: bool,
    form: Option<Ordinal>,
    /// How urgent the engine's own work is where a flow node does not say it.
    job_priority: Option<Expression>,
    /// Called when the process begins and ends.
    listeners: Vec<Listener>,
    /// Message subscriptions follow the process's own data.
    binds: bool,
    /// Some conditional event may be waited for.
    asks_conditions: bool,
    /// Some conditional event is asked after certain changes only.
    filters_conditions: bool,
}

impl ProcessGraph {
    /// The process's id.
    #[must_use]
    pub fn id(&self) -> &Name {
        &self.id
    }

    /// The process's name.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// The deployment that it is part of.
    #[must_use]
    pub fn deployment(&self) -> Deployment {
        self.deployment
    }

    /// The dialect that its model is written in.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// False only if the model says `isExecutable="false"`.
    #[must_use]
    pub fn is_executable(&self) -> bool {
        self.executable
    }

    /// The tag by which this version can be called.
    #[must_use]
    pub fn version_tag(&self) -> Option<&Name> {
        self.version_tag.as_ref()
    }

    /// Until when the history of an instance that ended then is kept, if the model says so.
    #[must_use]
    pub fn history_ends(&self, ended: Timestamp) -> Option<Timestamp> {
        let text = self.history_time_to_live.as_ref()?.trim();
        // Days are those of UTC, so that it is the same wherever it is computed.
        let days = text.parse::<u32>().ok().map(|days| format!("P{days}D"));
        let text = Value::from(days.as_deref().unwrap_or(text));
        let timer = Timer::parse(TimerKind::Duration, &text, ended, &Zone::UTC).ok()?;
        Some(timer.first_due())
    }

    /// The users who may start it. With no group either: everybody may.
    #[must_use]
    pub fn candidate_starter_users(&self) -> &[Name] {
        &self.candidate_starter_users
    }

    /// The groups whose members may start it.
    #[must_use]
    pub fn candidate_starter_groups(&self) -> &[Name] {
        &self.candidate_starter_groups
    }

    /// The graph itself, for analysis.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// The flow node of that ordinal. Ordinals count in document order.
    ///
    /// # Panics
    /// If there is none: ordinals come from this graph or from an instance of it.
    #[must_use]
    pub fn node(&self, node: Ordinal) -> &FlowNode {
        &self.topology[petgraph::graph::NodeIndex::from(node)]
    }

    /// The flow node of that ordinal, if there is one.
    #[must_use]
    pub fn get_node(&self, node: Ordinal) -> Option<&FlowNode> {
        self.topology.node_weight(node.into())
    }

    /// The flow node with that id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Ordinal> {
        (0u32..).zip(self.nodes()).find(|(_, node)| &*node.id == id).map(|(ordinal, _)| ordinal)
    }

    /// The sequence flow with that id.
    #[must_use]
    pub fn find_flow(&self, id: &str) -> Option<Ordinal> {
        (0u32..).zip(&self.flows).find(|(_, flow)| &*flow.id == id).map(|(ordinal, _)| ordinal)
    }

    /// All flow nodes, by ordinal.
    pub fn nodes(&self) -> impl Iterator<Item = &FlowNode> {
        self.topology.node_weights()
    }

    /// The sequence flow of that ordinal.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn flow(&self, flow: Ordinal) -> &SequenceFlow {
        &self.flows[flow as usize]
    }

    /// What a token meets that arrives at a flow node.
    #[inline]
    pub(crate) fn arrival(&self, node: Ordinal) -> Arrival {
        self.arrivals.get(node as usize).copied().unwrap_or(Arrival::Enter)
    }

    /// All sequence flows, by ordinal.
    #[must_use]
    pub fn flows(&self) -> &[SequenceFlow] {
        &self.flows
    }

    /// What the process itself contains.
    #[must_use]
    pub fn root(&self) -> &Container {
        &self.root
    }

    /// What a sub-process contains, or the process itself for none.
    #[must_use]
    pub fn container(&self, node: Ordinal) -> &Container {
        match self.get_node(node).map(|node| &node.kind) {
            Some(
                NodeKind::SubProcess(container)
                | NodeKind::Transaction(container)
                | NodeKind::EventSubProcess(container),
            ) => container,
            Some(NodeKind::AdHoc(ad_hoc)) => &ad_hoc.container,
            _ => &self.root,
        }
    }

    /// How urgent the engine's own work is behind a flow node's savepoints and timers, or `around` its loop.
    #[must_use]
    pub fn own_priority(&self, node: Ordinal, around: bool) -> Option<&Expression> {
        let own = self.get_node(node).filter(|_| !around).and_then(|node| node.details.job_priority.as_ref());
        own.or(self.job_priority.as_ref())
    }

    /// The start event with the form that people fill in to start the process.
    #[must_use]
    pub fn start_form(&self) -> Option<&Form> {
        self.node(self.form?).details.form.as_deref()
    }

    /// What the event or receive task of that ordinal catches.
    #[must_use]
    pub fn catches(&self, node: Ordinal) -> &[Catch] {
        match self.get_node(node).map(|node| &node.kind) {
            Some(NodeKind::BoundaryEvent(event)) => &event.catches,
            Some(NodeKind::StartEvent(event)) => &event.catches,
            Some(NodeKind::CatchEvent(event)) => &event.catches,
            Some(NodeKind::ReceiveTask(catch)) => std::slice::from_ref(&**catch),
            _ => &[],
        }
    }

    /// The one item that comes goes to the data output of the definition that catches it, whatever its name at the thrower (BPMN
    /// 2.0.2 §10.4.1).
    pub(crate) fn take_item(&self, event: Ordinal, definition: u32, payload: &mut Vec<(Name, Value)>) {
        let items = &self.node(event).details.items;
        let Some(item) = items.get(definition as usize) else { return };
        match &mut payload[..] {
            [] => {}
            [(name, _)] => *name = item.clone(),
            // Which of several has occurred is known by its output.
            all if items.len() > 1 && all.iter().all(|(name, _)| name != item) => {
                payload.push((item.clone(), Value::Null));
            }
            _ => {}
        }
    }

    /// The event-based gateway without flows in that leads to a flow node, and so starts the process with it.
    pub(crate) fn instantiating_gateway(&self, node: Ordinal) -> Option<Ordinal> {
        let mut sources = self.topology.neighbors_directed(node.into(), petgraph::Direction::Incoming);
        let gateway = sources.find(|source| {
            matches!(self.topology[*source].kind, NodeKind::EventBasedGateway { instantiate: true, .. })
        })?;
        u32::try_from(gateway.index()).ok()
    }

    pub(crate) fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// Whether a change of variables may trigger something.
    pub(crate) fn looks_at_variables(&self) -> bool {
        self.asks_conditions || self.binds
    }

    pub(crate) fn filters_conditions(&self) -> bool {
        self.filters_conditions
    }

    pub(crate) fn binds_subscriptions(&self) -> bool {
        self.binds
    }

    pub(crate) fn compensates(&self) -> bool {
        self.compensates
    }
}
