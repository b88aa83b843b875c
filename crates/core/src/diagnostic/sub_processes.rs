//! What sub-processes may hold.

use super::findings::Findings;
use super::rule::define;
use super::subject::{ScopeKind, Subject, activity, is_end, is_start, label};
use crate::model::{Activity, FlowNode, LoopCharacteristics};

define! {
    SUB_PROCESS_EMPTY = "sub-process-empty", Warning, "BPMN 2.0.2 §10.3.5",
        "A sub-process holds something.";
    AD_HOC_START_OR_END = "ad-hoc-start-or-end", Error, "BPMN 2.0.2 §10.3.5",
        "An ad-hoc sub-process holds neither start nor end events.";
    AD_HOC_WITHOUT_ACTIVITY = "ad-hoc-without-activity", Error, "BPMN 2.0.2 §10.3.5",
        "An ad-hoc sub-process holds at least one activity.";
    SUB_PROCESS_IO = "sub-process-with-io", Error, "BPMN 2.0.2 §10.4.1",
        "A sub-process has no ioSpecification, unless it is multi-instance: it sees the variables around it.";
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
