//! Parallel gateways: one token from each flow in, one token to each flow out (BPMN 2.0.2 §13.4.1).

use smallvec::SmallVec;

use crate::instance::{Ordinal, ScopeId, TokenId};
use crate::step::{Event, Stage, Step};

/// A token has arrived.
pub(crate) fn join(step: &mut Step<'_, '_>, token: TokenId, ordinal: Ordinal) {
    let incoming = step.graph.node(ordinal).incoming;
    if incoming <= 1 {
        return step.pass(token, ordinal);
    }
    let Some((scope, _)) = queue(step, token, false) else { return };
    let present = step.instance.join(scope, ordinal).map_or(0, |join| join.present);
    if present == incoming {
        let survivor = merge(step, scope, ordinal);
        step.resume(survivor, Stage::Complete);
    }
}

/// Puts a token into the queue of the flow that it came by.
pub(crate) fn queue(step: &mut Step<'_, '_>, token: TokenId, upstream: bool) -> Option<(ScopeId, u32)> {
    let (scope, node, flow) = step.instance.tokens.get(token).map(|token| (token.scope, token.node, token.flow))?;
    let position = step.graph.flows().get(flow as usize).map_or(0, |flow| flow.position);
    let incoming = step.graph.node(node).incoming.max(1);
    step.emit(Event::TokenJoined { token, position, incoming, upstream });
    Some((scope, node))
}

/// The oldest token of each flow that has one become one token, which is still in its queue.
pub(crate) fn merge(step: &mut Step<'_, '_>, scope: ScopeId, node: u32) -> TokenId {
    let heads: SmallVec<[TokenId; 16]> =
        step.instance.join(scope, node).map_or_else(SmallVec::new, |join| join.heads().collect());
    let survivor = heads.last().copied().unwrap_or(crate::instance::NONE);
    for token in heads {
        if token != survivor {
            step.emit(Event::TokenConsumed { token, cancelled: false });
        }
    }
    step.touch(scope);
    survivor
}
