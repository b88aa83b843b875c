//! Conditions on sequence flows, and default flows.

use super::findings::Findings;
use super::rule::define;
use super::subject::{Subject, event, flow_label, label};
use crate::dialect::Dialect;
use crate::expressions::Language;
use crate::model::{FlowNode, FlowNodeKind, Gateway, NodeIndex, SequenceFlow};

define! {
    CONDITION_SEVERAL = "condition-several", Error, "BPMN 2.0.2 §8.4.13",
        "A flow has one condition.";
    CONDITION_IS_TEXT = "condition-is-text", Warning, "unusual",
        "A condition of Camunda 7 or Flowable holds `${...}`; without it, it is a text as it stands.";
    CONDITION_NOT_ALLOWED = "condition-not-allowed", Error, "BPMN 2.0.2 §8.4.13, §10.5.2, §10.6.6",
        "A flow out of an event or an event-based gateway has no condition.";
    CONDITION_WITHOUT_EFFECT = "condition-without-effect", Error, "BPMN 2.0.2 §8.4.13",
        "A flow out of a parallel gateway has no condition: it would not be looked at.";
    // For activities a MUST of BPMN, yet a warning: engines agree that the token goes on or is stuck.
    CONDITION_ON_ONLY_FLOW = "condition-on-only-flow", Warning, "BPMN 2.0.2 §8.4.13",
        "A conditional flow is not the only way out of its node.";
    EXCLUSIVE_WITHOUT_CONDITION = "exclusive-flow-without-condition", Error, "BPMN 2.0.2 §10.6.2, §13.4.2",
        "Each flow out of a splitting exclusive gateway has a condition or is the default flow.";
    EXCLUSIVE_IMPLICIT_DEFAULT = "exclusive-default-implicit", Warning, "BPMN 2.0.2 §10.6.2",
        "The one flow without a condition out of an exclusive gateway is marked as its default flow.";
    INCLUSIVE_WITHOUT_CONDITION = "inclusive-flow-without-condition", Warning, "BPMN 2.0.2 §10.6.3",
        "Each flow out of a splitting inclusive gateway has a condition or is the default flow.";
    DEFAULT_UNKNOWN = "default-flow-unknown", Error, "BPMN 2.0.2 §8.4.13",
        "A default flow exists.";
    DEFAULT_NOT_OWN = "default-flow-not-own", Error, "BPMN 2.0.2 §8.4.13",
        "A default flow begins at the node that names it.";
    DEFAULT_NOT_ALLOWED = "default-flow-not-allowed", Error, "BPMN 2.0.2 §8.4.13",
        "Only activities and exclusive, inclusive and complex gateways have a default flow.";
    DEFAULT_WITH_CONDITION = "default-flow-with-condition", Warning, "BPMN 2.0.2 §10.6.2",
        "A default flow has no condition: it would not be looked at.";
    DEFAULT_NEVER_TAKEN = "default-flow-never-taken", Warning, "BPMN 2.0.2 §13.3.1, §13.4.3",
        "Where a default flow is, all other flows have conditions.";
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (index, node) in subject.nodes() {
        let flows: Vec<&SequenceFlow> = node.outgoing.iter().filter_map(|flow| subject.flow(*flow)).collect();
        default_flow(subject, index, node, findings);
        for flow in &flows {
            several_conditions(subject, flow, findings);
            condition_is_text(flow, findings);
            condition_place(node, flow, flows.len(), findings);
            default_with_condition(node, flow, findings);
        }
        match &node.kind {
            FlowNodeKind::Gateway(Gateway::Exclusive) => exclusive_without_condition(subject, node, &flows, findings),
            FlowNodeKind::Gateway(Gateway::Inclusive) => {
                inclusive_without_condition(node, &flows, findings);
                default_never_taken(node, &flows, findings);
            }
            FlowNodeKind::Activity(_) => default_never_taken(node, &flows, findings),
            _ => {}
        }
    }
}

/// The flow is the one that the node names as its default.
fn is_default(node: &FlowNode, flow: &SequenceFlow) -> bool {
    node.default_flow.as_ref().is_some_and(|default| default.target.is_some() && default.text == flow.id)
}

fn may_have_default(node: &FlowNode) -> bool {
    matches!(
        node.kind,
        FlowNodeKind::Activity(_)
            | FlowNodeKind::Gateway(Gateway::Exclusive | Gateway::Inclusive | Gateway::Complex { .. })
    )
}

fn default_flow(subject: &Subject<'_>, index: NodeIndex, node: &FlowNode, findings: &mut Findings<'_>) {
    let Some(default) = &node.default_flow else { return };
    let name = label(node);
    if !may_have_default(node) {
        let help = "remove the attribute `default`, or use an exclusive or inclusive gateway";
        findings.add(&DEFAULT_NOT_ALLOWED, node.element, format!("{name} has a default flow"), help);
        return;
    }
    match default.target.and_then(|flow| subject.flow(flow)) {
        None => findings.add(
            &DEFAULT_UNKNOWN,
            node.element,
            format!("{name} names the default flow `{}`, which does not exist", default.text),
            "let `default` name one of the flows out of it, or remove it",
        ),
        Some(flow) if flow.source.target != Some(index) => findings.add(
            &DEFAULT_NOT_OWN,
            node.element,
            format!("{name} names {} as its default, but that flow begins elsewhere", flow_label(flow)),
            "let `default` name one of the flows out of it, or remove it",
        ),
        Some(_) => {}
    }
}

/// Only Camunda 7 and Flowable take a condition without a language for a template; to them this one is a text.
fn condition_is_text(flow: &SequenceFlow, findings: &mut Findings<'_>) {
    let Some(condition) = &flow.condition else { return };
    let text = condition.text.trim();
    let says = text.is_empty() || matches!(text, "true" | "false") || text.contains("${") || text.contains("#{");
    if condition.language == Language::Template && !says {
        findings.add(
            &CONDITION_IS_TEXT,
            flow.element,
            format!(
                "the condition `{text}` of {} is a text, neither true nor false: it is not computed",
                flow_label(flow)
            ),
            format!("write `${{{text}}}`, or `={text}` for FEEL"),
        );
    }
}

fn condition_place(node: &FlowNode, flow: &SequenceFlow, ways: usize, findings: &mut Findings<'_>) {
    if flow.condition.is_none() {
        return;
    }
    let message = || format!("{} out of {} has a condition", flow_label(flow), label(node));
    if event(node).is_some() || matches!(node.kind, FlowNodeKind::Gateway(Gateway::EventBased { .. })) {
        findings.add(
            &CONDITION_NOT_ALLOWED,
            flow.element,
            message(),
            "put an exclusive gateway after it and the condition on a flow out of that",
        );
    } else if matches!(node.kind, FlowNodeKind::Gateway(Gateway::Parallel)) {
        findings.add(
            &CONDITION_WITHOUT_EFFECT,
            flow.element,
            format!("{}, which is not looked at: the flow is always taken", message()),
            "make it an inclusive gateway if the condition should count, or remove the condition",
        );
    } else if ways == 1 && !is_default(node, flow) {
        findings.add(
            &CONDITION_ON_ONLY_FLOW,
            flow.element,
            format!("{} and is the only way out: the token is stuck when it does not hold", message()),
            "remove the condition, or draw a default flow beside it",
        );
    }
}

fn default_with_condition(node: &FlowNode, flow: &SequenceFlow, findings: &mut Findings<'_>) {
    if flow.condition.is_some() && is_default(node, flow) && may_have_default(node) {
        findings.add(
            &DEFAULT_WITH_CONDITION,
            flow.element,
            format!(
                "{} is the default flow of {} and has a condition, which is not looked at",
                flow_label(flow),
                label(node)
            ),
            "remove the condition, or make another flow the default",
        );
    }
}

/// One unconditional flow is taken for the default (in Camunda 7's dialect: in its turn); with more, the second would never be
/// taken.
fn exclusive_without_condition(
    subject: &Subject<'_>,
    node: &FlowNode,
    flows: &[&SequenceFlow],
    findings: &mut Findings<'_>,
) {
    if flows.len() < 2 {
        return;
    }
    let bare: Vec<_> = flows.iter().filter(|flow| flow.condition.is_none() && !is_default(node, flow)).collect();
    let implicit = bare.len() == 1 && node.default_flow.is_none();
    for flow in bare {
        let message =
            format!("{} out of {} has no condition and is not its default flow", flow_label(flow), label(node));
        if implicit {
            let help = "let the gateway's `default` name it";
            let taken = match subject.definitions.dialect {
                Dialect::Camunda => {
                    "it is taken in its turn, as if its condition were true: before those that come after it"
                }
                _ => "it is taken when no other is",
            };
            findings.add(&EXCLUSIVE_IMPLICIT_DEFAULT, flow.element, format!("{message}; {taken}"), help);
        } else {
            let help = "give it a condition, or let the gateway's `default` name it";
            findings.add(&EXCLUSIVE_WITHOUT_CONDITION, flow.element, message, help);
        }
    }
}

fn inclusive_without_condition(node: &FlowNode, flows: &[&SequenceFlow], findings: &mut Findings<'_>) {
    if flows.len() < 2 {
        return;
    }
    for flow in flows.iter().filter(|flow| flow.condition.is_none() && !is_default(node, flow)) {
        findings.add(
            &INCLUSIVE_WITHOUT_CONDITION,
            flow.element,
            format!("{} out of {} has no condition: it is always taken", flow_label(flow), label(node)),
            "give it a condition, or let the gateway's `default` name it",
        );
    }
}

fn default_never_taken(node: &FlowNode, flows: &[&SequenceFlow], findings: &mut Findings<'_>) {
    let Some(default) = flows.iter().find(|flow| is_default(node, flow)) else { return };
    if flows.iter().any(|flow| flow.condition.is_none() && !is_default(node, flow)) {
        findings.add(
            &DEFAULT_NEVER_TAKEN,
            default.element,
            format!(
                "{} is the default flow of {}, but another flow has no condition and is always taken",
                flow_label(default),
                label(node)
            ),
            "give the other flows conditions",
        );
    }
}

fn several_conditions(subject: &Subject<'_>, flow: &SequenceFlow, findings: &mut Findings<'_>) {
    if flow.condition.is_none() {
        return;
    }
    let children = subject.definitions.document.element(flow.element).children();
    if let Some(second) = children.filter(|child| child.name() == "conditionExpression").nth(1) {
        findings.add(
            &CONDITION_SEVERAL,
            second.index(),
            format!("{} has more than one condition", flow_label(flow)),
            "join them into one with `and` or `or`",
        );
    }
}
