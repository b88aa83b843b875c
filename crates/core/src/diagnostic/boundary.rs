//! Boundary events: what they sit on.

use std::collections::BTreeMap;

use super::findings::Findings;
use super::rule::define;
use super::subject::{Subject, activity, event, is_compensation_boundary, is_event_sub_process, is_start, label};
use crate::dialect::{Dialect, Listener, ListenerAction, ListenerStage};
use crate::model::{Definitions, Event, EventDefinition, EventPosition, FlowNode, NodeIndex};

define! {
    LISTENER_LEFT_OUT = "end-listener-left-out", Warning, "Camunda 7",
        "An end listener of what can be interrupted is an expression or a script: no worker can be waited for then.";
    HOST_UNKNOWN = "boundary-host-unknown", Error, "BPMN 2.0.2 §10.5.4",
        "A boundary event sits on an activity that exists.";
    HOST_NOT_ACTIVITY = "boundary-host-not-activity", Error, "BPMN 2.0.2 §10.5.4",
        "A boundary event sits on an activity, not on an event or gateway.";
    HOST_EVENT_SUB_PROCESS = "boundary-on-event-sub-process", Error, "BPMN 2.0.2 §10.3.5",
        "No boundary event sits on an event sub-process.";
    HOST_ELSEWHERE = "boundary-host-elsewhere", Error, "BPMN 2.0.2 §10.5.4",
        "A boundary event stands in the same process or sub-process as its activity.";
    WITHOUT_OUTGOING = "boundary-without-outgoing", Warning, "BPMN 2.0.2 §10.5.4",
        "A flow leads out of each boundary event.";
    DUPLICATE_CATCHER = "caught-twice", Error, "BPMN 2.0.2 §10.5.6",
        "An activity or scope catches the same error or escalation at one place only.";
    DUPLICATE_MESSAGE = "message-caught-twice", Warning, "BPMN 2.0.2 §13.5.2",
        "An activity or scope waits for the same message at one place only: the one that began to wait first takes it.";
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (index, node) in subject.nodes() {
        let Some(event) = event(node) else { continue };
        let EventPosition::Boundary { attached_to, .. } = &event.position else { continue };
        match attached_to.target.and_then(|host| subject.node(host)) {
            None => host_unknown(subject, node, &attached_to.text, findings),
            Some(host) => host_fits(subject, node, host, findings),
        }
        let ends_there = node.outgoing.is_empty() && !is_compensation_boundary(node) && !event.definitions.is_empty();
        if ends_there && !subject.is_hidden(index, node) {
            findings.add(
                &WITHOUT_OUTGOING,
                node.element,
                format!("{} has no outgoing flow: the path ends when it occurs", label(node)),
                "lead a sequence flow out of it, to an end event if nothing is to be done",
            );
        }
    }
    caught_twice(subject, findings);
    if subject.definitions.dialect == Dialect::Camunda {
        listeners_left_out(subject, findings);
    }
}

/// In Camunda 7 end listeners are also called when something is interrupted.
fn listeners_left_out(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let interrupted = can_be_interrupted(subject);
    for ((_, node), is_interrupted) in subject.nodes().zip(interrupted) {
        let by_worker = |listener: &&Listener| {
            listener.stage == ListenerStage::End && matches!(listener.action, ListenerAction::Job(_))
        };
        if let Some(listener) = node.extension.listeners.iter().find(by_worker)
            && is_interrupted
        {
            findings.add(
                &LISTENER_LEFT_OUT,
                listener.element,
                format!("a worker is this end listener of {}: it is not called when that is interrupted", label(node)),
                "make the listener an expression or a script, or do its work after the interrupting event too",
            );
        }
    }
}

/// Which flow nodes can be interrupted: by a boundary event of their own or of what they stand in, or by an event sub-process.
fn can_be_interrupted(subject: &Subject<'_>) -> Vec<bool> {
    let ends_host = |boundary: &NodeIndex| {
        let event = subject.node(*boundary).filter(|node| !is_compensation_boundary(node)).and_then(event);
        event.is_some_and(|event| matches!(event.position, EventPosition::Boundary { cancel_activity: true, .. }))
    };
    let ends_scope = |start: &FlowNode| {
        event(start).is_some_and(|event| matches!(event.position, EventPosition::Start { interrupting: true }))
    };
    let mut handlers: BTreeMap<Option<NodeIndex>, Vec<NodeIndex>> = BTreeMap::new();
    for (index, node) in subject.nodes().filter(|(_, node)| is_event_sub_process(node)) {
        if subject.nodes_in(Some(index)).any(|(_, start)| ends_scope(start)) {
            handlers.entry(node.parent).or_default().push(index);
        }
    }
    let mut interrupted: Vec<bool> = Vec::new();
    for (index, node) in subject.nodes() {
        let by_boundary = subject.boundaries(index).iter().any(ends_host);
        let beside = handlers.get(&node.parent).is_some_and(|handlers| handlers.iter().any(|other| *other != index));
        // A sub-process stands before what is in it.
        let around = node.parent.and_then(|parent| interrupted.get(parent.0 as usize)).copied().unwrap_or(false);
        interrupted.push(by_boundary || beside || around);
    }
    interrupted
}

fn host_unknown(subject: &Subject<'_>, node: &FlowNode, text: &str, findings: &mut Findings<'_>) {
    let message = if text.is_empty() {
        format!("{} has no `attachedToRef`", label(node))
    } else if let Some((process, _)) = subject.world.node(text) {
        let process = subject.definitions.processes.get(process.0 as usize).map_or("", |process| &*process.id);
        format!("{} is attached to `{text}`, which stands in another process, `{process}`", label(node))
    } else {
        format!("{} is attached to `{text}`, but no activity has that id", label(node))
    };
    findings.add(&HOST_UNKNOWN, node.element, message, "let `attachedToRef` name the activity that it sits on");
}

fn host_fits(subject: &Subject<'_>, node: &FlowNode, host: &FlowNode, findings: &mut Findings<'_>) {
    let message = format!("{} is attached to {}", label(node), label(host));
    if activity(host).is_none() {
        findings.add(&HOST_NOT_ACTIVITY, node.element, message, "attach it to a task, call activity or sub-process");
    } else if is_event_sub_process(host) {
        let help = "attach it to the sub-process around, or catch inside with another event sub-process";
        findings.add(&HOST_EVENT_SUB_PROCESS, node.element, message, help);
    } else if node.parent != host.parent {
        findings.add(
            &HOST_ELSEWHERE,
            node.element,
            format!(
                "{message}, but stands in {}, not in {}",
                subject.scope_label(node.parent),
                subject.scope_label(host.parent)
            ),
            "move the boundaryEvent element beside its activity",
        );
    }
}

/// What an error or escalation is caught by.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Caught<'a> {
    Error(Option<&'a str>),
    Escalation(Option<&'a str>),
    Message(&'a str),
    Cancel,
}

/// Of two events that catch the same on the same activity or in the same scope, the second would never do.
fn caught_twice(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (host, _) in subject.nodes() {
        let events = subject.boundaries(host).iter().filter_map(|index| subject.node(*index));
        report_twice(subject.definitions, events, findings);
    }
    for scope in subject.scopes() {
        let sub_processes = subject.nodes_in(scope).filter(|(_, node)| is_event_sub_process(node));
        let starts = sub_processes
            .filter_map(|(index, _)| subject.nodes_in(Some(index)).map(|(_, node)| node).find(|node| is_start(node)));
        report_twice(subject.definitions, starts, findings);
    }
}

fn report_twice<'a>(
    definitions: &'a Definitions,
    events: impl Iterator<Item = &'a FlowNode>,
    findings: &mut Findings<'_>,
) {
    let mut seen: BTreeMap<Caught<'a>, &FlowNode> = BTreeMap::new();
    for node in events {
        for caught in event(node).into_iter().flat_map(|event| caught(definitions, event)) {
            let what = match &caught {
                Caught::Error(Some(code)) => format!("error `{code}`"),
                Caught::Error(None) => "every error".to_owned(),
                Caught::Escalation(Some(code)) => format!("escalation `{code}`"),
                Caught::Escalation(None) => "every escalation".to_owned(),
                Caught::Message(name) => format!("message `{name}`"),
                Caught::Cancel => "cancellation".to_owned(),
            };
            if let Some(first) = seen.get(&caught) {
                let (rule, help) = match caught {
                    Caught::Message(_) => {
                        (&DUPLICATE_MESSAGE, "let one event do the work of both, or give them different messages")
                    }
                    _ => (&DUPLICATE_CATCHER, "delete one of them, or let them catch different codes"),
                };
                let text = format!("{} catches {what}, which {} catches already", label(node), label(first));
                findings.add(rule, node.element, text, help);
            } else {
                seen.insert(caught, node);
            }
        }
    }
}

fn caught<'a>(definitions: &'a Definitions, event: &'a Event) -> Vec<Caught<'a>> {
    // Several non-interrupting event sub-processes may answer one escalation.
    let interrupts = match event.position {
        EventPosition::Start { interrupting } => interrupting,
        EventPosition::Boundary { cancel_activity, .. } => cancel_activity,
        _ => false,
    };
    event
        .definitions
        .iter()
        .filter_map(|definition| match definition {
            EventDefinition::Error { error: None, .. } => Some(Caught::Error(None)),
            EventDefinition::Error { error: Some(error), .. } => {
                let declared = error.target.and_then(|index| definitions.errors.get(index));
                let code = declared.map_or(Some(&*error.text), |error| error.code.as_ref().map(|code| &*code.text));
                Some(Caught::Error(code))
            }
            EventDefinition::Escalation { escalation: None, .. } if interrupts => Some(Caught::Escalation(None)),
            EventDefinition::Escalation { escalation: Some(escalation), .. } if interrupts => {
                let declared = escalation.target.and_then(|index| definitions.escalations.get(index));
                let code = declared
                    .map_or(Some(&*escalation.text), |escalation| escalation.code.as_ref().map(|code| &*code.text));
                Some(Caught::Escalation(code))
            }
            EventDefinition::Cancel { .. } => Some(Caught::Cancel),
            EventDefinition::Message { message: Some(message), .. } => Some(Caught::Message(&message.text)),
            _ => None,
        })
        .collect()
}
