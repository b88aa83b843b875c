//! Inclusive gateways: wait for every token that can still arrive (BPMN 2.0.2 §13.4.3).

use super::parallel_gateway::{merge, position, queue};
use crate::dialect::ListenerStage;
use crate::graph::Upstream;
use crate::instance::{IncidentStage, Ordinal, Owner, ScopeId, Token, TokenId, WaitKind};
use crate::step::{Stage, Step};

/// A token has arrived; whether the gateway is free is asked when nothing moves any more.
pub(crate) fn join(step: &mut Step<'_, '_>, token: TokenId, ordinal: Ordinal) {
    if step.graph.node(ordinal).incoming <= 1 {
        return step.pass(token, ordinal);
    }
    if let Some((scope, _)) = queue(step, token) {
        step.touch(scope);
    }
}

/// Fires the gateway if it is free.
pub(crate) fn ask(step: &mut Step<'_, '_>, scope: ScopeId, node: u32, upstream: &Upstream) -> bool {
    let Some(join) = step.instance.join(scope, node) else { return false };
    if join.present < step.graph.node(node).incoming
        && can_still_arrive(step, scope, node, upstream, |position| join.has(position))
    {
        return false;
    }
    let survivor = merge(step, scope, node);
    step.resume(survivor, Stage::Complete);
    true
}

/// Whether a token elsewhere in the scope can reach a flow in that is not filled, and no flow in that is.
///
/// The specification: "for every path that starts with a token, ends with an empty flow in and does not visit the gateway,
/// there is also one from there that ends with a flow in that has a token". A token that can do both is not waited for. Paths
/// are formed by sequence flows: that a boundary event may lead to a filled flow lets nobody off. Where one may lead to an
/// empty flow, its activity is waited for, since a token may still come.
pub(crate) fn can_still_arrive(
    step: &Step<'_, '_>,
    scope: ScopeId,
    node: u32,
    upstream: &Upstream,
    is_filled: impl Fn(u32) -> bool,
) -> bool {
    let fills = |token: &Token| is_filled(position(step, token.flow));
    let is_filled = |position| u32::try_from(position).is_ok_and(&is_filled);
    let blocks = |at: u32| {
        !upstream.reachable(step.graph, node, at).ones().all(is_filled)
            && !upstream.reachable_by_flows(step.graph, node, at).ones().any(is_filled)
    };
    let Some(scope) = step.instance.scopes.get(scope) else { return false };
    let mut token = scope.first_token;
    while let Some(current) = step.instance.tokens.get(token) {
        // One that has come so far needs no more flow, but what comes before the gateway.
        let is_here = current.node == node && !fills(current) && comes_to(step, token);
        if is_here || blocks(current.node) {
            return true;
        }
        token = current.next;
    }
    scope.joins().iter().any(|join| join.node != node && join.tokens > 0 && blocks(join.node))
}

/// Whether a token on a gateway has not joined yet: what it waits for comes before that.
fn comes_to(step: &Step<'_, '_>, token: TokenId) -> bool {
    let starts = |listener: u32| {
        let listener = step.node(token).details.listeners.get(listener as usize);
        listener.is_some_and(|listener| listener.stage == ListenerStage::Start)
    };
    step.waits_of(Owner::Token(token)).any(|(_, wait)| match &wait.kind {
        WaitKind::Continuation { after, .. } => !after,
        WaitKind::Job(job) => job.listener.is_some_and(starts),
        WaitKind::Incident(incident) => match incident.stage {
            IncidentStage::Arrive | IncidentStage::Enter | IncidentStage::Execute => true,
            IncidentStage::Listener(listener) => starts(listener),
            _ => false,
        },
        _ => false,
    })
}
