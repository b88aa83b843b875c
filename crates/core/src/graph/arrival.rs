//! What happens to a token that arrives at a flow node: most only pass, join, or end.

use super::{FlowNode, NodeKind, SequenceFlow, Topology};
use crate::instance::Ordinal;

/// The one flow out of a flow node on which there is nothing to do and nothing to decide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Straight {
    pub(crate) flow: Ordinal,
    pub(crate) target: Ordinal,
}

/// What a token meets where it arrives.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arrival {
    /// A flow node that asks for nothing: its way on.
    Pass(Straight),
    /// A parallel gateway that waits for all its flows in.
    Join,
    /// An end event that throws nothing.
    End,
    /// A sub-process that nothing surrounds and in which nothing is to be prepared.
    Open,
    /// Anything else.
    Enter,
}

/// Notes the way out of each flow node that has just one; gives what tokens meet, by flow node.
pub(super) fn arrivals(topology: &mut Topology, flows: &[SequenceFlow]) -> Box<[Arrival]> {
    for node in topology.node_weights_mut() {
        node.way = match *node.outgoing {
            [flow] if node.plain && !node.conditional && !node.in_ad_hoc => flows
                .get(flow as usize)
                .filter(|flow| flow.listeners.is_empty())
                .map(|SequenceFlow { target, .. }| Straight { flow, target: *target }),
            _ => None,
        };
    }
    topology.node_weights().map(arrival).collect()
}

fn arrival(node: &FlowNode) -> Arrival {
    match &node.kind {
        NodeKind::EndEvent(throws) if node.plain && throws.is_empty() => Arrival::End,
        NodeKind::ParallelGateway if node.plain && node.incoming > 1 => Arrival::Join,
        NodeKind::SubProcess(container)
            if node.plain && container.data.is_empty() && container.event_sub_processes.is_empty() =>
        {
            Arrival::Open
        }
        _ => match node.way {
            Some(way) if passes(node) => Arrival::Pass(way),
            _ => Arrival::Enter,
        },
    }
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
