//! What a branch sets for itself in Camunda 7, and what stands around it sees here.

use fixedbitset::FixedBitSet;
use petgraph::visit::EdgeRef;

use super::compile::Compiler;
use super::fault::owner;
use super::{BoundaryEvent, Catch, Details, NodeKind, Topology};
use crate::diagnostic::Severity;
use crate::dialect::{Dialect, ListenerAction, ListenerStage};
use crate::model::{ActivityKind, Expression, FlowNodeKind, Process};

/// A process whose flow nodes times ways out of forks are more is not looked at join by join.
const LOOKED_AT: usize = 10_000_000;

impl Compiler<'_> {
    /// Tells of `setVariableLocal` where a token beside others has no scope of its own: in Camunda 7 each has its own
    /// variables until it joins, here they are those of the scope around.
    pub(super) fn tell_of_locals_in_branches(&mut self, topology: &Topology) {
        if self.definitions.dialect != Dialect::Camunda {
            return;
        }
        let setters = setters(self.process, topology);
        if setters.is_empty() {
            return;
        }
        let forks = forks(topology);
        let in_branch = in_branch(topology, &forks);
        let splits: FixedBitSet = forks.iter().map(|fork| fork.node).collect();
        for (place, expression) in setters {
            let is_meant = match place {
                Place::At(node) => in_branch.contains(node),
                Place::Behind(node) => in_branch.contains(node) || splits.contains(node),
            };
            if is_meant {
                let mut diagnostic = self.definitions.diagnostic(
                    "local-variable-shared",
                    Severity::Warning,
                    expression.element,
                    "`setVariableLocal` in a branch sets a variable that the other branches see, too: in Camunda 7 a branch \
                     has variables of its own, here it has those around it"
                        .to_owned(),
                    "give a task an input mapping (<camunda:inputParameter>), or put the branch into a sub-process"
                        .to_owned(),
                );
                diagnostic.element = owner(self.definitions.document.element(expression.element));
                self.diagnostics.push(diagnostic);
            }
        }
    }
}

/// Where something is set.
#[derive(Clone, Copy)]
enum Place {
    /// At a flow node.
    At(usize),
    /// On a sequence flow out of it.
    Behind(usize),
}

/// The expressions that set something locally where no scope is opened for it.
fn setters<'p>(process: &'p Process, topology: &Topology) -> Vec<(Place, &'p Expression)> {
    let mut setters = Vec::new();
    for ((at, node), compiled) in process.flow_nodes.iter().enumerate().zip(topology.node_weights()) {
        if has_scope(&compiled.details) {
            continue;
        }
        let script = match &node.kind {
            FlowNodeKind::Activity(activity) => match &activity.kind {
                ActivityKind::ScriptTask { script, .. } => script.as_ref(),
                _ => None,
            },
            _ => None,
        };
        let listeners = node.extension.listeners.iter();
        // What task listeners set is the task's.
        let listeners =
            listeners.filter(|listener| matches!(listener.stage, ListenerStage::Start | ListenerStage::End));
        let listened = listeners.filter_map(|listener| evaluated(&listener.action));
        let all = script.into_iter().chain(&node.extension.expression).chain(listened);
        setters.extend(all.map(|expression| (Place::At(at), expression)));
    }
    for flow in &process.sequence_flows {
        let Some(source) = flow.source.target else { continue };
        let listened = flow.extension.listeners.iter().filter_map(|listener| evaluated(&listener.action));
        setters.extend(listened.map(|expression| (Place::Behind(source.0 as usize), expression)));
    }
    setters.retain(|(_, expression)| {
        expression.text.contains("setVariableLocal") || expression.text.contains("setVariablesLocal")
    });
    setters
}

fn evaluated(action: &ListenerAction) -> Option<&Expression> {
    match action {
        ListenerAction::Script(expression) | ListenerAction::Expression(expression) => Some(expression),
        ListenerAction::Job(_) => None,
    }
}

fn has_scope(details: &Details) -> bool {
    details.local_scope || details.needs_scope() || details.repeat.is_some()
}

/// A flow node behind which tokens are beside each other.
struct Fork {
    node: usize,
    /// Where each of them begins. (The first may go on at an interrupting boundary event instead.)
    ways: Vec<Vec<usize>>,
}

fn forks(topology: &Topology) -> Vec<Fork> {
    let mut forks = Vec::new();
    for node in topology.node_indices() {
        if matches!(topology[node].kind, NodeKind::ExclusiveGateway | NodeKind::EventBasedGateway { .. }) {
            continue;
        }
        let (mut ways, mut beside, mut instead) = (Vec::new(), Vec::new(), Vec::new());
        for way in topology.edges(node) {
            let target = way.target().index();
            match &topology[way.target()].kind {
                _ if way.weight().flow.is_some() => ways.push(vec![target]),
                NodeKind::BoundaryEvent(event)
                    if event.catches.iter().any(|catch| matches!(catch, Catch::Compensation)) => {}
                NodeKind::BoundaryEvent(BoundaryEvent { interrupting: false, .. }) => beside.push(vec![target]),
                _ => instead.push(target),
            }
        }
        match ways.first_mut() {
            Some(first) => first.append(&mut instead),
            None => ways.push(instead),
        }
        ways.append(&mut beside);
        if ways.len() > 1 {
            forks.push(Fork { node: node.index(), ways });
        }
    }
    forks
}

/// The flow nodes to which a token can come from a fork before all tokens of that have joined.
fn in_branch(topology: &Topology, forks: &[Fork]) -> FixedBitSet {
    let nodes = topology.node_count();
    let is_few = forks.iter().map(|fork| fork.ways.len()).sum::<usize>().saturating_mul(nodes) <= LOOKED_AT;
    let mut found = FixedBitSet::with_capacity(nodes);
    for fork in forks {
        let mut joins = FixedBitSet::with_capacity(nodes);
        if is_few {
            let all = topology.node_weights().enumerate().filter(|(_, node)| node.kind.joins() && node.incoming > 1);
            joins.extend(all.map(|(node, _)| node));
            let nowhere = FixedBitSet::with_capacity(nodes);
            for way in &fork.ways {
                let mut reached = FixedBitSet::with_capacity(nodes);
                walk(topology, way, &nowhere, &mut reached);
                joins.intersect_with(&reached);
            }
            let mut reached = FixedBitSet::with_capacity(nodes);
            fork.ways.iter().for_each(|way| walk(topology, way, &joins, &mut reached));
            found.union_with(&reached);
        } else {
            fork.ways.iter().for_each(|way| walk(topology, way, &joins, &mut found));
        }
    }
    found
}

/// Marks what can be reached, the first included, without coming to where it stops.
fn walk(topology: &Topology, from: &[usize], stops: &FixedBitSet, reached: &mut FixedBitSet) {
    let mut agenda = from.to_vec();
    while let Some(node) = agenda.pop() {
        if !stops.contains(node) && !reached.put(node) {
            agenda.extend(topology.neighbors(petgraph::graph::NodeIndex::new(node)).map(|next| next.index()));
        }
    }
}
