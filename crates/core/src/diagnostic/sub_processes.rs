//! What sub-processes may hold.

use super::findings::Findings;
use super::rule::define;
use super::subject::{ScopeKind, Subject, activity, has_definition, is_end, is_event_sub_process, is_start, label};
use crate::model::{Activity, EventDefinition, FlowNode, LoopCharacteristics};

define! {
    SUB_PROCESS_EMPTY = "sub-process-empty", Warning, "BPMN 2.0.2 §10.3.5",
        "A sub-process holds something.";
    AD_HOC_START_OR_END = "ad-hoc-start-or-end", Error, "BPMN 2.0.2 §10.3.5",
        "An ad-hoc sub-process holds neither start nor end events.";
    AD_HOC_WITHOUT_ACTIVITY = "ad-hoc-without-activity", Error, "BPMN 2.0.2 §10.3.5",
        "An ad-hoc sub-process holds at least one activity.";
    SUB_PROCESS_IO = "sub-process-with-io", Error, "BPMN 2.0.2 §10.4.1",
        "A sub-process has no ioSpecification, unless it is multi-instance: it sees the variables around it.";
    EVENT_SUB_PROCESS_KIND = "event-sub-process-kind", Error, "BPMN 2.0.2 §10.3.5",
        "What its event starts is a plain sub-process, neither a transaction nor ad-hoc.";
    EVENT_SUB_PROCESS_FOR_COMPENSATION = "event-sub-process-for-compensation", Warning, "BPMN 2.0.2 §10.7.1",
        "An event sub-process that compensates has a compensation start event; isForCompensation alone changes nothing.";
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for scope in subject.scopes() {
        let Some(node) = scope.and_then(|index| subject.node(index)) else { continue };
        let inner: Vec<&FlowNode> = subject.nodes_in(scope).map(|(_, node)| node).collect();
        match subject.scope_kind(scope) {
            ScopeKind::AdHocSubProcess => ad_hoc(node, &inner, findings),
            // An empty event sub-process has a finding about its start event.
            ScopeKind::SubProcess | ScopeKind::Transaction if inner.is_empty() => findings.add(
                &SUB_PROCESS_EMPTY,
                node.element,
                format!("{} is empty: it completes at once", label(node)),
                "draw its content, or make it a call activity or a task",
            ),
            _ => {}
        }
        by_event(subject, node, &inner, findings);
        // Multi-instance takes its collection from there.
        if activity(node).is_some_and(|activity| activity.io.is_some() && !is_multi_instance(activity)) {
            findings.add(
                &SUB_PROCESS_IO,
                node.element,
                format!("{} has an ioSpecification", label(node)),
                "use properties or data objects in it, or make it a call activity",
            );
        }
    }
}

/// What a sub-process says about being started by its event.
fn by_event(subject: &Subject<'_>, node: &FlowNode, inner: &[&FlowNode], findings: &mut Findings<'_>) {
    if is_event_sub_process(node) {
        let compensates = |definition: &EventDefinition| matches!(definition, EventDefinition::Compensation { .. });
        if activity(node).is_some_and(|activity| activity.is_for_compensation)
            && !inner.iter().any(|start| is_start(start) && has_definition(start, compensates))
        {
            findings.add(
                &EVENT_SUB_PROCESS_FOR_COMPENSATION,
                node.element,
                format!("{} has isForCompensation, but it begins when its start event occurs", label(node)),
                "unset isForCompensation, or give it a compensation start event",
            );
        }
    } else if says_by_event(subject, node) {
        findings.add(
            &EVENT_SUB_PROCESS_KIND,
            node.element,
            format!("{} has triggeredByEvent=\"true\", which only a plain sub-process can have", label(node)),
            "make it a plain event sub-process, and put it inside if it is needed",
        );
    }
}

/// Whether a sub-process of any kind has `triggeredByEvent`.
pub(super) fn says_by_event(subject: &Subject<'_>, node: &FlowNode) -> bool {
    let says = subject.definitions.document.element(node.element).attribute("triggeredByEvent");
    says.is_some_and(|says| matches!(says.trim(), "true" | "1"))
}

fn is_multi_instance(activity: &Activity) -> bool {
    matches!(activity.loop_characteristics, Some(LoopCharacteristics::MultiInstance(_)))
}

fn ad_hoc(node: &FlowNode, inner: &[&FlowNode], findings: &mut Findings<'_>) {
    if !inner.iter().any(|node| activity(node).is_some()) {
        findings.add(
            &AD_HOC_WITHOUT_ACTIVITY,
            node.element,
            format!("{} holds no activity that could be performed", label(node)),
            "put at least one task or sub-process into it",
        );
    }
    for event in inner.iter().filter(|node| is_start(node) || is_end(node)) {
        findings.add(
            &AD_HOC_START_OR_END,
            event.element,
            format!("{} stands in {}", label(event), label(node)),
            "delete it: people start what is ad hoc, and it ends by its completion condition",
        );
    }
}
