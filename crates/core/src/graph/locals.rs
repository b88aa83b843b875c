//! Which flow nodes have variables of their own in Camunda 7, without any mapping that would ask for a scope here.

use super::compile::Compiler;
use super::{Details, Job, NodeKind, Throw};
use crate::dialect::Dialect;
use crate::model::{self, ActivityKind, FlowNodeKind, Gateway};
use crate::value::Value;

impl Compiler<'_> {
    /// Whether `setVariableLocal` sets in a scope of the flow node's own; elsewhere it sets in the scope around. As Camunda
    /// 7.24 does it: what waits for anything but a person, is listened to meanwhile, or maps, is a scope of its own there.
    pub(super) fn has_local_scope(&self, node: &model::FlowNode, kind: &NodeKind, details: &Details) -> bool {
        if self.definitions.dialect != Dialect::Camunda {
            return false;
        }
        let waits = match kind {
            NodeKind::Call(_) | NodeKind::EventBasedGateway { .. } => true,
            NodeKind::ReceiveTask(_) => matches!(&node.kind, FlowNodeKind::Activity(activity)
                if matches!(activity.kind, ActivityKind::ReceiveTask { message: Some(_), .. })),
            NodeKind::CatchEvent(_) => !is_link(node) && !self.is_decided_before(node),
            NodeKind::Job(job) => !is_script(node) && is_external(job),
            NodeKind::UserTask(_) => details.listeners.iter().any(|listener| listener.timer.is_some()),
            NodeKind::ThrowEvent(throws) | NodeKind::EndEvent(throws) => throws.iter().any(|throw| match throw {
                Throw::Job(job) => is_external(job),
                Throw::Compensation { .. } | Throw::Cancel => true,
                _ => false,
            }),
            _ => false,
        };
        let nodes = &self.process.flow_nodes;
        let is_listener = |boundary: &u32| nodes.get(*boundary as usize).is_some_and(|event| !undoes(event));
        waits || !details.outputs.is_empty() || details.boundary.iter().any(is_listener)
    }

    /// Whether an event-based gateway waits for the event: the gateway is the scope then.
    fn is_decided_before(&self, node: &model::FlowNode) -> bool {
        node.incoming.iter().any(|flow| {
            let source = self.process.sequence_flows[flow.0 as usize].source.target;
            source.is_some_and(|source| {
                let source = &self.process.flow_nodes[source.0 as usize];
                matches!(source.kind, FlowNodeKind::Gateway(Gateway::EventBased { .. }))
            })
        })
    }
}

/// Whether a worker takes the job there, too; it does not stand for what Camunda 7 would do inside the engine.
fn is_external(job: &Job) -> bool {
    let inside = |kind: &str| kind.starts_with("java:") || kind.starts_with("connector:");
    !job.kind.as_literal().and_then(Value::as_str).is_some_and(inside)
}

fn is_script(node: &model::FlowNode) -> bool {
    matches!(&node.kind, FlowNodeKind::Activity(activity) if matches!(activity.kind, ActivityKind::ScriptTask { .. }))
}

fn is_link(node: &model::FlowNode) -> bool {
    has_definition(node, |definition| matches!(definition, model::EventDefinition::Link { .. }))
}

/// Whether a boundary event is for compensation: nothing is listened to before the activity is complete.
fn undoes(boundary: &model::FlowNode) -> bool {
    has_definition(boundary, |definition| matches!(definition, model::EventDefinition::Compensation { .. }))
}

fn has_definition(node: &model::FlowNode, is_meant: impl Fn(&model::EventDefinition) -> bool) -> bool {
    matches!(&node.kind, FlowNodeKind::Event(event) if event.definitions.iter().any(is_meant))
}
