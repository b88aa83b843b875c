//! Complex gateways: fire when their activation condition holds, then wait for the rest (BPMN 2.0.2 §13.4.5).
//!
//! In the first phase (waiting for start) the condition is asked as tokens arrive. It sees `activationCount` and, under
//! the id of each flow in, how many tokens wait there. When it holds, one token of each flow that has one is consumed and
//! the flows out whose condition holds are taken. In the second phase (waiting for reset) the gateway waits for a token on
//! each other flow in, unless none can still arrive, consumes them, and takes the flows out whose own condition holds. A flow
//! without a condition is taken in the first phase only; the default flow in each phase in which no other is. Conditions see
//! `waitingForStart`.

use super::inclusive_gateway::can_still_arrive;
use super::parallel_gateway::{merge, queue};
use crate::Name;
use crate::expressions::EvaluationError;
use crate::graph::ComplexGateway;
use crate::instance::{IncidentStage, NONE, ScopeId, TokenId};
use crate::step::{Event, Problem, Stage, Step};
use crate::value::Value;

/// A token has arrived.
pub(crate) fn join(step: &mut Step<'_, '_>, token: TokenId, gateway: &ComplexGateway) -> Result<(), Problem> {
    let Some((scope, node)) = queue(step, token) else { return Ok(()) };
    step.touch(scope);
    if step.instance.join(scope, node).is_some_and(|join| join.received.is_some()) {
        return Ok(());
    }
    match activates(step, scope, node, gateway) {
        Ok(true) => fire(step, scope, node),
        Ok(false) => {}
        Err(error) => {
            // It waits for help, no longer in the queue.
            step.emit(Event::TokenResumed { token });
            return Err(error.into());
        }
    }
    Ok(())
}

/// First phase: one token of each flow that has one goes out as one.
fn fire(step: &mut Step<'_, '_>, scope: ScopeId, node: u32) {
    // Where a token has come by every flow there is nothing left to wait for, and so no second phase.
    if step.instance.join(scope, node).is_some_and(|join| join.present < step.graph.node(node).incoming) {
        step.emit(Event::ComplexActivated { scope, node });
    }
    let survivor = merge(step, scope, node);
    step.emit(Event::TokenResumed { token: survivor });
    if step.graph.node(node).plain {
        go_out(step, survivor, true);
    } else {
        step.schedule(survivor, Stage::Complete);
    }
}

/// Whether the activation condition holds. Without one, the gateway waits for all flows in.
fn activates(
    step: &mut Step<'_, '_>,
    scope: ScopeId,
    node: u32,
    gateway: &ComplexGateway,
) -> Result<bool, EvaluationError> {
    let Some(join) = step.instance.join(scope, node) else { return Ok(false) };
    let Some(condition) = &gateway.activation_condition else {
        return Ok(join.present == step.graph.node(node).incoming);
    };
    let mut counts: Vec<(Name, Value)> = vec![("activationCount".into(), Value::Integer(join.tokens.into()))];
    for (position, flow) in (0u32..).zip(&gateway.flow_names) {
        let mut count = 0;
        let mut token = join.queues.get(position as usize).map_or(NONE, |queue| queue.first);
        while let Some(waiting) = step.instance.tokens.get(token) {
            count += 1;
            token = waiting.next;
        }
        counts.push((flow.clone(), Value::Integer(count)));
    }
    step.holds(condition, scope, node, &counts)
}

/// In the second phase: resets the gateway if nothing is missing any more. In the first: fires if the condition holds for
/// tokens that came while it waited for its reset.
pub(crate) fn ask(step: &mut Step<'_, '_>, scope: ScopeId, node: u32, gateway: &ComplexGateway) -> bool {
    let Some(join) = step.instance.join(scope, node) else { return false };
    let Some(received) = &join.received else {
        let Some(token) = join.heads().last() else { return false };
        match activates(step, scope, node, gateway) {
            Ok(true) => fire(step, scope, node),
            Ok(false) => return false,
            Err(error) => {
                step.emit(Event::TokenResumed { token });
                step.stuck(token, error.into(), IncidentStage::Execute);
            }
        }
        return true;
    };
    let is_filled = |position| is_received(received, position) || join.has(position);
    let missing = (0..step.graph.node(node).incoming).any(|position| !is_filled(position));
    if missing && can_still_arrive(step, scope, node, &gateway.upstream, is_filled) {
        return false;
    }
    reset(step, scope, node);
    true
}

fn is_received(received: &[bool], position: u32) -> bool {
    received.get(position as usize).copied().unwrap_or(false)
}

/// When nothing else runs in a scope, its gateways that wait for reset have nothing to wait for: one of them is reset, and sends
/// a token on its way. Gives whether there was one.
pub(crate) fn reset_last(step: &mut Step<'_, '_>, scope: ScopeId) -> bool {
    let Some(here) = step.instance.scopes.get(scope) else { return false };
    let waiting = here.joins().iter().find(|join| join.received.is_some()).map(|join| join.node);
    if let Some(node) = waiting {
        reset(step, scope, node);
    }
    waiting.is_some()
}

/// Takes a token of each flow that had none in the first phase; what else has come is for the next first phase.
fn reset(step: &mut Step<'_, '_>, scope: ScopeId, node: u32) {
    let Some(join) = step.instance.join(scope, node) else { return };
    let received = join.received.as_deref().unwrap_or_default();
    let late = (0u32..).zip(&join.queues).filter(|(position, _)| !is_received(received, *position));
    let heads: Vec<TokenId> = late.map(|(_, queue)| queue.first).filter(|token| *token != NONE).collect();
    let survivor = match heads.split_last() {
        Some((survivor, others)) => {
            for token in others {
                step.emit(Event::TokenConsumed { token: *token, cancelled: false });
            }
            step.emit(Event::TokenResumed { token: *survivor });
            *survivor
        }
        None => step.born(scope, node),
    };
    step.emit(Event::ComplexReset { scope, node });
    step.touch(scope);
    step.schedule(survivor, Stage::Reset);
}

/// Takes the flows out; what is wrong with their conditions is an incident.
pub(crate) fn go_out(step: &mut Step<'_, '_>, token: TokenId, waiting_for_start: bool) {
    if let Err(problem) = leave(step, token, waiting_for_start) {
        let stage = if waiting_for_start { IncidentStage::Leave } else { IncidentStage::Reset };
        step.stuck(token, problem, stage);
    }
}

fn leave(step: &mut Step<'_, '_>, token: TokenId, waiting_for_start: bool) -> Result<(), Problem> {
    let node = step.node(token);
    let (scope, ordinal) = (step.variable_scope(token), step.node_of(token));
    let graph = step.graph;
    let phase = [(Name::from("waitingForStart"), Value::Boolean(waiting_for_start))];
    let mut flows = Vec::new();
    for flow in node.outgoing.iter().filter(|flow| node.default_flow != Some(**flow)) {
        let holds = match &graph.flow(*flow).condition {
            Some(condition) => step.holds(condition, scope, ordinal, &phase)?,
            None => waiting_for_start,
        };
        if holds {
            flows.push(*flow);
        }
    }
    if flows.is_empty() {
        // In both phases (BPMN 2.0.2 Table 13.5): if no condition holds, and only then.
        flows.extend(node.default_flow);
    }
    match (flows.is_empty(), waiting_for_start) {
        (false, _) => step.take(token, &flows),
        (true, true) if !node.outgoing.is_empty() => step.no_flow(token, IncidentStage::Leave),
        // Nothing leaves in the second phase: the token is used up, and the scope may be done.
        (true, _) => step.end_path(token),
    }
    Ok(())
}
