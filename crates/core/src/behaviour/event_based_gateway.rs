//! Event-based gateways: the first of several events chooses the flow (BPMN 2.0.2 §13.4.4).

use crate::expressions::EvaluationError;
use crate::graph::NodeKind;
use crate::instance::{Owner, TokenId};
use crate::step::{Event, Step};

/// Waits for all events that follow.
pub(crate) fn wait(step: &mut Step<'_, '_>, token: TokenId) -> Result<(), EvaluationError> {
    step.emit(Event::TokenWaited { token });
    let graph = step.graph;
    let scope = step.variable_scope(token);
    for flow in &step.node(token).outgoing {
        let target = graph.flow(*flow).target;
        let catches = match &graph.node(target).kind {
            NodeKind::CatchEvent(event) => &event.catches,
            NodeKind::ReceiveTask(catch) => std::slice::from_ref(&**catch),
            _ => continue,
        };
        step.subscribe(Owner::Token(token), target, scope, catches)?;
    }
    Ok(())
}
