//! Exclusive gateways: the first flow whose condition holds, else the default (BPMN 2.0.2 §13.4.2).

use crate::instance::{IncidentStage, Ordinal, TokenId};
use crate::step::{Problem, Step};

/// Takes one flow; an incident of this stage if there is none to take.
pub(crate) fn decide(
    step: &mut Step<'_, '_>,
    token: TokenId,
    ordinal: Ordinal,
    stage: IncidentStage,
) -> Result<(), Problem> {
    let graph = step.graph;
    let node = graph.node(ordinal);
    if !node.conditional {
        match &*node.outgoing {
            [] => step.end_path(token),
            [first, ..] => step.take(token, std::slice::from_ref(first)),
        }
        return Ok(());
    }
    let scope = step.variable_scope(token);
    for flow in &node.outgoing {
        if node.default_flow == Some(*flow) {
            continue;
        }
        let holds = match &graph.flow(*flow).condition {
            Some(condition) => step.holds(condition, scope, ordinal, &[])?,
            None => true,
        };
        if holds {
            step.take_one(token, node, *flow);
            return Ok(());
        }
    }
    match node.default_flow {
        Some(flow) => step.take_one(token, node, flow),
        None => step.no_flow(token, stage),
    }
    Ok(())
}
