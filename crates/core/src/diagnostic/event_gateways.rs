//! Event-based gateways and what follows them.

use std::collections::BTreeSet;

use super::findings::Findings;
use super::rule::define;
use super::subject::{Subject, activity, event, gateway, has_definition, label};
use crate::model::{ActivityKind, EventDefinition, EventPosition, FlowNode, Gateway, NodeIndex};

define! {
    TOO_FEW = "event-gateway-too-few-events", Error, "BPMN 2.0.2 §10.6.6",
        "Two or more flows lead out of an event-based gateway.";
    TARGET = "event-gateway-target", Error, "BPMN 2.0.2 §10.6.6",
        "After an event-based gateway come receive tasks or events that catch a message, signal, timer or condition.";
    TARGET_INCOMING = "event-gateway-target-incoming", Error, "BPMN 2.0.2 §10.6.6",
        "What comes after an event-based gateway has no other incoming flow.";
    TARGET_BOUNDARY = "event-gateway-receive-boundary", Error, "BPMN 2.0.2 §10.6.6",
        "A receive task after an event-based gateway has no boundary events.";
    MIXED = "event-gateway-mixed", Error, "BPMN 2.0.2 §10.6.6",
        "After an event-based gateway come receive tasks or message events, not both.";
    SAME_MESSAGE = "event-gateway-same-message", Warning, "BPMN 2.0.2 §10.6.6",
        "The events after an event-based gateway wait for different messages.";
    PARALLEL = "event-gateway-parallel", Error, "BPMN 2.0.2 §10.6.6",
        "Only an event-based gateway that starts a process is parallel.";
    PARALLEL_TRIGGER = "event-gateway-parallel-trigger", Error, "BPMN 2.0.2 §13.4.4 Table 13.4",
        "After a parallel event-based gateway come messages only: they find the same process by what they have in common.";
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (_, node) in subject.nodes() {
        let Some(Gateway::EventBased { instantiate, parallel }) = gateway(node) else { continue };
        if node.outgoing.len() < 2 {
            findings.add(
                &TOO_FEW,
                node.element,
                format!(
                    "{} has {} outgoing flows: there is nothing to choose between",
                    label(node),
                    node.outgoing.len()
                ),
                "lead flows to at least two events, or use one catch event without the gateway",
            );
        }
        if *parallel && !instantiate {
            findings.add(
                &PARALLEL,
                node.element,
                format!("{} is parallel, but does not start the process", label(node)),
                "set instantiate=\"true\", or use a parallel gateway with the events after it",
            );
        }
        targets(subject, node, findings);
        if *parallel && *instantiate {
            only_messages(subject, node, findings);
        }
    }
}

/// What starts a process by parts must be correlated, which only messages can.
fn only_messages(subject: &Subject<'_>, gateway: &FlowNode, findings: &mut Findings<'_>) {
    let flows = gateway.outgoing.iter().filter_map(|flow| subject.flow(*flow));
    for target in flows.filter_map(|flow| flow.target.target).filter_map(|index| subject.node(index)) {
        let is_other = |definition: &EventDefinition| !matches!(definition, EventDefinition::Message { .. });
        if is_waiting_event(target) && has_definition(target, is_other) {
            findings.add(
                &PARALLEL_TRIGGER,
                target.element,
                format!("{} follows {}, but waits for something other than a message", label(target), label(gateway)),
                "let it wait for a message, or make the gateway exclusive",
            );
        }
    }
}

fn targets(subject: &Subject<'_>, gateway: &FlowNode, findings: &mut Findings<'_>) {
    let mut messages = BTreeSet::new();
    let mut first_receive = None;
    let mut has_message_event = false;
    let flows = gateway.outgoing.iter().filter_map(|flow| subject.flow(*flow));
    for (index, target) in
        flows.filter_map(|flow| flow.target.target).filter_map(|index| Some((index, subject.node(index)?)))
    {
        let receive =
            activity(target).is_some_and(|activity| matches!(activity.kind, ActivityKind::ReceiveTask { .. }));
        if !receive && !is_waiting_event(target) {
            findings.add(
                &TARGET,
                target.element,
                format!(
                    "{} follows {}, but does not wait for a message, signal, timer or condition",
                    label(target),
                    label(gateway)
                ),
                "put an intermediate catch event or a receive task between them",
            );
            continue;
        }
        if target.incoming.len() > 1 {
            findings.add(
                &TARGET_INCOMING,
                target.element,
                format!(
                    "{} follows {} and has {} incoming flows",
                    label(target),
                    label(gateway),
                    target.incoming.len()
                ),
                "join the other flows after it, or repeat the event for them",
            );
        }
        if receive {
            first_receive = first_receive.or(Some(target));
            boundary(subject, index, target, findings);
        }
        has_message_event |= has_definition(target, |definition| matches!(definition, EventDefinition::Message { .. }));
        for message in waits_for(subject, target) {
            if !messages.insert(message) {
                findings.add(
                    &SAME_MESSAGE,
                    target.element,
                    format!(
                        "{} waits for the message “{message}”, as another event after {} does",
                        label(target),
                        label(gateway)
                    ),
                    "let the events wait for different messages, or join their paths",
                );
            }
        }
    }
    if let (Some(receive), true) = (first_receive, has_message_event) {
        findings.add(
            &MIXED,
            receive.element,
            format!("{} and a message event both follow {}", label(receive), label(gateway)),
            "use only receive tasks or only message catch events there",
        );
    }
}

fn is_waiting_event(node: &FlowNode) -> bool {
    event(node).is_some_and(|event| {
        matches!(event.position, EventPosition::IntermediateCatch)
            && !event.parallel_multiple
            && event.definitions.iter().all(|definition| {
                matches!(
                    definition,
                    EventDefinition::Message { .. }
                        | EventDefinition::Signal { .. }
                        | EventDefinition::Timer { .. }
                        | EventDefinition::Conditional { .. }
                )
            })
    })
}

fn boundary(subject: &Subject<'_>, index: NodeIndex, receive: &FlowNode, findings: &mut Findings<'_>) {
    for boundary in subject.boundaries(index).iter().filter_map(|index| subject.node(*index)) {
        findings.add(
            &TARGET_BOUNDARY,
            boundary.element,
            format!("{} sits on {}, which follows an event-based gateway", label(boundary), label(receive)),
            "let the gateway lead to an event for this trigger instead",
        );
    }
}

/// The names of the messages that a node waits for.
fn waits_for<'a>(subject: &Subject<'a>, node: &'a FlowNode) -> Vec<&'a str> {
    let name = |index: usize| subject.definitions.messages.get(index)?.name.as_ref().map(|name| &*name.text);
    let task = match activity(node).map(|activity| &activity.kind) {
        Some(ActivityKind::ReceiveTask { message: Some(message), .. }) => message.target.and_then(name),
        _ => None,
    };
    let events =
        event(node).into_iter().flat_map(|event| &event.definitions).filter_map(|definition| match definition {
            EventDefinition::Message { message: Some(message), .. } => message.target.and_then(name),
            _ => None,
        });
    task.into_iter().chain(events).collect()
}
