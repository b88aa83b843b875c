//! Sequence flows: where they may begin and end.

use std::collections::BTreeSet;

use super::Rule;
use super::findings::Findings;
use super::rule::define;
use super::subject::{
    Subject, flow_label, is_boundary, is_catch_link, is_compensation_boundary, is_compensation_handler, is_end,
    is_event_sub_process, is_start, is_throw_link, label,
};
use crate::model::{FlowNode, NodeIndex, Reference, SequenceFlow};

define! {
    FLOW_SOURCE_UNKNOWN = "flow-source-unknown", Error, "BPMN 2.0.2 §8.4.13",
        "A sequence flow begins at a flow node.";
    FLOW_TARGET_UNKNOWN = "flow-target-unknown", Error, "BPMN 2.0.2 §8.4.13",
        "A sequence flow ends at a flow node.";
    FLOW_CROSSES_POOL = "flow-crosses-pool", Error, "BPMN 2.0.2 §7.6.1, §9.3",
        "A sequence flow stays in its process; pools talk by message flows.";
    FLOW_CROSSES_SUB_PROCESS = "flow-crosses-sub-process", Error, "BPMN 2.0.2 §7.6.1, §10.3.5",
        "A sequence flow does not cross the border of a sub-process.";
    FLOW_IN_OTHER_SCOPE = "flow-in-other-scope", Warning, "BPMN 2.0.2 §8.4.8",
        "A sequence flow stands in the same process or sub-process as the nodes that it connects.";
    FLOW_INTO_START = "flow-into-start-event", Error, "BPMN 2.0.2 §10.5.2",
        "No sequence flow ends at a start event.";
    FLOW_OUT_OF_END = "flow-out-of-end-event", Error, "BPMN 2.0.2 §10.5.3",
        "No sequence flow begins at an end event.";
    FLOW_INTO_BOUNDARY = "flow-into-boundary-event", Error, "BPMN 2.0.2 §10.5.4",
        "No sequence flow ends at a boundary event.";
    FLOW_INTO_LINK = "flow-into-link-catch", Error, "BPMN 2.0.2 §10.5.4",
        "No sequence flow ends at a catching link event.";
    FLOW_OUT_OF_LINK = "flow-out-of-link-throw", Error, "BPMN 2.0.2 §10.5.4",
        "No sequence flow begins at a throwing link event.";
    EVENT_SUB_PROCESS_FLOW = "event-sub-process-flow", Error, "BPMN 2.0.2 §10.3.5",
        "No sequence flow begins or ends at an event sub-process.";
    COMPENSATION_HANDLER_FLOW = "compensation-handler-flow", Error, "BPMN 2.0.2 §10.7.1",
        "No sequence flow begins or ends at a compensation handler.";
    COMPENSATION_BOUNDARY_FLOW = "compensation-boundary-flow", Error, "BPMN 2.0.2 §10.5.4, §10.7.1",
        "No sequence flow begins at a compensation boundary event; an association leads to its handler.";
    FLOW_TWICE = "flow-twice", Warning, "unusual",
        "Two nodes are connected by one sequence flow, not by two alike.";
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let mut seen = BTreeSet::new();
    for flow in &subject.process.sequence_flows {
        if ends_elsewhere(subject, flow, findings) {
            continue;
        }
        end_unknown(flow, &flow.source, &FLOW_SOURCE_UNKNOWN, "begins", "sourceRef", findings);
        end_unknown(flow, &flow.target, &FLOW_TARGET_UNKNOWN, "ends", "targetRef", findings);
        let source = flow.source.target.and_then(|index| subject.node(index));
        let target = flow.target.target.and_then(|index| subject.node(index));
        if let Some(source) = source {
            begins_wrongly(flow, source, findings);
        }
        if let Some(target) = target {
            ends_wrongly(flow, target, findings);
        }
        if let (Some(source), Some(target)) = (source, target) {
            crosses_sub_process(subject, flow, source, target, findings);
            twice(flow, source, target, &mut seen, findings);
        }
    }
}

/// A reference that means a node of another process crosses a pool's border.
fn ends_elsewhere(subject: &Subject<'_>, flow: &SequenceFlow, findings: &mut Findings<'_>) -> bool {
    let elsewhere = |end: &Reference<NodeIndex>| {
        if end.target.is_some() { None } else { subject.world.node(&end.text) }
    };
    let Some((process, node)) = elsewhere(&flow.source).or_else(|| elsewhere(&flow.target)) else { return false };
    let process = subject.definitions.processes.get(process.0 as usize);
    let Some((process, node)) = process.and_then(|process| Some((process, process.flow_nodes.get(node.0 as usize)?)))
    else {
        return false;
    };
    findings.add(
        &FLOW_CROSSES_POOL,
        flow.element,
        format!(
            "{} leads to or from {}, which stands in another process, `{}`",
            flow_label(flow),
            label(node),
            process.id
        ),
        "draw a message flow between the pools, or move both ends and the flow into one process",
    );
    true
}

fn end_unknown(
    flow: &SequenceFlow,
    end: &Reference<NodeIndex>,
    rule: &Rule,
    verb: &str,
    attribute: &str,
    findings: &mut Findings<'_>,
) {
    if end.target.is_some() {
        return;
    }
    let message = if end.text.is_empty() {
        format!("{} has no `{attribute}`", flow_label(flow))
    } else {
        format!("{} {verb} at `{}`, but no flow node has that id", flow_label(flow), end.text)
    };
    findings.add(
        rule,
        flow.element,
        message,
        format!("let `{attribute}` name a task, event, gateway or sub-process, or delete the flow"),
    );
}

fn begins_wrongly(flow: &SequenceFlow, source: &FlowNode, findings: &mut Findings<'_>) {
    let (rule, what, help) = if is_end(source) {
        (&FLOW_OUT_OF_END, "", "make the event an intermediate throw event, or end the path here")
    } else if is_throw_link(source) {
        let help = "end the path at the throwing link; the flow goes on from the catching link of the same name";
        (&FLOW_OUT_OF_LINK, "", help)
    } else if is_compensation_boundary(source) {
        let help = "replace the flow by an association to an activity with isForCompensation=\"true\"";
        (&COMPENSATION_BOUNDARY_FLOW, "", help)
    } else if is_event_sub_process(source) {
        let help = "delete the flow (the scope around goes on by itself), or unset triggeredByEvent";
        (&EVENT_SUB_PROCESS_FLOW, "", help)
    } else if is_compensation_handler(source) {
        let help = "delete the flow (a handler's end is the end of compensation), or unset isForCompensation";
        (&COMPENSATION_HANDLER_FLOW, ", a compensation handler", help)
    } else {
        return;
    };
    findings.add(rule, flow.element, format!("{} begins at {}{what}", flow_label(flow), label(source)), help);
}

fn ends_wrongly(flow: &SequenceFlow, target: &FlowNode, findings: &mut Findings<'_>) {
    let (rule, what, help) = if is_start(target) {
        (&FLOW_INTO_START, "", "let the flow end at the node after the start event")
    } else if is_boundary(target) {
        (&FLOW_INTO_BOUNDARY, "", "let the flow end at the activity, or at an intermediate event")
    } else if is_catch_link(target) {
        (&FLOW_INTO_LINK, "", "end the flow at a throwing link event of the same name")
    } else if is_event_sub_process(target) {
        let help = "delete the flow (its start event triggers it), or unset triggeredByEvent";
        (&EVENT_SUB_PROCESS_FLOW, "", help)
    } else if is_compensation_handler(target) {
        let help = "replace the flow by an association from a compensation boundary event, or unset isForCompensation";
        (&COMPENSATION_HANDLER_FLOW, ", a compensation handler", help)
    } else {
        return;
    };
    findings.add(rule, flow.element, format!("{} ends at {}{what}", flow_label(flow), label(target)), help);
}

fn crosses_sub_process(
    subject: &Subject<'_>,
    flow: &SequenceFlow,
    source: &FlowNode,
    target: &FlowNode,
    findings: &mut Findings<'_>,
) {
    if source.parent != target.parent {
        findings.add(
            &FLOW_CROSSES_SUB_PROCESS,
            flow.element,
            format!(
                "{} leads from {} in {} to {} in {}",
                flow_label(flow),
                label(source),
                subject.scope_label(source.parent),
                label(target),
                subject.scope_label(target.parent)
            ),
            "connect the sub-process itself, or use a boundary event or an event sub-process to leave it",
        );
    } else if flow.parent != source.parent {
        findings.add(
            &FLOW_IN_OTHER_SCOPE,
            flow.element,
            format!(
                "{} stands in {}, but the nodes that it connects stand in {}",
                flow_label(flow),
                subject.scope_label(flow.parent),
                subject.scope_label(source.parent)
            ),
            "move the sequenceFlow element to its nodes",
        );
    }
}

fn twice<'a>(
    flow: &'a SequenceFlow,
    source: &FlowNode,
    target: &FlowNode,
    seen: &mut BTreeSet<(Option<NodeIndex>, Option<NodeIndex>, Option<&'a str>)>,
    findings: &mut Findings<'_>,
) {
    let condition = flow.condition.as_ref().map(|condition| &*condition.text);
    if !seen.insert((flow.source.target, flow.target.target, condition)) {
        findings.add(
            &FLOW_TWICE,
            flow.element,
            format!("{} connects {} with {} once more", flow_label(flow), label(source), label(target)),
            "delete one of the two flows, unless two tokens are wanted",
        );
    }
}
