//! End events: throw and end a path, a scope, or the instance (BPMN 2.0.2 §10.5.3, §13.5.6).

use super::{compensation, intermediate_event};
use crate::dialect::Dialect;
use crate::graph::{NodeKind, Throw};
use crate::instance::{NONE, Owner, Phase, ROOT, ScopeId, TokenId};
use crate::step::{Closed, Event, Problem, Step};

/// Throws what the event throws from this one on, then its token is used up.
pub(crate) fn end(step: &mut Step<'_, '_>, token: TokenId, throws: &[Throw], from: u32) -> Result<(), Problem> {
    let Some((serial, scope)) = step.instance.tokens.get(token).map(|token| (token.serial, token.scope)) else {
        return Ok(());
    };
    let before = step.agenda_length();
    for (number, thrown) in step.in_order(token, throws, from)? {
        match thrown {
            Throw::Terminate { all } => {
                let scope = if *all { end_callers(step, token) } else { scope };
                step.ended_at = step.node_of(token);
                // It leaves when all else is left.
                step.thrower = Some((token, false));
                step.way_out_for_good(scope);
                step.thrower = None;
                if step.graph.dialect() == Dialect::Camunda {
                    let _ = step.leave_early(token);
                }
                terminate(step, scope);
                return Ok(());
            }
            Throw::Cancel => {
                cancel(step, token);
                return Ok(());
            }
            other => {
                if intermediate_event::throw_one(step, token, number, other)? {
                    return Ok(());
                }
            }
        }
        if !step.is_alive(token, serial) {
            return Ok(());
        }
    }
    step.schedule_thrower(token, before);
    Ok(())
}

/// In Camunda 7's dialect all else in its scope ends before a terminate end event is entered, so that its listeners see what that leaves.
pub(crate) fn end_others(step: &mut Step<'_, '_>, token: TokenId, throws: &[Throw]) {
    let terminates = throws.iter().any(|throw| matches!(throw, Throw::Terminate { all: false }));
    if step.graph.dialect() == Dialect::Camunda
        && terminates
        && let Some(scope) = step.instance.tokens.get(token).map(|token| token.scope)
    {
        step.thrower = Some((token, false));
        step.way_out_for_good(scope);
        step.thrower = None;
        step.cancel_contents(scope, token);
        step.close_waits(Owner::Scope(scope), Closed::Cancelled);
    }
}

/// What this instance has called ends it, and what has called it (Flowable's `terminateAll`).
pub(crate) fn end_with_called(step: &mut Step<'_, '_>, token: TokenId) {
    let scope = end_callers(step, token);
    step.ended_at = step.node_of(token);
    step.way_out_for_good(scope);
    terminate(step, scope);
}

/// Asks the caller to end; gives the scope that ends here.
fn end_callers(step: &mut Step<'_, '_>, token: TokenId) -> ScopeId {
    if step.instance.caller.is_some() {
        step.emit(Event::CallersEnded { node: step.node_of(token) });
    }
    ROOT
}

/// Everything in the scope ends; its activity completes.
fn terminate(step: &mut Step<'_, '_>, scope: ScopeId) {
    step.cancel_contents(scope, NONE);
    step.end_scope(scope);
}

/// The transaction is cancelled (BPMN 2.0.2 §10.7, §13.5.5): what still runs in it ends, what it has done is compensated, and
/// then its cancel boundary event takes the token.
fn cancel(step: &mut Step<'_, '_>, token: TokenId) {
    // The event may stand in an event sub-process of the transaction: what leads there is what stays.
    let mut stays = token;
    while let Some(scope) = step.instance.tokens.get(stays).map(|token| token.scope) {
        // What stays is not at its end yet.
        step.thrower = Some((stays, false));
        step.way_out_for_good(scope);
        step.thrower = None;
        step.cancel_contents(scope, stays);
        step.close_waits(Owner::Scope(scope), Closed::Cancelled);
        let Some((node, owner)) = step.instance.scopes.get(scope).map(|scope| (scope.node, scope.owner)) else { break };
        if !matches!(step.graph.get_node(node).map(|node| &node.kind), Some(NodeKind::EventSubProcess(_))) {
            step.emit(Event::ScopePhase { scope, phase: Phase::Cancelling });
            return compensation::throw_in(step, token, 0, scope, NONE);
        }
        stays = owner;
    }
}
