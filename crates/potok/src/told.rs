//! What the log says of what has happened to instances, once it is durable.

use potok_core::Name;
use potok_core::graph::ProcessGraph;
use potok_core::instance::Key;
use potok_core::step::Events;
use tracing::Level;
use tracing::field::display;

use crate::envelope::Envelope;
use crate::feed::{Occurrence, told};
use crate::{InstanceId, TraceContext};

/// The target of its lines.
const TARGET: &str = "potok::history";

/// Something that has happened to an instance.
#[derive(Debug)]
pub(crate) struct Told {
    instance: InstanceId,
    process: Name,
    by: Option<Name>,
    trace: Option<TraceContext>,
    event: Occurrence,
}

/// What of a row of the log will be told, as far as anybody listens: what is stuck, and where everything is asked for, everything.
pub(crate) fn of(instance: Key, graph: &ProcessGraph, events: &Events, envelope: &Envelope) -> Vec<Told> {
    let all = tracing::enabled!(target: TARGET, Level::DEBUG);
    if !all && !tracing::enabled!(target: TARGET, Level::WARN) {
        return Vec::new();
    }
    let is_heard = |event: &Occurrence| all || matches!(event, Occurrence::IncidentRaised { .. });
    let tell = |event| Told {
        instance: InstanceId(instance),
        process: graph.id().clone(),
        by: envelope.by.clone(),
        trace: envelope.trace,
        event,
    };
    told(events, envelope, Some(graph)).filter(is_heard).map(tell).collect()
}

impl Told {
    /// Writes it to the log.
    pub(crate) fn tell(&self) {
        let Self { instance, process, by, trace, event } = self;
        let (kind, task, job) = (event.kind(), event.task().map(display), event.job().map(display));
        let (by, trace) = (by.as_deref(), trace.map(|trace| format!("{:032x}", trace.trace_id())));
        match event {
            Occurrence::IncidentRaised { incident, node, code } => tracing::warn!(
                target: TARGET, %instance, %process, by, trace, %incident, %node, %code, "{kind}"
            ),
            _ => tracing::debug!(target: TARGET, %instance, %process, by, trace, task, job, "{kind}"),
        }
    }
}
