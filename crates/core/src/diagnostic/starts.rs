//! Start events, and the other ways in which processes and sub-processes begin.

use std::collections::{BTreeMap, BTreeSet};

use super::findings::Findings;
use super::rule::define;
use super::subject::{ScopeKind, Subject, World, activity, event, gateway, is_end, is_start, label};
use crate::model::{
    ActivityKind, EventDefinition, EventPosition, FlowNode, Gateway, Message, MessageFlowEnd, NodeIndex, Process,
    ProcessIndex,
};

define! {
    SEVERAL_NONE_STARTS = "several-none-starts", Warning, "BPMN 2.0.2 §10.5.2",
        "A process has at most one start event without a trigger.";
    SUB_PROCESS_SEVERAL_STARTS = "sub-process-several-starts", Warning, "BPMN 2.0.2 §10.5.2, §13.3.4",
        "An embedded sub-process has at most one start event.";
    END_WITHOUT_START = "end-without-start-event", Error, "BPMN 2.0.2 §10.5.2",
        "A process or sub-process with an end event has a start event, or something else that starts the process.";
    EVENT_SUB_PROCESS_START_COUNT = "event-sub-process-start-count", Error, "BPMN 2.0.2 §10.3.5",
        "An event sub-process has exactly one start event.";
    EVENT_SUB_PROCESS_START_NONE = "event-sub-process-start-without-trigger", Error, "BPMN 2.0.2 §10.3.5",
        "The start event of an event sub-process has a trigger.";
    DUPLICATE_MESSAGE_START = "message-start-twice", Error, "BPMN 2.0.2 §13.2",
        "A message starts a process at one place.";
    MESSAGE_STARTS_SEVERAL = "message-starts-several", Warning, "unusual",
        "A message starts one process; where pools share one, message flows from flow nodes say which is meant.";
    INSTANTIATE_IN_SUB_PROCESS = "instantiate-in-sub-process", Error, "BPMN 2.0.2 §10.3.3, §10.6.6",
        "What starts a process stands at the process's own level.";
    INSTANTIATE_WITH_INCOMING = "instantiate-with-incoming", Error, "BPMN 2.0.2 §10.3.3, §10.6.6",
        "What starts a process has no incoming flows.";
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for scope in subject.scopes() {
        let starts: Vec<&FlowNode> =
            subject.nodes_in(scope).map(|(_, node)| node).filter(|node| is_start(node)).collect();
        match subject.scope_kind(scope) {
            ScopeKind::Process => several_none_starts(&starts, findings),
            ScopeKind::EventSubProcess => event_sub_process_starts(subject, scope, &starts, findings),
            ScopeKind::SubProcess | ScopeKind::Transaction => sub_process_starts(subject, scope, &starts, findings),
            ScopeKind::AdHocSubProcess => {}
        }
        if starts.is_empty() {
            end_without_start(subject, scope, findings);
        }
    }
    for (_, node) in subject.nodes() {
        instantiating(node, findings);
    }
}

fn has_trigger(node: &FlowNode) -> bool {
    event(node).is_some_and(|event| !event.definitions.is_empty() || event.lacks_definition)
}

fn several_none_starts(starts: &[&FlowNode], findings: &mut Findings<'_>) {
    let mut none_starts = starts.iter().filter(|node| !has_trigger(node));
    let Some(first) = none_starts.next() else { return };
    for start in none_starts {
        findings.add(
            &SEVERAL_NONE_STARTS,
            start.element,
            format!(
                "{} is a start event without a trigger, and so is {}: both get a token when the process starts",
                label(start),
                label(first)
            ),
            "lead both paths from one start event, or give this one a trigger",
        );
    }
}

/// What has an end event must have a start event, too. (An event sub-process must have one anyway, an ad-hoc none of either.)
fn end_without_start(subject: &Subject<'_>, scope: Option<NodeIndex>, findings: &mut Findings<'_>) {
    if matches!(subject.scope_kind(scope), ScopeKind::EventSubProcess | ScopeKind::AdHocSubProcess) {
        return;
    }
    let mut nodes = subject.nodes_in(scope).map(|(_, node)| node);
    let is_begun_otherwise = subject.nodes_in(scope).any(|(_, node)| is_instantiating(node));
    if let (Some(end), false) = (nodes.find(|node| is_end(node)), is_begun_otherwise) {
        findings.add(
            &END_WITHOUT_START,
            end.element,
            format!("{} ends {}, which has no start event", label(end), subject.scope_label(scope)),
            "add a start event and lead sequence flows from it to the first nodes, or remove the end events",
        );
    }
}

fn sub_process_starts(
    subject: &Subject<'_>,
    scope: Option<NodeIndex>,
    starts: &[&FlowNode],
    findings: &mut Findings<'_>,
) {
    for start in starts.iter().skip(1) {
        findings.add(
            &SUB_PROCESS_SEVERAL_STARTS,
            start.element,
            format!(
                "{} is one more start event in {}: all of them get a token when it starts",
                label(start),
                subject.scope_label(scope)
            ),
            "lead all paths from one start event",
        );
    }
}

fn event_sub_process_starts(
    subject: &Subject<'_>,
    scope: Option<NodeIndex>,
    starts: &[&FlowNode],
    findings: &mut Findings<'_>,
) {
    let Some(sub_process) = scope.and_then(|index| subject.node(index)) else { return };
    if starts.len() != 1 {
        findings.add(
            &EVENT_SUB_PROCESS_START_COUNT,
            sub_process.element,
            format!("{} has {} start events", label(sub_process), starts.len()),
            "give it exactly one start event, with a trigger",
        );
    }
    for start in starts.iter().filter(|node| !has_trigger(node)) {
        findings.add(
            &EVENT_SUB_PROCESS_START_NONE,
            start.element,
            format!("{} of {} has no trigger: nothing starts it", label(start), label(sub_process)),
            "add a message, timer, signal, condition, error, escalation or compensation definition",
        );
    }
}

/// A receive task or event-based gateway that starts a process.
fn is_instantiating(node: &FlowNode) -> bool {
    let receive = activity(node)
        .is_some_and(|activity| matches!(activity.kind, ActivityKind::ReceiveTask { instantiate: true, .. }));
    receive || matches!(gateway(node), Some(Gateway::EventBased { instantiate: true, .. }))
}

fn instantiating(node: &FlowNode, findings: &mut Findings<'_>) {
    if !is_instantiating(node) {
        return;
    }
    if node.parent.is_some() {
        findings.add(
            &INSTANTIATE_IN_SUB_PROCESS,
            node.element,
            format!("{} is to start the process, but stands in a sub-process", label(node)),
            "move it to the process's own level, or remove instantiate=\"true\"",
        );
    }
    if !node.incoming.is_empty() {
        findings.add(
            &INSTANTIATE_WITH_INCOMING,
            node.element,
            format!("{} is to start the process, but a flow leads to it", label(node)),
            "delete the incoming flows and the start event before it, or remove instantiate=\"true\"",
        );
    }
}

/// The same message name starts two things, in one process or in two. A message that comes along a message flow is for the
/// flow's target alone; one that comes by its name starts the first of them.
pub(super) fn message_starts(world: &World<'_>, findings: &mut Findings<'_>) {
    let flows = world.definitions.collaborations.iter().flat_map(|collaboration| &collaboration.message_flows);
    let addressed: BTreeSet<_> = flows
        .filter_map(|flow| match (flow.source.target, flow.target.target) {
            (Some(MessageFlowEnd::FlowNode(..)), Some(MessageFlowEnd::FlowNode(process, node))) => {
                Some((process, node))
            }
            _ => None,
        })
        .collect();
    let mut in_process: BTreeMap<(&str, &str), &FlowNode> = BTreeMap::new();
    // Of each message: what it starts first, and what it starts first that no message flow leads to.
    let mut first: BTreeMap<&str, MessageStart<'_>> = BTreeMap::new();
    let mut first_by_name: BTreeMap<&str, MessageStart<'_>> = BTreeMap::new();
    for (process, process_index) in world.definitions.processes.iter().zip((0..).map(ProcessIndex)) {
        findings.look_at_drawing(process.is_executable == Some(false));
        for (node, index) in process.flow_nodes.iter().zip((0..).map(NodeIndex)) {
            if node.parent.is_some() {
                continue;
            }
            let addressed = addressed.contains(&(process_index, index));
            for name in started_by(world, node) {
                let among = if addressed { &first_by_name } else { &first };
                if let Some(other) = in_process.get(&(name, &*process.id)) {
                    findings.add(
                        &DUPLICATE_MESSAGE_START,
                        node.element,
                        format!("message “{name}” starts {} as well as {}", label(node), label(other)),
                        "give one of them another message",
                    );
                } else if let Some(other) = among.get(name) {
                    findings.add(
                        &MESSAGE_STARTS_SEVERAL,
                        node.element,
                        format!(
                            "message “{name}” starts {} as well as {} of process `{}`; if it does not come along a \
                             message flow, only one of them starts",
                            label(node),
                            label(other.node),
                            other.process.id
                        ),
                        "give one of them another message, or lead a message flow from what sends it to each of them",
                    );
                }
                in_process.entry((name, &process.id)).or_insert(node);
                let start = MessageStart { process, node };
                first.entry(name).or_insert(start);
                if !addressed {
                    first_by_name.entry(name).or_insert(start);
                }
            }
        }
    }
    findings.look_at_drawing(false);
}

/// What a message starts.
#[derive(Clone, Copy)]
struct MessageStart<'a> {
    process: &'a Process,
    node: &'a FlowNode,
}

/// The names of the messages by which a node starts its process.
fn started_by<'a>(world: &World<'a>, node: &'a FlowNode) -> Vec<&'a str> {
    let name = |index: usize| world.definitions.messages.get(index).and_then(message_name);
    if let Some(event) = event(node) {
        if !matches!(event.position, EventPosition::Start { .. }) {
            return Vec::new();
        }
        return event
            .definitions
            .iter()
            .filter_map(|definition| match definition {
                EventDefinition::Message { message: Some(message), .. } => message.target.and_then(name),
                _ => None,
            })
            .collect();
    }
    match activity(node).map(|activity| &activity.kind) {
        Some(ActivityKind::ReceiveTask { message: Some(message), instantiate: true, .. }) => {
            message.target.and_then(name).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn message_name(message: &Message) -> Option<&str> {
    message.name.as_ref().map(|name| &*name.text)
}
