//! Flow nodes that tokens only pass: most tasks, merges and events of most models.

use super::{FlowNode, NodeKind, SequenceFlow, Topology};
use crate::instance::Ordinal;

/// The one flow out of a flow node on which there is nothing to do and nothing to decide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Straight {
    pub(crate) flow: Ordinal,
    pub(crate) target: Ordinal,
}

/// By flow node.
pub(super) fn straight(topology: &Topology, flows: &[SequenceFlow]) -> Box<[Option<Straight>]> {
    let way = |node: &FlowNode| match *node.outgoing {
        [flow] if node.plain && !node.conditional && !node.in_ad_hoc && passes(node) => {
            let SequenceFlow { target, listeners, .. } = flows.get(flow as usize)?;
            listeners.is_empty().then_some(Straight { flow, target: *target })
        }
        _ => None,
    };
    topology.node_weights().map(way).collect()
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
