//! What starts a process from outside.

use std::sync::Arc;

use super::StartPoint;
use crate::graph::{Catch, NodeKind, ProcessGraph};
use crate::instance::Ordinal;

/// A flow node whose event starts the process.
#[derive(Clone, Copy, Debug)]
pub struct StartTrigger<'g> {
    /// The start event, instantiating receive task, or event of an instantiating gateway.
    pub node: Ordinal,
    /// Which of its definitions it is.
    pub definition: u32,
    /// What it catches.
    pub catch: &'g Catch,
    /// All of the event's definitions must occur, not just this one.
    pub parallel: bool,
}

impl StartPoint {
    /// The place of a trigger of a process.
    #[must_use]
    pub fn of(graph: &Arc<ProcessGraph>, trigger: &StartTrigger<'_>) -> Self {
        let StartTrigger { node, definition, parallel, .. } = *trigger;
        Self { graph: graph.clone(), node, definition, parallel }
    }
}

/// Everything that starts a process, except its none start events.
pub fn start_triggers(graph: &ProcessGraph) -> impl Iterator<Item = StartTrigger<'_>> {
    (0u32..).zip(graph.nodes()).filter(|(_, node)| node.parent.is_none()).flat_map(move |(ordinal, node)| {
        let (catches, parallel) = match &node.kind {
            NodeKind::StartEvent(event) => (&*event.catches, event.parallel),
            NodeKind::ReceiveTask(catch) if node.details.instantiates => (std::slice::from_ref(&**catch), false),
            NodeKind::CatchEvent(event) if graph.instantiating_gateway(ordinal).is_some() => (&*event.catches, false),
            NodeKind::ReceiveTask(catch) if graph.instantiating_gateway(ordinal).is_some() => {
                (std::slice::from_ref(&**catch), false)
            }
            _ => (&[][..], false),
        };
        (0u32..).zip(catches).map(move |(definition, catch)| StartTrigger {
            node: ordinal,
            definition,
            catch,
            parallel,
        })
    })
}
