//! Which event may stand where.

use super::findings::Findings;
use super::rule::define;
use super::sub_processes::says_by_event;
use super::subject::{ScopeKind, Subject, article, event, label, thrown_by_instances, word};
use super::triggers::works;
use crate::model::{Event, EventDefinition, EventPosition, FlowNode};

define! {
    EVENT_DEFINITION_NOT_ALLOWED = "event-definition-not-allowed", Error, "BPMN 2.0.2 §10.3.8, §10.5.5 Table 10.93",
        "An event has only triggers or results that may stand at its place; a multi-instance activity throws what can be caught.";
    EVENT_WITHOUT_TRIGGER = "event-without-trigger", Error, "BPMN 2.0.2 §10.5.4",
        "Intermediate catch events and boundary events have a trigger.";
    DEFINITIONS_MIXED = "event-definitions-mixed", Error, "BPMN 2.0.2 §10.5.4",
        "A multiple event combines neither links, nor compensation with what is caught otherwise.";
    PARALLEL_MULTIPLE_OF_THROWN = "parallel-multiple-of-thrown", Error, "BPMN 2.0.2 §10.5.1, §10.5.7",
        "A parallel multiple event waits for triggers that can wait for each other: no error, escalation or cancel.";
    PARALLEL_MULTIPLE_OF_ONE = "parallel-multiple-of-one", Warning, "BPMN 2.0.2 §10.5.1",
        "A parallel multiple event has at least two triggers.";
    MUST_INTERRUPT = "event-must-interrupt", Error, "BPMN 2.0.2 §10.5.2, §10.5.4, §13.5.3",
        "Errors, compensation and cancellation always interrupt.";
    CANCEL_OUTSIDE_TRANSACTION = "cancel-outside-transaction", Error, "BPMN 2.0.2 §10.5.3, §10.5.4",
        "Cancel end events stand in a transaction, cancel boundary events sit on one.";
    CANCEL_NOT_CAUGHT = "cancel-not-caught", Warning, "BPMN 2.0.2 §10.3.5",
        "A transaction with a cancel end event has a cancel boundary event.";
    CANCEL_NEVER_THROWN = "cancel-never-thrown", Warning, "BPMN 2.0.2 §10.3.5",
        "A transaction with a cancel boundary event has a cancel end event.";
}

/// The places that Table 10.93 tells apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    ProcessStart,
    SubProcessStart,
    EventSubProcessStart,
    Catch,
    Throw,
    Boundary,
    End,
    /// What a multi-instance activity throws as its instances complete (§10.3.8): its boundary events are to catch it.
    Instances,
}

pub(super) fn place(subject: &Subject<'_>, node: &FlowNode, event: &Event) -> Place {
    match event.position {
        EventPosition::Start { .. } => match subject.scope_kind(node.parent) {
            ScopeKind::Process => Place::ProcessStart,
            ScopeKind::EventSubProcess => Place::EventSubProcessStart,
            _ => Place::SubProcessStart,
        },
        EventPosition::IntermediateCatch => Place::Catch,
        EventPosition::IntermediateThrow => Place::Throw,
        EventPosition::Boundary { .. } => Place::Boundary,
        EventPosition::End => Place::End,
    }
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (_, node) in subject.nodes() {
        definitions_allowed(node, thrown_by_instances(node), Place::Instances, findings);
        work_of_instances(node, findings);
        let Some(event) = event(node) else { continue };
        let place = place(subject, node, event);
        // Of what only claims to be an event sub-process that is said at the sub-process itself.
        let around = node.parent.and_then(|parent| subject.node(parent));
        if place != Place::SubProcessStart || !around.is_some_and(|around| says_by_event(subject, around)) {
            definitions_allowed(node, event.definitions.iter(), place, findings);
        }
        without_trigger(node, event, place, findings);
        mixed(node, event, place, findings);
        parallel_multiple(node, event, findings);
        must_interrupt(node, event, place, findings);
        cancel_end(subject, node, event, findings);
    }
    cancel_pairs(subject, findings);
}

/// Table 10.93.
fn allowed(place: Place, definition: &EventDefinition) -> bool {
    use EventDefinition as D;
    match place {
        Place::ProcessStart => {
            matches!(definition, D::Message { .. } | D::Timer { .. } | D::Conditional { .. } | D::Signal { .. })
        }
        Place::SubProcessStart => false,
        Place::EventSubProcessStart => !matches!(definition, D::Link { .. } | D::Cancel { .. } | D::Terminate { .. }),
        Place::Catch => matches!(
            definition,
            D::Message { .. } | D::Timer { .. } | D::Conditional { .. } | D::Signal { .. } | D::Link { .. }
        ),
        Place::Throw => matches!(
            definition,
            D::Message { .. } | D::Signal { .. } | D::Escalation { .. } | D::Link { .. } | D::Compensation { .. }
        ),
        Place::Boundary => !matches!(definition, D::Link { .. } | D::Terminate { .. }),
        Place::End => !matches!(definition, D::Timer { .. } | D::Conditional { .. } | D::Link { .. }),
        Place::Instances => matches!(
            definition,
            D::Message { .. } | D::Signal { .. } | D::Error { .. } | D::Escalation { .. } | D::Compensation { .. }
        ),
    }
}

fn definitions_allowed<'a>(
    node: &FlowNode,
    definitions: impl Iterator<Item = &'a EventDefinition>,
    place: Place,
    findings: &mut Findings<'_>,
) {
    for definition in definitions.filter(|definition| !allowed(place, definition)) {
        let (where_, help) = match place {
            Place::ProcessStart => (
                "at the start of a process",
                "use a message, timer, signal or condition, or move it to an event sub-process",
            ),
            Place::SubProcessStart => (
                "at the start of an embedded sub-process, which starts when a token reaches it",
                "remove the trigger, or make it an event sub-process (triggeredByEvent=\"true\")",
            ),
            Place::EventSubProcessStart => (
                "at the start of an event sub-process",
                "use a message, timer, signal, condition, error, escalation or compensation",
            ),
            Place::Catch => (
                "in the normal flow as a catching event",
                "use a message, timer, signal, condition or link; errors and escalations are caught on the boundary",
            ),
            Place::Throw => (
                "in the normal flow as a throwing event",
                "use a message, signal, escalation, link or compensation, or an end event",
            ),
            Place::Boundary => (
                "on a boundary",
                "use a message, timer, signal, condition, error, escalation, compensation, or cancel on a transaction",
            ),
            Place::End => (
                "at an end",
                "use a message, signal, error, escalation, compensation, terminate, or cancel in a transaction",
            ),
            Place::Instances => (
                "among the events that its instances throw as they complete",
                "use a message, signal, error, escalation or compensation",
            ),
        };
        findings.add(
            &EVENT_DEFINITION_NOT_ALLOWED,
            definition.element(),
            format!("{} has {} definition, which cannot stand {where_}", label(node), with_article(definition)),
            help,
        );
    }
}

/// An instance that completes does not wait for work.
fn work_of_instances(node: &FlowNode, findings: &mut Findings<'_>) {
    for definition in thrown_by_instances(node) {
        if let EventDefinition::Message { element, job, extension, .. } = definition
            && (job.is_some() || works(extension))
        {
            findings.add(
                &EVENT_DEFINITION_NOT_ALLOWED,
                *element,
                format!(
                    "{} has a message definition with work to do, which its instances would not wait for",
                    label(node)
                ),
                "let it only send the message, and let a task that follows do the work",
            );
        }
    }
}

fn with_article(definition: &EventDefinition) -> String {
    let word = definition.word();
    format!("{} {word}", article(word))
}

fn without_trigger(node: &FlowNode, event: &Event, place: Place, findings: &mut Findings<'_>) {
    if event.definitions.is_empty() && !event.lacks_definition && matches!(place, Place::Catch | Place::Boundary) {
        findings.add(
            &EVENT_WITHOUT_TRIGGER,
            node.element,
            format!("{} waits for nothing", label(node)),
            "add a definition, e.g. a messageEventDefinition or timerEventDefinition",
        );
    }
}

fn mixed(node: &FlowNode, event: &Event, place: Place, findings: &mut Findings<'_>) {
    if event.definitions.len() < 2 {
        return;
    }
    let catches = !matches!(place, Place::Throw | Place::End);
    for definition in &event.definitions {
        let alone = match definition {
            EventDefinition::Link { .. } => true,
            EventDefinition::Compensation { .. } => catches,
            _ => false,
        };
        if alone && allowed(place, definition) {
            findings.add(
                &DEFINITIONS_MIXED,
                definition.element(),
                format!("{} combines {} definition with others", label(node), with_article(definition)),
                "give it an event of its own",
            );
        }
    }
}

fn parallel_multiple(node: &FlowNode, event: &Event, findings: &mut Findings<'_>) {
    if event.parallel_multiple && event.definitions.len() < 2 {
        findings.add(
            &PARALLEL_MULTIPLE_OF_ONE,
            node.element,
            format!("{} is parallel multiple, but has {} definitions", label(node), event.definitions.len()),
            "add the other triggers that must all occur, or remove parallelMultiple",
        );
    }
    // These are caught at the moment they are thrown, and end or pass their thrower by that: nothing is left to wait.
    let is_thrown = |definition: &&EventDefinition| {
        use EventDefinition as D;
        matches!(definition, D::Error { .. } | D::Escalation { .. } | D::Cancel { .. })
    };
    let catches = matches!(event.position, EventPosition::Start { .. } | EventPosition::Boundary { .. });
    if event.parallel_multiple
        && catches
        && event.definitions.len() > 1
        && let Some(definition) = event.definitions.iter().find(is_thrown)
    {
        findings.add(
            &PARALLEL_MULTIPLE_OF_THROWN,
            definition.element(),
            format!(
                "{} waits for all its triggers, but its {} cannot wait for the others",
                label(node),
                definition.word()
            ),
            "give it an event of its own, and join the ways of both with a parallel gateway",
        );
    }
}

fn must_interrupt(node: &FlowNode, event: &Event, place: Place, findings: &mut Findings<'_>) {
    let (interrupts, attribute) = match event.position {
        EventPosition::Start { interrupting } if place == Place::EventSubProcessStart => {
            (interrupting, "isInterrupting")
        }
        EventPosition::Boundary { cancel_activity, .. } => (cancel_activity, "cancelActivity"),
        _ => return,
    };
    let always = event.definitions.iter().find(|definition| match definition {
        EventDefinition::Error { .. } | EventDefinition::Cancel { .. } => true,
        // On a boundary the attribute says nothing: the activity has completed when it is compensated.
        EventDefinition::Compensation { .. } => place == Place::EventSubProcessStart,
        _ => false,
    });
    if let (false, Some(definition)) = (interrupts, always) {
        findings.add(
            &MUST_INTERRUPT,
            node.element,
            format!("{} does not interrupt, but {} always does", label(node), definition.word()),
            format!("remove {attribute}=\"false\""),
        );
    }
}

fn cancel_end(subject: &Subject<'_>, node: &FlowNode, event: &Event, findings: &mut Findings<'_>) {
    let cancels = |definition: &&EventDefinition| matches!(definition, EventDefinition::Cancel { .. });
    let Some(cancel) = event.definitions.iter().find(cancels) else { return };
    match &event.position {
        EventPosition::End => {
            // An event sub-process belongs to the transaction that it stands in.
            let mut scope = node.parent;
            while subject.scope_kind(scope) == ScopeKind::EventSubProcess {
                scope = subject.outer(scope);
            }
            if subject.scope_kind(scope) != ScopeKind::Transaction {
                let mut around = subject.outer(scope);
                while around.is_some() && subject.scope_kind(around) != ScopeKind::Transaction {
                    around = subject.outer(around);
                }
                let help = if around.is_some() {
                    "end with an error, catch it on the sub-process, and lead from there to a cancel end event that stands \
                     in the transaction itself"
                } else {
                    "make the sub-process a transaction, or end with an error, escalation or termination"
                };
                findings.add(
                    &CANCEL_OUTSIDE_TRANSACTION,
                    cancel.element(),
                    format!("{} cancels, but {} is no transaction", label(node), subject.scope_label(scope)),
                    help,
                );
            }
        }
        EventPosition::Boundary { attached_to, .. } => {
            let Some(host) = attached_to.target else { return };
            if subject.scope_kind(Some(host)) != ScopeKind::Transaction
                && let Some(host) = subject.node(host)
            {
                findings.add(
                    &CANCEL_OUTSIDE_TRANSACTION,
                    cancel.element(),
                    format!("{} waits for cancellation, but sits on {}", label(node), label(host)),
                    format!("make the {} a transaction, or catch an error or escalation", word(host)),
                );
            }
        }
        _ => {}
    }
}

/// A cancel end without a boundary event leaves the transaction's token nowhere to go; the converse never fires.
fn cancel_pairs(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let cancels = |node: &FlowNode| {
        event(node).is_some_and(|event| {
            event.definitions.iter().any(|definition| matches!(definition, EventDefinition::Cancel { .. }))
        })
    };
    let mut thrown = vec![false; subject.process.flow_nodes.len()];
    for (_, node) in subject.nodes().filter(|(_, node)| super::subject::is_end(node) && cancels(node)) {
        let mut scope = node.parent;
        // Where one stands too deep, that has a finding of its own.
        while scope.is_some() && subject.scope_kind(scope) != ScopeKind::Transaction {
            scope = subject.outer(scope);
        }
        if let Some(mark) = scope.and_then(|index| thrown.get_mut(index.0 as usize)) {
            *mark = true;
        }
    }
    for (index, node) in subject.nodes() {
        if subject.scope_kind(Some(index)) != ScopeKind::Transaction {
            continue;
        }
        let boundary =
            subject.boundaries(index).iter().filter_map(|index| subject.node(*index)).find(|node| cancels(node));
        let is_thrown = thrown.get(index.0 as usize).copied().unwrap_or(false);
        match boundary {
            None if is_thrown => findings.add(
                &CANCEL_NOT_CAUGHT,
                node.element,
                format!("{} can be cancelled, but no boundary event says how the flow goes on then", label(node)),
                "attach a cancel boundary event and lead a flow out of it",
            ),
            Some(boundary) if !is_thrown => findings.add(
                &CANCEL_NEVER_THROWN,
                boundary.element,
                format!("{} waits for cancellation, but nothing in {} cancels", label(boundary), label(node)),
                "add a cancel end event to the transaction, or delete the boundary event",
            ),
            _ => {}
        }
    }
}
