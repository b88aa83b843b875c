//! Flow nodes that tokens only pass: most tasks, merges and events of most models.

use super::{FlowNode, NodeKind, SequenceFlow, Topology};
use crate::instance::Ordinal;

/// The one flow out of a flow node on which there is nothing to do and nothing to decide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Straight {
    pub(crate) flow: Ordinal,
    pub(crate) target: Ordinal,
}

/// Notes the way out of each flow node that has just one; gives, by flow node, those of flow nodes that ask for nothing.
pub(super) fn straight(topology: &mut Topology, flows: &[SequenceFlow]) -> Box<[Option<Straight>]> {
    for node in topology.node_weights_mut() {
        node.way = match *node.outgoing {
            [flow] if node.plain && !node.conditional && !node.in_ad_hoc => flows
                .get(flow as usize)
                .filter(|flow| flow.listeners.is_empty())
                .map(|SequenceFlow { target, .. }| Straight { flow, target: *target }),
            _ => None,
        };
    }
    topology.node_weights().map(|node| node.way.filter(|_| passes(node))).collect()
}

/// Whether the kind of flow node asks for nothing.
fn passes(node: &FlowNode) -> bool {
    match &node.kind {
        NodeKind::Task | NodeKind::ExclusiveGateway | NodeKind::StartEvent(_) => true,
        NodeKind::ParallelGateway | NodeKind::InclusiveGateway(_) => node.incoming <= 1,
        NodeKind::ThrowEvent(throws) => throws.is_empty(),
        _ => false,
    }
}
