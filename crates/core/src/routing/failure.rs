//! What got stuck in a unit of work.

use crate::graph::ProcessGraph;
use crate::instance::{Failure, IncidentKind, WaitKind};
use crate::step::{Event, Events};

/// The first thing that got stuck in these events, from that one of the list on. A job that a worker has failed is not stuck in the engine, and a savepoint or timer
/// that has no tries left got stuck before.
#[must_use]
pub fn stuck(graph: &ProcessGraph, events: &Events, from: usize) -> Option<Failure> {
    events.list.get(from..).unwrap_or_default().iter().find_map(|event| {
        let Event::WaitOpened { details } = *event else { return None };
        let wait = events.waits.get(details as usize)?;
        let WaitKind::Incident(incident) = &wait.kind else { return None };
        if matches!(incident.kind, IncidentKind::Job | IncidentKind::Retries) {
            return None;
        }
        let element = graph.get_node(wait.node).map(|node| node.id.clone()).unwrap_or_default();
        Some(Failure { kind: incident.kind, element, message: incident.message.clone() })
    })
}
