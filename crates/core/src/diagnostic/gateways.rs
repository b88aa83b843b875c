//! Gateways other than event-based ones.

use super::findings::Findings;
use super::rule::define;
use super::subject::{Subject, gateway, label};
use crate::model::{FlowNode, Gateway};

define! {
    GATEWAY_WITHOUT_OUTGOING = "gateway-without-outgoing", Error, "BPMN 2.0.2 §10.6.2, §13.4",
        "A flow leads out of each exclusive, inclusive and complex gateway.";
    // A MUST of BPMN, yet a warning: every engine passes the token on, and authors leave such gateways when they delete a flow.
    GATEWAY_SUPERFLUOUS = "gateway-superfluous", Warning, "BPMN 2.0.2 §10.6.1",
        "A gateway has several incoming or several outgoing flows.";
    GATEWAY_DIRECTION = "gateway-direction", Error, "BPMN 2.0.2 §8.4.9, §10.6.1",
        "A gateway has as many flows as its gatewayDirection says.";
    COMPLEX_WITHOUT_CONDITION = "complex-gateway-without-condition", Warning, "BPMN 2.0.2 §10.6.5",
        "A complex gateway that joins has an activation condition.";
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (index, node) in subject.nodes() {
        let Some(gateway) = gateway(node) else { continue };
        let is_alone = node.incoming.is_empty() && node.outgoing.is_empty();
        if is_alone && subject.is_hidden(index, node) {
            continue;
        }
        direction(subject, node, findings);
        if matches!(gateway, Gateway::EventBased { .. }) {
            continue;
        }
        without_outgoing(node, gateway, findings);
        superfluous(node, gateway, findings);
        complex(node, gateway, findings);
    }
}

/// A choice with nothing to choose from raises an exception (§13.4.2); a parallel gateway simply ends its path.
fn without_outgoing(node: &FlowNode, gateway: &Gateway, findings: &mut Findings<'_>) {
    if node.outgoing.is_empty() && !matches!(gateway, Gateway::Parallel) {
        findings.add(
            &GATEWAY_WITHOUT_OUTGOING,
            node.element,
            format!("{} has no outgoing flow to choose", label(node)),
            "lead a sequence flow out of it, to an end event if the path ends here",
        );
    }
}

fn superfluous(node: &FlowNode, gateway: &Gateway, findings: &mut Findings<'_>) {
    let (incoming, outgoing) = (node.incoming.len(), node.outgoing.len());
    // A choice without a way out has a finding of its own.
    let can_go_on = outgoing > 0 || matches!(gateway, Gateway::Parallel);
    if incoming < 2 && outgoing < 2 && can_go_on {
        findings.add(
            &GATEWAY_SUPERFLUOUS,
            node.element,
            format!(
                "{} has {incoming} incoming and {outgoing} outgoing flows: it neither splits nor joins",
                label(node)
            ),
            "delete it, or draw the missing flow",
        );
    }
}

/// The flows that a direction allows (§10.6.1: they MUST).
fn direction(subject: &Subject<'_>, node: &FlowNode, findings: &mut Findings<'_>) {
    let element = subject.definitions.document.element(node.element);
    let Some(direction) = element.attribute("gatewayDirection") else { return };
    let (incoming, outgoing) = (node.incoming.len(), node.outgoing.len());
    let fits = match &*direction {
        "Converging" => outgoing < 2,
        "Diverging" => incoming < 2,
        "Mixed" => incoming > 1 && outgoing > 1,
        _ => true,
    };
    if !fits {
        findings.add(
            &GATEWAY_DIRECTION,
            node.element,
            format!(
                "{} is called {}, but has {incoming} incoming and {outgoing} outgoing flows",
                label(node),
                direction.to_lowercase()
            ),
            "correct gatewayDirection, or remove it: the flows say what the gateway does",
        );
    }
}

fn complex(node: &FlowNode, gateway: &Gateway, findings: &mut Findings<'_>) {
    if matches!(gateway, Gateway::Complex { activation_condition: None }) && node.incoming.len() > 1 {
        findings.add(
            &COMPLEX_WITHOUT_CONDITION,
            node.element,
            format!("{} joins {} flows, but does not say when it goes on", label(node), node.incoming.len()),
            "add an activationCondition, e.g. `activationCount >= 2`",
        );
    }
}
