//! Compensation: boundary events, their handlers, and what is thrown at them.

use std::collections::BTreeMap;

use super::findings::Findings;
use super::rule::define;
use super::subject::{
    ScopeKind, Subject, activity, event, has_definition, is_catching, is_compensation_boundary,
    is_compensation_handler, is_event_sub_process, is_scope, is_start, label, thrown_by_instances,
};
use crate::model::{ActivityKind, EventDefinition, FlowNode, NodeIndex};
use crate::xml::ElementIndex;

define! {
    WITHOUT_HANDLER = "compensation-without-handler", Error, "BPMN 2.0.2 §10.7.1",
        "An association leads from a compensation boundary event to its handler.";
    SEVERAL_HANDLERS = "compensation-several-handlers", Error, "BPMN 2.0.2 §10.7.1",
        "A compensation boundary event has one handler.";
    CAUGHT_TWICE = "compensation-caught-twice", Error, "BPMN 2.0.2 §10.5.6, §10.7.1",
        "An activity has at most one compensation boundary event, a sub-process at most one compensation event sub-process.";
    INSIDE_UNUSED = "compensation-inside-unused", Warning, "BPMN 2.0.2 §10.7.1",
        "What undoes a sub-process is its boundary event's handler, or a compensation event sub-process inside, not both.";
    PROCESS_UNDONE = "compensation-of-process", Warning, "BPMN 2.0.2 §10.7.1",
        "A compensation event sub-process stands in a sub-process: nothing compensates the process as a whole.";
    HANDLER_UNMARKED = "compensation-handler-unmarked", Error, "BPMN 2.0.2 §10.7.1",
        "A compensation handler is an activity with isForCompensation.";
    HANDLER_ELSEWHERE = "compensation-handler-elsewhere", Error, "BPMN 2.0.2 §10.7.1",
        "A compensation handler stands at the same level as its boundary event.";
    HANDLER_BACKWARDS = "compensation-association-backwards", Error, "BPMN 2.0.2 §10.7.1",
        "The association of a compensation handler leads from the boundary event to the handler.";
    HANDLER_UNUSED = "compensation-handler-unused", Warning, "BPMN 2.0.2 §10.7.1",
        "An activity with isForCompensation is the handler of a boundary event.";
    TARGET_UNKNOWN = "compensation-target-unknown", Error, "BPMN 2.0.2 §10.7.2",
        "The activity that is to be compensated exists.";
    TARGET_OUT_OF_REACH = "compensation-target-out-of-reach", Error, "BPMN 2.0.2 §10.7.2",
        "The activity that is to be compensated stands at the level of the event, or around the event sub-process.";
    TARGET_WITHOUT_HANDLER = "compensation-target-without-handler", Warning, "BPMN 2.0.2 §10.7.2",
        "The activity that is to be compensated can be compensated.";
    NOTHING_TO_COMPENSATE = "nothing-to-compensate", Warning, "BPMN 2.0.2 §10.7.2",
        "Where compensation is thrown, something can be compensated.";
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let mut handlers: BTreeMap<NodeIndex, Vec<(ElementIndex, NodeIndex)>> = BTreeMap::new();
    let mut used = vec![false; subject.process.flow_nodes.len()];
    for association in &subject.process.associations {
        let (Some(source), Some(target)) = (association.source.target, association.target.target) else { continue };
        let (Some(source_node), Some(target_node)) = (subject.node(source), subject.node(target)) else { continue };
        if is_compensation_boundary(source_node) {
            handlers.entry(source).or_default().push((association.element, target));
            mark(&mut used, target);
        } else if is_compensation_boundary(target_node) && is_compensation_handler(source_node) {
            mark(&mut used, source);
            handlers.entry(target).or_default();
            findings.add(
                &HANDLER_BACKWARDS,
                association.element,
                format!("the association leads from the handler, {}, to {}", label(source_node), label(target_node)),
                "swap sourceRef and targetRef",
            );
        }
    }
    for (index, node) in subject.nodes().filter(|(_, node)| is_compensation_boundary(node)) {
        handler(subject, node, handlers.get(&index).map(Vec::as_slice), findings);
    }
    for (index, node) in subject.nodes().filter(|(_, node)| is_compensation_handler(node)) {
        if !used.get(index.0 as usize).copied().unwrap_or(true) {
            findings.add(
                &HANDLER_UNUSED,
                node.element,
                format!(
                    "{} is for compensation, but no compensation boundary event leads to it: it never runs",
                    label(node)
                ),
                "draw an association from a compensation boundary event to it, or unset isForCompensation",
            );
        }
    }
    for node in compensating_sub_processes(subject, None) {
        findings.add(
            &PROCESS_UNDONE,
            node.element,
            format!("{} never runs: it would undo the process as a whole, which nothing compensates", label(node)),
            "put it and what it is to undo into a sub-process",
        );
    }
    caught_twice(subject, findings);
    throws(subject, findings);
}

/// Of two that catch compensation at one place, only one could run.
fn caught_twice(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let by_boundary = subject.nodes().map(|(host, _)| {
        let events = subject.boundaries(host).iter().filter_map(|index| subject.node(*index));
        events.filter(|node| is_compensation_boundary(node)).collect::<Vec<_>>()
    });
    let by_event = subject.scopes().map(|scope| compensating_sub_processes(subject, scope));
    for catchers in by_boundary.chain(by_event) {
        let Some((first, others)) = catchers.split_first() else { continue };
        for other in others {
            findings.add(
                &CAUGHT_TWICE,
                other.element,
                format!(
                    "{} catches compensation, which {} catches already: only one of them would run",
                    label(other),
                    label(first)
                ),
                "keep one; put several steps into one sub-process",
            );
        }
    }
    for (host, node) in subject.nodes().filter(|(_, node)| is_scope(node)) {
        let mut boundary = subject.boundaries(host).iter().filter_map(|index| subject.node(*index));
        if let (Some(boundary), Some(inside)) = (
            boundary.find(|node| is_compensation_boundary(node)),
            compensating_sub_processes(subject, Some(host)).first(),
        ) {
            findings.add(
                &INSIDE_UNUSED,
                inside.element,
                format!("{} never runs: {} undoes {} as a whole", label(inside), label(boundary), label(node)),
                "delete one of them",
            );
        }
    }
}

/// The event sub-processes of a scope that catch compensation.
fn compensating_sub_processes<'a>(subject: &Subject<'a>, scope: Option<NodeIndex>) -> Vec<&'a FlowNode> {
    let inside = subject.nodes_in(scope).filter(|(_, node)| is_event_sub_process(node));
    let compensates = |(index, node)| {
        let mut starts = subject.nodes_in(Some(index)).filter(|(_, start)| is_start(start));
        let catches = |definition: &EventDefinition| matches!(definition, EventDefinition::Compensation { .. });
        starts.any(|(_, start)| has_definition(start, catches)).then_some(node)
    };
    inside.filter_map(compensates).collect()
}

fn mark(marks: &mut [bool], index: NodeIndex) {
    if let Some(mark) = marks.get_mut(index.0 as usize) {
        *mark = true;
    }
}

fn handler(
    subject: &Subject<'_>,
    boundary: &FlowNode,
    handlers: Option<&[(ElementIndex, NodeIndex)]>,
    findings: &mut Findings<'_>,
) {
    let Some(handlers) = handlers else {
        findings.add(
            &WITHOUT_HANDLER,
            boundary.element,
            format!("{} catches compensation, but no association leads from it to a handler", label(boundary)),
            "draw an association from it to an activity with isForCompensation=\"true\"",
        );
        return;
    };
    for (association, _) in handlers.iter().skip(1) {
        findings.add(
            &SEVERAL_HANDLERS,
            *association,
            format!("{} has {} compensation handlers", label(boundary), handlers.len()),
            "keep one association; put several steps into a sub-process with isForCompensation=\"true\"",
        );
    }
    for (association, target) in handlers {
        let Some(target) = subject.node(*target) else { continue };
        if !is_compensation_handler(target) {
            findings.add(
                &HANDLER_UNMARKED,
                *association,
                format!("{} leads to {}, which is not for compensation", label(boundary), label(target)),
                "let it lead to an activity, and set isForCompensation=\"true\" there",
            );
        } else if target.parent != boundary.parent {
            findings.add(
                &HANDLER_ELSEWHERE,
                *association,
                format!("{} leads to {} in {}", label(boundary), label(target), subject.scope_label(target.parent)),
                "move the handler beside the activity that it compensates",
            );
        }
    }
}

/// Throwing events: can what they name be compensated?
fn throws(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let compensable: Vec<bool> =
        subject.nodes().map(|(index, node)| can_be_compensated(subject, index, node)).collect();
    let anything = compensable.contains(&true);
    for (_, node) in subject.nodes() {
        let event = event(node).filter(|event| !is_catching(event));
        let thrown = event.into_iter().flat_map(|event| &event.definitions).chain(thrown_by_instances(node));
        for definition in thrown {
            let EventDefinition::Compensation { element, activity, .. } = definition else { continue };
            let Some(reference) = activity else {
                if !anything {
                    findings.add(
                        &NOTHING_TO_COMPENSATE,
                        *element,
                        format!("{} compensates, but no activity in the process can be compensated", label(node)),
                        "attach a compensation boundary event with a handler to what should be undone",
                    );
                }
                continue;
            };
            match reference.target.and_then(|index| Some((index, subject.node(index)?))) {
                None => findings.add(
                    &TARGET_UNKNOWN,
                    *element,
                    format!("{} compensates `{}`, but no activity has that id", label(node), reference.text),
                    "let `activityRef` name an activity at the same level, or remove it to compensate all",
                ),
                Some((index, target)) => {
                    let is_compensable = compensable.get(index.0 as usize).copied().unwrap_or(false);
                    target_fits(subject, node, *element, (target, is_compensable), findings);
                }
            }
        }
    }
}

fn target_fits(
    subject: &Subject<'_>,
    node: &FlowNode,
    element: ElementIndex,
    (target, is_compensable): (&FlowNode, bool),
    findings: &mut Findings<'_>,
) {
    // From an event sub-process, the activities around it are in reach as well.
    let around = (subject.scope_kind(node.parent) == ScopeKind::EventSubProcess).then(|| subject.outer(node.parent));
    if activity(target).is_none() {
        findings.add(
            &TARGET_UNKNOWN,
            element,
            format!("{} compensates {}, which is no activity", label(node), label(target)),
            "let `activityRef` name an activity at the same level, or remove it to compensate all",
        );
    } else if target.parent != node.parent && around != Some(target.parent) {
        findings.add(
            &TARGET_OUT_OF_REACH,
            element,
            format!(
                "{} compensates {}, which stands in {}",
                label(node),
                label(target),
                subject.scope_label(target.parent)
            ),
            "name the sub-process that it stands in, or move the event to the same level",
        );
    } else if !is_compensable {
        findings.add(
            &TARGET_WITHOUT_HANDLER,
            element,
            format!("{} compensates {}, which has no compensation handler", label(node), label(target)),
            "attach a compensation boundary event with a handler to it",
        );
    }
}

/// It has a handler, or may have some inside.
fn can_be_compensated(subject: &Subject<'_>, index: NodeIndex, node: &FlowNode) -> bool {
    let own = subject.boundaries(index).iter().filter_map(|index| subject.node(*index)).any(is_compensation_boundary);
    let called = activity(node).is_some_and(|activity| matches!(activity.kind, ActivityKind::CallActivity { .. }));
    // Whether a sub-process holds something is seen by looking at what it holds directly; deeper levels count as well,
    // so that a sub-process within is taken on trust.
    let inside = is_scope(node)
        && subject.nodes_in(Some(index)).any(|(_, inner)| {
            is_compensation_boundary(inner)
                || is_scope(inner)
                || (is_start(inner)
                    && is_event_sub_process(node)
                    && has_definition(inner, |definition| matches!(definition, EventDefinition::Compensation { .. })))
        });
    own || called || inside
}
